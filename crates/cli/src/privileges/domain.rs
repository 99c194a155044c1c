//! What of the file system a thread reaches (landlock(7), Linux 5.13).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
};

/// The newest rules that we know; older kernels take those that they have.
const NEWEST: ABI = ABI::V5;
/// Where tables lie that are read when they are needed: names, time zones, processes.
const TABLES: [&str; 4] = ["/etc", "/proc", "/sys", "/usr/share/zoneinfo"];

/// The calling thread makes, changes and executes no file from now on, reads the system's tables
/// alone, and opens no TCP connection; nor may it look into other processes (ptrace(2)).
pub fn read_tables() -> Result<String, String> {
    let mut folders: Vec<PathBuf> = TABLES.iter().map(PathBuf::from).collect();
    // It is a link in many systems, to a file that is replaced now and then.
    let resolver = std::fs::canonicalize("/etc/resolv.conf").ok();
    folders.extend(
        resolver
            .as_deref()
            .and_then(|file| file.parent())
            .map(PathBuf::from),
    );
    folders.extend(std::env::var_os("TZDIR").map(PathBuf::from));
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    restrict(&folders, read)
}

/// The calling thread reads files in these folders and no others, makes and executes none, and opens no
/// TCP connection. For a folder that is yet to be made, the one in which that will be counts.
pub fn read_within(folders: &[&str]) -> Result<String, String> {
    let there = |folder: &&str| {
        let mut ways = Path::new(*folder).ancestors();
        ways.find(|it| it.is_dir()).map(Path::to_owned)
    };
    let folders: Vec<PathBuf> = folders.iter().filter_map(there).collect();
    restrict(&folders, AccessFs::ReadFile | AccessFs::ReadDir)
}

/// The calling thread opens files in these folders alone.
pub fn write_within(folders: &[PathBuf]) -> Result<String, String> {
    restrict(folders, AccessFs::from_all(NEWEST))
}

fn restrict(folders: &[PathBuf], access: landlock::BitFlags<AccessFs>) -> Result<String, String> {
    let restricted = || -> Result<_, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .create()?;
        for folder in folders {
            // What is not there needs no rule.
            if let Ok(folder) = PathFd::new(folder) {
                rules = rules.add_rule(PathBeneath::new(folder, access))?;
            }
        }
        rules.restrict_self()
    };
    let status = restricted().map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("the kernel does not offer it".to_owned()),
        RulesetStatus::PartiallyEnforced => Ok("in part".to_owned()),
        RulesetStatus::FullyEnforced => Ok("in full".to_owned()),
    }
}
