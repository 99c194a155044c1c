//! Arithmetic, and relations between two sides of it.
//!
//! Precedence: `|`, `&`, shifts, `+ -`, `* /`, unary minus, from loose to tight and from the
//! left. compat: `%` and `^` take all that follows as their right side, and bind their left side
//! tighter than everything: `10 * 7 % 4` is 30, `100 % 7 + 4` is 1 (libpcap 1.10.3).

use super::lexer::Token;
use super::{Built, Inherited, Operand, Parser, above, leaf};
use crate::error::{Error, Reason};
use crate::tree::{Arith, Expr, Operator, Protocol, Span, Term};

impl Parser<'_> {
    /// What began as arithmetic goes on, to the relation that makes it a term if there is one.
    pub fn relation(&mut self, operand: Operand) -> Result<Operand, Error> {
        let left = match operand {
            Operand::Arith(left) => left,
            Operand::Number(number, span) => {
                if self.operator()?.is_none() && !matches!(self.peek()?, Token::Relation(_)) {
                    return Ok(Operand::Number(number, span));
                }
                leaf(Arith::Number(number, span))
            }
            other => return Ok(other),
        };
        let start = span(&left.part).start;
        let left = self.binary(left, 0)?;
        let Token::Relation(relation) = self.peek()? else {
            return Ok(Operand::Arith(left));
        };
        self.next()?;
        let right = self.arith()?;
        let term = Term::Relation {
            relation,
            left: left.part,
            right: right.part,
        };
        let below = left.height.max(right.height);
        let term = above(Expr::Term(term, self.span_from(start)), below)?;
        Ok(Operand::Term(term, Inherited::Nothing))
    }

    fn arith(&mut self) -> Result<Built<Arith>, Error> {
        let first = self.arith_operand()?;
        self.binary(first, 0)
    }

    /// `left` and the operators after it that bind at least as tightly as `least`.
    fn binary(&mut self, mut left: Built<Arith>, least: u8) -> Result<Built<Arith>, Error> {
        while let Some(operator) = self.operator()? {
            let right = match precedence(operator) {
                None => {
                    self.next()?;
                    self.nested(Self::arith)?
                }
                Some(precedence) if precedence >= least => {
                    self.next()?;
                    let right = self.arith_operand()?;
                    self.binary(right, precedence + 1)?
                }
                Some(_) => break,
            };
            let below = left.height.max(right.height);
            let span = Span {
                start: span(&left.part).start,
                end: self.end,
            };
            let both = Arith::Binary {
                operator,
                left: Box::new(left.part),
                right: Box::new(right.part),
                span,
            };
            left = above(both, below)?;
        }
        Ok(left)
    }

    /// The operator that comes next.
    fn operator(&mut self) -> Result<Option<Operator>, Error> {
        Ok(match self.peek()? {
            Token::Minus => Some(Operator::Sub),
            Token::Slash => Some(Operator::Div),
            Token::Operator(operator) => Some(operator),
            _ => None,
        })
    }

    /// A number, `len`, a load, or these with a minus or in parentheses.
    pub fn arith_operand(&mut self) -> Result<Built<Arith>, Error> {
        let start = self.start()?;
        match self.peek()? {
            Token::Number(number) => {
                let (_, span) = self.next()?;
                Ok(leaf(Arith::Number(number, span)))
            }
            Token::Length => {
                let (_, span) = self.next()?;
                Ok(leaf(Arith::Length(span)))
            }
            Token::Minus => {
                self.next()?;
                // Binds tighter than all but the two that have no precedence.
                let inner = self.nested(|parser| {
                    let operand = parser.arith_operand()?;
                    parser.binary(operand, u8::MAX)
                })?;
                let span = self.span_from(start);
                above(Arith::Negate(Box::new(inner.part), span), inner.height)
            }
            Token::Open => {
                self.next()?;
                let inner = self.nested(Self::arith)?;
                self.expect(Token::Close)?;
                Ok(inner)
            }
            Token::Protocol(protocol) => {
                self.next()?;
                self.load(protocol, start)
            }
            _ => self.syntax(),
        }
    }

    /// `[offset]` or `[offset:size]` after a protocol.
    pub fn load(&mut self, protocol: Protocol, start: usize) -> Result<Built<Arith>, Error> {
        self.expect(Token::OpenBracket)?;
        let offset = self.nested(Self::arith)?;
        let size = if self.eat(Token::Colon)? {
            let at = self.start()?;
            let size = self.expect_number()?;
            if !matches!(size, 1 | 2 | 4) {
                return Err(Error::new(Reason::DataSize, self.span_from(at)));
            }
            size
        } else {
            1
        };
        self.expect(Token::CloseBracket)?;
        let load = Arith::Load {
            protocol,
            offset: Box::new(offset.part),
            size,
            span: self.span_from(start),
        };
        above(load, offset.height)
    }
}

fn precedence(operator: Operator) -> Option<u8> {
    match operator {
        Operator::Or => Some(1),
        Operator::And => Some(2),
        Operator::ShiftLeft | Operator::ShiftRight => Some(3),
        Operator::Add | Operator::Sub => Some(4),
        Operator::Mul | Operator::Div => Some(5),
        Operator::Mod | Operator::Xor => None,
    }
}

fn span(arith: &Arith) -> Span {
    match arith {
        Arith::Number(_, span)
        | Arith::Length(span)
        | Arith::Load { span, .. }
        | Arith::Binary { span, .. }
        | Arith::Negate(_, span) => *span,
    }
}
