//! Wireless LAN frames (IEEE 802.11), and the older headers that some devices put before them.

mod management;
mod table;

use pktwho_wire::{Cursor, Truncated};

use crate::llc;
use crate::out::{Out, Printed};
use crate::put::{Hex, Pairs, put};

const MANAGEMENT: u16 = 0;
const CONTROL: u16 = 1;
const DATA: u16 = 2;

const BLOCK_ACK_REQUEST: u16 = 8;
const BLOCK_ACK: u16 = 9;
const PS_POLL: u16 = 10;
const RTS: u16 = 11;
const CTS: u16 = 12;
const ACK: u16 = 13;
const CF_END: u16 = 14;
const CF_END_ACK: u16 = 15;
const WRAPPER: u16 = 7;

/// The first two bytes of a frame.
#[derive(Clone, Copy)]
struct Control(u16);

impl Control {
    fn kind(self) -> u16 {
        self.0 >> 2 & 3
    }

    fn subtype(self) -> u16 {
        self.0 >> 4 & 15
    }

    fn to_distribution(self) -> bool {
        self.0 & 0x100 != 0
    }

    fn distributed(self) -> bool {
        self.0 & 0x200 != 0
    }

    fn protected(self) -> bool {
        self.0 & 0x4000 != 0
    }

    /// An HT control field ends the header.
    fn ordered(self) -> bool {
        self.0 & 0x8000 != 0
    }

    fn qos(self) -> bool {
        self.kind() == DATA && self.subtype() & 8 != 0
    }

    /// Bytes of header; `None` of a type that has no known one.
    fn header(self) -> Option<usize> {
        let ht = if self.ordered() { 4 } else { 0 };
        Some(match self.kind() {
            MANAGEMENT => 24 + ht,
            CONTROL => match self.subtype() {
                CTS | ACK => 10,
                BLOCK_ACK_REQUEST => 20,
                BLOCK_ACK => 10,
                WRAPPER | PS_POLL | RTS | CF_END | CF_END_ACK => 16,
                _ => return None,
            },
            DATA => {
                let fourth = if self.to_distribution() && self.distributed() {
                    6
                } else {
                    0
                };
                24 + fourth + if self.qos() { 2 + ht } else { 0 }
            }
            _ => return None,
        })
    }
}

/// What a header before the frame says of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around {
    /// The header is filled up to a multiple of four bytes.
    pub(crate) padded: bool,
    /// The frame ends with its checksum of four bytes.
    pub(crate) checksum: bool,
}

/// `LINKTYPE_IEEE802_11`.
pub(crate) fn frame(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    frame_in(p, c, length, Around::default())
}

/// A frame of `length` bytes.
pub(crate) fn frame_in(p: &mut Out<'_>, c: Cursor<'_>, length: usize, around: Around) -> Printed {
    p.protocol = "802.11";
    let (mut c, mut length) = (c, length);
    if around.checksum {
        length = length.checked_sub(4).ok_or(Truncated)?;
        c = Cursor::new(c.limit(length).rest());
    }
    let whole = c;
    let control = Control(c.u16_le()?);
    let Some(mut header) = control.header() else {
        let (kind, subtype) = (control.kind(), control.subtype());
        if kind == CONTROL {
            put!(p, "unknown 802.11 ctrl frame subtype (", subtype, ")");
        } else {
            put!(p, "unknown 802.11 frame type (", kind, ")");
        }
        return Ok(());
    };
    if around.padded {
        header = header.next_multiple_of(4);
    }
    let mesh = if p.style.mesh {
        mesh_header(control, whole, header)
    } else {
        0
    };
    header += mesh;
    whole.need(header)?;
    p.link_len += header;
    let mut body = whole;
    body.skip(header)?;
    let body = Cursor::new(body.rest());
    let addresses = Addresses::read(whole);
    if p.style.link {
        header_fields(p, whole, control, &addresses, header, mesh)?;
    }
    let length = length.saturating_sub(header);
    match control.kind() {
        MANAGEMENT => management::body(p, body, length, control, addresses.second),
        CONTROL => control_body(p, whole, control, &addresses),
        _ if control.subtype() & 4 != 0 => Ok(()),
        _ if control.protected() => {
            put!(p, "Data");
            encrypted(p, body)
        }
        _ => {
            let (source, destination) = addresses.ends(control);
            p.deeper(|p| llc::llc(p, body, length, Some((&source, &destination))))
        }
    }
}

/// The four addresses, as they stand; zeros where the frame is too short for them.
struct Addresses {
    first: [u8; 6],
    second: [u8; 6],
    third: [u8; 6],
    fourth: [u8; 6],
}

impl Addresses {
    fn read(whole: Cursor<'_>) -> Self {
        let at = |offset: usize| {
            let mut c = whole;
            let read = c.skip(offset).and_then(|()| c.array::<6>());
            read.unwrap_or_default()
        };
        Self {
            first: at(4),
            second: at(10),
            third: at(16),
            fourth: at(24),
        }
    }

    /// Source and destination of a data frame.
    fn ends(&self, control: Control) -> ([u8; 6], [u8; 6]) {
        match (control.to_distribution(), control.distributed()) {
            (false, false) => (self.second, self.first),
            (false, true) => (self.third, self.first),
            (true, false) => (self.second, self.third),
            (true, true) => (self.fourth, self.third),
        }
    }
}

/// Bytes of the mesh header of drafts of 802.11s, which `-H` looks for behind the frame's own.
fn mesh_header(control: Control, whole: Cursor<'_>, header: usize) -> usize {
    if !control.qos() || control.subtype() & 4 != 0 {
        return 0;
    }
    let flags = whole.rest().get(header).copied().unwrap_or(0);
    6 + usize::from(flags & 3) * 6
}

/// What `-e` shows.
fn header_fields(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    control: Control,
    addresses: &Addresses,
    header: usize,
    mesh: usize,
) -> Printed {
    let mut c = whole;
    c.skip(2)?;
    let duration = c.u16_le()?;
    if p.verbose(1) {
        for (bit, name) in [
            (0x2000, "More Data "),
            (0x0400, "More Fragments "),
            (0x1000, "Pwr Mgmt "),
            (0x0800, "Retry "),
            (0x8000, "+HTC "),
            (0x4000, "Protected "),
        ] {
            if control.0 & bit != 0 {
                put!(p, name);
            }
        }
        if control.kind() != CONTROL || control.subtype() != PS_POLL {
            put!(p, duration, "us ");
        }
    }
    if mesh > 0 {
        mesh_fields(p, whole, header - mesh)?;
    }
    let name = |mac| Pairs(mac, ':');
    let Addresses {
        first,
        second,
        third,
        fourth,
    } = addresses;
    match control.kind() {
        MANAGEMENT => {
            put!(
                p,
                "BSSID:",
                name(third),
                " DA:",
                name(first),
                " SA:",
                name(second),
                " "
            );
        }
        CONTROL => control_header(p, whole, control, addresses)?,
        _ => {
            features(p, control);
            match (control.to_distribution(), control.distributed()) {
                (false, false) => {
                    put!(p, "DA:", name(first), " SA:", name(second));
                    put!(p, " BSSID:", name(third), " ");
                }
                (false, true) => {
                    put!(p, "DA:", name(first), " BSSID:", name(second));
                    put!(p, " SA:", name(third), " ");
                }
                (true, false) => {
                    put!(p, "BSSID:", name(first), " SA:", name(second));
                    put!(p, " DA:", name(third), " ");
                }
                (true, true) => {
                    put!(p, "RA:", name(first), " TA:", name(second));
                    put!(p, " DA:", name(third), " SA:", name(fourth), " ");
                }
            }
        }
    }
    Ok(())
}

/// What a data frame's subtype says besides data.
fn features(p: &mut Out<'_>, control: Control) {
    let subtype = control.subtype();
    if subtype & 0xb == 0 {
        return;
    }
    put!(p, "CF ");
    put!(
        p,
        match subtype & 3 {
            1 => "Ack",
            2 => "Poll",
            3 => "Ack/Poll",
            _ => "",
        }
    );
    if subtype & 8 != 0 {
        put!(p, "+QoS");
    }
    put!(p, " ");
}

fn mesh_fields(p: &mut Out<'_>, whole: Cursor<'_>, at: usize) -> Printed {
    let mut c = whole;
    c.skip(at)?;
    let (flags, ttl, sequence) = (c.u8()?, c.u8()?, c.u32_le()?);
    let extended = flags & 3;
    put!(
        p,
        "MeshData (AE ",
        extended,
        " TTL ",
        ttl,
        " seq ",
        sequence
    );
    if extended & 1 != 0 {
        put!(p, " A4:", Pairs(&c.array::<6>()?, ':'));
    }
    if extended & 2 != 0 {
        put!(p, " A5:", Pairs(&c.array::<6>()?, ':'));
        put!(p, " A6:", Pairs(&c.array::<6>()?, ':'));
    }
    put!(p, ") ");
    Ok(())
}

fn control_header(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    control: Control,
    addresses: &Addresses,
) -> Printed {
    let (first, second) = (Pairs(&addresses.first, ':'), Pairs(&addresses.second, ':'));
    match control.subtype() {
        BLOCK_ACK_REQUEST => {
            put!(p, " ");
            block_ack_request(p, whole, addresses)?;
        }
        PS_POLL => put!(p, "BSSID:", first, " TA:", second, " "),
        RTS => put!(p, "RA:", first, " TA:", second, " "),
        CF_END | CF_END_ACK => put!(p, "RA:", first, " BSSID:", second, " "),
        BLOCK_ACK => put!(p, "RA:", first, " TA:", second, " "),
        CTS | ACK => put!(p, "RA:", first, " "),
        _ => {}
    }
    Ok(())
}

fn block_ack_request(p: &mut Out<'_>, whole: Cursor<'_>, addresses: &Addresses) -> Printed {
    let mut c = whole;
    c.skip(16)?;
    let (control, sequence) = (c.u16_le()?, c.u16_le()?);
    put!(
        p,
        "RA:",
        Pairs(&addresses.first, ':'),
        " TA:",
        Pairs(&addresses.second, ':')
    );
    put!(p, " CTL(", Hex(control), ") SEQ(", sequence, ") ");
    Ok(())
}

fn control_body(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    control: Control,
    addresses: &Addresses,
) -> Printed {
    let receiver = |p: &mut Out<'_>| {
        if !p.style.link {
            put!(p, " RA:", Pairs(&addresses.first, ':'), " ");
        }
    };
    match control.subtype() {
        WRAPPER => put!(p, "Control Wrapper"),
        BLOCK_ACK_REQUEST => {
            put!(p, "BAR");
            if !p.style.link {
                put!(p, " ");
                block_ack_request(p, whole, addresses)?;
            }
        }
        BLOCK_ACK => {
            put!(p, "BA");
            receiver(p);
        }
        PS_POLL => {
            let mut c = whole;
            c.skip(2)?;
            put!(p, "Power Save-Poll AID(", Hex(c.u16_le()?), ")");
        }
        RTS => {
            put!(p, "Request-To-Send");
            if !p.style.link {
                put!(p, " TA:", Pairs(&addresses.second, ':'), " ");
            }
        }
        CTS => {
            put!(p, "Clear-To-Send");
            receiver(p);
        }
        ACK => {
            put!(p, "Acknowledgment");
            receiver(p);
        }
        CF_END => {
            put!(p, "CF-End");
            receiver(p);
        }
        _ => {
            put!(p, "CF-End+CF-Ack");
            receiver(p);
        }
    }
    Ok(())
}

/// The head of an encrypted body.
fn encrypted(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let iv = c.u32_le()?;
    put!(p, " IV:");
    let vector = iv & 0x00ff_ffff;
    let digits = 6 - (vector | 1).leading_zeros().saturating_sub(8) / 4;
    for _ in digits..3 {
        put!(p, " ");
    }
    put!(
        p,
        Hex(vector),
        " Pad ",
        Hex(iv >> 24 & 0x3f),
        " KeyID ",
        Hex(iv >> 30)
    );
    Ok(())
}

/// `LINKTYPE_IEEE802_11_PRISM`: the header of Prism cards, or AVS's, is passed over.
pub(crate) fn prism(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    const HEADER: usize = 144;
    p.protocol = "prism";
    let mut peek = c;
    if matches!(peek.u32()?, 0x8021_1001 | 0x8021_1002) {
        return avs(p, c, length);
    }
    let mut c = c;
    c.skip(HEADER)?;
    p.link_len = HEADER;
    frame(p, Cursor::new(c.rest()), length.saturating_sub(HEADER))
}

/// `LINKTYPE_IEEE802_11_AVS`.
pub(crate) fn avs(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "802.11_radio_avs";
    let mut peek = c;
    peek.skip(4)?;
    let header = usize::try_from(peek.u32()?).map_err(|_| Truncated)?;
    let mut c = c;
    c.need(8)?;
    c.skip(header)?;
    p.link_len = header;
    frame(p, Cursor::new(c.rest()), length.saturating_sub(header))
}
