"""What /api/v1 has beside traffic and administration: labels, and what is watched, each for who may see what they are of."""

import os
import re
import time
import unittest

from test_tenants import LOCAL, REMOTE, SERVER, TenantTest
from weirlab import wait_for


def named(answer):
    return {(l["kind"], l["key"], l["vlan"], l["address_space"]): l["label"] for l in answer["labels"]}


class Labels(TenantTest):
    """What a tenant calls its things: its own, in every way to ask."""

    def put(self, api, status=204, **label):
        answer = api.request("PUT", "/api/v1/labels", label)
        self.assertEqual(answer.status, status, answer)
        return answer

    def test_a_tenant_has_its_own(self):
        alice, bob, both = self.login("alice"), self.login("bob"), self.login("both")
        both.tenant = "beta"
        self.put(alice, kind="host", key="10.0.0.2", address_space=1, label="Mail été")
        self.put(alice, kind="interface", key="acme0", label="Acme's <b>uplink</b>")
        self.put(both, kind="host", key="10.0.0.2", address_space=2, label="Beta's server")
        acme = {("host", "10.0.0.2", 0, 1): "Mail été", ("interface", "acme0", 0, 0): "Acme's <b>uplink</b>"}
        self.assertEqual(named(alice.ask("/api/v1/labels")), acme)
        self.assertEqual(named(bob.ask("/api/v1/labels")), {("host", "10.0.0.2", 0, 2): "Beta's server"})
        self.assertEqual(named(self.api.ask("/api/v1/labels")), {})
        both.tenant = "acme"
        self.assertEqual(named(both.ask("/api/v1/labels")), acme)
        # A viewer names nothing; nor does anybody in a tenant that is not his, nor a page of another site.
        self.problem(self.put(bob, 403, kind="host", key="10.0.0.2", label="x"), 403)
        self.problem(self.put(both, 403, kind="host", key="10.0.0.2", label="x"), 403)
        self.problem(self.put(alice, 400, kind="host", key="10.0.0.2", label="x", tenant="beta"), 400, "tenant")
        self.problem(self.put(alice, 400, kind="host", key="10.0.0.2", label="x", tenant="nosuch"), 400, "tenant")
        self.problem(alice.request("PUT", "/api/v1/labels", {"kind": "host", "key": "10.0.0.2", "label": "x"}, headers={"X-Weir-CSRF": "0"}), 403)
        self.problem(self.put(alice, 400, kind="host", key="10.0.0.2", label="a\nb"), 400, "label")
        self.problem(self.put(alice, 400, kind="host", key="everything", label="x"), 400, "key")
        self.problem(self.put(alice, 400, kind="host", key="10.0.0.2"), 400, "label")
        self.assertEqual(named(alice.ask("/api/v1/labels")), acme)
        self.assertEqual(self.api.request("DELETE", "/api/v1/labels").headers["Allow"], "GET, HEAD, PUT")
        # What was done is in the log of whose it is.
        entries = alice.ask("/api/v1/audit?kind=label_changed")["entries"]
        self.assertEqual({e["subject"] for e in entries if e["actor"] == "user:alice"}, {"host:10.0.0.2", "interface:acme0"})
        self.assertNotIn("Beta's server", str(entries))
        # Somebody masked sees none of what is out in the world; here nothing is.
        self.put(alice, kind="host", key="203.0.113.10", address_space=1, label="Far away")
        self.assertEqual(named(self.login("mallory").ask("/api/v1/labels")), acme)
        self.put(alice, kind="host", key="203.0.113.10", address_space=1, label="")
        self.assertEqual(named(alice.ask("/api/v1/labels")), acme)

    def test_a_token_narrowed_to_a_network(self):
        alice = self.login("alice")
        self.put(alice, kind="network", key="10.3.0.0/16", label="within")
        self.put(alice, kind="network", key="10.4.0.0/16", label="beside")
        self.cli("user", "add", "part", "--kind", "service", "--tenant", "acme", "--role", "operator", "--network", "10.3.0.0/16")
        api = self.bearer(self.token("--user", "part", "--label", "x", "--tenant", "acme")[0])
        self.assertEqual(set(named(api.ask("/api/v1/labels")).values()) & {"within", "beside"}, {"within"})
        there, nowhere = (self.put(api, 404, kind="network", key=k, label="x") for k in ("10.4.0.0/16", "10.5.0.0/16"))
        self.assertEqual(there.body, nowhere.body)
        reader = self.bearer(self.token("--user", "part", "--label", "x", "--tenant", "acme", "--scope", "labels:read")[0])
        self.assertEqual(reader.get("/api/v1/labels").status, 200)
        self.problem(self.put(reader, 403, kind="network", key="10.3.0.0/16", label="x"), 403)
        self.problem(reader.get("/api/v1/flows"), 403)

    def test_the_command_line_and_a_document(self):
        self.cli("tenant", "add", "brief")
        self.cli("label", "set", "192.0.2.1", "--kind", "host", "--vlan", "7", "--label", "Printer", "--tenant", "brief")
        self.assertEqual(named(self.told("label", "list", "--tenant", "brief")), {("host", "192.0.2.1", 7, 0): "Printer"})
        self.assertIn("Printer", self.cli("label", "list", "--tenant", "brief"))
        document = self.lab.file("labels.yaml", "tenants:\n  - name: brief\n    labels:\n      - {kind: network, key: 10.0.0.0/8, label: Office}\n")
        self.assertEqual([p["changes"] for p in self.told("apply", document)["plan"]], [["labels"]])
        self.assertEqual(self.told("apply", document)["plan"], [])
        self.assertEqual(named(self.told("label", "list", "--tenant", "brief")), {("network", "10.0.0.0/8", 0, 0): "Office"})
        self.cli("label", "remove", "10.0.0.0/8", "--kind", "network", "--tenant", "brief")
        self.assertEqual(named(self.told("label", "list", "--tenant", "brief")), {})
        # A tenant of the same name is another one.
        self.cli("label", "set", "eth0", "--kind", "interface", "--label", "Old", "--tenant", "brief")
        self.cli("tenant", "remove", "brief")
        self.cli("tenant", "add", "brief")
        self.assertEqual(named(self.told("label", "list", "--tenant", "brief")), {})
        self.cli("tenant", "remove", "brief")


class Watched(TenantTest):
    """What a tenant watches has a point each second: for itself, and for nobody else."""

    @staticmethod
    def watched(api):
        return {(w["kind"], w["key"], w["address_space"]) for w in api.ask("/api/v1/watched")["watched"]}

    @staticmethod
    def seconds(api, subject, key):
        more = "&space=1" if subject == "host" else ""
        return api.ask(f"/api/v1/timeseries?subject={subject}&key={key}{more}&from={time.time() - 120:.0f}&resolution=1")["points"]

    def test_from_the_list_to_the_points(self):
        alice, bob = self.login("alice"), self.login("bob")
        put = lambda api, **what: api.request("PUT", "/api/v1/watched", what)
        wait_for("acme's host", lambda: alice.get(f"/api/v1/hosts/{LOCAL}?space=1").status == 200, 60)
        self.assertEqual(self.seconds(alice, "host", LOCAL), [])
        self.assertEqual(put(alice, kind="host", key=LOCAL, address_space=1).status, 204)
        self.assertEqual(put(alice, kind="network", key="10.0.0.0/8").status, 204)
        acme = {("host", LOCAL, 1), ("network", "10.0.0.0/8", 0)}
        self.assertEqual(self.watched(alice), acme)
        self.assertEqual([self.watched(bob), self.watched(self.api)], [set(), set()])
        for subject, key in (("host", LOCAL), ("network", "10.0.0.0/8")):
            points = wait_for(f"seconds of {key}", lambda s=subject, k=key: len(p := self.seconds(alice, s, k)) >= 3 and p, 60)
            self.assertGreater(min(p[1] for p in points), 0)
            self.assertEqual(self.seconds(bob, subject, key), [])
        # Left to the store, the answer is as fine as there is.
        fine = alice.ask(f"/api/v1/timeseries?subject=host&key={LOCAL}&space=1&from={time.time() - 120:.0f}")
        coarse = alice.ask(f"/api/v1/timeseries?subject=host&key={SERVER}&space=1&from={time.time() - 120:.0f}")
        self.assertEqual((fine["resolution"], coarse["resolution"]), (1, 60))
        # A viewer watches nothing, and what has no series is not watched.
        self.problem(put(bob, kind="host", key=LOCAL), 403)
        self.problem(put(alice, kind="network", key="10.7.0.0/16"), 400, "key")
        self.problem(put(alice, kind="interface", key="acme0"), 400, "kind")
        entries = alice.ask("/api/v1/audit?kind=watched_changed")["entries"]
        self.assertEqual({e["subject"] for e in entries}, {f"host:{LOCAL}", "network:10.0.0.0/8"})
        # It ends as it began; what there is stays for its hour.
        self.assertEqual(put(alice, kind="host", key=LOCAL, address_space=1, watched=False).status, 204)
        self.assertEqual(self.watched(alice), acme - {("host", LOCAL, 1)})
        last = self.seconds(alice, "host", LOCAL)[-1][0]
        network = wait_for("newer seconds of the network", lambda: (p := self.seconds(alice, "network", "10.0.0.0/8")[-1][0]) > last + 3 and p, 60)
        self.assertLess(self.seconds(alice, "host", LOCAL)[-1][0], network - 1)

    def test_the_command_line(self):
        self.cli("watched", "add", SERVER, "--kind", "host", "--address-space", "2", "--tenant", "beta")
        self.assertIn(SERVER, self.cli("watched", "list", "--tenant", "beta"))
        self.assertEqual(self.watched(self.login("bob")), {("host", SERVER, 2)})
        self.cli("watched", "remove", SERVER, "--kind", "host", "--address-space", "2", "--tenant", "beta")
        document = self.lab.file("watched.yaml", "tenants:\n  - name: beta\n    watched:\n      - {kind: network, key: 10.0.0.0/8}\n")
        self.assertEqual([p["changes"] for p in self.told("apply", document)["plan"]], [["watched"]])
        self.assertEqual(self.told("apply", document)["plan"], [])
        self.assertEqual(self.watched(self.login("bob")), {("network", "10.0.0.0/8", 0)})


class Entities(TenantTest):
    """Lists beside flows and hosts, and what Weir says of itself."""

    def test_where_traffic_goes(self):
        alice = self.login("alice")
        networks = wait_for("a minute of acme's networks",
                            lambda: [n for n in alice.ask("/api/v1/networks")["networks"] if sum(n["bytes_per_second"].values()) > 0], 150)
        self.assertEqual(networks[0]["key"], "10.0.0.0/8")  # beside link-local ones of IPv6, where there are
        self.assertEqual(set(networks[0]), {"key", "bytes", "packets", "bytes_per_second", "last"})
        self.assertGreater(networks[0]["bytes"]["in"], 0)
        for path in ("as", "countries", "categories"):
            rows = alice.ask(f"/api/v1/{path}")[path]
            self.assertTrue(rows, path)
            # Between two answers a minute may end.
            wait_for(f"{path}, by parts as whole", lambda: alice.all(f"/api/v1/{path}?sort=packets", path, limit=1) == alice.ask(f"/api/v1/{path}?sort=packets")[path])
        self.assertEqual((alice.ask("/api/v1/as")["as"][0]["key"], alice.ask("/api/v1/as")["as"][0]["name"]), ("0", None))
        # The other tenant has as much, of its own; who sees a part or no far addresses is not told of the whole.
        self.assertEqual(self.login("bob").ask("/api/v1/networks")["networks"][0]["key"], "10.0.0.0/8")
        self.cli("user", "add", "slice", "--kind", "service", "--tenant", "acme", "--role", "viewer", "--network", "10.0.0.0/30")
        part = self.bearer(self.token("--user", "slice", "--label", "x", "--tenant", "acme")[0])
        masked = self.login("mallory")
        self.assertEqual(part.ask("/api/v1/networks")["networks"], [])
        for path in ("as", "countries", "categories"):
            def is_of_its_flows(path=path):  # what these counted in the slice that they are in
                row, = part.ask(f"/api/v1/{path}")[path]
                flows = sum(f["bytes"]["sent"] + f["bytes"]["received"] for f in part.all("/api/v1/flows", "flows"))
                return 0 < row["bytes"]["in"] + row["bytes"]["out"] <= flows
            wait_for(f"{path} of the part's live flows", is_of_its_flows)
        self.assertEqual([masked.get(f"/api/v1/{p}").status for p in ("networks", "as", "countries", "categories")], [200, 409, 409, 200])

    def test_search(self):
        def found(api, text):
            return [(r["kind"], r["key"], r["vlan"], r["address_space"]) for r in api.ask(f"/api/v1/search?q={text}")["results"]]

        alice, bob, masked = self.login("alice"), self.login("bob"), self.login("mallory")
        far = ("host", REMOTE["acme"], 0, 1)
        wait_for("acme's hosts", lambda: far in found(alice, REMOTE["acme"]), 30)
        self.assertEqual(found(alice, LOCAL)[0], ("host", LOCAL, 0, 1))
        self.assertIn(far, found(alice, "203.0.113"))
        self.assertEqual(found(alice, "ACME")[0], ("interface", "acme0", None, None))
        flow = alice.ask("/api/v1/flows")["flows"][0]
        self.assertEqual(found(alice, flow["id"]), [("flow", flow["id"], None, None)])
        device = alice.ask("/api/v1/devices")["devices"][0]["mac"]
        self.assertIn(("device", device, None, None), found(alice, device.upper()))
        wait_for("acme's networks", lambda: ("network", "10.0.0.0/8", None, None) in found(alice, "10.0.0"), 150)
        # What is another's is as what is not there.
        for text in (REMOTE["acme"], "acme", flow["id"], device):
            self.assertEqual(found(bob, text), [], text)
            self.assertEqual([r[1] for r in found(self.api, text) if r[0] != "flow"][:1], [r[1] for r in found(alice, text) if r[0] != "flow"][:1])
        self.assertEqual(found(masked, REMOTE["acme"]), [])
        self.assertEqual(found(masked, LOCAL)[0], ("host", LOCAL, 0, 1))
        self.cli("user", "add", "narrow", "--kind", "service", "--tenant", "acme", "--role", "viewer", "--network", f"{LOCAL}/32")
        part = self.bearer(self.token("--user", "narrow", "--label", "x", "--tenant", "acme")[0])
        self.assertIn(("host", LOCAL, 0, 1), found(part, LOCAL))
        self.assertNotIn("network", [r[0] for r in found(part, "10.0.0")])
        for query in ("", "?q=", "?q=" + 64 * "x", "?q=a&q=b", "?q=%ff", "?q=a&limit=1"):
            self.problem(alice.get(f"/api/v1/search{query}"), 400)
        self.problem(self.weir.api().get("/api/v1/search?q=a"), 401)

    def test_itself(self):
        alice = self.login("alice")
        self.assertEqual(set(alice.ask("/api/v1/version")), {"version", "api", "ndpi"})
        self.problem(self.weir.api().get("/api/v1/version"), 401)
        settings = {s["key"]: s for s in self.api.ask("/api/v1/settings")["settings"]}
        self.assertEqual((settings["engine.idle_timeout"]["value"], settings["engine.idle_timeout"]["default"], settings["engine.idle_timeout"]["unit"]),
                         (30000, 60000, "milliseconds"))
        self.assertEqual((settings["address_spaces"]["value"], settings["engine.dpi"]["value"]), (["acme0=1", "beta0=2"], True))
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/CONFIG.md"), encoding="utf-8") as f:
            keys = set(re.findall(r"^\| `([^`]+)` \|", f.read(), re.M))
        self.assertEqual(set(settings), {k for k in keys if not k.startswith("oidc[]")})  # those of the providers that there are: none here
        self.problem(alice.get("/api/v1/settings"), 403)
        alerts = alice.ask("/api/v1/alerts?from=1&to=2&limit=5")
        self.assertEqual((alerts["alerts"], alerts["next_cursor"]), ([], None))
        self.problem(alice.get("/api/v1/alerts?from=2&to=1"), 400)
        self.problem(self.weir.api().get("/api/v1/alerts"), 401)

    def test_keys_and_anchors(self):
        alice = self.login("alice")
        for path in ("/api/v1/keys/grants/rotate", "/api/v1/audit/anchor"):
            self.problem(alice.post(path), 403)
        self.problem(self.api.post("/api/v1/keys/sessions/rotate"), 400, "which")
        self.assertEqual(self.api.post("/api/v1/audit/anchor").status, 204)
        self.assertEqual(self.api.post("/api/v1/keys/grants/rotate").status, 204)
        self.problem(self.api.post("/api/v1/keys/grants/rotate"), 409, "which")
        self.assertEqual(alice.get("/api/v1/flows").status, 200)
        entries = self.api.ask("/api/v1/audit?kind=key_rotated")["entries"]
        self.assertEqual(entries[0]["actor"], "user:admin")


if __name__ == "__main__":
    unittest.main()
