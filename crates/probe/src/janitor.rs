//! Puts right what the kernel would keep when the capturing process is killed: clsact filters, and
//! [short grace periods](crate::grace).
//!
//! The kernel keeps a clsact filter until somebody removes it. So a small process of our own
//! binary holds the other end of a pipe and a list of what is attached; when the pipe closes,
//! however that came about, it removes what is left and ends. It holds on
//! to no network namespace, but finds them again. With tcx it is there for grace periods alone, where many
//! devices are captured on: it is who shortens them.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::attach::ClsactFilters;
use crate::grace::{self, Haste};
use crate::netns::{self, Netns};

/// `argv[0]` by which the binary knows that it is to be the janitor: see [`run`].
pub const NAME: &str = "pktwho-janitor";

/// Orders about grace periods.
const HASTE: &str = "haste";
const NO_HASTE: &str = "no haste";

/// How often a way is searched for to what is kept, while those that are found are gone when they are taken.
const SEARCHES: usize = 5;

#[derive(Debug)]
pub(crate) struct Janitor {
    child: Child,
    orders: Option<ChildStdin>,
}

impl Janitor {
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .arg0(NAME)
            .stdin(Stdio::piped())
            // It gives up root before it could open it.
            .stdout(grace::switch().map_or_else(Stdio::null, Stdio::from))
            .stderr(Stdio::null())
            // Out of reach of the terminal's signals.
            .process_group(0)
            .spawn()?;
        let orders = child.stdin.take();
        Ok(Self { child, orders })
    }

    /// Must be told before the filters could be orphaned; replaces what it knew of the device.
    pub(crate) fn remember(&mut self, filters: &ClsactFilters) -> io::Result<()> {
        let mut line = place(filters);
        let _ = write!(line, " {}", u8::from(filters.ours));
        for (egress, handle) in &filters.filters {
            // A String takes everything.
            let _ = write!(line, " {} {handle}", u8::from(*egress));
        }
        // Other namespaces than ours have a path; without one it would be taken for ours.
        let way = filters.netns.way().to_string_lossy();
        if !filters.netns.is_own() {
            let _ = write!(line, " /{}", way.replace('\n', "/"));
        }
        line.push('\n');
        self.order(&line)
    }

    pub(crate) fn forget(&mut self, filters: &ClsactFilters) {
        // A janitor that is gone has nothing to forget.
        let _ = self.order(&format!("{}\n", place(filters)));
    }

    /// Grace periods are short from soon after until soon after. It is not waited for.
    pub(crate) fn hasten(&mut self, is_begun: bool) {
        let word = if is_begun { HASTE } else { NO_HASTE };
        // Without a janitor they take their time.
        let _ = self.order(&format!("{word}\n"));
    }

    fn order(&mut self, line: &str) -> io::Result<()> {
        self.orders
            .as_mut()
            .map_or(Ok(()), |pipe| pipe.write_all(line.as_bytes()))
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}

/// What the binary does when it is called [`NAME`], standard output the switch of grace periods: reads
/// orders until the pipe closes, then puts right what is left.
pub fn run() {
    let mut known: Vec<ClsactFilters> = Vec::new();
    let mut haste = Haste::default();
    let switch = rustix::stdio::stdout();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match line.as_str() {
            HASTE => haste.begin(switch),
            NO_HASTE => haste.end(switch),
            _ => {}
        }
        let Some(filters) = parse(&line) else {
            continue;
        };
        known.retain(|other| place(other) != place(&filters));
        if !filters.filters.is_empty() {
            known.push(filters);
        }
    }
    haste.end(switch);
    known.retain(|filters| filters.remove().is_err());
    // With a namespace that is gone everything is gone; but one in which nobody is may be kept all the same.
    for _ in 0..SEARCHES {
        if known.is_empty() {
            return;
        }
        let wanted = known.iter().map(|filters| filters.netns.id()).collect();
        let kept = netns::kept(&wanted);
        known.retain(|filters| {
            let ways = kept.get(&filters.netns.id());
            ways.is_some_and(|ways| {
                let netns = filters.netns.clone().by_ways(ways.clone());
                let filters = filters.clone();
                ClsactFilters { netns, ..filters }.remove().is_err()
            })
        });
    }
}

/// What tells devices apart: namespace and index.
fn place(filters: &ClsactFilters) -> String {
    format!("{} {}", filters.netns.id().0, filters.ifindex)
}

/// `NETNS IFINDEX OURS [EGRESS HANDLE]...`, then ` /` and a path when the namespace is not ours.
pub(crate) fn parse(line: &str) -> Option<ClsactFilters> {
    let (line, way) = line.split_once(" /").unwrap_or((line, ""));
    let mut words = line.split(' ');
    let netns = Netns::told(words.next()?.parse().ok()?, way);
    let ifindex = words.next()?.parse().ok()?;
    let ours = words.next() == Some("1");
    let mut filters = Vec::new();
    while let (Some(egress), Some(handle)) = (words.next(), words.next()) {
        filters.push((egress == "1", handle.parse().ok()?));
    }
    Some(ClsactFilters {
        netns,
        ifindex,
        ours,
        filters,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{parse, place};

    #[test]
    fn orders_are_read_back() {
        let filters = parse("9 7 1 0 1 1 2").unwrap();
        assert_eq!((filters.ifindex, filters.ours), (7, true));
        assert_eq!(filters.filters, [(false, 1), (true, 2)]);
        assert!(filters.netns.is_own());
        assert!(parse("9 7").unwrap().filters.is_empty());
        assert!(parse("x 1").is_none());
        let other = parse("9 7 1 0 1 //proc/1/ns/net").unwrap();
        assert_eq!((other.netns.id().0, other.netns.is_own()), (9, false));
        assert_eq!(other.netns.way(), Path::new("/proc/1/ns/net"));
        assert_ne!(place(&other), place(&parse("8 7").unwrap()));
    }
}
