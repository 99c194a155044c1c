//! What it adds to a handshake that its secrets are read: programs that shake hands with themselves in
//! memory, each end's time apart, with and without the tool in alternation.
//!
//! The program stays the same process throughout, and nothing of a network is measured. A handshake
//! counts as watched only when the tool says so: the secrets that it reports are counted.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Bars;
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::tls::scene;
use crate::tool::Tool;

/// What an end may take longer (microseconds).
const WANTED: f64 = 20.0;
/// Handshakes in a row, of which the middle one counts; their secrets find room however late they are read.
const BATCH: usize = 100;
/// The tool has found all that there is when it has done nothing for so long.
const QUIET: Duration = Duration::from_millis(100);
/// As the programs are told, and as people say.
const VERSIONS: [(&str, &str); 2] = [("12", "1.2"), ("13", "1.3")];

/// A program that shakes hands with itself.
struct Library {
    name: &'static str,
    /// Programs and files without which it is skipped.
    needs: &'static [&'static str],
    /// Makes `$DIR/handshakes`.
    build: &'static str,
}

/// A source in the programs' folder, and what compiles it.
macro_rules! program {
    ($source:literal, $compile:literal) => {
        concat!(
            "cat > $DIR/",
            $source,
            " <<'END'\n",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/programs/", $source)),
            "END\n",
            $compile
        )
    };
}

const LIBRARIES: &[Library] = &[
    Library {
        name: "OpenSSL",
        needs: &["gcc", "/usr/include/openssl/ssl.h"],
        build: program!(
            "handshakes_openssl.c",
            "gcc -O2 -o $DIR/handshakes $DIR/handshakes_openssl.c -lssl -lcrypto"
        ),
    },
    Library {
        name: "BoringSSL",
        needs: &["gcc", "/usr/include/android/openssl/ssl.h"],
        build: program!(
            "handshakes_openssl.c",
            "FOLDER=$(dirname $(ls /usr/lib/*-linux-gnu/android/libssl.so | head -n 1))
             gcc -O2 -I/usr/include/android -o $DIR/handshakes $DIR/handshakes_openssl.c \
               -L$FOLDER -Wl,-rpath,$FOLDER -lssl -lcrypto"
        ),
    },
    Library {
        name: "GnuTLS",
        needs: &["gcc", "/usr/include/gnutls/gnutls.h"],
        build: program!(
            "handshakes_gnutls.c",
            "gcc -O2 -o $DIR/handshakes $DIR/handshakes_gnutls.c -lgnutls"
        ),
    },
    Library {
        name: "Go",
        needs: &["go"],
        build: program!(
            "handshakes.go",
            "export HOME=$DIR GOCACHE=${GOCACHE:-/var/tmp/pktwho-go-cache} GO111MODULE=off
             go build -o $DIR/handshakes $DIR/handshakes.go"
        ),
    },
];

/// A running program.
struct Hands {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Microseconds of the middle handshake of some, at the client and at the server.
type Times = [f64; 2];

/// What was seen of a library and a version.
#[derive(Default)]
struct Seen {
    /// Client and server.
    ends: [End; 2],
    /// Of each handshake; either end hands on each of them.
    secrets: usize,
}

/// Microseconds of the middle handshake, round by round.
#[derive(Default)]
struct End {
    /// Without the tool.
    plain: Vec<f64>,
    /// What it took longer with it.
    added: Vec<f64>,
}

/// Runs the bench and prints its table. Gives whether every bar was met.
///
/// # Errors
/// When a program or the tool does not run, or handshakes are not seen.
pub fn run(lab: &Lab, rounds: usize, filter: &[String]) -> Result<bool> {
    let mut out = io::stdout().lock();
    let load = fs::read_to_string("/proc/loadavg")?;
    writeln!(
        out,
        "load {}; {rounds} rounds of {BATCH} handshakes with and without, each end's time in its library in us",
        load.trim()
    )?;
    writeln!(
        out,
        "{:14} {:>7} | {:>7} {:>7} {:>16} | {:>7} {:>7} {:>16}",
        "handshake", "secrets", "client", "added", "(quartiles)", "server", "added", "(quartiles)"
    )?;
    let mut bars = Bars::default();
    let is_named = |library: &&Library| {
        let named = |part: &String| library.name.contains(part.as_str());
        filter.is_empty() || filter.iter().any(named)
    };
    for library in LIBRARIES.iter().filter(is_named) {
        match library.needs.iter().find(|needed| !installed(needed)) {
            Some(missing) => {
                writeln!(out, "{:14} skipped: {missing} is missing", library.name)?;
            }
            None => library.play(&mut out, lab, rounds, &mut bars)?,
        }
    }
    for verdict in &bars.verdicts {
        writeln!(out, "{verdict}")?;
    }
    ensure!(!bars.verdicts.is_empty(), "no library is here");
    Ok(!bars.missed)
}

/// Of elliptic curves: quick, so that little else is measured.
const CERTIFICATE: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
     -keyout $DIR/key -out $DIR/cert -days 2 -subj /CN=localhost";

impl Library {
    fn play(&self, out: &mut impl Write, lab: &Lab, rounds: usize, bars: &mut Bars) -> Result<()> {
        let dir = lab.file(&format!("handshakes-{}", self.name));
        fs::create_dir(&dir)?;
        let netns = Netns::new()?;
        scene::shell(&dir, CERTIFICATE, &netns).context("certificate")?;
        scene::shell(&dir, self.build, &netns).context(self.name)?;
        let mut hands = Hands::start(&dir)?;
        for (version, shown) in VERSIONS {
            // What is done once is done.
            hands.shake(version, BATCH)?;
            let mut seen = Seen::default();
            for round in 0..rounds {
                seen.round(lab, &netns, &dir, &mut hands, version, round % 2 == 1)?;
            }
            let name = format!("{} {shown}", self.name);
            seen.show(out, &name)?;
            seen.judge(bars, &name)?;
        }
        Ok(())
    }
}

impl Seen {
    /// A batch with the tool and one without, in either order.
    fn round(
        &mut self,
        lab: &Lab,
        netns: &Netns,
        dir: &Path,
        hands: &mut Hands,
        version: &str,
        watched_first: bool,
    ) -> Result<()> {
        let mut plain = None;
        if !watched_first {
            plain = Some(hands.shake(version, BATCH)?);
        }
        let keys = dir.join("found.keys");
        let words = format!(
            "--keylog-only --write-keylog-file {} --pid {}",
            keys.display(),
            hands.child.id()
        );
        let mut tool = Tool::start(lab, netns, &words)?;
        tool.until_said("listening for")?;
        // It looks for more to hook, and what that costs is no handshake's.
        tool.until_idle(QUIET)?;
        let watched = hands.shake(version, BATCH)?;
        let ended = tool.stop()?;
        ended.expect_status(0)?;
        let found = scene::key_log(&keys)?.len();
        fs::remove_file(&keys)?;
        ensure!(
            found > 0 && found.is_multiple_of(BATCH) && [0, found / BATCH].contains(&self.secrets),
            "{found} secrets of {BATCH} handshakes: {}",
            ended.stderr.trim()
        );
        self.secrets = found / BATCH;
        let plain = match plain {
            Some(plain) => plain,
            None => hands.shake(version, BATCH)?,
        };
        for (end, (plain, watched)) in self.ends.iter_mut().zip(plain.into_iter().zip(watched)) {
            end.plain.push(plain);
            end.added.push(watched - plain);
        }
        Ok(())
    }

    fn show(&mut self, out: &mut impl Write, name: &str) -> Result<()> {
        write!(out, "{name:14} {:7}", self.secrets)?;
        for End { plain, added } in &mut self.ends {
            let quartiles = format!("({:.1} to {:.1})", share(added, 1)?, share(added, 3)?);
            let (plain, added) = (share(plain, 2)?, share(added, 2)?);
            write!(out, " | {plain:7.0} {added:+7.1} {quartiles:>16}")?;
        }
        writeln!(out)?;
        Ok(())
    }

    fn judge(&mut self, bars: &mut Bars, name: &str) -> Result<()> {
        for (end, what) in self.ends.iter_mut().zip(["client", "server"]) {
            let added = share(&mut end.added, 2)?;
            let text = format!("{name}: {added:+.1} us at the {what} (wanted: less than {WANTED})");
            bars.bar(added < WANTED, &text);
        }
        Ok(())
    }
}

/// Of some figures that of which so many quarters are less; sorts.
fn share(figures: &mut [f64], quarters: usize) -> Result<f64> {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    figures
        .get(last * quarters / 4)
        .copied()
        .context("no rounds")
}

impl Hands {
    fn start(dir: &Path) -> Result<Self> {
        let mut child = Command::new(dir.join("handshakes"))
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self {
            orders: child.stdin.take().context("no standard input")?,
            answers: BufReader::new(child.stdout.take().context("no standard output")?),
            child,
        })
    }

    /// Shakes hands so often.
    fn shake(&mut self, version: &str, count: usize) -> Result<Times> {
        writeln!(self.orders, "{version} {count}")?;
        let mut ends = [Vec::new(), Vec::new()];
        for line in self.answers.by_ref().lines() {
            let line = line?;
            if line == "end" {
                break;
            }
            for (end, word) in ends.iter_mut().zip(line.split(' ')) {
                end.push(word.parse::<f64>().context("no number")? / 1000.0);
            }
        }
        let [client, server] = &mut ends;
        ensure!(server.len() == count, "{} handshakes", server.len());
        Ok([share(client, 2)?, share(server, 2)?])
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
