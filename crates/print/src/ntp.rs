//! NTP (RFC 5905), its control messages (RFC 9327) and extension fields (RFC 8915).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexBytes, HexFull, Visible, Zeros, put};
use crate::time::{Date, TimeOfDay};

const HEADER: usize = 48;
const CONTROL_HEADER: usize = 12;
/// Seconds from 1900 to 1970.
const UNIX_EPOCH: i64 = 2_208_988_800;

static LEAP: &[(u8, &str)] = &[
    (0x00, ""),
    (0x40, "+1s"),
    (0x80, "-1s"),
    (0xc0, "clock unsynchronized"),
];

static MODES: [&str; 8] = [
    "unspecified",
    "symmetric active",
    "symmetric passive",
    "Client",
    "Server",
    "Broadcast",
    "Control Message",
    "Reserved",
];

static EXTENSIONS: &[(u16, &str)] = &[
    (0x0104, "Unique Identifier"),
    (0x0204, "NTS Cookie"),
    (0x0304, "NTS Cookie Placeholder"),
    (0x0404, "NTS Authenticator and Encrypted Extension Fields"),
];

/// A message of any mode.
pub(crate) fn ntp(p: &mut Out<'_>, whole: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ntp";
    let mut c = whole;
    let first = c.u8()?;
    let mode = usize::from(first & 7);
    put!(p, "NTPv", first >> 3 & 7, ", ");
    put!(p, MODES.get(mode).copied().unwrap_or_default());
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    let leap = first & 0xc0;
    put!(
        p,
        "\n\tLeap indicator: ",
        lookup(LEAP, leap).unwrap_or_default()
    );
    put!(p, " (", leap, ")");
    match mode {
        6 => control(p, whole, length),
        7 => Ok(()),
        _ => clock(p, first >> 3 & 7, whole, length),
    }
}

/// A time of 64 bits: seconds since 1900 and their fraction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// The fraction of a second as nine digits.
fn nanos(fraction: u64) -> Zeros {
    Zeros(((fraction & 0xffff_ffff) * 1_000_000_000) >> 32, 9)
}

/// Seconds since 1900 with their fraction, and the date.
pub(crate) fn timestamp(p: &mut Out<'_>, Time(time): Time) {
    let secs = time >> 32;
    put!(p, secs, ".", nanos(time));
    if secs != 0 {
        // A time before 1970 is one of the next era, 32 bits later.
        let unix = (i64::try_from(secs).unwrap_or(0) - UNIX_EPOCH).rem_euclid(1 << 32);
        put!(p, " (", Date(unix), "T", TimeOfDay(unix), "Z)");
    }
}

/// From `early` to `late`, with its sign.
fn difference(p: &mut Out<'_>, early: Time, late: Time) {
    if early == late {
        return put!(p, "0.000000000");
    }
    put!(p, if late.0 > early.0 { "+" } else { "-" });
    let between = late.0.abs_diff(early.0);
    put!(p, between >> 32, ".", nanos(between));
}

fn short_time(p: &mut Out<'_>, time: u32) {
    let fraction = (u64::from(time & 0xffff) * 1_000_000) >> 16;
    put!(p, time >> 16, ".", Zeros(fraction, 6));
}

/// Messages of all modes that tell the time.
fn clock(p: &mut Out<'_>, version: u8, whole: Cursor<'_>, length: usize) -> Printed {
    let mut c = whole;
    c.skip(1)?;
    if length < HEADER {
        return p.invalid_message(whole, length);
    }
    let stratum = c.u8()?;
    put!(p, ", Stratum ", stratum, " (");
    put!(
        p,
        match stratum {
            0 => "unspecified",
            1 => "primary reference",
            2..=15 => "secondary reference",
            _ => "reserved",
        }
    );
    put!(p, ")");
    let poll = c.u8()?.cast_signed();
    put!(p, ", poll ", i32::from(poll));
    match poll {
        0..=31 => put!(p, " (", 1_u64 << poll, "s)"),
        -31..=-1 => put!(p, " (1/", 1_u64 << poll.unsigned_abs(), "s)"),
        _ => {}
    }
    put!(p, ", precision ", i32::from(c.u8()?.cast_signed()));
    let delay = c.u32()?;
    put!(p, "\n\tRoot Delay: ");
    short_time(p, delay);
    let dispersion = c.u32()?;
    put!(p, ", Root dispersion: ");
    short_time(p, dispersion);
    reference(p, stratum, &mut c)?;
    let mut times = [Time(0); 4];
    for (time, name) in times
        .iter_mut()
        .zip(["Reference", "Origin", "Receive", "Transmit"])
    {
        *time = Time(c.u64()?);
        put!(p, "\n\t  ", name, " Timestamp:");
        p.out
            .resize(p.out.len() + "Reference".len() - name.len() + 2, b' ');
        timestamp(p, *time);
    }
    let [_, origin, receive, transmit] = times;
    for (name, time) in [
        ("Receive Timestamp:  ", receive),
        ("Transmit Timestamp: ", transmit),
    ] {
        put!(p, "\n\t    Originator - ", name);
        if origin.is_zero() {
            timestamp(p, time);
        } else {
            difference(p, origin, time);
        }
    }
    rest(p, c, length - HEADER, version == 4)
}

/// Who the server's server is.
fn reference(p: &mut Out<'_>, stratum: u8, c: &mut Cursor<'_>) -> Printed {
    let id = c.array::<4>()?;
    put!(p, ", Reference-ID: ");
    match stratum {
        0 => put!(p, "(unspec)"),
        1 => put!(p, Visible(&id)),
        // An address of a server of NTPv3, a hash of one of NTPv4.
        _ => put!(p, "0x", HexBytes(&id)),
    }
    Ok(())
}

/// What follows the header: extension fields, a key and a digest.
fn rest(p: &mut Out<'_>, mut c: Cursor<'_>, mut left: usize, extensions: bool) -> Printed {
    if extensions && !matches!(left, 0 | 4 | 20 | 24) && left >= 16 {
        put!(p, "\n\tExtension fields:");
        while left >= 16 && !matches!(left, 20 | 24) {
            let (kind, length) = (c.u16()?, usize::from(c.u16()?));
            let name = lookup(EXTENSIONS, kind).unwrap_or("Unknown type");
            put!(
                p,
                "\n\t  ",
                name,
                " (0x",
                HexFull(kind),
                "), length ",
                length
            );
            if length < 16 || length > left {
                return p.invalid_message(c, left - 4);
            }
            c.skip(length - 4)?;
            left -= length;
        }
    }
    match left {
        0 => {}
        4 | 20 | 24 => {
            put!(p, "\n\tKey id: ", c.u32()?);
            if left > 4 {
                let digest = c.take(left - 4)?;
                put!(p, "\n\tAuthentication: ", HexBytes(digest));
            }
        }
        _ => put!(p, "\n\t(", left, " more bytes after the header)"),
    }
    Ok(())
}

/// A control message: what is asked, and how much is answered.
fn control(p: &mut Out<'_>, whole: Cursor<'_>, length: usize) -> Printed {
    let mut c = whole;
    c.skip(1)?;
    if length < CONTROL_HEADER {
        return p.invalid_message(whole, length);
    }
    let bits = c.u8()?;
    let or = |mask: u8, set: &'static str, clear: &'static str| {
        if bits & mask == 0 { clear } else { set }
    };
    put!(p, ", ", or(0x80, "Response", "Request"), ", ");
    put!(p, or(0x40, "Error", "OK"), ", ", or(0x20, "More", "Last"));
    put!(p, ", OpCode=", bits & 0x1f);
    put!(p, "\n");
    put!(p, "\tSequence=", c.u16()?);
    let status = c.u16()?;
    match status {
        0 => put!(p, ", Status=0"),
        _ => put!(p, ", Status=0x", Hex(status)),
    }
    put!(p, ", Assoc.=", c.u16()?);
    put!(p, ", Offset=", c.u16()?);
    let count = usize::from(c.u16()?);
    put!(p, ", Count=", count);
    if CONTROL_HEADER + count > length {
        return p.invalid_message(whole, length);
    }
    if count > 0 {
        c.need(count)?;
        put!(p, "\n\tTO-BE-DONE: data not interpreted");
    }
    Ok::<(), Truncated>(())
}
