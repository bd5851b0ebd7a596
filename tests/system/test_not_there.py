"""What a caller may not see answers exactly as what does not exist: every route of the contract and of the guide's API is asked for another
tenant's things and for things that are nowhere, and nobody could say which was which. A route without a row here fails the test."""

import http.client
import json
import os
import re
import secrets
import time
import unittest

from test_guide import Client, basic
from test_tenants import REMOTE, TenantTest
from weirlab import PASSWORD, ROOT, Response, wait_for

# Of acme, and of nobody, in the same shape; what else there is of acme is looked up. The other tenant, beta, asks.
KNOWN = {
    "tenant": ("acme", "acne"), "user": ("alice", "alize"), "service": ("noc", "nob"), "group": ("night-shift", "night-shirt"),
    "interface": ("acme0", "acne0"), "host": (REMOTE["acme"], "203.0.113.11"), "space": ("1", "9"), "port": ("8001", "8009"),
    "network": ("203.0.113.8/29", "203.0.112.8/29"), "label": ("Lighthouse", "Lightboard"),
}

GUESS = {"title": "?"}  # a change that would be one
BETA = [{"tenant": "beta", "role": "viewer"}]

# (method, route of the contract): what may name something, each as what follows the route's fixed part, or that and a body. Every route is asked
# in another's tenant (Weir-Tenant, tenant=) beside.
HOST_KEY = {"key": "{host}", "vlan": 0, "address_space": 1}
ROWS = {
    ("GET", "/health"): [], ("GET", "/openapi.json"): [], ("GET", "/setup"): [], ("GET", "/me"): [], ("GET", "/version"): [], ("GET", "/settings"): [],
    ("GET", "/totals"): [], ("GET", "/filter"): ["?filter=src%20ip%20{host}", "?filter=interface%20{interface}"],
    ("GET", "/live"): [], ("GET", "/alerts/live"): [],
    ("GET", "/flows/live"): ["?interface={interface}", "?host={host}", "?filter=ip%20{host}", "?filter=interface%20{interface}"],
    ("GET", "/interfaces"): ["?format=csv"],
    ("GET", "/hosts"): ["?interface={interface}", "?interface={interface}&format=csv", "?cursor={hosts_cursor}"],
    ("GET", "/hosts/{ip}"): ["/{host}", "/{host}?space={space}", "/10.0.0.1?space={space}", "/{host}?vlan=0&space=2"],
    ("GET", "/devices"): ["?interface={interface}", "?interface={interface}&format=ndjson", "?cursor={devices_cursor}"],
    ("GET", "/flows"): ["?interface={interface}", "?host={host}", "?filter=ip%20{host}", "?filter=interface%20{interface}", "?filter=port%20{port}",
                        "?filter=mac%20{mac}", "?from={began}&host={host}", "?from={began}&interface={interface}", "?from={began}&filter=ip%20{host}",
                        "?from={began}&filter=port%20{port}", "?from={began}&filter=tenant%20{tenant}", "?host={host}&format=csv",
                        "?from={began}&host={host}&format=ndjson", "?cursor={flows_cursor}", "?from={began}&cursor={kept_cursor}"],
    ("GET", "/flows/top"): ["?by=ip&from={began}&to={now}&filter=ip%20{host}", "?by=application&from={began}&to={now}&interface={interface}",
                            "?by=port&from={began}&to={now}&filter=port%20{port}", "?by=tenant&from={began}&to={now}&filter=tenant%20{tenant}",
                            "?by=ip&from={began}&to={now}&filter=interface%20{interface}&format=csv"],
    ("GET", "/flows/{id}"): ["/{flow}", "/{kept}"],
    ("GET", "/applications"): ["?limit=1"],
    ("GET", "/timeseries"): ["?subject=host&key={host}", "?subject=host&key={host}&space={space}", "?subject=host&key=10.0.0.1&space={space}",
                             "?subject=interface&key={interface}", "?subject=network&key={network}", "?subject=host&key={host}&space=1&resolution=60",
                             "?subject=exporter&key={host}", "?subject=interface&key={interface}&percentile=95",
                             "?subject=host&key={host}&space=1&percentile=95", "?subject=network&key={network}&percentile=95",
                             "?subject=host&key={host}&space={space}&format=csv"],
    ("GET", "/timeseries/subjects"): ["?subject=host&cursor={subjects_cursor}", "?subject=host&format=csv"],
    ("GET", "/networks"): ["?cursor={networks_cursor}"], ("GET", "/as"): ["?limit=1"], ("GET", "/countries"): ["?limit=1"],
    ("GET", "/categories"): ["?cursor={categories_cursor}"],
    ("GET", "/search"): ["?q={host}", "?q={interface}", "?q={label}", "?q={flow}", "?q={kept}", "?q={mac}", "?q={network}", "?q={user}", "?q={tenant}"],
    ("GET", "/alerts"): ["?limit=1"],
    ("GET", "/labels"): ["?format=csv"],
    ("PUT", "/labels"): [("", {"kind": "host", **HOST_KEY, "label": "x"}), *[("", {"kind": "interface", "key": "{interface}", "label": x}) for x in ("x", "")],
                         ("", {"kind": "network", "key": "{network}", "label": ""}), ("", {"kind": "host", **HOST_KEY, "label": ""})],
    ("GET", "/watched"): [],
    ("PUT", "/watched"): [("", {"kind": "host", **HOST_KEY, "watched": w}) for w in (True, False)] +
                         [("", {"kind": "network", "key": "{network}", "watched": w}) for w in (True, False)],
    # --- who there is
    ("GET", "/tenants"): ["?cursor={tenant}"],
    ("POST", "/tenants"): [("", {"name": "{tenant}"}), ("", {"name": "gamma", "selectors": [{"interface": "{interface}"}]})],
    ("GET", "/tenants/{name}"): ["/{tenant}"], ("PATCH", "/tenants/{name}"): [("/{tenant}", GUESS)], ("DELETE", "/tenants/{name}"): ["/{tenant}"],
    ("GET", "/users"): ["?cursor={user}"],
    ("POST", "/users"): [("", {"name": "fay", "kind": "service", "access": [{"tenant": "{tenant}", "role": "viewer"}]})],
    ("GET", "/users/{name}"): ["/{user}", "/{service}"],
    ("PATCH", "/users/{name}"): [("/{user}", GUESS), ("/{user}", {"disabled": True}), ("/{user}", {"access": BETA}),
                                 ("/bob", {"access": [{"tenant": "{tenant}", "role": "viewer"}]})],
    ("DELETE", "/users/{name}"): ["/{user}", "/{service}"],
    ("POST", "/users/{name}/password"): [("/{user}/password", {"password": "six brown otters swim by"}), ("/{user}/password", {})],
    ("DELETE", "/users/{name}/second-factor"): ["/{user}/second-factor"],
    ("GET", "/groups"): ["?cursor={group}"],
    ("POST", "/groups"): [("", {"name": "days", "members": ["{user}"], "access": BETA}),
                          ("", {"name": "days", "access": [{"tenant": "{tenant}", "role": "viewer"}]})],
    ("GET", "/groups/{name}"): ["/{group}"],
    ("PATCH", "/groups/{name}"): [("/{group}", GUESS), ("/{group}", {"members": []}), ("/harbour", {"members": ["{user}"]})],
    ("DELETE", "/groups/{name}"): ["/{group}"],
    ("GET", "/sessions"): ["?user={user}", "?user={user}&format=csv", "?all=true&cursor={sessions_cursor}"],
    ("DELETE", "/sessions"): ["?user={user}"], ("DELETE", "/sessions/{id}"): ["/{session}"],
    ("GET", "/tokens"): ["?owner={service}", "?owner={user}", "?all=true&cursor={tokens_cursor}"],
    ("POST", "/tokens"): [("", {"label": "x", "owner": "{service}"}), ("", {"label": "x", "tenant": "{tenant}"}),
                          ("", {"label": "x", "interfaces": ["{interface}"], "role": "platform-administrator"})],
    ("DELETE", "/tokens/{id}"): ["/{token}"],
    ("GET", "/audit"): ["?actor=user:{user}", "?actor=token:{token}", "?cursor={audit_cursor}", "?actor=user:{user}&format=csv"],
    ("POST", "/apply"): [("", {"document": d, "dry_run": dry}) for dry in (True, False) for d in (
        {"users": [{"name": "{user}", "title": "?"}]}, {"groups": [{"name": "{group}", "title": "?"}]}, {"tenants": [{"name": "{tenant}", "title": "?"}]},
        {"users": [{"name": "bob", "access": [{"tenant": "{tenant}", "role": "viewer"}]}]}, {"groups": [{"name": "harbour", "members": ["{user}"]}]})],
    ("POST", "/audit/anchor"): [], ("POST", "/keys/{which}/rotate"): [],
    ("POST", "/directory/explain"): [("", {"name": "{user}"})],
    # --- oneself, and strangers
    ("POST", "/me/password"): [], ("POST", "/me/second-factor"): [], ("POST", "/me/second-factor/confirm"): [], ("POST", "/me/second-factor/recovery"): [],
    ("POST", "/me/second-factor/remove"): [], ("POST", "/logout"): [], ("POST", "/setup"): [], ("POST", "/login/second-factor"): [],
    ("GET", "/session/providers"): ["?user={user}"],
    # Names of people who log in are told by nothing (test_security, test_directory); providers are the platform's.
    ("POST", "/login"): [], ("GET", "/session/oidc/{provider}/start"): [], ("GET", "/session/oidc/{provider}/callback"): [],
    ("GET", "/session/oidc/{provider}/end"): [], ("POST", "/session/oidc/{provider}/backchannel"): [],
}
# Would end what the test needs, or is nobody's: not asked in another's tenant.
NOT_ASKED = {("POST", "/logout"), ("POST", "/login"), ("POST", "/setup"), ("POST", "/login/second-factor")} | {k for k in ROWS if "/oidc/" in k[1]}
# Names of users and groups are the platform's: who makes one learns that it is taken, of his own or of others' (docs/API.md).
TAKEN = [("POST", "/users", {"name": "{user}", "kind": "service", "access": BETA}), ("POST", "/groups", {"name": "{group}", "access": BETA})]

SERIES = {"ts_schema": "iface:traffic"}
GUIDE = {
    "get/ntopng/interfaces": [], "get/ntopng/users": [],
    "get/interface/data": [{"ifid": "{ifid}"}, {"ifid": "{ifid}", "type": "summary"}], "get/interface/l7/stats": [{"ifid": "{ifid}"}],
    "get/interface/top/hosts": [{"ifid": "{ifid}"}],
    "get/interface/timeseries": [{"ifid": "{ifid}", **SERIES}], "get/timeseries/ts": [{"ifid": "{ifid}", **SERIES}, {"ts_query": "ifid:{ifid}", **SERIES}],
    "get/host/active": [{"ifid": "{ifid}"}, {"ifid": 0, "network": "{host}/32"}, {"ifid": 0, "mac": "{mac}"}],
    "get/host/data": [{"ifid": 0, "host": "{host}"}, {"ifid": "{ifid}", "host": "{host}"}],
    "get/host/l7/stats": [{"ifid": 0, "host": "{host}"}, {"ifid": "{ifid}", "host": "{host}"}],
    "get/host/top_talkers": [{"ifid": "{ifid}"}], "get/host/alert/list": [{"ifid": "{ifid}"}],
    "get/flow/active": [{"ifid": "{ifid}"}, {"ifid": 0, "host": "{host}"}, {"ifid": 0, "port": "{port}"}],
    "get/flow/alert/list": [{"ifid": "{ifid}"}], "get/alert/engaged": [{"ifid": "{ifid}"}],
    "create/ntopng/api_token": [{"username": "{user}"}, {"username": "{service}"}],
}

# Of the moment, not of what was asked for: the clock, and what is left of a quota.
MOMENT = [(rb'"now":[0-9.]+', b'"now":0'), (rb'"epoch":[0-9]+', b'"epoch":0'), (rb'"epoch_(begin|end)":[0-9]+', b'"epoch":0')]
HEADERS_OF_THE_MOMENT = {"date", "ratelimit"}

PEOPLE = """
users:
  - name: olga
    kind: person
    access: [{tenant: beta, role: operator}]
  - name: anna
    kind: person
    access: [{tenant: beta, role: tenant-administrator}]
groups:
  - name: harbour
    members: [bob]
    access: [{tenant: beta, role: viewer}]
"""


def filled(template, words):
    """template with each {name} of words put in."""
    if isinstance(template, str):
        return re.sub(r"\{(\w+)\}", lambda m: words[m[1]], template)
    if isinstance(template, dict):
        return {k: filled(v, words) for k, v in template.items()}
    return [filled(v, words) for v in template] if isinstance(template, list) else template


def other_digits(text):
    """Another text of the same shape."""
    while True:
        made = "".join(secrets.choice("0123456789abcdef") if c in "0123456789abcdef" else c for c in text)
        if made != text:
            return made


class NotThere(TenantTest):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.began = int(time.time()) - 60
        cls.cli("apply", cls.lab.file("beta.yaml", PEOPLE))
        for user in ("olga", "anna"):
            cls.cli("user", "password", user, "--password-file", "-", stdin=f"{PASSWORD} of {user}\n")
        cls.callers = {u: cls.weir.login(u, f"{PASSWORD} of {u}") for u in ("bob", "olga", "anna")}
        cls.words = dict(KNOWN, began=(str(cls.began),) * 2, now=(str(cls.began + 60),) * 2)
        cls.alice = cls.weir.login("alice", f"{PASSWORD} of alice")
        cls.look_up(cls.alice)

    @classmethod
    def look_up(cls, alice):
        """What acme has, of which each kind has a twin that is nowhere."""
        kept = wait_for("kept flows", lambda: alice.ask(f"/api/v1/flows?from={cls.began}&host={REMOTE['acme']}")["flows"], 60)[0]["id"]
        live = wait_for("live flows", lambda: alice.ask("/api/v1/flows")["flows"])[0]["id"]
        mac = wait_for("devices", lambda: alice.ask("/api/v1/devices")["devices"])[0]["mac"]
        for kind, key in (("host", REMOTE["acme"]), ("network", KNOWN["network"][0]), ("interface", "acme0")):
            space = {"address_space": 1} if kind == "host" else {}
            answer = alice.request("PUT", "/api/v1/labels", {"kind": kind, "key": key, "label": "Lighthouse", **space})
            assert answer.status == 204, answer
        assert alice.request("PUT", "/api/v1/watched", {"kind": "host", "key": REMOTE["acme"], "address_space": 1}).status == 204
        token = cls.told("token", "add", "--user", "noc", "--label", "theirs", "--tenant", "acme")["token"]["id"]
        session = alice.ask("/api/v1/sessions")["sessions"][0]["id"]
        for kind, text in (("kept", kept), ("flow", live), ("mac", mac), ("token", token), ("session", session)):
            cls.words[kind] = (text, other_digits(text))
        numbers = {i["ifname"]: i["ifid"] for i in cls.guide("alice").ask("get/ntopng/interfaces")}
        mine = cls.guide("anna").ask("get/ntopng/interfaces")[0]["ifid"]
        # 0 is the first that the caller may see, whichever that is.
        cls.words["ifid"] = (str(numbers["acme0"] if numbers["acme0"] != 0 else 12344), "12345")
        assert mine != numbers["acme0"]
        cls.look_up_cursors(alice)

    @classmethod
    def look_up_cursors(cls, alice):
        """Places in acme's lists, and the same with another end."""
        for name, path in (("hosts", "hosts?limit=1"), ("devices", "devices?limit=1"), ("flows", "flows?limit=1"), ("kept", f"flows?from={cls.began}&limit=1"),
                           ("subjects", "timeseries/subjects?subject=host&limit=1"), ("networks", "networks?limit=1"), ("categories", "categories?limit=1"),
                           ("sessions", "sessions?all=true&limit=1"),
                           ("tokens", "tokens?all=true&limit=1"), ("audit", "audit?limit=1")):
            d = alice.ask(f"/api/v1/{path}")
            cursor = d.get("next_cursor") or d.get("cursor")
            cls.words[f"{name}_cursor"] = (cursor, cursor[:8] + other_digits(cursor[8:-8]) + cursor[-8:]) if cursor else ("00" * 40,) * 2

    @classmethod
    def guide(cls, user):
        return Client(cls.weir, basic(user, f"{PASSWORD} of {user}"))

    # --- telling apart

    def shown(self, answer, side):
        """All of an answer but the moment and the name that was asked for."""
        body = answer.body
        length = answer.headers["Content-Length"]
        self.assertIn(length, (None, str(len(body))))
        for pattern, put in MOMENT:
            body = re.sub(pattern, put, body)
        headers = sorted((k, re.sub(r"\d{8}T\d{6}Z", "", v)) for k, v in answer.headers.items() if k.lower() not in HEADERS_OF_THE_MOMENT)
        text = json.dumps([answer.status, headers, body.decode("latin-1")])
        for theirs, nobodys in sorted(self.words.values(), reverse=True) if side == 0 else ():
            if len(theirs) > 3:
                text = text.replace(theirs, nobodys)
        return text

    def the_same(self, what, ask):
        """ask(words) of another's and of nobody's: what they are told is the same, as soon as nothing of the own changes in between."""
        sides = [{k: v[side] for k, v in self.words.items()} for side in (0, 1)]
        last = []

        def both():
            last[:] = [self.shown(ask(words), side) for side, words in enumerate(sides)]
            return last[0] == last[1]
        with self.subTest(what):
            try:
                wait_for(what, both, 2)
            except AssertionError:
                self.fail("told apart:\n  {}\n  {}".format(*(t[:1200] for t in last)))

    def first_event(self, api, path, headers):
        """Of what may be a stream: the head, and the first event."""
        c = api.connect()
        try:
            c.sendall((f"GET {path} HTTP/1.1\r\nHost: {api.host}:{api.port}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in {**api.identity(), **headers}.items()) +
                       "\r\n").encode())
            f = c.makefile("rb")
            status = int(f.readline().split()[1])
            head = http.client.parse_headers(f)
            return Response(status, head, f.read(int(head["Content-Length"] or f.readline(), 10 if head["Content-Length"] else 16)))
        finally:
            c.close()

    def ask(self, api, method, path, body=None, headers=None):
        if path.split("?")[0] in ("/live", "/flows/live", "/alerts/live"):
            return self.first_event(api, f"/api/v1{path}", headers or {})
        return api.request(method, f"/api/v1{path}", body, headers=headers)

    # --- the contract

    def operations(self):
        with open(os.path.join(ROOT, "httpd", "openapi.json"), encoding="utf-8") as f:
            return {(method.upper(), path): operation for path, methods in json.load(f)["paths"].items() for method, operation in methods.items()}

    def everything_of_acme(self):
        """As the platform sees it: what another may have changed."""
        return [self.api.ask(f"/api/v1/{p}") for p in ("tenants/acme", "users/alice", "users/noc", "groups/night-shift", "groups/harbour", "tokens?owner=noc")] + [
            self.alice.ask(f"/api/v1/{p}") for p in ("labels", "watched")] + [
            [s["id"] for s in self.api.ask("/api/v1/sessions?user=alice")["sessions"] if s["id"] == self.words["session"][0]]]

    def test_every_route_of_the_contract(self):
        operations = self.operations()
        self.assertEqual(set(operations) ^ set(ROWS), set(), "routes without a row, rows without a route")
        before = self.everything_of_acme()
        for user, api in self.callers.items():
            for (method, route), row in ROWS.items():
                for probe in row:
                    rest, body = probe if isinstance(probe, tuple) else (probe, None)
                    path = route.split("/{")[0] + rest
                    self.the_same(f"{user}: {method} {path} {body or ''}", lambda w, m=method, p=path, b=body, a=api: self.ask(a, m, filled(p, w), filled(b, w)))
        self.assertEqual(self.everything_of_acme(), before)

    def test_every_route_in_anothers_tenant(self):
        for user, api in self.callers.items():
            for (method, route), operation in self.operations().items():
                if (method, route) in NOT_ASKED:
                    continue
                path = re.sub(r"\{\w+\}", "nosuch", route)
                body = {} if "requestBody" in operation else None
                self.the_same(f"{user}: {method} {route} in another's tenant",
                              lambda w, m=method, p=path, b=body, a=api: self.ask(a, m, p, b, {"Weir-Tenant": w["tenant"]}))
                if method == "GET":
                    self.the_same(f"{user}: GET {route}?tenant= of another's", lambda w, p=path, a=api: self.ask(a, "GET", f"{p}?tenant={w['tenant']}"))

    def test_what_was_asked_is_logged_alike(self):
        """A tenant's administrator reads the own log: what was refused there of another's and of nobody's is as many lines of the same words."""
        anna = self.callers["anna"]
        since = anna.ask("/api/v1/audit?limit=1")["entries"][0]["time"]
        for method, path, body in (("PATCH", "/users/{user}", GUESS), ("DELETE", "/users/{user}", None), ("GET", "/groups/{group}", None), ("DELETE", "/tokens/{token}", None),
                                   ("POST", "/users/{user}/password", {}), ("GET", "/tokens?owner={service}", None), ("DELETE", "/sessions/{session}", None)):
            self.the_same(f"{method} {path}", lambda w, m=method, p=path, b=body: self.ask(anna, m, filled(p, w), b))
        lines = [json.dumps({k: v for k, v in e.items() if k not in ("time", "sequence")}) for e in anna.ask("/api/v1/audit?limit=1000")["entries"] if e["time"] > since]
        of = [[], []]
        for line in lines:
            for theirs, nobodys in self.words.values():
                if len(theirs) > 3 and theirs != nobodys and (theirs in line or nobodys in line):
                    of[theirs not in line].append(line.replace(theirs, nobodys))
                    break
        self.assertEqual(sorted(of[0]), sorted(of[1]))

    def test_a_name_that_is_taken(self):
        """Users and groups have one name on the whole platform, so that who makes one learns that it is taken; nothing of whose it is."""
        for method, path, body in TAKEN:
            for user in ("bob", "olga"):
                self.the_same(f"{user}: {method} {path}", lambda w, m=method, p=path, b=body, a=self.callers[user]: self.ask(a, m, p, filled(b, w)))
            other = {**body, "name": {"{user}": "olga", "{group}": "harbour"}[body["name"]]}
            theirs, own = (self.ask(self.callers["anna"], method, path, filled(b, {k: v[0] for k, v in self.words.items()})) for b in (body, other))
            self.assertEqual((self.problem(theirs, 409, "name"), theirs.status), (self.problem(own, 409, "name"), own.status))

    # --- the guide's API

    def test_every_endpoint_of_the_guide(self):
        with open(os.path.join(ROOT, "httpd", "guide_routes.c"), encoding="utf-8") as f:
            served = set(re.findall(r'\{ "((?:get|create)/[\w/]+)"', f.read()))
        self.assertEqual(served ^ set(GUIDE), set(), "endpoints without a row, rows without an endpoint")
        for user in self.callers:
            client = self.guide(user)
            for path, row in GUIDE.items():
                for params in row:
                    # By query, and in a body.
                    if path.startswith("get/"):
                        self.the_same(f"{user}: {path} {params}", lambda w, p=path, q=params, c=client: c.raw(p, **filled(q, w)))
                    self.the_same(f"{user}: POST {path} {params}", lambda w, p=path, q=params, c=client: c.raw(p, method="POST", body=filled(q, w)))
                for method in ("GET", "POST"):
                    self.the_same(f"{user}: {method} {path} in another's tenant", lambda w, m=method, p=path, u=user: Client(
                        self.weir, basic(u, f"{PASSWORD} of {u}"), **{"Weir-Tenant": w["tenant"]}).raw(p, method=m, body={} if m == "POST" else None))


if __name__ == "__main__":
    unittest.main()
