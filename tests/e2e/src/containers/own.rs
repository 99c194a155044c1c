//! pktwho in a container of its own: the recipe and the manifest in `dist`, and the flags of the
//! README.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Lacking;
use super::engine::{Container, Engine};
use super::host::PATIENCE;
use super::scene::Scene;
use super::talk::{fetch, serves};
use crate::lab::until;
use crate::seen::read_file;

const DOCKERFILE: &str = include_str!("../../../../dist/Dockerfile");
/// The name of the image.
const OWN: &str = "e2e.local/pktwho:1";
/// As README.md tells, less what no test needs: nobody types here.
const FLAGS: &str = "--network host --pid host --cgroupns host --cap-drop ALL \
     --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add SYS_PTRACE --cap-add SETUID --cap-add SETGID \
     --security-opt apparmor=unconfined --volume=/sys/fs/cgroup:/sys/fs/cgroup:ro \
     --volume=/sys/kernel/rcu_expedited:/sys/kernel/rcu_expedited";
/// What `daemonset.yaml` has beside those.
const NODE: &str = "--user 0 --read-only --security-opt no-new-privileges";

/// Whether a program runs without shared libraries.
fn is_static(program: &Path) -> Result<bool> {
    let ldd = Command::new("ldd").env("LC_ALL", "C").arg(program).output();
    let said = ldd.context("cannot run ldd")?;
    let said = [said.stdout, said.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // The second of a position-independent one.
    let words = ["not a dynamic executable", "statically linked"];
    Ok(words.iter().any(|words| said.contains(words)))
}

/// Makes the image.
fn build(scene: &Scene, engine: &Engine) -> Result<()> {
    let program = &scene.lab.pktwho;
    if !is_static(program)? {
        let why = "the program needs shared libraries: cargo xtask dist makes one that does not";
        return Err(Lacking(why.to_owned()).into());
    }
    let folder = scene.host.dir.join("own-image");
    fs::create_dir_all(&folder)?;
    fs::copy(program, folder.join("pktwho"))?;
    fs::write(folder.join("Dockerfile"), DOCKERFILE)?;
    let folder = folder.display().to_string();
    engine.docker_says(&["build", "--quiet", "--tag", OWN, &folder])?;
    Ok(())
}

/// Runs it with these flags more.
fn run<'e>(engine: &'e Engine, flags: &[&str], words: &[&str]) -> Result<Container<'e>> {
    let sockets = format!("--volume={}:/var/run/docker.sock:ro", engine.socket);
    let all = FLAGS.split_whitespace().chain([&*sockets]);
    let flags: Vec<&str> = all.chain(flags.iter().copied()).collect();
    engine.run_image(OWN, "pktwho", &flags, words)
}

fn listens(tool: &Container) -> Result<()> {
    until("it listens in its container", PATIENCE, || {
        Ok(tool.logs()?.contains("listening on").then_some(()))
    })
}

/// It names other containers.
pub fn names(scene: &mut Scene, engine: &Engine) -> Result<()> {
    build(scene, engine)?;
    let web = engine.run("web", &[], &["serve", "8071"])?;
    let address = web.address()?;
    serves(&scene.host.netns, &address, 8071)?;
    let filter = "tcp port 8071 and container web-*";
    let words = ["-i", "any", "-n", "-l", "-c", "6", filter];
    let tool = run(engine, &[], &words)?;
    listens(&tool)?;
    fetch(&scene.host.netns, &address, 8071)?;
    tool.ended()?;
    let logs = tool.logs()?;
    for line in logs.lines().filter(|line| line.contains(".8071")) {
        let is_named = line.contains("Container [") && line.contains(&web.name);
        scene.count(is_named, line);
    }
    Ok(())
}

/// It writes files into a folder that is mounted, and what reads packets is nobody.
pub fn node(scene: &mut Scene, engine: &Engine) -> Result<()> {
    build(scene, engine)?;
    let flags: Vec<&str> = NODE.split_whitespace().collect();
    let doctor = run(engine, &flags, &["doctor"])?;
    doctor.ended()?;
    let said = doctor.logs()?;
    let mut expected = vec![
        "ok  confined by user: nobody",
        "ok  confined by capabilities: given up",
        "ok  confined by no new privileges: set",
    ];
    if scene.lab.has_tcx()? {
        // Grace periods can be made short.
        expected.push("ok  traffic control: tcx");
    }
    for line in expected {
        scene.count(said.lines().any(|said| said == line), &said);
    }
    let web = engine.run("web", &[], &["serve", "8072"])?;
    let address = web.address()?;
    serves(&scene.host.netns, &address, 8072)?;
    let folder = scene.lab.file(&format!("captures{}", scene.lab.number()));
    fs::create_dir_all(&folder)?;
    let volume = format!("--volume={}:/captures", folder.display());
    let words = [
        "-i",
        "any",
        "-n",
        "-C",
        "100",
        "-W",
        "10",
        "-w",
        "/captures/node.pcapng",
        "container *",
    ];
    let tool = run(engine, &[&flags[..], &[&volume]].concat(), &words)?;
    listens(&tool)?;
    fetch(&scene.host.netns, &address, 8072)?;
    engine.docker_says(&["stop", &tool.name])?;
    let packets =
        read_file(&folder.join("node.pcapng0")).with_context(|| tool.logs().unwrap_or_default())?;
    let name = web.name.as_bytes();
    for packet in &packets {
        let ends = [&packet.sender, &packet.receiver].into_iter().flatten();
        let mut containers = ends.filter_map(|end| end.container.as_ref());
        let is_named = containers.any(|container| container.name == name);
        scene.count(is_named, &format!("{} bytes", packet.data.len()));
    }
    scene.count(packets.len() >= 6, "a whole conversation");
    Ok(())
}
