//! The thread that asks: many questions under way at once, each sent again or to the next server
//! when its time is up.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;

use super::super::ptr::{self, Answer};
use super::{Config, Found, UNDER_WAY};

/// The most datagrams taken from a socket before the others have their turn.
const BURST: usize = 64;

/// The state of the thread.
pub(super) struct Worker {
    config: Config,
    /// One for each server, connected: others are not heard.
    sockets: Vec<Option<UdpSocket>>,
    asked: Receiver<(IpAddr, Instant)>,
    tell: SyncSender<Found>,
    wake: Arc<OwnedFd>,
    under_way: Vec<Question>,
    random: RandomState,
    sent: u64,
}

struct Question {
    ip: IpAddr,
    since: Instant,
    message: Vec<u8>,
    /// How often it was sent; the servers take turns.
    tries: usize,
    until: Instant,
}

/// Nobody wants the names any more.
struct Over;

impl Worker {
    pub(super) fn new(
        config: Config,
        asked: Receiver<(IpAddr, Instant)>,
        tell: SyncSender<Found>,
        wake: Arc<OwnedFd>,
    ) -> Self {
        let sockets = config.servers.iter().map(|server| open(*server)).collect();
        Self {
            config,
            sockets,
            asked,
            tell,
            wake,
            under_way: Vec::new(),
            random: RandomState::new(),
            sent: 0,
        }
    }

    /// Works until nobody asks any more.
    pub(super) fn run(mut self) {
        while self.turn().is_ok() {}
    }

    fn turn(&mut self) -> Result<(), Over> {
        self.sleep();
        // Emptied before the questions are taken: one that comes later wakes again.
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.wake, &mut count);
        self.hear()?;
        self.hurry()?;
        self.start()
    }

    /// Waits for an answer, a question, or that a time is up.
    fn sleep(&self) {
        let mut fds = vec![PollFd::new(&self.wake, PollFlags::IN)];
        let open = self.sockets.iter().flatten();
        fds.extend(open.map(|socket| PollFd::new(socket, PollFlags::IN)));
        let now = Instant::now();
        let next = self.under_way.iter().map(|question| question.until).min();
        // A millisecond more, so that the time is up when we wake.
        let wait = next.map(|at| at.saturating_duration_since(now) + Duration::from_millis(1));
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        // Interrupted is as good as woken.
        let _ = poll(&mut fds, wait.as_ref());
    }

    /// Takes the answers that have come.
    fn hear(&mut self) -> Result<(), Over> {
        let mut buffer = [0; 4096];
        for server in 0..self.sockets.len() {
            for _ in 0..BURST {
                let Some(Some(socket)) = self.sockets.get(server) else {
                    break;
                };
                match socket.recv(&mut buffer) {
                    Ok(length) => {
                        let message = buffer.get(..length).unwrap_or_default();
                        self.answered(message)?;
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    // Refused, unreachable: those that it was to answer go on to the next.
                    Err(_) => self.unreachable(server),
                }
            }
        }
        Ok(())
    }

    fn answered(&mut self, message: &[u8]) -> Result<(), Over> {
        let heard = self.under_way.iter().enumerate();
        let heard = heard
            .map(|(at, question)| (at, ptr::answer(&question.message, message)))
            .find_map(|(at, answer)| Some((at, answer?)));
        let Some((at, answer)) = heard else {
            return Ok(());
        };
        let name = match answer {
            Answer::Name(name) => Some(name.into_boxed_str()),
            Answer::Nothing => None,
            Answer::Failed => {
                if let Some(question) = self.under_way.get_mut(at) {
                    question.until = Instant::now();
                }
                return Ok(());
            }
        };
        let question = self.under_way.swap_remove(at);
        self.done(&question, name)
    }

    fn unreachable(&mut self, server: usize) {
        let now = Instant::now();
        let count = self.sockets.len();
        for question in &mut self.under_way {
            if question.tries.saturating_sub(1) % count == server {
                question.until = now;
            }
        }
    }

    /// Sends again what has waited long enough, or gives up.
    fn hurry(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        let most = self.config.attempts * self.sockets.len();
        let mut at = 0;
        while let Some(question) = self.under_way.get_mut(at) {
            if question.until > now {
                at += 1;
            } else if question.tries < most {
                send(question, &self.sockets, self.config.timeout);
            } else {
                let question = self.under_way.swap_remove(at);
                self.done(&question, None)?;
            }
        }
        Ok(())
    }

    /// Takes new questions.
    fn start(&mut self) -> Result<(), Over> {
        while self.under_way.len() < UNDER_WAY {
            let (ip, since) = match self.asked.try_recv() {
                Ok(asked) => asked,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(Over),
            };
            self.sent += 1;
            let [high, low, ..] = self.random.hash_one(self.sent).to_ne_bytes();
            let id = u16::from_ne_bytes([high, low]);
            let mut question = Question {
                ip,
                since,
                message: ptr::question(id, ip),
                tries: 0,
                until: since,
            };
            send(&mut question, &self.sockets, self.config.timeout);
            self.under_way.push(question);
        }
        Ok(())
    }

    fn done(&self, question: &Question, name: Option<Box<str>>) -> Result<(), Over> {
        let found = Found {
            ip: question.ip,
            name,
            took: question.since.elapsed(),
        };
        self.tell.send(found).map_err(|_| Over)
    }
}

/// Sends to the server whose turn it is; when it cannot be sent, the next has its turn at once.
fn send(question: &mut Question, sockets: &[Option<UdpSocket>], timeout: Duration) {
    let server = question.tries % sockets.len().max(1);
    let socket = sockets.get(server).and_then(Option::as_ref);
    let sent = socket.is_some_and(|socket| socket.send(&question.message).is_ok());
    question.tries += 1;
    let wait = if sent { timeout } else { Duration::ZERO };
    question.until = Instant::now() + wait;
}

/// A socket that hears this server only.
fn open(server: SocketAddr) -> Option<UdpSocket> {
    let any: SocketAddr = if server.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0; 16], 0).into()
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(server).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
