//! What Kubernetes has every runtime write on its containers.
//!
//! Source: the labels of kubelet (`io.kubernetes.pod.name` and its like).

use std::collections::BTreeMap;

use pktwho_packet::{Container, Label, Pod};

/// As runtimes give them.
pub type Labels = BTreeMap<String, String>;

pub const CONTAINER_NAME: &str = "io.kubernetes.container.name";
const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const POD_UID: &str = "io.kubernetes.pod.uid";

/// In our words.
pub fn sorted(labels: Labels) -> Vec<Label> {
    let labels = labels.into_iter();
    labels
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

/// Gives a container its pod, and the name it has there, when its labels tell of one.
pub fn name_by_labels(container: &mut Container) {
    let label = |wanted: &str| {
        let mut labels = container.labels.iter();
        let found = labels.find(|(key, _)| key == wanted.as_bytes());
        found.map(|(_, value)| value.clone())
    };
    let Some(name) = label(POD_NAME) else { return };
    let pod = Pod {
        name,
        namespace: label(POD_NAMESPACE).unwrap_or_default(),
        uid: label(POD_UID).unwrap_or_default(),
        ..Pod::default()
    };
    if let Some(name) = label(CONTAINER_NAME) {
        container.name = name;
    }
    container.pod = Some(pod);
}
