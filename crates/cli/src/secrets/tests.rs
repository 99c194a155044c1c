//! Whose secrets are taken, and which flags go together.

use std::ffi::OsString;

use pktwho_packet::ProcessId;
use pktwho_tls::Label;

use super::*;
use crate::flags;
use crate::plan::Plan;

#[test]
fn flags_that_go_together() {
    let check = |line: &str, expected: Result<(), &str>| {
        let words = line.split_whitespace().map(OsString::from);
        let plan = Plan::new(flags::parse(words).unwrap());
        let got = plan.map(drop).map_err(|error| error.to_string());
        assert_eq!(got, expected.map_err(str::to_owned), "{line}");
    };
    let stored = "TLS secrets are stored in pcapng files: name one with -w (not *.pcap)";
    check("--write-keylog-file k", Ok(()));
    check(
        "-w x --write-keylog-file k --embed-keylog-to-pcapng",
        Ok(()),
    );
    check("-w x.pcapng --embed-keylog-from k", Ok(()));
    check("-r y -w x.pcapng --embed-keylog-from k", Ok(()));
    check("-r y --write-keylog-file k", Ok(()));
    check("--embed-keylog-to-pcapng", Err(stored));
    check("-w x.pcap --embed-keylog-from k", Err(stored));
    check(
        "-r y -w x --embed-keylog-to-pcapng",
        Err("a file that is read has no processes: secrets come with --embed-keylog-from"),
    );
    check("--keylog-only --write-keylog-file k", Ok(()));
    check(
        "--keylog-only",
        Err("--keylog-only needs --write-keylog-file"),
    );
    check(
        "--keylog-only --write-keylog-file k -w x",
        Err("--keylog-only takes no packets: it goes with neither -r nor -w"),
    );
}

#[test]
fn secrets_of_the_processes_that_are_named() {
    let found = FoundSecret {
        secret: Secret::new(Label::ClientRandom, [1; 32], &[1; 48]).unwrap(),
        process: ProcessId { pid: 7, start: 1 },
        cgroup: 1,
        tid: 8,
        uid: 1000,
        name: b"python3".to_vec(),
        exe: b"python3.11".to_vec(),
        ancestors: vec![5, 1],
    };
    let check = |owners: OwnerFilter, follow, expected| {
        let got = is_wanted(&owners, follow, &found);
        assert_eq!(got, expected, "{owners:?} {follow}");
    };
    let pids = |pids: &[u32]| OwnerFilter {
        pids: pids.to_vec(),
        ..OwnerFilter::default()
    };
    let named = |name: &str| OwnerFilter {
        names: vec![name.into()],
        uids: vec![0, 1000],
        ..OwnerFilter::default()
    };
    check(OwnerFilter::default(), false, true);
    check(pids(&[3, 7]), false, true);
    check(pids(&[8]), false, false);
    check(pids(&[5]), false, false);
    check(pids(&[5]), true, true);
    check(pids(&[6]), true, false);
    check(named("python3"), false, true);
    check(named("python3.11"), false, true);
    check(named("python"), false, false);
}

#[test]
fn a_block_holds_the_lines() {
    assert!(block(&[]).is_none());
    let secret = Secret::new(Label::ExporterSecret, [2; 32], &[3; 32]).unwrap();
    let kept = block(std::slice::from_ref(&secret)).unwrap();
    let text = kept.block().tls_secrets().unwrap().to_vec();
    assert_eq!(text, format!("{secret}\n").into_bytes());
}
