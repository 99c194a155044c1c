//! A package for Debian and its family: deb(5).

use super::archive::{ar, tar};
use super::{About, File, gzip};
use crate::musl::Arch;

/// The package.
///
/// # Errors
/// gzip cannot be run.
pub fn deb(about: &About, arch: Arch, files: &[File]) -> Result<Vec<u8>, String> {
    let control = [File {
        path: "control".to_owned(),
        mode: 0o644,
        bytes: control(about, arch, files).into_bytes(),
    }];
    let control = gzip(&tar(about.time, &control))?;
    let data = gzip(&tar(about.time, files))?;
    let members: [(&str, &[u8]); 3] = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", &control),
        ("data.tar.gz", &data),
    ];
    Ok(ar(about.time, &members))
}

/// deb-control(5).
fn control(about: &About, arch: Arch, files: &[File]) -> String {
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    let description = about.description.replace('\n', "\n ");
    format!(
        "Package: pktwho\nVersion: {}\nArchitecture: {}\nMaintainer: the pktwho project\n\
         Installed-Size: {}\nSection: net\nPriority: optional\n\
         Description: {}\n {description}\n",
        about.version,
        arch.debian,
        bytes.div_ceil(1024),
        about.summary,
    )
}
