//! `--decrypt` against tshark: the same messages of HTTP/1 and HTTP/2 from the same captures,
//! those of `tests/golden/decrypt` and fresh ones of every cipher suite that openssl has.
//!
//! Skipped, and said so, where tshark or what makes captures is missing.

#![expect(clippy::unwrap_used, reason = "a program that is a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn output(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output();
    let output = output.ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Requests and statuses as pktwho shows them: `GET /a`, `200`.
fn ours(capture: &str, more: &[&str]) -> Vec<String> {
    let mut words = vec!["-r", capture, "-nt", "--decrypt"];
    words.extend(more);
    let text = output(env!("CARGO_BIN_EXE_pktwho"), &words).unwrap();
    let mut found = Vec::new();
    let mut method = "";
    for line in text.lines() {
        if let Some((_, start)) = line.split_once("HTTP: ") {
            let mut words = start.split(' ');
            let (first, second) = (words.next().unwrap(), words.next().unwrap());
            found.push(if first.starts_with("HTTP/") {
                second.to_owned()
            } else {
                format!("{first} {second}")
            });
        } else if let Some(rest) = line.strip_prefix("\t  :method: ") {
            method = rest;
        } else if let Some(path) = line.strip_prefix("\t  :path: ") {
            found.push(format!("{method} {path}"));
        } else if let Some(status) = line.strip_prefix("\t  :status: ") {
            found.push(status.to_owned());
        }
    }
    found.sort();
    found
}

/// The same as tshark shows them; `None` without tshark. Ports are those of servers.
fn theirs(capture: &str, ports: &[u16], more: &[&str]) -> Option<Vec<String>> {
    let decode: Vec<String> = ports
        .iter()
        .map(|port| format!("tcp.port=={port},tls"))
        .collect();
    let mut words = vec![
        "-r",
        capture,
        "-2",
        "-o",
        "http.desegment_body:FALSE",
        "-T",
        "fields",
    ];
    words.extend(["-E", "occurrence=a", "-E", "aggregator=|"]);
    for field in [
        "http.request.method",
        "http.request.uri",
        "http.response.code",
        "http2.headers.method",
        "http2.headers.path",
        "http2.headers.status",
    ] {
        words.extend(["-e", field]);
    }
    words.extend(more);
    words.extend(decode.iter().flat_map(|rule| ["-d", rule.as_str()]));
    let text = output("tshark", &words)?;
    let mut found = Vec::new();
    for line in text.lines() {
        let fields: Vec<Vec<&str>> = line
            .split('\t')
            .map(|field| field.split('|').collect())
            .collect();
        let [one, uri, code, two, path, status] = fields.as_slice() else {
            continue;
        };
        let requests = one.iter().zip(uri).chain(two.iter().zip(path));
        let requests = requests.map(|(method, path)| format!("{method} {path}"));
        let statuses = code.iter().chain(status).map(|code| (*code).to_owned());
        found.extend(
            requests
                .chain(statuses)
                .filter(|text| !text.trim().is_empty()),
        );
    }
    found.sort();
    Some(found)
}

fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/decrypt");
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn captures_of_programs_have_tshark_s_messages() {
    for (name, port, least) in [
        ("http1", 4431, 6),
        ("http2", 4432, 6),
        ("http2-tls12", 4433, 2),
    ] {
        let capture = golden(name) + ".pcapng";
        let Some(theirs) = theirs(&capture, &[port], &[]) else {
            println!("skipped: no tshark");
            return;
        };
        let ours = ours(&capture, &[]);
        assert!(ours.len() >= least, "{name}: {ours:?}");
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn every_suite_is_decrypted() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("suites");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    let script = golden("suites.sh");
    let made = Command::new("unshare")
        .arg("-n")
        .arg(&script)
        .arg(&folder)
        .output();
    let count = |output: std::process::Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse::<usize>().ok()
    };
    let Some(suites) = made.ok().and_then(count) else {
        println!("skipped: no capture could be made");
        return;
    };
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (capture, keys) = (path("suites.pcap"), path("suites.keys"));
    let ours = ours(&capture, &["--keylog-file", &keys]);
    // A request and a status for each.
    assert_eq!(ours.len(), 2 * suites, "{ours:?}");
    assert!(suites > 10);
    let ports: Vec<u16> = (5001..5060).collect();
    let option = format!("tls.keylog_file:{keys}");
    match theirs(&capture, &ports, &["-o", &option]) {
        Some(theirs) => assert_eq!(ours, theirs),
        None => println!("skipped: no tshark"),
    }
}
