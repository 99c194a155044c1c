//! `bpf/abi.h` in Rust: the records that the kernel side writes and user space reads.
//!
//! Fields, order and padding are those of the C structures; the test below compares size and
//! every offset with the BTF of the compiled objects.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const SNAPLEN_MAX: u32 = 262_144;
pub const RING_HEADER: u32 = 4096;
pub const LONG_NAME_LEN: usize = 64;

pub const KIND_EXEC: u16 = 3;
pub const KIND_FORK: u16 = 4;
pub const KIND_EXIT: u16 = 5;
pub const KIND_RENAME: u16 = 6;
pub const KIND_EXISTING: u16 = 7;
pub const KIND_MOVED: u16 = 8;
pub const KIND_NEW_CGROUP: u16 = 9;

/// In place of another namespace's id: the packet's own.
pub const OUR_NSID: u32 = u32::MAX;
pub const GRE_KEYED: u8 = 1;
pub const GRE_ETHERNET: u8 = 2;

pub const SURE_NOT: u8 = 0;
pub const SURE_EXACT: u8 = 1;
pub const SURE_FLOW: u8 = 2;

pub const UNSEEN_NONE: u8 = 0;
pub const UNSEEN_SOME: u8 = 1;
pub const UNSEEN_ALL: u8 = 2;

pub const TERMS_PROCESS: u32 = 1;
pub const TERMS_PARENT: u32 = 2;
pub const TERMS_UID: u32 = 4;
pub const TERMS_TID: u32 = 8;
pub const TERMS_OTHER: u32 = 16;
pub const TERMS_CONTAINER: u32 = 32;

pub const TLS_HOOKS_MAX: u32 = 1024;
pub const TLS_HOOK_INDEX: u32 = 0xffff;
pub const TLS_STEPS_MAX: usize = 4;
pub const TLS_TEXT: u8 = 0;
pub const TLS_FIXED: u8 = 1;
pub const TLS_SIZED: u8 = 2;

/// Where [`Decision`] lies in a ring's control page.
pub const DECISION_OFFSET: usize = 2048;

/// Declares the structures and, for the test, the list of their fields.
macro_rules! abi {
    ($($(#[$doc:meta])* $name:ident = $c_name:literal { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(
                Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
            )]
            #[repr(C)]
            pub struct $name { $(pub $field: $type,)* }
        )*
        #[cfg(test)]
        const LAYOUT: &[(&str, usize, &[(&str, usize)])] = &[
            $(($c_name, size_of::<$name>(), &[
                $((stringify!($field), std::mem::offset_of!($name, $field)),)*
            ]),)*
        ];
    };
}

abi! {
    /// The process at one end of a packet; `sure` is `SURE_NOT` when nobody is known.
    OwnerRecord = "owner" {
        start: u64,
        pid: u32,
        tid: u32,
        uid: u32,
        sure: u8,
        pad: [u8; 3],
        thread: [u8; 16],
    }
    /// Head of every packet record; an [`OwnerPair`], if `owners` is not 0, and then `cap_len`
    /// bytes follow. Without one the owners are those of the ring's record before.
    PacketRecord = "packet_record" {
        size: u32,
        kind: u16,
        version: u16,
        time: u64,
        ifindex: u32,
        orig_len: u32,
        cap_len: u32,
        egress: u8,
        pkt_type: u8,
        undecided: u8,
        owners: u8,
        netns: u32,
        awaited: u8,
        pad: [u8; 3],
    }
    OwnerPair = "owner_pair" {
        receiver: OwnerRecord,
        sender: OwnerRecord,
    }
    RingControl = "ring_control" {
        head: u64,
        stored: u64,
        lost_full: u64,
        lost_busy: u64,
        lost_unreadable: u64,
        busy: u32,
        pad0: u32,
        pad1: [u64; 2],
        tail: u64,
        pad2: [u64; 7],
    }
    ReaderState = "reader_state" {
        sleeping: u32,
        wake_bytes: u32,
        lost_no_ring: u64,
        lost_events: u64,
        open_connections: i64,
        changes: u64,
        homes: u64,
        watching: u64,
        entered_flows: u64,
        entered_cookies: u64,
        entered_fragments: u64,
    }
    /// Head of every process event; `exe_len` and then `args_len` bytes follow.
    EventRecord = "process_event" {
        size: u32,
        kind: u16,
        version: u16,
        time: u64,
        start: u64,
        parent_start: u64,
        pid: u32,
        parent_pid: u32,
        uid: u32,
        exe_len: u16,
        args_len: u16,
        args_cut: u8,
        exe_cut: u8,
        pad: [u8; 6],
        cgroup: u64,
        name: [u8; 16],
    }
    /// An address of another network namespace; IPv4 as `::ffff:a.b.c.d`.
    HomeKey = "home_key" {
        address: [u8; 16],
        netns: u32,
    }
    /// The namespace that has an address.
    Home = "home" {
        nsid: u32,
        via: u32,
        netns: u32,
    }
    /// The namespace that a device leads to.
    Beyond = "beyond" {
        nsid: u32,
        forwards: u32,
        ifindex: u32,
    }
    /// A tunnel of the kernel's own; addresses as in [`HomeKey`], zeros for any.
    TunnelKey = "tunnel_key" {
        local: [u8; 16],
        remote: [u8; 16],
        netns: u32,
        nsid: u32,
        key: u32,
        protocol: u8,
        gre: u8,
        pad: [u8; 2],
    }
    ProcessKey = "process_key" {
        start: u64,
        pid: u32,
        pad: u32,
    }
    ProcessAnswer = "process_answer" {
        is: u64,
        parent: ProcessKey,
        cgroup: u64,
    }
    /// What the terms about containers come to in a cgroup.
    CgroupAnswer = "cgroup_answer" {
        known: u64,
        is: u64,
    }
    /// What a packet's owner terms come to, for the second filter program.
    Decision = "decision" {
        known: u64,
        is: u64,
        undecided: u8,
        pad: [u8; 7],
    }
    /// A device and a direction.
    DeviceKey = "device_key" {
        netns: u32,
        ifindex: u32,
    }
    LossKey = "loss_key" {
        netns: u32,
        ifindex: u32,
        cause: u32,
    }
    /// Constants of one capture.
    Config = "config" {
        either: u64,
        sender: u64,
        receiver: u64,
        own: u64,
        other: u64,
        by_process: u64,
        by_parent: u64,
        by_uid: u64,
        by_tid: u64,
        by_container: u64,
        followed: u64,
        inherited: u64,
        counted: u64,
        filter_mask: u32,
        snaplen: u32,
        ring_size: u32,
        netns: u32,
        asks_current: u8,
        owners: u8,
        tracking: u8,
        reads_context: u8,
        multipath: u8,
        unseen: u8,
        pad: [u8; 2],
    }
    /// An address: a register's value, followed through pointers.
    TlsPlace = "tls_place" {
        reg: u16,
        steps: u8,
        pad: u8,
        step: [i32; TLS_STEPS_MAX],
        add: i32,
    }
    TlsOperand = "tls_operand" {
        place: TlsPlace,
        length: u32,
        length_reg: u16,
        kind: u8,
        pad: u8,
    }
    /// One function that is given secrets.
    TlsHook = "tls_hook" {
        label: TlsOperand,
        client_random: TlsOperand,
        secret: TlsOperand,
        unreadable: u64,
        lost: u64,
    }
    /// A function that is hooked in one process by the processor itself.
    TlsBreakpoint = "tls_breakpoint" {
        address: u64,
        pid: u32,
        pad: u32,
    }
    /// A secret as a process handed it on, unchecked.
    TlsSecret = "tls_secret" {
        time: u64,
        start: u64,
        cgroup: u64,
        pid: u32,
        tid: u32,
        uid: u32,
        hook: u32,
        label_len: u32,
        secret_len: u32,
        name: [u8; 16],
        exe: Bytes<64>,
        ancestors: [u32; 8],
        client_random: [u8; 32],
        label: Bytes<64>,
        secret: Bytes<128>,
    }
    TlsConfig = "tls_config" {
        ancestors: u8,
        pad: [u8; 7],
    }
}

/// Bytes in an array of a length for which the standard library has no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

/// A NUL-padded kernel string without its padding.
pub fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::LAYOUT;
    use libbpf_rs::HasSize;
    use libbpf_rs::btf::Btf;
    use libbpf_rs::btf::types::{MemberAttr, Struct};

    #[test]
    fn the_kernel_side_has_the_same_layout() {
        let btf = Btf::from_path(concat!(env!("OUT_DIR"), "/abi.bpf.o")).expect("object with BTF");
        for (name, size, fields) in LAYOUT {
            let kernel = btf.type_by_name::<Struct<'_>>(name).expect(name);
            assert_eq!(kernel.size(), *size, "size of struct {name}");
            let offsets: Vec<(String, usize)> = kernel
                .iter()
                .map(|member| {
                    let name = member.name.expect("named").to_string_lossy().into_owned();
                    match member.attr {
                        MemberAttr::Normal { offset } => (name, offset as usize / 8),
                        MemberAttr::BitField { .. } => panic!("bit field {name}"),
                    }
                })
                .collect();
            let ours: Vec<(String, usize)> = fields
                .iter()
                .map(|(field, offset)| ((*field).to_owned(), *offset))
                .collect();
            assert_eq!(offsets, ours, "fields of struct {name}");
        }
    }
}
