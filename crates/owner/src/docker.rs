//! What Docker knows of its containers, and Podman, which has the same kind of interface.
//!
//! Source: the Docker Engine API, `GET /containers/json`; Podman's, `GET /libpod/containers/json`.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pktwho_packet::{Container, Pod};
use serde::Deserialize;

use crate::http::{self, Lines};
use crate::kubernetes;
use crate::news::{self, Heard, News};
use crate::runtimes::{Runtime, Told};

/// The service at a socket.
#[derive(Debug)]
pub struct Docker {
    pub socket: PathBuf,
    pub is_podman: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    labels: Option<kubernetes::Labels>,
    /// Podman's alone.
    #[serde(default)]
    pod: Option<String>,
    #[serde(default)]
    pod_name: Option<String>,
}

impl Docker {
    fn runtime(&self) -> &'static str {
        if self.is_podman { "podman" } else { "docker" }
    }

    fn ask(&self, filter: &str) -> io::Result<Vec<Container>> {
        let path = if self.is_podman {
            "/v3.0.0/libpod/containers/json"
        } else {
            // The version that the service likes best: the oldest it takes has changed.
            "/containers/json"
        };
        let answer = http::get(&self.socket, &format!("{path}?all=true{filter}"))?;
        self.listed(&answer)
    }

    /// The containers of a list.
    ///
    /// # Errors
    /// It is none.
    pub fn listed(&self, answer: &[u8]) -> io::Result<Vec<Container>> {
        let list: Option<Vec<Listed>> =
            serde_json::from_slice(answer).map_err(|_| ErrorKind::InvalidData)?;
        let list = list.unwrap_or_default().into_iter();
        Ok(list.map(|listed| self.container(listed)).collect())
    }

    fn container(&self, listed: Listed) -> Container {
        // A container that others link to has more names, with a slash in them.
        let names = listed.names.unwrap_or_default();
        let mut names = names.iter().map(|name| name.trim_start_matches('/'));
        let name = names.find(|name| !name.contains('/')).unwrap_or_default();
        let pod = (listed.pod_name).filter(|name| !name.is_empty());
        let pod = pod.map(|name| Pod {
            name: name.into(),
            uid: listed.pod.unwrap_or_default().into(),
            ..Pod::default()
        });
        let mut container = Container {
            id: listed.id.into(),
            name: name.into(),
            image: listed.image.unwrap_or_default().into(),
            labels: kubernetes::sorted(listed.labels.unwrap_or_default()),
            pod,
            runtime: self.runtime().into(),
        };
        kubernetes::name_by_labels(&mut container);
        container
    }
}

impl Runtime for Docker {
    fn list(&mut self) -> io::Result<Vec<Told>> {
        Ok(self.ask("")?.into_iter().map(Told::from).collect())
    }

    fn find(&mut self, id: &[u8]) -> io::Result<Vec<Told>> {
        let id = String::from_utf8_lossy(id);
        if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        // {"id":["…"]}
        let filter = format!("&filters=%7B%22id%22%3A%5B%22{id}%22%5D%7D");
        let mut found = self.ask(&filter)?;
        found.retain(|container| container.id == id.as_bytes());
        Ok(found.into_iter().map(Told::from).collect())
    }

    fn news(&self) -> Option<Box<dyn News + Send>> {
        Some(Box::new(Events {
            socket: self.socket.clone(),
            // {"event":["rename","create","start"]}
            path: if self.is_podman {
                "/v3.0.0/libpod/events?stream=true&filters=%7B%22event%22%3A%5B%22rename%22%2C%22create%22%2C%22start%22%5D%7D"
            } else {
                "/events?filters=%7B%22event%22%3A%5B%22rename%22%2C%22create%22%2C%22start%22%5D%7D"
            },
            runtime: self.runtime(),
            lines: None,
        }))
    }
}

/// When we may have begun to ask for the list after which we listen, in seconds since 1970: what
/// has happened since is told again.
fn a_while_ago() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let then = now.unwrap_or_default().saturating_sub(2 * http::ANSWER);
    then.as_secs()
}

/// What it tells unasked: `GET /events`.
struct Events {
    socket: PathBuf,
    path: &'static str,
    runtime: &'static str,
    lines: Option<Lines>,
}

impl News for Events {
    fn next(&mut self) -> io::Result<Heard> {
        loop {
            let lines = if let Some(lines) = &mut self.lines {
                lines
            } else {
                let path = format!("{}&since={}", self.path, a_while_ago());
                self.lines.insert(Lines::open(&self.socket, &path)?)
            };
            if let Some(heard) = news::heard(&lines.next()?, self.runtime) {
                return Ok(heard);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(is_podman: bool, text: &str) -> Container {
        let listed: Listed = serde_json::from_str(text).unwrap();
        let docker = Docker {
            socket: PathBuf::new(),
            is_podman,
        };
        docker.container(listed)
    }

    #[test]
    fn what_a_list_says() {
        let found = read(
            false,
            r#"{"Id":"ab","Names":["/other/alias","/web"],"Image":"nginx:1","ImageID":"x",
                "Labels":{"b":"2","a":"1"},"State":"running","Ports":[{"x":1}]}"#,
        );
        let expected = Container {
            id: "ab".into(),
            name: "web".into(),
            image: "nginx:1".into(),
            labels: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
            pod: None,
            runtime: "docker".into(),
        };
        assert_eq!(found, expected);
        let found = read(false, r#"{"Id":"ab","Names":null,"Labels":null}"#);
        assert_eq!((found.name, found.labels), (vec![], vec![]));
    }

    #[test]
    fn pods_of_podman_and_of_kubernetes() {
        let found = read(
            true,
            r#"{"Id":"ab","Names":["web"],"Image":"i","Labels":null,"Pod":"cd","PodName":"shop"}"#,
        );
        let pod = found.pod.unwrap();
        assert_eq!((pod.name, pod.uid), (b"shop".into(), b"cd".into()));
        let found = read(
            false,
            r#"{"Id":"ab","Names":["/k8s_web_api_prod_u_0"],"Labels":{
                "io.kubernetes.container.name":"web","io.kubernetes.pod.name":"api",
                "io.kubernetes.pod.namespace":"prod","io.kubernetes.pod.uid":"u"}}"#,
        );
        let pod = found.pod.unwrap();
        assert_eq!(found.name, b"web");
        assert_eq!(
            (pod.name, pod.namespace, pod.uid),
            (b"api".into(), b"prod".into(), b"u".into())
        );
    }
}
