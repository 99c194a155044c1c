//! `-r`: packets from a file, printed, written to another file, or counted.
//!
//! Source of truth: tcpdump 4.99.3 for the words, their order, and the exit statuses.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use pktwho_capfile::{Event, Reader};
use pktwho_packet::{Iface, LinkType, TimestampPrecision};

use crate::failure;
use crate::filter::Filter;
use crate::input::Input;
use crate::names;
use crate::plan::{self, Buffering, Output};
use crate::select::Select;
use crate::signals::Signals;
use crate::sink::{Sink, SourceFacts, say};
use crate::text::Text;

/// Reads a file to its end, or until enough packets were taken, or until asked to stop.
///
/// # Errors
/// The file cannot be read, or is damaged (what stood before the damage has been put out), or
/// the output takes no more.
pub fn run(plan: plan::Read) -> Result<()> {
    let output = plan.output;
    let signals = Signals::new().context("cannot handle signals")?;
    let at_once = output.buffering >= Buffering::Line;
    let text = Rc::new(RefCell::new(Text::stdout(at_once)?));
    let mut input = Input::open(&plan.file, signals.clone(), Rc::clone(&text))?;
    let ifaces = first_ifaces(&mut input)?;
    let mut reader = Reader::new(input).map_err(worded)?;
    announce(&plan.file, &reader);
    let filter = Filter::new(&plan.filter, &plan.owners.without_memory())?;
    let mut select = Select::new(plan.direction, filter, plan.owners, reader.format());
    match ifaces.first() {
        Some(iface) => select.meet(iface)?,
        None => select.meet(&Iface {
            link_type: reader.link_type(),
            ..Iface::default()
        })?,
    }
    refuse_overwriting(&plan.file, &output)?;
    let names = names::for_style(output.print.as_ref(), None);
    let mut sink = Sink::new(
        &output,
        &facts(&reader, &ifaces, &output),
        names,
        Rc::clone(&text),
    )?;
    let read = packets(&mut reader, &mut select, &mut sink, &signals);
    // What was read before an error is put out, and counted, all the same.
    let counters = reader
        .ifaces()
        .iter()
        .zip(reader.counters().iter().copied());
    let finished = sink.finish(&counters.collect::<Vec<_>>());
    if output.count && finished.is_ok() {
        count(sink.packets(), &text)?;
    }
    finished?;
    match read {
        Err(_) if signals.stop() => Ok(()),
        read => read,
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

fn packets(
    reader: &mut Reader<Input>,
    select: &mut Select,
    sink: &mut Sink,
    signals: &Signals,
) -> Result<()> {
    while !signals.stop() {
        match reader.event().map_err(worded)? {
            Some(Event::Packet(packet, metadata)) => {
                if select.takes(&packet)? && sink.packet_with(&packet, &metadata)?.is_break() {
                    break;
                }
            }
            Some(Event::Block(block)) => sink.block(&block)?,
            None => break,
        }
    }
    Ok(())
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

fn facts<'a>(reader: &Reader<Input>, ifaces: &'a [Iface], output: &Output) -> SourceFacts<'a> {
    let context = output.print.as_ref().map(|style| style.context);
    SourceFacts {
        ifaces,
        snaplen: ifaces.iter().map(|iface| iface.snaplen).max().unwrap_or(0),
        precision: match output.precision {
            TimestampPrecision::Micro => reader.precision(),
            TimestampPrecision::Nano => TimestampPrecision::Nano,
        },
        // compat: tcpdump never says it of a file; without owners lines are to be tcpdump's.
        show_iface: ifaces.len() > 1 && context.is_some_and(|context| context.process),
        any: false,
        // A file's own words on these are not kept.
        hardware: String::new(),
        os: String::new(),
        section: reader.section().map(<[u8]>::to_vec),
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
        path.metadata()
            .ok()
            .map(|m| (m.dev(), m.ino(), m.is_file()))
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
