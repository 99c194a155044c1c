//! `-d`: the filter as a classic BPF program, without capturing anything; and `-L`.
//!
//! Source of truth: tcpdump 4.99.3 for the forms, and for what is said before.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use pktwho_capfile::Reader;
use pktwho_filter::{Device, cbpf};
use pktwho_packet::LinkType;

use crate::devices;
use crate::filter::Filter;
use crate::input::Input;
use crate::names::Lookup;
use crate::offline;
use crate::plan::{Program, ProgramFor, ProgramForm, Where};
use crate::select;
use crate::signals::Signals;
use crate::sink::say;
use crate::text::Text;

/// The program in the form asked for.
///
/// # Errors
/// No such device or file; the filter is refused; classic BPF cannot say what it asks for.
pub fn show(plan: &Program) -> Result<String> {
    let (device, snaplen) = match &plan.from {
        ProgramFor::File(path) => file(path)?,
        ProgramFor::Device(device, link_type) => (named(device, *link_type)?, plan.snaplen),
        ProgramFor::LinkType(link_type) => {
            if link_type.is_none() {
                say(format_args!("Warning: assuming Ethernet"));
            }
            (
                could_be(link_type.unwrap_or(LinkType::ETHERNET)),
                plan.snaplen,
            )
        }
    };
    let filter = Filter::new(&plan.filter, &plan.owners)?;
    let graph = filter.graph(&device, &mut Lookup::default())?;
    let program = cbpf::encode(&graph, snaplen)?;
    Ok(match plan.form {
        ProgramForm::Listing => cbpf::listing(&program),
        ProgramForm::CArray => cbpf::c_array(&program),
        ProgramForm::Numbers => cbpf::numbers(&program),
    })
}

/// A device of which only the link type is known.
fn could_be(link_type: LinkType) -> Device {
    Device {
        link_type,
        netmask: Some(0),
        live: true,
        ..Device::default()
    }
}

fn named(device: &Where, link_type: Option<LinkType>) -> Result<Device> {
    let (name, found) = devices::link_type(device)?;
    if let Some(link_type) = link_type.filter(|&link_type| link_type != found) {
        bail!(
            "{} is not one of the DLTs supported by this device",
            short(link_type)
        );
    }
    Ok(Device {
        name: Some(name),
        ..could_be(found)
    })
}

/// The device that a file's packets come from, as its beginning says, and its snapshot length.
fn file(path: &Path) -> Result<(Device, u32)> {
    let signals = Signals::new().context("cannot handle signals")?;
    let text = Rc::new(RefCell::new(Text::stdout(false)?));
    let mut input = Input::open(path, signals, text)?;
    let ifaces = offline::first_ifaces(&mut input)?;
    let reader = Reader::new(input).map_err(offline::worded)?;
    offline::announce(path, &reader);
    let device = match ifaces.first() {
        Some(iface) => select::device(iface, reader.format()),
        None => Device {
            link_type: reader.link_type(),
            ..Device::default()
        },
    };
    Ok((device, reader.snaplen()))
}

/// The text of `-L`.
///
/// # Errors
/// No such device.
pub fn link_types(device: &Where) -> Result<String> {
    let (name, found) = devices::link_type(device)?;
    Ok(format!(
        "Data link types for {name} (use option -y to set):\n  {}\n",
        offline::link_type(found)
    ))
}

/// A link type's name, or its number.
pub fn short(link_type: LinkType) -> String {
    link_type
        .name()
        .map_or_else(|| link_type.0.to_string(), str::to_owned)
}
