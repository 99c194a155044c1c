//! The only unsafe code of the project: memory shared with the kernel, and the few calls
//! that no crate wraps. One operation per block, each with its reason.

#![allow(unsafe_code, reason = "the room for it; see the module header")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pktwho_filter::cbpf;
use rustix::mm::{MapFlags, ProtFlags};
use zerocopy::{Immutable, IntoBytes};

/// The kernel's type information (BTF).
pub const KERNEL_TYPES: &str = "/sys/kernel/btf/vmlinux";
/// The same of the connection tracking, where that is a module.
pub const TRACKING_TYPES: &str = "/sys/kernel/btf/nf_conntrack";

/// A mapping shared with the kernel. Numbers in it are read and written atomically; byte
/// ranges are lent only where the caller knows that the kernel does not write.
#[derive(Debug)]
pub struct Mapped {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is plain shared memory, valid from every thread until it is dropped.
unsafe impl Send for Mapped {}

impl Mapped {
    /// Maps `len` bytes of `fd` from `offset` (a multiple of the page size).
    ///
    /// # Errors
    /// What mmap(2) says.
    pub fn new(fd: BorrowedFd<'_>, offset: u64, len: usize, writable: bool) -> io::Result<Self> {
        let protection = if writable {
            ProtFlags::READ | ProtFlags::WRITE
        } else {
            ProtFlags::READ
        };
        Self::map(fd, offset, len, protection, MapFlags::SHARED)
    }

    fn map(
        fd: BorrowedFd<'_>,
        offset: u64,
        len: usize,
        protection: ProtFlags,
        flags: MapFlags,
    ) -> io::Result<Self> {
        let anywhere = std::ptr::null_mut();
        // SAFETY: a fresh mapping at an address the kernel chooses aliases nothing of ours.
        let start = unsafe { rustix::mm::mmap(anywhere, len, protection, flags, fd, offset) }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    fn at(&self, offset: usize, size: usize) -> *mut u8 {
        assert!(
            offset.is_multiple_of(size) && offset + size <= self.len,
            "outside the mapping"
        );
        // SAFETY: within the mapping, as just checked.
        unsafe { self.start.as_ptr().add(offset) }
    }

    fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        let pointer = self.at(offset, 8).cast();
        // SAFETY: aligned and within the mapping, which lives as long as `self`.
        unsafe { AtomicU64::from_ptr(pointer) }
    }

    fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        let pointer = self.at(offset, 4).cast();
        // SAFETY: aligned and within the mapping, which lives as long as `self`.
        unsafe { AtomicU32::from_ptr(pointer) }
    }

    pub fn load_u64(&self, offset: usize) -> u64 {
        self.atomic_u64(offset).load(Ordering::Acquire)
    }

    pub fn load_u32(&self, offset: usize) -> u32 {
        self.atomic_u32(offset).load(Ordering::Acquire)
    }

    pub fn store_u64(&self, offset: usize, value: u64) {
        self.atomic_u64(offset).store(value, Ordering::Release);
    }

    /// A store that no later load may overtake.
    pub fn store_u32_fenced(&self, offset: usize, value: u32) {
        self.atomic_u32(offset).store(value, Ordering::SeqCst);
        std::sync::atomic::fence(Ordering::SeqCst);
    }

    /// Bytes that the kernel has published and will not write again before we release them;
    /// empty when the range is not within the mapping.
    pub fn bytes(&self, offset: usize, len: usize) -> &[u8] {
        if offset.checked_add(len).is_none_or(|end| end > self.len) {
            return &[];
        }
        // SAFETY: within the mapping, as just checked.
        let start = unsafe { self.start.as_ptr().add(offset) };
        // SAFETY: initialised memory within the mapping, not written while lent (see above).
        unsafe { std::slice::from_raw_parts(start, len) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        let start = self.start.as_ptr().cast();
        // SAFETY: our own mapping, of which nothing is borrowed any more.
        let _ = unsafe { rustix::mm::munmap(start, self.len) };
    }
}

/// Memory of our own, in large pages where the machine gives some: filling it costs few faults.
#[derive(Debug)]
pub struct Pages(Mapped);

impl Pages {
    /// # Errors
    /// What mmap(2) says; an empty one is refused.
    pub fn new(len: usize) -> io::Result<Self> {
        let anywhere = std::ptr::null_mut();
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping at an address the kernel chooses aliases nothing of ours.
        let start =
            unsafe { rustix::mm::mmap_anonymous(anywhere, len, protection, MapFlags::PRIVATE) }?;
        // SAFETY: advice about our own mapping; it changes no byte of it.
        let _ = unsafe { rustix::mm::madvise(start, len, rustix::mm::Advice::LinuxHugepage) };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self(Mapped { start, len }))
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: initialised memory (zeros at first) of our own, lent as `self` is.
        unsafe { std::slice::from_raw_parts_mut(self.0.start.as_ptr(), self.0.len) }
    }
}

/// A file that never changes: the kernel's own type information.
#[derive(Debug)]
pub struct KernelTypes(Mapped);

impl KernelTypes {
    /// # Errors
    /// Where there is no such file, or it cannot be mapped (before Linux 6.16).
    pub fn map() -> io::Result<Self> {
        let file = std::fs::File::open(KERNEL_TYPES)?;
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mapped = Mapped::map(file.as_fd(), 0, len, ProtFlags::READ, MapFlags::PRIVATE)?;
        Ok(Self(mapped))
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: within the mapping, which lives as long as `self`; it is a part of the
        // kernel's read-only data.
        unsafe { std::slice::from_raw_parts(self.0.start.as_ptr(), self.0.len) }
    }
}

/// One eBPF instruction (`struct bpf_insn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoBytes, Immutable)]
#[repr(C)]
pub struct Insn {
    pub code: u8,
    /// Destination register in the low four bits, source register in the high four.
    pub registers: u8,
    pub offset: i16,
    pub immediate: i32,
}

/// Loads a traffic classifier (`BPF_PROG_TYPE_SCHED_CLS`) from its instructions.
///
/// # Errors
/// What bpf(2) says.
pub fn load_classifier(name: &std::ffi::CStr, program: &[Insn]) -> io::Result<OwnedFd> {
    // SAFETY: name, licence and instructions are valid for the call, and the count is theirs.
    let fd = unsafe {
        libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_SCHED_CLS,
            name.as_ptr(),
            c"Dual BSD/GPL".as_ptr(),
            program.as_ptr().cast(),
            program.len() as libbpf_sys::size_t,
            std::ptr::null_mut(),
        )
    };
    owned(fd)
}

/// The verifier's words about a classifier that it refuses, the last of them.
#[cfg(test)]
pub fn refusal(program: &[Insn]) -> String {
    let mut log = vec![0u8; 1 << 20];
    let options = libbpf_sys::bpf_prog_load_opts {
        sz: size_of::<libbpf_sys::bpf_prog_load_opts>() as libbpf_sys::size_t,
        log_level: 1,
        log_size: 1 << 20,
        log_buf: log.as_mut_ptr().cast(),
        ..Default::default()
    };
    // SAFETY: as in `load_classifier`; the log lives through the call and its size is given.
    let fd = unsafe {
        libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_SCHED_CLS,
            c"pktwho_test".as_ptr(),
            c"Dual BSD/GPL".as_ptr(),
            program.as_ptr().cast(),
            program.len() as libbpf_sys::size_t,
            std::ptr::from_ref(&options).cast_mut(),
        )
    };
    drop(owned(fd));
    let text: Vec<u8> = log.into_iter().take_while(|&byte| byte != 0).collect();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(40)..)
        .unwrap_or_default()
        .join("\n")
}

/// Runs a classifier so many times over a packet (`BPF_PROG_TEST_RUN`, Linux 4.12) and gives
/// what it returned last, and the mean time of a run in ns.
///
/// # Errors
/// What bpf(2) says; `EINVAL` for packets shorter than an Ethernet header.
#[cfg(test)]
pub fn test_run(program: BorrowedFd<'_>, packet: &[u8], times: u32) -> io::Result<(u32, u32)> {
    let mut options = libbpf_sys::bpf_test_run_opts {
        sz: size_of::<libbpf_sys::bpf_test_run_opts>() as libbpf_sys::size_t,
        repeat: i32::try_from(times).map_err(|_| io::ErrorKind::InvalidInput)?,
        data_in: packet.as_ptr().cast(),
        data_size_in: u32::try_from(packet.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        ..Default::default()
    };
    // SAFETY: the packet lives through the call and its size is given; nothing is written back
    // but into the options.
    let result =
        unsafe { libbpf_sys::bpf_prog_test_run_opts(program.as_raw_fd(), &raw mut options) };
    if result < 0 {
        Err(io::Error::from_raw_os_error(-result))
    } else {
        Ok((options.retval, options.duration))
    }
}

/// Attaches a classifier to a device of the calling thread's network namespace (tcx, Linux
/// 6.6), before all others. It stays as long as the descriptor is open.
///
/// # Errors
/// What bpf(2) says; `EINVAL` where the kernel has no tcx.
pub fn attach_tcx(program: BorrowedFd<'_>, ifindex: u32, egress: bool) -> io::Result<OwnedFd> {
    let hook = if egress {
        libbpf_sys::BPF_TCX_EGRESS
    } else {
        libbpf_sys::BPF_TCX_INGRESS
    };
    let options = libbpf_sys::bpf_link_create_opts {
        sz: size_of::<libbpf_sys::bpf_link_create_opts>() as libbpf_sys::size_t,
        flags: libbpf_sys::BPF_F_BEFORE,
        ..Default::default()
    };
    let ifindex = i32::try_from(ifindex).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open and the options live through the call.
    let fd = unsafe {
        libbpf_sys::bpf_link_create(program.as_raw_fd(), ifindex, hook, &raw const options)
    };
    owned(fd)
}

/// Attaches a program to what sockets of a cgroup and below send. The link goes with its descriptor.
///
/// # Errors
/// What bpf(2) says.
pub fn attach_egress(program: BorrowedFd<'_>, cgroup: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let options = libbpf_sys::bpf_link_create_opts {
        sz: size_of::<libbpf_sys::bpf_link_create_opts>() as libbpf_sys::size_t,
        ..Default::default()
    };
    // SAFETY: the descriptors are open and the options live through the call.
    let fd = unsafe {
        libbpf_sys::bpf_link_create(
            program.as_raw_fd(),
            cgroup.as_raw_fd(),
            libbpf_sys::BPF_CGROUP_INET_EGRESS,
            &raw const options,
        )
    };
    owned(fd)
}

/// Asks the loopback device for programs of tcx.
///
/// # Errors
/// What bpf(2) says; `EINVAL` where the kernel has no tcx.
pub fn ask_tcx() -> io::Result<()> {
    const LOOPBACK: i32 = 1;
    let (mut flags, mut count) = (0, 0);
    // SAFETY: flags and count live through the call; no room for ids is given, so none is used.
    let result = unsafe {
        libbpf_sys::bpf_prog_query(
            LOOPBACK,
            libbpf_sys::BPF_TCX_INGRESS,
            0,
            &raw mut flags,
            std::ptr::null_mut(),
            &raw mut count,
        )
    };
    if result < 0 {
        Err(io::Error::from_raw_os_error(-result))
    } else {
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "1")]
const PROMISCUOUS: u16 = libc::PACKET_MR_PROMISC as u16;
/// Puts a device into promiscuous mode for as long as the descriptor is open
/// (`PACKET_ADD_MEMBERSHIP`, packet(7)), so that even SIGKILL leaves nothing behind.
///
/// # Errors
/// What socket(2) and setsockopt(2) say.
pub fn promiscuous(ifindex: u32) -> io::Result<OwnedFd> {
    let socket = packet_socket()?;
    let request = libc::packet_mreq {
        mr_ifindex: i32::try_from(ifindex).map_err(|_| io::ErrorKind::InvalidInput)?,
        mr_type: PROMISCUOUS,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set_option(
        socket.as_fd(),
        libc::SOL_PACKET,
        libc::PACKET_ADD_MEMBERSHIP,
        &request,
    )?;
    Ok(socket)
}

/// A packet socket that nothing reaches yet (packet(7)).
///
/// # Errors
/// What socket(2) says.
pub fn packet_socket() -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(
        rustix::net::AddressFamily::PACKET,
        rustix::net::SocketType::RAW,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?)
}

fn set_option<T>(socket: BorrowedFd<'_>, level: i32, option: i32, value: &T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: the value lives through the call and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            std::ptr::from_ref(value).cast(),
            length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Only what the program returns more than 0 for comes through the socket, cut to that length.
///
/// # Errors
/// What setsockopt(2) says: the kernel takes 4,096 instructions, and none that jump back.
pub fn packet_filter(socket: BorrowedFd<'_>, program: &[cbpf::Insn]) -> io::Result<()> {
    let mut program: Vec<libc::sock_filter> = program
        .iter()
        .map(|insn| libc::sock_filter {
            code: insn.code,
            jt: insn.jt,
            jf: insn.jf,
            k: insn.k,
        })
        .collect();
    let handed = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_mut_ptr(),
    };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &handed)
}

/// Makes the socket's ring (`TPACKET_V3`), which is then to be mapped: blocks of `block` bytes,
/// each handed over after `time` ms at the latest.
///
/// # Errors
/// What setsockopt(2) says.
pub fn packet_ring(
    socket: BorrowedFd<'_>,
    block: usize,
    blocks: usize,
    time: u32,
) -> io::Result<()> {
    let number = |n: usize| u32::try_from(n).map_err(|_| io::ErrorKind::InvalidInput);
    let version = libc::tpacket_versions::TPACKET_V3;
    set_option(socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
    let frame = 2048;
    let request = libc::tpacket_req3 {
        tp_block_size: number(block)?,
        tp_block_nr: number(blocks)?,
        tp_frame_size: frame,
        tp_frame_nr: number(block * blocks)? / frame,
        tp_retire_blk_tov: time,
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    };
    set_option(socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)
}

/// From now on all packets of the device reach the socket.
///
/// # Errors
/// What bind(2) says.
pub fn packet_bind(socket: BorrowedFd<'_>, ifindex: u32) -> io::Result<()> {
    let family = u16::try_from(libc::AF_PACKET).map_err(|_| io::ErrorKind::InvalidInput)?;
    let every = u16::try_from(libc::ETH_P_ALL).map_err(|_| io::ErrorKind::InvalidInput)?;
    let address = libc::sockaddr_ll {
        sll_family: family,
        sll_protocol: every.to_be(),
        sll_ifindex: i32::try_from(ifindex).map_err(|_| io::ErrorKind::InvalidInput)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or(0);
    // SAFETY: the address lives through the call and its size is given.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// How many packets have come to the socket since it was asked last, and how many of them its
/// ring had no room for.
///
/// # Errors
/// What getsockopt(2) says.
pub fn packet_counts(socket: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    let mut counts = [0_u32; 3];
    let mut length = libc::socklen_t::try_from(size_of_val(&counts)).unwrap_or(0);
    // SAFETY: room and its size live through the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut counts).cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        // The third is how often the ring was full.
        Ok((counts[0].into(), counts[1].into()))
    }
}

/// Turns on an option of a netlink socket (`NETLINK_…`, netlink(7)).
///
/// # Errors
/// What setsockopt(2) says.
pub fn netlink_option(socket: BorrowedFd<'_>, option: i32) -> io::Result<()> {
    set_option(socket, libc::SOL_NETLINK, option, &1_i32)
}

/// Moves the calling thread into a network namespace of its own (unshare(2)).
///
/// # Errors
/// What unshare(2) says.
pub fn new_netns() -> io::Result<()> {
    // SAFETY: the table of descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNET) }?;
    Ok(())
}

/// Moves the calling thread into a namespace of mounts of its own (unshare(2)).
///
/// # Errors
/// What unshare(2) says.
pub fn new_mounts() -> io::Result<()> {
    // SAFETY: the table of descriptors stays shared.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }?;
    Ok(())
}

/// Receives a datagram, if there is one, and the id of the network namespace that it is about
/// (`NETLINK_LISTEN_ALL_NSID`, netlink(7)).
///
/// # Errors
/// What recvmsg(2) says; `EAGAIN` when there is none.
pub fn receive_nsid(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> Result<(usize, Option<i32>), rustix::io::Errno> {
    /// `struct cmsghdr` with an int behind it.
    #[derive(zerocopy::FromBytes, zerocopy::Immutable, zerocopy::KnownLayout)]
    #[repr(C)]
    struct About {
        len: usize,
        level: i32,
        kind: i32,
        id: i32,
    }
    /// Bytes of `control`. The C libraries disagree about the type of a length.
    const ROOM: u16 = 64;
    let mut control = [0_u64; ROOM as usize / 8];
    let mut vector = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: a structure of numbers and pointers, for all of which zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = ROOM.into();
    // SAFETY: what it points to lives through the call, and the sizes are theirs.
    let received =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let Ok(received) = usize::try_from(received) else {
        let error = io::Error::last_os_error();
        return Err(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO));
    };
    let about = <About as zerocopy::FromBytes>::read_from_prefix(control.as_bytes());
    let about = about.ok().map(|(about, _)| about).filter(|about| {
        about.len >= 20
            && about.level == libc::SOL_NETLINK
            && about.kind == libc::NETLINK_LISTEN_ALL_NSID
    });
    Ok((received, about.map(|about| about.id)))
}

/// How many CPUs there can be.
///
/// # Errors
/// The kernel does not say.
pub fn possible_cpus() -> io::Result<i32> {
    // SAFETY: takes nothing and reads a file of the kernel's.
    let cpus = unsafe { libbpf_sys::libbpf_num_possible_cpus() };
    if cpus < 0 {
        Err(io::Error::from_raw_os_error(-cpus))
    } else {
        Ok(cpus)
    }
}

/// The first fields of `struct perf_event_attr` (`PERF_ATTR_SIZE_VER3`).
#[derive(Default)]
#[repr(C)]
struct PerfAttributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    /// Bits: `inherit` 1, `exclude_kernel` 5, `exclude_hv` 6, `mmap` 8, `watermark` 14,
    /// `sample_id_all` 18, `mmap2` 23, `use_clockid` 25, `inherit_thread` 35.
    flags: u64,
    /// Bytes: records that are no samples wake the reader by their size only.
    wakeup_watermark: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
    breakpoint_length: u64,
    branches: u64,
    user_registers: u64,
    user_stack: u32,
    clock: i32,
}

/// `perf_event_open(2)`; -1 is every process, every CPU.
fn perf_event(attributes: &PerfAttributes, tid: i32, cpu: i32) -> io::Result<OwnedFd> {
    const NO_GROUP: i32 = -1;
    const CLOEXEC: u64 = 8;
    // SAFETY: the attributes live through the call, and their size is in them.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(attributes),
            tid,
            cpu,
            NO_GROUP,
            CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    owned(i32::try_from(fd).map_err(io::Error::other)?)
}

/// An event of a CPU that tells of every file mapped to be executed
/// (`PERF_COUNT_SW_DUMMY`, with `mmap` and `mmap2`). Records end in their time.
///
/// # Errors
/// What `perf_event_open(2)` says; `ENODEV` of a CPU that is not there.
pub fn perf_mmaps(cpu: i32) -> io::Result<OwnedFd> {
    const SOFTWARE: u32 = 1;
    const DUMMY: u64 = 9;
    const TIME: u64 = 1 << 2;
    let attributes = PerfAttributes {
        kind: SOFTWARE,
        size: 96,
        config: DUMMY,
        sample_type: TIME,
        flags: 1 << 8 | 1 << 14 | 1 << 18 | 1 << 23 | 1 << 25,
        wakeup_watermark: 1,
        clock: libc::CLOCK_MONOTONIC,
        ..PerfAttributes::default()
    };
    perf_event(&attributes, -1, cpu)
}

/// An event of a thread, and of those that it starts, that happens whenever the instruction at
/// an address is to be executed (`PERF_TYPE_BREAKPOINT`); disabled.
///
/// # Errors
/// What `perf_event_open(2)` says; `ENOSPC` when the processor's breakpoints are in use.
pub fn perf_breakpoint(tid: i32, address: u64) -> io::Result<OwnedFd> {
    const BREAKPOINT: u32 = 5;
    const EXECUTE: u32 = 4;
    /// The kernel takes no other for instructions.
    const LENGTH: u64 = if cfg!(target_arch = "x86_64") { 8 } else { 4 };
    let attributes = PerfAttributes {
        kind: BREAKPOINT,
        size: 96,
        sample_period: 1,
        flags: 1 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 35,
        breakpoint_type: EXECUTE,
        breakpoint_address: address,
        breakpoint_length: LENGTH,
        ..PerfAttributes::default()
    };
    perf_event(&attributes, tid, -1)
}

/// An event of the calling thread that never happens. While there is one of any thread, the kernel
/// makes others without first waiting until every CPU has seen that there are some
/// (`perf_sched_events` of kernel/events/core.c): some 10 ms.
///
/// # Errors
/// What `perf_event_open(2)` says.
pub fn perf_nothing() -> io::Result<OwnedFd> {
    const SOFTWARE: u32 = 1;
    const DUMMY: u64 = 9;
    const SELF: i32 = 0;
    let attributes = PerfAttributes {
        kind: SOFTWARE,
        size: 96,
        config: DUMMY,
        flags: 1,
        ..PerfAttributes::default()
    };
    perf_event(&attributes, SELF, -1)
}

/// A descriptor as libbpf's low-level calls return it: negative is minus errno.
fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: just returned to us by the kernel; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A directory of the cgroup hierarchy that `root` is in, by its id, for its path alone.
///
/// Source: `name_to_handle_at(2)`; kernfs's handles are its ids (`FILEID_KERNFS`), since 5.5.
///
/// # Errors
/// There is none of that id.
pub fn open_cgroup(root: BorrowedFd<'_>, id: u64) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Handle {
        bytes: u32,
        kind: i32,
        id: u64,
    }
    let mut handle = Handle {
        bytes: 8,
        kind: 0xfe,
        id,
    };
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    let pointer = (&raw mut handle).cast();
    // SAFETY: the handle has as many bytes behind its head as it says, and outlives the call.
    let fd = unsafe { libc::open_by_handle_at(root.as_raw_fd(), pointer, flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
