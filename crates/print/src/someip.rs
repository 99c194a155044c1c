//! SOME/IP, service-oriented middleware in vehicles (AUTOSAR).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::put;

static MESSAGES: &[(u8, &str)] = &[
    (0x00, "REQUEST"),
    (0x01, "REQUEST_NO_RETURN"),
    (0x02, "NOTIFICATION"),
    (0x20, "TP_REQUEST"),
    (0x21, "TP_REQUEST_NO_RETURN"),
    (0x22, "TP_NOTIFICATION"),
    (0x80, "RESPONSE"),
    (0x81, "ERROR"),
    (0xa0, "TP_RESPONSE"),
    (0xa1, "TP_ERROR"),
];

static RETURNS: &[(u8, &str)] = &[
    (0x00, "E_OK"),
    (0x01, "E_NOT_OK"),
    (0x02, "E_UNKNOWN_SERVICE"),
    (0x03, "E_UNKNOWN_METHOD"),
    (0x04, "E_NOT_READY"),
    (0x05, "E_NOT_REACHABLE"),
    (0x06, "E_TIMEOUT"),
    (0x07, "E_WRONG_PROTOCOL_VERSION"),
    (0x08, "E_WRONG_INTERFACE_VERSION"),
    (0x09, "E_MALFORMED_MESSAGE"),
    (0x0a, "E_WRONG_MESSAGE_TYPE"),
    (0x0b, "E_E2E_REPEATED"),
    (0x0c, "E_E2E_WRONG_SEQUENCE"),
    (0x0d, "E_E2E"),
    (0x0e, "E_E2E_NOT_AVAILABLE"),
    (0x0f, "E_E2E_NO_NEW_DATA"),
];

/// A message's header.
pub(crate) fn someip(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "someip";
    let whole = c;
    let mut c = c;
    put!(p, "SOMEIP");
    if length < 16 {
        return p.invalid_message(whole, length);
    }
    put!(p, ", service ", c.u16()?);
    let method = c.u16()?;
    if method & 0x8000 == 0 {
        put!(p, ", method ", method);
    } else {
        put!(p, ", event ", method & 0x7fff);
    }
    let stated = c.u32()?;
    put!(p, ", len ", stated);
    put!(p, ", client ", c.u16()?);
    put!(p, ", session ", c.u16()?);
    put!(p, ", pver ", c.u8()?);
    put!(p, ", iver ", c.u8()?);
    let message = c.u8()?;
    put!(
        p,
        ", msgtype ",
        lookup(MESSAGES, message).unwrap_or("Unknown")
    );
    let code = c.u8()?;
    put!(p, ", retcode ", lookup(RETURNS, code).unwrap_or("Unknown"));
    Ok(())
}
