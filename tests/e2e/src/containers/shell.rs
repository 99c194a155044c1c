//! `e2e lab`: all runtimes, for a person or a program to play with, until it has ended.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::lab::Lab;

/// Starts the runtimes, then the command, or a shell, or waits for the end of the input; where
/// the host of the containers is. Gives whether the command was successful.
pub fn run(lab: &Lab, words: &[String]) -> Result<bool> {
    let runtimes = &lab.runtimes;
    let (host, _) = runtimes.host(lab)?;
    let mut variables = Vec::new();
    let mut add = |name: &'static str, socket: Result<String, super::Lacking>| match socket {
        Ok(socket) => {
            eprintln!("{name}={socket}");
            variables.push((name, socket));
        }
        Err(why) => eprintln!("skipped {name}: {why}"),
    };
    let unix = |socket: &str| format!("unix://{socket}");
    let docker = runtimes.docker(lab);
    add("DOCKER_HOST", docker.map(|docker| unix(&docker.socket)));
    let podman = runtimes.podman(lab);
    add("CONTAINER_HOST", podman.map(|podman| unix(&podman.socket)));
    let cri = runtimes.cri(lab);
    add("CONTAINERD_ADDRESS", cri.map(|cri| cri.socket.clone()));
    let own = std::env::var("SHELL").unwrap_or_else(|_| "sh".into());
    let (program, words) = match words {
        [program, words @ ..] => (program, words),
        [] if std::io::stdin().is_terminal() => (&own, &[][..]),
        [] => {
            eprintln!("the end of the input ends it");
            std::io::stdout().flush()?;
            std::io::stdin().read_to_end(&mut Vec::new())?;
            return Ok(true);
        }
    };
    let mut command = host.command(program);
    command.args(words).envs(variables).stdin(Stdio::inherit());
    Ok(command.status().context("cannot run nsenter")?.success())
}
