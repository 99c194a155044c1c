//! A filter as it was written: the parser makes it, lowering reads it.
//!
//! Qualifiers that a value inherits (`port 80 or 443`) are filled in; names are not looked up,
//! since what they mean may depend on the link type. Order matters: `vlan`, `mpls`, `pppoes`,
//! `geneve` and `vxlan` move where the terms written after them look, whatever operators stand
//! between.

/// Where in the text something stands: bytes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A whole filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `None`: nothing was written, every packet is wanted.
    pub root: Option<Expr>,
}

impl Tree {
    /// Both have to hold; `self` is looked at first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let root = match (self.root, other.root) {
            (Some(left), Some(right)) => Some(Expr::And(Box::new(left), Box::new(right))),
            (one, None) | (None, one) => one,
        };
        Self { root }
    }

    /// One of them has to hold; nothing written holds always.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let root = match (self.root, other.root) {
            (Some(left), Some(right)) => Some(Expr::Or(Box::new(left), Box::new(right))),
            (_, None) | (None, _) => None,
        };
        Self { root }
    }
}

impl Tree {
    /// Whether any term is about owners, devices or what else packets do not hold: which packets
    /// match is then not for the bytes alone to say.
    pub fn is_about_owners(&self) -> bool {
        self.owner_terms().next().is_some()
    }

    /// The terms about owners, in any order.
    pub fn owner_terms(&self) -> impl Iterator<Item = &OwnerTerm> {
        let mut left: Vec<&Expr> = self.root.iter().collect();
        std::iter::from_fn(move || {
            loop {
                match left.pop()? {
                    Expr::And(first, second) | Expr::Or(first, second) => {
                        left.push(first);
                        left.push(second);
                    }
                    Expr::Not(inner) => left.push(inner),
                    Expr::Term(Term::Owner(term), _) => return Some(term),
                    Expr::Term(..) => {}
                }
            }
        })
    }
}

impl From<OwnerTerm> for Tree {
    fn from(term: OwnerTerm) -> Self {
        let root = Some(Expr::Term(Term::Owner(term), Span::default()));
        Self { root }
    }
}

/// Terms and what joins them. `and` and `or` have the same precedence and join from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Term(Term, Span),
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A protocol alone: `tcp`.
    Protocol(Protocol),
    /// Qualifiers and a value: `src host 10.0.0.1`, `tcp port http`, `ether proto 0x800`, `1.2.3.4`.
    Value(Qualifiers, Value),
    /// `[qualifier] broadcast`.
    Broadcast(Option<Protocol>),
    /// `[qualifier] multicast`.
    Multicast(Option<Protocol>),
    /// `less N`: the length on the wire is at most N.
    Less(u32),
    /// `greater N`: the length on the wire is at least N.
    Greater(u32),
    /// `byte N op M`.
    Byte {
        index: u32,
        relation: ByteRelation,
        value: u32,
    },
    Inbound,
    Outbound,
    Ifindex(u32),
    Vlan(Option<u32>),
    Mpls(Option<u32>),
    Pppoed,
    Pppoes(Option<u32>),
    Geneve(Option<u32>),
    Vxlan(Option<u32>),
    /// `wlan type T [subtype S]`, both as written.
    WlanType {
        kind: WlanWord,
        subtype: Option<WlanWord>,
    },
    /// `wlan subtype S` alone.
    WlanSubtype(WlanWord),
    /// `wlan dir D`.
    WlanDirection(WlanWord),
    /// `llc` and `llc TYPE`.
    Llc(Option<WlanWord>),
    /// `pf` terms: refused with libpcap's reason for link types that have none.
    Pf(PfTerm),
    /// An ATM word such as `metac` or `oamf4`.
    AtmType(AtmType),
    /// `vpi`/`vci` values, each with its relation; several are alternatives.
    AtmField(AtmField, Vec<FieldValue>),
    /// `fisu`, `lssu`, `msu`, `hfisu`, `hlssu`, `hmsu`.
    MtpType(MtpType),
    /// `sio`, `opc`, `dpc`, `sls` and their `h…` forms.
    MtpField(MtpField, Vec<FieldValue>),
    /// `arith relop arith`.
    Relation {
        relation: Relation,
        left: Arith,
        right: Arith,
    },
    /// A condition on the processes at the packet's ends, or on its device.
    Owner(OwnerTerm),
}

/// What stands before a value; `None` where nothing was written or inherited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Qualifiers {
    pub protocol: Option<Protocol>,
    pub direction: Option<Direction>,
    pub kind: Option<Kind>,
}

/// Which end of a packet, as pcap-filter's `dir` qualifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Src,
    Dst,
    SrcOrDst,
    SrcAndDst,
    Addr1,
    Addr2,
    Addr3,
    Addr4,
    Ra,
    Ta,
}

/// What kind of thing a value is, as pcap-filter's `type` qualifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
    ProtoChain,
    Gateway,
}

/// Protocol words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Link,
    Ip,
    Arp,
    Rarp,
    Sctp,
    Tcp,
    Udp,
    Icmp,
    Igmp,
    Igrp,
    Pim,
    Vrrp,
    Carp,
    Atalk,
    Aarp,
    Decnet,
    Lat,
    Sca,
    Moprc,
    Mopdl,
    Ip6,
    Icmp6,
    Ah,
    Esp,
    Iso,
    Esis,
    Isis,
    IsisL1,
    IsisL2,
    IsisIih,
    IsisLsp,
    IsisSnp,
    IsisPsnp,
    IsisCsnp,
    Clnp,
    Stp,
    Ipx,
    Netbeui,
    Radio,
}

/// A value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A name, or anything else that is to be looked up; escapes removed.
    Name(String),
    Number(u32),
    /// One to four numbers with dots (`10`, `10.1`, `10.1.2.3`), as written.
    Dotted(String),
    /// `10.0.0.0/8`.
    DottedPrefix(String, u32),
    /// `10.0.0.0 mask 255.0.0.0`.
    DottedMask(String, String),
    /// An IPv6 address, as written.
    Ipv6(String),
    Ipv6Prefix(String, u32),
    /// `NAME/N`, where NAME is no address: refused by lowering in libpcap's words.
    NamePrefix(String, u32),
    Ether([u8; 6]),
    /// `$1f`: an address of `ARCnet`.
    Arcnet(u8),
}

/// `byte N op M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRelation {
    Equal,
    Less,
    Greater,
    And,
    Or,
}

/// A word or number whose meaning depends on what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WlanWord {
    Word(String),
    Number(u32),
}

/// Conditions on pflog headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PfTerm {
    Interface(String),
    Ruleset(String),
    Rule(u32),
    Subrule(u32),
    Reason(WlanWord),
    Action(WlanWord),
}

/// ATM words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtmType {
    Lane,
    Llc,
    Metac,
    Bcc,
    Oamf4sc,
    Oamf4ec,
    Sc,
    Ilmic,
    Oam,
    Oamf4,
    Connectmsg,
    Metaconnect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtmField {
    Vpi,
    Vci,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtpType {
    Fisu,
    Lssu,
    Msu,
    HighFisu,
    HighLssu,
    HighMsu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtpField {
    Sio,
    Opc,
    Dpc,
    Sls,
    HighSio,
    HighOpc,
    HighDpc,
    HighSls,
}

/// A number and how a field compares with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldValue {
    pub relation: Relation,
    pub number: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Arithmetic on 32-bit unsigned numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arith {
    Number(u32, Span),
    /// `len` or `length`.
    Length(Span),
    /// `proto[offset]`, `proto[offset:size]`.
    Load {
        protocol: Protocol,
        offset: Box<Arith>,
        size: u32,
        span: Span,
    },
    Binary {
        operator: Operator,
        left: Box<Arith>,
        right: Box<Arith>,
        span: Span,
    },
    Negate(Box<Arith>, Span),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// A condition on an owner: `[sender|receiver] proc curl`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnerTerm {
    pub end: End,
    pub is: OwnerIs,
}

/// Which end of the packet an owner term speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum End {
    /// One of them at least.
    #[default]
    Either,
    Sender,
    Receiver,
    /// The one on this side of the device, as [`pktwho_packet::Packet::owner`] (Apple's `proc`).
    Own,
    /// The other one (Apple's `eproc`).
    Other,
}

/// What an owner must be. An owner that is not known is none of these, so that `not pid 5` holds
/// for a packet without one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OwnerIs {
    /// Process name, or base name of its executable.
    Name(Glob),
    /// Path of the executable.
    Exe(Glob),
    Pid(u32),
    Tid(u32),
    Uid(u32),
    /// A user's name, to be looked up.
    User(String),
    ParentPid(u32),
    ParentName(Glob),
    /// The name of its container, or the beginning of that one's id.
    Container(Glob),
    /// The beginning of its container's id.
    ContainerId(Vec<u8>),
    Image(Glob),
    Pod {
        name: Glob,
        namespace: Option<Glob>,
    },
    Namespace(Glob),
    Label {
        key: String,
        value: Option<Glob>,
    },
    Service(Glob),
    /// Of the device: a namespace's inode number, path, name or process id, as written.
    Netns(String),
    /// Of the device: its name.
    Device(Glob),
    /// Of the packet, as Apple's `dir`: `in`, `out` or nothing.
    Direction(String),
    /// Of the packet, as Apple's `svc`, `flowid` and `dlt`, which only files from Apple have.
    ServiceClass(String),
    FlowId(u32),
    Dlt(u32),
}

/// Text in which `*` stands for any bytes, none included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// The text between the stars; one piece: an exact comparison.
    pub pieces: Vec<Vec<u8>>,
}
