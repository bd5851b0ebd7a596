#!/usr/bin/python3
"""TLS handshakes of weir-httpd, which weir-key signs, beside a plain OpenSSL server: script/bench tls.

A real `weir run` in a namespace of its own, and in the same namespace `openssl s_server` with the same certificate and key. `openssl s_time` makes full
handshakes with both, in turns; the servers (httpd and key together) have one processor, the clients the other. What counts is CPU seconds a
handshake: of httpd and key together, and of s_server."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests", "system")]

from https import ASK, SERVE, cpu_of, pin, prefer  # noqa: E402

KEYS = {"P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "RSA 2048": ["-newkey", "rsa:2048"]}
PORT = 8443


def make(directory, words):
    os.makedirs(directory)
    subprocess.run(["openssl", "req", "-x509", *words, "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", f"{directory}/privkey.pem",
                    "-out", f"{directory}/fullchain.pem"], check=True, capture_output=True)


def handshakes(lab, port, version, o):
    """How many all clients made, in how many seconds."""
    argv = ["ip", "netns", "exec", lab.mon, "taskset", "-c", ASK, "openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(o.seconds), version]
    clients = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(o.clients)]
    n = 0
    for c in clients:
        said = c.communicate(timeout=o.seconds + 60)[0]
        found = re.search(r"^(\d+) connections in (\d+) real seconds", said, re.M)
        if c.returncode != 0 or not found:
            sys.exit(f"s_time: {said}")
        n += int(found.group(1))
    return n


def measure(lab, port, pids, version, o):
    before = [cpu_of(p) for p in pids]
    n = handshakes(lab, port, version, o)
    cpu = [(cpu_of(p) - b) / n * 1e6 for p, b in zip(pids, before)]
    return {"handshakes": n, "per_s": n / o.seconds, "cpu_us": sum(cpu), "cpu_us_each": cpu}


def compare(lab, name, weir, plain, version, o):
    rounds = []
    for i in range(o.rounds):
        both = {}
        for who, (port, pids) in (("weir", weir), ("openssl", plain)) if i % 2 == 0 else (("openssl", plain), ("weir", weir)):
            both[who] = measure(lab, port, pids, version, o)
        rounds.append(both)
    result = {"rounds": rounds, "cpu_ratio": statistics.median(r["openssl"]["cpu_us"] / r["weir"]["cpu_us"] for r in rounds),
              "rate_ratio": statistics.median(r["weir"]["per_s"] / r["openssl"]["per_s"] for r in rounds)}
    w, p = rounds[-1]["weir"], rounds[-1]["openssl"]
    print(f"{name} {version}: {result['cpu_ratio']:.2f} of OpenSSL's handshakes a CPU-second, {result['rate_ratio']:.2f} of its handshakes a second"
          f"  (last round: CPU {w['cpu_us']:.0f} us, httpd {w['cpu_us_each'][0]:.0f} and key {w['cpu_us_each'][1]:.0f}; OpenSSL {p['cpu_us']:.0f} us;"
          f" {w['per_s']:.0f} and {p['per_s']:.0f} a second)", flush=True)
    return result


def bench(weirlab, kind, words, o):
    lab = weirlab.Lab("tls")
    try:
        live = f"{lab.dir}/live"
        make(live, words)
        weir = weirlab.Weir(lab, settings={"httpd.workers": 1, "httpd.certificate": live, "httpd.connections": 20000,
                                           "httpd.connections_per_address": 20000, "httpd.rate_address": 0})
        weir.start()
        pids = weir.wait_processes()
        # One ticket, no cache of sessions, nothing said: as httpd does it.
        p = lab.spawn(lab.mon, "openssl", "s_server", "-accept", f"127.0.0.1:{PORT}", "-cert", f"{live}/fullchain.pem", "-key", f"{live}/privkey.pem", "-quiet",
                      "-www", "-no_cache", "-num_tickets", "1", log="s_server")
        weirlab.wait_for("s_server", lambda: lab.listening(lab.mon, PORT))
        for pid in weir.processes().values():
            pin(pid, ASK)
        for pid in (pids["httpd", 0], pids["key", 0], p.pid):
            pin(pid, SERVE)
        prefer([*weir.processes().values(), p.pid, os.getpid()])
        return {v: compare(lab, kind, (weir.https, [pids["httpd", 0], pids["key", 0]]), (PORT, [p.pid]), v, o) for v in ("-tls1_3", "-tls1_2")}
    finally:
        lab.close()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--build", default="build/release")
    a.add_argument("--results")
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--seconds", type=int, default=4)
    a.add_argument("--clients", type=int, default=4)
    o = a.parse_args()
    os.environ["WEIR_BIN"] = os.path.abspath(os.path.join(o.build, "bin"))
    import weirlab
    results = {kind: bench(weirlab, kind, words, o) for kind, words in KEYS.items()}
    if o.results:
        with open(o.results, "w") as f:
            json.dump(results, f, indent=1)
        print(f"written to {o.results}")


if __name__ == "__main__":
    main()
