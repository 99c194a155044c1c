//! Numbered datagrams of the runner's own, for cases that ask which packets are seen and how
//! often, not whose they are.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::netns::Netns;
use crate::seen::Seen;

/// A connected pair of UDP sockets. Each datagram carries its number.
pub struct Line {
    sender: UdpSocket,
    /// Takes what arrives, and forgets it.
    _sink: UdpSocket,
    sent: AtomicU32,
}

impl Line {
    /// Within one namespace, over loopback.
    pub fn loopback(netns: &Netns) -> Result<Self> {
        Self::between((netns, "127.0.0.1"), (netns, "127.0.0.1"))
    }

    /// From one namespace and address to another.
    pub fn between(from: (&Netns, &str), to: (&Netns, &str)) -> Result<Self> {
        let sink = to.0.within(|| Ok(UdpSocket::bind((to.1, 0))?))?;
        let sender = from.0.within(|| Ok(UdpSocket::bind((from.1, 0))?))?;
        sender.connect(sink.local_addr()?)?;
        Ok(Self {
            sender,
            _sink: sink,
            sent: AtomicU32::new(0),
        })
    }

    /// Where it sends to.
    pub fn port(&self) -> Result<u16> {
        Ok(self.sender.peer_addr()?.port())
    }

    /// Sends so many more datagrams.
    pub fn send(&self, count: u32) -> Result<()> {
        for _ in 0..count {
            let number = self.sent.fetch_add(1, Ordering::SeqCst);
            self.sender.send(format!("e2e n={number}|").as_bytes())?;
        }
        Ok(())
    }

    /// How many were sent so far.
    pub fn sent(&self) -> u32 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Sends one datagram each millisecond as long as `work` takes.
    pub fn sending<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sender = scope.spawn(|| -> Result<()> {
                while !over.load(Ordering::SeqCst) {
                    self.send(1)?;
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
