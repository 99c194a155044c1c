//! Looks at the namespaces around ours while the capture goes on.
//!
//! A look asks rtnetlink(7) some dozens of questions, and each waits for whoever changes devices at that
//! time. A thread is in the namespace of whoever starts it.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::config::Begin;

/// What a look has found.
#[derive(Debug)]
pub(crate) struct Sight<T> {
    /// What was known already when it began, as whoever sent it counts.
    pub heard: usize,
    pub found: T,
}

#[derive(Debug)]
pub(crate) struct Lookout<T> {
    errands: SyncSender<usize>,
    sights: Receiver<Sight<T>>,
    is_out: bool,
}

impl<T: Send + 'static> Lookout<T> {
    /// A thread of this name, which gives up privileges and then looks whenever it is sent.
    ///
    /// # Errors
    /// The system has no thread.
    pub fn start(
        name: &'static str,
        begin: Begin,
        look: impl Fn() -> T + Send + 'static,
    ) -> io::Result<Self> {
        let (errands, orders) = sync_channel::<usize>(1);
        let (found, sights) = sync_channel(1);
        let work = move || {
            begin(name);
            for heard in orders {
                let sight = Sight {
                    heard,
                    found: look(),
                };
                if found.send(sight).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self {
            errands,
            sights,
            is_out: false,
        })
    }

    /// Whether what it has found is still to come.
    pub fn is_out(&self) -> bool {
        self.is_out
    }

    /// Has it look, unless it does already.
    pub fn send(&mut self, heard: usize) {
        self.is_out |= self.errands.try_send(heard).is_ok();
    }

    /// What it has found since it was sent.
    pub fn sight(&mut self) -> Option<Sight<T>> {
        match self.sights.try_recv() {
            Ok(sight) => {
                self.is_out = false;
                Some(sight)
            }
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                self.is_out = false;
                None
            }
        }
    }
}
