//! The container and the pod of an owner.
//!
//! In the line: `Container [web]`, or as much of its id as runtimes show when it has no name;
//! `Pod [api.prod]`. With `-v`: `Container (name web, id …, image nginx:1, labels {…})`, with
//! JSON for labels, and the same for the pod.

use pktwho_packet::{Label, Owner, Pod};

use super::{Escaped, IN_LINE};
use crate::Context;
use crate::out::Out;
use crate::put::{Put, put};

/// Digits of an id that stand for a name.
const ID_SHOWN: usize = 12;

/// What a container is called in the line; whether there is one.
pub(super) fn name(p: &mut Out<'_>, owner: &Owner<'_>) -> bool {
    let Some(container) = &owner.process.container else {
        return false;
    };
    let id = container.id.get(..ID_SHOWN).unwrap_or(&container.id);
    let name = if container.name.is_empty() {
        id
    } else {
        &container.name
    };
    put!(p, Escaped(name, IN_LINE));
    true
}

/// What a pod is called in the line; whether its name is known.
pub(super) fn pod_name(p: &mut Out<'_>, owner: &Owner<'_>) -> bool {
    let container = owner.process.container.as_ref();
    let pod = container.and_then(|container| container.pod.as_ref());
    let Some(Pod {
        name, namespace, ..
    }) = pod.filter(|pod| !pod.name.is_empty())
    else {
        return false;
    };
    put!(p, Escaped(name, IN_LINE));
    if !namespace.is_empty() {
        put!(p, ".", Escaped(namespace, IN_LINE));
    }
    true
}

/// The lines of `-v`.
pub(super) fn lines(
    p: &mut Out<'_>,
    owner: &Owner<'_>,
    context: Context,
    (indent, end): (&str, &str),
) {
    let Some(container) = &owner.process.container else {
        return;
    };
    let text = |text| Escaped(text, &[',']);
    if context.container {
        put!(p, indent, end, "Container (name ", text(&container.name));
        put!(p, ", id ", text(&container.id));
        put!(p, ", image ", text(&container.image));
        put!(p, ", labels ", Json(&container.labels), ")");
    }
    if let Some(pod) = container.pod.as_ref().filter(|_| context.pod) {
        put!(p, indent, end, "Pod (name ", text(&pod.name));
        put!(p, ", namespace ", text(&pod.namespace));
        put!(p, ", UID ", text(&pod.uid));
        put!(p, ", labels ", Json(&pod.labels));
        put!(p, ", annotations ", Json(&pod.annotations), ")");
    }
}

/// Labels as a JSON object.
#[derive(Clone, Copy)]
struct Json<'a>(&'a [Label]);

impl Put for Json<'_> {
    fn put(self, out: &mut Vec<u8>) {
        "{".put(out);
        for (place, (key, value)) in self.0.iter().enumerate() {
            if place > 0 {
                ",".put(out);
            }
            string(out, key);
            ":".put(out);
            string(out, value);
        }
        "}".put(out);
    }
}

/// A JSON string (RFC 8259) that is fit for a terminal.
fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    "\"".put(out);
    for char in String::from_utf8_lossy(bytes).chars() {
        match char {
            '"' => "\\\"".put(out),
            '\\' => "\\\\".put(out),
            '\n' => "\\n".put(out),
            '\r' => "\\r".put(out),
            '\t' => "\\t".put(out),
            _ if char.is_control() || super::unseen(char) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            _ => char.put(out),
        }
    }
    "\"".put(out);
}
