//! Packets of files printed by several threads, and put out in their order (decision 8).
//!
//! The thread that reads hands over batches of packets by turns to threads that draft their text,
//! takes them back in the same order, and fills in what earlier packets said. Promises: the text is
//! that of one thread; memory is bounded by a few batches. The threads are confined as the one
//! that starts them, and end when they are dropped.

mod batch;

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Result, anyhow};
use pktwho_packet::Packet;
use pktwho_print::{Drafter, Names, Printer, Style};

use crate::names::{self, Pace};
use crate::text::Text;
use batch::{Batch, Shared};

/// More would wait for the one that reads.
const MOST_THREADS: usize = 3;
/// Batches that a thread has before it, or behind it.
const DEPTH: usize = 3;

/// Threads that print, and packets on their way through them.
pub struct Ahead {
    style: Style,
    /// How many threads there are to be.
    threads: usize,
    /// None as long as there are too few packets for them.
    workers: Vec<Worker>,
    filling: Batch,
    /// Positions of the threads that have batches, in the order of the packets.
    under_way: VecDeque<usize>,
    free: Vec<Batch>,
    shared: Shared,
}

struct Worker {
    to: SyncSender<Batch>,
    from: Receiver<Batch>,
}

/// How many threads may print beside the one that reads; 0 where there is one processor. To be
/// asked before privileges are given up.
pub fn threads() -> usize {
    match thread::available_parallelism() {
        Ok(processors) if processors.get() > 1 => processors.get().min(MOST_THREADS),
        _ => 0,
    }
}

impl Ahead {
    /// The style is the printer's to which packets come back.
    pub fn new(style: Style, threads: usize) -> Self {
        Self {
            style,
            threads,
            workers: Vec::new(),
            filling: Batch::default(),
            under_way: VecDeque::new(),
            free: Vec::new(),
            shared: Shared::default(),
        }
    }

    /// Takes the next packet.
    ///
    /// # Errors
    /// Earlier packets' text could not be put out.
    pub fn packet(
        &mut self,
        packet: &Packet<'_>,
        printer: &mut Printer,
        names: &mut dyn Names,
        text: &mut Text,
    ) -> Result<()> {
        let turn = printer.turn(packet);
        self.filling.add(packet, turn, &mut self.shared);
        if self.filling.is_full() {
            self.hand_over(printer, names, text)?;
        }
        Ok(())
    }

    /// Puts out all that was taken.
    ///
    /// # Errors
    /// The text could not be put out.
    pub fn finish(
        &mut self,
        printer: &mut Printer,
        names: &mut dyn Names,
        text: &mut Text,
    ) -> Result<()> {
        if self.workers.is_empty() {
            return self.print_here(printer, names, text);
        }
        self.hand_over(printer, names, text)?;
        while !self.under_way.is_empty() {
            self.take_back(printer, names, text)?;
        }
        Ok(())
    }

    fn hand_over(
        &mut self,
        printer: &mut Printer,
        names: &mut dyn Names,
        text: &mut Text,
    ) -> Result<()> {
        if self.workers.is_empty() {
            let started: io::Result<_> = (0..self.threads).map(|_| start(&self.style)).collect();
            self.workers = started.unwrap_or_default();
        }
        if self.under_way.len() >= self.workers.len() * DEPTH {
            self.take_back(printer, names, text)?;
        }
        let after = self.under_way.back().map_or(0, |last| last + 1);
        let next = if after < self.workers.len() { after } else { 0 };
        let Some(worker) = self.workers.get(next) else {
            // No thread can be had: as slow as with one processor, and no worse.
            return self.print_here(printer, names, text);
        };
        let empty = self.free.pop().unwrap_or_default();
        let batch = std::mem::replace(&mut self.filling, empty);
        worker.to.send(batch).map_err(|_| failed())?;
        self.under_way.push_back(next);
        Ok(())
    }

    /// Waits for the oldest batch and puts out its text.
    fn take_back(
        &mut self,
        printer: &mut Printer,
        names: &mut dyn Names,
        text: &mut Text,
    ) -> Result<()> {
        let Some(first) = self.under_way.pop_front() else {
            return Ok(());
        };
        let worker = self.workers.get(first).ok_or_else(failed)?;
        let mut batch = worker.from.recv().map_err(|_| failed())?;
        batch.settle(printer, names, &mut text.buffer);
        batch.clear();
        self.free.push(batch);
        text.packet_done()
    }

    fn print_here(
        &mut self,
        printer: &mut Printer,
        names: &mut dyn Names,
        text: &mut Text,
    ) -> Result<()> {
        let mut drafter = Drafter::new(self.style.clone());
        self.filling.draft(&mut drafter, names);
        self.filling.settle(printer, names, &mut text.buffer);
        self.filling.clear();
        text.packet_done()
    }
}

/// It panicked, which is a fault of ours.
fn failed() -> anyhow::Error {
    anyhow!("a thread that prints has failed")
}

/// Starts a thread that drafts.
fn start(style: &Style) -> io::Result<Worker> {
    let (to, work) = sync_channel::<Batch>(DEPTH);
    let (done, from) = sync_channel(DEPTH);
    let style = style.clone();
    thread::Builder::new().name("print".into()).spawn(move || {
        let mut names = names::for_style(Some(&style), None, Pace::File);
        let mut drafter = Drafter::new(style);
        for mut batch in work {
            batch.draft(&mut drafter, names.as_mut());
            if done.send(batch).is_err() {
                return;
            }
        }
    })?;
    Ok(Worker { to, from })
}
