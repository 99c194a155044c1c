//! What the reader asked to see, and where names come from.
//!
//! The flags are tcpdump's; each field names its flag. This crate asks nobody about host
//! names, ports, users or time zones: whoever prints passes a [`Names`].

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use pktwho_packet::TimestampPrecision;

use crate::{PacketType, Secrets};

/// How packets are shown. The default is tcpdump's without flags, with owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent flag of the command line"
)]
pub struct Style {
    /// `-v`, `-vv`, `-vvv`.
    pub verbose: u8,
    /// `-q`: less about each protocol.
    pub quiet: bool,
    /// `-e`: the link-layer header too.
    pub link: bool,
    /// `-n`: addresses and ports as numbers.
    pub numeric: bool,
    /// `-N`: host names without their domain.
    pub no_domain: bool,
    /// `-T`: what packets are read as, whatever their ports.
    pub packet_type: Option<PacketType>,
    /// `-E`: keys to decrypt with.
    pub secrets: Arc<Secrets>,
    /// `-M`: the secret of TCP-MD5 options.
    pub md5_secret: Option<Arc<[u8]>>,
    /// `-g`: no new line after the IP header of `-v`.
    pub one_line: bool,
    /// `-b`: AS numbers above 65535 as two numbers with a dot.
    pub asdot: bool,
    /// `-u`: NFS file handles as they are.
    pub raw_handles: bool,
    /// `-H`: 802.11s draft mesh headers are looked for.
    pub mesh: bool,
    /// `--lengths`: the captured and the original length first.
    pub lengths: bool,
    /// `--color`: owners and addresses between terminal colours.
    pub color: bool,
    /// `-S`: TCP sequence numbers as they are, not relative to the first.
    pub absolute_seq: bool,
    /// `-A`, `-x`, `-X` and their doubles.
    pub dump: Dump,
    /// `-t` to `-ttttt`.
    pub time: TimeStyle,
    /// `--micro`, `--nano`.
    pub precision: TimestampPrecision,
    /// `-#`: a number before each packet.
    pub number: bool,
    /// `-K`: checksums are not verified.
    pub no_checksums: bool,
    /// Packets come from several devices: say which one, and the direction.
    pub show_iface: bool,
    /// Which facts about owners are shown.
    pub context: Context,
}

/// Which bytes follow the text of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dump {
    #[default]
    None,
    /// `-A`.
    Ascii,
    /// `-AA`: with the link-layer header, as all that end in `Link`.
    AsciiLink,
    /// `-x`.
    Hex,
    /// `-xx`.
    HexLink,
    /// `-X`.
    HexAscii,
    /// `-XX`.
    HexAsciiLink,
}

/// What stands for the time at the start of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// Hour, minute, second and fraction of the local day.
    #[default]
    Clock,
    /// `-t`: nothing.
    None,
    /// `-tt`: seconds since 1970-01-01 00:00 UTC.
    Epoch,
    /// `-ttt`: time since the packet before.
    Delta,
    /// `-tttt`: local date, then as `Clock`.
    Date,
    /// `-ttttt`: time since the first packet.
    SinceFirst,
}

/// Which facts about the owner of a packet are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent choices, one word of --context each"
)]
pub struct Context {
    /// Name and pid of the process; without it nothing of thread, parent and user is shown.
    pub process: bool,
    /// Name and id of the thread, where it is not the process's first.
    pub thread: bool,
    /// The process that started the owner.
    pub parent: bool,
    /// The user, with `-v`.
    pub user: bool,
    /// The container it runs in.
    pub container: bool,
    /// The pod that the container is one of.
    pub pod: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            process: true,
            thread: true,
            parent: true,
            user: true,
            container: true,
            pod: true,
        }
    }
}

impl Context {
    /// Nothing about owners: lines exactly as tcpdump prints them.
    pub const NONE: Self = Self {
        process: false,
        thread: false,
        parent: false,
        user: false,
        container: false,
        pod: false,
    };
}

/// Which table a port number is looked up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Tcp,
    Udp,
}

/// Where names for numbers come from. `None` means that there is none; the number is printed.
/// What is not implemented knows no name, and local time is UTC.
///
/// Answers may be hostile (a name server's, a file's): control bytes in them are escaped here.
/// With `-n` only [`Names::utc_offset`] and [`Names::user`] are asked.
pub trait Names {
    /// The host name of an address.
    fn addr(&mut self, ip: IpAddr) -> Option<Cow<'_, str>> {
        let _ = ip;
        None
    }
    /// The lines of another packet begin: what is waited for names is bounded for each.
    fn next_packet(&mut self) {}
    /// The name of a service.
    fn port(&mut self, transport: Transport, port: u16) -> Option<Cow<'_, str>> {
        let _ = (transport, port);
        None
    }
    /// The name of a hardware address, as ethers(5) has it.
    fn mac(&mut self, mac: [u8; 6]) -> Option<Cow<'_, str>> {
        let _ = mac;
        None
    }
    /// The login name of a user id.
    fn user(&mut self, uid: u32) -> Option<Cow<'_, str>> {
        let _ = uid;
        None
    }
    /// Seconds that local time is ahead of UTC at the moment `secs` after the Unix epoch.
    fn utc_offset(&mut self, secs: i64) -> i32 {
        let _ = secs;
        0
    }
}

/// Knows no name at all; local time is UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {}
