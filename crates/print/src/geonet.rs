//! `GeoNetworking` between cars (ETSI TS 102 636), and CALM FAST (ISO 29281).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{Pairs, put};

const COMMON: usize = 36;

static NEXT: &[(u8, &str)] = &[(0, "Any"), (1, "BTP-A"), (2, "BTP-B"), (3, "IPv6")];

static MESSAGES: &[(u8, &str)] = &[
    (0, "CAM"),
    (1, "DENM"),
    (101, "TPEGM"),
    (102, "TSPDM"),
    (103, "VPM"),
    (104, "SRM"),
    (105, "SLAM"),
    (106, "ecoCAM"),
    (107, "ITM"),
    (150, "SA"),
];

fn source(p: &mut Out<'_>, name: &str) {
    put!(p, name);
    if let Some((source, _)) = p.macs {
        put!(p, " src:");
        p.mac(source);
    }
    put!(p, "; ");
}

/// A CALM FAST packet.
pub(crate) fn calm_fast(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "calm_fast";
    source(p, "CALM FAST");
    if length < 2 {
        put!(p, " (length ", length, " < 2)");
        p.invalid();
        return c.need(length);
    }
    put!(p, "SrcNwref:", c.u8()?, "; ");
    put!(p, "DstNwref:", c.u8()?, "; ");
    if p.verbose(1) {
        p.unknown(c.rest());
        return c.need(length - 2);
    }
    Ok(())
}

/// What a header type and subtype are called, and the size of the header that is theirs;
/// `None` where nobody knows it.
fn header_type(kind: u8, sub: u8) -> (&'static str, Option<usize>) {
    match (kind, sub) {
        (0, _) => ("Any", Some(0)),
        (1, _) => ("Beacon", Some(0)),
        (2, _) => ("GeoUnicast", None),
        (3, 0) => ("GeoAnycastCircle", None),
        (3, 1) => ("GeoAnycastRect", None),
        (3, 2) => ("GeoAnycastElipse", None),
        (4, 0) => ("GeoBroadcastCircle", None),
        (4, 1) => ("GeoBroadcastRect", None),
        (4, 2) => ("GeoBroadcastElipse", None),
        (5, 0) => ("TopoScopeBcast-SH", Some(0)),
        (5, 1) => ("TopoScopeBcast-MH", Some(68 - COMMON)),
        (6, 0) => ("LocService-Request", None),
        (6, 1) => ("LocService-Reply", None),
        _ => ("Unknown", None),
    }
}

/// A packet of `length` bytes.
pub(crate) fn geonet(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "geonet";
    let whole = Cursor::new(c.rest());
    let mut c = whole;
    source(p, "GeoNet");
    if length < COMMON {
        put!(p, " (common header length ", length, " < ", COMMON, ")");
        p.invalid();
        return whole.need(length);
    }
    c.need(8)?;
    let (first, second) = (c.u8()?, c.u8()?);
    let (next, kind, sub) = (first & 15, second >> 4, second & 15);
    put!(p, "v:", first >> 4, " ");
    put!(
        p,
        "NH:",
        next,
        "-",
        lookup(NEXT, next).unwrap_or("Unknown"),
        " "
    );
    let (name, size) = header_type(kind, sub);
    put!(p, "HT:", kind, "-", sub, "-", name, " ");
    c.skip(2)?;
    let payload = c.u16()?;
    c.skip(1)?;
    put!(p, "HopLim:", c.u8()?, " ");
    put!(p, "Payload:", payload, " ");
    put!(p, "GN_ADDR:", Pairs(&c.array::<8>()?, ':'), " ");
    c.skip(4)?;
    put!(p, "lat:", c.u32()?, " ");
    put!(p, "lon:", c.u32()?);
    c.skip(8)?;
    let mut left = length - COMMON;
    if let Some(size) = size {
        if size > left {
            put!(p, " (header size ", size, " > ", left, ")");
            p.invalid();
            return whole.need(length);
        }
        c.skip(size)?;
        left -= size;
        if matches!(next, 1 | 2) {
            if left < 4 {
                put!(p, " (BTP length ", left, " < 4)");
                p.invalid();
                return whole.need(length);
            }
            put!(p, "; BTP Dst:", c.u16()?);
            put!(p, " Src:", c.u16()?);
            left -= 4;
            if left >= 2 {
                // With -v these two bytes are shown again.
                let mut c = c;
                put!(p, "; ItsPduHeader v:", c.u8()?);
                let message = c.u8()?;
                put!(p, " t:", message, "-");
                match lookup(MESSAGES, message) {
                    Some(name) => put!(p, name),
                    None => put!(p, "unknown (", message, ")"),
                }
            }
        }
    }
    if p.verbose(1) {
        p.unknown(c.rest());
        return whole.need(length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "020000000002020000000001894701500001000700010000020000000001000000000000000700000008000000000000000007d10000010102",
            style(0),
            "GeoNet src:02:00:00:00:00:01; v:0 NH:1-BTP-A HT:5-0-TopoScopeBcast-SH HopLim:1 Payload:7 GN_ADDR:00:00:02:00:00:00:00:01 lat:7 lon:8; BTP Dst:2001 Src:0; ItsPduHeader v:1 t:1-DENM\n",
        );
    }
}
