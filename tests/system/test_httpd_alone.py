#!/usr/bin/python3
"""weir-httpd alone: the real program in its sandbox, between real TLS clients and an authd and a store that httpd_stage.c plays.

WEIR_BIN names the folder of the programs (default build/release/bin); the stage stands beside it in tests/. Needs root: the
program runs under a uid of its own."""

import base64
import contextlib
import gzip
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("WEIR_BIN", os.path.join(ROOT, "build", "release", "bin"))
STAGE = os.path.join(BIN, "..", "tests", "httpd_stage")
PATIENCE = 20 * float(os.environ.get("WEIR_PATIENCE", "1"))
UID = "62977"
PASSWORD = "correct horse battery"
JSON = {"Content-Type": "application/json"}

certificate = None


def setUpModule():
    global certificate
    certificate = tempfile.mkdtemp()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-keyout", f"{certificate}/key.pem", "-out", f"{certificate}/cert.pem"],
                   check=True, capture_output=True)


def tearDownModule():
    shutil.rmtree(certificate)


def context(low=ssl.TLSVersion.TLSv1_2, high=ssl.TLSVersion.TLSv1_3):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    c.minimum_version, c.maximum_version = low, high
    return c


class Contract:
    """The API's own description, and whether an answer keeps to it: the part of JSON Schema 2020-12 that openapi.json uses."""

    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "number": (int, float), "integer": int}

    def __init__(self):
        with open(os.path.join(ROOT, "httpd", "openapi.json")) as f:
            self.document = json.load(f)
        self.paths = [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(p)) + "$"), item) for p, item in self.document["paths"].items()]

    def resolve(self, s):
        while "$ref" in s:
            target = self.document
            for part in s["$ref"][2:].split("/"):
                target = target[part]
            s = target
        return s

    def wrong(self, schema, v, at="$"):
        """What is wrong, or None."""
        s = self.resolve(schema)
        types = s.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(isinstance(v, self.TYPES[t]) and (t == "boolean" or not isinstance(v, bool)) for t in types):
            return f"{at}: {v!r} is not {types}"
        if "enum" in s and v not in s["enum"] or "const" in s and v != s["const"]:
            return f"{at}: {v!r} is none of the values"
        if "oneOf" in s and sum(self.wrong(x, v, at) is None for x in s["oneOf"]) != 1:
            return f"{at}: not one of {s['oneOf']}: {v!r}"
        if isinstance(v, str) and not re.search(s.get("pattern", ""), v):
            return f"{at}: {v!r} does not match"
        if isinstance(v, (int, float)) and not isinstance(v, bool) and v < s.get("minimum", v):
            return f"{at}: {v} is too small"
        if isinstance(v, list):
            if not s.get("minItems", 0) <= len(v) <= s.get("maxItems", len(v)):
                return f"{at}: {len(v)} items"
            return next((w for n, x in enumerate(v) if (w := self.wrong(s.get("items", {}), x, f"{at}[{n}]"))), None)
        if isinstance(v, dict):
            return self.wrong_object(s, v, at)
        return None

    def wrong_object(self, s, v, at):
        properties, more = s.get("properties", {}), s.get("additionalProperties", True)
        missing = [k for k in s.get("required", []) if k not in v]
        if missing:
            return f"{at}: {missing} missing"
        for k, x in v.items():
            if k not in properties and more is False:
                return f"{at}: {k} is not described"
            w = self.wrong(properties.get(k, more if isinstance(more, dict) else {}), x, f"{at}.{k}")
            if w:
                return w
        return None

    def check(self, method, path, answer):
        if not path.startswith("/api/v1/") or method == "HEAD":
            return
        path = path.split("?")[0].removeprefix("/api/v1")
        item = next((i for p, i in self.paths if p.match(path)), {})
        operation = item.get(method.lower())
        if operation is None:
            return
        described = operation["responses"].get(str(answer.status))
        assert described, f"{method} {path}: {answer.status} is not described: {answer.body}"
        content = self.resolve(described).get("content", {})
        kind = (answer.headers["Content-Type"] or "").split(";")[0]
        assert not answer.body or kind in content, f"{method} {path}: {kind} is not described"
        if answer.json is not None:
            wrong = self.wrong(content[kind]["schema"], answer.json)
            assert not wrong, f"{method} {path}: {wrong}"


CONTRACT = Contract()


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        text = gzip.decompress(self.body) if self.headers["Content-Encoding"] == "gzip" and self.body else self.body
        self.json = json.loads(text) if "json" in (self.headers["Content-Type"] or "") and "ndjson" not in self.headers["Content-Type"] and text else None


class Stage:
    def __init__(self, connections=256, per_address=128, wrapper=()):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:color=never", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:color=never")
        self.log = b""
        self.process = subprocess.Popen([STAGE, f"{BIN}/weir-httpd", f"{certificate}/cert.pem", f"{certificate}/key.pem", UID, str(connections),
                                         str(per_address), *wrapper],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True, bufsize=1)
        self.reader = threading.Thread(target=self.read_log, args=(self.process.stderr.buffer,))
        self.reader.start()
        self.https, self.http, self.pid = (int(self.process.stdout.readline().split()[1]) for _ in range(3))
        self.cookie, self.csrf = None, "1"
        self.until(lambda: self.get("/api/v1/health").json["status"] == "ok", "connected to its peers")

    def until(self, condition, what, patience=0):
        end = time.monotonic() + max(PATIENCE, patience)
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise AssertionError(f"not within {PATIENCE} s: {what}\n{self.said()}")

    def tell(self, *words):
        """A command to the stage; what it prints before "ok" comes back."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        lines = []
        while True:
            line = self.process.stdout.readline()
            if line.strip() in ("ok", ""):
                return lines
            lines.append(line.strip())

    def counts(self):
        return dict(zip(("logins", "sessions", "questions", "hosts", "tokens", "admins", "cancelled", "recent", "signs"), map(int, self.tell("counts")[0].split()[1:])))

    def memory_has(self, text):
        """Whether it is anywhere in what the program can write to."""
        with open(f"/proc/{self.pid}/maps") as maps, open(f"/proc/{self.pid}/mem", "rb", 0) as memory:
            for line in maps:
                where, access = line.split()[:2]
                if "w" not in access or line.rstrip().endswith("[vvar]"):
                    continue
                begin, end = (int(x, 16) for x in where.split("-"))
                if end - begin > 1 << 30:  # a sanitizer's own
                    continue
                for at in range(begin, end, 1 << 20):
                    memory.seek(at)
                    if text in memory.read(min(end - at, (1 << 20) + 64)):
                        return True
        return False

    def is_sanitized(self):
        """A sanitizer keeps what was freed for a while: memory says nothing then."""
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(r"VmSize:\s+(\d+)", f.read())[1]) > 1 << 30  # kB: its shadow

    def read_log(self, pipe):
        """A pipe, as the launcher gives: the sandbox lets no file grow, a log among them."""
        for line in pipe:
            self.log += line
        pipe.close()

    def said(self):
        return self.log.decode(errors="replace")

    def close(self):
        """Ends the program; how it ended."""
        self.process.stdin.close()
        end = self.process.stdout.read().split("\n")
        self.process.stdout.close()
        self.process.wait(PATIENCE)
        self.reader.join()
        return [line for line in end if line][-1], self.said()

    def request(self, method, path, body=None, headers=None, cookie=True, timeout=30, source=None):
        h = dict(headers or {})
        if cookie and self.cookie:
            h.setdefault("Cookie", self.cookie)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if method not in ("GET", "HEAD"):
            h.setdefault("X-Weir-CSRF", self.csrf)
        c = http.client.HTTPSConnection("127.0.0.1", self.https, context=context(), timeout=timeout, source_address=source and (source, 0))
        try:
            c.request(method, path, body, h)
            a = Answer(c.getresponse())
        finally:
            c.close()
        CONTRACT.check(method, path, a)
        return a

    def get(self, path, headers=None, **more):
        return self.request("GET", path, None, headers, **more)

    def login(self):
        self.cookie, self.csrf = None, "1"
        a = self.request("POST", "/api/v1/login", {"name": "admin", "password": PASSWORD}, JSON)
        assert a.status == 200, a.body
        self.cookie = a.headers["Set-Cookie"].split(";")[0]
        self.csrf = a.json["me"]["csrf"]
        return a

    def connect(self, **how):
        s = socket.create_connection(("127.0.0.1", self.https), timeout=30)
        return context(**how).wrap_socket(s)

    def raw(self, data, answers=None):
        """Everything that comes back for these bytes until the server closes; or, where so many answers are expected, until nothing
        comes for a second after them."""
        s = self.connect()
        got = b""
        try:
            try:
                s.sendall(data)
            except (ConnectionError, ssl.SSLError):
                return got, True  # it did not want to hear all of it
            while True:
                s.settimeout(PATIENCE if answers is None or got.count(b"HTTP/1.1 ") < answers else 1)
                try:
                    more = s.recv(65536)
                except (socket.timeout, ConnectionError, ssl.SSLError):
                    return got, False
                if not more:
                    return got, True
                got += more
        finally:
            s.close()

    def stream(self, identity=None, query="", path="live", **how):
        s = self.connect(**how)
        s.sendall(f"GET /api/v1/{path}{query} HTTP/1.1\r\nHost: localhost:{self.https}\r\n{identity or 'Cookie: ' + self.cookie}\r\n\r\n".encode())
        return Stream(s)


class Stream:
    """Server-sent events, taken apart as a browser does."""

    def __init__(self, s):
        self.s, self.buffer, self.ended, self.id = s, b"", False, None
        self.head = self._upto(b"\r\n\r\n")

    def _upto(self, end):
        while end not in self.buffer:
            more = self.s.recv(65536)
            if not more:
                self.ended = True
                raise EOFError
            self.buffer += more
        part, self.buffer = self.buffer.split(end, 1)
        return part + end

    def _chunk(self):
        n = int(self._upto(b"\r\n"), 16)
        while len(self.buffer) < n + 2:
            more = self.s.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        chunk, self.buffer = self.buffer[:n], self.buffer[n + 2:]
        if n == 0:
            self.ended = True
            raise EOFError
        return chunk

    def event(self):
        while True:
            lines = dict(line.split(": ", 1) for line in self._chunk().decode().strip().split("\n") if not line.startswith(":"))
            self.id = lines.get("id", self.id)
            if "event" in lines:
                return lines["event"], json.loads(lines["data"])

    def until(self, name):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            got, data = self.event()
            if got == name:
                return data
        raise AssertionError(f"no event {name}")

    def close(self):
        self.s.close()


class Records:
    """A client of which each text is a record of TLS, and which sends as many of them at once as it was told."""

    def __init__(self, port, **how):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(**how).wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.step(self.tls.do_handshake)

    def step(self, what):
        while True:
            try:
                return what()
            except ssl.SSLWantReadError:
                self.send()
                more = self.socket.recv(65536)
                if not more:
                    raise ConnectionError("it ended") from None
                self.incoming.write(more)

    def put(self, text):
        self.tls.write(text)

    def end(self):
        """The record that says that no more comes."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()

    def send(self):
        if self.outgoing.pending:
            self.socket.sendall(self.outgoing.read())

    def recv(self):
        return self.step(lambda: self.tls.read(65536))


class OnStage(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.stage = Stage(**cls.settings)

    @classmethod
    def tearDownClass(cls):
        end, said = cls.stage.close()
        assert end == "exit 0", f"{end}\n{said}"
        assert "Sanitizer" not in said and "runtime error" not in said, said

    def problem(self, answer, status, *words):
        self.assertEqual(status, answer.status, answer.body)
        self.assertEqual("application/problem+json", answer.headers["Content-Type"])
        self.assertEqual(status, answer.json["status"])
        self.assertEqual("about:blank", answer.json["type"])
        for word in words:
            self.assertIn(word, answer.json.get("detail", ""))
        self.assertEqual(status == 401, answer.headers["WWW-Authenticate"] is not None)

    @contextlib.contextmanager
    def no_contract(self):
        """The stage answers with what it was asked, which is not what the contract has."""
        check, CONTRACT.check = CONTRACT.check, lambda *_: None
        try:
            yield
        finally:
            CONTRACT.check = check

    def named(self, answer, status, field):
        """A problem with one member or parameter, which is named."""
        self.problem(answer, status, f"{field}: ")
        self.assertEqual([field], [e["field"] for e in answer.json["errors"]])


class Logins(OnStage):
    def post(self, path, body, headers=JSON, **more):
        return self.stage.request("POST", path, body, headers, cookie=False, **more)

    def setUp(self):
        self.stage.csrf = "1"

    def test_login_gives_a_cookie_that_scripts_and_others_cannot_see(self):
        a = self.stage.login()
        self.assertEqual({"name", "role", "tenant", "csrf", "session_expires", "version", "monitor"}, set(a.json["me"]))
        self.assertEqual(("admin", "platform-administrator", "stage"), tuple(a.json["me"][k] for k in ("name", "role", "monitor")))
        self.assertRegex(a.headers["Set-Cookie"], r"^__Host-weir=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict$")

    def test_wrong_password(self):
        a = self.post("/api/v1/login", {"name": "admin", "password": "wrong"})
        self.problem(a, 401)
        self.assertIsNone(a.headers["Set-Cookie"])

    def test_refusals_of_authd(self):
        a = self.post("/api/v1/login", {"name": "throttled", "password": "x"})
        self.problem(a, 429)
        self.assertEqual("7", a.headers["Retry-After"])
        self.problem(self.post("/api/v1/login", {"name": "busy", "password": "x"}), 503, "Too many logins")
        self.problem(self.post("/api/v1/login", {"name": "away", "password": "x"}), 503, "cannot be reached right now")

    def test_bodies_that_are_not_a_login(self):
        for body, word in ((b"", "JSON"), (b"{", "JSON"), (b"[]", "JSON"), ({"name": "a"}, "password"), ({"name": 1, "password": "x"}, "name"),
                           ({"name": "", "password": "x"}, "name"), ({"name": "a" * 128, "password": "x"}, "name"),
                           ({"name": "a", "password": "x" * 256}, "password"), ({"name": "a", "password": "x", "admin": True}, "admin"),
                           ('{"name":"a","name":"b","password":"x"}', "JSON"), ('{"name":"a\\u0000b","password":"x"}', "")):
            with self.subTest(body=body):
                self.problem(self.post("/api/v1/login", body), 400, word)

    def test_type_of_the_body(self):
        self.problem(self.post("/api/v1/login", {"name": "a"}, {"Content-Type": "text/plain"}), 415)
        self.problem(self.post("/api/v1/login", {"name": "a"}, {"Content-Type": "application/jsonx"}), 415)
        self.problem(self.post("/api/v1/login", {"name": "a"}, {"Content-Type": "application/json; charset=utf-8"}), 400)

    def test_a_body_that_is_too_long(self):
        a = self.stage.raw(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000)[0]
        self.assertTrue(a == b"" or a.startswith(b"HTTP/1.1 413"), a[:200])
        before = self.stage.counts()["logins"]
        self.problem(self.post("/api/v1/login", b'{"name":"' + b"x" * 60000 + b'"}'), 400)
        self.assertEqual(before, self.stage.counts()["logins"])

    def test_requests_of_other_sites(self):
        host = f"127.0.0.1:{self.stage.https}"
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"http://{host}"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"}, {"X-Weir-CSRF": "2"}, {"X-Weir-CSRF": ""}):
            with self.subTest(headers=headers):
                self.problem(self.post("/api/v1/login", {"name": "admin", "password": PASSWORD}, {**JSON, **headers}), 403)
        self.assertEqual(200, self.post("/api/v1/login", {"name": "admin", "password": PASSWORD},
                                        {**JSON, "Origin": f"https://{host}", "Sec-Fetch-Site": "same-origin"}).status)
        self.problem(self.stage.get("/api/v1/health", {"Sec-Fetch-Site": "cross-site"}), 403)

    def test_me_and_logout(self):
        self.problem(self.stage.get("/api/v1/me", cookie=False), 401)
        self.problem(self.stage.get("/api/v1/me", {"Cookie": "__Host-weir=" + "A" * 43}), 401)
        self.stage.login()
        self.assertEqual("admin", self.stage.get("/api/v1/me").json["name"])
        for csrf in ("1", "", "A" * 43):
            self.problem(self.stage.request("POST", "/api/v1/logout", headers={"X-Weir-CSRF": csrf}), 403)
        a = self.stage.request("POST", "/api/v1/logout")
        self.assertEqual((204, b""), (a.status, a.body))
        self.assertIn("Max-Age=0", a.headers["Set-Cookie"])
        self.problem(self.stage.get("/api/v1/me"), 401)
        self.problem(self.stage.get("/api/v1/hosts"), 401)

    def test_the_csrf_token_is_of_the_cookie_alone(self):
        first = self.stage.login().json["me"]["csrf"]
        self.assertEqual(first, self.stage.get("/api/v1/me").json["csrf"])
        self.assertNotEqual(first, self.stage.login().json["me"]["csrf"])

    def test_a_password_is_nowhere_afterwards(self):
        for password, status in (("wrong " + PASSWORD, 401), (PASSWORD, 200)):
            self.assertEqual(status, self.post("/api/v1/login", {"name": "admin", "password": password}, {**JSON, "X-Weir-CSRF": "1"}).status)
            self.stage.until(lambda: not self.stage.memory_has(PASSWORD.encode()), "wiped")

    def test_a_second_factor(self):
        a = self.post("/api/v1/login", {"name": "second", "password": PASSWORD})
        self.assertEqual((202, "required"), (a.status, a.json["second_factor"]))
        self.assertIsNone(a.headers["Set-Cookie"])
        ticket = a.json["ticket"]
        self.problem(self.stage.get("/api/v1/me", {"Cookie": f"__Host-weir={ticket}"}), 401)
        for body in ({"ticket": ticket, "code": "000000"}, {"ticket": "A" * 43, "code": "123456"}, {"ticket": "short", "code": "123456"}):
            self.problem(self.post("/api/v1/login/second-factor", body), 401, "code")
        for body, field in (({"ticket": ticket}, "code"), ({"ticket": ticket, "code": ""}, "code"), ({"ticket": ticket, "code": "1" * 32}, "code"),
                            ({"ticket": 1, "code": "1"}, "ticket"), ({"ticket": ticket, "code": "1", "name": "x"}, "name")):
            self.named(self.post("/api/v1/login/second-factor", body), 400, field)
        self.problem(self.post("/api/v1/login/second-factor", {"ticket": ticket, "code": "123456"}, {**JSON, "X-Weir-CSRF": "2"}), 403)
        a = self.post("/api/v1/login/second-factor", {"ticket": ticket, "code": "123456"})
        self.assertEqual(200, a.status)
        self.assertRegex(a.headers["Set-Cookie"], r"^__Host-weir=[\w-]{43};")

    def test_setup(self):
        right = base64.urlsafe_b64encode(b"\1" + b"\0" * 31).decode().rstrip("=")
        wrong = base64.urlsafe_b64encode(b"\2" + b"\0" * 31).decode().rstrip("=")
        body = {"secret": right, "name": "admin", "password": "x" * 12}
        self.stage.tell("setup-open", 1)
        self.assertEqual({"open": True}, self.stage.get("/api/v1/setup").json)
        self.problem(self.post("/api/v1/setup", {**body, "secret": wrong}), 401)
        self.problem(self.post("/api/v1/setup", {**body, "secret": "short"}), 401)
        self.problem(self.post("/api/v1/setup", {**body, "password": "x"}), 422, "12 characters")
        self.assertEqual(200, self.post("/api/v1/setup", body).status)
        self.problem(self.post("/api/v1/setup", body), 409)
        self.assertEqual({"open": False}, self.stage.get("/api/v1/setup").json)


class Data(OnStage):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stage.login()

    def test_every_list_needs_a_session(self):
        for path in ("interfaces", "hosts", "hosts/10.0.0.1", "flows", "flows/" + "0" * 32, "applications", "timeseries", "totals", "live", "me"):
            with self.subTest(path=path):
                self.problem(self.stage.get(f"/api/v1/{path}", cookie=False), 401)
                self.problem(self.stage.get(f"/api/v1/{path}", {"Cookie": "__Host-weir=" + "Q" * 43}), 401)

    def test_interfaces(self):
        a = self.stage.get("/api/v1/interfaces")
        self.assertEqual(200, a.status)
        self.assertEqual("no-store", a.headers["Cache-Control"])
        self.assertAlmostEqual(time.time(), a.json["now"], delta=60)
        self.assertEqual(["eth0"], [i["name"] for i in a.json["interfaces"]])

    def test_hosts_and_pages(self):
        a = self.stage.get("/api/v1/hosts?limit=2&sort=rate&order=asc&interface=eth0").json
        self.assertEqual(["10.0.0.0", "10.0.0.1"], [h["ip"] for h in a["hosts"]])
        self.assertEqual(["laptop\x01"], a["hosts"][0]["names"])
        b = self.stage.get(f"/api/v1/hosts?limit=2&cursor={a['next_cursor']}").json
        self.assertIsNone(b["next_cursor"])
        self.problem(self.stage.get("/api/v1/hosts?cursor=AAAA"), 400, "cursor")

    def test_one_host(self):
        a = self.stage.get("/api/v1/hosts/10.0.0.1?vlan=5&space=1")
        self.assertEqual("10.0.0.1", a.json["ip"])
        unseen, none = self.stage.get("/api/v1/hosts/10.0.0.9"), self.stage.get("/api/v1/hosts/nonsense")
        self.problem(unseen, 404)
        self.assertEqual(unseen.body, none.body)
        self.problem(self.stage.get("/api/v1/hosts/2001%3Adb8%3A%3A1"), 404)
        self.problem(self.stage.get("/api/v1/hosts/10.0.0.1%00"), 404)

    def test_flows(self):
        a = self.stage.get("/api/v1/flows?limit=3&host=10.0.0.1&application=TLS&sort=score").json
        self.assertEqual(3, len(a["flows"]))
        self.assertEqual(("TLS", "eth0", "TCP", True), tuple(a["flows"][0][k] for k in ("application", "observation_point", "protocol", "live")))
        self.assertEqual(100, len(self.stage.get(f"/api/v1/flows?from={time.time() - 60}").json["flows"]))
        self.problem(self.stage.get("/api/v1/flows?to=5"), 400, "to")
        self.problem(self.stage.get("/api/v1/flows?from=5&to=5"), 400, "to")
        self.problem(self.stage.get("/api/v1/flows?from=5&sort=bytes"), 400, "sort")

    def test_an_answer_of_many_messages(self):
        self.stage.tell("pad", 200)
        a = self.stage.get("/api/v1/flows?limit=1000")
        self.stage.tell("pad", 0)
        self.assertEqual(1000, len(a.json["flows"]))
        self.assertEqual({200}, {len(f["server_name"]) for f in a.json["flows"]})

    def test_one_flow(self):
        self.assertEqual(1, len(self.stage.get("/api/v1/flows/" + "0" * 31 + "1").json["flows"]))
        for flow in ("0" * 32, "0" * 31, "x" * 32):
            self.problem(self.stage.get(f"/api/v1/flows/{flow}"), 404)

    def test_interfaces_that_are_none_are_empty(self):
        self.assertEqual([], self.stage.get("/api/v1/hosts?interface=eth7").json["hosts"])

    def test_applications_and_totals(self):
        self.assertEqual(["TLS"], [x["name"] for x in self.stage.get("/api/v1/applications?limit=5").json["applications"]])
        t = self.stage.get("/api/v1/totals").json["totals"]
        self.assertEqual({"packets": 100, "bytes": 5000, "dropped": {"capture.ring_full": 3}, "undecoded": {"arp": 9}, "flows": 7, "hosts": 4,
                          "bytes_per_second": 10, "packets_per_second": 1}, t)

    def test_series(self):
        a = self.stage.get("/api/v1/timeseries?subject=application&key=TLS&from=1000&to=2000&resolution=60").json
        self.assertEqual(("application", "TLS", 60), (a["subject"], a["key"], a["resolution"]))
        self.assertEqual([[1000 + 60 * i, 100 + i, 10 + i, 50, 5, 1, 60, 40 + i, 4, 6 + i] for i in range(4)], a["points"])
        self.assertEqual("series", a["source"])
        # Without one it is store's choice.
        self.assertEqual(300, self.stage.get("/api/v1/timeseries").json["resolution"])
        # Made of flows: what is not known is not zero.
        a = self.stage.get("/api/v1/timeseries?subject=application&key=flows&from=1000&to=2000&resolution=60").json
        self.assertEqual(("flows", [1000, 100, 10, None, None, None, 60, 40, 4, 6]), (a["source"], a["points"][0]))
        a = self.stage.get("/api/v1/timeseries?subject=application&key=TLS&from=1000&to=2000&percentile=95").json
        self.assertEqual((300, []), (a["resolution"], a["points"]))
        self.assertEqual({"percent": 95, "buckets": 10, "bytes": 100, "bytes_in": 60, "bytes_out": 40}, a["percentile"])
        for query, word in (("percentile=0", "percentile"), ("percentile=101", "percentile"), ("percentile=95&resolution=1", "resolution"),
                            ("subject=application", "key"), ("key=x", "key"), ("from=2&to=1", "to"), ("from=1&to=100000000&resolution=1", "resolution"),
                            ("resolution=2", "resolution"), ("subject=nonsense", "subject"), ("subject=host", "key"),
                            ("subject=host&key=nobody", "key"), ("subject=network&key=10.0.0.0/33", "key"), ("subject=as&key=AS1", "key"),
                            ("subject=country&key=NLD", "key"), ("subject=exporter_interface&key=3", "key"), ("subject=as&key=1&vlan=1", "vlan"),
                            ("subject=as&key=1&space=1", "space"), ("subject=as&key=1&resolution=1", "resolution")):
            with self.subTest(query=query):
                self.problem(self.stage.get(f"/api/v1/timeseries?{query}"), 400, word)

    def test_what_there_are_series_of(self):
        self.assertEqual(200, self.stage.get("/api/v1/timeseries?subject=host&key=10.0.0.1&vlan=3").status)
        self.assertEqual(200, self.stage.get("/api/v1/timeseries?subject=host&key=(other)").status)
        a = self.stage.get("/api/v1/timeseries/subjects?subject=country").json
        self.assertEqual(("country", [{"key": "NL", "vlan": 0, "address_space": 0, "bytes": {"in": 1, "out": 2}, "packets": {"in": 3, "out": 4}, "last": 60}]),
                         (a["subject"], a["subjects"]))
        for path, row in (("networks", {}), ("as", {"name": "XYZ"}), ("countries", {}), ("categories", {})):
            a = self.stage.get(f"/api/v1/{path}?sort=packets&order=asc&limit=5").json
            self.assertEqual(([{"key": "NL", "bytes": {"in": 1, "out": 2}, "packets": {"in": 3, "out": 4}, "bytes_per_second": {"in": 5, "out": 6}, "last": 60, **row}], None),
                             (a[path], a["next_cursor"]))
            self.problem(self.stage.get(f"/api/v1/{path}?sort=rate"), 400, "sort")
            self.problem(self.stage.get(f"/api/v1/{path}?interface=eth0"), 400, "interface")
        for query in ("", "subject=tenant", "subject=interface", "subject=x"):
            self.problem(self.stage.get(f"/api/v1/timeseries/subjects?{query}"), 400, "subject")

    def test_parameters_are_strict(self):
        for query, word in (("limit=0", "limit"), ("limit=1001", "limit"), ("limit=-1", "limit"), ("limit=1e3", "limit"), ("limit=", "limit"),
                            ("limit", "limit"), ("limit=1&limit=1", "limit"), ("nonsense=1", "nonsense"), ("sort=name", "sort"), ("sort=first", "sort"),
                            ("order=up", "order"), ("cursor=", "cursor"), ("cursor=%21", "cursor"), ("interface=%zz", "interface"), ("vlan=1", "vlan"),
                            ("interface=" + "x" * 64, "interface"), ("cursor=" + "A" * 200, "cursor"), ("%6cimit=1", "%6cimit")):
            with self.subTest(query=query):
                self.problem(self.stage.get(f"/api/v1/hosts?{query}"), 400, word)
        self.assertEqual(200, self.stage.get("/api/v1/hosts?&limit=1&").status)

    def test_nothing_there_and_nothing_allowed(self):
        for path in ("/api/v1/none", "/api/v1", "/api/", "/api/v2/hosts", "/api/v1/hosts/", "/api/v1/hosts/10.0.0.1/x", "/assets/none.js", "/../etc/passwd",
                     "/..%2fetc", "/.env", "//etc/passwd.txt"):
            with self.subTest(path=path):
                a = self.stage.get(path)
                self.assertTrue(a.status == 404 or (a.status == 200 and b"<!doctype html>" in a.body.lower()), a.body[:200])
                self.assertNotIn(b"root:", a.body)
        for method, path, allow in (("POST", "/api/v1/hosts", "GET, HEAD"), ("GET", "/api/v1/login", "POST"), ("DELETE", "/api/v1/setup", "GET, HEAD, POST"), ("PUT", "/api/v1/users/x", "GET, HEAD, PATCH, DELETE"),
                                    ("OPTIONS", "/api/v1/me", "GET, HEAD"), ("HEAD", "/api/v1/live", "GET"), ("PUT", "/", "GET, HEAD"),
                                    ("PROPFIND", "/api/v1/me", "GET, HEAD"), ("TRACE", "/api/v1/me", "GET, HEAD")):
            with self.subTest(method=method, path=path):
                a = self.stage.request(method, path)
                self.assertEqual((405, allow), (a.status, a.headers["Allow"]))

    def test_health_in_full(self):
        a = self.stage.get("/api/v1/health").json
        self.assertEqual("ok", a["status"])
        self.assertEqual({"status": "ok", "why": None}, a["history"])
        self.assertEqual(["store@0", "authd@0", "capture@0"], [c["name"] for c in a["components"]])
        self.assertEqual([("capture.ring_full", 3)], [(c["place"], c["count"]) for c in a["drops"]])
        self.assertEqual([("capture.merged", 2)], [(c["place"], c["count"]) for c in a["counters"]])
        self.assertEqual([("arp", 9)], [(c["reason"], c["count"]) for c in a["undecoded"]])
        self.stage.tell("history-down", 1)
        a = self.stage.get("/api/v1/health").json
        self.stage.tell("history-down", 0)
        self.assertEqual(("degraded", "degraded", "No space left on device"), (a["status"], a["history"]["status"], a["history"]["why"]))

    def test_health_for_others(self):
        self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health", cookie=False).json)
        self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health", {"Cookie": "__Host-weir=" + "U" * 43}).json)

    def test_groups(self):
        a = self.stage.get("/api/v1/flows/top?by=client_ip,application&prefix=24&measure=packets&measures=flows&limit=5&bucket=60&from=1000&to=2000")
        self.assertEqual(200, a.status)
        self.assertEqual(["client_ip", "application"], a.json["by"])
        self.assertEqual({"client_ip": "10.0.0.0/24"}, a.json["groups"][0]["group"])
        self.assertEqual({"flows", "packets", "group", "buckets"}, set(a.json["groups"][0]))
        self.assertEqual((2, 10), (a.json["all"]["groups"], a.json["all"]["flows"]))
        self.assertEqual([1000, 2000, 60], [a.json[k] for k in ("from", "to", "bucket")])
        self.assertEqual("10.0.0.0", self.stage.get("/api/v1/flows/top?by=ip").json["groups"][0]["group"]["ip"])
        for query, name in [("", "by"), ("by=nonsense", "by"), ("by=ip,ip", "by"), ("by=ip,port,mac,as", "by"), ("by=ip&measure=x", "measure"),
                            ("by=ip&measures=flows,,bytes", "measures"), ("by=ip&prefix=33", "prefix"), ("by=ip&bucket=0", "bucket"),
                            ("by=ip&bucket=1", "bucket"), ("by=ip&from=5&to=5", "to"), ("by=ip&cursor=YWJj", "cursor")]:
            self.problem(self.stage.get(f"/api/v1/flows/top?{query}"), 400, name)

    def test_openapi_describes_every_route(self):
        a = self.stage.get("/api/v1/openapi.json", cookie=False)
        self.assertEqual("application/json", a.headers["Content-Type"])
        self.assertEqual(CONTRACT.document, a.json)
        with open(os.path.join(ROOT, "httpd", "routes.c")) as f:
            rows = re.findall(r'^\t\{ "(/[^"]*)",\s+METHOD_(\w+)', f.read(), re.M)
        self.assertGreater(len(rows), 40)
        self.assertEqual({(path, method.lower()) for path, method in rows},
                         {(re.sub(r"\{\w+\}", "{}", path), method) for path, item in a.json["paths"].items() for method in item})


class Long(OnStage):
    """Answers that TLS takes in several pieces, on a connection that stays: nothing comes twice, and the next one begins where this one ends."""

    def body(self, c, path, **headers):
        c.request("GET", path, headers=headers)
        return c.getresponse().read()

    def test_after_short_ones(self):
        with open(os.path.join(ROOT, "httpd", "openapi.json"), "rb") as f:
            document = f.read()
        self.assertGreater(len(document), 65536)
        assets = [p.decode() for p in re.findall(rb'(?:src|href)="?(/assets/[^">\s]+)', self.stage.get("/").body)]
        alone = {p: self.stage.get(p, {"Accept-Encoding": "gzip"}).body for p in assets}
        c = http.client.HTTPSConnection("127.0.0.1", self.stage.https, context=context(), timeout=20 * PATIENCE)
        for _ in range(3):
            self.assertIn(b"</html>", self.body(c, "/"))
            self.assertTrue(self.body(c, "/api/v1/openapi.json") == document)
            for path in assets:
                self.assertTrue(self.body(c, path, **{"Accept-Encoding": "gzip"}) == alone[path], path)
        c.close()

    def test_a_reader_that_pauses(self):
        """The socket is full in the middle of an answer, and others follow it."""
        with open(os.path.join(ROOT, "httpd", "openapi.json"), "rb") as f:
            document = f.read()
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(20 * PATIENCE)
        s.connect(("127.0.0.1", self.stage.https))
        with context().wrap_socket(s, server_hostname="localhost") as t:
            ask = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            t.sendall(ask + ask + ask)
            got = b""
            while got.count(b"HTTP/1.1 200") < 3 or len(got.split(b"HTTP/1.1 200")[-1].split(b"\r\n\r\n", 1)[-1]) < len(document):
                piece = t.recv(1000)
                self.assertTrue(piece, f"ended after {len(got)} bytes")
                got += piece
        for answer in got.split(b"HTTP/1.1 200")[1:]:
            self.assertTrue(answer.split(b"\r\n\r\n", 1)[1] == document)


class Headers(OnStage):
    ALWAYS = {"Strict-Transport-Security": "max-age=31536000", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
              "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"}

    def test_on_every_answer(self):
        for method, path in (("GET", "/"), ("GET", "/api/v1/health"), ("GET", "/api/v1/hosts"), ("GET", "/nothing.js"), ("DELETE", "/api/v1/me"),
                             ("HEAD", "/"), ("GET", "/api/v1/openapi.json")):
            with self.subTest(path=path):
                a = self.stage.request(method, path)
                for name, value in self.ALWAYS.items():
                    self.assertEqual([value], a.headers.get_all(name))
                csp = a.headers["Content-Security-Policy"]
                self.assertTrue(csp.startswith("default-src 'none'") and "unsafe" not in csp and "frame-ancestors 'none'" in csp, csp)
                self.assertIn("Permissions-Policy", a.headers)
                self.assertNotIn("Server", a.headers)
                self.assertIn("Cache-Control", a.headers)

    def test_the_page(self):
        plain = self.stage.get("/")
        self.assertEqual("text/html; charset=utf-8", plain.headers["Content-Type"])
        self.assertEqual("no-cache", plain.headers["Cache-Control"])
        for place in ("/login", "/hosts/10", "/index.html", "/flows"):
            self.assertEqual(plain.body, self.stage.get(place).body)
        head = self.stage.request("HEAD", "/")
        self.assertEqual((b"", str(len(plain.body))), (head.body, head.headers["Content-Length"]))
        again = self.stage.get("/", {"If-None-Match": plain.headers["ETag"]})
        self.assertEqual((304, b""), (again.status, again.body))
        self.assertEqual(200, self.stage.get("/", {"If-None-Match": '"other"'}).status)

    def test_its_assets(self):
        paths = set(re.findall(rb'(?:src|href)="?(/assets/[^">\s]+)', self.stage.get("/").body))
        self.assertTrue(paths)
        for path in paths:
            path = path.decode()
            plain, zipped = self.stage.get(path), self.stage.get(path, {"Accept-Encoding": "br, gzip;q=0.8"})
            self.assertEqual(200, plain.status)
            self.assertIn("immutable", plain.headers["Cache-Control"])
            self.assertIsNone(plain.headers["Content-Encoding"])
            if zipped.headers["Content-Encoding"] == "gzip":
                self.assertEqual(plain.body, gzip.decompress(zipped.body))
            self.assertIsNone(self.stage.get(path, {"Accept-Encoding": "gzip;q=0"}).headers["Content-Encoding"])
        self.assertTrue(any(self.stage.get(p.decode(), {"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip" for p in paths))


class Zipped(OnStage):
    """Long tables are sent as gzip to whoever takes it; what holds a secret never is."""

    TAKES = {"Accept-Encoding": "gzip"}

    def test_a_long_table(self):
        self.stage.login()
        self.stage.tell("pad", 200)
        try:
            plain, zipped = self.stage.get("/api/v1/flows?limit=1000"), self.stage.get("/api/v1/flows?limit=1000", self.TAKES)
        finally:
            self.stage.tell("pad", 0)
        self.assertIsNone(plain.headers["Content-Encoding"])
        self.assertEqual(("gzip", "Accept-Encoding", "no-store"),
                         (zipped.headers["Content-Encoding"], zipped.headers["Vary"], zipped.headers["Cache-Control"]))
        self.assertEqual(plain.json["flows"], zipped.json["flows"])
        self.assertLess(len(zipped.body) * 4, len(plain.body))
        head = self.stage.request("HEAD", "/api/v1/flows?limit=1000", None, self.TAKES)
        self.assertEqual((200, b""), (head.status, head.body))

    def test_what_stays_as_it_is(self):
        self.stage.login()
        for path in ("/api/v1/me", "/api/v1/setup", "/api/v1/interfaces", "/api/v1/nothing"):
            self.assertIsNone(self.stage.get(path, self.TAKES).headers["Content-Encoding"], path)


class Tokens(OnStage):
    """Whoever shows a token: no cookie, no X-Weir-CSRF, and never two identities."""

    TOKEN = {"Authorization": "Bearer weir_good"}

    def setUp(self):
        self.stage.tell("no-token", 0)
        self.stage.cookie, self.stage.csrf = None, ""

    def get(self, path, headers=None):
        return self.stage.get(path, {**self.TOKEN, **(headers or {})}, cookie=False)

    def test_every_route_takes_one(self):
        for path in ("interfaces", "hosts", "hosts/10.0.0.1", "flows", "devices", "applications", "timeseries", "totals", "me"):
            with self.subTest(path=path):
                self.assertEqual(200, self.get(f"/api/v1/{path}").status)
        me = self.get("/api/v1/me").json
        self.assertEqual(("robot", None), (me["name"], me["csrf"]))
        self.assertIn("components", self.get("/api/v1/health").json)
        live = self.stage.stream("Authorization: Bearer weir_good")
        self.assertEqual("live", live.event()[0])
        live.close()

    def test_its_grant_is_kept_and_used_again(self):
        self.assertEqual(200, self.get("/api/v1/totals").status)
        before = self.stage.counts()["tokens"]
        for _ in range(5):
            self.assertEqual(200, self.get("/api/v1/totals").status)
        self.assertEqual(before, self.stage.counts()["tokens"])

    def test_one_that_was_removed(self):
        self.assertEqual(200, self.get("/api/v1/hosts").status)
        self.stage.tell("no-token", 1)
        self.stage.tell("refuse-once", 1)  # as store does from then on
        a = self.get("/api/v1/hosts")
        self.problem(a, 401)
        self.assertEqual('Bearer realm="weir", error="invalid_token"', a.headers["WWW-Authenticate"])
        self.problem(self.get("/api/v1/hosts"), 401)

    def test_what_is_none(self):
        before = self.stage.counts()["tokens"]
        for value in ("Bearer", "Bearer x", "Bearer weir_", "Bearer weir_a-b", "Bearer weir_" + "a" * 100, "Basic YWRtaW46eA==", "weir_good", ""):
            with self.subTest(value=value):
                a = self.get("/api/v1/hosts", {"Authorization": value})
                self.problem(a, 401)
                self.assertIn("invalid_token", a.headers["WWW-Authenticate"])
        self.assertEqual(before, self.stage.counts()["tokens"])  # authd was not troubled
        self.problem(self.get("/api/v1/hosts", {"Authorization": "Bearer weir_bad"}), 401)
        self.problem(self.get("/api/v1/health", {"Authorization": "Bearer x"}), 401)
        self.assertEqual({"status": "ok"}, self.get("/api/v1/health", {"Authorization": "Bearer weir_bad"}).json)

    def test_never_both(self):
        self.stage.login()
        cookie = {"Cookie": self.stage.cookie}
        self.problem(self.get("/api/v1/hosts", cookie), 400, "not both")
        self.problem(self.get("/api/v1/hosts", {**cookie, "Authorization": "Basic YQ=="}), 400)
        request = f"GET /api/v1/hosts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer weir_good\r\nAuthorization: Bearer weir_bad\r\n\r\n"
        got, closed = self.stage.raw(request.encode())
        self.assertTrue(got.startswith(b"HTTP/1.1 400 ") and closed, got[:100])

    def test_no_csrf_of_a_token_and_no_token_for_what_is_a_persons(self):
        for method, path, body in (("POST", "/api/v1/users", {"name": "x"}), ("PATCH", "/api/v1/users/x", {"title": "y"}), ("DELETE", "/api/v1/users/x", None)):
            with self.no_contract():
                a = self.stage.request(method, path, body, {**self.TOKEN, **(JSON if body else {}), "X-Weir-CSRF": ""}, cookie=False)
            self.assertIn(a.status, (200, 201, 204), a.body)
        for method, path in (("POST", "/api/v1/logout"), ("POST", "/api/v1/me/password"), ("POST", "/api/v1/me/second-factor"), ("POST", "/api/v1/me/second-factor/remove")):
            self.problem(self.stage.request(method, path, None if "logout" in path else {}, {**self.TOKEN, **JSON}, cookie=False), 403)

    def test_tenants(self):
        self.assertEqual(200, self.get("/api/v1/hosts", {"Weir-Tenant": "customer"}).status)
        self.problem(self.get("/api/v1/hosts", {"Weir-Tenant": "other"}), 404)
        self.problem(self.get("/api/v1/hosts", {"Weir-Tenant": "other", "Authorization": "Bearer weir_bad"}), 401)


class Tenants(OnStage):
    def setUp(self):
        self.stage.login()

    def test_the_choice(self):
        self.assertEqual("customer", self.stage.get("/api/v1/me", {"Weir-Tenant": "customer"}).json["tenant"])
        self.assertIsNone(self.stage.get("/api/v1/me").json["tenant"])
        self.assertEqual(200, self.stage.get("/api/v1/hosts", {"Weir-Tenant": "customer"}).status)
        # What is not there and what is not the caller's is the same, and the session goes on.
        for path in ("hosts", "me", "users"):
            self.problem(self.stage.get(f"/api/v1/{path}", {"Weir-Tenant": "other"}), 404)
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)
        for name in ("", "x" * 64, "a\x7f", "a\xff"):
            with self.subTest(name=name):
                self.named(self.stage.get("/api/v1/hosts", {"Weir-Tenant": name}), 400, "Weir-Tenant")

    def test_a_stream_of_one(self):
        live = self.stage.stream(query="?tenant=customer")
        self.assertEqual("live", live.event()[0])
        live.close()
        for path, header in (("?tenant=other", {}), ("", {"Weir-Tenant": "other"})):
            self.problem(self.stage.get("/api/v1/live" + path, header), 404)
        self.named(self.stage.get("/api/v1/live?tenant="), 400, "tenant")


class Administration(OnStage):
    """Operations go to authd as they are asked for, and its answers come back as they are."""

    def setUp(self):
        for flag in ("admin-status", "unconfirmed", "parts", "refuse-admin-once", "no-session"):
            self.stage.tell(flag, 0)
        self.stage.login()

    def do(self, method, path, body=None, headers=None):
        return self.stage.request(method, "/api/v1" + path, body, {**(JSON if body is not None else {}), **(headers or {})})

    def test_what_is_asked(self):
        for method, path, body, asked, status in (
                ("GET", "/tenants", None, {"op": "tenant.list"}, 200),
                ("POST", "/tenants", {"name": "acme", "selectors": [{"interface": "eth1"}]},
                 {"op": "tenant.add", "name": "acme", "selectors": [{"interface": "eth1"}]}, 201),
                ("GET", "/tenants/a%20c%22me", None, {"op": "tenant.get", "name": 'a c"me'}, 200),
                ("PATCH", "/users/alice", {"title": "A"}, {"op": "user.set", "name": "alice", "title": "A"}, 200),
                ("PATCH", "/users/alice", " { } ", {"op": "user.set", "name": "alice"}, 200),
                ("POST", "/users/alice/password", {"password": "x"}, {"op": "user.password", "name": "alice", "password": "x"}, 200),
                ("GET", "/sessions?user=bob", None, {"op": "session.list", "user": "bob"}, 200),
                ("GET", "/tokens?all=true&limit=3&cursor=ab", None, {"op": "token.list", "all": True, "limit": 3, "cursor": "ab"}, 200),
                ("DELETE", "/sessions?others=true", None, {"op": "session.end", "others": True}, 200),
                ("DELETE", "/users/bob/second-factor", None, None, 204),
                ("DELETE", "/sessions/ab12", None, {"op": "session.end", "id": "ab12"}, 200),
                ("GET", "/audit?from=1.5&to=2&actor=user:bob&kind=login&limit=7&cursor=12", None,
                 {"op": "audit.list", "from": 1.5, "to": 2, "actor": "user:bob", "kind": "login", "limit": 7, "cursor": "12"}, 200),
                ("POST", "/apply", {"document": {}, "dry_run": True}, {"op": "apply", "document": {}, "dry_run": True}, 200)):
            with self.subTest(method=method, path=path):
                with self.no_contract():
                    a = self.do(method, path, body)
                self.assertEqual((status, asked), (a.status, a.json["asked"] if asked else None))

    def test_an_answer_in_parts(self):
        with self.no_contract():
            whole = self.do("GET", "/users").body
            self.stage.tell("parts", 1)
            self.assertEqual(whole, self.do("GET", "/users").body)
        self.assertEqual("user.list", json.loads(whole)["asked"]["op"])

    def test_nothing_to_say(self):
        a = self.do("DELETE", "/users/alice")
        self.assertEqual((204, b""), (a.status, a.body))
        self.assertIsNone(a.headers.get("Weir-Unconfirmed"))

    def test_done_but_not_confirmed(self):
        self.stage.tell("unconfirmed", 1)
        a = self.do("DELETE", "/users/alice")
        self.assertEqual((204, "store"), (a.status, a.headers.get("Weir-Unconfirmed")))

    def test_refusals(self):
        for status, code in ((2, 400), (3, 403), (4, 404), (5, 409), (6, 503), (7, 503), (8, 401)):
            self.stage.tell("admin-status", status)
            a = self.do("POST", "/users", {"name": "x"})
            with self.subTest(status=status):
                if status in (2, 5):
                    self.named(a, code, "access[0].role")
                else:
                    self.problem(a, code)

    def test_a_grant_that_authd_refuses_is_renewed_once(self):
        self.stage.tell("refuse-admin-once", 1)
        before = self.stage.counts()["sessions"]
        self.assertEqual(204, self.do("DELETE", "/users/alice").status)
        self.assertEqual(before + 1, self.stage.counts()["sessions"])
        self.stage.tell("refuse-admin-once", 1)
        self.stage.tell("no-session", 1)
        self.problem(self.do("DELETE", "/users/alice"), 401)

    def test_bodies(self):
        for body in ("", "x", "[]", '"x"', "\x00{}", "{}\x00"):
            with self.subTest(body=body):
                self.problem(self.do("POST", "/users", body), 400)
        self.problem(self.do("POST", "/users", {"name": "x" * 60000}), 413)
        self.problem(self.do("POST", "/users", {"name": "x"}, {"Content-Type": "text/plain"}), 415)
        self.problem(self.do("POST", "/users", {"name": "x"}, {"X-Weir-CSRF": "1"}), 403)
        self.problem(self.do("DELETE", "/users/x", None, {"X-Weir-CSRF": ""}), 403)
        self.problem(self.do("GET", "/users/%ff"), 404)
        self.named(self.do("GET", "/audit?actor=%ff"), 400, "actor")
        self.named(self.do("GET", "/audit?user=x"), 400, "user")
        self.named(self.do("GET", "/users?limit=0"), 400, "limit")
        self.named(self.do("GET", "/tokens?all=1"), 400, "all")
        self.named(self.do("GET", "/tokens?user=x"), 400, "user")

    def test_a_secret_that_was_sent_is_nowhere(self):
        for ask in (lambda: self.do("POST", "/tokens", {"label": "new"}),
                    lambda: self.stage.request("POST", "/lua/rest/v2/create/ntopng/api_token.lua", "{}", JSON)):
            with self.no_contract():
                a = ask()
            self.assertIn(b"weir_SecretSecret", a.body)
            self.stage.until(lambda: not self.stage.memory_has(b"SecretSecretSecret"), "wiped")

    def test_authd_away(self):
        self.stage.tell("authd", 0)
        self.problem(self.do("DELETE", "/users/alice"), 503)
        self.stage.tell("authd", 1)
        self.stage.until(lambda: self.do("DELETE", "/users/alice").status == 204, "authd is back")


class Unchanged(OnStage):
    """What changes seldom is not sent again to who has it."""

    def setUp(self):
        self.stage.login()

    def test_the_words_of_filters(self):
        a = self.stage.get("/api/v1/filter")
        tag = a.headers["ETag"]
        self.assertRegex(tag, r'^W/"[0-9a-f]{32}"$')
        self.assertEqual("private, no-cache", a.headers["Cache-Control"])
        for match in (tag, tag[2:], f'"x", {tag}', "*"):
            b = self.stage.get("/api/v1/filter", {"If-None-Match": match})
            self.assertEqual((304, b"", tag), (b.status, b.body, b.headers["ETag"]), match)
        self.assertEqual(200, self.stage.get("/api/v1/filter", {"If-None-Match": '"x"'}).status)
        self.problem(self.stage.get("/api/v1/filter", {"If-None-Match": tag}, cookie=False), 401)
        self.problem(self.stage.get("/api/v1/filter?filter=nosuch%20x", {"If-None-Match": tag}), 400, "filter")

    def test_lists_of_authd(self):
        for path in ("labels", "settings"):
            a = self.stage.get(f"/api/v1/{path}")
            self.assertEqual((200, "no-store"), (a.status, a.headers["Cache-Control"]))
            b = self.stage.get(f"/api/v1/{path}", {"If-None-Match": a.headers["ETag"]})
            self.assertEqual((304, b""), (b.status, b.body))
            self.stage.tell("admin-status", 3)
            c = self.stage.get(f"/api/v1/{path}", {"If-None-Match": "*"})
            self.assertGreaterEqual(c.status, 400)
            self.assertIsNone(c.headers["ETag"])
            self.stage.tell("admin-status", 0)
        for path in ("hosts", "interfaces", "me"):
            self.assertIsNone(self.stage.get(f"/api/v1/{path}").headers["ETag"], path)


class Memory(OnStage):
    """What waits for its rest is bounded, whoever sends it."""

    def test_a_cookie_that_came_is_nowhere(self):
        """httpd knows a session by a keyed hash of its cookie: the cookie itself is for the length of a request."""
        self.stage.login()
        cookie = self.stage.cookie.split("=", 1)[1]
        for path in ("/api/v1/hosts", "/api/v1/me", "/metrics", "/api/v1/flows?format=csv&limit=1", "/nosuch"):
            self.stage.get(path)
        self.stage.stream().close()
        self.stage.until(lambda: self.stage.is_sanitized() or not self.stage.memory_has(cookie.encode()), "it is gone")

    def test_answers_of_authd_and_store_share_it(self):
        self.stage.tell("workers", 8)
        self.stage.tell("restart")
        self.stage.until(lambda: self.stage.get("/api/v1/health").json["status"] == "ok", "it is back")
        self.stage.login()
        self.stage.tell("rows", 500)
        self.stage.tell("pad", 150)
        self.assertEqual(200, self.stage.get("/api/v1/flows?limit=500").status)
        waiting = []
        for _ in range(10):  # of 4 MiB; an eighth of 256 MiB may be held
            asked = self.stage.counts()["admins"]
            self.stage.tell("endless", 1)
            waiting.append(s := self.stage.connect())
            s.sendall(f"GET /api/v1/users HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
            self.stage.until(lambda n=asked: self.stage.counts()["admins"] > n, "asked")
            self.stage.tell("endless", 0)
            self.assertEqual(200, self.stage.get("/api/v1/me").status)  # comes behind it
        a = self.stage.get("/api/v1/flows?limit=500")
        self.assertEqual(503, a.status)
        self.problem(a, 503, "longer than this server can hold")
        for s in waiting:
            s.close()
        self.stage.tell("authd", 0)  # which ends them
        self.stage.tell("authd", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/flows?limit=500").status == 200, "there is room again")


class Peers(OnStage):
    def setUp(self):
        for flag in ("silent-store", "silent-pages", "silent-authd", "lie", "no-session", "refuse-once", "refuse-grants", "limited"):
            self.stage.tell(flag, 0)
        self.stage.tell("store", 1)
        self.stage.tell("authd", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "its peers are back")
        self.stage.login()

    def test_a_grant_is_used_again(self):
        before = self.stage.counts()["sessions"]
        for _ in range(5):
            self.assertEqual(200, self.stage.get("/api/v1/hosts").status)
        self.assertEqual(before, self.stage.counts()["sessions"])

    def test_a_grant_that_store_refuses_is_renewed_once(self):
        before = self.stage.counts()["sessions"]
        self.stage.tell("refuse-once", 1)
        self.assertEqual(200, self.stage.get("/api/v1/totals").status)
        self.assertEqual(before + 1, self.stage.counts()["sessions"])

    def test_a_question_that_the_session_may_not_ask(self):
        """authd says that the session is good, and store that its grant is not good for this: nobody is logged out."""
        self.stage.tell("refuse-grants", 1)
        before = self.stage.counts()["sessions"]
        self.problem(self.stage.get("/api/v1/hosts"), 403)
        self.assertEqual(before + 1, self.stage.counts()["sessions"])
        live = self.stage.stream()
        self.assertEqual(("end", {"why": "role"}), live.event())
        live.close()
        self.assertEqual(200, self.stage.get("/api/v1/me").status)

    def test_a_session_that_ended_elsewhere(self):
        self.stage.tell("no-session", 1)
        self.stage.tell("refuse-once", 1)
        self.problem(self.stage.get("/api/v1/hosts"), 401)

    def test_store_away(self):
        self.stage.tell("store", 0)
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "degraded", "store is missed")
        a = self.stage.get("/api/v1/hosts")
        self.problem(a, 503)
        self.assertEqual("1", a.headers["Retry-After"])
        h = self.stage.get("/api/v1/health").json
        self.assertEqual(("degraded", "store@0", "restarting"), (h["status"], h["components"][0]["name"], h["components"][0]["state"]))
        self.assertEqual(([], [], []), (h["drops"], h["counters"], h["undecoded"]))
        self.stage.tell("store", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/hosts").status == 200, "store answers again")

    def test_authd_away(self):
        self.stage.get("/api/v1/hosts")
        self.stage.tell("authd", 0)
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "degraded", "authd is missed")
        self.problem(self.stage.request("POST", "/api/v1/login", {"name": "a", "password": "b"}, {**JSON, "X-Weir-CSRF": "1"}), 503)
        self.problem(self.stage.get("/api/v1/setup"), 503)
        self.problem(self.stage.get("/api/v1/me", {"Cookie": "__Host-weir=" + "I" * 43}), 503)
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)
        self.assertEqual("degraded", self.stage.get("/api/v1/health").json["status"])

    def test_store_silent(self):
        self.stage.tell("silent-store", 1)
        began = time.monotonic()
        self.problem(self.stage.get("/api/v1/hosts"), 504)
        self.assertGreater(time.monotonic() - began, 4)
        self.stage.until(lambda: self.stage.counts()["cancelled"] > 0, "told that it is too late")
        self.stage.tell("silent-store", 0)
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)

    def test_nobody_waits_any_more(self):
        before = self.stage.counts()
        self.stage.tell("silent-store", 1)
        s = self.stage.connect()
        s.sendall(f"GET /api/v1/hosts HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
        self.stage.until(lambda: self.stage.counts()["hosts"] > before["hosts"], "asked")
        self.assertEqual(before["cancelled"], self.stage.counts()["cancelled"])
        s.close()
        self.stage.until(lambda: self.stage.counts()["cancelled"] == before["cancelled"] + 1, "told that nobody waits")
        self.stage.tell("silent-store", 0)
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)

    def ask_and_go(self, path, asked, later=0):
        """A client that closes its connection once it was asked for him."""
        s = self.stage.connect()
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
        self.stage.until(asked, "asked")
        time.sleep(later)
        s.close()

    def test_nobody_waits_for_the_rest_of_a_list(self):
        """What came of it before is held meanwhile, and nothing ends that a second time."""
        path = "/lua/rest/v2/get/host/active.lua?ifid=0&sortColumn=column_name"
        self.stage.tell("silent-pages", 1)
        for later in (0, 0.3, 0.5):  # looks for the client are 250 ms apart
            before = self.stage.counts()
            self.ask_and_go(path, lambda: self.stage.counts()["hosts"] == before["hosts"] + 2, later)
            self.stage.until(lambda: self.stage.counts()["cancelled"] > before["cancelled"], "told that nobody waits")
            time.sleep(0.3)
            self.assertEqual(before["cancelled"] + 1, self.stage.counts()["cancelled"])
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)

    def test_nobody_waits_while_a_grant_is_renewed(self):
        """authd's word comes when what it is for is over."""
        before = self.stage.counts()
        self.stage.tell("silent-authd", 1)
        self.stage.tell("refuse-once", 1)
        self.ask_and_go("/api/v1/hosts", lambda: self.stage.counts()["sessions"] > before["sessions"])
        time.sleep(7)  # longer than httpd waits for authd
        self.stage.tell("silent-authd", 0)
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)

    def test_authd_silent(self):
        self.stage.tell("silent-authd", 1)
        self.problem(self.stage.get("/api/v1/me", {"Cookie": "__Host-weir=" + "E" * 43}), 503)

    def test_a_store_that_lies_is_dropped(self):
        self.stage.tell("lie", 1)
        self.problem(self.stage.get("/api/v1/interfaces"), 503)
        self.stage.tell("lie", 0)
        self.stage.tell("store", 0)
        self.stage.tell("store", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/interfaces").status == 200, "an honest store is listened to")

    def test_an_authd_that_lies_is_dropped(self):
        self.stage.tell("lie", 1)
        self.problem(self.stage.get("/api/v1/setup"), 503)
        self.stage.tell("lie", 0)
        self.stage.tell("authd", 0)

    def test_many_at_once_ask_authd_once(self):
        self.stage.tell("restart")  # its memory of the session is gone
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "its peers are back")
        self.stage.tell("silent-authd", 1)
        before, answers = self.stage.counts()["sessions"], []
        threads = [threading.Thread(target=lambda: answers.append(self.stage.get("/api/v1/hosts?limit=1").status)) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([503] * 20, answers)
        self.assertLessEqual(self.stage.counts()["sessions"] - before, 2)

    def test_roles_without_the_platform(self):
        self.stage.tell("limited", 1)
        self.stage.login()
        self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health").json)
        s = self.stage.stream()
        self.assertEqual([], s.until("live")["components"])
        s.close()


class Live(OnStage):
    def setUp(self):
        self.stage.tell("no-session", 0)
        self.stage.tell("store", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "its peers are back")
        self.stage.login()

    def test_the_shape(self):
        s = self.stage.stream()
        self.assertIn(b"Content-Type: text/event-stream", s.head)
        self.assertIn(b"Cache-Control: no-store", s.head)
        for _ in range(2):
            e = s.until("live")
            self.assertIsNone(CONTRACT.wrong({"$ref": "#/components/schemas/Live"}, e))
            self.assertEqual((10, 20, "ok"), (len(e["hosts"]), len(e["flows"]), e["status"]))
        s.close()

    def test_windows_of_one_session_share_their_questions(self):
        windows = [self.stage.stream() for _ in range(8)]
        for w in windows:
            w.until("live")
        before, began = self.stage.counts()["hosts"], time.monotonic()
        for _ in range(3):
            windows[0].until("live")
        self.assertLessEqual(self.stage.counts()["hosts"] - before, time.monotonic() - began + 3)  # one a second, not eight
        for w in windows[:4]:
            w.close()
        windows[7].until("live")
        for w in windows[4:]:
            w.close()
        self.stage.until(lambda: self.stage.counts()["hosts"] == (time.sleep(1.5), self.stage.counts()["hosts"])[1], "nobody is asked for nobody")

    def test_store_goes_and_comes(self):
        s = self.stage.stream()
        s.until("live")
        self.stage.tell("store", 0)
        e = s.until("unavailable")
        self.assertIsNone(CONTRACT.wrong({"$ref": "#/components/schemas/Unavailable"}, e))
        self.assertEqual(("degraded", "store@0"), (e["status"], e["components"][0]["name"]))
        self.assertTrue(e["why"])
        self.stage.tell("store", 1)
        s.until("live")
        s.close()

    def test_the_end_of_the_session(self):
        s = self.stage.stream()
        s.until("live")
        self.stage.tell("no-session", 1)
        self.stage.request("POST", "/api/v1/logout")
        self.assertEqual({"why": "session"}, s.until("end"))
        with self.assertRaises(EOFError):
            s.event()
        s.close()

    def sockets(self):
        count = 0
        for fd in os.listdir(f"/proc/{self.stage.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{self.stage.pid}/fd/{fd}").startswith("socket:")
            except FileNotFoundError:
                pass
        return count

    def test_a_window_that_does_not_read(self):
        """It is skipped, then closed; the other windows of the session notice nothing."""
        self.stage.tell("pad", 199)
        reader = self.stage.stream()
        reader.until("live")
        before = self.sockets()
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", self.stage.https))
        s = context().wrap_socket(s)
        s.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
        self.stage.until(lambda: self.sockets() == before + 1, "the window is open")
        end = time.monotonic() + 30 + 2 * PATIENCE
        while self.sockets() > before and time.monotonic() < end:
            reader.until("live")
        self.assertEqual(before, self.sockets())
        reader.until("live")
        self.stage.tell("pad", 0)
        s.close()
        reader.close()

    def test_http_1_0(self):
        s = self.stage.connect()
        s.sendall(f"GET /api/v1/live HTTP/1.0\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
        got = b""
        while b"\n\nevent: live" not in got:
            got += s.recv(65536)
        self.assertNotIn(b"chunked", got)
        s.close()


class Edges(OnStage):
    """Where a request ends and the next begins; and clients that leave at every point."""

    def host(self):
        return f"Host: 127.0.0.1:{self.stage.https}\r\n".encode()

    def first_line(self, data):
        return data.split(b"\r\n", 1)[0]

    def test_requests_with_two_readings_end_the_connection(self):
        h = self.host()
        tail = b"GET /api/v1/openapi.json HTTP/1.1\r\n" + h + b"\r\n"
        for name, data, status in (
                ("chunked", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
                ("both", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"4"),
                ("odd coding", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc", b"4"),
                ("two lengths", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc", b"400"),
                ("signed length", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length: +3\r\n\r\nabc", b"400"),
                ("space before colon", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length : 3\r\n\r\n", b"400"),
                ("tab in name", b"GET / HTTP/1.1\r\n" + h + b"X\tY: 3\r\n\r\n", b"400"),
                ("two hosts", b"GET / HTTP/1.1\r\n" + h + h + b"\r\n", b"400"),
                ("no host", b"GET / HTTP/1.1\r\n\r\n", b"400"),
                ("bad host", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", b"400"),
                ("GET with body", b"GET / HTTP/1.1\r\n" + h + b"Content-Length: 3\r\n\r\nabc", b"400"),
                ("HEAD with body", b"HEAD / HTTP/1.1\r\n" + h + b"Content-Length: 3\r\n\r\nabc", b"400"),
                ("absolute address", b"GET https://elsewhere/ HTTP/1.1\r\n" + h + b"\r\n", b"400"),
                ("asterisk", b"OPTIONS * HTTP/1.1\r\n" + h + b"\r\n", b"400"),
                ("connect", b"CONNECT elsewhere:443 HTTP/1.1\r\n" + h + b"\r\n", b"400"),
                ("no version", b"GET /\r\n\r\n", b"400"),
                ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
                ("long header", b"GET / HTTP/1.1\r\n" + h + b"X: " + b"y" * 20000 + b"\r\n\r\n", b"400"),
                ("coding on a second line", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", b"4"),
                ("space before the coding's colon", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", b"4"),
                ("coding of HTTP/1.0", b"POST /api/v1/login HTTP/1.0\r\n" + h + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"4"),
                ("two codings", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"4"),
                ("a list of lengths", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length: 3, 3\r\n\r\nabc", b"400"),
                ("a length in hex", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length: 0x3\r\n\r\nabc", b"400"),
                ("a length on a second line", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"Content-Length: 3\r\n 0\r\n\r\nabc", b"400"),
                ("a length of another case", b"POST /api/v1/login HTTP/1.1\r\n" + h + b"content-length: 3\r\nCONTENT-LENGTH: 0\r\n\r\nabc", b"400"),
                ("DELETE with body", b"DELETE /api/v1/sessions/x HTTP/1.1\r\n" + h + b"Content-Length: 3\r\n\r\nabc", b"400"),
                ("a host with a user", b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", b"400"),
                ("a host on a second line", b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", b"400"),
                ("many headers", b"GET / HTTP/1.1\r\n" + h + b"A: b\r\n" * 4000 + b"\r\n", b"400"),
                ("rubbish", b"\x00\x01\x02\r\n\r\n", b"400")):
            with self.subTest(name):
                got, closed = self.stage.raw(data + tail)
                self.assertNotIn(b'"3.1.0"', got)
                self.assertRegex(self.first_line(got), rb"^HTTP/1\.[01] " + status)
                self.assertTrue(closed)

    def test_header_injection(self):
        a = self.stage.get("/x%0d%0aSet-Cookie:%20a=b")
        self.assertIsNone(a.headers["Set-Cookie"])

    def test_a_method_is_its_own_alone(self):
        """Neither a header nor a parameter makes another one of it, and its case counts."""
        for how in ({"X-HTTP-Method-Override": "DELETE"}, {"X-Method-Override": "POST"}, {"X-HTTP-Method": "PATCH"}):
            self.assertEqual(200, self.stage.get("/api/v1/health", how).status)
        self.problem(self.stage.get("/api/v1/health?_method=POST"), 400)
        for method in (b"get", b"GeT", b"QUERY", b"G E T"):
            got, _ = self.stage.raw(method + b" /api/v1/health HTTP/1.1\r\n" + self.host() + b"Connection: close\r\n\r\n")
            self.assertNotIn(b'"status":"ok"', got, method)

    def test_no_cache_is_deceived(self):
        """What looks like a file to a cache in front is none, and no refusal or data may be kept."""
        self.stage.login()
        for path in ("/api/v1/me/x.css", "/api/v1/me%2fx.css", "/api/v1/me;x.css", "/api/v1/me/..%2f..%2fassets%2fx.js", "/api/v1/me%00.js",
                     "/lua/rest/v2/get/ntopng/interfaces.lua/x.png"):
            a = self.stage.get(path)
            self.assertIn(a.status, (400, 404), path)
            self.assertEqual("no-store", a.headers["Cache-Control"], path)
        a = self.stage.get("/api/v1/me", {"X-Forwarded-Host": "elsewhere", "X-Forwarded-Proto": "http", "X-Original-URL": "/api/v1/tokens",
                                           "X-Rewrite-URL": "/api/v1/tokens"})
        self.assertEqual(("no-store", self.stage.get("/api/v1/me").json), (a.headers["Cache-Control"], a.json))

    def test_what_comes_meanwhile_waits_quietly(self):
        """Nothing goes round in circles over bytes that nobody reads yet."""
        self.stage.login()
        one = f"GET /api/v1/hosts HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode()
        hello, early = socket.create_connection(("127.0.0.1", self.stage.https)), self.stage.connect()
        before = self.stage.counts()["hosts"]
        self.stage.tell("silent-store", 1)
        early.sendall(one)
        self.stage.until(lambda: self.stage.counts()["hosts"] > before, "the question is with store")
        early.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
        hello.sendall(b"\x16\x03\x01\x40\x00" + b"\x01" * 4000)

        def used():
            with open(f"/proc/{self.stage.pid}/stat") as f:
                return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
        began = used()
        time.sleep(1)
        self.assertLess(used() - began, 0.3)
        self.stage.tell("silent-store", 0)
        early.settimeout(PATIENCE)
        got = b""
        while got.count(b'{"status":"ok"}') < 40:
            more = early.recv(65536)
            self.assertTrue(more, got[-200:])
            got += more
        for s in (hello, early):
            s.close()

    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /api/v1/health HTTP/1.1\r\n" + self.host() + b"\r\n"
        two = b"GET /api/v1/none HTTP/1.1\r\n" + self.host() + b"\r\n"
        got, closed = self.stage.raw(one + two + one, 3)
        self.assertEqual([b"200", b"404", b"200"], re.findall(rb"HTTP/1\.1 (\d+)", got))
        self.assertFalse(closed)

    def records(self, *texts, **how):
        client = Records(self.stage.https, **how)
        self.addCleanup(client.socket.close)
        for text in texts:
            client.put(text)
        return client

    def test_requests_in_many_records(self):
        """The kernel tells of what came once, however many records it is."""
        body = b'{"name":"a","password":"b"}'
        head = b"POST /api/v1/login HTTP/1.1\r\n" + self.host() + b"X-Weir-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        health = b"GET /api/v1/health HTTP/1.1\r\n" + self.host() + b"\r\n"
        for texts, answers in (((head, body), [b"401"]), ((head[:20], head[20:90], head[90:], body[:5], body[5:]), [b"401"]), ((health,) * 50, [b"200"] * 50),
                               ([bytes([c]) for c in health * 4], [b"200"] * 4), ((head, body, health, health[:9], health[9:]), [b"401", b"200", b"200"])):
            got, found, client = b"", [], self.records(*texts)
            client.send()
            while len(found) < len(answers):
                got += client.recv()
                found = re.findall(rb"HTTP/1\.1 (\d+)", got)
            self.assertEqual(answers, found)

    def test_an_expectation_and_its_body_in_one_go(self):
        """The body is in a record that came along."""
        body = b'{"name":"a","password":"b"}'
        head = b"POST /api/v1/login HTTP/1.1\r\n" + self.host() + b"X-Weir-CSRF: 1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        client = self.records(head + b"Content-Length: %d\r\n\r\n" % len(body), body)
        client.send()
        got = b""
        while b"HTTP/1.1 401" not in got:
            got += client.recv()
        self.assertTrue(got.startswith(b"HTTP/1.1 100"), got)

    def test_who_says_no_more_is_answered(self):
        """A request and close_notify in one go, and the end of what it sends."""
        client = self.records(b"GET /api/v1/health HTTP/1.1\r\n" + self.host() + b"\r\n")
        client.end()
        client.send()
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.recv().startswith(b"HTTP/1.1 200"))

    def test_what_came_before_a_cut_is_not_done(self):
        """A CONNECT is the last of its connection, also where another request came along."""
        self.stage.login()
        one = b"GET /api/v1/hosts HTTP/1.1\r\n" + self.host() + f"Cookie: {self.stage.cookie}\r\n\r\n".encode()
        before = self.stage.counts()["hosts"]
        client = self.records(b"CONNECT localhost:80 HTTP/1.1\r\n" + self.host() + b"\r\n", one, one)
        client.send()
        with self.assertRaises(ConnectionError):
            while True:
                client.recv()
        self.assertEqual(200, self.stage.get("/api/v1/hosts").status)
        self.assertEqual(before + 1, self.stage.counts()["hosts"])

    def asked_twice(self, path):
        """A client whose second request was for path, and what is left of its record where the room for it is kept: the request is wiped, but not
        its kind and its tag behind it."""
        def get(path):
            return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode()
        client, other = self.records(get("/api/v1/health")), self.records(get("/api/v1/health?" + "x" * 1000))
        client.send()
        self.assertIn(b"200 OK", client.recv())
        client.put(get(path))
        record = client.outgoing.read()
        client.socket.sendall(record)
        self.assertIn(b"200 OK", client.recv())
        other.send()  # takes the place that all connections read ahead into
        self.assertIn(b"HTTP/1.1", other.recv())
        return client, b"\x17" + record[-16:]

    def test_room_for_a_record_is_kept_for_a_moment(self):
        self.stage.login()

        def goes_first():
            client, left = self.asked_twice("/api/v1/health")
            kept = self.stage.memory_has(left)
            self.stage.until(lambda: not self.stage.memory_has(left), "its room is given up")
            return kept and not select.select([client.socket], [], [], 0)[0]  # a slow machine sees both at once
        self.stage.until(goes_first, "the room goes before the connection does")

    def test_a_stream_keeps_no_room_for_a_record(self):
        self.stage.login()
        _, left = self.asked_twice("/api/v1/live")
        self.assertFalse(self.stage.memory_has(left))

    def test_a_body_in_tiny_records_holds_nobody_up(self):
        """What comes of one client takes turns with all others, however little each record brings along."""
        head = b"POST /api/v1/login HTTP/1.1\r\n" + self.host() + b"X-Weir-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
        slow = self.records(head, *[b" "] * 60000, high=ssl.TLSVersion.TLSv1_2)  # of which nothing comes but the answer
        os.kill(self.stage.pid, signal.SIGSTOP)
        sender = threading.Thread(target=slow.send)
        sender.start()
        quick = socket.create_connection(("127.0.0.1", self.stage.https), timeout=PATIENCE)
        os.kill(self.stage.pid, signal.SIGCONT)
        with context().wrap_socket(quick) as quick:
            quick.sendall(b"GET /api/v1/health HTTP/1.1\r\n" + self.host() + b"\r\n")
            self.assertTrue(quick.recv(4096).startswith(b"HTTP/1.1 200"))
            self.assertEqual(([], [], []), select.select([slow.socket], [], [], 0), "the long one was done first")
        sender.join()
        self.assertTrue(slow.recv().startswith(b"HTTP/1.1 400"))

    def test_long_addresses(self):
        self.problem(self.stage.get("/" + "x" * 3000), 404)
        self.problem(self.stage.get("/api/v1/hosts/" + "1" * 500, {"Cookie": "__Host-weir=" + "A" * 43}), 404)

    def test_expectations(self):
        body = b'{"name":"a","password":"b"}'
        head = b"POST /api/v1/login HTTP/1.1\r\n" + self.host() + b"X-Weir-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        s = self.stage.connect()
        s.sendall(head + b"Expect: 100-continue\r\n\r\n")
        self.assertTrue(s.recv(1000).startswith(b"HTTP/1.1 100"))
        s.sendall(body)
        self.assertTrue(s.recv(1000).startswith(b"HTTP/1.1 401"))
        s.close()

    def test_clients_that_leave_at_every_point(self):
        self.stage.login()
        request = f"GET /api/v1/hosts?limit=1000 HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode()
        live = request.replace(b"/hosts?limit=1000", b"/live")
        for n in range(0, 300, 7):  # within the handshake
            s = socket.create_connection(("127.0.0.1", self.stage.https))
            s.sendall((b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03" + b"\x55" * 300)[:n])
            s.close()
        for data in (request, live):
            for n in list(range(0, len(data), 9)) + [len(data)] * 20:  # within the request, and right after
                s = self.stage.connect()
                s.sendall(data[:n])
                if n % 2:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
                s.close()
        self.stage.tell("silent-store", 1)
        for data in (request, live) * 10:  # while store thinks
            s = self.stage.connect()
            s.sendall(data)
            s.close()
        waiting = [self.stage.connect() for _ in range(10)]
        for s in waiting:
            s.sendall(request)
        self.stage.tell("store", 0)  # and store dies meanwhile
        for s in waiting:
            s.settimeout(PATIENCE)
            self.assertIn(b"503", s.recv(4096)[:12])
            s.close()
        self.stage.tell("silent-store", 0)
        self.stage.tell("store", 1)
        for _ in range(20):  # within the answer
            s = self.stage.connect()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(request)
            s.close()
        self.stage.until(lambda: self.stage.get("/api/v1/hosts").status == 200, "it lives")

    def test_plain_http_on_the_tls_port(self):
        s = socket.create_connection(("127.0.0.1", self.stage.https), timeout=PATIENCE)
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            self.assertNotIn(b"html", s.recv(4096))
        except ConnectionError:
            pass
        s.close()


class Tls(OnStage):
    def test_versions(self):
        for v in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.stage.connect(low=v, high=v).close()
        c = context()
        c.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            c.minimum_version = ssl.TLSVersion.TLSv1
            c.maximum_version = ssl.TLSVersion.TLSv1_1
            c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)))

    def test_old_ciphers(self):
        for cipher in ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"):
            c = context(high=ssl.TLSVersion.TLSv1_2)
            c.set_ciphers(cipher + ":@SECLEVEL=0")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)))

    def test_protocols(self):
        c = context()
        c.set_alpn_protocols(["h2", "http/1.1"])
        s = c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)))
        self.assertEqual("http/1.1", s.selected_alpn_protocol())
        s.close()

    def test_resumption(self):
        c = context(high=ssl.TLSVersion.TLSv1_2)
        first = c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)))
        session = first.session
        first.close()
        again = c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)), session=session)
        self.assertTrue(again.session_reused)
        again.close()


class Limits(OnStage):
    settings = {"connections": 24, "per_address": 16}

    def is_closed(self, s, within):
        s.settimeout(within)
        try:
            return s.recv(100) == b""
        except socket.timeout:
            return False
        except (ConnectionError, ssl.SSLError):
            return True

    def test_connections_of_one_address(self):
        held = [self.stage.connect() for _ in range(16)]
        s = socket.create_connection(("127.0.0.1", self.stage.https))
        self.assertTrue(self.is_closed(s, PATIENCE))
        s.close()
        for h in held:
            h.close()
        self.stage.until(lambda: self.stage.get("/api/v1/health").status == 200, "places are free again")

    def test_all_connections(self):
        """Others are not locked out by those who hold every place: whoever waits longest goes."""
        held = []
        for n in range(24):
            s = socket.socket()
            s.bind((f"127.0.0.{2 + n // 8}", 0))
            s.connect(("127.0.0.1", self.stage.https))
            held.append(s)
        for _ in range(6):
            self.assertEqual(200, self.stage.get("/api/v1/health").status)
        self.assertTrue(self.is_closed(held[0], PATIENCE))
        self.assertFalse(self.is_closed(held[23], 0.1))
        for s in held:
            s.close()
        self.stage.until(lambda: self.stage.get("/api/v1/health").status == 200, "places are free again")

    def test_an_idle_connection_is_closed(self):
        s = self.stage.connect()
        s.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200"))
        self.assertFalse(self.is_closed(s, 1))
        self.assertTrue(self.is_closed(s, PATIENCE))
        s.close()

    def test_a_slow_request_is_cut(self):
        """A byte now and then keeps no connection open for ever."""
        s = self.stage.connect()
        began = time.monotonic()
        try:
            for c in b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1000:
                s.sendall(bytes([c]))
                if self.is_closed(s, 0.2):
                    break
        except (ConnectionError, ssl.SSLError):
            pass
        self.assertGreater(time.monotonic() - began, 5)
        self.assertLess(time.monotonic() - began, 10 + PATIENCE)
        s.close()


    def test_a_slow_body_is_cut(self):
        s = self.stage.connect()
        began = time.monotonic()
        try:
            s.sendall(b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nX-Weir-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(1000):
                s.sendall(b" ")
                if self.is_closed(s, 0.2):
                    break
        except (ConnectionError, ssl.SSLError):
            pass
        self.assertGreater(time.monotonic() - began, 5)
        self.assertLess(time.monotonic() - began, 10 + PATIENCE)
        s.close()

    def test_a_handshake_that_never_ends_is_cut(self):
        silent, begun = (socket.create_connection(("127.0.0.1", self.stage.https)) for _ in range(2))
        begun.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        for s in (silent, begun):
            self.assertTrue(self.is_closed(s, 10 + PATIENCE))
            s.close()


class Port80(OnStage):
    def ask(self, data):
        s = socket.create_connection(("127.0.0.1", self.stage.http), timeout=PATIENCE)
        s.sendall(data)
        got = b""
        try:
            while more := s.recv(4096):
                got += more
        except ConnectionError:
            pass
        s.close()
        return got

    def test_redirect(self):
        for host, path, location in (("weir.example", "/", f"https://weir.example:{self.stage.https}/"),
                                     ("weir.example:3000", "/hosts?x=%20", f"https://weir.example:{self.stage.https}/hosts?x=%20"),
                                     ("[2001:db8::1]:3000", "/a", f"https://[2001:db8::1]:{self.stage.https}/a")):
            got = self.ask(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            self.assertTrue(got.startswith(b"HTTP/1.1 308 "), got)
            self.assertIn(f"\r\nLocation: {location}\r\n".encode(), got)

    def test_nothing_else(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET //x HTTP/1.1\r\nHost: a@b\r\n\r\n", b"GET http://x/ HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 9000,
                     b"GET /" + b"y" * 3000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"):
            self.assertTrue(self.ask(data).startswith(b"HTTP/1.1 400 "), data)

    def test_crowds(self):
        held = [socket.create_connection(("127.0.0.1", self.stage.http)) for _ in range(100)]
        self.assertIn(b" 308 ", self.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
        for s in held:
            s.close()


class Ends(unittest.TestCase):
    def test_a_restart_refuses_nobody(self):
        stage = Stage()
        failures, done, stop = [], [0], threading.Event()

        def knock():
            while not stop.is_set():
                try:
                    socket.create_connection(("127.0.0.1", stage.https), timeout=PATIENCE).close()
                    done[0] += 1
                except OSError as e:
                    failures.append(e)
        threads = [threading.Thread(target=knock) for _ in range(4)]
        for t in threads:
            t.start()
        for _ in range(2):
            stage.tell("restart")
            stage.until(lambda: stage.get("/api/v1/health").json["status"] == "ok", "back after a restart")
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual([], failures)
        self.assertGreater(done[0], 0)
        self.assertEqual("exit 0", stage.close()[0])

    def test_what_is_in_flight_is_answered(self):
        stage = Stage()
        stage.login()
        idle, waiting = stage.connect(), stage.connect()
        idle.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"200", idle.recv(4096))
        stage.tell("silent-store", 1)
        waiting.sendall(f"GET /api/v1/hosts HTTP/1.1\r\nHost: localhost\r\nCookie: {stage.cookie}\r\n\r\n".encode())
        stage.until(lambda: stage.counts()["hosts"] > 0, "the question is with store")
        stream = stage.stream()  # which asks for hosts too
        began = time.monotonic()
        stage.tell("term")
        stage.tell("silent-store", 0)
        waiting.settimeout(PATIENCE)
        self.assertTrue(waiting.recv(4096).startswith(b"HTTP/1.1 503"))
        end, said = stage.close()
        self.assertEqual("exit 0", end, said)
        self.assertLess(time.monotonic() - began, 5 + PATIENCE)
        for s in (stream, idle, waiting):
            s.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
