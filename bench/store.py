#!/usr/bin/python3
"""Kept flows of Weir beside nfdump's files of the same flows: script/bench store.

The flows are made (bench/flows.c). Weir keeps them through its history, with all that a store does of it: batches, commits to disk, merging.
nfcapd gets them as NetFlow v9 on loopback, two records a flow, and its file is written again in each of nfdump's forms. What both keep stays on the disk
while both are asked, in turns."""

import argparse
import glob
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FORMS = {"none": [], "lzo": ["-z"], "lz4": ["-y"], "bz2": ["-j"]}
QUESTIONS = [("selective_s", "one rare address, all its flows"), ("sums_s", "one rare address, its sums"), ("top_s", "ten addresses with most bytes"),
             ("top_filtered_s", "the same of tcp to port 443")]


def cpu_of(argv, **more):
    """CPU seconds of a program, and what it said."""
    before = os.times()
    done = subprocess.run(argv, capture_output=True, text=True, check=True, **more)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, done.stdout


def collect(program, folder, flows):
    """nfcapd's file of all flows, or None where it lost some."""
    os.mkdir(folder)
    daemon = subprocess.Popen(["nfcapd", "-w", folder, "-p", "29955", "-b", "127.0.0.1", "-t", "86400", "-B", "67108864"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        subprocess.run([program, "netflow", "29955", str(flows)], check=True)
        time.sleep(2)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(60)
    files = [f for f in glob.glob(f"{folder}/nfcapd.*") if "current" not in f]
    if len(files) != 1:
        sys.exit(f"nfcapd left {len(files)} files")
    said = subprocess.run(["nfdump", "-r", files[0], "-I"], capture_output=True, text=True, check=True).stdout
    got = int(re.search(r"^Flows: (\d+)", said, re.M).group(1))
    if got != 2 * flows:
        print(f"nfcapd got {got} of {2 * flows} records: sizes are of those that it got")
    return files[0], got / 2


def write_forms(source, folder, got, o):
    """nfdump's file in each form: they stay until all rounds are over."""
    rows = {}
    for form in o.forms.split(","):
        out = f"{folder}/nfdump.{form}"
        wrote, _ = cpu_of(["nfdump", "-r", source, "-w", out, *FORMS[form]])
        rows[form] = {"file": out, "bytes_per_flow": os.path.getsize(out) / got, "write_s": wrote}
    return rows


def ask_nfdump(file, address):
    """CPU seconds of its questions, and who it says had most."""
    rare, _ = cpu_of(["nfdump", "-r", file, "-q", "-o", "fmt:%td", f"host {address}"])
    top, said = cpu_of(["nfdump", "-r", file, "-s", "ip/bytes", "-n", "10", "-q", "-o", "csv"])
    filtered, _ = cpu_of(["nfdump", "-r", file, "-s", "ip/bytes", "-n", "10", "proto tcp and dst port 443"])
    return {"selective_s": rare, "sums_s": rare, "top_s": top, "top_filtered_s": filtered}, said


def ask_weir(program, folder, flows):
    """Its questions to what is kept already."""
    said = subprocess.run([program, "ask", f"{folder}/weir", str(flows)], capture_output=True, text=True, check=True)
    return {key: json.loads(said.stdout)[key] for key, _ in QUESTIONS}


def nfdump(program, folder, flows, address, o):
    """Weir and each form are asked in turns, so that whatever else the machine does falls on all of them: of each round there is a ratio."""
    source, got = collect(program, f"{folder}/nfcapd", flows)
    peers = write_forms(source, folder, got, o)
    os.unlink(source)
    rounds = []
    for i in range(o.rounds + 1):  # the first one only brings the files into the page cache
        asked = {"weir": ask_weir(program, folder, flows)}
        for form, r in peers.items():
            asked[form], r["top"] = ask_nfdump(r["file"], address)
        print(f"  round {i or 'before all'}: " + "; ".join(f"{who} " + ", ".join(f"{a[key]:.3f}" for key, _ in QUESTIONS) for who, a in asked.items()) + " s",
              flush=True)
        if i > 0:
            rounds.append(asked)
    for form, r in peers.items():
        for key, _ in QUESTIONS:
            r[key] = statistics.median(a[form][key] for a in rounds)
        r["ratio"] = {key: statistics.median(a[form][key] / max(a["weir"][key], 1e-4) for a in rounds) for key, _ in QUESTIONS}
    weir = {key: statistics.median(a["weir"][key] for a in rounds) for key, _ in QUESTIONS}
    return {"forms": peers, "weir": weir, "rounds": rounds}


def kept(program, folder, flows):
    """The flows through history: batches, commits, merging, and questions about them. They stay for further ones."""
    os.mkdir(f"{folder}/weir")
    said = subprocess.run([program, "weir", f"{folder}/weir", str(flows)], capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def grow(program, folder, flows, more):
    """The same hour's question over two hours of flows, and over so many times as many, which came at the same rate."""
    made = []
    for times in more:
        where = f"{folder}/growth{times}"
        os.mkdir(where)
        said = subprocess.run([program, "weir", where, str(flows * times), str(7200 * 10**9 // flows)], capture_output=True, text=True, check=True)
        made.append(json.loads(said.stdout))
        shutil.rmtree(where)
    return made


def whole(build, folder, flows):
    """The same flows through all of store: tenants, hosts and series, too."""
    os.mkdir(f"{folder}/whole")
    said = subprocess.run([os.path.abspath(f"{build}/bench/bench_whole"), f"{folder}/whole", str(flows)], capture_output=True, text=True, check=True)
    shutil.rmtree(f"{folder}/whole")
    return json.loads(said.stdout)


def print_kept(weir):
    n = weir["flows"]
    store = weir["add_s"] + weir["commit_s"] + weir["merge_s"]
    print(f"{n} flows, one core:")
    print(f"  batch {weir['add_s'] / n * 1e6:.2f} + commit {weir['commit_s'] / n * 1e6:.2f} + merge {weir['merge_s'] / n * 1e6:.2f} us a flow: "
          f"{n / store / 1e3:.0f} k flows/s")
    print(f"  Weir, all columns    {weir['bytes'] / n:6.1f} bytes a flow", flush=True)


def print_whole(w):
    n = w["flows"]
    print(f"  through all of store {w['loop_s'] / n * 1e6:.2f} + writer {w['writer_s'] / n * 1e6:.2f} us a flow: "
          f"{w['flows_a_second'] / 1e3:.0f} k flows/s; memory {', '.join(str(m >> 20) for m in w['memory'])} MiB, an eighth after the other", flush=True)


def print_growth(growth):
    few = growth[0]
    for g in growth:
        print(f"  one client's servers in one hour, of {g['flows']} flows: {g['hour_s'] * 1e3:.2f} ms, {g['hour_s'] / max(few['hour_s'], 1e-5):.2f} x that of "
              f"{few['flows']}", flush=True)


def print_peers(weir, got):
    size, peers = weir["bytes"] / weir["flows"], got["forms"]
    if "bz2" in peers:
        print(f"  of Weir's, nfdump has {weir['common_bytes_per_flow']:6.1f} too: {weir['common_bytes_per_flow'] / peers['bz2']['bytes_per_flow']:.2f} of nfdump -j")
    for form, r in peers.items():
        print(f"  nfdump {form:13} {r['bytes_per_flow']:6.1f} bytes a flow   Weir is {size / r['bytes_per_flow']:.2f} of it")
    print(f"  medians of {len(got['rounds'])} rounds, and of their ratios (least to most), to nfdump's fastest form:")
    for key, name in QUESTIONS:
        form = min(peers, key=lambda f: peers[f][key])
        each = sorted(a[form][key] / max(a["weir"][key], 1e-4) for a in got["rounds"])
        print(f"  {name}: Weir {got['weir'][key] * 1e3:.1f} ms, nfdump {peers[form][key] * 1e3:.0f} ms ({form}): {peers[form]['ratio'][key]:.1f} x "
              f"({each[0]:.1f} to {each[-1]:.1f})")
    print(f"  the ten of Weir: {weir['top']}")
    print(f"  the ten of nfdump: {next(iter(peers.values()))['top']}")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", required=True)
    a.add_argument("--results", required=True)
    a.add_argument("--flows", type=int, default=5000000)
    a.add_argument("--growth", type=int, default=500000, help="flows of two hours; 0: not (default: %(default)s)")
    a.add_argument("--growth-times", default="1,10", help="so many times them, of as many times two hours (default: %(default)s)")
    a.add_argument("--directory", help="where the files are made and deleted (default: /tmp)")
    a.add_argument("--forms", default="none,lzo,lz4,bz2", help="of nfdump's files (default: %(default)s)")
    a.add_argument("--rounds", type=int, default=3, help="of questions, to Weir and to each of nfdump's files in turn (default: %(default)s)")
    a.add_argument("--parts", default="weir,whole,growth,nfdump", help="what is measured; nfdump needs weir (default: %(default)s)")
    o = a.parse_args()
    parts = o.parts.split(",")
    if not set(parts) <= {"weir", "whole", "growth", "nfdump"} or not set(o.forms.split(",")) <= set(FORMS) or ("nfdump" in parts and "weir" not in parts):
        a.error("there is no such part or form, or nfdump stands without weir")
    program = os.path.abspath(f"{o.build}/bench/bench_store")
    folder = tempfile.mkdtemp(prefix="weir-bench-store-", dir=o.directory)
    got = dict.fromkeys(["weir", "whole", "growth", "nfdump"])
    try:
        if "weir" in parts:
            got["weir"] = kept(program, folder, o.flows)
            print_kept(got["weir"])
        if "whole" in parts:
            got["whole"] = whole(o.build, folder, o.flows)
            print_whole(got["whole"])
        if "growth" in parts and o.growth:
            got["growth"] = grow(program, folder, o.growth, [int(times) for times in o.growth_times.split(",")])
            print_growth(got["growth"])
        if "nfdump" in parts:
            got["nfdump"] = nfdump(program, folder, o.flows, got["weir"]["selective"], o)
            print_peers(got["weir"], got["nfdump"])
    finally:
        shutil.rmtree(folder)
        with open(o.results, "w") as f:
            json.dump(got, f, indent=1)


if __name__ == "__main__":
    main()
