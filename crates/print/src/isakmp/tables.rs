//! Names of ISAKMP and IKE numbers (RFC 2408, RFC 2409, RFC 2407, RFC 7296).

/// Values of an attribute by their number; an empty name stands for none.
type Names = &'static [&'static str];

/// Payloads.
pub(super) static PAYLOADS: Names = &[
    "none", "sa", "p", "t", "ke", "id", "cert", "cr", "hash", "sig", "nonce", "n", "d", "vid",
    "pay14", "pay15", "pay16", "pay17", "pay18", "pay19", "pay20", "pay21", "pay22", "pay23",
    "pay24", "pay25", "pay26", "pay27", "pay28", "pay29", "pay30", "pay31", "pay32", "v2sa",
    "v2ke", "v2IDi", "v2IDr", "v2cert", "v2cr", "v2auth", "nonce", "n", "v2d", "v2vid", "v2TSi",
    "v2TSr", "v2e", "v2cp", "v2eap",
];

pub(super) static EXCHANGES: &[(u8, &str)] = &[
    (0, "none"),
    (1, "base"),
    (2, "ident"),
    (3, "auth"),
    (4, "agg"),
    (5, "inf"),
    (32, "oakley-quick"),
    (33, "oakley-newgroup"),
    (34, "ikev2_init"),
    (35, "ikev2_auth"),
    (36, "child_sa"),
    (37, "inf2"),
];

pub(super) static PROTOCOLS: Names = &["", "isakmp", "ipsec-ah", "ipsec-esp", "ipcomp"];

pub(super) static IKE_TRANSFORMS: Names = &["", "ike"];

pub(super) static AH_TRANSFORMS: Names = &[
    "",
    "(reserved)",
    "md5",
    "sha",
    "1des",
    "sha2-256",
    "sha2-384",
    "sha2-512",
];

pub(super) static ESP_TRANSFORMS: Names = &[
    "",
    "1des-iv64",
    "1des",
    "3des",
    "rc5",
    "idea",
    "cast",
    "blowfish",
    "3idea",
    "1des-iv32",
    "rc4",
    "null",
    "aes",
];

pub(super) static IPCOMP_TRANSFORMS: Names = &["", "oui", "deflate", "lzs"];

static GROUPS: Names = &[
    "",
    "modp768",
    "modp1024",
    "EC2N 2^155",
    "EC2N 2^185",
    "modp1536",
    "iana-grp06",
    "iana-grp07",
    "iana-grp08",
    "iana-grp09",
    "iana-grp10",
    "iana-grp11",
    "iana-grp12",
    "iana-grp13",
    "modp2048",
    "modp3072",
    "modp4096",
    "modp6144",
    "modp8192",
];

/// How attributes of one kind are called, and their values.
pub(super) type Attributes = &'static [(&'static str, Names)];

pub(super) static OAKLEY: Attributes = &[
    ("", &[]),
    (
        "enc",
        &["", "1des", "idea", "blowfish", "rc5", "3des", "cast", "aes"],
    ),
    (
        "hash",
        &[
            "", "md5", "sha1", "tiger", "sha2-256", "sha2-384", "sha2-512",
        ],
    ),
    (
        "auth",
        &[
            "",
            "preshared",
            "dss",
            "rsa sig",
            "rsa enc",
            "rsa enc revised",
        ],
    ),
    ("group desc", GROUPS),
    ("group type", &["", "MODP", "ECP", "EC2N"]),
    ("group prime", &[]),
    ("group gen1", &[]),
    ("group gen2", &[]),
    ("group curve A", &[]),
    ("group curve B", &[]),
    ("lifetype", &["", "sec", "kb"]),
    ("lifeduration", &[]),
    ("prf", &[]),
    ("keylen", &[]),
    ("field", &[]),
    ("order", &[]),
];

pub(super) static IPSEC: Attributes = &[
    ("", &[]),
    ("lifetype", &["", "sec", "kb"]),
    ("life", &[]),
    ("group desc", GROUPS),
    ("enc mode", &["", "tunnel", "transport"]),
    ("auth", &["", "hmac-md5", "hmac-sha1", "1des-mac", "keyed"]),
    ("keylen", &[]),
    ("rounds", &[]),
    ("dictsize", &[]),
    ("privalg", &[]),
];

/// Of `IKEv2` transforms.
pub(super) static TRANSFORM_ATTRIBUTES: Attributes = &[
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("", &[]),
    ("keylen", &[]),
];

/// Types of `IKEv2` transforms, and their transforms.
pub(super) static TRANSFORM_TYPES: &[(&str, Names)] = &[
    ("", &[]),
    ("encr", ESP_TRANSFORMS),
    (
        "prf",
        &["", "hmac-md5", "hmac-sha", "hmac-tiger", "aes128_xcbc"],
    ),
    (
        "integ",
        &[
            "", "hmac-md5", "hmac-sha", "dec-mac", "kpdk-md5", "aes-xcbc",
        ],
    ),
    ("dh", GROUPS),
    ("esn", &["no-esn", "esn"]),
];

pub(super) fn group(number: u16) -> Option<&'static str> {
    name(GROUPS, number)
}

/// The name of a number, if it has one.
pub(super) fn name(names: Names, number: impl Into<usize>) -> Option<&'static str> {
    names
        .get(number.into())
        .copied()
        .filter(|name| !name.is_empty())
}

pub(super) static IDENTITIES: Names = &[
    "",
    "IPv4",
    "FQDN",
    "user FQDN",
    "IPv4net",
    "IPv6",
    "IPv6net",
    "IPv4range",
    "IPv6range",
    "ASN1 DN",
    "ASN1 GN",
    "keyid",
];

pub(super) static CERTIFICATES: Names = &[
    "none", "pkcs7", "pgp", "dns", "x509sign", "x509ke", "kerberos", "crl", "arl", "spki",
    "x509attr",
];

pub(super) static NOTIFICATIONS: Names = &[
    "",
    "INVALID-PAYLOAD-TYPE",
    "DOI-NOT-SUPPORTED",
    "SITUATION-NOT-SUPPORTED",
    "INVALID-COOKIE",
    "INVALID-MAJOR-VERSION",
    "INVALID-MINOR-VERSION",
    "INVALID-EXCHANGE-TYPE",
    "INVALID-FLAGS",
    "INVALID-MESSAGE-ID",
    "INVALID-PROTOCOL-ID",
    "INVALID-SPI",
    "INVALID-TRANSFORM-ID",
    "ATTRIBUTES-NOT-SUPPORTED",
    "NO-PROPOSAL-CHOSEN",
    "BAD-PROPOSAL-SYNTAX",
    "PAYLOAD-MALFORMED",
    "INVALID-KEY-INFORMATION",
    "INVALID-ID-INFORMATION",
    "INVALID-CERT-ENCODING",
    "INVALID-CERTIFICATE",
    "CERT-TYPE-UNSUPPORTED",
    "INVALID-CERT-AUTHORITY",
    "INVALID-HASH-INFORMATION",
    "AUTHENTICATION-FAILED",
    "INVALID-SIGNATURE",
    "ADDRESS-NOTIFICATION",
    "NOTIFY-SA-LIFETIME",
    "CERTIFICATE-UNAVAILABLE",
    "UNSUPPORTED-EXCHANGE-TYPE",
    "UNEQUAL-PAYLOAD-LENGTHS",
];

pub(super) static IPSEC_NOTIFICATIONS: Names =
    &["RESPONDER-LIFETIME", "REPLAY-STATUS", "INITIAL-CONTACT"];

pub(super) static AUTHENTICATION: Names = &["invalid", "rsasig", "shared-secret", "dsssig"];

/// Notifications of `IKEv2`, and whether the SPI they are about is shown.
pub(super) static V2_NOTIFICATIONS: &[(u16, (&str, bool))] = &[
    (1, ("unsupported_critical_payload", false)),
    (4, ("invalid_ike_spi", true)),
    (5, ("invalid_major_version", false)),
    (7, ("invalid_syntax", true)),
    (9, ("invalid_message_id", true)),
    (11, ("invalid_spi", true)),
    (14, ("no_protocol_chosen", true)),
    (17, ("invalid_ke_payload", true)),
    (24, ("authentication_failed", true)),
    (34, ("single_pair_required", true)),
    (35, ("no_additional_sas", false)),
    (36, ("internal_address_failure", false)),
    (37, ("failed:cp_required", false)),
    (39, ("invalid_selectors", false)),
    (16384, ("initial_contact", false)),
    (16385, ("set_window_size", false)),
    (16386, ("additional_ts_possible", false)),
    (16387, ("ipcomp_supported", false)),
    (16388, ("nat_detection_source_ip", true)),
    (16389, ("nat_detection_destination_ip", true)),
    (16390, ("cookie", true)),
    (16391, ("use_transport_mode", false)),
    (16392, ("http_cert_lookup_supported", false)),
    (16393, ("rekey_sa", true)),
    (16394, ("tfc_padding_not_supported", false)),
    (16395, ("non_first_fragment_also", false)),
];
