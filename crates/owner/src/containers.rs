//! The table of containers: which cgroup is of which, and what the runtimes say of them.
//!
//! The kernel side tells of every cgroup that is made, with its path, and of every process that
//! moves into one, in time order with the packets; the path tells the container's id. Names and
//! labels come from the runtimes, which are asked when a container is met. What is told of a
//! container is replaced as a whole, so that whoever has it keeps what was true then.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pktwho_packet::Container;
use rustc_hash::FxHashMap;

use crate::cgroup;
use crate::runtimes::{Answer, Runtimes, is_path};

/// Cgroups that are remembered, as many as the kernel side can; and containers.
const CGROUPS: usize = 32_768;
const CONTAINERS: usize = 32_768;
/// How long a packet waits for what the runtimes say of a container: to be shown with it, and
/// to be chosen by it.
const PATIENCE: Duration = Duration::from_millis(300);
const FILTER_PATIENCE: Duration = Duration::from_secs(2);
/// What packets may wait at once, and for each second since the start, all of them together.
const WAITING: Duration = Duration::from_millis(600);
const SHARE: u32 = 10;

/// What is known of a cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    Unknown,
    /// It is of no container.
    None,
    In(Arc<Container>),
}

/// Every container met, by cgroup and by id.
///
/// One whose id is no mark has its cgroup's path as its key, and so has a cgroup of which a
/// runtime has yet to say whether it is a container's.
#[derive(Debug, Default)]
pub struct Containers {
    /// The key of the container, or that there is none.
    cgroups: FxHashMap<u64, Option<Vec<u8>>>,
    order: VecDeque<u64>,
    known: FxHashMap<Vec<u8>, Known>,
    met: VecDeque<Vec<u8>>,
    runtimes: Option<Runtimes>,
    /// Runtimes that have told of all their containers, or cannot.
    listed: u32,
    /// Containers of which more is known by now than processes have been told.
    news: Vec<Vec<u8>>,
    /// Cgroups that the filter is to be told of.
    changed: Vec<u64>,
    wait: Wait,
}

#[derive(Debug, Default)]
struct Known {
    /// All that is known, put together.
    container: Arc<Container>,
    /// What the path of its cgroup says.
    by_path: Container,
    /// What each runtime says, those that count most last.
    told: Vec<Option<Box<Container>>>,
    /// Runtimes that have been asked and have not answered, a bit each.
    pending: u32,
    /// Those that could not be asked and will be again.
    open: u32,
    /// A process has been seen in it.
    is_met: bool,
    /// A packet has waited for it.
    has_waited: bool,
    cgroups: Vec<u64>,
}

#[derive(Debug)]
struct Wait {
    began: Instant,
    spent: Duration,
    /// Runtimes that have let a packet wait in vain, and have not answered since.
    slow: u32,
    /// Packets are chosen by what the runtimes say.
    is_filter: bool,
}

impl Default for Wait {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            spent: Duration::ZERO,
            slow: 0,
            is_filter: false,
        }
    }
}

impl Wait {
    /// How long the next packet may wait.
    fn allowance(&self) -> Duration {
        let (once, times) = if self.is_filter {
            (FILTER_PATIENCE, 5)
        } else {
            (PATIENCE, 1)
        };
        let all = (WAITING + self.began.elapsed() / SHARE) * times;
        all.saturating_sub(self.spent).min(once)
    }
}

impl Containers {
    /// From now on containers that are met get names.
    pub fn ask(&mut self, runtimes: Runtimes) {
        self.wait = Wait {
            is_filter: self.wait.is_filter,
            ..Wait::default()
        };
        let all: Vec<Vec<u8>> = self.known.keys().cloned().collect();
        self.runtimes = Some(runtimes);
        for id in all {
            self.question(&id);
        }
    }

    /// From now on packets are chosen by what the runtimes say: more is lost by not waiting.
    pub fn be_patient(&mut self) {
        self.wait.is_filter = true;
    }

    /// What is known of a cgroup by now.
    pub fn home(&self, cgroup: u64) -> Home {
        match self.cgroups.get(&cgroup) {
            None => Home::Unknown,
            Some(None) => Home::None,
            Some(Some(key)) if is_path(key) => self.get(key).map_or(Home::None, Home::In),
            Some(Some(key)) => self.get(key).map_or(Home::Unknown, Home::In),
        }
    }

    /// Whether a runtime has yet to say whether a cgroup is a container's.
    pub fn is_doubtful(&self, cgroup: u64) -> bool {
        let key = self.key(cgroup).filter(|key| is_path(key));
        key.is_some_and(|key| !self.is_told(key))
    }

    /// The container of this key.
    pub fn get(&self, key: &[u8]) -> Option<Arc<Container>> {
        let known = self.known.get(key)?;
        known.is_container().then(|| Arc::clone(&known.container))
    }

    /// The key of the container of a cgroup, or of what may be one.
    pub fn key(&self, cgroup: u64) -> Option<&[u8]> {
        self.cgroups.get(&cgroup)?.as_deref()
    }

    /// Learns of a cgroup by its path.
    pub fn learn(&mut self, cgroup: u64, path: &[u8]) -> Home {
        let key = match cgroup::container_of(path) {
            Some(container) => Some(self.meet(container)),
            None => self.key_at(cgroup, path),
        };
        self.enter(cgroup, key);
        self.home(cgroup)
    }

    /// The key of a cgroup whose path tells of no container: that of one around it of which a
    /// runtime has told, or its own path when that may yet be told of.
    fn key_at(&mut self, cgroup: u64, path: &[u8]) -> Option<Vec<u8>> {
        if let Some(key) = self.key(cgroup).filter(|key| is_path(key)) {
            return Some(key.to_vec());
        }
        let ends = (1..path.len()).filter(|&end| path.get(end) == Some(&b'/'));
        let mut around = ends.filter_map(|end| path.get(..end));
        let key = around.find(|around| self.get(around).is_some());
        if let Some(key) = key {
            return Some(key.to_vec());
        }
        let may_be = cgroup::may_be_container(path) || self.known.contains_key(path);
        may_be.then(|| self.suspect(path))
    }

    /// Asks whether a cgroup that is new is a container's; its key.
    fn suspect(&mut self, path: &[u8]) -> Vec<u8> {
        let known = self.known_or_new(path);
        known.is_met = true;
        // Whoever had the path before is gone.
        let before = std::mem::take(&mut known.cgroups);
        if !before.is_empty() {
            *known = Known {
                is_met: true,
                ..Known::default()
            };
        }
        for cgroup in before {
            self.cgroups.remove(&cgroup);
            self.changed.push(cgroup);
        }
        if self.get(path).is_none() {
            self.question(path);
        }
        path.to_vec()
    }

    /// Learns that a cgroup is of the container of this key, or of none.
    fn enter(&mut self, cgroup: u64, key: Option<Vec<u8>>) {
        if self.cgroups.get(&cgroup) == Some(&key) {
            return;
        }
        if let Some(known) = key.as_ref().and_then(|key| self.known.get_mut(key)) {
            known.cgroups.push(cgroup);
        }
        if self.cgroups.insert(cgroup, key).is_none() {
            self.order.push_back(cgroup);
        }
        self.changed.push(cgroup);
        self.forget_oldest_cgroup();
    }

    fn forget_oldest_cgroup(&mut self) {
        if self.order.len() <= CGROUPS {
            return;
        }
        let Some(oldest) = self.order.pop_front() else {
            return;
        };
        if let Some(Some(id)) = self.cgroups.remove(&oldest)
            && let Some(known) = self.known.get_mut(&id)
        {
            known.cgroups.retain(|&cgroup| cgroup != oldest);
        }
        self.changed.push(oldest);
    }

    /// Takes note of a container in which there is a process, and asks for its name; its id.
    pub fn meet(&mut self, by_path: Container) -> Vec<u8> {
        let id = by_path.id.clone();
        let known = self.known_or_new(&id);
        if !known.is_met {
            known.is_met = true;
            known.by_path = by_path;
            known.put_together();
            self.question(&id);
        }
        id
    }

    /// Takes note of a path that may be a container's cgroup; its key.
    pub fn doubt(&mut self, path: &[u8]) -> Vec<u8> {
        if !self.known.contains_key(path) {
            self.known_or_new(path).is_met = true;
            self.question(path);
        }
        path.to_vec()
    }

    fn known_or_new(&mut self, id: &[u8]) -> &mut Known {
        if !self.known.contains_key(id) {
            self.met.push_back(id.to_vec());
            if self.met.len() > CONTAINERS
                && let Some(oldest) = self.met.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        self.known.entry(id.to_vec()).or_default()
    }

    fn question(&mut self, key: &[u8]) {
        if let Some(runtimes) = &self.runtimes
            && let Some(known) = self.known.get_mut(key)
        {
            let bits = known.told.iter().zip(0..);
            let told = bits.fold(0, |bits, (told, place)| {
                bits | u32::from(told.is_some()) << place
            });
            known.pending = runtimes.ask(key, told);
        }
    }

    /// Takes in what the runtimes have answered; whether a container is known better now.
    pub fn absorb(&mut self) -> bool {
        while let Some(answer) = self.answer(Duration::ZERO) {
            self.take_in(answer);
        }
        !self.news.is_empty()
    }

    fn answer(&self, within: Duration) -> Option<Answer> {
        self.runtimes.as_ref()?.answer(within)
    }

    fn take_in(&mut self, answer: Answer) {
        let Answer {
            from,
            key,
            container,
            is_final,
        } = answer;
        let bit = 1_u32.checked_shl(u32::try_from(from).unwrap_or(u32::MAX));
        let bit = bit.unwrap_or(0);
        self.wait.slow &= !bit;
        if key.is_empty() {
            self.listed |= bit;
        }
        if key.is_empty() || container.is_none() && !self.known.contains_key(&key) {
            return;
        }
        let known = self.known_or_new(&key);
        let was_told = known.pending | known.open == 0;
        known.pending &= !bit;
        known.open = if is_final {
            known.open & !bit
        } else {
            known.open | bit
        };
        if let Some(container) = container {
            if known.told.len() <= from {
                known.told.resize(from + 1, None);
            }
            if let Some(place) = known.told.get_mut(from) {
                *place = Some(container);
            }
        }
        let is_better = known.put_together();
        if is_better || !was_told {
            let cgroups = known.cgroups.clone();
            self.changed.extend(cgroups);
        }
        if is_better {
            self.news.push(key);
        }
    }

    /// Those in which there have been processes.
    pub fn met(&self) -> impl Iterator<Item = &Container> {
        let is_met = |known: &&Known| known.is_met && known.is_container();
        let met = self.known.values().filter(is_met);
        met.map(|known| &*known.container)
    }

    /// Whether every runtime has answered all questions.
    pub fn all_is_told(&self) -> bool {
        let is_listed = |runtimes: &Runtimes| self.listed.count_ones() as usize >= runtimes.count();
        self.runtimes.as_ref().is_none_or(is_listed)
            && self.known.values().all(|known| known.pending == 0)
    }

    /// Whether nobody has told of it and somebody may.
    pub fn is_unnamed(&self, id: &[u8]) -> bool {
        self.known.get(id).is_some_and(|known| {
            (known.pending | known.open) != 0
                && known.container.name.is_empty()
                && known.told.iter().all(Option::is_none)
        })
    }

    /// Whether all has been said that will be, or is waited for.
    pub fn is_told(&self, id: &[u8]) -> bool {
        let slow = self.wait.slow;
        self.known
            .get(id)
            .is_none_or(|known| known.has_waited || known.pending & !slow == 0)
    }

    /// Lets a packet wait until the runtimes have said what they know of a container: for a
    /// short while, once for each container, and for all of them a tenth of the time.
    pub fn wait_for(&mut self, id: &[u8]) {
        let allowance = self.wait.allowance();
        let begin = Instant::now();
        while !self.is_told(id) {
            let left = allowance.saturating_sub(begin.elapsed());
            if left.is_zero() {
                break;
            }
            match self.answer(left) {
                Some(answer) => self.take_in(answer),
                None => break,
            }
        }
        self.wait.spent += begin.elapsed();
        if let Some(known) = self.known.get_mut(id)
            && !known.has_waited
        {
            known.has_waited = true;
            self.wait.slow |= known.pending;
            self.changed.extend_from_slice(&known.cgroups);
        }
    }

    /// The keys of containers of which more is known than before.
    pub fn take_news(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.news)
    }

    /// The cgroups of which something else is known than before.
    pub fn take_changed(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.changed)
    }
}

impl Known {
    /// It is known for one.
    fn is_container(&self) -> bool {
        !self.container.id.is_empty()
    }

    /// Makes one of what has been said; whether it is another than before.
    fn put_together(&mut self) -> bool {
        let mut all = self.by_path.clone();
        for told in self.told.iter().flatten() {
            add(&mut all, told);
        }
        if *self.container == all {
            return false;
        }
        self.container = Arc::new(all);
        true
    }
}

/// What `more` says counts more.
fn add(all: &mut Container, more: &Container) {
    let replace = |old: &mut Vec<u8>, new: &Vec<u8>| {
        if !new.is_empty() {
            old.clone_from(new);
        }
    };
    replace(&mut all.id, &more.id);
    replace(&mut all.name, &more.name);
    replace(&mut all.image, &more.image);
    replace(&mut all.runtime, &more.runtime);
    if !more.labels.is_empty() {
        all.labels.clone_from(&more.labels);
    }
    if let Some(more) = &more.pod {
        let pod = all.pod.get_or_insert_default();
        replace(&mut pod.name, &more.name);
        replace(&mut pod.namespace, &more.namespace);
        replace(&mut pod.uid, &more.uid);
        if !more.labels.is_empty() {
            pod.labels.clone_from(&more.labels);
        }
        if !more.annotations.is_empty() {
            pod.annotations.clone_from(&more.annotations);
        }
    }
}

#[cfg(test)]
mod tests;
