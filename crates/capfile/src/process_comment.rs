//! The comment of a process block: the facts that the block has no field for, as one line of
//! JSON that people can read too; and the short label that packets between two local processes
//! carry.
//!
//! The first block of a process holds all facts:
//! `{"pid":4321,"start":99,"name":"curl","exe":"/usr/bin/curl","args":["curl","-s"],"uid":1000,
//! "parent":{"pid":1,"start":7,"name":"bash",…},"tid":4321,"thread":"curl","socket_uid":1000}`.
//! Further blocks, for other threads of it, other users or another confidence, refer to that one
//! by its number in the section: `{"pid":4321,"of":0,"tid":4330,"thread":"resolver"}`. What is
//! unknown or the usual case is left out: `args_cut` false, `tid` 0, `confidence` exact. A
//! parent with no `name` is known by pid and start alone. `container`: see
//! [`crate::container_json`]. Strings: see [`crate::json`].

use std::sync::Arc;

use pktwho_packet::{Confidence, Owner, Process, ProcessId, ThreadName};

use crate::container_json;
use crate::json::{JsonReader, write_number, write_string};
use crate::process_table::{Entry, Family};

/// Longest option value.
const MAX_COMMENT: usize = u16::MAX as usize;

/// Longest part of a path or name kept when a comment would be too long without any arguments,
/// which Linux's paths and names cannot cause.
const CUT_TEXT: usize = 1500;

/// Longest part of a name shown in a label.
const LABEL_NAME: usize = 64;

/// How much of the arguments a comment may hold, escaped.
#[derive(Clone, Copy)]
struct Budget {
    own_args: usize,
    parent_args: usize,
    text: usize,
    /// Of each set of labels.
    labels: usize,
}

/// Tried in this order until the comment fits.
const BUDGETS: [Budget; 4] = [
    Budget {
        own_args: usize::MAX,
        parent_args: usize::MAX,
        text: usize::MAX,
        labels: usize::MAX,
    },
    Budget {
        own_args: 24 * 1024,
        parent_args: 4096,
        text: usize::MAX,
        labels: 8 * 1024,
    },
    Budget {
        own_args: 0,
        parent_args: 0,
        text: usize::MAX,
        labels: 0,
    },
    Budget {
        own_args: 0,
        parent_args: 0,
        text: CUT_TEXT,
        labels: 0,
    },
];

/// The comment of the first block of `owner`'s process, at most 65,535 bytes long: what does
/// not fit of the arguments is cut, and said to be.
pub(crate) fn of_process(out: &mut Vec<u8>, owner: &Owner<'_>) {
    for budget in BUDGETS {
        out.clear();
        write_process(out, owner.process, owner.parent, budget);
        if let Some(container) = &owner.process.container {
            out.extend_from_slice(b",\"container\":");
            container_json::write(out, container, budget.labels, budget.text);
        }
        write_use(out, owner);
        out.push(b'}');
        if out.len() <= MAX_COMMENT {
            return;
        }
    }
    out.clear();
}

/// The comment of a further block of a process whose first block has the number `first`.
pub(crate) fn of_use(out: &mut Vec<u8>, owner: &Owner<'_>, first: u32) {
    out.clear();
    write_key(out, "{\"pid\":", owner.process.id.pid);
    write_key(out, ",\"of\":", first);
    write_use(out, owner);
    out.push(b'}');
}

fn write_key(out: &mut Vec<u8>, key: &str, number: impl Into<u64>) {
    out.extend_from_slice(key.as_bytes());
    write_number(out, number.into());
}

fn write_text(out: &mut Vec<u8>, key: &str, text: &[u8], longest: usize) {
    out.extend_from_slice(key.as_bytes());
    write_string(out, text.get(..longest).unwrap_or(text));
}

/// Writes an object up to its closing brace.
fn write_process(out: &mut Vec<u8>, process: &Process, parent: Option<&Process>, budget: Budget) {
    write_key(out, "{\"pid\":", process.id.pid);
    write_key(out, ",\"start\":", process.id.start);
    write_text(out, ",\"name\":", &process.name, budget.text);
    if !process.exe.is_empty() {
        write_text(out, ",\"exe\":", &process.exe, budget.text);
    }
    write_args(out, process, budget.own_args);
    if let Some(uid) = process.uid {
        write_key(out, ",\"uid\":", uid);
    }
    if let Some(parent) = parent {
        out.extend_from_slice(b",\"parent\":");
        let budget = Budget {
            own_args: budget.parent_args,
            ..budget
        };
        write_process(out, parent, None, budget);
        out.push(b'}');
    } else if let Some(id) = process.parent {
        write_key(out, ",\"parent\":{\"pid\":", id.pid);
        write_key(out, ",\"start\":", id.start);
        out.push(b'}');
    }
}

fn write_args(out: &mut Vec<u8>, process: &Process, budget: usize) {
    let mut cut = process.args_cut;
    if !process.args.is_empty() {
        out.extend_from_slice(b",\"args\":[");
        let limit = out.len().saturating_add(budget);
        for (position, arg) in process.args.iter().enumerate() {
            let before = out.len();
            if position > 0 {
                out.push(b',');
            }
            // An escaped string is at least as long as the bytes it stands for.
            if out.len().saturating_add(arg.len()) <= limit {
                write_string(out, arg);
            }
            if out.len() > limit || out.last() != Some(&b'"') {
                out.truncate(before);
                cut = true;
                break;
            }
        }
        out.push(b']');
    }
    if cut {
        out.extend_from_slice(b",\"args_cut\":true");
    }
}

/// How the socket was used: thread, user and confidence.
fn write_use(out: &mut Vec<u8>, owner: &Owner<'_>) {
    if owner.tid != 0 {
        write_key(out, ",\"tid\":", owner.tid);
    }
    if !owner.thread.is_empty() {
        write_text(
            out,
            ",\"thread\":",
            owner.thread.as_bytes(),
            ThreadName::MAX,
        );
    }
    if let Some(uid) = owner.uid {
        write_key(out, ",\"socket_uid\":", uid);
    }
    match owner.confidence {
        Confidence::Exact => {}
        Confidence::Flow => out.extend_from_slice(b",\"confidence\":\"flow\""),
        Confidence::Guess => out.extend_from_slice(b",\"confidence\":\"guess\""),
    }
}

/// What a comment of ours says.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) entry: Entry,
    /// The process and its parent, unless `of` says which block has them.
    pub(crate) family: Family,
    pub(crate) of: Option<u32>,
}

/// Reads a comment written by [`of_process`] or [`of_use`] for the process `pid`; `None` for
/// any other text.
pub(crate) fn parse(comment: &[u8], pid: u32) -> Option<Parsed> {
    if !comment.starts_with(b"{\"pid\":") {
        return None;
    }
    let mut parsed = Parsed::default();
    let Parsed { entry, family, of } = &mut parsed;
    let mut reader = JsonReader::new(comment);
    reader.object(|reader, key| {
        match key {
            b"of" => *of = Some(reader.number32()?),
            b"tid" => entry.tid = reader.number32()?,
            b"thread" => entry.thread = ThreadName::new(&reader.string()?),
            b"socket_uid" => entry.uid = Some(reader.number32()?),
            b"confidence" => entry.confidence = confidence(&reader.string()?)?,
            b"container" => family.process.container = container_json::read(reader),
            b"parent" => {
                let (parent, has_facts) = read_parent(reader)?;
                family.process.parent = Some(parent.id);
                family.parent = has_facts.then_some(parent);
            }
            _ => read_fact(reader, key, &mut family.process)?,
        }
        Some(())
    })?;
    (reader.at_end() && parsed.family.process.id.pid == pid).then_some(parsed)
}

fn confidence(word: &[u8]) -> Option<Confidence> {
    match word {
        b"exact" => Some(Confidence::Exact),
        b"flow" => Some(Confidence::Flow),
        b"guess" => Some(Confidence::Guess),
        _ => None,
    }
}

/// A parent, and whether more than its id is known.
fn read_parent(reader: &mut JsonReader<'_>) -> Option<(Process, bool)> {
    let mut parent = Process::default();
    let mut has_facts = false;
    reader.object(|reader, key| {
        if key == b"parent" {
            let mut id = Process::default();
            reader.object(|reader, key| read_fact(reader, key, &mut id))?;
            parent.parent = Some(id.id);
            return Some(());
        }
        has_facts |= key == b"name";
        read_fact(reader, key, &mut parent)
    })?;
    Some((parent, has_facts))
}

fn read_fact(reader: &mut JsonReader<'_>, key: &[u8], process: &mut Process) -> Option<()> {
    let ProcessId { pid, start } = &mut process.id;
    match key {
        b"pid" => *pid = reader.number32()?,
        b"start" => *start = reader.number()?,
        b"name" => process.name = reader.string()?,
        b"exe" => process.exe = reader.string()?,
        b"args_cut" => process.args_cut = reader.boolean()?,
        b"uid" => process.uid = Some(reader.number32()?),
        b"args" => reader.array(|reader| {
            process.args.push(reader.string()?);
            Some(())
        })?,
        _ => reader.skip()?,
    }
    Some(())
}

/// Appends the label of a process, for instance `curl.4321`: bytes that are not printable
/// UTF-8 as `\x1b`, a backslash doubled, a very long name cut.
pub(crate) fn write_label(out: &mut Vec<u8>, process: &Process) {
    let name = process.name.get(..LABEL_NAME).unwrap_or(&process.name);
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut utf8 = [0; 4];
            let bytes = character.encode_utf8(&mut utf8).as_bytes();
            if character == '\\' {
                out.extend_from_slice(b"\\\\");
            } else if character.is_control() {
                write_hex(out, bytes);
            } else {
                out.extend_from_slice(bytes);
            }
        }
        write_hex(out, chunk.invalid());
    }
    out.push(b'.');
    write_number(out, u64::from(process.id.pid));
}

fn write_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
    }
}

/// An entry for a process that is known by what the block itself says.
pub(crate) fn plain_entry(process: Process) -> Entry {
    Entry {
        family: Arc::new(Family {
            process,
            parent: None,
        }),
        known: true,
        ..Entry::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process() -> Process {
        Process {
            id: ProcessId { pid: 7, start: 99 },
            serial: 1,
            name: b"curl".to_vec(),
            exe: b"/usr/bin/curl".to_vec(),
            args: vec![b"curl".to_vec(), b"\xffx".to_vec()],
            args_cut: true,
            parent: Some(ProcessId { pid: 1, start: 2 }),
            uid: Some(0),
            container: None,
        }
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_comment_is_as_documented() {
        let process = process();
        let parent = Process {
            id: ProcessId { pid: 1, start: 2 },
            name: b"init".to_vec(),
            ..Process::default()
        };
        let mut owner = Owner {
            process: &process,
            parent: None,
            tid: 8,
            thread: ThreadName::new(b"dns"),
            uid: None,
            confidence: Confidence::Guess,
        };
        let facts = r#"{"pid":7,"start":99,"name":"curl","exe":"/usr/bin/curl","args":["curl","\udcffx"],"args_cut":true,"uid":0,"#;
        let used = r#","tid":8,"thread":"dns","confidence":"guess"}"#;
        let mut out = Vec::new();
        of_process(&mut out, &owner);
        assert_eq!(
            text(&out),
            format!(r#"{facts}"parent":{{"pid":1,"start":2}}{used}"#)
        );
        owner.parent = Some(&parent);
        of_process(&mut out, &owner);
        assert_eq!(
            text(&out),
            format!(r#"{facts}"parent":{{"pid":1,"start":2,"name":"init"}}{used}"#)
        );
        of_use(&mut out, &owner, 3);
        assert_eq!(text(&out), format!(r#"{{"pid":7,"of":3{used}"#));
    }

    #[test]
    fn labels_are_fit_for_a_terminal() {
        for (name, label) in [
            (&b"curl"[..], "curl.7"),
            ("é w".as_bytes(), "é w.7"),
            (b"a\x1b[0m\\\xff\n", "a\\x1b[0m\\\\\\xff\\x0a.7"),
            ("\u{85}".as_bytes(), "\\xc2\\x85.7"),
            (b"", ".7"),
        ] {
            let mut out = Vec::new();
            write_label(
                &mut out,
                &Process {
                    name: name.to_vec(),
                    ..process()
                },
            );
            assert_eq!(text(&out), label);
        }
        let mut out = Vec::new();
        write_label(
            &mut out,
            &Process {
                name: vec![b'x'; 1000],
                ..process()
            },
        );
        assert_eq!(out.len(), LABEL_NAME + 2);
    }
}
