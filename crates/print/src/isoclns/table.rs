//! Numbers of CLNP and ES-IS and their names (ISO 8473, ISO 9542).

pub(super) static ESIS: &[(u8, &str)] = &[(6, "redirect"), (2, "ESH"), (4, "ISH")];

pub(super) static CLNP: &[(u8, &str)] = &[
    (1, "Error Report"),
    (29, "MD"),
    (28, "Data"),
    (30, "Echo Request"),
    (31, "Echo Response"),
];

pub(super) static FLAGS: &[(u32, &str)] = &[
    (128, "Segmentation permitted"),
    (64, "more Segments"),
    (32, "request Error Report"),
];

pub(super) static CLNP_OPTIONS: &[(u8, &str)] = &[
    (193, "Discard Reason"),
    (205, "Priority"),
    (195, "QoS Maintenance"),
    (197, "Security"),
    (200, "Source Routing"),
    (203, "Route Recording"),
    (204, "Padding"),
];

pub(super) static ESIS_OPTIONS: &[(u8, &str)] = &[
    (129, "Protocols supported"),
    (195, "QoS Maintenance"),
    (197, "Security"),
    (198, "ES Configuration Time"),
    (205, "Priority"),
    (225, "Addressk Mask"),
    (226, "SNPA Mask"),
];

pub(super) static ERROR_CLASSES: &[(u8, &str)] = &[
    (0, "General"),
    (8, "Address"),
    (9, "Source Routeing"),
    (10, "Lifetime"),
    (11, "PDU Discarded"),
    (12, "Reassembly"),
];

pub(super) static GENERAL: &[(u8, &str)] = &[
    (0, "Reason not specified"),
    (1, "Protocol procedure error"),
    (2, "Incorrect checksum"),
    (3, "PDU discarded due to congestion"),
    (4, "Header syntax error (cannot be parsed)"),
    (5, "Segmentation needed but not permitted"),
    (6, "Incomplete PDU received"),
    (7, "Duplicate option"),
];

pub(super) static ADDRESS: &[(u8, &str)] = &[
    (0, "Destination address unreachable"),
    (1, "Destination address unknown"),
];

pub(super) static ROUTING: &[(u8, &str)] = &[
    (0, "Unspecified source routeing error"),
    (1, "Syntax error in source routeing field"),
    (2, "Unknown address in source routeing field"),
    (3, "Path not acceptable"),
];

pub(super) static LIFETIME: &[(u8, &str)] = &[
    (0, "Lifetime expired while data unit in transit"),
    (1, "Lifetime expired during reassembly"),
];

pub(super) static DISCARDED: &[(u8, &str)] = &[
    (0, "Unsupported option not specified"),
    (1, "Unsupported protocol version"),
    (2, "Unsupported security option"),
    (3, "Unsupported source routeing option"),
    (4, "Unsupported recording of route option"),
];

pub(super) static REASSEMBLY: &[(u8, &str)] = &[(0, "Reassembly interference")];

pub(super) static SECURITY: &[(u8, &str)] = &[
    (64, "Source Address Specific"),
    (128, "Destination Address Specific"),
    (192, "Globally unique"),
];
