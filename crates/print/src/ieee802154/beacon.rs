//! What beacons say of their network (section 7.3.1); with `-v`.

use pktwho_wire::{Cursor, Truncated};

use crate::out::Out;
use crate::put::{HexFull, Pairs, put};

/// Bytes that say of one device when it may send.
const SLOT: usize = 3;

static FLAGS: &[(u16, &str)] = &[
    (1 << 12, ", BLE enabled"),
    (1 << 14, ", PAN Coordinator"),
    (1 << 15, ", Association Permit"),
];

/// A beacon; whether it is whole.
pub(super) fn beacon(p: &mut Out<'_>, c: &mut Cursor<'_>) -> bool {
    let told = superframe(p, c)
        .and_then(|()| slots(p, c))
        .and_then(|()| pending(p, c));
    if let Err(what) = told {
        put!(p, what);
    }
    told.is_ok()
}

fn superframe(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), &'static str> {
    let cut = |Truncated| "[ERROR: Truncated before beacon information]";
    let word = c.u16_le().map_err(cut)?;
    if !p.verbose(1) {
        return Ok(());
    }
    let [beacon, active, last] = [word & 15, word >> 4 & 15, word >> 8 & 15];
    put!(p, "\n\tBeacon order = ", beacon);
    put!(p, ", Superframe order = ", active);
    put!(p, ", Final CAP Slot = ", last);
    for (_, name) in FLAGS.iter().filter(|flag| word & flag.0 != 0) {
        put!(p, *name);
    }
    Ok(())
}

/// Who may send when.
fn slots(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), &'static str> {
    let cut = |Truncated| "[ERROR: Truncated before GTS info]";
    let count = c.u8().map_err(cut)? & 7;
    if count == 0 {
        if p.verbose(1) {
            put!(p, "\n\tGTS Descriptor Count = 0, ");
        }
        return Ok(());
    }
    let cut = |Truncated| " [ERROR: Truncated GTS Info List]";
    let mut list = c.sub(1 + usize::from(count) * SLOT).map_err(cut)?;
    let directions = list.u8().map_err(cut)? & 0x7f;
    if !p.verbose(2) {
        return Ok(());
    }
    put!(p, "GTS Descriptor Count = ", count);
    put!(p, ", GTS Directions Mask = ", HexFull(directions), ", [ ");
    while let Ok([low, high, _]) = list.array::<SLOT>() {
        // compat: start and length come from the address's second byte (4.99.3).
        put!(p, "[ ", HexFull(u16::from_le_bytes([low, high])));
        put!(
            p,
            ", Start slot = ",
            high & 15,
            ", Length = ",
            high >> 4,
            " ] "
        );
    }
    put!(p, "]");
    Ok(())
}

/// For whom data waits.
fn pending(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), &'static str> {
    let cut = |Truncated| "[ERROR: Truncated before pending addresses]";
    let counts = c.u8().map_err(cut)?;
    let (short, extended) = (usize::from(counts & 7), usize::from(counts >> 4 & 7));
    if p.verbose(1) {
        put!(p, "\n\tPending address list, # short addresses = ", short);
        put!(p, ", # extended addresses = ", extended);
    }
    let cut = |Truncated| " [ERROR: Pending address list truncated]";
    let mut list = c.sub(short * 2 + extended * 8).map_err(cut)?;
    if !p.verbose(2) {
        return Ok(());
    }
    if short != 0 {
        put!(p, ", Short address list = [ ");
        for _ in 0..short {
            put!(p, HexFull(list.u16_le().map_err(cut)?), " ");
        }
        put!(p, "]");
    }
    if extended != 0 {
        put!(p, ", Extended address list = [ ");
        while let Ok(mut address) = list.array::<8>() {
            address.reverse();
            put!(p, Pairs(&address, ':'), " ");
        }
        put!(p, "]");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn says_when_to_send_and_for_whom_data_waits() {
        check(
            LinkType::IEEE802_15_4_NOFCS,
            "408805cdab11112222ffcf 00 01 3412",
            style(2),
            "IEEE 802.15.4 Beacon packet v0 seq 05 abcd:1111 < -:2222 \n\tBeacon order = 15, Superframe order = 15, Final CAP Slot = 15, PAN Coordinator, Association Permit\n\tGTS Descriptor Count = 0, \n\tPending address list, # short addresses = 1, # extended addresses = 0, Short address list = [ 1234 ]\n",
        );
    }
}
