//! Whose packet it is: the words around tcpdump's line.
//!
//! Without `-v` the owner stands in the line itself: `eth0 curl.4321 Out IP …, ParentProc
//! [bash.45198]`. With two ends known, what is behind the line is said of both, in the order of those in
//! front of it: `lo curl.7>nginx.8 In IP …, ParentProc [bash.4>init.1]`. With `-v` lines of their
//! own follow. Without a known owner nothing is added.
//!
//! Process names and arguments are chosen by whoever runs the process. [`escape`] is the only
//! way they reach the screen.

use pktwho_packet::{Confidence, Direction, Owner, Packet, Process, Reception};

use crate::Context;
use crate::out::{Color, Out};
use crate::put::{HexFull, Put, put};

mod container;

/// What would end a name inside a line.
const IN_LINE: &[char] = &[' ', ',', '>', '[', ']'];

/// Bytes that somebody else chose, fit for a terminal and for the field they stand in.
///
/// Control characters, bytes that are not UTF-8 and characters in `delimiters` become `\xNN`
/// (newline `\n`, tab `\t`, return `\r`), invisible and direction-changing characters
/// `\u{NNNN}`, a backslash `\\`. Whatever comes out can be read back without doubt.
#[derive(Clone, Copy)]
struct Escaped<'a>(&'a [u8], &'a [char]);

impl Put for Escaped<'_> {
    fn put(self, out: &mut Vec<u8>) {
        escape(out, self.0, self.1);
    }
}

fn escape(out: &mut Vec<u8>, bytes: &[u8], delimiters: &[char]) {
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => "\\\\".put(out),
                '\n' => "\\n".put(out),
                '\r' => "\\r".put(out),
                '\t' => "\\t".put(out),
                _ if char.is_ascii() && (char.is_ascii_control() || delimiters.contains(&char)) => {
                    hex_escape(out, &[u8::try_from(char).unwrap_or(b'?')]);
                }
                _ if char.is_control() || unseen(char) => {
                    out.extend_from_slice(char.escape_unicode().to_string().as_bytes());
                }
                _ => char.put(out),
            }
        }
        hex_escape(out, chunk.invalid());
    }
}

fn hex_escape(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        "\\x".put(out);
        HexFull(byte).put(out);
    }
}

/// Characters that show nothing or turn the direction of what follows: line and paragraph
/// separators, zero-width and bidirectional controls, tags, variation selectors, private use.
fn unseen(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{10ffff}' | '\u{a0}')
}

/// The owners of a packet that are to be shown; at least one.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    context: Context,
    main: Owner<'a>,
    sender: Option<Owner<'a>>,
    receiver: Option<Owner<'a>>,
}

impl<'a> Shown<'a> {
    /// What the context has to say of this packet, if anything.
    pub(crate) fn new(packet: &Packet<'a>, context: Context) -> Option<Self> {
        let main = packet.owner()?;
        let in_container = (context.container || context.pod)
            && (has_container(packet.sender) || has_container(packet.receiver));
        if !context.process && !in_container {
            return None;
        }
        Some(Self {
            context,
            main,
            sender: packet.sender,
            receiver: packet.receiver,
        })
    }

    /// Device, owners and direction in front of the line.
    pub(crate) fn prefix(&self, p: &mut Out<'_>, packet: &Packet<'_>) {
        let name = packet.iface.name.as_bytes();
        put!(
            p,
            Escaped(if name.is_empty() { b"?" } else { name }, IN_LINE),
            " "
        );
        if !p.verbose(1) && self.context.process {
            match (self.sender, self.receiver) {
                (Some(sender), Some(receiver)) => {
                    process(p, sender.process);
                    put!(p, ">");
                    process(p, receiver.process);
                }
                _ => process(p, self.main.process),
            }
            put!(p, " ");
        }
        match packet.direction {
            Direction::In => put!(p, "In "),
            Direction::Out => put!(p, "Out "),
            Direction::Unknown => {}
        }
    }

    /// What follows the line, without `-v`.
    pub(crate) fn suffix(&self, p: &mut Out<'_>) {
        if self.context.thread && self.context.process {
            self.both(p, ", Thread [", |owner| {
                has_thread(owner).then_some((owner.thread.as_bytes(), owner.tid))
            });
        }
        if self.context.parent && self.context.process {
            self.both(p, ", ParentProc [", |owner| {
                let parent = owner.parent?;
                Some((parent.name.as_slice(), parent.id.pid))
            });
        }
        if has_container(self.sender) || has_container(self.receiver) {
            if self.context.container {
                self.brackets(p, ", Container [", container::name);
            }
            if self.context.pod {
                self.brackets(p, ", Pod [", container::pod_name);
            }
        }
    }

    /// A name and a number of whom the line names, in brackets: with two ends, the sender's and
    /// the receiver's as in front of the line, `[a.1>b.2]`, `[a.1>]`, `[>b.2]`.
    fn both(
        &self,
        p: &mut Out<'_>,
        words: &str,
        what: impl for<'o> Fn(&'o Owner<'a>) -> Option<(&'o [u8], u32)>,
    ) {
        self.brackets(p, words, |p, owner| {
            let Some((name, number)) = what(owner) else {
                return false;
            };
            put!(p, Escaped(name, IN_LINE), ".", number);
            true
        });
    }

    /// The same of anything that is said of an owner; `put` says whether there was something.
    fn brackets(
        &self,
        p: &mut Out<'_>,
        words: &str,
        put: impl Fn(&mut Out<'_>, &Owner<'a>) -> bool,
    ) {
        let start = p.out.len();
        put!(p, words);
        let is_said = match (&self.sender, &self.receiver) {
            (Some(sender), Some(receiver)) => {
                let first = put(p, sender);
                put!(p, ">");
                put(p, receiver) || first
            }
            _ => put(p, &self.main),
        };
        if is_said {
            put!(p, "]");
        } else {
            p.out.truncate(start);
        }
    }

    /// The lines of `-v`, each after a newline.
    pub(crate) fn lines(&self, p: &mut Out<'_>) {
        match (self.sender, self.receiver) {
            (Some(sender), Some(receiver)) => {
                self.block(p, &sender, "Sender: ");
                self.block(p, &receiver, "Receiver: ");
            }
            _ => self.block(p, &self.main, ""),
        }
    }

    fn block(&self, p: &mut Out<'_>, owner: &Owner<'_>, end: &str) {
        let indent = "\n    ";
        if self.context.process {
            self.process_lines(p, owner, end, indent);
        }
        container::lines(p, owner, self.context, (indent, end));
        if p.verbose(2) && self.context.process {
            let confidence = match owner.confidence {
                Confidence::Exact => "exact",
                Confidence::Flow => "flow",
                Confidence::Guess => "guess",
            };
            put!(p, indent, end, "Confidence (", confidence, ")");
        }
    }

    fn process_lines(&self, p: &mut Out<'_>, owner: &Owner<'_>, end: &str, indent: &str) {
        put!(p, indent, end, "Process (");
        details(p, owner.process);
        if self.context.thread && has_thread(owner) {
            put!(
                p,
                indent,
                end,
                "Thread (tid ",
                owner.tid,
                ", name ",
                Escaped(owner.thread.as_bytes(), &[]),
                ")"
            );
        }
        if self.context.user
            && let Some(uid) = owner.uid.or(owner.process.uid)
        {
            put!(p, indent, end, "User (uid ", uid);
            if !p.style.numeric
                && let Some(name) = p.names.user(uid)
            {
                put!(p, ", name ", Escaped(name.as_bytes(), &[]));
            }
            put!(p, ")");
        }
        if self.context.parent
            && let Some(parent) = owner.parent
        {
            put!(p, indent, end, "ParentProc (");
            details(p, parent);
        }
    }
}

/// Whether another thread than the process's first used the socket.
fn has_thread(owner: &Owner<'_>) -> bool {
    owner.tid != 0 && owner.tid != owner.process.id.pid
}

fn has_container(owner: Option<Owner<'_>>) -> bool {
    owner.is_some_and(|owner| owner.process.container.is_some())
}

/// `name.pid`.
fn process(p: &mut Out<'_>, process: &Process) {
    p.colored(Color::Owner, |p| {
        put!(p, Escaped(&process.name, IN_LINE), ".", process.id.pid);
    });
}

/// `pid N, cmd PATH, args …)`.
fn details(p: &mut Out<'_>, process: &Process) {
    let cmd = if process.exe.is_empty() {
        &process.name
    } else {
        &process.exe
    };
    put!(
        p,
        "pid ",
        process.id.pid,
        ", cmd ",
        Escaped(cmd, &[',']),
        ", args"
    );
    for arg in &process.args {
        put!(p, " ", Escaped(arg, &[]));
    }
    if process.args_cut {
        put!(p, " ...");
    }
    put!(p, ")");
}

/// Device and direction without an owner, as tcpdump shows them of `-i any`.
pub(crate) fn iface(p: &mut Out<'_>, packet: &Packet<'_>) {
    let direction = match (packet.direction, packet.reception) {
        (Direction::Out, _) => "Out",
        (_, Reception::Broadcast) => "B",
        (_, Reception::Multicast) => "M",
        (_, Reception::Promiscuous) => "P",
        (Direction::In, _) | (_, Reception::Unicast) => "In",
        (Direction::Unknown, Reception::Unspecified) => "?",
    };
    let name = packet.iface.name.as_bytes();
    padded(
        p,
        Escaped(if name.is_empty() { b"?" } else { name }, IN_LINE),
        5,
    );
    padded(p, direction, 3);
}

/// A value, blanks up to `width`, and one blank more.
fn padded(p: &mut Out<'_>, value: impl Put, width: usize) {
    let end = p.out.len() + width;
    put!(p, value);
    p.out.resize(p.out.len().max(end), b' ');
    put!(p, " ");
}
