"""Flows over 1, 2 and 4 workers: the same ones, whatever they are wrapped, cut or mixed into."""

import collections
import glob
import ipaddress
import json
import os
import signal
import socket
import struct

import packets as p
from test_analyze import AnalyzeTest, key, merged
from weirlab import CAPTURES, LabTest, Weir, in_namespace, sandboxed, wait_for

A, B, C = "10.1.0.1", "10.1.0.2", "10.1.0.3"
WORKERS = (1, 2, 4)


def pieces(src, dst, proto, data, ident, size=1480, **kw):
    """A datagram of IPv4 in fragments."""
    return [p.packet(src, dst, proto, data[at:at + size], ident=ident, offset=at, more=at + size < len(data), **kw)
            for at in range(0, len(data), size)]


def pieces6(src, dst, proto, data, ident, size=1448):
    """The same of IPv6."""
    return [p.packet(src, dst, proto, data[at:at + size],
                     extensions=((44, struct.pack("!BHI", 0, at | (at + size < len(data)), ident)),))
            for at in range(0, len(data), size)]


def plain():
    frames = []
    for i in range(200):
        talk = p.Talk(f"10.2.{i % 7}.{1 + i}", B, 10000 + i, 8080).open().send(True, "PA", b"x" * (i + 1)).send(False, "PA", b"y" * 99)
        frames.extend((talk.close() if i % 3 else talk).frames)
        frames.append(p.packet(A, B, 17, p.udp(1000 + i, 53, p.dns_query(f"n{i}.made-up.example"))))
        frames.append(p.packet(B, A, 17, p.udp(53, 1000 + i, p.dns_answer(f"n{i}.made-up.example", "10.9.9.9")), back=True))
        frames.append(p.packet(A, f"10.4.0.{i}", 1, p.icmp_echo(ident=i)))
        frames.append(p.packet(f"fd01::{i + 1:x}", "fd01::ffff", 17, p.udp(4000 + i, 4001, b"six")))
    frames.append(p.arp(A, B))
    return frames


def tagged():
    return [p.packet(A, B, 17, p.udp(5000 + i % 50, 5001, b"tagged"), vlans) for i in range(300)
            for vlans in ((i % 5,), ((0x88a8, 100 + i % 3), i % 5), ())]


def cut():
    """Datagrams in pieces: in order, last first, and among other conversations of the same two hosts; one without its first piece."""
    frames = []
    for i in range(60):
        for src, dst, sport, dport in ((A, B, 26000 + i, 26100), (B, A, 26100, 26000 + i)):
            parts = pieces(src, dst, 17, p.udp(sport, dport, bytes(4000)), 100 + i)
            frames.extend(parts if i % 2 else [parts[0], parts[2], parts[1]])
            frames.append(p.packet(src, dst, 17, p.udp(sport, dport, b"whole")))
        six = pieces6("fd02::1", "fd02::2", 17, p.udp(27000 + i, 27100, bytes(4000)), 100 + i)
        frames.extend([six[0], six[2], six[1]])
        frames.extend(reversed(pieces(A, C, 17, p.udp(8000 + i, 8001, bytes(4000)), 500 + i)))
    return frames + pieces(A, B, 17, p.udp(9000, 9001, bytes(4000)), 9999)[1:]


def vxlan(outer, inner):
    """Ethernet in UDP: source and destination of the carrier, and a frame."""
    return p.packet(*outer, 17, p.udp(50000, 4789, struct.pack("!II", 0x08000000, 77 << 8) + inner))


def wrapped():
    """Inner conversations whose packets go over many carriers, some of those in pieces."""
    frames = []
    for i in range(40):
        for n in range(6):
            src, dst, sport, dport = (A, B, 28000 + i, 28100) if n % 2 == 0 else (B, A, 28100, 28000 + i)
            outer = f"198.51.100.{1 + n}", f"203.0.113.{1 + i % 7}"
            frames.append(vxlan(outer, p.packet(src, dst, 17, p.udp(sport, dport, b"within"), back=bool(n % 2))))
            gre = struct.pack("!HH", 0, 0x0800) + p.ipv4(src, dst, 17, p.udp(sport + 1000, dport + 1000, bytes(1000)))
            frames += pieces(*outer, 47, gre, 600 + 6 * i + n, size=520) if n % 3 else [p.packet(*outer, 47, gre)]
    return frames


class WorkersTest(AnalyzeTest):
    def over_workers(self, *files, settings=None, ignore=("id", "confidence"), status=0):
        """What each number of workers makes of the files, checked to be the same; the document of one worker. nDPI is surer of a server
        that another flow of the same worker has shown it: the application is the same, its confidence need not be."""
        docs = []
        for n in WORKERS:
            s = {"engine.workers": n}
            s.update(settings or {})
            d, _ = self.analyze(*files, settings=s, status=status)
            self.check_sums(d)
            docs.append(d)
        want = self.told(docs[0], ignore)
        for n, d in zip(WORKERS[1:], docs[1:]):
            got = self.told(d, ignore)
            self.assertEqual((sorted((want - got).elements())[:5], sorted((got - want).elements())[:5]), ([], []), f"{n} workers")
            for k in ("packets", "bytes", "flows", "undecoded"):
                self.assertEqual(d["totals"][k], docs[0]["totals"][k], f"{k} of {n} workers")
        return docs[0]

    def told(self, d, ignore):
        return collections.Counter(json.dumps({k: v for k, v in f.items() if k not in ignore}, sort_keys=True) for f in d["flows"])


class Files(WorkersTest):
    def test_several_captures_at_once(self):
        d = self.over_workers(self.file(p.pcap(plain()), "plain.pcap"), self.file(p.pcap(tagged()), "tagged.pcap"),
                              self.file(p.pcap(cut()), "cut.pcap"), self.file(p.pcap(wrapped()), "wrapped.pcap"))
        flows = merged(f for f in d["flows"] if f["observation_point"] == "cut.pcap")
        for i in range(60):
            self.assertEqual(flows[("UDP", A, 26000 + i, B, 26100, ())][:2], (4, 4))
            self.assertEqual(flows[("UDP", "fd02::1", 27000 + i, "fd02::2", 27100, ())][:2], (3, 0))
        flows = merged(f for f in d["flows"] if f["observation_point"] == "wrapped.pcap")
        self.assertEqual(len(flows), 2 * 40)
        for i in range(40):
            self.assertEqual(flows[("UDP", A, 28000 + i, B, 28100, ())][:2], (3, 3))
            self.assertEqual(flows[("UDP", A, 29000 + i, B, 29100, ())][:2], (5, 5))

    def test_what_carries_tunnels(self):
        """The outer view is shared out by the outer key."""
        d = self.over_workers(self.file(p.pcap(wrapped()), "outer.pcap"), settings={"engine.tunnels": "outer"})
        self.assertEqual({f["client"]["ip"].split(".")[0] for f in d["flows"]}, {"198"})

    def test_time_is_the_same_for_everybody(self):
        """Stamps out of order, broken ones, silence at the end: time-outs, ends, first and last do not depend on who was shown what."""
        s = 10**9
        frames = []
        for i in range(2000):
            at = p.START_NS + i * s // 20 + (-3 if i % 7 == 0 else 0) * s
            if i % 501 == 500:
                at = 2**31 * s  # far ahead of those around it
            frames.append((at, p.packet(A, B, 17, p.udp(2000 + i % 97, 7, b"q" * (i % 50)))))
            # The answer of one whose question was not seen: who is seen first is the client once nobody old can be left.
            frames.append((at, p.packet(B, C, 17, p.udp(53, 3000 + i, b"r"))))
        frames.append((p.START_NS + 400 * s, p.packet(A, C, 17, p.udp(9, 9, b"late"))))
        d = self.over_workers(self.file(p.pcap(frames), "time.pcap"),
                              settings={"engine.active_timeout": "10s", "engine.idle_timeout": "20s"})
        self.assertLessEqual({"active", "idle", "file"}, {f["end_reason"] for f in d["flows"]})
        turned = {f["server"]["port"] for f in d["flows"] if f["server"]["port"] >= 3000}
        self.assertGreater(len(turned), 100)


if os.path.isdir(CAPTURES):
    class Captures(WorkersTest):
        """Recorded traffic, several files at once. Left out is what other flows have taught: names of hosts, and what nDPI knows of an
        address from flows before (each worker has a module of its own), which names calls over STUN and makes it more confident."""

        STEP = 20

        def told(self, d, ignore):
            flows = []
            for f in d["flows"]:
                f = dict(f, confidence=None, client=dict(f["client"], name=None), server=dict(f["server"], name=None))
                if f["application"].startswith("STUN"):
                    f["application"] = f["category"] = "STUN"
                flows.append(f)
            return super().told({"flows": flows}, ignore)

        def test_every_twentieth(self):
            files = sorted(f for f in glob.glob(os.path.join(CAPTURES, "pcap", "*", "*")) if os.path.getsize(f) > 24 and "malformed" not in f)
            files = files[::self.STEP]
            self.assertGreater(len(files), 30)
            for i in range(0, len(files), 8):
                with self.subTest(" ".join(map(os.path.basename, files[i:i + 8]))):
                    self.over_workers(*files[i:i + 8], status=None)


# --- an interface that two workers share

M = 0xffffffff


def scramble(v):
    v = v * 0x9e3779b1 & M
    return (v ^ v >> 15) * 0x85ebca77 & M


def owner(src, dst, sport=0, dport=0, workers=2):
    """decode/owner.c once more."""
    total = 0
    for a in (src, dst):
        words = struct.unpack("!4I", ipaddress.ip_address(a if ":" in a else f"::ffff:{a}").packed)
        n = words[0]
        for word in words[1:]:
            n = n * 0x01000193 + word & M
        total += scramble(n)
    return ((total + scramble(sport) + scramble(dport) & M) >> 16) * workers >> 16


def owned_by(worker, make):
    """The first of make(0), make(1), ... that is that worker's: addresses (and ports)."""
    return next(x for x in map(make, range(1000)) if owner(*x) == worker)


class Live(LabTest):
    """Tunnels whose directions arrive at different workers, and datagrams in pieces: one flow each, every frame counted once."""

    SETTINGS = {"engine.workers": 2, "capture.kernel_buffer": "64 MiB", "engine.idle_timeout": "5min"}

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings=cls.SETTINGS).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")

    def inject(self, ns, frames):
        """Frames as they are onto the wire: from the server they come in at the monitored port, from the client they go out there."""
        def send():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
                s.bind(("eth0", 0))
                for f in frames:
                    s.send(f)
        in_namespace(ns, send)

    def both_ways(self, there, back):
        self.inject(self.lab.client, there)
        self.inject(self.lab.server, back)

    def flows(self, net):
        return [f for f in self.api.all("/api/v1/flows", "flows") if f["client"]["ip"].startswith(net) or f["server"]["ip"].startswith(net)]

    def lost(self):
        return {d["place"]: d["count"] for d in self.api.ask("/api/v1/health")["drops"] if d["count"]}

    def handed_over(self):
        return sum(c["count"] for c in self.api.ask("/api/v1/health")["counters"] if c["place"] == "engine.handed_over")

    def one_flow_each(self, net, ports, packets):
        """Each port's flow is there once, with so many packets each way."""
        def complete():
            rows = sorted((f["client"]["port"], f["packets"]["sent"], f["packets"]["received"]) for f in self.flows(net))
            seen[:] = rows
            return rows == sorted((port, packets, packets) for port in ports)
        seen = []
        try:
            wait_for(f"one flow each of {net}", complete, 20)
        except AssertionError as e:
            raise AssertionError(f"{e}; {seen}; {self.lost()}\n{self.weir.log()[-2000:]}") from None

    def tunnelled(self, net, ports, n):
        """n frames each way of each port's inner flow, the directions over carriers of different workers."""
        carrier = [owned_by(w, lambda i, net=net: (f"198.51.100.{1 + i}", f"203.0.113.{1 + i}", 50000, 4789)) for w in (0, 1)]
        there, back = [], []
        for port in ports:
            a, b = f"{net}1", f"{net}2"
            there += [vxlan(carrier[0][:2], p.packet(a, b, 17, p.udp(port, 5001, b"there")))] * n
            back += [vxlan(carrier[1][:2], p.packet(b, a, 17, p.udp(5001, port, b"and back"), back=True))] * n
        self.both_ways(there, back)

    def pieces_of(self, net, ports, n):
        a, b = f"{net}1", f"{net}2"
        there, back = [], []
        for port in ports:
            for i in range(n):
                there += pieces(a, b, 17, p.udp(port, 5001, bytes(3000)), (port - 6000) * 4 + i)
                back += pieces(b, a, 17, p.udp(5001, port, bytes(3000)), (port - 6000) * 4 + i, back=True)
        self.both_ways(there, back)

    def test_tunnels_and_pieces(self):
        ports = list(range(6001, 6021))
        self.assertEqual({owner("10.201.0.1", "10.201.0.2", port, 5001) for port in ports}, {0, 1})
        self.tunnelled("10.201.0.", ports, 5)
        self.one_flow_each("10.201.0.", ports, 5)
        self.pieces_of("10.202.0.", ports, 2)
        self.one_flow_each("10.202.0.", ports, 2 * 3)
        self.assertEqual(self.lost(), {})
        # One direction of each tunnel, and what did not meet where its flow lives.
        self.assertGreaterEqual(self.handed_over(), len(ports) * 5)

    def test_plain_frames_come_to_their_owner_at_once(self):
        """The kernel's program agrees with the engines, tags and directions too."""
        ports = list(range(7001, 7101))
        both = [(port, vlans) for port in ports for vlans in ((), (9,))]
        there = [p.packet("10.203.0.1", "10.203.0.2", 17, p.udp(port, 5001, b"plain"), vlans) for port, vlans in both]
        back = [p.packet("10.203.0.2", "10.203.0.1", 17, p.udp(5001, port, b"plain"), vlans, back=True) for port, vlans in both]
        there += [p.packet("fd03::1", "fd03::2", 17, p.udp(port, 5001, b"six")) for port in ports]
        back += [p.packet("fd03::2", "fd03::1", 17, p.udp(5001, port, b"six"), back=True) for port in ports]
        before = self.handed_over()
        self.both_ways(there, back)
        self.one_flow_each("10.203.0.", ports * 2, 1)
        self.one_flow_each("fd03::", ports, 1)
        self.assertEqual(self.handed_over(), before)

    def test_z_a_worker_is_killed(self):
        """Its peers go on with the frames that are theirs, and hand over to the one that is started in its place."""
        ports = list(range(8001, 8011))
        before = self.weir.processes()
        other, victim = before[("engine", 0)], before[("engine", 1)]
        os.kill(victim, signal.SIGKILL)

        def back():
            new = self.weir.processes().get(("engine", 1))
            return new if new not in (None, victim) and sandboxed(new) else None
        wait_for("the worker to be back", back)
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok", 30)
        handed = self.handed_over()
        self.tunnelled("10.204.0.", ports, 5)
        self.one_flow_each("10.204.0.", ports, 5)
        self.pieces_of("10.205.0.", ports, 2)
        self.one_flow_each("10.205.0.", ports, 2 * 3)
        self.assertGreater(self.handed_over(), handed)
        self.assertEqual(self.weir.processes()[("engine", 0)], other)
