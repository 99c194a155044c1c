//! Go programs: crypto/tls, and copies of it under other names.
//!
//! Go keeps the table that maps code to function names (`pclntab`) in stripped programs too, since
//! its tracebacks need it. The function that writes the key log is in it by name; it is called for
//! each secret and asks only then whether there is a key log.
//!
//! Source: Go's internal/abi and runtime/symtab.go (`pcHeader`, `moduledata`, `_func`) of 1.18 and
//! later; the `ABIInternal` specification for registers.

use memchr::memmem;

use crate::elf::{Elf, Machine, u32_at, u64_at};
use crate::hook::{Hook, Library, Operand, Place, Register};
use crate::trail::Places;
use crate::{Refusal, elf};

/// The end of the function's name: `crypto/tls.(*Config).writeKeyLog`, `….(*config).writeKeyLog`.
const NAME: &[u8] = b").writeKeyLog\0";
/// The longest package path that is looked for before it.
const NAME_MAX: usize = 200;
/// A program has one such function for each copy of crypto/tls.
const NAMES_MAX: usize = 16;

/// The bytes that begin a table are seen elsewhere too, but not often.
const STARTS_MAX: usize = 16;
/// The largest programs have some hundred thousands; tables of more are none.
const FUNCTIONS_MAX: usize = 1 << 22;
/// As many words that might be the beginning of `moduledata` are looked at.
const MODULES_MAX: usize = 256;

/// The table's first four bytes: from Go 1.20 on, and from 1.18 on. The fields that are read
/// here are the same. Then two zeros, the unit of code addresses and the length of a pointer.
const MAGICS: [&[u8]; 2] = [b"\xf1\xff\xff\xff\0\0", b"\xf0\xff\xff\xff\0\0"];

/// In `moduledata`: the number of functions and one more; the address to which functions'
/// offsets are added.
const MODULE_FUNCTIONS: u64 = 136;
const MODULE_TEXT: u64 = 176;

/// Of a function's own record, so much is read: where its code and its name are.
const RECORD: u64 = 8;

/// The hooks of a Go program; none where there is no crypto/tls.
pub(crate) fn find(elf: &Elf<'_>, places: &mut Places) -> Result<Vec<Hook>, Refusal> {
    // The table holds the names, so they are in one segment. Old linkers put data to the code.
    let mut refusal = None;
    for load in &elf.loads {
        if memmem::find(load.bytes, NAME).is_none() {
            continue;
        }
        let starts = MAGICS
            .iter()
            .flat_map(|magic| memmem::find_iter(load.bytes, *magic));
        for at in starts.take(STARTS_MAX) {
            let address = u64::try_from(at)
                .ok()
                .and_then(|at| load.address.checked_add(at));
            let table = load.bytes.get(at..).zip(address);
            let table = table.and_then(|(bytes, address)| Table::new(bytes, address));
            match table.map(|table| table.hooks(elf, places)) {
                Some(Ok(hooks)) => return Ok(hooks),
                Some(Err(error)) => refusal = Some(error),
                None => {}
            }
        }
        refusal = refusal.or(Some(Refusal::GoTable));
    }
    refusal.map_or(Ok(Vec::new()), Err)
}

/// `pclntab`
struct Table<'a> {
    address: u64,
    /// Where functions start if the header says so; newer ones say 0.
    text: u64,
    /// NUL-terminated, one after the other.
    names: &'a [u8],
    /// From the list of functions on: pairs of (offset in the code, offset from the list).
    functions: &'a [u8],
    /// How far behind the table's start that list is.
    list: u64,
    count: usize,
}

impl<'a> Table<'a> {
    fn new(bytes: &'a [u8], address: u64) -> Option<Self> {
        let field = |number: usize| u64_at(bytes, number.checked_mul(8)?.checked_add(8)?);
        let part = |number| bytes.get(usize::try_from(field(number)?).ok()?..);
        // A header is 72 bytes; the parts come after it.
        let functions = part(7).filter(|_| bytes.get(7) == Some(&8))?;
        let count = usize::try_from(field(0)?).ok()?;
        let count = Some(count).filter(|&count| count <= FUNCTIONS_MAX)?;
        Some(Self {
            address,
            text: field(2)?,
            names: part(3)?,
            list: field(7)?,
            functions: Some(functions).filter(|list| count <= list.len() / 8)?,
            count,
        })
    }

    fn hooks(&self, elf: &Elf<'_>, places: &mut Places) -> Result<Vec<Hook>, Refusal> {
        let names = self.find_names();
        let mut hooks = Vec::new();
        let text = self.find_text(elf, places).ok_or(Refusal::GoTable)?;
        // How far behind the start of the list it is read.
        let mut behind = u64::try_from(self.count).unwrap_or(0).saturating_mul(8);
        let (pairs, _) = self.functions.as_chunks::<8>();
        for pair in pairs.iter().take(self.count) {
            let record = u32_at(pair, 4);
            let name = record
                .and_then(|at| usize::try_from(at).ok()?.checked_add(4))
                .and_then(|at| u32_at(self.functions, at));
            let found = names.iter().find(|(start, _)| Some(*start) == name);
            if let Some(((_, name), start)) = found.zip(u32_at(pair, 0)) {
                let address = text.wrapping_add(u64::from(start));
                let offset = elf.offset_of(address).ok_or(Refusal::GoTable)?;
                places.add_code(elf, address);
                behind = behind.max(u64::from(record.unwrap_or(0)).saturating_add(RECORD));
                hooks.push(hook(elf.machine, offset, name));
            }
            if hooks.len() >= NAMES_MAX {
                break;
            }
        }
        if hooks.is_empty() {
            return Err(Refusal::GoInlined);
        }
        places.add(elf, self.address, self.list.saturating_add(behind));
        Ok(hooks)
    }

    /// The names that end so, and where they start.
    fn find_names(&self) -> Vec<(u32, &'a [u8])> {
        let ends = memmem::find_iter(self.names, NAME).take(NAMES_MAX);
        ends.filter_map(|at| {
            let end = at + NAME.len() - 1;
            let earliest = end.saturating_sub(NAME_MAX);
            let before = self.names.get(earliest..end)?;
            let start = match before.iter().rposition(|&byte| byte == 0) {
                Some(zero) => earliest + zero + 1,
                None => earliest,
            };
            Some((u32::try_from(start).ok()?, self.names.get(start..end)?))
        })
        .collect()
    }

    /// The address to which functions' offsets are added: in `moduledata`, whose first field
    /// points to this table.
    fn find_text(&self, elf: &Elf<'_>, places: &mut Places) -> Option<u64> {
        let is_module = |address: u64| {
            let count = address
                .checked_add(MODULE_FUNCTIONS)
                .and_then(|at| elf.at(at));
            count.and_then(|bytes| u64_at(bytes, 0)) == u64::try_from(self.count + 1).ok()
        };
        let mut starts = elf.pointers_to(self.address).take(MODULES_MAX);
        let module = starts.find(|&at| is_module(at));
        if let Some(module) = module {
            places.add(elf, module, MODULE_TEXT + 8);
        }
        let text = module.and_then(|module| elf.pointer_at(module.checked_add(MODULE_TEXT)?));
        text.or((self.text != 0).then_some(self.text))
    }
}

fn hook(machine: Machine, offset: u64, name: &[u8]) -> Hook {
    // (receiver), label (pointer, length), client random (pointer, length, capacity), secret
    let [label, label_length, random, secret, secret_length] = match machine {
        Machine::X86 => [3, 2, 5, 9, 10],
        Machine::Arm64 => [1, 2, 3, 6, 7],
    }
    .map(Register);
    Hook {
        library: Library::Go,
        offset,
        label: Operand::Sized(Place::of(label), label_length),
        client_random: Operand::Fixed(Place::of(random), 32),
        secret: Operand::Sized(Place::of(secret), secret_length),
        evidence: format!("{} in Go's table of functions", elf::printable(name)),
    }
}
