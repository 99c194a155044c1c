//! What the fuzz targets reach: everything here that reads bytes of others.

use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use pktwho_packet::Container;

use crate::docker::Docker;
use crate::{cgroup, containerd, cri, grpc, http, podman};

pub use crate::cgroup::container_of;
pub use crate::procfs::split_args;

/// The container that `/proc/PID/cgroup` tells.
pub fn of_process(text: &[u8]) -> Option<Container> {
    cgroup::of_process(text).0
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Docker,
    Podman,
    /// A file that Podman keeps.
    PodmanStore,
    Containerd,
    Cri,
    /// The frames around the messages of the two.
    Grpc,
}

/// Reads an answer; how many bytes came out of it.
pub fn answer(from: Answer, bytes: &[u8]) -> usize {
    let listed = |is_podman| {
        let service = Docker {
            socket: PathBuf::new(),
            is_podman,
        };
        let body = http::body(bytes.to_vec());
        let list = service.listed(body.as_deref().unwrap_or(bytes));
        list.unwrap_or_default()
    };
    let containers = match from {
        Answer::Docker => listed(false),
        Answer::Podman => listed(true),
        Answer::PodmanStore => podman::kept(bytes),
        Answer::Containerd => vec![containerd::container(bytes)],
        Answer::Cri => cri::all_of(bytes),
        Answer::Grpc => return framed(bytes).map_or(0, |message| message.len()),
    };
    containers.iter().map(size).sum()
}

/// The message in the frames of a connection.
fn framed(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut service, client) = UnixStream::pair().ok()?;
    // What nobody reads is not waited for.
    client
        .set_write_timeout(Some(Duration::from_millis(1)))
        .ok()?;
    service.set_nonblocking(true).ok()?;
    // What there is no room for is an answer that is cut.
    let _ = service.write(bytes);
    service.shutdown(Shutdown::Write).ok()?;
    grpc::answer_on(client).ok()
}

fn size(container: &Container) -> usize {
    let labels = container.labels.iter();
    let labels: usize = labels.map(|(key, value)| key.len() + value.len()).sum();
    let pod = container.pod.as_ref();
    let pod = pod.map_or(0, |pod| pod.name.len() + pod.uid.len());
    container.id.len() + container.name.len() + container.image.len() + labels + pod
}
