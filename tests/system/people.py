"""Tests of people who log in by a provider: each attempt comes from an address of its own, so that none is slowed down by another."""

import itertools
import json
import os
import signal
import socket
import subprocess

from weirlab import PASSWORD, PATIENCE, ROOT, Api, LabTest, in_namespace, run, tls_context, wait_for, weir_binary

E2E = os.path.join(ROOT, "tests", "e2e")


def in_browser(test, script, *arguments):
    """A script of tests/e2e that looks at the page of a test's Weir in a headless browser, to its good end."""
    p = test.lab.spawn(test.lab.mon, "node", os.path.join(E2E, script), "--base", f"https://127.0.0.1:{test.weir.https}", *arguments, log="browser", cwd=E2E)
    try:
        status = p.wait(180 * PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)
        status = "no end"
    with open(p.log_path, errors="replace") as f:
        test.assertEqual(status, 0, f.read()[-4000:])


class FarApi(Api):
    """An Api of a client at another address of the loopback."""

    counter = itertools.count(2)

    def __init__(self, *where):
        super().__init__(*where)
        n = next(self.counter)
        self.source = f"127.{n // 250 + 1}.{n % 250 + 1}.1"

    def connect(self, port=None, tls=True, timeout=10, context=None):
        s = in_namespace(self.ns, lambda: socket.create_connection((self.host, port or self.port), timeout * PATIENCE, (self.source, 0)))
        try:
            return (context or tls_context()).wrap_socket(s, server_hostname="localhost") if tls else s
        except BaseException:
            s.close()
            raise


class PeopleTest(LabTest):
    """weir and api (an administrator's) are the class's to make."""

    # A right password of the people whom the server has.
    password = None

    @classmethod
    def admin(cls, *words, check=True):
        done = run(weir_binary(), *words, "--json", "-c", cls.weir.config(), check=check)
        return json.loads(done.stdout) if done.stdout.strip() and done.returncode == 0 else done

    def try_login(self, name, password=None, weir=None):
        weir = weir or self.weir
        api = FarApi(weir.ns, "127.0.0.1", weir.https)

        def ask():
            answer = api.request("POST", "/api/v1/login", {"name": name, "password": self.password if password is None else password}, timeout=30)
            return answer if answer.status not in (429, 503) else None
        answer = wait_for("an answer to a login", ask, 60)
        if answer.status == 200:
            api.took(answer)
        return api, answer

    def look(self, name, role, outsider):
        """In a headless browser: who is in a group comes in, who is in none does not, and an administrator has both explained."""
        in_browser(self, "ldap.mjs", "--name", name, "--password", self.password, "--role", role, "--outsider", outsider, "--admin", "admin",
                   "--admin-password", PASSWORD)

    def refused(self, name, password, why):
        """The stranger hears what every stranger hears; the record says why."""
        before = {e["sequence"] for e in self.entries()}
        _, answer = self.try_login(name, password)
        _, nobody = self.try_login("no-such-person", "whatever it is")
        self.assertEqual((answer.status, answer.body), (nobody.status, nobody.body))
        self.assertEqual(answer.status, 401)
        wait_for(f"the record of {name}: {why}", lambda: any(e["kind"] == "login_failed" and why in (e["detail"] or "") and e["sequence"] not in before
                                                             for e in self.entries()))

    def entries(self):
        return self.api.audit()

    def comes_in(self, name, password=None):
        api, answer = self.try_login(name, password)
        self.assertEqual(answer.status, 200, (name, answer))
        self.assertEqual(api.get("/api/v1/interfaces").status, 200, name)
        return api

    def token_of(self, api, name):
        answer = api.post("/api/v1/tokens", {"label": name, "tenant": "default", "role": "viewer"})
        self.assertEqual(answer.status, 201, answer)
        token = self.weir.api()
        token.bearer = answer.json["secret"]
        self.assertEqual(token.get("/api/v1/interfaces").status, 200)
        return token
