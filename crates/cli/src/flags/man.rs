//! The manual page, in roff, made from the table.

use std::fmt::Write as _;

use super::{Compat, Flag, GROUPS, TABLE};

const HEAD: &str = "\
.SH NAME
pktwho \\- show and store packets, and who sends and who receives them
.SH SYNOPSIS
.B pktwho
.RI [ flags ]
.RI [ expression ]
.RB [ \\-\\-
.IR command ]
.br
.B pktwho tls\\-probe
.IR FILE | PID ...
.SH DESCRIPTION
Captures packets from devices, or reads them from a file, and prints a line for each as
tcpdump does, with the process that sends it and the process that receives it; or stores both
in a pcapng file. With a
.I command
it runs that, captures its packets from the first to the last, and exits with its status.
.PP
.B tls\\-probe
captures nothing: it shows where the secrets of TLS connections would be read in programs and
libraries, or in all files that a process has mapped, or why they cannot be.
.PP
Where a flag has tcpdump's name it has tcpdump's meaning; what differs is said below.
";

const TAIL: &str = "\
.SH EXIT STATUS
0 when all went well, also when the reader of our output went away; 1 when something was wrong;
with a command, the status of the command;
.B tls\\-probe
also 1 when it found nothing.
.SH SIGNALS
SIGINT, SIGTERM and SIGHUP end a capture; SIGUSR1 shows the counts so far.
.SH SEE ALSO
.BR tcpdump (8),
.BR pcap-filter (7)
";

/// The manual page.
pub fn man() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = format!(".TH PKTWHO 8 \"\" \"pktwho {version}\"\n{HEAD}");
    for (heading, flags) in GROUPS.iter().zip(TABLE) {
        let _ = writeln!(page, ".SH {}", heading.to_uppercase());
        for flag in *flags {
            entry(&mut page, flag);
        }
    }
    page + TAIL
}

fn entry(page: &mut String, flag: &Flag) {
    let short = flag
        .short
        .map(|short| format!("\\-{}", roff(&short.to_string())));
    let long = flag.long.map(|long| format!("\\-\\-{}", roff(long)));
    let names: Vec<String> = [short, long].into_iter().flatten().collect();
    let value = flag
        .value
        .map_or(String::new(), |value| format!(" \\fI{}\\fR", roff(value)));
    let _ = writeln!(page, ".TP\n\\fB{}\\fR{value}", names.join("\\fR, \\fB"));
    let _ = writeln!(page, "{}.", roff(flag.help));
    if !flag.man.is_empty() {
        let _ = writeln!(page, "{}", roff(flag.man));
    }
    if let Compat::Differs(how) = flag.compat {
        let _ = writeln!(page, "Other than in tcpdump: {}.", roff(how));
    }
}

/// Text as roff takes it.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}
