"""script/bench capture: Weir's chain beside `tcpdump -w /dev/null` on the same veth pair, in the same run.

Two questions. How many frames a second does each take without losing one (bisection)? And what does a frame cost, in
CPU-seconds of all processes of each, at one rate for both (several rounds, in turns; the median counts)?

Everything runs in two network namespaces that this program makes and removes; the generator sends nowhere else.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time

SIZES = (64, 512, 1514)
# Before whatever else runs on the machine, all three alike: what is measured is the program, not its neighbours.
FIRST = ["nice", "-n", "-15"]
TCPDUMP = ["tcpdump", "-Z", "root", "-i", "wb-rx", "-w", "/dev/null"]


def sh(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


class Pair:
    """A veth pair between two namespaces of our own: wb-tx sends, wb-rx is listened to."""

    def __init__(self):
        self.tx, self.rx = f"weir-bench-tx-{os.getpid()}", f"weir-bench-rx-{os.getpid()}"

    def __enter__(self):
        for ns in (self.tx, self.rx):
            sh("ip", "netns", "add", ns)
        sh("ip", "link", "add", "wb-tx", "netns", self.tx, "type", "veth", "peer", "name", "wb-rx", "netns", self.rx)
        for ns, link in ((self.tx, "wb-tx"), (self.rx, "wb-rx")):
            # No address, no neighbour discovery: the frames that arrive are the generator's, and nothing answers them.
            sh("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            sh("ip", "-n", ns, "link", "set", link, "up")
        return self

    def __exit__(self, *_):
        for ns in (self.tx, self.rx):
            for pid in subprocess.run(["ip", "netns", "pids", ns], check=False, capture_output=True, text=True).stdout.split():
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", ns], check=False)


def cpu_ns(pids):
    """CPU time of every thread of these processes: the scheduler's own count, to the nanosecond."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total


def generate(pair, build, cpu, size, rate, seconds, flows):
    out = subprocess.run(
        FIRST + ["ip", "netns", "exec", pair.tx, "taskset", "-c", str(cpu), f"{build}/bench/bench_generate", "--interface", "wb-tx",
         "--size", str(size), "--rate", str(rate), "--seconds", str(seconds), "--flows", str(flows)],
        check=True, capture_output=True, text=True).stdout
    return json.loads(out)


class Tcpdump:
    name = "tcpdump"

    def __init__(self, pair, options):
        args = FIRST + ["ip", "netns", "exec", pair.rx, "taskset", "-c", options.cpu] + TCPDUMP + options.tcpdump.split()
        self.process = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                break
        else:
            sys.exit("tcpdump did not start")
        self.pids = {"tcpdump": self.process.pid}
        time.sleep(0.2)

    def finish(self, sent):
        """Frames lost, and what is worth saying of them."""
        time.sleep(1.3)  # its own time-out for a block that is not full
        self.process.send_signal(signal.SIGINT)
        text = self.process.stderr.read()
        self.process.wait()
        captured = int(re.search(r"(\d+) packets? captured", text).group(1))
        dropped = int(re.search(r"(\d+) packets? dropped by kernel", text).group(1))
        return {"lost": sent - captured, "kernel_drops": dropped}


class Weir:
    """The chain: weir-capture, the packet ring, the engine. The store is a stand-in that acknowledges and forgets."""

    name = "weir"

    def __init__(self, pair, options):
        args = FIRST + ["ip", "netns", "exec", pair.rx, f"{options.build}/bench/bench_chain", "--bin", f"{options.build}/bin",
                "--interface", "wb-rx", "--set", "engine.dpi=no", "--set", "log_level=warn",
                "--set", f"engine.workers={options.workers}"]
        for setting in options.set:
            args += ["--set", setting]
        if options.cpu.isdigit():
            args += ["--capture-cpu", options.cpu, "--engine-cpu", options.cpu]
        self.real = options.real
        if self.real:
            args.append("--engine")
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        rings = 0
        wanted = options.workers * (2 if self.real else 1)  # a packet ring each, and a record ring of each real engine
        while rings < options.workers:
            state = self.read("ring", "exit")
            if state["what"] == "exit":
                sys.exit("a process of the chain ended at its start")
            rings = state["rings"]
        time.sleep(0.5 if rings >= wanted else 1.0)
        self.pids = {p["name"]: p["pid"] for p in state["processes"] if not p["name"].startswith("store")}

    def read(self, *what):
        for line in self.process.stdout:
            state = json.loads(line)
            if state["what"] in what or state["what"] == "exit":
                return state
        sys.exit("the chain ended")

    def finish(self, sent):
        time.sleep(1.3)  # a block that is not full, and the counters of the last second
        self.process.stdin.write("quit\n")
        self.process.stdin.flush()
        state = self.read("stopped")
        self.process.wait()
        seen = state["engine_packets"] if self.real else state["frames"]
        return {"lost": sent - seen, "kernel_drops": state["kernel_drops"], "ring_drops": state["ring_drops"],
                "put": state["put"]}


def run(kind, pair, options, size, rate, seconds):
    tool = kind(pair, options)
    before = {n: cpu_ns([p]) for n, p in tool.pids.items()}
    sent = generate(pair, options.build, options.generator_cpu, size, rate, seconds, options.flows)
    time.sleep(0.3)
    spent = {n: cpu_ns([p]) - before[n] for n, p in tool.pids.items()}
    result = tool.finish(sent["sent"])
    result.update(tool=tool.name, size=size, asked=rate, sent=sent["sent"], rate=sent["sent"] / sent["seconds"],
                  cpu_ns_per_packet={n: v / sent["sent"] for n, v in spent.items()},
                  cpu_ns_total=sum(spent.values()) / sent["sent"])
    return result


def highest(kind, pair, options, size, top):
    """The highest rate that no frame was lost at, by bisection; a loss is believed when it comes twice."""
    low, high, rate, best = 0, top, top, None
    while True:
        result = run(kind, pair, options, size, rate, options.bisect_seconds)
        if result["lost"] > 0:
            result = run(kind, pair, options, size, rate, options.bisect_seconds)
        print(f"    {kind.name:8} {size:5} bytes {result['rate']:10.0f}/s lost {result['lost']}", file=sys.stderr)
        if result["lost"] <= 0:
            best, low = result, rate
        else:
            high = rate
        if low == top or high - low <= top * options.precision:
            break
        rate = (low + high) // 2
    return best["rate"] if best else 0


def unloaded(pair, options, size):
    """What the generator manages when somebody listens, at full speed."""
    tool = Tcpdump(pair, options)
    sent = generate(pair, options.build, options.generator_cpu, size, 0, options.bisect_seconds, options.flows)
    tool.finish(sent["sent"])
    return int(sent["sent"] / sent["seconds"])


def compare(pair, options, size, rate):
    rounds = {"tcpdump": [], "weir": []}
    for i in range(options.rounds):
        for kind in (Tcpdump, Weir) if i % 2 == 0 else (Weir, Tcpdump):
            rounds[kind.name].append(run(kind, pair, options, size, rate, options.seconds))
    return rounds


def main():
    p = argparse.ArgumentParser(prog="script/bench capture")
    p.add_argument("--build", default="build/release")
    p.add_argument("--results", default="build/bench/capture.json")
    p.add_argument("--rounds", type=int, default=5, help="rounds of the comparison, in turns")
    p.add_argument("--seconds", type=float, default=4, help="length of a round")
    p.add_argument("--bisect-seconds", type=float, default=2)
    p.add_argument("--precision", type=float, default=0.1, help="of the highest rate, as a share of the generator's best")
    p.add_argument("--rate", type=int, default=0, help="frames a second of the comparison (default: 60 %% of the lower highest rate)")
    p.add_argument("--sizes", default=",".join(map(str, SIZES)))
    p.add_argument("--flows", type=int, default=1000)
    p.add_argument("--workers", type=int, default=1)
    p.add_argument("--cpu", default="1", help="processor(s) that the listeners are pinned to")
    p.add_argument("--generator-cpu", type=int, default=0)
    p.add_argument("--tcpdump", default="", help="further options of tcpdump")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="further settings of weir")
    p.add_argument("--stand-in", action="store_true", help="no engine: a program that only takes the frames")
    p.add_argument("--no-bisect", action="store_true")
    options = p.parse_args()
    options.real = os.path.exists(f"{options.build}/bin/weir-engine") and not options.stand_in

    report = {"bench": "capture", "engine": "weir-engine, engine.dpi no" if options.real else "stand-in",
              "tcpdump": " ".join(TCPDUMP + options.tcpdump.split()), "workers": options.workers, "settings": options.set,
              "rounds": options.rounds, "seconds": options.seconds, "flows": options.flows,
              "pinned": {"listeners": options.cpu, "generator": options.generator_cpu}, "sizes": []}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # the namespaces go also then
    with Pair() as pair:
        for size in map(int, options.sizes.split(",")):
            entry = {"bytes": size}
            if not options.no_bisect:
                top = unloaded(pair, options, size)
                entry["generator_best"] = top
                entry["highest_rate"] = {k.name: highest(k, pair, options, size, top) for k in (Tcpdump, Weir)}
            rate = options.rate or int(0.6 * min(entry["highest_rate"].values()))
            rounds = compare(pair, options, size, rate)
            cpu = {n: statistics.median(r["cpu_ns_total"] for r in rs) for n, rs in rounds.items()}
            parts = {n: statistics.median(r["cpu_ns_per_packet"][n] for r in rounds["weir"])
                     for n in rounds["weir"][0]["cpu_ns_per_packet"]}
            entry.update(rate=rate, cpu_ns_per_packet=cpu, weir_parts=parts, cost_ratio=cpu["weir"] / cpu["tcpdump"],
                         allowed_ratio=1 / 0.7, lost={n: [r["lost"] for r in rs] for n, rs in rounds.items()},
                         rounds={n: [{k: r[k] for k in ("cpu_ns_total", "cpu_ns_per_packet", "rate", "lost", "kernel_drops")} |
                                     {"ring_drops": r.get("ring_drops", 0)} for r in rs] for n, rs in rounds.items()})
            report["sizes"].append(entry)
            print(f"{size} bytes, {rate} frames/s, median of {options.rounds} rounds ({report['engine']}):")
            if "highest_rate" in entry:
                print("  highest rate without loss: " +
                      ", ".join(f"{n} {r:.0f}/s" for n, r in entry["highest_rate"].items()) +
                      f" (generator: {entry['generator_best']}/s)")
            print(f"  CPU a frame: tcpdump {cpu['tcpdump']:.0f} ns, weir {cpu['weir']:.0f} ns (" +
                  ", ".join(f"{n} {v:.0f}" for n, v in parts.items()) +
                  f"); ratio {entry['cost_ratio']:.2f}, allowed {1 / 0.7:.2f}")
            print(f"  lost in the rounds: {entry['lost']}")
            if any(n > 0.001 * rate * options.seconds for n in entry["lost"]["weir"]):
                print("  weir lost frames: what it did not copy cost nothing, so its figure does not count")
    os.makedirs(os.path.dirname(options.results), exist_ok=True)
    with open(options.results, "w", encoding="ascii") as f:
        json.dump(report, f, indent=1)
    print(f"written to {options.results}")


main()
