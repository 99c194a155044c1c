//! How GnuTLS's session leads to the client's random bytes.
//!
//! The function that is given secrets does not touch them there. But there is one to ask for them, which
//! libraries export; and the one that makes the master secret of TLS 1.2 hands them on for its log, with a
//! text that says so, and itself hands on the session with `CLIENT_RANDOM`.

use std::collections::BTreeMap;

use memchr::{memchr2_iter, memmem};

use crate::calls;
use crate::client_random::{Found, REACH, add, first_argument};
use crate::code::Op;
use crate::elf::{Elf, Machine, Segment, i32_at};
use crate::hook::Library;
use crate::trace::{Next, Pointer, State, Value, walk};
use crate::{Label, Refusal, Register};

/// The function to ask.
const ASKED: &[u8] = b"gnutls_session_get_random";
/// What the log says of the client's random bytes, and the label.
const SAID: &[u8] = b"CLIENT RANDOM[%d]";
const LABEL: &[u8] = b"CLIENT_RANDOM\0";
/// Of the random bytes.
const LENGTH: u64 = 32;

/// A program has each text once or twice, and refers to it as often; more is not looked at.
const TEXTS_MAX: usize = 16;
/// The text's beginning is so near, in bytes.
const TEXT_MAX: usize = 64;
/// From a function's beginning to where it refers to the text it is not farther, in bytes.
const FUNCTION_MAX: u64 = 4096;
/// So many places that might be the beginning are tried.
const STARTS_MAX: usize = 128;

/// Whatever function is given the secrets: a file needs to be asked once.
pub(crate) fn find(elf: &Elf<'_>) -> Result<Found, Refusal> {
    match elf.exported(ASKED) {
        Some(function) => asked(elf, function),
        None => logged(elf),
    }
}

/// By the function that stores a pointer into the session where its second argument points to.
fn asked(elf: &Elf<'_>, function: u64) -> Result<Found, Refusal> {
    let session = first_argument(elf)?;
    let &[_, client, ..] = elf.machine.arguments() else {
        return Err(Refusal::ClientRandom);
    };
    let mut found = Vec::new();
    walk(elf, function, REACH, |_, op, state| {
        if let Op::Store { from, at } = op
            && at.displacement == 0
            && let Value::Pointer(target) = state.get(at.base)
            && target.root == client
            && target.steps().is_empty()
            && target.add == 0
            && let Value::Pointer(pointer) = state.get(from)
            && pointer.root == session
        {
            add(pointer, &mut found);
        }
        Next::On
    });
    only(&found, "from gnutls_session_get_random", vec![function])
}

/// By the function that logs it. Where it begins is not known: wherever others call or jump to may be
/// it, the nearest first.
fn logged(elf: &Elf<'_>) -> Result<Found, Refusal> {
    let session = first_argument(elf)?;
    let texts = Texts::find(elf);
    let mut references = calls::references(elf, &texts.said);
    references.retain(|&reference| texts.are_said(elf, reference));
    references.truncate(TEXTS_MAX);
    let starts = starts(elf, &references);
    for (&start, &from) in starts.iter().rev().take(STARTS_MAX) {
        let mut log = Log::new(session, &texts);
        walk(elf, start, REACH, |_, op, state| {
            if let Op::Call(_) | Op::Jump(_) = op {
                log.see(elf.machine, state);
            }
            Next::On
        });
        if let Some(pointer) = log.named.filter(|_| log.is_session) {
            let how = "from what the library logs";
            return only(&[pointer], how, vec![start, from]);
        }
    }
    Err(Refusal::ClientRandom)
}

fn only(found: &[Pointer], how: &'static str, seen: Vec<u64>) -> Result<Found, Refusal> {
    match found {
        [pointer] => Ok(Found {
            place: pointer.place(),
            library: Some(Library::GnuTls),
            how,
            seen,
        }),
        _ => Err(Refusal::ClientRandom),
    }
}

/// Where the two texts stand in memory. The label belongs to both: the search for references asks for one.
struct Texts {
    said: Vec<(u64, Label)>,
    label: Vec<u64>,
}

impl Texts {
    fn find(elf: &Elf<'_>) -> Self {
        let mut texts = Self {
            said: Vec::new(),
            label: Vec::new(),
        };
        for load in &elf.loads {
            let said = memmem::find_iter(load.bytes, SAID).take(TEXTS_MAX);
            let said = said
                .filter_map(|at| Some((address(load, beginning(load, at)?)?, Label::ClientRandom)));
            texts.said.extend(said);
            let label = memmem::find_iter(load.bytes, LABEL).take(TEXTS_MAX);
            texts.label.extend(label.filter_map(|at| address(load, at)));
        }
        texts.said.truncate(TEXTS_MAX);
        texts.said.sort_unstable();
        texts.label.truncate(TEXTS_MAX);
        texts
    }
}

impl Texts {
    /// Whether the code there comes to a call with the log's text: on arm64 references are to pages.
    fn are_said(&self, elf: &Elf<'_>, reference: u64) -> bool {
        let Some(&text) = elf.machine.arguments().get(1) else {
            return false;
        };
        let mut are_said = false;
        walk(elf, reference, calls::REACH, |_, op, state| {
            let (Op::Call(_) | Op::Jump(_)) = op else {
                return Next::On;
            };
            let value = state.get(text);
            let mut said = self.said.iter();
            are_said |= said.any(|&(said, _)| value == Value::Number(said));
            if let Op::Call(_) = op {
                return Next::Stop;
            }
            Next::On
        });
        are_said
    }
}

fn address(load: &Segment<'_>, at: usize) -> Option<u64> {
    load.address.checked_add(u64::try_from(at).ok()?)
}

/// Of the text in which these bytes are.
fn beginning(load: &Segment<'_>, at: usize) -> Option<usize> {
    let earliest = at.saturating_sub(TEXT_MAX);
    let before = load.bytes.get(earliest..at)?;
    let end = before.iter().rposition(|&byte| byte == 0)?;
    Some(earliest + end + 1)
}

/// What is seen of a function that may be the one that logs.
struct Log<'a> {
    session: Register,
    texts: &'a Texts,
    /// What was handed on last with the length of random bytes.
    handed: Option<Pointer>,
    /// What was handed on before the text was.
    named: Option<Pointer>,
    /// The label was handed on, and the function's first argument with it.
    is_session: bool,
}

impl<'a> Log<'a> {
    fn new(session: Register, texts: &'a Texts) -> Self {
        Self {
            session,
            texts,
            handed: None,
            named: None,
            is_session: false,
        }
    }

    /// Looks at a call's arguments.
    fn see(&mut self, machine: Machine, state: &State) {
        let value = |number: usize| machine.arguments().get(number).map(|&it| state.get(it));
        if let (Some(Value::Pointer(pointer)), Some(Value::Number(LENGTH))) = (value(0), value(1))
            && pointer.root == self.session
        {
            self.handed = Some(pointer);
            return;
        }
        let Some(Value::Number(text)) = value(1) else {
            return;
        };
        if self.texts.said.iter().any(|&(said, _)| said == text) {
            self.named = self.named.or(self.handed.take());
        }
        if let Some(Value::Pointer(pointer)) = value(0)
            && self.texts.label.contains(&text)
        {
            let is_whole = pointer.steps().is_empty() && pointer.add == 0;
            self.is_session |= is_whole && pointer.root == self.session;
        }
    }
}

/// Where calls and jumps lead, shortly before one of these places; and where they are.
fn starts(elf: &Elf<'_>, before: &[u64]) -> BTreeMap<u64, u64> {
    let mut starts = BTreeMap::new();
    if before.is_empty() {
        return starts;
    }
    let is_near = |target: u64| {
        let distances = before.iter().map(|&it| it.checked_sub(target));
        distances.flatten().any(|distance| distance < FUNCTION_MAX)
    };
    let mut enter = |target: u64, from: u64| {
        if is_near(target) {
            starts.entry(target).or_insert(from);
        }
    };
    for load in elf.loads.iter().filter(|load| load.executable) {
        match elf.machine {
            Machine::X86 => {
                for at in memchr2_iter(0xe8, 0xe9, load.bytes) {
                    if let (Some(distance), Some(from)) =
                        (i32_at(load.bytes, at + 1), address(load, at))
                    {
                        enter(
                            from.wrapping_add(5).wrapping_add_signed(distance.into()),
                            from,
                        );
                    }
                }
            }
            Machine::Arm64 => {
                let words = load
                    .bytes
                    .as_chunks()
                    .0
                    .iter()
                    .copied()
                    .map(u32::from_le_bytes);
                for (from, word) in (load.address..).step_by(4).zip(words) {
                    if word & 0x7c00_0000 == 0x1400_0000 {
                        let distance = (word << 6).cast_signed() >> 4;
                        enter(from.wrapping_add_signed(distance.into()), from);
                    }
                }
            }
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use crate::tests::{CODE, EXPORTER, LABELS, RANDOM, TEXTS, X86, elf};
    use crate::{Library, Refusal, resolve};

    const SAID: u64 = TEXTS + LABELS.len() as u64;

    /// A function that logs 32 bytes of its first argument (`rbx`) and what is at `second`, and hands on
    /// the label with a copy of `handed`; it is called, or not. What is given secrets does nothing.
    fn check(text: &[u8], handed: &[u8], is_called: bool, expected: Option<i32>) {
        let texts = [LABELS, text].concat();
        let code = X86::new().bytes(b"\xc3");
        let function = code.here();
        // `push rbx; mov rbx, rdi`
        let code = code.bytes(b"\x53\x48\x89\xfb");
        // `lea rdi, [rbx+0x50]; mov esi, 32; call; lea rsi, text; call`
        let code = code.bytes(b"\x48\x8d\x7b\x50\xbe\x20\0\0\0");
        let code = code.to(b"\xe8", CODE).to(b"\x48\x8d\x35", SAID);
        let code = code.to(b"\xe8", CODE);
        // `lea rdi, [rbx+0x70]; mov esi, 32; call`: the server's
        let code = code.bytes(b"\x48\x8d\x7b\x70\xbe\x20\0\0\0");
        let code = code.to(b"\xe8", CODE).bytes(handed);
        let code = code.to(b"\x48\x8d\x35", RANDOM).to(b"\xe8", CODE);
        let code = code.bytes(b"\xc3").call(EXPORTER, CODE);
        let code = if is_called {
            code.to(b"\xe8", function)
        } else {
            code
        };
        let found = resolve(&elf(62, &code.0, &texts)).map(|hooks| {
            assert_eq!(hooks.len(), 1);
            assert_eq!(hooks[0].library, Library::GnuTls);
            let crate::Operand::Fixed(place, 32) = &hooks[0].client_random else {
                panic!("{hooks:?}");
            };
            assert_eq!(place.register.0, 5);
            place.add
        });
        assert_eq!(found, expected.ok_or(Refusal::ClientRandom));
    }

    #[test]
    fn what_the_log_names() {
        let text = b"INT: CLIENT RANDOM[%d]: %s\n\0";
        let session = b"\x48\x89\xdf"; // `mov rdi, rbx`
        check(text, session, true, Some(0x50));
        // Other random bytes are named.
        check(b"INT: SERVER RANDOM[%d]: %s\n\0", session, true, None);
        // Nobody can be seen to call it.
        check(text, session, false, None);
        // The label goes with what is not the function's argument: `mov rdi, [rbx]; lea rdi, [rbx+8]`
        check(text, b"\x48\x8b\x3b", true, None);
        check(text, b"\x48\x8d\x7b\x08", true, None);
    }
}
