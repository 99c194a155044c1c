//! Files that are hooked, and whether anybody can still use them.
//!
//! An attachment keeps the file and its mount, a container's too when that is long gone. So
//! files are let go when the mount namespace in which they were met has ended, or when their
//! name leads elsewhere, and nobody has them mapped.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finder::Judged;

/// A file that is hooked.
#[derive(Debug)]
pub struct Held {
    pub judged: Judged,
    pub cookies: Vec<u32>,
    home: Home,
}

/// How a file was come by.
#[derive(Clone, Debug)]
pub enum Home {
    /// By its name in our own mount namespace.
    Name(PathBuf),
    /// In a process's mount namespace, by the number of that; 0 when the process was gone.
    Namespace(u64),
}

impl Home {
    /// Of a file that is seen by that name in the root of a process, or in our own.
    pub fn of(pid: Option<u32>, path: &Path) -> Self {
        let namespace = pid.map(|pid| mount_namespace(&pid.to_string()));
        match namespace {
            Some(namespace) if namespace != mount_namespace("self") => Self::Namespace(namespace),
            _ => Self::Name(path.to_owned()),
        }
    }
}

impl Held {
    pub fn new(judged: Judged, cookies: Vec<u32>, home: Home) -> Self {
        Self {
            judged,
            cookies,
            home,
        }
    }

    /// Whether it is not where it was met. `alive`: mount namespaces of processes.
    pub fn has_left(&self, alive: &HashSet<u64>) -> bool {
        match &self.home {
            Home::Namespace(namespace) => !alive.contains(namespace),
            Home::Name(path) => !fs::metadata(path).is_ok_and(|facts| self.judged.is_of(&facts)),
        }
    }
}

/// The mount namespaces that processes are in.
pub fn namespaces(pids: impl Iterator<Item = u32>) -> HashSet<u64> {
    pids.map(|pid| mount_namespace(&pid.to_string())).collect()
}

/// Its number; 0 when the process is gone.
fn mount_namespace(pid: &str) -> u64 {
    fs::metadata(format!("/proc/{pid}/ns/mnt")).map_or(0, |facts| facts.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_left() {
        let path = std::env::temp_dir().join(format!("pktwho-held-{}", std::process::id()));
        fs::write(&path, "a library").unwrap();
        let judged = || Judged::of(&fs::metadata(&path).unwrap());
        let own = mount_namespace("self");
        let named = Held::new(judged(), Vec::new(), Home::of(None, &path));
        let ours = Home::of(Some(std::process::id()), &path);
        assert!(matches!(ours, Home::Name(_)));
        let elsewhere = Held::new(judged(), Vec::new(), Home::Namespace(own + 1));
        let alive = namespaces([std::process::id()].into_iter());
        assert_eq!(alive, HashSet::from([own]));
        assert!(!named.has_left(&alive));
        assert!(elsewhere.has_left(&alive));
        assert!(!elsewhere.has_left(&HashSet::from([own, own + 1])));
        fs::write(&path, "another library").unwrap();
        assert!(named.has_left(&alive));
        fs::remove_file(&path).unwrap();
        assert!(named.has_left(&alive));
    }
}
