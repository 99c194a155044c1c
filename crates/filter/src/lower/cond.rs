//! Conditions as they are written, before they are joined to a graph.
//!
//! Lowering goes from left to right, since `vlan` and its like move what is written after them;
//! a graph is made from right to left, since a decision must know where it leads. So there is
//! this form in between.

use crate::builder::Builder;
use crate::graph::{Target, Test};

/// Tests and what joins them. Which are evaluated, and in which order, is part of the meaning: a
/// load beyond the packet's bytes rejects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cond {
    Always,
    Never,
    Test(Test),
    Not(Box<Cond>),
    /// The first, then one after the other from the left, without precedence.
    Chain(Box<Cond>, Vec<(Join, Cond)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

impl Cond {
    pub(super) fn and(self, right: Cond) -> Cond {
        match (self, right) {
            (Cond::Always, right) => right,
            (Cond::Never, _) => Cond::Never,
            (left, Cond::Always) => left,
            (left, right) => left.join(Join::And, right),
        }
    }

    pub(super) fn or(self, right: Cond) -> Cond {
        match (self, right) {
            (Cond::Never, right) => right,
            (Cond::Always, _) => Cond::Always,
            (left, Cond::Never) => left,
            (left, right) => left.join(Join::Or, right),
        }
    }

    fn join(self, join: Join, right: Cond) -> Cond {
        match self {
            Cond::Chain(first, mut rest) => {
                rest.push((join, right));
                Cond::Chain(first, rest)
            }
            first => Cond::Chain(Box::new(first), vec![(join, right)]),
        }
    }

    pub(super) fn not(self) -> Cond {
        match self {
            Cond::Always => Cond::Never,
            Cond::Never => Cond::Always,
            Cond::Not(inner) => *inner,
            other => Cond::Not(Box::new(other)),
        }
    }

    pub(super) fn any(conds: impl IntoIterator<Item = Cond>) -> Cond {
        conds.into_iter().fold(Cond::Never, Cond::or)
    }

    pub(super) fn all(conds: impl IntoIterator<Item = Cond>) -> Cond {
        conds.into_iter().fold(Cond::Always, Cond::and)
    }

    /// Puts what needs owners behind what needs the packet's bytes alone, as far as all of it
    /// must hold: then the order does not matter, and bytes are at hand earlier.
    pub(super) fn owners_last(self) -> Cond {
        let mut conjuncts = Vec::new();
        self.flatten(Join::And, &mut conjuncts);
        let mut by_need: [Vec<Cond>; 3] = Default::default();
        for cond in conjuncts {
            let [owners, bytes] = cond.needs();
            let [first, second, third] = &mut by_need;
            match (owners, bytes) {
                (false, _) => first.push(cond),
                (true, true) => second.push(cond),
                (true, false) => third.push(cond),
            }
        }
        Cond::all(by_need.into_iter().flatten())
    }

    /// Whether there are tests on owners, and others.
    fn needs(&self) -> [bool; 2] {
        match self {
            Cond::Always | Cond::Never => [false, false],
            Cond::Test(Test::Owner(_)) => [true, false],
            Cond::Test(_) => [false, true],
            Cond::Not(inner) => inner.needs(),
            Cond::Chain(first, rest) => rest.iter().fold(first.needs(), |sum, (_, cond)| {
                let more = cond.needs();
                [sum[0] | more[0], sum[1] | more[1]]
            }),
        }
    }

    /// Decisions that lead to `yes` when it holds, else to `no`.
    pub(super) fn emit(&self, builder: &mut Builder, yes: Target, no: Target) -> Target {
        match self {
            Cond::Always => yes,
            Cond::Never => no,
            Cond::Test(test) => builder.node(*test, yes, no),
            Cond::Not(inner) => inner.emit(builder, no, yes),
            Cond::Chain(first, rest) => {
                let (mut yes, mut no) = (yes, no);
                for (join, right) in rest.iter().rev() {
                    let behind = right.emit(builder, yes, no);
                    match join {
                        Join::And => yes = behind,
                        Join::Or => no = behind,
                    }
                }
                first.emit(builder, yes, no)
            }
        }
    }
}
