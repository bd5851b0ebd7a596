"""What bad input gets: one line that says what is wrong and what to do, a status that is not 0 (or, while running, a degraded
state that everyone can see, and a retry), and nothing that was stored is lost."""

import os
import re
import shutil
import signal
import socket
import time
import unittest

import packets as p
from weirlab import PATIENCE, LabTest, Weir, in_namespace, run, wait_for, weir_binary


class Refused(LabTest):
    """Starts that must fail."""

    @classmethod
    def prepare(cls):
        cls.count = 0

    def weir(self, **kw):
        type(self).count += 1
        return Weir(self.lab, name=f"refused{self.count}", **kw)

    def refused(self, w, *words, seconds=15):
        status, text = w.run_to_end(seconds)
        self.assertGreater(status, 0, text)
        self.assertLess(status, 126, text)
        wrong = [x for x in text.splitlines() if all(word in x for word in words)]
        self.assertTrue(wrong, f"no line with {words} in:\n{text}")
        said = [x for x in text.splitlines() if re.search(r"\b(error|cannot|refused|unknown|missing|no such)\b", x, re.I)]
        self.assertLessEqual(len(said), 2, f"more than one complaint:\n{text}")
        wait_for("every process to be gone", lambda: not self.lab.leftovers())
        return text

    def test_missing_interface(self):
        text = self.refused(self.weir(interfaces=("nosuch0",)), "nosuch0")
        self.assertNotIn("restart", text)

    def test_interface_name_of_a_stranger(self):
        for name in ("../../etc", "a" * 200, "x y", ""):
            with self.subTest(name):
                self.refused(self.weir(interfaces=(name,)))

    def test_capture_file_that_cannot_be_read(self):
        self.refused(self.weir(interfaces=(), arguments=("--pcap", "/nonexistent/x.pcap")), "/nonexistent/x.pcap")
        self.refused(self.weir(interfaces=(), arguments=("--pcap", self.lab.file("junk.pcap", b"junk" * 100))), "junk.pcap")
        self.refused(self.weir(interfaces=(), arguments=("--pcap", self.lab.dir)), self.lab.dir)

    def test_taken_port(self):
        taken = in_namespace(self.lab.mon, lambda: socket.create_server(("0.0.0.0", 3001)))
        try:
            self.refused(self.weir(), "3001")
        finally:
            taken.close()

    def test_wrong_configuration(self):
        for text, words in (
            ("engine:\n  wokers: 2\n", ("engine.wokers", "engine.workers", ":2")),
            ("engine:\n  workers: many\n", ("engine.workers", "many", ":2")),
            ("engine:\n  workers: 99\n", ("engine.workers", "16")),
            ("capture:\n  snaplen: 12\n", ("capture.snaplen", "64")),
            ("nonsense: 1\n", ("nonsense",)),
            ("engine: [\n", (":2",)),
            ("engine:\n  workers: 1\n  workers: 2\n", ("workers",)),
            ("- a\n- b\n", (":1",)),
            ("\x00\x01\x02", ()),
        ):
            with self.subTest(text):
                path = self.lab.file("wrong.yaml", text)
                done = self.lab.exec(self.lab.mon, weir_binary(), "run", "-c", path, "-i", "ports", check=False, timeout=15)
                said = done.stdout + done.stderr
                self.assertGreater(done.returncode, 0, said)
                self.assertTrue(any(all(w in line for w in words + ("wrong.yaml",)) for line in said.splitlines()), said)
                check = run(weir_binary(), "check-config", "-c", path, check=False)
                self.assertGreater(check.returncode, 0)
                self.assertIn("wrong.yaml", check.stdout + check.stderr)
        wait_for("every process to be gone", lambda: not self.lab.leftovers())

    def test_every_mistake_is_named(self):
        path = self.lab.file("three.yaml", "engine:\n  wokers: 2\n  workers: 99\nnonsense: 1\n")
        done = run(weir_binary(), "check-config", "-c", path, check=False)
        said = done.stdout + done.stderr
        for line in (":2", ":3", ":4"):
            self.assertIn(line, said)

    def test_good_configuration(self):
        path = self.lab.file("good.yaml", "engine:\n  workers: 2\n  idle_timeout: 90s\ncapture:\n  snaplen: 1 KiB\n")
        self.assertEqual(run(weir_binary(), "check-config", "-c", path, check=False).returncode, 0)

    def test_missing_configuration_file(self):
        done = self.lab.exec(self.lab.mon, weir_binary(), "run", "-c", "/nonexistent/weir.yaml", check=False, timeout=15)
        self.assertGreater(done.returncode, 0)
        self.assertIn("/nonexistent/weir.yaml", done.stdout + done.stderr)

    def test_directories_of_the_wrong_kind(self):
        w = self.weir()
        self.lab.file(f"{w.name}-data", "a file")
        self.refused(w, w.data)
        w = self.weir()
        os.mkdir(w.data)
        os.chmod(w.data, 0o777)  # anyone could replace what is in it
        self.refused(w, w.data)
        w = self.weir()
        os.mkdir(w.data)
        os.chown(w.data, 65534, 65534)
        self.refused(w, w.data)

    def test_damaged_database(self):
        w = self.weir()
        w.start()
        w.setup()
        w.stop()
        hurt = [os.path.join(b, n) for b, _, names in os.walk(os.path.join(w.data, "store")) for n in names if n.endswith(".mdb")
                and "lock" not in n]
        self.assertTrue(hurt)
        keep = hurt[0] + ".keep"
        shutil.copy2(hurt[0], keep)
        with open(hurt[0], "r+b") as f:
            f.write(os.urandom(8192))
        # One line that names the file; the file is left as it is, for a human.
        damaged = open(hurt[0], "rb").read(8192)
        self.refused(w, "store")
        self.assertEqual(open(hurt[0], "rb").read(8192), damaged)
        shutil.copy2(keep, hurt[0])
        w.start()
        w.login()
        w.stop()

    def test_not_root(self):
        w = self.weir()
        done = self.lab.exec(self.lab.mon, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *w.argv(), check=False, timeout=15)
        self.assertGreater(done.returncode, 0)
        self.assertIn("root", done.stdout + done.stderr)

    def test_wrong_words_on_the_command_line(self):
        for words in (["frobnicate"], ["run", "--nonsense"], ["run", "-i"], ["analyze"], []):
            with self.subTest(words):
                done = run(weir_binary(), *words, check=False, timeout=15)
                self.assertGreater(done.returncode, 0)
                self.assertIn("weir", done.stderr.lower())

    def test_certificate_that_is_none(self):
        junk = self.lab.file("junk.pem", "junk")
        self.refused(self.weir(settings={"httpd.certificate": junk, "httpd.certificate_key": junk}), "junk.pem")


class SecondStart(LabTest):
    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab).start()
        cls.api = cls.weir.setup()

    def test_the_same_directories_are_refused_and_the_first_goes_on(self):
        before = self.weir.wait_processes()
        second = Weir(self.lab, name="second", data=self.weir.data, settings={
            "run_directory": self.weir.settings["run_directory"], "httpd.https_port": 4001, "httpd.http_port": 4000})
        status, text = second.run_to_end()
        self.assertGreater(status, 0)
        self.assertRegex(text, r"(?i)already|in use|another")
        self.assertEqual(self.weir.processes(), before)
        self.assertEqual(self.api.get("/api/v1/me").status, 200)

    def test_another_run_directory_does_not_help(self):
        second = Weir(self.lab, name="third", data=self.weir.data, settings={"httpd.https_port": 4001, "httpd.http_port": 4000})
        status, text = second.run_to_end()
        self.assertGreater(status, 0)
        self.assertRegex(text, r"(?i)already|in use|another")
        self.assertEqual(self.api.get("/api/v1/me").status, 200)

    def test_status_tells(self):
        done = self.lab.exec(self.lab.mon, weir_binary(), "status", "-c", self.weir.config(), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("capture", "engine", "store", "authd", "httpd"):
            self.assertIn(name, done.stdout)


class FilesOfATrace(LabTest):
    """weir run --pcap: a file as an observation point, and the page afterwards."""

    def test_a_file_is_served(self):
        def kept(api):
            return api.all("/api/v1/flows?from=1699999000&to=1700001000", "flows")
        t = p.Talk("10.8.0.1", "10.8.0.2", 40000, 443).open().send(True, "PA", p.tls_hello("www.made-up.example")).send(
            False, "PA", b"x" * 700).close()
        path = self.lab.file("trace.pcap", p.pcap(t.frames))
        # It is of 2023, and what is older than keep_flows is not shown once live interfaces tell the time.
        w = Weir(self.lab, interfaces=(), arguments=("--pcap", path), settings={"store.keep_flows": "3650d"}).start()
        self.addCleanup(w.stop)
        api = w.setup()
        i = wait_for("the end of the file", lambda: (lambda i: i if i["state"] == "ended" else None)(api.interface("trace.pcap")))
        self.assertEqual((i["packets"], i["bytes"], i["kind"]), (len(t.frames), sum(map(len, t.frames)), "file"))
        # The clock of a file stands still at its end: its flows stay in sight until Weir stops, and are history from then on.
        rows = wait_for("its flow", lambda: [f for f in api.all("/api/v1/flows", "flows") + kept(api) if f["server_name"]])
        self.assertEqual(rows[0]["server_name"], "www.made-up.example")
        w.stop()
        w.interfaces, w.arguments = ("ports",), ()
        w.start()
        api = w.login()
        rows = wait_for("the kept flow", lambda: kept(api))
        self.assertEqual((rows[0]["server_name"], rows[0]["packets"]["sent"], rows[0]["live"]), ("www.made-up.example", 5, False))

    def test_a_truncated_file_is_said_to_be_one(self):
        frames = [p.packet("10.8.0.1", "10.8.0.2", 17, p.udp(1, 2, b"n" * 40))] * 10
        path = self.lab.file("cut.pcap", p.pcap(frames)[:-20])
        w = Weir(self.lab, name="cut", interfaces=(), arguments=("--pcap", path)).start()
        self.addCleanup(w.stop)
        api = w.setup()
        wait_for("nine packets", lambda: api.interface("cut.pcap")["packets"] == 9)
        wait_for("the reason", lambda: [c for c in api.ask("/api/v1/health")["components"] if c["name"] == "capture@0" and
                                        "cut" in (c["why"] or "")])
        self.assertIn("cut.pcap", w.log())
        w.stop()


class FullDisk(LabTest):
    """The store's disk is full: said, live goes on, history is written when there is room again."""

    SIZE = 48 << 20

    @classmethod
    def prepare(cls):
        cls.data = os.path.join(cls.lab.dir, "small")
        os.mkdir(cls.data)
        run("mount", "-t", "tmpfs", "-o", f"size={cls.SIZE},mode=0755", "weirlab", cls.data)
        cls.lab.mounts.append(cls.data)
        cls.lab.serve_dns()
        cls.weir = Weir(cls.lab, data=os.path.join(cls.data, "weir"), settings={"store.commit_interval": "200ms"}).start()
        cls.api = cls.weir.setup()
        cls.began = time.time() - 1
        cls.ping = cls.lab.spawn(cls.lab.client, "ping", "-q", "-i", "0.1", "10.77.0.2", log="ping")

    def kept(self):
        rows = self.api.all(f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 60:.0f}", "flows")
        return {(f["id"], f["slice"]) for f in rows if not f["live"]}

    def dns(self, tag, n):
        for i in range(n):
            self.lab.dig(f"{tag}{i}.weir-test.example")

    def history(self):
        return self.api.ask("/api/v1/health")["history"]

    def test_full_and_free_again(self):
        self.dns("before", 5)
        kept = wait_for("flows in history", lambda: self.kept() if len(self.kept()) >= 5 else None, 20)
        processes = self.weir.wait_processes()

        filler = os.path.join(self.data, "filler")
        with open(filler, "wb", buffering=0) as f:
            try:
                while f.write(b"\0" * 65536):
                    pass
            except OSError:
                pass

        # Traffic goes on until the store needs a page that is not there.
        def degraded():
            self.dns("full", 5)
            with open(filler, "ab", buffering=0) as f:
                try:
                    while f.write(b"\0" * 4096):
                        pass
                except OSError:
                    pass
            return self.history()["status"] == "degraded"
        wait_for("the store to say that it cannot write", degraded, 60)
        h = self.api.ask("/api/v1/health")
        self.assertEqual(h["status"], "degraded")
        self.assertRegex(h["history"]["why"], r"(?i)space|full")
        states = []
        for kind, live in self.api.events(10):
            states.append((kind, live.get("status"), live.get("history", {}).get("status")))
            if states[-1] == ("live", "degraded", "degraded"):
                break
        self.assertIn(("live", "degraded", "degraded"), states)

        # Live goes on, and so does reading.
        before = self.api.interface("ports")["packets"]
        wait_for("live counting", lambda: self.api.interface("ports")["packets"] > before + 5)
        self.assertLessEqual(kept, self.kept())
        self.assertEqual({k: v for k, v in self.weir.processes().items()}, processes)
        ports = set()
        for i in range(6):
            out = self.lab.exec(self.lab.client, "dig", "+short", "+tries=1", f"+time={int(10 * PATIENCE)}", "-b", f"10.77.0.1#{20000 + i}",
                                "@10.77.0.2", f"late{i}.weir-test.example")
            self.assertEqual(out.stdout.strip(), "10.77.0.2")
            ports.add(20000 + i)

        # Room again: what waited is written, nothing that was acknowledged is gone.
        os.unlink(filler)
        wait_for("history to be ok", lambda: self.history()["status"] == "ok", 30)
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok")

        def late():
            rows = self.api.all(f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 60:.0f}", "flows")
            return ports <= {f["client"]["port"] for f in rows if not f["live"]}
        wait_for("flows of the meantime in history", late, 30)
        self.assertLessEqual(kept, self.kept())
        self.assertEqual({k: v for k, v in self.weir.processes().items()}, processes)

    def test_z_kept_over_a_restart(self):
        kept = wait_for("history", self.kept)
        self.weir.stop(signal.SIGTERM)
        self.weir.start()
        type(self).api = self.weir.login()
        self.assertLessEqual(kept, wait_for("history", self.kept))
        self.weir.stop()
        wait_for("its disk to be free", lambda: run("umount", self.data, check=False).returncode == 0)
        self.lab.mounts.remove(self.data)


class DatabaseAtItsBound(LabTest):
    """store.size is reached: the oldest records go or history says that it is full; Weir lives."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings={"store.size": "16 MiB", "store.commit_interval": "200ms", "engine.idle_timeout": "1s"}).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")

    def test_many_flows(self):
        # Datagrams of ever new ports, until well over what 16 MiB can hold.
        code = ("import socket\n"
                "for p in range(1,60001):\n"
                " s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                " try: s.sendto(b'x'*20,('10.77.0.2',p))\n"
                " except OSError: pass\n"
                " s.close()\n")
        processes = self.weir.wait_processes()
        for _ in range(2):
            self.lab.exec(self.lab.client, "/usr/bin/python3", "-I", "-c", code)
        before = self.api.interface("ports")["packets"]

        def counting():
            self.lab.ping(10)
            return self.api.interface("ports")["packets"] > before
        wait_for("live counting", counting, 30)
        self.assertEqual(self.weir.processes(), processes)
        size = sum(os.stat(os.path.join(b, n)).st_blocks * 512 for b, _, names in os.walk(os.path.join(self.weir.data, "store"))
                   for n in names)
        self.assertLess(size, 20 << 20)
        h = self.api.ask("/api/v1/health")
        self.assertIn(h["status"], ("ok", "degraded"))
        self.weir.stop()
        self.weir.start()
        api = self.weir.login()
        wait_for("an answer", lambda: api.get("/api/v1/flows").status == 200)


if __name__ == "__main__":
    unittest.main()
