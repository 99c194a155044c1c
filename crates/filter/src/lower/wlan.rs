//! 802.11: addresses, frame types, directions.
//!
//! Source: IEEE 802.11, frame control and address fields.

use super::cond::Cond;
use super::layer::Place;
use super::{Lowered, Lowering, Refusal};
use crate::graph::Size;
use crate::tree::{Direction, WlanWord};

const TYPE_MASK: u32 = 0x0c;
const CONTROL: u32 = 0x04;
const SUBTYPE_MASK: u32 = 0xf0;

/// Subtypes by name.
type Names = &'static [(&'static str, u32)];

const MANAGEMENT: Names = &[
    ("assocreq", 0x00),
    ("assoc-req", 0x00),
    ("assocresp", 0x10),
    ("assoc-resp", 0x10),
    ("reassocreq", 0x20),
    ("reassoc-req", 0x20),
    ("reassocresp", 0x30),
    ("reassoc-resp", 0x30),
    ("probereq", 0x40),
    ("probe-req", 0x40),
    ("proberesp", 0x50),
    ("probe-resp", 0x50),
    ("beacon", 0x80),
    ("atim", 0x90),
    ("disassoc", 0xa0),
    ("disassociation", 0xa0),
    ("auth", 0xb0),
    ("authentication", 0xb0),
    ("deauth", 0xc0),
    ("deauthentication", 0xc0),
];

const CONTROL_NAMES: Names = &[
    ("bar", 0x80),
    ("ba", 0x90),
    ("ps-poll", 0xa0),
    ("rts", 0xb0),
    ("cts", 0xc0),
    ("ack", 0xd0),
    ("cf-end", 0xe0),
    ("cf-end-ack", 0xf0),
];

const DATA: Names = &[
    ("data", 0x00),
    ("data-cf-ack", 0x10),
    ("data-cf-poll", 0x20),
    ("data-cf-ack-poll", 0x30),
    ("null", 0x40),
    ("cf-ack", 0x50),
    ("cf-poll", 0x60),
    ("cf-ack-poll", 0x70),
    ("qos-data", 0x80),
    ("qos-data-cf-ack", 0x90),
    ("qos-data-cf-poll", 0xa0),
    ("qos-data-cf-ack-poll", 0xb0),
    ("qos", 0xc0),
    ("qos-cf-poll", 0xe0),
    ("qos-cf-ack-poll", 0xf0),
];

/// Type names, their number in the frame control field, and their subtypes.
const TYPES: &[(&str, u32, Names)] = &[
    ("mgt", 0x00, MANAGEMENT),
    ("management", 0x00, MANAGEMENT),
    ("ctl", 0x04, CONTROL_NAMES),
    ("control", 0x04, CONTROL_NAMES),
    ("data", 0x08, DATA),
];

impl Lowering<'_> {
    fn control(&self) -> Place {
        self.layer.header
    }

    fn flags(&self) -> Place {
        self.layer.header.plus(1)
    }

    pub(super) fn wlan_data(&mut self) -> Cond {
        let control = self.control();
        self.masked(control, Size::Byte, TYPE_MASK, 0x08)
    }

    fn field(&mut self, offset: u32, address: [u8; 6]) -> Cond {
        let place = self.layer.header.plus(offset);
        self.address_is(place, address)
    }

    pub(super) fn wlan_host(&mut self, address: [u8; 6], direction: Option<Direction>) -> Cond {
        match direction {
            None | Some(Direction::SrcOrDst) => {
                let source = self.wlan_source(address);
                let destination = self.wlan_destination(address);
                source.or(destination)
            }
            Some(Direction::SrcAndDst) => {
                let source = self.wlan_source(address);
                let destination = self.wlan_destination(address);
                source.and(destination)
            }
            Some(Direction::Src) => self.wlan_source(address),
            Some(Direction::Dst) => self.wlan_destination(address),
            Some(Direction::Addr1) => self.field(4, address),
            Some(Direction::Addr2) => self.second_address(address),
            Some(Direction::Addr3) => {
                let control = self.control();
                let is_control = self.masked(control, Size::Byte, TYPE_MASK, CONTROL);
                let field = self.field(16, address);
                is_control.not().and(field)
            }
            Some(Direction::Addr4) => {
                let flags = self.flags();
                let both = self.masked(flags, Size::Byte, 3, 3);
                let field = self.field(24, address);
                both.and(field)
            }
            Some(Direction::Ra) => {
                let control = self.control();
                let data = self.any_bit(control, Size::Byte, 0x08);
                let field = self.field(4, address);
                data.and(field)
            }
            Some(Direction::Ta) => {
                let control = self.control();
                let data = self.any_bit(control, Size::Byte, 0x08);
                let field = self.second_address(address);
                data.and(field)
            }
        }
    }

    /// Address 2, which CTS and ACK have not.
    fn second_address(&mut self, address: [u8; 6]) -> Cond {
        let control = self.control();
        let is_control = self.masked(control, Size::Byte, TYPE_MASK, CONTROL);
        let clear = self.masked(control, Size::Byte, SUBTYPE_MASK, 0xc0);
        let ack = self.masked(control, Size::Byte, SUBTYPE_MASK, 0xd0);
        let field = self.field(10, address);
        is_control.and(clear.or(ack)).not().and(field)
    }

    /// Bits of frame control: neither control nor reserved; data.
    fn plain_and_data(&mut self) -> (Cond, Cond) {
        let control = self.control();
        let plain = self.any_bit(control, Size::Byte, 0x04).not();
        let data = self.any_bit(control, Size::Byte, 0x08);
        (plain, data)
    }

    fn wlan_source(&mut self, address: [u8; 6]) -> Cond {
        let (plain, data) = self.plain_and_data();
        let flags = self.flags();
        let to = self.any_bit(flags, Size::Byte, 1);
        let from = self.any_bit(flags, Size::Byte, 2);
        let (second, third, fourth) = (
            self.field(10, address),
            self.field(16, address),
            self.field(24, address),
        );
        let relayed = choose(&to, fourth, third);
        let in_data = choose(&from, relayed, second.clone());
        plain.and(choose(&data, in_data, second))
    }

    fn wlan_destination(&mut self, address: [u8; 6]) -> Cond {
        let first = self.field(4, address);
        let third = self.field(16, address);
        self.at_destination(first, third)
    }

    /// `third` in data frames on the way to the distribution system, else `first`.
    fn at_destination(&mut self, first: Cond, third: Cond) -> Cond {
        let (plain, data) = self.plain_and_data();
        let flags = self.flags();
        let to = self.any_bit(flags, Size::Byte, 1);
        let in_data = choose(&to, third, first.clone());
        plain.and(choose(&data, in_data, first))
    }

    pub(super) fn wlan_multicast(&mut self) -> Cond {
        let header = self.layer.header;
        let first = self.any_bit(header.plus(4), Size::Byte, 1);
        let third = self.any_bit(header.plus(16), Size::Byte, 1);
        self.at_destination(first, third)
    }

    pub(super) fn wlan_type(
        &mut self,
        kind: &WlanWord,
        subtype: Option<&WlanWord>,
    ) -> Lowered<Cond> {
        let (number, names) = match kind {
            WlanWord::Number(number) => {
                let known = TYPES.iter().find(|row| row.1 == *number);
                if number & !TYPE_MASK != 0 {
                    return self.refuse(Refusal::WlanType);
                }
                (*number, known.map_or(&[][..], |row| row.2))
            }
            WlanWord::Word(name) => {
                match TYPES.iter().find(|row| row.0.eq_ignore_ascii_case(name)) {
                    Some(row) => (row.1, row.2),
                    None => return self.refuse(Refusal::WlanTypeName(name.clone())),
                }
            }
        };
        let subtype = match subtype {
            None => return self.frame_is(number, TYPE_MASK),
            Some(WlanWord::Number(subtype)) if subtype & !SUBTYPE_MASK != 0 => {
                return self.refuse(Refusal::WlanSubtype);
            }
            Some(WlanWord::Number(subtype)) => *subtype,
            Some(WlanWord::Word(name)) => match find(names, name) {
                Some(subtype) => subtype,
                None => return self.refuse(Refusal::WlanSubtypeName(name.clone())),
            },
        };
        self.frame_is(number | subtype, TYPE_MASK | SUBTYPE_MASK)
    }

    pub(super) fn wlan_subtype(&mut self, subtype: &WlanWord) -> Lowered<Cond> {
        let name = match subtype {
            WlanWord::Word(name) => name.clone(),
            WlanWord::Number(number) => number.to_string(),
        };
        let found = TYPES
            .iter()
            .find_map(|row| Some(row.1 | find(row.2, &name)?));
        match found {
            Some(number) => self.frame_is(number, TYPE_MASK | SUBTYPE_MASK),
            None => self.refuse(Refusal::WlanAnySubtypeName(name)),
        }
    }

    fn frame_is(&mut self, number: u32, mask: u32) -> Lowered<Cond> {
        if !self.is_wlan() {
            return self.not_on_link("type/subtype");
        }
        let control = self.control();
        Ok(self.masked(control, Size::Byte, mask, number))
    }

    pub(super) fn wlan_direction(&mut self, direction: &WlanWord) -> Lowered<Cond> {
        let number = match direction {
            WlanWord::Number(number @ 0..=3) => *number,
            WlanWord::Number(_) => return self.refuse(Refusal::WlanDirection),
            WlanWord::Word(name) => match name.to_ascii_lowercase().as_str() {
                "nods" => 0,
                "tods" => 1,
                "fromds" => 2,
                "dstods" => 3,
                _ => return self.refuse(Refusal::WlanDirectionName),
            },
        };
        if !self.is_wlan() {
            return self.not_on_link("dir");
        }
        let flags = self.flags();
        Ok(self.masked(flags, Size::Byte, 3, number))
    }
}

/// `yes` where `when` holds, else `no`.
fn choose(when: &Cond, yes: Cond, no: Cond) -> Cond {
    when.clone().and(yes).or(when.clone().not().and(no))
}

fn find(names: &[(&str, u32)], name: &str) -> Option<u32> {
    let row = names.iter().find(|row| row.0.eq_ignore_ascii_case(name));
    row.map(|row| row.1)
}
