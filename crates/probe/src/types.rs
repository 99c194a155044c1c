//! Where the kernel's type information (BTF) comes from.
//!
//! The kernel shows its own at `/sys/kernel/btf/vmlinux`; where that is not to be seen, libbpf looks
//! for a kernel image with types: `/boot/vmlinux-RELEASE`, `/lib/modules/RELEASE/vmlinux-RELEASE`,
//! `/lib/modules/RELEASE/build/vmlinux`, `/usr/lib/modules/RELEASE/kernel/vmlinux`, and with its
//! debugging symbols below `/usr/lib/debug`. Or a file is named, which then is at the first of
//! these places for the one thread that loads the programs: libbpf has no other way to be told.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};

use crate::{Error, btf, sys};

/// The file that the user named.
static NAMED: OnceLock<PathBuf> = OnceLock::new();
/// Folders of which one is there, and where below it libbpf looks.
const PLACES: [(&str, &str); 3] = [
    ("/boot", "vmlinux-"),
    ("/usr", "lib/debug/boot/vmlinux-"),
    ("/lib", "modules/RELEASE/vmlinux-"),
];

/// Takes the types from this file from now on.
///
/// # Errors
/// It cannot be read, or has not begun as BTF or an ELF file does.
pub fn name(file: &Path) -> Result<(), Error> {
    let failed = |source| Error::Types {
        path: file.to_owned(),
        source,
    };
    let bytes = std::fs::read(file).map_err(failed)?;
    if !bytes.starts_with(&btf::MAGIC.to_ne_bytes()) && !bytes.starts_with(b"\x7fELF") {
        return Err(failed(io::Error::other("neither BTF nor an ELF file")));
    }
    let _ = NAMED.set(file.to_owned());
    Ok(())
}

/// Whether the kernel shows them, or a file was named.
pub fn are_there() -> bool {
    NAMED.get().is_some() || Path::new(sys::KERNEL_TYPES).exists()
}

/// Does something where libbpf finds the named file as the kernel's types. If the kernel shows
/// its own, those stay for what is attached to, and the file is for the fields.
///
/// # Errors
/// No namespace of mounts is to be had, or no place in it.
pub fn in_sight<T: Send>(load: impl FnOnce() -> T + Send) -> Result<T, Error> {
    let Some(file) = NAMED
        .get()
        .filter(|_| !Path::new(sys::KERNEL_TYPES).exists())
    else {
        return Ok(load());
    };
    let elsewhere = || show(file).map(|()| load());
    let done = thread::scope(|scope| scope.spawn(elsewhere).join());
    done.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        .map_err(Error::system_io("cannot show the kernel's types to libbpf"))
}

/// Puts a copy at a place where libbpf looks, for the calling thread alone.
fn show(file: &Path) -> io::Result<()> {
    let types = std::fs::read(file)?;
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy();
    let place = PLACES.iter().find(|(folder, _)| Path::new(folder).is_dir());
    let (folder, below) = place.ok_or(io::ErrorKind::NotFound)?;
    sys::new_mounts()?;
    let private = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", private)?;
    mount("pktwho", *folder, "tmpfs", MountFlags::empty(), None)?;
    let below = below.replace("RELEASE", &release);
    let path = Path::new(folder).join(format!("{below}{release}"));
    std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
    std::fs::write(path, types)
}

/// Which functions of the kernel programs may call. Told by the names in its types; the programs do
/// not take the functions' addresses to find out, which kernels up to 6.1 refuse.
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    /// The connection tracking may be asked: Linux 5.18, where it is built in or its module is loaded.
    pub tracks: bool,
    /// The packet may be read as the kernel has it: Linux 6.2.
    pub reads_context: bool,
    /// A path of multipath TCP leads to its connection: Linux 5.19.
    pub multipath: bool,
}

/// The types that the kernel shows, as they are in its file.
#[derive(Debug)]
pub enum Shown {
    Mapped(sys::KernelTypes),
    /// Where it cannot be mapped: some megabytes, to be read once.
    Read(Vec<u8>),
}

impl Shown {
    /// `None`: the kernel does not show them.
    pub fn open() -> Option<Self> {
        let read = || std::fs::read(sys::KERNEL_TYPES).ok().map(Self::Read);
        sys::KernelTypes::map().ok().map(Self::Mapped).or_else(read)
    }

    /// Whether something among them has this name.
    pub fn have(&self, name: &str) -> bool {
        names(self.bytes(), name)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(types) => types.bytes(),
            Self::Read(types) => types,
        }
    }
}

/// See [`Functions`]; none where the kernel does not show its types.
pub fn functions(shown: Option<&Shown>) -> Functions {
    const TRACKS: &str = "bpf_skb_ct_lookup";
    let have = |name| shown.is_some_and(|types| types.have(name));
    let in_module = || std::fs::read(sys::TRACKING_TYPES).is_ok_and(|it| names(&it, TRACKS));
    Functions {
        tracks: have(TRACKS) || in_module(),
        reads_context: have("bpf_cast_to_kern_ctx"),
        multipath: have("BPF_FUNC_skc_to_mptcp_sock"),
    }
}

/// Whether the kernel shows its types, and knows no cookies of attachments by them: before
/// Linux 5.15.
pub fn lacks_cookies() -> bool {
    Shown::open().is_some_and(|types| !types.have("BPF_FUNC_get_attach_cookie"))
}

fn names(types: &[u8], name: &str) -> bool {
    memchr::memmem::find(types, format!("\0{name}\0").as_bytes()).is_some()
}

/// The kernel's types that the programs ask for, as a file; `None`: libbpf looks for them itself.
pub fn for_programs(shown: Option<&Shown>) -> Option<OwnedFd> {
    if let Some(file) = NAMED.get() {
        let types = btf::excerpt(&std::fs::read(file).ok()?);
        return match types {
            Some(types) => in_memory(&types),
            // With types under other names, or an image: libbpf reads it itself.
            None => File::open(file).ok().map(OwnedFd::from),
        };
    }
    in_memory(&btf::excerpt(shown?.bytes())?)
}

fn in_memory(types: &[u8]) -> Option<OwnedFd> {
    let mut file = File::from(memfd_create("types", MemfdFlags::CLOEXEC).ok()?);
    file.write_all(types).ok()?;
    Some(file.into())
}
