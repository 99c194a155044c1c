//! Writing text: each kind of value has one way to become bytes at the end of a line.
//!
//! [`put!`] writes several values one after the other. It goes straight to the byte vector,
//! without `core::fmt`, because most of the time of a text printer is spent here.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A value that knows its text.
pub(crate) trait Put {
    /// Appends the text.
    fn put(self, out: &mut Vec<u8>);
}

/// `put!(p, a, b, …)`: appends the text of each value to `p.out`.
///
/// All values are made before the first is written: where one of them reads the packet and the
/// packet ends there, nothing of the phrase appears.
macro_rules! put {
    ($p:expr $(, $value:expr)+ $(,)?) => {{
        let values = ($($value,)+);
        $crate::put::Put::put(values, $p.out);
    }};
}
pub(crate) use put;

macro_rules! put_tuples {
    ($(($($field:ident)+))+) => { $(
        impl<$($field: Put),+> Put for ($($field,)+) {
            #[inline]
            #[expect(non_snake_case, reason = "a field is named as its type")]
            fn put(self, out: &mut Vec<u8>) {
                let ($($field,)+) = self;
                $($field.put(out);)+
            }
        }
    )+ };
}
put_tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
}

impl Put for &str {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for char {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Every number from 00 to 99, two digits each.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0u8;
    while n < 100 {
        #[expect(clippy::indexing_slicing, reason = "n < 100, checked at compile time")]
        {
            pairs[n as usize] = [b'0' + n / 10, b'0' + n % 10];
        }
        n += 1;
    }
    pairs
};

/// Two decimal digits of `n`, which is below 100.
#[inline]
fn pair(n: u64) -> [u8; 2] {
    usize::try_from(n)
        .ok()
        .and_then(|n| PAIRS.get(n))
        .copied()
        .unwrap_or([b'?'; 2])
}

/// Decimal digits, with zeros in front up to `width`.
pub(crate) fn decimal(out: &mut Vec<u8>, mut n: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    let mut slots = digits.rchunks_exact_mut(2);
    while n >= 10 {
        let Some(slot) = slots.next() else { break };
        slot.copy_from_slice(&pair(n % 100));
        n /= 100;
        used += 2;
        if n == 0 {
            // The pair's first digit is a zero only if it was needed: n was at least 10.
            return finish(out, &digits, used, width);
        }
    }
    if (n > 0 || used == 0)
        && let Some([_, last]) = slots.next()
    {
        *last = b'0' + u8::try_from(n).unwrap_or(0);
        used += 1;
    }
    finish(out, &digits, used, width);
}

#[inline]
fn finish(out: &mut Vec<u8>, digits: &[u8; 20], used: usize, width: usize) {
    let start = digits.len().saturating_sub(used.max(width));
    out.extend_from_slice(digits.get(start..).unwrap_or(digits));
}

macro_rules! put_unsigned {
    ($($int:ty)*) => { $(impl Put for $int {
        #[inline]
        fn put(self, out: &mut Vec<u8>) {
            decimal(out, u64::from(self), 1);
        }
    })* };
}
put_unsigned!(u8 u16 u32 u64);

impl Put for usize {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        decimal(out, u64::try_from(self).unwrap_or(u64::MAX), 1);
    }
}

impl Put for i64 {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        if self < 0 {
            out.push(b'-');
        }
        decimal(out, self.unsigned_abs(), 1);
    }
}

impl Put for i32 {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        i64::from(self).put(out);
    }
}

/// Decimal with zeros in front, at least `.1` digits (at most 20).
#[derive(Clone, Copy)]
pub(crate) struct Zeros(pub(crate) u64, pub(crate) usize);

impl Put for Zeros {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        decimal(out, self.0, self.1);
    }
}

/// Lower-case hexadecimal, no zeros in front.
#[derive(Clone, Copy)]
pub(crate) struct Hex<T>(pub(crate) T);

/// Lower-case hexadecimal of all digits of the type.
#[derive(Clone, Copy)]
pub(crate) struct HexFull<T>(pub(crate) T);

/// The hexadecimal digit of the low four bits.
#[inline]
pub(crate) fn digit(nibble: u8) -> u8 {
    match nibble & 15 {
        n @ 0..=9 => b'0' + n,
        n => b'a' + (n - 10),
    }
}

macro_rules! put_hex {
    ($($int:ty)*) => { $(
        impl Put for Hex<$int> {
            fn put(self, out: &mut Vec<u8>) {
                let digits = (<$int>::BITS - self.0.leading_zeros()).div_ceil(4).max(1);
                for place in (0..digits).rev() {
                    out.push(digit((self.0 >> (place * 4) & 15) as u8));
                }
            }
        }
        impl Put for HexFull<$int> {
            #[inline]
            fn put(self, out: &mut Vec<u8>) {
                for byte in self.0.to_be_bytes() {
                    out.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
                }
            }
        }
    )* };
}
put_hex!(u8 u16 u32 u64);

/// Hexadecimal of exactly `.1` digits at least, with zeros in front.
#[derive(Clone, Copy)]
pub(crate) struct HexZeros(pub(crate) u32, pub(crate) u32);

impl Put for HexZeros {
    fn put(self, out: &mut Vec<u8>) {
        let digits = (u32::BITS - self.0.leading_zeros()).div_ceil(4).max(self.1);
        for place in (0..digits).rev() {
            let shifted = self.0.checked_shr(place * 4).unwrap_or(0) & 15;
            out.push(digit(u8::try_from(shifted).unwrap_or(0)));
        }
    }
}

/// Two upper-case hexadecimal digits.
#[derive(Clone, Copy)]
pub(crate) struct HexUpper(pub(crate) u8);

impl Put for HexUpper {
    fn put(self, out: &mut Vec<u8>) {
        out.extend([self.0 >> 4, self.0].map(|nibble| digit(nibble).to_ascii_uppercase()));
    }
}

/// Bytes as hexadecimal without anything between them.
#[derive(Clone, Copy)]
pub(crate) struct HexBytes<'a>(pub(crate) &'a [u8]);

impl Put for HexBytes<'_> {
    fn put(self, out: &mut Vec<u8>) {
        for &byte in self.0 {
            HexFull(byte).put(out);
        }
    }
}

/// Bytes as hexadecimal pairs with a separator between them, as hardware addresses are written.
#[derive(Clone, Copy)]
pub(crate) struct Pairs<'a>(pub(crate) &'a [u8], pub(crate) char);

impl Put for Pairs<'_> {
    fn put(self, out: &mut Vec<u8>) {
        for (n, &byte) in self.0.iter().enumerate() {
            if n > 0 {
                self.1.put(out);
            }
            HexFull(byte).put(out);
        }
    }
}

/// A fraction with `.1` digits after the point.
#[derive(Clone, Copy)]
pub(crate) struct Fixed(pub(crate) f64, pub(crate) usize);

impl Put for Fixed {
    fn put(self, out: &mut Vec<u8>) {
        let Self(value, digits) = self;
        // C's spelling of what is no number.
        if value.is_nan() {
            out.extend_from_slice(if value.is_sign_negative() {
                b"-nan"
            } else {
                b"nan"
            });
        } else {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{value:.digits$}");
        }
    }
}

/// A fraction of at most ten digits, without zeros at its end: C's `%.10g`.
#[derive(Clone, Copy)]
pub(crate) struct General(pub(crate) f64);

impl Put for General {
    fn put(self, out: &mut Vec<u8>) {
        const DIGITS: i32 = 10;
        let Self(value) = self;
        if !value.is_finite() {
            return Fixed(value, 0).put(out);
        }
        let scientific = format!("{value:.9e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        if !(-4..DIGITS).contains(&exponent) {
            out.extend_from_slice(without_zeros(digits).as_bytes());
            let sign = if exponent < 0 { '-' } else { '+' };
            let _ = write!(out, "e{sign}{:02}", exponent.abs());
            return;
        }
        let places = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        let fixed = format!("{value:.places$}");
        out.extend_from_slice(without_zeros(&fixed).as_bytes());
    }
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// A decimal number with blanks in front, at least `.1` characters.
#[derive(Clone, Copy)]
pub(crate) struct Padded(pub(crate) u64, pub(crate) usize);

impl Put for Padded {
    fn put(self, out: &mut Vec<u8>) {
        let start = out.len();
        self.0.put(out);
        let used = out.len() - start;
        if let Some(missing) = self.1.checked_sub(used) {
            out.resize(out.len() + missing, b' ');
            if let Some(text) = out.get_mut(start..) {
                text.rotate_right(missing);
            }
        }
    }
}

/// Seconds as years (of 365 days), weeks, days, hours, minutes and seconds: `1w2d3h4m5s`.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) u32);

impl Put for Span {
    fn put(self, out: &mut Vec<u8>) {
        let mut left = self.0;
        if left == 0 {
            out.extend_from_slice(b"0s");
        }
        for (unit, secs) in [
            (b'y', 31_536_000),
            (b'w', 604_800),
            (b'd', 86_400),
            (b'h', 3600),
            (b'm', 60),
            (b's', 1),
        ] {
            if left >= secs {
                (left / secs).put(out);
                out.push(unit);
                left %= secs;
            }
        }
    }
}

impl Put for Ipv4Addr {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        let [a, b, c, d] = self.octets();
        a.put(out);
        out.push(b'.');
        b.put(out);
        out.push(b'.');
        c.put(out);
        out.push(b'.');
        d.put(out);
    }
}

impl Put for Ipv6Addr {
    /// The longest run of zero groups (the first of equals, two at least) becomes `::`; IPv4-mapped
    /// and IPv4-compatible addresses end in dotted decimal, as `inet_ntop(3)` writes them.
    fn put(self, out: &mut Vec<u8>) {
        let groups = self.segments();
        let (start, len) = longest_zeros(groups);
        let [.., fifth, _, _] = groups;
        let dotted = start == 0 && (len == 6 || (len == 5 && fifth == 0xffff));
        let hex = if dotted { 6 } else { 8 };
        for (n, &group) in groups.iter().enumerate().take(hex) {
            if len > 0 && n >= start && n < start + len {
                if n == start {
                    out.push(b':');
                }
                continue;
            }
            if n > 0 {
                out.push(b':');
            }
            Hex(group).put(out);
        }
        if dotted {
            let [.., a, b, c, d] = self.octets();
            out.push(b':');
            Ipv4Addr::new(a, b, c, d).put(out);
        } else if len > 0 && start + len == 8 {
            out.push(b':');
        }
    }
}

/// Start and length of the longest run of zero groups; length 0 when no run has two.
fn longest_zeros(groups: [u16; 8]) -> (usize, usize) {
    let (mut best, mut run) = ((8, 0), (0, 0));
    for (n, &group) in groups.iter().enumerate() {
        if group != 0 {
            run = (n + 1, 0);
            continue;
        }
        run.1 += 1;
        if run.1 > best.1 {
            best = run;
        }
    }
    if best.1 < 2 { (8, 0) } else { best }
}

impl Put for IpAddr {
    #[inline]
    fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::V4(ip) => ip.put(out),
            Self::V6(ip) => ip.put(out),
        }
    }
}

/// One byte of a string inside a packet, made visible as tcpdump does: `^X` for control
/// characters, `M-` in front of bytes with the high bit.
pub(crate) fn visible(out: &mut Vec<u8>, byte: u8) {
    let mut low = byte;
    if byte & 0x80 != 0 {
        out.extend_from_slice(b"M-");
        low &= 0x7f;
    }
    if low < 0x20 || low == 0x7f {
        out.push(b'^');
        low ^= 0x40;
    }
    out.push(low);
}

/// Text of which only graphic bytes and spaces are shown, a dot for each other byte.
#[derive(Clone, Copy)]
pub(crate) struct Dotted<'a>(pub(crate) &'a [u8]);

impl Put for Dotted<'_> {
    fn put(self, out: &mut Vec<u8>) {
        let graphic = |&byte: &u8| match byte {
            0x20..0x7f => byte,
            _ => b'.',
        };
        out.extend(self.0.iter().map(graphic));
    }
}

/// All of a string inside a packet, each byte made visible.
#[derive(Clone, Copy)]
pub(crate) struct Visible<'a>(pub(crate) &'a [u8]);

impl<'a> Visible<'a> {
    /// What stands before the first zero byte.
    pub(crate) fn until_zero(bytes: &'a [u8]) -> Self {
        let end = bytes.iter().position(|&byte| byte == 0);
        Self(bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes))
    }
}

impl Put for Visible<'_> {
    fn put(self, out: &mut Vec<u8>) {
        for &byte in self.0 {
            visible(out, byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: impl Put) -> String {
        let mut out = Vec::new();
        value.put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_as_the_standard_library_writes_them() {
        for n in [
            0,
            1,
            9,
            10,
            11,
            99,
            100,
            101,
            999,
            1000,
            65535,
            1_000_000,
            u64::MAX,
            100_100,
        ] {
            assert_eq!(text(n), n.to_string());
            assert_eq!(text(Hex(n)), format!("{n:x}"));
            assert_eq!(text(HexFull(n)), format!("{n:016x}"));
            assert_eq!(text(Zeros(n, 6)), format!("{n:06}"));
        }
        assert_eq!(text(i64::MIN), i64::MIN.to_string());
        assert_eq!(text(HexZeros(0xabc, 5)), "00abc");
        assert_eq!(text(HexZeros(0, 1)), "0");
    }

    #[test]
    fn addresses_are_as_inet_ntop_writes_them() {
        for (groups, expected) in [
            ([0; 8], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([1, 0, 0, 0, 0, 0, 0, 0], "1::"),
            ([1, 0, 2, 3, 4, 5, 6, 7], "1:0:2:3:4:5:6:7"),
            ([0x2200, 0, 0, 0, 0x240, 2, 0, 4], "2200::240:2:0:4"),
            ([1, 0, 0, 2, 0, 0, 0, 3], "1:0:0:2::3"),
            ([0, 0, 0, 0, 0, 0xffff, 0x102, 0x304], "::ffff:1.2.3.4"),
            ([0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4"),
            ([0xfe80, 0, 0, 0, 0, 0, 0, 0xab], "fe80::ab"),
        ] {
            assert_eq!(text(Ipv6Addr::from(groups)), expected);
        }
        assert_eq!(text(Ipv4Addr::new(192, 168, 0, 255)), "192.168.0.255");
    }

    #[test]
    fn widths_fractions_and_spans() {
        assert_eq!(text((Padded(7, 3), Padded(1234, 3))), "  71234");
        assert_eq!(text(Fixed(0.0625, 3)), "0.062");
        assert_eq!(text(Fixed(f64::NAN, 3)), "nan");
        assert_eq!(text(Fixed(f64::INFINITY, 3)), "inf");
        for (value, expected) in [
            (0.0, "0"),
            (1000.0, "1000"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1.5e12, "1.5e+12"),
            (1.0 / 3.0, "0.3333333333"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(text(General(value)), expected);
        }
        assert_eq!(text(Span(0)), "0s");
        assert_eq!(text(Span(694_861)), "1w1d1h1m1s");
        assert_eq!(text(Span(3600)), "1h");
    }

    #[test]
    fn control_bytes_become_visible() {
        assert_eq!(text(Visible(b"a\n\x7f\x80\xff\xc1")), "a^J^?M-^@M-^?M-A");
    }
}
