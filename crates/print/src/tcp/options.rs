//! TCP options (IANA's registry of TCP option kinds).

use pktwho_wire::{Cursor, Truncated};

use super::md5;
use crate::ip_proto::Ip;
use crate::mptcp;
use crate::out::{Out, lookup};
use crate::past::Origin;
use crate::put::{Hex, HexBytes, put};

const END: u8 = 0;
const NOP: u8 = 1;
const MAXSEG: u8 = 2;
const WSCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;
const MD5: u8 = 19;
const USER_TIMEOUT: u8 = 28;
const TCP_AO: u8 = 29;
const MPTCP: u8 = 30;
const FAST_OPEN: u8 = 34;
const EXPERIMENT: u8 = 254;

/// What the experimental option 254 starts with when it is TCP Fast Open (RFC 7413 section 4.1.1).
const EXPERIMENT_FAST_OPEN: u16 = 0xf989;

static NAMES: &[(u8, &str)] = &[
    (END, "eol"),
    (NOP, "nop"),
    (MAXSEG, "mss"),
    (WSCALE, "wscale"),
    (SACK_PERMITTED, "sackOK"),
    (SACK, "sack"),
    (6, "echo"),
    (7, "echoreply"),
    (TIMESTAMPS, "TS"),
    (11, "cc"),
    (12, "ccnew"),
    // compat: tcpdump 4.99.3 has no name for CC.ECHO.
    (13, ""),
    (MD5, "md5"),
    (USER_TIMEOUT, "uto"),
    (TCP_AO, "tcp-ao"),
    (MPTCP, "mptcp"),
    (FAST_OPEN, "tfo"),
    (EXPERIMENT, "exp"),
];

/// Why the list stops.
enum Stop {
    Truncated,
    /// An option contradicts itself.
    Bad,
}

impl From<Truncated> for Stop {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

/// The segment that options belong to.
pub(super) struct Options<'a> {
    /// Its captured bytes, and how long it is, with its header and without.
    pub(super) segment: &'a [u8],
    pub(super) length: usize,
    pub(super) header: usize,
    pub(super) ip: &'a Ip,
    pub(super) flags: u16,
    /// What the acknowledgements in SACK blocks are counted from.
    pub(super) peer: Origin,
}

impl Options<'_> {
    /// The list of `length` bytes, without its closing bracket; `false` if it ended early and
    /// nothing should follow.
    pub(super) fn print(
        &self,
        p: &mut Out<'_>,
        mut c: Cursor<'_>,
        length: usize,
    ) -> Result<bool, Truncated> {
        let mut left = length;
        let mut first = true;
        while left > 0 {
            if !first {
                put!(p, ",");
            }
            let before = c.remaining();
            let stop = match self.option(p, &mut c, left) {
                Ok(END) => return Ok(true),
                Ok(_) => {
                    // What was read counts, not what the option claims: tcpdump goes on there.
                    left = left.saturating_sub(before - c.remaining());
                    first = false;
                    continue;
                }
                Err(stop) => stop,
            };
            match stop {
                Stop::Truncated => return Err(Truncated),
                Stop::Bad => {
                    put!(p, "[bad opt]");
                    if !first {
                        put!(p, "]");
                    }
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// What is to be said of a digest: whether it is right, if that can be found out.
    fn md5(&self, p: &mut Out<'_>, found: &[u8]) {
        if self.segment.len() < self.length {
            put!(p, " snaplen too short, can't check - ", HexBytes(found));
            return;
        }
        let right = p.style.md5_secret.as_deref().and_then(|secret| {
            md5::is_right(
                secret,
                self.ip,
                self.segment,
                self.header,
                self.length,
                found,
            )
        });
        match right {
            Some(true) => put!(p, " valid"),
            Some(false) => {
                put!(p, " ");
                p.invalid();
            }
            None => {
                put!(p, " shared secret not supplied with -M, can't check - ");
                put!(p, HexBytes(found));
            }
        }
    }

    /// One option; returns its kind.
    fn option(&self, p: &mut Out<'_>, c: &mut Cursor<'_>, left: usize) -> Result<u8, Stop> {
        let start = *c;
        let kind = c.u8()?;
        if kind == END || kind == NOP {
            name(p, kind);
            return Ok(kind);
        }
        let size = usize::from(c.u8()?);
        if size < 2 || size > left {
            return Err(Stop::Bad);
        }
        name(p, kind);
        let size = size - 2;
        let begin = c.remaining();
        // Fixed sizes may exceed what the header holds.
        let fits = |needed: usize| {
            if needed + 2 > left {
                Err(Stop::Bad)
            } else {
                Ok(())
            }
        };
        match kind {
            MAXSEG => {
                fits(2)?;
                put!(p, " ", c.u16()?);
            }
            WSCALE => {
                fits(1)?;
                put!(p, " ", c.u8()?);
            }
            SACK_PERMITTED => {}
            SACK => self.sack(p, c, size)?,
            6 | 7 | 11..=13 => {
                fits(4)?;
                put!(p, " ", c.u32()?);
            }
            TIMESTAMPS => {
                fits(8)?;
                put!(p, " val ", c.u32()?, " ecr ", c.u32()?);
            }
            MD5 => {
                if size != 16 {
                    return Err(Stop::Bad);
                }
                let found = c.take(16)?;
                self.md5(p, found);
            }
            USER_TIMEOUT => {
                fits(2)?;
                let value = c.u16()?;
                let unit = if value & 1 == 1 { 60 } else { 1 };
                put!(p, " 0x", Hex(value), " ", u32::from(value >> 1) * unit);
            }
            TCP_AO => authentication(p, c, size)?,
            MPTCP => {
                start.need(size + 2)?;
                let mut option = Cursor::new(c.take(size)?);
                mptcp::option(p, &mut option, size + 2, self.flags).map_err(|_| Stop::Bad)?;
            }
            FAST_OPEN => {
                put!(p, " ");
                cookie(p, c, size)?;
            }
            EXPERIMENT => experiment(p, c, size)?,
            _ => unknown(p, c, size)?,
        }
        let used = begin - c.remaining();
        if used != size {
            put!(p, "[len ", size + 2, "]");
        }
        Ok(kind)
    }

    /// Blocks that arrived, counted as the acknowledgement numbers are.
    fn sack(&self, p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<(), Stop> {
        if !size.is_multiple_of(8) {
            put!(p, " invalid sack");
            c.take(size)?;
            return Ok(());
        }
        put!(p, " ", size / 8, " ");
        for _ in 0..size / 8 {
            let (begin, end) = (c.u32()?, c.u32()?);
            put!(p, "{");
            p.counted(begin, self.peer);
            put!(p, ":");
            p.counted(end, self.peer);
            put!(p, "}");
        }
        Ok(())
    }
}

fn name(p: &mut Out<'_>, kind: u8) {
    match lookup(NAMES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown-", kind),
    }
}

/// TCP-AO (RFC 5925 section 2.2).
fn authentication(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<(), Stop> {
    let Some(mac) = size.checked_sub(2) else {
        put!(p, " (invalid)");
        c.take(size)?;
        return Ok(());
    };
    put!(p, " keyid ", c.u8()?);
    put!(p, " rnextkeyid ", c.u8()?);
    if mac > 0 {
        put!(p, " mac 0x", HexBytes(c.limit(mac).rest()));
        c.take(mac)?;
    }
    Ok(())
}

/// TCP Fast Open (RFC 7413 section 4.1.1): a cookie, or the wish for one.
fn cookie(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<(), Stop> {
    if size == 0 {
        put!(p, " cookiereq");
    } else if !size.is_multiple_of(2) || !(4..=16).contains(&size) {
        put!(p, " (invalid)");
        c.take(size)?;
    } else {
        put!(p, " cookie ", HexBytes(c.take(size)?));
    }
    Ok(())
}

fn experiment(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<(), Stop> {
    let Some(rest) = size.checked_sub(2) else {
        return Err(Stop::Bad);
    };
    let magic = c.u16()?;
    if magic == EXPERIMENT_FAST_OPEN {
        put!(p, "-tfo");
        return cookie(p, c, rest);
    }
    put!(p, "-0x", crate::put::HexFull(magic));
    if rest > 0 {
        put!(p, " 0x", HexBytes(c.take(rest)?));
    }
    Ok(())
}

fn unknown(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<(), Stop> {
    if size > 0 {
        put!(p, " 0x", HexBytes(c.take(size)?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn known_unknown_and_bad() {
        for (packet, expected) in [
            (
                "4500003c00010000400666b90a0000010a00000200640009000003e8000007d0a002faf031a400001312000000000000000000000000000000000000",
                "IP 10.0.0.1.100 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [md5 shared secret not supplied with -M, can't check - 00000000000000000000000000000000,eol], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200650009000003e8000007d06002faf0e8bb00001c048005",
                "IP 10.0.0.1.101 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [uto 0x8005 983160], length 0\n",
            ),
            (
                "4500003800010000400666bd0a0000010a00000200660009000003e8000007d09002faf0a61500001d1001026d6d6d6d6d6d6d6d6d6d6d6d",
                "IP 10.0.0.1.102 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [tcp-ao keyid 1 rnextkeyid 2 mac 0x6d6d6d6d6d6d6d6d6d6d6d6d], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200670009000003e8000007d06002faf062c1000022020000",
                "IP 10.0.0.1.103 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [tfo  cookiereq,eol], length 0\n",
            ),
            (
                "4500003000010000400666c50a0000010a00000200680009000003e8000007d07002faf07fdd00002206636f6f6b0000",
                "IP 10.0.0.1.104 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [tfo  cookie 636f6f6b,eol], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a00000200690009000003e8000007d06002faf08d320000fe04f989",
                "IP 10.0.0.1.105 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [exp-tfo cookiereq], length 0\n",
            ),
            (
                "4500003000010000400666c50a0000010a000002006a0009000003e8000007d07002faf0aa4e0000fe08f989636f6f6b",
                "IP 10.0.0.1.106 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [exp-tfo cookie 636f6f6b], length 0\n",
            ),
            (
                "4500003000010000400666c50a0000010a000002006b0009000003e8000007d07002faf04d5300006305616263000000",
                "IP 10.0.0.1.107 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [unknown-99 0x616263,eol], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a000002006c0009000003e8000007d06002faf00abb000002037800",
                "IP 10.0.0.1.108 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [mss 30720[len 3]], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a000002006d0009000003e8000007d06002faf007ba000005037800",
                "IP 10.0.0.1.109 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [sack invalid sack,eol], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a000002006e0009000003e8000007d06002faf0efb800001d037800",
                "IP 10.0.0.1.110 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [tcp-ao (invalid),eol], length 0\n",
            ),
            (
                "4500002c00010000400666c90a0000010a000002006f0009000003e8000007d06002faf021bb000063000000",
                "IP 10.0.0.1.111 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [[bad opt]\n",
            ),
            (
                "4500003c00010000400666b90a0000010a00000200700009000003e8000007d0a002faf03f8e00000512000000010000000200000003000000040000",
                "IP 10.0.0.1.112 > 10.0.0.2.9: Flags [S], seq 1000, win 64240, options [sack 2 {1:2}{3:4},eol], length 0\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }
}
