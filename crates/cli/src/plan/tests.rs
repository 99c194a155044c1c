//! What flags mean together.

use super::*;
use crate::flags;

fn plan(line: &str) -> Result<Plan> {
    let words = line.split_whitespace().map(OsString::from);
    Plan::new(flags::parse(words).unwrap())
}

fn live(line: &str) -> Live {
    match plan(line).unwrap() {
        Plan::Live(plan) => plan,
        other => panic!("{line}: {other:?}"),
    }
}

fn read(line: &str) -> Read {
    match plan(line).unwrap() {
        Plan::Read(plan) => plan,
        other => panic!("{line}: {other:?}"),
    }
}

fn refuse(line: &str, expected: &str) {
    assert_eq!(plan(line).unwrap_err().to_string(), expected, "{line}");
}

#[test]
fn defaults_are_those_of_tcpdump() {
    let live = live("");
    assert!(
        live.interfaces == Where::default() && live.command.is_empty() && live.owners.is_empty()
    );
    assert_eq!(live.snaplen, 262_144);
    assert_eq!(live.direction, Way::InOut);
    assert!(!live.owners.follow_forks && !live.foreign_numeric);
    assert_eq!(live.output.print, Some(Style::default()));
    assert_eq!(live.output.write, None);
}

#[test]
fn what_is_printed_and_written() {
    assert!(read("-r x -w y").output.print.is_none());
    assert!(read("-r x -w y --print").output.print.is_some());
    assert!(read("-r x --count").output.print.is_none());
    assert!(read("-r x --count --print").output.print.is_none());
    assert!(read("-r x --count --print -w y").output.print.is_some());
    let format = |line: &str| read(line).output.write.unwrap().format;
    assert_eq!(format("-r x -w y.pcap"), Format::Pcap);
    assert_eq!(format("-r x -w y.PCAP"), Format::Pcap);
    assert_eq!(format("-r x -w y.pcapng"), Format::Pcapng);
    assert_eq!(format("-r x -w y"), Format::Pcapng);
    assert_eq!(format("-r x -w -"), Format::Pcapng);
}

#[test]
fn one_dump_of_many() {
    let dump = |line: &str| live(line).output.print.unwrap().dump;
    assert_eq!(dump("-A"), Dump::Ascii);
    assert_eq!(dump("-AA -x"), Dump::Hex);
    assert_eq!(dump("-Axx"), Dump::HexLink);
    assert_eq!(dump("-XxxAA"), Dump::HexAscii);
    assert_eq!(dump("-XXX"), Dump::HexAsciiLink);
}

#[test]
fn f_has_two_meanings() {
    assert!(live("-f").foreign_numeric);
    for line in ["-f --pid 1", "-f -- true", "--follow-forks --pid 1"] {
        let live = live(line);
        assert!(live.owners.follow_forks && !live.foreign_numeric, "{line}");
    }
    assert!(read("-r x -f --pname sh").owners.follow_forks);
    refuse("-r x -f", "-f can not be used with -r");
}

#[test]
fn what_cannot_be_done_is_refused() {
    refuse("--uid no:body", "unknown user no:body");
}

#[test]
fn the_filter_is_all_words_or_a_file() {
    let words = |text: &str| Expression::Words(text.to_owned());
    let filter = |line: &str| read(line).filter.expression;
    assert_eq!(filter("-r x tcp port -n 80"), words("tcp port 80"));
    assert_eq!(filter("-r x ip -- and tcp"), words("ip and tcp"));
    assert_eq!(filter("-r x ip -F f"), Expression::File("f".into()));
    assert_eq!(live("ip -- true").filter.expression, words("ip"));
    let words = |text| live(text).filter.expression;
    assert_eq!(words(""), Expression::Words(String::new()));
    assert_eq!(words("ip"), Expression::Words("ip".into()));
    assert!(read("-Or x").filter.no_optimize);
    let metadata = read("-r x -Q pid=5").filter.metadata.unwrap();
    assert_eq!(metadata.text, "pid=5");
}

#[test]
fn programs_are_shown_for_what_is_named() {
    let program = |line: &str| match plan(line).unwrap() {
        Plan::Program(plan) => (plan.form, plan.from),
        other => panic!("{line}: {other:?}"),
    };
    let none = ProgramFor::LinkType(None);
    assert_eq!(program("-d ip"), (ProgramForm::Listing, none.clone()));
    assert_eq!(program("-dd -- ip"), (ProgramForm::CArray, none.clone()));
    assert_eq!(program("-dddd ip"), (ProgramForm::Numbers, none));
    assert_eq!(
        program("-d -y raw").1,
        ProgramFor::LinkType(Some(LinkType::RAW))
    );
    assert_eq!(
        program("-d -r x -y raw -i lo").1,
        ProgramFor::File("x".into())
    );
    let lo = Where {
        words: vec!["lo".to_owned()],
        netns: Vec::new(),
    };
    let device = ProgramFor::Device(lo, Some(LinkType::RAW));
    assert_eq!(program("-d -y raw -i lo").1, device);
}

#[test]
fn texts_and_lists_come_before_all_else() {
    assert!(matches!(plan("tcp -h").unwrap(), Plan::Show(Show::Usage)));
    assert!(matches!(plan("-r x -D tcp").unwrap(), Plan::Devices(..)));
    assert!(matches!(plan("-L -d").unwrap(), Plan::LinkTypes(_)));
    assert!(matches!(plan("-L -r x").unwrap(), Plan::Read(_)));
}
