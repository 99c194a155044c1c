//! Link-layer header types, numbered as in files.
//!
//! Source: the link-layer header types registry of the pcap and pcapng formats
//! (draft-ietf-opsawg-pcaplinktype). Printers, filters and files each handle the ones they know.

/// A link-layer header type as pcap and pcapng files number it (`LINKTYPE_…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

/// (value, name after `LINKTYPE_`/`DLT_`, description)
macro_rules! link_types {
    ($($constant:ident = $value:literal, $name:literal, $description:literal;)*) => {
        impl LinkType {
            $(#[doc = $description] pub const $constant: Self = Self($value);)*

            /// The registry's name without its prefix, for instance `EN10MB`.
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some($name),)* _ => None }
            }

            /// What the type is called in words, for instance `Ethernet`.
            pub fn description(self) -> Option<&'static str> {
                match self.0 { $($value => Some($description),)* _ => None }
            }

            /// The type of that name, upper or lower case.
            pub fn from_name(name: &str) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($name) { return Some(Self($value)); })*
                None
            }
        }
    };
}

link_types! {
    NULL = 0, "NULL", "BSD loopback";
    ETHERNET = 1, "EN10MB", "Ethernet";
    IEEE802_5 = 6, "IEEE802", "Token ring";
    SLIP = 8, "SLIP", "SLIP";
    PPP = 9, "PPP", "PPP";
    FDDI = 10, "FDDI", "FDDI";
    PPP_HDLC = 50, "PPP_SERIAL", "PPP over serial";
    PPP_ETHER = 51, "PPP_ETHER", "PPPoE";
    ATM_RFC1483 = 100, "ATM_RFC1483", "RFC1483 LLC-encapsulated ATM";
    RAW = 101, "RAW", "Raw IP";
    C_HDLC = 104, "C_HDLC", "Cisco HDLC";
    IEEE802_11 = 105, "IEEE802_11", "802.11";
    FRELAY = 107, "FRELAY", "Frame Relay";
    LOOP = 108, "LOOP", "OpenBSD loopback";
    LINUX_SLL = 113, "LINUX_SLL", "Linux cooked v1";
    PFLOG = 117, "PFLOG", "OpenBSD pflog file";
    IEEE802_11_PRISM = 119, "PRISM_HEADER", "802.11 plus Prism header";
    IP_OVER_FC = 122, "IP_OVER_FC", "RFC 2625 IP-over-Fibre Channel";
    IEEE802_11_RADIO = 127, "IEEE802_11_RADIO", "802.11 plus radiotap header";
    IEEE802_11_AVS = 163, "IEEE802_11_RADIO_AVS", "802.11 plus AVS radio information header";
    PPI = 192, "PPI", "Per-Packet Information";
    IPV4 = 228, "IPV4", "Raw IPv4";
    IPV6 = 229, "IPV6", "Raw IPv6";
    IEEE802_15_4_NOFCS = 230, "IEEE802_15_4_NOFCS", "IEEE 802.15.4 without FCS";
    NFLOG = 239, "NFLOG", "Linux netfilter log messages";
    IPNET = 226, "IPNET", "Solaris ipnet";
    PKTAP = 258, "PKTAP", "Apple PKTAP";
    LINUX_SLL2 = 276, "LINUX_SLL2", "Linux cooked v2";
}
