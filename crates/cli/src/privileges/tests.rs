use std::fs;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;

use super::*;

/// Runs in a thread of its own, since nobody is let out again; and only where the kernel offers
/// what is needed.
fn confined(needed: &str, confine: fn(&Path) -> Vec<Restriction>, check: fn(&Path)) {
    let name = format!("pktwho-{}-{}", std::process::id(), needed);
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("there"), "before").unwrap();
    let within = folder.clone();
    let ran = thread::spawn(move || {
        let restrictions = confine(&within);
        let missing = restrictions.iter().find(|it| it.outcome.is_err());
        match missing {
            Some(missing) => println!("skipped: {missing}"),
            None => check(&within),
        }
    });
    let ran = ran.join();
    fs::remove_dir_all(&folder).unwrap();
    ran.unwrap();
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn a_reader_has_few_calls_and_files() {
    const REFUSED: Option<ErrorKind> = Some(ErrorKind::PermissionDenied);
    confined(
        "reader",
        |_| restrict(&Confined::default()),
        |folder| {
            assert_eq!(kind(Command::new("/bin/true").spawn()), REFUSED);
            assert_eq!(kind(UnixStream::pair()), REFUSED);
            assert_eq!(kind(std::net::TcpListener::bind("127.0.0.1:0")), REFUSED);
            let as_root = rustix::thread::set_thread_uid(Uid::ROOT);
            assert_eq!(as_root, Err(rustix::io::Errno::PERM));
            assert_eq!(kind(File::create(folder.join("new"))), REFUSED);
            assert_eq!(kind(File::open(folder.join("there"))), REFUSED);
            assert_eq!(kind(fs::remove_file(folder.join("there"))), REFUSED);
            // What it needs it has.
            assert_eq!(kind(fs::read("/etc/passwd")), None);
            assert_eq!(kind(UdpSocket::bind("127.0.0.1:0")), None);
            assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
        },
    );
}

#[test]
fn a_maker_of_files_stays_in_its_folder() {
    confined(
        "maker",
        |folder| {
            vec![Restriction {
                name: "landlock",
                outcome: domain::write_within(&[folder.to_owned()]),
            }]
        },
        |folder| {
            assert_eq!(kind(File::create(folder.join("new"))), None);
            assert_eq!(kind(File::open(folder.join("there"))), None);
            let outside = folder.with_extension("outside");
            let refused = Some(ErrorKind::PermissionDenied);
            assert_eq!(kind(File::create(&outside)), refused);
            assert_eq!(kind(File::open("/etc/passwd")), refused);
        },
    );
}

#[test]
fn folders_of_files_that_will_be_made() {
    let check = |path: &str, expected: &str| {
        let mut confined = Confined::default();
        confined.makes(Path::new(path));
        assert_eq!(confined.folders, [PathBuf::from(expected)], "{path}");
    };
    check("x.pcap", ".");
    check("/nowhere/x%H.pcap", "/nowhere");
    check("/nowhere/%Y/x/y.pcap", "/nowhere");
    check("%Y/y.pcap", ".");
}
