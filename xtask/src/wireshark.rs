//! A tshark that knows processes (4.6 or later), in a folder of its own.
//!
//! The systems we test on install older ones. Debian sid's packages, its C library included,
//! are fetched with an apt that has its own lists and its own idea of what is installed, and
//! unpacked below the target folder: the system is not touched, and root is not needed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shell;

/// The variable that names a tshark for the tests.
pub const VARIABLE: &str = "PKTWHO_TSHARK";

const OLDEST: (u32, u32) = (4, 6);
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org/debian sid main";

/// The one that `PKTWHO_TSHARK` names or that was fetched before, if there is one.
pub fn present() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(named.into());
    }
    Some(folder().join("tshark")).filter(|program| program.exists())
}

/// The one that is present, or else fetches it: some 50 MB, once.
///
/// # Errors
/// Why there is none: no apt, no keys of Debian, no network, or it does not run here.
pub fn tshark() -> Result<PathBuf, String> {
    if let Some(program) = present() {
        return Ok(program);
    }
    for (needed, package) in [
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/dpkg-deb", "dpkg"),
        (KEYRING, "debian-archive-keyring"),
    ] {
        if !Path::new(needed).exists() {
            return Err(format!("{needed} is missing (package {package})"));
        }
    }
    let folder = folder();
    eprintln!(
        "fetching tshark from Debian sid into {} (some 50 MB, once)",
        folder.display()
    );
    // What an interrupted run left.
    let _ = fs::remove_dir_all(&folder);
    let apt = folder.join("apt");
    let files = folder.join("fs");
    download(&apt).map_err(|error| format!("cannot fetch Debian's packages: {error}"))?;
    unpack(&apt.join("cache/archives"), &files)?;
    let _ = fs::remove_dir_all(&apt);
    // The program's presence says that all else is there: it comes last, in one step.
    let unfinished = folder.join("unfinished");
    write_program(&unfinished, &files).map_err(|error| format!("cannot write it: {error}"))?;
    let version = version(&unfinished)?;
    if version < OLDEST {
        return Err(format!("sid's is {}.{}", version.0, version.1));
    }
    let program = folder.join("tshark");
    fs::rename(unfinished, &program).map_err(|error| error.to_string())?;
    Ok(program)
}

fn folder() -> PathBuf {
    shell::target().join("wireshark")
}

/// Fetches tshark and all that it depends on, down to the C library.
fn download(apt: &Path) -> Result<(), String> {
    let write = || {
        fs::create_dir_all(apt.join("state/lists/partial"))?;
        fs::create_dir_all(apt.join("cache/archives/partial"))?;
        // Nothing is installed: so everything is fetched.
        fs::write(apt.join("status"), "")?;
        let source = format!("deb [signed-by={KEYRING}] {MIRROR}\n");
        fs::write(apt.join("sources.list"), source)
    };
    write().map_err(|error: std::io::Error| error.to_string())?;
    let path = |name: &str| apt.join(name).display().to_string();
    let options = [
        format!("Dir::State={}", path("state")),
        format!("Dir::State::status={}", path("status")),
        format!("Dir::Cache={}", path("cache")),
        format!("Dir::Etc::sourcelist={}", path("sources.list")),
        "Dir::Etc::sourceparts=-".into(),
        "Dir::Etc::preferences=-".into(),
        "Dir::Etc::preferencesparts=-".into(),
        "APT::Sandbox::User=root".into(),
        "Acquire::Languages=none".into(),
        "Acquire::Retries=2".into(),
        // What cannot be fetched is an error, not a warning.
        "APT::Update::Error-Mode=any".into(),
    ];
    let apt_get = |words: &[&str]| {
        let mut command = shell::command("apt-get", &["-q"]);
        for option in &options {
            command.args(["-o", option]);
        }
        quiet(command.args(words))
    };
    apt_get(&["update"])?;
    let words = ["-y", "--no-install-recommends", "--download-only"];
    apt_get(&[&words[..], &["install", "tshark"]].concat())
}

/// Unpacks every package of a folder into another.
fn unpack(archives: &Path, files: &Path) -> Result<(), String> {
    let entries = fs::read_dir(archives).map_err(|error| error.to_string())?;
    let packages = entries.flatten().map(|entry| entry.path());
    for package in packages.filter(|path| path.extension().is_some_and(|end| end == "deb")) {
        let mut command = shell::command("dpkg-deb", &["-x"]);
        quiet(command.args([&package, files]))?;
    }
    Ok(())
}

/// Writes a program that runs the unpacked tshark with the unpacked libraries.
fn write_program(program: &Path, files: &Path) -> std::io::Result<()> {
    let loader = find_loader(files)?;
    let relative = loader.strip_prefix(files).unwrap_or(&loader);
    let libraries = relative.parent().unwrap_or(relative);
    let text = format!(
        "#!/bin/sh\n\
         fs=$(dirname \"$(readlink -f \"$0\")\")/fs\n\
         export WIRESHARK_DATA_DIR=\"$fs/usr/share/wireshark\"\n\
         exec \"$fs/{}\" --library-path \"$fs/{}\" \"$fs/usr/bin/tshark\" \"$@\"\n",
        relative.display(),
        libraries.display(),
    );
    fs::write(program, text)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

/// The dynamic loader: `usr/lib/TRIPLE/ld-linux-*.so.*`.
fn find_loader(files: &Path) -> std::io::Result<PathBuf> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(files.join("usr/lib"))? {
        folders.push(entry?.path());
    }
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("ld-linux") {
                return Ok(entry.path());
            }
        }
    }
    Err(std::io::Error::other("no dynamic loader in the packages"))
}

/// (major, minor) of a tshark, which proves that it runs.
fn version(tshark: &Path) -> Result<(u32, u32), String> {
    let output = Command::new(tshark)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| format!("it does not run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    parse_version(&said).ok_or_else(|| {
        let error = String::from_utf8_lossy(&output.stderr);
        let line = error.lines().next_back().unwrap_or("it names no version");
        format!("it does not run: {line}")
    })
}

/// The first number with a dot in what `tshark --version` says.
fn parse_version(said: &str) -> Option<(u32, u32)> {
    said.split_whitespace().find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

/// Runs a command and shows nothing of it; its last word on standard error is the error.
fn quiet(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next_back().unwrap_or("it failed");
    Err(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let check = |said, expected| assert_eq!(parse_version(said), expected);
        check("TShark (Wireshark) 4.6.1.\n\nCopyright", Some((4, 6)));
        check("TShark (Wireshark) 4.0.17 (Git v4.0.17)", Some((4, 0)));
        check("no such thing.", None);
    }
}
