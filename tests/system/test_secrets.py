"""Every secret that an operator or a user hands over, or is handed: it is in no log, argument, environment or file where it does not belong, and no process
leaves a core."""

import base64
import json
import os
import re
import stat
import subprocess
import sys
import unittest

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "drills"))

from takeover import Takeover  # noqa: E402
from test_certificate import memory_has  # noqa: E402
from weirlab import PASSWORD, LabTest, Weir, run, wait_for, weir_binary  # noqa: E402

BIND_PASSWORD = "the-bind-password-of-the-directory-91"
CLIENT_SECRET = "the-client-secret-of-a-provider-4711"
PRCTL, GET_DUMPABLE = 157, 3  # x86-64
WRONG = "a-password-that-is-not-the-right-one-17"
OTHER = "another-password-for-another-day-2027"


class Secrets(LabTest):
    @classmethod
    def secret_file(cls, name, text):
        path = cls.lab.file(name, text + "\n")
        os.chmod(path, 0o600)
        return path

    @classmethod
    def prepare(cls):
        cls.master = os.path.join(cls.lab.dir, "master.key")
        run(weir_binary(), "key", "new", cls.master)
        cls.files = {"bind": cls.secret_file("bind", BIND_PASSWORD), "client": cls.secret_file("client", CLIENT_SECRET), "master": cls.master}
        cls.weir = Weir(cls.lab, settings={
            "log_level": "debug", "engine.dpi": False, "authd.master_key": cls.master, "dial.allow": ["127.0.0.0/8"],
            # Nobody is there: what cannot be reached is what a log has most words about.
            "ldap.servers": ["ldaps://127.0.0.1:6399"], "ldap.bind_dn": "cn=weir,dc=example", "ldap.bind_password_file": cls.files["bind"],
            "ldap.base": "dc=example", "ldap.groups": ["readers => viewers"], "ldap.group_filter": "(member=%userdn%)", "oidc": [{"name": "corp", "issuer": "https://127.0.0.1:6398", "client_id": "weir",
                                                           "client_secret_file": cls.files["client"], "timeout": "1s", "insecure": True, "groups": ["noc => operators"]}]}).start()
        api = cls.weir.setup()
        with open(cls.master) as f:
            key = [x.split()[3] for x in f if not x.startswith("#")][0]
        cls.secrets = {"the administrator's password": PASSWORD, "a wrong password": WRONG, "another password": OTHER, "the bind password": BIND_PASSWORD,
                       "the client secret": CLIENT_SECRET, "the master key": key}
        cls.raw = {"the master key's bytes": bytes.fromhex(key)}
        cls.setup_secret = cls.weir.link.split("#", 1)[1].split("=", 1)[-1]
        # Each is used, rightly and wrongly.
        made = api.post("/api/v1/tokens", {"label": "t", "tenant": "default", "role": "viewer"}).json
        token = next(v for v in made.values() if isinstance(v, str) and v.startswith("weir_"))
        cls.secrets["a token"] = token
        for bearer in (token, token[:-2] + "xx"):
            cls.weir.api().get("/api/v1/flows", headers={"Authorization": f"Bearer {bearer}"})
        factor = api.post("/api/v1/me/second-factor", {}).json["secret"]
        cls.secrets["a second factor"] = factor
        cls.raw["a second factor's bytes"] = base64.b32decode(factor + "=" * (-len(factor) % 8))
        api.post("/api/v1/me/second-factor", {"code": "000000"})
        cls.secrets["a session"] = api.cookie.split("=", 1)[1]
        cls.secrets["a form's word"] = api.csrf
        for name, password in (("admin", WRONG), ("nobody", WRONG), ("someone@corp", OTHER)):
            cls.weir.api().post("/api/v1/login", {"name": name, "password": password})
        cls.weir.api().get("/lua/rest/v2/get/ntopng/interfaces.lua", headers={
            "Authorization": "Basic " + base64.b64encode(f"admin:{WRONG}".encode()).decode()})
        cls.weir.api().get("/api/v1/session/oidc/corp/start")
        api.post("/api/v1/me/password", {"password": WRONG, "new_password": OTHER})
        subprocess.run([weir_binary(), "user", "add", "second", "--role", "viewer", "-c", cls.weir.config()], input=OTHER + "\n", text=True,
                       capture_output=True, timeout=60, check=False)
        cls.api = api

    def tree(self):
        """(pid, name) of the launcher and of every process below it, those that compute hashes too."""
        found, todo = [], [self.weir.process.pid]
        while todo:
            pid = todo.pop()
            try:
                with open(f"/proc/{pid}/comm") as f:
                    found.append((pid, f.read().strip()))
                with open(f"/proc/{pid}/task/{pid}/children") as f:
                    todo += [int(x) for x in f.read().split()]
            except FileNotFoundError:
                pass  # a process for one attempt, which ended
        return found

    def holds_none(self, what, data):
        for name, secret in self.secrets.items():
            self.assertNotIn(secret.encode(), data, f"{name} is in {what}")
        for name, secret in self.raw.items():
            self.assertNotIn(secret, data, f"{name} is in {what}")

    def test_the_search_finds_what_is_there(self):
        """That the tests here could fail: the secrets are those that Weir has."""
        processes = self.weir.processes()
        for (proc, instance), pid in processes.items():
            self.assertEqual(memory_has(pid, self.raw["the master key's bytes"]), proc == "authd", f"{proc}@{instance}")
        self.assertEqual(self.weir.api().post("/api/v1/login", {"name": "admin", "password": PASSWORD}).status in (200, 429), True)
        self.assertEqual(self.api.get("/api/v1/me").status, 200)

    def test_who_has_it_is_who_needs_it(self):
        """In memory: of authd what root gave it, of httpd who is logged in, of nobody what was typed, shown or asked with and is over."""
        def holders(secret):
            return {name for pid, name in self.tree() if memory_has(pid, secret)}
        for name, secret in [*self.secrets.items(), *self.raw.items()]:
            may = {"the bind password": {"weir-authd"}, "the client secret": {"weir-authd"}, "the master key's bytes": {"weir-authd"},
                   "a second factor's bytes": {"weir-authd"}, "a session": {"weir-httpd"}, "a form's word": {"weir-httpd"}}.get(name, set())
            secret = secret if isinstance(secret, bytes) else secret.encode()
            wait_for(f"{name} to be nowhere else", lambda s=secret, m=may: holders(s) <= m)
        self.assertEqual(holders(BIND_PASSWORD.encode()), {"weir-authd"}, "the search finds what is there")

    def test_no_log_has_one(self):
        wait_for("the failure at the directory to be told", lambda: re.search(r"6399|directory", self.weir.log()))
        log = self.weir.log()
        self.assertIn(": debug: ", log)
        self.holds_none("the log", log.encode())
        # The link is printed once, for whoever started it, and is no line of the log.
        self.assertEqual([x for x in log.splitlines() if self.setup_secret in x and re.match(r"\S+: (error|warn|info|debug): ", x)], [])
        self.assertEqual(log.count(self.setup_secret), 1)

    def shows_none(self, pid, name):
        for what in ("cmdline", "environ", "comm", "status"):
            try:
                with open(f"/proc/{pid}/{what}", "rb") as f:
                    self.holds_none(f"{what} of {name}", f.read())
            except FileNotFoundError:
                pass

    def test_no_argument_and_no_environment_has_one(self):
        tree = self.tree()
        names = [name for _, name in tree]
        self.assertGreaterEqual(len(names), 8, names)
        self.assertLessEqual({"weir", *(f"weir-{p}" for p in ("authd", "store", "httpd", "key", "directory", "dial", "engine"))}, set(names))
        for pid, name in tree:
            self.shows_none(pid, name)

    def test_one_in_an_argument_or_the_environment_is_found(self):
        """That the test above could fail: a process that has them where they do not belong."""
        for name, secret in self.secrets.items():
            for where, argv, env in (("cmdline", [secret], {}), ("environ", [], {"SECRET": secret})):
                planted = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
                try:
                    planted.stdout.readline()
                    with self.assertRaisesRegex(AssertionError, f"{name} is in {where} of planted"):
                        self.shows_none(planted.pid, "planted")
                finally:
                    planted.communicate(b"\n", timeout=60)

    def test_no_file_has_one(self):
        seen = 0
        for top in (self.weir.data, self.weir.settings["run_directory"]):
            for base, _, names in os.walk(top):
                for n in names:
                    path = os.path.join(base, n)
                    self.holds_none("a file's name", n.encode())
                    if not stat.S_ISREG(os.lstat(path).st_mode):
                        continue
                    with open(path, "rb") as f:
                        self.holds_none(path, f.read())
                    seen += 1
        self.assertGreater(seen, 5)

    def test_no_answer_has_one(self):
        """What the administrator can read back, and what the command line shows of it."""
        for path in ("health", "users", "tokens", "settings", "audit?limit=1000", "sessions", "keys", "tenants"):
            body = self.api.get(f"/api/v1/{path}").body
            for name, secret in self.secrets.items():
                self.assertNotIn(secret.encode(), body, f"{name} is in {path}")
        for words in (("status", "--json"), ("check-config",), ("key", "list"), ("audit", "list", "--json")):
            done = run(weir_binary(), *words, "-c", self.weir.config(), check=False)
            self.holds_none(" ".join(words), (done.stdout + done.stderr).encode())

    def test_no_process_leaves_a_core(self):
        for pid, name in self.tree():
            try:
                with open(f"/proc/{pid}/limits") as f:
                    core = re.search(r"Max core file size\s+(\S+)\s+(\S+)", f.read()).groups()
                # The kernel gives the files of a process that is not dumpable to root, and nobody traces it.
                owner = os.stat(f"/proc/{pid}/environ").st_uid
                with open(f"/proc/{pid}/coredump_filter") as f:
                    self.assertRegex(f.read().strip(), r"^[0-9a-f]{8}$", name)
            except FileNotFoundError:
                continue
            self.assertEqual(core, ("0", "0"), name)
            self.assertEqual(owner, 0, f"{name} is dumpable")
        # A limit is nothing to a core_pattern that is a program, and of the launcher root owns the files anyhow.
        with Takeover(self.weir.process.pid) as t:
            self.assertEqual(t.call(PRCTL, GET_DUMPABLE), 0, "the launcher is dumpable")

    def test_a_process_that_dies_of_a_fault_leaves_none(self):
        """Whatever the machine's core_pattern is: the limit stands before it."""
        pids = self.weir.processes()
        os.kill(pids[("dial", 0)], 11)
        wait_for("dial to be back", lambda: self.weir.processes().get(("dial", 0)) not in (None, pids[("dial", 0)]))
        for top in (self.weir.data, self.weir.settings["run_directory"], os.getcwd(), "/"):
            self.assertEqual([n for n in os.listdir(top) if re.fullmatch(r"core(\.\d+)?", n) and os.path.isfile(os.path.join(top, n))], [], top)
        self.assertIn("SIGSEGV", json.dumps(self.api.ask("/api/v1/health")["components"]))


if __name__ == "__main__":
    unittest.main()
