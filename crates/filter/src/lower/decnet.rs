//! `DECnet` phase IV addresses.
//!
//! Headers begin with a length in little-endian, then may have one byte of padding (0x81), then
//! flags: short or long form. Numbers are little-endian.
//!
//! Source: `DECnet` Digital Network Architecture, Routing Layer Functional Specification 2.0.0.

use super::cond::Cond;
use super::ip::Ends;
use super::{Lowered, Lowering, Refusal, link};
use crate::graph::Size;

impl Lowering<'_> {
    /// `AREA.NODE` as a number.
    pub(super) fn decnet_address(&self, text: &str) -> Lowered<u32> {
        let address = text.split_once('.').and_then(|(area, node)| {
            let (area, node) = (number(area)?, number(node)?);
            (area < 64 && node < 1024).then_some(area << 10 | node)
        });
        match address {
            Some(address) => Ok(address),
            None => self.refuse(Refusal::DecnetAddress(text.to_owned())),
        }
    }

    pub(super) fn decnet_host(&mut self, address: u32, ends: Ends) -> Lowered<Cond> {
        let carries = self.carries(link::DECNET)?;
        let address = (address & 0xff) << 8 | address >> 8;
        let source = self.decnet_source(address);
        let destination = self.decnet_destination(address);
        Ok(carries.and(ends.join(|| source.clone(), || destination.clone())))
    }

    fn decnet_source(&mut self, address: u32) -> Cond {
        let short = self.form(false, 2);
        let short = short.and(self.half(5, address));
        let padded_short = self.form(true, 2);
        let padded_short = padded_short.and(self.half(6, address));
        let long = self.form(false, 6);
        let long = long.and(self.half(17, address));
        let padded_long = self.form(true, 6);
        let padded_long = padded_long.and(self.half(18, address));
        short.or(padded_short).or(long).or(padded_long)
    }

    fn decnet_destination(&mut self, address: u32) -> Cond {
        let start = self.layer.network().plus(2);
        // Flags and address stand in the same word.
        let short = self.masked(start, Size::Word, 0x07ff_ff00, 0x0200_0000 | address << 8);
        let padded_short = self.masked(start, Size::Word, 0xff07_ffff, 0x8102_0000 | address);
        let long = self.form(false, 6);
        let long = long.and(self.half(9, address));
        let padded_long = self.form(true, 6);
        let padded_long = padded_long.and(self.half(10, address));
        short.or(padded_short).or(long).or(padded_long)
    }

    fn form(&mut self, padded: bool, form: u32) -> Cond {
        let start = self.layer.network().plus(2);
        if padded {
            self.masked(start, Size::Half, 0xff07, 0x8100 | form)
        } else {
            self.masked(start, Size::Byte, 0x07, form)
        }
    }

    fn half(&mut self, offset: u32, number: u32) -> Cond {
        let place = self.layer.network().plus(offset);
        self.is(place, Size::Half, number)
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}
