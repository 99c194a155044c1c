//! The one image of all containers, made of busybox and the puppet, without a registry.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::host::said;
use crate::lab::Lab;

/// Its name. The name's host is nobody's, so nothing is ever fetched from there.
pub const APP: &str = "e2e.local/app:1";
/// The same image as the one that keeps a pod's namespaces.
pub const PAUSE: &str = "e2e.local/pause:1";
/// A label of the image.
pub const LABEL: (&str, &str) = ("e2e.image", "yes");

const BUSYBOX: &str = "/bin/busybox";
const APPLETS: &[&str] = &["sh", "httpd", "nc", "sleep", "true", "wget"];
/// `serve PORT...` answers HTTP on each port for ever.
const SERVE: &str = "#!/bin/sh\nfor port; do httpd -p $port -h /www; done\nexec sleep 1000000\n";

/// Why it cannot be made here, if so.
pub fn lacking() -> Option<&'static str> {
    (!Path::new(BUSYBOX).exists()).then_some("busybox is not installed")
}

/// Writes the archive as `docker load` takes it, and returns where.
pub fn build(lab: &Lab, dir: &Path) -> Result<PathBuf> {
    let root = dir.join("rootfs");
    for folder in ["bin", "www", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    fs::copy(BUSYBOX, root.join("bin/busybox")).context("busybox-static is needed")?;
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet))?;
    }
    fs::copy(&lab.puppet, root.join("bin/puppet"))?;
    fs::write(root.join("www/index.html"), "hello from a container\n")?;
    let serve = root.join("bin/serve");
    fs::write(&serve, SERVE)?;
    fs::set_permissions(&serve, fs::Permissions::from_mode(0o755))?;

    let parts = dir.join("image");
    fs::create_dir_all(&parts)?;
    let layer = parts.join("layer.tar");
    tar(&root, &layer, ".")?;
    let (name, value) = LABEL;
    let config = format!(
        r#"{{"architecture":"{}","os":"linux","config":{{"Cmd":["/bin/sleep","1000000"],"Env":["PATH=/bin"],"Labels":{{"{name}":"{value}"}}}},"rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}},"history":[{{"created_by":"e2e"}}]}}"#,
        architecture(),
        digest(&layer)?
    );
    let plain = parts.join("config");
    fs::write(&plain, config)?;
    let config = format!("{}.json", digest(&plain)?);
    fs::rename(&plain, parts.join(&config))?;
    let manifest = format!(
        r#"[{{"Config":"{config}","RepoTags":["{APP}","{PAUSE}"],"Layers":["layer.tar"]}}]"#
    );
    fs::write(parts.join("manifest.json"), manifest)?;
    let archive = dir.join("image.tar");
    tar(&parts, &archive, ".")?;
    Ok(archive)
}

/// As Go names it, which runtimes are written in.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn tar(folder: &Path, archive: &Path, what: &str) -> Result<()> {
    let mut command = Command::new("tar");
    command.args(["--owner=0", "--group=0", "--numeric-owner", "--sort=name"]);
    // Names without a leading ./, which not every runtime takes.
    command.arg("--transform=s,^\\./,,").arg("-C").arg(folder);
    let status = command.arg("-cf").arg(archive).arg(what).status()?;
    ensure!(status.success(), "tar cannot write {}", archive.display());
    Ok(())
}

/// SHA-256 of a file, in hexadecimal.
fn digest(path: &Path) -> Result<String> {
    let line = said(Command::new("sha256sum").arg(path), "sha256sum")?;
    let digest = line.split_whitespace().next();
    Ok(digest.context("sha256sum says nothing")?.to_owned())
}
