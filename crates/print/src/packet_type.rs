//! `-T`: what packets are to be read as, whatever their ports say.

/// A word of `-T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketType {
    Aodv,
    Carp,
    Cnfp,
    Domain,
    Geneve,
    Lmp,
    Pgm,
    PgmZmtp1,
    Ptp,
    Quic,
    Radius,
    Resp,
    Rpc,
    Rtcp,
    Rtp,
    Snmp,
    Someip,
    Tftp,
    Vat,
    Vxlan,
    Wb,
    Zmtp1,
}

static NAMES: &[(&str, PacketType)] = &[
    ("aodv", PacketType::Aodv),
    ("carp", PacketType::Carp),
    ("cnfp", PacketType::Cnfp),
    ("domain", PacketType::Domain),
    ("geneve", PacketType::Geneve),
    ("lmp", PacketType::Lmp),
    ("pgm", PacketType::Pgm),
    ("pgm_zmtp1", PacketType::PgmZmtp1),
    ("ptp", PacketType::Ptp),
    ("quic", PacketType::Quic),
    ("radius", PacketType::Radius),
    ("resp", PacketType::Resp),
    ("rpc", PacketType::Rpc),
    ("rtcp", PacketType::Rtcp),
    ("rtp", PacketType::Rtp),
    ("snmp", PacketType::Snmp),
    ("someip", PacketType::Someip),
    ("tftp", PacketType::Tftp),
    ("vat", PacketType::Vat),
    ("vxlan", PacketType::Vxlan),
    ("wb", PacketType::Wb),
    ("zmtp1", PacketType::Zmtp1),
];

impl PacketType {
    /// The type of that name, in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|entry| entry.0.eq_ignore_ascii_case(name))
            .map(|entry| entry.1)
    }
}
