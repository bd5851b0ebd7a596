#!/usr/bin/python3
"""Points of series in Weir's series.mdb beside VictoriaMetrics with the same points: script/bench series.

Series are made (bench/bench_series.c): busy, average and idle ones, by the minute (five numbers a point) and by the second (thirteen: with
least and most of the minute's seconds). Both keep the points of one minute, each reads every one again, and what is not as it was written
ends the run. VictoriaMetrics has each number as a series of its own, since it knows no other, and has merged its files to the end."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ADDRESS = "127.0.0.1:28428"


def disk_usage(folder):
    """Bytes of blocks of all files."""
    return sum(os.lstat(os.path.join(at, f)).st_blocks * 512 for at, _, files in os.walk(folder) for f in files)


def get(path, data=None):
    with urllib.request.urlopen(f"http://{ADDRESS}{path}", data=data, timeout=600) as answer:
        return answer.read()


class Victoria:
    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["victoria-metrics", f"-storageDataPath={self.folder}", f"-httpListenAddr={ADDRESS}", "-retentionPeriod=100y", "-search.latencyOffset=0s",
             "-influxMeasurementFieldSeparator=_", "-memory.allowedBytes=512MiB", "-loggerLevel=ERROR", "-search.maxExportSeries=10000000"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                get("/health")
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("victoria-metrics does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(120)

    def take(self, lines):
        """Numbers, sent some thousand lines at a time."""
        numbers, some = {}, []
        for line in lines:
            tags, fields, when = line.rstrip().split(" ")
            for f in fields.split(","):
                name, value = f.split("=")
                numbers.setdefault((tags[2:], name), {})[int(when) // 1000000] = int(value)
            some.append(line)
            if len(some) == 20000:
                get("/write", "".join(some).encode())
                some = []
        if some:
            get("/write", "".join(some).encode())
        return numbers

    def merge(self):
        get("/internal/force_flush")
        get("/internal/force_merge")
        time.sleep(2)
        for _ in range(600):
            text = get("/metrics").decode()
            if not any(line.startswith("vm_active_merges") and not line.endswith(" 0") for line in text.splitlines()):
                return
            time.sleep(0.2)
        sys.exit("victoria-metrics does not stop merging")

    def compare(self, numbers):
        left = dict(numbers)
        text = get("/api/v1/export?" + urllib.parse.urlencode({"match[]": '{__name__=~"w_.*"}', "start": 1}))
        for line in text.decode().splitlines():
            series = json.loads(line)
            m = series["metric"]
            key = (f"t={m['t']},s={m['s']},n={m['n']}", m["__name__"][2:])
            if dict(zip(series["timestamps"], series["values"])) != left.pop(key, None):
                return f"{key} is not what was written"
        return f"{len(left)} series are missing" if left else None


def victoria(program, folder, shape):
    v = Victoria(folder)
    v.start()
    lines = subprocess.Popen([program, "lines", *shape], stdout=subprocess.PIPE, text=True)
    numbers = v.take(lines.stdout)
    v.merge()
    wrong = v.compare(numbers)
    v.stop()
    v.start()  # what it had in memory is in files now, and is merged once more
    v.merge()
    v.stop()
    if wrong:
        print(f"victoria-metrics: {wrong}")
    data = disk_usage(f"{folder}/data")
    return {"bytes": data, "index": disk_usage(f"{folder}/indexdb"), "numbers": sum(len(s) for s in numbers.values()), "lossless": wrong is None}


def run(program, folder, kind, by, series, days):
    start = str(int(time.time()) - (days + 1) * 86400)
    shape = [kind, by, str(series), start, str(days)]
    os.mkdir(f"{folder}/weir")
    said = subprocess.run([program, "weir", f"{folder}/weir", *shape], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        sys.exit(f"bench_series: {said.stderr}")
    weir = json.loads(said.stdout)
    peer = victoria(program, f"{folder}/victoria", shape)
    shutil.rmtree(f"{folder}/weir")
    shutil.rmtree(f"{folder}/victoria")
    numbers = 5 if by == "minute" else 13
    if peer["numbers"] != numbers * weir["points"]:
        print(f"the points are not the same: {peer['numbers']} numbers there, {numbers} * {weir['points']} here")
    n = weir["points"]
    print(f"{kind:8}{by:7} {series:5} series, {days:3} days, {n:9} points: Weir {weir['minutes'] / n:6.2f} bytes a point, VictoriaMetrics {peer['bytes'] / n:6.2f} "
          f"and index {peer['index'] / n:.2f}: {weir['minutes'] / peer['bytes']:.2f} of it, lossless {peer['lossless']}")
    print(f"         with 5 min, 1 h and 1 d: {weir['used'] / n:.2f} used, file {weir['file'] / n:.2f}; kept in {weir['keep_s'] / n * 1e6:.2f} us a point; "
          f"24 h chart: median {weir['chart_us'] / 1e3:.3f} ms, p99 {weir['chart_us_p99'] / 1e3:.3f}, most {weir['chart_us_most'] / 1e3:.3f}", flush=True)
    return {"kind": kind, "by": by, "series": series, "days": days, "weir": weir, "victoria": peer}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", required=True)
    a.add_argument("--results", required=True)
    a.add_argument("--series", type=int, default=100)
    a.add_argument("--days", type=int, default=7)
    a.add_argument("--only", help="KIND/minute or KIND/second")
    a.add_argument("--directory", help="where the files are made and deleted (default: /tmp)")
    o = a.parse_args()
    program = os.path.abspath(f"{o.build}/bench/bench_series")
    folder = tempfile.mkdtemp(prefix="weir-bench-series-", dir=o.directory)
    results = []
    try:
        for by in ("minute", "second"):
            for kind in ("busy", "average", "idle"):
                if o.only in (None, f"{kind}/{by}"):
                    few = o.series if by == "minute" else max(o.series // 5, 1)
                    results.append(run(program, folder, kind, by, few, o.days if by == "minute" else max(o.days // 2, 1)))
    finally:
        shutil.rmtree(folder)
    with open(o.results, "w") as f:
        json.dump(results, f, indent=1)


if __name__ == "__main__":
    main()
