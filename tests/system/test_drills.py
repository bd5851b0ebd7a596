"""Each process is taken over, and what comes of it is what SECURITY.md says: tests/drills."""

import os
import re
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "drills"))

import drills  # noqa: E402
import forge  # noqa: E402
import unittest  # noqa: E402
from weirlab import LabTest, PASSWORD, ROOT, Weir, wait_for  # noqa: E402


# sandbox/sandbox.h: the lists of system calls, and whom of the tables each is for.
PROFILES = {**{p: p for p in drills.PROCESSES}, **{p: p for p in drills.BRIEF}, "hash": "hasher", "file": "capture_file", "copy of store": "copy",
            "copy of authd": "copy"}


class SystemCalls(unittest.TestCase):
    def test_everybody_with_a_filter_is_attacked(self):
        with open(os.path.join(ROOT, "sandbox", "sandbox.h")) as f:
            declared = re.search(r"extern const struct sandbox (sandbox_[^;]+);", f.read()).group(1)
        self.assertEqual(set(PROFILES.values()), {n.strip().removeprefix("sandbox_") for n in declared.split(",")})

    def test_no_process_can_do_more_than_is_written(self):
        stages = []
        try:
            for n in range(4):
                stages.append(drills.Stage(f"drill{n}"))
            results = drills.drill(stages)
        finally:
            for s in stages:
                s.close()
        self.assertEqual(drills.holes(results), [])
        self.assertEqual(drills.tables(results).splitlines(), drills.written().splitlines(), "run tests/drills/drills.py --write")


class Messages(LabTest):
    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, settings={"engine.dns_mode": 1, "dial.nameservers": ["127.0.0.1"]}).start()
        cls.api = cls.weir.setup()
        cls.v = forge.vocabulary()
        cls.run_directory = cls.weir.settings["run_directory"]
        cls.processes = ("capture", "engine", "store", "authd", "httpd", "key", "dial", "directory")
        cls.weir.wait_processes(cls.processes)

    def path(self, process, attacker):
        """Of the socket by which the attacker reaches a process, or tries to: dial has one for each of its peers."""
        if process == "dial":
            return f"{self.run_directory}/{attacker if attacker in drills.HAVE_DIAL else 'store'}-0/dial-0.sock"
        return f"{self.run_directory}/{process}-0.sock"

    def whole_again(self, attacker, before):
        """Nobody else died of it; the attacker is replaced and all is well."""
        now = self.weir.processes()
        self.assertEqual({k: v for k, v in now.items() if k[0] != attacker}, {k: v for k, v in before.items() if k[0] != attacker})
        if (attacker, 0) in before and now.get((attacker, 0)) == before[attacker, 0]:
            os.kill(before[attacker, 0], 9)
            wait_for(f"another {attacker}", lambda: self.weir.processes().get((attacker, 0)) not in (None, before[attacker, 0]), 30)
        self.weir.wait_processes(self.processes)
        wait_for("a status of ok", lambda: self.api.get("/api/v1/health").json.get("status") == "ok", 30)

    def test_forged_messages_are_refused_by_everybody(self):
        for attacker in self.processes:
            before = self.weir.wait_processes(self.processes)
            for victim in self.processes:
                if victim == attacker:
                    continue
                with self.subTest(attacker=attacker, victim=victim):
                    said = forge.as_user(self.lab.first_uid + forge.FIRST_UID[attacker], lambda a=attacker, p=victim: forge.forge(self.v, self.path(p, a), a, p))
                    peers = any({m["from"], m["to"]} == {self.v["processes"].index(attacker), self.v["processes"].index(victim)}
                                for m in self.v["messages"])
                    self.assertEqual(said, forge.REFUSED if peers else forge.OUT_OF_REACH)
                    if peers:
                        forge.as_user(self.lab.first_uid + forge.FIRST_UID[attacker], lambda a=attacker, p=victim: forge.flood(self.v, self.path(p, a), a, p))
            self.whole_again(attacker, before)

    def test_who_says_he_is_another_is_refused(self):
        for attacker, claims in (("engine", "httpd"), ("httpd", "weir"), ("capture", "authd"), ("dial", "store"), ("store", "directory"), ("directory", "store")):
            for victim in self.processes:
                for whose in {attacker, claims} if victim == "dial" else {attacker}:
                    c = forge.as_user(self.lab.first_uid + forge.FIRST_UID[attacker],
                                      lambda v=victim, c=claims, w=whose: forge.Channel(self.v, self.path(v, w), c).open)
                    self.assertFalse(c, f"{attacker} is {claims} to {victim}")

    def test_strangers_are_refused_whoever_they_say_they_are(self):
        """SO_PEERCRED, and who may reach a socket of dial's: somebody with an account on the machine, who knows how to greet."""
        nobody = 65534
        for victim in self.processes:
            for claims in (*((p, 0) for p in self.processes), ("weir", 0), ("weir", 1)):  # the last: a command line
                c = forge.as_user(nobody, lambda v=victim, c=claims: forge.Channel(self.v, self.path(v, c[0]), *c).open)
                self.assertFalse(c, f"a stranger is {claims} to {victim}")

    def test_grants_that_are_none_give_nothing(self):
        before = self.weir.wait_processes(self.processes)
        learnt = forge.as_user(self.lab.first_uid + forge.FIRST_UID["httpd"],
                               lambda: forge.grants(self.v, self.run_directory, "admin", PASSWORD))
        self.whole_again("httpd", before)
        self.assertEqual(learnt, [])

    def test_rings_in_disorder_harm_nobody_else(self):
        for attacker in ("capture", "engine", "store"):
            with self.subTest(attacker=attacker):
                before = self.weir.wait_processes(self.processes)
                written, held = wait_for(f"rings of {attacker}", lambda: (lambda w, h: w and h and (w, h))(*forge.scribble(before[attacker, 0])))
                self.assertTrue(written and held)
                self.lab.ping(20)
                self.whole_again(attacker, before)
                first = self.api.interface("ports")["packets"]
                wait_for("traffic to be counted again", lambda: (self.lab.ping(3), self.api.interface("ports")["packets"] > first)[1], 30)
