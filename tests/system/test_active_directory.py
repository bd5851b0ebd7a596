"""People of an Active Directory (Samba as its domain controller) log in."""

import itertools
import json
import time

from people import PeopleTest
from samba import BASE, BIND, BIND_PASSWORD, DISABLED, NORMAL, PASSWORD, Samba, group, group_entry, person, person_entry
from slapd import certify
from weirlab import Weir, run, wait_for, weir_binary

# 100 ns from 1601, as Active Directory counts
YESTERDAY = (int(time.time()) - 86400 + 11644473600) * 10000000


def settings(samba, secret, **others):
    return {
        "dial.allow": ["127.0.0.0/8"], "ldap.servers": ["ldaps://127.0.0.1"], "ldap.authorities": samba.authority, "ldap.bind_dn": BIND,
        "ldap.bind_password_file": secret, "ldap.base": BASE, "ldap.user_filter": "(sAMAccountName=%username%)", "ldap.nested": "chain",
        "ldap.title": "displayName", "ldap.groups": ["NOC => operators", f"{group('Readers')} => viewers"], "ldap.interval": "10s", "ldap.timeout": "5s",
        "engine.dpi": False, **others,
    }


class ActiveDirectory(PeopleTest):
    password = PASSWORD
    ports = itertools.count(3031)

    @classmethod
    def prepare(cls):
        cls.samba = Samba(cls.lab, cls.lab.mon).provision().start()
        cls.samba.add([
            person_entry("weir", BIND_PASSWORD), person_entry("alice", displayName="Alice of the domain"), person_entry("bob"), person_entry("carol"),
            person_entry("dora", control=DISABLED), person_entry("erik", accountExpires=YESTERDAY), person_entry("fred", pwdLastSet=0, control=NORMAL),
            person_entry("gina"), person_entry("lars"),
            # Who binds as jonas@weir.test is not whom the name jonas finds.
            person_entry("ines", principal="ines@weir.test"), person_entry("jonas"),
            person_entry("karl", principal="jonas@weir.test", password="Of karl alone 1"),
            # bob is in Night, which is in Shift, which is in NOC, which is in Night: three deep, and a circle.
            group_entry("Night", person("bob")), group_entry("Shift", group("Night")), group_entry("NOC", group("Shift"), person("alice")),
            group_entry("Readers", *(person(p) for p in ("carol", "dora", "erik", "fred", "gina", "ines", "jonas", "karl"))),
        ])
        cls.samba.change(group("Night"), "add", "member", group("NOC"))
        cls.secret = cls.lab.file("bind-password", BIND_PASSWORD + "\n", 0o600)
        cls.weir = Weir(cls.lab, settings=settings(cls.samba, cls.secret)).start()
        cls.api = cls.weir.setup()
        cls.give(cls.weir)

    @classmethod
    def give(cls, weir):
        for name, role in (("operators", "operator"), ("viewers", "viewer")):
            run(weir_binary(), "group", "add", name, "--tenant", "*", "--role", role, "-c", weir.config())

    def other(self, name, **others):
        return Weir(self.lab, name=name, settings=settings(self.samba, self.secret, **{"httpd.https_port": next(self.ports), "httpd.http_port": 0, **others}))

    def test_groups_in_groups_three_deep(self):
        d = self.admin("auth", "explain", "bob")["directory"]
        self.assertEqual((d["verdict"], d["dn"], d["weir_groups"]), ("right", person("bob"), ["operators"]), d)
        for name in ("Night", "Shift", "NOC"):
            self.assertIn(group(name), d["groups"])
        _, answer = self.try_login("bob")
        self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "operator"))
        # By walking, too, and by what the entries say of themselves.
        weir = self.other("walk", **{"ldap.nested": "walk", "ldap.group_filter": "(member=%userdn%)"}).start()
        try:
            weir.setup()
            d = json.loads(run(weir_binary(), "auth", "explain", "bob", "--json", "-c", weir.config()).stdout)["directory"]
            self.assertEqual((d["verdict"], d["weir_groups"]), ("right", ["operators"]), d)
        finally:
            weir.stop()

    def test_through_the_page(self):
        self.look("bob", "operator", "lars")

    def test_names_in_any_spelling_are_one_account(self):
        for name in ("alice", "ALICE", "Alice"):
            self.comes_in(name)
        users = {u["name"]: u for u in self.api.all("/api/v1/users", "users")}
        self.assertEqual([n for n in users if n.lower() == "alice"], ["alice"])
        self.assertEqual(users["alice"]["title"], "Alice of the domain")

    def test_who_may_not_come_in_is_told_apart_in_the_record(self):
        self.samba.change(BASE, "replace", "lockoutThreshold", 3)
        try:
            for _ in range(4):
                self.samba.bind("gina@ad.test", "not hers")
        finally:
            self.samba.change(BASE, "replace", "lockoutThreshold", 0)
        for name, why in (("dora", "is disabled"), ("erik", "has expired"), ("fred", "must be changed"), ("gina", "is locked")):
            with self.subTest(name):
                self.refused(name, PASSWORD, why)
        self.refused("carol", "not hers", "does not take the password")

    def test_who_binds_by_himself(self):
        weir = self.other("direct", **{"ldap.direct": "%username%@weir.test", "ldap.bind_dn": "", "ldap.bind_password_file": ""}).start()
        try:
            weir.setup()
            self.give(weir)
            _, answer = self.try_login("ines", weir=weir)
            self.assertEqual((answer.status, answer.json["me"]["role"]), (200, "viewer"))
            self.assertEqual(self.try_login("ines", "not hers", weir=weir)[1].status, 401)
            # The principal name is karl's, and the password too; the account name is jonas's.
            self.assertEqual(self.try_login("jonas", "Of karl alone 1", weir=weir)[1].status, 401)
            self.assertNotIn("Of karl alone 1", weir.log())
        finally:
            weir.stop()

    def test_starttls_and_its_authority(self):
        certify_dir = self.lab.dir
        certify(certify_dir, ("IP:127.0.0.1",), lambda text: self.lab.file("strange.cnf", text))
        for name, others, verdict, words in (
                ("starttls", {"ldap.servers": ["ldap://127.0.0.1"]}, "right", "certificate is good"),
                ("starttls-strange", {"ldap.servers": ["ldap://127.0.0.1"], "ldap.authorities": f"{certify_dir}/ca.pem"}, "unavailable", "certificate is not good"),
                # This server wants TLS, whatever we do.
                ("clear", {"ldap.servers": ["ldap://127.0.0.1"], "ldap.tls": False}, "refused", "ransport encryption")):
            with self.subTest(name):
                weir = self.other(name, **others).start()
                try:
                    weir.setup()
                    d = json.loads(run(weir_binary(), "auth", "test", "--json", "-c", weir.config()).stdout)["directory"]
                    self.assertEqual(d["verdict"], verdict, d)
                    self.assertIn(words, " / ".join(d["steps"] + [d["why"]]))
                finally:
                    weir.stop()

    def test_groups_come_in_pages(self):
        many = [f"Many{n}" for n in range(520)]  # more than a page, fewer than take long
        self.samba.add([group_entry(name, person("carol")) for name in many])
        d = self.admin("auth", "explain", "carol")["directory"]
        self.assertEqual((d["verdict"], d["weir_groups"]), ("right", ["viewers"]))
        self.assertEqual(sum(1 for g in d["groups"] if g.startswith("CN=Many")), len(many))

    def test_who_is_disabled_loses_what_he_has(self):
        api = self.comes_in("alice")
        token = self.token_of(api, "alice")
        self.samba.change(person("alice"), "replace", "userAccountControl", DISABLED)
        for one in (api, token):
            wait_for("alice to have nothing any more", lambda one=one: one.get("/api/v1/interfaces").status in (401, 403), 40)
        self.samba.change(person("alice"), "replace", "userAccountControl", NORMAL)
        wait_for("the token to be good again", lambda: token.get("/api/v1/interfaces").status == 200, 40)
