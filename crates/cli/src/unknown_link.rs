//! Files whose packets nobody can show: their link type has neither a printer nor a name.

use anyhow::{Result, bail};
use pktwho_packet::LinkType;

/// The oldest link type that libpcap numbers alike on all systems, and the newest there is.
const KNOWN: std::ops::RangeInclusive<u16> = 104..=LinkType::DECT_NR.0;

/// Refuses to show packets of the file's only link type if nobody knows it.
///
/// # Errors
/// tcpdump's, word for word.
pub fn refuse(mut link_types: impl Iterator<Item = LinkType>) -> Result<()> {
    let Some(first) = link_types.next() else {
        return Ok(());
    };
    let known = KNOWN.contains(&first.0) || pktwho_print::prints(first);
    if known || link_types.any(|other| other != first) {
        return Ok(());
    }
    let (oldest, newest) = (KNOWN.start(), KNOWN.end());
    bail!(
        "unknown data link type {} (min {oldest}, max {newest})",
        first.0
    );
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use super::refuse;

    fn refused(link_types: &[u16]) -> Option<String> {
        let result = refuse(link_types.iter().copied().map(LinkType));
        result.err().map(|error| error.to_string())
    }

    #[test]
    fn of_types_that_nobody_knows() {
        let words = "unknown data link type 2 (min 104, max 301)";
        assert_eq!(refused(&[2]).as_deref(), Some(words));
        assert_eq!(refused(&[2, 2]).as_deref(), Some(words));
        assert!(refused(&[40_000]).is_some());
        for shown in [&[][..], &[1], &[147], &[301], &[2, 1], &[12], &[101]] {
            assert_eq!(refused(shown), None, "{shown:?}");
        }
    }
}
