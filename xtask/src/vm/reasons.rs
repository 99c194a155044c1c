//! Cases that are known to fail on some kernel, each with the reason. Everything else that fails
//! is a fault.

/// Part of the names of cases, the kernels, why.
type Reason = (&'static str, &'static [&'static str], &'static str);

const REASONS: &[Reason] = &[
    ("owners/tcp-old", &["5.10"], BEFORE),
    ("select/pid", &["5.10"], BEFORE),
    ("owners/tcp-new", &["5.10"], HANDSHAKE),
    ("owners/vlan", &["5.10"], HANDSHAKE),
    ("owners/wireguard", &["5.10"], HANDSHAKE),
    (
        "owners/gre",
        &["5.10"],
        "what comes in on a GRE device has the tunnel's own header before it, and nobody is found for it",
    ),
    (
        "tls/",
        &["5.10"],
        "a uprobe's program cannot be told where in a library it stands (cookies: Linux 5.15)",
    ),
    (
        "owners/nat-masquerade",
        &["5.10"],
        "no program may ask the connection tracking: ends behind a translation stay empty",
    ),
];

const BEFORE: &str = "no program may look into the sockets that were open before the capture: their owners stay empty";
const HANDSHAKE: &str = "over IPv6 a connection's handshake finds no socket: the receiver of its last packet, and \
     behind a tunnel the sender of the one before, stay empty";

/// Why a case fails on a kernel, as far as it is known.
pub fn why(kernel: &str, case: &str) -> Option<&'static str> {
    let mut known = REASONS.iter();
    let found = known.find(|(part, kernels, _)| case.contains(part) && kernels.contains(&kernel));
    found.map(|(.., why)| *why)
}
