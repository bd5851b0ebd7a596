"""What keeps a store's data whole, on the real processes: the check of a database, its backup and its restoring."""

import glob
import json
import os
import re
import shutil

from weirlab import LabTest, Weir, run, wait_for, weir_binary


def check(weir, *where):
    """(exit status, document) of `weir store check`."""
    done = run(weir_binary(), "store", "check", *where, "-c", weir.config(), "--json", check=False)
    if done.returncode not in (0, 2):
        raise AssertionError(f"weir store check: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def turn_a_byte(store):
    """Changes one byte of every block of flows in one file; its name. What LMDB has freed lies in the file too."""
    for path in sorted(glob.glob(os.path.join(store, "flows-*.mdb"))):
        whole = bytearray(open(path, "rb").read())
        found = [m.start() for m in re.finditer(b"WFB1", whole)]
        for at in found:
            whole[at + 30] ^= 1
        with open(path, "r+b") as f:
            f.write(whole)
        if found:
            return os.path.basename(path)
    raise AssertionError("no block of flows")


class Check(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_dns()
        cls.weir = Weir(cls.lab, settings={"store.commit_interval": "200ms"}).start()
        cls.api = cls.weir.setup()

    def store(self):
        return os.path.join(self.weir.data, "store")

    def more_flows(self, enough):
        for i in range(20):
            self.lab.dig(f"check-{enough}-{i}.weir-test.example")
        return wait_for("flows on disk", lambda: (lambda d: d if d[1]["flows"] >= enough else None)(check(self.weir)), 30)

    def test_a_running_store_is_checked_and_goes_on(self):
        status, d = self.more_flows(20)
        self.assertEqual((status, d["sound"], d["complete"], d["faults"]), (0, True, True, []))
        self.assertGreater(d["chunks"], 0)
        self.assertGreater(d["names"], 0)
        load, _ = self.lab.load(3600, "20M")
        before = self.weir.processes()
        for _ in range(15):  # while it is written
            status, d = check(self.weir)
            self.assertEqual((status, d["faults"]), (0, []))
        self.lab.end(load)
        self.assertEqual(self.weir.processes(), before)
        self.assertNotIn("store", [c["name"] for c in self.api.ask("/api/v1/health")["components"] if c["state"] != "running"])

    def test_a_copy_that_is_damaged_is_named(self):
        self.more_flows(20)
        self.weir.stop()
        copy = os.path.join(self.lab.dir, "copy")
        shutil.copytree(self.store(), copy)
        for root, _, names in os.walk(copy):
            for n in names + ["."]:
                os.chown(os.path.join(root, n), self.lab.first_uid + 1, self.lab.first_uid + 1)
        self.assertEqual(check(self.weir, copy)[0], 0)
        name = turn_a_byte(copy)
        status, d = check(self.weir, copy)
        self.assertEqual((status, d["sound"], d["complete"]), (2, False, True))
        self.assertEqual({f["file"] for f in d["faults"]}, {name})
        self.assertTrue(all(f["block"] > 0 and f["part"] for f in d["faults"]))
        text = run(weir_binary(), "store", "check", copy, check=False)
        self.assertEqual(text.returncode, 2)
        self.assertIn(f"FAULT {name}, block", text.stdout)
        os.truncate(os.path.join(copy, "data.mdb"), 8192)
        done = run(weir_binary(), "store", "check", copy, "--json", check=False)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertFalse(json.loads(done.stdout)["complete"])
        # What stands in the directory otherwise is what was there before: nothing is made of it.
        os.unlink(os.path.join(copy, "data.mdb"))
        self.assertEqual(run(weir_binary(), "store", "check", copy, check=False).returncode, 1)
        self.weir.start()

    def test_who_cannot_look_is_told(self):
        for argv, said in ((["store", "check", "/nonexistent"], "/nonexistent"), (["store", "check", self.lab.dir], "neither data.mdb nor")):
            done = run(weir_binary(), *argv, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)
        self.assertEqual(run(weir_binary(), "store", "check", "a", "b", check=False).returncode, 64)
