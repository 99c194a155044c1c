//! `setup`: the system packages that building and testing need.

use crate::{Outcome, shell};

/// Debian package, a file or program by which it is known elsewhere, what it is for.
pub type Package = (&'static str, &'static str, &'static str);

const PACKAGES: &[Package] = &[
    ("clang", "clang", "compiles the eBPF programs"),
    ("llvm", "llvm-strip", "strips them"),
    ("gcc", "gcc", "compiles libbpf and test programs"),
    ("libc6-dev", "/usr/include/stdio.h", "headers for gcc"),
    ("make", "make", "builds libbpf"),
    ("pkg-config", "pkg-config", "finds libelf and zlib"),
    ("libelf-dev", "/usr/include/libelf.h", "libbpf reads ELF"),
    ("zlib1g-dev", "/usr/include/zlib.h", "libelf needs it"),
    ("tcpdump", "tcpdump", "tests: the reference"),
    ("tshark", "tshark", "tests: reads our files"),
    ("iproute2", "ip", "tests: network namespaces"),
    ("nftables", "nft", "tests: address translation"),
    ("bpftool", "bpftool", "tests: what is attached to a device"),
    ("iputils-ping", "ping", "tests: traffic"),
    ("curl", "curl", "demo and tests: traffic"),
    ("netbase", "/etc/services", "tests: names of ports"),
    ("procps", "ps", "tests: look at processes"),
    ("util-linux", "setpriv", "tests: other users"),
];

/// What the table of TLS secrets needs besides.
pub const TLS_PACKAGES: &[Package] = &[
    ("openssl", "openssl", "client and server"),
    (
        "libssl-dev",
        "/usr/include/openssl/ssl.h",
        "a static client",
    ),
    ("wget", "wget", "a client with GnuTLS"),
    ("gnutls-bin", "gnutls-cli", "client and server with GnuTLS"),
    (
        "libgnutls28-dev",
        "/usr/include/gnutls/gnutls.h",
        "a client with GnuTLS in it",
    ),
    ("libunistring-dev", "/usr/include/unistr.h", "the same"),
    ("python3", "/usr/bin/python3", "a client with OpenSSL"),
    ("nodejs", "node", "a client"),
    ("nginx-light", "nginx", "a server with workers"),
    ("golang-go", "go", "clients with Go's own TLS"),
];

/// What its longer form needs besides.
pub const TLS_LONG_PACKAGES: &[Package] = &[
    ("chromium", "chromium", "a browser, with BoringSSL"),
    ("perl", "perl", "configures an OpenSSL of our own"),
];

/// What the bench of handshakes needs: libraries, and what programs are compiled with for them.
pub const TLS_BENCH_PACKAGES: &[Package] = &[
    ("openssl", "openssl", "makes certificates"),
    ("gcc", "gcc", "compiles the programs"),
    (
        "libssl-dev",
        "/usr/include/openssl/ssl.h",
        "OpenSSL's handshakes",
    ),
    (
        "android-libboringssl-dev",
        "/usr/include/android/openssl/ssl.h",
        "BoringSSL's",
    ),
    (
        "libgnutls28-dev",
        "/usr/include/gnutls/gnutls.h",
        "GnuTLS's",
    ),
    ("golang-go", "go", "Go's"),
];

/// What only the tests with real containers need.
pub const RUNTIMES: &[Package] = &[
    ("docker.io", "dockerd", "tests: Docker"),
    ("containerd", "containerd", "tests: pods"),
    ("runc", "runc", "tests: every container"),
    ("podman", "podman", "tests: Podman"),
    (
        "containernetworking-plugins",
        "/usr/lib/cni/bridge",
        "tests: networks of pods",
    ),
    ("iptables", "iptables", "tests: containers' addresses"),
    (
        "busybox-static",
        "/bin/busybox",
        "tests: what containers run",
    ),
];

/// What `vm` needs beside.
pub const FOR_VM: &[Package] = &[
    (
        "qemu-system-x86",
        "qemu-system-x86_64",
        "vm: emulates x86-64",
    ),
    (
        "qemu-system-arm",
        "qemu-system-aarch64",
        "vm: emulates arm64",
    ),
    ("kmod", "depmod", "vm: what modules depend on"),
    ("xz-utils", "xz", "vm: unpacks modules"),
];

/// Installs what is missing, or says how to.
pub fn run(_: &[String]) -> Outcome {
    install(PACKAGES)
}

/// The same for other packages.
pub fn install(packages: &[Package]) -> Outcome {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(package, sign, _)| !is_installed(package, sign))
        .map(|(package, ..)| *package)
        .collect();
    if missing.is_empty() {
        eprintln!("setup: all {} system packages are here", packages.len());
        return Ok(());
    }
    for (package, _, reason) in packages.iter().filter(|(p, ..)| missing.contains(p)) {
        eprintln!("setup: {package} is missing ({reason})");
    }
    let install = "apt-get install -y --no-install-recommends";
    if !exists("apt-get") {
        return Err("install these with your system's package manager, then run it again".into());
    }
    if !shell::is_root() {
        let packages = missing.join(" ");
        return Err(format!(
            "run this first:\n  sudo apt-get update && sudo {install} {packages}"
        ));
    }
    let apt = |words: &[&str]| {
        let mut command = shell::command("apt-get", words);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        shell::run_quietly(command)
    };
    apt(&["update"])?;
    let mut words: Vec<&str> = install.split(' ').skip(1).collect();
    words.extend(missing);
    apt(&words)
}

/// Whether a package is there, or what it would bring: a file, or a program in PATH.
fn is_installed(package: &str, sign: &str) -> bool {
    let by_dpkg = std::process::Command::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status}", package])
        .output()
        .is_ok_and(|output| output.stdout == b"installed");
    by_dpkg || exists(sign)
}

fn exists(sign: &str) -> bool {
    if sign.starts_with('/') {
        return std::path::Path::new(sign).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(sign).is_file())
}
