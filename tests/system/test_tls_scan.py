"""What a scanner of TLS says of the running server: sslscan(1), which asks for everything that servers ever offered."""

import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

from weirlab import LabTest, Weir

CIPHERS = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
           "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}
GROUPS = {"x25519", "secp256r1", "secp384r1"}


@unittest.skipUnless(shutil.which("sslscan"), "sslscan is not installed (script/setup test installs it)")
class TlsScan(LabTest):
    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab).start()
        said = cls.lab.exec(cls.lab.mon, "sslscan", "--xml=-", "--show-sigs", "--no-colour", f"127.0.0.1:{cls.weir.https}", timeout=120).stdout
        cls.found = xml.etree.ElementTree.fromstring(said[said.index("<?xml"):].encode()).find("ssltest")

    def test_only_versions_that_are_good(self):
        on = {(p.get("type"), p.get("version")) for p in self.found.findall("protocol") if p.get("enabled") == "1"}
        self.assertEqual(on, {("tls", "1.2"), ("tls", "1.3")})
        self.assertEqual({p.get("version") for p in self.found.findall("protocol") if p.get("type") == "ssl"}, {"2", "3"}, "it asked for the old ones")

    def test_only_ciphers_and_groups_that_are_good(self):
        self.assertEqual({c.get("cipher") for c in self.found.findall("cipher")}, CIPHERS)
        self.assertEqual({g.get("name").split()[0] for g in self.found.findall("group")}, GROUPS)

    def test_no_known_fault(self):
        self.assertEqual({h.get("vulnerable") for h in self.found.findall("heartbleed")}, {"0"})
        self.assertEqual({h.get("sslversion") for h in self.found.findall("heartbleed")}, {"TLSv1.2", "TLSv1.3"})
        self.assertEqual({r.get("supported") for r in self.found.findall("renegotiation")}, {"0"})
        # Where the scanner's own library cannot compress, it does not ask.
        self.assertLessEqual({c.get("supported") for c in self.found.findall("compression")}, {"0"})

    def test_signatures_are_of_the_key_and_of_no_old_hash(self):
        names = {s.get("name") for s in self.found.iter("connection-signature-algorithm")}
        self.assertTrue(names)
        self.assertFalse({n for n in names if re.search("sha1|md5|sha224|rsa|anon", n, re.I)}, names)


if __name__ == "__main__":
    unittest.main()
