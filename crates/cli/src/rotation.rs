//! `-C`, `-G`, `-W`: which file of a series is next, and how it is called.
//!
//! Source of truth: tcpdump(1), and tcpdump 4.99.3 for how the flags act together. One thing is
//! ours: time passes by the packets' times, so that `-G` divides a file that is read as it would
//! have divided the capture.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// When a new file is begun. Nothing: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// `-C`: bytes that a file has to exceed before the next packet goes to a new one.
    pub size: Option<u64>,
    /// `-G`: seconds.
    pub seconds: Option<u32>,
    /// `-W`: with `-C` files in a ring, with `-G` alone files in all.
    pub files: Option<u64>,
}

impl Rotation {
    pub fn is_none(self) -> bool {
        self.size.is_none() && self.seconds.is_none()
    }
}

/// What is to be done before a packet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes to the file that is open.
    Same,
    /// A new file is due.
    File,
    /// The last file that was wanted is full: this is the number of files.
    End(u64),
}

/// Where in a series we are.
#[derive(Clone, Debug)]
pub struct Series {
    rotation: Rotation,
    /// As typed.
    name: PathBuf,
    /// Seconds since the epoch at which the current interval began.
    since: i64,
    /// Number of the file in its interval.
    number: u64,
    /// Intervals so far.
    intervals: u64,
}

impl Series {
    /// `now`, in seconds since the epoch, is when the first file begins.
    pub fn new(rotation: Rotation, name: &Path, now: i64) -> Self {
        Self {
            rotation,
            name: name.to_owned(),
            since: now,
            number: 0,
            intervals: 1,
        }
    }

    /// Decides before a packet of the time `secs` while the file has `bytes`.
    pub fn before(&mut self, secs: i64, bytes: u64) -> Next {
        let Rotation {
            size,
            seconds,
            files,
        } = self.rotation;
        if let Some(seconds) = seconds
            && secs.saturating_sub(self.since) >= i64::from(seconds)
        {
            // compat: with -C too, -W only says how many digits names have (4.99.3).
            if let Some(files) = files.filter(|&files| size.is_none() && self.intervals >= files) {
                return Next::End(files);
            }
            self.since = secs;
            self.intervals += 1;
            self.number = 0;
            return Next::File;
        }
        if size.is_some_and(|size| bytes > size) {
            self.number += 1;
            if seconds.is_none() && files.is_some_and(|files| self.number >= files) {
                self.number = 0;
            }
            return Next::File;
        }
        Next::Same
    }

    /// The name of the file that is due.
    pub fn path(&self) -> PathBuf {
        let mut name = match self.rotation.seconds {
            Some(_) => dated(&self.name, self.since, &TimeZone::system()),
            None => self.name.clone().into_os_string(),
        };
        if self.rotation.size.is_some() {
            match self.rotation.files.map(digits) {
                Some(0) => {}
                Some(digits) => name.push(format!("{:0digits$}", self.number)),
                None if self.number == 0 => {}
                None => name.push(self.number.to_string()),
            }
        }
        name.into()
    }
}

/// How many digits the greatest number of so many files has; none of a single one.
fn digits(files: u64) -> usize {
    let greatest = files.saturating_sub(1);
    greatest.checked_ilog10().map_or(0, |log| log as usize + 1)
}

/// The name with what strftime(3) makes of its `%`; a name that is no such format stays.
fn dated(name: &Path, secs: i64, zone: &TimeZone) -> OsString {
    let text = name.as_os_str();
    let made = std::str::from_utf8(text.as_bytes()).ok().and_then(|name| {
        let time = Timestamp::from_second(secs).ok()?.to_zoned(zone.clone());
        jiff::fmt::strtime::format(name, &time).ok()
    });
    made.map_or_else(|| text.to_owned(), OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of packets at these seconds, the file having so many bytes each time.
    fn files(rotation: Rotation, name: &str, packets: &[(i64, u64)]) -> Vec<String> {
        let mut series = Series::new(rotation, Path::new(name), packets[0].0);
        let mut names = vec![series.path().display().to_string()];
        for &(secs, bytes) in packets {
            match series.before(secs, bytes) {
                Next::Same => {}
                Next::File => names.push(series.path().display().to_string()),
                Next::End(files) => names.push(format!("end {files}")),
            }
        }
        names
    }

    const SIZE: Rotation = Rotation {
        size: Some(10),
        seconds: None,
        files: None,
    };

    #[test]
    fn files_of_a_size_are_numbered() {
        let packets = [(0, 10), (0, 11), (0, 9), (0, 12), (0, 11)];
        assert_eq!(files(SIZE, "a", &packets), ["a", "a1", "a2", "a3"]);
        let ring = |files| Rotation {
            files: Some(files),
            ..SIZE
        };
        assert_eq!(files(ring(2), "a", &packets), ["a0", "a1", "a0", "a1"]);
        assert_eq!(files(ring(1), "a", &packets), ["a", "a", "a", "a"]);
        assert_eq!(files(ring(11), "a", &packets)[1], "a01");
        assert_eq!(digits(10), 1);
        assert_eq!(digits(100), 2);
    }

    #[test]
    fn files_of_a_time_are_dated() {
        let time = Rotation {
            seconds: Some(5),
            ..Rotation::default()
        };
        let packets = [(1000, 0), (1004, 0), (1005, 0), (1100, 99), (1101, 99)];
        let expected = ["a-1000", "a-1005", "a-1100"];
        assert_eq!(files(time, "a-%s", &packets), expected);
        let two = Rotation {
            files: Some(2),
            ..time
        };
        let ended = files(two, "a", &packets);
        assert_eq!(ended.get(..3).unwrap(), ["a", "a", "end 2"]);
        let both = Rotation {
            size: Some(10),
            ..time
        };
        let expected = ["%-1000", "%-1005", "%-1100", "%-11001"];
        assert_eq!(files(both, "%%-%s", &packets), expected);
        let expected = ["a", "a", "a", "a1"];
        assert_eq!(files(both, "a", &packets), expected);
        assert_eq!(
            dated(Path::new("%Y-%j_%H%M%S%!"), 0, &TimeZone::UTC),
            "%Y-%j_%H%M%S%!"
        );
        assert_eq!(
            dated(Path::new("%Y-%j_%H%M%S"), 0, &TimeZone::UTC),
            "1970-001_000000"
        );
        assert_eq!(dated(Path::new("x%"), 0, &TimeZone::UTC), "x%");
    }
}
