//! What Juniper's devices put before a packet that they captured on an interface: a header of
//! their own, then a cookie of the interface card, then the link layer.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexBytes, HexFull, put};
use crate::{chdlc, ether, ethertype, fr, ip, ip6, isoclns, ppp};

const MAGIC: [u8; 3] = *b"MGC";
const IN: u8 = 0x01;
const NO_LINK: u8 = 0x02;
const EXTENDED: u8 = 0x80;
const HEADER: usize = 4;

/// What kind of interface card made the packet.
struct Card {
    /// What stands in the mark of a packet that was cut.
    tag: &'static str,
    /// The name that `-e` shows before the cookie, where the card has one.
    name: &'static str,
    /// Bytes of cookie.
    cookie: usize,
    /// Who prints what follows.
    print: fn(&mut Out<'_>, Cursor<'_>, usize, &[u8]) -> Printed,
}

macro_rules! cards {
    ($($function:ident $constant:ident = $tag:literal, $name:literal, $cookie:literal, $print:expr;)*) => { $(
        static $constant: Card = Card { tag: $tag, name: $name, cookie: $cookie, print: $print };

        #[doc = concat!("A packet of a card that is marked `", $tag, "`.")]
        pub(crate) fn $function(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
            card(p, c, length, &$constant)
        }
    )* };
}

cards! {
    ether ETHER = "juniper_ether", "", 0, |p, c, length, _| p.deeper(|p| ether::frame(p, c, length));
    ppp PPP = "juniper_ppp", "", 0, |p, c, length, _| p.deeper(|p| ppp::payload(p, c, length));
    frelay FRELAY = "juniper_frelay", "", 0, |p, c, length, _| p.deeper(|p| fr::frame(p, c, length));
    chdlc CHDLC = "juniper_chdlc", "", 0, |p, c, length, _| p.deeper(|p| chdlc::chdlc(p, c, length));
    pppoe PPPOE = "juniper_pppoe", "PPPoE", 0, |p, c, length, _| p.deeper(|p| ether::frame(p, c, length));
    pppoe_atm PPPOE_ATM = "juniper_pppoe_atm", "PPPoE ATM", 0, pppoe_on_atm;
    es ES = "juniper_es", "ES", 0, encryption;
    ggsn GGSN = "juniper_ggsn", "GGSN", 8, gateway;
    services SERVICES = "juniper_services", "AS", 8, service;
    monitor MONITOR = "juniper_monitor", "MONITOR", 8, monitoring;
    atm1 ATM1 = "juniper_atm1", "ATM1", 4, cells;
    atm2 ATM2 = "juniper_atm2", "ATM2", 8, cells;
}

fn card(p: &mut Out<'_>, c: Cursor<'_>, length: usize, card: &'static Card) -> Printed {
    p.protocol = card.tag;
    let whole = c;
    c.need(HEADER)?;
    let mut c = c;
    let magic = c.array::<3>()?;
    if magic != MAGIC {
        put!(p, "no magic-number found!");
        return Ok(());
    }
    let flags = c.u8()?;
    if p.style.link {
        put!(p, if flags & IN == 0 { "Out " } else { " In " });
    }
    if flags & EXTENDED != 0 && !extensions(p, &mut c)? {
        return Ok(());
    }
    if flags & NO_LINK != 0 {
        if p.style.link {
            put!(p, "no-L2-hdr, ");
        }
        // The address family comes before the packet.
        c.skip(4)?;
        let left = length.saturating_sub(c.position());
        return packet(p, Cursor::new(c.rest()), left);
    }
    let before = c;
    let cookie = c.take(card.cookie)?;
    let inner = Cursor::new(c.rest());
    let left = length.saturating_sub(whole.remaining() - inner.remaining());
    if p.style.link {
        described(p, card, cookie, before.position(), inner);
    }
    p.link_len = whole.remaining() - inner.remaining();
    let outer = p.link_len;
    p.link_len = 0;
    let printed = (card.print)(p, inner, left, cookie);
    p.link_len += outer;
    printed
}

/// The part of `-e` that every card has.
fn described(p: &mut Out<'_>, card: &Card, cookie: &[u8], header: usize, inner: Cursor<'_>) {
    let mut peek = inner;
    let mut protocol = 0;
    if !card.name.is_empty() {
        put!(p, card.name, "-PIC, cookie-len ", cookie.len());
        if !cookie.is_empty() {
            put!(p, ", cookie 0x", HexBytes(cookie));
        }
        put!(p, ": ");
        protocol = peek.u16().unwrap_or(0);
    }
    let header = header + cookie.len();
    put!(p, "hlen ", header, ", proto 0x", HexFull(protocol), ", ");
}

/// The TLVs of a longer header, which say what the interface is; `false` if they contradict
/// themselves, which is said.
fn extensions(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let mut left = usize::from(c.u16()?);
    let mut list = *c;
    c.skip(left)?;
    while left > 2 {
        let (_, size) = (list.u8()?, usize::from(list.u8()?));
        if left < size + 2 {
            put!(p, " [extension_length ", left, " < ", size + 2, "]");
            p.invalid();
            return Ok(false);
        }
        left -= size + 2;
        list.skip(size)?;
    }
    Ok(true)
}

/// IP of whatever version.
fn packet(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    match c.rest() {
        [0x40..=0x4f, ..] => p.deeper(|p| ip::ip(p, c, length)),
        [0x60..=0x6f, ..] => p.deeper(|p| ip6::ip6(p, c, length)),
        [] => Err(Truncated),
        _ => {
            put!(p, "no IP-hdr found!");
            Ok(())
        }
    }
}

fn pppoe_on_atm(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, _: &[u8]) -> Printed {
    let kind = c.u16()?;
    let left = length.saturating_sub(2);
    match ethertype::payload(p, kind, Cursor::new(c.rest()), left) {
        Some(printed) => printed,
        None => {
            put!(p, "unknown ethertype 0x", HexFull(kind));
            Ok(())
        }
    }
}

/// What went through an encrypting card.
fn encryption(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, _: &[u8]) -> Printed {
    const SA: usize = 16;
    let (index, ttl, kind) = (c.u16()?, c.u8()?, c.u8()?);
    let (spi, source, destination) = (c.u32()?, c.u32()?, c.u32()?);
    let left = length.saturating_sub(SA);
    if p.style.link {
        let name = match kind {
            0 => "ESP ENCRYPT-AUTH",
            1 => "ESP ENCRYPT-AH AUTH",
            2 => "AH AUTH",
            3 => "ESP AUTH",
            4 => "ESP ENCRYPT",
            _ => "Unknown",
        };
        put!(
            p,
            "ES SA, index ",
            index,
            ", ttl ",
            ttl,
            " type ",
            name,
            " (",
            kind,
            ")"
        );
        put!(
            p,
            ", spi ",
            spi,
            ", Tunnel ",
            std::net::Ipv4Addr::from(source),
            " > "
        );
        put!(
            p,
            std::net::Ipv4Addr::from(destination),
            ", length ",
            left,
            "\n"
        );
    }
    p.deeper(|p| ip::ip(p, Cursor::new(c.rest()), left))
}

fn gateway(p: &mut Out<'_>, c: Cursor<'_>, length: usize, cookie: &[u8]) -> Printed {
    if p.style.link {
        let vlan = match cookie {
            [.., high, low, _] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        };
        put!(p, "vlan ", vlan, ": ");
    }
    packet(p, c, length)
}

/// Services (accounting, stateful firewalls, translation).
fn service(p: &mut Out<'_>, c: Cursor<'_>, length: usize, _: &[u8]) -> Printed {
    packet(p, c, length)
}

fn monitoring(p: &mut Out<'_>, c: Cursor<'_>, length: usize, _: &[u8]) -> Printed {
    packet(p, c, length)
}

/// What cells carried: LLC, OSI or IP.
fn cells(p: &mut Out<'_>, c: Cursor<'_>, length: usize, _: &[u8]) -> Printed {
    c.need(3)?;
    match c.rest() {
        [0xfe, 0xfe, 0x03, ..] | [0xaa, 0xaa, 0x03, ..] => {
            p.deeper(|p| crate::llc::llc(p, c, length, None))
        }
        [0x03, ..] => {
            let mut inner = c;
            inner.skip(1)?;
            let inner = Cursor::new(inner.rest());
            p.deeper(|p| isoclns::isoclns(p, inner, length.saturating_sub(1)))
        }
        [0x40..=0x4f | 0x60..=0x6f, ..] => packet(p, c, length),
        _ => Ok(()),
    }
}
