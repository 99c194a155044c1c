//! Which protocol a UDP or TCP port carries.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::{dns, text};

/// A printer of what a datagram or segment carries.
pub(crate) type Payload = fn(&mut Out<'_>, Cursor<'_>, usize) -> Printed;

/// UDP ports; the source's or the destination's decides, whichever comes first here.
static UDP: &[(u16, Payload)] = &[(53, dns::datagram), (5353, dns::multicast)];

/// TCP ports, likewise.
static TCP: &[(u16, Payload)] = &[
    (80, text::http),
    (8080, text::http),
    (3128, text::http),
    (53, dns::stream),
    (43, text::whois),
];

fn find(table: &[(u16, Payload)], source: u16, destination: u16) -> Option<Payload> {
    table
        .iter()
        .find(|entry| entry.0 == source || entry.0 == destination)
        .map(|entry| entry.1)
}

/// The printer for a UDP datagram between two ports.
pub(crate) fn udp(source: u16, destination: u16) -> Option<Payload> {
    find(UDP, source, destination)
}

/// The printer for a TCP segment between two ports.
pub(crate) fn tcp(source: u16, destination: u16) -> Option<Payload> {
    find(TCP, source, destination)
}
