//! Numbers behind the names in a filter: the files of this machine, and its resolver for hosts.
//!
//! Unlike names for numbers, which the lines show, a name that the user typed may ask the
//! network: DNS is what makes `host example.org` work.

use std::fs;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pktwho_filter::{Names, Transport};

use super::{read, tables};

/// Names of this machine, each file read at most once.
#[derive(Debug, Default)]
pub struct Lookup {
    services: Option<String>,
    protocols: Option<String>,
    networks: Option<String>,
    ethers: Option<String>,
}

fn text<'t>(file: &'t mut Option<String>, path: &str) -> &'t str {
    file.get_or_insert_with(|| read(path))
}

impl Names for Lookup {
    fn host(&mut self, name: &str) -> Vec<IpAddr> {
        // The port says nothing; without it the standard library asks for no addresses.
        let Ok(found) = (name, 0).to_socket_addrs() else {
            return Vec::new();
        };
        let mut addresses = Vec::new();
        for address in found {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        addresses
    }

    fn network(&mut self, name: &str) -> Option<u32> {
        tables::network(text(&mut self.networks, "/etc/networks"), name)
    }

    fn port(&mut self, name: &str, transport: Transport) -> Option<u16> {
        let transport = match transport {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        tables::port(text(&mut self.services, "/etc/services"), name, transport)
    }

    fn ip_protocol(&mut self, name: &str) -> Option<u8> {
        tables::protocol(text(&mut self.protocols, "/etc/protocols"), name)
    }

    fn ethernet_host(&mut self, name: &str) -> Option<[u8; 6]> {
        tables::ether(text(&mut self.ethers, "/etc/ethers"), name)
    }

    fn user(&mut self, name: &str) -> Option<u32> {
        tables::user_id(&read("/etc/passwd"), name)
    }

    fn netns(&mut self, name: &str) -> Option<u64> {
        let path = if name.contains('/') {
            PathBuf::from(name)
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            Path::new("/proc").join(name).join("ns/net")
        } else {
            Path::new("/run/netns").join(name)
        };
        fs::metadata(path).ok().map(|found| found.ino())
    }
}
