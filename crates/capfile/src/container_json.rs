//! A container and its pod as JSON, in the comment of a process block.
//!
//! `{"id":"01ab…","name":"web","image":"nginx:1","runtime":"docker","labels":{"app":"web"},
//! "pod":{"name":"api","namespace":"prod","uid":"…","labels":{},"annotations":{}}}`; what is
//! unknown or empty is left out. `"labels_cut":true`: there were more labels or annotations than
//! there was room for.

use std::sync::Arc;

use pktwho_packet::{Container, Label, Pod};

use crate::json::{JsonReader, write_string};

/// Most labels read of an object.
const LABELS: usize = 4096;

/// Appends a container; of each set of labels as much as has room in `room` bytes.
pub(crate) fn write(out: &mut Vec<u8>, container: &Container, room: usize, text: usize) {
    let mut cut = false;
    out.push(b'{');
    write_text(out, "id", &container.id, text);
    write_text(out, "name", &container.name, text);
    write_text(out, "image", &container.image, text);
    write_text(out, "runtime", &container.runtime, text);
    cut |= write_labels(out, "labels", &container.labels, room);
    if let Some(pod) = &container.pod {
        key(out, "pod");
        out.push(b'{');
        write_text(out, "name", &pod.name, text);
        write_text(out, "namespace", &pod.namespace, text);
        write_text(out, "uid", &pod.uid, text);
        cut |= write_labels(out, "labels", &pod.labels, room);
        cut |= write_labels(out, "annotations", &pod.annotations, room);
        out.push(b'}');
    }
    if cut {
        key(out, "labels_cut");
        out.extend_from_slice(b"true");
    }
    out.push(b'}');
}

fn key(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_string(out, name.as_bytes());
    out.push(b':');
}

fn write_text(out: &mut Vec<u8>, name: &str, text: &[u8], longest: usize) {
    if !text.is_empty() {
        key(out, name);
        write_string(out, text.get(..longest).unwrap_or(text));
    }
}

/// Whether some had no room.
fn write_labels(out: &mut Vec<u8>, name: &str, labels: &[Label], room: usize) -> bool {
    if labels.is_empty() {
        return false;
    }
    key(out, name);
    !write_map(out, labels, room)
}

/// Appends an object of strings, as far as it has room; whether all of it had.
pub(crate) fn write_map(out: &mut Vec<u8>, labels: &[Label], room: usize) -> bool {
    let limit = out.len().saturating_add(room);
    out.push(b'{');
    for (place, (name, value)) in labels.iter().enumerate() {
        let before = out.len();
        // An escaped string is at least as long as the bytes it stands for.
        let is_long = before.saturating_add(name.len() + value.len()) > limit;
        if !is_long {
            if place > 0 {
                out.push(b',');
            }
            write_string(out, name);
            out.push(b':');
            write_string(out, value);
        }
        if is_long || out.len() > limit {
            out.truncate(before);
            out.push(b'}');
            return false;
        }
    }
    out.push(b'}');
    true
}

/// Reads a container.
pub(crate) fn read(reader: &mut JsonReader<'_>) -> Option<Arc<Container>> {
    let mut container = Container::default();
    reader.object(|reader, key| {
        match key {
            b"id" => container.id = reader.string()?,
            b"name" => container.name = reader.string()?,
            b"image" => container.image = reader.string()?,
            b"runtime" => container.runtime = reader.string()?,
            b"labels" => container.labels = read_map(reader)?,
            b"pod" => container.pod = Some(read_pod(reader)?),
            _ => reader.skip()?,
        }
        Some(())
    })?;
    (!container.id.is_empty()).then(|| Arc::new(container))
}

fn read_pod(reader: &mut JsonReader<'_>) -> Option<Pod> {
    let mut pod = Pod::default();
    reader.object(|reader, key| {
        match key {
            b"name" => pod.name = reader.string()?,
            b"namespace" => pod.namespace = reader.string()?,
            b"uid" => pod.uid = reader.string()?,
            b"labels" => pod.labels = read_map(reader)?,
            b"annotations" => pod.annotations = read_map(reader)?,
            _ => reader.skip()?,
        }
        Some(())
    })?;
    Some(pod)
}

/// Reads an object of strings, in the order of its keys.
pub(crate) fn read_map(reader: &mut JsonReader<'_>) -> Option<Vec<Label>> {
    let mut labels = Vec::new();
    reader.object(|reader, key| {
        let label = (key.to_vec(), reader.string()?);
        if labels.len() < LABELS {
            labels.push(label);
        }
        Some(())
    })?;
    labels.sort_unstable();
    Some(labels)
}

/// About how many bytes a container holds.
pub(crate) fn size(container: &Container) -> usize {
    let labels = |labels: &[Label]| -> usize {
        let each = labels.iter().map(|(name, value)| name.len() + value.len());
        each.sum::<usize>() + size_of_val(labels)
    };
    let pod = container.pod.as_ref().map_or(0, |pod| {
        let names = pod.name.len() + pod.namespace.len() + pod.uid.len();
        names + labels(&pod.labels) + labels(&pod.annotations)
    });
    let names = container.id.len() + container.name.len() + container.image.len();
    size_of::<Container>() + names + container.runtime.len() + labels(&container.labels) + pod
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container() -> Container {
        let label = |key: &str, value: &str| (key.into(), value.into());
        Container {
            id: b"0123".into(),
            name: b"we\"b\n".into(),
            image: b"nginx:1".into(),
            runtime: b"docker".into(),
            labels: vec![label("a", "1"), label("b", "\u{202e}2")],
            pod: Some(Pod {
                name: b"api".into(),
                namespace: b"prod".into(),
                uid: b"u".into(),
                labels: vec![label("app", "web")],
                annotations: vec![(b"x".into(), b"\xff".into())],
            }),
        }
    }

    fn written(container: &Container, room: usize) -> String {
        let mut out = Vec::new();
        write(&mut out, container, room, usize::MAX);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let text = written(&container(), usize::MAX);
        assert_eq!(
            text,
            r#"{"id":"0123","name":"we\"b\n","image":"nginx:1","runtime":"docker","labels":{"a":"1","b":"\u202e2"},"pod":{"name":"api","namespace":"prod","uid":"u","labels":{"app":"web"},"annotations":{"x":"\udcff"}}}"#
        );
        let mut reader = JsonReader::new(text.as_bytes());
        assert_eq!(*read(&mut reader).unwrap(), container());
        let bare = Container {
            id: b"0123".into(),
            ..Container::default()
        };
        assert_eq!(written(&bare, usize::MAX), r#"{"id":"0123"}"#);
    }

    #[test]
    fn what_has_no_room_is_said_to_be_cut() {
        let text = written(&container(), 10);
        assert!(text.contains(r#""labels":{"a":"1"},"#), "{text}");
        assert!(text.ends_with(r#","labels_cut":true}"#), "{text}");
        let mut reader = JsonReader::new(text.as_bytes());
        let read = read(&mut reader).unwrap();
        assert_eq!(read.labels.len(), 1);
        assert!(reader.at_end());
    }
}
