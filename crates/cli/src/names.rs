//! Names for numbers from the files of this machine: hosts(5), services(5), ethers(5),
//! passwd(5), and its time zone; names of other addresses from its nameservers.
//!
//! Promises: a file is read when the first name of its kind is asked for, and only once; a
//! nameserver holds a packet up for a bounded time only (`resolver.rs`). Where a number has several names the first one in the file counts,
//! as for the C library's `files` service.

mod login;
mod lookup;
mod ptr;
mod resolver;
mod tables;

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pktwho_packet::Iface;
use pktwho_print::{Names, Style, Transport};
use rustc_hash::FxHashMap;

pub use login::Login;
pub use lookup::Lookup;
pub use resolver::Pace;
use resolver::{Config, Resolver};
use tables::Networks;

/// The names of this machine.
#[derive(Debug)]
pub struct HostNames {
    pace: Pace,
    hosts: Table<IpAddr>,
    /// Asks for what `hosts` does not have; there once it is needed.
    resolver: Option<Resolver>,
    services: Table<(Transport, u16)>,
    ethers: Table<[u8; 6]>,
    users: Table<u32>,
    /// `-f`: addresses outside these are not named.
    near: Option<Networks>,
    zone: Zone,
}

/// A file's names, once read.
type Table<K> = Option<FxHashMap<K, String>>;

/// The mask of the IPv4 network that a device is in.
pub fn netmask(device: &str) -> Option<u32> {
    Networks::connected(&read("/proc/net/route"), &[device]).mask()
}

/// The names that lines in this style may show. With `near`, those IPv4 addresses only that
/// lie in networks connected to these devices (`-f`).
pub fn for_style(style: Option<&Style>, near: Option<&[Iface]>, pace: Pace) -> Box<dyn Names> {
    if style.is_some_and(|style| style.numeric) {
        return Box::new(Numbers::default());
    }
    let near = near.map(|ifaces| {
        let routes = read("/proc/net/route");
        let devices: Vec<&str> = ifaces.iter().map(|iface| iface.name.as_str()).collect();
        Networks::connected(&routes, &devices)
    });
    Box::new(HostNames {
        pace,
        hosts: None,
        resolver: None,
        services: None,
        ethers: None,
        users: None,
        near,
        zone: Zone::default(),
    })
}

/// The user id of a login name, or the number itself.
///
/// # Errors
/// The text to show when there is no such user.
pub fn user_id(name: &OsStr) -> Result<u32, String> {
    let unknown = || format!("unknown user {}", name.to_string_lossy());
    let text = name.to_str().ok_or_else(unknown)?;
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    tables::user_id(&read("/etc/passwd"), text).ok_or_else(unknown)
}

fn read(path: &str) -> String {
    // A file that is not there, or not to be read, has no names.
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The nameservers of this machine.
fn nameservers(pace: Pace) -> Resolver {
    let options = std::env::var("RES_OPTIONS").unwrap_or_default();
    let scope = |device: &str| {
        let number = device.parse().ok();
        let index = || {
            let path = format!("/sys/class/net/{device}/ifindex");
            read(&path).trim().parse().ok()
        };
        number.or_else(index)
    };
    let config = Config::new(&read("/etc/resolv.conf"), &options, scope);
    Resolver::new(config, pace)
}

fn find<'t, K: std::hash::Hash + Eq>(
    table: &'t mut Table<K>,
    path: &str,
    parse: fn(&str) -> FxHashMap<K, String>,
    key: &K,
) -> Option<Cow<'t, str>> {
    let table = table.get_or_insert_with(|| parse(&read(path)));
    table.get(key).map(|name| Cow::Borrowed(name.as_str()))
}

impl Names for HostNames {
    fn addr(&mut self, ip: IpAddr) -> Option<Cow<'_, str>> {
        if let (Some(near), IpAddr::V4(ip)) = (&self.near, ip)
            && !near.contains(ip)
        {
            return None;
        }
        let name = find(&mut self.hosts, "/etc/hosts", tables::hosts, &ip);
        if name.is_some() {
            return name;
        }
        let resolver = self.resolver.get_or_insert_with(|| nameservers(self.pace));
        resolver.name(ip).map(Cow::Borrowed)
    }

    fn next_packet(&mut self) {
        if let Some(resolver) = &mut self.resolver {
            resolver.next_packet();
        }
    }

    fn port(&mut self, transport: Transport, port: u16) -> Option<Cow<'_, str>> {
        let key = (transport, port);
        find(&mut self.services, "/etc/services", tables::services, &key)
    }

    fn mac(&mut self, mac: [u8; 6]) -> Option<Cow<'_, str>> {
        find(&mut self.ethers, "/etc/ethers", tables::ethers, &mac)
    }

    fn user(&mut self, uid: u32) -> Option<Cow<'_, str>> {
        find(&mut self.users, "/etc/passwd", tables::users, &uid)
    }

    fn utc_offset(&mut self, secs: i64) -> i32 {
        self.zone.offset(secs)
    }
}

/// Only the time zone: `-n`.
#[derive(Debug, Default)]
pub struct Numbers {
    zone: Zone,
}

impl Names for Numbers {
    fn utc_offset(&mut self, secs: i64) -> i32 {
        self.zone.offset(secs)
    }
}

/// Local time: the zone of `TZ` or of the system, found when first needed.
#[derive(Debug, Default)]
struct Zone {
    zone: Option<TimeZone>,
    /// The offset that holds from one second up to another, exclusive.
    known: Option<(i64, i64, i32)>,
}

impl Zone {
    /// Seconds ahead of UTC; 0 for times beyond the calendar (years past 9999).
    fn offset(&mut self, secs: i64) -> i32 {
        if let Some((from, until, offset)) = self.known
            && (from..until).contains(&secs)
        {
            return offset;
        }
        let zone = self.zone.get_or_insert_with(TimeZone::system);
        let Ok(time) = Timestamp::from_second(secs) else {
            return 0;
        };
        let offset = zone.to_offset(time).seconds();
        let until = zone.following(time).next();
        let until = until.map_or(i64::MAX, |change| change.timestamp().as_second());
        self.known = Some((secs, until, offset));
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone {
            zone: Some(TimeZone::posix(name).unwrap()),
            known: None,
        }
    }

    #[test]
    fn offsets_change_with_daylight_saving_time() {
        // Central Europe: 2026-03-29 01:00 UTC is 1774746000.
        let mut zone = zone("CET-1CEST,M3.5.0,M10.5.0/3");
        for _ in 0..2 {
            assert_eq!(zone.offset(1_774_745_999), 3600);
            assert_eq!(zone.offset(1_774_746_000), 7200);
            assert_eq!(zone.offset(1_774_746_001), 7200);
            assert_eq!(zone.offset(i64::MAX), 0);
            assert_eq!(zone.offset(i64::MIN), 0);
        }
    }

    #[test]
    fn users_by_number_and_name() {
        assert_eq!(user_id(OsStr::new("4294967294")), Ok(4_294_967_294));
        assert_eq!(user_id(OsStr::new("root")), Ok(0));
        let unknown = Err("unknown user no:body".to_owned());
        assert_eq!(user_id(OsStr::new("no:body")), unknown);
    }
}
