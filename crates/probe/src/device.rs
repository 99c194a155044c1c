//! The devices of a network namespace (rtnetlink(7)).

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use pktwho_packet::{Iface, LinkType};

use crate::Error;
use crate::netlink::Socket;
use crate::netns::Netns;

/// From `linux/if_arp.h`.
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_PPP: u16 = 512;
const ARPHRD_RAWIP: u16 = 519;
const ARPHRD_TUNNEL: u16 = 768;
const ARPHRD_TUNNEL6: u16 = 769;
const ARPHRD_LOOPBACK: u16 = 772;
const ARPHRD_SIT: u16 = 776;
const ARPHRD_IPGRE: u16 = 778;
const ARPHRD_IEEE80211: u16 = 801;
const ARPHRD_IEEE80211_RADIOTAP: u16 = 803;
const ARPHRD_IP6GRE: u16 = 823;
const ARPHRD_NONE: u16 = 0xfffe;

/// The group that link messages are sent to (`RTMGRP_LINK`, `linux/rtnetlink.h`).
pub(crate) const LINK_GROUP: u32 = 1;

/// A device as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the kernel's flags")]
pub struct Device {
    pub index: u32,
    pub name: String,
    /// `ARPHRD_…` of `linux/if_arp.h`.
    pub arphrd: u16,
    pub mac: Option<[u8; 6]>,
    /// The text set by `ip link set dev X alias …`.
    pub alias: Option<String>,
    pub up: bool,
    pub running: bool,
    pub loopback: bool,
    /// The layer below is there: a cable is plugged in, the peer is up.
    pub carrier: bool,
    /// What it had no room for since it came up: `rx_missed_errors` and `rx_fifo_errors`.
    pub dropped: Option<u64>,
}

impl Device {
    /// The link type of what we capture on it; `None` when we cannot.
    pub fn link_type(&self) -> Option<LinkType> {
        match self.arphrd {
            ARPHRD_ETHER | ARPHRD_LOOPBACK => Some(LinkType::ETHERNET),
            ARPHRD_NONE | ARPHRD_RAWIP | ARPHRD_PPP | ARPHRD_TUNNEL | ARPHRD_TUNNEL6
            | ARPHRD_SIT | ARPHRD_IPGRE | ARPHRD_IP6GRE => Some(LinkType::RAW),
            ARPHRD_IEEE80211 => Some(LinkType::IEEE802_11),
            ARPHRD_IEEE80211_RADIOTAP => Some(LinkType::IEEE802_11_RADIO),
            _ => None,
        }
    }

    pub(crate) fn iface(&self, id: u32, link_type: LinkType, snaplen: u32, netns: &Netns) -> Iface {
        // That of our own namespace alone lies there.
        let speed = netns
            .is_own()
            .then(|| std::fs::read_to_string(format!("/sys/class/net/{}/speed", self.name)));
        Iface {
            id,
            index: self.index,
            name: netns.shown(&self.name),
            link_type,
            snaplen,
            description: self.alias.clone(),
            mac: self.mac,
            speed: speed
                .and_then(Result::ok)
                .and_then(|text| text.trim().parse::<u64>().ok())
                .map(|megabits| megabits * 1_000_000),
            netns: Some(netns.id()),
        }
    }

    /// The one to capture on when none is named: the first that is up and not the loopback.
    pub fn likeliest(devices: &[Self]) -> Option<&Self> {
        let mut usable = devices.iter().filter(|d| d.link_type().is_some());
        usable.find(|device| device.running && device.up && !device.loopback)
    }

    pub(crate) fn from_message(message: &LinkMessage) -> Option<Self> {
        let mut device = Self {
            index: message.header.index,
            name: String::new(),
            arphrd: message.header.link_layer_type.into(),
            mac: None,
            alias: None,
            up: message.header.flags.contains(LinkFlags::Up),
            running: message.header.flags.contains(LinkFlags::Running),
            loopback: message.header.flags.contains(LinkFlags::Loopback),
            carrier: false,
            dropped: None,
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => device.name.clone_from(name),
                LinkAttribute::Carrier(carrier) => device.carrier = *carrier != 0,
                LinkAttribute::IfAlias(alias) => device.alias = Some(alias.clone()),
                LinkAttribute::Stats64(stats) => {
                    let dropped = stats.rx_missed_errors.checked_add(stats.rx_fifo_errors);
                    device.dropped = dropped;
                }
                LinkAttribute::Address(address) => device.mac = address.as_slice().try_into().ok(),
                _ => {}
            }
        }
        (!device.name.is_empty()).then_some(device)
    }
}

/// All devices of the calling thread's network namespace, by index.
///
/// # Errors
/// When rtnetlink cannot be asked.
pub fn devices() -> Result<Vec<Device>, Error> {
    let mut socket = Socket::open(0).map_err(Error::system("cannot open a netlink socket"))?;
    let request = RouteNetlinkMessage::GetLink(LinkMessage::default());
    let answer = socket
        .dump(request)
        .map_err(Error::system("cannot list the devices"))?;
    let mut devices: Vec<Device> = answer
        .iter()
        .filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(link) => Device::from_message(link),
            _ => None,
        })
        .collect();
    devices.sort_by_key(|device| device.index);
    Ok(devices)
}
