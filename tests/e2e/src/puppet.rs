//! Conducting puppets: processes that do one thing with a socket at a time, each thing
//! entered in the log of the truth as it is done (see `programs/puppet.c`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::dissect::Tag;
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
    /// The inode number of its network namespace.
    netns: u64,
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
    /// Its inode number.
    inode: u64,
    /// The listener that it was accepted from.
    listener: Option<u64>,
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

    /// The tag in what `recvfrom` received.
    fn tag(&self) -> Option<Tag> {
        let [_, _, pid, number] = self.words.as_slice() else {
            return None;
        };
        let (pid, number) = (pid.parse().ok()?, number.parse().ok()?);
        (pid != 0).then_some(Tag { pid, number })
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
        self.log.borrow_mut().image(Image::of(pid, span)?);
        let netns = fs::metadata(format!("/proc/{pid}/ns/net"))?.ino();
        Ok(Puppet {
            pid,
            netns,
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
        self.act(&format!("take {slot}"))?;
        let socket = *giver.sockets.get(&slot).context("no such socket")?;
        self.sockets.insert(slot, socket);
        Ok(())
    }

    /// The address of the socket in a slot.
    pub fn local(&self, slot: u32) -> Result<SocketAddr> {
        let socket = self.sockets.get(&slot).context("no such socket")?;
        socket.local.context("no address yet")
    }

    /// Its peer's address.
    pub fn remote(&self, slot: u32) -> Result<SocketAddr> {
        let socket = self.sockets.get(&slot).context("no such socket")?;
        socket.remote.context("not connected")
    }

    /// Sends a signal and waits until the process is gone.
    pub fn signal(mut self, signal: Signal) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            bail!("not a child of ours");
        };
        kill(Pid::from_raw(i32::try_from(self.pid)?), signal)?;
        child.wait()?;
        self.handed_over = true;
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
        let slot = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        if !self.enter_sending(words, slot, answer)? {
            self.enter_other(words, slot, answer)?;
        }
        Ok(())
    }

    /// Sockets made, addresses given and taken, what is received.
    fn enter_other(&mut self, words: &[&str], slot: u32, answer: &Answer) -> Result<()> {
        let span = answer.span;
        match *words {
            ["socket", _, kind, family, ..] => {
                let number = words.get(4).and_then(|word| word.parse().ok());
                let fresh = Socket {
                    inode: inode(self.pid, answer.number()?)?,
                    listener: None,
                    protocol: protocol(kind, number)?,
                    local: None,
                    remote: None,
                };
                self.sockets.insert(slot, fresh);
                // A raw socket receives from now on.
                if let Protocol::Raw(number) = fresh.protocol {
                    self.assume(slot, family == "6", u16::from(number))?;
                    self.used(slot, span, false)?;
                }
            }
            ["accept", _, to, ..] => {
                let listener = *self.sockets.get(&slot).context("no such socket")?;
                self.note(listener, span, true);
                let accepted = Socket {
                    inode: inode(self.pid, answer.number()?)?,
                    listener: Some(listener.inode),
                    ..listener
                };
                self.sockets.insert(to.parse()?, accepted);
                self.used(to.parse()?, span, true)?;
            }
            ["bind", _, ip, port] => {
                // TCP sockets that are only bound are in no table.
                let socket = self.sockets.get_mut(&slot).context("no such socket")?;
                socket.local = Some(SocketAddr::new(ip.parse()?, port.parse()?));
                self.used(slot, span, false)?;
            }
            [
                "connect" | "listen" | "recv" | "recvfrom" | "shutdown" | "splicerecv",
                ..,
            ]
            | ["uring", _, "recv", ..] => {
                let connects = words.first() == Some(&"connect");
                self.used(slot, span, connects)?;
                if let Some(tag) = answer.tag() {
                    let inode = self.sockets.get(&slot).map_or(0, |socket| socket.inode);
                    let mut log = self.log.borrow_mut();
                    log.received.entry(tag).or_default().push((inode, self.pid));
                }
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

    /// What is sent; whether that was such a command.
    fn enter_sending(&mut self, words: &[&str], slot: u32, answer: &Answer) -> Result<bool> {
        let span = answer.span;
        match *words {
            ["send" | "sendto" | "threadsend" | "sendfile" | "splice", ..]
            | ["uring", _, "send", ..] => {
                self.used(slot, span, false)?;
                self.sent(answer, 1)?;
            }
            ["echo", _, address, identifier, ..] => {
                let socket = *self.sockets.get(&slot).context("no such socket")?;
                let asked = addresses(self.pid, socket)?.context("no such socket")?;
                // A ping socket's port is the identifier it sends; a raw one sends any.
                let own = asked.0.port();
                let identifier = if matches!(own, 1 | 58) {
                    identifier.parse()?
                } else {
                    own
                };
                self.assume(slot, address.contains(':'), identifier)?;
                self.used(slot, span, false)?;
                self.sent(answer, 1)?;
            }
            ["craft", _, kind, from, port, ..] => {
                let from = SocketAddr::new(from.parse()?, port.parse()?);
                let protocol = protocol(kind, None)?;
                self.log.borrow_mut().crafted(protocol, from, self.pid);
                self.sent(answer, 1)?;
            }
            ["spray", _, _, _, count, _] => {
                self.used(slot, span, false)?;
                self.sent(answer, count.parse()?)?;
            }
            ["swarm", _, _, _, file] => {
                self.used(slot, span, false)?;
                self.swarm(span, file)?;
            }
            ["once", pid, program, address, port] => {
                let arguments = ["once", "udp", address, port];
                let mut log = self.log.borrow_mut();
                log.vanished(
                    Path::new(program),
                    &arguments,
                    pid.parse()?,
                    self.pid,
                    span.begin,
                )?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Enters that the last `count` payloads must be seen.
    fn sent(&self, answer: &Answer, count: u32) -> Result<()> {
        let last: u32 = answer.words.get(1).context("no number")?.parse()?;
        let (pid, time) = (self.pid, answer.span.begin);
        let numbers = last.saturating_sub(count)..last;
        let sent = numbers.map(|before| Sent {
            pid,
            number: before + 1,
            time,
        });
        self.log.borrow_mut().sent.extend(sent);
        Ok(())
    }

    /// Enters the children that a `swarm` has listed in a file, and what each of them sent.
    fn swarm(&self, span: Span, file: &str) -> Result<()> {
        let mut log = self.log.borrow_mut();
        for line in fs::read_to_string(file)?.lines() {
            let (pid, number) = line.split_once(' ').context("no number")?;
            let (pid, number) = (pid.parse()?, number.parse()?);
            log.forked(self.pid, pid, span);
            log.sent.push(Sent {
                pid,
                number,
                time: span.begin,
            });
        }
        Ok(())
    }

    /// Takes a socket for bound to every address and this port.
    fn assume(&mut self, slot: u32, six: bool, port: u16) -> Result<()> {
        let socket = self.sockets.get_mut(&slot).context("no such socket")?;
        let any: IpAddr = if six {
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        };
        socket.local = Some(SocketAddr::new(any, port));
        Ok(())
    }

    /// Enters a use of a socket, whose addresses the kernel's tables tell.
    fn used(&mut self, slot: u32, span: Span, may_change: bool) -> Result<()> {
        let pid = self.pid;
        let socket = self.sockets.get_mut(&slot).context("no such socket")?;
        // The tables take milliseconds to read, and only a first send, connect and accept
        // change what they say.
        if (socket.local.is_none() || may_change)
            && let Some((local, remote)) = addresses(pid, *socket)?
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
        self.log.borrow_mut().used(Use {
            socket: socket.inode,
            listener: socket.listener,
            netns: self.netns,
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

/// What the words of a `socket` command open.
fn protocol(kind: &str, number: Option<u8>) -> Result<Protocol> {
    Ok(match (kind, number) {
        ("tcp" | "mptcp", _) => Protocol::Tcp,
        ("udp", _) => Protocol::Udp,
        ("ping", _) | ("raw", Some(1 | 58)) => Protocol::Echo,
        ("raw", Some(number)) => Protocol::Raw(number),
        ("header", _) => Protocol::Raw(255),
        _ => bail!("no socket is called {kind}"),
    })
}

/// The number by which all holders know a socket.
fn inode(pid: u32, fd: i32) -> Result<u64> {
    let link = fs::read_link(format!("/proc/{pid}/fd/{fd}"))?;
    let link = link.to_string_lossy();
    let inode = link
        .strip_prefix("socket:[")
        .and_then(|rest| rest.strip_suffix(']'));
    Ok(inode.context("no socket")?.parse()?)
}

/// Both addresses of a process's socket from the tables in `/proc`, which ask the socket
/// nothing; `None` when it is in none. An address without a port is none.
fn addresses(pid: u32, socket: Socket) -> Result<Option<(SocketAddr, Option<SocketAddr>)>> {
    let inode = socket.inode.to_string();
    let tables: &[&str] = match socket.protocol {
        Protocol::Tcp => &["tcp", "tcp6"],
        Protocol::Udp => &["udp", "udp6"],
        Protocol::Echo => &["icmp", "icmp6", "raw", "raw6"],
        Protocol::Raw(_) => &["raw", "raw6"],
    };
    for table in tables {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}"))?;
        for row in text.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            if columns.get(9) == Some(&inode.as_str()) {
                let local = columns.get(1).and_then(|text| address(text));
                let remote = columns.get(2).and_then(|text| address(text));
                let remote = remote.filter(|remote| remote.port() != 0);
                return Ok(local.map(|local| (local, remote)));
            }
        }
    }
    Ok(None)
}

/// An address as `/proc/net/tcp` spells it: words of four bytes in the machine's order. IPv4 in
/// IPv6 is IPv4.
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
    Some(SocketAddr::new(ip.to_canonical(), port))
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
