"""The launcher where units of systemd start the processes (weir run --units), in mount and network namespaces of its own. What needs a systemd
is script/acceptance's."""

import contextlib
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from weirlab import ROOT, wait_for, weir_binary

# Its own /run, as weir.tmpfiles makes it and the test changes it, its own users, and no network that is anybody's.
STAGE = 'mount -t tmpfs -o mode=755 tmpfs /run && mount --bind "$1" /etc/passwd && sh -ec "$2" && shift 2 && exec "$@"'


class Units(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="weir-units-")
        self.addCleanup(shutil.rmtree, self.dir)
        with open(os.path.join(ROOT, "systemd", "weir.sysusers")) as f:
            self.users = {int(uid): name for name, uid in re.findall(r"^u\s+(\S+)\s+(\d+)", f.read(), re.M)}
        uid_of = {name: uid for uid, name in self.users.items()} | {"root": 0}
        with open(os.path.join(ROOT, "systemd", "weir.tmpfiles")) as f:
            self.run = "\n".join(f"mkdir -m {mode} {path}; chown {uid_of[user]}:{uid_of[group]} {path}"
                                 for path, mode, user, group in re.findall(r"^d (/run/\S+)\s+(\d+)\s+(\S+)\s+(\S+)", f.read(), re.M))

    def launcher(self, users, http_port=3000, sockets=(), then="", groups=None):
        """sockets: (name, listening socket) that it inherits, as of units of systemd. then: what becomes of /run/weir before. groups: those of uids, where they have others' numbers."""
        passwd = os.path.join(self.dir, "passwd")
        with open("/etc/passwd") as f:
            kept = [line for line in f if not line.startswith("weir-")]
        with open(passwd, "w") as f:
            f.writelines(kept + [f"{name}:x:{uid}:{(groups or {}).get(uid, uid)}::/:/usr/sbin/nologin\n" for uid, name in users.items()])
        high = [s.fileno() + 200 for _, s in sockets]  # out of the way of 3 and what follows
        for (_, s), fd in zip(sockets, high):
            os.dup2(s.fileno(), fd)
        inherit = (f"LISTEN_PID=$$ LISTEN_FDS={len(high)} LISTEN_FDNAMES={':'.join(n for n, _ in sockets)} exec \"$@\"" +
                   "".join(f" {3 + i}<&{fd}" for i, fd in enumerate(high)))
        p = subprocess.Popen(["unshare", "--mount", "--net", "sh", "-c", STAGE, "sh", passwd, f"{self.run}\n{then}", "bash", "-c", inherit, "bash", weir_binary(), "run", "--units", "--data",
                              self.dir + "/data", "-i", "lo", "--set", "engine.workers=1", "--set", "httpd.workers=1", "--set", f"httpd.http_port={http_port}"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=high)
        for fd in high:
            os.close(fd)
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

    def generate(self, configuration):
        """What weir-generator makes of a configuration: {path: text, or where a link leads}."""
        etc, out, program = (os.path.join(self.dir, x) for x in ("etc", "units", "weir-generator"))
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(etc + "/weir", exist_ok=True)
        os.makedirs(out)
        with open(etc + "/weir/weir.yaml", "w") as f:
            f.write(configuration)
        if not os.path.islink(program):
            os.symlink(weir_binary(), program)
        subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$1" /etc && shift && exec "$@"', "sh", etc, program, out], check=True, timeout=60)
        found = {}
        for top, _, names in os.walk(out):
            for path in (os.path.join(top, n) for n in names):
                with contextlib.nullcontext(io.StringIO(os.readlink(path))) if os.path.islink(path) else open(path) as f:
                    found[os.path.relpath(path, out)] = f.read()
        return found

    def test_a_port_that_is_none_has_no_socket(self):
        """weir.service names weir-http.socket (Sockets=), which wants it: what the generator does not want would be started all the same."""
        drop, want = "weir-http.socket.d/address.conf", "weir.target.wants/weir-http.socket"
        made = self.generate("httpd:\n  address: 192.0.2.1\n  http_port: 3080\n")
        self.assertIn("ListenStream=\nListenStream=192.0.2.1:3080\n", made[drop])
        self.assertIn(want, made)
        made = self.generate("httpd:\n  http_port: 0\n")
        self.assertEqual(made[drop], "[Unit]\nConditionPathExists=!/\n")
        self.assertNotIn(want, made)
        self.assertIn("weir.target.wants/weir-https.socket", made)

    def test_a_socket_of_another_port_is_told_of(self):
        """The configuration has changed, and nobody told systemd."""
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        for s in listeners:
            self.addCleanup(s.close)
        https, http = (s.getsockname()[1] for s in listeners)
        sockets = list(zip(("https", "http"), listeners))
        ends = "it changes with `systemctl daemon-reload` and `systemctl restart weir.target`"
        for port, line in ((0, f"httpd.http_port is 0, but weir-http.socket listens on {http}: {ends}"),
                           (3000, f"httpd.http_port is 3000, but weir-http.socket listens on {http}: {ends}"), (http, None)):
            p = self.launcher(self.users, http_port=port, sockets=sockets)
            door = f"/proc/{p.pid}/root/run/weir/units.sock"
            wait_for("the launcher's door", lambda: p.poll() is not None or os.path.exists(door))
            wait_for("somebody who listens", lambda: p.poll() is not None or socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect_ex(door) == 0)
            p.send_signal(signal.SIGTERM)
            said = p.communicate(timeout=60)[0]
            self.assertEqual(p.returncode, 0, said)
            self.assertIn(f"httpd.https_port is 3001, but weir-https.socket listens on {https}: {ends}", said)
            self.assertIn(line, said) if line else self.assertNotIn("weir-http.socket", said)

    def test_a_number_that_is_somebody_elses_is_no_process(self):
        """systemd-sysusers gives another number where one is taken: then who has the one that was meant would be given authd's secrets."""
        for users, words in (({**self.users, 62402: "mallory"}, "uid 62402 must be the user weir-authd, as whom the unit starts it, and is mallory"),
                             ({u: n for u, n in self.users.items() if u != 62416}, "uid 62416 must be the user weir-engine-0, as whom the unit starts it, and is nobody's")):
            p = self.launcher(users)
            said = p.communicate(timeout=60)[0]
            self.assertEqual(p.returncode, 1, said)
            self.assertIn("first_uid: " + words, said)


    def test_directories_of_one_process_are_nobody_elses(self):
        """By a socket that stands in one dial knows its peer: what systemd-tmpfiles did not make so is refused, and nothing is made there."""
        where = "/run/weir/directory-0"
        for then, words in ((f"rmdir {where}", "No such file or directory: `systemd-tmpfiles --create weir.conf` makes it"),
                            (f"chmod 0711 {where}", f"has mode 0711, must have 0710: `chmod 0710 {where}`"),
                            (f"chown 0:62401 {where}", "belongs to 0:62401, must belong to 0:62405"),
                            (f"chown 62405 {where}", "belongs to 62405:62405, must belong to 0:62405"),
                            (f"rmdir {where}; ln -s /run/weir/store-0 {where}", "is no directory")):
            p = self.launcher(self.users, then=then)
            said = p.communicate(timeout=60)[0]
            self.assertEqual(p.returncode, 1, said)
            self.assertIn(f"{where}: {words}", said)

    def test_the_group_is_the_users(self):
        """systemd-sysusers gives a user another group's number where that is taken."""
        p = self.launcher(self.users, then="chown 0:4711 /run/weir/store-0", groups={62401: 4711})
        door = f"/proc/{p.pid}/root/run/weir/units.sock"
        wait_for("the launcher's door", lambda: p.poll() is not None or os.path.exists(door))
        wait_for("somebody who listens", lambda: p.poll() is not None or os.path.exists(f"/proc/{p.pid}/root/run/weir/weir-0.sock"))
        self.assertIsNone(p.poll(), p.poll() is not None and p.stdout.read())
        # What it did not make stays, without its sockets.
        run, apart = (os.open(f"/proc/{p.pid}/root/run/weir{below}", os.O_RDONLY) for below in ("", "/store-0"))
        self.addCleanup(os.close, run)
        self.addCleanup(os.close, apart)
        self.assertEqual(os.listdir(apart), ["dial-0.sock"])
        p.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(60), 0)
        self.assertEqual((sorted(os.listdir(run)), os.listdir(apart)), (["directory-0", "lock", "store-0"], []))


if __name__ == "__main__":
    unittest.main()
