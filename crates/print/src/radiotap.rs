//! Radiotap: what a wireless device knows of a frame, before the frame (radiotap.org).

use pktwho_wire::{Cursor, Truncated};

use crate::ieee80211::{self, Around};
use crate::out::{Out, Printed};
use crate::put::{Fixed, put};

/// Version, padding, length and the first word of presence bits.
const HEADER: usize = 8;

const FLAGS: u32 = 1;
const RESET: u32 = 29;
const VENDOR: u32 = 30;
const MORE: u32 = 31;

const CHECKSUM: u8 = 0x10;
const PADDED: u8 = 0x20;

static FLAG_NAMES: &[(u8, &str)] = &[
    (0x01, "cfp "),
    (0x02, "short preamble "),
    (0x04, "wep "),
    (0x08, "fragmented "),
    (0x40, "bad-fcs "),
];

/// `LINKTYPE_IEEE802_11_RADIOTAP`.
pub(crate) fn radiotap(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "802.11_radio";
    let whole = c;
    c.need(HEADER)?;
    let mut c = c;
    c.skip(2)?;
    let size = usize::from(c.u16_le()?);
    whole.need(size)?;
    let mut frame = whole;
    frame.skip(size)?;
    let mut fields = Fields {
        c: whole.limit(size),
        around: Around::default(),
        high_throughput: false,
    };
    fields.c.skip(4)?;
    let mut words = fields.c;
    // The fields begin behind the last word of presence bits.
    while fields.c.u32_le()? >> MORE & 1 != 0 {}
    if fields.all(p, &mut words).is_err() {
        p.truncated();
    }
    p.link_len = size;
    let frame = Cursor::new(frame.rest());
    ieee80211::frame_in(p, frame, length.saturating_sub(size), fields.around)
}

/// Where the next field is, in a cursor that began at the start of the header.
struct Fields<'a> {
    c: Cursor<'a>,
    around: Around,
    /// An MCS field is announced too: what the channel's flags say of older modulations is moot.
    high_throughput: bool,
}

impl Fields<'_> {
    /// All fields that the words announce, up to the first whose size nobody knows.
    fn all(&mut self, p: &mut Out<'_>, words: &mut Cursor<'_>) -> Result<(), Truncated> {
        let (mut base, mut vendor) = (0, 0);
        let mut in_vendor = false;
        loop {
            let word = words.u32_le()?;
            if in_vendor {
                self.c.skip(vendor)?;
                vendor = 0;
            } else {
                self.high_throughput = word >> 19 & 1 != 0;
                for bit in (0..RESET).filter(|bit| word >> bit & 1 != 0) {
                    if !self.field(p, base + bit)? {
                        put!(p, "[bit ", base + bit, "] ");
                        return Ok(());
                    }
                }
            }
            if word >> RESET & 1 != 0 {
                (base, in_vendor) = (0, false);
            } else if word >> VENDOR & 1 != 0 {
                self.align(2)?;
                self.c.skip(4)?;
                vendor = usize::from(self.c.u16_le()?);
                (base, in_vendor) = (0, true);
            } else {
                base += 32;
            }
            if word >> MORE & 1 == 0 {
                return Ok(());
            }
        }
    }

    /// Fields begin at multiples of their natural size.
    fn align(&mut self, to: usize) -> Result<(), Truncated> {
        let position = self.c.position();
        self.c.skip(position.next_multiple_of(to) - position)
    }

    fn u16(&mut self) -> Result<u16, Truncated> {
        self.align(2)?;
        self.c.u16_le()
    }

    fn signed(&mut self) -> Result<i32, Truncated> {
        self.c
            .array()
            .map(|[byte]| i32::from(i8::from_le_bytes([byte])))
    }

    /// Prints one field; `false` if it is not known.
    fn field(&mut self, p: &mut Out<'_>, bit: u32) -> Result<bool, Truncated> {
        match bit {
            0 => {
                self.align(8)?;
                put!(p, self.c.u64_le()?, "us tsft ");
            }
            FLAGS => {
                let flags = self.c.u8()?;
                self.around.checksum = flags & CHECKSUM != 0;
                self.around.padded = flags & PADDED != 0;
                for (_, name) in FLAG_NAMES.iter().filter(|entry| flags & entry.0 != 0) {
                    put!(p, *name);
                }
            }
            2 => rate(p, self.c.u8()?),
            3 => {
                let (frequency, flags) = (self.u16()?, self.u16()?);
                self.channel(p, frequency, u32::from(flags));
            }
            4 => {
                let (set, pattern) = (self.c.u8()?, self.c.u8()?);
                put!(p, "fhset ", set, " fhpat ", pattern, " ");
            }
            5 => put!(p, self.signed()?, "dBm signal "),
            6 => put!(p, self.signed()?, "dBm noise "),
            7 => put!(p, self.u16()?, " sq "),
            8 => put!(p, -i32::from(self.u16()?), " tx power "),
            // compat: of the two bytes that it has, tcpdump reads one (4.99.3).
            9 => put!(p, -i32::from(self.c.u8()?), "dB tx attenuation "),
            10 => put!(p, self.signed()?, "dBm tx power "),
            11 => put!(p, "antenna ", self.c.u8()?, " "),
            12 => put!(p, self.c.u8()?, "dB signal "),
            13 => put!(p, self.c.u8()?, "dB noise "),
            14 => drop(self.u16()?),
            18 => {
                self.align(4)?;
                let (flags, frequency) = (self.c.u32_le()?, self.c.u16_le()?);
                self.c.skip(2)?;
                self.channel(p, frequency, flags);
            }
            19 => {
                let [known, flags, index] = self.c.array()?;
                ht(p, known, flags, index);
            }
            20 => {
                self.align(4)?;
                self.c.skip(8)?;
            }
            21 => {
                let known = self.u16()?;
                let [flags, bandwidth, users @ .., coding, _, _, _] = self.c.array::<10>()?;
                let [a, b, c, d] = users;
                vht(p, (known, flags, bandwidth), [a, b, c, d], coding);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A channel's frequency and what is spoken on it.
    fn channel(&self, p: &mut Out<'_>, frequency: u16, flags: u32) {
        let has = |mask: u32| flags & mask == mask;
        put!(p, frequency, " MHz");
        if self.high_throughput {
            put!(p, " 11n");
        } else {
            modulations(p, has);
        }
        if has(0x1_0000) {
            put!(p, " ht/20");
        } else if has(0x4_0000) {
            put!(p, " ht/40-");
        } else if has(0x2_0000) {
            put!(p, " ht/40+");
        }
        put!(p, " ");
    }
}

/// The older modulations of a channel.
fn modulations(p: &mut Out<'_>, has: impl Fn(u32) -> bool) {
    if has(0x800) {
        put!(p, " FHSS");
    }
    let width = if has(0x4000) {
        "/10Mhz"
    } else if has(0x8000) {
        "/5Mhz"
    } else {
        ""
    };
    if has(0x140) {
        put!(p, " 11a", width);
    }
    if has(0xc0) || has(0x480) {
        put!(p, " 11g", width);
    } else if has(0xa0) {
        put!(p, " 11b");
    }
    if has(0x10) {
        put!(p, " Turbo");
    }
}

/// In units of 500 kb/s, or an MCS index.
fn rate(p: &mut Out<'_>, rate: u8) {
    if matches!(rate, 0x80..=0x8f) {
        put!(p, "MCS ", rate & 0x7f, " ");
    } else {
        put!(p, Fixed(f64::from(rate) / 2.0, 1), " Mb/s ");
    }
}

/// Bits of all streams' symbols, and code rate in quarters of three, of each MCS index from 33
/// on: streams that differ in modulation (IEEE 802.11 section 19.5).
static UNEQUAL: [u8; 44] = [
    6, 8, 10, 6, 8, 10, 8, 10, 10, 12, 14, 14, 16, 8, 10, 10, 12, 14, 14, 16, 10, 12, 14, 12, 14,
    16, 18, 16, 18, 20, 20, 22, 10, 12, 14, 12, 14, 16, 18, 16, 18, 20, 20, 22,
];

/// Mb/s of an MCS index (IEEE 802.11 section 19.5).
fn ht_rate(index: u8, wide: bool, short: bool) -> Option<f64> {
    // Half the bits that a symbol's carrier conveys, of one stream; or quarters.
    const BITS: [f64; 8] = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 4.5, 5.0];
    let per_bit = if wide { 27.0 } else { 13.0 };
    let rate = match index {
        0..32 => {
            let bits = BITS.get(usize::from(index % 8))?;
            bits * per_bit * f64::from(index / 8 + 1)
        }
        32 if wide => 6.0,
        32 => return None,
        33.. => {
            let at = usize::from(index - 33);
            let code = match index {
                33..=35 | 39..=45 | 53..=64 => 0.5,
                _ => 0.75,
            };
            f64::from(*UNEQUAL.get(at)?) * per_bit * code
        }
    };
    Some(if short { rate * 10.0 / 9.0 } else { rate })
}

fn ht(p: &mut Out<'_>, known: u8, flags: u8, index: u8) {
    const BANDWIDTH: u8 = 0x01;
    const INDEX: u8 = 0x02;
    const GUARD: u8 = 0x04;
    let short = flags & 4 != 0;
    let width = flags & 3;
    if known & 7 == BANDWIDTH | INDEX | GUARD
        && let Some(rate) = ht_rate(index, width == 1, short)
    {
        put!(p, Fixed(rate, 1), " Mb/s ");
    }
    if known & INDEX != 0 {
        put!(p, "MCS ", index, " ");
    }
    if known & BANDWIDTH != 0 {
        put!(
            p,
            match width {
                1 => "40 MHz ",
                2 => "20 MHz (L) ",
                3 => "20 MHz (U) ",
                _ => "20 MHz ",
            }
        );
    }
    if known & GUARD != 0 {
        put!(p, if short { "short" } else { "long" }, " GI ");
    }
    if known & 0x08 != 0 {
        put!(
            p,
            if flags & 8 != 0 {
                "greenfield "
            } else {
                "mixed "
            }
        );
    }
    if known & 0x10 != 0 {
        put!(p, if flags & 0x10 != 0 { "LDPC" } else { "BCC" }, " FEC ");
    }
    if known & 0x20 != 0 {
        put!(p, "RX-STBC", flags >> 5 & 3, " ");
    }
}

static VHT_WIDTHS: [&str; 26] = [
    "20 MHz",
    "40 MHz",
    "20 MHz (L)",
    "20 MHz (U)",
    "80 MHz",
    "80 MHz (L)",
    "80 MHz (U)",
    "80 MHz (LL)",
    "80 MHz (LU)",
    "80 MHz (UL)",
    "80 MHz (UU)",
    "160 MHz",
    "160 MHz (L)",
    "160 MHz (U)",
    "160 MHz (LL)",
    "160 MHz (LU)",
    "160 MHz (UL)",
    "160 MHz (UU)",
    "160 MHz (LLL)",
    "160 MHz (LLU)",
    "160 MHz (LUL)",
    "160 MHz (UUU)",
    "160 MHz (ULL)",
    "160 MHz (ULU)",
    "160 MHz (UUL)",
    "160 MHz (UUU)",
];

fn vht(p: &mut Out<'_>, (known, flags, width): (u16, u8, u8), users: [u8; 4], coding: u8) {
    for (n, &user) in users
        .iter()
        .enumerate()
        .filter(|(_, user)| **user & 15 != 0)
    {
        let code = if coding >> n & 1 != 0 { "LDPC" } else { "BCC" };
        put!(p, "User ", n, " MCS ", user >> 4, " ", code, " FEC ");
    }
    if known & 0x40 != 0 {
        match VHT_WIDTHS.get(usize::from(width)) {
            Some(name) => put!(p, *name, " "),
            None => put!(p, "unknown (", width, ") "),
        }
    }
    if known & 4 != 0 {
        put!(p, if flags & 4 != 0 { "short" } else { "long" }, " GI ");
    }
}
