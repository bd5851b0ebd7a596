#!/usr/bin/python3
"""weir-httpd beside nginx: script/bench http.

A real `weir run` in a namespace of its own, and in the same namespace nginx with a file of just the size of each answer. wrk asks both over TLS, with
keep-alive, in turns; httpd and nginx share one processor, wrk and the rest of Weir have the other. Then the crowds: clients of the live view that
only listen, and clients that send a byte now and then."""

import argparse
import contextlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "system"))

SERVE, ASK = "1", "0"  # processors
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """CPU seconds of a process so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_of(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return int(re.search(r"^Rss:\s+(\d+)", f.read(), re.M).group(1)) * 1024


def pin(pid, processor):
    subprocess.run(["taskset", "-apc", processor, str(pid)], check=True, capture_output=True)


def prefer(pids):
    """Where the kernel divides time between sessions first, as it does between those of builds and ours."""
    for pid in pids:
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/autogroup", "w") as f:
                f.write("-15")


def serve_files(lab, sizes):
    """nginx with a file of each size; its process id."""
    d = os.path.join(lab.dir, "nginx")
    os.makedirs(os.path.join(d, "www"))
    for size in sizes:
        with open(os.path.join(d, "www", f"{size}.json"), "wb") as f:
            f.write(b"x" * size)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                    "-keyout", f"{d}/key.pem", "-out", f"{d}/cert.pem"], check=True, capture_output=True)
    conf = lab.file("nginx/nginx.conf", f"""
daemon off; master_process off; pid {d}/pid; error_log {d}/error.log; worker_processes 1; user root;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_temp_path {d}/t1; proxy_temp_path {d}/t2; fastcgi_temp_path {d}/t3; uwsgi_temp_path {d}/t4; scgi_temp_path {d}/t5;
    keepalive_requests 100000000; open_file_cache max=100; sendfile on; tcp_nopush on;
    server {{ listen 127.0.0.1:8443 ssl; ssl_certificate {d}/cert.pem; ssl_certificate_key {d}/key.pem; ssl_protocols TLSv1.2 TLSv1.3; root {d}/www; }}
}}
""")
    p = lab.spawn(lab.mon, "nginx", "-c", conf, "-e", f"{d}/error.log", log="nginx")
    weirlab.wait_for("nginx", lambda: lab.listening(lab.mon, 8443))
    return p.pid


def wrk(lab, url, seconds, connections, cookie=None):
    argv = ["taskset", "-c", ASK, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    if cookie:
        argv += ["-H", f"Cookie: {cookie}"]
    said = lab.exec(lab.mon, *argv, url, timeout=seconds + 60).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        print(f"  {url}: {re.findall('(?:Non-2xx|Socket errors).*', said)}")
    units = {"us": 1e-3, "ms": 1, "s": 1e3}
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    return {"requests": int(re.search(r"(\d+) requests in", said).group(1)), "per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)),
            "p99_ms": float(value) * units[unit]}


def compare(lab, name, weir_url, pids, cookie, nginx_url, nginx_pid, o):
    """Ratios of requests a second, and of requests a CPU-second of httpd alone."""
    rounds = []
    for i in range(o.rounds):
        both = {}
        for who in ("weir", "nginx") if i % 2 == 0 else ("nginx", "weir"):
            pid, url = (pids["httpd"], weir_url) if who == "weir" else (nginx_pid, nginx_url)
            before = cpu_of(pid), cpu_of(pids["store"])
            took = wrk(lab, url, o.seconds, o.connections, cookie if who == "weir" else None)
            took["cpu_us"] = (cpu_of(pid) - before[0]) / took["requests"] * 1e6
            took["store_us"] = (cpu_of(pids["store"]) - before[1]) / took["requests"] * 1e6
            both[who] = took
        rounds.append(both)
    result = {"rounds": rounds, "rate_ratio": statistics.median(r["weir"]["per_s"] / r["nginx"]["per_s"] for r in rounds),
              "cpu_ratio": statistics.median(r["nginx"]["cpu_us"] / r["weir"]["cpu_us"] for r in rounds)}
    w, n = rounds[-1]["weir"], rounds[-1]["nginx"]
    print(f"{name}: {result['rate_ratio']:.2f} of nginx's requests a second, {result['cpu_ratio']:.2f} of its requests a CPU-second"
          f"  (last round: {w['per_s']:.0f} and {n['per_s']:.0f} a second; CPU {w['cpu_us']:.0f} and {n['cpu_us']:.0f} us a request, store {w['store_us']:.0f};"
          f" p99 {w['p99_ms']:.1f} and {n['p99_ms']:.1f} ms)")
    return result


def crowd(lab, what, build, port, cookie, n):
    """Clients of bench/crowd.c, once all are there."""
    p = subprocess.Popen(["ip", "netns", "exec", lab.mon, "taskset", "-c", ASK, os.path.join(build, "bench", "bench_crowd"), what, str(port), str(n)],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    p.stdin.write(f"{cookie}\n")
    prefer([p.pid])
    if p.stdout.readline().strip() != "there":
        sys.exit(f"the crowd ({what}) did not come together")
    return p


def crowds(lab, weir, pids, cookie, o):
    results = {}
    before = resident_of(pids["httpd"])
    p = crowd(lab, "listen", o.build, weir.https, cookie, o.listeners)
    time.sleep(o.seconds)
    now = resident_of(pids["httpd"])
    ended = int(p.communicate("\n")[0])
    results["listeners"] = {"clients": o.listeners, "ended": ended, "bytes_before": before, "bytes": now}
    print(f"live view: {o.listeners} clients that listen ({ended} were ended) take {now / 1e6:.0f} MB of httpd, without them {before / 1e6:.0f} MB")
    url = f"https://127.0.0.1:{weir.https}/api/v1/interfaces"
    alone = wrk(lab, url, o.seconds, 8, cookie)
    p = crowd(lab, "dawdle", o.build, weir.https, cookie, o.dawdlers)
    beside = wrk(lab, url, o.seconds, 8, cookie)
    p.communicate("\n")
    results["dawdlers"] = {"clients": o.dawdlers, "alone": alone, "beside": beside}
    print(f"slow clients: p99 of others {alone['p99_ms']:.1f} ms without, {beside['p99_ms']:.1f} ms with {o.dawdlers} of them")
    return results


def size_of(api, path):
    answer = api.get(path)
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status}")
    return len(answer.body)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--build", default="build/release")
    a.add_argument("--results")
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--seconds", type=int, default=5)
    a.add_argument("--connections", type=int, default=32)
    a.add_argument("--listeners", type=int, default=5000)
    a.add_argument("--dawdlers", type=int, default=1000)
    o = a.parse_args()
    os.environ["WEIR_BIN"] = os.path.abspath(os.path.join(o.build, "bin"))
    global weirlab
    import weirlab

    lab = weirlab.Lab("http")
    try:
        weir = weirlab.Weir(lab, settings={"httpd.workers": 1, "httpd.connections": 20000, "httpd.connections_per_address": 20000,
                                           "httpd.rate_address": 0, "httpd.rate_session": 0, "httpd.rate_tenant": 0})
        weir.start()
        api = weir.setup()
        pids = {k[0]: v for k, v in weir.wait_processes().items()}
        lab.ping()
        sizes = {p: size_of(api if p == "interfaces" else weir.api(), f"/api/v1/{p}") for p in ("health", "interfaces")}
        nginx = serve_files(lab, set(sizes.values()))
        for pid in weir.processes().values():
            pin(pid, ASK)
        pin(pids["httpd"], SERVE)
        pin(nginx, SERVE)
        prefer([*weir.processes().values(), nginx, os.getpid()])
        results = {}
        for path, size in sizes.items():
            results[path] = compare(lab, f"{path} ({size} bytes)", f"https://127.0.0.1:{weir.https}/api/v1/{path}", pids,
                                    api.cookie if path == "interfaces" else None, f"https://127.0.0.1:8443/{size}.json", nginx, o)
        if o.listeners:
            results.update(crowds(lab, weir, pids, api.cookie, o))
        if o.results:
            with open(o.results, "w") as f:
                json.dump(results, f, indent=1)
            print(f"written to {o.results}")
    finally:
        lab.close()


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    main()
