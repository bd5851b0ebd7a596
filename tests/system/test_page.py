"""The page in a headless browser, on the real server with real traffic: tests/e2e does the looking."""

import os
import re
import signal
import subprocess
import unittest

from weirlab import CLIENT, PASSWORD, PATIENCE, ROOT, SERVER, LabTest, Weir, wait_for

E2E = os.path.join(ROOT, "tests", "e2e")
SCREENSHOTS = os.path.join(ROOT, "build", "screenshots")


class Page(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.lab.serve_dns()
        cls.lab.serve_ssh()
        cls.weir = Weir(cls.lab).start()
        wait_for("the link", cls.weir.setup_link)
        # Traffic for as long as the browser looks.
        traffic = cls.lab.file("traffic.sh", f"""#!/bin/sh
i=0
while :; do
    i=$((i + 1))
    curl -sk -o /dev/null --resolve portal.weir-test.example:443:10.77.0.2 https://portal.weir-test.example/1m
    curl -sk -o /dev/null --resolve mail.weir-test.example:443:10.77.0.3 https://mail.weir-test.example/1m
    dig +short +tries=1 +time=1 @10.77.0.2 host$i.weir-test.example >/dev/null
    ssh -F /dev/null -i {cls.lab.dir}/ssh/user -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR \\
        root@10.77.0.2 "head -c 200000 /dev/zero" >/dev/null
    ping -q -c 3 -i 0.2 10.77.0.4 >/dev/null
done
""", 0o755)
        cls.lab.load(3600, "8M")
        cls.lab.spawn(cls.lab.client, traffic, log="traffic")

    @classmethod
    def tearDownClass(cls):
        # The shell's own children end with their namespace: leftovers() would name them.
        for p in cls.lab.children:
            if "traffic" in p.log_path:
                os.killpg(p.pid, 15)
        super().tearDownClass()

    def has_administrator(self):
        """What test_1 makes; a test that runs alone has it too."""
        if self.weir.api().ask("/api/v1/setup")["open"]:
            self.weir.setup()

    def browser(self, *arguments, log="browser"):
        """node run.mjs ... in the monitor's namespace, as a process."""
        return self.lab.spawn(self.lab.mon, "node", os.path.join(E2E, "run.mjs"), "--base", f"https://localhost:{self.weir.https}",
                              "--password", PASSWORD, *arguments, log=log, cwd=E2E)

    def output(self, p):
        with open(p.log_path, errors="replace") as f:
            return f.read()

    def ends_well(self, p, seconds):
        try:
            status = p.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGTERM)
            status = "no end"
        self.assertEqual(status, 0, self.output(p)[-4000:])

    def test_1_every_view(self):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        expected = [x for a in ("TLS", "DNS", "SSH", "ICMP") for x in ("--expect-app", a)]
        expected += [x for h in (CLIENT, SERVER) for x in ("--expect-host", h)]
        expected += ["--expect-server-name", "portal.weir-test.example", "--expect-interface", "ports"]
        p = self.browser("--setup-link", self.weir.setup_link(), *expected, "--screenshots", SCREENSHOTS)
        self.ends_well(p, 420)
        self.assertTrue([n for n in os.listdir(SCREENSHOTS) if n.endswith(".png")])

    def test_2_the_page_says_who_died(self):
        self.has_administrator()
        for proc in ("engine", "store"):
            with self.subTest(proc):
                p = self.browser("--watch-restart", f"{proc}@0", log=f"browser-{proc}")
                wait_for("the page to be open", lambda: self.running(p) and re.search(r"^ready$", self.output(p), re.M), 30)
                os.kill(self.weir.wait_processes()[(proc, 0)], signal.SIGKILL)
                self.ends_well(p, 60)

    def test_3_the_server_starts_again(self):
        self.has_administrator()
        p = self.browser("--watch-server", log="browser-server")
        wait_for("the page to be open", lambda: self.running(p) and re.search(r"^ready$", self.output(p), re.M), 30)
        self.weir.stop()
        wait_for("the page to miss the server", lambda: self.running(p) and re.search(r"^away$", self.output(p), re.M), 30)
        self.weir.start()
        self.ends_well(p, 120)

    def running(self, p):
        if p.poll() is not None:
            raise AssertionError(f"the browser ended with {p.returncode}: {self.output(p)[-2000:]}")
        return True


if __name__ == "__main__":
    unittest.main()
