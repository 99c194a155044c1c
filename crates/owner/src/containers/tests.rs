//! Processes, their cgroups and runtimes of all manners, through the table of processes.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use pktwho_packet::{Confidence, OwnerFacts, ProcessChange, ProcessEvent, ProcessId, ThreadName};

use super::*;
use crate::runtimes::{Runtime, Told};
use crate::{Addresses, Processes, Slot};

const ID: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
const CHILD: ProcessId = ProcessId {
    pid: 4_000_002,
    start: 2,
};

fn event(change: ProcessChange, cgroup: u64, path: &str) -> ProcessEvent<'_> {
    ProcessEvent {
        change,
        time: 0,
        process: CHILD,
        parent: ProcessId::default(),
        uid: 0,
        name: b"child",
        exe: b"",
        args: b"",
        args_cut: false,
        cgroup,
        cgroup_path: path.as_bytes(),
    }
}

/// The container that a packet of the child shows: its id and name.
fn shown(processes: &mut Processes) -> Option<(String, String)> {
    let facts = OwnerFacts {
        process: CHILD,
        tid: CHILD.pid,
        uid: 0,
        thread: ThreadName::default(),
        confidence: Confidence::Exact,
    };
    let slot = processes.find(&facts, Slot::default());
    let owner = processes.owner(&facts, slot)?;
    let container = owner.process.container.as_ref()?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Some((text(&container.id), text(&container.name)))
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what is shown")]
fn named(name: &str) -> Option<(String, String)> {
    Some((ID.to_owned(), name.to_owned()))
}

/// A socket in the temporary directory, for as long as this is there.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A runtime that does this with every connection.
fn runtime(serve: impl Fn(UnixStream) + Send + 'static) -> Socket {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("pktwho-runtime-{}-{number}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a socket in the temporary directory");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
    Socket(path)
}

fn answer(mut stream: UnixStream, text: &str) {
    let mut room = [0; 4096];
    let _ = stream.read(&mut room);
    let _ = stream.write_all(text.as_bytes());
}

/// A table that asks Docker there, and nobody else.
fn asking(docker: &Socket) -> Processes {
    let nowhere = PathBuf::from("/nonexistent/socket");
    let addresses = Addresses {
        docker: Some(docker.0.clone()),
        containerd: Some(nowhere.clone()),
        cri: Some(nowhere.clone()),
        podman: Some(nowhere),
    };
    let mut processes = Processes::new();
    processes.ask_runtimes(Runtimes::start(&addresses, |_| ()));
    processes
}

fn list(name: &str) -> String {
    format!("HTTP/1.0 200 OK\r\n\r\n[{{\"Id\":\"{ID}\",\"Names\":[\"/{name}\"]}}]")
}

/// The child appears in a container made just now.
fn start_container(processes: &mut Processes) {
    let path = format!("/docker/{ID}");
    processes.apply(&event(ProcessChange::NewCgroup, 77, &path));
    processes.apply(&event(ProcessChange::Fork, 77, ""));
}

#[test]
fn a_process_is_in_the_container_of_its_cgroup_at_all_times() {
    let mut processes = Processes::new();
    let path = format!("/docker/{ID}");
    processes.apply(&event(ProcessChange::NewCgroup, 1, "/"));
    processes.apply(&event(ProcessChange::Fork, 1, ""));
    assert_eq!(shown(&mut processes), None);
    processes.apply(&event(ProcessChange::Moved, 77, &path));
    assert_eq!(shown(&mut processes), named(""));
    processes.apply(&event(ProcessChange::Exec, 77, ""));
    assert_eq!(shown(&mut processes), named(""));
    processes.apply(&event(ProcessChange::Exit, 77, ""));
    assert_eq!(shown(&mut processes), named(""));
    let changed = processes.changed_cgroups();
    let told = |wanted: u64| changed.iter().find(|(cgroup, _, _)| *cgroup == wanted);
    let (_, container, is_told) = told(77).unwrap();
    assert!(matches!(container, Some(Some(container)) if container.id == ID.as_bytes()));
    assert!(is_told, "nobody is asked");
    assert!(told(1).is_some());
}

#[test]
fn the_first_packet_waits_for_the_name() {
    let docker = runtime(|stream| answer(stream, &list("web")));
    let mut processes = asking(&docker);
    // A busy machine may need more than the usual patience.
    processes.be_patient();
    start_container(&mut processes);
    assert_eq!(shown(&mut processes), named("web"));
    let changed = processes.changed_cgroups();
    let web = changed.iter().rfind(|(cgroup, _, _)| *cgroup == 77);
    let Some((_, Some(Some(container)), true)) = web else {
        panic!("{changed:?}");
    };
    assert_eq!(container.name, b"web");
}

#[test]
fn a_runtime_that_hangs_delays_two_packets_at_most_and_no_third() {
    let docker = runtime(|stream| {
        // Held open for good.
        std::mem::forget(stream);
    });
    let begin = Instant::now();
    let mut processes = asking(&docker);
    start_container(&mut processes);
    assert!(begin.elapsed() < Duration::from_millis(100), "the start");
    assert_eq!(shown(&mut processes), named(""));
    let waited = begin.elapsed();
    assert!(waited < PATIENCE * 3, "{waited:?}");
    assert!(processes.is_unnamed(ID.as_bytes()));
    let changed = processes.changed_cgroups();
    let told = changed.iter().rfind(|(cgroup, _, _)| *cgroup == 77);
    assert!(
        matches!(told, Some((_, Some(Some(_)), false))),
        "{changed:?}"
    );
    let begin = Instant::now();
    for number in 0..100_u64 {
        let id = format!("{number:064x}");
        let path = format!("/docker/{id}");
        processes.apply(&event(ProcessChange::Moved, 100 + number, &path));
        assert_eq!(shown(&mut processes), Some((id, String::new())));
    }
    let waited = begin.elapsed();
    assert!(waited < PATIENCE * 2, "{waited:?}");
}

#[test]
fn nonsense_is_no_name() {
    for text in [
        "",
        "garbage",
        "HTTP/1.0 200 OK\r\n\r\n[{\"Id\":",
        "HTTP/1.0 200 OK\r\n\r\n{\"Id\":1}",
        "HTTP/1.0 500 No\r\n\r\n[]",
        "HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n[]",
    ] {
        let docker = runtime(move |stream| answer(stream, text));
        let mut processes = asking(&docker);
        start_container(&mut processes);
        assert_eq!(shown(&mut processes), named(""), "{text}");
    }
}

#[test]
fn a_runtime_that_comes_back_is_heard() {
    let count = AtomicU32::new(0);
    let docker = runtime(move |stream| {
        // It dies in the middle of its first answers.
        if count.fetch_add(1, Ordering::Relaxed) < 3 {
            answer(stream, "HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\n[{");
        } else {
            answer(stream, &list("back"));
        }
    });
    let mut processes = asking(&docker);
    start_container(&mut processes);
    let end = Instant::now() + Duration::from_secs(20);
    while shown(&mut processes) != named("back") {
        assert!(Instant::now() < end, "{:?}", shown(&mut processes));
        processes.absorb();
        thread::yield_now();
    }
}

#[test]
fn another_name_is_heard_of() {
    let is_renamed = AtomicU32::new(0);
    let docker = runtime(move |mut stream| {
        let mut room = [0; 4096];
        let got = stream.read(&mut room).unwrap_or(0);
        let asked = String::from_utf8_lossy(&room[..got]).into_owned();
        if asked.contains("/events?") {
            is_renamed.store(1, Ordering::Relaxed);
            let event = format!(
                "HTTP/1.0 200 OK\r\n\r\n{{\"Action\":\"rename\",\"Actor\":{{\"ID\":\"{ID}\"}}}}\n"
            );
            let _ = stream.write_all(event.as_bytes());
            // Held open for good.
            std::mem::forget(stream);
        } else {
            let name = ["old", "new"][is_renamed.load(Ordering::Relaxed) as usize];
            let _ = stream.write_all(list(name).as_bytes());
        }
    });
    let mut processes = asking(&docker);
    processes.be_patient();
    start_container(&mut processes);
    assert!(shown(&mut processes).is_some_and(|(_, name)| !name.is_empty()));
    let end = Instant::now() + Duration::from_secs(20);
    while shown(&mut processes) != named("new") {
        assert!(Instant::now() < end, "{:?}", shown(&mut processes));
        processes.absorb();
        thread::yield_now();
    }
}

#[test]
fn hundreds_of_containers_are_named_at_once() {
    let all: Vec<String> = (0..500)
        .map(|n| format!("{{\"Id\":\"{n:064x}\",\"Names\":[\"/c{n}\"]}}"))
        .collect();
    let text = format!("HTTP/1.0 200 OK\r\n\r\n[{}]", all.join(","));
    let docker = runtime(move |stream| answer(stream, &text));
    let begin = Instant::now();
    let mut processes = asking(&docker);
    for number in 0..500_u64 {
        let path = format!("/docker/{number:064x}");
        processes.apply(&event(ProcessChange::NewCgroup, 100 + number, &path));
    }
    while processes
        .containers()
        .filter(|container| !container.name.is_empty())
        .count()
        < 500
    {
        assert!(begin.elapsed() < Duration::from_secs(10));
        processes.absorb();
        thread::yield_now();
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut containers = Containers::default();
    for number in 0..CGROUPS as u64 + 1000 {
        containers.learn(number, format!("/docker/{number:064x}").as_bytes());
    }
    assert_eq!(containers.cgroups.len(), CGROUPS);
    assert!(containers.known.len() <= CONTAINERS);
    assert_eq!(containers.home(3), Home::Unknown);
}

/// A runtime whose containers have ids that somebody chose; of each the next image when it is
/// asked again.
struct Chosen {
    asked: u32,
}

impl Runtime for Chosen {
    fn list(&mut self) -> std::io::Result<Vec<Told>> {
        Ok(Vec::new())
    }

    fn find(&mut self, key: &[u8]) -> std::io::Result<Vec<Told>> {
        if !key.ends_with(b"/web") {
            return Ok(Vec::new());
        }
        self.asked += 1;
        let container = Container {
            id: b"web".to_vec(),
            name: b"web".to_vec(),
            image: self.asked.to_string().into(),
            ..Container::default()
        };
        let key = key.to_vec();
        Ok(vec![Told { key, container }])
    }

    fn knows_paths(&self) -> bool {
        true
    }
}

fn chosen() -> Processes {
    let mut processes = Processes::new();
    processes.has_old_hierarchies = false;
    processes.be_patient();
    let runtimes = Runtimes::of(vec![("chosen", Box::new(Chosen { asked: 0 }))], |_| ());
    processes.ask_runtimes(runtimes);
    processes
}

/// The image of the container that the child is shown in.
fn image(processes: &mut Processes) -> Option<String> {
    let (id, _) = shown(processes)?;
    let mut containers = processes.containers();
    let container = containers.find(|container| container.id == id.as_bytes())?;
    Some(String::from_utf8_lossy(&container.image).into_owned())
}

#[test]
fn a_container_whose_id_was_chosen_is_known_by_its_cgroup() {
    let mut processes = chosen();
    processes.apply(&event(ProcessChange::NewCgroup, 76, "/default"));
    processes.apply(&event(ProcessChange::NewCgroup, 77, "/default/web"));
    processes.apply(&event(ProcessChange::Fork, 77, ""));
    let web = Some(("web".to_owned(), "web".to_owned()));
    assert_eq!(shown(&mut processes), web);
    // What is inside it is of it.
    processes.apply(&event(ProcessChange::Moved, 78, "/default/web/inner"));
    assert_eq!(shown(&mut processes), web);
    assert_eq!(image(&mut processes).as_deref(), Some("1"));
    let changed = processes.changed_cgroups();
    for cgroup in [77, 78] {
        let last = changed.iter().rfind(|(id, _, _)| *id == cgroup);
        assert!(
            matches!(last, Some((_, Some(Some(_)), true))),
            "{changed:?}"
        );
    }
}

#[test]
fn another_container_at_the_same_path_is_another() {
    let mut processes = chosen();
    for (cgroup, expected) in [(77, "1"), (78, "2")] {
        processes.apply(&event(ProcessChange::NewCgroup, cgroup, "/default/web"));
        processes.apply(&event(ProcessChange::Fork, cgroup, ""));
        assert_eq!(image(&mut processes).as_deref(), Some(expected));
    }
    let changed = processes.changed_cgroups();
    let gone = changed.iter().rfind(|(cgroup, _, _)| *cgroup == 77);
    assert!(matches!(gone, Some((_, None, true))), "{changed:?}");
}

#[test]
fn a_cgroup_that_nobody_tells_of_is_no_container() {
    let mut processes = chosen();
    processes.apply(&event(ProcessChange::NewCgroup, 77, "/default/shell"));
    let changed = processes.changed_cgroups();
    assert!(matches!(changed[..], [(77, None, true)]), "{changed:?}");
    processes.apply(&event(ProcessChange::Fork, 77, ""));
    assert_eq!(shown(&mut processes), None);
    let changed = processes.changed_cgroups();
    let last = changed.last();
    assert!(matches!(last, Some((77, Some(None), true))), "{changed:?}");
    assert_eq!(processes.containers().count(), 0);
}
