//! What other namespaces tell of themselves while nobody looks.
//!
//! A container's first packets come a few milliseconds after its address. A look at all that lies
//! around ([`crate::reach`]) may take a hundred: each of its questions waits for whoever changes
//! devices, as runtimes do just then. So what rtnetlink(7) tells unasked counts at once, as far as it
//! is certain, until the next look.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::NsidAttribute;

use crate::abi::{Beyond, Home};
use crate::reach::{Address, NOWHERE, View, local_address, other_end, reachable};

/// One thing that is otherwise than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A namespace has an address; `None`: the one in the middle.
    Came(Option<u32>, Address),
    Went(Option<u32>, Address),
    /// A device in the middle leads to a namespace, to the device of this index there.
    Leads(u32, u32, u32),
    /// That device has gone.
    Lost(u32),
    /// That namespace has gone.
    Gone(u32),
}

impl Change {
    /// What a message says; `nsid`: of which namespace, when it is not the one in the middle.
    pub fn of(nsid: Option<i32>, message: &RouteNetlinkMessage) -> Option<Self> {
        let place = nsid.map(i32::cast_unsigned);
        match message {
            RouteNetlinkMessage::NewAddress(message) => {
                Some(Self::Came(place, reachable(local_address(message)?)?))
            }
            RouteNetlinkMessage::DelAddress(message) => {
                Some(Self::Went(place, reachable(local_address(message)?)?))
            }
            RouteNetlinkMessage::NewLink(link) if place.is_none() => {
                let (nsid, there) = other_end(link)?;
                Some(Self::Leads(link.header.index, nsid, there))
            }
            RouteNetlinkMessage::DelLink(link) if place.is_none() => {
                Some(Self::Lost(link.header.index))
            }
            RouteNetlinkMessage::DelNsId(message) if place.is_none() => {
                let id = message
                    .attributes
                    .iter()
                    .find_map(|attribute| match attribute {
                        NsidAttribute::Id(id) => u32::try_from(*id).ok(),
                        _ => None,
                    });
                Some(Self::Gone(id?))
            }
            _ => None,
        }
    }
}

impl View {
    /// Takes over changes, the oldest first.
    pub fn apply_all(&mut self, changes: &[Change]) {
        for &change in changes {
            self.apply(change);
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Came(None, address) => {
                self.homes.remove(&address);
                self.doubtful.insert(address);
            }
            Change::Came(Some(nsid), address) => self.enter(nsid, address),
            Change::Went(None, address) => {
                self.doubtful.remove(&address);
            }
            Change::Went(Some(nsid), address) => {
                if self
                    .homes
                    .get(&address)
                    .is_some_and(|home| home.nsid == nsid)
                {
                    self.homes.remove(&address);
                }
            }
            Change::Leads(index, nsid, there) => self.lead(index, nsid, there),
            Change::Lost(index) => {
                self.beyond.remove(&index);
                self.tuns.remove(&index);
            }
            Change::Gone(nsid) => {
                self.homes.retain(|_, home| home.nsid != nsid);
                self.beyond.retain(|_, beyond| beyond.nsid != nsid);
            }
        }
    }

    /// The nearer one has it; of two that are equally far, none.
    fn enter(&mut self, nsid: u32, address: Address) {
        if self.doubtful.contains(&address) {
            return;
        }
        let is_next = self.beyond.values().any(|beyond| beyond.nsid == nsid);
        if !is_next && self.tunnelled.contains(&nsid) {
            return;
        }
        let via = if is_next { nsid } else { NOWHERE };
        let new = Home {
            nsid,
            via,
            netns: 0,
        };
        match self.homes.get(&address) {
            Some(old) if old.nsid == nsid => {}
            Some(old) if (old.via == old.nsid) == is_next => {
                self.homes.remove(&address);
                self.doubtful.insert(address);
            }
            Some(_) if !is_next => {}
            _ => {
                self.homes.insert(address, new);
            }
        }
    }

    fn lead(&mut self, index: u32, nsid: u32, ifindex: u32) {
        if let Some(known) = self.beyond.get_mut(&index)
            && known.nsid == nsid
        {
            known.ifindex = ifindex;
            return;
        }
        let beyond = Beyond {
            nsid,
            forwards: 0,
            ifindex,
        };
        self.beyond.insert(index, beyond);
        for home in self.homes.values_mut().filter(|home| home.nsid == nsid) {
            home.via = nsid;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> Address {
        let mut address = [0; 16];
        address[15] = last;
        address
    }

    /// What is known of the address that ends so, after these changes.
    fn check(changes: &[Change], last: u8, expected: Option<(u32, u32)>) {
        let mut view = View::default();
        view.apply_all(changes);
        let home = view.homes.get(&at(last)).map(|home| (home.nsid, home.via));
        assert_eq!(home, expected, "{changes:?}");
    }

    #[test]
    fn an_address_counts_from_when_it_comes_until_it_goes() {
        let came = Change::Came(Some(3), at(1));
        check(&[came], 1, Some((3, NOWHERE)));
        check(&[Change::Leads(7, 3, 2), came], 1, Some((3, 3)));
        check(&[came, Change::Leads(7, 3, 2)], 1, Some((3, 3)));
        check(&[came, came], 1, Some((3, NOWHERE)));
        check(&[came, Change::Went(Some(3), at(1))], 1, None);
        check(&[came, Change::Went(Some(4), at(1))], 1, Some((3, NOWHERE)));
        check(&[came, Change::Gone(3)], 1, None);
        check(
            &[came, Change::Gone(3), Change::Came(Some(4), at(1))],
            1,
            Some((4, NOWHERE)),
        );
    }

    #[test]
    fn an_address_that_several_have_is_of_none_or_of_the_nearest() {
        let (near, other, far) = (
            Change::Came(Some(3), at(1)),
            Change::Came(Some(4), at(1)),
            Change::Came(Some(5), at(1)),
        );
        let leads = [Change::Leads(7, 3, 2), Change::Leads(8, 4, 2)];
        check(&[leads[0], leads[1], near, other], 1, None);
        check(&[leads[0], leads[1], near, other, near], 1, None);
        check(&[leads[0], far, near], 1, Some((3, 3)));
        check(&[leads[0], near, far], 1, Some((3, 3)));
        check(&[Change::Came(None, at(1)), near], 1, None);
        check(&[near, Change::Came(None, at(1))], 1, None);
    }

    #[test]
    fn what_is_beyond_a_tun_device_is_looked_for() {
        let mut view = View::default();
        view.tunnelled.insert(3);
        view.apply(Change::Came(Some(3), at(1)));
        assert!(view.homes.is_empty());
        view.apply(Change::Leads(7, 3, 2));
        view.apply(Change::Came(Some(3), at(1)));
        assert_eq!(view.homes.len(), 1, "it is next to us as well");
    }

    #[test]
    fn a_device_leads_elsewhere_until_it_goes() {
        let mut view = View::default();
        view.apply(Change::Leads(7, 3, 2));
        assert_eq!(view.beyond.get(&7).map(|beyond| beyond.nsid), Some(3));
        view.apply(Change::Leads(7, 4, 2));
        assert_eq!(view.beyond.get(&7).map(|beyond| beyond.nsid), Some(4));
        view.apply(Change::Lost(7));
        assert!(view.beyond.is_empty());
    }
}
