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
    #[error("Go's crypto/tls, but no table of functions as Go 1.18 and later write it")]
    GoTable,
    #[error("Go's crypto/tls, but what is given the secrets is no function of its own")]
    GoInlined,
    #[error("NSS: not supported (its secrets do not pass as bytes)")]
    Nss,
    #[error("TLS labels without an end, as those of Rust's rustls: not supported")]
    WithoutEnd,
}
