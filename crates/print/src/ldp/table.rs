//! Numbers of LDP and their names (RFC 5036, RFC 8077).

pub(super) static MESSAGES: &[(u16, &str)] = &[
    (0x0001, "Notification"),
    (0x0100, "Hello"),
    (0x0200, "Initialization"),
    (0x0201, "Keepalive"),
    (0x0300, "Address"),
    (0x0301, "Address Withdraw"),
    (0x0400, "Label Mapping"),
    (0x0401, "Label Request"),
    (0x0402, "Label Withdraw"),
    (0x0403, "Label Release"),
    (0x0404, "Label Abort Request"),
];

pub(super) static TLVS: &[(u16, &str)] = &[
    (0x0100, "FEC"),
    (0x0101, "Address List"),
    (0x0103, "Hop Count"),
    (0x0104, "Path Vector"),
    (0x0200, "Generic Label"),
    (0x0201, "ATM Label"),
    (0x0202, "Frame-Relay Label"),
    (0x0300, "Status"),
    (0x0301, "Extended Status"),
    (0x0302, "Returned PDU"),
    (0x0303, "Returned Message"),
    (0x0400, "Common Hello Parameters"),
    (0x0401, "IPv4 Transport Address"),
    (0x0402, "Configuration Sequence Number"),
    (0x0403, "IPv6 Transport Address"),
    (0x0500, "Common Session Parameters"),
    (0x0501, "ATM Session Parameters"),
    (0x0502, "Frame-Relay Session Parameters"),
    (0x0503, "Fault-Tolerant Session Parameters"),
    (0x0600, "Label Request Message ID"),
    (0x0601, "MTU"),
];

pub(super) static ELEMENTS: &[(u8, &str)] = &[
    (1, "Wildcard"),
    (2, "Prefix"),
    (3, "Host address"),
    (128, "Martini VC"),
];

pub(super) static PARAMETERS: &[(u8, &str)] = &[(1, "MTU"), (3, "Description"), (12, "VCCV")];

pub(super) static CONTROL_CHANNELS: &[(u32, &str)] = &[
    (1, "PWE3 control word"),
    (2, "MPLS Router Alert Label"),
    (4, "MPLS inner label TTL = 1"),
];

pub(super) static VERIFICATIONS: &[(u32, &str)] = &[(1, "ICMP Ping"), (2, "LSP Ping"), (4, "BFD")];
