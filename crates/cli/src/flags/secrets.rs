//! Flags about TLS secrets.

use super::{Compat, Flag};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: None,
        long: Some("write-keylog-file"),
        value: Some("file"),
        help: "Write the TLS secrets of processes to a key log (\"-\": standard output)",
        man: "Secrets of connections that begin while capturing are read from the programs and \
              libraries that have them: OpenSSL, BoringSSL, GnuTLS, Go. They are added to the file \
              as SSLKEYLOGFILE has them, which Wireshark reads. --pid, --pname, --uid and \
              --follow-forks choose the processes, a command is one by itself; the expression \
              chooses packets only. With -r: the secrets that the file holds. A new file is \
              readable by its owner alone.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.key_log.write = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("embed-keylog-to-pcapng"),
        value: None,
        help: "Store the TLS secrets of processes in the file of -w, before their packets",
        man: "Wireshark decrypts such a file without a key log. Packets are written 0.5 seconds \
              late, so that the secrets are there first; with little memory for packets (-B) \
              or many of them, earlier.",
        compat: Compat::Ours,
        apply: |args, _| {
            args.key_log.embed = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("embed-keylog-from"),
        value: Some("file"),
        help: "Store the TLS secrets of this key log in the file of -w",
        man: "",
        compat: Compat::Ours,
        apply: |args, value| {
            args.key_log.embed_from = Some(value.into());
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("keylog-only"),
        value: None,
        help: "Write the key log and capture no packets",
        man: "",
        compat: Compat::Ours,
        apply: |args, _| {
            args.key_log.only = true;
            Ok(())
        },
    },
];
