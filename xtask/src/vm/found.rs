//! What was found on each kernel: a file for each in `docs/kernels`, in the words of the guests,
//! from which the page is made.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::guest::{Case, Ending, Report};
use super::{KERNELS, Kernel};
use crate::shell;

/// Keeps what a guest that came to its end has said.
///
/// # Errors
/// The file cannot be written.
pub fn keep(report: &Report) -> Result<(), String> {
    let file = file(report.kernel);
    let text = text(report);
    fs::create_dir_all(file.parent().unwrap_or(&file))
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// What was found on all kernels, in the order of [`KERNELS`]; those never tried are left out.
pub fn all() -> Vec<Report> {
    let read = |kernel: &Kernel| {
        let text = fs::read_to_string(file(*kernel)).ok()?;
        Some(parse(*kernel, &text))
    };
    KERNELS.iter().filter_map(read).collect()
}

/// The cases of a kernel; none when it was never tried.
pub fn cases(kernel: Kernel) -> Vec<Case> {
    let found = all().into_iter();
    let mut of_it = found.filter(|report| report.kernel.name == kernel.name);
    of_it.next().map_or_else(Vec::new, |report| report.cases)
}

fn file(kernel: Kernel) -> PathBuf {
    shell::root().join(format!("docs/kernels/{}.txt", kernel.name))
}

/// Lines as the guest's, without times and counts, which are other ones each time.
fn text(report: &Report) -> String {
    let mut text = format!("GUEST_KERNEL {} {}\n", report.version, report.kernel.arch);
    for said in &report.said {
        let _ = writeln!(text, "GUEST_SAYS {said}");
    }
    for offer in &report.offers {
        let mark = if offer.works { "ok" } else { "NO" };
        let colon = if offer.word.is_empty() { "" } else { ": " };
        let _ = writeln!(
            text,
            "GUEST_HAS {mark}  {}{colon}{}",
            offer.what, offer.word
        );
        if !offer.lost.is_empty() {
            let _ = writeln!(text, "GUEST_HAS       lost: {}", offer.lost);
        }
    }
    for case in &report.cases {
        let (name, reason) = (&case.name, &case.reason);
        let _ = match case.ending {
            Ending::Passed => writeln!(text, "ok {name}"),
            Ending::Failed => writeln!(text, "FAILED {name} (s): {reason}"),
            Ending::Skipped => writeln!(text, "skipped {name}: {reason}"),
        };
    }
    text + "GUEST_EXIT=0\n"
}

fn parse(kernel: Kernel, text: &str) -> Report {
    let mut report = Report::new(kernel);
    for line in text.lines() {
        report.line(line);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_as_it_was_said() {
        let mut report = Report::new(KERNELS[0]);
        for line in [
            "GUEST_KERNEL 5.10.0-1-cloud-amd64 x86_64 4.1",
            "GUEST_SAYS pktwho: less",
            "GUEST_HAS ok  packet sockets",
            "GUEST_HAS NO  wheels: stolen",
            "GUEST_HAS       lost: no rolling",
            "ok owners/tcp-new (3.0 s): 30 packets",
            "ok tls/openssl client 1.2 (3.0 s): 5 5",
            "FAILED owners/gre (1.0 s): nothing (of anything)",
            "skipped owners/mptcp: this kernel has none",
            "GUEST_EXIT=1",
        ] {
            report.line(line);
        }
        let again = parse(KERNELS[0], &text(&report));
        assert_eq!(again.version, report.version);
        assert_eq!(again.said, report.said);
        assert_eq!(again.offers, report.offers);
        assert_eq!(again.cases, report.cases);
        assert!(again.ended() && again.cases.len() == 4);
    }
}
