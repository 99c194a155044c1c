//! `libraries`: finds where TLS secrets pass in real libraries and programs, and compares with what is
//! known of them.
//!
//! Debian's packages of several releases and architectures are fetched and unpacked below the
//! target folder; nothing is installed. What is expected comes from elsewhere than the tool: the
//! way to the client's random bytes from handshakes that were recorded with these versions
//! and their key logs on x86-64 (arm64 is expected to have the same); the function, where it has a name, from the symbols of the same code
//! before it is stripped. Programs of the installed Go are built here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, packages, packages::Packages, shell};

/// The variable that names the list for the tests.
const VARIABLE: &str = "PKTWHO_TLS_LIBRARIES";

const X86: &str = "usr/lib/x86_64-linux-gnu";
const ARM: &str = "usr/lib/aarch64-linux-gnu";

/// A file of a package.
struct File {
    release: &'static str,
    arch: &'static str,
    package: &'static str,
    folder: &'static str,
    name: &'static str,
    /// Whose code it is, or the beginning of why it is refused.
    library: &'static str,
    /// `-` for a refusal.
    client_random: &'static str,
    /// The function's symbol, where the file has symbols.
    symbol: Option<&'static str>,
}

const OPENSSL: &str = "OpenSSL";
const BORINGSSL: &str = "BoringSSL";
const GNUTLS: &str = "GnuTLS";
const GO: &str = "Go crypto/tls";
const GO_FUNCTION: &str = "crypto/tls.(*Config).writeKeyLog";

#[rustfmt::skip]
const FILES: &[File] = &[
    file("bullseye", "amd64", "libssl1.1", X86, "libssl.so.1.1", OPENSSL, "[rdi+0xa8]+0xb8"),
    file("bookworm", "amd64", "libssl3", X86, "libssl.so.3", OPENSSL, "rdi+0x160"),
    file("trixie", "amd64", "libssl3t64", X86, "libssl.so.3", OPENSSL, "rdi+0x188"),
    file("sid", "amd64", "libssl3t64", X86, "libssl.so.3", OPENSSL, "rdi+0x188"),
    file("bookworm", "arm64", "libssl3", ARM, "libssl.so.3", OPENSSL, "x0+0x160"),
    file("trixie", "arm64", "libssl3t64", ARM, "libssl.so.3", OPENSSL, "x0+0x188"),
    file("bullseye", "amd64", "libgnutls30", X86, "libgnutls.so.30", GNUTLS, "rdi+0x50"),
    file("bookworm", "amd64", "libgnutls30", X86, "libgnutls.so.30", GNUTLS, "rdi+0x50"),
    file("trixie", "amd64", "libgnutls30t64", X86, "libgnutls.so.30", GNUTLS, "rdi+0x50"),
    file("sid", "amd64", "libgnutls30t64", X86, "libgnutls.so.30", GNUTLS, "rdi+0x50"),
    file("bookworm", "arm64", "libgnutls30", ARM, "libgnutls.so.30", GNUTLS, "x0+0x50"),
    file("trixie", "arm64", "libgnutls30t64", ARM, "libgnutls.so.30", GNUTLS, "x0+0x50"),
    file("trixie", "amd64", "android-libboringssl", X86, "android/libssl.so.0", BORINGSSL, "[rdi+0x30]+0x30"),
    file("sid", "amd64", "android-libboringssl", X86, "android/libssl.so.0", BORINGSSL, "[rdi+0x30]+0x30"),
    file("trixie", "arm64", "android-libboringssl", ARM, "android/libssl.so.0", BORINGSSL, "[x0+0x30]+0x30"),
    File {
        symbol: Some(GO_FUNCTION),
        ..file("trixie", "amd64", "docker.io", "usr/sbin", "dockerd", GO, "rdi")
    },
    file("trixie", "amd64", "caddy", "usr/bin", "caddy", GO, "rdi"),
    file("sid", "amd64", "caddy", "usr/bin", "caddy", GO, "rdi"),
    file("bookworm", "amd64", "restic", "usr/bin", "restic", GO, "rdi"),
    file("trixie", "arm64", "restic", "usr/bin", "restic", GO, "x3"),
    file("bookworm", "amd64", "libnss3", X86, "libssl3.so", "NSS: not supported", "-"),
    file("bookworm", "amd64", "runc", "usr/sbin", "runc", "no TLS labels", "-"),
];

/// Large ones, with `--long`.
#[rustfmt::skip]
const LONG: &[File] = &[
    file("sid", "amd64", "chromium", "usr/lib/chromium", "chromium", BORINGSSL, "[rdi+0x30]+0x30"),
    file("sid", "arm64", "chromium", "usr/lib/chromium", "chromium", BORINGSSL, "[x0+0x30]+0x30"),
];

const fn file(
    release: &'static str,
    arch: &'static str,
    package: &'static str,
    folder: &'static str,
    name: &'static str,
    library: &'static str,
    client_random: &'static str,
) -> File {
    File {
        release,
        arch,
        package,
        folder,
        name,
        library,
        client_random,
        symbol: None,
    }
}

/// Archives of object files, linked here, so that there are symbols to compare with: release,
/// package, archive, library, client random, symbol.
type Archive = [&'static str; 6];

#[rustfmt::skip]
const ARCHIVES: &[Archive] = &[
    ["bullseye", "libssl-dev", "libssl.a", OPENSSL, "[rdi+0xa8]+0xb8", "ssl_log_secret"],
    ["bookworm", "libssl-dev", "libssl.a", OPENSSL, "rdi+0x160", "ssl_log_secret"],
    ["trixie", "libssl-dev", "libssl.a", OPENSSL, "rdi+0x188", "ssl_log_secret"],
    ["sid", "libssl-dev", "libssl.a", OPENSSL, "rdi+0x188", "ssl_log_secret"],
    ["bookworm", "libgnutls28-dev", "libgnutls.a", GNUTLS, "rdi+0x50", "_gnutls_call_keylog_func"],
    ["sid", "libgnutls28-dev", "libgnutls.a", GNUTLS, "rdi+0x50", "_gnutls_call_keylog_func"],
];

/// How archives are linked: a library that can be replaced, and a program of its own.
const LINKS: [(&str, &[&str]); 2] = [
    ("shared", &["-shared", "-Wl,-z,notext"]),
    ("program", &["-pie", "-rdynamic", "-Wl,-e,0"]),
];

/// How the installed Go builds programs: where they are loaded, and whose linker is used.
const GO_BUILDS: [(&str, &[&str]); 4] = [
    ("fixed", &[]),
    ("external", &["-ldflags=-linkmode=external"]),
    ("pie", &["-buildmode=pie"]),
    (
        "external-pie",
        &["-buildmode=pie", "-ldflags=-linkmode=external"],
    ),
];

/// Fetches all that can be had, and runs the tests on it.
pub fn run(words: &[String]) -> Outcome {
    let folder = shell::target().join("tls");
    let long = words.iter().any(|word| word == "--long");
    let files = FILES.iter().chain(LONG.iter().filter(|_| long));
    let mut list = String::new();
    let mut skipped = 0;
    let mut enter = |name: &str, line: Result<String, String>| match line {
        Ok(line) => list += &line,
        Err(reason) => {
            eprintln!("skipped {name}: {reason}");
            skipped += 1;
        }
    };
    for file in files {
        let name = format!("{}-{}/{}", file.release, file.arch, file.package);
        enter(&name, file.fetch(&folder, &name));
    }
    for archive in ARCHIVES {
        for link in LINKS {
            // GnuTLS has variables of threads that only programs can have.
            if archive[3] == OPENSSL || link.0 == "program" {
                let name = format!("{}/{} ({})", archive[0], archive[2], link.0);
                enter(&name, build(archive, link, &folder, &name));
            }
        }
    }
    for build in GO_BUILDS {
        let name = format!("go ({})", build.0);
        enter(&name, build_go(build, &folder, &name));
    }
    let path = folder.join("list");
    fs::write(&path, list).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    let test = [
        "test",
        "--release",
        "--package",
        "pktwho-tls",
        "--test",
        "libraries",
    ];
    let mut command = shell::command(shell::cargo(), &test);
    shell::run(command.args(["--", "--nocapture"]).env(VARIABLE, &path))?;
    eprintln!("{skipped} skipped");
    Ok(())
}

/// A line of the list: name, path, library, client random, offset.
fn line(name: &str, path: &Path, library: &str, client_random: &str, offset: &str) -> String {
    format!(
        "{name}\t{}\t{library}\t{client_random}\t{offset}\n",
        path.display()
    )
}

/// Unpacks a package, and says where.
fn unpacked(folder: &Path, release: &str, arch: &str, package: &str) -> Result<PathBuf, String> {
    let files = Packages::open(release, arch)?.fetch(&[package])?;
    let version = files
        .first()
        .map(|file| packages::version(file))
        .unwrap_or_default();
    let place = folder.join(format!("{release}-{arch}-{package}-{version}"));
    if !place.exists() {
        packages::unpack(&files, &place)?;
    }
    Ok(place)
}

impl File {
    fn fetch(&self, folder: &Path, name: &str) -> Result<String, String> {
        let place = unpacked(folder, self.release, self.arch, self.package)?;
        let path = place.join(self.folder).join(self.name);
        if !path.exists() {
            return Err(format!("the package has no {}", self.name));
        }
        let offset = match self.symbol {
            Some(symbol) => offset_of(&path, symbol)?,
            None => "-".into(),
        };
        let name = format!("{name} {}", self.name);
        Ok(line(
            &name,
            &path,
            self.library,
            self.client_random,
            &offset,
        ))
    }
}

/// Links an archive without the rest of the world, and strips a copy.
fn build(
    archive: &Archive,
    (kind, flags): (&str, &[&str]),
    folder: &Path,
    name: &str,
) -> Result<String, String> {
    let [release, package, file, library, client_random, symbol] = *archive;
    let place = unpacked(folder, release, "amd64", package)?;
    let whole = place.join(format!("{file}.{kind}"));
    let stripped = place.join(format!("{file}.{kind}.stripped"));
    let mut link = shell::command("cc", &["-nostdlib", "-Wl,--unresolved-symbols=ignore-all"]);
    link.args(flags).arg("-o").arg(&whole);
    quiet(
        link.arg("-Wl,--whole-archive")
            .arg(place.join(X86).join(file)),
    )?;
    quiet(shell::command("strip", &["-o"]).arg(&stripped).arg(&whole))?;
    let offset = offset_of(&whole, symbol)?;
    Ok(line(name, &stripped, library, client_random, &offset))
}

/// Builds a client with the installed Go, and strips a copy.
fn build_go((kind, flags): (&str, &[&str]), folder: &Path, name: &str) -> Result<String, String> {
    let whole = folder.join(format!("go.{kind}"));
    let stripped = folder.join(format!("go.{kind}.stripped"));
    let mut build = shell::command("go", &["build"]);
    build.args(flags).arg("-o").arg(&whole);
    quiet(build.arg("tests/e2e/programs/tls_client.go"))?;
    quiet(shell::command("strip", &["-o"]).arg(&stripped).arg(&whole))?;
    let offset = offset_of(&whole, GO_FUNCTION)?;
    Ok(line(name, &stripped, GO, "rdi", &offset))
}

/// Where a function is in a file, from its symbols and the place of `.text`, as binutils tell.
fn offset_of(file: &Path, symbol: &str) -> Result<String, String> {
    // Go programs that load plugins export theirs, and are stripped of others.
    let nm = |kind| quiet(shell::command("nm", &["--defined-only", kind]).arg(file));
    let symbols = nm("--debug-syms")? + &nm("--dynamic").unwrap_or_default();
    let named = |line: &&str| line.splitn(3, ' ').nth(2) == Some(symbol);
    let line = symbols.lines().find(named);
    let address = line.and_then(|line| hex(line.split(' ').next()?));
    let sections = quiet(shell::command("readelf", &["--section-headers", "--wide"]).arg(file))?;
    let text = sections.lines().find_map(|line| {
        let (_, rest) = line.split_once("] .text ")?;
        let mut words = rest.split_whitespace().skip(1);
        Some((hex(words.next()?)?, hex(words.next()?)?))
    });
    let offset = address
        .zip(text)
        .and_then(|(address, (start, offset))| address.checked_sub(start)?.checked_add(offset));
    let offset = offset.ok_or_else(|| format!("{} has no {symbol}", file.display()))?;
    Ok(format!("{offset:#x}"))
}

fn hex(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok()
}

/// Runs a command; what it puts out.
fn quiet(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().next_back().unwrap_or("it failed");
        return Err(format!("{name}: {last}"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
