//! The options at the end of a block: code, length, value, padding to four bytes.

use super::{option, padding};
use crate::bytes::{Endian, Fields};
use crate::limits::MAX_IFACE_TEXT;

/// One option as it lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawOption<'a> {
    pub(crate) code: u16,
    pub(crate) value: &'a [u8],
}

impl RawOption<'_> {
    /// The value as a 32-bit number, if it is four bytes long.
    pub(crate) fn u32(&self, endian: Endian) -> Option<u32> {
        Some(endian.u32(self.value.try_into().ok()?))
    }

    /// The value as a 64-bit number, if it is eight bytes long.
    pub(crate) fn u64(&self, endian: Endian) -> Option<u64> {
        Some(endian.u64(self.value.try_into().ok()?))
    }

    /// The value as text, without what follows a NUL or is too long, damaged characters replaced.
    pub(crate) fn text(&self) -> String {
        let text = self
            .value
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default();
        let text = text.get(..MAX_IFACE_TEXT).unwrap_or(text);
        String::from_utf8_lossy(text).into_owned()
    }
}

/// The options of one block, up to the end mark, the end of the block, or the first that does
/// not fit.
#[derive(Clone, Debug)]
pub(crate) struct Options<'a> {
    fields: Fields<'a>,
    endian: Endian,
    /// Whether an option claimed more bytes than the block has.
    pub(crate) overrun: bool,
}

impl<'a> Options<'a> {
    pub(crate) fn new(bytes: &'a [u8], endian: Endian) -> Self {
        Self {
            fields: Fields::new(bytes, endian),
            endian,
            overrun: false,
        }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = RawOption<'a>;

    fn next(&mut self) -> Option<RawOption<'a>> {
        let code = self.fields.u16()?;
        let len = usize::from(self.fields.u16()?);
        if code == option::END {
            self.fields = Fields::new(&[], self.endian);
            return None;
        }
        let Some(value) = self.fields.bytes(len) else {
            self.overrun = true;
            self.fields = Fields::new(&[], self.endian);
            return None;
        };
        // The last padding may be missing; the value is whole all the same.
        if self.fields.bytes(padding(len)).is_none() {
            self.fields = Fields::new(&[], self.endian);
        }
        Some(RawOption { code, value })
    }
}
