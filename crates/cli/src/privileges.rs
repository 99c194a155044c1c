//! As few privileges as possible for those who meet bytes from outside.
//!
//! [`give_up`] is the one place where it happens, in its order (decision 7): threads that keep
//! what is still needed begin, `errands` and `files`; then the calling thread, which reads
//! packets and prints and writes them, becomes another user, loses its capabilities, and is
//! confined by Landlock and a filter of system calls. What takes more is asked of the two
//! threads, which see no packet. Other threads of a capture keep what they need from their first
//! moment ([`threads`]). Restrictions of the kernel are those of a thread and of those
//! that it starts later; the memory is one all the same.

mod calls;
mod capabilities;
mod domain;
mod post;
mod threads;

use std::fmt;
use std::fs::{File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::process::{Gid, Uid};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::args::Args;
use crate::failure::worded;
use crate::names::Login;
use crate::ownership::is_root;
use crate::sink::say;
use calls::Calls;
use post::Post;

pub use threads::{begin_janitor, beginning};

/// Does what takes privileges and is not about files that we make.
static ERRANDS: Post = Post::new();
/// Makes files, in the folders of the output alone.
static FILES: Post = Post::new();

/// Ids of the user nobody where no table tells them.
const NOBODY: u32 = 65534;

/// Who the reading thread is to be, and what it may.
#[derive(Clone, Debug, Default)]
pub struct Confined {
    /// `-Z`; nobody without it.
    pub user: Option<Login>,
    /// Files that will be made lie here; see [`Confined::makes`].
    pub folders: Vec<PathBuf>,
    /// The kernel's maps are looked into packet by packet.
    pub looks_into_maps: bool,
    /// Say what could not be had.
    pub verbose: bool,
}

/// The user of `-Z`.
///
/// # Errors
/// There is none of that name.
pub fn user(args: &Args) -> Result<Option<Login>> {
    let Some(name) = args.user.as_ref().map(|name| name.to_string_lossy()) else {
        return Ok(None);
    };
    // compat: tcpdump's words (4.99.3).
    let login = Login::named(&name);
    let login = login.with_context(|| format!("Couldn't find user '{name}'"))?;
    Ok(Some(login))
}

impl Confined {
    /// As the flags have it; `None` when nothing is to be given up.
    ///
    /// # Errors
    /// As [`user`].
    pub fn new(args: &Args) -> Result<Option<Self>> {
        let mut confined = Self {
            user: user(args)?,
            verbose: args.verbose > 0,
            ..Self::default()
        };
        if args.no_sandbox || confined.user.as_ref().is_some_and(|user| user.uid == 0) {
            return Ok(None);
        }
        if let Some(path) = args.write.as_deref().filter(|path| *path != Path::new("-")) {
            confined.makes(path);
        }
        if let Some(path) = args.key_log.write.as_deref() {
            confined.makes(path);
        }
        Ok(Some(confined))
    }

    /// A file is written there, or a series of which this is the pattern.
    pub fn makes(&mut self, path: &Path) {
        let in_pattern = |folder: &&Path| folder.to_string_lossy().contains('%');
        let mut folders = path.ancestors().skip(1).skip_while(in_pattern);
        let folder = folders.next().map(Path::to_owned).unwrap_or_default();
        self.folders.push(if folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            folder
        });
        // The same file again, where its name leads elsewhere.
        if let Some(folder) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
            self.folders.push(folder.to_owned());
        }
    }
}

/// A restriction that the calling thread got, or why not.
#[derive(Debug)]
pub struct Restriction {
    pub name: &'static str,
    pub outcome: Result<String, String>,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Ok(how) => write!(f, "{}: {how}", self.name),
            Err(reason) => write!(f, "{}: {reason}", self.name),
        }
    }
}

/// Starts the two threads and restricts the calling one. What cannot be had here is left out,
/// and said where that was asked for.
///
/// # Errors
/// A thread could not be started.
pub fn give_up(confined: &Confined) -> io::Result<()> {
    ERRANDS.start("errands", || {
        let _ = capabilities::keep(capabilities::ERRANDS);
    })?;
    if !confined.folders.is_empty() {
        let folders = confined.folders.clone();
        FILES.start("files", move || {
            let _ = capabilities::keep(capabilities::FILES);
            let _ = domain::write_within(&folders);
        })?;
    }
    // Both have given up theirs before anybody is told that we listen.
    with(|| ())?;
    if FILES.has_begun() {
        FILES.run(|| ())?;
    }
    let restrictions = restrict(confined);
    let missing = restrictions.iter().filter(|it| it.outcome.is_err());
    if confined.verbose {
        missing.for_each(|it| say(format_args!("pktwho: not confined by {it}")));
    }
    Ok(())
}

/// Restricts the calling thread for good; each restriction and what came of it, in their order.
pub fn restrict(confined: &Confined) -> Vec<Restriction> {
    let words = |error: io::Error| worded(error).to_string();
    let kept: capabilities::Set = if confined.looks_into_maps {
        capabilities::MAPS
    } else {
        capabilities::NONE
    };
    let mut restrictions = Vec::new();
    let mut add = |name, outcome| restrictions.push(Restriction { name, outcome });
    if is_root() {
        let user = confined.user.clone().or_else(|| Login::named("nobody"));
        add("user", become_user(user.as_ref()).map_err(words));
    }
    let kept = capabilities::keep(kept).map_err(words);
    add("capabilities", kept.map(|()| "given up".to_owned()));
    let no_new = set_no_new_privs(true).map_err(|errno| words(errno.into()));
    add("no new privileges", no_new.map(|()| "set".to_owned()));
    add("landlock", domain::read_tables());
    let more = if confined.looks_into_maps {
        Calls::READER_OF_MAPS
    } else {
        Calls::READER
    };
    add("seccomp", calls::confine(more));
    restrictions
}

/// The calling thread becomes this user.
fn become_user(user: Option<&Login>) -> io::Result<String> {
    let (uid, gid) = user.map_or((NOBODY, NOBODY), |user| (user.uid, user.gid));
    let groups = user.map_or(vec![gid], |user| user.groups.clone());
    let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    // What is to be kept of the capabilities is said by the caller, after this.
    rustix::thread::set_keep_capabilities(true)?;
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    Ok(user.map_or("nobody", |user| &user.name).to_owned())
}

/// Does something where the privileges are.
///
/// # Errors
/// The thread that has them has failed.
pub fn with<R: Send + 'static>(job: impl FnOnce() -> R + Send + 'static) -> io::Result<R> {
    ERRANDS.run(job)
}

/// The same with something that goes there and comes back.
///
/// # Errors
/// As [`with`]; then it is lost.
pub fn lend<T: Default + Send + 'static, R: Send + 'static>(
    it: &mut T,
    job: impl FnOnce(&mut T) -> R + Send + 'static,
) -> io::Result<R> {
    if !ERRANDS.has_begun() {
        return Ok(job(it));
    }
    let mut lent = std::mem::take(it);
    let (back, result) = ERRANDS.run(move || {
        let result = job(&mut lent);
        (lent, result)
    })?;
    *it = back;
    Ok(result)
}

/// Makes or opens a file of the output.
///
/// # Errors
/// As `job`, or the thread has failed.
pub fn make(job: impl FnOnce() -> io::Result<File> + Send + 'static) -> io::Result<File> {
    if FILES.has_begun() {
        FILES.run(job)?
    } else {
        ERRANDS.run(job)?
    }
}

/// Opens a file to be read.
///
/// # Errors
/// As open(2), or the thread has failed.
pub fn open(path: &Path) -> io::Result<File> {
    let path = path.to_owned();
    with(move || File::open(path))?
}

/// Reads a whole file.
///
/// # Errors
/// As reading, or the thread has failed.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether something of this name is there.
pub fn exists(path: &Path) -> bool {
    let path = path.to_owned();
    with(move || path.exists()).unwrap_or(false)
}

/// Takes others' rights to a file away.
///
/// # Errors
/// As chmod(2), or the thread has failed.
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    let file = file.try_clone()?;
    make(move || {
        file.set_permissions(Permissions::from_mode(mode))?;
        Ok(file)
    })
    .map(drop)
}

#[cfg(test)]
mod tests;
