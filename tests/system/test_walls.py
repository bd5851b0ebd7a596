"""What each running process is and holds, read from /proc: by process and by thread."""

import errno
import os
import re
import stat
import unittest

from weirlab import LabTest, Weir, wait_for

COMMON = {"unix", "memfd", "eventpoll", "eventfd", "timerfd", "signalfd", "null", "log"}
# Kinds of descriptors a process may have, and the folder (below the data directory) whose files it may have open.
MAY_HOLD = {
    "capture": (COMMON | {"packet"}, None),
    "engine": (COMMON, None),
    "store": (COMMON, "store"),
    "authd": (COMMON | {"anchors"}, "authd"),
    "httpd": (COMMON | {"tcp"}, None),
    "dial": (COMMON | {"udp", "unbound"}, None),
    "directory": (COMMON, None),
    "key": (COMMON, None),
}


def shared_maps(pid):
    return [x for x in open(f"/proc/{pid}/maps").read().splitlines() if "/memfd:" in x]


def sockets(pid):
    """inode -> kind, of the network namespace that pid lives in."""
    out = {}
    for kind, column in (("unix", 6), ("tcp", 9), ("tcp6", 9), ("udp", 9), ("udp6", 9), ("raw", 9), ("raw6", 9), ("packet", 8),
                         ("netlink", 9), ("icmp", 9)):
        try:
            with open(f"/proc/{pid}/net/{kind}") as f:
                next(f)
                for line in f:
                    w = line.split()
                    if len(w) > column:
                        out[w[column]] = kind.rstrip("6") if kind.startswith("tcp") else kind
        except FileNotFoundError:
            pass
    return out


class Walls(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.weir = Weir(cls.lab, settings={"engine.workers": 2, "engine.dns_mode": 1, "dial.nameservers": ["127.0.0.1"]}).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")
        # Under load, with a client connected and threads at work.
        cls.lab.load(3600, "20M")
        cls.events = cls.api.events(600)
        next(cls.events)
        cls.processes = cls.weir.wait_processes()
        wait_for("a packet ring for every worker", lambda: all(
            {x.split()[1][:2] for x in shared_maps(pid)} == {"rw", "r-"} for (proc, _), pid in cls.processes.items()
            if proc in ("capture", "engine")))

    @classmethod
    def tearDownClass(cls):
        cls.events.close()
        super().tearDownClass()

    def each(self):
        return [(proc, instance, pid) for (proc, instance), pid in sorted(self.processes.items())]

    def test_every_process_runs(self):
        self.assertEqual(set(self.processes), {("capture", 0), ("engine", 0), ("engine", 1), ("store", 0), ("authd", 0), ("httpd", 0),
                                                ("dial", 0), ("directory", 0), ("key", 0)})
        for proc, _, pid in self.each():
            self.assertTrue(open(f"/proc/{pid}/comm").read().startswith(f"weir-{proc}"))

    def test_threads(self):
        for proc, _, pid in self.each():
            tasks = os.listdir(f"/proc/{pid}/task")
            self.assertTrue(tasks)
            for tid in tasks:
                s = dict(line.rstrip("\n").split(":\t", 1) for line in open(f"/proc/{pid}/task/{tid}/status") if ":\t" in line)
                where = f"{proc} thread {tid} ({s['Name']})"
                self.assertEqual(len(set(s["Uid"].split())), 1, where)
                self.assertEqual(len(set(s["Gid"].split())), 1, where)
                self.assertGreater(int(s["Uid"].split()[0]), 0, where)
                self.assertGreater(int(s["Gid"].split()[0]), 0, where)
                self.assertEqual(s["Groups"].strip(), "", where)
                for c in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    self.assertEqual(int(s[c], 16), 0, f"{where} {c}")
                self.assertEqual(int(s["CapBnd"], 16), 0, f"{where} CapBnd")
                self.assertEqual(s["NoNewPrivs"], "1", where)
                self.assertEqual(s["Seccomp"], "2", where)

    def user(self, pid):
        return int(re.search(r"^Uid:\s+(\d+)", open(f"/proc/{pid}/status").read(), re.M).group(1))

    def test_an_own_user_each(self):
        uids = [self.user(pid) for pid in self.processes.values()]
        self.assertEqual(len(set(uids)), len(uids))

    def test_no_memory_is_both_writable_and_executable(self):
        for proc, _, pid in self.each():
            maps = open(f"/proc/{pid}/maps").read().splitlines()
            self.assertTrue(maps)
            for line in maps:
                self.assertFalse("w" in line.split()[1] and "x" in line.split()[1], f"{proc}: {line}")
                if "x" in line.split()[1]:
                    self.assertRegex(line, r"(/|\[vdso\]|\[vsyscall\])", f"{proc} runs anonymous memory: {line}")

    def test_rings_are_mapped_read_only_by_their_reader(self):
        """An engine writes no packet ring, capture no index of the engine."""
        for proc, _, pid in self.each():
            shared = shared_maps(pid)
            if proc in ("capture", "engine"):
                self.assertTrue(any(x.split()[1].startswith("rw") for x in shared), f"{proc} has no page of its own")
                self.assertTrue(any(x.split()[1].startswith("r-") for x in shared), f"{proc} maps no ring read-only")

    def test_only_the_descriptors_it_should_have(self):
        for proc, _, pid in self.each():
            allowed, folder = MAY_HOLD[proc]
            kinds = sockets(pid)
            for fd in os.listdir(f"/proc/{pid}/fd"):
                try:
                    link = os.readlink(f"/proc/{pid}/fd/{fd}")
                except FileNotFoundError:
                    continue
                kind = self.kind(self.device(pid, fd) or link, kinds, folder)
                if kind == "gone":
                    continue
                if proc == "dial" and kind.endswith("in no table"):
                    kind = "unbound"  # a socket that asked nothing yet has no port
                self.assertIn(kind, allowed | ({"own"} if folder else set()), f"{proc} descriptor {fd}: {link}")

    def device(self, pid, fd):
        """/dev/null by its number: under a chroot the link tells another path."""
        try:
            held = os.stat(f"/proc/{pid}/fd/{fd}")
        except OSError:
            return None
        return "/dev/null" if stat.S_ISCHR(held.st_mode) and held.st_rdev == os.makedev(1, 3) else None

    def kind(self, link, kinds, folder):
        m = re.fullmatch(r"socket:\[(\d+)\]", link)
        if m:
            # A connection of a client may have been closed since.
            return kinds.get(m.group(1)) or sockets_again(self.processes, m.group(1))
        m = re.fullmatch(r"anon_inode:\[(\w+)\]", link)
        if m:
            return m.group(1)
        if link.startswith("/memfd:"):
            return "memfd"
        if link == "/dev/null":
            return "null"
        if link == self.weir.log_path or link.startswith("pipe:"):
            return "log"
        if link == os.path.join(self.weir.data, "audit.anchors"):
            return "anchors"
        if folder and (link + "/").startswith(os.path.join(self.weir.data, folder) + "/"):
            return "own"
        return link

    def test_no_process_has_anothers_directory(self):
        store, authd = (os.path.join(self.weir.data, x) for x in ("store", "authd"))
        for path in (store, authd):
            self.assertTrue(os.path.isdir(path), os.listdir(self.weir.data))
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, path)
            for base, _, names in os.walk(path):
                for n in names:
                    self.assertEqual(stat.S_IMODE(os.stat(os.path.join(base, n)).st_mode) & 0o077, 0, n)
        self.assertNotEqual(os.stat(store).st_uid, os.stat(authd).st_uid)
        self.assertNotIn(0, (os.stat(store).st_uid, os.stat(authd).st_uid))

    def test_no_environment_and_no_dump(self):
        for proc, _, pid in self.each():
            self.assertEqual(open(f"/proc/{pid}/environ", "rb").read(), b"", proc)
            # The kernel gives the files of an undumpable process to root.
            self.assertEqual(os.stat(f"/proc/{pid}/environ").st_uid, 0, f"{proc} is dumpable")

    def test_limits(self):
        for proc, _, pid in self.each():
            limits = open(f"/proc/{pid}/limits").read()
            files = int(re.search(r"Max open files\s+(\d+)\s+(\d+)", limits).group(2))
            self.assertLessEqual(files, 20000, proc)
            core = re.search(r"Max core file size\s+(\S+)\s+(\S+)", limits).groups()
            self.assertEqual(core, ("0", "0"), proc)
            processes = re.search(r"Max processes\s+(\S+)\s+(\S+)", limits).group(2)
            self.assertTrue(processes == "0" or processes.isdigit(), f"{proc}: {processes}")

    def test_what_listens(self):
        """Only httpd, and only on its two ports; and weir-dial hears answers of name servers."""
        out = self.lab.exec(self.lab.mon, "ss", "-Hltunp").stdout
        ports = sorted({int(line.split()[4].rsplit(":", 1)[1]) for line in out.splitlines()
                        if not (line.startswith("udp") and f"pid={self.processes[('dial', 0)]}," in line)})
        self.assertEqual(ports, [3000, 3001])

    def test_sockets_of_processes_are_closed_to_others(self):
        """Somebody else's user id gets no channel."""
        run_dir = self.weir.settings["run_directory"]
        found = [os.path.join(b, n) for b, _, names in os.walk(run_dir) for n in names if stat.S_ISSOCK(os.stat(os.path.join(b, n)).st_mode)]
        self.assertTrue(found)
        before = self.weir.processes()
        for path in found:
            code = ("import os,socket,sys\nos.setgroups([]);os.setresgid(65534,65534,65534);os.setresuid(65534,65534,65534)\n"
                    "s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET);s.settimeout(3)\n"
                    "try:\n s.connect(sys.argv[1]);s.send(b'\\0'*64);sys.exit(0 if s.recv(64)==b'' else 9)\n"
                    "except OSError: sys.exit(0)\n")
            done = self.lab.exec(self.lab.mon, "/usr/bin/python3", "-I", "-c", code, path, check=False)
            self.assertEqual(done.returncode, 0, f"{path}: {done.stderr}")
        self.assertEqual(self.weir.processes(), before)

    def test_sockets_of_dial_are_one_peers_each(self):
        """By which of them somebody comes says to dial who it is: nobody but that one may reach it."""
        code = ("import os,socket,sys\nuid=int(sys.argv[1]);os.setgroups([]);os.setresgid(uid,uid,uid);os.setresuid(uid,uid,uid)\n"
                "s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\n"
                "try: s.connect(sys.argv[2]);print('connected')\n"
                "except OSError as e: print(e.errno)\n")
        run_dir = self.weir.settings["run_directory"]
        self.assertFalse(os.path.exists(f"{run_dir}/dial-0.sock"))
        users = {who: self.user(pid) for who, pid in self.processes.items()}
        before = self.weir.processes()
        for peer in ("store", "directory"):
            path = f"{run_dir}/{peer}-0/dial-0.sock"
            at = os.stat(os.path.dirname(path))
            self.assertEqual((at.st_uid, at.st_gid, stat.S_IMODE(at.st_mode)), (0, users[peer, 0], 0o710))
            for who, uid in [*users.items(), ("nobody", 65534)]:
                done = self.lab.exec(self.lab.mon, "/usr/bin/python3", "-I", "-c", code, str(uid), path)
                self.assertEqual(done.stdout.strip(), "connected" if who == (peer, 0) else str(errno.EACCES), f"{who} to {path}: {done.stderr}")
        self.assertEqual(self.weir.processes(), before)

    def test_the_command_line_tells_no_secret(self):
        secret = self.weir.link.split("#", 1)[1].split("=", 1)[-1]
        for pid in list(self.processes.values()) + [self.weir.process.pid]:
            self.assertNotIn(secret.encode(), open(f"/proc/{pid}/cmdline", "rb").read())


def sockets_again(processes, inode):
    for pid in processes.values():
        kind = sockets(pid).get(inode)
        if kind:
            return kind
    # In no table of the namespace: unbound, unhashed or closed meanwhile. A unix socket is always in its table.
    for pid in processes.values():
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{fd}") == f"socket:[{inode}]" for fd in os.listdir(f"/proc/{pid}/fd")):
                return f"socket {inode} in no table"
        except FileNotFoundError:
            continue
    return "gone"


if __name__ == "__main__":
    unittest.main()
