//! Flags about the text of a packet.

use crate::apple::Shown;
use pktwho_packet::TimestampPrecision;
use pktwho_print::PacketType;

use super::{Compat, Flag, number};
use crate::args::When;

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: Some('k'),
        long: Some("apple-md-print"),
        value: None,
        help: "Show what is known of packets as Apple's tcpdump does; letters choose: -k INPSD",
        man: "I device, N process name, P process id, S service class, D direction, C comment, F flags, \
              U executable's UUID, V blocks that hold no packet, f flow, t trace tag, d link type, \
              c generation of compression, A all. Without letters: INPSDCF. The letters are a word \
              of their own, or follow --apple-md-print=.",
        compat: Compat::Ours,
        apply: |args, value| {
            let letters = value.to_string_lossy();
            let shown = Shown::parse(&letters)
                .map_err(|letter| format!("unknown metadata letter `{letter}'"))?;
            args.apple = Some(shown);
            Ok(())
        },
    },
    Flag {
        short: Some('n'),
        long: None,
        value: None,
        help: "Numbers instead of names, for addresses, ports and users",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.no_names = args.no_names.saturating_add(1);
            Ok(())
        },
    },
    Flag {
        short: Some('N'),
        long: None,
        value: None,
        help: "Host names without their domain",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.no_domains = true;
            Ok(())
        },
    },
    Flag {
        short: Some('q'),
        long: None,
        value: None,
        help: "Shorter lines with less of the protocols",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.quiet = true;
            Ok(())
        },
    },
    Flag {
        short: Some('v'),
        long: None,
        value: None,
        help: "More of each packet; -vv and -vvv: still more",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.verbose = args.verbose.saturating_add(1);
            Ok(())
        },
    },
    Flag {
        short: Some('e'),
        long: None,
        value: None,
        help: "The link-layer header too",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.link_header = true;
            Ok(())
        },
    },
    Flag {
        short: Some('t'),
        long: None,
        value: None,
        help: "No time; -tt: since 1970; -ttt: since the line before; -tttt: with the date; \
               -ttttt: since the first line",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.times += 1;
            if args.times > 5 {
                let text = "only -t, -tt, -ttt, -tttt and -ttttt are supported";
                return Err(text.to_owned());
            }
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("micro"),
        value: None,
        help: "Times in microseconds (the default)",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.precision = TimestampPrecision::Micro;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("nano"),
        value: None,
        help: "Times in nanoseconds",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.precision = TimestampPrecision::Nano;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("time-stamp-precision"),
        value: Some("micro|nano"),
        help: "The same as --micro and --nano",
        man: "",
        compat: Compat::Same,
        apply: |args, value| {
            args.precision = match value.to_str() {
                Some("micro") => TimestampPrecision::Micro,
                Some("nano") => TimestampPrecision::Nano,
                _ => return Err("unsupported time stamp precision".to_owned()),
            };
            Ok(())
        },
    },
    Flag {
        short: Some('#'),
        long: Some("number"),
        value: None,
        help: "Number the packets",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.number = true;
            Ok(())
        },
    },
    Flag {
        short: Some('A'),
        long: None,
        value: None,
        help: "The packet as ASCII text; -AA: the link-layer header too",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.ascii = args.ascii.saturating_add(1);
            Ok(())
        },
    },
    Flag {
        short: Some('x'),
        long: None,
        value: None,
        help: "The packet in hex; -xx: the link-layer header too",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.hex = args.hex.saturating_add(1);
            Ok(())
        },
    },
    Flag {
        short: Some('X'),
        long: None,
        value: None,
        help: "The packet in hex and ASCII; -XX: the link-layer header too",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.hex_ascii = args.hex_ascii.saturating_add(1);
            Ok(())
        },
    },
    Flag {
        short: Some('S'),
        long: Some("absolute-tcp-sequence-numbers"),
        value: None,
        help: "TCP sequence numbers as they are, not counted from the first seen",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.absolute_seq = true;
            Ok(())
        },
    },
    Flag {
        short: Some('K'),
        long: Some("dont-verify-checksums"),
        value: None,
        help: "Leave IP, TCP and UDP checksums unverified",
        man: "Useful when the network card computes them: packets that are sent are seen before.",
        compat: Compat::Same,
        apply: |args, _| {
            args.no_checksums = true;
            Ok(())
        },
    },
    Flag {
        short: Some('T'),
        long: None,
        value: Some("type"),
        help: "Read packets as this type, whatever their ports say",
        man: "Types: aodv, carp, cnfp, domain, geneve, lmp, pgm, pgm_zmtp1, ptp, quic, radius, resp, \
              rpc, rtcp, rtp, snmp, someip, tftp, vat, vxlan, wb, zmtp1.",
        compat: Compat::Same,
        apply: |args, value| {
            let kind = value.to_str().and_then(PacketType::named);
            let unknown = || format!("unknown packet type `{}'", value.to_string_lossy());
            args.packet_type = Some(kind.ok_or_else(unknown)?);
            Ok(())
        },
    },
    Flag {
        short: Some('E'),
        long: None,
        value: Some("algo:secret"),
        help: "Decrypt IPsec ESP with this key: spi@address algorithm:secret,... or file name",
        man: "Algorithms: des-cbc, 3des-cbc, blowfish-cbc, cast128-cbc, aes128-cbc, aes192-cbc, \
              aes256-cbc and none, each also with -hmac96. The secret is text, or 0x and \
              hexadecimal digits. A file holds one such key per line, and keys of IKEv2: \
              \"ikev2 I|R initiator-spi responder-spi sha1:key aes128:key\". Others can see \
              what stands on a command line.",
        compat: Compat::Same,
        apply: |args, value| {
            args.esp_secrets.push(value);
            Ok(())
        },
    },
    Flag {
        short: Some('M'),
        long: None,
        value: Some("secret"),
        help: "Verify the digests of the TCP-MD5 option (RFC 2385) with this secret",
        man: "",
        compat: Compat::Same,
        apply: |args, value| {
            args.md5_secret = Some(value);
            Ok(())
        },
    },
    Flag {
        short: Some('g'),
        long: None,
        value: None,
        help: "No new line after the IP header that -v shows",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.one_line = true;
            Ok(())
        },
    },
    Flag {
        short: Some('b'),
        long: None,
        value: None,
        help: "AS numbers of BGP above 65535 as two numbers with a dot",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.asdot = true;
            Ok(())
        },
    },
    Flag {
        short: Some('u'),
        long: None,
        value: None,
        help: "NFS file handles as they are",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.raw_handles = true;
            Ok(())
        },
    },
    Flag {
        short: Some('H'),
        long: None,
        value: None,
        help: "Look for mesh headers of the 802.11s draft",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.mesh = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("lengths"),
        value: None,
        help: "The captured and the original length of each packet",
        man: "",
        compat: Compat::Same,
        apply: |args, _| {
            args.lengths = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("color"),
        value: Some("auto|always|never"),
        help: "Processes and addresses in colours",
        man: "The text stays the same. auto, which is what happens without the flag, colours on a \
              terminal, unless the environment has NO_COLOR or its TERM is dumb.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.color = match value.to_str() {
                Some("auto") => When::Auto,
                Some("always") => When::Always,
                Some("never") => When::Never,
                _ => return Err(format!("unknown color `{}'", value.to_string_lossy())),
            };
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("print-sampling"),
        value: Some("nth"),
        help: "Print every nth packet only",
        man: "Packets in between are counted, and written with -w, but not read. As TCP \
              sequence numbers cannot be followed, this implies -S; it also implies --print.",
        compat: Compat::Same,
        apply: |args, value| {
            let wrong = |value: &str| format!("invalid print sampling {value}");
            args.print_sampling = Some(number(&value, 1..=u64::MAX, wrong)?);
            args.print = true;
            args.absolute_seq = true;
            Ok(())
        },
    },
];
