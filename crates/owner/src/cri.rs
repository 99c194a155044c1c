//! What the runtime of Kubernetes knows of containers and pods.
//!
//! Source: the Container Runtime Interface, `runtime.v1.RuntimeService`, and `v1alpha2`, whose
//! messages have the same numbers for what is read here.
//!
//! Its `GetContainerEvents` is not heard: containerd 1.7 and CRI-O 1.26 give each event to one
//! listener alone, and that is kubelet (containerd's issue 7318, CRI-O's 6466). Nothing that is
//! read here changes after a container was made, of which its cgroup tells.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use pktwho_packet::{Container, Pod};
use rustc_hash::FxHashMap;

use crate::grpc;
use crate::kubernetes;
use crate::protobuf::{field, fields, map, put};
use crate::runtimes::{Runtime, Told};

/// Where it may listen, as crictl looks for it.
const SOCKETS: [&str; 7] = [
    "/var/run/dockershim.sock",
    "/var/run/cri-dockerd.sock",
    // `/var/run` is a link to `/run`, but not in an image that holds us alone.
    "/run/dockershim.sock",
    "/run/cri-dockerd.sock",
    "/run/crio/crio.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
];

/// What the container that holds a pod's namespaces is called, as Docker had it.
const SANDBOX: &[u8] = b"POD";

/// The service at a socket.
#[derive(Debug)]
pub struct Cri {
    socket: Option<PathBuf>,
    /// It does not know version 1.
    is_alpha: bool,
}

impl Cri {
    /// `None`: the first of the usual places where somebody listens when it is asked.
    pub fn new(socket: Option<PathBuf>) -> Self {
        Self {
            socket,
            is_alpha: false,
        }
    }

    fn socket(&self) -> io::Result<&Path> {
        let mut usual = SOCKETS.iter().map(Path::new);
        // One that was left behind listens no longer.
        let listens = |path: &&Path| UnixStream::connect(path).is_ok();
        let socket = self.socket.as_deref();
        let socket = socket.or_else(|| usual.find(listens));
        socket.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn call(&mut self, method: &str, message: &[u8]) -> io::Result<Vec<u8>> {
        let socket = self.socket()?;
        let call = |version: &str| {
            let method = format!("/runtime.{version}.RuntimeService/{method}");
            grpc::call(socket, &method, &[], message)
        };
        let versions = if self.is_alpha {
            ["v1alpha2", "v1"]
        } else {
            ["v1", "v1alpha2"]
        };
        let [first, second] = versions;
        match call(first) {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let answer = call(second)?;
                self.is_alpha = !self.is_alpha;
                Ok(answer)
            }
            answer => answer,
        }
    }

    /// The pods, all or one, by the id of the sandbox.
    fn pods(&mut self, id: Option<&[u8]>) -> io::Result<FxHashMap<Vec<u8>, Pod>> {
        let answer = self.call("ListPodSandbox", &request(id))?;
        Ok(pods_of(&answer))
    }

    fn containers(&mut self, id: Option<&[u8]>) -> io::Result<Vec<Listed>> {
        let answer = self.call("ListContainers", &request(id))?;
        Ok(containers_of(&answer))
    }
}

impl Runtime for Cri {
    fn list(&mut self) -> io::Result<Vec<Told>> {
        let containers = self.containers(None)?;
        let pods = self.pods(None)?;
        let mut all: Vec<Told> = containers
            .into_iter()
            .map(|listed| listed.within(&pods).into())
            .collect();
        all.extend(pods.into_iter().map(|(id, pod)| sandbox(id, pod).into()));
        Ok(all)
    }

    fn find(&mut self, id: &[u8]) -> io::Result<Vec<Told>> {
        let found = self.containers(Some(id))?.into_iter();
        if let Some(found) = found.into_iter().find(|listed| listed.container.id == id) {
            let pods = self.pods(Some(&found.sandbox))?;
            return Ok(vec![found.within(&pods).into()]);
        }
        let pods = self.pods(Some(id))?.into_iter();
        let found = pods.filter(|(sandbox, _)| sandbox == id);
        Ok(found.map(|(id, pod)| sandbox(id, pod).into()).collect())
    }
}

/// The pods of a list, by the ids of their sandboxes.
fn pods_of(answer: &[u8]) -> FxHashMap<Vec<u8>, Pod> {
    let items = fields(answer).filter(|&(number, _)| number == 1);
    items.map(|(_, item)| pod(item)).collect()
}

fn containers_of(answer: &[u8]) -> Vec<Listed> {
    let items = fields(answer).filter(|&(number, _)| number == 1);
    items.map(|(_, item)| listed(item)).collect()
}

/// Both lists of an answer.
#[cfg(feature = "testing")]
pub fn all_of(answer: &[u8]) -> Vec<Container> {
    let pods = pods_of(answer);
    let containers = containers_of(answer).into_iter();
    let mut all: Vec<Container> = containers.map(|it| it.within(&pods)).collect();
    all.extend(pods.into_iter().map(|(id, pod)| sandbox(id, pod)));
    all
}

/// A container and the sandbox of its pod.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    container: Container,
    sandbox: Vec<u8>,
}

impl Listed {
    fn within(mut self, pods: &FxHashMap<Vec<u8>, Pod>) -> Container {
        if let Some(pod) = pods.get(&self.sandbox) {
            self.container.pod = Some(pod.clone());
        }
        self.container
    }
}

/// A request with a filter by id, if there is one: field 1 of field 1 in both.
fn request(id: Option<&[u8]>) -> Vec<u8> {
    let mut request = Vec::new();
    if let Some(id) = id {
        let mut filter = Vec::new();
        put(&mut filter, 1, id);
        put(&mut request, 1, &filter);
    }
    request
}

/// `runtime.v1.Container`.
fn listed(message: &[u8]) -> Listed {
    let image = field(message, 4);
    // As it was asked for, where the runtime keeps that; else what it was resolved to.
    let asked = field(image, 18);
    let image = if asked.is_empty() {
        field(image, 1)
    } else {
        asked
    };
    let mut container = Container {
        id: field(message, 1).to_vec(),
        labels: map(message, 8),
        runtime: b"cri".to_vec(),
        ..Container::default()
    };
    kubernetes::name_by_labels(&mut container);
    container.name = field(field(message, 3), 1).to_vec();
    container.image = image.to_vec();
    Listed {
        container,
        sandbox: field(message, 2).to_vec(),
    }
}

/// `runtime.v1.PodSandbox`, and its id.
fn pod(message: &[u8]) -> (Vec<u8>, Pod) {
    let metadata = field(message, 2);
    let pod = Pod {
        name: field(metadata, 1).to_vec(),
        uid: field(metadata, 2).to_vec(),
        namespace: field(metadata, 3).to_vec(),
        labels: map(message, 5),
        annotations: map(message, 6),
    };
    (field(message, 1).to_vec(), pod)
}

fn sandbox(id: Vec<u8>, pod: Pod) -> Container {
    Container {
        id,
        name: SANDBOX.to_vec(),
        pod: Some(pod),
        runtime: b"cri".to_vec(),
        ..Container::default()
    }
}

#[cfg(test)]
mod tests;
