//! Which program a kernel has refused, and why, of what libbpf says about it.
//!
//! An error of libbpf is a number. What tells more are its messages: the program's name, and what the
//! verifier said, which is read by people and not made for us. So it decides nothing but this: whether
//! the kernel lacks what the program asks for by name, as older ones do, or refuses it for something
//! else, which is to be told.
//!
//! Source: `kernel/bpf/verifier.c` for what it says of functions that there are not.

use std::cell::RefCell;
use std::fmt;

use libbpf_rs::{PrintLevel, set_print};

/// A program that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub program: String,
    /// The verifier's or libbpf's words.
    pub why: String,
}

/// How the words begin, or what is in them, where something is not there at all.
const LACKS: &[&str] = &[
    // A helper is not known (5.10: its number is not), or not to programs of this type.
    "invalid func ",
    "unknown func ",
    "cannot use helper ",
    // A kernel function, a kind of map, a hook.
    "calling kernel function ",
    "cannot pass map_type ",
    "failed to find kernel BTF type ID",
];

/// So much is kept of what the verifier said last.
const WORDS_MAX: usize = 160;

impl Refusal {
    /// Whether the kernel has not what the program asks for: an older one, which weaker programs are
    /// made for.
    pub fn is_lack(&self) -> bool {
        LACKS.iter().any(|lack| self.why.contains(lack))
    }

    /// Takes in a message; the first program of which something is said is the one.
    fn hear(known: &mut Option<Self>, message: &str) {
        let Some((name, said)) = message
            .strip_prefix("libbpf: prog '")
            .and_then(|rest| rest.split_once("': "))
        else {
            return;
        };
        let known = known.get_or_insert_with(|| Self {
            program: name.to_owned(),
            why: String::new(),
        });
        if known.program != name {
            return;
        }
        // The verifier's words are worth more than the number that comes before and after them.
        let has_log = said.contains(LOG_BEGINS);
        if known.why.is_empty() || has_log {
            let word = if has_log {
                last_word(said)
            } else {
                said.trim()
            };
            known.why = word.chars().take(WORDS_MAX).collect();
        }
    }
}

const LOG_BEGINS: &str = "-- BEGIN PROG LOAD LOG --";
const LOG_ENDS: &str = "-- END PROG LOAD LOG --";
/// Lines of figures, which come last.
const FIGURES: &[&str] = &["processed ", "verification time ", "stack depth "];

/// What the verifier ended with.
fn last_word(log: &str) -> &str {
    let log = log.split(LOG_ENDS).next().unwrap_or(log);
    let lines = log.lines().rev().map(str::trim);
    let mut words = lines.filter(|line| {
        !line.is_empty() && !FIGURES.iter().any(|figures| line.starts_with(figures))
    });
    words.next().unwrap_or_default()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.program, self.why)
    }
}

thread_local! {
    /// What libbpf has said on this thread.
    static HEARD: RefCell<Option<Refusal>> = const { RefCell::new(None) };
}

#[expect(clippy::needless_pass_by_value, reason = "libbpf-rs wants this type")]
fn hear(_: PrintLevel, message: String) {
    HEARD.with_borrow_mut(|heard| Refusal::hear(heard, &message));
}

/// Does something that loads programs; what it gives, and the first program that was refused.
pub fn listen<T>(load: impl FnOnce() -> T) -> (T, Option<Refusal>) {
    HEARD.take();
    // Only what goes wrong is said at this level, so that it costs nothing when all goes well.
    set_print(Some((PrintLevel::Warn, hear)));
    let result = load();
    set_print(None);
    (result, HEARD.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(messages: &[&str]) -> Option<Refusal> {
        let mut known = None;
        for message in messages {
            Refusal::hear(&mut known, message);
        }
        known
    }

    #[track_caller]
    fn check(messages: &[&str], expected: &str, is_lack: bool) {
        let refusal = heard(messages).unwrap();
        assert_eq!(refusal.to_string(), expected);
        assert_eq!(refusal.is_lack(), is_lack, "{refusal}");
    }

    #[test]
    fn what_a_kernel_lacks_is_none_of_our_faults() {
        let log = "libbpf: prog 'egress': -- BEGIN PROG LOAD LOG --\n\
             0: R1=ctx() R10=fp0\n; task = bpf_get_current_task_btf(); @ sends.bpf.c:12\n\
             7: (85) call bpf_get_current_task_btf#158\n";
        let end = "processed 8 insns (limit 1000000) max_states_per_insn 0 total_states 0\n\
             -- END PROG LOAD LOG --\n";
        let number = "libbpf: prog 'egress': BPF program load failed: Invalid argument\n";
        for word in [
            "invalid func unknown#158",
            "unknown func bpf_get_current_task_btf#158",
            "program of this type cannot use helper bpf_get_current_task_btf#158",
        ] {
            let log = format!("{log}{word}\n{end}");
            check(&[number, &log], &format!("egress: {word}"), true);
        }
        let no_hook = "failed to find kernel BTF type ID of 'sock_recv_length': -ESRCH";
        let message = format!("libbpf: prog 'sock_recv_length': {no_hook}\n");
        let again = "libbpf: prog 'sock_recv_length': failed to prepare load attributes: -ESRCH\n";
        check(
            &[&message, again],
            &format!("sock_recv_length: {no_hook}"),
            true,
        );
    }

    #[test]
    fn what_else_a_verifier_refuses_is_told() {
        let log = "libbpf: prog 'sent_raw': -- BEGIN PROG LOAD LOG --\n0: R1=ctx()\n\
             BPF program is too large. Processed 1000001 insn\n\
             processed 1000001 insns (limit 1000000) max_states_per_insn 4 total_states 20\n\
             -- END PROG LOAD LOG --\n";
        let messages = [
            "libbpf: prog 'sent_raw': BPF program load failed: Argument list too long\n",
            log,
            "libbpf: prog 'sent_raw': failed to load: -E2BIG\n",
            "libbpf: failed to load object 'pktwho'\n",
        ];
        let expected = "sent_raw: BPF program is too large. Processed 1000001 insn";
        check(&messages, expected, false);
        // Without a log the number alone is known.
        check(&messages[2..3], "sent_raw: failed to load: -E2BIG", false);
        // Nothing of a program: a map, say, that is too large.
        assert_eq!(
            heard(&["libbpf: map 'rings': failed to create: -E2BIG\n"]),
            None
        );
    }

    #[test]
    fn words_have_a_bound() {
        let message = format!("libbpf: prog 'x': {}", "y".repeat(10_000));
        assert_eq!(heard(&[&message]).unwrap().why.len(), WORDS_MAX);
    }
}
