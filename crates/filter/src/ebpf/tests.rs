use super::*;
use crate::graph::{Comparison, Node, NodeId, Size, Test, Value, ValueId};
use crate::testing::Random;

const EXIT: Insn = Insn {
    code: 0x95,
    registers: 0,
    offset: 0,
    immediate: 0,
};

fn targets(owners: Option<Owners<'_>>) -> Targets<'_> {
    Targets {
        ethernet: true,
        egress: false,
        direct: true,
        owners,
        accept: &[EXIT],
        reject: &[EXIT],
    }
}

/// So many bytes compared one after the other.
fn bytes(count: u32) -> Graph {
    let mut graph = Graph {
        values: vec![Value::Load {
            size: Size::Byte,
            base: None,
            offset: 0,
        }],
        entry: Target::Node(NodeId(0)),
        ..Graph::default()
    };
    for i in 0..count {
        graph.values.push(Value::Constant(i));
        graph.nodes.push(Node {
            test: Test::Compare {
                comparison: Comparison::Equal,
                left: ValueId(0),
                right: ValueId(i + 1),
            },
            yes: Target::Accept,
            no: if i + 1 == count {
                Target::Reject
            } else {
                Target::Node(NodeId(i + 1))
            },
        });
    }
    graph
}

/// What the kernel checks before it follows anything: jumps stay inside and everything is
/// reached, the end by an exit.
fn check(program: &[Insn]) {
    let mut reached = vec![false; program.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let insn = *program.get(at).expect("a jump inside the program");
        if std::mem::replace(&mut reached[at], true) || insn == EXIT {
            continue;
        }
        let is_jump = matches!(insn.code & 7, 5 | 6) && insn.code != 0x85;
        if is_jump {
            let to = i64::try_from(at).expect("short") + 1 + i64::from(insn.offset);
            open.push(usize::try_from(to).expect("a jump inside the program"));
        }
        if insn.code != 0x05 {
            open.push(at + 1);
        }
    }
    assert!(reached.into_iter().all(|reached| reached));
}

#[test]
fn all_is_reached_and_ends() {
    let mut random = Random(3);
    for _ in 0..3000 {
        if let Ok(program) = encode(&random.graph(), &targets(None)) {
            check(&program);
        }
    }
    for entry in [Target::Accept, Target::Reject] {
        let graph = Graph {
            entry,
            ..Graph::default()
        };
        check(&encode(&graph, &targets(None)).expect("a program"));
    }
}

#[test]
fn a_byte_is_loaded_once() {
    let program = encode(&bytes(200), &targets(None)).expect("a program");
    check(&program);
    // In each copy: a test and at most one jump more for each byte.
    assert!(program.len() < 4 * 200 + 60, "{}", program.len());
}

#[test]
fn too_long_is_an_error() {
    assert_eq!(encode(&bytes(70_000), &targets(None)), Err(Error::TooLong));
}

#[test]
fn masks_have_64_bits() {
    let mut graph = bytes(1);
    graph.nodes[0].test = Test::Owner(64);
    let owners = Owners {
        masks: &[],
        unknown: &[],
    };
    let encode = |graph: &Graph, owners| encode(graph, &targets(owners));
    assert_eq!(encode(&graph, Some(owners)), Err(Error::TooManyOwners));
    assert!(encode(&graph, None).is_ok());
    graph.nodes[0].test = Test::Owner(63);
    assert!(encode(&graph, Some(owners)).is_ok());
}
