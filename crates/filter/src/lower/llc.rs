//! `llc` and its kinds of frames.
//!
//! Source: IEEE 802.2, control field.

use super::cond::Cond;
use super::layer::Framing;
use super::{Lowered, Lowering, Refusal};
use crate::graph::Size;
use crate::tree::WlanWord;
use pktwho_packet::LinkType;

/// Frames by name: bits of the control field, and what they are.
const FRAMES: &[(&str, u32, u32)] = &[
    ("s", 0x03, 0x01),
    ("u", 0x03, 0x03),
    ("rr", 0x0f, 0x01),
    ("rnr", 0x0f, 0x05),
    ("rej", 0x0f, 0x09),
    ("ui", 0xef, 0x03),
    ("ua", 0xef, 0x63),
    ("disc", 0xef, 0x43),
    ("dm", 0xef, 0x0f),
    ("sabme", 0xef, 0x6f),
    ("test", 0xef, 0xe3),
    ("xid", 0xef, 0xaf),
    ("frmr", 0xef, 0x87),
];

impl Lowering<'_> {
    pub(super) fn llc(&mut self, kind: Option<&WlanWord>) -> Lowered<Cond> {
        let is_llc = self.is_llc()?;
        let Some(kind) = kind else {
            return Ok(is_llc);
        };
        let name = match kind {
            WlanWord::Word(name) => name.clone(),
            WlanWord::Number(number) => number.to_string(),
        };
        let control = self.layer.payload.plus(2);
        let is_kind = if name.eq_ignore_ascii_case("i") {
            self.any_bit(control, Size::Byte, 1).not()
        } else {
            let row = FRAMES.iter().find(|row| row.0.eq_ignore_ascii_case(&name));
            let Some((_, mask, number)) = row else {
                return self.refuse(Refusal::LlcName(name));
            };
            self.masked(control, Size::Byte, *mask, *number)
        };
        Ok(is_llc.and(is_kind))
    }

    fn is_llc(&mut self) -> Lowered<Cond> {
        match self.layer.link_type {
            LinkType::ETHERNET | LinkType::DSA_TAG_BRCM | LinkType::DSA_TAG_DSA => {
                let (kind, payload) = (self.layer.kind, self.layer.payload);
                let is_length = self.above(kind, Size::Half, 1500).not();
                // Novell's IPX has no LLC header.
                let novell = self.is(payload, Size::Half, 0xffff);
                Ok(is_length.and(novell.not()))
            }
            LinkType::SUNATM => Ok(self.atm_is_llc()),
            LinkType::FDDI | LinkType::IEEE802_5 | LinkType::ATM_RFC1483 => Ok(Cond::Always),
            _ if self.layer.framing == Framing::Wlan => Ok(self.wlan_data()),
            _ => self.not_on_link("llc"),
        }
    }
}
