//! Owner terms: `proc curl`, `receiver uid 0`, `exe "/opt/a b/*"`, `pid (1 or 2)`.
//!
//! Their words are names to pcap-filter(7), so they are words of ours only where a name could
//! not stand, or has something behind it that could be its value: `host proc` and
//! `host a or dev` are about hosts. What stands for an owner is read as it is, up to a blank, a
//! parenthesis, `&&` or `||`; in quotes up to the other one. `*` is any text, `\` takes the
//! next character as it is.

use super::lexer::{Lexer, Token};
use super::{Built, Inherited, Operand, Parser, join, leaf, not};
use crate::error::{Error, Reason};
use crate::tree::{End, Expr, Glob, OwnerIs, OwnerTerm, Span, Term};

/// What owner values stand for.
#[derive(Clone, Copy)]
pub struct Owned {
    kind: OwnerKind,
    /// `None`: both ends.
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnerKind {
    Name,
    Exe,
    Pid,
    Tid,
    User,
    ParentPid,
    ParentName,
    Container,
    Image,
    Pod,
    Namespace,
    Label,
    Service,
    Netns,
    Device,
}

const KINDS: &[(&str, OwnerKind)] = &[
    ("proc", OwnerKind::Name),
    ("exe", OwnerKind::Exe),
    ("pid", OwnerKind::Pid),
    ("tid", OwnerKind::Tid),
    ("uid", OwnerKind::User),
    ("ppid", OwnerKind::ParentPid),
    ("pproc", OwnerKind::ParentName),
    ("container", OwnerKind::Container),
    ("image", OwnerKind::Image),
    ("pod", OwnerKind::Pod),
    ("ns", OwnerKind::Namespace),
    ("label", OwnerKind::Label),
    ("svc", OwnerKind::Service),
    ("netns", OwnerKind::Netns),
    ("dev", OwnerKind::Device),
];

fn kind(word: &str) -> Option<(&'static str, OwnerKind)> {
    KINDS.iter().find(|(name, _)| *name == word).copied()
}

/// A value as it was written.
struct Raw {
    pieces: Vec<Vec<u8>>,
    /// Without quotes.
    written: String,
    /// Without quotes and escapes.
    text: String,
    span: Span,
}

impl<'t> Parser<'t> {
    /// The term that begins with this name, which is the next token; `None` when it is a value.
    pub fn owner_term(&mut self, name: &str, values: bool) -> Result<Option<Operand>, Error> {
        let span = self.peeked.map_or_else(Span::default, |(_, span)| span);
        if span.end - span.start > name.len() {
            // Escaped.
            return Ok(None);
        }
        let after = self.lexer;
        let owned = match name {
            "sender" => ends(after, End::Sender, "receiver"),
            "receiver" => ends(after, End::Receiver, "sender"),
            _ => kind(name).map(|(word, kind)| (word, Owned::either(kind), after)),
        };
        let Some((word, owned, after)) = owned else {
            return Ok(None);
        };
        if value_follows(after) {
            self.go_on_at(after);
        } else if values {
            return Ok(None);
        } else {
            return Err(Error::new(Reason::MissingValue(word), span));
        }
        let about_device = matches!(owned.kind, OwnerKind::Netns | OwnerKind::Device);
        if about_device && owned.end != Some(End::Either) {
            return self.syntax();
        }
        let values = self.owner_values(owned)?;
        let inherited = Inherited::Owner(owned);
        Ok(Some(Operand::Term(values, inherited)))
    }

    /// One value, a negated one, or several in parentheses.
    pub fn owner_values(&mut self, owned: Owned) -> Result<Built<Expr>, Error> {
        let raw_next = self.peeked.is_none() && !matches!(self.raw_start(), Some(b'!' | b'('));
        if raw_next && !self.raw_is("not") {
            return self.owner_value(owned);
        }
        let grouped = self.peek()? == Token::Open;
        self.next()?;
        self.nested(|parser| {
            let first = parser.owner_values(owned)?;
            if !grouped {
                return not(first);
            }
            let list = parser.list(first, Inherited::Owner(owned), true)?;
            parser.expect(Token::Close)?;
            Ok(list)
        })
    }

    /// The value that comes next.
    pub fn owner_value(&mut self, owned: Owned) -> Result<Built<Expr>, Error> {
        let raw = self.raw()?;
        owned.term(&raw)
    }

    /// Whether what comes next is an inherited owner value, not the beginning of a term.
    pub fn owner_value_next(&mut self) -> bool {
        let Some(first) = self.raw_start() else {
            return false;
        };
        if matches!(first, b'(' | b')' | b'!' | b'-') {
            return false;
        }
        let mut after = self.lexer;
        match after.token() {
            // `pid 1 or 2`, but `pid 1 or 2 < len`.
            Ok((Token::Number(_), _)) => !matches!(
                after.token(),
                Ok((
                    Token::Operator(_) | Token::Minus | Token::Slash | Token::Relation(_),
                    _
                ))
            ),
            Ok((Token::Name(name), _)) if first != b'\\' => {
                let term = match name {
                    "sender" => ends(after, End::Sender, "receiver").is_some(),
                    "receiver" => ends(after, End::Receiver, "sender").is_some(),
                    _ => kind(name).is_some() && value_follows(after),
                };
                !term
            }
            Ok((
                Token::Name(_)
                | Token::Dotted(_)
                | Token::Ipv6(_)
                | Token::Ether(_)
                | Token::Slash
                | Token::Operator(_)
                | Token::OpenBracket
                | Token::Arcnet(_),
                _,
            ))
            | Err(_) => true,
            Ok(_) => false,
        }
    }

    /// The first byte that comes next.
    pub fn raw_start(&mut self) -> Option<u8> {
        let mut lexer = self.lexer;
        lexer.skip_blanks();
        lexer.rest().bytes().next()
    }

    fn raw_is(&self, word: &str) -> bool {
        let mut lexer = self.lexer;
        lexer.skip_blanks();
        let rest = lexer.rest();
        rest.get(..raw_length(rest)) == Some(word)
    }

    fn go_on_at(&mut self, lexer: Lexer<'t>) {
        self.peeked = None;
        self.lexer = lexer;
    }

    /// Reads a value.
    fn raw(&mut self) -> Result<Raw, Error> {
        self.lexer.skip_blanks();
        let rest = self.lexer.rest();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let length = match quote {
            Some(quote) => quoted_length(rest, quote),
            None => Some(raw_length(rest)),
        };
        let (text, span) = self.lexer.take(length.unwrap_or(rest.len()));
        self.end = span.end;
        let joiner = quote.is_none() && matches!(text, "and" | "or" | "not" | "");
        if length.is_none() || joiner {
            return Err(Error::new(Reason::Syntax, span));
        }
        let unquoted = quote.and_then(|q| text.strip_prefix(q)?.strip_suffix(q));
        Ok(Raw::new(unquoted.unwrap_or(text), span))
    }
}

impl Owned {
    fn either(kind: OwnerKind) -> Self {
        let end = Some(End::Either);
        Self { kind, end }
    }

    fn term(self, raw: &Raw) -> Result<Built<Expr>, Error> {
        let one = |end| -> Result<_, Error> {
            let is = self.kind.of(raw)?;
            Ok(leaf(Expr::Term(
                Term::Owner(OwnerTerm { end, is }),
                raw.span,
            )))
        };
        match self.end {
            Some(end) => one(end),
            None => join(false, one(End::Sender)?, one(End::Receiver)?),
        }
    }
}

impl Glob {
    /// From text in which `*` stands for any text, and a backslash takes the next character as
    /// it is.
    pub fn parse(text: &str) -> Self {
        Raw::new(text, Span::default()).glob()
    }
}

impl OwnerIs {
    /// What follows `pod`: `NAME`, `NAME.NAMESPACE`, `NAMESPACE/NAME`.
    pub fn parse_pod(text: &str) -> Self {
        Raw::new(text, Span::default()).pod()
    }
}

impl OwnerKind {
    fn of(self, raw: &Raw) -> Result<OwnerIs, Error> {
        let glob = || Glob {
            pieces: raw.pieces.clone(),
        };
        Ok(match self {
            Self::Name => OwnerIs::Name(glob()),
            Self::Exe => OwnerIs::Exe(glob()),
            Self::Pid => OwnerIs::Pid(raw.number()?),
            Self::Tid => OwnerIs::Tid(raw.number()?),
            Self::User => match raw.text.parse() {
                Ok(number) => OwnerIs::Uid(number),
                Err(_) => OwnerIs::User(raw.text.clone()),
            },
            Self::ParentPid => OwnerIs::ParentPid(raw.number()?),
            Self::ParentName => OwnerIs::ParentName(glob()),
            Self::Container => OwnerIs::Container(glob()),
            Self::Image => OwnerIs::Image(glob()),
            Self::Pod => raw.pod(),
            Self::Namespace => OwnerIs::Namespace(glob()),
            Self::Label => raw.label(),
            Self::Service => OwnerIs::Service(glob()),
            Self::Netns => OwnerIs::Netns(raw.text.clone()),
            Self::Device => OwnerIs::Device(glob()),
        })
    }
}

impl Raw {
    fn new(written: &str, span: Span) -> Self {
        let mut pieces = vec![Vec::new()];
        let mut text = String::new();
        let mut chars = written.chars();
        while let Some(c) = chars.next() {
            if c == '*' {
                pieces.push(Vec::new());
                text.push(c);
                continue;
            }
            let c = if c == '\\' {
                chars.next().unwrap_or(c)
            } else {
                c
            };
            text.push(c);
            if let Some(piece) = pieces.last_mut() {
                piece.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        let written = written.to_owned();
        Self {
            pieces,
            written,
            text,
            span,
        }
    }

    fn number(&self) -> Result<u32, Error> {
        let wrong = |_| Error::new(Reason::NotANumber(self.text.clone()), self.span);
        self.text.parse().map_err(wrong)
    }

    /// `NAME`, `NAME.NAMESPACE` (which has no dot), `NAMESPACE/NAME`.
    fn pod(&self) -> OwnerIs {
        let glob = |text: &str| Self::new(text, self.span).glob();
        let written = self.written.as_str();
        let slash = written.split_once('/').map(|(ns, name)| (name, ns));
        let (name, namespace) = match slash.or_else(|| written.rsplit_once('.')) {
            Some((name, namespace)) => (name, Some(namespace)),
            None => (written, None),
        };
        OwnerIs::Pod {
            name: glob(name),
            namespace: namespace.map(glob),
        }
    }

    /// `KEY=VALUE`, or `KEY`: it is there.
    fn label(&self) -> OwnerIs {
        let (key, value) = match self.written.split_once('=') {
            Some((key, value)) => (key, Some(Self::new(value, self.span).glob())),
            None => (self.written.as_str(), None),
        };
        let key = Self::new(key, self.span).text;
        OwnerIs::Label { key, value }
    }

    fn glob(self) -> Glob {
        Glob {
            pieces: self.pieces,
        }
    }
}

/// What follows `sender` or `receiver`: the other one after `or` or `and`, and an owner word.
fn ends<'t>(after: Lexer<'t>, end: End, other: &str) -> Option<(&'static str, Owned, Lexer<'t>)> {
    let mut lexer = after;
    let mut token = lexer.token().ok()?.0;
    let mut end = Some(end);
    if matches!(token, Token::And | Token::Or) {
        end = (token == Token::Or).then_some(End::Either);
        if lexer.token().ok()?.0 != Token::Name(other) {
            return None;
        }
        token = lexer.token().ok()?.0;
    }
    let Token::Name(name) = token else {
        return None;
    };
    let (word, kind) = kind(name)?;
    Some((word, Owned { kind, end }, lexer))
}

/// Whether an owner value could begin here.
fn value_follows(mut lexer: Lexer<'_>) -> bool {
    lexer.skip_blanks();
    let rest = lexer.rest();
    let joined = rest.starts_with("&&") || rest.starts_with("||") || rest.starts_with(')');
    let word = rest.get(..raw_length(rest)).unwrap_or_default();
    !(rest.is_empty() || joined || matches!(word, "and" | "or"))
}

/// How far a value without quotes reaches.
fn raw_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|&(at, c)| {
        let rest = text.get(at..).unwrap_or_default();
        let stops = c.is_whitespace()
            || matches!(c, '(' | ')' | '"' | '\'')
            || rest.starts_with("&&")
            || rest.starts_with("||");
        let stops = stops && !escaped;
        escaped = c == '\\' && !escaped;
        stops
    });
    end.map_or(text.len(), |(at, _)| at)
}

/// How far a value in quotes reaches, both included; `None` when the second one is missing.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|&(_, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map(|(at, c)| at + c.len_utf8())
}
