#!/usr/bin/python3
"""TLS handshakes of weir-httpd, which weir-key signs, beside a plain OpenSSL server and nginx: script/bench tls.

A real `weir run` in a namespace of its own, and in the same namespace `openssl s_server` and nginx with the same certificate and key. `openssl s_time`
makes full handshakes with each, in turns; the servers (httpd and key together) have one processor, the clients the other. What counts is handshakes a
second, and CPU seconds a handshake: of httpd and key together, and of the other two."""

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
PORT, NGINX_PORT = 8443, 8444
PEERS = {"openssl": "OpenSSL", "nginx": "nginx"}


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


def compare(lab, name, servers, version, o):
    """servers: port and process ids of each; of a round each has its turn, first another one each time."""
    rounds, order = [], list(servers)
    for i in range(o.rounds):
        n = i % len(order)
        rounds.append({who: measure(lab, *servers[who], version, o) for who in order[n:] + order[:n]})
    result = {"rounds": rounds}
    w = rounds[-1]["weir"]
    print(f"{name} {version}: last round CPU {w['cpu_us']:.0f} us, httpd {w['cpu_us_each'][0]:.0f} and key {w['cpu_us_each'][1]:.0f}; {w['per_s']:.0f} a second",
          flush=True)
    for who, called in PEERS.items():
        cpu = statistics.median(r[who]["cpu_us"] / r["weir"]["cpu_us"] for r in rounds)
        rate = statistics.median(r["weir"]["per_s"] / r[who]["per_s"] for r in rounds)
        result[who] = {"cpu_ratio": cpu, "rate_ratio": rate}
        p = rounds[-1][who]
        print(f"  {rate:.2f} of {called}'s handshakes a second, {cpu:.2f} of its handshakes a CPU-second  (last round: CPU {p['cpu_us']:.0f} us; {p['per_s']:.0f} a second)",
              flush=True)
    return result


def start_nginx(lab, live):
    """No cache of sessions; tickets as they are by default, two of each handshake of TLS 1.3. Its process id."""
    conf = lab.file("nginx.conf", f"""
daemon off; master_process off; pid {lab.dir}/nginx.pid; error_log {lab.dir}/nginx.error; worker_processes 1; user root;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_body_temp_path {lab.dir}/t1; proxy_temp_path {lab.dir}/t2; fastcgi_temp_path {lab.dir}/t3; uwsgi_temp_path {lab.dir}/t4; scgi_temp_path {lab.dir}/t5;
    server {{ listen 127.0.0.1:{NGINX_PORT} ssl backlog=1024; ssl_certificate {live}/fullchain.pem; ssl_certificate_key {live}/privkey.pem;
              ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache none; return 204; }}
}}
""")
    return lab.spawn(lab.mon, "nginx", "-c", conf, "-e", f"{lab.dir}/nginx.error", log="nginx").pid


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
        nginx = start_nginx(lab, live)
        weirlab.wait_for("nginx", lambda: lab.listening(lab.mon, NGINX_PORT))
        for pid in weir.processes().values():
            pin(pid, ASK)
        for pid in (pids["httpd", 0], pids["key", 0], p.pid, nginx):
            pin(pid, SERVE)
        prefer([*weir.processes().values(), p.pid, nginx, os.getpid()])
        servers = {"weir": (weir.https, [pids["httpd", 0], pids["key", 0]]), "openssl": (PORT, [p.pid]), "nginx": (NGINX_PORT, [nginx])}
        return {v: compare(lab, kind, servers, v, o) for v in ("-tls1_3", "-tls1_2")}
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
