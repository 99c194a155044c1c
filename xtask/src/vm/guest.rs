//! Running a guest, and what it says.

use std::time::{Duration, Instant};

use super::image::Image;
use super::{Kernel, reasons};
use crate::shell;

/// What a guest said.
#[derive(Clone, Debug)]
pub struct Report {
    pub kernel: Kernel,
    /// As uname(1) names the kernel.
    pub version: String,
    /// How the cases ended.
    pub cases: Vec<Case>,
    /// What the tool says of this kernel when it starts.
    pub said: Vec<String>,
    /// What `pktwho doctor` finds there.
    pub offers: Vec<Offer>,
    /// The last lines of one that did not come to its end.
    pub last: Vec<String>,
    /// Whether the runner came to its end.
    ended: bool,
    pub seconds: u64,
}

/// One thing that the kernel has or lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    pub what: String,
    pub works: bool,
    /// How it works, or why it does not; may be empty.
    pub word: String,
    /// What is lost without it.
    pub lost: String,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    pub ending: Ending,
    /// Why it failed or was skipped.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Passed,
    Failed,
    Skipped,
}

impl Report {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            version: String::new(),
            cases: Vec::new(),
            said: Vec::new(),
            offers: Vec::new(),
            last: Vec::new(),
            ended: false,
            seconds: 0,
        }
    }

    pub fn ended(&self) -> bool {
        self.ended
    }

    pub fn count(&self, ending: Ending) -> usize {
        self.cases
            .iter()
            .filter(|case| case.ending == ending)
            .count()
    }

    /// Everything that could be tried passed, but for what is known and explained.
    pub fn good(&self) -> bool {
        let failed = self.cases.iter().filter(|c| c.ending == Ending::Failed);
        let explained = |case: &Case| reasons::why(self.kernel.name, &case.name).is_some();
        self.ended && self.count(Ending::Passed) > 0 && failed.clone().all(explained)
    }

    /// Takes in a line of the guest's.
    pub fn line(&mut self, line: &str) {
        if let Some(case) = case(line) {
            self.cases.push(case);
        } else if let Some(kernel) = line.strip_prefix("GUEST_KERNEL ") {
            let version = kernel.split(' ').next().unwrap_or_default();
            version.clone_into(&mut self.version);
        } else if let Some(said) = line.strip_prefix("GUEST_SAYS ") {
            self.said.push(said.to_owned());
        } else if let Some(has) = line.strip_prefix("GUEST_HAS ") {
            self.offer(has);
        } else if line.starts_with("GUEST_EXIT=") {
            self.ended = true;
        }
        if self.last.len() > 20 {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
    }

    /// Takes in a line of the doctor's.
    fn offer(&mut self, line: &str) {
        if let Some(lost) = line.trim_start().strip_prefix("lost: ") {
            if let Some(offer) = self.offers.last_mut() {
                lost.clone_into(&mut offer.lost);
            }
        } else if let Some((mark @ ("ok" | "NO"), rest)) = line.split_once("  ") {
            let (what, word) = rest.split_once(": ").unwrap_or((rest, ""));
            self.offers.push(Offer {
                what: what.to_owned(),
                works: mark == "ok",
                word: word.to_owned(),
                lost: String::new(),
            });
        }
    }
}

/// A line that tells how a case ended: `ok NAME (1.2 s): …`, `FAILED NAME (1.2 s): why`,
/// `skipped NAME: why`. Names may hold spaces.
fn case(line: &str) -> Option<Case> {
    let endings = [
        ("ok ", Ending::Passed),
        ("FAILED ", Ending::Failed),
        ("skipped ", Ending::Skipped),
    ];
    let mut endings = endings.into_iter();
    let (rest, ending) = endings.find_map(|(word, e)| Some((line.strip_prefix(word)?, e)))?;
    let (name, reason) = match (rest.split_once(" ("), ending) {
        // What was measured is another figure each time.
        (Some((name, _)), Ending::Passed) => (name, ""),
        (Some((name, rest)), Ending::Failed) => {
            (name, rest.split_once("s)").map_or("", |(_, reason)| reason))
        }
        _ => rest.split_once(": ").unwrap_or((rest, "")),
    };
    name.contains('/').then(|| Case {
        name: name.to_owned(),
        ending,
        reason: reason.trim_start_matches(':').trim().to_owned(),
    })
}

/// Boots the image and waits until the guest is through, but not longer than this. `shown`: what
/// it says is passed on.
///
/// # Errors
/// The emulator cannot be run.
pub fn run(image: &Image, longest: Duration, shown: bool) -> Result<Report, String> {
    let (program, machine, console): (_, &[&str], _) = if image.of.arch == "x86_64" {
        ("qemu-system-x86_64", &["-M", "q35", "-cpu", "max"], "ttyS0")
    } else {
        (
            "qemu-system-aarch64",
            &["-M", "virt", "-cpu", "cortex-a57"],
            "ttyAMA0",
        )
    };
    // An emulated timer may be late when this machine is busy.
    let words = format!("console={console} quiet panic=-1 mitigations=off no_timer_check");
    let longest = longest.as_secs().to_string();
    let mut command = shell::command("timeout", &["--foreground", &longest, program]);
    command
        .args(machine)
        .args(["-accel", "tcg,thread=multi", "-smp", "2", "-m", "1536M"])
        .args([
            "-display",
            "none",
            "-nodefaults",
            "-no-reboot",
            "-serial",
            "stdio",
        ])
        .arg("-kernel")
        .arg(&image.kernel)
        .arg("-initrd")
        .arg(&image.initramfs)
        .args(["-append", &words]);
    let began = Instant::now();
    let mut report = Report::new(image.of);
    shell::run_shown(command, false, |line| {
        report.line(line.trim_end());
        shown.then(|| line.to_owned()).into_iter().collect()
    })?;
    report.seconds = began.elapsed().as_secs();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_says() {
        let mut report = Report::new(super::super::KERNELS[0]);
        for line in [
            "GUEST_KERNEL 6.1.0 x86_64 3.2",
            "GUEST_SAYS pktwho: no tcx here",
            "ok life/first (0.3 s)",
            "ok owners/tcp-new (0.3 s): 30 packets",
            "skipped owners/mptcp: this kernel has none",
            "ok tls/openssl client 1.2 (3.1 s)",
            "GUEST_HAS ok  traffic control: tcx",
            "GUEST_HAS NO  wheels: stolen (twice)",
            "GUEST_HAS       lost: no rolling",
            "ok then",
        ] {
            report.line(line);
        }
        assert!(!report.good());
        report.line("GUEST_EXIT=0");
        assert!(report.good());
        assert_eq!(report.version, "6.1.0");
        assert_eq!(report.said, ["pktwho: no tcx here"]);
        let names: Vec<&str> = report.cases.iter().map(|case| case.name.as_str()).collect();
        let all = [
            "life/first",
            "owners/tcp-new",
            "owners/mptcp",
            "tls/openssl client 1.2",
        ];
        assert_eq!(names, all);
        let [control, wheels] = &report.offers[..] else {
            panic!("{:?}", report.offers);
        };
        assert!(control.works && control.word == "tcx");
        assert!(!wheels.works && wheels.what == "wheels" && wheels.lost == "no rolling");
        report.line("FAILED filter/vlan (1.0 s): nothing came");
        assert!(!report.good());
        assert_eq!(report.cases[4].reason, "nothing came");
    }
}
