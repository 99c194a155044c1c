//! BER, as far as SNMP needs it (X.690): elements, and their text.

use pktwho_wire::{Cursor, Truncated};

use crate::out::Out;
use crate::put::{HexFull, put};

/// Why the rest of a message is not shown.
pub(super) enum Stop {
    /// The capture ends.
    Cut,
    /// What is wrong has been said.
    Wrong,
}

impl From<Truncated> for Stop {
    fn from(_: Truncated) -> Self {
        Self::Cut
    }
}

/// What an element holds.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Octets(&'a [u8]),
    Null,
    Oid(&'a [u8]),
    Integer(i32),
    Unsigned(u32),
    Unsigned64(u64),
    Text(&'a [u8]),
    Address(&'a [u8]),
    /// A number of [`PDUS`] and what is inside.
    Pdu(usize, &'a [u8]),
    Sequence(&'a [u8]),
    NoSuchObject,
    NoSuchInstance,
    EndOfMibView,
    /// Of a type that has no text.
    Other,
}

/// An element and the bytes it says it has.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) value: Value<'a>,
    pub(super) length: usize,
}

/// A stretch of elements: what of it was captured, and how long it is.
#[derive(Clone, Copy)]
pub(super) struct Elements<'a> {
    pub(super) c: Cursor<'a>,
    pub(super) left: usize,
}

static UNIVERSAL: [&str; 18] = [
    "U-0",
    "Boolean",
    "Integer",
    "Bitstring",
    "String",
    "Null",
    "ObjID",
    "ObjectDes",
    "U-8",
    "U-9",
    "U-10",
    "U-11",
    "U-12",
    "U-13",
    "U-14",
    "U-15",
    "Sequence",
    "Set",
];

static APPLICATION: [&str; 7] = [
    "IpAddress",
    "Counter",
    "Gauge",
    "TimeTicks",
    "Opaque",
    "C-5",
    "Counter64",
];

/// The messages, by the number of their type.
pub(super) static PDUS: [&str; 9] = [
    "GetRequest",
    "GetNextRequest",
    "GetResponse",
    "SetRequest",
    "Trap",
    "GetBulk",
    "Inform",
    "V2Trap",
    "Report",
];

static PRIVATE: [&str; 1] = ["P-0"];

/// The identifier and the length in front of an element's contents.
struct Header {
    class: u8,
    constructed: bool,
    id: usize,
    length: usize,
}

impl<'a> Elements<'a> {
    /// Those inside an element.
    pub(super) fn within(bytes: &'a [u8]) -> Self {
        Self {
            c: Cursor::new(bytes),
            left: bytes.len(),
        }
    }

    /// The next element. What it is, is said here where it is nothing that SNMP has.
    pub(super) fn next(&mut self, p: &mut Out<'_>) -> Result<Element<'a>, Stop> {
        let header = self.header(p)?;
        let length = header.length;
        let mut c = self.c;
        let bytes = c.take(length)?;
        let value = header.value(p, bytes)?;
        self.c = c;
        self.left -= length;
        Ok(Element { value, length })
    }

    fn header(&mut self, p: &mut Out<'_>) -> Result<Header, Stop> {
        if self.left < 1 {
            put!(p, "[nothing to parse]");
            return Err(Stop::Wrong);
        }
        let first = self.byte()?;
        let (class, constructed) = (first >> 6, first & 0x20 != 0);
        let mut id = usize::from(first & 0x1f);
        if id == 0x1f {
            id = 0;
            loop {
                let byte = self.c.u8()?;
                if self.left < 1 {
                    put!(p, "[Xtagfield?]");
                    return Err(Stop::Wrong);
                }
                self.left -= 1;
                id = (id << 7 | usize::from(byte & 0x7f)) & 0xff;
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        if self.left < 1 {
            put!(p, "[no asnlen]");
            return Err(Stop::Wrong);
        }
        let first = self.byte()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let count = usize::from(first & 0x7f);
            if self.left < count {
                put!(p, "[asnlen? ", self.left, "<", count, "]");
                return Err(Stop::Wrong);
            }
            self.c.need(count)?;
            length = 0;
            for _ in 0..count {
                length = (length << 8 | usize::from(self.byte()?)) & 0xffff_ffff;
            }
        }
        if self.left < length {
            put!(p, "[len", self.left, "<asnlen", length, "]");
            return Err(Stop::Wrong);
        }
        let known = match class {
            0 => UNIVERSAL.len(),
            1 => APPLICATION.len(),
            2 => PDUS.len(),
            _ => PRIVATE.len(),
        };
        if id >= known {
            let form = if constructed { "C" } else { "P" };
            put!(p, "[id?", form, "/x/", id, "]");
            return Err(Stop::Wrong);
        }
        Ok(Header {
            class,
            constructed,
            id,
            length,
        })
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = self.c.u8()?;
        self.left -= 1;
        Ok(byte)
    }
}

impl Header {
    fn value<'a>(&self, p: &mut Out<'_>, bytes: &'a [u8]) -> Result<Value<'a>, Stop> {
        if self.constructed {
            return Ok(self.constructed_value(p, bytes));
        }
        Ok(match (self.class, self.id) {
            (0, 2) => Value::Integer(number(p, bytes, true)?.cast_signed()),
            (0, 4) => Value::Text(bytes),
            (0, 5) => Value::Null,
            (0, 6) => Value::Oid(bytes),
            (1, 0) => Value::Address(bytes),
            (1, 1..=3) => Value::Unsigned(number(p, bytes, false)?),
            (1, 6) => Value::Unsigned64(big_endian(bytes)),
            (2, 0) => Value::NoSuchObject,
            (2, 1) => Value::NoSuchInstance,
            (2, 2) => Value::EndOfMibView,
            (2, _) => Value::Other,
            (class, id) => {
                let (class, names): (_, &[&str]) = match class {
                    0 => ("U", &UNIVERSAL),
                    1 => ("A", &APPLICATION),
                    _ => ("x", &PRIVATE),
                };
                let name = names.get(id).copied().unwrap_or_default();
                put!(p, "[P/", class, "/", name, "]");
                Value::Octets(bytes)
            }
        })
    }

    fn constructed_value<'a>(&self, p: &mut Out<'_>, bytes: &'a [u8]) -> Value<'a> {
        let (class, names): (_, &[&str]) = match (self.class, self.id) {
            (0, 16) => return Value::Sequence(bytes),
            (2, id) => return Value::Pdu(id, bytes),
            (0, _) => ("U", &UNIVERSAL),
            (1, _) => ("x", &APPLICATION),
            _ => ("x", &PRIVATE),
        };
        let name = names.get(self.id).copied().unwrap_or_default();
        put!(p, "C/", class, "/", name);
        Value::Octets(bytes)
    }
}

/// A number of 32 bits; of a longer one the last bits.
fn number(p: &mut Out<'_>, bytes: &[u8], signed: bool) -> Result<u32, Stop> {
    let Some(&first) = bytes.first() else {
        put!(p, "[asnlen=0]");
        return Err(Stop::Wrong);
    };
    let start = if signed && first & 0x80 != 0 {
        u32::MAX
    } else {
        0
    };
    let add = |number: u32, &byte: &u8| number << 8 | u32::from(byte);
    Ok(bytes.iter().fold(start, add))
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The text of an element.
pub(super) fn print(p: &mut Out<'_>, element: &Element<'_>) {
    match element.value {
        Value::Octets(bytes) => {
            for &byte in bytes {
                put!(p, "_", HexFull(byte));
            }
        }
        Value::Null => {}
        Value::Oid(bytes) => oid(p, bytes),
        Value::Integer(number) => put!(p, number),
        Value::Unsigned(number) => put!(p, number),
        Value::Unsigned64(number) => put!(p, number),
        Value::Text(bytes) => text(p, bytes),
        Value::Address(bytes) => address(p, bytes),
        Value::Pdu(id, _) => {
            let name = PDUS.get(id).copied().unwrap_or_default();
            put!(p, name, "(", element.length, ")");
        }
        Value::Sequence(_) => put!(p, "Seq(", element.length, ")"),
        Value::NoSuchObject => put!(p, "[noSuchObject]"),
        Value::NoSuchInstance => put!(p, "[noSuchInstance]"),
        Value::EndOfMibView => put!(p, "[endOfMibView]"),
        Value::Other => put!(p, "[BE_ANY!?]"),
    }
}

/// In quotation marks if all of it can be shown, else in hexadecimal.
pub(super) fn text(p: &mut Out<'_>, bytes: &[u8]) {
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    {
        put!(p, "\"");
        p.out.extend_from_slice(bytes);
        return put!(p, "\"");
    }
    for (n, &byte) in bytes.iter().enumerate() {
        put!(p, if n == 0 { "" } else { "_" }, HexFull(byte));
    }
}

fn address(p: &mut Out<'_>, bytes: &[u8]) {
    if bytes.len() != 4 {
        put!(p, "[inetaddr len!=4]");
    }
    for (n, byte) in bytes.iter().enumerate() {
        put!(p, if n == 0 { "" } else { "." }, *byte);
    }
}

/// An object's identifier, as numbers with a dot before each.
fn oid(p: &mut Out<'_>, bytes: &[u8]) {
    let (mut number, mut first) = (0_u32, true);
    for byte in bytes {
        number = number << 7 | u32::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if first {
            // X.690 section 8.19.4: the first two numbers are in one.
            let top = (number / 40).min(2);
            put!(p, ".", top);
            number -= top * 40;
            first = false;
        }
        put!(p, ".", number);
        number = 0;
    }
}
