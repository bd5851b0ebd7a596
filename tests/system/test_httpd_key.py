#!/usr/bin/python3
"""Handshakes that somebody else signs, from weir-httpd alone on the stage of test_httpd_alone.py: every kind of key, and a key that goes, is silent or
lies. The stage plays weir-key, with its code."""

import os
import re
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import test_httpd_alone
from test_httpd_alone import OnStage, Stage, setUpModule, tearDownModule  # noqa: F401

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def secret_of(key):
    """What must not be found elsewhere: a part of the text, and the private number as it stands in memory (words, the last one first)."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True, capture_output=True, text=True).stdout
    number = bytes.fromhex(re.sub(r"[:\s]", "", re.search(r"priv:\s*((?:[0-9a-f:\s])+)pub:", text).group(1)))
    with open(key) as f:
        line = f.read().split("\n")[1]
    return {"text": line[20:60].encode(), "number": number[-24:], "words": number[-24:][::-1]}


class Kinds(unittest.TestCase):
    """The client judges chain and signature."""

    KINDS = {"P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "P-384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
             "RSA 2048": ["rsa:2048"], "RSA 4096": ["rsa:4096"], "RSA-PSS": ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], "Ed25519": ["ed25519"]}

    def test_each_kind_of_key(self):
        before = test_httpd_alone.certificate
        for name, words in self.KINDS.items():
            with tempfile.TemporaryDirectory() as d, self.subTest(name):
                subprocess.run(["openssl", "req", "-x509", "-newkey", *words, "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
                                "subjectAltName=DNS:localhost", "-keyout", f"{d}/key.pem", "-out", f"{d}/cert.pem"], check=True, capture_output=True)
                test_httpd_alone.certificate = d
                try:
                    stage = Stage()
                finally:
                    test_httpd_alone.certificate = before
                try:
                    for version in VERSIONS:
                        c = ssl.create_default_context(cafile=f"{d}/cert.pem")
                        c.minimum_version = c.maximum_version = version
                        with socket.create_connection(("127.0.0.1", stage.https), timeout=30) as s, c.wrap_socket(s, server_hostname="localhost") as t:
                            t.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                            self.assertTrue(t.recv(4096).startswith(b"HTTP/1.1 200"), f"{name} {version}")
                finally:
                    end, said = stage.close()
                self.assertEqual("exit 0", end, said)


class Key(OnStage):
    def ask(self, s):
        s.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(s.recv(65536).startswith(b"HTTP/1.1 200"))

    def unsigned(self):
        self.stage.login()
        events = self.stage.get("/api/v1/health").json["counters"]
        return sum(e["count"] for e in events if e["place"] == "httpd.unsigned")

    def client(self, s):
        """A client of which nothing was heard yet."""
        s.setblocking(False)
        t = test_httpd_alone.context().wrap_socket(s, do_handshake_on_connect=False)
        self.addCleanup(t.close)
        return t

    def connecting(self):
        """A client in the middle of its handshake: connected, and its first message sent."""
        t = self.client(socket.create_connection(("127.0.0.1", self.stage.https), timeout=30))
        self.go_on(t)
        return t

    def go_on(self, t):
        try:
            t.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def fails(self, t):
        try:
            self.assertFalse(self.go_on(t))
        except (ssl.SSLError, ConnectionError):
            return True
        return False

    def finished(self, t):
        self.stage.until(lambda: self.go_on(t), "the handshake")
        t.setblocking(True)
        t.settimeout(30)
        self.ask(t)
        t.close()

    def test_one_signature_a_handshake_and_none_for_what_is_resumed(self):
        before = self.stage.counts()["signs"]
        c = test_httpd_alone.context(high=ssl.TLSVersion.TLSv1_2)
        s = c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)))
        session = s.session
        self.ask(s)
        s.close()
        self.assertEqual(before + 1, self.stage.counts()["signs"])
        s = c.wrap_socket(socket.create_connection(("127.0.0.1", self.stage.https)), session=session)
        self.assertTrue(s.session_reused)
        s.close()
        self.assertEqual(before + 1, self.stage.counts()["signs"])

    def test_while_it_is_away_connections_go_on_and_newcomers_wait(self):
        old = self.stage.connect()
        self.stage.tell("key", 0)
        self.stage.until(lambda: "key@0 is gone" in self.stage.said(), "httpd knows")
        waiting = [self.connecting() for _ in range(8)]
        for _ in range(5):
            self.ask(old)
        for t in waiting:
            self.assertFalse(self.go_on(t))
        self.stage.tell("key", 1)
        for t in waiting:
            self.finished(t)
        self.ask(old)
        old.close()

    def test_one_that_is_silent_keeps_one_handshake_waiting_and_no_more(self):
        early = socket.create_connection(("127.0.0.1", self.stage.https), timeout=30)
        old = self.stage.connect()  # so the one before it was accepted
        before = self.unsigned()
        self.stage.tell("silent-key", 1)
        self.addCleanup(self.stage.tell, "silent-key", 0)
        unlucky = self.client(socket.create_connection(("127.0.0.1", self.stage.https), timeout=30))
        self.stage.until(lambda: self.fails(unlucky), "the end of the handshake")
        self.stage.until(lambda: "key@0 has not answered for 250 ms" in self.stage.said(), "what the log says of it")
        late = self.client(early)  # it has been let in, and nobody is asked for it
        self.stage.until(lambda: self.fails(late), "the end of its handshake")
        waiting = [self.connecting() for _ in range(8)]
        began = time.monotonic()
        for _ in range(20):
            self.ask(old)
        self.assertLess(time.monotonic() - began, 20 * 0.2 * max(1, test_httpd_alone.PATIENCE / 20), "nobody else waits for it")
        for t in waiting:
            self.assertFalse(self.go_on(t))
        self.stage.tell("silent-key", 0)
        for t in waiting:
            self.finished(t)
        self.assertEqual(before + 2, self.unsigned())
        self.assertNotIn("had a content that cannot be", self.stage.said(), "the answer that came late is the one that was waited for")
        old.close()

    def test_one_that_lies_is_left(self):
        self.stage.tell("lying-key", 1)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.stage.connect().close()
        self.stage.until(lambda: "it answered what was not asked" in self.stage.said(), "the end of the channel")
        self.stage.tell("lying-key", 0)
        self.stage.tell("key", 0)
        self.stage.tell("key", 1)
        # a handshake that meets the end of the old channel fails
        self.stage.until(lambda: self.stage.connect().close() or True, "handshakes again")
        s = self.stage.connect()
        self.ask(s)
        s.close()

    def test_the_key_is_not_in_its_memory(self):
        self.stage.login()
        for what, text in secret_of(os.path.join(test_httpd_alone.certificate, "key.pem")).items():
            self.assertFalse(self.stage.memory_has(text), what)
        with open(os.path.join(test_httpd_alone.certificate, "cert.pem")) as f:
            self.assertTrue(self.stage.memory_has(ssl.PEM_cert_to_DER_cert(f.read())[-24:]), "the search finds what is there")


if __name__ == "__main__":
    unittest.main()
