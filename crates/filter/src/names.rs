//! What a filter asks of the world: numbers behind names.
//!
//! The filter reads no files and asks no servers; who compiles it answers. Names that are the
//! same everywhere (`arp`, `ip6`, `tcpflags`) are not asked for.

use std::net::IpAddr;

/// Transport protocols whose port names are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Tcp,
    Udp,
}

/// Answers to names. Unless said otherwise a name is unknown.
pub trait Names {
    /// Addresses of a host (`/etc/hosts`, DNS), in the order of the answer.
    fn host(&mut self, _name: &str) -> Vec<IpAddr> {
        Vec::new()
    }

    /// Number of an IPv4 network (`/etc/networks`), as `inet_network(3)` gives it: 10 for `10`.
    fn network(&mut self, _name: &str) -> Option<u32> {
        None
    }

    /// Number of a port (`/etc/services`).
    fn port(&mut self, _name: &str, _transport: Transport) -> Option<u16> {
        None
    }

    /// Number of a protocol over IP (`/etc/protocols`).
    fn ip_protocol(&mut self, _name: &str) -> Option<u8> {
        None
    }

    /// Link-layer address of a host (`/etc/ethers`).
    fn ethernet_host(&mut self, _name: &str) -> Option<[u8; 6]> {
        None
    }

    /// Number of a user (`/etc/passwd`).
    fn user(&mut self, _name: &str) -> Option<u32> {
        None
    }

    /// Inode number of a network namespace, given as path, name or process id.
    fn netns(&mut self, _name: &str) -> Option<u64> {
        None
    }
}

/// Knows no name.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {}
