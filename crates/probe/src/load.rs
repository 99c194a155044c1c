//! Loads the three eBPF objects and attaches what is not bound to a device.
//!
//! What a kernel cannot do is found out by trying, never by its version: `Hooks` lists the
//! ways to keep owners fresh, the best first.

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libbpf_rs::{Iter, Link, MapCore, MapFlags, Object, ObjectBuilder, OpenObject};
use zerocopy::IntoBytes;

use crate::abi::{self, Config, LONG_NAME_LEN, RING_HEADER};
use crate::{Error, OwnerFilter};

/// An object embedded in the library, aligned as an ELF reader wants it.
#[repr(align(8))]
struct Aligned<const N: usize>([u8; N]);
macro_rules! object {
    ($name:literal) => {{
        const BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bpf.o"));
        static ALIGNED: Aligned<{ BYTES.len() }> = {
            let mut aligned = Aligned([0; BYTES.len()]);
            aligned.0.copy_from_slice(BYTES);
            aligned
        };
        &ALIGNED.0
    }};
}

/// The programs that keep the owner of a socket up to date, by what the kernel offers.
struct Hooks {
    /// `cgroup_skb` may ask for the current task (6.x).
    current_in_egress: bool,
    /// Programs of owner.bpf.c that are not wanted then.
    without: &'static [&'static str],
}

const SENDS: [&str; 2] = ["sendmsg4", "sendmsg6"];
const RECEIVES: [&str; 2] = ["recvmsg4", "recvmsg6"];

const HOOKS: [Hooks; 3] = [
    Hooks {
        current_in_egress: true,
        without: &[
            SENDS[0],
            SENDS[1],
            RECEIVES[0],
            RECEIVES[1],
            "sock_send_length",
        ],
    },
    Hooks {
        current_in_egress: false,
        without: &[RECEIVES[0], RECEIVES[1]],
    },
    Hooks {
        current_in_egress: false,
        without: &["sock_send_length", "sock_recv_length"],
    },
];

/// The programs of owner.bpf.c that attach to the root cgroup; the others are tracepoints.
const CGROUP_PROGRAMS: [&str; 12] = [
    "sock_create",
    "post_bind4",
    "post_bind6",
    "connect4",
    "connect6",
    "sendmsg4",
    "sendmsg6",
    "recvmsg4",
    "recvmsg6",
    "getpeername4",
    "getpeername6",
    "egress",
];

/// How the rings are laid out.
#[derive(Clone, Copy, Debug)]
pub struct RingLayout {
    pub count: u32,
    /// Bytes of one ring, a power of two.
    pub size: u32,
    /// Bytes from one ring to the next.
    pub stride: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "a hundred bytes")]
const RECORD_HEAD: u32 = size_of::<abi::PacketRecord>() as u32;

impl RingLayout {
    pub fn new(count: u32, size: u32, snaplen: u32) -> Self {
        let page = u32::try_from(rustix::param::page_size()).unwrap_or(4096);
        // Room for one record that begins at the last byte of the ring.
        let record = RECORD_HEAD + snaplen + 16;
        let stride = (RING_HEADER + size + record).next_multiple_of(page);
        Self {
            count,
            size,
            stride,
        }
    }
}

/// The loaded objects; dropping it detaches what it attached.
pub struct Programs {
    owner: Object,
    process: Object,
    capture: Object,
    links: Vec<Link>,
    cgroup: OwnedFd,
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programs")
            .field("links", &self.links.len())
            .finish_non_exhaustive()
    }
}

/// Most processes that an owner filter can name at a time.
const MATCHES: u32 = 65_536;

impl Programs {
    pub fn load(config: Config, filter: &OwnerFilter, layout: RingLayout) -> Result<Self, Error> {
        libbpf_rs::set_print(None);
        let cgroup = root_cgroup()?;
        let (config, owner) = load_owner(config, filter)?;
        let process = load_sharing("process", object!("process"), config, &owner, |_| Ok(()))?;
        let capture = load_sharing("capture", object!("capture"), config, &owner, |object| {
            for mut map in object.maps_mut().filter(|map| map.name() == "rings") {
                map.set_value_size(layout.stride)?;
                map.set_max_entries(layout.count)?;
            }
            Ok(())
        })?;
        let programs = Self {
            owner,
            process,
            capture,
            links: Vec::new(),
            cgroup,
        };
        programs.fill_names(filter)?;
        Ok(programs)
    }

    fn fill_names(&self, filter: &OwnerFilter) -> Result<(), Error> {
        for name in &filter.names {
            let mut key = [0u8; LONG_NAME_LEN];
            // The kernel side compares with a NUL at the end.
            for (to, from) in key.iter_mut().take(LONG_NAME_LEN - 1).zip(name) {
                *to = *from;
            }
            self.update("names", &key, &[1])?;
        }
        for uid in &filter.uids {
            self.update("uids", uid.as_bytes(), &[1])?;
        }
        Ok(())
    }

    fn update(&self, map: &'static str, key: &[u8], value: &[u8]) -> Result<(), Error> {
        for found in self.owner.maps().filter(|found| found.name() == map) {
            found
                .update(key, value, MapFlags::ANY)
                .map_err(|error| load_error("owner", &error))?;
        }
        Ok(())
    }

    /// Sets the terms (`MATCH_…`) that a process matches; none removes it.
    pub fn set_match(&self, process: pktwho_packet::ProcessId, terms: u32) {
        let key = abi::ProcessKey {
            start: process.start,
            pid: process.pid,
            pad: 0,
        };
        for map in self.owner.maps().filter(|map| map.name() == "matches") {
            // Gone already or no room: the kernel side counts what it cannot enter.
            let _ = if terms == 0 {
                map.delete(key.as_bytes())
            } else {
                map.update(key.as_bytes(), terms.as_bytes(), MapFlags::ANY)
            };
        }
    }

    /// Starts the event stream: from here on no process comes or goes unseen.
    pub fn attach_processes(&mut self) -> Result<(), Error> {
        for program in self
            .process
            .progs_mut()
            .filter(|p| p.name() != "existing_processes")
        {
            let link = program
                .attach_trace()
                .map_err(|error| load_error("process", &error))?;
            self.links.push(link);
        }
        Ok(())
    }

    /// Starts keeping owners in sockets, in every network namespace.
    pub fn attach_owners(&mut self) -> Result<(), Error> {
        for program in self.owner.progs_mut().filter(|p| p.autoload()) {
            let link = if CGROUP_PROGRAMS.iter().any(|&name| program.name() == name) {
                program.attach_cgroup(self.cgroup.as_raw_fd())
            } else if program.name() == "existing_sockets" {
                continue;
            } else {
                program.attach_trace()
            };
            self.links
                .push(link.map_err(|error| load_error("owner", &error))?);
        }
        Ok(())
    }

    /// One process event for each process that runs now.
    pub fn existing_processes(&self) -> Result<Vec<u8>, Error> {
        run_iterator("process", &self.process, "existing_processes")
    }

    /// Gives every open socket its owner.
    pub fn claim_existing_sockets(&self) -> Result<(), Error> {
        run_iterator("owner", &self.owner, "existing_sockets").map(drop)
    }

    /// The map of that name.
    pub fn map(&self, name: &'static str) -> Result<OwnedFd, Error> {
        [&self.owner, &self.capture]
            .into_iter()
            .flat_map(Object::maps)
            .find(|map| map.name() == name)
            .and_then(|map| map.as_fd().try_clone_to_owned().ok())
            .ok_or_else(|| Error::Load {
                object: "capture",
                reason: format!("no map {name}"),
            })
    }

    /// The losses by device: (interface index, cause `LOST_…`, packets).
    pub fn losses(&self) -> Vec<(u32, u32, u64)> {
        let Some(map) = self.capture.maps().find(|map| map.name() == "losses") else {
            return Vec::new();
        };
        let read = |key: Vec<u8>| {
            let value = map.lookup(&key, MapFlags::ANY).ok()??;
            let key = <abi::LossKey as zerocopy::FromBytes>::read_from_bytes(&key).ok()?;
            Some((
                key.ifindex,
                key.cause,
                u64::from_ne_bytes(value.try_into().ok()?),
            ))
        };
        map.keys().filter_map(read).collect()
    }
}

fn load_owner(config: Config, filter: &OwnerFilter) -> Result<(Config, Object), Error> {
    let mut first_error = None;
    for hooks in &HOOKS {
        let config = Config {
            current_in_egress: u8::from(hooks.current_in_egress),
            ..config
        };
        let loaded = open("owner", object!("owner"), config).and_then(|mut object| {
            for mut program in object.progs_mut() {
                if hooks.without.iter().any(|&name| program.name() == name) {
                    program.set_autoload(false);
                }
            }
            for mut map in object.maps_mut() {
                let entries = match map.name().to_str() {
                    Some("matches") if config.filter_mask != 0 => MATCHES,
                    Some("names") => filter.names.len().max(1).try_into().unwrap_or(u32::MAX),
                    Some("uids") => filter.uids.len().max(1).try_into().unwrap_or(u32::MAX),
                    _ => continue,
                };
                map.set_max_entries(entries)
                    .map_err(|error| load_error("owner", &error))?;
            }
            object.load().map_err(|error| load_error("owner", &error))
        });
        match loaded {
            Ok(object) => return Ok((config, object)),
            Err(error) if error.is_permission() => return Err(error),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or(Error::Load {
        object: "owner",
        reason: "no way to try".into(),
    }))
}

fn open(name: &'static str, bytes: &[u8], config: Config) -> Result<OpenObject, Error> {
    let mut object = ObjectBuilder::default()
        .name(name)
        .and_then(|builder| builder.open_memory(bytes))
        .map_err(|error| load_error(name, &error))?;
    for mut map in object.maps_mut() {
        if map.name().to_string_lossy().ends_with(".rodata") {
            map.set_initial_value(config.as_bytes())
                .map_err(|error| load_error(name, &error))?;
        }
    }
    Ok(object)
}

/// Loads an object that uses the maps of `owner` where the names agree.
fn load_sharing(
    name: &'static str,
    bytes: &[u8],
    config: Config,
    owner: &Object,
    prepare: impl FnOnce(&mut OpenObject) -> libbpf_rs::Result<()>,
) -> Result<Object, Error> {
    let object = open(name, bytes, config)?;
    let load = |mut object: OpenObject| -> libbpf_rs::Result<Object> {
        for mut map in object.maps_mut() {
            let own = map.name().to_string_lossy().contains('.');
            let shared = owner.maps().find(|shared| shared.name() == map.name());
            if let (false, Some(shared)) = (own, shared) {
                map.reuse_fd(shared.as_fd())?;
            }
        }
        prepare(&mut object)?;
        object.load()
    };
    load(object).map_err(|error| load_error(name, &error))
}

fn run_iterator(name: &'static str, object: &Object, program: &str) -> Result<Vec<u8>, Error> {
    let run = || -> libbpf_rs::Result<Vec<u8>> {
        let mut output = Vec::new();
        for program in object.progs_mut().filter(|found| found.name() == program) {
            let link = program.attach()?;
            Iter::new(&link)?.read_to_end(&mut output)?;
        }
        Ok(output)
    };
    run().map_err(|error| load_error(name, &error))
}

fn load_error(object: &'static str, error: &libbpf_rs::Error) -> Error {
    if error.kind() == libbpf_rs::ErrorKind::PermissionDenied {
        return Error::Permission {
            what: format!("cannot load the {object} programs"),
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
    }
    Error::Load {
        object,
        reason: format!("{error:#}"),
    }
}

/// The root of the cgroup2 hierarchy: where it is mounted, else a mount that only we see.
fn root_cgroup() -> Result<OwnedFd, Error> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounted = mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (path, kind) = (words.nth(1)?, words.next()?);
        (kind == "cgroup2").then(|| path.to_owned())
    });
    if let Some(path) = mounted
        && let Ok(fd) = openat(CWD, path, flags, Mode::empty())
    {
        return Ok(fd);
    }
    let mount = || -> rustix::io::Result<OwnedFd> {
        use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};
        let fs = rustix::mount::fsopen("cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_create(fs.as_fd())?;
        let mount = rustix::mount::fsmount(
            fs.as_fd(),
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::empty(),
        )?;
        openat(mount, ".", flags, Mode::empty())
    };
    mount().map_err(Error::system("cannot open the cgroup2 hierarchy"))
}
