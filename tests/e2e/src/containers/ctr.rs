//! Containers that are made with `ctr`: in any namespace of containerd, with ids that somebody
//! chose, and the host's network.

use anyhow::{Context as _, Result};

use super::Inside;
use super::cri::Cri;
use super::host::Host;
use super::image::APP;

/// The label that they have.
const LABEL: (&str, &str) = ("app", "web");

/// A container; removed when dropped.
pub struct Container<'a> {
    host: &'a Host,
    cri: &'a Cri,
    namespace: &'static str,
    pub id: &'static str,
}

impl<'a> Container<'a> {
    /// Starts one in the background. Two namespaces may have the same id.
    pub fn run(
        host: &'a Host,
        cri: &'a Cri,
        namespace: &'static str,
        id: &'static str,
        command: &[&str],
    ) -> Result<Self> {
        Self::start(host, cri, namespace, id, &["--net-host"], command)
    }

    /// Starts one with a network of its own, in which there is the loopback alone.
    pub fn run_apart(
        host: &'a Host,
        cri: &'a Cri,
        namespace: &'static str,
        id: &'static str,
    ) -> Result<Self> {
        Self::start(host, cri, namespace, id, &[], &["sleep", "1000000"])
    }

    fn start(
        host: &'a Host,
        cri: &'a Cri,
        namespace: &'static str,
        id: &'static str,
        flags: &[&str],
        command: &[&str],
    ) -> Result<Self> {
        let container = Self {
            host,
            cri,
            namespace,
            id,
        };
        let (name, value) = LABEL;
        let label = format!("{name}={value}");
        let words = ["run", "--detach", "--label", &label];
        cri.import(host, namespace)?;
        container.ctr(&[&words[..], flags, &[APP, id], command].concat())?;
        Ok(container)
    }

    /// Its first process, on the host.
    pub fn pid(&self) -> Result<String> {
        let tasks = self.ctr_says(&["tasks", "list"])?;
        let mut lines = tasks.lines().map(str::split_whitespace);
        let pid = lines.find_map(|mut words| (words.next()? == self.id).then(|| words.next())?);
        pid.map(str::to_owned).with_context(|| tasks.clone())
    }

    /// Gives it a label.
    pub fn label(&self, label: &str) -> Result<()> {
        self.ctr(&["containers", "label", self.id, label])
    }

    fn ctr(&self, words: &[&str]) -> Result<()> {
        self.ctr_says(words).map(drop)
    }

    fn ctr_says(&self, words: &[&str]) -> Result<String> {
        let start = ["--address", &self.cri.socket, "--namespace", self.namespace];
        let words = [&start[..], words].concat();
        self.host.run("ctr", &words)
    }

    /// What must be said of its processes.
    pub fn inside(&self) -> Inside {
        Inside {
            id: self.id.to_owned(),
            name: self.id.to_owned(),
            image: APP.to_owned(),
            label: LABEL,
            pod: None,
        }
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        // Gone already, or taken down with everything else at the end.
        let _ = self.ctr(&["tasks", "delete", "--force", self.id]);
        let _ = self.ctr(&["containers", "delete", self.id]);
    }
}
