//! What the lines on screen say of containers and pods: `..., Container [web>db], Pod [>api.prod]`.

use crate::seen::Seen;

/// The names that a line gives for both ends; empty where it gives none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Container, pod with its namespace.
    pub sender: (String, String),
    pub receiver: (String, String),
}

impl Shown {
    /// Reads the line of a packet, whose owners tell which end a single name is of.
    pub fn of(line: &str, packet: &Seen) -> Self {
        let has_sender = packet.sender.is_some();
        let (from, to) = pair(line, "Container [", has_sender);
        let (from_pod, to_pod) = pair(line, "Pod [", has_sender);
        Self {
            sender: (from, from_pod),
            receiver: (to, to_pod),
        }
    }
}

/// Both names of one fact.
fn pair(line: &str, word: &str, has_sender: bool) -> (String, String) {
    let found = line
        .rsplit_once(&format!(", {word}"))
        .and_then(|(_, rest)| rest.split_once(']'));
    let Some((names, _)) = found else {
        return Default::default();
    };
    match names.split_once('>') {
        Some((sender, receiver)) => (sender.to_owned(), receiver.to_owned()),
        None if has_sender => (names.to_owned(), String::new()),
        None => (String::new(), names.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn names_of_both_ends() {
        let check = |line: &str, has_sender, expected: (&str, &str)| {
            let found = pair(line, "Container [", has_sender);
            assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{line}");
        };
        check("x, Container [a>b], Pod [c.d>]", true, ("a", "b"));
        check("x, Container [>b]", true, ("", "b"));
        check("x, Container [b]", false, ("", "b"));
        check("x, Container [a]", true, ("a", ""));
        check("x, Pod [a]", true, ("", ""));
    }
}
