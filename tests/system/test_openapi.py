"""The document against the program: every answer goes through a reader of OpenAPI that is not ours (Prism, as a proxy), which says where
an answer, or a request that should be good, is not what httpd/openapi.json says."""

import json
import os
import re
import shutil
import subprocess
import unittest

from test_tenants import LOCAL, REMOTE, TenantTest, totp
from weirlab import PASSWORD, PATIENCE, ROOT, wait_for

HERE = os.path.join(ROOT, "tests", "openapi")
DOCUMENT = os.path.join(ROOT, "httpd", "openapi.json")
GOOD, ANY = 4010, 4011  # ports: requests are judged too; answers only

# Streams have no end, so that nothing that waits for one can look at them; /setup is over once there is an administrator.
STREAMS = {("GET", "/live"), ("GET", "/flows/live"), ("GET", "/alerts/live")}
# What an identity provider and its browsers do: test_oidc has one. The last two take no parameters and no JSON of ours.
PROVIDERS = {("GET", f"/session/oidc/{{provider}}/{step}") for step in ("start", "end")}
ARRIVALS = {("GET", "/session/oidc/{provider}/callback"), ("POST", "/session/oidc/{provider}/backchannel")}
UNPROVED = STREAMS | PROVIDERS | ARRIVALS | {("POST", "/setup")}
# What is wrong with their addresses is said before anybody asks who it is.
JUDGED_FIRST = {"/hosts/{ip}", "/flows/{id}", "/flows/top", "/timeseries/subjects", "/search", "/filter"}


def reader(name):
    """The program, as tests/openapi/package-lock.json has it."""
    path = os.path.join(HERE, "node_modules", ".bin", name)
    if not os.path.exists(path):
        raise AssertionError(f"{path} is missing: npm ci in tests/openapi (script/test does it)")
    return [shutil.which("node"), os.path.realpath(path)]


class Contract(TenantTest):
    @classmethod
    def prepare(cls):
        super().prepare()
        with open(DOCUMENT, encoding="utf-8") as f:
            cls.document = json.load(f)
        cls.seen = set()
        # Prism answers itself where credentials are missing; what Weir answers is looked at by one that does not know of any.
        open_to_all = json.loads(json.dumps(cls.document))
        for methods in open_to_all["paths"].values():
            for operation in methods.values():
                operation["security"] = []
        for port, document, more in ((GOOD, DOCUMENT, ()), (ANY, cls.lab.file("open.json", json.dumps(open_to_all)), ("--validate-request=false",))):
            p = cls.lab.spawn(cls.weir.ns, *reader("prism"), "proxy", document, f"https://127.0.0.1:{cls.weir.https}/api/v1", "--errors", "-p", port, *more,
                              log=f"prism-{port}", env={**os.environ, "NODE_TLS_REJECT_UNAUTHORIZED": "0"})

            def listens(p=p):
                with open(p.log_path, errors="replace") as f:
                    return "Prism is listening" in f.read()
            wait_for("Prism", listens, 60)

    def operation(self, method, path):
        path = path.split("?", 1)[0]
        for template in self.document["paths"]:
            if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path) and (template == path or "{" in template):
                if template == path or path not in self.document["paths"]:
                    return method, template
        raise AssertionError(f"{method} {path} is not in the document")

    def through(self, api, port, method, path, body=None, headers=None):
        answer = api.request(method, path, body, headers=headers, tls=False, port=port, timeout=30)
        if answer.body.startswith(b'{"type":"https://stoplight.io'):
            self.fail(f"{method} {path}: {json.dumps(answer.json.get('validation', answer.json), indent=1)}")
        return answer

    def good(self, api, method, path, body=None, wanted=(200, 201, 202, 204)):
        """Request and answer are as the document says, and all is well."""
        answer = self.through(api, GOOD, method, path, body)
        self.assertIn(answer.status, wanted, f"{method} {path}: {answer}")
        self.seen.add(self.operation(method, path))
        return answer

    def bad(self, api, method, path, body=None, headers=None, wanted=None):
        """The answer is one of those that the document has; below 500."""
        answer = self.through(api, ANY, method, path, body, headers)
        self.assertTrue(400 <= answer.status < 500 if wanted is None else answer.status == wanted, f"{method} {path}: {answer}")
        return answer

    # --- good ones

    def everything_that_is_read(self, api):
        def rows(path, member):
            return wait_for(path, lambda: self.good(api, "GET", path).json[member], 150)

        for path in ("/health", "/openapi.json", "/setup", "/session/providers", "/session/providers?user=alice@example.com", "/me", "/version", "/settings", "/labels", "/watched", "/alerts", "/alerts?from=1&to=2&limit=5", "/totals", "/filter",
                     "/filter?filter=src%20ip%2010.0.0.1", "/tenants?limit=2", "/tenants/acme", "/users?limit=2", "/users/alice", "/groups", "/groups/night-shift",
                     "/sessions?all=true", "/sessions?user=alice", "/tokens?all=true", "/tokens?owner=noc", "/audit?limit=50", "/audit?kind=login&actor=user:alice&from=1"):
            self.good(api, "GET", path)
        rows("/interfaces", "interfaces")
        for path, sorts in (("hosts", "bytes rate flows last score"), ("devices", "bytes first last"), ("flows", "rate bytes first last score"),
                            ("networks", "bytes packets"), ("as", "bytes packets"), ("countries", "bytes packets"), ("categories", "bytes packets")):
            for sort in sorts.split():
                cursor = self.good(api, "GET", f"/{path}?sort={sort}&order=asc&limit=1").json["next_cursor"]
                if cursor:
                    self.good(api, "GET", f"/{path}?sort={sort}&order=asc&limit=1&cursor={cursor}")
            rows(f"/{path}", path)
        rows("/applications?limit=3", "applications")
        host = rows("/hosts?interface=acme0", "hosts")[0]
        self.good(api, "GET", f"/hosts/{host['ip']}?vlan={host['vlan']}&space={host['address_space']}")
        flow = rows("/flows?interface=acme0&filter=port%208001", "flows")[0]
        self.good(api, "GET", f"/flows/{flow['id']}")
        self.good(api, "GET", f"/flows?host={LOCAL}&application=Unknown")
        rows("/flows?from=1", "flows")
        for by in ("ip,application,server_as", "client_ip,interface,vlan", "protocol,state,end_reason", "country,mac,dscp", "risk,breed,server_name", "tenant,exporter,in_interface"):
            rows(f"/flows/top?by={by}&measures=flows,bytes,packets,goodput,duration&limit=5", "groups")
        rows("/flows/top?by=application&measure=flows&bucket=600&order=asc", "groups")
        for subject in ("application", "category", "host", "network", "as", "country", "weir", "exporter", "exporter_interface"):
            listed = self.good(api, "GET", f"/timeseries/subjects?subject={subject}&limit=3").json["subjects"]
            if listed:
                more = f"&vlan={listed[0]['vlan']}&space={listed[0]['address_space']}" if subject == "host" else ""
                key = listed[0]["key"].replace("/", "%2F").replace("(", "%28").replace(")", "%29").replace(" ", "%20")
                self.good(api, "GET", f"/timeseries?subject={subject}&key={key}{more}")
        for query in ("", "?resolution=1", "?subject=interface&key=acme0&resolution=60", "?percentile=95", "?percentile=95&resolution=3600"):
            self.good(api, "GET", f"/timeseries{query}")
        for text in (LOCAL, REMOTE["acme"], "acme", flow["id"], "a", "nothing%20of%20that%20name"):
            self.good(api, "GET", f"/search?q={text}")

    def everything_that_is_written(self, api):
        for kind, key in (("host", LOCAL), ("network", "10.0.0.0/8"), ("interface", "acme0")):
            self.good(api, "PUT", "/labels", {"kind": kind, "key": key, "label": "Été"})
            self.good(api, "GET", "/labels")
            self.good(api, "PUT", "/labels", {"kind": kind, "key": key, "vlan": 0, "address_space": 0, "label": ""})
        for kind, key in (("host", "10.0.0.1"), ("network", "10.0.0.0/8")):
            self.good(api, "PUT", "/watched", {"kind": kind, "key": key})
            self.good(api, "GET", "/watched")
            self.good(api, "PUT", "/watched", {"kind": kind, "key": key, "vlan": 0, "address_space": 0, "watched": False})
        self.good(api, "POST", "/tenants", {"name": "delta", "title": "D", "selectors": [{"interface": "acme0", "vlan": 7, "network": "10.9.0.0/16"}], "address_spaces": [1], "quotas": {"series": 50}})
        self.good(api, "PATCH", "/tenants/delta", {"title": "Delta"})
        access = [{"tenant": "delta", "role": "viewer", "interfaces": ["acme0"], "exporters": ["192.0.2.1/7"], "networks": ["10.9.0.0/16"], "masked": True}]
        self.good(api, "POST", "/users", {"name": "dan", "kind": "person", "title": "Dan", "password": f"{PASSWORD} of dan", "access": access, "disabled": False})
        self.good(api, "PATCH", "/users/dan", {"title": "Daniel", "access": [{"tenant": "delta", "role": "viewer"}]})
        self.good(api, "POST", "/users/dan/password", {"password": f"{PASSWORD} of dan!"})
        self.good(api, "POST", "/groups", {"name": "days", "title": "Day", "members": ["dan"], "access": [{"tenant": "delta", "role": "operator"}]})
        self.good(api, "PATCH", "/groups/days", {"members": []})
        token = self.good(api, "POST", "/tokens", {"owner": "dan", "label": "x", "tenant": "delta", "role": "viewer", "scopes": ["traffic:read"], "expires": 4000000000, "sources": ["127.0.0.0/8"]}).json
        self.good(self.bearer(token["secret"]), "GET", "/flows")
        self.good(self.bearer(token["secret"]), "GET", "/interfaces")
        self.good(api, "DELETE", f"/tokens/{token['token']['id']}")
        self.good(api, "POST", "/apply", {"document": {"tenants": [{"name": "delta", "labels": [{"kind": "host", "key": "10.9.0.1", "label": "x"}]}]}, "dry_run": True})
        self.good(api, "POST", "/audit/anchor")
        self.good(api, "POST", "/keys/grants/rotate")
        self.good(api, "POST", "/directory/explain", {"name": "dan"}, (409,))  # there is none here
        self.somebody(api)
        self.good(api, "DELETE", "/groups/days")
        self.good(api, "DELETE", "/users/dan")
        self.good(api, "DELETE", "/tenants/delta")

    def somebody(self, api):
        """What everybody may do with the own account, and what an administrator with its sessions."""
        dan = self.weir.api()
        dan.took(self.good(dan, "POST", "/login", {"name": "dan", "password": f"{PASSWORD} of dan!"}))
        self.good(dan, "POST", "/me/password", {"old": f"{PASSWORD} of dan!", "new": f"{PASSWORD} of dan again"})
        offer = self.good(dan, "POST", "/me/second-factor", {}).json
        codes = self.good(dan, "POST", "/me/second-factor/confirm", {"code": totp(offer["secret"])}).json["recovery_codes"]
        other = self.weir.api()
        ticket = self.good(other, "POST", "/login", {"name": "dan", "password": f"{PASSWORD} of dan again"}, (202,)).json["ticket"]
        other.took(self.good(other, "POST", "/login/second-factor", {"ticket": ticket, "code": codes[0]}))
        self.good(other, "GET", "/me")
        codes = self.good(dan, "POST", "/me/second-factor/recovery", {"code": codes[1]}).json["recovery_codes"]
        self.good(dan, "POST", "/me/second-factor/remove", {"code": codes[0]})
        self.good(dan, "DELETE", "/sessions?others=true")
        self.good(dan, "POST", "/logout")
        self.good(api, "DELETE", "/users/dan/second-factor", None, (204, 404, 409))
        for path in ("/sessions?user=dan", "/sessions/{}"):
            dan = self.weir.api()
            dan.took(self.good(dan, "POST", "/login", {"name": "dan", "password": f"{PASSWORD} of dan again"}))
            session = self.good(api, "GET", "/sessions?user=dan").json["sessions"][0]["id"]
            self.good(api, "DELETE", path.format(session))

    def test_good_requests(self):
        self.everything_that_is_read(self.api)
        self.everything_that_is_written(self.api)
        everything = {(method.upper(), path) for path, methods in self.document["paths"].items() for method in methods}
        self.assertEqual(everything - self.seen, UNPROVED)

    # --- bad ones

    def addresses(self, method, path):
        """An address of the operation for something that is not there."""
        if "{" not in path:
            return path
        return re.sub(r"\{\w+\}", "nosuch", path)

    def test_bad_requests(self):
        self.cli("user", "add", "part", "--kind", "service", "--tenant", "acme", "--role", "operator", "--network", "10.0.0.0/30")
        part = self.bearer(self.token("--user", "part", "--label", "x", "--tenant", "acme")[0])
        viewer, masked, nobody, stale = self.login("bob"), self.login("mallory"), self.weir.api(), self.bearer("weir_" + 33 * "0")
        elsewhere = self.login("alice")
        elsewhere.tenant = "beta"
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                method = method.upper()
                with self.subTest(method=method, path=path):
                    if (method, path) in STREAMS | ARRIVALS:
                        continue
                    self.badly(method, path, operation, nobody=nobody, stale=stale, elsewhere=elsewhere, people=(viewer, masked, part))

    def badly(self, method, path, operation, nobody, stale, elsewhere, people):
        address = self.addresses(method, path)
        body = {} if "requestBody" in operation else None
        opened = operation["security"] == [] or {} in operation["security"]
        if not opened:
            self.bad(nobody, method, address, body, wanted=401)
            if path not in JUDGED_FIRST:
                self.bad(stale, method, address, body, wanted=401 if {"token": []} in operation["security"] else 403)
            if path not in JUDGED_FIRST and path != "/logout":
                self.bad(elsewhere, method, address, body, wanted=404)
        self.bad(nobody if opened else self.api, method, f"{address}?nonsense=1", body, wanted=400)
        if method == "GET" and not opened:
            for api in people:  # whatever they are told, it has a shape
                answer = self.through(api, ANY, method, address)
                self.assertLess(answer.status, 500, answer)
        if body is not None:
            for api in people:
                self.bad(api, method, address, {"nonsense": 1})
            self.bad(self.api if not opened else nobody, method, address, "{}", headers={"Content-Type": "text/plain"}, wanted=415)
            self.bad(self.api if not opened else nobody, method, address, "[", headers={"Content-Type": "application/json"})
            if not opened:
                self.bad(self.api, method, address, {"nonsense": 1})
                self.bad(self.api, method, address, {}, headers={"X-Weir-CSRF": "0"}, wanted=403)
        if method == "DELETE" and "{" in path:
            self.bad(self.api, method, address)

    # --- the document itself

    def test_lint(self):
        done = subprocess.run([*reader("redocly"), "lint", "--config", os.path.join(HERE, "redocly.yaml"), DOCUMENT], capture_output=True, text=True,
                              timeout=120 * PATIENCE, env={**os.environ, "REDOCLY_TELEMETRY": "off", "CI": "1"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("warning", (done.stdout + done.stderr).lower())


if __name__ == "__main__":
    unittest.main()
