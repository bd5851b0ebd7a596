"""What a hostile browser gets at the door: nothing."""

import concurrent.futures
import json
import os
import re
import socket
import ssl
import time
import unittest

from weirlab import PASSWORD, LabTest, Weir, tls_context, wait_for


class Login(LabTest):
    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings={"httpd.connections": 64, "httpd.connections_per_address": 48, "httpd.idle_timeout": "6s", "httpd.rate_session": 0}).start()
        cls.before = {"setup": cls.weir.api().get("/api/v1/setup"), "login": cls.weir.api().post("/api/v1/login", {
            "name": "admin", "password": PASSWORD})}
        cls.link = cls.weir.setup_link()
        cls.secret = cls.link.split("#", 1)[1].split("=", 1)[-1]
        cls.weak = cls.weir.api().post("/api/v1/setup", {"secret": cls.secret, "name": "admin", "password": "short"})
        cls.common = cls.weir.api().post("/api/v1/setup", {"secret": cls.secret, "name": "admin", "password": "correct horse battery staple"})
        cls.wrong = cls.weir.api().post("/api/v1/setup", {"secret": "A" * len(cls.secret), "name": "admin", "password": PASSWORD})
        cls.api = cls.weir.setup()

    def problem(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        d = answer.json
        self.assertEqual(d["status"], status)
        self.assertLessEqual({"type", "title", "status"}, set(d))
        return d

    # --- set-up

    def test_nothing_before_the_set_up(self):
        self.assertEqual(self.before["setup"].json, {"open": True})
        self.problem(self.before["login"], 401)

    def test_the_link_keeps_its_secret_from_the_server(self):
        self.assertRegex(self.link, r"^https://[^/#]+(/[^#]*)?#.{20,}$")
        self.assertNotIn(self.secret, self.link.split("#")[0])

    def test_a_weak_password_and_a_wrong_secret_do_not_spend_the_link(self):
        self.problem(self.weak, 422)
        self.problem(self.common, 422)
        self.assertIn(self.wrong.status, (401, 403))

    def test_the_link_works_once(self):
        again = self.weir.api().post("/api/v1/setup", {"secret": self.secret, "name": "second", "password": PASSWORD})
        self.assertIn(again.status, (401, 403, 404, 409, 410))
        self.assertEqual(self.weir.api().get("/api/v1/setup").json, {"open": False})
        self.assertIn(self.weir.api().post("/api/v1/login", {"name": "second", "password": PASSWORD}).status, (401, 429))

    def test_z_no_new_link_after_a_restart(self):
        self.weir.stop()
        self.weir.start()
        self.assertNotRegex(self.weir.log()[self.weir.from_:], r"https://\S+#\S+")
        self.assertEqual(self.weir.api().get("/api/v1/setup").json, {"open": False})
        type(self).api = self.weir.login()

    # --- sessions

    def test_the_cookie(self):
        answer = self.weir.api().post("/api/v1/login", {"name": "admin", "password": PASSWORD})
        cookie = answer.headers["Set-Cookie"]
        self.assertTrue(cookie.startswith("__Host-weir="))
        parts = {x.strip().lower() for x in cookie.split(";")[1:]}
        self.assertLessEqual({"secure", "httponly", "samesite=strict", "path=/"}, parts)
        self.assertFalse(any(x.startswith("domain") for x in parts))
        self.assertGreaterEqual(len(cookie.split(";")[0].split("=", 1)[1]), 22)
        again = self.weir.api().post("/api/v1/login", {"name": "admin", "password": PASSWORD})
        self.assertNotEqual(again.headers["Set-Cookie"].split(";")[0], cookie.split(";")[0])

    def test_me(self):
        d = self.api.ask("/api/v1/me")
        self.assertEqual((d["name"], d["role"]), ("admin", "platform-administrator"))
        self.assertGreater(d["session_expires"], time.time())
        self.assertEqual(d["csrf"], self.api.csrf)

    def test_without_a_session(self):
        bodies = set()
        for path in ("me", "interfaces", "hosts", "hosts/10.0.0.1", "flows", "flows/" + "0" * 32, "applications", "totals", "live",
                     "timeseries?subject=tenant"):
            answer = self.weir.api().get(f"/api/v1/{path}")
            self.problem(answer, 401)
            bodies.add(answer.body)
        self.assertEqual(len(bodies), 1)
        other = self.api.copy()
        for cookie in ("__Host-weir=", "__Host-weir=" + "A" * 43, self.api.cookie[:-1] + ("A" if self.api.cookie[-1] != "A" else "B"),
                       self.api.cookie.replace("__Host-", ""), "__Host-weir=" + "A" * 5000):
            other.cookie = cookie
            self.assertIn(other.get("/api/v1/me").status, (401, 400, 431))

    def test_wrong_passwords_look_alike(self):
        a = self.weir.api().post("/api/v1/login", {"name": "admin", "password": "not the password"})
        b = self.weir.api().post("/api/v1/login", {"name": "nobody-here", "password": "not the password"})
        self.assertIn(a.status, (401, 429))
        if a.status == b.status == 401:
            self.assertEqual(a.body, b.body)
        self.assertNotIn("Set-Cookie", a.headers)
        self.weir_login_works()

    def weir_login_works(self):
        """After the throttle has had its time."""
        return wait_for("the right password to work", lambda: self.weir.api().post("/api/v1/login", {
            "name": "admin", "password": PASSWORD}).status == 200, 60)

    def test_empty_and_strange_credentials(self):
        for body in ({"name": "admin", "password": ""}, {"name": "", "password": PASSWORD}, {"name": "admin"}, {}, [], "x", {"name": 1,
                     "password": 2}, {"name": "admin\x00", "password": PASSWORD}, {"name": "a" * 5000, "password": "b" * 5000},
                     {"name": "admin", "password": PASSWORD, "role": "x"}):
            answer = self.weir.api().post("/api/v1/login", json.dumps(body), headers={"Content-Type": "application/json"})
            self.assertIn(answer.status, (400, 401, 413, 429), body)
            self.assertNotIn("Set-Cookie", answer.headers)
        twice = '{"name":"admin","password":"x","password":%s}' % json.dumps(PASSWORD)
        self.assertIn(self.weir.api().post("/api/v1/login", twice, headers={"Content-Type": "application/json"}).status, (400, 429))
        self.weir_login_works()

    def test_throttle(self):
        """Guessing is slowed down, said with Retry-After, and the right user gets in again."""
        def until_429():
            answer = self.weir.api().post("/api/v1/login", {"name": "admin", "password": "guess"})
            self.assertIn(answer.status, (401, 429))
            return answer if answer.status == 429 else None
        answer = wait_for("the throttle", until_429, 30)
        self.problem(answer, 429)
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(self.api.get("/api/v1/me").status, 200)
        self.weir_login_works()

    def test_many_logins_at_once(self):
        """Hashing is bounded: some are told to wait, none breaks anything."""
        def one(i):
            return self.weir.api().post("/api/v1/login", {"name": f"user{i}", "password": "guess"}, timeout=30).status
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(one, range(32)))
        self.assertLessEqual(set(codes), {401, 429, 503}, codes)
        pid = self.weir.processes()[("authd", 0)]
        peak = int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1))
        self.assertLess(peak, 200 << 10)
        self.weir_login_works()

    def test_logout_ends_the_session_everywhere(self):
        self.weir_login_works()
        api = self.weir.login()
        events = api.events(15)
        self.assertEqual(next(events)[0], "live")
        self.assertEqual(api.get("/api/v1/me").status, 200)
        self.assertEqual(api.post("/api/v1/logout").status, 204)
        self.assertEqual(api.get("/api/v1/me").status, 401)
        self.assertEqual(api.get("/api/v1/flows").status, 401)
        last = None
        for last in events:
            if last[0] == "end":
                break
        self.assertTrue(last is None or last[0] == "end", last)

    # --- other people's pages

    def test_csrf(self):
        for headers in ({"X-Weir-CSRF": None}, {"X-Weir-CSRF": "1"}, {"X-Weir-CSRF": "A" * 43}, {"Origin": "https://evil.example"},
                        {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
            with self.subTest(headers):
                self.problem(self.api.post("/api/v1/logout", headers=headers), 403)
        for headers in ({"X-Weir-CSRF": None}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            with self.subTest(headers):
                self.problem(self.weir.api().post("/api/v1/login", {"name": "admin", "password": PASSWORD}, headers=headers), 403)
        self.assertEqual(self.api.get("/api/v1/me").status, 200)
        own = {"Origin": f"https://127.0.0.1:{self.weir.https}", "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(self.weir.login().post("/api/v1/logout", headers=own).status, 204)

    def test_form_posts_are_no_logins(self):
        answer = self.weir.api().post("/api/v1/login", "name=admin&password=x", headers={
            "Content-Type": "application/x-www-form-urlencoded"})
        self.assertIn(answer.status, (400, 415))

    def test_headers(self):
        page = self.weir.api().get("/", headers={"Accept": "text/html"})
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers.get_content_type(), "text/html")
        csp = dict((x.strip().split(" ", 1) + [""])[:2] for x in page.headers["Content-Security-Policy"].split(";") if x.strip())
        self.assertEqual(csp["default-src"], "'none'")
        for name, value in csp.items():
            self.assertNotIn("unsafe", value, name)
            self.assertNotIn("*", value, name)
            self.assertNotIn("http:", value, name)
        self.assertEqual(csp["frame-ancestors"], "'none'")
        self.assertEqual(csp["base-uri"], "'none'")
        self.assertIn(csp["form-action"], ("'none'", "'self'"))
        for answer in (page, self.api.get("/api/v1/me"), self.weir.api().get("/api/v1/flows"), self.weir.api().get("/nothing-here")):
            h = answer.headers
            self.assertIn("max-age=", h["Strict-Transport-Security"])
            self.assertEqual(h["X-Content-Type-Options"], "nosniff")
            self.assertEqual(h["Referrer-Policy"], "no-referrer")
            self.assertIn("Content-Security-Policy", h)
            self.assertIsNone(h.get("Access-Control-Allow-Origin"))
            self.assertNotRegex(h.get("Server", ""), r"\d")
        self.assertEqual(self.api.get("/api/v1/flows").headers["Cache-Control"], "no-store")
        self.assertEqual(page.headers["Cross-Origin-Opener-Policy"], "same-origin")
        # Every script and style is a file of ours: the policy allows nothing else.
        self.assertNotRegex(page.body.decode(), r"(?i)<script(?![^>]*\bsrc=)|\son\w+=|javascript:")
        for src in re.findall(r'(?:src|href)="(/[^"]+)"', page.body.decode()):
            self.assertEqual(self.weir.api().get(src).status, 200, src)

    def test_plain_http_redirects(self):
        answer = self.weir.api().request("GET", "/flows?x=1", tls=False, port=self.weir.http)
        self.assertIn(answer.status, (301, 302, 307, 308))
        self.assertTrue(answer.headers["Location"].startswith(f"https://127.0.0.1:{self.weir.https}/"), answer.headers["Location"])
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertNotIn(b"api", answer.body)
        answer = self.weir.api().request("POST", "/api/v1/login", {"name": "admin", "password": PASSWORD}, tls=False, port=self.weir.http)
        self.assertNotEqual(answer.status, 200)
        bad = self.weir.api().request("GET", "/", tls=False, port=self.weir.http, headers={"Host": "evil.example\r\nX: y".replace("\r\n", "%0d%0a")})
        self.assertNotIn("X", bad.headers)

    def test_old_tls_is_refused(self):
        api = self.weir.api()
        for lowest, highest, ok in (("TLSv1_2", "TLSv1_2", True), ("TLSv1_3", "TLSv1_3", True), ("TLSv1_1", "TLSv1_1", False),
                                    ("TLSv1", "TLSv1", False)):
            c = tls_context()
            c.set_ciphers("ALL:@SECLEVEL=0")
            c.minimum_version = getattr(ssl.TLSVersion, lowest)
            c.maximum_version = getattr(ssl.TLSVersion, highest)
            try:
                s = api.connect(context=c)
                version = s.version()
                s.close()
                self.assertTrue(ok, f"{version} accepted")
            except (ssl.SSLError, ConnectionError):
                self.assertFalse(ok, f"{highest} refused")
        for cipher in ("aNULL:@SECLEVEL=0", "RC4:@SECLEVEL=0", "3DES:@SECLEVEL=0", "AES128-SHA:@SECLEVEL=0"):
            c = tls_context()
            c.maximum_version = ssl.TLSVersion.TLSv1_2
            try:
                c.set_ciphers(cipher)
            except ssl.SSLError:
                continue  # not even the client knows it
            with self.assertRaises((ssl.SSLError, ConnectionError), msg=cipher):
                api.connect(context=c).close()

    # --- strange requests

    def raw(self, data, port=None, tls=True, close=True, timeout=6):
        """Sends bytes and reads until the server closes."""
        s = self.weir.api().connect(port, tls, timeout)
        out = b""
        try:
            s.sendall(data)
            while True:
                part = s.recv(65536)
                if not part:
                    break
                out += part
                if len(out) > 1 << 20:
                    break
        except (ConnectionError, ssl.SSLError, socket.timeout, TimeoutError):
            pass
        finally:
            s.close()
        return out

    def test_garbage(self):
        before = self.weir.processes()
        host = b"Host: 127.0.0.1\r\nConnection: close\r\n"
        for data in (b"\0" * 1000, os.urandom(4096), b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"/a" * 20000 + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 200000 + b"\r\n\r\n",
                     b"POST /api/v1/login HTTP/1.1\r\n" + host + b"X-Weir-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{",
                     b"POST /api/v1/login HTTP/1.1\r\n" + host + b"X-Weir-CSRF: 1\r\nContent-Length: -5\r\n\r\n{}",
                     b"POST /api/v1/login HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
                     b"POST /api/v1/login HTTP/1.1\r\n" + host + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"CONNECT evil.example:443 HTTP/1.1\r\n" + host + b"\r\n", b"TRACE / HTTP/1.1\r\n" + host + b"\r\n",
                     b"GET http://evil.example/ HTTP/1.1\r\n" + host + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            answer = self.raw(data)
            self.assertNotIn(b"200 OK", answer.split(b"\r\n")[0] if b"evil" not in data else b"", data[:60])
            self.raw(data, tls=False, port=self.weir.http)
            self.raw(data, tls=False, port=self.weir.https)  # no TLS at all
        self.assertEqual(self.weir.processes(), before)
        self.assertEqual(self.api.get("/api/v1/me").status, 200)

    def test_paths(self):
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/../../etc/passwd", "/assets/..%2f..%2fetc%2fpasswd", "//etc/passwd",
                     "/index.html%00.js", "/api/v1/flows/../me", "/api/v1/hosts/%00", "/api/v1/hosts/10.0.0.1%20", "/api/v1/flows/zz",
                     "/api/v1/flows/" + "f" * 33, "/api/v2/me", "/api/v1/", "/api/v1/nothing"):
            answer = self.api.get(path)
            self.assertNotIn(b"root:", answer.body)
            self.assertIn(answer.status, (400, 404) if path.startswith("/api") else (200, 400, 404), path)
            if answer.status == 200:
                self.assertEqual(answer.headers.get_content_type(), "text/html", path)

    def test_methods(self):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "POST"):
            self.assertIn(self.api.request(method, "/api/v1/flows").status, (403, 404, 405, 501), method)
        head = self.api.request("HEAD", "/api/v1/me")
        self.assertIn(head.status, (200, 405))
        self.assertEqual(self.api.get("/api/v1/me").status, 200)
        self.assertIn(self.api.get("/api/v1/logout").status, (404, 405))

    def test_what_does_not_exist(self):
        """A guessed id, a host nobody saw."""
        flow = self.problem(self.api.get("/api/v1/flows/" + os.urandom(16).hex()), 404)
        other = self.problem(self.api.get("/api/v1/flows/" + "0" * 32), 404)
        self.assertEqual(flow, other)
        self.problem(self.api.get("/api/v1/hosts/203.0.113.77"), 404)
        self.problem(self.api.get("/api/v1/hosts/2001:db8::77"), 404)
        self.assertIn(self.api.get("/api/v1/timeseries?subject=interface&key=nosuch0").status, (200, 404))

    def test_slow_clients_disturb_nobody(self):
        """More half-sent requests than one address may have: the rest of the world is served, and they are closed."""
        slow = []
        try:
            for _ in range(40):
                try:
                    s = self.weir.api().connect()
                    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-")
                    slow.append(s)
                except OSError:
                    break
            self.assertGreater(len(slow), 8)
            for _ in range(5):
                self.assertEqual(self.api.get("/api/v1/me").status, 200)

            def closed():
                for s in slow:
                    s.settimeout(0.05)
                    try:
                        while s.recv(4096):
                            pass
                    except (socket.timeout, TimeoutError, ssl.SSLWantReadError):
                        return False
                    except OSError:
                        pass
                return True
            wait_for("silent clients to be closed", closed, 30)
        finally:
            for s in slow:
                s.close()
        wait_for("service to go on", lambda: self.api.get("/api/v1/me").status == 200)

    def test_connections_of_one_address_are_bounded(self):
        """One address cannot take every place: what is over its share is refused at once."""
        many = []
        try:
            def refused(s):
                s.setblocking(False)
                try:
                    return s.recv(1) == b""
                except BlockingIOError:
                    return False
                except OSError:
                    return True
            for _ in range(60):
                many.append(self.weir.api().connect(tls=False))
            # Whoever came first has not been silent for longer.
            wait_for("those over the share to be refused", lambda: any(map(refused, many[48:])))
            self.assertFalse(refused(many[40]))
        finally:
            for s in many:
                s.close()
        wait_for("service to go on", lambda: self.api.get("/api/v1/me").status == 200)

    def test_a_reader_who_does_not_read(self):
        """A client that asks for much and takes nothing is dropped; memory stays bounded."""
        pid = self.weir.processes()[("httpd", 0)]
        socks = []
        try:
            for _ in range(8):
                s = self.weir.api().connect()
                socks.append(s)
                request = f"GET /api/v1/flows HTTP/1.1\r\nHost: x\r\nCookie: {self.api.cookie}\r\n\r\n".encode()
                s.settimeout(2)
                try:
                    for _ in range(2000):
                        s.sendall(request)
                except OSError:
                    pass
            rss = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1))
            self.assertLess(rss, 300 << 10)
            self.assertEqual(self.api.get("/api/v1/me").status, 200)
        finally:
            for s in socks:
                s.close()
        self.assertEqual(self.weir.processes()[("httpd", 0)], pid)

    def test_no_secret_in_the_log(self):
        log = self.weir.log()
        self.assertNotIn(PASSWORD, log)
        self.assertNotIn(self.api.cookie.split("=", 1)[1], log)
        self.assertNotIn(self.api.csrf, log)
        self.assertEqual(log.count(self.secret), 1)  # the printed link itself


class Sessions(LabTest):
    """Sessions end by themselves, and no more than so many live."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings={"authd.sessions_per_user": 3}).start()
        cls.api = cls.weir.setup()

    def test_the_oldest_ends_first(self):
        apis = [self.api] + [self.weir.login() for _ in range(3)]
        wait_for("the first to end", lambda: apis[0].get("/api/v1/me").status == 401, 70)
        for a in apis[1:]:
            self.assertEqual(a.get("/api/v1/me").status, 200)


if __name__ == "__main__":
    unittest.main()
