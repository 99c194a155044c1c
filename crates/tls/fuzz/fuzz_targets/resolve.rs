//! Any file, and any code between headers that are right: no panic, soon an answer, and hooks
//! that are in the file. A trail leads to them again, and in a changed file to nothing outside it.
//!
//! `cargo xtask fuzz resolve`; libraries make good inputs too: put one into
//! `target/fuzz/corpus/resolve`.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use pktwho_tls::{Hook, Operand, Place, Trail, build_id, machine, resolve_noting};

const LABELS: &[u8] = b"CLIENT_RANDOM\0EARLY_EXPORTER_SECRET\0).writeKeyLog\0";
const CODE: usize = 0x200;

/// An ELF file with the labels in front of the code, all in one segment.
fn around(machine: u8, code: &[u8]) -> Vec<u8> {
    let mut file = vec![0; CODE];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    file[16] = 2;
    file[18] = machine;
    file[32] = 64;
    file[54] = 56;
    file[56] = 1;
    file[64] = 1;
    file[68] = 5;
    file[0x100..][..LABELS.len()].copy_from_slice(LABELS);
    file.extend_from_slice(code);
    let length = u64::try_from(file.len()).unwrap();
    file[64 + 32..][..8].copy_from_slice(&length.to_le_bytes());
    file
}

fn follow(trail: &Trail, file: &[u8]) -> Option<Vec<Hook>> {
    trail.follow(|at, bytes| {
        let rest = usize::try_from(at).ok().and_then(|at| file.get(at..));
        let found = rest.and_then(|rest| rest.get(..bytes.len()));
        found.map(|found| bytes.copy_from_slice(found)).is_some()
    })
}

fn check(file: &[u8]) {
    let start = Instant::now();
    let found = resolve_noting(file);
    let _ = build_id(file);
    let mut hooks = Vec::new();
    if let Ok((found, places)) = found {
        if let Some(trail) = Trail::new(file, places, &found) {
            hooks = follow(&trail, file).expect("its own trail");
            assert_eq!(hooks.len(), found.len());
            let mut other = file.to_vec();
            let at = usize::from(*other.last().unwrap()) * 7 % other.len();
            other[at] ^= 1;
            hooks.extend(follow(&trail, &other).unwrap_or_default());
        }
        hooks.extend(found);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "slow");
    for hook in hooks {
        let machine = machine(file).unwrap();
        assert!(usize::try_from(hook.offset).unwrap() < file.len());
        for operand in [hook.label, hook.client_random, hook.secret] {
            assert!(!operand.words(machine).contains('?'));
            let (Operand::Text(place) | Operand::Fixed(place, _) | Operand::Sized(place, _)) =
                operand;
            assert!(place.steps.len() <= Place::STEPS_MAX);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    check(&around(62, data));
    check(&around(183, data));
});
