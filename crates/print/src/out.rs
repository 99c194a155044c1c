//! What every protocol printer is given: where the text goes, how it is wanted, and the few
//! things several protocols print alike.

use std::borrow::Cow;
use std::net::IpAddr;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::ip_proto::Ip;
use crate::past::{Origin, Past};
use crate::port::Ends;
use crate::put::{Pairs, Put, put};
use crate::{Dump, Names, Style, Transport};
use crate::{oui, protocol_names};

/// What a printer returns: whether the packet's bytes sufficed. When they did not, the driver
/// adds ` [|name]` with the name of the protocol that ran out.
pub(crate) type Printed = Result<(), Truncated>;

/// What stands out in a colour of its own.
#[derive(Clone, Copy)]
pub(crate) enum Color {
    Owner,
    Address,
}

impl Color {
    /// The sequence that begins it (ECMA-48, select graphic rendition).
    fn start(self) -> &'static str {
        match self {
            Self::Owner => "\x1b[1;32m",
            Self::Address => "\x1b[36m",
        }
    }
}

/// Protocols inside protocols are followed this deep; packets can hold thousands of headers.
const MAX_DEPTH: u8 = 64;

/// The packet being printed.
#[expect(
    clippy::struct_field_names,
    reason = "`put!` writes to a field of this name, of whatever type"
)]
pub(crate) struct Out<'p> {
    pub(crate) out: &'p mut Vec<u8>,
    pub(crate) style: &'p Style,
    pub(crate) names: &'p mut dyn Names,
    /// What earlier packets said.
    pub(crate) past: &'p mut Past,
    /// Name of the protocol that reads now, as it stands in ` [|name]`.
    pub(crate) protocol: &'static str,
    /// Source and destination address of the innermost Ethernet frame.
    pub(crate) macs: Option<([u8; 6], [u8; 6])>,
    /// Bytes of link-layer header, which `-x` leaves out.
    pub(crate) link_len: usize,
    /// Length of the longest packet the device stores.
    pub(crate) snaplen: u32,
    /// Ends of the datagram or segment that is read.
    pub(crate) ends: Option<Ends>,
    /// What the nearest IP header said.
    pub(crate) ip: Option<Ip>,
    depth: u8,
}

impl<'p> Out<'p> {
    pub(crate) fn new(
        out: &'p mut Vec<u8>,
        style: &'p Style,
        names: &'p mut dyn Names,
        past: &'p mut Past,
    ) -> Self {
        Self {
            out,
            style,
            names,
            past,
            protocol: "",
            macs: None,
            link_len: 0,
            snaplen: 0,
            ends: None,
            ip: None,
            depth: 0,
        }
    }

    /// Whether at least that many `-v` were given.
    #[inline]
    pub(crate) fn verbose(&self, least: u8) -> bool {
        self.style.verbose >= least
    }

    /// Runs `inner` one level deeper, unless that is too deep for any honest packet.
    pub(crate) fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Printed) -> Printed {
        if self.depth >= MAX_DEPTH {
            put!(self, " [nested too deep]");
            return Ok(());
        }
        self.depth += 1;
        let printed = inner(self);
        self.depth -= 1;
        printed
    }

    /// A number that is counted from what an earlier packet said.
    #[inline]
    pub(crate) fn counted(&mut self, number: u32, origin: Origin) {
        match origin {
            Origin::Known(origin) => put!(self, number.wrapping_sub(origin)),
            Origin::Later(place) => self.past.gap(self.out.len(), number, place),
        }
    }

    /// The mark for bytes that ended too early.
    pub(crate) fn truncated(&mut self) {
        put!(self, " [|", self.protocol, "]");
    }

    /// The mark for a packet that contradicts itself.
    pub(crate) fn invalid(&mut self) {
        put!(self, " (invalid)");
    }

    /// The mark for a message of `length` bytes that contradicts itself; where the capture ends
    /// before the message does, that is said too.
    pub(crate) fn invalid_message(&mut self, message: Cursor<'_>, length: usize) -> Printed {
        self.invalid();
        message.need(length)
    }

    /// Writes what `inner` does in a colour, where colours are wanted.
    #[inline]
    pub(crate) fn colored(&mut self, color: Color, inner: impl FnOnce(&mut Self)) {
        if !self.style.color {
            return inner(self);
        }
        put!(self, color.start());
        inner(self);
        put!(self, "\x1b[0m");
    }

    /// A host's name, or the address.
    #[inline]
    pub(crate) fn addr(&mut self, ip: impl Into<IpAddr>) {
        let ip = ip.into();
        self.colored(Color::Address, |p| p.addr_text(ip));
    }

    #[inline]
    fn addr_text(&mut self, ip: IpAddr) {
        if !self.style.numeric
            && let Some(name) = self.names.addr(ip)
        {
            let short = if self.style.no_domain {
                name.split('.').next().unwrap_or(&name)
            } else {
                &name
            };
            return printable(self.out, short);
        }
        ip.put(self.out);
    }

    /// A service's name, or the port.
    #[inline]
    pub(crate) fn port(&mut self, transport: Transport, port: u16) {
        if !self.style.numeric
            && let Some(name) = self.names.port(transport, port)
        {
            return printable(self.out, &name);
        }
        port.put(self.out);
    }

    /// The name of an IP protocol, or `ip-proto-N`.
    pub(crate) fn ip_protocol(&mut self, number: u8) {
        match protocol_names::name(number).filter(|_| !self.style.numeric) {
            Some(name) => put!(self, name),
            None => put!(self, "ip-proto-", number),
        }
    }

    /// A hardware address of six bytes: its name, or the bytes and, without `-n`, who made it.
    pub(crate) fn mac(&mut self, mac: [u8; 6]) {
        self.colored(Color::Address, |p| p.mac_text(mac));
    }

    fn mac_text(&mut self, mac: [u8; 6]) {
        if self.style.numeric {
            return put!(self, Pairs(&mac, ':'));
        }
        if let Some(name) = self.names.mac(mac) {
            return printable(self.out, &name);
        }
        let [a, b, c, ..] = mac;
        let maker = oui::name(u32::from_be_bytes([0, a, b, c]));
        put!(self, Pairs(&mac, ':'), " (oui ", maker, ")");
    }

    /// A hardware address of any length.
    pub(crate) fn link_addr(&mut self, addr: &[u8]) {
        match <[u8; 6]>::try_from(addr) {
            Ok(mac) => self.mac(mac),
            Err(_) if addr.is_empty() => put!(self, "<empty>"),
            Err(_) => put!(self, Pairs(addr, ':')),
        }
    }

    /// A payload nobody knows behind a link-layer header: the header, if it is not shown already, and the
    /// bytes.
    pub(crate) fn unknown_behind(&mut self, header: impl FnOnce(&mut Self), bytes: &[u8]) {
        if !self.style.link {
            header(self);
        }
        if !self.style.quiet {
            self.unknown(bytes);
        }
    }

    /// A payload nobody knows: its bytes, unless the user asked for the bytes of every packet in hexadecimal.
    pub(crate) fn unknown(&mut self, bytes: &[u8]) {
        if matches!(self.style.dump, Dump::None | Dump::Ascii | Dump::AsciiLink) {
            hexdump::hex_ascii(self, "\n\t", bytes);
        }
    }
}

/// Text from a name service, its control and non-ASCII bytes made harmless.
fn printable(out: &mut Vec<u8>, name: &str) {
    let safe = if name.bytes().all(|byte| byte.is_ascii_graphic()) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.escape_default().to_string())
    };
    out.extend_from_slice(safe.as_bytes());
}

/// The entry of a table of `(value, text)`.
pub(crate) fn lookup<K: PartialEq + Copy>(
    table: &[(K, &'static str)],
    key: K,
) -> Option<&'static str> {
    table
        .iter()
        .find(|entry| entry.0 == key)
        .map(|entry| entry.1)
}

/// The entry of a table, or what stands for a missing one.
pub(crate) fn named<K: PartialEq + Copy>(
    table: &[(K, &'static str)],
    key: K,
    missing: &'static str,
) -> &'static str {
    lookup(table, key).unwrap_or(missing)
}

/// Names of the set bits, in the table's order with `separator` between; `none` without any.
pub(crate) fn bits(
    p: &mut Out<'_>,
    table: &[(u32, &str)],
    value: u32,
    separator: &str,
    none: &str,
) {
    let mut first = true;
    for &(_, name) in table.iter().filter(|entry| value & entry.0 != 0) {
        if !first {
            put!(p, separator);
        }
        put!(p, name);
        first = false;
    }
    if first {
        put!(p, none);
    }
}

/// The bytes up to the next zero, which is passed over, or all there are; whether the zero was
/// there.
pub(crate) fn until_zero<'a>(c: &mut Cursor<'a>) -> (&'a [u8], bool) {
    let rest = c.rest();
    let end = rest.iter().position(|&byte| byte == 0);
    let text = c.take(end.unwrap_or(rest.len())).unwrap_or_default();
    let _ = c.skip(1);
    (text, end.is_some())
}

/// Passes over `count` bytes, or all that were captured: what follows will find that it is cut.
pub(crate) fn pass(c: &mut Cursor<'_>, count: usize) {
    let there = count.min(c.remaining());
    let _ = c.skip(there);
}
