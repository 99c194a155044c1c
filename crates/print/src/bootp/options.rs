//! DHCP options: their names as tcpdump has them, and how their values are read.
//!
//! Source of truth: IANA's registry of BOOTP vendor extensions and DHCP options.

/// How the value of an option is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By its length.
    Auto,
    Addresses,
    /// Numbers of 32 bits with a sign.
    Longs,
    /// Numbers of 32 bits without a sign.
    Times,
    Shorts,
    Bytes,
    Booleans,
    Text,
    /// Pairs of addresses.
    Routes,
    Node,
    Overload,
    Message,
    Parameters,
    Client,
    UserClass,
    Fqdn,
    Agent,
    Classless,
    /// URIs, each behind its length.
    Servers,
}

/// Options by their number.
pub(super) static OPTIONS: &[(u8, (&str, Kind))] = &[
    (0, ("PAD", Kind::Auto)),
    (1, ("Subnet-Mask", Kind::Addresses)),
    (2, ("Time-Zone", Kind::Longs)),
    (3, ("Default-Gateway", Kind::Addresses)),
    (4, ("Time-Server", Kind::Addresses)),
    (5, ("IEN-Name-Server", Kind::Addresses)),
    (6, ("Domain-Name-Server", Kind::Addresses)),
    (7, ("LOG", Kind::Addresses)),
    (8, ("CS", Kind::Addresses)),
    (9, ("LPR-Server", Kind::Addresses)),
    (10, ("IM", Kind::Addresses)),
    (11, ("RL", Kind::Addresses)),
    (12, ("Hostname", Kind::Text)),
    (13, ("BS", Kind::Shorts)),
    (14, ("DP", Kind::Text)),
    (15, ("Domain-Name", Kind::Text)),
    (16, ("SS", Kind::Addresses)),
    (17, ("RP", Kind::Text)),
    (18, ("EP", Kind::Text)),
    (19, ("IPF", Kind::Booleans)),
    (20, ("SRT", Kind::Booleans)),
    (21, ("PF", Kind::Routes)),
    (22, ("RSZ", Kind::Shorts)),
    (23, ("TTL", Kind::Bytes)),
    (24, ("MTU-Timeout", Kind::Times)),
    (25, ("MTU-Table", Kind::Shorts)),
    (26, ("MTU", Kind::Shorts)),
    (27, ("LSN", Kind::Booleans)),
    (28, ("BR", Kind::Addresses)),
    (29, ("MD", Kind::Booleans)),
    (30, ("MS", Kind::Booleans)),
    (31, ("Router-Discovery", Kind::Booleans)),
    (32, ("RSA", Kind::Addresses)),
    (33, ("Static-Route", Kind::Routes)),
    (34, ("UT", Kind::Booleans)),
    (35, ("AT", Kind::Times)),
    (36, ("IE", Kind::Booleans)),
    (37, ("TT", Kind::Bytes)),
    (38, ("KI", Kind::Times)),
    (39, ("KG", Kind::Booleans)),
    (40, ("YD", Kind::Text)),
    (41, ("YS", Kind::Addresses)),
    (42, ("NTP", Kind::Addresses)),
    (43, ("Vendor-Option", Kind::Bytes)),
    (44, ("Netbios-Name-Server", Kind::Addresses)),
    (45, ("WDD", Kind::Addresses)),
    (46, ("Netbios-Node", Kind::Node)),
    (47, ("Netbios-Scope", Kind::Text)),
    (48, ("XFS", Kind::Addresses)),
    (49, ("XDM", Kind::Addresses)),
    (50, ("Requested-IP", Kind::Addresses)),
    (51, ("Lease-Time", Kind::Times)),
    (52, ("OO", Kind::Overload)),
    (53, ("DHCP-Message", Kind::Message)),
    (54, ("Server-ID", Kind::Addresses)),
    (55, ("Parameter-Request", Kind::Parameters)),
    (56, ("MSG", Kind::Text)),
    (57, ("MSZ", Kind::Shorts)),
    (58, ("RN", Kind::Times)),
    (59, ("RB", Kind::Times)),
    (60, ("Vendor-Class", Kind::Text)),
    (61, ("Client-ID", Kind::Client)),
    (64, ("N+D", Kind::Shorts)),
    (65, ("N+S", Kind::Addresses)),
    (66, ("TFTP", Kind::Text)),
    (67, ("BF", Kind::Text)),
    (68, ("MH", Kind::Addresses)),
    (69, ("SMTP", Kind::Addresses)),
    (70, ("POP3", Kind::Addresses)),
    (71, ("NNTP", Kind::Addresses)),
    (72, ("WWW", Kind::Addresses)),
    (73, ("FG", Kind::Addresses)),
    (74, ("IRC", Kind::Addresses)),
    (75, ("STS", Kind::Addresses)),
    (76, ("STDA", Kind::Addresses)),
    (77, ("User-Class", Kind::UserClass)),
    (78, ("SLP-DA", Kind::Bytes)),
    (79, ("SLP-SCOPE", Kind::Bytes)),
    (80, ("SLP-NA", Kind::Text)),
    (81, ("FQDN", Kind::Fqdn)),
    (82, ("Agent-Information", Kind::Agent)),
    (83, ("ARMT", Kind::Bytes)),
    (88, ("TZSTR", Kind::Text)),
    (89, ("FQDNS", Kind::Bytes)),
    (90, ("AUTH", Kind::Bytes)),
    (91, ("Last-Transaction-Time", Kind::Times)),
    (92, ("Associated-IP", Kind::Addresses)),
    (93, ("ARCH", Kind::Shorts)),
    (94, ("NDI", Kind::Bytes)),
    (95, ("LDAP", Kind::Text)),
    (97, ("GUID", Kind::Bytes)),
    (98, ("UAP", Kind::Text)),
    (100, ("POSIX-TZ", Kind::Text)),
    (101, ("TZ-Name", Kind::Text)),
    (108, ("IPv6-Only-Preferred", Kind::Times)),
    (112, ("NI", Kind::Addresses)),
    (113, ("NITAG", Kind::Text)),
    (114, ("URL", Kind::Text)),
    (116, ("Auto-Configure", Kind::Booleans)),
    (117, ("NSSEARCH", Kind::Shorts)),
    (118, ("SUBNET", Kind::Addresses)),
    (121, ("Classless-Static-Route", Kind::Classless)),
    (143, ("SZTP-Redirect", Kind::Servers)),
    (150, ("TFTP-Server-Address", Kind::Addresses)),
    (161, ("MUD-URL", Kind::Text)),
    (249, ("Classless-Static-Route-Microsoft", Kind::Classless)),
    (255, ("END", Kind::Auto)),
];

/// Values of the message type.
pub(super) static MESSAGES: &[(u8, &str)] = &[
    (1, "Discover"),
    (2, "Offer"),
    (3, "Request"),
    (4, "Decline"),
    (5, "ACK"),
    (6, "NACK"),
    (7, "Release"),
    (8, "Inform"),
    (10, "LeaseQuery"),
    (11, "LeaseUnassigned"),
    (12, "LeaseUnknown"),
    (13, "LeaseActive"),
];

/// `NetBIOS` node types.
pub(super) static NODES: &[(u8, &str)] =
    &[(1, "b-node"), (2, "p-node"), (4, "m-node"), (8, "h-node")];

/// What the fields `sname` and `file` hold.
pub(super) static OVERLOADS: &[(u8, &str)] = &[(1, "file"), (2, "sname"), (3, "file+sname")];

/// Kinds of hardware addresses.
pub(super) static HARDWARE: &[(u8, &str)] = &[
    (1, "ether"),
    (6, "ieee802"),
    (7, "arcnet"),
    (15, "frelay"),
    (23, "strip"),
    (24, "ieee1394"),
];

/// Suboptions of relay agents (RFC 3046 and those after it).
pub(super) static AGENT: &[(u8, &str)] =
    &[(1, "Circuit-ID"), (2, "Remote-ID"), (6, "Subscriber-ID")];
