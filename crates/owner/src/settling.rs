//! Which container a process of the table is in, kept by the events about cgroups.
//!
//! The cgroup of the default hierarchy says it. On machines that have older hierarchies beside
//! it, a container may be in those alone: what is in one then is told by moves into them, and of
//! processes that ran before by `/proc`.

use std::sync::Arc;

use pktwho_packet::{Container, ProcessEvent};
use rustc_hash::FxHashSet;

use crate::Processes;
use crate::cgroup;
use crate::containers::Home;

impl Processes {
    /// The container of the process of an event; `before` is the cgroup and the container of
    /// the process that it comes from.
    pub(crate) fn container_at(
        &mut self,
        event: &ProcessEvent<'_>,
        before: Option<(u64, Option<Arc<Container>>)>,
    ) -> Option<Arc<Container>> {
        let same = before.filter(|(cgroup, _)| *cgroup == event.cgroup);
        let inherited = same.and_then(|(_, container)| container);
        match self.containers.home(event.cgroup) {
            Home::In(container) => Some(container),
            Home::None if !self.has_old_hierarchies => None,
            Home::None => inherited,
            Home::Unknown => {
                self.ask_proc = true;
                inherited
            }
        }
    }

    /// A process has moved to another cgroup.
    pub(crate) fn moved(&mut self, event: &ProcessEvent<'_>) {
        let is_default = event.cgroup != 0;
        let home = if is_default {
            self.containers.learn(event.cgroup, event.cgroup_path)
        } else {
            match cgroup::container_of(event.cgroup_path) {
                Some(container) => {
                    let id = self.containers.meet(container);
                    self.containers.get(&id).map_or(Home::Unknown, Home::In)
                }
                None => Home::Unknown,
            }
        };
        let keeps = self.has_old_hierarchies || !is_default;
        let serial = self.next_serial();
        let Some(entry) = self.get_mut(event.process) else {
            return;
        };
        if is_default {
            entry.cgroup = event.cgroup;
        }
        let container = match home {
            Home::In(container) => Some(container),
            Home::None | Home::Unknown if keeps => return,
            Home::None | Home::Unknown => None,
        };
        if entry.process.container != container {
            entry.process.container = container;
            entry.process.serial = serial;
            entry.named = false;
        }
    }

    /// Has packets of this process wait until its container has a name, for a short while.
    pub(crate) fn wait_for_container(&mut self, slot: usize) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        let key = match &entry.process.container {
            Some(container) => Some(&container.id[..]),
            None => self.containers.key(entry.cgroup),
        };
        if let Some(key) = key.filter(|key| !self.containers.is_told(key)) {
            let key = key.to_vec();
            self.containers.wait_for(&key);
            self.tell_news();
        }
    }

    /// Gives processes what has become known of their containers.
    pub(crate) fn tell_news(&mut self) {
        let news = self.containers.take_news();
        if news.is_empty() {
            return;
        }
        let news: FxHashSet<Vec<u8>> = news.into_iter().collect();
        for entry in &mut self.entries {
            let old = entry.process.container.as_ref();
            let keys = [
                self.containers.key(entry.cgroup),
                old.map(|container| &container.id[..]),
            ];
            let key = keys.iter().flatten().find(|&&key| news.contains(key));
            let Some(new) = key.and_then(|key| self.containers.get(key)) else {
                continue;
            };
            self.serial += 1;
            entry.process.container = Some(new);
            entry.process.serial = self.serial;
        }
    }
}
