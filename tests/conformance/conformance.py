#!/usr/bin/python3
"""Holds Weir against the captures of ../shared/captures: conformance.py [--step N] [--jobs N] [PATTERN...]

Each capture goes through `weir analyze` with all time-outs at their longest, and what comes out is held against capinfos (totals),
tshark (every frame's VLANs, innermost addresses and ports: each conversation with its packets and bytes, and how many flows it is) and
ndpiReader of the same library (each flow's application). Every difference has a class with a reason: most are found out from the
frames (classes.py), the rest are listed one by one in explained.json. What is neither is an error, and so is an entry of
explained.json that no longer happens."""

import argparse
import collections
import concurrent.futures
import ipaddress
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import classes  # noqa: E402
import oracle  # noqa: E402

CAPTURES = os.path.join(os.path.dirname(ROOT), "shared", "captures")
BIN = os.environ.get("WEIR_BIN", os.path.join(ROOT, "build", "release", "bin"))
NUMBERS = {"TCP": 6, "UDP": 17, "ICMP": 1, "ICMPv6": 58, "SCTP": 132, "UDP-Lite": 136, "UDPLite": 136, "DCCP": 33, "IGMP": 2, "GRE": 47, "ESP": 50,
           "AH": 51, "OSPF": 89, "PIM": 103, "VRRP": 112, "EIGRP": 88, "L2TP": 115, "IPIP": 4, "IPv6": 41, "RSVP": 46, "IPCOMP": 108, "IPComp": 108}
PORTS = (6, 17, 33, 132)


class Weir:
    """`weir analyze` under user ids of its own, one at a time for each slot."""

    SLOT = 256

    def __init__(self, jobs):
        self.slots = queue.Queue()
        base = 2000000 + os.getpid() % 100000 * self.SLOT * 16
        for i in range(jobs):
            self.slots.put(base + i * self.SLOT)

    def analyze(self, path):
        """(exit status, document or None, what it said)."""
        slot = self.slots.get()
        try:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
                f.write(f"first_uid: {slot}\nengine:\n  idle_timeout: 1h\n  active_timeout: 24h\n  closed_timeout: 1min\n")
                f.flush()
                done = subprocess.run([os.path.join(BIN, "weir"), "analyze", "-c", f.name, "--json", path], stdin=subprocess.DEVNULL,
                                      capture_output=True, timeout=600)
        finally:
            self.slots.put(slot)
        text = done.stdout.decode(errors="replace")
        return done.returncode, json.loads(text) if text.strip() else None, done.stderr.decode(errors="replace")


def number_of(protocol):
    return NUMBERS[protocol] if protocol in NUMBERS else int(protocol) if protocol.isdigit() else protocol


def end(side):
    return str(ipaddress.ip_address(side["ip"])), side["port"] or 0


def key_of(flow):
    number = number_of(flow["protocol"])
    ends = end(flow["client"]), end(flow["server"])
    if number not in PORTS:
        ends = tuple((ip, 0) for ip, _ in ends)
    return tuple(flow["vlan"]), number, tuple(sorted(ends))


def fold(flows):
    """key -> [packets, bytes, flows' ids]"""
    out = {}
    for f in flows:
        n = out.setdefault(key_of(f), [0, 0, set()])
        n[0] += f["packets"]["sent"] + f["packets"]["received"]
        n[1] += f["bytes"]["sent"] + f["bytes"]["received"]
        n[2].add(f["id"])
    return out


def expected(frames):
    """The same from tshark's frames; streams instead of ids."""
    out = {}
    for f in frames:
        key = f.key()
        if key is None:
            continue
        n = out.setdefault(key, [0, 0, set()])
        n[0] += 1
        n[1] += f.wire
        n[2].add(f.stream)
    return out


class Difference:
    """What is not equal, where, and the frames that it is about."""

    def __init__(self, what, where, ours, theirs, frames=()):
        self.what, self.where, self.ours, self.theirs, self.frames = what, where, ours, theirs, list(frames)
        self.reason = None

    def name(self):
        return f"{self.what} {self.where}" if self.where else self.what

    def __str__(self):
        return f"{self.name()}: weir {self.ours}, {self.theirs}" + (f" [{self.reason}]" if self.reason else "")


def check_totals(entry, truth, status, doc, said, frames):
    """Totals, nothing skipped, damage said."""
    whole = truth["capinfos"].get("capinfos_rc") == 0 and truth["tshark"]["tshark_rc"] == 0
    if doc is None:
        yield Difference("document", "", f"none (status {status}): {said.strip()[-200:]}", f"{len(frames)} packets")
        return
    t = doc["totals"]
    if whole != (status == 0):
        yield Difference("status", "", f"{status}: {said.strip()[-200:]}", "the whole file" if whole else "damage")
    if not whole and os.path.basename(entry["file"]) not in said:
        yield Difference("message", "", said.strip()[-200:], "a line that names the file")
    packets = truth["capinfos"]["packets"] if whole else len(frames)
    octets = truth["capinfos"]["bytes"] if whole else sum(f.wire for f in frames)
    if (t["packets"], t["bytes"]) != (packets, octets):
        yield Difference("totals", "", (t["packets"], t["bytes"]), f"capinfos {(packets, octets)}")
    counted = sum(f["packets"]["sent"] + f["packets"]["received"] for f in doc["flows"])
    counted_bytes = sum(f["bytes"]["sent"] + f["bytes"]["received"] for f in doc["flows"])
    undecoded = sum(t["undecoded"].values())
    if counted + undecoded != t["packets"] or counted_bytes > t["bytes"]:
        yield Difference("sum", "", f"{counted} in flows + {undecoded} undecoded", f"{t['packets']} packets")
    if any(t["dropped"].values()):
        yield Difference("dropped", "", t["dropped"], "nothing")


def text_of(key):
    vlans, protocol, ends = key
    return f"{'/'.join(map(str, vlans)) or '-'} {protocol} " + " ".join(f"{ip}:{port}" for ip, port in ends)


def check_conversations(doc, frames):
    ours, theirs = fold(doc["flows"]), expected(frames)
    about = collections.defaultdict(list)
    for f in frames:
        about[f.key()].append(f)
    for key in sorted(set(ours) | set(theirs), key=str):
        a, b = ours.get(key, [0, 0, set()]), theirs.get(key, [0, 0, set()])
        if a[:2] != b[:2]:
            yield Difference("conversation", text_of(key), tuple(a[:2]), f"tshark {tuple(b[:2])}", about[key])
        elif key[1] in (6, 17) and len(a[2]) != len(b[2]):
            yield Difference("flows", text_of(key), len(a[2]), f"tshark's streams {len(b[2])}", about[key])
    bare = [f for f in frames if f.ip is None]
    undecoded = sum(doc["totals"]["undecoded"].values())
    if undecoded != len(bare):
        yield Difference("undecoded", "", dict(doc["totals"]["undecoded"]), f"{len(bare)} frames without IP", bare)


def ndpi_number(protocol):
    """ndpiReader's names, otherwise numbers."""
    names = {"TCP": 6, "UDP": 17, "ICMP": 1, "ICMPV6": 58, "SCTP": 132, "IGMP": 2, "GRE": 47, "ESP": 50, "AH": 51, "OSPF": 89, "PIM": 103, "VRRP": 112,
             "IPSEC": 50, "IPIP": 4, "EGP": 8, "PGM": 113, "HOPOPT": 0}
    return int(protocol) if protocol.isdigit() else names.get(protocol, protocol)


def plain(key):
    """A conversation without VLANs, its addresses as ndpiReader prints them: with :: for every single zero."""
    def printed(ip):
        return socket.inet_ntop(socket.AF_INET6, ipaddress.ip_address(ip).packed).replace(":0:", "::") if ":" in ip else ip
    return key[1], tuple(sorted((printed(ip), port if key[1] in (6, 17) else 0) for ip, port in key[2]))


def check_applications(doc, ndpi, frames):
    ours, theirs = collections.defaultdict(list), collections.defaultdict(list)
    about = collections.defaultdict(list)
    for f in doc["flows"]:
        ours[plain(key_of(f))].append(f)
    for protocol, a, ap, b, bp, application, by, packets, octets in ndpi["flows"]:
        a, b = (x.removeprefix("::ffff:") if "." in x else x for x in (a, b))
        protocol, ends = ndpi_number(protocol), ((a, ap), (b, bp))
        if protocol not in (6, 17):  # ndpiReader reads no others' ports
            ends = (a, 0), (b, 0)
        theirs[(protocol, tuple(sorted(ends)))].append((application, by, packets))
    for f in frames:
        if f.key():
            about[plain(f.key())].append(f)
    for key in sorted(set(ours) | set(theirs), key=str):
        a = sorted({f["application"] or "Unknown" for f in ours[key]})
        b = sorted({x[0] for x in theirs[key]})
        if (a or ["Unknown"]) != (b or ["Unknown"]):
            d = Difference("application", text_of(((),) + key), "+".join(a) or "no flow", f"ndpiReader {'+'.join(b) or 'no flow'}", about[key])
            d.flows, d.names, d.key = ours[key], theirs[key], key
            yield d


def check(weir, entry, folder):
    """Every difference of one capture."""
    path = os.path.join(CAPTURES, entry["file"])
    with open(os.path.join(CAPTURES, entry["truth"])) as f:
        truth = json.load(f)["truth"]
    frames = oracle.frames(oracle.kept(folder, "tshark", entry, lambda: oracle.tshark(path)))
    ndpi = oracle.kept(folder, "ndpi", entry, lambda: oracle.ndpi_reader(path))
    status, doc, said = weir.analyze(path)
    out = list(check_totals(entry, truth, status, doc, said, frames))
    if doc is not None:
        out += check_conversations(doc, frames)
        out += check_applications(doc, ndpi, frames)
    for d in out:
        d.also = any(x.what == "conversation" for x in out)
        d.reason = classes.reason(d, entry, truth, doc, frames, ndpi, said)
    return out


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--step", type=int, default=1, help="only each Nth capture, in the order of their hashes")
    a.add_argument("--jobs", type=int, default=os.cpu_count())
    a.add_argument("--kept", default=os.path.join(ROOT, "build", "conformance"), help="folder for the answers of tshark and ndpiReader")
    a.add_argument("--list", action="store_true", help="every difference, also the explained ones")
    a.add_argument("patterns", nargs="*", help="part of a capture's id")
    o = a.parse_args()
    with open(os.path.join(CAPTURES, "index.json")) as f:
        entries = sorted(json.load(f)["pcaps"], key=lambda e: e["sha256"])
    entries = [e for e in entries if not o.patterns or any(p in e["id"] for p in o.patterns)][::o.step]
    return run(entries, o)


def run(entries, o):
    with open(os.path.join(HERE, "explained.json")) as f:
        explained = json.load(f)
    weir, began = Weir(o.jobs), time.monotonic()
    reasons, captures, wrong, equal = collections.Counter(), collections.Counter(), [], 0
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for entry, found in zip(entries, pool.map(lambda e: check(weir, e, o.kept), entries)):
            listed = dict(explained.get(entry["id"], {}))
            seen = set()
            for d in found:
                d.reason = d.reason or listed.get(d.name())
                if d.name() in listed:
                    seen.add(d.name())
                if d.reason is None:
                    wrong.append(f"{entry['id']}: {d}")
                elif d.reason not in seen:
                    reasons[d.reason] += 1
                if o.list or d.reason is None:
                    print(f"{entry['id']}: {d}", flush=True)
            for r in {d.reason for d in found if d.reason}:
                captures[r] += 1
            for name in set(listed) - seen:
                wrong.append(f"{entry['id']}: {name}: explained.json has it, but it does not happen")
                print(wrong[-1], flush=True)
            equal += not found
    print(f"\n{len(entries)} captures, {equal} agree in everything ({time.monotonic() - began:.0f} s)")
    for r, n in reasons.most_common():
        print(f"{n:6} differences in {captures[r]:4} captures: {r}: {classes.TEXT.get(r, '')}")
    failed = {w.split(": ")[0] for w in wrong}
    print(f"\n{len(entries) - len(failed)} passed, {len(failed)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
