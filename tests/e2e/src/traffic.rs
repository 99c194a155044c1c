//! Numbered datagrams of the runner's own, for cases that ask which packets are seen and how
//! often, not whose they are.

use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::lab::{PATIENCE, until};
use crate::netns::Netns;
use crate::seen::Seen;

/// A connected pair of UDP sockets. Each datagram carries its number.
pub struct Line {
    sender: UdpSocket,
    /// Takes what arrives.
    sink: UdpSocket,
    /// Whether all does, and is waited for.
    arrives: bool,
    sent: AtomicU32,
    /// One more than the highest number that has arrived.
    arrived: AtomicU32,
}

impl Line {
    /// Within one namespace, over loopback. What was sent has been received when
    /// [`send`](Self::send) is back: a busy kernel puts the receiving off.
    pub fn loopback(netns: &Netns) -> Result<Self> {
        let mut line = Self::between((netns, "127.0.0.1"), (netns, "127.0.0.1"))?;
        line.sink.set_read_timeout(Some(Duration::from_millis(5)))?;
        line.arrives = true;
        Ok(line)
    }

    /// From one namespace and address to another.
    pub fn between(from: (&Netns, &str), to: (&Netns, &str)) -> Result<Self> {
        let sink = to.0.within(|| Ok(UdpSocket::bind((to.1, 0))?))?;
        let sender = from.0.within(|| Ok(UdpSocket::bind((from.1, 0))?))?;
        sender.connect(sink.local_addr()?)?;
        Ok(Self {
            sender,
            sink,
            arrives: false,
            sent: AtomicU32::new(0),
            arrived: AtomicU32::new(0),
        })
    }

    /// Where it sends to.
    pub fn port(&self) -> Result<u16> {
        Ok(self.sender.peer_addr()?.port())
    }

    /// Sends so many more datagrams.
    pub fn send(&self, count: u32) -> Result<()> {
        for _ in 0..count {
            let number = self.send_one()?;
            if self.arrives {
                until(&format!("datagram {number} arrives"), PATIENCE, || {
                    Ok((self.receive()? > number).then_some(()))
                })?;
            }
        }
        Ok(())
    }

    fn send_one(&self) -> Result<u32> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        self.sender.send(format!("e2e n={number}|").as_bytes())?;
        Ok(number)
    }

    /// Takes in what arrives within 5 ms; what has arrived by then.
    fn receive(&self) -> Result<u32> {
        let mut text = [0; 32];
        match self.sink.recv(&mut text) {
            Ok(length) => {
                let text = std::str::from_utf8(text.get(..length).unwrap_or_default())?;
                let number = number_in(text).context("somebody else's datagram")?;
                self.arrived.fetch_max(number + 1, Ordering::SeqCst);
            }
            Err(error) if matches!(error.kind(), WouldBlock | Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.arrived.load(Ordering::SeqCst))
    }

    /// How many were sent so far.
    pub fn sent(&self) -> u32 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Sends one datagram each millisecond as long as `work` takes. Some may not arrive: while a
    /// queueing discipline comes or goes a device loses what it is to send.
    pub fn sending<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sender = scope.spawn(|| -> Result<()> {
                while !over.load(Ordering::SeqCst) {
                    self.send_one()?;
                    if self.arrives {
                        self.receive()?;
                    }
                    thread::sleep(Duration::from_millis(1));
                }
                Ok(())
            });
            let result = work();
            over.store(true, Ordering::SeqCst);
            sender.join().expect("the thread returns its error")?;
            result
        })
    }
}

/// The numbers of the datagrams among packets, in order.
pub fn numbers(packets: &[Seen]) -> Vec<u32> {
    packets.iter().filter_map(number).collect()
}

/// The number of a packet, if it is one of these datagrams.
pub fn number(packet: &Seen) -> Option<u32> {
    let payload = packet.segment()?.payload;
    number_in(std::str::from_utf8(&payload).ok()?)
}

/// The number in a datagram's text, if it is one of these.
pub fn number_in(text: &str) -> Option<u32> {
    text.strip_prefix("e2e n=")?.strip_suffix('|')?.parse().ok()
}

/// Fails unless the packets are exactly those numbers, each once and in order.
pub fn expect_numbers(packets: &[Seen], expected: std::ops::Range<u32>) -> Result<()> {
    let found = numbers(packets);
    let expected: Vec<u32> = expected.collect();
    ensure!(
        found == expected,
        "of {} datagrams {} were seen: {:?}",
        expected.len(),
        found.len(),
        found.iter().take(20).collect::<Vec<_>>()
    );
    Ok(())
}
