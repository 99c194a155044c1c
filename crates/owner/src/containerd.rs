//! What containerd knows of its containers, in all its namespaces.
//!
//! Containers of `ctr` have ids that somebody chose, which do not show in a cgroup's path for
//! what they are: those are known by the path that their specification names. Source:
//! containerd's services `namespaces.v1.Namespaces`, `containers.v1.Containers` and
//! `events.v1.Events`; the OCI runtime specification, `linux.cgroupsPath`; systemd.slice(5).

use std::io;
use std::path::{Path, PathBuf};

use pktwho_packet::Container;
use serde::Deserialize;

use crate::cgroup;
use crate::grpc::{self, Stream};
use crate::kubernetes;
use crate::news::{Heard, News, Renamed};
use crate::protobuf::{field, fields, map, put};
use crate::runtimes::{Runtime, Told};

/// Docker's own, of which Docker tells more.
const DOCKERS: &[u8] = b"moby";
/// Where nerdctl puts names.
const NAME: &[u8] = b"nerdctl/name";
/// What is heard of: a container is there, or its labels are others.
const TOPICS: [&str; 2] = ["/containers/create", "/containers/update"];

/// The service at a socket.
#[derive(Debug)]
pub struct Containerd {
    pub socket: PathBuf,
}

impl Containerd {
    fn containers(&self, request: &[u8]) -> io::Result<Vec<Told>> {
        let method = "/containerd.services.namespaces.v1.Namespaces/List";
        let answer = grpc::call(&self.socket, method, &[], &[])?;
        let namespaces = fields(&answer).filter(|&(number, _)| number == 1);
        let mut containers = Vec::new();
        for (_, namespace) in namespaces {
            let name = field(namespace, 1);
            let Ok(name) = std::str::from_utf8(name) else {
                continue;
            };
            if name.as_bytes() == DOCKERS {
                continue;
            }
            let method = "/containerd.services.containers.v1.Containers/List";
            let header = ("containerd-namespace", name);
            let answer = match grpc::call(&self.socket, method, &[header], request) {
                // A namespace that is gone by now.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => continue,
                answer => answer?,
            };
            let items = fields(&answer).filter(|&(number, _)| number == 1);
            containers.extend(items.map(|(_, item)| told(item)));
        }
        Ok(containers)
    }
}

impl Runtime for Containerd {
    fn list(&mut self) -> io::Result<Vec<Told>> {
        self.containers(&[])
    }

    fn find(&mut self, key: &[u8]) -> io::Result<Vec<Told>> {
        let id = key.rsplit(|&byte| byte == b'/').next().unwrap_or(key);
        if !cgroup::may_be_id(id) {
            return Ok(Vec::new());
        }
        let mut request = Vec::new();
        put(&mut request, 1, &[b"id==\"", id, b"\""].concat());
        let mut found = self.containers(&request)?;
        // A service that knows no filters gives all.
        found.retain(|told| told.container.id == id);
        Ok(found)
    }

    fn knows_paths(&self) -> bool {
        true
    }

    fn news(&self) -> Option<Box<dyn News + Send>> {
        Some(Box::new(Events {
            socket: self.socket.clone(),
            stream: None,
        }))
    }
}

/// What is read of a container.
#[cfg(feature = "testing")]
pub fn container(message: &[u8]) -> Container {
    told(message).container
}

/// `containers.v1.Container`.
fn told(message: &[u8]) -> Told {
    let id = field(message, 1);
    let labels = map(message, 2);
    let name = labels.iter().find(|(key, _)| key == NAME);
    let mut container = Container {
        id: id.to_vec(),
        name: name.map(|(_, name)| name.clone()).unwrap_or_default(),
        image: field(message, 3).to_vec(),
        labels,
        pod: None,
        runtime: b"containerd".to_vec(),
    };
    kubernetes::name_by_labels(&mut container);
    if cgroup::is_id(id) {
        return container.into();
    }
    if container.name.is_empty() {
        container.name = id.to_vec();
    }
    let key = path_of(field(field(message, 5), 2)).unwrap_or_else(|| id.to_vec());
    Told { key, container }
}

#[derive(Deserialize)]
struct Spec {
    linux: Option<Linux>,
}

#[derive(Deserialize)]
struct Linux {
    #[serde(default, rename = "cgroupsPath")]
    cgroups_path: String,
}

/// The path of the cgroup that a specification names, in JSON.
fn path_of(spec: &[u8]) -> Option<Vec<u8>> {
    let spec: Spec = serde_json::from_slice(spec).ok()?;
    let path = spec.linux?.cgroups_path;
    if path.starts_with('/') {
        return Some(path.trim_end_matches('/').into());
    }
    // As it is given to systemd.
    let mut parts = path.split(':');
    let (slice, prefix, name) = (parts.next()?, parts.next()?, parts.next()?);
    let unit = match prefix {
        "" => name.to_owned(),
        prefix => format!("{prefix}-{name}.scope"),
    };
    Some(format!("{}/{unit}", folder_of(slice)?).into())
}

/// `a-b.slice` lies in `/a.slice/a-b.slice`.
fn folder_of(slice: &str) -> Option<String> {
    let name = match slice {
        "" => "system",
        slice => slice.strip_suffix(".slice")?,
    };
    let ends = name.match_indices('-').map(|(at, _)| at);
    let mut folder = String::new();
    for end in ends.chain([name.len()]) {
        folder.push('/');
        folder.push_str(name.get(..end)?);
        folder.push_str(".slice");
    }
    Some(folder)
}

/// What it tells unasked: `Events.Subscribe`.
struct Events {
    socket: PathBuf,
    stream: Option<Stream>,
}

impl Events {
    fn subscribe(socket: &Path) -> io::Result<Stream> {
        let mut request = Vec::new();
        for topic in TOPICS {
            let filter = format!("topic==\"{topic}\"");
            put(&mut request, 1, filter.as_bytes());
        }
        let method = "/containerd.services.events.v1.Events/Subscribe";
        Stream::open(socket, method, &request)
    }
}

impl News for Events {
    fn next(&mut self) -> io::Result<Heard> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Self::subscribe(&self.socket)?),
        };
        loop {
            if let Some(renamed) = news_in(&stream.next()?) {
                return Ok(Heard::Renamed(renamed));
            }
        }
    }
}

/// The container that `events.v1.Envelope` is about: what it is called is to be asked for.
fn news_in(envelope: &[u8]) -> Option<Renamed> {
    let is_docker = field(envelope, 2) == DOCKERS;
    let topic = field(envelope, 3);
    let is_heard = TOPICS.iter().any(|heard| heard.as_bytes() == topic);
    // `ContainerCreate` and `ContainerUpdate` in an `Any`.
    let id = field(field(field(envelope, 4), 2), 1);
    (is_heard && !is_docker && !id.is_empty()).then(|| Renamed {
        id: id.to_vec(),
        name: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parts: &[(u8, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, value) in parts {
            put(&mut out, *number, value);
        }
        out
    }

    fn made(id: &str, labels: &[(&str, &str)], spec: &str) -> Told {
        let mut container = message(&[(1, id.as_bytes()), (3, b"nginx:1")]);
        for (key, value) in labels {
            let entry = message(&[(1, key.as_bytes()), (2, value.as_bytes())]);
            put(&mut container, 2, &entry);
        }
        let any = message(&[(1, b"spec"), (2, spec.as_bytes())]);
        put(&mut container, 5, &any);
        told(&container)
    }

    #[test]
    fn a_container_of_nerdctl_and_one_of_kubernetes() {
        let id = "ab".repeat(32);
        let found = made(&id, &[("nerdctl/name", "web")], "{}");
        assert_eq!(found.key, id.as_bytes());
        let found = found.container;
        assert_eq!(
            (&found.id[..], &found.name[..], &found.image[..]),
            (id.as_bytes(), &b"web"[..], &b"nginx:1"[..])
        );
        assert_eq!(found.pod, None);
        let labels = [
            ("io.kubernetes.container.name", "web"),
            ("io.kubernetes.pod.name", "api"),
            ("io.kubernetes.pod.namespace", "prod"),
        ];
        let found = made(&id, &labels, "{}").container;
        let pod = found.pod.unwrap();
        assert_eq!((found.name, pod.name), (b"web".into(), b"api".into()));
        assert_eq!(pod.namespace, b"prod");
        assert_eq!(made(&id, &[], "{}").container.name, b"");
    }

    #[test]
    fn a_container_of_ctr_is_known_by_its_cgroup() {
        let check = |path: &str, key: &str| {
            let spec = format!(r#"{{"process":{{}},"linux":{{"cgroupsPath":"{path}"}}}}"#);
            let found = made("web", &[("app", "shop")], &spec);
            assert_eq!(String::from_utf8(found.key).unwrap(), key);
            let container = found.container;
            assert_eq!(
                (&container.id[..], &container.name[..]),
                (&b"web"[..], &b"web"[..])
            );
            assert_eq!(container.labels, [(b"app".to_vec(), b"shop".to_vec())]);
        };
        check("/default/web", "/default/web");
        check("/prod/web/", "/prod/web");
        check("system.slice:ctr:web", "/system.slice/ctr-web.scope");
        check(
            "a-b-c.slice:ctr:web",
            "/a.slice/a-b.slice/a-b-c.slice/ctr-web.scope",
        );
        check(":ctr:web", "/system.slice/ctr-web.scope");
        check("a.slice::web.service", "/a.slice/web.service");
        // Met by nothing, then.
        check("web", "web");
        check("", "web");
        assert_eq!(made("web", &[], "damaged").key, b"web");
    }

    #[test]
    fn only_new_containers_and_labels_are_news() {
        let check = |namespace: &str, topic: &str, expected: Option<&str>| {
            let event = message(&[(1, b"web"), (2, b"nginx:1")]);
            let any = message(&[(1, b"type"), (2, &event)]);
            let parts = [(2, namespace.as_bytes()), (3, topic.as_bytes()), (4, &any)];
            let found = news_in(&message(&parts)).map(|renamed| renamed.id);
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{topic}");
        };
        check("default", "/containers/create", Some("web"));
        check("k8s.io", "/containers/update", Some("web"));
        check("moby", "/containers/create", None);
        check("default", "/containers/delete", None);
        check("default", "/tasks/start", None);
        assert_eq!(news_in(b"damaged"), None);
    }
}
