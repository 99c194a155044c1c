//! Many packets for long: every one is in a file or counted as dropped, and the memory of the
//! tool stays what it was.

use std::io::Write as _;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Options, REMEMBERED, forked};
use crate::bench::generator::{Generator, Load};
use crate::lab::Lab;
use crate::netns::Netns;
use crate::tool::Tool;

/// Packets a second of one connection.
const RATE: u32 = 100_000;

/// Looks at the memory, at least; one each minute when it lasts longer.
const LOOKS: u32 = 10;

/// The first part of the looks, in which caches fill: one of so many.
const WARM_UP: usize = 4;

/// How much more memory the second half of the other looks may have than the first, in KiB; and
/// one more for each process that was made on the machine meanwhile, up to those remembered.
const SLACK_KIB: u64 = 1024;

/// A socket of its own for one packet, so often: every flow is new.
const NEW_FLOW: Duration = Duration::from_millis(5);

/// Plays, and gives the figures in words; each look's as it goes.
///
/// # Errors
/// Counts do not add up, or the memory grew.
pub fn run(lab: &Lab, options: &Options) -> Result<String> {
    let (near, far) = Netns::pair()?;
    for netns in [&near, &far] {
        netns.without_ipv6()?;
    }
    let path = lab.file("endurance.pcapng");
    let words = format!("-i near0 -C 16 -W 4 -w {}", path.display());
    let mut generator = Generator::between(&near, &far)?;
    let tool = Tool::listening(lab, &near, &words)?;
    let step = (options.duration / LOOKS).min(Duration::from_mins(1));
    let looks = options.duration.as_millis() / step.as_millis().max(1);
    let load = Load {
        length: 64,
        rate: Some(RATE),
    };
    let (mut sent, mut memory, mut forks) = (0, Vec::new(), Vec::new());
    for look in 1..=looks {
        sent += with_new_flows(&near, || Ok(generator.send(load, step)?.packets))?;
        // What the kernel maps into it, the rings, is not its own.
        let anonymous = tool.status_value("RssAnon")?;
        memory.push(anonymous);
        forks.push(forked()?);
        let seconds = look * step.as_millis() / 1000;
        writeln!(
            std::io::stdout(),
            "{seconds} s: {sent} packets, {anonymous} KiB"
        )?;
    }
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let counts = ended.counts()?;
    let figures = format!("{sent} sent, {counts:?}, memory {memory:?} KiB");
    ensure!(counts.captured + counts.dropped == sent, "{figures}");
    ensure!(counts.received == sent, "{figures}");
    let growth = growth(&memory).context("too short")?;
    let since = forks.get(forks.len() / WARM_UP).zip(forks.last());
    let processes = since.map_or(0, |(before, after)| after - before);
    let allowed = SLACK_KIB + processes.min(REMEMBERED);
    let figures = format!("{figures}, {processes} processes made on the machine");
    ensure!(growth <= allowed, "memory grows: {figures}");
    Ok(figures)
}

/// Runs `work` while sockets are made that send one packet each; how many packets in all.
fn with_new_flows(netns: &Netns, work: impl FnOnce() -> Result<u64>) -> Result<u64> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            netns.within(|| {
                let mut packets = 0;
                while !over.load(Ordering::SeqCst) {
                    UdpSocket::bind("10.77.0.1:0")?.send_to(b"new", "10.77.0.2:9000")?;
                    packets += 1;
                    thread::sleep(NEW_FLOW);
                }
                Ok(packets)
            })
        });
        let packets = work();
        over.store(true, Ordering::SeqCst);
        let more: Result<u64> = beside.join().expect("the thread returns its error");
        Ok(packets? + more?)
    })
}

/// By how much the later half lies over the earlier one, on average, after the warm-up.
fn growth(memory: &[u64]) -> Option<u64> {
    let steady = memory.get(memory.len() / WARM_UP..)?;
    let (early, late) = steady.split_at(steady.len() / 2);
    let mean = |part: &[u64]| part.iter().sum::<u64>().checked_div(part.len() as u64);
    Some(mean(late)?.saturating_sub(mean(early)?))
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn growth_is_told_from_warming_up() {
        assert_eq!(growth(&[1, 90, 100, 101, 100, 101, 100, 101]), Some(0));
        let grows: Vec<u64> = (0..20).map(|minute| 1000 + 100 * minute).collect();
        assert_eq!(growth(&grows), Some(750));
        assert_eq!(growth(&[5]), None);
    }
}
