//! tcpdump as a compiler of filters, and a machine for what it makes.

use std::process::{Command, Stdio};

use pktwho_packet::LinkType;

use crate::cbpf::interpret::{self, Ancillary};
use crate::cbpf::{Insn, op};
use crate::testing::{Facts, Random};

/// A program of classic BPF.
pub struct Program(Vec<Insn>);

/// Whether there is a tcpdump.
pub fn is_installed() -> bool {
    Command::new("tcpdump").arg("--version").output().is_ok()
}

/// tcpdump's program.
///
/// # Errors
/// What it says against the filter.
pub fn compile(link_type: LinkType, text: &str, optimise: bool) -> Result<Program, String> {
    let mut command = Command::new("tcpdump");
    command.args(["-ddd", "-y", link_type.name().unwrap()]);
    if !optimise {
        command.arg("-O");
    }
    let output = command
        .args(["--", text])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let insn = |line: &str| {
        let numbers: Vec<u32> = line.split(' ').map(|n| n.parse().unwrap()).collect();
        Insn {
            code: u16::try_from(numbers[0]).unwrap(),
            jt: u8::try_from(numbers[1]).unwrap(),
            jf: u8::try_from(numbers[2]).unwrap(),
            k: numbers[3],
        }
    };
    Ok(Program(text.lines().skip(1).map(insn).collect()))
}

/// What an accumulator came from: bytes of the packet, masked.
#[derive(Clone, Copy)]
struct Field {
    at: usize,
    size: usize,
    mask: u32,
}

impl Program {
    /// The program for a filter that no packet matches.
    pub fn nothing() -> Self {
        Self(Vec::new())
    }

    /// Whether it loads only bytes, the direction and the device: offsets below zero are other
    /// facts in the kernel, and beyond every packet elsewhere.
    pub fn is_plain(&self) -> bool {
        self.0.iter().all(|insn| {
            let load = matches!(insn.code & 0x07, op::LD | op::LDX) && insn.code & 0xe0 == op::ABS;
            !load || insn.k < op::ANCILLARY || matches!(insn.k, op::PKTTYPE | op::IFINDEX)
        })
    }

    pub fn run(&self, packet: &[u8], length: u32, facts: Facts) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let ancillary = Ancillary {
            outgoing: facts.outgoing,
            ifindex: facts.ifindex,
            vlan: None,
        };
        interpret::run(&self.0, packet, length, ancillary) > 0
    }

    /// Bends the packet on its way through the program, so that it takes branches that random
    /// bytes never take; gives its length on the wire.
    pub fn bend(&self, packet: &mut [u8], facts: Facts, random: &mut Random) -> u32 {
        let length = u32::try_from(packet.len()).unwrap();
        for _ in 0..random.below(4) {
            self.walk(packet, length, facts, Some(random));
        }
        if random.below(4) == 0 {
            length + random.below(100)
        } else {
            length
        }
    }

    /// Whether it loads something beyond the packet's end.
    pub fn runs_off(&self, packet: &[u8], length: u32, facts: Facts) -> bool {
        self.walk(&mut packet.to_vec(), length, facts, None)
    }

    /// Runs the program and may change the packet just before bytes of it decide something;
    /// whether something beyond its end is loaded.
    fn walk(
        &self,
        packet: &mut [u8],
        length: u32,
        facts: Facts,
        mut random: Option<&mut Random>,
    ) -> bool {
        let (mut a, mut x, mut cells) = (0u32, 0u32, [0u32; 16]);
        let mut field: Option<Field> = None;
        let mut at = 0;
        for _ in 0..2000 {
            let Some(&Insn { code, jt, jf, k }) = self.0.get(at) else {
                return false;
            };
            at += 1;
            match code & 0x07 {
                op::LD => {
                    field = None;
                    let offset = match code & 0xe0 {
                        op::IMM => {
                            a = k;
                            continue;
                        }
                        op::LEN => {
                            a = length;
                            continue;
                        }
                        op::MEM => {
                            a = cells[k as usize];
                            continue;
                        }
                        op::IND => x.wrapping_add(k) as usize,
                        _ => k as usize,
                    };
                    let size = match code & 0x18 {
                        op::W => 4,
                        op::H => 2,
                        _ => 1,
                    };
                    let Some(bytes) = offset
                        .checked_add(size)
                        .and_then(|end| packet.get(offset..end))
                    else {
                        if k < op::ANCILLARY {
                            return true;
                        }
                        a = if facts.outgoing { op::OUTGOING } else { 0 };
                        continue;
                    };
                    a = bytes
                        .iter()
                        .fold(0, |sum, &byte| sum << 8 | u32::from(byte));
                    field = Some(Field {
                        at: offset,
                        size,
                        mask: u32::MAX >> (32 - 8 * size),
                    });
                }
                op::LDX => {
                    x = match code & 0xe0 {
                        op::MSH => match packet.get(k as usize) {
                            Some(byte) => 4 * u32::from(byte & 15),
                            None => return true,
                        },
                        op::MEM => cells[k as usize],
                        op::LEN => length,
                        _ => k,
                    };
                }
                op::ST => cells[k as usize] = a,
                op::STX => cells[k as usize] = x,
                op::ALU => {
                    let operand = if code & op::X == 0 { k } else { x };
                    let (value, kept) = alu(code & 0xf0, a, operand);
                    a = value;
                    field = field.filter(|_| kept).map(|field| Field {
                        mask: field.mask & operand,
                        ..field
                    });
                }
                op::JMP if code & 0xf0 == op::JA => at += k as usize,
                op::JMP => {
                    let operand = if code & op::X == 0 { k } else { x };
                    if let (Some(field), Some(random)) = (field, &mut random)
                        && random.below(2) == 0
                    {
                        a = bent(packet, field, operand, random);
                    }
                    let holds = match code & 0xf0 {
                        op::JEQ => a == operand,
                        op::JGT => a > operand,
                        op::JGE => a >= operand,
                        _ => a & operand != 0,
                    };
                    at += usize::from(if holds { jt } else { jf });
                }
                op::MISC if code & op::TXA != 0 => {
                    a = x;
                    field = None;
                }
                op::MISC => x = a,
                _ => return false,
            }
        }
        false
    }
}

/// The result, and whether it still is the bytes, with a mask.
fn alu(operation: u16, a: u32, operand: u32) -> (u32, bool) {
    let value = match operation {
        op::ADD => a.wrapping_add(operand),
        op::SUB => a.wrapping_sub(operand),
        op::MUL => a.wrapping_mul(operand),
        op::DIV => a.checked_div(operand).unwrap_or(0),
        op::MOD => a.checked_rem(operand).unwrap_or(0),
        op::OR => a | operand,
        op::XOR => a ^ operand,
        op::LSH => a.checked_shl(operand).unwrap_or(0),
        op::RSH => a.checked_shr(operand).unwrap_or(0),
        op::AND => return (a & operand, true),
        _ => a.wrapping_neg(),
    };
    (value, false)
}

/// Writes something near `operand` where the accumulator came from.
fn bent(packet: &mut [u8], field: Field, operand: u32, random: &mut Random) -> u32 {
    let wanted = match random.below(8) {
        0 => operand.wrapping_add(1),
        1 => operand.wrapping_sub(1),
        2 => 0,
        _ => operand,
    };
    let old = packet[field.at..field.at + field.size]
        .iter()
        .fold(0u32, |sum, &byte| sum << 8 | u32::from(byte));
    let new = old & !field.mask | wanted & field.mask;
    let bytes = new.to_be_bytes();
    packet[field.at..field.at + field.size].copy_from_slice(&bytes[4 - field.size..]);
    new & field.mask
}
