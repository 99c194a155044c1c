//! Puts the filter programs on devices: tcx where the kernel has it, else clsact.
//!
//! A filter program decides, and on a match tail-calls the capture program for its kind of
//! device and direction. Both hooks are taken first of all programs on the device, so that a
//! program which ends the chain hides nothing from us.
//!
//! Nothing is left behind: a tcx link goes with its descriptor; clsact filters are removed on
//! drop, and by the [`janitor`](crate::janitor) when we are killed.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use libbpf_rs::{TC_EGRESS, TC_INGRESS, TcHook, TcHookBuilder};
use netlink_packet_core::Emitable;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcHeader, TcMessage};
use pktwho_packet::LinkType;

use crate::device::Device;
use crate::filter::{Filters, OWNING};
use crate::grace;
use crate::janitor::Janitor;
use crate::netlink::Socket;
use crate::netns::Netns;
use crate::sys;
use crate::{DirectionChoice, Error};

/// How packets are taken from the kernel: by which hook of traffic control, or by none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// tcx where the kernel has it, else clsact.
    #[default]
    Auto,
    /// Links, Linux 6.6.
    Tcx,
    /// `cls_bpf` on a clsact queueing discipline, Linux 4.5.
    Clsact,
    /// No programs: a packet socket for each device (packet(7)), Linux 3.2.
    PacketSocket,
}

/// Our place among the filters of a clsact hook: the first.
const PRIORITY: u32 = 1;
/// Handles tried from our process id on, where others (of other pid namespaces) have taken some.
const HANDLES: usize = 128;

/// Where the filters of a capture hang, and how.
///
/// Filters on a clsact that a pktwho has made have the name [`OWNING`]. Whoever finds one there
/// joins in: the last one to go removes the clsact; one that others have made stays.
#[derive(Debug)]
pub struct Attacher {
    backend: Backend,
    direction: DirectionChoice,
    janitor: Option<Janitor>,
    /// A queueing discipline of ours has come, and will go.
    is_felt: bool,
}

/// Up to so many devices are attached to at the kernel's own pace. Each link of tcx costs it a grace
/// period of 10 ms and more under the lock of all network configuration, when it is made and when
/// it goes: 81 devices take 2 s. For more, grace periods are [short](crate::grace) meanwhile: 0.02 s.
///
/// clsact takes as little, but is no way out: while it comes or goes, the kernel drops what the
/// device has to send, for milliseconds (`dev_deactivate` in `net/sched/sch_generic.c`).
pub const FEW: usize = 4;

/// How often a queueing discipline is tried to be removed, and how long after the last time.
const TRIES: usize = 50;
const AGAIN: Duration = Duration::from_millis(2);

/// What hangs on one device; dropping a tcx link detaches it.
#[derive(Debug)]
pub enum Attachment {
    Tcx(Vec<OwnedFd>),
    Clsact(ClsactFilters),
}

/// Filters on the clsact hooks of one device.
#[derive(Clone, Debug)]
pub struct ClsactFilters {
    pub netns: Netns,
    pub ifindex: u32,
    /// The queueing discipline was made by a pktwho, and goes with the last of them.
    pub ours: bool,
    /// (egress, handle)
    pub filters: Vec<(bool, u32)>,
}

impl Attacher {
    pub fn new(backend: Backend, direction: DirectionChoice) -> Self {
        Self {
            backend,
            direction,
            janitor: None,
            is_felt: false,
        }
    }

    /// What others feel of it, for the user.
    pub fn notice(&self) -> Option<String> {
        self.is_felt.then(|| {
            "devices drop what they send for some milliseconds, now and when the capture ends: clsact \
             comes and goes so; Linux 6.6 has tcx"
                .to_owned()
        })
    }

    /// So many devices are about to be attached to, or left; or it is done.
    pub fn hasten(&mut self, devices: usize, is_begun: bool) {
        if devices <= FEW || !matches!(self.backend, Backend::Auto | Backend::Tcx) {
            return;
        }
        if self.janitor.is_none() && sys::ask_tcx().is_ok() && grace::switch().is_some() {
            // Without one it takes its time.
            self.janitor = Janitor::start().ok();
        }
        if let Some(janitor) = &mut self.janitor {
            janitor.hasten(is_begun);
        }
    }

    /// Which hooks of a device are taken; `true` is egress.
    pub fn directions(&self, device: &Device) -> Vec<bool> {
        // A packet on a loopback device passes both hooks; it is shown once, as it comes in.
        let egress = self.direction.outbound() && !device.loopback;
        [false, true]
            .into_iter()
            .filter(|&out| {
                if out {
                    egress
                } else {
                    self.direction.inbound()
                }
            })
            .collect()
    }

    /// Attaches to one device of the calling thread's namespace, which is `netns`.
    ///
    /// # Errors
    /// With the device's name.
    pub fn attach(
        &mut self,
        device: &Device,
        netns: &Netns,
        link_type: LinkType,
        graph: usize,
        filters: &mut Filters,
    ) -> Result<Attachment, Error> {
        let failed = |source| Error::Attach {
            name: netns.shown(&device.name),
            source,
        };
        let directions = self.directions(device);
        let mut filter = |egress, owning: bool| filters.first(graph, link_type, egress, owning);
        if self.backend != Backend::Clsact {
            match attach_tcx(device, &directions, &mut filter) {
                Ok(attachment) => return Ok(attachment),
                Err(error) if self.backend == Backend::Tcx => return Err(failed(error)),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    self.backend = Backend::Clsact;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        self.attach_clsact(device, netns, &directions, &mut filter)
            .map_err(failed)
    }

    fn attach_clsact(
        &mut self,
        device: &Device,
        netns: &Netns,
        directions: &[bool],
        filter: &mut Choose<'_>,
    ) -> io::Result<Attachment> {
        if self.janitor.is_none() {
            self.janitor = Some(Janitor::start()?);
        }
        let mut attached = ClsactFilters {
            netns: netns.clone(),
            ifindex: device.index,
            ours: !has_clsact(device.index)? || names_filter(device.index, OWNING)?,
            filters: Vec::new(),
        };
        self.is_felt |= attached.ours;
        let all = directions.iter().try_for_each(|&egress| {
            let program = filter(egress, attached.ours)?;
            let mut hook = hook(program.as_fd(), device.index, egress)?;
            attached.filters.push((egress, 0));
            self.attach_with_free_handle(&mut hook, &mut attached)
        });
        if let Err(error) = all {
            // Not half of it.
            self.detach(Attachment::Clsact(attached));
            return Err(error);
        }
        Ok(Attachment::Clsact(attached))
    }

    /// The janitor is told of a handle, and that the queueing discipline is ours, before the
    /// kernel is, so that no moment is unguarded; and made to forget the handle when it turns out
    /// to be another's.
    fn attach_with_free_handle(
        &mut self,
        hook: &mut TcHook,
        attached: &mut ClsactFilters,
    ) -> io::Result<()> {
        let first = rustix::process::getpid().as_raw_pid().unsigned_abs();
        for handle in (first..).take(HANDLES) {
            if let Some(last) = attached.filters.last_mut() {
                last.1 = handle;
            }
            if let Some(janitor) = &mut self.janitor {
                janitor.remember(attached)?;
            }
            hook.create().map_err(io::Error::other)?;
            match hook.handle(handle).priority(PRIORITY).attach() {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == libbpf_rs::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    attached.filters.pop();
                    return Err(io::Error::other(error));
                }
            }
        }
        attached.filters.pop();
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// The device has gone with its namespace: nothing is to be taken off any more.
    pub fn forget(&mut self, attachment: Attachment) {
        match (attachment, &mut self.janitor) {
            (Attachment::Tcx(links), _) => drop(links),
            (Attachment::Clsact(filters), Some(janitor)) => janitor.forget(&filters),
            (Attachment::Clsact(_), None) => {}
        }
    }

    /// Takes our programs off a device that we leave; one that is gone has taken them along.
    pub fn detach(&mut self, attachment: Attachment) {
        if let Attachment::Clsact(filters) = &attachment {
            let _ = filters.remove();
        }
        self.forget(attachment);
    }

    /// Takes our programs off a device at the end; where that is out of reach by now it is left to the janitor, who searches.
    pub fn release(&mut self, attachment: Attachment) {
        let is_left =
            matches!(&attachment, Attachment::Clsact(filters) if filters.remove().is_err());
        if !is_left {
            self.forget(attachment);
        }
    }
}

/// The program for a direction, on a clsact of ours or not.
type Choose<'a> = dyn FnMut(bool, bool) -> io::Result<Arc<OwnedFd>> + 'a;

fn attach_tcx(
    device: &Device,
    directions: &[bool],
    filter: &mut Choose<'_>,
) -> io::Result<Attachment> {
    directions
        .iter()
        .map(|&egress| sys::attach_tcx(filter(egress, false)?.as_fd(), device.index, egress))
        .collect::<io::Result<Vec<_>>>()
        .map(Attachment::Tcx)
}

fn hook(program: BorrowedFd<'_>, ifindex: u32, egress: bool) -> io::Result<TcHook> {
    let ifindex = i32::try_from(ifindex).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(TcHookBuilder::new(program)
        .ifindex(ifindex)
        .replace(false)
        .hook(if egress { TC_EGRESS } else { TC_INGRESS }))
}

impl ClsactFilters {
    /// Removes the filters, and the queueing discipline if we made it and nobody else uses it.
    ///
    /// # Errors
    /// The namespace cannot be entered: it is gone, and all in it, or nobody is in it.
    pub fn remove(&self) -> io::Result<()> {
        self.netns.within(|| self.remove_here())
    }

    fn remove_here(&self) {
        // Any descriptor serves: removal goes by handle and priority.
        let stdin = rustix::stdio::stdin();
        for &(egress, handle) in &self.filters {
            if let Ok(mut hook) = hook(stdin, self.ifindex, egress) {
                hook.handle(handle).priority(PRIORITY);
                let _ = hook.detach();
            }
        }
        let Ok(mut hook) = hook(stdin, self.ifindex, false) else {
            return;
        };
        hook.attach_point(TC_INGRESS | TC_EGRESS);
        for _ in 0..TRIES {
            let is_last = filters(self.ifindex).is_ok_and(|left| left.is_empty());
            if !self.ours || !is_last || hook.destroy().is_ok() {
                return;
            }
            // From 6.5 on the kernel refuses while somebody asks for the filters.
            std::thread::sleep(AGAIN);
        }
    }
}

/// `TC_H_CLSACT` and its two hooks (`linux/pkt_sched.h`).
const CLSACT: TcHandle = TcHandle {
    major: 0xffff,
    minor: 0xfff1,
};
const INGRESS_MINOR: u16 = 0xfff2;
const EGRESS_MINOR: u16 = 0xfff3;

fn tc_message(ifindex: u32, parent: TcHandle) -> io::Result<TcMessage> {
    let index = i32::try_from(ifindex).map_err(|_| io::ErrorKind::InvalidInput)?;
    let header = TcHeader {
        index,
        parent,
        ..TcHeader::default()
    };
    Ok(TcMessage::from_parts(header, Vec::new()))
}

fn has_clsact(ifindex: u32) -> io::Result<bool> {
    let message = tc_message(ifindex, TcHandle::default())?;
    let answer = Socket::open(0)?.dump(RouteNetlinkMessage::GetQueueDiscipline(message))?;
    Ok(answer.iter().any(|message| match message {
        RouteNetlinkMessage::NewQueueDiscipline(found) => {
            u32::try_from(found.header.index) == Ok(ifindex)
                && (found.header.parent == CLSACT
                    || found
                        .attributes
                        .contains(&TcAttribute::Kind("clsact".into())))
        }
        _ => false,
    }))
}

/// The filters on both hooks of a device.
fn filters(ifindex: u32) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut found = Vec::new();
    for minor in [INGRESS_MINOR, EGRESS_MINOR] {
        let parent = TcHandle {
            major: 0xffff,
            minor,
        };
        let request = RouteNetlinkMessage::GetTrafficFilter(tc_message(ifindex, parent)?);
        found.extend(Socket::open(0)?.dump(request)?);
    }
    Ok(found)
}

/// Whether a filter's program has this name (`TCA_BPF_NAME`, the name and more).
fn names_filter(ifindex: u32, name: &CStr) -> io::Result<bool> {
    Ok(filters(ifindex)?.iter().any(|filter| {
        let mut bytes = vec![0; filter.buffer_len()];
        filter.emit(&mut bytes);
        let name = name.to_bytes();
        bytes.windows(name.len()).any(|window| window == name)
    }))
}
