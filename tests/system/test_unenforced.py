"""sandbox.enforce: no is for diagnosis: calls are let through and told of, everybody hears that nothing is filtered."""

import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "drills"))

from takeover import Takeover  # noqa: E402
from weirlab import LabTest, Weir, run, wait_for, weir_binary  # noqa: E402

GETPPID = 110  # x86-64; in nobody's filter but weir-directory's


class Unenforced(LabTest):
    def test_it_is_said_and_calls_are_told(self):
        weir = Weir(self.lab, settings={"sandbox.enforce": "no"}).start(ready=False)
        api = weir.api()
        wait_for("weir to answer", lambda: api.get("/api/v1/health").status in (200, 503), 30)
        api = weir.setup()
        health = api.get("/api/v1/health").json
        self.assertEqual(health["status"], "degraded")
        self.assertIn("not filtered (sandbox.enforce: no)", str(health["components"]))
        wait_for("each process to say it", lambda: all(f"weir-{p}: system calls are NOT filtered" in weir.log() for p in (
            "capture", "engine", "store", "authd", "httpd", "key", "dial", "directory")) and "weir-authd/hash: system calls are NOT" in weir.log())
        pid = weir.wait_processes()["engine", 0]

        def told():
            with Takeover(pid) as t:
                self.assertEqual(t.call(GETPPID), weir.process.pid)
            return "engine@0 made system call 110 (getppid), which its filter does not have" in weir.log()

        wait_for("the call to be told", told, 40)  # in a namespace the launcher has the kernel's log alone, which leaves records out when there are many
        self.assertEqual(weir.wait_processes()["engine", 0], pid)
        self.assertIn("not filtered (sandbox.enforce: no)", run(weir_binary(), "status", "-c", weir.config()).stdout)
        again = "weir: error: system calls are NOT filtered: set sandbox.enforce to yes again"
        wait_for("it to be said again", lambda: weir.log().count(again) >= 2, 50)
        self.assertEqual(api.get("/api/v1/health").json["status"], "degraded")

        weir.stop()
        weir.settings["sandbox.enforce"] = "yes"
        weir.start()
        weir.wait_processes(("capture", "engine", "store", "authd", "httpd", "key", "dial", "directory"))
        self.assertNotIn("NOT filtered", weir.log()[weir.from_:])
        self.assertNotIn("not filtered", run(weir_binary(), "status", "-c", weir.config()).stdout)
