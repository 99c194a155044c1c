//! Containers and pods against the truth: real runtimes on a host of their own ([`host`]), who
//! talks there to whom ([`talk`]), and what a capture says of it ([`judge`]).
//!
//! Start reading at [`rows`]. `cargo xtask containers` prints the table, `cargo xtask lab` keeps
//! the runtimes running for you.

pub mod cri;
mod ctr;
pub mod engine;
pub mod fake;
mod grpc;
pub mod host;
mod image;
pub mod janitor;
mod judge;
mod own;
pub mod rows;
mod scene;
mod shell;
mod shown;
pub mod table;
mod talk;

use std::cell::OnceCell;
use std::path::PathBuf;

use anyhow::{Context, Result};

pub use self::shell::run as shell;
use crate::lab::{Lab, installed};

/// What must be said of a process in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    pub id: String,
    pub name: String,
    pub image: String,
    /// One of its labels, or of its image's.
    pub label: (&'static str, &'static str),
    pub pod: Option<Pod>,
}

/// What must be said of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub annotation: (&'static str, &'static str),
}

/// The host and its runtimes, each started when first asked for. The fields' order is that in
/// which they end.
#[derive(Default)]
pub struct Runtimes {
    docker: OnceCell<Start<engine::Engine>>,
    podman: OnceCell<Start<engine::Engine>>,
    cri: OnceCell<Start<cri::Cri>>,
    host: OnceCell<Start<(host::Host, PathBuf)>>,
}

/// It runs, or why it cannot be started here.
type Start<T> = Result<T, String>;

/// A runtime cannot be started here; the error of a case that is skipped for it.
#[derive(Debug)]
pub struct Lacking(String);

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lacking {}

impl Runtimes {
    /// The host, and the archive of the image that its containers are made of.
    pub fn host(&self, lab: &Lab) -> Result<&(host::Host, PathBuf), Lacking> {
        started(&self.host, || {
            let missing = image::lacking();
            anyhow::ensure!(missing.is_none(), missing.unwrap_or_default());
            let host = host::Host::new(lab)?;
            let image = image::build(lab, &host.dir)?;
            Ok((host, image))
        })
    }

    /// The Docker Engine.
    pub fn docker(&self, lab: &Lab) -> Result<&engine::Engine, Lacking> {
        let (host, image) = self.host(lab)?;
        started(&self.docker, || {
            need(&["dockerd", "docker", "containerd", "runc", "iptables"])?;
            engine::Engine::docker(host, image)
        })
    }

    /// Podman and its API.
    pub fn podman(&self, lab: &Lab) -> Result<&engine::Engine, Lacking> {
        let (host, image) = self.host(lab)?;
        started(&self.podman, || {
            need(&["podman", "conmon", "docker", "runc", "iptables"])?;
            engine::Engine::podman(host, image)
        })
    }

    /// containerd with CRI pods.
    pub fn cri(&self, lab: &Lab) -> Result<&cri::Cri, Lacking> {
        let (host, image) = self.host(lab)?;
        started(&self.cri, || {
            need(&["containerd", "ctr", "runc", "iptables"])?;
            cri::Cri::start(host, image)
        })
    }
}

fn started<T>(cell: &OnceCell<Start<T>>, start: impl FnOnce() -> Result<T>) -> Result<&T, Lacking> {
    let started = cell.get_or_init(|| start().map_err(|error| format!("{error:#}")));
    started.as_ref().map_err(|why| Lacking(why.clone()))
}

fn need(programs: &[&str]) -> Result<()> {
    let missing = programs.iter().find(|program| !installed(program));
    missing
        .map_or(Some(()), |_| None)
        .with_context(|| format!("{} is not installed", missing.unwrap_or(&"")))
}
