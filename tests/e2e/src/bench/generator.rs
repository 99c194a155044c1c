//! UDP from one namespace to another at a given rate and length, counted exactly, with the
//! CPU time of the thread that sends.

use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::time::{ClockId, clock_gettime};

use crate::netns::Netns;
use crate::tool::Tool;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Length of the whole Ethernet frame, without checksum.
    pub length: usize,
    /// Packets per second; as fast as it goes when `None`.
    pub rate: Option<u32>,
}

/// Ethernet, IPv4 and UDP headers.
const HEADERS: usize = 14 + 20 + 8;
/// How often a paced generator wakes up: bursts of 10 packets at 50,000 a second.
const TICK: Duration = Duration::from_micros(200);

impl Load {
    pub const ALL: [Self; 7] = [
        Self::IDLE,
        Self::new(64, Some(50_000)),
        Self::new(64, Some(200_000)),
        Self::new(64, None),
        Self::new(1400, Some(50_000)),
        Self::new(1400, Some(200_000)),
        Self::new(1400, None),
    ];

    /// Nothing at all: what it costs to start, to wait and to end.
    pub const IDLE: Self = Self::new(64, Some(0));

    const fn new(length: usize, rate: Option<u32>) -> Self {
        Self { length, rate }
    }

    /// For instance `64 B 50k/s`.
    pub fn name(self) -> String {
        match self.rate {
            Some(0) => "idle".into(),
            Some(rate) => format!("{} B {}k/s", self.length, rate / 1000),
            None => format!("{} B unlimited", self.length),
        }
    }
}

/// What was sent, and at which cost to the thread that sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub packets: u64,
    pub cpu: Duration,
}

impl Sent {
    pub fn nanos_per_packet(self) -> i64 {
        let nanos = self.cpu.as_nanos() / u128::from(self.packets.max(1));
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}

/// A socket that sends, and one that a thread drains at the other end.
pub struct Generator {
    socket: UdpSocket,
    over: Arc<AtomicBool>,
    drain: Option<JoinHandle<()>>,
    /// A process at the other end, as there is one in every container.
    _there: Tool,
}

impl Generator {
    /// From the near to the far end of a pair of namespaces.
    pub fn between(near: &Netns, far: &Netns) -> Result<Self> {
        let sink = far.within(|| Ok(UdpSocket::bind("10.77.0.2:9000")?))?;
        sink.set_nonblocking(true)?;
        let socket = near.within(|| Ok(UdpSocket::bind("10.77.0.1:0")?))?;
        socket.connect("10.77.0.2:9000")?;
        let over = Arc::new(AtomicBool::new(false));
        let drain = thread::spawn({
            let over = Arc::clone(&over);
            move || {
                let mut bytes = [0; 2048];
                // Not woken by each packet, which would weigh on the sender: looks now and then.
                while !over.load(Ordering::Relaxed) {
                    while sink.recv(&mut bytes).is_ok() {}
                    thread::sleep(TICK);
                }
            }
        });
        Ok(Self {
            socket,
            over,
            drain: Some(drain),
            _there: Tool::spawn(Path::new("sleep"), far, &["infinity"])?,
        })
    }

    /// Sends that load for so long.
    pub fn send(&mut self, load: Load, duration: Duration) -> Result<Sent> {
        let payload = vec![0x5a; load.length.saturating_sub(HEADERS)];
        let socket = &self.socket;
        thread::scope(|scope| {
            let sender = scope.spawn(|| -> Result<Sent> {
                let before = cpu()?;
                let packets = match load.rate {
                    Some(rate) => paced(socket, &payload, rate, duration)?,
                    None => unpaced(socket, &payload, duration)?,
                };
                Ok(Sent {
                    packets,
                    cpu: cpu()?.saturating_sub(before),
                })
            });
            sender.join().expect("the thread returns its error")
        })
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(drain) = self.drain.take() {
            let _ = drain.join();
        }
    }
}

/// In bursts of what is due at each tick.
fn paced(socket: &UdpSocket, payload: &[u8], rate: u32, duration: Duration) -> Result<u64> {
    let start = Instant::now();
    let mut packets = 0;
    loop {
        let elapsed = start.elapsed();
        let due = elapsed.min(duration).as_nanos() * u128::from(rate) / 1_000_000_000;
        while u128::from(packets) < due {
            socket.send(payload)?;
            packets += 1;
        }
        if elapsed >= duration {
            return Ok(packets);
        }
        thread::sleep(TICK);
    }
}

/// A tight loop; the clock is read now and then.
fn unpaced(socket: &UdpSocket, payload: &[u8], duration: Duration) -> Result<u64> {
    let start = Instant::now();
    let mut packets = 0;
    while start.elapsed() < duration {
        for _ in 0..256 {
            socket.send(payload)?;
        }
        packets += 256;
    }
    Ok(packets)
}

/// CPU time of this thread.
fn cpu() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
