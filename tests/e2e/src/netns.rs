//! Network namespaces of the tests' own, nameless: they end with the last process in them,
//! also when this one is killed.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace, held open by its descriptor.
pub struct Netns {
    file: File,
}

impl Netns {
    /// A new namespace whose loopback device is up, with nothing else in it.
    pub fn new() -> Result<Self> {
        let file = thread::scope(|scope| {
            let born = scope.spawn(|| -> Result<File> {
                unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
                Ok(File::open("/proc/thread-self/ns/net")?)
            });
            born.join().expect("the thread returns its error")
        })?;
        let netns = Self { file };
        netns.ip("link set lo up")?;
        Ok(netns)
    }

    /// A new namespace whose later devices say nothing by themselves: no router solicitations,
    /// no link-local addresses, no address probes.
    pub fn quiet() -> Result<Self> {
        let netns = Self::new()?;
        netns.sysctl("net/ipv6/conf/default/router_solicitations", "0")?;
        netns.sysctl("net/ipv6/conf/default/addr_gen_mode", "1")?;
        netns.sysctl("net/ipv6/conf/default/accept_dad", "0")?;
        Ok(netns)
    }

    /// A veth pair, up, each end a namespace and a device's name.
    pub fn cable(one: (&Self, &str), other: (&Self, &str)) -> Result<()> {
        let path = other.0.path();
        one.0.ip(&format!(
            "link add {} type veth peer name {} netns {path}",
            one.1, other.1
        ))?;
        for (netns, device) in [one, other] {
            netns.ip(&format!("link set {device} up"))?;
        }
        Ok(())
    }

    /// Gives a device an address (`10.0.0.1/24`, `fd00::1/64`).
    pub fn address(&self, device: &str, address: &str) -> Result<()> {
        let nodad = if address.contains(':') { "nodad" } else { "" };
        self.ip(&format!("addr add {address} dev {device} {nodad}"))?;
        Ok(())
    }

    /// Two namespaces joined by a veth pair, `near0` in the first and `far0` in the second,
    /// with addresses 10.77.0.1 and .2, `fd00:77::1` and `fd00:77::2`, and neighbours entered by hand
    /// so that no packet but the tests' own crosses.
    pub fn pair() -> Result<(Self, Self)> {
        let (near, far) = (Self::quiet()?, Self::quiet()?);
        near.ip(&format!(
            "link add near0 address 02:00:00:00:77:01 type veth peer name far0 \
             address 02:00:00:00:77:02 netns {}",
            far.path()
        ))?;
        let ends = [(&near, "near0", 1, 2), (&far, "far0", 2, 1)];
        for (netns, device, own, other) in ends {
            netns.ip(&format!("addr add 10.77.0.{own}/24 dev {device}"))?;
            netns.ip(&format!("addr add fd00:77::{own}/64 dev {device} nodad"))?;
            for address in [format!("10.77.0.{other}"), format!("fd00:77::{other}")] {
                netns.ip(&format!(
                    "neigh add {address} lladdr 02:00:00:00:77:0{other} dev {device}"
                ))?;
            }
        }
        near.ip("link set near0 up multicast off")?;
        far.ip("link set far0 up multicast off")?;
        Ok((near, far))
    }

    /// Takes IPv6 away, which announces itself now and then.
    pub fn without_ipv6(&self) -> Result<()> {
        self.sysctl("net/ipv6/conf/all/disable_ipv6", "1")
    }

    /// A path under which other processes reach this namespace while this one lives.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// The number by which the kernel and `/proc` know it.
    pub fn inode(&self) -> Result<u64> {
        Ok(self.file.metadata()?.ino())
    }

    /// Runs `work` in a thread inside the namespace; what it spawns or opens belongs there.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.file, CloneFlags::CLONE_NEWNET).context("setns")?;
                work()
            });
            inside.join().expect("the thread returns its error")
        })
    }

    /// Runs `ip` inside with these words.
    pub fn ip(&self, words: &str) -> Result<String> {
        self.run("ip", words)
    }

    /// Runs a program inside with these words and returns its standard output.
    pub fn run(&self, program: &str, words: &str) -> Result<String> {
        self.within(|| {
            let output = Command::new(program)
                .args(words.split_whitespace())
                .output()
                .with_context(|| format!("cannot run {program}"))?;
            ensure!(
                output.status.success(),
                "{program} {words}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        })
    }

    /// Writes a value below `/proc/sys`.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/{name}");
        self.within(|| std::fs::write(&path, value).with_context(|| path.clone()))
    }
}
