//! What a capture begins with: which devices, and the filter of each.

use pktwho_filter::graph::Graph;
use pktwho_packet::{LinkType, NetnsId};
use rustc_hash::FxHashMap;

use crate::Error;
use crate::config::{Config, Interfaces};
use crate::device::Device;
use crate::live::Place;
use crate::spaces::Spaces;

/// What is captured on a device.
///
/// # Errors
/// It has a link layer that we cannot capture on.
pub(crate) fn link_type(device: &Device) -> Result<LinkType, Error> {
    device.link_type().ok_or_else(|| Error::LinkLayer {
        name: device.name.clone(),
        arphrd: device.arphrd,
    })
}

/// What the filter is for each device. Of `any` those for which it is nothing may be left out,
/// but not all.
///
/// # Errors
/// What the filter asks for, a named device has not, or none of all.
pub(crate) fn graphs(
    config: &mut Config,
    devices: &[(NetnsId, Device)],
    spaces: &Spaces,
) -> Result<FxHashMap<Place, Graph>, Error> {
    let mut graphs = FxHashMap::default();
    let mut first_refusal = None;
    for (id, device) in devices {
        let (Ok(link_type), Some(netns)) = (link_type(device), spaces.netns(*id)) else {
            continue;
        };
        let iface = device.iface(0, link_type, config.snaplen, netns);
        match config.filter.graph(&iface) {
            Err(error) if matches!(config.interfaces, Interfaces::Named(_)) => return Err(error),
            Err(error) => {
                first_refusal = first_refusal.or(Some(error));
            }
            Ok(graph) => {
                graphs.insert((*id, device.index), graph);
            }
        }
    }
    match first_refusal {
        Some(error) if graphs.is_empty() => Err(error),
        _ => Ok(graphs),
    }
}

/// The devices to begin with. Those named come in the order of the names.
///
/// # Errors
/// No namespace has a device of one of the names.
pub(crate) fn choose_devices(
    spaces: &mut Spaces,
    interfaces: &Interfaces,
) -> Result<Vec<(NetnsId, Device)>, Error> {
    let mut devices = Vec::new();
    for netns in spaces.ids() {
        match spaces.wanted(netns) {
            Ok(found) => devices.extend(found.into_iter().map(|device| (netns, device))),
            // One that is gone again.
            Err(error) if spaces.every() && !error.is_permission() => {}
            Err(error) => return Err(error),
        }
    }
    let Interfaces::Named(names) = interfaces else {
        return Ok(devices);
    };
    let mut chosen: Vec<(NetnsId, Device)> = Vec::new();
    for name in names {
        let before = chosen.len();
        for (id, device) in &devices {
            let shown = spaces.netns(*id).map(|netns| netns.shown(&device.name));
            if device.name == *name || shown.as_ref() == Some(name) {
                chosen.push((*id, device.clone()));
            }
        }
        if chosen.len() == before {
            return Err(Error::NoDevice { name: name.clone() });
        }
    }
    Ok(chosen)
}
