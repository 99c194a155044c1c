//! Capture files: pcap and pcapng, read and written as streams.
//!
//! [`Reader`] takes any `Read` (a file, a pipe) and gives [`Packet`](pktwho_packet::Packet)s
//! with their owners; [`Writer`] takes packets and gives bytes to any `Write`. Nothing seeks,
//! nothing holds more than one record and the facts of recent processes.
//!
//! Start reading at `reader.rs` and `writer.rs`; the block formats are in `pcapng/`, and what a
//! file of ours says of processes is told in `pcapng/writer.rs` and `process_comment.rs`.
//!
//! Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng; how libpcap 1.10.3 reads them.

#![forbid(unsafe_code)]

mod apple;
mod bytes;
mod container_json;
mod counters;
mod decompress;
mod error;
mod event;
mod input;
mod json;
mod limits;
mod numbers;
mod output;
mod pcap_reader;
mod pcap_writer;
mod pcapng;
mod pktap;
mod process_comment;
mod process_table;
mod reader;
mod record;
mod sll2;
mod writer;

pub use apple::{Apple, uuid_text};
pub use counters::Counters;
pub use decompress::Decompress;
pub use error::{Error, Part};
pub use event::{Block, Described, Event, KeptBlock, Metadata};
pub use limits::MAX_SNAPLEN;
pub use numbers::Numbers;
pub use pcap_writer::{PcapOptions, PcapWriter};
pub use pcapng::writer::{Like, PcapngOptions, PcapngWriter};
pub use pktap::{Pktap, PktapProcess, is_pktap};
pub use reader::{Coming, Format, Reader};
pub use sll2::{ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_NONE, SLL2_HEADER_LEN, Sll2, arphrd};
pub use writer::Writer;
