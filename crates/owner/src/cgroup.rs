//! The container that a cgroup is one of, by the cgroup's path.
//!
//! Runtimes name cgroups after their containers: `/docker/ID`, `/kubepods/burstable/podUID/ID`,
//! and with systemd `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`,
//! `libpod-ID.scope`. An ID has 64 hexadecimal digits. LXC puts a name there. Where containers
//! run in containers, the innermost is meant. Source: cgroups(7); what the runtimes do.

use pktwho_packet::{Container, Pod};

/// Digits of an id.
const ID: usize = 64;
/// Longest id that containerd takes.
const LONGEST_ID: usize = 76;
/// systemd's own cgroups.
const UNITS: [&str; 5] = [".slice", ".scope", ".service", ".mount", ".socket"];

/// What the path tells: the id, of Kubernetes' the pod's uid, of LXC's the name. `None`: no
/// container.
pub fn container_of(path: &[u8]) -> Option<Container> {
    let parts = || path.split(|&byte| byte == b'/');
    let mut previous: &[u8] = b"";
    let mut found = None;
    for part in parts() {
        if let Some(id) = id_of(part) {
            found = Some(Container {
                id: id.to_ascii_lowercase(),
                ..Container::default()
            });
        } else if let Some(name) = lxc_name(previous, part) {
            found = Some(Container {
                id: name.to_vec(),
                name: name.to_vec(),
                runtime: b"lxc".to_vec(),
                ..Container::default()
            });
        }
        previous = part;
    }
    let mut container = found?;
    if container.runtime.is_empty()
        && let Some(uid) = parts().filter_map(pod_uid).next_back()
    {
        container.pod = Some(Pod {
            uid,
            ..Pod::default()
        });
    }
    Some(container)
}

/// Whether a cgroup may be of a container whose id somebody chose, as that of `ctr run` in
/// `/NAMESPACE/ID`: a runtime has to say so.
pub fn may_be_container(path: &[u8]) -> bool {
    let mut parts = path.rsplit(|&byte| byte == b'/');
    let last = parts.next().unwrap_or_default();
    let is_nested = parts.next().is_some_and(|part| !part.is_empty());
    let is_unit = UNITS.iter().any(|unit| last.ends_with(unit.as_bytes()));
    is_nested && !is_unit && may_be_id(last)
}

/// Whether containerd takes it for an id.
pub fn may_be_id(text: &[u8]) -> bool {
    let is_meant = |&byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST_ID && text.iter().all(is_meant)
}

/// Whether it is an id that is known for one wherever it stands.
pub fn is_id(text: &[u8]) -> bool {
    text.len() == ID && text.iter().all(u8::is_ascii_hexdigit)
}

/// The container that a process is in, by its `/proc/PID/cgroup`; the default hierarchy's line
/// counts most. Also whether there are other hierarchies.
pub fn of_process(text: &[u8]) -> (Option<Container>, bool) {
    let mut found = None;
    let mut has_others = false;
    for line in text.split(|&byte| byte == b'\n') {
        let mut fields = line.splitn(3, |&byte| byte == b':');
        let (Some(number), Some(_), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let is_default = number == b"0";
        has_others |= !is_default;
        if is_default || found.is_none() {
            found = container_of(path).or(found);
        }
    }
    (found, has_others)
}

/// The path in the default hierarchy, by `/proc/PID/cgroup`.
pub fn default_path(text: &[u8]) -> Option<&[u8]> {
    let mut lines = text.split(|&byte| byte == b'\n');
    lines.find_map(|line| line.strip_prefix(b"0::"))
}

/// `ID`, `docker-ID.scope`, `kubepods-podUID.slice:cri-containerd:ID`; not `crio-conmon-ID`,
/// which is beside the container.
fn id_of(part: &[u8]) -> Option<&[u8]> {
    let part = part.strip_suffix(b".scope").unwrap_or(part);
    let (before, id) = part.split_at_checked(part.len().checked_sub(ID)?)?;
    let is_begun = before.is_empty() || before.ends_with(b"-") || before.ends_with(b":");
    (is_id(id) && is_begun && !before.ends_with(b"conmon-")).then_some(id)
}

/// `lxc.payload.NAME`, `lxc.payload/NAME`, `lxc/NAME`.
fn lxc_name<'a>(previous: &[u8], part: &'a [u8]) -> Option<&'a [u8]> {
    let name = match previous {
        b"lxc.payload" | b"lxc" => part,
        _ => part.strip_prefix(b"lxc.payload.")?,
    };
    (!name.is_empty()).then_some(name)
}

/// `podUID`, `kubepods-besteffort-podUID.slice` with `_` for `-`.
fn pod_uid(part: &[u8]) -> Option<Vec<u8>> {
    let part = part.split(|&byte| byte == b':').next()?;
    let part = part.strip_suffix(b".slice").unwrap_or(part);
    let after = |at: usize| {
        let (before, uid) = part.split_at_checked(part.len().checked_sub(at)?)?;
        let before = before.strip_suffix(b"pod")?;
        let is_begun = before.is_empty() || before.ends_with(b"-");
        let is_uid = uid
            .iter()
            .all(|&byte| byte.is_ascii_hexdigit() || byte == b'-' || byte == b'_');
        (is_begun && is_uid).then(|| uid.to_vec())
    };
    // With four separators; of static pods a hash without.
    let mut uid = after(36).or_else(|| after(32))?;
    for byte in &mut uid {
        if *byte == b'_' {
            *byte = b'-';
        }
    }
    Some(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
    const OTHER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    const UID: &str = "1b2c3d4e-0f1a-4b5c-8d7e-9f0a1b2c3d4e";

    fn check(path: &str, expected: Option<(&str, Option<&str>)>) {
        let path = path.replace("ID", HEX).replace("OTHER", OTHER);
        let path = path
            .replace("U_D", &UID.replace('-', "_"))
            .replace("UD", UID);
        let found = container_of(path.as_bytes()).map(|container| {
            let uid = container.pod.map(|pod| String::from_utf8(pod.uid).unwrap());
            (String::from_utf8(container.id).unwrap(), uid)
        });
        let expected = expected.map(|(id, uid)| {
            let id = id.replace("ID", HEX);
            (id, uid.map(str::to_owned))
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn each_runtime_and_each_way() {
        let plain = Some(("ID", None));
        for path in [
            "/docker/ID",
            "/../../docker/ID",
            "/docker/ID/init.scope",
            "/docker/ID/system.slice/cron.service",
            "/system.slice/docker-ID.scope",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope",
            "/machine.slice/libpod-ID.scope",
            "/machine.slice/libpod-ID.scope/container",
            "/libpod_parent/libpod-ID",
            "/machine.slice/machine-libpod_pod_OTHER.slice/libpod-ID.scope",
            "/libpod_parent/OTHER/libpod-ID",
            "/default/ID",
            "/system.slice/nerdctl-ID.scope",
            "/docker/OTHER/docker/ID",
        ] {
            check(path, plain);
        }
        let pod = Some(("ID", Some(UID)));
        for path in [
            "/kubepods/besteffort/podUD/ID",
            "/kubepods/podUD/ID",
            "/kubepods/burstable/podUD/crio-ID",
            "/kubepods.slice/kubepods-podU_D.slice/docker-ID.scope",
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_D.slice/cri-containerd-ID.scope",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_D.slice/crio-ID.scope",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podU_D.slice/crio-ID.scope/container",
            "/system.slice/containerd.service/kubepods-burstable-podU_D.slice:cri-containerd:ID",
            "/docker/OTHER/kubelet/kubepods/besteffort/podUD/ID",
            "/docker/OTHER/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podU_D.slice/cri-containerd-ID.scope",
        ] {
            check(path, pod);
        }
        check(
            "/kubepods/besteffort/pod0123456789abcdef0123456789abcdef/ID",
            Some(("ID", Some("0123456789abcdef0123456789abcdef"))),
        );
        for path in [
            "/lxc/web",
            "/lxc.payload/web",
            "/lxc.payload.web/init.scope",
        ] {
            check(path, Some(("web", None)));
        }
    }

    #[test]
    fn what_is_no_container() {
        for path in [
            "/",
            "",
            "/init.scope",
            "/system.slice/ssh.service",
            "/kubepods/besteffort/podUD",
            "/docker",
            "/lxc",
            "/lxc.monitor.web",
            "/machine.slice/libpod-conmon-ID.scope",
            "/kubepods/besteffort/podUD/crio-conmon-ID",
            "/machine.slice/machine-libpod_pod_ID.slice",
            "/docker/xID",
            "/docker/gg112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn what_a_runtime_has_to_tell_of() {
        let check = |path: &str, expected| {
            assert_eq!(may_be_container(path.as_bytes()), expected, "{path}");
        };
        check("/default/web", true);
        check("/a/b/my_web-1.2", true);
        check("/system.slice/docker.service/web", true);
        for path in [
            "/",
            "",
            "/default",
            "/default/",
            "/user.slice/user-1000.slice",
            "/system.slice/ssh.service",
            "/user.slice/session-1.scope",
            "/default/a b",
            "/default/\"",
        ] {
            check(path, false);
        }
        check(&format!("/default/{}", "x".repeat(77)), false);
    }

    #[test]
    fn hierarchies_of_a_process() {
        let check = |text: &str, expected: Option<&str>, others: bool| {
            let text = text.replace("ID", HEX).replace("OTHER", OTHER);
            let (found, has_others) = of_process(text.as_bytes());
            let id = found.map(|found| String::from_utf8(found.id).unwrap());
            let expected = expected.map(|id| id.replace("ID", HEX));
            assert_eq!((id, has_others), (expected, others), "{text}");
        };
        check("0::/docker/ID\n", Some("ID"), false);
        check("0::/user.slice\n", None, false);
        check(
            "12:memory:/docker/ID\n1:name=systemd:/docker/ID\n",
            Some("ID"),
            true,
        );
        check(
            "9:name=systemd:/docker/OTHER\n0::/docker/ID\n",
            Some("ID"),
            true,
        );
        check("3:cpu,cpuacct:/docker/ID\n0::/\n", Some("ID"), true);
        check("2:cpu:/\n0::/\n", None, true);
        check("garbage\n::\n", None, true);
    }
}
