"""One round of every fault that script/soak knows, under load, and what must be true of Weir afterwards."""

import os
import unittest

import soak
from weirlab import LabTest


class ShortSoak(LabTest):
    def test_a_round_of_every_fault(self):
        with open(os.path.join(self.lab.dir, "soak.log"), "w", buffering=1) as log:
            s = soak.Soak(self.lab, 40, 9, lambda text: print(text, file=log))
            s.run()
        self.assertEqual(s.faults, [])
        self.assertGreater(s.counts["requests"], 100)


if __name__ == "__main__":
    unittest.main()
