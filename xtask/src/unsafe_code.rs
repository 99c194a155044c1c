//! How much unsafe code there is: counted, and compared with the table in `docs/security.md`.
//!
//! That each block says why it is sound is clippy's part (`undocumented_unsafe_blocks`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Outcome, shell};

const PAGE: &str = "docs/security.md";
/// What the rows of the table begin with.
const ROW: &str = "| `crates/";

/// Compares the counts with the page, and looks that every other crate forbids unsafe code.
///
/// # Errors
/// They differ, or a crate neither forbids unsafe code nor is on the page.
pub fn check() -> Outcome {
    let root = shell::root();
    let page = read(&root.join(PAGE))?;
    let stated = stated(&page);
    let mut counted = BTreeMap::new();
    for folder in crates(&root)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let source = folder.join("src");
        let blocks = count_under(&source)?;
        if blocks > 0 {
            counted.insert(name.into_owned(), blocks);
        } else if !forbids(&source) {
            return Err(format!("crates/{name} has to forbid unsafe code"));
        }
    }
    if counted == stated {
        return Ok(());
    }
    let rows: Vec<String> = counted
        .iter()
        .map(|(name, blocks)| format!("{ROW}{name}` | {blocks} |"))
        .collect();
    Err(format!(
        "{PAGE} tells another count of unsafe code; it should say:\n{}",
        rows.join("\n")
    ))
}

fn crates(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = entries(&root.join("crates"))?;
    folders.push(root.join("xtask"));
    folders.push(root.join("tests/e2e"));
    Ok(folders)
}

fn forbids(source: &Path) -> bool {
    ["lib.rs", "main.rs"].iter().any(|file| {
        let text = fs::read_to_string(source.join(file)).unwrap_or_default();
        text.lines().any(|line| line == "#![forbid(unsafe_code)]")
    })
}

/// The table on the page.
fn stated(page: &str) -> BTreeMap<String, usize> {
    let rows = page.lines().filter_map(|line| line.strip_prefix(ROW));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once('`')?;
        let blocks = rest.trim_matches([' ', '|']).parse().ok()?;
        Some((name.to_owned(), blocks))
    })
    .collect()
}

fn count_under(folder: &Path) -> Result<usize, String> {
    let mut blocks = 0;
    for path in entries(folder)? {
        if path.is_dir() {
            blocks += count_under(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            blocks += read(&path)?.lines().map(unsafe_in).sum::<usize>();
        }
    }
    Ok(blocks)
}

/// How often a line opens unsafe code: a block, a function or an implementation; what stands in
/// a text does not count.
fn unsafe_in(line: &str) -> usize {
    let code = line.split("//").next().unwrap_or_default();
    let opens = |rest: &str| {
        let rest = rest.trim_start();
        ["{", "impl", "fn", "extern"]
            .iter()
            .any(|word| rest.starts_with(word))
    };
    // Outside of quotes is every second part.
    let parts = code.split('"').step_by(2);
    let counts = parts.map(|part| {
        part.split("unsafe")
            .skip(1)
            .filter(|rest| opens(rest))
            .count()
    });
    counts.sum()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot = |error| format!("cannot list {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(cannot)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(cannot))
        .collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_unsafe_code() {
        let check = |line, expected| assert_eq!(unsafe_in(line), expected, "{line}");
        check("    let fd = unsafe { open() };", 1);
        check("unsafe impl Send for Mapped {}", 1);
        check("// unsafe { nothing }", 0);
        check("#![forbid(unsafe_code)]", 0);
        check("use x::unshare_unsafe;", 0);
        check("(a(unsafe { b() }), unsafe { c() })", 2);
        check(&"say('unsafe { b() }')".replace('\'', "\""), 0);
    }

    #[test]
    fn the_table_is_read() {
        let page = "## Unsafe code\n\n| crate | blocks |\n|---|---|\n| `crates/probe` | 26 |\n";
        assert_eq!(
            stated(page),
            BTreeMap::from([("probe".to_owned(), 26_usize)])
        );
        assert!(stated("none").is_empty());
    }

    #[test]
    fn the_page_tells_the_truth() {
        check().expect("as counted");
    }
}
