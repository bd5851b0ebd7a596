#!/usr/bin/python3
"""An OpenID Connect provider that does what it is told, right or wrong: for what no honest provider can be made to do.

    oidc_provider.py --port PORT [--address IP] [--certificate PEM --key PEM] [--issuer URL] [--client ID --secret TEXT]

Prints "ready" and serves until it is ended. Beside a provider's own paths it has, for tests:

    POST /_control    a JSON object: {"user": {claims}, "faults": {name: value}, "rotate": true}; each is optional, faults are replaced whole
    POST /_logout     {"sub", "sid", "faults"}: gives a logout token, as the body
    GET  /_seen       how often each path was asked for, as JSON

/authorize asks nobody: it logs in the user of /_control, or sub=..., name=... of its own query. Faults of tokens (ID and logout):

    none, hs256 (the public key as the secret), other_key, unknown_kid, no_kid, bad_signature, twice (a claim that stands there twice), oversize,
    clock (s that its clock is ahead), expired (s ago), typ (text), claims ({claim: value, null: left out}), header ({member: value})

and of what it answers, each with a path or a list of paths (discovery, jwks, token, userinfo):

    silent (accepts and says nothing), down (hangs up), half (hangs up in the middle), long (never ends), html, redirect, status ({path: code}), body ({path: text})

and: document ({member: value}) in the discovery document, reuse_code (codes count more than once), groups_elsewhere (only userinfo has them), userinfo ({claim: value}).
"""

import argparse
import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import ssl
import sys
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def number(n, length=None):
    return b64(n.to_bytes(length or (n.bit_length() + 7) // 8, "big"))


class Key:
    """A key of one kind, by alg."""

    def __init__(self, alg):
        self.alg, self.kid = alg, secrets.token_hex(6)
        self.private = ec.generate_private_key(ec.SECP256R1()) if alg == "ES256" else rsa.generate_private_key(65537, 2048)

    def public(self):
        n = self.private.public_key().public_numbers()
        if self.alg == "ES256":
            return {"kty": "EC", "crv": "P-256", "x": number(n.x, 32), "y": number(n.y, 32), "kid": self.kid, "use": "sig", "alg": self.alg}
        return {"kty": "RSA", "n": number(n.n), "e": number(n.e), "kid": self.kid, "use": "sig", "alg": self.alg}

    def pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message):
        if self.alg == "ES256":
            r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        how = padding.PKCS1v15() if self.alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return self.private.sign(message, how, hashes.SHA256())


class Provider:
    """Serves in threads of this process. issuer: by default of the address and port."""

    def __init__(self, address="127.0.0.1", port=0, certificate=None, key=None, issuer=None, client="weir", secret="the client's own: secret+%", alg="RS256"):
        self.client, self.secret, self.alg = client, secret, alg
        self.user = {"sub": "user-1", "preferred_username": "alice", "name": "Alice", "groups": ["noc"]}
        self.faults, self.codes, self.tokens, self.seen = {}, {}, {}, {}
        self.stopping = threading.Event()
        self.rotate()
        provider = self

        class Handler(_Handler):
            it = provider

        self.server = _Server((address, port), Handler)
        if certificate:
            # The handshake is a thread's own, so that nobody waits for a client that says nothing.
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.issuer = issuer or f"{'https' if certificate else 'http'}://{address}:{self.port}"

    def start(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def rotate(self):
        self.key, self.other = Key(self.alg), Key(self.alg)

    def control(self, user=None, faults=None, rotate=False):
        if user is not None:
            self.user = user
        if faults is not None:
            self.faults = faults
        if rotate:
            self.rotate()

    def document(self):
        d = {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
             "jwks_uri": f"{self.issuer}/jwks", "userinfo_endpoint": f"{self.issuer}/userinfo", "end_session_endpoint": f"{self.issuer}/end",
             "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": [self.alg],
             "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"], "code_challenge_methods_supported": ["S256"],
             "backchannel_logout_supported": True, "backchannel_logout_session_supported": True, "authorization_response_iss_parameter_supported": True}
        return {k: v for k, v in {**d, **self.faults.get("document", {})}.items() if v is not None}

    def keys(self):
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": b64(bytes(32)), "kid": "unknown-kind"}, self.key.public()]}

    def token(self, claims, faults, typ=None):
        """The claims, signed as the faults say."""
        key = self.other if "other_key" in faults else self.key
        header = {"alg": key.alg, "kid": "no-such-key" if "unknown_kid" in faults else self.key.kid}
        if typ or "typ" in faults:
            header["typ"] = faults.get("typ", typ)
        if "no_kid" in faults:
            del header["kid"]
        if "none" in faults:
            header["alg"] = "none"
        if "hs256" in faults:
            header["alg"] = "HS256"
        header.update(faults.get("header", {}))
        claims = {k: v for k, v in {**claims, **faults.get("claims", {})}.items() if v is not None}
        if "oversize" in faults:
            claims["padding"] = "x" * 20000
        text = json.dumps(claims)
        if "twice" in faults:
            text = text[:-1] + ', "sub": "somebody else"}'
        message = f"{b64(json.dumps(header))}.{b64(text)}".encode()
        if "none" in faults:
            signature = b""
        elif "hs256" in faults:
            h = hmac.HMAC(key.pem(), hashes.SHA256())
            h.update(message)
            signature = h.finalize()
        else:
            signature = key.sign(message)
        if "bad_signature" in faults:
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        return f"{message.decode()}.{b64(signature)}"

    def times(self, faults):
        now = int(time.time()) + faults.get("clock", 0)
        end = now - faults["expired"] if "expired" in faults else now + 300
        return {"iat": min(now, end), "exp": end}

    def id_token(self, nonce, access_token, user):
        claims = {"iss": self.issuer, "aud": self.client, **user, **self.times(self.faults), "auth_time": int(time.time()), "sid": "session-" + user["sub"],
                  "at_hash": b64(hashlib.sha256(access_token.encode()).digest()[:16])}
        if nonce:
            claims["nonce"] = nonce
        if "groups_elsewhere" in self.faults:
            claims.pop("groups", None)
            claims.update({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example.com/"}}})
        return self.token(claims, self.faults)

    def logout_token(self, sub=None, sid=None, faults=None):
        faults = faults or {}
        claims = {"iss": self.issuer, "aud": self.client, "jti": secrets.token_hex(8), "events": {LOGOUT_EVENT: {}}, "sub": sub, "sid": sid, **self.times(faults)}
        return self.token(claims, faults, "logout+jwt")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(http.server.BaseHTTPRequestHandler):
    it = None
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer in one piece

    def log_message(self, *args):
        pass

    def handle(self):
        try:
            super().handle()
        except OSError:  # who asked has gone, or is of another mind about certificates
            pass

    def finish(self):
        with contextlib.suppress(OSError):
            super().finish()

    # --- answers ---

    def say(self, status, body, kind="application/json", headers=()):
        body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def has(self, fault, place):
        where = self.it.faults.get(fault, ())
        return place == where or (not isinstance(where, str) and place in where)

    def spoiled(self, place):
        """Whether the fault has answered."""
        self.close_connection = True
        if self.has("silent", place):
            self.it.stopping.wait(60)
        elif self.has("down", place):
            pass
        elif self.has("half", place):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"issuer\":")
        elif self.has("long", place):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            while not self.it.stopping.is_set():
                self.wfile.write(b" " * 65536)
        elif self.has("html", place):
            self.say(200, "<html><body>Welcome to our portal</body></html>", "text/html")
        elif self.has("redirect", place):
            self.say(302, "", headers=[("Location", "http://127.0.0.1:1/elsewhere")])
        elif self.has("status", place):
            self.say(self.it.faults["status"][place], {"error": "server_error", "error_description": "told \x1b[31mso"})
        elif self.has("body", place):
            self.say(200, self.it.faults["body"][place])
        else:
            self.close_connection = False
            return False
        return True

    # --- the provider ---

    def authorize(self, query):
        user = {**self.it.user, **{k: query[k] for k in ("sub", "name") if k in query}}
        back = query.get("redirect_uri", "")
        if query.get("client_id") != self.it.client or not back or query.get("response_type") != "code" or "openid" not in query.get("scope", "").split():
            self.say(400, {"error": "invalid_request"})
            return
        code = secrets.token_urlsafe(24)
        self.it.codes[code] = (back, query.get("nonce", ""), query.get("code_challenge"), user)
        answer = {"code": code, "iss": self.it.issuer, **({"state": query["state"]} if "state" in query else {})}
        self.say(302, "", headers=[("Location", back + ("&" if "?" in back else "?") + urllib.parse.urlencode(answer))])

    def client_of(self, form):
        header = self.headers.get("Authorization", "")
        if header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            return urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)
        return form.get("client_id"), form.get("client_secret")

    def exchange(self, form):
        if self.client_of(form) != (self.it.client, self.it.secret):
            self.say(401, {"error": "invalid_client", "error_description": "no such client, or another secret"})
            return
        known = self.it.codes.get(form.get("code"))
        if known and "reuse_code" not in self.it.faults:
            del self.it.codes[form["code"]]
        back, nonce, challenge, user = known or (None, None, None, None)
        proof = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not known or form.get("redirect_uri") != back or (challenge and proof != challenge):
            self.say(400, {"error": "invalid_grant", "error_description": "grant request is invalid"})
            return
        access = secrets.token_urlsafe(24)
        self.it.tokens[access] = user
        self.say(200, {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": self.it.id_token(nonce, access, user)})

    def userinfo(self):
        user = self.it.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            self.say(401, {"error": "invalid_token"})
        else:
            self.say(200, {**user, **self.it.faults.get("userinfo", {})})

    # --- what is asked ---

    def do_GET(self):
        path, _, rest = self.path.partition("?")
        self.it.seen[path] = self.it.seen.get(path, 0) + 1
        query = dict(urllib.parse.parse_qsl(rest))
        if path.endswith("/.well-known/openid-configuration"):
            if not self.spoiled("discovery"):
                self.say(200, self.it.document())
        elif path == "/jwks":
            if not self.spoiled("jwks"):
                self.say(200, self.it.keys())
        elif path == "/authorize":
            self.authorize(query)
        elif path == "/userinfo":
            if not self.spoiled("userinfo"):
                self.userinfo()
        elif path == "/end":
            self.say(302, "", headers=[("Location", query["post_logout_redirect_uri"])]) if "post_logout_redirect_uri" in query else self.say(200, {"ended": True})
        elif path == "/_seen":
            self.say(200, self.it.seen)
        else:
            self.say(404, {"error": "not_found"})

    def do_POST(self):
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.it.seen[path] = self.it.seen.get(path, 0) + 1
        if path == "/token":
            if not self.spoiled("token"):
                self.exchange(dict(urllib.parse.parse_qsl(body, keep_blank_values=True)))
        elif path == "/_control":
            self.it.control(**json.loads(body))
            self.say(200, {})
        elif path == "/_logout":
            self.say(200, self.it.logout_token(**json.loads(body)), "application/jwt")
        else:
            self.say(404, {"error": "not_found"})


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--port", type=int, required=True)
    a.add_argument("--address", default="127.0.0.1")
    for name in ("certificate", "key", "issuer"):
        a.add_argument(f"--{name}")
    a.add_argument("--client", default="weir")
    a.add_argument("--secret", default="the client's own: secret+%")
    a.add_argument("--alg", default="RS256", choices=["RS256", "PS256", "ES256"])
    p = Provider(**vars(a.parse_args()))
    print("ready", flush=True)
    p.server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
