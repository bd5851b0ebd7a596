"""A process that dies is restarted alone: each is killed under load, the others go on, the dead one is back within 2 s, everyone can
see that it happened, and nothing that the store had acknowledged is lost."""

import http.client
import os
import signal
import time
import unittest

from weirlab import PATIENCE, LabTest, Weir, sandboxed, wait_for, whole

BACK_WITHIN = 2


class Kill(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.lab.serve_dns()
        cls.weir = Weir(cls.lab, settings={"engine.active_timeout": "5s", "store.commit_interval": "200ms",
                                             # A connection of before outlives all that is waited for.
                                             "httpd.idle_timeout": "10min"}).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")
        cls.load, _ = cls.lab.load(3600, "30M")

    def kept(self):
        """Everything that history holds: {(id, slice): (packets, bytes)}."""
        rows = self.api.all(f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 60:.0f}", "flows")
        return {(f["id"], f["slice"]): (f["packets"]["sent"], f["bytes"]["sent"], f["first"], f["last"]) for f in rows if not f["live"]}

    def setUp(self):
        self.began = time.time() - 300
        self.assertIsNone(self.load.poll(), "the load ended")

    def component(self, name):
        for c in self.api.ask("/api/v1/health")["components"]:
            if c["name"] == name:
                return c
        return None

    def packets(self):
        return self.api.interface("ports")["packets"]

    def kill(self, proc):
        name = (proc, 0)
        for i in range(6):
            self.lab.dig(f"before-{proc}{i}.weir-test.example")
        kept = wait_for("flows in history", lambda: self.kept() if len(self.kept()) >= 3 else None, 30)
        before = self.weir.wait_processes()
        restarts = whole("health", lambda: self.component(f"{proc}@0")["restarts"])
        packets = whole("the interface", self.packets)
        old = before[name]

        os.kill(old, signal.SIGKILL)
        killed = time.monotonic()

        def back():
            new = self.weir.processes().get(name)
            return new if new and new != old and sandboxed(new) else None
        new = wait_for(f"{proc} to be back", back, BACK_WITHIN)
        self.assertLess(time.monotonic() - killed, BACK_WITHIN * PATIENCE + 0.5)

        # The others never noticed more than a closed channel.
        after = self.weir.wait_processes()
        self.assertEqual({k: v for k, v in after.items() if k != name}, {k: v for k, v in before.items() if k != name})
        self.assertEqual(after[name], new)

        # Everyone can see it, and the session is still one.
        c = wait_for("health to tell", lambda: (lambda c: c if c and c["restarts"] > restarts and c["state"] == "running" else None)(
            self.component(f"{proc}@0")))
        self.assertIn("KILL", (c["why"] or "").upper())
        self.assertIsNotNone(c["last_death"])
        wait_for("the session", lambda: self.api.get("/api/v1/me").status == 200)

        # Traffic is counted again, and what had been kept is kept. Counts move once a second: against one look, not between two.
        first = whole("the interface", self.packets)
        wait_for("traffic to be counted", lambda: self.packets() > first)
        wait_for("the count to go on where it was", lambda: proc == "engine" or self.packets() >= packets)
        now = wait_for("history", lambda: self.kept())
        lost = {k: v for k, v in kept.items() if now.get(k) != v}
        self.assertEqual(lost, {}, f"{len(lost)} of {len(kept)} records lost")

        # New flows reach history through the new process.
        self.lab.dig(f"after-{proc}.weir-test.example")
        count = len(now)
        wait_for("new flows in history", lambda: len(self.kept()) > count, 20)
        self.assertRegex(self.weir.log(), rf"{proc}.*(?:signal 9|SIGKILL|killed)")
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok")

    def test_capture(self):
        self.kill("capture")

    def test_engine(self):
        self.kill("engine")

    def test_store(self):
        self.kill("store")

    def test_authd(self):
        self.kill("authd")

    def test_httpd(self):
        self.kill("httpd")

    def test_dial(self):
        self.kill("dial")

    def test_directory(self):
        self.kill("directory")

    def test_key(self):
        """Whoever is connected goes on, and whoever comes meanwhile waits."""
        s = self.api.connect()

        def asks():
            s.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: weir\r\n\r\n")
            answer = http.client.HTTPResponse(s)
            answer.begin()
            answer.read()
            return answer.status
        # Before too: who has asked nothing yet is not waited for as long as who has.
        self.assertEqual(asks(), 200)
        self.kill("key")
        self.assertEqual(asks(), 200)
        s.close()
        old = self.weir.wait_processes()[("key", 0)]
        gone = self.weir.log().count("weir-httpd@0: info: key@0 is gone")
        os.kill(old, signal.SIGKILL)
        wait_for("httpd to know", lambda: self.weir.log().count("weir-httpd@0: info: key@0 is gone") > gone)
        for _ in range(5):
            s = self.api.connect(timeout=BACK_WITHIN * PATIENCE + 5)
            s.close()
        self.assertNotEqual(self.weir.wait_processes()[("key", 0)], old)

    def test_the_stream_says_so(self):
        """A page that is open while the store is away is told, and then goes on."""
        events = self.api.events(20)
        kinds = [next(events)[0]]
        self.assertEqual(kinds, ["live"])
        os.kill(self.weir.wait_processes()[("store", 0)], signal.SIGKILL)
        restarted = False
        for kind, d in events:
            kinds.append(kind)
            states = {c["name"]: c for c in d.get("components", [])}
            restarted |= kind == "unavailable" or states.get("store@0", {}).get("state") in ("restarting", "waiting")
            if kind == "live" and states["store@0"]["restarts"] > 0 and states["store@0"]["state"] == "running" and len(kinds) > 3:
                restarted = True
                break
        events.close()
        self.assertTrue(restarted, kinds)
        self.assertEqual(kinds[-1], "live")

    def test_no_flow_is_lost_while_the_store_is_away(self):
        """Records wait in their ring: every flow made before, during and after the store's death is in history."""
        ports = []

        def talk(n):
            for _ in range(n):
                ports.append(int(self.lab.curl("portal.weir-test.example", "/1k")[2]))
        talk(4)
        old = self.weir.wait_processes()[("store", 0)]
        os.kill(old, signal.SIGKILL)
        talk(4)
        wait_for("store to be back", lambda: self.weir.processes().get(("store", 0)) not in (None, old))
        talk(4)

        def seen():
            rows = self.api.all(f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 60:.0f}", "flows")
            return {f["client"]["port"] for f in rows if f["server"]["port"] == 443 and not f["live"]}
        try:
            wait_for("every flow in history", lambda: set(ports) <= seen(), 20)
        except AssertionError as e:
            raise AssertionError(f"{e}: {sorted(set(ports) - seen())} of {ports} missing") from None

    def test_all_at_once(self):
        before = self.weir.wait_processes()
        kept = whole("history", self.kept)
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        after = wait_for("all of them to be back", lambda: (lambda n: n if set(n) == set(before) and not set(n.values()) & set(before.values())
                                                            and all(map(sandboxed, n.values())) else None)(self.weir.processes()), 10)
        self.assertEqual(set(after), set(before))
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok", 15)
        now = whole("history", self.kept)
        self.assertEqual({k: v for k, v in kept.items() if now.get(k) != v}, {})

    def test_z_the_end_is_clean(self):
        """Stop under load, start again: what was kept is still there, and sessions too or the login works."""
        kept = wait_for("flows in history", self.kept, 30)
        self.weir.stop(signal.SIGINT)
        self.assertEqual(os.listdir(self.weir.settings["run_directory"]), ["lock"])
        self.weir.start()
        if wait_for("an answer", lambda: (lambda s: s if s in (200, 401) else None)(self.api.get("/api/v1/me").status)) != 200:
            type(self).api = self.weir.login()
        now = wait_for("history", self.kept)
        lost = {k: v for k, v in kept.items() if now.get(k) != v}
        self.assertEqual(lost, {}, f"{len(lost)} of {len(kept)} records lost")
        # Flows that were active at the stop were kept as well.
        wait_for("flows that the stop ended", lambda: "shutdown" in {f["end_reason"] for f in self.api.all(
            f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 60:.0f}", "flows")})


if __name__ == "__main__":
    unittest.main()
