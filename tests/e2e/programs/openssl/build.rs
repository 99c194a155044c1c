//! Builds the program with the flags of `CFLAGS`, and copies it to `PROGRAM`.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    println!("cargo:rerun-if-env-changed=CFLAGS");
    let sources = PathBuf::from(variable("OUT_DIR")).join("openssl");
    let run = |program: &str, words: &str| {
        let mut command = Command::new(program);
        command.args(words.split_whitespace());
        let status = command.status().expect("it can be run");
        assert!(status.success(), "{program} {words}: {status}");
    };
    let (from, to) = (openssl_src::source_dir(), sources.display());
    run("rm", &format!("-rf {to}"));
    run("cp", &format!("-r {} {to}", from.display()));
    std::env::set_current_dir(&sources).expect("it is there");
    run("perl", "Configure no-shared no-module no-tests no-docs no-legacy -static");
    run("make", &format!("--silent -j{} build_programs", variable("NUM_JOBS")));
    run("strip", &format!("apps/openssl -o {}", variable("PROGRAM")));
}
