//! Who talks to whom: each conversation has a port of its own, so that every packet of it tells
//! which ends it has, through bridges and translated addresses too.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Inside;
use super::host::PATIENCE;
use crate::lab::until;
use crate::netns::Netns;

/// One conversation and its ends; `None` is a process that is in no container.
#[derive(Clone, Debug)]
pub struct Talk {
    /// The server's, behind translation and before.
    pub ports: Vec<u16>,
    pub client: Option<Inside>,
    pub server: Option<Inside>,
}

/// Asks a server once and reads its answer to the end.
pub fn fetch(from: &Netns, address: &str, port: u16) -> Result<()> {
    from.within(|| {
        let mut stream = TcpStream::connect((address, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.contains("hello"), "the server says {answer:?}");
        Ok(())
    })
    .with_context(|| format!("{address} port {port}"))
}

/// Sends one datagram and waits for it to come back.
pub fn echoes(from: &Netns, address: &str, port: u16) -> Result<()> {
    from.within(|| {
        let socket = UdpSocket::bind(("0.0.0.0", 0))?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.connect((address, port))?;
        socket.send(b"hello")?;
        socket.recv(&mut [0; 16])?;
        Ok(())
    })
    .with_context(|| format!("{address} port {port}, UDP"))
}

/// Waits until a server answers.
pub fn serves(from: &Netns, address: &str, port: u16) -> Result<()> {
    let mut last = None;
    until("the server answers", PATIENCE, || {
        last = fetch(from, address, port).err();
        Ok(last.is_none().then_some(()))
    })
    .with_context(|| format!("{last:?}"))
}

/// Answers HTTP in a namespace, on a port that is new, as long as `work` takes.
pub fn serving<T>(netns: &Netns, address: &str, work: impl FnOnce(u16) -> Result<T>) -> Result<T> {
    let listener = netns.within(|| Ok(TcpListener::bind((address, 0))?))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                match listener.accept() {
                    // A client that goes away is its own affair.
                    Ok((stream, _)) => drop(answer(stream)),
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        let result = work(port);
        over.store(true, Ordering::SeqCst);
        result
    })
}

fn answer(mut stream: TcpStream) -> Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut chunk)?;
        ensure!(read > 0, "the client has gone");
        request.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
    stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")?;
    Ok(())
}
