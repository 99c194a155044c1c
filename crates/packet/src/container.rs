//! The container and the pod that a process runs in.

/// A container: what keeps a process apart from the others of its machine, and what its
/// runtime says of it. Bytes are the runtime's, chosen by whoever made the container: not fit
/// for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Container {
    /// As its runtime numbers it, mostly 64 hexadecimal digits; never empty.
    pub id: Vec<u8>,
    /// Empty when unknown.
    pub name: Vec<u8>,
    /// The image as it was asked for; empty when unknown.
    pub image: Vec<u8>,
    /// In the order of their keys.
    pub labels: Vec<Label>,
    /// The pod it is one of.
    pub pod: Option<Pod>,
    /// `docker`, `containerd`, `cri`, `podman` or `lxc`; empty when none of them has told.
    pub runtime: Vec<u8>,
}

/// A pod of Kubernetes, or of Podman.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pod {
    /// Empty when only the uid is known.
    pub name: Vec<u8>,
    /// Empty for Podman's.
    pub namespace: Vec<u8>,
    /// Empty when unknown.
    pub uid: Vec<u8>,
    /// In the order of their keys.
    pub labels: Vec<Label>,
    /// In the order of their keys.
    pub annotations: Vec<Label>,
}

/// A key and its value.
pub type Label = (Vec<u8>, Vec<u8>);
