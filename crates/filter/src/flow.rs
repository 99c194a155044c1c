//! Whether a filter tells flows apart, and not packets of one flow.

use crate::tree::{Direction, Expr, Kind, OwnerIs, Protocol, Qualifiers, Term, Tree};

impl Tree {
    /// Whether the bytes of every packet say the same for all packets of a TCP, UDP or SCTP flow, in both
    /// directions, and every packet of anything else is refused. What owners' terms say is left out.
    ///
    /// A fragment without ports may be refused all the same. `false` where it is not plain.
    pub fn takes_whole_flows(&self) -> bool {
        self.root
            .as_ref()
            .is_some_and(|root| is_even(root) && has_ports(root))
    }
}

/// Is it the same for all packets of a flow?
fn is_even(expr: &Expr) -> bool {
    match expr {
        Expr::And(left, right) | Expr::Or(left, right) => is_even(left) && is_even(right),
        Expr::Not(inner) => is_even(inner),
        Expr::Term(Term::Protocol(protocol), _) => {
            has_flows(*protocol) || matches!(protocol, Protocol::Ip | Protocol::Ip6)
        }
        Expr::Term(Term::Value(qualifiers, _), _) => is_of_both_ends(*qualifiers),
        Expr::Term(Term::Owner(term), _) => !matches!(term.is, OwnerIs::Direction(_)),
        Expr::Term(..) => false,
    }
}

/// Does it hold for packets with ports only?
fn has_ports(expr: &Expr) -> bool {
    match expr {
        Expr::And(left, right) => has_ports(left) || has_ports(right),
        Expr::Or(left, right) => has_ports(left) && has_ports(right),
        Expr::Term(Term::Protocol(protocol), _) => has_flows(*protocol),
        Expr::Term(Term::Value(qualifiers, _), _) => {
            matches!(qualifiers.kind, Some(Kind::Port | Kind::PortRange))
                || qualifiers.protocol.is_some_and(has_flows)
        }
        Expr::Not(_) | Expr::Term(..) => false,
    }
}

fn has_flows(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp)
}

/// An address or a port that either end may have.
fn is_of_both_ends(qualifiers: Qualifiers) -> bool {
    let protocol = qualifiers
        .protocol
        .is_none_or(|it| has_flows(it) || matches!(it, Protocol::Ip | Protocol::Ip6));
    let direction = matches!(
        qualifiers.direction,
        None | Some(Direction::SrcOrDst | Direction::SrcAndDst)
    );
    let kind = matches!(
        qualifiers.kind,
        None | Some(Kind::Host | Kind::Net | Kind::Port | Kind::PortRange)
    );
    protocol && direction && kind
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[test]
    fn flows_are_told_from_packets() {
        let check = |text: &str, whole: bool| {
            let tree = parse(text).unwrap();
            assert_eq!(tree.takes_whole_flows(), whole, "{text}");
        };
        check("udp port 9998", true);
        check("tcp", true);
        check("host 10.0.0.1 and port 80 or 443", true);
        check("tcp and not net 10.0.0.0/8", true);
        check("(ip or ip6) and tcp portrange 1-9 and proc curl", true);
        check("", false);
        check("host 10.0.0.1", false);
        check("not port 22", false);
        check("src port 80", false);
        check("tcp and outbound", false);
        check("tcp and less 100", false);
        check("tcp[tcpflags] & tcp-syn != 0", false);
        check("udp or icmp", false);
        check("ether host 02:00:00:00:00:01 and tcp", false);
        check("vlan and tcp", false);
        check("proc curl", false);
    }
}
