//! Looks at the namespaces around ours while the capture goes on.
//!
//! A look asks rtnetlink(7) some dozens of questions, and each waits for whoever changes devices at that
//! time. The thread is in the namespace of whoever starts it.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use crate::config::Begin;
use crate::reach::{View, look_around};

/// What a look has found.
#[derive(Debug)]
pub(crate) struct Sight {
    /// What was known already when it began, as whoever sent it counts.
    pub heard: usize,
    /// `None`: nothing could be asked.
    pub view: Option<View>,
}

#[derive(Debug)]
pub(crate) struct Lookout {
    errands: SyncSender<usize>,
    sights: Receiver<Sight>,
    is_out: bool,
}

impl Lookout {
    /// `afar`: see [`look_around`].
    ///
    /// # Errors
    /// The system has no thread.
    pub fn start(afar: usize, begin: Begin) -> io::Result<Self> {
        let (errands, orders) = sync_channel::<usize>(1);
        let (found, sights) = sync_channel(1);
        let look = move || {
            begin("lookout");
            for heard in orders {
                let view = look_around(afar).ok();
                if found.send(Sight { heard, view }).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("lookout".into()).spawn(look)?;
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
    pub fn sight(&mut self) -> Option<Sight> {
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
