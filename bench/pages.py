#!/usr/bin/python3
"""Pages of live lists through HTTPS while traffic is taken in: script/bench pages (and the last part of script/bench http).

A real `weir run` in a namespace of its own, in which bench_feeder has the engine's place: store gets --flows live flows of --hosts clients, and then
--rate records a second. One tenant has all flows, one 5 %, one 0.1 %. Every 20 ms (--per-second 50) a question is due, over connections that stay: the
first ten hosts, or 100 flows in any order that the API knows, from the start or behind a cursor that was met while --deep rows were paged through
before. Measured is how long after it was due its answer was whole."""

import argparse
import http.client
import json
import os
import queue
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests", "system")]

from https import prefer  # noqa: E402

TENANTS = {"all": ("100 %", "20.0.0.0/8"), "twentieth": ("5 %", "10.1.0.0/16"), "thousandth": ("0.1 %", "10.2.0.0/16")}
SORTS = ("bytes", "rate", "first", "last", "score")
CONNECTIONS = 8
WARM = 5  # seconds that are not measured
TARGET_MS = 10


def programs(build, folder):
    """Weir's programs, with the feeder in the engine's place."""
    for name in os.listdir(os.path.join(build, "bin")):
        if name != "weir-engine":
            shutil.copy2(os.path.join(build, "bin", name), folder)
    shutil.copy2(os.path.join(build, "bench", "bench_feeder"), os.path.join(folder, "weir-engine"))
    os.chmod(folder, 0o755)


class Client:
    """One connection that stays."""

    def __init__(self, api):
        self.connection = http.client.HTTPConnection(api.host, api.port)
        self.connection.sock = api.connect(timeout=60)

    def get(self, path, token):
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
        r = self.connection.getresponse()
        return r.status, r.read()

    def rows(self, path, token, member):
        status, body = self.get(path, token)
        if status != 200:
            sys.exit(f"{path}: {status} {body[:200]}")
        d = json.loads(body)
        return d[member], d.get("next_cursor")


def flows_path(sort, order, limit, cursor=None):
    return f"/api/v1/flows?sort={sort}&order={order}&limit={limit}" + (f"&cursor={cursor}" if cursor else "")


def cursors(client, token, sort, order, deep):
    """Those met on the way to the row deep, 1,000 rows apart or, of few rows, 100."""
    found, cursor, seen, limit = [], None, 0, 1000
    while seen < deep:
        rows, cursor = client.rows(flows_path(sort, order, limit, cursor), token, "flows")
        if cursor is None and not found:
            limit, seen, deep = 100, 0, min(deep, len(rows) - 100)  # a list of one long page
            rows, cursor = client.rows(flows_path(sort, order, limit), token, "flows")
        seen += len(rows)
        if cursor is None:
            break
        found.append(cursor)
    return found


class Asked:
    def __init__(self, what, path, token, due):
        self.what, self.path, self.token, self.due = what, path, token, due
        self.took = self.status = self.rows = None


def draw(r, tokens, deep, due):
    tenant = r.choice(list(TENANTS))
    if r.random() < 1 / 8:
        return Asked((tenant, "ten hosts", "first"), "/api/v1/hosts?sort=bytes&limit=10", tokens[tenant], due)
    sort, order = r.choice(SORTS), r.choice(("desc", "desc", "desc", "asc"))
    known = deep[tenant, sort, order]
    cursor = r.choice(known) if known and r.random() < 0.5 else None
    return Asked((tenant, f"flows by {sort}", "deep" if cursor else "first"), flows_path(sort, order, 100, cursor), tokens[tenant], due)


def ask_all(api, asked):
    """Asks each when it is due, by whichever connection is free."""
    waiting = queue.SimpleQueue()

    def work(client):
        while (a := waiting.get()) is not None:
            a.status, body = client.get(a.path, a.token)
            a.took = time.monotonic() - a.due
            a.rows = body.count(b'"first":')  # each row has one; parsing would hold the other connections up
    threads = [threading.Thread(target=work, args=(Client(api),), daemon=True) for _ in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for a in asked:
        time.sleep(max(0, a.due - time.monotonic()))
        waiting.put(a)
    for _ in threads:
        waiting.put(None)
    for t in threads:
        t.join()


def late(times, share):
    return sorted(times)[int(len(times) * share)] * 1e3


def report(asked, o):
    bad = sum(a.status != 200 for a in asked)
    empty = sum(a.status == 200 and a.rows == 0 for a in asked)
    groups = {}
    for a in asked:
        if a.took is not None:
            groups.setdefault(a.what, []).append(a.took)
    rows = [{"tenant": t, "list": what, "page": page, "n": len(v), "p50_ms": statistics.median(v) * 1e3, "p99_ms": late(v, 0.99), "longest_ms": max(v) * 1e3}
            for (t, what, page), v in sorted(groups.items(), key=lambda g: (list(TENANTS).index(g[0][0]), g[0][1:]))]
    print(f"{'rows of':8} {'list':16} {'page':6} {'n':>5} {'p50 ms':>8} {'p99 ms':>8} {'longest':>8}")
    for r in rows:
        print(f"{TENANTS[r['tenant']][0]:8} {r['list']:16} {r['page']:6} {r['n']:5} {r['p50_ms']:8.1f} {r['p99_ms']:8.1f} {r['longest_ms']:8.1f}")
    every = [a.took for a in asked if a.took is not None]
    shares = {t: late([a.took for a in asked if a.took is not None and a.what[0] == t], 0.99) for t in TENANTS}
    for t, p99 in shares.items():
        print(f"tenant of {TENANTS[t][0]}: p99 {p99:.1f} ms")
    print(f"all: p99 {late(every, 0.99):.1f} ms of {len(every)} questions (target {TARGET_MS}), longest {max(every) * 1e3:.1f} ms; {bad} refused, {empty} empty;"
          f" {o.flows} flows, {o.hosts} hosts, {o.rate} records a second", flush=True)
    return {"flows": o.flows, "hosts": o.hosts, "rate": o.rate, "per_second": o.per_second, "refused": bad, "empty": empty, "p99_ms": late(every, 0.99),
            "p99_ms_of": shares, "lists": rows}


def start(lab, o):
    """A Weir with its tenants and their tokens, once every flow is there."""
    weir = weirlab.Weir(lab, settings={"httpd.workers": 1, "httpd.rate_address": 0, "httpd.rate_session": 0, "httpd.rate_tenant": 0, "engine.workers": 1,
                                       "engine.flows": o.flows, "engine.hosts": o.hosts, "engine.updates": o.rate, "engine.record_ring": "64 MiB"})
    weir.start()
    admin = weir.setup()
    tokens = {}
    for name, (_, network) in TENANTS.items():
        for path, body in (("tenants", {"name": name, "selectors": [{"network": network}]}), ("tokens", {"label": name, "tenant": name, "role": "viewer"})):
            made = admin.post(f"/api/v1/{path}", body)
            if made.status != 201:
                sys.exit(f"{path} of {name}: {made.status} {made.body[:300]}")
        tokens[name] = made.json["secret"]
    os.kill(weir.processes()["engine", 0], signal.SIGUSR1)
    weirlab.wait_for(f"{o.flows} flows", lambda: f"{o.flows} flows are there" in weir.log(), 600)
    return weir, tokens


def measure(lab, o):
    weir, tokens = start(lab, o)
    api = weir.api()
    client = Client(api)
    deep = {(t, s, order): cursors(client, tokens[t], s, order, o.deep) for t in TENANTS for s in SORTS for order in ("desc", "asc")}
    prefer([*weir.processes().values(), os.getpid()])
    r = random.Random(1)
    begin, each = time.monotonic() + 0.5, 1 / o.per_second
    asked = [draw(r, tokens, deep, begin + i * each) for i in range((WARM + o.seconds) * o.per_second)]
    ask_all(api, asked)
    result = report(asked[WARM * o.per_second:], o)
    weir.stop()
    fed = re.search(r"(\d+) records came at their rate, (\d+) found no room", weir.log())
    result["records"], result["ring_full"] = map(int, fed.groups())
    print(f"taken in meanwhile: {result['records']} records, {result['ring_full']} found no room")
    return result


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--build", default="build/release")
    a.add_argument("--results")
    a.add_argument("--flows", type=int, default=1000000)
    a.add_argument("--hosts", type=int, default=100000)
    a.add_argument("--rate", type=int, default=50000, help="records a second")
    a.add_argument("--seconds", type=int, default=60)
    a.add_argument("--per-second", type=int, default=50, help="questions")
    a.add_argument("--deep", type=int, default=100000, help="rows that are paged through for cursors, of each order")
    o = a.parse_args()
    folder = tempfile.mkdtemp(prefix="weir-pages-")
    try:
        programs(o.build, folder)
        os.environ["WEIR_BIN"] = folder
        global weirlab
        import weirlab

        lab = weirlab.Lab("pages")
        try:
            result = measure(lab, o)
        finally:
            lab.close()
    finally:
        shutil.rmtree(folder)
    if o.results:
        with open(o.results, "w") as f:
            json.dump(result, f, indent=1)
        print(f"written to {o.results}")


if __name__ == "__main__":
    main()
