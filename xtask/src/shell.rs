//! Running other programs from the root of the workspace.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder with the workspace's Cargo.toml.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The cargo that runs us.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Whether we are root.
pub fn is_root() -> bool {
    // The owner of /proc/self is the effective user.
    std::os::unix::fs::MetadataExt::uid(&match std::fs::metadata("/proc/self") {
        Ok(metadata) => metadata,
        Err(_) => return false,
    }) == 0
}

/// A command to run in the workspace's root, without standard input.
pub fn command(program: impl Into<OsString>, words: &[&str]) -> Command {
    let mut command = Command::new(program.into());
    command.args(words).current_dir(root()).stdin(Stdio::null());
    command
}

/// Shows a command and runs it.
///
/// # Errors
/// It could not be run, or its exit status is not 0.
pub fn run(command: &mut Command) -> Result<(), String> {
    show(command);
    let status = command
        .status()
        .map_err(|error| format!("cannot run {}: {error}", name(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed: {status}", name(command)))
    }
}

/// Shows a command and runs it; what it says is shown when it fails, and else not.
///
/// # Errors
/// It could not be run, or its exit status is not 0.
pub fn run_quietly(command: Command) -> Result<(), String> {
    let program = name(&command);
    let mut said = Vec::new();
    let take = |line: &str| {
        said.push(line.to_owned());
        Vec::new()
    };
    if run_shown(command, true, take)? {
        return Ok(());
    }
    put(&said);
    Err(format!("{program} failed"))
}

/// Shows a command and runs it; of its standard output (and `with_errors` its standard error) that is
/// passed on which `choose` gives for each line. Whether it succeeded.
///
/// # Errors
/// It could not be run.
pub fn run_shown(
    mut command: Command,
    with_errors: bool,
    mut choose: impl FnMut(&str) -> Vec<String>,
) -> Result<bool, String> {
    show(&command);
    let program = name(&command);
    let cannot = |error: std::io::Error| format!("cannot run {program}: {error}");
    let (output, end) = std::io::pipe().map_err(cannot)?;
    if with_errors {
        command.stderr(end.try_clone().map_err(cannot)?);
    }
    let mut child = command.stdout(end).spawn().map_err(cannot)?;
    // It holds an end of the pipe, too.
    drop(command);
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
        put(&choose(String::from_utf8_lossy(&bytes).trim_end()));
        bytes.clear();
    }
    let status = child.wait();
    let status = status.map_err(|error| format!("cannot wait for {program}: {error}"))?;
    Ok(status.success())
}

/// Lines on standard output. Nobody may be reading; the result counts all the same.
pub fn put(lines: &[String]) {
    let mut output = std::io::stdout().lock();
    for line in lines {
        let _ = writeln!(output, "{line}");
    }
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    program.to_string_lossy().into_owned()
}

fn show(command: &Command) {
    let mut line = name(command);
    for word in command.get_args() {
        line.push(' ');
        line.push_str(&word.to_string_lossy());
    }
    eprintln!("$ {line}");
}
