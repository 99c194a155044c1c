//! Conducting puppets: processes that do one thing with a socket at a time, each thing
//! entered in the log of the truth as it is done (see `programs/puppet.c`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{PATIENCE, until};
use crate::netns::Netns;
use crate::truth::{Image, Log, Protocol, Sent, Span, Use};

/// Where puppets of one show join, and the log they are entered in.
pub struct Theatre {
    listener: UnixListener,
    path: PathBuf,
    pub log: Rc<RefCell<Log>>,
}

/// One process under control.
pub struct Puppet {
    pub pid: u32,
    lines: BufReader<UnixStream>,
    sockets: HashMap<u32, Socket>,
    log: Rc<RefCell<Log>>,
    begun: Option<String>,
    /// The child this process is, when we started it ourselves and not a puppet.
    child: Option<Child>,
    /// Another value conducts this process now.
    handed_over: bool,
}

#[derive(Clone, Copy)]
struct Socket {
    fd: i32,
    protocol: Protocol,
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
}

/// A command's answer.
pub struct Answer {
    pub span: Span,
    pub words: Vec<String>,
}

impl Answer {
    /// What the system call returned.
    pub fn number(&self) -> Result<i32> {
        Ok(self.words.first().context("no number")?.parse()?)
    }

    /// Whom `recvfrom` received from.
    pub fn peer(&self) -> Result<SocketAddr> {
        Ok(self.words.get(1).context("no peer")?.parse()?)
    }
}

impl Theatre {
    /// A new one with an empty log; puppets join at `path`, which must not exist yet.
    pub fn open(path: &Path) -> Result<Self> {
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            path: path.to_path_buf(),
            log: Rc::default(),
        })
    }

    /// Starts a program in the namespace and waits until it has joined.
    pub fn enter(&self, program: &Path, netns: &Netns) -> Result<Puppet> {
        let path = &self.path;
        let child = netns.within(|| {
            let mut command = Command::new(program);
            Ok(command.arg(path).stdin(Stdio::null()).spawn()?)
        })?;
        let mut puppet = self.joined(child.id(), None)?;
        puppet.child = Some(child);
        Ok(puppet)
    }

    /// The child that `parent` forks, with all its sockets.
    pub fn fork(&self, parent: &mut Puppet) -> Result<Puppet> {
        let answer = parent.act("fork")?;
        let pid = answer.words.first().context("no pid")?.parse()?;
        let mut child = self.joined(pid, Some(answer.span.begin))?;
        child.sockets.clone_from(&parent.sockets);
        Ok(child)
    }

    /// The same process after it became another program, with all its sockets.
    pub fn exec(&self, mut puppet: Puppet, program: &Path) -> Result<Puppet> {
        let begin = realtime()?;
        writeln!(puppet.lines.get_mut(), "exec {}", program.display())?;
        let mut new = self.joined(puppet.pid, Some(begin))?;
        new.sockets = std::mem::take(&mut puppet.sockets);
        new.child = puppet.child.take();
        puppet.handed_over = true;
        Ok(new)
    }

    /// Waits for the process to join and enters what the kernel says of it.
    fn joined(&self, pid: u32, begin: Option<i64>) -> Result<Puppet> {
        let stream = until("a puppet joins", PATIENCE, || {
            match self.listener.accept() {
                Ok((stream, _)) => Ok(Some(stream)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error.into()),
            }
        })?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream);
        let mut hello = String::new();
        lines.read_line(&mut hello)?;
        let words: Vec<&str> = hello.split_whitespace().collect();
        let ["hello", time, said, _] = words[..] else {
            bail!("unexpected greeting {hello:?}");
        };
        ensure!(said == pid.to_string(), "process {said} joined, not {pid}");
        let end = time.parse()?;
        let span = Span {
            begin: begin.unwrap_or(0),
            end,
        };
        self.log.borrow_mut().images.push(Image::of(pid, span)?);
        Ok(Puppet {
            pid,
            lines,
            sockets: HashMap::new(),
            log: Rc::clone(&self.log),
            begun: None,
            child: None,
            handed_over: false,
        })
    }
}

impl Puppet {
    /// Does one thing and waits until it is done.
    pub fn act(&mut self, command: &str) -> Result<Answer> {
        self.begin(command)?;
        self.end()
    }

    /// Does several things, one after the other.
    pub fn acts(&mut self, commands: &[&str]) -> Result<()> {
        for command in commands {
            self.act(command)?;
        }
        Ok(())
    }

    /// Begins a thing that may take until another process has done its part.
    pub fn begin(&mut self, command: &str) -> Result<()> {
        ensure!(self.begun.is_none(), "{command}: still busy");
        writeln!(self.lines.get_mut(), "{command}")?;
        self.begun = Some(command.to_owned());
        Ok(())
    }

    /// Waits until the thing begun is done, and enters it in the log.
    pub fn end(&mut self) -> Result<Answer> {
        let command = self.begun.take().context("nothing was begun")?;
        let answer = self.answer(&command)?;
        let words: Vec<&str> = command.split_whitespace().collect();
        self.enter(&words, &answer)
            .with_context(|| format!("after {command}"))?;
        Ok(answer)
    }

    /// Whether an answer lies ready for `end`.
    pub fn done(&mut self) -> Result<bool> {
        if !self.lines.buffer().is_empty() {
            return Ok(true);
        }
        self.lines.get_ref().set_nonblocking(true)?;
        let ready = match self.lines.fill_buf() {
            Ok(bytes) => Ok(!bytes.is_empty()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        };
        self.lines.get_ref().set_nonblocking(false)?;
        ready
    }

    /// Takes the socket that `giver` passed to the mailbox into the same slot.
    pub fn receive(&mut self, giver: &Self, slot: u32) -> Result<()> {
        let fd = self.act(&format!("take {slot}"))?.number()?;
        let socket = *giver.sockets.get(&slot).context("no such socket")?;
        self.sockets.insert(slot, Socket { fd, ..socket });
        Ok(())
    }

    /// Leaves without closing its sockets first.
    pub fn exit(mut self) -> Result<()> {
        writeln!(self.lines.get_mut(), "exit")?;
        if let Some(mut child) = self.child.take() {
            child.wait()?;
            return Ok(());
        }
        // A puppet's own child, reaped by its parent.
        self.handed_over = true;
        let path = format!("/proc/{}", self.pid);
        until("a puppet leaves", PATIENCE, || {
            Ok((!Path::new(&path).exists()).then_some(()))
        })
    }

    fn answer(&mut self, command: &str) -> Result<Answer> {
        let mut line = String::new();
        self.lines
            .read_line(&mut line)
            .with_context(|| format!("no answer to {command:?}"))?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (verdict, begin, end) = (words.next(), words.next(), words.next());
        let span = Span {
            begin: begin.context("the puppet is gone")?.parse()?,
            end: end.context("no time")?.parse()?,
        };
        let words: Vec<String> = words.collect();
        ensure!(
            verdict.as_deref() == Some("ok"),
            "{command}: {}",
            words.join(" ")
        );
        Ok(Answer { span, words })
    }

    /// What a command that is done says about who uses which socket.
    fn enter(&mut self, words: &[&str], answer: &Answer) -> Result<()> {
        let span = answer.span;
        let slot = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        match *words {
            ["socket", _, kind, _] => {
                let protocol = if kind == "tcp" {
                    Protocol::Tcp
                } else {
                    Protocol::Udp
                };
                let fresh = Socket {
                    fd: answer.number()?,
                    protocol,
                    local: None,
                    remote: None,
                };
                self.sockets.insert(slot, fresh);
            }
            ["accept", _, to, ..] => {
                let listener = *self.sockets.get(&slot).context("no such socket")?;
                self.note(listener, span, true);
                let accepted = Socket {
                    fd: answer.number()?,
                    ..listener
                };
                self.sockets.insert(to.parse()?, accepted);
                self.used(to.parse()?, span, true)?;
            }
            ["send" | "sendto" | "threadsend", ..] => {
                self.used(slot, span, false)?;
                let number = answer.words.get(1).context("no number")?.parse()?;
                self.log.borrow_mut().sent.push(Sent {
                    pid: self.pid,
                    number,
                    time: span.begin,
                });
            }
            ["bind", _, ip, port] => {
                // TCP sockets that are only bound are in no table.
                let socket = self.sockets.get_mut(&slot).context("no such socket")?;
                socket.local = Some(SocketAddr::new(ip.parse()?, port.parse()?));
                self.used(slot, span, false)?;
            }
            ["connect" | "listen" | "recv" | "recvfrom" | "shutdown", ..] => {
                let connects = words.first() == Some(&"connect");
                self.used(slot, span, connects)?;
                if connects {
                    let socket = *self.sockets.get(&slot).context("no such socket")?;
                    self.log.borrow_mut().connected(
                        socket.protocol,
                        socket.local,
                        socket.remote,
                        span,
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Enters a use of a socket, whose addresses the kernel's tables tell.
    fn used(&mut self, slot: u32, span: Span, may_change: bool) -> Result<()> {
        let pid = self.pid;
        let socket = self.sockets.get_mut(&slot).context("no such socket")?;
        // The tables take milliseconds to read, and only a first send, connect and accept
        // change what they say.
        if (socket.local.is_none() || may_change)
            && let Some((local, remote)) = addresses(pid, socket.fd, socket.protocol)?
        {
            socket.local = Some(local);
            socket.remote = remote;
        }
        let socket = *socket;
        self.note(socket, span, false);
        Ok(())
    }

    fn note(&self, socket: Socket, span: Span, waits: bool) {
        let Some(local) = socket.local else { return };
        self.log.borrow_mut().uses.push(Use {
            protocol: socket.protocol,
            local,
            remote: socket.remote,
            pid: self.pid,
            span,
            waits,
        });
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        if self.handed_over {
            return;
        }
        if let Some(mut child) = self.child.take() {
            // Nothing is to be told when it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        } else if let Ok(pid) = i32::try_from(self.pid) {
            // A puppet's own child, which may wait in accept; its parent reaps it. Its sockets
            // close before it is gone.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            let path = format!("/proc/{pid}");
            let _ = until("a puppet leaves", PATIENCE, || {
                Ok((!Path::new(&path).exists()).then_some(()))
            });
        }
    }
}

/// Nanoseconds since the epoch, the clock of packets and puppets alike.
pub fn realtime() -> Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_nanos())?)
}

/// Both addresses of a process's socket from the tables in `/proc`, which ask the socket
/// nothing; `None` when it is in none. An address without a port is none.
fn addresses(
    pid: u32,
    fd: i32,
    protocol: Protocol,
) -> Result<Option<(SocketAddr, Option<SocketAddr>)>> {
    let link = fs::read_link(format!("/proc/{pid}/fd/{fd}"))?;
    let link = link.to_string_lossy();
    let inode = link
        .strip_prefix("socket:[")
        .and_then(|rest| rest.strip_suffix(']'))
        .context("no socket")?;
    let tables = match protocol {
        Protocol::Tcp => ["tcp", "tcp6"],
        Protocol::Udp => ["udp", "udp6"],
    };
    for table in tables {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}"))?;
        for row in text.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            if columns.get(9) == Some(&inode) {
                let local = columns.get(1).and_then(|text| address(text));
                let remote = columns.get(2).and_then(|text| address(text));
                let remote = remote.filter(|remote| remote.port() != 0);
                return Ok(local.map(|local| (local, remote)));
            }
        }
    }
    Ok(None)
}

/// An address as `/proc/net/tcp` spells it: words of four bytes in the machine's order.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..ip.len()).step_by(8) {
        let word = u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip: IpAddr = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => v4.into(),
        Err(_) => <[u8; 16]>::try_from(bytes.as_slice()).ok()?.into(),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_kernel_tables() {
        let v4 = u32::from_ne_bytes([127, 0, 0, 1]);
        let expected = "127.0.0.1:8080".parse().ok();
        assert_eq!(address(&format!("{v4:08X}:1F90")), expected);
        let last = u32::from_ne_bytes([0, 0, 0, 1]);
        let v6 = format!("000000000000000000000000{last:08X}:0050");
        assert_eq!(address(&v6), "[::1]:80".parse().ok());
    }
}
