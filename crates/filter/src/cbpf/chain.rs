//! `protochain` in classic BPF: a loop with an end.

use super::values::{Encoder, Stop};
use super::{Insn, op};
use crate::graph::{CHAIN_HEADERS, ValueId};

/// Offsets of a header's fields, from its start, and its length where it is fixed.
const IPV4_PROTOCOL: u32 = 9;
const IPV6_NEXT: u32 = 6;
const IPV6_LENGTH: u32 = 40;

const NONE: u32 = 59;
const AH: u32 = 51;
/// Headers of RFC 8200: hop-by-hop, destination, routing, fragment.
const EXTENSIONS: [u32; 4] = [0, 60, 43, 44];

/// Cells that the loop uses.
struct Cells {
    next: u32,
    count: u32,
    /// Where the first header is, less what is the same in every packet.
    start: Option<u32>,
}

impl Encoder<'_> {
    /// Leaves `protocol` in A when the chain has it, and something else when not.
    pub fn chain(
        &mut self,
        version: u8,
        (varying, from): (Option<ValueId>, u32),
        protocol: u8,
    ) -> Result<(), Stop> {
        // No packet is so long, and a sum that wrapped would lie in another one's bytes.
        if from >= op::ANCILLARY {
            return Err(Stop::Rejects);
        }
        let cells = Cells {
            next: self.cell()?,
            count: self.cell()?,
            start: varying.map(|_| self.cell()).transpose()?,
        };
        if let Some(varying) = varying {
            self.load(varying)?;
            self.put(op::MISC | op::TAX, 0);
        } else {
            self.put(op::LDX | op::IMM, 0);
        }
        if let Some(cell) = cells.start {
            self.put(op::ST, cell);
        }
        self.first_header(version, from, &cells);
        self.follow(version, from, protocol.into(), &cells);
        (self.a, self.x) = (None, None);
        for _ in 0..2 + u32::from(varying.is_some()) {
            self.release();
        }
        Ok(())
    }

    /// Its protocol into `next`, where its payload begins into X.
    fn first_header(&mut self, version: u8, from: u32, cells: &Cells) {
        let byte = op::LD | op::B | op::IND;
        self.put(op::LD | op::IMM, 0);
        self.put(op::ST, cells.count);
        if version == 4 {
            self.put(byte, from.wrapping_add(IPV4_PROTOCOL));
            self.put(op::ST, cells.next);
            self.put(byte, from);
            self.put(op::ALU | op::AND, 15);
            self.put(op::ALU | op::LSH, 2);
        } else {
            self.put(byte, from.wrapping_add(IPV6_NEXT));
            self.put(op::ST, cells.next);
            self.put(op::LD | op::IMM, IPV6_LENGTH);
        }
        self.put(op::ALU | op::ADD | op::X, 0);
        self.put(op::MISC | op::TAX, 0);
    }

    fn follow(&mut self, version: u8, from: u32, protocol: u32, cells: &Cells) {
        let byte = op::LD | op::B | op::IND;
        let extension = [
            (byte, from),
            (op::ST, cells.next),
            (byte, from.wrapping_add(1)),
            (op::ALU | op::ADD, 1),
            (op::ALU | op::MUL, 8),
            (op::ALU | op::ADD | op::X, 0),
        ];
        let mut authentication = vec![
            (byte, from),
            (op::ST, cells.next),
            (byte, from.wrapping_add(1)),
            (op::ALU | op::ADD, 2),
            (op::ALU | op::MUL, 4),
        ];
        if let Some(start) = cells.start {
            authentication.push((op::LDX | op::MEM, start));
            authentication.push((op::ALU | op::ADD | op::X, 0));
        }
        let count = [
            (op::MISC | op::TAX, 0),
            (op::LD | op::MEM, cells.count),
            (op::ALU | op::ADD, 1),
            (op::ST, cells.count),
        ];
        let kinds: &[u32] = if version == 4 { &[] } else { &EXTENSIONS };
        // Places, counted from the loop's first instruction.
        let extensions_at = 3 + kinds.len() + 1;
        let skip = if kinds.is_empty() {
            0
        } else {
            extension.len() + 1
        };
        let authentication_at = extensions_at + skip;
        let count_at = authentication_at + authentication.len();
        let end = count_at + count.len() + 3;
        let top = self.body.len();
        self.put(op::LD | op::MEM, cells.next);
        self.equal(protocol, end - 1 - 1, 0);
        self.equal(NONE, end - 2 - 1, 0);
        for (i, &kind) in kinds.iter().enumerate() {
            self.equal(kind, extensions_at - (3 + i) - 1, 0);
        }
        let last = 3 + kinds.len();
        self.equal(AH, authentication_at - last - 1, end - last - 1);
        if !kinds.is_empty() {
            self.put_all(&extension);
            self.put(op::JMP | op::JA, number(count_at - authentication_at));
        }
        self.put_all(&authentication);
        self.put_all(&count);
        // Once too often: something that is not the protocol. Else back to the top.
        let back = number(self.body.len() + 3 - top).wrapping_neg();
        self.body.push(Insn {
            code: op::JMP | op::JGE,
            jt: 1,
            jf: 0,
            k: CHAIN_HEADERS,
        });
        self.put(op::JMP | op::JA, back.wrapping_add(1));
        self.put(op::LD | op::IMM, protocol ^ 1);
    }

    fn equal(&mut self, k: u32, yes: usize, no: usize) {
        let short = |distance: usize| u8::try_from(distance).unwrap_or(u8::MAX);
        self.body.push(Insn {
            code: op::JMP | op::JEQ,
            jt: short(yes),
            jf: short(no),
            k,
        });
    }

    fn put_all(&mut self, instructions: &[(u16, u32)]) {
        for &(code, k) in instructions {
            self.put(code, k);
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
