"""A whole Weir under mixed load while its processes are killed, its disk fills up, its clock jumps and its directory is away; and what
must be true of it at the end. script/soak runs it for as long as one likes, test_soak for one round of every fault.

The order of faults and what each request asks for come from the seed. When something happens does not: it waits for the state before."""

import argparse
import http.client
import json
import math
import os
import random
import re
import shutil
import signal
import struct
import sys
import threading
import time

from oidc_provider import Provider
from people import FarApi
from slapd import PASSWORD as PEOPLES
from slapd import Slapd
from test_audit import verify
from test_directory import settings as directory_settings
from test_oidc import SESSION, Browser
from test_store_care import check
from weirlab import BIN, CLIENT, PASSWORD, PATIENCE, SERVER, Lab, Unavailable, Weir, in_namespace, run, sandboxed, wait_for, weir_binary

KINDS = ("store", "authd", "engine", "capture", "dial", "directory", "httpd")  # and whatever else the Weir has
# What a process that is killed takes along unsaid: what came just before, and while it was away.
LOSING, BEFORE, AFTER = ("capture", "engine"), 2.0, 0.5
MINUTES = 60 * 10**9
# Losses that faults of ours explain; any other place is a fault of Weir's.
EXPLAINED = {"capture.kernel", "capture.ring_full", "engine.record_ring_full", "store.flows_lost", "store.history_full",
             # A directory or provider that is down or silent, and weir-directory that is away itself.
             "dial.failed", "directory.attempts_late", "authd.directory_full", "directory.oidc_late", "authd.oidc_full"}
# Every name that may stand in the data directory.
FILES = re.compile(r"(node|lock|boot|points|audit\.anchors|tls/(key|certificate)\.pem|authd/(accounts\.mdb(-lock)?|audit\.(key|tail))|"
                   r"store/(data\.mdb|lock\.mdb|series\.mdb(-lock)?|flows-[0-9a-f]{8}\.mdb(-lock)?))")
READS = ("interfaces", "hosts?sort=bytes", "hosts?sort=rate&limit=10", "devices", "flows", "flows?sort=bytes&limit=500", "flows?filter=proto+udp+and+port+53",
         "flows?from=1000000000&to=4000000000&limit=1000", "flows?from=1000000000&to=4000000000&filter=app+DNS+or+dst+port+443",
         "flows/top?by=client_ip,application&from=1000000000&to=4000000000", "flows/top?by=port&measure=flows&bucket=60", "applications", "networks",
         "categories", "totals", "timeseries", "timeseries?subject=interface&key=ports", "timeseries/subjects?subject=host", "search?q=10.77", "health",
         "audit?limit=50", "users", "tokens?all=true", "labels", "filter", "settings", "version", "alerts")
GUIDE = ("get/ntopng/interfaces", "get/interface/data.lua?ifid=0", "get/interface/l7/stats.lua?ifid=0", "get/host/active.lua?ifid=0&perPage=50",
         f"get/host/data.lua?ifid=0&host={CLIENT}", "get/flow/active.lua?ifid=0&perPage=100", "get/host/top_talkers.lua?ifid=0",
         "get/interface/timeseries.lua?ifid=0&ts_schema=iface:traffic")
TABLES = ("flows?from=1000000000&to=4000000000&format=csv", "flows?from=1000000000&to=4000000000&format=ndjson", "hosts?format=csv", "audit?format=ndjson")
# Datagrams to ever new ports, a few flows a second.
SPRAY = """
import socket, sys, time
p = 0
while True:
    p = p % 60000 + 1
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.sendto(b"spray", (sys.argv[1], p))
    except OSError:
        pass
    s.close()
    time.sleep(0.05)
"""


class ClockedWeir(Weir):
    """A Weir whose wall clock is ours: it sees an /etc of its own, in which clock_ahead.so is preloaded."""

    def __init__(self, lab, **kw):
        super().__init__(lab, **kw)
        self.ahead = lab.file("ahead", struct.pack("q", 0))
        library = shutil.copy(os.path.join(BIN, "..", "tests", "clock_ahead.so"), lab.dir)
        self.etc = os.path.join(lab.dir, "etc")
        run("cp", "-a", "/etc", self.etc)
        lab.file("etc/ld.so.preload", library + "\n")

    def argv(self):
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind "$1" /etc && shift && exec "$@"', "sh", self.etc] + super().argv()

    def jump(self, ns):
        with open(self.ahead, "r+b", buffering=0) as f:
            f.write(struct.pack("q", ns))


class Soak:
    def __init__(self, lab, seconds, seed, say=lambda text: None):
        self.lab, self.seconds, self.seed, self.say = lab, seconds, seed, say
        self.random = random.Random(seed)
        self.faults = []  # what is wrong with Weir: sentences
        self.kills = {}  # (kind, instance): how many
        self.windows = []  # (from, to) on the monotonic clock: frames may be lost unsaid
        self.wire = []  # (monotonic, packets) as the kernel counts them
        self.samples = []  # (monotonic, {process: (pid, private bytes)})
        self.counts = {}  # what was done, for the report
        self.calm = None  # since when nothing is broken by us
        self.expected = {}  # pid by process; empty while we kill
        self.witnesses = []  # (monotonic, client's port) of names that were asked for and answered
        self.ledger = {}  # path of what was made: True it must be there, False it must not, None nobody knows
        self.lock = threading.Lock()
        self.over = threading.Event()

    # --- what is said

    def wrong(self, text):
        with self.lock:
            if len(self.faults) < 100:
                self.faults.append(text)
        self.say(f"WRONG: {text}")

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + n

    # --- set-up

    def prepare(self):
        lab = self.lab
        self.disk = os.path.join(lab.dir, "disk")
        os.mkdir(self.disk)
        run("mount", "-t", "tmpfs", "-o", f"size={(96 << 20) + (self.seconds << 16)},mode=0755", "weirlab", self.disk)
        lab.mounts.append(self.disk)
        lab.serve_tls()
        lab.serve_dns()
        self.slapd = Slapd(lab, lab.mon).start().fill()
        secret = lab.file("bind-password", "what weir binds with\n", 0o600)
        self.provider = in_namespace(lab.mon, lambda: Provider(port=8470)).start()
        self.provider.control(user={"sub": "sub-olga", "preferred_username": "olga", "name": "Olga", "groups": ["noc"]})
        client = lab.file("client-secret", self.provider.secret + "\n", 0o600)
        oidc = {"name": "corp", "issuer": self.provider.issuer, "client_id": self.provider.client, "client_secret_file": client, "insecure": True,
                "timeout": "3s", "groups": ["noc => operators"]}
        self.weir = ClockedWeir(lab, data=os.path.join(self.disk, "weir"), settings=directory_settings(self.slapd, secret, **{
            # Whoever cannot log out while something is broken keeps a session: ours, the oldest, is to stay all the same.
            "authd.sessions_per_user": 1000, "engine.dpi": True, "store.commit_interval": "200ms", "engine.active_timeout": "5s", "ldap.timeout": "3s",
            "oidc": [oidc]})).start()
        self.api = self.weir.setup()
        for name, role in (("operators", "operator"), ("viewers", "viewer")):
            run(weir_binary(), "group", "add", name, "--tenant", "*", "--role", role, "-c", self.weir.config())
        self.alice = self.come_in("alice", PEOPLES)
        answer = self.api.post("/api/v1/tokens", {"label": "soak", "tenant": "*", "role": "platform-administrator"})
        if answer.status != 201:
            raise AssertionError(f"a token: {answer!r}")
        self.token = self.weir.api()
        self.token.bearer = answer.json["secret"]
        wait_for("the interface to be up", lambda: self.api.interface("ports")["state"] == "up")
        self.started = int(time.time()) // 60 * 60
        self.whole = self.sums()
        self.expected = self.weir.wait_processes(KINDS)
        self.kinds = sorted({kind for kind, _ in self.expected})
        self.first_files = self.open_files()

    def come_in(self, name, password):
        api = FarApi(self.weir.ns, "127.0.0.1", self.weir.https)
        return self.weir.admitted(api, "/api/v1/login", {"name": name, "password": password})

    # --- load

    def load(self):
        """Traffic that is not API: ended by its ids."""
        lab = self.lab
        out = [lab.load(24 * 3600, "8M")[0], lab.spawn(lab.client, "ping", "-q", "-i", "0.2", SERVER, log="ping"),
               lab.spawn(lab.client, "sh", "-c", f"while :; do curl -sk -m 5 -o /dev/null https://{SERVER}/1k; sleep 0.3; done", log="curl"),
               lab.spawn(lab.client, "/usr/bin/python3", "-I", "-c", SPRAY, SERVER, log="spray")]
        return out

    def rest(self, seconds):
        return not self.over.wait(seconds)

    def ask(self, api, method, path, body=None, good=(200,), headers=None, meanwhile=()):
        """The answer, or None where Weir could not give one while we keep something broken. All else is a fault. meanwhile: what may also come then."""
        began = time.monotonic()
        try:
            answer = api.request(method, path, body, headers, timeout=20)
            status, text = answer.status, repr(answer)
        except OSError as e:
            answer, status, text = None, None, f"{type(e).__name__}: {e}"
        except Exception as e:  # http.client's, of an answer that was cut
            answer, status, text = None, None, f"{type(e).__name__}: {e}"
        self.count("requests")
        if status in good:
            return answer
        with self.lock:
            calm = self.calm is not None and began > self.calm
        if self.over.is_set():
            return None
        if calm or status not in (None, 429, 503, 504, *meanwhile):
            self.wrong(f"{method} {path}: {text} (asked {'in calm' if calm else 'while something was broken'})")
        self.count("requests that were put off")
        return None

    def read(self, seed):
        rng = random.Random(seed)
        while self.rest(0.05):
            api = rng.choice((self.api, self.token))
            what = rng.random()
            if what < 0.7:
                self.ask(api, "GET", f"/api/v1/{rng.choice(READS)}")
            elif what < 0.85:
                # A host is not known yet when store and engine have just come back.
                self.ask(self.token, "GET", f"/lua/rest/v2/{rng.choice(GUIDE)}", meanwhile=(404,))
            elif what < 0.95:
                self.ask(self.token, "GET", f"/api/v1/{rng.choice(TABLES)}")
            else:
                self.ask(self.token, "GET", "/metrics")

    def keep(self):
        """Sessions and tokens that are there stay."""
        while self.rest(0.3):
            for api in (self.api, self.alice, self.token):
                self.ask(api, "GET", "/api/v1/me")

    def watch(self, path):
        while self.rest(0.2):
            try:
                for kind, _ in self.token.events(30, path):
                    self.count(f"events of {path}")
                    if self.over.is_set():
                        break
                    if kind == "end":
                        self.wrong(f"{path}: the stream of a token that is good ended")
            except (OSError, ValueError, AssertionError):
                with self.lock:
                    calm = self.calm is not None and time.monotonic() - self.calm > 30 * PATIENCE
                if calm and not self.over.is_set():
                    self.wrong(f"{path}: the stream broke off in calm")
                self.count("streams that broke off")

    def enter(self):
        """People come and go: Weir's own and the directory's."""
        n = 0
        while self.rest(0.4):
            n += 1
            name, password = (("carol", PEOPLES), ("admin", None))[n % 2]
            api = FarApi(self.weir.ns, "127.0.0.1", self.weir.https)
            broken = self.slapd_away
            with self.lock:
                calm = self.calm is not None and time.monotonic() - self.calm > 30 * PATIENCE
            # While the directory, or the process that asks it, is away, its people are told what a stranger is told; so they are until authd has
            # seen that it is back.
            good = (200,) + ((401, 503) if name == "carol" and (broken or not calm) else (503,) if broken else ())
            answer = self.ask(api, "POST", "/api/v1/login", {"name": name, "password": password or PASSWORD}, good)
            if answer is not None and answer.status == 200:
                api.took(answer)
                self.count("logins")
                self.ask(api, "POST", "/api/v1/logout", good=(204,))

    def leave(self, browser):
        """Logs out who came by a browser, where Weir says what its session's token against forgery is."""
        cookie = {"Cookie": f"{SESSION}={browser.cookies[SESSION]}"}
        me = self.ask(browser.api, "GET", "/api/v1/me", headers=cookie)
        if me is not None:
            self.ask(browser.api, "POST", "/api/v1/logout", good=(204,), headers={**cookie, "X-Weir-CSRF": me.json["csrf"]})

    def enter_by_provider(self):
        """Somebody of an OpenID Connect provider comes and goes."""
        while self.rest(0.7):
            b = Browser(self.weir)
            began = time.monotonic()
            with self.lock:
                calm = self.calm
            try:
                where = b.login()
            except (AssertionError, OSError, http.client.HTTPException) as e:
                where = f"{type(e).__name__}: {e}"
            if where == "/":
                self.count("logins at the provider")
                self.leave(b)
                continue
            self.count("logins at the provider that were put off")
            with self.lock:
                calm = calm is not None and calm == self.calm and began - calm > 2 * PATIENCE
            if calm and not self.provider_away and where != "/?login=throttled" and not self.over.is_set():
                self.wrong(f"a login at the provider in calm: {where}")

    def change(self, seed):
        rng = random.Random(seed)
        n = 0
        while self.rest(0.2):
            n += 1
            kind = rng.choice(("users", "tokens", "labels"))
            if kind == "labels":
                key = f"10.77.{n // 250 % 250}.{n % 250}"
                done = self.ask(self.token, "PUT", "/api/v1/labels", {"kind": "network", "key": f"{key}/32", "label": f"soak {n}"}, (204, 400, 404))
                if done is not None and done.status == 204:
                    self.count("changes")
                continue
            body = {"name": f"soak-{n}", "kind": "service"} if kind == "users" else {"label": f"soak-{n}"}
            made = self.ask(self.api, "POST", f"/api/v1/{kind}", body, (201,))
            path = f"/api/v1/users/soak-{n}"
            if made is None:
                if kind == "users":
                    self.ledger[path] = None
                continue
            self.count("changes")
            if kind == "tokens":
                path = f"/api/v1/tokens/{made.json['token']['id']}"
            self.ledger[path] = True
            if kind == "tokens" or rng.random() < 0.7:
                gone = self.ask(self.api, "DELETE", path, good=(204,))
                self.ledger[path] = False if gone is not None else None
                self.count("changes")

    def witness(self):
        """Names that are asked for from a port of their own."""
        port = 10000
        while self.rest(0.25):
            port = 10000 + (port - 9999) % 22000
            began = time.monotonic()
            done = self.lab.exec(self.lab.client, "dig", "-b", f"{CLIENT}#{port}", f"@{SERVER}", "+short", "+tries=1", "+time=5",
                                 f"w{port}.weir-test.example", check=False)
            if done.stdout.strip() == SERVER:
                self.witnesses.append((began, time.monotonic(), port))

    def sample(self):
        """The kernel's counters, who lives, and how much memory that takes."""
        last = 0.0
        while self.rest(0.1):
            try:
                self.wire.append((time.monotonic(), self.lab.link_counters(self.lab.mon, "ports")[1]))
            except (AssertionError, OSError):
                continue
            with self.lock:
                expected = dict(self.expected)
            now = self.weir.processes()
            with self.lock:
                for key, pid in expected.items() if expected == self.expected else ():
                    if now.get(key) != pid and os.path.exists(f"/proc/{pid}") is False and len(self.faults) < 100:
                        self.faults.append(f"{key} died by itself")
                        self.expected = {**self.expected, key: now.get(key)}
            if time.monotonic() - last >= 1:
                last = time.monotonic()
                now[("weir", 0)] = self.weir.process.pid
                self.samples.append((last, {k: (p, private(p)) for k, p in now.items()}))

    # --- faults

    def killing(self, *keys):
        pids = self.weir.processes()
        with self.lock:
            self.calm, self.expected = None, {k: p for k, p in self.expected.items() if k not in keys}
        began = time.monotonic()
        for key in keys:
            if key in pids:
                self.kills[key] = self.kills.get(key, 0) + 1
                os.kill(pids[key], signal.SIGKILL)
        if any(k[0] in LOSING for k in keys):
            self.windows.append([began - BEFORE, math.inf])

        def back():
            now = self.weir.processes()
            return all(now.get(k) and now[k] != pids.get(k) and sandboxed(now[k]) for k in keys) and now
        now = wait_for(f"{', '.join(k[0] for k in keys)} to be back", back, 20)
        with self.lock:
            self.expected = now
        if any(k[0] in LOSING for k in keys):
            wait_for("the interface to be up again", lambda: self.token.interface("ports")["state"] == "up", 30)
            before = self.token.interface("ports")["packets"]
            wait_for("its packets to be counted", lambda: self.token.interface("ports")["packets"] > before, 30)
            self.windows[-1][1] = time.monotonic() + AFTER

    def settled(self):
        """Nothing is broken any more: so Weir says it is well."""
        wait_for("a status of ok", lambda: (lambda h: h["status"] == "ok" and h["history"]["status"] == "ok")(self.token.ask("/api/v1/health")), 40)
        wait_for("a session to be good", lambda: self.api.get("/api/v1/me").status == 200)
        with self.lock:
            self.calm = time.monotonic()

    def broken(self):
        with self.lock:
            self.calm = None

    def fault_kill(self, kind):
        self.killing((kind, 0))

    def fault_kill_several(self):
        self.killing(*((k, 0) for k in self.random.sample(self.kinds, self.random.randint(2, 4))))

    def fault_disk(self, kind=None):
        """The disk is full; with kind that process dies meanwhile."""
        self.broken()
        filler = os.path.join(self.disk, "filler")
        try:
            def full():
                fill(filler)
                return self.token.ask("/api/v1/health")["history"]["status"] == "degraded"
            wait_for("the store to say that it cannot write", full, 60)
            if kind:
                key, pids = (kind, 0), self.weir.processes()
                with self.lock:
                    self.expected = {k: p for k, p in self.expected.items() if k != key}
                if kind in LOSING:
                    self.windows.append([time.monotonic() - BEFORE, math.inf])
                self.kills[key] = self.kills.get(key, 0) + 1
                os.kill(pids[key], signal.SIGKILL)
                wait_for(f"{kind} to be started again", lambda: self.weir.processes().get(key) not in (None, pids[key]), 20)
            self.rest(self.random.uniform(0.5, 2))
        finally:
            os.unlink(filler)
        if kind:
            now = wait_for("everybody to be back", lambda: (lambda n: n if {k[0] for k in n} >= set(self.kinds) and all(map(sandboxed, n.values())) else None)(
                self.weir.processes()), 40)
            with self.lock:
                self.expected = now

    def fault_clock(self, minutes):
        """The clock jumps, stays so, and jumps back."""
        self.broken()
        self.slapd_away = minutes < 0  # its certificate is not valid yet
        self.weir.jump(minutes * MINUTES)
        self.provider.control(faults={"clock": minutes * 60})  # what it signs is of our time
        try:
            self.settled()
            self.rest(self.random.uniform(1, 3))
        finally:
            self.broken()
            self.weir.jump(0)
            self.provider.control(faults={})
            self.slapd_away = False

    def fault_directory(self, how):
        self.broken()
        self.slapd_away = True
        if how == "silent":
            os.kill(self.slapd.process.pid, signal.SIGSTOP)
        else:
            self.slapd.stop()
        try:
            self.settled()  # who is away is the directory, not Weir
            self.rest(self.random.uniform(1, 3))
            if how == "silent":
                self.killing(("directory", 0))
        finally:
            self.broken()
            if how == "silent":
                os.kill(self.slapd.process.pid, signal.SIGCONT)
            else:
                self.slapd.start()
            self.come_in("erin", PEOPLES)
            self.slapd_away = False

    slapd_away = provider_away = False

    def fault_provider(self, how):
        """The provider takes no code: it breaks off, or says nothing."""
        self.provider_away = True
        self.provider.control(faults={how: "token"})
        try:
            self.settled()
            self.rest(self.random.uniform(1, 4))
        finally:
            self.provider.control(faults={})
            self.broken()
            self.provider_away = False

    def fault_none(self):
        """No fault: what may be done beside a Weir that runs."""
        self.looked_at("while it runs")

    def round(self):
        """Every fault once, in an order of the seed's."""
        out = [("kill " + k, self.fault_kill, k) for k in self.kinds]
        out += [("kill several", self.fault_kill_several), ("disk full", self.fault_disk), ("disk full, store killed", self.fault_disk, "store"),
                ("disk full, authd killed", self.fault_disk, "authd"), ("clock 20 minutes ahead", self.fault_clock, 20),
                ("clock 20 minutes back", self.fault_clock, -20), ("directory down", self.fault_directory, "down"),
                ("directory silent", self.fault_directory, "silent"), ("provider down", self.fault_provider, "down"),
                ("provider silent", self.fault_provider, "silent"), ("check and verify", self.fault_none)]
        self.random.shuffle(out)
        return out

    # --- what must be true

    def looked_at(self, when):
        status, d = check(self.weir)
        if (status, d["faults"]) != (0, []):
            self.wrong(f"weir store check {when}: {d}")
        status, d = verify(self.weir)
        if (status, d["whole"]) != (0, True):
            self.wrong(f"weir audit verify {when}: {d}")

    def sums(self):
        """What the kernel, the interface's series, flows and counters say, once they do not move any more."""
        def look():
            wire = self.lab.link_counters(self.lab.mon, "ports")[1]
            health = self.api.ask("/api/v1/health")
            flows = self.api.ask("/api/v1/flows/top?by=protocol&from=1000000000&to=4000000000")["all"]
            series = self.api.ask(f"/api/v1/timeseries?subject=interface&key=ports&resolution=60&from={self.started}&to={int(time.time()) + 120}")
            live = len(self.api.all("/api/v1/flows", "flows"))
            return {"wire": wire, "packets": self.api.interface("ports")["packets"], "series": sum(p[2] for p in series["points"]),
                    "kept": flows["flows"], "kept packets": flows["packets"], "live": live,
                    "undecoded": sum(c["count"] for c in health["undecoded"]),
                    "ended": sum(c["count"] for c in health["counters"] if c["place"].startswith("engine.ended.")),
                    "stored": stored(self.api), "drops": {c["place"]: c["count"] for c in health["drops"]}}
        seen = []

        def still():
            seen.append(look())
            return len(seen) > 2 and seen[-1]["live"] == 0 and seen[-1] == seen[-2] == seen[-3] and seen[-1]
        return wait_for("counters that do not move", lambda: time.sleep(0.7) or still(), 60)

    def in_window(self, begin, end):
        return any(begin <= w[1] and end >= w[0] for w in self.windows)

    def passed(self, begin, end):
        """Packets that crossed the wire within a time, by the samples around it."""
        at = [n for t, n in self.wire if t <= begin][-1:] or [self.wire[0][1]]
        to = [n for t, n in self.wire if t >= end][:1] or [self.wire[-1][1]]
        return to[0] - at[0]

    def judge_sums(self, before, after, exact):
        d = {k: after[k] - before[k] for k in after if k != "drops"}
        drops = sum(after["drops"].get(p, 0) - before["drops"].get(p, 0) for p in ("capture.kernel", "capture.ring_full"))
        self.say(f"{'calm' if exact else 'whole'}: {json.dumps(d)} dropped {drops}")
        if exact:
            for a, b, what in ((d["wire"], d["packets"] + drops, "packets of the wire, and those counted or dropped"),
                               (d["packets"], d["series"], "packets of the interface, and of its series"),
                               (d["packets"], d["kept packets"] + d["undecoded"], "packets, and those of kept flows or undecoded"),
                               (d["ended"], d["kept"], "flows that ended, and kept ones"), (d["stored"], d["kept"], "flows written, and kept ones")):
                if a != b:
                    self.wrong(f"in calm {what}: {a} and {b}")
            return
        merged = []
        for w in sorted(self.windows):
            if merged and w[0] <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], w[1])
            else:
                merged.append(list(w))
        unsaid = sum(self.passed(*w) for w in merged)
        self.say(f"{len(merged)} times frames could be lost unsaid: {unsaid} packets at most")
        for name in ("series", "kept packets"):
            if d[name] > d["wire"]:
                self.wrong(f"{name}: {d[name]}, but {d['wire']} packets crossed the wire")
            if d["wire"] - d[name] > unsaid + sum(after["drops"].values()) + (d["wire"] - d["series"] if name != "series" else 0) + 200:
                self.wrong(f"{name}: {d[name]} of {d['wire']} packets; deaths explain {unsaid}, counters {after['drops']}")

    def judge_witnesses(self):
        rows = self.api.all(f"/api/v1/flows?from={self.started}&to={time.time() + 60:.0f}&filter=dst+port+53", "flows")
        seen = {}
        for f in rows:
            if not f["live"] and f["client"]["ip"] == CLIENT:
                seen.setdefault(f["client"]["port"], []).append(f)
        for began, ended, port in self.witnesses:
            mine = seen.get(port, [])
            # A flow that waits for its end in an engine that dies has gone with it, or is kept as lost.
            if not mine and not self.in_window(began, ended + 5 * PATIENCE):
                self.wrong(f"the flow of port {port} is not in history")
            if sum(f["packets"]["sent"] for f in mine) > 1:
                self.wrong(f"the flow of port {port} is in history as {[(f['id'], f['slice'], f['packets']) for f in mine]}")
        self.say(f"{len(self.witnesses)} names asked for, {sum(p in seen for _, _, p in self.witnesses)} of them in history")

    def judge_ledger(self):
        for path, there in self.ledger.items():
            if there is None or not path.startswith("/api/v1/users/"):
                continue
            status = wait_for(path, lambda p=path: (lambda s: s if s in (200, 404) else None)(self.api.get(p).status))
            if (status == 200) != there:
                self.wrong(f"{path} answers {status}, but it was {'made' if there else 'removed'}")
        tokens = {f"/api/v1/tokens/{t['id']}" for t in self.api.all("/api/v1/tokens?all=true", "tokens")}
        for path, there in self.ledger.items():
            if there is not None and path.startswith("/api/v1/tokens/") and (path in tokens) != there:
                self.wrong(f"{path} is {'not ' if there else ''}there")

    def judge_processes(self):
        health = self.api.ask("/api/v1/health")
        for c in health["components"]:
            key = (c["process"], c["instance"])
            if c["restarts"] != self.kills.get(key, 0):
                self.wrong(f"{c['name']} was started again {c['restarts']} times, but killed {self.kills.get(key, 0)} times: {c['why']}")
        for c in health["drops"]:
            if c["place"] not in EXPLAINED:
                self.wrong(f"a loss that nothing explains: {c}")
        log = self.weir.log()
        for pattern in (r".*signal (?:4|6|7|8|11|31)\b.*", r".*SIG(?:SYS|SEGV|ABRT|BUS|ILL).*", r".*[Aa]ssert.*"):
            for line in re.findall(pattern, log)[:5]:
                self.wrong(f"in the log: {line}")
        for secret in (PEOPLES, "what weir binds with", "nine grey herons", self.provider.secret, self.token.bearer):
            if secret in log:
                self.wrong("a secret is in the log")

    def judge_memory(self):
        """What a process has for itself at a third of the time, and at the end; one that was started anew may have less."""
        begin, end = self.samples[0][0], self.samples[-1][0]
        for key in sorted(self.samples[-1][1]):
            took = [(t, s[key][1]) for t, s in self.samples if key in s]
            third = max((m for t, m in took if t - begin <= (end - begin) * 0.4 and t - begin >= (end - begin) * 0.2), default=0)
            last = max((m for t, m in took if t - begin >= (end - begin) * 0.9), default=0)
            self.say(f"memory of {key[0]}: {third >> 10} KiB at a third, {last >> 10} KiB at the end")
            if last > third * 1.25 + (12 << 20):
                self.wrong(f"{key[0]} has {last >> 10} KiB at the end, {third >> 10} KiB at a third of the time")

    def open_files(self):
        """Descriptors by process and kind, without those of segments of flows, which come and go."""
        out = {}
        for key, pid in {**self.weir.processes(), ("weir", 0): self.weir.process.pid}.items():
            kinds = {}
            for fd in os.listdir(f"/proc/{pid}/fd"):
                try:
                    to = os.readlink(f"/proc/{pid}/fd/{fd}")
                except OSError:
                    continue
                if "flows-" in to and "(deleted)" not in to:
                    continue
                kind = re.sub(r"\d+", "", to) if to.startswith(("socket:", "pipe:", "anon_inode:", "/memfd")) else to
                kinds[kind] = kinds.get(kind, 0) + 1
            out[key] = kinds
        return out

    def judge_files(self):
        def same():
            self.more = [f"{key[0]}: {n} of {kind}, {self.first_files.get(key, {}).get(kind, 0)} at the beginning" for key, kinds in self.open_files().items()
                         for kind, n in kinds.items() if n > self.first_files.get(key, {}).get(kind, 0)]
            return not self.more
        try:
            wait_for("descriptors to go", same, 20)
        except AssertionError:
            for text in self.more:
                self.wrong(f"descriptors of {text}")

    def judge_directory(self):
        for root, _, names in os.walk(self.weir.data):
            for n in names:
                path = os.path.relpath(os.path.join(root, n), self.weir.data)
                if not FILES.fullmatch(path):
                    self.wrong(f"{path} was left behind in the data directory")
        left = os.listdir(self.weir.settings["run_directory"])
        if left != ["lock"]:
            self.wrong(f"left behind in the run directory: {left}")

    # --- all of it

    def run(self):
        """Whether all was as it must be; faults and counts say more."""
        self.prepare()
        traffic = self.load()
        wait_for("the first traffic", lambda: self.token.get(f"/api/v1/hosts/{CLIENT}").status == 200, 30)
        self.settled()
        workers = [threading.Thread(target=self.guarded, args=a, daemon=True) for a in (
            (self.sample,), (self.read, self.seed + 1), (self.read, self.seed + 2), (self.keep,), (self.watch, "/api/v1/live"),
            (self.watch, "/api/v1/flows/live"), (self.enter,), (self.enter_by_provider,), (self.change, self.seed + 3), (self.witness,))]
        for w in workers:
            w.start()
        begin = time.monotonic()
        try:
            rounds = 0
            while rounds == 0 or time.monotonic() - begin < self.seconds:
                for name, fault, *arguments in self.round():
                    if rounds > 0 and time.monotonic() - begin >= self.seconds:
                        break
                    self.say(f"{time.monotonic() - begin:7.1f} s {name}")
                    try:
                        fault(*arguments)
                        self.settled()
                    except (AssertionError, OSError, Unavailable) as e:
                        self.wrong(f"{name}: {e}")
                    self.count("faults")
                    self.rest(self.random.uniform(0.1, 1.0))
                rounds += 1
        finally:
            self.over.set()
            for w in workers:
                w.join(60 * PATIENCE)
                if w.is_alive():
                    self.wrong("a client never ended")
            for p in traffic:
                self.lab.end(p)
        self.say("the end of faults")
        after = self.sums()
        self.judge_sums(self.whole, after, False)
        traffic = [self.lab.load(24 * 3600, "8M")[0], self.lab.spawn(self.lab.client, "/usr/bin/python3", "-I", "-c", SPRAY, SERVER, log="spray")]
        wait_for("more packets", lambda: self.api.interface("ports")["packets"] > after["packets"] + 2000, 30)
        for p in traffic:
            self.lab.end(p)
        self.judge_sums(after, self.sums(), True)
        self.judge_witnesses()
        self.judge_ledger()
        self.judge_processes()
        self.judge_memory()
        self.judge_files()
        self.looked_at("at the end")
        self.weir.stop()
        self.looked_at("after it was stopped")
        self.judge_directory()
        self.say(json.dumps(self.counts))
        self.provider.stop()
        run("umount", self.disk)
        self.lab.mounts.remove(self.disk)
        return not self.faults

    def guarded(self, function, *arguments):
        try:
            function(*arguments)
        except BaseException as e:  # a client of ours that broke is no test of Weir
            self.wrong(f"{function.__name__}: {type(e).__name__}: {e}")


def fill(path):
    with open(path, "ab", buffering=0) as f:
        for size in (1 << 20, 4096):
            try:
                while f.write(b"\0" * size) == size:
                    pass
            except OSError:
                pass


def private(pid):
    """Bytes of memory that is a process's own."""
    try:
        return int(re.search(r"^RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read(), re.M).group(1)) << 10
    except (OSError, AttributeError):
        return 0


def stored(api):
    answer = api.get("/metrics")
    if answer.status != 200:
        raise Unavailable(repr(answer))
    return int(re.search(rb"^weir_flow_records_stored_total (\d+)", answer.body, re.M).group(1))


def main():
    a = argparse.ArgumentParser(description="A whole Weir under mixed load and faults.")
    a.add_argument("-t", type=int, default=3600, metavar="SECONDS", help="how long (default: 3600); one round of every fault at least")
    a.add_argument("-s", type=int, default=None, metavar="SEED", help="of the order of faults and requests (default: another each time)")
    o = a.parse_args()
    seed = random.SystemRandom().randrange(1 << 31) if o.s is None else o.s
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"soak: {o.t} s, seed {seed}", flush=True)
    lab = Lab("soak")
    try:
        soak = Soak(lab, o.t, seed, lambda text: print(text, flush=True))
        soak.run()
    finally:
        lab.close()
    print("\n".join(soak.faults) + f"\nsoak: {len(soak.faults)} faults")
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
