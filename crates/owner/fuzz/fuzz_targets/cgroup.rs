//! Any path of a cgroup, any `/proc/PID/cgroup`, any arguments: an id is one that stands there.
//!
//! `cargo xtask fuzz cgroup`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_owner::testing;

fuzz_target!(|data: &[u8]| {
    let lower = data.to_ascii_lowercase();
    for container in [testing::container_of(data), testing::of_process(data)] {
        let Some(container) = container else {
            continue;
        };
        assert!(!container.id.is_empty());
        let id = container.id.to_ascii_lowercase();
        assert!(lower.windows(id.len()).any(|window| window == id));
    }
    let arguments = testing::split_args(data);
    assert!(arguments.iter().map(Vec::len).sum::<usize>() <= data.len());
});
