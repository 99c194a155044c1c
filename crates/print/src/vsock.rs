//! Linux's sockets between virtual machines and hosts, as `vsockmon` sees them.
//!
//! Source: the kernel's `include/uapi/linux/vsockmon.h` and `virtio_vsock.h`.

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, put};

const HEADER: usize = 32;
const VIRTIO: u16 = 2;

static OPERATIONS: &[(u16, &str)] = &[
    (0, "UNKNOWN"),
    (1, "CONNECT"),
    (2, "DISCONNECT"),
    (3, "CONTROL"),
    (4, "PAYLOAD"),
];

static VIRTIO_OPERATIONS: &[(u16, &str)] = &[
    (0, "INVALID"),
    (1, "REQUEST"),
    (2, "RESPONSE"),
    (3, "RST"),
    (4, "SHUTDOWN"),
    (5, "RW"),
    (6, "CREDIT UPDATE"),
    (7, "CREDIT REQUEST"),
];

/// `LINKTYPE_VSOCK`.
pub(crate) fn vsock(p: &mut Out<'_>, c: Cursor<'_>, _wire: usize) -> Printed {
    p.protocol = "vsock";
    let captured = c.remaining();
    let mut c = c;
    if c.remaining() < HEADER {
        return Err(Truncated);
    }
    let (source, destination) = (c.u64_le()?, c.u64_le()?);
    let (source_port, destination_port) = (c.u32_le()?, c.u32_le()?);
    let (operation, transport, length) = (c.u16_le()?, c.u16_le()?, usize::from(c.u16_le()?));
    c.skip(2)?;
    p.link_len = HEADER + length;
    let known = transport == VIRTIO;
    match transport {
        0 => put!(p, "UNKNOWN"),
        1 => put!(p, "NO_INFO"),
        VIRTIO => put!(p, "VIRTIO"),
        _ => put!(p, "Invalid transport (", transport, ")"),
    }
    let mut cut = false;
    if p.verbose(1) {
        // The header of the transport, if all of it was captured.
        if length > 0 && known {
            cut = c.remaining() < length || virtio(p, c).is_err();
        }
        put!(p, if cut { "" } else { "\n\t" });
    } else {
        put!(p, " ");
    }
    put!(
        p,
        source,
        ".",
        source_port,
        " > ",
        destination,
        ".",
        destination_port
    );
    match lookup(OPERATIONS, operation) {
        Some(name) => put!(p, " ", name),
        None => put!(p, "  invalid op (", operation, ")"),
    }
    // compat: the length is that of the capture.
    put!(p, ", length ", captured);
    if cut {
        return Err(Truncated);
    }
    if p.verbose(2) {
        let payload = c.rest().get(length..).unwrap_or_default();
        if !payload.is_empty() {
            put!(p, "\n");
            hexdump::hex(p, "\t", payload);
        }
    }
    Ok(())
}

fn virtio(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(44)?;
    c.skip(24)?;
    put!(p, " (len ", c.u32_le()?);
    match c.u16_le()? {
        1 => put!(p, ", type STREAM"),
        kind => put!(p, ", type Invalid type (", kind, ")"),
    }
    let operation = c.u16_le()?;
    match lookup(VIRTIO_OPERATIONS, operation) {
        Some(name) => put!(p, ", op ", name),
        None => put!(p, ", op Invalid op (", operation, ")"),
    }
    put!(p, ", flags ", Hex(c.u32_le()?), ", buf_alloc ", c.u32_le()?);
    put!(p, ", fwd_cnt ", c.u32_le()?, ")");
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(271),
            "0300000000000000020000000000000000040000d20400000100020000000000",
            style(0),
            "VIRTIO 3.1024 > 2.1234 CONNECT, length 32\n",
        );
    }
}
