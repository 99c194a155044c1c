//! What every case needs: the binary under test, the puppet program, a directory of its own
//! and waiting for a condition instead of for a time.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::containers::Runtimes;

/// The longest that anything here is waited for, unless a case says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The programs and the directory that the cases share.
pub struct Lab {
    /// Where captures and programs lie; removed at the end.
    pub dir: PathBuf,
    /// The binary under test.
    pub pktwho: PathBuf,
    /// The program that does with sockets what it is told.
    pub puppet: PathBuf,
    /// Container runtimes, started by the first case that needs them.
    pub runtimes: Runtimes,
    keep: bool,
    count: Cell<u32>,
    /// What `doctor` says of this machine.
    said: OnceCell<String>,
}

impl Lab {
    /// Finds or builds the programs. `keep` leaves the directory behind.
    pub fn set_up(keep: bool) -> Result<Self> {
        Self::with(find_pktwho()?, keep)
    }

    /// Without a binary under test.
    pub fn without_pktwho() -> Result<Self> {
        Self::with(PathBuf::new(), false)
    }

    fn with(pktwho: PathBuf, keep: bool) -> Result<Self> {
        let dir = fresh_directory()?;
        let lab = Self {
            pktwho,
            puppet: dir.join("puppet"),
            dir,
            runtimes: Runtimes::default(),
            keep,
            count: Cell::new(0),
            said: OnceCell::new(),
        };
        lab.build_puppet()?;
        Ok(lab)
    }

    /// A number that no other call gives, for names of files.
    pub fn number(&self) -> u32 {
        self.count.replace(self.count.get() + 1)
    }

    /// A path in the laboratory's directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The puppet under another name, so that its process has that name.
    pub fn puppet_named(&self, name: &str) -> Result<PathBuf> {
        let path = self.file(name);
        if !path.exists() {
            fs::copy(&self.puppet, &path)?;
        }
        Ok(path)
    }

    /// Whether devices can look at what is sent here, instead of the hook of the root cgroup: it
    /// takes tcx, and programs there that may ask for the current process. The page of kernels says
    /// which have both.
    pub fn relieves(&self) -> Result<bool> {
        Ok(self.has_tcx()? && self.has("current process at packets")?)
    }

    /// Whether the kernel tells who writes to a socket, and not only who sends at that moment.
    pub fn sees_writers(&self) -> Result<bool> {
        self.has("uses of sockets")
    }

    /// Whether programs can be put on devices by tcx.
    pub fn has_tcx(&self) -> Result<bool> {
        self.has("traffic control: tcx")
    }

    /// Whether `doctor` finds what it calls so here.
    fn has(&self, what: &str) -> Result<bool> {
        if self.said.get().is_none() {
            let said = Command::new(&self.pktwho).arg("doctor").output()?;
            let _ = self.said.set(String::from_utf8(said.stdout)?);
        }
        let mut lines = self.said.get().into_iter().flat_map(|said| said.lines());
        let is_it = |line: &str| {
            line.strip_prefix("ok  ")
                .is_some_and(|it| it.starts_with(what))
        };
        Ok(lines.any(is_it))
    }

    /// Compiles the puppet, or takes the one that `E2E_PUPPET` names (machines without gcc).
    fn build_puppet(&self) -> Result<()> {
        if let Some(built) = std::env::var_os("E2E_PUPPET") {
            fs::copy(built, &self.puppet).context("E2E_PUPPET")?;
            return Ok(());
        }
        let source = self.file("puppet.c");
        fs::write(&source, include_str!("../programs/puppet.c"))?;
        fs::write(self.file("craft.h"), include_str!("../programs/craft.h"))?;
        fs::write(self.file("uring.h"), include_str!("../programs/uring.h"))?;
        let status = Command::new("gcc")
            // Static, so that it runs in containers as well.
            .args([
                "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-static", "-o",
            ])
            .args([&self.puppet, &source])
            .status()
            .context("cannot run gcc")?;
        ensure!(status.success(), "gcc cannot compile programs/puppet.c");
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // They lie in the directory.
        self.runtimes = Runtimes::default();
        if !self.keep {
            // A directory that cannot be removed is no reason to fail a run that is over.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A directory that was not there: a run that was killed has left its own, and process ids come again.
fn fresh_directory() -> Result<PathBuf> {
    let temp = std::env::temp_dir();
    for attempt in 0..100 {
        let dir = temp.join(format!("pktwho-e2e.{}.{attempt}", std::process::id()));
        match fs::create_dir(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| dir).context("cannot make a directory"),
        }
    }
    bail!("no name is free in {}", temp.display())
}

/// The binary that `PKTWHO` names, else what cargo builds now.
fn find_pktwho() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("PKTWHO") {
        let path =
            fs::canonicalize(&named).with_context(|| format!("PKTWHO={}", named.display()))?;
        return Ok(path);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", "pktwho", "--quiet"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo; PKTWHO=FILE names a built pktwho")?;
    ensure!(output.status.success(), "pktwho does not build");
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = messages.lines().rev().find_map(|message| {
        let (_, rest) = message.split_once(r#""executable":""#)?;
        rest.split('"').next()
    });
    Ok(PathBuf::from(path.context("cargo names no executable")?))
}

/// Waits until `condition` gives a value; `what` names it in the error.
pub fn until<T>(
    what: &str,
    patience: Duration,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let patience = patience * slowness();
    let start = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if start.elapsed() > patience {
            bail!("waited {} s in vain until {what}", patience.as_secs_f32());
        }
        // Not a guess at how long something takes, only how often to look.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many times slower than others this machine is: what `E2E_PATIENCE` says, for emulated ones.
pub fn slowness() -> u32 {
    let said = std::env::var("E2E_PATIENCE").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Whether a program is on the search path.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").into(), Path::new("/sbin").into()])
        .any(|dir| dir.join(program).is_file())
}
