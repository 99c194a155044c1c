//! Flags about files, and about counting instead of printing.

use super::{Compat, Flag};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: Some('r'),
        long: Some("read-file"),
        value: Some("file"),
        help: "Read packets from a pcap or pcapng file (\"-\": standard input)",
        man: "",
        compat: Compat::Same,
        apply: |args, value| {
            args.read = Some(value.into());
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
