//! How a library's connection leads to the client's random bytes.

use crate::code::{Memory, Op};
use crate::elf::Elf;
use crate::hook::{Library, Place};
use crate::trace::{Next, Pointer, Reach, State, Value, walk};
use crate::{Refusal, Register};

#[derive(Clone)]
pub(crate) struct Found {
    pub place: Place,
    /// Where the way it was found says whose code it is.
    pub library: Option<Library>,
    /// In words for people.
    pub how: &'static str,
    /// Code elsewhere that has led there.
    pub seen: Vec<u64>,
}

/// Of the client's random bytes.
const LENGTH: u64 = 32;
pub(crate) const REACH: Reach = Reach {
    branches: true,
    instructions: 1500,
};

/// Looks for it in the function that is given the secrets, its first argument the connection. `None`
/// when it does nothing with that.
pub(crate) fn find(elf: &Elf<'_>, function: u64) -> Result<Option<Found>, Refusal> {
    let connection = first_argument(elf)?;
    let mut uses = Uses::default();
    walk(elf, function, REACH, |_, op, state| {
        match op {
            Op::Call(_) | Op::Jump(_) => {
                with_length(elf, state, connection, &mut uses.handed_on);
            }
            Op::LoadByte { at, .. } => uses.read_byte(at, state, connection),
            Op::LoadVector { at, length } => uses.read_vector(at, length, state, connection),
            _ => {}
        }
        Next::On
    });
    let (found, how) = uses.conclude();
    match found.as_slice() {
        [pointer] => Ok(Some(Found {
            place: pointer.place(),
            library: None,
            how,
            seen: Vec::new(),
        })),
        [] => Ok(None),
        _ => Err(Refusal::ClientRandom),
    }
}

/// What a function does with places to which its first argument leads.
#[derive(Default)]
struct Uses {
    /// Given to others, with the length.
    handed_on: Vec<Pointer>,
    /// Of bytes in a row, the first.
    bytes: Vec<Pointer>,
    /// 16 bytes at once.
    vectors: Vec<Pointer>,
}

impl Uses {
    /// A flag is read at a fixed place of a structure; bytes in a row by an index, or through a
    /// pointer that moves.
    fn read_byte(&mut self, at: Memory, state: &State, connection: Register) {
        if let Some(pointer) = state.address(at)
            && (at.indexed || (at.displacement == 0 && pointer.add != 0))
            && pointer.root == connection
        {
            // Loops may be unrolled: of some neighbours it is the first.
            let near = |other: &Pointer| pointer.distance(other).is_some_and(is_within);
            match self.bytes.iter_mut().find(|other| near(other)) {
                Some(other) => other.add = other.add.min(pointer.add),
                None => self.bytes.push(pointer),
            }
        }
    }

    fn read_vector(&mut self, at: Memory, length: u8, state: &State, connection: Register) {
        let pointer = state
            .address(at)
            .filter(|pointer| pointer.root == connection);
        for half in (0..i32::from(length)).step_by(16) {
            let moved = pointer.and_then(|pointer| pointer.plus(half));
            if let Some(pointer) = moved.filter(|_| !at.indexed) {
                add(pointer, &mut self.vectors);
            }
        }
    }

    /// The places that look like it, and why.
    fn conclude(self) -> (Vec<Pointer>, &'static str) {
        if !self.handed_on.is_empty() {
            return (self.handed_on, "as 32 bytes handed on");
        }
        if !self.bytes.is_empty() {
            return (self.bytes, "as bytes in a row");
        }
        let has = |pointer: Option<Pointer>| pointer.is_some_and(|it| self.vectors.contains(&it));
        let mut halves = self.vectors.clone();
        halves.retain(|first| has(first.plus(16)) && !has(first.plus(-16)));
        (halves, "as 32 bytes read at once")
    }
}

/// Both may be of the same 32 bytes.
fn is_within(distance: i32) -> bool {
    distance.unsigned_abs() < 32
}

pub(crate) fn first_argument(elf: &Elf<'_>) -> Result<Register, Refusal> {
    elf.machine
        .arguments()
        .first()
        .copied()
        .ok_or(Refusal::ClientRandom)
}

/// An argument that is a pointer into the connection, and the next one 32.
fn with_length(elf: &Elf<'_>, state: &State, connection: Register, found: &mut Vec<Pointer>) {
    let arguments = elf.machine.arguments();
    for (&bytes, &length) in arguments.iter().zip(arguments.iter().skip(1)) {
        if let (Value::Pointer(pointer), Value::Number(LENGTH)) =
            (state.get(bytes), state.get(length))
            && pointer.root == connection
            && (pointer.add != 0 || !pointer.steps().is_empty())
        {
            add(pointer, found);
        }
    }
}

pub(crate) fn add(pointer: Pointer, found: &mut Vec<Pointer>) {
    if !found.contains(&pointer) {
        found.push(pointer);
    }
}
