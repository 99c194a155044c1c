//! Which of the programs that keep owners a kernel takes: no weaker ones than it needs.

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::lab::Lab;
use crate::netns::Netns;
use crate::tool::Tool;

/// What the tool says where a kernel refuses a program for anything but what it lacks.
const REFUSES: &str = "this kernel refuses a program";
/// The first kernel that lacks nothing.
const WHOLE: (u32, u32) = (6, 3);

/// On no kernel a program is refused for another reason than what the kernel lacks: neither for a
/// plain capture nor with all that a filter about owners adds.
pub fn none_refused(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    netns.ip("link set lo up")?;
    let doctor = doctor(lab, &netns)?;
    let refused = doctor.lines().find(|it| it.contains("refuses the program"));
    ensure!(refused.is_none(), "doctor says {refused:?}");
    let ping = "-- ping -c 1 127.0.0.1";
    for words in [
        "-i lo".to_owned(),
        "-i any --netns any --pname ping".to_owned(),
        "-i lo -f --pname ping icmp and sender proc ping or receiver proc ping".to_owned(),
        "-i lo --container-name nobody".to_owned(),
    ] {
        let ended = Tool::start(lab, &netns, &format!("-n -w /dev/null {words} {ping}"))?.wait()?;
        ensure!(
            ended.stderr.contains("packets captured"),
            "{words}: {}",
            ended.stderr
        );
        ensure!(!ended.stderr.contains(REFUSES), "{words}: {}", ended.stderr);
    }
    Ok(Outcome::Passed)
}

/// A kernel that lacks nothing takes the best programs.
pub fn best(lab: &Lab) -> Result<Outcome> {
    let release = nix::sys::utsname::uname()?
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release.split(['.', '-']).map(str::parse::<u32>);
    let mut number = || {
        numbers
            .next()
            .and_then(Result::ok)
            .with_context(|| release.clone())
    };
    if (number()?, number()?) < WHOLE {
        let (major, minor) = WHOLE;
        let why = format!("Linux {release} lacks some of it, {major}.{minor} would not");
        return Ok(Outcome::Skipped(why));
    }
    let netns = Netns::new()?;
    let doctor = doctor(lab, &netns)?;
    for line in [
        "ok  current process at packets",
        "ok  uses of sockets",
        "ok  hook sock_recv_length",
        "ok  hook inet_sock_set_state",
        "ok  hook existing_sockets",
        "ok  connection tracking",
    ] {
        let thing = line.trim_start_matches("ok  ");
        let found = doctor.lines().find(|it| it.contains(thing));
        ensure!(found == Some(line), "doctor says {found:?} of {thing}");
    }
    Ok(Outcome::Passed)
}

fn doctor(lab: &Lab, netns: &Netns) -> Result<String> {
    let ended = Tool::start(lab, netns, "doctor")?.wait()?;
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}
