//! Which containers are at home in network namespaces: those of the processes there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pktwho_packet::{Container, NetnsId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cgroup::may_be_container;
use crate::containers::Containers;
use crate::procfs;
use crate::runtimes::{Addresses, Runtimes};

/// The containers that have processes in these namespaces, in no order, with what their runtimes
/// say of them within half a second.
pub fn containers_in(
    is_wanted: &dyn Fn(NetnsId) -> bool,
    runtimes: &Addresses,
) -> FxHashMap<NetnsId, Vec<Arc<Container>>> {
    let mut ids: FxHashMap<NetnsId, FxHashSet<Vec<u8>>> = FxHashMap::default();
    let mut containers = Containers::default();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let folder = entry.path();
        if let Some(netns) = netns_of(&folder)
            && is_wanted(netns)
            && let Some(key) = key_of(&folder.to_string_lossy(), &mut containers)
        {
            ids.entry(netns).or_default().insert(key);
        }
    }
    if !ids.is_empty() {
        containers.ask(Runtimes::start(runtimes, |_| ()));
    }
    for id in ids.values().flatten() {
        containers.wait_for(id);
    }
    let named = |ids: FxHashSet<Vec<u8>>| ids.iter().filter_map(|id| containers.get(id)).collect();
    ids.into_iter()
        .map(|(netns, ids)| (netns, named(ids)))
        .collect()
}

/// What the container of a process is met by: its id, or where that shows in no path (`ctr run`)
/// the path of a cgroup that may be a container's, which its runtime has to say.
fn key_of(folder: &str, containers: &mut Containers) -> Option<Vec<u8>> {
    if let Some(container) = procfs::container(folder) {
        return Some(containers.meet(container));
    }
    let path = procfs::cgroup_path(folder)?;
    may_be_container(&path).then(|| containers.doubt(&path))
}

/// The namespace of the process behind a folder of `/proc`.
fn netns_of(folder: &Path) -> Option<NetnsId> {
    let link = fs::read_link(folder.join("ns/net")).ok()?;
    let number = link.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?;
    Some(NetnsId(number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_tell_their_namespace() {
        let own = netns_of(Path::new("/proc/self"));
        assert!(own.is_some());
        assert_eq!(netns_of(Path::new("/proc/sys")), None);
    }
}
