//! Any answer of a container runtime: HTTP and JSON, gRPC and protocol buffers, what Podman keeps
//! on disk. No panic, and no more comes out than went in, a few times over.
//!
//! `cargo xtask fuzz runtimes`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_owner::testing::{self, Answer};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, answer)) = data.split_first() else {
        return;
    };
    let kinds = [
        Answer::Docker,
        Answer::Podman,
        Answer::PodmanStore,
        Answer::Containerd,
        Answer::Cri,
        Answer::Grpc,
    ];
    let bytes = testing::answer(kinds[usize::from(kind) % kinds.len()], answer);
    // Names are taken over from labels.
    assert!(
        bytes <= 100 + 20 * answer.len(),
        "{bytes} of {}",
        answer.len()
    );
});
