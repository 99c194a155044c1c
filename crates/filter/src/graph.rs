//! A filter for one link type: tests on values, joined by their outcomes.
//!
//! The graph has no cycles and no state, so that everything that is true on a way through it
//! stays true: what was loaded is the same when it is loaded again, what was compared need not
//! be compared again. All four consumers (eBPF, classic BPF, the user-space machine, the
//! optimiser) read this form.
//!
//! Meaning: start at [`Graph::entry`], evaluate the node's test, go on to `yes` or `no`. A load
//! beyond the captured bytes, a division or remainder by zero rejects the packet at once.

use crate::tree::{Operator, OwnerTerm};

/// Index into [`Graph::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// Index into [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A filter for packets of one link type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Equal values stand here once; operands come before what uses them.
    pub values: Vec<Value>,
    /// A node comes before those it leads to.
    pub nodes: Vec<Node>,
    /// What [`Test::Owner`] and facts beyond the bytes refer to.
    pub owners: Vec<OwnerTerm>,
    pub entry: Target,
}

/// A 32-bit number that is got from a packet. Arithmetic wraps; a shift by 32 or more gives 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    Constant(u32),
    /// Length of the packet on the wire.
    Length,
    /// Big-endian bytes of the packet at `base + offset` from the start of the link-layer header.
    /// No base is 0. The sum does not wrap: above 32 bits it lies beyond every packet.
    Load {
        size: Size,
        base: Option<ValueId>,
        offset: u32,
    },
    Binary {
        operator: Operator,
        left: ValueId,
        right: ValueId,
    },
    /// A fact that came with the packet.
    Fact(Fact),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    Byte,
    Half,
    Word,
}

/// Facts about a packet that its bytes do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// 0 unknown, 1 in, 2 out ([`pktwho_packet::Direction`]).
    Direction,
    /// The kernel's interface index; 0 when unknown.
    Ifindex,
    /// 1 when the kernel holds a VLAN tag beside the bytes, else 0. In user space always 0: the
    /// tag is in the bytes.
    VlanPresent,
    /// The tag's protocol (0x8100, …) and its priority, DEI and id, when it is present.
    VlanProtocol,
    VlanTag,
}

/// Most headers that [`Test::Chain`] looks at.
pub const CHAIN_HEADERS: u32 = 128;

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub test: Test,
    pub yes: Target,
    pub no: Target,
}

/// Where a decision leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    #[default]
    Accept,
    Reject,
    Node(NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Unsigned.
    Compare {
        comparison: Comparison,
        left: ValueId,
        right: ValueId,
    },
    /// Index into [`Graph::owners`]. In the kernel it may be *not known yet*: such a packet
    /// goes on to where owners are known.
    Owner(u32),
    /// `protochain`: is `protocol` among the headers that begin with the one at `base + offset`, an IPv4
    /// (`version` 4) or IPv6 (6) header?
    ///
    /// `next` is the header's protocol or next header, `at` where its payload begins, counted
    /// from there (4 times the IHL, or 40). Then, [`CHAIN_HEADERS`] times at most: yes if
    /// `next` is `protocol`; no if it is 59; if it is 51 (AH), `next` is the byte at `at`, and
    /// `at` becomes 4 times (the byte behind it + 2); if it is 0, 43, 44 or 60 and the version
    /// is 6, `next` is the byte at `at`, and `at` grows by 8 times (the byte behind it + 1);
    /// no if it is anything else, and after the last time.
    ///
    /// compat: that AH's length is counted from the first header is what libpcap's programs do
    /// (1.10); that they may loop for ever is left out.
    Chain {
        version: u8,
        base: Option<ValueId>,
        offset: u32,
        protocol: u8,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    Equal,
    Greater,
    GreaterEqual,
    /// `left & right` is not 0.
    AnyBit,
}
