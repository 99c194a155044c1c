//! The digest of a segment that the MD5 option carries (RFC 2385 section 2.0).

use std::net::IpAddr;

use md5::{Digest as _, Md5};

use super::HEADER;
use crate::ip_proto::{Ip, TCP};

/// Whether `found` is the digest of a segment; `None` if too little of it was captured.
pub(super) fn is_right(
    secret: &[u8],
    ip: &Ip,
    segment: &[u8],
    header: usize,
    length: usize,
    found: &[u8],
) -> Option<bool> {
    let segment = segment.get(..length)?;
    let fixed = segment.get(..HEADER)?;
    let data = segment.get(header..)?;
    let mut digest = Md5::new();
    let length = u32::try_from(length).ok()?;
    match (ip.src, ip.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            digest.update(src.octets());
            digest.update(dst.octets());
            digest.update([0, TCP]);
            digest.update(u16::try_from(length).ok()?.to_be_bytes());
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            digest.update(src.octets());
            digest.update(dst.octets());
            digest.update(length.to_be_bytes());
            digest.update([0, 0, 0, TCP]);
        }
        _ => return None,
    }
    // The checksum counts as zero.
    digest.update(fixed.get(..16)?);
    digest.update([0, 0]);
    digest.update(fixed.get(18..)?);
    digest.update(data);
    digest.update(secret);
    Some(digest.finalize().as_slice() == found)
}
