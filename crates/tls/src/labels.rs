//! Where the key log's labels stand in a file's memory.

use memchr::memmem;

use crate::Label;
use crate::elf::Elf;

/// A file has each label once or twice per library in it; more are not looked at.
const MAX: usize = 256;

/// The labels that end in a NUL, and where they start. An end of another text counts: linkers
/// put `EXPORTER_SECRET` into `EARLY_EXPORTER_SECRET`.
pub(crate) fn find(elf: &Elf<'_>) -> Vec<(u64, Label)> {
    let mut found = Vec::new();
    for load in &elf.loads {
        // What all labels have is looked for at once; two passes, not eight.
        for (needle, end) in [(&b"CLIENT_RANDOM\0"[..], 13), (b"_SECRET", 7)] {
            for at in memmem::find_iter(load.bytes, needle) {
                add(load.address, load.bytes, at.saturating_add(end), &mut found);
                if found.len() >= MAX {
                    return found;
                }
            }
        }
    }
    found
}

/// Adds the labels of which the word that ends at `end` is the last part.
fn add(address: u64, bytes: &[u8], end: usize, found: &mut Vec<(u64, Label)>) {
    let Some((before, after)) = bytes.split_at_checked(end) else {
        return;
    };
    for label in Label::ALL {
        let name = label.name().as_bytes();
        let (name, rest) = match name.strip_suffix(b"_0") {
            Some(name) => (name, &b"_0\0"[..]),
            None => (name, &b"\0"[..]),
        };
        if after.starts_with(rest) && before.ends_with(name) {
            let start = u64::try_from(end.saturating_sub(name.len())).unwrap_or(u64::MAX);
            found.push((address.saturating_add(start), label));
        }
    }
}
