//! One row, played: a server, the capture, a client, and what each of them says of secrets.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::rows::Over;
use super::{Judged, Row};
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::tool::Tool;

/// Where servers listen.
pub const PORT: u16 = 4433;
/// What `cargo xtask tls` has fetched and built, and names in this variable.
pub static FIXTURES: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| std::env::var_os("E2E_TLS").map(PathBuf::from));
/// How long secrets may take from the program to the key log.
const SOON: Duration = Duration::from_secs(2);

/// Plays a row in a network namespace and a folder of its own, or on the host of the containers.
pub fn play(lab: &Lab, row: &Row) -> Result<Judged> {
    let dir = lab.file(&format!("tls-{}", lab.number()));
    fs::create_dir(&dir)?;
    let own = Netns::new()?;
    let place = Place::of(lab, row, &own)?;
    let (netns, inside) = (place.netns, |script| format!("{}{script}", place.words));
    shell(&dir, CERTIFICATE, netns).context("certificate")?;
    shell(&dir, &inside(row.prepare), netns).context("prepare")?;
    let server = serve(&dir, &inside(row.server), netns)?;
    shell(&dir, &inside(row.before), netns).context("before")?;
    let capture = dir.join("capture.pcapng");
    let words = format!(
        "-v {} -w {} --embed-keylog-to-pcapng --write-keylog-file {} {} port {PORT}",
        place.flags,
        capture.display(),
        dir.join("found.keys").display(),
        row.over.packets,
    );
    let tool = Tool::listening(lab, netns, &words)?;
    shell(&dir, &inside(row.client), netns).context("client")?;
    let mut truth = key_log(&dir.join(row.truth))?;
    truth.retain(|line| row.without.is_empty() || !line.starts_with(row.without));
    ensure!(!truth.is_empty(), "the programs have no key log");
    let found = dir.join("found.keys");
    // Judged below: here it is only waited for.
    let _ = until("all secrets are found", SOON, || {
        Ok(key_log(&found)?.is_superset(&truth).then_some(()))
    });
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    drop(server);
    shell(&dir, LET_GO, netns).context("held")?;
    let connections = streams(&capture, &row.over, row.over.hello)?.len();
    let decrypted = streams(&capture, &row.over, row.over.plain)?.len();
    Ok(Judged::new(
        &truth,
        &key_log(&found)?,
        (connections, decrypted),
        ended.stderr,
    ))
}

/// Ends what was held, and waits: what it writes when it ends belongs into the folder.
const LET_GO: &str = "test -e held.pid || exit 0
kill $(cat held.pid)
while test -e /proc/$(cat held.pid)/exe; do sleep 0.01; done";

/// Where a row is played.
struct Place<'a> {
    netns: &'a Netns,
    /// In front of its scripts.
    words: String,
    /// Where packets are captured, and whose secrets.
    flags: String,
}

impl<'a> Place<'a> {
    fn of(lab: &'a Lab, row: &Row, own: &'a Netns) -> Result<Self> {
        if !row.in_docker() {
            return Ok(Self {
                netns: own,
                words: String::new(),
                flags: format!("-i lo --pname {}", row.owner),
            });
        }
        let (host, _) = lab.runtimes.host(lab)?;
        let docker = lab.runtimes.docker(lab)?;
        let address = format!("unix://{}", docker.socket);
        Ok(Self {
            netns: &host.netns,
            words: format!(
                "DOCKER='docker --host {address}'; GATEWAY={}\n",
                docker.gateway
            ),
            flags: format!(
                "-i docker0 --docker-address {} --container-name {}",
                docker.socket, row.owner
            ),
        })
    }
}

/// A certificate for servers, and the programs under names by which they are told apart.
pub const CERTIFICATE: &str = "
openssl req -x509 -newkey rsa:2048 -nodes -keyout $DIR/key -out $DIR/cert -days 2 -subj /CN=localhost
ln -s $(command -v openssl) $DIR/server
ln -s $(command -v openssl) $DIR/client
";

fn command(dir: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", script])
        .env("DIR", dir)
        .env("PORT", PORT.to_string())
        .env("AT", format!("127.0.0.1:{PORT}"))
        .env("TLS", FIXTURES.as_deref().unwrap_or(Path::new("")))
        .env_remove("SSLKEYLOGFILE")
        .current_dir(dir)
        .stdin(Stdio::null());
    command
}

/// Runs a script to its end.
pub fn shell(dir: &Path, script: &str, netns: &Netns) -> Result<()> {
    if script.is_empty() {
        return Ok(());
    }
    let output = netns.within(|| Ok(command(dir, script).output()?))?;
    ensure!(
        output.status.success(),
        "{}: {} {}",
        output.status,
        String::from_utf8_lossy(&output.stdout).trim(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// A server; it ends when this is dropped.
pub struct Server {
    child: std::cell::RefCell<std::process::Child>,
    log: PathBuf,
}

/// Starts a server and waits until it listens.
pub fn serve(dir: &Path, script: &str, netns: &Netns) -> Result<Server> {
    serve_at(PORT, dir, script, netns)
}

/// The same at another port.
pub fn serve_at(port: u16, dir: &Path, script: &str, netns: &Netns) -> Result<Server> {
    let server = spawn(dir, script, netns)?;
    until("the server listens", PATIENCE, || {
        ensure!(!server.has_ended()?, "the server ended: {}", server.said());
        Ok(listens(netns, port)?.then_some(()))
    })?;
    Ok(server)
}

fn spawn(dir: &Path, script: &str, netns: &Netns) -> Result<Server> {
    let log = dir.join("server.log");
    let file = fs::File::create(&log)?;
    let errors = file.try_clone()?;
    let child = netns.within(|| {
        let mut command = command(dir, script);
        command.stdout(file).stderr(errors);
        command.spawn().context("cannot start the server")
    })?;
    Ok(Server {
        child: child.into(),
        log,
    })
}

impl Server {
    fn has_ended(&self) -> Result<bool> {
        Ok(self.child.borrow_mut().try_wait()?.is_some())
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        if let Ok(pid) = i32::try_from(child.id()) {
            // Servers with children end those when they are asked to end.
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGTERM,
            );
        }
        let ended = until("the server ends", PATIENCE, || Ok(child.try_wait()?));
        if ended.is_err() {
            let _ = child.kill();
        }
        let _ = child.wait();
    }
}

/// Whether somebody listens at the port, or has bound it for datagrams.
fn listens(netns: &Netns, port: u16) -> Result<bool> {
    let port = format!(":{port:04X}");
    netns.within(|| {
        Ok(["tcp", "tcp6", "udp", "udp6"].iter().any(|name| {
            // Without IPv6 there are two less.
            let text = fs::read_to_string(format!("/proc/thread-self/net/{name}"));
            let state = if name.starts_with("tcp") { "0A" } else { "07" };
            text.unwrap_or_default().lines().any(|line| {
                let mut words = line.split_whitespace();
                words.nth(1).is_some_and(|local| local.ends_with(&port))
                    && words.nth(1) == Some(state)
            })
        }))
    })
}

/// The lines of a key log that name a secret; none when there is no file.
pub fn key_log(path: &Path) -> Result<BTreeSet<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let lines = text.lines().filter(|line| {
        let label = line.split(' ').next().unwrap_or_default();
        label == "CLIENT_RANDOM" || label.contains("SECRET")
    });
    Ok(lines.map(str::to_owned).collect())
}

/// The connections of a capture that have a packet for which the filter is true, as tshark
/// sees it without any key log but the capture's own.
fn streams(capture: &Path, over: &Over, filter: &str) -> Result<BTreeSet<String>> {
    let output = Command::new("tshark")
        .args(["-n", "-o", "tls.keylog_file:", "-d", over.port])
        .args(["-Y", filter, "-T", "fields", "-e", over.stream, "-r"])
        .arg(capture)
        .stdin(Stdio::null())
        .output()
        .context("cannot run tshark")?;
    ensure!(output.status.success(), "tshark: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().map(str::to_owned).collect())
}
