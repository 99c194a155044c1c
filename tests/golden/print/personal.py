#!/usr/bin/env python3
"""Writes the captures and arguments of the cases of IEEE 802.15.4's headers, elements, beacons and commands.

As generate.py, whose packets it uses: CASES says with which arguments each capture is read, and
`./personal.py --compare TOOL` compares the expected outputs with the installed tcpdump's.
"""
import struct
import sys

import generate
from generate import pad

WITH_FCS, TAP = 195, 283
DATA = bytes(range(1, 40))


def le16(*values):
    return struct.pack(f"<{len(values)}H", *values)


def remainder(data):
    sum = 0
    for byte in data:
        sum ^= byte
        for _ in range(8):
            sum = sum >> 1 ^ (0x8408 if sum & 1 else 0)
    return sum


def ended(data):
    return data + le16(remainder(data))


def frame(kind, body=b"", version=0, secured=0, elements=0):
    """A frame with short addresses, one network and a check sequence."""
    control = kind | secured << 3 | 1 << 6 | elements << 9 | 2 << 10 | version << 12 | 2 << 14
    return ended(le16(control) + b"\5" + le16(0xABCD, 0x1111, 0x2222) + body)


def header_element(number, data=b""):
    return le16(len(data) | number << 7) + data


def payload_element(number, data=b""):
    return le16(len(data) | number << 11 | 0x8000) + data


def every_cut(packets, start=9):
    return [packet[:end] for packet in packets for end in (len(packet), *range(start, len(packet)))]


def security():
    found = [frame(1, bytes([level | mode << 3]) + DATA, 1, 1) for level in range(8) for mode in range(4)]
    found += [frame(1, bytes([level | mode << 3 | 0x20]) + DATA, 2, 1) for level in (0, 5) for mode in range(4)]
    return found + every_cut([frame(1, bytes([5 | mode << 3]) + DATA[:20], 1, 1) for mode in range(4)])


def elements():
    header = lambda number, data: header_element(number, data) + header_element(0x7F)
    found = [frame(1, header(number, DATA[:number % 5]) + b"data", 2, 0, 1) for number in (*range(0x30), 0x7D, 0x80, 0xFF)]
    lists = [header_element(0x7E) + payload_element(number, DATA[:number % 4]) + payload_element(15) for number in range(16)]
    found += [frame(1, one + b"data", 2, 0, 1) for one in lists]
    found += [frame(1, bytes([level]) + bytes(4) + lists[3] + DATA, 2, 1, 1) for level in (0, 1, 4, 7)]
    odd = [header_element(0x1A, b"ab"), header_element(0x7E), header_element(0x100, b"ab"), header_element(0x7E) + header_element(3, b"ab"), lists[1][:-2]]
    return found + [frame(kind, one, 2, 0, 1) for kind in (0, 1, 3) for one in odd] + every_cut([frame(1, lists[3] + b"data", 2, 0, 1)])


def beacons():
    def beacon(word, slots, waiting, version=0):
        return frame(0, le16(word) + slots + waiting + b"data", version)

    slots = b"\x82\x03" + bytes(range(0x11, 0x17))
    waiting = b"\x12" + le16(0x1111, 0x2222) + bytes(range(8))
    words = [0, 0x1234, 0x4000, 0x8000, 0xFFFF]
    found = [beacon(word, some, few) for word in words for some in (b"\0", slots) for few in (b"\0", waiting)]
    return found + [beacon(0x1234, slots, waiting, version) for version in (1, 2)] + every_cut([beacon(0x1234, slots, waiting)])


def commands():
    found = [frame(3, bytes([number]) + DATA[:number % 4]) for number in range(0x28)]
    found += [frame(3, bytes([number]) + DATA[:size]) for number in (1, 2, 3, 8, 9) for size in range(10)]
    found += [frame(3, bytes([1, 1 << bit])) for bit in range(8)] + [frame(3, bytes([2, 1, 2, status])) for status in (0, 1, 2, 3, 4, 128)]
    found += [frame(3, bytes([3, reason])) for reason in range(4)] + [frame(3, bytes([9, slots])) for slots in (0, 0x1F, 0x2F, 0xFF)]
    return found + [frame(3, b"\3\7")[:-2], frame(3)]


def multipurpose():
    short = [bytes([5 | to << 4 | source << 6, 7]) + DATA for to in range(4) for source in range(4)]
    long = [bytes([5 | 8 | 0xA0, 1 << bit, 7]) + DATA for bit in range(8)]
    return [ended(one) for one in short + long] + [bytes([kind, 0]) + DATA for kind in (4, 6, 7)] + every_cut([bytes([0xAD, 0x23, 7]) + DATA], 1)


def taps():
    value = lambda kind, data: pad(le16(kind, len(data)) + data, 4)
    head = lambda values, version=0, size=None: bytes([version, 0]) + le16(4 + len(values) if size is None else size) + values
    inner = frame(1, b"data")
    found = [head(values) + inner for values in (b"", value(0, b"\1"), value(1, bytes(4)), value(0, b"\1") + value(3, le16(11) + b"\0"))]
    return found + [head(b"", 1) + inner, head(b"", 0, 3) + inner, head(b"", 0, 99) + inner] + every_cut([head(value(0, b"\1")) + inner], 1)


VERBOSE = {"": "-n", "-v": "-nv", "-vvv": "-nvvv"}
CASES = {
    # name: (link type, packets, {suffix: arguments})
    "ieee802154-security": (WITH_FCS, security(), {**VERBOSE, "-vv": "-nvv"}),
    "ieee802154-elements": (WITH_FCS, elements(), {"": "-n", "-vvv": "-nvvv"}),
    "ieee802154-beacons": (WITH_FCS, beacons(), {**VERBOSE, "-vv": "-nvv"}),
    "ieee802154-commands": (WITH_FCS, commands(), {"": "-n"}),
    "ieee802154-multipurpose": (WITH_FCS, multipurpose(), VERBOSE),
    "ieee802154-tap": (TAP, taps(), {"": "-n", "-x": "-nx"}),
}

generate.CASES = CASES

if __name__ == "__main__":
    if sys.argv[1:2] == ["--compare"]:
        generate.compare(sys.argv[2] if len(sys.argv) > 2 else "tcpdump")
    else:
        generate.generate()
