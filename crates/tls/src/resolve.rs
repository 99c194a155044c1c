//! From a file's bytes to the places where its secrets pass.
//!
//! No library's versions are known here, and no symbols are needed where there is another way:
//! every library hands each secret, with its label, to one function of its own, whether or not
//! a key log is wanted. The labels are texts in the file, so the function is the one that is
//! called with several of them; which of its arguments leads to the client's random bytes is
//! seen in what it does with them.

use std::cell::OnceCell;

use crate::calls::{self, Call, Callee};
use crate::client_random::{self, Found};
use crate::elf::Elf;
use crate::hook::{Hook, Library, Operand, Place};
use crate::trail::Places;
use crate::{Refusal, gnutls, go, inlined, labels};

/// A file has one for each library in it; more are not looked at.
const FUNCTIONS_MAX: usize = 32;
/// No label is longer, in bytes.
const LABEL_MAX: u64 = 64;

/// Where a program's or a library's file hands out TLS secrets: one [`Hook`] for each TLS library
/// in it. The file may be stripped, static, of fixed address or not, and cut off.
///
/// Takes time in proportion to the file's length, memory hardly any.
///
/// # Errors
/// Why there is no such place, or why it cannot be told.
pub fn resolve(file: &[u8]) -> Result<Vec<Hook>, Refusal> {
    find(&Elf::parse(file)?, &mut Places::default())
}

/// The same, and which places of the file have led to it.
pub(crate) fn find(elf: &Elf<'_>, places: &mut Places) -> Result<Vec<Hook>, Refusal> {
    let mut hooks = Vec::new();
    let mut refusals = Vec::new();
    for found in [go::find(elf, places), find_by_labels(elf, places)] {
        match found {
            Ok(found) => hooks.extend(found),
            Err(refusal) => refusals.push(refusal),
        }
    }
    match refusals.into_iter().next() {
        Some(refusal) if hooks.is_empty() => Err(refusal),
        None if hooks.is_empty() => Err(Refusal::NoLabels),
        _ => Ok(hooks),
    }
}

/// Libraries in C and C++.
fn find_by_labels(elf: &Elf<'_>, places: &mut Places) -> Result<Vec<Hook>, Refusal> {
    let labels = labels::find(elf);
    if labels.found.is_empty() {
        return Err(if labels.without_end {
            Refusal::WithoutEnd
        } else {
            Refusal::NoLabels
        });
    }
    let calls = calls::find(elf, &labels.found);
    let mut hooks = Vec::new();
    let votes = calls.values().map(|calls| calls::distinct(calls)).max();
    let mut refusal = Refusal::NoFunction {
        votes: votes.unwrap_or(0),
    };
    if elf.exported(b"SSL_ImportFD").is_some() {
        refusal = Refusal::Nss;
    }
    let agreed = calls
        .iter()
        .filter(|(_, calls)| calls::distinct(calls) >= 2);
    let asked = OnceCell::new();
    let gnutls = || asked.get_or_init(|| gnutls::find(elf)).clone();
    for (&(function, position), calls) in agreed.take(FUNCTIONS_MAX) {
        match hook(elf, (function, position), calls, &gnutls) {
            Ok((hook, seen)) => {
                places.add_calls(elf, function, calls, &seen);
                hooks.push(hook);
            }
            Err(error) => refusal = error,
        }
    }
    if hooks.is_empty() {
        return Err(refusal);
    }
    for &(label, _) in &labels.found {
        places.add(elf, label, LABEL_MAX);
    }
    Ok(hooks)
}

/// The hook, and the code elsewhere that has led to it. `gnutls`: what the file says if it is GnuTLS.
fn hook(
    elf: &Elf<'_>,
    (function, position): Callee,
    calls: &[Call],
    gnutls: &dyn Fn() -> Result<Found, Refusal>,
) -> Result<(Hook, Vec<u64>), Refusal> {
    let arguments = elf.machine.arguments();
    let argument = |number: usize| arguments.get(number).copied().ok_or(Refusal::ClientRandom);
    let labels = calls::distinct(calls);
    let (secret, found) = if position == 0 {
        let found = inlined::find(elf, function).ok_or(Refusal::ClientRandom)?;
        let client_random = Found {
            place: Place::of(argument(found.client_random)?),
            library: Some(Library::OpenSsl),
            how: "is an argument",
            seen: Vec::new(),
        };
        (found.secret, client_random)
    } else {
        let found = client_random::find(elf, function)?;
        (position + 1, found.map_or_else(gnutls, Ok)?)
    };
    let library = match found.library {
        Some(library) => library,
        // BoringSSL hands all labels straight to its function, OpenSSL only those of secrets
        // that it derives apart.
        None if labels > 4 => Library::BoringSsl,
        None => Library::OpenSsl,
    };
    let hook = Hook {
        library,
        offset: elf.offset_of(function).ok_or(Refusal::Damaged)?,
        label: Operand::Text(Place::of(argument(position)?)),
        client_random: Operand::Fixed(found.place, 32),
        secret: Operand::Sized(Place::of(argument(secret)?), argument(secret + 1)?),
        evidence: format!(
            "{labels} labels in {} calls, client random {}",
            calls.len(),
            found.how
        ),
    };
    Ok((hook, found.seen))
}
