"""What /api/v1 has beside traffic and administration: labels, each for who may see what they are of."""

import unittest

from test_tenants import TenantTest


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


if __name__ == "__main__":
    unittest.main()
