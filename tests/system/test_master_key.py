#!/usr/bin/python3
"""Secrets at rest with a master key: what lies on the disk, another key while Weir runs, and who is refused."""

import base64
import json
import os
import re
import signal
import stat
import time
import unittest

from test_certificate import memory_has
from weirlab import PASSWORD, LabTest, Weir, run, wait_for, weir_binary


class Credentialed(Weir):
    """A Weir that a unit hands credentials over to."""

    credentials = None

    def argv(self):
        return ["env", f"CREDENTIALS_DIRECTORY={self.credentials}"] + super().argv()


class MasterKeyTest(LabTest):
    @classmethod
    def make(cls, name):
        path = os.path.join(cls.lab.dir, name)
        done = run(weir_binary(), "key", "new", path)
        return path, done

    @classmethod
    def cli(cls, weir, *words, check=True):
        return run(weir_binary(), *words, "-c", weir.config(), check=check)

    @staticmethod
    def lines(path):
        with open(path) as f:
            return [tuple(x.split()[2:]) for x in f if not x.startswith("#")]

    def ids(self, path):
        return [x[0] for x in self.lines(path)]

    def key(self, weir, which="master"):
        return next(k for k in json.loads(self.cli(weir, "key", "list", "--json").stdout)["keys"] if k["which"] == which)

    def warned(self):
        """Of which processes health, the metrics and `weir status` warn."""
        health = [c["name"] for c in self.api.ask("/api/v1/health")["components"] if c["warning"] and "not sealed" in c["warning"]]
        metrics = re.findall(r'(?m)^weir_process_warning\{process="([^"]+)"\} 1$', self.api.get("/metrics").body.decode())
        said = re.findall(r"(?m)^warning: (\S+): secrets at rest are not sealed", self.cli(self.weir, "status").stdout)
        return health, metrics, said

    @staticmethod
    def second_factor(api):
        offer = api.post("/api/v1/me/second-factor", {}).json
        return base64.b32decode(offer["secret"] + "=" * (-len(offer["secret"]) % 8))

    @staticmethod
    def found(weir, secret):
        """The files of the data directory that a secret stands in."""
        out = []
        for root, _, names in os.walk(weir.data):
            for n in names:
                with open(os.path.join(root, n), "rb") as f:
                    if secret in f.read():
                        out.append(n)
        return out


class MasterKey(MasterKeyTest):
    @classmethod
    def prepare(cls):
        cls.file, cls.made = cls.make("master.key")
        cls.weir = Weir(cls.lab, settings={"authd.master_key": cls.file, "engine.dpi": False}).start()
        cls.api = cls.weir.setup()
        cls.seed = cls.second_factor(cls.api)

    def test_the_file_is_roots_alone(self):
        st = os.stat(self.file)
        self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid), (0o600, 0))
        for _, key in self.lines(self.file):
            self.assertNotIn(key, self.made.stdout + self.made.stderr)
        again = run(weir_binary(), "key", "new", self.file, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("File exists", again.stderr)

    def test_no_secret_lies_on_the_disk(self):
        self.assertEqual(self.found(self.weir, self.seed), [])
        self.assertEqual(self.found(self.weir, b"$argon2id$"), [])
        self.assertEqual(self.key(self.weir)["id"], self.ids(self.file)[0])
        self.assertEqual(self.key(self.weir, "audit")["id"], None)

    def test_nobody_is_warned(self):
        self.assertEqual(self.warned(), ([], [], []))

    def test_another_key_while_it_runs(self):
        before, = self.lines(self.file)
        pids = self.weir.processes()
        done = self.cli(self.weir, "key", "rotate", "master")
        self.assertIn(f"what was sealed with {before[0]}", done.stderr)
        now, = self.lines(self.file)
        self.assertNotEqual(now, before)
        self.assertEqual(os.listdir(os.path.dirname(self.file)).count("master.key.new"), 0)
        self.assertEqual(self.key(self.weir)["id"], now[0])
        self.assertEqual(self.api.get("/api/v1/me").status, 200)  # nobody is logged out
        after = wait_for("authd behind its filter", self.weir.wait_processes)
        self.assertEqual({k for k in pids if pids[k] != after[k]}, {("authd", 0)})
        self.assertEqual(self.found(self.weir, bytes.fromhex(before[0])), [])  # nothing of the former is left
        self.assertNotEqual(self.found(self.weir, bytes.fromhex(now[0])), [])
        self.assertEqual(self.found(self.weir, self.seed), [])
        entry = self.api.ask("/api/v1/audit?kind=key_rotated")["entries"][0]
        self.assertEqual((entry["subject"], entry["detail"]), ("key:master", f"sealed with {now[0]}; before: {before[0]}"))
        for key in (before[1], now[1]):
            self.assertNotIn(key, self.weir.log() + done.stdout + done.stderr)
            for pid in self.weir.processes().values():
                for what in ("environ", "cmdline"):
                    with open(f"/proc/{pid}/{what}", "rb") as f:
                        self.assertNotIn(key.encode(), f.read())
        self.assertTrue(json.loads(self.cli(self.weir, "audit", "verify", "--json").stdout)["whole"])

    def test_the_key_is_in_one_process_alone(self):
        secret = bytes.fromhex(self.lines(self.file)[0][1])
        for (proc, instance), pid in self.weir.processes().items():
            self.assertEqual(memory_has(pid, secret), proc == "authd", f"{proc}@{instance}")

    def test_authd_is_killed_in_the_middle(self):
        """Whenever it dies, the file has what the database needs, and the next one ends what was begun."""
        for n in range(6):
            before = self.ids(self.file)[0]
            p = self.lab.spawn(self.lab.mon, weir_binary(), "key", "rotate", "master", "-c", self.weir.config(), log="rotate")
            pid = self.weir.processes()[("authd", 0)]
            wait_for("authd to end", lambda pid=pid: not os.path.exists(f"/proc/{pid}") or None)
            again = wait_for("authd to start", lambda pid=pid: self.weir.processes().get(("authd", 0)))
            end = time.monotonic() + n * 0.004  # not a wait for something: where in its work it is hit
            while time.monotonic() < end:
                pass
            os.kill(again, signal.SIGKILL)
            self.assertEqual(p.wait(90), 0, open(p.log_path).read())
            self.assertEqual(len(self.ids(self.file)), 1)
            self.assertNotEqual(self.ids(self.file)[0], before)
            # The one that was killed may be the one that had already done it: then its successor only comes up now.
            wait_for("authd to answer", lambda: self.cli(self.weir, "key", "list", "--json", check=False).returncode == 0)
            self.assertEqual(self.key(self.weir)["id"], self.ids(self.file)[0])
        wait_for("the session to be good", lambda: self.api.get("/api/v1/me").status == 200)

    def test_a_rotation_that_was_cut_short_goes_on(self):
        """Both keys are in the file, and nobody knows of it."""
        other, _ = self.make("other.key")
        with open(self.file) as f, open(other, "a") as g:
            g.writelines(x for x in f if not x.startswith("#"))
        new = self.ids(other)[0]
        os.rename(other, self.file)
        done = self.cli(self.weir, "key", "rotate", "master")
        self.assertIn("goes on with what was begun", done.stderr)
        self.assertEqual((self.ids(self.file), self.key(self.weir)["id"]), ([new], new))

    def test_nobody_does_it_from_afar(self):
        self.assertEqual(self.api.post("/api/v1/keys/master/rotate").status, 409)

    def test_z_a_wrong_key_is_named(self):
        self.weir.stop()
        stranger, _ = self.make("stranger.key")
        kept = f"{self.file}.kept"
        os.rename(self.file, kept)
        try:
            run("cp", "-a", stranger, self.file)
            status, log = self.weir.run_to_end()
            self.assertNotEqual(status, 0)
            self.assertRegex(log, f"accounts.mdb is sealed with the master key {self.ids(kept)[0]}, and authd.master_key has {self.ids(stranger)[0]}")
            os.chmod(self.file, 0o644)
            status, log = self.weir.run_to_end()
            self.assertNotEqual(status, 0)
            self.assertIn("must be a file of root's that nobody else can read", log)
            with open(self.file, "w") as f:
                f.write(f"weir-master-key 1 {self.ids(kept)[0]} {self.lines(stranger)[0][1]}\n")
            os.chmod(self.file, 0o600)
            status, log = self.weir.run_to_end()
            self.assertIn("authd.master_key: line 1: it is not whole: id and key do not fit", log)
            self.assertNotIn(self.lines(stranger)[0][1], log)
            none = self.weir.settings.pop("authd.master_key")
            status, log = self.weir.run_to_end()
            self.assertIn(f"sealed with the master key {self.ids(kept)[0]}: authd.master_key must name", log)
            self.weir.settings["authd.master_key"] = none
        finally:
            os.rename(kept, self.file)
        self.weir.start()
        # The session of before is good: nothing was changed.
        self.assertEqual(self.api.get("/api/v1/me").status, 200)


class Without(MasterKeyTest):
    @classmethod
    def prepare(cls):
        cls.weir = Credentialed(cls.lab, settings={"engine.dpi": False})
        cls.weir.credentials = os.path.join(cls.lab.dir, "credentials")
        os.mkdir(cls.weir.credentials, 0o700)
        cls.weir.start()
        cls.api = cls.weir.setup()
        cls.seed = cls.second_factor(cls.api)

    def test_a_key_comes_later(self):
        """Nothing is sealed, and Weir says so; then a credential has a key, and nothing of before is left."""
        self.assertEqual(self.found(self.weir, self.seed), ["accounts.mdb"])  # so the search finds what is there
        self.assertIsNone(self.key(self.weir)["id"])
        self.assertIn("secrets at rest are not sealed", self.weir.log())
        self.assertEqual(self.warned(), (["authd@0"],) * 3)
        refused = self.cli(self.weir, "key", "rotate", "master", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("authd.master_key names no file", refused.stderr)
        self.weir.stop()
        path, _ = self.make("credentials/master")
        self.weir.settings["authd.master_key"] = "credential:master"
        self.weir.start()
        self.assertEqual(self.key(self.weir)["id"], self.ids(path)[0])
        self.assertEqual(self.found(self.weir, self.seed), [])
        self.assertEqual(self.found(self.weir, b"$argon2id$"), [])
        self.assertEqual(self.api.get("/api/v1/me").status, 200)
        self.assertEqual(self.weir.api().post("/api/v1/login", {"name": "admin", "password": PASSWORD}).status, 200)
        entry = self.api.ask("/api/v1/audit?kind=key_rotated")["entries"][0]
        self.assertEqual(entry["detail"], f"sealed with {self.ids(path)[0]}; before: not at all")
        refused = self.cli(self.weir, "key", "rotate", "master", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is a credential, which only its owner can change", refused.stderr)
        # Its owner does: the new one in front, a restart, then the former goes.
        before = self.lines(path)
        new, _ = self.make("credentials/new")
        with open(new, "a") as f:
            f.write(f"weir-master-key 1 {before[0][0]} {before[0][1]}\n")
        os.rename(new, path)
        self.weir.stop()
        self.weir.start()
        self.assertEqual(self.key(self.weir)["id"], self.ids(path)[0])
        self.assertEqual(self.found(self.weir, bytes.fromhex(before[0][0])), [])

    def test_z_a_backup_needs_the_key(self):
        """It holds what is sealed, and neither the key nor its file."""
        self.weir.stop()
        path, _ = self.make("credentials/backup")
        self.weir.settings["authd.master_key"] = "credential:backup"
        if os.path.exists(f"{self.weir.credentials}/master"):
            with open(path, "a") as f:
                f.writelines(" ".join(("weir-master-key", "1", *x)) + "\n" for x in self.lines(f"{self.weir.credentials}/master")[:1])
        self.weir.start()
        to = os.path.join(self.lab.dir, "backup")
        self.cli(self.weir, "backup", to)
        secret = self.lines(path)[0][1]
        for root, _, names in os.walk(to):
            for n in names:
                with open(os.path.join(root, n), "rb") as f:
                    content = f.read()
                self.assertFalse(self.seed in content or bytes.fromhex(secret) in content or secret.encode() in content, n)
        self.weir.stop()
        other = Credentialed(self.lab, name="other", data=os.path.join(self.lab.dir, "restored"), settings={"engine.dpi": False})
        other.credentials = self.weir.credentials
        run(weir_binary(), "restore", to, "-c", other.config())
        status, log = other.run_to_end()
        self.assertNotEqual(status, 0)
        self.assertRegex(log, rf"sealed with the master key {self.ids(path)[0]}: authd.master_key must name")
        other.settings["authd.master_key"] = "credential:backup"
        other.start()
        self.assertEqual(other.api().post("/api/v1/login", {"name": "admin", "password": PASSWORD}).status, 200)
        other.stop()
        self.assertTrue(re.search(r"secrets at rest are sealed with the master key [0-9a-f]{16}$", other.log(), re.M))


if __name__ == "__main__":
    unittest.main()
