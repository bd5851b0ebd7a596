"""weir analyze: capture files of which every byte is known go through the real processes, and the answer is exact."""

import gzip
import json
import os
import re
import subprocess
import unittest

import packets as p
from weirlab import CAPTURES, PATIENCE, Lab, weir_binary, yaml_of

A, B, C = "10.1.0.1", "10.1.0.2", "10.1.0.3"
A6, B6 = "fd01::1", "fd01::2"


def key(f):
    return f["protocol"], f["client"]["ip"], f["client"]["port"], f["server"]["ip"], f["server"]["port"], tuple(f["vlan"])


def counts(f):
    return f["packets"]["sent"], f["packets"]["received"], f["bytes"]["sent"], f["bytes"]["received"]


def merged(flows):
    """Slices of one flow added up: key -> counts."""
    out = {}
    for f in flows:
        out[key(f)] = tuple(map(sum, zip(out.get(key(f), (0, 0, 0, 0)), counts(f))))
    return out


class AnalyzeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls.__name__, wire=False)
        cls.n = 0

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    def file(self, data, name=None):
        type(self).n += 1
        return self.lab.file(name or f"{self.n}.pcap", data)

    def analyze(self, *files, status=0, settings=None, seconds=60):
        """(document, standard error) of weir analyze --json."""
        type(self).n += 1
        s = {"first_uid": self.lab.first_uid}
        s.update(settings or {})
        conf = self.lab.file(f"analyze-{self.n}.yaml", yaml_of(s))
        done = subprocess.run([weir_binary(), "analyze", "-c", conf, "--json", *files], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=seconds * PATIENCE)
        err = done.stderr.decode(errors="replace")
        with open(os.path.join(self.lab.dir, "analyze.log"), "a") as f:
            f.write(f"--- {' '.join(files)[:500]} -> {done.returncode}\n{err}")
        if status is not None:
            self.assertEqual(done.returncode, status, err[-2000:])
        return (json.loads(done.stdout) if done.stdout.strip() else None), err

    def check_sums(self, d):
        """Packets in = counted in flows + undecoded by reason; files never drop."""
        t = d["totals"]
        self.assertEqual({k: v for k, v in t["dropped"].items() if v}, {})
        counted = sum(f["packets"]["sent"] + f["packets"]["received"] for f in d["flows"])
        self.assertEqual(counted + sum(t["undecoded"].values()), t["packets"], t)


def ordinary():
    """Frames of six conversations and what they add up to: (frames, {key: counts})."""
    frames, expect = [], {}

    def add(proto, client, cport, server, sport, sent, received, vlans=()):
        frames.extend(sent + received)
        expect[(proto, client, cport, server, sport, tuple(v[1] if isinstance(v, tuple) else v for v in vlans))] = (
            len(sent), len(received), sum(map(len, sent)), sum(map(len, received)))

    t = p.Talk(A, B, 40000, 443).open().send(True, "PA", p.tls_hello("www.made-up.example")).send(False, "PA", b"x" * 700).close()
    sent = [f for f in t.frames if f[6:12] == p.MAC_A]
    received = [f for f in t.frames if f[6:12] == p.MAC_B]
    frames.extend(t.frames)
    expect[("TCP", A, 40000, B, 443, ())] = (len(sent), len(received), sum(map(len, sent)), sum(map(len, received)))
    add("UDP", A, 5353, C, 53, [p.packet(A, C, 17, p.udp(5353, 53, p.dns_query("printer.made-up.example")))],
        [p.packet(C, A, 17, p.udp(53, 5353, p.dns_answer("printer.made-up.example", "10.9.9.9")), back=True)])
    add("UDP", A, 61000, B, 61001, [p.packet(A, B, 17, p.udp(61000, 61001, b"q" * 100), (7,))] * 3, [], (7,))
    add("UDP", A, 61000, B, 61001, [p.packet(A, B, 17, p.udp(61000, 61001, b"q" * 50), ((0x88a8, 100), 7))], [], ((0x88a8, 100), 7))
    add("UDP", A6, 7000, B6, 7001, [p.packet(A6, B6, 17, p.udp(7000, 7001, b"six"),
                                             extensions=((0, b"\0" + b"\1\4\0\0\0\0"), (60, b"\0" + b"\1\4\0\0\0\0")))],
        [p.packet(B6, A6, 17, p.udp(7001, 7000, b"answer"), back=True)])
    # The INIT says who opened, against what the ports would say.
    add("SCTP", A, 40001, B, 2905, [p.packet(A, B, 132, p.sctp(40001, 2905))], [p.packet(B, A, 132, p.sctp(2905, 40001, chunks=b"\x02\x00\x00\x14" + b"\0" * 16), back=True)])
    add("SCTP", A, 905, B, 2905, [p.packet(A, B, 132, p.sctp(905, 2905))], [p.packet(B, A, 132, p.sctp(2905, 905, chunks=b"\x02\x00\x00\x14" + b"\0" * 16), back=True)])
    return frames, expect


class Exact(AnalyzeTest):
    def test_flows_bytes_and_packets(self):
        frames, expect = ordinary()
        d, _ = self.analyze(self.file(p.pcap(frames)))
        self.assertEqual(merged(d["flows"]), expect)
        self.assertEqual((d["totals"]["packets"], d["totals"]["bytes"]), (len(frames), sum(map(len, frames))))
        self.assertEqual({k: v for k, v in d["totals"]["undecoded"].items() if v}, {})
        self.check_sums(d)
        self.assertEqual(d["totals"]["flows"], len(expect))

    def test_applications_and_names(self):
        frames, _ = ordinary()
        d, _ = self.analyze(self.file(p.pcap(frames)))
        flows = {key(f): f for f in d["flows"]}
        tls = flows[("TCP", A, 40000, B, 443, ())]
        self.assertEqual(tls["server_name"], "www.made-up.example")
        self.assertEqual(tls["application"].split(".")[0], "TLS")
        dns = flows[("UDP", A, 5353, C, 53, ())]
        self.assertEqual(dns["application"].split(".")[0], "DNS")
        names = {a["name"].split(".")[0] for a in d["applications"]}
        self.assertLessEqual({"TLS", "DNS"}, names)
        self.assertEqual(sum(a["bytes"] for a in d["applications"]), d["totals"]["bytes"])
        self.assertEqual((tls["state"], tls["end_reason"]), ("closed", "file"))
        self.assertEqual(d["alerts"], [])

    def test_hosts(self):
        frames, expect = ordinary()
        d, _ = self.analyze(self.file(p.pcap(frames)))
        self.assertEqual({h["ip"] for h in d["hosts"]}, {A, B, C, A6, B6})
        sent = sum(h["bytes"]["sent"] for h in d["hosts"])
        received = sum(h["bytes"]["received"] for h in d["hosts"])
        total = sum(map(len, frames))
        self.assertEqual((sent, received), (total, total))

    def test_every_file_format(self):
        frames, expect = ordinary()
        start = p.START_NS + 123456789
        for name, data, ns in (("micro", p.pcap(frames, start), False), ("nano", p.pcap(frames, start, nano=True), True),
                               ("big-endian", p.pcap(frames, start, big_endian=True), False),
                               ("ng", p.pcapng(frames, start), False), ("ng-nano", p.pcapng(frames, start, nano=True), True)):
            with self.subTest(name):
                d, _ = self.analyze(self.file(data, f"{name}.pcap"))
                self.assertEqual(merged(d["flows"]), expect)
                first = min(f["first"] for f in d["flows"])
                self.assertAlmostEqual(first, start / 1e9, delta=2e-6)
                last = max(f["last"] for f in d["flows"])
                self.assertAlmostEqual(last, (start + (len(frames) - 1) * p.STEP_NS) / 1e9, delta=2e-6)
                self.assertEqual({f["observation_point"] for f in d["flows"]}, {f"{name}.pcap"})

    def test_fragments_belong_to_their_datagram(self):
        data = p.udp(9000, 9001, bytes(3000))
        frames = [p.packet(A, B, 17, data[at:at + 1480], ident=77, offset=at, more=at + 1480 < len(data))
                  for at in range(0, len(data), 1480)]
        self.assertEqual(len(frames), 3)
        d, _ = self.analyze(self.file(p.pcap(frames)))
        self.assertEqual(merged(d["flows"]), {("UDP", A, 9000, B, 9001, ()): (3, 0, sum(map(len, frames)), 0)})
        six = [p.packet(A6, B6, 17, data[at:at + 1480],
                        extensions=((44, b"\0" + (at | (1 if at + 1480 < len(data) else 0)).to_bytes(2, "big") + b"\0\0\0\x09"),))
               for at in range(0, len(data), 1480)]
        d, _ = self.analyze(self.file(p.pcap(six)))
        self.assertEqual(merged(d["flows"]), {("UDP", A6, 9000, B6, 9001, ()): (3, 0, sum(map(len, six)), 0)})

    def test_icmp_echo_is_one_flow(self):
        for proto, number, a, b, make in (("ICMP", 1, A, B, p.icmp_echo), ("ICMPv6", 58, A6, B6, p.icmp6_echo)):
            frames = []
            for i in range(4):
                frames += [p.packet(a, b, number, make(seq=i)), p.packet(b, a, number, make(True, seq=i), back=True)]
            d, _ = self.analyze(self.file(p.pcap(frames)))
            self.assertEqual(len(d["flows"]), 1, d["flows"])
            f = d["flows"][0]
            self.assertEqual((f["protocol"], f["client"]["ip"], f["server"]["ip"]), (proto, a, b))
            self.assertEqual(counts(f), (4, 4, sum(map(len, frames)) // 2, sum(map(len, frames)) // 2))
            self.assertIsNone(f["client"]["port"])

    def test_what_cannot_be_decoded_is_counted_by_reason(self):
        good = p.packet(A, B, 17, p.udp(1, 2, b"good"))
        bad = [p.arp(A, B), b"\x02" * 6, p.packet(A, B, 6, b"\0" * 4), p.eth(b"\x45" + b"\0" * 3, 0x0800, pad=False),
               p.eth(b"\x60" + b"\0" * 10, 0x86dd, pad=False), p.eth(b"junk" * 12, 0x9999), p.eth(b"\x00\x07", 0x8100, pad=False)]
        d, _ = self.analyze(self.file(p.pcap([good] + bad + [good])))
        self.assertEqual(sum(d["totals"]["undecoded"].values()), len(bad), d["totals"])
        self.assertEqual(merged(d["flows"]), {("UDP", A, 1, B, 2, ()): (2, 0, 2 * len(good), 0)})
        self.assertEqual(d["totals"]["packets"], len(bad) + 2)
        self.assertGreaterEqual(len([1 for v in d["totals"]["undecoded"].values() if v]), 5, d["totals"])
        self.check_sums(d)

    def test_bytes_are_those_on_the_wire(self):
        f = p.packet(A, B, 17, p.udp(1, 2, bytes(1400)))
        d, _ = self.analyze(self.file(p.pcap([(None, f[:80], len(f))] * 5, snaplen=80)))
        self.assertEqual(merged(d["flows"]), {("UDP", A, 1, B, 2, ()): (5, 0, 5 * len(f), 0)})

    def test_interfaces_of_a_file_have_their_own_link_types(self):
        f, raw = p.packet(A, B, 17, p.udp(1, 2, b"ethernet")), 101
        frames = [f, (1, f[14:]), (2, b"\2\0\0\0" + f[14:])] * 200
        path = self.file(p.pcapng(frames, links=(p.LINK_ETHERNET, raw, 0)) + p.pcapng([f[14:]], links=(raw,)), "mixed.pcapng")
        for workers in (1, 2):
            with self.subTest(workers):
                d, _ = self.analyze(path, settings={"engine.workers": workers})
                self.assertEqual(merged(d["flows"]), {("UDP", A, 1, B, 2, ()): (601, 0, 600 * len(f) - 200 * 24 + len(f) - 14, 0)})
                self.check_sums(d)

    def test_several_files_are_several_points(self):
        one = [p.packet(A, B, 17, p.udp(1, 2, b"one"))]
        two = [p.packet(A, B, 17, p.udp(1, 2, b"two"))] * 2
        d, _ = self.analyze(self.file(p.pcap(one), "one.pcap"), self.file(p.pcap(two), "two.pcap"))
        self.assertEqual(sorted((f["observation_point"], f["packets"]["sent"]) for f in d["flows"]), [("one.pcap", 1), ("two.pcap", 2)])
        self.assertEqual(d["totals"]["packets"], 3)

    def test_workers_share_the_flows(self):
        frames = []
        for i in range(300):
            src, sport = f"10.2.{i % 7}.{1 + i % 250}", 10000 + i
            frames.append(p.packet(src, B, 17, p.udp(sport, 53, p.dns_query(f"n{i}.made-up.example"))))
            frames.append(p.packet(B, src, 17, p.udp(53, sport, p.dns_answer(f"n{i}.made-up.example", "10.9.9.9")), back=True))
            frames.extend(p.Talk(src, B, sport, 8080).open().send(True, "PA", b"x" * (i % 200)).close().frames)
        path = self.file(p.pcap(frames))
        one, _ = self.analyze(path, settings={"engine.workers": 1})
        two, _ = self.analyze(path, settings={"engine.workers": 2})
        self.assertEqual(merged(one["flows"]), merged(two["flows"]))
        self.assertEqual(len(merged(one["flows"])), 600)
        for k in ("packets", "bytes"):
            self.assertEqual(one["totals"][k], two["totals"][k])
        self.check_sums(two)

    def test_long_and_idle_flows_are_sliced(self):
        f = p.packet(A, B, 17, p.udp(1, 2, b"tick"))
        s = 10**9
        at = [p.START_NS + i * s for i in range(0, 100, 5)]  # 100 s without a pause: over the active time-out of 30 s
        at += [at[-1] + 600 * s]  # and once more after a long silence
        d, _ = self.analyze(self.file(p.pcap([(t, f) for t in at])),
                            settings={"engine.active_timeout": "30s", "engine.idle_timeout": "60s"})
        self.assertEqual(sum(x["packets"]["sent"] for x in d["flows"]), len(at))
        self.assertLessEqual({"active", "idle", "file"}, {x["end_reason"] for x in d["flows"]})
        ids = {}
        for x in d["flows"]:
            ids.setdefault(x["id"], []).append(x["slice"])
        self.assertEqual(len(ids), 2, ids)
        for slices in ids.values():
            self.assertEqual(len(set(slices)), len(slices))

    def test_a_large_file_drops_nothing(self):
        """More frames than the rings hold, many flows: reading pushes back."""
        n = 200000
        frames = [p.packet(f"10.3.{i >> 8 & 255}.{i & 255}", B, 17, p.udp(1024 + i % 60000, 9, b"z" * 18)) for i in range(5000)]
        d, _ = self.analyze(self.file(p.pcap((frames * (n // len(frames))), step=1000)), seconds=120,
                            settings={"capture.packet_ring": "1 MiB", "engine.record_ring": "1 MiB"})
        self.assertEqual((d["totals"]["packets"], d["totals"]["bytes"]), (n, n * 60))
        self.assertEqual(len(merged(d["flows"])), len(frames))
        self.check_sums(d)


class Bad(AnalyzeTest):
    def one_line(self, err, *words):
        lines = [x for x in err.strip().splitlines() if x]
        self.assertTrue(any(all(w in x for w in words) for x in lines), f"{words} not in one line of:\n{err}")
        self.assertNotRegex(err, r"SIGSYS|SIGSEGV|Sanitizer|assert", err)

    def test_missing_file(self):
        d, err = self.analyze("/nonexistent/a.pcap", status=None)
        self.one_line(err, "/nonexistent/a.pcap")
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        self.failed("/nonexistent/a.pcap")

    def failed(self, *files):
        conf = self.lab.file("bad.yaml", yaml_of({"first_uid": self.lab.first_uid}))
        done = subprocess.run([weir_binary(), "analyze", "-c", conf, "--json", *files], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30 * PATIENCE)
        self.assertGreater(done.returncode, 0)
        return done

    def test_no_capture(self):
        for name, data in (("empty.pcap", b""), ("text.pcap", b"this is no capture file\n" * 20), ("random.pcap", os.urandom(4096)),
                           ("short.pcap", p.pcap([])[:20]), ("packed.pcap.gz", gzip.compress(p.pcap([])))):
            with self.subTest(name):
                self.one_line(self.failed(self.file(data, name)).stderr.decode(), name)

    def test_compressed(self):
        """What it is compressed with is said."""
        self.assertIn("gzip", self.failed(self.file(gzip.compress(p.pcap([])), "packed.pcap.gz")).stderr.decode())

    def test_directory(self):
        self.one_line(self.failed(self.lab.dir).stderr.decode(), self.lab.dir)

    def test_truncated_file(self):
        """What was before the cut is counted, the cut is said, and the status is not 0."""
        frames = [p.packet(A, B, 17, p.udp(1, 2, b"n" * 40))] * 10
        for name, data in (("cut.pcap", p.pcap(frames)[:-20]), ("cut.pcapng", p.pcapng(frames)[:-20]),
                           ("cut-head.pcap", p.pcap(frames) + b"\1\2\3\4\5")):
            path = self.file(data, name)
            # More than once: the result may be there before the process that found the cut has ended, or after.
            for _ in range(4):
                with self.subTest(name):
                    done = self.failed(path)
                    d = json.loads(done.stdout)
                    self.assertEqual(d["totals"]["packets"], 10 if name == "cut-head.pcap" else 9)
                    self.one_line(done.stderr.decode(), name)
                    self.check_sums(d)

    def test_lying_lengths(self):
        """A record that claims more than the file or than any frame."""
        good = p.pcap([p.packet(A, B, 17, p.udp(1, 2, b"n"))] * 3)
        for claim in (0x7fffffff, 0xffffffff, 300000):
            with self.subTest(claim):
                data = good + p.START_NS.to_bytes(8, "little") + claim.to_bytes(4, "little") * 2 + b"\0" * 100
                done = self.failed(self.file(data, f"lie-{claim}.pcap"))
                self.assertEqual(json.loads(done.stdout)["totals"]["packets"], 3)

    def test_one_bad_file_among_good_ones(self):
        done = self.failed(self.file(p.pcap([p.packet(A, B, 17, p.udp(1, 2, b"n"))] * 3), "good.pcap"), self.file(b"bad" * 100, "bad.pcap"))
        self.one_line(done.stderr.decode(), "bad.pcap")


if os.path.isdir(CAPTURES):
    class Recorded(AnalyzeTest):
        """Recorded and crafted captures of many sources: as many packets and bytes as capinfos counts, no process dies."""

        # With WEIR_ALL_CAPTURES every file, otherwise a fixed tenth.
        STEP = 1 if os.environ.get("WEIR_ALL_CAPTURES") else 10
        BATCH = 16

        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            with open(os.path.join(CAPTURES, "index.json")) as f:
                cls.index = json.load(f)["pcaps"]

        def truth(self, entry):
            with open(os.path.join(CAPTURES, entry["truth"])) as f:
                return json.load(f)["truth"]["capinfos"]

        def readable(self, entry):
            t = self.truth(entry)
            return t.get("capinfos_rc") == 0 and entry["linktype"] not in (None, "per-packet", "unknown") and t.get("packets")

        def test_packets_and_bytes(self):
            chosen = sorted((e for e in self.index if self.readable(e)), key=lambda e: e["sha256"])[::self.STEP]
            self.assertGreater(len(chosen), 100)
            for at in range(0, len(chosen), self.BATCH):
                batch = chosen[at:at + self.BATCH]
                wrong = self.batch(batch)
                if not wrong:
                    continue
                for e in batch:
                    with self.subTest(e["id"]):
                        self.assertEqual(self.batch([e]), "")

        def batch(self, entries):
            """An empty text where all is right."""
            d, err = self.analyze(*(os.path.join(CAPTURES, e["file"]) for e in entries), status=None, seconds=120)
            died = re.findall(r".*(?:killed by|SIGSYS|SIGSEGV|SIGABRT).*", err)
            if died:
                return died[0]
            if d is None:
                return f"no document: {err[-500:]}"
            packets = sum(self.truth(e)["packets"] for e in entries)
            octets = sum(self.truth(e)["bytes"] for e in entries)
            t = d["totals"]
            counted = sum(f["packets"]["sent"] + f["packets"]["received"] for f in d["flows"])
            if (t["packets"], t["bytes"]) != (packets, octets):
                return f"{t['packets']} packets, {t['bytes']} bytes; capinfos: {packets}, {octets}"
            if any(t["dropped"].values()):
                return f"dropped: {t['dropped']}"
            if counted + sum(t["undecoded"].values()) != packets:
                return f"{packets} packets in, {counted} in flows, undecoded {t['undecoded']}"
            return ""

        def test_damaged_captures_kill_nothing(self):
            chosen = [e for e in self.index if not self.readable(e)][:40]
            for e in chosen:
                with self.subTest(e["id"]):
                    _, err = self.analyze(os.path.join(CAPTURES, e["file"]), status=None)
                    self.assertNotRegex(err, r"killed by|SIGSYS|SIGSEGV|SIGABRT|Sanitizer")


if __name__ == "__main__":
    unittest.main()
