//! What a runtime tells unasked: that a container has another name, or is there.
//!
//! A thread for each runtime that tells such things, beside the one that asks it ([`crate::runtimes`]);
//! it waits for as long as the runtime lives, and ends with the stream.

use std::io;
use std::sync::mpsc::SyncSender;
use std::thread;

use serde::Deserialize;

use crate::runtimes::Question;

/// What a runtime tells, one thing after the other.
pub trait News {
    /// The next container of which something else is to be said now.
    ///
    /// # Errors
    /// The runtime has ended the stream; `Unsupported`: it has none.
    fn next(&mut self) -> io::Result<Renamed>;
}

/// A container that has another name, other labels, or is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renamed {
    pub id: Vec<u8>,
    /// Empty: it has to be asked for. Docker's list still has the old one for a moment.
    pub name: Vec<u8>,
}

/// Has a runtime's thread asked again about what has changed, and told when the stream is cut. Where
/// the system has no thread nothing is heard.
pub fn listen(name: &str, mut news: Box<dyn News + Send>, questions: SyncSender<Question>) {
    let listen = move || {
        loop {
            let question = match news.next() {
                Ok(renamed) => Question::Renamed(renamed),
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return,
                Err(_) => Question::Cut,
            };
            let is_cut = matches!(question, Question::Cut);
            if questions.send(question).is_err() || is_cut {
                return;
            }
        }
    };
    let _ = thread::Builder::new()
        .name(format!("{name}-events"))
        .spawn(listen);
}

/// An event of Docker's, and of Podman's, as far as it is read.
#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "Action")]
    action: String,
    #[serde(default, rename = "Actor")]
    actor: Actor,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(default, rename = "ID")]
    id: String,
    #[serde(default, rename = "Attributes")]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(default)]
    name: String,
}

/// The container that a line of Docker's events says is called otherwise now.
pub fn renamed(line: &[u8]) -> Option<Renamed> {
    let event: Event = serde_json::from_slice(line).ok()?;
    let Actor { id, attributes } = event.actor;
    (event.action == "rename" && !id.is_empty()).then(|| Renamed {
        id: id.into(),
        name: attributes.name.trim_start_matches('/').into(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Renamed, renamed};

    #[test]
    fn only_another_name_is_news() {
        let check = |line: &str, expected: Option<[&str; 2]>| {
            let expected = expected.map(|[id, name]| Renamed {
                id: id.into(),
                name: name.into(),
            });
            assert_eq!(renamed(line.as_bytes()), expected, "{line}");
        };
        check(
            r#"{"status":"rename","id":"ab","from":"x:1","Type":"container","Action":"rename",
                "Actor":{"ID":"ab","Attributes":{"name":"new","oldName":"/old"}},"time":1}"#,
            Some(["ab", "new"]),
        );
        check(
            r#"{"Action":"rename","Actor":{"ID":"ab"}}"#,
            Some(["ab", ""]),
        );
        check(r#"{"Action":"start","Actor":{"ID":"ab"}}"#, None);
        check(r#"{"Action":"rename"}"#, None);
        check(r#"[{"Id":"ab"}]"#, None);
        check("", None);
    }
}
