//! `tls`: the table of TLS secrets, and what some of its rows need: libraries and programs of
//! Debian's other releases, unpacked below the target folder with the C library they were made
//! for, and an OpenSSL that is optimised when it is linked. Nothing of it is installed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::packages::{self, Packages};
use crate::{Outcome, owners, setup, shell};

/// The variable that names the folder for the runner.
const VARIABLE: &str = "E2E_TLS";

/// Releases, and the programs that are fetched of each.
const SUITES: [(&str, &[&str]); 3] = [
    ("bullseye", &["openssl", "gnutls-bin"]),
    ("trixie", &["openssl", "gnutls-bin", "caddy"]),
    ("sid", &["openssl", "gnutls-bin"]),
];

/// How old what was fetched may be before it is fetched again.
const FRESH: Duration = Duration::from_hours(7 * 24);

/// How the program is made that is optimised when it is linked.
const FLAGS: &str = "-O3 -flto";

/// Fetches what is missing, and plays the table; `--long`: also what takes minutes to make, and
/// the browser.
///
/// # Errors
/// A secret is wrong, or missing though the program was there before.
pub fn run(words: &[String]) -> Outcome {
    let long = words.iter().any(|word| word == "--long");
    setup::install(setup::TLS_PACKAGES)?;
    let folder = shell::target().join("tls/programs");
    for (release, programs) in SUITES {
        for program in programs {
            let name = format!("{program} of {release}");
            tell(&name, fetch(&folder, release, program));
        }
    }
    if long {
        tell("chromium", setup::install(setup::TLS_LONG_PACKAGES));
        tell("openssl-lto", build(&folder));
    }
    let mut runner = owners::runner("tls")?;
    shell::run(runner.args(words).env(VARIABLE, &folder))
}

/// Rows without it are skipped, and say so.
fn tell(name: &str, outcome: Outcome) {
    if let Err(why) = outcome {
        eprintln!("no {name}: {why}");
    }
}

/// Unpacks a program of a release and all that it depends on.
fn fetch(folder: &Path, release: &str, program: &str) -> Outcome {
    let stamp = folder.join(format!("{release}-{program}"));
    let age = fs::metadata(&stamp).and_then(|facts| facts.modified());
    if age.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < FRESH)) {
        return Ok(());
    }
    let packages = Packages::open(release, architecture())?;
    let names = packages.depends(program, is_library)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    packages::unpack(&packages.fetch(&names)?, &folder.join(release))?;
    fs::write(&stamp, "").map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

/// What a program needs to run: no configuration, no manuals.
fn is_library(package: &str) -> bool {
    package.starts_with("lib") && !package.ends_with("-bin") || package == "zlib1g"
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

/// Builds OpenSSL's program from the sources that are on crates.io.
fn build(folder: &Path) -> Outcome {
    let program = folder.join("openssl-lto");
    if program.exists() {
        return Ok(());
    }
    let sources = shell::root().join("tests/e2e/programs/openssl");
    let words = ["build", "--release", "--quiet"];
    let mut cargo = shell::command(shell::cargo(), &words);
    cargo
        .current_dir(sources)
        .env("CARGO_TARGET_DIR", folder.join("openssl"))
        .env("CFLAGS", FLAGS)
        .env("PROGRAM", &program);
    shell::run(&mut cargo)
}
