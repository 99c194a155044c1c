//! The resolver against servers of the test's own on loopback.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A server that answers what `reply` says, and counts questions.
fn server(reply: fn(&mut Vec<u8>) -> bool) -> (Config, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let config = Config {
        servers: vec![socket.local_addr().unwrap()],
        timeout: Duration::from_secs(1),
        attempts: 1,
    };
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut message = buffer[..length].to_vec();
            if reply(&mut message) {
                socket.send_to(&message, from).unwrap();
            }
        }
    });
    (config, count)
}

/// Makes the question its answer: `box.example`.
fn named(message: &mut Vec<u8>) -> bool {
    message[2] |= 0x80;
    message[7] = 1;
    message.extend(b"\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0\x0d\x03box\x07example\0");
    true
}

#[expect(clippy::ptr_arg, reason = "of the type that `server` takes")]
fn nameless(message: &mut Vec<u8>) -> bool {
    message[2] |= 0x80;
    message[3] |= 3;
    true
}

fn silent(_: &mut Vec<u8>) -> bool {
    false
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

#[test]
fn a_name_is_asked_for_once() {
    for (reply, expected) in [
        (named as fn(&mut Vec<u8>) -> bool, Some("box.example")),
        (nameless, None),
    ] {
        let (config, count) = server(reply);
        let mut resolver = Resolver::new(config, Pace::File);
        for _ in 0..3 {
            resolver.next_packet();
            assert_eq!(resolver.name(ip(1)), expected);
        }
        let six = "2001:db8::1".parse().unwrap();
        resolver.next_packet();
        assert_eq!(resolver.name(six), expected);
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn a_dead_server_is_waited_for_once() {
    let (config, count) = server(silent);
    let mut resolver = Resolver::new(config, Pace::File);
    let start = Instant::now();
    for last in 0..50 {
        resolver.next_packet();
        assert_eq!(resolver.name(ip(last)), None);
        assert_eq!(resolver.name(ip(last)), None);
    }
    let took = start.elapsed();
    assert!(took >= PATIENCE && took < 3 * PATIENCE, "{took:?}");
    assert!(!resolver.trusted);
    assert!(count.load(Ordering::SeqCst) <= 50);
}

#[test]
fn a_refusing_server_is_not_waited_for_and_the_next_one_is_asked() {
    let (config, _) = server(named);
    // A port that nobody listens at.
    let closed = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let servers = vec![closed, config.servers[0]];
    let mut resolver = Resolver::new(Config { servers, ..config }, Pace::Live);
    assert_eq!(resolver.name(ip(1)), Some("box.example"));
}

#[test]
fn a_late_answer_is_taken_and_trust_comes_back() {
    let (config, _) = server(|message| {
        // The first label is the last byte of the address.
        if message[13] == b'1' {
            thread::sleep(2 * PATIENCE);
        }
        named(message)
    });
    let mut resolver = Resolver::new(config, Pace::File);
    assert_eq!(resolver.name(ip(1)), None);
    assert!(!resolver.trusted);
    let deadline = Instant::now() + Duration::from_secs(20);
    while resolver.name(ip(1)).is_none() {
        assert!(Instant::now() < deadline);
        thread::yield_now();
    }
    // Not waited for, but quick.
    while !resolver.trusted {
        assert!(Instant::now() < deadline);
        resolver.name(ip(2));
        thread::yield_now();
    }
    resolver.next_packet();
    assert_eq!(resolver.name(ip(3)), Some("box.example"));
}

#[test]
fn what_is_remembered_is_bounded() {
    let (config, _) = server(silent);
    let mut resolver = Resolver::new(config, Pace::Live);
    for number in 0..u32::try_from(5 * REMEMBERED).unwrap() {
        resolver.remember(IpAddr::V4(number.into()), Known::Nameless);
        // One that is in use stays.
        assert!(resolver.known(IpAddr::V4(0.into())).is_some());
    }
    assert!(resolver.young.len() + resolver.old.len() <= 2 * REMEMBERED);
}
