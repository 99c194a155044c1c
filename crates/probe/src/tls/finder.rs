//! Which files hold code that is given secrets, as processes come to use them.
//!
//! Every file that a process maps to execute is judged once: opened through the process that
//! has it (deleted files and those of other mount namespaces included), looked through by the
//! resolver, and hooked or not. Libraries with names that promise TLS are hooked before
//! anybody uses them, since the first secret comes milliseconds after a program has started.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pktwho_tls::{
    Hook, Library, Machine, Places, Refusal, Trail, cheaper, machine, resolve_noting,
};
use rustc_hash::FxHashSet;

use super::builds::{Build, Builds, Likely};
use super::held::{self, Held, Home};
use super::hooks::Hooks;
use super::later::{Later, Met};
use super::workspace::Workspace;
use crate::mmaps::{self, FileId, MappedFile, Mmaps};

/// A file with TLS code.
#[derive(Clone, Debug)]
pub struct TlsFile {
    /// As the process that was met first sees it.
    pub path: PathBuf,
    /// Whether it could be hooked, or why not.
    pub outcome: Result<Hooked, Unhooked>,
}

/// Why a file with TLS labels is not hooked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unhooked {
    /// Nothing to hook was found.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// What was found could not be hooked, in words.
    #[error("{0}")]
    Failed(String),
}

/// How a file was hooked.
#[derive(Clone, Debug)]
pub struct Hooked {
    pub library: Library,
    /// What led to the functions, in words.
    pub evidence: String,
    /// How long after a process had mapped it, where one did it meanwhile.
    pub delay: Option<Duration>,
    pub(super) cookies: Vec<u32>,
}

/// What became of files, shared with whoever reports it.
pub type Files = Arc<Mutex<Vec<TlsFile>>>;

#[derive(Debug)]
pub struct Finder {
    hooks: Hooks,
    files: Files,
    /// Mappings that have been looked at.
    seen: FxHashSet<FileId>,
    /// Files that have been judged.
    judged: FxHashSet<Judged>,
    /// Our own program: it holds the words that are looked for, and no secrets.
    own: Option<Judged>,
    /// Those of them that are hooked.
    held: Vec<Held>,
    /// File systems whose libraries have been looked for.
    devices: FxHashSet<(u32, u32)>,
    workspace: Workspace,
    builds: Builds,
    /// Files that were looked at in short, or not yet, for what is known of their build.
    later: Later,
}

/// A file with this content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Judged {
    device: u64,
    inode: u64,
    pub(super) size: u64,
    changed: (i64, i64),
}

impl Judged {
    /// Whether that is it.
    pub fn is_of(&self, facts: &Metadata) -> bool {
        *self == Self::of(facts)
    }

    pub fn of(facts: &Metadata) -> Self {
        Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            changed: (facts.mtime(), facts.mtime_nsec()),
        }
    }
}

/// Mappings, files and reports that are remembered; what is forgotten is looked at again.
const MEMORY: usize = 65_536;
const FILES: usize = 1024;
/// No file that is bigger is read (bytes).
const SIZE_MAX: u64 = 1 << 30;

/// Where libraries are kept, and in folders below for one machine each.
const FOLDERS: [&str; 5] = ["lib", "usr/lib", "lib64", "usr/lib64", "usr/local/lib"];
/// How the names of libraries begin that are hooked before anybody uses them.
const AHEAD: [&str; 2] = ["libssl", "libgnutls"];

impl Finder {
    pub fn new(hooks: Hooks, files: Files) -> Self {
        Self {
            hooks,
            files,
            seen: FxHashSet::default(),
            judged: FxHashSet::default(),
            own: fs::metadata("/proc/self/exe")
                .ok()
                .map(|facts| Judged::of(&facts)),
            held: Vec::new(),
            devices: FxHashSet::default(),
            workspace: Workspace::new(),
            builds: Builds::default(),
            later: Later::default(),
        }
    }

    /// Looks at a file that a process has mapped.
    pub fn meet(&mut self, file: &MappedFile) {
        if self.seen.len() >= MEMORY {
            self.seen.clear();
        }
        if !self.seen.insert(file.id) {
            return;
        }
        match open_mapped(file) {
            Some(opened) => {
                let path = Path::new(OsStr::from_bytes(&file.path));
                let home = Home::of(Some(file.pid), path);
                self.judge(&opened, path, home, (file.time != 0).then_some(file));
            }
            // It may be met again.
            None => {
                self.seen.remove(&file.id);
            }
        }
        // Behind the file itself, which is in use.
        if self.devices.len() < MEMORY && self.devices.insert((file.id.major, file.id.minor)) {
            self.look_ahead(Some(file.pid));
        }
    }

    /// Looks at a file that is about to be executed.
    pub fn meet_program(&mut self, path: &Path) {
        if let Ok(file) = File::open(path) {
            self.judge(&file, path, Home::of(None, path), None);
        }
    }

    /// Hooks the libraries whose names promise TLS, in our own root or in a process's.
    pub fn look_ahead(&mut self, pid: Option<u32>) {
        let root = pid.map_or("/".into(), |pid| format!("/proc/{pid}/root"));
        let root = (Path::new(&root), pid);
        for folder in FOLDERS {
            let folder = root.0.join(folder);
            self.look_into(root, &folder);
            let below = fs::read_dir(&folder).into_iter().flatten().flatten();
            for entry in below.filter(|entry| is_for_machine(&entry.file_name())) {
                self.look_into(root, &entry.path());
            }
        }
    }

    fn look_into(&mut self, (root, pid): (&Path, Option<u32>), folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.as_bytes();
            let promising = AHEAD.iter().any(|start| name.starts_with(start.as_bytes()));
            if !promising || !name.windows(3).any(|part| part == b".so") {
                continue;
            }
            let path = entry.path();
            // A link is met where it leads; one that leaves the root leads somewhere else.
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && let Ok(file) = open_plain(&path) {
                let shown = path.strip_prefix(root);
                let shown = shown.map(|rest| Path::new("/").join(rest));
                let shown = shown.unwrap_or(path);
                self.judge(&file, &shown, Home::of(pid, &shown), None);
            }
        }
    }

    /// Hooks a file, if it has something to hook and was not judged before. `mapped`: by a
    /// process just now.
    fn judge(&mut self, file: &File, path: &Path, home: Home, mapped: Option<&MappedFile>) {
        let Ok(facts) = file.metadata() else { return };
        let judged = Judged::of(&facts);
        if self.own.as_ref() == Some(&judged) {
            return;
        }
        if self.judged.len() >= MEMORY {
            self.judged.clear();
        }
        if !facts.is_file() || facts.size() > SIZE_MAX || !self.judged.insert(judged.clone()) {
            return;
        }
        let Ok(file) = file.try_clone() else { return };
        let mut met = Met {
            build: Build::of(&file, facts.size()),
            file,
            judged,
            path: path.to_owned(),
            home,
            mapped: mapped.cloned(),
            hooked: None,
        };
        let build = met.build.as_ref().filter(|_| self.later.has_room());
        match build.and_then(|build| self.builds.expect(build, &met.file)) {
            Some(likely) => {
                if let Likely::Hooked(hooks) = likely
                    && let Ok(hooked) = met.attach(&mut self.hooks, &hooks)
                {
                    met.hooked = Some((hooks, hooked.cookies.clone()));
                    self.tell(&met, Ok(hooked));
                }
                self.later.push(met);
            }
            None => self.look(&met),
        }
    }

    /// Looks in full at a file that was looked at in short. `false`: there was none.
    pub fn catch_up(&mut self) -> bool {
        let met = self.later.pop();
        if let Some(met) = &met {
            self.look(met);
        }
        met.is_some()
    }

    /// Looks at a file in full and hooks what is there, if it is not hooked already.
    fn look(&mut self, met: &Met) {
        let length = usize::try_from(met.judged.size).unwrap_or(0);
        let (hooks, builds) = (&mut self.hooks, &mut self.builds);
        let outcome = self.workspace.with(&met.file, length, |bytes| {
            let found = look_through(bytes);
            let outcome = match &found {
                Ok(found) if met.has(&found.hooks) => None,
                Ok(found) => {
                    met.detach(hooks);
                    let attached = met.attach(hooks, &found.hooks);
                    Some(attached.map_err(Unhooked::Failed))
                }
                Err(refusal) => {
                    met.detach(hooks);
                    Some(Err(refusal.clone().into()))
                }
            };
            // Nobody waits for that.
            if let Some(build) = &met.build {
                learn(builds, build, bytes, found);
            }
            outcome
        });
        let outcome = match outcome {
            // What was found in short is all there is.
            Ok(None) => return,
            Ok(Some(outcome)) => outcome,
            Err(_) => {
                met.detach(&mut self.hooks);
                Err(Refusal::NoLabels.into())
            }
        };
        self.take_back(met);
        self.tell(met, outcome);
    }

    fn tell(&mut self, met: &Met, outcome: Result<Hooked, Unhooked>) {
        let is_other = |refusal: &Refusal| {
            matches!(
                refusal,
                Refusal::NotElf | Refusal::Machine(_) | Refusal::NoLabels
            )
        };
        match &outcome {
            Err(Unhooked::Refused(refusal)) if is_other(refusal) => return,
            Err(_) => {}
            Ok(hooked) => {
                let cookies = hooked.cookies.clone();
                let held = Held::new(met.judged.clone(), cookies, met.home.clone());
                self.held.push(held);
            }
        }
        if let Ok(mut files) = self.files.lock()
            && files.len() < FILES
        {
            files.push(TlsFile {
                path: met.path.clone(),
                outcome,
            });
        }
    }

    /// Says no more of it what was said when it was looked at in short.
    fn take_back(&mut self, met: &Met) {
        let Some((_, cookies)) = &met.hooked else {
            return;
        };
        self.held.retain(|held| held.cookies != *cookies);
        if let Ok(mut files) = self.files.lock() {
            let is_it = |file: &TlsFile| {
                let hooked = file.outcome.as_ref();
                hooked.is_ok_and(|hooked| hooked.cookies == *cookies)
            };
            files.retain(|file| !is_it(file));
        }
    }

    /// Looks at files that processes have just mapped, in the order of their promise: there
    /// may be milliseconds until the first secret. `true`: some were lost.
    pub fn hear(&mut self, mmaps: &mut Mmaps) -> bool {
        let mut files = Vec::new();
        let lost = mmaps.drain(|file| {
            if !self.seen.contains(&file.id) {
                files.push(file);
            }
        });
        files.sort_by_key(|file| rank(&file.path));
        for file in &files {
            self.meet(file);
        }
        lost
    }

    /// Whether files are hooked.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Lets go of files that nobody can use any more. `true`: of some, and whoever has mapped
    /// one of them meanwhile has to be found.
    pub fn let_go(&mut self) -> bool {
        let alive = held::namespaces(pids());
        if !self.held.iter().any(|held| held.has_left(&alive)) {
            return false;
        }
        // By the inode's number alone: file systems may tell two of their own.
        let mapped: FxHashSet<u64> = pids()
            .flat_map(mmaps::of_process)
            .map(|file| file.id.inode)
            .collect();
        let is_gone =
            |held: &mut Held| held.has_left(&alive) && !mapped.contains(&held.judged.inode);
        let gone: Vec<Held> = self.held.extract_if(.., is_gone).collect();
        for held in &gone {
            self.hooks.detach(&held.cookies);
            self.judged.remove(&held.judged);
            self.later.forget(&held.judged);
            self.seen.retain(|id| id.inode != held.judged.inode);
        }
        // The number of a file system that is gone may be another's soon.
        self.devices
            .retain(|&(major, _)| major != 0 || gone.is_empty());
        !gone.is_empty()
    }

    /// What every process has mapped: files whose names promise TLS come first, then programs.
    pub fn mapped_now() -> Vec<MappedFile> {
        let mut met = FxHashSet::default();
        let mut files = Vec::new();
        for pid in pids() {
            let mapped = mmaps::of_process(pid);
            files.extend(mapped.into_iter().filter(|file| met.insert(file.id)));
        }
        files.sort_by_key(|file| rank(&file.path));
        files
    }
}

/// Whether it is a program, or a library whose name promises TLS.
pub fn is_promising(file: &MappedFile) -> bool {
    rank(&file.path) < OTHERS
}

/// Of libraries whose names promise nothing.
const OTHERS: u8 = 2;

fn rank(path: &[u8]) -> u8 {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    match () {
        () if has(b"ssl") || has(b"tls") => 0,
        () if !has(b".so") => 1,
        () => OTHERS,
    }
}

/// What is to be hooked in a file.
struct Found {
    /// As the resolver says it, and as it is attached.
    resolved: Vec<Hook>,
    hooks: Vec<Hook>,
    places: Places,
}

fn look_through(file: &[u8]) -> Result<Found, Refusal> {
    // Code of another machine is data here (an emulator has mapped it): a breakpoint would spoil it.
    if machine(file) != Machine::OURS {
        return Err(Refusal::NoLabels);
    }
    let (resolved, places) = resolve_noting(file)?;
    let hooks = resolved.iter().cloned();
    Ok(Found {
        hooks: hooks.map(|hook| cheaper(file, hook)).collect(),
        resolved,
        places,
    })
}

/// What is remembered of it for other files of the same build.
fn learn(builds: &mut Builds, build: &Build, file: &[u8], found: Result<Found, Refusal>) {
    match found {
        Err(_) => builds.learn(build.clone(), None),
        Ok(found) => match Trail::new(file, found.places, &found.resolved) {
            Some(trail) => builds.learn(build.clone(), Some(trail)),
            None => builds.forget(build),
        },
    }
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// `x86_64-linux-gnu` and the like.
fn is_for_machine(name: &OsStr) -> bool {
    name.as_bytes().windows(7).any(|part| part == b"-linux-")
}

fn open_plain(path: &Path) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_NOCTTY;
    File::options().read(true).custom_flags(flags).open(path)
}

/// The file itself through the mapping; else, if it is the same, by its name.
fn open_mapped(file: &MappedFile) -> Option<File> {
    let (first, end) = file.addresses;
    let mapping = format!("/proc/{}/map_files/{first:x}-{end:x}", file.pid);
    if let Ok(opened) = File::open(mapping) {
        return Some(opened);
    }
    let name = Path::new(OsStr::from_bytes(&file.path));
    let inside = name.strip_prefix("/").ok()?;
    let root = PathBuf::from(format!("/proc/{}/root", file.pid));
    [root.join(inside), name.to_owned()]
        .iter()
        .filter_map(|path| open_plain(path).ok())
        .find(|opened| {
            let inode = opened.metadata().map(|facts| facts.ino());
            inode.is_ok_and(|inode| inode == file.id.inode)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_promising_come_first() {
        let check = |path: &str, expected| assert_eq!(rank(path.as_bytes()), expected, "{path}");
        check("/usr/lib/libssl.so.3", 0);
        check("/usr/lib/libgnutls.so.30 (deleted)", 0);
        check("/ssl/bin/node", 1);
        check("/usr/lib/libc.so.6", 2);
    }
}
