"""/metrics as Prometheus gathers it: the numbers of /api/v1, each caller's own, in a form that promtool has nothing against."""

import contextlib
import glob
import os
import re
import socket
import stat
import subprocess

from test_tenants import OTHER, TenantTest
from weirlab import LabTest, Weir, run, wait_for

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')


class Metrics(TenantTest):
    def ask(self, api):
        """{name: {labels: value}}; every line is looked at."""
        answer = api.get("/metrics")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        text, kinds, told = answer.body.decode(), {}, {}
        self.assertTrue(text.endswith("\n"))
        for line in text[:-1].split("\n"):
            if line.startswith("# HELP "):
                self.assertRegex(line, r"^# HELP weir_[a-z_]+ [A-Z].*\.$")
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.assertNotIn(name, kinds)
                self.assertEqual(kind == "counter", name.endswith("_total"), name)
                kinds[name] = kind
            else:
                m = SAMPLE.fullmatch(line)
                self.assertTrue(m, line)
                self.assertIn(m[1], kinds)
                labels = tuple(LABEL.findall(m[2] or ""))
                self.assertNotIn(labels, told.setdefault(m[1], {}), line)
                told[m[1]][labels] = int(m[3])
        return text, told

    def test_the_numbers_of_api_v1(self):
        before = {i["name"]: i for i in self.api.ask("/api/v1/interfaces")["interfaces"]}
        text, told = self.ask(self.api)
        after = {i["name"]: i for i in self.api.ask("/api/v1/interfaces")["interfaces"]}
        self.assertEqual(set(before), {"acme0", "beta0"})
        for name, i in after.items():
            labels = (("interface", name), ("id", str(i["id"])))
            for metric, key in (("weir_interface_bytes_total", "bytes"), ("weir_interface_packets_total", "packets"),
                                ("weir_interface_dropped_packets_total", "dropped")):
                self.assertLessEqual(before[name][key], told[metric][labels])
                self.assertLessEqual(told[metric][labels], i[key])
            self.assertEqual(told["weir_interface_up"][labels], 1)
        health = self.api.ask("/api/v1/health")
        self.assertEqual({dict(k)["process"] for k in told["weir_process_up"]}, {c["name"] for c in health["components"]})
        # Every place that has lost anything is there (none may have).
        self.assertLessEqual({dict(k)["place"] for k in told.get("weir_dropped_total", {})}, {d["place"] for d in health["drops"]})
        self.assertLessEqual({dict(k)["place"] for k in told.get("weir_events_total", {})}, {d["place"] for d in health["counters"]})
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_a_tenants_token_is_told_the_tenants_own(self):
        for tenant, user in (("acme", "alice"), ("beta", "bob")):
            secret, id_ = self.token("--user", user, "--label", "prometheus", "--tenant", tenant)
            wait_for(f"{tenant}'s interface", lambda a=self.bearer(secret): "weir_interface_bytes_total" in self.ask(a)[1], 30)
            text, told = self.ask(self.bearer(secret))
            self.assertEqual({dict(k)["interface"] for k in told["weir_interface_bytes_total"]}, {f"{tenant}0"})
            self.assertNotIn(OTHER[tenant], text)
            self.cli("token", "remove", id_)
            self.assertEqual(self.bearer(secret).get("/metrics").status, 401)

    def test_a_token_for_metrics_alone(self):
        for words, interfaces in ((("--user", "alice", "--tenant", "acme"), {"acme0"}), (("--user", "admin", "--tenant", "*"), {"acme0", "beta0"})):
            secret, _ = self.token(*words, "--label", "metrics", "--scope", "metrics:read")
            api = self.bearer(secret)
            wait_for("its interfaces", lambda a=api: "weir_interface_bytes_total" in self.ask(a)[1], 30)
            _, told = self.ask(api)
            self.assertEqual({dict(k)["interface"] for k in told["weir_interface_bytes_total"]}, interfaces)
            self.assertEqual("weir_process_up" in told and len(told["weir_process_up"]) > 0, "*" in words)
            for path in ("flows", "hosts", "devices", "applications", "timeseries", "flows/live", "users", "settings", "labels"):
                self.problem(api.get(f"/api/v1/{path}"), 403)

    def test_who_gets_nothing(self):
        self.assertEqual(self.weir.api().get("/metrics").status, 401)
        self.assertEqual(self.bearer("weir_0000").get("/metrics").status, 401)
        self.assertEqual(self.api.post("/metrics", {}).status, 405)
        secret, _ = self.token("--user", "alice", "--label", "health", "--tenant", "acme", "--scope", "health:read")
        self.assertEqual(self.bearer(secret).get("/metrics").status, 403)

        self.assertEqual(self.bearer(secret).post("/metrics", {}).status, 405)


class MetricsOfEachProcess(LabTest):
    """Whoever breaks a rule at a process's door is counted there, whether or not that process has a channel to store."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab).start()
        cls.api = cls.weir.setup()

    def test_a_broken_channel_is_counted_by_each(self):
        def broken():
            return {m[1]: int(m[2]) for m in re.finditer(r'weir_dropped_total\{place="(\w+)\.channel_broken"[^}]*\} (\d+)', self.api.get("/metrics").body.decode())}
        before = broken()
        doors = {os.path.basename(path).split("-")[0]: path
                 for path in glob.glob(os.path.join(self.weir.settings["run_directory"], "**", "*"), recursive=True)
                 if stat.S_ISSOCK(os.stat(path).st_mode)}
        self.assertLessEqual({"authd", "capture", "dial", "directory", "engine", "httpd", "key", "store", "weir"}, set(doors), doors)
        for path in doors.values():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(10)
            s.connect(path)
            with contextlib.suppress(OSError):  # some end it before it says anything
                s.send(b"x")
                s.recv(1)
            s.close()
        wait_for("a count of each", lambda: {p for p, n in broken().items() if n > before.get(p, 0)} >= set(doors), 30)


class MetricsOfLoopback(LabTest):
    """The operator lets whoever is on the machine have the platform's numbers; nobody else gets them, and nothing else is got so."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings={"httpd.metrics_loopback": "yes"}).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")

    def test_without_a_token(self):
        nobody = self.weir.api()
        self.assertEqual(nobody.host, "127.0.0.1")
        answer = nobody.get("/metrics")
        self.assertEqual(answer.status, 200, answer)
        text = answer.body.decode()
        for part in ('weir_interface_up{interface="ports"', 'weir_process_up{process="store@0"} 1', "weir_flow_records_stored_total"):
            self.assertIn(part, text)
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            self.assertEqual(nobody.get("/metrics", headers={header: "192.0.2.1"}).status, 401, header)
        self.assertEqual(nobody.get("/metrics", headers={"Authorization": "Bearer weir_0000"}).status, 401)
        self.assertEqual(nobody.get("/metrics", headers={"Weir-Tenant": "nosuch"}).status, 404)
        for path in ("interfaces", "totals", "me", "flows", "health"):
            answer = nobody.get(f"/api/v1/{path}")
            self.assertEqual((answer.status, len(answer.body) < 200), (200, True) if path == "health" else (401, True), path)
        self.assertEqual(self.api.ask("/api/v1/sessions?all=true")["sessions"][0]["user"], "admin")

    def test_from_elsewhere(self):
        run("ip", "-n", self.lab.mon, "addr", "add", "192.0.2.77/32", "dev", "lo")
        other = self.weir.api()
        other.host = "192.0.2.77"  # and so does the answer's way: from there
        self.assertEqual(other.get("/metrics").status, 401)
