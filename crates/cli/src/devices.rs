//! The devices to choose from: `-D`, the default, and what `-i` means.
//!
//! Source of truth: `tcpdump -D` 4.99.3 with libpcap 1.10.3 for order, numbers and wording.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use pktwho_packet::LinkType;
use pktwho_probe::{Device, Interfaces};

/// All devices at once.
pub const ANY: &str = "any";

/// One line of the list.
struct Entry<'d> {
    /// `None` is [`ANY`].
    device: Option<&'d Device>,
    name: &'d str,
}

/// The devices in the order of `-D`: the likeliest to be wanted first.
fn entries(devices: &[Device]) -> Vec<Entry<'_>> {
    let usable = devices.iter().filter(|device| device.link_type().is_some());
    let mut entries: Vec<_> = usable
        .map(|device| Entry {
            device: Some(device),
            name: &device.name,
        })
        .collect();
    entries.push(Entry {
        device: None,
        name: ANY,
    });
    // A stable sort: within a kind the kernel's order stays.
    entries.sort_by_key(|entry| match entry.device {
        Some(device) => (!device.running, !device.up, device.loopback, false),
        None => (false, false, false, true),
    });
    entries
}

/// The text of `-D`.
///
/// # Errors
/// The kernel does not say which devices there are.
pub fn list() -> Result<String> {
    Ok(lines(
        &pktwho_probe::devices()?,
        Path::new("/sys/class/net"),
    ))
}

fn lines(devices: &[Device], sysfs: &Path) -> String {
    let mut text = String::new();
    for (entry, number) in entries(devices).iter().zip(1..) {
        let Entry { device, name } = entry;
        let _ = write!(text, "{number}.{name}");
        let Some(device) = device else {
            text.push_str(" (Pseudo-device that captures on all interfaces) [Up, Running]\n");
            continue;
        };
        if let Some(alias) = &device.alias {
            let _ = write!(text, " ({})", alias.escape_debug());
        }
        let _ = writeln!(
            text,
            " [{}]",
            flags(device, &sysfs.join(&device.name)).join(", ")
        );
    }
    text
}

fn flags(device: &Device, sysfs: &Path) -> Vec<&'static str> {
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
    let connected = std::fs::read(sysfs.join("carrier")).is_ok_and(|carrier| carrier == b"1\n");
    flags.extend(match (sysfs.join("wireless").exists(), connected) {
        (true, true) => ["Wireless", "Associated"].as_slice(),
        (true, false) => &["Wireless", "Not associated"],
        (false, true) => &["Connected"],
        (false, false) => &["Disconnected"],
    });
    flags
}

/// What the words of `-i` mean; without any, the first of the list.
///
/// # Errors
/// In tcpdump's words: no such device, or no such number.
pub fn choose(words: &[String]) -> Result<Interfaces> {
    choose_from(words, &pktwho_probe::devices()?)
}

/// The name and the link type of the first device that the words of `-i` mean; packets of
/// [`ANY`] are Ethernet's for the most part.
///
/// # Errors
/// As [`choose`].
pub fn link_type(words: &[String]) -> Result<(String, LinkType)> {
    let devices = pktwho_probe::devices()?;
    let chosen = choose_from(words, &devices)?;
    let name = match &chosen {
        Interfaces::Any => ANY,
        Interfaces::Named(names) => names.first().map_or(ANY, String::as_str),
    };
    let device = devices.iter().find(|device| device.name == name);
    let link_type = device.and_then(Device::link_type);
    Ok((name.to_owned(), link_type.unwrap_or(LinkType::ETHERNET)))
}

fn choose_from(words: &[String], devices: &[Device]) -> Result<Interfaces> {
    let entries = entries(devices);
    let default = entries.first().map_or(ANY, |entry| entry.name).to_owned();
    let words = if words.is_empty() {
        std::slice::from_ref(&default)
    } else {
        words
    };
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

/// A name, a number of the list, or several names with commas between them.
fn names_of(word: &str, entries: &[Entry<'_>]) -> Result<Vec<String>> {
    let known = |name: &str| entries.iter().any(|entry| entry.name == name);
    if known(word) {
        return Ok(vec![word.to_owned()]);
    }
    if let Ok(number) = word.parse::<usize>() {
        let entry = number.checked_sub(1).and_then(|at| entries.get(at));
        let Some(entry) = entry else {
            bail!("Invalid adapter index");
        };
        return Ok(vec![entry.name.to_owned()]);
    }
    if word.contains(',') && word.split(',').all(known) {
        return Ok(word.split(',').map(str::to_owned).collect());
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
        }
    }

    /// The devices that `tcpdump -D` was asked about when its answer was noted.
    fn devices() -> Vec<Device> {
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
        .map(|(index, name, flags)| device(index, name, flags))
        .into()
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
        assert_eq!(lines(&devices(), Path::new("/nonexistent")), expected);
    }

    fn check(words: &[&str], expected: &[&str]) {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let expected = match expected {
            ["any"] => Interfaces::Any,
            names => Interfaces::Named(names.iter().map(ToString::to_string).collect()),
        };
        assert_eq!(
            choose_from(&words, &devices()).unwrap(),
            expected,
            "{words:?}"
        );
    }

    fn refuse(word: &str, expected: &str) {
        let error = choose_from(&[word.to_owned()], &devices()).unwrap_err();
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
        refuse("", ": No such device exists\n(No such device exists)");
        let only_down = [device(1, "lo", "L"), device(2, "eth0", "")];
        assert_eq!(choose_from(&[], &only_down).unwrap(), Interfaces::Any);
    }
}
