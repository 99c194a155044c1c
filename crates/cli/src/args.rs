//! What was typed: the command line as one value, nothing opened and nothing looked up yet.

use std::ffi::OsString;
use std::path::PathBuf;

use pktwho_filter::tree::{OwnerIs, Tree};
use pktwho_owner::Addresses;
use pktwho_packet::{LinkType, TimestampPrecision};
use pktwho_print::PacketType;

use crate::apple::Shown;
use crate::rotation::Rotation;
use crate::secrets::KeyLog;
use crate::window::Window;

/// A command line. Every field holds what its flag's entry in [`crate::flags`] says.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a flag that was or was not typed is a bool"
)]
pub struct Args {
    // Which packets, from where.
    pub interfaces: Vec<OsString>,
    /// `--netns`, each as typed.
    pub netns: Vec<OsString>,
    pub list_interfaces: bool,
    /// `-r`, each as typed.
    pub read: Vec<PathBuf>,
    /// `-V`.
    pub read_list: Option<PathBuf>,
    /// `--since` and `--until`.
    pub window: Window,
    /// Stop after so many packets; at least 1.
    pub limit: Option<u64>,
    /// Packets passed over first.
    pub skip: u64,
    /// Bytes kept of a packet, at most [`SNAPLEN_MAX`]; `None` is the default.
    pub snaplen: Option<u32>,
    pub direction: Way,
    /// `-Q` with a metadata expression, and what it says.
    pub metadata: Option<Metadata>,
    /// `-y`.
    pub link_type: Option<LinkType>,
    pub list_link_types: bool,
    /// KiB, at least 1.
    pub buffer_kib: Option<u32>,
    pub immediate: bool,
    pub no_promiscuous: bool,
    pub backend: Backend,
    pub expression: Vec<OsString>,
    /// `-F`: the expression stands there.
    pub expression_file: Option<PathBuf>,
    pub no_optimize: bool,
    /// How often `-d` was given.
    pub dump_program: u8,

    // Whose packets.
    pub pids: Vec<u32>,
    pub pnames: Vec<OsString>,
    /// Numbers or names.
    pub uids: Vec<OsString>,
    /// `--container-id` and `--container-name`.
    pub containers: Vec<OwnerIs>,
    /// `--pod-name`.
    pub pods: Vec<OwnerIs>,
    /// One of these has to be there at the start.
    pub require_match: bool,
    /// Where container runtimes are asked.
    pub runtimes: Addresses,
    pub follow_forks: bool,
    /// `-f`: two meanings, told apart when the plan is made.
    pub f: bool,
    pub command: Vec<OsString>,

    // Where they go.
    pub write: Option<PathBuf>,
    pub print: bool,
    pub count: bool,
    pub line_buffered: bool,
    pub packet_buffered: bool,
    /// `-C`, `-G`, `-W`.
    pub rotation: Rotation,
    pub comments: bool,
    /// What is to become of TLS secrets.
    pub key_log: KeyLog,
    /// A file for each link type.
    pub split_link_types: bool,
    /// `-z`.
    pub postrotate: Option<OsString>,
    /// `-Z`.
    pub user: Option<OsString>,
    pub no_sandbox: bool,
    pub kernel_btf: Option<OsString>,

    // What TLS carries.
    pub decrypt: bool,
    pub keylog_file: Option<PathBuf>,

    // How they are shown.
    pub no_names: u8,
    pub no_domains: bool,
    pub quiet: bool,
    pub verbose: u8,
    pub link_header: bool,
    /// How often `-t` was given; at most 5.
    pub times: u8,
    pub precision: TimestampPrecision,
    pub number: bool,
    pub ascii: u8,
    pub hex: u8,
    pub hex_ascii: u8,
    pub absolute_seq: bool,
    pub no_checksums: bool,
    pub packet_type: Option<PacketType>,
    /// `-E`, each as typed.
    pub esp_secrets: Vec<OsString>,
    /// `-M`.
    pub md5_secret: Option<OsString>,
    pub one_line: bool,
    pub asdot: bool,
    pub raw_handles: bool,
    pub mesh: bool,
    pub lengths: bool,
    /// Print every so manieth packet only; at least 1.
    pub print_sampling: Option<u64>,
    pub contexts: Option<Contexts>,
    pub color: When,
    /// `-k`.
    pub apple: Option<Shown>,

    /// A text to show instead of doing anything.
    pub show: Option<Show>,
}

/// When something is to be done that suits a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal that can.
    #[default]
    Auto,
    Always,
    Never,
}

/// The largest snapshot length, and the default, in bytes: libpcap's `MAXIMUM_SNAPLEN`.
pub const SNAPLEN_MAX: u32 = 262_144;

/// Which directions of packets are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
    #[default]
    InOut,
}

/// A condition on what came with packets beside their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub text: String,
    pub tree: Tree,
}

/// How packets are taken from the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    #[default]
    Auto,
    Programs,
    Tcx,
    Clsact,
    PacketSocket,
}

/// Which facts of an owner are shown and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent choices"
)]
pub struct Contexts {
    pub process: bool,
    pub thread: bool,
    pub parent: bool,
    pub user: bool,
    pub container: bool,
    pub pod: bool,
}

impl Contexts {
    pub const ALL: Self = Self {
        process: true,
        thread: true,
        parent: true,
        user: true,
        container: true,
        pod: true,
    };
    pub const NONE: Self = Self {
        process: false,
        thread: false,
        parent: false,
        user: false,
        container: false,
        pod: false,
    };
}

/// A text that is shown instead of doing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Version and usage, as `-h` of tcpdump.
    Usage,
    /// Version, usage and what each flag does.
    Help,
    /// The manual page, for man(1).
    Manual,
    /// What a shell needs to complete our flags.
    Completions(Shell),
    Version,
}

/// A shell whose completions we know how to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}
