//! Room for a file's bytes, touched before it is needed.
//!
//! A program that is met when it starts may hand out its first secret 3 ms later. To read its file
//! into memory that has never been used takes longer than that: each page is a fault. So room for
//! most files is kept, and larger ones are read into large pages.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use pktwho_tls::reach;

use crate::sys::Pages;

/// Room that is kept (bytes): all but a few programs and libraries are smaller.
const KEPT: usize = 16 << 20;
/// Of a file, before it is known how much of it there is to read (bytes).
const HEADER: usize = 4096;

#[derive(Debug)]
pub struct Workspace {
    kept: Option<Pages>,
}

impl Workspace {
    pub fn new() -> Self {
        let mut kept = Pages::new(KEPT).ok();
        if let Some(pages) = &mut kept {
            // Now is time for it.
            pages.bytes_mut().fill(1);
        }
        Self { kept }
    }

    /// Hands over what of a file of that length can matter, from its start.
    ///
    /// # Errors
    /// There is no room, or it cannot be read.
    pub fn with<R>(
        &mut self,
        file: &File,
        length: usize,
        look: impl FnOnce(&[u8]) -> R,
    ) -> io::Result<R> {
        let mut larger;
        let pages = match &mut self.kept {
            Some(kept) if length <= KEPT => kept,
            _ => {
                larger = Pages::new(length.max(1))?;
                &mut larger
            }
        };
        let room = pages.bytes_mut();
        let room = room.get_mut(..length).unwrap_or_default();
        let header = fill(file, room, 0, HEADER)?;
        let whole = room.get(..header).unwrap_or_default();
        let end = reach(whole).and_then(|end| usize::try_from(end).ok());
        let end = fill(file, room, header, end.unwrap_or(usize::MAX))?;
        Ok(look(room.get(..end).unwrap_or_default()))
    }
}

/// Reads on from `start` up to `end`, if there is so much, and says where it came to.
fn fill(file: &File, room: &mut [u8], start: usize, end: usize) -> io::Result<usize> {
    let end = end.min(room.len());
    let mut at = start;
    while let Some(rest) = room.get_mut(at..end).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, u64::try_from(at).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(count) => at = at.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_handed_over_as_it_is() {
        let mut workspace = Workspace::new();
        for length in [0, 1, HEADER, HEADER + 1, 100_000, KEPT, KEPT + 1] {
            let content: Vec<u8> = (0..=250).cycle().take(length).collect();
            let path =
                std::env::temp_dir().join(format!("pktwho-workspace-{}", std::process::id()));
            File::create(&path).unwrap().write_all(&content).unwrap();
            let file = File::open(&path).unwrap();
            std::fs::remove_file(&path).unwrap();
            let whole = workspace.with(&file, length, |bytes| bytes == content);
            assert!(whole.unwrap(), "{length}");
            // It has become shorter, and longer.
            let more = workspace.with(&file, length + 9, |bytes| bytes == content);
            assert!(more.unwrap(), "{length}");
            let start = workspace.with(&file, length / 2, |bytes| content.starts_with(bytes));
            assert!(start.unwrap(), "{length}");
        }
    }
}
