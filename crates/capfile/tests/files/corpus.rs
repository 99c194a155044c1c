//! A folder of real captures, when there is one: every file must give as many packets as the
//! installed tcpdump sees, and end as it ends for tcpdump.
//!
//! The folder is `$PKTWHO_CORPUS`, or `../shared/corpus` beside the repository.

use std::fs;
use std::path::PathBuf;

use crate::support::*;

/// Files that tcpdump refuses and we read, by what tcpdump says of them.
const WE_READ_MORE: [&str; 2] = [
    "different from the type of the first interface",
    "different from the snapshot length of the first interface",
];

pub fn captures() -> Option<Vec<PathBuf>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let corpus = std::env::var_os("PKTWHO_CORPUS").map_or(PathBuf::from(beside), PathBuf::from);
    let folder = corpus.join("tcpdump/in");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!(
            "skipped: no captures in {}; PKTWHO_CORPUS names the folder",
            folder.display()
        );
        return None;
    };
    let files = entries.map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| {
        path.extension()
            .is_some_and(|end| end == "pcap" || end == "pcapng")
    };
    Some(files.filter(is_capture).collect())
}

#[test]
fn as_many_packets_as_tcpdump_counts() {
    let Some(captures) = captures() else {
        return;
    };
    assert!(!captures.is_empty());
    let mut differing = Vec::new();
    for path in &captures {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // --count prints nothing when the file ends in a fault, so the packets are numbered.
        let Some(output) = run(
            "tcpdump",
            &["-#", "-nn", "-t", "-r", path.to_str().unwrap()],
        ) else {
            return;
        };
        let stdout = text(&output.stdout);
        let number = |line: &str| line.split_whitespace().next()?.parse::<usize>().ok();
        let seen = stdout
            .lines()
            .filter(|line| !line.starts_with('\t'))
            .filter_map(number)
            .max();
        let stderr = text(&output.stderr);
        let fault = stderr
            .lines()
            .find_map(|line| line.strip_prefix("tcpdump: "));
        let fault = fault.map_or("", |line| line.strip_prefix("pcap_loop: ").unwrap_or(line));
        let (count, result) = drain(fs::File::open(path).unwrap());
        let ours = result
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        let more = WE_READ_MORE.iter().any(|words| fault.ends_with(words));
        let unknown_link = fault.starts_with("unknown data link type");
        let same = (count, ours.as_str()) == (seen.unwrap_or(0), fault);
        if !(same || more || unknown_link) {
            differing.push(format!(
                "{name}: {count} {ours:?}, tcpdump {seen:?} {fault:?}"
            ));
        }
    }
    println!("{} captures compared", captures.len());
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
