//! Calls of ONC RPC (RFC 5531), as `-T rpc` asks for them: procedures are named as those of the
//! port mapper (RFC 1833 section 3), whatever program is called. Replies are read as NFS's.

use pktwho_wire::Cursor;

use crate::Transport;
use crate::ip_proto::Ip;
use crate::nfs;
use crate::out::{Out, Printed};
use crate::port::Ends;
use crate::put::{Hex, put};

/// What tcpdump takes calls to go to, whatever their port is.
const PORT: u16 = 111;
const CALL: u32 = 0;
/// Up to the length of the credentials.
const HEADER: usize = 32;

static PROCEDURES: [&str; 6] = ["null", "set", "unset", "getport", "dump", "call"];

/// A message in a datagram whose ends are not shown yet: its number stands for the caller's port.
pub(crate) fn datagram(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    let mut head = c;
    let (id, direction) = (head.u32()?, head.u32()?);
    if direction == CALL {
        return call(p, c, length, ip);
    }
    p.addr(ip.src);
    put!(p, ".");
    p.port(Transport::Udp, nfs::PORT);
    put!(p, " > ");
    p.addr(ip.dst);
    put!(p, ".", id, ": ");
    // No call is remembered under these ports: what is answered is not known.
    p.ends = Some(Ends::new(ip, 0, 0));
    nfs::reply(p, head, id, length)
}

fn call(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "sunrpc";
    c.need(HEADER)?;
    let mut c = c;
    let id = c.u32()?;
    c.skip(4)?;
    let [rpc, program, version, procedure] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?];
    p.addr(ip.src);
    put!(p, ".0x", Hex(id), " > ");
    p.addr(ip.dst);
    put!(p, ".");
    if p.style.numeric {
        put!(p, "0x", Hex(PORT));
    } else {
        p.port(Transport::Udp, PORT);
    }
    put!(p, ": ", length, " ");
    let index = usize::try_from(procedure).unwrap_or(usize::MAX);
    match PROCEDURES.get(index) {
        Some(name) => put!(p, *name),
        None => put!(p, " proc #", procedure),
    }
    if rpc != 2 {
        put!(p, " [rpcver ", rpc, "]");
    }
    if matches!(procedure, 1..=3 | 5) {
        let mark = if p.style.numeric { "" } else { "#" };
        put!(p, " ", mark, program, ".", version);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{bytes, style, text};
    use crate::{PacketType, Style};

    fn datagram(payload: &str, expected: &str) {
        let asked = Style {
            packet_type: Some(PacketType::Rpc),
            ..style(0)
        };
        let around = "450000440001000040110000090000010900000202bc006f00300000";
        let packet = format!("{around}{payload}");
        let data = bytes(&packet);
        let cut = 68 - u32::try_from(data.len()).unwrap();
        assert_eq!(text(LinkType::RAW, &data, cut, asked), expected);
    }

    #[test]
    fn calls_and_replies() {
        let program = "000186a000000002";
        datagram(
            &format!("0000123400000000{:08x}{program}{:08x}{:016x}", 2, 3, 0),
            "IP 9.0.0.1.0x1234 > 9.0.0.2.0x6f: 40 getport 100000.2\n",
        );
        datagram(
            &format!("0000123400000000{:08x}{program}{:08x}{:016x}", 3, 9, 0),
            "IP 9.0.0.1.0x1234 > 9.0.0.2.0x6f: 40  proc #9 [rpcver 3]\n",
        );
        datagram(
            "00001234000000010000000000000000",
            "IP 9.0.0.1.2049 > 9.0.0.2.4660: reply ok 40\n",
        );
    }

    #[test]
    fn says_no_more_than_was_captured() {
        datagram("00001234000000", "IP  [|udp]\n");
        datagram("0000123400000000", "IP  [|sunrpc]\n");
        let reply = "IP 9.0.0.1.2049 > 9.0.0.2.4660:  [|nfs]\n";
        datagram("0000123400000001", reply);
    }
}
