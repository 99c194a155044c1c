//! Static programs for each of our architectures: musl, clang, and the linker that comes with
//! Rust, so that no compiler for another machine is needed.
//!
//! libelf, zlib and the C headers are those of Debian 12 for the architecture, fetched by
//! [`crate::packages`]; `dist/names.c` gives them the few names of glibc that musl lacks.
//! Promises: the same sources give the same bytes, in whatever folder they lie.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{self, Packages};
use crate::shell;

/// An architecture that programs are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arch {
    /// Rust's and rpm's name.
    pub name: &'static str,
    /// Debian's name.
    pub debian: &'static str,
    /// rpm's number.
    pub rpm: u8,
}

pub const ARCHES: &[Arch] = &[
    Arch {
        name: "x86_64",
        debian: "amd64",
        rpm: 1,
    },
    Arch {
        name: "aarch64",
        debian: "arm64",
        rpm: 19,
    },
];

const RELEASE: &str = "bookworm";

/// What is compiled and linked against. The order is that of [`Root::libraries`].
const NEEDED: &[&str] = &["libelf-dev", "zlib1g-dev", "musl-dev", "linux-libc-dev"];

/// Where the compiler finds headers and the linker libraries.
pub struct Root {
    pub arch: Arch,
    folder: PathBuf,
    /// Packages and their versions.
    pub libraries: Vec<(&'static str, String)>,
}

impl Arch {
    /// One of them by any of its names.
    pub fn named(name: &str) -> Option<Self> {
        let mut arches = ARCHES.iter().copied();
        arches.find(|arch| arch.name == name || arch.debian == name)
    }

    /// That of this machine.
    pub fn here() -> Option<Self> {
        Self::named(std::env::consts::ARCH)
    }

    /// What Rust calls the target.
    pub fn target(self) -> String {
        format!("{}-unknown-linux-musl", self.name)
    }
}

impl Root {
    /// Fetches and unpacks what is needed, Rust's target too, unless it is here.
    ///
    /// # Errors
    /// Something is not to be had, or cannot be unpacked.
    pub fn open(arch: Arch) -> Result<Self, String> {
        add_target(&arch.target())?;
        let files = Packages::open(RELEASE, arch.debian)?.fetch(NEEDED)?;
        let versions = files.iter().map(|file| packages::version(file));
        let root = Self {
            arch,
            folder: shell::target().join("static").join(arch.name),
            libraries: NEEDED.iter().copied().zip(versions).collect(),
        };
        let stamp = root.folder.join("versions");
        let wanted = format!("{:?}\n{}", root.libraries, include_str!("dist/names.c"));
        if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
            return Ok(root);
        }
        // Not there is as good as removed.
        let _ = fs::remove_dir_all(&root.folder);
        packages::unpack(&files, &root.folder)?;
        root.gather_libraries()?;
        fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
        Ok(root)
    }

    /// Cargo, set up for this architecture; `words` are its command and flags.
    pub fn cargo(&self, words: &[&str]) -> Command {
        let target = self.arch.target();
        let name = target.replace('-', "_");
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home
            .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
            .unwrap_or_default();
        let (here, output) = (shell::root(), shell::target());
        // The last that fits is taken: what is built may lie in the folder of the sources.
        let places = [(&home, "cargo"), (&here, "pktwho"), (&output, "target")];
        let places = places.map(|(path, word)| format!("{}={word}", path.display()));
        let mut rust = vec![
            "-Clinker=rust-lld".to_owned(),
            "-Ctarget-feature=+crt-static".to_owned(),
            "-Crelocation-model=static".to_owned(),
        ];
        rust.extend(places.iter().map(|p| format!("--remap-path-prefix={p}")));
        let mut c = self.c_flags();
        c.extend(places.iter().map(|p| format!("-ffile-prefix-map={p}")));
        let mut command = shell::command(shell::cargo(), words);
        command
            .args(["--target", &target])
            .env("CARGO_TARGET_DIR", output)
            .env("CARGO_ENCODED_RUSTFLAGS", rust.join("\x1f"))
            .env(format!("CC_{name}"), "clang")
            .env(format!("AR_{name}"), "llvm-ar")
            .env(format!("CFLAGS_{name}"), c.join(" "))
            .env(
                format!("LIBBPF_SYS_LIBRARY_PATH_{name}"),
                self.folder.join("lib"),
            )
            .env("BPF_SYSROOT", &self.folder);
        command
    }

    /// Compiles a C program into a static one.
    ///
    /// # Errors
    /// The compiler's.
    pub fn compile(&self, source: &Path, program: &Path) -> Result<(), String> {
        let machine = format!("{}-linux-musl", self.arch.name);
        let lib = self.folder.join("usr/lib").join(&machine);
        let object = program.with_extension("o");
        let mut compiler = shell::command("clang", &["-O1", "-pthread", "-c", "-o"]);
        shell::run(compiler.args([&object, source]).args(self.c_flags()))?;
        let mut linker = shell::command(rust_lld()?, &["-flavor", "gnu", "-static", "-o"]);
        linker.arg(program).arg(lib.join("crt1.o")).arg(&object);
        linker.arg(lib.join("libc.a"));
        // Arithmetic that the processor has no instruction for: arm64's long double. Nothing in C
        // unwinds.
        linker.arg("--defsym=rust_eh_personality=0");
        shell::run(linker.arg(builtins(&self.arch.target())?))
    }

    fn c_flags(&self) -> Vec<String> {
        let (arch, root) = (self.arch.name, self.folder.display());
        vec![
            format!("--target={arch}-linux-musl"),
            "-nostdlibinc".to_owned(),
            format!("-isystem{root}/usr/include/{arch}-linux-musl"),
            format!("-idirafter{root}/usr/include"),
            format!("-idirafter{root}/usr/include/{arch}-linux-gnu"),
        ]
    }

    /// Puts the two libraries, and the names that they lack, into one folder.
    fn gather_libraries(&self) -> Result<(), String> {
        let lib = self.folder.join("lib");
        let told = |error: std::io::Error| format!("{}: {error}", lib.display());
        fs::create_dir_all(&lib).map_err(told)?;
        let from = format!("usr/lib/{}-linux-gnu", self.arch.name);
        for name in ["libelf.a", "libz.a"] {
            fs::copy(self.folder.join(&from).join(name), lib.join(name)).map_err(told)?;
        }
        let object = lib.join("names.o");
        let mut compiler = shell::command("clang", &["-O2", "-Wall", "-Werror", "-c", "-o"]);
        compiler.arg(&object).args(self.c_flags());
        shell::run(compiler.arg("xtask/src/dist/names.c"))?;
        let mut archive = shell::command("llvm-ar", &["rc"]);
        shell::run(archive.args([lib.join("libz.a"), object]))
    }
}

/// Has rustup install a target, unless it is here.
fn add_target(target: &str) -> Result<(), String> {
    let asked = shell::command("rustc", &["--print", "target-libdir", "--target", target]).output();
    let there = asked.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).exists()
    });
    if there {
        return Ok(());
    }
    shell::run(&mut shell::command("rustup", &["target", "add", target]))
}

/// The functions that compilers call without being asked, as Rust brings them for a target.
fn builtins(target: &str) -> Result<PathBuf, String> {
    let asked = shell::command("rustc", &["--print", "target-libdir", "--target", target]).output();
    let asked = asked.map_err(|error| format!("cannot run rustc: {error}"))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    let entries = fs::read_dir(&folder);
    let entries = entries.map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = entries.flatten().map(|entry| entry.path());
    let is_it = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let library = file.extension().is_some_and(|end| end == "rlib");
        library && name.starts_with("libcompiler_builtins-")
    };
    files
        .find(is_it)
        .ok_or_else(|| format!("no libcompiler_builtins in {}", folder.display()))
}

/// The linker that comes with Rust.
fn rust_lld() -> Result<PathBuf, String> {
    let asked = shell::command("rustc", &["--print", "target-libdir"]).output();
    let asked = asked.map_err(|error| format!("cannot run rustc: {error}"))?;
    let folder = String::from_utf8_lossy(&asked.stdout);
    let lib = Path::new(folder.trim()).parent().map(Path::to_owned);
    Ok(lib.ok_or("rustc names no folder")?.join("bin/rust-lld"))
}
