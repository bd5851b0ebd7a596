"""The audit log on the real processes: what is done stands in it, what is done to it is found, and nothing secret is in it."""

import json
import os
import re
import shutil
import signal
import unittest

from weirlab import LabTest, Weir, run, wait_for, weir_binary


def verify(weir, *extra, data=None):
    """(exit status, document) of `weir audit verify`."""
    done = run(weir_binary(), "audit", "verify", "-c", weir.config(), "--data", data or weir.data, "--json", *extra, check=False)
    if done.returncode not in (0, 2):
        raise AssertionError(f"weir audit verify: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, json.loads(done.stdout)


class Files(LabTest):
    """What `weir audit verify` says of the files of one that ran."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings={"authd.audit_anchor_interval": "1s"}).start()
        cls.weir.setup()
        wait_for("a second anchor", lambda: len(cls.anchors()) >= 2)
        cls.running = verify(cls.weir)
        cls.weir.stop()
        cls.log = cls.weir.log()
        cls.weir.start()
        cls.weir.stop()

    @classmethod
    def anchors(cls):
        with open(os.path.join(cls.weir.data, "audit.anchors")) as f:
            return f.read().splitlines()

    def copy(self):
        """The data directory again, to do something to it."""
        to = os.path.join(self.lab.dir, self._testMethodName)
        shutil.copytree(self.weir.data, to, ignore=lambda d, names: [n for n in names if n in ("store", "tls")])
        return to

    def path(self, data, name):
        return os.path.join(data, "authd", name)

    def test_whole_while_running_and_after(self):
        status, d = self.running
        self.assertEqual((status, d["whole"], d["fault"]), (0, True, None))
        self.assertGreaterEqual(d["anchors"], 3)  # the tail is one
        status, after = verify(self.weir)
        self.assertEqual((status, after["whole"]), (0, True))
        self.assertGreater(after["last"], d["last"])
        self.assertEqual(after["broken_anchors"], 0)
        self.assertEqual(after["anchors"], len(self.anchors()) + 1)
        self.assertGreater(after["epoch"], 1)

    def test_every_anchor_is_in_the_log_too(self):
        said = re.findall(r"weir-audit-anchor 1 [^\n]+", self.log)
        self.assertEqual(said, self.anchors()[:len(said)])
        path = self.lab.file("kept-elsewhere.log", self.log)
        status, d = verify(self.weir, "--anchors", path)
        self.assertEqual((status, d["anchors"]), (0, len(self.anchors()) + 1 + len(said)))

    def test_the_files_are_nobody_elses(self):
        for name in ("audit.key", "audit.tail", "accounts.mdb"):
            st = os.stat(self.path(self.weir.data, name))
            self.assertEqual((st.st_mode & 0o7777, st.st_uid), (0o600, self.lab.first_uid + 2), name)
        st = os.stat(os.path.join(self.weir.data, "audit.anchors"))
        self.assertEqual((st.st_mode & 0o7777, st.st_uid), (0o640, 0))

    def test_edited_bytes_are_found(self):
        data = self.copy()
        path = self.path(data, "accounts.mdb")
        whole = open(path, "rb").read()
        faults = []
        for m in re.finditer(rb"system", whole):  # in live pages and in freed ones
            with open(path, "r+b") as f:
                f.seek(m.start())
                f.write(b"System")
            status, d = verify(self.weir, data=data)
            if status != 0:
                self.assertEqual(d["fault"], "edited")
                self.assertIn(f"entry {d['entry']} was edited", d["detail"])
                faults.append(d["entry"])
            with open(path, "r+b") as f:
                f.seek(m.start())
                f.write(b"system")
        self.assertEqual(len(set(faults)), len(faults), "an entry was told twice")
        self.assertGreater(len(faults), 5)
        self.assertEqual(verify(self.weir, data=data)[0], 0)

    def test_older_database_is_found_by_what_is_outside(self):
        """All files but the anchors put back as they were: nothing inside can tell."""
        data = self.copy()
        shutil.copy(os.path.join(self.weir.data, "audit.anchors"), os.path.join(data, "later"))
        weir = Weir(self.lab, name="older", data=data)
        before = verify(weir, data=data)[1]
        keep = os.path.join(self.lab.dir, "keep")
        shutil.copytree(os.path.join(data, "authd"), keep, copy_function=shutil.copy2)
        for root, _, names in os.walk(data):  # as weir wants them
            for n in names + ["."]:
                if "/authd" in root:
                    os.chown(os.path.join(root, n), self.lab.first_uid + 2, self.lab.first_uid + 2)
        weir.start()
        weir.stop()
        after = verify(weir, data=data)[1]
        self.assertGreater(after["last"], before["last"])
        for n in os.listdir(keep):
            shutil.copy(os.path.join(keep, n), self.path(data, n))
        status, d = verify(weir, data=data)
        self.assertEqual((status, d["fault"], d["entry"]), (2, "cut_off", before["last"] + 1))
        os.unlink(os.path.join(data, "audit.anchors"))
        self.assertEqual(verify(weir, data=data)[0], 0)

    def test_forged_and_broken_anchors_are_told(self):
        line = self.anchors()[-1]
        for bad, fault in ((line.replace(" hash=", " hash=0", 1)[:-1], None), (re.sub(r"hash=.", lambda m: "hash=" + ("0" if m.group()[-1] != "0" else "1"), line), "anchor_bad")):
            path = self.lab.file("bad-anchors", bad + "\n")
            status, d = verify(self.weir, "--anchors", path)
            self.assertEqual(d["fault"], fault)
            self.assertEqual((status, d["broken_anchors"]), (0, 1) if fault is None else (2, 0))

    def test_what_is_no_database_is_refused(self):
        data = self.copy()
        path = self.path(data, "accounts.mdb")
        size = os.path.getsize(path)
        for new in (0, 4096, 8192, size // 2 // 4096 * 4096):
            os.truncate(path, new)
            done = run(weir_binary(), "audit", "verify", "-c", self.weir.config(), "--data", data, check=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("accounts.mdb", done.stderr)

    def test_verify_leaves_nothing_behind(self):
        data = self.copy()
        os.unlink(self.path(data, "accounts.mdb-lock"))
        before = sorted(os.listdir(os.path.join(data, "authd")))
        self.assertEqual(verify(self.weir, data=data)[0], 0)
        self.assertEqual(sorted(os.listdir(os.path.join(data, "authd"))), before)


class Running(LabTest):
    """What the command line says of one that runs."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab).start()
        cls.weir.setup()

    def cli(self, *args):
        return run(weir_binary(), *args, "-c", self.weir.config(), check=False)

    def changes(self):
        done = self.cli("audit", "list", "--kind", "configuration_changed", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [(e["actor"], e["subject"], e["detail"]) for e in json.loads(done.stdout)["entries"]]

    def test_another_configuration_is_told(self):
        self.assertEqual(self.changes(), [])
        self.weir.stop()
        self.weir.start()
        self.assertEqual(self.changes(), [])
        self.weir.stop()
        self.weir.settings.update({"engine.flows": 4096, "authd.password_length": 14})
        self.weir.start()
        self.assertEqual(self.changes(), [("system", "weir.yaml", "engine.flows, authd.password_length")])

    def test_what_store_did_not_confirm_is_done_and_said(self):
        self.assertEqual(self.cli("user", "add", "vic", "--tenant", "default", "--role", "viewer", "--password-file",
                                  self.lab.file("password", "a weir in the river\n")).returncode, 0)
        api = self.weir.login("vic", "a weir in the river")
        self.assertEqual(api.get("/api/v1/totals").status, 200)
        store = self.weir.wait_processes()[("store", 0)]
        os.kill(store, signal.SIGSTOP)
        try:
            done = self.cli("user", "set", "vic", "--disable")
        finally:
            os.kill(store, signal.SIGCONT)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the store did not confirm in time", done.stderr)
        self.assertEqual(api.get("/api/v1/totals").status, 401)


if __name__ == "__main__":
    unittest.main()
