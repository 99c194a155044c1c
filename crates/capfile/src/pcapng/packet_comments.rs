//! Comments of packets that tell of processes, as other programs write them: ptcpdump's, of
//! which we write some too (`--comments`), and those of Apple's tcpdump on plain devices.
//!
//! ptcpdump gives a packet one comment for each kind of fact, with a line for each fact:
//! `PID: 4321`, `Cmd: /usr/bin/curl`, `Args: curl -s`; `ThreadId: 4330`, `ThreadName: resolver`;
//! `UserId: 1000`; `ParentPID: 1`, `ParentCmd: …`, `ParentArgs: …`; `ContainerName: web`,
//! `ContainerId: …`, `ContainerImage: …`, `ContainerLabels: {JSON}`; `PodName: …` and its like. Apple's has one line:
//! `proc curl:4321, svc BE, out`. Promises: what we write of a process cannot begin a line.
//! Source: files of ptcpdump 0.37 and of Apple's tcpdump.

use std::sync::Arc;

use pktwho_packet::{Container, Label, Owner, Pod, Process, ThreadName};

use super::compose::write_option;
use super::option;
use super::options::Options;
use crate::bytes::Endian;
use crate::container_json;
use crate::json::JsonReader;
use crate::process_table::{Entry, Family};

/// Longest value written of a fact: of arguments ptcpdump has at most so many bytes.
const MAX_VALUE: usize = 4096;

/// Whether a comment tells of a process.
#[inline]
pub(crate) fn is_one(comment: &[u8]) -> bool {
    comment.starts_with(b"PID: ") || comment.starts_with(b"proc ")
}

/// Appends the comments about the owner of a packet.
pub(crate) fn write(out: &mut Vec<u8>, owner: &Owner<'_>) {
    let process = owner.process;
    comment(
        out,
        &[
            ("PID", &Number(process.id.pid)),
            ("Cmd", &command(process)),
            ("Args", &process.args),
        ],
    );
    if owner.tid != 0 {
        let thread = [owner.thread.as_bytes().to_vec()];
        comment(
            out,
            &[
                ("ThreadId", &Number(owner.tid)),
                ("ThreadName", &thread.to_vec()),
            ],
        );
    }
    if let Some(uid) = owner.uid.or(process.uid) {
        comment(out, &[("UserId", &Number(uid))]);
    }
    if let Some(parent) = owner.parent {
        comment(
            out,
            &[
                ("ParentPID", &Number(parent.id.pid)),
                ("ParentCmd", &command(parent)),
                ("ParentArgs", &parent.args),
            ],
        );
    }
    if let Some(container) = &process.container {
        write_container(out, container);
    }
}

/// Appends the comments about its container and its pod.
fn write_container(out: &mut Vec<u8>, container: &Container) {
    let text = |text: &Vec<u8>| vec![text.clone()];
    comment(
        out,
        &[
            ("ContainerName", &text(&container.name)),
            ("ContainerId", &text(&container.id)),
            ("ContainerImage", &text(&container.image)),
            ("ContainerLabels", &container.labels),
        ],
    );
    if let Some(pod) = &container.pod {
        comment(
            out,
            &[
                ("PodName", &text(&pod.name)),
                ("PodNamespace", &text(&pod.namespace)),
                ("PodUID", &text(&pod.uid)),
                ("PodLabels", &pod.labels),
                ("PodAnnotations", &pod.annotations),
            ],
        );
    }
}

/// The executable, or at least the name.
fn command(process: &Process) -> Vec<Vec<u8>> {
    let path = if process.exe.is_empty() {
        &process.name
    } else {
        &process.exe
    };
    vec![path.clone()]
}

/// A value of a fact.
trait Value {
    fn put(&self, out: &mut Vec<u8>);
}

struct Number(u32);

impl Value for Number {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.to_string().as_bytes());
    }
}

/// Words, with blanks between them.
impl Value for Vec<Vec<u8>> {
    fn put(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for (position, word) in self.iter().enumerate() {
            if position > 0 {
                out.push(b' ');
            }
            put_escaped(out, word.get(..MAX_VALUE).unwrap_or(word));
            if out.len() - start > MAX_VALUE {
                out.truncate(start + MAX_VALUE);
                out.extend_from_slice(b"...");
                return;
            }
        }
    }
}

/// JSON.
impl Value for Vec<Label> {
    fn put(&self, out: &mut Vec<u8>) {
        container_json::write_map(out, self, MAX_VALUE);
    }
}

/// Text with everything escaped that could begin another line, or is no text.
fn put_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                out.extend(character.escape_default().map(|c| c as u8));
            } else {
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            }
        }
        out.extend(chunk.invalid().escape_ascii());
    }
}

fn comment(out: &mut Vec<u8>, facts: &[(&str, &dyn Value)]) {
    let mut text = Vec::new();
    for (key, value) in facts {
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend_from_slice(key.as_bytes());
        text.extend_from_slice(b": ");
        value.put(&mut text);
    }
    write_option(out, option::COMMENT, &text);
}

/// Reads what the comments among a packet's options tell of its process.
pub(crate) fn read(options: &[u8], endian: Endian) -> Option<Entry> {
    let mut found = Found::default();
    for option in Options::new(options, endian).filter(|option| option.code == option::COMMENT) {
        match option.value.strip_prefix(b"proc ") {
            Some(rest) => found.apple(rest),
            None => found.lines(option.value),
        }
    }
    found.entry()
}

/// What was found so far.
#[derive(Default)]
struct Found {
    entry: Entry,
    process: Process,
    pid: Option<u32>,
    parent: Process,
    parent_pid: Option<u32>,
    container: Container,
    pod: Pod,
}

impl Found {
    fn lines(&mut self, comment: &[u8]) {
        for line in comment.split(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let (key, value) = line.split_at(colon);
            self.fact(key, value.get(1..).unwrap_or_default().trim_ascii());
        }
    }

    fn fact(&mut self, key: &[u8], value: &[u8]) {
        match key {
            b"PID" => self.pid = number(value),
            b"Cmd" | b"Command" => set_command(&mut self.process, value),
            b"Args" => set_args(&mut self.process, value),
            b"ThreadId" | b"TID" => self.entry.tid = number(value).unwrap_or(0),
            b"ThreadName" => self.entry.thread = ThreadName::new(value),
            b"UserId" => {
                self.process.uid = number(value);
                self.entry.uid = self.process.uid;
            }
            b"ParentPID" => self.parent_pid = number(value),
            b"ParentCmd" | b"ParentCommand" => set_command(&mut self.parent, value),
            b"ParentArgs" => set_args(&mut self.parent, value),
            b"ContainerName" => self.container.name = value.to_vec(),
            b"ContainerId" => self.container.id = value.to_vec(),
            b"ContainerImage" => self.container.image = value.to_vec(),
            b"ContainerLabels" => self.container.labels = labels(value),
            b"PodName" => self.pod.name = value.to_vec(),
            b"PodNamespace" => self.pod.namespace = value.to_vec(),
            b"PodUID" => self.pod.uid = value.to_vec(),
            b"PodLabels" => self.pod.labels = labels(value),
            b"PodAnnotations" => self.pod.annotations = labels(value),
            _ => {}
        }
    }

    /// `curl:4321, svc BE, …`; a name may hold a colon.
    fn apple(&mut self, rest: &[u8]) {
        let end = rest.windows(2).position(|pair| pair == b", ");
        let process = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let Some(colon) = process.iter().rposition(|&byte| byte == b':') else {
            return;
        };
        let (name, pid) = process.split_at(colon);
        self.pid = number(pid.get(1..).unwrap_or_default());
        self.process.name = name.to_vec();
    }

    fn entry(mut self) -> Option<Entry> {
        self.process.id.pid = self.pid?;
        let parent = self.parent_pid.map(|pid| {
            self.parent.id.pid = pid;
            self.parent
        });
        if self.pod != Pod::default() {
            self.container.pod = Some(self.pod);
        }
        if self.container != Container::default() {
            self.process.container = Some(Arc::new(self.container));
        }
        self.process.parent = parent.as_ref().map(|parent| parent.id);
        self.entry.family = Arc::new(Family {
            process: self.process,
            parent,
        });
        self.entry.known = true;
        Some(self.entry)
    }
}

/// Labels in JSON; none of what is no JSON.
fn labels(text: &[u8]) -> Vec<Label> {
    container_json::read_map(&mut JsonReader::new(text)).unwrap_or_default()
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The path of the executable; the name is its last part.
fn set_command(process: &mut Process, path: &[u8]) {
    let name = path.rsplit(|&byte| byte == b'/').next();
    process.name = name.unwrap_or_default().to_vec();
    process.exe = path.to_vec();
}

fn set_args(process: &mut Process, text: &[u8]) {
    let whole = text.strip_suffix(b"...");
    process.args_cut = whole.is_some();
    let words = whole.unwrap_or(text).split(|&byte| byte == b' ');
    process.args = words
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{Confidence, ProcessId};

    use super::*;

    fn text(options: &[u8]) -> Vec<String> {
        let options = Options::new(options, Endian::Little);
        options
            .map(|option| String::from_utf8(option.value.to_vec()).unwrap())
            .collect()
    }

    fn process() -> Process {
        Process {
            id: ProcessId { pid: 7, start: 0 },
            name: b"curl".to_vec(),
            exe: b"/usr/bin/curl".to_vec(),
            args: vec![b"curl".to_vec(), b"-s".to_vec()],
            uid: Some(1000),
            ..Process::default()
        }
    }

    fn owner<'a>(process: &'a Process, parent: &'a Process) -> Owner<'a> {
        Owner {
            process,
            parent: Some(parent),
            tid: 8,
            thread: ThreadName::new(b"dns"),
            uid: None,
            confidence: Confidence::Exact,
        }
    }

    #[test]
    fn comments_are_those_of_ptcpdump() {
        let process = process();
        let mut out = Vec::new();
        write(&mut out, &owner(&process, &process));
        let expected = [
            "PID: 7\nCmd: /usr/bin/curl\nArgs: curl -s",
            "ThreadId: 8\nThreadName: dns",
            "UserId: 1000",
            "ParentPID: 7\nParentCmd: /usr/bin/curl\nParentArgs: curl -s",
        ];
        assert_eq!(text(&out), expected);
        let entry = read(&out, Endian::Little).unwrap();
        let read = entry.owner(0);
        assert_eq!(
            (read.process.uid, read.tid, read.thread),
            (Some(1000), 8, ThreadName::new(b"dns"))
        );
        let facts = |process: &Process| (process.id, process.name.clone(), process.args.clone());
        assert_eq!(facts(read.process), facts(&process));
        assert_eq!(facts(read.parent.unwrap()), facts(&process));
    }

    #[test]
    fn containers_are_those_of_ptcpdump() {
        let label = |key: &str, value: &str| (key.into(), value.into());
        let container = Container {
            id: b"0123".into(),
            name: b"we\nPID: 1".into(),
            image: b"nginx:1".into(),
            labels: vec![label("a", "1\n2")],
            pod: Some(Pod {
                name: b"api".into(),
                namespace: b"prod".into(),
                uid: b"u".into(),
                ..Pod::default()
            }),
            runtime: Vec::new(),
        };
        let process = Process {
            container: Some(Arc::new(container.clone())),
            ..process()
        };
        let mut out = Vec::new();
        write(&mut out, &owner(&process, &process));
        let comments = text(&out);
        assert_eq!(
            comments[4..],
            [
                "ContainerName: we\\nPID: 1\nContainerId: 0123\nContainerImage: nginx:1\n\
                 ContainerLabels: {\"a\":\"1\\n2\"}",
                "PodName: api\nPodNamespace: prod\nPodUID: u\nPodLabels: {}\nPodAnnotations: {}",
            ]
        );
        let entry = read(&out, Endian::Little).unwrap();
        let expected = Container {
            name: b"we\\nPID: 1".into(),
            ..container
        };
        assert_eq!(entry.family.process.container.as_deref(), Some(&expected));
    }

    #[test]
    fn no_argument_can_begin_a_line() {
        let mut process = process();
        process.args = vec![b"a\nPID: 1\r\xff\xe2\x80\xa8b".to_vec(), vec![b'x'; 5000]];
        let mut out = Vec::new();
        write(&mut out, &owner(&process, &process));
        let first = text(&out).swap_remove(0);
        let args = first.lines().nth(2).unwrap();
        assert!(
            args.starts_with("Args: a\\nPID: 1\\r\\xff\\u{2028}b xxx"),
            "{args}"
        );
        assert!(args.ends_with("xx...") && first.lines().count() == 3);
        let entry = read(&out, Endian::Little).unwrap();
        assert_eq!(entry.family.process.id.pid, 7);
        assert!(entry.family.process.args_cut);
    }

    #[test]
    fn comments_of_others() {
        let of = |comment: &str| {
            let mut out = Vec::new();
            write_option(&mut out, option::COMMENT, comment.as_bytes());
            let entry = read(&out, Endian::Little)?;
            let process = &entry.family.process;
            Some((
                process.id.pid,
                String::from_utf8(process.name.clone()).unwrap(),
            ))
        };
        let curl = |pid| Some((pid, "curl".to_owned()));
        assert_eq!(of("proc curl:4321, svc BE, out"), curl(4321));
        assert_eq!(of("proc a: b:4321"), Some((4321, "a: b".to_owned())));
        assert_eq!(of("PID: 5\nCommand: /bin/curl\nArgs: x"), curl(5));
        assert_eq!(of("proc curl"), None);
        assert_eq!(of("PID: x\nCmd: curl"), None);
    }
}
