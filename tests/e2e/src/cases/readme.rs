//! Every command in README.md is run, and must end and look as it is shown there.
//!
//! In a `console` block a line after `$ ` is a command and what follows is its output, in which
//! `...` stands for any lines; in a `sh` block each line is a `cargo xtask` word. Commands run
//! in a namespace of their own with a web server, `hellod`, which curl asks again and again
//! while a capture listens; with `--netns`, in another one. Output is compared in shape: times keep their form, other numbers
//! are masked, and so are the parents of processes, which are the test's own here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Outcome;
use crate::lab::{Lab, installed, until};
use crate::netns::Netns;
use crate::tool::{Ended, Tool};

const README: &str = include_str!("../../../../README.md");
const URL: &str = "http://127.0.0.1:8080/";
/// What `cargo xtask demo` may take, which builds first, on a busy machine.
const DEMO: Duration = Duration::from_mins(10);

/// A command of a `console` block and the lines that it is shown to put out.
#[derive(Debug)]
struct Shown {
    command: String,
    output: Vec<String>,
}

pub fn commands(lab: &Lab) -> Result<Outcome> {
    if let Some(program) = ["curl", "tcpdump", "pgrep"].iter().find(|p| !installed(p)) {
        return Ok(Outcome::Skipped(format!("{program} is not installed")));
    }
    let (shown, _) = read_readme(README)?;
    ensure!(shown.len() >= 10, "only {} commands", shown.len());
    let web = Web::open(lab, None)?;
    let mut count = 0;
    for shown in shown.iter().filter(|shown| !needs_tshark(shown)) {
        web.check(shown).with_context(|| shown.command.clone())?;
        count += 1;
    }
    Ok(Outcome::Measured(format!("{count} commands")))
}

/// The commands that need a tshark of 4.6 or later.
pub fn tshark(lab: &Lab) -> Result<Outcome> {
    let Some(tshark) = std::env::var_os("PKTWHO_TSHARK").map(PathBuf::from) else {
        let reason = "PKTWHO_TSHARK names no tshark of 4.6 or later";
        return Ok(Outcome::Skipped(reason.into()));
    };
    let (shown, _) = read_readme(README)?;
    let web = Web::open(lab, Some(&tshark))?;
    let mut count = 0;
    // The files that it reads are those that commands before it write.
    for shown in &shown {
        if needs_tshark(shown) {
            web.check(shown).with_context(|| shown.command.clone())?;
            count += 1;
        } else if shown.command.contains(" -w ") && !shown.command.contains('|') {
            web.run(shown)?.expect_status(0)?;
        }
    }
    ensure!(count > 0, "README.md shows no tshark");
    Ok(Outcome::Measured(format!("{count} commands")))
}

/// `cargo xtask` knows every word, and `demo` shows who talks.
pub fn cargo_words(lab: &Lab) -> Result<Outcome> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join("Cargo.toml").exists() || Command::new(&cargo).arg("-V").output().is_err() {
        return Ok(Outcome::Skipped("no cargo or no sources here".into()));
    }
    let xtask = |words: &[&str]| {
        let mut command = Command::new(&cargo);
        let xtask = ["run", "--quiet", "--package", "xtask", "--"];
        command.args(xtask).args(words).current_dir(&root);
        command.stdin(Stdio::null());
        command
    };
    let alias = fs::read_to_string(root.join(".cargo/config.toml"))?;
    ensure!(alias.contains("xtask = "), "cargo xtask is no alias");
    let usage = xtask(&[]).output()?;
    let usage = String::from_utf8_lossy(&usage.stderr);
    let (_, words) = read_readme(README)?;
    ensure!(words.len() == 2, "{words:?} instead of two commands");
    for word in &words {
        let mut known = usage.lines().map(|line| line.split_whitespace().next());
        let is_known = known.any(|known| known == Some(word));
        ensure!(is_known, "cargo xtask knows no {word}");
    }
    run_demo(lab, xtask(&["demo"]))?;
    Ok(Outcome::Passed)
}

/// Runs the demo in a namespace of its own; it must end, and name curl in every line.
fn run_demo(lab: &Lab, mut demo: Command) -> Result<()> {
    let netns = Netns::new()?;
    let said = lab.file("demo.stderr");
    demo.stdout(Stdio::piped()).stderr(fs::File::create(&said)?);
    // cargo, the demo and the capture end together if one of them does not end at all.
    demo.process_group(0);
    let mut demo = netns.within(|| Ok(demo.spawn()?))?;
    let lines = demo.stdout.take().context("no output")?;
    let read = || BufReader::new(lines).lines().collect::<Result<Vec<_>, _>>();
    let reader = thread::spawn(read);
    let ended = until("the demo ends", DEMO, || Ok(demo.try_wait()?));
    if ended.is_err() {
        let group = nix::unistd::Pid::from_raw(i32::try_from(demo.id())?);
        nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL)?;
        demo.wait()?;
    }
    let lines = reader.join().expect("the reader returns its error")?;
    let said = fs::read_to_string(said)?;
    let last = said.lines().next_back().unwrap_or_default();
    ensure!(ended?.success(), "the demo failed: {last}");
    ensure!(lines.len() == 20, "{} packets in the demo", lines.len());
    let names_curl = |line: &String| line.contains(" curl.") || line.contains(">curl.");
    let odd: Vec<&String> = lines.iter().filter(|line| !names_curl(line)).collect();
    ensure!(odd.is_empty(), "without curl: {odd:?}");
    Ok(())
}

fn needs_tshark(shown: &Shown) -> bool {
    shown.command.starts_with("tshark ")
}

/// The commands of all `console` blocks, and the words of `cargo xtask` in all `sh` blocks.
fn read_readme(text: &str) -> Result<(Vec<Shown>, Vec<String>)> {
    let (mut shown, mut words): (Vec<Shown>, _) = (Vec::new(), Vec::new());
    let mut kind = None;
    for line in text.lines() {
        match (kind, line.strip_prefix("```")) {
            (None, Some(fence)) => kind = Some(fence),
            (Some(_), Some("")) => kind = None,
            (Some("console"), _) => match (line.strip_prefix("$ "), shown.last_mut()) {
                (Some(command), _) => shown.push(Shown {
                    command: command.to_owned(),
                    output: Vec::new(),
                }),
                (None, Some(shown)) => shown.output.push(line.to_owned()),
                (None, None) => bail!("output before the first command: {line}"),
            },
            (Some("sh"), _) => {
                let word = line.strip_prefix("cargo xtask ");
                words.push(word.with_context(|| line.to_owned())?.to_owned());
            }
            (Some(fence), _) => bail!("a block of {fence:?}: who runs it?"),
            (None, None) => {}
        }
    }
    ensure!(kind.is_none(), "a block does not end");
    Ok((shown, words))
}

/// A namespace with a web server, and a directory with the programs of the README.
struct Web {
    netns: Netns,
    elsewhere: Netns,
    dir: PathBuf,
    server: Child,
    _said: BufReader<ChildStdout>,
}

impl Web {
    fn open(lab: &Lab, tshark: Option<&Path>) -> Result<Self> {
        let netns = Netns::new()?;
        let dir = lab.file(&format!("readme{}", lab.number()));
        let bin = dir.join("bin");
        fs::create_dir_all(&bin)?;
        symlink(&lab.pktwho, bin.join("pktwho"))?;
        if let Some(tshark) = tshark {
            symlink(tshark, bin.join("tshark"))?;
        }
        let sudo = bin.join("sudo");
        fs::write(&sudo, "#!/bin/sh\nexec \"$@\"\n")?;
        fs::set_permissions(&sudo, fs::Permissions::from_mode(0o755))?;
        let source = dir.join("hellod.c");
        fs::write(&source, include_str!("../../programs/hellod.c"))?;
        let hellod = bin.join("hellod");
        let gcc = ["-O1", "-Wall", "-Wextra", "-Werror", "-o"];
        let status = Command::new("gcc")
            .args(gcc)
            .args([&hellod, &source])
            .status();
        ensure!(status?.success(), "gcc cannot compile programs/hellod.c");
        let mut server = netns.within(|| {
            let mut command = Command::new(&hellod);
            command.arg("8080").stdin(Stdio::null());
            Ok(command.stdout(Stdio::piped()).spawn()?)
        })?;
        let mut line = String::new();
        // It ends when this pipe does, also when we are killed.
        let mut said = BufReader::new(server.stdout.take().context("no output")?);
        said.read_line(&mut line)?;
        ensure!(line == "ready\n", "hellod does not listen");
        Ok(Self {
            netns,
            elsewhere: Netns::new()?,
            dir,
            server,
            _said: said,
        })
    }

    /// Runs a command and compares it with what is shown.
    fn check(&self, shown: &Shown) -> Result<()> {
        let ended = self.run(shown)?;
        ended.expect_status(0)?;
        compare(
            &shown.output,
            &String::from_utf8_lossy(&ended.stdout),
            &ended.stderr,
        )
    }

    /// Runs a command to its end, with traffic as long as a capture without its own listens.
    fn run(&self, shown: &Shown) -> Result<Ended> {
        let (dir, command) = (self.dir.display(), &shown.command);
        // The shell becomes the command, so that ending the one ends the other.
        let exec = if command.contains('|') { "" } else { "exec " };
        let line = format!("cd '{dir}' && PATH='{dir}/bin':\"$PATH\" && {exec}{command}");
        let netns = if command.contains("--netns") {
            &self.elsewhere
        } else {
            &self.netns
        };
        let mut tool = Tool::spawn(Path::new("sh"), netns, &["-c", &line])?;
        let listens = shown
            .output
            .iter()
            .any(|line| line.contains("listening on"));
        if !listens || command.contains(" -- ") {
            return tool.wait();
        }
        tool.ready()?;
        self.asking(|| tool.wait())
    }

    /// curl asks, by turns as root and as nobody, as long as `work` takes.
    fn asking<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let asks = scope.spawn(|| {
                self.netns.within(|| {
                    for user in [0, 65534].iter().cycle() {
                        if over.load(Ordering::SeqCst) {
                            break;
                        }
                        let mut curl = Command::new("curl");
                        curl.args(["-s", URL]).uid(*user).stdout(Stdio::null());
                        ensure!(curl.status()?.success(), "curl failed");
                    }
                    Ok(())
                })
            });
            let result = work();
            over.store(true, Ordering::SeqCst);
            asks.join().expect("the thread returns its error")?;
            result
        })
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // Harmless when it has ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Standard output must come in the order shown. Standard error is that of several programs
/// in a pipe, and a command's own answer comes as it comes: those must only be there.
fn compare(shown: &[String], stdout: &str, stderr: &str) -> Result<()> {
    let own = |line: &&str| *line == "hello";
    let (said, shapes): (Vec<&str>, Vec<&str>) = shown
        .iter()
        .map(String::as_str)
        .partition(|line| is_said(line) || own(line));
    let mut said: Vec<String> = said.into_iter().map(shape).collect();
    let found = stderr.lines().chain(stdout.lines().filter(own));
    // tshark's word to root, who need not be the reader.
    let found = found.filter(|line| !line.starts_with("Running as user"));
    let mut found: Vec<String> = found.map(shape).collect();
    said.sort();
    found.sort();
    ensure!(found == said, "says {found:#?}, README: {said:#?}");
    let shapes: Vec<String> = shapes.into_iter().map(shape).collect();
    let lines = stdout.lines().filter(|line| !own(line));
    let lines: Vec<String> = lines.map(shape).collect();
    ensure!(matches(&shapes, &lines), "{lines:#?}, README: {shapes:#?}");
    Ok(())
}

/// What the tools say on standard error.
fn is_said(line: &str) -> bool {
    let begins = ["pktwho: ", "listening on ", "reading from file "];
    let counts = ["captured", "received by filter", "dropped by kernel"];
    begins.iter().any(|begin| line.starts_with(begin))
        || counts.iter().any(|end| line.ends_with(end))
}

/// Whether lines are as shown, in which `...` stands for any number of them.
fn matches(shown: &[String], lines: &[String]) -> bool {
    match (shown.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((dots, shown)), _) if dots == "..." => {
            (0..=lines.len()).any(|skip| matches(shown, lines.get(skip..).unwrap_or_default()))
        }
        (Some((first, shown)), Some((line, lines))) => first == line && matches(shown, lines),
        _ => false,
    }
}

/// A line without what differs from run to run.
fn shape(line: &str) -> String {
    if let Some(dump) = line.strip_prefix("\t0x") {
        return shape_of_dump(dump);
    }
    let line = match line.split_once("ParentProc (pid ") {
        Some((before, _)) => format!("{before}ParentProc (pid _, cmd _, args _)"),
        None => mask_parent(line),
    };
    let line = line.replace(" packet ", " packets ");
    let (time, rest) = line
        .split_at_checked(15)
        .filter(|(time, _)| is_time(time))
        .unwrap_or(("", &line));
    let time = if time.is_empty() {
        ""
    } else {
        "hh:mm:ss.uuuuuu"
    };
    let words: Vec<String> = rest.split(' ').map(shape_of_word).collect();
    format!("{time}{}", words.join(" "))
}

/// The names of the parents at the end of a line are masked.
fn mask_parent(line: &str) -> String {
    match line.split_once("ParentProc [") {
        Some((before, parents)) => {
            let pid = |parent: &str| {
                let pid = parent.rsplit_once('.').map_or("", |(_, pid)| pid);
                format!("_.{pid}")
            };
            let pids: Vec<String> = parents.split('>').map(pid).collect();
            format!("{before}ParentProc [{}", pids.join(">"))
        }
        None => line.to_owned(),
    }
}

/// `04:20:54.854024`.
fn is_time(text: &str) -> bool {
    text.char_indices().all(|(at, c)| match at {
        2 | 5 => c == ':',
        8 => c == '.',
        _ => c.is_ascii_digit(),
    })
}

/// Loopback's address stays, other numbers become `N`, hex ones `0xN`; of a path only the
/// program's name stays.
fn shape_of_word(word: &str) -> String {
    let word = if word.starts_with('/') {
        word.rsplit_once('/').map_or(word, |(_, name)| name)
    } else {
        word
    };
    let parts: Vec<String> = word.split("127.0.0.1").map(mask_numbers).collect();
    parts.join("127.0.0.1")
}

fn mask_numbers(text: &str) -> String {
    let mut shape = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (prefix, mask, len) = if let Some(hex) = rest.strip_prefix("0x") {
            (2, "0xN", run(hex, |c| c.is_ascii_hexdigit()))
        } else {
            (0, "N", run(rest, |c| c.is_ascii_digit()))
        };
        let taken = if len > 0 {
            shape.push_str(mask);
            prefix + len
        } else {
            shape.push(c);
            c.len_utf8()
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    shape
}

/// How many bytes of the text's start are all of this kind.
fn run(text: &str, kind: impl Fn(char) -> bool) -> usize {
    text.find(|c| !kind(c)).unwrap_or(text.len())
}

/// Every byte of a hex dump is masked, and none moved.
fn shape_of_dump(dump: &str) -> String {
    let (hex, ascii) = dump.split_at_checked(47).unwrap_or((dump, ""));
    let hex = hex
        .chars()
        .map(|c| if c.is_ascii_hexdigit() { 'h' } else { c });
    let ascii = ascii.chars().map(|_| '.');
    hex.chain(ascii).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let check = |line: &str, expected: &str| assert_eq!(shape(line), expected);
        check(
            "04:20:54.854024 lo curl.63>hellod.6374 In IP 127.0.0.1.53034 > localhost.http-alt: \
             Flags [S], seq 45, win 6, length 0, ParentProc [some.one.6372>x.1]",
            "hh:mm:ss.uuuuuu lo curl.N>hellod.N In IP 127.0.0.1.N > localhost.http-alt: \
             Flags [S], seq N, win N, length N, ParentProc [_.N>_.N]",
        );
        check("4:20:54.854024 IP", "N:N:N.N IP");
        check(
            "    cksum 0xfe30 (incorrect -> 0x2525)",
            "    cksum 0xN (incorrect -> 0xN)",
        );
        check("1 packet captured", "N packets captured");
        check(
            "    Sender: Process (pid 6, cmd /usr/bin/curl, args curl -s)",
            "    Sender: Process (pid N, cmd curl, args curl -s)",
        );
        check(
            "    Sender: ParentProc (pid 6, cmd /bin/sh, args sh x)",
            "    Sender: ParentProc (pid _, cmd _, args _)",
        );
    }

    #[test]
    fn dots_stand_for_lines() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let check = |shown, found| matches(&lines(shown), &lines(found));
        assert!(check("a b", "a b"));
        assert!(!check("a", "a b"));
        assert!(!check("a b", "a"));
        assert!(check("a ... d", "a b c d"));
        assert!(check("a ...", "a"));
        assert!(!check("a ... d", "a b c"));
    }
}
