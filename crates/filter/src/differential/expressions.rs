//! Filters at random, most of them right.

use pktwho_packet::LinkType;

use crate::testing::Random;

/// One of which libpcap 1.10.3 and 1.11 have the same opinion. Of `ARCnet`, `BACnet`, Broadcom
/// and DSA tags and MTP2 with a pseudo-header we follow 1.11.
pub fn link_type(random: &mut Random) -> LinkType {
    let names = [
        "EN10MB",
        "EN10MB",
        "EN10MB",
        "EN10MB",
        "EN10MB",
        "RAW",
        "RAW",
        "IPV4",
        "IPV6",
        "LINUX_SLL",
        "LINUX_SLL2",
        "NULL",
        "LOOP",
        "PPP",
        "PPP_SERIAL",
        "PPP_ETHER",
        "C_HDLC",
        "FDDI",
        "IEEE802",
        "IEEE802_11",
        "IEEE802_11_RADIO",
        "PRISM_HEADER",
        "IEEE802_11_RADIO_AVS",
        "PPI",
        "SLIP",
        "SLIP_BSDOS",
        "PPP_BSDOS",
        "FRELAY",
        "IP_OVER_FC",
        "ATM_RFC1483",
        "ATM_CLIP",
        "SUNATM",
        "MTP2",
        "PFLOG",
        "ENC",
        "LTALK",
        "NETANALYZER",
        "NETANALYZER_TRANSPARENT",
        "SYMANTEC_FIREWALL",
        "APPLE_IP_OVER_IEEE1394",
        "JUNIPER_ETHER",
        "JUNIPER_PPPOE",
        "JUNIPER_ATM1",
        "JUNIPER_MFR",
        "IPNET",
        "PPP_PPPD",
        "MFR",
        "CAN_SOCKETCAN",
        "USB_LINUX",
    ];
    let name = pick(random, &names);
    LinkType::from_name(name).unwrap_or_else(|| panic!("{name}"))
}

fn pick<'w>(random: &mut Random, words: &[&'w str]) -> &'w str {
    words[random.below(u32::try_from(words.len()).unwrap()) as usize]
}

pub struct Expressions<'r> {
    random: &'r mut Random,
    link_type: LinkType,
}

impl<'r> Expressions<'r> {
    pub fn new(random: &'r mut Random, link_type: LinkType) -> Self {
        Self { random, link_type }
    }

    pub fn filter(&mut self) -> String {
        if self.link_type == LinkType::ETHERNET && self.one_in(20) {
            return self.alone();
        }
        let depth = self.random.below(4);
        self.list(depth)
    }

    /// Of what comes with `geneve` all that follows looks into the tunnel, and where there is
    /// none libpcap's program reads memory that it never wrote, as it does for `lane`. On few link
    /// types libpcap 1.10.3 looks for directions behind a header before the packet.
    fn alone(&mut self) -> String {
        self.pick(&[
            "inbound",
            "outbound",
            "inbound and tcp",
            "not outbound",
            "geneve",
            "geneve 9",
            "geneve and ip",
            "geneve 9 and tcp",
            "geneve and ether host 1:2:3:4:5:6",
        ])
        .to_owned()
    }

    /// Where libpcap 1.10.3 keeps how long headers are, it lets other terms write over it.
    fn has_fixed_headers(&self) -> bool {
        let name = self.link_type.name().unwrap_or_default();
        !(name.starts_with("IEEE802_11") || matches!(name, "PPI" | "PRISM_HEADER" | "PFLOG"))
    }

    fn one_in(&mut self, number: u32) -> bool {
        self.random.below(number) == 0
    }

    fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
        pick(self.random, words)
    }

    fn list(&mut self, depth: u32) -> String {
        let mut text = self.term(depth);
        for _ in 0..self.random.below(3) {
            let joiner = self.pick(&["and", "or", "and", "or", "&&", "||"]);
            let next = self.term(depth);
            text = format!("{text} {joiner} {next}");
        }
        text
    }

    fn term(&mut self, depth: u32) -> String {
        match self.random.below(20) {
            0..=6 => self.qualified(),
            7..=9 => self.protocol().to_owned(),
            10 | 11 if depth > 0 => format!("({})", self.list(depth - 1)),
            12 | 13 if depth > 0 => {
                format!("{}{}", self.pick(&["not ", "!"]), self.term(depth - 1))
            }
            14..=16 if self.has_fixed_headers() => {
                let (left, right) = (self.arith(2), self.arith(1));
                let relation = self.pick(&["=", "==", "!=", "<", ">", "<=", ">="]);
                format!("{left} {relation} {right}")
            }
            17 if self.has_fixed_headers() => self.special(),
            _ => self.of_link_type(),
        }
    }

    /// Not those of IS-IS: we follow libpcap 1.11, which looks at the lower five bits of a type.
    fn protocol(&mut self) -> &'static str {
        self.pick(&[
            "ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "arp", "rarp", "igmp", "esp", "ah",
            "pim", "vrrp", "igrp", "atalk", "aarp", "decnet", "lat", "moprc", "mopdl", "iso",
            "esis", "isis", "clnp", "stp", "ipx", "netbeui",
        ])
    }

    /// Qualifiers and values that go together, most of the time.
    fn qualified(&mut self) -> String {
        let direction = self.pick(&["", "", "", "src ", "dst ", "src or dst ", "src and dst "]);
        match self.random.below(9) {
            0 | 1 => {
                let protocol = self.pick(&["", "", "ip ", "arp ", "rarp "]);
                let host = self.pick(&["", "host "]);
                let word = if direction.is_empty() { "host " } else { host };
                let value = self.values(&[
                    "1.2.3.4",
                    "10.0.0.1",
                    "0x01020304",
                    "16909060",
                    "255.255.255.255",
                ]);
                format!("{protocol}{direction}{word}{value}")
            }
            2 => {
                let protocol = self.pick(&["", "ip6 "]);
                let value = self.values(&[
                    "fe80::1",
                    "::1",
                    "2001:db8:0:0:1::2",
                    "::ffff:1.2.3.4",
                    "::",
                ]);
                format!("{protocol}{direction}host {value}")
            }
            3 => {
                let protocol = self.pick(&["", "", "ip ", "arp "]);
                let value = self.values(&[
                    "10",
                    "10.1",
                    "1.2.3",
                    "10.0.0.0/8",
                    "1.2.3.0/25",
                    "0.0.0.0/0",
                    "1.2.3.4/32",
                    "10.1 mask 255.255",
                    "1.2.0.0 mask 255.255.0.0",
                ]);
                format!("{protocol}{direction}net {value}")
            }
            4 => {
                let value =
                    self.values(&["fe80::/10", "2001:db8::/33", "::1/128", "::/0", "fe80::/64"]);
                format!("{}{direction}net {value}", self.pick(&["", "ip6 "]))
            }
            5 => {
                let protocol = self.pick(&["", "", "tcp ", "udp ", "sctp ", "icmp "]);
                let value = self.values(&["80", "0", "443", "65535", "8"]);
                format!("{protocol}{direction}port {value}")
            }
            6 => {
                let protocol = self.pick(&["", "", "tcp ", "udp ", "sctp "]);
                let value = self.values(&["1-1023", "80-80", "90-7", "0-65535", "7"]);
                format!("{protocol}{direction}portrange {value}")
            }
            7 => {
                let value = self.values(&[
                    "1:2:3:4:5:6",
                    "ff:ff:ff:ff:ff:ff",
                    "0102.0304.0506",
                    "1:0:0:0:0:0",
                ]);
                format!(
                    "{}{direction}host {value}",
                    self.pick(&["ether ", "ether ", "link ", "wlan "])
                )
            }
            _ => self.proto(),
        }
    }

    fn proto(&mut self) -> String {
        match self.random.below(6) {
            0 | 1 => {
                let value = self.values(&[
                    "6", "17", "\\tcp", "\\udp", "1", "\\icmp", "132", "44", "59",
                ]);
                format!("{}proto {value}", self.pick(&["", "ip ", "ip6 "]))
            }
            2 | 3 => {
                let value = self.values(&[
                    "0x800",
                    "0x86dd",
                    "\\ip",
                    "\\ip6",
                    "\\arp",
                    "0x8100",
                    "2048",
                    "6",
                    "\\stp",
                    "\\ipx",
                    "\\atalk",
                    "\\aarp",
                    "\\iso",
                    "\\netbeui",
                    "\\decnet",
                    "\\lat",
                    "1500",
                    "0x600",
                    "loopback",
                ]);
                format!("{}proto {value}", self.pick(&["ether ", "link "]))
            }
            _ => format!(
                "iso proto {}",
                self.pick(&["0x81", "0x82", "\\clnp", "\\esis", "\\isis", "5"])
            ),
        }
    }

    /// One of these, or several in parentheses, or negated.
    fn values(&mut self, of: &[&'static str]) -> String {
        match self.random.below(8) {
            0 => format!("({} or {})", self.pick(of), self.pick(of)),
            1 => format!("not {}", self.pick(of)),
            // Not the same twice: libpcap 1.10.3's optimiser gets `net A/33 and not A/33` wrong.
            2 => format!("({} and not {})", of[0], of[1]),
            3 => format!("{} or {}", self.pick(of), self.pick(of)),
            _ => self.pick(of).to_owned(),
        }
    }

    fn arith(&mut self, depth: u32) -> String {
        match self.random.below(if depth == 0 { 4 } else { 12 }) {
            0 | 1 => self
                .pick(&[
                    "0", "1", "2", "4", "6", "15", "0xff", "64", "0x0f00", "1500", "tcp-syn",
                ])
                .to_owned(),
            2 => "len".to_owned(),
            3..=7 => {
                let protocol = self.pick(&[
                    "ether", "link", "ip", "ip", "ip6", "tcp", "tcp", "udp", "icmp", "icmp6",
                    "arp", "sctp", "igmp",
                ]);
                let offset = if depth > 0 && self.one_in(4) {
                    self.arith(depth - 1)
                } else {
                    self.pick(&["0", "1", "2", "6", "9", "12", "13", "20", "tcpflags"])
                        .to_owned()
                };
                let size = self.pick(&["", "", ":1", ":2", ":4"]);
                format!("{protocol}[{offset}{size}]")
            }
            8 => format!("({})", self.arith(depth - 1)),
            9 if self.one_in(4) => format!("- {}", self.arith(depth - 1)),
            _ => {
                let left = self.arith(depth - 1);
                if self.one_in(3) {
                    // Not by loads: libpcap 1.10.3 takes `/ ip[0]` for a division by zero, and
                    // `<< ip[40]` for a shift by 40.
                    let operator = self.pick(&["/", "%", "<<", ">>"]);
                    let right = self.pick(&["1", "4", "7", "len"]);
                    return format!("(({left}) {operator} {right})");
                }
                let right = self.arith(depth - 1);
                let operator = self.pick(&["+", "-", "*", "&", "&", "|", "^"]);
                format!("{left} {operator} {right}")
            }
        }
    }

    /// Not `byte N & M` and `byte N | M`: libpcap 1.10.3 forgets to load the byte. Not `ip
    /// multicast`: it takes 240.0.0.0/4 too, 1.11 and we do not.
    fn special(&mut self) -> String {
        self.pick(&[
            "broadcast",
            "multicast",
            "ether broadcast",
            "ether multicast",
            "ip6 multicast",
            "ip broadcast",
            "less 60",
            "greater 60",
            "byte 12 = 8",
            "byte 5 > 7",
            "ifindex 2",
            "llc",
            "llc i",
            "llc s",
            "llc ui",
            "llc rr",
            "vlan",
            "vlan 5",
            "vlan and vlan",
            "vlan and ip",
            "mpls",
            "mpls 3",
            "mpls and mpls 5",
            "mpls and ip",
            "pppoed",
            "pppoes",
            "pppoes 7",
            "pppoes and ip",
            "ip protochain 6",
            "ip6 protochain 17",
            "protochain 50",
        ])
        .to_owned()
    }

    /// Words that mean something on few link types.
    fn of_link_type(&mut self) -> String {
        let words: &[&str] = match self.link_type.name() {
            // Of PPI we take them, as libpcap 1.11.
            Some(name) if name.starts_with("IEEE802_11") || name == "PRISM_HEADER" => &[
                "type mgt",
                "type ctl",
                "type data",
                "wlan type mgt subtype beacon",
                "type ctl subtype ack",
                "subtype data",
                "subtype qos-data",
                "dir tods",
                "dir fromds",
                "dir nods",
                "wlan addr1 1:2:3:4:5:6",
                "wlan addr2 1:2:3:4:5:6",
                "wlan addr3 1:2:3:4:5:6",
                "wlan addr4 1:2:3:4:5:6",
                "wlan ra 1:2:3:4:5:6",
                "wlan ta 1:2:3:4:5:6",
            ],
            // Not `!=`, which libpcap 1.10.3 takes for `=`.
            Some("SUNATM") => &[
                "metac",
                "bcc",
                "oamf4sc",
                "oamf4ec",
                "sc",
                "ilmic",
                "oam",
                "oamf4",
                "connectmsg",
                "metaconnect",
                "vpi 0",
                "vci 5",
                "vpi > 3",
                "vci (1 or 5)",
                "llc",
            ],
            Some(name) if name.starts_with("MTP2") => &[
                "fisu",
                "lssu",
                "msu",
                "hfisu",
                "hlssu",
                "hmsu",
                "sio 5",
                "opc 7",
                "dpc < 9",
                "sls (1 or 2)",
                "hsio 5",
                "hopc > 4",
                "hdpc 6",
            ],
            Some("PFLOG") => &[
                "ifname eth0",
                "on eth0",
                "rset a",
                "ruleset abc",
                "rnr 5",
                "srnr 6",
                "reason match",
                "reason short",
                "action pass",
                "action block",
            ],
            Some(name) if name.starts_with("ARCNET") || name == "BACNET_MS_TP" => &[
                "link host $1f",
                "link src $2",
                "link dst host $ff",
                "link src and dst $3",
            ],
            _ => &[
                "ip",
                "tcp",
                "arp",
                "port 80",
                "decnet host 1.5",
                "decnet src 10.7",
            ],
        };
        self.pick(words).to_owned()
    }
}
