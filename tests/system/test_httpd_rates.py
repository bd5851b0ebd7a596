#!/usr/bin/python3
"""Quotas of requests, from weir-httpd alone on the stage of test_httpd_alone.py: of an address, a session or token, and a tenant."""

import json
import re
import time
import unittest

from test_httpd_alone import JSON, PASSWORD, OnStage, setUpModule, tearDownModule  # noqa: F401

TOKEN = {"Authorization": "Bearer weir_good"}
GUIDE = "/lua/rest/v2/get/ntopng/interfaces.lua"


class Rates(OnStage):
    def quotas(self, address=0, session=0, tenant=0):
        """From now on; all counts begin anew, in a minute that is not over soon: what is left would slide then."""
        self.stage.until(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) % 60 < 45, "a minute that has just begun", 20)
        for word, v in (("address", address), ("session", session), ("tenant", tenant)):
            self.stage.tell(f"rate-{word}", v)
        self.stage.tell("restart")
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "it is back")
        self.stage.login()

    def by_token(self, path="/api/v1/interfaces", **more):
        return self.stage.get(path, {**TOKEN, **more}, cookie=False)

    def until_refused(self, ask, most):
        """How many were answered before one was refused, and that one."""
        for n in range(most + 1):
            a = ask()
            if a.status == 429:
                return n, a
            self.assertEqual(200, a.status, a.body)
        self.fail(f"{most} and no end")

    def refusal(self, a, name, quota):
        self.problem(a, 429, "RateLimit-Policy")
        self.assertIn(f'"{name}";q={quota};w=60', a.headers["RateLimit-Policy"])
        self.assertRegex(a.headers["RateLimit"], rf'^"{name}";r=0;t=\d+$')
        self.assertTrue(1 <= int(a.headers["Retry-After"]) <= 120)

    def test_headers(self):
        self.quotas(address=1000, session=100, tenant=500)
        left = []
        for _ in range(3):
            a = self.stage.get("/api/v1/interfaces")
            self.assertEqual('"address";q=1000;w=60, "session";q=100;w=60, "tenant";q=500;w=60', a.headers["RateLimit-Policy"])
            left.append(int(re.fullmatch(r'"session";r=(\d+);t=\d+', a.headers["RateLimit"])[1]))
        self.assertEqual([left[0], left[0] - 1, left[0] - 2], left)
        self.assertIn('"token"', self.by_token().headers["RateLimit-Policy"])
        self.assertIn("RateLimit", self.stage.get("/api/v1/flows?format=csv&limit=1").headers)
        self.problem(a := self.stage.get("/api/v1/hosts/192.0.2.77"), 404)
        self.assertIn("RateLimit", a.headers)
        self.quotas()
        self.assertIsNone(self.stage.get("/api/v1/interfaces").headers["RateLimit-Policy"])

    def test_of_one_session_or_token(self):
        self.quotas(session=20)
        n, a = self.until_refused(lambda: self.stage.get("/api/v1/interfaces"), 20)
        self.refusal(a, "session", 20)
        self.assertEqual(20, n)
        asked = self.stage.counts()["questions"]
        self.assertEqual(429, self.stage.get("/api/v1/hosts").status)
        self.assertEqual(429, self.stage.get("/api/v1/users").status)
        self.assertEqual(429, self.stage.get("/api/v1/flows?format=csv").status)
        self.assertEqual(429, self.stage.get("/api/v1/live").status)
        self.assertEqual(429, self.stage.get("/metrics").status)
        self.assertEqual(asked, self.stage.counts()["questions"])  # nobody is asked
        # What a token may is its own, whatever tenant it names.
        tenants = iter(["customer", None] * 20)
        n, a = self.until_refused(lambda: self.by_token(**({"Weir-Tenant": t} if (t := next(tenants)) else {})), 20)
        self.refusal(a, "token", 20)
        self.assertEqual(20, n)

    def test_of_one_tenant(self):
        self.quotas(session=1000, tenant=30)
        for _ in range(15):
            self.assertEqual((200, 200), (self.stage.get("/api/v1/interfaces").status, self.by_token().status))
        self.refusal(self.stage.get("/api/v1/interfaces"), "tenant", 30)
        self.refusal(self.by_token(), "tenant", 30)
        self.assertEqual(200, self.by_token(**{"Weir-Tenant": "customer"}).status)

    def test_of_one_address(self):
        """Who guesses tokens is held back before authd is asked, and uses up nobody's quota but the address's."""
        self.quotas(address=40, session=30)
        for i in range(30):
            self.assertEqual(401, self.stage.get("/api/v1/interfaces", {"Authorization": f"Bearer weir_guess{i}"}, cookie=False).status)
        n, a = self.until_refused(self.by_token, 10)
        self.refusal(a, "address", 40)
        self.assertEqual(10, n)
        asked = self.stage.counts()["tokens"]
        self.assertEqual(429, self.stage.get("/api/v1/interfaces", {"Authorization": "Bearer weir_another"}, cookie=False).status)
        self.assertEqual(asked, self.stage.counts()["tokens"])
        # Health is for anyone, and for nobody to guess at: what is shown there is not asked about any more.
        self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health", {"Authorization": "Bearer weir_another"}, cookie=False).json)
        self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health").json)
        self.refusal(self.stage.get("/api/v1/setup", cookie=False), "address", 40)
        self.assertEqual(asked, self.stage.counts()["tokens"])
        # These have throttles of their own, or cost nothing.
        for path in ("/api/v1/health", "/api/v1/openapi.json", "/"):
            self.assertEqual(200, self.stage.get(path, cookie=False).status, path)
        self.assertEqual(200, self.stage.request("POST", "/api/v1/login", {"name": "admin", "password": PASSWORD}, {**JSON, "X-Weir-CSRF": "1"}, cookie=False).status)
        counters = {c["place"]: c["count"] for c in self.stage.get("/api/v1/health", source="127.0.0.2").json["counters"]}
        self.assertEqual(5, counters["httpd.rate_limited"])

    def test_guesses_at_health(self):
        """They count as any other's do."""
        self.quotas(address=20)
        for i in range(20):
            self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health", {"Authorization": f"Bearer weir_guess{i}"}, cookie=False).json)
        asked = self.stage.counts()["tokens"]
        for i in range(5):
            self.assertEqual({"status": "ok"}, self.stage.get("/api/v1/health", {"Authorization": f"Bearer weir_more{i}"}, cookie=False).json)
        self.assertEqual(asked, self.stage.counts()["tokens"])
        self.assertEqual(429, self.by_token().status)

    def test_the_guides_api(self):
        self.quotas(session=10)
        n, a = self.until_refused(lambda: self.by_token(GUIDE), 10)
        self.assertEqual((10, "NOT_GRANTED", []), (n, json.loads(a.body)["rc_str"], json.loads(a.body)["rsp"]))
        self.assertIn('"token";q=10;w=60', a.headers["RateLimit-Policy"])
        self.assertGreaterEqual(int(a.headers["Retry-After"]), 1)

    def test_what_is_no_use_against_it(self):
        """A token is one whatever case, place or spelling it is shown in; requests that are refused for something else count too."""
        self.quotas(session=12)
        for headers in ({"Authorization": "bearer weir_good"}, {"Authorization": "Bearer   weir_good"}):
            for _ in range(3):
                self.assertEqual(200, self.stage.get("/api/v1/interfaces", headers, cookie=False).status)
        for _ in range(3):
            self.assertEqual(404, self.by_token("/api/v1/hosts/192.0.2.77").status)
        n, a = self.until_refused(lambda: self.stage.get(GUIDE, {"Authorization": "Token weir_good"}, cookie=False), 10)
        self.assertEqual(3, n)


if __name__ == "__main__":
    unittest.main(verbosity=2)
