//! Files that processes map to execute, told by the kernel as it happens.
//!
//! Source of truth: `perf_event_open(2)`, `PERF_RECORD_MMAP2` of a dummy software event, one for
//! each CPU. It needs no eBPF, and says of programs, of their libraries and of what dlopen(3)
//! brings in.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::sys::{self, Mapped};

/// A file that a process has mapped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MappedFile {
    pub pid: u32,
    /// First address and the one behind the last.
    pub addresses: (u64, u64),
    /// Of the first address in the file, in bytes.
    pub offset: u64,
    pub id: FileId,
    /// As the process sees it.
    pub path: Vec<u8>,
    /// When, on the clock `CLOCK_MONOTONIC` in nanoseconds; 0 where it is not told.
    pub time: u64,
}

/// A file as mappings know it: device numbers, inode number, generation of that number (0 where
/// it is not told).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    pub major: u32,
    pub minor: u32,
    pub inode: u64,
    pub generation: u64,
}

/// The kernel's accounts of mappings, by CPU.
#[derive(Debug)]
pub struct Mmaps {
    each: Vec<PerCpu>,
}

#[derive(Debug)]
struct PerCpu {
    fd: OwnedFd,
    ring: Mapped,
    page: usize,
}

/// Pages of records for each CPU: about 1,000 mappings.
const PAGES: usize = 32;
/// Offsets in the first page (`struct perf_event_mmap_page`).
const DATA_HEAD: usize = 1024;
const DATA_TAIL: usize = 1032;

const RECORD_LOST: u32 = 2;
const RECORD_MMAP2: u32 = 10;

/// `struct perf_event_header`
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Header {
    kind: u32,
    misc: u16,
    size: u16,
}

/// What follows the header of a `PERF_RECORD_MMAP2`, before the file's name.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Mmap2 {
    pid: u32,
    tid: u32,
    address: u64,
    len: u64,
    page_offset: u64,
    major: u32,
    minor: u32,
    inode: u64,
    generation: u64,
    protection: u32,
    flags: u32,
}

impl MappedFile {
    /// Where an offset in the file lies in the process's memory, if it is in this mapping.
    pub fn address_of(&self, offset: u64) -> Option<u64> {
        let (first, end) = self.addresses;
        let address = first.checked_add(offset.checked_sub(self.offset)?)?;
        (address < end).then_some(address)
    }
}

impl Mmaps {
    /// Listens on every CPU that is there.
    ///
    /// # Errors
    /// What `perf_event_open(2)` and mmap(2) say.
    pub fn open() -> io::Result<Self> {
        let page = rustix::param::page_size();
        let mut each = Vec::new();
        for cpu in 0..sys::possible_cpus()? {
            let fd = match sys::perf_mmaps(cpu) {
                Ok(fd) => fd,
                // Not there at present.
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => continue,
                Err(error) => return Err(error),
            };
            let ring = Mapped::new(fd.as_fd(), 0, (1 + PAGES) * page, true)?;
            each.push(PerCpu { fd, ring, page });
        }
        Ok(Self { each })
    }

    /// Readable when something was mapped.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.each.iter().map(|cpu| cpu.fd.as_fd())
    }

    /// Hands over what was mapped since the last time; `true` when some of it was lost.
    pub fn drain(&mut self, mut take: impl FnMut(MappedFile)) -> bool {
        let mut lost = false;
        for cpu in &self.each {
            lost |= cpu.drain(&mut take);
        }
        lost
    }
}

impl PerCpu {
    fn drain(&self, take: &mut impl FnMut(MappedFile)) -> bool {
        let head = self.ring.load_u64(DATA_HEAD);
        let mut tail = self.ring.load_u64(DATA_TAIL);
        let mut lost = false;
        let mut record = Vec::new();
        while tail < head {
            self.copy(tail, size_of::<Header>(), &mut record);
            let Ok((&Header { kind, size, .. }, _)) = Header::ref_from_prefix(&record) else {
                break;
            };
            if usize::from(size) < size_of::<Header>() {
                break;
            }
            self.copy(tail, size.into(), &mut record);
            match kind {
                RECORD_LOST => lost = true,
                RECORD_MMAP2 => take_file(&record, take),
                _ => {}
            }
            tail += u64::from(size);
        }
        self.ring.store_u64(DATA_TAIL, head);
        lost
    }

    /// Copies bytes out of the ring, which may go over its end.
    fn copy(&self, from: u64, len: usize, to: &mut Vec<u8>) {
        let size = PAGES * self.page;
        let at = usize::try_from(from).unwrap_or(0) & (size - 1);
        let first = len.min(size - at);
        to.clear();
        to.extend_from_slice(self.ring.bytes(self.page + at, first));
        to.extend_from_slice(self.ring.bytes(self.page, len - first));
    }
}

fn take_file(record: &[u8], take: &mut impl FnMut(MappedFile)) {
    let body = record.get(size_of::<Header>()..).unwrap_or_default();
    let Ok((mmap, rest)) = Mmap2::ref_from_prefix(body) else {
        return;
    };
    // The record ends in its time.
    let Some((name, time)) = rest.split_last_chunk::<8>() else {
        return;
    };
    // Without an inode it is no file: the vDSO, memory that a JIT compiler made.
    if mmap.inode == 0 || mmap.protection & libc::PROT_EXEC.cast_unsigned() == 0 {
        return;
    }
    take(MappedFile {
        pid: mmap.pid,
        addresses: (mmap.address, mmap.address.saturating_add(mmap.len)),
        offset: mmap.page_offset,
        id: FileId {
            major: mmap.major,
            minor: mmap.minor,
            inode: mmap.inode,
            generation: mmap.generation,
        },
        path: crate::abi::trimmed(name).to_vec(),
        time: u64::from_ne_bytes(*time),
    });
}

/// The files that a process has mapped to execute, as `/proc/PID/maps` lists them.
pub fn of_process(pid: u32) -> Vec<MappedFile> {
    let text = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter_map(|line| parse_line(pid, line)).collect()
}

/// `ADDRESS-ADDRESS PERMISSIONS OFFSET MAJOR:MINOR INODE PATH` (`proc_pid_maps(5)`)
pub fn parse_line(pid: u32, line: &[u8]) -> Option<MappedFile> {
    let mut words = line.splitn(6, |&byte| byte == b' ');
    let mut word = || words.next().and_then(|word| std::str::from_utf8(word).ok());
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let (first, end) = word()?.split_once('-')?;
    let permissions = word()?;
    let offset = hex(word()?)?;
    let (major, minor) = word()?.split_once(':')?;
    let inode = word()?.parse().ok().filter(|&inode| inode > 0)?;
    let path = words.next().unwrap_or_default().trim_ascii_start();
    permissions.contains('x').then_some(())?;
    Some(MappedFile {
        pid,
        addresses: (hex(first)?, hex(end)?),
        offset,
        id: FileId {
            major: u32::from_str_radix(major, 16).ok()?,
            minor: u32::from_str_radix(minor, 16).ok()?,
            inode,
            generation: 0,
        },
        path: path.to_vec(),
        time: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps() {
        let check = |line: &str, expected: Option<(u64, u32, u64, &str)>| {
            let got = parse_line(7, line.as_bytes());
            let got = got.map(|file| (file.addresses.1, file.id.minor, file.id.inode, file.path));
            let expected =
                expected.map(|(end, minor, inode, path)| (end, minor, inode, path.into()));
            assert_eq!(got, expected, "{line}");
        };
        check(
            "7f1a2000-7f1a3000 r-xp 00002000 fe:0a 1234                  /usr/lib/a b.so (deleted)",
            Some((0x7f1a_3000, 10, 1234, "/usr/lib/a b.so (deleted)")),
        );
        check("7f1a2000-7f1a3000 r--p 00002000 fe:00 1234 /lib/x", None);
        check("7f1a2000-7f1a3000 r-xp 00000000 00:00 0    [vdso]", None);
        check("", None);
        check("7f1a2000 r-xp", None);
    }

    #[test]
    fn addresses_of_offsets() {
        let line = b"1000-3000 r-xp 00005000 fe:00 7 /lib/x";
        let file = parse_line(7, line).unwrap();
        let check = |offset, expected| assert_eq!(file.address_of(offset), expected, "{offset:x}");
        check(0x4fff, None);
        check(0x5000, Some(0x1000));
        check(0x6fff, Some(0x2fff));
        check(0x7000, None);
        check(u64::MAX, None);
    }

    #[test]
    fn records_that_are_cut_are_none() {
        let mut record = vec![0; 8 + 64];
        record[8 + 40..8 + 48].copy_from_slice(&5_u64.to_ne_bytes());
        record[8 + 56..8 + 60].copy_from_slice(&4_u32.to_ne_bytes());
        record.extend_from_slice(b"/x\0\0\0\0\0\0");
        record.extend_from_slice(&7_u64.to_ne_bytes());
        let files = |record: &[u8]| {
            let mut files = Vec::new();
            take_file(record, &mut |file| files.push(file));
            files
        };
        let found = files(&record);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].id.inode, found[0].path.as_slice()),
            (5, &b"/x"[..])
        );
        assert_eq!(found[0].time, 7);
        assert!(files(&record[..70]).is_empty());
        assert!(files(&record[..3]).is_empty());
    }
}
