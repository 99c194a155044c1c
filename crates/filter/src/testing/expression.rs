//! Random filters that are well written; some of them are refused for what they mean.

use super::Random;

const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.2",
    "192.168.1.7",
    "224.0.0.251",
    "0.0.0.0",
];
const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10",
    "192.168",
    "10.0.0.0 mask 255.0.0.0",
    "0.0.0.0/0",
];
const ADDRESSES6: &[&str] = &["::1", "fe80::1", "2001:db8::7"];
const NETWORKS6: &[&str] = &["fe80::/10", "2001:db8::/33", "::/0"];
const ETHERS: &[&str] = &["2:2:2:2:2:2", "ff:ff:ff:ff:ff:ff", "1:0:5e:0:0:fb"];
const PORTS: &[&str] = &["53", "80", "443", "0", "65535"];
const RANGES: &[&str] = &["1-1024", "80", "443-80", "0-65535"];
const DIRECTIONS: &[&str] = &["", "src ", "dst ", "src or dst ", "src and dst "];
const PROTOCOLS: &[&str] = &[
    "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "pim",
    "vrrp", "ah", "esp", "atalk", "aarp", "decnet", "iso", "clnp", "esis", "isis", "stp", "ipx",
    "netbeui", "lat", "sca", "moprc", "mopdl",
];
const INDEXED: &[&str] = &[
    "ether", "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "arp", "link", "sctp", "igmp",
];
const RELATIONS: &[&str] = &["=", "!=", "<", ">", "<=", ">="];
const OPERATORS: &[&str] = &["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"];
const TUNNELS: &[&str] = &[
    "vlan", "vlan 7", "mpls", "mpls 9", "pppoes", "pppoes 5", "geneve", "geneve 3", "vxlan",
];

impl Random {
    fn word<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let place = self.below(u32::try_from(of.len()).unwrap_or(1));
        of.get(place as usize).copied().unwrap_or("ip")
    }

    /// A filter; `depth` bounds how deep it nests.
    pub fn expression(&mut self, depth: u32) -> String {
        let mut text = self.operand(depth);
        for _ in 0..self.below(3) {
            let join = self.word(&[" and ", " or ", " && ", " || ", " and not "]);
            text += join;
            text += &self.operand(depth);
        }
        text
    }

    fn operand(&mut self, depth: u32) -> String {
        match self.below(10) {
            0 if depth > 0 => format!("not ({})", self.expression(depth - 1)),
            1 | 2 if depth > 0 => format!("({})", self.expression(depth - 1)),
            3 => format!("not {}", self.simple()),
            _ => self.simple(),
        }
    }

    fn simple(&mut self) -> String {
        let direction = self.word(DIRECTIONS);
        match self.below(18) {
            0..=2 => self.word(PROTOCOLS).to_owned(),
            3 | 4 => format!("{direction}host {}", self.word(ADDRESSES)),
            5 => format!("{direction}net {}", self.word(NETWORKS)),
            6 => match self.below(2) {
                0 => format!("ip6 {direction}host {}", self.word(ADDRESSES6)),
                _ => format!("{direction}net {}", self.word(NETWORKS6)),
            },
            7 => format!("ether {direction}host {}", self.word(ETHERS)),
            8 | 9 => {
                let transport = self.word(&["", "tcp ", "udp ", "sctp "]);
                format!("{transport}{direction}port {}", self.word(PORTS))
            }
            10 => {
                let transport = self.word(&["", "tcp ", "udp "]);
                format!("{transport}{direction}portrange {}", self.word(RANGES))
            }
            11 => {
                let family = self.word(&["ip ", "ip6 ", "", "ether "]);
                format!("{family}proto {}", self.below(300))
            }
            12 => {
                let length = self.below(200);
                let relation = self.word(&["less", "greater"]);
                format!("{relation} {length}")
            }
            13 => self
                .word(&["broadcast", "multicast", "ether multicast", "ip6 multicast"])
                .to_owned(),
            14 => format!(
                "{} {direction}host {}",
                self.word(&["ip", "arp", "rarp"]),
                self.word(ADDRESSES)
            ),
            15 => self.word(TUNNELS).to_owned(),
            _ => format!(
                "{} {} {}",
                self.arithmetic(2),
                self.word(RELATIONS),
                self.arithmetic(1)
            ),
        }
    }

    fn arithmetic(&mut self, depth: u32) -> String {
        match self.below(if depth > 0 { 8 } else { 4 }) {
            0 => "len".to_owned(),
            1 => self.below(1000).to_string(),
            2 | 3 => {
                let size = self.word(&["", ":1", ":2", ":4"]);
                format!("{}[{}{size}]", self.word(INDEXED), self.below(50))
            }
            4 => {
                let index = self.arithmetic(depth - 1);
                format!("{}[{index}]", self.word(INDEXED))
            }
            _ => {
                let (left, right) = (self.arithmetic(depth - 1), self.arithmetic(depth - 1));
                format!("({left} {} {right})", self.word(OPERATORS))
            }
        }
    }
}
