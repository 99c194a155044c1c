//! Link-layer header types, numbered as in files.
//!
//! Source: the link-layer header types registry of the pcap and pcapng formats
//! (draft-ietf-opsawg-pcaplinktype). Printers, filters and files each handle the ones they know.

/// A link-layer header type as pcap and pcapng files number it (`LINKTYPE_…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

/// Types that a program's interface (`DLT_…`) numbers otherwise than a file: the numbers were
/// taken before systems agreed. All other numbers are the same on both sides.
const UNLIKE: &[(u16, LinkType)] = &[
    (11, LinkType::ATM_RFC1483),
    (12, LinkType::RAW),
    (15, LinkType::SLIP_BSDOS),
    (16, LinkType::PPP_BSDOS),
    (19, LinkType::ATM_CLIP),
];

impl LinkType {
    /// The type that Linux numbers `dlt` in memory. Old files hold such numbers too, so that
    /// this is also what a number read from a file means.
    pub fn from_dlt(dlt: u16) -> Self {
        let unlike = UNLIKE.iter().find(|entry| entry.0 == dlt);
        unlike.map_or(Self(dlt), |entry| entry.1)
    }

    /// The number that Linux gives the type in memory (`DLT_…`).
    pub fn dlt(self) -> u16 {
        let unlike = UNLIKE.iter().find(|entry| entry.1 == self);
        unlike.map_or(self.0, |entry| entry.0)
    }
}

/// (value, name after `LINKTYPE_`/`DLT_`, description)
macro_rules! link_types {
    ($($constant:ident = $value:literal, $name:literal, $description:literal;)*) => {
        impl LinkType {
            $(#[doc = concat!("`LINKTYPE_", stringify!($constant), "`")] pub const $constant: Self = Self($value);)*

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
                if name.eq_ignore_ascii_case("IPMB_LINUX") {
                    // Its name up to libpcap 1.10.
                    return Some(Self::I2C_LINUX);
                }
                $(if name.eq_ignore_ascii_case($name) { return Some(Self($value)); })*
                None
            }
        }
    };
}

impl LinkType {
    /// `LINKTYPE_HDLC`, of old NetBSD files, which nobody has a name for: as `C_HDLC`.
    pub const HDLC: Self = Self(112);
}

link_types! {
    NULL = 0, "NULL", "BSD loopback";
    ETHERNET = 1, "EN10MB", "Ethernet";
    EXP_ETHERNET = 2, "EN3MB", "Experimental Ethernet (3Mb/s)";
    AX25 = 3, "AX25", "AX.25 layer 2";
    PRONET = 4, "PRONET", "Proteon ProNET Token Ring";
    CHAOS = 5, "CHAOS", "MIT Chaosnet";
    IEEE802_5 = 6, "IEEE802", "Token ring";
    ARCNET = 7, "ARCNET", "BSD ARCNET";
    SLIP = 8, "SLIP", "SLIP";
    PPP = 9, "PPP", "PPP";
    FDDI = 10, "FDDI", "FDDI";
    REDBACK_SMARTEDGE = 32, "REDBACK_SMARTEDGE", "Redback SmartEdge 400/800";
    PPP_HDLC = 50, "PPP_SERIAL", "PPP over serial";
    PPP_ETHER = 51, "PPP_ETHER", "PPPoE";
    SYMANTEC_FIREWALL = 99, "SYMANTEC_FIREWALL", "Symantec Firewall";
    ATM_RFC1483 = 100, "ATM_RFC1483", "RFC 1483 LLC-encapsulated ATM";
    RAW = 101, "RAW", "Raw IP";
    SLIP_BSDOS = 102, "SLIP_BSDOS", "BSD/OS SLIP";
    PPP_BSDOS = 103, "PPP_BSDOS", "BSD/OS PPP";
    C_HDLC = 104, "C_HDLC", "Cisco HDLC";
    IEEE802_11 = 105, "IEEE802_11", "802.11";
    ATM_CLIP = 106, "ATM_CLIP", "Linux Classical IP over ATM";
    FRELAY = 107, "FRELAY", "Frame Relay";
    LOOP = 108, "LOOP", "OpenBSD loopback";
    ENC = 109, "ENC", "OpenBSD encapsulated IP";
    LINUX_SLL = 113, "LINUX_SLL", "Linux cooked v1";
    LTALK = 114, "LTALK", "Localtalk";
    PFLOG = 117, "PFLOG", "OpenBSD pflog file";
    IEEE802_11_PRISM = 119, "PRISM_HEADER", "802.11 plus Prism header";
    IP_OVER_FC = 122, "IP_OVER_FC", "RFC 2625 IP-over-Fibre Channel";
    SUNATM = 123, "SUNATM", "Sun raw ATM";
    IEEE802_11_RADIO = 127, "IEEE802_11_RADIO", "802.11 plus radiotap header";
    ARCNET_LINUX = 129, "ARCNET_LINUX", "Linux ARCNET";
    JUNIPER_MLPPP = 130, "JUNIPER_MLPPP", "Juniper Multi-Link PPP";
    JUNIPER_MLFR = 131, "JUNIPER_MLFR", "Juniper Multi-Link Frame Relay";
    JUNIPER_ES = 132, "JUNIPER_ES", "Juniper Encryption Services PIC";
    JUNIPER_GGSN = 133, "JUNIPER_GGSN", "Juniper GGSN PIC";
    JUNIPER_MFR = 134, "JUNIPER_MFR", "Juniper FRF.16 Frame Relay";
    JUNIPER_ATM2 = 135, "JUNIPER_ATM2", "Juniper ATM2 PIC";
    JUNIPER_SERVICES = 136, "JUNIPER_SERVICES", "Juniper Advanced Services PIC";
    JUNIPER_ATM1 = 137, "JUNIPER_ATM1", "Juniper ATM1 PIC";
    APPLE_IP_OVER_IEEE1394 = 138, "APPLE_IP_OVER_IEEE1394", "Apple IP-over-IEEE 1394";
    MTP2_WITH_PHDR = 139, "MTP2_WITH_PHDR", "SS7 MTP2 with Pseudo-header";
    MTP2 = 140, "MTP2", "SS7 MTP2";
    MTP3 = 141, "MTP3", "SS7 MTP3";
    SCCP = 142, "SCCP", "SS7 SCCP";
    DOCSIS = 143, "DOCSIS", "DOCSIS";
    LINUX_IRDA = 144, "LINUX_IRDA", "Linux IrDA";
    IEEE802_11_AVS = 163, "IEEE802_11_RADIO_AVS", "802.11 plus AVS radio information header";
    JUNIPER_MONITOR = 164, "JUNIPER_MONITOR", "Juniper Passive Monitor PIC";
    BACNET_MS_TP = 165, "BACNET_MS_TP", "BACnet MS/TP";
    PPP_PPPD = 166, "PPP_PPPD", "PPP for pppd, with direction flag";
    JUNIPER_PPPOE = 167, "JUNIPER_PPPOE", "Juniper PPPoE";
    JUNIPER_PPPOE_ATM = 168, "JUNIPER_PPPOE_ATM", "Juniper PPPoE/ATM";
    GPRS_LLC = 169, "GPRS_LLC", "GPRS LLC";
    GPF_T = 170, "GPF_T", "GPF-T";
    GPF_F = 171, "GPF_F", "GPF-F";
    JUNIPER_PIC_PEER = 174, "JUNIPER_PIC_PEER", "Juniper PIC Peer";
    ERF_ETH = 175, "ERF_ETH", "Ethernet with Endace ERF header";
    ERF_POS = 176, "ERF_POS", "Packet-over-SONET with Endace ERF header";
    LINUX_LAPD = 177, "LINUX_LAPD", "Linux vISDN LAPD";
    JUNIPER_ETHER = 178, "JUNIPER_ETHER", "Juniper Ethernet";
    JUNIPER_PPP = 179, "JUNIPER_PPP", "Juniper PPP";
    JUNIPER_FRELAY = 180, "JUNIPER_FRELAY", "Juniper Frame Relay";
    JUNIPER_CHDLC = 181, "JUNIPER_CHDLC", "Juniper C-HDLC";
    MFR = 182, "MFR", "FRF.16 Frame Relay";
    JUNIPER_VP = 183, "JUNIPER_VP", "Juniper Voice PIC";
    A429 = 184, "A429", "Arinc 429";
    A653_ICM = 185, "A653_ICM", "Arinc 653 Interpartition Communication";
    USB_FREEBSD = 186, "USB_FREEBSD", "USB with FreeBSD header";
    BLUETOOTH_HCI_H4 = 187, "BLUETOOTH_HCI_H4", "Bluetooth HCI UART transport layer";
    IEEE802_16_MAC_CPS = 188, "IEEE802_16_MAC_CPS", "IEEE 802.16 MAC Common Part Sublayer";
    USB_LINUX = 189, "USB_LINUX", "USB with Linux header";
    CAN20B = 190, "CAN20B", "Controller Area Network (CAN) v. 2.0B";
    IEEE802_15_4_LINUX = 191, "IEEE802_15_4_LINUX", "IEEE 802.15.4 with Linux padding";
    PPI = 192, "PPI", "Per-Packet Information";
    IEEE802_16_MAC_CPS_RADIO = 193, "IEEE802_16_MAC_CPS_RADIO", "IEEE 802.16 MAC Common Part Sublayer plus radiotap header";
    JUNIPER_ISM = 194, "JUNIPER_ISM", "Juniper Integrated Service Module";
    IEEE802_15_4_WITHFCS = 195, "IEEE802_15_4", "IEEE 802.15.4 with FCS";
    SITA = 196, "SITA", "SITA pseudo-header";
    ERF = 197, "ERF", "Endace ERF header";
    RAIF1 = 198, "RAIF1", "Ethernet with u10 Networks pseudo-header";
    IPMB_KONTRON = 199, "IPMB_KONTRON", "IPMB with Kontron pseudo-header";
    JUNIPER_ST = 200, "JUNIPER_ST", "Juniper Secure Tunnel";
    BLUETOOTH_HCI_H4_WITH_PHDR = 201, "BLUETOOTH_HCI_H4_WITH_PHDR", "Bluetooth HCI UART transport layer plus pseudo-header";
    AX25_KISS = 202, "AX25_KISS", "AX.25 with KISS header";
    I2C_LINUX = 209, "I2C_LINUX", "I2C with Linux/Pigeon Point pseudo-header";
    IEEE802_15_4_NONASK_PHY = 215, "IEEE802_15_4_NONASK_PHY", "IEEE 802.15.4 with non-ASK PHY data";
    LINUX_EVDEV = 216, "LINUX_EVDEV", "Linux evdev events";
    MPLS = 219, "MPLS", "MPLS with label as link-layer header";
    USB_LINUX_MMAPPED = 220, "USB_LINUX_MMAPPED", "USB with padded Linux header";
    DECT = 221, "DECT", "DECT";
    AOS = 222, "AOS", "AOS Space Data Link protocol";
    WIHART = 223, "WIHART", "Wireless HART";
    FC_2 = 224, "FC_2", "Fibre Channel FC-2";
    FC_2_WITH_FRAME_DELIMS = 225, "FC_2_WITH_FRAME_DELIMS", "Fibre Channel FC-2 with frame delimiters";
    IPNET = 226, "IPNET", "Solaris ipnet";
    CAN_SOCKETCAN = 227, "CAN_SOCKETCAN", "CAN-bus with SocketCAN headers";
    IPV4 = 228, "IPV4", "Raw IPv4";
    IPV6 = 229, "IPV6", "Raw IPv6";
    IEEE802_15_4_NOFCS = 230, "IEEE802_15_4_NOFCS", "IEEE 802.15.4 without FCS";
    DBUS = 231, "DBUS", "D-Bus";
    JUNIPER_VS = 232, "JUNIPER_VS", "Juniper Virtual Server";
    JUNIPER_SRX_E2E = 233, "JUNIPER_SRX_E2E", "Juniper SRX E2E";
    JUNIPER_FIBRECHANNEL = 234, "JUNIPER_FIBRECHANNEL", "Juniper Fibre Channel";
    DVB_CI = 235, "DVB_CI", "DVB-CI";
    MUX27010 = 236, "MUX27010", "MUX27010";
    STANAG_5066_D_PDU = 237, "STANAG_5066_D_PDU", "STANAG 5066 D_PDUs";
    JUNIPER_ATM_CEMIC = 238, "JUNIPER_ATM_CEMIC", "Juniper ATM CEMIC";
    NFLOG = 239, "NFLOG", "Linux netfilter log messages";
    NETANALYZER = 240, "NETANALYZER", "Ethernet with Hilscher netANALYZER pseudo-header";
    NETANALYZER_TRANSPARENT = 241, "NETANALYZER_TRANSPARENT", "Ethernet with Hilscher netANALYZER pseudo-header and with preamble and SFD";
    IPOIB = 242, "IPOIB", "RFC 4391 IP-over-Infiniband";
    MPEG_2_TS = 243, "MPEG_2_TS", "MPEG-2 transport stream";
    NG40 = 244, "NG40", "ng40 protocol tester Iub/Iur";
    NFC_LLCP = 245, "NFC_LLCP", "NFC LLCP PDUs with pseudo-header";
    PFSYNC = 246, "PFSYNC", "Packet filter state syncing";
    INFINIBAND = 247, "INFINIBAND", "InfiniBand";
    SCTP = 248, "SCTP", "SCTP";
    USBPCAP = 249, "USBPCAP", "USB with USBPcap header";
    RTAC_SERIAL = 250, "RTAC_SERIAL", "Schweitzer Engineering Laboratories RTAC packets";
    BLUETOOTH_LE_LL = 251, "BLUETOOTH_LE_LL", "Bluetooth Low Energy air interface";
    NETLINK = 253, "NETLINK", "Linux netlink";
    BLUETOOTH_LINUX_MONITOR = 254, "BLUETOOTH_LINUX_MONITOR", "Bluetooth Linux Monitor";
    BLUETOOTH_BREDR_BB = 255, "BLUETOOTH_BREDR_BB", "Bluetooth Basic Rate/Enhanced Data Rate baseband packets";
    BLUETOOTH_LE_LL_WITH_PHDR = 256, "BLUETOOTH_LE_LL_WITH_PHDR", "Bluetooth Low Energy air interface with pseudo-header";
    PROFIBUS_DL = 257, "PROFIBUS_DL", "PROFIBUS data link layer";
    PKTAP = 258, "PKTAP", "Apple DLT_PKTAP";
    EPON = 259, "EPON", "Ethernet with 802.3 Clause 65 EPON preamble";
    IPMI_HPM_2 = 260, "IPMI_HPM_2", "IPMI trace packets";
    ZWAVE_R1_R2 = 261, "ZWAVE_R1_R2", "Z-Wave RF profile R1 and R2 packets";
    ZWAVE_R3 = 262, "ZWAVE_R3", "Z-Wave RF profile R3 packets";
    WATTSTOPPER_DLM = 263, "WATTSTOPPER_DLM", "WattStopper Digital Lighting Management (DLM) and Legrand Nitoo Open protocol";
    ISO_14443 = 264, "ISO_14443", "ISO 14443 messages";
    RDS = 265, "RDS", "IEC 62106 Radio Data System groups";
    USB_DARWIN = 266, "USB_DARWIN", "USB with Darwin header";
    OPENFLOW = 267, "OPENFLOW", "OpenBSD DLT_OPENFLOW";
    SDLC = 268, "SDLC", "IBM SDLC frames";
    TI_LLN_SNIFFER = 269, "TI_LLN_SNIFFER", "TI LLN sniffer frames";
    VSOCK = 271, "VSOCK", "Linux vsock";
    NORDIC_BLE = 272, "NORDIC_BLE", "Nordic Semiconductor Bluetooth LE sniffer frames";
    DOCSIS31_XRA31 = 273, "DOCSIS31_XRA31", "Excentis XRA-31 DOCSIS 3.1 RF sniffer frames";
    ETHERNET_MPACKET = 274, "ETHERNET_MPACKET", "802.3br mPackets";
    DISPLAYPORT_AUX = 275, "DISPLAYPORT_AUX", "DisplayPort AUX channel monitoring data";
    LINUX_SLL2 = 276, "LINUX_SLL2", "Linux cooked v2";
    OPENVIZSLA = 278, "OPENVIZSLA", "OpenVizsla USB";
    EBHSCR = 279, "EBHSCR", "Elektrobit High Speed Capture and Replay (EBHSCR)";
    VPP_DISPATCH = 280, "VPP_DISPATCH", "VPP graph dispatch tracer";
    DSA_TAG_BRCM = 281, "DSA_TAG_BRCM", "Broadcom tag";
    DSA_TAG_BRCM_PREPEND = 282, "DSA_TAG_BRCM_PREPEND", "Broadcom tag (prepended)";
    IEEE802_15_4_TAP = 283, "IEEE802_15_4_TAP", "IEEE 802.15.4 with pseudo-header";
    DSA_TAG_DSA = 284, "DSA_TAG_DSA", "Marvell DSA";
    DSA_TAG_EDSA = 285, "DSA_TAG_EDSA", "Marvell EDSA";
    ELEE = 286, "ELEE", "ELEE lawful intercept packets";
    Z_WAVE_SERIAL = 287, "Z_WAVE_SERIAL", "Z-Wave serial frames between host and chip";
    USB_2_0 = 288, "USB_2_0", "USB 2.0/1.1/1.0 as transmitted over the cable";
    ATSC_ALP = 289, "ATSC_ALP", "ATSC Link-Layer Protocol packets";
    ETW = 290, "ETW", "Event Tracing for Windows messages";
    NETANALYZER_NG = 291, "NETANALYZER_NG", "Hilscher netANALYZER NG pseudo-footer";
    ZBOSS_NCP = 292, "ZBOSS_NCP", "ZBOSS NCP protocol with pseudo-header";
    USB_2_0_LOW_SPEED = 293, "USB_2_0_LOW_SPEED", "Low-Speed USB 2.0/1.1/1.0 as transmitted over the cable";
    USB_2_0_FULL_SPEED = 294, "USB_2_0_FULL_SPEED", "Full-Speed USB 2.0/1.1/1.0 as transmitted over the cable";
    USB_2_0_HIGH_SPEED = 295, "USB_2_0_HIGH_SPEED", "High-Speed USB 2.0 as transmitted over the cable";
    AUERSWALD_LOG = 296, "AUERSWALD_LOG", "Auerswald Logger Protocol";
    ZWAVE_TAP = 297, "ZWAVE_TAP", "Z-Wave packets with a TAP meta-data header";
    SILABS_DEBUG_CHANNEL = 298, "SILABS_DEBUG_CHANNEL", "Silicon Labs debug channel protocol";
    FIRA_UCI = 299, "FIRA_UCI", "FiRa UWB controller interface protocol";
    MDB = 300, "MDB", "Multi-Drop Bus";
    DECT_NR = 301, "DECT_NR", "DECT New Radio";
}

#[cfg(test)]
mod tests {
    use super::LinkType;

    #[test]
    fn names_lead_back_to_their_type() {
        for number in 0..=u16::MAX {
            let link_type = LinkType(number);
            assert_eq!(
                link_type.name().is_some(),
                link_type.description().is_some()
            );
            if let Some(name) = link_type.name() {
                assert_eq!(LinkType::from_name(&name.to_lowercase()), Some(link_type));
            }
        }
        assert_eq!(LinkType::from_name("DLT_EN10MB"), None);
    }

    #[test]
    fn numbers_in_memory_and_in_files() {
        for (dlt, link_type) in [
            (12, LinkType::RAW),
            (1, LinkType::ETHERNET),
            (11, LinkType(100)),
        ] {
            assert_eq!(LinkType::from_dlt(dlt), link_type);
            assert_eq!(link_type.dlt(), dlt);
        }
        assert_eq!(LinkType::from_dlt(101), LinkType::RAW);
    }
}
