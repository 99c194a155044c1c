//! `demo`: a small HTTP exchange on loopback, captured live, so that a newcomer sees within
//! minutes what the tool is for. Ends by itself.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Outcome, setup, shell};

const PACKETS: &str = "20";

/// Builds the tool, serves HTTP here, has curl ask, and shows what pktwho sees of it.
pub fn run(_: &[String]) -> Outcome {
    setup::run(&[])?;
    let tool = build()?;
    if !shell::is_root() {
        return Err(format!(
            "built; capturing needs root:\n  sudo env PATH=\"$PATH\" cargo xtask demo\n\
             or look at a page of your own:\n  sudo {} -i any -- curl -s http://example.com",
            tool.display()
        ));
    }
    // On 8080 the lines show what HTTP says; any other port does when that is taken.
    let listener = TcpListener::bind("127.0.0.1:8080")
        .or_else(|_| TcpListener::bind("127.0.0.1:0"))
        .map_err(|error| format!("cannot listen: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    eprintln!("\nAn HTTP server (this xtask) and curl talk on {address}:\n");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| serve(&listener, &done));
        scope.spawn(|| ask(address, &done));
        let outcome = shell::run(&mut shell::command(
            tool,
            &["-i", "lo", "-n", "-c", PACKETS],
        ));
        done.store(true, Ordering::Relaxed);
        // Wakes the server, which waits for its next client.
        let _ = TcpStream::connect(address);
        outcome
    })
}

/// The tool, for this machine.
///
/// # Errors
/// It does not build.
pub fn build() -> Result<PathBuf, String> {
    let build = ["build", "--release", "--package", "pktwho"];
    shell::run(&mut shell::command(shell::cargo(), &build))?;
    Ok(shell::target().join("release/pktwho"))
}

/// Answers every request with one line.
fn serve(listener: &TcpListener, done: &AtomicBool) {
    for client in listener.incoming() {
        if done.load(Ordering::Relaxed) {
            return;
        }
        let Ok(mut client) = client else { continue };
        let _ = client.set_read_timeout(Some(Duration::from_secs(1)));
        let _ = client.read(&mut [0; 4096]);
        let answer = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
        let _ = client.write_all(answer.as_bytes());
    }
}

/// Asks again and again until the capture has enough.
fn ask(address: SocketAddr, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let url = format!("http://{address}/hello");
        let asked = Command::new("curl")
            .args(["--silent", "--output", "/dev/null", &url])
            .status();
        if asked.is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(200));
    }
}
