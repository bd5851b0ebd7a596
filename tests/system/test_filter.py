"""The filter language through the API, on flows of real clients: live and kept, page by page, with errors that say where."""

import time
import unittest
import urllib.parse

from weirlab import CLIENT, SERVER, LabTest, Weir, wait_for


class Filters(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.lab.serve_dns()
        cls.weir = Weir(cls.lab, settings={"store.commit_interval": "200ms"}).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")
        cls.began = time.time() - 300
        for i in range(12):
            cls.lab.dig(f"n{i}.weir-test.example")
        cls.lab.curl("portal.weir-test.example", "/1m")
        cls.lab.ping()

    def ask(self, text, kept=True, **more):
        q = {"filter": text, "limit": 1000, **more}
        if kept:
            q.update({"from": int(self.began), "to": int(time.time()) + 60})
        return self.api.get("/api/v1/flows?" + urllib.parse.urlencode(q))

    def flows(self, text, kept=True, **more):
        answer = self.ask(text, kept, **more)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["flows"]

    def ended(self):
        """Once all that was made has ended and is kept."""
        return wait_for("the flows in history", lambda: (lambda rows: rows if len(rows) >= 14 else None)(self.flows("ipv4")), 30)

    def test_kept_flows(self):
        everything = self.ended()
        self.assertEqual(len(self.flows("udp and dst port 53 and app DNS")), 12)
        tls = self.flows("app TLS and dst port 443 and bytes > 500k")
        self.assertEqual([(f["server"]["ip"], f["server"]["port"]) for f in tls], [(SERVER, 443)])
        self.assertEqual(tls, self.flows("sni weir-test.example and tcp"))
        self.assertEqual(tls, self.flows(f"src ip {CLIENT} and dst net {SERVER}/24 and proto tcp and flags F and not udp"))
        self.assertEqual(self.flows("sni portal.weir-test.example and bytes < 500k"), [])
        self.assertEqual(len(self.flows("icmp")), 1)
        # What a filter and its opposite let through is everything.
        for text in ("udp", "src bytes > 100", "port in [ 53 443 ]", "category Network", "duration < 100ms", "if ports", "risk any"):
            yes, no = self.flows(f"ipv4 and {text}"), self.flows(f"not ({text}) and ipv4")
            self.assertEqual(sorted(f["id"] for f in yes + no), sorted(f["id"] for f in everything), text)

    def test_pages(self):
        self.ended()
        got, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            d = self.ask("udp and port 53", limit=5, **more).json
            got += d["flows"]
            cursor = d["next_cursor"]
            if not cursor:
                break
        self.assertEqual(got, self.flows("udp and port 53"))

    def test_live_flows(self):
        self.lab.curl("mail.weir-test.example", "/1k")

        def live():
            return [f for f in self.flows("dst port 443 and tcp", kept=False) if f["server"]["port"] == 443]
        wait_for("a live flow", live)
        self.assertEqual(self.flows("dst port 1", kept=False), [])

    def test_errors_say_where(self):
        for text, at, length in (("port 443 and", 12, 0), ("udp and prot 5", 8, 4), ("port 70000", 5, 5), ('app "open', 4, 1), ("a" * 1999, 0, 1999),
                                 ("caf\u00e9 tcp", 0, 5), ("tcp \u00e9\u00e9", 4, 4)):
            answer = self.ask(text)
            self.assertEqual(answer.status, 400, text)
            e = answer.json["errors"][0]
            self.assertEqual((e["field"], e["at"], e["length"]), ("filter", at, length), text)
            self.assertTrue(answer.json["detail"].startswith("filter: "), answer.body)
            self.assertEqual(self.api.get("/api/v1/filter?" + urllib.parse.urlencode({"filter": text})).json["errors"], [e])
        self.assertEqual(self.api.get("/api/v1/flows?filter=%ff").status, 400)
        self.assertEqual(self.ask("a" * 2001).status, 400)
        # Nobody's filter is looked at before it is known who asks.
        stranger = self.weir.api()
        self.assertEqual(stranger.get("/api/v1/flows?filter=(((").status, 401)
        stranger.cookie = None
        self.assertEqual(stranger.get("/api/v1/flows?filter=(((", headers={"Cookie": "__Host-weir=" + "A" * 43}).status, 401)

    def test_words(self):
        words = {w["word"]: w for w in self.api.ask("/api/v1/filter")["words"]}
        self.assertIn("sni", words)
        self.assertTrue(words["port"]["ends"])
        self.assertFalse(words["app"]["ends"])


if __name__ == "__main__":
    unittest.main()
