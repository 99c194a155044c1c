//! Cases that are known to fail on some kernel, each with the reason. Everything else that fails
//! is a fault.

use super::guest::{Ending, Report};

/// Part of the names of cases, the kernels, why.
type Reason = (&'static str, &'static [&'static str], &'static str);

const REASONS: &[Reason] = &[
    ("owners/tcp-old", &["5.10"], BEFORE),
    ("select/pid", &["5.10"], BEFORE),
    (
        "owners/gre",
        &["5.10"],
        "what comes in on a GRE device has the tunnel's own header before it, and nobody is found for it",
    ),
    (
        "tls/",
        &["5.10"],
        "a uprobe's program cannot be told where in a library it stands (cookies: Linux 5.15)",
    ),
    (
        "owners/nat-masquerade",
        &["5.10"],
        "no program may ask the connection tracking: ends behind a translation stay empty",
    ),
];

const BEFORE: &str = "no program may look into the sockets that were open before the capture: their owners stay empty";
/// Why a case fails on a kernel, as far as it is known.
pub fn why(kernel: &str, case: &str) -> Option<&'static str> {
    let mut known = REASONS.iter();
    let found = known.find(|(part, kernels, _)| case.contains(part) && kernels.contains(&kernel));
    found.map(|(.., why)| *why)
}

/// Reasons that this run has shown to be none: the cases were tried, and none of them failed.
pub fn unneeded(report: &Report) -> Vec<&'static str> {
    let is_refuted = |(part, kernels, _): &&Reason| {
        let cases = report.cases.iter().filter(|case| case.name.contains(part));
        let mut tried = cases.filter(|case| case.ending != Ending::Skipped);
        let mut failed = tried.clone().filter(|case| case.ending == Ending::Failed);
        kernels.contains(&report.kernel.name) && tried.next().is_some() && failed.next().is_none()
    };
    let refuted = REASONS.iter().filter(is_refuted);
    refuted.map(|(part, ..)| *part).collect()
}

#[cfg(test)]
mod tests {
    use super::super::KERNELS;
    use super::*;

    #[test]
    fn a_reason_that_nothing_needs_is_named() {
        let (part, kernels, _) = REASONS[0];
        let kernel = KERNELS.iter().find(|kernel| kernel.name == kernels[0]);
        let unneeded = |lines: &[String]| {
            let mut report = Report::new(*kernel.unwrap());
            for line in lines {
                report.line(line);
            }
            unneeded(&report)
        };
        let passed = format!("ok {part} (1.0 s)");
        let failed = format!("FAILED {part} again (1.0 s): nothing came");
        assert!(unneeded(&[format!("skipped {part}: no root")]).is_empty());
        assert!(unneeded(&[passed.clone(), failed]).is_empty());
        assert_eq!(unneeded(&[passed]), [part]);
    }
}
