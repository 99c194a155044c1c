//! What will be done: the only place where a command line becomes decisions.
//!
//! Source of truth: tcpdump 4.99.3 for how its flags act together.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use pktwho_filter::tree::OwnerIs;
use pktwho_owner::Addresses;
use pktwho_packet::{LinkType, TimestampPrecision};
use pktwho_print::{Context, Dump, Secrets, Style, TimeStyle};

use crate::apple::Shown;
use crate::args::{Args, Backend, Contexts, Metadata, SNAPLEN_MAX, Show, Way, When};
use crate::decrypt::Decryption;
use crate::names::{self, Login};
use crate::privileges::{self, Confined};
use crate::rotation::Rotation;
use crate::secrets::KeyLog;
use crate::window::Window;

/// What will be done.
#[derive(Debug)]
pub enum Plan {
    /// Show a text.
    Show(Show),
    /// List the devices of these network namespaces, ours without any, and whose containers they
    /// lead to.
    Devices(Vec<String>, Addresses),
    /// List the link types of the device that is meant, or of the default one.
    LinkTypes(Where),
    /// Show the filter's program.
    Program(Program),
    /// Read a file.
    Read(Read),
    /// Capture.
    Live(Live),
}

/// How a file is read.
#[derive(Debug)]
pub struct Read {
    pub files: Files,
    pub window: Window,
    pub direction: Way,
    pub owners: OwnerFilter,
    pub filter: Filter,
    pub output: Output,
}

/// Which files are read; `-` is standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// Their packets go together by their times.
    Together(Vec<PathBuf>),
    /// This one names the files, which are read one after the other.
    List(PathBuf),
}

/// How a filter's program is shown.
#[derive(Debug)]
pub struct Program {
    pub form: ProgramForm,
    pub from: ProgramFor,
    /// What the program returns for packets that it takes, but for those of a file.
    pub snaplen: u32,
    pub owners: OwnerFilter,
    pub filter: Filter,
}

/// `-d`, `-dd`, `-ddd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramForm {
    Listing,
    CArray,
    Numbers,
}

/// Whose packets a program is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramFor {
    File(PathBuf),
    /// The link type of `-y` has to be its.
    Device(Where, Option<LinkType>),
    /// Without one nothing was said.
    LinkType(Option<LinkType>),
}

/// Which devices are meant, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    /// Names, numbers of `-D`, `any`; none means the default device.
    pub words: Vec<String>,
    /// Paths, names, process ids, `any`; none means our namespace.
    pub netns: Vec<String>,
}

impl Where {
    fn new(args: &Args) -> Self {
        Self {
            words: typed(&args.interfaces),
            netns: typed(&args.netns),
        }
    }
}

/// Which packets are wanted, beside directions and the flags that name owners.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub expression: Expression,
    pub metadata: Option<Metadata>,
    pub no_optimize: bool,
}

/// Where the text of a filter stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    Words(String),
    File(PathBuf),
}

impl Default for Expression {
    fn default() -> Self {
        Self::Words(String::new())
    }
}

/// How packets are captured.
#[derive(Debug)]
pub struct Live {
    pub interfaces: Where,
    /// Bytes kept of each packet; at least 1.
    pub snaplen: u32,
    pub direction: Way,
    /// Memory for packets of all CPUs together, in bytes; `None` is the default.
    pub buffer_bytes: Option<u64>,
    /// Deliver each packet at once.
    pub immediate: bool,
    /// Have named devices deliver packets for other machines too.
    pub promiscuous: bool,
    pub backend: Backend,
    /// Where the kernel's types are read, if not where the kernel shows them.
    pub kernel_btf: Option<PathBuf>,
    /// `-y`: the link type that the devices have to have.
    pub link_type: Option<LinkType>,
    pub owners: OwnerFilter,
    pub filter: Filter,
    pub containers: Containers,
    /// The command to run and its arguments; empty when there is none.
    pub command: Vec<OsString>,
    /// `-f` without owners: addresses outside the devices' networks get no name.
    pub foreign_numeric: bool,
    pub output: Output,
}

/// How containers get to be known.
#[derive(Debug, Default)]
pub struct Containers {
    /// Where their runtimes are asked.
    pub runtimes: Addresses,
    /// One that the flags name has to be there at the start.
    pub require_match: bool,
}

/// Which processes' packets are wanted: those that match one value of every list that is not
/// empty; all packets when the lists are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerFilter {
    pub pids: Vec<u32>,
    /// A process's name or the whole file name of its executable.
    pub names: Vec<Vec<u8>>,
    pub uids: Vec<u32>,
    /// Containers by id and by name.
    pub containers: Vec<OwnerIs>,
    pub pods: Vec<OwnerIs>,
    /// Their children as well, from the start of the capture on.
    pub follow_forks: bool,
}

impl OwnerFilter {
    /// Whether it takes every packet.
    pub fn is_empty(&self) -> bool {
        let no_processes = self.pids.is_empty() && self.names.is_empty() && self.uids.is_empty();
        no_processes && self.containers.is_empty() && self.pods.is_empty()
    }

    /// What of it can be decided packet by packet: nothing when children are to be followed.
    pub fn without_memory(&self) -> Self {
        if self.follow_forks {
            Self::default()
        } else {
            self.clone()
        }
    }
}

/// Where packets go.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// How packets are printed; `None` when they are not.
    pub print: Option<Style>,
    /// `-k`: what is shown of packets beside their bytes.
    pub apple: Option<Shown>,
    /// Whether `--context` says what is shown of owners.
    pub owners_asked: bool,
    pub write: Option<Target>,
    /// What becomes of TLS secrets.
    pub key_log: KeyLog,
    /// `--decrypt`: how what TLS carries is shown.
    pub decrypt: Option<Decryption>,
    /// Say how many packets there were (of a file).
    pub count: bool,
    /// Stop after so many packets.
    pub limit: Option<u64>,
    /// Pass over so many packets first.
    pub skip: u64,
    /// Print only every so manieth packet; at least 1.
    pub print_sampling: u64,
    pub buffering: Buffering,
    /// How finely times are stored in formats that offer a choice.
    pub precision: TimestampPrecision,
    /// Whether `-v` was given; the texts around a capture depend on it.
    pub verbose: bool,
    /// How little the thread that reads packets is to be allowed; `None`: whatever we are.
    pub confined: Option<Confined>,
}

/// When packets are put out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Buffering {
    /// When there are many, or before waiting for more; lines at once on a terminal.
    #[default]
    Full,
    /// `-l`: each line at once.
    Line,
    /// `-U`: each packet at once, in files too.
    Packet,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent choices"
)]
pub struct Target {
    /// `-` is standard output.
    pub path: PathBuf,
    pub format: Format,
    /// What is stored of owners, where the format has room for them.
    pub context: Context,
    /// When the next file of a series begins.
    pub rotation: Rotation,
    /// The filter as typed, for the file to say.
    pub filter: String,
    /// Comments about processes with each packet.
    pub comments: bool,
    /// A file for each link type.
    pub split: bool,
    /// `-y LINUX_SLL2`: all packets get that header.
    pub cooked: bool,
    /// Run for each file of a series that is complete.
    pub postrotate: Option<OsString>,
    /// Whose files they are.
    pub user: Option<Login>,
    /// For that user alone: the files will hold secrets.
    pub private: bool,
}

/// The format of a file to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pcap,
    Pcapng,
}

impl Plan {
    /// Decides. Opens nothing; looks up users named by `--uid`.
    ///
    /// # Errors
    /// Flags that do not go together, or name nobody.
    pub fn new(mut args: Args) -> Result<Self> {
        if let Some(show) = args.show {
            return Ok(Self::Show(show));
        }
        if args.list_interfaces {
            return Ok(Self::Devices(typed(&args.netns), args.runtimes));
        }
        let reads = !args.read.is_empty() || args.read_list.is_some();
        if args.list_link_types && !reads {
            return Ok(Self::LinkTypes(Where::new(&args)));
        }
        if reads || args.dump_program > 0 {
            // compat: no command runs then, so these words are what they are to tcpdump: more
            // of the expression (4.99.3).
            args.expression.append(&mut args.command);
        }
        let owners = owner_filter(&args)?;
        let filter = filter(&mut args);
        if args.dump_program > 0 {
            return Ok(Self::Program(program(args, owners, filter)));
        }
        let output = output(&args)?;
        output.key_log.check(&args, &output)?;
        let files = files(&mut args)?;
        let f_means_forks = !owners.is_empty() || !args.command.is_empty();
        let foreign_numeric = args.f && !f_means_forks;
        match files {
            Some(_) if foreign_numeric => bail!("-f can not be used with -r"),
            Some(files) => Ok(Self::Read(Read {
                files,
                window: args.window,
                direction: args.direction,
                owners,
                filter,
                output,
            })),
            None if args.window != Window::default() => {
                bail!("--since and --until choose packets of files: they need -r")
            }
            None => Ok(Self::Live(live(
                args,
                owners,
                filter,
                foreign_numeric,
                output,
            ))),
        }
    }
}

fn live(
    args: Args,
    owners: OwnerFilter,
    filter: Filter,
    foreign_numeric: bool,
    output: Output,
) -> Live {
    Live {
        interfaces: Where::new(&args),
        snaplen: args.snaplen.unwrap_or(SNAPLEN_MAX),
        direction: args.direction,
        buffer_bytes: args.buffer_kib.map(|kib| u64::from(kib) * 1024),
        immediate: args.immediate,
        promiscuous: !args.no_promiscuous,
        backend: args.backend,
        kernel_btf: args.kernel_btf.map(PathBuf::from),
        // Files can have that header whatever the devices have.
        link_type: args
            .link_type
            .filter(|&wanted| wanted != LinkType::LINUX_SLL2 || output.print.is_some()),
        owners,
        filter,
        containers: Containers {
            runtimes: args.runtimes,
            require_match: args.require_match,
        },
        command: args.command,
        foreign_numeric,
        output,
    }
}

fn files(args: &mut Args) -> Result<Option<Files>> {
    let read = std::mem::take(&mut args.read);
    match args.read_list.take() {
        Some(_) if !read.is_empty() => bail!("-V and -r are mutually exclusive."),
        Some(list) => Ok(Some(Files::List(list))),
        None if read.is_empty() => Ok(None),
        None => Ok(Some(Files::Together(read))),
    }
}

fn typed(words: &[OsString]) -> Vec<String> {
    words.iter().map(|word| lossy(word)).collect()
}

fn lossy(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}

fn filter(args: &mut Args) -> Filter {
    Filter {
        // compat: the words of the command line do not count beside -F (4.99.3).
        expression: match args.expression_file.take() {
            Some(file) => Expression::File(file),
            None => Expression::Words(typed(&args.expression).join(" ")),
        },
        metadata: args.metadata.take(),
        no_optimize: args.no_optimize,
    }
}

fn program(args: Args, owners: OwnerFilter, filter: Filter) -> Program {
    let device = Where::new(&args);
    let from = match args.read.into_iter().next_back() {
        Some(file) => ProgramFor::File(file),
        None if args.interfaces.is_empty() => ProgramFor::LinkType(args.link_type),
        None => ProgramFor::Device(device, args.link_type),
    };
    Program {
        form: match args.dump_program {
            0 | 1 => ProgramForm::Listing,
            2 => ProgramForm::CArray,
            _ => ProgramForm::Numbers,
        },
        from,
        snaplen: args.snaplen.unwrap_or(SNAPLEN_MAX),
        owners,
        filter,
    }
}

fn owner_filter(args: &Args) -> Result<OwnerFilter> {
    let uids: Result<_, _> = args.uids.iter().map(|user| names::user_id(user)).collect();
    Ok(OwnerFilter {
        pids: args.pids.clone(),
        names: args.pnames.iter().map(|n| n.as_bytes().to_vec()).collect(),
        uids: uids.map_err(anyhow::Error::msg)?,
        containers: args.containers.clone(),
        pods: args.pods.clone(),
        follow_forks: args.follow_forks || args.f,
    })
}

fn output(args: &Args) -> Result<Output> {
    // compat: --count alone prints nothing else, even with --print (4.99.3).
    let printed = match args.write {
        Some(_) => args.print,
        None => !args.count,
    };
    Ok(Output {
        print: printed.then(|| style(args)).transpose()?,
        apple: args.apple.clone(),
        owners_asked: args.contexts.is_some(),
        write: match args.write.as_deref() {
            Some(path) => Some(target(path, args)?),
            None => None,
        },
        key_log: args.key_log.clone(),
        decrypt: Decryption::new(args, printed)?,
        count: args.count,
        limit: args.limit,
        skip: args.skip,
        print_sampling: args.print_sampling.unwrap_or(1),
        buffering: match (args.packet_buffered, args.line_buffered) {
            (true, _) => Buffering::Packet,
            (false, true) => Buffering::Line,
            (false, false) => Buffering::Full,
        },
        precision: args.precision,
        verbose: args.verbose > 0,
        confined: Confined::new(args)?,
    })
}

fn target(path: &Path, args: &Args) -> Result<Target> {
    if path == Path::new("-") && !args.rotation.is_none() {
        bail!("-C and -G need a file to write, not standard output");
    }
    let is_pcap = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("pcap"));
    Ok(Target {
        path: path.to_owned(),
        format: if is_pcap {
            Format::Pcap
        } else {
            Format::Pcapng
        },
        context: context(args.contexts),
        rotation: args.rotation,
        filter: typed(&args.expression).join(" "),
        comments: args.comments,
        split: args.split_link_types,
        cooked: args.link_type == Some(LinkType::LINUX_SLL2),
        postrotate: args.postrotate.clone(),
        user: privileges::user(args)?,
        private: args.key_log.is_embedded(),
    })
}

fn style(args: &Args) -> Result<Style> {
    Ok(Style {
        verbose: args.verbose,
        quiet: args.quiet,
        link: args.link_header,
        numeric: args.no_names > 0,
        no_domain: args.no_domains,
        absolute_seq: args.absolute_seq,
        dump: dump(args),
        time: time(args.times),
        precision: args.precision,
        number: args.number,
        no_checksums: args.no_checksums,
        packet_type: args.packet_type,
        secrets: Arc::new(secrets(&args.esp_secrets)?),
        md5_secret: args
            .md5_secret
            .as_ref()
            .map(|secret| secret.as_bytes().into()),
        one_line: args.one_line,
        asdot: args.asdot,
        raw_handles: args.raw_handles,
        mesh: args.mesh,
        lengths: args.lengths,
        color: colored(args.color),
        // Known only when the source is open.
        show_iface: false,
        // Process and device stand in what -k shows.
        context: match (&args.apple, args.contexts) {
            (Some(_), None) => Context::NONE,
            (_, contexts) => context(contexts),
        },
    })
}

/// Whether lines are coloured: <https://no-color.org> is followed.
fn colored(when: When) -> bool {
    let plain = |name, value: &str| std::env::var_os(name).is_some_and(|found| found == value);
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !refused && !plain("TERM", "dumb") && std::io::stdout().is_terminal()
        }
    }
}

/// The keys of `-E`, those in files read.
fn secrets(typed: &[OsString]) -> Result<Secrets> {
    let mut secrets = Secrets::default();
    for typed in typed {
        let text = lossy(typed);
        let file = text.strip_prefix("file ");
        let text = match file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("print_esp: can't open {file}"))?,
            None => text,
        };
        let wrong = |line| anyhow::anyhow!("print_esp: failed to parse: {line}");
        secrets.add(&text).map_err(wrong)?;
    }
    Ok(secrets)
}

/// compat: of several kinds of dump tcpdump prints one: -X and -XX before -x and -xx before
/// -A and -AA (4.99.3).
fn dump(args: &Args) -> Dump {
    match (args.hex_ascii, args.hex, args.ascii) {
        (2.., _, _) => Dump::HexAsciiLink,
        (1, _, _) => Dump::HexAscii,
        (0, 2.., _) => Dump::HexLink,
        (0, 1, _) => Dump::Hex,
        (0, 0, 2..) => Dump::AsciiLink,
        (0, 0, 1) => Dump::Ascii,
        (0, 0, 0) => Dump::None,
    }
}

fn time(times: u8) -> TimeStyle {
    match times {
        0 => TimeStyle::Clock,
        1 => TimeStyle::None,
        2 => TimeStyle::Epoch,
        3 => TimeStyle::Delta,
        4 => TimeStyle::Date,
        _ => TimeStyle::SinceFirst,
    }
}

fn context(contexts: Option<Contexts>) -> Context {
    let Contexts {
        process,
        thread,
        parent,
        user,
        container,
        pod,
    } = contexts.unwrap_or(Contexts::ALL);
    Context {
        process,
        thread,
        parent,
        user,
        container,
        pod,
    }
}

#[cfg(test)]
mod tests;
