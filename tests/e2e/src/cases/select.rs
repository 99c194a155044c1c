//! Filters by process, direction and count keep exactly the right packets.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::lab::Lab;
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre};
use crate::seen::{Seen, read_file};
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers};

/// Two senders and the receiver of both, each a process of its own.
pub struct Three {
    netns: Netns,
    theatre: Theatre,
    pub one: Puppet,
    pub other: Puppet,
    pub sink: Puppet,
}

/// `one` and `other` run these programs.
pub fn three(lab: &Lab, one: &str, other: &str) -> Result<Three> {
    let netns = Netns::new()?;
    let theatre = Theatre::open(&lab.file(&format!("three{}.sock", lab.number())))?;
    let mut sink = theatre.enter(&lab.puppet_named("sink")?, &netns)?;
    sink.acts(&["socket 0 udp 4", "bind 0 127.0.0.1 7000"])?;
    let mut senders = Vec::new();
    for name in [one, other] {
        let mut sender = theatre.enter(&lab.puppet_named(name)?, &netns)?;
        sender.act("socket 1 udp 4")?;
        senders.push(sender);
    }
    let (Some(other), Some(one)) = (senders.pop(), senders.pop()) else {
        anyhow::bail!("two senders");
    };
    Ok(Three {
        netns,
        theatre,
        one,
        other,
        sink,
    })
}

impl Three {
    /// Starts pktwho with these words.
    fn capture(&self, lab: &Lab, words: &str) -> Result<(Tool, std::path::PathBuf)> {
        let path = lab.file(&format!("three{}.pcapng", lab.number()));
        let words = format!("-i lo -w {} {words}", path.display());
        Ok((Tool::listening(lab, &self.netns, &words)?, path))
    }

    /// Both send, and again after an exchange of turns.
    fn all_send(&mut self) -> Result<()> {
        for _ in 0..3 {
            send(&mut self.one)?;
            send(&mut self.other)?;
        }
        Ok(())
    }

    /// Captures all sending with these words; the senders of what was kept, and how much.
    pub fn kept(&mut self, lab: &Lab, words: &str) -> Result<(BTreeSet<u32>, usize)> {
        let (tool, path) = self.capture(lab, words)?;
        self.all_send()?;
        tool.stop()?.expect_status(0)?;
        senders(&read_file(&path)?)
    }
}

fn send(puppet: &mut Puppet) -> Result<()> {
    puppet.act("sendto 1 127.0.0.1 7000 64")?;
    Ok(())
}

/// Whose tags the packets carry, and how many packets there are, which must all be tagged.
fn senders(packets: &[Seen]) -> Result<(BTreeSet<u32>, usize)> {
    let mut pids = BTreeSet::new();
    for packet in packets {
        let tag = packet.segment().and_then(|segment| segment.tag());
        pids.insert(tag.with_context(|| format!("not ours: {packet:?}"))?.pid);
    }
    Ok((pids, packets.len()))
}

pub fn pid(lab: &Lab) -> Result<Outcome> {
    let mut three = three(lab, "one", "other")?;
    let (one, other, sink) = (three.one.pid, three.other.pid, three.sink.pid);
    let kept = three.kept(lab, &format!("--pid {one}"))?;
    ensure!(kept == (BTreeSet::from([one]), 3), "one sender: {kept:?}");
    let both = BTreeSet::from([one, other]);
    let kept = three.kept(lab, &format!("--pid {one} --pid {other}"))?;
    ensure!(kept == (both.clone(), 6), "both senders: {kept:?}");
    let kept = three.kept(lab, &format!("--pid {sink}"))?;
    ensure!(kept == (both, 6), "the receiver: {kept:?}");
    Ok(Outcome::Passed)
}

/// Names longer than the kernel's fifteen bytes count whole; threads' names do not count.
pub fn pname(lab: &Lab) -> Result<Outcome> {
    let long = "a-name-of-more-than-fifteen-bytes-one";
    let other = "a-name-of-more-than-fifteen-bytes-two";
    let mut three = three(lab, long, other)?;
    let expected = (BTreeSet::from([three.one.pid]), 3);
    let kept = three.kept(lab, &format!("--pname {long}"))?;
    ensure!(kept == expected, "a long name: {kept:?}");
    let (tool, path) = three.capture(lab, &format!("--pname {long}"))?;
    let again = lab.puppet_named(long)?;
    let mut late = three.theatre.enter(&again, &three.netns)?;
    late.act("socket 1 udp 4")?;
    send(&mut late)?;
    send(&mut three.other)?;
    tool.stop()?.expect_status(0)?;
    let kept = senders(&read_file(&path)?)?;
    ensure!(
        kept == (BTreeSet::from([late.pid]), 1),
        "started later: {kept:?}"
    );
    let (tool, path) = three.capture(lab, &format!("--pname {long}"))?;
    three.one.act("connect 1 127.0.0.1 7000")?;
    three.one.act("threadsend 1 other-name 64")?;
    send(&mut three.other)?;
    tool.stop()?.expect_status(0)?;
    let kept = senders(&read_file(&path)?)?;
    let expected = (BTreeSet::from([three.one.pid]), 1);
    ensure!(kept == expected, "a thread's own name: {kept:?}");
    Ok(Outcome::Passed)
}

pub fn uid(lab: &Lab) -> Result<Outcome> {
    let mut three = three(lab, "one", "other")?;
    three.one.act("setuid 54321")?;
    // A socket of the new user's own.
    three.one.acts(&["close 1", "socket 1 udp 4"])?;
    let expected = (BTreeSet::from([three.one.pid]), 3);
    let kept = three.kept(lab, "--uid 54321")?;
    ensure!(kept == expected, "{kept:?}");
    Ok(Outcome::Passed)
}

/// A child forked before or after the start belongs to it with -f, and only then.
pub fn follow_forks(lab: &Lab) -> Result<Outcome> {
    for (flags, follows) in [("-f", true), ("", false)] {
        let mut three = three(lab, "one", "other")?;
        let pid = three.one.pid;
        let mut before = three.theatre.fork(&mut three.one)?;
        let (tool, path) = three.capture(lab, &format!("{flags} --pid {pid}"))?;
        let mut after = three.theatre.fork(&mut three.one)?;
        let mut grandchild = three.theatre.fork(&mut after)?;
        let mut expected = BTreeSet::from([pid]);
        send(&mut three.one)?;
        send(&mut three.other)?;
        for child in [&mut before, &mut after, &mut grandchild] {
            child.acts(&["close 1", "socket 1 udp 4"])?;
            send(child)?;
            if follows {
                expected.insert(child.pid);
            }
        }
        tool.stop()?.expect_status(0)?;
        let (kept, count) = senders(&read_file(&path)?)?;
        ensure!(
            kept == expected && count == kept.len(),
            "{flags:?}: {kept:?} instead of {expected:?}"
        );
    }
    Ok(Outcome::Passed)
}

/// Children are followed also where another term is for user space to decide.
pub fn follow_forks_and_exe(lab: &Lab) -> Result<Outcome> {
    // The second runs the program that is asked for and is nobody's child.
    let mut three = three(lab, "one", "two")?;
    let two = lab.puppet_named("two")?;
    let before = three.theatre.fork(&mut three.one)?;
    let mut before = three.theatre.exec(before, &two)?;
    let (tool, path) = three.capture(lab, "-f --pname one exe */two")?;
    let after = three.theatre.fork(&mut three.one)?;
    let mut after = three.theatre.exec(after, &two)?;
    let mut grandchild = three.theatre.fork(&mut after)?;
    send(&mut three.one)?;
    send(&mut three.other)?;
    let mut expected = BTreeSet::new();
    for child in [&mut after, &mut grandchild] {
        child.acts(&["close 1", "socket 1 udp 4"])?;
        send(child)?;
        expected.insert(child.pid);
    }
    // When the capture began it was another program already, whose parent is what is named.
    before.acts(&["close 1", "socket 1 udp 4"])?;
    send(&mut before)?;
    expected.insert(before.pid);
    tool.stop()?.expect_status(0)?;
    let (kept, count) = senders(&read_file(&path)?)?;
    ensure!(
        kept == expected && count == kept.len(),
        "{kept:?} instead of {expected:?}"
    );
    Ok(Outcome::Passed)
}

pub fn direction(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let out = Line::between((&near, "10.77.0.1"), (&far, "10.77.0.2"))?;
    let inward = Line::between((&far, "10.77.0.2"), (&near, "10.77.0.1"))?;
    // Numbers 0.. go out, 100.. come in.
    inward.send(100)?;
    for (way, outgoing, incoming) in [("in", 0, 5), ("out", 5, 0), ("inout", 5, 5)] {
        let (first_out, first_in) = (out.sent(), inward.sent());
        let path = lab.file(&format!("way-{way}.pcapng"));
        let words = format!("-i near0 -Q {way} -w {}", path.display());
        let tool = Tool::listening(lab, &near, &words)?;
        out.send(5)?;
        inward.send(5)?;
        tool.stop()?.expect_status(0)?;
        let packets = read_file(&path)?;
        let (gone, come): (Vec<Seen>, Vec<Seen>) = packets.into_iter().partition(|packet| {
            let source = packet
                .segment()
                .map(|segment| segment.source.ip().to_string());
            source.as_deref() == Some("10.77.0.1")
        });
        let what = format!("-Q {way}");
        expect_numbers(&gone, first_out..first_out + outgoing).context(what.clone())?;
        expect_numbers(&come, first_in..first_in + incoming).context(what)?;
    }
    Ok(Outcome::Passed)
}

pub fn count(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    // What is sent when it ends may not arrive where a queueing discipline goes then.
    let home = (&netns, "127.0.0.1");
    let line = Line::between(home, home)?;
    let path = lab.file("count.pcapng");
    let words = format!("-i lo -c 7 -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    line.send(100)?;
    let ended = tool.wait()?;
    ended.expect_status(0)?;
    expect_numbers(&read_file(&path)?, 0..7)?;
    let captured = ended.counts()?.captured;
    ensure!(captured == 7, "{captured} captured");
    Ok(Outcome::Passed)
}
