//! Compressed addresses and prefixes (RFC 8966 section 4.1.5, 4.6.9).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::Cursor;

use super::Address;
use crate::out::Out;
use crate::put::put;

/// The prefixes that later ones of the datagram refer to.
#[derive(Clone, Copy, Default)]
pub(super) struct Prefixes {
    v4: [u8; 4],
    v6: [u8; 16],
}

#[derive(Clone, Copy)]
pub(super) enum Prefix {
    Any,
    V4([u8; 4], u8),
    V6([u8; 16], u8),
}

impl Prefix {
    pub(super) fn put(self, p: &mut Out<'_>) {
        match self {
            Self::Any => put!(p, "any"),
            Self::V4(addr, width) => {
                p.addr(Ipv4Addr::from(addr));
                put!(p, "/", width);
            }
            Self::V6(addr, width) => {
                p.addr(Ipv6Addr::from(addr));
                put!(p, "/", width);
            }
        }
    }
}

const LINK_LOCAL: [u8; 8] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0];

/// An address of one of the encodings; `None` if there is no such encoding or not all of it is
/// there.
pub(super) fn address(c: &mut Cursor<'_>, encoding: u8) -> Option<Address> {
    let addr = match encoding {
        0 => return Some(Address::Any),
        1 => IpAddr::from(c.array::<4>().ok()?),
        2 => IpAddr::from(c.array::<16>().ok()?),
        3 => {
            let mut full = [0; 16];
            let (prefix, host) = full.split_at_mut(8);
            prefix.copy_from_slice(&LINK_LOCAL);
            host.copy_from_slice(c.take(8).ok()?);
            IpAddr::from(full)
        }
        _ => return None,
    };
    Some(Address::Of(addr))
}

impl Prefixes {
    /// A prefix of `width` bits whose first `omitted` bytes were left out.
    pub(super) fn read(
        &self,
        c: &mut Cursor<'_>,
        encoding: u8,
        width: u8,
        omitted: u8,
    ) -> Option<Prefix> {
        let bytes = usize::from(width).div_ceil(8);
        match encoding {
            0 => Some(Prefix::Any),
            1 if width <= 32 && omitted <= 4 => {
                let addr = complete(c, self.v4, bytes, omitted, width)?;
                Some(Prefix::V4(addr, width))
            }
            2 if width <= 128 && omitted <= 16 => {
                let addr = complete(c, self.v6, bytes, omitted, width)?;
                Some(Prefix::V6(addr, width))
            }
            3 if width <= 64 => {
                let mut addr = [0; 16];
                let (prefix, host) = addr.split_at_mut(8);
                prefix.copy_from_slice(&LINK_LOCAL);
                let there = c.take(bytes).ok()?;
                for (to, from) in host.iter_mut().zip(there) {
                    *to = *from;
                }
                Some(Prefix::V6(addr, width))
            }
            _ => None,
        }
    }

    /// From now on, `prefix` is what omitted bytes are.
    pub(super) fn keep(&mut self, prefix: Prefix) {
        match prefix {
            Prefix::Any => {}
            Prefix::V4(addr, _) => self.v4 = addr,
            Prefix::V6(addr, _) => self.v6 = addr,
        }
    }
}

fn complete<const N: usize>(
    c: &mut Cursor<'_>,
    kept: [u8; N],
    bytes: usize,
    omitted: u8,
    width: u8,
) -> Option<[u8; N]> {
    let omitted = usize::from(omitted);
    let mut addr = [0; N];
    let there = c.take(bytes.saturating_sub(omitted)).ok()?;
    let known = kept.iter().take(omitted).chain(there);
    for (to, from) in addr.iter_mut().zip(known) {
        *to = *from;
    }
    // Bits behind the width are none of the prefix.
    if !width.is_multiple_of(8)
        && let Some(last) = addr.get_mut(usize::from(width / 8))
    {
        *last &= u8::try_from(0xff00_u16 >> (width % 8) & 0xff).unwrap_or(0xff);
    }
    Some(addr)
}
