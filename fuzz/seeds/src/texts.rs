//! Inputs that are written by hand.

use crate::Inputs;

const FILTERS: [&str; 24] = [
    "tcp port 443",
    "host 10.0.0.1 and not udp",
    "ip6 net fd00::/8 or ether host 02:00:00:00:00:01",
    "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
    "vlan 7 and ip proto 47",
    "portrange 1000-2000",
    "less 100 or greater 1000",
    "ether[0] & 1 = 0 and ip[6:2] & 0x1fff != 0",
    "mpls 100 and pppoes 5 and geneve",
    "icmp[icmptype] = icmp-echoreply",
    "ip6 protochain 6",
    "gateway localhost",
    "wlan type mgt subtype beacon",
    "proc curl or sender pid 1234",
    "tcp port 80 and receiver uid 0",
    "container web and not pod api",
    "label app=web or image nginx",
    "ether broadcast or ip multicast",
    "isis or clnp or stp",
    "sctp port 9 or (src host 1.2.3.4 and dst net 10/8)",
    "len * 2 - 3 / 4 % 5 > 1 << 2",
    "inbound and ifindex 1",
    "dst port 53 and src portrange 1-1023",
    "rtp or llc xid",
];

/// For `compile`: how it is read, the link type, the text, and a packet behind it.
pub fn filters() -> Inputs {
    let packet: Vec<u8> = (0..96).collect();
    let input = |(number, text): (u8, &&str)| {
        let mut input = vec![number % 3, number.wrapping_mul(11)];
        input.extend(text.bytes());
        input.push(0);
        input.extend(&packet);
        input
    };
    (0..).zip(&FILTERS).map(input).collect()
}

const HTTP: [&str; 3] = [
    "GET /index.html HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}\u{5}hello",
];

/// A frame of HTTP/2 with headers from the static table, and one with data.
const HTTP2: [&[u8]; 2] = [
    &[0, 0, 3, 1, 4, 0, 0, 0, 1, 0x82, 0x86, 0x84],
    &[0, 0, 2, 0, 1, 0, 0, 0, 1, b'h', b'i'],
];

/// For `packets` and `carried`: flags, then a byte that says what follows, its length and itself.
pub fn connections(carried: bool) -> Inputs {
    let texts = HTTP.iter().map(|text| text.as_bytes()).chain(HTTP2);
    let mut inputs = Vec::new();
    for text in texts {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        for flags in 0..4 {
            let mut input = vec![flags];
            for what in [4, 5, 2, 0x14] {
                input.push(what);
                if !carried {
                    input.extend([1, 1, 0x18]);
                }
                input.push(length);
                input.extend(text);
            }
            inputs.push(input);
        }
    }
    inputs
}

/// For `cursor`: how many bytes of reads, those, and bytes.
pub fn reads() -> Inputs {
    let input = |start: u8| {
        let reads = (start..start + 24).flat_map(|what| [what, what % 5]);
        let mut input = vec![48];
        input.extend(reads);
        input.extend(0..100);
        input
    };
    (0..12).map(input).collect()
}

/// For `cgroup`.
pub fn cgroups() -> Inputs {
    let id = "0123456789abcdef".repeat(4);
    [
        format!("/docker/{id}"),
        format!("/system.slice/docker-{id}.scope"),
        format!("/kubepods/burstable/pod0a1b2c3d-0000-1111-2222-333344445555/{id}"),
        format!("/kubepods.slice/kubepods-pod0a1b_2c3d.slice/cri-containerd-{id}.scope"),
        format!("/machine.slice/libpod-{id}.scope/container"),
        "/lxc.payload.web/system.slice".to_owned(),
        "/lxc/web".to_owned(),
        format!("12:memory:/docker/{id}\n1:name=systemd:/x\n0::/docker/{id}\n"),
        "curl\0-v\0https://example.org\0".to_owned(),
    ]
    .map(String::into_bytes)
    .into()
}

/// A field of a message of protocol buffers.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap_or(127) & 127;
    [&[number << 3 | 2, length], value].concat()
}

/// For `runtimes`: who answers, and what.
pub fn answers() -> Inputs {
    let labels = r#"{"io.kubernetes.pod.name":"api","io.kubernetes.pod.namespace":"prod"}"#;
    let docker =
        format!(r#"[{{"Id":"ab","Names":["/web","/x/y"],"Image":"nginx:1","Labels":{labels}}}]"#);
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{docker}",
        docker.len()
    );
    let podman =
        r#"[{"Id":"ab","Names":["web"],"Image":"i","Pod":"cd","PodName":"p","Labels":null}]"#;
    let store =
        r#"[{"id":"ab","names":["web"],"metadata":"{\"image-name\":\"i\",\"name\":\"web\"}"}]"#;
    let label = [field(1, b"nerdctl/name"), field(2, b"web")].concat();
    let containerd = [field(1, b"ab"), field(2, &label), field(3, b"nginx")].concat();
    let facts = [field(1, b"api"), field(2, b"uid"), field(3, b"prod")].concat();
    let item = [field(1, b"ab"), field(2, b"cd"), field(3, &facts)].concat();
    let cri = field(1, &item);
    let mut grpc = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    let frame = [&[0, 0, 0, 0, 9], &containerd[..9]].concat();
    grpc.extend([0, 0, 14, 0, 1, 0, 0, 0, 1]);
    grpc.extend(frame);
    let with = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    vec![
        with(0, answer.as_bytes()),
        with(0, docker.as_bytes()),
        with(1, podman.as_bytes()),
        with(2, store.as_bytes()),
        with(3, &containerd),
        with(4, &cri),
        with(5, &grpc),
    ]
}

/// For `records`: what the bytes are taken for, and they.
pub fn records() -> Inputs {
    let mut inputs = Vec::new();
    for kind in 0..10 {
        let mut record = vec![0, kind, 0, 0, 0];
        record.extend([1; 251]);
        inputs.push(record);
    }
    if let Ok(btf) = std::fs::read("/sys/kernel/btf/vmlinux") {
        let start = btf.get(..4096).unwrap_or(&btf);
        inputs.push([&[1], start].concat());
    }
    let line = b"7f00-7f10 r-xp 00000000 08:01 1234    /usr/lib/libssl.so.3";
    inputs.push([&[3], &line[..]].concat());
    inputs.push([&[4], &b"9 7 1 0 1 //proc/1/ns/net"[..]].concat());
    let mut packet = vec![0; 12];
    packet.extend([8, 0, 0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0]);
    packet.extend([
        10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4,
    ]);
    inputs.push([&[5], &packet[..]].concat());
    inputs.push([&[6], &packet[14..]].concat());
    // An answer about a device: header, then `struct ifinfomsg`, then its name.
    let mut message = vec![44, 0, 0, 0, 16, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    message.extend([0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    message.extend([9, 0, 3, 0, b'e', b't', b'h', b'0', 0, 0, 0, 0]);
    inputs.push([&[2], &message[..]].concat());
    inputs
}
