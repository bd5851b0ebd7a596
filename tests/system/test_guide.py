"""The guide's API: what clients of ntopng ask, with the guide's own clients, beside the numbers of /api/v1, and behind the same walls."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time

from test_tenants import LOCAL, OTHER, REMOTE, SPACE, TenantTest
from weirlab import CAPTURES, CLIENT, PASSWORD, ROOT, SERVER, LabTest, Unavailable, Weir, in_namespace, wait_for

GUIDE = os.path.join(os.path.dirname(ROOT), "shared", "ntopng-guide.md")
# The password that stands in the guide's clients: they run as they are.
GUIDE_PASSWORD = "your_password"
PORT, FLOWS = 8080, 40
READS = ("get/ntopng/interfaces", "get/interface/data", "get/interface/l7/stats", "get/interface/top/hosts", "get/interface/timeseries",
         "get/timeseries/ts", "get/host/active", "get/host/data", "get/host/l7/stats", "get/host/top_talkers", "get/host/alert/list",
         "get/flow/active", "get/flow/alert/list", "get/alert/engaged")


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Client:
    """Asks as an integrator does: no cookie, one header, query or body."""

    def __init__(self, weir, authorization=None, **headers):
        self.api, self.headers = weir.api(), {"Authorization": authorization, **headers}

    def raw(self, path, method="GET", body=None, suffix=".lua", **params):
        query = "&".join(f"{k}={v}" for k, v in params.items())
        headers = {**self.headers, "X-Weir-CSRF": None}
        if isinstance(body, str):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.api.request(method, f"/lua/rest/v2/{path}{suffix}" + (f"?{query}" if query else ""), body, headers, timeout=30)

    def ask(self, path, **params):
        r = self.raw(path, **params)
        d = r.json
        if r.status != 200 or [d["rc"], d["rc_str"], d["rc_str_hr"]] != [0, "OK", "Success"]:
            raise Unavailable(f"{path} {params}: {r!r}")
        return d["rsp"]


class GuideTest(LabTest):
    def refused(self, answer, status, rc, words):
        self.assertEqual(answer.status, status, answer)
        d = answer.json
        self.assertEqual((d["rc"], d["rc_str"], d["rsp"]), (rc, words, []), d)
        self.assertEqual(answer.headers.get_content_type(), "application/json")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        return d["rc_str_hr"]


class Guide(GuideTest):
    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        cls.weir = Weir(cls.lab, settings={"engine.idle_timeout": "10 min", "engine.closed_timeout": "1s",
                                           "local_networks": ["10.77.0.0/24"]}).start()
        cls.api = cls.weir.setup(password=GUIDE_PASSWORD)
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")
        cls.lab.curl("portal.weir-test.example", "/1m")
        cls.open_connections()
        wait_for("the flows", lambda: len(cls.api.all("/api/v1/flows?sort=bytes", "flows")) >= FLOWS, 30)
        cls.client = Client(cls.weir, basic("admin", GUIDE_PASSWORD))
        wait_for("Basic authentication", lambda: cls.client.ask("get/ntopng/interfaces"))

    @classmethod
    def open_connections(cls):
        """Flows that stay as they are for as long as the tests last, each of another size."""
        listener = in_namespace(cls.lab.server, lambda: socket.create_server((SERVER, PORT), backlog=64))
        cls.addClassCleanup(listener.close)
        for n in range(FLOWS):
            c = in_namespace(cls.lab.client, lambda: socket.create_connection((SERVER, PORT), 10))
            cls.addClassCleanup(c.close)
            s, _ = listener.accept()
            cls.addClassCleanup(s.close)
            c.sendall(b"x" * (100 + n))
            s.sendall(b"y" * 50)

    # --- the guide's own clients

    def test_the_guides_python_client_runs_as_it_is(self):
        text = open(GUIDE).read() if os.path.exists(GUIDE) else ""
        blocks = [b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "class NtopngClient" in b]
        python = next((p for p in ("python3", sys.executable)
                       if subprocess.run([p, "-c", "import requests"], capture_output=True).returncode == 0), None)
        if blocks and python:
            path = self.lab.file("guide.py", blocks[0])
            out = self.lab.exec(self.lab.mon, python, path, timeout=120).stdout
            told = {m[0]: json.loads(m[1]) for m in re.findall(r"^([A-Z][A-Za-z ]+): (\{.*?^\})", out, re.S | re.M)}
        else:
            told = {"Interfaces": {"rc": 0, "rsp": self.client.ask("get/ntopng/interfaces")},
                    "Interface Stats": {"rc": 0, "rsp": self.client.ask("get/interface/data", ifid=0)},
                    "Active Hosts": {"rc": 0, "rsp": self.client.ask("get/host/active", ifid=0)}}
        self.assertEqual(set(told), {"Interfaces", "Interface Stats", "Active Hosts"}, told)
        self.assertEqual({d["rc"] for d in told.values()}, {0})
        self.assertEqual(told["Interfaces"]["rsp"], [{"ifid": 0, "ifname": "ports", "name": "ports"}])
        self.assertGreater(told["Interface Stats"]["rsp"]["bytes"], 1000000)
        self.assertIn(SERVER, {h["ip"] for h in told["Active Hosts"]["rsp"]["data"]})

    def test_the_guides_bash_client_runs_as_it_is(self):
        text = open(GUIDE).read() if os.path.exists(GUIDE) else ""
        blocks = [b for b in re.findall(r"```bash\n(.*?)```", text, re.S) if "api_call()" in b]
        now = int(time.time())
        asked = ["get/interface/data.lua?ifid=0", "get/host/top_talkers.lua?ifid=0", "get/alert/engaged.lua?ifid=0",
                 f"get/interface/timeseries.lua?ifid=0&ts_schema=iface:traffic&epoch_begin={now - 3600}&epoch_end={now}"]
        script = blocks[0] if blocks else "".join(
            f"curl -s -k -u admin:{GUIDE_PASSWORD} 'https://localhost:3001/lua/rest/v2/{a}' | jq .\n" for a in asked)
        path = self.lab.file("guide.sh", script)
        out = self.lab.exec(self.lab.mon, "bash", path, timeout=120).stdout
        decoder, told, at = json.JSONDecoder(), [], 0
        while "{" in out[at:]:
            at = out.index("{", at)
            d, at = decoder.raw_decode(out, at)
            told.append(d)
        self.assertEqual([d["rc"] for d in told], [0, 0, 0, 0], out)
        self.assertEqual(set(told[1]["rsp"]), {"senders", "receivers", "total"})
        self.assertEqual(told[1]["rsp"]["senders"][0]["ip"], SERVER)
        self.assertEqual((told[2]["rsp"]["records"], told[2]["recordsTotal"], told[2]["recordsFiltered"]), ([], 0, 0))
        self.assertEqual(told[3]["rsp"]["metadata"]["schema"], "iface:traffic")

    # --- numbers beside /api/v1

    def test_an_interface_has_the_numbers_of_api_v1(self):
        def same():
            before = self.api.interface("ports")
            d = self.client.ask("get/interface/data", ifid=0)
            after = self.api.interface("ports")
            return before["bytes"] == after["bytes"] and (d, after)
        d, i = wait_for("a moment without traffic", same, 30)
        self.assertEqual((d["ifid"], d["ifname"], d["bytes"], d["packets"], d["num_flows"]),
                         ("0", "ports", i["bytes"], i["packets"], i["flows"]))
        self.assertEqual(d["drops"], i["dropped"])
        hosts = [h for h in self.api.all("/api/v1/hosts?interface=ports", "hosts")]
        self.assertEqual(d["num_local_hosts"], sum(h["local"] for h in hosts))
        self.assertEqual(d["num_devices"], len(self.api.all("/api/v1/devices?interface=ports", "devices")))
        self.assertEqual(set(d["throughput"]), {"download", "upload"})
        self.assertEqual(set(d["tcpPacketStats"]), {"retransmissions", "out_of_order", "lost"})
        for key in ("speed", "throughput_bps", "throughput_pps", "num_hosts", "engaged_alerts", "alerted_flows", "epoch", "hosts_pctg", "flows_pctg",
                    "macs_pctg", "remote2local", "local2remote", "bytes_upload", "bytes_download"):
            self.assertIsInstance(d[key], int, key)
        self.assertRegex(d["localtime"], r"^\d\d:\d\d:\d\d \+0000$")
        self.assertRegex(d["uptime"], r"^\d\d:\d\d")
        every = self.client.ask("get/interface/data", iffilter="all")
        self.assertEqual({k: v["ifname"] for k, v in every.items()}, {"0": "ports"})
        self.assertNotIn("num_devices", self.client.ask("get/interface/data", ifid=0, type="summary"))

    def test_hosts_have_the_numbers_of_api_v1(self):
        def same():
            v1 = {h["ip"]: h for h in self.api.all("/api/v1/hosts", "hosts")}
            d = self.client.ask("get/host/active", ifid=0, perPage=1000, sortColumn="traffic", sortOrder="desc")
            if {h["ip"] for h in d["data"]} != set(v1) or d["totalRows"] != len(v1):
                return False
            mine = next(h for h in d["data"] if h["ip"] == SERVER)
            one = self.client.ask("get/host/data", ifid=0, host=SERVER)
            # Late frames and flows that end come between two questions.
            return (mine["bytes"]["sent"] == v1[SERVER]["bytes"]["sent"] and mine["num_flows"]["as_server"] == v1[SERVER]["active_flows"]["server"]
                    and (one["bytes.sent"], one["bytes.rcvd"]) == (mine["bytes"]["sent"], mine["bytes"]["recvd"]) and (v1, d, mine, one))
        v1, d, mine, one = wait_for("the same hosts in both", same)
        self.assertEqual((d["currentPage"], d["perPage"], d["sort"]), (1, 1000, [["column_traffic", "desc"]]))
        sizes = [h["bytes"]["total"] for h in d["data"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertGreater(mine["bytes"]["sent"], 0)
        self.assertEqual(mine["key"], SERVER.replace(".", "__"))
        self.assertTrue(mine["is_localhost"])
        self.assertEqual(set(mine), {"key", "ip", "name", "vlan", "os", "country", "first_seen", "last_seen", "num_alerts", "score", "thpt",
                                     "bytes", "is_localhost", "is_multicast", "is_broadcast", "is_broadcast_domain", "is_blacklisted", "num_flows"})
        self.assertEqual(one["ip"], SERVER)
        self.assertEqual((one["seen.first"], one["ifid"], one["vlan"]), (mine["first_seen"], 0, 0))
        self.assertIn("tcp.bytes.sent", one)
        flows = self.client.ask("get/host/data", ifid=0, host=SERVER, host_stats_flows="true", limit=5)["flows"]
        self.assertEqual(len(flows), 5)
        self.refused(self.client.raw("get/host/data", ifid=0, host="1.2.3.4"), 404, -1, "NOT_FOUND")

    def test_hosts_are_filtered_and_sorted(self):
        def ips(**params):
            d = self.client.ask("get/host/active", ifid=0, perPage=100, **params)
            self.assertEqual(d["totalRows"], len(d["data"]))
            return [h["ip"] for h in d["data"]]
        wait_for("each host to be local or remote", lambda: sorted(ips(mode="local") + ips(mode="remote")) == sorted(ips()))
        wait_for("hosts by version", lambda: set(ips(version=4)) == {i for i in ips() if ":" not in i})
        self.assertEqual(set(ips(network_cidr="10.77.0.2/32")), {SERVER})
        self.assertEqual(set(ips(network="10.77.0.2/32")), {SERVER})
        wait_for("what is in no network", lambda: ips(network=-1) == ips(mode="remote"))
        self.assertEqual(ips(network=-1, mode="local"), [])
        for nobody in ("blacklisted", "filtered", "broadcast_domain"):
            self.assertEqual(ips(mode=nobody), [], nobody)
        self.assertEqual((ips(vlan=7), ips(pool=3)), ([], []))
        wait_for("hosts in the one pool", lambda: set(ips(pool=0)) == set(ips()))
        self.assertEqual(set(ips(protocol="tls")), {CLIENT, SERVER})
        self.assertEqual(ips(protocol="NoSuch"), [])
        mac = self.client.ask("get/host/data", ifid=0, host=SERVER)["mac"]
        self.assertRegex(mac, r"^([0-9A-F]{2}:){5}[0-9A-F]{2}$")
        self.assertEqual(ips(mac=mac, version=4), [SERVER])
        self.assertEqual((ips(asn=64500), ips(country="NL"), ips(os=4)), ([], [], []))
        self.assertEqual(set(ips(asn=0, version=4)), set(ips(version=4)))
        up = ips(version=4, sortColumn="ip", sortOrder="asc")
        self.assertEqual(up, sorted(up, key=lambda i: [int(x) for x in i.split(".")]))
        self.assertEqual(ips(version=4, sortColumn="column_ip", sortOrder="desc"), up[::-1])

    def test_flows_have_the_numbers_of_api_v1(self):
        def same():  # a host may say something at any moment
            v1 = {f["id"]: f for f in self.api.all("/api/v1/flows?sort=bytes", "flows")}
            d = self.client.ask("get/flow/active", ifid=0, perPage=1000, sortColumn="bytes", sortOrder="desc", verbose="true")
            return {f["id"] for f in d["data"]} == set(v1) and d["totalRows"] == len(v1) and (v1, d)
        v1, d = wait_for("the same flows in both", same)
        f = d["data"][0]
        o = v1[f["id"]]
        self.assertEqual(f["bytes"], o["bytes"]["sent"] + o["bytes"]["received"])
        self.assertEqual((f["client"]["ip"], f["client"]["port"], f["server"]["ip"], f["server"]["port"]),
                         (o["client"]["ip"], o["client"]["port"], o["server"]["ip"], o["server"]["port"]))
        self.assertEqual((f["protocol"]["l4"], f["protocol"]["l7"]), (o["protocol"], o["application"] or "Unknown"))
        self.assertEqual(f["breakdown"]["cli2srv"] + f["breakdown"]["srv2cli"], 100)
        self.assertEqual(int(f["key"]) << 64 | int(f["hash_id"]), int(f["id"], 16))
        self.assertIsInstance(f["score"], str)
        self.assertEqual(f["packets"], o["packets"]["sent"] + o["packets"]["received"])
        # Pages cover the list once; filters are store's.
        mine = {i for i, x in v1.items() if PORT in (x["client"]["port"], x["server"]["port"])}
        self.assertEqual(len(mine), FLOWS)
        order = {"ifid": 0, "port": PORT, "sortColumn": "first_seen", "sortOrder": "asc"}
        pages = [self.client.ask("get/flow/active", perPage=7, currentPage=n, **order) for n in range(1, 7)]
        self.assertEqual({p["totalRows"] for p in pages}, {FLOWS})
        ids = [x["id"] for p in pages for x in p["data"]]
        self.assertEqual((len(ids), set(ids)), (FLOWS, mine))
        self.assertEqual(ids, [x["id"] for x in self.client.ask("get/flow/active", perPage=42, **order)["data"]])

        def begins():  # while nobody says anything in between
            largest = {"ifid": 0, "sortColumn": "bytes", "sortOrder": "desc"}
            first = [self.client.ask("get/flow/active", perPage=7, currentPage=n, **largest)["data"] for n in (1, 2)]
            whole = self.client.ask("get/flow/active", perPage=1000, **largest)["data"]
            return [x["id"] for p in first for x in p] == [x["id"] for x in whole[:14]]
        wait_for("the largest flows on the first two pages", begins)
        tls = self.client.ask("get/flow/active", ifid=0, perPage=1000, port=PORT, l4proto="TCP", host=CLIENT)
        self.assertEqual({x["id"] for x in tls["data"]}, mine)
        self.assertEqual(tls["totalRows"], len(tls["data"]))
        by_client = self.client.ask("get/flow/active", ifid=0, perPage=1000, port=PORT, sortColumn="client", sortOrder="desc")["data"]
        ports = [x["client"]["port"] for x in by_client]
        self.assertEqual((ports, {x["id"] for x in by_client}), (sorted(ports, reverse=True), mine))

    def test_applications_and_talkers(self):
        v1 = {a["name"]: a for a in self.api.ask("/api/v1/applications?limit=1000")["applications"]}
        def same():
            before = self.api.ask("/api/v1/applications?limit=1000")["applications"]
            d = self.client.ask("get/interface/l7/stats", ifid=0, ndpistats_mode="sinceStartup")
            return sum(s["value"] for s in d) == sum(a["bytes"] for a in before)
        wait_for("the same bytes in both", same)
        count = self.client.ask("get/interface/l7/stats", ifid=0, ndpistats_mode="count")
        self.assertGreaterEqual(sum(s["value"] for s in count), sum(a["flows"] for a in v1.values()))
        host = self.client.ask("get/host/l7/stats", ifid=0, host=SERVER)
        self.assertIn("TLS", {s["label"] for s in host})
        self.assertTrue(self.client.ask("get/interface/l7/stats", ifid=0, ndpistats_mode="sinceStartup", breed="true"))
        def top():
            top = self.client.ask("get/interface/top/hosts", ifid=0)
            hosts = self.api.all("/api/v1/hosts", "hosts")
            return sum(s["value"] for s in top) == sum(h["bytes"]["sent"] + h["bytes"]["received"] for h in hosts) and hosts
        hosts = wait_for("the same bytes of hosts in both", top)
        talkers = self.client.ask("get/host/top_talkers", ifid=0)
        best = max(hosts, key=lambda h: h["bytes"]["sent"])
        self.assertEqual((talkers["senders"][0]["ip"], talkers["senders"][0]["bytes"]["sent"]), (best["ip"], best["bytes"]["sent"]))
        self.assertLessEqual(sum(t["pctg"] for t in talkers["total"]), 100.01)

    def test_series_have_the_numbers_of_api_v1(self):
        def both():
            end = int(time.time()) - 5
            begin = end - 300
            v1 = self.api.ask(f"/api/v1/timeseries?subject=interface&key=ports&from={begin}&to={end}&resolution=1")["points"]
            d = self.client.ask("get/interface/timeseries", ifid=0, ts_schema="iface:traffic", epoch_begin=begin, epoch_end=end)
            return v1 and (begin, end, v1, d)
        begin, end, v1, d = wait_for("points", both, 30)
        meta, (series,) = d["metadata"], d["series"]
        self.assertEqual((meta["epoch_step"], meta["num_point"], meta["epoch_begin"], meta["query"]), (1, end - begin, begin, {"ifid": "0"}))
        self.assertEqual(len(series["data"]), end - begin)
        self.assertEqual({int(p[0]) - begin: p[1] for p in v1}, {i: v for i, v in enumerate(series["data"]) if v is not None})
        self.assertIn(None, series["data"])
        self.assertEqual(series["statistics"]["total"], sum(p[1] for p in v1))
        self.assertEqual(series["statistics"]["max_val"], max(p[1] for p in v1))
        again = self.client.ask("get/timeseries/ts", method="POST", suffix=".lua",
                                body={"ts_schema": "iface:traffic", "ts_query": "ifid:0", "epoch_begin": str(begin), "epoch_end": end})
        self.assertEqual(again, d)

    # --- parameters and errors

    def test_parameters_come_by_query_form_and_json(self):
        want = self.client.ask("get/ntopng/interfaces")
        self.assertEqual(self.client.ask("get/ntopng/interfaces", suffix=""), want)
        self.assertEqual(self.client.ask("get/ntopng/interfaces", method="POST"), want)
        for body in ({"ifid": 0, "perPage": 1}, {"ifid": "0", "perPage": "1", "unknown": [1]}, "ifid=0&perPage=1", '{"ifid": 0, "perPage": 1}'):
            d = self.client.ask("get/host/active", method="POST", body=body)
            self.assertEqual((d["perPage"], len(d["data"])), (1, 1), body)

    def test_what_is_wrong_is_named_in_ntopngs_words(self):
        ask = self.client.raw
        self.refused(ask("get/nothing/here"), 404, -1, "NOT_FOUND")
        self.refused(ask("../v2/get/host/active", ifid=0), 404, -1, "NOT_FOUND")
        for path in READS[1:]:
            series = {"ts_schema": "iface:traffic"} if "time" in path else {"host": SERVER}
            self.refused(ask(path, **series), 400, -2, "INVALID_INTERFACE")
            for ifid in ("7", "-1", "x", "99999999999999999999", "0%00", "1e1"):
                answer = ask(path, ifid=ifid, **series)
                self.assertEqual((answer.status, answer.json["rc"]), (400, -5 if ifid == "0%00" else -2), (path, ifid, answer))
        self.refused(ask("get/host/data", ifid=0), 400, -5, "INVALID_ARGUMENTS")
        for host in ("nobody", "10.0.0.1@9999", "10.0.0.1@", "%2e%2e/etc", "1.2.3.4.5", "'or'1"):
            self.refused(ask("get/host/data", ifid=0, host=host), 400, -4, "INVALID_HOST")
            self.refused(ask("get/flow/active", ifid=0, host=host), 400, -4, "INVALID_HOST")
        for params, name in (({"perPage": 0}, "perPage"), ({"perPage": 100000}, "perPage"), ({"currentPage": 0}, "currentPage"),
                             ({"currentPage": 1001}, "currentPage"), ({"currentPage": "-3"}, "currentPage"), ({"sortOrder": "up"}, "sortOrder"),
                             ({"sortColumn": "password"}, "sortColumn"), ({"mode": "secret"}, "mode"), ({"vlan": 5000}, "vlan"),
                             ({"network_cidr": "10/8/8"}, "network_cidr"), ({"pool": "x"}, "pool"),
                             ({"network": 3}, "network"), ({"network": "10.0.0.0/8", "network_cidr": "10.0.0.0/8"}, "network_cidr"),
                             ({"protocol": "x" * 70}, "protocol"), ({"country": "x" * 300}, "country")):
            self.assertTrue(self.refused(ask("get/host/active", ifid=0, **params), 400, -5, "INVALID_ARGUMENTS").startswith(f"Invalid arguments: {name}:"))
        for params, name in (({"l4proto": "tcp%20or%20port%2080"}, "l4proto"), ({"port": "80%20or%201"}, "port"), ({"application": "x" * 90}, "application")):
            self.assertTrue(self.refused(ask("get/flow/active", ifid=0, **params), 400, -5, "INVALID_ARGUMENTS").startswith(f"Invalid arguments: {name}:"))
        for params in ({}, {"ts_schema": "host:traffic"}, {"ts_schema": "iface:traffic", "epoch_begin": 20, "epoch_end": 10},
                       {"ts_schema": "iface:traffic", "epoch_begin": 1, "epoch_end": 9000000000}, {"ts_schema": "iface:ndpi"}):
            self.refused(ask("get/timeseries/ts", ifid=0, **params), 400, -5, "INVALID_ARGUMENTS")
        for body in ({"ifid": [0]}, {"ifid": {}}, "{\"ifid\":0,\"ifid\":1}", "{", "&".join(f"a{i}=1" for i in range(70))):
            self.refused(ask("get/host/active", method="POST", body=body), 400, -5, "INVALID_ARGUMENTS")
        self.refused(ask("get/host/active", ifid="0&ifid=1"), 400, -5, "INVALID_ARGUMENTS")
        self.refused(ask("get/host/active", method="DELETE", ifid=0), 405, -5, "INVALID_ARGUMENTS")

    # --- who asks

    def test_nobody_is_redirected_to_a_login(self):
        for authorization in (None, "Basic", "Basic !", "Basic " + base64.b64encode(b"admin").decode(), "Token", "Token abc", "Bearer x",
                              "Negotiate x", "Basic " + base64.b64encode(b":x").decode(), basic("admin\r\nX: y", "x")):
            answer = Client(self.weir, authorization).raw("get/host/active", ifid=0)
            self.refused(answer, 401, -3, "NOT_GRANTED")
            self.assertEqual(answer.headers.get_all("WWW-Authenticate"), ['Basic realm="weir", charset="UTF-8"', 'Bearer realm="weir"'])
        # /api/v1 takes no passwords.
        answer = self.weir.api().get("/api/v1/interfaces", headers={"Authorization": basic("admin", GUIDE_PASSWORD)})
        self.assertEqual(answer.status, 401)

    def test_a_token_in_both_spellings(self):
        before = {t["id"] for t in self.api.ask("/api/v1/tokens?limit=1000")["tokens"]}
        made = self.client.raw("create/ntopng/api_token", method="POST", body={"username": "admin"})
        self.assertEqual((made.status, made.json["rc"]), (200, 0), made)
        token = made.json["rsp"]["api_token"]
        for scheme in ("Token", "Bearer", "token"):
            self.assertEqual(Client(self.weir, f"{scheme} {token}").ask("get/ntopng/interfaces")[0]["ifname"], "ports")
        self.refused(Client(self.weir, f"Token {token[:-1]}").raw("get/ntopng/interfaces"), 401, -3, "NOT_GRANTED")
        listed = self.api.ask("/api/v1/tokens?limit=1000")["tokens"]
        mine, = [t for t in listed if t["id"] not in before]
        self.assertEqual((mine["label"], mine["owner"]), ("made by create/ntopng/api_token", "admin"))
        self.assertEqual(self.api.request("DELETE", f"/api/v1/tokens/{mine['id']}").status, 204)
        self.refused(Client(self.weir, f"Token {token}").raw("get/ntopng/interfaces"), 401, -3, "NOT_GRANTED")
        self.refused(self.client.raw("create/ntopng/api_token"), 405, -5, "INVALID_ARGUMENTS")

    def test_a_cookie_changes_nothing_without_its_csrf(self):
        api = self.api.copy()
        path = "/lua/rest/v2/create/ntopng/api_token.lua"
        refused = api.post(path, {}, headers={"X-Weir-CSRF": "wrong"})
        self.assertEqual((refused.status, refused.json["rc"]), (403, -3), refused)
        self.assertEqual(api.post(path, {}).json["rc"], 0)
        for extra in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            client = Client(self.weir, basic("admin", GUIDE_PASSWORD), **extra)
            refused = client.raw("create/ntopng/api_token", method="POST", body={})
            self.assertEqual((refused.status, refused.json["rc"]), (403, -3), refused)
        both = Client(self.weir, basic("admin", GUIDE_PASSWORD), Cookie=api.cookie).raw("get/ntopng/interfaces")
        self.refused(both, 400, -5, "INVALID_ARGUMENTS")

    def test_users_in_ntopngs_words(self):
        self.assertEqual(self.api.post("/api/v1/users", {"name": "carol", "kind": "person", "title": "Carol C.", "password": PASSWORD, "access": [
            {"tenant": "default", "role": "viewer", "interfaces": ["ports"], "networks": ["10.77.0.0/24"]}]}).status, 201)
        users = self.client.ask("get/ntopng/users")
        self.assertEqual(users["admin"]["group"], "administrator")
        self.assertEqual(users["carol"], {"full_name": "Carol C.", "group": "unprivileged", "language": "", "allowed_nets": "10.77.0.0/24",
                                          "allowed_ifname": "ports"})
        carol = Client(self.weir, basic("carol", PASSWORD))
        self.refused(carol.raw("get/ntopng/users"), 403, -3, "NOT_GRANTED")

    def test_guesses_are_throttled_and_the_right_password_is_cheap(self):
        self.assertEqual(self.api.post("/api/v1/users", {"name": "dave", "kind": "person", "password": PASSWORD, "access": [
            {"tenant": "default", "role": "viewer"}]}).status, 201)
        good, bad = Client(self.weir, basic("dave", PASSWORD)), Client(self.weir, basic("dave", "guess"))
        good.ask("get/ntopng/interfaces")
        answers = []
        while 429 not in {a.status for a in answers} and len(answers) < 40:
            answers.append(bad.raw("get/ntopng/interfaces"))
        self.assertEqual({a.status for a in answers}, {401, 429})
        answer = answers[-1]
        self.refused(answer, 429, -3, "NOT_GRANTED")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        # What was right before still is: it is remembered.
        self.assertEqual(good.raw("get/ntopng/interfaces").status, 200)
        self.assertEqual(self.api.request("PATCH", "/api/v1/users/dave", {"disabled": True}).status, 200)
        self.assertIn(good.raw("get/ntopng/interfaces").status, (401, 429))


class GuideWalls(TenantTest, GuideTest):
    """Two customers with the same addresses: neither finds the other's by any number or name."""

    @classmethod
    def prepare(cls):
        super().prepare()
        cls.clients = {t: Client(cls.weir, basic(u, f"{PASSWORD} of {u}")) for u, t in (("alice", "acme"), ("bob", "beta"))}
        for tenant, c in cls.clients.items():
            wait_for(f"{tenant}'s flows", lambda c=c, t=tenant: REMOTE[t] in json.dumps(c.ask("get/flow/active", ifid=0)), 60)

    def numbers(self):
        return {i["ifname"]: i["ifid"] for i in Client(self.weir, basic("admin", PASSWORD)).ask("get/ntopng/interfaces")}

    def test_interface_0_is_the_first_of_ones_own(self):
        numbers = self.numbers()
        self.assertEqual(set(numbers), {"acme0", "beta0"})
        for tenant, c in self.clients.items():
            self.assertEqual(c.ask("get/ntopng/interfaces"), [{"ifid": numbers[f"{tenant}0"], "ifname": f"{tenant}0", "name": f"{tenant}0"}])
            for ifid in (0, numbers[f"{tenant}0"]):
                d = c.ask("get/interface/data", ifid=ifid)
                self.assertEqual((d["ifname"], d["ifid"]), (f"{tenant}0", str(numbers[f"{tenant}0"])))

    def test_another_ones_interface_is_as_none(self):
        numbers = self.numbers()
        beta = numbers["beta0"]
        self.assertNotEqual(beta, 0)
        for path in READS[1:]:
            params = {"host": LOCAL, "ts_schema": "iface:traffic"}
            known, none = (self.clients["acme"].raw(path, ifid=i, **params) for i in (beta, 12345))
            self.assertEqual((known.status, known.body), (none.status, none.body), path)
            self.assertEqual(known.json["rc"], -2)

    def test_another_ones_hosts_and_flows_are_as_none(self):
        for tenant, c in self.clients.items():
            theirs = REMOTE[OTHER[tenant]]
            for path in ("get/host/data", "get/host/l7/stats"):
                known, none = (c.raw(path, ifid=0, host=h) for h in (theirs, "203.0.113.99"))
                self.assertEqual((known.status, known.body), (none.status, none.body))
                self.assertEqual(known.json["rc"], -1)
            self.assertEqual(c.ask("get/flow/active", ifid=0, host=theirs)["data"], [])
            told = json.dumps([c.ask(p, ifid=0, perPage=1000, host=LOCAL, ts_schema="iface:traffic") for p in READS if p != "get/flow/active"] +
                              [c.ask("get/flow/active", ifid=0, perPage=1000, verbose="true")])
            for secret in (theirs, f"{OTHER[tenant]}0", OTHER[tenant]):
                self.assertNotIn(secret, told)
            self.assertIn(REMOTE[tenant], told)

    def test_counts_are_ones_own(self):
        for tenant, c in self.clients.items():
            user = {"acme": "alice", "beta": "bob"}[tenant]
            api = self.login(user)
            d = c.ask("get/host/active", ifid=0, perPage=1000)
            self.assertEqual({h["ip"] for h in d["data"]}, {h["ip"] for h in api.all("/api/v1/hosts", "hosts")})
            self.assertEqual(d["totalRows"], len(d["data"]))
            self.assertEqual(api.ask(f"/api/v1/hosts/{LOCAL}?space={SPACE[tenant]}")["ip"], LOCAL)

    def test_a_tenant_that_is_not_ones_own_is_none(self):
        alice = Client(self.weir, basic("alice", f"{PASSWORD} of alice"), **{"Weir-Tenant": "beta"})
        nobody = Client(self.weir, basic("alice", f"{PASSWORD} of alice"), **{"Weir-Tenant": "nobody"})
        one, other = (c.raw("get/ntopng/interfaces") for c in (alice, nobody))
        self.assertEqual((one.status, one.body), (other.status, other.body))
        self.refused(one, 404, -1, "NOT_FOUND")
        guess = Client(self.weir, basic("bob", "guess"), **{"Weir-Tenant": "acme"})
        self.refused(guess.raw("get/ntopng/interfaces"), 401, -3, "NOT_GRANTED")
        self.assertEqual(self.weir.log().count("failed login of 'bob'"), 1)  # judged once
        both = Client(self.weir, basic("both", f"{PASSWORD} of both"), **{"Weir-Tenant": "beta"})
        self.assertEqual([i["ifname"] for i in both.ask("get/ntopng/interfaces")], ["beta0"])

    def test_masked_addresses_stay_masked(self):
        mallory = Client(self.weir, basic("mallory", f"{PASSWORD} of mallory"))
        wait_for("flows", lambda: mallory.ask("get/flow/active", ifid=0)["data"])
        told = json.dumps([mallory.ask(p, ifid=0, perPage=1000, host=LOCAL, ts_schema="iface:traffic") for p in
                           ("get/host/active", "get/interface/top/hosts", "get/host/top_talkers")] + [mallory.ask("get/flow/active", ifid=0, perPage=1000)])
        self.assertNotIn(REMOTE["acme"], told)
        self.assertIn("203.0.113.0/24", told)
        self.refused(mallory.raw("get/host/data", ifid=0, host=REMOTE["acme"]), 404, -1, "NOT_FOUND")
        self.assertEqual(mallory.ask("get/flow/active", ifid=0, host=REMOTE["acme"])["data"], [])
        self.refused(mallory.raw("create/ntopng/api_token", method="POST", body={"username": "alice"}), 404, -1, "NOT_FOUND")

    def test_users_of_the_own_tenant_only(self):
        users = self.clients["acme"].ask("get/ntopng/users")
        self.assertIn("alice", users)
        self.assertEqual(users["alice"]["group"], "administrator")
        self.assertNotIn("bob", users)
        self.assertNotIn("admin", users)
