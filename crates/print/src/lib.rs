//! Packets as text: tcpdump's lines, and beside them whose packet it is.
//!
//! Give [`Printer::packet`] one packet after the other; it appends whole lines. Nothing here
//! knows files, clocks or sockets, and no input makes it panic: a packet that ends early is
//! printed as far as it goes, then ` [|proto]`; one that contradicts itself, then ` (invalid)`.
//!
//! One protocol, one file. A printer has the form
//! `fn udp(p: &mut Out, c: Cursor, length: usize, …) -> Result<(), Truncated>`: `c` holds the
//! bytes that were captured, `length` says how many there were on the wire, each `?` is a
//! place where the capture may end. What belongs where is decided by the tables in `link`,
//! `ethertype`, `ip_proto` and `port`.
//!
//! The text follows what tcpdump prints (4.99.3 as installed by distributions, and where they
//! differ the newer 5.x output), found out by comparing outputs.

#![forbid(unsafe_code)]
#![expect(
    clippy::single_match_else,
    reason = "a table's entry and what stands for a missing one read best as two arms"
)]
#![expect(
    clippy::match_same_arms,
    reason = "arms follow the numbers of a registry, in their order"
)]
#![expect(
    clippy::unnecessary_wraps,
    reason = "every printer has the form that the dispatch tables hold"
)]
#![expect(
    clippy::many_single_char_names,
    reason = "the bytes of a number or an address have no better names"
)]

mod afi;
mod ahcp;
mod ahead;
mod aodv;
mod aoe;
mod ap1394;
mod arcnet;
mod arista;
mod arp;
mod atalk;
mod atm;
mod autorp;
mod babel;
mod bcm_li;
mod beep;
mod bfd;
mod bgp;
mod bluetooth;
mod bootp;
mod brcm;
mod bsd_family;
mod carp;
mod cdp;
mod cfm;
mod chdlc;
mod checksum;
mod cip;
mod cnfp;
mod dccp;
mod decnet;
mod dhcp6;
mod dns;
mod dsa;
mod dtp;
mod dvmrp;
mod eap;
mod egp;
mod eigrp;
mod enc;
mod erspan;
mod esp;
mod ether;
mod ethertype;
mod fddi;
mod flows;
mod forces;
mod fr;
mod geneve;
mod geonet;
mod gmpls;
mod gre;
mod hexdump;
mod hncp;
mod hsrp;
mod icmp;
mod icmp6;
mod ieee80211;
mod ieee802154;
mod igmp;
mod igrp;
mod ip;
mod ip6;
mod ip_proto;
mod ipfc;
mod ipnet;
mod ipx;
mod isakmp;
mod isoclns;
mod juniper;
mod krb;
mod l2tp;
mod l2vpn;
mod ldp;
mod link;
mod lisp;
mod llc;
mod lldp;
mod lmp;
mod loopback;
mod lspping;
mod lwapp;
mod lwres;
mod m3ua;
mod macsec;
mod memory;
mod mobile;
mod mobility;
mod mpcp;
mod mpls;
mod mptcp;
mod msdp;
mod msnlb;
mod netanalyzer;
mod nflog;
mod nfs;
mod nhrp;
mod nlpid;
mod nsap;
mod nsh;
mod ntp;
mod null;
mod oam;
mod olsr;
mod openflow;
mod ospf;
mod ospf3;
mod oui;
mod out;
mod owner;
mod packet_type;
mod past;
mod pflog;
mod pgm;
mod pim;
mod port;
mod ppi;
mod ppp;
mod pppoe;
mod pptp;
mod protocol_names;
mod ptp;
mod put;
mod q933;
mod quic;
mod radiotap;
mod radius;
mod raw;
mod realtek;
mod resp;
mod rip;
mod rpki_rtr;
mod rsvp;
mod rtp;
mod rx;
mod sctp;
mod sflow;
mod slip;
mod sll;
mod slow;
mod snmp;
mod someip;
mod stp;
mod style;
mod sunrpc;
mod symantec;
mod syslog;
mod tcp;
mod telnet;
mod text;
mod tftp;
mod time;
mod timed;
mod tipc;
mod token_ring;
mod udld;
mod udp;
mod usb;
mod vqp;
mod vrrp;
mod vsock;
mod vtp;
mod vxlan;
mod wb;
mod zep;
mod zephyr;
mod zmtp1;

#[cfg(test)]
mod tests;

use pktwho_packet::Packet;

pub use ahead::{Drafter, Drafts, Turn};
pub use esp::Secrets;
pub use link::prints;
use out::Out;
pub use packet_type::PacketType;
use past::Past;
use put::put;
pub use style::{Context, Dump, Names, NoNames, Style, TimeStyle, Transport};
use time::{Clock, Since};

/// Prints packets in one style. Remembers what later packets need: times, TCP sequence
/// numbers; its memory is bounded.
#[derive(Debug)]
pub struct Printer {
    style: Style,
    clock: Clock,
    since: Since,
    past: Past,
    count: u64,
}

impl Printer {
    /// A printer that has seen nothing yet.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            clock: Clock::default(),
            since: Since::default(),
            past: Past::default(),
            count: 0,
        }
    }

    /// How packets are shown.
    pub fn style(&self) -> &Style {
        &self.style
    }

    /// Counts a packet that is not printed, for the numbers of those that are.
    pub fn pass(&mut self) {
        self.count += 1;
    }

    /// Appends the text of one packet to `out`: one line or several, each ended by `\n`.
    pub fn packet(&mut self, packet: &Packet<'_>, names: &mut dyn Names, out: &mut Vec<u8>) {
        self.packet_with(packet, &Beside::default(), names, out);
    }

    /// The same with what else is known of the packet.
    pub fn packet_with(
        &mut self,
        packet: &Packet<'_>,
        beside: &Beside<'_>,
        names: &mut dyn Names,
        out: &mut Vec<u8>,
    ) {
        let turn = self.turn(packet);
        self.print(packet, &turn, beside, names, out);
    }

    fn print(
        &mut self,
        packet: &Packet<'_>,
        turn: &Turn,
        beside: &Beside<'_>,
        names: &mut dyn Names,
        out: &mut Vec<u8>,
    ) {
        let (style, clock, past) = (&self.style, &mut self.clock, &mut self.past);
        text_of(packet, turn, beside, style, clock, past, names, out);
    }
}

/// Appends the text of a packet.
#[expect(
    clippy::too_many_arguments,
    reason = "what a packet says, what is known beside it, where it goes"
)]
fn text_of(
    packet: &Packet<'_>,
    turn: &Turn,
    beside: &Beside<'_>,
    style: &Style,
    clock: &mut Clock,
    past: &mut Past,
    names: &mut dyn Names,
    out: &mut Vec<u8>,
) {
    let mut p = Out::new(out, style, names, past);
    p.snaplen = packet.iface.snaplen;
    if style.number {
        padded_number(&mut p, turn.number);
    }
    if style.lengths {
        put!(p, "caplen ", packet.data.len(), ", len ");
        put!(p, packet.orig_len, ", ");
    }
    if is_impossible(packet) {
        return impossible(&mut p, packet);
    }
    clock.put(packet.time, turn.since, style, p.names, p.out);
    p.out.extend_from_slice(beside.note);
    let shown = owner::Shown::new(packet, style.context);
    match &shown {
        Some(shown) => shown.prefix(&mut p, packet),
        None if style.show_iface => owner::iface(&mut p, packet),
        None => {}
    }
    let start = p.out.len();
    let cut = link::print(&mut p, packet).is_err();
    if cut {
        p.truncated();
    }
    if let Some(shown) = &shown {
        annotate(&mut p, shown, start);
    }
    p.out.extend_from_slice(beside.lines);
    dump(&mut p, beside.bytes.unwrap_or(packet.data), cut);
    put!(p, "\n");
}

/// What is shown of a packet beside what its bytes say. All of it is fit for a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Stands between the time and the packet.
    pub note: &'a [u8],
    /// Stand under the packet's lines, each begun by a newline.
    pub lines: &'a [u8],
    /// Shown by `-x`, `-X` and `-A` in the place of the packet's own bytes; with the same headers.
    pub bytes: Option<&'a [u8]>,
}

/// The longest packet that there may be.
const LONGEST: usize = 262_144;

/// The captured length of a packet, and its own.
fn lengths(packet: &Packet<'_>) -> (usize, usize) {
    let length = usize::try_from(packet.orig_len).unwrap_or(usize::MAX);
    (packet.data.len(), length)
}

/// Whether the lengths of a packet cannot be.
fn is_impossible(packet: &Packet<'_>) -> bool {
    let (captured, length) = lengths(packet);
    !((1..=LONGEST).contains(&captured) && (captured..=LONGEST).contains(&length))
}

/// Says what cannot be of a packet's lengths.
fn impossible(p: &mut Out<'_>, packet: &Packet<'_>) {
    let (captured, length) = lengths(packet);
    put!(p, "[Invalid header:");
    let mut before = " ";
    if captured == 0 {
        put!(p, " caplen==0");
        before = ", ";
    }
    if length == 0 {
        put!(p, before, "len==0");
        before = ", ";
    } else if length < captured {
        put!(p, before, "len(", length, ") < caplen(", captured, ")");
        before = ", ";
    }
    if captured > LONGEST {
        put!(p, before, "caplen(", captured, ") > ", LONGEST);
        before = ", ";
    }
    if length > LONGEST {
        put!(p, before, "len(", length, ") > ", LONGEST);
    }
    put!(p, "]\n");
}

/// Five columns and two spaces.
fn padded_number(p: &mut Out<'_>, number: u64) {
    let mut width = 1_u64;
    for _ in 0..4 {
        width *= 10;
        if number < width {
            put!(p, " ");
        }
    }
    put!(p, number, "  ");
}

/// Adds the owner: at the end of the first line, or in lines of its own with `-v`.
fn annotate(p: &mut Out<'_>, shown: &owner::Shown<'_>, start: usize) {
    if p.verbose(1) {
        return shown.lines(p);
    }
    let end = p.out.len();
    shown.suffix(p);
    let added = p.out.len() - end;
    let text = p.out.get(start..end).unwrap_or_default();
    if let Some(line) = text.iter().position(|&byte| byte == b'\n')
        && let Some(tail) = p.out.get_mut(start + line..)
    {
        tail.rotate_right(added);
        p.past.moved(start + line, added);
    }
}

/// The bytes that `-x`, `-X` or `-A` asked for; `cut` is whether a printer missed some.
fn dump(p: &mut Out<'_>, data: &[u8], cut: bool) {
    // compat: of a packet that is cut behind its link-layer header, tcpdump shows the header, of one
    // that ends within it, nothing.
    let payload = match data.get(p.link_len..) {
        Some([]) => cut.then_some(data),
        payload => payload,
    };
    let link = matches!(
        p.style.dump,
        Dump::AsciiLink | Dump::HexLink | Dump::HexAsciiLink
    );
    let Some(payload) = payload.or(link.then_some(data)) else {
        return;
    };
    match p.style.dump {
        Dump::None => {}
        Dump::Ascii => hexdump::ascii(p, payload),
        Dump::AsciiLink => hexdump::ascii(p, data),
        Dump::Hex => hexdump::hex(p, "\n\t", payload),
        Dump::HexLink => hexdump::hex(p, "\n\t", data),
        Dump::HexAscii => hexdump::hex_ascii(p, "\n\t", payload),
        Dump::HexAsciiLink => hexdump::hex_ascii(p, "\n\t", data),
    }
}

/// A link-layer type that no printer knows.
fn unsupported(p: &mut Out<'_>, data: &[u8]) {
    put!(p, "UNSUPPORTED");
    p.unknown(data);
}
