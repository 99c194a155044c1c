//! Spanning trees: STP and RSTP (IEEE 802.1D), MSTP (IEEE 802.1Q), SPB's additions (IEEE 802.1aq).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexBytes, HexFull, Pairs, Put, Visible, Zeros, put};

const RSTP: u8 = 2;
const MSTP: u8 = 3;
const SPB: u8 = 4;

static VERSIONS: &[(u8, &str)] = &[
    (0, "802.1d"),
    (RSTP, "802.1w"),
    (MSTP, "802.1s"),
    (SPB, "802.1aq"),
];

const CONFIG: u8 = 0;
const RAPID: u8 = 2;

static TYPES: &[(u8, &str)] = &[
    (CONFIG, "Config"),
    (RAPID, "Rapid STP"),
    (0x80, "Topology Change"),
];

static FLAGS: &[(u32, &str)] = &[
    (0x01, "Topology change"),
    (0x02, "Proposal"),
    (0x10, "Learn"),
    (0x20, "Forward"),
    (0x40, "Agreement"),
    (0x80, "Topology change ACK"),
];

/// Lengths up to the end of each version's fixed part.
const CONFIG_LENGTH: usize = 35;
const RSTP_LENGTH: usize = 36;
const MSTP_LENGTH: usize = 102;
/// Version 3 data that belongs to the common tree.
const CIST_DATA: usize = 64;
const MSTI_LENGTH: usize = 16;
const SPB_LENGTH: usize = 85;

/// A bridge PDU of `length` bytes.
pub(crate) fn stp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "stp";
    let whole = Cursor::new(c.rest());
    let mut c = whole;
    if length < 4 {
        p.invalid();
        return Ok(());
    }
    if c.u16()? != 0 {
        put!(p, "unknown STP version, length ", length);
        return Ok(());
    }
    let version = c.u8()?;
    put!(p, "STP ");
    match lookup(VERSIONS, version) {
        Some(name) => put!(p, name),
        None => {
            put!(p, "Unknown STP protocol (0x", HexFull(version), ")");
            return Ok(());
        }
    }
    let kind = c.u8()?;
    match lookup(TYPES, kind) {
        Some(name) => put!(p, ", ", name),
        None => put!(p, ", Unknown BPDU Type (0x", HexFull(kind), ")"),
    }
    let valid = match (kind, version) {
        (CONFIG, _) if length >= CONFIG_LENGTH => config(p, c, version, length).map(|()| true),
        (RAPID, RSTP) if length >= RSTP_LENGTH => config(p, c, version, length).map(|()| true),
        (RAPID, MSTP | SPB) => multiple(p, whole, version, length),
        (CONFIG, _) | (RAPID, RSTP) => Ok(false),
        _ => Ok(true),
    }?;
    if !valid {
        p.invalid();
    }
    Ok(())
}

/// A bridge's priority and address: `8000.02:00:00:00:00:01`.
struct Bridge([u8; 8]);

impl Put for Bridge {
    fn put(self, out: &mut Vec<u8>) {
        let [a, b, mac @ ..] = self.0;
        (HexBytes(&[a, b]), ".", Pairs(&mac, ':')).put(out);
    }
}

/// Parts of 256 of a second, with two digits after the point.
struct Time(u16);

impl Put for Time {
    fn put(self, out: &mut Vec<u8>) {
        let scaled = u32::from(self.0) * 100;
        let (mut hundredths, rest) = (scaled / 256, scaled % 256);
        // Halves go to the even neighbour, as C's printf rounds.
        if rest > 128 || (rest == 128 && hundredths % 2 == 1) {
            hundredths += 1;
        }
        (
            hundredths / 100,
            ".",
            Zeros(u64::from(hundredths % 100), 2),
            "s",
        )
            .put(out);
    }
}

fn times(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let values = (c.u16()?, c.u16()?, c.u16()?, c.u16()?);
    put!(
        p,
        "\n\tmessage-age ",
        Time(values.0),
        ", max-age ",
        Time(values.1)
    );
    put!(
        p,
        ", hello-time ",
        Time(values.2),
        ", forwarding-delay ",
        Time(values.3)
    );
    Ok(())
}

fn role(flags: u8) -> &'static str {
    match flags >> 2 & 3 {
        1 => "Alternate",
        2 => "Root",
        3 => "Designated",
        _ => "Unknown",
    }
}

/// A configuration BPDU, and RSTP's, from its flags on.
fn config(p: &mut Out<'_>, mut c: Cursor<'_>, version: u8, length: usize) -> Printed {
    let flags = c.u8()?;
    put!(p, ", Flags [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    let root = c.array()?;
    let cost = c.u32()?;
    let bridge = c.array()?;
    put!(p, ", bridge-id ", Bridge(bridge), ".", HexFull(c.u16()?));
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    times(p, &mut c)?;
    put!(p, "\n\troot-id ", Bridge(root), ", root-pathcost ", cost);
    if version == RSTP {
        put!(p, ", port-role ", role(flags));
    }
    Ok(())
}

/// What MSTP and SPB say of the common tree and of each other; `false` if the lengths
/// contradict each other.
fn multiple(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    version: u8,
    length: usize,
) -> Result<bool, Truncated> {
    if length < MSTP_LENGTH {
        return Ok(false);
    }
    let mut c = whole;
    c.skip(CONFIG_LENGTH)?;
    if c.u8()? != 0 {
        // Version 1 data does not exist.
        return Ok(false);
    }
    let version_3 = usize::from(c.u16()?);
    let end = CONFIG_LENGTH + 1 + 2 + version_3;
    if length < end {
        return Ok(false);
    }
    common_tree(p, whole, version_3, length)?;
    if !p.verbose(1) {
        return Ok(true);
    }
    let mut c = whole;
    c.skip(MSTP_LENGTH)?;
    for _ in 0..version_3.saturating_sub(CIST_DATA) / MSTI_LENGTH {
        instance(p, &mut c)?;
    }
    if version != SPB {
        return Ok(true);
    }
    let mut c = whole;
    c.skip(end)?;
    let stated = usize::from(c.u16()?);
    if stated < SPB_LENGTH || length < end + 2 + stated {
        return Ok(false);
    }
    shortest_paths(p, c, stated)?;
    Ok(true)
}

fn common_tree(p: &mut Out<'_>, whole: Cursor<'_>, version_3: usize, length: usize) -> Printed {
    let mut c = whole;
    c.skip(4)?;
    let flags = c.u8()?;
    put!(p, ", CIST Flags [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "], length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    put!(p, "\n\tport-role ", role(flags), ", ");
    let (root, cost) = (c.array()?, c.u32()?);
    put!(
        p,
        "CIST root-id ",
        Bridge(root),
        ", CIST ext-pathcost ",
        cost
    );
    put!(p, "\n\tCIST regional-root-id ", Bridge(c.array()?), ", ");
    put!(p, "CIST port-id ", HexFull(c.u16()?), ",");
    times(p, &mut c)?;
    c.skip(3)?;
    put!(p, "\n\tv3len ", version_3, ", ");
    put!(p, "MCID Name ");
    c.skip(1)?;
    name(p, &mut c)?;
    put!(
        p,
        ", rev ",
        c.u16()?,
        ",\n\t\tdigest ",
        HexBytes(&c.array::<16>()?)
    );
    put!(p, ", ");
    put!(p, "CIST int-root-pathcost ", c.u32()?, ",");
    put!(p, "\n\tCIST bridge-id ", Bridge(c.array()?));
    put!(p, ", ");
    put!(p, "CIST remaining-hops ", c.u8()?);
    Ok(())
}

/// The configuration name of a region: 32 bytes, up to the first zero.
fn name(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, Visible::until_zero(c.limit(32).rest()));
    c.skip(32)
}

fn instance(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let flags = c.u8()?;
    put!(p, "\n\tMSTI ", { *c }.u16()? & 0xfff, ", Flags [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "], port-role ", role(flags));
    put!(p, "\n\t\tMSTI regional-root-id ", Bridge(c.array()?));
    put!(p, ", pathcost ", c.u32()?);
    let values = (c.u8()?, c.u8()?, c.u8()?);
    put!(
        p,
        "\n\t\tMSTI bridge-prio ",
        values.0 >> 4,
        ", port-prio ",
        values.1 >> 4
    );
    put!(p, ", hops ", values.2);
    Ok(())
}

/// Version 4 data: the auxiliary configuration and the agreement.
fn shortest_paths(p: &mut Out<'_>, mut c: Cursor<'_>, stated: usize) -> Printed {
    put!(p, "\n\tv4len ", stated, ", AUXMCID Name ");
    c.skip(1)?;
    name(p, &mut c)?;
    put!(
        p,
        ", Rev ",
        c.u16()?,
        ",\n\t\tdigest ",
        HexBytes(&c.array::<16>()?)
    );
    c.need(34)?;
    let agreement = c.u8()?;
    put!(
        p,
        "\n\tAgreement num ",
        agreement >> 6,
        ", Discarded Agreement num "
    );
    put!(
        p,
        agreement >> 4 & 3,
        ", Agreement valid-flag ",
        agreement >> 3 & 1,
        ","
    );
    c.skip(1)?;
    let (format, convention) = (c.u8()?, c.u8()?);
    put!(p, "\n\tRestricted role-flag: ", agreement >> 2 & 1);
    put!(p, ", Format id ", format >> 4, " cap ", format & 15);
    put!(
        p,
        ", Convention id ",
        convention >> 4,
        " cap ",
        convention,
        ","
    );
    put!(p, "\n\tEdge count ", c.u16()?);
    c.skip(8)?;
    put!(p, ", Agreement digest ", HexBytes(&c.array::<20>()?));
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
            "0180c200000002000000000100264242030000000000800002000000000100000004800002000000000180010100140002000f00",
            style(1),
            "STP 802.1d, Config, Flags [none], bridge-id 8000.02:00:00:00:00:01.8001, length 35\n\tmessage-age 1.00s, max-age 20.00s, hello-time 2.00s, forwarding-delay 15.00s\n\troot-id 8000.02:00:00:00:00:01, root-pathcost 4\n",
        );
        check(
            LinkType(1),
            "0180c200000002000000000100274242030000020278800002000000000100000004800002000000000180010100140002000f0000",
            style(0),
            "STP 802.1w, Rapid STP, Flags [Learn, Forward, Agreement], bridge-id 8000.02:00:00:00:00:01.8001, length 36\n",
        );
    }
}
