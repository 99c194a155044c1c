//! Bytes of the packet: by direct access, by calls, and around a VLAN tag that is not in them.

use super::assembler::{Register, STACK, Width, field, op};
use super::body::{BYTES, Body, DATA, DATA_END, OFFSET, PLACE, SCRATCH, Stop};
use crate::graph::ValueId;

/// Where the tag stands in the packet, as we show it.
const TAG: u32 = 12;
const BEHIND_TAG: u32 = 16;
const TAG_LEN: u32 = 4;

/// Beyond this, direct access leaves it to calls: the verifier follows offsets of 16 bits.
const DIRECT_MAX: u32 = 0x7000;

/// Calls refuse offsets beyond, so that sums need not be looked at again.
const OFFSET_MAX: u32 = 0x7fff_ffff;

/// The number as it stands in an instruction; the callers keep it below [`OFFSET_MAX`].
fn number(offset: u32) -> i32 {
    i32::try_from(offset).unwrap_or(i32::MAX)
}

fn short(offset: u32) -> i16 {
    i16::try_from(offset).unwrap_or(i16::MAX)
}

impl Body<'_, '_> {
    /// Bytes at `base + offset` into the value's register.
    pub fn bytes(
        &mut self,
        id: ValueId,
        width: Width,
        base: Option<ValueId>,
        offset: u32,
    ) -> Result<Register, Stop> {
        if offset > OFFSET_MAX - 8 {
            return Err(Stop::Rejects);
        }
        let Some(base) = base else {
            return self.at_constant(id, width, offset);
        };
        match (self.calls, self.tagged) {
            (Some(_), false) => self.direct(id, width, base, offset),
            (Some(_), true) if offset >= BEHIND_TAG => {
                self.direct(id, width, base, offset - TAG_LEN)
            }
            (Some(_), true) => Err(Stop::Calls),
            (None, _) => self.by_call(id, width, base, offset),
        }
    }

    fn at_constant(&mut self, id: ValueId, width: Width, offset: u32) -> Result<Register, Stop> {
        let end = offset + width.bytes();
        if !self.tagged || end <= TAG {
            return self.untagged(id, width, offset);
        }
        if offset >= BEHIND_TAG {
            return self.untagged(id, width, offset - TAG_LEN);
        }
        if offset >= TAG && end <= BEHIND_TAG {
            let to = self.take(id);
            self.tag(to, SCRATCH);
            self.code.alu(op::RSH, to, 8 * (BEHIND_TAG - end));
            if width != Width::Word {
                self.code.alu(op::AND, to, (1 << (8 * width.bytes())) - 1);
            }
            return Ok(to);
        }
        if self.calls.is_some() {
            return Err(Stop::Calls);
        }
        let to = self.take(id);
        self.code.set(Register::R2, offset);
        self.code.store(OFFSET, Register::R2);
        self.byte_by_byte(to, width);
        Ok(to)
    }

    /// The tag as it would stand in the packet. Uses `other` as well.
    fn tag(&mut self, to: Register, other: Register) {
        // The protocol is in the packet's byte order, the tag in ours.
        self.code.context(to, field::VLAN_PROTOCOL);
        self.code.swap(Width::Half, to);
        self.code.alu(op::LSH, to, 16);
        self.code.context(other, field::VLAN_TAG);
        self.code.alu(op::AND, other, 0xffff);
        self.code.alu_by(op::OR, to, other);
    }

    fn untagged(&mut self, id: ValueId, width: Width, offset: u32) -> Result<Register, Stop> {
        if self.calls.is_some() {
            self.check_constant(offset + width.bytes())?;
            let to = self.take(id);
            self.code.read(width, to, DATA, short(offset));
            self.code.swap(width, to);
            return Ok(to);
        }
        self.code.set(Register::R2, offset);
        Ok(self.call(id, width))
    }

    /// So many bytes lie in the linear part, or the copy with calls takes over.
    fn check_constant(&mut self, end: u32) -> Result<(), Stop> {
        let Some(calls) = self.calls else {
            return Ok(());
        };
        if end > DIRECT_MAX {
            return Err(Stop::Calls);
        }
        if self.held.checked < end {
            self.code.copy(SCRATCH, DATA);
            self.code.add(SCRATCH, number(end));
            self.code.jump_if_behind(SCRATCH, DATA_END, calls);
            self.held.checked = end;
        }
        Ok(())
    }

    fn direct(
        &mut self,
        id: ValueId,
        width: Width,
        base: ValueId,
        offset: u32,
    ) -> Result<Register, Stop> {
        let end = offset + width.bytes();
        let Some(calls) = self.calls.filter(|_| end <= DIRECT_MAX) else {
            return Err(Stop::Calls);
        };
        let known = self.held.place.filter(|(value, _)| *value == base);
        let checked = if let Some((_, checked)) = known {
            checked
        } else {
            let register = self.load(base)?;
            self.code.jump_if_above(register, number(DIRECT_MAX), calls);
            self.code.copy(PLACE, DATA);
            self.code.add_register(PLACE, register);
            0
        };
        if checked < end {
            self.code.copy(SCRATCH, PLACE);
            self.code.add(SCRATCH, number(end));
            self.code.jump_if_behind(SCRATCH, DATA_END, calls);
        }
        self.held.place = Some((base, checked.max(end)));
        let to = self.take(id);
        self.code.read(width, to, PLACE, short(offset));
        self.code.swap(width, to);
        Ok(to)
    }

    /// Bytes at R2 into the value's register.
    fn call(&mut self, id: ValueId, width: Width) -> Register {
        self.code.load_bytes(BYTES, width.bytes());
        self.code.jump_unless_zero(Register::R0, self.reject);
        let to = self.take(id);
        self.code.read(width, to, STACK, BYTES);
        self.code.swap(width, to);
        to
    }

    fn by_call(
        &mut self,
        id: ValueId,
        width: Width,
        base: ValueId,
        offset: u32,
    ) -> Result<Register, Stop> {
        let register = self.load(base)?;
        self.code.copy(Register::R2, register);
        self.code.add(Register::R2, number(offset));
        self.code
            .jump_if_above(Register::R2, number(OFFSET_MAX), self.reject);
        if !self.tagged {
            return Ok(self.call(id, width));
        }
        if offset >= BEHIND_TAG {
            self.code.add(Register::R2, -number(TAG_LEN));
            return Ok(self.call(id, width));
        }
        let to = self.take(id);
        let (plain, apart, done) = (self.code.label(), self.code.label(), self.code.label());
        let behind = self.code.label();
        self.code.store(OFFSET, Register::R2);
        self.code
            .jump_if_above(Register::R2, number(BEHIND_TAG - 1), behind);
        self.code
            .jump_if_above(Register::R2, number(TAG - width.bytes()), apart);
        self.code.jump(plain);
        self.code.place(behind);
        self.code.add(Register::R2, -number(TAG_LEN));
        self.code.place(plain);
        self.code.load_bytes(BYTES, width.bytes());
        self.code.jump_unless_zero(Register::R0, self.reject);
        self.code.read(width, to, STACK, BYTES);
        self.code.swap(width, to);
        self.code.jump(done);
        self.code.place(apart);
        self.byte_by_byte(to, width);
        self.code.place(done);
        Ok(to)
    }

    /// Bytes from the place kept on the stack, some of which are the tag's.
    fn byte_by_byte(&mut self, to: Register, width: Width) {
        self.code.set(to, 0);
        for step in 0..width.bytes() {
            self.code.alu(op::LSH, to, 8);
            self.code.read(Width::Double, Register::R2, STACK, OFFSET);
            self.code.add(Register::R2, number(step));
            self.any_byte();
            self.code.alu_by(op::OR, to, SCRATCH);
        }
    }

    /// The byte at R2 of the packet as we show it into [`SCRATCH`]; calls.
    pub fn any_byte(&mut self) {
        let (real, of_tag, got) = (self.code.label(), self.code.label(), self.code.label());
        self.code.jump_if(op::JLT, Register::R2, TAG, real);
        self.code.jump_if(op::JLT, Register::R2, BEHIND_TAG, of_tag);
        self.code.alu(op::SUB, Register::R2, TAG_LEN);
        self.code.place(real);
        self.plain_byte();
        self.code.jump(got);
        self.code.place(of_tag);
        self.code.set(Register::R1, BEHIND_TAG - 1);
        self.code.alu_by(op::SUB, Register::R1, Register::R2);
        self.code.alu(op::LSH, Register::R1, 3);
        self.tag(SCRATCH, Register::R0);
        self.code.alu_by(op::RSH, SCRATCH, Register::R1);
        self.code.alu(op::AND, SCRATCH, 0xff);
        self.code.place(got);
    }

    /// The byte at R2 of the packet as the kernel has it into [`SCRATCH`]; calls.
    pub fn plain_byte(&mut self) {
        self.code.load_bytes(BYTES, 1);
        self.code.jump_unless_zero(Register::R0, self.reject);
        self.code.read(Width::Byte, SCRATCH, STACK, BYTES);
    }

    /// What to take off an offset to find its byte in the packet as the kernel has it; None when
    /// that is to be seen for each byte.
    pub fn shift(&self, offset: u32) -> Option<u32> {
        match (self.tagged, offset >= BEHIND_TAG) {
            (false, _) => Some(0),
            (true, true) => Some(TAG_LEN),
            (true, false) => None,
        }
    }
}
