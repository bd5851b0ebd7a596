"""Break-in drills: takes over each process of a Weir that runs, and tries what attempts.py has.

    tests/drills/drills.py [--write]     prints the table (as SECURITY.md has it); --write puts it there"""

import argparse
import ctypes
import glob
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "system")]
sys.dont_write_bytecode = True

from attempts import ALLOWED, ATTEMPTS, AT_A_TERMINAL, BRIEF, KILLED, NotYet, Place  # noqa: E402
import forge  # noqa: E402
from takeover import Caught, Died, Takeover, reap  # noqa: E402
from weirlab import Lab, Weir, in_namespace, run, sandboxed, wait_for, weir_binary  # noqa: E402

SECURITY = os.path.join(HERE, "..", "..", "SECURITY.md")
BEGIN, END = "<!-- drills: written by tests/drills/drills.py --write -->", "<!-- end of drills -->"
# As the table has them: the processes, and those that authd and directory make of themselves.
PROCESSES = ("capture", "engine", "store", "authd", "hash", "httpd", "key", "dial", "directory", "attempt", "oidc")
INNER = {"hash": "authd", "attempt": "directory", "oidc": "directory"}
SILENT, UNNAMED = 6389, 6390
CAPTURE = struct.pack("<IHHiIIIIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1, 0, 0, 60, 60) + bytes(60)  # one frame
HAVE_DIAL = ("store", "directory")  # a channel to it, whenever it lives
BOOT_FD_APART = 5  # ipc/boot.h
PIDFD_OPEN, PIDFD_GETFD = 434, 438  # asm/unistd.h


def children(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path) as f:
                found += [int(p) for p in f.read().split()]
        except OSError:
            pass
    return found


def sockets(pid):
    """(to others, to an interface)"""
    with open(f"/proc/{pid}/net/packet") as f:
        packets = {line.split()[8] for line in f}
    peers, interface = [], []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            what = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if what.startswith("socket:"):
            (interface if what[8:-1] in packets else peers).append(int(name))
    return peers, interface


def leading_to(pid, descriptors, name, uid):
    """Which of the sockets of a process leads to another that lives: to its socket's name where it has connected, to its user where that has; None: none."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    process = call(PIDFD_OPEN, pid, 0)
    try:
        for number in descriptors:
            copy = call(PIDFD_GETFD, process, number, 0)
            if copy < 0:
                continue
            with socket.socket(fileno=copy) as s:
                poll = select.poll()
                poll.register(s, 0)
                try:
                    if poll.poll(0):  # hung up
                        continue
                    if struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] == uid or str(s.getpeername()).endswith(name):
                        return number
                except OSError:
                    pass
    finally:
        os.close(process)
    return None


class Stage:
    """A Weir that runs, with a directory that never answers, for somebody who attacks one process of it after the other."""

    def __init__(self, name):
        self.lab, self.askers, self.copies = Lab(name), {}, 0
        try:
            self.silent = in_namespace(self.lab.mon, lambda: socket.create_server(("127.0.0.1", SILENT), backlog=512))
            self.unnamed = in_namespace(self.lab.mon, lambda: socket.create_server(("127.0.0.1", UNNAMED), backlog=512))
            self.abstract = in_namespace(self.lab.mon, lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            in_namespace(self.lab.mon, lambda: self.abstract.bind(b"\0weir-drill"))
            self.secret = self.lab.file("ldap-password", "drill", 0o600)
            self.weir = Weir(self.lab, settings={
                "engine.dns_mode": 1, "dial.nameservers": ["127.0.0.1"], "dial.allow": ["127.0.0.0/8"], "ldap.timeout": "20s",
                "ldap.servers": [f"ldap://127.0.0.1:{SILENT}"], "ldap.tls": "no", "ldap.bind_dn": "cn=weir", "ldap.bind_password_file": self.secret,
                "ldap.base": "dc=drill", "ldap.groups": ["all => viewers"],
                "oidc": [{"name": "drill", "issuer": f"https://127.0.0.1:{SILENT}", "client_id": "weir", "client_secret_file": self.secret, "timeout": "20s",
                          "groups": ["all => viewers"]}]}).start()
            # For those that live for moments, another one that has not started yet.
            self.other = Weir(self.lab, name="other", interfaces=(), settings={"httpd.https_port": 3011, "httpd.http_port": 0},
                              arguments=("--pcap", self.lab.file("one.pcap", CAPTURE)))
            self.numbers = {m["name"]: m["id"] for m in forge.vocabulary()["messages"]}
            self.weir.setup()
            self.weir.wait_processes(("capture", "engine", "store", "authd", "httpd", "key", "dial", "directory"))
        except BaseException:
            self.lab.close()
            raise

    def close(self):
        self.silent.close()
        self.unnamed.close()
        self.abstract.close()
        self.lab.close()

    def pid_of(self, process):
        """Of a process that is behind its walls now; None: not yet."""
        inner = INNER.get(process)
        pid = self.weir.processes().get((inner or process, 0))
        if pid is None or not sandboxed(pid):
            return None
        if inner is None:
            return pid
        for child in children(pid):
            try:
                if sandboxed(child) and self.narrowed(child, pid) and (inner != "directory" or process == self.of_directory(child)):
                    return child
            except OSError:
                pass
        if inner == "directory" and (process not in self.askers or self.askers[process].poll() is not None):
            self.askers[process] = self.lab.spawn(self.weir.ns, *(
                (weir_binary(), "auth", "test", "-c", self.weir.config()) if process == "attempt" else
                ("curl", "-sk", f"https://127.0.0.1:{self.weir.https}/api/v1/session/oidc/drill/start")), log="asker")
        return None

    @staticmethod
    def of_directory(child):
        """Which of them: one that speaks LDAP tells what it found into a pipe (authd/directory/child.c)."""
        try:
            return "attempt" if os.readlink(f"/proc/{child}/fd/4").startswith("pipe:") else "oidc"
        except FileNotFoundError:
            return "oidc"

    @staticmethod
    def narrowed(child, parent):
        """Whether a child has put its own filter on, beside the one that it inherited."""
        def filters(pid):
            with open(f"/proc/{pid}/status") as f:
                return int(f.read().split("Seccomp_filters:")[1].split()[0])
        return filters(child) > filters(parent) or open(f"/proc/{child}/comm").read().startswith("weir-hash")

    def files_of_others(self, own):
        files = [p for p in glob.glob(f"{self.weir.data}/*/*") if os.path.isfile(p) and not p.startswith(f"{self.weir.data}/{own}/")]
        return [self.secret, *files[:6]]

    def place(self, process, pid):
        """What is there to be attacked, from one process's view."""
        files = self.files_of_others(INNER.get(process, process))
        peers, interface = sockets(pid)
        # A process that ends has no descriptors from before they are closed. Looked for first: what a socket leads to lives later.
        listening = f"/proc/{self.weir.processes().get(('dial', 0))}/fd/{BOOT_FD_APART}"
        dial = leading_to(pid, peers, "/dial-0.sock", self.lab.first_uid + forge.FIRST_UID["dial"]) if process != "dial" else None
        if dial is None and process in HAVE_DIAL:
            raise NotYet
        return Place(self.weir.process.pid, files, peers, interface, dial, SILENT, UNNAMED, self.heard, lambda: os.path.exists(listening), self.numbers)

    def heard(self):
        try:
            return bool(self.abstract.recv(64))
        except BlockingIOError:
            return False

    def command(self, kind):
        """What starts a process of BRIEF."""
        if kind in ("certificate", "file"):
            return self.other.argv()
        if kind.startswith("copy"):
            self.copies += 1
            words = ("backup", os.path.join(self.lab.dir, f"copy{self.copies}"))
        else:
            words = ("store", "check") if kind == "check" else ("audit", "verify")
        return [weir_binary(), *words, "-c", self.weir.config()]

    def brief(self, kind, function):
        program, call = BRIEF[kind]
        with Caught(["ip", "netns", "exec", self.weir.ns, *self.command(kind)], program, call) as c:
            peers, interface = sockets(c.pid)
            terminals = [int(n) for n in os.listdir(f"/proc/{c.pid}/fd") if os.readlink(f"/proc/{c.pid}/fd/{n}").startswith(("/dev/pts/", "/dev/tty"))]
            place = Place(self.weir.process.pid, self.files_of_others({"check": "store", "copy of store": "store", "copy of authd": "authd"}.get(kind, "")), peers,
                          interface, None, SILENT, UNNAMED, self.heard, lambda: True, self.numbers, sorted(terminals), lambda: os.write(c.terminal, b"a secret\n"), c.said)
            try:
                with Takeover(c.pid, caught=True) as t:
                    return function(t, place)
            except Died as death:
                return KILLED if death.by == signal.SIGSYS else f"died by signal {death.by}"

    def attempt(self, process, function, forks=False):
        if process in BRIEF:
            return self.brief(process, function)
        tries, deadline = 0, time.monotonic() + 90
        while tries < 20 and time.monotonic() < deadline:
            pid = wait_for(f"{process} behind its walls", lambda: self.pid_of(process), 30)
            try:
                place = self.place(process, pid)
                with Takeover(pid, forks) as t:
                    return function(t, place)
            except Died as death:
                reap(pid)
                if death.by != signal.SIGKILL:
                    return KILLED if death.by == signal.SIGSYS else f"died by signal {death.by}"
            except NotYet:  # its peers are attacked as well: they are whole again when all that has been tried
                time.sleep(0.05)
                continue
            except (ProcessLookupError, FileNotFoundError, PermissionError):  # its time was over, or whom it belongs to has gone
                reap(pid)
            tries += 1
        raise AssertionError(f"{process} does not live long enough")


def drill(stages, attempts=(*ATTEMPTS, *AT_A_TERMINAL), processes=(*PROCESSES, *BRIEF)):
    """{(process, attempt): what came of it}: of each stage one process at a time is attacked, by a thread of its own for each."""
    results, failures = {}, []
    waiting = {p: [a for a in attempts if p in BRIEF or a not in AT_A_TERMINAL] for p in processes}
    lock = threading.Lock()

    def work(stage, mine):
        try:
            for process in mine:
                while True:
                    with lock:
                        if not waiting[process]:
                            break
                        name, function = waiting[process].pop(0)
                    results[process, name] = stage.attempt(process, function, forks="fork" in name)
        except BaseException as e:  # noqa: B902  (said by who waits for the thread)
            failures.append(e)

    # What directory makes ends with those whom it needs: they have their turn after it; a hasher ends with authd.
    def lines(stage):
        for later in ([tuple(BRIEF), ("capture",), ("engine",), ("store",), ("httpd",), ("attempt",), ("oidc",)],
                      [("authd", "hash"), ("key",), ("dial",), ("directory",)]):
            yield [threading.Thread(target=work, args=(stage, [p for p in line if p in processes]), daemon=True) for line in later]

    def both(stage):
        first, second = lines(stage)
        for t in first:
            t.start()
        for t in first[-2:]:
            t.join()
        for t in second:
            t.start()
        for t in first + second:
            t.join()

    threads = [threading.Thread(target=both, args=(stage,), daemon=True) for stage in stages]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
    return results


def holes(results):
    """What no wall stopped, or another than is known."""
    return [f"{process}: {attempt}: {said}, not {ALLOWED.get((process, attempt), KILLED)}" for (process, attempt), said in sorted(results.items())
            if said != ALLOWED.get((process, attempt), KILLED)]


def tables(results):
    """Of those that stay, and of those that live for moments."""
    out = []
    for processes, attempts in ((PROCESSES, ATTEMPTS), (tuple(BRIEF), (*ATTEMPTS, *AT_A_TERMINAL))):
        out += ["| attempt | " + " | ".join(processes) + " |", "|---" * (len(processes) + 1) + "|"]
        for name, _ in attempts:
            out.append(f"| {name} | " + " | ".join(results.get((p, name), "") for p in processes) + " |")
        out.append("")
    return "\n".join(out).strip()


def written(path=SECURITY):
    with open(path) as f:
        text = f.read()
    return text.split(BEGIN, 1)[1].split(END, 1)[0].strip()


def write(text, path=SECURITY):
    with open(path) as f:
        old = f.read()
    before, rest = old.split(BEGIN, 1)
    with open(path, "w") as f:
        f.write(before + BEGIN + "\n\n" + text + "\n\n" + END + rest.split(END, 1)[1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--write", action="store_true")
    p.add_argument("--attempt", default="", help="only those that have this in their name")
    p.add_argument("--process", default="", help="only this one")
    p.add_argument("--stages", type=int, default=4)
    o = p.parse_args()
    stages = []
    try:
        for n in range(o.stages):
            stages.append(Stage(f"drill{n}"))
        results = drill(stages, [a for a in (*ATTEMPTS, *AT_A_TERMINAL) if o.attempt in a[0]], [o.process] if o.process else (*PROCESSES, *BRIEF))
    finally:
        for s in stages:
            s.close()
    print(tables(results))
    for h in holes(results):
        print("HOLE", h)
    if o.write:
        write(tables(results))
    return 1 if holes(results) else 0


if __name__ == "__main__":
    sys.exit(main())
