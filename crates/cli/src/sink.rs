//! Where packets go, live or from a file: lines, a capture file, a count.

use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;

use anyhow::Result;
use pktwho_capfile::{Block, Counters, Like, Metadata, is_pktap};
use pktwho_packet::{Iface, Packet, TimestampPrecision};
use pktwho_print::{Beside, Names, Printer, Style};
use pktwho_probe::RawPacket;

use crate::ahead::Ahead;
use crate::apple::Shown;
use crate::decrypt::Decrypt;
use crate::output_files::OutputFiles;
use crate::plan::{Buffering, Format, Output};
use crate::resolved::Resolved;
use crate::text::Text;

/// What a sink wants to know of the source before the first packet.
#[derive(Clone, Debug, Default)]
pub struct SourceFacts<'a> {
    /// The devices known so far; more may come with any packet.
    pub ifaces: &'a [Iface],
    /// The greatest number of bytes kept of a packet.
    pub snaplen: u32,
    /// How finely a file that has the choice stores times.
    pub precision: TimestampPrecision,
    /// Whether lines say which device a packet was seen on.
    pub show_iface: bool,
    /// Whether packets of any device may come, of other link types too.
    pub any: bool,
    /// The machine that captured, as `uname -m` names it; empty when unknown.
    pub hardware: String,
    /// Its operating system; empty when unknown.
    pub os: String,
    /// What a pcapng file that is read says of its section.
    pub section: Option<Vec<u8>>,
    /// When the capture begins, in seconds since the epoch; `None` for a file.
    pub now: Option<i64>,
}

/// Takes packets one by one.
pub struct Sink {
    lines: Option<Lines>,
    text: Rc<RefCell<Text>>,
    file: Option<OutputFiles>,
    packets: u64,
    limit: u64,
    /// Packets still to be passed over.
    skip: u64,
    packet_buffered: bool,
}

struct Lines {
    printer: Printer,
    names: Resolved,
    /// One packet of so many is printed.
    sampling: u64,
    /// Packets since the last that was printed.
    since: u64,
    apple: Option<Shown>,
    note: Vec<u8>,
    decrypt: Option<Decrypt>,
    /// Threads that print, where that is worth it.
    ahead: Option<Ahead>,
    /// Whether owners of packets with Apple's header are shown: tcpdump's lines have none.
    owners_asked: bool,
}

impl Lines {
    fn packet(
        &mut self,
        packet: &Packet<'_>,
        metadata: &Metadata<'_>,
        text: &mut Text,
    ) -> Result<()> {
        self.since += 1;
        if self.since < self.sampling {
            self.printer.pass();
            return Ok(());
        }
        self.since = 0;
        if let Some(apple) = &self.apple {
            apple.packet(packet, metadata, &mut self.note);
        }
        let mut shown = *packet;
        // compat: lines of such files are tcpdump's unless owners are asked for (4.99.3).
        if is_pktap(packet.iface.link_type) && !self.owners_asked {
            (shown.sender, shown.receiver) = (None, None);
        }
        let (printer, names) = (&mut self.printer, &mut self.names);
        if let Some(ahead) = &mut self.ahead {
            return ahead.packet(&shown, printer, names, text);
        }
        let out = &mut text.buffer;
        names.next_packet();
        let decrypted = self.decrypt.as_ref().map(Decrypt::decrypted);
        let decrypted = decrypted.unwrap_or_default();
        let beside = Beside {
            note: &self.note,
            lines: decrypted.lines,
            bytes: decrypted.plain,
        };
        printer.packet_with(&shown, &beside, names, out);
        text.packet_done()
    }
}

impl Sink {
    /// Opens the output file, if there is one to write; `text` is where lines go.
    ///
    /// # Errors
    /// The file cannot be created; in tcpdump's words: the path and the reason.
    pub fn new(
        output: &Output,
        source: &SourceFacts<'_>,
        names: Box<dyn Names>,
        text: Rc<RefCell<Text>>,
    ) -> Result<Self> {
        let target = output.write.as_ref();
        let stores_names = target.is_some_and(|target| target.format == Format::Pcapng);
        let lines = output.print.clone().map(|style| Lines {
            printer: Printer::new(Style {
                show_iface: source.show_iface,
                ..style
            }),
            names: Resolved::new(names, stores_names),
            sampling: output.print_sampling.max(1),
            since: 0,
            apple: output.apple.clone(),
            note: Vec::new(),
            decrypt: None,
            ahead: None,
            owners_asked: output.owners_asked,
        });
        let file = match &output.write {
            Some(target) => Some(OutputFiles::create(target, source)?),
            None => None,
        };
        Ok(Self {
            lines,
            text,
            file,
            packets: 0,
            limit: output.limit.unwrap_or(u64::MAX),
            skip: output.skip,
            packet_buffered: output.buffering == Buffering::Packet,
        })
    }

    /// Has packets decrypted, where they are printed.
    pub fn set_decrypt(&mut self, decrypt: Decrypt) {
        if let Some(lines) = &mut self.lines {
            lines.decrypt = Some(decrypt);
        }
    }

    /// Whoever decrypts, if somebody does.
    #[inline]
    pub fn decrypt(&mut self) -> Option<&mut Decrypt> {
        self.lines.as_mut()?.decrypt.as_mut()
    }

    /// Has that many threads print the packets that follow, if lines say nothing of what they would
    /// have to wait for, and nobody waits for them. To be ended by [`Self::catch_up`].
    pub fn print_ahead(&mut self, threads: usize) {
        let at_once = self.text.borrow().is_immediate();
        if let Some(lines) = &mut self.lines
            && threads > 0
            && !at_once
            && self.file.is_none()
            && lines.apple.is_none()
            && lines.decrypt.is_none()
            && lines.printer.style().numeric
        {
            lines.ahead = Some(Ahead::new(lines.printer.style().clone(), threads));
        }
    }

    /// Gathers the lines of all packets that were taken.
    ///
    /// # Errors
    /// As [`Sink::packet`].
    pub fn catch_up(&mut self) -> Result<()> {
        if let Some(lines) = &mut self.lines
            && let Some(mut ahead) = lines.ahead.take()
        {
            let (printer, names) = (&mut lines.printer, &mut lines.names);
            ahead.finish(printer, names, &mut self.text.borrow_mut())?;
        }
        Ok(())
    }

    /// Takes a block that holds no packet, of a file that is read.
    ///
    /// # Errors
    /// It could not be written.
    pub fn block(&mut self, block: &Block<'_>) -> Result<()> {
        if let Some(decrypt) = self.decrypt() {
            decrypt.block(block);
        }
        if let Some(Lines { apple, names, .. }) = &mut self.lines {
            names.block(block);
            if let Some(apple) = apple {
                let mut text = self.text.borrow_mut();
                apple.block(block, &mut text.buffer);
                text.packet_done()?;
            }
        }
        self.file.as_mut().map_or(Ok(()), |file| file.block(block))
    }

    /// Takes a packet; `Break` when it was the last one wanted (`-c`).
    ///
    /// # Errors
    /// It could not be written; a broken pipe is among the causes
    /// ([`failure::is_broken_pipe`]).
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<ControlFlow<()>> {
        self.packet_with(packet, &Metadata::default())
    }

    /// The same for a packet of a file, with what that says of it.
    ///
    /// # Errors
    /// As [`Sink::packet`].
    pub fn packet_with(
        &mut self,
        packet: &Packet<'_>,
        metadata: &Metadata<'_>,
    ) -> Result<ControlFlow<()>> {
        if self.skip > 0 {
            self.skip -= 1;
            if let Some(lines) = &mut self.lines {
                lines.printer.pass();
            }
            return Ok(ControlFlow::Continue(()));
        }
        self.store_names()?;
        if let Some(file) = &mut self.file {
            let stored = file.packet(packet, metadata);
            if let Ok(ControlFlow::Break(())) = stored {
                return stored;
            }
            // One that cannot be written has been taken all the same; the file counts it as lost.
            self.packets += 1;
            if stored?.is_continue() && self.packet_buffered {
                file.flush()?;
            }
        } else {
            self.packets += 1;
        }
        if let Some(lines) = &mut self.lines {
            lines.packet(packet, metadata, &mut self.text.borrow_mut())?;
        }
        Ok(if self.packets >= self.limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// How the packet that was taken last, from this device, can be had again for less
    /// ([`Self::repeat`]); `None` where each has to be taken in full.
    pub fn like(&mut self, iface: &Iface) -> Option<Like> {
        let is_plain = self.lines.is_none() && self.skip == 0 && !self.packet_buffered;
        let file = self.file.as_mut().filter(|_| is_plain)?;
        file.like(iface)
    }

    /// Takes a packet like one before it; `false` when it has to be taken in full.
    ///
    /// # Errors
    /// As [`Sink::packet`].
    #[inline]
    pub fn repeat(&mut self, like: &Like, packet: &RawPacket<'_>) -> Result<bool> {
        // The last that is wanted is told of.
        let may_be_last = self.packets + 1 >= self.limit;
        let Some(file) = self.file.as_mut().filter(|_| !may_be_last) else {
            return Ok(false);
        };
        let repeated = file.repeat(like, packet);
        // As in `packet_with`: one that cannot be written has been taken.
        self.packets += u64::from(*repeated.as_ref().unwrap_or(&true));
        repeated
    }

    /// Puts the names of lines so far into the file. Not before more follows: a block of the file
    /// that is read may yet tell them.
    #[inline]
    fn store_names(&mut self) -> Result<()> {
        match (&mut self.lines, &mut self.file) {
            (Some(lines), Some(file)) => match lines.names.take() {
                Some(names) => file.block(&names.block()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Puts out all that was gathered: to be called before waiting for packets.
    ///
    /// # Errors
    /// As [`Sink::packet`].
    pub fn flush(&mut self) -> Result<()> {
        self.text.borrow_mut().flush()?;
        self.file.as_mut().map_or(Ok(()), OutputFiles::flush)
    }

    /// Whether a file of a series has ended but for its counters ([`Sink::end_files`]).
    #[inline]
    pub fn wants_counters(&self) -> bool {
        self.file.as_ref().is_some_and(OutputFiles::want_counters)
    }

    /// Ends the files that wait for that with what is known of each device so far.
    ///
    /// # Errors
    /// As [`Sink::packet`].
    pub fn end_files(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        let file = self.file.as_mut();
        file.map_or(Ok(()), |file| file.end_files(counters))
    }

    /// Ends the output file with what is known of each device, and puts out everything.
    ///
    /// # Errors
    /// As [`Sink::packet`].
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        // The file comes first: it is worth more when only one can be had.
        let stored = self.store_names();
        let finished = match &mut self.file {
            Some(file) => stored.and(file.finish(counters)),
            None => Ok(()),
        };
        let mut text = self.text.borrow_mut();
        if let Some(decrypt) = self.lines.as_mut().and_then(|lines| lines.decrypt.as_mut()) {
            decrypt.finish(&mut text.buffer);
        }
        text.flush()?;
        finished
    }

    /// How many of the packets that were taken could not be written.
    pub fn lost_packets(&self) -> u64 {
        self.file.as_ref().map_or(0, OutputFiles::lost_packets)
    }

    /// How many packets were taken.
    pub fn packets(&self) -> u64 {
        self.packets
    }
}

/// Shows words beside the data, on standard error; when that is closed nobody wants them.
pub fn say(words: std::fmt::Arguments<'_>) {
    use io::Write as _;
    let mut line = words.to_string();
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}
