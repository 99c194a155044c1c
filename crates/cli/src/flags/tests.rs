//! Rules that every entry of the table keeps, and the values that flags take.

use std::collections::BTreeSet;

use super::*;
use pktwho_filter::tree::{Glob, OwnerIs};

use crate::args::{Backend, Contexts, SNAPLEN_MAX, Show, Way};

fn args(line: &str) -> Result<Args, Refusal> {
    parse(line.split(' ').map(OsString::from))
}

/// `line` is refused for a value, with this text.
fn refuse(line: &str, expected: &str) {
    let refusal = args(line).unwrap_err();
    assert_eq!(refusal, Refusal::Value(expected.to_owned()), "{line}");
}

#[test]
fn entries_are_whole_and_names_unique() {
    let mut names = BTreeSet::new();
    for flag in TABLE.iter().copied().flatten() {
        assert!(flag.short.is_some() || flag.long.is_some(), "{flag:?}");
        assert!(
            flag.short.is_none_or(|c| c.is_ascii_graphic() && c != '-'),
            "{flag:?}"
        );
        assert!(
            !flag.help.is_empty() && !flag.help.ends_with('.'),
            "{flag:?}"
        );
        assert!(flag.man.is_empty() || flag.man.ends_with('.'), "{flag:?}");
        let long = flag.long.map(str::to_owned);
        for name in long.into_iter().chain(flag.short.map(String::from)) {
            assert!(names.insert(name.clone()), "{name} twice");
        }
    }
    assert_eq!(TABLE.len(), GROUPS.len());
}

#[test]
fn usage_and_help_name_every_flag() {
    let (usage, help) = (usage(), help());
    for flag in TABLE.iter().copied().flatten() {
        let first = flag.help.split(' ').next().unwrap();
        assert!(help.contains(first), "{flag:?}");
        if let Some(long) = flag.long {
            assert!(help.contains(&format!("--{long}")), "{long}");
        }
        match (flag.short, flag.value) {
            (Some(short), Some(value)) => {
                assert!(usage.contains(&format!("[ -{short} {value} ]")));
            }
            (Some(short), None) => {
                let cluster = usage.split(']').next().unwrap();
                assert!(cluster.contains(short), "{short}");
            }
            (None, _) => assert!(usage.contains(&format!("--{}", flag.long.unwrap()))),
        }
    }
    for line in usage.lines().chain(help.lines()) {
        assert!(line.replace('\t', "        ").len() <= 100, "{line}");
    }
}

#[test]
fn every_flag_is_parsed_in_every_spelling() {
    let good = |flag: &Flag| match flag.value {
        Some("in|out|inout") => "in",
        Some("auto|tc|tcx|clsact|af-packet") => "af-packet",
        Some("micro|nano") => "nano",
        Some("auto|always|never") => "never",
        Some("list") => "process",
        Some("datalinktype") => "RAW",
        Some("type") => "domain",
        Some("bash|zsh|fish") => "zsh",
        Some("id") => "0123456789ab",
        Some(_) => "1",
        None => "",
    };
    for flag in TABLE.iter().copied().flatten() {
        let value = good(flag);
        let mut lines = Vec::new();
        if let Some(short) = flag.short {
            lines.push(format!("-{short}{value}"));
        }
        if let Some(long) = flag.long {
            let equals = if flag.value.is_some() { "=" } else { "" };
            lines.push(format!("--{long}{equals}{value}"));
        }
        for line in lines {
            let untouched = format!("{:?}", Args::default());
            let changed = format!("{:?}", args(&line).unwrap());
            // What these ask for is so without them.
            let says_nothing = flag.long == Some("micro");
            assert_eq!(untouched == changed, says_nothing, "{line}");
        }
    }
}

#[test]
fn counts_and_sizes() {
    assert_eq!(args("-c 3").unwrap().limit, Some(3));
    assert_eq!(args("-c +3").unwrap().limit, Some(3));
    for bad in ["0", "-1", "x", "", "3x", "0x2", "99999999999999999999"] {
        refuse(&format!("-c {bad}"), &format!("invalid packet count {bad}"));
    }
    for (typed, bytes) in [("0", SNAPLEN_MAX), ("96", 96), ("0x14", 20), ("010", 8)] {
        assert_eq!(args(&format!("-s {typed}")).unwrap().snaplen, Some(bytes));
    }
    for bad in ["x", "-1", "262145", "20x", "", "0x", "4294967296"] {
        let expected = format!("invalid snaplen {bad} (must be >= 0 and <= 262144)");
        refuse(&format!("-s {bad}"), &expected);
    }
    assert_eq!(args("-B 4096").unwrap().buffer_kib, Some(4096));
    for bad in ["0", "x", "-1", "0x10", "2147483647", "99999999999"] {
        refuse(
            &format!("-B {bad}"),
            &format!("invalid packet buffer size {bad}"),
        );
    }
}

#[test]
fn series_of_files() {
    let size = |text: &str| args(&format!("-C {text}")).unwrap().rotation.size;
    assert_eq!(size("3"), Some(3_000_000));
    for (text, bytes) in [
        ("2k", 2048),
        ("2KB", 2048),
        ("1m", 1 << 20),
        ("1Gb", 1 << 30),
    ] {
        assert_eq!(size(text), Some(bytes));
    }
    for bad in ["0", "-1", "x", "", "1x", "1kk", "k"] {
        refuse(&format!("-C {bad}"), &format!("invalid file size {bad}"));
    }
    let much = "9999999999999";
    refuse(
        &format!("-C {much}"),
        &format!("file size {much} is too large"),
    );
    refuse("-G -1", "invalid number of seconds -1");
    refuse("-W 0", "invalid number of output files 0");
    let rotation = args("-G 5 -W 3").unwrap().rotation;
    assert_eq!((rotation.seconds, rotation.files), (Some(5), Some(3)));
}

#[test]
fn words_that_choose() {
    assert_eq!(args("-Q IN").unwrap().direction, Way::In);
    assert_eq!(args("-Q inout").unwrap().direction, Way::InOut);
    assert!(args("-Q proc=ssh").unwrap().metadata.is_some());
    refuse("-Q pid=x", "invalid expression \"pid=x\"\npid=x\n    ^");
    refuse("-y foo", "invalid data link type foo");
    refuse("-Q foo", "unknown capture direction `foo'");
    refuse("-Q ", "unknown capture direction `'");
    refuse(
        "--time-stamp-precision=NANO",
        "unsupported time stamp precision",
    );
    let last = args("--nano --time-stamp-precision micro").unwrap();
    assert_eq!(last.precision, pktwho_packet::TimestampPrecision::Micro);
    assert_eq!(args("--backend clsact").unwrap().backend, Backend::Clsact);
    refuse("--backend xdp", "unknown backend `xdp'");
    assert_eq!(args("-ttttt").unwrap().times, 5);
    refuse(
        "-tttttt",
        "only -t, -tt, -ttt, -tttt and -ttttt are supported",
    );
}

#[test]
fn owners() {
    assert_eq!(args("--pid 1,22 --pid=3").unwrap().pids, [1, 22, 3]);
    for (bad, said) in [
        ("0", "0"),
        ("x", "x"),
        ("1,,2", "1,,2"),
        ("1,-2", "-2"),
        ("", ""),
    ] {
        refuse(
            &format!("--pid={bad}"),
            &format!("invalid process id {said}"),
        );
    }
    assert_eq!(args("--pname a,b --pname c").unwrap().pnames, ["a,b", "c"]);
    refuse("--pname=", "invalid process name: it is empty");
    assert_eq!(args("--uid root,33").unwrap().uids, ["root", "33"]);
    refuse("--uid=", "invalid user ");
    let user_only = Contexts {
        user: true,
        ..Contexts::NONE
    };
    assert_eq!(args("--context=user").unwrap().contexts, Some(user_only));
    let all = args("--context process,thread,parentproc,user,container,pod").unwrap();
    assert_eq!(all.contexts, Some(Contexts::ALL));
    assert_eq!(args("--context=").unwrap().contexts, Some(Contexts::NONE));
    refuse("--context pods", "unknown context `pods'");
}

#[test]
fn containers_and_pods() {
    let id = |text: &str| OwnerIs::ContainerId(text.into());
    let both = args("--container-id 0123456789AB,00112233445566 --container-name w*").unwrap();
    let name = OwnerIs::Container(Glob::parse("w*"));
    let expected = [id("0123456789ab"), id("00112233445566"), name];
    assert_eq!(both.containers, expected);
    for bad in ["0123456789a", "x123456789ab", ""] {
        refuse(
            &format!("--container-id={bad}"),
            &format!("invalid container id {bad}: at least 12 hexadecimal digits"),
        );
    }
    let pod = OwnerIs::Pod {
        name: Glob::parse("api-*"),
        namespace: Some(Glob::parse("prod")),
    };
    assert_eq!(args("--pod-name api-*.prod").unwrap().pods, [pod]);
}

#[test]
fn the_first_thing_wrong_is_told_and_help_stops() {
    refuse("-c 0 --foo", "invalid packet count 0");
    let usage = Refusal::Usage("unrecognized option '--foo'".to_owned());
    assert_eq!(args("--foo -c 0").unwrap_err(), usage);
    assert_eq!(args("-h --foo").unwrap().show, Some(Show::Usage));
    assert_eq!(args("--help -c 0").unwrap().show, Some(Show::Help));
    assert_eq!(args("-n --version").unwrap().show, Some(Show::Version));
}

#[test]
fn other_words_and_the_command() {
    let typed = args("tcp port 80 -n -- curl -v http://[::1]/").unwrap();
    assert_eq!(typed.expression, ["tcp", "port", "80"]);
    assert_eq!(typed.command, ["curl", "-v", "http://[::1]/"]);
    assert_eq!(typed.no_names, 1);
}
