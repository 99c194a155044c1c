//! One packet socket on one device, and the ring that it shares with the kernel.
//!
//! Promises: a packet is lent out once, in the order in which the device had it; a block of the
//! ring is given back when its last packet has been looked at.
//!
//! Source: packet(7), `linux/if_packet.h` (`TPACKET_V3`), the kernel's `packet_mmap.rst`.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use pktwho_filter::cbpf;
use pktwho_packet::Timestamp;
use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::sys::{self, Mapped};

/// The kernel hands a block over after this time at the latest, full or not (ms).
pub const BLOCK_TIME: u32 = 4;
/// A packet has to fit into one, headers included; longer ones are cut by the kernel.
const BLOCK: usize = 128 << 10;

/// `struct tpacket_block_desc`, with what follows in `union tpacket_bd_header_u`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct BlockHead {
    version: u32,
    offset_to_priv: u32,
    block_status: u32,
    num_pkts: u32,
    offset_to_first_pkt: u32,
    blk_len: u32,
    seq_num: u64,
    times: [u32; 4],
}

/// `struct tpacket3_hdr` and the `struct sockaddr_ll` behind it.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct PacketHead {
    next_offset: u32,
    sec: u32,
    nsec: u32,
    snaplen: u32,
    len: u32,
    status: u32,
    mac: u16,
    net: u16,
    rxhash: u32,
    vlan_tci: u32,
    vlan_tpid: u16,
    padding: u16,
    reserved: [u8; 8],
    family: u16,
    protocol: u16,
    ifindex: i32,
    hatype: u16,
    pkttype: u8,
    halen: u8,
    address: [u8; 8],
}

/// `TP_STATUS_…`
const USER: u32 = 1;
const VLAN_VALID: u32 = 0x10;
const VLAN_TPID_VALID: u32 = 0x40;

/// 802.1Q's tag, which the device has taken out of the packet.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    pub protocol: u16,
    pub control: u16,
}

/// A packet that is lent out.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    pub time: Timestamp,
    /// Without the tag.
    pub orig_len: u32,
    pub tag: Option<Tag>,
    /// `PACKET_HOST`, … (`linux/if_packet.h`).
    pub pkt_type: u8,
    pub data: &'a [u8],
}

#[derive(Debug)]
pub struct Tap {
    socket: OwnedFd,
    memory: Mapped,
    blocks: usize,
    /// The block that is looked at, whether it is ours, how many of its packets are left and
    /// where the next one lies.
    block: usize,
    ours: bool,
    left: u32,
    at: usize,
    /// Packets that have come, those that there was no room for among them, and packets that
    /// have been taken out of the ring.
    came: u64,
    dropped: u64,
    taken: u64,
}

impl Tap {
    /// Captures on a device from now on. `bytes`: of the ring, at least two blocks.
    ///
    /// # Errors
    /// What the kernel refuses; a program that it finds too long or unsafe among it.
    pub fn open(ifindex: u32, program: &[cbpf::Insn], bytes: u64) -> io::Result<Self> {
        let socket = sys::packet_socket()?;
        sys::packet_filter(socket.as_fd(), program)?;
        let blocks = usize::try_from(bytes).unwrap_or(usize::MAX) / BLOCK;
        let blocks = blocks.clamp(2, 4096);
        sys::packet_ring(socket.as_fd(), BLOCK, blocks, BLOCK_TIME)?;
        let memory = Mapped::new(socket.as_fd(), 0, blocks * BLOCK, true)?;
        sys::packet_bind(socket.as_fd(), ifindex)?;
        Ok(Self {
            socket,
            memory,
            blocks,
            block: 0,
            ours: false,
            left: 0,
            at: 0,
            came: 0,
            dropped: 0,
            taken: 0,
        })
    }

    /// Readable when a block is there.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Packets that there was no room for, so far.
    pub fn dropped(&mut self) -> u64 {
        self.count();
        self.dropped
    }

    fn count(&mut self) {
        // The kernel forgets what it has told.
        if let Ok((came, dropped)) = sys::packet_counts(self.socket.as_fd()) {
            self.came += came;
            self.dropped += dropped;
        }
    }

    /// Whether packets lie in a block that the kernel has not handed over yet.
    pub fn is_behind(&mut self) -> bool {
        self.count();
        let ahead = (usize::from(self.ours)..self.blocks)
            .map(|next| (self.block + next) % self.blocks)
            .map_while(|block| self.block_head(block));
        let ready: u64 = ahead.map(|head| u64::from(head.num_pkts)).sum();
        self.taken + u64::from(self.left) + ready + self.dropped < self.came
    }

    /// When the next packet came, if one is there.
    pub fn next_time(&mut self) -> Option<Timestamp> {
        while self.left == 0 {
            self.next_block()?;
        }
        self.head().map(|head| time_of(&head))
    }

    /// No packet reaches the ring any more.
    pub fn stop(&self) {
        let nothing = cbpf::Insn {
            code: cbpf::op::RET,
            jt: 0,
            jf: 0,
            k: 0,
        };
        // Where that is refused packets come until the socket is closed, and are not asked for.
        let _ = sys::packet_filter(self.socket.as_fd(), &[nothing]);
    }

    /// Lends out the next packet.
    pub fn take(&mut self) -> Option<Taken<'_>> {
        while self.left == 0 {
            self.next_block()?;
        }
        let head = self.head()?;
        let at = self.at;
        self.left -= 1;
        self.taken += 1;
        self.at = at.saturating_add(head.next_offset as usize);
        let data = self
            .memory
            .bytes(at + usize::from(head.mac), head.snaplen as usize);
        let protocol = match head.status & VLAN_TPID_VALID {
            0 => 0x8100,
            _ => head.vlan_tpid,
        };
        let tag = (head.status & VLAN_VALID != 0).then_some(Tag {
            protocol,
            control: u16::try_from(head.vlan_tci & 0xffff).unwrap_or(0),
        });
        Some(Taken {
            time: time_of(&head),
            orig_len: head.len,
            tag,
            pkt_type: head.pkttype,
            data,
        })
    }

    fn head(&self) -> Option<PacketHead> {
        let bytes = self.memory.bytes(self.at, size_of::<PacketHead>());
        PacketHead::read_from_bytes(bytes).ok()
    }

    /// Gives the block back, if it is ours, and goes to the next one that is.
    fn next_block(&mut self) -> Option<()> {
        if self.ours {
            let status = self.block * BLOCK + offset_of!(BlockHead, block_status);
            self.memory.store_u32_fenced(status, 0);
            self.ours = false;
            self.block = (self.block + 1) % self.blocks;
        }
        let head = self.block_head(self.block)?;
        self.ours = true;
        self.left = head.num_pkts;
        self.at = self.block * BLOCK + head.offset_to_first_pkt as usize;
        Some(())
    }

    /// The head of a block that has been handed over.
    fn block_head(&self, block: usize) -> Option<BlockHead> {
        let start = block * BLOCK;
        let status = start + offset_of!(BlockHead, block_status);
        if self.memory.load_u32(status) & USER == 0 {
            return None;
        }
        let bytes = self.memory.bytes(start, size_of::<BlockHead>());
        BlockHead::read_from_bytes(bytes).ok()
    }
}

fn time_of(head: &PacketHead) -> Timestamp {
    Timestamp {
        secs: head.sec.into(),
        nanos: head.nsec.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_of_the_kernel() {
        assert_eq!(
            size_of::<BlockHead>(),
            size_of::<libc::tpacket_block_desc>()
        );
        let address = size_of::<libc::tpacket3_hdr>();
        assert_eq!(offset_of!(PacketHead, family), address);
        assert_eq!(
            size_of::<PacketHead>(),
            address + size_of::<libc::sockaddr_ll>()
        );
        assert_eq!(offset_of!(PacketHead, vlan_tci), 32);
    }
}
