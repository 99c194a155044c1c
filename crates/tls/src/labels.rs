//! Where the key log's labels stand in a file's memory.

use memchr::memmem;

use crate::Label;
use crate::elf::Elf;

/// A file has each label once or twice per library in it; more are not looked at.
const MAX: usize = 256;

/// What was found.
#[derive(Default)]
pub(crate) struct Labels {
    /// The labels that end in a NUL, and where they start, in order. An end of another text counts:
    /// linkers put `EXPORTER_SECRET` into `EARLY_EXPORTER_SECRET`.
    pub found: Vec<(u64, Label)>,
    /// There are some without a NUL at their end: those of Go and Rust.
    pub without_end: bool,
}

pub(crate) fn find(elf: &Elf<'_>) -> Labels {
    let mut labels = Labels::default();
    for load in &elf.loads {
        // What all labels have is looked for at once; two passes, not eight.
        for (needle, end) in [(&b"CLIENT_RANDOM\0"[..], 13), (b"_SECRET", 7)] {
            for at in memmem::find_iter(load.bytes, needle) {
                add(
                    load.address,
                    load.bytes,
                    at.saturating_add(end),
                    &mut labels,
                );
                if labels.found.len() >= MAX {
                    break;
                }
            }
        }
    }
    labels.found.sort_unstable();
    labels
}

/// Adds the labels of which the word that ends at `end` is the last part.
fn add(address: u64, bytes: &[u8], end: usize, labels: &mut Labels) {
    let Some((before, after)) = bytes.split_at_checked(end) else {
        return;
    };
    for label in Label::ALL {
        let name = label.name().as_bytes();
        let (name, rest) = match name.strip_suffix(b"_0") {
            Some(name) => (name, &b"_0\0"[..]),
            None => (name, &b"\0"[..]),
        };
        if !before.ends_with(name) {
            continue;
        }
        if after.starts_with(rest) {
            let start = u64::try_from(end.saturating_sub(name.len())).unwrap_or(u64::MAX);
            let place = (address.saturating_add(start), label);
            labels.found.push(place);
        } else if label == Label::ClientHandshakeTrafficSecret {
            labels.without_end = true;
        }
    }
}
