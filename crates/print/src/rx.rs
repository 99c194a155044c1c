//! Rx, the remote procedure calls of AFS: the packet, and what is asked of AFS's servers and what they
//! answer. An answer does not say what it answers: calls are remembered, bounded.

use std::net::IpAddr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::port::Ends;
use crate::put::{HexFull, put};

mod operations;
mod values;

use operations::Operation;
use values::Missing;

const HEADER: usize = 28;
const DATA: u8 = 1;
const ACK: u8 = 2;
const ABORT: u8 = 4;
/// Set by who began the conversation.
const CLIENT_INIT: u8 = 1;

static TYPES: &[(u8, &str)] = &[
    (DATA, "data"),
    (ACK, "ack"),
    (3, "busy"),
    (ABORT, "abort"),
    (5, "ackall"),
    (6, "challenge"),
    (7, "response"),
    (8, "debug"),
    (9, "params"),
    (13, "version"),
];

static FLAGS: &[(u8, &str)] = &[
    (1, "client-init"),
    (2, "req-ack"),
    (4, "last-pckt"),
    (8, "more-pckts"),
    (16, "free-pckt"),
    (32, "jumbogram"),
];

static REASONS: &[(u8, &str)] = &[
    (1, "ack requested"),
    (2, "duplicate packet"),
    (3, "out of sequence"),
    (4, "exceeds window"),
    (5, "no buffer space"),
    (6, "ping"),
    (7, "ping response"),
    (8, "delay"),
    (9, "idle"),
];

/// A server of AFS.
struct Server {
    port: u16,
    name: &'static str,
    operations: &'static [Operation],
    /// It keeps a replicated database: Ubik's operations are among its own.
    replicated: bool,
    /// compat: answers that hold nothing are shown (4.99.3).
    empty_answers: bool,
    /// The most bytes of a string.
    longest: usize,
}

const fn server(port: u16, name: &'static str, operations: &'static [Operation]) -> Server {
    Server {
        port,
        name,
        operations,
        replicated: false,
        empty_answers: false,
        longest: 256,
    }
}

static SERVERS: &[Server] = &[
    server(7000, "fs", operations::FS),
    server(7001, "cb", operations::CALLBACK),
    Server {
        replicated: true,
        empty_answers: true,
        longest: 64,
        ..server(7002, "pt", operations::PROTECTION)
    },
    Server {
        replicated: true,
        empty_answers: true,
        longest: 65,
        ..server(7003, "vldb", operations::LOCATION)
    },
    Server {
        replicated: true,
        longest: 64,
        ..server(7004, "kauth", operations::AUTHENTICATION)
    },
    server(7005, "vol", operations::VOLUME),
    server(7007, "bos", operations::OVERSEER),
];

/// Client, server, the server's port and the number of a call.
type Key = (IpAddr, IpAddr, u16, u32);

/// The latest calls, and their operations.
///
/// compat: tcpdump 4.99.3 does not look at the conversation; of several calls with the same key it takes
/// the next after the one that was answered last.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    ring: Vec<(Key, u32)>,
    /// Where the next call goes once the ring is full.
    next: usize,
    /// The call that was answered last.
    answered: usize,
}

impl Calls {
    const LIMIT: usize = 64;

    fn insert(&mut self, key: Key, operation: u32) {
        match self.ring.get_mut(self.next) {
            Some(call) => *call = (key, operation),
            None => self.ring.push((key, operation)),
        }
        self.next = (self.next + 1) % Self::LIMIT;
    }

    fn find(&mut self, key: &Key) -> Option<u32> {
        let (before, from) = self.ring.split_at_checked(self.answered)?;
        let place = |at: Option<usize>, start: usize| at.map(|at| at + start);
        let at = place(from.iter().position(|call| call.0 == *key), self.answered)
            .or_else(|| before.iter().position(|call| call.0 == *key))?;
        self.answered = at;
        self.ring.get(at).map(|call| call.1)
    }
}

/// A packet of `length` bytes.
pub(crate) fn rx(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "rx";
    let whole = Cursor::new(c.limit(length).rest());
    let mut c = whole;
    if c.need(HEADER).is_err() {
        put!(p, " [|rx] (", length, ")");
        return Ok(());
    }
    c.skip(4)?;
    let (conversation, call) = (c.u32()?, c.u32()?);
    let (sequence, serial) = (c.u32()?, c.u32()?);
    let (kind, flags) = (c.u8()?, c.u8()?);
    c.skip(1)?;
    let security = c.u8()?;
    c.skip(2)?;
    let service = c.u16()?;
    put!(p, " rx ");
    match lookup(TYPES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "type ", kind),
    }
    if p.verbose(2) {
        put!(p, " cid ", HexFull(conversation), " call# ", call);
    }
    if p.verbose(1) {
        put!(p, " seq ", sequence, " ser ", serial);
    }
    if p.verbose(3) {
        put!(p, " secindex ", security, " serviceid ", service);
    }
    if p.verbose(2) {
        shown_flags(p, flags);
    }
    let begins_call = kind == DATA && sequence == 1 && flags & CLIENT_INIT != 0;
    if begins_call && length > HEADER && c.remaining() < 4 {
        // compat: its operation is missing, and so is the length (4.99.3).
        p.truncated();
        return Ok(());
    }
    let body = Body {
        c,
        call,
        sequence,
        kind,
        flags,
    };
    match body.print(p) {
        Ok(()) => {}
        Err((Missing::Number, _)) => {
            p.truncated();
            return Ok(());
        }
        // compat: the mark of an incomplete body stands before the length.
        Err((Missing::Structure, name)) => put!(p, " [|", name, "]"),
    }
    put!(p, " (", length, ")");
    Ok(())
}

fn shown_flags(p: &mut Out<'_>, flags: u8) {
    let mut before = " <";
    for &(bit, name) in FLAGS {
        if flags & bit != 0 {
            put!(p, before, name, ">");
            before = ",<";
        }
    }
}

/// What follows a packet's header, and what the header says of it.
struct Body<'a> {
    c: Cursor<'a>,
    call: u32,
    sequence: u32,
    kind: u8,
    flags: u8,
}

impl Body<'_> {
    fn print(self, p: &mut Out<'_>) -> Result<(), (Missing, &'static str)> {
        let Some(ends) = p.ends else { return Ok(()) };
        if self.kind == ACK {
            return ack(p, self.c).map_err(|_| (Missing::Structure, "ack"));
        }
        let from_client = self.flags & CLIENT_INIT != 0;
        if self.kind == DATA && self.sequence == 1 && from_client {
            return self.request(p, ends);
        }
        if (self.kind == DATA && self.sequence == 1 || self.kind == ABORT) && !from_client {
            return self.answer(p, ends);
        }
        Ok(())
    }

    fn request(self, p: &mut Out<'_>, ends: Ends) -> Result<(), (Missing, &'static str)> {
        let mut c = self.c;
        let Ok(number) = c.u32() else { return Ok(()) };
        let key = (ends.src, ends.dst, ends.destination, self.call);
        p.past.memory().rx.insert(key, number);
        let Some(server) = at_port(ends.destination) else {
            return Ok(());
        };
        match server.shown(p, " call ", number) {
            Some((mark, (_, _, arguments, _))) => {
                let shown = values::print(p, arguments, server.longest, &mut c);
                shown.map_err(|missing| (missing, mark))
            }
            None => Ok(()),
        }
    }

    fn answer(self, p: &mut Out<'_>, ends: Ends) -> Result<(), (Missing, &'static str)> {
        let mut c = self.c;
        let Some(server) = at_port(ends.source) else {
            return Ok(());
        };
        if c.is_empty() && !server.empty_answers {
            return Ok(());
        }
        let key = (ends.dst, ends.src, ends.source, self.call);
        let Some(number) = p.past.memory().rx.find(&key) else {
            return Ok(());
        };
        let found = server.shown(p, " reply ", number);
        if self.kind == DATA {
            let Some((mark, (_, _, _, results))) = found else {
                return Ok(());
            };
            let shown = values::print(p, results, server.longest, &mut c);
            return shown.map_err(|missing| (missing, mark));
        }
        server
            .refused(p, found, &mut c)
            .map_err(|missing| (missing, server.name))
    }
}

fn at_port(port: u16) -> Option<&'static Server> {
    SERVERS.iter().find(|server| server.port == port)
}

impl Server {
    /// Writes the name of an operation; with it, whose mark stands where it is cut.
    fn shown(
        &self,
        p: &mut Out<'_>,
        what: &'static str,
        number: u32,
    ) -> Option<(&'static str, &'static Operation)> {
        let numbered = |entry: &&Operation| entry.0 == number;
        let own = self.operations.iter().find(numbered);
        let ubik = operations::UBIK.iter().find(numbered);
        let ubik = ubik.filter(|_| self.replicated && own.is_none());
        let is_ubik = ubik.is_some();
        put!(p, " ", self.name, if is_ubik { " ubik" } else { "" }, what);
        let Some(found) = own.or(ubik) else {
            put!(p, "op#", number);
            return None;
        };
        put!(p, found.1);
        Some((if is_ubik { "ubik" } else { self.name }, found))
    }

    /// Writes what an abort says.
    fn refused(
        &self,
        p: &mut Out<'_>,
        found: Option<(&'static str, &'static Operation)>,
        c: &mut Cursor<'_>,
    ) -> Result<(), Missing> {
        if found.is_some_and(|found| found.1.0 == operations::VOTE) {
            return values::print(p, "vote yes until %t", self.longest, c);
        }
        // compat: 4.99.3 has two ways to say it.
        if self.port == 7000 {
            let error = i32::from_be_bytes(c.array()?);
            put!(p, " error #", error);
            return Ok(());
        }
        values::print(p, "errcode %d", self.longest, c)
    }
}

/// Which packets arrived.
fn ack(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(18)?;
    let (space, skew) = (c.u16()?, c.u16()?);
    let (first, _, serial) = (c.u32()?, c.u32()?, c.u32()?);
    let (reason, count) = (c.u8()?, c.u8()?);
    if p.verbose(3) {
        put!(p, " bufspace ", space, " maxskew ", skew);
    }
    put!(p, " first ", first, " serial ", serial, " reason ");
    match lookup(REASONS, reason) {
        Some(name) => put!(p, name),
        None => put!(p, "#", reason),
    }
    let states = c.take(usize::from(count))?;
    for (wanted, name) in [(1, " acked "), (0, " nacked ")] {
        let mut before = name;
        let mut at = 0;
        while let Some(rest) = states.get(at..).filter(|rest| !rest.is_empty()) {
            let run = rest.iter().take_while(|&&state| state == wanted).count();
            if run == 0 {
                at += 1;
                continue;
            }
            put!(p, before, number(first, at));
            if run > 1 {
                put!(p, "-", number(first, at + run - 1));
            }
            before = ",";
            at += run;
        }
    }
    Ok(())
}

fn number(first: u32, after: usize) -> u32 {
    first.wrapping_add(u32::try_from(after).unwrap_or(0))
}
