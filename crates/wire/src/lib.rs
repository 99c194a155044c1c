//! Reading packet bytes without ever leaving them.
//!
//! A [`Cursor`] walks over borrowed bytes; every read either succeeds whole or says
//! [`Truncated`] and leaves the cursor where it was. Nothing here panics or allocates,
//! whatever the bytes are. Multi-byte reads are big-endian (network order) unless their name
//! ends in `_le`.

#![forbid(unsafe_code)]

use std::fmt;

/// The bytes ended before the field did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes end too early")
    }
}

impl std::error::Error for Truncated {}

/// A position in borrowed bytes. Cheap to copy: copy it to look ahead.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    /// Length of the bytes it was made from.
    total: usize,
}

macro_rules! readers {
    ($($be:ident $le:ident $int:ty, $size:literal;)*) => {
        $(
            #[doc = concat!("The next ", $size, " bytes, big-endian.\n\n# Errors\nFewer are left.")]
            #[inline]
            pub fn $be(&mut self) -> Result<$int, Truncated> {
                self.array::<$size>().map(<$int>::from_be_bytes)
            }

            #[doc = concat!("The next ", $size, " bytes, little-endian.\n\n# Errors\nFewer are left.")]
            #[inline]
            pub fn $le(&mut self) -> Result<$int, Truncated> {
                self.array::<$size>().map(<$int>::from_le_bytes)
            }
        )*
    };
}

impl<'a> Cursor<'a> {
    /// At the first of `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            total: bytes.len(),
        }
    }

    /// Bytes not yet read.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything was read.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes read since the cursor was made.
    #[inline]
    pub fn position(&self) -> usize {
        self.total - self.rest.len()
    }

    /// The unread bytes.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Passes over `count` bytes.
    ///
    /// # Errors
    /// Fewer are left.
    #[inline]
    pub fn skip(&mut self, count: usize) -> Result<(), Truncated> {
        self.take(count).map(drop)
    }

    /// A cursor over the next `count` bytes alone; this one goes on after them.
    ///
    /// # Errors
    /// Fewer are left.
    #[inline]
    pub fn sub(&mut self, count: usize) -> Result<Self, Truncated> {
        self.take(count).map(Self::new)
    }

    /// The same position with at most `count` bytes left, fewer if fewer are there.
    #[inline]
    #[must_use]
    pub fn limit(self, count: usize) -> Self {
        let rest = self.rest.get(..count).unwrap_or(self.rest);
        Self {
            rest,
            total: self.position() + rest.len(),
        }
    }

    /// Says whether `count` more bytes are there, without reading them.
    ///
    /// # Errors
    /// They are not.
    #[inline]
    pub fn need(&self, count: usize) -> Result<(), Truncated> {
        if self.rest.len() < count {
            return Err(Truncated);
        }
        Ok(())
    }

    /// The next byte.
    ///
    /// # Errors
    /// None is left.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next 3 bytes, big-endian.
    ///
    /// # Errors
    /// Fewer are left.
    #[inline]
    pub fn u24(&mut self) -> Result<u32, Truncated> {
        self.array::<3>()
            .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    readers! {
        u16 u16_le u16, 2;
        u32 u32_le u32, 4;
        u64 u64_le u64, 8;
        u128 u128_le u128, 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_both_orders() {
        let mut c = Cursor::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(c.u16(), Ok(0x0102));
        assert_eq!(c.u16_le(), Ok(0x0403));
        assert_eq!(c.u24(), Ok(0x05_0607));
        assert_eq!(c.u8(), Ok(8));
        assert_eq!((c.position(), c.remaining()), (8, 1));
    }

    #[test]
    fn a_failed_read_moves_nothing() {
        let mut c = Cursor::new(&[1, 2, 3]);
        assert_eq!(c.u32(), Err(Truncated));
        assert_eq!(c.take(4), Err(Truncated));
        assert_eq!(c.take(usize::MAX), Err(Truncated));
        assert_eq!((c.position(), c.rest()), (0, &[1, 2, 3][..]));
    }

    #[test]
    fn sub_and_limit_bound_what_is_read() {
        let mut c = Cursor::new(&[1, 2, 3, 4]);
        c.skip(1).unwrap();
        let mut inner = c.sub(2).unwrap();
        assert_eq!(inner.u16(), Ok(0x0203));
        assert_eq!(inner.u8(), Err(Truncated));
        assert_eq!(c.u8(), Ok(4));

        let mut c = Cursor::new(&[1, 2, 3, 4]);
        c.skip(1).unwrap();
        let mut few = c.limit(1);
        assert_eq!((few.position(), few.remaining()), (1, 1));
        assert_eq!(few.u16(), Err(Truncated));
        assert_eq!(few.u8(), Ok(2));
        assert_eq!(c.limit(100).remaining(), 3);
    }
}
