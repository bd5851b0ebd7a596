#!/usr/bin/python3
"""Runs the system tests: run.py [--jobs N] [--results FILE] [PATTERN...]; a PATTERN is part of module.Class.method.

Each class runs in a process of its own, several at a time, as its tests mostly wait; a class that has `alone = True` runs when no other
does. Prints one line a test, what failed at the end, and exits with 1 where anything failed or was skipped: a test that did not run did
not pass, and the tests of a process that dies have failed."""

import argparse
import atexit
import ctypes
import faulthandler
import json
import os
import selectors
import signal
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from weirlab import PATIENCE  # noqa: E402

# What takes longest begins first, so that nobody waits for it at the end.
FIRST = ["test_soak.ShortSoak", "test_drills.SystemCalls", "test_directory.Directory", "test_conformance.Conformance", "test_tenants.Fields", "test_security.Login",
         "test_openapi.Contract", "test_oidc.Oidc", "test_active_directory.ActiveDirectory", "test_traffic.Traffic", "test_drills.Messages", "test_entities.Entities"]
SILENCE_S = 600 * PATIENCE  # nothing is waited for as long as that
STOPPED = 128 + signal.SIGTERM
PR_SET_PDEATHSIG = 1


# --- in the process of a class


class Reporter(unittest.TestResult):
    """Says what becomes of each test, a JSON object a line."""

    def __init__(self, fd):
        super().__init__()
        self.to = os.fdopen(fd, "w", buffering=1)

    def say(self, **what):
        print(json.dumps(what), file=self.to, flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.began, self.bad = time.monotonic(), None
        self.say(began=test.id())

    def _bad(self, test, text):
        if not isinstance(test, unittest.TestCase):  # of a class, not of a test
            self.say(broken=str(test).replace("setUpClass (", "set-up of (").replace("tearDownClass (", "end of ("), bad=text)
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

    def addUnexpectedSuccess(self, test):
        self._bad(test, "expected to fail, and did not\n")

    def stopTest(self, test):
        super().stopTest(test)
        self.say(ended=test.id(), took=time.monotonic() - self.began, bad=self.bad)


def stop(*_):
    raise KeyboardInterrupt  # the one thing that ends a test and is no result of it


def run_class(tests, fd, output):
    """Never returns. What it made is removed as at the end of any program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, stop)
    os.dup2(output, 1)
    os.dup2(output, 2)
    faulthandler.enable()
    status = 1
    try:
        unittest.TestSuite(tests).run(Reporter(fd))
        status = 0
    except KeyboardInterrupt:
        status = STOPPED
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(status)


# --- in the one that waits for them


class Class:
    """The tests of one class, and the process that runs them."""

    def __init__(self, name, tests):
        self.name, self.tests = name, tests
        self.alone = getattr(type(tests[0]), "alone", False)
        self.ended, self.running, self.broken, self.silent, self.rest = set(), None, False, False, b""

    def start(self):
        read, write = os.pipe()
        self.output = tempfile.TemporaryFile()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(read)
            run_class(self.tests, write, self.output.fileno())
        os.close(write)
        self.pipe, self.heard = read, time.monotonic()

    def lines(self):
        """What it said since; None: it has ended."""
        data = os.read(self.pipe, 1 << 16)
        if not data:
            return None
        self.heard = time.monotonic()
        *whole, self.rest = (self.rest + data).split(b"\n")
        return [json.loads(line) for line in whole]

    def hurry(self):
        """Ends it where nothing was heard of it for too long: kindly, then not."""
        quiet = time.monotonic() - self.heard
        if quiet > SILENCE_S and not self.silent:
            self.silent = True
            os.kill(self.pid, signal.SIGTERM)
        elif quiet > SILENCE_S + 60:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self):
        """How it ended, as text; None: well."""
        os.close(self.pipe)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if code == 0:
            return None
        if self.silent:
            return f"nothing was heard of it for {SILENCE_S:g} s"
        return f"its process ended with status {code}" if code > 0 else f"its process was killed by {signal.Signals(-code).name}"

    def said(self):
        """The end of what it wrote."""
        with self.output as f:
            f.seek(max(0, f.seek(0, os.SEEK_END) - 8000))
            return f.read().decode(errors="replace")


class Run:
    def __init__(self, classes, jobs, out):
        self.waiting, self.jobs, self.out = classes, jobs, out
        self.running, self.passed, self.failed, self.written = [], [], [], []
        self.selector = selectors.DefaultSelector()

    def result(self, name, bad, took="        "):
        if bad:
            self.failed.append((name, bad))
        else:
            self.passed.append(name)
        print(f"{'FAIL' if bad else 'ok  '} {took} {name}", file=self.out, flush=True)

    def next(self):
        """The class that may begin now."""
        together = [c for c in self.waiting if not c.alone]
        if self.running and (self.running[0].alone or not together):
            return None
        return (together or self.waiting or [None])[0]

    def fill(self):
        while len(self.running) < self.jobs and (c := self.next()):
            self.waiting.remove(c)
            c.start()
            self.running.append(c)
            self.selector.register(c.pipe, selectors.EVENT_READ, c)

    def take(self, c, what):
        if "began" in what:
            c.running = what["began"]
        elif "broken" in what:
            c.broken = True
            self.result(what["broken"], what["bad"])
        else:
            c.running = None
            c.ended.add(what["ended"])
            self.result(what["ended"], what["bad"], f"{what['took']:6.1f} s")

    def end(self, c):
        self.selector.unregister(c.pipe)
        self.running.remove(c)
        how = c.wait()
        for name in (t.id() for t in c.tests if t.id() not in c.ended):
            self.result(name, f"{'did not end' if name == c.running else 'did not run'}: {how or 'its class could not be set up'}\n")
        if how and len(c.ended) == len(c.tests):
            self.result(f"end of ({c.name})", f"{how}\n")
        text = c.said()
        if text and any(c.name in name for name, _ in self.failed):
            self.written.append((c.name, text))

    def run(self):
        try:
            self.fill()
            while self.running:
                for key, _ in self.selector.select(timeout=5):
                    lines = key.data.lines()
                    for what in lines or []:
                        self.take(key.data, what)
                    if lines is None:
                        self.end(key.data)
                for c in self.running:
                    c.hurry()
                self.fill()
        finally:
            for c in self.running:
                os.kill(c.pid, signal.SIGTERM)
            for c in self.running:
                c.wait()


def tests_of(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from tests_of(t)
        else:
            yield t


def classes_of(tests):
    named = {}
    for t in tests:
        named.setdefault(t.id().rsplit(".", 1)[0], []).append(t)
    order = sorted(named, key=lambda n: FIRST.index(n) if n in FIRST else len(FIRST))
    return [Class(n, named[n]) for n in order]


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)) + 1, help="classes at a time (default: the cores and one more)")
    a.add_argument("--results", help="file that gets a line 'pass NAME' or 'fail NAME' for each test; FILE.words gets the end of what the failed ones said")
    a.add_argument("--list", action="store_true")
    a.add_argument("--without", default="", help="modules to leave out (the caller runs them by themselves)")
    a.add_argument("patterns", nargs="*")
    o = a.parse_args()
    signal.signal(signal.SIGTERM, stop)

    names = sorted(n[:-3] for n in os.listdir(HERE) if n.startswith("test_") and n.endswith(".py"))
    wanted = [t for n in names if n not in o.without.split(",") for t in tests_of(unittest.defaultTestLoader.loadTestsFromName(n))
              if not o.patterns or any(p in t.id() for p in o.patterns)]
    if o.list:
        print("\n".join(t.id() for t in wanted))
        return 0
    if not wanted:
        print(f"no test matches {' '.join(o.patterns)}", file=sys.stderr)
        return 1

    run = Run(classes_of(wanted), o.jobs, sys.stdout)
    try:
        run.run()
    except KeyboardInterrupt:
        return STOPPED
    for name, text in run.failed:
        print(f"\n--- {name}\n{text}", end="")
    for name, text in run.written:
        print(f"\n--- {name} wrote\n{text.rstrip()}")
    print(f"\nsystem: {len(run.passed)} passed, {len(run.failed)} failed")
    if o.results:
        with open(o.results, "a") as f:
            f.writelines(f"pass {n}\n" for n in run.passed)
            f.writelines(f"fail {n}\n" for n, _ in run.failed)
        with open(o.results + ".words", "a") as f:
            for name, text in run.failed:
                f.write("\n".join([f"--- {name}", *text.rstrip().split("\n")[-25:], ""]))
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
