"""The main job on real traffic: real clients talk to real servers over a wire that Weir watches, and the API names the applications
and hosts and counts every byte that the interface counted."""

import json
import time
import unittest

from weirlab import CLIENT, CLIENT6, PATIENCE, SERVER, SERVER6, LabTest, Weir, wait_for

PORT = "ports"
# For a monitor that does not get its share of a busy machine: what is tested is the count.
ROOMY = {"capture.kernel_buffer": "64 MiB"}


def ends(flow):
    return flow["client"]["ip"], flow["server"]["ip"], flow["server"]["port"]


def volume(flow):
    return flow["bytes"]["sent"] + flow["bytes"]["received"]


class Traffic(LabTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.lab.serve_dns()
        cls.lab.serve_ssh()
        cls.weir = Weir(cls.lab, settings=ROOMY).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface(PORT)["state"] == "up")

    def settle(self, before, kernel_before):
        """Waits until Weir has counted as many packets as the interface did; (Weir's bytes, the kernel's, packets likewise)."""
        seen = {}

        def equal():
            now, kernel = self.api.interface(PORT), self.lab.link_counters(self.lab.mon, PORT)
            seen.update(weir=(now["bytes"] - before["bytes"], now["packets"] - before["packets"]),
                        kernel=(kernel[0] - kernel_before[0], kernel[1] - kernel_before[1]), dropped=now["dropped"])
            return seen if abs(seen["weir"][0] - seen["kernel"][0]) <= 0.01 * seen["kernel"][0] and \
                abs(seen["weir"][1] - seen["kernel"][1]) <= 0.01 * seen["kernel"][1] + 2 else None
        try:
            return wait_for("the byte counts to agree within 1 %", equal)
        except AssertionError as e:
            raise AssertionError(f"{e}; {seen}; drops {json.dumps(self.api.ask('/api/v1/totals')['totals'])}") from None

    def start_counting(self):
        """Counters of both at a moment without traffic."""
        def quiet():
            k = self.lab.link_counters(self.lab.mon, PORT)
            w = self.api.interface(PORT)
            time.sleep(2.5)  # what came last is told at the end of its second, which is closed half a second late
            return (w, k) if self.lab.link_counters(self.lab.mon, PORT) == k and self.api.interface(PORT)["bytes"] == w["bytes"] else None
        return wait_for("a quiet wire", quiet, 30)

    def live_flow(self, what, match):
        """A live flow, or one that has just been kept."""
        def find():
            for path in ("/api/v1/flows", f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 5:.0f}"):
                for f in self.api.all(path, "flows"):
                    if match(f):
                        return f
            return None
        return wait_for(what, find)

    def setUp(self):
        self.began = time.time() - 1

    def test_tls_is_named_with_its_server(self):
        out = self.lab.curl("portal.weir-test.example", "/1m")
        self.assertEqual(out[:2], ["200", "1000000"])
        f = self.live_flow("the TLS flow", lambda f: f["client"]["port"] == int(out[2]) and f["server"]["port"] == 443 and f["server_name"])
        self.assertEqual(f["application"].split(".")[0], "TLS")
        self.assertEqual(f["server_name"], "portal.weir-test.example")
        self.assertEqual((f["protocol"], f["client"]["ip"], f["server"]["ip"]), ("TCP", CLIENT, SERVER))
        self.assertEqual(f["observation_point"], PORT)
        f = self.live_flow("all of its bytes", lambda f: f["client"]["port"] == int(out[2]) and f["bytes"]["received"] > 1000000)
        self.assertLess(f["bytes"]["received"], 1100000)
        self.assertLess(f["bytes"]["sent"], 100000)

    def test_tls_over_ipv6(self):
        out = self.lab.curl("mail.weir-test.example", "/1k", address=SERVER6)
        f = self.live_flow("the IPv6 flow", lambda f: f["client"]["port"] == int(out[2]) and f["server_name"])
        self.assertEqual((f["client"]["ip"], f["server"]["ip"], f["server_name"]), (CLIENT6, SERVER6, "mail.weir-test.example"))

    def test_dns(self):
        self.assertEqual(self.lab.dig("printer.weir-test.example"), SERVER)
        f = self.live_flow("the DNS flow", lambda f: f["server"]["port"] == 53 and f["protocol"] == "UDP" and f["packets"]["received"])
        self.assertEqual(f["application"].split(".")[0], "DNS")
        self.assertEqual((f["packets"]["sent"], f["packets"]["received"]), (1, 1))

    def test_ssh(self):
        self.assertEqual(self.lab.ssh("echo hello").stdout, "hello\n")
        f = self.live_flow("the SSH flow", lambda f: f["server"]["port"] == 22 and f["application"] not in (None, "Unknown"))
        self.assertEqual(f["application"], "SSH")

    def test_ping(self):
        self.lab.ping(4)
        f = self.live_flow("the ping", lambda f: f["protocol"] == "ICMP" and f["packets"]["received"] >= 4)
        self.assertEqual((f["application"], f["client"]["ip"], f["server"]["ip"]), ("ICMP", CLIENT, SERVER))
        self.assertEqual(f["bytes"]["sent"], 98 * f["packets"]["sent"])
        self.lab.ping(4, SERVER6)
        f = self.live_flow("the ping over IPv6", lambda f: f["protocol"] == "ICMPv6" and f["server"]["ip"] == SERVER6)
        self.assertEqual(f["application"], "ICMPV6")

    def test_bytes_agree_with_the_interface(self):
        """Every kind of traffic at once; the interface's counters are the judge."""
        before, kernel = self.start_counting()
        iperf, _ = self.lab.load(3, "60M")
        for i in range(8):
            self.lab.curl("portal.weir-test.example", "/5m" if i % 4 == 0 else "/1m", address=f"10.77.0.{2 + i % 3}")
            self.lab.dig(f"host{i}.weir-test.example")
        self.lab.ssh("head -c 300000 /dev/zero")
        self.lab.ping(20)
        self.assertEqual(iperf.wait(30 * PATIENCE), 0)
        seen = self.settle(before, kernel)
        self.assertGreater(seen["kernel"][0], 30e6)
        self.assertEqual(seen["dropped"] or 0, 0)

    def test_flows_add_up_to_the_interface(self):
        before, kernel = self.start_counting()
        out = self.lab.curl("portal.weir-test.example", "/5m")
        seen = self.settle(before, kernel)
        f = self.live_flow("the download", lambda f: f["client"]["port"] == int(out[2]) and f["server"]["port"] == 443 and
                           abs(volume(f) - seen["kernel"][0]) < 0.01 * seen["kernel"][0])
        self.assertGreater(f["bytes"]["received"], 5e6)

    def test_hosts_and_applications(self):
        self.lab.curl("portal.weir-test.example", "/1m")
        self.lab.dig("one.weir-test.example")
        ping = self.lab.spawn(self.lab.client, "ping", "-q", "-i", "0.2", SERVER, log="ping")  # a flow that is there while we look

        def both():
            h = {h["ip"]: h for h in self.api.all("/api/v1/hosts", "hosts")}
            there = {CLIENT, SERVER} <= set(h) and h[CLIENT]["bytes"]["received"] > 1e6 and h[SERVER]["bytes"]["sent"] > 1e6 and \
                h[CLIENT]["flows"]["client"] and h[SERVER]["flows"]["server"]
            return h if there else None
        hosts = wait_for("both hosts, what they sent and a flow", both)
        self.lab.end(ping)
        client, server = hosts[CLIENT], hosts[SERVER]
        self.assertTrue(client["local"] and server["local"])
        mac = json.loads(self.lab.exec(self.lab.client, "ip", "-j", "link", "show", "eth0").stdout)[0]["address"]
        self.assertEqual(client["mac"], mac)
        one = self.api.ask(f"/api/v1/hosts/{CLIENT}")
        self.assertEqual(one.get("host", one)["ip"], CLIENT)
        names = wait_for("the applications", lambda: (lambda n: n if {"TLS", "DNS"} <= n else None)(
            {a["name"].split(".")[0] for a in self.api.ask("/api/v1/applications")["applications"] if a["bytes"]}))
        self.assertNotIn("", names)

    def test_iperf_is_seen(self):
        said, port = self.lab.iperf("-t", "1", "-b", "40M")
        sent = said["sum_sent"]["bytes"]
        f = self.live_flow("the iperf3 flow", lambda f: f["client"]["port"] == port and f["bytes"]["sent"] > sent)
        self.assertLess(f["bytes"]["sent"], sent * 1.1)

    def test_live_then_kept(self):
        """A flow has one id, live and in history."""
        p = self.lab.spawn(self.lab.client, "ping", "-q", "-i", "0.2", "10.77.0.5", log="ping")
        live = wait_for("the live flow", lambda: [f for f in self.api.all("/api/v1/flows", "flows")
                                                  if f["protocol"] == "ICMP" and f["server"]["ip"] == "10.77.0.5"])[0]
        self.assertTrue(live["live"])
        self.assertIsNone(live["end_reason"])
        self.lab.end(p)

        def kept():
            d = self.api.all(f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 5:.0f}", "flows")
            return [f for f in d if f["id"] == live["id"] and f["end_reason"] == "idle"]
        flow = wait_for("the kept flow", kept, 20)[0]
        self.assertGreaterEqual(flow["packets"]["sent"], live["packets"]["sent"])
        by_id = self.api.ask(f"/api/v1/flows/{live['id']}")["flows"]
        self.assertEqual({f["id"] for f in by_id}, {live["id"]})
        wait_for("it to be live no more", lambda: live["id"] not in [f["id"] for f in self.api.all("/api/v1/flows", "flows")])

    def test_series(self):
        before, kernel = self.start_counting()
        began = int(time.time())
        self.lab.curl("portal.weir-test.example", "/5m")
        seen = self.settle(before, kernel)

        def enough():
            s = self.api.ask(f"/api/v1/timeseries?subject=interface&key={PORT}&from={began - 1}&to={began + 60}&resolution=1")
            total = sum(x[1] for x in s["points"])
            return s if abs(total - seen["kernel"][0]) <= 0.01 * seen["kernel"][0] else None
        s = wait_for("the series to hold the download", enough)
        self.assertEqual((s["subject"], s["key"], s["resolution"]), ("interface", PORT, 1))
        times = [x[0] for x in s["points"]]
        self.assertEqual(times, sorted(set(times)))
        for x in s["points"]:
            self.assertGreaterEqual(x[3], 0)
        for of in (f"subject=tenant&from={began - 1}&resolution=1", f"subject=interface&key={PORT}&from={began - 3600}&resolution=60"):
            wait_for(f"the series of {of}", lambda of=of: sum(x[1] for x in self.api.ask(
                f"/api/v1/timeseries?{of}&to={began + 60}")["points"]) >= 5e6)

    def test_series_of_hosts(self):
        """What hosts counted is there when the minute is over, with the way that it went; so is what follows from it."""
        # What is counted in the first moments of a minute is still of the one before, which is taken then.
        began = int(time.time()) // 60 * 60 - 60
        self.lab.curl("portal.weir-test.example", "/5m")

        def subjects(subject):
            return self.api.ask(f"/api/v1/timeseries/subjects?subject={subject}&limit=1000")["subjects"]

        def series(subject, key):
            return self.api.ask(f"/api/v1/timeseries?subject={subject}&key={key}&from={began}&to={began + 300}&resolution=60")["points"]

        def heavy():  # what came before this minute has series too, of other hosts
            keys = [s["key"] for s in subjects("host") if s["bytes"]["in"] + s["bytes"]["out"] >= 5e6]
            keys = [k for k in keys if sum(p[1] for p in series("host", k)) >= 5e6]
            return keys if len(keys) >= 2 else None
        for key in wait_for("the minutes of two hosts", heavy, 100):
            for p in series("host", key):
                self.assertEqual((p[0] % 60, p[1], p[2]), (0, p[6] + p[7], p[8] + p[9]))
        for subject in ("category", "network"):
            self.assertGreaterEqual(max(sum(p[1] for p in series(subject, s["key"])) for s in subjects(subject)), 5e6, subject)
        self.assertEqual(series("host", "192.0.2.77"), [])

    def test_live_stream(self):
        """The stream moves by the second and tells of traffic as it happens."""
        p, port = self.lab.load(60, "20M")
        seen, rates = [], []
        for event, d in self.api.events(30):
            self.assertEqual(event, "live", d)
            self.assertLessEqual({"now", "totals", "interfaces", "hosts", "applications", "flows", "drops", "components", "status"}, set(d))
            seen.append(d["now"])
            rates.append(d["totals"]["bytes_per_second"])
            if any(1.5e6 < r < 4e6 for r in rates) and len(seen) >= 3 and any(f["server"]["port"] == port for f in d["flows"]):
                break
        self.assertTrue(any(1.5e6 < r < 4e6 for r in rates), rates)
        gaps = [b - a for a, b in zip(seen, seen[1:])]
        self.assertTrue(all(0 < g < 3 * PATIENCE for g in gaps), gaps)
        self.lab.end(p)

    def test_sorted_lists_and_cursors(self):
        def many():
            self.lab.digs([f"many{i}.weir-test.example" for i in range(12)])
            return len(self.api.all("/api/v1/flows", "flows")) >= 10
        wait_for("many flows", many)

        def in_order():
            """The pages of a moment in which nothing was counted: a host that overtakes another meanwhile is on two pages or none."""
            whole = self.api.all("/api/v1/hosts?sort=bytes", "hosts")
            rows = self.api.all("/api/v1/hosts?sort=bytes", "hosts", limit=1)
            return rows if [(h["ip"], volume(h)) for h in rows] == [(h["ip"], volume(h)) for h in whole] else None
        rows = wait_for("the same hosts on pages of one", in_order, 30)
        totals = [volume(h) for h in rows]
        self.assertGreaterEqual(len({h["ip"] for h in rows}), 2)
        self.assertEqual(len({(h["ip"], h["vlan"], h["address_space"]) for h in rows}), len(rows))
        self.assertEqual(totals, sorted(totals, reverse=True))
        for path in ("/api/v1/hosts?limit=0", "/api/v1/hosts?limit=1001", "/api/v1/hosts?sort=colour", "/api/v1/flows?cursor=garbage",
                     "/api/v1/timeseries?subject=tenant&resolution=7", "/api/v1/hosts?limit=x"):
            r = self.api.get(path)
            self.assertEqual(r.status, 400, path)
            self.assertEqual(r.headers.get_content_type(), "application/problem+json")
            self.assertEqual(r.json["status"], 400)

    def test_health_names_every_process(self):
        h = wait_for("a status of ok", lambda: (lambda h: h if h["status"] == "ok" else None)(self.api.ask("/api/v1/health")))
        self.assertLessEqual({"capture@0", "engine@0", "store@0", "authd@0", "httpd@0"}, {c["name"] for c in h["components"]})
        self.assertEqual({c["state"] for c in h["components"]}, {"running"})
        self.assertEqual(self.weir.api().get("/api/v1/health").json, {"status": "ok"})

    def test_openapi_document(self):
        d = self.weir.api().get("/api/v1/openapi.json").json if self.weir.api().get("/api/v1/openapi.json").status == 200 \
            else self.api.ask("/api/v1/openapi.json")
        self.assertTrue(d["openapi"].startswith("3.1"))
        for path in ("/interfaces", "/hosts", "/flows", "/applications", "/timeseries", "/health", "/me", "/login", "/live", "/totals"):
            self.assertTrue(any(x.endswith(path) for x in d["paths"]), path)


class TwoWorkers(LabTest):
    """The same count where a fan-out group shares the frames."""

    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.lab.serve_dns()
        cls.weir = Weir(cls.lab, settings={"engine.workers": 2, **ROOMY}).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface(PORT)["state"] == "up")

    setUp = Traffic.setUp
    settle, start_counting = Traffic.settle, Traffic.start_counting

    def test_no_frame_twice_and_none_missed(self):
        before, kernel = self.start_counting()
        ports = [int(self.lab.curl("portal.weir-test.example", "/1m", address=f"10.77.0.{2 + i % 3}")[2]) for i in range(12)]
        seen = self.settle(before, kernel)
        self.assertGreater(seen["kernel"][0], 12e6)
        flows = {}

        def all_of_them():
            """A flow that ended is neither live nor kept until store's next commit: so this asks until each was seen once."""
            for path in ("/api/v1/flows", f"/api/v1/flows?from={self.began:.0f}&to={time.time() + 9:.0f}"):
                for f in self.api.all(path, "flows"):
                    if f["server"]["port"] == 443:
                        flows[f["id"]] = f
            return {f["client"]["port"] for f in flows.values() if f["bytes"]["received"] > 1e6} >= set(ports)
        wait_for("each of the flows, live or kept", all_of_them)
        self.assertEqual(sorted(f["client"]["port"] for f in flows.values()), sorted(ports))
        for f in flows.values():  # both directions in one flow
            self.assertGreater(f["bytes"]["received"], 1e6)
            self.assertGreater(f["bytes"]["sent"], 1000)
        workers = {k for k in self.weir.processes() if k[0] == "engine"}
        self.assertEqual(workers, {("engine", 0), ("engine", 1)})


if __name__ == "__main__":
    unittest.main()
