//! The kernel's type information (BTF), cut down to the types that the programs ask for.
//!
//! libbpf looks through all of a kernel's types, 150,000 of them, once for each type that a
//! program reads fields of. Given only those, it finds them at once: a fifth of the time that a
//! capture needs to start. Format: Documentation/bpf/btf.rst, include/uapi/linux/btf.h.

use rustc_hash::{FxHashMap, FxHashSet};

/// The records whose fields the programs read, a name a line; see build.rs.
const WANTED: &str = include_str!(concat!(env!("OUT_DIR"), "/kernel_types.txt"));

pub const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
const HEADER: usize = 24;
/// Bytes of a type before what depends on its kind: name, info, size or type.
const TYPE: usize = 12;

const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const FWD: u32 = 7;
const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const CONST: u32 = 10;
const RESTRICT: u32 = 11;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const FLOAT: u32 = 16;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

/// The excerpt for our programs; `None` when not all of their types are in there (some may be in
/// a module's), or when this is not the BTF we know: libbpf is to look for itself then.
pub fn excerpt(kernel: &[u8]) -> Option<Vec<u8>> {
    excerpt_of(kernel, &WANTED.lines().map(str::as_bytes).collect())
}

fn excerpt_of(kernel: &[u8], wanted: &FxHashSet<&[u8]>) -> Option<Vec<u8>> {
    let btf = Btf::parse(kernel)?;
    let mut copy = Copy::default();
    let mut found = FxHashSet::default();
    for (id, &at) in (1..).zip(&btf.places) {
        let kind = btf.kind(at)?;
        if !matches!(kind, STRUCT | UNION | TYPEDEF) {
            continue;
        }
        let name = btf.name(btf.word(at)?)?;
        // A kernel may have several of a name: libbpf is to see them all.
        if wanted.contains(name) {
            found.insert(name);
            copy.id(id);
        }
    }
    if found.len() < wanted.len() {
        return None;
    }
    while let Some(&id) = copy.order.get(copy.done) {
        copy.done += 1;
        copy.add(&btf, id)?;
    }
    Some(copy.finish())
}

struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where type 1 + i begins in `types`.
    places: Vec<usize>,
}

impl<'a> Btf<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let known = word(bytes, 0)? == u32::from(MAGIC) | u32::from(VERSION) << 16;
        if !known {
            return None;
        }
        let section = |field: usize| -> Option<&'a [u8]> {
            let start = (word(bytes, 4)?).checked_add(word(bytes, field)?)?;
            let end = start.checked_add(word(bytes, field + 4)?)?;
            bytes.get(start as usize..end as usize)
        };
        let mut btf = Self {
            types: section(8)?,
            strings: section(16)?,
            places: Vec::new(),
        };
        let mut at = 0;
        while at < btf.types.len() {
            btf.places.push(at);
            at = at.checked_add(btf.size(at)?)?;
        }
        Some(btf)
    }

    fn word(&self, at: usize) -> Option<u32> {
        word(self.types, at)
    }

    fn kind(&self, at: usize) -> Option<u32> {
        Some(self.word(at + 4)? >> 24 & 0x1f)
    }

    /// Bytes of the type at `at`.
    fn size(&self, at: usize) -> Option<usize> {
        let entries = (self.word(at + 4)? & 0xffff) as usize;
        let rest = match self.kind(at)? {
            INT | VAR | DECL_TAG => 4,
            ARRAY => 12,
            STRUCT | UNION | DATASEC | ENUM64 => entries * 12,
            ENUM | FUNC_PROTO => entries * 8,
            PTR | FWD | TYPEDEF | VOLATILE | CONST | RESTRICT | FUNC | FLOAT | TYPE_TAG => 0,
            _ => return None,
        };
        Some(TYPE + rest)
    }

    fn name(&self, offset: u32) -> Option<&'a [u8]> {
        let rest = self.strings.get(offset as usize..)?;
        rest.split(|&byte| byte == 0).next()
    }
}

/// The new type information while it is made.
#[derive(Default)]
struct Copy {
    /// Old id to new one, in `order` from 1 on.
    ids: FxHashMap<u32, u32>,
    order: Vec<u32>,
    /// How many of `order` are in `types`.
    done: usize,
    types: Vec<u8>,
    /// Old offset to new one.
    names: FxHashMap<u32, u32>,
    strings: Vec<u8>,
}

impl Copy {
    /// The new id of a type, which is copied in its turn; 0 is void.
    fn id(&mut self, old: u32) -> u32 {
        if old == 0 {
            return 0;
        }
        let next = self.order.len();
        *self.ids.entry(old).or_insert_with(|| {
            self.order.push(old);
            u32::try_from(next + 1).unwrap_or(0)
        })
    }

    fn name(&mut self, btf: &Btf<'_>, old: u32) -> Option<u32> {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if old == 0 {
            return Some(0);
        }
        if let Some(&new) = self.names.get(&old) {
            return Some(new);
        }
        let new = u32::try_from(self.strings.len()).ok()?;
        self.strings.extend(btf.name(old)?);
        self.strings.push(0);
        self.names.insert(old, new);
        Some(new)
    }

    fn push(&mut self, words: &[u32]) {
        self.types
            .extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    }

    /// Copies a type. What pointers lead to stays out: fields are read one pointer at a time.
    fn add(&mut self, btf: &Btf<'_>, id: u32) -> Option<()> {
        let at = *btf.places.get(id as usize - 1)?;
        let (info, third) = (btf.word(at + 4)?, btf.word(at + 8)?);
        let name = self.name(btf, btf.word(at)?)?;
        let rest = at + TYPE;
        match btf.kind(at)? {
            PTR => self.push(&[0, info, 0]),
            TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG => {
                let of = self.id(third);
                self.push(&[name, info, of]);
            }
            ARRAY => {
                let (of, index) = (self.id(btf.word(rest)?), self.id(btf.word(rest + 4)?));
                self.push(&[name, info, third, of, index, btf.word(rest + 8)?]);
            }
            STRUCT | UNION => {
                self.push(&[name, info, third]);
                for member in (rest..at + btf.size(at)?).step_by(12) {
                    let name = self.name(btf, btf.word(member)?)?;
                    let of = self.id(btf.word(member + 4)?);
                    self.push(&[name, of, btf.word(member + 8)?]);
                }
            }
            // Values are not asked for: the kind and the size are.
            ENUM | ENUM64 => self.push(&[name, info & !0xffff, third]),
            INT => self.push(&[name, info, third, btf.word(rest)?]),
            FWD | FLOAT => self.push(&[name, info, third]),
            _ => return None,
        }
        Some(())
    }

    fn finish(self) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let (types, strings) = (length(&self.types), length(&self.strings));
        let mut bytes = Vec::with_capacity(HEADER + self.types.len() + self.strings.len());
        bytes.extend(MAGIC.to_ne_bytes());
        bytes.extend([VERSION, 0]);
        for word in [24, 0, types, types, strings] {
            bytes.extend(u32::to_ne_bytes(word));
        }
        bytes.extend(self.types);
        bytes.extend(self.strings);
        bytes
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct a { struct b *far; struct c near; }; struct b { int i; }; struct c { int i; };`
    fn sample() -> Vec<u8> {
        let strings = b"\0a\0far\0near\0b\0i\0c\0int\0";
        let types: Vec<u32> = [
            [1, 1 << 24, 4].as_slice(),
            &[32],                                    // 1: int
            &[0, 2 << 24, 3],                         // 2: pointer to b
            &[12, 4 << 24 | 1, 4, 14, 1, 0],          // 3: b
            &[16, 4 << 24 | 1, 4, 14, 1, 0],          // 4: c
            &[1, 4 << 24 | 2, 16, 3, 2, 0, 7, 4, 64], // 5: a
        ]
        .concat();
        let bytes = u32::try_from(types.len() * 4).unwrap();
        let header = [
            u32::from(MAGIC) | 1 << 16,
            24,
            0,
            bytes,
            bytes,
            u32::try_from(strings.len()).unwrap(),
        ];
        let words = header.into_iter().chain(types);
        let mut sample: Vec<u8> = words.flat_map(u32::to_ne_bytes).collect();
        sample.extend(strings);
        sample
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        let btf = Btf::parse(bytes).unwrap();
        let name = |&at: &usize| btf.name(btf.word(at).unwrap()).unwrap();
        let names = btf.places.iter().map(name);
        names
            .map(|name| String::from_utf8(name.to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn follows_members_and_not_pointers() {
        let copy = excerpt_of(&sample(), &FxHashSet::from_iter([b"a".as_slice()])).unwrap();
        assert_eq!(
            names(&copy),
            ["a", "", "c", "a"],
            "a, the pointer, c, and int named like a"
        );
        let btf = Btf::parse(&copy).unwrap();
        let pointer = *btf.places.get(1).unwrap();
        assert_eq!(btf.kind(pointer), Some(PTR));
        assert_eq!(btf.word(pointer + 8), Some(0), "to nothing");
        // The second member of a: its name, its type, its place in bits.
        let member = btf.places.first().unwrap() + TYPE + 12;
        assert_eq!(
            btf.name(btf.word(member).unwrap()),
            Some(b"near".as_slice())
        );
        assert_eq!(btf.word(member + 4), Some(3));
        assert_eq!(btf.word(member + 8), Some(64));
    }

    #[test]
    fn what_is_missing_or_damaged_gives_nothing() {
        let wanted = |name: &'static [u8]| FxHashSet::from_iter([name]);
        assert_eq!(excerpt_of(&sample(), &wanted(b"z")), None);
        let whole = sample();
        for length in 0..whole.len() {
            let cut = whole.get(..length).unwrap();
            assert_eq!(excerpt_of(cut, &wanted(b"a")), None, "{length}");
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                *damaged.get_mut(at).unwrap() = value;
                // Any answer will do, as long as there is one.
                let _ = excerpt_of(&damaged, &wanted(b"a"));
            }
        }
    }

    #[test]
    fn this_kernel_has_all_types() {
        let Ok(kernel) = std::fs::read(crate::sys::KERNEL_TYPES) else {
            println!("skipped: no kernel BTF here");
            return;
        };
        let found = names(&excerpt(&kernel).unwrap());
        for name in WANTED.lines() {
            assert!(found.iter().any(|found| found == name), "{name}");
        }
    }
}
