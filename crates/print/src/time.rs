//! The time at the start of a line, in the six styles of `-t`.
//!
//! The text of the last whole second is kept, since many packets share one.

use pktwho_packet::{Timestamp, TimestampPrecision};

use crate::put::{Put, Zeros, put};
use crate::{Names, NoNames, Style, TimeStyle};

/// The times of earlier packets, as far as later ones show them.
#[derive(Debug, Default)]
pub(crate) struct Since {
    first: Option<Timestamp>,
    previous: Option<Timestamp>,
}

impl Since {
    /// The time from which that of the next packet is counted.
    pub(crate) fn of(&mut self, time: Timestamp, style: TimeStyle) -> Timestamp {
        match style {
            TimeStyle::Delta => self.previous.replace(time).unwrap_or(time),
            TimeStyle::SinceFirst => *self.first.get_or_insert(time),
            TimeStyle::None | TimeStyle::Clock | TimeStyle::Epoch | TimeStyle::Date => time,
        }
    }
}

/// The text of a time.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// The second whose text is in `text`.
    second: Option<i64>,
    text: Vec<u8>,
}

/// Lets [`put!`] write to a bare vector.
struct To<'o> {
    out: &'o mut Vec<u8>,
}

impl Clock {
    /// Appends the time and a space, or nothing; of some styles, that which went by since `since`.
    pub(crate) fn put(
        &mut self,
        time: Timestamp,
        since: Timestamp,
        style: &Style,
        names: &mut dyn Names,
        out: &mut Vec<u8>,
    ) {
        let p = To { out };
        match style.time {
            TimeStyle::None => return,
            TimeStyle::Epoch => put!(p, time.secs),
            TimeStyle::Clock | TimeStyle::Date => {
                if self.second != Some(time.secs) {
                    self.text.clear();
                    local(&mut self.text, time.secs, style.time, names);
                    self.second = Some(time.secs);
                }
                p.out.extend_from_slice(&self.text);
            }
            TimeStyle::Delta | TimeStyle::SinceFirst => {
                return interval(since, time, style.precision, p.out);
            }
        }
        put!(p, '.');
        fraction(time.nanos, style.precision, p.out);
        put!(p, ' ');
    }
}

/// The part of a second after the point; damaged files may say a second or more.
fn fraction(nanos: u64, precision: TimestampPrecision, out: &mut Vec<u8>) {
    let p = To { out };
    let invalid = nanos >= 1_000_000_000;
    match precision {
        TimestampPrecision::Micro => {
            put!(p, Zeros(nanos / 1000, 6));
            if invalid {
                put!(p, " (invalid us)");
            }
        }
        TimestampPrecision::Nano => {
            put!(p, Zeros(nanos, 9));
            if invalid {
                put!(p, " (invalid ns)");
            }
        }
    }
}

/// From `since` to `time`, with a minus when time went backwards.
fn interval(since: Timestamp, time: Timestamp, precision: TimestampPrecision, out: &mut Vec<u8>) {
    let p = To { out };
    let (sign, early, late) = if time < since {
        ('-', time, since)
    } else {
        (' ', since, time)
    };
    // The capture's precision counts: what is not shown must not round the difference.
    let unit = match precision {
        TimestampPrecision::Micro => 1000,
        TimestampPrecision::Nano => 1,
    };
    let (early_part, late_part) = (early.nanos / unit, late.nanos / unit);
    let mut secs = late.secs.abs_diff(early.secs);
    let part = if late_part >= early_part {
        late_part - early_part
    } else {
        secs = secs.saturating_sub(1);
        (late_part + 1_000_000_000 / unit).saturating_sub(early_part)
    };
    put!(p, sign);
    clock_of(secs, p.out);
    put!(p, '.');
    fraction(part.saturating_mul(unit), precision, p.out);
    put!(p, ' ');
}

/// `HH:MM:SS`; hours may exceed a day.
fn clock_of(secs: u64, out: &mut Vec<u8>) {
    let p = To { out };
    put!(
        p,
        Zeros(secs / 3600, 2),
        ':',
        Zeros(secs / 60 % 60, 2),
        ':',
        Zeros(secs % 60, 2)
    );
}

/// `YYYY-MM-DD HH:MM:SS` in UTC.
pub(crate) fn utc(secs: i64, out: &mut Vec<u8>) {
    local(out, secs, TimeStyle::Date, &mut NoNames);
}

/// `YYYY-MM-DD HH:MM:SS` where the names say that the user is.
pub(crate) fn date_and_time(secs: i64, names: &mut dyn Names, out: &mut Vec<u8>) {
    local(out, secs, TimeStyle::Date, names);
}

/// Local time of day, after the date if asked for.
fn local(out: &mut Vec<u8>, secs: i64, style: TimeStyle, names: &mut dyn Names) {
    let p = To { out };
    let secs = secs.saturating_add(i64::from(names.utc_offset(secs)));
    if style == TimeStyle::Date {
        put!(p, Date(secs), ' ');
    }
    clock_of(secs.rem_euclid(86400).unsigned_abs(), p.out);
}

/// The UTC date of a moment, seconds since 1970, as `YYYY-MM-DD`.
#[derive(Clone, Copy)]
pub(crate) struct Date(pub(crate) i64);

impl Put for Date {
    fn put(self, out: &mut Vec<u8>) {
        let p = To { out };
        let (year, month, day) = date(self.0.div_euclid(86400));
        if year < 0 {
            put!(p, '-');
        }
        put!(p, Zeros(year.unsigned_abs(), 4), '-', Zeros(month, 2));
        put!(p, '-', Zeros(day, 2));
    }
}

/// A UTC moment, seconds since 1970, as ctime(3) writes it: `Sun Sep 13 12:26:40 2020`.
#[derive(Clone, Copy)]
pub(crate) struct Calendar(pub(crate) i64);

impl Put for Calendar {
    fn put(self, out: &mut Vec<u8>) {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let p = To { out };
        let days = self.0.div_euclid(86400);
        let (year, month, day) = date(days);
        let weekday = usize::try_from(days.rem_euclid(7)).unwrap_or_default();
        let month = usize::try_from(month).unwrap_or_default().saturating_sub(1);
        put!(p, DAYS.get(weekday).copied().unwrap_or_default(), ' ');
        put!(p, MONTHS.get(month).copied().unwrap_or_default(), ' ');
        if day < 10 {
            put!(p, ' ');
        }
        put!(p, day, ' ', TimeOfDay(self.0), ' ', year);
    }
}

/// The UTC time of day of a moment, seconds since 1970, as `HH:MM:SS`.
#[derive(Clone, Copy)]
pub(crate) struct TimeOfDay(pub(crate) i64);

impl Put for TimeOfDay {
    fn put(self, out: &mut Vec<u8>) {
        clock_of(self.0.rem_euclid(86400).unsigned_abs(), out);
    }
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01.
///
/// Years are counted from March, so that the leap day is a year's last, in eras of 400 years.
fn date(days: i64) -> (i64, u64, u64) {
    const ERA: i64 = 146_097;
    let from_march = days.saturating_add(719_468);
    let era = from_march.div_euclid(ERA);
    let day = from_march.rem_euclid(ERA).unsigned_abs();
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + i64::try_from(year).unwrap_or(0) + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        style: TimeStyle,
        precision: TimestampPrecision,
        times: &[(i64, u64)],
        expected: &str,
    ) {
        let style = Style {
            time: style,
            precision,
            ..Style::default()
        };
        let (mut clock, mut before, mut out) = (Clock::default(), Since::default(), Vec::new());
        for &(secs, nanos) in times {
            let time = Timestamp { secs, nanos };
            let since = before.of(time, style.time);
            clock.put(time, since, &style, &mut NoNames, &mut out);
        }
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_fraction_of_a_second_or_more_is_marked() {
        use TimeStyle::{Delta, Epoch};
        use TimestampPrecision::{Micro, Nano};
        let times = &[
            (9, 999_999_999),
            (10, 1_000_000_000),
            (11, 2_147_483_648_000),
        ];
        check(
            Epoch,
            Micro,
            times,
            "9.999999 10.1000000 (invalid us) 11.2147483648 (invalid us) ",
        );
        check(
            Epoch,
            Nano,
            times,
            "9.999999999 10.1000000000 (invalid ns) 11.2147483648000 (invalid ns) ",
        );
        let back = &[(10, 5_000_000_000), (11, 0), (10, 1_000_000_000)];
        check(
            Delta,
            Micro,
            back,
            " 00:00:00.000000  00:00:00.000000 -00:00:00.000000 ",
        );
    }

    #[test]
    fn each_style() {
        use TimeStyle as S;
        use TimestampPrecision::{Micro, Nano};
        let times = &[(1_418_145_369, 924_505_488), (1_418_145_370, 52_027_262)];
        check(S::None, Micro, times, "");
        check(S::Clock, Micro, times, "17:16:09.924505 17:16:10.052027 ");
        check(
            S::Epoch,
            Nano,
            times,
            "1418145369.924505488 1418145370.052027262 ",
        );
        check(
            S::Date,
            Micro,
            times,
            "2014-12-09 17:16:09.924505 2014-12-09 17:16:10.052027 ",
        );
        check(S::Delta, Micro, times, " 00:00:00.000000  00:00:00.127522 ");
        check(
            S::SinceFirst,
            Nano,
            times,
            " 00:00:00.000000000  00:00:00.127521774 ",
        );
        let back = &[(100_000, 5000), (0, 6000)];
        check(S::Delta, Micro, back, " 00:00:00.000000 -27:46:39.999999 ");
    }

    #[test]
    fn dates_over_the_centuries() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11016, (2000, 2, 29)),
            (11017, (2000, 3, 1)),
            (47541, (2100, 3, 1)),
            (47540, (2100, 2, 28)),
            (-719_528, (0, 1, 1)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
        date(i64::MAX);
        date(i64::MIN);
    }
}
