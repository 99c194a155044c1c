//! What terms about containers and pods come to for a container.

use pktwho_packet::{Container, Label, Pod};

use crate::tree::{Glob, OwnerIs};

/// As much of a container's id names it as the runtimes show of it.
const ID_SHOWN: usize = 12;

impl OwnerIs {
    /// Whether the answer depends on nothing but the container of the process.
    pub fn is_about_containers(&self) -> bool {
        self.is_about_container_ids()
            || matches!(
                self,
                Self::Container(_)
                    | Self::Image(_)
                    | Self::Pod { .. }
                    | Self::Namespace(_)
                    | Self::Label { .. }
            )
    }

    /// Whether that container's id is enough, which is known before any runtime is asked.
    pub fn is_about_container_ids(&self) -> bool {
        matches!(self, Self::ContainerId(_))
    }

    /// Whether it holds for processes in this container; never of terms that are not about
    /// containers.
    pub fn holds_in(&self, container: &Container) -> bool {
        let pod = container.pod.as_ref();
        match self {
            Self::Container(glob) => is_named(container, glob),
            Self::ContainerId(start) => container.id.starts_with(start),
            Self::Image(glob) => is_image(&container.image, glob),
            Self::Pod { name, namespace } => pod.is_some_and(|pod| {
                let in_namespace = namespace
                    .as_ref()
                    .is_none_or(|ns| ns.matches(&pod.namespace));
                !pod.name.is_empty() && name.matches(&pod.name) && in_namespace
            }),
            Self::Namespace(glob) => {
                pod.is_some_and(|pod| !pod.namespace.is_empty() && glob.matches(&pod.namespace))
            }
            Self::Label { key, value } => {
                let holds = |(name, text): &Label| {
                    name == key.as_bytes() && value.as_ref().is_none_or(|value| value.matches(text))
                };
                container.labels.iter().any(holds)
                    || pod.is_some_and(|Pod { labels, .. }| labels.iter().any(holds))
            }
            _ => false,
        }
    }
}

/// By its name, or by the first twelve digits of its id or more.
fn is_named(container: &Container, glob: &Glob) -> bool {
    let by_id = match glob.pieces.as_slice() {
        [id] => id.len() >= ID_SHOWN && container.id.starts_with(id),
        _ => false,
    };
    by_id || !container.name.is_empty() && glob.matches(&container.name)
}

/// As the runtime names it, or without what stands for the usual registry.
fn is_image(image: &[u8], glob: &Glob) -> bool {
    let short = image.strip_prefix(b"docker.io/").map(|rest| {
        let official = rest.strip_prefix(b"library/");
        official.unwrap_or(rest)
    });
    glob.matches(image) || short.is_some_and(|short| glob.matches(short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Expr, Term};

    fn is(text: &str) -> OwnerIs {
        match crate::parse(text).unwrap().root {
            Some(Expr::Term(Term::Owner(term), _)) => term.is,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn terms_of_a_container_and_its_pod() {
        let label = |key: &str, value: &str| (key.into(), value.into());
        let container = Container {
            id: b"0123456789abcdef".repeat(4),
            name: b"web".into(),
            image: b"nginx:1.25".into(),
            labels: vec![label("tier", "front")],
            pod: Some(Pod {
                name: b"api-7".into(),
                namespace: b"prod".into(),
                labels: vec![label("app", "web")],
                ..Pod::default()
            }),
            ..Container::default()
        };
        for text in [
            "container web",
            "container w*",
            "container 0123456789ab",
            "image 'nginx:*'",
            "pod api-7",
            "pod 'api-*.prod'",
            "pod prod/api-7",
            "ns prod",
            "label app=web",
            "label app",
            "label tier=f*",
        ] {
            assert!(is(text).holds_in(&container), "{text}");
            assert!(is(text).is_about_containers(), "{text}");
        }
        for text in [
            "container we",
            "container 0123456789a",
            "container 123456789abc",
            "image nginx",
            "pod api",
            "pod 'api-*.test'",
            "ns default",
            "label app=we",
            "label web",
            "proc web",
        ] {
            assert!(!is(text).holds_in(&container), "{text}");
        }
        assert!(OwnerIs::ContainerId(b"0123456789abc".into()).holds_in(&container));
        assert!(!OwnerIs::ContainerId(b"123456789abc".into()).holds_in(&container));
        let image = |image: &[u8], glob: &str| {
            let container = Container {
                image: image.into(),
                ..Container::default()
            };
            is(&format!("image '{glob}'")).holds_in(&container)
        };
        assert!(image(b"docker.io/library/nginx:1.25", "nginx:*"));
        assert!(image(b"docker.io/grafana/loki:3", "grafana/loki:*"));
        assert!(!image(b"quay.io/library/nginx:1.25", "nginx:*"));
        // Nothing is known of it: it has no name that a star could stand for.
        let nameless = Container {
            id: b"f".repeat(64),
            pod: Some(Pod::default()),
            ..Container::default()
        };
        for text in ["container *", "pod *", "ns *"] {
            assert!(!is(text).holds_in(&nameless), "{text}");
        }
    }
}
