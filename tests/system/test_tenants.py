"""Many parties and one monitor: two customers with the same addresses, who each see their own and nothing else, and the doors through
which they are administered."""

import base64
import contextlib
import csv
import grp
import hashlib
import hmac
import io
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
import unittest
from collections import Counter

from weirlab import PASSWORD, PATIENCE, LabTest, Unavailable, Weir, in_namespace, run, wait_for, weir_binary

LOCAL, SERVER = "10.0.0.1", "10.0.0.2"
REMOTE = {"acme": "203.0.113.10", "beta": "203.0.113.20"}
PORT = {"acme": 8001, "beta": 8002}
SPACE = {"acme": 1, "beta": 2}
OTHER = {"acme": "beta", "beta": "acme"}


class Customer:
    """A client and a server behind a bridge of the monitor's; both customers have the very same addresses.

    Besides 10.0.0.2 the server has an address out in the world, which differs, so that it can be searched for in what others see."""

    def __init__(self, lab, name):
        self.lab, self.name, self.interface = lab, name, f"{name}0"
        self.client, self.server = lab.namespace(f"{name}-c"), lab.namespace(f"{name}-s")
        lab.sysctl(lab.mon, "net.ipv6.conf.all.disable_ipv6", 1)
        lab.sysctl(lab.mon, "net.ipv6.conf.default.disable_ipv6", 1)
        run("ip", "-n", lab.mon, "link", "add", f"br-{name}", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
        run("ip", "-n", lab.mon, "link", "set", f"br-{name}", "up")
        for ns, port, addresses in ((self.client, f"{name}1", [f"{LOCAL}/8"]), (self.server, self.interface, [f"{SERVER}/8", f"{REMOTE[name]}/32"])):
            run("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", port, "netns", lab.mon)
            run("ip", "-n", lab.mon, "link", "set", port, "master", f"br-{name}", "up")
            for a in addresses:
                run("ip", "-n", ns, "addr", "add", a, "dev", "eth0")
            run("ip", "-n", ns, "link", "set", "eth0", "up")
        run("ip", "-n", self.client, "route", "add", f"{REMOTE[name]}/32", "dev", "eth0")
        run("ip", "-n", self.server, "route", "add", "default", "via", LOCAL, "dev", "eth0")
        self.stopping = False
        self.threads = []

    def talk(self):
        """Until stop(): a connection to each of the server's addresses over which something goes all the time."""
        def listen():
            s = socket.create_server(("0.0.0.0", PORT[self.name]))
            s.settimeout(0.2)
            return s
        listener = in_namespace(self.server, listen)
        opened = []

        def serve():
            while not self.stopping:
                with contextlib.suppress(OSError):
                    c, _ = listener.accept()
                    opened.append(c)
                for c in list(opened):
                    c.setblocking(False)
                    with contextlib.suppress(OSError):
                        while c.recv(65536):
                            c.send(b"y" * 300)
            listener.close()

        def speak(address):
            c = in_namespace(self.client, lambda: socket.create_connection((address, PORT[self.name]), 10 * PATIENCE))
            opened.append(c)
            while not self.stopping:
                with contextlib.suppress(OSError):
                    c.send(b"x" * 1000)
                time.sleep(0.2)

        for target, args in ((serve, ()), (speak, (SERVER,)), (speak, (REMOTE[self.name],))):
            t = threading.Thread(target=target, args=args, daemon=True)
            t.start()
            self.threads.append(t)

    def stop(self):
        self.stopping = True
        for t in self.threads:
            t.join()


DOCUMENT = """
tenants:
  - name: acme
    title: Acme Ltd
    selectors:
      - interface: acme0
    address_spaces: [1]
  - name: beta
    selectors:
      - interface: beta0
    address_spaces: [2]
    quotas: {retention: 30d}
users:
  - name: alice
    kind: person
    access:
      - {tenant: acme, role: tenant-administrator}
  - name: bob
    kind: person
    access:
      - {tenant: beta, role: viewer}
  - name: both
    kind: person
    access:
      - {tenant: acme, role: viewer}
      - {tenant: beta, role: operator}
  - name: mallory
    kind: person
    access:
      - {tenant: acme, role: limited-viewer, masked: yes}
  - name: noc
    kind: service
groups:
  - name: night-shift
    members: [noc]
    access:
      - {tenant: acme, role: viewer}
"""


class TenantTest(LabTest):
    settings = {}

    @classmethod
    def prepare(cls):
        cls.customers = {n: Customer(cls.lab, n) for n in ("acme", "beta")}
        cls.weir = Weir(cls.lab, interfaces=("acme0", "beta0"),
                        settings={"address_spaces": ["acme0=1", "beta0=2"], "engine.idle_timeout": "30s", "engine.active_timeout": "5s",
                                  **cls.settings}).start()
        cls.api = cls.weir.setup()
        for c in cls.customers.values():
            c.talk()
            cls.addClassCleanup(c.stop)
        cls.file = cls.lab.file("customers.yaml", DOCUMENT)
        cls.cli("apply", cls.file)
        for user in ("alice", "bob", "both", "mallory"):
            cls.cli("user", "password", user, "--password-file", "-", stdin=f"{PASSWORD} of {user}\n")

    # --- the command line

    @classmethod
    def weir_cli(cls, *words, stdin=None, user=None, group=None):
        """A finished process, whatever its status."""
        argv = [weir_binary(), *[w if isinstance(w, bytes) else str(w) for w in words], "-c", os.path.join(cls.lab.dir, "weir.yaml")]
        return subprocess.run(argv, input=stdin.encode() if stdin is not None else b"", capture_output=True, timeout=60 * PATIENCE,
                              user=user, group=group, extra_groups=[] if user is not None else None)

    @classmethod
    def cli(cls, *words, **kw):
        done = cls.weir_cli(*words, **kw)
        if done.returncode != 0:
            raise AssertionError(f"weir {words}: exit status {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout.decode()

    @classmethod
    def told(cls, *words, **kw):
        return json.loads(cls.cli(*words, "--json", **kw))

    # --- who asks

    def login(self, user):
        return self.weir.login(user, f"{PASSWORD} of {user}")

    def bearer(self, token, tenant=None):
        api = self.weir.api()
        api.bearer, api.tenant = token, tenant
        return api

    def token(self, *words):
        """A new token's text, and its id."""
        d = self.told("token", "add", *words)
        return d["secret"], d["token"]["id"]

    def problem(self, answer, status, field=None):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        if field is not None:
            self.assertEqual([e["field"] for e in answer.json.get("errors", [])], [field], answer)
        return answer.json


class Views(TenantTest):
    """Each sees the own: live, by id, in sums, in history and in series."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.began = time.time()
        cls.apis = {}
        for user, tenant in (("alice", "acme"), ("bob", "beta")):
            api = cls.weir.login(user, f"{PASSWORD} of {user}")
            cls.apis[tenant] = api
            wait_for(f"{tenant}'s flows to be kept", lambda a=api: len(a.ask(f"/api/v1/flows?from={cls.began - 60:.0f}")["flows"]) >= 2, 60)

    def everything(self, api):
        """All that a caller can be told, as text by what was asked."""
        now = time.time()
        told = {}
        for path in ("interfaces", "hosts?limit=1000", "devices?limit=1000", "flows?limit=1000", f"flows?from={self.began - 60:.0f}&limit=1000",
                     "applications", "totals", "timeseries", "me", "health", f"timeseries?from={now - 60:.0f}"):
            told[path] = api.ask(f"/api/v1/{path}")
        for path in ("interfaces", "hosts", "devices", "flows", f"flows?from={self.began - 60:.0f}", "applications", "timeseries/subjects?subject=host"):
            for kind in ("text/csv", "application/x-ndjson"):
                told[f"{path} {kind}"] = api.get(f"/api/v1/{path}", headers={"Accept": kind}).body.decode()
        for f in told["flows?limit=1000"]["flows"]:
            told[f"flows/{f['id']}"] = api.ask(f"/api/v1/flows/{f['id']}")
        for h in told["hosts?limit=1000"]["hosts"]:
            path = f"hosts/{h['ip']}?vlan={h['vlan']}&space={h['address_space']}"
            told[path] = api.ask(f"/api/v1/{path}")
        events = api.events(15)
        for name, data in events:
            if name == "live":
                told["live"] = data
                break
        events.close()
        return told

    def test_each_sees_the_own_and_nothing_else(self):
        for tenant, api in self.apis.items():
            other = OTHER[tenant]
            told = self.everything(api)
            text = json.dumps(told)
            self.assertNotIn(REMOTE[other], text)
            self.assertNotIn(f"{other}0", text)
            self.assertIn(REMOTE[tenant], json.dumps(told["live"]))
            for path in ("flows?limit=1000", f"flows?from={self.began - 60:.0f}&limit=1000"):
                flows = [f for f in told[path]["flows"] if f["protocol"] == "TCP"]
                self.assertGreaterEqual(len(flows), 2, path)
                for f in flows:
                    self.assertEqual((f["observation_point"], f["address_space"], f["server"]["port"]), (f"{tenant}0", SPACE[tenant], PORT[tenant]), f)
            self.assertEqual({h["address_space"] for h in told["hosts?limit=1000"]["hosts"]}, {SPACE[tenant]})
            self.assertEqual({i["name"] for i in told["interfaces"]["interfaces"]} - {f"{tenant}0"}, set())

    def test_sums_are_of_the_own_flows(self):
        """What one's lists say in all is no more than what went over one's own wire, and the platform has both."""
        ours = {t: sum(h["bytes"]["sent"] for h in a.all("/api/v1/hosts", "hosts")) for t, a in self.apis.items()}
        for tenant, api in self.apis.items():
            wire = self.lab.link_counters(self.lab.mon, f"{tenant}0")[0]
            self.assertLessEqual(ours[tenant], wire)
            self.assertLessEqual(api.ask("/api/v1/totals")["totals"]["bytes"], self.lab.link_counters(self.lab.mon, f"{tenant}0")[0])
            apps = sum(a["bytes"] for a in api.ask("/api/v1/applications?limit=1000")["applications"])
            self.assertLessEqual(apps, self.lab.link_counters(self.lab.mon, f"{tenant}0")[0])
        spaces = {h["address_space"] for h in self.api.all("/api/v1/hosts", "hosts")}
        self.assertLessEqual({1, 2}, spaces)

    def test_the_same_address_is_two_hosts(self):
        hosts = {}
        for tenant, api in self.apis.items():
            h = api.ask(f"/api/v1/hosts/{SERVER}?space={SPACE[tenant]}")
            self.assertEqual([p["port"] for p in h["ports"]["served"]] or [PORT[tenant]], [PORT[tenant]])
            hosts[tenant] = h
        self.assertNotEqual(hosts["acme"]["mac"], hosts["beta"]["mac"])

    def test_guesses(self):
        """What is another's answers as what is not there: to the byte."""
        for tenant, api in self.apis.items():
            other = self.apis[OTHER[tenant]]
            unknown = self.problem(api.get("/api/v1/flows/" + "0" * 32), 404)
            for path in ("/api/v1/flows", f"/api/v1/flows?from={self.began - 60:.0f}"):
                for f in other.all(path, "flows"):
                    answer = api.get(f"/api/v1/flows/{f['id']}")
                    self.assertEqual(self.problem(answer, 404), unknown)
            for path in (f"hosts/{SERVER}?space={SPACE[OTHER[tenant]]}", f"hosts/{REMOTE[OTHER[tenant]]}", f"hosts/{REMOTE[OTHER[tenant]]}?space={SPACE[OTHER[tenant]]}",
                         "hosts/198.51.100.99"):
                self.assertEqual(self.problem(api.get(f"/api/v1/{path}"), 404), unknown)
            for a, b in ((f"hosts?interface={OTHER[tenant]}0", "hosts?interface=nosuch0"), (f"flows?interface={OTHER[tenant]}0", "flows?interface=nosuch0"),
                         (f"flows?host={REMOTE[OTHER[tenant]]}", "flows?host=198.51.100.99"),
                         (f"timeseries?subject=interface&key={OTHER[tenant]}0", "timeseries?subject=interface&key=nosuch0")):
                x, y = (api.ask(f"/api/v1/{p}") for p in (a, b))
                for d in (x, y):
                    for k in ("now", "key"):
                        d.pop(k, None)
                self.assertEqual(x, y, a)

    def test_one_session_and_two_tenants(self):
        """By name in each request; the first is the default; what is none of one's own is not there."""
        api = self.login("both")
        for tenant in ("acme", "beta"):
            told = json.dumps([api.get(f"/api/v1/{p}", headers={"Weir-Tenant": tenant}).json for p in ("flows", "hosts", "interfaces")])
            self.assertIn(REMOTE[tenant], told)
            self.assertNotIn(REMOTE[OTHER[tenant]], told)
            self.assertEqual(api.get("/api/v1/me", headers={"Weir-Tenant": tenant}).json["tenant"], tenant)
        self.assertEqual(api.ask("/api/v1/me")["tenant"], "acme")
        missing = self.problem(api.get("/api/v1/flows", headers={"Weir-Tenant": "gamma"}), 404)
        self.assertEqual(self.problem(self.apis["acme"].get("/api/v1/flows", headers={"Weir-Tenant": "beta"}), 404), missing)
        self.assertEqual(api.get("/api/v1/flows").status, 200)
        self.assertEqual(api.ask("/api/v1/me")["account"]["tenants"], ["acme", "beta"])

    def test_a_masked_viewer_never_sees_a_remote_address(self):
        api = self.login("mallory")
        told = self.everything(api)
        self.assertGreaterEqual(len(told["flows?limit=1000"]["flows"]), 1)
        for path, d in told.items():
            self.assertNotIn(REMOTE["acme"], json.dumps(d), path)
        unknown = self.problem(api.get("/api/v1/hosts/198.51.100.99"), 404)
        self.assertEqual(self.problem(api.get(f"/api/v1/hosts/{REMOTE['acme']}?space=1"), 404), unknown)
        # Nor can it be searched for: a hit would say that it is there.
        for path in (f"flows?host={REMOTE['acme']}", f"flows?host={REMOTE['acme']}&from={self.began - 60:.0f}"):
            x, y = api.get(f"/api/v1/{path}"), api.get(f"/api/v1/{path.replace(REMOTE['acme'], '198.51.100.99')}")
            self.assertEqual(x.status, y.status)
            if x.status == 200:
                self.assertEqual(x.json["flows"], y.json["flows"])

    def test_tables_are_the_pages(self):
        """As CSV and NDJSON each gets the rows that the own pages have: whole, masked, narrowed."""
        narrow = self.bearer(self.token("--user", "alice", "--label", "tables", "--tenant", "acme", "--network", "203.0.113.0/24", "--scope", "traffic:read")[0])
        for who, api in (("whole", self.apis["acme"]), ("masked", self.login("mallory")), ("narrowed", narrow), ("other", self.apis["beta"])):
            path = f"/api/v1/flows?from={self.began - 60:.0f}&to={time.time():.0f}"

            def same(api=api, path=path):
                pages = api.all(path, "flows")
                lines = [json.loads(line) for line in api.get(path + "&format=ndjson").body.decode().splitlines()]
                rows = list(csv.DictReader(io.StringIO(api.get(path, headers={"Accept": "text/csv"}).body.decode(), newline="")))
                return pages == lines and [(f["id"], f["client"]["ip"], f["server"]["ip"], str(f["bytes"]["sent"])) for f in pages] == [
                    (r["id"], r["client.ip"], r["server.ip"], r["bytes.sent"]) for r in rows] and pages
            self.assertGreaterEqual(len(wait_for(f"the tables of who is {who}", same, 30)), 1)

    def test_a_token_that_is_narrowed(self):
        """To its interface, and to its networks: one of the two flows has an end in 203.0.113.0/24, the other has not."""
        text, _ = self.token("--user", "alice", "--label", "narrow", "--tenant", "acme", "--network", "203.0.113.0/24", "--scope", "traffic:read")
        api = self.bearer(text)
        flows = wait_for("the flow within", lambda: api.all("/api/v1/flows", "flows"))
        self.assertEqual({f["server"]["ip"] for f in flows}, {REMOTE["acme"]})
        kept = wait_for("the kept one within", lambda: api.all(f"/api/v1/flows?from={self.began - 60:.0f}", "flows"), 30)
        self.assertEqual({f["server"]["ip"] for f in kept}, {REMOTE["acme"]})
        for f in self.apis["acme"].all("/api/v1/flows", "flows"):
            if f["server"]["ip"] == SERVER:
                self.problem(api.get(f"/api/v1/flows/{f['id']}"), 404)
        text, _ = self.token("--user", "alice", "--label", "elsewhere", "--tenant", "acme", "--interface", "acme1", "--scope", "traffic:read")
        api = self.bearer(text)
        self.assertEqual((api.all("/api/v1/flows", "flows"), api.all("/api/v1/hosts", "hosts")), ([], []))
        self.problem(api.get("/api/v1/users"), 403)  # beyond its scopes, whatever its owner may


class Rights(TenantTest):
    """What is taken away is gone at the next request."""

    settings = {"authd.sessions_per_user": 3}

    def test_a_role_that_was_lowered(self):
        self.cli("user", "add", "carol", "--tenant", "acme", "--role", "tenant-administrator", "--password-file", "-", stdin=f"{PASSWORD} of carol\n")
        api = self.login("carol")
        self.assertEqual(api.get("/api/v1/users").status, 200)
        self.cli("user", "set", "carol", "--tenant", "acme", "--role", "viewer")
        self.assertIn(api.get("/api/v1/users").status, (401, 403))
        api = self.login("carol")
        self.assertEqual(api.ask("/api/v1/me")["role"], "viewer")
        self.problem(api.get("/api/v1/users"), 403)
        self.assertEqual(api.get("/api/v1/flows").status, 200)

    def test_another_tenant(self):
        self.cli("user", "add", "dora", "--tenant", "acme", "--role", "viewer", "--password-file", "-", stdin=f"{PASSWORD} of dora\n")
        api = self.login("dora")
        wait_for("flows of acme", lambda: any(f["server"]["port"] == PORT["acme"] for f in api.ask("/api/v1/flows")["flows"]), 30)
        self.cli("user", "set", "dora", "--tenant", "beta", "--role", "viewer")
        answer = api.get("/api/v1/flows")
        if answer.status == 200:
            self.assertFalse([f for f in answer.json["flows"] if f["server"]["port"] == PORT["acme"]])
        else:
            self.problem(answer, 401)

    def test_a_token_that_was_removed(self):
        text, token_id = self.token("--user", "noc", "--label", "gone", "--tenant", "acme")
        api = self.bearer(text)
        self.assertEqual(api.get("/api/v1/flows").status, 200)
        self.assertEqual(api.get("/api/v1/me").json["name"], "noc")
        events = api.events(20)
        self.assertEqual(next(events)[0], "live")
        self.cli("token", "remove", token_id)
        answer = api.get("/api/v1/flows")
        self.problem(answer, 401)
        self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        last = None
        for last in events:
            if last[0] == "end":
                break
        self.assertEqual(last[0], "end")
        self.problem(self.weir_api_of("weir_" + "0" * 33).get("/api/v1/flows"), 401)

    def weir_api_of(self, text):
        return self.bearer(text)

    def test_a_user_who_was_disabled(self):
        self.cli("user", "add", "erin", "--tenant", "acme", "--role", "operator", "--password-file", "-", stdin=f"{PASSWORD} of erin\n")
        api = self.login("erin")
        made = api.post("/api/v1/tokens", {"label": "mine"})
        self.assertEqual(made.status, 201, made)
        robot = self.bearer(made.json["secret"])
        self.assertEqual((api.get("/api/v1/flows").status, robot.get("/api/v1/flows").status), (200, 200))
        self.cli("user", "set", "erin", "--disable")
        self.problem(api.get("/api/v1/flows"), 401)
        self.problem(robot.get("/api/v1/flows"), 401)
        self.assertIn(self.weir.api().post("/api/v1/login", {"name": "erin", "password": f"{PASSWORD} of erin"}).status, (401, 429))
        self.cli("user", "set", "erin", "--enable")
        self.assertEqual(self.login("erin").get("/api/v1/flows").status, 200)

    def test_a_user_who_was_removed(self):
        self.cli("user", "add", "finn", "--tenant", "acme", "--role", "viewer", "--password-file", "-", stdin=f"{PASSWORD} of finn\n")
        api = self.login("finn")
        self.assertEqual(api.get("/api/v1/flows").status, 200)
        self.cli("user", "remove", "finn")
        self.problem(api.get("/api/v1/flows"), 401)
        self.assertEqual(self.weir_cli("user", "show", "finn").returncode, 1)

    def test_the_oldest_session_ends_first(self):
        apis = [self.login("bob") for _ in range(4)]
        self.problem(apis[0].get("/api/v1/flows"), 401)
        for api in apis[1:]:
            self.assertEqual(api.get("/api/v1/flows").status, 200)

    def test_a_session_that_another_ended(self):
        api, own = self.login("both"), self.login("both")
        sessions = own.ask("/api/v1/sessions")["sessions"]
        self.assertGreaterEqual(len(sessions), 2)
        mine = next(s for s in sessions if s["current"])
        for s in sessions:
            if s is not mine:
                self.assertEqual(own.request("DELETE", f"/api/v1/sessions/{s['id']}").json, {"ended": 1})
        self.problem(api.get("/api/v1/flows"), 401)
        self.assertEqual(own.get("/api/v1/flows").status, 200)
        self.cli("session", "end", mine["id"])
        self.problem(own.get("/api/v1/flows"), 401)

    def test_another_password(self):
        api, other = self.login("mallory"), self.login("mallory")
        self.problem(api.post("/api/v1/me/password", {"old": "wrong", "new": f"{PASSWORD} of mallory, the second"}), 400, "old")
        self.problem(api.post("/api/v1/me/password", {"old": f"{PASSWORD} of mallory", "new": "short"}), 400, "new")
        self.assertEqual(api.post("/api/v1/me/password", {"old": f"{PASSWORD} of mallory", "new": f"{PASSWORD} of mallory, the second"}).status, 204)
        self.problem(other.get("/api/v1/flows"), 401)
        self.assertEqual(api.get("/api/v1/flows").status, 200)
        self.cli("user", "password", "mallory", "--password-file", "-", stdin=f"{PASSWORD} of mallory\n")
        self.problem(api.get("/api/v1/flows"), 401)
        self.assertEqual(self.login("mallory").get("/api/v1/flows").status, 200)

    def test_another_key_logs_nobody_out(self):
        api = self.login("bob")
        text, _ = self.token("--user", "noc", "--label", "keys", "--tenant", "acme")
        robot = self.bearer(text)
        self.assertEqual((api.get("/api/v1/flows").status, robot.get("/api/v1/flows").status), (200, 200))
        self.cli("key", "rotate", "grants")
        self.assertEqual((api.get("/api/v1/flows").status, robot.get("/api/v1/flows").status), (200, 200))
        self.assertEqual((self.login("alice").get("/api/v1/flows").status, robot.get("/api/v1/me").status), (200, 200))
        # What the key before signed has to run out first.
        again = self.weir_cli("key", "rotate", "grants")
        self.assertEqual(again.returncode, 1)
        self.assertIn("KEY: ", again.stderr.decode())
        wrong = self.weir_cli("key", "rotate", "everything")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("KEY: ", wrong.stderr.decode())

    def test_who_sees_no_traffic(self):
        """An auditor, and a token without the scope: refused, and not logged out."""
        self.cli("user", "add", "ada", "--tenant", "*", "--role", "auditor", "--password-file", "-", stdin=f"{PASSWORD} of ada\n")
        api = self.login("ada")
        robot = self.bearer(self.token("--user", "alice", "--label", "no traffic", "--tenant", "acme", "--scope", "users:read")[0])
        for path in ("flows", "hosts", "interfaces", "applications", "totals", "timeseries", "flows/" + "0" * 32):
            self.problem(api.get(f"/api/v1/{path}"), 403)
            self.problem(robot.get(f"/api/v1/{path}"), 403)
        self.assertEqual(next(api.events(10)), ("end", {"why": "role"}))
        self.assertEqual((api.get("/api/v1/audit").status, api.get("/api/v1/users").status, robot.get("/api/v1/users").status), (200, 200, 200))
        self.cli("user", "remove", "ada")

    def test_who_may(self):
        """A tenant's administrator: the own tenant's users, and no right that it has not itself. What is beyond is not there."""
        alice = self.login("alice")
        self.assertEqual({u["name"] for u in alice.ask("/api/v1/users")["users"]} & {"admin", "bob", "both"}, set())
        unknown = self.problem(alice.get("/api/v1/users/nobody"), 404)
        for name in ("bob", "admin", "both"):
            self.assertEqual(self.problem(alice.get(f"/api/v1/users/{name}"), 404), unknown)
            self.assertEqual(self.problem(alice.request("DELETE", f"/api/v1/users/{name}"), 404), unknown)
        made = alice.post("/api/v1/users", {"name": "gus", "kind": "person", "password": f"{PASSWORD} of gus", "access": [{"tenant": "acme", "role": "viewer"}]})
        self.assertEqual(made.status, 201, made)
        for access, status in (([{"tenant": "acme", "role": "platform-administrator"}], (400, 403)), ([{"tenant": "*", "role": "viewer"}], (400, 403)),
                               ([{"tenant": "beta", "role": "viewer"}], (400,))):
            answer = alice.request("PATCH", "/api/v1/users/gus", {"access": access})
            self.assertIn(answer.status, status, answer)
        self.assertEqual(alice.post("/api/v1/tenants", {"name": "mine"}).status, 403)
        bob = self.login("bob")
        for path in ("users", "tenants", "groups", "audit"):
            self.problem(bob.get(f"/api/v1/{path}"), 403)
        self.assertEqual({s["user"] for s in bob.ask("/api/v1/sessions")["sessions"]}, {"bob"})
        self.assertEqual(alice.request("DELETE", "/api/v1/users/gus").status, 204)


def totp(secret, at=None):
    """RFC 6238 with SHA-1, 6 digits and 30 s."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time() if at is None else at) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


class SecondFactor(TenantTest):
    def test_through_the_api(self):
        api = self.login("alice")
        self.problem(api.post("/api/v1/me/second-factor/confirm", {"code": "123456"}), 409)
        offer = api.post("/api/v1/me/second-factor", {}).json
        self.assertTrue(offer["uri"].startswith("otpauth://totp/"), offer)
        self.problem(api.post("/api/v1/me/second-factor/confirm", {"code": "000000" if totp(offer["secret"]) != "000000" else "111111"}), 400, "code")
        self.assertEqual(self.login("alice").get("/api/v1/me").status, 200)  # it is not on yet
        used = totp(offer["secret"])
        done = api.post("/api/v1/me/second-factor/confirm", {"code": used})
        self.assertEqual(done.status, 200, done)
        recovery = done.json["recovery_codes"]
        self.assertGreaterEqual(len(recovery), 8)
        self.assertTrue(api.ask("/api/v1/me")["account"]["second_factor"])

        def begin():
            a = self.weir.api()
            answer = wait_for("a ticket", lambda: [r for r in [a.post("/api/v1/login", {"name": "alice", "password": f"{PASSWORD} of alice"})] if r.status == 202], 60)[0]
            self.assertNotIn("Set-Cookie", answer.headers)
            return a, answer.json["ticket"]
        a, ticket = begin()
        self.problem(a.post("/api/v1/login/second-factor", {"ticket": ticket, "code": used}), 401)
        ok = a.post("/api/v1/login/second-factor", {"ticket": ticket, "code": recovery[0]})
        self.assertEqual(ok.status, 200, ok)
        a.took(ok)
        self.assertEqual(a.get("/api/v1/flows").status, 200)
        again = self.weir.api().post("/api/v1/login/second-factor", {"ticket": ticket, "code": recovery[1]})
        self.assertEqual(again.status, 401, again)  # the ticket was used up
        b, ticket = begin()
        for _ in range(5):
            self.assertIn(b.post("/api/v1/login/second-factor", {"ticket": ticket, "code": recovery[0]}).status, (401, 429))
        self.assertIn(b.post("/api/v1/login/second-factor", {"ticket": ticket, "code": recovery[1]}).status, (401, 429))
        self.cli("user", "reset-second-factor", "alice")
        self.assertEqual(self.login("alice").get("/api/v1/me").status, 200)


class CommandLine(TenantTest):
    settings = {}

    @classmethod
    def prepare(cls):
        # A group of this machine that has no other meaning here.
        cls.group = grp.getgrnam("games").gr_gid
        cls.settings = {"authd.admin_group": "games"}
        super().prepare()
        os.chmod(os.path.join(cls.lab.dir, "weir.yaml"), 0o644)

    def test_apply_twice_changes_nothing_the_second_time(self):
        before = self.told("user", "list"), self.told("tenant", "list"), self.told("group", "list")
        self.assertEqual(self.cli("apply", self.file, "--dry-run").strip(), "nothing to change")
        self.assertEqual(self.told("apply", self.file)["plan"], [])
        self.assertEqual(before, (self.told("user", "list"), self.told("tenant", "list"), self.told("group", "list")))
        changed = self.lab.file("changed.yaml", DOCUMENT.replace("title: Acme Ltd", "title: Acme and sons").replace("role: viewer, masked", "role: viewer, masked"))
        dry = self.weir_cli("apply", changed, "--dry-run", "--json")
        self.assertEqual(dry.returncode, 2, dry)
        plan = json.loads(dry.stdout)["plan"]
        self.assertEqual([(p["kind"], p["name"]) for p in plan], [("tenant", "acme")])
        self.assertEqual(self.told("tenant", "show", "acme")["tenant"]["title"], "Acme Ltd")
        self.assertEqual(self.told("apply", changed)["plan"], plan)
        self.assertEqual(self.told("tenant", "show", "acme")["tenant"]["title"], "Acme and sons")
        self.assertEqual(self.told("apply", changed)["plan"], [])
        self.cli("apply", self.file)

    def test_apply_prunes_only_when_told(self):
        self.cli("tenant", "add", "gamma")
        self.cli("user", "add", "stray", "--kind", "service", "--tenant", "gamma", "--role", "viewer")
        self.assertEqual(self.told("apply", self.file)["plan"], [])
        # Not without anybody left who could do it.
        self.assertIn("platform administrator", self.weir_cli("apply", self.file, "--prune", "--dry-run").stderr.decode())
        whole = self.lab.file("whole.yaml", DOCUMENT.replace("users:\n", 'users:\n  - {name: admin, kind: person, access: [{tenant: "*", role: platform-administrator}]}\n'))
        dry = self.weir_cli("apply", whole, "--dry-run", "--prune", "--json")
        self.assertEqual(dry.returncode, 2, dry)
        removed = {(p["kind"], p["name"]) for p in json.loads(dry.stdout)["plan"]}
        self.assertLessEqual({("tenant", "gamma"), ("user", "stray")}, removed)
        self.cli("user", "remove", "stray")
        self.cli("tenant", "remove", "gamma")

    def test_apply_of_a_thousand_tenants(self):
        """1,000 tenants with 10,000 networks and 2,000 users: more than a message holds."""
        base = DOCUMENT.replace("users:\n", 'users:\n  - {name: admin, kind: person, access: [{tenant: "*", role: platform-administrator}]}\n')

        def document(tenants):
            networks = lambda i: ", ".join(f"{{network: 100.{n >> 8}.{n & 255}.0/24}}" for n in range(10 * i, 10 * i + 10))
            made = "".join(f"  - {{name: many{i}, selectors: [{networks(i)}]}}\n" for i in tenants)
            people = "".join(f"  - {{name: many{i}-{k}, kind: service, access: [{{tenant: many{i}, role: viewer}}]}}\n" for i in tenants for k in range(2))
            return base.replace("tenants:\n", "tenants:\n  - name: default\n" + made).replace("users:\n", "users:\n" + people)

        def plan(text, *options):
            steps = self.told("apply", self.lab.file("many.yaml", text), *options)["plan"]
            return [(s["action"], s["kind"], s["name"]) for s in steps]

        whole, half = document(range(1000)), document(range(500))
        self.addCleanup(self.cli, "apply", self.lab.file("few.yaml", document([])), "--prune")
        self.assertEqual(Counter((action, kind) for action, kind, _ in plan(whole)), {("add", "tenant"): 1000, ("add", "user"): 2000})
        self.assertEqual(plan(whole), [])
        self.assertEqual(plan(whole.replace("100.39.15.0/24", "100.99.0.0/24")), [("change", "tenant", "many999")])
        self.assertIn({"network": "100.99.0.0/24"}, self.told("tenant", "show", "many999")["tenant"]["selectors"])
        self.assertEqual(plan(half), [])
        self.assertEqual(set(plan(half, "--prune")),
                         {("remove", "tenant", f"many{i}") for i in range(500, 1000)} | {("remove", "user", f"many{i}-{k}") for i in range(500, 1000) for k in range(2)})
        self.assertEqual(plan(half, "--prune"), [])

    def test_apply_of_more_than_a_policy_holds(self):
        def tenant(i):
            return f"  - {{name: wide{i}, selectors: [{', '.join(f'{{network: 100.{i}.{n >> 8}.{n & 255}}}' for n in range(2000))}]}}\n"

        before = self.told("tenant", "list")
        done = self.weir_cli("apply", self.lab.file("wide.yaml", "tenants:\n" + "".join(map(tenant, range(33)))))
        self.assertEqual(done.returncode, 1)
        self.assertIn("more selectors than a policy holds", done.stderr.decode())
        self.assertEqual(self.told("tenant", "list"), before)

    def test_apply_names_file_line_and_key(self):
        for text, said in (("users:\n  - name: x\n    kind: person\n    access:\n      - tenant: nosuch\n        role: viewer\n", ":5: users[0].access[0].tenant: "),
                           ("users:\n  - name: x\n    kind: person\n    access:\n      - tenant: acme\n        role: king\n", ":6: users[0].access[0].role: "),
                           ("tenants:\n  - name: x\n    selectors:\n      - network: 10.0.0.0/99\n", ":4: tenants[0].selectors[0].network: "),
                           ("groups:\n  - name: x\n    members: [nobody-here]\n", ":3: groups[0].members[0]: "),
                           ("users:\n  - nam: x\n", ":2: users[0].nam: ")):
            f = self.lab.file("wrong.yaml", text)
            done = self.weir_cli("apply", f)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{f}{said}", done.stderr.decode())
        self.assertEqual(self.weir_cli("apply", "/nonexistent").returncode, 1)
        self.assertEqual(self.weir_cli("apply").returncode, 64)

    def test_the_guides_roles(self):
        for name, role in (("Administrator", "platform-administrator"), ("Unprivileged", "viewer"), ("Limited View", "limited-viewer")):
            tenant = "*" if name == "Administrator" else "acme"
            self.cli("user", "add", "guide", "--kind", "service", "--tenant", tenant, "--role", name)
            self.assertEqual([(a["tenant"], a["role"]) for a in self.told("user", "show", "guide")["user"]["access"]], [(tenant, role)])
            answer = self.api.request("PATCH", "/api/v1/users/guide", {"access": [{"tenant": tenant, "role": name}]})
            self.assertEqual(answer.json["user"]["access"][0]["role"], role, answer)
            self.cli("user", "remove", "guide")

    def test_a_token_is_printed_once_and_works(self):
        done = self.weir_cli("token", "add", "--user", "noc", "--label", "ci", "--scope", "traffic:read", "--expires", "30d")
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout.decode(), r"^weir_\w+\n$")
        text = done.stdout.decode().strip()
        self.assertEqual(self.bearer(text).get("/api/v1/flows").status, 200)
        listed = self.cli("token", "list", "--user", "noc")
        self.assertIn("ci", listed)
        self.assertNotIn(text, listed + self.weir.log())
        row = wait_for("its use to be written", lambda: next((t for t in self.told("token", "list", "--user", "noc")["tokens"]
                                                              if t["label"] == "ci" and t["last_used"]), None), 70)
        self.assertAlmostEqual(row["expires"], time.time() + 30 * 86400, delta=60)
        self.assertEqual(row["last_used"]["address"], "127.0.0.1")
        self.cli("token", "remove", row["id"])
        self.problem(self.bearer(text).get("/api/v1/flows"), 401)

    def test_many_commands_at_once(self):
        """More than there are places at authd's door: they wait for one another, and none is cut off."""
        config = os.path.join(self.lab.dir, "weir.yaml")
        running = [subprocess.Popen([weir_binary(), "user", "add", f"many{i}", "--kind", "service", "--tenant", "acme", "--role", "viewer", "-c", config],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for i in range(30)]
        failed = [said for said in ((p.communicate(timeout=60 * PATIENCE)[1], p.returncode) for p in running) if said[1] != 0]
        self.assertEqual(failed, [])
        names = {u["name"] for u in self.told("user", "list")["users"]}
        self.assertLessEqual({f"many{i}" for i in range(30)}, names)
        for i in range(30):
            self.cli("user", "remove", f"many{i}")

    def test_passwords(self):
        out = self.cli("user", "add", "hal", "--tenant", "acme", "--role", "viewer", "--generate-password")
        password = out.strip()
        self.assertGreaterEqual(len(password), 12)
        self.assertEqual(self.weir.login("hal", password).get("/api/v1/flows").status, 200)
        self.assertNotIn(password, self.weir.log())
        weak = self.weir_cli("user", "password", "hal", "--password-file", "-", stdin="short\n")
        self.assertEqual(weak.returncode, 1)
        self.assertIn("password", weak.stderr.decode())
        f = self.lab.file("secret", f"{PASSWORD} of hal\n", mode=0o600)
        self.cli("user", "password", "hal", "--password-file", f)
        self.assertEqual(self.login("hal").get("/api/v1/flows").status, 200)
        done = self.weir_cli("user", "add", "ida", "--tenant", "acme", "--role", "viewer")
        self.assertEqual(done.returncode, 64)
        self.assertIn("--password-file", done.stderr.decode())  # no terminal to ask on
        self.cli("user", "remove", "hal")

    def test_members_of_the_group_may_and_others_may_not(self):
        nobody = 65534
        done = self.weir_cli("user", "list", user=nobody, group=nobody)
        self.assertEqual(done.returncode, 1)
        self.assertIn("authd.admin_group", done.stderr.decode())
        self.assertEqual(done.stdout, b"")
        done = self.weir_cli("user", "list", user=nobody, group=self.group)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("alice", done.stdout.decode())
        argv = [weir_binary(), "user", "set", "alice", "--title", "by a member", "-c", os.path.join(self.lab.dir, "weir.yaml")]
        member = subprocess.run(argv, user=nobody, group=nobody, extra_groups=[self.group], capture_output=True)
        self.assertEqual(member.returncode, 0, member)
        entries = self.told("audit", "list", "--actor", f"cli:{nobody}")["entries"]
        self.assertIn("user:alice", {e["subject"] for e in entries})
        # store's door is not opened by it, nor is anybody else's.
        self.assertNotEqual(self.weir_cli("status", user=nobody, group=self.group).returncode, 0)

    def test_the_log_tells(self):
        self.cli("user", "set", "alice", "--title", "told of")
        api = self.login("alice")
        kinds = {e["kind"] for e in self.told("audit", "list", "--from", "1h", "--limit", 1000)["entries"]}
        self.assertLessEqual({"user_changed", "login", "tenant_added"}, kinds)
        text = json.dumps(self.told("audit", "list", "--limit", 1000))
        self.assertNotIn(PASSWORD, text)
        self.assertNotIn(api.cookie.split("=", 1)[1], text)
        self.assertNotIn("weir_", text)
        self.assertEqual(self.weir_cli("audit", "verify").returncode, 0)


GARBAGE = {"overlong": "x" * 5000, "empty": "", "not UTF-8": b"a\xffb", "strange": "\x1b[31m"}


class Fields(TenantTest):
    """Every field given garbage, overlong, empty and non-UTF-8 input is refused with its name."""

    def test_of_the_command_line(self):
        options = {
            ("tenant", "add", "new"): ("--title", "--select", "--address-space", "--flows-per-second", "--stored-bytes", "--retention", "--series",
                                       "--keep-minutes", "--keep-five-minutes", "--keep-hours", "--keep-days"),
            ("tenant", "set", "acme"): ("--title", "--select", "--address-space"),
            ("user", "add", "new", "--password-file", "-"): ("--title", "--kind", "--tenant", "--role", "--interface", "--exporter", "--network"),
            ("user", "set", "alice"): ("--title", "--tenant", "--role", "--interface", "--exporter", "--network"),
            ("group", "add", "new"): ("--title", "--member", "--tenant", "--role", "--interface", "--exporter", "--network"),
            ("group", "set", "night-shift"): ("--title", "--member"),
            ("token", "add"): ("--user", "--label", "--tenant", "--role", "--scope", "--interface", "--exporter", "--network", "--expires", "--source"),
            ("token", "list"): ("--user",),
            ("session", "list"): ("--user",),
            ("audit", "list"): ("--from", "--to", "--actor", "--kind", "--limit", "--cursor"),
        }
        needed = {"--tenant": ("--role", "viewer"), "--role": ("--tenant", "acme")}
        for command, names in options.items():
            for name in names:
                for what, value in GARBAGE.items():
                    words = list(command)
                    if command[0] == "token" and command[1] == "add" and name != "--user":
                        words += ["--user", "noc"]
                    if command[0] == "token" and command[1] == "add" and name != "--label":
                        words += ["--label", "l"]
                    if command[0] in ("user", "group"):
                        words += needed.get(name, ("--tenant", "acme", "--role", "viewer") if name in ("--interface", "--exporter", "--network") else ())
                    with self.subTest(command=command, option=name, value=what):
                        done = self.weir_cli(*words, name, value, stdin=f"{PASSWORD}\n")
                        self.assertIn(done.returncode, (1, 64), done)
                        self.assertIn(name, done.stderr.decode().split("\n")[0])
                        self.assertNotIn("\x1b", done.stderr.decode())
        for command in (("tenant", "show"), ("tenant", "add"), ("user", "show"), ("user", "remove"), ("user", "password"), ("group", "show"), ("token", "remove"), ("session", "end")):
            for what, value in GARBAGE.items():
                with self.subTest(command=command, value=what):
                    done = self.weir_cli(*command, value, *(["--password-file", "-"] if command[1] == "password" else []), stdin=f"{PASSWORD}\n")
                    self.assertIn(done.returncode, (1, 64), done)
                    self.assertRegex(done.stderr.decode().split("\n")[0], r"NAME|ID|no such thing")
        self.assertEqual([t["name"] for t in self.told("tenant", "list")["tenants"] if t["name"] not in ("acme", "beta")], self.first_tenants)

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.first_tenants = [t["name"] for t in cls.told("tenant", "list")["tenants"] if t["name"] not in ("acme", "beta")]

    def raw(self, method, path, body):
        return self.api.request(method, f"/api/v1{path}", body, headers={"Content-Type": "application/json"})

    def test_of_the_api(self):
        access = {"tenant": "acme", "role": "viewer"}
        cases = (
            ("POST", "/tenants", {"name": "new"}, ("name", "title", "selectors", "address_spaces", "quotas")),
            ("PATCH", "/tenants/acme", {}, ("title", "selectors", "address_spaces", "quotas")),
            ("POST", "/users", {"name": "new", "kind": "service"}, ("name", "kind", "title", "access", "disabled")),
            ("PATCH", "/users/alice", {}, ("title", "access", "disabled")),
            ("POST", "/users/alice/password", {}, ("password",)),
            ("POST", "/groups", {"name": "new"}, ("name", "title", "members", "access")),
            ("POST", "/tokens", {"label": "l", "owner": "noc"}, ("label", "owner", "tenant", "role", "scopes", "interfaces", "exporters", "networks", "masked", "expires", "sources")),
            ("POST", "/me/password", {"old": "x", "new": "y"}, ("old", "new")),
            ("POST", "/apply", {"document": {}}, ("document", "dry_run", "prune")),
        )
        texts = {"title", "name", "kind", "label", "owner", "tenant", "role", "password", "old", "new"}
        for method, path, good, fields in cases:
            for field in fields:
                values = [json.dumps(x) for x in (12.5, {"a": 1}, [[]], None, "x" * 5000)] + [b'"a\xffb"', '"\\u0000"', '"\\ud800"']
                if field not in ("title",):
                    values.append('""')
                for value in values:
                    if value == "null" and field in ("expires", "quotas", "title"):
                        continue
                    rest = json.dumps({k: v for k, v in good.items() if k != field})[1:]
                    value = value if isinstance(value, bytes) else value.encode()
                    body = b'{"' + field.encode() + b'":' + value + (b"," if rest != "}" else b"") + rest.encode()
                    with self.subTest(method=method, path=path, field=field, value=value[:20]):
                        answer = self.raw(method, path, body)
                        self.assertEqual(answer.status, 400, answer)
                        named = [e["field"] for e in answer.json.get("errors", [])]
                        self.assertTrue(named and re.match(rf"{field}($|[.\[])", named[0]), answer)
            with self.subTest(path=path, field="a stranger"):
                self.problem(self.raw(method, path, json.dumps({**good, "stranger": 1})), 400, "stranger")
        for field, value, named in (("interfaces", ["x" * 64], "access[0].interfaces[0]"), ("networks", ["10.0.0.0/8", "10.0.0.0/99"], "access[0].networks[1]"),
                                    ("exporters", ["x"], "access[0].exporters[0]"), ("role", "king", "access[0].role"), ("tenant", "nosuch", "access[0].tenant"),
                                    ("masked", "yes", "access[0].masked"), ("stranger", 1, "access[0].stranger")):
            self.problem(self.raw("PATCH", "/users/alice", json.dumps({"access": [{**access, field: value}]})), 400, named)
        for method, path in (("GET", "/users/"), ("PATCH", "/users/"), ("DELETE", "/users/"), ("GET", "/tenants/"), ("DELETE", "/groups/"), ("DELETE", "/tokens/"), ("DELETE", "/sessions/")):
            for segment in ("%ff", "x" * 100, "%1b", "..%2f", "%00"):
                answer = self.raw(method, path + segment, "{}" if method == "PATCH" else None)
                self.assertIn(answer.status, (400, 404), answer)


if __name__ == "__main__":
    unittest.main()
