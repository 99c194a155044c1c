//! What was found in files, by their build ids: copies are hooked sooner.
//!
//! Whoever writes a file chooses its build id, and what another file of the same id made us remember.
//! So a result is never taken over. What is remembered of a file with hooks is where to look
//! first in another one ([`Trail`]): its own bytes have to lead to the same hooks. Of a file with
//! none it is that there is no hurry. Both files are looked at in full when nobody waits.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use pktwho_tls::{Hook, Trail, build_id};

/// As many builds are remembered; the oldest is forgotten for a new one.
const MAX: usize = 1024;
/// Longer ids are not remembered (bytes): the linker's has 20, Go's some 90.
const ID_MAX: usize = 160;
/// A build id stands in a file's first bytes, if anywhere.
const HEADER: usize = 4096;

/// Files of a build, as they call themselves: the id, and the length in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Build {
    id: Box<[u8]>,
    size: u64,
}

impl Build {
    /// `None` for a file that does not say.
    pub fn of(file: &File, size: u64) -> Option<Self> {
        let mut header = [0; HEADER];
        let length = usize::try_from(size).unwrap_or(HEADER).min(HEADER);
        let header = header.get_mut(..length)?;
        file.read_exact_at(header, 0).ok()?;
        let id = build_id(header).filter(|id| id.len() <= ID_MAX)?;
        Some(Self {
            id: id.into(),
            size,
        })
    }
}

/// What a file of the same name is likely to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Likely {
    /// These are its hooks, by its own bytes; there may be more.
    Hooked(Vec<Hook>),
    Nothing,
}

/// Builds that were met: written and read by the thread that looks for files. The oldest makes
/// room when it is full.
#[derive(Debug, Default)]
pub struct Builds {
    /// No trail: nothing to hook.
    known: HashMap<Build, Option<Trail>>,
    /// In the order in which they came.
    order: VecDeque<Build>,
}

impl Builds {
    /// What a file is likely to be. `None`: not known, or not what its build id promised.
    pub fn expect(&self, build: &Build, file: &File) -> Option<Likely> {
        match self.known.get(build)? {
            None => Some(Likely::Nothing),
            Some(trail) => {
                let read = |at, bytes: &mut [u8]| file.read_exact_at(bytes, at).is_ok();
                trail.follow(read).map(Likely::Hooked)
            }
        }
    }

    /// Remembers what an ordinary look has found, in place of what was remembered.
    pub fn learn(&mut self, build: Build, trail: Option<Trail>) {
        if self.known.insert(build.clone(), trail).is_some() {
            return;
        }
        self.order.push_back(build);
        if self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Forgets it: what was found cannot be said in short.
    pub fn forget(&mut self, build: &Build) {
        self.known.remove(build);
        self.order.retain(|known| known != build);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// An ELF file with a build id and nothing else.
    fn file(name: &str, id: &[u8], length: usize) -> File {
        let mut bytes = vec![0; length];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18] = 62;
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = 4;
        bytes[64 + 8] = 120;
        bytes[64 + 32] = 16 + u8::try_from(id.len()).unwrap();
        let id_length = u8::try_from(id.len()).unwrap();
        let note = [
            &[4, 0, 0, 0, id_length, 0, 0, 0, 3, 0, 0, 0],
            &b"GNU\0"[..],
            id,
        ]
        .concat();
        bytes[120..120 + note.len()].copy_from_slice(&note);
        let name = format!("pktwho-build-{name}-{}", std::process::id());
        let path: PathBuf = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        let file = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        file
    }

    #[test]
    fn builds_are_told_apart_by_id_and_length() {
        let one = Build::of(&file("one", b"\x01\x02\x03\x04", 300), 300).unwrap();
        let copy = Build::of(&file("copy", b"\x01\x02\x03\x04", 300), 300).unwrap();
        let longer = Build::of(&file("longer", b"\x01\x02\x03\x04", 301), 301).unwrap();
        let other = Build::of(&file("other", b"\x01\x02\x03\x05", 300), 300).unwrap();
        assert_eq!(one, copy);
        assert_ne!(one, longer);
        assert_ne!(one, other);
        assert_eq!(Build::of(&file("none", b"", 300), 300), None);
        // It has become shorter since its length was asked for.
        assert_eq!(
            Build::of(&file("short", b"\x01\x02\x03\x04", 300), 4096),
            None
        );
    }

    #[test]
    fn refusals_are_remembered_and_may_change() {
        let (file, mut builds) = (file("refused", b"\x01\x02\x03\x04", 300), Builds::default());
        let build = Build::of(&file, 300).unwrap();
        assert_eq!(builds.expect(&build, &file), None);
        builds.learn(build.clone(), None);
        assert_eq!(builds.expect(&build, &file), Some(Likely::Nothing));
        builds.forget(&build);
        assert_eq!(builds.expect(&build, &file), None);
        builds.learn(build.clone(), None);
        assert_eq!(builds.order.len(), 1);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let build = |number: u64| Build {
            id: number.to_le_bytes().into(),
            size: 300,
        };
        let mut builds = Builds::default();
        let end = u64::try_from(MAX).unwrap() + 10;
        for number in 0..end {
            builds.learn(build(number), None);
            builds.learn(build(number), None);
        }
        assert_eq!((builds.known.len(), builds.order.len()), (MAX, MAX));
        assert!(!builds.known.contains_key(&build(9)));
        assert!(builds.known.contains_key(&build(10)));
    }
}
