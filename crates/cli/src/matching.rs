//! Whether a container or pod that flags name runs when a capture begins, and what is missed
//! of those whose names come late.
//!
//! What runs is known at once, what it is called when the runtimes have answered: nobody waits
//! for that but `--require-match`.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use pktwho_filter::tree::OwnerIs;
use pktwho_owner::Processes;

use crate::plan;
use crate::sink::say;

/// How long the runtimes have for telling what runs.
const TIME: Duration = Duration::from_secs(2);
/// How often it is looked whether they have.
const STEP: Duration = Duration::from_millis(5);

/// What has to match, until it has or has not.
#[derive(Debug)]
pub struct Matching {
    /// Of each list one.
    lists: Vec<Vec<OwnerIs>>,
    is_required: bool,
    end: Instant,
    /// Packets that were not taken since no runtime had told of their container.
    unnamed: u64,
}

impl Matching {
    /// What the plan names.
    pub fn new(plan: &plan::Live) -> Self {
        let lists = [&plan.owners.containers, &plan.owners.pods];
        let lists = lists.into_iter().filter(|list| !list.is_empty());
        Self {
            lists: lists.cloned().collect(),
            is_required: plan.containers.require_match,
            end: Instant::now() + TIME,
            unnamed: 0,
        }
    }

    /// Takes note of a packet that was not taken; `None`: whether it was wanted is not known.
    pub fn doubt(&mut self, taken: Option<bool>) {
        self.unnamed += u64::from(taken.is_none());
    }

    /// Says how many there were.
    pub fn report(&self) {
        let unnamed = self.unnamed;
        if unnamed > 0 {
            say(format_args!(
                "packets not taken since their containers' runtime has not told of them: {unnamed}"
            ));
        }
    }

    /// Waits until it is known, where a match is required.
    ///
    /// # Errors
    /// Nothing matches.
    pub fn wait(&mut self, processes: &mut Processes) -> Result<()> {
        while self.is_required && !self.look(processes)? {
            std::thread::sleep(STEP);
            processes.absorb();
        }
        Ok(())
    }

    /// Looks, and says so when nothing matches; whether that is known.
    ///
    /// # Errors
    /// Nothing matches, and something has to.
    pub fn look(&mut self, processes: &Processes) -> Result<bool> {
        let is_matched = |list: &Vec<OwnerIs>| {
            let mut running = processes.containers();
            running.any(|container| list.iter().any(|is| is.holds_in(container)))
        };
        if self.lists.iter().all(is_matched) {
            self.lists.clear();
            return Ok(true);
        }
        if !processes.runtimes_have_told() && Instant::now() < self.end {
            return Ok(false);
        }
        self.lists.clear();
        if self.is_required {
            bail!("no container or pod that runs matches");
        }
        say(format_args!(
            "pktwho: no container or pod that runs matches: waiting for one that does"
        ));
        Ok(true)
    }
}
