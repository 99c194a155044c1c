//! Cases that are known to fail on some kernel, each with the reason. Everything else that fails
//! is a fault.

use super::guest::{Case, Ending, Report};

/// Part of the names of cases, the kernels, why.
type Reason = (&'static str, &'static [&'static str], &'static str);

const REASONS: &[Reason] = &[
    ("owners/tcp-old", &["5.10"], BEFORE),
    ("select/pid", &["5.10"], BEFORE),
    ("owners/udp-old", &["5.10"], BEFORE),
    ("owners/fork-old", &["5.10"], BEFORE),
    ("owners/bound-to-device-old", &["5.10"], BEFORE),
    ("owners/ping-old", &["5.10"], BEFORE),
    ("owners/raw-protocol-old", &["5.10"], BEFORE),
    ("filter/owners", &["5.10"], BEFORE),
    ("netns/chosen", &["5.10"], BEFORE),
    (
        "owners/bound-to-device",
        BEFORE_TCX,
        "what an IPv6 listener answers passes no hook of the cgroup's: the far end of one bound to a device is empty until it has sent",
    ),
    (
        "owners/packet-socket",
        &["5.10"],
        "nothing that looks at packets may ask who is current: who sends on packet sockets is not known",
    ),
    ("owners/mptcp", &["5.10"], UNSEEN),
    (
        "owners/mptcp",
        &["6.1-arm64"],
        "nobody sees who receives by multipath TCP: the owner is who used the connection last, as far as that is seen, marked as a guess",
    ),
    ("owners/fork-reads", &["5.10"], UNSEEN),
    ("owners/fork-greets", &["5.10"], UNSEEN),
    ("owners/fork-corked", &["5.10"], UNSEEN),
    (
        "owners/fork-corked",
        &["6.1-arm64"],
        "nobody sees who writes what leaves later: its sender is who used the connection last, marked as a guess",
    ),
    ("owners/passed", &["5.10"], UNSEEN),
    ("owners/nat-handed-over", &["5.10"], UNSEEN),
    ("owners/io-uring-inherited", &["5.10"], UNSEEN),
    ("owners/sendfile-inherited", &["5.10"], UNSEEN),
    ("owners/inherited-udp", &["5.10"], UNSEEN),
    ("owners/processes-10000", &["5.10"], UNSEEN),
    ("filter/handed-over", &["5.10"], UNSEEN),
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
        "owners/nat-",
        &["5.10"],
        "no program may ask the connection tracking: ends behind a translation stay empty",
    ),
];

/// Those that are right or not by chance.
const RACES: &[Reason] = &[(
    "owners/io-uring-inherited",
    &["6.1-arm64"],
    "nobody sees every receive: what acknowledges it later is of who used the connection last, as far as that is seen, marked as a guess",
)];

const BEFORE: &str = "no program may look into the sockets that were open before the capture: their owners stay empty";
const BEFORE_TCX: &[&str] = &["5.10", "6.1", "6.1-arm64"];

const UNSEEN: &str =
    "nobody sees who uses a socket: its owner is who made or accepted it, marked as a guess";

/// Why a case fails on a kernel, as far as it is known.
pub fn why(kernel: &str, case: &str) -> Option<&'static str> {
    let mut known = REASONS.iter().chain(RACES);
    let found = known.find(|(part, kernels, _)| case.contains(part) && kernels.contains(&kernel));
    found.map(|(.., why)| *why)
}

/// Why this case has failed, as far as it is known. No reason excuses a wrong name.
pub fn of(kernel: &str, case: &Case) -> Option<&'static str> {
    let reason = &case.reason;
    let is_wrong = reason.contains(" ends are wrong") && !reason.contains(" 0 ends are wrong");
    why(kernel, &case.name).filter(|_| !is_wrong)
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
    fn a_wrong_name_has_no_reason() {
        let (part, kernels, _) = REASONS[0];
        let failed = |wrong: u32| Case {
            name: part.to_owned(),
            ending: Ending::Failed,
            reason: format!("IPv4: of 36 packets {wrong} ends are wrong, 3 empty, 0 missing"),
        };
        assert!(of(kernels[0], &failed(0)).is_some());
        assert!(of(kernels[0], &failed(20)).is_none());
    }

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
