//! Uprobes at the functions that are given secrets: `bpf/tls.bpf.c`, loaded and attached.
//!
//! An attachment is of a file's inode: it counts for every process that maps the file, those to
//! come included, in every namespace. It goes when its [`Link`] does, SIGKILL included.

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};

use libbpf_rs::{
    Link, MapCore, MapFlags, MapHandle, Object, ObjectBuilder, UprobeMultiOpts, UprobeOpts,
};
use pktwho_tls::{Hook, Operand, Place, Register};
use rustc_hash::FxHashMap;
use rustix::mount::{OpenTreeFlags, open_tree};
use zerocopy::IntoBytes as _;

use super::bridge::{self, Bridge};
use crate::Error;
use crate::abi::{self, TlsConfig, TlsHook, TlsOperand, TlsPlace};
use crate::clock::monotonic;
use crate::load::{self, Aligned};
use crate::mmaps::MappedFile;
use crate::types;

static OBJECT: Aligned<{ include_bytes!(concat!(env!("OUT_DIR"), "/tls.bpf.o")).len() }> =
    Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/tls.bpf.o")));

/// The program in three forms, the best first; what a kernel cannot load it does not have.
const FORMS: [&str; 3] = [LINKS, "tls_sleeping", "tls_plain"];
const LINKS: &str = "tls_multi";

/// The loaded program and where it is attached.
#[derive(Debug)]
pub struct Hooks {
    object: Object,
    form: &'static str,
    /// Whether there are breakpoints.
    breakpoints: bool,
    /// Of each file, by its first cookie.
    links: FxHashMap<u32, Vec<Link>>,
    /// Descriptions in the map that were taken so far, and those of them that are free again.
    used: u32,
    free: Vec<u32>,
    /// How often one was taken that had been free again.
    again: u32,
}

/// Functions of a file that are hooked.
#[derive(Debug)]
pub struct Attached {
    /// What their secrets carry, in the order of the hooks.
    pub cookies: Vec<u32>,
    /// Monotonic time in nanoseconds, for the process that was met first.
    pub since: u64,
}

impl Hooks {
    /// Loads the program. `ancestors`: secrets say from which processes theirs descends.
    ///
    /// # Errors
    /// The kernel takes no form of it.
    pub fn load(ancestors: bool) -> Result<Self, Error> {
        libbpf_rs::set_print(None);
        let config = TlsConfig {
            ancestors: u8::from(ancestors),
            ..TlsConfig::default()
        };
        let types = types::for_programs(types::Shown::open().as_ref());
        let mut refusal = None;
        // Without breakpoints where there are none.
        let forms = FORMS
            .into_iter()
            .flat_map(|form| [(form, true), (form, false)]);
        for (form, breakpoints) in forms {
            let load = || -> libbpf_rs::Result<Object> {
                let mut builder = ObjectBuilder::default();
                if let Some(file) = &types {
                    builder.btf_custom_path(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
                }
                let mut object = builder.open_memory(&OBJECT.0)?;
                for mut map in object.maps_mut() {
                    if map.name().to_string_lossy().ends_with(".rodata") {
                        map.set_initial_value(config.as_bytes())?;
                    }
                }
                for mut program in object.progs_mut() {
                    let name = program.name();
                    let is_wanted = name == form || breakpoints && name == bridge::PROGRAM;
                    program.set_autoload(is_wanted);
                }
                object.load()
            };
            match load() {
                // Kernels before 6.6 load it as well.
                Ok(object) if form == LINKS && !takes_links(&object) => {}
                Ok(object) => {
                    return Ok(Self {
                        object,
                        form,
                        breakpoints,
                        links: FxHashMap::default(),
                        used: 0,
                        free: Vec::new(),
                        again: 0,
                    });
                }
                Err(error) => refusal = Some(load::refused(&error)),
            }
        }
        Err(match refusal {
            Some(refusal @ Error::Permission { .. }) => refusal,
            // The kernel itself says only that something is not valid.
            _ if types::lacks_cookies() => Error::Lacks {
                what: "uprobe cookies",
                since: "5.15",
            },
            Some(refusal) => refusal,
            None => Error::Load {
                reason: "no form to try".into(),
            },
        })
    }

    /// Which of the forms of the program the kernel has taken.
    pub fn form(&self) -> &'static str {
        self.form
    }

    /// A map of the object, to be kept by somebody else.
    ///
    /// # Errors
    /// The kernel gives no second descriptor.
    pub fn map(&self, name: &'static str) -> Result<MapHandle, Error> {
        let map = self.object.maps().find(|map| map.name() == name);
        let map = map.ok_or_else(|| Error::Load {
            reason: format!("no map {name}"),
        })?;
        MapHandle::try_from(&map).map_err(|error| load::refused(&error))
    }

    /// Attaches to functions of a file. `mapped`: somebody has just mapped it, whose next secrets count.
    ///
    /// # Errors
    /// In words for people: too many, or what the kernel says.
    pub fn attach(
        &mut self,
        file: &File,
        hooks: &[Hook],
        mapped: Option<&MappedFile>,
    ) -> Result<Attached, String> {
        let cookies = self.take(hooks.len())?;
        match self.attach_as(file, hooks, mapped, &cookies) {
            Ok(since) => Ok(Attached { cookies, since }),
            Err(error) => {
                self.detach(&cookies);
                Err(error)
            }
        }
    }

    /// Takes hooks off their file again: those of one [`attach`](Self::attach).
    pub fn detach(&mut self, cookies: &[u32]) {
        let first = cookies.first();
        drop(first.and_then(|first| self.links.remove(first)));
        let indexes = cookies.iter().map(|cookie| cookie & abi::TLS_HOOK_INDEX);
        self.free.extend(indexes);
    }

    /// Cookies of which nobody's secrets are on their way. Those that were never taken come
    /// first, so that what became of a file can be told for long.
    fn take(&mut self, count: usize) -> Result<Vec<u32>, String> {
        let unused = u32::try_from(count)
            .ok()
            .and_then(|count| self.used.checked_add(count));
        if let Some(end) = unused.filter(|&end| end <= abi::TLS_HOOKS_MAX) {
            let cookies = (self.used..end).collect();
            self.used = end;
            return Ok(cookies);
        }
        let rest = self.free.len().checked_sub(count);
        let rest = rest.ok_or_else(|| format!("more than {} functions", abi::TLS_HOOKS_MAX))?;
        self.again = self.again.wrapping_add(1);
        let generation = self.again.wrapping_mul(abi::TLS_HOOK_INDEX + 1);
        Ok(self
            .free
            .drain(rest..)
            .map(|index| generation | index)
            .collect())
    }

    /// Says since when secrets come.
    fn attach_as(
        &mut self,
        file: &File,
        hooks: &[Hook],
        mapped: Option<&MappedFile>,
        cookies: &[u32],
    ) -> Result<u64, String> {
        let map = self.object.maps().find(|map| map.name() == "hooks");
        let map = map.ok_or("no map")?;
        for (cookie, hook) in cookies.iter().zip(hooks) {
            let described =
                describe(hook).ok_or("its values lie where they cannot be described")?;
            let index = cookie & abi::TLS_HOOK_INDEX;
            map.update(index.as_bytes(), described.as_bytes(), MapFlags::ANY)
                .map_err(|error| error.to_string())?;
        }
        let mapped = mapped.filter(|_| self.breakpoints);
        let bridge = mapped.map(|mapped| Bridge::build(&self.object, mapped, hooks, cookies));
        let bridged = bridge.as_ref().filter(|bridge| bridge.stands());
        let mut since = bridged.map(|_| monotonic());
        let links = self.link(file, hooks, cookies);
        let since = *since.get_or_insert_with(monotonic);
        drop(bridge);
        let links = links.map_err(|error| without_number(&format!("{error:#}")))?;
        if let Some(&first) = cookies.first() {
            self.links.insert(first, links);
        }
        Ok(since)
    }

    fn link(&self, file: &File, hooks: &[Hook], cookies: &[u32]) -> libbpf_rs::Result<Vec<Link>> {
        const EVERY_PROCESS: i32 = -1;
        // The kernel keeps the mount through which the file is named: one of our own, or nobody could
        // unmount the other. A file of another mount namespace has none of ours.
        let own = open_tree(
            file,
            "",
            OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_EMPTY_PATH,
        );
        let own = own.ok();
        let named = own.as_ref().map_or(file.as_raw_fd(), OwnedFd::as_raw_fd);
        let path = format!("/proc/self/fd/{named}");
        let program = self.object.progs_mut().find(|p| p.name() == self.form);
        let Some(program) = program else {
            return Ok(Vec::new());
        };
        let offset = |hook: &Hook| usize::try_from(hook.offset).unwrap_or(usize::MAX);
        if self.form == LINKS {
            let options = UprobeMultiOpts {
                offsets: hooks.iter().map(offset).collect(),
                cookies: cookies.iter().map(|&cookie| cookie.into()).collect(),
                ..UprobeMultiOpts::default()
            };
            let link = program.attach_uprobe_multi_with_opts(EVERY_PROCESS, path, "", options)?;
            return Ok(vec![link]);
        }
        let each = hooks.iter().zip(cookies);
        let attach = |(hook, &cookie): (&Hook, &u32)| {
            let options = UprobeOpts {
                cookie: cookie.into(),
                ..UprobeOpts::default()
            };
            program.attach_uprobe_with_opts(EVERY_PROCESS, &path, offset(hook), options)
        };
        each.map(attach).collect()
    }
}

/// Whether the kernel has links of many uprobes: one is made, at our own file's header, which
/// nobody executes.
fn takes_links(object: &Object) -> bool {
    let mut programs = object.progs_mut();
    let Some(program) = programs.find(|program| program.name() == LINKS) else {
        return false;
    };
    let options = UprobeMultiOpts {
        offsets: vec![0],
        cookies: vec![0],
        ..UprobeMultiOpts::default()
    };
    let process = i32::try_from(std::process::id()).unwrap_or(-1);
    let link = program.attach_uprobe_multi_with_opts(process, "/proc/self/exe", "", options);
    link.is_ok()
}

/// Without Rust's number behind the system's words.
fn without_number(text: &str) -> String {
    let end = text.find(" (os error ").unwrap_or(text.len());
    text.get(..end).unwrap_or(text).to_owned()
}

/// As the kernel side reads it; `None` when a register is none of this machine's, or a length
/// or a path is too long.
fn describe(hook: &Hook) -> Option<TlsHook> {
    Some(TlsHook {
        label: operand(&hook.label)?,
        client_random: operand(&hook.client_random)?,
        secret: operand(&hook.secret)?,
        ..TlsHook::default()
    })
}

fn operand(operand: &Operand) -> Option<TlsOperand> {
    let (at, length, length_register, kind) = match operand {
        Operand::Text(at) => (at, 0, 0, abi::TLS_TEXT),
        Operand::Fixed(at, length) => (at, *length, 0, abi::TLS_FIXED),
        Operand::Sized(at, register) => (at, 0, register_offset(*register)?, abi::TLS_SIZED),
    };
    Some(TlsOperand {
        place: place(at)?,
        length,
        length_reg: length_register,
        kind,
        pad: 0,
    })
}

fn place(place: &Place) -> Option<TlsPlace> {
    let mut step = [0; abi::TLS_STEPS_MAX];
    step.get_mut(..place.steps.len())?
        .copy_from_slice(&place.steps);
    Some(TlsPlace {
        reg: register_offset(place.register)?,
        steps: u8::try_from(place.steps.len()).ok()?,
        pad: 0,
        step,
        add: place.add,
    })
}

/// Where a register lies in `struct pt_regs` (arch/x86/include/asm/ptrace.h), in bytes.
#[cfg(target_arch = "x86_64")]
fn register_offset(register: Register) -> Option<u16> {
    const BY_NUMBER: [u16; 16] = [
        80, 96, 88, 40, 104, 112, 32, 152, 72, 64, 56, 48, 24, 16, 8, 0,
    ];
    BY_NUMBER.get(usize::from(register.0)).copied()
}

/// Where a register lies in `struct user_pt_regs` (arch/arm64/include/uapi/asm/ptrace.h), in
/// bytes.
#[cfg(target_arch = "aarch64")]
fn register_offset(register: Register) -> Option<u16> {
    (register.0 <= 31).then(|| u16::from(register.0) * 8)
}

#[cfg(test)]
mod tests {
    use pktwho_tls::Library;

    use super::*;

    fn at(register: u8, steps: Vec<i32>) -> Place {
        Place {
            register: Register(register),
            steps,
            add: 8,
        }
    }

    #[test]
    fn only_what_fits_is_described() {
        let hook = |steps: Vec<i32>, register| Hook {
            library: Library::OpenSsl,
            offset: 0,
            label: Operand::Text(at(0, Vec::new())),
            client_random: Operand::Fixed(at(1, steps), 32),
            secret: Operand::Sized(at(2, Vec::new()), Register(register)),
            evidence: String::new(),
        };
        let described = describe(&hook(vec![48, -8], 3)).unwrap();
        assert_eq!(described.client_random.place.step, [48, -8, 0, 0]);
        assert_eq!(described.client_random.place.add, 8);
        assert_eq!(described.secret.kind, abi::TLS_SIZED);
        assert!(describe(&hook(vec![0; 5], 3)).is_none());
        assert!(describe(&hook(Vec::new(), 40)).is_none());
    }
}
