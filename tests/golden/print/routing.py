#!/usr/bin/env python3
"""Writes the captures and arguments of the cases about routing, labels and neighbours.

As generate.py, whose builders it uses; `./generate.py --compare TOOL` compares these cases too.
"""
from generate import A4, A6, B4, B6, HERE, INNER4, MAC, capture, checksum, ethernet, h, icmp, ip, ip4, ip6, pseudo
from generate import put_checksum, tcp, u16, u32, udp

RAW = 101


def datagram(port, payload):
    return ip4(17, udp(40000, port, payload))


def segment(port, payload):
    return ip4(6, tcp(0x18, dport=port, payload=payload))


def tlv(kind, value):
    return u16(kind, len(value)) + value


def small(kind, value):
    return bytes([kind, len(value)]) + value


def bgp():
    message = lambda kind, body: b"\xff" * 16 + u16(19 + len(body)) + bytes([kind]) + body
    attribute = lambda flags, kind, value: bytes([flags, kind, len(value)]) + value
    update = lambda *attributes, routes=b"", withdrawn=b"": message(
        2, u16(len(withdrawn)) + withdrawn + u16(len(b"".join(attributes))) + b"".join(attributes) + routes)
    capabilities = [small(1, h("00010001")), small(2, b""), small(64, h("80780001018000")[:6]),
                    small(65, u32(65000)), small(69, h("00010103")), small(8, h("00010407")), small(7, h("080001")),
                    small(9, b"\3"), small(73, b"abc")]
    opened = h("04fde8005a") + ip(A4)
    option = small(2, b"".join(capabilities))
    rd = u16(0, 65000) + u32(100)
    communities = h("0002fde800000064") + h("0102c0a800010005") + h("0003fde800000064") + h("400400004b189680")
    communities += h("030c000000000008") + h("4300000000000001") + h("0306000000010500") + h("800a000405dc0000")
    evil = h("000204ff") + b"x" * 4
    return [segment(179, packet) for packet in [
        message(1, opened + bytes([len(option)]) + option), message(4, b""), message(5, h("00010001")), message(9, b"??"),
        update(attribute(0x40, 1, b"\0"), attribute(0x40, 2, h("0202fde8fde9")), attribute(0x40, 3, ip(A4)),
               attribute(0x80, 4, u32(10)), attribute(0x40, 5, u32(100)), attribute(0x40, 6, b""),
               attribute(0xC0, 7, u16(65000) + ip(A4)), attribute(0xC0, 8, h("fde80001ffffff01ffffff02")),
               attribute(0x80, 9, ip(A4)), attribute(0x80, 10, ip(A4) + ip(B4)), attribute(0xC0, 16, communities),
               attribute(0xC0, 32, u32(1, 2, 3)), attribute(0x80, 26, h("01000b") + bytes(7) + b"\5"),
               attribute(0xC0, 35, u32(65001)), attribute(0xC0, 99, b"abc"), routes=h("180a000120c0000201")),
        update(withdrawn=h("180a0001")), update(), update(attribute(0x80, 15, h("000104"))),
        update(attribute(0x80, 14, h("00020110") + ip(A6) + h("00") + h("2020010db8")), attribute(0x80, 15, h("0002012020010db8"))),
        update(attribute(0x80, 14, h("0001800c") + bytes(8) + ip(A4) + h("00") + h("70000641") + rd + h("0a0001"))),
        update(attribute(0x80, 14, h("00010404") + ip(A4) + h("00") + h("300006410a0001"))),
        update(attribute(0x80, 14, h("001946") + b"\4" + ip(A4) + b"\0abc")), update(attribute(0xC0, 22, h("0001000010") + ip(A4) + u32(7))),
        update(attribute(0x80, 128, u32(65000) + attribute(0x40, 1, b"\2"))), update(attribute(0x40, 1, b"\0")[:-1] + b"", evil),
        message(3, h("0602") + b"\5hello" + b"rest"), message(3, h("06090603")), message(3, h("0202")), message(3, h("0601000101") + u32(9)),
        message(2, h("0000ffff")),
    ]]


def bfd():
    control = lambda flags, rest=b"": h("20") + bytes([flags, 3, 24 + len(rest)]) + u32(1, 2, 300000, 300000, 50000) + rest
    packets = [datagram(port, control(0xC0)) for port in (3784, 4784, 6784, 7784)]
    packets += [datagram(3784, control(0x44, h("010902") + b"secret")), datagram(3784, control(0x44, h("02180200") + u32(5) + bytes(16)))]
    return packets + [datagram(3785, b"echo"), datagram(3784, h("00c80318") + u32(1, 2, 3000, 3000, 0)), datagram(3784, h("e0")*24)]


def pim():
    def packet(kind, body, reserved=0):
        data = bytes([0x20 | kind, reserved, 0, 0]) + body
        return ip4(103, put_checksum(data, 2, checksum(data)))
    one, group, source = h("0100") + ip(A4), h("01000020") + ip("239.0.0.1"), h("01000720") + ip(B4)
    hello = tlv(1, u16(105)) + tlv(2, h("800a0064")) + tlv(19, u32(1)) + tlv(20, u32(7)) + tlv(21, h("01000000")) + tlv(24, one) + tlv(99, b"x")
    return [packet(0, hello), packet(0, tlv(1, b"x")), packet(1, u32(0x40000000) + INNER4), packet(2, group + one),
            packet(3, one + h("000100d2") + group + u16(1, 1) + source + source), packet(4, h("01230464") + one + group + h("02010000") + one + h("00960000")),
            packet(5, group + one + u32(0x80000005, 6)), packet(8, h("01000096") + one + group), packet(9, one + group + one + u16(5)),
            packet(10, one + u32(1, 2) + one + u32(3, 4) + u16(100), 0x30), packet(7, one + h("00000000")), ip4(103, h("1000ffff"))]


def igmp():
    def packet(kind, code, body):
        data = bytes([kind, code, 0, 0]) + body
        return ip4(2, put_checksum(data, 2, checksum(data)))
    group = ip("239.0.0.1")
    return [packet(0x11, 0, bytes(4)), packet(0x11, 50, group), packet(0x11, 100, group + h("027d0001") + ip(A4)), packet(0x11, 0xFF, group + h("027d0000")),
            packet(0x12, 0, group), packet(0x16, 0, group), packet(0x17, 0, group + b"more"), packet(0x99, 0, group),
            packet(0x22, 0, h("00000002") + h("04000001") + group + ip(A4) + h("09000000") + group),
            packet(0x1F, 7, group + ip(A4) + ip(B4) + ip("239.0.0.2") + h("07000005") + bytes(4)),
            packet(0x13, 1, h("0000040c") + u32(9) + ip(A4)), packet(0x13, 2, h("0000040c") + h("ffff00") + h("0a0081")),
            packet(0x13, 6, h("0000040c") + ip(A4) + h("01054101") + ip(B4)), packet(0x13, 7, h("0000040c") + ip(A4) + group + u32(3661)),
            packet(0x14, 0, h("10000000") + h("20000000")), packet(0x14, 4, h("10000000") + group + u32(0xFFFFFFFF) + ip(A4) + u16(0, 270)),
            ip4(2, h("1600ffff") + group)]


def vectors():
    route = u16(2, 0) + ip("10.1.0.0") + h("ffff0000") + bytes(4) + u32(3)
    old = u16(2, 0) + ip("10.1.0.0") + bytes(8) + u32(3)
    text = u16(0xFFFF, 2) + b"secret".ljust(16, b"\0")
    ng = ip("2001:db8::") + u16(7) + h("2001")
    eigrp = lambda op, body: ip4(88, bytes([2, op]) + u16(0xEE68) + u32(1, 2, 3) + u16(0, 100) + body)
    internal = ip("0.0.0.0") + u32(28160, 256000) + h("0005dc") + h("01ff010000") + h("180a0100")
    entry = h("0a0100") + h("00000a") + h("0003e8") + u16(1500) + h("ff0102")
    return [datagram(520, h("02010000") + old), datagram(520, h("02020000") + text + route), datagram(520, h("01020000") + u16(0, 0) + bytes(12) + u32(16)),
            datagram(520, h("02020000") + u16(0xFFFF, 3) + h("002c2d10") + u32(9, 0, 0) + route + u16(0xFFFF, 1) + bytes(16)),
            datagram(520, h("02020000") + u16(37, 0) + bytes(16)), datagram(520, h("09020000")), datagram(520, h("02070000")),
            ip6(17, udp(521, 521, h("02010000") + ng + ng, A6, B6)), ip6(17, udp(521, 521, h("01010000") + bytes(19) + b"\x10", A6, B6)),
            eigrp(5, u16(1, 12) + h("010001000000000f") + u16(4, 8) + h("0c040102")), eigrp(1, u16(0x102, 4 + len(internal)) + internal),
            eigrp(9, u16(9, 6) + b"??"), eigrp(1, u16(0x102, 200)), ip4(9, h("1101") + u16(7, 1, 0, 0, 0) + entry), ip4(9, h("12"))]


def standby():
    vrrp2 = h("212abf0301000000") + b""
    return [ip4(112, h("212abf03000a0000") + ip(A4) + ip(B4) + ip("10.0.0.3"), ttl=255), ip4(112, h("212abf01010a0000") + ip(A4) + b"abcdefgh"),
            ip4(112, h("312cbf0203e80000") + ip(A4) + ip(B4), ttl=255), ip6(112, h("312dbf0103e80000") + ip(A6)), ip4(112, vrrp2[:1]), ip4(112, h("25")*8),
            datagram(1985, h("000010030a640100") + b"cisco\0\0\0" + ip(A4)), datagram(1985, h("000903030a640107") + b"cisco\0\0\0" + ip(A4))]


def labels():
    mpls = lambda *entries, rest=INNER4: ethernet(0x8847, u32(*entries) + rest)
    message = lambda kind, body: u16(kind, 4 + len(body)) + u32(7) + body
    ldp = lambda body: u16(1, 6 + len(body)) + ip(A4) + u16(0) + body
    eth = lambda packet: ethernet(0x800, packet)
    hello = message(0x100, tlv(0x400, h("000fc000")) + tlv(0x401, ip(A4)) + tlv(0x402, u32(1)) + tlv(0x999, b"abcd"))
    mapping = message(0x400, tlv(0x100, h("020001180a0100")) + tlv(0x200, u32(100000)))
    wire = message(0x400, tlv(0x100, h("80800504") + u32(1, 2)) + tlv(0x100, h("01")) + tlv(0x101, u16(1) + ip(A4) + ip(B4)))
    session = message(0x200, tlv(0x500, h("0001001e80001000") + ip(B4) + u16(0)) + tlv(0x503, h("80010000") + u32(5, 6)))
    failed = message(0x1, tlv(0x300, u32(0x80000009, 7) + u16(0x100))) + message(0x1, tlv(0x300, b"x"))
    ping = lambda code, body: u16(1, 0) + bytes([1, 2, code, 1]) + u32(9, 1, 0xE0000000, 0, 0, 0) + body
    fec = tlv(1, tlv(1, ip(A4) + h("20000000")[:1]) + bytes(3) + tlv(3, ip(A4) + u16(0, 5) + ip(A4) + ip(B4) + u16(0, 6)) + tlv(99, b"abcd"))
    return [mpls(16 << 12 | 0x140), mpls(17 << 12 | 0xA40, 3 << 12 | 0x101), mpls(0x140), mpls(18 << 12 | 0x140, rest=b"?"), mpls(19 << 12 | 0x40, rest=b""),
            eth(datagram(646, ldp(hello))), eth(datagram(646, ldp(mapping + wire))), eth(datagram(646, ldp(session + failed))), eth(datagram(646, h("0002000a") + bytes(10))),
            eth(datagram(3503, ping(3, fec))), eth(datagram(3503, ping(9, tlv(2, u16(1500) + h("0100") + ip(A4) + ip(B4)) + tlv(15, u32(5)) + tlv(77, b"abc\0")))),
            eth(datagram(3503, h("0002") + bytes(40)))]


def rsvp():
    thing = lambda cls, kind, body: u16(4 + len(body)) + bytes([cls, kind]) + body
    def packet(kind, *things):
        body = b"".join(things)
        return ip4(46, bytes([0x11, kind, 0, 0, 64, 0]) + u16(8 + len(body)) + body)
    flow = h("00000007020000067f000005") + u32(0x4A742400, 0x4A742400, 0x7F800000, 0, 1500)
    hop = h("0108") + ip(A4) + h("2001")
    return [packet(1, thing(1, 7, ip(A4) + u16(0, 4) + ip(B4)), thing(3, 1, ip(A4) + u32(5)), thing(5, 1, u32(30000)), thing(19, 1, u16(0, 0x800)),
                   thing(20, 1, hop + h("8308") + h("0002") + u32(100000)), thing(207, 7, h("07070105") + b"first\0\0\0"), thing(11, 7, ip(A4) + u16(0, 6)),
                   thing(12, 2, flow), thing(4, 1, h("80000001") + u32(1, 2, 3, 4, 5, 6, 7))),
            packet(2, thing(8, 1, u32(0x12)), thing(9, 2, flow), thing(10, 7, ip(A4) + u16(0, 6)), thing(16, 1, u32(100000)), thing(21, 1, hop)),
            packet(3, thing(6, 1, ip(A4) + h("00180005")), thing(63, 7, ip(A4) + ip(B4)), thing(205, 1, h("07070a00") + u32(0x4A742400, 1, 2, 3))),
            packet(20, thing(22, 1, u32(1, 2)), thing(131, 1, u32(1, 2)), thing(134, 1, u32(3)), thing(99, 1, b"????"), thing(66, 1, b"")),
            packet(12, h("1014000040000008")), packet(1, h("00030101")), ip4(46, h("2001") + bytes(6)), packet(1, thing(20, 1, h("0107") + ip(A4) + h("20")+b"\0"))]


def ospf():
    def packet(kind, body):
        data = bytes([2, kind]) + u16(24 + len(body)) + ip(A4) + ip("0.0.0.1") + bytes(12) + body
        return ip4(89, put_checksum(data, 12, checksum(data)))
    lsa = lambda kind, id, body: u16(9) + bytes([2, kind]) + ip(id) + ip(A4) + u32(0x80000001) + u16(0, 20 + len(body)) + body
    router = lsa(1, A4, h("03000002") + ip(B4) + ip(A4) + h("0100000a") + ip("10.0.0.0") + h("ffffff00") + h("03000001"))
    link = tlv(1, h("01000000")[:1]) + bytes(3) + tlv(2, ip(B4)) + tlv(5, u32(10)) + tlv(6, u32(0x4B189680)) + tlv(9, u32(1)) + tlv(8, u32(*[0x4B189680] * 8))
    lsas = [router, lsa(2, A4, h("ffffff00") + ip(A4) + ip(B4)), lsa(3, "10.1.0.0", h("ffff0000") + u32(20)), lsa(5, "10.2.0.0", h("ffff0000") + u32(0x80000014) + ip(A4) + u32(7)),
            lsa(10, "1.0.0.3", tlv(1, ip(A4)) + tlv(2, link)), lsa(9, "3.0.0.0", tlv(1, u32(40)) + tlv(2, b"\1\0\0\0"[:1]) + bytes(3) + tlv(3, ip(A4))),
            lsa(10, "4.0.0.0", tlv(8, b"\0") + bytes(3) + tlv(9, h("00006400") + tlv(1, h("000064")) + b"\0") + tlv(1, u32(0x30)))]
    def packet6(kind, body):
        data = bytes([3, kind]) + u16(16 + len(body)) + ip(A4) + bytes(4) + h("00000000") + body
        return ip6(89, put_checksum(data, 12, checksum(pseudo("fe80::1", "ff02::5", 89, len(data)) + data)), "fe80::1", "ff02::5")
    lsa6 = lambda kind, body: u16(9, kind) + ip("0.0.0.5") + ip(A4) + u32(0x80000001) + u16(0, 20 + len(body)) + body
    prefix = h("40020005") + ip("2001:db8::")[:8]
    lsas6 = [lsa6(0x2001, h("01000013") + h("0100000a") + u32(1, 2) + ip(B4)), lsa6(0x2002, u32(0x13) + ip(A4)), lsa6(0x2003, u32(5) + prefix), lsa6(8, h("01000013") + ip("fe80::1") + u32(1) + prefix),
             lsa6(0x2009, u16(1, 0x2001) + bytes(4) + ip(A4) + prefix), lsa6(0x4005, u32(0x82000014) + prefix + ip(A6))]
    return [packet(1, h("ffffff00") + u16(10) + h("1201") + u32(40) + ip(A4) + ip(B4) + ip(B4)), packet(2, u16(1500) + h("0207") + u32(5) + router[:20]), packet(3, u32(1) + ip(A4) + ip(A4) + u32(10) + ip("1.0.0.3") + ip(A4)),
            packet(4, u32(len(lsas)) + b"".join(lsas)), packet(5, router[:20] * 2), packet(9, b""), ip4(89, h("09010018") + bytes(20)),
            packet6(1, u32(6) + h("01000013") + u16(10, 40) + ip(A4) + ip(B4) + ip(B4)), packet6(2, u32(0x13) + u16(1500) + h("0007") + u32(5) + lsas6[0][:20]), packet6(3, u16(0, 0x2001) + u32(5) + ip(A4)),
            packet6(4, u32(len(lsas6)) + b"".join(lsas6)), packet6(5, lsas6[0][:20])]


def isis():
    def frame(kind, fixed, body):
        data = h("83") + bytes([8 + len(fixed), 1, 0, kind, 1, 0, 0]) + fixed + body
        return ethernet(3 + len(data), h("fefe03") + data)
    system = h("192168000001")
    area = small(1, h("03490001"))
    wide = system + b"\2" + h("00000a") + b"\x0c" + small(6, ip(A4)) + small(9, u32(0x4B189680))
    tlvs = area + small(129, h("cc8e")) + small(132, ip(A4)) + small(137, b"router") + small(128, h("0a808080") + ip("10.0.0.0") + h("ffffff00"))
    tlvs += small(2, b"\0" + h("0a808080") + system + b"\2") + small(22, wide) + small(135, u32(10) + h("180a0001") + u32(10) + h("8a0b00"))
    tlvs += small(236, u32(10) + h("004020010db800000000")) + small(232, ip(A6)) + small(10, b"\1secret") + small(134, ip(A4)) + small(229, h("00008002"))
    tlvs += small(242, ip(A4) + b"\0" + small(2, h("c0000064") + small(1, h("003e80")))) + small(211, h("01001e")) + small(14, u16(1492)) + small(99, b"abc")
    lsp = lambda body: u16(27 + len(body), 1200) + system + h("0000") + u32(7) + u16(0) + b"\3"
    hello = b"\3" + system + u16(30, 1497)
    clnp = lambda flags: ethernet(0xFEFE, h("03") + h("810f0140") + bytes([flags]) + u16(20, 0) + h("024900024901"))
    esis = ethernet(0xFEFE, h("03") + h("820e010004") + u16(30, 0) + h("0449000102"))
    return [frame(20, lsp(tlvs), tlvs), frame(15, hello + b"\x40" + system + b"\1", area + small(6, MAC) + small(8, bytes(9))), frame(17, hello + b"\1", small(240, h("00") + u32(5) + system + u32(6)) + area),
            frame(25, u16(83) + system + b"\0" + bytes(8) + b"\xff" * 8, small(9, u16(1200) + system + h("0000") + u32(7) + u16(1))), frame(27, u16(17) + system + b"\0", b""),
            frame(20, lsp(b"")[:-1], b""), frame(99, b"", b""), clnp(0x1C), clnp(0x9E), esis, ethernet(0xFEFE, h("0300")), ethernet(0xFEFE, h("0377abcd"))]


def adhoc():
    babel = lambda *tlvs: h("2a02") + u16(len(b"".join(tlvs))) + b"".join(tlvs)
    prefix = h("0280400003e8") + u16(7, 96) + ip("2001:db8::")[:8]
    stamp = h("0304000f4240")
    packets = [datagram(6696, babel(b"\0", small(1, b"xx"), small(2, u16(0, 7, 400)), small(3, u16(7)), small(4, u16(0x8000, 5, 400) + stamp), small(5, h("0300") + u16(96, 1200) + ip("fe80::1")[8:]),
                                    small(6, bytes(2) + b"routerid"), small(7, h("0100") + ip(A4)), small(8, prefix), small(9, h("0000")), small(10, h("0118") + u16(5) + h("4000") + b"routerid" + h("0a0001")),
                                    small(12, u16(30) + bytes(20)), small(17, u32(5) + b"index"), small(18, b"nonce"), small(77, b"?")))]
    ahcp = h("2b010101") + u32(7) + b"sourceid" + b"destinat"
    packets += [datagram(6697, h("2b02")), datagram(5359, ahcp + h("0000") + u16(25) + small(2, u32(1600000000)) + small(3, u32(60)) + b"\1" + small(5, ip(A4)) + small(12, b"") + small(99, b"x")[:4])]
    olsr = lambda kind, body: bytes([kind, 0x86]) + u16(12 + len(body)) + ip(A4) + h("ff010007") + body
    messages = [olsr(1, h("00000503") + h("06000008") + ip(B4)), olsr(2, u16(5, 0) + ip(B4)), olsr(3, ip(B4)), olsr(4, ip("10.1.0.0") + h("ffff0000") + bytes(4) + h("00070404")), olsr(201, h("00000503") + h("0a00000c") + ip(B4) + h("ff800000")), olsr(99, b"abcd")]
    packets += [datagram(698, u16(4 + len(b"".join(messages)), 9) + b"".join(messages))]
    packets += [datagram(654, h("01e80102") + u32(7) + ip(A4) + u32(1) + ip(B4) + u32(2)), datagram(654, h("02c01f03") + ip(A4) + u32(1) + ip(B4) + u32(3000) + small(1, u32(500))), datagram(654, h("03800001") + ip(A4) + u32(1)), datagram(654, h("0400"))]
    lisp = h("32000101") + u32(1, 2) + u16(1, 4) + h("aabbccdd") + u32(1440) + h("01201000") + u16(0, 1) + ip(A4) + h("01640164") + u16(5, 1) + ip(B4) + bytes(16) + u32(0, 9)
    packets += [datagram(4342, lisp), datagram(4342, b"\x41" + lisp[1:-30]), datagram(4342, h("10000000"))]
    nhrp = lambda kind, body: ip4(54, u16(1, 0x800) + bytes(5) + b"\xff" + u16(20 + len(body), 0, 0) + bytes([1, kind, 4, 0]) + body)
    packets += [nhrp(1, h("04048000") + u32(5) + ip(A4) + ip(A4) + ip(B4) + h("0020000005dc1c2004000400") + ip(A4) + ip(B4)), nhrp(8, h("04040000") + u32(0) + ip(A4) + ip(A4) + ip(B4))]
    pgm = lambda kind, body, options=0: ip4(113, u16(5, 6) + bytes([kind, options, 0, 0]) + b"source" + u16(0) + body)
    packets += [pgm(0, u32(1, 2, 3) + u16(1, 0) + ip(A4)), pgm(4, u32(1, 2) + h("00040010") + h("810c") + b"??", 1), pgm(8, u32(1) + (u16(1, 0) + ip(A4)) * 2), pgm(0x0C, b""), pgm(0x3F, b"")]
    return packets + [segment(639, h("01001401") + bytes(16) + h("040003")), segment(323, h("000000070000000c") + u32(5) + h("000400000000001401181800") + ip(A4) + u32(65000) + h("01"))]


def sctp():
    chunk = lambda kind, flags, body: bytes([kind, flags]) + u16(4 + len(body)) + body + bytes(-len(body) % 4)
    packet = lambda port, *chunks: ip4(132, u16(40000, port) + u32(7, 0) + b"".join(chunks))
    data = u32(1) + u16(2, 3) + u32(3)
    return [packet(2905, chunk(1, 0, u32(1, 65535) + u16(10, 10) + u32(5))), packet(2905, chunk(0, 3, data + b"hello"), chunk(0, 4, data[:-1] + b"\x63x")),
            packet(6704, chunk(3, 0, u32(5, 65535) + u16(1, 1) + u16(2, 3) + u32(9)), chunk(4, 0, b"beat"), chunk(0x77, 0, b"")), packet(9, h("0000 0003".replace(" ", "")))]


CASES = {
    # name: (link type, packets, {suffix: arguments})
    "bgp": (RAW, bgp(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "bfd": (RAW, bfd(), {"": "-n", "-v": "-nv"}),
    "pim": (RAW, pim(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "igmp": (RAW, igmp(), {"": "-n", "-vv": "-nvv"}),
    "distance-vectors": (RAW, vectors(), {"": "-n", "-v": "-nv"}),
    "standby": (RAW, standby(), {"": "-n", "-v": "-nv", "-carp": "-n -T carp"}),
    "labels": (1, labels(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "sctp": (RAW, sctp(), {"": "-n", "-vv": "-nvv"}),
    "rsvp": (RAW, rsvp(), {"": "-n", "-v": "-nv"}),
    "ospf": (RAW, ospf(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
    "isis": (1, isis(), {"": "-n", "-e": "-ne", "-v": "-nv", "-vv": "-nvv"}),
    "ad-hoc": (RAW, adhoc(), {"": "-n", "-v": "-nv", "-vv": "-nvv"}),
}


def cut():
    raw = [packet for name, (link, packets, _) in CASES.items() if link == RAW for packet in packets]
    return [(packet[:size], len(packet)) for packet in raw for size in range(24, len(packet), 23)]


def generate():
    CASES["routing-cut"] = (RAW, cut(), {"-v": "-nv"})
    for case, (link, packets, variants) in CASES.items():
        (HERE / f"{case}.pcap").write_bytes(capture(link, packets))
        for suffix, args in variants.items():
            (HERE / f"{case}{suffix}.args").write_text(f"-r {{IN}}/{case}.pcap -t {args}\n")


if __name__ == "__main__":
    generate()
