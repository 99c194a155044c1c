//! Which packets of a capture are wanted: the filter as the kernel takes it, and what is left
//! for us to decide.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Error, Result, bail};
use pktwho_filter::tree::OwnerIs;
use pktwho_filter::{Device, Doubtful, Facts, Machine, WithAncestors};
use pktwho_packet::{Iface, LinkType, NetnsId, Owner, Packet};
use pktwho_probe::{self as probe, Lineage};
use rustc_hash::FxHashMap;

use crate::filter::Filter;
use crate::names::{self, Lookup};
use crate::plan;
use crate::program;

/// The filter by namespace and index of the device.
type Machines = FxHashMap<(Option<NetnsId>, u32), Machine>;

/// Nothing that holds it can leave it in a state that is wrong.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The filter of a capture. The kernel has it; here it is for packets on which the kernel could
/// not decide, since a term asks for something that only user space knows.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    machines: Arc<Mutex<Machines>>,
    /// Why the filter was refused last, with its place.
    refusal: Arc<Mutex<Option<Error>>>,
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
        if plan.owners.follow_forks {
            refuse_patterns(&filter)?;
        }
        let link_type = plan.link_type;
        let whole_flows = filter.takes_whole_flows();
        let mut lookup = Lookup::default();
        let (machines, refusal) = (Arc::clone(&self.machines), Arc::clone(&self.refusal));
        let lower = move |iface: &Iface| {
            let graph = has_link_type(iface, link_type)
                .and_then(|()| filter.graph(&device(iface, alone), &mut lookup))
                .map_err(|error| {
                    let text = error.to_string();
                    *held(&refusal) = Some(error);
                    text
                })?;
            if !graph.owners.is_empty() {
                let machine = Machine::new(&graph);
                let mut machines = held(&machines);
                machines.insert((iface.netns, iface.index), machine);
            }
            Ok(graph)
        };
        Ok(probe::Filter {
            lower: Some(Box::new(lower)),
            whole_flows,
            follow: plan.owners.follow_forks || command.is_some(),
            must_run: plan.owners.pids.clone(),
            counted: command,
        })
    }

    /// Why the filter was refused, with its place.
    pub fn take_refusal(&self) -> Option<Error> {
        held(&self.refusal).take()
    }

    /// Whether a packet is wanted on which the kernel could not decide; `None`: that depends on
    /// what the container of an end is called. `lineage`: children are followed. `unnamed`: the
    /// ends, the sender's first, of whose container nothing is known but the id.
    pub fn takes(
        &self,
        packet: &Packet<'_>,
        lineage: Option<&Lineage>,
        unnamed: [bool; 2],
    ) -> Option<bool> {
        let machines = held(&self.machines);
        let Some(machine) = machines.get(&(packet.iface.netns, packet.iface.index)) else {
            return Some(true);
        };
        let Some(lineage) = lineage else {
            return verdict(machine, packet, packet, unnamed);
        };
        let facts = WithAncestors {
            packet,
            descends: &|process, term| lineage.holds(process, term),
        };
        verdict(machine, packet, &facts, unnamed)
    }
}

/// What the filter comes to; `None`: something else for each thing that a container without a name
/// may be.
fn verdict(
    machine: &Machine,
    packet: &Packet<'_>,
    facts: &dyn Facts,
    unnamed: [bool; 2],
) -> Option<bool> {
    let accepts = |facts: &dyn Facts| machine.accepts(packet.data, packet.orig_len, facts);
    if unnamed == [false, false] {
        return Some(accepts(facts));
    }
    let is_doubtful = |owner: &Owner<'_>| {
        let ends = [packet.sender, packet.receiver].into_iter().zip(unnamed);
        ends.filter(|(_, unnamed)| *unnamed)
            .any(|(end, _)| end.is_some_and(|end| end.process.id == owner.process.id))
    };
    let assuming = |assumed| {
        accepts(&Doubtful {
            packet,
            facts,
            is_doubtful: &is_doubtful,
            assumed,
        })
    };
    let if_none = assuming(false);
    (if_none == assuming(true)).then_some(if_none)
}

/// The kernel follows the children of what it can compare itself, which patterns are not.
fn refuse_patterns(filter: &Filter) -> Result<()> {
    for term in filter.owner_terms() {
        if let OwnerIs::Name(name) = &term.is
            && !probe::can_follow(&term.is)
        {
            let name = name.pieces.join(&b'*');
            bail!(
                "cannot follow the children of proc '{}': with -f a name is whole and shorter \
                 than 64 bytes",
                name.escape_ascii()
            );
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Expression, OwnerFilter};

    #[test]
    fn children_of_patterns_are_not_followed() {
        let check = |text: &str, expected: Option<&str>| {
            let plan = plan::Filter {
                expression: Expression::Words(text.to_owned()),
                ..plan::Filter::default()
            };
            let filter = Filter::new(&plan, &OwnerFilter::default()).unwrap();
            let refused = refuse_patterns(&filter)
                .err()
                .map(|error| error.to_string());
            assert_eq!(refused.as_deref(), expected, "{text}");
        };
        check("proc curl and exe '/usr/*' and tcp port 80", None);
        check(
            "tcp or not (pid 7 and proc cu*l)",
            Some(
                "cannot follow the children of proc 'cu*l': with -f a name is whole and shorter \
                 than 64 bytes",
            ),
        );
    }
}
