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

/// See [`Functions`].
pub fn functions() -> Functions {
    const TRACKS: &[u8] = b"\0bpf_skb_ct_lookup\0";
    const CASTS: &[u8] = b"\0bpf_cast_to_kern_ctx\0";
    const MULTIPATH: &[u8] = b"\0BPF_FUNC_skc_to_mptcp_sock\0";
    let found = kernel_names([TRACKS, CASTS, MULTIPATH]);
    let [tracks, reads_context, multipath] = found.unwrap_or_default();
    let in_module = || std::fs::read(sys::TRACKING_TYPES).is_ok_and(|it| names(&it, TRACKS));
    Functions {
        tracks: tracks || in_module(),
        reads_context,
        multipath,
    }
}

/// Whether the kernel shows its types, and knows no cookies of attachments by them: before
/// Linux 5.15.
pub fn lacks_cookies() -> bool {
    kernel_names([b"\0BPF_FUNC_get_attach_cookie\0"]) == Some([false])
}

/// Which of these the kernel's types do not name; none where they are not to be seen.
pub fn lacking(mut wanted: Vec<&'static str>) -> Vec<&'static str> {
    if wanted.is_empty() {
        return wanted;
    }
    let named = |types: &[u8], name: &str| names(types, format!("\0{name}\0").as_bytes());
    if let Ok(mapped) = sys::KernelTypes::map() {
        wanted.retain(|name| !named(mapped.bytes(), name));
    } else if let Ok(types) = std::fs::read(sys::KERNEL_TYPES) {
        wanted.retain(|name| !named(&types, name));
    } else {
        wanted.clear();
    }
    wanted
}

/// Which of these the kernel's types name; `None`: it does not show them.
fn kernel_names<const N: usize>(wanted: [&[u8]; N]) -> Option<[bool; N]> {
    let found = |types: &[u8]| wanted.map(|name| names(types, name));
    match sys::KernelTypes::map() {
        Ok(mapped) => Some(found(mapped.bytes())),
        Err(_) => Some(found(&std::fs::read(sys::KERNEL_TYPES).ok()?)),
    }
}

fn names(types: &[u8], name: &[u8]) -> bool {
    memchr::memmem::find(types, name).is_some()
}

/// The kernel's types that the programs ask for, as a file; `None`: libbpf looks for them itself.
pub fn for_programs() -> Option<OwnedFd> {
    if let Some(file) = NAMED.get() {
        let types = btf::excerpt(&std::fs::read(file).ok()?);
        return match types {
            Some(types) => in_memory(&types),
            // With types under other names, or an image: libbpf reads it itself.
            None => File::open(file).ok().map(OwnedFd::from),
        };
    }
    let types = match sys::KernelTypes::map() {
        Ok(mapped) => btf::excerpt(mapped.bytes()),
        Err(_) => btf::excerpt(&std::fs::read(sys::KERNEL_TYPES).ok()?),
    }?;
    in_memory(&types)
}

fn in_memory(types: &[u8]) -> Option<OwnedFd> {
    let mut file = File::from(memfd_create("types", MemfdFlags::CLOEXEC).ok()?);
    file.write_all(types).ok()?;
    Some(file.into())
}
