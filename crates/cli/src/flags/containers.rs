//! Flags about containers and pods: which packets, and where their runtimes are asked.

use pktwho_filter::tree::{Glob, OwnerIs};

use super::{Compat, Flag, list};

/// Digits of an id that are enough to name a container.
const ID_MIN: usize = 12;

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: None,
        long: Some("container-id"),
        value: Some("id"),
        help: "Only packets of this container: its id, or the first 12 digits of it or more",
        man: "Containers that start during the capture count as well, and processes that are \
              started in them later. Several: a comma list, or the flag again; of --container-id \
              and --container-name together one value has to match.",
        compat: Compat::Ours,
        apply: |args, value| {
            let wrong =
                |text: &str| format!("invalid container id {text}: at least 12 hexadecimal digits");
            for part in list(&value, wrong)? {
                let is_id = part.len() >= ID_MIN && part.bytes().all(|b| b.is_ascii_hexdigit());
                if !is_id {
                    return Err(wrong(part));
                }
                let id = part.to_ascii_lowercase().into_bytes();
                args.containers.push(OwnerIs::ContainerId(id));
            }
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("container-name"),
        value: Some("name"),
        help: "Only packets of the container of this name; * stands for any text",
        man: "As the runtime names it; of a container in a pod the name that it has there.",
        compat: Compat::Ours,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid container name {text}");
            for part in list(&value, wrong)? {
                args.containers.push(OwnerIs::Container(Glob::parse(part)));
            }
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("pod-name"),
        value: Some("name[.namespace]"),
        help: "Only packets of all containers of this pod; * stands for any text",
        man: "Without a namespace pods of all namespaces.",
        compat: Compat::Ours,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid pod name {text}");
            for part in list(&value, wrong)? {
                args.pods.push(OwnerIs::parse_pod(part));
            }
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("require-match"),
        value: None,
        help: "With these: fail when no container or pod that runs now matches",
        man: "Without it that is only said, since one that matches may start later.",
        compat: Compat::Ours,
        apply: |args, _| {
            args.require_match = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("docker-address"),
        value: Some("socket"),
        help: "Where Docker is asked for containers; by default /var/run/docker.sock",
        man: "",
        compat: Compat::Ours,
        apply: |args, value| {
            args.runtimes.docker = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("containerd-address"),
        value: Some("socket"),
        help: "Where containerd is asked; by default /run/containerd/containerd.sock",
        man: "",
        compat: Compat::Ours,
        apply: |args, value| {
            args.runtimes.containerd = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("cri-runtime-address"),
        value: Some("socket"),
        help: "Where the runtime of Kubernetes (CRI) is asked",
        man: "By default the first where somebody listens of /var/run/dockershim.sock, \
              /var/run/cri-dockerd.sock, both of them in /run, /run/crio/crio.sock, \
              /run/containerd/containerd.sock and /run/k3s/containerd/containerd.sock.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.runtimes.cri = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("podman-address"),
        value: Some("socket"),
        help: "Where Podman is asked; by default /run/podman/podman.sock",
        man: "Without its service, what Podman keeps on disk about containers is read.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.runtimes.podman = Some(value.into());
            Ok(())
        },
    },
];
