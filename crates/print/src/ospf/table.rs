//! Numbers of OSPF version 2 and their names (IANA registries).

pub(super) static PACKETS: &[(u8, &str)] = &[
    (1, "Hello"),
    (2, "Database Description"),
    (3, "LS-Request"),
    (4, "LS-Update"),
    (5, "LS-Ack"),
];

pub(super) static LSAS: &[(u8, &str)] = &[
    (1, "Router"),
    (2, "Network"),
    (3, "Summary"),
    (4, "ASBR Summary"),
    (5, "External"),
    (6, "Multicast Group"),
    (7, "NSSA"),
    (9, "Link Local Opaque"),
    (10, "Area Local Opaque"),
    (11, "Domain Wide Opaque"),
];

pub(super) static DD_FLAGS: &[(u32, &str)] =
    &[(4, "Init"), (2, "More"), (1, "Master"), (8, "OOBResync")];

pub(super) static OPAQUE: &[(u8, &str)] = &[
    (1, "Traffic Engineering"),
    (3, "Graceful restart"),
    (4, "Router Information"),
];

pub(super) static TE: &[(u16, &str)] = &[(1, "Router Address"), (2, "Link")];

pub(super) static LINK: &[(u16, &str)] = &[
    (1, "Link Type"),
    (2, "Link ID"),
    (3, "Local Interface IP address"),
    (4, "Remote Interface IP address"),
    (5, "Traffic Engineering Metric"),
    (6, "Maximum Bandwidth"),
    (7, "Maximum Reservable Bandwidth"),
    (8, "Unreserved Bandwidth"),
    (9, "Administrative Group"),
    (11, "Link Local/Remote Identifier"),
    (14, "Link Protection Type"),
    (15, "Interface Switching Capability"),
    (16, "Shared Risk Link Group"),
    (17, "Bandwidth Constraints"),
];

pub(super) static GRACE: &[(u16, &str)] = &[
    (1, "Grace Period"),
    (2, "Graceful restart Reason"),
    (3, "IPv4 interface address"),
];

pub(super) static REASONS: &[(u8, &str)] = &[
    (0, "Unknown"),
    (1, "Software Restart"),
    (2, "Software Reload/Upgrade"),
    (3, "Control Processor Switch"),
];

pub(super) static LINK_TYPES: &[(u8, &str)] = &[(1, "Point-to-point"), (2, "Multi-Access")];

pub(super) static CAPABILITIES: &[(u32, &str)] = &[
    (1, "Reserved"),
    (2, "Reserved"),
    (4, "Reserved"),
    (8, "Reserved"),
    (16, "graceful restart capable"),
    (32, "graceful restart helper"),
    (64, "Stub router support"),
    (128, "Traffic engineering"),
    (256, "p2p over LAN"),
    (512, "path computation server"),
];

pub(super) static LLS: &[(u16, &str)] = &[(1, "Extended Options"), (2, "MD5 Authentication")];

pub(super) static LLS_OPTIONS: &[(u32, &str)] = &[(1, "LSDB resync"), (2, "Restart")];

pub(super) static TOPOLOGIES: &[(u8, &str)] =
    &[(0, "default"), (1, "multicast"), (2, "management")];

pub(super) static OPTIONS: &[(u32, &str)] = &[
    (1, "MultiTopology"),
    (2, "External"),
    (4, "Multicast"),
    (8, "NSSA"),
    (16, "LLS"),
    (32, "Demand Circuit"),
    (64, "Opaque"),
    (128, "Up/Down"),
];

pub(super) static AUTHENTICATIONS: &[(u16, &str)] = &[(0, "none"), (1, "simple"), (2, "MD5")];

pub(super) static ROUTER: &[(u32, &str)] = &[
    (1, "ABR"),
    (2, "ASBR"),
    (4, "Virtual"),
    (8, "Wildcard"),
    (16, "Nt"),
    (128, "Host"),
];

/// TLVs of router information (RFC 7770, RFC 8665).
pub(super) static INFORMATION: &[(u16, &str)] = &[
    (1, "Router Capabilities"),
    (8, "SR-Algorithm"),
    (9, "SID/Label Range"),
    (14, "SR Local Block"),
    (15, "SRMS Preference"),
];

pub(super) static ALGORITHMS: &[(u8, &str)] = &[
    (0, "Shortest Path First"),
    (1, "Strict Shortest Path First"),
];
