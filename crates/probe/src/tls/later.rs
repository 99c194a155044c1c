//! Files that will be looked at in full when nobody waits.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use pktwho_tls::Hook;

use super::builds::Build;
use super::finder::{Hooked, Judged};
use super::held::Home;
use super::hooks::Hooks;
use crate::mmaps::MappedFile;

/// As many files are kept open for it.
const MAX: usize = 64;

/// A file that was met.
#[derive(Debug)]
pub struct Met {
    pub file: File,
    pub judged: Judged,
    pub path: PathBuf,
    pub home: Home,
    /// By whom, just now.
    pub mapped: Option<MappedFile>,
    pub build: Option<Build>,
    /// What was hooked after a look in short, and its cookies.
    pub hooked: Option<(Vec<Hook>, Vec<u32>)>,
}

impl Met {
    /// Whether that is what was hooked after a look in short.
    pub fn has(&self, hooks: &[Hook]) -> bool {
        let hooked = self.hooked.as_ref();
        hooked.is_some_and(|(hooked, _)| hooked == hooks)
    }

    /// Hooks it.
    ///
    /// # Errors
    /// In words for people.
    pub fn attach(&self, to: &mut Hooks, hooks: &[Hook]) -> Result<Hooked, String> {
        let mapped = self.mapped.as_ref();
        let attached = to.attach(&self.file, hooks, mapped)?;
        let first = hooks.first().ok_or("nothing to hook")?;
        let since = |mapped: &MappedFile| attached.since.saturating_sub(mapped.time);
        Ok(Hooked {
            library: first.library,
            evidence: first.evidence.clone(),
            delay: mapped.map(|mapped| Duration::from_nanos(since(mapped))),
            cookies: attached.cookies,
        })
    }

    /// Takes off what was hooked after a look in short.
    pub fn detach(&self, from: &mut Hooks) {
        if let Some((_, cookies)) = &self.hooked {
            from.detach(cookies);
        }
    }
}

/// In the order in which they came.
#[derive(Debug, Default)]
pub struct Later(VecDeque<Met>);

impl Later {
    pub fn has_room(&self) -> bool {
        self.0.len() < MAX
    }

    pub fn push(&mut self, met: Met) {
        self.0.push_back(met);
    }

    /// One that is gone: it is looked at anew when it is met again.
    pub fn forget(&mut self, judged: &Judged) {
        self.0.retain(|met| met.judged != *judged);
    }

    pub fn pop(&mut self) -> Option<Met> {
        self.0.pop_front()
    }
}
