#!/usr/bin/env python3
"""Makes the first inputs of fuzz_grant and fuzz_snapshot: documents without their signature, which the targets add."""

import ipaddress
import os
import struct

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
NOW = 1800000000 * 10**9
ANY = 0xFFFFFFFF


def keep(target, name, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def grant(tenant=1, role=5, flags=0, narrowings=(), begin=0, end=60, subject=b"user:alice", scopes=2**64 - 1):
    return (
        b"WEIRGRT2" + bytes(range(16)) + struct.pack(">IIIIQQ", 6, 0, tenant, role, 1, scopes)
        + struct.pack(">BB", flags, len(narrowings)) + b"".join(struct.pack(">I", n) for n in narrowings)
        + struct.pack(">qq", NOW + begin * 10**9, NOW + end * 10**9) + struct.pack(">B", len(subject)) + subject
    )


def address(text):
    a = ipaddress.ip_address(text)
    return a.packed if a.version == 6 else b"\0" * 10 + b"\xff\xff" + a.packed


def network(text):
    n = ipaddress.ip_network(text)
    return address(str(n.network_address)) + bytes([n.prefixlen + (96 if n.version == 4 else 0)])


def text(s):
    return bytes([len(s)]) + s.encode()


def tenant(number, name, title="", quota=(0, 0, 0, 0), spaces=(), keep=(0, 0, 0, 0)):
    return (
        struct.pack(">I", number) + text(name) + text(title) + struct.pack(">4Q", *quota) + struct.pack(">4Q", *keep)
        + bytes([len(spaces)]) + b"".join(struct.pack(">I", s) for s in spaces)
    )


def selector(number, point="", vlan=ANY, net=None, exporter=None, interface=None):
    parts = (net is not None) | (exporter is not None) << 1 | (interface is not None) << 2
    return (
        struct.pack(">I", number) + text(point) + struct.pack(">IB", vlan, parts)
        + (network(net) if net else b"") + (address(exporter) if exporter else b"")
        + (struct.pack(">I", interface) if interface is not None else b"")
    )


def narrowing(number, masked=0, interfaces=(), exporters=(), networks=()):
    out = struct.pack(">IBIII", number, masked, len(interfaces), len(exporters), len(networks))
    out += b"".join(text(i) for i in interfaces)
    for ip, interface in exporters:
        out += bytes([2 | (interface is not None) << 2]) + address(ip)
        out += struct.pack(">I", interface) if interface is not None else b""
    return out + b"".join(network(n) for n in networks)


def watched(number, kind, net, space=0, vlan=0):
    return struct.pack(">IBIH", number, kind, space, vlan) + network(net)


def snapshot(tenants, selectors, narrowings=(), counts=None, watching=(), removed=()):
    counts = counts or (len(tenants), len(selectors), len(narrowings), len(watching), len(removed))
    return b"WEIRSNP5" + struct.pack(">QIIIII", 1, *counts) + b"".join([
        *tenants, *selectors, *narrowings, *(struct.pack(">I", n) for n in removed), *watching])


def main():
    keep("grant", "good", grant())
    keep("grant", "expired", grant(begin=-100, end=-50))
    keep("grant", "nul_in_subject", grant(subject=b"user:a\0ice"))
    keep("grant", "truncated", grant()[:40])
    keep("grant", "narrowed", grant(flags=3, narrowings=(1, 2, 7, 900)))
    keep("grant", "narrowed_twice", grant(narrowings=(3, 3)))
    keep("grant", "too_narrow", grant(narrowings=(1, 2, 3, 4, 5)))
    keep("grant", "unknown_flag", grant(flags=4))

    one = [tenant(1, "a", "A and sons")]
    two = [*one, tenant(2, "b", quota=(100, 1 << 30, 86400, 1000), spaces=(0, 7))]
    keep("snapshot", "everything", snapshot(one, [selector(1)]))
    keep("snapshot", "count_lies", snapshot(one, [selector(1)], counts=(1, 60000, 0, 0, 0)))
    keep("snapshot", "orphan", snapshot(one, [selector(2)]))
    keep("snapshot", "two_tenants", snapshot(two, [
        selector(1, "eth0", net="10.0.0.0/8"), selector(2, "a", 1, "10.1.0.0/16"), selector(2, "eth0", net="ffff::/16"),
        selector(1, vlan=0, net="::/0"), selector(1, "eth0", 2), selector(2, net="0.0.0.0/0"),
    ]))
    keep("snapshot", "exporters", snapshot(two, [
        selector(1, exporter="::1"), selector(2, exporter="::1", interface=1), selector(2, "eth0", exporter="::2", interface=0),
    ]))
    keep("snapshot", "narrowings", snapshot(two, [selector(1), selector(2, "eth0")], [
        narrowing(1, 0, ["eth0", "eth10"]), narrowing(2, 1, [], [("::1", None), ("::1", 2)], ["10.0.0.0/8", "2001:db8::/32"]),
        narrowing(3),
    ]))
    keep("snapshot", "narrowing_lies", snapshot(one, [], [struct.pack(">IBIII", 1, 0, 0, 0xFFFFFFFF, 0)]))
    keep("snapshot", "watched", snapshot(two, [selector(1)], watching=[
        watched(1, 1, "10.0.0.1/32", 7, 4094), watched(0, 1, "2001:db8::1/128"), watched(2, 2, "10.0.0.0/8"),
    ]))
    keep("snapshot", "removed", snapshot(one, [selector(1)], removed=(2, 3, 7)))
    keep("snapshot", "removed_lies", snapshot(two, [], removed=(2, 3)))
    keep("snapshot", "watched_orphan", snapshot(one, [], watching=[watched(2, 2, "10.0.0.0/8")]))
    keep("snapshot", "watched_lies", snapshot(one, [], counts=(1, 0, 0, 8192, 0), watching=[watched(1, 1, "10.0.0.0/8")]))
    keep("snapshot", "interface_without_exporter", snapshot(one, [selector(1, interface=3)]))


if __name__ == "__main__":
    main()
