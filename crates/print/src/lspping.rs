//! Ping along label switched paths (RFC 4379).

mod table;

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::bgp;
use crate::hexdump;
use crate::l2vpn;
use crate::ntp;
use crate::out::{Out, Printed, named};
use crate::put::{HexFull, HexZeros, put};

const HEADER: usize = 32;
const TLV_HEADER: usize = 4;

/// A datagram of `length` bytes.
pub(crate) fn lspping(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lspping";
    let mut c = c;
    if length < HEADER {
        put!(p, "\n\t\t packet is too short");
        return Ok(());
    }
    c.need(HEADER)?;
    let version = c.u16()?;
    if version != 1 {
        put!(p, "LSP-PING version ", version, " packet not supported");
        return Ok(());
    }
    c.skip(2)?;
    let (kind, reply, code, subcode) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let handle = c.u32();
    if !p.verbose(1) {
        let _ = handle?;
        put!(p, "LSP-PINGv1, ", named(table::MESSAGES, kind, "unknown"));
        if named(table::MESSAGES, kind, "").is_empty() {
            put!(p, " (", kind, ")");
        }
        put!(p, ", seq ", c.u32()?, ", length: ", length);
        return Ok(());
    }
    put!(
        p,
        "\n\tLSP-PINGv1, msg-type: ",
        named(table::MESSAGES, kind, "unknown"),
        " (",
        kind
    );
    put!(p, "), length: ", length, "\n\t  reply-mode: ");
    put!(
        p,
        named(table::REPLIES, reply, "unknown"),
        " (",
        reply,
        ")\n\t  Return Code: "
    );
    put!(p, named(table::CODES, code, "unknown"));
    // These speak of a depth.
    if matches!(code, 3 | 4 | 8 | 10..=12) {
        put!(p, " ", subcode);
    }
    put!(p, " (", code, ")\n\t  Return Subcode: (", subcode, ")");
    put!(
        p,
        "\n\t  Sender Handle: 0x",
        HexFull(handle?),
        ", Sequence: ",
        c.u32()?
    );
    put!(p, "\n\t  TimeStamp Sent: ");
    ntp::timestamp(p, ntp::Time(c.u64()?));
    put!(p, "\n\t  TimeStamp Received: ");
    match c.u64()? {
        0 => put!(p, "no timestamp"),
        time => ntp::timestamp(p, ntp::Time(time)),
    }
    tlvs(p, c, length - HEADER)
}

fn tlvs(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left >= TLV_HEADER {
        c.need(TLV_HEADER)?;
        let (kind, size) = (c.u16()?, usize::from(c.u16()?));
        put!(
            p,
            "\n\t  ",
            named(table::TLVS, kind, "Unknown"),
            " TLV (",
            kind
        );
        put!(p, "), length: ", size);
        if size == 0 {
            left -= TLV_HEADER;
            continue;
        }
        if size + TLV_HEADER > left {
            p.invalid();
            return Ok(());
        }
        c.need(size)?;
        let value = c.limit(size);
        let value = Cursor::new(value.rest());
        let known = tlv(p, kind, value, size)?;
        if p.verbose(2) || !known {
            hexdump::hex(p, "\n\t    ", value.rest());
        }
        // Values are padded to four bytes.
        let padded = size.next_multiple_of(4);
        if padded + TLV_HEADER > left {
            return Ok(());
        }
        c.skip(padded)?;
        left -= padded + TLV_HEADER;
    }
    Ok(())
}

/// `false` for a type whose bytes are to be shown.
fn tlv(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    match kind {
        1 => {
            while c.remaining() >= TLV_HEADER {
                let (kind, size) = (c.u16()?, usize::from(c.u16()?));
                put!(
                    p,
                    "\n\t    ",
                    named(table::FECS, kind, "Unknown"),
                    " subTLV (",
                    kind
                );
                put!(p, "), length: ", size);
                if size == 0 {
                    continue;
                }
                if size > c.remaining() {
                    put!(p, "\n\t      TLV is too short");
                    return Ok(true);
                }
                let value = c.sub(size)?;
                fec(p, kind, value, size)?;
                if p.verbose(2) {
                    hexdump::hex(p, "\n\t      ", value.rest());
                }
                c.skip((size.next_multiple_of(4) - size).min(c.remaining()))?;
            }
            Ok(true)
        }
        2 => {
            downstream(p, c, size)?;
            Ok(true)
        }
        15 => {
            if size < 4 {
                put!(p, "\n\t      TLV is too short");
            } else {
                put!(p, "\n\t    BFD Discriminator 0x", HexFull(c.u32()?));
            }
            Ok(true)
        }
        5 => {
            if size < 4 {
                put!(p, "\n\t      TLV is too short");
            } else {
                let vendor = c.u32()?;
                put!(p, "\n\t    Vendor: Unknown (0x", HexZeros(vendor, 4), ")");
            }
            Ok(true)
        }
        _ => Ok(p.verbose(2)),
    }
}

fn fec(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, size: usize) -> Printed {
    let right = match kind {
        1 | 12 => 5,
        2 | 13 => 17,
        3 => 20,
        4 => 56,
        6 => 13,
        7 => 25,
        8 => 14,
        9 => 10,
        10 => 14,
        _ => size,
    };
    if size != right {
        put!(p, "\n\t      invalid subTLV length, should be ", right);
        return Ok(());
    }
    match kind {
        1 | 12 => {
            let addr = Ipv4Addr::from(c.u32()?);
            put!(p, "\n\t      ");
            p.addr(addr);
            put!(p, "/", c.u8()?);
        }
        2 | 13 => {
            let addr = Ipv6Addr::from(c.u128()?);
            put!(p, "\n\t      ");
            p.addr(addr);
            put!(p, "/", c.u8()?);
        }
        3 | 4 => session(p, c, kind == 4)?,
        6 | 7 => {
            put!(p, "\n\t      RD: ");
            bgp::distinguisher(p, &mut c)?;
            put!(p, ", ");
            if kind == 6 {
                p.addr(Ipv4Addr::from(c.u32()?));
            } else {
                p.addr(Ipv6Addr::from(c.u128()?));
            }
            put!(p, "/", c.u8()?);
        }
        8 => {
            put!(p, "\n\t      RD: ");
            bgp::distinguisher(p, &mut c)?;
            put!(
                p,
                ", Sender VE ID: ",
                c.u16()?,
                ", Receiver VE ID: ",
                c.u16()?
            );
            wire(p, "\n\t      Encapsulation Type: ", c.u16()?);
        }
        9 | 10 => {
            put!(p, "\n\t      ");
            if kind == 10 {
                put!(p, "Sender PE: ");
                p.addr(Ipv4Addr::from(c.u32()?));
                put!(p, ", ");
            }
            put!(p, "Remote PE: ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, "\n\t      PW ID: 0x", HexFull(c.u32()?));
            wire(p, ", PW Type: ", c.u16()?);
        }
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", c.rest()),
        _ => {}
    }
    Ok(())
}

fn wire(p: &mut Out<'_>, name: &str, kind: u16) {
    put!(
        p,
        name,
        named(l2vpn::PSEUDOWIRES, kind, "unknown"),
        " (",
        kind,
        ")"
    );
}

fn session(p: &mut Out<'_>, mut c: Cursor<'_>, v6: bool) -> Printed {
    let addr = |p: &mut Out<'_>, c: &mut Cursor<'_>| -> Printed {
        if v6 {
            p.addr(Ipv6Addr::from(c.u128()?));
        } else {
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        Ok(())
    };
    put!(p, "\n\t      tunnel end-point ");
    addr(p, &mut c)?;
    c.skip(2)?;
    let tunnel = c.u16()?;
    let mut extended = c;
    c.skip(if v6 { 16 } else { 4 })?;
    put!(p, ", tunnel sender ");
    addr(p, &mut c)?;
    c.skip(2)?;
    put!(
        p,
        ", lsp-id 0x",
        HexFull(c.u16()?),
        "\n\t      tunnel-id 0x",
        HexFull(tunnel)
    );
    put!(p, ", extended tunnel-id ");
    addr(p, &mut extended)
}

fn downstream(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    if size < 8 {
        put!(p, "\n\t      TLV is too short");
        return Ok(());
    }
    let (mtu, kind) = (c.u16()?, c.u8()?);
    c.skip(1)?;
    put!(
        p,
        "\n\t    MTU: ",
        mtu,
        ", Address-Type: ",
        named(table::ADDRESSES, kind, "unknown")
    );
    put!(p, " (", kind, ")");
    let (least, interface) = match kind {
        1 => (12, 4),
        2 => (12, 0),
        3 => (36, 16),
        4 => (24, 0),
        _ => return Ok(()),
    };
    if size < least {
        put!(p, "\n\t      TLV is too short");
        return Ok(());
    }
    put!(p, "\n\t    Downstream IP: ");
    if kind > 2 {
        p.addr(Ipv6Addr::from(c.u128()?));
    } else {
        p.addr(Ipv4Addr::from(c.u32()?));
    }
    match interface {
        4 => {
            put!(p, "\n\t    Downstream Interface IP: ");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        16 => {
            put!(p, "\n\t    Downstream Interface IP: ");
            p.addr(Ipv6Addr::from(c.u128()?));
        }
        _ => put!(
            p,
            "\n\t    Downstream Interface Index: 0x",
            HexFull(c.u32()?)
        ),
    }
    Ok(())
}
