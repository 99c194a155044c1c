//! What of an ELF file says where its bytes are in memory.
//!
//! Only 64-bit little-endian files of x86-64 and arm64. Segments are believed, sections only
//! asked where there is no other way: stripped files may have none.
//! Source: the System V ABI (gABI), chapters 4 and 5, and elf(5).

use std::cell::Cell;

use crate::Refusal;

/// Whose instructions a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86-64
    X86,
    Arm64,
}

/// A part of the file that is mapped into memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Of its first byte in the file.
    pub offset: u64,
    /// Of its first byte in memory, before relocation.
    pub address: u64,
    pub executable: bool,
    /// Its bytes in the file.
    pub bytes: &'a [u8],
}

/// A file whose headers were read.
pub(crate) struct Elf<'a> {
    pub machine: Machine,
    /// Of fixed address (`ET_EXEC`): code may hold addresses as they are.
    pub fixed: bool,
    pub loads: Vec<Segment<'a>>,
    notes: Vec<&'a [u8]>,
    /// The file's bytes, as far as they are there.
    parts: Vec<Part<'a>>,
    /// Code of a function ended before it was seen in full.
    cut: Cell<bool>,
}

/// Bytes of a file that stand together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// Of the first byte in the file.
    pub offset: u64,
    pub bytes: &'a [u8],
}

/// What a section's header says.
struct Section<'a> {
    kind: u32,
    /// Of the section that belongs to it: a symbol table's names.
    link: u32,
    bytes: &'a [u8],
}

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PF_X: u32 = 1;
const EM_X86_64: u16 = 62;
const EM_AARCH64: u16 = 183;
const ET_EXEC: u16 = 2;
const SHT_NOBITS: u32 = 8;
const SHT_DYNSYM: u32 = 11;
const SHT_RELA: u32 = 4;

/// Files have a dozen or two; more are not looked at.
const SEGMENTS_MAX: u16 = 64;
/// Chromium has some hundred thousands; more are not looked at.
const SYMBOLS_MAX: usize = 1 << 20;
/// The same of relocations, of which it has a million and more.
const RELOCATIONS_MAX: usize = 1 << 22;
/// Files have some dozens (the kernel's own modules aside); more are not looked at.
const SECTIONS_MAX: u16 = 4096;

impl<'a> Elf<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        Self::parse_parts(vec![Part { offset: 0, bytes }])
    }

    /// Of a file of which only parts are there, the first of them its start.
    pub fn parse_parts(parts: Vec<Part<'a>>) -> Result<Self, Refusal> {
        let bytes = parts.first().filter(|part| part.offset == 0);
        let bytes = bytes.map_or(&[][..], |part| part.bytes);
        if bytes.get(..4) != Some(b"\x7fELF") {
            return Err(Refusal::NotElf);
        }
        let machine = match (bytes.get(4), bytes.get(5), u16_at(bytes, 18)) {
            (Some(2), Some(1), Some(EM_X86_64)) => Machine::X86,
            (Some(2), Some(1), Some(EM_AARCH64)) => Machine::Arm64,
            (_, _, number) => return Err(Refusal::Machine(number.unwrap_or(0))),
        };
        let mut elf = Self {
            machine,
            fixed: u16_at(bytes, 16) == Some(ET_EXEC),
            loads: Vec::new(),
            notes: Vec::new(),
            parts,
            cut: Cell::new(false),
        };
        elf.read_segments().ok_or(Refusal::Damaged)?;
        Ok(elf)
    }

    fn read_segments(&mut self) -> Option<()> {
        let start = u64_at(self.start(), 32)?;
        let size = u64::from(u16_at(self.start(), 54)?);
        let count = u16_at(self.start(), 56)?.min(SEGMENTS_MAX);
        let there: usize = self.parts.iter().map(|part| part.bytes.len()).sum();
        let mut left = there.checked_mul(2)?;
        for number in 0..u64::from(count) {
            let at = start.checked_add(number.checked_mul(size)?)?;
            let header = self.slice(at, 56)?;
            let offset = u64_at(header, 8)?;
            let length = u64_at(header, 32)?;
            let kind = u32_at(header, 0)?;
            if !matches!(kind, PT_LOAD | PT_NOTE) {
                continue;
            }
            let (address, executable) = (u64_at(header, 16)?, u32_at(header, 4)? & PF_X != 0);
            // A file may be cut: what is there is looked at.
            for part in &self.parts {
                let Some((before, bytes)) = part.within(offset, length) else {
                    continue;
                };
                // Segments do not overlap; together they are not much longer than the file.
                left = left.checked_sub(bytes.len())?;
                match kind {
                    PT_LOAD => self.loads.push(Segment {
                        offset: offset.checked_add(before)?,
                        address: address.wrapping_add(before),
                        executable,
                        bytes,
                    }),
                    _ => self.notes.push(bytes),
                }
            }
        }
        Some(())
    }

    /// Notes that a function's code goes on where no bytes are.
    pub fn note_cut(&self) {
        self.cut.set(true);
    }

    /// Whether that was noted.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }

    /// The file's first bytes.
    fn start(&self) -> &'a [u8] {
        self.parts.first().map_or(&[], |part| part.bytes)
    }

    /// Bytes of the file, if they are there.
    fn slice(&self, offset: u64, length: u64) -> Option<&'a [u8]> {
        self.parts
            .iter()
            .find_map(|part| slice(part.bytes, offset.checked_sub(part.offset)?, length))
    }

    /// The code from an offset in the file on, as far as it is there.
    pub fn code_from(&self, offset: u64) -> Option<&'a [u8]> {
        let mut code = self.loads.iter().filter(|load| load.executable);
        code.find_map(|load| {
            let from = usize::try_from(offset.checked_sub(load.offset)?).ok()?;
            load.bytes.get(from..).filter(|bytes| !bytes.is_empty())
        })
    }

    /// Where an address is in the file, in bytes.
    pub fn place_of(&self, address: u64) -> Option<u64> {
        let load = self.loads.iter().find(|load| load.at(address).is_some())?;
        load.offset.checked_add(address.checked_sub(load.address)?)
    }

    /// Where the tables are that tell of functions by their names: offset and length.
    pub fn tables_of_symbols(&self) -> Vec<(u64, u64)> {
        let size = u16_at(self.start(), 58).map_or(0, u64::from);
        let count = u16_at(self.start(), 60).unwrap_or(0).min(SECTIONS_MAX);
        let start = u64_at(self.start(), 40).unwrap_or(0);
        let mut tables = vec![(start, size.saturating_mul(count.into()))];
        let place = |header: &[u8]| Some((u64_at(header, 24)?, u64_at(header, 32)?));
        let headers = (0..count).filter_map(|number| self.section_header(number));
        for header in headers.filter(|&header| {
            u32_at(header, 4).is_some_and(|kind| matches!(kind, SHT_DYNSYM | SHT_RELA))
        }) {
            tables.extend(place(header));
            let names = u32_at(header, 40).and_then(|link| u16::try_from(link).ok());
            let names = names.and_then(|link| self.section_header(link));
            tables.extend(names.and_then(place));
        }
        tables
    }

    /// The bytes from an address on to the end of its segment.
    pub fn at(&self, address: u64) -> Option<&'a [u8]> {
        self.loads.iter().find_map(|load| load.at(address))
    }

    /// The address that memory holds there once the loader is done, if it is of this file and
    /// not moved.
    pub fn pointer_at(&self, address: u64) -> Option<u64> {
        let plain = self.at(address).and_then(|bytes| u64_at(bytes, 0));
        plain.filter(|&value| value != 0).or_else(|| {
            let mut relocations = self.relocations();
            let found = relocations.find(|&(place, _)| place == address);
            found.map(|(_, value)| value)
        })
    }

    /// Where memory holds an address of this file, once the loader is done: by the data as they
    /// are in the file, then by relocations.
    pub fn pointers_to(&self, address: u64) -> impl Iterator<Item = u64> + '_ {
        let data = self.loads.iter().filter(|load| !load.executable);
        let plain = data.flat_map(move |load| {
            let words = (load.address..)
                .step_by(8)
                .zip(load.bytes.as_chunks::<8>().0);
            words.filter_map(move |(at, word)| (u64::from_le_bytes(*word) == address).then_some(at))
        });
        let relocations = self.relocations();
        let relocated = relocations.filter(move |&(_, value)| value == address);
        plain.chain(relocated.map(|(place, _)| place))
    }

    /// The function of this file whose address the loader puts there, by its symbol.
    pub fn symbol_at(&self, slot: u64) -> Option<u64> {
        let mut tables = self.sections().filter(|section| section.kind == SHT_RELA);
        tables.find_map(|table| {
            let mut entries = table.bytes.as_chunks::<24>().0.iter().take(RELOCATIONS_MAX);
            let entry = entries.find(|entry| u64_at(*entry, 0) == Some(slot))?;
            let number = usize::try_from(u32_at(entry, 12)?)
                .ok()
                .filter(|&it| it != 0)?;
            let symbols = self.section(table.link)?.as_chunks::<24>().0;
            u64_at(symbols.get(number)?, 8).filter(|&address| address != 0)
        })
    }

    /// (place, value) of those that only add where the file was loaded.
    fn relocations(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let relative: u32 = match self.machine {
            Machine::X86 => 8,
            Machine::Arm64 => 1027,
        };
        let tables = self.sections().filter(|section| section.kind == SHT_RELA);
        let entries = tables.flat_map(|table| table.bytes.as_chunks::<24>().0);
        entries.take(RELOCATIONS_MAX).filter_map(move |entry| {
            let kind = u32_at(entry, 8).filter(|&kind| kind == relative);
            kind.and_then(|_| u64_at(entry, 0).zip(u64_at(entry, 16)))
        })
    }

    /// The bytes from an address on to the end of its segment, when they are code.
    pub fn code_at(&self, address: u64) -> Option<&'a [u8]> {
        let mut code = self.loads.iter().filter(|load| load.executable);
        code.find_map(|load| load.at(address))
    }

    /// Where an address of code is in the file, in bytes.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        let mut code = self.loads.iter().filter(|load| load.executable);
        let load = code.find(|load| load.at(address).is_some())?;
        load.offset.checked_add(address.checked_sub(load.address)?)
    }

    /// What the section headers say, if the file has them.
    fn sections(&self) -> impl Iterator<Item = Section<'a>> + '_ {
        let count = u16_at(self.start(), 60).unwrap_or(0).min(SECTIONS_MAX);
        (0..count).filter_map(move |number| {
            let header = self.section_header(number)?;
            Some(Section {
                kind: u32_at(header, 4)?,
                link: u32_at(header, 40)?,
                bytes: self.section_bytes(header)?,
            })
        })
    }

    fn section_header(&self, number: u16) -> Option<&'a [u8]> {
        let size = u64::from(u16_at(self.start(), 58)?);
        let start = u64_at(self.start(), 40).filter(|&start| start != 0)?;
        self.slice(start.checked_add(u64::from(number) * size)?, 64)
    }

    fn section_bytes(&self, header: &[u8]) -> Option<&'a [u8]> {
        if u32_at(header, 4)? == SHT_NOBITS {
            return Some(&[]);
        }
        self.slice(u64_at(header, 24)?, u64_at(header, 32)?)
    }

    /// The bytes of the section of that number.
    fn section(&self, number: u32) -> Option<&'a [u8]> {
        self.section_bytes(self.section_header(u16::try_from(number).ok()?)?)
    }

    /// The address of a function that others can call, by its name.
    pub fn exported(&self, name: &[u8]) -> Option<u64> {
        let symbols = self.sections().find(|section| section.kind == SHT_DYNSYM)?;
        let names = self.section(symbols.link)?;
        let symbols = symbols.bytes.as_chunks::<24>().0;
        let symbol = symbols.iter().take(SYMBOLS_MAX).find(|symbol| {
            let from = u32_at(*symbol, 0).and_then(|from| usize::try_from(from).ok());
            let rest = from.and_then(|from| names.get(from..)).unwrap_or_default();
            rest.starts_with(name) && rest.get(name.len()) == Some(&0)
        })?;
        u64_at(symbol, 8).filter(|&address| address != 0)
    }

    /// The note of an owner and a type.
    fn note(&self, owner: &[u8], kind: u32) -> Option<&'a [u8]> {
        self.notes
            .iter()
            .find_map(|&notes| find_note(notes, owner, kind))
    }
}

impl<'a> Part<'a> {
    /// What of the file's bytes from `offset` on is in this part: how far behind `offset` it
    /// begins, and the bytes.
    fn within(&self, offset: u64, length: u64) -> Option<(u64, &'a [u8])> {
        let skipped = usize::try_from(offset.saturating_sub(self.offset)).ok()?;
        let before = self.offset.saturating_sub(offset);
        let bytes = self.bytes.get(skipped..)?;
        let length = usize::try_from(length.saturating_sub(before)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..length).unwrap_or(bytes);
        (!bytes.is_empty()).then_some((before, bytes))
    }
}

impl<'a> Segment<'a> {
    fn at(&self, address: u64) -> Option<&'a [u8]> {
        let from = usize::try_from(address.checked_sub(self.address)?).ok()?;
        self.bytes.get(from..).filter(|bytes| !bytes.is_empty())
    }
}

/// Whose instructions the file holds, if [`resolve`](crate::resolve) can read them.
pub fn machine(elf: &[u8]) -> Option<Machine> {
    Some(Elf::parse(elf).ok()?.machine)
}

/// How far into a file reaches what [`resolve`](crate::resolve) looks at (bytes), by the file's first
/// bytes: what is there for debuggers mostly lies behind. `None` when they do not tell.
pub fn reach(start: &[u8]) -> Option<u64> {
    let table = u64_at(start, 40)?;
    let sections = u64::from(u16_at(start, 58)?).checked_mul(u16_at(start, 60)?.into())?;
    let mut end = match table {
        0 => 0,
        table => table.checked_add(sections)?,
    };
    let (first, size) = (u64_at(start, 32)?, u64::from(u16_at(start, 54)?));
    for number in 0..u64::from(u16_at(start, 56)?) {
        let at = first.checked_add(number.checked_mul(size)?)?;
        let header = slice(start, at, 56)?;
        end = end.max(u64_at(header, 8)?.checked_add(u64_at(header, 32)?)?);
    }
    start.starts_with(b"\x7fELF").then_some(end)
}

/// What tells this build of a file from every other: the linker's id, or else Go's.
/// `None` for what is no ELF file and for files without one.
pub fn build_id(elf: &[u8]) -> Option<&[u8]> {
    const NT_GNU_BUILD_ID: u32 = 3;
    const NT_GO_BUILD_ID: u32 = 4;
    let elf = Elf::parse(elf).ok()?;
    elf.note(b"GNU\0", NT_GNU_BUILD_ID)
        .or_else(|| elf.note(b"Go\0\0", NT_GO_BUILD_ID))
        .filter(|id| !id.is_empty())
}

fn find_note<'a>(mut notes: &'a [u8], owner: &[u8], kind: u32) -> Option<&'a [u8]> {
    let padded = |length: u32| usize::try_from(length).ok()?.checked_next_multiple_of(4);
    loop {
        let name_length = u32_at(notes, 0)?;
        let length = u32_at(notes, 4)?;
        let body = notes.get(12..)?;
        let (name, body) = body.split_at_checked(padded(name_length)?)?;
        if name == owner && u32_at(notes, 8)? == kind {
            return body.get(..usize::try_from(length).ok()?);
        }
        notes = body.get(padded(length)?..)?;
    }
}

/// A name from a file, for people: what is no printable ASCII becomes a question mark.
pub(crate) fn printable(name: &[u8]) -> String {
    let shown = name.iter().map(|&byte| char::from(byte));
    shown
        .map(|it| if it.is_ascii_graphic() { it } else { '?' })
        .collect()
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let from = usize::try_from(offset).ok()?;
    let to = from.checked_add(usize::try_from(length).ok()?)?;
    bytes.get(from..to)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

pub(crate) fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    u32_at(bytes, at).map(u32::cast_signed)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}
