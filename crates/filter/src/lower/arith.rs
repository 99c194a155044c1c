//! `expr relop expr`: arithmetic on bytes of headers.
//!
//! Headers that are looked into must be there: their tests stand before the comparison, those of
//! the left side first, those of an index before those of what it indexes. Of operands joined by
//! an operator only the first one's header has to be there.

use super::cond::Cond;
use super::layer::{Place, Prefix, prefix};
use super::refusal::word;
use super::{Lowered, Lowering, Refusal, ip, link};
use crate::error::{Error, Reason};
use crate::graph::{Comparison, Size, Test, ValueId};
use crate::tree::{Arith, Operator, Protocol, Relation, Span};

/// A number, and what must hold for it to have a meaning.
struct Number {
    value: ValueId,
    holds: Cond,
}

impl Lowering<'_> {
    pub(super) fn relation(
        &mut self,
        relation: Relation,
        left: &Arith,
        right: &Arith,
    ) -> Lowered<Cond> {
        let left = self.arith(left)?;
        let right = self.arith(right)?;
        let (comparison, positive) = comparison(relation);
        let test = Cond::Test(Test::Compare {
            comparison,
            left: left.value,
            right: right.value,
        });
        let test = if positive { test } else { test.not() };
        Ok(left.holds.and(right.holds).and(test))
    }

    /// Goes down the left side without recursion, as sums of many numbers nest there.
    fn arith(&mut self, arith: &Arith) -> Lowered<Number> {
        let mut rest = Vec::new();
        let mut first = arith;
        while let Arith::Binary {
            operator,
            left,
            right,
            span,
        } = first
        {
            rest.push((*operator, right, *span));
            first = left;
        }
        let mut sum = self.operand(first)?;
        for (operator, right, span) in rest.into_iter().rev() {
            let right = self.arith(right)?;
            self.check_operator(operator, right.value, span)?;
            sum = Number {
                value: self.builder.binary(operator, sum.value, right.value),
                // compat: of a sum only the first header has to be there (libpcap 1.10.3).
                holds: sum.holds,
            };
        }
        Ok(sum)
    }

    fn operand(&mut self, arith: &Arith) -> Lowered<Number> {
        let value = match arith {
            Arith::Number(number, _) => self.builder.constant(*number),
            Arith::Length(_) => self.builder.length(),
            Arith::Negate(inner, _) => {
                let inner = self.arith(inner)?;
                let zero = self.builder.constant(0);
                return Ok(Number {
                    value: self.builder.binary(Operator::Sub, zero, inner.value),
                    holds: inner.holds,
                });
            }
            Arith::Load {
                protocol,
                offset,
                size,
                span,
            } => return self.header_load(*protocol, offset, *size, *span),
            Arith::Binary { .. } => return self.arith(arith),
        };
        Ok(Number {
            value,
            holds: Cond::Always,
        })
    }

    /// Refuses what no packet can make right.
    fn check_operator(&self, operator: Operator, right: ValueId, span: Span) -> Lowered<()> {
        let refusal = match (operator, self.builder.as_constant(right)) {
            (Operator::Div, Some(0)) => Refusal::DivisionByZero,
            (Operator::Mod, Some(0)) => Refusal::ModulusByZero,
            (Operator::ShiftLeft | Operator::ShiftRight, Some(32..)) => Refusal::Shift,
            _ => return Ok(()),
        };
        Err(Error::new(Reason::Refused(Box::new(refusal)), span))
    }

    fn header_load(
        &mut self,
        protocol: Protocol,
        offset: &Arith,
        size: u32,
        span: Span,
    ) -> Lowered<Number> {
        let size = match size {
            1 => Size::Byte,
            2 => Size::Half,
            4 => Size::Word,
            _ => return Err(Error::new(Reason::DataSize, span)),
        };
        let index = self.arith(offset)?;
        let (place, present) = self.header(protocol).map_err(|error| Error {
            span: Some(span),
            ..error
        })?;
        self.note(place);
        let base = match place.base {
            Some(base) => self.builder.binary(Operator::Add, index.value, base),
            None => index.value,
        };
        Ok(Number {
            value: self.builder.load(size, Some(base), place.offset),
            holds: index.holds.and(present),
        })
    }

    /// Where the header of a protocol begins, and that there is one.
    fn header(&mut self, protocol: Protocol) -> Lowered<(Place, Cond)> {
        match protocol {
            Protocol::Link => Ok((self.layer.header, Cond::Always)),
            Protocol::Radio => {
                if matches!(prefix(self.layer.link_type), Prefix::None | Prefix::Ppi) {
                    return self.refuse(Refusal::NoRadio);
                }
                Ok((Place::at(0), Cond::Always))
            }
            Protocol::Ip
            | Protocol::Ip6
            | Protocol::Arp
            | Protocol::Rarp
            | Protocol::Atalk
            | Protocol::Decnet
            | Protocol::Lat
            | Protocol::Sca
            | Protocol::Mopdl
            | Protocol::Moprc => {
                let number = link::ethertype(protocol).unwrap_or_default();
                let present = self.carries(number)?;
                Ok((self.layer.network(), present))
            }
            Protocol::Icmp6 => {
                let ip6 = self.carries(link::IP6)?;
                let next = self.layer.network().plus(6);
                let icmp6 = self.is(next, Size::Byte, ip::ICMP6);
                Ok((self.layer.network().plus(40), ip6.and(icmp6)))
            }
            _ => {
                let number = match protocol {
                    Protocol::Ah | Protocol::Esp => None,
                    other => ip::over_both(other).or(ip::over_ip(other)),
                };
                let Some(number) = number else {
                    return self.refuse(Refusal::Index(word(protocol)));
                };
                let present = self.ip_protocol(number)?;
                let first = self.first_fragment();
                Ok((self.behind_ip(), present.and(first)))
            }
        }
    }
}

/// The comparison and whether it must hold or must not.
pub(super) fn comparison(relation: Relation) -> (Comparison, bool) {
    match relation {
        Relation::Equal => (Comparison::Equal, true),
        Relation::NotEqual => (Comparison::Equal, false),
        Relation::Greater => (Comparison::Greater, true),
        Relation::GreaterEqual => (Comparison::GreaterEqual, true),
        Relation::Less => (Comparison::GreaterEqual, false),
        Relation::LessEqual => (Comparison::Greater, false),
    }
}
