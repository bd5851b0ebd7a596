"""What a process that was taken over can send to the others: forged messages of every kind, memory of rings in disorder, grants that it has
no right to. It is done under the process's own user, which is all that the others know of it."""

import array
import json
import os
import random
import select
import socket
import struct
import subprocess
import time

from takeover import Takeover
from weirlab import weir_binary

FIRST_UID = {"store": 1, "authd": 2, "dial": 4, "directory": 5, "key": 6, "httpd": 8, "engine": 16, "capture": 64}
OUT_OF_REACH, REFUSED = "no way in", "refused"
PATIENCE_S = 10 * float(os.environ.get("WEIR_PATIENCE", "1"))


def vocabulary():
    return json.loads(subprocess.run([os.path.join(os.path.dirname(weir_binary()), "..", "tests", "drill_vocabulary")], check=True,
                                     capture_output=True, text=True).stdout)


def as_user(uid, function):
    """function() in a process of that user, with nothing else; what it returns (JSON), or its error."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(r)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            out = {"value": function()}
        except BaseException as e:  # noqa: B902  (handed to whom it forked from)
            out = {"error": f"{type(e).__name__}: {e}"}
        with os.fdopen(w, "w") as f:
            json.dump(out, f)
        os._exit(0)
    os.close(w)
    with os.fdopen(r) as f:
        text = f.read()
    os.waitpid(pid, 0)
    out = json.loads(text)
    if "error" in out:
        raise AssertionError(out["error"])
    return out["value"]


class Channel:
    """A connection to a process, by one that says who it is."""

    def __init__(self, v, path, process, instance=0):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(PATIENCE_S)
        self.open = False
        try:
            self.s.connect(path)
            self.send(0, struct.pack("<IIIIq", v["version"], v["processes"].index(process), instance, 0, time.clock_gettime_ns(time.CLOCK_BOOTTIME)))
            self.open = bool(self.s.recv(65600))
        except (ConnectionError, PermissionError):
            pass

    def send(self, number, body, descriptors=(), length=None):
        head = struct.pack("<II", number, len(body) if length is None else length)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        self.s.sendmsg([head + body], rights)

    def ended(self, seconds=PATIENCE_S):
        """Whether the other side ends it in that time; what it says before is not looked at."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.s], [], [], left)[0]:
                return False
            try:
                if not self.s.recv(70000):
                    return True
            except ConnectionError:
                return True
        return False

    def answer(self, number):
        """The next message of that number."""
        while True:
            got = self.s.recv(70000)
            if not got:
                return None
            if struct.unpack_from("<I", got)[0] == number:
                return got[8:]

    def close(self):
        self.s.close()


def forgeries(v, sender, receiver, seed=0):
    """(number, body, descriptors, length said, whether the rules let it pass) of every kind of message, and of kinds that there are not."""
    dice = random.Random(seed)
    ids = {name: n for n, name in enumerate(v["processes"])}
    for m in [*v["messages"], {"id": len(v["messages"]), "min": 0, "max": 0, "fds": 0, "from": -1, "to": -1},
              {"id": 0xffffffff, "min": 0, "max": 0, "fds": 0, "from": -1, "to": -1}]:
        right = (m["from"], m["to"]) == (ids[sender], ids[receiver])
        for size in sorted({0, m["min"] - 1, m["min"], m["max"], m["max"] + 1, 64, 65528} & set(range(65529))):
            for n in (0, 1, 2) if size in (m["min"], m["max"]) else (0,):
                yield m["id"], dice.randbytes(size), n, None, right and m["min"] <= size <= m["max"] and n == m["fds"]
        yield m["id"], dice.randbytes(16), 0, 17, False  # it says that it is longer
    yield 1, b"", 0, 1 << 31, False


def forge(v, path, sender, receiver):
    """Sends all of them, each by a connection of its own. A list of what was not refused."""
    first = Channel(v, path, sender)
    if not first.open:
        return OUT_OF_REACH
    first.close()
    wrong = []
    null = os.open("/dev/null", os.O_RDWR)
    for number, body, n, length, passes in forgeries(v, sender, receiver):
        c = Channel(v, path, sender)
        if not c.open:
            wrong.append(f"no connection before message {number}")
            break
        try:
            c.send(number, body, [null] * n, length)
            if not passes and not c.ended():
                wrong.append(f"message {number} of {len(body)} bytes with {n} descriptors was taken")
        except ConnectionError:
            pass
        c.close()
    os.close(null)
    return wrong or REFUSED


def flood(v, path, sender, receiver, messages=20000):
    """Fills a channel and reads nothing: with what the rules let pass, and no descriptors."""
    ids = {name: n for n, name in enumerate(v["processes"])}
    kinds = [m for m in v["messages"] if (m["from"], m["to"]) == (ids[sender], ids[receiver]) and m["fds"] == 0]
    sent = 0
    for m in kinds:
        c = Channel(v, path, sender)
        if not c.open:
            return OUT_OF_REACH
        c.s.settimeout(2)
        try:
            for _ in range(messages):
                c.send(m["id"], bytes(m["min"]))
                sent += 1
        except (ConnectionError, TimeoutError, socket.timeout):
            pass
        c.close()
    return "survived" if kinds else "nothing to send"


def ask(c, v, kind, grant):
    """(status, rows) of a question to store."""
    q, a = v["question"], v["answer"]
    body = bytearray(q["size"])
    struct.pack_into("<Q", body, 0, 77)
    struct.pack_into("<I", body, q["kind"], kind)
    struct.pack_into("<I", body, q["grant_len"], len(grant))
    c.send(number(v, "QUESTION"), bytes(body) + grant)
    got = c.answer(number(v, "ANSWER"))
    return (None, 0) if got is None else (struct.unpack_from("<I", got, a["status"])[0], struct.unpack_from("<I", got, a["nrows"])[0])


def number(v, name):
    return next(m["id"] for m in v["messages"] if m["name"] == name)


def grants(v, run, name, password):
    """A captured httpd: what it learns of traffic without a grant, with forged ones, and with one whose session has ended. What it learnt."""
    learnt = []
    store = Channel(v, f"{run}/store-0.sock", "httpd")
    authd = Channel(v, f"{run}/authd-0.sock", "httpd")
    dice = random.Random(1)

    def try_all(what, make):
        for kind in range(0, v["question"]["kinds"] + 1):
            status, rows = ask(store, v, kind, make())
            if status not in (v["question"]["not_granted"], v["question"]["bad"]) or rows or kind == 1 and status != v["question"]["not_granted"]:
                learnt.append(f"{what}, kind {kind}: status {status}, {rows} rows")

    try_all("no grant", lambda: b"")
    try_all("made up", lambda: dice.randbytes(200))
    login = bytearray(v["login"]["size"])
    struct.pack_into("<Q", login, 0, 78)
    login[v["login"]["name"]:v["login"]["name"] + len(name)] = name.encode()
    login[v["login"]["password"]:v["login"]["password"] + len(password)] = password.encode()
    authd.send(number(v, "LOGIN"), bytes(login))
    got, a = authd.answer(number(v, "AUTH_ANSWER")), v["auth_answer"]
    if got is None or struct.unpack_from("<I", got, a["status"])[0] != a["ok"]:
        return ["the drill could not log in: it shows nothing"]
    cookie = got[a["cookie"]:a["cookie"] + v["session"]["cookie_size"]]
    grant = got[a["grant"]:a["grant"] + struct.unpack_from("<I", got, a["grant_len"])[0]]
    if not grant or ask(store, v, 1, grant)[0] == v["question"]["not_granted"]:
        return ["a grant of a live session is not taken: the drill shows nothing"]

    def spoilt():
        at = dice.randrange(len(grant))
        return grant[:at] + bytes([grant[at] ^ (1 << dice.randrange(8))]) + grant[at + 1:]

    for _ in range(8):
        try_all("one bit changed", spoilt)
    try_all("cut", lambda: grant[:-1])
    try_all("longer", lambda: grant + b"\0")
    logout = bytearray(v["session"]["size"])
    struct.pack_into("<Q", logout, 0, 79)
    logout[v["session"]["cookie"]:v["session"]["cookie"] + len(cookie)] = cookie
    authd.send(number(v, "LOGOUT"), bytes(logout))
    if authd.answer(number(v, "AUTH_ANSWER")) is None:
        return ["the drill could not log out: it shows nothing"]
    deadline = time.monotonic() + PATIENCE_S
    while ask(store, v, 1, grant)[0] != v["question"]["not_granted"] and time.monotonic() < deadline:
        time.sleep(0.02)
    try_all("of a session that has ended", lambda: grant)
    for what, g in (("made up", dice.randbytes(200)), ("none", b""), ("of a session that has ended", grant)):
        body = json.dumps({"op": "users"}).encode()
        admin = bytearray(v["admin"]["size"])
        struct.pack_into("<Q", admin, 0, 80)
        struct.pack_into("<II", admin, v["admin"]["grant_len"], len(g), len(body))
        authd.send(number(v, "ADMIN"), bytes(admin) + g + body)
        got = authd.answer(number(v, "ADMIN_ANSWER"))
        if got is not None and struct.unpack_from("<I", got, v["admin"]["status"])[0] == v["admin"]["ok"]:
            learnt.append(f"authd: {what}: administration was done")
        if got is None:
            authd = Channel(v, f"{run}/authd-0.sock", "httpd")
    return learnt


def shared(pid):
    """[(begin, end, writable)] of memory that it shares with others."""
    found = []
    with open(f"/proc/{pid}/maps") as f:
        for line in f:
            w = line.split()
            if len(w) > 5 and w[5].startswith("/memfd:") and w[1][3] == "s":
                begin, end = (int(x, 16) for x in w[0].split("-"))
                found.append((begin, end, w[1][1] == "w"))
    return found


def scribble(pid, seed=0):
    """Fills what the process may write of its rings with disorder, and tries what it may only read: how often the walls held."""
    dice = random.Random(seed)
    held = written = 0
    with Takeover(pid) as t:
        for begin, end, writable in shared(pid):
            if writable:
                for at in range(begin, end, 65536):
                    t.write(at, dice.randbytes(min(65536, end - at)))
                written += 1
                continue
            if t.call(10, begin, end - begin, 3) >= 0:  # mprotect
                raise AssertionError("memory of another process became writable")
            held += 1
    return written, held
