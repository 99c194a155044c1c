//! The devices to choose from: `-D`, the default, and what `-i` means.
//!
//! Source of truth: `tcpdump -D` 4.99.3 with libpcap 1.10.3 for order, numbers and wording.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use pktwho_owner::Addresses;
use pktwho_packet::{Iface, LinkType};
use pktwho_probe::{Device, Interfaces, Namespaces, Netns};

use crate::failure::Hinted;
use crate::live::worded;
use crate::plan::Where;

mod containers;

/// All devices at once; all network namespaces.
pub const ANY: &str = "any";

/// What may be behind `--netns`.
pub const NETNS_HINT: &str = "`ip netns' lists names; a process id or a path does as well";

/// The devices that are captured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub namespaces: Namespaces,
    pub interfaces: Interfaces,
}

impl Chosen {
    /// Whether it is one device, and stays so.
    pub fn is_one(&self) -> bool {
        let one = matches!(&self.interfaces, Interfaces::Named(names) if names.len() == 1);
        let here = matches!(&self.namespaces, Namespaces::These(these) if these.len() == 1);
        one && here
    }

    /// Whether devices may come that are not known yet.
    pub fn may_grow(&self) -> bool {
        !matches!(self.interfaces, Interfaces::Named(_)) || self.namespaces == Namespaces::Every
    }

    /// What is listened on, as it stands in the first line.
    pub fn in_words(&self, ifaces: &[Iface]) -> String {
        let names: Vec<String> = match (&self.interfaces, &self.namespaces) {
            (Interfaces::Named(names), Namespaces::Every) => {
                names.iter().map(|name| format!("{name}@{ANY}")).collect()
            }
            (Interfaces::Any, Namespaces::Every) => vec![format!("{ANY}@{ANY}")],
            (Interfaces::First, Namespaces::Every) => vec![format!("the first device@{ANY}")],
            (Interfaces::Any, Namespaces::These(these)) => {
                these.iter().map(|netns| netns.shown(ANY)).collect()
            }
            _ => ifaces.iter().map(|iface| iface.name.clone()).collect(),
        };
        names.join(", ")
    }
}

/// A device and where it is.
type Found = (Netns, Device);

/// One line of the list.
struct Entry<'d> {
    /// `None` is [`ANY`].
    device: Option<&'d Found>,
    /// As it is shown.
    name: String,
}

/// The devices in the order of `-D`: the likeliest to be wanted first.
fn entries(devices: &[Found]) -> Vec<Entry<'_>> {
    let usable = devices
        .iter()
        .filter(|(_, device)| device.link_type().is_some());
    let mut entries: Vec<_> = usable
        .map(|found| Entry {
            device: Some(found),
            name: found.0.shown(&found.1.name),
        })
        .collect();
    entries.push(Entry {
        device: None,
        name: ANY.to_owned(),
    });
    // A stable sort: within a kind the kernel's order stays.
    entries.sort_by_key(|entry| match entry.device {
        Some((_, device)) => (!device.running, !device.up, device.loopback, false),
        None => (false, false, false, true),
    });
    entries
}

/// What the words of `--netns` mean; ours without any.
fn namespaces(words: &[String]) -> Result<Namespaces> {
    if words.iter().any(|word| word == ANY) {
        return Ok(Namespaces::Every);
    }
    if words.is_empty() {
        return Ok(Namespaces::These(vec![Netns::own().map_err(worded)?]));
    }
    let mut these: Vec<Netns> = Vec::new();
    for word in words {
        let netns = Netns::named(word).map_err(worded)?;
        if these.iter().all(|known| known.id() != netns.id()) {
            these.push(netns);
        }
    }
    Ok(Namespaces::These(these))
}

/// All devices of these namespaces.
fn devices(namespaces: &Namespaces) -> Result<Vec<Found>> {
    let (these, every) = match namespaces {
        Namespaces::These(these) => (these.clone(), false),
        Namespaces::Every => (Netns::every().map_err(worded)?, true),
    };
    let mut found = Vec::new();
    for netns in these {
        match netns.devices() {
            Ok(devices) => found.extend(devices.into_iter().map(|d| (netns.clone(), d))),
            // One that is gone again, or that we may not enter; ours is asked first.
            Err(_) if every && !netns.is_own() => {}
            Err(error) => return Err(worded(error)),
        }
    }
    Ok(found)
}

/// The text of `-D`.
///
/// # Errors
/// No such namespace, or the kernel does not say which devices there are.
pub fn list(netns: &[String], runtimes: &Addresses) -> Result<String> {
    let devices = devices(&namespaces(netns)?)?;
    let homes = containers::homes(&devices, runtimes);
    Ok(lines(&devices, &homes, Path::new("/sys/class/net")))
}

fn lines(devices: &[Found], homes: &containers::Homes, sysfs: &Path) -> String {
    let mut text = String::new();
    for (entry, number) in entries(devices).iter().zip(1..) {
        let Entry { device, name } = entry;
        let _ = write!(text, "{number}.{}", name.escape_debug());
        let Some((netns, device)) = device else {
            text.push_str(" (Pseudo-device that captures on all interfaces) [Up, Running]\n");
            continue;
        };
        if let Some(alias) = &device.alias {
            let _ = write!(text, " ({})", alias.escape_debug());
        }
        if let Some(home) = homes.get(&(netns.id(), device.index)) {
            let _ = write!(text, " ({home})");
        }
        // What is told of devices there is of our namespace.
        let sysfs = netns.is_own().then(|| sysfs.join(&device.name));
        let _ = writeln!(text, " [{}]", flags(device, sysfs.as_deref()).join(", "));
    }
    text
}

fn flags(device: &Device, sysfs: Option<&Path>) -> Vec<&'static str> {
    let mut flags = Vec::new();
    match (device.up, device.running) {
        (true, true) => flags.extend(["Up", "Running"]),
        (true, false) => flags.push("Up"),
        (false, true) => flags.push("Running"),
        (false, false) if device.loopback => {}
        (false, false) => flags.push("none"),
    }
    if device.loopback {
        flags.push("Loopback");
        return flags;
    }
    let connected = match sysfs {
        Some(sysfs) => std::fs::read(sysfs.join("carrier")).is_ok_and(|carrier| carrier == b"1\n"),
        None => device.up && device.carrier,
    };
    let wireless = sysfs.is_some_and(|sysfs| sysfs.join("wireless").exists());
    flags.extend(match (wireless, connected) {
        (true, true) => ["Wireless", "Associated"].as_slice(),
        (true, false) => &["Wireless", "Not associated"],
        (false, true) => &["Connected"],
        (false, false) => &["Disconnected"],
    });
    flags
}

/// What the words of `-i` mean; without any, the first of the list, of each namespace.
///
/// # Errors
/// In tcpdump's words: no such device, or no such number; no such namespace.
pub fn choose(typed: &Where) -> Result<Chosen> {
    let namespaces = namespaces(&typed.netns)?;
    let interfaces = choose_from(&typed.words, &namespaces, &devices(&namespaces)?)?;
    Ok(Chosen {
        namespaces,
        interfaces,
    })
}

/// The name and the link type of the first device that is meant; packets of [`ANY`] are
/// Ethernet's for the most part.
///
/// # Errors
/// As [`choose`].
pub fn link_type(typed: &Where) -> Result<(String, LinkType)> {
    let namespaces = namespaces(&typed.netns)?;
    let devices = devices(&namespaces)?;
    let chosen = choose_from(&typed.words, &namespaces, &devices)?;
    let name = match &chosen {
        Interfaces::Any | Interfaces::First => ANY,
        Interfaces::Named(names) => names.first().map_or(ANY, String::as_str),
    };
    let is_meant =
        |(netns, device): &&Found| device.name == name || netns.shown(&device.name) == name;
    let device = devices.iter().find(is_meant);
    let link_type = device.and_then(|(_, device)| device.link_type());
    Ok((name.to_owned(), link_type.unwrap_or(LinkType::ETHERNET)))
}

fn choose_from(words: &[String], namespaces: &Namespaces, devices: &[Found]) -> Result<Interfaces> {
    if words.is_empty() {
        return Ok(default(namespaces, devices));
    }
    let entries = entries(devices);
    let mut names = Vec::new();
    for word in words {
        for name in names_of(word, &entries)? {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.iter().any(|name| name == ANY) {
        return Ok(Interfaces::Any);
    }
    Ok(Interfaces::Named(names))
}

/// The first of each namespace.
fn default(namespaces: &Namespaces, devices: &[Found]) -> Interfaces {
    let Namespaces::These(these) = namespaces else {
        return Interfaces::First;
    };
    let mut names = Vec::new();
    for netns in these {
        let own: Vec<Device> = devices
            .iter()
            .filter(|(there, _)| there.id() == netns.id())
            .map(|(_, device)| device.clone())
            .collect();
        match Device::likeliest(&own) {
            Some(device) => names.push(netns.shown(&device.name)),
            None if these.len() == 1 => return Interfaces::Any,
            None => return Interfaces::First,
        }
    }
    Interfaces::Named(names)
}

/// Pseudo-devices of Apple's tcpdump.
const APPLE: [&str; 3] = ["pktap", "iptap", "droptap"];

/// A name, a number of the list, or several names with commas between them.
fn names_of(word: &str, entries: &[Entry<'_>]) -> Result<Vec<String>> {
    let known = |name: &str| {
        let named = |(_, device): &Found| device.name == name;
        let mut entries = entries.iter();
        entries.any(|entry| entry.name == name || entry.device.is_some_and(named))
    };
    if known(word) {
        return Ok(vec![word.to_owned()]);
    }
    if let Ok(number) = word.parse::<usize>() {
        let entry = number.checked_sub(1).and_then(|at| entries.get(at));
        let Some(entry) = entry else {
            bail!("Invalid adapter index");
        };
        return Ok(vec![entry.name.clone()]);
    }
    if word.contains(',') && word.split(',').all(known) {
        return Ok(word.split(',').map(str::to_owned).collect());
    }
    let first = word.split(',').next().unwrap_or_default();
    if let Some(kind) = APPLE.iter().find(|name| first.starts_with(**name)) {
        let message = format!(
            "{}: {kind} is a device of Apple's systems",
            word.escape_debug()
        );
        let hint = "-i any shows packets of all devices and their processes; -k shows them as Apple's tcpdump does";
        return Err(Hinted::new(message, hint).into());
    }
    // The second line is where tcpdump has more to say of some errors; here it says the same.
    let word = word.escape_debug();
    bail!("{word}: No such device exists\n(No such device exists)");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(index: u32, name: &str, flags: &str) -> Device {
        Device {
            index,
            name: name.to_owned(),
            arphrd: if flags.contains('L') { 772 } else { 1 },
            mac: None,
            alias: flags.contains('A').then(|| "upstream\u{7}".to_owned()),
            up: flags.contains('U'),
            running: flags.contains('R'),
            loopback: flags.contains('L'),
            carrier: false,
            dropped: None,
        }
    }

    /// The devices that `tcpdump -D` was asked about when its answer was noted.
    fn devices() -> Vec<Found> {
        [
            (1, "lo", "URL"),
            (2, "v1", ""),
            (3, "v0", "U"),
            (4, "br0", "UR"),
            (5, "t0", ""),
            (6, "t1", "U"),
            (7, "eth2", "URA"),
            (8, "eth10", "UR"),
        ]
        .map(|(index, name, flags)| (own(), device(index, name, flags)))
        .into()
    }

    fn own() -> Netns {
        Netns::own().unwrap()
    }

    fn here() -> Namespaces {
        Namespaces::These(vec![own()])
    }

    #[test]
    fn listed_as_by_tcpdump() {
        let expected = "\
            1.br0 [Up, Running, Disconnected]\n\
            2.eth2 (upstream\\u{7}) [Up, Running, Disconnected]\n\
            3.eth10 [Up, Running, Disconnected]\n\
            4.any (Pseudo-device that captures on all interfaces) [Up, Running]\n\
            5.lo [Up, Running, Loopback]\n\
            6.v0 [Up, Disconnected]\n\
            7.t1 [Up, Disconnected]\n\
            8.v1 [none, Disconnected]\n\
            9.t0 [none, Disconnected]\n";
        let (none, nowhere) = (containers::Homes::default(), Path::new("/nonexistent"));
        assert_eq!(lines(&devices(), &none, nowhere), expected);
        let homes = [((own().id(), 1), "container web".to_owned())].into_iter();
        let text = lines(&devices(), &homes.collect(), nowhere);
        assert!(text.contains(" (container web) ["), "{text}");
    }

    fn check(words: &[&str], expected: &[&str]) {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let expected = match expected {
            ["any"] => Interfaces::Any,
            names => Interfaces::Named(names.iter().map(ToString::to_string).collect()),
        };
        assert_eq!(
            choose_from(&words, &here(), &devices()).unwrap(),
            expected,
            "{words:?}"
        );
    }

    fn refuse(word: &str, expected: &str) {
        let error = choose_from(&[word.to_owned()], &here(), &devices()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn names_numbers_lists_and_the_default() {
        check(&[], &["br0"]);
        check(&["lo", "eth2", "lo"], &["lo", "eth2"]);
        check(&["2", "lo"], &["eth2", "lo"]);
        check(&["lo", "any"], &["any"]);
        check(&["4"], &["any"]);
        check(&["eth2,lo"], &["eth2", "lo"]);
        refuse("0", "Invalid adapter index");
        refuse("99", "Invalid adapter index");
        refuse(
            "eth7",
            "eth7: No such device exists\n(No such device exists)",
        );
        refuse(
            "lo,x",
            "lo,x: No such device exists\n(No such device exists)",
        );
        for word in ["pktap", "pktap,all", "pktap0", "pktap,en0"] {
            refuse(
                word,
                &format!("{word}: pktap is a device of Apple's systems"),
            );
        }
        refuse("", ": No such device exists\n(No such device exists)");
        let only_down = [(1, "lo", "L"), (2, "eth0", "")].map(|d| (own(), device(d.0, d.1, d.2)));
        assert_eq!(
            choose_from(&[], &here(), &only_down).unwrap(),
            Interfaces::Any
        );
        assert_eq!(
            choose_from(&[], &Namespaces::Every, &devices()).unwrap(),
            Interfaces::First
        );
    }
}
