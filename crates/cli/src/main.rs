//! pktwho: shows and stores packets, and who sent and who receives them.
//!
//! A command line becomes [`args::Args`] (what was typed), then a [`plan::Plan`] (what will
//! be done), and is carried out by [`offline`] or by the live capture, which hand packets to
//! one [`sink::Sink`]. Data goes to standard output, words to standard error.

#![forbid(unsafe_code)]

mod ahead;
mod apple;
mod args;
mod child;
mod decrypt;
mod devices;
mod doctor;
mod failure;
mod filter;
mod flags;
mod getopt;
mod input;
mod live;
mod matching;
mod names;
mod offline;
mod output_file;
mod output_files;
mod ownership;
mod plan;
mod postrotate;
mod privileges;
mod program;
mod reduced;
mod resolved;
mod rotation;
mod secrets;
mod select;
mod signals;
mod sink;
mod sources;
mod text;
mod tls_probe;
mod unknown_link;
mod wanted;
mod window;

use std::process::ExitCode;

use anyhow::Result;

use args::Show;
use flags::Refusal;
use plan::Plan;
use text::Text;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    match words.next() {
        Some(name) if name == child::NAME => {
            return child::become_command(&words.collect::<Vec<_>>());
        }
        Some(name) if name == pktwho_probe::janitor::NAME => {
            privileges::begin_janitor();
            pktwho_probe::janitor::run();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    match words.next() {
        Some(word) if word == tls_probe::WORD => {
            return ended(tls_probe::run(&words.collect::<Vec<_>>()));
        }
        Some(word) if word == doctor::WORD => {
            return ended(doctor::run(&words.collect::<Vec<_>>()));
        }
        _ => {}
    }
    let args = match flags::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(refusal) => {
            eprint!("{}", refused(&refusal));
            return ExitCode::FAILURE;
        }
    };
    ended(Plan::new(args).and_then(carry_out))
}

/// The exit status, once an error has been said.
fn ended(result: Result<ExitCode>) -> ExitCode {
    match result {
        Ok(status) => status,
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", failure::message(&error));
            match error.downcast_ref::<child::NotFound>() {
                Some(_) => ExitCode::from(child::NOT_FOUND),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn carry_out(plan: Plan) -> Result<ExitCode> {
    if let Plan::Live(plan::Live {
        kernel_btf: Some(file),
        ..
    }) = &plan
    {
        pktwho_probe::name_kernel_types(file).map_err(live::worded)?;
    }
    match plan {
        Plan::Show(show) => put(&shown(show))?,
        Plan::Read(read) => offline::run(read)?,
        Plan::Devices(netns, runtimes) => put(&devices::list(&netns, &runtimes)?)?,
        // compat: tcpdump puts these on standard error, and its list of devices not (4.99.3).
        Plan::LinkTypes(device) => eprint!("{}", program::link_types(&device)?),
        Plan::Program(plan) => put(&program::show(&plan)?)?,
        Plan::Live(live) if live.output.key_log.only => return secrets::run(&live),
        Plan::Live(live) => return live::run(&live),
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(show: Show) -> String {
    match show {
        Show::Usage => flags::version() + &flags::usage(),
        Show::Help => flags::version() + &flags::help(),
        Show::Manual => flags::man(),
        Show::Completions(shell) => flags::completions(shell),
        Show::Version => flags::version(),
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Usage(what) => {
            let (version, usage) = (flags::version(), flags::usage());
            format!("pktwho: {what}\n{version}{usage}")
        }
        Refusal::Value(what) => format!("pktwho: {what}\n"),
    }
}

/// Puts a text on standard output.
fn put(words: &str) -> Result<()> {
    let mut text = Text::stdout(false)?;
    text.buffer.extend_from_slice(words.as_bytes());
    text.flush()
}
