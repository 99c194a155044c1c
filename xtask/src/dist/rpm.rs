//! A package for Red Hat's family: version 3 of rpm's format, not signed.
//!
//! Source of truth: the package format in rpm's manual (lead, signature, header, payload), and
//! the numbers of its tags.

use super::archive::cpio;
use super::{About, File, digest, gzip};
use crate::musl::Arch;

const SIGNATURES: u32 = 62;
const IMMUTABLE: u32 = 63;

/// A value of a header.
enum Value {
    /// Whole numbers of 16 bits.
    Shorts(Vec<u16>),
    /// Whole numbers of 32 bits.
    Numbers(Vec<u32>),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    /// A text that may be translated.
    Words(String),
}

impl Value {
    /// Its type, how many there are, and the bytes.
    fn stored(&self) -> (u32, usize, Vec<u8>) {
        let texts = |texts: &[String]| {
            texts
                .iter()
                .flat_map(|t| [t.as_bytes(), &[0]].concat())
                .collect()
        };
        match self {
            Self::Shorts(list) => (
                3,
                list.len(),
                list.iter().flat_map(|n| n.to_be_bytes()).collect(),
            ),
            Self::Numbers(list) => (
                4,
                list.len(),
                list.iter().flat_map(|n| n.to_be_bytes()).collect(),
            ),
            Self::Text(text) => (6, 1, [text.as_bytes(), &[0]].concat()),
            Self::Bytes(bytes) => (7, bytes.len(), bytes.clone()),
            Self::Texts(list) => (8, list.len(), texts(list)),
            Self::Words(text) => (9, 1, [text.as_bytes(), &[0]].concat()),
        }
    }

    /// What its place must be a multiple of.
    fn alignment(&self) -> usize {
        match self {
            Self::Shorts(_) => 2,
            Self::Numbers(_) => 4,
            _ => 1,
        }
    }
}

/// The package.
///
/// # Errors
/// A program for digests or compression cannot be run, or a number is too large.
pub fn rpm(about: &About, arch: Arch, files: &[File]) -> Result<Vec<u8>, String> {
    let archive = cpio(about.time, files);
    let payload = gzip(&archive)?;
    let header = header(IMMUTABLE, tags(about, arch, files, &payload)?)?;
    let body = [header.as_slice(), &payload].concat();
    let md5 = digest("md5sum", &body)?;
    let md5: Result<Vec<u8>, _> = (0..md5.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(md5.get(at..at + 2).unwrap_or_default(), 16))
        .collect();
    let signature = vec![
        (269, Value::Text(digest("sha1sum", &header)?)),
        (273, Value::Text(digest("sha256sum", &header)?)),
        (1000, Value::Numbers(vec![number(body.len())?])),
        (
            1004,
            Value::Bytes(md5.map_err(|_| "md5sum gives no digest")?),
        ),
        (1007, Value::Numbers(vec![number(archive.len())?])),
    ];
    let mut package = lead(about, arch);
    package.extend(self::header(SIGNATURES, signature)?);
    package.resize(package.len().next_multiple_of(8), 0);
    package.extend(body);
    Ok(package)
}

/// The first 96 bytes, by which file(1) knows a package.
fn lead(about: &About, arch: Arch) -> Vec<u8> {
    let mut lead = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, arch.rpm];
    let name = format!("pktwho-{}-1", about.version);
    lead.extend(name.as_bytes().iter().take(65));
    lead.resize(76, 0);
    lead.extend([0, 1, 0, 5]);
    lead.resize(96, 0);
    lead
}

/// What the package says of itself and of its files, by the numbers of the tags.
fn tags(
    about: &About,
    arch: Arch,
    files: &[File],
    payload: &[u8],
) -> Result<Vec<(u32, Value)>, String> {
    let text = |text: &str| Value::Text(text.to_owned());
    let texts = |list: &[&str]| Value::Texts(list.iter().map(|t| (*t).to_owned()).collect());
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    let version = format!("{}-1", about.version);
    let mut tags = vec![
        (100, texts(&["C"])),
        (1000, text("pktwho")),
        (1001, text(&about.version)),
        (1002, text("1")),
        (1004, Value::Words(about.summary.to_owned())),
        (1005, Value::Words(about.description.to_owned())),
        (1006, Value::Numbers(vec![about.time])),
        (1007, text("localhost")),
        (1009, Value::Numbers(vec![number(size)?])),
        (1014, text(about.licence)),
        (1016, Value::Words("Applications/Internet".to_owned())),
        (1021, text("linux")),
        (1022, text(arch.name)),
        // Without the name of a source package, rpm takes this for one.
        (1044, text(&format!("pktwho-{version}.src.rpm"))),
        (1047, texts(&["pktwho"])),
        (1048, Value::Numbers(vec![RPMLIB; 3])),
        (
            1049,
            texts(&[
                "rpmlib(CompressedFileNames)",
                "rpmlib(FileDigests)",
                "rpmlib(PayloadFilesHavePrefix)",
            ]),
        ),
        (1050, texts(&["3.0.4-1", "4.6.0-1", "4.0-1"])),
        (1064, text("4.18.0")),
        // Equal to this version.
        (1112, Value::Numbers(vec![8])),
        (1113, texts(&[&version])),
        (1124, text("cpio")),
        (1125, text("gzip")),
        (1126, text("9")),
        (5011, Value::Numbers(vec![SHA256])),
        (5092, Value::Texts(vec![digest("sha256sum", payload)?])),
        (5093, Value::Numbers(vec![SHA256])),
    ];
    tags.extend(file_tags(about, files)?);
    tags.sort_by_key(|(tag, _)| *tag);
    Ok(tags)
}

/// The number of SHA-256 in the list of RFC 4880.
const SHA256: u32 = 8;

/// A need that rpm itself meets, at this version or an older one.
const RPMLIB: u32 = 1 << 24 | 8 | 2;

fn file_tags(about: &About, files: &[File]) -> Result<Vec<(u32, Value)>, String> {
    let count = files.len();
    let mut folders: Vec<String> = Vec::new();
    let (mut indexes, mut names) = (Vec::new(), Vec::new());
    let (mut sizes, mut digests) = (Vec::new(), Vec::new());
    for file in files {
        let path = format!("/{}", file.name());
        let (folder, name) = path.rsplit_once('/').unwrap_or_default();
        let folder = format!("{folder}/");
        let known = folders.iter().position(|known| *known == folder);
        indexes.push(number(known.unwrap_or(folders.len()))?);
        if known.is_none() {
            folders.push(folder);
        }
        names.push(name.to_owned());
        sizes.push(number(file.bytes.len())?);
        digests.push(if file.is_folder() {
            String::new()
        } else {
            digest("sha256sum", &file.bytes)?
        });
    }
    let modes = files.iter().map(File::full_mode).collect();
    let flags = files
        .iter()
        .map(|file| if file.path.contains("/doc/") { 2 } else { 0 });
    let all = |text: &str| Value::Texts(vec![text.to_owned(); count]);
    let every = |value| Value::Numbers(vec![value; count]);
    Ok(vec![
        (1028, Value::Numbers(sizes)),
        (1030, Value::Shorts(modes)),
        (1033, Value::Shorts(vec![0; count])),
        (1034, every(about.time)),
        (1035, Value::Texts(digests)),
        (1036, all("")),
        (1037, Value::Numbers(flags.collect())),
        (1039, all("root")),
        (1040, all("root")),
        (1045, every(u32::MAX)),
        (1095, every(1)),
        (1096, Value::Numbers((1..).take(count).collect())),
        (1097, all("")),
        (1116, Value::Numbers(indexes)),
        (1117, Value::Texts(names)),
        (1118, Value::Texts(folders)),
    ])
}

/// A header: an index of tags, and their values. `region` is the tag that covers all others.
fn header(region: u32, tags: Vec<(u32, Value)>) -> Result<Vec<u8>, String> {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    let entries = number(tags.len() + 1)?;
    for (tag, value) in tags {
        let (kind, count, bytes) = value.stored();
        store.resize(store.len().next_multiple_of(value.alignment()), 0);
        for part in [tag, kind, number(store.len())?, number(count)?] {
            index.extend(part.to_be_bytes());
        }
        store.extend(bytes);
    }
    // The region's own entry comes first and its value last: an entry that points back over
    // the index.
    let mut first = Vec::new();
    for part in [region, 7, number(store.len())?, 16] {
        first.extend(part.to_be_bytes());
    }
    for part in [region, 7, (entries * 16).wrapping_neg(), 16] {
        store.extend(part.to_be_bytes());
    }
    let mut header = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
    for part in [entries, number(store.len())?] {
        header.extend(part.to_be_bytes());
    }
    header.extend(first);
    header.extend(index);
    header.extend(store);
    Ok(header)
}

fn number(value: usize) -> Result<u32, String> {
    u32::try_from(value).map_err(|_| format!("{value} is too large for a package"))
}
