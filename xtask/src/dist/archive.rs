//! Archives as packages hold them: ar(5), tar (POSIX ustar) and cpio (the "newc" of
//! cpio(5)). Owner root, one time for everything, so that the same files give the same bytes.

use super::File;

/// An archive of ar(1): names of at most 15 characters and their bytes.
pub fn ar(time: u32, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let header = format!(
            "{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            0,
            0,
            "100644",
            bytes.len()
        );
        archive.extend(header.as_bytes());
        archive.extend(*bytes);
        if bytes.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

/// A tar archive of files and the folders they lie in. Names have at most 98 characters.
pub fn tar(time: u32, files: &[File]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut folders = vec![String::new()];
    tar_entry(&mut archive, time, "./", 0o755, None);
    for file in files {
        for (end, _) in file.path.match_indices('/') {
            let folder = file.path.get(..=end).unwrap_or_default().to_owned();
            if !folders.contains(&folder) {
                tar_entry(&mut archive, time, &format!("./{folder}"), 0o755, None);
                folders.push(folder);
            }
        }
        let name = format!("./{}", file.path);
        tar_entry(&mut archive, time, &name, file.mode, Some(&file.bytes));
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A file, or a folder when there are no bytes.
fn tar_entry(archive: &mut Vec<u8>, time: u32, name: &str, mode: u16, bytes: Option<&[u8]>) {
    let size = bytes.map_or(0, <[u8]>::len);
    let kind = if bytes.is_some() { '0' } else { '5' };
    let before = format!(
        "{name:\0<100}{mode:07o}\0{:07o}\0{:07o}\0{size:011o}\0{time:011o}\0",
        0, 0
    );
    let after = format!(
        "{kind}{:\0<100}ustar\x0000{:\0<32}{:\0<32}{:07o}\0{:07o}\0{:\0<167}",
        "", "root", "root", 0, 0, ""
    );
    // The sum is of the header with blanks in the sum's place.
    let bytes_of = |sum: &str| format!("{before}{sum}{after}").into_bytes();
    let sum: u32 = bytes_of("        ")
        .iter()
        .map(|byte| u32::from(*byte))
        .sum();
    archive.extend(bytes_of(&format!("{sum:06o}\0 ")));
    archive.extend(bytes.unwrap_or_default());
    archive.resize(archive.len().next_multiple_of(512), 0);
}

/// A cpio archive of files and folders.
pub fn cpio(time: u32, files: &[File]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (number, file) in (1..).zip(files) {
        let mode = file.full_mode().into();
        cpio_entry(
            &mut archive,
            [number, mode, 1, time],
            [0; 2],
            &format!("./{}", file.name()),
            &file.bytes,
        );
    }
    cpio_entry(&mut archive, [0, 0, 1, 0], [0; 2], "TRAILER!!!", &[]);
    archive
}

/// An entry with these numbers: inode, mode, links, time. `device` is what a special file
/// stands for.
pub fn cpio_entry(
    archive: &mut Vec<u8>,
    numbers: [u32; 4],
    device: [u32; 2],
    name: &str,
    bytes: &[u8],
) {
    let [inode, mode, links, time] = numbers;
    let [major, minor] = device;
    let (size, length) = (bytes.len(), name.len() + 1);
    let header = format!(
        "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{links:08x}{time:08x}{size:08x}\
         {0:08x}{0:08x}{major:08x}{minor:08x}{length:08x}{0:08x}{name}\0",
        0
    );
    archive.extend(header.as_bytes());
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(bytes);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// What a program lists of an archive.
    fn listed(words: &[&str], archive: &[u8]) -> String {
        let name = format!("pktwho-archive-{}-{}", std::process::id(), words[0]);
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, archive).unwrap();
        let stdin = std::fs::File::open(&file).unwrap();
        let command = Command::new(words[0])
            .args(&words[1..])
            .stdin(Stdio::from(stdin))
            .output();
        std::fs::remove_file(&file).unwrap();
        let output = command.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn tar_reads_ours() {
        let file = |path: &str, bytes: &[u8]| File {
            path: path.to_owned(),
            mode: 0o755,
            bytes: bytes.to_vec(),
        };
        let files = [file("usr/bin/one", b"1"), file("usr/bin/two", &[2; 513])];
        let shown = listed(
            &["tar", "--numeric-owner", "--utc", "-tvf", "-"],
            &tar(86_400, &files),
        );
        let lines: Vec<Vec<&str>> = shown
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        let wanted = [
            "drwxr-xr-x 0/0 0 1970-01-02 00:00 ./",
            "drwxr-xr-x 0/0 0 1970-01-02 00:00 ./usr/",
            "drwxr-xr-x 0/0 0 1970-01-02 00:00 ./usr/bin/",
            "-rwxr-xr-x 0/0 1 1970-01-02 00:00 ./usr/bin/one",
            "-rwxr-xr-x 0/0 513 1970-01-02 00:00 ./usr/bin/two",
        ];
        let wanted: Vec<Vec<&str>> = wanted.iter().map(|l| l.split(' ').collect()).collect();
        assert_eq!(lines, wanted);
    }

    #[test]
    fn folders_and_files_of_cpio() {
        let entry = |path: &str| File {
            path: path.to_owned(),
            mode: 0o755,
            bytes: Vec::new(),
        };
        let archive = cpio(7, &[entry("usr/doc/"), entry("usr/doc/one")]);
        let text = String::from_utf8(archive).unwrap();
        let modes = ["./usr/doc\0", "./usr/doc/one\0", "TRAILER!!!\0"].map(|name| {
            let header = text.find(name).and_then(|end| text.get(..end)).unwrap();
            header
                .get(header.len() - 110 + 14..)
                .unwrap()
                .get(..8)
                .unwrap()
                .to_owned()
        });
        assert_eq!(modes, ["000041ed", "000081ed", "00000000"]);
    }

    #[test]
    fn an_archive_of_ar() {
        let archive = ar(7, &[("a", b"odd"), ("b", b"even")]);
        let text = String::from_utf8(archive).unwrap();
        let (a, b) = text.strip_prefix("!<arch>\n").unwrap().split_at(64);
        assert_eq!(a.len(), 64);
        assert!(
            a.starts_with("a               7           0     0     100644  3         `\nodd\n")
        );
        assert!(b.ends_with("`\neven"));
    }
}
