//! `pktwho tls-probe FILE|PID...`: where TLS secrets would be read, or why not.
//!
//! Attaches nothing: the diagnosis when nothing is decrypted. A word of digits is a process: all
//! files that it has mapped as code are looked at, those that were deleted or are in another mount
//! namespace included. Source for that: proc(5), `maps` and `map_files`.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use pktwho_tls::{Hook, Machine, Refusal, build_id, machine, resolve};

use crate::failure::worded;

/// The word that asks for it: no filter expression begins so.
pub const WORD: &str = "tls-probe";

const USAGE: &str = "Usage: pktwho tls-probe FILE|PID...\n";

/// No program is as long, in bytes.
const LONGEST: u64 = 4 << 30;
/// A process has some hundred files mapped; more are not looked at.
const FILES_MAX: usize = 4096;

/// What is said of one word.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// For standard output.
    text: String,
    /// For standard error.
    wrong: String,
    hooks: usize,
}

/// Says it of each word. The status is success when all could be read and at least one place was
/// found.
///
/// # Errors
/// Standard output takes no more.
pub fn run(words: &[OsString]) -> anyhow::Result<ExitCode> {
    if words.is_empty() {
        eprint!("{USAGE}");
        return Ok(ExitCode::FAILURE);
    }
    if words.iter().any(|word| word == "-h" || word == "--help") {
        crate::put(USAGE)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut found, mut wrong) = (false, false);
    for word in words {
        let said = match process_id(word) {
            Some(pid) => probe_process(pid),
            None => probe_file(word),
        };
        crate::put(&said.text)?;
        eprint!("{}", said.wrong);
        found |= said.hooks > 0;
        wrong |= !said.wrong.is_empty();
    }
    Ok(if found && !wrong {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn process_id(word: &OsStr) -> Option<u32> {
    let text = word.to_str()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn probe_file(path: &OsStr) -> Said {
    let mut said = Said::default();
    let name = printable(path.as_bytes());
    match File::open(path).and_then(read) {
        Ok(bytes) => said.add(&name, &bytes, resolve(&bytes)),
        Err(error) => said.cannot(&name, error),
    }
    said
}

fn probe_process(pid: u32) -> Said {
    let mut said = Said::default();
    let maps = match fs::read(format!("/proc/{pid}/maps")) {
        Ok(maps) => maps,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let _ = writeln!(said.wrong, "pktwho: no process {pid}");
            return said;
        }
        Err(error) => {
            said.cannot(&format!("/proc/{pid}/maps"), error);
            return said;
        }
    };
    let mut without = 0_usize;
    for mapped in mapped_files(&maps) {
        let name = format!("{pid}: {}", printable(mapped.path));
        match mapped.open(pid).and_then(read) {
            Ok(bytes) => match resolve(&bytes) {
                // Most files: they are counted.
                Err(Refusal::NoLabels | Refusal::NotElf) => without += 1,
                found => said.add(&name, &bytes, found),
            },
            Err(error) => said.cannot(&name, error),
        }
    }
    if without > 0 {
        let other = if said.text.is_empty() { "" } else { "other " };
        let _ = writeln!(
            said.text,
            "{pid}: no TLS labels in {without} {other}mapped files"
        );
    }
    said
}

impl Said {
    fn add(&mut self, name: &str, file: &[u8], found: Result<Vec<Hook>, Refusal>) {
        let hooks = match found {
            Ok(hooks) => hooks,
            Err(refusal) => {
                let _ = writeln!(self.text, "{name}: {refusal}");
                return;
            }
        };
        let Some(machine) = machine(file) else {
            return;
        };
        let mut build = String::new();
        for byte in build_id(file).unwrap_or_default() {
            let _ = write!(build, "{byte:02x}");
        }
        for hook in hooks {
            let _ = write!(self.text, "{name}: {}, {}", hook.library, hook.evidence);
            if Machine::OURS != Some(machine) {
                self.text.push_str("; not of this machine's architecture");
            }
            let _ = writeln!(
                self.text,
                "\n    function at offset {:#x}: label {}, client random {}, secret {}",
                hook.offset,
                hook.label.words(machine),
                hook.client_random.words(machine),
                hook.secret.words(machine),
            );
            if !build.is_empty() {
                let _ = writeln!(self.text, "    build id {build}");
            }
            self.hooks += 1;
        }
    }

    fn cannot(&mut self, name: &str, error: io::Error) {
        let _ = writeln!(self.wrong, "pktwho: cannot read {name}: {}", worded(error));
    }
}

/// A file of which a process has mapped a part as code.
#[derive(Debug, PartialEq, Eq)]
struct Mapped<'a> {
    /// As the process sees it; newlines in it are `\012`.
    path: &'a [u8],
    /// `START-END`
    range: &'a [u8],
}

impl Mapped<'_> {
    /// The very file, also when its path now leads elsewhere; without the right to that, what
    /// the path leads to.
    fn open(&self, pid: u32) -> io::Result<File> {
        let below = |folder: &str, path: &[u8]| {
            let mut full = PathBuf::from(format!("/proc/{pid}/{folder}")).into_os_string();
            full.push("/");
            full.push(OsStr::from_bytes(path));
            full
        };
        File::open(below("map_files", self.range))
            .or_else(|error| File::open(below("root", self.path)).map_err(|_| error))
    }
}

/// The files in `/proc/PID/maps`, each once.
fn mapped_files(maps: &[u8]) -> Vec<Mapped<'_>> {
    let mut seen = HashSet::new();
    let files = maps.split(|&byte| byte == b'\n').filter_map(|line| {
        // range, permissions, offset, device, inode, and after spaces the path
        let mut fields = line.splitn(6, |&byte| byte == b' ');
        let range = fields.next()?;
        let executable = fields.next()?.get(2) == Some(&b'x');
        let (device, inode) = (fields.nth(1)?, fields.next()?);
        let path = fields.next()?.trim_ascii_start();
        let new = executable && inode != b"0" && path.starts_with(b"/");
        (new && seen.insert((device, inode))).then_some(Mapped { path, range })
    });
    files.take(FILES_MAX).collect()
}

fn read(file: File) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Names are chosen by whoever made the file: nothing in them reaches the terminal as it is but
/// letters.
fn printable(name: &[u8]) -> String {
    let mut text = String::new();
    for char in String::from_utf8_lossy(name).chars() {
        if char.is_control() {
            text.extend(char.escape_default());
        } else {
            text.push(char);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_digits_are_processes() {
        let check = |word: &str, expected| assert_eq!(process_id(OsStr::new(word)), expected);
        check("1", Some(1));
        check("0042", Some(42));
        check("./1", None);
        check("", None);
        check("+1", None);
        check("99999999999", None);
    }

    #[test]
    fn files_mapped_as_code_once() {
        let maps = b"\
            55d0-55d1 r--p 00000000 fe:00 12 /usr/bin/a b\n\
            55d1-55d2 r-xp 00001000 fe:00 12                 /usr/bin/a b\n\
            55d3-55d4 r-xp 00003000 fe:00 12 /usr/bin/a b\n\
            7f00-7f01 r-xp 00000000 00:00 0\n\
            7f02-7f03 r-xp 00000000 00:00 0                  [vdso]\n\
            7f04-7f05 r-xp 00000000 00:05 77                 anon_inode:x\n\
            7f06-7f07 r-xs 00000000 fe:01 12                 /lib/x.so (deleted)\n\
            broken\n";
        let mapped = |path, range| Mapped { path, range };
        let expected = [
            mapped(&b"/usr/bin/a b"[..], &b"55d1-55d2"[..]),
            mapped(b"/lib/x.so (deleted)", b"7f06-7f07"),
        ];
        assert_eq!(mapped_files(maps), expected);
    }

    #[test]
    fn names_do_not_reach_the_terminal() {
        assert_eq!(
            printable(b"/a\x1b[2J\n/\xc3\xa4\xff"),
            "/a\\u{1b}[2J\\n/ä\u{fffd}"
        );
    }

    #[test]
    fn this_program_has_no_labels_but_is_read() {
        let said = probe_process(std::process::id());
        assert_eq!((said.wrong.as_str(), said.hooks), ("", 0));
        assert!(said.text.contains("no TLS labels in"), "{}", said.text);
    }
}
