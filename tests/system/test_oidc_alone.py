#!/usr/bin/python3
"""weir-directory and OpenID Connect providers: the real program in its sandbox, between an authd and a dial that directory_stage.c plays
and a provider (oidc_provider.py) that answers rightly and wrongly.

WEIR_BIN names the folder of the programs (default build/release/bin); the stage stands beside it in tests/. Needs root: the program
runs under a uid of its own."""

import base64
import hashlib
import http.server
import json
import os
import queue
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from oidc_provider import Provider

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("WEIR_BIN", os.path.join(ROOT, "build", "release", "bin"))
STAGE = os.path.join(BIN, "..", "tests", "directory_stage")
PATIENCE = 20 * float(os.environ.get("WEIR_PATIENCE", "1"))
UID = "62979"
CALLBACK = "https://weir.example.com/api/v1/session/oidc/corp/callback"
VERDICTS = ["", "right", "code refused", "refused", "unavailable", "malformed", "algorithm", "key unknown", "signature", "wrong issuer", "wrong audience",
            "expired", "too early", "wrong nonce", "stale", "wrong subject", "wrong hash", "no logout"]

certificates = None


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=certificates)


def make_certificate(name, san, authority="ca"):
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", *ec, "-subj", f"/CN={name}", "-addext", f"subjectAltName={san}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial", "-copy_extensions", "copy",
            "-days", "30", "-out", f"{name}.pem")


def setUpModule():
    global certificates
    certificates = tempfile.mkdtemp()
    for ca in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN=The {ca}",
                "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    make_certificate("right", "IP:127.0.0.1,DNS:localhost")
    make_certificate("elsewhere", "DNS:elsewhere.example.com")
    make_certificate("strange", "IP:127.0.0.1", "stranger")


def tearDownModule():
    shutil.rmtree(certificates)


class Stage:
    """weir-directory, and what it answers."""

    def __init__(self, *wrapper):
        self.errors = tempfile.TemporaryFile("w+")
        self.p = subprocess.Popen([STAGE, os.path.join(BIN, "weir-directory"), f"{certificates}/ca.pem", UID, *wrapper],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.answers, self.dialed, self.end = queue.Queue(), [], None
        threading.Thread(target=self.listen, daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while "ready" not in self.log() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "ready" in self.log(), self.log()

    def listen(self):
        for line in self.p.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "told":
                self.answers.put(rest)
            elif word == "dial":
                self.dialed.append(rest)
            elif word in ("exit", "signal"):
                self.end = line.strip()

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def send(self, *fields):
        self.p.stdin.write("\t".join(fields) + "\n")
        self.p.stdin.flush()

    def ask(self, what, issuer, settings, secret="", verifier="", nonce="", proof="", timeout=10000):
        self.send("ask", what, str(timeout), issuer, secret, verifier, nonce, proof, json.dumps(settings))
        verdict, _, text = self.answers.get(timeout=PATIENCE + timeout / 1000).partition(" ")
        return VERDICTS[int(verdict)], json.loads(text)

    def close(self):
        self.p.stdin.close()
        self.p.wait(timeout=PATIENCE)
        self.errors.close()


class OidcTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = Stage()

    @classmethod
    def tearDownClass(cls):
        log = cls.stage.log()
        cls.stage.close()
        assert "system call" not in log, log
        assert cls.stage.end in (None, "exit 0"), (cls.stage.end, log)

    def provider(self, certificate="right", alg="ES256", **more):
        tls = {} if certificate is None else {"certificate": f"{certificates}/{certificate}.pem", "key": f"{certificates}/{certificate}.key"}
        p = Provider(alg=alg, **tls, **more).start()
        self.addCleanup(p.stop)
        return p

    def settings(self, p, **more):
        return {"client_id": p.client, "redirect_uri": CALLBACK, **more}

    def code(self, p, nonce, verifier):
        """As a browser gets it: over the address, without TLS's fuss."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        code = secrets.token_urlsafe(8)
        p.codes[code] = (CALLBACK, nonce, challenge, p.user)
        return code

    def login(self, p, settings=None, nonce="n-0S6_WzA2Mj", sent_nonce=None, verifier=None, code=None, secret=None, **more):
        verifier = verifier or secrets.token_urlsafe(48)
        code = code or self.code(p, nonce, verifier)
        return self.stage.ask("code", p.issuer, settings or self.settings(p), p.secret if secret is None else secret, verifier, sent_nonce or nonce, code, **more)

    def assertVerdict(self, got, verdict, *words):
        self.assertEqual(got[0], verdict, got[1])
        for w in words:
            self.assertIn(w, got[1]["why"])


class Right(OidcTest):
    def test_who_it_is(self):
        for alg in ("RS256", "PS256", "ES256"):
            with self.subTest(alg):
                p = self.provider(alg=alg)
                p.control(user={"sub": "u1", "preferred_username": "alice", "name": "Alice Ä", "email": "a@x.test", "email_verified": True, "groups": ["noc", "ops"]})
                verdict, told = self.login(p)
                self.assertEqual(verdict, "right", told)
                self.assertEqual((told["sub"], told["name"], told["title"], told["email"], told["groups"], told["cut"], told["sid"]),
                                 ("u1", "alice", "Alice Ä", "a@x.test", ["noc", "ops"], False, "session-u1"))
                self.assertTrue(told["email_verified"] and told["expires"] > told["issued"] > 0 and told["auth_time"] > 0)
                self.assertEqual(told["id_token"].count("."), 2)
                self.assertNotIn("/userinfo", p.seen)

    def test_metadata(self):
        p = self.provider()
        verdict, told = self.stage.ask("metadata", p.issuer, {})
        self.assertEqual(verdict, "right", told)
        self.assertEqual((told["authorization_endpoint"], told["end_session_endpoint"]), (f"{p.issuer}/authorize", f"{p.issuer}/end"))
        self.assertTrue(told["backchannel_logout"] and told["pkce"] and told["iss_parameter"])
        # What is published is remembered, but not for a test.
        self.stage.ask("metadata", p.issuer, {})
        self.assertEqual(p.seen["/jwks"], 1)
        verdict, told = self.stage.ask("test", p.issuer, {})
        self.assertEqual((verdict, p.seen["/jwks"]), ("right", 2))
        self.assertIn("the keys: there are 2", told["steps"])

    def test_the_client_is_shown_as_it_should(self):
        for how, document in (("basic", {}), ("post", {}), ("auto", {"token_endpoint_auth_methods_supported": ["client_secret_post"]}),
                              ("auto", {"token_endpoint_auth_methods_supported": None})):
            with self.subTest(how=how, document=document):
                p = self.provider()
                p.control(faults={"document": document})
                self.assertVerdict(self.login(p, self.settings(p, client_auth=how)), "right")
        p = self.provider()
        p.control(faults={"document": {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}})
        self.assertVerdict(self.login(p), "refused", "neither client_secret_basic nor")

    def test_no_secret_is_told(self):
        p = self.provider()
        verifier = secrets.token_urlsafe(48)
        code = self.code(p, "the-nonce-of-this", verifier)
        for _ in range(2):
            _, told = self.login(p, nonce="the-nonce-of-this", verifier=verifier, code=code)
            steps = json.dumps([told["steps"], told["why"]])
            for secret in (p.secret, urllib.parse.quote(p.secret), verifier, code, "the-nonce-of-this", next(iter(p.tokens))):
                self.assertNotIn(secret, steps)

    def test_groups_by_userinfo(self):
        p = self.provider()
        many = [f"group {n}" for n in range(6000)]
        p.control(user={"sub": "u1", "groups": ["noc", "ops"]}, faults={"groups_elsewhere": True})
        verdict, told = self.login(p)
        self.assertEqual((verdict, told["groups"]), ("right", ["noc", "ops"]))
        verdict, told = self.login(p, self.settings(p, userinfo="never"))
        self.assertEqual((verdict, told["groups"]), ("right", []))
        p.control(faults={"groups_elsewhere": True, "userinfo": {"sub": "u2"}})
        self.assertVerdict(self.login(p), "wrong subject", "another sub")
        p.control(user={"sub": "u1", "groups": many}, faults={"groups_elsewhere": True})
        verdict, told = self.login(p)
        self.assertEqual((verdict, told["groups"], told["cut"]), ("right", many[:5000], True))
        p.control(faults={"groups_elsewhere": True, "status": {"userinfo": 503}})
        self.assertVerdict(self.login(p), "unavailable", "userinfo: status 503")
        p.control(faults={"groups_elsewhere": True, "silent": "userinfo"})
        self.assertVerdict(self.login(p, timeout=1000), "unavailable", "no answer in time")

    def test_keys_rotate(self):
        p = self.provider()
        self.assertVerdict(self.login(p), "right")
        p.control(rotate=True)
        verdict, told = self.login(p)
        self.assertEqual((verdict, p.seen["/jwks"]), ("right", 2), told)
        self.assertIn("the provider was asked for its keys again", told["steps"])
        # Who makes names of keys up has them fetched now and then, and not each time.
        p.control(faults={"unknown_kid": True})
        for _ in range(5):
            self.assertVerdict(self.login(p), "key unknown", "no-such-key")
        self.assertEqual(p.seen["/jwks"], 2)
        p.control(faults={})
        self.assertVerdict(self.login(p), "right")

    def test_without_tls_only_where_it_is_said(self):
        p = self.provider(certificate=None)
        self.assertVerdict(self.login(p), "refused", "no https:// URL")
        self.assertEqual(p.seen, {})
        self.assertVerdict(self.login(p, self.settings(p, insecure_http=True)), "right")

    def test_several_at_once(self):
        p = self.provider()
        logins = [(secrets.token_urlsafe(48), f"nonce-{n}") for n in range(12)]
        for verifier, nonce in logins:
            self.stage.send("ask", "code", "20000", p.issuer, p.secret, verifier, nonce, self.code(p, nonce, verifier), json.dumps(self.settings(p)))
        got = [self.stage.answers.get(timeout=PATIENCE + 20).split(" ")[0] for _ in logins]
        self.assertEqual(got, ["1"] * 12)


class Tokens(OidcTest):
    def test_wrong_ones_are_told_apart(self):
        p = self.provider()
        now = int(time.time())
        cases = [({"none": True}, "algorithm", "alg is none"), ({"hs256": True}, "algorithm", "HS256"), ({"other_key": True}, "signature", ""),
                 ({"bad_signature": True}, "signature", ""), ({"twice": True}, "malformed", "claims"), ({"oversize": True}, "malformed", "longer"),
                 ({"expired": 400}, "expired", "it ended 40"), ({"clock": 300}, "too early", "it begins in "), ({"clock": 30}, "right", ""),
                 ({"clock": -700}, "expired", "it ended 40"), ({"typ": "at+jwt"}, "malformed", "typ"), ({"header": {"crit": ["x"]}}, "malformed", "crit"),
                 ({"claims": {"aud": "other"}}, "wrong audience", '"other"'), ({"claims": {"aud": ["weir", "other"]}}, "wrong audience", "azp"),
                 ({"claims": {"azp": "other"}}, "wrong audience", "azp"), ({"claims": {"iss": "https://evil.example.com"}}, "wrong issuer", "evil"),
                 ({"claims": {"nonce": "other"}}, "wrong nonce", "nonce"), ({"claims": {"nonce": None}}, "wrong nonce", "has none"),
                 ({"claims": {"sub": None}}, "wrong subject", "sub"), ({"claims": {"exp": None}}, "malformed", "exp"), ({"claims": {"nbf": now + 500}}, "too early", ""),
                 ({"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}, "wrong hash", ""), ({"no_kid": True}, "right", ""), ({}, "right", "")]
        for faults, verdict, words in cases:
            with self.subTest(faults):
                p.control(faults=faults)
                got = self.login(p)
                self.assertVerdict(got, verdict, words)
                if verdict != "right":
                    self.assertIsNone(got[1]["id_token"])

    def test_only_what_the_settings_allow(self):
        p = self.provider(alg="ES256")
        self.assertVerdict(self.login(p, self.settings(p, algorithms=["RS256"])), "algorithm", "ES256")
        self.assertVerdict(self.login(p, self.settings(p, algorithms=["none"])), "refused", "algorithms[0]")
        self.assertVerdict(self.login(p, self.settings(p, algorithms=["HS256"])), "refused", "algorithms[0]")
        p.control(faults={"claims": {"auth_time": int(time.time()) - 7200}})
        self.assertVerdict(self.login(p, self.settings(p, max_age=3600)), "stale", " s, and the settings allow 3600 s")

    def test_codes_count_once(self):
        p = self.provider()
        verifier = secrets.token_urlsafe(48)
        code = self.code(p, "n", verifier)
        self.assertVerdict(self.login(p, nonce="n", verifier=verifier, code=code), "right")
        self.assertVerdict(self.login(p, nonce="n", verifier=verifier, code=code), "code refused", "invalid_grant", "grant request is invalid")
        code = self.code(p, "n", verifier)
        self.assertVerdict(self.login(p, nonce="n", verifier="x" * 43, code=code), "code refused", "invalid_grant")
        self.assertVerdict(self.login(p, secret="wrong"), "refused", "invalid_client")
        self.assertVerdict(self.login(p, nonce="n", sent_nonce="m"), "wrong nonce")

    def test_logout_tokens(self):
        p = self.provider()
        settings = {"client_id": p.client}

        def ask(token):
            return self.stage.ask("logout", p.issuer, settings, proof=token)

        verdict, told = ask(p.logout_token(sub="u1", sid="s1"))
        self.assertEqual((verdict, told["sub"], told["sid"]), ("right", "u1", "s1"))
        self.assertTrue(told["jti"])
        id_token = p.token({"iss": p.issuer, "aud": p.client, "sub": "u1", "jti": "j", "nonce": "n", **p.times({})}, {})
        cases = [(id_token, "no logout"), (p.logout_token(sub="u1", faults={"claims": {"nonce": "n"}}), "no logout"),
                 (p.logout_token(sub="u1", faults={"claims": {"events": None}}), "no logout"), (p.logout_token(), "malformed"),
                 (p.logout_token(sub="u1", faults={"claims": {"jti": None}}), "malformed"), (p.logout_token(sub="u1", faults={"none": True}), "algorithm"),
                 (p.logout_token(sub="u1", faults={"hs256": True}), "algorithm"), (p.logout_token(sub="u1", faults={"other_key": True}), "signature"),
                 (p.logout_token(sub="u1", faults={"claims": {"aud": "x"}}), "wrong audience"), (p.logout_token(sub="u1", faults={"expired": 500}), "expired"),
                 ("nonsense", "malformed"), ("a" * 16000, "malformed")]
        for token, verdict in cases:
            with self.subTest(token[:60]):
                self.assertVerdict(ask(token), verdict)
        # A stranger's token makes weir-directory ask nobody whom the provider does not name.
        self.assertEqual({d for d in self.stage.dialed if d.endswith(str(p.port))}, {f"127.0.0.1 {p.port}"})
        p.control(rotate=True)
        self.assertVerdict(ask(p.logout_token(sid="s2")), "right")


class Faults(OidcTest):
    def test_of_what_is_published(self):
        cases = [({"document": {"issuer": "https://other.example.com"}}, "refused", "other.example.com"), ({"document": {"jwks_uri": None}}, "refused", "jwks_uri"),
                 ({"document": {"token_endpoint": "http://127.0.0.1/token"}}, "refused", "token_endpoint"), ({"html": "discovery"}, "refused", "not valid JSON"),
                 ({"redirect": "discovery"}, "refused", "leads elsewhere"), ({"status": {"discovery": 404}}, "refused", "is the issuer right"),
                 ({"status": {"discovery": 503}}, "unavailable", "status 503"), ({"down": "discovery"}, "unavailable", "the discovery document"),
                 ({"half": "discovery"}, "unavailable", "the discovery document"), ({"long": "discovery"}, "unavailable", "longer than 262144"),
                 ({"body": {"jwks": '{"keys":{}}'}}, "unavailable", "must be a list"), ({"body": {"jwks": json.dumps({"keys": [{}] * 65})}}, "unavailable", "65"),
                 ({"body": {"jwks": '{"keys":[' + "[" * 5000}}, "unavailable", "nested"), ({"long": "jwks"}, "unavailable", "longer than 262144"),
                 ({"body": {"jwks": '{"keys":[]}'}}, "key unknown", ""), ({"down": "jwks"}, "unavailable", "the keys")]
        for faults, verdict, words in cases:
            with self.subTest(faults if "body" not in faults else words):
                p = self.provider()
                p.control(faults=faults)
                self.assertVerdict(self.login(p), verdict, words)
                self.assertLessEqual(p.seen.get("/token", 0), 1)

    def test_of_the_token_endpoint(self):
        cases = [({"status": {"token": 500}}, "unavailable", "status 500"), ({"html": "token"}, "unavailable", "not valid JSON"), ({"down": "token"}, "unavailable", "the token endpoint"),
                 ({"half": "token"}, "unavailable", "the token endpoint"), ({"long": "token"}, "unavailable", "longer than"), ({"redirect": "token"}, "unavailable", "status 302"),
                 ({"body": {"token": '{"access_token":"x","token_type":"Bearer"}'}}, "malformed", "openid"),
                 ({"body": {"token": '{"access_token":"x\\r\\nEvil: 1","id_token":"a.b.c"}'}}, "malformed", "access token"),
                 ({"body": {"token": '{"id_token":"a.b.c","id_token":"d.e.f"}'}}, "unavailable", "")]
        p = self.provider()
        for faults, verdict, words in cases:
            with self.subTest(faults):
                p.control(faults=faults)
                self.assertVerdict(self.login(p), verdict, words)
        # What it says is told without what could write over a screen.
        p.control(faults={"status": {"token": 400}})
        told = self.login(p)[1]
        self.assertIn("server_error", told["why"])
        self.assertNotIn("\x1b", json.dumps(told, ensure_ascii=False))

    def test_silence(self):
        for place in ("discovery", "jwks", "token"):
            with self.subTest(place):
                p = self.provider()
                p.control(faults={"silent": place})
                began = time.monotonic()
                self.assertVerdict(self.login(p, timeout=1000), "unavailable", "127.0.0.1: connected, but no answer in time")
                self.assertLess(time.monotonic() - began, 1 + PATIENCE / 4)
        # One that accepts and never shakes hands; others are answered meanwhile.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            self.stage.send("ask", "test", "4000", f"https://127.0.0.1:{port}", "", "", "", "", "{}")
            p = self.provider()
            began = time.monotonic()
            self.assertVerdict(self.stage.ask("test", p.issuer, {}), "right")
            self.assertLess(time.monotonic() - began, 3.5)
            verdict, _, text = self.stage.answers.get(timeout=PATIENCE + 4).partition(" ")
            self.assertEqual(VERDICTS[int(verdict)], "unavailable", text)

    def test_a_silent_one_leaves_room_for_others(self):
        silent, good = self.provider(), self.provider()
        silent.control(faults={"silent": "token"})
        self.assertVerdict(self.stage.ask("test", silent.issuer, {}), "right")
        for p, timeout, n in ((silent, "3000", 40), (good, "10000", 1)):
            for _ in range(n):
                verifier = secrets.token_urlsafe(48)
                self.stage.send("ask", "code", timeout, p.issuer, p.secret, verifier, "n", self.code(p, "n", verifier), json.dumps(self.settings(p)))
        got = [self.stage.answers.get(timeout=PATIENCE + 10) for _ in range(41)]
        self.assertEqual(sum("too many wait for him" in g for g in got), 28)
        # The one is answered while the others wait.
        self.assertEqual([g.split(" ")[0] for g in got[-13:]], ["1"] + ["4"] * 12)

    def test_down(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        self.assertVerdict(self.stage.ask("test", f"https://127.0.0.1:{port}", {}), "unavailable", "the connection is refused")
        # In the middle: it published, and then it is gone.
        p = self.provider()
        self.assertVerdict(self.login(p), "right")
        p.stop()
        self.assertVerdict(self.login(p), "unavailable", "the token endpoint", "the connection is refused")

    def test_certificates(self):
        for certificate, words in (("elsewhere", "certificate"), ("strange", "certificate")):
            with self.subTest(certificate):
                p = self.provider(certificate)
                self.assertVerdict(self.stage.ask("test", p.issuer, {}), "unavailable", "its certificate is not good", words)
                self.assertEqual(p.seen, {})
        p = self.provider("strange")
        with open(f"{certificates}/stranger.pem") as f:
            self.assertVerdict(self.login(p, self.settings(p, authorities=f.read())), "right")
        p = self.provider("right")
        self.assertVerdict(self.stage.ask("test", p.issuer, {"authorities": "no PEM"}), "unavailable")

    def test_issuers(self):
        for issuer in ("ftp://127.0.0.1", "https://", "https://user@127.0.0.1", "https://127.0.0.1:0", "https://a b", "127.0.0.1", "https://[::1", "file:///etc/passwd"):
            with self.subTest(issuer):
                self.assertEqual(self.stage.ask("test", issuer, {})[0], "refused")

    def test_settings(self):
        p = self.provider()
        for settings, words in (({"client_secret": "x"}, "client_secret"), ({"clock_skew": 601}, "clock_skew"), ({"userinfo": "perhaps"}, "userinfo"), ({"algorithms": []}, "algorithms")):
            with self.subTest(settings):
                self.assertVerdict(self.stage.ask("test", p.issuer, settings), "refused", words)


class Browser:
    """Follows redirects within the provider, keeps its cookies, and fills in its form."""

    def __init__(self):
        tls = ssl.create_default_context(cafile=f"{certificates}/ca.pem")
        self.left = None  # where it was sent outside
        browser = self

        class Within(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, request, fp, code, message, headers, url):
                if url.startswith("https://weir.example.com/"):
                    browser.left = url
                    return None
                return super().redirect_request(request, fp, code, message, headers, url)

        self.opener = urllib.request.build_opener(Within, urllib.request.HTTPSHandler(context=tls), urllib.request.HTTPCookieProcessor(),
                                                  urllib.request.ProxyHandler({}))

    def open(self, url, **form):
        try:
            with self.opener.open(url, urllib.parse.urlencode(form).encode() if form else None, timeout=PATIENCE) as r:
                return r.url, r.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                if self.left is None:
                    raise AssertionError(f"{url}: {e.code} {e.read().decode()}") from None
                return url, ""


class Certified(OidcTest):
    """The provider that is certified, as npm has it."""

    PROVIDER = os.path.join(ROOT, "tests", "oidc", "provider.mjs")
    SECRET = "s&cret: with+signs%41"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.isdir(os.path.join(ROOT, "tests", "oidc", "node_modules")):
            raise AssertionError("tests/oidc/node_modules is missing: npm ci in tests/oidc (script/test does it)")
        cls.told = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                cls.told.put(dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        cls.backchannel = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=cls.backchannel.serve_forever, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        cls.issuer = f"https://127.0.0.1:{port}"
        config = {"port": port, "certificate": f"{certificates}/right.pem", "key": f"{certificates}/right.key", "secret": cls.SECRET, "redirect_uris": [CALLBACK],
                  "post_logout_redirect_uris": ["https://weir.example.com/"], "backchannel_logout_uri": f"http://127.0.0.1:{cls.backchannel.server_address[1]}/",
                  "accounts": {"alice": {"name": "Alice", "email": "alice@example.com", "groups": ["noc", "ops"]}, "bob": {"name": "Bob"}}}
        with open(f"{certificates}/provider.json", "w") as f:
            json.dump(config, f)
        cls.process = subprocess.Popen(["node", cls.PROVIDER, f"{certificates}/provider.json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        while (line := cls.process.stdout.readline()) and line.strip() != "ready":
            pass
        assert line, "the provider does not start"

    @classmethod
    def tearDownClass(cls):
        cls.process.kill()
        cls.process.wait()
        cls.process.stdout.close()
        cls.backchannel.shutdown()
        cls.backchannel.server_close()
        super().tearDownClass()

    def settings(self, **more):
        return {"client_id": "weir", "redirect_uri": CALLBACK, **more}

    def authorize(self, browser, name, nonce, verifier):
        """A code, as the browser comes back with it."""
        verdict, told = self.stage.ask("metadata", self.issuer, {})
        self.assertEqual(verdict, "right", told)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {"client_id": "weir", "response_type": "code", "scope": "openid profile email groups", "redirect_uri": CALLBACK, "state": "s", "nonce": nonce,
                 "code_challenge": challenge, "code_challenge_method": "S256"}
        browser.left = None
        url, page = browser.open(told["authorization_endpoint"] + "?" + urllib.parse.urlencode(query))
        if browser.left is None:
            action = urllib.parse.urljoin(url, re.search(r'action="([^"]+)"', page).group(1))
            browser.open(action, prompt="login", login=name, password="any")
        back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(browser.left).query))
        self.assertEqual((back["state"], back["iss"]), ("s", self.issuer))
        return back["code"]

    def test_login_and_logout(self):
        browser, verifier = Browser(), secrets.token_urlsafe(48)
        code = self.authorize(browser, "alice", "n1", verifier)
        verdict, told = self.stage.ask("code", self.issuer, self.settings(), self.SECRET, verifier, "n1", code)
        self.assertEqual(verdict, "right", told)
        self.assertEqual((told["sub"], told["name"], told["title"], told["email"], told["groups"]), ("alice", "alice", "Alice", "alice@example.com", ["noc", "ops"]))
        self.assertTrue(told["sid"])
        # A second time the code is worth nothing.
        self.assertVerdict(self.stage.ask("code", self.issuer, self.settings(), self.SECRET, verifier, "n1", code), "code refused", "invalid_grant")
        # The end of the session there comes as a token.
        browser.left = None
        end = self.stage.ask("metadata", self.issuer, {})[1]["end_session_endpoint"]
        url, page = browser.open(end + "?" + urllib.parse.urlencode({"id_token_hint": told["id_token"], "post_logout_redirect_uri": "https://weir.example.com/"}))
        form = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
        browser.open(urllib.parse.urljoin(url, re.search(r'action="([^"]+)"', page).group(1)), logout="yes", **form)
        token = self.told.get(timeout=PATIENCE)["logout_token"]
        verdict, ended = self.stage.ask("logout", self.issuer, {"client_id": "weir"}, proof=token)
        self.assertEqual((verdict, ended["sub"], ended["sid"]), ("right", "alice", told["sid"]), ended)
        self.assertTrue(browser.left.startswith("https://weir.example.com/"), browser.left)

    def test_groups_that_are_not_there(self):
        browser, verifier = Browser(), secrets.token_urlsafe(48)
        code = self.authorize(browser, "bob", "n2", verifier)
        verdict, told = self.stage.ask("code", self.issuer, self.settings(), self.SECRET, verifier, "n2", code)
        self.assertEqual((verdict, told["sub"], told["groups"]), ("right", "bob", []), told)
        self.assertIn("userinfo", json.dumps(told["steps"]))

    def test_another_login(self):
        browser, verifier = Browser(), secrets.token_urlsafe(48)
        code = self.authorize(browser, "alice", "n3", verifier)
        self.assertVerdict(self.stage.ask("code", self.issuer, self.settings(), self.SECRET, "v" * 43, "n3", code), "code refused", "invalid_grant")
        code = self.authorize(browser, "alice", "n4", verifier)
        self.assertVerdict(self.stage.ask("code", self.issuer, self.settings(), "wrong", verifier, "n4", code), "refused", "invalid_client")
        code = self.authorize(browser, "alice", "n5", verifier)
        self.assertVerdict(self.stage.ask("code", self.issuer, self.settings(), self.SECRET, verifier, "n6", code), "wrong nonce")


class Dial(OidcTest):
    def test_it_is_gone(self):
        p = self.provider()
        self.stage.send("dial", "0")
        try:
            self.assertVerdict(self.stage.ask("test", p.issuer, {}), "unavailable", "weir-dial")
        finally:
            self.stage.send("dial", "1")
        deadline = time.monotonic() + PATIENCE
        while self.stage.ask("test", p.issuer, {})[0] != "right":
            self.assertLess(time.monotonic(), deadline)


if __name__ == "__main__":
    unittest.main(verbosity=2)
