"""What flows did, as it happens: each sees the own and nothing else, the end of rights ends the stream, and a store that is started anew is
said to be."""

import contextlib
import json
import os
import signal
import time

from weirlab import PASSWORD, PATIENCE, wait_for

from test_tenants import OTHER, PORT, REMOTE, SERVER, TenantTest


class FlowEvents(TenantTest):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.apis = {t: cls.weir.login(u, f"{PASSWORD} of {u}") for u, t in (("alice", "acme"), ("bob", "beta"))}
        for api in (*cls.apis.values(), cls.api):
            wait_for("flows", lambda a=api: len([f for f in a.ask("/api/v1/flows")["flows"] if f["protocol"] == "TCP"]) >= 2, 30)

    def gather(self, api, enough, query="", seconds=40):
        """What came until enough says that it is."""
        told = []
        with contextlib.closing(api.events(seconds, f"/api/v1/flows/live{query}")) as stream:
            for name, data in stream:
                if name == "flows":
                    self.assertEqual(data["dropped"], 0)
                    told += data["events"]
                if enough(told):
                    return told
        raise AssertionError(f"not enough came: {told}")

    @staticmethod
    def has_all(told):
        return {"opened", "changed", "ended"} <= {e["event"] for e in told}

    def test_each_sees_the_own_and_nothing_else(self):
        for tenant, api in self.apis.items():
            told = self.gather(api, lambda t: self.has_all(t) and any(e["flow"]["server"]["ip"] == REMOTE[tenant] for e in t))
            text = json.dumps(told)
            self.assertNotIn(REMOTE[OTHER[tenant]], text)
            self.assertNotIn(f"{OTHER[tenant]}0", text)
            for e in told:
                self.assertEqual(e["flow"]["observation_point"], f"{tenant}0")
                self.assertEqual(e["flow"]["live"], e["event"] != "ended")
            # By id it is the same flow.
            ended = [e["flow"] for e in told if e["event"] == "ended" and e["flow"]["protocol"] == "TCP"][0]
            wait_for("its slice", lambda a=api, f=ended: f["slice"] in [x["slice"] for x in a.ask(f"/api/v1/flows/{f['id']}")["flows"]])
        everybodys = self.gather(self.api, lambda t: {"acme0", "beta0"} <= {e["flow"]["observation_point"] for e in t})
        self.assertTrue(everybodys)

    def test_filters_and_narrowings(self):
        only = lambda t: len(t) >= 4  # noqa: E731
        narrow = self.bearer(self.token("--user", "alice", "--label", "events", "--tenant", "acme", "--network", "203.0.113.0/24", "--scope", "traffic:read")[0])
        for api, query in ((self.apis["acme"], f"?filter=host%20{REMOTE['acme']}"), (self.apis["acme"], f"?host={REMOTE['acme']}"), (narrow, "")):
            self.assertEqual({e["flow"]["server"]["ip"] for e in self.gather(api, only, query)}, {REMOTE["acme"]})
        masked = self.login("mallory")
        text = json.dumps(self.gather(masked, self.has_all))
        self.assertNotIn(REMOTE["acme"], text)
        self.assertIn("203.0.113.0/24", text)

    def test_a_token_that_goes_ends_its_stream(self):
        secret, number = self.token("--user", "alice", "--label", "goes", "--tenant", "acme", "--scope", "traffic:read")
        api = self.bearer(secret)
        stream = api.events(30, "/api/v1/flows/live")
        self.assertEqual("flows", next(stream)[0])
        self.cli("token", "remove", number)
        gone = time.monotonic()
        name, data = next(stream)
        while name == "flows":
            name, data = next(stream)
        self.assertEqual((name, data), ("end", {"why": "session"}))
        self.assertLess(time.monotonic() - gone, 3 * PATIENCE)
        self.problem(api.get("/api/v1/flows/live"), 401)
        health = self.bearer(self.token("--user", "alice", "--label", "health", "--tenant", "acme", "--scope", "health:read")[0])
        self.problem(health.get("/api/v1/flows/live"), 403)
        with contextlib.closing(health.events(10, "/api/v1/alerts/live")) as stream:
            self.assertEqual(("end", {"why": "role"}), next(stream))
        with contextlib.closing(self.apis["acme"].events(10, "/api/v1/alerts/live")) as stream:
            self.assertEqual(("alerts", []), (lambda e: (e[0], e[1]["events"]))(next(stream)))

    def test_store_is_started_anew(self):
        with contextlib.closing(self.apis["acme"].events(60, "/api/v1/flows/live")) as stream:
            self.assertEqual("flows", next(stream)[0])
            os.kill(self.weir.processes()[("store", 0)], signal.SIGKILL)
            names = []
            for name, data in stream:
                names.append(name)
                if "reset" in names and name == "flows" and data["events"]:
                    break
            self.assertIn("reset", names)
            self.assertEqual({SERVER, REMOTE["acme"]} & {e["flow"]["server"]["ip"] for e in data["events"] if e["flow"]["server"]["port"] == PORT["acme"]},
                             {e["flow"]["server"]["ip"] for e in data["events"] if e["flow"]["server"]["port"] == PORT["acme"]})
        self.weir.wait_processes()

