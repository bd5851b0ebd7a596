"""People of an LDAP directory log in, get what their groups give, and lose it with them."""

import json
import os
import socket
import threading

from slapd import BASE, BIND_DN, BIND_PASSWORD, PASSWORD, Slapd, group, person
from weirlab import LabTest, Weir, in_namespace, run, wait_for, weir_binary


def settings(slapd, secret, **others):
    return {
        "dial.allow": ["127.0.0.0/8"], "ldap.servers": [f"ldaps://127.0.0.1:{slapd.tls_port}"], "ldap.authorities": slapd.authority,
        "ldap.bind_dn": BIND_DN, "ldap.bind_password_file": secret, "ldap.base": BASE, "ldap.group_filter": "(member=%userdn%)",
        "ldap.nested": "walk", "ldap.groups": [f"{group('noc')} => operators", "readers => viewers"], "ldap.interval": "10s", "ldap.timeout": "4s",
        "engine.dpi": False, **others,
    }


class DirectoryTest(LabTest):
    @classmethod
    def prepare(cls):
        cls.slapd = Slapd(cls.lab, cls.lab.mon).start().fill()
        cls.secret = cls.lab.file("bind-password", BIND_PASSWORD + "\n", 0o600)
        cls.weir = Weir(cls.lab, settings=settings(cls.slapd, cls.secret)).start()
        cls.api = cls.weir.setup()
        for name, role in (("operators", "operator"), ("viewers", "viewer")):
            cls.admin("group", "add", name, "--tenant", "*", "--role", role)

    @classmethod
    def admin(cls, *words, check=True):
        done = run(weir_binary(), *words, "--json", "-c", cls.weir.config(), check=check)
        return json.loads(done.stdout) if done.stdout.strip() and done.returncode == 0 else done

    def login(self, name, password=PASSWORD):
        api = self.weir.api()

        def ask():
            answer = api.request("POST", "/api/v1/login", {"name": name, "password": password}, timeout=30)
            return answer if answer.status not in (429, 503) else None
        answer = wait_for("an answer to a login", ask, 60)
        if answer.status == 200:
            api.took(answer)
        return api, answer

    def refused(self, name, password, why):
        """The stranger hears what every stranger hears; the record says why."""
        _, answer = self.login(name, password)
        _, nobody = self.login("no-such-person", "whatever it is")
        self.assertEqual((answer.status, answer.body), (nobody.status, nobody.body))
        self.assertEqual(answer.status, 401)
        wait_for(f"the record of {name}", lambda: any(e["kind"] == "login_failed" and why in (e["detail"] or "") for e in self.entries()))

    def entries(self):
        return self.api.ask("/api/v1/audit?limit=200")["entries"]


class Directory(DirectoryTest):
    def test_who_is_in_a_group_comes_in_with_its_role(self):
        api, answer = self.login("alice")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["me"]["role"], "operator")
        self.assertEqual(self.api.ask("/api/v1/users/alice")["user"]["groups"], ["operators", "viewers"])
        api, answer = self.login("carol")
        self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "viewer"))

    def test_groups_in_groups_count_and_a_circle_ends(self):
        self.slapd.change(group("night"), "add", "member", group("noc"))
        try:
            _, answer = self.login("bob")
            self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "operator"))
        finally:
            self.slapd.change(group("night"), "delete", "member", group("noc"))

    def test_one_person_has_one_account(self):
        for name in ("alice", "ALICE", "Alice"):
            self.assertEqual(self.login(name)[1].status, 200)
        self.assertEqual([u["name"] for u in self.api.all("/api/v1/users", "users") if u["name"].lower() == "alice"], ["alice"])

    def test_who_may_not_come_in_is_told_nothing(self):
        self.refused("carol", "not hers", "does not take the password")
        self.refused("dave", PASSWORD, "in no group")
        self.refused("nobody-at-all", PASSWORD, "nobody")

    def test_what_is_typed_is_no_filter(self):
        for name in ("*", "*)(uid=*", "alice)(|(uid=*", "a*", "\\2a"):
            _, answer = self.login(name)
            self.assertEqual(answer.status, 401, name)

    def test_weirs_own_accounts_stay(self):
        before = self.slapd.process.log_path and os.path.getsize(self.slapd.process.log_path)
        self.assertEqual(self.weir.login().get("/api/v1/me").status, 200)
        with open(self.slapd.process.log_path, errors="replace") as f:
            f.seek(before)
            self.assertNotIn("admin", f.read())

    def test_a_lost_group_takes_what_it_gave(self):
        api, answer = self.login("erin")
        self.assertEqual(answer.status, 200)
        self.assertEqual(api.get("/api/v1/interfaces").status, 200)
        self.slapd.change(group("readers"), "delete", "member", person("erin"))
        wait_for("erin to have nothing any more", lambda: api.get("/api/v1/interfaces").status in (401, 403), 40)
        self.refused("erin", PASSWORD, "in no group")
        self.slapd.change(group("readers"), "add", "member", person("erin"))
        self.assertEqual(self.login("erin")[1].status, 200)

    def test_a_locked_account_is_told_apart_in_the_record(self):
        for _ in range(3):
            self.slapd.tool("ldapwhoami", "-e", "ppolicy", check=False)
        for _ in range(4):
            run("ip", "netns", "exec", self.lab.mon, "ldapwhoami", "-x", "-H", f"ldap://127.0.0.1:{self.slapd.port}", "-D", person("mallory (a*b)"),
                "-w", "wrong", check=False)
        self.refused("mallory (a*b)", PASSWORD, "")

    def test_it_is_explained(self):
        d = self.admin("auth", "explain", "bob")["directory"]
        self.assertEqual((d["verdict"], d["dn"], d["weir_groups"], d["admitted"]), ("right", person("bob"), ["operators"], True))
        self.assertTrue(any("certificate is good" in s for s in d["steps"]), d)
        self.assertIn(group("noc"), d["groups"])
        d = self.admin("auth", "explain", "dave")["directory"]
        self.assertEqual((d["weir_groups"], d["admitted"]), ([], False))
        self.assertEqual(self.admin("auth", "explain", "nobody-at-all")["directory"]["verdict"], "unknown")
        self.assertEqual(self.admin("auth", "test")["directory"]["verdict"], "right")
        for text in (json.dumps(self.admin("auth", "explain", "bob")), self.weir.log()):
            self.assertNotIn(BIND_PASSWORD, text)
            self.assertNotIn(PASSWORD, text)

    def test_nobody_waits_for_a_silent_server(self):
        silent = in_namespace(self.lab.mon, lambda: socket.create_server(("127.0.0.1", 6399), backlog=64))
        other = Weir(self.lab, name="silent", settings=settings(self.slapd, self.secret, **{
            "ldap.servers": ["ldaps://127.0.0.1:6399", f"ldaps://127.0.0.1:{self.slapd.tls_port}"], "httpd.https_port": 3011, "httpd.http_port": 0})).start()
        try:
            other.setup()
            run(weir_binary(), "group", "add", "viewers", "--tenant", "*", "--role", "viewer", "-c", other.config())
            api = other.api()
            # The second server answers when the first had its time.
            answer = api.request("POST", "/api/v1/login", {"name": "carol", "password": PASSWORD}, timeout=30)
            self.assertEqual(answer.status, 200, answer)
        finally:
            other.stop()
            silent.close()

    def weir_with(self, name, **others):
        port = 3020 + len(self.lab.weirs)
        return Weir(self.lab, name=name, settings=settings(self.slapd, self.secret, **{"httpd.https_port": port, "httpd.http_port": 0, **others}))

    def trial(self, name, **others):
        """What `weir auth test` says of a Weir with other settings."""
        weir = self.weir_with(name, **others).start()
        try:
            weir.setup()
            return json.loads(run(weir_binary(), "auth", "test", "--json", "-c", weir.config()).stdout)["directory"]
        finally:
            weir.stop()

    def test_what_is_wrong_with_a_server_is_said(self):
        wrong = Slapd(self.lab, self.lab.mon, name="stranger", port=3891, tls_port=6361)  # another authority; it need not run
        secret = self.lab.file("wrong-password", "not it\n", 0o600)
        port, tls_port = self.slapd.port, self.slapd.tls_port
        for name, others, verdict, words in (
                ("starttls", {"ldap.servers": [f"ldap://127.0.0.1:{port}"]}, "right", "certificate is good"),
                ("authority", {"ldap.authorities": wrong.authority}, "unavailable", "certificate is not good"),
                ("starttls-authority", {"ldap.servers": [f"ldap://127.0.0.1:{port}"], "ldap.authorities": wrong.authority}, "unavailable",
                 "certificate is not good"),
                ("name", {"ldap.servers": [f"ldaps://localhost:{tls_port}"], "dial.allow": ["127.0.0.0/8", "::1/128"]}, "unavailable", "mismatch"),
                ("secret", {"ldap.bind_password_file": secret}, "refused", "bind as"),
                ("down", {"ldap.servers": ["ldaps://127.0.0.1:6999"]}, "unavailable", "refused"),
                ("forbidden", {"dial.allow": ["192.0.2.0/24"]}, "unavailable", "dial.refuse"),
                ("base", {"ldap.base": "dc=elsewhere"}, "refused", "dc=elsewhere")):
            with self.subTest(name):
                d = self.trial(name, **others)
                self.assertEqual(d["verdict"], verdict, d)
                self.assertIn(words, " / ".join(d["steps"] + [d["why"]]))

    def test_starttls_that_is_stripped_sends_nothing(self):
        """Somebody in between says that the server knows no StartTLS: no password follows."""
        ldap_refusal = bytes.fromhex("300c02010178070a010204000400")  # extended response, protocolError
        heard = []
        listener = in_namespace(self.lab.mon, lambda: socket.create_server(("127.0.0.1", 6398), backlog=8))

        def serve():
            while True:
                try:
                    c, _ = listener.accept()
                except OSError:
                    return
                c.settimeout(5)
                try:
                    heard.append(c.recv(4096))
                    c.sendall(ldap_refusal)
                    heard.append(c.recv(4096))
                except OSError:
                    pass
                c.close()
        threading.Thread(target=serve, daemon=True).start()
        try:
            d = self.trial("stripped", **{"ldap.servers": ["ldap://127.0.0.1:6398"]})
            self.assertEqual(d["verdict"], "unavailable", d)
            self.assertIn("StartTLS", " / ".join(d["steps"]))
            self.assertTrue(heard)
            self.assertNotIn(BIND_PASSWORD.encode(), b"".join(heard))
            self.assertNotIn(BIND_DN.encode(), b"".join(heard))
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def test_who_is_in_thousands_of_groups(self):
        many = "\n".join(f"dn: {group(f'many{n}')}\nobjectClass: groupOfNames\ncn: many{n}\nmember: {person('carol')}\n" for n in range(5000))
        self.slapd.tool("ldapadd", text=many)
        try:
            d = self.admin("auth", "explain", "carol")["directory"]
            self.assertEqual((d["verdict"], d["weir_groups"]), ("right", ["viewers"]))
            self.assertGreater(len(d["groups"]), 3000)
        finally:
            self.slapd.tool("ldapdelete", *["-c", *(group(f"many{n}") for n in range(5000))], check=False)
