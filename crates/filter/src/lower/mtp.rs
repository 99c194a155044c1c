//! SS7: signal units of MTP2 and fields of MTP3.
//!
//! Fields are packed with the low bits first, so that they are compared as they lie in the
//! packet. That keeps equality; an order is that of the packed numbers (compat).
//!
//! Source: ITU-T Q.703 and its annex A (high-speed links), Q.704.

use super::arith::comparison;
use super::cond::Cond;
use super::layer::Place;
use super::{Lowered, Lowering, Refusal};
use crate::graph::{Comparison, Size};
use crate::tree::{FieldValue, MtpField, MtpType};
use pktwho_packet::LinkType;

/// High-speed links have three bytes more before the fields.
const HIGH: u32 = 3;

impl Lowering<'_> {
    /// Where signal units begin, if the link has some.
    fn signal_unit(&self) -> Option<u32> {
        match self.layer.link_type {
            LinkType::MTP2 => Some(0),
            LinkType::MTP2_WITH_PHDR => Some(4),
            // Behind the record's header, the fixed part of which is as long.
            LinkType::ERF => Some(20),
            _ => None,
        }
    }

    /// By the length indicator: nothing, up to two bytes, more.
    pub(super) fn mtp_type(&mut self, kind: MtpType) -> Lowered<Cond> {
        let (name, high) = match kind {
            MtpType::Fisu => ("fisu", false),
            MtpType::Lssu => ("lssu", false),
            MtpType::Msu => ("msu", false),
            MtpType::HighFisu => ("hfisu", true),
            MtpType::HighLssu => ("hlssu", true),
            MtpType::HighMsu => ("hmsu", true),
        };
        let Some(start) = self.signal_unit() else {
            return self.refuse(if high {
                Refusal::Mtp2HighOnly(name)
            } else {
                Refusal::Mtp2Only(name)
            });
        };
        let (place, size, mask, two) = if high {
            (Place::at(start + 4), Size::Half, 0xff80, 2 << 7)
        } else {
            (Place::at(start + 2), Size::Byte, 0x3f, 2)
        };
        let length = self.load(place, size);
        let length = self.and(length, mask);
        let some = self.compare(Comparison::Greater, length, 0);
        let many = self.compare(Comparison::Greater, length, two);
        Ok(match kind {
            MtpType::Fisu | MtpType::HighFisu => self.compare(Comparison::Equal, length, 0),
            MtpType::Lssu | MtpType::HighLssu => some.and(many.not()),
            MtpType::Msu | MtpType::HighMsu => many,
        })
    }

    pub(super) fn mtp_field(&mut self, field: MtpField, values: &[FieldValue]) -> Lowered<Cond> {
        let (name, at) = match field {
            MtpField::Sio => ("sio", 0),
            MtpField::Opc => ("opc", 0),
            MtpField::Dpc => ("dpc", 0),
            MtpField::Sls => ("sls", 0),
            MtpField::HighSio => ("hsio", HIGH),
            MtpField::HighOpc => ("hopc", HIGH),
            MtpField::HighDpc => ("hdpc", HIGH),
            MtpField::HighSls => ("hsls", HIGH),
        };
        let Some(start) = self.signal_unit() else {
            return self.refuse(Refusal::Ss7Only(name));
        };
        let (offset, size, mask, maximum) = match field {
            MtpField::Sio | MtpField::HighSio => (3, Size::Byte, 0xff, 255),
            MtpField::Dpc | MtpField::HighDpc => (4, Size::Half, 0xff3f, 16383),
            MtpField::Opc | MtpField::HighOpc => (4, Size::Word, 0x00c0_ff0f, 16383),
            MtpField::Sls | MtpField::HighSls => (7, Size::Byte, 0xf0, 15),
        };
        let loaded = self.load(Place::at(start + at + offset), size);
        let loaded = if mask == 0xff {
            loaded
        } else {
            self.and(loaded, mask)
        };
        let mut any = Cond::Never;
        for value in values {
            let number = self.at_most(name, value.number, maximum)?;
            let (comparison, positive) = comparison(value.relation);
            let test = self.compare(comparison, loaded, packed(field, number));
            any = any.or(if positive { test } else { test.not() });
        }
        Ok(any)
    }
}

/// A number as it lies in the packet.
fn packed(field: MtpField, number: u32) -> u32 {
    match field {
        MtpField::Sio | MtpField::HighSio => number,
        MtpField::Sls | MtpField::HighSls => number << 4,
        // 14 bits, low byte first.
        MtpField::Dpc | MtpField::HighDpc => (number & 0xff) << 8 | number >> 8,
        // 14 bits over three bytes, behind those of the destination.
        MtpField::Opc | MtpField::HighOpc => {
            (number & 0x3) << 22 | (number & 0x3fc) << 6 | number >> 10
        }
    }
}
