//! Real libraries and programs, as `cargo xtask libraries` fetches and lists them: the place that is
//! found is the one that is known from elsewhere.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that is a test"
)]

use std::fs;
use std::time::Instant;

use pktwho_tls::{Trail, machine, resolve, resolve_noting};

/// The list: name, path, library (or why it is refused), client random, offset (`-`: not known).
const VARIABLE: &str = "PKTWHO_TLS_LIBRARIES";

fn rows() -> Vec<[String; 5]> {
    let Some(list) = std::env::var_os(VARIABLE) else {
        println!("skipped: no libraries; run: cargo xtask libraries");
        return Vec::new();
    };
    let text = fs::read_to_string(list).unwrap();
    let row = |line: &str| {
        let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
        fields.try_into().unwrap()
    };
    text.lines().map(row).collect()
}

#[test]
fn known_places_are_found() {
    let mut wrong = Vec::new();
    for [name, path, library, client_random, offset] in rows() {
        let file = fs::read(&path).unwrap();
        let start = Instant::now();
        let found = resolve(&file);
        let took = start.elapsed();
        let (found, evidence) = match found {
            Err(refusal) => (format!("{refusal}, -, -"), String::new()),
            Ok(hooks) => {
                let machine = machine(&file).unwrap();
                let words = |hook: &pktwho_tls::Hook| {
                    let random = hook.client_random.words(machine);
                    let random = random.strip_suffix(" (32 bytes)").unwrap();
                    let offset = match offset.as_str() {
                        "-" => "-".to_owned(),
                        _ => format!("{:#x}", hook.offset),
                    };
                    format!("{}, {random}, {offset}", hook.library)
                };
                let all: Vec<String> = hooks.iter().map(words).collect();
                (all.join("; "), hooks[0].evidence.clone())
            }
        };
        println!(
            "{name} | {found} | {evidence} | {took:.1?}, {} KiB",
            file.len() / 1024
        );
        let matches = match client_random.as_str() {
            "-" => found.starts_with(&library),
            _ => found == format!("{library}, {client_random}, {offset}"),
        };
        if !matches {
            wrong.push(format!(
                "{name}: {found}, not {library}, {client_random}, {offset}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// GnuTLS that exports nothing, and what leads to the same hook in a copy.
#[test]
fn known_places_are_found_without_exports_and_by_trails() {
    const ASKED: &[u8] = b"gnutls_session_get_random";
    let mut wrong = Vec::new();
    for [name, path, library, client_random, _] in rows() {
        let mut file = fs::read(&path).unwrap();
        let Ok((hooks, places)) = resolve_noting(&file) else {
            continue;
        };
        let trail = Trail::new(&file, places, &hooks);
        let read = |at: u64, bytes: &mut [u8]| {
            let from = usize::try_from(at).unwrap();
            bytes.copy_from_slice(&file[from..from + bytes.len()]);
            true
        };
        let start = Instant::now();
        let followed = trail.as_ref().and_then(|trail| trail.follow(read));
        let length = trail.as_ref().map_or(0, Trail::length) / 1024;
        println!("{name} | trail {length} KiB, {:.1?}", start.elapsed());
        if followed.map(|hooks| hooks.len()) != Some(hooks.len()) {
            wrong.push(format!("{name}: no trail"));
        }
        if library != "GnuTLS" {
            continue;
        }
        let names: Vec<usize> = memchr::memmem::find_iter(&file, ASKED).collect();
        for at in names {
            file[at] = b'_';
        }
        let found = resolve(&file).map(|hooks| {
            let words = |hook: &pktwho_tls::Hook| hook.client_random.words(machine(&file).unwrap());
            hooks.iter().map(words).collect::<Vec<_>>().join("; ")
        });
        if found != Ok(format!("{client_random} (32 bytes)")) {
            wrong.push(format!("{name} without exports: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Bytes changed in headers, tables and code of real files: always an answer.
#[test]
fn damaged_libraries_end_in_an_answer() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for [_, path, ..] in rows() {
        let file = fs::read(&path).unwrap();
        if file.len() > 4 << 20 {
            continue;
        }
        for round in 0..40 {
            let mut damaged = file.clone();
            // Headers first, then tables at the end, then anywhere.
            let (from, below) = match round % 4 {
                0 => (0, 1024),
                1 => (file.len() - 4096, 4096),
                _ => (0, file.len()),
            };
            for _ in 0..1 << (round / 4) {
                damaged[from + random(below)] = u8::try_from(random(256)).unwrap();
            }
            if round % 8 == 3 {
                damaged.truncate(random(file.len()));
            }
            for hook in resolve(&damaged).into_iter().flatten() {
                assert!(usize::try_from(hook.offset).unwrap() < damaged.len());
            }
        }
    }
}
