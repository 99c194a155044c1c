//! ATM, as `SunATM` hands it over: a byte of flags, VPI, VCI, then the packet.
//!
//! Source: ITU-T I.361, I.610 and Q.2931 (reserved circuits and message types).

use super::arith::comparison;
use super::cond::Cond;
use super::layer::{Framing, Layer, Place};
use super::{Lowered, Lowering, Refusal};
use crate::graph::Size;
use crate::tree::{AtmField, AtmType, FieldValue};
use pktwho_packet::LinkType;

const LANE: u32 = 1;
const LLC: u32 = 2;

/// Types of signalling messages.
const SETUP: u32 = 0x05;
const CALL_PROCEEDING: u32 = 0x02;
const CONNECT: u32 = 0x07;
const CONNECT_ACKNOWLEDGE: u32 = 0x0f;
const RELEASE: u32 = 0x4d;
const RELEASE_COMPLETE: u32 = 0x5a;

impl Lowering<'_> {
    fn is_atm(&self) -> bool {
        self.device.link_type == LinkType::SUNATM
    }

    pub(super) fn atm_is_llc(&mut self) -> Cond {
        self.masked(Place::at(0), Size::Byte, 0x0f, LLC)
    }

    pub(super) fn atm_field(&mut self, field: AtmField, values: &[FieldValue]) -> Lowered<Cond> {
        let (name, what, offset, size, maximum) = match field {
            AtmField::Vpi => ("vpi", "VPI", 1, Size::Byte, 255),
            AtmField::Vci => ("vci", "VCI", 2, Size::Half, 65535),
        };
        if !self.is_atm() {
            return self.refuse(Refusal::AtmOnly(name));
        }
        let field = self.load(Place::at(offset), size);
        let mut any = Cond::Never;
        for value in values {
            let number = self.at_most(what, value.number, maximum)?;
            let (comparison, positive) = comparison(value.relation);
            let test = self.compare(comparison, field, number);
            any = any.or(if positive { test } else { test.not() });
        }
        Ok(any)
    }

    /// On circuit 0 of path 0 and what `VCI`s say.
    fn circuit(&mut self, circuits: &[u32]) -> Cond {
        let path = self.is(Place::at(1), Size::Byte, 0);
        let conds: Vec<Cond> = circuits
            .iter()
            .map(|circuit| self.is(Place::at(2), Size::Half, *circuit))
            .collect();
        path.and(Cond::any(conds))
    }

    fn message(&mut self, types: &[u32]) -> Cond {
        let conds: Vec<Cond> = types
            .iter()
            .map(|kind| self.is(Place::at(9), Size::Byte, *kind))
            .collect();
        Cond::any(conds)
    }

    pub(super) fn atm_type(&mut self, kind: AtmType) -> Lowered<Cond> {
        if !self.is_atm() {
            return self.refuse(Refusal::AtmOnly(name(kind)));
        }
        Ok(match kind {
            AtmType::Lane => {
                let is_lane = self.masked(Place::at(0), Size::Byte, 0x0f, LANE);
                self.enter_lane();
                is_lane
            }
            AtmType::Llc => {
                let is_llc = self.atm_is_llc();
                self.layer = Layer::outermost(LinkType::SUNATM);
                is_llc
            }
            AtmType::Metac => self.circuit(&[1]),
            AtmType::Bcc => self.circuit(&[2]),
            AtmType::Oamf4sc => self.circuit(&[3]),
            AtmType::Oamf4ec => self.circuit(&[4]),
            AtmType::Oam | AtmType::Oamf4 => self.circuit(&[3, 4]),
            AtmType::Sc => self.circuit(&[5]),
            AtmType::Ilmic => self.circuit(&[16]),
            AtmType::Connectmsg => {
                let circuit = self.circuit(&[5]);
                circuit.and(self.message(&[
                    SETUP,
                    CALL_PROCEEDING,
                    CONNECT,
                    CONNECT_ACKNOWLEDGE,
                    RELEASE,
                    RELEASE_COMPLETE,
                ]))
            }
            AtmType::Metaconnect => {
                let circuit = self.circuit(&[1]);
                circuit.and(self.message(&[
                    SETUP,
                    CALL_PROCEEDING,
                    CONNECT,
                    RELEASE,
                    RELEASE_COMPLETE,
                ]))
            }
        })
    }

    /// What is written behind `lane` looks at the Ethernet frame, which follows a client number.
    fn enter_lane(&mut self) {
        let header = Place::at(6);
        self.layer = Layer {
            framing: Framing::Ethernet,
            header,
            kind: header.plus(12),
            payload: header.plus(14),
            lane: true,
            ..Layer::outermost(LinkType::ETHERNET)
        };
    }
}

fn name(kind: AtmType) -> &'static str {
    match kind {
        AtmType::Lane => "lane",
        AtmType::Llc => "llc",
        AtmType::Metac => "metac",
        AtmType::Bcc => "bcc",
        AtmType::Oamf4sc => "oamf4sc",
        AtmType::Oamf4ec => "oamf4ec",
        AtmType::Sc => "sc",
        AtmType::Ilmic => "ilmic",
        AtmType::Oam => "oam",
        AtmType::Oamf4 => "oamf4",
        AtmType::Connectmsg => "connectmsg",
        AtmType::Metaconnect => "metaconnect",
    }
}
