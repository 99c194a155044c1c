//! Container runtimes, asked beside the capture.
//!
//! A thread for each runtime, named after it, with a bounded queue of questions and one of
//! answers for all. A runtime that is not there is asked all the same, which costs a failing
//! connect(2); one that hangs, dies or talks nonsense leaves its thread waiting and nobody
//! else, and is asked again about what it has not answered.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::thread;
use std::time::Duration;

use pktwho_packet::Container;
use rustc_hash::FxHashSet;

use crate::containerd::Containerd;
use crate::cri::Cri;
use crate::docker::Docker;
use crate::news::{self, News, Renamed};
use crate::podman::Podman;

/// Where runtimes are asked; `None`: at their usual places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    pub docker: Option<PathBuf>,
    pub containerd: Option<PathBuf>,
    pub cri: Option<PathBuf>,
    pub podman: Option<PathBuf>,
}

/// Docker's place: `/var/run` is a link to `/run`, but not in an image that holds us alone.
const DOCKER: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];
const CONTAINERD: &str = "/run/containerd/containerd.sock";
const PODMAN: &str = "/run/podman/podman.sock";

/// Questions that may wait for a runtime; more are taken as answered with nothing.
const QUESTIONS: usize = 4096;
/// Answers that may wait for the main loop; the runtimes' threads wait then.
const ANSWERS: usize = 1024;
/// When a runtime that has failed is asked again, and how often.
const RETRY: Duration = Duration::from_millis(500);
const RETRIES: u32 = 240;
/// So often the time until then is doubled for one that keeps ending its stream of news.
const CUTS: u32 = 5;
/// Containers whose answer is remembered by a runtime's thread.
const REMEMBERED: usize = 65_536;

/// A container as a runtime tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is met by: its id, or where cgroups do not show that, its cgroup's path.
    pub key: Vec<u8>,
    pub container: Container,
}

impl From<Container> for Told {
    fn from(container: Container) -> Self {
        Self {
            key: container.id.clone(),
            container,
        }
    }
}

/// Whether a key is a cgroup's path.
pub fn is_path(key: &[u8]) -> bool {
    key.starts_with(b"/")
}

/// A container runtime that can be asked.
pub trait Runtime {
    /// All its containers.
    ///
    /// # Errors
    /// It is not there, or does not answer as it should in good time.
    fn list(&mut self) -> io::Result<Vec<Told>>;

    /// The container with this key, or several that have the same id.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    fn find(&mut self, key: &[u8]) -> io::Result<Vec<Told>>;

    /// Whether it can tell of a container by the path of its cgroup.
    fn knows_paths(&self) -> bool {
        false
    }

    /// What it tells unasked from now on, if anything.
    fn news(&self) -> Option<Box<dyn News + Send>> {
        None
    }
}

/// What a runtime's thread is told.
#[derive(Debug)]
pub enum Question {
    /// What is the container with this key?
    About(Vec<u8>),
    /// It is called otherwise by now, or is new.
    Renamed(Renamed),
    /// It is new, and this is all that is to be said of it.
    Came(Box<Container>),
    /// Whatever has changed from now on is not heard of.
    Cut,
}

/// What a runtime has to say of a container.
#[derive(Debug)]
pub struct Answer {
    /// The runtime's number, below [`Runtimes::count`].
    pub from: usize,
    /// Empty: of all containers that there are it has told by now.
    pub key: Vec<u8>,
    /// `None`: it does not know it, or cannot be asked now.
    pub container: Option<Box<Container>>,
    /// `false`: it could not be asked and will be again.
    pub is_final: bool,
}

/// The runtimes; those that count most come last.
#[derive(Debug)]
pub struct Runtimes {
    questions: Vec<SyncSender<Question>>,
    /// Those that know cgroups' paths, a bit each.
    know_paths: u32,
    answers: Receiver<Answer>,
}

impl Runtimes {
    /// Starts to ask. Where the system has no thread for a runtime it is not asked.
    /// Each thread calls `begin` with its name first.
    pub fn start(addresses: &Addresses, begin: fn(&str)) -> Self {
        let at = |given: &Option<PathBuf>, usual: &str| {
            let given = given.as_deref().map(without_scheme);
            given.unwrap_or_else(|| Path::new(usual)).to_owned()
        };
        let podman = Podman::new(at(&addresses.podman, PODMAN));
        let docker = Docker {
            socket: at(&addresses.docker, usual_docker()),
            is_podman: false,
        };
        let containerd = Containerd {
            socket: at(&addresses.containerd, CONTAINERD),
        };
        let cri = addresses.cri.as_deref().map(without_scheme);
        let cri = Cri::new(cri.map(Path::to_owned));
        let runtimes: Vec<(&'static str, Box<dyn Runtime + Send>)> = vec![
            ("containerd", Box::new(containerd)),
            ("podman", Box::new(podman)),
            ("docker", Box::new(docker)),
            ("cri", Box::new(cri)),
        ];
        Self::of(runtimes, begin)
    }

    /// Starts to ask these.
    pub(crate) fn of(
        runtimes: Vec<(&'static str, Box<dyn Runtime + Send>)>,
        begin: fn(&str),
    ) -> Self {
        let (sender, answers) = sync_channel(ANSWERS);
        let mut questions = Vec::new();
        let mut know_paths = 0;
        for (name, runtime) in runtimes {
            let (ask, asked) = sync_channel(QUESTIONS);
            let bit = u32::from(runtime.knows_paths()) << questions.len();
            let mut worker = Worker {
                name: name.to_owned(),
                runtime,
                from: questions.len(),
                questions: asked,
                news_to: ask.clone(),
                hearing: Hearing::default(),
                answers: sender.clone(),
                told: FxHashSet::default(),
                open: VecDeque::new(),
            };
            let started = thread::Builder::new().name(name.into()).spawn(move || {
                begin(name);
                let _ = worker.run();
            });
            if started.is_ok() {
                questions.push(ask);
                know_paths |= bit;
            }
        }
        Self {
            questions,
            know_paths,
            answers,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.questions.len()
    }

    /// Asks about a container all that may know it but those in `told`. A set bit: that runtime
    /// will answer.
    pub fn ask(&self, key: &[u8], mut told: u32) -> u32 {
        if is_path(key) {
            told |= !self.know_paths;
        }
        let mut asked = 0;
        for (place, questions) in self.questions.iter().enumerate() {
            if told & 1 << place != 0 {
                continue;
            }
            match questions.try_send(Question::About(key.to_vec())) {
                Ok(()) => asked |= 1 << place,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        }
        asked
    }

    /// The next answer, if one comes in this time.
    pub fn answer(&self, within: Duration) -> Option<Answer> {
        if within.is_zero() {
            self.answers.try_recv().ok()
        } else {
            self.answers.recv_timeout(within).ok()
        }
    }
}

/// Where Docker listens unless it is said.
fn usual_docker() -> &'static str {
    let [usual, other] = DOCKER;
    let is_there = |path: &str| Path::new(path).parent().is_some_and(Path::is_dir);
    if is_there(usual) { usual } else { other }
}

/// `unix:///run/x.sock` and `/run/x.sock` are the same.
fn without_scheme(path: &Path) -> &Path {
    let text = path.to_str().and_then(|text| text.strip_prefix("unix://"));
    text.map_or(path, Path::new)
}

/// The main loop has gone.
struct Gone;

/// Whether a runtime's news are heard.
#[derive(Debug, Default)]
struct Hearing {
    /// Somebody listens to it.
    is_on: bool,
    /// It was cut, and what has been missed is to be asked for.
    is_cut: bool,
    /// How often it was cut since anything was heard.
    cuts: u32,
}

struct Worker {
    name: String,
    runtime: Box<dyn Runtime + Send>,
    from: usize,
    questions: Receiver<Question>,
    /// For whoever listens to its news.
    news_to: SyncSender<Question>,
    hearing: Hearing,
    answers: SyncSender<Answer>,
    /// Of these all has been said.
    told: FxHashSet<Vec<u8>>,
    /// Asked while the runtime could not be, and how often.
    open: VecDeque<(Vec<u8>, u32)>,
}

impl Worker {
    fn run(&mut self) -> Result<(), Gone> {
        // What fails now is asked again when somebody wants to know.
        let _ = self.tell_all()?;
        self.deny(Vec::new(), true)?;
        loop {
            let first = if self.open.is_empty() && !self.hearing.is_cut {
                self.questions.recv().map_err(|_| Gone)?
            } else {
                match self.questions.recv_timeout(self.pause()) {
                    Ok(question) => question,
                    Err(RecvTimeoutError::Timeout) => {
                        self.retry()?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return Err(Gone),
                }
            };
            let mut asked = Vec::new();
            self.hear(first, &mut asked)?;
            loop {
                match self.questions.try_recv() {
                    Ok(question) => self.hear(question, &mut asked)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Err(Gone),
                }
            }
            self.reply(asked)?;
        }
    }

    /// When to ask again what could not be asked, or was missed.
    fn pause(&self) -> Duration {
        if self.open.is_empty() {
            RETRY * (1 << self.hearing.cuts.min(CUTS))
        } else {
            RETRY
        }
    }

    /// Takes note of what is told, and of what is asked.
    fn hear(&mut self, question: Question, asked: &mut Vec<Vec<u8>>) -> Result<(), Gone> {
        match question {
            Question::About(key) => {
                if is_path(&key) {
                    // Another container may have it by now.
                    self.told.remove(&key);
                }
                asked.push(key);
            }
            Question::Renamed(renamed) => {
                self.hearing.cuts = 0;
                self.hear_name(renamed)?;
            }
            Question::Came(container) => {
                self.hearing.cuts = 0;
                // What was asked for since is younger than what is told once more.
                if !self.told.contains(&container.id) {
                    self.tell(Told::from(*container))?;
                }
            }
            Question::Cut => {
                self.hearing.is_on = false;
                self.hearing.is_cut = true;
                self.hearing.cuts += 1;
            }
        }
        Ok(())
    }

    /// Tells of a container of which something else is to be said.
    fn hear_name(&mut self, renamed: Renamed) -> Result<(), Gone> {
        let Renamed { id, name } = renamed;
        match self.runtime.find(&id) {
            Ok(found) => {
                for mut told in found {
                    if !name.is_empty() && told.container.pod.is_none() {
                        told.container.name.clone_from(&name);
                    }
                    self.tell(told)?;
                }
            }
            Err(_) => self.hearing.is_cut = true,
        }
        Ok(())
    }

    /// Listens to a runtime that has answered.
    fn listen(&mut self) {
        if !self.hearing.is_on
            && let Some(news) = self.runtime.news()
        {
            self.hearing.is_on = true;
            news::listen(&self.name, news, self.news_to.clone());
        }
    }

    /// Answers questions: of one container by asking for it, of several by asking for all.
    fn reply(&mut self, mut asked: Vec<Vec<u8>>) -> Result<(), Gone> {
        for key in asked.extract_if(.., |key| self.told.contains(key)) {
            // Said before, so that only the end of the waiting is news.
            self.deny(key, true)?;
        }
        let outcome = match asked.as_slice() {
            [] => return Ok(()),
            [key] if !self.hearing.is_cut => match self.runtime.find(key) {
                Ok(found) => self.tell_of(found).map(Ok)?,
                Err(error) => Err(error),
            },
            _ => self.tell_all()?,
        };
        if outcome.is_ok() {
            self.listen();
        }
        for key in asked {
            if self.told.contains(&key) {
                continue;
            }
            let is_final = !outcome.as_ref().is_err_and(is_worth_asking);
            if !is_final {
                if self.open.len() >= QUESTIONS
                    && let Some((oldest, _)) = self.open.pop_front()
                {
                    self.deny(oldest, true)?;
                }
                self.open.push_back((key.clone(), RETRIES));
            }
            self.deny(key, is_final)?;
        }
        Ok(())
    }

    /// Says that there is nothing to be said, for good or now.
    fn deny(&self, key: Vec<u8>, is_final: bool) -> Result<(), Gone> {
        let answer = Answer {
            from: self.from,
            key,
            container: None,
            is_final,
        };
        self.answers.send(answer).map_err(|_| Gone)
    }

    fn retry(&mut self) -> Result<(), Gone> {
        let outcome = self.tell_all()?;
        self.hearing.cuts += u32::from(outcome.is_err());
        for _ in 0..self.open.len() {
            let Some((key, left)) = self.open.pop_front() else {
                break;
            };
            if outcome.is_err() && left > 1 {
                self.open.push_back((key, left - 1));
            } else if !self.told.contains(&key) {
                self.deny(key, true)?;
            }
        }
        Ok(())
    }

    fn tell_all(&mut self) -> Result<io::Result<()>, Gone> {
        match self.runtime.list() {
            Ok(list) => {
                self.tell_of(list)?;
                self.hearing.is_cut = false;
                self.listen();
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    fn tell_of(&mut self, found: Vec<Told>) -> Result<(), Gone> {
        found.into_iter().try_for_each(|told| self.tell(told))
    }

    fn tell(&mut self, told: Told) -> Result<(), Gone> {
        if self.told.len() >= REMEMBERED {
            self.told.clear();
        }
        self.told.insert(told.key.clone());
        let answer = Answer {
            from: self.from,
            key: told.key,
            container: Some(Box::new(told.container)),
            is_final: true,
        };
        self.answers.send(answer).map_err(|_| Gone)
    }
}

/// One that has never been there may be left alone: it is asked about the next container.
fn is_worth_asking(error: &io::Error) -> bool {
    error.kind() != ErrorKind::NotFound
}
