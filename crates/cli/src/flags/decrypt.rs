//! Flags about showing what TLS connections carry.

use super::{Compat, Flag};

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        short: None,
        long: Some("decrypt"),
        value: None,
        help: "Show what TLS connections carry: HTTP lines and fields, and with -A, -x, -X all of it",
        man: "TLS 1.3, and TLS 1.2 with AES-CBC and AEAD cipher suites, over TCP. The secrets come from the \
              processes themselves, from the pcapng file that is read, or from --keylog-file; while \
              capturing, lines come 0.2 seconds late, so that the secrets are there first. Under the line of a packet stand the \
              HTTP/1 start lines and HTTP/2 header fields that it completes; with -v also HTTP/1's \
              fields and HTTP/2's other frames. What is not captured is said where it is missing, \
              and once for each connection why it is not decrypted.",
        compat: Compat::Ours,
        apply: |args, _| {
            args.decrypt = true;
            Ok(())
        },
    },
    Flag {
        short: None,
        long: Some("keylog-file"),
        value: Some("file"),
        help: "--decrypt with the secrets of this key log, as SSLKEYLOGFILE has them",
        man: "While capturing the file may not be there yet, and what is added to it is taken in.",
        compat: Compat::Ours,
        apply: |args, value| {
            args.decrypt = true;
            args.keylog_file = Some(value.into());
            Ok(())
        },
    },
];
