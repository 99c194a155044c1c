//! `dist`: what is handed out. Static programs for both architectures, packages for Debian's
//! and Red Hat's families, completions, the manual page, a bill of materials, and sums.
//!
//! Promises: the same sources give the same bytes; each program is static and below
//! [`LARGEST`]. Start reading at [`run`].

pub mod archive;
mod bill;
mod deb;
mod rpm;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::musl::{ARCHES, Arch, Root};
use crate::{Outcome, shell};

/// The largest program, in bytes.
const LARGEST: u64 = 10_000_000;

/// A file of a package, or a folder that goes with it.
pub struct File {
    /// From the root, without the first slash; a folder's ends with one.
    pub path: String,
    /// Permissions.
    pub mode: u16,
    pub bytes: Vec<u8>,
}

impl File {
    /// Without the slash that tells a folder.
    pub fn name(&self) -> &str {
        self.path.trim_end_matches('/')
    }

    pub fn is_folder(&self) -> bool {
        self.path.ends_with('/')
    }

    /// Its type and permissions, as stat(2) has them.
    pub fn full_mode(&self) -> u16 {
        let kind = if self.is_folder() {
            0o040_000
        } else {
            0o100_000
        };
        kind | self.mode
    }
}

/// What packages say of themselves.
pub struct About {
    pub version: String,
    /// When the sources were last changed, in seconds since 1970: the time of all files.
    pub time: u32,
    pub summary: &'static str,
    pub description: &'static str,
    pub licence: &'static str,
}

const SUMMARY: &str = "packet capture that shows who sends and who receives";
const DESCRIPTION: &str = "Captures packets as tcpdump does, with its flags and its lines, and shows for each\n\
     which process sent it and which one receives it. It needs a Linux kernel with\n\
     eBPF and BTF, and root for capturing.";

/// Builds all, or only for the architectures that are named; `--twice` builds everything again
/// in another folder and compares.
///
/// # Errors
/// Something does not build, is not static or too large, or the second build differs.
pub fn run(words: &[String]) -> Outcome {
    let twice = words.iter().any(|word| word == "--twice");
    let named = words.iter().filter(|word| *word != "--twice");
    let named: Vec<Arch> = named
        .map(|word| Arch::named(word).ok_or_else(|| format!("no architecture is called {word}")))
        .collect::<Result<_, _>>()?;
    let arches = if named.is_empty() { ARCHES } else { &named };
    let folder = shell::target().join("dist");
    make(arches, &folder)?;
    if twice {
        again(arches, &folder)
    } else {
        Ok(())
    }
}

/// The static program for this machine, for tests.
///
/// # Errors
/// As [`program`]; or nothing is built for such a machine.
pub fn here() -> Result<PathBuf, String> {
    let arch = Arch::here().ok_or("no static program is made for this machine")?;
    let root = Root::open(arch)?;
    let folder = shell::target().join("static");
    let named = folder.join("pktwho");
    copy(&program(&root, &folder)?, &named)?;
    Ok(named)
}

/// The program for an architecture, built and stripped as it is handed out.
///
/// # Errors
/// It does not build, or is not what it should be.
pub fn program(root: &Root, folder: &Path) -> Result<PathBuf, String> {
    let words = [
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "pktwho",
    ];
    shell::run(&mut root.cargo(&words))?;
    let built = format!("{}/release/pktwho", root.arch.target());
    let program = folder.join(format!("pktwho-{}", root.arch.name));
    let mut strip = shell::command("llvm-strip", &["-o"]);
    shell::run(strip.arg(&program).arg(shell::target().join(built)))?;
    check_program(&program)?;
    Ok(program)
}

fn make(arches: &[Arch], folder: &Path) -> Outcome {
    // Not there is as good as removed.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    let here = Arch::here().ok_or("dist runs on x86-64 and arm64 only")?;
    let here_root = Root::open(here)?;
    // Its texts are those of all architectures.
    let native = program(&here_root, folder)?;
    copy(&native, &folder.join("pktwho"))?;
    let texts = texts(&native, folder)?;
    let about = about()?;
    let mut made = vec![folder.join("pktwho")];
    made.extend(texts.iter().map(|(.., file)| file.clone()));
    for &arch in arches {
        let root = Root::open(arch)?;
        let program = program(&root, folder)?;
        let bill = folder.join(format!("pktwho-{}.cdx.json", arch.name));
        write(&bill, bill::bill(&root, &about)?.as_bytes())?;
        let files = |rpm: bool| files(&program, &texts, &bill, rpm);
        let (version, debian) = (&about.version, arch.debian);
        let deb = folder.join(format!("pktwho_{version}_{debian}.deb"));
        write(&deb, &deb::deb(&about, arch, &files(false)?)?)?;
        let rpm = folder.join(format!("pktwho-{version}-1.{}.rpm", arch.name));
        write(&rpm, &rpm::rpm(&about, arch, &files(true)?)?)?;
        made.extend([program, bill, deb, rpm]);
    }
    if !arches.contains(&here) {
        fs::remove_file(&native).map_err(|error| told(&native, &error))?;
    }
    sums(folder, &mut made)
}

/// Builds into another folder, which has its own copy of the sources and of everything built,
/// and compares all files.
fn again(arches: &[Arch], folder: &Path) -> Outcome {
    let other = shell::target().join("dist-again");
    let sources = other.join("sources");
    let _ = fs::remove_dir_all(&other);
    fs::create_dir_all(&sources).map_err(|error| told(&sources, &error))?;
    let list = shell::command("git", &["ls-files", "-z"]).output();
    let list = list.map_err(|error| format!("cannot run git: {error}"))?;
    for name in list
        .stdout
        .split(|byte| *byte == 0)
        .filter(|n| !n.is_empty())
    {
        let name = String::from_utf8_lossy(name).into_owned();
        let to = sources.join(&name);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|error| told(parent, &error))?;
        }
        copy(&shell::root().join(&name), &to)?;
    }
    let target = other.join("target");
    fs::create_dir_all(&target).map_err(|error| told(&target, &error))?;
    let packages = target.join("packages");
    std::os::unix::fs::symlink(shell::target().join("packages"), &packages)
        .map_err(|error| told(&packages, &error))?;
    let mut build = Command::new(shell::cargo());
    build
        .args(["xtask", "dist"])
        .args(arches.iter().map(|arch| arch.name))
        .current_dir(&sources)
        .stdin(Stdio::null())
        .env("CARGO_TARGET_DIR", &target)
        .env("SOURCE_DATE_EPOCH", time()?.to_string());
    shell::run(&mut build)?;
    let sums = |folder: &Path| {
        let file = folder.join("SHA256SUMS");
        fs::read_to_string(&file).map_err(|error| told(&file, &error))
    };
    let (first, second) = (sums(folder)?, sums(&target.join("dist"))?);
    let different: Vec<&str> = first
        .lines()
        .filter(|line| !second.lines().any(|other| other == *line))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    if different.is_empty() {
        eprintln!("dist: built twice, in two folders: the same bytes");
        let _ = fs::remove_dir_all(&other);
        Ok(())
    } else {
        Err(format!(
            "the second build differs: {}",
            different.join(", ")
        ))
    }
}

/// Fails unless a program is static and small.
fn check_program(program: &Path) -> Result<(), String> {
    let mut readelf = shell::command("llvm-readelf", &["--program-headers"]);
    let output = output(readelf.arg(program), &[])?;
    let headers = String::from_utf8_lossy(&output);
    if ["INTERP", "DYNAMIC"]
        .iter()
        .any(|kind| headers.contains(kind))
    {
        return Err(format!("{} is not static", program.display()));
    }
    let size = fs::metadata(program)
        .map_err(|error| told(program, &error))?
        .len();
    if size > LARGEST {
        return Err(format!("{} has {size} bytes", program.display()));
    }
    Ok(())
}

/// The manual page and the completions: what they are called in the folder, where Debian's and
/// where Red Hat's family keeps them, and the file.
type Text = (&'static str, &'static str, PathBuf);

fn texts(program: &Path, folder: &Path) -> Result<Vec<Text>, String> {
    let mut texts = Vec::new();
    for (name, words, deb, rpm) in [
        (
            "pktwho.8",
            &["--man"][..],
            "usr/share/man/man8/pktwho.8.gz",
            "usr/share/man/man8/pktwho.8.gz",
        ),
        (
            "pktwho.bash",
            &["--completions", "bash"],
            "usr/share/bash-completion/completions/pktwho",
            "usr/share/bash-completion/completions/pktwho",
        ),
        (
            "_pktwho",
            &["--completions", "zsh"],
            "usr/share/zsh/vendor-completions/_pktwho",
            "usr/share/zsh/site-functions/_pktwho",
        ),
        (
            "pktwho.fish",
            &["--completions", "fish"],
            "usr/share/fish/vendor_completions.d/pktwho.fish",
            "usr/share/fish/vendor_completions.d/pktwho.fish",
        ),
    ] {
        let file = folder.join(name);
        write(&file, &output(Command::new(program).args(words), &[])?)?;
        texts.push((deb, rpm, file));
    }
    Ok(texts)
}

/// The files of a package.
fn files(program: &Path, texts: &[Text], bill: &Path, rpm: bool) -> Result<Vec<File>, String> {
    let read = |file: &Path| fs::read(file).map_err(|error| told(file, &error));
    let file = |path: &str, bytes| File {
        path: path.to_owned(),
        mode: 0o644,
        bytes,
    };
    let mut files = vec![File {
        mode: 0o755,
        ..file("usr/bin/pktwho", read(program)?)
    }];
    for (deb, red_hat, text) in texts {
        let path = if rpm { red_hat } else { deb };
        let bytes = read(text)?;
        let bytes = if text.extension().is_some_and(|end| end == "8") {
            gzip(&bytes)?
        } else {
            bytes
        };
        files.push(file(path, bytes));
    }
    let root = shell::root();
    for (name, licence) in [
        ("LICENSE-MIT", "LICENSE-MIT"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
    ] {
        let path = format!("usr/share/doc/pktwho/{name}");
        files.push(file(&path, read(&root.join(licence))?));
    }
    files.push(file("usr/share/doc/pktwho/pktwho.cdx.json", read(bill)?));
    if rpm {
        // dpkg keeps count of the folders itself.
        files.push(File {
            mode: 0o755,
            ..file("usr/share/doc/pktwho/", Vec::new())
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn sums(folder: &Path, made: &mut [PathBuf]) -> Outcome {
    made.sort();
    let mut text = String::new();
    for file in made.iter() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(file).map_err(|error| told(file, &error))?;
        let sum = digest("sha256sum", &bytes)?;
        text.extend([sum.as_str(), "  ", &name, "\n"]);
        eprintln!("dist: {:>9} {name}", bytes.len());
    }
    write(&folder.join("SHA256SUMS"), text.as_bytes())
}

fn about() -> Result<About, String> {
    Ok(About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: time()?,
        summary: SUMMARY,
        description: DESCRIPTION,
        licence: "MIT OR Apache-2.0",
    })
}

/// The time of the last commit, or what `SOURCE_DATE_EPOCH` says.
fn time() -> Result<u32, String> {
    let text = if let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") {
        text
    } else {
        let log = ["log", "-1", "--format=%ct"];
        let output = output(&mut shell::command("git", &log), &[])?;
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    text.parse().map_err(|_| format!("no time: {text:?}"))
}

/// A digest in hexadecimal, by one of the programs of coreutils.
pub fn digest(program: &str, bytes: &[u8]) -> Result<String, String> {
    let output = output(&mut Command::new(program), bytes)?;
    let text = String::from_utf8_lossy(&output);
    let digest = text.split_whitespace().next().unwrap_or_default();
    Ok(digest.to_owned())
}

/// Bytes as gzip stores them, without a name or a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    output(Command::new("gzip").args(["-9", "-n", "-c"]), bytes)
}

/// What a program makes of its standard input.
fn output(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let wrong = |error: std::io::Error| format!("cannot run {name}: {error}");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().map_err(wrong)?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // One that ends early says so by its exit status.
            let _ = stdin.map(|mut stdin| stdin.write_all(input));
        });
        child.wait_with_output()
    });
    let output = output.map_err(wrong)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{name} failed: {}", output.status))
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map_err(|error| told(from, &error))?;
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(file, bytes).map_err(|error| told(file, &error))
}

fn told(file: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", file.display())
}
