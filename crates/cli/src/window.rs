//! `--since` and `--until`: which packets of a file are wanted by their time.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pktwho_packet::Timestamp;

/// A span of time: from the first moment on, up to but not with the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Window {
    #[inline]
    pub fn contains(self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// A moment: seconds since the epoch as `-tt` shows them, or a date and a time as `-tttt` shows
/// them, or as RFC 3339 has them. Without a zone it is local time.
pub fn moment(text: &str) -> Option<Timestamp> {
    moment_in(text, &TimeZone::system())
}

fn moment_in(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(time) = since_epoch(text) {
        return Some(time);
    }
    let local = || {
        // A date alone is its midnight.
        let date_time: DateTime = text.parse().ok()?;
        Some(date_time.to_zoned(zone.clone()).ok()?.timestamp())
    };
    let time = text.parse::<jiff::Timestamp>().ok().or_else(local)?;
    let nanos = time.as_nanosecond();
    Some(Timestamp::from_nanos(i64::try_from(nanos).ok()?))
}

/// `1700000000` or `1700000000.25`.
fn since_epoch(text: &str) -> Option<Timestamp> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if secs.is_empty() || !digits(secs) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    Some(Timestamp {
        secs: secs.parse().ok()?,
        nanos: format!("{fraction:0<9}").parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let check = |text: &str, expected: Option<(i64, u64)>| {
            let expected = expected.map(|(secs, nanos)| Timestamp { secs, nanos });
            assert_eq!(moment_in(text, &zone), expected, "{text}");
        };
        check("1700000000", Some((1_700_000_000, 0)));
        check("1700000000.25", Some((1_700_000_000, 250_000_000)));
        check("2023-11-14T22:13:20Z", Some((1_700_000_000, 0)));
        check("2023-11-14 23:13:20.5", Some((1_700_000_000, 500_000_000)));
        check("2023-11-14T23:13:20+01:00", Some((1_700_000_000, 0)));
        check("2023-11-14", Some((1_699_916_400, 0)));
        for bad in [
            "",
            "x",
            "1.2.3",
            "-5",
            "2023-13-01",
            "12:00",
            "1.0123456789",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn the_end_is_not_in_the_window() {
        let at = |secs| Timestamp { secs, nanos: 0 };
        let window = Window {
            since: Some(at(5)),
            until: Some(at(7)),
        };
        let inside: Vec<i64> = (0..10).filter(|&secs| window.contains(at(secs))).collect();
        assert_eq!(inside, [5, 6]);
        assert!(Window::default().contains(at(0)));
    }
}
