//! What Podman knows of its containers: its service, or where that does not run, what it keeps
//! on disk.
//!
//! Source: Podman's API (see [`crate::docker`]); containers-storage.conf(5), `containers.json`
//! of a storage driver's `…-containers` folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use pktwho_packet::Container;
use serde::Deserialize;

use crate::docker::Docker;
use crate::http::LONGEST;
use crate::news::News;
use crate::runtimes::{Runtime, Told};

/// Root's storage, for containers that stay and for those that do not.
const STORES: [&str; 2] = ["/var/lib/containers/storage", "/run/containers/storage"];
const LISTS: [&str; 2] = ["containers.json", "volatile-containers.json"];

#[derive(Debug)]
pub struct Podman {
    pub service: Docker,
    stores: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Stored {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    /// JSON in a string.
    #[serde(default)]
    metadata: String,
}

impl Podman {
    pub fn new(socket: PathBuf) -> Self {
        Self {
            service: Docker {
                socket,
                is_podman: true,
            },
            stores: STORES.iter().map(PathBuf::from).collect(),
        }
    }

    fn stored(&self) -> io::Result<Vec<Told>> {
        let mut found = None;
        for store in &self.stores {
            let Ok(folders) = fs::read_dir(store) else {
                continue;
            };
            for folder in folders.flatten() {
                let name = folder.file_name();
                if !name.to_string_lossy().ends_with("-containers") {
                    continue;
                }
                for list in LISTS {
                    if let Ok(stored) = read(&folder.path().join(list)) {
                        let all: &mut Vec<Told> = found.get_or_insert_default();
                        all.extend(stored.into_iter().map(container).map(Told::from));
                    }
                }
            }
        }
        found.ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Runtime for Podman {
    fn list(&mut self) -> io::Result<Vec<Told>> {
        match self.service.list() {
            Err(error) if is_absent(&error) => self.stored(),
            answer => answer,
        }
    }

    fn find(&mut self, id: &[u8]) -> io::Result<Vec<Told>> {
        match self.service.find(id) {
            Err(error) if is_absent(&error) => {
                let mut stored = self.stored()?;
                stored.retain(|told| told.key == id);
                Ok(stored)
            }
            answer => answer,
        }
    }

    fn news(&self) -> Option<Box<dyn News + Send>> {
        // What is kept on disk tells nothing.
        self.service.socket.exists().then(|| self.service.news())?
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}

fn read(path: &Path) -> io::Result<Vec<Stored>> {
    let mut text = Vec::new();
    fs::File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(|_| ErrorKind::InvalidData.into())
}

/// The containers of a file of the store.
#[cfg(feature = "testing")]
pub fn kept(text: &[u8]) -> Vec<Container> {
    let stored: Vec<Stored> = serde_json::from_slice(text).unwrap_or_default();
    stored.into_iter().map(container).collect()
}

fn container(stored: Stored) -> Container {
    let mut facts: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&stored.metadata).unwrap_or_default();
    let mut fact = |key: &str| match facts.remove(key) {
        Some(serde_json::Value::String(text)) => text.into_bytes(),
        _ => Vec::new(),
    };
    let name = stored.names.and_then(|names| names.into_iter().next());
    Container {
        id: stored.id.into(),
        name: name.map_or_else(|| fact("name"), Into::into),
        image: fact("image-name"),
        runtime: b"podman".to_vec(),
        ..Container::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_on_disk() {
        let store = std::env::temp_dir().join(format!("pktwho-store-{}", std::process::id()));
        let folder = store.join("overlay-containers");
        fs::create_dir_all(&folder).unwrap();
        let text = r#"[{"id":"ab","names":["web"],"image":"1","layer":"2",
            "metadata":"{\"image-name\":\"localhost/x:1\",\"name\":\"web\",\"created-at\":1}"},
            {"id":"cd"}]"#;
        fs::write(folder.join("containers.json"), text).unwrap();
        fs::write(folder.join("volatile-containers.json"), "damaged").unwrap();
        let mut podman = Podman::new(PathBuf::from("/nonexistent/socket"));
        podman.stores = vec![store.clone(), PathBuf::from("/nonexistent")];
        let [found] = &podman.find(b"ab").unwrap()[..] else {
            panic!("one container");
        };
        let found = &found.container;
        assert_eq!(
            (&found.name[..], &found.image[..]),
            (&b"web"[..], &b"localhost/x:1"[..])
        );
        assert_eq!(podman.list().unwrap().len(), 2);
        assert_eq!(podman.find(b"ef").unwrap(), []);
        fs::remove_dir_all(&store).unwrap();
        assert!(podman.list().is_err());
    }
}
