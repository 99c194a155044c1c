//! What PPP's control protocols negotiate, option by option.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::oui;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexFull, put};

use super::{BACP, CCP, IP6CP, IPCP, LCP};

static LCP_OPTIONS: &[&str] = &[
    "Vend-Ext",
    "MRU",
    "ACCM",
    "Auth-Prot",
    "Qual-Prot",
    "Magic-Num",
    "deprecated(6)",
    "PFC",
    "ACFC",
    "FCS-Alt",
    "SDP",
    "Num-Mode",
    "deprecated(12)",
    "Call-Back",
    "deprecated(14)",
    "deprecated(15)",
    "deprecated(16)",
    "MRRU",
    "12-Bit seq #",
    "End-Disc",
    "Proprietary",
    "DCE-Id",
    "MP+",
    "Link-Disc",
    "LCP-Auth-Opt",
    "COBS",
    "Prefix-elision",
    "Multilink-header-Form",
    "I18N",
    "SDL-over-SONET/SDH",
    "PPP-Muxing",
];

static IPCP_OPTIONS: &[(u8, &str)] = &[
    (1, "IP-Addrs"),
    (2, "IP-Comp"),
    (3, "IP-Addr"),
    (4, "Home-Addr"),
    (129, "Pri-DNS"),
    (130, "Pri-NBNS"),
    (131, "Sec-DNS"),
    (132, "Sec-NBNS"),
];

static CCP_OPTIONS: &[(u8, &str)] = &[
    (0, "OUI"),
    (1, "Pred-1"),
    (2, "Pred-2"),
    (3, "Puddle"),
    (16, "HP-PPC"),
    (17, "Stac-LZS"),
    (18, "MPPC"),
    (19, "Gand-FZA"),
    (20, "V.42bis"),
    (21, "BSD-Comp"),
    (23, "LZS-DCP"),
    (24, "MVRCA"),
    (25, "DEC"),
    (26, "Deflate"),
];

static CALLBACKS: &[(u8, &str)] = &[
    (0, "UserAuth"),
    (1, "DialString"),
    (2, "LocalID"),
    (3, "E.164"),
    (4, "X.500"),
    (6, "CBCP"),
];

/// What an option's printer found.
enum Value {
    /// Shown.
    Shown,
    /// No printer for it.
    Unknown,
    /// Its length is not the one it should have; the text says which.
    Bogus(&'static str),
}

/// Options of `length` bytes.
pub(super) fn list(p: &mut Out<'_>, protocol: u16, c: Cursor<'_>, length: usize) {
    if all(p, protocol, c, length).is_err() {
        p.truncated();
    }
}

fn all(p: &mut Out<'_>, protocol: u16, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    if !matches!(protocol, LCP | IPCP | IP6CP | CCP | BACP) {
        return Ok(());
    }
    while left > 0 {
        if left < 2 {
            return Err(Truncated);
        }
        let whole = c;
        let (kind, stated) = (c.u8()?, c.u8()?);
        name(p, protocol, kind, stated);
        if stated < 2 {
            put!(p, " (length bogus, should be >= 2)");
            return Ok(());
        }
        let stated = usize::from(stated);
        one(p, protocol, kind, c, whole, stated)?;
        whole.need(stated)?;
        if stated > left {
            put!(p, " [remaining options length ", left, " < ", stated, "]");
            p.invalid();
            return Ok(());
        }
        c.skip(stated - 2)?;
        left -= stated;
    }
    Ok(())
}

fn name(p: &mut Out<'_>, protocol: u16, kind: u8, stated: u8) {
    let name = match protocol {
        LCP => match LCP_OPTIONS.get(usize::from(kind)) {
            Some(name) => name,
            None => return put!(p, "\n\tunknown LCP option 0x", HexFull(kind)),
        },
        IPCP => lookup(IPCP_OPTIONS, kind).unwrap_or("unknown"),
        IP6CP if kind == 1 => "Interface-ID",
        IP6CP => "unknown",
        BACP if kind == 1 => "Favored-Peer",
        CCP => lookup(CCP_OPTIONS, kind).unwrap_or("Unknown"),
        _ => "Unknown",
    };
    put!(
        p,
        "\n\t  ",
        name,
        " Option (0x",
        HexFull(kind),
        "), length ",
        stated
    );
}

fn one(
    p: &mut Out<'_>,
    protocol: u16,
    kind: u8,
    c: Cursor<'_>,
    whole: Cursor<'_>,
    stated: usize,
) -> Printed {
    let value = match protocol {
        LCP => lcp(p, kind, c, whole, stated)?,
        IPCP => ipcp(p, kind, c, stated)?,
        CCP => ccp(p, kind, c, stated)?,
        IP6CP => match (kind, stated) {
            (1, 10) => {
                let mut c = c;
                let id = (c.u16()?, c.u16()?, c.u16()?, c.u16()?);
                put!(
                    p,
                    ": ",
                    HexFull(id.0),
                    ":",
                    HexFull(id.1),
                    ":",
                    HexFull(id.2)
                );
                put!(p, ":", HexFull(id.3));
                Value::Shown
            }
            (1, _) => Value::Bogus("= 10"),
            _ => Value::Unknown,
        },
        _ => match (kind, stated) {
            (1, 6) => {
                put!(p, ": Magic-Num 0x", HexFull({ c }.u32()?));
                Value::Shown
            }
            (1, _) => Value::Bogus("= 6"),
            _ => Value::Unknown,
        },
    };
    match value {
        Value::Bogus(should) => {
            put!(p, " (length bogus, should be ", should, ")");
            return Ok(());
        }
        Value::Shown if !p.verbose(2) => return Ok(()),
        Value::Shown | Value::Unknown => {}
    }
    hexdump::hex(p, "\n\t    ", c.limit(stated - 2).rest());
    Ok(())
}

fn lcp(
    p: &mut Out<'_>,
    kind: u8,
    mut c: Cursor<'_>,
    whole: Cursor<'_>,
    stated: usize,
) -> Result<Value, Truncated> {
    match (kind, stated) {
        (0, 6..) => {
            let vendor = c.u24()?;
            put!(p, ": Vendor: ", oui::name(vendor), " (", vendor, ")");
        }
        (0, _) => return Ok(Value::Bogus(">= 6")),
        (1 | 17, 4) => put!(p, ": ", c.u16()?),
        (23, 4) => put!(p, ": 0x", HexFull(c.u16()?)),
        (1 | 17 | 23, _) => return Ok(Value::Bogus("= 4")),
        (2 | 5, 6) => put!(p, ": 0x", HexFull(c.u32()?)),
        (2 | 5, _) => return Ok(Value::Bogus("= 6")),
        (3, 4..) => return authentication(p, c, whole, stated),
        (4, 4..) => put!(
            p,
            if c.u16()? == 0xc025 {
                ": LQR"
            } else {
                ": unknown"
            }
        ),
        (3 | 4, _) => return Ok(Value::Bogus(">= 4")),
        (7 | 8, _) => {}
        (13, 3..) => {
            let operation = c.u8()?;
            let name = lookup(CALLBACKS, operation).unwrap_or("Unknown");
            put!(p, ": Callback Operation ", name, " (", operation, ")");
        }
        (19, 3..) => return discriminator(p, c, stated),
        (13 | 19, _) => return Ok(Value::Bogus(">= 3")),
        (0..=30, _) => return Ok(Value::Unknown),
        _ => {}
    }
    Ok(Value::Shown)
}

/// Which protocol is to say who is there, and how.
fn authentication(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    whole: Cursor<'_>,
    stated: usize,
) -> Result<Value, Truncated> {
    let protocol = c.u16()?;
    // compat: tcpdump 4.99.3 prints the format of the number, not the number.
    let name = super::name(protocol).unwrap_or("Unknown Auth Proto (0x04x)");
    put!(p, ": ", name);
    match protocol {
        0xc223 => {
            let algorithm = c.u8()?;
            match algorithm {
                5 => put!(p, ", MD5"),
                128 => put!(p, ", MS-CHAPv1"),
                129 => put!(p, ", MS-CHAPv2"),
                _ => put!(p, ", Unknown Auth Alg ", algorithm),
            }
        }
        0xc023 | 0xc027 | 0xc123 | 0xc227 => {}
        _ => hexdump::hex(p, "\n\t", whole.limit(stated).rest()),
    }
    Ok(Value::Shown)
}

/// What tells two ends of a multilink bundle apart.
fn discriminator(p: &mut Out<'_>, mut c: Cursor<'_>, stated: usize) -> Result<Value, Truncated> {
    match (c.u8()?, stated) {
        (0, _) => put!(p, ": Null"),
        (1, _) => put!(p, ": Local"),
        (2, 7) => put!(p, ": IPv4 ", Ipv4Addr::from(c.u32()?)),
        (2, _) => return Ok(Value::Bogus("= 7")),
        (3, 9) => {
            let mac = c.array()?;
            put!(p, ": MAC ");
            p.mac(mac);
        }
        (3, _) => return Ok(Value::Bogus("= 9")),
        (4, _) => put!(p, ": Magic-Num-Block"),
        (5, _) => put!(p, ": PSNDN"),
        (class, _) => put!(p, ": Unknown class ", class),
    }
    Ok(Value::Shown)
}

fn ipcp(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, stated: usize) -> Result<Value, Truncated> {
    match (kind, stated) {
        (1, 10) => {
            let (source, destination) = (c.u32()?, c.u32()?);
            put!(
                p,
                ": src ",
                Ipv4Addr::from(source),
                ", dst ",
                Ipv4Addr::from(destination)
            );
        }
        (1, _) => return Ok(Value::Bogus("= 10")),
        (2, 4..) => return compression(p, c, stated),
        (2, _) => return Ok(Value::Bogus(">= 4")),
        (3 | 4 | 129..=132, 6) => put!(p, ": ", Ipv4Addr::from(c.u32()?)),
        (3 | 4 | 129..=132, _) => return Ok(Value::Bogus("= 6")),
        _ => return Ok(Value::Unknown),
    }
    Ok(Value::Shown)
}

/// Van Jacobson's header compression, or RFC 2509's.
fn compression(p: &mut Out<'_>, mut c: Cursor<'_>, stated: usize) -> Result<Value, Truncated> {
    let protocol = c.u16()?;
    let name = match protocol {
        0x002d => "VJ-Comp",
        0x0061 => "IP Header Compression",
        _ => "Unknown",
    };
    put!(p, ": ", name, " (0x");
    put!(p, crate::put::HexZeros(u32::from(protocol), 2), "):");
    if protocol != 0x0061 {
        return Ok(Value::Shown);
    }
    if stated < 14 {
        return Ok(Value::Bogus(">= 14"));
    }
    let spaces = (c.u16()?, c.u16()?, c.u16()?, c.u16()?, c.u16()?);
    put!(
        p,
        "\n\t    TCP Space ",
        spaces.0,
        ", non-TCP Space ",
        spaces.1
    );
    put!(
        p,
        ", maxPeriod ",
        spaces.2,
        ", maxTime ",
        spaces.3,
        ", maxHdr ",
        spaces.4
    );
    let mut left = stated - 14;
    put!(p, "\n\t      Suboptions, length ", left);
    while left >= 2 {
        let (kind, length) = (c.u8()?, usize::from(c.u8()?));
        if length < 2 {
            break;
        }
        let name = match kind {
            1 => "RTP-Compression",
            2 => "Enhanced RTP-Compression",
            3 => "Suppress Data/Compressed Data",
            _ => "Unknown",
        };
        put!(p, "\n\t\t", name, " Suboption #", kind, ", length ", length);
        if length > left {
            put!(
                p,
                " [remaining suboptions length ",
                left,
                " < ",
                length,
                "]"
            );
            p.invalid();
            break;
        }
        c.skip(length - 2)?;
        left -= length;
    }
    Ok(Value::Shown)
}

fn ccp(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, stated: usize) -> Result<Value, Truncated> {
    match (kind, stated) {
        (21, 3..) => {
            let bits = c.u8()?;
            put!(
                p,
                ": Version: ",
                bits >> 5,
                ", Dictionary Bits: ",
                bits & 31
            );
        }
        (21, _) => return Ok(Value::Bogus(">= 3")),
        (24, 4..) => {
            let (bits, context) = (c.u8()?, c.u8()?);
            let pxp = if bits & 0x20 != 0 {
                "Enabled"
            } else {
                "Disabled"
            };
            put!(
                p,
                ": Features: ",
                bits >> 6,
                ", PxP: ",
                pxp,
                ", History: ",
                bits & 31
            );
            put!(p, ", #CTX-ID: ", context);
        }
        (26, 4..) => {
            let (bits, check) = (c.u8()?, c.u8()?);
            let method = if bits & 15 == 8 { "zlib" } else { "unknown" };
            put!(
                p,
                ": Window: ",
                bits >> 4,
                "K, Method: ",
                method,
                " (0x",
                Hex(bits & 15)
            );
            put!(p, "), MBZ: ", check >> 2, ", CHK: ", check & 3);
        }
        (24 | 26, _) => return Ok(Value::Bogus(">= 4")),
        _ => return Ok(Value::Unknown),
    }
    Ok(Value::Shown)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(9),
            "ff03c02101010013010405dc0506010203040305c22381",
            style(1),
            "LCP, Conf-Request (0x01), id 1, length 21\n\tencoded length 19 (=Option(s) length 15)\n\t  MRU Option (0x01), length 4: 1500\n\t  Magic-Num Option (0x05), length 6: 0x01020304\n\t  Auth-Prot Option (0x03), length 5: CHAP, MS-CHAPv2\n",
        );
        check(
            LinkType(9),
            "ff0380210101000a03060a000001",
            style(1),
            "IPCP, Conf-Request (0x01), id 1, length 12\n\tencoded length 10 (=Option(s) length 6)\n\t  IP-Addr Option (0x03), length 6: 10.0.0.1\n",
        );
        check(
            LinkType(9),
            "ff0380fd010100081a047800",
            style(1),
            "CCP, Conf-Request (0x01), id 1, length 10\n\tencoded length 8 (=Option(s) length 4)\n\t  Deflate Option (0x1a), length 4: Window: 7K, Method: zlib (0x8), MBZ: 0, CHK: 0\n",
        );
    }
}
