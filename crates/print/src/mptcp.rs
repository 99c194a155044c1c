//! Multipath TCP (RFC 6824 version 0, RFC 8684 version 1): its option in TCP headers.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, bits};
use crate::put::{Hex, HexBytes, put};
use crate::tcp::{ACK, SYN};

/// Flags of `MP_CAPABLE` are named by letters.
static CAPABLE_FLAGS: &[(u32, &str)] = &[
    (0x80, "A"),
    (0x40, "B"),
    (0x20, "C"),
    (0x10, "D"),
    (0x08, "E"),
    (0x04, "F"),
    (0x02, "G"),
    (0x01, "H"),
];

/// The option after its kind and length; `size` is its whole length, `flags` are those of the
/// segment.
///
/// # Errors
/// Its length does not fit its subtype or the segment.
pub(crate) fn option(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    flags: u16,
) -> Result<(), Truncated> {
    let first = c.u8()?;
    let low = first & 15;
    let syn = flags & SYN != 0;
    let ack = flags & ACK != 0;
    put!(p, " ", size, " ");
    match first >> 4 {
        0 => capable(p, c, size, low, syn, ack),
        1 => join(p, c, size, low, syn, ack),
        2 => dss(p, c, syn),
        3 => add_addr(p, c, size, low),
        4 => rem_addr(p, c),
        5 => prio(p, c, size, low),
        6 => {
            put!(p, "fail");
            exactly(size == 12)?;
            c.skip(1)?;
            put!(p, " seq ", c.u64()?);
            Ok(())
        }
        7 => {
            put!(p, "fast-close");
            exactly(size == 12)?;
            c.skip(1)?;
            put!(p, " key 0x", Hex(c.u64()?));
            Ok(())
        }
        _ => {
            put!(p, "unknown");
            Ok(())
        }
    }
}

/// A length that does not fit is the same as one that ends early.
fn exactly(fits: bool) -> Result<(), Truncated> {
    if fits { Ok(()) } else { Err(Truncated) }
}

fn capable(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    version: u8,
    syn: bool,
    ack: bool,
) -> Result<(), Truncated> {
    put!(p, "capable");
    exactly(match size {
        4 => syn && version == 1,
        12 => syn,
        20 | 22 => !syn && ack,
        _ => false,
    })?;
    if version > 1 {
        put!(p, " Unknown Version (", version, ")");
        return Ok(());
    }
    let flags = c.u8()?;
    put!(p, " v", version, " flags [");
    bits(p, CAPABLE_FLAGS, u32::from(flags), "", "none");
    put!(p, "]");
    if flags & 0x80 != 0 {
        put!(p, " csum");
    }
    if size >= 12 {
        put!(p, " {0x", Hex(c.u64()?));
        if size >= 20 {
            put!(p, ",0x", Hex(c.u64()?));
        }
        put!(p, "}");
    }
    Ok(())
}

fn join(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    low: u8,
    syn: bool,
    ack: bool,
) -> Result<(), Truncated> {
    put!(p, "join");
    exactly(match size {
        12 => syn,
        16 => syn && ack,
        24 => ack,
        _ => false,
    })?;
    if size == 24 {
        c.skip(1)?;
        put!(p, " hmac 0x", HexBytes(c.take(20)?));
        return Ok(());
    }
    if low & 1 != 0 {
        put!(p, " backup");
    }
    put!(p, " id ", c.u8()?);
    if size == 12 {
        put!(p, " token 0x", Hex(c.u32()?));
    } else {
        put!(p, " hmac 0x", Hex(c.u64()?));
    }
    put!(p, " nonce 0x", Hex(c.u32()?));
    Ok(())
}

/// Data sequence signal.
fn dss(p: &mut Out<'_>, c: &mut Cursor<'_>, syn: bool) -> Result<(), Truncated> {
    put!(p, "dss");
    exactly(!syn)?;
    let flags = c.u8()?;
    if flags & 0x10 != 0 {
        put!(p, " fin");
    }
    if flags & 0x01 != 0 {
        put!(p, " ack ");
        number(p, c, flags & 0x02 != 0)?;
    }
    if flags & 0x04 != 0 {
        put!(p, " seq ");
        number(p, c, flags & 0x08 != 0)?;
        put!(p, " subseq ", c.u32()?, " len ", c.u16()?);
        if !c.is_empty() {
            put!(p, " csum 0x", Hex(c.u16()?));
        }
    }
    exactly(c.is_empty())
}

/// A data sequence number of eight bytes or four.
fn number(p: &mut Out<'_>, c: &mut Cursor<'_>, long: bool) -> Result<(), Truncated> {
    if long {
        put!(p, c.u64()?);
    } else {
        put!(p, c.u32()?);
    }
    Ok(())
}

fn add_addr(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize, low: u8) -> Result<(), Truncated> {
    put!(p, "add-addr");
    // Version 0 has the address family here, version 1 the echo flag and an HMAC unless echoed.
    let (kind, v6) = match (low, size) {
        (4, 8 | 10) => (" v0-ip4", false),
        (6, 20 | 22) => (" v0-ip6", true),
        (0, 8 | 10 | 16 | 18) => (" v1", false),
        (1, 8 | 10) => (" v1-echo", false),
        (0, 20 | 22 | 28 | 30) => (" v1", true),
        (1, 20 | 22) => (" v1-echo", true),
        _ => return Err(Truncated),
    };
    put!(p, kind, " id ", c.u8()?, " ");
    if v6 {
        p.addr(Ipv6Addr::from(c.u128()?));
    } else {
        p.addr(Ipv4Addr::from(c.u32()?));
    }
    if matches!(size, 10 | 18 | 22 | 30) {
        put!(p, ":", c.u16()?);
    }
    if !c.is_empty() {
        put!(p, " hmac 0x", Hex(c.u64()?));
    }
    Ok(())
}

fn rem_addr(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    put!(p, "rem-addr");
    exactly(!c.is_empty())?;
    put!(p, " id");
    while let Ok(id) = c.u8() {
        put!(p, " ", id);
    }
    Ok(())
}

fn prio(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize, low: u8) -> Result<(), Truncated> {
    put!(p, "prio");
    exactly(matches!(size, 3 | 4))?;
    put!(
        p,
        if low & 1 == 0 {
            " non-backup"
        } else {
            " backup"
        }
    );
    if size == 4 {
        put!(p, " id ", c.u8()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn each_subtype() {
        for (packet, expected) in [
            (
                "4500003400010000400666c10a0000010a00000200640009000003e8000007d08002faf0361d00001e0c00810102030405060708",
                "IP 10.0.0.1.100 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [mptcp 12 capable v0 flags [AH] csum {0x102030405060708}], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200650009000003e8000007d06002faf065c000001e040101",
                "IP 10.0.0.1.101 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [mptcp 4 capable v1 flags [H]], length 0\n",
            ),
            (
                "4500003400010000400666c10a0000010a00000200660009000003e8000007d08012faf0350b00001e0c01810102030405060708",
                "IP 10.0.0.1.102 > 10.0.0.2.9: Flags [S.], seq 1000, ack 2000, win 64240, options [mptcp 12 capable v1 flags [AH] csum {0x102030405060708}], length 0\n",
            ),
            (
                "4500003c00010000400666b90a0000010a00000200670009000003e8000007d0a010faf0c52700001e14010101020304050607081112131415161718",
                "IP 10.0.0.1.103 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 20 capable v1 flags [H] {0x102030405060708,0x1112131415161718}], length 0\n",
            ),
            (
                "4500003400010000400666c10a0000010a00000200680009000003e8000007d08002faf0ba0900001e0c1105aabbccdd01020304",
                "IP 10.0.0.1.104 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [mptcp 12 join backup id 5 token 0xaabbccdd nonce 0x1020304], length 0\n",
            ),
            (
                "4500003800010000400666bd0a0000010a00000200690009000003e8000007d09012faf0127600001e101005010203040506070801020304",
                "IP 10.0.0.1.105 > 10.0.0.2.9: Flags [S.], seq 1000, ack 2000, win 64240, options [mptcp 16 join id 5 hmac 0x102030405060708 nonce 0x1020304], length 0\n",
            ),
            (
                "4500004000010000400666b50a0000010a000002006a0009000003e8000007d0b010faf051d100001e181000abababababababababababababababababababab",
                "IP 10.0.0.1.106 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 24 join hmac 0xabababababababababababababababababababab], length 0\n",
            ),
            (
                "4500003000010000400666c50a0000010a000002006b0009000003e8000007d07010faf0369d00001e08200100000007",
                "IP 10.0.0.1.107 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 8 dss ack 7], length 0\n",
            ),
            (
                "4500003400010000400666c10a0000010a000002006c0009000003e8000007d08010faf0168500001e0c20030102030405060708",
                "IP 10.0.0.1.108 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 12 dss ack 72623859790382856], length 0\n",
            ),
            (
                "4500003800010000400666bd0a0000010a000002006d0009000003e8000007d09010faf06aab00001e10201400000001000000020003abcd",
                "IP 10.0.0.1.109 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 16 dss fin seq 1 subseq 2 len 3 csum 0xabcd], length 0\n",
            ),
            (
                "4500003000010000400666c50a0000010a000002006e0009000003e8000007d07010faf0189c00001e0834050a000001",
                "IP 10.0.0.1.110 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 8 add-addr v0-ip4 id 5 10.0.0.1], length 0\n",
            ),
            (
                "4500003c00010000400666b90a0000010a000002006f0009000003e8000007d0a010faf0dc2000001e1230050a000001005001020304050607080000",
                "IP 10.0.0.1.111 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 18 add-addr v1 id 5 10.0.0.1:80 hmac 0x102030405060708,eol], length 0\n",
            ),
            (
                "4500003c00010000400666b90a0000010a00000200700009000003e8000007d0a010faf0c7c800001e14310520010db8000000000000000000000001",
                "IP 10.0.0.1.112 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 20 add-addr v1-echo id 5 2001:db8::1], length 0\n",
            ),
            (
                "4500003000010000400666c50a0000010a00000200710009000003e8000007d07010faf0149d00001e06400102030000",
                "IP 10.0.0.1.113 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 6 rem-addr id 1 2 3,eol], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200720009000003e8000007d06010faf015a500001e045101",
                "IP 10.0.0.1.114 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 4 prio backup id 1], length 0\n",
            ),
            (
                "4500003400010000400666c10a0000010a00000200730009000003e8000007d08010faf0d68000001e0c60000102030405060708",
                "IP 10.0.0.1.115 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 12 fail seq 72623859790382856], length 0\n",
            ),
            (
                "4500003400010000400666c10a0000010a00000200740009000003e8000007d08010faf0c67f00001e0c70000102030405060708",
                "IP 10.0.0.1.116 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 12 fast-close key 0x102030405060708], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200750009000003e8000007d06010faf0e6a200001e048000",
                "IP 10.0.0.1.117 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 4 unknown], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200760009000003e8000007d06010faf046a300001e032000",
                "IP 10.0.0.1.118 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 3 dss[bad opt]\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200770009000003e8000007d06010faf066a000001e040001",
                "IP 10.0.0.1.119 > 10.0.0.2.9: Flags [.], ack 2000, win 64240, options [mptcp 4 capable[bad opt]\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }
}
