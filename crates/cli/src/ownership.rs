//! Whose the files are that we make.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::fchown;
use std::path::Path;

use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::names::Login;
use crate::privileges;

/// Opens a file as that user. Without one, a file that is made here becomes that of the user who
/// called sudo, as if that one had made it; what exists stays whose it is.
///
/// # Errors
/// As open(2), or the kernel refuses the change of user.
pub fn open(options: &OpenOptions, path: &Path, user: Option<&Login>) -> io::Result<File> {
    let (options, path, user) = (options.clone(), path.to_owned(), user.cloned());
    privileges::make(move || open_here(&options, &path, user.as_ref()))
}

/// The same, by the calling thread.
fn open_here(options: &OpenOptions, path: &Path, user: Option<&Login>) -> io::Result<File> {
    if user.is_some() {
        return as_user(user, || options.open(path));
    }
    let Some(caller) = Login::of_sudo().filter(|_| is_root()) else {
        return options.open(path);
    };
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            // Some file systems know no owners; the file is as good.
            let _ = fchown(&file, Some(caller.uid), Some(caller.gid));
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

/// Whether we may be somebody else.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Does something with the rights of a user, if we are root and there is one. The thread takes
/// them for that while alone: a capture needs root to follow devices that appear.
///
/// # Errors
/// As `what`, or the kernel refuses the change.
fn as_user<T>(user: Option<&Login>, what: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(user) = user.filter(|_| is_root()) else {
        return what();
    };
    let groups = rustix::process::getgroups()?;
    let theirs: Vec<Gid> = user.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
    let (uid, gid, ours) = (
        Uid::from_raw(user.uid),
        Gid::from_raw(user.gid),
        rustix::process::getegid(),
    );
    set_thread_groups(&theirs)?;
    let result = set_thread_res_gid(None, gid, None)
        .and_then(|()| set_thread_res_uid(None, uid, None))
        .map_err(io::Error::from)
        .and_then(|()| what());
    // Root is the saved id, so that these cannot fail but for want of memory.
    set_thread_res_uid(None, Uid::ROOT, None)?;
    set_thread_res_gid(None, ours, None)?;
    set_thread_groups(&groups)?;
    result
}
