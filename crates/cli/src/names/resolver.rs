//! Names of addresses from the nameservers of resolv.conf(5), asked over UDP by a thread of its own.
//!
//! Promises: each address is asked for once while its answer is remembered, so that captured
//! questions of our own raise no further ones without end; a packet's lines wait [`PATIENCE`] at
//! most, and not at all after a question that took longer, until the servers are quick again;
//! what is remembered and what is under way are bounded.

mod config;
mod worker;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;

pub(super) use config::Config;
use worker::Worker;

/// How long the lines of one packet wait for names in all.
const PATIENCE: Duration = Duration::from_millis(300);
/// A server whose answer takes no longer is worth waiting for again.
const QUICK: Duration = Duration::from_millis(100);
/// The share of live time that may be spent waiting: one part in so many.
const LIVE_SHARE: u32 = 10;
/// How many addresses each of the two generations remembers.
const REMEMBERED: usize = 8192;
/// How many questions wait for the thread, or are under way.
const UNDER_WAY: usize = 64;

/// What came of a question.
struct Found {
    ip: IpAddr,
    name: Option<Box<str>>,
    /// From the question to its end.
    took: Duration,
}

/// What is known of an address.
#[derive(Debug)]
enum Known {
    Asked,
    Name(Box<str>),
    Nameless,
}

/// How long waiting is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Packets wait in a file: each may wait anew.
    File,
    /// Packets come while we wait: a tenth of the time.
    Live,
}

/// Asks the servers, remembers the answers.
#[derive(Debug)]
pub(super) struct Resolver {
    config: Config,
    pace: Pace,
    young: FxHashMap<IpAddr, Known>,
    old: FxHashMap<IpAddr, Known>,
    asking: Option<Asking>,
    /// What may still be waited.
    left: Duration,
    /// When `left` was last added to.
    since: Instant,
    /// Whether the last answers came soon enough.
    trusted: bool,
}

/// The way to the thread.
#[derive(Debug)]
struct Asking {
    questions: SyncSender<(IpAddr, Instant)>,
    found: Receiver<Found>,
    wake: Arc<OwnedFd>,
}

impl Resolver {
    pub(super) fn new(config: Config, pace: Pace) -> Self {
        Self {
            config,
            pace,
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            asking: None,
            left: PATIENCE,
            since: Instant::now(),
            trusted: true,
        }
    }

    /// A new packet is shown.
    pub(super) fn next_packet(&mut self) {
        if self.pace == Pace::File {
            self.left = PATIENCE;
        }
    }

    /// The name of an address, if it is known by now.
    pub(super) fn name(&mut self, ip: IpAddr) -> Option<&str> {
        let silent = ip.is_unspecified() || !self.config.may_ask();
        if silent || ip == IpAddr::from([255; 4]) {
            return None;
        }
        match self.known(ip) {
            Some(Known::Asked) => self.hear(),
            Some(_) => {}
            None => self.ask(ip),
        }
        match self.young.get(&ip) {
            Some(Known::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// What is remembered; what is asked for stays young.
    fn known(&mut self, ip: IpAddr) -> Option<&Known> {
        if !self.young.contains_key(&ip) {
            let known = self.old.remove(&ip)?;
            self.remember(ip, known);
        }
        self.young.get(&ip)
    }

    fn remember(&mut self, ip: IpAddr, known: Known) {
        if self.young.len() >= REMEMBERED && !self.young.contains_key(&ip) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(ip, known);
    }

    /// Asks, and waits for the answer if that is worth it.
    fn ask(&mut self, ip: IpAddr) {
        if self.asking.is_none() {
            self.asking = Asking::start(&self.config);
        }
        let Some(asking) = &self.asking else {
            return;
        };
        let start = Instant::now();
        // With too much under way the address is asked for when it is seen again.
        if asking.questions.try_send((ip, start)).is_err() {
            self.hear();
            return;
        }
        // The counter of an eventfd cannot get full this way; any write wakes.
        let _ = rustix::io::write(&asking.wake, &1_u64.to_ne_bytes());
        self.remember(ip, Known::Asked);
        self.hear();
        if self.pace == Pace::Live {
            let earned = start.duration_since(self.since) / LIVE_SHARE;
            self.left = (self.left + earned).min(PATIENCE);
            self.since = start;
        }
        if !self.trusted {
            return;
        }
        self.wait(ip, start);
        self.left = self.left.saturating_sub(start.elapsed());
    }

    fn wait(&mut self, ip: IpAddr, start: Instant) {
        while matches!(self.young.get(&ip), Some(Known::Asked)) {
            let left = self.left.saturating_sub(start.elapsed());
            let Some(asking) = &self.asking else { return };
            let Ok(found) = asking.found.recv_timeout(left) else {
                // Little was left perhaps: that says nothing of the server.
                self.trusted &= start.elapsed() < QUICK;
                return;
            };
            self.take(found);
        }
    }

    /// Takes what was found meanwhile, without waiting.
    fn hear(&mut self) {
        while let Some(found) = self.asking.as_ref().and_then(|a| a.found.try_recv().ok()) {
            self.take(found);
        }
    }

    fn take(&mut self, found: Found) {
        // A slow answer that was not waited for changes nothing: a quick one does.
        self.trusted |= found.took <= QUICK;
        let known = found.name.map_or(Known::Nameless, Known::Name);
        // It may have been pushed out, and is not asked for again then.
        self.old.remove(&found.ip);
        self.remember(found.ip, known);
    }
}

impl Asking {
    /// Starts the thread; `None` when that cannot be had.
    fn start(config: &Config) -> Option<Self> {
        let wake = Arc::new(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC).ok()?);
        let (questions, asked) = sync_channel(UNDER_WAY);
        // As many as may be under way at once and in the queue, so that the thread seldom waits.
        let (tell, found) = sync_channel(4 * UNDER_WAY);
        let worker = Worker::new(config.clone(), asked, tell, Arc::clone(&wake));
        let thread = thread::Builder::new().name("names".to_owned());
        thread.spawn(move || worker.run()).ok()?;
        Some(Self {
            questions,
            found,
            wake,
        })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // Closes the channel first, so that the thread sees its end when it wakes.
        let (closed, _) = sync_channel(0);
        self.questions = closed;
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests;
