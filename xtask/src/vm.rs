//! `vm`: the end-to-end set on other kernels and another architecture, in emulated machines.
//!
//! A guest is a kernel of Debian's and one initramfs: a userland, the modules, the static
//! programs. Promises: nothing is installed here but the emulator; what was fetched once is
//! not fetched again; a guest that hangs is ended, and its last words are shown. Start reading
//! at [`run`]; how a guest begins is in `vm/init`.

mod brief;
mod found;
mod guest;
mod image;
mod page;
mod reasons;
mod table;

use std::path::PathBuf;
use std::time::Duration;

pub use brief::{brief, images as brief_images};
use guest::Report;
use image::Image;

use crate::musl::{ARCHES, Arch, Root};
use crate::test::Tally;
use crate::{Outcome, dist, setup, shell};

/// A kernel of Debian's.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    pub name: &'static str,
    pub release: &'static str,
    /// Rust's name of the architecture.
    pub arch: &'static str,
}

macro_rules! kernels {
    ($($name:literal $release:literal $arch:literal;)*) => {
        &[$(Kernel { name: $name, release: $release, arch: $arch }),*]
    };
}

const KERNELS: &[Kernel] = kernels! {
    "5.10" "bullseye" "x86_64";
    "6.1" "bookworm" "x86_64";
    "6.12" "trixie" "x86_64";
    "backports" "trixie-backports" "x86_64";
    "sid" "sid" "x86_64";
    "6.1-arm64" "bookworm" "aarch64";
    "6.12-arm64" "trixie" "aarch64";
};

/// How long a guest may take.
const LONGEST: Duration = Duration::from_hours(1);

/// Every case that is about the kernel: those about files, loss by load and texts are the same
/// everywhere, and an emulated machine says nothing about speed.
const WHOLE: &[&str] = &[
    "life/closing-lines",
    "life/first-packet",
    "life/two-at-once",
    "life/dropped-by-interface",
    "life/no-hook-refused",
    "life/best-hooks",
    "traces/nothing-",
    "traces/grace-periods",
    "command/false",
    "command/last-datagram",
    "devices/",
    "netns/",
    "homes/twins",
    "homes/later",
    "select/",
    "filter/",
    "faults/clock-steps",
    "faults/cpu-unplugged",
    "faults/suspended",
    "owners/",
    "tls/",
];

/// Of each thing that a kernel may have or lack, a case that tells.
const TELLING: &[&str] = &[
    "=life/closing-lines",
    "=life/dropped-by-interface",
    "=life/no-hook-refused",
    "=life/best-hooks",
    "=traces/nothing-left-clsact",
    "=devices/later",
    "=netns/every",
    "=select/pid",
    "=filter/packets",
    "=faults/clock-steps",
    "=faults/cpu-unplugged",
    "=faults/suspended",
    "=owners/tcp-new",
    "=owners/tcp-old",
    "=owners/fork-reads",
    "=owners/fork-corked",
    "=owners/tcp-time-wait",
    "=owners/passed",
    "=owners/udp-connected",
    "=owners/inherited-udp",
    "=owners/sendfile-inherited",
    "=owners/ping",
    "=owners/nat-masquerade",
    "=owners/vlan",
    "=owners/gre",
    "=owners/wireguard",
    "=tls/openssl client 1.3",
];

/// A runner without words would play all.
const LEAST: &[&str] = &["=life/closing-lines"];

/// What is wanted: kernels (all when none is named), `--whole` for [`WHOLE`] instead of
/// [`TELLING`], or `--` and words for the runner. Without those, what was found is kept and goes
/// into the page. `--about` finds out anew what a kernel offers and what a capture says there, and keeps
/// what was found by cases. `--page` only makes the page anew; `--brief` plays a few cases on each
/// kernel and keeps nothing.
///
/// # Errors
/// Something does not build or is not to be had, a guest does not come to its end, a case fails, or
/// does not and is said to.
pub fn run(words: &[String]) -> Outcome {
    if words == ["--page"] {
        return page::write(&found::all());
    }
    if words == ["--brief"] {
        let mut tally = Tally::default();
        let outcome = brief(&mut tally);
        tally.print();
        return outcome;
    }
    let mut parts = words.splitn(2, |word| word == "--");
    let (named, cases) = (parts.next().unwrap_or_default(), parts.next());
    let (flags, named): (Vec<&String>, Vec<&String>) =
        named.iter().partition(|word| word.starts_with("--"));
    let flags: Vec<&str> = flags.into_iter().map(String::as_str).collect();
    let is_about = flags == ["--about"];
    let by_name = |name: &&String| {
        let found = KERNELS.iter().find(|kernel| kernel.name == **name);
        let known: Vec<&str> = KERNELS.iter().map(|kernel| kernel.name).collect();
        found
            .copied()
            .ok_or_else(|| format!("no kernel {name}; there are {}", known.join(", ")))
    };
    let chosen: Vec<Kernel> = named.iter().map(by_name).collect::<Result<_, _>>()?;
    let kept = cases.is_none();
    let chosen = if chosen.is_empty() { KERNELS } else { &chosen };
    let cases: Vec<String> = match cases {
        Some(words) => words.to_vec(),
        None => match flags[..] {
            [] => owned(TELLING),
            ["--whole"] => owned(WHOLE),
            ["--about"] => owned(LEAST),
            _ => return Err(format!("vm: which cases: {}?", flags.join(" "))),
        },
    };
    setup::install(setup::FOR_VM)?;
    let mut reports = Vec::new();
    for arch in ARCHES {
        let kernels = of(*arch, chosen);
        if !kernels.is_empty() {
            for image in images(*arch, &kernels, &cases)? {
                let mut report = guest::run(&image, LONGEST, true)?;
                if kept && is_about {
                    report.cases = found::cases(report.kernel);
                }
                if kept && report.ended() {
                    found::keep(&report)?;
                    page::write(&found::all())?;
                }
                reports.push(report);
            }
        }
    }
    table::print(&reports);
    judge(&reports)
}

/// Those of an architecture.
fn of(arch: Arch, kernels: &[Kernel]) -> Vec<Kernel> {
    let of_it = kernels.iter().filter(|kernel| kernel.arch == arch.name);
    of_it.copied().collect()
}

/// Fails when something is not well, or is said to be and is not.
fn judge(reports: &[Report]) -> Outcome {
    let mut wrong = Vec::new();
    for report in reports {
        let name = report.kernel.name;
        if !report.good() {
            wrong.push(format!("not well on {name}"));
        }
        for part in reasons::unneeded(report) {
            wrong.push(format!(
                "{part} is right on {name}: take its reason out of vm/reasons.rs"
            ));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}

/// What guests with these kernels boot.
fn images(arch: Arch, kernels: &[Kernel], cases: &[String]) -> Result<Vec<Image>, String> {
    let programs = programs(&Root::open(arch)?)?;
    let userland = image::userland(arch)?;
    let image = |kernel: &Kernel| image::image(*kernel, arch, &userland, &programs, cases);
    kernels.iter().map(image).collect()
}

fn owned(cases: &[&str]) -> Vec<String> {
    cases.iter().map(|case| (*case).to_owned()).collect()
}

/// The static programs that a guest runs: the tool, the runner and its puppet.
fn programs(root: &Root) -> Result<Vec<(&'static str, PathBuf)>, String> {
    let folder = shell::target().join("vm").join(root.arch.name);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let tool = dist::program(root, &folder)?;
    let words = [
        "build",
        "--quiet",
        "--locked",
        "--release",
        "--package",
        "e2e",
    ];
    shell::run(&mut root.cargo(&words))?;
    let built = shell::target().join(root.arch.target()).join("release/e2e");
    let runner = folder.join("e2e");
    shell::run(
        shell::command("llvm-strip", &["-o"])
            .arg(&runner)
            .arg(built),
    )?;
    let puppet = folder.join("puppet");
    let source = shell::root().join("tests/e2e/programs/puppet.c");
    root.compile(&source, &puppet)?;
    Ok(vec![("pktwho", tool), ("e2e", runner), ("puppet", puppet)])
}
