"""Several workers of httpd: one session, one set of tickets and limits for all; and a worker that goes takes nobody's connection along."""

import http.client
import os
import signal
import ssl
import threading
import time
import unittest

from test_certificate import make
from weirlab import CLONE_NEWNET, PATIENCE, LabTest, Weir, _libc, sandboxed, tls_context, wait_for

WORKERS = 3
PER_ADDRESS = 40


class Knocker(threading.Thread):
    """A client that asks without end, each request on a connection of its own or all on one; a failure is kept with its times."""

    def __init__(self, weir, path, headers, keep):
        super().__init__(daemon=True)
        self.weir, self.path, self.headers, self.keep = weir, path, headers, keep
        self.stop, self.done, self.failed, self.connected = threading.Event(), 0, [], 0

    def run(self):
        fd = os.open(f"/run/netns/{self.weir.ns}", os.O_RDONLY)
        _libc.setns(fd, CLONE_NEWNET)
        os.close(fd)
        connection, opened, context = None, 0, tls_context()
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                if connection is None:
                    opened = began
                    connection = http.client.HTTPSConnection("127.0.0.1", self.weir.https, context=context, timeout=10 * PATIENCE)
                    connection.connect()
                    connection.sock.settimeout(10 * PATIENCE)
                    self.connected += 1
                connection.request("GET", self.path, headers={**self.headers, **({} if self.keep else {"Connection": "close"})})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failed.append((opened, began, f"status {answer.status}"))
                self.done += 1
                if not self.keep or answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as e:
                self.failed.append((opened, began, e))
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()


class Workers(LabTest):
    @classmethod
    def prepare(cls):
        cls.live = f"{cls.lab.dir}/live"
        make(cls.live, "one")
        cls.weir = Weir(cls.lab, settings={"httpd.workers": WORKERS, "httpd.connections_per_address": PER_ADDRESS, "httpd.certificate": cls.live}).start()
        cls.api = cls.weir.setup()
        cls.weir.wait_processes()

    def workers(self):
        def all_up():
            found = {i: pid for (proc, i), pid in self.weir.processes().items() if proc == "httpd" and sandboxed(pid)}
            return found if len(found) == WORKERS else None
        return wait_for("every worker", all_up)

    def setUp(self):
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok")
        # A worker that is stopped does not notice who left.
        wait_for("no connection of before", lambda: {line.split()[0] for line in self.lab.exec(
            self.lab.mon, "ss", "-Htna", "sport", "=", ":3001").stdout.splitlines()} <= {"LISTEN", "TIME-WAIT"})

    def only(self, number):
        """Lets one worker alone accept, until the next call; None: all."""
        for i, pid in self.workers().items():
            os.kill(pid, signal.SIGCONT if number in (i, None) else signal.SIGSTOP)

    def each(self):
        self.addCleanup(self.only, None)
        for i in range(WORKERS):
            self.only(i)
            yield i

    def test_each_is_shown(self):
        names = {c["name"] for c in self.api.ask("/api/v1/health")["components"] if c["state"] == "running"}
        self.assertLessEqual({f"httpd@{i}" for i in range(WORKERS)}, names)

    def test_a_session_is_every_workers(self):
        api = self.weir.login()
        for _ in self.each():
            self.assertEqual(api.get("/api/v1/interfaces").status, 200)
        self.only(0)
        self.assertEqual(api.post("/api/v1/logout").status, 204)
        for i in self.each():
            self.assertEqual((i, api.get("/api/v1/interfaces").status), (i, 401))
            self.assertEqual((i, api.get("/api/v1/me").status), (i, 401))

    def resumed(self, context, session):
        """Whether a new connection resumes it, and what the next one could."""
        s = self.api.connect(tls=False)
        with context.wrap_socket(s, server_hostname="localhost", session=session) as t:
            t.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while t.recv(4096):
                pass
            return t.session_reused, t.session

    def test_tickets_are_every_workers(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = tls_context(), None
            context.minimum_version = context.maximum_version = version
            for i in self.each():
                reused, session = self.resumed(context, session)
                self.assertEqual((version, i, reused), (version, i, i > 0))

    def test_another_certificate_is_every_workers(self):
        """And no ticket of before is taken."""
        def served():
            s = self.api.connect()
            try:
                return s.getpeercert(True)
            finally:
                s.close()
        context = tls_context()
        _, session = self.resumed(context, None)
        make(self.live, "two")
        with open(f"{self.live}/fullchain.pem") as f:
            expected = ssl.PEM_cert_to_DER_cert(f.read())
        for _ in self.each():
            wait_for("the new certificate", lambda: served() == expected)
            self.assertFalse(self.resumed(context, session)[0])

    def test_an_address_has_its_connections_once(self):
        """What one worker holds counts at the others."""
        held, context = [], tls_context()

        def ask(s):
            s.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return s.recv(4096).startswith(b"HTTP/1.1 200 ")

        def one_more():
            s = self.api.connect(context=context)
            held.append(s)
            return ask(s)
        try:
            for i in self.each():
                for _ in range(PER_ADDRESS // WORKERS):
                    self.assertTrue(one_more())
            for i in self.each():
                for _ in range(PER_ADDRESS % WORKERS if i == 0 else 0):
                    self.assertTrue(one_more())
                try:
                    self.assertFalse(one_more(), f"worker {i} takes more than {PER_ADDRESS}")
                except (OSError, ssl.SSLError):
                    pass
            # One goes, and its place is free wherever the next one comes.
            held.pop(0).close()
            self.only(WORKERS - 1)

            def free():
                try:
                    return one_more()
                except (OSError, ssl.SSLError):
                    return False
            self.only(0)  # who notices that it went
            os.kill(self.workers()[WORKERS - 1], signal.SIGCONT)
            wait_for("the free place", free)
        finally:
            self.only(None)
            for s in held:
                s.close()

    # --- a worker goes

    def knockers(self):
        headers = {"Cookie": self.api.cookie}
        found = [Knocker(self.weir, path, headers, keep) for path in ("/api/v1/health", "/api/v1/interfaces") for keep in (False, True)
                 for _ in range(2)]
        for k in found:
            k.start()
        wait_for("requests of each client", lambda: all(k.done > 3 for k in found))
        return found

    def replace(self, sig):
        """Ends each worker in turn by sig, while clients ask; the clients, and when each was ended."""
        clients, times = self.knockers(), []
        try:
            for i in range(WORKERS):
                old = self.workers()[i]
                times.append(time.monotonic())
                os.kill(old, sig)
                wait_for(f"worker {i} to be another", lambda: self.workers()[i] != old, 15)
                before = [k.done for k in clients]
                wait_for("requests of each client", lambda: all(k.done > n + 3 for k, n in zip(clients, before)), 20)
        finally:
            for k in clients:
                k.stop.set()
            for k in clients:
                k.join(30 * PATIENCE)
        self.assertFalse(any(isinstance(f[2], ConnectionRefusedError) for k in clients for f in k.failed))
        return clients, times

    def test_a_polite_restart_fails_nobody(self):
        clients, _ = self.replace(signal.SIGTERM)
        self.assertEqual([f for k in clients for f in k.failed], [])
        self.assertIn("ended as it was told", self.weir.log())

    def test_a_kill_fails_what_is_in_flight_alone(self):
        clients, times = self.replace(signal.SIGKILL)
        for k in clients:
            self.assertLessEqual(len(k.failed), len(times))
            for opened, began, why in k.failed:
                # On a connection that was there when a worker was killed, and soon after.
                self.assertTrue(any(opened <= t for t in times), f"{why}: no worker had been killed")
                self.assertFalse(isinstance(why, str), why)
        self.assertGreater(sum(k.done for k in clients), 10 * len(clients))

    def test_streams_are_told_to_come_back(self):
        s = self.api.connect()
        self.addCleanup(s.close)
        s.sendall(f"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nCookie: {self.api.cookie}\r\n\r\n".encode())
        got = s.recv(65536)
        while b"event: live" not in got:
            got += s.recv(65536)
        for pid in self.workers().values():
            os.kill(pid, signal.SIGTERM)
        got = b""
        while more := s.recv(65536):
            got += more
        self.assertIn(b"retry: 1000\n\n", got)
        self.assertTrue(got.endswith(b"0\r\n\r\n"), got[-100:])

    def test_nobody_is_refused_while_all_are_away(self):
        """The sockets are the launcher's: who comes meanwhile waits."""
        for pid in self.workers().values():
            os.kill(pid, signal.SIGKILL)
        for _ in range(5):
            self.assertEqual(self.api.get("/api/v1/health", timeout=20).status, 200)


if __name__ == "__main__":
    unittest.main()
