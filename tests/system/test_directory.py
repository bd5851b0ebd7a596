"""People of an LDAP directory log in, get what their groups give, and lose it with them."""

import json
import os
import socket
import threading
import time

from people import FarApi, PeopleTest
from ranged_directory import BASE as RANGED_BASE, RangedDirectory
from slapd import BASE, BIND_DN, BIND_PASSWORD, PASSWORD, Slapd, entry, group, person
from weirlab import Weir, in_namespace, run, wait_for, weir_binary


def settings(slapd, secret, **others):
    return {
        "dial.allow": ["127.0.0.0/8"], "ldap.servers": [f"ldaps://127.0.0.1:{slapd.tls_port}"], "ldap.authorities": slapd.authority,
        "ldap.bind_dn": BIND_DN, "ldap.bind_password_file": secret, "ldap.base": BASE, "ldap.group_filter": "(member=%userdn%)",
        "ldap.nested": "walk", "ldap.groups": [f"{group('noc')} => operators", "readers => viewers", "guards => viewers"], "ldap.interval": "10s", "ldap.timeout": "4s",
        "engine.dpi": False, **others,
    }


class DirectoryTest(PeopleTest):
    password = PASSWORD

    @classmethod
    def prepare(cls):
        cls.slapd = Slapd(cls.lab, cls.lab.mon).start().fill()
        cls.secret = cls.lab.file("bind-password", BIND_PASSWORD + "\n", 0o600)
        cls.weir = Weir(cls.lab, settings=settings(cls.slapd, cls.secret)).start()
        cls.api = cls.weir.setup()
        for name, role in (("operators", "operator"), ("viewers", "viewer")):
            cls.admin("group", "add", name, "--tenant", "*", "--role", role)


class Directory(DirectoryTest):
    def test_who_is_in_a_group_comes_in_with_its_role(self):
        api, answer = self.try_login("alice")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["me"]["role"], "operator")
        self.assertEqual(self.api.ask("/api/v1/users/alice")["user"]["groups"], ["operators", "viewers"])
        api, answer = self.try_login("carol")
        self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "viewer"))

    def test_groups_in_groups_count_and_a_circle_ends(self):
        self.slapd.change(group("night"), "add", "member", group("noc"))
        try:
            _, answer = self.try_login("bob")
            self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "operator"))
        finally:
            self.slapd.change(group("night"), "delete", "member", group("noc"))

    def test_one_person_has_one_account(self):
        for name in ("alice", "ALICE", "Alice"):
            self.assertEqual(self.try_login(name)[1].status, 200)
        self.assertEqual([u["name"] for u in self.api.all("/api/v1/users", "users") if u["name"].lower() == "alice"], ["alice"])

    def test_who_may_not_come_in_is_told_nothing(self):
        self.refused("carol", "not hers", "does not take the password")
        self.refused("nobody-at-all", PASSWORD, "nobody")

    def test_an_empty_password_is_asked_of_nobody(self):
        """A server would take it as nobody's, and succeed (RFC 4513 section 5.1.2)."""
        before = os.path.getsize(self.slapd.process.log_path)
        answers = [self.try_login(name, "")[1] for name in ("alice", "nobody-at-all")]
        self.assertEqual([a.status for a in answers], [400, 400])
        self.assertEqual(answers[0].body, answers[1].body)
        with open(self.slapd.process.log_path, errors="replace") as f:
            f.seek(before)
            said = f.read()
        # that alice is looked for now and then is no login's doing
        self.assertNotIn('BIND dn="cn=alice', said)
        self.assertNotIn("nobody-at-all", said)

    def test_what_is_typed_is_no_filter(self):
        for name in ("*", "*)(uid=*", "alice)(|(uid=*", "a*", "\\2a"):
            _, answer = self.try_login(name)
            self.assertEqual(answer.status, 401, name)

    def test_weirs_own_accounts_stay(self):
        before = self.slapd.process.log_path and os.path.getsize(self.slapd.process.log_path)
        self.assertEqual(self.weir.login().get("/api/v1/me").status, 200)
        with open(self.slapd.process.log_path, errors="replace") as f:
            f.seek(before)
            self.assertNotIn("admin", f.read())

    def test_an_administrator_of_weirs_own_stays(self):
        """One whom no server has to know, though somebody of the directory may do as much."""
        self.admin("user", "add", "dave", "--provider", "ldap", "--tenant", "*", "--role", "platform-administrator")
        try:
            for words in (("remove", "admin"), ("set", "admin", "--disable"), ("set", "admin", "--tenant", "default", "--role", "viewer")):
                done = self.admin("user", *words, check=False)
                self.assertIn("Only people of a provider would be platform administrators", done.stderr, words)
            self.assertEqual(self.weir.login().get("/api/v1/me").json["role"], "platform-administrator")
        finally:
            self.admin("user", "remove", "dave")

    def test_what_the_directory_takes_ends_here(self):
        """A lost group, a renamed one, a person who is locked for good, and one who is gone: with sessions and tokens."""
        for name in ("heidi", "ivan", "judy"):
            self.slapd.add_person(name)
        self.slapd.tool("ldapadd", text=f"dn: {group('guards')}\nobjectClass: groupOfNames\ncn: guards\nmember: {person('judy')}\n")
        # These two have what they have from Weir, not from a group.
        for name in ("heidi", "ivan"):
            self.admin("user", "add", name, "--provider", "ldap", "--tenant", "default", "--role", "viewer")
        apis = {name: self.comes_in(name) for name in ("erin", "heidi", "ivan", "judy")}
        tokens = {name: self.token_of(apis[name], name) for name in ("heidi", "ivan")}
        self.slapd.change(group("readers"), "delete", "member", person("erin"))
        self.slapd.change(person("heidi"), "add", "pwdAccountLockedTime", "000001010000Z")
        self.slapd.remove(person("ivan"))
        self.slapd.rename(group("guards"), "cn=wardens")
        for name, api in (*apis.items(), *tokens.items()):
            wait_for(f"{name} to have nothing any more", lambda api=api: api.get("/api/v1/interfaces").status in (401, 403), 40)
        self.refused("erin", PASSWORD, "in no group")
        self.refused("judy", PASSWORD, "in no group")
        self.refused("heidi", PASSWORD, "locked")
        self.refused("ivan", PASSWORD, "nobody")
        self.slapd.change(group("readers"), "add", "member", person("erin"))
        self.comes_in("erin")
        # Who is back has his token again, without a login.
        self.slapd.tool("ldapmodify", text=f"dn: {person('heidi')}\nchangetype: modify\ndelete: pwdAccountLockedTime\n")
        wait_for("heidi's token to be good again", lambda: tokens["heidi"].get("/api/v1/interfaces").status == 200, 40)
        self.comes_in("heidi")

    def test_a_name_that_becomes_anothers_does_not_bring_the_account(self):
        self.slapd.add_person("kate")
        self.slapd.change(group("readers"), "add", "member", person("kate"))
        self.comes_in("kate")
        self.slapd.remove(person("kate"))
        self.slapd.add_person("kate", sn="another", userPassword="another's password")  # of the same DN, and so in the same groups
        self.refused("kate", "another's password", "was another's")
        self.admin("user", "remove", "kate")
        self.comes_in("kate", "another's password")

    def test_who_is_renamed_keeps_his_account(self):
        self.slapd.add_person("lena")
        self.slapd.change(group("readers"), "add", "member", person("lena"))
        self.token_of(self.comes_in("lena"), "lena")
        self.slapd.change(person("lena"), "replace", "uid", "lena.l")
        self.refused("lena", PASSWORD, "nobody")
        self.comes_in("lena.l")
        names = [u["name"] for u in self.api.all("/api/v1/users", "users")]
        self.assertIn("lena.l", names)
        self.assertNotIn("lena", names)
        self.assertEqual([t["label"] for t in self.api.all("/api/v1/tokens?all=true", "tokens") if t["owner"] == "lena.l"], ["lena"])
        # A local account is nobody's but Weir's, whoever is called so there.
        self.slapd.change(person("lena"), "replace", "uid", "admin")
        self.assertEqual(self.try_login("admin", PASSWORD)[1].status, 401)

    def test_each_spelling_comes_to_the_same_account(self):
        self.slapd.add_person("Örjan", uid=["Örjan", "o.jansson"])
        self.slapd.change(group("readers"), "add", "member", person("Örjan"))
        for name in ("Örjan", "örjan", "ÖRJAN", "o.jansson", "O.Jansson"):
            self.comes_in(name)
        self.assertEqual([u["name"] for u in self.api.all("/api/v1/users", "users") if "rjan" in u["name"].lower() or "jans" in u["name"]], ["Örjan"])

    def test_what_a_password_policy_says_is_told_apart_in_the_record(self):
        for name, policy in (("mona", "short"), ("nick", "reset")):
            self.slapd.add_person(name, pwdPolicySubentry=f"cn={policy},{BASE}")
            self.slapd.change(group("readers"), "add", "member", person(name))
        self.slapd.change(person("nick"), "add", "pwdReset", "TRUE")
        for _ in range(4):
            run("ip", "netns", "exec", self.lab.mon, "ldapwhoami", "-x", "-H", f"ldap://127.0.0.1:{self.slapd.port}", "-D", person("mallory (a*b)"),
                "-w", "wrong", check=False)
        self.refused("mallory (a*b)", PASSWORD, "the account is locked")
        self.refused("nick", PASSWORD, "must be changed")

        def has_expired():
            _, answer = self.try_login("mona")
            return answer.status == 401
        wait_for("mona's password to expire", has_expired)
        self.refused("mona", PASSWORD, "has expired")

    def test_a_local_administrator_comes_in_while_the_directory_is_down(self):
        alice = self.comes_in("alice")
        self.slapd.stop()
        silent = None
        places = ("dial.failed", "directory.attempts_late")

        def counted():
            drops = {c["place"]: c["count"] for c in self.api.ask("/api/v1/health")["drops"]}
            return all(drops.get(p, 0) >= 1 for p in places)
        try:
            for state in ("down", "silent"):
                with self.subTest(state):
                    self.assertEqual(self.weir.login().get("/api/v1/me").status, 200)
                    answer = self.weir.api().request("POST", "/api/v1/login", {"name": "carol", "password": PASSWORD}, timeout=30)
                    # A stranger is not told whose a name is, nor what of the two it was.
                    wrong = self.weir.api().request("POST", "/api/v1/login", {"name": "admin", "password": "not it"}, timeout=30)
                    self.assertEqual((answer.status, answer.body), (503, wrong.body), answer)
                    self.assertIn("cannot be reached right now", answer.json["detail"])
                    self.assertEqual(wrong.status, 503)
                    # Who is in stays, and by what he had.
                    self.assertEqual(alice.get("/api/v1/interfaces").status, 200)
                if silent is None:
                    silent = in_namespace(self.lab.mon, lambda: socket.create_server(("127.0.0.1", self.slapd.tls_port), backlog=64))
            # What is lost meanwhile has a counter with a place: in health, for Prometheus and on the command line. Weir tries by itself.
            wait_for("what was lost to be counted", counted)
        finally:
            silent.close()
            self.slapd.start()
        self.comes_in("carol")
        metrics = self.api.get("/metrics").body.decode()
        status = run(weir_binary(), "status", "-c", self.weir.config()).stdout
        for place in places:
            self.assertIn(f'place="{place}"', metrics)
            self.assertIn(place, status)

    def test_people_are_made_before_they_come(self):
        for words, why in ((("--provider", "nobody"), "no provider of this name"), (("--provider", "ldap", "--kind", "service"), "service")):
            done = self.admin("user", "add", "oscar", *words, check=False)
            self.assertIn(why, done.stderr)
        self.assertIn("small letters", self.admin("user", "add", "Oscar", "--provider", "ldap", check=False).stderr)
        self.admin("user", "add", "dave", "--provider", "ldap", "--tenant", "default", "--role", "viewer")
        self.assertEqual(self.api.ask("/api/v1/users/dave")["user"]["provider"], "ldap")
        # He is in none of the groups, and comes in by what he was given.
        self.comes_in("dave")
        done = run(weir_binary(), "user", "password", "dave", "--generate-password", "-c", self.weir.config(), check=False)
        self.assertIn("directory judges", done.stderr)
        self.admin("user", "remove", "dave")

    def test_the_page_explains_it_too(self):
        told = self.api.post("/api/v1/directory/explain", {"name": "bob"})
        self.assertEqual(told.status, 200, told)
        said = self.admin("auth", "explain", "bob")
        self.assertEqual((told.json["directory"]["dn"], told.json["directory"]["groups"], told.json["directory"]["weir_groups"], told.json["local"]),
                         (said["directory"]["dn"], said["directory"]["groups"], said["directory"]["weir_groups"], said["local"]))
        self.assertGreater(len(told.json["directory"]["steps"]), 1)
        self.assertEqual(self.api.post("/api/v1/directory/explain", {}).json["directory"]["verdict"], "right")
        self.assertTrue(self.api.post("/api/v1/directory/explain", {"name": "admin"}).json["local"])
        self.assertEqual(self.api.post("/api/v1/directory/explain", {"name": "bob", "password": PASSWORD}).status, 400)
        api, _ = self.try_login("alice")
        self.assertEqual(api.post("/api/v1/directory/explain", {"name": "bob"}).status, 403)

    def test_through_the_page(self):
        self.look("alice", "operator", "dave")  # she is in two groups

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

    def login_at(self, weir, name, password=PASSWORD):
        """Status, sentence and seconds of a login, from an address that nothing else comes from."""
        api, began = FarApi(weir.ns, "127.0.0.1", weir.https), time.monotonic()
        answer = api.request("POST", "/api/v1/login", {"name": name, "password": password}, timeout=40)
        return answer.status, answer.json.get("detail"), time.monotonic() - began

    def test_no_refusal_tells_by_its_time_whose_a_name_is(self):
        """Of the directory's, of Weir's own accounts, of nobody's: not before a second has gone by."""
        for who in (("carol", "not hers"), ("admin", "not it"), ("nobody-at-all",)):
            status, _, seconds = self.login_at(self.weir, *who)
            self.assertEqual(status, 401, who)
            self.assertGreaterEqual(seconds, 1, who)

    def test_a_silent_server_is_said_to_be_and_not_waited_for_again(self):
        """By ldaps, StartTLS and nothing at all: everybody is told the same, and nobody waits but who came before it was known."""
        silent = in_namespace(self.lab.mon, lambda: socket.create_server(("127.0.0.1", 6398), backlog=64))
        try:
            for name, others in (("quiet-tls", {"ldap.servers": ["ldaps://127.0.0.1:6398"]}), ("quiet-start", {"ldap.servers": ["ldap://127.0.0.1:6398"]}),
                                 ("quiet-clear", {"ldap.servers": ["ldap://127.0.0.1:6398"], "ldap.tls": False})):
                # Long enough that who waited for it would be told from who did not.
                weir = self.weir_with(name, **{"ldap.timeout": "10s", **others}).start()
                with self.subTest(name):
                    weir.setup()
                    # Weir finds out by itself.
                    wait_for("the record of a silent server", lambda: "127.0.0.1:6398: connected, but no answer in time" in weir.log(), 60)
                    answers = [self.login_at(weir, *who) for who in (("alice",), ("nobody-at-all",), ("admin", "not it"))]
                    self.assertEqual({a[:2] for a in answers}, {(503, answers[0][1])})
                    self.assertIn("cannot be reached right now", answers[0][1])
                    self.assertLess(max(a[2] for a in answers), 10)
                    self.assertEqual(weir.login().get("/api/v1/me").status, 200)
                weir.stop()
        finally:
            silent.close()

    def weir_with(self, name, **others):
        port = 3020 + len(self.lab.weirs)
        return Weir(self.lab, name=name, settings=settings(self.slapd, self.secret, **{"httpd.https_port": port, "httpd.http_port": 0, **others}))

    def test_lines_that_are_gone_take_what_they_gave(self):
        """Whether the directory answers or not. A group is the one that is meant, however its name is written."""
        spelt = " , ".join(part.upper() for part in group("noc").split(","))
        weir = self.weir_with("lines", **{"ldap.groups": [f"{spelt} => operators", "readers => viewers"]}).start()
        try:
            api = weir.setup()
            for name, role in (("operators", "operator"), ("viewers", "viewer"), ("own", "viewer")):
                run(weir_binary(), "group", "add", name, "--tenant", "*", "--role", role, "-c", weir.config())
            alice, answer = self.try_login("alice", weir=weir)
            self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "operator"))
            run(weir_binary(), "group", "set", "own", "--member", "alice", "-c", weir.config())

            def groups():
                return api.ask("/api/v1/users/alice")["user"]["groups"]
            self.assertEqual(sorted(groups()), ["operators", "own", "viewers"])
            for others, left in (({"ldap.groups": ["readers => viewers"], "ldap.servers": ["ldaps://127.0.0.1:6999"]}, ["own", "viewers"]),
                                 ({"ldap.servers": None}, ["own"])):
                weir.settings = {k: v for k, v in {**weir.settings, **others}.items() if v is not None}
                weir.stop()
                weir.start()
                wait_for("what is not given any more to be gone", lambda left=left: sorted(groups()) == left)
                self.assertEqual(alice.ask("/api/v1/me")["role"], "viewer")
        finally:
            weir.stop()

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
        old = Slapd(self.lab, self.lab.mon, name="expired", port=3894, tls_port=6364, days=0).start()
        secret = self.lab.file("wrong-password", "not it\n", 0o600)
        port, tls_port = self.slapd.port, self.slapd.tls_port
        for name, others, verdict, words in (
                ("starttls", {"ldap.servers": [f"ldap://127.0.0.1:{port}"]}, "right", "certificate is good"),
                ("authority", {"ldap.authorities": wrong.authority}, "unavailable", "certificate is not good"),
                ("starttls-authority", {"ldap.servers": [f"ldap://127.0.0.1:{port}"], "ldap.authorities": wrong.authority}, "unavailable",
                 "certificate is not good"),
                ("name", {"ldap.servers": [f"ldaps://localhost:{tls_port}"], "dial.allow": ["127.0.0.0/8", "::1/128"]}, "unavailable", "mismatch"),
                ("expired", {"ldap.servers": [f"ldaps://127.0.0.1:{old.tls_port}"], "ldap.authorities": old.authority}, "unavailable", "certificate has expired"),
                ("starttls-expired", {"ldap.servers": [f"ldap://127.0.0.1:{old.port}"], "ldap.authorities": old.authority}, "unavailable",
                 "certificate has expired"),
                ("secret", {"ldap.bind_password_file": secret}, "refused", "bind as"),
                ("down", {"ldap.servers": ["ldaps://127.0.0.1:6999"]}, "unavailable", "refused"),
                ("forbidden", {"dial.allow": ["192.0.2.0/24"]}, "unavailable", "dial.refuse"),
                ("base", {"ldap.base": "dc=elsewhere"}, "refused", "dc=elsewhere")):
            with self.subTest(name):
                d = self.trial(name, **others)
                self.assertEqual(d["verdict"], verdict, d)
                self.assertIn(words, " / ".join(d["steps"] + [d["why"]]))
        old.stop()

    def test_referrals_are_followed_only_where_it_is_said(self):
        """A branch of the tree is another server's, which refers back: a circle of servers."""
        there = Slapd(self.lab, self.lab.mon, name="branch", port=3892, tls_port=6362).start()
        here, elsewhere = f"ldaps://127.0.0.1:{self.slapd.tls_port}", f"ldaps://127.0.0.1:{there.tls_port}"
        branch, zoe = f"ou=branch,{BASE}", f"cn=zoe,ou=branch,{BASE}"
        there.fill().tool("ldapadd", text="\n".join((
            entry(branch, "organizationalUnit", ou="branch"), entry(zoe, "inetOrgPerson", cn="zoe", sn="zoe", uid="zoe", userPassword=PASSWORD),
            entry(f"ou=back,{branch}", "referral", "extensibleObject", ou="back", ref=f"{here}/{BASE}"))))
        there.change(group("readers"), "add", "member", zoe)
        self.slapd.tool("ldapadd", text=entry(branch, "referral", "extensibleObject", ou="branch", ref=f"{elsewhere}/{branch}"))
        with open(self.slapd.authority) as one, open(there.authority) as other:
            both = self.lab.file("both.pem", one.read() + other.read())
        allowed = {"ldap.authorities": both, "ldap.referrals": [elsewhere, here], "ldap.timeout": "8s"}
        try:
            self.refused("zoe", PASSWORD, "nobody")
            d = self.admin("auth", "explain", "zoe")["directory"]
            self.assertIn(f"refers to {elsewhere}, which ldap.referrals does not name", " / ".join(d["steps"]))
            weir = self.weir_with("referred", **allowed).start()
            try:
                weir.setup()
                run(weir_binary(), "group", "add", "viewers", "--tenant", "*", "--role", "viewer", "-c", weir.config())
                _, answer = self.try_login("zoe", weir=weir)
                self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "viewer"))
                self.assertEqual(self.try_login("zoe", "not hers", weir=weir)[1].status, 401)
                self.assertEqual(self.try_login("carol", weir=weir)[1].status, 200)
                # Round and round, but not for ever, and to a verdict.
                self.assertEqual(self.try_login("nobody-at-all", weir=weir)[1].status, 401)
                d = json.loads(run(weir_binary(), "auth", "explain", "nobody-at-all", "--json", "-c", weir.config()).stdout)["directory"]
                self.assertEqual(d["verdict"], "unknown", d)
                self.assertEqual(sum("refers to another server" in s for s in d["steps"]), 3, d)
                # The other server has to show its certificate as the first one has.
                weir.settings["ldap.authorities"] = self.slapd.authority
                weir.stop()
                weir.start()
                d = json.loads(run(weir_binary(), "auth", "explain", "zoe", "--json", "-c", weir.config()).stdout)["directory"]
                self.assertEqual(d["verdict"], "unavailable", d)
                self.assertIn("certificate is not good", " / ".join(d["steps"]))
            finally:
                weir.stop()
        finally:
            self.slapd.tool("ldapdelete", "-M", branch)
            there.stop()

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

    def test_groups_that_are_told_in_parts(self):
        """As by Active Directory, of whoever is in more than 1,500. A server that stops half way takes nothing from anybody."""
        groups = [f"cn=g{n},{RANGED_BASE}" for n in range(3400)]
        server = in_namespace(self.lab.mon, lambda: RangedDirectory(6396, groups, PASSWORD))
        weir = self.weir_with("parts", **{
            "ldap.servers": ["ldap://127.0.0.1:6396"], "ldap.tls": "no", "ldap.bind_dn": "", "ldap.bind_password_file": "", "ldap.base": RANGED_BASE,
            "ldap.group_filter": "", "ldap.nested": "none", "ldap.groups": [f"{groups[-1]} => operators"], "ldap.interval": "10s"}).start()
        try:
            api = weir.setup()
            run(weir_binary(), "group", "add", "operators", "--tenant", "*", "--role", "operator", "-c", weir.config())

            def explain():
                return json.loads(run(weir_binary(), "auth", "explain", "rita", "--json", "-c", weir.config()).stdout)["directory"]
            for fault, words in (("same", "the server tells another part, or none"), ("none", "the server tells another part, or none"), ("refused", "memberOf;range=1500-* of his entry: ")):
                server.fault = fault
                d = explain()
                self.assertEqual(d["verdict"], "refused", d)
                self.assertIn(words, " / ".join(d["steps"]))
                self.assertEqual(self.try_login("rita", weir=weir)[1].status, 401)
            server.fault = None
            server.asked.clear()
            rita, answer = self.try_login("rita", weir=weir)
            self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "operator"))
            self.assertEqual(server.asked, [["memberOf;range=1500-*"], ["memberOf;range=3000-*"]])
            d = explain()
            self.assertEqual((d["verdict"], len(d["groups"]), d["weir_groups"]), ("right", 3400, ["operators"]))
            server.fault = "same"
            server.asked.clear()
            wait_for("he to be looked at again", lambda: len(server.asked) >= 2)
            self.assertEqual(api.ask("/api/v1/users/rita")["user"]["groups"], ["operators"])
            server.fault = None
            server.groups = groups[:-1]
            wait_for("the group to be gone", lambda: api.ask("/api/v1/users/rita")["user"]["groups"] == [])
            self.assertIn(rita.get("/api/v1/interfaces").status, (401, 403))
        finally:
            weir.stop()
            server.stop()

    def test_a_server_that_is_slow(self):
        """It is waited for as long as ldap.timeout says, from the first byte to the last."""
        server = in_namespace(self.lab.mon, lambda: RangedDirectory(6397, [f"cn=noc,{RANGED_BASE}"], PASSWORD))
        weir = self.weir_with("slow", **{
            "ldap.servers": ["ldap://127.0.0.1:6397"], "ldap.tls": "no", "ldap.bind_dn": "", "ldap.bind_password_file": "", "ldap.base": RANGED_BASE,
            "ldap.group_filter": "", "ldap.nested": "none", "ldap.groups": ["noc => operators"], "ldap.interval": "1h"}).start()
        try:
            weir.setup()
            run(weir_binary(), "group", "add", "operators", "--tenant", "*", "--role", "operator", "-c", weir.config())
            server.pause = 0.1
            self.assertEqual(self.try_login("rita", weir=weir)[1].status, 200)
            server.pause = 60
            d = json.loads(run(weir_binary(), "auth", "explain", "rita", "--json", "-c", weir.config()).stdout)["directory"]
            self.assertEqual(d["verdict"], "unavailable", d)
            self.assertIn("connected, but no answer in time", d["why"])
            self.assertEqual(self.login_at(weir, "rita")[0], 503)
        finally:
            weir.stop()
            server.stop()
