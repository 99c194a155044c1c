//! Which devices a capture is on: in the beginning, and as they come, change and go.

use pktwho_filter::graph::Target;
use pktwho_packet::NetnsId;

use super::{Live, Place};
use crate::Error;
use crate::attach::Attachment;
use crate::beginning::link_type;
use crate::config::Interfaces;
use crate::device::Device;
use crate::netns::Netns;
use crate::spaces::Change;

/// Devices that a new namespace has mostly: its loopback device and another.
const IN_EACH: usize = 2;

impl Live {
    pub(super) fn attach_all(&mut self, devices: &[(NetnsId, Device)]) -> Result<(), Error> {
        self.attacher.hasten(devices.len(), true);
        let mut each = devices.iter();
        let all = each.try_for_each(|(netns, device)| self.attach_or_tell(*netns, device));
        self.attacher.hasten(devices.len(), false);
        all
    }

    /// Attaches to a device; of one that may be missed it is only told that it is.
    fn attach_or_tell(&mut self, netns: NetnsId, device: &Device) -> Result<(), Error> {
        match self.attach(netns, device) {
            Ok(()) => {}
            Err(error) if self.may_miss(netns) && error.is_gone() => {}
            Err(error) if self.spaces.every() && error.is_out_of_reach() => self.spaces.owe(netns),
            Err(error) if self.may_miss(netns) && !error.is_permission() => {
                self.notices.push(match error {
                    Error::Filter { .. } => {
                        let netns = self.spaces.netns(netns);
                        let name = netns.map(|netns| netns.shown(&device.name));
                        format!("{}: {error}", name.as_ref().unwrap_or(&device.name))
                    }
                    _ => error.to_string(),
                });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether a device that cannot be captured on is only told of.
    fn may_miss(&self, netns: NetnsId) -> bool {
        self.config.interfaces == Interfaces::Any || self.spaces.follows(netns)
    }

    fn attach(&mut self, netns: NetnsId, device: &Device) -> Result<(), Error> {
        let place = (netns, device.index);
        if self.attachments.contains_key(&place) {
            return Ok(());
        }
        let Some(space) = self.spaces.netns(netns) else {
            return Ok(());
        };
        let link_type = link_type(device)?;
        let id = self.ifaces.len();
        let number = u32::try_from(id).unwrap_or(u32::MAX);
        let iface = device.iface(number, link_type, self.config.snaplen, space);
        let graph = match self.graphs.remove(&place) {
            Some(graph) => graph,
            None => self.config.filter.graph(&iface)?,
        };
        let is_wanted = graph.entry != Target::Reject;
        let graph = self.filters.add(graph)?;
        for egress in self.attacher.directions(device) {
            self.filters.decide(&self.programs, graph, &iface, egress)?;
        }
        self.ifaces.push(iface);
        self.by_place.insert(place, id);
        self.last_place = Default::default();
        let attached = if is_wanted {
            let (attacher, filters) = (&mut self.attacher, &mut self.filters);
            let there = self.spaces.within(netns, || {
                attacher.attach(device, space, link_type, graph, filters)
            });
            there.and_then(|attachment| attachment)
        } else {
            // No packet of it is wanted, and none is disturbed.
            Ok(Attachment::Tcx(Vec::new()))
        };
        match attached {
            Ok(attachment) => {
                let leaves = self.attacher.directions(device).contains(&true);
                if is_wanted && leaves {
                    let guards = self.guards.iter();
                    guards.for_each(|guards| guards.is_captured(device.index));
                }
                self.attachments.insert(place, attachment);
            }
            Err(error) => {
                // Nothing can have come from it.
                self.ifaces.pop();
                self.by_place.remove(&place);
                return Err(error);
            }
        }
        let named = self.config.interfaces != Interfaces::Any;
        // The socket that does it would keep another namespace alive.
        let own = self.spaces.netns(netns).is_some_and(Netns::is_own);
        if self.config.promiscuous && named && own && !device.loopback {
            self.named.add(id, device);
        }
        Ok(())
    }

    pub(super) fn follow_devices(&mut self) -> Result<(), Error> {
        let changes = self.spaces.changes()?;
        let is_new = |netns, index| !self.attachments.contains_key(&(netns, index));
        let to_attach = |change: &Change| match change {
            Change::Present(netns, device) => usize::from(is_new(*netns, device.index)),
            Change::Gone(..) | Change::Left(_) => 0,
            Change::Unknown => self.attachments.len(),
        };
        let count = changes.iter().map(to_attach).sum();
        self.attacher.hasten(count, true);
        let mut each = changes.into_iter();
        let all = each.try_for_each(|change| self.follow_change(change));
        self.attacher.hasten(count, false);
        all
    }

    fn follow_change(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Present(netns, device) => self.follow(netns, &device)?,
            Change::Gone(netns, index) => {
                if let Some(attachment) = self.attachments.remove(&(netns, index)) {
                    self.attacher.detach(attachment);
                }
                let guards = self.guards.iter();
                guards.for_each(|guards| guards.is_released(index));
            }
            Change::Left(netns) => {
                let left = |place: &Place, _: &mut _| place.0 == netns;
                for (_, attachment) in self.attachments.extract_if(left) {
                    self.attacher.forget(attachment);
                }
            }
            Change::Unknown => {
                for netns in self.spaces.ids() {
                    self.follow_all(netns)?;
                }
            }
        }
        Ok(())
    }

    /// A device is new, or has another name.
    fn follow(&mut self, netns: NetnsId, device: &Device) -> Result<(), Error> {
        let place = (netns, device.index);
        let shown = self
            .spaces
            .netns(netns)
            .map(|netns| netns.shown(&device.name));
        let known = self
            .by_place
            .get(&place)
            .and_then(|&id| self.ifaces.get_mut(id))
            .filter(|_| self.attachments.contains_key(&place));
        match (known, shown) {
            (Some(iface), Some(shown)) => iface.name = shown,
            (None, Some(_)) if self.spaces.follows(netns) && self.spaces.wants(netns, device) => {
                self.attach_or_tell(netns, device)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Captures on what is wanted of a namespace, if it is still there.
    fn follow_all(&mut self, netns: NetnsId) -> Result<(), Error> {
        for device in self.spaces.wanted(netns).unwrap_or_default() {
            self.follow(netns, &device)?;
        }
        Ok(())
    }

    pub(super) fn meet_spaces(&mut self) -> Result<(), Error> {
        let met = self.spaces.look();
        let count = met.len() * IN_EACH;
        self.attacher.hasten(count, true);
        let all = met.into_iter().try_for_each(|netns| self.follow_all(netns));
        self.attacher.hasten(count, false);
        all
    }
}
