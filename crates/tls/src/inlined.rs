//! The function behind, where link-time optimisation took the one in front of it away.
//!
//! OpenSSL's function that is given a connection, a label and a secret hands it all on, and the
//! client's random bytes with it, to one that writes the line. When the first is inlined
//! everywhere, the second is the one that is called with labels: the label first, then the
//! connection, the random bytes, perhaps their length, the secret and its length. Which is which is
//! seen in what it reads.

use crate::Register;
use crate::code::{Memory, Op};
use crate::elf::Elf;
use crate::trace::{Next, Reach, State, Value, walk};

/// Two arguments by their numbers, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub client_random: usize,
    /// Its length is the next argument.
    pub secret: usize,
}

const REACH: Reach = Reach {
    branches: true,
    instructions: 1500,
};

/// The arguments behind the first whose bytes the function reads one after the other: there are
/// two, and no more between them than a length.
pub(crate) fn find(elf: &Elf<'_>, function: u64) -> Option<Arguments> {
    let registers = elf.machine.arguments();
    let mut read = vec![false; registers.len()];
    walk(elf, function, REACH, |_, op, state| {
        let (Op::LoadByte { at, .. } | Op::LoadVector { at, .. }) = op else {
            return Next::On;
        };
        let arguments = registers.iter().zip(&mut read).skip(1);
        for (_, read) in arguments.filter(|&(&register, _)| is_start(state, at, register)) {
            *read = true;
        }
        Next::On
    });
    let numbers = (0..).zip(&read).filter(|(_, read)| **read);
    let numbers: Vec<usize> = numbers.map(|(number, _)| number).collect();
    match numbers.as_slice() {
        &[client_random, secret] if secret - client_random <= 2 && secret + 1 < registers.len() => {
            Some(Arguments {
                client_random,
                secret,
            })
        }
        _ => None,
    }
}

/// Whether bytes are read that an argument points to: the first, or one that a counter tells.
fn is_start(state: &State, at: Memory, argument: Register) -> bool {
    let whole = match state.get(at.base) {
        Value::Pointer(pointer) => pointer.root == argument && pointer.steps().is_empty(),
        _ => false,
    };
    let first = state.address(at).is_some_and(|pointer| pointer.add == 0);
    whole && (first || at.indexed)
}
