#!/usr/bin/python3
"""Runs the system tests: run.py [--results FILE] [PATTERN...]; a PATTERN is part of module.Class.method. Prints one line a test, what
failed at the end, and exits with 1 where anything failed or was skipped: a test that did not run did not pass."""

import argparse
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

# Short and telling ones first; what takes long last.
ORDER = ["test_elf", "test_package", "test_analyze", "test_workers", "test_walls", "test_traffic", "test_names", "test_filter", "test_interface", "test_tenants", "test_flow_events", "test_entities", "test_openapi", "test_guide", "test_guide_recorded", "test_metrics", "test_security", "test_audit", "test_store_care", "test_bad_input", "test_kill", "test_soak", "test_conformance", "test_page"]


class Result(unittest.TestResult):
    def __init__(self, out):
        super().__init__()
        self.out, self.passed, self.failed, self.ran = out, [], [], set()

    def startTest(self, test):
        super().startTest(test)
        self.ran.add(test.id())
        self.began, self.bad = time.monotonic(), None

    def _bad(self, test, text):
        if not isinstance(test, unittest.TestCase):  # of a class, not of a test
            name = str(test).replace("setUpClass (", "set-up of (").replace("tearDownClass (", "end of (")
            self.failed.append((name, text))
            print(f"FAIL         {name}", file=self.out, flush=True)
        else:
            self.bad = (self.bad + "\n" if self.bad else "") + text

    def addError(self, test, err):
        self._bad(test, self._exc_info_to_string(err, test))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._bad(test, f"{subtest._subDescription()}\n" + self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        self._bad(test, f"skipped: {reason}\n")

    def addExpectedFailure(self, test, err):
        self._bad(test, "expected to fail\n")

    def stopTest(self, test):
        super().stopTest(test)
        name, took = test.id(), time.monotonic() - self.began
        if self.bad:
            self.failed.append((name, self.bad))
        else:
            self.passed.append(name)
        print(f"{'FAIL' if self.bad else 'ok  '} {took:6.1f} s {name}", file=self.out, flush=True)


def tests_of(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from tests_of(t)
        else:
            yield t


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--results", help="file that gets a line 'pass NAME' or 'fail NAME' for each test")
    a.add_argument("--list", action="store_true")
    a.add_argument("--without", default="", help="module to leave out (the caller runs it by itself)")
    a.add_argument("patterns", nargs="*")
    o = a.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    names = sorted((n[:-3] for n in os.listdir(HERE) if n.startswith("test_") and n.endswith(".py")),
                   key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))
    wanted = [t for n in names if n not in o.without.split(",") for t in tests_of(unittest.defaultTestLoader.loadTestsFromName(n))
              if not o.patterns or any(p in t.id() for p in o.patterns)]
    if o.list:
        print("\n".join(t.id() for t in wanted))
        return 0
    if not wanted:
        print(f"no test matches {' '.join(o.patterns)}", file=sys.stderr)
        return 1

    result = Result(sys.stdout)
    unittest.TestSuite(wanted).run(result)
    for t in wanted:
        if t.id() not in result.ran:
            result.failed.append((t.id(), "did not run: its class could not be set up\n"))
    for name, text in result.failed:
        print(f"\n--- {name}\n{text}", end="")
    print(f"\nsystem: {len(result.passed)} passed, {len(result.failed)} failed")
    if o.results:
        with open(o.results, "a") as f:
            f.writelines(f"pass {n}\n" for n in result.passed)
            f.writelines(f"fail {n}\n" for n, _ in result.failed)
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
