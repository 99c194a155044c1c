//! The formats of the files that hold names. Lines that say nothing are passed over, as the
//! C library does.

use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr};

use pktwho_print::Transport;
use rustc_hash::FxHashMap;

/// The words of each line before its comment.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_ascii_whitespace().collect()
    })
}

/// Collects pairs; the first name of a key stays.
fn first_names<'t, K: std::hash::Hash + Eq>(
    pairs: impl Iterator<Item = (K, &'t str)>,
) -> FxHashMap<K, String> {
    let mut table = FxHashMap::default();
    for (key, name) in pairs {
        if let Entry::Vacant(entry) = table.entry(key) {
            entry.insert(name.to_owned());
        }
    }
    table
}

/// hosts(5): `ADDRESS NAME [ALIAS…]`.
pub(super) fn hosts(text: &str) -> FxHashMap<IpAddr, String> {
    first_names(lines(text).filter_map(|words| match *words.as_slice() {
        [address, name, ..] => Some((address.parse().ok()?, name)),
        _ => None,
    }))
}

/// services(5): `NAME PORT/PROTOCOL [ALIAS…]`.
pub(super) fn services(text: &str) -> FxHashMap<(Transport, u16), String> {
    first_names(lines(text).filter_map(|words| match *words.as_slice() {
        [name, port, ..] => {
            let (port, transport) = port.split_once('/')?;
            let transport = match transport {
                "tcp" => Transport::Tcp,
                "udp" => Transport::Udp,
                _ => return None,
            };
            Some(((transport, port.parse().ok()?), name))
        }
        _ => None,
    }))
}

/// ethers(5): `ADDRESS NAME`.
pub(super) fn ethers(text: &str) -> FxHashMap<[u8; 6], String> {
    first_names(lines(text).filter_map(|words| match *words.as_slice() {
        [address, name, ..] => Some((mac(address)?, name)),
        _ => None,
    }))
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

/// The second word of the first line that has this name first or as an alias, and for which
/// that word is of use.
fn by_name<T>(text: &str, name: &str, value: impl Fn(&str) -> Option<T>) -> Option<T> {
    lines(text).find_map(|words| match words.as_slice() {
        [first, second, aliases @ ..] if *first == name || aliases.contains(&name) => value(second),
        _ => None,
    })
}

/// The port of a service over this transport.
pub(super) fn port(text: &str, name: &str, transport: &str) -> Option<u16> {
    by_name(text, name, |port| {
        let (port, over) = port.split_once('/')?;
        (over == transport).then(|| port.parse().ok())?
    })
}

/// The number of a protocol over IP.
pub(super) fn protocol(text: &str, name: &str) -> Option<u8> {
    by_name(text, name, |number| number.parse().ok())
}

/// networks(5): `NAME NUMBER [ALIAS…]`; one to four numbers with dots, as one number.
pub(super) fn network(text: &str, name: &str) -> Option<u32> {
    by_name(text, name, |number| {
        let mut parts = number.split('.');
        let network = parts.by_ref().take(4).try_fold(0_u32, |sum, part| {
            Some(sum << 8 | u32::from(part.parse::<u8>().ok()?))
        });
        network.filter(|_| parts.next().is_none())
    })
}

/// The address of a host of ethers(5).
pub(super) fn ether(text: &str, name: &str) -> Option<[u8; 6]> {
    lines(text).find_map(|words| match *words.as_slice() {
        [address, host, ..] if host == name => mac(address),
        _ => None,
    })
}

/// passwd(5): `NAME:PASSWORD:UID:…`.
fn accounts(text: &str) -> impl Iterator<Item = (u32, &str)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        Some((fields.nth(1)?.parse().ok()?, name))
    })
}

pub(super) fn users(text: &str) -> FxHashMap<u32, String> {
    first_names(accounts(text))
}

/// The number of a login name.
pub(super) fn user_id(text: &str, name: &str) -> Option<u32> {
    accounts(text).find_map(|(uid, user)| (user == name).then_some(uid))
}

/// User id and group id of a name.
pub(super) fn login(text: &str, name: &str) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        Some((uid, fields.next()?.parse().ok()?))
    })
}

/// The home directory of a user id.
pub(super) fn home(text: &str, uid: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        (fields.next()?.parse() == Ok(uid)).then(|| fields.nth(2).map(str::to_owned))?
    })
}

/// IPv4 networks.
#[derive(Debug, Default)]
pub(super) struct Networks(Vec<(u32, u32)>);

impl Networks {
    /// Those reached without a gateway over these devices, from the text of
    /// `/proc/net/route`; and loopback.
    pub(super) fn connected(routes: &str, devices: &[&str]) -> Self {
        let mut networks = vec![(Ipv4Addr::LOCALHOST.to_bits() & 0xff00_0000, 0xff00_0000)];
        // Numbers are hex dumps of the network's byte order as the machine reads them.
        let number = |text: &str| Some(u32::from_be(u32::from_str_radix(text, 16).ok()?));
        networks.extend(lines(routes).filter_map(|words| match *words.as_slice() {
            [device, network, "00000000", _, _, _, _, mask, ..] if devices.contains(&device) => {
                Some((number(network)?, number(mask)?))
            }
            _ => None,
        }));
        Self(networks)
    }

    /// The mask of the first of them besides loopback.
    pub(super) fn mask(&self) -> Option<u32> {
        self.0.get(1).map(|(_, mask)| *mask)
    }

    pub(super) fn contains(&self, ip: Ipv4Addr) -> bool {
        let ip = ip.to_bits();
        self.0.iter().any(|(network, mask)| ip & mask == *network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_names() {
        let services = "http 80/tcp www # web\ndomain 53/tcp\ndomain 53/udp\nodd x/tcp\nodd 7/tcp";
        assert_eq!(port(services, "www", "tcp"), Some(80));
        assert_eq!(port(services, "www", "udp"), None);
        assert_eq!(port(services, "domain", "udp"), Some(53));
        assert_eq!(port(services, "odd", "tcp"), Some(7));
        assert_eq!(port(services, "80/tcp", "tcp"), None);
        assert_eq!(protocol("ip 0 IP\ntcp 6 TCP", "TCP"), Some(6));
        let networks = "loopback 127.0.0.0\nnet 10.1 alias\nbad 1.2.3.4.5\nworse 10.x";
        assert_eq!(network(networks, "loopback"), Some(0x7f00_0000));
        assert_eq!(network(networks, "alias"), Some(0x0a01));
        assert_eq!(network(networks, "bad"), None);
        assert_eq!(network(networks, "worse"), None);
        assert_eq!(
            ether("0:1:2:a:B:ff box\n", "box"),
            Some([0, 1, 2, 10, 11, 255])
        );
        assert_eq!(ether("0:1:2:a:B:ff box\n", "0:1:2:a:B:ff"), None);
    }

    #[test]
    fn first_name_counts_and_comments_do_not() {
        let hosts = hosts("127.0.0.1 localhost me # me\n#1.1.1.1 no\n127.0.0.1 other\n::1 six\nx");
        assert_eq!(hosts[&IpAddr::from([127, 0, 0, 1])], "localhost");
        assert_eq!(hosts[&"::1".parse().unwrap()], "six");
        assert_eq!(hosts.len(), 2);

        let text =
            "http\t80/tcp www # web\ndomain 53/udp\nx 80/sctp\ny 80\nz 99999/tcp\nhttp2 80/tcp";
        let services = services(text);
        assert_eq!(services[&(Transport::Tcp, 80)], "http");
        assert_eq!(services[&(Transport::Udp, 53)], "domain");
        assert_eq!(services.len(), 2);

        let ethers = ethers("0:1:2:a:B:ff box\n0:1:2:3:4 short\n0:1:2:3:4:5:6 long\n");
        assert_eq!(ethers[&[0, 1, 2, 10, 11, 255]], "box");
        assert_eq!(ethers.len(), 1);
    }

    #[test]
    fn users_both_ways() {
        let text = "root:x:0:0:r:/root:/bin/sh\ntoor:x:0:0\n:x:5\nbad:x:y\nme:x:1000:1000::/:/\n";
        assert_eq!(users(text)[&0], "root");
        assert_eq!(user_id(text, "toor"), Some(0));
        assert_eq!(user_id(text, "me"), Some(1000));
        assert_eq!(user_id(text, "bad"), None);
    }

    #[test]
    fn networks_of_the_devices_asked_for() {
        let routes = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n\
            eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\n\
            eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n\
            eth1\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\n";
        let near = Networks::connected(routes, &["eth0"]);
        assert!(near.contains(Ipv4Addr::new(192, 168, 0, 7)));
        assert!(near.contains(Ipv4Addr::new(127, 1, 2, 3)));
        assert!(!near.contains(Ipv4Addr::new(10, 0, 0, 1)));
        assert!(!near.contains(Ipv4Addr::new(192, 168, 1, 7)));
        let all = Networks::connected(routes, &["eth1", "eth0"]);
        assert!(all.contains(Ipv4Addr::new(10, 0, 0, 1)));
        assert!(!all.contains(Ipv4Addr::new(8, 8, 8, 8)));
    }
}
