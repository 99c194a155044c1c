//! Splits a filter into tokens.
//!
//! Of all kinds of token that may begin at a place the longest wins, as in a scanner made by
//! lex: `10-5` is one name, `1.2.3.4.5.6` an Ethernet address, `tcp-syn` a number.
//! Source of truth: what tcpdump 4.99.3 with libpcap 1.10.3 takes; numbers as libpcap 1.11.

use super::address;
use super::words;
use crate::error::{Error, Reason};
use crate::tree::{
    AtmField, AtmType, Direction, Kind, MtpField, MtpType, Operator, Protocol, Relation, Span,
};

/// A token; texts are those of the filter, escapes removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    End,
    And,
    Or,
    Not,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Colon,
    Minus,
    /// Arithmetic but `-` and `/`.
    Operator(Operator),
    Slash,
    Relation(Relation),
    Number(u32),
    Name(&'t str),
    Dotted(&'t str),
    Ipv6(&'t str),
    Ether([u8; 6]),
    Arcnet(u8),
    Protocol(Protocol),
    Src,
    Dst,
    /// `ra`, `addr1` and their like.
    Address(Direction),
    /// `host`, `net`, `port`, `portrange`.
    Kind(Kind),
    /// `proto`, `protochain`, `gateway`: take no direction.
    ProtocolKind(Kind),
    Mask,
    Length,
    Atm(AtmType),
    AtmField(AtmField),
    Mtp(MtpType),
    MtpField(MtpField),
    Word(Word),
}

/// Words that begin a term of their own, or stand inside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Broadcast,
    Multicast,
    Less,
    Greater,
    Byte,
    Inbound,
    Outbound,
    Ifindex,
    Vlan,
    Mpls,
    Pppoed,
    Pppoes,
    Geneve,
    Vxlan,
    Type,
    Subtype,
    Dir,
    Llc,
    Ifname,
    Rset,
    Rnr,
    Srnr,
    Reason,
    Action,
}

/// A place in a text, from where tokens are read.
#[derive(Clone, Copy, Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// What is still to be read.
    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes over white space.
    pub fn skip_blanks(&mut self) {
        let rest = self.rest();
        let blanks = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.at += rest.len() - blanks.len();
    }

    /// Takes so many bytes; a character is taken whole.
    pub fn take(&mut self, bytes: usize) -> (&'t str, Span) {
        let start = self.at;
        let mut end = (start + bytes).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        self.at = end;
        let taken = self.text.get(start..end).unwrap_or_default();
        (taken, Span { start, end })
    }

    /// The next token, and where it stands.
    ///
    /// # Errors
    /// It is none, or a number or address out of range.
    pub fn token(&mut self) -> Result<(Token<'t>, Span), Error> {
        self.skip_blanks();
        let rest = self.rest();
        let Some(&first) = rest.as_bytes().first() else {
            return Ok((Token::End, self.take(0).1));
        };
        if let Some((length, token)) = symbol(rest) {
            // `::` begins an IPv6 address, and nothing else that is longer than a symbol does.
            if !(first == b':' && address::ipv6(rest.as_bytes()) > length) {
                return Ok((token, self.take(length).1));
            }
        }
        match first {
            b'\\' => self.escaped(),
            b'$' => self.arcnet(),
            b':' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => self.longest(),
            _ => Err(Error::new(Reason::Syntax, self.take(1).1)),
        }
    }

    /// `\name`: a name, also when it is a keyword.
    fn escaped(&mut self) -> Result<(Token<'t>, Span), Error> {
        let ends = |c: char| matches!(c, ' ' | '!' | '(' | ')' | '\n' | '\t');
        let rest = self.rest();
        let length = rest.find(ends).unwrap_or(rest.len());
        let (text, span) = self.take(length.max(1));
        match text.strip_prefix('\\') {
            Some(name) if !name.is_empty() => Ok((Token::Name(name), span)),
            _ => Err(Error::new(Reason::Syntax, span)),
        }
    }

    /// `$1f`.
    fn arcnet(&mut self) -> Result<(Token<'t>, Span), Error> {
        let digits = self.rest().bytes().skip(1);
        let digits = digits.take(2).take_while(u8::is_ascii_hexdigit).count();
        let (text, span) = self.take(1 + digits);
        match u8::from_str_radix(text.trim_start_matches('$'), 16) {
            Ok(number) => Ok((Token::Arcnet(number), span)),
            Err(_) => Err(Error::new(Reason::Syntax, span)),
        }
    }

    /// Names, keywords, numbers and addresses. Where two are as long as each other, addresses
    /// come before numbers, and numbers before names.
    fn longest(&mut self) -> Result<(Token<'t>, Span), Error> {
        let bytes = self.rest().as_bytes();
        let name = address::name(bytes);
        let number = address::number(bytes);
        let dotted = address::dotted(bytes);
        let ether = address::ether(bytes);
        let ipv6 = address::ipv6(bytes);
        let bogus = address::bogus_ether(bytes);
        let longest = [name, number, dotted, ether, ipv6, bogus];
        let longest = longest.into_iter().max().unwrap_or(0);
        let (text, span) = self.take(longest.max(1));
        let token = if longest == 0 {
            return Err(Error::new(Reason::Syntax, span));
        } else if ether == longest {
            Token::Ether(address::ether_bytes(text))
        } else if number == longest {
            Token::Number(self::number(text).map_err(|reason| Error::new(reason, span))?)
        } else if dotted == longest {
            Token::Dotted(text)
        } else if ipv6 == longest {
            // An embedded IPv4 address may have numbers that are too large.
            if text.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(Error::new(Reason::InvalidIpv6(text.to_owned()), span));
            }
            Token::Ipv6(text)
        } else if bogus == longest {
            return Err(Error::new(Reason::BogusEther(text.to_owned()), span));
        } else {
            words::keyword(text).unwrap_or(Token::Name(text))
        };
        Ok((token, span))
    }
}

/// A number as C writes it.
///
/// # Errors
/// In the words of libpcap 1.11.
fn number(text: &str) -> Result<u32, Reason> {
    let (digits, radix, base) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..).unwrap_or_default(), 16, "hexadecimal"),
        [b'0', ..] => (text, 8, "octal"),
        _ => (text, 10, "decimal"),
    };
    let overflow = || Reason::Overflow {
        base,
        text: text.to_owned(),
    };
    let mut number = 0_u32;
    for digit in digits.chars() {
        // The only digits that may be none of this base are 8 and 9 of an octal number.
        let digit = digit
            .to_digit(radix)
            .ok_or_else(|| Reason::NonOctalDigit(text.to_owned()))?;
        let next = number.checked_mul(radix).and_then(|n| n.checked_add(digit));
        number = next.ok_or_else(overflow)?;
    }
    Ok(number)
}

/// The symbol that the text begins with, and its length.
fn symbol(text: &str) -> Option<(usize, Token<'static>)> {
    let two = match text.as_bytes() {
        [b'&', b'&', ..] => Token::And,
        [b'|', b'|', ..] => Token::Or,
        [b'>', b'=', ..] => Token::Relation(Relation::GreaterEqual),
        [b'<', b'=', ..] => Token::Relation(Relation::LessEqual),
        [b'!', b'=', ..] => Token::Relation(Relation::NotEqual),
        [b'=', b'=', ..] => Token::Relation(Relation::Equal),
        [b'<', b'<', ..] => Token::Operator(Operator::ShiftLeft),
        [b'>', b'>', ..] => Token::Operator(Operator::ShiftRight),
        _ => {
            return text
                .as_bytes()
                .first()
                .and_then(|&byte| Some((1, single(byte)?)));
        }
    };
    Some((2, two))
}

fn single(byte: u8) -> Option<Token<'static>> {
    Some(match byte {
        b'!' => Token::Not,
        b'(' => Token::Open,
        b')' => Token::Close,
        b'[' => Token::OpenBracket,
        b']' => Token::CloseBracket,
        b':' => Token::Colon,
        b'-' => Token::Minus,
        b'/' => Token::Slash,
        b'+' => Token::Operator(Operator::Add),
        b'*' => Token::Operator(Operator::Mul),
        b'&' => Token::Operator(Operator::And),
        b'|' => Token::Operator(Operator::Or),
        b'^' => Token::Operator(Operator::Xor),
        b'%' => Token::Operator(Operator::Mod),
        b'<' => Token::Relation(Relation::Less),
        b'>' => Token::Relation(Relation::Greater),
        b'=' => Token::Relation(Relation::Equal),
        _ => return None,
    })
}
