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
