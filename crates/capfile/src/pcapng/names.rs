//! Name resolution blocks: names of addresses.
//!
//! Promises: records that are malformed or of another kind are passed over.
//! Source: draft-ietf-opsawg-pcapng, section 4.5.

use std::net::IpAddr;

use super::{block, compose, padding};
use crate::bytes::Fields;
use crate::event::{Block, KeptBlock};

/// Kinds of records.
const END: u16 = 0;
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// Longest name that is written, in bytes: longer than any of the domain name system.
const MAX_NAME: usize = 1024;

impl KeptBlock {
    /// Names of addresses (a name resolution block); a name that no record can hold, being empty,
    /// longer than 1024 bytes or with a zero byte in it, is left out.
    pub fn names<'a>(names: impl IntoIterator<Item = (IpAddr, &'a [u8])>) -> Self {
        let mut body = Vec::new();
        for (ip, name) in names {
            if name.is_empty() || name.len() > MAX_NAME || name.contains(&0) {
                continue;
            }
            match ip {
                IpAddr::V4(ip) => record(&mut body, IPV4, &ip.octets(), name),
                IpAddr::V6(ip) => record(&mut body, IPV6, &ip.octets(), name),
            }
        }
        compose::write_option_header(&mut body, END, 0);
        Self::of(block::NAME_RESOLUTION, body)
    }
}

fn record(out: &mut Vec<u8>, kind: u16, ip: &[u8], name: &[u8]) {
    let len = ip.len() + name.len() + 1;
    let stored = u16::try_from(len).unwrap_or(u16::MAX);
    compose::write_option_header(out, kind, stored);
    out.extend_from_slice(ip);
    out.extend_from_slice(name);
    out.push(0);
    compose::pad(out, len);
}

impl Block<'_> {
    /// Shows `see` each address and name of a name resolution block; no other block has any.
    pub fn each_name(&self, mut see: impl FnMut(IpAddr, &[u8])) {
        if self.kind != block::NAME_RESOLUTION {
            return;
        }
        let mut fields = Fields::new(self.body, self.endian);
        while let Some((kind, value)) = next(&mut fields) {
            let Some((ip, names)) = address(kind, value) else {
                continue;
            };
            let names = names.split(|&byte| byte == 0);
            names
                .filter(|name| !name.is_empty())
                .for_each(|name| see(ip, name));
        }
    }
}

/// The kind of the next record and what it holds.
fn next<'a>(fields: &mut Fields<'a>) -> Option<(u16, &'a [u8])> {
    let kind = fields.u16().filter(|&kind| kind != END)?;
    let len = usize::from(fields.u16()?);
    let value = fields.bytes(len)?;
    fields.bytes(padding(len))?;
    Some((kind, value))
}

/// The address that a record begins with, and the rest.
fn address(kind: u16, value: &[u8]) -> Option<(IpAddr, &[u8])> {
    match kind {
        IPV4 => {
            let (ip, names) = value.split_first_chunk::<4>()?;
            Some((IpAddr::from(*ip), names))
        }
        IPV6 => {
            let (ip, names) = value.split_first_chunk::<16>()?;
            Some((IpAddr::from(*ip), names))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Endian;

    fn read(block: &Block<'_>) -> Vec<(String, String)> {
        let mut names = Vec::new();
        block.each_name(|ip, name| {
            names.push((ip.to_string(), String::from_utf8_lossy(name).into_owned()));
        });
        names
    }

    #[test]
    fn names_are_written_and_read() {
        let four = IpAddr::from([192, 0, 2, 1]);
        let six: IpAddr = "2001:db8::1".parse().unwrap();
        let long = [b'x'; MAX_NAME + 1];
        let names: [(IpAddr, &[u8]); 5] = [
            (four, b"gw"),
            (four, b""),
            (four, b"a\0b"),
            (six, b"host.example"),
            (six, &long),
        ];
        let kept = KeptBlock::names(names);
        let mut expected = vec![1, 0, 7, 0, 192, 0, 2, 1, b'g', b'w', 0, 0];
        expected.extend([2, 0, 29, 0, 0x20, 1, 0x0d, 0xb8]);
        expected.extend([0; 11]);
        expected.push(1);
        expected.extend(b"host.example\0\0\0\0");
        expected.extend([0; 4]);
        let block = kept.block();
        assert_eq!(block.body, expected);
        assert!(block.is_lasting());
        let pair = |ip: &str, name: &str| (ip.to_owned(), name.to_owned());
        let expected = [pair("192.0.2.1", "gw"), pair("2001:db8::1", "host.example")];
        assert_eq!(read(&block), expected);
    }

    #[test]
    fn records_of_others() {
        let check = |body: &[u8], expected: &[(&str, &str)]| {
            let block = Block {
                kind: block::NAME_RESOLUTION,
                body,
                endian: Endian::Big,
                iface: None,
            };
            let names = read(&block);
            let names: Vec<(&str, &str)> = names
                .iter()
                .map(|(ip, name)| (ip.as_str(), name.as_str()))
                .collect();
            assert_eq!(names, expected);
        };
        let two = b"\0\x01\0\x08\x0a\0\0\x01a\0b\0\0\0\0\0";
        check(two, &[("10.0.0.1", "a"), ("10.0.0.1", "b")]);
        let unknown = b"\0\x09\0\x01x\0\0\0\0\x01\0\x06\x0a\0\0\x01a\0\0\0";
        check(unknown, &[("10.0.0.1", "a")]);
        check(b"\0\x01\0\x03\x0a\0\0\0", &[]);
        check(b"\0\x01\xff\xff\x0a\0\0\x01a\0", &[]);
        check(b"\0\0\0\0\0\x01\0\x06\x0a\0\0\x01a\0\0\0", &[]);
        check(b"\0", &[]);
    }
}
