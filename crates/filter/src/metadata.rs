//! Apple's metadata expressions, `-Q 'proc=ssh and dir=out'`, as the same tree.
//!
//! Comparisons `KEY = VALUE` and `KEY != VALUE`, joined by `and`, `or`, `not`, `&&`, `||`, `!`
//! and parentheses. Keys: `if`, `proc`, `eproc`, `pid`, `epid`, `svc`, `dir`, `flowid`, `dlt`.
//! What is not known of a packet is an empty name, or process -1.
//!
//! Where we differ on purpose: `and` binds tighter than `or` on both sides (Apple's takes all
//! that follows as its right side), what stands behind an expression is refused, values may begin
//! with a keyword, and may hold more characters.
//!
//! Source: tcpdump(1) of macOS, and what it does.

use crate::error::{Error, Reason};
use crate::tree::{End, Expr, Glob, OwnerIs, OwnerTerm, Span, Term, Tree};

const MAX_NESTING: u32 = 200;

/// Reads a metadata expression.
///
/// # Errors
/// It is none.
pub fn parse_metadata(text: &str) -> Result<Tree, Error> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let root = parser.any_of()?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return parser.refuse(parser.at);
    }
    Ok(Tree { root: Some(root) })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

impl<'t> Parser<'t> {
    fn any_of(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.all_of()?];
        while self.eat("||") || self.eat_word("or") {
            parts.push(self.all_of()?);
        }
        Ok(balanced(parts, Expr::Or))
    }

    fn all_of(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.one()?];
        while self.eat("&&") || self.eat_word("and") {
            parts.push(self.one()?);
        }
        Ok(balanced(parts, Expr::And))
    }

    fn one(&mut self) -> Result<Expr, Error> {
        if self.depth == MAX_NESTING {
            let end = Span {
                start: self.at,
                end: self.at,
            };
            return Err(Error::new(Reason::TooDeep, end));
        }
        self.depth += 1;
        let expr = if self.eat("!") || self.eat_word("not") {
            not(self.one()?)
        } else if self.eat("(") {
            let inner = self.any_of()?;
            if !self.eat(")") {
                return self.refuse(self.at);
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn comparison(&mut self) -> Result<Expr, Error> {
        self.skip_blanks();
        let start = self.at;
        let key = self.take_while(|c| c.is_ascii_lowercase());
        let differs = self.eat("!=");
        if !(differs || self.eat("=")) {
            return self.refuse(start);
        }
        self.skip_blanks();
        let value_at = self.at;
        let value = self.value()?;
        let Some(condition) = condition(key, value) else {
            let unknown_key = !KEYS.contains(&key);
            return self.refuse(if unknown_key { start } else { value_at });
        };
        let span = Span {
            start,
            end: self.at,
        };
        let term = |end, is| Expr::Term(Term::Owner(OwnerTerm { end, is }), span);
        let expr = match condition {
            Condition::Is(end, is) => term(end, is),
            Condition::Unknown(end) => not(term(end, OwnerIs::Name(anything()))),
        };
        Ok(if differs { not(expr) } else { expr })
    }

    fn value(&mut self) -> Result<&'t str, Error> {
        for quote in ['\'', '"'] {
            let start = self.at;
            if self.rest().starts_with(quote) {
                self.at += 1;
                let value = self.take_while(|c| c != quote);
                if !self.rest().starts_with(quote) {
                    return self.refuse(start);
                }
                self.at += 1;
                return Ok(value);
            }
        }
        let start = self.at;
        let value = self.take_while(|c| {
            !(c.is_whitespace() || matches!(c, '(' | ')' | '\'' | '"' | '=' | '!' | '&' | '|'))
        });
        if value.is_empty() {
            return self.refuse(start);
        }
        Ok(value)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn eat(&mut self, symbol: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let after = self.rest().strip_prefix(word);
        let found = after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        if found {
            self.at += word.len();
        }
        found
    }

    fn refuse<T>(&self, start: usize) -> Result<T, Error> {
        let rest = self.text.get(start..).unwrap_or_default();
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let end = start + word;
        let reason = Reason::InvalidExpression(self.text.to_owned());
        Err(Error::new(reason, Span { start, end }))
    }
}

const KEYS: &[&str] = &[
    "if", "proc", "eproc", "pid", "epid", "svc", "dir", "flowid", "dlt",
];

enum Condition {
    Is(End, OwnerIs),
    /// No process is known at this end.
    Unknown(End),
}

/// What a key and a value ask for; `None` when there is no such key, or no such value of it.
fn condition(key: &str, value: &str) -> Option<Condition> {
    use Condition::{Is, Unknown};
    let name = |end| match value {
        "" => Unknown(end),
        _ => Is(end, OwnerIs::Name(Glob::exactly(value.as_bytes()))),
    };
    let pid = |end| match value {
        "-1" => Some(Unknown(end)),
        _ => Some(Is(end, OwnerIs::Pid(number(value)?))),
    };
    match key {
        "proc" => Some(name(End::Own)),
        "eproc" => Some(name(End::Other)),
        "pid" => pid(End::Own),
        "epid" => pid(End::Other),
        "if" => Some(Is(End::Either, OwnerIs::Device(device(value)))),
        "svc" => Some(Is(End::Either, OwnerIs::ServiceClass(value.to_owned()))),
        "dir" => Some(Is(End::Either, OwnerIs::Direction(value.to_owned()))),
        "flowid" => Some(Is(End::Either, OwnerIs::FlowId(number(value)?))),
        "dlt" => Some(Is(End::Either, OwnerIs::Dlt(dlt(value)?))),
        _ => None,
    }
}

/// Names that end in a digit are whole, others begin a name: `en` is any of `en0`, `en5`.
fn device(name: &str) -> Glob {
    let mut glob = Glob::exactly(name.as_bytes());
    if name.ends_with(|c: char| !c.is_ascii_digit()) {
        glob.pieces.push(Vec::new());
    }
    glob
}

fn anything() -> Glob {
    Glob {
        pieces: vec![Vec::new(), Vec::new()],
    }
}

/// Darwin's number of a link type.
fn dlt(text: &str) -> Option<u32> {
    match text {
        "NULL" => Some(0),
        "EN10MB" | "ether" => Some(1),
        "PPP" => Some(9),
        "RAW" => Some(12),
        _ => number(text),
    }
}

/// As strtoul(3) with base 0.
fn number(text: &str) -> Option<u32> {
    match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => u32::from_str_radix(text.get(2..)?, 16).ok(),
        [b'0', _, ..] => u32::from_str_radix(text.get(1..)?, 8).ok(),
        _ => text.parse().ok(),
    }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// Joins neighbours until one is left, so that long lists make no high tree. Parts are never none.
fn balanced(mut parts: Vec<Expr>, join: fn(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => join(Box::new(left), Box::new(right)),
                None => left,
            });
        }
        parts = joined;
    }
    parts.swap_remove(0)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{
        Confidence, Direction, Iface, LinkType, Owner, Packet, Process, ProcessId, Reception,
        ThreadName, Timestamp,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::machine::Facts;

    fn holds(expr: &Expr, packet: &Packet<'_>) -> bool {
        match expr {
            Expr::And(left, right) => holds(left, packet) && holds(right, packet),
            Expr::Or(left, right) => holds(left, packet) || holds(right, packet),
            Expr::Not(inner) => !holds(inner, packet),
            Expr::Term(Term::Owner(term), _) => Facts::owner(packet, term),
            Expr::Term(other, _) => panic!("{other:?}"),
        }
    }

    /// Whether `text` holds for a packet that ssh (5) sends over en0, and for one of nobody.
    fn check(text: &str, of_ssh: bool, of_nobody: bool) {
        let root = parse_metadata(text).unwrap().root.unwrap();
        let process = Process {
            id: ProcessId { pid: 5, start: 0 },
            name: b"ssh".to_vec(),
            ..Process::default()
        };
        let owner = Owner {
            process: &process,
            parent: None,
            tid: 0,
            thread: ThreadName::default(),
            uid: None,
            confidence: Confidence::Exact,
        };
        let iface = Iface {
            name: "en0".to_owned(),
            link_type: LinkType(101),
            ..Iface::default()
        };
        let nobody = Packet {
            time: Timestamp::default(),
            iface: &iface,
            data: &[],
            orig_len: 0,
            direction: Direction::Unknown,
            reception: Reception::Unspecified,
            sender: None,
            receiver: None,
        };
        let ssh = Packet {
            direction: Direction::Out,
            sender: Some(owner),
            ..nobody
        };
        assert_eq!(holds(&root, &ssh), of_ssh, "{text}");
        assert_eq!(holds(&root, &nobody), of_nobody, "{text}");
    }

    #[test]
    fn comparisons() {
        check("proc=ssh", true, false);
        check("proc != ssh", false, true);
        check("proc = 'ssh'", true, false);
        check("proc=\"\"", false, true);
        check("proc=''", false, true);
        check("eproc=''", true, true);
        check("pid=0x5", true, false);
        check("pid=-1", false, true);
        check("pid!=5", false, true);
        check("epid=5", false, false);
        check("dir=OUT", true, false);
        check("dir=''", false, true);
        check("if=en", true, true);
        check("if=en0", true, true);
        check("if=en01", false, false);
        check("if=e", true, true);
        check("dlt=RAW and dlt=12", true, true);
        check("dlt=ether", false, false);
        check("proc=ss*", false, false);
    }

    #[test]
    fn operators() {
        check(
            "( if=en0 and proc =ssh ) || (if != en0 and dir=in)",
            true,
            false,
        );
        check("proc=x or proc=ssh and dir=out", true, false);
        check("dir=in and proc=ssh or pid=5", true, false);
        check("!proc=ssh", false, true);
        check("not (proc=x||proc=y)&&! dir=in", true, true);
        check("proc=notifyd or proc=or or proc=android", false, false);
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "proc",
            "proc=",
            "=x",
            "proc=a b",
            "proc=a and",
            "(proc=a",
            "proc='a",
            "foo=a",
            "pid=x",
            "flowid=",
            "PROC=a",
            "proc==a",
            "dlt=foo",
            "pid=99999999999",
            "in",
            "proc=a or",
        ] {
            let error = parse_metadata(text).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid expression \"{text}\""));
        }
        let deep = "(".repeat(100_000);
        assert!(parse_metadata(&deep).is_err());
        let long = "proc=a or ".repeat(100_000) + "proc=b";
        assert!(parse_metadata(&long).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_gives_a_tree_or_a_place_in_the_text(text in "[a-z=!()'\"& |0-9é]{0,40}") {
            if let Err(error) = parse_metadata(&text) {
                let span = error.span.unwrap_or_default();
                prop_assert!(text.get(span.start..span.end).is_some());
                error.caret(&text);
            }
        }
    }
}
