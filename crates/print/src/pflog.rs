//! Packets that the packet filters of the BSDs logged, after a header that says which rule did.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Visible, put};
use crate::{ip, ip6};

/// Bytes of header that every system writes; it says itself how long it is.
const LEAST: usize = 45;
const NAME: usize = 16;
/// A rule that stands in no set of rules.
const NO_SET: u32 = 0xffff_ffff;

/// Why the packet was logged.
///
/// compat: 3 has no name and 4 has that of 3 (4.99.3).
static REASONS: &[(u8, &str)] = &[
    (0, "0(match)"),
    (1, "1(bad-offset)"),
    (2, "2(fragment)"),
    (4, "3(short)"),
    (5, "5(memory)"),
    (6, "6(bad-timestamp)"),
    (7, "7(congestion)"),
    (8, "8(ip-option)"),
    (9, "9(proto-cksum)"),
    (10, "10(state-mismatch)"),
    (11, "11(state-insert)"),
    (12, "12(state-limit)"),
    (13, "13(src-limit)"),
    (14, "14(synproxy)"),
];

static ACTIONS: &[(u8, &str)] = &[
    (0, "pass"),
    (1, "block"),
    (2, "scrub"),
    (4, "nat"),
    (5, "nonat"),
    (6, "binat"),
    (7, "nobinat"),
    (8, "rdr"),
    (9, "nordr"),
    (10, "synproxy-drop"),
];

static DIRECTIONS: &[(u8, &str)] = &[(0, "in/out"), (1, "in"), (2, "out")];

/// What the header says.
struct Header<'a> {
    family: u8,
    action: u8,
    reason: u8,
    iface: &'a [u8],
    set: &'a [u8],
    rule: u32,
    rule_in_set: u32,
    direction: u8,
}

impl<'a> Header<'a> {
    fn read(c: &mut Cursor<'a>) -> Result<Self, Truncated> {
        let (family, action, reason) = (c.u8()?, c.u8()?, c.u8()?);
        let (iface, set) = (c.take(NAME)?, c.take(NAME)?);
        let (rule, rule_in_set) = (c.u32()?, c.u32()?);
        // The users and processes of the packet and of the rule.
        c.skip(16)?;
        Ok(Self {
            family,
            action,
            reason,
            iface,
            set,
            rule,
            rule_in_set,
            direction: c.u8()?,
        })
    }

    /// `rule 1.set.2/0(match): pass in on em0: `.
    fn show(&self, p: &mut Out<'_>) {
        put!(p, "rule ", self.rule);
        if self.rule_in_set != NO_SET {
            let set = Visible::until_zero(self.set);
            put!(p, ".", set, ".", self.rule_in_set);
        }
        put!(p, "/");
        word(p, REASONS, self.reason);
        put!(p, ": ");
        word(p, ACTIONS, self.action);
        put!(p, " ");
        word(p, DIRECTIONS, self.direction);
        put!(p, " on ", Visible::until_zero(self.iface), ": ");
    }
}

fn word(p: &mut Out<'_>, table: &[(u8, &'static str)], value: u8) {
    match lookup(table, value) {
        Some(name) => put!(p, name),
        None => put!(p, "unkn(", value, ")"),
    }
}

/// `LINKTYPE_PFLOG`.
pub(crate) fn pflog(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "pflog";
    let mut fields = c;
    c.need(LEAST + 3)?;
    let stated = usize::from(fields.u8()?);
    if stated < LEAST {
        put!(p, "[pflog: invalid header length!]");
        return Ok(());
    }
    let header = stated.next_multiple_of(4);
    let mut packet = c;
    packet.skip(header)?;
    p.link_len = header;
    let packet = Cursor::new(packet.rest());
    // What a header too short for it says of the direction is the packet's first bytes.
    let said = Header::read(&mut fields)?;
    if p.style.link {
        said.show(p);
    }
    let length = wire.saturating_sub(header);
    match said.family {
        2 => p.deeper(|p| ip::ip(p, packet, length)),
        24 | 28 | 30 => p.deeper(|p| ip6::ip6(p, packet, length)),
        _ => {
            p.unknown_behind(|p| said.show(p), packet.rest());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn which_rule_did_what() {
        let linked = || Style {
            link: true,
            ..style(0)
        };
        let name = |text: &str| format!("{text:0<32}");
        let logged = |size: &str, rule: &str| {
            let (iface, set) = (name("656d30"), name("736574"));
            let zeros = "00".repeat(16);
            format!("{size}020104{iface}{set}00000001{rule}{zeros}01000000")
        };
        let packet = "4500001c00010000401166ce0a0000010a0000020001000200089bd8";
        check(
            LinkType::PFLOG,
            &format!("{}{packet}", logged("3d", "ffffffff")),
            linked(),
            "rule 1/3(short): block in on em0: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType::PFLOG,
            &format!("{}{packet}", logged("3d", "00000007")),
            linked(),
            "rule 1.set.7/3(short): block in on em0: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType::PFLOG,
            &logged("2c", "00000007"),
            style(0),
            "[pflog: invalid header length!]\n",
        );
    }
}
