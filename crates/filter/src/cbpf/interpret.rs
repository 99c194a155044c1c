//! Runs classic BPF, for tests alone: what the encoder means is compared with the graph.

#![allow(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a wrong program is to panic; in tests alone nothing is warned of"
)]

use super::{Insn, op};

/// Facts that ancillary loads give.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ancillary {
    pub outgoing: bool,
    pub ifindex: u32,
    pub vlan: Option<(u16, u16)>,
}

/// What the program returns; 0 for a load beyond the bytes.
///
/// # Panics
/// On a program that neither kernel nor libpcap would run.
pub fn run(program: &[Insn], data: &[u8], length: u32, facts: Ancillary) -> u32 {
    let (mut a, mut x, mut cells) = (0u32, 0u32, [0u32; 16]);
    let mut at = 0usize;
    for _ in 0..1_000_000 {
        let Insn { code, jt, jf, k } = program[at];
        at += 1;
        match code & 0x07 {
            op::LD | op::LDX => {
                let value = match code & 0xe0 {
                    op::IMM => k,
                    op::ABS if k >= op::ANCILLARY => ancillary(k, facts),
                    op::ABS | op::IND => {
                        let offset = if code & 0xe0 == op::IND { x } else { 0 };
                        let size = match code & 0x18 {
                            op::W => 4,
                            op::H => 2,
                            _ => 1,
                        };
                        // The sum does not wrap.
                        match offset.checked_add(k).and_then(|at| bytes(data, at, size)) {
                            Some(value) => value,
                            None => return 0,
                        }
                    }
                    op::MEM => cells[k as usize],
                    op::LEN => length,
                    op::MSH => match bytes(data, k, 1) {
                        Some(byte) => 4 * (byte & 15),
                        None => return 0,
                    },
                    other => panic!("mode {other:#x}"),
                };
                if code & 0x07 == op::LD {
                    a = value;
                } else {
                    x = value;
                }
            }
            op::ST => cells[k as usize] = a,
            op::STX => cells[k as usize] = x,
            op::ALU => {
                let operand = if code & op::X == 0 { k } else { x };
                a = match code & 0xf0 {
                    op::ADD => a.wrapping_add(operand),
                    op::SUB => a.wrapping_sub(operand),
                    op::MUL => a.wrapping_mul(operand),
                    op::DIV | op::MOD if operand == 0 => return 0,
                    op::DIV => a / operand,
                    op::MOD => a % operand,
                    op::OR => a | operand,
                    op::AND => a & operand,
                    op::XOR => a ^ operand,
                    op::LSH => a.checked_shl(operand).unwrap_or(0),
                    op::RSH => a.checked_shr(operand).unwrap_or(0),
                    op::NEG => a.wrapping_neg(),
                    other => panic!("operation {other:#x}"),
                };
            }
            op::JMP => {
                let operand = if code & op::X == 0 { k } else { x };
                let holds = match code & 0xf0 {
                    op::JA => {
                        let to = u32::try_from(at).expect("short").wrapping_add(k);
                        at = to as usize;
                        continue;
                    }
                    op::JEQ => a == operand,
                    op::JGT => a > operand,
                    op::JGE => a >= operand,
                    op::JSET => a & operand != 0,
                    other => panic!("jump {other:#x}"),
                };
                at += usize::from(if holds { jt } else { jf });
            }
            op::RET => return if code & 0x18 == op::A { a } else { k },
            _ if code & 0xf8 == op::TXA => a = x,
            _ => x = a,
        }
    }
    panic!("no end: {program:?}");
}

fn ancillary(k: u32, facts: Ancillary) -> u32 {
    match k {
        op::PKTTYPE if facts.outgoing => op::OUTGOING,
        op::PKTTYPE => 0,
        op::IFINDEX => facts.ifindex,
        op::VLAN_TAG => facts.vlan.unwrap_or_default().1.into(),
        op::VLAN_PRESENT => facts.vlan.is_some().into(),
        op::VLAN_PROTOCOL => facts.vlan.unwrap_or_default().0.into(),
        other => panic!("ancillary load {other:#x}"),
    }
}

fn bytes(data: &[u8], offset: u32, size: usize) -> Option<u32> {
    let bytes = data.get(offset as usize..)?.get(..size)?;
    Some(
        bytes
            .iter()
            .fold(0, |number, &byte| number << 8 | u32::from(byte)),
    )
}
