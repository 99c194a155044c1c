//! The files to read: one, several whose packets go together by their times, or a list of files
//! one after the other.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use pktwho_capfile::{Coming, Event, Format, Numbers, Reader};
use pktwho_packet::{Iface, Timestamp};

use crate::failure;
use crate::input::Input;
use crate::offline::{announce, first_ifaces, worded};
use crate::plan::Files;
use crate::privileges;
use crate::signals::Signals;
use crate::text::Text;

/// What opening a file needs.
pub struct Opener {
    pub signals: Signals,
    pub text: Rc<RefCell<Text>>,
    pub numbers: Numbers,
    /// Whether faults are told with the name of the file.
    pub several: bool,
}

/// One file.
pub struct Source {
    pub path: PathBuf,
    pub reader: Reader<Input>,
    /// The devices described before the first packet.
    pub ifaces: Vec<Iface>,
    /// Whether it is a pipe or the like, which may keep us waiting.
    pub may_wait: bool,
    next: Next,
}

/// What a file gives next, when several are read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Unknown,
    Packet(Timestamp),
    End,
}

impl Opener {
    /// Opens a file and says so in tcpdump's words.
    ///
    /// # Errors
    /// It cannot be read, or is no capture.
    pub fn open(&self, path: &Path) -> Result<Source> {
        let mut input = Input::open(path, self.signals.clone(), Rc::clone(&self.text))?;
        let may_wait = input.may_wait();
        let ifaces = first_ifaces(&mut input)?;
        let reader = Reader::with_numbers(input, self.numbers.clone()).map_err(|error| {
            let error = worded(error);
            if self.several {
                error.context(path.display().to_string())
            } else {
                error
            }
        })?;
        announce(path, &reader);
        Ok(Source {
            path: path.to_owned(),
            reader,
            ifaces,
            may_wait,
            next: Next::Unknown,
        })
    }
}

/// The files to be read together, and those to be read after them.
///
/// # Errors
/// A list cannot be read, or names nothing.
pub fn paths(files: Files) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let list = match files {
        Files::Together(paths) => return Ok((paths, Vec::new())),
        Files::List(list) => list,
    };
    let text = if list == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        privileges::open(&list).and_then(std::io::read_to_string)
    };

    let text = text.map_err(failure::worded);
    let text = text.context("Unable to open file")?;
    let mut paths: Vec<PathBuf> = text.lines().map(PathBuf::from).collect();
    if paths.is_empty() {
        bail!("Nothing in {}", list.display());
    }
    let later = paths.split_off(1);
    Ok((paths, later))
}

/// Files that are read together.
pub struct Sources {
    pub all: Vec<Source>,
    /// The first fault of a file; the others are read to their ends.
    fault: Option<anyhow::Error>,
}

impl Sources {
    pub fn new(all: Vec<Source>) -> Self {
        Self { all, fault: None }
    }

    /// The next packet by time, or another block; and which kind of file it comes from. `None`
    /// at the end of all files.
    ///
    /// # Errors
    /// A file is damaged; of several files, once all were read.
    #[inline]
    pub fn event(&mut self) -> Result<Option<(Event<'_>, Format)>> {
        let position = match self.all.as_slice() {
            [_] => 0,
            _ => match self.earliest() {
                Some(position) => position,
                None => return self.fault.take().map_or(Ok(None), Err),
            },
        };
        let Some(source) = self.all.get_mut(position) else {
            return Ok(None);
        };
        source.next = Next::Unknown;
        let format = source.reader.format();
        let event = source.reader.event().map_err(worded)?;
        Ok(event.map(|event| (event, format)))
    }

    /// The file whose next packet is the earliest, or that has another block first.
    fn earliest(&mut self) -> Option<usize> {
        let mut earliest: Option<(Timestamp, usize)> = None;
        for (position, source) in self.all.iter_mut().enumerate() {
            if source.next == Next::Unknown {
                source.next = match source.reader.coming() {
                    Ok(Some(Coming::Block)) => return Some(position),
                    Ok(Some(Coming::Packet(time))) => Next::Packet(time),
                    Ok(None) => Next::End,
                    Err(error) => {
                        let path = source.path.display().to_string();
                        self.fault.get_or_insert(worded(error).context(path));
                        Next::End
                    }
                };
            }
            if let Next::Packet(time) = source.next
                && earliest.is_none_or(|(first, _)| time < first)
            {
                earliest = Some((time, position));
            }
        }
        earliest.map(|(_, position)| position)
    }
}
