//! SNMP, versions 1, 2c and 3 (RFC 1157, RFC 3416, RFC 3412, RFC 3414).

mod ber;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::{HexFull, HexUpper, put};
use ber::{Element, Elements, Stop, Value};

/// Of what remains once the reason is said, nothing is shown.
type Shown = Result<(), Stop>;

static ERRORS: [&str; 19] = [
    "noError",
    "tooBig",
    "noSuchName",
    "badValue",
    "readOnly",
    "genErr",
    "noAccess",
    "wrongType",
    "wrongLength",
    "wrongEncoding",
    "wrongValue",
    "noCreation",
    "inconsistentValue",
    "resourceUnavailable",
    "commitFailed",
    "undoFailed",
    "authorizationError",
    "notWritable",
    "inconsistentName",
];

static TRAPS: [&str; 7] = [
    "coldStart",
    "warmStart",
    "linkDown",
    "linkUp",
    "authenticationFailure",
    "egpNeighborLoss",
    "enterpriseSpecific",
];

const GET: usize = 0;
const GET_NEXT: usize = 1;
const RESPONSE: usize = 2;
const TRAP: usize = 4;
const GET_BULK: usize = 5;

/// A message.
pub(crate) fn snmp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "snmp";
    put!(p, " ");
    match message(p, Elements { c, left: length }) {
        Err(Stop::Cut) => Err(pktwho_wire::Truncated),
        Err(Stop::Wrong) | Ok(()) => Ok(()),
    }
}

/// Says what is not as it must be, and what is there instead.
fn wrong(p: &mut Out<'_>, what: &str, element: &Element<'_>) -> Stop {
    put!(p, what);
    ber::print(p, element);
    Stop::Wrong
}

/// Text that stands with `-v` only.
fn verbose(p: &mut Out<'_>, text: &str) {
    if p.verbose(1) {
        put!(p, text);
    }
}

/// Says how many bytes follow what should be the last.
fn extra(p: &mut Out<'_>, e: &Elements<'_>, what: &str) {
    if e.left > 0 {
        put!(p, "[", e.left, " extra after ", what, "]");
    }
}

fn sequence<'a>(p: &mut Out<'_>, e: &mut Elements<'a>, what: &str) -> Result<Elements<'a>, Stop> {
    let element = e.next(p)?;
    match element.value {
        Value::Sequence(bytes) => Ok(Elements::within(bytes)),
        _ => Err(wrong(p, what, &element)),
    }
}

fn integer(p: &mut Out<'_>, e: &mut Elements<'_>, what: &str) -> Result<i32, Stop> {
    let element = e.next(p)?;
    match element.value {
        Value::Integer(number) => Ok(number),
        _ => Err(wrong(p, what, &element)),
    }
}

fn text<'a>(p: &mut Out<'_>, e: &mut Elements<'a>, what: &str) -> Result<&'a [u8], Stop> {
    let element = e.next(p)?;
    match element.value {
        Value::Text(bytes) => Ok(bytes),
        _ => Err(wrong(p, what, &element)),
    }
}

fn message(p: &mut Out<'_>, mut whole: Elements<'_>) -> Shown {
    let mut e = sequence(p, &mut whole, "[!init SEQ]")?;
    extra(p, &whole, "iSEQ");
    let version = integer(p, &mut e, "[version!=INT]")?;
    let name = match version {
        0 => "SNMPv1",
        1 => "SNMPv2c",
        3 => "SNMPv3",
        _ => {
            put!(p, "SNMP [version = ", version, "]");
            return Ok(());
        }
    };
    if p.verbose(1) {
        put!(p, "{ ", name, " ");
    }
    let shown = match version {
        3 => version_three(p, e),
        _ => community(p, e, version),
    };
    if !matches!(shown, Err(Stop::Cut)) {
        verbose(p, "} ");
    }
    shown
}

/// What versions 1 and 2c have.
fn community(p: &mut Out<'_>, mut e: Elements<'_>, version: i32) -> Shown {
    let community = text(p, &mut e, "[comm!=STR]")?;
    if community != b"public" {
        put!(p, "C=");
        ber::text(p, community);
        put!(p, " ");
    }
    pdu(p, e, version)
}

fn pdu(p: &mut Out<'_>, mut e: Elements<'_>, version: i32) -> Shown {
    let element = e.next(p)?;
    let Value::Pdu(kind, bytes) = element.value else {
        put!(p, "[no PDU]");
        return Err(Stop::Wrong);
    };
    extra(p, &e, "PDU");
    verbose(p, "{ ");
    ber::print(p, &element);
    put!(p, " ");
    if version == 0 && kind >= GET_BULK {
        put!(p, "[v2 PDU in v1 message]");
        return Err(Stop::Wrong);
    }
    if version == 1 && kind == TRAP {
        put!(p, "[v1 PDU in v2 message]");
        return Err(Stop::Wrong);
    }
    let inside = Elements::within(bytes);
    let shown = if kind == TRAP {
        trap(p, inside)
    } else {
        request(p, inside, kind)
    };
    if let Err(Stop::Cut) = shown {
        return shown;
    }
    verbose(p, " } ");
    Ok(())
}

/// Every PDU but the trap of version 1.
fn request(p: &mut Out<'_>, mut e: Elements<'_>, kind: usize) -> Shown {
    let id = integer(p, &mut e, "[reqId!=INT]")?;
    if p.verbose(1) {
        put!(p, "R=", id, " ");
    }
    // Only a response has an error; of the others the fields are to be zero, or two numbers.
    let status = integer(p, &mut e, "[errorStatus!=INT]")?;
    let may_fail = !matches!(kind, GET | GET_NEXT | 3 | 6 | 7 | 8);
    if !may_fail && status != 0 {
        put!(p, "[errorStatus(");
        error(p, status);
        put!(p, ")!=0]");
    } else if kind == GET_BULK {
        put!(p, " N=", status);
    } else if status != 0 {
        put!(p, " ");
        error(p, status);
    }
    let index = integer(p, &mut e, "[errorIndex!=INT]")?;
    if !may_fail && index != 0 {
        put!(p, "[errorIndex(", index, ")!=0]");
    } else if kind == GET_BULK {
        put!(p, " M=", index);
    } else if kind == RESPONSE {
        match (status != 0, index != 0) {
            (false, true) => put!(p, "[errorIndex(", index, ") w/o errorStatus]"),
            (true, true) => put!(p, "@", index),
            (true, false) => put!(p, "[errorIndex==0]"),
            (false, false) => {}
        }
    }
    if e.left > 0 {
        variables(p, e, kind)?;
    }
    Ok(())
}

fn error(p: &mut Out<'_>, status: i32) {
    let name = usize::try_from(status).ok().and_then(|n| ERRORS.get(n));
    match name {
        Some(name) => put!(p, *name),
        None => put!(p, "err=", status),
    }
}

fn trap(p: &mut Out<'_>, mut e: Elements<'_>) -> Shown {
    put!(p, " ");
    let enterprise = e.next(p)?;
    if !matches!(enterprise.value, Value::Oid(_)) {
        return Err(wrong(p, "[enterprise!=OID]", &enterprise));
    }
    ber::print(p, &enterprise);
    put!(p, " ");
    let agent = e.next(p)?;
    if !matches!(agent.value, Value::Address(_)) {
        return Err(wrong(p, "[agent-addr!=INETADDR]", &agent));
    }
    ber::print(p, &agent);
    let generic = integer(p, &mut e, "[generic-trap!=INT]")?;
    match usize::try_from(generic).ok().and_then(|n| TRAPS.get(n)) {
        Some(name) => put!(p, " ", *name),
        None => put!(p, " gt=", generic),
    }
    let specific = integer(p, &mut e, "[specific-trap!=INT]")?;
    if generic == 6 {
        put!(p, " s=", specific);
    } else if specific != 0 {
        put!(p, "[specific-trap(", specific, ")!=0]");
    }
    put!(p, " ");
    let time = e.next(p)?;
    if !matches!(time.value, Value::Unsigned(_)) {
        return Err(wrong(p, "[time-stamp!=TIMETICKS]", &time));
    }
    ber::print(p, &time);
    if e.left > 0 {
        variables(p, e, TRAP)?;
    }
    Ok(())
}

/// Names of variables, and their values where there are some.
fn variables(p: &mut Out<'_>, mut e: Elements<'_>, kind: usize) -> Shown {
    let mut list = sequence(p, &mut e, "[!SEQ of varbind]")?;
    extra(p, &e, "SEQ of varbind");
    while list.left > 0 {
        put!(p, " ");
        let mut variable = sequence(p, &mut list, "[!varbind]")?;
        let name = variable.next(p)?;
        if !matches!(name.value, Value::Oid(_)) {
            return Err(wrong(p, "[objName!=OID]", &name));
        }
        ber::print(p, &name);
        let asks = matches!(kind, GET | GET_NEXT | GET_BULK);
        if !asks {
            put!(p, "=");
        }
        let value = variable.next(p)?;
        if !asks {
            ber::print(p, &value);
        } else if !matches!(value.value, Value::Null) {
            put!(p, "[objVal!=NULL]");
            ber::print(p, &value);
        }
    }
    Ok(())
}

fn version_three(p: &mut Out<'_>, mut e: Elements<'_>) -> Shown {
    let mut head = sequence(p, &mut e, "[!message SEQ]")?;
    verbose(p, "{ ");
    integer(p, &mut head, "[msgID!=INT]")?;
    integer(p, &mut head, "[msgMaxSize!=INT]")?;
    let flags = text(p, &mut head, "[msgFlags!=INT]")?;
    let &[flags] = flags else {
        put!(p, "[msgFlags size ", flags.len(), "]");
        return Err(Stop::Wrong);
    };
    if !matches!(flags, 0 | 1 | 3 | 4 | 5 | 7) {
        put!(p, "[msgFlags=0x", HexUpper(flags), "]");
        return Err(Stop::Wrong);
    }
    put!(p, "F=");
    for (bit, letter) in [(1, "a"), (2, "p"), (4, "r")] {
        if flags & bit != 0 {
            put!(p, letter);
        }
    }
    put!(p, " ");
    let model = integer(p, &mut head, "[msgSecurityModel!=INT]")?;
    extra(p, &head, "message SEQ");
    verbose(p, "} ");
    if model != 3 {
        put!(p, "[security model ", model, "]");
        return Err(Stop::Wrong);
    }
    verbose(p, "{ USM ");
    let parameters = text(p, &mut e, "[msgSecurityParameters!=STR]")?;
    if let Err(Stop::Cut) = user(p, Elements::within(parameters)) {
        return Err(Stop::Cut);
    }
    verbose(p, "} { ScopedPDU ");
    let shown = scoped(p, e);
    if !matches!(shown, Err(Stop::Cut)) {
        verbose(p, "} ");
    }
    shown
}

/// The user-based security model's parameters.
fn user(p: &mut Out<'_>, mut whole: Elements<'_>) -> Shown {
    let mut e = sequence(p, &mut whole, "[!usm SEQ]")?;
    extra(p, &whole, "usm SEQ");
    text(p, &mut e, "[msgAuthoritativeEngineID!=STR]")?;
    let boots = integer(p, &mut e, "[msgAuthoritativeEngineBoots!=INT]")?;
    if p.verbose(1) {
        put!(p, "B=", boots, " ");
    }
    let time = integer(p, &mut e, "[msgAuthoritativeEngineTime!=INT]")?;
    if p.verbose(1) {
        put!(p, "T=", time, " ");
    }
    let name = text(p, &mut e, "[msgUserName!=STR]")?;
    if !name.is_empty() {
        put!(p, "U=");
        ber::text(p, name);
        put!(p, " ");
    }
    text(p, &mut e, "[msgAuthenticationParameters!=STR]")?;
    text(p, &mut e, "[msgPrivacyParameters!=STR]")?;
    extra(p, &e, "usm SEQ");
    Ok(())
}

fn scoped(p: &mut Out<'_>, mut e: Elements<'_>) -> Shown {
    let mut inside = sequence(p, &mut e, "[!scoped PDU]")?;
    let engine = text(p, &mut inside, "[contextEngineID!=STR]")?;
    if !engine.is_empty() {
        put!(p, "E=");
        for &byte in engine {
            put!(p, "_", HexFull(byte));
        }
        put!(p, " ");
    }
    let context = text(p, &mut inside, "[contextName!=STR]")?;
    if !context.is_empty() {
        put!(p, "C=");
        ber::text(p, context);
        put!(p, " ");
    }
    pdu(p, inside, 3)
}
