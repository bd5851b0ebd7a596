"""People of an OpenID Connect provider log in, get what their groups give, and lose it; whatever is wrong is told to the record alone."""

import http.client
import json
import os
import socket
import urllib.parse

from oidc_provider import Provider
from people import FarApi, in_browser
from test_tenants import totp
from weirlab import PASSWORD, PATIENCE, ROOT, LabTest, Weir, in_namespace, run, wait_for, weir_binary

LOGIN, SESSION = "__Host-weir-login", "__Host-weir"
NAVIGATION = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}


class Browser:
    """Keeps cookies, and goes where it is sent, one step at a time. Each has an address of its own: what one does wrong slows down no other."""

    def __init__(self, weir):
        self.weir, self.api, self.cookies = weir, FarApi(weir.ns, "127.0.0.1", weir.https), {}

    def weir_get(self, path, **headers):
        jar = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        r = self.api.request("GET", path, headers={**({"Cookie": jar} if jar else {}), **headers}, timeout=60)
        for line in r.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            value = rest.split(";", 1)[0]
            assert "Secure" in line and "HttpOnly" in line and "Path=/;" in line and "SameSite=" in line, line
            assert ("Lax" if name == LOGIN else "Strict") in line, line
            if value == "":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return r

    def start(self, provider="corp"):
        """Where the provider is asked to log somebody in."""
        r = self.weir_get(f"/api/v1/session/oidc/{provider}/start")
        assert r.status == 303, r
        return r.headers["Location"]

    def visit(self, url):
        """Where the provider sends the browser back to."""
        u = urllib.parse.urlsplit(url)
        c = http.client.HTTPConnection(u.hostname, u.port)
        c.sock = in_namespace(self.weir.ns, lambda: socket.create_connection((u.hostname, u.port), 10 * PATIENCE))
        try:
            c.request("GET", f"{u.path}?{u.query}")
            r = c.getresponse()
            r.read()
            assert r.status in (302, 303), r.status
            return r.headers["Location"]
        finally:
            c.close()

    def back(self, url):
        """What Weir says to it: where to go on."""
        u = urllib.parse.urlsplit(url)
        r = self.weir_get(f"{u.path}?{u.query}", **NAVIGATION)
        assert r.status == 303, r
        assert r.body == b"", r
        return r.headers["Location"]

    def login(self, provider="corp"):
        url = self.start(provider)
        return url if url.startswith("/") else self.back(self.visit(url))  # "/...": the provider cannot be asked

    def get(self, path):
        return self.weir_get(path, **{"Sec-Fetch-Site": "same-origin"})

    def post(self, path, body, csrf="1"):
        jar = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        return self.api.request("POST", path, body, {"Cookie": jar, "X-Weir-CSRF": csrf})

    def me(self):
        return self.get("/api/v1/me")


class OidcTest(LabTest):
    @classmethod
    def prepare(cls):
        cls.provider = in_namespace(cls.lab.mon, lambda: Provider(port=8470)).start()
        cls.other = in_namespace(cls.lab.mon, lambda: Provider(port=8471, client="weir-2")).start()
        cls.secret = cls.lab.file("client-secret", cls.provider.secret + "\n", 0o600)
        cls.weir = Weir(cls.lab, settings={"dial.allow": ["127.0.0.0/8"], "engine.dpi": False, "httpd.rate_address": 0, "oidc": [
            cls.settings("corp", cls.provider, label="Corporate login", domains=["example.com"], groups=["noc => operators", "readers => viewers"]),
            cls.settings("other", cls.other, button=False, domains=["example.org"], groups=["noc => operators", "noc => guests"], tenants=["guests"]),
        ]}).start()
        cls.api = cls.weir.setup()
        cls.admin("tenant", "add", "guests")
        for name, tenant, role in (("operators", "*", "operator"), ("viewers", "*", "viewer"), ("guests", "guests", "viewer")):
            cls.admin("group", "add", name, "--tenant", tenant, "--role", role)

    @classmethod
    def settings(cls, name, provider, **others):
        return {"name": name, "issuer": provider.issuer, "client_id": provider.client, "client_secret_file": cls.secret, "insecure": True, "timeout": "3s",
                "interval": "2h", **others}

    @classmethod
    def admin(cls, *words, check=True):
        done = run(weir_binary(), *words, "--json", "-c", cls.weir.config(), check=check)
        return json.loads(done.stdout) if done.stdout.strip() and done.returncode == 0 else done

    @classmethod
    def tearDownClass(cls):
        cls.provider.stop()
        cls.other.stop()
        super().tearDownClass()

    def setUp(self):
        self.is_user("alice")

    def is_user(self, name, provider=None, **claims):
        (provider or self.provider).control(
            user={"sub": f"sub-{name}", "preferred_username": name, "name": name.title(), "groups": ["noc"], **claims}, faults={})

    def browser(self):
        return Browser(self.weir)

    def turned_away(self, why, attempt=Browser.login, where="/?login=failed"):
        """The stranger hears what every stranger hears. What the record has to say of it: for recorded()."""
        b = self.browser()
        self.assertEqual(attempt(b), where)
        self.assertNotIn(SESSION, b.cookies)
        return b.api.source, why

    def recorded(self, *told):
        def is_there(address, why):
            return any(e["address"] == address and why in (e["detail"] or "") for e in self.api.audit(kind="login_failed"))
        for address, why in told:
            wait_for(f"the record of {why!r}", lambda a=address, w=why: is_there(a, w))

    def refused(self, *how, **more):
        self.recorded(self.turned_away(*how, **more))


class Oidc(OidcTest):
    def test_who_is_in_a_group_comes_in_with_its_role(self):
        b = self.browser()
        self.assertEqual(b.login(), "/")
        self.assertNotIn(LOGIN, b.cookies)
        me = b.me()
        self.assertEqual((me.status, me.json["name"], me.json["role"]), (200, "alice", "operator"))
        user = self.api.ask("/api/v1/users/alice")["user"]
        self.assertEqual((user["groups"], user["provider"], user["title"]), (["operators"], "corp", "Alice"))
        kinds = [(e["kind"], e["detail"]) for e in self.api.audit(actor="user:alice")]
        self.assertIn(("user_added", "by the provider 'corp'"), kinds)
        self.assertTrue(any(k == "login" for k, _ in kinds))
        session = self.api.ask("/api/v1/sessions?user=alice")["sessions"][0]
        self.assertLessEqual(session["expires"] - session["created"], 2 * 3600 + 1)

    def test_what_is_sent_to_the_provider(self):
        u = urllib.parse.urlsplit(self.browser().start())
        q = dict(urllib.parse.parse_qsl(u.query))
        self.assertEqual(f"{u.scheme}://{u.netloc}{u.path}", self.provider.issuer + "/authorize")
        self.assertEqual((q["response_type"], q["client_id"], q["code_challenge_method"]), ("code", "weir", "S256"))
        self.assertEqual(q["redirect_uri"], f"https://127.0.0.1:{self.weir.https}/api/v1/session/oidc/corp/callback")
        for secret in ("state", "nonce", "code_challenge"):
            self.assertEqual(len(q[secret]), 43)

    def test_providers_are_told(self):
        api = self.weir.api()
        self.assertEqual(api.ask("/api/v1/session/providers"), {"providers": [{"name": "corp", "label": "Corporate login"}], "chosen": None})
        self.assertEqual(api.ask("/api/v1/session/providers?user=bob@EXAMPLE.com")["chosen"], "corp")
        hidden = api.ask("/api/v1/session/providers?user=bob@example.org")
        self.assertEqual((hidden["chosen"], [p["name"] for p in hidden["providers"]]), ("other", ["corp", "other"]))
        self.assertEqual(api.get("/api/v1/session/oidc/nobody/start").status, 404)
        self.assertEqual(api.get("/api/v1/session/oidc/corp/start", headers={"Sec-Fetch-Site": "cross-site"}).status, 403)
        self.assertEqual(api.request("HEAD", "/api/v1/session/oidc/corp/start").status, 405)

    def test_a_login_comes_back_once_and_to_who_began_it(self):
        b = self.browser()
        url = b.visit(b.start())
        kept = dict(b.cookies)
        stranger = self.browser()
        self.assertEqual(stranger.back(url), "/?login=failed")  # another browser
        self.assertEqual(b.back(url), "/")
        b.cookies = {**kept}
        self.refused("came back before", lambda n: (n.cookies.update(kept), n.back(url))[1])
        # The other provider's callback, the code of another login, a state that is none.
        self.refused("did not begin", lambda n: n.back(n.visit(n.start()).replace("/corp/", "/other/")))
        self.refused("did not begin", lambda n: n.back(n.visit(n.start()).replace("state=", "state=x")))
        self.refused("did not begin", lambda n: n.back(n.visit(n.start()) + "&state=twice"))

        def swapped(n):
            mine, his = n.start(), self.browser().start()
            code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(n.visit(his)).query))["code"]
            own = urllib.parse.urlsplit(n.visit(mine))
            q = {**dict(urllib.parse.parse_qsl(own.query)), "code": code}
            return n.back(f"{own.scheme}://{own.netloc}{own.path}?{urllib.parse.urlencode(q)}")
        self.refused("code", swapped)  # PKCE: the provider does not take it

    def test_no_other_page_fails_logins_of_its_readers(self):
        b = self.browser()
        url = urllib.parse.urlsplit(b.visit(b.start()))
        for dest in ("image", "iframe", "empty"):
            r = b.weir_get(f"{url.path}?state=x&code=y", **{**NAVIGATION, "Sec-Fetch-Dest": dest})
            self.assertEqual(r.status, 403, dest)
        # What it fails by itself is recorded, and that alone.
        self.assertEqual(b.back(f"{url.path}?state=x&code=y"), "/?login=failed")
        failed = wait_for("the record", lambda: [e for e in self.api.audit(kind="login_failed") if e["address"] == b.api.source])
        self.assertEqual(len(failed), 1, failed)
        self.assertEqual(b.login(), "/")

    def test_another_provider_cannot_answer(self):
        def mixed(n):
            url = n.visit(n.start())
            return n.back(url.replace(urllib.parse.quote(self.provider.issuer, safe=""), urllib.parse.quote(self.other.issuer, safe="")))
        self.refused("another provider's (iss)", mixed)
        self.refused("does not say whose", lambda n: n.back("&".join(p for p in n.visit(n.start()).split("&") if not p.startswith("iss="))))

    def test_a_refusal_of_the_provider_is_recorded_without_its_bytes(self):
        def denied(n):
            q = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(n.start()).query))
            return n.back(f"{q['redirect_uri']}?error=access_denied%22%C3%A4&state={q['state']}")
        self.refused("the provider sent an error: access_denied", denied)

    def test_tokens_that_are_not_good(self):
        told = []
        for faults, why in (({"none": True}, "alg is none"), ({"hs256": True}, "alg is HS256"), ({"bad_signature": True}, "signature"),
                            ({"claims": {"aud": "somebody-else"}}, "for another client"), ({"claims": {"iss": "http://127.0.0.1:9"}}, "of another issuer"),
                            ({"claims": {"nonce": "of another login"}}, "nonce"), ({"expired": 3600}, "it ended 3600 s ago"), ({"clock": 600}, "clocks of the provider and of this machine differ"),
                            ({"unknown_kid": True}, "does not publish"), ({"twice": True}, "the token is none: its claims"), ({"oversize": True}, "longer than 16384 bytes")):
            with self.subTest(faults):
                self.is_user("alice")
                self.provider.faults = faults
                told.append(self.turned_away(why))
        self.recorded(*told)

    def test_a_key_that_changed_is_fetched(self):
        self.assertEqual(self.browser().login(), "/")
        self.provider.rotate()
        # Keys are fetched again at most once in a while, whoever asks.
        wait_for("the new key to be known", lambda: self.browser().login() == "/", 90)

    def test_a_provider_that_is_down(self):
        for faults, why in (({"down": "token"}, "Empty reply"), ({"silent": "token"}, "no answer in time"), ({"half": "token"}, "bytes remaining"),
                            ({"status": {"token": 500}}, "status 500, server_error")):
            with self.subTest(faults):
                self.provider.faults = faults
                self.refused(why, where="/?login=unavailable")
        self.is_user("alice")
        self.assertEqual(self.browser().login(), "/")

    def test_names_are_nobody_elses(self):
        self.is_user("admin", groups=["noc"])
        self.refused("an account named 'admin' is there already")
        self.is_user("alice")
        self.assertEqual(self.browser().login(), "/")
        # Another person, whom the provider calls alice now, and the same one, who is called otherwise.
        self.is_user("alice", sub="sub-somebody-else")
        self.refused("an account named 'alice' is there already")
        self.is_user("alice", preferred_username="alice-married")
        b = self.browser()
        self.assertEqual(b.login(), "/")
        self.assertEqual(b.me().json["name"], "alice")

    def test_groups_give_and_take(self):
        self.is_user("gina", groups=["readers", "noc"])
        b = self.browser()
        self.assertEqual(b.login(), "/")
        self.assertEqual(b.me().json["role"], "operator")
        self.is_user("gina", groups=["readers"])
        again = self.browser()
        self.assertEqual(again.login(), "/")
        self.assertEqual(again.me().json["role"], "viewer")
        wait_for("the first session to have no more", lambda: b.me().json["role"] == "viewer")
        self.is_user("gina", groups=["cooks"])
        self.refused("is in no group that oidc[].groups of 'corp' names")

    def test_groups_that_are_elsewhere_are_asked_for(self):
        self.is_user("olga", groups=["noc"])
        self.provider.faults = {"groups_elsewhere": True}
        b = self.browser()
        self.assertEqual(b.login(), "/")
        self.assertEqual(b.me().json["role"], "operator")

    def test_a_provider_lets_into_its_tenants_only(self):
        secret = self.other.secret
        self.assertEqual(secret, self.provider.secret)
        self.is_user("gus", provider=self.other)
        b = self.browser()
        self.assertEqual(b.login("other"), "/")
        self.assertEqual(self.api.ask("/api/v1/users/gus")["user"]["groups"], ["guests"])
        self.assertEqual((b.me().json["tenant"], b.me().json["role"]), ("guests", "viewer"))

    def test_a_password_is_nobodys(self):
        self.assertEqual(self.browser().login(), "/")

        for name in ("alice", "bob@example.com"):
            self.assertEqual(self.browser().post("/api/v1/login", {"name": name, "password": "provider"}).status, 401)
        self.assertEqual(self.api.post("/api/v1/users/alice/password", {}).status, 409)

    def test_a_disabled_account_stays_out(self):
        self.is_user("dora")
        self.assertEqual(self.browser().login(), "/")
        self.admin("user", "set", "dora", "--disable")
        self.refused("the account is disabled")

    def test_logging_out_goes_on_at_the_provider(self):
        b = self.browser()
        self.assertEqual(b.login(), "/")
        where = b.get("/api/v1/session/oidc/corp/end").headers["Location"]
        u = urllib.parse.urlsplit(where)
        self.assertEqual(dict(urllib.parse.parse_qsl(u.query)), {"client_id": "weir", "post_logout_redirect_uri": f"https://127.0.0.1:{self.weir.https}/"})
        self.assertEqual(b.visit(where), f"https://127.0.0.1:{self.weir.https}/")

    def tell_logout(self, token, provider="corp"):
        def ask():
            r = self.weir.api().request("POST", f"/api/v1/session/oidc/{provider}/backchannel", urllib.parse.urlencode({"logout_token": token}),
                                        {"Content-Type": "application/x-www-form-urlencoded", "X-Weir-CSRF": None}, timeout=30)
            return r if r.status != 503 else None
        r = wait_for("an answer to a logout", ask, 30)
        self.assertEqual(r.headers["Cache-Control"], "no-store")
        return r.status

    def test_a_logout_there_ends_the_session_here(self):
        self.is_user("lea")
        first, second = self.browser(), self.browser()
        self.assertEqual(first.login(), "/")
        self.is_user("lars")
        self.assertEqual(second.login(), "/")
        self.assertEqual(self.tell_logout("no.token.atall"), 400)
        self.assertEqual(self.tell_logout(self.other.logout_token("sub-lea")), 400)  # another provider's key
        self.assertEqual(self.tell_logout(self.provider.logout_token("sub-lea", faults={"claims": {"aud": "x"}})), 400)
        self.assertEqual(self.tell_logout(self.provider.logout_token("sub-lea", faults={"claims": {"events": {}}})), 400)
        self.assertEqual(self.tell_logout(self.provider.logout_token("sub-lea", faults={"claims": {"nonce": "n"}})), 400)
        self.assertEqual(first.me().status, 200)
        token = self.provider.logout_token("sub-lea")
        self.assertEqual(self.tell_logout(token), 200)
        wait_for("lea to be out", lambda: first.me().status == 401)
        self.assertEqual(second.me().status, 200)
        self.assertEqual(self.tell_logout(token), 400)  # the same one again
        wait_for("the record", lambda: any(e["detail"] == "logged out at the provider 'corp'" for e in self.api.audit(kind="session_ended")))
        self.assertEqual(self.tell_logout(self.provider.logout_token(sid="session-sub-lars")), 200)
        wait_for("lars to be out", lambda: second.me().status == 401)
        self.assertEqual(self.tell_logout(self.provider.logout_token("sub-nobody")), 200)

    def test_it_is_explained(self):
        self.is_user("erik", groups=["noc", "cooks"])
        self.assertEqual(self.browser().login(), "/")
        i = self.admin("auth", "explain", "erik")["identity"]
        self.assertEqual(self.api.post("/api/v1/directory/explain", {"name": "erik"}).json["identity"], i)
        self.assertEqual(self.api.post("/api/v1/directory/explain", {"provider": "other"}).json["provider"]["verdict"], "right")
        self.assertEqual(self.api.post("/api/v1/directory/explain", {"provider": "none"}).status, 400)
        self.assertEqual((i["provider"], i["sub"], i["groups"], i["weir_groups"], i["admitted"], i["lapsed"]),
                         ("corp", "sub-erik", ["noc", "cooks"], ["operators"], True, False))
        p = self.admin("auth", "test", "--provider", "corp")["provider"]
        self.assertEqual((p["verdict"], p["end_session_endpoint"]), ("right", self.provider.issuer + "/end"))
        self.assertTrue(p["steps"])
        self.assertNotEqual(self.admin("auth", "test", "--provider", "nobody", check=False).returncode, 0)
        for text in (json.dumps([i, p]), self.weir.log()):
            self.assertNotIn(self.provider.secret, text)

    def test_second_factor(self):
        """The second step of a login at a provider: what stands for the first is a cookie that no script sees."""
        self.is_user("fay")
        b = self.browser()
        self.assertEqual(b.login(), "/")
        csrf = b.me().json["csrf"]
        offer = b.post("/api/v1/me/second-factor", {}, csrf)
        self.assertEqual(offer.status, 200, offer)
        done = b.post("/api/v1/me/second-factor/confirm", {"code": totp(offer.json["secret"])}, csrf)
        self.assertEqual(done.status, 200, done)
        recovery = done.json["recovery_codes"][0]
        b = self.browser()
        self.assertEqual(b.login(), "/?login=code")
        self.assertNotIn(SESSION, b.cookies)
        self.assertEqual(b.post("/api/v1/login/second-factor", {"code": "000000"}).status, 401)
        answer = b.post("/api/v1/login/second-factor", {"code": recovery})
        self.assertEqual((answer.status, answer.json["me"]["name"]), (200, "fay"))
        # The session there ends before the code is shown here.
        b = self.browser()
        self.assertEqual(b.login(), "/?login=code")
        self.assertEqual(self.tell_logout(self.provider.logout_token(sid="session-sub-fay")), 200)
        self.assertEqual(b.post("/api/v1/login/second-factor", {"code": done.json["recovery_codes"][1]}).status, 401)

    def test_who_fails_often_waits(self):
        """By address: whoever comes from another one is not held back."""
        b = self.browser()
        told = {}

        def fail():
            where = b.back("/api/v1/session/oidc/corp/callback?state=x&code=y")
            told[where] = told.get(where, 0) + 1
            return where == "/?login=throttled"
        wait_for("it to be held back", fail)
        self.assertGreater(told.get("/?login=failed", 0), 10, told)  # ten are free, the next one costs a wait
        self.assertEqual(self.browser().login(), "/")


class OidcSettings(OidcTest):
    """What other settings give and take: Weir is started with them anew."""

    def with_settings(self, provider, **others):
        settings = next(o for o in self.weir.settings["oidc"] if o["name"] == provider)
        settings.update(others)
        self.weir.stop()
        self.weir.start()

    def groups_of(self, name):
        return self.api.ask(f"/api/v1/users/{name}")["user"]["groups"]

    def test_an_account_that_waits_for_somebody_is_his(self):
        self.admin("user", "add", "petra", "--provider", "corp", "--tenant", "default", "--role", "viewer")
        self.is_user("petra", groups=["cooks"])
        self.refused("is in no group")
        self.is_user("petra")
        b = self.browser()
        self.assertEqual(b.login(), "/")
        user = self.api.ask("/api/v1/users/petra")["user"]
        self.assertEqual((user["provider"], user["groups"]), ("corp", ["operators"]))
        self.assertEqual([a["role"] for a in user["access"]], ["viewer"])
        self.assertNotIn("user_added", [e["kind"] for e in self.api.audit(actor="user:petra")])
        # It was bound to who came first.
        self.is_user("petra", sub="sub-of-another")
        self.refused("an account named 'petra' is there already")

    def test_lines_that_are_gone_take_what_they_gave_and_so_does_time(self):
        self.is_user("paul", groups=["noc", "readers"])
        b = self.browser()
        self.assertEqual(b.login(), "/")
        self.assertEqual(self.groups_of("paul"), ["operators", "viewers"])
        self.with_settings("corp", groups=["readers => viewers"], keep="60s")
        wait_for("the line to be gone", lambda: self.groups_of("paul") == ["viewers"])
        self.assertEqual(b.me().json["role"], "viewer")
        self.assertTrue(any(e["detail"] == "the settings give other groups now" for e in self.api.audit(kind="rights_removed")))
        # He does not come back.
        wait_for("what he was told to be too old", lambda: self.groups_of("paul") == [], 100)
        self.assertIn(b.get("/api/v1/interfaces").status, (401, 403))
        self.assertTrue(self.admin("auth", "explain", "paul")["identity"]["lapsed"])
        again = self.browser()
        self.assertEqual(again.login(), "/")
        self.assertEqual(self.groups_of("paul"), ["viewers"])
        # A provider that is gone gives nothing.
        at = next(i for i, o in enumerate(self.weir.settings["oidc"]) if o["name"] == "corp")
        corp = self.weir.settings["oidc"].pop(at)
        self.weir.stop()
        self.weir.start()
        try:
            wait_for("the provider's groups to be gone", lambda: self.groups_of("paul") == [])
        finally:
            self.weir.settings["oidc"].insert(at, {**corp, "groups": ["noc => operators", "readers => viewers"], "keep": "30d"})
            self.weir.stop()
            self.weir.start()

    def test_endpoints_are_on_hosts_that_the_settings_name(self):
        third = in_namespace(self.lab.mon, lambda: Provider(port=8472)).start()
        try:
            self.other.faults = {"document": {"jwks_uri": third.issuer + "/jwks"}}
            p = self.admin("auth", "test", "--provider", "other")["provider"]
            self.assertEqual(p["verdict"], "unavailable", p)
            self.assertIn("the keys, at 127.0.0.1 port 8472: no setting names this server", p["why"])
            self.assertEqual(third.seen, {})
            wait_for("it to be counted", lambda: any(d["place"] == "dial.unnamed" and d["count"] > 0 for d in self.api.ask("/api/v1/health")["drops"]))
            self.with_settings("other", hosts=["127.0.0.1:8472"])
            p = self.admin("auth", "test", "--provider", "other")["provider"]
            self.assertEqual(p["verdict"], "right", p)
            self.assertEqual(third.seen, {"/jwks": 1})
        finally:
            self.other.faults = {}
            third.stop()


def look(test, provider, *arguments, name="paula", domain="example.com"):
    """The page in a headless browser."""
    in_browser(test, "oidc.mjs", "--issuer", provider, "--label", "Corporate login", "--name", name, "--login-name", f"{name}@{domain}", *arguments)


class OidcPage(OidcTest):
    def test_through_the_page(self):
        self.is_user("paula")
        look(self, self.provider.issuer)

    def test_an_account_that_the_page_makes_before_its_owner_comes(self):
        self.is_user("nora", groups=["readers"])
        look(self, self.provider.issuer, "--made-by", "admin", "--password", PASSWORD, name="nora")

    def test_refused_through_the_page(self):
        self.is_user("quentin", groups=[])
        look(self, self.provider.issuer, "--refused")


class OidcCertified(LabTest):
    """npm's certified oidc-provider, with its pages, through the page."""

    @classmethod
    def prepare(cls):
        cls.issuer = "http://127.0.0.1:8480"
        config = cls.lab.file("provider.json", json.dumps({
            "port": 8480, "secret": "a certified secret", "redirect_uris": ["https://127.0.0.1:3001/api/v1/session/oidc/corp/callback"],
            "post_logout_redirect_uris": ["https://127.0.0.1:3001/"],
            "backchannel_logout_uri": "https://127.0.0.1:3001/api/v1/session/oidc/corp/backchannel",
            "accounts": {"paula": {"name": "Paula", "groups": ["noc"]}, "quentin": {"name": "Quentin", "groups": ["cooks"]}}}))
        secret = cls.lab.file("certified-secret", "a certified secret\n", 0o600)
        cls.weir = Weir(cls.lab, settings={"dial.allow": ["127.0.0.0/8"], "engine.dpi": False, "oidc": [
            {"name": "corp", "label": "Corporate login", "issuer": cls.issuer, "client_id": "weir", "client_secret_file": secret, "insecure": True,
             "scopes": "openid profile groups", "domains": ["example.com"], "groups": ["noc => operators"]}]}).start()
        cls.api = cls.weir.setup()
        run(weir_binary(), "group", "add", "operators", "--tenant", "*", "--role", "operator", "-c", cls.weir.config())
        # It trusts what Weir made for itself, when it tells of logouts.
        authority = os.path.join(cls.weir.data, "tls", "certificate.pem")
        cls.process = cls.lab.spawn(cls.lab.mon, "env", f"NODE_EXTRA_CA_CERTS={authority}", "node", os.path.join(ROOT, "tests", "oidc", "provider.mjs"), config,
                                    log="provider", cwd=os.path.join(ROOT, "tests", "oidc"))
        wait_for("the provider", lambda: "ready" in open(cls.process.log_path).read())

    def test_through_its_pages(self):
        look(self, self.issuer, "--interactive")
        user = self.api.ask("/api/v1/users/paula")["user"]
        self.assertEqual((user["provider"], user["title"], user["groups"]), ("corp", "Paula", ["operators"]))
        # Its own logout told Weir as well.
        wait_for("the provider to have told of the logout", lambda: "backchannel paula" in open(self.process.log_path).read())

    def test_refused_through_its_pages(self):
        look(self, self.issuer, "--interactive", "--refused", name="quentin")
