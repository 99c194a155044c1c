//! Calls within a library that go through its linkage table, as calls to functions that others
//! might replace do: from the stub to the function.
//!
//! Source: the psABIs of x86-64 (5.2.3, "Procedure Linkage Table") and arm64.

use crate::elf::{Elf, Machine, i32_at, u32_at};

/// The function of this file at which a stub ends. `None` for what is no stub, and for functions
/// of other files.
pub(crate) fn function(elf: &Elf<'_>, stub: u64) -> Option<u64> {
    let code = elf.code_at(stub)?;
    let slot = match elf.machine {
        Machine::X86 => x86_slot(code, stub)?,
        Machine::Arm64 => arm64_slot(code, stub)?,
    };
    elf.symbol_at(slot)
}

/// `jmp [rip + distance]`, perhaps behind `endbr64` and with a `bnd` prefix.
fn x86_slot(code: &[u8], stub: u64) -> Option<u64> {
    const ENDBR64: &[u8] = b"\xf3\x0f\x1e\xfa";
    let mut rest = code.strip_prefix(ENDBR64).unwrap_or(code);
    rest = rest.strip_prefix(b"\xf2").unwrap_or(rest);
    rest = rest.strip_prefix(b"\xff\x25")?;
    let distance = i64::from(i32_at(rest, 0)?);
    let length = u64::try_from(code.len() - rest.len()).ok()?;
    Some(stub.wrapping_add(length + 4).wrapping_add_signed(distance))
}

/// `adrp x16, page; ldr x17, [x16, offset]`, perhaps behind `bti c`.
fn arm64_slot(code: &[u8], stub: u64) -> Option<u64> {
    const BTI_C: u32 = 0xd503_245f;
    let skip: u8 = if u32_at(code, 0)? == BTI_C { 4 } else { 0 };
    let first = u32_at(code, usize::from(skip))?;
    let second = u32_at(code, usize::from(skip) + 4)?;
    if first & 0x9f00_001f != 0x9000_0010 || second & 0xffc0_03ff != 0xf940_0211 {
        return None;
    }
    let high = (first << 8).cast_signed() >> 13 << 2;
    let pages = i64::from(high | (first >> 29 & 3).cast_signed());
    let page = (stub.wrapping_add(u64::from(skip)) & !0xfff).wrapping_add_signed(pages << 12);
    Some(page.wrapping_add(u64::from(second >> 10 & 0xfff) * 8))
}
