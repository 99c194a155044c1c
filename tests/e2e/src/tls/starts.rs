//! How soon a program that nobody has seen before is hooked, and whether its first handshake is
//! caught: `e2e tls --starts N`.
//!
//! Each program is started N times from a copy of its own, so that every start is the first: of files
//! that nobody has met, and of copies of one that was met. The server is on the same machine: nobody's
//! handshake is earlier.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result, ensure};

use super::rows::{PLAIN, START_GO, START_PYTHON, STATIC};
use super::scene;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::tool::Tool;

/// A program that is started from copies.
struct Program {
    name: &'static str,
    needs: &'static str,
    /// Makes `$DIR/original`, a file or a folder.
    prepare: &'static str,
    /// Runs `$COPY`.
    run: &'static str,
}

const NODE: &str = "$COPY -e '
const https = require(\"https\");
https.get(\"https://\" + process.env.AT, {rejectUnauthorized: false}, answer => answer.resume())'";

const PROGRAMS: &[Program] = &[
    Program {
        name: "Go",
        needs: "go",
        prepare: START_GO,
        run: "$COPY $PORT </dev/null",
    },
    Program {
        name: "static OpenSSL",
        needs: "gcc",
        prepare: STATIC,
        run: "$COPY $PORT </dev/null",
    },
    Program {
        name: "node (99 MB)",
        needs: "node",
        prepare: "ln -s $(readlink -f $(command -v node)) $DIR/original",
        run: NODE,
    },
    Program {
        name: "python3, libssl",
        needs: "/usr/bin/python3",
        prepare: START_PYTHON.0,
        run: START_PYTHON.1,
    },
];

/// What was seen of one program's starts.
struct Seen {
    starts: usize,
    /// Of which all secrets were found.
    caught: usize,
    wrong: usize,
    /// Milliseconds from the mapping to the hook, in order.
    delays: Vec<f64>,
}

/// Prints the table. Gives whether there was no wrong secret.
pub fn run(lab: &Lab, filter: &[String], starts: usize) -> Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:24} {:>6} {:>6} | hooked after its start, ms: least, p50, p90, p99",
        "program", "starts", "caught"
    )?;
    let mut is_right = true;
    let both = |program| [(program, false), (program, true)];
    for (program, copies) in PROGRAMS.iter().flat_map(both) {
        if !filter.is_empty()
            && !filter
                .iter()
                .any(|part| program.name.contains(part.as_str()))
        {
            continue;
        }
        if !installed(program.needs) {
            writeln!(
                out,
                "{:24} skipped: {} is missing",
                program.name, program.needs
            )?;
            continue;
        }
        let seen = play(lab, program, copies, starts)?;
        is_right &= seen.wrong == 0;
        let delay = |share: usize| {
            let last = seen.delays.len().saturating_sub(1);
            seen.delays
                .get(last * share / 100)
                .copied()
                .unwrap_or(f64::NAN)
        };
        write!(
            out,
            "{:24} {:6} {:6} |",
            format!("{}{}", program.name, if copies { ", a copy" } else { "" }),
            seen.starts,
            seen.caught
        )?;
        for share in [0, 50, 90, 99] {
            write!(out, " {:7.1}", delay(share))?;
        }
        let wrong = if seen.wrong == 0 {
            ""
        } else {
            "  <-- wrong secrets"
        };
        writeln!(out, "{wrong}")?;
    }
    Ok(is_right)
}

/// Makes the copy a file of its own: as no other is as long, nothing is known of its build.
const STRANGER: &str =
    "for file in $(find $COPY -type f -size +100k); do head -c $NUMBER /dev/zero >> $file; done;";

/// `copies`: of a file that was met, and not of one that is new each time.
fn play(lab: &Lab, program: &Program, copies: bool, starts: usize) -> Result<Seen> {
    let dir = lab.file(&format!("starts-{}", lab.number()));
    fs::create_dir(&dir)?;
    let netns = Netns::new()?;
    scene::shell(&dir, scene::CERTIFICATE, &netns).context("certificate")?;
    scene::shell(&dir, program.prepare, &netns).context("prepare")?;
    let _server = scene::serve(&dir, PLAIN.server, &netns)?;
    let words = format!(
        "-v --keylog-only --write-keylog-file {}",
        dir.join("found.keys").display()
    );
    let mut tool = Tool::start(lab, &netns, &words)?;
    tool.until_said("listening for")?;
    let change = if copies { "" } else { STRANGER };
    // The first is met, and does not count.
    let names = copies.then_some("first".to_owned()).into_iter();
    let names = names.chain((1..=starts).map(|number| format!("copy-{number}")));
    for (number, name) in (1..).zip(names) {
        let script = format!(
            "export COPY=$DIR/{name} NUMBER={number}; cp -rL $DIR/original $COPY; {change} {}; rm -r $COPY",
            program.run
        );
        scene::shell(&dir, &script, &netns).context("a start")?;
    }
    let starts = starts + usize::from(copies);
    let truth = connections(&dir.join(PLAIN.truth))?;
    let found = dir.join("found.keys");
    // What is missing is counted below.
    let _ = until("the secrets are found", PATIENCE / 10, || {
        Ok((scene::key_log(&found)?.len() >= truth.values().sum()).then_some(()))
    });
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    ensure!(
        truth.len() == starts,
        "{} of {starts} connections",
        truth.len()
    );
    let of_server = scene::key_log(&dir.join(PLAIN.truth))?;
    let found = scene::key_log(&found)?;
    let mut of_connection: BTreeMap<String, usize> = BTreeMap::new();
    for line in found.intersection(&of_server) {
        *of_connection.entry(client_random(line)).or_default() += 1;
    }
    let is_caught = |&(random, count): &(&String, &usize)| {
        // Go hands on no EXPORTER_SECRET.
        let found = of_connection.get(random).copied().unwrap_or(0);
        found == *count || program.needs == "go" && found + 1 == *count
    };
    Ok(Seen {
        starts,
        caught: truth.iter().filter(is_caught).count(),
        wrong: found
            .iter()
            .filter(|line| truth.contains_key(&client_random(line)) && !of_server.contains(*line))
            .count(),
        delays: delays(&ended.stderr),
    })
}

/// How many secrets the server's key log has of each connection.
fn connections(path: &std::path::Path) -> Result<BTreeMap<String, usize>> {
    let mut connections = BTreeMap::new();
    for line in scene::key_log(path)? {
        *connections.entry(client_random(&line)).or_default() += 1;
    }
    Ok(connections)
}

fn client_random(line: &str) -> String {
    line.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// What the tool says of the copies.
fn delays(said: &str) -> Vec<f64> {
    let lines = said.lines().filter(|line| line.contains("/copy-"));
    let delays = lines.filter_map(|line| {
        let (_, rest) = line.split_once("hooked ")?;
        rest.split(' ').next()?.parse().ok()
    });
    let mut delays: Vec<f64> = delays.collect();
    delays.sort_by(f64::total_cmp);
    delays
}
