//! Running a guest, and what it says.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::image::Image;
use super::{Kernel, reasons};
use crate::shell;

/// Of a dying kernel's lines the one that says of what.
const FATAL: &[&str] = &[
    "Kernel panic",
    "BUG: ",
    "Internal error",
    "Unable to handle",
];

/// What a guest said, or those that went on where it broke off.
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
    /// The last lines of one that is under way.
    last: Vec<String>,
    /// The case that is being played.
    begun: Option<String>,
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
            begun: None,
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
        let explained = |case: &Case| reasons::of(self.kernel.name, case).is_some();
        self.ended && self.count(Ending::Passed) > 0 && failed.clone().all(explained)
    }

    /// Takes in a line of the guest's.
    pub fn line(&mut self, line: &str) {
        if let Some(case) = case(line) {
            self.begun = None;
            self.cases.push(case);
        } else if let Some(name) = line.strip_prefix("begins ") {
            self.begun = Some(name.to_owned());
        } else if let Some(kernel) = line.strip_prefix("GUEST_KERNEL ") {
            let version = kernel.split(' ').next().unwrap_or_default();
            version.clone_into(&mut self.version);
        } else if let Some(said) = line.strip_prefix("GUEST_SAYS ") {
            self.said.push(said.to_owned());
        } else if let Some(has) = line.strip_prefix("GUEST_HAS ") {
            self.offer(has);
        } else if let Some(status) = line.strip_prefix("GUEST_EXIT=") {
            // Any other: the runner itself did not come to its end.
            self.ended = matches!(status, "0" | "1");
        }
        if self.last.len() > 20 {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
    }

    /// The guest is gone. What it broke off in has failed; its last lines, when it broke off.
    fn gone(&mut self) -> Vec<String> {
        if self.ended {
            return Vec::new();
        }
        let last = std::mem::take(&mut self.last);
        let fatal = |line: &&String| FATAL.iter().any(|word| line.contains(word));
        let word = last.iter().find(fatal).or(last.last());
        let word = word.map_or("", String::as_str);
        let place = self.begun.take();
        let title = format!(
            "{}: the guest broke off {}; its last lines:",
            self.kernel.name,
            place
                .as_deref()
                .map_or("between cases".to_owned(), |name| format!("in {name}"))
        );
        self.cases.extend(place.map(|name| Case {
            name,
            ending: Ending::Failed,
            reason: format!("the guest broke off: {word}"),
        }));
        let lines = last.into_iter().map(|line| format!("    {line}"));
        std::iter::once(title).chain(lines).collect()
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

/// Boots the image and waits until the guest is through, but not longer than this. One that breaks
/// off in a case is shown with its last lines, and a fresh one goes on with the next case.
/// `shown`: all that they say is passed on.
///
/// # Errors
/// The emulator cannot be run.
pub fn run(image: &Image, longest: Duration, shown: bool) -> Result<Report, String> {
    let began = Instant::now();
    let mut report = Report::new(image.of);
    loop {
        let played = report.cases.len();
        boot(image, longest, shown, &mut report)?;
        shell::put(&report.gone());
        if report.ended() || report.cases.len() == played {
            break;
        }
    }
    report.seconds = began.elapsed().as_secs();
    Ok(report)
}

/// One guest, from the first case on that has not been played.
fn boot(image: &Image, longest: Duration, shown: bool, report: &mut Report) -> Result<(), String> {
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
    let mut words = format!("console={console} quiet panic=-1 mitigations=off no_timer_check");
    if !shown || !report.cases.is_empty() {
        // What the kernel does not know goes into the environment of the first process. It then does not say
        // what it offers: nobody asks, or one before it has said so.
        let _ = write!(words, " E2E_FROM={}", report.cases.len());
    }
    let longest = longest.as_secs().to_string();
    let mut command = shell::command("timeout", &["--foreground", &longest, program]);
    command
        .args(machine)
        // Its processors in one thread: with a thread each, a kernel of 7.3 once died of an instruction that
        // another of them was changing. It is as fast, but for a tenth.
        .args(["-accel", "tcg,thread=single", "-smp", "2", "-m", "3G"])
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
        .args(["-append", &words])
        // Else it would set up the terminal, and another guest beside it too.
        .stdin(Stdio::null());
    shell::run_shown(command, false, |line| {
        report.line(line.trim_end());
        shown.then(|| line.to_owned()).into_iter().collect()
    })?;
    Ok(())
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

    #[test]
    fn a_guest_that_breaks_off_is_gone_on_with() {
        let mut report = Report::new(super::super::KERNELS[0]);
        let lines = |report: &mut Report, lines: &[&str]| {
            for line in lines {
                report.line(line);
            }
        };
        lines(
            &mut report,
            &[
                "begins life/first",
                "ok life/first (0.3 s)",
                "begins faults/suspended",
                "[  12.0] Kernel panic - not syncing: of boredom",
                "[  12.1] Call trace:",
            ],
        );
        let said = report.gone();
        assert!(
            said[0].contains("broke off in faults/suspended"),
            "{said:?}"
        );
        assert_eq!(said.len(), 6);
        let [_, case] = &report.cases[..] else {
            panic!("{:?}", report.cases);
        };
        assert_eq!(
            (case.name.as_str(), case.ending),
            ("faults/suspended", Ending::Failed)
        );
        assert!(case.reason.contains("of boredom"), "{}", case.reason);
        assert!(!report.ended());
        // Before a case there is none that has failed.
        lines(&mut report, &["Out of memory"]);
        report.line("GUEST_EXIT=137");
        assert!(report.gone()[0].contains("between cases"));
        assert_eq!(report.cases.len(), 2);
        lines(
            &mut report,
            &[
                "begins owners/tcp-new",
                "ok owners/tcp-new (2.0 s): 30 packets",
                "GUEST_EXIT=0",
            ],
        );
        assert!(report.gone().is_empty());
        assert!(report.ended() && !report.good());
    }
}
