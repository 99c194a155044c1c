//! Flags that say what is captured, and how it is taken from the kernel.

use std::ffi::OsStr;

use pktwho_packet::LinkType;

use super::{Compat, Flag, number};
use crate::args::{Args, Backend, Metadata, SNAPLEN_MAX, Shell, Show, Way};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: Some('i'),
        long: Some("interface"),
        value: Some("interface"),
        help: "Capture on this device; \"any\" is all of them. May be given several times",
        man: "A name, a number as listed by -D, or \"any\": all devices, also those that appear \
              later. Without this flag the first device that is up is taken, and the loopback \
              device only when there is no other.",
        compat: Compat::Differs("tcpdump listens on the last one given; we listen on all given"),
        apply: |args, value| {
            args.interfaces.push(value);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("netns"),
        value: Some("netns"),
        help: "Capture in this network namespace: a path, a name of ip-netns(8), a process's id, \
               or \"any\"; repeatable",
        man: "The devices of -i, its numbers and the default one are then those of this namespace, \
              of each when several are given; -D lists them. A device of another namespace than \
              ours is shown as eth0@web, or with the namespace's number when it has no name, and \
              -i takes it so too. With \"any\" it is every namespace in which a process runs, or \
              that ip-netns(8) or Docker keeps, also those that come later: from the moment at \
              which we find them, some 10 ms after a process has begun there, a second at most \
              when none has. Nothing we hold keeps a namespace alive; for that sake, devices of \
              others are not put into promiscuous mode.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.netns.push(value);
            Ok(())
        },
    },
    Flag {
        short: Some('D'),
        long: Some("list-interfaces"),
        value: None,
        help: "List the devices that packets can be captured on, and exit",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.list_interfaces = true;
            Ok(())
        },
    },
    Flag {
        short: Some('c'),
        long: Some("receive-count"),
        value: Some("count"),
        help: "Exit after this many packets",
        man: "Packets that no filter refused are counted.",
        compat: Compat::Differs("a number with other characters after it is refused"),
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid packet count {text}");
            args.limit = Some(number(&value, 1..=u64::MAX, wrong)?);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("skip"),
        value: Some("count"),
        help: "Pass over this many packets first",
        man: "They are neither printed nor written, and -c does not count them.",
        compat: Compat::Same,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid packet skip count {text}");
            args.skip = number(&value, 0..=u64::MAX, wrong)?;
            Ok(())
        },
    },
    Flag {
        short: Some('s'),
        long: Some("snapshot-length"),
        value: Some("snaplen"),
        help: "Keep at most this many bytes of each packet (0: 262144, the default)",
        man: "Less is faster and makes smaller files; what was cut off is not printed. Has no \
              effect on packets read from a file.",
        compat: Compat::Same,
        apply: |args, value| {
            args.snaplen = Some(snaplen(&value).ok_or_else(|| {
                let text = value.to_string_lossy();
                format!("invalid snaplen {text} (must be >= 0 and <= {SNAPLEN_MAX})")
            })?);
            Ok(())
        },
    },
    Flag {
        short: Some('Q'),
        long: Some("direction"),
        value: Some("in|out|inout"),
        help: "Only packets that come in, or that go out, or both (the default)",
        man: "Of packets read from a file, those are dropped that the file says went the other \
              way. Any other value is a metadata expression as of Apple's tcpdump, for instance \
              'proc = ssh and dir = out or pid != 5': the keys if, proc, eproc, pid, epid, svc, \
              dir, flowid and dlt, = and !=, and, or, not, parentheses. And binds tighter than or. \
              The packets have to match it and the filter.",
        compat: Compat::Differs(
            "has an effect on files too: pcapng knows directions; takes Apple's expressions",
        ),
        apply: |args, value| {
            args.direction = match value.to_ascii_lowercase().to_str() {
                Some("in") => Way::In,
                Some("out") => Way::Out,
                Some("inout") => Way::InOut,
                _ => {
                    args.metadata = Some(metadata(&value)?);
                    return Ok(());
                }
            };
            Ok(())
        },
    },
    Flag {
        short: Some('y'),
        long: Some("linktype"),
        value: Some("datalinktype"),
        help: "The link type to capture with, or to compile the filter for with -d",
        man: "A name as -L lists them. For packets read from a file it has no effect.",
        compat: Compat::Same,
        apply: |args, value| {
            let link_type = value.to_str().and_then(LinkType::from_name);
            let wrong = || format!("invalid data link type {}", value.to_string_lossy());
            args.link_type = Some(link_type.ok_or_else(wrong)?);
            Ok(())
        },
    },
    Flag {
        short: Some('L'),
        long: Some("list-data-link-types"),
        value: None,
        help: "List the link types of the device, and exit",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.list_link_types = true;
            Ok(())
        },
    },
    Flag {
        short: Some('B'),
        long: Some("buffer-size"),
        value: Some("size"),
        help: "Buffer packets in so many KiB of memory, of all CPUs together",
        man: "More memory loses fewer packets when they come in bursts.",
        compat: Compat::Same,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid packet buffer size {text}");
            // As tcpdump: the size in bytes has to fit a C int.
            args.buffer_kib = Some(number(&value, 1..=2_097_151, wrong)?);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("immediate-mode"),
        value: None,
        help: "Deliver each packet as soon as it arrives",
        man: "The default when lines are printed to a terminal.",
        compat: Compat::Same,
        apply: |args, _| {
            args.immediate = true;
            Ok(())
        },
    },
    Flag {
        short: Some('p'),
        long: Some("no-promiscuous-mode"),
        value: None,
        help: "Leave devices out of promiscuous mode",
        man: "In promiscuous mode a network card delivers packets for other machines too. The \
              device \"any\" never uses it.",
        compat: Compat::Same,
        apply: |args, _| {
            args.no_promiscuous = true;
            Ok(())
        },
    },
    Flag {
        short: Some('O'),
        long: Some("no-optimize"),
        value: None,
        help: "Leave the filter program as it comes from the expression",
        man: "Of use when the optimiser is thought to be wrong.",
        compat: Compat::Same,
        apply: |args, _| {
            args.no_optimize = true;
            Ok(())
        },
    },
    Flag {
        short: Some('F'),
        long: None,
        value: Some("file"),
        help: "Read the filter expression from this file, not from the command line",
        man: "A # begins a comment, up to the end of its line.",
        compat: Compat::Same,
        apply: |args, value| {
            args.expression_file = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: Some('d'),
        long: None,
        value: None,
        help: "Show the filter as a BPF program, and exit; -dd: as a C array, -ddd: as numbers",
        man: "The program is that for the link type of -y, of the file of -r, or of the device of \
              -i; without these, for Ethernet. It needs no privileges.",
        compat: Compat::Differs("the same packets pass, by instructions of our own choice"),
        apply: |args, _| {
            args.dump_program = args.dump_program.saturating_add(1);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("backend"),
        value: Some("auto|tc|tcx|clsact|af-packet"),
        help: "Where in the kernel packets are taken (auto: the best that works here)",
        man: "tc is a program on each device, by tcx or, before Linux 6.6, clsact: as that comes and goes the \
              kernel drops what the device has to send, for some milliseconds. af-packet is a packet socket on each \
              device, for kernels and containers that take no programs: owners are looked up in /proc \
              then and marked as guesses. auto is tc, and af-packet where that is refused.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.backend = match value.to_str() {
                Some("auto") => Backend::Auto,
                Some("tc") => Backend::Programs,
                Some("af-packet") => Backend::PacketSocket,
                Some("tcx") => Backend::Tcx,
                Some("clsact") => Backend::Clsact,
                _ => return Err(format!("unknown backend `{}'", value.to_string_lossy())),
            };
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("kernel-btf"),
        value: Some("file"),
        help: "Take this kernel's type information (BTF) from this file",
        man: "For machines without /sys/kernel/btf/vmlinux, as containers may be. The kernel itself has to \
              have it all the same. Without the flag it is looked for in /boot, /lib/modules \
              and /usr/lib/debug too, in images with types.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.kernel_btf = Some(value);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("no-sandbox"),
        value: None,
        help: "Give up no privileges, and restrict no thread",
        man: "To find out whether a restriction is in the way. Without it, what reads packets is another \
              user (-Z), has no capabilities, makes no files and uses few system calls, as far \
              as the kernel offers that: pktwho doctor tells.",
        compat: Compat::Ours,
        apply: |args, _| {
            args.no_sandbox = true;
            Ok(())
        },
    },
    Flag {
        short: Some('h'),
        long: None,
        value: None,
        help: "Show the version and the usage, and exit",
        man: "",
        compat: Compat::Same,
        apply: |args, _| show(args, Show::Usage),
    },
    Flag {
        short: None,
        long: Some("help"),
        value: None,
        help: "Show this, and exit",
        man: "",
        compat: Compat::Differs("lists what each flag does as well"),
        apply: |args, _| show(args, Show::Help),
    },
    Flag {
        short: None,
        long: Some("man"),
        value: None,
        help: "Put out the manual page for man(1), and exit: pktwho --man | man -l -",
        man: "",
        compat: Compat::Ours,
        apply: |args, _| show(args, Show::Manual),
    },
    Flag {
        short: None,
        long: Some("completions"),
        value: Some("bash|zsh|fish"),
        help: "Put out what this shell needs to complete our flags, and exit",
        man: "",
        compat: Compat::Ours,
        apply: |args, value| {
            let shell = match value.to_str() {
                Some("bash") => Shell::Bash,
                Some("zsh") => Shell::Zsh,
                Some("fish") => Shell::Fish,
                _ => return Err(format!("unknown shell `{}'", value.to_string_lossy())),
            };
            show(args, Show::Completions(shell))
        },
    },
    Flag {
        short: None,
        long: Some("version"),
        value: None,
        help: "Show the version, and exit",
        man: "",
        compat: Compat::Same,
        apply: |args, _| show(args, Show::Version),
    },
];

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape that every entry's `apply` has"
)]
fn show(args: &mut Args, what: Show) -> Result<(), String> {
    args.show = Some(what);
    Ok(())
}

/// A metadata expression. A word alone is none, and was meant to be a direction.
fn metadata(value: &OsStr) -> Result<Metadata, String> {
    let text = value.to_string_lossy().into_owned();
    match pktwho_filter::parse_metadata(&text) {
        Ok(tree) => Ok(Metadata { text, tree }),
        Err(_) if text.chars().all(char::is_alphanumeric) => {
            Err(format!("unknown capture direction `{text}'"))
        }
        Err(error) => Err(format!("{error}\n{}", error.caret(&text).trim_end())),
    }
}

/// A snapshot length as C's `strtol` with base 0 reads it: decimal, `0x14`, `024`; 0 is the
/// greatest.
fn snaplen(value: &OsStr) -> Option<u32> {
    let text = value.to_str()?.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let number = if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        u32::from_str_radix(hex, 16).ok()?
    } else if text.len() > 1 && text.starts_with('0') {
        u32::from_str_radix(text, 8).ok()?
    } else {
        text.parse().ok()?
    };
    match number {
        0 => Some(SNAPLEN_MAX),
        1..=SNAPLEN_MAX => Some(number),
        _ => None,
    }
}
