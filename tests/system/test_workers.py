"""Flows over 1, 2 and 4 workers: the same ones, whatever they are wrapped, cut or mixed into."""

import collections
import glob
import json
import os
import struct

import packets as p
from test_analyze import AnalyzeTest, key, merged
from weirlab import CAPTURES

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
        for src, dst, sport, dport in ((A, B, 46000 + i, 46001), (B, A, 46001, 46000 + i)):
            parts = pieces(src, dst, 17, p.udp(sport, dport, bytes(4000)), 100 + i)
            frames.extend(parts if i % 2 else [parts[0], parts[2], parts[1]])
            frames.append(p.packet(src, dst, 17, p.udp(sport, dport, b"whole")))
        six = pieces6("fd02::1", "fd02::2", 17, p.udp(7000 + i, 7001, bytes(4000)), 100 + i)
        frames.extend([six[0], six[2], six[1]])
        frames.extend(reversed(pieces(A, C, 17, p.udp(8000 + i, 8001, bytes(4000)), 500 + i)))
    return frames + pieces(A, B, 17, p.udp(9000, 9001, bytes(4000)), 9999)[1:]


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
                              self.file(p.pcap(cut()), "cut.pcap"))
        flows = merged(f for f in d["flows"] if f["observation_point"] == "cut.pcap")
        for i in range(60):
            self.assertEqual(flows[("UDP", A, 46000 + i, B, 46001, ())][:2], (4, 4))
            self.assertEqual(flows[("UDP", "fd02::1", 7000 + i, "fd02::2", 7001, ())][:2], (3, 0))

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
        """Recorded traffic, several files at once. Names of hosts come from other flows than the one that is shown, and what nDPI
        says of STUN from what it remembers of other flows (each worker has a module of its own): those two are left out."""

        STEP = 20

        def told(self, d, ignore):
            flows = []
            for f in d["flows"]:
                f = dict(f, client=dict(f["client"], name=None), server=dict(f["server"], name=None))
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
