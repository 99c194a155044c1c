use super::interpret::{Ancillary, run};
use super::*;
use crate::Machine;
use crate::graph::{Size, Value};
use crate::testing::{Facts, Random, accepts};
use crate::tree::Operator;

fn equal(left: u32, right: u32) -> Test {
    Test::Compare {
        comparison: Comparison::Equal,
        left: ValueId(left),
        right: ValueId(right),
    }
}

/// `ip and udp port-like byte behind the header`: what a port filter does.
fn udp_source(port: u32) -> Graph {
    let load = |size, base: Option<u32>, offset| Value::Load {
        size,
        base: base.map(ValueId),
        offset,
    };
    let binary = |operator, left, right| Value::Binary {
        operator,
        left: ValueId(left),
        right: ValueId(right),
    };
    let node = |test, next| Node {
        test,
        yes: next,
        no: Target::Reject,
    };
    Graph {
        values: vec![
            load(Size::Half, None, 12),
            Value::Constant(0x800),
            load(Size::Byte, None, 23),
            Value::Constant(17),
            load(Size::Byte, None, 14),
            Value::Constant(15),
            binary(Operator::And, 4, 5),
            Value::Constant(2),
            binary(Operator::ShiftLeft, 6, 7),
            load(Size::Half, Some(8), 14),
            Value::Constant(port),
        ],
        nodes: vec![
            node(equal(0, 1), Target::Node(NodeId(1))),
            node(equal(2, 3), Target::Node(NodeId(2))),
            node(equal(9, 10), Target::Accept),
        ],
        owners: vec![],
        entry: Target::Node(NodeId(0)),
    }
}

#[test]
fn the_listing_is_tcpdumps() {
    let program = encode(&udp_source(53), 262_144).expect("a program");
    assert_eq!(
        listing(&program),
        "(000) ldh      [12]\n\
         (001) jeq      #0x800           jt 2\tjf 8\n\
         (002) ldb      [23]\n\
         (003) jeq      #0x11            jt 4\tjf 8\n\
         (004) ldxb     4*([14]&0xf)\n\
         (005) ldh      [x + 14]\n\
         (006) jeq      #0x35            jt 7\tjf 8\n\
         (007) ret      #262144\n\
         (008) ret      #0\n"
    );
    assert!(
        c_array(&program).starts_with("{ 0x28, 0, 0, 0x0000000c },\n{ 0x15, 0, 6, 0x00000800 },\n")
    );
    assert!(numbers(&program).starts_with("9\n40 0 0 12\n21 0 6 2048\n"));
}

#[test]
fn all_and_nothing() {
    let mut graph = Graph::default();
    let of = |graph: &Graph| listing(&encode(graph, 96).expect("a program"));
    assert_eq!(of(&graph), "(000) ret      #96\n");
    graph.entry = Target::Reject;
    assert_eq!(of(&graph), "(000) ret      #0\n");
}

#[test]
fn jumps_that_are_too_far() {
    // A thousand tests on one byte, each of which may accept.
    let mut graph = Graph {
        values: vec![
            Value::Constant(0),
            Value::Load {
                size: Size::Byte,
                base: None,
                offset: 0,
            },
        ],
        entry: Target::Node(NodeId(0)),
        ..Graph::default()
    };
    for i in 0..1000 {
        graph.values.push(Value::Constant(i));
        let last = i == 999;
        graph.nodes.push(Node {
            test: equal(1, i + 2),
            yes: if i % 2 == 1 {
                Target::Accept
            } else {
                Target::Reject
            },
            no: if last {
                Target::Reject
            } else {
                Target::Node(NodeId(i + 1))
            },
        });
    }
    let program = encode(&graph, 1).expect("a program");
    for byte in 0..=255 {
        let kept = run(&program, &[byte], 1, Ancillary::default());
        assert_eq!(kept, u32::from(byte % 2), "{byte}");
    }
    assert_eq!(run(&program, &[], 0, Ancillary::default()), 0);
}

#[test]
fn arithmetic_that_nests_too_deeply_is_refused() {
    let mut graph = Graph {
        values: vec![Value::Length],
        nodes: vec![Node {
            test: equal(0, 0),
            yes: Target::Accept,
            no: Target::Reject,
        }],
        owners: vec![],
        entry: Target::Node(NodeId(0)),
    };
    for i in 0..1000 {
        let (left, right) = (ValueId(i), ValueId(i));
        graph.values.push(Value::Binary {
            operator: Operator::Mul,
            left,
            right,
        });
    }
    assert_eq!(encode(&graph, 1), Err(Error::TooDeep));
}

/// Random graphs over random packets: the program does what the graph says.
#[test]
fn the_program_is_the_graph() {
    let mut random = Random(1);
    let (mut kept, mut all) = (0, 0);
    for _ in 0..20_000 {
        let graph = random.graph();
        let Ok(program) = encode(&graph, 1) else {
            continue;
        };
        for _ in 0..4 {
            let packet = random.packet();
            let length = u32::try_from(packet.len()).expect("short") + random.below(3);
            let facts = Facts {
                outgoing: random.below(2) == 1,
                ifindex: random.below(4),
            };
            let ancillary = Ancillary {
                outgoing: facts.outgoing,
                ifindex: facts.ifindex,
                vlan: None,
            };
            let wanted = accepts(&graph, &packet, length, facts);
            let got = run(&program, &packet, length, ancillary) != 0;
            assert_eq!(
                got,
                wanted,
                "{graph:#?}\n{}{packet:02x?}",
                listing(&program)
            );
            let machine = Machine::new(&graph).accepts(&packet, length, &facts);
            assert_eq!(machine, wanted, "{graph:#?}\n{packet:02x?}");
            kept += u32::from(wanted);
            all += 1;
        }
    }
    assert!(kept * 5 > all && kept * 5 < all * 4, "{kept} of {all} kept");
}
