//! Which capabilities a thread keeps (capabilities(7)).

use std::io;

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

pub type Set = CapabilitySet;

pub const NONE: Set = Set::empty();
/// Before Linux 5.19 a map is looked into with this only.
pub const MAPS: Set = Set::BPF;
/// Loading and attaching programs, entering namespaces, `/proc` of others, commands of other
/// users, the signals to them.
pub const ERRANDS: Set = Set::BPF
    .union(Set::PERFMON)
    .union(Set::NET_ADMIN)
    .union(Set::NET_RAW)
    .union(Set::NET_BROADCAST)
    .union(Set::SYS_ADMIN)
    .union(Set::SYS_PTRACE)
    .union(Set::SYS_RESOURCE)
    .union(Set::SYS_NICE)
    .union(Set::IPC_LOCK)
    .union(Set::DAC_OVERRIDE)
    .union(Set::DAC_READ_SEARCH)
    .union(Set::FOWNER)
    .union(Set::KILL)
    .union(Set::SETUID)
    .union(Set::SETGID);
/// Making files, everywhere and as anybody.
pub const FILES: Set = Set::DAC_OVERRIDE
    .union(Set::CHOWN)
    .union(Set::FOWNER)
    .union(Set::SETUID)
    .union(Set::SETGID);

/// Asking other network namespaces for their addresses and devices, by their ids (rtnetlink(7)).
pub const NETLINK: Set = Set::NET_ADMIN;
/// Entering network namespaces to attach programs to devices there, or to take them off.
pub const GUARDS: Set = Set::BPF
    .union(Set::NET_ADMIN)
    .union(Set::SYS_ADMIN)
    .union(Set::SYS_PTRACE)
    .union(Set::DAC_READ_SEARCH);
/// Entering network namespaces to ask for their devices and addresses, and giving them ids.
pub const TUNNELS: Set = Set::NET_ADMIN
    .union(Set::SYS_ADMIN)
    .union(Set::SYS_PTRACE)
    .union(Set::DAC_READ_SEARCH);
/// Reading the executables that processes run, attaching to them through a mount of our own (which
/// takes `SYS_ADMIN`), and being first at it.
pub const TLS: Set = Set::BPF
    .union(Set::PERFMON)
    .union(Set::SYS_ADMIN)
    .union(Set::SYS_PTRACE)
    .union(Set::SYS_RESOURCE)
    .union(Set::SYS_NICE)
    .union(Set::IPC_LOCK)
    .union(Set::DAC_READ_SEARCH);
/// What `/proc` tells of others' processes.
pub const PROC: Set = Set::SYS_PTRACE;
/// Connecting to sockets of others.
pub const SOCKETS: Set = Set::DAC_OVERRIDE;

/// Gives up what the calling thread has, but for these, as far as it has them.
///
/// # Errors
/// What capset(2) says.
pub fn keep(kept: Set) -> io::Result<()> {
    let had = capabilities(None)?;
    let kept = had.permitted & kept;
    set_capabilities(
        None,
        CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: Set::empty(),
        },
    )?;
    Ok(())
}
