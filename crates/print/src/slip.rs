//! SLIP with the header of 16 bytes that BSD's bpf gives it: the direction, and the packet's header
//! as it went over the line (RFC 1055), compressed or not (RFC 1144).

mod compressed;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::put;
use crate::{ip, ip6};

pub(crate) use compressed::Connections;

const HEADER: usize = 16;
/// Directions.
const IN: u8 = 0;
const OUT: u8 = 1;

/// `LINKTYPE_SLIP`.
pub(crate) fn slip(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "slip";
    let whole = c;
    let mut c = c;
    c.skip(HEADER)?;
    let left = length.saturating_sub(HEADER);
    if p.style.link {
        direction(p, whole, left)?;
    }
    p.link_len = HEADER;
    let packet = Cursor::new(c.rest());
    match packet.rest() {
        [0x40..=0x4f, ..] => p.deeper(|p| ip::ip(p, packet, left)),
        [0x60..=0x6f, ..] => p.deeper(|p| ip6::ip6(p, packet, left)),
        [first, ..] => {
            put!(p, "ip v", *first >> 4);
            Ok(())
        }
        [] => Err(Truncated),
    }
}

/// `LINKTYPE_SLIP_BSDOS`: what its header says of the direction is not shown.
pub(crate) fn bsdos(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "slip_bsdos";
    let mut c = c;
    c.skip(HEADER)?;
    p.link_len = HEADER;
    let packet = Cursor::new(c.rest());
    p.deeper(|p| ip::ip(p, packet, length.saturating_sub(HEADER)))
}

/// Which way it went, and in what form.
fn direction(p: &mut Out<'_>, whole: Cursor<'_>, left: usize) -> Printed {
    let mut c = whole;
    let (way, first) = (c.u8()?, { c }.u8()?);
    match way {
        IN => put!(p, "I "),
        OUT => put!(p, "O "),
        _ => put!(p, "Invalid direction ", way, " "),
    }
    match first {
        0x40..=0x4f => put!(p, "ip ", left + HEADER),
        // compat: of what else goes no way nothing is said (4.99.3).
        0..0x70 | 0x80.. if way > OUT => return Ok(()),
        0x80.. => return compressed::header(p, c, way, || payload_length(whole, left)),
        0x70..=0x7f => {
            // The connection's number stands where a packet's own header has its protocol.
            let connection = whole.rest().get(10).copied().ok_or(Truncated)?;
            put!(p, "utcp ", connection);
            if way <= OUT {
                put!(p, ": ");
                let length = payload_length(whole, left)?;
                p.past.memory().slip.remember(way, connection, length);
                return Ok(());
            }
        }
        _ => put!(p, "slip-", first, "!"),
    }
    put!(p, ": ");
    Ok(())
}

/// Bytes of the packet, `left` in all, behind its headers of IP and TCP.
///
/// compat: of headers longer than the packet tcpdump makes a very large number (4.99.3).
fn payload_length(whole: Cursor<'_>, left: usize) -> Result<u32, Truncated> {
    let mut c = whole;
    c.skip(HEADER)?;
    let ip = u32::from({ c }.u8()? & 15) * 4;
    c.skip(usize::try_from(ip).unwrap_or(usize::MAX))?;
    c.need(20)?;
    c.skip(12)?;
    let tcp = u32::from(c.u8()? >> 4) * 4;
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    Ok(left.wrapping_sub(ip + tcp))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    /// A segment of TCP with five bytes.
    const SEGMENT: &str = "4500002d00010000400600000900000109000002\
                           9c40005000000001000000015010faf0 00000000 68656c6c6f";
    const LINE: &str =
        "9.0.0.1.40000 > 9.0.0.2.80: Flags [.], seq 1:6, ack 1, win 64240, length 5: HTTP\n";

    #[test]
    fn headers_of_both_ways() {
        let link = Style {
            link: true,
            ..style(0)
        };
        for (header, shown) in [
            ("0045", "I ip 61: "),
            ("0175 0000000000000000 03", "O utcp 3: "),
            ("01c2 03 1234 00 fffe", "O ctcp 3 W-2 5 (7): "),
            ("01a8 1234 05", "O ctcp * S+5 I+5 5 (3): "),
            ("00cf 09 1234", "I ctcp 9 *S+0 5 (4): "),
            ("0010", "I slip-16!: "),
        ] {
            let blank = header.replace(' ', "");
            let hex = format!("{blank:0<32}{SEGMENT}");
            check(
                LinkType::SLIP,
                &hex,
                link.clone(),
                &format!("{shown}{LINE}"),
            );
        }
    }
}
