//! Which way packets go: those of the other way reach no ring, so that they take no room there
//! and are not counted when there is none.
//!
//! Source: packet(7) (`PACKET_OUTGOING`), `linux/filter.h` (`SKF_AD_PKTTYPE`).

use pktwho_filter::cbpf::{Insn, op};

use crate::config::DirectionChoice;

/// The program, behind a look at the packet's way. A packet of the loopback device passes twice:
/// the way in is the one that counts.
pub fn only(direction: DirectionChoice, loopback: bool, program: &[Insn]) -> Vec<Insn> {
    let (inbound, outbound) = (direction.inbound(), direction.outbound() && !loopback);
    let look = Insn {
        code: op::LD | op::W | op::ABS,
        jt: 0,
        jf: 0,
        k: op::PKTTYPE,
    };
    let refuse = Insn {
        code: op::RET,
        jt: 0,
        jf: 0,
        k: 0,
    };
    let skip_if_outgoing = |jt, jf| Insn {
        code: op::JMP | op::JEQ,
        jt,
        jf,
        k: op::OUTGOING,
    };
    let before: &[Insn] = match (inbound, outbound) {
        (true, true) => &[],
        (true, false) => &[look, skip_if_outgoing(0, 1), refuse],
        (false, true) => &[look, skip_if_outgoing(1, 0), refuse],
        (false, false) => &[refuse],
    };
    [before, program].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a packet of the type reaches the program's end, step by step.
    fn takes(program: &[Insn], pkt_type: u32) -> bool {
        let (mut at, mut a) = (0, 0);
        loop {
            let insn = program[at];
            at += 1;
            match insn.code {
                code if code == op::LD | op::W | op::ABS => a = pkt_type,
                code if code == op::JMP | op::JEQ => {
                    at += usize::from(if a == insn.k { insn.jt } else { insn.jf });
                }
                op::RET => return insn.k > 0,
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn packets_of_the_other_way_are_refused() {
        let all = [Insn {
            code: op::RET,
            jt: 0,
            jf: 0,
            k: 96,
        }];
        let (host, outgoing) = (0, op::OUTGOING);
        for (direction, loopback, inbound, outbound) in [
            (DirectionChoice::Both, false, true, true),
            (DirectionChoice::Both, true, true, false),
            (DirectionChoice::In, false, true, false),
            (DirectionChoice::In, true, true, false),
            (DirectionChoice::Out, false, false, true),
            (DirectionChoice::Out, true, false, false),
        ] {
            let program = only(direction, loopback, &all);
            let taken = (takes(&program, host), takes(&program, outgoing));
            assert_eq!(taken, (inbound, outbound), "{direction:?} {loopback}");
        }
    }
}
