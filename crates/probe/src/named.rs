//! What is done for devices that were named, in our own network namespace: they are put into
//! promiscuous mode, and what they drop themselves is counted.
//!
//! A network card drops what comes while its ring is full, before anything of the kernel sees it.
//! `compat:` tcpdump 4.99.3 with libpcap 1.10.3 tells that of a device in promiscuous mode: what is
//! added, while the capture lasts, to its `rx_missed_errors` and `rx_fifo_errors`. libpcap looks into
//! sysfs, which may be another namespace's; we ask rtnetlink(7) (`IFLA_STATS64`), which had to be asked
//! about devices at the start anyway.

use std::os::fd::OwnedFd;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;

use crate::device::Device;
use crate::netlink::Socket;
use crate::sys;

/// Devices that were named.
#[derive(Debug, Default)]
pub struct Named {
    /// They are in promiscuous mode while these are open.
    sockets: Vec<OwnedFd>,
    devices: Vec<Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    iface: usize,
    index: u32,
    /// What it had dropped when the capture began.
    before: u64,
}

impl Named {
    /// Takes in the device of an interface.
    pub fn add(&mut self, iface: usize, device: &Device) {
        // As tcpdump: a device that cannot is captured on all the same.
        self.sockets.extend(sys::promiscuous(device.index));
        self.devices.extend(device.dropped.map(|before| Known {
            iface,
            index: device.index,
            before,
        }));
    }

    /// What each of so many interfaces has dropped itself; `None` where nobody knows.
    pub fn dropped(&self, ifaces: usize) -> Vec<Option<u64>> {
        let mut dropped = vec![None; ifaces];
        if self.devices.is_empty() {
            return dropped;
        }
        // Who cannot ask does not know.
        let Ok(mut socket) = Socket::open(0) else {
            return dropped;
        };
        for known in &self.devices {
            if let Some(slot) = dropped.get_mut(known.iface) {
                *slot = ask(&mut socket, known.index).map(|now| since(known.before, now));
            }
        }
        dropped
    }

    /// They may leave promiscuous mode; what they have dropped can still be asked.
    pub fn release(&mut self) {
        self.sockets.clear();
    }
}

/// A driver that has begun anew has dropped at least what it says now.
fn since(before: u64, now: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

/// What a device has dropped so far; `None` when it is gone.
fn ask(socket: &mut Socket, index: u32) -> Option<u64> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    let answer = socket.request(RouteNetlinkMessage::GetLink(message)).ok()?;
    let mut devices = answer.iter().filter_map(|message| match message {
        RouteNetlinkMessage::NewLink(link) => Device::from_message(link),
        _ => None,
    });
    devices.find(|device| device.index == index)?.dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::devices;
    use netlink_packet_route::link::{LinkAttribute, Stats64};

    #[test]
    fn what_was_dropped_before_is_not_ours() {
        assert_eq!(since(100, 107), 7);
        assert_eq!(since(107, 107), 0);
        assert_eq!(since(107, 3), 3);
    }

    #[test]
    fn both_counters_are_told() {
        let mut stats = Stats64::default();
        (stats.rx_missed_errors, stats.rx_fifo_errors) = (3, 4);
        stats.rx_dropped = 100;
        let mut message = LinkMessage::default();
        let name = LinkAttribute::IfName("eth7".to_owned());
        message.attributes = vec![name, LinkAttribute::Stats64(stats)];
        let device = Device::from_message(&message).unwrap();
        assert_eq!(device.dropped, Some(7));
        message.attributes.pop();
        assert_eq!(Device::from_message(&message).unwrap().dropped, None);
    }

    /// One device by one is told as all together are, and as sysfs says.
    #[test]
    fn the_kernel_tells_it_of_each_device() {
        let all = devices().unwrap();
        let mut named = Named::default();
        for (iface, device) in all.iter().enumerate() {
            let (index, before) = (device.index, device.dropped.unwrap());
            named.devices.push(Known {
                iface: iface + 1,
                index,
                before,
            });
            let sysfs = |name: &str| {
                let device = &device.name;
                let path = format!("/sys/class/net/{device}/statistics/{name}");
                std::fs::read_to_string(path).map(|text| text.trim().parse::<u64>().unwrap())
            };
            let now = ask(&mut Socket::open(0).unwrap(), index).unwrap();
            // Tests may run where sysfs is not to be seen.
            if let (Ok(missed), Ok(fifo)) = (sysfs("rx_missed_errors"), sysfs("rx_fifo_errors")) {
                assert!(before <= now && now <= missed + fifo);
            }
        }
        assert!(!all.is_empty());
        let dropped = named.dropped(all.len() + 1);
        assert_eq!(dropped.first(), Some(&None));
        assert!(dropped.iter().skip(1).all(Option::is_some));
        // No such device, and no such interface.
        named.devices = vec![Known {
            iface: 0,
            index: 0x7fff_fff0,
            before: 0,
        }];
        assert_eq!(named.dropped(1), [None]);
        assert_eq!(named.dropped(0), []);
    }
}
