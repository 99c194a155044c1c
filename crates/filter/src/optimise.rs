//! The same filter with fewer tests.
//!
//! What was found out on every way to a decision decides later ones: a packet that is IPv4 is
//! not IPv6, so that whoever comes from the one test goes past the other. Then equal decisions
//! become one, from the last to the first. Both are repeated, as each finds work for the other.
//!
//! Two steps. [`Graph::fold`] knows what libpcap's optimiser knows, and does what it does with a
//! test whose outcome changes nothing: it goes away, even where a load in it would have rejected
//! a packet that is cut off there (`tcp or not tcp` keeps all). [`Graph::optimise`] knows more
//! and changes no verdict.
//!
//! The time is bounded: a number of rounds, of facts kept for a decision, and of decisions that
//! one way is led past in a round.

mod known;
mod simplify;
#[cfg(test)]
mod tests;

use crate::builder::Builder;
use crate::graph::{Comparison, Graph, Node, Target, Test, Value, ValueId};
use known::{Facts, Knowledge, Known};

/// Most filters are done after two.
const ROUNDS: usize = 4;

/// Decisions that a way is led past in one round.
const SKIPS: usize = 16;

/// How many open decisions are looked behind to see that they do not matter.
const DEPTH: u32 = 3;

/// Graphs of more decisions are not searched for what is known: it would take too long.
const NODES_MAX: usize = 50_000;

impl Graph {
    /// Removes tests as libpcap does. What is left rejects all packets where libpcap's program
    /// does ([`Graph::rejects_all`]); packets that are cut off in headers may be kept that were
    /// rejected before.
    pub fn fold(&mut self) {
        let knowledge = self.libpcaps();
        self.rounds(&mut Builder::default(), knowledge);
    }

    /// Removes tests whose outcome is known. The verdict on every packet stays.
    pub fn optimise(&mut self) {
        self.rounds(&mut Builder::default(), Knowledge::All);
    }

    /// [`Self::fold`] and then [`Self::optimise`]. Says whether libpcap, too, would have found
    /// out that no packet is wanted.
    pub fn shrink(&mut self) -> bool {
        let mut builder = Builder::default();
        let loops = self.loops();
        let knowledge = self.libpcaps();
        self.rounds(&mut builder, knowledge);
        let rejects_all = self.rejects_all() && !loops;
        self.leads(&mut builder, Knowledge::All);
        rejects_all
    }

    /// compat: libpcap does not optimise a program with a loop, so that no load goes away (1.10.3).
    fn libpcaps(&self) -> Knowledge {
        if self.loops() {
            Knowledge::All
        } else {
            Knowledge::Equality
        }
    }

    fn loops(&self) -> bool {
        let mut tests = self.nodes.iter().map(|node| node.test);
        tests.any(|test| matches!(test, Test::Chain { .. }))
    }

    fn rounds(&mut self, builder: &mut Builder, knowledge: Knowledge) {
        self.rebuild(builder, knowledge);
        self.leads(builder, knowledge);
    }

    /// Of a graph that was rebuilt.
    fn leads(&mut self, builder: &mut Builder, knowledge: Knowledge) {
        for _ in 0..ROUNDS {
            if self.nodes.len() > NODES_MAX || !self.lead_past(knowledge) {
                break;
            }
            self.rebuild(builder, knowledge);
        }
    }

    /// Whether no packet is wanted, as far as can be seen.
    pub fn rejects_all(&self) -> bool {
        self.entry == Target::Reject
    }

    /// Leads each way past decisions that are known on it. Says whether there were some.
    fn lead_past(&mut self, knowledge: Knowledge) -> bool {
        let mut changed = false;
        let mut ways = Ways {
            nodes: &self.nodes,
            facts: Facts::new(&self.values, knowledge),
            states: States::new(self.nodes.len()),
        };
        ways.arrive(self.entry, &Known::NOTHING);
        let mut targets = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            let old = (node.yes, node.no);
            // All ways to this decision have been walked: they come from earlier ones.
            let new = match ways.states.take(at) {
                Some(mut state) => {
                    let mut other = state;
                    (
                        ways.walk(&mut other, node.test, true, node.yes),
                        ways.walk(&mut state, node.test, false, node.no),
                    )
                }
                None => old,
            };
            changed |= new != old;
            targets.push(new);
        }
        for (node, target) in self.nodes.iter_mut().zip(targets) {
            (node.yes, node.no) = target;
        }
        changed
    }

    /// Makes the graph anew from the last decision to the first: equal decisions become one,
    /// those that decide nothing go away, as far as they cannot fail or `knowledge` is libpcap's.
    fn rebuild(&mut self, builder: &mut Builder, knowledge: Knowledge) {
        builder.clear(self.values.len(), self.nodes.len());
        let mut values: Vec<ValueId> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            let new = |id: ValueId| values.get(id.0 as usize).copied().unwrap_or(id);
            let id = match value.map_operands(new) {
                Value::Binary {
                    operator,
                    left,
                    right,
                } if knowledge == Knowledge::Equality
                    && simplify::is_zero(builder, operator, left, right) =>
                {
                    builder.constant(0)
                }
                Value::Binary {
                    operator,
                    left,
                    right,
                } => builder.binary(operator, left, right),
                other => builder.value(other),
            };
            values.push(id);
        }
        let mut targets = vec![Target::Reject; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let new = |target: Target| match target {
                Target::Node(id) => targets
                    .get(id.0 as usize)
                    .copied()
                    .unwrap_or(Target::Reject),
                other => other,
            };
            let (yes, no) = (new(node.yes), new(node.no));
            let test = node
                .test
                .map_operands(|id| values.get(id.0 as usize).copied().unwrap_or(id));
            let test = self.owner_test(builder, test);
            let (test, positive) = simplify::test(builder, test);
            let (yes, no) = if positive { (yes, no) } else { (no, yes) };
            let target = if yes != no {
                builder.node(test, yes, no)
            } else if yes == Target::Reject {
                yes
            } else {
                undecided(builder, knowledge, test, yes)
            };
            if let Some(slot) = targets.get_mut(at) {
                *slot = target;
            }
        }
        let entry = match self.entry {
            Target::Node(id) => targets
                .get(id.0 as usize)
                .copied()
                .unwrap_or(Target::Reject),
            other => other,
        };
        builder.finish_into(entry, self);
    }

    /// The test with the new builder's number of the owner term.
    fn owner_test(&self, builder: &mut Builder, test: Test) -> Test {
        match test {
            Test::Owner(at) => match self.owners.get(at as usize) {
                Some(term) => builder.owner(term.clone()),
                None => test,
            },
            other => other,
        }
    }
}

/// The ways through a graph, while they are walked from the first decision to the last.
struct Ways<'g> {
    nodes: &'g [Node],
    facts: Facts<'g>,
    states: States,
}

impl Ways<'_> {
    /// Where the way leads that begins with this outcome.
    fn walk(&mut self, state: &mut Known, test: Test, outcome: bool, mut target: Target) -> Target {
        state.learn(&self.facts, test, outcome);
        for _ in 0..SKIPS {
            let next = self.past(state, target, DEPTH);
            if next == target {
                break;
            }
            target = next;
        }
        self.arrive(target, state);
        target
    }

    /// One more way to a decision: what is known there is what is known on all ways.
    fn arrive(&mut self, target: Target, state: &Known) {
        if let Target::Node(id) = target {
            match self.states.at(id.0 as usize) {
                Some(known) => known.keep_common(&mut self.facts, state),
                None => self.states.put(id.0 as usize, state),
            }
        }
    }

    /// Where a decision leads in any case when that is known; else the decision itself. Looks
    /// `depth` decisions that are open behind it: three protocols with the same ports, say.
    fn past(&self, state: &mut Known, target: Target, depth: u32) -> Target {
        let Target::Node(id) = target else {
            return target;
        };
        let Some(node) = self.nodes.get(id.0 as usize) else {
            return target;
        };
        match state.decides(&self.facts, node.test) {
            Some(true) => return node.yes,
            Some(false) => return node.no,
            None if depth == 0 => return target,
            None => {}
        }
        let (yes, no) = (node.yes, node.no);
        if !self.may_meet(yes, no) || !state.can_evaluate(&self.facts, node.test) {
            return target;
        }
        let mut behind = |outcome, next| {
            if !matches!(next, Target::Node(_)) {
                return next;
            }
            let before = state.suppose(&self.facts, node.test, outcome);
            let target = self.past(state, next, depth - 1);
            state.forget(before);
            target
        };
        // Each side may get to where the other one begins.
        let other = behind(false, no);
        if other == yes {
            return yes;
        }
        let one = behind(true, yes);
        if one == no || one == other {
            return one;
        }
        target
    }

    /// Whether one of the two leads to the other, or both to the same.
    fn may_meet(&self, yes: Target, no: Target) -> bool {
        let next = |target| match target {
            Target::Node(id) => self
                .nodes
                .get(id.0 as usize)
                .map(|node| [node.yes, node.no]),
            _ => None,
        };
        let (behind_yes, behind_no) = (next(yes), next(no));
        let to_yes = behind_no.is_some_and(|targets| targets.contains(&yes));
        let to_no = behind_yes.is_some_and(|targets| targets.contains(&no));
        let meet = behind_yes.zip(behind_no);
        to_yes
            || to_no
            || meet.is_some_and(|(one, other)| one.iter().any(|target| other.contains(target)))
    }
}

/// What is known at decisions to which ways lead, until they are walked. Few at a time.
struct States {
    /// By decision, the place in `known`.
    places: Vec<Option<usize>>,
    known: Vec<Known>,
    free: Vec<usize>,
}

impl States {
    fn new(nodes: usize) -> Self {
        Self {
            places: vec![None; nodes],
            known: Vec::new(),
            free: Vec::new(),
        }
    }

    fn at(&mut self, node: usize) -> Option<&mut Known> {
        let place = self.places.get(node).copied().flatten()?;
        self.known.get_mut(place)
    }

    fn put(&mut self, node: usize, known: &Known) {
        let place = self.free.pop().unwrap_or(self.known.len());
        match self.known.get_mut(place) {
            Some(slot) => *slot = *known,
            None => self.known.push(*known),
        }
        if let Some(slot) = self.places.get_mut(node) {
            *slot = Some(place);
        }
    }

    fn take(&mut self, node: usize) -> Option<Known> {
        let place = self.places.get_mut(node)?.take()?;
        self.free.push(place);
        self.known.get(place).copied()
    }
}

/// What is left of a test that leads to the same place in any case.
fn undecided(builder: &mut Builder, knowledge: Knowledge, test: Test, target: Target) -> Target {
    let Test::Compare {
        comparison,
        left,
        right,
    } = test
    else {
        // A chain reads headers, an owner nothing.
        return match (knowledge, test) {
            (Knowledge::All, Test::Chain { .. }) => builder.node(test, target, target),
            _ => target,
        };
    };
    let needed = comparison == Comparison::GreaterEqual && builder.as_constant(right) == Some(0);
    if knowledge == Knowledge::Equality && !needed {
        return target;
    }
    [right, left].into_iter().fold(target, |target, value| {
        if !builder.can_fail(value) {
            return target;
        }
        let right = builder.constant(0);
        let comparison = Comparison::GreaterEqual;
        let needs = Test::Compare {
            comparison,
            left: value,
            right,
        };
        builder.node(needs, target, target)
    })
}
