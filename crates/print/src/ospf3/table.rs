//! Numbers of OSPF version 3 and their names (RFC 5340).

pub(super) static LSAS: &[(u16, &str)] = &[
    (1, "Router"),
    (2, "Network"),
    (3, "Inter-Area Prefix"),
    (4, "Inter-Area Router"),
    (5, "External"),
    (6, "Deprecated"),
    (7, "NSSA"),
    (8, "Link"),
    (9, "Intra-Area Prefix"),
    (10, "Intra-Area TE"),
    (11, "Grace"),
    (12, "Router Information"),
    (13, "Inter-AS-TE"),
    (14, "Layer 1 VPN"),
];

pub(super) static SCOPES: &[(u16, &str)] = &[
    (0x0000, "Link Local"),
    (0x2000, "Area Local"),
    (0x4000, "Domain Wide"),
];

pub(super) static DD_FLAGS: &[(u32, &str)] =
    &[(4, "Init"), (2, "More"), (1, "Master"), (16, "IPv6 MTU")];

pub(super) static PREFIX_OPTIONS: &[(u32, &str)] = &[
    (1, "No Unicast"),
    (2, "Local address"),
    (4, "Deprecated"),
    (8, "Propagate"),
    (16, "Down"),
    (32, "N-bit"),
];

pub(super) static OPTIONS: &[(u32, &str)] = &[
    (1, "V6"),
    (2, "External"),
    (4, "Deprecated"),
    (8, "NSSA"),
    (16, "Router"),
    (32, "Demand Circuit"),
    (256, "AFs Support"),
    (512, "LLS"),
    (1024, "Authentication Trailer"),
];

pub(super) static EXTERNAL_FLAGS: &[(u32, &str)] = &[
    (0x8000_0000, "External Type 2"),
    (0x0200_0000, "Forwarding"),
    (0x0100_0000, "Tag"),
];

pub(super) static ROUTER_FLAGS: &[(u32, &str)] = &[
    (1, "ABR"),
    (2, "External"),
    (4, "Virtual-Link Endpoint"),
    (8, "Deprecated"),
    (16, "NSSA Translator"),
];
