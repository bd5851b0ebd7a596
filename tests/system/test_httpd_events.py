#!/usr/bin/python3
"""Streams of what flows and alerts did, from weir-httpd alone on the stage of test_httpd_alone.py: nothing is told twice or lost in silence,
and who comes back goes on where he was or is told that he cannot."""

import os
import re
import socket
import time
import unittest

from test_httpd_alone import CONTRACT, PATIENCE, OnStage, Stream, context, setUpModule, tearDownModule  # noqa: F401


class Events(OnStage):
    settings = {"per_address": 128}

    def setUp(self):
        for word in ("no-session", "quiet", "left-out", "refuse-grants", "limited", "no-token"):
            self.stage.tell(word, 0)
        self.stage.tell("life", 1)
        self.stage.tell("store", 1)
        self.stage.until(lambda: self.stage.get("/api/v1/health", cookie=False).json["status"] == "ok", "its peers are back")
        self.stage.login()

    def flows(self, query="", last=None):
        who = f"Cookie: {self.stage.cookie}" + (f"\r\nLast-Event-ID: {last}" if last is not None else "")
        s = self.stage.stream(who, query, path="flows/live")
        self.addCleanup(s.close)
        return s

    def ids(self, data):
        return [e["flow"]["id"] for e in data["events"]]

    def test_what_flows_did(self):
        s = self.flows()
        self.assertIn(b"Content-Type: text/event-stream", s.head)
        self.assertIn(b"Cache-Control: no-store", s.head)
        name, first = s.event()
        self.assertEqual(("flows", [], 0), (name, first["events"], first["dropped"]))  # where it begins
        seen, places = [], [s.id]
        for _ in range(3):
            e = s.until("flows")
            self.assertIsNone(CONTRACT.wrong({"$ref": "#/components/schemas/FlowEvents"}, e))
            self.assertEqual(["opened", "changed", "ended"], [x["event"] for x in e["events"]])
            self.assertEqual([True, True, False], [x["flow"]["live"] for x in e["events"]])
            self.assertEqual([None, None, "closed"], [x["flow"]["end_reason"] for x in e["events"]])
            self.assertEqual(1, len(set(self.ids(e))))
            self.assertRegex(s.id, r"^[\w-]+$")
            seen += self.ids(e)[:1]
            places.append(s.id)
        self.assertEqual((3, 4), (len(set(seen)), len(set(places))))

    def test_what_is_left_out_is_said(self):
        s = self.flows()
        s.until("flows")
        for left_out, said in ((7, 7), (0xFFFFFFFF, None)):
            self.stage.tell("left-out", left_out)
            while (e := s.until("flows"))["dropped"] == 0:
                pass
            self.assertIsNone(CONTRACT.wrong({"$ref": "#/components/schemas/FlowEvents"}, e))
            self.assertEqual(said, e["dropped"])

    def test_where_it_was_it_goes_on(self):
        s = self.flows()
        s.until("flows")
        e = s.until("flows")
        s.close()
        again = self.flows(last=s.id)
        name, more = again.event()
        self.assertEqual("flows", name)
        self.assertNotIn(self.ids(e)[0], self.ids(more))
        self.assertEqual(3, len(more["events"]))  # at once, not from the next second on

    def test_where_it_cannot_go_on_it_says_so(self):
        s = self.flows()
        s.until("flows")
        self.stage.tell("life", 2)  # another store: it knows nothing of the one before
        name, reset = s.event()
        while name == "flows":
            name, reset = s.event()
        self.assertEqual(("reset", ["why"]), (name, list(reset)))
        self.assertEqual([], s.until("flows")["events"])
        self.assertEqual(3, len(s.until("flows")["events"]))
        for last in ("A" * 11, "nonsense", "%%%", "A" * 200, ""):
            with self.subTest(last=last):
                t = self.flows(last=last)
                self.assertEqual("reset" if last else "flows", t.event()[0])
                t.close()

    def test_store_goes_and_comes(self):
        s = self.flows()
        s.until("flows")
        self.stage.tell("store", 0)
        self.assertIsNone(CONTRACT.wrong({"$ref": "#/components/schemas/Unavailable"}, s.until("unavailable")))
        self.stage.tell("life", 3)
        self.stage.tell("store", 1)
        s.until("reset")
        self.assertEqual(3, len((s.until("flows"), s.until("flows"))[1]["events"]))

    def test_the_end_of_the_session(self):
        for path, begins in (("flows/live", "flows"), ("alerts/live", "alerts")):
            with self.subTest(path=path):
                self.stage.tell("no-session", 0)
                self.stage.login()
                s = self.stage.stream(path=path)
                s.until(begins)
                self.stage.tell("no-session", 1)
                self.stage.request("POST", "/api/v1/logout")
                self.assertEqual({"why": "session"}, s.until("end"))
                with self.assertRaises(EOFError):
                    s.event()
                s.close()

    def test_rights_that_end(self):
        s = self.flows()
        s.until("flows")
        self.stage.tell("refuse-grants", 1)
        self.assertEqual({"why": "role"}, s.until("end"))
        self.problem(self.stage.get("/api/v1/flows/live"), 403)
        self.stage.tell("refuse-grants", 0)

    def test_what_may_be_asked(self):
        self.problem(self.stage.get("/api/v1/flows/live", cookie=False), 401)
        self.problem(self.stage.get("/api/v1/alerts/live", cookie=False), 401)
        self.problem(self.stage.get("/api/v1/flows/live?filter=nosuch%20x"), 400, "filter")
        self.problem(self.stage.get("/api/v1/flows/live?host=x"), 400, "host")
        self.problem(self.stage.get("/api/v1/flows/live?sort=bytes"), 400, "sort")
        self.problem(self.stage.get("/api/v1/alerts/live?filter=tcp"), 400, "filter")
        self.problem(self.stage.get("/api/v1/flows/live?tenant=other"), 404)
        self.problem(self.stage.get("/api/v1/flows/live", {"Sec-Fetch-Site": "cross-site"}), 403)
        for path in ("flows/live", "alerts/live"):
            a = self.stage.request("HEAD", f"/api/v1/{path}")
            self.assertEqual((405, "GET"), (a.status, a.headers["Allow"]))
        s = self.flows("?host=10.0.0.1&application=TLS&interface=eth0&filter=tcp&tenant=customer")
        s.until("flows")
        self.assertEqual(3, len(s.until("flows")["events"]))
        t = self.stage.stream("Authorization: Bearer weir_good", path="flows/live")
        t.until("flows")
        t.close()

    def test_a_quiet_one_keeps_its_place(self):
        self.stage.tell("quiet", 1)
        s = self.flows()
        s.until("flows")
        began, first = time.monotonic(), s.id
        while s.id == first and time.monotonic() < began + 20 + PATIENCE:
            lines = s._chunk().decode()
            self.assertNotIn("event:", lines)
            s.id = (re.findall(r"^id: (.*)$", lines, re.M) or [s.id])[-1]
        self.assertNotEqual(first, s.id)

    def test_alerts(self):
        s = self.stage.stream(path="alerts/live")
        name, e = s.event()
        self.assertEqual("alerts", name)
        self.assertIsNone(CONTRACT.wrong({"$ref": "#/components/schemas/AlertEvents"}, e))
        self.assertEqual(([], 0), (e["events"], e["dropped"]))
        other = self.stage.stream(path="alerts/live")  # of the same session: it is told, too
        self.assertEqual("alerts", other.event()[0])
        other.close()
        s.close()

    def test_four_of_one_session(self):
        first = self.stage.stream("Authorization: Bearer weir_good", path="flows/live")  # of somebody else: it counts by itself
        first.until("flows")
        four = [self.flows() for _ in range(4)]
        for s in four:
            s.until("flows")
        self.problem(self.stage.get("/api/v1/flows/live"), 503)
        self.stage.stream().close()
        four[0].close()
        self.stage.until(lambda: self.opens(), "there is room again")
        first.close()

    def opens(self):
        s = self.flows()
        good = b" 200 " in s.head
        s.close()
        return good

    def sockets(self):
        return sum(os.readlink(f"/proc/{self.stage.pid}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{self.stage.pid}/fd"))

    def test_a_window_that_does_not_read(self):
        """It asks for nothing, holds nothing, and is closed."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", self.stage.https))
        s = context().wrap_socket(s)
        before = self.sockets()
        self.stage.tell("rows", 900)
        self.addCleanup(self.stage.tell, "rows", 0)
        s.sendall(f"GET /api/v1/flows/live HTTP/1.1\r\nHost: localhost\r\nCookie: {self.stage.cookie}\r\n\r\n".encode())
        end, asked = time.monotonic() + 40 + 2 * PATIENCE, []
        while self.sockets() >= before and time.monotonic() < end:
            asked.append(self.stage.counts()["recent"])
            time.sleep(0.5)
        self.assertLess(self.sockets(), before)
        self.assertLess(asked[-1] - asked[0], 12)  # it stopped asking long before it was closed
        s.close()


if __name__ == "__main__":
    unittest.main()
