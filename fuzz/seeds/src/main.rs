//! Writes the first inputs of a fuzz target: `pktwho-fuzz-seeds TARGET FOLDER`.
//!
//! They come from the packets and files of the golden tests, which are under `tests/golden`, and
//! from a few texts here; every input has the bytes in front that its target reads first.

#![forbid(unsafe_code)]

mod packets;
mod texts;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The inputs of one target.
type Inputs = Vec<Vec<u8>>;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let (Some(target), Some(folder)) = (words.next(), words.next()) else {
        eprintln!("usage: pktwho-fuzz-seeds TARGET FOLDER");
        return ExitCode::from(2);
    };
    match write(&target.to_string_lossy(), Path::new(&folder)) {
        Ok(count) => {
            eprintln!("{count} inputs for {}", target.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pktwho-fuzz-seeds: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(target: &str, folder: &Path) -> io::Result<usize> {
    let inputs = inputs(target)?;
    std::fs::create_dir_all(folder)?;
    for (number, input) in inputs.iter().enumerate() {
        std::fs::write(folder.join(format!("seed{number:05}")), input)?;
    }
    Ok(inputs.len())
}

fn inputs(target: &str) -> io::Result<Inputs> {
    Ok(match target {
        "link" => packets::of_links(&golden()?),
        "network" => packets::of_networks(&golden()?),
        "port" => packets::of_ports(&golden()?),
        "drafts" => packets::of_drafts(&golden()?),
        "read" | "carry" => files(&golden()?)?,
        "compile" => texts::filters(),
        "packets" | "carried" => texts::connections(target == "carried"),
        "resolve" => code()?,
        "cursor" => texts::reads(),
        "cgroup" => texts::cgroups(),
        "runtimes" => texts::answers(),
        "records" => texts::records(),
        other => {
            let what = format!("there is no target {other}");
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
    })
}

/// The capture files of the golden tests.
fn golden() -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|it| it == "pcap" || it == "pcapng")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn files(paths: &[PathBuf]) -> io::Result<Inputs> {
    paths.iter().map(std::fs::read).collect()
}

/// Machine code: our own, a page at a time.
fn code() -> io::Result<Inputs> {
    let own = std::fs::read(std::env::current_exe()?)?;
    let pages = own.chunks(4096).step_by(own.len() / 4096 / 64 + 1);
    Ok(pages.map(<[u8]>::to_vec).collect())
}
