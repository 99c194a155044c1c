//! Files that call themselves the same and are, or are not.

use proptest::prelude::*;

use super::*;
use crate::tests::{CODE, EXPORTER, LABELS, RANDOM, X86, elf, logger, samples};
use crate::{cheaper, resolve};

fn trail(file: &[u8]) -> Trail {
    let (hooks, places) = resolve_noting(file).unwrap();
    assert_eq!(resolve(file), Ok(hooks.clone()));
    Trail::new(file, places, &hooks).unwrap()
}

fn follow(trail: &Trail, file: &[u8]) -> Option<Vec<Hook>> {
    trail.follow(|at, bytes| copy(file, at, bytes))
}

/// A function, and where it is called twice with labels.
fn program(function: u64, code: X86) -> Vec<u8> {
    let code = code.call(RANDOM, function).call(EXPORTER, function);
    elf(62, &code.0, LABELS)
}

fn original() -> Vec<u8> {
    program(CODE + 1, logger())
}

#[test]
fn a_copy_has_the_same_hooks() {
    for file in samples() {
        let trail = trail(&file);
        let hooks = resolve(&file).unwrap().into_iter();
        let hooks = hooks.map(|hook| cheaper(&file, hook)).collect();
        assert_eq!(follow(&trail, &file), Some(hooks));
        assert!(trail.length() < u64::try_from(file.len()).unwrap());
    }
}

/// Bytes that did not lead there may be others: an ordinary look has to follow.
#[test]
fn what_stands_elsewhere_is_not_read() {
    let mut file = original();
    let trail = trail(&file);
    let hooks = follow(&trail, &file);
    file[0x3000] = 1;
    assert_eq!(follow(&trail, &file), hooks);
}

#[test]
fn another_file_has_its_own_hooks() {
    let trail = trail(&original());
    let check = |file: &[u8], offset| {
        assert_eq!(follow(&trail, file), None);
        let found = resolve(file).map(|hooks| hooks.iter().map(|hook| hook.offset).collect());
        assert_eq!(found, offset);
    };
    // The random bytes are elsewhere: `lea rdx, [rdi+0x170]`
    let mut other = original();
    assert_eq!(other[0x1004], 0x60);
    other[0x1004] = 0x70;
    check(&other, Ok(vec![CODE + 1]));
    // The same function with the same bytes, but 16 bytes behind.
    let moved = X86::new().bytes(&[0x90; 16]).bytes(b"\xc3");
    let moved = moved.bytes(b"\x48\x8d\x97\x60\x01\0\0\xb9\x20\0\0\0");
    let moved = moved.to(b"\xe9", CODE + 16);
    check(&program(CODE + 17, moved), Ok(vec![CODE + 17]));
    // All is there and where it was, but another function is called.
    let other = program(CODE + 2, logger());
    check(&other, Err(Refusal::ClientRandom));
    // The labels are others.
    let other = elf(62, &original()[0x1000..0x1040], b"CLIENT_RANDUM\0");
    check(&other, Err(Refusal::NoLabels));
    // Another machine's.
    let mut other = original();
    other[18] = 183;
    check(&other, Err(Refusal::NoFunction { votes: 0 }));
    // It ends before.
    assert_eq!(follow(&trail, &original()[..0x1008]), None);
    assert_eq!(follow(&trail, b""), None);
}

/// The function goes on where the first file's did not: what it does there is not known.
#[test]
fn code_that_is_not_read_is_not_guessed() {
    let trail = trail(&original());
    // `lea rdx, [rdi+0x160]; mov ecx, 32; jmp` to a page that has more: `lea rdx, [rdi+0x170]; jmp`
    let far = CODE + 0x3000;
    let code = X86::new().bytes(b"\xc3\x48\x8d\x97\x60\x01\0\0\xb9\x20\0\0\0");
    let mut code = code.to(b"\xe9", far).call(RANDOM, CODE + 1);
    code = code.call(EXPORTER, CODE + 1);
    code.0.resize(0x3000, 0x90);
    let code = code.bytes(b"\x48\x8d\x97\x70\x01\0\0").to(b"\xe9", CODE);
    let other = elf(62, &code.0, LABELS);
    assert_eq!(resolve(&other), Err(Refusal::ClientRandom));
    assert_eq!(follow(&trail, &other), None);
}

#[test]
fn what_cannot_be_read_is_not_known() {
    assert_eq!(trail(&original()).follow(|_, _| false), None);
}

proptest! {
    /// Whatever is changed: what is found is what an ordinary look finds, or nothing.
    #[test]
    fn changed_copies_have_no_hooks_of_others(
        sample in 0..3_usize,
        changes in proptest::collection::vec((crate::tests::places(), any::<u8>()), 0..3),
    ) {
        let mut file = samples()[sample].clone();
        let trail = trail(&file);
        for (at, byte) in changes {
            file[at] = byte;
        }
        if let Some(hooks) = follow(&trail, &file) {
            let ordinary = resolve(&file).unwrap_or_default().into_iter();
            let ordinary: Vec<Hook> = ordinary.map(|hook| cheaper(&file, hook)).collect();
            prop_assert_eq!(hooks, ordinary);
        }
    }
}
