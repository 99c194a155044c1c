//! The user's filter: words, flags and metadata as one tree, and programs from it for the
//! devices that packets come from.
//!
//! Source of truth: tcpdump 4.99.3 for what is said, and when.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use pktwho_filter::graph::Graph;
use pktwho_filter::tree::{End, Glob, OwnerIs, OwnerTerm, Tree};
use pktwho_filter::{Device, Error, Names, Reason};

use crate::failure;
use crate::plan::{self, Expression, OwnerFilter};
use crate::privileges;

/// A filter, read and parsed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What places in errors refer to.
    text: String,
    tree: Tree,
    no_optimize: bool,
}

impl Filter {
    /// Reads and parses what was asked for; `owners` has to hold too.
    ///
    /// # Errors
    /// The file cannot be read; the text is no filter.
    pub fn new(plan: &plan::Filter, owners: &OwnerFilter) -> Result<Self> {
        let text = match &plan.expression {
            Expression::Words(words) => words.clone(),
            Expression::File(path) => read(path)?,
        };
        let tree = pktwho_filter::parse(&text).map_err(|error| refused(error, &text))?;
        let tree = tree.and(owner_terms(owners));
        let tree = match &plan.metadata {
            Some(metadata) => tree.and(metadata.tree.clone()),
            None => tree,
        };
        Ok(Self {
            text,
            tree,
            no_optimize: plan.no_optimize,
        })
    }

    /// Whether every packet is wanted.
    pub fn is_empty(&self) -> bool {
        self.tree.root.is_none()
    }

    /// Whether it tells flows apart, and not packets of one flow.
    pub fn takes_whole_flows(&self) -> bool {
        self.tree.takes_whole_flows()
    }

    /// Its terms about owners.
    pub fn owner_terms(&self) -> impl Iterator<Item = &OwnerTerm> {
        self.tree.owner_terms()
    }

    /// The program for packets of `device`.
    ///
    /// # Errors
    /// The device has not what the filter asks for; a name is unknown; no packet could pass.
    pub fn graph(&self, device: &Device, names: &mut dyn Names) -> Result<Graph> {
        let refused = |error| refused(error, &self.text);
        let mut graph = pktwho_filter::lower(&self.tree, device, names).map_err(refused)?;
        if self.no_optimize {
            return Ok(graph);
        }
        if graph.shrink() && !self.tree.is_about_owners() {
            let nothing_passes = Error {
                reason: Reason::RejectsAll,
                span: None,
            };
            return Err(refused(nothing_passes));
        }
        Ok(graph)
    }
}

/// The flags that name processes, as terms: of each kind one value has to hold, all for one end
/// of the packet.
fn owner_terms(owners: &OwnerFilter) -> Tree {
    let kinds = [
        owners.pids.iter().map(|&pid| OwnerIs::Pid(pid)).collect(),
        owners.uids.iter().map(|&uid| OwnerIs::Uid(uid)).collect(),
        owners
            .names
            .iter()
            .map(|name| OwnerIs::Name(Glob::exactly(name)))
            .collect::<Vec<_>>(),
        owners.containers.clone(),
        owners.pods.clone(),
    ];
    let given = kinds.iter().filter(|values| !values.is_empty()).count();
    let ends: &[End] = match given {
        0 => return Tree::default(),
        1 => &[End::Either],
        _ => &[End::Sender, End::Receiver],
    };
    let of_end = |&end: &End| {
        let any_of = |values: &Vec<OwnerIs>| {
            let terms = values.iter().map(|is| OwnerTerm {
                end,
                is: is.clone(),
            });
            terms.map(Tree::from).reduce(Tree::or)
        };
        kinds.iter().filter_map(any_of).reduce(Tree::and)
    };
    let either = ends.iter().filter_map(of_end).reduce(Tree::or);
    either.unwrap_or_default()
}

/// The text of `-F`. compat: a `#` and what follows it on the line count as blanks (4.99.3).
fn read(path: &Path) -> Result<String> {
    let bytes = privileges::read(path)
        .map_err(failure::worded)
        .with_context(|| format!("can't open {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let blank = |line: &str| match line.find('#') {
        Some(at) => line
            .char_indices()
            .map(|(i, c)| if i < at || c == '\n' { c } else { ' ' })
            .collect(),
        None => line.to_owned(),
    };
    Ok(text.split_inclusive('\n').map(blank).collect())
}

/// A filter that is refused, and where.
#[derive(Debug)]
pub struct Refused {
    error: Error,
    pub caret: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Refused {}

fn refused(error: Error, text: &str) -> anyhow::Error {
    let caret = error.caret(text);
    Refused { error, caret }.into()
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{
        Confidence, Direction, Iface, LinkType, Owner, Packet, Process, ProcessId, Reception,
        ThreadName, Timestamp,
    };

    use super::*;
    use pktwho_filter::{Machine, NoNames};

    fn process(pid: u32, name: &str, uid: u32) -> Process {
        Process {
            id: ProcessId { pid, start: 1 },
            name: name.into(),
            uid: Some(uid),
            ..Process::default()
        }
    }

    /// Whether a packet from the first to the second process passes.
    fn passes(owners: &OwnerFilter, sender: &Process, receiver: &Process) -> bool {
        let filter = Filter::new(&plan::Filter::default(), owners).unwrap();
        let device = Device {
            link_type: LinkType::ETHERNET,
            ..Device::default()
        };
        let graph = filter.graph(&device, &mut NoNames).unwrap();
        let owner = |process| {
            Some(Owner {
                process,
                parent: None,
                tid: 0,
                thread: ThreadName::default(),
                uid: None,
                confidence: Confidence::Exact,
            })
        };
        let iface = Iface::default();
        let packet = Packet {
            time: Timestamp::default(),
            iface: &iface,
            data: &[],
            orig_len: 0,
            direction: Direction::Unknown,
            reception: Reception::Unspecified,
            sender: owner(sender),
            receiver: owner(receiver),
        };
        Machine::new(&graph).accepts(packet.data, packet.orig_len, &packet)
    }

    #[test]
    fn one_value_of_each_flag_holds_for_one_end() {
        let (init, curl, sh) = (
            process(1, "init", 0),
            process(7, "curl", 8),
            process(9, "sh", 8),
        );
        let none = OwnerFilter::default();
        assert!(passes(&none, &init, &curl));
        let pids = OwnerFilter {
            pids: vec![7, 99],
            ..none.clone()
        };
        assert!(passes(&pids, &init, &curl) && passes(&pids, &curl, &init));
        assert!(!passes(&pids, &init, &sh));
        let both = OwnerFilter {
            uids: vec![8],
            names: vec!["init".into(), "curl".into()],
            ..none
        };
        assert!(passes(&both, &init, &curl));
        assert!(!passes(&both, &init, &sh));
    }

    #[test]
    fn places_of_errors_are_shown() {
        let plan = plan::Filter {
            expression: Expression::Words("tcp prt 80".to_owned()),
            ..plan::Filter::default()
        };
        let error = Filter::new(&plan, &OwnerFilter::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "can't parse filter expression: syntax error"
        );
        let refused: &Refused = error.downcast_ref().unwrap();
        assert_eq!(refused.caret, "tcp prt 80\n    ^^^\n");
    }
}
