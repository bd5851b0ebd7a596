"""What keeps a store's data whole, on the real processes: the check of a database, its backup and its restoring."""

import fcntl
import glob
import json
import os
import re
import shutil
import signal
import struct

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
        found = [m.start() for m in re.finditer(b"WFB[12]", whole)]
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


class Backup(LabTest):
    """A backup of a Weir under load, and a Weir that is restored from it."""

    @classmethod
    def prepare(cls):
        cls.lab.serve_dns()
        cls.weir = Weir(cls.lab, settings={"store.commit_interval": "200ms"}).start()
        cls.api = cls.weir.setup()
        for i in range(30):
            cls.lab.dig(f"backup-{i}.weir-test.example")
        wait_for("flows on disk", lambda: check(cls.weir)[1]["flows"] >= 30, 30)
        wait_for("them in answers", lambda: len(cls.kept(cls.api)) >= 30, 30)
        cls.before = cls.kept(cls.api)
        cls.load, _ = cls.lab.load(3600, "20M")
        os.mkdir(os.path.join(cls.weir.data, "lost+found"), 0o700)  # as where a disk of its own is mounted
        cls.asker = cls.lab.spawn(cls.lab.client, "sh", "-c", "while :; do dig @10.77.0.2 +tries=1 more.weir-test.example; done", log="asker")
        cls.to = os.path.join(cls.lab.dir, "backup")
        cls.done = cls.backup(cls.to)

    @staticmethod
    def kept(api):
        rows = api.all("/api/v1/flows?from=1000000000&to=4000000000", "flows")
        return {(f["id"], f["slice"]): (f["packets"], f["bytes"], f["first"], f["last"], f["server_name"]) for f in rows if not f["live"]}

    @classmethod
    def backup(cls, to, *extra, weir=None):
        weir = weir or cls.weir
        return run(weir_binary(), "backup", to, "-c", weir.config(), "--json", *extra, check=False)

    def test_what_it_says_and_whose_it_is(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)
        d = json.loads(self.done.stdout)
        self.assertTrue(d["sound"] and d["complete"])
        self.assertGreaterEqual(d["flows"], 30)
        for name, mode, uid in ((".", 0o700, 0), ("store", 0o700, 1), ("store/data.mdb", 0o600, 1), ("authd", 0o700, 2),
                                ("authd/accounts.mdb", 0o600, 2), ("authd/audit.key", 0o600, 2), ("weir-backup", 0o600, 0)):
            st = os.stat(os.path.join(self.to, name))
            self.assertEqual((st.st_mode & 0o777, st.st_uid), (mode, uid and self.lab.first_uid + uid), name)
        self.assertEqual([n for n in os.listdir(os.path.join(self.to, "store")) if "lock" in n], [])
        again = self.backup(self.to)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is there already", again.stderr)
        self.assertEqual(check(self.weir, self.to)[0], 0)

    def test_restored_elsewhere_it_answers_the_same(self):
        other = Weir(self.lab, name="other", interfaces=(), arguments=("--pcap", self.nothing()))
        os.makedirs(os.path.join(other.data, "lost+found"), 0o700)
        done = run(weir_binary(), "restore", self.to, "-c", other.config())
        self.assertIn("sound:", done.stdout)
        self.assertIn("whole: the entries", done.stdout)
        again = run(weir_binary(), "restore", self.to, "-c", other.config(), check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is not empty", again.stderr)
        self.weir.stop()
        try:
            other.start()
            api = other.login()
            after = self.kept(api)
            for key, row in self.before.items():
                self.assertEqual(after.get(key), row)
            self.assertEqual(run(weir_binary(), "audit", "verify", "-c", other.config(), check=False).returncode, 0)
        finally:
            other.stop()
            self.weir.start()

    def test_a_restore_that_was_interrupted_is_finished(self):
        other = Weir(self.lab, name="fourth", interfaces=(), arguments=("--pcap", self.nothing()))
        stage = os.path.join(other.data, ".restoring")
        run(weir_binary(), "restore", self.to, "-c", other.config())
        whole = sorted(os.listdir(other.data))
        self.assertIn("store", whole)
        # As it is when the machine stopped after the first names had moved.
        os.mkdir(stage, 0o700)
        shutil.move(os.path.join(other.data, "store"), stage)
        open(os.path.join(stage, ".checked"), "w").close()
        status, said = other.run_to_end()
        self.assertNotEqual(status, 0)
        self.assertIn("a restore was interrupted", said)
        done = run(weir_binary(), "restore", self.to, "-c", other.config())
        self.assertIn("is finished", done.stdout)
        self.assertEqual(sorted(n for n in os.listdir(other.data)), whole)
        self.assertEqual(check(other)[0], 0)
        # And when it stopped before all was checked: it begins anew.
        for n in os.listdir(other.data):
            if n not in ("lock", "lost+found"):
                path = os.path.join(other.data, n)
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        os.makedirs(os.path.join(stage, "store"), 0o700)
        status, said = other.run_to_end()
        self.assertNotEqual(status, 0)
        self.assertIn("a restore was interrupted", said)
        done = run(weir_binary(), "restore", self.to, "-c", other.config())
        self.assertIn("is restored", done.stdout)
        self.assertEqual(sorted(n for n in os.listdir(other.data)), whole)

    def nothing(self):
        """A capture without frames."""
        return self.lab.file("nothing.pcap", bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))

    def test_what_is_damaged_is_told_and_not_restored(self):
        to = os.path.join(self.lab.dir, "damaged")
        self.assertEqual(self.backup(to, "--copy").returncode, 0)
        name = turn_a_byte(os.path.join(to, "store"))
        other = Weir(self.lab, name="third")
        done = run(weir_binary(), "restore", to, "-c", other.config(), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"FAULT {name}", done.stdout)
        self.assertIn("nothing was restored", done.stderr)
        self.assertEqual([n for n in os.listdir(other.data) if n != "lock"], [])
        # The same files as those of a Weir that does not run: a backup of them says so.
        for n in os.listdir(to):
            if n != "weir-backup":
                shutil.move(os.path.join(to, n), other.data)
        again = self.backup(to + "-again", weir=other)
        self.assertEqual(again.returncode, 2, again.stdout + again.stderr)
        self.assertEqual({f["file"] for f in json.loads(again.stdout)["faults"]}, {name})

    def test_what_is_no_backup_is_refused(self):
        empty = os.path.join(self.lab.dir, "empty")
        os.makedirs(empty, exist_ok=True)
        done = run(weir_binary(), "restore", empty, "--data", os.path.join(self.lab.dir, "elsewhere"), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no whole backup", done.stderr)
        done = run(weir_binary(), "restore", self.to, "-c", self.weir.config(), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a Weir runs with this directory", done.stderr)


# ext4 stops at once and writes nothing more, not even its journal (FS_IOC_SHUTDOWN, without a last flush).
SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, struct.pack("I", 2)


class Power(LabTest):
    """The data directory is a file system of its own, whose power goes in the middle of writing."""

    CUTS = 4

    @classmethod
    def prepare(cls):
        cls.lab.serve_dns()
        cls.image = os.path.join(cls.lab.dir, "disk.img")
        cls.data = os.path.join(cls.lab.dir, "power-data")
        os.mkdir(cls.data, 0o755)
        with open(cls.image, "wb") as f:
            f.truncate(256 << 20)
        run("mkfs.ext4", "-q", "-F", cls.image)
        cls.lab.spawn(cls.lab.client, "sh", "-c", "i=0; while :; do i=$((i+1)); dig @10.77.0.2 +tries=1 p$i.weir-test.example; done", log="asker")
        cls.mount()
        cls.lab.mounts.append(cls.data)
        cls.weir = Weir(cls.lab, data=cls.data, settings={"store.commit_interval": "100ms"}).start()
        cls.api = cls.weir.setup()

    @classmethod
    def mount(cls):
        run("mount", "-o", "loop", cls.image, cls.data)

    def power_off(self):
        fd = os.open(self.data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, WITHOUT_FLUSH)
        finally:
            os.close(fd)

    def on_disk(self):
        """How many flows are committed: groups do not know of others."""
        return self.api.ask("/api/v1/flows/top?by=protocol&from=1000000000&to=4000000000")["all"]["flows"]

    def test_what_was_committed_outlives_it(self):
        had = 0
        for cut in range(self.CUTS):
            enough = had + 20 + 7 * cut
            had = wait_for("more flows on disk", lambda: (lambda n: n if n >= enough else None)(self.on_disk()), 60)
            self.power_off()
            self.lab.end(self.weir.process, signal.SIGKILL)  # its processes end with it
            # What is on the disk now is what a machine finds that starts again. Another file, as who made a namespace meanwhile holds this one.
            run("umount", "-l", self.data)
            before, type(self).image = self.image, os.path.join(self.lab.dir, f"disk-{cut}.img")
            run("cp", "--sparse=always", before, self.image)
            os.unlink(before)
            self.mount()
            status, d = check(self.weir)
            self.assertEqual((status, d["faults"]), (0, []), d)
            self.assertGreaterEqual(d["flows"], had)
            self.weir.start()
            self.api = self.weir.login()
            self.assertGreaterEqual(self.on_disk(), had)
            self.assertEqual(run(weir_binary(), "audit", "verify", "-c", self.weir.config(), check=False).returncode, 0)


class Deletion(LabTest):
    """A tenant that is deleted leaves nothing of its flows in the files."""

    def test_its_flows_are_gone_from_the_disk(self):
        self.lab.serve_dns()
        weir = Weir(self.lab, settings={"store.commit_interval": "200ms"}).start()
        weir.setup()
        listed = self.lab.file("tenants.yaml", "tenants:\n  - name: acme\n    selectors:\n      - interface: ports\n")
        run(weir_binary(), "apply", listed, "-c", weir.config())
        for i in range(30):
            self.lab.dig(f"deletion-{i}.weir-test.example")
        wait_for("flows on disk", lambda: check(weir)[1]["flows"] >= 30, 30)
        run(weir_binary(), "tenant", "remove", "acme", "-c", weir.config())
        # Their segment is sealed, merged without them, and deleted; nobody asks anything of the network meanwhile.
        wait_for("them to go", lambda: check(weir)[1]["flows"] < 10, 30)
        status, d = check(weir)
        self.assertEqual((status, d["faults"]), (0, []))
        weir.stop()
        self.assertEqual(check(weir)[0], 0)
