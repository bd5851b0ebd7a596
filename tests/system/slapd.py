"""An OpenLDAP server in a namespace, with people, groups, and groups in groups."""

import os
import socket

from weirlab import in_namespace, run, wait_for

BASE = "dc=weir,dc=test"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{BASE}", "the-directory's-own"
BIND_DN, BIND_PASSWORD = f"cn=weir,ou=services,{BASE}", "what weir binds with"
PASSWORD = "correct horse"
PEOPLE = ("alice", "bob", "carol", "dave", "erin", "mallory (a*b)")

CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {dir}/slapd.pid
TLSCACertificateFile {dir}/ca.pem
TLSCertificateFile {dir}/server.pem
TLSCertificateKeyFile {dir}/server.key
TLSCipherSuite NORMAL
sizelimit 100
database mdb
maxsize 1073741824
suffix "{base}"
rootdn "{admin}"
rootpw "{password}"
directory {dir}/data
dbnosync
index objectClass,uid,member eq
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,{base}"
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{bind}" read by users read by * none
"""


def escaped(value):
    """RFC 4514 section 2.4, as far as it matters here."""
    return "".join(f"\\{c}" if c in '"+,;<>\\' else c for c in value)


def person(name):
    return f"cn={escaped(name)},ou=people,{BASE}"


def group(name):
    return f"cn={name},ou=groups,{BASE}"


def entry(dn, *classes, **values):
    lines = [f"dn: {dn}"] + [f"objectClass: {c}" for c in classes]
    for key, v in values.items():
        lines += [f"{key}: {x}" for x in (v if isinstance(v, (list, tuple)) else [v])]
    return "\n".join(lines) + "\n"


def content():
    out = [entry(BASE, "dcObject", "organization", o="Weir", dc="weir")]
    out += [entry(f"ou={u},{BASE}", "organizationalUnit", ou=u) for u in ("people", "groups", "services")]
    out += [entry(f"cn=policy,{BASE}", "device", "pwdPolicy", cn="policy", pwdAttribute="userPassword", pwdLockout="TRUE", pwdMaxFailure="3")]
    # Passwords that last no time, and such that the administrator sets.
    out += [entry(f"cn=short,{BASE}", "device", "pwdPolicy", cn="short", pwdAttribute="userPassword", pwdMaxAge="1"),
            entry(f"cn=reset,{BASE}", "device", "pwdPolicy", cn="reset", pwdAttribute="userPassword", pwdMustChange="TRUE")]
    out += [entry(BIND_DN, "applicationProcess", "simpleSecurityObject", cn="weir", userPassword=BIND_PASSWORD)]
    out += [entry(person(p), "inetOrgPerson", cn=p, sn=p, uid=p, userPassword=PASSWORD) for p in PEOPLE]
    # alice is in noc; bob is in night, which is in shift, which is in noc; and noc is in night: a circle.
    out += [entry(group("night"), "groupOfNames", cn="night", member=[person("bob")]),
            entry(group("shift"), "groupOfNames", cn="shift", member=[group("night")]),
            entry(group("noc"), "groupOfNames", cn="noc", member=[person("alice"), group("shift"), person("mallory (a*b)")]),
            entry(group("readers"), "groupOfNames", cn="readers", member=[person("alice"), person("carol"), person("erin")]),
            entry(group("cooks"), "groupOfNames", cn="cooks", member=[person("dave")])]
    return "\n".join(out)


def certify(d, names, write, days=2):
    """An authority of its own in a directory, and a server's certificate by it, for so many days; write makes names.cnf of a text."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Weir test authority",
        "-keyout", f"{d}/ca.key", "-out", f"{d}/ca.pem", "-addext", "basicConstraints=critical,CA:TRUE")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=directory", "-keyout", f"{d}/server.key",
        "-out", f"{d}/server.csr")
    names_file = write(f"subjectAltName={','.join(names)}\n")
    run("openssl", "x509", "-req", "-in", f"{d}/server.csr", "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key", "-CAcreateserial", "-days", str(days),
        "-extfile", names_file, "-out", f"{d}/server.pem")


class Slapd:
    def __init__(self, lab, ns, name="slapd", port=3890, tls_port=6360, names=("IP:127.0.0.1",), days=2):
        self.lab, self.ns, self.port, self.tls_port = lab, ns, port, tls_port
        self.dir = os.path.join(lab.dir, name)
        self.name = name
        os.makedirs(os.path.join(self.dir, "data"))
        certify(self.dir, names, lambda text: lab.file(f"{name}/names.cnf", text), days)
        lab.file(f"{name}/slapd.conf", CONF.format(dir=self.dir, base=BASE, admin=ADMIN, password=ADMIN_PASSWORD, bind=BIND_DN))

    @property
    def authority(self):
        return os.path.join(self.dir, "ca.pem")

    def start(self):
        self.process = self.lab.spawn(self.ns, "slapd", "-d", "stats", "-f", f"{self.dir}/slapd.conf", "-h",
                                      f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/", log=self.name)
        wait_for("slapd", self.answers)
        return self

    def answers(self):
        try:
            in_namespace(self.ns, lambda: socket.create_connection(("127.0.0.1", self.tls_port), 2)).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.lab.end(self.process)

    def tool(self, *argv, text=None, check=True):
        argv = list(argv)
        if text is not None:
            argv += ["-f", self.lab.file(f"{self.name}/input.ldif", text)]
        return run("ip", "netns", "exec", self.ns, argv[0], "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", ADMIN, "-w", ADMIN_PASSWORD, *argv[1:],
                   check=check)

    def fill(self):
        self.tool("ldapadd", text=content())
        return self

    def add_person(self, name, **values):
        self.tool("ldapadd", text=entry(person(name), "inetOrgPerson", **{"cn": name, "sn": name, "uid": name, "userPassword": PASSWORD, **values}))

    def remove(self, dn):
        self.tool("ldapdelete", dn)

    def rename(self, dn, rdn):
        self.tool("ldapmodrdn", "-r", dn, rdn)

    def change(self, dn, how, attribute, *values):
        self.tool("ldapmodify", text=f"dn: {dn}\nchangetype: modify\n{how}: {attribute}\n" + "".join(f"{attribute}: {v}\n" for v in values))
