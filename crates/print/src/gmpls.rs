//! What GMPLS routing and signalling protocols name alike (RFC 3471, RFC 3473, RFC 4203).

pub(crate) static PROTECTIONS: &[(u32, &str)] = &[
    (1, "Extra Traffic"),
    (2, "Unprotected"),
    (4, "Shared"),
    (8, "Dedicated 1:1"),
    (16, "Dedicated 1+1"),
    (32, "Enhanced"),
    (64, "Reserved"),
    (128, "Reserved"),
];

pub(crate) static SWITCHING: &[(u8, &str)] = &[
    (1, "Packet-Switch Capable-1"),
    (2, "Packet-Switch Capable-2"),
    (3, "Packet-Switch Capable-3"),
    (4, "Packet-Switch Capable-4"),
    (51, "Layer-2 Switch Capable"),
    (100, "Time-Division-Multiplex"),
    (150, "Lambda-Switch Capable"),
    (200, "Fiber-Switch Capable"),
];

pub(crate) static ENCODINGS: &[(u8, &str)] = &[
    (1, "Packet"),
    (2, "Ethernet V2/DIX"),
    (3, "ANSI/ETSI PDH"),
    (4, "Reserved"),
    (5, "SDH ITU-T G.707/SONET ANSI T1.105"),
    (6, "Reserved"),
    (7, "Digital Wrapper"),
    (8, "Lambda (photonic)"),
    (9, "Fiber"),
    (10, "Reserved"),
    (11, "FiberChannel"),
];

pub(crate) static BANDWIDTH_MODELS: &[(u8, &str)] = &[
    (0, "Russian dolls"),
    (1, "Maximum allocation"),
    (254, "Maximum allocation with E-LSP support"),
];
