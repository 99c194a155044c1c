//! The bill of materials: every crate and C library that is in the program, with version,
//! licence and sum. `CycloneDX` 1.5, as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{About, output};
use crate::musl::Root;
use crate::shell;

/// One part.
struct Part {
    name: String,
    version: String,
    licence: String,
    /// A package URL; empty when there is none for it.
    purl: String,
    /// SHA-256 of its sources, where Cargo.lock tells.
    sum: String,
}

/// The bill.
///
/// # Errors
/// cargo or rustc cannot be asked.
pub fn bill(root: &Root, about: &About) -> Result<String, String> {
    let mut parts = crates(root)?;
    parts.extend(libraries(root, &parts)?);
    let mut text = format!(
        "{{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \
         \"metadata\": {{\n    \"component\": {{ \"type\": \"application\", \"name\": \"pktwho\", \
         \"version\": {}, \"licenses\": [ {{ \"expression\": {} }} ] }},\n    \
         \"properties\": [ {{ \"name\": \"target\", \"value\": {} }} ]\n  }},\n  \"components\": [",
        quoted(&about.version),
        quoted(about.licence),
        quoted(&root.arch.target()),
    );
    for (number, part) in parts.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n    {}", part.json());
    }
    text += "\n  ]\n}\n";
    Ok(text)
}

impl Part {
    fn json(&self) -> String {
        let mut text = format!(
            "{{ \"type\": \"library\", \"name\": {}, \"version\": {}, \"licenses\": [ {{ \"expression\": {} }} ]",
            quoted(&self.name),
            quoted(&self.version),
            quoted(&self.licence),
        );
        if !self.purl.is_empty() {
            let _ = write!(text, ", \"purl\": {}", quoted(&self.purl));
        }
        if !self.sum.is_empty() {
            let sum = quoted(&self.sum);
            let _ = write!(
                text,
                ", \"hashes\": [ {{ \"alg\": \"SHA-256\", \"content\": {sum} }} ]"
            );
        }
        text + " }"
    }
}

/// The crates that are linked, our own left out.
fn crates(root: &Root) -> Result<Vec<Part>, String> {
    let target = root.arch.target();
    let words = [
        "tree",
        "--locked",
        "--package",
        "pktwho",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
        "--target",
        &target,
    ];
    let tree = output(&mut shell::command(shell::cargo(), &words), &[])?;
    let sums = sums()?;
    let mut parts = BTreeMap::new();
    for line in String::from_utf8_lossy(&tree).lines() {
        let Some((package, licence)) = line.split_once('|') else {
            continue;
        };
        // One of ours names its folder; a star stands for having been listed before.
        if package.contains('(') && package.contains('/') {
            continue;
        }
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let version = version.trim_start_matches('v');
        let key = (name.to_owned(), version.to_owned());
        let part = Part {
            name: name.to_owned(),
            version: version.to_owned(),
            // Cargo's older spelling of OR.
            licence: licence.trim_end_matches(" (*)").replace('/', " OR "),
            purl: format!("pkg:cargo/{name}@{version}"),
            sum: sums.get(&key).cloned().unwrap_or_default(),
        };
        parts.insert(key, part);
    }
    Ok(parts.into_values().collect())
}

/// The sums in Cargo.lock, by name and version.
fn sums() -> Result<BTreeMap<(String, String), String>, String> {
    let file = shell::root().join("Cargo.lock");
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut sums = BTreeMap::new();
    let (mut name, mut version) = (String::new(), String::new());
    for line in text.lines() {
        let Some((key, value)) = line.split_once(" = ") else {
            continue;
        };
        let value = value.trim_matches('"').to_owned();
        match key {
            "name" => name = value,
            "version" => version = value,
            "checksum" => {
                sums.insert((name.clone(), version.clone()), value);
            }
            _ => {}
        }
    }
    Ok(sums)
}

/// What is linked and is no crate: libbpf, which lies in a crate, Debian's libraries, Rust's
/// own with its musl.
fn libraries(root: &Root, crates: &[Part]) -> Result<Vec<Part>, String> {
    let part = |name: &str, version: &str, licence: &str, purl: String| Part {
        name: name.to_owned(),
        version: version.to_owned(),
        licence: licence.to_owned(),
        purl,
        sum: String::new(),
    };
    let mut parts = Vec::new();
    // Its version stands behind the crate's own: 1.7.0+v1.7.0.
    let bpf = crates.iter().find(|part| part.name == "libbpf-sys");
    if let Some((_, version)) = bpf.and_then(|part| part.version.split_once("+v")) {
        let purl = format!("pkg:github/libbpf/libbpf@v{version}");
        parts.push(part(
            "libbpf",
            version,
            "LGPL-2.1-only OR BSD-2-Clause",
            purl,
        ));
    }
    for (name, licence) in [
        ("libelf-dev", "GPL-2.0-or-later OR LGPL-3.0-or-later"),
        ("zlib1g-dev", "Zlib"),
    ] {
        let known = root.libraries.iter().find(|(library, _)| *library == name);
        let (_, version) = known.ok_or_else(|| format!("{name} is not linked"))?;
        let purl = format!("pkg:deb/debian/{name}@{version}?arch={}", root.arch.debian);
        parts.push(part(name, version, licence, purl));
    }
    let rustc = output(&mut shell::command("rustc", &["--version"]), &[])?;
    let rustc = String::from_utf8_lossy(&rustc);
    let version = rustc.split(' ').nth(1).unwrap_or_default();
    parts.push(part(
        "rust-std",
        version,
        "MIT OR Apache-2.0",
        String::new(),
    ));
    let with = format!("as in Rust {version}");
    parts.push(part("musl", &with, "MIT", String::new()));
    Ok(parts)
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_json() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
    }

    #[test]
    fn sums_of_the_lock_file() {
        let sums = sums().unwrap();
        assert!(sums.len() > 20);
        assert!(sums.values().all(|sum| sum.len() == 64));
    }
}
