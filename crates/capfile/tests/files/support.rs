//! Files made by hand, and the outside world: what several tests need.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use pktwho_capfile::{Error, Reader};

/// Numbers in the byte order of a file under construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    pub fn u32(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    pub fn u64(self, number: u64) -> [u8; 8] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    pub fn words(self, numbers: &[u32]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|&number| self.u32(number))
            .collect()
    }
}

pub fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.resize(bytes.len().next_multiple_of(4), 0);
    out
}

/// A block with the lengths it should have.
pub fn block(order: Order, block_type: u32, body: &[u8]) -> Vec<u8> {
    let length = len32(&padded(body)) + 12;
    block_of_length(order, block_type, body, length, length)
}

/// A block with any lengths.
pub fn block_of_length(
    order: Order,
    block_type: u32,
    body: &[u8],
    first: u32,
    last: u32,
) -> Vec<u8> {
    let head = order.words(&[block_type, first]);
    [head, padded(body), order.u32(last).to_vec()].concat()
}

pub fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap();
    [&order.u16(code)[..], &order.u16(len), &padded(value)].concat()
}

pub fn section_version(order: Order, major: u16, minor: u16) -> Vec<u8> {
    let body = [
        &order.u32(0x1a2b_3c4d)[..],
        &order.u16(major),
        &order.u16(minor),
        &order.u64(u64::MAX),
    ];
    block(order, 0x0a0d_0d0a, &body.concat())
}

pub fn section(order: Order) -> Vec<u8> {
    section_version(order, 1, 0)
}

pub fn interface(order: Order, link_type: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    let body = [
        &order.u16(link_type)[..],
        &[0, 0],
        &order.u32(snaplen),
        options,
    ];
    block(order, 1, &body.concat())
}

/// An enhanced packet block of 60 zeros.
pub fn packet(order: Order, iface: u32, time: u64, options: &[u8]) -> Vec<u8> {
    packet_of_length(order, iface, time, 60, options)
}

/// The same, claiming any captured length.
pub fn packet_of_length(
    order: Order,
    iface: u32,
    time: u64,
    captured: u32,
    options: &[u8],
) -> Vec<u8> {
    let high = u32::try_from(time >> 32).unwrap();
    let low = u32::try_from(time & 0xffff_ffff).unwrap();
    let head = order.words(&[iface, high, low, captured, captured]);
    block(order, 6, &[&head[..], &[0; 60], options].concat())
}

pub const MICRO: u32 = 0xa1b2_c3d4;
pub const NANO: u32 = 0xa1b2_3c4d;
pub const MODIFIED: u32 = 0xa1b2_cd34;

/// A classic file header.
pub fn header(order: Order, magic: u32, version: (u16, u16), snaplen: u32, link: u32) -> Vec<u8> {
    [
        &order.u32(magic)[..],
        &order.u16(version.0),
        &order.u16(version.1),
        &[0; 8],
        &order.u32(snaplen),
        &order.u32(link),
    ]
    .concat()
}

/// A classic record of `data`, claiming any lengths.
pub fn record(order: Order, time: (u32, u32), lengths: (u32, u32), data: &[u8]) -> Vec<u8> {
    let head = order.words(&[time.0, time.1, lengths.0, lengths.1]);
    [&head[..], data].concat()
}

/// Reads to the end: how many packets there were, and what ended them.
pub fn drain<R: Read>(source: R) -> (usize, Result<(), Error>) {
    let mut reader = match Reader::new(source) {
        Ok(reader) => reader,
        Err(error) => return (0, Err(error)),
    };
    let mut count = 0;
    loop {
        match reader.next() {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, Ok(())),
            Err(error) => {
                assert!(reader.next().unwrap().is_none(), "an error ends the file");
                return (count, Err(error));
            }
        }
    }
}

/// A file of its own in the build's temporary folder, removed when dropped.
pub struct TempFile(PathBuf);

static MADE: AtomicU32 = AtomicU32::new(0);

impl TempFile {
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{}-{number}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a program to its end; `None`, and a line that says so, when it is not installed.
pub fn run(program: &str, args: &[&str]) -> Option<Output> {
    let result = Command::new(program)
        .args(args)
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output();
    match result {
        Ok(output) => Some(output),
        Err(error) => {
            println!("skipped: cannot run {program}: {error}");
            None
        }
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
