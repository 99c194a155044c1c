//! resolv.conf(5): which servers, how long, how often.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

/// The most servers that count, as in the C library.
const SERVERS: usize = 3;

/// Whom to ask and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(super) servers: Vec<SocketAddr>,
    pub(super) timeout: Duration,
    /// How often each server is asked.
    pub(super) attempts: usize,
}

impl Config {
    /// From the file's text and the value of `RES_OPTIONS`. Without a server it is the one of
    /// this machine. `scope` is the number of a device, which link-local servers name.
    pub fn new(text: &str, environment: &str, scope: impl Fn(&str) -> Option<u32>) -> Self {
        let mut config = Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(5),
            attempts: 2,
        };
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") if config.servers.len() < SERVERS => {
                    let server = words.next().and_then(|word| server(word, &scope));
                    config.servers.extend(server);
                }
                Some("options") => words.for_each(|word| config.option(word)),
                _ => {}
            }
        }
        let words = environment.split_ascii_whitespace();
        words.for_each(|word| config.option(word));
        if config.servers.is_empty() {
            config.servers.push(SocketAddr::from(([127, 0, 0, 1], 53)));
        }
        config
    }

    /// Whether anybody is asked at all (`attempts:0`).
    pub(super) fn may_ask(&self) -> bool {
        self.attempts > 0
    }

    fn option(&mut self, word: &str) {
        let Some((name, Ok(value))) = word.split_once(':').map(|(n, v)| (n, v.parse::<u8>()))
        else {
            return;
        };
        // The bounds are the C library's.
        match name {
            "timeout" => self.timeout = Duration::from_secs(value.clamp(1, 30).into()),
            "attempts" => self.attempts = value.min(5).into(),
            _ => {}
        }
    }
}

fn server(word: &str, scope: impl Fn(&str) -> Option<u32>) -> Option<SocketAddr> {
    let Some((ip, device)) = word.split_once('%') else {
        return Some(SocketAddr::new(word.parse::<IpAddr>().ok()?, 53));
    };
    let ip: Ipv6Addr = ip.parse().ok()?;
    Some(SocketAddrV6::new(ip, 53, 0, scope(device)?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_options() {
        let text = "# no\nsearch a b\nnameserver 192.0.2.1 x\n;nameserver 192.0.2.9\n\
            nameserver bad\nnameserver 2001:db8::1\nnameserver fe80::1%eth7\n\
            nameserver 192.0.2.4\noptions ndots:2 timeout:0 attempts:99 rotate\n";
        let config = Config::new(text, "timeout:7 x", |device| {
            (device == "eth7").then_some(7)
        });
        let servers: Vec<String> = config.servers.iter().map(ToString::to_string).collect();
        assert_eq!(
            servers,
            ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%7]:53"]
        );
        assert_eq!(config.timeout, Duration::from_secs(7));
        assert_eq!(config.attempts, 5);
        let none = Config::new("", "attempts:0", |_| None);
        assert_eq!(none.servers, ["127.0.0.1:53".parse().unwrap()]);
        assert!(!none.may_ask());
    }
}
