//! What a runtime tells unasked: that a container has another name, or is there. One that lives for a moment is gone
//! before its runtime has answered, which may keep an answer back while it starts the container.
//!
//! A thread for each runtime that tells such things, beside the one that asks it ([`crate::runtimes`]);
//! it waits for as long as the runtime lives, and ends with the stream.

use std::io;
use std::sync::mpsc::SyncSender;
use std::thread;

use pktwho_packet::Container;
use serde::Deserialize;

use crate::kubernetes;
use crate::runtimes::Question;

/// What a runtime tells, one thing after the other.
pub trait News {
    /// The next container of which something else is to be said now.
    ///
    /// # Errors
    /// The runtime has ended the stream; `Unsupported`: it has none.
    fn next(&mut self) -> io::Result<Heard>;
}

/// What a runtime has told unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Renamed(Renamed),
    /// All of it that counts: one that is gone in a moment cannot be asked for any more.
    Came(Box<Container>),
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
                Ok(Heard::Renamed(renamed)) => Question::Renamed(renamed),
                Ok(Heard::Came(container)) => Question::Came(container),
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

/// The container's labels, and what the runtime has put beside them.
type Attributes = kubernetes::Labels;

/// What is no label there.
const ADDED: [&str; 4] = ["name", "image", "podId", "containerExitCode"];

/// What a line of Docker's events says of a container: that it is called otherwise now, or is there.
pub fn heard(line: &[u8], runtime: &str) -> Option<Heard> {
    let event: Event = serde_json::from_slice(line).ok()?;
    let Actor { id, mut attributes } = event.actor;
    if id.is_empty() {
        return None;
    }
    let [name, image, pod, _] = ADDED.map(|key| attributes.remove(key).unwrap_or_default());
    let name = name.trim_start_matches('/');
    match event.action.as_str() {
        "rename" => Some(Heard::Renamed(Renamed {
            id: id.into(),
            name: name.into(),
        })),
        // Of a pod its id alone is told.
        "create" | "start" if !name.is_empty() && pod.is_empty() => {
            let mut container = Container {
                id: id.into(),
                name: name.into(),
                image: image.into(),
                labels: kubernetes::sorted(attributes),
                pod: None,
                runtime: runtime.into(),
            };
            kubernetes::name_by_labels(&mut container);
            Some(Heard::Came(Box::new(container)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, heard};

    /// What is heard, a name after a colon where one has come.
    fn check(line: &str, expected: &str) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found = match heard(line.as_bytes(), "docker") {
            None => String::new(),
            Some(Heard::Renamed(it)) => format!("{}={}", text(&it.id), text(&it.name)),
            Some(Heard::Came(it)) => {
                let labels = it
                    .labels
                    .iter()
                    .map(|(key, value)| format!("{}={}", text(key), text(value)));
                let labels: Vec<String> = labels.collect();
                let pod = it.pod.as_ref().map(|pod| text(&pod.name));
                format!(
                    "{}:{} {} {} {pod:?}",
                    text(&it.id),
                    text(&it.name),
                    text(&it.image),
                    labels.join(",")
                )
            }
        };
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn another_name_is_news() {
        check(
            r#"{"status":"rename","id":"ab","from":"x:1","Type":"container","Action":"rename",
                "Actor":{"ID":"ab","Attributes":{"name":"new","oldName":"/old"}},"time":1}"#,
            "ab=new",
        );
        check(r#"{"Action":"rename","Actor":{"ID":"ab"}}"#, "ab=");
        check(r#"{"Action":"rename"}"#, "");
        check(r#"[{"Id":"ab"}]"#, "");
        check("", "");
    }

    #[test]
    fn a_container_that_comes_is_told_whole() {
        check(
            r#"{"Type":"container","Action":"start","Actor":{"ID":"ab","Attributes":
                {"image":"nginx:1","name":"web","tier":"front","app":"shop"}}}"#,
            "ab:web nginx:1 app=shop,tier=front None",
        );
        check(
            r#"{"Action":"create","Actor":{"ID":"ab","Attributes":{"containerExitCode":"",
                "image":"i","name":"web","podId":""}}}"#,
            "ab:web i  None",
        );
        check(
            r#"{"Action":"start","Actor":{"ID":"ab","Attributes":{"name":"k8s_x",
                "io.kubernetes.pod.name":"api","io.kubernetes.container.name":"web"}}}"#,
            "ab:web  io.kubernetes.container.name=web,io.kubernetes.pod.name=api Some(\"api\")",
        );
        // Its pod has to be asked for; and there is nothing to be said without a name.
        check(
            r#"{"Action":"start","Actor":{"ID":"ab","Attributes":{"name":"web","podId":"cd"}}}"#,
            "",
        );
        check(r#"{"Action":"start","Actor":{"ID":"ab"}}"#, "");
        check(
            r#"{"Action":"die","Actor":{"ID":"ab","Attributes":{"name":"web"}}}"#,
            "",
        );
    }
}
