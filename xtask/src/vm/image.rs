//! What a guest boots: a kernel, and an initramfs of a userland, its modules and our programs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Kernel;
use crate::dist::archive::cpio_entry;
use crate::musl::Arch;
use crate::packages::{self, Packages};
use crate::shell;

/// The release that the userland comes from, on every kernel.
const USERLAND: &str = "bookworm";

/// What the cases call for.
const TOOLS: &[&str] = &[
    // A shell that runs the programs that are named: busybox's runs itself instead.
    "dash",
    "bash",
    "busybox-static",
    "iproute2",
    "nftables",
    "iputils-ping",
    "bpftool",
    "util-linux",
    "netbase",
    "wireguard-tools",
    "tcpdump",
    "curl",
    "openssl",
    "wget",
    "tshark",
];

/// Modules that the cases need, where the kernel has them apart; what they need in turn comes
/// with them.
const MODULES: &[&str] = &[
    "veth",
    "bridge",
    "tun",
    "dummy",
    "8021q",
    "vxlan",
    "ip_gre",
    "wireguard",
    "macvlan",
    "ipvlan",
    "sch_ingress",
    "cls_bpf",
    "nf_tables",
    "nft_chain_nat",
    "nft_nat",
    "nft_masq",
    "nft_fib_ipv4",
    "nft_fib_ipv6",
    "nft_fib_inet",
    "nf_conntrack",
    "inet_diag",
    "tcp_diag",
    "udp_diag",
    "raw_diag",
    "af_packet_diag",
];

/// A kernel and its initramfs.
pub struct Image {
    pub of: Kernel,
    pub kernel: PathBuf,
    pub initramfs: PathBuf,
}

/// An archive of a userland with [`TOOLS`] for an architecture; made once for a set of packages.
///
/// # Errors
/// Packages cannot be fetched or unpacked.
pub fn userland(arch: Arch) -> Result<PathBuf, String> {
    let archive = folder().join(format!("userland-{}.cpio", arch.debian));
    let stamp = archive.with_extension("packages");
    let packages = Packages::open(USERLAND, arch.debian)?;
    let names = packages.needed(TOOLS)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = packages.fetch(&names)?;
    let wanted = format!("{files:?}");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(archive);
    }
    let root = folder().join(format!("userland-{}", arch.debian));
    // Not there is as good as removed.
    let _ = fs::remove_dir_all(&root);
    packages::unpack(&files, &root)?;
    for without in [
        "usr/share/doc",
        "usr/share/man",
        "usr/share/locale",
        "usr/share/perl5",
        "usr/share/wireshark/help",
    ] {
        let _ = fs::remove_dir_all(root.join(without));
    }
    let mut cpio = Cpio::default();
    cpio.tree(&root, Path::new(""))?;
    write(&archive, &cpio.bytes)?;
    write(&stamp, wanted.as_bytes())?;
    let _ = fs::remove_dir_all(&root);
    Ok(archive)
}

/// The kernel's packages, fetched and unpacked, and the initramfs for these programs and cases.
///
/// # Errors
/// Packages cannot be fetched or unpacked, or hold no kernel.
pub fn image(
    kernel: Kernel,
    arch: Arch,
    userland: &Path,
    programs: &[(&str, PathBuf)],
    cases: &[String],
) -> Result<Image, String> {
    let root = folder().join(format!("kernel-{}", kernel.name));
    let unpacked = unpack_kernel(kernel, arch, &root)?;
    let mut cpio = Cpio::default();
    for directory in ["opt", "opt/modules", "dev", "etc"] {
        cpio.entry(directory, 0o040_755, &[]);
    }
    // Before it mounts anything, a guest has nowhere to speak to.
    cpio.device("dev/console", 5, 1);
    let mut order = String::new();
    for module in modules(&root, &unpacked)? {
        let name = module.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{}.ko", name.trim_end_matches(".ko"));
        cpio.entry(&format!("opt/modules/{name}"), 0o100_644, &plain(&module)?);
        order.push_str(&name);
        order.push('\n');
    }
    cpio.entry("opt/modules/order", 0o100_644, order.as_bytes());
    for (name, program) in programs {
        cpio.entry(&format!("opt/{name}"), 0o100_755, &read(program)?);
    }
    // One word to the shell, whatever is in it.
    let cases = cases.iter().map(|case| format!("'{case}'"));
    let cases = cases.collect::<Vec<_>>().join(" ");
    cpio.entry("opt/cases", 0o100_644, cases.as_bytes());
    cpio.entry(
        "etc/passwd",
        0o100_644,
        b"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    );
    cpio.entry("etc/group", 0o100_644, b"root:x:0:\nnogroup:x:65534:\n");
    cpio.entry("init", 0o100_755, include_bytes!("init"));
    cpio.end();
    // Archives one behind the other are one initramfs.
    let initramfs = folder().join(format!("initramfs-{}", kernel.name));
    write(&initramfs, &[read(userland)?, cpio.bytes].concat())?;
    Ok(Image {
        of: kernel,
        kernel: root.join(format!("boot/vmlinuz-{unpacked}")),
        initramfs,
    })
}

/// Unpacks the newest kernel of the release, unless it is. Gives its version.
fn unpack_kernel(kernel: Kernel, arch: Arch, root: &Path) -> Result<String, String> {
    let packages = Packages::open(kernel.release, arch.debian)?;
    let meta = format!("linux-image-cloud-{}", arch.debian);
    let names = packages.depends(&meta, is_kernel)?;
    let names: Vec<&str> = names.iter().skip(1).map(String::as_str).collect();
    let files = packages.fetch(&names)?;
    let (stamp, wanted) = (root.join("packages"), format!("{files:?}"));
    if !fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        // Not there is as good as removed.
        let _ = fs::remove_dir_all(root);
        packages::unpack(&files, root)?;
        settle(root)?;
        let version = version(root)?;
        let mut depmod = shell::command("depmod", &["-b"]);
        shell::run(depmod.arg(root).arg(&version))?;
        write(&stamp, wanted.as_bytes())?;
    }
    version(root)
}

/// What newer packages have elsewhere, put where the tools look for it: modules below `lib`, the
/// kernel in `boot` (from 7.3 on it lies beside its modules).
fn settle(root: &Path) -> Result<(), String> {
    let link = |to: &str, at: PathBuf| {
        make(at.parent().unwrap_or(root))?;
        std::os::unix::fs::symlink(to, &at).map_err(|error| told(&at, &error))
    };
    if !root.join("lib/modules").exists() {
        link("../usr/lib/modules", root.join("lib/modules"))?;
    }
    if root.join("boot").exists() {
        return Ok(());
    }
    let modules = root.join("usr/lib/modules");
    let entries = fs::read_dir(&modules).map_err(|error| told(&modules, &error))?;
    for entry in entries.flatten() {
        let version = entry.file_name().to_string_lossy().into_owned();
        if entry.path().join("vmlinuz").exists() {
            let to = format!("../usr/lib/modules/{version}/vmlinuz");
            link(&to, root.join("boot").join(format!("vmlinuz-{version}")))?;
        }
    }
    Ok(())
}

/// Whether a package belongs to a kernel and is no other's name for it.
fn is_kernel(name: &str) -> bool {
    let parts = [
        "linux-image-",
        "linux-binary-",
        "linux-modules-",
        "linux-base-",
    ];
    let mut parts = parts.iter().filter_map(|part| name.strip_prefix(part));
    parts.any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with("cloud-"))
}

/// The version of the kernel that is unpacked in a folder.
fn version(root: &Path) -> Result<String, String> {
    let boot = root.join("boot");
    let entries = fs::read_dir(&boot).map_err(|error| told(&boot, &error))?;
    let mut names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let found = names.find_map(|name| Some(name.strip_prefix("vmlinuz-")?.to_owned()));
    found.ok_or_else(|| format!("no kernel in {}", boot.display()))
}

/// The files of [`MODULES`] and of what they depend on, in an order in which they can be loaded.
fn modules(root: &Path, version: &str) -> Result<Vec<PathBuf>, String> {
    let folder = root.join("lib/modules").join(version);
    let list = folder.join("modules.dep");
    let list = fs::read_to_string(&list).map_err(|error| told(&list, &error))?;
    let lines: Vec<(&str, &str)> = list
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let name = |path: &str| {
        let file = path.rsplit('/').next().unwrap_or_default();
        file.split('.').next().unwrap_or_default().replace('-', "_")
    };
    let (mut order, mut known) = (Vec::new(), BTreeSet::new());
    for module in MODULES {
        let module = module.replace('-', "_");
        let Some((path, needs)) = lines.iter().find(|(path, _)| name(path) == module) else {
            continue;
        };
        // What is needed is listed the nearest first.
        let needs = needs.split_whitespace().rev();
        for path in needs.chain([*path]) {
            if known.insert(path.to_owned()) {
                order.push(folder.join(path));
            }
        }
    }
    Ok(order)
}

/// A module as the kernel loads it.
fn plain(module: &Path) -> Result<Vec<u8>, String> {
    if module.extension().is_some_and(|end| end == "xz") {
        let output = shell::command("xz", &["-dc"]).arg(module).output();
        let output = output.map_err(|error| format!("cannot run xz: {error}"))?;
        return Ok(output.stdout);
    }
    read(module)
}

/// An archive of cpio(5) in the making.
#[derive(Default)]
struct Cpio {
    bytes: Vec<u8>,
    count: u32,
}

impl Cpio {
    /// A file, a folder or a link by its mode.
    fn entry(&mut self, name: &str, mode: u32, bytes: &[u8]) {
        self.count += 1;
        cpio_entry(
            &mut self.bytes,
            [self.count, mode, 1, 0],
            [0; 2],
            name,
            bytes,
        );
    }

    fn device(&mut self, name: &str, major: u32, minor: u32) {
        self.count += 1;
        cpio_entry(
            &mut self.bytes,
            [self.count, 0o020_600, 1, 0],
            [major, minor],
            name,
            &[],
        );
    }

    /// A folder and all that is in it.
    fn tree(&mut self, root: &Path, inside: &Path) -> Result<(), String> {
        let folder = root.join(inside);
        let entries = fs::read_dir(&folder).map_err(|error| told(&folder, &error))?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            let inside = inside.join(name);
            let path = root.join(&inside);
            let meta = fs::symlink_metadata(&path).map_err(|error| told(&path, &error))?;
            let (name, mode) = (inside.to_string_lossy(), meta.permissions().mode());
            if meta.is_symlink() {
                let to = fs::read_link(&path).map_err(|error| told(&path, &error))?;
                self.entry(&name, mode, to.to_string_lossy().as_bytes());
            } else if meta.is_dir() {
                self.entry(&name, mode, &[]);
                self.tree(root, &inside)?;
            } else if meta.is_file() {
                // Where a guest finds it without anything else.
                let bytes = read(&path)?;
                if name == "bin/busybox" {
                    self.entry("opt", 0o040_755, &[]);
                    self.entry("opt/busybox", mode, &bytes);
                } else {
                    self.entry(&name, mode, &bytes);
                }
            }
        }
        if inside == Path::new("") {
            self.end();
        }
        Ok(())
    }

    fn end(&mut self) {
        cpio_entry(&mut self.bytes, [0, 0, 1, 0], [0; 2], "TRAILER!!!", &[]);
        // The next archive begins where one may.
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
    }
}

fn folder() -> PathBuf {
    shell::target().join("vm")
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| told(folder, &error))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| told(file, &error))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(file, bytes).map_err(|error| told(file, &error))
}

fn told(file: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", file.display())
}
