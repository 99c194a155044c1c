//! Which system calls a thread has left (seccomp(2)).
//!
//! Those that reading packets, printing and writing them takes, asking nameservers among it. All
//! others fail as if they were not permitted; nothing is killed, so that a C library or a
//! kernel that wants another one costs a feature and not the capture.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What a thread may beside what all may that have a filter.
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    /// Operations of bpf(2), with descriptors that are there.
    operations: &'static [u64],
    /// Families of new sockets.
    families: &'static [i32],
    /// Calls of any kind.
    others: &'static [i64],
}

/// `bpf(2)`: `BPF_MAP_LOOKUP_ELEM` and `BPF_MAP_GET_NEXT_KEY`.
const LOOKS: &[u64] = &[1, 4];
/// `BPF_MAP_UPDATE_ELEM` and `BPF_MAP_DELETE_ELEM`.
const CHANGES: &[u64] = &[2, 3];
/// `BPF_LINK_CREATE`.
const ATTACHES: &[u64] = &[28];
/// To nameservers.
const INTERNET: &[i32] = &[libc::AF_INET, libc::AF_INET6];

impl Calls {
    pub const NO_MORE: Self = Self {
        operations: &[],
        families: &[],
        others: &[],
    };
    pub const READER: Self = Self {
        families: INTERNET,
        ..Self::NO_MORE
    };
    pub const READER_OF_MAPS: Self = Self {
        operations: LOOKS,
        families: INTERNET,
        ..Self::NO_MORE
    };
    pub const WRITER_OF_MAPS: Self = Self {
        operations: CHANGES,
        ..Self::NO_MORE
    };
    pub const NETLINK: Self = Self {
        families: &[libc::AF_NETLINK],
        ..Self::NO_MORE
    };
    pub const UNIX: Self = Self {
        families: &[libc::AF_UNIX],
        ..Self::NO_MORE
    };
    /// Attaches to devices in other namespaces, or takes off what was attached there.
    pub const GUARD: Self = Self {
        operations: ATTACHES,
        families: &[libc::AF_NETLINK],
        others: &[libc::SYS_setns],
    };
    /// Asks in other namespaces by netlink.
    pub const ENTERING: Self = Self {
        operations: &[],
        ..Self::GUARD
    };
}

/// What a thread that keeps `CAP_SYS_ADMIN` and needs many calls has no use for: running programs,
/// other users, namespaces, mounts that others see, memory of other processes, what concerns the
/// whole machine.
pub const OF_ROOT: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_mknodat,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_syslog,
    libc::SYS_fanotify_init,
    libc::SYS_socket,
];

/// ioctl(2): `TCGETS`, `TIOCGWINSZ`, `FIONREAD`, `FIONBIO`, whose type is not that of every C
/// library.
const ASKED: [u64; 4] = [0x5401, 0x5413, 0x541b, 0x5421];

/// Calls that are allowed whatever they are told.
const PLAIN: &[i64] = &[
    // Descriptors that are there.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_ftruncate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_create1,
    libc::SYS_ppoll,
    libc::SYS_eventfd2,
    // Files, as far as the user and Landlock allow.
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    // Names from nameservers.
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    // Memory.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_membarrier,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Threads and signals of our own, children that end.
    libc::SYS_futex,
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // What we are.
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getgroups,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_capget,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
];

/// Those that only this machine has.
#[cfg(target_arch = "x86_64")]
const OLDER: &[i64] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_poll,
    libc::SYS_epoll_wait,
    libc::SYS_dup2,
    libc::SYS_time,
    libc::SYS_getpgrp,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];

/// Confines the calling thread, and those that it starts, for good.
pub fn confine(more: Calls) -> Result<String, String> {
    let arch = TargetArch::try_from(ARCH).map_err(|error| error.to_string())?;
    // C libraries fall back on clone(2), of which it can be seen what is asked for.
    let no_clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
    let no_clone3 = program(
        no_clone3,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS.unsigned_abs()),
        arch,
    );
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let allowed = rules(more).and_then(|rules| program(rules, refused, SeccompAction::Allow, arch));
    let applied = no_clone3
        .and_then(|first| Ok((first, allowed?)))
        .and_then(|(first, second)| {
            apply_filter(&first)?;
            apply_filter(&second)
        });
    applied.map_err(|error| error.to_string())?;
    Ok("filters system calls".to_owned())
}

/// Takes these calls from the calling thread, and from those that it starts, for good.
///
/// # Errors
/// The kernel has no such filters.
pub fn forbid(calls: &[i64]) -> Result<(), String> {
    let arch = TargetArch::try_from(ARCH).map_err(|error| error.to_string())?;
    let rules = calls.iter().map(|&call| (call, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let program = program(rules, SeccompAction::Allow, refused, arch);
    let applied = program.and_then(|program| apply_filter(&program));
    applied.map_err(|error| error.to_string())
}

fn program(
    rules: Rules,
    otherwise: SeccompAction,
    matching: SeccompAction,
    arch: TargetArch,
) -> Result<BpfProgram, seccompiler::Error> {
    let filter = SeccompFilter::new(rules, otherwise, matching, arch)?;
    Ok(filter.try_into()?)
}

fn rules(more: Calls) -> Result<Rules, seccompiler::Error> {
    let plain = PLAIN.iter().chain(OLDER).chain(more.others);
    let mut rules: Rules = plain.map(|&call| (call, Vec::new())).collect();
    let mut add = |call, argument, values: &[u64], mask: Option<u64>| {
        let each = values.iter().map(|&value| {
            let how = mask.map_or(SeccompCmpOp::Eq, SeccompCmpOp::MaskedEq);
            let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value)?;
            SeccompRule::new(vec![condition])
        });
        let each = each.collect::<Result<Vec<_>, seccompiler::BackendError>>()?;
        // No rule at all would allow whatever it is told.
        if !each.is_empty() {
            rules.insert(call, each);
        }
        Ok::<(), seccompiler::Error>(())
    };
    let number = |number: i32| u64::from(number.unsigned_abs());
    // No memory becomes code.
    let code = Some(number(libc::PROT_EXEC));
    add(libc::SYS_mmap, 2, &[0], code)?;
    add(libc::SYS_mprotect, 2, &[0], code)?;
    // No process but ourselves.
    let thread = number(libc::CLONE_THREAD);
    add(libc::SYS_clone, 0, &[thread], Some(thread))?;
    let names = [number(libc::PR_SET_NAME), number(libc::PR_SET_VMA)];
    add(libc::SYS_prctl, 0, &names, None)?;
    let families: Vec<u64> = more.families.iter().map(|&it| number(it)).collect();
    add(libc::SYS_socket, 0, &families, None)?;
    add(libc::SYS_ioctl, 1, &ASKED, None)?;
    // Limits of ourselves.
    add(libc::SYS_prlimit64, 0, &[0], None)?;
    add(libc::SYS_bpf, 0, more.operations, None)?;
    Ok(rules)
}
