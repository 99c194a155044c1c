//! The networks of the stage that are more than a veth pair: a bridge and an uplink joined by a
//! router, with or without NAT; devices on top of others; tunnels. All in nameless namespaces.

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::dissect::WIREGUARD;
use crate::lab::installed;
use crate::netns::Netns;
use crate::puppet::Puppet;
use crate::stage::{Lacking, PORT, Place, Stage};
use crate::truth::Protocol;

/// Where the router publishes the container's [`PORT`].
pub const PUBLISHED: u16 = 8080;

/// A container, a router and a host behind its uplink, in this order. The container's veth
/// `near0` leads to `port0` of the router's bridge `br0`; the uplink is `up0`, the host's `far0`.
pub fn routed(nat: bool) -> Result<[Netns; 3]> {
    let [inside, router, outside] = [Netns::quiet()?, Netns::quiet()?, Netns::quiet()?];
    Netns::cable((&router, "port0"), (&inside, "near0"))?;
    Netns::cable((&router, "up0"), (&outside, "far0"))?;
    router.ip("link add br0 type bridge mcast_snooping 0")?;
    router.ip("link set br0 up")?;
    router.ip("link set port0 master br0")?;
    // Neighbours are entered by hand, so that nobody has to ask for them.
    for (netns, device, net, six, own, other) in [
        (&inside, "near0", "10.78.1", "fd00:78", 2, 1),
        (&router, "br0", "10.78.1", "fd00:78", 1, 2),
        (&router, "up0", "10.79.0", "fd00:79", 1, 2),
        (&outside, "far0", "10.79.0", "fd00:79", 2, 1),
    ] {
        let part = if net == "10.78.1" { 78 } else { 79 };
        netns.ip(&format!(
            "link set {device} address 02:00:00:00:{part}:0{own} multicast off"
        ))?;
        netns.address(device, &format!("{net}.{own}/24"))?;
        netns.address(device, &format!("{six}::{own}/64"))?;
        for address in [format!("{net}.{other}"), format!("{six}::{other}")] {
            netns.ip(&format!(
                "neigh add {address} lladdr 02:00:00:00:{part}:0{other} dev {device}"
            ))?;
        }
    }
    inside.ip("route add default via 10.78.1.1")?;
    inside.ip("-6 route add default via fd00:78::1")?;
    router.sysctl("net/ipv4/ip_forward", "1")?;
    router.sysctl("net/ipv6/conf/all/forwarding", "1")?;
    if nat {
        translate(&router)?;
    } else {
        outside.ip("route add default via 10.79.0.1")?;
        outside.ip("-6 route add default via fd00:79::1")?;
    }
    Ok([inside, router, outside])
}

/// Masquerading on the uplink, and the container's port published there, as container runtimes do.
fn translate(router: &Netns) -> Result<()> {
    if !installed("nft") {
        bail!(Lacking("there is no nft".into()));
    }
    let mut rules = String::new();
    for (family, inside, server, bracketed) in [
        ("ip", "10.78.1.0/24", "10.78.1.2", "10.78.1.2"),
        ("ip6", "fd00:78::/64", "fd00:78::2", "[fd00:78::2]"),
    ] {
        writeln!(
            rules,
            "table {family} nat {{
                chain pre {{
                    type nat hook prerouting priority -100;
                    fib daddr type local tcp dport {PUBLISHED} dnat to {bracketed}:{PORT}
                    fib daddr type local udp dport {PUBLISHED} dnat to {bracketed}:{PORT}
                    fib daddr type local tcp dport 20000-32000 dnat to {server}
                    fib daddr type local udp dport 20000-32000 dnat to {server}
                }}
                chain post {{
                    type nat hook postrouting priority 100;
                    {family} saddr {inside} oifname \"up0\" masquerade
                    {family} saddr {server} {family} daddr {server} masquerade
                }}
            }}"
        )?;
    }
    let output = router.within(|| {
        let mut nft = Command::new("nft");
        nft.args(["-f", "-"]).stdin(Stdio::piped());
        let mut child = nft.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        stdin.write_all(rules.as_bytes())?;
        drop(stdin);
        Ok(child.wait_with_output()?)
    })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let first = words.lines().next().unwrap_or_default();
        bail!(Lacking(format!("nft cannot set up NAT: {first}")));
    }
    Ok(())
}

/// Puts the devices `over0` on top of the place's wire, if it is such a place. Gives the
/// processes that they need.
pub fn overlay(stage: &Stage<'_>) -> Result<Vec<Puppet>> {
    let (near, far) = (&stage.near, stage.far());
    let mut helpers = Vec::new();
    if stage.place == Place::Tun {
        helpers.push(tuns(stage)?);
        // A namespace is seen by its processes.
        helpers.push(
            stage
                .theatre
                .enter(&stage.lab.puppet_named("resident")?, far)?,
        );
    }
    let ends = [(near, "near0", 1, 2), (far, "far0", 2, 1)];
    for (netns, device, own, other) in ends {
        let add = |words: String| lacking(netns.ip(&format!("link add {words}")));
        match stage.place {
            Place::Vlan => add(format!("link {device} name over0 type vlan id 5"))?,
            Place::QinQ => {
                add(format!(
                    "link {device} name service0 type vlan protocol 802.1ad id 7"
                ))?;
                netns.ip("link set service0 up")?;
                add("link service0 name over0 type vlan id 9".into())?;
            }
            Place::Vxlan => add(format!(
                "over0 address 02:00:00:00:80:0{own} type vxlan id 7 dstport 4789 \
                 local 10.77.0.{own} remote 10.77.0.{other}"
            ))?,
            Place::Gre => add(format!(
                "over0 type gre local 10.77.0.{own} remote 10.77.0.{other}"
            ))?,
            Place::WireGuard => add("over0 type wireguard".into())?,
            Place::Tun => {}
            _ => return Ok(helpers),
        }
        netns.address("over0", &format!("10.80.0.{own}/24"))?;
        netns.address("over0", &format!("fd00:80::{own}/64"))?;
        netns.ip("link set over0 up")?;
        if stage.place == Place::Vxlan {
            for address in [format!("10.80.0.{other}"), format!("fd00:80::{other}")] {
                netns.ip(&format!(
                    "neigh add {address} lladdr 02:00:00:00:80:0{other} dev over0"
                ))?;
            }
        }
    }
    if stage.place == Place::WireGuard {
        peers(stage)?;
    }
    Ok(helpers)
}

/// Makes the two `WireGuard` devices known to each other. What they say to each other is sent and
/// received by sockets of the kernel's own.
fn peers(stage: &Stage<'_>) -> Result<()> {
    if !installed("wg") {
        bail!(Lacking("there is no wg".into()));
    }
    let begin = |netns: &Netns, own: u8| -> Result<String> {
        let file = stage.lab.file(&format!("{}.key", stage.lab.number()));
        std::fs::write(&file, netns.run("wg", "genkey")?)?;
        let key = file.display();
        netns.run(
            "wg",
            &format!("set over0 listen-port {WIREGUARD} private-key {key}"),
        )?;
        let socket = SocketAddr::from(([10, 77, 0, own], WIREGUARD));
        let mut log = stage.theatre.log.borrow_mut();
        log.kernel(Protocol::Udp, socket, netns.inode()?);
        netns.run("wg", "show over0 public-key")
    };
    let (near, far) = (begin(&stage.near, 1)?, begin(stage.far(), 2)?);
    for (netns, key, other) in [(&stage.near, far, 2), (stage.far(), near, 1)] {
        netns.run(
            "wg",
            &format!(
                "set over0 peer {} endpoint 10.77.0.{other}:{WIREGUARD} \
                 allowed-ips 10.80.0.0/24,fd00:80::/64",
                key.trim()
            ),
        )?;
    }
    Ok(())
}

/// A device of a type that this kernel does not have.
fn lacking(made: Result<String>) -> Result<()> {
    match made {
        Ok(_) => Ok(()),
        Err(error) if format!("{error:#}").contains("Unknown device type") => {
            bail!(Lacking("this kernel has no such device".into()))
        }
        Err(error) => Err(error),
    }
}

/// Two tun devices and a process in the near namespace that carries packets between them.
fn tuns(stage: &Stage<'_>) -> Result<Puppet> {
    if !std::path::Path::new("/dev/net/tun").exists() {
        bail!(Lacking("there is no /dev/net/tun".into()));
    }
    let program = stage.lab.puppet_named("carrier")?;
    let mut carrier = stage.theatre.enter(&program, &stage.near)?;
    carrier.act("tun 0 over0")?;
    carrier.act(&format!("tun 1 over0 {}", stage.far().path()))?;
    carrier.begin("carry 0 1")?;
    ensure!(!carrier.done()?, "the carrier does not carry");
    Ok(carrier)
}
