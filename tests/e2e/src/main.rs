//! End-to-end tests: the real binary, real processes, real sockets, in network namespaces of
//! their own. Needs root; leaves nothing behind.
//!
//! `e2e [--list] [FILTER...]` runs the cases of [`cases::CASES`]; `e2e owners` prints the
//! table of owners against the truth ([`owners`]). Start reading at [`rows`] for who owns a
//! packet, at [`cases`] for everything else.

#![forbid(unsafe_code)]

mod bench;
mod cases;
mod containers;
mod dissect;
mod faults;
mod judge;
mod lab;
mod netns;
mod owners;
mod puppet;
mod rows;
mod score;
mod seen;
mod soak;
mod stage;
mod tls;
mod tool;
mod topology;
mod traffic;
mod truth;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cases::CASES;
use crate::lab::Lab;
use crate::score::Score;

const HELP: &str = "\
usage: e2e [--list] [--keep] [FILTER...]
       e2e owners [--list] [-v] [--keep] [FILTER...]
       e2e tls [-v] [--keep] [--long] [--starts N] [FILTER...]
       e2e containers [--list] [-v] [FILTER...]
       e2e lab [COMMAND...]
       e2e soak [scenes|packets] [-v] [--seconds S] [--seed N]
       e2e faults [--seed N] [FILTER...]
       e2e start [--rounds N]
       e2e runtimes [--rounds N]
       e2e handshakes [--rounds N] [LIBRARY...]
       e2e bench [--seconds S] [--rounds N] [-w FILE] [--receiver] [--expression E] [FILTER...]

Runs the cases whose names hold one of the FILTERs (=NAME: are it; !NAME: hold it not), all without one; one line per case,
the counts on the last line, exit status 1 when one failed. `owners` prints the table of
owners against the truth instead; exit status 1 when an owner is wrong or empty, or a
packet missing, unless the row names that as a known gap. -v tells every complaint and
every packet of a row that has one.
`tls` prints the table of TLS secrets against the programs' own key logs, with --long a browser's
too; with --starts how soon programs are hooked that start meanwhile, each N times, and how many
first handshakes are caught.
`containers` does the same with containers and pods of real runtimes. `lab` starts those, then the
command, or a shell, on their host, and takes them down.
`soak` plays random scenes for S seconds (20): sockets, forks, execs, passed descriptors, NAT;
the same for the same N (1). Exit status 1 when an owner is wrong, a packet missing, or the
memory of the tool grows: of 120 s and more from half of the time on. -v tells what is empty, too. `soak packets`: 100,000 packets a second;
exit status 1 when they are not all counted, or the memory grows.
`faults` plays the cases of that name at length: 200 captures killed at moments that N chooses.
`start` measures how soon a capture captures, N rounds (5), in alternation with tcpdump;
`runtimes` the same with container runtimes that do not answer, and with many containers.
`handshakes` measures what a TLS handshake takes longer when its secrets are read, library by library.
`bench` measures loss and cost against the installed tcpdump (built with --release, on a
quiet machine): S seconds each load (2), N rounds (5), only loads whose names hold a FILTER
(\"64 B 200k\"), on the receiver's device instead of the sender's, with a filter E that
nothing matches; exit status 1 when a bar is missed.
--keep leaves the captures behind and says where.
PKTWHO=FILE takes that binary instead of building one, E2E_PUPPET=FILE a compiled
programs/puppet.c, E2E_PATIENCE=N waits N times as long, E2E_BRIEF=1 plays owners' rows in
fewer places, E2E_GUEST=1 sets this machine's clock, takes its CPUs away, has it sleep, and tells each case
before it begins, E2E_FROM=N leaves out the first N cases. Not root: every case is skipped.
";

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Cases,
    Owners,
    Containers,
    Lab,
    Soak,
    Faults,
    Tls,
    Start,
    Runtimes,
    Handshakes,
    Bench,
}

#[derive(Default)]
struct Args {
    mode: Mode,
    bench: bench::Options,
    soak: soak::Options,
    tls: tls::Options,
    list: bool,
    keep: bool,
    verbose: bool,
    filter: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Standard error is gone as well? Then the status alone has to say it.
            let _ = writeln!(io::stderr(), "e2e: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool> {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == "janitor")
    {
        containers::janitor::run()?;
        return Ok(true);
    }
    let Some(args) = parse(std::env::args().skip(1))? else {
        io::stdout().write_all(HELP.as_bytes())?;
        return Ok(true);
    };
    if args.list {
        return list(&args);
    }
    if !nix::unistd::geteuid().is_root() {
        return skip_all(&args);
    }
    let lab = match args.mode {
        Mode::Lab => Lab::without_pktwho()?,
        _ => Lab::set_up(args.keep)?,
    };
    let filter = args.filter;
    let good = match args.mode {
        Mode::Cases => run_cases(&lab, &filter)?,
        Mode::Owners => {
            let verbose = args.verbose;
            owners::run(&lab, &owners::Options { filter, verbose })?
        }
        Mode::Tls if args.tls.starts > 0 => tls::starts::run(&lab, &filter, args.tls.starts)?,
        Mode::Tls => {
            let verbose = args.verbose;
            tls::run(
                &lab,
                &filter,
                &tls::Options {
                    verbose,
                    ..args.tls
                },
            )?
        }
        Mode::Containers => {
            let verbose = args.verbose;
            containers::table::run(&lab, &containers::table::Options { filter, verbose })?
        }
        Mode::Lab => containers::shell(&lab, &filter)?,
        Mode::Soak => {
            let options = soak::Options {
                verbose: args.verbose,
                ..args.soak
            };
            let figures = match filter.first().map(String::as_str) {
                Some("packets") => soak::packets::run(&lab, &options)?,
                None | Some("scenes") => soak::run(&lab, &options)?,
                Some(other) => bail!("soak {other}? There are packets and scenes"),
            };
            writeln!(io::stdout(), "{figures}")?;
            true
        }
        Mode::Faults => run_faults(&lab, &filter, args.soak.seed)?,
        Mode::Start => bench::start::run(&lab, args.bench.rounds)?,
        Mode::Runtimes => bench::runtimes::run(&lab, args.bench.rounds)?,
        Mode::Handshakes => bench::tls::run(&lab, args.bench.rounds, &filter)?,
        Mode::Bench => {
            let options = bench::Options {
                filter,
                ..args.bench
            };
            bench::run(&lab, &options)?
        }
    };
    if args.keep {
        writeln!(io::stderr(), "kept in {}", lab.dir.display())?;
    }
    Ok(good)
}

/// `None` when help is wanted.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Args>> {
    let mut args = Args::default();
    let mut first = true;
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .with_context(|| format!("{word} wants a value"))
        };
        match word.as_str() {
            "owners" if first => args.mode = Mode::Owners,
            "tls" if first => args.mode = Mode::Tls,
            "containers" if first => args.mode = Mode::Containers,
            "lab" if first => {
                args.mode = Mode::Lab;
                args.filter = words.collect();
                return Ok(Some(args));
            }
            "soak" if first => args.mode = Mode::Soak,
            "faults" if first => args.mode = Mode::Faults,
            "start" if first => args.mode = Mode::Start,
            "runtimes" if first => args.mode = Mode::Runtimes,
            "handshakes" if first => args.mode = Mode::Handshakes,
            "bench" if first => args.mode = Mode::Bench,
            "--seconds" => {
                let duration = Duration::try_from_secs_f64(value()?.parse()?)?;
                (args.bench.duration, args.soak.duration) = (duration, duration);
            }
            "--starts" => args.tls.starts = value()?.parse()?,
            "--seed" => args.soak.seed = value()?.parse()?,
            "--rounds" => args.bench.rounds = value()?.parse()?,
            "-w" => args.bench.output = value()?.into(),
            "--expression" => args.bench.expression = Some(value()?),
            "--receiver" => args.bench.device = bench::Device::Receiver,
            "--list" => args.list = true,
            "--long" => args.tls.long = true,
            "--keep" => args.keep = true,
            "-v" | "--verbose" => args.verbose = true,
            "-h" | "--help" => return Ok(None),
            _ if word.starts_with('-') => bail!("unknown flag {word}; --help lists them"),
            _ => args.filter.push(word),
        }
        first = false;
    }
    Ok(Some(args))
}

fn list(args: &Args) -> Result<bool> {
    let mut out = io::stdout().lock();
    for row in rows::ROWS.iter().filter(|_| args.mode == Mode::Owners) {
        writeln!(out, "{}: {}", row.name, row.about)?;
    }
    for row in tls::all().filter(|_| args.mode == Mode::Tls) {
        writeln!(out, "{}", row.name)?;
    }
    for row in containers::table::rows()
        .iter()
        .filter(|_| args.mode == Mode::Containers)
    {
        writeln!(out, "{}: {}", row.name, row.about)?;
    }
    for name in names().iter().filter(|_| args.mode == Mode::Cases) {
        writeln!(out, "{name}")?;
    }
    Ok(true)
}

/// The names of all cases. A row of the owner table is a case as well.
fn names() -> Vec<String> {
    let cases = CASES.iter().map(|case| case.name.to_owned());
    let faults = faults::FAULTS.iter().map(|(name, _)| (*name).to_owned());
    let rows = rows::ROWS.iter().map(|row| format!("owners/{}", row.name));
    let tls = tls::cases().map(|row| format!("tls/{}", row.name));
    let containers = containers::table::rows().into_iter();
    let containers = containers.map(|row| format!("containers/{}", row.name));
    cases
        .chain(faults)
        .chain(rows)
        .chain(tls)
        .chain(containers)
        .collect()
}

fn wanted(name: &str, filter: &[String]) -> bool {
    let names = |part: &str| match part.strip_prefix('=') {
        Some(whole) => name == whole,
        None => name.contains(part),
    };
    let mut any = filter.iter().all(|part| part.starts_with('!'));
    for part in filter {
        match part.strip_prefix('!') {
            Some(part) if names(part) => return false,
            Some(_) => {}
            None => any |= names(part),
        }
    }
    any
}

fn skip_all(args: &Args) -> Result<bool> {
    let mut out = io::stdout().lock();
    let mut skipped = 0;
    for name in names().iter().filter(|name| wanted(name, &args.filter)) {
        writeln!(out, "skipped {name}: needs root")?;
        skipped += 1;
    }
    writeln!(out, "0 passed, 0 failed, {skipped} skipped")?;
    Ok(true)
}

fn run_cases(lab: &Lab, filter: &[String]) -> Result<bool> {
    let mut score = Score::new();
    for case in CASES.iter().filter(|case| wanted(case.name, filter)) {
        score.run(case.name, || (case.run)(lab))?;
    }
    for (name, play) in faults::FAULTS
        .iter()
        .filter(|(name, _)| wanted(name, filter))
    {
        score.run(name, || play(lab, &faults::Options::default()))?;
    }
    for row in rows::ROWS {
        let name = format!("owners/{}", row.name);
        if wanted(&name, filter) {
            score.run(&name, || owners::case(lab, row))?;
        }
    }
    for row in tls::cases() {
        let name = format!("tls/{}", row.name);
        if wanted(&name, filter) {
            score.run(&name, || tls::case(lab, row))?;
        }
    }
    for row in containers::table::rows() {
        let name = format!("containers/{}", row.name);
        if wanted(&name, filter) {
            score.run(&name, || row.case(lab))?;
        }
    }
    score.close()
}

/// The faults at length.
fn run_faults(lab: &Lab, filter: &[String], seed: u64) -> Result<bool> {
    let mut score = Score::new();
    let options = faults::Options::at_length(seed);
    for (name, play) in faults::FAULTS
        .iter()
        .filter(|(name, _)| wanted(name, filter))
    {
        score.run(name, || play(lab, &options))?;
    }
    score.close()
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn filters() {
        let wanted = |name: &str, filter: &str| {
            let words: Vec<String> = filter.split_whitespace().map(str::to_owned).collect();
            wanted(name, &words)
        };
        assert!(wanted("tls/node", ""));
        assert!(wanted("tls/node", "owners tls/"));
        assert!(!wanted("tls/node", "owners"));
        assert!(wanted("tls/node", "=tls/node"));
        assert!(!wanted("tls/node, long", "=tls/node"));
        assert!(!wanted("tls/node", "!tls/"));
        assert!(wanted("owners/tls", "!tls/"));
        assert!(!wanted("tls/node", "tls/ !=tls/node"));
        assert!(wanted("tls/curl", "tls/ !=tls/node"));
    }
}
