use super::*;
use crate::tree::{OwnerIs, OwnerTerm};
use proptest::prelude::*;

/// A tree in few words: terms as they are written in Rust, without what says nothing.
fn show(expr: &Expr) -> String {
    match expr {
        Expr::And(left, right) => format!("({} & {})", show(left), show(right)),
        Expr::Or(left, right) => format!("({} | {})", show(left), show(right)),
        Expr::Not(inner) => format!("!{}", show(inner)),
        Expr::Term(term, _) => show_term(term),
    }
}

fn show_term(term: &Term) -> String {
    match term {
        Term::Value(qualifiers, value) => {
            let protocol = qualifiers.protocol.map(|p| format!("{p:?} "));
            let direction = qualifiers.direction.map(|d| format!("{d:?} "));
            let kind = qualifiers.kind.map(|k| format!("{k:?} "));
            let words = [protocol, direction, kind].map(Option::unwrap_or_default);
            format!("{}{value:?}", words.concat())
        }
        Term::Relation {
            relation,
            left,
            right,
        } => format!("{} {relation:?} {}", show_arith(left), show_arith(right)),
        Term::Owner(OwnerTerm { end, is }) => format!("{end:?} {}", show_owner(is)),
        term => format!("{term:?}"),
    }
}

fn show_arith(arith: &Arith) -> String {
    match arith {
        Arith::Number(number, _) => number.to_string(),
        Arith::Length(_) => "len".to_owned(),
        Arith::Load {
            protocol,
            offset,
            size,
            ..
        } => format!("{protocol:?}[{}:{size}]", show_arith(offset)),
        Arith::Binary {
            operator,
            left,
            right,
            ..
        } => format!("({} {operator:?} {})", show_arith(left), show_arith(right)),
        Arith::Negate(inner, _) => format!("-{}", show_arith(inner)),
    }
}

fn show_owner(is: &OwnerIs) -> String {
    let text = format!("{is:?}");
    // Pieces of text are shown as numbers; back to letters.
    text.split_inclusive(']')
        .map(|part| match part.rsplit_once('[') {
            Some((before, numbers)) => {
                let bytes = numbers.trim_end_matches(']').split(", ");
                let bytes: Vec<u8> = bytes.filter_map(|n| n.parse().ok()).collect();
                format!("{before}{:?}", String::from_utf8_lossy(&bytes))
            }
            None => part.to_owned(),
        })
        .collect()
}

fn check(text: &str, expected: &str) {
    let tree = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let shown = tree.root.as_ref().map_or_else(String::new, show);
    assert_eq!(shown, expected, "{text}");
}

fn check_error(text: &str, message: &str, meant: &str) {
    let error = parse(text).expect_err(text);
    assert_eq!(error.to_string(), message, "{text}");
    let span = error.span.unwrap_or_default();
    assert_eq!(text.get(span.start..span.end), Some(meant), "{text}");
}

const SYNTAX: &str = "can't parse filter expression: syntax error";
const NOTHING: &str = "syntax error in filter expression";

#[test]
fn qualifiers_and_values() {
    check("", "");
    check(" \t\n", "");
    check("tcp", "Protocol(Tcp)");
    check("tcp port 80", "Tcp Port Number(80)");
    check("src or dst host a.b", "SrcOrDst Host Name(\"a.b\")");
    check("dst and src 0x10", "SrcAndDst Number(16)");
    check(
        "wlan addr2 1:2:3:4:5:6",
        "Link Addr2 Ether([1, 2, 3, 4, 5, 6])",
    );
    check("ip proto \\tcp", "Ip Proto Name(\"tcp\")");
    check("net 10.0/16", "Net DottedPrefix(\"10.0\", 16)");
    check(
        "net 10.0 mask 255.255",
        "Net DottedMask(\"10.0\", \"255.255\")",
    );
    check("ip6 net fe80::/0xa", "Ip6 Net Ipv6Prefix(\"fe80::\", 10)");
    check("link host $1f", "Link Host Arcnet(31)");
    check("portrange 1-2", "PortRange Name(\"1-2\")");
    check("port tcp-syn", "Port Number(2)");
    check_error("host", SYNTAX, "");
    check_error("src gateway a", SYNTAX, "gateway");
    check_error("tcp tcp port 80", SYNTAX, "tcp");
    check_error("port tcp", SYNTAX, "tcp");
    check_error("net 10/8", SYNTAX, "/");
    check_error("1.2.3.4", SYNTAX, "1.2.3.4");
    check_error("host a,b", SYNTAX, ",");
}

#[test]
fn operators_have_one_precedence() {
    check(
        "tcp or udp and ip",
        "((Protocol(Tcp) | Protocol(Udp)) & Protocol(Ip))",
    );
    check("not tcp and udp", "(!Protocol(Tcp) & Protocol(Udp))");
    check(
        "!!tcp||(udp&&ip)",
        "(!!Protocol(Tcp) | (Protocol(Udp) & Protocol(Ip)))",
    );
    check(
        "tcp or udp or ip or arp or rarp",
        "(((Protocol(Tcp) | Protocol(Udp)) | (Protocol(Ip) | Protocol(Arp))) | Protocol(Rarp))",
    );
    check_error("tcp and", SYNTAX, "");
    check_error("tcp udp", SYNTAX, "udp");
    check_error("(tcp", SYNTAX, "");
    check_error("()", SYNTAX, ")");
    check_error("tcp & udp", SYNTAX, "&");
}

#[test]
fn values_inherit_qualifiers() {
    let port = |number: u32| format!("Port Number({number})");
    let (p1, p2, p3) = (port(1), port(2), port(3));
    check("port 1 or 2", &format!("({p1} | {p2})"));
    check("port 1 and not 2", &format!("({p1} & !{p2})"));
    check("port not 1", &format!("!{p1}"));
    check(
        "port (1 or (2 and not 3))",
        &format!("({p1} | ({p2} & !{p3}))"),
    );
    check("port ((1) or 2)", &format!("({p1} | {p2})"));
    check("port 1 or ((2) or 3)", &format!("({p1} | ({p2} | {p3}))"));
    check("not port 1 or 2", &format!("(!{p1} | {p2})"));
    check(
        "port 1 and (tcp) and 2",
        &format!("(({p1} & Protocol(Tcp)) & {p2})"),
    );
    check(
        "port 1 or (not 2 or 3)",
        &format!("({p1} | (!{p2} | {p3}))"),
    );
    check_error("(port 1) or 2", NOTHING, "2");
    check_error("tcp and a", NOTHING, "a");
    check_error("port 1 and tcp and 2", NOTHING, "2");
    check_error("port 1 or 2 3", SYNTAX, "3");
    check_error("port ((1 or 2) or 3)", SYNTAX, "or");
    check_error("port 1 or (2 or port 3)", SYNTAX, "port");
    check_error("not 1.2.3.4", SYNTAX, "1.2.3.4");
}

#[test]
fn tokens_are_as_long_as_can_be() {
    check(
        "ether host 1234.5678.9012",
        "Link Host Ether([18, 52, 86, 120, 144, 18])",
    );
    check(
        "ether host 123456789012",
        "Link Host Ether([18, 52, 86, 120, 144, 18])",
    );
    check(
        "ether host a-b-c-d-e-F",
        "Link Host Ether([10, 11, 12, 13, 14, 15])",
    );
    check("host 1-2-3-4-5-6-7", "Host Name(\"1-2-3-4-5-6-7\")");
    check("host 1.2.3.4.5", "Host Name(\"1.2.3.4.5\")");
    check("host 0x1.2", "Host Dotted(\"0x1.2\")");
    check("host ::", "Host Ipv6(\"::\")");
    check("host 1:2:3:4:5:6:7::", "Host Ipv6(\"1:2:3:4:5:6:7::\")");
    check(
        "host 1:2:3:4:5:6:1.2.3.4",
        "Host Ipv6(\"1:2:3:4:5:6:1.2.3.4\")",
    );
    check("host aa:bb:cc::", "Host Ipv6(\"aa:bb:cc::\")");
    check("host \\host", "Host Name(\"host\")");
    check("host es-is-es", "Host Name(\"es-is-es\")");
    let bogus = |text: &str| format!("bogus ethernet address {text}");
    check_error("host 1:2:3", &bogus("1:2:"), "1:2:");
    check_error("host 1::2::3", &bogus("1::2::"), "1::2::");
    check_error(
        "host ::1.2.3.256",
        "invalid IPv6 address ::1.2.3.256",
        "::1.2.3.256",
    );
    check_error("host 12345::1", SYNTAX, "::1");
    check_error(
        "host 1::2:3:4:5:6:7:8",
        &bogus("1::2:3:4:5:6:7:"),
        "1::2:3:4:5:6:7:",
    );
    check_error("len=10-5", SYNTAX, "10-5");
    check_error("host $x", SYNTAX, "$");
    check_error("host \\", SYNTAX, "\\");
    check_error("port é", SYNTAX, "é");
}

#[test]
fn numbers_are_as_in_c() {
    check("len = 0x1F", "len Equal 31");
    check("len = 017", "len Equal 15");
    check("len = 4294967295", "len Equal 4294967295");
    check("len = 0037777777777", "len Equal 4294967295");
    let cases = [
        ("08", "number 08 contains non-octal digit"),
        (
            "0040000000000",
            "octal number 0040000000000 overflows 32 bits",
        ),
        (
            "0x100000000",
            "hexadecimal number 0x100000000 overflows 32 bits",
        ),
        ("4294967296", "decimal number 4294967296 overflows 32 bits"),
    ];
    for (number, message) in cases {
        check_error(&format!("less {number}"), message, number);
    }
}

#[test]
fn arithmetic() {
    check("len = 1 + 2 * 3", "len Equal (1 Add (2 Mul 3))");
    check("10 - 5 - 2 < len", "((10 Sub 5) Sub 2) Less len");
    check(
        "len = 5 | 6 & 3 << 1",
        "len Equal (5 Or (6 And (3 ShiftLeft 1)))",
    );
    check(
        "len = 10 * 7 % 4 - 3",
        "len Equal (10 Mul (7 Mod (4 Sub 3)))",
    );
    check("len = 100 % 7 + 4", "len Equal (100 Mod (7 Add 4))");
    check("len = - 5 % 3 + 1", "len Equal -(5 Mod (3 Add 1))");
    check("len = - 1 + 5", "len Equal (-1 Add 5)");
    check("((len + 3) = (5))", "(len Add 3) Equal 5");
    check("(80) = len", "80 Equal len");
    check(
        "port 80 or (443) + 1 = len",
        "(Port Number(80) | (443 Add 1) Equal len)",
    );
    check(
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
        "(Tcp[13:1] And (2 Or 1)) NotEqual 0",
    );
    check("ip[ip[0]:2] = 1", "Ip[Ip[0:1]:2] Equal 1");
    check(
        "not ip[0]&1=1 and tcp",
        "(!(Ip[0:1] And 1) Equal 1 & Protocol(Tcp))",
    );
    check_error("ip[0:3] = 1", "data size must be 1, 2, or 4", "3");
    check_error("ip[0]", SYNTAX, "");
    check_error("len = 1 = 2", SYNTAX, "=");
    check_error("(ip)[0] = 1", SYNTAX, "[");
    check_error("tcp + 5 = 5", SYNTAX, "+");
}

#[test]
fn words_with_a_syntax_of_their_own() {
    check("ip broadcast", "Broadcast(Some(Ip))");
    check("less 5 or greater 6", "(Less(5) | Greater(6))");
    check("byte 1 & 2", "Byte { index: 1, relation: And, value: 2 }");
    check("vlan ((5)) and vlan", "(Vlan(Some(5)) & Vlan(None))");
    check("llc rnr", "Llc(Some(Word(\"rnr\")))");
    check(
        "type mgt subtype 0x10",
        "WlanType { kind: Word(\"mgt\"), subtype: Some(Number(16)) }",
    );
    check("on eth0", "Pf(Interface(\"eth0\"))");
    let values =
        "[FieldValue { relation: Equal, number: 1 }, FieldValue { relation: Equal, number: 2 }]";
    check("sio (1 or 2)", &format!("MtpField(Sio, {values})"));
    check(
        "vci >= 3",
        "AtmField(Vci, [FieldValue { relation: GreaterEqual, number: 3 }])",
    );
    check_error("byte 1 <= 2", SYNTAX, "<=");
    check_error("vlan any", SYNTAX, "any");
    check_error("ether llc", SYNTAX, "llc");
    check_error("less (3)", SYNTAX, "(");
    check_error("wlan subtype 0", SYNTAX, "0");
    check_error("vpi ((1))", SYNTAX, "(");
}

#[test]
fn owners() {
    let name = |name: &str| format!("Either Name(Glob {{ pieces: [{name:?}] }})");
    let (curl, wget) = (name("curl"), name("wget"));
    check("proc curl", &curl);
    check("proc curl or wget", &format!("({curl} | {wget})"));
    check(
        "proc (curl or not wget) and tcp",
        &format!("(({curl} | !{wget}) & Protocol(Tcp))"),
    );
    check("proc not curl", &format!("!{curl}"));
    check(
        "proc curl and (wget or tcp)",
        &format!("({curl} & ({wget} | Protocol(Tcp)))").replace('|', "|"),
    );
    check(
        "proc \"a (b)\" or 'c'",
        &format!("({} | {})", name("a (b)"), name("c")),
    );
    check(
        "proc \\and or \\proc",
        &format!("({} | {})", name("and"), name("proc")),
    );
    check(
        "proc tcp or \\tcp",
        &format!("({} | {})", name("tcp"), name("tcp")),
    );
    check(
        "exe /bin/* or /x/\\*",
        "(Either Exe(Glob { pieces: [\"/bin/\", \"\"] }) | Either Exe(Glob { pieces: [\"/x/*\"] }))",
    );
    check(
        "pid 1 or 2 or 3 < len",
        "((Either Pid(1) | Either Pid(2)) | 3 Less len)",
    );
    check("sender uid root", "Sender User(\"root\")");
    check(
        "receiver or sender uid 7 or 8",
        "(Either Uid(7) | Either Uid(8))",
    );
    check(
        "sender and receiver pid 7",
        "(Sender Pid(7) & Receiver Pid(7))",
    );
    check(
        "host proc or dev",
        "(Host Name(\"proc\") | Host Name(\"dev\"))",
    );
    check(
        "host a or pid 5 or 6",
        "((Host Name(\"a\") | Either Pid(5)) | Either Pid(6))",
    );
    check(
        "netns /run/netns/x or 1.2",
        "(Either Netns(\"/run/netns/x\") | Either Netns(\"1.2\"))",
    );
    let pod = "Either Pod { name: Glob { pieces: [\"web\"] }, namespace: Some(Glob { pieces: [\"shop\"] }) }";
    check("pod web.shop or shop/web", &format!("({pod} | {pod})"));
    check(
        "label app=*",
        "Either Label { key: \"app\", value: Some(Glob { pieces: [\"\", \"\"] }) }",
    );
    check("label app", "Either Label { key: \"app\", value: None }");
    check_error("proc", "'proc' needs a value", "proc");
    check_error("tcp and sender pid", NOTHING, "sender");
    check_error("pid 1x", "'1x' is not a number", "1x");
    check_error("sender dev eth0", SYNTAX, "eth0");
    check_error("proc \"curl", SYNTAX, "\"curl");
    check_error("proc curl wget", SYNTAX, "wget");
}

#[test]
fn what_is_too_deep_is_refused_in_time() {
    let deep = |open: &str, inner: &str, close: &str| {
        let text = open.repeat(100_000) + inner + &close.repeat(100_000);
        assert!(parse(&text).is_err(), "{open}");
    };
    deep("(", "tcp", ")");
    deep("not ", "tcp", "");
    deep("port (", "80", ")");
    deep("port not ", "80", "");
    deep("proc (", "a", ")");
    deep("proc not ", "a", "");
    deep("ip[", "0", "]");
    deep("- ", "1", " = 1");
    deep("vlan (", "0", ")");
    deep("1 % ", "1", " = 1");
    deep("1 + ", "1", " = 1");
    deep("(len + ", "1", ") = 1");
    deep("tcp and udp or ", "tcp", "");
    let long = "host 1.2.3.4 or ".repeat(100_000) + "host 5.6.7.8";
    assert!(parse(&long).is_ok());
}

const WORDS: &[&str] = &[
    "tcp",
    "ip",
    "ether",
    "host",
    "port",
    "src",
    "dst",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    ":",
    "80",
    "1.2.3.4",
    "fe80::",
    "1:2:3:4:5:6",
    "$1",
    "/",
    "mask",
    "-",
    "+",
    "%",
    "=",
    "<",
    "len",
    "vlan",
    "type",
    "proc",
    "pid",
    "sender",
    "receiver",
    "\"",
    "'",
    "\\",
    "*",
    "a",
    "é",
    "sio",
    "llc",
    "byte",
    "label",
    "0x",
    "09",
    "::",
    "\n",
];

proptest! {
    #[test]
    fn any_text_gives_a_tree_or_a_place_in_the_text(text in ".{0,60}") {
        sound(&text)?;
    }

    #[test]
    fn any_words_give_a_tree_or_a_place_in_the_text(
        words in proptest::collection::vec((proptest::sample::select(WORDS), "( )?"), 0..40)
    ) {
        let text: String = words.into_iter().flat_map(|(word, blank)| [word.to_owned(), blank]).collect();
        sound(&text)?;
    }
}

fn sound(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = parse(text) {
        if let Some(span) = error.span {
            prop_assert!(text.get(span.start..span.end).is_some(), "{:?}", span);
        }
        error.caret(text);
    }
    Ok(())
}

/// The examples in the documentation are expressions.
#[test]
fn documented_examples_are_taken() {
    let text = include_str!("../../../../docs/filter.md");
    let indented = text.lines().filter_map(|line| line.strip_prefix("    "));
    let row = |line: &'static str| {
        let example = line.strip_prefix("| `")?.strip_suffix("` |")?;
        example.rsplit_once(" | `").map(|(_, example)| example)
    };
    let examples: Vec<&str> = indented.chain(text.lines().filter_map(row)).collect();
    assert!(examples.len() > 15, "{examples:?}");
    for example in examples {
        parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
    }
}
