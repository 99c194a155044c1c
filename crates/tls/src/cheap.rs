//! A place beside a function's first instruction that costs the process less.
//!
//! A uprobe at an instruction that the kernel can carry out itself takes one trap (0.7 µs where
//! this was measured), at any other a second one, which steps over a copy of it (10 µs in a
//! virtual machine). So the hook moves forward to the first such instruction, as long as all
//! values are still in registers and nobody can have come from elsewhere.
//! Source of truth: arch/x86/kernel/uprobes.c, which emulates calls, jumps and branches to an
//! offset, `nop`, and pushes of a register.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register as X86,
};

use crate::elf::{Elf, Machine, machine};
use crate::hook::{Hook, Operand, Register};

/// So far we go (instructions, bytes).
const STEPS_MAX: usize = 12;
const BYTES_MAX: usize = 96;

/// A hook of [`resolve`](crate::resolve) at a cheaper place of the same function, with the
/// registers that hold its values there; as it was when there is none, or the code is not x86-64's.
pub fn cheaper(file: &[u8], hook: Hook) -> Hook {
    if machine(file) != Some(Machine::X86) {
        return hook;
    }
    let code = usize::try_from(hook.offset).ok();
    let code = code.and_then(|start| file.get(start..));
    code.and_then(|code| moved(code, &hook)).unwrap_or(hook)
}

/// The same of a file of which parts are there.
pub(crate) fn cheaper_in(elf: &Elf<'_>, hook: Hook) -> Hook {
    let code = elf.code_from(hook.offset);
    let code = code.filter(|_| elf.machine == Machine::X86);
    code.and_then(|code| moved(code, &hook)).unwrap_or(hook)
}

/// By the code from the hook on.
fn moved(code: &[u8], hook: &Hook) -> Option<Hook> {
    let code = code.get(..BYTES_MAX.min(code.len()))?;
    let mut decoder = Decoder::with_ip(64, code, hook.offset, DecoderOptions::NONE);
    let mut values: Vec<Value> = registers(hook).into_iter().map(Value::new).collect();
    let mut facts = InstructionInfoFactory::new();
    let mut instruction = Instruction::default();
    for _ in 0..STEPS_MAX {
        decoder.decode_out(&mut instruction);
        if is_emulated(&instruction) {
            return rename(hook, instruction.ip(), &values);
        }
        let info = facts.info(&instruction);
        let writes_elsewhere = info.used_memory().iter().any(|memory| {
            !matches!(memory.access(), OpAccess::Read | OpAccess::NoMemAccess)
                && memory.base() != X86::RSP
        });
        if instruction.is_invalid()
            || instruction.flow_control() != FlowControl::Next
            || writes_elsewhere
        {
            return None;
        }
        let written: Vec<u8> = info
            .used_registers()
            .iter()
            .filter(|used| !matches!(used.access(), OpAccess::Read | OpAccess::CondRead))
            .filter_map(|used| number(used.register()))
            .collect();
        let copy = copied(&instruction);
        for value in &mut values {
            value.step(copy, &written);
            value.held.first()?;
        }
    }
    None
}

/// A value that a register held at first, and the registers that hold it now.
struct Value {
    was: u8,
    /// Only its lower 32 bits matter.
    is_length: bool,
    held: Vec<u8>,
}

/// A copy between registers: from, to, and whether of 64 bits.
type Copied = Option<(u8, u8, bool)>;

impl Value {
    fn new((register, is_length): (Register, bool)) -> Self {
        Self {
            was: register.0,
            is_length,
            held: vec![register.0],
        }
    }

    fn step(&mut self, copy: Copied, written: &[u8]) {
        let copy =
            copy.filter(|&(from, _, whole)| self.held.contains(&from) && (whole || self.is_length));
        self.held.retain(|held| !written.contains(held));
        self.held.extend(copy.map(|(_, to, _)| to));
    }
}

/// `mov` from one general register to another.
fn copied(instruction: &Instruction) -> Copied {
    let is_copy = instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register;
    let (to, from) = (instruction.op0_register(), instruction.op1_register());
    if !is_copy || !(from.is_gpr64() || from.is_gpr32()) {
        return None;
    }
    Some((number(from)?, number(to)?, from.is_gpr64()))
}

/// Whether the kernel carries it out without a second trap.
fn is_emulated(instruction: &Instruction) -> bool {
    match instruction.code() {
        Code::Jmp_rel8_64 | Code::Jmp_rel32_64 | Code::Call_rel32_64 => {
            // Without a prefix.
            matches!(instruction.len(), 2 | 5)
        }
        Code::Nopd => instruction.len() == 1,
        Code::Push_r64 => instruction.len() <= 2,
        _ => {
            instruction.flow_control() == FlowControl::ConditionalBranch
                && (instruction.is_jcc_short() && instruction.len() == 2
                    || instruction.is_jcc_near() && instruction.len() == 6)
        }
    }
}

/// The registers that a hook reads, and whether for a length.
fn registers(hook: &Hook) -> Vec<(Register, bool)> {
    let mut registers = Vec::new();
    for operand in [&hook.label, &hook.client_random, &hook.secret] {
        match operand {
            Operand::Text(place) | Operand::Fixed(place, _) => {
                registers.push((place.register, false));
            }
            Operand::Sized(place, length) => {
                registers.extend([(place.register, false), (*length, true)]);
            }
        }
    }
    registers
}

/// The hook at that offset, its registers those that hold the values there.
fn rename(hook: &Hook, offset: u64, values: &[Value]) -> Option<Hook> {
    let mut hook = hook.clone();
    hook.offset = offset;
    let now = |register: &mut Register, is_length| {
        let mut values = values.iter();
        let value = values.find(|v| v.was == register.0 && v.is_length == is_length)?;
        let stays = value.held.contains(&value.was);
        register.0 = if stays {
            value.was
        } else {
            *value.held.first()?
        };
        Some(())
    };
    for operand in [&mut hook.label, &mut hook.client_random, &mut hook.secret] {
        match operand {
            Operand::Text(place) | Operand::Fixed(place, _) => now(&mut place.register, false)?,
            Operand::Sized(place, length) => {
                now(&mut place.register, false)?;
                now(length, true)?;
            }
        }
    }
    Some(hook)
}

/// A general register's DWARF number, whatever part of it is meant.
fn number(register: X86) -> Option<u8> {
    const BY_DWARF: [X86; 16] = [
        X86::RAX,
        X86::RDX,
        X86::RCX,
        X86::RBX,
        X86::RSI,
        X86::RDI,
        X86::RBP,
        X86::RSP,
        X86::R8,
        X86::R9,
        X86::R10,
        X86::R11,
        X86::R12,
        X86::R13,
        X86::R14,
        X86::R15,
    ];
    let full = register.full_register();
    let position = BY_DWARF.iter().position(|&known| known == full)?;
    u8::try_from(position).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Library, Place};

    /// Label in rsi, client random from rdi, secret in rdx and rcx.
    fn hook() -> Hook {
        Hook {
            library: Library::OpenSsl,
            offset: 1,
            label: Operand::Text(Place::of(Register(4))),
            client_random: Operand::Fixed(
                Place {
                    add: 0x160,
                    ..Place::of(Register(5))
                },
                32,
            ),
            secret: Operand::Sized(Place::of(Register(1)), Register(2)),
            evidence: String::new(),
        }
    }

    /// Code behind one byte; the offset, and the registers of label, client random, secret and
    /// length.
    fn check(code: &[u8], expected: (u64, [u8; 4])) {
        let file: Vec<u8> = [&[0xcc][..], code].concat();
        let hook = moved(&file[1..], &hook()).unwrap_or(hook());
        let registers: Vec<u8> = registers(&hook).iter().map(|(r, _)| r.0).collect();
        assert_eq!(
            (hook.offset, registers),
            (expected.0, expected.1.to_vec()),
            "{code:x?}"
        );
    }

    #[test]
    fn values_are_followed_to_where_it_is_cheap() {
        let same = [4, 5, 1, 2];
        // push rbp
        check(&[0x55], (1, same));
        // endbr64; push r14
        check(&[0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0x56], (5, same));
        // sub rsp, 24; cmp rdi, 0; je
        check(
            &[0x48, 0x83, 0xec, 0x18, 0x48, 0x83, 0xff, 0, 0x74, 0],
            (9, same),
        );
        // mov rax, rdi; mov r8, rdx; mov rdi, rsi; mov r9, rcx; lea rdx, [rax+352]; mov ecx, 32;
        // mov rsi, rax; jmp
        let shuffled = [
            0x48, 0x89, 0xf8, 0x49, 0x89, 0xd0, 0x48, 0x89, 0xf7, 0x49, 0x89, 0xc9, 0x48, 0x8d,
            0x90, 0x60, 1, 0, 0, 0xb9, 0x20, 0, 0, 0, 0x48, 0x89, 0xc6, 0xe9, 0, 0, 0, 0,
        ];
        check(&shuffled, (28, [5, 0, 8, 9]));
        // mov r9d, ecx; xor ecx, ecx; push rbx: of a length 32 bits are enough.
        check(&[0x41, 0x89, 0xc9, 0x31, 0xc9, 0x53], (6, [4, 5, 1, 9]));
    }

    #[test]
    fn a_hook_stays_when_there_is_no_cheaper_place() {
        let same = (1, [4, 5, 1, 2]);
        check(&[], same);
        // mov edi, edi: half of an address is lost.
        check(&[0x89, 0xff, 0x55], same);
        // mov [rsi], rax: may be the label.
        check(&[0x48, 0x89, 6, 0x55], same);
        // xor esi, esi
        check(&[0x31, 0xf6, 0x55], same);
        // ret; jmp rax; an instruction that is cut off
        check(&[0xc3], same);
        check(&[0xff, 0xe0], same);
        check(&[0xe9, 0, 0], same);
        // More than is looked at.
        check(
            &[&[0x48, 0x85, 0xc0].repeat(STEPS_MAX)[..], &[0x55]].concat(),
            same,
        );
    }
}
