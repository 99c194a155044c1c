//! From what was written to a graph for one link type.
//!
//! [`lower`] walks through the tree from left to right. Each term becomes a condition
//! ([`cond`]) on the headers where it stands ([`layer`]); when all is read, the conditions
//! become a graph. What is looked at and in which order is libpcap's, because a load beyond the
//! captured bytes rejects the packet.
//!
//! Files by topic: [`layer`] knows where headers are, [`link`] what they carry, [`value`] what a
//! value with its qualifiers means, the others the terms that they are named after.
//!
//! Source: pcap-filter(7), the RFCs named in the files, and libpcap's programs for what is
//! written in none of them.

mod arith;
mod atm;
mod cond;
mod decnet;
mod ether;
mod factor;
mod field;
mod ip;
mod layer;
mod link;
mod llc;
mod mtp;
mod name;
mod osi;
mod owner;
mod pf;
mod refusal;
mod tunnel;
mod value;
mod wlan;

#[cfg(test)]
mod tests;

pub use refusal::Refusal;

use crate::builder::Builder;
use crate::error::{Error, Reason};
use crate::graph::{Comparison, Graph, Size, Target};
use crate::names::Names;
use crate::tree::{ByteRelation, Expr, Protocol, Span, Term, Tree};
use cond::{Cond, Join};
use layer::{Framing, Layer, Prefix, Variable};
use pktwho_packet::LinkType;

/// Where packets come from, as far as a filter's meaning depends on it.
#[derive(Clone, Debug, Default)]
pub struct Device {
    pub link_type: LinkType,
    /// `None`: not known, so that `dev` matches nothing.
    pub name: Option<String>,
    /// The kernel's number, when packets are captured on this machine.
    pub ifindex: Option<u32>,
    /// Inode number of its network namespace.
    pub netns: Option<u64>,
    /// IPv4 netmask, for `ip broadcast`. tcpdump gives 0 unless it captures on one device.
    pub netmask: Option<u32>,
    /// Packets are captured here, or could be (`-d` without a file), not read from a file.
    pub live: bool,
    /// Each packet says whether it came in or went out, although it comes from a file.
    pub directions: bool,
}

type Lowered<T> = Result<T, Error>;

/// The graph for packets of `device`.
///
/// # Errors
/// Something that `device` has not, a name that is unknown, a number out of range, qualifiers
/// that do not go together; in libpcap's words, with the place of the term.
pub fn lower(tree: &Tree, device: &Device, names: &mut dyn Names) -> Result<Graph, Error> {
    graph(tree, device, names, Cond::factored)
}

/// As [`lower`]; `shape` is what is done with the condition of a filter before it is written down.
fn graph(
    tree: &Tree,
    device: &Device,
    names: &mut dyn Names,
    shape: fn(Cond, &Builder) -> Cond,
) -> Result<Graph, Error> {
    let mut lowering = Lowering {
        builder: Builder::default(),
        device,
        names,
        layer: Layer::outermost(device.link_type),
        variable: Variable::default(),
        used_header: false,
        used_payload: false,
        depth: 0,
        span: Span::default(),
    };
    lowering.compute_places();
    let cond = match &tree.root {
        Some(root) => lowering.expr(root)?,
        None => Cond::Always,
    };
    let cond = if tree.root.is_some() {
        let cond = lowering.head().and(cond.owners_last());
        shape(cond, &lowering.builder)
    } else {
        cond
    };
    let entry = cond.emit(&mut lowering.builder, Target::Accept, Target::Reject);
    Ok(lowering.builder.finish(entry))
}

struct Lowering<'a> {
    builder: Builder,
    device: &'a Device,
    names: &'a mut dyn Names,
    layer: Layer,
    variable: Variable,
    /// Terms look behind the header, or at the payload, of outermost headers of varying length.
    used_header: bool,
    used_payload: bool,
    /// How many tunnels have been entered.
    depth: u32,
    /// The term that is being lowered.
    span: Span,
}

impl Lowering<'_> {
    fn refuse<T>(&self, refusal: Refusal) -> Lowered<T> {
        Err(Error::new(Reason::Refused(Box::new(refusal)), self.span))
    }

    /// Checks that `number` is not above `maximum`.
    fn at_most(&self, what: &'static str, number: u32, maximum: u32) -> Lowered<u32> {
        if number > maximum {
            return self.refuse(Refusal::TooLarge {
                what,
                number,
                maximum,
            });
        }
        Ok(number)
    }

    fn not_on_link<T>(&self, what: &'static str) -> Lowered<T> {
        let link = self.layer.link_name();
        self.refuse(Refusal::NotOnLink { what, link })
    }

    /// What holds for the whole filter: lengths of headers are read before anything else, and
    /// PPI must carry 802.11.
    fn head(&mut self) -> Cond {
        let mut head = Cond::Always;
        if layer::prefix(self.device.link_type) == Prefix::Ppi {
            head = self.is(layer::Place::at(4), Size::Word, 0x6900_0000);
        }
        let used = [
            (self.used_header || self.used_payload, self.variable.header),
            (self.used_payload, self.variable.payload),
        ];
        for value in used
            .into_iter()
            .filter_map(|(used, value)| value.filter(|_| used))
        {
            let needs = self.needs(value);
            head = head.and(needs);
        }
        head
    }

    /// Goes down the left side without recursion: long rows of terms nest there.
    fn expr(&mut self, expr: &Expr) -> Lowered<Cond> {
        let mut rest = Vec::new();
        let mut first = expr;
        loop {
            match first {
                Expr::And(left, right) => {
                    rest.push((Join::And, right));
                    first = left;
                }
                Expr::Or(left, right) => {
                    rest.push((Join::Or, right));
                    first = left;
                }
                Expr::Not(_) | Expr::Term(..) => break,
            }
        }
        let mut cond = match first {
            Expr::Term(term, span) => {
                self.span = *span;
                self.term(term)?
            }
            Expr::Not(inner) => self.expr(inner)?.not(),
            Expr::And(..) | Expr::Or(..) => Cond::Always,
        };
        for (join, right) in rest.into_iter().rev() {
            let right = self.expr(right)?;
            cond = match join {
                Join::And => cond.and(right),
                Join::Or => cond.or(right),
            };
        }
        Ok(cond)
    }

    fn term(&mut self, term: &Term) -> Lowered<Cond> {
        match term {
            Term::Protocol(protocol) => self.protocol(*protocol),
            Term::Value(qualifiers, value) => self.value(*qualifiers, value),
            Term::Broadcast(protocol) => self.broadcast(*protocol),
            Term::Multicast(protocol) => self.multicast(*protocol),
            Term::Less(length) => {
                let left = self.builder.length();
                Ok(self.compare(Comparison::Greater, left, *length).not())
            }
            Term::Greater(length) => {
                let left = self.builder.length();
                Ok(self.compare(Comparison::GreaterEqual, left, *length))
            }
            Term::Byte {
                index,
                relation,
                value,
            } => self.byte(*index, *relation, *value),
            Term::Inbound => self.inbound(true),
            Term::Outbound => self.inbound(false),
            Term::Ifindex(number) => self.ifindex(*number),
            Term::Vlan(tag) => self.vlan(*tag),
            Term::Mpls(label) => self.mpls(*label),
            Term::Pppoed => self.carries(link::PPPOE_DISCOVERY),
            Term::Pppoes(session) => self.pppoes(*session),
            Term::Geneve(network) => self.geneve(*network),
            Term::Vxlan(network) => self.vxlan(*network),
            Term::WlanType { kind, subtype } => self.wlan_type(kind, subtype.as_ref()),
            Term::WlanSubtype(subtype) => self.wlan_subtype(subtype),
            Term::WlanDirection(direction) => self.wlan_direction(direction),
            Term::Llc(kind) => self.llc(kind.as_ref()),
            Term::Pf(term) => self.pf(term),
            Term::AtmType(kind) => self.atm_type(*kind),
            Term::AtmField(field, values) => self.atm_field(*field, values),
            Term::MtpType(kind) => self.mtp_type(*kind),
            Term::MtpField(field, values) => self.mtp_field(*field, values),
            Term::Relation {
                relation,
                left,
                right,
            } => self.relation(*relation, left, right),
            Term::Owner(term) => self.owner(term),
        }
    }

    /// A protocol's name alone.
    fn protocol(&mut self, protocol: Protocol) -> Lowered<Cond> {
        if let Some(number) = link::ethertype(protocol) {
            return self.carries(number);
        }
        if let Some(number) = ip::over_both(protocol) {
            return self.ip_or_ip6_protocol(number);
        }
        if let Some(number) = ip::over_ip(protocol) {
            return self.ip_protocol(number);
        }
        match protocol {
            Protocol::Icmp6 => self.ip6_protocol(ip::ICMP6),
            _ => self.osi_protocol(protocol),
        }
    }

    fn byte(&mut self, index: u32, relation: ByteRelation, value: u32) -> Lowered<Cond> {
        let value = self.at_most("byte argument", value, 255)?;
        let place = self.layer.header.plus(index);
        let left = self.load(place, Size::Byte);
        Ok(match relation {
            ByteRelation::Equal => self.compare(Comparison::Equal, left, value),
            ByteRelation::Greater => self.compare(Comparison::Greater, left, value),
            ByteRelation::Less => self.compare(Comparison::GreaterEqual, left, value).not(),
            ByteRelation::And => self.compare(Comparison::AnyBit, left, value),
            ByteRelation::Or => {
                let right = self.builder.constant(value);
                let bits = self.builder.binary(crate::tree::Operator::Or, left, right);
                self.compare(Comparison::Equal, bits, 0).not()
            }
        })
    }

    /// Is the outermost framing 802.11, with whatever header in front?
    fn is_wlan(&self) -> bool {
        self.layer.framing == Framing::Wlan
    }
}
