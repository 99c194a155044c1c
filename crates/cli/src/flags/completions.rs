//! What shells need to complete a command line, made from the table.

use std::fmt::Write as _;

use super::{Flag, TABLE};
use crate::args::Shell;

/// The completions, as the shell reads them.
pub fn completions(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// What may stand for a flag's value.
enum Values {
    Words(Vec<&'static str>),
    Files,
    Devices,
    Users,
    Commands,
    Pids,
    /// Nothing that could be listed.
    Any,
}

fn flags() -> impl Iterator<Item = &'static Flag> {
    TABLE.iter().copied().flatten()
}

/// `-x` and `--long`.
fn names(flag: &Flag) -> Vec<String> {
    let short = flag.short.map(|short| format!("-{short}"));
    let long = flag.long.map(|long| format!("--{long}"));
    short.into_iter().chain(long).collect()
}

fn values(value: &'static str) -> Values {
    match value {
        "file" => Values::Files,
        "interface" => Values::Devices,
        "user" => Values::Users,
        "command" => Values::Commands,
        "pid" => Values::Pids,
        _ if value.contains('|') => Values::Words(value.split('|').collect()),
        _ => Values::Any,
    }
}

const BASH_HEAD: &str = "\
# bash completion for pktwho
_pktwho() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    case $before in
";

const BASH_TAIL: &str = "
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))
    fi
}
complete -F _pktwho pktwho
";

fn bash() -> String {
    let mut text = BASH_HEAD.to_owned();
    for flag in flags() {
        let Some(value) = flag.value else { continue };
        let listed = match values(value) {
            Values::Words(words) => format!("-W \"{}\"", words.join(" ")),
            Values::Files => "-f".to_owned(),
            Values::Devices => "-W \"any $(ls /sys/class/net)\"".to_owned(),
            Values::Users => "-u".to_owned(),
            Values::Commands => "-c".to_owned(),
            Values::Pids => "-W \"$(cd /proc && echo [0-9]*)\"".to_owned(),
            Values::Any => String::new(),
        };
        let names = names(flag).join("|");
        let _ = write!(text, "        {names}) ");
        if !listed.is_empty() {
            let _ = write!(text, "COMPREPLY=($(compgen {listed} -- \"$word\")); ");
        }
        text.push_str("return ;;\n");
    }
    let all: Vec<String> = flags().flat_map(names).collect();
    let _ = write!(text, "    esac\n    local flags='{}'", all.join(" "));
    text + BASH_TAIL
}

fn zsh() -> String {
    let mut text = "#compdef pktwho\n_arguments -s -S \\\n".to_owned();
    for flag in flags() {
        let help = flag.help.replace('\\', "\\\\").replace('\'', "'\\''");
        let help = help.replace('[', "\\[").replace(']', "\\]");
        let value = flag.value.map_or(String::new(), |value| {
            let action = match values(value) {
                Values::Words(words) => format!("({})", words.join(" ")),
                Values::Files => "_files".to_owned(),
                Values::Devices => "_net_interfaces".to_owned(),
                Values::Users => "_users".to_owned(),
                Values::Commands => "_command_names -e".to_owned(),
                Values::Pids => "_pids".to_owned(),
                // A blank: nothing is offered, and the name is shown.
                Values::Any => " ".to_owned(),
            };
            format!(":{}:{action}", value.replace(':', "\\:"))
        });
        for name in names(flag) {
            // A value may be glued to a letter, and stands behind a long name's `=` or apart.
            let glue = match (flag.value, name.starts_with("--")) {
                (None, _) => "",
                (Some(_), true) => "=",
                (Some(_), false) => "+",
            };
            let _ = writeln!(text, "    '*{name}{glue}[{help}]{value}' \\");
        }
    }
    text + "    '*::expression: '\n"
}

fn fish() -> String {
    let mut text = "# fish completion for pktwho\ncomplete -c pktwho -f\n".to_owned();
    for flag in flags() {
        let mut line = "complete -c pktwho".to_owned();
        if let Some(short) = flag.short {
            let _ = write!(line, " -s '{short}'");
        }
        if let Some(long) = flag.long {
            let _ = write!(line, " -l {long}");
        }
        match flag.value.map(values) {
            None => {}
            Some(Values::Files) => line.push_str(" -r -F"),
            Some(Values::Any) => line.push_str(" -x"),
            Some(Values::Words(words)) => {
                let _ = write!(line, " -x -a '{}'", words.join(" "));
            }
            Some(Values::Devices) => line.push_str(" -x -a 'any (ls /sys/class/net)'"),
            Some(Values::Users) => line.push_str(" -x -a '(__fish_complete_users)'"),
            Some(Values::Commands) => line.push_str(" -x -a '(__fish_complete_command)'"),
            Some(Values::Pids) => line.push_str(" -x -a '(__fish_complete_pids)'"),
        }
        let help = flag.help.replace('\\', "\\\\").replace('\'', "\\'");
        let _ = writeln!(text, "{line} -d '{help}'");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// What bash offers for the last of these words.
    fn offered(words: &str) -> Option<Vec<String>> {
        let script = format!(
            "{}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _pktwho\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            bash()
        );
        let output = Command::new("bash").args(["-c", &script]).output().ok()?;
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn bash_offers_flags_and_values() {
        let Some(devices) = offered("pktwho -i a") else {
            println!("skipped: no bash");
            return;
        };
        assert_eq!(devices, ["any"]);
        assert_eq!(offered("pktwho --backend tc").unwrap(), ["tc", "tcx"]);
        assert_eq!(
            offered("pktwho -n --list-i").unwrap(),
            ["--list-interfaces"]
        );
        assert_eq!(offered("pktwho --list-interfaces tcp").unwrap(), [""]);
    }

    #[test]
    fn every_shell_knows_every_flag() {
        let (bash, zsh, fish) = (bash(), zsh(), fish());
        for flag in flags() {
            for name in names(flag) {
                let glue = match (flag.value, name.starts_with("--")) {
                    (None, _) => "",
                    (Some(_), true) => "=",
                    (Some(_), false) => "+",
                };
                assert!(zsh.contains(&format!("'*{name}{glue}[")), "{name}");
                assert!(bash.contains(&name), "{name}");
            }
            if let Some(long) = flag.long {
                assert!(fish.contains(&format!(" -l {long} ")), "{long}");
            }
        }
    }
}
