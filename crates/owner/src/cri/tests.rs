//! The service by its messages, and at a socket: one that is too old for version 1.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::*;

fn message(parts: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in parts {
        put(&mut out, *number, value);
    }
    out
}

#[test]
fn a_container_and_its_pod() {
    let image = message(&[(1, b"sha256:1"), (2, b"x")]);
    let name = message(&[(1, b"web")]);
    let label = message(&[(1, b"app"), (2, b"shop")]);
    let container = message(&[(1, b"c1"), (2, b"s1"), (3, &name), (4, &image), (8, &label)]);
    let names = message(&[(1, b"api"), (2, b"u1"), (3, b"prod")]);
    let sandbox = message(&[(1, b"s1"), (2, &names), (5, &label), (6, &label)]);
    let pods = FxHashMap::from_iter([pod(&sandbox)]);
    let found = listed(&container).within(&pods);
    let labels = vec![(b"app".to_vec(), b"shop".to_vec())];
    let expected = Container {
        id: b"c1".into(),
        name: b"web".into(),
        image: b"sha256:1".into(),
        labels: labels.clone(),
        pod: Some(Pod {
            name: b"api".into(),
            namespace: b"prod".into(),
            uid: b"u1".into(),
            labels: labels.clone(),
            annotations: labels,
        }),
        runtime: b"cri".into(),
    };
    assert_eq!(found, expected);
    assert_eq!(request(Some(b"ab")), [0x0a, 4, 0x0a, 2, b'a', b'b']);
}

/// What a service answers to a method, by its full name; `None`: it has none of that name.
type Answers = fn(&str) -> Option<Vec<u8>>;

/// A service at a socket of its own, and what it is asked.
fn serving(answers: Answers) -> (PathBuf, Receiver<String>) {
    served(answers, |mut stream, answer| {
        stream.write_all(answer).unwrap();
        // It is the caller who hangs up.
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// The same; how it answers, when it has read a question.
fn served(answers: Answers, reply: fn(UnixStream, &[u8])) -> (PathBuf, Receiver<String>) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pktwho-cri-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let (asked, methods) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let method = method_of(&mut stream);
            let answer = frames(answers(&method));
            asked.send(method).unwrap();
            reply(stream, &answer);
        }
    });
    (path, methods)
}

/// Reads a call to its end (RFC 9113: the preface, then frames); the path is a literal in it.
fn method_of(stream: &mut UnixStream) -> String {
    stream.read_exact(&mut [0; 24]).unwrap();
    let mut method = String::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let [a, b, c, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).unwrap();
        match (kind, flags & 1) {
            (1, _) => {
                let text = String::from_utf8_lossy(&payload).into_owned();
                let (_, rest) = text.split_once(":path").unwrap();
                // The length of what follows stands before it.
                let length = usize::from(rest.as_bytes()[0]);
                rest[1..=length].clone_into(&mut method);
            }
            (0, 1) => return method,
            _ => {}
        }
    }
}

/// Settings; then headers, the message and trailers, or, of a method that is not implemented,
/// trailers alone, as gRPC has it. What headers say is not looked at.
fn frames(answer: Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        out.extend(&length[1..]);
        out.extend([kind, flags, 0, 0, 0, stream]);
        out.extend(payload);
    };
    frame(4, 0, 0, &[]);
    if let Some(answer) = answer {
        let mut data = vec![0];
        data.extend(u32::try_from(answer.len()).unwrap().to_be_bytes());
        data.extend(answer);
        frame(1, 4, 1, &[0x88]);
        frame(0, 0, 1, &data);
    }
    frame(1, 5, 1, &[0x88]);
    out
}

/// A container and its pod, as CRI-O and cri-dockerd list them: the image by its id or name, what it was
/// asked for beside it where the version has that field.
fn listed_by(method: &str, image: &[u8]) -> Option<Vec<u8>> {
    let name = message(&[(1, b"web")]);
    let container = message(&[(1, b"c1"), (2, b"s1"), (3, &name), (4, image)]);
    let names = message(&[(1, b"api"), (2, b"u1"), (3, b"prod")]);
    let sandbox = message(&[(1, b"s1"), (2, &names)]);
    match method {
        "ListContainers" => Some(message(&[(1, &container)])),
        "ListPodSandbox" => Some(message(&[(1, &sandbox)])),
        _ => None,
    }
}

fn alpha(method: &str) -> Option<Vec<u8>> {
    let method = method.strip_prefix("/runtime.v1alpha2.RuntimeService/")?;
    listed_by(method, &message(&[(1, b"nginx:1")]))
}

fn crio(method: &str) -> Option<Vec<u8>> {
    let method = method.strip_prefix("/runtime.v1.RuntimeService/")?;
    let asked_for = b"registry.local/nginx:1";
    let mut image = message(&[(1, b"4f5e6d")]);
    // Field 18 takes two bytes.
    image.extend([0x92, 0x01, u8::try_from(asked_for.len()).unwrap()]);
    image.extend(asked_for);
    listed_by(method, &image)
}

/// It answers, and neither waits for what settings are answered with nor takes it.
#[test]
fn a_service_that_reads_no_more_has_answered_all_the_same() {
    let (path, _asked) = served(crio, |mut stream, answer| {
        stream.shutdown(Shutdown::Read).unwrap();
        stream.write_all(answer).unwrap();
    });
    let list = Cri::new(Some(path.clone())).list().unwrap();
    assert_eq!(list.len(), 2);
    let _ = std::fs::remove_file(path);
    // And without an answer there is none.
    let (path, _asked) = served(crio, |stream, _| stream.shutdown(Shutdown::Read).unwrap());
    let error = Cri::new(Some(path.clone())).list().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let _ = std::fs::remove_file(path);
}

/// Image and pod of the container, by a list and by a question, of the service; the methods that it was asked.
fn check(answers: Answers, image: &str, methods: &[&str]) {
    let (path, asked) = serving(answers);
    let mut cri = Cri::new(Some(path.clone()));
    let list = cri.list().unwrap();
    assert_eq!(list.len(), 2);
    let found = cri.find(b"c1").unwrap();
    assert_eq!(found, list[..1]);
    let container = &found[0].container;
    assert_eq!(container.image, image.as_bytes());
    assert_eq!(container.pod.as_ref().unwrap().namespace, b"prod");
    assert_eq!(cri.find(b"s1").unwrap()[0].container.name, SANDBOX);
    let asked: Vec<String> = asked.try_iter().collect();
    let short = asked
        .iter()
        .map(|method| method.trim_start_matches("/runtime."));
    assert_eq!(short.collect::<Vec<_>>(), methods);
    let _ = std::fs::remove_file(path);
}

#[test]
fn a_service_of_the_first_version_alone() {
    check(
        alpha,
        "nginx:1",
        &[
            "v1.RuntimeService/ListContainers",
            "v1alpha2.RuntimeService/ListContainers",
            // It is known from then on.
            "v1alpha2.RuntimeService/ListPodSandbox",
            "v1alpha2.RuntimeService/ListContainers",
            "v1alpha2.RuntimeService/ListPodSandbox",
            "v1alpha2.RuntimeService/ListContainers",
            "v1alpha2.RuntimeService/ListPodSandbox",
        ],
    );
}

#[test]
fn the_image_is_called_as_it_was_asked_for() {
    check(
        crio,
        "registry.local/nginx:1",
        &[
            "v1.RuntimeService/ListContainers",
            "v1.RuntimeService/ListPodSandbox",
            "v1.RuntimeService/ListContainers",
            "v1.RuntimeService/ListPodSandbox",
            "v1.RuntimeService/ListContainers",
            "v1.RuntimeService/ListPodSandbox",
        ],
    );
}

#[test]
fn a_service_of_another_kind() {
    let (path, _asked) = serving(|_| None);
    let error = Cri::new(Some(path.clone())).list().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let _ = std::fs::remove_file(path);
}
