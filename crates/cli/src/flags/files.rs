//! Flags about files, and about counting instead of printing.

use std::ffi::OsStr;

use super::{Compat, Flag, number};
use crate::window;

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: Some('r'),
        long: Some("read-file"),
        value: Some("file"),
        help: "Read packets from a pcap or pcapng file (\"-\": standard input); \
               repeatable",
        man: "The file may be compressed with gzip, zstd or lz4. Packets of several files come in the \
              order of their times.",
        compat: Compat::Differs("given several times it merges; in tcpdump the last one counts"),
        apply: |args, value| {
            args.read.push(value.into());
            Ok(())
        },
    },
    Flag {
        short: Some('V'),
        long: None,
        value: Some("file"),
        help: "Read the files that this one names, one after the other (\"-\": standard input)",
        man: "",
        compat: Compat::Differs("-c counts over all files, not in each"),
        apply: |args, value| {
            args.read_list = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("since"),
        value: Some("time"),
        help: "With -r: only packets from this time on, as in 2026-01-31 12:00:00",
        man: "A time is what -tttt shows, local, or what -tt shows, or RFC 3339's with a zone.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.window.since = Some(time(&value)?);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("until"),
        value: Some("time"),
        help: "With -r: only packets before this time",
        man: "",
        compat: Compat::Ours,
        apply: |args, value| {
            args.window.until = Some(time(&value)?);
            Ok(())
        },
    },
    Flag {
        short: Some('w'),
        long: Some("write-file"),
        value: Some("file"),
        help: "Write packets to a file instead of printing them (\"-\": standard output)",
        man: "A name that ends in .pcap gives a pcap file, which has no room for processes; any \
              other name, and \"-\", a pcapng file.",
        compat: Compat::Differs("pcapng unless the name ends in .pcap; tcpdump reads both"),
        apply: |args, value| {
            args.write = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: Some('C'),
        long: Some("file-size"),
        value: Some("size"),
        help: "Begin a new file when one is larger: millions of bytes, or with k, m, g \
               powers of 1024",
        man: "The first file has the name of -w; the further ones have a number behind it, from 1 on. \
              Each file is whole by itself: devices and processes are described in every one.",
        compat: Compat::Differs("the units of tcpdump 5 are taken"),
        apply: |args, value| {
            args.rotation.size = Some(size(&value)?);
            Ok(())
        },
    },
    Flag {
        short: Some('G'),
        long: None,
        value: Some("seconds"),
        help: "Begin a new file after so many seconds; strftime(3) makes its name",
        man: "The name of -w should have a time in it, as in trace-%H%M%S.pcapng: otherwise each \
              file takes the place of the last. Time passes by the packets' times, so that a file \
              that is read is divided as the capture would have been.",
        compat: Compat::Differs("with -r the packets' times count, not the clock"),
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid number of seconds {text}");
            args.rotation.seconds = Some(number(&value, 1..=i32::MAX.unsigned_abs(), wrong)?);
            Ok(())
        },
    },
    Flag {
        short: Some('W'),
        long: Some("file-count"),
        value: Some("files"),
        help: "With -C: so many files, the oldest overwritten; with -G: stop after so many",
        man: "With -C names have numbers from 0 on, with zeros in front so that they sort. With both -C \
              and -G it only says how many digits names have.",
        compat: Compat::Same,
        apply: |args, value| {
            let wrong = |text: &str| format!("invalid number of output files {text}");
            args.rotation.files = Some(number(&value, 1..=u64::from(u32::MAX), wrong)?);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("comments"),
        value: None,
        help: "Give each packet of a pcapng file comments about its process, for old readers",
        man: "The comments are those of ptcpdump; characters that could make a line of their own are \
              escaped. Without them a process is described once, which Wireshark 4.6 and this \
              program read.",
        compat: Compat::Ours,
        apply: |args, _| {
            args.comments = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("split-linktypes"),
        value: None,
        help: "Write a file for each link type: out.pcapng becomes out-EN10MB.pcapng, \
               out-RAW.pcapng",
        man: "tcpdump reads no file with several link types. -y LINUX_SLL2 is another way: it gives \
              all packets one kind of header. While capturing, that is done without being asked for \
              when devices of several link types are there at the start, and packets of a link type \
              that comes later go to a file of their own. A file that is read is written as it is.",
        compat: Compat::Ours,
        apply: |args, _| {
            args.split_link_types = true;
            Ok(())
        },
    },
    Flag {
        short: Some('z'),
        long: None,
        value: Some("command"),
        help: "With -C or -G: run this with the name of each file that is complete",
        man: "It runs beside the capture at the lowest priority, as in -z gzip. The last file is left \
              as it is.",
        compat: Compat::Same,
        apply: |args, value| {
            args.postrotate = Some(value);
            Ok(())
        },
    },
    Flag {
        short: Some('Z'),
        long: Some("relinquish-privileges"),
        value: Some("user"),
        help: "Read packets, and create files, as this user (nobody; root: give nothing up)",
        man: "Started as root, whatever reads, prints and writes packets is nobody's, or this user's, and \
              has no capabilities. The command of -z runs as this user too. Without it new files are \
              those of the user who called sudo, or root's. A thread that sees no packet stays root's, \
              since devices that appear later need it.",
        compat: Compat::Differs(
            "nobody is the default, and a thread that sees no packet stays root's",
        ),
        apply: |args, value| {
            args.user = Some(value);
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("print"),
        value: None,
        help: "Print packets although they are written to a file",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.print = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("count"),
        value: None,
        help: "Say only how many packets there are",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.count = true;
            Ok(())
        },
    },
    Flag {
        short: Some('l'),
        long: None,
        value: None,
        help: "Put out each line as soon as it is complete",
        man: "The default on a terminal.",
        compat: Compat::Same,
        apply: |args, _| {
            args.line_buffered = true;
            Ok(())
        },
    },
    Flag {
        short: Some('U'),
        long: Some("packet-buffered"),
        value: None,
        help: "Put out each packet, printed or written, as soon as it is complete",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.packet_buffered = true;
            Ok(())
        },
    },
];

fn time(value: &OsStr) -> Result<pktwho_packet::Timestamp, String> {
    let text = value.to_string_lossy();
    window::moment(&text).ok_or_else(|| format!("invalid time {text}"))
}

/// A file size in bytes. Without a unit millions of bytes are meant.
fn size(value: &OsStr) -> Result<u64, String> {
    let text = value.to_string_lossy();
    let lower = text.trim_start().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let wrong = || format!("invalid file size {text}");
    let unit: u64 = match lower.strip_prefix(digits) {
        Some("") => 1_000_000,
        Some("k" | "kb") => 1 << 10,
        Some("m" | "mb") => 1 << 20,
        Some("g" | "gb") => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().ok().filter(|&n| n > 0).ok_or_else(wrong)?;
    let bytes = number
        .checked_mul(unit)
        .filter(|&bytes| i64::try_from(bytes).is_ok());
    bytes.ok_or_else(|| format!("file size {text} is too large"))
}
