"""The page in a headless browser, on the real server with real traffic: tests/e2e does the looking."""

import os
import unittest

from weirlab import ROOT, LabTest, Weir, wait_for

E2E = os.path.join(ROOT, "tests", "e2e")
SCREENSHOTS = os.path.join(ROOT, "build", "screenshots")


class Page(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.lab.serve_dns()
        cls.lab.serve_ssh()
        cls.lab.serve_iperf()
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
        cls.lab.spawn(cls.lab.client, "iperf3", "-c", "10.77.0.2", "-t", "600", "-b", "8M", log="iperf3-page")
        cls.lab.spawn(cls.lab.client, traffic, log="traffic")

    @classmethod
    def tearDownClass(cls):
        # The shell's own children end with their namespace: leftovers() would name them.
        for p in cls.lab.children:
            if "traffic" in p.log_path:
                os.killpg(p.pid, 15)
        super().tearDownClass()

    def test_in_a_browser(self):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        link = self.weir.setup_link()
        done = self.lab.exec(self.lab.mon, "node", os.path.join(E2E, "run.mjs"), "--base", f"https://127.0.0.1:{self.weir.https}",
                             "--setup-link", link, "--expect-app", "TLS", "--expect-host", "10.77.0.2", "--screenshots", SCREENSHOTS,
                             check=False, timeout=240, cwd=E2E)
        self.lab.file("browser.log", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-4000:])
        self.assertTrue([n for n in os.listdir(SCREENSHOTS) if n.endswith(".png")])


if __name__ == "__main__":
    unittest.main()
