//! What Juniper's devices put before a packet that they captured on an interface: a header of
//! their own, then a cookie of the interface card, then the link layer.

mod cells;
mod extension;
mod multilink;
mod services;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits};
use crate::put::{HexBytes, HexFull, put};
use crate::{chdlc, ether, ethertype, fr, ip, ip6, ppp};

const MAGIC: [u8; 3] = *b"MGC";
const IN: u8 = 0x01;
const NO_LINK: u8 = 0x02;
const EXTENDED: u8 = 0x80;
const HEADER: usize = 4;
/// The first bytes of cookies that are longer than the card's own: of link services, of gateways.
const LINK_SERVICES: u8 = 0x54;
const GATEWAY: u8 = 0x47;
const LONGEST_COOKIE: usize = 8;

static FLAGS: &[(u32, &str)] = &[
    (0x80, "Ext"),
    (0x40, "Filter"),
    (0x04, "IIF"),
    (0x02, "no-L2"),
    (0x01, "In"),
];

/// How the headers of a card differ from those of others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A cookie, then the packet.
    Plain,
    /// The number of a protocol stands between them.
    Numbered,
    /// The same behind a long cookie; and fragments on one of several links, which have none.
    Fragments,
    /// Cells of maintenance have a word of their own before them.
    Cells,
}

/// What kind of interface card made the packet.
struct Card {
    /// What stands in the mark of a packet that was cut.
    tag: &'static str,
    /// The name that `-e` shows before the cookie, where the card has one.
    name: &'static str,
    /// Bytes of cookie.
    cookie: usize,
    kind: Kind,
    /// Who prints what follows.
    print: fn(&mut Out<'_>, &Inside<'_>) -> Printed,
}

/// What stands behind the headers of Juniper.
struct Inside<'a> {
    /// The link layer, or the packet.
    c: Cursor<'a>,
    /// Its length on the wire.
    length: usize,
    cookie: &'a [u8],
    /// The two bytes behind the cookie; they may be the first of `c`.
    protocol: u16,
    /// The whole packet, for cards whose packets begin before their header ends.
    whole: Cursor<'a>,
    /// Whether the device received the packet.
    received: bool,
}

impl<'a> Inside<'a> {
    /// The link layer, begun so many bytes earlier.
    fn earlier(&self, count: usize) -> (Cursor<'a>, usize) {
        let position = self.whole.remaining() - self.c.remaining();
        let start = position.saturating_sub(count);
        let bytes = self.whole.rest().get(start..).unwrap_or_default();
        (Cursor::new(bytes), self.length + (position - start))
    }

    /// The link layer behind its first `count` bytes.
    fn later(&self, count: usize) -> Result<(Cursor<'a>, usize), Truncated> {
        let mut c = self.c;
        c.skip(count)?;
        Ok((Cursor::new(c.rest()), self.length.saturating_sub(count)))
    }
}

macro_rules! cards {
    ($($function:ident $constant:ident = $tag:literal, $name:literal, $cookie:literal, $kind:ident, $print:expr;)*) => { $(
        static $constant: Card = Card { tag: $tag, name: $name, cookie: $cookie, kind: Kind::$kind, print: $print };

        #[doc = concat!("A packet of a card that is marked `", $tag, "`.")]
        pub(crate) fn $function(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
            card(p, c, length, &$constant)
        }
    )* };
}

cards! {
    ether ETHER = "juniper_ether", "", 0, Plain, |p, i| p.deeper(|p| ether::frame(p, i.c, i.length));
    ppp PPP = "juniper_ppp", "", 0, Plain, |p, i| p.deeper(|p| ppp::payload(p, i.c, i.length));
    frelay FRELAY = "juniper_frelay", "", 0, Plain, |p, i| p.deeper(|p| fr::frame(p, i.c, i.length));
    chdlc CHDLC = "juniper_chdlc", "", 0, Plain, |p, i| p.deeper(|p| chdlc::chdlc(p, i.c, i.length));
    pppoe PPPOE = "juniper_pppoe", "PPPoE", 0, Plain, |p, i| p.deeper(|p| ether::frame(p, i.c, i.length));
    pppoe_atm PPPOE_ATM = "juniper_pppoe_atm", "PPPoE ATM", 0, Plain, pppoe_on_atm;
    es ES = "juniper_es", "ES", 0, Plain, services::encryption;
    ggsn GGSN = "juniper_ggsn", "GGSN", 8, Plain, services::gateway;
    services SERVICES = "juniper_services", "AS", 8, Plain, services::service;
    monitor MONITOR = "juniper_monitor", "MONITOR", 8, Plain, services::monitoring;
    atm1 ATM1 = "juniper_atm1", "ATM1", 4, Plain, cells::atm1;
    atm2 ATM2 = "juniper_atm2", "ATM2", 8, Cells, cells::atm2;
    mlppp MLPPP = "juniper_mlppp", "MLPPP", 2, Plain, multilink::ppp;
    mlfr MLFR = "juniper_mlfr", "MLFR", 2, Numbered, multilink::frame_relay;
    mfr MFR = "juniper_mfr", "MFR", 4, Fragments, multilink::fragments;
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
    if p.verbose(2) {
        put!(p, "\n\tJuniper PCAP Flags [");
        bits(p, FLAGS, u32::from(flags), ", ", "none");
        put!(p, "]");
    }
    if flags & EXTENDED != 0 && !extension::extensions(p, &mut c)? {
        return Ok(());
    }
    if flags & NO_LINK != 0 {
        if p.style.link {
            put!(p, "no-L2-hdr, ");
        }
        // The address family comes before the packet.
        c.skip(4)?;
        let left = length.saturating_sub(c.position());
        p.link_len = c.position();
        if !guessed(p, Cursor::new(c.rest()), left)? {
            put!(p, "no IP-hdr found!");
        }
        return Ok(());
    }
    let Some((cookie, protocol)) = cookie(p, &mut c, card)? else {
        return Ok(());
    };
    let mut header = whole.remaining() - c.remaining();
    // compat: the word before a cell of maintenance is taken off the bytes, not off the length (4.99.3).
    let length = length.saturating_sub(header);
    if card.kind == Kind::Cells && cells::has_control_word(p, cookie, &mut c)? {
        header += 4;
    }
    if p.style.link {
        put!(p, "hlen ", header, ", proto 0x", HexFull(protocol), ", ");
    }
    let inside = Inside {
        c: Cursor::new(c.rest()),
        length,
        cookie,
        protocol,
        whole,
        received: flags & IN != 0,
    };
    p.link_len = 0;
    let printed = (card.print)(p, &inside);
    // compat: of some cards the link layer is shown by -x (4.99.3).
    if matches!(card.name, "ATM1" | "ATM2" | "MLPPP") {
        p.link_len = 0;
    }
    p.link_len += header;
    printed
}

/// The cookie and the number of the protocol behind it; `None` if the cookie cannot be.
fn cookie<'a>(
    p: &mut Out<'_>,
    c: &mut Cursor<'a>,
    card: &'static Card,
) -> Result<Option<(&'a [u8], u16)>, Truncated> {
    if card.name.is_empty() {
        return Ok(Some((&[], 0)));
    }
    let first = { *c }.u8()?;
    let length = match first {
        LINK_SERVICES => card.cookie + 2,
        GATEWAY => LONGEST_COOKIE,
        // What a bundle's link carries has no cookie: it begins with the flags of a fragment.
        0xc0.. if card.kind == Kind::Fragments => 0,
        _ => card.cookie,
    };
    if p.style.link {
        put!(p, card.name, "-PIC, cookie-len ", length);
    }
    if length > LONGEST_COOKIE {
        p.invalid();
        return Ok(None);
    }
    let cookie = c.take(length)?;
    if p.style.link {
        if !cookie.is_empty() {
            put!(p, ", cookie 0x", HexBytes(cookie));
        }
        put!(p, ": ");
    }
    let mut peek = *c;
    let protocol = peek.u16()?;
    match card.kind {
        Kind::Numbered => *c = peek,
        Kind::Fragments if length > card.cookie => *c = peek,
        _ => {}
    }
    Ok(Some((cookie, protocol)))
}

/// IP of the version that the first byte tells; `false` if it tells none.
fn guessed(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    match c.rest() {
        [0x45..=0x4f, ..] => p.deeper(|p| ip::ip(p, c, length))?,
        [0x60..=0x6f, ..] => p.deeper(|p| ip6::ip6(p, c, length))?,
        [] => return Err(Truncated),
        _ => return Ok(false),
    }
    Ok(true)
}

fn pppoe_on_atm(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    let mut c = inside.c;
    let kind = c.u16()?;
    let left = inside.length.saturating_sub(2);
    match ethertype::payload(p, kind, Cursor::new(c.rest()), left) {
        Some(printed) => printed,
        None => {
            put!(p, "unknown ethertype 0x", HexFull(kind));
            Ok(())
        }
    }
}
