//! containerd with CRI pods, as a kubelet makes them. The messages are those of CRI's
//! `runtime.v1` (k8s.io/cri-api), as far as they are needed.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::grpc::{Message, call, field, text};
use super::host::{Daemon, Host};
use super::image::{APP, PAUSE};
use super::{Inside, Pod as InPod};

/// The address of the host on the pods' bridge.
pub const GATEWAY: &str = "10.89.0.1";
/// What every pod has beside its labels.
const ANNOTATION: (&str, &str) = ("e2e/annotation", "yes");
/// `NamespaceMode`: the host's.
const NODE: u64 = 2;
const SERVICE: &str = "/runtime.v1.RuntimeService/";

/// The runtime.
pub struct Cri {
    pub socket: String,
    logs: String,
    /// The archive of the one image.
    image: String,
    daemon: Daemon,
    count: Cell<u64>,
}

/// A pod that runs; removed with its containers when dropped.
pub struct Pod<'a> {
    cri: &'a Cri,
    pub name: String,
    pub namespace: &'static str,
    uid: String,
    id: String,
    config: Message,
    pub address: String,
}

/// A container of a pod, which removes it.
pub struct Container<'a> {
    pod: &'a Pod<'a>,
    pub name: &'static str,
    pub id: String,
}

impl Cri {
    pub fn start(host: &Host, image: &Path) -> Result<Self> {
        let socket = host.dir.join("containerd.sock").display().to_string();
        let networks = host.dir.join("cni");
        fs::create_dir_all(&networks)?;
        fs::write(networks.join("10-e2e.conflist"), network(host))?;
        let config = host.dir.join("containerd.toml");
        let networks = networks.display().to_string();
        fs::write(&config, configuration(host, &socket, &networks))?;
        let ready = || call(&socket, &method("Version"), &Message::default()).is_ok();
        let config = config.display().to_string();
        let daemon = host.daemon("containerd", &["--config", &config], ready)?;
        let cri = Self {
            socket,
            logs: host.state("logs"),
            image: image.display().to_string(),
            daemon,
            count: Cell::new(0),
        };
        cri.import(host, "k8s.io")?;
        Ok(cri)
    }

    /// Makes the image known in a namespace of containerd.
    pub fn import(&self, host: &Host, namespace: &str) -> Result<()> {
        let start = ["--address", &self.socket, "--namespace", namespace];
        let words = [&start[..], &["images", "import", &self.image]].concat();
        host.run("ctr", &words).map(drop)
    }

    /// The name that the next pod of that name has.
    pub fn next_name(&self, name: &str) -> String {
        format!("{name}-{}", self.count.get())
    }

    /// Starts a pod, still without containers. `labels` are the pod's.
    pub fn pod(
        &self,
        name: &str,
        namespace: &'static str,
        labels: &[(&str, &str)],
    ) -> Result<Pod<'_>> {
        let mut pod = self.bare_pod(name, namespace, labels, &Message::default(), false)?;
        let status = self.call("PodSandboxStatus", &Message::default().text(1, &pod.id))?;
        let network = field(&status, 1).and_then(|status| field(status, 5));
        let address = network.and_then(|network| text(network, 1));
        pod.address = address.context("the pod has no address")?;
        Ok(pod)
    }

    /// The same in the host's network.
    pub fn host_pod(&self, name: &str, namespace: &'static str) -> Result<Pod<'_>> {
        self.bare_pod(name, namespace, &[], &Message::default(), true)
    }

    /// The same with a port that the host gives to it.
    pub fn published_pod(
        &self,
        name: &str,
        namespace: &'static str,
        [from, to]: [u16; 2],
    ) -> Result<Pod<'_>> {
        let port = Message::default().number(2, to.into());
        let ports = Message::default().nested(5, &port.number(3, from.into()));
        self.bare_pod(name, namespace, &[], &ports, false)
    }

    /// A pod whose address is not asked for; `more` are other fields of its configuration.
    fn bare_pod(
        &self,
        name: &str,
        namespace: &'static str,
        labels: &[(&str, &str)],
        more: &Message,
        is_host: bool,
    ) -> Result<Pod<'_>> {
        let name = self.next_name(name);
        let number = self.count.replace(self.count.get() + 1);
        let uid = format!("e2e00000-0000-4000-8000-{number:012}");
        let known = [
            ("io.kubernetes.pod.name", name.as_str()),
            ("io.kubernetes.pod.namespace", namespace),
            ("io.kubernetes.pod.uid", &uid),
        ];
        let metadata = Message::default();
        let metadata = metadata.text(1, &name).text(2, &uid).text(3, namespace);
        let parent = format!("/kubepods/besteffort/pod{uid}");
        let config = Message::default()
            .nested(1, &metadata)
            // In the host's network it is the host's.
            .text(2, if is_host { "" } else { &name })
            .text(3, &format!("{}/{name}", self.logs))
            .map(6, &[&known, labels].concat())
            .map(7, &[ANNOTATION])
            .nested(8, &linux(&parent, is_host))
            .and(more);
        let answer = self.call("RunPodSandbox", &Message::default().nested(1, &config))?;
        Ok(Pod {
            cri: self,
            id: text(&answer, 1).context("no id")?,
            name,
            namespace,
            uid,
            config,
            address: String::new(),
        })
    }

    fn call(&self, name: &str, request: &Message) -> Result<Vec<u8>> {
        call(&self.socket, &method(name), request).with_context(|| self.daemon.last_words())
    }
}

impl Pod<'_> {
    /// Starts a container in it.
    pub fn run(&self, name: &'static str, command: &[&str]) -> Result<Container<'_>> {
        let labels = [
            ("io.kubernetes.container.name", name),
            ("io.kubernetes.pod.name", &self.name),
            ("io.kubernetes.pod.namespace", self.namespace),
            ("io.kubernetes.pod.uid", &self.uid),
        ];
        let config = Message::default()
            .nested(1, &Message::default().text(1, name))
            .nested(2, &Message::default().text(1, APP))
            .texts(3, command)
            .map(9, &labels)
            .text(11, &format!("{name}.log"));
        let request = Message::default()
            .text(1, &self.id)
            .nested(2, &config)
            .nested(3, &self.config);
        let answer = self.cri.call("CreateContainer", &request)?;
        let id = text(&answer, 1).context("no id")?;
        let start = Message::default().text(1, &id);
        self.cri.call("StartContainer", &start)?;
        Ok(Container {
            pod: self,
            name,
            id,
        })
    }
}

impl Container<'_> {
    /// Runs a command in it and waits until it has ended.
    pub fn exec(&self, command: &[&str]) -> Result<String> {
        let request = Message::default().text(1, &self.id).texts(2, command);
        let answer = self.pod.cri.call("ExecSync", &request.number(3, 10))?;
        Ok(text(&answer, 1).unwrap_or_default())
    }

    /// What must be said of its processes.
    pub fn inside(&self) -> Inside {
        Inside {
            id: self.id.clone(),
            name: self.name.to_owned(),
            image: APP.to_owned(),
            label: ("io.kubernetes.container.name", self.name),
            pod: Some(InPod {
                name: self.pod.name.clone(),
                namespace: self.pod.namespace.to_owned(),
                uid: self.pod.uid.clone(),
                annotation: ANNOTATION,
            }),
        }
    }
}

impl Drop for Pod<'_> {
    fn drop(&mut self) {
        // Gone already, or taken down with everything else at the end.
        for name in ["StopPodSandbox", "RemovePodSandbox"] {
            let _ = self.cri.call(name, &Message::default().text(1, &self.id));
        }
    }
}

/// `LinuxPodSandboxConfig`: the parent of its cgroups, and whose network it has.
fn linux(parent: &str, is_host: bool) -> Message {
    let linux = Message::default().text(1, parent);
    if !is_host {
        return linux;
    }
    let namespaces = Message::default().number(1, NODE);
    linux.nested(2, &Message::default().nested(1, &namespaces))
}

fn method(name: &str) -> String {
    format!("{SERVICE}{name}")
}

fn configuration(host: &Host, socket: &str, networks: &str) -> String {
    let (root, state) = (host.state("containerd"), host.state("containerd-state"));
    format!(
        r#"version = 2
root = "{root}"
state = "{state}"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Machines without CAP_SYS_RESOURCE do not let a score be lowered.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{networks}"
"#
    )
}

/// A bridge for pods. `firewall` lets them through where Docker drops what it does not know.
fn network(host: &Host) -> String {
    let leases = host.state("cni-leases");
    let subnet = GATEWAY.trim_end_matches('1');
    format!(
        r#"{{"cniVersion": "0.4.0", "name": "e2e", "plugins": [
  {{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
    "ipam": {{"type": "host-local", "dataDir": "{leases}", "ranges": [[{{"subnet": "{subnet}0/24"}}]],
      "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "firewall"}},
  {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}
"#
    )
}
