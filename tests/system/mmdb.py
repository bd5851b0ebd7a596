"""Writes small MaxMind DB files (version 2.0 of the format), in the field names of any edition."""

import ipaddress
import struct


def _control(kind, size):
    """Control bytes of a value: types above 7 are extended."""
    first = kind << 5 if kind <= 7 else 0
    extended = b"" if kind <= 7 else bytes([kind - 7])
    if size < 29:
        return bytes([first | size]) + extended
    if size < 285:
        return bytes([first | 29]) + extended + bytes([size - 29])
    return bytes([first | 30]) + extended + struct.pack(">H", size - 285)


def _unsigned(kind, n):
    data = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return _control(kind, len(data)) + data


def encode(v):
    if isinstance(v, str):
        data = v.encode()
        return _control(2, len(data)) + data
    if isinstance(v, bool):
        return _control(14, int(v))
    if isinstance(v, int):
        return _unsigned(6, v)
    if isinstance(v, list):
        return _control(11, len(v)) + b"".join(encode(i) for i in v)
    return _control(7, len(v)) + b"".join(encode(k) + encode(i) for k, i in v.items())


class Writer:
    """networks: {"192.0.2.0/24": {fields}}; later ones lie over earlier ones. version 6 holds IPv4 below ::/96."""

    def __init__(self, kind, networks, version=6, record_size=24, epoch=1700000000):
        self.kind, self.version, self.record_size, self.epoch = kind, version, record_size, epoch
        self.nodes = [[None, None]]
        self.data, self.places = b"", {}
        for network, fields in networks.items():
            self.add(ipaddress.ip_network(network), fields)

    def place(self, fields):
        blob = encode(fields)
        if blob not in self.places:
            self.places[blob] = len(self.data)
            self.data += blob
        return ("data", self.places[blob])

    def add(self, network, fields):
        bits, length, width = int(network.network_address), network.prefixlen, network.max_prefixlen
        if network.version == 4 and self.version == 6:
            length, width = length + 96, 128
        at = 0
        for i in range(length - 1):
            side = bits >> (width - 1 - i) & 1
            child = self.nodes[at][side]
            if not isinstance(child, int):
                self.nodes.append([child, child])
                self.nodes[at][side] = len(self.nodes) - 1
            at = self.nodes[at][side]
        self.nodes[at][bits >> (width - length) & 1] = self.place(fields)

    def record(self, r):
        if r is None:
            return len(self.nodes)
        return r if isinstance(r, int) else len(self.nodes) + 16 + r[1]

    def node(self, n):
        left, right = (self.record(r) for r in n)
        if self.record_size == 24:
            return left.to_bytes(3, "big") + right.to_bytes(3, "big")
        if self.record_size == 28:
            return ((left & 0xffffff).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24]) + (right & 0xffffff).to_bytes(3, "big"))
        return struct.pack(">II", left, right)

    def bytes(self):
        tree = b"".join(self.node(n) for n in self.nodes)
        meta = b"".join(encode(k) + v for k, v in {
            "binary_format_major_version": _unsigned(5, 2),
            "binary_format_minor_version": _unsigned(5, 0),
            "build_epoch": _unsigned(9, self.epoch),
            "database_type": encode(self.kind),
            "description": encode({"en": "made by a test"}),
            "ip_version": _unsigned(5, self.version),
            "languages": encode(["en"]),
            "node_count": _unsigned(6, len(self.nodes)),
            "record_size": _unsigned(5, self.record_size),
        }.items())
        return tree + bytes(16) + self.data + b"\xab\xcd\xefMaxMind.com" + _control(7, 9) + meta


def mmdb(kind, networks, **kw):
    return Writer(kind, networks, **kw).bytes()
