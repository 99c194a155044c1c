//! Nothing: the work is done by `build.rs`.

#![forbid(unsafe_code)]
