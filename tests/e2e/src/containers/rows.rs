//! The table: who talks to whom, in each runtime.

use std::io::Write as _;
use std::net::UdpSocket;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::Inside;
use super::cri::{self, Cri};
use super::ctr;
use super::engine::{Container, Engine};
use super::host::{HOST, PATIENCE, WORLD};
use super::own;
use super::scene::{Scene, sockets};
use super::talk::{echoes, fetch, serves, serving};
use crate::lab::until;
use crate::tool::Tool;

/// One row for containers of an engine, played with each.
pub struct EngineRow {
    pub name: &'static str,
    pub about: &'static str,
    pub play: fn(&mut Scene, &Engine) -> Result<()>,
}

/// One row for pods.
pub struct PodRow {
    pub name: &'static str,
    pub about: &'static str,
    pub play: fn(&mut Scene, &Cri) -> Result<()>,
}

macro_rules! rows {
    ($kind:ident: $($name:literal, $about:literal, $play:path;)*) => {
        &[$($kind { name: $name, about: $about, play: $play }),*]
    };
}

pub const ENGINE_ROWS: &[EngineRow] = rows! { EngineRow:
    "from-host", "a process of the host asks a server in a container", from_host;
    "bridge", "docker exec: one container asks another on the bridge", bridge;
    "published", "the world asks a published port", published;
    "published-udp", "the world sends datagrams to a published port: a child is forked to answer each", published_udp;
    "out", "a container asks the world behind address translation", out;
    "host-network", "a container without a network of its own asks another", host_network;
    "later", "a container that is started during the capture asks the host", later;
    "restarted", "a container that is restarted during the capture", restarted;
    "renamed", "a container that gets another name during the capture", renamed;
    "runtime-restarted", "the runtime is stopped and started again during the capture", runtime_restarted;
    "brief", "containers that send one datagram and are gone", brief;
    "filters", "only packets of a container that runs", filters;
    "filter-later", "only packets of a container that starts during the capture", filter_later;
    "own-image", "pktwho in a container of its own names the others", own::names;
    "own-image-node", "the same as on a node of Kubernetes: nobody reads packets, files are written", own::node;
    "silent-runtime", "runtimes that hang, die or talk nonsense: nothing is lost and nothing claimed", silent_runtime;
    "devices", "-D names the container that a device leads to", devices;
    "every-netns", "--netns any: on the container's own device as well", every_netns;
};

pub const POD_ROWS: &[PodRow] = rows! { PodRow:
    "siblings", "of two containers of a pod the right one, asked by another pod", siblings;
    "pods-out", "a pod asks the world behind address translation", pod_out;
    "pods-later", "a pod that is made during the capture asks the host", pod_later;
    "pods-brief", "containers of a pod that send one datagram and are gone", pod_brief;
    "pods-devices", "-D names the pod that a device leads to", pods_devices;
    "pods-every-netns", "--netns any: on the pod's own device as well", pods_every_netns;
    "pod-filters", "only packets of a pod, a namespace, a container of a pod", pod_filters;
    "pods-published", "the world asks a port that the host gives to a pod", pods_published;
    "pods-host-network", "a pod in the host's network asks the world, and the host asks it", pods_host_network;
    "ctr", "containers of ctr in two namespaces, with one id", ctr;
    "ctr-devices", "-D names the container of ctr that a device leads to", ctr_devices;
    "ctr-later", "containers of ctr that start during the capture, one id after the other", ctr_later;
    "ctr-renamed", "a container whose labels are changed during the capture", ctr_renamed;
    "ctr-filters", "only packets of a container of ctr", ctr_filters;
};

const ROUNDS: u32 = 3;

fn from_host(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &[], &["serve", "8001"])?;
    let (host, address) = (&scene.host.netns, web.address()?);
    serves(host, &address, 8001)?;
    scene.listen("")?;
    scene.talk(&[8001], None, Some(web.inside()));
    for _ in 0..ROUNDS {
        fetch(&scene.host.netns, &address, 8001)?;
    }
    Ok(())
}

/// `wget`'s words.
fn url(address: &str, port: u16) -> String {
    format!("http://{address}:{port}/")
}

fn bridge(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &[], &["serve", "8002", "8003"])?;
    let (one, other) = (engine.run("one", &[], &[])?, engine.run("other", &[], &[])?);
    let address = web.address()?;
    serves(&scene.host.netns, &address, 8003)?;
    scene.listen("")?;
    for (client, port) in [(&one, 8002), (&other, 8003)] {
        scene.talk(&[port], Some(client.inside()), Some(web.inside()));
        for _ in 0..ROUNDS {
            client.exec(&["wget", "-qO-", &url(&address, port)])?;
        }
    }
    Ok(())
}

fn published(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &["--publish", "28004:8004"], &["serve", "8004"])?;
    serves(&scene.host.world, HOST, 28004)?;
    scene.listen("")?;
    scene.talk(&[8004, 28004], None, Some(web.inside()));
    for _ in 0..ROUNDS {
        fetch(&scene.host.world, HOST, 28004)?;
    }
    Ok(())
}

fn published_udp(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let publish = ["--publish", "28026:8026/udp", "--publish", "28027:8027/udp"];
    let script = "puppet echo 8026 & exec puppet echo 8027";
    let echo = engine.run("echo", &publish, &["sh", "-c", script])?;
    until("the container answers", PATIENCE, || {
        Ok(echoes(&scene.host.world, HOST, 28027).ok())
    })?;
    scene.listen("")?;
    scene.talk(&[8026, 28026], None, Some(echo.inside()));
    for _ in 0..10 {
        // A new port each time: the first datagram of what is translated.
        echoes(&scene.host.world, HOST, 28026)?;
    }
    Ok(())
}

fn out(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let client = engine.run("client", &[], &[])?;
    scene.listen("")?;
    serving(&scene.host.world, WORLD, |port| {
        scene.talk(&[port], Some(client.inside()), None);
        for _ in 0..ROUNDS {
            client.exec(&["wget", "-qO-", &url(WORLD, port)])?;
        }
        Ok(())
    })
}

fn host_network(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &["--network", "host"], &["serve", "8005"])?;
    let client = engine.run("client", &[], &[])?;
    serves(&scene.host.netns, "127.0.0.1", 8005)?;
    scene.listen("")?;
    scene.talk(&[8005], Some(client.inside()), Some(web.inside()));
    for _ in 0..ROUNDS {
        client.exec(&["wget", "-qO-", &url(engine.gateway, 8005)])?;
    }
    Ok(())
}

fn later(scene: &mut Scene, engine: &Engine) -> Result<()> {
    // The bridge has its address only while a container is on it.
    let _first = engine.run("first", &[], &[])?;
    scene.listen("")?;
    serving(&scene.host.netns, engine.gateway, |port| {
        let command = ["wget", "-qO-", &url(engine.gateway, port)];
        let client = engine.run("later", &[], &command)?;
        scene.talk(&[port], Some(client.inside()), None);
        client.ended()
    })
}

fn restarted(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &[], &["serve", "8006", "8007"])?;
    serves(&scene.host.netns, &web.address()?, 8006)?;
    scene.listen("")?;
    scene.talk(&[8007], None, Some(web.inside()));
    fetch(&scene.host.netns, &web.address()?, 8007)?;
    engine.docker_says(&["restart", "--time", "0", &web.name])?;
    let address = web.address()?;
    serves(&scene.host.netns, &address, 8006)?;
    for _ in 0..ROUNDS {
        fetch(&scene.host.netns, &address, 8007)?;
    }
    Ok(())
}

fn renamed(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &[], &["serve", "8008", "8009", "8016"])?;
    let (host, address) = (&scene.host.netns, web.address()?);
    serves(host, &address, 8016)?;
    scene.listen("")?;
    scene.talk(&[8008], None, Some(web.inside()));
    fetch(&scene.host.netns, &address, 8008)?;
    rename(scene, engine, &web, [8016, 8009])
}

fn runtime_restarted(scene: &mut Scene, engine: &Engine) -> Result<()> {
    scene.listen("")?;
    engine.restart(scene.host)?;
    let web = engine.run("web", &[], &["serve", "8017", "8018", "8019"])?;
    let (host, address) = (&scene.host.netns, web.address()?);
    serves(host, &address, 8018)?;
    scene.talk(&[8017], None, Some(web.inside()));
    fetch(&scene.host.netns, &address, 8017)?;
    rename(scene, engine, &web, [8018, 8019])
}

/// Gives a container another name, asks its first port until that is shown, and its second then.
fn rename(scene: &mut Scene, engine: &Engine, web: &Container, ports: [u16; 2]) -> Result<()> {
    let [before, after] = ports;
    let address = web.address()?;
    let name = format!("{}-renamed", web.name);
    engine.docker_says(&["rename", &web.name, &name])?;
    let inside = Inside {
        name: name.clone(),
        ..web.inside()
    };
    // It is told of a moment later.
    until("its new name is shown", PATIENCE, || {
        fetch(&scene.host.netns, &address, before)?;
        Ok(scene.has_shown(&name).then_some(()))
    })?;
    scene.talk(&[after], None, Some(inside));
    for _ in 0..ROUNDS {
        fetch(&scene.host.netns, &address, after)?;
    }
    engine.docker_says(&["rename", &name, &web.name])?;
    Ok(())
}

/// Where datagrams for the host arrive.
fn sink(scene: &Scene, address: &str, port: u16) -> Result<UdpSocket> {
    let netns = &scene.host.netns;
    let sink = netns.within(|| Ok(UdpSocket::bind((address, port))?))?;
    sink.set_read_timeout(Some(PATIENCE))?;
    Ok(sink)
}

/// What a container does that lives for 50 ms: one datagram, and time for its address to be
/// resolved.
fn one_datagram(address: &str, port: u16) -> String {
    format!("puppet once udp {address} {port}; exec sleep 0.05")
}

/// How long the datagram of a container that has lived for 50 ms is waited for, and how many such
/// containers may be gone before the host's address was resolved to them.
const BRIEFLY: Duration = Duration::from_secs(5);
const UNSENT: u32 = 5;

/// The container whose datagram has come. Of others, which had no time to send theirs, nothing is captured.
fn that_sends<T>(sink: &UdpSocket, mut run: impl FnMut() -> Result<T>) -> Result<T> {
    sink.set_read_timeout(Some(BRIEFLY))?;
    for _ in 0..UNSENT {
        let container = run()?;
        if sink.recv(&mut [0; 100]).is_ok() {
            return Ok(container);
        }
    }
    bail!("no datagram came")
}

fn brief(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let _first = engine.run("first", &[], &[])?;
    scene.listen("")?;
    for port in 8010..8015 {
        let sink = sink(scene, engine.gateway, port)?;
        let script = one_datagram(engine.gateway, port);
        let run = || engine.run("brief", &["--rm"], &["sh", "-c", &script]);
        let brief = that_sends(&sink, run)?;
        scene.talk(&[port], Some(brief.inside()), None);
    }
    Ok(())
}

fn silent_runtime(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &[], &["serve", "8081", "8082"])?;
    let address = web.address()?;
    serves(&scene.host.netns, &address, 8082)?;
    let mut captures = Vec::new();
    for (manner, answer) in [
        ("hangs", None),
        ("babbles", Some("garbage")),
        ("dies", Some("")),
    ] {
        let path = scene
            .lab
            .file(&format!("silent{}.sock", scene.lab.number()));
        let listener = UnixListener::bind(&path)?;
        let sockets = format!(
            "{} --docker-address {fake} --podman-address {fake}",
            sockets(scene.host),
            fake = path.display()
        );
        thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                match answer {
                    Some(answer) => drop(stream.write_all(answer.as_bytes())),
                    None => held.push(stream),
                }
            }
        });
        let listen = |filter: &str| {
            let words = format!("-i any -n --print {sockets} tcp port 8081 {filter}");
            Tool::listening(scene.lab, &scene.host.netns, &words)
        };
        captures.push((manner, listen("")?, listen("and not container web*")?));
    }
    fetch(&scene.host.netns, &address, 8081)?;
    for (manner, all, without) in captures {
        let (all, without) = (all.stop()?, without.stop()?);
        let counts = all.counts()?;
        let short = web.id.get(..12).context("a short id")?;
        let text = String::from_utf8_lossy(&all.stdout).into_owned();
        let id_is_shown = counts.captured > 0 && text.contains(short) && counts.dropped == 0;
        scene.count(id_is_shown, &format!("{manner}: {text}"));
        let is_counted = without.stderr.contains("has not told of them: ");
        let is_right = without.counts()?.captured == 0 && is_counted;
        scene.count(is_right, &format!("{manner}: {}", without.stderr));
    }
    Ok(())
}

/// The lines of `-D`.
fn listed(scene: &Scene, words: &str) -> Result<Vec<String>> {
    let words = format!("-D {} {words}", sockets(scene.host));
    let ended = Tool::start(scene.lab, &scene.host.netns, &words)?.wait()?;
    ended.expect_status(0)?;
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    Ok(text.lines().map(str::to_owned).collect())
}

fn devices(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let containers = [engine.run("web", &[], &[])?, engine.run("db", &[], &[])?];
    let addresses = scene.host.run("ip", &["-o", "link"])?;
    let lines = listed(scene, "")?;
    for container in &containers {
        let pid = container.inspect("{{.State.Pid}}")?;
        let inner = [
            "--target", &pid, "--net", "ip", "-o", "link", "show", "eth0",
        ];
        let inner = scene.host.run("nsenter", &inner)?;
        let index = inner
            .split_once("eth0@if")
            .and_then(|(_, rest)| rest.split_once(':'));
        let (index, _) = index.context("eth0 is no end of a pair")?;
        let device = addresses.lines().find_map(|line| {
            let (number, rest) = line.split_once(": ")?;
            (number == index).then(|| rest.split_once('@').map(|(name, _)| name))?
        });
        let start = format!(".{} (", device.context("no other end")?);
        let line = lines.iter().find(|line| line.contains(&start));
        let is_right = |line: &&String| line.contains(&format!(" (container {})", container.name));
        scene.count(line.is_some_and(|line| is_right(&line)), &lines.join("; "));
    }
    let told = lines.iter().filter(|line| line.contains("(container "));
    scene.count(told.count() == containers.len(), &lines.join("; "));
    let inner = listed(scene, "--netns any")?;
    for container in &containers {
        let name = format!(" (container {})", container.name);
        let is_inner = |line: &&String| line.contains(".eth0@") && line.contains(&name);
        scene.count(inner.iter().any(|line| is_inner(&line)), &inner.join("; "));
    }
    Ok(())
}

fn pods_devices(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let api = cri.pod("api", "prod", &[])?;
    let _server = api.run("server", &["sleep", "1000000"])?;
    let _sidecar = api.run("sidecar", &["sleep", "1000000"])?;
    let lines = listed(scene, "")?;
    let name = format!(" (pod {}.prod) ", api.name);
    let told = lines.iter().filter(|line| line.contains(&name));
    scene.count(told.count() == 1, &lines.join("; "));
    Ok(())
}

fn every_netns(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let web = engine.run("web", &[], &["serve", "8061"])?;
    let address = web.address()?;
    serves(&scene.host.netns, &address, 8061)?;
    scene.listen("--netns any tcp port 8061")?;
    scene.expect_device("eth0@");
    scene.talk(&[8061], None, Some(web.inside()));
    for _ in 0..ROUNDS {
        fetch(&scene.host.netns, &address, 8061)?;
    }
    Ok(())
}

fn pods_every_netns(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let api = cri.pod("api", "prod", &[])?;
    let server = api.run("server", &["serve", "8062"])?;
    serves(&scene.host.netns, &api.address, 8062)?;
    scene.listen("--netns any tcp port 8062")?;
    scene.expect_device("eth0@");
    scene.talk(&[8062], None, Some(server.inside()));
    for _ in 0..ROUNDS {
        fetch(&scene.host.netns, &api.address, 8062)?;
    }
    Ok(())
}

/// Whether either end is so.
fn either(
    is: impl Fn(&Inside) -> bool + 'static,
) -> impl Fn(Option<&Inside>, Option<&Inside>) -> bool + 'static {
    move |sender, receiver| sender.is_some_and(&is) || receiver.is_some_and(&is)
}

fn filters(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let label = ["--label", "app=web"];
    let web = engine.run("web", &label, &["serve", "8021", "8022"])?;
    let other = engine.run("other", &[], &["serve", "8023"])?;
    let (address, elsewhere) = (web.address()?, other.address()?);
    serves(&scene.host.netns, &address, 8022)?;
    serves(&scene.host.netns, &elsewhere, 8023)?;
    scene.listen("")?;
    let (name, id) = (web.name.clone(), web.id.clone());
    let short = id.get(..12).context("a short id")?.to_owned();
    let is_web = |inside: &Inside| inside.name.starts_with("web");
    let first = name.clone();
    scene.listen_for(
        &format!("--container-name {name}"),
        either(move |i| i.name == first),
    )?;
    scene.listen_for(
        &format!("--container-id {short}"),
        either(move |i| i.id == id),
    )?;
    scene.listen_for("container web*", either(is_web))?;
    scene.listen_for("label app=web", either(is_web))?;
    scene.listen_for("image e2e.local/*", either(|_| true))?;
    let is_other = |inside: &Inside| inside.name.starts_with("other");
    scene.listen_for(&format!("container {}", other.name), either(is_other))?;
    scene.listen_for("not container web*", move |s, r| !either(is_web)(s, r))?;
    scene.listen_for("sender container web*", move |s, _| s.is_some_and(is_web))?;

    scene.talk(&[8021], None, Some(web.inside()));
    scene.talk(&[8022], Some(other.inside()), Some(web.inside()));
    scene.talk(&[8023], None, Some(other.inside()));
    fetch(&scene.host.netns, &address, 8021)?;
    other.exec(&["wget", "-qO-", &url(&address, 8022)])?;
    fetch(&scene.host.netns, &elsewhere, 8023)
}

fn filter_later(scene: &mut Scene, engine: &Engine) -> Result<()> {
    let label = ["--label", "app=web"];
    let other = engine.run("other", &[], &["serve", "8024"])?;
    let address = other.address()?;
    serves(&scene.host.netns, &address, 8024)?;
    scene.listen("")?;
    let next = engine.next_name("web");
    let is_web = |inside: &Inside| inside.name.starts_with("web");
    scene.listen_for(&format!("--container-name {next}"), either(is_web))?;
    scene.listen_for("label app=web", either(is_web))?;
    scene.listen_for("container web*", either(is_web))?;
    scene.listen_for("not container web*", move |s, r| !either(is_web)(s, r))?;
    let command = ["wget", "-qO-", &url(&address, 8024)];
    let later = engine.run("web", &label, &command)?;
    scene.talk(&[8024], Some(later.inside()), Some(other.inside()));
    later.ended()
}

fn siblings(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let api = cri.pod("api", "prod", &[("app", "api")])?;
    let server = api.run("server", &["serve", "8031"])?;
    let sidecar = api.run("sidecar", &["serve", "8032"])?;
    let client = cri.pod("client", "test", &[("app", "client")])?;
    let main = client.run("main", &["sleep", "1000000"])?;
    for port in [8031, 8032] {
        serves(&scene.host.netns, &api.address, port)?;
    }
    scene.listen("")?;
    for (port, container) in [(8031, &server), (8032, &sidecar)] {
        scene.talk(&[port], Some(main.inside()), Some(container.inside()));
        for _ in 0..ROUNDS {
            main.exec(&["wget", "-qO-", &url(&api.address, port)])?;
        }
    }
    serving(&scene.host.netns, cri::GATEWAY, |port| {
        scene.talk(&[port], Some(sidecar.inside()), None);
        sidecar.exec(&["wget", "-qO-", &url(cri::GATEWAY, port)])
    })?;
    Ok(())
}

fn pod_out(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let pod = cri.pod("client", "prod", &[])?;
    let main = pod.run("main", &["sleep", "1000000"])?;
    scene.listen("")?;
    serving(&scene.host.world, WORLD, |port| {
        scene.talk(&[port], Some(main.inside()), None);
        for _ in 0..ROUNDS {
            main.exec(&["wget", "-qO-", &url(WORLD, port)])?;
        }
        Ok(())
    })
}

fn pod_later(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let _first = cri.pod("first", "prod", &[])?;
    scene.listen("")?;
    serving(&scene.host.netns, cri::GATEWAY, |port| {
        let pod = cri.pod("later", "prod", &[])?;
        let main = pod.run("main", &["sleep", "1000000"])?;
        scene.talk(&[port], Some(main.inside()), None);
        main.exec(&["wget", "-qO-", &url(cri::GATEWAY, port)])?;
        Ok(())
    })
}

fn pod_brief(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let pod = cri.pod("brief", "prod", &[])?;
    scene.listen("")?;
    for (port, name) in [(8041, "one"), (8042, "two"), (8043, "three")] {
        let sink = sink(scene, cri::GATEWAY, port)?;
        let script = one_datagram(cri::GATEWAY, port);
        let brief = that_sends(&sink, || pod.run(name, &["sh", "-c", &script]))?;
        scene.talk(&[port], Some(brief.inside()), None);
    }
    Ok(())
}

fn pod_filters(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let api = cri.pod("api", "prod", &[("app", "api")])?;
    let server = api.run("server", &["serve", "8051"])?;
    let sidecar = api.run("sidecar", &["serve", "8052"])?;
    let other = cri.pod("other", "test", &[])?;
    let main = other.run("main", &["serve", "8053"])?;
    let later_name = cri.next_name("api");
    scene.listen("")?;
    let is_pod = |name: &str| {
        let name = name.to_owned();
        move |i: &Inside| i.pod.as_ref().is_some_and(|pod| pod.name == name)
    };
    let in_production = |i: &Inside| i.pod.as_ref().is_some_and(|pod| pod.namespace == "prod");
    let (name, id) = (api.name.clone(), sidecar.id.clone());
    let short = id.get(..12).context("a short id")?.to_owned();
    scene.listen_for(&format!("--pod-name {name}.prod"), either(is_pod(&name)))?;
    scene.listen_for(
        &format!("--pod-name {later_name}.prod"),
        either(is_pod(&later_name)),
    )?;
    scene.listen_for("--container-name sidecar", either(|i| i.name == "sidecar"))?;
    scene.listen_for(
        &format!("--container-id {short}"),
        either(move |i| i.id == id),
    )?;
    scene.listen_for("pod api*.prod", either(in_production))?;
    scene.listen_for("ns prod", either(in_production))?;
    scene.listen_for("not pod api*", move |s, r| !either(in_production)(s, r))?;
    scene.listen_for("label app=api", either(is_pod(&name)))?;

    for (port, pod, container) in [
        (8051, &api, &server),
        (8052, &api, &sidecar),
        (8053, &other, &main),
    ] {
        serves(&scene.host.netns, &pod.address, port)?;
        scene.talk(&[port], None, Some(container.inside()));
    }
    let later = cri.pod("api", "prod", &[])?;
    let client = later.run("late", &["sleep", "1000000"])?;
    serving(&scene.host.netns, cri::GATEWAY, |port| {
        scene.talk(&[port], Some(client.inside()), None);
        client.exec(&["wget", "-qO-", &url(cri::GATEWAY, port)])
    })?;
    Ok(())
}

fn pods_published(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let pod = cri.published_pod("web", "prod", [28055, 8055])?;
    let web = pod.run("web", &["serve", "8055"])?;
    serves(&scene.host.world, HOST, 28055)?;
    scene.listen("")?;
    scene.talk(&[8055, 28055], None, Some(web.inside()));
    for _ in 0..ROUNDS {
        fetch(&scene.host.world, HOST, 28055)?;
    }
    Ok(())
}

fn pods_host_network(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let pod = cri.host_pod("node", "kube-system")?;
    let agent = pod.run("agent", &["serve", "8056"])?;
    let other = pod.run("other", &["sleep", "1000000"])?;
    serves(&scene.host.netns, HOST, 8056)?;
    scene.listen("")?;
    scene.talk(&[8056], None, Some(agent.inside()));
    for _ in 0..ROUNDS {
        fetch(&scene.host.netns, HOST, 8056)?;
    }
    serving(&scene.host.world, WORLD, |port| {
        scene.talk(&[port], Some(other.inside()), None);
        other.exec(&["wget", "-qO-", &url(WORLD, port)])?;
        Ok(())
    })
}

fn ctr(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let host = scene.host;
    let one = ctr::Container::run(host, cri, "e2e-one", "web", &["serve", "8091"])?;
    let other = ctr::Container::run(host, cri, "e2e-two", "web", &["serve", "8092"])?;
    for port in [8091, 8092] {
        serves(&host.netns, HOST, port)?;
    }
    scene.listen("")?;
    for (container, port) in [(&one, 8091), (&other, 8092)] {
        scene.talk(&[port], None, Some(container.inside()));
        for _ in 0..ROUNDS {
            fetch(&host.netns, HOST, port)?;
        }
    }
    Ok(())
}

fn ctr_devices(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let host = scene.host;
    let web = ctr::Container::run_apart(host, cri, "e2e-one", "shop")?;
    let pid = web.pid()?;
    let words = [
        "link", "add", "ctr0", "type", "veth", "peer", "inner0", "netns", &pid,
    ];
    host.run("ip", &words)?;
    for (words, device) in [("", "ctr0"), ("--netns any", "inner0@")] {
        let lines = listed(scene, words)?;
        let of_it = |line: &&String| line.contains(&format!(".{device}"));
        let named = lines.iter().filter(of_it);
        let named = named.filter(|line| line.contains(" (container shop) "));
        scene.count(named.count() == 1, &lines.join("; "));
    }
    Ok(())
}

fn ctr_later(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let host = scene.host;
    scene.listen("")?;
    for port in 8093..8096 {
        let sink = sink(scene, HOST, port)?;
        let script = format!("puppet once udp {HOST} {port}; exec sleep 1000000");
        let later = ctr::Container::run(host, cri, "e2e-one", "later", &["sh", "-c", &script])?;
        sink.recv(&mut [0; 100]).context("no datagram came")?;
        scene.talk(&[port], Some(later.inside()), None);
    }
    Ok(())
}

fn ctr_renamed(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let host = scene.host;
    let web = ctr::Container::run(host, cri, "e2e-one", "web", &["serve", "8096", "8097"])?;
    serves(&host.netns, HOST, 8096)?;
    scene.listen("")?;
    // What nerdctl calls it.
    web.label("nerdctl/name=shop")?;
    until("its new name is shown", PATIENCE, || {
        fetch(&host.netns, HOST, 8096)?;
        Ok(scene.has_shown("shop").then_some(()))
    })?;
    let inside = Inside {
        name: "shop".to_owned(),
        ..web.inside()
    };
    scene.talk(&[8097], None, Some(inside));
    fetch(&host.netns, HOST, 8097)
}

fn ctr_filters(scene: &mut Scene, cri: &Cri) -> Result<()> {
    let host = scene.host;
    let old = ctr::Container::run(host, cri, "e2e-one", "old", &["serve", "8098"])?;
    serves(&host.netns, HOST, 8098)?;
    scene.listen("")?;
    let is_named = |name: &'static str| either(move |i: &Inside| i.name == name);
    scene.listen_for("--container-name old", is_named("old"))?;
    scene.listen_for("container new", is_named("new"))?;
    scene.listen_for("label app=web", either(|i| i.label == ("app", "web")))?;
    let is_new = is_named("new");
    scene.listen_for("not container new", move |s, r| !is_new(s, r))?;
    scene.talk(&[8098], None, Some(old.inside()));
    fetch(&host.netns, HOST, 8098)?;
    let new = ctr::Container::run(host, cri, "e2e-two", "new", &["serve", "8099", "8100"])?;
    serves(&host.netns, HOST, 8100)?;
    scene.talk(&[8099], None, Some(new.inside()));
    fetch(&host.netns, HOST, 8099)
}
