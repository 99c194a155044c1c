//! Running a guest, and what it says.

use std::time::Instant;

use super::Kernel;
use super::image::Image;
use crate::musl::Arch;
use crate::shell;

/// How long a guest may take, in seconds.
const LONGEST: &str = "1500";

/// What a guest said.
pub struct Report {
    pub kernel: Kernel,
    /// As uname(1) names the kernel.
    pub version: String,
    /// How the cases ended.
    pub cases: Vec<Case>,
    /// What the tool says of this kernel when it starts.
    pub said: Vec<String>,
    /// The last lines of one that did not come to its end.
    pub last: Vec<String>,
    /// Whether the runner came to its end.
    ended: bool,
    pub seconds: u64,
}

/// One case.
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
    pub fn count(&self, ending: Ending) -> usize {
        self.cases
            .iter()
            .filter(|case| case.ending == ending)
            .count()
    }

    pub fn good(&self) -> bool {
        self.ended && self.count(Ending::Passed) > 0 && self.count(Ending::Failed) == 0
    }

    /// Takes in a line of the guest's.
    fn line(&mut self, line: &str) {
        let case = |rest: &str, ending| {
            let (name, reason) = rest.split_once([' ', ':'])?;
            Some(Case {
                name: name.to_owned(),
                ending,
                reason: reason.trim().to_owned(),
            })
        };
        let passed = line
            .strip_prefix("ok ")
            .and_then(|rest| case(rest, Ending::Passed));
        let failed = line
            .strip_prefix("FAILED ")
            .and_then(|rest| case(rest, Ending::Failed));
        let skipped = line
            .strip_prefix("skipped ")
            .and_then(|rest| case(rest, Ending::Skipped));
        self.cases.extend(passed.or(failed).or(skipped));
        if let Some(kernel) = line.strip_prefix("GUEST_KERNEL ") {
            kernel
                .split(' ')
                .next()
                .unwrap_or_default()
                .clone_into(&mut self.version);
        } else if let Some(said) = line.strip_prefix("GUEST_SAYS ") {
            self.said.push(said.to_owned());
        } else if line.starts_with("GUEST_EXIT=") {
            self.ended = true;
        }
        if self.last.len() > 20 {
            self.last.remove(0);
        }
        self.last.push(line.to_owned());
    }
}

/// Boots the image and waits until the guest is through.
///
/// # Errors
/// The emulator cannot be run.
pub fn run(kernel: Kernel, arch: Arch, image: &Image) -> Result<Report, String> {
    let (program, machine, console): (_, &[&str], _) = if arch.name == "x86_64" {
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
    let mut command = shell::command("timeout", &["--foreground", LONGEST, program]);
    command
        .args(machine)
        .args(["-accel", "tcg,thread=multi", "-smp", "2", "-m", "1G"])
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
    let mut report = Report {
        kernel,
        version: String::new(),
        cases: Vec::new(),
        said: Vec::new(),
        last: Vec::new(),
        ended: false,
        seconds: 0,
    };
    shell::run_lines(&mut command, |line| report.line(line.trim_end()))?;
    report.seconds = began.elapsed().as_secs();
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_says() {
        let mut report = Report {
            kernel: super::super::KERNELS[0],
            version: String::new(),
            cases: Vec::new(),
            said: Vec::new(),
            last: Vec::new(),
            ended: false,
            seconds: 0,
        };
        for line in [
            "GUEST_KERNEL 6.1.0 x86_64 3.2",
            "GUEST_SAYS pktwho: no tcx here",
            "ok life/first (0.3 s)",
            "ok owners/tcp-new (0.3 s): 30 packets",
            "skipped owners/mptcp: this kernel has none",
        ] {
            report.line(line);
        }
        assert!(!report.good());
        report.line("GUEST_EXIT=0");
        assert!(report.good());
        assert_eq!(report.version, "6.1.0");
        assert_eq!(report.said, ["pktwho: no tcx here"]);
        let names: Vec<&str> = report.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["life/first", "owners/tcp-new", "owners/mptcp"]);
        report.line("FAILED filter/vlan (1.0 s): nothing came");
        assert!(!report.good());
        assert_eq!(report.cases[3].reason, "(1.0 s): nothing came");
    }
}
