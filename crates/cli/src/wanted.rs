//! Which packets of a capture are wanted: the filter as the kernel takes it, and what is left
//! for us to decide.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Error, Result, bail};
use pktwho_filter::{Device, Machine};
use pktwho_packet::{Iface, LinkType, NetnsId, Packet};
use pktwho_probe as probe;
use rustc_hash::FxHashMap;

use crate::filter::Filter;
use crate::names::{self, Lookup};
use crate::plan;
use crate::program;

/// The filter by namespace and index of the device.
type Machines = FxHashMap<(Option<NetnsId>, u32), Machine>;

/// The filter of a capture. The kernel has it; here it is for packets on which the kernel could
/// not decide, since a term asks for something that only user space knows.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    machines: Rc<RefCell<Machines>>,
    /// Why the filter was refused last, with its place.
    refusal: Rc<RefCell<Option<Error>>>,
}

impl Wanted {
    /// The filter for the kernel. `command` is the process that we have started; `alone`: one
    /// device is captured on.
    ///
    /// # Errors
    /// The text is no filter.
    pub fn filter(
        &self,
        plan: &plan::Live,
        command: Option<u32>,
        alone: bool,
    ) -> Result<probe::Filter> {
        let mut owners = plan.owners.clone();
        owners.pids.extend(command);
        let filter = Filter::new(&plan.filter, &owners)?;
        let link_type = plan.link_type;
        let mut lookup = Lookup::default();
        let (machines, refusal) = (Rc::clone(&self.machines), Rc::clone(&self.refusal));
        let lower = move |iface: &Iface| {
            let graph = has_link_type(iface, link_type)
                .and_then(|()| filter.graph(&device(iface, alone), &mut lookup))
                .map_err(|error| {
                    let text = error.to_string();
                    *refusal.borrow_mut() = Some(error);
                    text
                })?;
            if !graph.owners.is_empty() {
                let machine = Machine::new(&graph);
                let mut machines = machines.borrow_mut();
                machines.insert((iface.netns, iface.index), machine);
            }
            Ok(graph)
        };
        Ok(probe::Filter {
            lower: Some(Box::new(lower)),
            follow: plan.owners.follow_forks || command.is_some(),
            must_run: plan.owners.pids.clone(),
            counted: command,
        })
    }

    /// Why the filter was refused, with its place.
    pub fn take_refusal(&self) -> Option<Error> {
        self.refusal.borrow_mut().take()
    }

    /// Whether a packet is wanted on which the kernel could not decide.
    pub fn takes(&self, packet: &Packet<'_>) -> bool {
        let machines = self.machines.borrow();
        machines
            .get(&(packet.iface.netns, packet.iface.index))
            .is_none_or(|machine| machine.accepts(packet.data, packet.orig_len, packet))
    }
}

/// `-y`
fn has_link_type(iface: &Iface, wanted: Option<LinkType>) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != iface.link_type => bail!(
            "{} is not one of the DLTs supported by this device",
            program::short(wanted)
        ),
        _ => Ok(()),
    }
}

fn device(iface: &Iface, alone: bool) -> Device {
    // compat: tcpdump knows the netmask when it captures on one device, and takes 0 where there
    // is none (4.99.3).
    let netmask = alone.then(|| names::netmask(&iface.name)).flatten();
    Device {
        link_type: iface.link_type,
        name: Some(iface.name.clone()),
        ifindex: Some(iface.index),
        netns: iface.netns.map(|netns| u64::from(netns.0)),
        netmask: Some(netmask.unwrap_or(0)),
        live: true,
        directions: true,
    }
}
