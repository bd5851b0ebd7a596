#!/usr/bin/python3
"""The certificate is renewed while clients are connected, and none of them notices."""

import os
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


class TestCertificate(LabTest):
    @classmethod
    def prepare(cls):
        cls.live = f"{cls.lab.dir}/live"
        make(cls.live, "one")
        cls.weir = Weir(cls.lab, settings={"httpd.certificate": cls.live})
        cls.weir.start()

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

    def test_what_is_no_pair_is_told_and_changes_nothing(self):
        before = self.served()
        self.replace("three", ("fullchain.pem",))
        wait_for("the line in the log", lambda: "the one before stays" in self.weir.log())
        self.assertEqual(self.served(), before)
        self.replace("four")
        wait_for("the new certificate", lambda: self.served() == self.expected())


if __name__ == "__main__":
    unittest.main()
