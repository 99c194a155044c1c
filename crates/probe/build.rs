//! Compiles the eBPF objects with clang; they are embedded in the library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const OBJECTS: [&str; 3] = ["abi", "pktwho", "tls"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let libbpf = env::var("DEP_BPF_INCLUDE").expect("libbpf-sys exports its headers");
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-env-changed=CLANG");
    println!("cargo:rerun-if-env-changed=BPF_SYSROOT");
    for name in OBJECTS {
        compile(name, &libbpf, &out);
    }
    fs::write(out.join("kernel_types.txt"), kernel_types()).expect("OUT_DIR can be written");
}

/// The names of the records and types in kernel.h whose places libbpf asks the kernel for, a
/// line each.
fn kernel_types() -> String {
    let header = fs::read_to_string("bpf/kernel.h").expect("bpf/kernel.h");
    let relocated = header
        .split_once("attribute push")
        .and_then(|(_, rest)| rest.split_once("attribute pop"))
        .expect("the pragmas around what is relocated")
        .0;
    let name = |line: &str| {
        let begun = ["struct ", "union "]
            .iter()
            .find_map(|word| line.strip_prefix(word)?.strip_suffix(" {"));
        let ended = || line.strip_prefix("} ")?.strip_suffix(';');
        begun.or_else(ended).map(|name| format!("{name}\n"))
    };
    relocated.lines().filter_map(name).collect()
}

fn compile(name: &str, libbpf: &str, out: &Path) {
    let object = out.join(format!("{name}.bpf.o"));
    let target_arch = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets the target");
    let (bpf_arch, multiarch) = match target_arch.as_str() {
        "x86_64" => ("x86", "x86_64-linux-gnu"),
        "aarch64" => ("arm64", "aarch64-linux-gnu"),
        other => panic!("no eBPF build for {other} yet"),
    };
    // Another root to take the kernel's headers from: that of another machine's architecture.
    let sysroot = env::var("BPF_SYSROOT").unwrap_or_default();
    let clang = env::var("CLANG").unwrap_or_else(|_| "clang".into());
    let mut command = Command::new(&clang);
    command
        .args([
            "-g", "-O2", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror",
        ])
        .arg(format!("-D__TARGET_ARCH_{bpf_arch}"))
        .args(["-isystem", libbpf])
        .arg(format!("-idirafter{sysroot}/usr/include/{multiarch}"))
        .arg(format!("-idirafter{sysroot}/usr/include"))
        .args(relative(&[&sysroot, libbpf]))
        .arg("-c")
        .arg(format!("bpf/{name}.bpf.c"))
        .arg("-o")
        .arg(&object);
    run(&mut command, "clang (Debian: apt-get install clang)");
    // DWARF goes, BTF stays: 20 times smaller, and the same to the kernel.
    run(
        Command::new("llvm-strip").arg("-g").arg(&object),
        "llvm-strip (Debian: apt-get install llvm)",
    );
    assert!(
        fs::metadata(&object).is_ok_and(|m| m.len() > 0),
        "no {name}.bpf.o"
    );
}

/// Has the object's type information name no folder of this machine: it is part of the
/// program, whose bytes shall not depend on where it was built.
fn relative(folders: &[&str]) -> Vec<String> {
    let here = env::current_dir().expect("cargo has one");
    let here = format!("-fdebug-prefix-map={}=.", here.display());
    let folders = folders.iter().filter(|folder| !folder.is_empty());
    let folders = folders.map(|folder| format!("-fdebug-prefix-map={folder}=/"));
    folders.chain([here]).collect()
}

fn run(command: &mut Command, what: &str) {
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{what}: {status}\n{command:?}"),
        Err(error) => panic!("{what}: {error}"),
    }
}
