//! Docker, and Podman behind the same interface: containers run, entered and removed by the
//! `docker` program.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Inside;
use super::host::{Daemon, Host, PATIENCE, said};
use super::image::{APP, LABEL};
use crate::lab::until;

/// A runtime that runs.
pub struct Engine {
    /// Where its API listens.
    pub socket: String,
    /// Words that every container needs here.
    words: &'static [&'static str],
    /// The address of the host on its bridge.
    pub gateway: &'static str,
    daemon: RefCell<Daemon>,
    /// The main process and its words.
    program: &'static str,
    program_words: Vec<String>,
    count: Cell<u32>,
}

/// A container; removed when dropped.
pub struct Container<'a> {
    engine: &'a Engine,
    pub name: String,
    pub id: String,
}

impl Engine {
    /// The Docker Engine.
    pub fn docker(host: &Host, image: &Path) -> Result<Self> {
        let socket = host.dir.join("docker.sock").display().to_string();
        let (root, exec) = (host.state("docker"), host.state("docker-exec"));
        let pid = host.state("docker.pid");
        let address = format!("unix://{socket}");
        let words = [
            "--data-root",
            &root,
            "--exec-root",
            &exec,
            "--pidfile",
            &pid,
            "--host",
            &address,
            "--bip",
            "172.17.0.1/16",
        ];
        let words: Vec<String> = words.map(str::to_owned).into();
        let daemon = host.daemon("dockerd", &words, || answers(&socket))?;
        // Docker drops what is forwarded to others' containers; this is where it lets itself be
        // told otherwise.
        host.run("iptables", &["--insert", "DOCKER-USER", "--jump", "ACCEPT"])?;
        let engine = Self {
            socket,
            words: &[],
            gateway: "172.17.0.1",
            daemon: RefCell::new(daemon),
            program: "dockerd",
            program_words: words,
            count: Cell::new(0),
        };
        engine.loaded(image)
    }

    /// Podman and its API.
    pub fn podman(host: &Host, image: &Path) -> Result<Self> {
        let socket = host.dir.join("podman.sock").display().to_string();
        let state = |name: &str| host.state(&format!("podman-{name}"));
        let address = format!("unix://{socket}");
        let (root, run, tmp, net) = (state("root"), state("run"), state("tmp"), state("net"));
        let words = [
            "--root",
            &root,
            "--runroot",
            &run,
            "--tmpdir",
            &tmp,
            "--network-config-dir",
            &net,
            "--runtime",
            "/usr/sbin/runc",
            "--cgroup-manager=cgroupfs",
            "--events-backend=file",
            "system",
            "service",
            "--time=0",
            &address,
        ];
        let words: Vec<String> = words.map(str::to_owned).into();
        let daemon = host.daemon("podman", &words, || answers(&socket))?;
        // Its own limits are higher than a machine without CAP_SYS_RESOURCE allows.
        let limits = &["--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096"];
        let engine = Self {
            socket,
            words: limits,
            gateway: "10.88.0.1",
            daemon: RefCell::new(daemon),
            program: "podman",
            program_words: words,
            count: Cell::new(0),
        };
        engine.loaded(image)
    }

    fn loaded(self, image: &Path) -> Result<Self> {
        let image = image.display().to_string();
        self.docker_says(&["load", "--quiet", "--input", &image])?;
        Ok(self)
    }

    /// Stops the runtime's main process and starts it anew. Docker's containers end with that.
    pub fn restart(&self, host: &Host) -> Result<()> {
        self.daemon.borrow_mut().stop()?;
        let _ = fs::remove_file(&self.socket);
        let ready = || answers(&self.socket);
        let daemon = host.daemon(self.program, &self.program_words, ready)?;
        self.daemon.replace(daemon);
        Ok(())
    }

    /// Runs `docker` with these words; its standard output, trimmed.
    pub fn docker_says(&self, words: &[&str]) -> Result<String> {
        let output = said(docker(&self.socket).args(words), "docker");
        let output = output.with_context(|| self.daemon.borrow().last_words())?;
        Ok(output.trim().to_owned())
    }

    /// The name that the next container of that name has.
    pub fn next_name(&self, name: &str) -> String {
        format!("{name}-{}", self.count.get())
    }

    /// Starts a container in the background: flags, then its command.
    pub fn run(&self, name: &str, flags: &[&str], command: &[&str]) -> Result<Container<'_>> {
        self.run_image(APP, name, flags, command)
    }

    /// The same with another image.
    pub fn run_image(
        &self,
        image: &str,
        name: &str,
        flags: &[&str],
        command: &[&str],
    ) -> Result<Container<'_>> {
        let name = self.next_name(name);
        self.count.set(self.count.get() + 1);
        let words = [
            &["run", "--detach", "--name", &name],
            self.words,
            flags,
            &[image],
            command,
        ];
        let id = self.docker_says(&words.concat())?;
        ensure!(id.len() == 64, "{name}: docker run says {id:?}");
        Ok(Container {
            engine: self,
            name,
            id,
        })
    }
}

impl Container<'_> {
    /// Runs a command in it and waits until it has ended.
    pub fn exec(&self, command: &[&str]) -> Result<String> {
        let words = [&["exec", &self.name], command].concat();
        self.engine.docker_says(&words)
    }

    /// Its address on the bridge.
    pub fn address(&self) -> Result<String> {
        self.inspect("{{.NetworkSettings.IPAddress}}")
    }

    pub fn inspect(&self, format: &str) -> Result<String> {
        self.engine
            .docker_says(&["inspect", "--format", format, &self.name])
    }

    /// What its processes have written.
    pub fn logs(&self) -> Result<String> {
        let mut docker = docker(&self.engine.socket);
        let output = docker.args(["logs", &self.name]).output()?;
        let texts = [output.stdout, output.stderr];
        Ok(String::from_utf8_lossy(&texts.concat()).into_owned())
    }

    /// Waits until it has ended by itself.
    pub fn ended(&self) -> Result<()> {
        until(&format!("{} ends", self.name), PATIENCE, || {
            let running = self.inspect("{{.State.Running}}")?;
            Ok((running == "false").then_some(()))
        })
    }

    /// What must be said of its processes.
    pub fn inside(&self) -> Inside {
        Inside {
            id: self.id.clone(),
            name: self.name.clone(),
            image: APP.to_owned(),
            label: LABEL,
            pod: None,
        }
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        // Gone already, or taken down with everything else at the end.
        let _ = self.engine.docker_says(&["rm", "--force", &self.name]);
    }
}

/// The `docker` program, told where the API is and nothing of this user's.
fn docker(socket: &str) -> Command {
    let own = Path::new("/usr/bin/docker");
    let mut command = Command::new(if own.exists() {
        own
    } else {
        Path::new("docker")
    });
    command.args(["--host", &format!("unix://{socket}")]);
    command.env_remove("DOCKER_CONTEXT").stdin(Stdio::null());
    command
}

fn answers(socket: &str) -> bool {
    Path::new(socket).exists() && said(docker(socket).arg("version"), "docker").is_ok()
}
