"""Frames and capture files made by hand, so that a test knows every byte that it expects to be counted."""

import ipaddress
import struct

MAC_A, MAC_B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
LINK_ETHERNET = 1


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def addr(text):
    return ipaddress.ip_address(text).packed


def eth(payload, kind, src=MAC_A, dst=MAC_B, vlans=(), pad=True):
    """vlans: outermost first, a number (802.1Q) or (ethertype, number)."""
    head = dst + src
    for v in vlans:
        t, n = v if isinstance(v, tuple) else (0x8100, v)
        head += struct.pack("!HH", t, n)
    frame = head + struct.pack("!H", kind) + payload
    return frame + b"\0" * max(0, 60 - len(frame)) if pad else frame


def ipv4(src, dst, proto, payload, ident=0, offset=0, more=False, ttl=64, options=b""):
    ihl = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", 4 << 4 | ihl, 0, ihl * 4 + len(payload), ident, (0x2000 if more else 0) | offset // 8,
                       ttl, proto, 0, addr(src), addr(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, proto, payload, extensions=()):
    """extensions: (number, body after the next-header byte) in order."""
    out = payload
    following = proto
    for number, body in reversed(extensions):
        out = bytes([following]) + body + out
        following = number
    return struct.pack("!IHBB", 6 << 28, len(out), following, 64) + addr(src) + addr(dst) + out


def ip(src, dst, proto, payload, **kw):
    return ipv6(src, dst, proto, payload, **kw) if ":" in src else ipv4(src, dst, proto, payload, **kw)


def ethertype(src):
    return 0x86dd if ":" in src else 0x0800


def udp(sport, dport, payload=b""):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(sport, dport, seq=0, ack=0, flags="", payload=b"", window=65535, options=b""):
    bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}[f] for f in flags)
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, (5 + len(options) // 4) << 4, bits, window, 0, 0) \
        + options + payload


def icmp_echo(reply=False, ident=1, seq=1, data=b"abcdefgh"):
    body = struct.pack("!BBHHH", 0 if reply else 8, 0, 0, ident, seq) + data
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def icmp6_echo(reply=False, ident=1, seq=1, data=b"abcdefgh"):
    return struct.pack("!BBHHH", 129 if reply else 128, 0, 0, ident, seq) + data


def sctp(sport, dport, tag=1, chunks=b"\x01\x00\x00\x14" + b"\0" * 16):
    return struct.pack("!HHII", sport, dport, tag, 0) + chunks


def arp(src, dst):
    return eth(struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, MAC_A, addr(src), b"\0" * 6, addr(dst)), 0x0806)


def packet(src, dst, proto, l4, vlans=(), back=False, **kw):
    """An Ethernet frame with one IP packet; back: the MAC addresses are those of the other direction."""
    a, b = (MAC_B, MAC_A) if back else (MAC_A, MAC_B)
    return eth(ip(src, dst, proto, l4, **kw), ethertype(src), a, b, vlans)


def dns_query(name, ident=0x1234):
    q = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0" + struct.pack("!HH", 1, 1)
    return struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + q


def dns_answer(name, address, ident=0x1234):
    q = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0" + struct.pack("!HH", 1, 1)
    return struct.pack("!HHHHHH", ident, 0x8180, 1, 1, 0, 0) + q + struct.pack("!HHHIH", 0xc00c, 1, 1, 60, 4) + addr(address)


def tls_hello(name):
    """A TLS 1.2 ClientHello with one server name."""
    host = name.encode()
    sni = struct.pack("!HBH", len(host) + 3, 0, len(host)) + host
    ext = struct.pack("!HH", 0, len(sni)) + sni
    ext += struct.pack("!HHHH", 10, 4, 2, 0x17)
    ext += struct.pack("!HHBB", 11, 2, 1, 0)
    ciphers = struct.pack("!HHH", 0xc02f, 0xc030, 0x009c)
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack("!H", len(ciphers)) + ciphers + b"\x01\0" + struct.pack("!H", len(ext)) + ext
    shake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(shake)) + shake


class Talk:
    """A conversation over TCP with correct sequence numbers."""

    def __init__(self, client, server, cport, sport, vlans=()):
        self.c, self.s, self.cp, self.sp, self.vlans = client, server, cport, sport, vlans
        self.seq = {True: 1000, False: 9000}
        self.frames = []

    def send(self, from_client, flags, payload=b""):
        peer = not from_client
        a = (self.c, self.s, self.cp, self.sp) if from_client else (self.s, self.c, self.sp, self.cp)
        ack = self.seq[peer] if "A" in flags else 0
        self.frames.append(packet(a[0], a[1], 6, tcp(a[2], a[3], self.seq[from_client], ack, flags, payload), self.vlans,
                                  back=not from_client))
        self.seq[from_client] += len(payload) + (1 if "S" in flags or "F" in flags else 0)
        return self

    def open(self):
        return self.send(True, "S").send(False, "SA").send(True, "A")

    def close(self):
        return self.send(True, "FA").send(False, "FA").send(True, "A")


START_NS = 1700000000 * 10**9
STEP_NS = 1000000


def pcap(frames, start=START_NS, step=STEP_NS, nano=False, link=LINK_ETHERNET, snaplen=262144, big_endian=False):
    """A capture file; times in nanoseconds; frames: bytes, or (time or None, bytes), or (time or None, bytes, length on the wire)."""
    e = ">" if big_endian else "<"
    out = [struct.pack(e + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link)]
    for i, f in enumerate(frames):
        t, data, wire = start + i * step, f, None
        if isinstance(f, tuple):
            t, data = (t if f[0] is None else f[0]), f[1]
            wire = f[2] if len(f) > 2 else None
        out.append(struct.pack(e + "IIII", t // 10**9, t % 10**9 if nano else t % 10**9 // 1000, len(data),
                               len(data) if wire is None else wire) + data)
    return b"".join(out)


def pcapng(frames, start=START_NS, step=STEP_NS, links=(LINK_ETHERNET,), nano=False):
    """frames: bytes, or (interface, bytes); each interface has its own link type and snapshot length."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    options = struct.pack("<HHBxxx", 9, 1, 9) + struct.pack("<HH", 0, 0) if nano else b""
    out = [block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))]
    out += [block(1, struct.pack("<HHI", link, 0, 65535 * i) + options) for i, link in enumerate(links)]
    for i, data in enumerate(frames):
        interface, data = data if isinstance(data, tuple) else (0, data)
        t = (start + i * step) // (1 if nano else 1000)
        out.append(block(6, struct.pack("<IIIII", interface, t >> 32, t & 0xffffffff, len(data), len(data)) + data))
    return b"".join(out)
