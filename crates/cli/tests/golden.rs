//! Golden tests: the tool's output on the captures in `tests/golden`, byte for byte.
//!
//! A case is `tests/golden/AREA/NAME.args`, the words of a command line as sh splits them.
//! It reads `NAME.pcap` or `NAME.pcapng` beside it, unless it names its input with `{IN}`
//! (the folder of the case), as in `-r {IN}/other.pcap`. Standard output is `NAME.out`;
//! `NAME.err` and `NAME.status`, where they exist, are standard error and the exit status.
//! Without them standard error must not say more than which file is read, and the status is 0.
//! `BLESS=1` writes what is there now.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that is a test"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let words: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = words.iter().filter(|w| !w.starts_with('-')).collect();
    let mut cases = Vec::new();
    find(&golden, &mut cases);
    cases.sort();
    let (mut passed, mut failed) = (0, 0);
    println!("\nrunning {} tests", cases.len());
    for case in cases {
        let name = case.strip_prefix(&golden).unwrap().with_extension("");
        let name = name.display().to_string();
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(*filter)) {
            continue;
        }
        let difference = check(&case);
        let word = if difference.is_empty() {
            "ok"
        } else {
            "FAILED"
        };
        println!("test {name} ... {word}");
        print!("{difference}");
        if difference.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed; 0 ignored");
    ExitCode::from(u8::from(failed > 0))
}

fn find(folder: &Path, cases: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, cases);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "args")
        {
            cases.push(path);
        }
    }
}

/// What differs; empty when nothing does.
fn check(case: &Path) -> String {
    let folder = case.parent().unwrap();
    let typed = fs::read_to_string(case).unwrap();
    let mut words = Vec::new();
    if !typed.contains("{IN}") {
        let input = ["pcap", "pcapng"].map(|extension| case.with_extension(extension));
        let Some(input) = input.iter().find(|path| path.exists()) else {
            return "there is no capture beside it\n".to_owned();
        };
        words.push("-r".to_owned());
        words.push(input.file_name().unwrap().to_str().unwrap().to_owned());
    }
    // Run in the folder of the case, so that no output depends on where that is.
    words.extend(split(&typed.replace("{IN}", ".")));
    let output = Command::new(env!("CARGO_BIN_EXE_pktwho"))
        .args(words)
        .current_dir(folder)
        .env("TZ", "UTC")
        // No nameserver is asked.
        .env("RES_OPTIONS", "attempts:0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let status = output.status.code().map_or_else(
        || format!("{}\n", output.status),
        |status| format!("{status}\n"),
    );
    if std::env::var_os("BLESS").is_some() {
        bless(case, &output, &status);
    }
    let mut difference = compare(case, "out", &output.stdout);
    if case.with_extension("err").exists() {
        difference += &compare(case, "err", &output.stderr);
    } else {
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            if !line.starts_with("reading from file ") {
                let _ = writeln!(difference, "  standard error: {line}");
            }
        }
    }
    if case.with_extension("status").exists() {
        difference += &compare(case, "status", status.as_bytes());
    } else if status != "0\n" {
        let _ = writeln!(difference, "  exit status {}", status.trim_end());
    }
    difference
}

fn bless(case: &Path, output: &std::process::Output, status: &str) {
    fs::write(case.with_extension("out"), &output.stdout).unwrap();
    if status != "0\n" || case.with_extension("status").exists() {
        fs::write(case.with_extension("status"), status).unwrap();
    }
    if status != "0\n" || case.with_extension("err").exists() {
        fs::write(case.with_extension("err"), &output.stderr).unwrap();
    }
}

/// The first line in which `got` differs from what the file says.
fn compare(case: &Path, extension: &str, got: &[u8]) -> String {
    let Ok(expected) = fs::read(case.with_extension(extension)) else {
        return format!("  there is no .{extension}; BLESS=1 writes it\n");
    };
    if expected == got {
        return String::new();
    }
    let (expected, got) = (
        String::from_utf8_lossy(&expected),
        String::from_utf8_lossy(got),
    );
    let end = "<end>";
    let pairs = expected
        .split('\n')
        .chain([end])
        .zip(got.split('\n').chain([end]));
    for (number, (expected, got)) in pairs.enumerate() {
        if expected != got {
            let number = number + 1;
            return format!(
                "  .{extension} line {number}\n    expected {expected}\n    got      {got}\n"
            );
        }
    }
    format!("  .{extension} differs in bytes that are no text\n")
}

/// Words as sh splits them: blanks, single and double quotes, backslashes.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}
