//! How the program ends when something went wrong.

use std::fmt::{self, Display};
use std::io;

use crate::filter::Refused;

/// A message with advice, shown on a line of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Hinted {
    pub message: String,
    pub hint: &'static str,
}

impl Hinted {
    pub fn new(message: impl Into<String>, hint: &'static str) -> Self {
        let message = message.into();
        Self { message, hint }
    }
}

/// An I/O error that reads as strerror(3) words it, without Rust's number behind.
#[derive(Debug)]
pub struct Worded(io::Error);

impl Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let end = text.find(" (os error ").unwrap_or(text.len());
        f.write_str(text.get(..end).unwrap_or(&text))
    }
}

impl std::error::Error for Worded {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        None
    }
}

/// The same error, to be shown as C programs show it.
pub fn worded(error: io::Error) -> Worded {
    Worded(error)
}

/// The kind of I/O error at the bottom of this, if that is what it is.
fn io_kind(error: &anyhow::Error) -> Option<io::ErrorKind> {
    error.chain().find_map(|cause| {
        if let Some(Worded(io)) = cause.downcast_ref() {
            return Some(io.kind());
        }
        if let Some(pktwho_capfile::Error::Io(io)) = cause.downcast_ref() {
            return Some(io.kind());
        }
        Some(cause.downcast_ref::<io::Error>()?.kind())
    })
}

/// Whether the reader of our output went away; that is no failure of ours.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    io_kind(error) == Some(io::ErrorKind::BrokenPipe)
}

/// The lines to show, the program's name in front.
pub fn message(error: &anyhow::Error) -> String {
    let mut text = format!("pktwho: {error:#}\n");
    if let Some(refused) = error.downcast_ref::<Refused>() {
        text.push_str(&refused.caret);
    }
    if let Some(hinted) = error.downcast_ref::<Hinted>() {
        text.push_str("hint: ");
        text.push_str(hinted.hint);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn messages_read_like_those_of_c_programs() {
        let missing = io::Error::from_raw_os_error(2);
        let error = Err::<(), _>(worded(missing)).context("x").unwrap_err();
        assert_eq!(message(&error), "pktwho: x: No such file or directory\n");
        let hinted = anyhow::Error::new(Hinted::new("no", "try yes")).context("cannot do");
        assert_eq!(message(&hinted), "pktwho: cannot do: no\nhint: try yes\n");
    }

    #[test]
    fn a_broken_pipe_is_known_wherever_it_comes_from() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        let file = pktwho_capfile::Error::Io(pipe());
        assert!(is_broken_pipe(&anyhow::Error::new(pipe()).context("a")));
        assert!(is_broken_pipe(&anyhow::Error::new(worded(pipe()))));
        assert!(is_broken_pipe(&anyhow::Error::new(file).context("b")));
        assert!(!is_broken_pipe(&anyhow::Error::msg("other")));
    }
}
