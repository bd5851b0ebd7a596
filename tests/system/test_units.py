"""The launcher where units of systemd start the processes (weir run --units), in mount and network namespaces of its own. What needs a systemd
is script/acceptance's."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from weirlab import ROOT, wait_for, weir_binary

# Its own /run, its own users, and no network that is anybody's.
STAGE = 'mount -t tmpfs tmpfs /run && mkdir /run/weir && mount --bind "$1" /etc/passwd && shift && exec "$@"'


class Units(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="weir-units-")
        self.addCleanup(shutil.rmtree, self.dir)
        with open(os.path.join(ROOT, "systemd", "weir.sysusers")) as f:
            self.users = {int(uid): name for name, uid in re.findall(r"^u\s+(\S+)\s+(\d+)", f.read(), re.M)}

    def launcher(self, users):
        passwd = os.path.join(self.dir, "passwd")
        with open("/etc/passwd") as f:
            kept = [line for line in f if not line.startswith("weir-")]
        with open(passwd, "w") as f:
            f.writelines(kept + [f"{name}:x:{uid}:{uid}::/:/usr/sbin/nologin\n" for uid, name in users.items()])
        p = subprocess.Popen(["unshare", "--mount", "--net", "sh", "-c", STAGE, "sh", passwd, weir_binary(), "run", "--units", "--data",
                              self.dir + "/data", "-i", "lo", "--set", "engine.workers=1", "--set", "httpd.workers=1"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdout.close()))
        return p

    def test_each_process_has_its_units_user(self):
        p = self.launcher(self.users)
        door = f"/proc/{p.pid}/root/run/weir/units.sock"
        wait_for("the launcher's door", lambda: p.poll() is not None or os.path.exists(door))
        self.assertIsNone(p.poll(), p.poll() is not None and p.stdout.read())
        # A stranger hears nothing there.
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(s.close)
        wait_for("somebody who listens", lambda: s.connect_ex(door) == 0)
        s.settimeout(30)
        self.assertEqual(s.recv(64), b"")
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(60), 0)

    def test_a_number_that_is_somebody_elses_is_no_process(self):
        """systemd-sysusers gives another number where one is taken: then who has the one that was meant would be given authd's secrets."""
        for users, words in (({**self.users, 62402: "mallory"}, "uid 62402 must be the user weir-authd, as whom the unit starts it, and is mallory"),
                             ({u: n for u, n in self.users.items() if u != 62416}, "uid 62416 must be the user weir-engine-0, as whom the unit starts it, and is nobody's")):
            p = self.launcher(users)
            said = p.communicate(timeout=60)[0]
            self.assertEqual(p.returncode, 1, said)
            self.assertIn("first_uid: " + words, said)


if __name__ == "__main__":
    unittest.main()
