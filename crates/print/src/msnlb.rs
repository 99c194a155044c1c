//! Heartbeats of Microsoft's network load balancing.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;

/// A heartbeat; lengths are not used.
pub(crate) fn msnlb(p: &mut Out<'_>, mut c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "msnlb";
    put!(p, "MS NLB heartbeat");
    c.skip(8)?;
    put!(p, ", host priority: ", c.u32_le()?);
    let cluster = c.u32()?;
    put!(p, ", cluster IP: ");
    p.addr(Ipv4Addr::from(cluster));
    let host = c.u32()?;
    put!(p, ", host IP: ");
    p.addr(Ipv4Addr::from(host));
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "020000000002020000000001886f0000000000000000020000000a0000010a000002",
            style(0),
            "MS NLB heartbeat, host priority: 2, cluster IP: 10.0.0.1, host IP: 10.0.0.2\n",
        );
    }
}
