//! arm64 instructions, as [`Op`]s: those that move pointers about; of the others, which
//! register they write.
//!
//! Source: the Arm Architecture Reference Manual (DDI 0487), C4 "A64 Instruction Set Encoding";
//! AAPCS64 for registers.

use crate::Register;
use crate::code::{Memory, Op};
use crate::elf::u32_at;

/// x0–x7
pub(crate) const ARGUMENTS: [Register; 8] = [
    Register(0),
    Register(1),
    Register(2),
    Register(3),
    Register(4),
    Register(5),
    Register(6),
    Register(7),
];
pub(crate) const STACK_POINTER: Register = Register(31);

pub(crate) const NAMES: [&str; 32] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30", "sp",
];

/// Of an instruction in bytes.
const LENGTH: usize = 4;

/// An instruction's 32 bits.
#[derive(Clone, Copy)]
struct Word(u32);

pub(crate) fn decode(code: &[u8], address: u64, ops: &mut Vec<Op>) -> Option<usize> {
    let word = Word(u32_at(code, 0)?);
    // Permanently undefined: padding, or no code at all.
    if word.0 >> 16 == 0 {
        return None;
    }
    // Bits 28 to 25 are the group.
    match word.bits(25, 4) {
        0b1000 | 0b1001 => immediate(word, address, ops),
        0b1010 | 0b1011 => branch(word, address, ops),
        0b0101 | 0b1101 => register(word, ops),
        0b0111 | 0b1111 => vector(word, ops),
        group if group & 0b0101 == 0b0100 => memory(word, ops),
        _ => return None,
    }
    Some(LENGTH)
}

impl Word {
    fn bits(self, from: u32, count: u32) -> u32 {
        (self.0 >> from) & ((1 << count) - 1)
    }

    /// The same as a number with a sign.
    fn signed(self, from: u32, count: u32) -> i32 {
        (self.0 << (32 - from - count)).cast_signed() >> (32 - count)
    }

    /// The register in the five bits from there.
    fn register(self, from: u32) -> Register {
        Register(u8::try_from(self.bits(from, 5)).unwrap_or(0))
    }

    fn is(self, mask: u32, value: u32) -> bool {
        self.0 & mask == value
    }
}

/// Forgets what a register holds; number 31 is no register here.
fn forget(register: Register, ops: &mut Vec<Op>) {
    if register.0 != 31 {
        ops.push(Op::Forget(register));
    }
}

fn immediate(word: Word, address: u64, ops: &mut Vec<Op>) {
    let to = word.register(0);
    if word.is(0x1f00_0000, 0x1000_0000) {
        // adr, adrp
        let far = i64::from(word.signed(5, 19)) << 2 | i64::from(word.bits(29, 2));
        let value = match word.bits(31, 1) {
            0 => address.wrapping_add_signed(far),
            _ => (address & !0xfff).wrapping_add_signed(far << 12),
        };
        return ops.push(Op::Constant { to, value });
    }
    if word.is(0xbf80_0000, 0x9100_0000) || word.is(0xff80_0000, 0xd100_0000) {
        // add, sub
        let add = word.bits(10, 12) << (12 * word.bits(22, 1));
        let add = add.cast_signed() * if word.bits(30, 1) == 0 { 1 } else { -1 };
        let from = word.register(5);
        return ops.push(Op::Move { to, from, add });
    }
    if word.is(0x7f80_0000, 0x5280_0000) {
        // movz
        let value = u64::from(word.bits(5, 16)) << (16 * word.bits(21, 2));
        return ops.push(Op::Constant { to, value });
    }
    forget(to, ops);
}

fn branch(word: Word, address: u64, ops: &mut Vec<Op>) {
    let target = |words: i32| address.wrapping_add_signed(i64::from(words) * 4);
    let op = if word.is(0xfc00_0000, 0x1400_0000) {
        Op::Jump(Some(target(word.signed(0, 26))))
    } else if word.is(0xfc00_0000, 0x9400_0000) {
        Op::Call(Some(target(word.signed(0, 26))))
    } else if word.is(0xff00_0000, 0x5400_0000) || word.is(0x7e00_0000, 0x3400_0000) {
        // b.cond, cbz, cbnz
        Op::Branch(target(word.signed(5, 19)))
    } else if word.is(0x7e00_0000, 0x3600_0000) {
        // tbz, tbnz
        Op::Branch(target(word.signed(5, 14)))
    } else if word.is(0xfe00_0000, 0xd600_0000) {
        match word.bits(21, 3) {
            0 => Op::Jump(None),
            1 => Op::Call(None),
            _ => Op::End,
        }
    } else if word.is(0xff00_0000, 0xd500_0000) {
        // Hints and barriers; mrs writes a register.
        if word.bits(21, 1) == 1 {
            forget(word.register(0), ops);
        }
        return;
    } else {
        Op::End
    };
    ops.push(op);
}

fn register(word: Word, ops: &mut Vec<Op>) {
    let to = word.register(0);
    // mov, as orr with the zero register
    if word.is(0xffe0_ffe0, 0xaa00_03e0) && to.0 != 31 {
        let from = word.register(16);
        return ops.push(match from.0 {
            31 => Op::Constant { to, value: 0 },
            _ => Op::Move { to, from, add: 0 },
        });
    }
    forget(to, ops);
}

fn vector(word: Word, ops: &mut Vec<Op>) {
    let general = word.is(0x5f20_fc00, 0x1e20_0000) // fmov and conversions
        || word.is(0xbfe0_fc00, 0x0e00_3c00) // umov
        || word.is(0xbfe0_fc00, 0x0e00_2c00); // smov
    if general {
        forget(word.register(0), ops);
    }
}

/// How a load or store finds its address.
#[derive(Clone, Copy)]
enum Mode {
    /// At base + displacement.
    Offset(i32),
    /// The same, and that becomes the base.
    Before(i32),
    /// At the base, to which is added afterwards.
    After(i32),
    Indexed,
}

fn memory(word: Word, ops: &mut Vec<Op>) {
    if word.is(0x3a00_0000, 0x2800_0000) {
        return pair(word, ops);
    }
    let size = word.bits(30, 2);
    // Vectors of 16 bytes have a size of their own.
    let whole_vector = word.is(0x0480_0000, 0x0480_0000) && size == 0;
    let scale = if whole_vector { 4 } else { size };
    let mode = if word.is(0x3b00_0000, 0x3900_0000) {
        Mode::Offset((word.bits(10, 12) << scale).cast_signed())
    } else if word.is(0x3b20_0000, 0x3800_0000) {
        match word.bits(10, 2) {
            1 => Mode::After(word.signed(12, 9)),
            3 => Mode::Before(word.signed(12, 9)),
            _ => Mode::Offset(word.signed(12, 9)),
        }
    } else if word.is(0x3b20_0c00, 0x3820_0800) {
        Mode::Indexed
    } else {
        // Exclusive, atomic and literal loads; structures of vectors.
        forget(word.register(0), ops);
        forget(word.register(5), ops);
        return forget(word.register(16), ops);
    };
    let of_vector = word.bits(26, 1) == 1;
    let load = word.bits(22, 2) != 0;
    let register = word.register(0);
    indexed(mode, word.register(5), ops, |at, ops| {
        match (of_vector, size, load) {
            (true, 0, true) if word.bits(22, 2) == 3 => {
                ops.push(Op::LoadVector { at, length: 16 });
            }
            (true, ..) => {}
            _ if register.0 == 31 => {}
            (_, 3, true) if !at.indexed && word.bits(22, 2) == 1 => {
                ops.push(Op::Load { to: register, at });
            }
            (_, 3, false) if !at.indexed => ops.push(Op::Store { from: register, at }),
            (_, 0, true) => ops.push(Op::LoadByte { to: register, at }),
            (_, _, true) => forget(register, ops),
            _ => {}
        }
    });
}

/// ldp, stp
fn pair(word: Word, ops: &mut Vec<Op>) {
    let whole = word.is(0xc400_0000, 0x8000_0000);
    let vectors = word.is(0xc400_0000, 0x8400_0000);
    let scale = match (whole, vectors) {
        (true, _) => 8,
        (_, true) => 16,
        _ => 0,
    };
    let add = word.signed(15, 7) * scale;
    let base = word.register(5);
    let mode = match word.bits(23, 2) {
        1 => Mode::After(add),
        3 => Mode::Before(add),
        _ => Mode::Offset(add),
    };
    let writes_base = matches!(mode, Mode::After(_) | Mode::Before(_));
    let load = word.bits(22, 1) == 1;
    indexed(mode, base, ops, |at, ops| {
        let second = Memory {
            displacement: at.displacement.saturating_add(scale),
            ..at
        };
        for (register, at) in [(word.register(0), at), (word.register(10), second)] {
            if vectors && load {
                ops.push(Op::LoadVector { at, length: 16 });
            }
            if word.bits(26, 1) == 1 || register.0 == 31 {
                continue;
            }
            match (whole, load) {
                (true, true) => ops.push(Op::Load { to: register, at }),
                (true, false) => ops.push(Op::Store { from: register, at }),
                (false, true) => forget(register, ops),
                (false, false) => {}
            }
        }
    });
    if writes_base && !whole && !vectors {
        // By how much depends on the size, which was not looked at.
        ops.push(Op::Forget(base));
    }
}

/// Appends what `access` does, and what becomes of the base.
fn indexed(mode: Mode, base: Register, ops: &mut Vec<Op>, access: impl Fn(Memory, &mut Vec<Op>)) {
    let memory = |displacement, indexed| Memory {
        base,
        displacement,
        indexed,
    };
    let moved = |add| Op::Move {
        to: base,
        from: base,
        add,
    };
    match mode {
        Mode::Offset(add) => access(memory(add, false), ops),
        Mode::Indexed => access(memory(0, true), ops),
        Mode::Before(add) => {
            ops.push(moved(add));
            access(memory(0, false), ops);
        }
        Mode::After(add) => {
            access(memory(0, false), ops);
            ops.push(moved(add));
        }
    }
}
