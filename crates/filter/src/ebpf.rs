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

use crate::graph::{Graph, Target};
use assembler::{Assembler, CONTEXT, Register, field};
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
    /// Run at the start, where owners are known: leaves two masks by index of [`Graph::owners`]
    /// on the stack, which of them are known at R10-8 and which are so at R10-16. May use R0-R5;
    /// the context is in R6. None: a test on an owner accepts.
    pub owners: Option<&'a [Insn]>,
    /// What is done with a packet that matches or may match; the context is in R6. Ends with
    /// an exit, as does the other.
    pub accept: &'a [Insn],
    pub reject: &'a [Insn],
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

/// The instructions of the program.
///
/// # Errors
/// The filter is too large.
pub fn encode(graph: &Graph, targets: &Targets<'_>) -> Result<Vec<Insn>, Error> {
    if !graph.is_writable() {
        return Err(Error::TooDeep);
    }
    if targets.owners.is_some() && graph.owners.len() > OWNERS_MAX {
        return Err(Error::TooManyOwners);
    }
    let mut code = Assembler::default();
    let (accept, reject) = (code.label(), code.label());
    code.copy(CONTEXT, Register::R1);
    code.put_all(targets.owners.unwrap_or_default());
    match graph.entry {
        Target::Accept => code.jump(accept),
        Target::Reject => code.jump(reject),
        Target::Node(_) => bodies(graph, targets, &mut code, accept, reject)?,
    }
    // The kernel refuses instructions that are never reached.
    for (label, instructions) in [(accept, targets.accept), (reject, targets.reject)] {
        if code.is_used(label) {
            code.place(label);
            code.put_all(instructions);
        }
    }
    code.finish()
}

fn bodies(
    graph: &Graph,
    targets: &Targets<'_>,
    code: &mut Assembler,
    accept: assembler::Label,
    reject: assembler::Label,
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
            let fast = Body::new(graph, targets, code, (accept, reject));
            fast.write(with_tag, Some(calls))?;
            if !code.is_used(calls) {
                continue;
            }
            code.place(calls);
        }
        Body::new(graph, targets, code, (accept, reject)).write(with_tag, None)?;
    }
    Ok(())
}
