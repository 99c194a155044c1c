//! x86-64 instructions, as [`Op`]s.
//!
//! Source: the instruction set as iced-x86 decodes it; the System V psABI for registers.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic,
    OpAccess, OpKind, Register as Name,
};

use crate::Register;
use crate::code::{Memory, Op};

/// rdi, rsi, rdx, rcx, r8, r9
pub(crate) const ARGUMENTS: [Register; 6] = [
    Register(5),
    Register(4),
    Register(1),
    Register(2),
    Register(8),
    Register(9),
];
pub(crate) const STACK_POINTER: Register = Register(7);

/// By their numbers in DWARF.
pub(crate) const NAMES: [&str; 16] = [
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

/// The longest instruction in bytes.
const LONGEST: usize = 15;

pub(crate) fn decode(code: &[u8], address: u64, ops: &mut Vec<Op>) -> Option<usize> {
    let code = code.get(..LONGEST).unwrap_or(code);
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let instruction = decoder.decode();
    if instruction.is_invalid() {
        return None;
    }
    effects(&instruction, ops);
    Some(instruction.len())
}

fn effects(instruction: &Instruction, ops: &mut Vec<Op>) {
    match instruction.flow_control() {
        FlowControl::Next => {}
        FlowControl::Call => return ops.push(Op::Call(Some(instruction.near_branch_target()))),
        FlowControl::IndirectCall => return ops.push(Op::Call(None)),
        FlowControl::UnconditionalBranch => {
            return ops.push(Op::Jump(Some(instruction.near_branch_target())));
        }
        FlowControl::IndirectBranch => return ops.push(Op::Jump(None)),
        FlowControl::ConditionalBranch => {
            return ops.push(Op::Branch(instruction.near_branch_target()));
        }
        _ => return ops.push(Op::End),
    }
    let known = match instruction.mnemonic() {
        Mnemonic::Mov => moved(instruction),
        Mnemonic::Movzx => loaded_byte(instruction),
        Mnemonic::Movdqu
        | Mnemonic::Movups
        | Mnemonic::Movdqa
        | Mnemonic::Movaps
        | Mnemonic::Vmovdqu
        | Mnemonic::Vmovups => loaded_vector(instruction),
        Mnemonic::Lea => address(instruction),
        Mnemonic::Add => added(instruction, 1),
        Mnemonic::Sub => added(instruction, -1),
        Mnemonic::Xor => zeroed(instruction),
        Mnemonic::Push => return pushed(instruction, ops),
        Mnemonic::Pop => return popped(instruction, ops),
        _ => None,
    };
    match known {
        Some(op) => ops.push(op),
        None => forget(instruction, ops),
    }
}

fn moved(instruction: &Instruction) -> Option<Op> {
    match instruction.code() {
        Code::Mov_r64_rm64 | Code::Mov_rm64_r64 => {}
        Code::Mov_r8_rm8 => return loaded_byte(instruction),
        // Both clear the upper half.
        Code::Mov_r32_imm32 => {
            return Some(Op::Constant {
                to: whole(instruction.op0_register())?,
                value: u64::from(instruction.immediate32()),
            });
        }
        Code::Mov_r64_imm64 => {
            return Some(Op::Constant {
                to: whole(instruction.op0_register())?,
                value: instruction.immediate64(),
            });
        }
        Code::Mov_rm64_imm32 if instruction.op0_kind() == OpKind::Register => {
            return Some(Op::Constant {
                to: whole(instruction.op0_register())?,
                value: instruction.immediate32to64().cast_unsigned(),
            });
        }
        _ => return None,
    }
    match (instruction.op0_kind(), instruction.op1_kind()) {
        (OpKind::Register, OpKind::Register) => Some(Op::Move {
            to: whole(instruction.op0_register())?,
            from: whole(instruction.op1_register())?,
            add: 0,
        }),
        (OpKind::Register, OpKind::Memory) => Some(Op::Load {
            to: whole(instruction.op0_register())?,
            at: memory(instruction).filter(|at| !at.indexed)?,
        }),
        (OpKind::Memory, OpKind::Register) => Some(Op::Store {
            from: whole(instruction.op1_register())?,
            at: memory(instruction).filter(|at| !at.indexed)?,
        }),
        _ => None,
    }
}

fn loaded_byte(instruction: &Instruction) -> Option<Op> {
    let byte = instruction.memory_size().size() == 1;
    let at = memory(instruction).filter(|_| byte && instruction.op1_kind() == OpKind::Memory)?;
    let to = whole(instruction.op0_register())?;
    Some(Op::LoadByte { to, at })
}

fn loaded_vector(instruction: &Instruction) -> Option<Op> {
    let at = memory(instruction).filter(|_| instruction.op1_kind() == OpKind::Memory)?;
    let length = u8::try_from(instruction.memory_size().size()).ok()?;
    Some(Op::LoadVector { at, length })
}

fn address(instruction: &Instruction) -> Option<Op> {
    let to = whole(instruction.op0_register()).filter(|_| instruction.code() == Code::Lea_r64_m)?;
    if instruction.is_ip_rel_memory_operand() {
        let value = instruction.ip_rel_memory_address();
        return Some(Op::Constant { to, value });
    }
    let at = memory(instruction).filter(|at| !at.indexed)?;
    Some(Op::Move {
        to,
        from: at.base,
        add: at.displacement,
    })
}

fn added(instruction: &Instruction, sign: i32) -> Option<Op> {
    let to = whole(instruction.op0_register()).filter(|_| {
        instruction.op0_kind() == OpKind::Register && instruction.op0_register().size() == 8
    })?;
    let add = match instruction.op1_kind() {
        OpKind::Immediate8to64 => i32::try_from(instruction.immediate8to64()).ok()?,
        OpKind::Immediate32to64 => i32::try_from(instruction.immediate32to64()).ok()?,
        _ => return None,
    };
    let add = add.checked_mul(sign)?;
    Some(Op::Move { to, from: to, add })
}

/// `xor r, r`
fn zeroed(instruction: &Instruction) -> Option<Op> {
    let name = instruction.op0_register();
    let same = instruction.op1_kind() == OpKind::Register && instruction.op1_register() == name;
    let to = whole(name).filter(|_| same && name.size() >= 4)?;
    Some(Op::Constant { to, value: 0 })
}

fn pushed(instruction: &Instruction, ops: &mut Vec<Op>) {
    ops.push(Op::Move {
        to: STACK_POINTER,
        from: STACK_POINTER,
        add: -8,
    });
    let from = whole(instruction.op0_register());
    if let Some(from) = from.filter(|_| instruction.op0_kind() == OpKind::Register) {
        let at = top_of_stack();
        ops.push(Op::Store { from, at });
    }
}

fn popped(instruction: &Instruction, ops: &mut Vec<Op>) {
    let to = whole(instruction.op0_register());
    if let Some(to) = to.filter(|_| instruction.op0_kind() == OpKind::Register) {
        let at = top_of_stack();
        ops.push(Op::Load { to, at });
    }
    ops.push(Op::Move {
        to: STACK_POINTER,
        from: STACK_POINTER,
        add: 8,
    });
}

fn top_of_stack() -> Memory {
    Memory {
        base: STACK_POINTER,
        displacement: 0,
        indexed: false,
    }
}

fn memory(instruction: &Instruction) -> Option<Memory> {
    // fs: and gs: are other memory.
    if instruction.segment_prefix() != Name::None {
        return None;
    }
    let displacement = instruction.memory_displacement64().cast_signed();
    Some(Memory {
        base: whole(instruction.memory_base())?,
        displacement: i32::try_from(displacement).ok()?,
        indexed: instruction.memory_index() != Name::None,
    })
}

fn forget(instruction: &Instruction, ops: &mut Vec<Op>) {
    let mut factory = InstructionInfoFactory::new();
    for used in factory.info(instruction).used_registers() {
        let written = matches!(
            used.access(),
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        );
        if let Some(register) = whole(used.register()).filter(|_| written) {
            ops.push(Op::Forget(register));
        }
    }
}

/// The general register of which it is all or a part.
fn whole(name: Name) -> Option<Register> {
    let number = match name.full_register() {
        Name::RAX => 0,
        Name::RDX => 1,
        Name::RCX => 2,
        Name::RBX => 3,
        Name::RSI => 4,
        Name::RDI => 5,
        Name::RBP => 6,
        Name::RSP => 7,
        Name::R8 => 8,
        Name::R9 => 9,
        Name::R10 => 10,
        Name::R11 => 11,
        Name::R12 => 12,
        Name::R13 => 13,
        Name::R14 => 14,
        Name::R15 => 15,
        _ => return None,
    };
    Some(Register(number))
}
