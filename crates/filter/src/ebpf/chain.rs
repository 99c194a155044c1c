//! `protochain` in eBPF: a loop that the verifier can follow to its end.

use super::assembler::{Label, Register, STACK, Width, field, op};
use super::body::{Body, Held, OFFSET, SCRATCH, Stop};
use crate::graph::{CHAIN_HEADERS, ValueId};

const IPV4_PROTOCOL: i32 = 9;
const IPV6_NEXT: i32 = 6;
const IPV6_LENGTH: u32 = 40;

const NONE: u32 = 59;
const AH: u32 = 51;
/// Headers of RFC 8200: hop-by-hop, destination, routing, fragment.
const EXTENSIONS: [u32; 4] = [0, 60, 43, 44];

/// Registers that calls leave alone.
const NEXT: Register = Register::R7;
const AT: Register = Register::R8;
const COUNT: Register = Register::R9;

impl Body<'_, '_> {
    /// Jumps to one of the labels. Only the copy with calls can.
    pub fn chain(
        &mut self,
        version: u8,
        (base, offset): (Option<ValueId>, u32),
        protocol: u32,
        (yes, no): (Label, Label),
    ) -> Result<(), Stop> {
        if self.calls.is_some() {
            return Err(Stop::Calls);
        }
        let shift = self.shift(offset);
        let offset = offset - shift.unwrap_or(0);
        match (base, i32::try_from(offset)) {
            (_, Err(_)) => return Err(Stop::Rejects),
            (Some(base), Ok(offset)) => {
                let register = self.load(base)?;
                self.code.copy(Register::R2, register);
                self.code.add(Register::R2, offset);
            }
            (None, Ok(_)) => self.code.set(Register::R2, offset),
        }
        // No packet is so long; and the sums below cannot wrap.
        self.code
            .jump_if_above(Register::R2, 0x0fff_ffff, self.reject);
        self.code.store(OFFSET, Register::R2);
        self.held = Held::default();
        let is_plain = shift.is_some();
        if version == 4 {
            self.header_byte(None, IPV4_PROTOCOL, is_plain);
            self.code.copy(NEXT, SCRATCH);
            self.header_byte(None, 0, is_plain);
            self.code.copy(AT, SCRATCH);
            self.code.alu(op::AND, AT, 15);
            self.code.alu(op::LSH, AT, 2);
        } else {
            self.header_byte(None, IPV6_NEXT, is_plain);
            self.code.copy(NEXT, SCRATCH);
            self.code.set(AT, IPV6_LENGTH);
        }
        self.follow(version, protocol, is_plain, (yes, no));
        Ok(())
    }

    fn follow(&mut self, version: u8, protocol: u32, is_plain: bool, (yes, no): (Label, Label)) {
        let (top, extension) = (self.code.label(), self.code.label());
        let count = self.code.label();
        self.code.set(COUNT, 0);
        self.code.place(top);
        self.code.jump_if(op::JEQ, NEXT, protocol, yes);
        // Nothing is asked twice: where the verifier knows the answer beforehand, it follows
        // each number of each header by itself, and gives up.
        if protocol != NONE {
            self.code.jump_if(op::JEQ, NEXT, NONE, no);
        }
        if version != 4 {
            for kind in EXTENSIONS.into_iter().filter(|&kind| kind != protocol) {
                self.code.jump_if(op::JEQ, NEXT, kind, extension);
            }
        }
        if protocol == AH {
            self.code.jump(no);
        } else {
            self.code.jump_if(op::JNE, NEXT, AH, no);
            self.next_header(is_plain);
            self.code.copy(AT, SCRATCH);
            self.code.alu(op::ADD, AT, 2);
            self.code.alu(op::LSH, AT, 2);
        }
        if version == 4 && protocol == AH {
            return;
        }
        if version != 4 {
            if protocol != AH {
                self.code.jump(count);
            }
            self.code.place(extension);
            self.next_header(is_plain);
            self.code.alu(op::ADD, SCRATCH, 1);
            self.code.alu(op::LSH, SCRATCH, 3);
            self.code.alu_by(op::ADD, AT, SCRATCH);
        }
        self.code.place(count);
        self.code.alu(op::ADD, COUNT, 1);
        self.code.jump_if(op::JLT, COUNT, CHAIN_HEADERS, top);
        self.code.jump(no);
    }

    /// [`NEXT`] from the first byte of the header at [`AT`], its second byte into [`SCRATCH`].
    fn next_header(&mut self, is_plain: bool) {
        self.header_byte(Some(AT), 0, is_plain);
        self.code.copy(NEXT, SCRATCH);
        self.header_byte(Some(AT), 1, is_plain);
    }

    fn header_byte(&mut self, at: Option<Register>, offset: i32, is_plain: bool) {
        self.code.read(Width::Double, Register::R2, STACK, OFFSET);
        if let Some(at) = at {
            self.code.add_register(Register::R2, at);
        }
        self.code.add(Register::R2, offset);
        if is_plain {
            self.plain_byte();
        } else {
            // The verifier would follow every offset that it can tell apart along the loop:
            // after this it knows none.
            self.code.context(Register::R1, field::LEN);
            self.code.alu_by(op::ADD, Register::R2, Register::R1);
            self.code.alu_by(op::SUB, Register::R2, Register::R1);
            self.any_byte();
        }
    }
}
