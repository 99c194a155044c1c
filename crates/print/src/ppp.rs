//! PPP (RFC 1661, RFC 1662): framing, and which protocol a frame carries.

mod auth;
mod control;
mod options;

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, HexZeros, put};
use crate::{ethertype, ip, ip6, ipx};

const LCP: u16 = 0xc021;
const IPCP: u16 = 0x8021;
const IP6CP: u16 = 0x8057;
const CCP: u16 = 0x80fd;
const BACP: u16 = 0xc02b;

static PROTOCOLS: &[(u16, &str)] = &[
    (0x0021, "IP"),
    (0x0057, "IP6"),
    (0x0023, "OSI"),
    (0x0025, "NS"),
    (0x0027, "DECNET"),
    (0x0029, "APPLE"),
    (0x002b, "IPX"),
    (0x002d, "VJC IP"),
    (0x002f, "VJNC IP"),
    (0x0031, "BRPDU"),
    (0x0033, "STII"),
    (0x0035, "VINES"),
    (0x003d, "MLPPP"),
    (0x00fd, "Compressed"),
    (0x0201, "HELLO"),
    (0x0231, "LUXCOM"),
    (0x0233, "SNS"),
    (0x0281, "MPLS"),
    (0x0283, "MPLS"),
    (IPCP, "IPCP"),
    (0x8023, "OSICP"),
    (0x8025, "NSCP"),
    (0x8027, "DECNETCP"),
    (0x8029, "APPLECP"),
    (0x802b, "IPXCP"),
    (0x8033, "STIICP"),
    (0x8035, "VINESCP"),
    (IP6CP, "IP6CP"),
    (CCP, "CCP"),
    (0x8281, "MPLSCP"),
    (LCP, "LCP"),
    (0xc023, "PAP"),
    (0xc025, "LQM"),
    (0xc027, "SPAP"),
    (0xc123, "Old-SPAP"),
    (BACP, "BACP"),
    (0xc02d, "BAP"),
    (0xc03d, "MLPPP-CP"),
    (0xc223, "CHAP"),
    (0xc227, "EAP"),
];

/// The name of a PPP protocol number.
fn name(protocol: u16) -> Option<&'static str> {
    lookup(PROTOCOLS, protocol)
}

/// `LINKTYPE_PPP`.
pub(crate) fn ppp(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ppp";
    c.need(4)?;
    payload(p, c, wire)
}

/// `LINKTYPE_PPP_BSDOS`.
///
/// compat: tcpdump reads its header on BSD/OS alone, and elsewhere shows nothing (4.99.3).
pub(crate) fn bsdos(p: &mut Out<'_>, _: Cursor<'_>, _wire: usize) -> Printed {
    p.protocol = "ppp_bsdos";
    Ok(())
}

/// `LINKTYPE_PPP_HDLC`: address and control first, or Cisco's framing.
pub(crate) fn hdlc(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ppp_hdlc";
    c.need(2)?;
    if c.remaining() < 4 && !matches!(c.rest(), [0x0f | 0x8f, ..]) {
        return Err(pktwho_wire::Truncated);
    }
    let mut after = c;
    let (address, control) = (after.u8()?, after.u8()?);
    if matches!(address, 0x0f | 0x8f) {
        return crate::chdlc::chdlc(p, c, wire);
    }
    if address != 0xff {
        if p.style.link {
            put!(p, HexFull(address), " ", HexFull(control), " ", wire, " ");
        }
        p.link_len = 2;
        put!(
            p,
            "unknown addr ",
            HexFull(address),
            "; ctrl ",
            HexFull(control)
        );
        return Ok(());
    }
    let protocol = after.u16()?;
    p.link_len = 4;
    if p.style.link {
        put!(p, HexFull(address), " ", HexFull(control), " ", wire, " ");
    }
    match name(protocol) {
        Some(name) => put!(p, name, ": "),
        None => put!(p, "unknown PPP protocol (0x", HexFull(protocol), "): "),
    }
    inside(p, protocol, after, c, wire.saturating_sub(4))
}

/// A PPP frame; address and control, and the protocol's first byte, may be compressed away.
pub(crate) fn payload(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ppp";
    let whole = c;
    let mut c = c;
    let mut peek = c;
    let (mut first, mut length) = (peek.u16()?, wire);
    // pppd's own header says the direction where HDLC's address is.
    let direction = match first {
        0x0003 => "In  ",
        0x0103 => "Out ",
        _ => "",
    };
    if !direction.is_empty() || first == 0xff03 {
        c = peek;
        length = length.saturating_sub(2);
    }
    if length < 2 {
        p.truncated();
        return Ok(());
    }
    c.need(2)?;
    peek = c;
    first = peek.u16()?;
    let protocol = if first >> 8 & 1 == 1 {
        length -= 1;
        u16::from(c.u8()?)
    } else {
        length -= 2;
        c.u16()?
    };
    // The last bit of each byte says whether the number goes on (RFC 1661, section 2).
    if protocol & 0x0101 != 1 {
        put!(p, "(protocol 0x", HexFull(protocol));
        put!(p, " invalid)");
        return Ok(());
    }
    if p.link_len == 0 {
        // compat: also where less of the header is there (4.99.3).
        p.link_len = 4;
    }
    if p.style.link {
        put!(
            p,
            direction,
            name(protocol).unwrap_or("unknown"),
            " (0x",
            HexFull(protocol)
        );
        put!(p, "), length ", wire);
        if name(protocol).is_none() {
            return Ok(());
        }
        put!(p, ": ");
    }
    inside(p, protocol, c, whole, length)
}

/// The packet that a frame carries; `whole` is where the frame starts.
fn inside(
    p: &mut Out<'_>,
    protocol: u16,
    c: Cursor<'_>,
    whole: Cursor<'_>,
    length: usize,
) -> Printed {
    if protocol >> 8 == FLAG {
        return unframed(p, whole, c, length);
    }
    match protocol {
        0x0021 | 0x002f | 0x0800 => p.deeper(|p| ip::ip(p, c, length)),
        0x002b => p.deeper(|p| ipx::ipx(p, c, length)),
        0x0057 | 0x86dd => p.deeper(|p| ip6::ip6(p, c, length)),
        LCP | IPCP | 0x8023 | 0x8281 | IP6CP | CCP | BACP => {
            let before = c.position() - whole.position();
            let skipped = whole.rest().get(before.saturating_sub(2)..);
            control::control(p, protocol, c, skipped.unwrap_or_default(), length)
        }
        0x003d => multilink(p, c, length),
        0xc223 => auth::chap(p, c, length),
        0xc023 => auth::pap(p, c, length),
        // compat: neither named nor shown (4.99.3).
        0xc02d => Ok(()),
        0x00fd => {
            put!(p, "compressed PPP data");
            if p.verbose(2) {
                hexdump::hex(p, "\n\t", c.rest());
            }
            Ok(())
        }
        _ => match carried(protocol).and_then(|kind| ethertype::payload(p, kind, c, length)) {
            Some(printed) => printed,
            None => {
                match name(protocol) {
                    Some(name) => put!(p, name, " "),
                    None => put!(p, "unknown PPP protocol (0x", HexFull(protocol), ") "),
                }
                hexdump::hex(p, "\n\t", c.limit(length).rest());
                Ok(())
            }
        },
    }
}

/// Octets that frame and escape others (RFC 1662, section 4).
const FLAG: u16 = 0x7e;
const ESCAPE: u8 = 0x7d;

/// A frame as it was on an asynchronous line: with flags, and octets escaped.
fn unframed(p: &mut Out<'_>, whole: Cursor<'_>, c: Cursor<'_>, length: usize) -> Printed {
    // The second octet of what was taken for a protocol belongs to it.
    let start = (c.position() - whole.position()).saturating_sub(1);
    let raw = whole.rest().get(start..).unwrap_or_default();
    let raw = raw.get(..=length).unwrap_or(raw);
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            ESCAPE => plain.extend(bytes.next().map(|escaped| escaped ^ 0x20)),
            _ => plain.push(byte),
        }
    }
    let mut inner = Cursor::new(&plain);
    let whole = inner;
    let left = plain.len();
    if plain.len() < 2 {
        return Ok(());
    }
    match { inner }.u8()? {
        0x21 => {
            inner.skip(1)?;
            return p.deeper(|p| ip::ip(p, inner, left - 1));
        }
        0x57 => {
            inner.skip(1)?;
            return p.deeper(|p| ip6::ip6(p, inner, left - 1));
        }
        _ => {}
    }
    let mut guess = inner.u16()?;
    let mut skipped = 2;
    if guess == 0xff03 {
        guess = inner.u16()?;
        skipped = 4;
    }
    if guess >> 8 == FLAG {
        put!(p, "(protocol 0x", HexFull(guess), " invalid)");
        return Ok(());
    }
    inside(p, guess, inner, whole, left - skipped)
}

/// The `EtherType` of a protocol that is the same on Ethernet.
fn carried(protocol: u16) -> Option<u16> {
    match protocol {
        0x0023 => Some(0x00fe),
        0x8137 => Some(0x8137),
        0x0281 => Some(0x8847),
        0x0283 => Some(0x8848),
        _ => None,
    }
}

/// A fragment of multilink PPP (RFC 1990).
fn multilink(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    // `-e` has named it.
    if !p.style.link {
        put!(p, "MLPPP, ");
    }
    if length < 2 || c.remaining() < 2 {
        put!(p, "[|mlppp]");
        return Ok(());
    }
    let header = c.u16()?;
    let flags = match header >> 14 {
        0 => "none",
        1 => "end",
        2 => "begin",
        _ => "begin, end",
    };
    put!(
        p,
        "seq 0x",
        HexZeros(u32::from(header & 0xfff), 3),
        ", Flags [",
        flags
    );
    put!(p, "], length ", length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn compressed_headers() {
        for (packet, expected) in [
            (
                "ff0300214500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "IP (0x0021), length 35: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "00214500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "IP (0x0021), length 33: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "214500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "IP (0x0021), length 32: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "ff03005760000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 (0x0057), length 57: 2001:db8::1.40000 > 2001:db8::2.33434: UDP, length 5\n",
            ),
        ] {
            check(
                LinkType::PPP,
                packet,
                Style {
                    link: true,
                    ..style(0)
                },
                expected,
            );
        }
    }
}
