#!/usr/bin/python3
"""The certificate is renewed while clients are connected, and none of them notices."""

import os
import re
import shutil
import ssl
import subprocess
import unittest

from weirlab import LabTest, Weir, wait_for


def make(directory, name):
    """fullchain.pem and privkey.pem, as clients of Let's Encrypt keep them."""
    os.makedirs(directory, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-keyout", f"{directory}/privkey.pem", "-out", f"{directory}/fullchain.pem"], check=True, capture_output=True)


def secret_of(key):
    """What only a holder of the private key has: a part of its text, and the number as it stands in memory (words, the last one first)."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], check=True, capture_output=True, text=True).stdout
    number = bytes.fromhex(re.sub(r"[:\s]", "", re.search(r"priv:\s*((?:[0-9a-f:\s])+)pub:", text).group(1)))
    with open(key) as f:
        line = f.read().split("\n")[1]
    return {"text": line[20:60].encode(), "number": number[-24:], "words": number[-24:][::-1]}


def memory_has(pid, text):
    """Whether it is anywhere in what the process can write to."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            where, access = line.split()[:2]
            if "w" not in access or "r" not in access:
                continue
            begin, end = (int(x, 16) for x in where.split("-"))
            for at in range(begin, end, 1 << 20):
                memory.seek(at)
                try:
                    if text in memory.read(min(end - at, (1 << 20) + 64)):
                        return True
                except OSError:  # not there after all
                    break
    return False


class TestCertificate(LabTest):
    @classmethod
    def prepare(cls):
        cls.live = f"{cls.lab.dir}/live"
        make(cls.live, "one")
        cls.weir = Weir(cls.lab, settings={"httpd.certificate": cls.live, "httpd.workers": 2})
        cls.weir.start()
        cls.api = cls.weir.setup()

    def served(self):
        s = self.weir.api().connect()
        try:
            return s.getpeercert(True)
        finally:
            s.close()

    def expected(self):
        with open(f"{self.live}/fullchain.pem") as f:
            return ssl.PEM_cert_to_DER_cert(f.read())

    def replace(self, name, what=("fullchain.pem", "privkey.pem")):
        make(f"{self.lab.dir}/{name}", name)
        for w in what:
            shutil.copy(f"{self.lab.dir}/{name}/{w}", f"{self.live}/{w}.new")
            os.rename(f"{self.live}/{w}.new", f"{self.live}/{w}")

    def ask(self, s):
        s.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: weir\r\n\r\n")
        answer = s.recv(65536)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:100])

    def test_it_is_replaced_under_open_connections(self):
        self.assertEqual(self.served(), self.expected())
        s = self.weir.api().connect()
        self.ask(s)
        pid = self.weir.processes()[("httpd", 0)]
        self.replace("two")
        wait_for("the new certificate", lambda: self.served() == self.expected())
        self.ask(s)
        s.close()
        self.assertEqual(self.weir.processes()[("httpd", 0)], pid)

    def test_no_handshake_fails_meanwhile(self):
        """Whatever worker and process has heard of the new one already."""
        before, seen = self.served(), set()
        self.replace("five")

        def done():
            seen.add(self.served())
            return self.expected() in seen
        wait_for("the new certificate", done)
        for _ in range(20):
            seen.add(self.served())
        self.assertEqual(seen, {before, self.expected()})
        wait_for("health to count", lambda: self.api.ask("/api/v1/health")["status"] == "ok")
        self.assertNotIn("httpd.unsigned", {c["place"] for c in self.api.ask("/api/v1/health")["counters"]})

    def test_the_key_is_in_one_process_alone(self):
        """Also once it has come in as another one's successor."""
        self.replace("six")
        wait_for("the new certificate", lambda: self.served() == self.expected())
        secrets = secret_of(f"{self.live}/privkey.pem")
        processes = self.weir.processes()
        self.assertIn(("key", 0), processes)
        for (proc, instance), pid in processes.items():
            found = {what for what, secret in secrets.items() if memory_has(pid, secret)}
            if proc == "key":
                self.assertIn("words", found, "the search finds what is there")
                self.assertNotIn("text", found, "the file's text was wiped")
            else:
                self.assertEqual(found, set(), f"{proc}@{instance}")

    def test_what_is_no_pair_is_told_and_changes_nothing(self):
        before = self.served()
        self.replace("three", ("fullchain.pem",))
        wait_for("the line in the log", lambda: "the one before stays" in self.weir.log())
        self.assertEqual(self.served(), before)
        self.replace("four")
        wait_for("the new certificate", lambda: self.served() == self.expected())


if __name__ == "__main__":
    unittest.main()
