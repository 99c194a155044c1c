//! Why a text is no filter, in libpcap's words, and where.
//!
//! Source of the words: what libpcap 1.10 and 1.11 answer.

use crate::tree::Span;

/// A refused filter: the reason, and the part of the text that it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Error {
    pub reason: Reason,
    /// `None` when it is about the whole text.
    pub span: Option<Span>,
}

impl Error {
    pub fn new(reason: Reason, span: Span) -> Self {
        Self {
            reason,
            span: Some(span),
        }
    }

    /// The line of the text that the error is in, and one below it with a caret under each
    /// character meant. Empty when there is no place to point at.
    pub fn caret(&self, text: &str) -> String {
        let Some(span) = self.span else {
            return String::new();
        };
        let before = text.get(..span.start).unwrap_or(text);
        let from = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(from..).and_then(|rest| rest.lines().next());
        let line = line.unwrap_or_default();
        let column = span.start.saturating_sub(from);
        let lead = line.get(..column).unwrap_or(line);
        let marked = line
            .get(column..)
            .map_or(0, |rest| shown(rest, span.end.saturating_sub(span.start)));
        let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
        let blanks: String = lead.chars().map(blank).collect();
        format!("{line}\n{blanks}{}\n", "^".repeat(marked.max(1)))
    }
}

/// How many characters the first `bytes` bytes are.
fn shown(text: &str, bytes: usize) -> usize {
    let inside = |&(at, _): &(usize, char)| at < bytes;
    text.char_indices().take_while(inside).count()
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    // What the parser finds.
    #[error("can't parse filter expression: syntax error")]
    Syntax,
    /// A value without qualifiers, where there are none to inherit.
    #[error("syntax error in filter expression")]
    NothingInherited,
    #[error("bogus ethernet address {0}")]
    BogusEther(String),
    #[error("invalid IPv6 address {0}")]
    InvalidIpv6(String),
    #[error("number {0} contains non-octal digit")]
    NonOctalDigit(String),
    /// `base` is `octal`, `decimal` or `hexadecimal`.
    #[error("{base} number {text} overflows 32 bits")]
    Overflow { base: &'static str, text: String },
    #[error("data size must be 1, 2, or 4")]
    DataSize,
    #[error("filter expression is nested too deeply")]
    TooDeep,
    #[error("'{0}' needs a value")]
    MissingValue(&'static str),
    #[error("'{0}' is not a number")]
    NotANumber(String),
    /// No packet could ever match.
    #[error("expression rejects all packets")]
    RejectsAll,
    /// A metadata expression that is none.
    #[error("invalid expression \"{0}\"")]
    InvalidExpression(String),
    /// What lowering finds.
    #[error(transparent)]
    Refused(Box<crate::lower::Refusal>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, start: usize, end: usize, expected: &str) {
        let error = Error::new(Reason::Syntax, Span { start, end });
        assert_eq!(error.caret(text), expected, "{text:?}");
    }

    #[test]
    fn carets_stand_under_what_is_meant() {
        check("tcp prt 80", 4, 7, "tcp prt 80\n    ^^^\n");
        check("tcp", 3, 3, "tcp\n   ^\n");
        check("", 0, 0, "\n^\n");
        check("ip\nand\tprt 80\nor", 7, 10, "and\tprt 80\n   \t^^^\n");
        check("é é", 3, 5, "é é\n  ^\n");
        check("é", 1, 9, "é\n ^\n");
        check("ip", 7, 9, "ip\n  ^\n");
    }
}
