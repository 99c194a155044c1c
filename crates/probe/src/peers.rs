//! To which network namespaces our devices lead: the other ends of veth pairs, for one.
//!
//! Source: rtnetlink(7), `IFLA_LINK_NETNSID` and `RTM_GETNSID`.

use std::os::fd::{AsFd as _, AsRawFd as _};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use pktwho_packet::NetnsId;
use rustc_hash::FxHashMap;

use crate::Netns;
use crate::netlink::Socket;

/// The namespaces that devices of the calling thread's namespace lead to, by the devices' indexes.
/// Of what cannot be asked nothing is known.
pub fn peers() -> FxHashMap<u32, NetnsId> {
    let Ok(mut socket) = Socket::open(0) else {
        return FxHashMap::default();
    };
    let ends = ends(&mut socket);
    if ends.is_empty() {
        return FxHashMap::default();
    }
    let mut names: FxHashMap<i32, NetnsId> = FxHashMap::default();
    for netns in Netns::every().unwrap_or_default() {
        if let Some(nsid) = nsid(&mut socket, &netns) {
            names.insert(nsid, netns.id());
        }
    }
    let ends = ends.into_iter();
    ends.filter_map(|(index, nsid)| Some((index, *names.get(&nsid)?)))
        .collect()
}

fn ends(socket: &mut Socket) -> Vec<(u32, i32)> {
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let messages = socket.dump(request).unwrap_or_default();
    let end = |message| {
        let RouteNetlinkMessage::NewLink(link) = message else {
            return None;
        };
        let nsid = link
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::LinkNetNsId(id) if *id >= 0 => Some(*id),
                _ => None,
            });
        Some((link.header.index, nsid?))
    };
    messages.into_iter().filter_map(end).collect()
}

/// The id that our namespace has given another, if it has.
fn nsid(socket: &mut Socket, netns: &Netns) -> Option<i32> {
    let file = netns.open().ok()?;
    let mut request = NsidMessage::default();
    let number = u32::try_from(file.as_fd().as_raw_fd()).ok()?;
    request.attributes.push(NsidAttribute::Fd(number));
    let answer = socket.request(RouteNetlinkMessage::GetNsId(request)).ok()?;
    answer.into_iter().find_map(|message| match message {
        RouteNetlinkMessage::NewNsId(told) => {
            told.attributes
                .iter()
                .find_map(|attribute| match attribute {
                    NsidAttribute::Id(id) if *id >= 0 => Some(*id),
                    _ => None,
                })
        }
        _ => None,
    })
}
