//! eBPF: a filter as a traffic classifier that decides on a packet by itself.
//!
//! What it promises: the verdict of the graph on the packet *as we store it*, whole, with the
//! VLAN tag back in its place that the kernel has taken out. It changes nothing and makes no
//! part of the packet linear.
//!
//! How: the graph is written down up to four times. Headers mostly lie in the linear part, so
//! the first copy reads them there by checked direct access, with no calls at all. Where
//! something lies elsewhere, or does not lie there at all, it goes over to a copy that asks
//! `bpf_skb_load_bytes` for everything, from the start: nothing has happened yet. Ethernet has
//! both copies once more for packets whose VLAN tag the kernel holds beside them.
//!
//! Oldest kernel: 5.10 (32-bit jumps, bounded loops). No `LD_ABS`: its way out is a verdict
//! that ends the chain for other programs on the hook.
//!
//! Source: Linux's `instruction-set.rst`, `linux/bpf.h`. Start reading at [`encode`].

mod assembler;
mod body;
mod chain;
mod load;
#[cfg(test)]
mod tests;
mod values;

pub use assembler::Insn;

use crate::graph::{Graph, Target, Test};
use assembler::{Assembler, CONTEXT, Label, Register, field};
use body::Body;

/// Where a filter's program stands and where it leads.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// Packets begin with an Ethernet header, so that the kernel may hold a VLAN tag beside them.
    pub ethernet: bool,
    /// The hook is that for packets going out.
    pub egress: bool,
    /// Try direct access first. Without, only the copies with calls are made (for tests).
    pub direct: bool,
    /// Where owners are known. None: a test on an owner accepts.
    pub owners: Option<Owners<'a>>,
    /// What is done with a packet that matches or may match; the context is in R6. Ends with
    /// an exit, as does the other.
    pub accept: &'a [Insn],
    pub reject: &'a [Insn],
}

/// What the terms about owners come to.
#[derive(Clone, Copy, Debug)]
pub struct Owners<'a> {
    /// Run at the start: leaves two masks on the stack, by the numbers in [`Test::Owner`]: which
    /// terms are known at R10-8 and which are true at R10-16. May use R0-R5; the context is in R6.
    ///
    /// [`Test::Owner`]: crate::graph::Test::Owner
    pub masks: &'a [Insn],
    /// Run before `accept` when a term was asked for that is not known. May use the same.
    pub unknown: &'a [Insn],
}

/// Why a filter has no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("expression too complex: arithmetic nests too deeply")]
    TooDeep,
    #[error("expression too complex: the program would be too long")]
    TooLong,
    #[error("expression too complex: more than 64 terms about owners")]
    TooManyOwners,
}

/// Bits of the masks.
pub const OWNERS_MAX: usize = 64;
const OWNERS: u32 = 64;

/// The instructions of the program.
///
/// # Errors
/// The filter is too large.
pub fn encode(graph: &Graph, targets: &Targets<'_>) -> Result<Vec<Insn>, Error> {
    if !graph.is_writable() {
        return Err(Error::TooDeep);
    }
    let is_beyond = |test: &Test| matches!(test, Test::Owner(at) if *at >= OWNERS);
    if targets.owners.is_some() && graph.nodes.iter().any(|node| is_beyond(&node.test)) {
        return Err(Error::TooManyOwners);
    }
    let mut code = Assembler::default();
    let (accept, reject, unknown) = (code.label(), code.label(), code.label());
    code.copy(CONTEXT, Register::R1);
    code.put_all(targets.owners.map_or(&[], |owners| owners.masks));
    match graph.entry {
        Target::Accept => code.jump(accept),
        Target::Reject => code.jump(reject),
        Target::Node(_) => {
            let ends = Ends {
                accept,
                reject,
                unknown,
            };
            bodies(graph, targets, &mut code, ends)?;
        }
    }
    // The kernel refuses instructions that are never reached.
    let is_unknown = code.is_used(unknown);
    if is_unknown {
        code.place(unknown);
        code.put_all(targets.owners.map_or(&[], |owners| owners.unknown));
    }
    if is_unknown || code.is_used(accept) {
        code.place(accept);
        code.put_all(targets.accept);
    }
    if code.is_used(reject) {
        code.place(reject);
        code.put_all(targets.reject);
    }
    code.finish()
}

/// Where a packet's way through the graph ends.
#[derive(Clone, Copy)]
struct Ends {
    accept: Label,
    reject: Label,
    unknown: Label,
}

fn bodies(
    graph: &Graph,
    targets: &Targets<'_>,
    code: &mut Assembler,
    ends: Ends,
) -> Result<(), Error> {
    let tagged = code.label();
    if targets.ethernet {
        code.context(Register::R0, field::VLAN_PRESENT);
        code.jump_unless_zero(Register::R0, tagged);
    }
    for with_tag in [false, true] {
        if with_tag && !targets.ethernet {
            break;
        }
        if with_tag {
            code.place(tagged);
        }
        if targets.direct {
            let calls = code.label();
            let fast = Body::new(graph, targets, code, ends);
            fast.write(with_tag, Some(calls))?;
            if !code.is_used(calls) {
                continue;
            }
            code.place(calls);
        }
        Body::new(graph, targets, code, ends).write(with_tag, None)?;
    }
    Ok(())
}
