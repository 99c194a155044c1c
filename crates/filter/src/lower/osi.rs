//! ISO protocols: CLNP, ES-IS and IS-IS.
//!
//! Source: ISO/IEC TR 9577 (protocol identifiers), ISO 10589 (IS-IS PDU types).

use super::cond::Cond;
use super::layer::{Framing, Place};
use super::refusal::word;
use super::{Lowered, Lowering, Refusal, link};
use crate::graph::Size;
use crate::tree::Protocol;

const CLNP: u32 = 0x81;
const ESIS: u32 = 0x82;
const ISIS: u32 = 0x83;

const L1_HELLO: u32 = 15;
const L2_HELLO: u32 = 16;
const POINT_TO_POINT_HELLO: u32 = 17;
const L1_LINK_STATE: u32 = 18;
const L2_LINK_STATE: u32 = 20;
const L1_COMPLETE: u32 = 24;
const L2_COMPLETE: u32 = 25;
const L1_PARTIAL: u32 = 26;
const L2_PARTIAL: u32 = 27;

/// The number behind a name in `iso proto NAME`.
pub(super) fn named(name: &str) -> Option<u32> {
    match name {
        "clnp" => Some(CLNP),
        "esis" => Some(ESIS),
        "isis" => Some(ISIS),
        _ => None,
    }
}

impl Lowering<'_> {
    /// One of the protocols over ISO alone, by its name.
    pub(super) fn osi_protocol(&mut self, protocol: Protocol) -> Lowered<Cond> {
        let types: &[u32] = match protocol {
            Protocol::Clnp => return self.iso_protocol(CLNP),
            Protocol::Esis => return self.iso_protocol(ESIS),
            Protocol::Isis => return self.iso_protocol(ISIS),
            Protocol::IsisL1 => &[
                L1_HELLO,
                POINT_TO_POINT_HELLO,
                L1_LINK_STATE,
                L1_COMPLETE,
                L1_PARTIAL,
            ],
            Protocol::IsisL2 => &[
                L2_HELLO,
                POINT_TO_POINT_HELLO,
                L2_LINK_STATE,
                L2_COMPLETE,
                L2_PARTIAL,
            ],
            Protocol::IsisIih => &[L1_HELLO, L2_HELLO, POINT_TO_POINT_HELLO],
            Protocol::IsisLsp => &[L1_LINK_STATE, L2_LINK_STATE],
            Protocol::IsisSnp => &[L1_COMPLETE, L2_COMPLETE, L1_PARTIAL, L2_PARTIAL],
            Protocol::IsisCsnp => &[L1_COMPLETE, L2_COMPLETE],
            Protocol::IsisPsnp => &[L1_PARTIAL, L2_PARTIAL],
            other => return self.refuse(Refusal::NotAlone(word(other))),
        };
        self.isis_types(types)
    }

    pub(super) fn isis_types(&mut self, types: &[u32]) -> Lowered<Cond> {
        let isis = self.iso_protocol(ISIS)?;
        let place = self.osi_header().plus(4);
        let conds: Vec<Cond> = types
            .iter()
            .map(|kind| self.masked(place, Size::Byte, 0x1f, *kind))
            .collect();
        Ok(isis.and(Cond::any(conds)))
    }

    pub(super) fn iso_protocol(&mut self, number: u32) -> Lowered<Cond> {
        if self.layer.framing == Framing::FrameRelay {
            // There the identifier is the network-layer protocol itself.
            return Ok(self.is(Place::at(2), Size::Half, 0x300 | number));
        }
        let iso = self.carries(link::SAP_ISO)?;
        let place = match self.layer.framing {
            // A byte of padding stands before it.
            Framing::CiscoHdlc => self.osi_header().plus(1),
            _ => self.osi_header(),
        };
        let is = self.is(place, Size::Byte, number);
        Ok(iso.and(is))
    }

    fn osi_header(&self) -> Place {
        self.layer.network_no_snap()
    }
}
