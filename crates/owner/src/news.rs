//! What a runtime tells unasked: that a container has another name.
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
    /// The id of the next container of which something else is known now.
    ///
    /// # Errors
    /// The runtime has ended the stream; `Unsupported`: it has none.
    fn next(&mut self) -> io::Result<Vec<u8>>;
}

/// Has a runtime's thread asked again about what has changed, and told when the stream is cut. Where
/// the system has no thread nothing is heard.
pub fn listen(name: &str, mut news: Box<dyn News + Send>, questions: SyncSender<Question>) {
    let listen = move || {
        loop {
            let question = match news.next() {
                Ok(id) => Question::Changed(id),
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
}

/// The container that a line of Docker's events says is called otherwise now.
pub fn renamed(line: &[u8]) -> Option<Vec<u8>> {
    let event: Event = serde_json::from_slice(line).ok()?;
    (event.action == "rename" && !event.actor.id.is_empty()).then(|| event.actor.id.into())
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn only_another_name_is_news() {
        let check = |line: &str, expected: Option<&str>| {
            let found = renamed(line.as_bytes()).map(|id| String::from_utf8(id).unwrap());
            assert_eq!(found.as_deref(), expected, "{line}");
        };
        check(
            r#"{"status":"rename","id":"ab","from":"x:1","Type":"container","Action":"rename",
                "Actor":{"ID":"ab","Attributes":{"name":"new","oldName":"/old"}},"time":1}"#,
            Some("ab"),
        );
        check(r#"{"Action":"rename","Actor":{"ID":"ab"}}"#, Some("ab"));
        check(r#"{"Action":"start","Actor":{"ID":"ab"}}"#, None);
        check(r#"{"Action":"rename"}"#, None);
        check(r#"[{"Id":"ab"}]"#, None);
        check("", None);
    }
}
