//! Why a file's secrets cannot be read.

/// Why a file has no [`Hook`](crate::Hook).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("not an ELF file")]
    NotElf,
    /// The number in the ELF header.
    #[error("neither x86-64 nor arm64 (ELF machine {0})")]
    Machine(u16),
    #[error("damaged ELF headers")]
    Damaged,
    #[error("no TLS labels")]
    NoLabels,
    /// So many labels are handed to the function that is handed most of them.
    #[error("TLS labels found but no function agreed ({votes} votes)")]
    NoFunction { votes: usize },
    #[error(
        "the function that is given secrets was found, but not how it comes to the client's random bytes"
    )]
    ClientRandom,
}
