//! The devices of our network namespace, now and as they come and go (rtnetlink(7)).

use std::os::fd::BorrowedFd;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use pktwho_packet::{Iface, LinkType, NetnsId};
use rustix::io::Errno;

use crate::Error;
use crate::netlink::Socket;

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
const LINK_GROUP: u32 = 1;

/// A device as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    pub(crate) fn iface(
        &self,
        id: u32,
        link_type: LinkType,
        snaplen: u32,
        netns: NetnsId,
    ) -> Iface {
        Iface {
            id,
            index: self.index,
            name: self.name.clone(),
            link_type,
            snaplen,
            description: self.alias.clone(),
            mac: self.mac,
            speed: std::fs::read_to_string(format!("/sys/class/net/{}/speed", self.name))
                .ok()
                .and_then(|text| text.trim().parse::<u64>().ok())
                .map(|megabits| megabits * 1_000_000),
            netns: Some(netns),
        }
    }

    fn from_message(message: &LinkMessage) -> Option<Self> {
        let mut device = Self {
            index: message.header.index,
            name: String::new(),
            arphrd: message.header.link_layer_type.into(),
            mac: None,
            alias: None,
            up: message.header.flags.contains(LinkFlags::Up),
            running: message.header.flags.contains(LinkFlags::Running),
            loopback: message.header.flags.contains(LinkFlags::Loopback),
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => device.name.clone_from(name),
                LinkAttribute::IfAlias(alias) => device.alias = Some(alias.clone()),
                LinkAttribute::Address(address) => device.mac = address.as_slice().try_into().ok(),
                _ => {}
            }
        }
        (!device.name.is_empty()).then_some(device)
    }
}

/// Something happened to a device.
#[derive(Clone, Debug)]
pub enum DeviceChange {
    /// It is new, or something about it changed.
    Present(Device),
    /// It is gone, or has moved to another namespace.
    Gone(u32),
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

/// Hears of devices that come, change and go.
#[derive(Debug)]
pub struct Monitor(Socket);

impl Monitor {
    /// Hears of every change from now on.
    pub fn new() -> Result<Self, Error> {
        Socket::open(LINK_GROUP)
            .map(Self)
            .map_err(Error::system("cannot open a netlink socket"))
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }

    /// What has changed since the last call; does not wait. When messages were lost, every
    /// device that exists is told of anew.
    pub fn changes(&mut self) -> Result<Vec<DeviceChange>, Error> {
        match self.0.pending() {
            Ok(messages) => Ok(messages
                .iter()
                .filter_map(|message| match message {
                    RouteNetlinkMessage::NewLink(link) => {
                        Device::from_message(link).map(DeviceChange::Present)
                    }
                    RouteNetlinkMessage::DelLink(link) => {
                        Some(DeviceChange::Gone(link.header.index))
                    }
                    _ => None,
                })
                .collect()),
            Err(Errno::NOBUFS) => Ok(devices()?.into_iter().map(DeviceChange::Present).collect()),
            Err(errno) => Err(Error::system("cannot follow the devices")(errno)),
        }
    }
}
