//! Terms that begin with a word of the language: qualifiers and values, protocols alone, and
//! words with a syntax of their own.

use super::lexer::{Token, Word};
use super::{Inherited, Operand, Parser, leaf};
use crate::error::Error;
use crate::tree::{
    AtmField, ByteRelation, Direction, Expr, FieldValue, Kind, MtpField, Operator, PfTerm,
    Protocol, Qualifiers, Relation, Term, WlanWord,
};

impl Parser<'_> {
    /// The term that begins with the next token, or a load, which is part of one.
    pub fn term(&mut self) -> Result<Operand, Error> {
        let start = self.start()?;
        let protocol = match self.peek()? {
            Token::Protocol(protocol) => {
                self.next()?;
                Some(protocol)
            }
            _ => None,
        };
        match (protocol, self.peek()?) {
            (
                _,
                Token::Src
                | Token::Dst
                | Token::Address(_)
                | Token::Kind(_)
                | Token::ProtocolKind(_),
            ) => return self.qualified(protocol, start),
            (Some(protocol), Token::OpenBracket) => {
                return Ok(Operand::Arith(self.load(protocol, start)?));
            }
            _ => {}
        }
        let term = match self.shared(protocol)? {
            Some(term) => term,
            None => match protocol {
                Some(protocol) => Term::Protocol(protocol),
                None => self.alone()?,
            },
        };
        let term = Expr::Term(term, self.span_from(start));
        Ok(Operand::Term(leaf(term), Inherited::Nothing))
    }

    /// Qualifiers after the protocol, and values.
    fn qualified(&mut self, protocol: Option<Protocol>, start: usize) -> Result<Operand, Error> {
        let (direction, kind) = if let Token::ProtocolKind(kind) = self.peek()? {
            self.next()?;
            (None, Some(kind))
        } else {
            (self.direction()?, self.kind()?)
        };
        let qualifiers = Qualifiers {
            protocol,
            direction,
            kind,
        };
        let inherited = Inherited::Packet(qualifiers);
        self.head = Some(start);
        if self.peek()? == Token::Open {
            self.head = None;
        }
        let values = self.values(inherited)?;
        self.head = None;
        Ok(Operand::Term(values, inherited))
    }

    fn direction(&mut self) -> Result<Option<Direction>, Error> {
        let (direction, other) = match self.peek()? {
            Token::Src => (Direction::Src, Token::Dst),
            Token::Dst => (Direction::Dst, Token::Src),
            Token::Address(direction) => {
                self.next()?;
                return Ok(Some(direction));
            }
            _ => return Ok(None),
        };
        self.next()?;
        let both = match self.peek()? {
            Token::Or => Direction::SrcOrDst,
            Token::And => Direction::SrcAndDst,
            _ => return Ok(Some(direction)),
        };
        self.next()?;
        self.expect(other)?;
        Ok(Some(both))
    }

    fn kind(&mut self) -> Result<Option<Kind>, Error> {
        match self.peek()? {
            Token::Kind(kind) => self.next().map(|_| Some(kind)),
            _ => Ok(None),
        }
    }

    /// Words that may stand behind a protocol or alone.
    fn shared(&mut self, protocol: Option<Protocol>) -> Result<Option<Term>, Error> {
        let Token::Word(word) = self.peek()? else {
            return Ok(None);
        };
        let read = match word {
            Word::Broadcast => |_: &mut Self, protocol| Ok(Term::Broadcast(protocol)),
            Word::Multicast => |_: &mut Self, protocol| Ok(Term::Multicast(protocol)),
            Word::Type => |parser: &mut Self, _| parser.wlan_type(),
            Word::Subtype => |parser: &mut Self, _| Ok(Term::WlanSubtype(parser.name()?)),
            Word::Dir => |parser: &mut Self, _| Ok(Term::WlanDirection(parser.name_or_number()?)),
            _ => return Ok(None),
        };
        self.next()?;
        read(self, protocol).map(Some)
    }

    fn wlan_type(&mut self) -> Result<Term, Error> {
        let kind = self.name_or_number()?;
        let subtype = if self.eat(Token::Word(Word::Subtype))? {
            Some(self.name_or_number()?)
        } else {
            None
        };
        Ok(Term::WlanType { kind, subtype })
    }

    /// Terms that take no protocol.
    fn alone(&mut self) -> Result<Term, Error> {
        let token = self.peek()?;
        match token {
            Token::Atm(kind) => self.next().map(|_| Term::AtmType(kind)),
            Token::Mtp(kind) => self.next().map(|_| Term::MtpType(kind)),
            Token::AtmField(field) => self.next().and_then(|_| self.atm_field(field)),
            Token::MtpField(field) => self.next().and_then(|_| self.mtp_field(field)),
            Token::Word(word) => self.next().and_then(|_| self.word(word)),
            _ => self.syntax(),
        }
    }

    fn word(&mut self, word: Word) -> Result<Term, Error> {
        Ok(match word {
            Word::Less => Term::Less(self.expect_number()?),
            Word::Greater => Term::Greater(self.expect_number()?),
            Word::Byte => self.byte()?,
            Word::Inbound => Term::Inbound,
            Word::Outbound => Term::Outbound,
            Word::Ifindex => Term::Ifindex(self.expect_number()?),
            Word::Vlan => Term::Vlan(self.optional_number()?),
            Word::Mpls => Term::Mpls(self.optional_number()?),
            Word::Pppoed => Term::Pppoed,
            Word::Pppoes => Term::Pppoes(self.optional_number()?),
            Word::Geneve => Term::Geneve(self.optional_number()?),
            Word::Vxlan => Term::Vxlan(self.optional_number()?),
            Word::Llc => self.llc()?,
            Word::Ifname => Term::Pf(PfTerm::Interface(self.text()?)),
            Word::Rset => Term::Pf(PfTerm::Ruleset(self.text()?)),
            Word::Rnr => Term::Pf(PfTerm::Rule(self.expect_number()?)),
            Word::Srnr => Term::Pf(PfTerm::Subrule(self.expect_number()?)),
            Word::Reason => Term::Pf(PfTerm::Reason(self.name_or_number()?)),
            Word::Action => Term::Pf(PfTerm::Action(self.name()?)),
            Word::Broadcast | Word::Multicast | Word::Type | Word::Subtype | Word::Dir => {
                return self.syntax();
            }
        })
    }

    fn byte(&mut self) -> Result<Term, Error> {
        let index = self.expect_number()?;
        let relation = match self.peek()? {
            Token::Relation(Relation::Equal) => ByteRelation::Equal,
            Token::Relation(Relation::Less) => ByteRelation::Less,
            Token::Relation(Relation::Greater) => ByteRelation::Greater,
            Token::Operator(Operator::And) => ByteRelation::And,
            Token::Operator(Operator::Or) => ByteRelation::Or,
            _ => return self.syntax(),
        };
        self.next()?;
        let value = self.expect_number()?;
        Ok(Term::Byte {
            index,
            relation,
            value,
        })
    }

    fn llc(&mut self) -> Result<Term, Error> {
        let word = match self.peek()? {
            Token::Name(name) => name,
            Token::Word(Word::Rnr) => "rnr",
            _ => return Ok(Term::Llc(None)),
        };
        self.next()?;
        Ok(Term::Llc(Some(WlanWord::Word(word.to_owned()))))
    }

    /// A number, in any number of parentheses, or nothing.
    fn optional_number(&mut self) -> Result<Option<u32>, Error> {
        match self.peek()? {
            Token::Number(number) => self.next().map(|_| Some(number)),
            Token::Open => {
                self.next()?;
                let number = self.nested(Self::optional_number)?;
                if number.is_none() {
                    return self.syntax();
                }
                self.expect(Token::Close)?;
                Ok(number)
            }
            _ => Ok(None),
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        match self.peek()? {
            Token::Name(name) => self.next().map(|_| name.to_owned()),
            _ => self.syntax(),
        }
    }

    fn name(&mut self) -> Result<WlanWord, Error> {
        self.text().map(WlanWord::Word)
    }

    fn name_or_number(&mut self) -> Result<WlanWord, Error> {
        match self.peek()? {
            Token::Number(number) => self.next().map(|_| WlanWord::Number(number)),
            _ => self.name(),
        }
    }

    fn atm_field(&mut self, field: AtmField) -> Result<Term, Error> {
        Ok(Term::AtmField(field, self.field_values()?))
    }

    fn mtp_field(&mut self, field: MtpField) -> Result<Term, Error> {
        Ok(Term::MtpField(field, self.field_values()?))
    }

    /// `N`, `relation N`, or `(N or N …)`.
    fn field_values(&mut self) -> Result<Vec<FieldValue>, Error> {
        if let Token::Relation(relation) = self.peek()? {
            self.next()?;
            let number = self.expect_number()?;
            return Ok(vec![FieldValue { relation, number }]);
        }
        let equal = |number| FieldValue {
            relation: Relation::Equal,
            number,
        };
        if self.eat(Token::Open)? {
            let mut values = vec![equal(self.expect_number()?)];
            while self.eat(Token::Or)? {
                values.push(equal(self.expect_number()?));
            }
            self.expect(Token::Close)?;
            return Ok(values);
        }
        Ok(vec![equal(self.expect_number()?)])
    }
}
