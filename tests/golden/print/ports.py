#!/usr/bin/env python3
"""Writes the captures and arguments of the cases of protocols over UDP and TCP.

As generate.py, whose packets it uses: CASES says with which arguments each capture is read, and
`./ports.py --compare TOOL` compares the expected outputs with the installed tcpdump's.
"""
import struct
import sys

import generate
from generate import RAW, h, ip, ip4, name, tcp, u16, u32, udp


def u64(*values):
    return struct.pack(f"!{len(values)}Q", *values)


def datagrams(port, payloads, source=40000):
    return [ip4(17, udp(source, port, payload)) for payload in payloads]


def segments(port, payloads, source=40000):
    return [ip4(6, tcp(0x18, payload=payload, sport=source, dport=port)) for payload in payloads]


def every_cut(packets, start=28):
    """Each packet whole, then cut after every byte from `start` on."""
    return [(packet[:end], len(packet)) for packet in packets for end in (len(packet), *range(start, len(packet)))]


def ntp():
    time = 0xE000_0000_0000_0000

    def clock(mode=3, stratum=2, poll=6, times=(0, 0, 0, 0), rest=b"", version=4, leap=0):
        first = bytes([leap << 6 | version << 3 | mode, stratum, poll & 255, 0xEC])
        return first + u32(0x18000, 0x20) + b"GPS\0" + u64(*times) + rest

    def extension(kind, length):
        return u16(kind, length) + bytes(length - 4)

    control = [bytes([0x16, bits]) + u16(1, 0x618, 3, 0, 4) + b"data" for bits in (2, 0x82, 0xC2, 0xE9)]
    return [clock(mode, mode, poll, leap=mode % 4) for mode, poll in enumerate((0, 1, 6, -1, -6, -128, 32, 31))] + control + [
        clock(times=(time, time + (1 << 32), time + (3 << 31), time - 5)),
        clock(rest=u32(7)), clock(rest=u32(7) + bytes(16)), clock(rest=u32(7) + bytes(20)), clock(rest=b"abc"),
        clock(rest=extension(0x104, 36) + extension(0x204, 104) + extension(0x404, 40)), clock()[:20], h("17"),
    ]


def tftp():
    return [
        h("0001") + b"file\0octet\0", h("0002") + b"file\0netascii\0blksize\x001432\0", h("0003") + u16(7) + b"data", h("0004") + u16(7),
        h("0006") + b"blksize\x001432\0", h("0009"), h("0005") + u16(1) + b"not found\0", h("0005") + u16(99) + b"what", h("0001") + b"no end",
    ]


def syslog():
    return [b"<34>a message", b"<191>more\n\0", b"<999>?", b"<1234>long", b"text", b"<3", b"<>empty"]


def tlv(kind, *values):
    value = b"".join(values)
    return bytes([kind, len(value)]) + value if len(value) < 128 else bytes([kind, 0x81, len(value)]) + value


def snmp():
    def number(value, kind=2):
        return tlv(kind, value.to_bytes(max(1, (value.bit_length() + 8) // 8), "big", signed=True))

    sys_name, null, text = tlv(6, h("2b06010201010500")), tlv(5), tlv(4, b"host")

    def pdu(kind, *variables, status=0, index=0):
        return tlv(kind, number(5), number(status), number(index), tlv(0x30, *(tlv(0x30, sys_name, value) for value in variables)))

    def message(version, body, community=b"public"):
        return tlv(0x30, number(version), tlv(4, community), body)

    trap = tlv(0xA4, tlv(6, h("2b060104010a")), tlv(0x40, bytes([10, 0, 0, 1])), number(6), number(3), number(12345, 0x43), tlv(0x30, tlv(0x30, sys_name, text)))
    usm = tlv(4, tlv(0x30, tlv(4, h("80001f88")), number(1), number(22), tlv(4, b"user"), tlv(4, bytes(12)), tlv(4)))
    scoped = tlv(0x30, tlv(4, h("80001f88")), tlv(4, b"context"), pdu(0xA0, null))
    three = tlv(0x30, number(3), tlv(0x30, number(77), number(65507), tlv(4, b"\5"), number(3)), usm, scoped)
    values = [null, number(-5), text, tlv(4, h("0102ff")), sys_name, tlv(0x40, bytes(4)), number(9, 0x41), number(1 << 40, 0x46), tlv(0x80), tlv(0x82), tlv(9, b"x"), tlv(0x47, b"x")]
    return [
        message(0, pdu(0xA0, null)), message(1, pdu(0xA5, null, status=3, index=10)), message(1, pdu(0xA2, *values)), message(0, pdu(0xA2, null, status=2, index=1)),
        message(0, pdu(0xA2, null, index=1)), message(0, trap), message(0, pdu(0xA3, text), b"private"), message(0, pdu(0xA7, text)), three, tlv(0x30, number(2)), tlv(4, b"x"), h("30"),
    ]


def texts():
    def one(port, payload):
        return segments(port, [payload])[0]

    return [
        one(21, b"220 ready\r\nUSER a\r\n"), one(25, b"EHLO here\r\n"), one(554, b"DESCRIBE rtsp://a RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
        one(8554, b"RTSP/1.0 200 OK\r\n\r\n"), one(80, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), one(80, b"no request\r\n"), one(80, b"X 200 OK\r\n"),
    ] + datagrams(5060, [b"INVITE sip:a SIP/2.0\r\nVia: b\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"what\r\n"])


def radius():
    def packet(code, *attributes):
        body = b"".join(bytes([kind, len(value) + 2]) + value for kind, value in attributes)
        return bytes([code, 7]) + u16(20 + len(body)) + bytes(range(16)) + body

    def eap(code, kind, data=b""):
        return bytes([code, 9]) + u16(5 + len(data)) + bytes([kind]) + data

    numbers = [packet(4, *((kind, u32(value)) for kind in range(0, 130))) for value in (1, 4)]
    texts = packet(2, (1, b"user\xff"), (2, b"secret"), (18, b"hello"), (26, u32(9) + bytes([1, 4]) + b"ab" + bytes([2, 9]) + b"x"), (26, u32(1)), (66, b"\1tag"), (66, b"none"),
                   (69, h("0102036162")), (70, bytes(range(16))), (71, bytes(range(14))), (84, b"response"), (56, h("31000005")), (58, b"2name"), (8, h("fffffffe")), (14, h("ffffffff")))
    six = packet(11, (95, bytes(range(16))), (97, h("0040") + bytes(range(8))), (97, h("0081")), (97, b"1"), (97, bytes(19)), (123, h("0030")), (125, h("40") + bytes(16)),
                 (124, u64(3 << 40 | 1)), (126, b"1realm"), (127, u16(5) + h("0001") + u64(0xE0000000 << 32, 0) + b"gps"), (128, u16(1) + b"place"), (129, u16(1) + u64(0) + b"note"))
    eaps = packet(1, (79, eap(2, 1, b"user")), (79, eap(1, 13, h("c000000010"))), (79, eap(1, 43, h("21"))), (79, eap(2, 3, h("0419"))), (79, eap(1, 18, h("0a"))), (79, h("03010004")), (79, b"rest"),
                  (27, u32(59)), (27, u32(61)), (27, u32(3600)), (101, u32(201)))
    return numbers + [texts, six, eaps, packet(43), packet(200), packet(1)[:19], packet(1, (1, b"cut"))[:-2], packet(1)[:20].replace(b"\0\x14", b"\0\x16") + h("0101")]


def resp():
    return [
        b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", b"$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n", b":12\r\n-ERR bad\r\n+OK\r\n", b"*1\r\n*1\r\n:1\r\n", b"inline cmd\r\nmore\n",
        b"$5\r\nab\r\n", b"$2\r\nabc\r\n", b"*x\r\n", b"$-2\r\n", b"+OK", b"*2\r\n:1\r\n", b"$99999999999\r\n", b"a\x80\n",
    ]


def timed():
    return [bytes([kind, 1]) + u16(5) + u32(10, 500000) + b"host\0" for kind in range(26)] + [bytes([1, 1]) + u16(5) + u32(0xFFFFFFFF, 5) + b"host"]


def isakmp():
    def payload(following, body, flags=0):
        return bytes([following, flags]) + u16(4 + len(body)) + body

    def chain(*items):
        following = [kind for kind, _ in items[1:]] + [0]
        return b"".join(payload(kind, body) for kind, (_, body) in zip(following, items))

    def message(version, exchange, *items, flags=0, id=0, responder=b"R" * 8, length=None):
        body = chain(*items)
        header = b"I" * 8 + responder + bytes([items[0][0], version, exchange, flags])
        return header + u32(id, 28 + len(body) if length is None else length) + body

    def attribute(kind, value):
        return u16(kind | 0x8000, value) if isinstance(value, int) else u16(kind, len(value)) + value

    def transform(number, id, *attributes, following=0):
        return payload(following, bytes([number, id, 0, 0]) + b"".join(attributes))

    def proposal(number, protocol, *transforms, spi=b"", following=0):
        return payload(following, bytes([number, protocol, len(spi), len(transforms)]) + spi + b"".join(transforms))

    def transform2(kind, id, *attributes, following=3):
        return payload(following, bytes([kind, 0]) + u16(id) + b"".join(attributes))

    ike = transform(1, 1, attribute(1, 7), attribute(2, 2), attribute(3, 1), attribute(4, 14), attribute(11, 1), attribute(12, u32(28800)), attribute(14, 256), attribute(99, 1))
    esp = transform(0, 3, attribute(1, 1), attribute(2, u32(3600)), attribute(4, 1), attribute(5, 2))
    sa = (1, u32(1, 1) + proposal(1, 1, ike))
    quick = (1, u32(1, 1) + proposal(0, 3, esp, spi=b"spi1", following=2) + proposal(1, 4, transform(0, 2), spi=b"ab"))
    ids = [(5, bytes([kind, 6]) + u16(80) + bytes(range(65, 97))) for kind in range(1, 12)]
    one = [
        message(0x10, 2, sa, (13, b"vendor id"), responder=bytes(8)), message(0x10, 2, sa), message(0x10, 2, (4, bytes(20)), (10, b"nonce of ours"), (6, b"\4cert"), (7, b"\4")),
        message(0x10, 32, (8, b"hash"), quick, (9, b"sig"), id=7), message(0x10, 5, (11, u32(1) + bytes([1, 4]) + u16(5) + b"spi1data"), (12, u32(1) + bytes([3, 4]) + u16(2) + b"spi1spi2")),
        message(0x10, 5, (11, u32(1) + bytes([1, 0]) + u16(24576) + attribute(1, 1) + attribute(2, u32(60)))), message(0x10, 5, (11, u32(1) + bytes([1, 0]) + u16(24577) + u32(1))),
        message(0x10, 2, *ids), message(0x10, 2, (13, b"x"), flags=1), message(0x10, 99, (13, b"x"), length=30), message(0x10, 2, (20, b"what")), message(0x30, 2, (1, b"x")),
    ]
    sa2 = (33, proposal(1, 1, transform2(1, 12, attribute(14, 128)), transform2(2, 2), transform2(3, 2), transform2(4, 14, following=0), spi=b"spi1spi1", following=2) + proposal(2, 3, transform2(5, 1, following=0)))
    two = [
        message(0x20, 34, sa2, (34, u16(14, 0) + bytes(40)), (40, bytes(range(32))), (43, b"vendor\0 id"), flags=8), message(0x20, 34, (41, bytes([0, 0]) + u16(16390) + b"cookie"), flags=0x20),
        message(0x20, 35, (35, h("02000000") + b"host.example"), (36, h("01000000") + bytes([10, 0, 0, 1])), (39, h("02000000") + b"shared"), (44, bytes(20)), (37, b"\4cert"), flags=8, id=1),
        message(0x20, 36, (41, bytes([3, 4]) + u16(16393) + b"spi1"), (42, bytes([3, 4]) + u16(1) + b"spi1"), (47, bytes(8)), (48, h("02010004")), id=2), message(0x20, 37, (46, b"encrypted"), flags=8, id=3),
        message(0x20, 35, (35, b"a" * 5), flags=8), message(0x20, 34, (34, b"abcd"), flags=8),
    ]
    back = [ip4(17, udp(500, 500, payload, src="10.0.0.2", dst="10.0.0.1"), src="10.0.0.2", dst="10.0.0.1") for payload in (one[1], two[1])]
    natt = datagrams(4500, [b"\xff", u32(0) + one[1], u32(1, 2) + b"esp", b"abc"], 4500)
    return datagrams(500, one + two, 500) + back + natt


def ipsec():
    inner = ip4(17, udp(1, 2, b"inside"))
    esp = u32(0x100, 5) + bytes(8)
    return [
        ip4(50, esp + inner + bytes([1, 2, 2, 4])), ip4(50, esp + inner + bytes([255, 4])), ip4(50, u32(7, 8) + b"x"), ip4(50, u32(7, 8)), ip4(108, bytes([6, 0]) + u16(2) + b"data"),
        ip4(51, bytes([17, 4, 0, 0]) + u32(0x100, 5) + bytes(range(12)) + udp(1, 2, b"inside")), ip4(51, bytes([4, 1, 0, 1]) + u32(1, 2) + inner), ip4(51, bytes([17, 9, 0, 0]) + u32(1, 2) + b"abc"),
    ]


def bootp():
    def message(options=b"", op=1, htype=1, hlen=6, flags=0, secs=0, hops=0, addresses=bytes(16), sname=b"", file=b"", cookie=h("63825363")):
        head = bytes([op, htype, hlen, hops]) + u32(0x12345678) + u16(secs, flags) + addresses + h("020000000001").ljust(16, b"\0")
        return head + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + cookie + options

    def option(kind, value):
        return bytes([kind, len(value)]) + value

    every = [message(b"".join(option(kind, value) for kind in range(1, 255) if kind not in (21, 33)) + b"\xff") for value in (b"\1", b"\0\1", h("0a000001"), b"text!")]
    special = [
        option(53, b"\1") + option(55, bytes([1, 3, 6, 15, 200, 255])) + option(61, h("01020000000001")) + option(61, b"\0name") + b"\0\0" + option(12, b"host") + b"\xff",
        option(82, b"\1\3abc\2\4defg\6\1x\5\2ab\1\x09z") + option(121, h("180a01020a000001") + h("000a000001") + h("21")) + option(77, b"\3abc\2de") + option(81, b"\5\xff\xffa.b") + b"\xff",
        option(33, bytes(16)) + option(33, b"abc") + option(33, b"") + option(46, b"\1") + option(52, b"\3") + option(2, h("ffffffff")) + option(51, h("ffffffff")) + b"\xff", b"\1\x09ab",
    ]
    heads = [
        message(op=2, addresses=bytes(range(1, 17)), hops=1, secs=2, flags=0x8000, sname=b"server", file=b"boot"), message(op=3), message(htype=6, hlen=7), message(cookie=bytes(4)), message(cookie=b"else"),
        message(sname=b"x" * 64), message()[:200],
    ]
    return every + [message(options) for options in special] + heads


def dhcp6():
    def option(kind, value):
        return u16(kind, len(value)) + value

    def message(kind, *options):
        return bytes([kind]) + h("123456") + b"".join(options)

    address = option(5, bytes(range(16)) + u32(100, 200))
    prefix = option(26, u32(100, 200) + bytes([64]) + bytes(range(16)))
    relay = bytes([12, 1]) + bytes(range(32)) + option(9, message(1, option(8, u16(5)))) + option(18, b"eth0")
    return [
        message(1, option(1, u16(1, 1) + u32(1000) + b"abcdef"), option(2, u16(3, 1) + b"abcdef"), option(1, u16(4) + bytes(16)), option(6, u16(23, 24, 999)), option(3, u32(1, 2, 3) + address), option(25, u32(1, 2, 3) + prefix)),
        message(7, option(13, u16(2) + b"none"), option(13, u16(300)), option(7, b"\x0a"), option(23, bytes(32)), option(24, name("a.example") + name("b")), option(22, b"odd"), option(56, option(1, bytes(16)) + option(3, name("ntp"))), option(64, name("aftr.example"))),
        message(10, option(19, b"\5"), option(11, bytes([2, 1, 0]) + u64(5) + b"realm" + u32(7) + bytes(16)), option(11, bytes([3, 1, 0]) + u64(5) + b"\1" + bytes(16)), option(37, u32(9) + b"id"), option(200, b"x"), option(32, u32(60)), option(14, b"")),
        message(14, option(44, b"\1" + bytes(16) + address), option(45, option(46, u32(5))), option(47, bytes(16) + b"data")), relay, relay[:20], message(3, h("0001004061")), message(99),
    ]


def rtp():
    def packet(version=2, marker=0, kind=0, extension=0, payload=b"x" * 20):
        return bytes([version << 6 | extension << 4, marker << 7 | kind]) + u16(7) + u32(100, 5) + payload

    return [packet(), packet(marker=1, kind=31), packet(extension=1), packet(version=1), packet(payload=b""), packet()[:9], b"short"]


def rtcp():
    report = u32(6, 0x1000002, 0x10003, 4, 0x8000, 0x18000)
    sender = bytes([0x81, 200]) + u16(12) + u32(5, 0xE0000000, 0x80000000, 1000, 10, 200) + report
    receiver = bytes([0x82, 201]) + u16(13) + u32(5) + report + report
    source = bytes([0x81, 202]) + u16(3) + u32(5) + b"\1\4host\0\0"
    bye = bytes([0x81, 203]) + u16(1) + u32(5)
    return [sender + source + bye, receiver, bytes([0x81, 204]) + u16(2) + u32(5) + b"name", sender[:30], bytes([0x82, 200]) + sender[2:]]


def vat():
    return [bytes([0, 5]) + b"abcdefgh", bytes([0x40, 0x12]) + b"abcdef", bytes([5, 0x85]) + b"abcdefgh"]


def ptp():
    def message(kind, body, flags=0, control=0):
        return bytes([kind, 2]) + u16(34 + len(body)) + bytes([1, 0]) + u16(flags) + u64(5 << 16 | 7) + u32(0) + u64(0x1234) + u16(1, 9) + bytes([control, 1]) + body

    stamp, port = u16(0) + u32(1600000000, 5), u64(0x99) + u16(2)
    bodies = {0: stamp, 1: stamp, 2: stamp + port, 3: stamp + port, 8: stamp, 9: stamp + port, 10: stamp + port, 12: port + bytes(10), 13: port + bytes(10),
              11: stamp + u16(37) + bytes([0, 128, 6, 33]) + u16(1) + bytes([128]) + u64(0x99) + u16(0) + b"\xa0"}
    return [message(kind, body, 1 << kind, kind) for kind, body in bodies.items()] + [message(0, stamp)[:36], message(5, stamp), message(0, stamp)[:10]]


def someip():
    def message(method, kind, code, length=12):
        return u16(1, method) + u32(length) + u16(3, 4) + bytes([1, 1, kind, code]) + b"data"

    return [message(2, kind, code) for kind, code in ((0, 0), (1, 1), (2, 2), (0x40, 5), (0x80, 10), (0x81, 99), (0x77, 0))] + [message(0x8005, 2, 0), message(1, 0, 0, 99), message(1, 0, 0, 4), b"short"]


def sflow():
    def datagram(*samples, version=5, family=1, count=None):
        agent = bytes([9, 9, 9, 9]) if family == 1 else bytes(16)
        return u32(version, family) + agent + u32(2, 100, 5000, len(samples) if count is None else count) + b"".join(samples)

    def tagged(kind, body):
        return u32(kind, len(body)) + body

    def counters(*records):
        return tagged(2, u32(5, 1 << 24 | 7, len(records)) + b"".join(records))

    def flows(*records):
        return tagged(1, u32(5, 1 << 24 | 7, 100, 1000, 3, 4, 5, len(records)) + b"".join(records))

    generic = tagged(1, u32(1, 6) + u64(1000) + u32(1, 3) + u64(11) + u32(*range(12, 18)) + u64(18) + u32(*range(19, 25)))
    many = u32(*range(1, 31))
    return [
        datagram(counters(generic, tagged(2, u32(*range(13))), *(tagged(kind, many) for kind in (3, 4, 5, 99, 1001)))),
        datagram(flows(tagged(1, u32(1, 100, 4, 14) + bytes(16)), tagged(2, many), tagged(1001, many), *(tagged(kind, bytes(8)) for kind in (3, 4, 1002, 1005, 1012, 99, 7 << 12 | 5)))),
        datagram(tagged(3, u32(5, 1, 7, 100, 1000, 3, 1, 4, 2, 5, 0)), tagged(4, u32(5, 1, 7, 1) + generic), tagged(77, b"what"), family=2), datagram(flows(tagged(1001, b"abcd"))),
        datagram(tagged(1, b"abcd")), datagram(version=4), datagram()[:20], datagram(tagged(2, many)[:30]), datagram(count=3),
    ]


def nfs():
    """Each procedure of version 3: a call and its reply, then a reply that it failed."""
    def text(value):
        return u32(len(value)) + value + b"\0" * (-len(value) % 4)

    def both(number, call, reply):
        call = u32(number, 0, 2, 100003, 3, number % 100, 0, 0, 0, 0) + call
        reply = u32(number, 1, 0, 0, 0, 0) + reply
        return datagrams(2049, [call], 900) + [ip4(17, udp(2049, 900, reply, src="10.0.0.2", dst="10.0.0.1"), src="10.0.0.2", dst="10.0.0.1")]

    handle, none, fail = text(bytes(range(32))), u32(0), u32(2, 0, 0, 0, 0)
    set_mode = u32(1, 0o640, 0, 0, 0, 0, 0)
    file = u32(1, 0o100644, 1, 1000, 100) + u64(1234, 4096) + u32(8, 1) + u64(0x11, 0x22) + u32(1600000000, 5, 1600000001, 6, 1600000002, 7)
    after, before = u32(1) + file, u32(1) + u64(99) + u32(1500000000, 1, 1500000001, 2)
    change = before + after
    entries = [
        (b"", b""), (handle, none + file), (handle + set_mode + none, none + change), (handle + text(b"name"), none + handle + after + after), (handle + u32(0x3F), none + after + u32(0x1F)), (handle, none + after + text(b"target")),
        (handle + u64(100) + u32(50), none + after + u32(50, 1)), (handle + u64(100) + u32(50, 2) + text(b"data"), none + change + u32(50, 2) + u64(7)), (handle + text(b"new") + none + set_mode, none + u32(1) + handle + after + change),
        (handle + text(b"dir") + set_mode, none + u32(1) + handle + after + change), (handle + text(b"link") + set_mode + text(b"to"), none + none), (handle + text(b"dev") + u32(4) + set_mode + u32(1, 2), none + u32(1) + handle + none + change),
        (handle + text(b"rm"), none + change), (handle + text(b"rmdir"), none + change), (handle + text(b"a") + handle + text(b"b"), none + change + change), (handle + handle + text(b"l"), none + after + change),
        (handle + u64(1, 2) + u32(512), none + after + u64(2) + none), (handle + u64(1, 2) + u32(512, 4096), none + after + u64(2) + none), (handle, none + after + u64(1, 2, 3, 4, 5, 6) + u32(7)),
        (handle, none + after + u32(1, 2, 3, 4, 5, 6, 7) + u64(8) + u32(1, 2, 27)), (handle, none + after + u32(1, 2, 1, 1, 1, 1)), (handle + u64(10) + u32(20), none + change + u64(7)), (b"", b""),
    ]
    packets = [packet for number, (call, reply) in enumerate(entries) for packet in both(100 + number, call, reply)]
    packets += [packet for number, (call, _) in enumerate(entries[:21]) for packet in both(200 + number, call, fail)]
    odd = [u32(9, 0, 2, 100003, 3, 1, 0, 999, 0, 0), u32(9, 0, 2, 100003, 3, 1), b"other", u32(9, 7) + bytes(20)]
    denied = [u32(9, 1, 1, 0, 2, 3), u32(9, 1, 1, 1, 5), u32(9, 1, 5), u32(9, 1, 0, 0, 0, 0)]
    stream = u32(9, 0, 2, 100003, 3, 1, 0, 0, 0, 0) + handle
    return packets + datagrams(2049, odd, 900) + [ip4(17, udp(2049, 900, reply)) for reply in denied] + segments(2049, [u32(0x80000000 | len(stream)) + stream, b"middle of one"])


def sunrpc():
    def call(program, version, procedure, rpc=2):
        return u32(0x1234, 0, rpc, program, version, procedure, 0, 0, 0, 0, 100003, 3, 17, 0)

    calls = [call(100000, 2, procedure) for procedure in range(8)] + [call(100003, 3, 3), call(100000, 2, 3, 7), call(100000, 2, 9)[:30]]
    replies = [u32(0x1234, 1, state, reason, why, 3) for state in range(3) for reason in range(3) for why in (0, 5)]
    # Lengths that cannot be.
    odd = [ip4(17, u16(700, 111, length, 0) + call(100000, 2, 3)) for length in (0, 7, 9, 200)]
    return datagrams(111, calls, 700) + datagrams(700, replies, 111) + odd


def netflow():
    def record(protocol, flags, wide):
        head = ip("192.0.2.1") + ip("192.0.2.2") + ip("192.0.2.254") + u16(1, 2) + u32(10, 1000, 5000, 6001) + u16(1234, 80)
        return head + (bytes([0, flags, protocol, 0x20]) + u16(64500, 64501) + bytes([24, 16, 18, 52]) + bytes(4) if wide else u16(0) + bytes([protocol, 0x20, flags]) + bytes(7))

    def message(version, *records):
        engine = b"" if version == 1 else u32(77, 0)
        return u16(version, len(records)) + u32(123456, 1600000000, 999) + engine + b"".join(records)

    flows = [(6, 0x1B), (6, 0xE4), (6, 0), (17, 0xFF), (47, 0)]
    wide = {version: message(version, *(record(*flow, version != 1) for flow in flows)) for version in (0, 1, 5, 6, 7, 9)}
    short = [message(6, record(6, 2, True)), message(1, record(6, 2, False))]
    return every_cut(datagrams(2055, short)) + datagrams(2055, [*wide.values(), message(5), u16(5, 0) + bytes(20)])


def interceptions():
    packets = [generate.SMALL, generate.INNER6, generate.ethernet(0x800, generate.SMALL), b"", b"abcdefgh"]
    shims = [direction << 29 | kind << 25 | subtype << 22 | 7 for kind in range(9) for direction, subtype in ((kind % 5, kind % 4),)]
    found = [u32(shim) + packet for shim in shims for packet in packets] + [b"abc", b""]
    return datagrams(5, found, 49152) + datagrams(49152, found[:1], 5) + every_cut(datagrams(5, found[25:26], 49152))


CASES = {
    # name: (packets, {suffix: arguments})
    "ntp": (datagrams(123, ntp()), {"": "-n", "-v": "-nv"}),
    "tftp": (every_cut(datagrams(69, tftp())), {"": "-n"}),
    "syslog": (datagrams(514, syslog()), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "snmp": (datagrams(161, snmp()), {"": "-n", "-v": "-nv"}),
    "radius": (datagrams(1812, radius()), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "resp": (every_cut(segments(6379, resp()), 40), {"": "-n"}),
    "timed": (datagrams(525, timed()), {"": "-n"}),
    "isakmp": (isakmp(), {"": "-n", "-v": "-nv", "-vvv": "-nvvv", "-vvvv": "-nvvvv"}),
    "ipsec": (ipsec(), {"": "-n", "-v": "-nv", "-E": "-n -E none:", "-names": "-n -E '0x100@10.0.0.2 none:,des-cbc:abcdefgh'"}),
    "bootp": (datagrams(67, bootp(), 68), {"": "-n", "-v": "-nv", "-vvv": "-nvvv"}),
    "dhcp6": (datagrams(547, dhcp6(), 546), {"": "-n", "-v": "-nv"}),
    "rtp": (datagrams(2000, rtp()), {"": "-n -T rtp", "-v": "-nv -T rtp"}),
    "rtcp": (datagrams(2000, rtcp()), {"": "-n -T rtcp", "-v": "-nv -T rtcp"}),
    "vat": (datagrams(3456, vat()), {"": "-n"}),
    "ptp": (datagrams(319, ptp()), {"": "-n"}),
    "someip": (datagrams(30490, someip()), {"": "-n"}),
    "ssh": (segments(22, [b"SSH-2.0-OpenSSH_9\r\n", b"\0\0\1binary"]), {"": "-n"}),
    "sflow": (datagrams(6343, sflow()), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "nfs": (nfs(), {"": "-n", "-v": "-nv", "-vv": "-nvv", "-u": "-nu"}),
    "sunrpc": (every_cut(sunrpc()), {"": "-n -T rpc", "-v": "-nvv -T rpc"}),
    "netflow": (netflow(), {"": "-n -T cnfp"}),
    "bcm-li": (interceptions(), {"": "-n", "-v": "-nv"}),
    "texts": (every_cut(texts(), 40), {"": "-n", "-v": "-nv"}),
}

generate.CASES = {case: (RAW, packets, variants) for case, (packets, variants) in CASES.items()}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--compare"]:
        generate.compare(sys.argv[2] if len(sys.argv) > 2 else "tcpdump")
    else:
        generate.generate()
