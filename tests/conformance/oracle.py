"""What other programs say of a capture: tshark frame by frame, ndpiReader flow by flow. Answers are kept in a folder, as neither changes
while the file and the program stay the same."""

import hashlib
import ipaddress
import json
import os
import re
import subprocess
import tempfile

FIELDS = ("frame.number", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "vlan.id", "ieee8021ad.id", "ip.src", "ip.dst", "ip.proto",
          "ip.id", "ip.frag_offset", "ip.flags.mf", "ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.fraghdr.ident", "ipv6.fraghdr.offset",
          "ipv6.fraghdr.more", "ipv6.fraghdr.nxt", "tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.flags", "tcp.seq_raw", "udp.srcport", "udp.dstport", "udp.stream",
          "ip.opt.type", "sctp.srcport", "sctp.dstport", "dccp.srcport", "dccp.dstport")
OPTIONS = ("-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE")
MINUTES = 10


def kept(folder, name, entry, make):
    """make()'s answer, from the folder where it is there already."""
    version = hashlib.sha256(repr((name, FIELDS, OPTIONS, make.__code__.co_code)).encode()).hexdigest()[:12]
    path = os.path.join(folder, f"{name}-{version}", f"{entry['sha256']}.json")
    try:
        with open(path) as f:
            return json.load(f)
    except (FileNotFoundError, ValueError):
        pass
    answer = make()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as f:
        json.dump(answer, f)
    os.replace(f.name, path)
    return answer


def tshark(path):
    """One list a frame, in the order of FIELDS; the error of a damaged file is left to others."""
    argv = ["tshark", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "aggregator=,", "-E", "occurrence=a", *OPTIONS]
    for f in FIELDS:
        argv += ["-e", f]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * MINUTES)
    return [line.split("\t") for line in done.stdout.decode(errors="replace").splitlines()]


FLOW = re.compile(r"^\t\d+\t(?P<l4>\S+) (?:\[(?P<a6>[^]]*)\]|(?P<a>[^ :]+)):(?P<ap>\d+) (?:->|<->) (?:\[(?P<b6>[^]]*)\]|(?P<b>[^ :]+)):(?P<bp>\d+) "
                  r"(?:\[VLAN: (?P<vlan>\d+)\])?.*?\[proto: [\d.]+/(?P<name>[^]]*)\].*?(?:\[Confidence: (?P<by>[^]]*)\]).*?"
                  r"\[(?P<p1>\d+) pkts/(?P<b1>\d+) bytes (?:->|<->) (?P<p2>\d+) pkts/(?P<b2>\d+) bytes\]")


def ndpi_reader(path):
    """[protocol, client, port, server, port, application, how it was found, packets, bytes] of each flow, also of those without a name."""
    done = subprocess.run(["ndpiReader", "-q", "-t", "-v", "2", "-i", path], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60 * MINUTES)
    flows, unread = [], []
    for line in done.stdout.decode(errors="replace").splitlines():
        if not re.match(r"\t\d+\t\S+ \S+ <?-> ", line):
            continue
        m = FLOW.match(line)
        if m is None:
            unread.append(line[:200])
            continue
        flows.append([m["l4"], m["a6"] or m["a"], int(m["ap"]), m["b6"] or m["b"], int(m["bp"]), m["name"], m["by"],
                      int(m["p1"]) + int(m["p2"]), int(m["b1"]) + int(m["b2"])])
    return {"rc": done.returncode, "flows": flows, "unread": unread, "said": done.stderr.decode(errors="replace")[-300:]}


def plain(text):
    """An IPv4-mapped address is shown as the IPv4 address that it stands for."""
    ip = ipaddress.ip_address(text)
    return getattr(ip, "ipv4_mapped", None) or ip


class Frame:
    """One frame as tshark sees it: the innermost IP header that is not quoted by an ICMP error, and what it carries."""

    # What follows is quoted, sampled or registered, not sent.
    LAST = ("icmp", "icmpv6", "sflow", "pim", "nhrp", "openflow_v1", "openflow_v4", "openflow_v5", "openflow_v6")

    def __init__(self, row):
        v = dict(zip(FIELDS, row + [""] * (len(FIELDS) - len(row))))
        self.number, self.wire = int(v["frame.number"]), int(v["frame.len"])
        self.captured, self.time = int(v["frame.cap_len"]), float(v["frame.time_epoch"] or 0)
        self.flags = self.seq = None
        self.in_fragment = False
        self.options = self.split(v, "ip.opt.type")
        self.protocols = v["frame.protocols"].split(":")
        self.malformed = "_ws.malformed" in self.protocols
        layers = self.protocols
        for i, p in enumerate(layers):
            if p in self.LAST:
                layers = layers[:i + 1]
                break
        self.layers = layers
        self.vlans = tuple(int(x, 0) for x in self.split(v, "ieee8021ad.id")[:layers.count("ieee8021ad")] +
                           self.split(v, "vlan.id")[:layers.count("vlan")])
        self.ip = self.fragment = None
        self.protocol, self.ports = None, (0, 0)
        self.stream = None
        at = [i for i, p in enumerate(layers) if p in ("ip", "ipv6")]
        self.depth = len(at)
        self.around = ()
        if self.depth > 1:
            self.read_around(v, layers, at)
        if at:
            self.read(v, layers, at[-1])

    @staticmethod
    def split(v, name):
        return [x for x in v[name].split(",") if x]

    def read(self, v, layers, at):
        kind = layers[at]
        n = layers[:at + 1].count(kind) - 1
        source, destination = self.split(v, f"{kind}.src"), self.split(v, f"{kind}.dst")
        if n >= len(source) or n >= len(destination):
            return
        self.ip = plain(source[n]), plain(destination[n])
        if kind == "ip":
            self.read_fragment4(v, n)
            self.protocol = int(self.split(v, "ip.proto")[n])
            if self.protocol == 51 and layers[at + 1:at + 2] == ["ah"]:
                self.protocol = next((self.NUMBERS[p] for p in layers[at + 2:] if p in self.NUMBERS), 51)
        else:
            self.read_fragment6(v, layers[at:])
            self.protocol = self.upper6(v, layers, at, n)
        for name in ("tcp", "udp", "sctp", "dccp"):
            if name in layers[at:]:
                i = layers[:len(layers)].count(name) - 1
                ports = self.split(v, f"{name}.srcport"), self.split(v, f"{name}.dstport")
                if i < len(ports[0]) and i < len(ports[1]):
                    self.ports = (int(ports[0][i]), int(ports[1][i]))
                if name in ("tcp", "udp"):
                    streams = self.split(v, f"{name}.stream")
                    self.stream = int(streams[i]) if i < len(streams) else None
                if name == "tcp":
                    flags, seq = self.split(v, "tcp.flags"), self.split(v, "tcp.seq_raw")
                    self.flags, self.seq = (int(flags[i], 0), int(seq[i])) if i < len(flags) and i < len(seq) else (None, None)
                break

    def read_around(self, v, layers, at):
        """The addresses of the datagrams around the innermost one, and whether one of them is a fragment."""
        self.in_fragment = any(int(x, 0) for x in self.split(v, "ip.frag_offset")[:-1]) or "1" in self.split(v, "ip.flags.mf")[:-1]
        for i in at[:-1]:
            n = layers[:i + 1].count(layers[i]) - 1
            a, b = self.split(v, f"{layers[i]}.src"), self.split(v, f"{layers[i]}.dst")
            if n < len(a) and n < len(b):
                self.around += (tuple(sorted(str(ipaddress.ip_address(x)) for x in (a[n], b[n]))),)

    def read_fragment4(self, v, n):
        offset, more = int(self.split(v, "ip.frag_offset")[n], 0), self.split(v, "ip.flags.mf")[n] in ("1", "True")
        if offset or more:
            self.fragment = (self.ip, self.split(v, "ip.id")[n], offset == 0)

    def read_fragment6(self, v, layers):
        if "ipv6.fraghdr" not in layers:
            return
        idents, offsets = self.split(v, "ipv6.fraghdr.ident"), self.split(v, "ipv6.fraghdr.offset")
        more = self.split(v, "ipv6.fraghdr.more")
        if idents and offsets and (int(offsets[-1], 0) or more[-1] in ("1", "True")):
            self.fragment = (self.ip, idents[-1], int(offsets[-1], 0) == 0)

    NUMBERS = {"tcp": 6, "udp": 17, "icmpv6": 58, "icmp": 1, "sctp": 132, "dccp": 33, "udplite": 136, "esp": 50, "ah": 51, "ospf": 89, "pim": 103,
               "vrrp": 112, "gre": 47, "igmp": 2, "ipv6.nonext": 59}

    def upper6(self, v, layers, at, n):
        """The protocol behind all extension headers."""
        for p in layers[at + 1:]:
            if p in self.NUMBERS and p != "ah":
                return self.NUMBERS[p]
        if "ah" in layers[at + 1:] and not self.fragment:
            return 51
        following = self.split(v, "ipv6.fraghdr.nxt") if self.fragment else []
        if following:
            return int(following[-1])
        following = self.split(v, "ipv6.nxt")
        return int(following[n]) if n < len(following) else None

    def key(self):
        """(vlans, protocol, two ends in order): a conversation; ports only where the protocol has some."""
        if self.ip is None:
            return None
        ends = tuple(sorted(((str(self.ip[0]), self.ports[0]), (str(self.ip[1]), self.ports[1]))))
        return self.vlans, self.protocol, ends


def frames(rows):
    """Frames, later fragments with the ports of their first one."""
    out, first = [], {}
    for f in map(Frame, rows):
        if f.fragment:
            ip, ident, is_first = f.fragment
            where = (ip, ident, f.protocol)
            if is_first:
                first[where] = (f.ports, f.stream)
            elif where in first:
                f.ports, f.stream = first[where]
        out.append(f)
    return out
