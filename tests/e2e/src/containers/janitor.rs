//! The process that holds the mount namespace of all container runtimes, and takes everything
//! down when its standard input ends: also when the runner was killed.
//!
//! The runtimes believe that they are alone: what they keep in fixed places lies on file systems
//! of the namespace's own, which end with it. Control groups belong to the whole machine; those of
//! the processes that are killed are removed, and those that the runtimes have made around them.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::until;

/// Where runtimes keep things whatever they are told.
const FIXED: &[&str] = &[
    "/run",
    "/var/lib/cni",
    "/var/lib/containers",
    "/etc/docker",
    "/etc/cni",
];
/// Control groups that runtimes make for all their containers, and leave; the last two are of
/// containerd's namespaces that are used here.
const SHARED: &[&str] = &[
    "docker",
    "libpod_parent",
    "kubepods",
    "k8s.io",
    "e2e-one",
    "e2e-two",
];
const CGROUPS: &str = "/sys/fs/cgroup";
const PATIENCE: Duration = Duration::from_secs(10);

/// The janitor's life; it was started in a mount namespace of its own.
pub fn run() -> Result<()> {
    let mut made = Vec::new();
    let before = shared_groups();
    forget_mounts()?;
    for place in FIXED.iter().map(Path::new) {
        if !place.exists() {
            fs::create_dir(place).with_context(|| place.display().to_string())?;
            made.push(place);
        }
        mount(&["-t", "tmpfs", "-o", "mode=755", "tmpfs"], place)?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "ready")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    let swept = sweep();
    for group in shared_groups().difference(&before) {
        // What processes are in is somebody else's by now, and stays.
        let _ = remove_group(group);
    }
    for place in made {
        // Not empty or gone: others use it too.
        let _ = unmount(place);
        let _ = fs::remove_dir(place);
    }
    swept
}

/// Mounts of others below these places: here they would keep alive what is unmounted elsewhere,
/// network namespaces for instance.
fn forget_mounts() -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let is_below = |place: &&str| {
        FIXED
            .iter()
            .any(|fixed| Path::new(place).starts_with(fixed))
    };
    for place in places.filter(is_below) {
        // Gone with the one above it, or covered by another.
        let _ = unmount(Path::new(place));
    }
    Ok(())
}

fn mount(words: &[&str], place: &Path) -> Result<()> {
    let status = Command::new("mount").args(words).arg(place).status()?;
    ensure!(status.success(), "cannot mount {}", place.display());
    Ok(())
}

fn unmount(place: &Path) -> Result<()> {
    let mut command = Command::new("umount");
    command.args(["--recursive", "--lazy"]).arg(place);
    let status = command.stderr(Stdio::null()).status()?;
    ensure!(status.success(), "cannot unmount {}", place.display());
    Ok(())
}

/// Kills every process of this mount namespace and all that descend from them, and removes the
/// control groups they were in.
fn sweep() -> Result<()> {
    let mut groups = BTreeSet::new();
    until("all containers are gone", PATIENCE, || {
        let doomed = inhabitants()?;
        for &pid in &doomed {
            groups.extend(groups_of(pid));
            // Gone already is as good.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        Ok(doomed.is_empty().then_some(()))
    })?;
    until("all control groups are gone", PATIENCE, || {
        let left = groups.iter().filter(|group| !remove_group(group)).count();
        Ok((left == 0).then_some(()))
    })
}

/// The processes of this mount namespace, and their descendants; not this one.
fn inhabitants() -> Result<BTreeSet<i32>> {
    let home = fs::metadata("/proc/self/ns/mnt")?.ino();
    let own = i32::try_from(std::process::id())?;
    let mut parents = HashMap::new();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let is_here = fs::metadata(format!("/proc/{pid}/ns/mnt"));
        if is_here.is_ok_and(|file| file.ino() == home) {
            found.insert(pid);
        }
        parents.insert(pid, parent(pid));
    }
    found.remove(&own);
    loop {
        let children = parents.iter().filter_map(|(pid, parent)| {
            let is_child = parent.is_some_and(|parent| found.contains(&parent));
            is_child.then_some(*pid)
        });
        let children: Vec<i32> = children.collect();
        let before = found.len();
        found.extend(children);
        if found.len() == before {
            return Ok(found);
        }
    }
}

/// The parent of a process, unless that is gone or a zombie.
fn parent(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()
    };
    if value("State:") == Some("Z") {
        return None;
    }
    value("PPid:")?.parse().ok()
}

/// The control groups of a process that a container runtime has made, in every hierarchy.
fn groups_of(pid: i32) -> Vec<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let groups = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let root = ["/docker/", "/kubepods/", "/libpod_parent/", "/e2e-"];
        let is_ours = root.iter().any(|root| path.starts_with(root));
        let controllers = controllers.strip_prefix("name=").unwrap_or(controllers);
        let path = path.trim_start_matches('/');
        let base = Path::new(CGROUPS);
        let unified = base.join("unified");
        let hierarchy = match controllers {
            "" if unified.exists() => unified,
            "" => base.to_owned(),
            named => base.join(named),
        };
        is_ours.then(|| hierarchy.join(path))
    });
    groups.collect()
}

/// Those of [`SHARED`] that there are, in every hierarchy.
fn shared_groups() -> BTreeSet<PathBuf> {
    let base = PathBuf::from(CGROUPS);
    let mut hierarchies = vec![base.clone()];
    let entries = fs::read_dir(&base).into_iter().flatten().flatten();
    hierarchies.extend(entries.map(|entry| entry.path()));
    let groups = hierarchies
        .iter()
        .flat_map(|hierarchy| SHARED.iter().map(|name| hierarchy.join(name)));
    groups.filter(|group| group.is_dir()).collect()
}

/// Removes a control group and those above it as far as they are empty; whether it is gone.
fn remove_group(group: &Path) -> bool {
    // Deeper ones first; files cannot be removed and go with their folder.
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
    if group.exists() {
        return false;
    }
    let above = group.ancestors().skip(1);
    // The first that is in use ends it; `/sys/fs/cgroup/...` itself always is.
    above
        .take_while(|parent| fs::remove_dir(parent).is_ok())
        .count();
    true
}
