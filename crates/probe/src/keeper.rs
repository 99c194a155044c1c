//! Keeps up with the namespaces around our own, beside the capture.
//!
//! The main loop may wait for a device to be attached to, or for somebody who changes devices; a
//! container that starts meanwhile sends its first packets a few milliseconds after it has its address.
//! So one thread, `homes`, takes over what is told as it is told ([`crate::nearby`]) and waits for
//! nothing else, and others look at everything ([`crate::lookout`], [`crate::tunnels`]).

use std::io;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use pktwho_packet::NetnsId;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::config::Begin;
use crate::homes::{AFAR, PAUSE, Tables};
use crate::lookout::Lookout;
use crate::nearby::Change;
use crate::netlink::Socket;
use crate::reach::{View, look_around};
use crate::tunnels::{Tunneller, Tunnels};

/// How often it is asked for what a look has found.
const ANSWER: Duration = Duration::from_millis(2);
/// Changes that are remembered for what a look may not have seen yet; more wait for the next look.
const CHANGES: usize = 4096;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Keeper {
    end: OwnedFd,
}

impl Keeper {
    /// `view`: what is known and has been shown, since `monitor` hears; `tunnels`: of that, what is beyond
    /// tun devices.
    ///
    /// # Errors
    /// The system has no thread.
    pub(crate) fn start(
        monitor: Socket,
        tables: Tables,
        ours: NetnsId,
        view: View,
        tunnels: Tunnels,
        begin: Begin,
    ) -> io::Result<Self> {
        let end = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let sign = end.try_clone()?;
        let mut keeping = Keeping {
            monitor,
            tables,
            ours,
            view,
            // What came while the first look went on.
            stale: true,
            looked: Instant::now(),
            lookout: Lookout::start("lookout", begin, || look_around(AFAR).ok())?,
            tunneller: Tunneller::start(tunnels, begin)?,
            tunnels_stale: false,
            changes: Vec::new(),
        };
        let keep = move || {
            begin("homes");
            while keeping.wait(&sign) {}
        };
        thread::Builder::new().name("homes".into()).spawn(keep)?;
        Ok(Self { end })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.end, &1_u64.to_ne_bytes());
    }
}

struct Keeping {
    monitor: Socket,
    tables: Tables,
    ours: NetnsId,
    view: View,
    /// Something has been told since the last look began.
    stale: bool,
    looked: Instant,
    lookout: Lookout<Option<View>>,
    tunneller: Tunneller,
    /// Something has been told since that one was sent.
    tunnels_stale: bool,
    /// What has been told since then.
    changes: Vec<Change>,
}

impl Keeping {
    /// Waits for news and takes it over; `false`: it is over.
    fn wait(&mut self, end: &OwnedFd) -> bool {
        let timeout = self.due().map(|due| Timespec {
            tv_sec: due.as_secs().cast_signed(),
            tv_nsec: due.subsec_nanos().into(),
        });
        let monitor = self.monitor.fd();
        let mut fds = [
            PollFd::new(&monitor, PollFlags::IN),
            PollFd::new(end, PollFlags::IN),
        ];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
        if !fds.last().is_some_and(|end| end.revents().is_empty()) {
            return false;
        }
        self.hear();
        self.take_sight();
        if self.tunneller.has_found() {
            self.show(self.view.clone());
        }
        if self.look_is_due().is_some_and(|due| due.is_zero()) {
            self.stale = false;
            self.lookout.send(self.changes.len());
        }
        if self.tunnels_are_due().is_some_and(|due| due.is_zero()) {
            self.tunnels_stale = false;
            self.tunneller.send();
        }
        true
    }

    /// How long until there is something to do; `None`: until something is heard.
    fn due(&self) -> Option<Duration> {
        if self.lookout.is_out() || self.tunneller.is_out() {
            return Some(ANSWER);
        }
        let dues = [self.look_is_due(), self.tunnels_are_due()];
        dues.into_iter().flatten().min()
    }

    fn look_is_due(&self) -> Option<Duration> {
        let wanted = self.stale && !self.lookout.is_out();
        wanted.then(|| PAUSE.saturating_sub(self.looked.elapsed()))
    }

    fn tunnels_are_due(&self) -> Option<Duration> {
        let wanted = !self.view.tuns.is_empty() && !self.tunneller.is_out();
        wanted.then(|| self.tunneller.due(self.tunnels_stale))
    }

    /// Takes over what is told. What was lost is looked for.
    fn hear(&mut self) {
        let room = CHANGES.saturating_sub(self.changes.len());
        let mut changes: Vec<Change> = Vec::new();
        let heard = self.monitor.hear(|nsid, message| {
            if changes.len() < room {
                changes.extend(Change::of(nsid, message));
            }
        });
        let Ok(has_come) = heard else {
            self.stale = true;
            self.tunnels_stale = true;
            return;
        };
        self.stale |= has_come;
        self.tunnels_stale |= has_come;
        if !changes.is_empty() {
            let mut view = self.view.clone();
            view.apply_all(&changes);
            self.changes.extend(changes);
            self.show(view);
        }
    }

    /// Takes over what a look has found, and what was told since that began.
    fn take_sight(&mut self) {
        let Some(sight) = self.lookout.sight() else {
            return;
        };
        self.looked = Instant::now();
        self.changes.drain(..sight.heard.min(self.changes.len()));
        if let Some(mut view) = sight.found {
            view.apply_all(&self.changes);
            self.show(view);
        }
    }

    fn show(&mut self, mut view: View) {
        view.tunnel(self.tunneller.found());
        self.tables.show(self.ours, &self.view, &view);
        self.view = view;
    }
}
