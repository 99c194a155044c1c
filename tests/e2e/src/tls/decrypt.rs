//! `--decrypt` while capturing: what it shows is what tshark shows of the capture that the same run wrote.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::rows::PLAIN;
use super::scene;
use crate::cases::Outcome;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::tool::Tool;

/// HTTP/1 over TLS 1.3, and over 1.2 with a suite of authenticated encryption and one without.
pub fn openssl(lab: &Lab) -> Result<Outcome> {
    play(
        lab,
        "",
        PLAIN.server,
        "curl -sk https://$AT/one -o /dev/null
         curl -sk --tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256 https://$AT/two -o /dev/null
         curl -sk --tls-max 1.2 --ciphers ECDHE-RSA-AES128-SHA https://$AT/three -o /dev/null",
        &["GET /one", "GET /two", "GET /three", "200", "200", "200"],
        // The server's own page, and a field that has no line.
        &["Ciphers supported in s_server binary", "User-Agent: curl"],
    )
}

/// Of a server that hands on no secret when TLS 1.2 resumes, and of nobody else.
pub fn resumed(lab: &Lab) -> Result<Outcome> {
    if !installed("gnutls-serv") {
        return Ok(Outcome::Skipped("gnutls-serv is missing".into()));
    }
    play(
        lab,
        "--pname gnutls-serv",
        "exec gnutls-serv --http --port $PORT --x509certfile $DIR/cert --x509keyfile $DIR/key",
        "for words in '-sess_out one' '-sess_in one' '-no_ticket -sess_out two' '-no_ticket -sess_in two'; do
           printf 'GET / HTTP/1.0\r\n\r\n' |
             $DIR/client s_client -connect $AT -ign_eof -tls1_2 $words >/dev/null 2>&1
         done",
        &["GET /", "GET /", "GET /", "GET /", "200", "200", "200", "200"],
        &["Session ID"],
    )
}

/// HTTP/2 and HTTP/1 with a server that has several processes.
pub fn nginx(lab: &Lab) -> Result<Outcome> {
    if !installed("nginx") {
        return Ok(Outcome::Skipped("nginx is missing".into()));
    }
    play(
        lab,
        "",
        "echo a secret page > $DIR/page
         cat > $DIR/conf <<END
user root; worker_processes 2; pid $DIR/pid; error_log $DIR/error; events {}
http { access_log off; server { listen $AT ssl http2; root $DIR;
  ssl_certificate $DIR/cert; ssl_certificate_key $DIR/key; } }
END
         exec nginx -p $DIR -c $DIR/conf -g 'daemon off;'",
        "curl -sk --http2 https://$AT/page https://$AT/nothing -o /dev/null -o /dev/null
         curl -sk --http1.1 https://$AT/page -o /dev/null",
        &[
            "GET /page",
            "GET /nothing",
            "200",
            "404",
            "GET /page",
            "200",
        ],
        &["a secret page"],
    )
}

/// `owner`: words that say whose secrets are read.
fn play(
    lab: &Lab,
    owner: &str,
    server: &str,
    client: &str,
    messages: &[&str],
    texts: &[&str],
) -> Result<Outcome> {
    let tshark = std::env::var_os("PKTWHO_TSHARK").unwrap_or_else(|| "tshark".into());
    let tshark = PathBuf::from(tshark);
    for needed in ["openssl", "curl", "tshark"] {
        if !installed(needed) {
            return Ok(Outcome::Skipped(format!("{needed} is missing")));
        }
    }
    let (dir, netns) = set_up(lab)?;
    let _server = scene::serve(&dir, server, &netns)?;
    let capture = dir.join("capture.pcapng");
    let words = format!(
        "-nt -i lo -l --print -w {} --embed-keylog-to-pcapng --decrypt -A {owner} tcp port {}",
        capture.display(),
        scene::PORT
    );
    let tool = Tool::listening(lab, &netns, &words)?;
    scene::shell(&dir, client, &netns).context("client")?;
    let mut expected: Vec<String> = messages.iter().map(|&text| text.to_owned()).collect();
    expected.sort();
    // What is missing is said below.
    let _ = until("all messages are shown", PATIENCE, || {
        Ok((ours(&tool.output()) == expected).then_some(()))
    });
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let shown = ours(&ended.stdout);
    ensure!(shown == expected, "{shown:?}, not {expected:?}");
    let text = String::from_utf8_lossy(&ended.stdout);
    for plain in texts {
        ensure!(text.contains(plain), "-A does not show {plain:?}");
    }
    let theirs = theirs(&tshark, &capture)?;
    ensure!(shown == theirs, "{shown:?}, tshark {theirs:?}");
    Ok(Outcome::Measured(format!("{} messages", shown.len())))
}

/// Reasons are said once for each connection: of one that was there before the capture, and of one
/// whose secrets nobody knows.
pub fn once(lab: &Lab) -> Result<Outcome> {
    if !installed("openssl") {
        return Ok(Outcome::Skipped("openssl is missing".into()));
    }
    let (dir, netns) = set_up(lab)?;
    // One for each: it serves one connection at a time.
    let _old = scene::serve(&dir, &reversing(scene::PORT), &netns)?;
    let port = scene::PORT + 1;
    let _new = scene::serve_at(port, &dir, &reversing(port), &netns)?;
    scene::shell(&dir, &connect("old", scene::PORT), &netns)?;
    fs::write(dir.join("no.keys"), "")?;
    let words = format!(
        "-nt -i lo -l --decrypt --keylog-file {} tcp",
        dir.join("no.keys").display()
    );
    let tool = Tool::listening(lab, &netns, &words)?;
    let mut script = connect("new", port);
    for line in ["one", "two", "three"] {
        for name in ["old", "new"] {
            script += &speak(name, line);
        }
    }
    scene::shell(&dir, &script, &netns).context("client")?;
    let reasons = ["handshake not seen", "key unknown"];
    let said = |output: &[u8], reason: &str| {
        let text = String::from_utf8_lossy(output);
        text.matches(&format!("not decrypted: {reason}")).count()
    };
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    for reason in reasons {
        let count = said(&ended.stdout, reason);
        let text = String::from_utf8_lossy(&ended.stdout);
        ensure!(count == 1, "{reason}: said {count} times: {text}");
    }
    scene::shell(&dir, "kill $(cat $DIR/old.pid $DIR/new.pid)", &netns)?;
    Ok(Outcome::Passed)
}

/// Answers each line with its letters turned round.
fn reversing(port: u16) -> String {
    format!("exec $DIR/server s_server -accept {port} -cert $DIR/cert -key $DIR/key -rev -quiet")
}

/// A client that stays, and sends what comes to a pipe.
fn connect(name: &str, port: u16) -> String {
    let mut script = format!(
        "mkfifo $DIR/{name}.in
         $DIR/client s_client -quiet -connect 127.0.0.1:{port} 0<>$DIR/{name}.in >$DIR/{name}.out 2>/dev/null &
         echo $! > $DIR/{name}.pid\n"
    );
    script += &speak(name, "hello");
    script
}

/// Sends a line and waits for the answer.
fn speak(name: &str, line: &str) -> String {
    let mut script = String::new();
    let turned: String = line.chars().rev().collect();
    let _ = writeln!(
        script,
        "echo {line} > $DIR/{name}.in
         for try in $(seq 200); do ! grep -q {turned} $DIR/{name}.out || break; sleep 0.05; done"
    );
    script
}

fn set_up(lab: &Lab) -> Result<(PathBuf, Netns)> {
    let dir = lab.file(&format!("decrypt-{}", lab.number()));
    fs::create_dir(&dir)?;
    let netns = Netns::new()?;
    scene::shell(&dir, scene::CERTIFICATE, &netns).context("certificate")?;
    Ok((dir, netns))
}

/// Requests and statuses as pktwho shows them, in order: `GET /one`, `200`.
fn ours(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let mut found = Vec::new();
    let mut method = "";
    for line in text.lines() {
        if let Some((before, start)) = line.split_once("HTTP: ")
            && before.starts_with('\t')
        {
            let mut words = start.split(' ');
            let (first, second) = (words.next(), words.next().unwrap_or_default());
            found.push(match first {
                Some(version) if version.starts_with("HTTP/") => second.to_owned(),
                method => format!("{} {second}", method.unwrap_or_default()),
            });
        } else if let Some(rest) = line.strip_prefix("\t  :method: ") {
            method = rest;
        } else if let Some(path) = line.strip_prefix("\t  :path: ") {
            found.push(format!("{method} {path}"));
        } else if let Some(status) = line.strip_prefix("\t  :status: ") {
            found.push(status.to_owned());
        }
    }
    found.sort();
    found
}

/// The same as tshark shows them, with no secrets but those of the capture.
fn theirs(tshark: &Path, capture: &Path) -> Result<Vec<String>> {
    let fields = "http.request.method http.request.uri http.response.code \
                  http2.headers.method http2.headers.path http2.headers.status";
    let mut command = Command::new(tshark);
    command
        .args([
            "-n",
            "-2",
            "-o",
            "tls.keylog_file:",
            "-o",
            "http.desegment_body:FALSE",
        ])
        .arg("-d")
        .arg(format!("tcp.port=={},tls", scene::PORT))
        .args(["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"])
        .args(
            fields
                .split(' ')
                .filter(|name| !name.is_empty())
                .flat_map(|name| ["-e", name]),
        )
        .arg("-r")
        .arg(capture)
        .stdin(Stdio::null());
    let output = command.output().context("cannot run tshark")?;
    ensure!(output.status.success(), "tshark: {}", output.status);
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<Vec<&str>> = line.split('\t').map(|it| it.split('|').collect()).collect();
        let [one, uri, code, two, path, status] = fields.as_slice() else {
            continue;
        };
        let requests = one.iter().zip(uri).chain(two.iter().zip(path));
        // Newer ones name the path beside the answer as well.
        let requests = requests.filter(|(method, _)| !method.is_empty());
        found.extend(requests.map(|(method, path)| format!("{method} {path}")));
        found.extend(code.iter().chain(status).map(|&code| code.to_owned()));
    }
    found.retain(|text| !text.trim().is_empty());
    found.sort();
    Ok(found)
}
