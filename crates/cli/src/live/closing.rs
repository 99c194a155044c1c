//! The counts with which a capture ends, and those that SIGUSR1 asks for.
//!
//! `compat:` texts and their order are those of tcpdump 4.99.3. What devices have dropped is told
//! when there is something.

use pktwho_probe::Counts;

use super::plural;

/// All counts, `between` each and the next. `refused`: of those received, the packets that user space
/// has refused.
pub fn line(captured: u64, refused: u64, counts: &Counts, between: &str) -> String {
    let dropped = counts.dropped_by_iface.iter().flatten();
    let dropped = dropped.copied().fold(0, u64::saturating_add);
    let all = [
        (captured, "captured"),
        (
            counts.received.saturating_sub(refused),
            "received by filter",
        ),
        (counts.lost.packets(), "dropped by kernel"),
        (dropped, "dropped by interface"),
    ];
    let told = all.iter().enumerate();
    let told = told.filter(|&(place, &(count, _))| place < 3 || count > 0);
    let told = told.map(|(_, &(count, what))| format!("{count} packet{} {what}", plural(count)));
    told.collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_tcpdump_says_it() {
        let mut counts = Counts {
            received: 5,
            dropped_by_iface: vec![None, Some(0)],
            ..Counts::default()
        };
        let none = "1 packet captured\n3 packets received by filter\n0 packets dropped by kernel";
        assert_eq!(line(1, 2, &counts, "\n"), none);
        counts.dropped_by_iface = vec![Some(1), None, Some(0)];
        let one = "3 packets received by filter, 0 packets dropped by kernel, \
                   1 packet dropped by interface";
        assert!(line(1, 2, &counts, ", ").ends_with(one));
        counts.dropped_by_iface.push(Some(u64::MAX - 1));
        counts.dropped_by_iface.push(Some(9));
        counts.lost.ring_full = 1;
        let many = format!(
            "1 packet dropped by kernel\n{} packets dropped by interface",
            u64::MAX
        );
        assert!(line(1, 2, &counts, "\n").ends_with(&many));
    }
}
