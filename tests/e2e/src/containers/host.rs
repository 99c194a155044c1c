//! The host of the containers: a network namespace in which all runtimes run, with a cable to
//! another that stands for the rest of the world.
//!
//! Bridges, address translation and mounts are the runtimes' own as on a real host, and end with
//! the namespaces: nothing of the machine is touched, and runtimes that run on it already are not
//! disturbed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, until};
use crate::netns::Netns;

/// The host's address on the cable.
pub const HOST: &str = "192.0.2.1";
/// The address of the world at the other end.
pub const WORLD: &str = "192.0.2.2";
/// The longest that a runtime may take to start, or to start a container.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The namespaces and the process that takes all down.
pub struct Host {
    pub netns: Netns,
    pub world: Netns,
    /// Sockets, logs and images.
    pub dir: PathBuf,
    janitor: Child,
}

/// A runtime's main process.
pub struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Host {
    pub fn new(lab: &Lab) -> Result<Self> {
        let (netns, world) = (Netns::quiet()?, Netns::quiet()?);
        Netns::cable((&netns, "uplink0"), (&world, "world0"))?;
        netns.address("uplink0", &format!("{HOST}/24"))?;
        world.address("world0", &format!("{WORLD}/24"))?;
        netns.ip(&format!("route add default via {WORLD}"))?;
        let dir = lab.file("containers");
        fs::create_dir_all(&dir)?;
        let janitor = hire_janitor()?;
        Ok(Self {
            netns,
            world,
            dir,
            janitor,
        })
    }

    /// Where a runtime keeps what nobody else needs to see: gone with the runtimes.
    #[expect(clippy::unused_self, reason = "it is the host's")]
    pub fn state(&self, name: &str) -> String {
        // The janitor's own `/run`, in memory; short, for Podman.
        format!("/run/e2e/{name}")
    }

    /// A program that runs where the runtimes run.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let mounts = format!("--mount=/proc/{}/ns/mnt", self.janitor.id());
        let network = format!("--net={}", self.netns.path());
        command.args([&mounts, &network, "--", program]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a program there and returns its standard output.
    pub fn run(&self, program: &str, words: &[&str]) -> Result<String> {
        said(self.command(program).args(words), program)
    }

    /// Starts a runtime's main process and waits until `ready` says so.
    pub fn daemon(
        &self,
        name: &'static str,
        words: &[impl AsRef<OsStr>],
        mut ready: impl FnMut() -> bool,
    ) -> Result<Daemon> {
        let log = self.dir.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let mut command = self.command(name);
        command.args(words).process_group(0);
        command.stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("cannot run nsenter")?;
        let mut daemon = Daemon { name, child, log };
        until(&format!("{name} answers"), PATIENCE, || {
            daemon.alive()?;
            Ok(ready().then_some(()))
        })
        .with_context(|| daemon.last_words())?;
        Ok(daemon)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The end of its input is the janitor's sign.
        drop(self.janitor.stdin.take());
        let _ = self.janitor.wait();
    }
}

impl Daemon {
    /// What it wrote last, for an error.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let line = text.lines().next_back().unwrap_or_default();
        format!("{}: {line}", self.name)
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub fn stop(&mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).context("no pid")?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        let ended = || Ok(self.child.try_wait()?);
        until(&format!("{} ends", self.name), PATIENCE, ended).map(drop)
    }

    fn alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("it ended: {status}"),
            None => Ok(()),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program and returns its standard output; its last line of complaint is the error.
pub fn said(command: &mut Command, name: &str) -> Result<String> {
    let output: Output = command
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name}: {}",
        errors.lines().next_back().unwrap_or("failed")
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Starts this program as the janitor, see [`super::janitor`].
fn hire_janitor() -> Result<Child> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--"]);
    command.arg(std::env::current_exe()?).arg("janitor");
    // Ctrl-C is the runner's to hear.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut janitor = command.spawn().context("cannot run unshare")?;
    let mut line = String::new();
    let output = janitor.stdout.take().context("no output")?;
    BufReader::new(output).read_line(&mut line)?;
    ensure!(line == "ready\n", "the janitor said {line:?}");
    Ok(janitor)
}
