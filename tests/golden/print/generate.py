#!/usr/bin/env python3
"""Writes the captures and arguments of the cases in this folder.

Each capture is made of packets built here, byte by byte; CASES says with which arguments each
is read.  The expected outputs are written by `BLESS=1 cargo test -p pktwho --test golden print`
and are compared with the installed tcpdump's by `./generate.py --compare TOOL`.  `./generate.py --snaplens TOOL OURS`
cuts packets of every case at every length and compares what two tools print of them; `--short TOOL OURS` does so with packets
that were sent shorter; `--sweep TOOL OURS` with
random payloads under every port, protocol number, EtherType, LLC address, PPP protocol and link type.
"""
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
A4, B4 = "10.0.0.1", "10.0.0.2"
A6, B6 = "2001:db8::1", "2001:db8::2"


def h(text):
    return bytes.fromhex(text)


def u16(*values):
    return struct.pack(f"!{len(values)}H", *values)


def u32(*values):
    return struct.pack(f"!{len(values)}I", *values)


def pad(data, size, fill=b"\0"):
    return data + fill * (-len(data) % size)


def checksum(data):
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", pad(data, 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def put_checksum(data, at, value):
    return data[:at] + u16(value) + data[at + 2:]


def ip(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def pseudo(src, dst, protocol, length):
    if ":" in src:
        return ip(src) + ip(dst) + u32(length, protocol)
    return ip(src) + ip(dst) + u16(protocol, length)


def ip4(protocol, payload, options=b"", tos=0, ttl=64, fragment=0, src=A4, dst=B4):
    options = pad(options, 4)
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH", 0x40 | words, tos, words * 4 + len(payload), 1, fragment, ttl, protocol, 0)
    header += ip(src) + ip(dst) + options
    return put_checksum(header, 10, checksum(header)) + payload


def ip6(following, payload, src=A6, dst=B6, first=0x60000000):
    return u32(first) + u16(len(payload)) + bytes([following, 64]) + ip(src) + ip(dst) + payload


def udp(sport, dport, payload, src=A4, dst=B4):
    data = u16(sport, dport, 8 + len(payload), 0) + payload
    return put_checksum(data, 6, checksum(pseudo(src, dst, 17, len(data)) + data) or 0xFFFF)


def tcp(flags, seq=1000, ack=2000, options=b"", payload=b"", sport=40000, dport=80, src=A4, dst=B4):
    options = pad(options, 4)
    data = u16(sport, dport) + u32(seq, ack) + u16((5 + len(options) // 4) << 12 | flags, 64240, 0, 0) + options + payload
    return put_checksum(data, 16, checksum(pseudo(src, dst, 6, len(data)) + data))


def icmp(kind, code, rest):
    data = bytes([kind, code, 0, 0]) + rest
    return ip4(1, put_checksum(data, 2, checksum(data)))


def icmp6(kind, code, rest, src="fe80::1", dst="fe80::2"):
    data = bytes([kind, code, 0, 0]) + rest
    data = put_checksum(data, 2, checksum(pseudo(src, dst, 58, len(data)) + data))
    return ip6(58, data, src, dst)


def ethernet(kind, payload):
    return h("020000000002020000000001") + u16(kind) + payload


def option(kind, value):
    return bytes([kind, len(value) + 2]) + value


def option6(kind, value):
    return bytes([kind, len(value)]) + value


def nd_option(kind, value):
    value = pad(b"xx" + value, 8)[2:]
    return bytes([kind, (len(value) + 2) // 8]) + value


def extension(following, body):
    return bytes([following, (len(body) + 2) // 8 - 1]) + body


def name(text):
    return b"".join(bytes([len(label)]) + label for label in text.encode().split(b".") if label) + b"\0"


def record(kind, data, owner=h("c00c"), cls=1, ttl=300):
    return owner + u16(kind, cls) + u32(ttl) + u16(len(data)) + data


def message(flags, answers=(), authorities=(), additional=(), kind=1, cls=1, question="example.org"):
    counts = u16(7, flags, 1, len(answers), len(authorities), len(additional))
    return counts + name(question) + u16(kind, cls) + b"".join([*answers, *authorities, *additional])


def dns(data, response=True, port=53):
    return ip4(17, udp(port, 40000, data) if response else udp(40000, port, data))


def edns(options, flags=0):
    return record(41, options, b"\0", 1232, flags)


INNER4 = ip4(17, udp(40000, 33434, b"hello"))
INNER6 = ip6(17, udp(40000, 33434, b"hello", A6, B6))
SMALL = ip4(17, udp(1, 2, b"abc"))
MAC = h("020000000001")


def arp(op, target=bytes(6), hardware=1, protocol=0x800):
    return ethernet(0x806, u16(hardware, protocol) + h("0604") + u16(op) + MAC + ip(A4) + target + ip(B4))


def handshake():
    start = option(2, u16(1460)) + option(4, b"") + option(8, u32(100, 0)) + h("01") + option(3, b"\7")
    stamp = h("0101") + option(8, u32(101, 200))
    back = dict(sport=80, dport=40000, src=B4, dst=A4)
    return [
        tcp(2, 1000, 0, start),
        tcp(0x12, 5000, 1001, start, **back),
        tcp(0x10, 1001, 5001, stamp),
        tcp(0x18, 1001, 5001, stamp, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        tcp(0x10, 5001, 1001, stamp + option(5, u32(1010, 1028)), **back),
        tcp(0x18, 5001, 1028, stamp, b"HTTP/1.1 204 No Content\r\n\r\n", **back),
        tcp(0x11, 1028, 5028, stamp),
        tcp(0x14, 5028, 1029, b"", b"no such connection, and more than fits", **back),
        tcp(0x1FF, 1, 1, sport=7, dport=9),
        tcp(0, 1, 1, sport=7, dport=9),
    ]


def tcp_options():
    values = [
        option(19, bytes(16)), option(28, u16(0x8005)), option(29, h("0102") + b"m" * 12), option(34, b""),
        option(34, b"cook"), option(254, h("f989")), option(254, h("f989") + b"cook"), option(99, b"abc"),
        option(2, b"x"), option(5, b"x"), option(29, b"x"), h("6300"), option(5, u32(1, 2, 3, 4)),
    ]
    return [ip4(6, tcp(2, sport=100 + n, dport=9, options=value)) for n, value in enumerate(values)]


def mptcp():
    m = lambda text: option(30, h(text))
    key, other = "0102030405060708", "1112131415161718"
    cases = [
        (2, m("0081" + key)), (2, m("0101")), (0x12, m("0181" + key)), (0x10, m("0101" + key + other)),
        (2, m("1105" + "aabbccdd" + "01020304")), (0x12, m("1005" + key + "01020304")), (0x10, m("1000" + "ab" * 20)),
        (0x10, m("2001" + "00000007")), (0x10, m("2003" + key)), (0x10, m("2014" + "00000001" + "00000002" + "0003" + "abcd")),
        (0x10, m("3405" + "0a000001")), (0x10, m("3005" + "0a000001" + "0050" + key)), (0x10, m("3105" + ip(A6).hex())),
        (0x10, m("40010203")), (0x10, m("5101")), (0x10, m("6000" + key)), (0x10, m("7000" + key)), (0x10, m("8000")),
        (0x10, m("20")), (0x10, m("0001")),
    ]
    return [ip4(6, tcp(flags, sport=100 + n, dport=9, options=value)) for n, (flags, value) in enumerate(cases)]


def records():
    soa = name("ns.example.org") + name("root.example.org") + u32(1, 7200, 900, 604800, 86400)
    values = [
        (1, ip(A4)), (28, ip(A6)), (2, name("ns.example.org")), (5, h("0161c00c")), (6, soa), (12, name("a.b")),
        (15, u16(10) + name("mx.example.org")), (16, b"\5v=1 \xff\3abc"), (33, u16(0, 5, 443) + name("s.example.org")),
        (38, h("40") + bytes(8) + name("a6.example.org")), (39, name("d.example.org")), (10, b"abc"), (43, b"abcd"),
        (46, b"signature"), (65, u16(1) + b"\0"), (256, u16(1, 2) + b"https://example.org"), (257, b"\0\5issue"),
        (250, name("hmac") + bytes(6) + u16(300, 2) + b"ab" + u16(7, 0, 0)), (99, b"\3spf"), (1, b"\1\2"),
    ]
    packets = [dns(message(0x8180, [record(kind, data)])) for kind, data in values]
    packets += [
        dns(message(0x8183)), dns(message(0x8580)), dns(message(0x8602)), dns(message(0x81B0)), dns(message(0x0100), False),
        dns(message(0x0130, kind=255, cls=3), False), dns(message(0x2800, kind=6), False), dns(message(0x0343), False),
        dns(message(0x8180, [record(1, ip(A4))], [record(2, name("ns.example.org"))], [record(1, ip(B4), ttl=3661)])),
    ]
    return packets


def edns_options():
    options = [
        b"", u16(3, 0), u16(5, 3) + b"\5\7\x08", u16(8, 7) + u16(1) + h("1800") + h("010203"), u16(9, 4) + u32(5),
        u16(10, 8) + b"12345678", u16(11, 2) + u16(100), u16(12, 3) + bytes(3), u16(14, 2) + u16(7), u16(99, 2) + b"zz",
        u16(10, 8) + b"12345678" + u16(12, 1) + b"\0",
    ]
    return [dns(message(0x0120, additional=[edns(data, 0x8000 * (n % 2))]), False) for n, data in enumerate(options)]


def neighbours():
    link = nd_option(1, MAC)
    prefix = nd_option(3, h("40c0") + u32(2592000, 0xFFFFFFFF, 0) + ip("2001:db8::"))
    router = prefix + nd_option(5, u16(0) + u32(1500)) + nd_option(24, h("4008") + u32(5) + ip(A6)[:8])
    router += nd_option(25, u16(0) + u32(60) + ip(A6)) + nd_option(31, u16(0) + u32(60) + name("example.org")) + link
    return [
        icmp6(133, 0, bytes(4) + link), icmp6(134, 0, h("40c8000f") + u32(5, 6) + router),
        icmp6(135, 0, bytes(4) + ip(A6) + link), icmp6(136, 0, h("e0000000") + ip(A6) + nd_option(2, MAC)),
        icmp6(137, 0, bytes(4) + ip(A6) + ip(B6) + nd_option(4, bytes(6) + INNER6)),
        icmp6(130, 0, u16(10000, 0) + ip("ff02::5")), icmp6(131, 0, u16(0, 0) + ip("ff02::5")),
        icmp6(132, 0, u16(0, 0) + ip("ff02::5")),
        icmp6(130, 0, h("a7100000") + ip("ff02::5") + h("0a7d0002") + ip(A6) + ip(B6)),
        icmp6(143, 0, h("00000002") + h("01000001") + ip("ff02::5") + ip(A6) + h("04000000") + ip("ff02::6")),
        icmp6(138, 0, u32(1) + h("00f80005") + u32(0) + h("010700300080") + u16(0) + ip(A6) + h("30100000") + u32(0xFFFFFFFF, 6, 0) + ip(B6)),
        icmp6(155, 0, b""), icmp6(155, 2, h("2a40000a") + ip(A6) + h("0504008020 01".replace(" ", "")) + h("00")),
    ]


def errors6():
    kinds = [(1, code) for code in range(6)] + [(3, 0), (3, 1), (4, 0), (4, 1)]
    packets = [icmp6(kind, code, u32(40) + INNER6) for kind, code in kinds]
    packets += [icmp6(2, 0, u32(1280) + INNER6), icmp6(128, 0, u16(1, 2) + b"ping"), icmp6(129, 0, u16(1, 2)), icmp6(100, 0, b"abcd")]
    return packets + [icmp6(139, 0, u16(3, 0x3E) + b"nonce678" + ip(A6)), icmp6(140, 0, u16(4, 2) + b"nonce678" + u32(5) + ip(A4))]


def extensions6():
    u = udp(1, 2, b"abc", A6, B6)
    return [
        ip6(0, extension(17, option6(5, u16(0)) + option6(1, b"")) + u), ip6(60, extension(17, option6(1, b"abcd")) + u),
        ip6(60, extension(17, option6(0xC9, ip(A6)) + h("01020000")) + u), ip6(44, h("1100000100000007") + u),
        ip6(44, h("110005a900000007") + u), ip6(43, h("1102000100000000") + ip(B6) + u),
        ip6(43, h("1102020100000000") + ip(B6) + u), ip6(43, h("1102040100000000") + ip(B6) + u),
        ip6(43, h("1102090100000000") + ip(B6) + u), ip6(0, h("1100 0a0a 0000 0000".replace(" ", "")) + u),
        ip6(59, b""), ip6(240, b"abc"), ip6(41, INNER6), ip6(4, INNER4), ip6(17, u, first=0x63012345),
        ip6(135, h("3b00000000000000")), ip6(135, h("3b010500000003e8800000 3c01020000".replace(" ", ""))),
    ]


def options4():
    u = udp(1, 2, b"abc")
    values = [
        h("01"), h("070b08") + ip(A4) * 2, h("83070 4".replace(" ", "")) + ip(B4), h("440c0500") + u32(7, 7),
        h("44140d31") + (ip(A4) + u32(7)) * 2, h("94040000"), h("94040005"), h("990661626364"), h("9900"), h("44030500"),
    ]
    packets = [ip4(17, u, options=value) for value in values]
    packets += [ip4(17, u, tos=tos) for tos in (1, 2, 3, 0xB8)] + [ip4(17, u, ttl=0), ip4(17, u, fragment=0x4000)]
    packets += [ip4(17, u, fragment=0x2000), ip4(17, u, fragment=0x20B9), ip4(6, u, fragment=0x00B9), ip4(240, b"abcd")]
    return packets + [ip4(4, INNER4), ip4(41, INNER6), h("55") + bytes(30), h("43") + bytes(30), put_checksum(SMALL, 10, 5)]


def errors4():
    packets = [icmp(3, code, u16(0, 1500) + INNER4) for code in range(17)]
    packets += [icmp(5, code, ip(A4) + INNER4) for code in range(5)] + [icmp(11, code, bytes(4) + INNER4) for code in range(3)]
    packets += [icmp(12, 0, h("05000000") + INNER4), icmp(12, 1, bytes(4) + INNER4), icmp(4, 0, bytes(4) + INNER4)]
    packets += [icmp(8, 0, u16(1, 2) + b"ping"), icmp(0, 0, u16(1, 2)), icmp(9, 0, h("02027080") + ip(A4) + u32(5) + ip(B4) + u32(6))]
    packets += [icmp(13, 0, u16(1, 2) + u32(1, 2, 3)), icmp(14, 0, u16(1, 2) + u32(3661001, 3662002, 3663003))]
    packets += [icmp(17, 0, u16(1, 2) + bytes(4)), icmp(18, 0, u16(1, 2) + h("ffffff00")), icmp(99, 0, bytes(4))]
    return packets


def extensions4():
    original = pad(INNER4, 128)[:128]
    labels = u16(8) + h("0101") + u32(16 << 12 | 0x101)
    interface = u16(4 + 4 + 8 + 8) + bytes([2, 0x0E]) + u32(15) + u16(1, 0) + ip(A4) + bytes([8]) + b"eth0".ljust(7, b"\0")
    make = lambda objects: put_checksum(h("20000000") + objects, 2, checksum(h("20000000") + objects))
    packets = [icmp(11, 0, bytes(4) + original + make(value)) for value in (labels, interface, interface + labels)]
    ident = make(u16(12) + h("0301") + b"eth0".ljust(8, b"\0"))
    return packets + [icmp(42, 0, h("00010201") + ident), icmp(43, 1, h("00010244"))]


def text():
    lines = [b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\n", b"HTTP/1.1 200 OK\r\n\r\n\0binary", b"no request at all\r\n", b"POST /x HTTP/1.1\r\nA: \xff\r\n"]
    packets = [ip4(6, tcp(0x18, sport=40000 + n, payload=line)) for n, line in enumerate(lines)]
    return packets + [ip4(6, tcp(0x18, dport=43, payload=b"example.org\r\n"))]


def over_tcp():
    data = message(0x0100)
    return [ip4(6, tcp(0x18, sport=100 + n, dport=53, payload=value)) for n, value in enumerate([u16(len(data)) + data, u16(5) + data, b"\0"])]


def multicast():
    return [dns(message(0, cls=0x8001), False, 5353), dns(message(0x8400, [record(1, ip(A4), cls=0x8001)]), True, 5353)]


def links():
    snap = h("aaaa03000000") + u16(0x800) + SMALL
    tag = lambda value, kind, rest: u16(value, kind) + rest
    return [
        ethernet(0x800, SMALL), ethernet(0x8100, tag(0x3005, 0x800, SMALL)), ethernet(0x88A8, tag(200, 0x8100, tag(5, 0x86DD, INNER6))),
        ethernet(len(snap), snap), ethernet(30, h("102003") + b"x" * 27), ethernet(30, h("f0f003") + b"x" * 27),
        ethernet(30, h("10210102") + b"x" * 26), ethernet(36, h("aaaa03123456") + u16(0x2000) + b"x" * 28),
        ethernet(0x9999, b"unknown payload"), ethernet(0x800, SMALL + bytes(20)),
    ]


def sll(kind, packet_type, payload):
    return u16(packet_type, 1, 6) + MAC + bytes(2) + u16(kind) + payload


def sll2(kind, packet_type, payload):
    return u16(kind, 0) + u32(77777) + u16(1) + bytes([packet_type, 6]) + MAC + bytes(2) + payload


def managements():
    """Q.933: messages of every kind, then elements behind those of a status, whole and cut."""
    status = h("007d9501010003020102")
    kinds = [bytes([reference]) + bytes(range(0x41, 0x41 + reference)) + bytes([kind]) for reference in range(3) for kind in (0, 5, 0x75, 0x90)]
    elements = [h(text) for text in ("070318f482", "0703189480", "070318f40a", "0704184894 80".replace(" ", ""), "0301aa", "010201aa", "08021234", "0300", "0002aabb", "5303010203", "5101aa", "81", "0809", "07")]
    found = kinds + [kind + more for kind in kinds for more in (b"\0", h("95010100"), h("01"))] + [status + one for one in elements] + [h("0075") + one for one in elements]
    return [h("187103") + b"\x08" + one for one in found] + [(h("187103") + b"\x08" + status[:size], 14) for size in range(len(status))]


def compressions():
    """SLIP's headers: a whole one of connection 3 first, then changes of every kind."""
    segment = ip4(6, tcp(0x10, payload=b"hello"))
    slip = lambda way, header, packet=segment: bytes([way]) + header.ljust(15, b"\0")[:15] + packet
    changes = [bytes([0x80 | bits, 1, 2, 7]) for bits in range(0x40)] + [bytes([0x80 | bits, 1, 2, 0, 0xFF, 0xFE]) for bits in (1, 2, 4, 8, 32)]
    others = [slip(way, header) for way in (0, 1, 2) for header in (b"\xc0\5", b"\xcb\5\1\2", b"\x80", b"\x45", b"\x10", b"\x75" + bytes(8) + b"\4")]
    return [slip(1, b"\x75" + bytes(8) + b"\3")] + [slip(1, one) for one in changes] + others + [slip(1, b"\x80", SMALL), slip(1, b"\x70", segment[:30])]


def dccp(kind, long, body, options=b"", coverage=0):
    options = pad(options, 4)
    words = ((16 if long else 12) + len(body) + len(options)) // 4
    head = u16(1000, 2000) + bytes([words, 0x10 | coverage, 0, 0, kind << 1 | long])
    data = head + (h("00000000000102") if long else h("000102")) + body + options
    return ip4(33, put_checksum(data, 6, checksum(pseudo(A4, B4, 33, len(data)) + data)))


def dccp_types():
    ack = h("0000000000000007")
    packets = [dccp(0, 1, u32(42)), dccp(1, 1, ack + u32(42)), dccp(2, 0, b"data"), dccp(3, 0, u32(7)), dccp(7, 1, ack + h("01000000"))]
    packets += [dccp(kind, 1, ack) for kind in (4, 5, 6, 8, 9, 10)] + [dccp(9, 1, ack, coverage=1)]
    options = ["00010203", "20030100", "20040102", "2105010002", "26040102", "290600000001", "2a0800000001 0002", "2b040009", "2b06 00000009",
               "2c0601020304", "24040102", "250308", "280305", "80040102", "c00600000009", "ff0301", "2001", "2004ff01", "290400 01"]
    return packets + [dccp(4, 1, ack, h(value.replace(" ", ""))) for value in options]


def ddp(kind, body):
    return ethernet(0x809B, u16(1 << 10 | 13 + len(body), 0, 6, 5) + bytes([8, 7, 201, 200, kind]) + body)


def appletalk():
    entity = u16(5) + h("068001") + b"\3Foo\x0bLaserWriter\1*"
    names = [ddp(2, bytes([op << 4 | 1, 7]) + entity) for op in (1, 2, 3, 4)] + [ddp(2, h("3207") + entity + entity)]
    transactions = [ddp(3, bytes([control, bits]) + u16(99) + u32(user) + b"data") for control, bits, user in
                    ((0x40, 3, 0), (0x60, 0x55, 5), (0x90, 2, 0), (0xA8, 2, 0), (0xD8, 3, 0), (0, 0, 0))]
    resolution = [ethernet(0x80F3, u16(1, 0x809B) + h("0604") + u16(op) + MAC + h("00010203") + bytes(6) + h("00040506")) for op in (1, 2, 3, 4)]
    return names + transactions + resolution + [ddp(1, b"rtmp"), ddp(4, b"\1abc"), ddp(77, b"x")]


def ipx(to, body, length=None):
    size = 30 + len(body) if length is None else length
    return ethernet(0x8137, u16(0xFFFF, size) + h("0004") + u32(1) + MAC + u16(to) + u32(2) + h("020000000002") + u16(0x4000) + body)


def netware():
    service = u16(4) + b"SRV".ljust(48, b"\0") + u32(9) + MAC + u16(0x451, 1)
    packets = [ipx(0x452, u16(1, 4)), ipx(0x452, u16(2) + service), ipx(0x452, u16(3, 0xFFFF)), ipx(0x452, u16(9)), ipx(0x453, u16(1) + u32(5) + u16(1, 2))]
    packets += [ipx(0x453, u16(2) + u32(5) + u16(1, 2) + u32(6)), ipx(0x455, bytes(4)), ipx(0x456, b""), ipx(0x1234, b"abc"), ipx(1, b"", 20)]
    raw = packets[0][14:]
    return packets + [ethernet(len(raw) + 3, h("e0e003") + raw), ethernet(len(raw), raw)]


def cfm(opcode, flags, first, body):
    return ethernet(0x8902, bytes([0x20, opcode, flags, first]) + body + b"\0")


def faults():
    names = (h("0403") + b"abc" + h("0204") + b"mana").ljust(48, b"\0") + bytes(16)
    check = lambda flags, body: cfm(1, flags, 70, u32(7) + u16(5) + body)
    tlvs = h("020001 02".replace(" ", "")) + h("03000107") + h("1f000500000c0141") + h("0100080604") + MAC + h("0100070505010a000001") + h("63000161")
    other = [check(5, h("0100").ljust(48, b"\0") + bytes(16)), check(5, (h("0902ab cd".replace(" ", "")) + h("0302 0001".replace(" ", ""))).ljust(48, b"\0") + bytes(16))]
    trace = u32(9) + h("40")
    return [check(flags, names) for flags in (0, 1, 0x85)] + other + [
        cfm(3, 0, 4, u32(9) + tlvs), cfm(2, 0, 4, u32(9)), cfm(5, 0x80, 17, trace + MAC + h("020000000002")), cfm(4, 0xE0, 6, trace + h("01") + h("0500020102")),
        cfm(99, 0, 4, u32(9)), cfm(3, 0, 200, u32(9)), ethernet(0x8902, h("21010046") + bytes(70)), cfm(3, 0, 4, u32(9) + h("030009ab")),
    ]


def tipc(user, kind, words=6):
    data = u32(2 << 29 | user << 25 | words << 21 | 24, kind << 29 | 0x1234567, 0x22345678, 1 << 24 | 2 << 12 | 3, 100, 101, 2 << 24 | 3 << 12 | 4)
    return ethernet(0x88CA, data + u32(3 << 24 | 4 << 12 | 5, 0x8899AABB, 0x99AABBCC))


def wlan(kind, subtype, body, flags=0):
    return bytes([kind << 2 | subtype << 4, flags]) + h("3000") + body


def wlan_frames():
    ends = h("0200000000da") + MAC + h("0200000000bb")
    snap = h("aaaa03000000") + u16(0x800) + SMALL
    element = lambda kind, value: bytes([kind, len(value)]) + value
    shown = element(0, b"net") + element(1, h("82848b960c")) + element(3, b"\6")
    manage = lambda subtype, body, flags=0: wlan(0, subtype, ends + h("1000") + body, flags)
    frames = [manage(8, bytes(8) + h("6400") + h(bits) + shown) for bits in ("0100", "1200")]
    frames += [manage(5, bytes(10) + h("1100") + shown), manage(4, shown), manage(0, h("11000a00") + shown), manage(2, h("11000a00") + MAC + shown)]
    frames += [manage(1, h("11000000 01c0".replace(" ", ""))), manage(3, h("01001100 02c0".replace(" ", ""))), manage(9, b""), manage(10, h("0800"))]
    frames += [manage(12, h("0300")), manage(11, h("000001000000")), manage(11, h("010002000000")), manage(11, h("010003000f00")), manage(6, b"x")]
    frames += [manage(13, h(value) + b"zz") for value in ("0300", "0000", "0d01", "0f05", "7f09", "2001")] + [manage(11, b"\1" * 8, 0x40)]
    frames += [wlan(1, subtype, ends[:12] + h("04001000")) for subtype in range(5, 16)]
    frames += [wlan(2, 0, ends + h("3001") + (h("0200000000a4") if flags == 3 else b"") + snap, flags) for flags in range(4)]
    frames += [wlan(2, 8, ends + h("30010000") + snap, 1), wlan(2, 3, ends + h("3001") + snap, 0x39), wlan(2, 4, ends + h("3001"), 1)]
    return frames + [wlan(2, 0, ends + h("3001") + h("01020360") + b"sealed", 0x41), wlan(3, 0, ends)]


def radiotap(bits, fields, more=(), frame=wlan(1, 13, MAC)):
    words = [sum(1 << bit for bit in bits) | (1 << 31 if more else 0), *more]
    head = struct.pack(f"<{len(words)}I", *words) + fields
    return h("0000") + struct.pack("<H", 4 + len(head)) + head + frame


def radiotaps():
    le = lambda *values: struct.pack(f"<{len(values)}H", *values)
    packets = [radiotap([0, 1, 2], struct.pack("<Q", 77) + h("0216")), radiotap([1], h("10"), frame=wlan(1, 13, MAC) + b"FCSX"), radiotap([2], h("87"))]
    packets += [radiotap([3], le(2412, flags)) for flags in (0xA0, 0xC0, 0x480, 0x140, 0x880, 0x4140, 0x80C0, 0x10)]
    packets += [radiotap([4, 5, 6, 7], h("0304d0a0") + le(77)), radiotap([8, 9, 10, 11, 12, 13, 14], le(5, 6) + h("1402070800") + le(2)[1:] + h("00"))]
    packets += [radiotap([18], struct.pack("<IHBB", flags, 5180, 36, 17)) for flags in (0x140, 0x10140, 0x20140, 0x40140)]
    packets += [radiotap([19], bytes([known, flags, index])) for known, flags, index in ((7, 0, 7), (7, 5, 15), (0x3F, 0x38, 0), (7, 1, 32), (7, 0, 33), (2, 0, 76))]
    packets += [radiotap([3, 19], le(2412, 0xA0) + h("070003")), radiotap([21], le(0xFFFF) + h("040b9711000001000000")), radiotap([20, 22], bytes(20))]
    return packets + [radiotap([5], h("d0d1"), [1 << 5]), radiotap([5, 29], h("d0d1"), [1 << 5]), radiotap([0], h("01"))]


def flow(kind, body, version=1):
    return ip4(6, tcp(0x18, sport=6653, dport=1234, payload=bytes([version, kind]) + u16(8 + len(body)) + u32(7) + body))


def flows():
    match = lambda wild: u32(wild) + u16(1) + MAC + h("020000000002") + u16(5) + h("0300") + u16(0x800) + h("1c060000") + ip(A4) + ip(B4) + u16(80, 443)
    port = lambda number: u16(number) + MAC + b"eth0".ljust(16, b"\0") + u32(0xFF, 0x301, 0xFFF, 1, 2, 0x1000)
    action = lambda kind, body: u16(kind, 4 + len(body)) + body
    actions = [(0, u16(5, 0)), (0, u16(0xFFFD, 128)), (1, u16(9, 0)), (2, h("03000000")), (3, bytes(4)), (4, MAC + bytes(6)), (6, ip(A4)), (8, h("1c000000")),
               (9, u16(80, 0)), (11, u16(3) + bytes(6) + u32(7)), (0xFFFF, u32(0x5C16C7, 1, 5, 0x81000005) + h("01000000")), (0xFFFF, u32(0x2320, 0)), (12, bytes(4))]
    every = b"".join(action(*one) for one in actions)
    quad = lambda value: u32(0, value)
    frame = ethernet(0x800, SMALL)
    change = lambda wild, command, idle, rest=b"": match(wild) + quad(9) + u16(command, idle, 0, 100) + u32(0xFFFFFFFF) + u16(0xFFFF, 1) + rest
    entry = match(0x3FFFFE) + u32(1, 2) + u16(3, 4, 5) + bytes(6) + quad(6) + quad(7) + quad(8) + every
    stats = lambda kind, body: u16(kind, 0) + body
    text = b"mfr".ljust(256, b"\0") * 3 + b"ser".ljust(32, b"\0") + b"dp".ljust(256, b"\0")
    packets = [flow(0, b""), flow(2, b"abc"), flow(1, u16(1, 6) + b"data"), flow(1, u16(9, 9)), flow(4, u32(0x5C16C7, 0) + h("010000000a000001")), flow(4, u32(0x5C16C7, 6, 1) + b"ls")]
    packets += [flow(6, quad(5) + u32(256) + h("02000000") + u32(0x6F, 0xFFF) + port(1) + port(0xFFFE)), flow(8, u16(0, 128)), flow(9, u16(3, 0))]
    packets += [flow(10, u32(0xFFFFFFFF) + u16(len(frame), 3) + h("0000") + frame), flow(11, match(0x3FFFFF) + quad(9) + u16(100) + h("0100") + u32(5, 6) + u16(7, 0) + quad(8) * 2)]
    packets += [flow(12, h("0000000000000000") + port(1)), flow(14, change(0, 0, 5, every)), flow(14, change(0x3FFFFF, 3, 0)), flow(14, change(0x400800, 1, 0)), flow(14, b"short")]
    packets += [flow(15, u16(1) + MAC + u32(0xFF, 1, 0xFFF) + bytes(4)), flow(16, stats(0, b"")), flow(16, stats(1, match(0x3FFFFF) + h("ff00ffff"))), flow(16, stats(5, u16(2, 0) + u32(9)))]
    packets += [flow(17, stats(0, text)), flow(17, stats(1, u16(88 + len(every)) + h("0200") + entry)), flow(17, stats(2, quad(1) * 2 + u32(3, 0)))]
    packets += [flow(17, stats(3, h("01000000") + b"tab".ljust(32, b"\0") + u32(0x3FFFFF, 10, 20) + quad(1) * 2)), flow(17, stats(4, u16(3) + bytes(6) + quad(4) * 12))]
    packets += [flow(17, stats(5, u16(3, 0) + u32(4) + quad(1) * 3)), flow(18, b""), flow(20, u16(5, 0)), flow(21, u16(5) + bytes(6) + u32(2) + u16(24, 0) + u16(1, 16) + bytes(4) + u16(500) + bytes(6))]
    new = lambda kind, body=b"": flow(kind, body, 4)
    port13 = u32(2, 0) + MAC + bytes(2) + b"veth0".ljust(16, b"\0") + u32(0xFF, 7, 0xFFFF, 1, 2, 0x10000, 1000, 2000)
    packets += [new(0, u16(1, 8) + u32(0x15)), new(0, u16(2, 3)), new(1, u16(3, 5) + b"data"), new(4, u32(0xD0F0DB, 5) + b"abc"), new(6, quad(5) + u32(256) + h("40010000") + u32(0x4F, 0))]
    packets += [new(9, u16(2, 0xFFFF)), new(12, bytes(8) + port13), new(16, u32(1, 0) + MAC + bytes(2) + u32(0x40, 0x40, 0x80A) + bytes(4)), new(17, h("fe000000") + u32(3))]
    packets += [new(22, u32(0xFFFFFFFF, 0)), new(24, u32(2, 0) + quad(77)), new(28, u32(3, 2, 7, 2, 7, 4)), new(14, bytes(40)), flow(0, b"", 2), flow(0, b"", 9)]
    return packets


def juniper(flags, body, extension=None):
    return b"MGC" + bytes([flags]) + (b"" if extension is None else u16(len(extension)) + extension) + body


def junipers():
    frame = ethernet(0x800, SMALL)
    return [juniper(1, frame), juniper(0x80, frame, h("0301010602abcd")), juniper(3, u32(2) + SMALL), juniper(2, u32(2) + h("10")), juniper(0x80, b"", h("0309")), b"MGD\1" + frame]


def lwres(operation, flags, body, version=0, length=None):
    data = u32(28 + len(body) if length is None else length) + u16(version, flags) + u32(5, operation, 0, 0) + u16(0, 0) + body
    return ip4(17, udp(1000, 921, data))


def light_resolver():
    named = lambda text: u16(len(text)) + text + b"\0"
    v4, v6 = u32(1) + u16(4) + ip(A4), u32(2) + u16(16) + ip(A6)
    first, second, third = 0x10001, 0x10002, 0x10003
    return [
        lwres(first, 0, u32(3, 1) + named(b"host")), lwres(first, 0x8000, u32(3, 7) + named(b"host")), lwres(first, 1, u32(0) + u16(1, 2) + named(b"host") + named(b"al") + v4 + v6),
        lwres(second, 0, u32(0) + v4), lwres(second, 0, u32(0, 9) + u16(3) + b"abc"), lwres(second, 1, u32(0) + u16(1) + named(b"host") + named(b"al")),
        lwres(third, 0, u32(0) + u16(1, 28) + named(b"host")), lwres(third, 0, u32(0) + u16(3, 255) + u16(2) + b"abc"),
        lwres(third, 1, u32(0) + u16(1, 1) + u32(300) + u16(1, 1) + named(b"host") + u16(4) + ip(A4) + u16(2) + b"ab"),
        lwres(0, 0, b""), lwres(0, 1, b"xx"), lwres(9, 0, b""), lwres(0, 0, b"", 1), lwres(0, 0, b"", 0, 99), lwres(0, 0, b"", 7, 5),
    ]


def lmp(kind, *objects, flags=0, version=1):
    body = b"".join(objects)
    return ip4(17, udp(701, 701, bytes([version << 4, 0, flags, kind]) + u16(8 + len(body), 0) + body))


def link_management():
    item = lambda cls, kind, body, negotiable=0: bytes([negotiable << 7 | kind, cls]) + u16(4 + len(body)) + body
    ends = ip(A4) + ip(B4)
    rates = struct.pack("!ff", 1e6, 2e6)
    packets = [lmp(kind) for kind in (0, 1, 7, 14, 20, 21)] + [lmp(4, flags=3), lmp(4, version=2)]
    packets += [lmp(1, item(1, 1, u32(1)), item(2, 2, ip(A4)), item(5, 2, u32(3)), item(6, 1, u16(5, 15), 1)), lmp(4, item(7, 1, u32(50, 60)), item(3, 3, ip(A6)), item(4, 2, ip(B4)))]
    packets += [lmp(5, item(8, 1, u16(1, 20) + u32(30) + h("08008000") + rates[:4] + u32(8))), lmp(6, item(9, 1, u16(1, 2)), item(10, 1, u32(5)))]
    packets += [lmp(14, item(11, 1, h("03000000") + ends), item(12, 1, h("01000000") + ends + h("010c9608") + rates + h("02080000") + u32(7) + h("03040000")))]
    packets += [lmp(17, item(13, 1, ip(A4) + u32(0xC0000002)), item(14, 3, u32(5, 6))), lmp(16, item(20, 1, u32(3)), item(20, 2, u32(63)))]
    return packets + [lmp(4, item(1, 1, u32(1, 2))), lmp(4, item(12, 2, h("00000000") + ip(A6) * 2 + h("01280000"))), lmp(4, h("01010002")), lmp(4, item(99, 1, u32(1)))]


def cut():
    whole = handshake()[3]
    packets = [ip4(6, whole), dns(message(0x8180, [record(5, h("0161c00c")), record(1, ip(A4))])), neighbours()[1]]
    return [(packet[:size], len(packet)) for packet in packets for size in range(1, len(packet), 2)]


RAW = 101
def l2tps():
    """Control messages with every attribute, and PPP frames."""
    avp = lambda kind, value, flags=0x8000, vendor=0: u16(flags | 6 + len(value), vendor, kind) + value
    control = lambda *avps: u16(0xC802, 12 + len(b"".join(avps)), 5, 6, 1, 2) + b"".join(avps)
    texts = [(7, b"lac\x01\xff"), (8, b"maker"), (21, b"123"), (22, b"456"), (23, b"7"), (30, b"user"), (37, b"group")]
    numbers = [(6, u16(0x1130)), (9, u16(7)), (10, u16(4)), (14, u16(8)), (32, u16(3)), (2, h("0100"))] + [(kind, u32(64000)) for kind in (15, 16, 17, 24, 25, 38)]
    blobs = [(5, bytes(range(8))), (11, b"chal"), (13, bytes(range(16))), (26, h("0506")), (27, b""), (28, h("07")), (31, b"c"), (33, b"r"), (36, b"vector")]
    mixed = [(1, u16(2)), (1, u16(2, 3)), (1, u16(2, 3) + b"gone"), (12, u16(16) + b"\1busy"), (34, u16(0) + u32(1, 2, 3, 4, 5, 6)), (35, u16(0) + u32(9, 10)),
             (20, u16(1)), (39, b""), (99, b"?"), (46, u16(1, 0xC021) + b"\2why"), (46, u16(1, 0xC021) + b"\5")]
    bits = [(kind, u32(value)) for kind in (3, 4, 18, 19) for value in range(4)] + [(29, u16(value)) for value in range(7)]
    messages = [control(avp(0, u16(kind))) for kind in range(1, 18)] + [control(*(avp(*one) for one in some)) for some in (texts, numbers, blobs, mixed, bits)]
    short = [control(*(avp(kind, b"a") for kind in (0, 1, 2, 3, 5, 6, 12, 13, 15, 29, 32, 34, 35, 46)))]
    odd = [control(), control(avp(7, b"a", 0xC000), avp(7, b"b", 0)), control(avp(7, h("c0ffee"), 0x8000, 9)), control(u16(0x8003, 0, 7)), control(avp(7, b"abc") + b"ab")]
    odd += [u16(1, 2), u16(3, 4), u16(0x8002, 5, 6), u16(0xC802, 4, 5, 6, 1, 2), u16(0xC802, 40, 5, 6, 1, 2)]
    frame = h("ff030021") + SMALL
    frames = [u16(2, 5, 6) + frame, u16(0x4002, 8 + len(frame), 5, 6) + frame, u16(0x4B02, 16 + len(frame), 5, 6, 1, 2, 2) + b"xx" + frame, u16(2, 5, 6) + h("c0210101000a0506aabbccdd")]
    return [ip4(17, udp(1701, 1701, one)) for one in messages + short + odd + frames]


def personal():
    """IEEE 802.15.4 frames with addresses of every kind."""
    frame = lambda kind, control, rest=bytes(range(1, 36)): struct.pack("<H", kind | control) + rest
    modes = [version << 12 | to << 10 | source << 14 | packed << 6 for version in range(3) for to in range(4) for source in range(4) for packed in (0, 1)]
    flags = [0x10, 0x20, 0x100, 0x2100, 0x2130]
    return [frame(1, mode) for mode in modes] + [frame(2, flag | 0x8800) for flag in flags] + [frame(kind, 0x8800) for kind in (4, 6, 7)] + [
        frame(1, 0x8800, bytes(range(1, 10)) + b"payload" + h("8518")), frame(2, 0, h("0131a4")), frame(2, 0, h("01"))]


def telnets():
    negotiations = [h("2500020601"), h("26010103"), h("260703aa"), h("1801"), h("1800") + b"xterm", h("1f0000500018"), h("2204ff"), h("22"), h("250342")]
    segments = [h("fffd01fffb03fff1ffff"), h("fff6") + b"text" + h("fffd01"), h("fffd"), h("fffd63"), h("fffa18"), h("fffa1801ff"), h("fffdff")]
    segments += [h("fffa") + value + h("fff0") for value in negotiations]
    return [ip4(6, tcp(0x18, sport=23, dport=40000, seq=7 + n, payload=data)) for n, data in enumerate(segments)]


def zephyrs():
    def notice(kind, cls=b"MESSAGE", instance=b"personal", opcode=b"", tail=b"", version=b"ZEPH0.2"):
        fields = [version, b"0x00000013", kind, b"0x0A000001 0x1 0x2", b"0x0837", b"0x00000001", b"0x00000000", b"", cls, instance, opcode]
        fields += [b"who@EXAMPLE", b"", b"", b"0x0", b"0/5", b"0x1"]
        return ip4(17, udp(2104, 2103, b"\0".join(fields) + b"\0" + tail))
    tail = b"c\0i\0*\0"
    found = [notice(b"0x0000000%d" % kind, opcode=b"PING", tail=b"SENT\0") for kind in range(10)]
    found += [notice(b"2", b"ZEPHYR_CTL", b"CLIENT", opcode, tail) for opcode in (b"SUBSCRIBE", b"SUBSCRIBE_NODEFS", b"UNSUBSCRIBE", b"GIMME", b"GIMMEDEFS", b"CLEARSUB", b"OTHER")]
    found += [notice(b"2", b"ZEPHYR_CTL", b"REALM", opcode) for opcode in (b"ADD_SUBSCRIBE", b"REQ_SUBSCRIBE", b"RLM_SUBSCRIBE", b"RLM_UNSUBSCRIBE", b"OTHER")]
    found += [notice(b"2", cls, instance, opcode) for cls, instance, opcode in ((b"USER_LOCATE", b"who", b"USER_HIDE"), (b"USER_LOCATE", b"who", b"USER_UNHIDE"), (b"USER_LOCATE", b"who", b"LOCATE"), (b"ZEPHYR_ADMIN", b"x", b"HELLO"), (b"HM_CTL", b"SERVER", b"SHUTDOWN"), (b"HM_STAT", b"HMST_CLIENT", b"GIMMESTATS"), (b"WG_CTL", b"USER", b"CHECK"), (b"LOGIN", b"who", b"USER_FLUSH"), (b"LOGIN", b"who", b"OPSTAFF"))]
    return found + [notice(b"2", version=b"ZEPH0.1"), ip4(17, udp(2104, 2103, b"")), ip4(17, udp(2104, 2103, b"ZEPH0.2\0"))]


def adaptations():
    def message(cls, kind, *parameters):
        body = b"".join(pad(u16(tag, 4 + len(value)) + value, 4) for tag, value in parameters)
        data = bytes([1, 0, cls, kind]) + u32(8 + len(body)) + body
        return ip4(132, u16(2905, 2905) + u32(7, 0) + bytes([0, 3]) + u16(16 + len(data)) + u32(1) + u16(2, 3) + u32(3) + data)
    found = [message(1, 1, (0x200, u32(1)), (6, u32(2)), (0x210, b"abcdefg")), message(3, 3, (9, b"ping")), message(3, 1, (17, u32(3)), (4, b"x"))]
    return found + [message(9, 9, (0x207, b""), (0x999, b"ab")), message(6, 1), message(1, 1, (6, b"")), message(0, 0, (12, u32(1)))[:-2] + h("0009")]


def homes():
    def tlv(kind, value=b""):
        return pad(u16(kind, len(value)) + value, 4)
    address, mapped = ip(A6), bytes(10) + h("ffff0a000001")
    prefix = tlv(34, u32(3600000, 1800000) + b"\x20" + address[:4] + bytes(3) + tlv(43, h("20") + address[:4]))
    found = [tlv(1) * 3 + tlv(2, u32(1)), tlv(33, prefix + tlv(37, h("06040a000001") + h("7705") + name("foo"))), tlv(5, bytes(range(20)) + tlv(8, bytes(12)) + tlv(600))]
    found += [tlv(35, u32(7) + h("0368") + mapped[:13] + b"\0") + tlv(36, u32(7) + mapped) + tlv(32, h("000012 34") + b"agent/1"), tlv(39, address + h("05") + name("foo.bar")) + tlv(40, name("home")) + tlv(41, address + h("04") + b"host")]
    found += [tlv(10, bytes(36) + b"name") + tlv(42, bytes(32)) + tlv(9, u32(1, 20500)) + tlv(3, u32(1, 2)) + tlv(4, bytes(8)), tlv(38, u16(23, 16) + address + u16(24, 5) + name("foo") + u16(31, 3) + b"abc")]
    found += [tlv(43, value) for value in (h("00"), h("83"), h("8103666f6f00"), h("82") + b"text", h("c8"), h("20"), b"")] + [tlv(800) + tlv(44), tlv(2), u16(1, 100), b"a", b""]
    return [ip6(17, udp(8231, 8231, data, A6, B6)) for data in found]


def whiteboards():
    def message(kind, body, flag=0):
        return ip4(17, udp(40000, 4567, ip(A4) + u32(5) + u16(0) + bytes([kind, flag]) + body))
    def operation(kind, body, time=7):
        return u32(time) + u16(len(body)) + bytes([0, kind]) + body
    page = ip(A4) + u32(3, 4, 8)
    work = operation(3, u32(1, 2)) + operation(14, b"", 6) + operation(5, b"") + operation(9, b"text")
    found = [message(0, page + work), message(0, page + operation(15, b"", 20)), message(3, ip(B4) + page + work), message(2, ip(B4) + page), message(5, page), message(4, b"", 1), message(6, b"")]
    found += [message(1, u32(5) + ip(A4) + u32(100, 3) + ip(B4) + u32(200) + u16(2, 0) + (ip(A4) + u32(9)) * 2 + b"name\0"), message(7, u32(2) + (u32(9) + ip(A4) + u32(4) + h("01000000") + ip(B4) + u32(6)) * 2)]
    return found + [message(kind, b"ab") for kind in range(8)]


def access_points():
    def frame(body, first=4, fragment=0, port=12223, size=None):
        identity = MAC if port == 12223 else b""
        return ip4(17, udp(20105, port, identity + bytes([first, fragment]) + u16(len(body) if size is None else size, 0) + body))
    def message(kind, elements=b"", size=None):
        return bytes([kind, 9]) + u16(len(elements) if size is None else size) + u32(5) + elements
    report = h("270003") + b"abc"
    found = [frame(message(14, report) + message(1)), frame(message(12, report), 0x0f, 3), frame(message(12, h("2723fa00"))), frame(message(99, h("01"))), frame(message(1, size=9)), frame(b"abc")]
    return found + [frame(b"frame", 0x10, 7, 12222), frame(b"", 0xc4), frame(b"frame", 0, 0, 12222, 9)]


def links_end():
    """ES-IS redirects with each end they may have, and IS-IS values too short for their kinds."""
    def osi(data):
        return h("0180c2000014020000000001") + u16(3 + len(data)) + h("fefe03") + data
    def esis(kind, data):
        return osi(bytes([0x82, 9 + len(data), 1, 0, kind]) + u16(30, 0) + data)
    to, options = h("04470001020201020249 01"), h("c602003c8102cc8ec503616263")
    found = [esis(6, to + end) for end in (b"", h("00"), options[:4], options, h("c5"), h("8102cc"))] + [esis(6, to[:size]) for size in range(len(to))]
    found += [esis(2, h("0203490001024902") + options[:4]), esis(4, h("03490001") + options[:4]), esis(4, h("0349000100"))]
    for kind in (3, 4, 5, 12, 14, 22, 24, 128, 131, 134, 138, 211, 222, 229, 232, 235, 241, 250):
        for size in (1, 3, 7, 10, 12, 17):
            value = bytes([kind, size]) + bytes(range(1, size + 1)) + h("89015a")
            found.append(osi(h("83140100110100000301020304050600 1e") + u16(20 + len(value)) + h("01") + value))
    return found


def elements():
    def tlv(kind, value):
        return pad(u16(kind, 4 + len(value)) + value, 4)
    def message(kind, body=b"", source=2, flags=0xF8400000, size=None):
        data = bytes([0x10, kind]) + u16((24 + len(body)) // 4 if size is None else size) + u32(source, 0x40000001, 0, 9, flags) + body
        return ip4(132, u16(6704, 6705) + u32(7, 0) + bytes([0, 3]) + u16(16 + len(data)) + u32(1) + u16(2, 3) + u32(0) + data)
    def path(value, *ids):
        return tlv(0x110, u16(0, len(ids)) + u32(*ids) + value)
    def select(operation, value, cls=1):
        return tlv(0x1000, u32(cls, 5) + tlv(operation, value))
    data = tlv(0x112, b"abcdefghi")
    found = [message(20, select(9, path(data, 1, 2))), message(20, select(9, path(path(data, 3), 1))), message(3, select(1, path(data, 7), 2) + select(5, path(b"", 8), 99)), message(4, select(7, path(b"", 1)) + select(8, path(b"", 2)))]
    found += [message(19, select(3, path(tlv(0x114, bytes([code, 0, 0, 0])), 1))) for code in (0, 5, 23, 24, 255)] + [message(5, select(11, path(data, 1)))]
    found += [message(15, source=source, flags=flags) for source, flags in ((2, 0), (0x80000001, 0x40A00000), (0xFFFFFFFD, 0x80C80000), (0xFFFFFFFE, 0xFFFFFFFF), (0xFFFFFFFF, 0x10000000), (0xC0000001, 0x00500000))]
    found += [message(17, tlv(0x10, u32(code))) for code in (0, 1, 2, 3, 9)] + [message(2, tlv(0x11, u32(reason))) for reason in (0, 1, 2, 3, 4, 9, 256)]
    found += [message(6, tlv(1, tlv(0x115, tlv(1, b"meta")) + tlv(0x116, b"redirect"))), message(1), message(2), message(4, size=9), message(4, select(1, path(b"", 1))), message(4, tlv(0x10, u32(1))), message(4, select(7, path(data, 1)))]
    return found


def rx(kind, body=b"", flags=1, call=5, port=7000, sequence=1):
    header = u32(1, 4, call, sequence, 6) + bytes([kind, flags, 0, 2]) + u16(0, 52)
    answer = not flags & 1
    return ip4(17, udp(port if answer else 1792, 1792 if answer else port, header + body), src=B4 if answer else A4, dst=A4 if answer else B4)


def refusals():
    """Of each server: a call of Ubik's and one of its own, answers and aborts; strings and numbers at their limits."""
    found, most = [], 0xFFFFFFFF
    for port in (7000, 7001, 7002, 7003, 7004, 7005, 7007):
        for operation in (10000, 501):
            found += [rx(1, u32(operation, most, most, 3, 4, 5, 6), call=operation, port=port)]
            found += [rx(kind, body, 0, operation, port) for kind in (1, 4) for body in (b"", b"ab", u32(most, 2))]
    for port, operation in ((7000, 148), (7002, 500), (7003, 504), (7004, 12), (7005, 119), (7007, 81)):
        found += [rx(1, u32(operation, length) + b"n" * 80, port=port) for length in (0, 64, 65, 66, 80, 81, 256, 257)]
    found += [rx(1, u32(operation, *[most] * 9), port=7003) for operation in (502, 505, 20002, 20005)]
    status = u32(1, 2, 3) + u32(*[most] * 6)
    return found + [rx(1, u32(135) + status), rx(1, u32(134, 1, 2, 3, 16) + b"1\n1\na -1\nb 9999\n"), rx(1, u32(23, 1, 1) + pad(b"d", 4) + u32(3) + b"abc" + u32(1) + pad(b"p", 4) + u32(0), port=7004)]


def andrew():
    packet = rx
    def string(text):
        return u32(len(text)) + pad(text, 4)
    def characters(text, size):
        return b"".join(u32(byte) for byte in text.ljust(size, b"\0"))
    fid, words = u32(1, 2, 3), u32(*range(40))
    acl = string(b"1\n1\nsystem:administrators 127\nwho 9\n")
    status = u32(15, 1000000000, 7, 8, 0o755, 0)
    found = [packet(kind, words[:24]) for kind in range(15)] + [packet(2, u16(1, 2) + u32(3, 4, 5) + bytes([reason, 5]) + h("0101000100")) for reason in range(11)]
    calls = [(7000, 130, fid + words), (7000, 131, fid), (7000, 133, fid + status + words), (7000, 134, fid + acl), (7000, 138, (fid + string(b"name")) * 2), (7000, 141, fid + string(b"dir") + status), (7000, 155, u32(2) + fid * 2), (7000, 153, b""), (7000, 999, b"")]
    calls += [(7001, 204, u32(1) + fid + u32(1, 7, 1000, 3)), (7001, 214, words), (7002, 504, u32(2) + characters(b"who", 64) + characters(b"all", 64)), (7002, 505, u32(2, 5, 0xFFFFFFF0)), (7002, 514, u32(0xFFFFFFF0))]
    calls += [(7003, 503, u32(5, 1)), (7003, 504, string(b"root.cell")), (7003, 518, u32(5, 2)), (7003, 526, u32(5, 0)), (7003, 10000, words), (7003, 20002, words), (7004, 21, string(b"who") + string(b"")), (7005, 121, words), (7005, 128, u32(1, 1000, 2) + words), (7007, 86, string(b"fs") + u32(1))]
    old = characters(b"root.cell", 65) + u32(0, 2) + ip(A4) + ip(B4) + bytes(24) + u32(0, 27) + bytes(24) + bytes(32) + u32(11, 12, 13)
    new = characters(b"root.cell", 65) + u32(1) + ip(A4) + bytes(48) + u32(1) + bytes(48) + bytes(52) + u32(11, 12, 13)
    ids = characters(b"root.cell", 65) + u32(1) + bytes(44 * 13) + bytes(52) + u32(1) + bytes(48) + bytes(52) + u32(11, 12, 13)
    answers = {131: acl, 141: fid, 153: u32(1000000000), 504: u32(2, 5, 0xFFFFFFF0), 505: u32(1) + characters(b"who", 64), 514: u32(0), 503: old, 518: new, 526: ids, 121: u32(1) + characters(b"vol", 32) + u32(77) + bytes(84)}
    for n, (port, number, arguments) in enumerate(calls, 10):
        found += [packet(1, u32(number) + arguments, call=n, port=port), packet(1, old if (port, number) == (7003, 504) else answers.get(number, b""), 0, n, port)]
    return found + [packet(4, u32(0xFFFFFFFF), 0, 10), packet(1, u32(136) + fid + u32(9), call=99), packet(1, flags=63), ip4(17, udp(7001, 7000, b"short"))]


def shortened(packets):
    """IPv4 packets that end early, with headers that say so: what they carry is as long as it may be."""
    made = []
    for packet in packets[:60]:
        packet = packet[14:] if packet[12:14] == u16(0x800) else packet
        header = (packet[0] & 15) * 4 if len(packet) > 20 and packet[0] >> 4 == 4 else 0
        if not 20 <= header < len(packet) or packet[2:4] != u16(len(packet)) or packet[6] & 0x3F or packet[7]:
            continue
        for size in range(8 if packet[9] == 17 else 0, min(len(packet) - header, 140)):
            body = packet[header:header + size]
            if packet[9] == 17:
                body = body[:4] + u16(size, 0) + body[8:]
            start = packet[:2] + u16(header + size) + packet[4:10] + bytes(2) + packet[12:header]
            made.append(put_checksum(start, 10, checksum(start)) + body)
    return [(packet, len(packet)) for packet in dict.fromkeys(made)]


def tickets():
    who = b"user\0inst\0EXAMPLE\0"
    messages = [h("0402") + who + u32(5) + h("60") + b"krbtgt\0EXAMPLE\0", h("0404") + who + bytes(10) + u16(500), h("0405") + who + bytes(10) + h("f401"), h("040609") + b"EXAMPLE\0" + h("0a14"), h("0408"), h("0413")]
    messages += [h("040a") + who + u32(5) + u16(error, 0) + b"text\0" for error in (0, 3, 8, 10, 99)] + [bytes([version]) + bytes(8) for version in (1, 2, 3, 5, 106, 107, 48)] + [b"", h("04"), h("0402") + b"us"]
    return [ip4(17, udp(40000, 88, data)) for data in messages]


def misplaced():
    """Hop-by-hop options where they must not be, and protocols of the other version of IP."""
    options = lambda following: bytes([following, 0, 1, 4, 0, 0, 0, 0])
    found = [ip6(0, options(0) + options(59)), ip6(0, options(60) + options(0) + options(59)), ip6(60, options(0) + options(59)), ip6(43, bytes(8) + options(59)), ip6(44, bytes(8) + options(59)), ip6(60, options(60) + options(59))]
    return found + [ip6(1, h("0800") + bytes(8)), ip6(2, h("1100") + bytes(8)), ip4(58, h("8000") + bytes(8)), ip4(143, ethernet(0x800, SMALL))]


def decnets():
    def message(body, padding=b""):
        return ethernet(0x6003, struct.pack("<H", len(padding + body)) + padding + body)
    short = lambda body: message(h("020208010405") + h(body))
    ends = "01020304"
    carried = [f"00{ends}018001b00500aabb", f"00{ends}0500aa", f"04{ends}018001b0", f"14{ends}018001a0", f"10{ends}018001b005000507", f"30{ends}0500aa"]
    carried += [f"{kind}{ends}05020005" for kind in ("18", "68")] + [f"28{ends}0901000503aa", f"24{ends}00", f"38{ends}050003aa", f"48{ends}2900"]
    carried += [f"{kind}{ends}0000" for kind in ("08", "0c", "50", "34")] + ["00", f"00{ends}"]
    routing = ["0101040205020200000f0000", "0101040c05020200000f0000", "030104990000", "0501043f0000", "07010400020001000504", "0701040002000100050404000700ff070000", "0901040002000100050400"]
    routing += ["0b020000aa00040001046ed9054000", "0b020000aa00040001046ed905400f00000000", "0d020000aa000400010403d905000000000000000000aa00040002040f00000099", "0f" * 6, "40" * 6, "00" * 6]
    long = h("2e0000aa00040002080000aa000400010400070000") + h(carried[0])
    return [short(body) for body in carried] + [message(h(body)) for body in routing] + [message(long), message(h("020208010405") + h(carried[0]), h("830000")), message(b"\x02"), ethernet(0x6003, h("20000202080104050001"))]


def passive_networks():
    """MPCP and what Realtek's switches send."""
    frame = lambda operation, body: ethernet(0x8808, u16(operation) + u32(7) + h(body))
    packets = [frame(1, "0000"), frame(2, "1a0102030405060708090a0b0c0d0e"), frame(2, "00ffff"), frame(3, "0281001100220002"), frame(4, "0102"), frame(4, "0302"), frame(5, "000103000405"), frame(5, "000102000405"), frame(6, "0100030004"), frame(9, "aabb")]
    remote = [ethernet(0x8899, bytes([1, operation]) + h("2379") + bytes(range(1, 20))) for operation in (0, 1, 2, 3, 0x80, 0x81)]
    return packets + remote + [ethernet(0x8899, bytes([kind]) + b"abc") for kind in (2, 3, 4, 9, 0x23, 0x91, 0xA1)]


def gateways():
    """EGP, minimal encapsulation, Auto-RP, the ZigBee encapsulation and AppleTalk in UDP."""
    egp = lambda kind, code, status, rest, version=2: ip4(8, bytes([version, kind, code, status]) + u16(0, 100, 7) + h(rest))
    packets = [egp(3, code, status, "001e00780000") for code in range(6) for status in (0, 1, 3)] + [egp(5, code, status, "001e00780000") for code in range(3) for status in (0, 1, 2, 4)]
    packets += [egp(2, 0, 1, "00000a000000"), egp(8, 0, 1, "00020a000000"), egp(8, 0, 1, "00090a000000"), egp(1, 0, 0x81, "00000a000000"), egp(9, 0, 0, "001e00780000"), egp(3, 0, 1, "001e00780000", 3)]
    header = h("0680e57b0a0000010a000003")
    encapsulated = [h("45580" + "10b123401ff" + "00" * 7) + bytes([17]), h("455802010b123401ff" + "e000000080000000" + "00000007" + "00" * 10) + bytes([17])]
    personal = h("418807" + "3412ffff0100") + b"abcdefgh"
    packets += [ip4(17, udp(40000, 17754, start + personal)) for start in encapsulated] + [ip4(17, udp(40000, 17754, h(body))) for body in ("4558020200000009", "455802010b12", "4142")]
    packets += [ip4(17, udp(40000, port, h("050602") + bytes(range(1, 30)))) for port in (200, 768, 16512)] + [ip4(77, b"abcde")]
    packets += [ip4(55, header + SMALL), ip4(55, put_checksum(header, 2, 5) + SMALL), ip4(55, h("060000000a000001") + SMALL), ip4(55, b"\6")]
    announce = ["1101007800000000" + "0a000001" + "0301" + "0008e0000000", "1202000000000000" + "0a000001" + "0202" + "0104e0000000" + "0218ef010100" + "0a000002" + "fc01" + "fc20e0000001", "3300003c00000000", "1101"]
    return packets + [ip4(17, udp(496, 40000, h(body))) for body in announce]


SNAP = h("aaaa030000000800") + SMALL
ENDS = h("020000000002020000000001")


def rings():
    routed = lambda control, more: h("1040020000000002820000000001") + u16(control) + h(more) + SNAP
    return [h("1040") + ENDS + SNAP, routed(0x0630, "12345670"), routed(0x86F0, "12345670"), routed(0xC201, ""), h("1000") + ENDS + b"abc", h("1040") + ENDS + h("102003")]


def sun_atm():
    cell = lambda kind, body: h("0200000300") + u32(5 << 20 | 7 << 4 | 11) + bytes([kind]) + body.ljust(47, b"\0")
    cells = [cell(0x18, h("0100000007") + bytes(range(32))), cell(0x10, h("66") + bytes(range(17))), cell(0x14, b""), cell(0x20, b""), cell(0x81, b""), cell(0x77, b"")]
    signals = [h("02000005") + data for data in (h("090300000105"), h("09038000015a00"), h("09030000017700"), h("aa03"))]
    lane = [h("010000120001") + ENDS + u16(0x800) + SMALL, h("01000012ff0001010006"), h("01000012ff0001010177")]
    return [h("02050007") + SNAP, h("82050007") + SNAP, h("02000001"), h("02000002"), h("020000103000")] + signals + lane + cells


def pflogs():
    def logged(size=61, family=2, action=0, reason=0, ruleset=b"", rule=0xFFFFFFFF, way=1):
        names = b"em0".ljust(16, b"\0") + ruleset.ljust(16, b"\0")
        return bytes([size, family, action, reason]) + names + u32(1, rule, 0, 0, 0, 0) + bytes([way, 0, 0, 0])
    packets = [logged(action=action) + SMALL for action in range(12)] + [logged(reason=reason) + SMALL for reason in range(1, 16)]
    return packets + [logged(way=way) + SMALL for way in (0, 2, 3)] + [logged(ruleset=b"set", rule=7) + SMALL, logged(family=30) + INNER6, logged(family=99) + b"abc", logged(44) + SMALL]


def usb(event, transfer, size):
    return bytes(8) + event + bytes([transfer, 0x81, 3, 1, 0]) + bytes(size - 14) + b"data"


def cards():
    """Juniper's captures that have a cookie: link type, packets."""
    received, sent = b"MGC\1", b"MGC\0"
    maintenance = u32(11) + h("18") + bytes(47)
    return {
        130: [received + h(cookie) + u16(kind) + SMALL for cookie, kind in (("5102", 0x21), ("54020304", 0x21), ("0023", 0x21))],
        131: [received + h(cookie) + u16(kind) + SMALL for cookie, kind in (("5102", 0x3CC), ("54020304", 0x3CC), ("5102", 0x300), ("5102", 0x99))],
        134: [received + h(cookie) + u16(kind) + SMALL for cookie, kind in (("51020304", 0x3CC), ("540203040506", 0x3CC), ("51020304", 0xFEFE))] + [received + h("e0010304") + SMALL],
        132: [received + h("000102") + bytes([kind]) + u32(4) + ip(A4) + ip(B4) + SMALL for kind in range(7)],
        133: [received + h("0000") + bytes([kind]) + h("0000050600") + data for kind, data in ((1, b"x" * 8), (2, SMALL), (6, INNER6), (9, b"x" * 8))],
        136: [received + bytes(8) + SMALL, received + h("54") + bytes(9) + SMALL],
        164: [received + bytes(8) + SMALL, received + bytes(8) + bytes(8)],
        137: [received + bytes(4) + SNAP, received + h("80000000") + maintenance, received + bytes(4) + h("03cc") + SMALL, received + bytes(4) + SMALL],
        135: [received + bytes(8) + SNAP, received + bytes(7) + h("10") + bytes(4) + maintenance, received + bytes(8) + h("0021") + SMALL, sent + h("0000000400000000") + ENDS + u16(0x800) + SMALL],
        178: [h("4d4743810017010102020667652d302f3003010104010205010506010e") + ENDS + u16(0x800) + SMALL],
    }


def ends_early():
    """Messages that are shorter than their headers, or state lengths that cannot be."""
    def datagram(port, data):
        return ip4(17, udp(40000, port, data))

    def segment(data, port, flags=0x18, size=None, seq=1000):
        return ip4(6, tcp(flags, seq=seq, payload=data, dport=port)[:size])

    long = bytearray(tcp(0x10, seq=1001))
    long[12] = 0xF0
    yield from (ip4(6, bytes(long)), segment(b"after it", 7777, seq=1003))
    yield from (datagram(port, h("08000000000000")[:size]) for port in (4789, 8472, 4790) for size in (1, 4, 7))
    yield from (datagram(5359, h("2b01") + bytes(size)) for size in (0, 21, 25, 26))
    yield datagram(5359, h("2b01") + bytes(22) + h("00000001"))
    yield from (datagram(2103, data) for data in (b"ZEPH0.1\0", b"ZEPH0.2\0", b"ZEPH", b"other\0"))
    yield from (datagram(6343, u32(version, family) + bytes(size)) for version in (4, 5) for family, size in ((1, 0), (1, 19), (2, 4), (2, 24)))
    yield from (datagram(701, h("c0000000000000")[:size]) for size in (1, 7))
    yield from (segment(h(data), 639) for data in ("010002", "010010", "01d138aabb", "0400030100090000000000", "05ffff"))
    yield from (segment((b"\xff" * 16 + u16(19) + b"\4")[:size], 179) for size in (15, 16, 18, 19))
    yield from (ip4(103, bytes([0x20 | kind]) + bytes(size)) for kind in (0, 1, 12) for size in (0, 1, 2, 3, 7))
    yield from (ip6(89, data) for data in (b"", b"\3", b"\3\1"))
    yield from (ip6(58, h("82000000") + bytes(size)) for size in (0, 4, 20, 24))
    yield ip4(46, h("10380000400036b5") + h("ac65ec5cecd8"))
    yield ip4(41, b"")


CASES = {
    # name: (link type, packets, {suffix: arguments})
    "arp": (1, [arp(op) for op in range(12)] + [arp(1, MAC), arp(1, hardware=6), arp(1, protocol=0x9999)], {"": "-n", "-v": "-nev", "-q": "-nq", "-x": "-nx"}),
    "link": (1, links(), {"": "-n", "-e": "-ne", "-eq": "-neq", "-xx": "-nexx", "-names": "-e"}),
    "sll": (113, [sll(0x800, n, SMALL) for n in range(6)] + [sll(0x9999, 0, b"abcd"), sll(4, 0, h("102003") + b"x")], {"": "-n", "-e": "-ne", "-x": "-nx"}),
    "sll2": (276, [sll2(0x800, n, SMALL) for n in range(6)] + [sll2(0x9999, 0, b"abcd")], {"": "-n", "-e": "-ne"}),
    "null": (0, [struct.pack("<I", 2) + SMALL, u32(2) + SMALL, struct.pack("<I", 30) + INNER6, struct.pack("<I", 10) + b"x"], {"": "-n", "-e": "-ne"}),
    "ppp": (9, [h("ff030021") + SMALL, h("0021") + SMALL, h("21") + SMALL, h("ff030057") + INNER6], {"": "-n", "-e": "-ne", "-x": "-nx"}),
    "ip": (RAW, options4(), {"": "-n", "-v": "-nv", "-vK": "-nvK"}),
    "icmp": (RAW, errors4(), {"": "-n", "-v": "-nv"}),
    "icmp-extensions": (RAW, extensions4(), {"": "-n", "-v": "-nv"}),
    "ip6": (RAW, extensions6(), {"": "-n", "-vv": "-nvv"}),
    "icmp6": (RAW, errors6(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "nd": (RAW, neighbours(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "tcp": (RAW, [ip4(6, segment, **({"src": B4, "dst": A4} if segment[:2] == u16(80) else {})) for segment in handshake()],
            {"": "-n", "-v": "-nv", "-vv": "-nvv", "-S": "-nS", "-q": "-nq", "-A": "-nA", "-X": "-nX"}),
    "tcp-options": (RAW, tcp_options(), {"": "-n"}),
    "mptcp": (RAW, mptcp(), {"": "-n"}),
    "dns": (RAW, records(), {"": "-n", "-v": "-nv", "-vv": "-nvv", "-vvv": "-nvvv", "-q": "-nq"}),
    "edns": (RAW, edns_options(), {"-vv": "-nvv"}),
    "dns-tcp": (RAW, over_tcp(), {"": "-n"}),
    "mdns": (RAW, multicast(), {"": "-n", "-vv": "-nvv"}),
    "text": (RAW, text(), {"": "-n", "-v": "-nv"}),
    "dccp": (RAW, dccp_types(), {"": "-n", "-vv": "-nvv", "-q": "-nq"}),
    "appletalk": (1, appletalk(), {"": "-n", "-v": "-nv", "-e": "-ne"}),
    "localtalk": (114, [h("080702") + appletalk()[0][14:], h("0807010014040404") + b"\1abc", h("ff0781"), h("080705") + b"abc"], {"": "-n", "-x": "-nx"}),
    "ipx": (1, netware(), {"": "-n", "-e": "-ne"}),
    "cfm": (1, faults(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "tipc": (1, [tipc(user, user % 5, words) for user in range(16) for words in (6, 10)], {"": "-n", "-v": "-nv"}),
    "wlan": (105, wlan_frames(), {"": "-n", "-e": "-ne", "-ev": "-nev"}),
    "radiotap": (127, radiotaps(), {"": "-n"}),
    "ieee802154": (195, personal(), {"": "-n", "-v": "-nv", "-vvv": "-nvvv", "-q": "-nq"}),
    "wlan-prism": (119, [struct.pack("<II", 0x44, 144) + bytes(136) + wlan(1, 13, MAC), u32(0x80211001, 64) + bytes(56) + wlan(1, 13, MAC)], {"": "-n"}),
    "openflow": (RAW, flows(), {"": "-n", "-v": "-nv", "-vv": "-nvv", "-vvvv": "-nvvvv"}),
    "l2tp": (RAW, l2tps(), {"": "-n", "-v": "-nv", "-x": "-nx"}),
    "lwres": (RAW, light_resolver(), {"": "-n", "-v": "-nv", "-vv": "-nvv", "-vvv": "-nvvv"}),
    "lmp": (RAW, link_management(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "slip": (8, [h("00") + SMALL[:15] + SMALL, h("0175") + bytes(14) + SMALL, bytes(16) + INNER6, bytes(16) + b"\x10"], {"": "-n", "-e": "-ne"}),
    "atm": (100, [h("aaaa03000000") + u16(0x800) + SMALL, h("fefe03cc") + SMALL, bytes(range(20)) + h("aaaa03000000") + u16(0x800) + SMALL], {"": "-n", "-e": "-ne", "-x": "-nx"}),
    "juniper": (178, junipers(), {"": "-n", "-e": "-ne", "-x": "-nx", "-vv": "-nvv"}),
    "telnet": (RAW, telnets(), {"": "-n"}),
    "beep": (RAW, [ip4(6, tcp(0x18, sport=10288, dport=40000, seq=7 + n, payload=data)) for n, data in enumerate([b"RPY 0 1 . 2 3", b"ERR 0", b"ANS 0", b"NUL 0", b"SEQ 0 1 2", b"MSG 0 1", b"END\r\n", b"x"])], {"": "-n"}),
    "zephyr": (RAW, zephyrs(), {"": "-n"}),
    "m3ua": (RAW, adaptations(), {"": "-n", "-vv": "-nvv"}),
    "hncp": (RAW, homes(), {"": "-n", "-v": "-nv", "-vvv": "-nvvv"}),
    "wb": (RAW, whiteboards(), {"": "-n", "-v": "-nv"}),
    "lwapp": (RAW, access_points(), {"": "-n", "-v": "-nv"}),
    "osi-ends": (1, links_end(), {"-v": "-nv"}),
    "ends-early": (RAW, list(ends_early()), {"": "-n", "-v": "-nv"}),
    "forces": (RAW, elements(), {"": "-n", "-v": "-nv", "-vv": "-nvv", "-vvvv": "-nvvvv"}),
    "rx": (RAW, andrew(), {"": "-n", "-v": "-nv", "-vvv": "-nvvv"}),
    "rx-refused": (RAW, refusals(), {"": "-n"}),
    "rx-short": (RAW, [packet for packet, _ in shortened(andrew())][::19], {"": "-n", "-vvv": "-nvvv"}),
    "krb": (RAW, tickets(), {"": "-n"}),
    "netanalyzer": (240, [h("01020304") + ethernet(0x800, SMALL), h("0102"), h("01020304") + b"short"], {"": "-n", "-e": "-ne"}),
    "netanalyzer-transparent": (241, [h("01020304") + h("55") * 7 + h("d5") + ethernet(0x800, SMALL), h("0102")], {"": "-n", "-e": "-ne"}),
    "ap1394": (138, [bytes(range(16)) + u16(0x800) + SMALL, bytes(range(16)) + u16(0x9999) + b"data", bytes(17)], {"": "-n", "-e": "-ne", "-q": "-nq"}),
    "symantec": (99, [bytes(6) + u16(kind) + bytes(36) + data for kind, data in ((0x800, SMALL), (0x9999, b"data"), (0, b""))] + [bytes(43)], {"": "-n", "-e": "-ne", "-q": "-nq"}),
    "enc": (109, [struct.pack("<I", 2) + u32(0x11223344) + struct.pack("<I", flags) + SMALL for flags in (0, 0x400, 0x800, 0xC00)] + [u32(2, 5, 0x800) + SMALL, u32(24, 5, 0) + INNER6, u32(99, 5, 0) + b"data", bytes(11)], {"": "-n", "-e": "-ne"}),
    "cip": (106, [h("aaaa03000000") + u16(0x800) + SMALL, SMALL, b"abc"], {"": "-n", "-e": "-ne", "-x": "-nx"}),
    "bluetooth": (201, [u32(0) + b"data", u32(1) + b"data", b"ab"], {"": "-n", "-e": "-ne"}),
    "fddi": (10, [bytes([control]) + ENDS + SNAP for control in (0x50, 0x57, 0x41, 0x4F, 0xC2, 0xD3, 0x9F)], {"": "-n", "-e": "-ne", "-q": "-neq", "-x": "-nx"}),
    "token-ring": (6, rings(), {"": "-n", "-e": "-ne", "-v": "-nv", "-q": "-neq"}),
    "ipfc": (122, [h("1000020000000002") + h("1000020000000001") + data for data in (SNAP, h("102003"))], {"": "-n", "-e": "-ne"}),
    "sunatm": (123, sun_atm(), {"": "-n", "-e": "-ne", "-v": "-nv", "-x": "-nx"}),
    "q933": (107, managements(), {"": "-n", "-e": "-ne", "-v": "-nv", "-vv": "-nvv"}),
    "slip-compressed": (8, compressions(), {"-e": "-ne"}),
    "slip-bsdos": (102, [bytes(16) + SMALL, bytes(16)], {"": "-n", "-e": "-ne"}),
    "pflog": (117, pflogs(), {"": "-n", "-e": "-ne"}),
    "usb": (189, [usb(event, transfer, 48) for event in (b"S", b"C", b"E", b"X") for transfer in range(5)], {"": "-n", "-q": "-nq", "-x": "-nx"}),
    "usb-mmapped": (220, [usb(b"S", 2, 64)], {"": "-nx"}),
    "snap-x": (1, [ENDS + u16(len(SNAP)) + SNAP, ENDS + u16(17) + h("424203") + bytes(14), ENDS + u16(5) + h("1020030102")], {"": "-nx"}),
    **{f"juniper-{link}": (link, packets, {"": "-n", "-e": "-ne", "-vv": "-nevv", "-x": "-nx"}) for link, packets in cards().items()},
    "decnet": (1, decnets(), {"": "-n", "-v": "-nv", "-e": "-ne", "-x": "-nx"}),
    "mpcp": (1, passive_networks(), {"": "-n", "-v": "-nv"}),
    "egp": (RAW, gateways(), {"": "-n", "-v": "-nv"}),
    "misplaced": (RAW, misplaced(), {"": "-n", "-v": "-nv"}),
    "returns": (RAW, [ip4(17, udp(0x4141, 0x4242, text)) for text in (b"a\r\nb\r\r\nc\rde", b"a\rb", b"ab\r", b"ab\r\r", b"\r\n\r\n")], {"": "-nA"}),
    "short": (RAW, [packet for made in (flows, link_management, light_resolver, records, text, l2tps, gateways) for packet, _ in shortened(made())[::17]],
              {"": "-n", "-vv": "-nvv"}),
    "cut": (RAW, cut(), {"": "-n", "-vv": "-nvv"}),
}


def capture(link, packets):
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for n, packet in enumerate(packets):
        data, length = packet if isinstance(packet, tuple) else (packet, len(packet))
        out += struct.pack("<IIII", 1600000000 + n, 123456, len(data), length) + data
    return out


def generate():
    for case, (link, packets, variants) in CASES.items():
        (HERE / f"{case}.pcap").write_bytes(capture(link, packets))
        for suffix, args in variants.items():
            source = f"-r {{IN}}/{case}.pcap"
            (HERE / f"{case}{suffix}.args").write_text(f"{source} -t {args}\n")


def compare(tool):
    for args in sorted(HERE.glob("*.args")):
        words = args.read_text().replace("{IN}", str(HERE)).split()
        theirs = subprocess.run([tool, *words], capture_output=True).stdout.splitlines()
        ours = args.with_suffix(".out").read_bytes().splitlines()
        different = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
        note = f"{len(different)} lines differ" if different or len(ours) != len(theirs) else "same"
        print(f"{args.stem}: {note} of {len(ours)}")
        for mine, other in different[:3]:
            print(f"    ours   {mine.decode('latin1')}\n    theirs {other.decode('latin1')}")


# What tcpdump 5 prints otherwise than the installed 4.99: pattern in the older text, the newer text, why.
NEWER = [
    (rb" payload length: (\d+)", rb", payload length \1", "IPv6 headers are listed with commas"),
    (rb"\[\|(ddp)\]", rb"[|atalk]", "a cut DDP header bears AppleTalk's mark"),
    (rb"Strictly Ordered ", rb"+HTC ", "the order bit of 802.11 announces an HT control field"),
    (rb"(?m)^( *\d+  ) \[\|ip6\]", rb"\1IP6  [|ip6]", "IPv6 says its name before it looks whether its header was captured"),
    (rb"(\.88: )(?! ?\[\|udp\])", rb"\1kerberos", "Kerberos says its name"),
    (rb"(Control|Fragment) Bit", rb"\1", "LWAPP's flags are named without the word bit"),
    (rb"next-header Options \(0\)", rb"next-header HBH (0)", "hop-by-hop options are called HBH"),
    (rb"(next-header|proto) Options \(0\)", rb"\1 HBH (0)", "also in IPv4"),
    (rb"(next-header|proto) unknown \(59\)", rb"\1 No Next Header (59)", "so is the number that says there is none"),
    (rb"(next-header|proto) unknown \(60\)", rb"\1 DSTOPT (60)", "and destination options"),
    (rb"(RADIUS, .* id: 0x\w\w) length", rb"\1, length", "RADIUS's fields are listed with commas"),
    (rb":  \[\|hbhopt\]", rb": HBH  [|hbhopt]", "hop-by-hop options say their name before they are read"),
    (rb":  \[\|dstopt\]", rb": DSTOPT  [|dstopt]", "and so do destination options"),
    (rb"(?<=[ (])(\d{4})/(\d\d)/(\d\d) (?=\d\d:)", rb"\1-\2-\3 ", "dates of AFS and ZEP are written with dashes"),
    (rb"(?m)(Flags \[[A-Z.]*R[A-Z.]*\].* length \d+): HTTP$", rb"\1", "what a reset carries is read as its reason, with -v"),
    (rb" \[\|tcp\]>", rb" [|tcp]", "nothing follows the mark of cut TCP options"),
]


# The same where the older text cannot be made the newer one: pattern in the older text, pattern in ours, why.
NEWER_OURS = [
    (rb"unknown (PPP protocol )?\(0x|(?m:^( *\d+  )? ?$)|IP\d? \(invalid\)", rb"\(protocol 0x\w{4} invalid\)", "PPP refuses numbers that no protocol can have"),
    (rb"xid, Flags \[\w+\], length \d+", rb"xid, Flags \[\w+\], length \d+(: | \[\|llc\])", "the format of an LLC XID is shown"),
    (rb"IP\d* \(invalid\)|\[\|ip6?\]|version error: |wrong link-layer|bad-h?len |truncated-ip", rb"\[(version|length|header length|total length|header\+payload length) \d+ (<|>|!=) ", "IP says what contradicts itself"),
    (rb"Flags \[[A-Z.]*\]", rb"Flags \[[A-Z.]*e\]", "AccECN's flag"),
    (rb"ip-proto-137 ", rb": (MPLS \(| \[\|mpls\])", "MPLS in IP"),
    (rb"ip-proto-54 ", rb"NHRP: ", "NHRP in IP"),
    (rb"mobility: ", rb"mobility: \(payload protocol|\[\|mobility\]", "what mobility headers must not be followed by"),
    (rb"Control frame, |\[\|lwapp_control\]", rb"LWAPPv0, Control frame, |\[\|lwapp\]", "LWAPP's control frames: the length is the one they state, messages follow each other"),
    (rb"LWAPPv0, Data frame, .*length \d+", rb"LWAPPv0, Data frame, .*length \d+", "LWAPP's data frames: the length is the one they state"),
    (rb"\.8472: OTV, ", rb"\.8472: VXLAN", "port 8472 is that of Linux's VXLAN"),
    (rb"ICMP type-#4[23]|Interface Identification Object \(2\)|MPLS Stack Entry Object|\[\|icmp\]", rb"ICMP extended echo |Interface (Information|Identification) Object|: ICMP .*\[\|icmp\]|^ *\d*  .*: +\[\|icmp\]$", "extended echo and the objects of RFC 5837"),
    (rb"mptcp \d+ capable v\d", rb"mptcp \d+ capable v\d flags \[", "flags of multipath TCP's first option"),
    (rb"\[\|(frag6|ip6|rt6)\]|frag \(", rb"frag \( ?\[\|frag6\]|frag \([^)]*\)  ?\[\|udp\]|RT6 \[\|rt6\]", "fragment and routing headers are read field by field, and what follows the first without -v too"),
    (rb"  \[\|dstopt\]", rb" DSTOPT  \[\|dstopt\]", "destination options say their name before they are read"),
    (rb"frag \(", rb"The Hop-by-Hop Options header don't follow", "hop-by-hop options are the first header"),
    (rb"\[\|eigrp\]", rb"EIGRP .*(\(too short, < 20\)|\[\|eigrp\])", "EIGRP says its name"),
    (rb"\[\|ospf2\]|OSPFv\d+, unknown LS-type", rb"OSPFv\d+, unknown packet type", "OSPF says a version and type that it does not know"),
    (rb"BFD", rb"BFD, Echo|BFDv\d, Control", "BFD says the kind of a packet"),
    (rb"ICMP6, length \d+ \(invalid\)", rb" \[\|icmp6\]", "a cut ICMPv6 message is no invalid one"),
    (rb"\.(88|750)[ :]", rb"kerberos", "Kerberos says its name"),
    (rb"\[\|ip6\]", rb"IP6  \[\|ip6\]", "IPv6 says its name before it looks whether its header was captured"),
    (rb"\[\|gre\]", rb"\[length \d < 2\]", "GRE says what contradicts itself"),
    (rb"\[\|ospf2\]", rb"OSPFv\d, ", "OSPF is read field by field"),
    (rb"\[\|bfd\]|UDP, length", rb"BFDv\d, |\[\|bfd\]", "so is BFD, and S-BFD is known"),
    (rb"\[\|lwapp_data\]", rb"\[\|lwapp\]", "LWAPP has one mark"),
    (rb" \[\|(http|ftp|smtp|rtsp|sip|ssh|resp|whois)\]", rb"(HTTP|FTP|SMTP|RTSP|SIP|WHOIS|length \d+)", "texts whose line has no end are shown without a mark"),
    (rb"quic|UDP, length", rb"quic, ", "QUIC says more of its packets"),
    (rb"length \d+(: HTTP|: SIP)?$", rb": (HTTP|SIP)$", "texts of HTTP and SIP that are none"),
    (rb"\[\|radius\]|RADIUS|Vendor Attribute", rb"RADIUS \[length |remaining length|Vendor Attribute", "RADIUS says what contradicts itself; lengths are those stated"),
    (rb"\[\|lisp\]|unknown-type-", rb"LISP \[length |LISP-unknown-type-", "LISP says its name"),
    (rb"\[\|msdp\]", rb"msdp.*\] \(invalid\)", "MSDP says what contradicts itself"),
    (rb"\[\|esp\]", rb"ESP(\(spi|  ?\[\|esp\])", "ESP is read field by field"),
    (rb"RA:[0-9a-f:]{17} BA", rb"RA:[0-9a-f:]{17} TA:[0-9a-f:]{17} BA", "block acknowledgements have a transmitter"),
    (rb"OSPFv\d+, |\[\|ospf2\]", rb"OSPF \[(version|length) |OSPF \[\|ospf2\]", "OSPF says what contradicts itself"),
    (rb"OTV, ", rb"VXLAN(, | \(invalid\))", "VXLAN is what Linux sends to port 8472"),
    (rb"\.6081[ :]", rb"Geneve|\.6081[ :]", "Geneve is known by its destination's port, before all others"),
    (rb"Type\d+|UNSPECA", rb"\b(TLSA|CDS|SVCB|HTTPS|CAA|NSEC3(PARAM)?|DHCID|SMIMEA|HIP|NINFO|RKEY|TALINK|CDNSKEY|OPENPGPKEY|CSYNC|ZONEMD|NID|L32|L64|LP|EUI48|EUI64|AVC|DOA|AMTRELAY|TA|DLV)\b", "IANA's newer types of DNS have names"),
    (rb"EGPv\d+, length |\[\|egp\]", rb"EGP(v\d+, AS| \[)", "EGP shows all of its header with -v too"),
    (rb"\[ERROR: |NOAUTO|Unknown \(143\)", rb"\[(length|suboption|Mask|Remaining) |\(invalid\)|Auto-Configure|SZTP-Redirect", "DHCP's contradictions are no errors; new options"),
    (rb"\((opt_59|opt_136|user-class|vendor-class|vendor-specific-info)|vid |type 4|\.\.\.", rb"Bootfile-URL|SZTP-Redirect|\((user-class|vendor-class|vendor-specific-info) |vid |uuid ", "more of DHCPv6's options is shown"),
    (rb"Common Session Parameters TLV", rb"Path Vector Limit|< 14\] \(invalid\)", "LDP shows all of a session's parameters"),
]


def rewritten(theirs, ours):
    """Why our text of a packet is another than the installed tcpdump's, if that is known."""
    texts = [b"\n".join(lines) for lines in (theirs, ours)]
    found = lambda pattern, text: re.search(pattern, text, re.MULTILINE)
    return next((why for older, newer, why in NEWER_OURS if found(older, texts[0]) and found(newer, texts[1])), None)


def by_number(text):
    """Lines of each packet, by the number that -# gave it."""
    found, lines = {}, []
    for line in text.split(b"\n"):
        if line[:5].strip().isdigit() and line[5:7] == b"  ":
            lines = found.setdefault(int(line[:5]), [])
        lines.append(line)
    return found


def payloads(seed):
    """Without end: zeros, text and random bytes of several lengths, the same for everybody."""
    source = random.Random(seed)
    while True:
        for size in (0, 4, 24, 64):
            yield source.randbytes(size)
        yield from (bytes(8), bytes(40), b"abc def\r\n")


def swept():
    """Name, link type, keys, how a packet is made of a key and a payload, arguments, packets of each key."""
    forms = ("-n", "-ne", "-nq", "-nv", "-nvv")
    frame = lambda kind, body: ENDS + u16(kind) + body
    over = lambda protocol, body: frame(0x800, ip4(protocol, body))
    segment = lambda source, target, body: over(6, tcp(0x18, sport=source, dport=target, payload=body))
    plain = [number for number in range(65536) if number != 0x7E7D]
    return [
        ("protocols of IP", 1, range(256), over, forms, 7),
        ("protocols of IPv6", 1, range(256), lambda key, body: frame(0x86DD, ip6(key, body)), forms, 7),
        ("UDP to ports", 1, range(65536), lambda key, body: over(17, udp(40000, key, body)), ("-n",), 1),
        ("UDP from ports", 1, range(32768), lambda key, body: over(17, udp(key, 40000, body)), ("-n",), 1),
        ("TCP to ports", 1, range(32768), lambda key, body: segment(40000, key, body), ("-n",), 1),
        ("TCP from ports", 1, range(32768), lambda key, body: segment(key, 40000, body), ("-n",), 1),
        ("EtherTypes", 1, range(0x600, 65536), frame, ("-n", "-ne"), 1),
        ("LLC", 1, [(to, at, how) for to in range(0, 256, 2) for at in (to, to ^ 1, 0, 0x42) for how in (3, 0xAF, 1, 0)],
         lambda key, body: frame(3 + len(body), bytes(key) + body), ("-n", "-ne", "-nq"), 1),
        ("SNAP", 1, [(maker, kind) for maker in (0, 0xC, 0xF8, 0x80007, 0x80C2) for kind in range(0, 65536, 7)],
         lambda key, body: frame(8 + len(body), h("aaaa03") + key[0].to_bytes(3, "big") + u16(key[1]) + body), ("-n", "-ne"), 1),
        ("PPP", 9, plain, lambda key, body: h("ff03") + u16(key) + body, ("-n", "-ne"), 1),
        ("Frame Relay", 107, range(256), lambda key, body: h("187103") + bytes([key]) + body, forms, 7),
        ("families", 0, range(256), lambda key, body: struct.pack("<I", key) + body, ("-n", "-ne"), 3),
    ]


def sweep(theirs, ours, wanted):
    """Random payloads under every number that names a protocol, through both tools."""
    total = different = known = 0
    for name, link, keys, make, forms, each in swept():
        if wanted and name not in wanted:
            continue
        bodies = payloads(name)
        made = [(key, make(key, next(bodies))) for key in keys for _ in range(each)]
        for form in forms:
            unlike = {}
            for start in range(0, len(made), 8192):
                part = made[start:start + 8192]
                data = capture(link, [packet for _, packet in part])
                texts = [subprocess.run([tool, *form.split(), "-t", "-#", "-r", "-"], input=data, capture_output=True).stdout for tool in (theirs, ours)]
                for pattern, newer, _ in NEWER:
                    texts[0] = re.sub(pattern, newer, texts[0])
                first, second = map(by_number, texts)
                for number, (key, _) in enumerate(part, 1):
                    if first.get(number) == second.get(number):
                        continue
                    if rewritten(first.get(number, []), second.get(number, [])):
                        known += 1
                    else:
                        unlike.setdefault(key, []).append((first.get(number, []), second.get(number, [])))
            count = sum(map(len, unlike.values()))
            total, different = total + len(made), different + count
            print(f"{name} {form}: {count} of {len(made)} differ, under {len(unlike)} of {len(keys)} numbers")
            for key, pairs in list(unlike.items())[:12]:
                print(f"    {key}: {len(pairs)}")
                for who, text in zip(("theirs", "ours"), pairs[0]):
                    print(f"        {who:6} " + b"\n               ".join(text)[:300].decode("latin1"))
    print(f"{different} of {total} packets of the sweep differ, and {known} as tcpdump 5 prints them")


def cut(packets):
    """Packets of which less was captured than there was: each length that may be."""
    whole = [packet for packet in packets if not isinstance(packet, tuple)][:4]
    return [(packet[:size], len(packet)) for packet in whole for size in range(len(packet) + 1)]


def lengths(theirs, ours, wanted, how):
    """Packets of every case, cut or shortened at every length, through both tools."""
    total = different = known = 0
    for case, (link, packets, variants) in CASES.items():
        if wanted and case not in wanted:
            continue
        if how is shortened and (link not in (1, RAW) or case in ("ptp", "labels", "link")):
            continue
        cuts = how([packet for packet in packets if not isinstance(packet, tuple)])
        data = capture(RAW if how is shortened else link, cuts)
        for suffix, args in variants.items():
            words = [*args.split(), "-t", "-#", "-r", "-"]
            # Once a frame in a message was cut, tcpdump 4.99.3 shows less of all packets behind it: there each has a process of its own.
            inputs = [capture(RAW if how is shortened else link, [packet]) for packet in cuts] if "vvvv" in args else [data]
            first, second = {}, {}
            for start, input in enumerate(inputs):
                texts = [subprocess.run([tool, *words], input=input, capture_output=True).stdout for tool in (theirs, ours)]
                for pattern, newer, _ in NEWER:
                    texts[0] = re.sub(pattern, newer, texts[0])
                for lines, text in zip((first, second), texts):
                    lines.update({start + number: shown for number, shown in by_number(text).items()})
            unlike = [number for number in range(1, len(cuts) + 1) if first.get(number) != second.get(number)]
            newer = [number for number in unlike if rewritten(first.get(number, []), second.get(number, []))]
            unlike = [number for number in unlike if number not in newer]
            total, different, known = total + len(cuts), different + len(unlike), known + len(newer)
            print(f"{case}{suffix}: {len(unlike)} of {len(cuts)} differ")
            for number in unlike[:1]:
                for who, text in (("theirs", first), ("ours", second)):
                    print(f"    {who:6} " + b"\n           ".join(text.get(number, [])).decode("latin1"))
    print(f"{different} of {total} packets differ that are {how.__name__}, and {known} as tcpdump 5 prints them")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--snaplens"]:
        lengths(sys.argv[2], sys.argv[3], sys.argv[4:], cut)
    elif sys.argv[1:2] == ["--short"]:
        lengths(sys.argv[2], sys.argv[3], sys.argv[4:], shortened)
    elif sys.argv[1:2] == ["--sweep"]:
        sweep(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif sys.argv[1:2] == ["--compare"]:
        compare(sys.argv[2] if len(sys.argv) > 2 else "tcpdump")
    else:
        generate()
