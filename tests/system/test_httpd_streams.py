#!/usr/bin/python3
"""Tables as CSV and NDJSON, from weir-httpd alone on the stage of test_httpd_alone.py: of any length, in the same memory, and never a part
that looks like the whole."""

import csv
import http.client
import io
import json
import os
import re
import socket
import ssl
import time
import unittest
import zlib

import test_httpd_alone as alone
from test_httpd_alone import CONTRACT, PATIENCE, Answer, OnStage, context, setUpModule, tearDownModule  # noqa: F401

MANY = 200_000
KINDS = {"csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson"}
TABLES = {"interfaces": "Interface", "hosts": "Host", "devices": "Device", "flows": "Flow", "applications": "Application",
          "networks": "Sum", "as": "As", "countries": "Sum", "categories": "Sum"}
LISTS = {"tenants": "Tenant", "users": "User", "groups": "Group", "sessions": "Session", "tokens": "Token", "audit": "AuditEntry",
         "labels": "Label", "settings": "Setting"}


class Table:
    """An answer that is read as it comes."""

    def __init__(self, stage, path, headers=None, read=65536, window=None, method="GET"):
        s = socket.socket()
        if window:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        s.settimeout(PATIENCE + 60)
        s.connect(("127.0.0.1", stage.https))
        self.connection = http.client.HTTPSConnection("127.0.0.1", stage.https)
        self.connection.sock = context().wrap_socket(s)
        self.connection.request(method, path, None, {"Cookie": stage.cookie, **(headers or {})})
        self.response = self.connection.getresponse()
        self.status, self.headers, self.n = self.response.status, self.response.headers, read

    def read(self):
        return self.response.read1(self.n)

    def whole(self):
        """All of it; and whether it came to its end."""
        body = b""
        try:
            while part := self.read():
                body += part
            return body, True
        except (http.client.HTTPException, ConnectionError, ssl.SSLError):
            return body, False

    def close(self):
        self.response.close()
        self.connection.close()


class Streams(OnStage):
    settings = {"per_address": 64}

    def setUp(self):
        for word in ("rows", "busy", "no-session", "refuse-once", "refuse-grants", "limited", "silent-pages", "pad", "formula", "admin-status"):
            self.stage.tell(word, 0)
        self.stage.tell("store", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "its peers are back")
        self.stage.login()

    def table(self, path, *args, **more):
        t = Table(self.stage, "/api/v1/" + path, *args, **more)
        self.addCleanup(t.close)
        return t

    def memory(self):
        with open(f"/proc/{self.stage.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])  # kB

    def sockets(self):
        return sum(os.readlink(f"/proc/{self.stage.pid}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{self.stage.pid}/fd"))

    # --- shapes

    def columns(self, schema):
        """The names that design.md's flattening gives: the paths of what is no object."""
        s = CONTRACT.resolve(schema)
        for one in s.get("oneOf", []):
            if one.get("type") != "null":
                return self.columns(one)
        if "properties" not in s:
            return None
        out = []
        for name, inner in s["properties"].items():
            more = self.columns(inner)
            out += [name] if more is None else [f"{name}.{m}" for m in more]
        return out

    def test_columns_are_the_contracts(self):
        with open(os.path.join(alone.ROOT, "httpd", "table.c")) as f:
            code = f.read()
        tables = re.findall(r'\{\s*"(\w+)",\s*((?:"[^"]*"\s*)+),\s*(?:present_\w+|NULL),\s*(?:NULL|is_alert)\b', code)
        columns = {name: "".join(re.findall(r'"([^"]*)"', text)).split() for name, text in tables}
        for name, schema in {**TABLES, **LISTS, "alerts": "Alert"}.items():
            with self.subTest(table=name):
                self.assertCountEqual(self.columns({"$ref": f"#/components/schemas/{schema}"}), columns[name])

    def test_both_kinds_of_every_table_of_traffic(self):
        for name, schema in TABLES.items():
            plain = self.stage.get(f"/api/v1/{name}?limit=10" if name != "interfaces" else "/api/v1/interfaces").json[name]
            body, whole = self.table(f"{name}?format=ndjson" + ("&limit=10" if name != "interfaces" else "")).whole()
            with self.subTest(table=name):
                self.assertTrue(whole)
                rows = [json.loads(line) for line in body.decode().splitlines()]
                self.assertEqual(plain, rows)
                for row in rows:
                    self.assertIsNone(CONTRACT.wrong({"$ref": f"#/components/schemas/{schema}"}, row))
                body, whole = self.table(name, {"Accept": "text/csv"}).whole()
                self.assertTrue(whole)
                read = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
                self.assertCountEqual(self.columns({"$ref": f"#/components/schemas/{schema}"}), read[0].keys())

    def test_there_are_no_alerts_yet(self):
        self.assertEqual((b"", True), self.table("alerts?format=ndjson").whole())
        self.assertRegex(self.table("alerts?format=csv").whole()[0], rb"^id,time,[^\n]*\r\n$")

    def test_series_and_groups(self):
        body, whole = self.table("timeseries?from=1000&to=2000&resolution=60&format=csv").whole()
        rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
        self.assertEqual((True, 4), (whole, len(rows)))  # two pages of the stage's
        self.assertEqual(["100", "101", "102", "103"], [r["bytes"] for r in rows])
        self.assertEqual("1000.000000", rows[0]["time"])
        body, whole = self.table("flows/top?by=client_ip&prefix=8&format=csv").whole()
        self.assertEqual(["group.client_ip,flows,bytes,packets", "10.0.0.0/8"], [body.decode().split("\r\n")[0], body.decode().split("\r\n")[1].split(",")[0]])
        self.assertEqual(3, body.count(b"\r\n") + 1)  # no sums among the rows
        body, whole = self.table("flows/top?by=client_as&format=csv&measures=bytes").whole()
        self.assertEqual("group.client_as.number,group.client_as.name,bytes", body.decode().split("\r\n")[0])
        body, whole = self.table("timeseries/subjects?subject=country&format=ndjson").whole()
        self.assertEqual("NL", json.loads(body)["key"])
        self.problem(self.stage.get("/api/v1/timeseries?percentile=95&format=csv"), 400, "format")

    def test_what_is_asked_for(self):
        for accept, kind in (("text/csv", "csv"), ("application/x-ndjson", "ndjson"), ("application/ndjson", "ndjson"), ("text/*", "csv"),
                             ("application/json;q=0.5, text/csv", "csv"), ("text/csv;q=0.1, application/x-ndjson;q=0.2, */*;q=0", "ndjson")):
            with self.subTest(accept=accept):
                a = self.table("interfaces", {"Accept": accept})
                self.assertEqual((200, KINDS[kind]), (a.status, a.headers["Content-Type"]))
                self.assertRegex(a.headers["Content-Disposition"], rf'^attachment; filename="weir-interfaces-\d{{8}}T\d{{6}}Z\.{kind}"$')
                self.assertEqual(("no-store", "nosniff", None), tuple(a.headers[h] for h in ("Cache-Control", "X-Content-Type-Options", "Content-Length")))
        for accept in ("*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json, text/csv", "image/png", "", "text/csv;q=0", "text/csv;q=0.0, */*"):
            with self.subTest(accept=accept):
                self.assertEqual("application/json", self.stage.get("/api/v1/interfaces", {"Accept": accept}).headers["Content-Type"])
        self.assertEqual("application/json", self.stage.get("/api/v1/interfaces?format=json", {"Accept": "text/csv"}).headers["Content-Type"])
        self.problem(self.stage.get("/api/v1/interfaces?format=xml"), 400, "format", "csv")
        self.problem(self.stage.get("/api/v1/totals?format=csv"), 400, "format")
        self.problem(self.stage.get("/api/v1/flows?limit=1001"), 400, "limit")

    def test_head_and_old_clients(self):
        a = self.stage.request("HEAD", "/api/v1/flows?format=csv")
        self.assertEqual((200, b"", KINDS["csv"], None), (a.status, a.body, a.headers["Content-Type"], a.headers["Content-Length"]))
        self.assertIn("weir-flows-", a.headers["Content-Disposition"])
        for version in ("1.0", "0.9"):
            s = self.stage.connect()
            s.sendall(f"GET /api/v1/flows?format=csv HTTP/{version}\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
            self.assertRegex(s.recv(4096), rb"^HTTP/[01].[019] 426 ", version)
            s.close()

    def test_links_name_their_tenant(self):
        self.assertEqual(200, self.table("hosts?format=csv&tenant=customer").status)
        self.problem(self.stage.get("/api/v1/hosts?format=csv&tenant=other"), 404)
        self.problem(self.stage.get("/api/v1/hosts?format=csv", cookie=False), 401)
        self.problem(self.stage.get("/api/v1/hosts?format=csv", {"Sec-Fetch-Site": "cross-site"}), 403)

    def test_formulas_are_texts(self):
        self.stage.tell("formula", 1)
        body, _ = self.table("flows?format=csv&limit=1").whole()
        self.assertIn("\"'=cmd|' /C calc'!A0, a\"\"b;'-1\"", body.decode())
        row = next(csv.DictReader(io.StringIO(body.decode(), newline="")))
        self.assertEqual("'=cmd|' /C calc'!A0, a\"b;'-1", row["server_name"])
        body, _ = self.table("flows?format=ndjson&limit=1").whole()
        self.assertEqual("=cmd|' /C calc'!A0, a\"b;-1", json.loads(body)["server_name"])

    # --- of any length

    def test_a_long_one_takes_no_more_memory(self):
        self.stage.tell("rows", 20_000)
        for kind in KINDS:
            self.assertTrue(self.table(f"flows?format={kind}").whole()[1])
        before = self.memory()
        for kind, first, rows in (("csv", 1, MANY), ("ndjson", 0, MANY // 4)):
            self.stage.tell("rows", rows)
            t, n, most, parts = self.table(f"flows?format={kind}"), 0, 0, 0
            while part := t.read():
                n += part.count(b"\n")
                parts += 1
                most = max(most, self.memory()) if parts % 64 == 0 else most
            with self.subTest(kind=kind):
                self.assertEqual(rows + first, n)
                self.assertTrue(self.stage.is_sanitized() or most < before + 8192, f"{before} kB became {most} kB")

    def test_zipped(self):
        self.stage.tell("rows", 5000)
        plain, _ = self.table("flows?format=csv").whole()
        t = self.table("flows?format=csv", {"Accept-Encoding": "gzip"})
        self.assertEqual("gzip", t.headers["Content-Encoding"])
        zipped, whole = t.whole()
        z = zlib.decompressobj(31)
        self.assertEqual((plain, True, True), (z.decompress(zipped), whole, z.eof))
        self.assertLess(len(zipped) * 8, len(plain))

    def test_limits(self):
        self.stage.tell("rows", 5000)
        for limit in (1, 999, 1000, 1001, 2500, 4999, 5000, 6000):
            body, whole = self.table(f"flows?format=ndjson&limit={limit}").whole()
            self.assertEqual((min(limit, 5000), True), (body.count(b"\n"), whole))

    def test_lists_of_authd(self):
        self.stage.tell("rows", 1234)
        before = self.stage.counts()["admins"]
        body, whole = self.table("users?format=csv").whole()
        rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
        self.assertEqual((True, 1234, "user1233"), (whole, len(rows), rows[-1]["name"]))
        self.assertEqual(("x|y", '[{"tenant":"a"}]', "false", ""), tuple(rows[0][k] for k in ("groups", "access", "disabled", "last_login.time")))
        self.assertEqual(7, self.stage.counts()["admins"] - before)  # 200 a page
        body, whole = self.table("users", {"Accept": "application/x-ndjson"}).whole()
        self.assertEqual((True, [f"user{i}" for i in range(1234)]), (whole, [json.loads(line)["name"] for line in body.splitlines()]))
        self.assertEqual(300, self.table("users?format=ndjson&limit=300").whole()[0].count(b"\n"))
        self.stage.tell("admin-status", 2)
        self.named(self.stage.get("/api/v1/users?format=csv"), 400, "access[0].role")
        self.stage.tell("admin-status", 4)
        self.problem(self.stage.get("/api/v1/users?format=csv"), 404)

    # --- readers

    def test_a_slow_reader_holds_store_back(self):
        self.stage.tell("rows", MANY)
        t = self.table("flows?format=ndjson", window=4096, read=1000)
        t.read()
        before = self.stage.counts()["questions"]
        time.sleep(1)
        asked = self.stage.counts()["questions"] - before
        self.assertLessEqual(asked, 2, "store is asked though nobody reads")
        self.assertEqual("ok", self.stage.get("/api/v1/health").json["status"])  # others are served
        for _ in range(200):
            t.read()
        t.close()

    def test_a_reader_that_goes_away(self):
        self.stage.tell("rows", MANY)
        before = self.sockets()
        for _ in range(8):
            t = self.table("flows?format=csv", window=4096, read=1000)
            t.read()
            t.close()
        self.stage.until(lambda: self.sockets() <= before, "its connections are gone")
        asked = self.stage.counts()["questions"]
        time.sleep(0.5)
        self.assertEqual(asked, self.stage.counts()["questions"])

    def test_too_many_at_once(self):
        self.stage.tell("rows", MANY)
        held = [self.table("flows?format=csv", window=4096, read=1000) for _ in range(4)]
        self.problem(self.stage.get("/api/v1/flows?format=csv"), 503, "tables")
        self.assertEqual(200, self.stage.get("/api/v1/flows").status)
        held[0].close()
        self.stage.until(lambda: self.table("interfaces?format=csv").status == 200, "a place is free again")

    def test_one_holder_has_four_whatever_tenant_it_names(self):
        self.stage.tell("rows", MANY)
        token = {"Cookie": "", "Authorization": "Bearer weir_good"}
        for i in range(4):
            self.assertEqual(200, self.table("flows?format=csv" + "&tenant=customer" * (i % 2), token, window=4096, read=1000).status)
        for query in ("", "&tenant=customer"):
            self.problem(self.stage.get("/api/v1/flows?format=csv" + query, token, cookie=False), 503, "tables")
        self.assertEqual(200, self.table("interfaces?format=csv").status)

    # --- what goes wrong

    def test_before_the_first_row_it_is_a_problem(self):
        self.stage.tell("rows", 10)
        self.stage.tell("busy", 1)
        self.problem(self.stage.get("/api/v1/flows?format=csv"), 503)
        self.stage.tell("refuse-grants", 1)
        self.problem(self.stage.get("/api/v1/flows?format=csv"), 403)
        self.stage.tell("refuse-grants", 0)
        self.problem(self.stage.get("/api/v1/flows?format=csv&cursor=AAAA"), 400)
        self.stage.tell("store", 0)
        self.stage.until(lambda: self.stage.get("/api/v1/flows?format=csv").status == 503, "store is away")

    def cut(self, kind, *commands, rows=MANY):
        """What comes of a table in whose midst the stage is told something."""
        self.stage.tell("rows", rows)
        t = self.table(f"flows?format={kind}", window=4096)
        body = t.read()
        for command in commands:
            self.stage.tell(*command)
        more, whole = t.whole()
        self.assertFalse(whole, "a part looks like the whole")
        return (body + more).decode()

    def last_word(self, body):
        lines = body.splitlines()
        self.assertTrue(all("id" in json.loads(line) for line in lines[:-1]))
        error = json.loads(lines[-1])["error"]
        self.assertEqual(len(lines) - 1, error["rows"])
        self.assertLessEqual(error["skip"], error["rows"])
        return error

    def goes_on(self, body, rows=MANY):
        """What was cut off is there from where the last word says, and nothing else."""
        error, had = self.last_word(body), [json.loads(line)["id"] for line in body.splitlines()[:-1]]
        more, whole = self.table("flows?format=ndjson" + (f"&cursor={error['next_cursor']}" if error["next_cursor"] else "")).whole()
        rest = [json.loads(line)["id"] for line in more.splitlines()]
        self.assertTrue(whole)
        self.assertEqual(rest[:error["skip"]], had[len(had) - error["skip"]:])
        self.assertEqual(rows, len(had) + len(rest) - error["skip"])
        self.assertEqual(rows, len(set(had + rest)))

    def test_a_grant_that_is_revoked(self):
        error = self.last_word(self.cut("ndjson", ("no-session", 1), ("refuse-grants", 1)))
        self.assertIn("changed", error["detail"])
        self.setUp()
        self.cut("csv", ("no-session", 1), ("refuse-grants", 1))

    def test_rights_that_change(self):
        """A second half under other rights would be no table."""
        self.assertIn("changed", self.last_word(self.cut("ndjson", ("limited", 1), ("refuse-once", 1)))["detail"])

    def test_a_grant_that_is_only_another(self):
        """As when authd was started anew: store refuses the old one, and what it allows is the same."""
        self.stage.tell("rows", 20_000)
        t = self.table("flows?format=ndjson", read=1000)
        body = t.read()
        self.stage.tell("refuse-once", 1)
        t.n = 65536
        more, whole = t.whole()
        self.assertEqual((True, 20_000), (whole, (body + more).count(b"\n")))

    def test_store_goes(self):
        body = self.cut("ndjson", ("store", 0), rows=20_000)
        self.assertTrue(self.last_word(body)["next_cursor"])
        self.setUp()
        self.stage.tell("rows", 20_000)
        self.goes_on(body, 20_000)
        self.cut("csv", ("store", 0))

    def test_a_reader_who_may_no_more_in_the_middle_of_a_page(self):
        """Who takes rows slowly is asked about again while a page is being sent (every ten seconds)."""
        self.stage.tell("rows", 20_000)
        t = self.table("flows?format=ndjson", window=4096)
        body, began = t.read(), time.monotonic()
        self.stage.tell("no-session", 1)
        while time.monotonic() - began < 11:
            time.sleep(0.1)
        more, whole = t.whole()
        self.assertFalse(whole)
        body = (body + more).decode()
        error = self.last_word(body)
        self.assertIn("changed", error["detail"])
        self.assertGreater(error["skip"], 0)
        self.setUp()
        self.stage.tell("rows", 20_000)
        self.goes_on(body, 20_000)

    def test_store_is_another(self):
        """Whose cursor it is the new one does not know."""
        self.assertIn("anew", self.last_word(self.cut("ndjson", ("rows", 0)))["detail"])

    def test_a_busy_store_is_asked_again(self):
        self.stage.tell("rows", 5_000)
        t = self.table("flows?format=ndjson", read=1000)
        body = t.read()
        self.stage.tell("busy", 3)
        t.n = 65536
        more, whole = t.whole()
        self.assertEqual((True, 5_000), (whole, (body + more).count(b"\n")))


class Bounds(OnStage):
    """What the settings allow."""

    def restart(self, **settings):
        for word, v in settings.items():
            self.stage.tell(word.replace("_", "-"), v)
        self.stage.tell("restart")
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "it is back")
        self.stage.login()
        self.stage.tell("rows", 50_000)

    def test_one_tenant_never_has_all_places(self):
        """Also not with tables that have not begun."""
        self.restart(streams=4)
        self.stage.tell("silent-store", 1)
        before, waiting = self.stage.counts()["questions"], []
        for _ in range(3):
            waiting.append(s := self.stage.connect())
            s.sendall(f"GET /api/v1/flows?format=csv&tenant=customer HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
        self.stage.until(lambda: self.stage.counts()["questions"] == before + 3, "asked")
        token = {"Authorization": "Bearer weir_good"}
        self.problem(self.stage.get("/api/v1/flows?format=csv&tenant=customer", token, cookie=False), 503, "tables")
        self.stage.tell("silent-store", 0)
        self.assertEqual(200, self.stage.get("/api/v1/interfaces?format=csv", token, cookie=False).status)
        for s in waiting:
            s.close()
        self.stage.until(lambda: self.stage.get("/api/v1/interfaces?format=csv&tenant=customer", token, cookie=False).status == 200, "places are free again")

    def test_slow_readers_leave_memory_to_others(self):
        """Their pages are held as long as they like, but not in all of what may be held."""
        self.restart(workers=8, stream_rows=0, stream_time=3600_000, streams=64)  # what was cut meanwhile would hold nothing
        self.stage.tell("pad", 3400)
        tables = []
        for headers in ({}, {"Cookie": "", "Authorization": "Bearer weir_good"}):
            for _ in range(4):
                tables.append(t := Table(self.stage, "/api/v1/flows?format=csv", headers, window=4096, read=1000))
                self.addCleanup(t.close)
        self.assertEqual({200, 503}, {t.status for t in tables})
        self.assertEqual(200, self.stage.get("/api/v1/flows?limit=1000").status)
        for t in tables:
            t.close()
        self.restart(workers=1)

    def test_rows_and_time(self):
        self.restart(stream_rows=5000, stream_time=3600_000)
        body, whole = Table(self.stage, "/api/v1/flows?format=ndjson").whole()
        error = json.loads(body.splitlines()[-1])["error"]
        self.assertEqual((False, 5000), (whole, error["rows"]))
        self.assertIn("stream_rows", error["detail"])
        more, whole = Table(self.stage, "/api/v1/flows?format=ndjson&cursor=" + error["next_cursor"]).whole()
        self.assertEqual((False, 5001), (whole, more.count(b"\n")))
        self.assertEqual(json.loads(body.splitlines()[0])["id"][:16], json.loads(more.splitlines()[0])["id"][:16])
        self.assertNotEqual(body.splitlines()[0], more.splitlines()[0])  # it went on behind
        self.assertTrue(Table(self.stage, "/api/v1/flows?format=ndjson&limit=5000").whole()[1])
        self.restart(stream_rows=0, stream_time=1000, streams=64)
        t = Table(self.stage, "/api/v1/flows?format=csv", window=4096, read=1000)
        began, n = time.monotonic(), 0
        try:
            while t.read() and time.monotonic() - began < PATIENCE:
                time.sleep(0.05)
        except (http.client.HTTPException, ConnectionError, ssl.SSLError):
            n = 1
        self.assertEqual(1, n)
        self.assertLess(time.monotonic() - began, PATIENCE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
