//! What containerd knows of its containers, in all its namespaces.
//!
//! Source: containerd's services `namespaces.v1.Namespaces` and `containers.v1.Containers`.

use std::io;
use std::path::PathBuf;

use pktwho_packet::Container;

use crate::grpc;
use crate::kubernetes;
use crate::protobuf::{field, fields, map, put};
use crate::runtimes::Runtime;

/// Docker's own, of which Docker tells more.
const DOCKERS: &[u8] = b"moby";
/// Where nerdctl puts names.
const NAME: &[u8] = b"nerdctl/name";

/// The service at a socket.
#[derive(Debug)]
pub struct Containerd {
    pub socket: PathBuf,
}

impl Containerd {
    fn containers(&self, request: &[u8]) -> io::Result<Vec<Container>> {
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
            containers.extend(items.map(|(_, item)| container(item)));
        }
        Ok(containers)
    }
}

impl Runtime for Containerd {
    fn list(&mut self) -> io::Result<Vec<Container>> {
        self.containers(&[])
    }

    fn find(&mut self, id: &[u8]) -> io::Result<Option<Container>> {
        if !id.iter().all(u8::is_ascii_hexdigit) {
            return Ok(None);
        }
        let mut request = Vec::new();
        put(&mut request, 1, &[b"id==", id].concat());
        let found = self.containers(&request)?;
        Ok(found.into_iter().find(|container| container.id == id))
    }
}

/// `containers.v1.Container`.
pub fn container(message: &[u8]) -> Container {
    let labels = map(message, 2);
    let name = labels.iter().find(|(key, _)| key == NAME);
    let mut container = Container {
        id: field(message, 1).to_vec(),
        name: name.map(|(_, name)| name.clone()).unwrap_or_default(),
        image: field(message, 3).to_vec(),
        labels,
        pod: None,
        runtime: b"containerd".to_vec(),
    };
    kubernetes::name_by_labels(&mut container);
    container
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_of_nerdctl_and_one_of_kubernetes() {
        let labelled = |labels: &[(&str, &str)]| {
            let mut message = Vec::new();
            put(&mut message, 1, b"ab");
            put(&mut message, 3, b"nginx:1");
            for (key, value) in labels {
                let mut entry = Vec::new();
                put(&mut entry, 1, key.as_bytes());
                put(&mut entry, 2, value.as_bytes());
                put(&mut message, 2, &entry);
            }
            container(&message)
        };
        let found = labelled(&[("nerdctl/name", "web")]);
        assert_eq!(
            (&found.id[..], &found.name[..], &found.image[..]),
            (&b"ab"[..], &b"web"[..], &b"nginx:1"[..])
        );
        assert_eq!(found.pod, None);
        let found = labelled(&[
            ("io.kubernetes.container.name", "web"),
            ("io.kubernetes.pod.name", "api"),
            ("io.kubernetes.pod.namespace", "prod"),
        ]);
        let pod = found.pod.unwrap();
        assert_eq!((found.name, pod.name), (b"web".into(), b"api".into()));
        assert_eq!(pod.namespace, b"prod");
    }
}
