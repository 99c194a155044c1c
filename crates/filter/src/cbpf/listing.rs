//! Programs as tcpdump's `-d`, `-dd` and `-ddd` show them (4.99.3).

use std::fmt::Write as _;

use super::{Insn, op};

/// `-d`: one instruction a line, in words.
pub fn listing(program: &[Insn]) -> String {
    let mut text = String::new();
    for (place, &insn) in program.iter().enumerate() {
        let (name, operand) = words(insn, place);
        let name: &str = name;
        let _ = if class(insn) == op::JMP && insn.code & 0xf0 != op::JA {
            writeln!(
                text,
                "({place:03}) {name:<8} {operand:<16} jt {}\tjf {}",
                place + 1 + usize::from(insn.jt),
                place + 1 + usize::from(insn.jf),
            )
        } else {
            writeln!(text, "({place:03}) {name:<8} {operand}")
        };
    }
    text
}

/// `-dd`: the inside of an array in C.
pub fn c_array(program: &[Insn]) -> String {
    let mut text = String::new();
    for Insn { code, jt, jf, k } in program {
        let _ = writeln!(text, "{{ {code:#x}, {jt}, {jf}, 0x{k:08x} }},");
    }
    text
}

/// `-ddd`: how many there are, then decimal numbers.
pub fn numbers(program: &[Insn]) -> String {
    let mut text = format!("{}\n", program.len());
    for Insn { code, jt, jf, k } in program {
        let _ = writeln!(text, "{code} {jt} {jf} {k}");
    }
    text
}

fn class(insn: Insn) -> u16 {
    insn.code & 0x07
}

fn words(insn: Insn, place: usize) -> (&'static str, String) {
    let k = insn.k;
    match class(insn) {
        op::LD => (sized("ld", "ldh", "ldb", insn), source(insn)),
        op::LDX if insn.code & 0xe0 == op::MSH => ("ldxb", format!("4*([{k}]&0xf)")),
        op::LDX => ("ldx", source(insn)),
        op::ST => ("st", format!("M[{k}]")),
        op::STX => ("stx", format!("M[{k}]")),
        op::ALU => arithmetic(insn),
        op::JMP => jump(insn, place),
        op::RET if insn.code & 0x18 == op::A => ("ret", String::new()),
        op::RET => ("ret", format!("#{k}")),
        _ if insn.code & 0xf8 == op::TXA => ("txa", String::new()),
        _ => ("tax", String::new()),
    }
}

fn sized(word: &'static str, half: &'static str, byte: &'static str, insn: Insn) -> &'static str {
    match insn.code & 0x18 {
        op::H => half,
        op::B => byte,
        _ => word,
    }
}

fn source(insn: Insn) -> String {
    let k = insn.k;
    match insn.code & 0xe0 {
        op::IMM => format!("#{k:#x}"),
        op::ABS => match k {
            op::PKTTYPE => "[type]".into(),
            op::IFINDEX => "[ifidx]".into(),
            op::VLAN_TAG => "[vlan_tci]".into(),
            op::VLAN_PRESENT => "[vlanp]".into(),
            op::VLAN_PROTOCOL => "[vlan_tpid]".into(),
            _ => format!("[{k}]"),
        },
        op::IND => format!("[x + {k}]"),
        op::MEM => format!("M[{k}]"),
        _ => "#pktlen".into(),
    }
}

fn arithmetic(insn: Insn) -> (&'static str, String) {
    let operation = insn.code & 0xf0;
    let name = match operation {
        op::ADD => "add",
        op::SUB => "sub",
        op::MUL => "mul",
        op::DIV => "div",
        op::MOD => "mod",
        op::OR => "or",
        op::AND => "and",
        op::XOR => "xor",
        op::LSH => "lsh",
        op::RSH => "rsh",
        _ => return ("neg", String::new()),
    };
    let operand = match operation {
        _ if insn.code & op::X != 0 => "x".into(),
        op::OR | op::AND | op::XOR => format!("#{:#x}", insn.k),
        _ => format!("#{}", insn.k),
    };
    (name, operand)
}

fn jump(insn: Insn, place: usize) -> (&'static str, String) {
    let name = match insn.code & 0xf0 {
        op::JEQ => "jeq",
        op::JGT => "jgt",
        op::JGE => "jge",
        op::JSET => "jset",
        _ => {
            // Backwards too, by a distance that wraps.
            let here = u32::try_from(place).unwrap_or(u32::MAX);
            let to = here.wrapping_add(1).wrapping_add(insn.k);
            return ("ja", to.to_string());
        }
    };
    let operand = if insn.code & op::X == 0 {
        format!("#{:#x}", insn.k)
    } else {
        "x".into()
    };
    (name, operand)
}
