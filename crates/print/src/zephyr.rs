//! Zephyr notices, version 0.2 (the Zephyr protocol of Project Athena): fields of text, each ended by a zero.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Visible, put};

static KINDS: &[(i32, &str)] = &[
    (0, "unsafe"),
    (1, "unacked"),
    (2, "acked"),
    (3, "hm-ack"),
    (4, "hm-ctl"),
    (5, "serv-ack"),
    (6, "serv-nak"),
    (7, "client-ack"),
    (8, "stat"),
];
const SERV_ACK: i32 = 5;

static REALM: &[(&[u8], &str)] = &[
    (b"ADD_SUBSCRIBE", " realm add-subs"),
    (b"REQ_SUBSCRIBE", " realm req-subs"),
    (b"RLM_SUBSCRIBE", " realm rlm-sub"),
    (b"RLM_UNSUBSCRIBE", " realm rlm-unsub"),
];

/// What a user lets others see.
static EXPOSURES: &[&[u8]] = &[
    b"NONE",
    b"OPSTAFF",
    b"REALM-VISIBLE",
    b"REALM-ANNOUNCED",
    b"NET-VISIBLE",
    b"NET-ANNOUNCED",
];

/// The fields that are shown.
struct Notice<'a> {
    class: &'a [u8],
    instance: &'a [u8],
    opcode: &'a [u8],
    sender: &'a [u8],
    recipient: &'a [u8],
}

/// A datagram of `length` bytes.
pub(crate) fn zephyr(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "zephyr";
    let mut fields = Fields {
        c: Cursor::new(c.limit(length).rest()),
        left: length,
    };
    let Some(version) = fields.next()? else {
        p.invalid();
        return Ok(());
    };
    let Some(version) = version.strip_prefix(b"ZEPH") else {
        return Ok(());
    };
    let Some((kind, notice)) = fields.notice()? else {
        p.invalid();
        return Ok(());
    };
    if !version.starts_with(b"0.2") {
        put!(p, " zephyr v", Visible(version));
        return Ok(());
    }
    put!(p, " zephyr ");
    match lookup(KINDS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "type ", kind),
    }
    if kind == SERV_ACK
        && let Some(outcome) = fields.next()?
        && outcome != b"SENT"
    {
        put!(p, "/", Visible(outcome));
    }
    if !notice.sender.is_empty() {
        put!(p, " ", Visible(notice.sender));
    }
    if !known(p, &mut fields, &notice)? {
        destination(p, &notice);
    }
    Ok(())
}

/// `to <class,instance,recipient> op opcode`.
fn destination(p: &mut Out<'_>, notice: &Notice<'_>) {
    put!(p, " to ");
    triple(p, [notice.class, notice.instance, notice.recipient]);
    if !notice.opcode.is_empty() {
        put!(p, " op ", Visible(notice.opcode));
    }
}

/// Three fields between angles; an empty recipient is everybody.
fn triple(p: &mut Out<'_>, [class, instance, recipient]: [&[u8]; 3]) {
    let everybody: &[u8] = b"*";
    let recipient = if recipient.is_empty() {
        everybody
    } else {
        recipient
    };
    put!(p, "<", Visible(class), ",", Visible(instance), ",");
    put!(p, Visible(recipient), ">");
}

/// Notices of Zephyr's own services have words of their own; whether this was one.
fn known(p: &mut Out<'_>, fields: &mut Fields<'_>, notice: &Notice<'_>) -> Result<bool, Truncated> {
    match (notice.class, notice.instance, notice.opcode) {
        (b"USER_LOCATE", _, b"USER_HIDE") => put!(p, " hide"),
        (b"USER_LOCATE", _, b"USER_UNHIDE") => put!(p, " unhide"),
        (b"USER_LOCATE", instance, _) => put!(p, " locate ", Visible(instance)),
        (b"ZEPHYR_ADMIN", _, opcode) => {
            put!(p, " zephyr-admin ");
            lowercase(p, opcode);
        }
        (b"ZEPHYR_CTL", b"CLIENT", opcode) => subscription(p, fields, opcode)?,
        (b"ZEPHYR_CTL", b"REALM", opcode) => {
            let words = REALM.iter().find(|entry| entry.0 == opcode);
            put!(p, words.map_or("", |entry| entry.1));
        }
        (b"HM_CTL", instance, opcode) => {
            put!(p, " hm_ctl ");
            pair(p, instance, opcode);
        }
        (b"HM_STAT", b"HMST_CLIENT", b"GIMMESTATS") => put!(p, " get-client-stats"),
        (b"WG_CTL", instance, opcode) => {
            put!(p, " wg_ctl ");
            pair(p, instance, opcode);
        }
        (b"LOGIN", _, b"USER_FLUSH") => put!(p, " flush_locs"),
        (b"LOGIN", _, opcode) if EXPOSURES.contains(&opcode) => {
            put!(p, " set-exposure ");
            lowercase(p, opcode);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn subscription(p: &mut Out<'_>, fields: &mut Fields<'_>, opcode: &[u8]) -> Printed {
    match opcode {
        b"SUBSCRIBE" => put!(p, " sub"),
        // compat: tcpdump 4.99.3 takes it for the opposite.
        b"SUBSCRIBE_NODEFS" => put!(p, " unsub-nodefs"),
        b"UNSUBSCRIBE" => put!(p, " unsub"),
        b"GIMME" => put!(p, " ret"),
        b"GIMMEDEFS" => put!(p, " gimme-defs"),
        b"CLEARSUB" => put!(p, " clear-subs"),
        _ => {
            put!(p, " ");
            lowercase(p, opcode);
        }
    }
    if !opcode.ends_with(b"SUBSCRIBE") && opcode != b"SUBSCRIBE_NODEFS" {
        return Ok(());
    }
    let (Some(class), Some(instance), Some(recipient)) =
        (fields.next()?, fields.next()?, fields.next()?)
    else {
        return Ok(());
    };
    put!(p, " ");
    triple(p, [class, instance, recipient]);
    Ok(())
}

fn pair(p: &mut Out<'_>, instance: &[u8], opcode: &[u8]) {
    lowercase(p, instance);
    put!(p, " ");
    lowercase(p, opcode);
}

fn lowercase(p: &mut Out<'_>, text: &[u8]) {
    let start = p.out.len();
    put!(p, Visible(text));
    if let Some(written) = p.out.get_mut(start..) {
        written.make_ascii_lowercase();
    }
}

/// The fields that are left.
struct Fields<'a> {
    c: Cursor<'a>,
    /// Bytes left of the datagram, captured or not.
    left: usize,
}

impl<'a> Fields<'a> {
    /// The next field, if the datagram has one more.
    fn next(&mut self) -> Result<Option<&'a [u8]>, Truncated> {
        let rest = self.c.rest();
        let Some(end) = rest.iter().position(|&byte| byte == 0) else {
            return if rest.len() < self.left {
                Err(Truncated)
            } else {
                Ok(None)
            };
        };
        let field = self.c.take(end)?;
        self.c.skip(1)?;
        self.left = self.left.saturating_sub(end + 1);
        Ok(Some(field))
    }

    /// Kind and addressees of the notice, after the version; `None` where fields are missing.
    fn notice(&mut self) -> Result<Option<(i32, Notice<'a>)>, Truncated> {
        let mut found = [&[][..]; 16];
        for field in &mut found {
            let Some(text) = self.next()? else {
                return Ok(None);
            };
            *field = text;
        }
        // Count, kind, id, port, authenticator (is there, its length, itself); after the addressees
        // default format, checksum, part of the message and its id.
        let [
            _,
            kind,
            _,
            _,
            _,
            _,
            _,
            class,
            instance,
            opcode,
            sender,
            recipient,
            ..,
        ] = found;
        let notice = Notice {
            class,
            instance,
            opcode,
            sender,
            recipient,
        };
        Ok(Some((number(kind), notice)))
    }
}

/// A number as C's `strtol` reads it: decimal, hexadecimal or octal; 0 where there is none.
fn number(text: &[u8]) -> i32 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', rest @ ..] => (8, rest),
        _ => (10, digits),
    };
    let mut value = 0_i32;
    for &digit in digits {
        let Some(digit) = char::from(digit).to_digit(radix) else {
            break;
        };
        value = value
            .wrapping_mul(i32::try_from(radix).unwrap_or(10))
            .wrapping_add(i32::try_from(digit).unwrap_or(0));
    }
    if negative {
        value.wrapping_neg()
    } else {
        value
    }
}
