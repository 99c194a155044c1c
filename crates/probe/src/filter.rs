//! The user's filter as programs of the kernel.
//!
//! The first program hangs on a device and decides on what the packet itself says; a term about
//! owners lets it pass. Where there are such terms, the capture program finds the owners and
//! calls the second one: the same graph, which then knows what each term comes to
//! (`bpf/filter.bpf.c`). Devices whose graphs are the same share their programs.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use pktwho_filter::ebpf::{self, Owners, Targets};
use pktwho_filter::graph::{Graph, Test};
use pktwho_packet::{Iface, LinkType};
use zerocopy::IntoBytes;

use crate::Error;
use crate::abi::{DECISION_OFFSET, Decision, DeviceKey, RingControl};
use crate::load::Programs;
use crate::sys::{self, Insn};
use crate::terms::Terms;

/// Makes the graph for the packets of a device; an error is words for the user.
pub type Lower = Box<dyn FnMut(&Iface) -> Result<Graph, String> + Send>;

/// Which packets are wanted.
#[derive(Default)]
pub struct Filter {
    /// Asked once for each device. None: every packet.
    pub lower: Option<Lower>,
    /// Of a flow of TCP, UDP or SCTP all packets pass on the way to where owners are found, in both
    /// directions, or none does; and nothing else passes.
    pub whole_flows: bool,
    /// Descendants of a process that a term names by id or by name are meant too.
    pub follow: bool,
    /// Processes that have to run when the capture begins.
    pub must_run: Vec<u32>,
    /// The process whose open connections, and its descendants', are counted; a term has to
    /// name it by this id.
    pub counted: Option<u32>,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("follow", &self.follow)
            .finish_non_exhaustive()
    }
}

impl Filter {
    /// # Errors
    /// What the filter asks for, the device has not.
    pub(crate) fn graph(&mut self, iface: &Iface) -> Result<Graph, Error> {
        match &mut self.lower {
            None => Ok(Graph::default()),
            Some(lower) => lower(iface).map_err(|reason| Error::Filter { reason }),
        }
    }
}

/// `TCP_ESTABLISHED` (`net/tcp_states.h`), which connected UDP sockets are in as well.
const ESTABLISHED: i32 = 1;

/// Places in the map `deciders`.
const FILTERS: u32 = 1024;

/// What tells programs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    /// Place in `graphs`.
    graph: usize,
    ethernet: bool,
    egress: bool,
    /// Under the name of filters on a clsact of ours; see attach.rs.
    owning: bool,
}

/// The loaded programs.
#[derive(Debug)]
pub struct Filters {
    terms: Terms,
    /// Each has its owner terms by bit.
    graphs: Vec<Graph>,
    first: HashMap<Kind, Arc<OwnedFd>>,
    /// Places in `deciders`; the map keeps the programs.
    second: HashMap<Kind, u32>,
    matched: OwnedFd,
    rings: OwnedFd,
    /// What is done about the sender of a packet that is not wanted.
    refused: Refused,
}

/// What is looked at of packets that are sent and not wanted: who uses the socket now, which the
/// next packet of it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// The kernel lets no program look there.
    Nothing,
    /// Sockets which may have other flows than this packet's.
    Unconnected,
    Everything,
}

impl Filters {
    /// # Errors
    /// A map is missing.
    pub fn new(programs: &Programs, terms: Terms, filter: &Filter) -> Result<Self, Error> {
        let refused = match (programs.looks_at_devices(), filter.whole_flows) {
            (false, _) => Refused::Nothing,
            (true, true) => Refused::Unconnected,
            (true, false) => Refused::Everything,
        };
        Ok(Self {
            refused,
            terms,
            graphs: Vec::new(),
            first: HashMap::new(),
            second: HashMap::new(),
            matched: programs.map("matched")?,
            rings: programs.map("rings")?,
        })
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Takes in a device's graph; gives what to call it by.
    ///
    /// # Errors
    /// It has more terms about owners than there are bits.
    pub fn add(&mut self, mut graph: Graph) -> Result<usize, Error> {
        for node in &mut graph.nodes {
            let Test::Owner(at) = node.test else {
                continue;
            };
            let term = usize::try_from(at).ok().and_then(|at| graph.owners.get(at));
            let place = term.and_then(|term| self.terms.place(term));
            node.test = Test::Owner(place.ok_or_else(|| too_complex(ebpf::Error::TooManyOwners))?);
        }
        graph.owners.clear();
        if let Some(known) = self.graphs.iter().position(|known| *known == graph) {
            return Ok(known);
        }
        self.graphs.push(graph);
        Ok(self.graphs.len() - 1)
    }

    /// The program that hangs on a device.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn first(
        &mut self,
        graph: usize,
        link_type: LinkType,
        egress: bool,
        owning: bool,
    ) -> io::Result<Arc<OwnedFd>> {
        let kind = Kind {
            graph,
            ethernet: link_type == LinkType::ETHERNET,
            egress,
            owning,
        };
        if let Some(program) = self.first.get(&kind) {
            return Ok(Arc::clone(program));
        }
        let slot = i32::from(egress) + if kind.ethernet { 0 } else { 2 };
        let accept = [self.tail_call(slot), next()].concat();
        let reject = if egress { self.refuse(kind) } else { next() };
        let program = self.encode(kind, None, &accept, &reject)?;
        let name = if owning { OWNING } else { c"pktwho_filter" };
        let program = Arc::new(sys::load_classifier(name, &program)?);
        self.first.insert(kind, Arc::clone(&program));
        Ok(program)
    }

    /// Sees to it that packets of the device are decided on once their owners are known.
    ///
    /// # Errors
    /// The kernel refuses the program.
    pub fn decide(
        &mut self,
        programs: &Programs,
        graph: usize,
        iface: &Iface,
        egress: bool,
    ) -> Result<(), Error> {
        if self.terms.is_empty() {
            return Ok(());
        }
        let kind = Kind {
            graph,
            ethernet: iface.link_type == LinkType::ETHERNET,
            egress,
            owning: false,
        };
        let place = if let Some(&place) = self.second.get(&kind) {
            place
        } else {
            let place = u32::try_from(self.second.len()).unwrap_or(FILTERS);
            if place >= FILTERS {
                // User space decides.
                return Ok(());
            }
            let program = self.load_second(kind).map_err(|error| Error::Load {
                reason: format!("filter: {error}"),
            })?;
            let value = program.as_raw_fd();
            programs.update("deciders", place.as_bytes(), value.as_bytes())?;
            self.second.insert(kind, place);
            place
        };
        let key = DeviceKey {
            netns: iface.netns.map_or(0, |netns| netns.0),
            ifindex: iface.index << 1 | u32::from(egress),
        };
        programs.update("decider_of", key.as_bytes(), place.as_bytes())
    }

    fn load_second(&self, kind: Kind) -> io::Result<OwnedFd> {
        let slot = if kind.ethernet { 4 } else { 5 };
        let release = [self.with_control(&release()), next()].concat();
        let accept = [self.tail_call(slot), release.clone()].concat();
        let owners = Owners {
            masks: &self.masks(),
            unknown: &self.with_control(&undecided()),
        };
        let program = self.encode(kind, Some(owners), &accept, &release)?;
        sys::load_classifier(c"pktwho_decider", &program)
    }

    fn encode(
        &self,
        kind: Kind,
        owners: Option<Owners<'_>>,
        accept: &[ebpf::Insn],
        reject: &[ebpf::Insn],
    ) -> io::Result<Vec<Insn>> {
        let targets = Targets {
            ethernet: kind.ethernet,
            egress: kind.egress,
            direct: true,
            owners,
            accept,
            reject,
        };
        let graph = self.graphs.get(kind.graph).ok_or(io::ErrorKind::NotFound)?;
        ebpf::encode(graph, &targets)
            .map(|program| instructions(&program))
            .map_err(io::Error::other)
    }

    /// Jumps to a capture program: `bpf_tail_call(R6, matched, slot)`.
    fn tail_call(&self, slot: i32) -> Vec<ebpf::Insn> {
        const TAIL_CALL: i32 = 12;
        let [low, high] = map(2, self.matched.as_fd());
        vec![
            insn(0xbf, pair(1, 6), 0, 0),
            low,
            high,
            insn(0xb7, 3, 0, slot),
            insn(0x85, 0, 0, TAIL_CALL),
        ]
    }

    /// Has the sender of a packet that is not wanted looked at, where that may matter; see
    /// `bpf/sends.bpf.c`.
    fn refuse(&self, kind: Kind) -> Vec<ebpf::Insn> {
        const SK_FULLSOCK: i32 = 95;
        /// Of `sk` in `struct __sk_buff` (`linux/bpf.h`).
        const SOCKET: i16 = 168;
        let field = |offset: usize| insn(0x61, pair(1, 0), place_of(offset), 0);
        let slot = if kind.ethernet { 7 } else { 8 };
        let chosen = match self.refused {
            Refused::Nothing => return next(),
            Refused::Everything => Vec::new(),
            // The jumps go to `next`, over the rest and the tail call of 5.
            Refused::Unconnected => vec![
                insn(0x85, 0, 0, SK_FULLSOCK),
                insn(0x15, 0, 9, 0),
                field(offset_of!(libbpf_sys::bpf_sock, protocol)),
                insn(0x15, 1, 7, libc::IPPROTO_TCP),
                field(offset_of!(libbpf_sys::bpf_sock, state)),
                insn(0x15, 1, 5, ESTABLISHED),
            ],
        };
        let look = [chosen, self.tail_call(slot)].concat();
        let socket = [
            insn(0x79, pair(1, 6), SOCKET, 0),
            insn(0x15, 1, place_of(look.len()), 0),
        ];
        [&socket[..], &look, &next()].concat()
    }

    /// Looks up the control page of this CPU's ring and runs `then` with it in R0, if there is
    /// one.
    fn with_control(&self, then: &[ebpf::Insn]) -> Vec<ebpf::Insn> {
        const MAP_LOOKUP: i32 = 1;
        const PROCESSOR_ID: i32 = 8;
        const KEY: i16 = -24;
        let [low, high] = map(1, self.rings.as_fd());
        let skip = i16::try_from(then.len()).unwrap_or(i16::MAX);
        let look_up = [
            insn(0x85, 0, 0, PROCESSOR_ID),
            insn(0x63, 10, KEY, 0),
            low,
            high,
            insn(0xbf, pair(2, 10), 0, 0),
            insn(0x07, 2, 0, KEY.into()),
            insn(0x85, 0, 0, MAP_LOOKUP),
            insn(0x15, 0, skip, 0),
        ];
        [&look_up, then].concat()
    }

    /// What the terms come to, onto the stack; nothing is known where there is no ring.
    fn masks(&self) -> Vec<ebpf::Insn> {
        let copy = |field: usize, to: i16| {
            [
                insn(0x79, 1, place_of(DECISION_OFFSET + field), 0),
                insn(0x7b, pair(10, 1), to, 0),
            ]
        };
        let nothing = [insn(0x7a, 10, -8, 0), insn(0x7a, 10, -16, 0)];
        let copies = [
            copy(offset_of!(Decision, known), -8),
            copy(offset_of!(Decision, is), -16),
        ]
        .concat();
        [&nothing[..], &self.with_control(&copies)].concat()
    }
}

/// The name of filters on a clsact that a pktwho has made; see attach.rs.
pub const OWNING: &std::ffi::CStr = c"pktwho_owning";

fn too_complex(error: ebpf::Error) -> Error {
    Error::Filter {
        reason: error.to_string(),
    }
}

fn insn(code: u8, registers: u8, offset: i16, immediate: i32) -> ebpf::Insn {
    ebpf::Insn {
        code,
        registers,
        offset,
        immediate,
    }
}

/// Destination and source register.
fn pair(to: u8, from: u8) -> u8 {
    to | from << 4
}

fn place_of(offset: usize) -> i16 {
    i16::try_from(offset).unwrap_or(i16::MAX)
}

/// A map into a register: an instruction of two slots.
fn map(register: u8, map: BorrowedFd<'_>) -> [ebpf::Insn; 2] {
    const PSEUDO_MAP_FD: u8 = 1;
    [
        insn(0x18, pair(register, PSEUDO_MAP_FD), 0, map.as_raw_fd()),
        insn(0, 0, 0, 0),
    ]
}

/// Lets the next program, or the stack, decide.
fn next() -> Vec<ebpf::Insn> {
    const NEXT: i32 = -1;
    vec![insn(0xb7, 0, 0, NEXT), insn(0x95, 0, 0, 0)]
}

/// The ring is free for the next packet: nothing is stored of this one. R0: its control page.
fn release() -> [ebpf::Insn; 1] {
    [insn(0x62, 0, place_of(offset_of!(RingControl, busy)), 0)]
}

/// User space is to decide. R0: the ring's control page.
fn undecided() -> [ebpf::Insn; 1] {
    let place = place_of(DECISION_OFFSET + offset_of!(Decision, undecided));
    [insn(0x72, 0, place, 1)]
}

/// The instructions as bpf(2) takes them.
fn instructions(program: &[ebpf::Insn]) -> Vec<Insn> {
    program
        .iter()
        .map(|insn| Insn {
            code: insn.code,
            registers: insn.registers,
            offset: insn.offset,
            immediate: insn.immediate,
        })
        .collect()
}

#[cfg(test)]
mod tests;
