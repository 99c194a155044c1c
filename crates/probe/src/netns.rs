//! Network namespaces: how one is named, found and entered.
//!
//! A descriptor of a namespace, or a socket in it, keeps it alive, with its devices, after its
//! last process has gone. So none is kept: a namespace is known by its inode number and by paths
//! that lead to it (`network_namespaces(7)`), and opened for the moment in which something is
//! done there.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use pktwho_packet::NetnsId;
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Error;
use crate::device::{Device, devices};

/// Where ip-netns(8) keeps them, by name.
const NAMED: &str = "/run/netns";
/// Where Docker keeps them, by numbers of its own.
const DOCKER: &str = "/run/docker/netns";
/// `NSFS_MAGIC` of `linux/magic.h`.
const NSFS: i64 = 0x6e73_6673;
/// So many paths to one namespace are kept: the process behind one may be gone when it is used.
const WAYS: usize = 4;

/// A network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netns {
    id: NetnsId,
    /// What stands behind the names of its devices; none when it is ours.
    name: Option<String>,
    ways: Vec<PathBuf>,
}

impl Netns {
    /// That of the calling thread.
    ///
    /// # Errors
    /// When `/proc` does not tell.
    pub fn own() -> Result<Self, Error> {
        let file = current().map_err(Error::system_io("cannot tell the network namespace"))?;
        let id = inode(&file).map_err(Error::system_io("cannot tell the network namespace"))?;
        Ok(Self {
            id,
            name: None,
            ways: Vec::new(),
        })
    }

    /// That which a word means: a path, the id of a process, or a name that ip-netns(8) has given,
    /// also one of digits when no process has that id.
    ///
    /// # Errors
    /// There is none, or it is something else.
    pub fn named(word: &str) -> Result<Self, Error> {
        let name = word.to_owned();
        if word.is_empty() {
            return Err(Error::NoNetns { name });
        }
        let by_name = Path::new(NAMED).join(word);
        let process = Path::new("/proc").join(word);
        let path = if word.contains('/') {
            PathBuf::from(word)
        } else if word.bytes().all(|byte| byte.is_ascii_digit())
            && (process.exists() || !by_name.exists())
        {
            process.join("ns/net")
        } else {
            by_name
        };
        let found = open(&path).and_then(|file| {
            let known = rustix::fs::fstatfs(&file)?.f_type == NSFS;
            known.then(|| inode(&file)).transpose()
        });
        let id = match found {
            Ok(Some(id)) => id,
            Ok(None) => return Err(Error::NotNetns { name }),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Error::Permission {
                    what: name,
                    source: error,
                });
            }
            // ENOENT, ENOTDIR and, of a process that is just going, ESRCH.
            Err(_) => return Err(Error::NoNetns { name }),
        };
        let own = Self::own()?;
        if own.id == id {
            return Ok(own);
        }
        let netns = Self {
            id,
            name: Some(name_of(id)),
            ways: vec![path],
        };
        // A namespace of another kind cannot be entered as one of the network.
        match netns.within(|| ()) {
            Ok(()) => Ok(netns),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Err(Error::NotNetns { name })
            }
            Err(source) => Err(Error::Permission { what: name, source }),
        }
    }

    /// Every one in which a process runs, or that ip-netns(8) or Docker keeps; ours first.
    ///
    /// # Errors
    /// When `/proc` does not tell ours.
    pub fn every() -> Result<Vec<Self>, Error> {
        let own = Self::own()?;
        let mut others = scan();
        others.remove(&own.id);
        let mut others: Vec<Self> = others.into_values().collect();
        others.sort_unstable_by_key(|netns| netns.id);
        Ok([vec![own], others].concat())
    }

    /// The inode number.
    pub fn id(&self) -> NetnsId {
        self.id
    }

    /// Whether it was that of the thread that asked for it.
    pub fn is_own(&self) -> bool {
        self.name.is_none()
    }

    /// What one of its devices is called here: `eth0`, or `eth0@web` when it is not ours.
    pub fn shown(&self, device: &str) -> String {
        match &self.name {
            None => device.to_owned(),
            Some(name) => format!("{device}@{name}"),
        }
    }

    /// Its devices, by index.
    ///
    /// # Errors
    /// It cannot be entered, or rtnetlink cannot be asked.
    pub fn devices(&self) -> Result<Vec<Device>, Error> {
        self.within(devices).map_err(|source| Error::Netns {
            name: self.name.clone().unwrap_or_default(),
            source,
        })?
    }

    /// Does something in the namespace. The calling thread is in its own again afterwards.
    ///
    /// # Errors
    /// It cannot be entered: all that we knew a path by are gone, or privileges are missing.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        if self.is_own() {
            return Ok(work());
        }
        let there = self.open()?;
        let here = current()?;
        move_into_link_name_space(there.as_fd(), Some(LinkNameSpaceType::Network))?;
        drop(there);
        let result = work();
        // Nothing may go on in the wrong namespace. The kernel refuses only for want of memory.
        while move_into_link_name_space(here.as_fd(), Some(LinkNameSpaceType::Network)).is_err() {
            std::thread::yield_now();
        }
        Ok(result)
    }

    /// A descriptor of it, which must not be kept.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let known = self.ways.iter().find_map(|way| self.try_way(way));
        let found = known.or_else(|| {
            let anew = scan().remove(&self.id)?;
            anew.ways.iter().find_map(|way| self.try_way(way))
        });
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A path may lead elsewhere by now.
    fn try_way(&self, way: &Path) -> Option<OwnedFd> {
        let file = open(way).ok()?;
        (inode(&file).ok()? == self.id).then_some(file)
    }

    /// A path by which it may be reached; empty when it is ours.
    pub(crate) fn way(&self) -> &Path {
        self.ways.first().map_or(Path::new(""), PathBuf::as_path)
    }

    /// With paths of [`kept`] to it.
    pub(crate) fn by_ways(self, ways: Vec<PathBuf>) -> Self {
        Self { ways, ..self }
    }

    /// As another process of ours was told of it.
    pub(crate) fn told(id: u32, way: &str) -> Self {
        Self {
            id: NetnsId(id),
            name: (!way.is_empty()).then(String::new),
            ways: vec![way.into()],
        }
    }

    /// Takes over the paths found later: those known may be dead.
    pub(crate) fn refresh(&mut self, other: Self) {
        self.ways = other.ways;
    }
}

/// The namespace of a process, if it is none of those known.
pub(crate) fn stranger(pid: u32, known: impl Fn(NetnsId) -> bool) -> Option<Netns> {
    let way = PathBuf::from(format!("/proc/{pid}/ns/net"));
    let id = inode_at(&way)?;
    (!known(id)).then(|| Netns {
        id,
        name: Some(name_of(id)),
        ways: vec![way],
    })
}

/// Every namespace that can be found, ours among them.
pub(crate) fn scan() -> FxHashMap<NetnsId, Netns> {
    let mut found: FxHashMap<NetnsId, Netns> = FxHashMap::default();
    let mut add = |way: PathBuf, name: Option<String>| {
        let Some(id) = inode_at(&way) else {
            return;
        };
        let netns = found.entry(id).or_insert_with(|| Netns {
            id,
            name: Some(name.unwrap_or_else(|| id.0.to_string())),
            ways: Vec::new(),
        });
        if netns.ways.len() < WAYS {
            netns.ways.push(way);
        }
    };
    for (path, name) in entries(NAMED) {
        add(path, Some(name));
    }
    for (path, _) in entries(DOCKER) {
        add(path, None);
    }
    for (path, name) in entries("/proc") {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            add(path.join("ns/net"), None);
        }
    }
    found
}

/// Ways to namespaces that [`scan`] may not find: those of single threads, and those that a descriptor or a mount
/// keeps; one of each process, for a process may be gone when its way is taken. All of `/proc` is looked
/// through, which takes long where much runs.
pub(crate) fn kept(wanted: &FxHashSet<NetnsId>) -> FxHashMap<NetnsId, Vec<PathBuf>> {
    let mut found = FxHashMap::<NetnsId, Vec<PathBuf>>::default();
    let mut mounts = FxHashSet::default();
    for (process, name) in entries("/proc") {
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let mut add = |(id, way): (NetnsId, PathBuf)| {
            if wanted.contains(&id) {
                let ways = found.entry(id).or_default();
                if !ways.last().is_some_and(|last| last.starts_with(&process)) {
                    ways.push(way);
                }
            }
        };
        // The link is only read: to ask of what it leads to may wait for a file server.
        let linked = |link: PathBuf| {
            let target = fs::read_link(&link).ok()?;
            Some((target.to_str().and_then(number)?, link))
        };
        let descriptors = entries(process.join("fd"));
        descriptors
            .filter_map(|(link, _)| linked(link))
            .for_each(&mut add);
        if fs::read_link(process.join("ns/mnt")).is_ok_and(|its| mounts.insert(its)) {
            let list = fs::read(process.join("mountinfo")).unwrap_or_default();
            let lines = list.split(|&byte| byte == b'\n');
            for (id, point) in lines.filter_map(mounted) {
                add((id, process.join("root").join(point)));
            }
        }
        // Threads go sooner than what the process keeps.
        let threads = entries(process.join("task"));
        threads
            .filter_map(|(thread, _)| linked(thread.join("ns/net")))
            .for_each(&mut add);
    }
    found
}

/// Of `net:[4026531840]`.
fn number(target: &str) -> Option<NetnsId> {
    let number = target.strip_prefix("net:[")?.strip_suffix(']')?;
    number.parse().ok().map(NetnsId)
}

/// Of a line of `/proc/PID/mountinfo` (`proc_pid_mountinfo(5)`): which namespace is mounted, and where below
/// that process's root.
fn mounted(line: &[u8]) -> Option<(NetnsId, PathBuf)> {
    let mut fields = line.split(|&byte| byte == b' ').skip(3);
    let id = number(std::str::from_utf8(fields.next()?).ok()?)?;
    let mut rest = fields.next()?.strip_prefix(b"/")?;
    let mut point = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        // `\\040` stands for a blank.
        let octal = after.get(..3).filter(|_| byte == b'\\');
        let escaped =
            octal.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 8).ok());
        point.push(escaped.unwrap_or(byte));
        rest = after.get(if escaped.is_some() { 3 } else { 0 }..)?;
    }
    Some((id, OsString::from_vec(point).into()))
}

fn entries(folder: impl AsRef<Path>) -> impl Iterator<Item = (PathBuf, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (entry.path(), name)
    })
}

/// The name that ip-netns(8) has given it, else its number.
fn name_of(id: NetnsId) -> String {
    let name = entries(NAMED).find(|(path, _)| inode_at(path) == Some(id));
    name.map_or_else(|| id.0.to_string(), |(_, name)| name)
}

/// The calling thread's, which need not be the first thread's.
fn current() -> io::Result<OwnedFd> {
    open(Path::new("/proc/thread-self/ns/net")).or_else(|_| open(Path::new("/proc/self/ns/net")))
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}

fn inode(file: &OwnedFd) -> io::Result<NetnsId> {
    let stat = rustix::fs::fstat(file)?;
    u32::try_from(stat.st_ino)
        .map(NetnsId)
        .map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn inode_at(path: &Path) -> Option<NetnsId> {
    let stat = rustix::fs::stat(path).ok()?;
    u32::try_from(stat.st_ino).ok().map(NetnsId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_by_path_and_by_process() {
        let own = Netns::own().unwrap();
        assert!(own.is_own());
        assert_eq!(own.shown("eth0"), "eth0");
        let pid = std::process::id().to_string();
        for word in ["/proc/self/ns/net", &pid] {
            assert_eq!(Netns::named(word).unwrap(), own, "{word}");
        }
        assert!(scan().contains_key(&own.id));
    }

    #[test]
    fn what_is_none() {
        let check = |word: &str, expected: &str| {
            assert_eq!(Netns::named(word).unwrap_err().to_string(), expected);
        };
        check("none", "none: No such network namespace exists");
        check("", ": No such network namespace exists");
        check("4194305", "4194305: No such network namespace exists");
        check(
            "/proc/self/stat",
            "/proc/self/stat: not a network namespace",
        );
    }

    #[test]
    fn mounts_of_namespaces() {
        let line = |root: &str, point: &str| {
            let line = format!("71 28 0:4 {root} {point} rw shared:1 - nsfs nsfs rw");
            mounted(line.as_bytes()).map(|(id, path)| (id.0, path.display().to_string()))
        };
        let of = |point: &str| Some((4_026_532_183, point.to_owned()));
        let root = "net:[4026532183]";
        assert_eq!(line(root, "/run/netns/web"), of("run/netns/web"));
        assert_eq!(line(root, r"/run/a\040b\134"), of(r"run/a b\"));
        assert_eq!(line(root, r"/run/a\9"), of(r"run/a\9"));
        assert_eq!(line("mnt:[4026532183]", "/run/mnt"), None);
        assert_eq!(line("/", "/"), None);
        assert_eq!(mounted(b""), None);
    }

    #[test]
    fn devices_of_others_have_its_name() {
        let netns = Netns {
            id: NetnsId(7),
            name: Some("web".into()),
            ways: Vec::new(),
        };
        assert_eq!(netns.shown("eth0"), "eth0@web");
        assert!(!netns.is_own());
    }
}
