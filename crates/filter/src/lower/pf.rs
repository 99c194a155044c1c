//! The header of pflog, and where else a packet's direction stands.
//!
//! Source: `OpenBSD`'s pflog(4).

use super::cond::Cond;
use super::layer::{Framing, Place};
use super::{Lowered, Lowering, Refusal};
use crate::graph::{Fact, Size};
use crate::tree::{PfTerm, WlanWord};
use pktwho_packet::LinkType;

const REASONS: &[&str] = &[
    "match",
    "bad-offset",
    "fragment",
    "short",
    "normalize",
    "memory",
    "bad-timestamp",
    "congestion",
    "ip-option",
    "proto-cksum",
    "state-mismatch",
    "state-insert",
    "state-limit",
    "src-limit",
    "synproxy",
];

const ACTIONS: &[(&str, u32)] = &[
    ("pass", 0),
    ("accept", 0),
    ("drop", 1),
    ("block", 1),
    ("scrub", 2),
    ("noscrub", 3),
    ("nat", 4),
    ("nonat", 5),
    ("binat", 6),
    ("nobinat", 7),
    ("rdr", 8),
    ("nordr", 9),
    ("synproxy-drop", 10),
];

/// Names are this long at most, their final NUL not counted.
const NAME_MAX: usize = 15;

impl Lowering<'_> {
    pub(super) fn pf(&mut self, term: &PfTerm) -> Lowered<Cond> {
        let what = match term {
            PfTerm::Interface(_) => "ifname",
            PfTerm::Ruleset(_) => "ruleset",
            PfTerm::Rule(_) => "rnr",
            PfTerm::Subrule(_) => "srnr",
            PfTerm::Reason(_) => "reason",
            PfTerm::Action(_) => "action",
        };
        let reason_or_action = match term {
            PfTerm::Reason(word) => Some((3, self.pf_reason(word)?)),
            PfTerm::Action(word) => Some((2, self.pf_action(word)?)),
            _ => None,
        };
        if self.layer.link_type != LinkType::PFLOG {
            return self.refuse(Refusal::PfOnly(what));
        }
        match term {
            PfTerm::Interface(name) => self.pf_name("ifname interface", 4, name),
            PfTerm::Ruleset(name) => self.pf_name("ruleset", 20, name),
            PfTerm::Rule(number) => Ok(self.is(Place::at(36), Size::Word, *number)),
            PfTerm::Subrule(number) => Ok(self.is(Place::at(40), Size::Word, *number)),
            PfTerm::Reason(_) | PfTerm::Action(_) => {
                let (offset, number) = reason_or_action.unwrap_or_default();
                Ok(self.is(Place::at(offset), Size::Byte, number))
            }
        }
    }

    fn pf_reason(&self, word: &WlanWord) -> Lowered<u32> {
        match word {
            WlanWord::Number(number) => Ok(*number),
            WlanWord::Word(name) => {
                let at = REASONS
                    .iter()
                    .position(|reason| reason.eq_ignore_ascii_case(name));
                match at.and_then(|at| u32::try_from(at).ok()) {
                    Some(number) => Ok(number),
                    None => self.refuse(Refusal::PfReason(name.clone())),
                }
            }
        }
    }

    fn pf_action(&self, word: &WlanWord) -> Lowered<u32> {
        match word {
            WlanWord::Number(number) => Ok(*number),
            WlanWord::Word(name) => {
                let row = ACTIONS.iter().find(|row| row.0.eq_ignore_ascii_case(name));
                match row {
                    Some(row) => Ok(row.1),
                    None => self.refuse(Refusal::PfAction(name.clone())),
                }
            }
        }
    }

    /// The field begins with the name. The end is looked at first.
    fn pf_name(&mut self, what: &'static str, offset: u32, name: &str) -> Lowered<Cond> {
        if name.len() > NAME_MAX {
            return self.refuse(Refusal::NameLength {
                what,
                maximum: NAME_MAX,
            });
        }
        let mut rest = name.as_bytes();
        let mut cond = Cond::Always;
        while let Some((left, size, number)) = last_number(rest) {
            rest = left;
            let at = offset.saturating_add(u32::try_from(left.len()).unwrap_or(u32::MAX));
            let is = self.is(Place::at(at), size, number);
            cond = cond.and(is);
        }
        Ok(cond)
    }

    /// `inbound`, or else `outbound`.
    pub(super) fn inbound(&mut self, inbound: bool) -> Lowered<Cond> {
        let either = |yes, no| if inbound { yes } else { no };
        let link_type = self.layer.link_type;
        Ok(match link_type {
            LinkType::SLIP => {
                let is = self.is(Place::at(0), Size::Byte, 0);
                if inbound { is } else { is.not() }
            }
            LinkType::PPP_PPPD => self.is(Place::at(0), Size::Byte, either(0, 1)),
            LinkType::IPNET => self.is(Place::at(2), Size::Half, either(2, 1)),
            LinkType::PFLOG => self.is(Place::at(60), Size::Byte, either(1, 2)),
            LinkType::LINUX_SLL | LinkType::LINUX_SLL2 => {
                let sent = if link_type == LinkType::LINUX_SLL {
                    self.is(Place::at(0), Size::Half, 4)
                } else {
                    self.is(Place::at(10), Size::Byte, 4)
                };
                if inbound { sent.not() } else { sent }
            }
            _ if self.layer.framing == Framing::Juniper => {
                self.masked(Place::at(3), Size::Byte, 1, either(1, 0))
            }
            _ if self.device.live || self.device.directions => {
                self.fact_is(Fact::Direction, either(1, 2))
            }
            _ => return self.not_in_files("inbound/outbound"),
        })
    }

    pub(super) fn ifindex(&mut self, number: u32) -> Lowered<Cond> {
        if self.layer.link_type == LinkType::LINUX_SLL2 {
            return Ok(self.is(Place::at(4), Size::Word, number));
        }
        match self.device.ifindex {
            Some(ifindex) if ifindex == number => Ok(Cond::Always),
            Some(_) => Ok(Cond::Never),
            None if self.device.live => Ok(self.fact_is(Fact::Ifindex, number)),
            None => self.not_in_files("ifindex"),
        }
    }

    fn not_in_files(&self, what: &'static str) -> Lowered<Cond> {
        let link_type = self.layer.link_type;
        let link = match link_type.description() {
            Some(description) => description.to_owned(),
            None => self.layer.link_name(),
        };
        self.refuse(Refusal::NotInFiles { what, link })
    }
}

/// The last four, two or one bytes as a number, and those before them.
fn last_number(bytes: &[u8]) -> Option<(&[u8], Size, u32)> {
    if let Some((left, word)) = bytes.split_last_chunk() {
        return Some((left, Size::Word, u32::from_be_bytes(*word)));
    }
    if let Some((left, half)) = bytes.split_last_chunk() {
        return Some((left, Size::Half, u16::from_be_bytes(*half).into()));
    }
    let (byte, left) = bytes.split_last()?;
    Some((left, Size::Byte, (*byte).into()))
}
