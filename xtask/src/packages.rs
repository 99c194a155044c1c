//! Debian packages of any release and architecture, beside the system's own: an apt with a
//! folder of its own fetches them, nothing is installed. What is there is not fetched again.
//!
//! Promises: the system's sources, lists and packages stay as they are. apt checks signatures
//! and sums. A list that has grown old is renewed once, then the failure is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::shell;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org";

/// How old a list of packages may be before it is renewed unasked.
const FRESH: Duration = Duration::from_hours(7 * 24);

/// The packages of one release for one architecture.
pub struct Packages {
    /// Debian's name of the release.
    release: String,
    /// Debian's name of the architecture.
    arch: String,
    /// apt's state and configuration.
    root: PathBuf,
    /// Where the packages lie.
    pool: PathBuf,
}

impl Packages {
    /// The packages of `release` (`bookworm`, `trixie-backports`, `sid`) for `arch` (`amd64`).
    ///
    /// # Errors
    /// No apt-get, no key of Debian's, or the lists cannot be fetched and were never.
    pub fn open(release: &str, arch: &str) -> Result<Self, String> {
        if !Path::new(KEYRING).exists() {
            return Err(format!(
                "{KEYRING} is missing: apt-get install debian-archive-keyring"
            ));
        }
        let all = shell::target().join("packages");
        let packages = Self {
            release: release.to_owned(),
            arch: arch.to_owned(),
            root: all.join(format!("{release}-{arch}")),
            pool: all.join("pool"),
        };
        for folder in ["state/lists/partial", "cache/archives/partial", "etc"] {
            make(&packages.root.join(folder))?;
        }
        make(&packages.pool)?;
        write(&packages.root.join("status"), "")?;
        write(&packages.root.join("sources.list"), &sources(release))?;
        if !packages.is_fresh() {
            // An old list is better than none.
            let updated = packages.update();
            if !packages.stamp().exists() {
                updated?;
            }
        }
        Ok(packages)
    }

    /// Fetches packages, as they are: not what they depend on. Where the newest is listed and gone
    /// (security updates of old releases are), the one that the release came with.
    ///
    /// # Errors
    /// One is not to be had.
    pub fn fetch(&self, names: &[&str]) -> Result<Vec<PathBuf>, String> {
        self.fetch_listed(names).or_else(|_| {
            // The archive may have moved on since the list was made.
            self.update()?;
            self.fetch_listed(names).or_else(|_| {
                let each = names.iter().map(|name| self.fetch_any(name));
                each.collect()
            })
        })
    }

    fn fetch_any(&self, name: &str) -> Result<PathBuf, String> {
        let first = format!("{name}/{}", self.release);
        let files = self
            .fetch_listed(&[name])
            .or_else(|_| self.fetch_listed(&[&first]))?;
        files
            .into_iter()
            .next()
            .ok_or_else(|| format!("no package {name}"))
    }

    /// The packages that installing `names` on an empty machine would bring.
    ///
    /// # Errors
    /// One is not known.
    pub fn needed(&self, names: &[&str]) -> Result<Vec<String>, String> {
        let simulate = ["install", "--simulate", "--no-install-recommends"];
        let output = self.apt("apt-get").args(simulate).args(names).output();
        let text = text_of("apt-get install --simulate", output)?;
        let lines = text.lines().filter_map(|line| line.strip_prefix("Inst "));
        Ok(lines
            .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
            .collect())
    }

    /// The names of the packages that one depends on and that `keep` keeps, all the way down;
    /// the package itself is the first.
    ///
    /// # Errors
    /// It is not known.
    pub fn depends(&self, name: &str, keep: fn(&str) -> bool) -> Result<Vec<String>, String> {
        let mut found = vec![name.to_owned()];
        let mut at = 0;
        while let Some(next) = found.get(at).cloned() {
            let output = self.apt("apt-cache").args(["depends", &next]).output();
            let text = text_of("apt-cache depends", output)?;
            for line in text.lines() {
                let Some((kind, on)) = line.trim().split_once("epends: ") else {
                    continue;
                };
                let new = !found.iter().any(|known| known == on);
                if matches!(kind, "D" | "PreD") && keep(on) && new {
                    found.push(on.to_owned());
                }
            }
            at += 1;
        }
        Ok(found)
    }

    /// Fetches what the list names, unless it is here; `NAME/RELEASE` is that of a part of the list.
    fn fetch_listed(&self, names: &[&str]) -> Result<Vec<PathBuf>, String> {
        let mut apt = self.apt("apt-get");
        let uris = apt.args(["download", "--print-uris"]).args(names).output();
        let text = text_of("apt-get download", uris)?;
        let mut files = Vec::new();
        let mut missing = false;
        for line in text.lines().filter(|line| line.starts_with('\'')) {
            let mut words = line.split(' ').skip(1);
            let (Some(name), Some(size)) = (words.next(), words.next()) else {
                continue;
            };
            let file = self.pool.join(name);
            missing |= !fs::metadata(&file).is_ok_and(|m| m.len().to_string() == size);
            let package = name.split('_').next().unwrap_or_default().to_owned();
            files.push((package, file));
        }
        // In the order asked for.
        let file = |name: &&str| {
            let name = name.split('/').next().unwrap_or_default();
            let found = files.iter().find(|(package, _)| package == name);
            Ok(found.ok_or_else(|| format!("no package {name}"))?.1.clone())
        };
        let files: Vec<PathBuf> = names.iter().map(file).collect::<Result<_, String>>()?;
        if missing {
            let mut download = self.apt("apt-get");
            download
                .args(["download", "--quiet", "--quiet"])
                .args(names);
            shell::run(download.current_dir(&self.pool))?;
        }
        Ok(files)
    }

    fn update(&self) -> Result<(), String> {
        let quiet = ["update", "--quiet", "--quiet"];
        shell::run(self.apt("apt-get").args(quiet))?;
        write(&self.stamp(), "")
    }

    /// Written when the lists have been fetched.
    fn stamp(&self) -> PathBuf {
        self.root.join("updated")
    }

    fn is_fresh(&self) -> bool {
        let age = fs::metadata(self.stamp()).and_then(|stamp| stamp.modified());
        age.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < FRESH))
    }

    /// One of apt's programs, for this folder.
    fn apt(&self, program: &str) -> Command {
        let root = self.root.display();
        let mut command = shell::command(program, &[]);
        command.env("LC_ALL", "C");
        for option in [
            format!("Dir::State={root}/state"),
            format!("Dir::State::status={root}/status"),
            format!("Dir::Cache={root}/cache"),
            format!("Dir::Etc::sourcelist={root}/sources.list"),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            "Dir::Etc::preferences=/dev/null".to_owned(),
            "Dir::Etc::preferencesparts=/dev/null".to_owned(),
            format!("APT::Architecture={}", self.arch),
            format!("APT::Architectures::={}", self.arch),
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
            // Else it calls what it could not fetch a success.
            "APT::Update::Error-Mode=any".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            "Acquire::IndexTargets::deb::CNF::DefaultEnabled=false".to_owned(),
            "Debug::NoLocking=1".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }
}

/// Unpacks packages into a folder.
///
/// # Errors
/// dpkg-deb cannot.
pub fn unpack(files: &[PathBuf], folder: &Path) -> Result<(), String> {
    make(folder)?;
    for file in files {
        let mut command = shell::command("dpkg-deb", &["-x"]);
        let output = command.arg(file).arg(folder).output();
        text_of(&format!("dpkg-deb -x {}", file.display()), output)?;
    }
    Ok(())
}

/// The version in a package's file name, `musl-dev_1.2.3-1_amd64.deb`.
pub fn version(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let version = name.split('_').nth(1).unwrap_or_default();
    version.replace("%3a", ":")
}

/// The sources of a release, security updates included where there are such.
fn sources(release: &str) -> String {
    let line = |archive: &str, suite: &str| {
        format!("deb [signed-by={KEYRING}] {MIRROR}/{archive} {suite} main\n")
    };
    let mut list = line("debian", release);
    if release != "sid" && !release.ends_with("-backports") {
        list += &line("debian-security", &format!("{release}-security"));
    }
    list
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// What a program put out, if it succeeded.
fn text_of(what: &str, output: std::io::Result<std::process::Output>) -> Result<String, String> {
    let output = output.map_err(|error| format!("cannot run {what}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{what} failed: {}", said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_names_of_files() {
        let version = |name: &str| version(Path::new(name));
        assert_eq!(version("/pool/musl-dev_1.2.3-1_amd64.deb"), "1.2.3-1");
        assert_eq!(version("zlib1g-dev_1%3a1.2.13_arm64.deb"), "1:1.2.13");
    }

    #[test]
    fn releases_and_their_sources() {
        assert_eq!(sources("sid").lines().count(), 1);
        assert_eq!(sources("trixie-backports").lines().count(), 1);
        assert!(sources("bookworm").contains("bookworm-security"));
    }
}
