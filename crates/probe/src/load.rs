//! Loads the eBPF object and attaches what is not bound to a device.
//!
//! What a kernel cannot do is found out by trying, never by its version: `hooks.rs` lists the
//! ways to keep owners fresh, the best first.

use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use libbpf_rs::{
    Iter, Link, Map, MapCore, MapFlags, MapHandle, MapType, Object, ObjectBuilder, OpenObject,
    ProgramType,
};
use pktwho_packet::{NetnsId, ProcessId};
use rustix::param::page_size;
use zerocopy::IntoBytes;

use crate::Error;
use crate::abi::{self, Config};
use crate::guards::Watch;
use crate::hooks::{CALLS, HOOKS, Hooks, WITH_STORAGE};
use crate::layout::RingLayout;
use crate::refusal::{self, Refusal};
use crate::sys::{self, Mapped};
use crate::terms::Terms;
use crate::types;

/// The object, aligned as an ELF reader wants it.
#[repr(align(8))]
pub struct Aligned<const N: usize>(pub [u8; N]);
static OBJECT: Aligned<{ include_bytes!(concat!(env!("OUT_DIR"), "/pktwho.bpf.o")).len() }> =
    Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/pktwho.bpf.o")));

/// The loaded object; dropping it detaches what it attached.
pub struct Programs {
    object: Object,
    links: Vec<Link>,
    /// Of [`WATCH`].
    watch: Option<OwnedFd>,
    cgroup: OwnedFd,
    hooks: &'static Hooks,
    /// Why a better set of hooks was not taken, where it is not for what the kernel lacks.
    refusal: Option<Refusal>,
}

/// What the kernel has taken of the programs.
#[derive(Debug)]
pub struct Taken {
    /// What looks at packets may ask for the current process.
    pub asks_current: bool,
    /// Whether uses of sockets go unseen: one of `UNSEEN_…`.
    pub unseen: u8,
    /// Each program that is attached, or why it cannot be.
    pub hooks: Vec<(String, Result<(), String>)>,
    /// Programs that the kernel refuses, and that nothing else makes up for.
    pub refused: &'static [&'static str],
    /// What is lost by it.
    pub weaker: &'static str,
    /// Why it is less than the best, where it is not for what the kernel lacks.
    pub refusal: Option<Refusal>,
}

/// The map `processes`, read alone.
#[derive(Debug)]
pub struct Answers {
    map: MapHandle,
}

impl Answers {
    /// The terms that are true of the process; none of one that is not known.
    pub fn of(&self, process: abi::ProcessKey) -> u64 {
        let found = self.map.lookup(process.as_bytes(), MapFlags::ANY);
        let answer = found.ok().flatten();
        let answer = answer.and_then(|bytes| {
            <abi::ProcessAnswer as zerocopy::FromBytes>::read_from_bytes(&bytes).ok()
        });
        answer.map_or(0, |answer| answer.is)
    }
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programs")
            .field("links", &self.links.len())
            .finish_non_exhaustive()
    }
}

/// Most processes that terms can be answered for at a time.
const PROCESSES: u32 = 65_536;
/// Most cgroups that terms about containers can be answered for at a time.
pub const CGROUPS: u32 = 32_768;
/// Most devices, each in two directions, that have a program for terms about owners.
const DECIDED: u32 = 32_768;

/// Iterators run when they are told to; classifiers are reached by tail calls.
const NOT_ATTACHED: [ProgramType; 1] = [ProgramType::SchedCls];
/// Looks at what is sent before it reaches a device; see `guards.rs`.
const WATCH: &str = "egress";
const ITERATORS: [&str; 2] = ["existing_processes", "existing_sockets"];

impl Programs {
    /// Loads everything and attaches nothing.
    ///
    /// # Errors
    /// When the kernel takes none of the variants; of several refusals the first.
    pub fn load(config: Config, terms: &Terms, layout: RingLayout) -> Result<Self, Error> {
        types::in_sight(|| Self::load_here(config, terms, layout))?
    }

    fn load_here(config: Config, terms: &Terms, layout: RingLayout) -> Result<Self, Error> {
        let cgroup = root_cgroup()?;
        let shown = types::Shown::open();
        let types = types::for_programs(shown.as_ref());
        let functions = types::functions(shown.as_ref());
        let config = Config {
            tracking: u8::from(functions.tracks),
            reads_context: u8::from(functions.reads_context),
            multipath: u8::from(functions.multipath),
            ..config
        };
        let (mut first_refusal, mut told) = (None, None);
        let mut has_storage = true;
        for hooks in &HOOKS {
            // Each try to load takes its time.
            let may_go = has_storage || hooks.go_without_storage();
            if !may_go || !hooks.are_there(shown.as_ref()) {
                continue;
            }
            let load = || open(config, hooks, terms, layout, types.as_ref());
            let (loaded, refusal) = refusal::listen(|| load().and_then(OpenObject::load));
            match loaded {
                Ok(object) => {
                    let Ok(links) = attach_calls(&object) else {
                        continue;
                    };
                    let programs = Self {
                        object,
                        links,
                        watch: None,
                        cgroup,
                        hooks,
                        refusal: told,
                    };
                    programs.fill_terms(terms)?;
                    return Ok(programs);
                }
                Err(error) => {
                    let error = refused(&error);
                    if error.is_permission() {
                        return Err(error);
                    }
                    first_refusal = first_refusal.or(Some(error));
                    let lack = refusal.as_ref().filter(|refusal| refusal.is_lack());
                    has_storage &= !lack.is_some_and(|lack| WITH_STORAGE.contains(&&*lack.program));
                    told = told.or(refusal.filter(|refusal| !refusal.is_lack()));
                }
            }
        }
        Err(first_refusal.unwrap_or(Error::Load {
            reason: "no variant to try".into(),
        }))
    }

    /// Whether programs on devices may see who sends.
    pub fn looks_at_devices(&self) -> bool {
        self.hooks.asks_current
    }

    /// What this kernel cannot be had to do, and what it refuses though it should not, in words.
    pub fn lost(&self) -> Vec<String> {
        let refusal = self.refusal.iter().map(|refusal| {
            let weaker = self.hooks.weaker;
            format!("this kernel refuses a program, and weaker ones are used ({refusal}): {weaker}")
        });
        let lost = self.hooks.lost.into_iter().map(str::to_owned);
        lost.chain(refusal).collect()
    }

    /// Whether a refusal may be for the size of a ring: before 5.11 a map's value has 4 MiB at
    /// most. Found out by making such a map alone.
    pub fn is_too_large(layout: RingLayout) -> bool {
        let options = libbpf_sys::bpf_map_create_opts {
            sz: size_of::<libbpf_sys::bpf_map_create_opts>() as libbpf_sys::size_t,
            ..Default::default()
        };
        let made = MapHandle::create(MapType::Array, None::<&str>, 4, layout.stride, 1, &options);
        made.is_err_and(|error| {
            format!("{error:#}").contains(&format!("(os error {})", libc::E2BIG))
        })
    }

    fn fill_terms(&self, terms: &Terms) -> Result<(), Error> {
        for (name, bits) in terms.names() {
            self.update("names", &name, bits.as_bytes())?;
        }
        for (map, numbers) in terms.numbers() {
            for (number, bits) in numbers {
                self.update(map, number.as_bytes(), bits.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Enters a value into a map.
    ///
    /// # Errors
    /// When the map is full or there is none of that name.
    pub fn update(&self, name: &'static str, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.find(name)?
            .update(key, value, MapFlags::ANY)
            .map_err(|error| refused(&error))
    }

    fn find(&self, name: &'static str) -> Result<Map<'_>, Error> {
        self.object
            .maps()
            .find(|map| map.name() == name)
            .ok_or_else(|| Error::Load {
                reason: format!("no map {name}"),
            })
    }

    /// What is true of processes, to be asked for while packets are lent.
    ///
    /// # Errors
    /// The kernel gives no second descriptor.
    pub fn answers(&self) -> Result<Answers, Error> {
        let map = self.handle("processes")?;
        Ok(Answers { map })
    }

    /// A map, to be read and written by whoever has this.
    ///
    /// # Errors
    /// There is none of that name, or the kernel gives no second descriptor.
    pub fn handle(&self, name: &'static str) -> Result<MapHandle, Error> {
        let map = self.find(name)?;
        MapHandle::try_from(&map).map_err(|error| Error::Load {
            reason: format!("cannot keep a map: {error}"),
        })
    }

    /// Sets what is true of a process; `None` removes it.
    pub fn set_answer(&self, process: abi::ProcessKey, answer: Option<abi::ProcessAnswer>) {
        if let Ok(map) = self.find("processes") {
            // Gone already or no room: user space decides where the kernel side does not know.
            let _ = match answer {
                None => map.delete(process.as_bytes()),
                Some(answer) => map.update(process.as_bytes(), answer.as_bytes(), MapFlags::ANY),
            };
        }
    }

    /// Removes an entry from a map, if it is there.
    pub fn remove(&self, name: &'static str, key: &[u8]) {
        if let Ok(map) = self.find(name) {
            let _ = map.delete(key);
        }
    }

    /// Sets what the terms about containers come to in a cgroup; `None` removes it.
    pub fn set_cgroup(&self, cgroup: u64, answer: Option<abi::CgroupAnswer>) {
        match answer {
            None => self.remove("cgroups", cgroup.as_bytes()),
            // No room: user space decides then.
            Some(answer) => {
                let _ = self.update("cgroups", cgroup.as_bytes(), answer.as_bytes());
            }
        }
    }

    /// Starts the event stream and keeps owners in sockets from here on, in every network
    /// namespace. Processes come first: whoever uses a socket has then been told of.
    ///
    /// # Errors
    /// When a hook is refused.
    pub fn attach(&mut self) -> Result<(), Error> {
        let (traced, in_cgroup): (Vec<_>, Vec<_>) = self
            .object
            .progs_mut()
            .filter(|p| p.autoload() && !NOT_ATTACHED.contains(&p.prog_type()))
            .filter(|p| ITERATORS.iter().all(|&name| p.name() != name))
            .filter(|p| !is_call(p.name()))
            .partition(|p| p.prog_type() == ProgramType::Tracing);
        for program in traced {
            self.links
                .push(program.attach_trace().map_err(|error| refused(&error))?);
        }
        for program in in_cgroup.into_iter().filter(|p| p.name() != WATCH) {
            let link = program.attach_cgroup(self.cgroup.as_raw_fd());
            self.links.push(link.map_err(|error| refused(&error))?);
        }
        self.watch()
    }

    /// Looks at every packet that any socket sends, from here on.
    fn watch(&mut self) -> Result<(), Error> {
        let link = sys::attach_egress(self.program(WATCH)?.as_fd(), self.cgroup.as_fd());
        self.watch = Some(link.map_err(Error::system_io("cannot attach to the root cgroup"))?);
        Ok(())
    }

    /// What it takes to go on with that elsewhere; `None` when this kernel can do it here alone.
    ///
    /// # Errors
    /// The kernel gives no second descriptors.
    pub fn hand_over_watch(&mut self) -> Result<Option<Watch>, Error> {
        if !self.hooks.asks_current {
            return Ok(None);
        }
        let failed = Error::system_io("cannot keep a program");
        let cgroup = self.cgroup.try_clone().map_err(&failed)?;
        let reader = Mapped::new(self.map("reader")?.as_fd(), 0, page_size(), true);
        Ok(Some(Watch {
            program: self.program(WATCH)?,
            cgroup,
            ethernet: self.program("sent_ethernet")?,
            raw: self.program("sent_raw")?,
            reader: reader.map_err(&failed)?,
            link: self.watch.take(),
        }))
    }

    fn program(&self, name: &str) -> Result<OwnedFd, Error> {
        let mut programs = self.object.progs();
        let program = programs.find(|program| program.name() == name);
        let program = program.ok_or_else(|| Error::Load {
            reason: format!("no program {name}"),
        })?;
        program
            .as_fd()
            .try_clone_to_owned()
            .map_err(Error::system_io("cannot keep a program"))
    }

    /// Attaches what can be, one by one, and says what cannot. For a moment, see `doctor.rs`.
    pub fn take_stock(&mut self) -> Taken {
        let mut hooks = Vec::new();
        for program in self.object.progs_mut() {
            if !program.autoload() || NOT_ATTACHED.contains(&program.prog_type()) {
                continue;
            }
            let name = program.name().to_string_lossy().into_owned();
            if is_call(program.name()) {
                // Since it was loaded.
                hooks.push((name, Ok(())));
                continue;
            }
            let link = match program.prog_type() {
                ProgramType::Tracing if ITERATORS.contains(&name.as_str()) => program.attach(),
                ProgramType::Tracing => program.attach_trace(),
                _ => program.attach_cgroup(self.cgroup.as_raw_fd()),
            };
            let state = link.map(drop).map_err(|error| error.to_string());
            hooks.push((name, state));
        }
        Taken {
            asks_current: self.hooks.asks_current,
            unseen: self.hooks.unseen,
            hooks,
            refused: if self.hooks.go_without_storage() {
                &WITH_STORAGE
            } else {
                &[]
            },
            weaker: self.hooks.weaker,
            refusal: self.refusal.clone(),
        }
    }

    /// The names of all programs.
    #[cfg(test)]
    pub fn names() -> Vec<String> {
        let object = ObjectBuilder::default().open_memory(&OBJECT.0).unwrap();
        let name =
            |program: libbpf_rs::OpenProgram<'_>| program.name().to_string_lossy().into_owned();
        object.progs().map(name).collect()
    }

    /// One process event for each process that runs now.
    ///
    /// # Errors
    /// When the iterator is refused.
    pub fn existing_processes(&self) -> Result<Vec<u8>, Error> {
        self.iterate("existing_processes")
    }

    /// Gives every open socket its owner. Returns who holds one, in the order of their pids, once
    /// for each: nobody where the kernel has no such iterator.
    ///
    /// # Errors
    /// When the iterator is refused.
    pub fn claim_existing_sockets(&self) -> Result<Vec<ProcessId>, Error> {
        let bytes = self.iterate("existing_sockets")?;
        let keys = bytes.chunks_exact(size_of::<abi::ProcessKey>());
        let key = |bytes| <abi::ProcessKey as zerocopy::FromBytes>::read_from_bytes(bytes).ok();
        let id = |key: abi::ProcessKey| ProcessId {
            pid: key.pid,
            start: key.start,
        };
        let mut holders: Vec<ProcessId> = keys.filter_map(key).map(id).collect();
        holders.dedup();
        Ok(holders)
    }

    /// The root of the cgroup2 hierarchy.
    pub fn root_cgroup(&self) -> BorrowedFd<'_> {
        self.cgroup.as_fd()
    }

    fn iterate(&self, name: &str) -> Result<Vec<u8>, Error> {
        let run = || -> libbpf_rs::Result<Vec<u8>> {
            let mut output = Vec::new();
            for program in self
                .object
                .progs_mut()
                .filter(|program| program.name() == name && program.autoload())
            {
                let link = program.attach()?;
                Iter::new(&link)?.read_to_end(&mut output)?;
            }
            Ok(output)
        };
        run().map_err(|error| refused(&error))
    }

    /// The descriptor of a map.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn map(&self, name: &'static str) -> Result<OwnedFd, Error> {
        let map = self.find(name)?;
        map.as_fd()
            .try_clone_to_owned()
            .map_err(Error::system_io("cannot keep a map"))
    }

    /// How many of the entries once made in a table are gone. Looking costs a system call for
    /// each entry, so that it is done only where there may be some.
    pub fn evicted(&self, table: &'static str, entered: u64) -> u64 {
        let Ok(map) = self.find(table) else { return 0 };
        if entered <= u64::from(map.max_entries()) / 2 {
            return 0;
        }
        entered.saturating_sub(map.keys().count() as u64)
    }

    /// The packets lost by device, an entry for each cause.
    pub fn losses(&self) -> Vec<((NetnsId, u32), u64)> {
        let Ok(map) = self.find("losses") else {
            return Vec::new();
        };
        let read = |key: Vec<u8>| {
            let value = map.lookup(&key, MapFlags::ANY).ok()??;
            let key = <abi::LossKey as zerocopy::FromBytes>::read_from_bytes(&key).ok()?;
            Some((
                (NetnsId(key.netns), key.ifindex),
                u64::from_ne_bytes(value.try_into().ok()?),
            ))
        };
        map.keys().filter_map(read).collect()
    }
}

/// Puts the programs at functions there, where some are wanted: a kernel may take the programs and have no
/// way to call them. Before all others, which are the same with weaker ones; whoever uses a socket before
/// processes are told of is told of with those that run.
fn attach_calls(object: &Object) -> libbpf_rs::Result<Vec<Link>> {
    let programs = object.progs_mut();
    let wanted = programs.filter(|program| program.autoload() && is_call(program.name()));
    wanted.map(|program| program.attach_trace()).collect()
}

fn is_call(program: &OsStr) -> bool {
    CALLS.iter().any(|name| program == *name)
}

/// The object with its constants set, maps sized, and without the programs not wanted.
fn open(
    config: Config,
    hooks: &Hooks,
    terms: &Terms,
    layout: RingLayout,
    types: Option<&OwnedFd>,
) -> libbpf_rs::Result<OpenObject> {
    let config = Config {
        asks_current: u8::from(hooks.asks_current),
        // Where not every receive is seen, the connection knows less than its paths.
        multipath: config.multipath & u8::from(hooks.unseen == abi::UNSEEN_NONE),
        unseen: hooks.unseen,
        ..config
    };
    let numbers = terms.numbers();
    let entries = |count: usize| u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    let mut builder = ObjectBuilder::default();
    builder.name("pktwho")?;
    if let Some(file) = types {
        builder.btf_custom_path(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    }
    let mut object = builder.open_memory(&OBJECT.0)?;
    for mut map in object.maps_mut() {
        match map.name().to_str() {
            Some("rings") => {
                map.set_value_size(layout.stride)?;
                map.set_max_entries(layout.count)?;
            }
            Some("processes") if terms.are_about_processes() => map.set_max_entries(PROCESSES)?,
            Some("cgroups") if terms.are_about_containers() => map.set_max_entries(CGROUPS)?,
            Some("decider_of") if !terms.is_empty() => map.set_max_entries(DECIDED)?,
            Some("names") => map.set_max_entries(entries(terms.names().len()))?,
            Some(name) if numbers.iter().any(|(map, _)| *map == name) => {
                let found = numbers.iter().find(|(map, _)| *map == name);
                map.set_max_entries(entries(found.map_or(0, |(_, numbers)| numbers.len())))?;
            }
            Some(name) if name.ends_with(".rodata") => map.set_initial_value(config.as_bytes())?,
            _ => {}
        }
    }
    for mut program in object.progs_mut() {
        let wanted = program.name().to_str().is_some_and(|name| hooks.want(name));
        if !wanted {
            program.set_autoload(false);
        }
    }
    Ok(object)
}

/// Why the kernel, or libbpf, will not.
pub fn refused(error: &libbpf_rs::Error) -> Error {
    let reason = format!("{error:#}");
    // EPERM is lack of privileges; EACCES, of the same kind, is a verifier's refusal.
    let unprivileged = reason.contains(&format!("(os error {})", libc::EPERM));
    if error.kind() == libbpf_rs::ErrorKind::PermissionDenied && unprivileged {
        return Error::Permission {
            what: "cannot load the eBPF programs".into(),
            source: std::io::Error::from_raw_os_error(libc::EPERM),
        };
    }
    let esrch = format!("(os error {})", libc::ESRCH);
    if reason.contains(&esrch) && !types::are_there() {
        return Error::Load {
            reason: format!(
                "no type information (BTF) of this kernel at {} or where libbpf looks: \
                 --kernel-btf names a file",
                sys::KERNEL_TYPES
            ),
        };
    }
    Error::Load { reason }
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
    mount().map_err(|errno| Error::Cgroup {
        source: errno.into(),
    })
}
