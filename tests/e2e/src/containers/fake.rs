//! Containers that no runtime runs: cgroups of their kind with processes in them, and what answers
//! at a socket in Docker's place, or does not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context as _, Result};

use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;

/// What a service does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It holds it and never answers.
    Silent,
    /// It says what is no answer.
    Garbage,
    /// It ends it amid its answer.
    Dying,
}

/// A socket at which a service of this manner listens, until the runner ends.
pub fn service(lab: &Lab, manner: Manner) -> Result<PathBuf> {
    listening(lab, move |mut stream, held| match manner {
        Manner::Silent => held.push(stream),
        Manner::Garbage => drop(stream.write_all(&[0xa5; 4096])),
        Manner::Dying => {
            let start = "HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\n[{";
            drop(stream.write_all(start.as_bytes()));
        }
    })
}

fn listening(
    lab: &Lab,
    mut serve: impl FnMut(UnixStream, &mut Vec<UnixStream>) + Send + 'static,
) -> Result<PathBuf> {
    let path = lab.file(&format!("fake{}.sock", lab.number()));
    let listener = UnixListener::bind(&path)?;
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().flatten() {
            serve(stream, &mut held);
        }
    });
    Ok(path)
}

/// Flags that have all runtimes asked there and nowhere else; without a socket nobody listens.
pub fn addresses(docker: Option<&Path>, others: Option<&Path>) -> String {
    let shown = |path: Option<&Path>| {
        let nowhere = Path::new("/nonexistent/socket");
        path.unwrap_or(nowhere).display().to_string()
    };
    let (docker, others) = (shown(docker), shown(others));
    format!(
        "--docker-address {docker} --podman-address {others} --containerd-address {others} \
         --cri-runtime-address {others}"
    )
}

/// The containers: ids and names.
type Names = Arc<Mutex<Vec<(String, String)>>>;

/// Containers in which there is a process each, and the Docker that tells of them. All of it ends
/// when this is dropped.
pub struct Crowd {
    folder: PathBuf,
    names: Names,
    members: Vec<Member>,
    /// Docker's socket.
    pub socket: PathBuf,
}

/// The process of a container.
struct Member {
    cgroup: PathBuf,
    process: Child,
}

impl Crowd {
    /// So many containers, `c0` and so on. `None`: there is no hierarchy of cgroups to make them in.
    pub fn new(lab: &Lab, netns: &Netns, count: usize) -> Result<Option<Self>> {
        let Some(root) = hierarchy()? else {
            return Ok(None);
        };
        let folder = root.join(format!(
            "pktwho-e2e-{}-{}",
            std::process::id(),
            lab.number()
        ));
        fs::create_dir(&folder)?;
        let names = Names::default();
        let told = Arc::clone(&names);
        let socket = listening(lab, move |stream, held| answer(stream, held, &told))?;
        let mut crowd = Self {
            folder,
            names,
            members: Vec::new(),
            socket,
        };
        for number in 0..count {
            crowd.add(netns, &format!("c{number}"), "exec sleep 1000000")?;
        }
        Ok(Some(crowd))
    }

    /// Makes another container, in which a shell does this once it is told to [`go`](Self::go);
    /// its place.
    pub fn add(&mut self, netns: &Netns, name: &str, script: &str) -> Result<usize> {
        let place = self.members.len();
        let id = format!("{place:064x}");
        // As a runtime does: in its books first.
        self.names().push((id.clone(), name.to_owned()));
        let mut process = netns.within(|| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("read go; {script}")]);
            Ok(shell.stdin(Stdio::piped()).spawn()?)
        })?;
        let cgroup = self.folder.join(id);
        let moved = fs::create_dir(&cgroup)
            .and_then(|()| fs::write(cgroup.join("cgroup.procs"), process.id().to_string()));
        if moved.is_err() {
            drop(process.kill());
        }
        self.members.push(Member { cgroup, process });
        moved.context("a process in a cgroup")?;
        Ok(place)
    }

    /// Has the process of a container begin.
    pub fn go(&mut self, place: usize) -> Result<()> {
        let member = self.members.get_mut(place).context("no such container")?;
        let input = member.process.stdin.take();
        Ok(input.context("it has begun")?.write_all(b"go\n")?)
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Vec<(String, String)>> {
        self.names.lock().expect("nobody panics with it")
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.process.kill();
            let _ = member.process.wait();
        }
        let cgroups = self.members.iter().map(|member| &member.cgroup);
        for cgroup in cgroups.chain([&self.folder]) {
            // The kernel takes its time over who has just ended.
            let _ = until("the cgroup is gone", PATIENCE, || {
                let _ = fs::remove_dir(cgroup);
                Ok((!cgroup.exists()).then_some(()))
            });
        }
    }
}

/// Where the hierarchy is mounted in which containers are.
fn hierarchy() -> Result<Option<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    let found = mounts.find_map(|mut fields| {
        let (_, folder, kind) = (fields.next()?, fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(folder))
    });
    Ok(found)
}

/// What Docker says: of all containers, or of the one that the question names; events never come.
fn answer(mut stream: UnixStream, held: &mut Vec<UnixStream>, names: &Names) {
    let mut question = [0; 4096];
    let read = stream.read(&mut question).unwrap_or(0);
    let question = String::from_utf8_lossy(question.get(..read).unwrap_or_default());
    let start = "HTTP/1.0 200 OK\r\n\r\n";
    if question.contains("/events") {
        let _ = stream.write_all(start.as_bytes());
        held.push(stream);
        return;
    }
    let is_for_all = !question.contains("filters=");
    let Ok(names) = names.lock() else { return };
    let asked = names
        .iter()
        .filter(|(id, _)| is_for_all || question.contains(id));
    let containers: Vec<String> = asked
        .map(|(id, name)| format!(r#"{{"Id":"{id}","Names":["/{name}"],"Image":"e2e"}}"#))
        .collect();
    let _ = stream.write_all(format!("{start}[{}]", containers.join(",")).as_bytes());
}
