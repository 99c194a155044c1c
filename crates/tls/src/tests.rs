//! Small files made here, with the shapes that compilers give the calls.

use proptest::prelude::*;

use crate::hook::{Library, Operand, Place};
use crate::{Hook, Refusal, Register, build_id, resolve};

pub(crate) const BASE: u64 = 0x40_0000;
pub(crate) const CODE: u64 = 0x1000;
pub(crate) const TEXTS: u64 = 0x8000;

/// An ELF file of three segments: code, texts and a note; each at the address that is its
/// offset plus 4 MiB.
pub(crate) fn elf(machine: u8, code: &[u8], texts: &[u8]) -> Vec<u8> {
    let note = b"\x04\0\0\0\x04\0\0\0\x03\0\0\0GNU\0\xde\xad\xbe\xef";
    let mut file = vec![0; 0x9000];
    file[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\0");
    file[16] = 3;
    file[18] = machine;
    file[32] = 64;
    file[54] = 56;
    file[56] = 3;
    let segments = [
        (1, 5, CODE, code.len()),
        (1, 4, TEXTS, texts.len()),
        (4, 4, 0x800, note.len()),
    ];
    for (number, (kind, flags, offset, length)) in segments.into_iter().enumerate() {
        let header = &mut file[64 + 56 * number..][..56];
        header[0] = kind;
        header[4] = flags;
        header[8..16].copy_from_slice(&offset.to_le_bytes());
        header[16..24].copy_from_slice(&(BASE + offset).to_le_bytes());
        header[32..40].copy_from_slice(&u64::try_from(length).unwrap().to_le_bytes());
    }
    for (at, bytes) in [(CODE, code), (TEXTS, texts), (0x800, note)] {
        let at = usize::try_from(at).unwrap();
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }
    file
}

/// Machine code that is put together piece by piece; offsets are those in the file.
pub(crate) struct X86(pub Vec<u8>);

impl X86 {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn here(&self) -> u64 {
        CODE + u64::try_from(self.0.len()).unwrap()
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes that end in the distance to an offset of the file.
    pub fn to(mut self, opcode: &[u8], target: u64) -> Self {
        self.0.extend_from_slice(opcode);
        let next = self.here() + 4;
        let distance = i32::try_from(target.cast_signed() - next.cast_signed()).unwrap();
        self.bytes(&distance.to_le_bytes())
    }

    /// `lea rsi, [rip + …]; mov rdi, rbx; call …`
    pub fn call(self, text: u64, function: u64) -> Self {
        self.to(LEA_RSI, text)
            .bytes(b"\x48\x89\xdf")
            .to(b"\xe8", function)
    }
}

const LEA_RSI: &[u8] = b"\x48\x8d\x35";
pub(crate) const LABELS: &[u8] = b"CLIENT_RANDOM\0EARLY_EXPORTER_SECRET\0CLIENT_TRAFFIC_SECRET_N\0";
pub(crate) const RANDOM: u64 = TEXTS;
const EARLY: u64 = TEXTS + 14;
/// The end of the one before.
pub(crate) const EXPORTER: u64 = EARLY + 6;

/// A function that hands 32 bytes of its first argument on: `lea rdx, [rdi+0x160]; mov ecx, 32;
/// jmp …`, to a `ret`.
pub(crate) fn logger() -> X86 {
    X86::new()
        .bytes(b"\xc3")
        .bytes(b"\x48\x8d\x97\x60\x01\0\0\xb9\x20\0\0\0")
        .to(b"\xe9", CODE)
}

fn place(register: u8, steps: &[i32], add: i32) -> Place {
    Place {
        register: Register(register),
        steps: steps.to_vec(),
        add,
    }
}

/// The function after the first byte of the code.
fn check(code: &X86, labels: &[u8], client_random: Result<Place, Refusal>) {
    let expected = client_random.map(|place| (CODE + 1, place));
    let found = resolve(&elf(62, &code.0, labels)).map(|hooks| match hooks.as_slice() {
        [
            Hook {
                offset,
                client_random: Operand::Fixed(place, 32),
                ..
            },
        ] => (*offset, place.clone()),
        hooks => panic!("{hooks:?}"),
    });
    assert_eq!(found, expected);
}

#[test]
fn two_labels_name_the_function() {
    let code = logger().call(RANDOM, CODE + 1).call(EXPORTER, CODE + 1);
    let file = elf(62, &code.0, LABELS);
    let expected = Hook {
        library: Library::OpenSsl,
        offset: CODE + 1,
        label: Operand::Text(place(4, &[], 0)),
        client_random: Operand::Fixed(place(5, &[], 0x160), 32),
        secret: Operand::Sized(place(1, &[], 0), Register(2)),
        evidence: "2 labels in 2 calls, client random as 32 bytes handed on".into(),
    };
    assert_eq!(resolve(&file), Ok(vec![expected]));
    assert_eq!(build_id(&file), Some(&b"\xde\xad\xbe\xef"[..]));
}

#[test]
fn one_label_is_not_enough() {
    let refusal = |votes| Err(Refusal::NoFunction { votes });
    let code = logger().call(RANDOM, CODE + 1).call(RANDOM, CODE + 1);
    check(&code, LABELS, refusal(1));
    // Two labels, two functions.
    let code = logger().call(RANDOM, CODE + 1).call(EXPORTER, CODE);
    check(&code, LABELS, refusal(1));
    check(&logger(), LABELS, refusal(0));
    check(&logger(), b"CLIENT_RANDOMS\0", Err(Refusal::NoLabels));
    check(&logger(), b"EXPORTER_SECRET_1\0", Err(Refusal::NoLabels));
    let rust = b"CLIENT_HANDSHAKE_TRAFFIC_SECRETSERVER_HANDSHAKE_TRAFFIC_SECRET";
    check(&logger(), rust, Err(Refusal::WithoutEnd));
}

/// What is put somewhere else first is handed to another function.
#[test]
fn only_arguments_vote() {
    // `lea rax, [rip + …]; mov [rsp+8], rax; call …`
    let aside = |code: X86, text| {
        let code = code.to(b"\x48\x8d\x05", text);
        code.bytes(b"\x48\x89\x44\x24\x08").to(b"\xe8", CODE + 1)
    };
    let code = aside(logger().call(RANDOM, CODE + 1), EXPORTER);
    check(&code, LABELS, Err(Refusal::NoFunction { votes: 1 }));
    // `lea rax, [rip + …]; mov rsi, rax; call …` does hand it over.
    let code = logger()
        .call(RANDOM, CODE + 1)
        .to(b"\x48\x8d\x05", EXPORTER);
    let code = code.bytes(b"\x48\x89\xc6").to(b"\xe8", CODE + 1);
    check(&code, LABELS, Ok(place(5, &[], 0x160)));
}

#[test]
fn jumps_are_followed_and_count_as_calls() {
    // Both jump to one call.
    let shared = CODE + 1 + 17;
    let code = logger().to(b"\xe8", CODE + 1);
    let code = code.to(LEA_RSI, RANDOM).to(b"\xe9", shared);
    let code = code.to(LEA_RSI, EXPORTER).to(b"\xe9", shared);
    check(&code, LABELS, Ok(place(5, &[], 0x160)));
    // The last call of a function is a jump.
    let code = logger().call(RANDOM, CODE + 1).to(LEA_RSI, EARLY);
    check(
        &code.to(b"\xe9", CODE + 1),
        LABELS,
        Ok(place(5, &[], 0x160)),
    );
}

#[test]
fn client_random_behind_pointers_and_branches() {
    let calls = |code: X86| code.call(RANDOM, CODE + 1).call(EXPORTER, CODE + 1);
    // `mov rax, [rdi+0xa8]; lea rdx, [rax+0xb8]; mov ecx, 32; jmp …`, where a branch leads.
    let code = X86::new().bytes(b"\xc3\x74\x01\xc3");
    let code = code.bytes(b"\x48\x8b\x87\xa8\0\0\0\x48\x8d\x90\xb8\0\0\0\xb9\x20\0\0\0");
    check(
        &calls(code.to(b"\xe9", CODE)),
        LABELS,
        Ok(place(5, &[0xa8], 0xb8)),
    );
    // `push rbx; mov rbx, rdi; call …; mov rbp, [rbx+0x30]; movzx ecx, [rbp+rax+0x30]; ret`
    let code = X86::new().bytes(b"\xc3\x53\x48\x89\xfb").to(b"\xe8", CODE);
    let code = code.bytes(b"\x48\x8b\x6b\x30\x0f\xb6\x4c\x05\x30\xc3");
    check(&calls(code), LABELS, Ok(place(5, &[0x30], 0x30)));
    // Kept on the stack: `mov [rsp-8], rdi; call …; mov rax, [rsp-8]; lea rsi, [rax+16]`
    let code = X86::new()
        .bytes(b"\xc3\x48\x89\x7c\x24\xf8")
        .to(b"\xe8", CODE);
    let code = code.bytes(b"\x48\x8b\x44\x24\xf8\x48\x8d\x70\x10\xba\x20\0\0\0");
    check(
        &calls(code.to(b"\xe8", CODE)),
        LABELS,
        Ok(place(5, &[], 16)),
    );
    // Unrolled: `movzx eax, [rdi+rcx+0x30]; movzx eax, [rdi+rcx+0x31]; ret`
    let code = X86::new().bytes(b"\xc3\x0f\xb6\x44\x0f\x30\x0f\xb6\x44\x0f\x31\xc3");
    check(&calls(code), LABELS, Ok(place(5, &[], 0x30)));
    // All at once: `lea rax, [rdi+0x188]; movdqu xmm0, [rax]; movdqu xmm1, [rax+16]; ret`
    let code = X86::new().bytes(b"\xc3\x48\x8d\x87\x88\x01\0\0\xf3\x0f\x6f\x00");
    let code = code.bytes(b"\xf3\x0f\x6f\x48\x10\xc3");
    check(&calls(code), LABELS, Ok(place(5, &[], 0x188)));
    // Half of it only.
    let code = X86::new().bytes(b"\xc3\xf3\x0f\x6f\x47\x10\xc3");
    check(&calls(code), LABELS, Err(Refusal::ClientRandom));
    // Nothing of the connection is used, or a flag only: `movzx eax, [rdi+0x50]; ret`
    let code = X86::new().bytes(b"\xc3\x0f\xb6\x47\x50\xc3");
    check(&calls(code), LABELS, Err(Refusal::ClientRandom));
    // Two places might be it: `mov rbx, rdi` before, and then with rbx.
    let code = X86::new().bytes(b"\xc3\x48\x89\xfb");
    let code = code
        .bytes(b"\x48\x8d\x73\x10\xba\x20\0\0\0")
        .to(b"\xe8", CODE);
    let code = code
        .bytes(b"\x48\x8d\x73\x70\xba\x20\0\0\0")
        .to(b"\xe8", CODE);
    check(&calls(code), LABELS, Err(Refusal::ClientRandom));
}

#[test]
fn what_is_no_file_of_ours() {
    assert_eq!(resolve(b""), Err(Refusal::NotElf));
    assert_eq!(resolve(b"#!/bin/sh\n"), Err(Refusal::NotElf));
    assert_eq!(resolve(b"\x7fELF"), Err(Refusal::Machine(0)));
    assert_eq!(resolve(&elf(40, &[], &[])), Err(Refusal::Machine(40)));
    let file = elf(62, &logger().0, LABELS);
    assert_eq!(resolve(&file[..100]), Err(Refusal::Damaged));
    assert_eq!(build_id(b"\x7fELF"), None);
}

/// `lea rdi, [rip + …]; call …`: what is called reads from two arguments.
#[test]
fn what_is_for_debuggers_lies_behind() {
    let mut file = elf(62, &[0x90; 64], b"text");
    assert_eq!(crate::reach(&file), Some(TEXTS + 4));
    // A table of sections: 3 of 64 bytes.
    file[40..48].copy_from_slice(&(TEXTS + 100).to_le_bytes());
    file[58] = 64;
    file[60] = 3;
    assert_eq!(crate::reach(&file), Some(TEXTS + 100 + 192));
    assert_eq!(crate::reach(&file[..100]), None);
    assert_eq!(crate::reach(b"#!/bin/sh"), None);
}

#[test]
fn the_function_behind() {
    let find = |reads: &[u8]| {
        let code = X86::new().bytes(b"\xc3").bytes(reads);
        let code = code.to(b"\x48\x8d\x3d", RANDOM).to(b"\xe8", CODE + 1);
        let code = code.to(b"\x48\x8d\x3d", EXPORTER).to(b"\xe8", CODE + 1);
        let hooks = resolve(&elf(62, &code.0, LABELS))?;
        Ok(hooks
            .into_iter()
            .map(|hook| (hook.label, hook.client_random, hook.secret))
            .collect())
    };
    let label = Operand::Text(place(5, &[], 0));
    let random = Operand::Fixed(place(1, &[], 0), 32);
    // `movdqu xmm0, [rdx]; movzx eax, [rcx+rax]; ret`: the length was 32 everywhere.
    let secret = Operand::Sized(place(2, &[], 0), Register(8));
    let expected = vec![(label.clone(), random.clone(), secret)];
    let found = find(b"\xf3\x0f\x6f\x02\x0f\xb6\x04\x01\xc3");
    assert_eq!(found, Ok(expected));
    // `movzx eax, [rdx]; movzx eax, [r8]; ret`: the length is an argument.
    let secret = Operand::Sized(place(8, &[], 0), Register(9));
    let found = find(b"\x0f\xb6\x02\x41\x0f\xb6\x00\xc3");
    assert_eq!(found, Ok(vec![(label, random, secret)]));
    // Only one is read, or three; or the second's length would be no argument.
    for reads in [
        &b"\x0f\xb6\x02\xc3"[..],
        b"\x0f\xb6\x02\x0f\xb6\x01\x41\x0f\xb6\x00\xc3",
    ] {
        assert_eq!(find(reads), Err(Refusal::ClientRandom));
    }
    let last = find(b"\x41\x0f\xb6\x00\x41\x0f\xb6\x01\xc3");
    assert_eq!(last, Err(Refusal::ClientRandom));
}

/// `adrp x1, …; mov x0, x19; add x1, x1, …; bl …`
fn arm64_code(function: u64) -> Vec<u8> {
    let mut code: Vec<u32> = vec![
        0xd65f_03c0, // ret
        0xaa00_03e4, // mov x4, x0
        0x9105_8082, // add x2, x4, 0x160
        0xd280_0403, // mov x3, 32
        0x17ff_fffc, // b to the ret
    ];
    for text in [RANDOM, EXPORTER] {
        let pages = u32::try_from((TEXTS - CODE) >> 12).unwrap();
        let low = u32::try_from(text & 0xfff).unwrap();
        code.push(0x9000_0001 | (pages & 3) << 29 | (pages >> 2) << 5);
        code.push(0xaa13_03e0);
        code.push(0x9100_0021 | low << 10);
        let back = (function - CODE).cast_signed() / 4 - i64::try_from(code.len()).unwrap();
        code.push(0x9400_0000 | u32::try_from(back & 0x3ff_ffff).unwrap());
    }
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn arm64_calls() {
    let function = CODE + 4;
    let code = arm64_code(function);
    let expected = Hook {
        library: Library::OpenSsl,
        offset: function,
        label: Operand::Text(place(1, &[], 0)),
        client_random: Operand::Fixed(place(0, &[], 0x160), 32),
        secret: Operand::Sized(place(2, &[], 0), Register(3)),
        evidence: "2 labels in 2 calls, client random as 32 bytes handed on".into(),
    };
    assert_eq!(resolve(&elf(183, &code, LABELS)), Ok(vec![expected]));
}

/// Called through `jmp [rip + …]`, and the loader puts the function's address there.
#[test]
fn calls_through_stubs() {
    let (function, stub, slot) = (CODE + 1, CODE + 0x100, 0x8700);
    let mut code = logger().call(RANDOM, stub).call(EXPORTER, stub).0;
    code.resize(0x100, 0xcc);
    let code = X86(code).bytes(b"\xf3\x0f\x1e\xfa").to(b"\xff\x25", slot);
    let mut file = elf(62, &code.0, LABELS);
    assert_eq!(resolve(&file), Err(Refusal::ClientRandom));
    // Two symbols, of which the second is the function's; a relocation; their sections.
    let mut put = |at: usize, value: u64| file[at..at + 8].copy_from_slice(&value.to_le_bytes());
    put(0x8400 + 24 + 8, BASE + function);
    put(0x8500, BASE + slot);
    put(0x8508, 1 << 32 | 7);
    put(40, 0x8600);
    for (number, (kind, offset, length, link)) in [(11, 0x8400, 48, 0), (4, 0x8500, 24, 1)]
        .into_iter()
        .enumerate()
    {
        let header = 0x8600 + 64 * (number + 1);
        put(header + 4, kind);
        put(header + 24, offset);
        put(header + 32, length);
        put(header + 40, link);
    }
    file[58] = 64;
    file[60] = 3;
    let found = resolve(&file).map(|hooks| hooks.iter().map(|hook| hook.offset).collect());
    assert_eq!(found, Ok(vec![function]));
}

/// A table of two functions at `TEXTS`, and `moduledata` after it; the second function is
/// crypto/tls's.
fn go(magic: u8, name: &[u8], module: bool) -> Vec<u8> {
    let mut data = vec![0; 0x400];
    data[..8].copy_from_slice(&[magic, 0xff, 0xff, 0xff, 0, 0, 1, 8]);
    let mut put = |at: usize, value: u64| data[at..at + 8].copy_from_slice(&value.to_le_bytes());
    let (names, functions, module_at) = (0x80, 0x100, 0x200);
    put(8, 2);
    put(32, names);
    put(64, functions);
    // Offsets of the code and of the function's own record.
    put(0x100, 0x40 << 32);
    put(0x108, 0x10 | 0x48 << 32);
    put(0x110, 0x20);
    // The records: offset of the code, offset of the name.
    put(0x140, 1 << 32);
    put(0x148, 0x10 | 6 << 32);
    if module {
        put(module_at, BASE + TEXTS);
        put(module_at + 136, 3);
        put(module_at + 176, BASE + CODE);
    }
    data[0x81..0x86].copy_from_slice(b"main\0");
    data[0x86..0x86 + name.len()].copy_from_slice(name);
    elf(62, &[0xc3; 0x20], &data)
}

#[test]
fn go_functions() {
    let name = b"crypto/tls.(*Config).writeKeyLog\0";
    let expected = Hook {
        library: Library::Go,
        offset: CODE + 0x10,
        label: Operand::Sized(place(3, &[], 0), Register(2)),
        client_random: Operand::Fixed(place(5, &[], 0), 32),
        secret: Operand::Sized(place(9, &[], 0), Register(10)),
        evidence: "crypto/tls.(*Config).writeKeyLog in Go's table of functions".into(),
    };
    assert_eq!(resolve(&go(0xf1, name, true)), Ok(vec![expected.clone()]));
    assert_eq!(resolve(&go(0xf0, name, true)), Ok(vec![expected]));
    assert_eq!(resolve(&go(0xf1, name, false)), Err(Refusal::GoTable));
    assert_eq!(resolve(&go(0xfa, name, true)), Err(Refusal::GoTable));
    let other = b"crypto/tls.(*Config).otherKeyLog\0";
    assert_eq!(resolve(&go(0xf1, other, true)), Err(Refusal::NoLabels));
    // Its name is there, but no function has it.
    let inlined = b"x\0crypto/tls.(*Config).writeKeyLog\0";
    assert_eq!(resolve(&go(0xf1, inlined, true)), Err(Refusal::GoInlined));
}

/// One file of each kind.
pub(crate) fn samples() -> [Vec<u8>; 3] {
    let code = logger().call(RANDOM, CODE + 1).call(EXPORTER, CODE + 1);
    [
        elf(62, &code.0, LABELS),
        elf(183, &arm64_code(CODE + 4), LABELS),
        go(0xf1, b"crypto/tls.(*Config).writeKeyLog\0", true),
    ]
}

/// Headers, code, texts and the table of Go, where a changed byte may change something.
pub(crate) fn places() -> impl Strategy<Value = usize> {
    prop_oneof![0..240_usize, 0x1000..0x1080_usize, 0x8000..0x8400_usize]
}

proptest! {
    #[test]
    fn changed_files_end_in_an_answer(
        sample in 0..3_usize,
        changes in proptest::collection::vec((places(), any::<u8>()), 0..12),
        length in prop_oneof![Just(usize::MAX), 0..0x9000_usize],
    ) {
        let mut file = samples()[sample].clone();
        for (at, byte) in changes {
            file[at] = byte;
        }
        file.truncate(length);
        let _ = build_id(&file);
        for hook in resolve(&file).into_iter().flatten() {
            prop_assert!(usize::try_from(hook.offset).unwrap() < file.len());
        }
    }

    #[test]
    fn any_code_ends_in_an_answer(
        machine in prop_oneof![Just(62), Just(183)],
        code in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        // The calls are to the random bytes behind them.
        let random = CODE + 30;
        let mut all = X86::new().call(RANDOM, random).call(EXPORTER, random).0;
        prop_assert_eq!(all.len(), 30);
        all.extend_from_slice(&code);
        let _ = resolve(&elf(machine, &all, LABELS));
    }
}
