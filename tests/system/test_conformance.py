"""A part of tests/conformance on each run: a fixed 25th of the recorded captures held against capinfos, tshark and ndpiReader, and damaged
ones under valgrind. script/conformance does all of them."""

import json
import os
import re
import subprocess
import unittest

from weirlab import BIN, CAPTURES, PATIENCE, ROOT

REPLAY = os.path.join(BIN, "..", "tests", "replay_captures")

if os.path.isdir(CAPTURES):
    class Conformance(unittest.TestCase):
        STEP = "25"

        def test_captures(self):
            done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests", "conformance", "conformance.py"), "--step", self.STEP],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900 * PATIENCE, env={**os.environ, "WEIR_BIN": BIN})
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])
            captures, passed = int(re.search(r"^(\d+) captures", done.stdout, re.M).group(1)), int(re.search(r"(\d+) passed", done.stdout).group(1))
            self.assertEqual(captures, passed)
            self.assertGreater(captures, 50)

        def test_damaged_captures_under_valgrind(self):
            """No byte is read that was not written or is not ours, and nothing is left: in the reader, the decoder, nDPI and the flow tables."""
            with open(os.path.join(CAPTURES, "index.json")) as f:
                files = sorted(os.path.join(CAPTURES, e["file"]) for e in json.load(f)["pcaps"] if "malformed" in e["kinds"])[::8]
            self.assertGreater(len(files), 20)
            done = subprocess.run(["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=definite,possible",
                                   "--errors-for-leak-kinds=definite,possible", REPLAY, *files], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=900 * PATIENCE)
            self.assertEqual(done.returncode, 0, done.stdout[-1000:] + done.stderr[-6000:])
            self.assertRegex(done.stdout, r"^[1-9]\d+ frames, [1-9]\d* in flows, [1-9]\d* undecoded$")


if __name__ == "__main__":
    unittest.main()
