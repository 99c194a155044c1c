//! The cases, one function each; [`CASES`] is the table.

mod command;
mod devices;
mod dropped;
mod files;
mod filter;
mod homes;
mod hooks;
mod life;
pub mod loss;
mod names;
mod netns;
mod packet_socket;
mod privileges;
mod readme;
mod refusals;
mod runtimes;
mod select;
pub mod traces;
mod tunnels;
mod types;
mod wireshark;
mod writers;

use anyhow::Result;

use crate::lab::Lab;
use crate::{soak, tls};

/// How a case ended that did not fail.
pub enum Outcome {
    Passed,
    /// Passed, with figures worth a word.
    Measured(String),
    /// Could not be tried here, and why.
    Skipped(String),
}

/// One case.
pub struct Case {
    pub name: &'static str,
    pub run: fn(&Lab) -> Result<Outcome>,
}

macro_rules! cases {
    ($($name:literal, $run:path;)*) => {
        &[$(Case { name: $name, run: $run }),*]
    };
}

/// All cases, in the order in which they run. The rows of the owner table are cases as well.
pub const CASES: &[Case] = cases! {
    "life/closing-lines", life::closing_lines;
    "life/dropped-by-interface", dropped::by_interface;
    "life/sigterm", life::sigterm;
    "life/sigusr1", life::sigusr1;
    "life/first-packet", life::first_packet;
    "life/gapless-from-first", life::gapless_from_first;
    "life/memory", life::memory;
    "life/two-at-once", life::two_at_once;
    "life/no-hook-refused", hooks::none_refused;
    "life/best-hooks", hooks::best;
    "traces/nothing-left-tcx", traces::nothing_left_tcx;
    "traces/nothing-left-clsact", traces::nothing_left_clsact;
    "traces/nothing-disturbed", traces::nothing_disturbed;
    "traces/grace-periods", traces::grace_periods;
    "traces/neighbour-tcx", traces::neighbour_tcx;
    "traces/neighbour-clsact", traces::neighbour_clsact;
    "loss/flood", loss::flood;
    "loss/drops-counted", loss::drops_counted;
    "loss/flood-interrupted", loss::flood_interrupted;
    "loss/owners-forgotten", loss::owners_forgotten;
    "command/false", command::exits_with_its_status;
    "command/own-output", command::keeps_its_output;
    "command/curl", command::curl_whole;
    "command/last-datagram", command::last_datagram;
    "command/invoking-user", command::invoking_user;
    "devices/later", devices::later;
    "devices/left", devices::left;
    "devices/name", devices::name_in_netns;
    "devices/ip-netns-exec", devices::ip_netns_exec;
    "devices/loopback-once", devices::loopback_once;
    "devices/vlan", devices::vlan;
    "devices/tun", devices::tun;
    "devices/other-link-type", devices::other_link_type;
    "packet-socket/packets", packet_socket::packets;
    "packet-socket/devices", packet_socket::devices;
    "packet-socket/unprivileged", packet_socket::unprivileged;
    "packet-socket/doctor", packet_socket::doctor;
    "privileges/threads", privileges::threads_have_little;
    "privileges/others", privileges::others_have_little;
    "privileges/user", privileges::chosen_user;
    "privileges/series", privileges::series_after_the_drop;
    "privileges/reading", privileges::reading_of_files;
    "privileges/command", privileges::commands_are_free;
    "types/named", types::named;
    "netns/chosen", netns::chosen;
    "netns/device", netns::device;
    "netns/every", netns::every;
    "netns/unattended", netns::unattended;
    "netns/later-device", netns::later_device;
    "netns/nothing-left", netns::nothing_left;
    "netns/nothing-left-unattended", netns::nothing_left_unattended;
    "netns/refused", netns::refused;
    "owners/two-writers", writers::in_one_packet;
    "homes/twins", homes::twins;
    "homes/later", homes::later;
    "homes/elsewhere", homes::elsewhere;
    "homes/tun", tunnels::guessed;
    "homes/tun-twins", tunnels::twins;
    "homes/soak", soak::case;
    "names/asked-once", names::asked_once;
    "names/dead-server", names::dead_server;
    "runtimes/hundreds", runtimes::hundreds;
    "runtimes/require-match", runtimes::require_match;
    "select/pid", select::pid;
    "select/pname", select::pname;
    "select/uid", select::uid;
    "select/follow-forks", select::follow_forks;
    "select/follow-forks-and-exe", select::follow_forks_and_exe;
    "select/direction", select::direction;
    "select/count", select::count;
    "filter/packets", filter::packets;
    "filter/owners", filter::owners;
    "filter/handed-over", filter::handed_over;
    "filter/vlan", filter::vlan;
    "filter/far-bytes", filter::far_bytes;
    "filter/later-device", filter::later_device;
    "filter/without-link-layer", filter::without_link_layer;
    "filter/refused", filter::refused;
    "files/pipe", files::pipe;
    "files/broken-pipe", files::broken_pipe;
    "files/readers", files::readers;
    "files/statistics", files::statistics;
    "files/series", files::series;
    "files/wireshark", wireshark::processes;
    "decrypt/openssl", tls::decrypt::openssl;
    "decrypt/nginx", tls::decrypt::nginx;
    "decrypt/resumed", tls::decrypt::resumed;
    "decrypt/once", tls::decrypt::once;
    "traces/tls-namespaces-gone", tls::gone::namespaces;
    "traces/tls-unmounted", tls::gone::unmounted;
    "traces/tls-killed", tls::gone::killed;
    "readme/commands", readme::commands;
    "readme/tshark", readme::tshark;
    "readme/cargo-words", readme::cargo_words;
    "refusals/flag", refusals::flag;
    "refusals/device", refusals::device;
    "refusals/file", refusals::file;
    "refusals/pid", refusals::pid;
};
