"""script/bench engine: files through Weir's capture, engine and store, beside the programs that do part of the same.

Each program gets one file and one processor; rounds take turns, medians count. What is compared is packets per CPU-second:
of Weir the CPU time of all its capture, engine and store processes from their start until the last flow is on disk, of the
others that of the whole process. What starting costs is measured with a file of one frame, and shown apart as well.
"""

import argparse
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PARTS = ("weir-capture", "weir-engine", "weir-store")
CAPTURES = "../shared/captures"


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- files

def captures():
    """Ethernet captures that are not malformed, with what kind they are."""
    index = os.path.join(CAPTURES, "index.json")
    if not os.path.exists(index):
        return []
    with open(index, encoding="utf-8") as f:
        rows = json.load(f)["pcaps"]
    return [(os.path.join(CAPTURES, r["file"]), r["kind"]) for r in rows if r["kind"] != "malformed" and r["linktype"] == "ether"]


def make_files(options):
    """Name -> path of each file of this run; made once and kept."""
    scale = 20 if options.quick else 1
    found = captures()
    everything = [path for path, _ in found]
    calm = [path for path, kind in found if kind != "attack"]
    flows = 1000000 // scale
    plans = {
        "mix": ["mix", str(2500000 // scale), *everything],
        "calm": ["mix", str(2500000 // scale), *calm],
        "large": ["large", str(1000000 // scale)],
        "flood": ["flood", str(flows), "5"],
        "one": ["large", "1"],
    }
    files = {}
    for name, (kind, *rest) in plans.items():
        path = os.path.join(options.directory, f"{name}{'-quick' if options.quick else ''}.pcap")
        if not os.path.exists(path):
            say(f"making {path}")
            subprocess.run([f"{options.build}/bench/bench_traffic", kind, path + ".new", *rest], check=True)
            os.rename(path + ".new", path)
        files[name] = path
    return files


# --- running

def cpu_clock(pid):
    """CPU nanoseconds of all threads of a process, those that ended too; None where it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(n) for n in f.read().split()]
    except OSError:
        return []


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return ""


def resident(pid):
    """(all, anonymous) bytes."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            text = f.read()
    except OSError:
        return 0, 0
    kb = {k: int(v) for k, v in re.findall(r"(VmRSS|RssAnon):\s+(\d+)", text)}
    return kb.get("VmRSS", 0) * 1024, kb.get("RssAnon", 0) * 1024


def pinned(options):
    return ["taskset", "-c", str(options.cpu)]


class Watch:
    """Samples the parts of a running weir until its answer is there."""

    def __init__(self, launcher):
        self.launcher, self.pids, self.cpu, self.memory = launcher, {}, {}, {}

    def look(self, memory):
        for pid in children(self.launcher):
            if pid not in self.pids and name_of(pid) in PARTS:
                self.pids[pid] = name_of(pid)
        for pid, name in self.pids.items():
            spent = cpu_clock(pid)
            if spent is not None:
                self.cpu[pid] = spent
            if memory and name != "weir-capture":
                rss, anonymous = resident(pid)
                old = self.memory.get(pid, (0, 0))
                self.memory[pid] = (max(rss, old[0]), max(anonymous, old[1]))

    def parts(self):
        by = {name: 0 for name in PARTS}
        for pid, spent in self.cpu.items():
            by[self.pids[pid]] += spent / 1e9
        return by


def run_weir(options, path, settings=(), workers=1):
    args = [*pinned(options), f"{options.build}/bin/weir", "analyze", "--totals", "--json", path, "--workers", str(workers)]
    for setting in settings:
        args += ["--set", setting]
    env = dict(os.environ, TMPDIR=options.directory)
    process = subprocess.Popen(args, stdout=subprocess.PIPE, env=env)
    os.set_blocking(process.stdout.fileno(), False)
    watch, text, n = Watch(process.pid), b"", 0
    while not text and process.poll() is None:  # its first byte says that all is on disk
        watch.look(n % 16 == 0)
        n += 1
        text += process.stdout.read() or b""
        time.sleep(0.003)
    watch.look(True)
    os.set_blocking(process.stdout.fileno(), True)
    text += process.stdout.read()
    if process.wait() != 0 or not text:
        sys.exit(f"weir analyze {path} failed (status {process.returncode})")
    totals = json.loads(text)["totals"]
    parts = watch.parts()
    engines = [m for pid, m in watch.memory.items() if watch.pids[pid] == "weir-engine"]
    return {"cpu": sum(parts.values()), "parts": parts, "packets": totals["packets"], "flows": totals["flows"], "undecoded": totals["undecoded"],
            "engine_cpu": [c / 1e9 for pid, c in watch.cpu.items() if watch.pids[pid] == "weir-engine"],
            "engine_rss": sum(m[0] for m in engines), "engine_anonymous": sum(m[1] for m in engines)}


def run_other(options, args):
    with open(os.devnull, "w", encoding="ascii") as null:
        process = subprocess.Popen([*pinned(options), *args], stdout=null, stderr=null)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        say(f"{args[0]} ended with status {process.returncode}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak_rss": usage.ru_maxrss * 1024}


def others(options, path):
    """What is run beside Weir on a file."""
    directory = tempfile.mkdtemp(dir=options.directory)
    table = {
        "ndpiReader": ["ndpiReader", "-i", path, "-q", "-t"],
        "softflowd": ["softflowd", "-r", path, "-d", "-m", "4000000", "-p", f"{directory}/softflowd.pid", "-c", "none"],
        "nfpcapd": ["nfpcapd", "-r", path, "-w", directory],
        "tcpdump": ["tcpdump", "-Z", "root", "-r", path, "-w", "/dev/null"],  # else it gives /dev/null away
    }
    return {n: a for n, a in table.items() if shutil.which(n) and (not options.peers or n in options.peers.split(","))}, directory


def settings_of(name, options):
    table = ["engine.flows=1200000"] if name == "mix" else []
    if name == "flood":
        table = [f"engine.flows={1100000 if not options.quick else 60000}", "engine.hosts=131072"]
    return table + options.set


def median(rounds, key="cpu"):
    return statistics.median(r[key] for r in rounds)


def compare(options, name, path, variants):
    """Rounds in turns. variants: name -> settings of Weir."""
    programs, directory = others(options, path)
    rounds = {n: [] for n in [*variants, *programs]}
    for i in range(options.rounds):
        order = list(rounds) if i % 2 == 0 else list(reversed(rounds))
        for who in order:
            if who in variants:
                rounds[who].append(run_weir(options, path, variants[who]))
            else:
                rounds[who].append(run_other(options, programs[who]))
                for old in glob.glob(f"{directory}/*"):
                    os.remove(old)
            say(f"  {name} {i + 1}/{options.rounds} {who}: {rounds[who][-1]['cpu']:.2f} s")
    shutil.rmtree(directory)
    packets = rounds[next(iter(variants))][0]["packets"]
    result = {"packets": packets, "flows": rounds[next(iter(variants))][0]["flows"], "bytes": os.path.getsize(path), "programs": {}}
    for who, rs in rounds.items():
        cpu = median(rs)
        entry = {"cpu_s": cpu, "packets_per_cpu_s": packets / cpu, "rounds_cpu_s": [r["cpu"] for r in rs]}
        if who in variants:
            entry["settings"] = list(variants[who])
            entry["parts_cpu_s"] = {p: statistics.median(r["parts"][p] for r in rs) for p in PARTS}
            entry["engine_rss"], entry["engine_anonymous"] = median(rs, "engine_rss"), median(rs, "engine_anonymous")
            # Of each pair of one round: the machine is the same for both.
            entry["ratio"] = {o: statistics.median(b["cpu"] / a["cpu"] for a, b in zip(rs, rounds[o])) for o in programs}
        else:
            entry["peak_rss"] = median(rs, "peak_rss")
        result["programs"][who] = entry
    return result


def show(name, result):
    print(f"\n{name}: {result['packets']} packets, {result['flows']} flows, {result['bytes'] / 1e6:.0f} MB")
    for who, e in result["programs"].items():
        line = f"  {who:12} {e['packets_per_cpu_s'] / 1e6:7.3f} M packets/CPU-s  {e['cpu_s']:7.2f} s"
        if "parts_cpu_s" in e:
            line += "  (" + ", ".join(f"{p[5:]} {v:.2f}" for p, v in e["parts_cpu_s"].items()) + ")"
            line += "  " + ", ".join(f"{v:.2f} x {o}" for o, v in e["ratio"].items())
        print(line)


# --- the questions

def measure_start(options, files, report):
    """CPU of starting and stopping, without work."""
    rounds = [run_weir(options, files["one"])["cpu"] for _ in range(options.rounds)]
    programs, directory = others(options, files["one"])
    report["start_cpu_s"] = {"weir": statistics.median(rounds)} | {
        n: statistics.median(run_other(options, a)["cpu"] for _ in range(options.rounds)) for n, a in programs.items()}
    shutil.rmtree(directory)
    print("start, CPU-seconds (contained in the figures below): " + ", ".join(f"{n} {v:.3f}" for n, v in report["start_cpu_s"].items()))


def measure_memory(options, files, report):
    """Of the engine with every flow of the flood live: its own structures without inspection, and what nDPI adds."""
    table = settings_of("flood", options)
    off = run_weir(options, files["flood"], [*table, "engine.dpi=no"])
    on = run_weir(options, files["flood"], table)
    empty = run_weir(options, files["one"], [*table, "engine.dpi=no"])
    report["memory"] = m = {
        "flows": off["flows"],
        "resident_per_flow": off["engine_rss"] / off["flows"],
        "resident_per_flow_with_dpi": on["engine_rss"] / on["flows"],
        "ndpi_per_flow": (on["engine_rss"] - off["engine_rss"]) / on["flows"],
        "without_flows": empty["engine_rss"],
    }
    print(f"\nmemory of the engine, {m['flows']} flows live: {m['resident_per_flow']:.0f} bytes resident a flow (all it has, divided by flows; "
          f"{m['without_flows'] / 1e6:.0f} MB of it are there without flows); nDPI adds {m['ndpi_per_flow']:.0f}")


def measure_lookup(options, report):
    """The engine's packet path against the number of flows."""
    points = []
    for flows in (1000, 10000, 100000, 1000000, 2000000, 4000000):
        rounds = []
        for _ in range(options.rounds):
            out = subprocess.run([*pinned(options), f"{options.build}/bin/bench_engine_path", "-w", "-f", str(flows), "-n", "4000000"],
                                 check=True, capture_output=True, text=True).stdout
            rounds.append(float(re.search(r"([\d.]+) ns a packet", out).group(1)))
        points.append({"flows": flows, "ns": statistics.median(rounds), "rounds": rounds})
    at = {p["flows"]: p["ns"] for p in points}
    report["lookup"] = {"points": points, "ratio_4m_to_10k": at[4000000] / at[10000]}
    print("\na packet of a known flow, decoded, looked up and counted, in shuffled order:")
    for p in points:
        print(f"  {p['flows']:8} flows {p['ns']:7.1f} ns  " + "#" * round(p["ns"] / 4))
    print(f"  4,000,000 to 10,000 flows: {report['lookup']['ratio_4m_to_10k']:.2f}")
    draw(points, os.path.join(os.path.dirname(options.results), "lookup.svg"))


def draw(points, path):
    """The curve as an SVG, flows on a logarithmic scale."""
    top = max(p["ns"] for p in points) * 1.15
    x = {p["flows"]: 60 + 500 * i / (len(points) - 1) for i, p in enumerate(points)}
    dots = [(x[p["flows"]], 300 - 270 * p["ns"] / top, p) for p in points]
    body = "".join(f'<circle cx="{a:.0f}" cy="{b:.0f}" r="3"/><text x="{a:.0f}" y="{b - 8:.0f}" text-anchor="middle">{p["ns"]:.0f} ns</text>'
                   f'<text x="{a:.0f}" y="318" text-anchor="middle">{p["flows"]:,}</text>' for a, b, p in dots)
    line = " ".join(f"{a:.0f},{b:.0f}" for a, b, _ in dots)
    with open(path, "w", encoding="ascii") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" width="620" height="340" font-family="sans-serif" font-size="12">'
                '<rect width="620" height="340" fill="white"/><path d="M60 20V300H580" fill="none" stroke="black"/>'
                f'<polyline points="{line}" fill="none" stroke="black"/>{body}<text x="320" y="335" text-anchor="middle">flows</text></svg>\n')


def measure_workers(options, files, report):
    """CPU of the busiest engine with one worker and with two: where each has a core, that is the speed. Two have each half the room of the
    one; what a worker has no room to inspect costs it nothing, so all of them have room for the flood."""
    report["workers"] = {}
    for name in ("mix", "flood"):
        rounds = []
        for _ in range(options.rounds):
            flows = 2200000 if name == "flood" else 1200000
            one = run_weir(options, files[name], [*settings_of(name, options), f"engine.flows={flows}"], 1)
            two = run_weir(options, files[name], [*settings_of(name, options), f"engine.flows={flows // 2}"], 2)
            rounds.append((one["parts"]["weir-engine"] / max(two["engine_cpu"]), two["parts"]["weir-engine"] / one["parts"]["weir-engine"]))
        speed, cost = statistics.median(r[0] for r in rounds), statistics.median(r[1] for r in rounds)
        report["workers"][name] = {"speed": speed, "cpu": cost}
        print(f"\ntwo workers, {name}: the busier engine needs 1/{speed:.2f} of what one needs (CPU of both together {cost:.2f} times)")


def weir_applications(options, path):
    text = subprocess.run([f"{options.build}/bin/weir", "analyze", "--json", path, "--set", "engine.flows=1200000", "--set", "engine.hosts=262144",
                           "--set", "engine.idle_timeout=3600s", "--set", "engine.active_timeout=86400s", "--set", "engine.closed_timeout=60s"],
                          check=True, capture_output=True, text=True).stdout
    found = {}
    for a in json.loads(text)["applications"]:
        name = a["name"] if isinstance(a.get("name"), str) else "Unknown"
        found[name] = found.get(name, 0) + a["flows"]
    return found


def reader_applications(options, path):
    out = tempfile.NamedTemporaryFile(dir=options.directory, suffix=".csv", delete=False)
    out.close()
    subprocess.run(["ndpiReader", "-i", path, "-q", "-t", "-C", out.name], check=True, capture_output=True)
    found = {}
    with open(out.name, encoding="utf-8", errors="replace") as f:
        columns = f.readline().lstrip("#").strip().split(",")
        at = columns.index("ndpi_proto")
        for line in f:
            name = line.split(",")[at]
            found[name] = found.get(name, 0) + 1
    os.remove(out.name)
    return found


def measure_applications(options, files, report):
    ours, theirs = weir_applications(options, files["mix"]), reader_applications(options, files["mix"])
    total = sum(theirs.values())
    differ = {n: (ours.get(n, 0), theirs.get(n, 0)) for n in sorted({*ours, *theirs}) if ours.get(n, 0) != theirs.get(n, 0)}
    report["applications"] = {"flows": {"weir": sum(ours.values()), "ndpiReader": total}, "names": {"weir": len(ours), "ndpiReader": len(theirs)},
                              "differences": differ}
    print(f"\napplications on the mix: {len(ours)} found, ndpiReader {len(theirs)}; flows {sum(ours.values())}, ndpiReader {total}; differing counts:")
    for n, (a, b) in sorted(differ.items(), key=lambda d: -abs(d[1][0] - d[1][1]))[:40]:
        print(f"  {n:32} weir {a:8} ndpiReader {b:8}")


def main():
    p = argparse.ArgumentParser(prog="script/bench engine")
    p.add_argument("--build", default="build/release")
    p.add_argument("--directory", default="build/bench", help="where the files are made")
    p.add_argument("--results", default="build/bench/engine.json")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--quick", action="store_true", help="files of a twentieth, and two rounds")
    p.add_argument("--cpu", default="1", help="processors that everything measured is pinned to, as taskset has them")
    p.add_argument("--file", default="", help="compare on this capture only")
    p.add_argument("--only", default="", help="of start,mix,calm,large,flood,memory,lookup,workers,applications")
    p.add_argument("--peers", default="", help="of ndpiReader,softflowd,nfpcapd,tcpdump (default: all that are installed)")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="further settings of Weir")
    options = p.parse_args()
    if options.quick:
        options.rounds = min(options.rounds, 2)
    options.directory = os.path.abspath(options.directory)
    os.makedirs(options.directory, exist_ok=True)
    wanted = set(options.only.split(",")) if options.only else None
    report = {"bench": "engine", "rounds": options.rounds, "quick": options.quick, "load": os.getloadavg(), "captures": len(captures()), "files": {}}

    def asked(name):
        return not options.file and (wanted is None or name in wanted)

    if options.file:
        report["files"]["file"] = result = compare(options, "file", options.file, {"weir": settings_of("mix", options)})
        show(options.file, result)
    else:
        files = make_files(options)
        if asked("start"):
            measure_start(options, files, report)
        for name in ("mix", "calm", "large", "flood"):
            if asked(name):
                variants = {"weir": settings_of(name, options)}
                if name == "flood":
                    variants["weir-no-dpi"] = [*settings_of(name, options), "engine.dpi=no"]
                report["files"][name] = result = compare(options, name, files[name], variants)
                show(name, result)
        for name, question in (("memory", measure_memory), ("workers", measure_workers), ("applications", measure_applications)):
            if asked(name):
                question(options, files, report)
        if asked("lookup"):
            measure_lookup(options, report)
    with open(options.results, "w", encoding="ascii") as f:
        json.dump(report, f, indent=1)
    print(f"\nwritten to {options.results}")


main()
