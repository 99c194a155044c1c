#!/usr/bin/env python3
"""Writes the captures and arguments of the cases of protocols over UDP and TCP.

As generate.py, whose packets it uses: CASES says with which arguments each capture is read, and
`./ports.py --compare TOOL` compares the expected outputs with the installed tcpdump's.
"""
import struct
import sys

import generate
from generate import RAW, h, ip4, name, tcp, u16, u32, udp


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


CASES = {
    # name: (packets, {suffix: arguments})
    "ntp": (datagrams(123, ntp()), {"": "-n", "-v": "-nv"}),
    "tftp": (every_cut(datagrams(69, tftp())), {"": "-n"}),
    "syslog": (datagrams(514, syslog()), {"": "-n", "-v": "-nv"}),
    "snmp": (datagrams(161, snmp()), {"": "-n", "-v": "-nv"}),
    "texts": (every_cut(texts(), 40), {"": "-n", "-v": "-nv"}),
}

generate.CASES = {case: (RAW, packets, variants) for case, (packets, variants) in CASES.items()}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--compare"]:
        generate.compare(sys.argv[2] if len(sys.argv) > 2 else "tcpdump")
    else:
        generate.generate()
