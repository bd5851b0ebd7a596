#!/usr/bin/python3
"""Kept flows of Weir beside nfdump's files of the same flows: script/bench store.

The flows are made (bench/flows.c). Weir keeps them through its history, with all that a store does of it: batches, commits to disk, merging.
nfcapd gets them as NetFlow v9 on loopback, two records a flow, and its file is written again in each of nfdump's forms."""

import argparse
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FORMS = {"none": [], "lzo": ["-z"], "lz4": ["-y"], "bz2": ["-j"]}


def cpu_of(argv, **more):
    """CPU seconds of a program, and what it said."""
    before = os.times()
    done = subprocess.run(argv, capture_output=True, text=True, check=True, **more)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, done.stdout


def median_of(argv, repeats=3):
    """The median of CPU seconds, with the file in the page cache."""
    cpu_of(argv)
    runs = sorted(cpu_of(argv) for _ in range(repeats))
    return runs[repeats // 2]


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


def nfdump(program, folder, flows, address):
    source, got = collect(program, f"{folder}/nfcapd", flows)
    rows = {}
    for form, option in FORMS.items():
        out = f"{folder}/nfdump.{form}"
        wrote, _ = cpu_of(["nfdump", "-r", source, "-w", out, *option])
        asked, said = median_of(["nfdump", "-r", out, "-q", "-o", "fmt:%td", f"host {address}"])
        top, list_ = median_of(["nfdump", "-r", out, "-s", "ip/bytes", "-n", "10", "-q", "-o", "csv"])
        filtered, _ = median_of(["nfdump", "-r", out, "-s", "ip/bytes", "-n", "10", "proto tcp and dst port 443"])
        rows[form] = {"bytes_per_flow": os.path.getsize(out) / got, "write_s": wrote, "selective_s": asked, "sums_s": asked, "top_s": top,
                      "top_filtered_s": filtered, "top": list_,
                      "selective_rows": said.count("\n")}
    return rows


def grow(program, folder, flows):
    """The same hour's question over two hours of flows, and over twenty."""
    made = []
    for times in (1, 10):
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


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", required=True)
    a.add_argument("--results", required=True)
    a.add_argument("--flows", type=int, default=5000000)
    a.add_argument("--growth", type=int, default=500000, help="flows of two hours, then ten times as many of twenty; 0: not")
    a.add_argument("--directory", help="where the files are made and deleted (default: /tmp)")
    o = a.parse_args()
    program = os.path.abspath(f"{o.build}/bench/bench_store")
    folder = tempfile.mkdtemp(prefix="weir-bench-store-", dir=o.directory)
    try:
        os.mkdir(f"{folder}/weir")
        weir = json.loads(subprocess.run([program, "weir", f"{folder}/weir", str(o.flows)], capture_output=True, text=True, check=True).stdout)
        all_of_it = whole(o.build, folder, o.flows)
        growth = grow(program, folder, o.growth) if o.growth else None
        peers = nfdump(program, folder, o.flows, weir["selective"])
    finally:
        shutil.rmtree(folder)
    n = weir["flows"]
    store = weir["add_s"] + weir["commit_s"] + weir["merge_s"]
    size = weir["bytes"] / n
    print(f"{n} flows, one core:")
    print(f"  batch {weir['add_s'] / n * 1e6:.2f} + commit {weir['commit_s'] / n * 1e6:.2f} + merge {weir['merge_s'] / n * 1e6:.2f} us a flow: "
          f"{n / store / 1e3:.0f} k flows/s")
    print(f"  through all of store {all_of_it['loop_s'] / n * 1e6:.2f} + writer {all_of_it['writer_s'] / n * 1e6:.2f} us a flow: "
          f"{all_of_it['flows_a_second'] / 1e3:.0f} k flows/s; memory {max(all_of_it['memory']) >> 20} MiB")
    print(f"  Weir, all columns    {size:6.1f} bytes a flow")
    print(f"  ... that nfdump has, too {weir['common_bytes_per_flow']:6.1f}                  {weir['common_bytes_per_flow'] / peers['bz2']['bytes_per_flow']:.2f} of nfdump -j")
    for form, r in peers.items():
        print(f"  nfdump {form:13} {r['bytes_per_flow']:6.1f} bytes a flow   Weir is {size / r['bytes_per_flow']:.2f} of it")
    for name, key in [("one rare address, all its flows", "selective_s"), ("one rare address, its sums", "sums_s"), ("ten addresses with most bytes", "top_s"),
                      ("the same of tcp to port 443", "top_filtered_s")]:
        fastest = min(r[key] for r in peers.values())
        print(f"  {name}: Weir {weir[key] * 1e3:.1f} ms, nfdump {fastest * 1e3:.0f} ms: {fastest / max(weir[key], 1e-4):.1f} x")
    print(f"  the ten of Weir: {weir['top']}")
    print(f"  the ten of nfdump: {peers['none']['top']}")
    if growth:
        print(f"  one client's servers in one hour: of {growth[0]['flows']} flows {growth[0]['hour_s'] * 1e3:.2f} ms, of {growth[1]['flows']} "
              f"{growth[1]['hour_s'] * 1e3:.2f} ms: {growth[1]['hour_s'] / max(growth[0]['hour_s'], 1e-5):.2f} x")
    with open(o.results, "w") as f:
        json.dump({"weir": weir, "whole": all_of_it, "growth": growth, "nfdump": peers}, f, indent=1)


if __name__ == "__main__":
    main()
