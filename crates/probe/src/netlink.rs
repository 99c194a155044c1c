//! Asking rtnetlink(7) and waiting for the whole answer.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::sys;

/// Link messages of devices with many virtual functions are long.
const BUFFER: usize = 64 * 1024;
/// How often a list is asked for that changes meanwhile.
const ATTEMPTS: u32 = 4;

#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Socket {
    /// `groups`: what to hear of unasked (`RTMGRP_…`, linux/rtnetlink.h).
    pub fn open(groups: u32) -> Result<Self, Errno> {
        let fd = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            // NETLINK_ROUTE is protocol 0.
            None,
        )?;
        rustix::net::bind(&fd, &SocketAddrNetlink::new(0, groups))?;
        Ok(Self {
            fd,
            buffer: vec![0; BUFFER],
        })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Sends a dump request and collects the answer. One that a change has torn is asked for again
    /// a few times, and taken as it is then.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn dump(
        &mut self,
        request: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Errno> {
        self.attempts(request).map(|(answer, _)| answer)
    }

    /// The same, but `EINTR` for one that is torn each time.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn dump_whole(
        &mut self,
        request: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Errno> {
        match self.attempts(request)? {
            (_, true) => Err(Errno::INTR),
            (answer, false) => Ok(answer),
        }
    }

    fn attempts(
        &mut self,
        request: RouteNetlinkMessage,
    ) -> Result<(Vec<RouteNetlinkMessage>, bool), Errno> {
        for _ in 1..ATTEMPTS {
            if let whole @ (_, false) = self.ask(request.clone(), NLM_F_DUMP)? {
                return Ok(whole);
            }
        }
        self.ask(request, NLM_F_DUMP)
    }

    /// Sends any other request and collects what comes before it is acknowledged.
    pub fn request(
        &mut self,
        request: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Errno> {
        self.ask(request, NLM_F_ACK).map(|(answer, _)| answer)
    }

    /// Also whether something has changed while it was collected.
    fn ask(
        &mut self,
        request: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(Vec<RouteNetlinkMessage>, bool), Errno> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        rustix::net::send(&self.fd, &bytes, SendFlags::empty())?;
        let mut answer = Vec::new();
        let mut is_torn = false;
        loop {
            let (len, _) = rustix::net::recv(&self.fd, &mut self.buffer, RecvFlags::empty())?;
            for (payload, is_of_two) in payloads(self.buffer.get(..len).unwrap_or_default()) {
                is_torn |= is_of_two;
                match payload {
                    NetlinkPayload::InnerMessage(message) => answer.push(message),
                    NetlinkPayload::Done(_) => return Ok((answer, is_torn)),
                    NetlinkPayload::Error(error) => {
                        return match error.raw_code() {
                            // What was asked for has been done.
                            0 => Ok((answer, is_torn)),
                            code => Err(Errno::from_raw_os_error(code.abs())),
                        };
                    }
                    _ => {}
                }
            }
        }
    }

    /// Hands over the messages that have come unasked, one by one, and the id of the network namespace
    /// that each is about, when it is another one; does not wait. Whether anything has come.
    ///
    /// # Errors
    /// What the kernel says; `ENOBUFS`: some were lost.
    pub fn hear(
        &mut self,
        mut take: impl FnMut(Option<i32>, &RouteNetlinkMessage),
    ) -> Result<bool, Errno> {
        let mut has_come = false;
        while let Some((len, nsid)) = self.receive()? {
            has_come = true;
            for (payload, _) in payloads(self.buffer.get(..len).unwrap_or_default()) {
                if let NetlinkPayload::InnerMessage(message) = payload {
                    take(nsid, &message);
                }
            }
        }
        Ok(has_come)
    }

    /// Passes over the messages that have come unasked. Whether there were any, or some were lost.
    pub fn drain(&mut self) -> bool {
        let mut has_come = false;
        while let Ok(Some(_)) | Err(Errno::NOBUFS) = self.receive() {
            has_come = true;
        }
        has_come
    }

    /// The next datagram that has come unasked: its length, and of which namespace it is.
    fn receive(&mut self) -> Result<Option<(usize, Option<i32>)>, Errno> {
        loop {
            match sys::receive_nsid(self.fd.as_fd(), &mut self.buffer) {
                Ok(received) => return Ok(Some(received)),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// The messages of one datagram, and whether something has changed while they were collected; one
/// that cannot be read ends it.
pub fn payloads(mut bytes: &[u8]) -> Vec<(NetlinkPayload<RouteNetlinkMessage>, bool)> {
    let mut payloads = Vec::new();
    while let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes) {
        let len = message.header.length as usize;
        let is_torn = message.header.flags & NLM_F_DUMP_INTR != 0;
        payloads.push((message.payload, is_torn));
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        if len == 0 || bytes.is_empty() {
            break;
        }
    }
    payloads
}
