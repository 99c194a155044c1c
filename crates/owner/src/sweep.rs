//! Reads `/proc` about all processes that ran before the capture, beside the capture.
//!
//! With ten thousand processes that takes half a second, which no packet waits for. One
//! thread, named, which ends when it is through or nobody listens any more.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use pktwho_packet::ProcessId;

use crate::procfs::{self, Facts};

/// Answers that may wait for the main loop; the sweep waits then.
const QUEUE: usize = 256;

const NAME: &str = "proc-sweep";

#[derive(Debug)]
pub struct Sweep {
    answers: Receiver<(ProcessId, Facts)>,
}

impl Sweep {
    /// `with_containers`: look for those too. `begin` is called there first, with the thread's
    /// name. `None` when the system has no thread for it: then each process is looked up when a
    /// packet names it.
    pub fn start(ids: Vec<ProcessId>, with_containers: bool, begin: fn(&str)) -> Option<Self> {
        let (sender, answers) = sync_channel(QUEUE);
        thread::Builder::new()
            .name(NAME.into())
            .spawn(move || {
                begin(NAME);
                for id in ids {
                    if let Some(facts) = procfs::read(id, with_containers)
                        && sender.send((id, facts)).is_err()
                    {
                        return;
                    }
                }
            })
            .ok()?;
        Some(Self { answers })
    }

    /// The next answer that is there; `Err` when there will be no more.
    pub fn next(&self) -> Result<Option<(ProcessId, Facts)>, ()> {
        match self.answers.try_recv() {
            Ok(answer) => Ok(Some(answer)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(()),
        }
    }
}
