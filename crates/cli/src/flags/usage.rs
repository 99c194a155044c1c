//! The texts made from the table: version, usage, help.

use std::fmt::Write as _;

use super::{Flag, GROUPS, TABLE};

/// The version line, with its end of line.
pub fn version() -> String {
    format!("pktwho version {}\n", env!("CARGO_PKG_VERSION"))
}

/// The usage in tcpdump's style: all flags without a value in one cluster, then those with
/// one, in lines of at most 79 columns.
pub fn usage() -> String {
    let flags = || TABLE.iter().copied().flatten();
    let mut letters: Vec<char> = flags()
        .filter(|flag| flag.value.is_none())
        .filter_map(|flag| flag.short)
        .collect();
    letters.sort_unstable_by_key(|c| (!c.is_alphabetic(), c.to_ascii_lowercase(), *c));
    let cluster: String = letters.into_iter().collect();
    let mut parts = vec![format!("[-{cluster}]")];
    let mut valued: Vec<&Flag> = flags()
        .filter(|flag| flag.value.is_some() || flag.short.is_none())
        .collect();
    valued.sort_unstable_by_key(|flag| {
        let name = flag
            .long
            .filter(|_| flag.short.is_none())
            .unwrap_or_default();
        let short = flag.short.map(|c| (c.to_ascii_lowercase(), c));
        (short.is_none(), short, name)
    });
    parts.extend(valued.into_iter().map(|flag| {
        let name = match (flag.short, flag.long) {
            (Some(short), _) => format!("-{short}"),
            (None, long) => format!("--{}", long.unwrap_or_default()),
        };
        match flag.value {
            Some(value) => format!("[ {name} {value} ]"),
            None => format!("[{name}]"),
        }
    }));
    parts.push("[ expression ]".to_owned());
    parts.push("[ -- command ]".to_owned());
    wrap("Usage: pktwho", "\t\t", &parts)
}

/// The usage and one paragraph per flag.
pub fn help() -> String {
    let mut text = usage();
    for (heading, flags) in GROUPS.iter().zip(TABLE) {
        let _ = write!(text, "\n{heading}:\n");
        for flag in *flags {
            let mut names = match (flag.short, flag.long) {
                (Some(short), Some(long)) => format!("  -{short}, --{long}"),
                (Some(short), None) => format!("  -{short}"),
                (None, long) => format!("      --{}", long.unwrap_or_default()),
            };
            if let Some(value) = flag.value {
                names.push(' ');
                names.push_str(value);
            }
            let words: Vec<String> = flag.help.split(' ').map(str::to_owned).collect();
            let _ = writeln!(text, "{names}");
            text.push_str(&wrap("         ", "          ", &words));
        }
    }
    text.push_str(
        "\npktwho doctor shows what this machine offers a capture, hook by hook, what is lost and what to do.\n\
         pktwho tls-probe FILE|PID... shows where TLS secrets would be read in programs and\n\
         libraries, or why they cannot be.\n\n\
         The words after -- are a command to run: its packets are captured from the first to \
         the last.\nWith -r they belong to the expression.\n",
    );
    text
}

/// Joins `parts` with spaces after `first`; lines after the first begin with `indent`.
fn wrap(first: &str, indent: &str, parts: &[String]) -> String {
    let mut text = String::new();
    let mut line = first.to_owned();
    for part in parts {
        let width = line.replace('\t', "        ").len();
        if width + 1 + part.len() > 79 {
            text.push_str(&line);
            text.push('\n');
            indent.clone_into(&mut line);
            line.push_str(part);
        } else {
            line.push(' ');
            line.push_str(part);
        }
    }
    text + &line + "\n"
}
