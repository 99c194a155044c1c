//! Many containers of a runtime, and what `--require-match` does: with runtimes that only answer.

use anyhow::{Context as _, Result, ensure};

use super::Outcome;
use crate::containers::fake::{Crowd, Manner, addresses, service};
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::tool::Tool;

/// How many there are.
const MANY: usize = 500;
const LACKING: &str = "no cgroup2 hierarchy is mounted";

/// Of five hundred containers, and one more that starts later, those that are named are taken,
/// each packet with its name.
pub fn hundreds(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let Some(mut crowd) = Crowd::new(lab, &netns, MANY)? else {
        return Ok(Outcome::Skipped(LACKING.into()));
    };
    let once = |port: u16| {
        let puppet = lab.puppet.display();
        // It stays, so that it is in its container as long as anybody asks.
        format!("{puppet} once udp 127.0.0.1 {port}; exec sleep 1000000")
    };
    let wanted = crowd.add(&netns, "old", &once(9001))?;
    let other = crowd.add(&netns, "unwanted", &once(9002))?;
    let words = format!(
        "-i lo -n -l --container-name old,new {} udp",
        addresses(Some(&crowd.socket), None)
    );
    let tool = Tool::listening(lab, &netns, &words)?;
    crowd.go(other)?;
    crowd.go(wanted)?;
    let later = crowd.add(&netns, "new", &once(9003))?;
    crowd.go(later)?;
    let said = || String::from_utf8_lossy(&tool.output()).into_owned();
    until("both are shown", PATIENCE, || {
        let text = said();
        let both = [".9001:", ".9003:"].iter().all(|port| text.contains(port));
        Ok(both.then_some(()))
    })
    .with_context(said)?;
    let ended = tool.stop()?;
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    for (port, name) in [(9001, "old"), (9003, "new")] {
        let mut lines = text.lines();
        let line = lines.find(|line| line.contains(&format!(".{port}:")));
        let shown = format!("Container [{name}");
        ensure!(
            line.is_some_and(|line| line.contains(&shown)),
            "{name}: {text}"
        );
    }
    let counts = ended.counts()?;
    ensure!(
        counts.captured == 2 && counts.dropped == 0,
        "{counts:?}: {text}"
    );
    Ok(Outcome::Passed)
}

/// Nothing that runs matches: it fails, and without the flag says so and waits.
pub fn require_match(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let Some(crowd) = Crowd::new(lab, &netns, 3)? else {
        return Ok(Outcome::Skipped(LACKING.into()));
    };
    let why = "no container or pod that runs matches";
    let silent = service(lab, Manner::Silent)?;
    let start = |more: &str, docker| {
        let sockets = addresses(Some(docker), None);
        Tool::start(lab, &netns, &format!("-i lo -n {sockets} {more}"))
    };
    for (more, docker) in [
        ("--container-name nobody", &crowd.socket),
        ("--pod-name c1", &crowd.socket),
        ("--container-id ffffffffffff", &crowd.socket),
        // Nobody can say that it is c1.
        ("--container-name c1", &silent),
    ] {
        let ended = start(&format!("--require-match {more}"), docker)?.wait()?;
        ended.expect_status(1).context(more)?;
        ensure!(
            ended.stderr.contains(&format!("pktwho: {why}")),
            "{}",
            ended.stderr
        );
        let mut tool = start(more, docker)?;
        tool.until_said(&format!("{why}: waiting for one that does"))?;
        tool.stop()?.expect_status(0)?;
    }
    for more in ["--container-name c1", "--container-id 000000000000"] {
        let mut tool = start(&format!("--require-match {more}"), &crowd.socket)?;
        tool.ready().context(more)?;
        let ended = tool.stop()?;
        ended.expect_status(0)?;
        ensure!(!ended.stderr.contains(why), "{more}: {}", ended.stderr);
    }
    Ok(Outcome::Passed)
}
