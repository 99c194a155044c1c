//! The user's filter as programs of the kernel.

use pktwho_filter::ebpf;

use crate::sys::Insn;

/// The instructions as bpf(2) takes them.
#[cfg_attr(not(test), expect(dead_code, reason = "attach.rs is next"))]
fn instructions(program: &[ebpf::Insn]) -> Vec<Insn> {
    program
        .iter()
        .map(|insn| Insn {
            code: insn.code,
            registers: insn.registers,
            offset: insn.offset,
            immediate: insn.immediate,
        })
        .collect()
}

#[cfg(test)]
mod tests;
