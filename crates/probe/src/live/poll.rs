//! What wakes the reader.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::event::epoll;

use crate::Error;

/// What the poll's events are about.
const DOORBELL: u64 = 0;
pub(super) const DEVICES: u64 = 1;
pub(super) const HOMES: u64 = 2;

/// A poll of the doorbell, of what is told of devices, and of addresses.
pub(super) fn watch(fds: [Option<BorrowedFd<'_>>; 3]) -> Result<OwnedFd, Error> {
    let watch = || -> rustix::io::Result<OwnedFd> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (fd, tag) in fds.iter().zip([DOORBELL, DEVICES, HOMES]) {
            let Some(fd) = fd else { continue };
            epoll::add(
                &poll,
                fd,
                epoll::EventData::new_u64(tag),
                epoll::EventFlags::IN,
            )?;
        }
        Ok(poll)
    };
    watch().map_err(Error::system("cannot wait for packets"))
}
