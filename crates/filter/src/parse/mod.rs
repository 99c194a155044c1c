//! Text to [`Tree`]: the grammar of pcap-filter(7), and of owner terms.
//!
//! In short, with what follows a qualifier called a *value*:
//!
//! ```text
//! filter = [ list ]
//! list   = term { (and|or) (term | value) }     and, or: same precedence, from the left
//! term   = not term | ( list ) | [protocol] [direction] [kind] values | protocol
//!        | arith relation arith | owner-word owner-values | words of their own
//! values = value | not values | ( value { (and|or) values } )
//! ```
//!
//! A value alone inherits the qualifiers of the term before it; after a group, those that stood
//! before the group. Arithmetic and lists both use parentheses, so an operand is read first and
//! called what it is when it is known.
//!
//! Promises: no panic and no deep stack, whatever the text; the height of the tree is bounded, as
//! its readers recurse. Long chains of one operator become balanced trees, which mean the same.
//!
//! Source of truth: what tcpdump 4.99.3 with libpcap 1.10.3 takes.

mod address;
mod arith;
mod lexer;
mod owner;
mod terms;
mod words;

use crate::error::{Error, Reason};
use crate::tree::{Arith, Expr, Qualifiers, Span, Term, Tree, Value};
use lexer::{Lexer, Token};
use owner::Owned;

/// How deep parentheses, brackets, `not` and unary minus may nest.
const MAX_NESTING: u32 = 200;

/// How high a tree may be. Only chains whose operators alternate come near it.
const MAX_HEIGHT: u32 = 1000;

/// Reads a filter.
///
/// # Errors
/// It is none; names are not looked up, and nothing that depends on the link type is checked.
pub fn parse(text: &str) -> Result<Tree, Error> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        peeked: None,
        end: 0,
        depth: 0,
        head: None,
    };
    if parser.peek()? == Token::End {
        return Ok(Tree::default());
    }
    let Operand::Term(first, inherited) = parser.operand(Inherited::Nothing, false)? else {
        return parser.syntax();
    };
    let list = parser.list(first, inherited, false)?;
    if parser.peek()? != Token::End {
        return parser.syntax();
    }
    Ok(Tree {
        root: Some(list.part),
    })
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    peeked: Option<(Token<'t>, Span)>,
    /// Where the last token taken ends.
    end: usize,
    depth: u32,
    /// Where the qualifiers begin of which the value is still to come.
    head: Option<usize>,
}

/// Part of a tree, and how high it is.
struct Built<T> {
    part: T,
    height: u32,
}

/// What a value without qualifiers means.
#[derive(Clone, Copy)]
enum Inherited {
    Nothing,
    Packet(Qualifiers),
    Owner(Owned),
}

/// What was read where terms, values and arithmetic are possible.
enum Operand {
    /// A term, and what values after it inherit.
    Term(Built<Expr>, Inherited),
    /// Values with the qualifiers they inherit.
    Values(Built<Expr>),
    Number(u32, Span),
    Arith(Built<Arith>),
}

impl<'t> Parser<'t> {
    fn peek(&mut self) -> Result<Token<'t>, Error> {
        if let Some((token, _)) = self.peeked {
            return Ok(token);
        }
        let peeked = self.lexer.token()?;
        self.peeked = Some(peeked);
        Ok(peeked.0)
    }

    fn next(&mut self) -> Result<(Token<'t>, Span), Error> {
        self.peek()?;
        let taken = self.peeked.take().unwrap_or((Token::End, Span::default()));
        self.end = taken.1.end;
        Ok(taken)
    }

    /// Takes the next token when it is this one.
    fn eat(&mut self, token: Token<'_>) -> Result<bool, Error> {
        let found = self.peek()? == token;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn expect(&mut self, token: Token<'_>) -> Result<(), Error> {
        if self.eat(token)? {
            Ok(())
        } else {
            self.syntax()
        }
    }

    fn expect_number(&mut self) -> Result<u32, Error> {
        match self.peek()? {
            Token::Number(number) => self.next().map(|_| number),
            _ => self.syntax(),
        }
    }

    /// The error that the next token makes.
    fn syntax<T>(&mut self) -> Result<T, Error> {
        self.peek()?;
        let end = Span {
            start: self.end,
            end: self.end,
        };
        let span = self.peeked.map_or(end, |(_, span)| span);
        Err(Error::new(Reason::Syntax, span))
    }

    /// Where the next token begins.
    fn start(&mut self) -> Result<usize, Error> {
        self.peek()?;
        Ok(self.peeked.map_or(self.end, |(_, span)| span.start))
    }

    /// From `start` to the end of the last token taken.
    fn span_from(&self, start: usize) -> Span {
        let end = self.end.max(start);
        Span { start, end }
    }

    /// Goes a level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_NESTING {
            return Err(Error::new(Reason::TooDeep, self.span_from(self.end)));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `first` and what is joined to it. With `values_only` no terms may follow.
    fn list(
        &mut self,
        first: Built<Expr>,
        mut inherited: Inherited,
        values_only: bool,
    ) -> Result<Built<Expr>, Error> {
        let mut chain = Chain::new(first);
        loop {
            let or = match self.peek()? {
                Token::And => false,
                Token::Or => true,
                _ => return chain.finish(),
            };
            self.next()?;
            let next = if values_only {
                self.values(inherited)?
            } else {
                match self.operand(inherited, true)? {
                    Operand::Term(term, after) => {
                        inherited = after;
                        term
                    }
                    Operand::Values(values) => values,
                    Operand::Number(number, span) => {
                        self.value(inherited, Value::Number(number), span)?
                    }
                    Operand::Arith(_) => return self.syntax(),
                }
            };
            chain.push(or, next)?;
        }
    }

    /// A term; with `values` also values, which inherit; or arithmetic that is part of one.
    fn operand(&mut self, inherited: Inherited, values: bool) -> Result<Operand, Error> {
        if values
            && let Inherited::Owner(owned) = inherited
            && self.owner_value_next()
        {
            return Ok(Operand::Values(self.owner_value(owned)?));
        }
        let operand = match self.peek()? {
            Token::Not => {
                self.next()?;
                let negated = self.nested(|parser| parser.operand(inherited, values))?;
                return self.negated(negated, inherited, values);
            }
            Token::Open => {
                self.next()?;
                self.nested(|parser| parser.group(inherited, values))?
            }
            Token::Number(number) => Operand::Number(number, self.next()?.1),
            Token::Length | Token::Minus => Operand::Arith(self.arith_operand()?),
            Token::Name(name) => match self.owner_term(name, values)? {
                Some(term) => term,
                None => return self.inherited_value(inherited, values),
            },
            Token::Dotted(_) | Token::Ipv6(_) | Token::Ether(_) | Token::Arcnet(_) => {
                return self.inherited_value(inherited, values);
            }
            _ => self.term()?,
        };
        self.relation(operand)
    }

    fn inherited_value(&mut self, inherited: Inherited, values: bool) -> Result<Operand, Error> {
        if values {
            Ok(Operand::Values(self.values(inherited)?))
        } else {
            self.syntax()
        }
    }

    fn negated(
        &mut self,
        operand: Operand,
        inherited: Inherited,
        values: bool,
    ) -> Result<Operand, Error> {
        Ok(match operand {
            Operand::Term(term, after) => Operand::Term(not(term)?, after),
            Operand::Values(values) => Operand::Values(not(values)?),
            Operand::Number(number, span) if values => {
                Operand::Values(not(self.value(inherited, Value::Number(number), span)?)?)
            }
            Operand::Number(..) | Operand::Arith(_) => return self.syntax(),
        })
    }

    /// What stands in parentheses, up to and with the closing one.
    fn group(&mut self, inherited: Inherited, values: bool) -> Result<Operand, Error> {
        // Of values only a number may stand in two pairs of parentheses.
        let first_values = values && self.raw_start() != Some(b'(');
        let inner = match self.operand(inherited, first_values)? {
            Operand::Term(first, after) => {
                let list = self.list(first, after, false)?;
                // Values after a group inherit what stood before it.
                Operand::Term(list, inherited)
            }
            Operand::Values(first) if matches!(inherited, Inherited::Owner(_)) => {
                Operand::Term(self.list(first, inherited, false)?, inherited)
            }
            Operand::Values(first) => self.value_list(first, inherited)?,
            Operand::Number(number, span) if values && self.joined()? => {
                let first = self.value(inherited, Value::Number(number), span)?;
                self.value_list(first, inherited)?
            }
            other => other,
        };
        self.expect(Token::Close)?;
        Ok(inner)
    }

    fn value_list(&mut self, first: Built<Expr>, inherited: Inherited) -> Result<Operand, Error> {
        Ok(Operand::Values(self.list(first, inherited, true)?))
    }

    fn joined(&mut self) -> Result<bool, Error> {
        Ok(matches!(self.peek()?, Token::And | Token::Or))
    }

    /// One value, a negated one, or several in parentheses.
    fn values(&mut self, inherited: Inherited) -> Result<Built<Expr>, Error> {
        if let Inherited::Owner(owned) = inherited {
            return self.owner_values(owned);
        }
        match self.value_operand(inherited)? {
            Operand::Number(number, span) => self.value(inherited, Value::Number(number), span),
            Operand::Values(values) => Ok(values),
            Operand::Term(..) | Operand::Arith(_) => self.syntax(),
        }
    }

    /// [`Operand::Values`] or [`Operand::Number`]: a number in parentheses is a number still.
    fn value_operand(&mut self, inherited: Inherited) -> Result<Operand, Error> {
        let list = match self.peek()? {
            Token::Not => {
                self.next()?;
                not(self.nested(|parser| parser.values(inherited))?)?
            }
            Token::Open => {
                self.next()?;
                return self.nested(|parser| parser.value_group(inherited));
            }
            Token::Number(number) => return Ok(Operand::Number(number, self.next()?.1)),
            _ => {
                let (value, span) = self.address()?;
                self.value(inherited, value, span)?
            }
        };
        Ok(Operand::Values(list))
    }

    fn value_group(&mut self, inherited: Inherited) -> Result<Operand, Error> {
        let double = self.peek()? == Token::Open;
        let inner = match self.value_operand(inherited)? {
            Operand::Values(_) if double => return self.syntax(),
            Operand::Values(first) => self.value_list(first, inherited)?,
            Operand::Number(number, span) if self.joined()? => {
                let first = self.value(inherited, Value::Number(number), span)?;
                self.value_list(first, inherited)?
            }
            other => other,
        };
        self.expect(Token::Close)?;
        Ok(inner)
    }

    /// A value that is no number.
    fn address(&mut self) -> Result<(Value, Span), Error> {
        let start = self.start()?;
        let value = match self.peek()? {
            Token::Name(name) => {
                self.next()?;
                match self.prefix()? {
                    Some(bits) => Value::NamePrefix(name.to_owned(), bits),
                    None => Value::Name(name.to_owned()),
                }
            }
            Token::Dotted(text) => {
                self.next()?;
                self.dotted(text)?
            }
            Token::Ipv6(text) => {
                self.next()?;
                match self.prefix()? {
                    Some(bits) => Value::Ipv6Prefix(text.to_owned(), bits),
                    None => Value::Ipv6(text.to_owned()),
                }
            }
            Token::Ether(address) => self.next().map(|_| Value::Ether(address))?,
            Token::Arcnet(address) => self.next().map(|_| Value::Arcnet(address))?,
            _ => return self.syntax(),
        };
        Ok((value, self.span_from(start)))
    }

    fn dotted(&mut self, text: &str) -> Result<Value, Error> {
        if let Some(bits) = self.prefix()? {
            return Ok(Value::DottedPrefix(text.to_owned(), bits));
        }
        if !self.eat(Token::Mask)? {
            return Ok(Value::Dotted(text.to_owned()));
        }
        match self.peek()? {
            Token::Dotted(mask) => {
                self.next()?;
                Ok(Value::DottedMask(text.to_owned(), mask.to_owned()))
            }
            _ => self.syntax(),
        }
    }

    /// `/N`.
    fn prefix(&mut self) -> Result<Option<u32>, Error> {
        if self.eat(Token::Slash)? {
            self.expect_number().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The term that a value makes with the qualifiers it inherits.
    fn value(
        &mut self,
        inherited: Inherited,
        value: Value,
        span: Span,
    ) -> Result<Built<Expr>, Error> {
        let start = self.head.take().unwrap_or(span.start);
        match inherited {
            Inherited::Packet(qualifiers) => {
                let term = Term::Value(qualifiers, value);
                let span = Span { start, ..span };
                Ok(leaf(Expr::Term(term, span)))
            }
            Inherited::Nothing | Inherited::Owner(_) => {
                let number = matches!(value, Value::Number(_));
                let ends = [Token::And, Token::Or, Token::Close, Token::End];
                if number && !ends.contains(&self.peek()?) {
                    return self.syntax();
                }
                Err(Error::new(Reason::NothingInherited, span))
            }
        }
    }
}

fn leaf<T>(part: T) -> Built<T> {
    Built { part, height: 1 }
}

/// # Errors
/// It would be too high.
fn above<T>(part: T, below: u32) -> Result<Built<T>, Error> {
    if below == MAX_HEIGHT {
        return Err(Error {
            reason: Reason::TooDeep,
            span: None,
        });
    }
    let height = below + 1;
    Ok(Built { part, height })
}

fn not(negated: Built<Expr>) -> Result<Built<Expr>, Error> {
    above(Expr::Not(Box::new(negated.part)), negated.height)
}

fn join(or: bool, left: Built<Expr>, right: Built<Expr>) -> Result<Built<Expr>, Error> {
    let below = left.height.max(right.height);
    let (left, right) = (Box::new(left.part), Box::new(right.part));
    let both = if or {
        Expr::Or(left, right)
    } else {
        Expr::And(left, right)
    };
    above(both, below)
}

/// Operands joined from the left. Those that one and the same operator joins are kept until
/// another comes, and then joined as a balanced tree.
struct Chain {
    run: Vec<Built<Expr>>,
    or: bool,
}

impl Chain {
    fn new(first: Built<Expr>) -> Self {
        let run = vec![first];
        Self { run, or: false }
    }

    fn push(&mut self, or: bool, next: Built<Expr>) -> Result<(), Error> {
        if or != self.or {
            let run = std::mem::take(&mut self.run);
            self.run.push(balanced(self.or, run)?);
            self.or = or;
        }
        self.run.push(next);
        Ok(())
    }

    fn finish(self) -> Result<Built<Expr>, Error> {
        balanced(self.or, self.run)
    }
}

/// Joins neighbours until one is left.
fn balanced(or: bool, mut run: Vec<Built<Expr>>) -> Result<Built<Expr>, Error> {
    while run.len() > 1 {
        let mut joined = Vec::with_capacity(run.len().div_ceil(2));
        let mut parts = run.into_iter();
        while let Some(left) = parts.next() {
            joined.push(match parts.next() {
                Some(right) => join(or, left, right)?,
                None => left,
            });
        }
        run = joined;
    }
    let nothing = Error {
        reason: Reason::Syntax,
        span: None,
    };
    run.pop().ok_or(nothing)
}

#[cfg(test)]
mod tests;
