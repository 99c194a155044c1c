//! How far names, numbers and addresses reach: each function gives the length of the longest
//! one of its kind that the bytes begin with, 0 when there is none.

/// Letters and digits, with `-`, `_` and `.` between them; the last may be a `.` too.
pub fn name(bytes: &[u8]) -> usize {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
        return 0;
    }
    let run = length(bytes, inside);
    let run = bytes.get(..run).unwrap_or_default();
    let last = run.iter().rposition(|byte| !matches!(byte, b'-' | b'_'));
    last.map_or(0, |last| last + 1)
}

/// `10`, `0x1f`.
pub fn number(bytes: &[u8]) -> usize {
    if let [b'0', b'x' | b'X', hex @ ..] = bytes {
        let digits = length(hex, u8::is_ascii_hexdigit);
        if digits > 0 {
            return 2 + digits;
        }
    }
    length(bytes, u8::is_ascii_digit)
}

/// Two to four numbers with dots between them.
pub fn dotted(bytes: &[u8]) -> usize {
    let mut end = number(bytes);
    let mut numbers = usize::from(end > 0);
    while numbers > 0 && numbers < 4 && bytes.get(end) == Some(&b'.') {
        let next = number(bytes.get(end + 1..).unwrap_or_default());
        if next == 0 {
            break;
        }
        end += 1 + next;
        numbers += 1;
    }
    if numbers >= 2 { end } else { 0 }
}

/// Six groups of one or two hexadecimal digits with `:`, `-` or `.` between them, three groups
/// of four with dots, or twelve digits.
pub fn ether(bytes: &[u8]) -> usize {
    let lengths = [
        grouped(bytes, 6, 1..=2, b':'),
        grouped(bytes, 6, 1..=2, b'-'),
        grouped(bytes, 6, 1..=2, b'.'),
        grouped(bytes, 3, 4..=4, b'.'),
        grouped(bytes, 1, 12..=12, b' '),
    ];
    lengths.into_iter().max().unwrap_or(0)
}

/// The bytes of an address that [`ether`] found.
pub fn ether_bytes(text: &str) -> [u8; 6] {
    let mut ether = [0; 6];
    let hex = |digits: &str| u64::from_str_radix(digits, 16).unwrap_or(0);
    let groups: Vec<&str> = text.split([':', '-', '.']).collect();
    let bits = if groups.len() == 6 { 8 } else { 16 };
    let number = match groups.as_slice() {
        [digits] => hex(digits),
        groups => groups.iter().fold(0, |sum, group| sum << bits | hex(group)),
    };
    for (to, from) in ether
        .iter_mut()
        .zip(number.to_be_bytes().into_iter().skip(2))
    {
        *to = from;
    }
    ether
}

fn grouped(
    bytes: &[u8],
    groups: usize,
    digits: std::ops::RangeInclusive<usize>,
    separator: u8,
) -> usize {
    let mut at = 0;
    for group in 0..groups {
        if group > 0 {
            if bytes.get(at) != Some(&separator) {
                return 0;
            }
            at += 1;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let found = length(rest, u8::is_ascii_hexdigit).min(*digits.end());
        if found < *digits.start() {
            return 0;
        }
        at += found;
    }
    at
}

/// Eight groups of one to four hexadecimal digits, or fewer and one `::`; the last two may be
/// an IPv4 address, whose numbers are not looked at.
pub fn ipv6(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut groups = 0;
    let mut longest = 0;
    let mut gap = false;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let may_embed = groups == 6 || (gap && groups < 6);
        if may_embed && four_numbers(rest) > 0 {
            longest = longest.max(at + four_numbers(rest));
        }
        let digits = length(rest, u8::is_ascii_hexdigit).min(4);
        at += digits;
        groups += usize::from(digits > 0);
        let full = if gap { groups <= 7 } else { groups == 8 };
        let after_gap = || bytes.get(..at).is_some_and(|b| b.ends_with(b"::"));
        if full && (digits > 0 || after_gap()) {
            longest = longest.max(at);
        }
        match bytes.get(at..).unwrap_or_default() {
            [b':', b':', ..] if !gap && (digits > 0 || at == 0) && groups <= 7 => {
                gap = true;
                at += 2;
            }
            [b':', ..] if digits > 0 && groups < 8 => at += 1,
            _ => return longest,
        }
    }
}

/// Four numbers with dots.
fn four_numbers(bytes: &[u8]) -> usize {
    let length = dotted(bytes);
    let text = bytes.get(..length).unwrap_or_default();
    if text.split(|&byte| byte == b'.').count() == 4 {
        length
    } else {
        0
    }
}

/// Groups of one or two hexadecimal digits, a colon or more after each: an Ethernet address
/// gone wrong.
pub fn bogus_ether(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut groups = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let digits = length(rest, u8::is_ascii_hexdigit).min(2);
        let colons = length(rest.get(digits..).unwrap_or_default(), |&byte| byte == b':');
        if digits == 0 || colons == 0 {
            return if groups >= 2 { at } else { 0 };
        }
        at += digits + colons;
        groups += 1;
    }
}

fn length(bytes: &[u8], is: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(byte)).count()
}
