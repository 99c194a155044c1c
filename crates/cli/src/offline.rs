//! `-r`: packets from files, printed, written to another file, or counted.
//!
//! Source of truth: tcpdump 4.99.3 for the words, their order, and the exit statuses.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use pktwho_capfile::{Counters, Event, Format, Numbers, Reader};
use pktwho_packet::{Iface, LinkType, TimestampPrecision};

use crate::ahead;
use crate::decrypt::Decrypt;
use crate::failure;
use crate::filter::Filter;
use crate::input::Input;
use crate::names::{self, Pace};
use crate::plan::{self, Buffering, Output};
use crate::privileges;
use crate::secrets::{self, FileSecrets};
use crate::select::Select;
use crate::signals::Signals;
use crate::sink::{Sink, SourceFacts, say};
use crate::sources::{self, Opener, Sources};
use crate::text::Text;
use crate::unknown_link;
use crate::window::Window;

/// Reads files to their end, or until enough packets were taken, or until asked to stop.
///
/// # Errors
/// A file cannot be read, or is damaged (what stood before the damage has been put out), or
/// the output takes no more.
pub fn run(plan: plan::Read) -> Result<()> {
    let output = plan.output;
    let signals = Signals::new().context("cannot handle signals")?;
    let at_once = output.buffering >= Buffering::Line;
    let text = Rc::new(RefCell::new(Text::stdout(at_once)?));
    let threads = ahead::threads();
    if let Some(confined) = &output.confined {
        privileges::give_up(confined).context("cannot give up privileges")?;
    }
    let (together, later) = sources::paths(plan.files)?;
    let opener = Opener {
        signals: signals.clone(),
        text: Rc::clone(&text),
        numbers: Numbers::default(),
        several: together.len() > 1,
    };
    let files: Result<Vec<_>> = together.iter().map(|path| opener.open(path)).collect();
    let mut sources = Sources::new(files?);
    let ifaces = ifaces(&sources);
    let filter = Filter::new(&plan.filter, &plan.owners.without_memory())?;
    let format = sources
        .all
        .first()
        .map_or(Format::Pcap, |s| s.reader.format());
    let mut select = Select::new(plan.direction, filter, plan.owners, format);
    match ifaces.first() {
        Some(iface) => select.meet(iface)?,
        None => select.meet(&Iface {
            link_type: sources
                .all
                .first()
                .map_or_else(LinkType::default, |s| s.reader.link_type()),
            ..Iface::default()
        })?,
    }
    if output.print.is_some() {
        let types = sources.all.iter().map(|source| source.reader.link_type());
        unknown_link::refuse(types.chain(ifaces.iter().map(|iface| iface.link_type)))?;
    }
    for path in together.iter().chain(&later) {
        refuse_overwriting(path, &output)?;
    }
    let names = names::for_style(output.print.as_ref(), None, Pace::File);
    let mut sink = Sink::new(
        &output,
        &facts(&sources, &ifaces, &output),
        names,
        Rc::clone(&text),
    )?;
    if let Some(decryption) = &output.decrypt {
        let all: Vec<_> = together.iter().chain(&later).cloned().collect();
        sink.set_decrypt(Decrypt::offline(decryption, &all)?);
    }
    if let Some(given) = secrets::given(&output.key_log)? {
        sink.block(&given.block())?;
    }
    let mut reading = Reading {
        secrets: FileSecrets::open(&output)?,
        window: plan.window,
        threads,
        select,
        sink,
        signals: signals.clone(),
        counted: Vec::new(),
        link_types: Vec::new(),
    };
    let read = reading.all(&mut sources, &opener, &later);
    // What was read before an error is put out, and counted, all the same.
    let counted = reading.counted.iter();
    let counters: Vec<_> = counted
        .map(|(iface, counters)| (iface, *counters))
        .collect();
    let finished = reading.sink.finish(&counters);
    if output.count && finished.is_ok() {
        count(reading.sink.packets(), &text)?;
    }
    finished?;
    advise(&reading.link_types, &output);
    match read {
        Err(_) if signals.stop() => Ok(()),
        read => read,
    }
}

/// Packets on their way from files to the sink.
struct Reading {
    window: Window,
    /// How many may print.
    threads: usize,
    select: Select,
    sink: Sink,
    secrets: FileSecrets,
    signals: Signals,
    /// What the files that were read say of their devices.
    counted: Vec<(Iface, Counters)>,
    /// The link types of all files.
    link_types: Vec<LinkType>,
}

impl Reading {
    /// Reads the files that go together, then the others.
    fn all(&mut self, together: &mut Sources, opener: &Opener, later: &[PathBuf]) -> Result<()> {
        let mut ended = self.packets(together)?;
        for path in later {
            if ended.is_break() {
                break;
            }
            let mut next = Sources::new(vec![opener.open(path)?]);
            ended = self.packets(&mut next)?;
        }
        Ok(())
    }

    /// `Break` when no more packets are wanted.
    fn packets(&mut self, sources: &mut Sources) -> Result<ControlFlow<()>> {
        // Lines are to be out before a pipe is waited for.
        if !sources.all.iter().any(|source| source.may_wait) {
            self.sink.print_ahead(self.threads);
        }
        let read = self.events(sources);
        let caught_up = self.sink.catch_up();
        for source in &sources.all {
            let ifaces = source.reader.ifaces().iter();
            let counters = source.reader.counters().iter().copied();
            self.counted.extend(ifaces.clone().cloned().zip(counters));
            self.link_types.extend(ifaces.map(|iface| iface.link_type));
        }
        // What stood before damage comes first.
        caught_up.and(read)
    }

    fn events(&mut self, sources: &mut Sources) -> Result<ControlFlow<()>> {
        while !self.signals.stop() {
            match sources.event()? {
                Some((Event::Packet(packet, metadata), format)) => {
                    // A packet that is not shown may open the ones that are.
                    if let Some(decrypt) = self.sink.decrypt() {
                        decrypt.packet(&packet);
                    }
                    self.select.set_format(format);
                    if self.window.contains(packet.time)
                        && self.select.takes(&packet)?
                        && self.sink.packet_with(&packet, &metadata)?.is_break()
                    {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Some((Event::Block(block), _)) => {
                    self.secrets.block(&block)?;
                    self.sink.block(&block)?;
                }
                None => return Ok(ControlFlow::Continue(())),
            }
        }
        Ok(ControlFlow::Break(()))
    }
}

/// Says what to do about a file that tcpdump will not read.
fn advise(link_types: &[LinkType], output: &Output) {
    let first = link_types.first();
    let several = link_types.iter().any(|other| Some(other) != first);
    let whole = |target: &&plan::Target| {
        target.format == plan::Format::Pcapng && !target.split && !target.cooked
    };
    if several && output.write.as_ref().is_some_and(|target| whole(&target)) {
        say(format_args!(
            "pktwho: the file has several link types, which tcpdump does not read: \
             --split-linktypes writes a file for each, -y LINUX_SLL2 gives all one header"
        ));
    }
}

/// The devices that the files describe before their first packets. The numbers of later ones of
/// several files are not known before.
fn ifaces(sources: &Sources) -> Vec<Iface> {
    match sources.all.as_slice() {
        [one] => one.ifaces.clone(),
        several => several
            .iter()
            .flat_map(|source| source.reader.ifaces().iter().cloned())
            .collect(),
    }
}

/// tcpdump's words before the first packet.
pub fn announce(file: &Path, reader: &Reader<Input>) {
    say(format_args!(
        "reading from file {}, link-type {}, snapshot length {}",
        file.display(),
        link_type(reader.link_type()),
        reader.snaplen()
    ));
}

/// The devices that a file describes before its first packet. Lines and output files depend on
/// them, and the reader learns of them only on its way to that packet.
pub fn first_ifaces(input: &mut Input) -> Result<Vec<Iface>> {
    let start = input.peek().map_err(|error| worded(error.into()))?;
    let Ok(mut reader) = Reader::new(start.as_slice()) else {
        // The real reader will say what is wrong.
        return Ok(Vec::new());
    };
    // The start may end within the first packet; the devices were found all the same.
    let _ = reader.next();
    Ok(reader.ifaces().to_vec())
}

fn facts<'a>(sources: &Sources, ifaces: &'a [Iface], output: &Output) -> SourceFacts<'a> {
    let context = output.print.as_ref().map(|style| style.context);
    let readers = || sources.all.iter().map(|source| &source.reader);
    let fine = readers().any(|reader| reader.precision() == TimestampPrecision::Nano);
    SourceFacts {
        ifaces,
        snaplen: ifaces.iter().map(|iface| iface.snaplen).max().unwrap_or(0),
        precision: if fine {
            TimestampPrecision::Nano
        } else {
            output.precision
        },
        // compat: tcpdump never says it of a file; without owners lines are to be tcpdump's.
        show_iface: ifaces.len() > 1 && context.is_some_and(|context| context.process),
        any: false,
        hardware: String::new(),
        os: String::new(),
        section: readers().find_map(|reader| reader.section().map(<[u8]>::to_vec)),
        now: None,
    }
}

/// A link type as tcpdump names it: `EN10MB (Ethernet)`, or its number.
pub fn link_type(link_type: LinkType) -> String {
    match (link_type.name(), link_type.description()) {
        (Some(name), Some(description)) => format!("{name} ({description})"),
        (Some(name), None) => name.to_owned(),
        (None, _) => link_type.0.to_string(),
    }
}

/// Creating the output would empty the input before it is read.
fn refuse_overwriting(file: &Path, output: &Output) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let Some(target) = &output.write else {
        return Ok(());
    };
    let identity = |path: &Path| {
        let path = path.to_owned();
        let facts = privileges::with(move || path.metadata()).ok()?.ok();
        facts.map(|m| (m.dev(), m.ino(), m.is_file()))
    };
    if let (Some(read), Some(write)) = (identity(file), identity(&target.path))
        && read == write
        && read.2
    {
        bail!(
            "cannot write to {}: it is being read",
            target.path.display()
        );
    }
    Ok(())
}

/// The closing line of `--count`.
fn count(packets: u64, text: &RefCell<Text>) -> Result<()> {
    use std::io::Write as _;
    let plural = if packets == 1 { "" } else { "s" };
    let mut text = text.borrow_mut();
    writeln!(text.buffer, "{packets} packet{plural}")?;
    text.flush()
}

/// A fault of a file without Rust's wording of the system's part.
pub fn worded(error: pktwho_capfile::Error) -> anyhow::Error {
    match error {
        pktwho_capfile::Error::Io(io) => {
            anyhow::Error::new(failure::worded(io)).context("error reading dump file")
        }
        other => anyhow::Error::new(other),
    }
}
