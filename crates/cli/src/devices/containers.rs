//! Whose container a device is, or leads to.

use std::collections::BTreeSet;

use pktwho_owner::{Addresses, containers_in};
use pktwho_packet::{Container, NetnsId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Found;

/// What the containers of devices are called, by the namespace and the index of the device.
pub type Homes = FxHashMap<(NetnsId, u32), String>;

/// Asks for them.
pub fn homes(devices: &[Found], runtimes: &Addresses) -> Homes {
    let peers = pktwho_probe::peers();
    let home = |(netns, device): &Found| {
        if netns.is_own() {
            peers.get(&device.index).copied()
        } else {
            Some(netns.id())
        }
    };
    let own: FxHashSet<NetnsId> = devices
        .iter()
        .filter(|(netns, _)| netns.is_own())
        .map(|(netns, _)| netns.id())
        .collect();
    let wanted: FxHashSet<NetnsId> = devices
        .iter()
        .filter_map(home)
        .filter(|netns| !own.contains(netns))
        .collect();
    if wanted.is_empty() {
        return Homes::default();
    }
    let containers = containers_in(&|netns| wanted.contains(&netns), runtimes);
    let words: FxHashMap<NetnsId, String> = containers
        .into_iter()
        .map(|(netns, all)| (netns, in_words(all.iter().map(|container| &**container))))
        .collect();
    let told = |found: &Found| {
        let words = words.get(&home(found)?)?;
        Some(((found.0.id(), found.1.index), words.clone()))
    };
    devices.iter().filter_map(told).collect()
}

/// The pods, and the containers that are in none, as filters name them.
fn in_words<'c>(containers: impl Iterator<Item = &'c Container>) -> String {
    let word = |container: &Container| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
        if let Some(pod) = container.pod.as_ref().filter(|pod| !pod.name.is_empty()) {
            let name = text(&pod.name);
            return if pod.namespace.is_empty() {
                format!("pod {name}")
            } else {
                format!("pod {name}.{}", text(&pod.namespace))
            };
        }
        let name = if container.name.is_empty() {
            container.id.get(..12).unwrap_or(&container.id)
        } else {
            &container.name
        };
        format!("container {}", text(name))
    };
    let words: BTreeSet<String> = containers.map(word).collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use pktwho_packet::Pod;

    use super::*;

    #[test]
    fn containers_in_the_words_of_filters() {
        let container = |name: &str, pod: Option<(&str, &str)>| Container {
            id: b"0123456789abcdef".into(),
            name: name.into(),
            pod: pod.map(|(name, namespace)| Pod {
                name: name.into(),
                namespace: namespace.into(),
                ..Pod::default()
            }),
            ..Container::default()
        };
        let check = |containers: &[Container], expected: &str| {
            assert_eq!(in_words(containers.iter()), expected);
        };
        check(&[container("web", None)], "container web");
        check(&[container("", None)], "container 0123456789ab");
        check(&[container("a\u{7}", None)], "container a\\u{7}");
        let api = Some(("api", "prod"));
        check(
            &[container("x", api), container("POD", api)],
            "pod api.prod",
        );
        check(
            &[container("web", None), container("db", Some(("shop", "")))],
            "container web, pod shop",
        );
    }
}
