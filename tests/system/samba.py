"""Samba as the domain controller of an Active Directory in a namespace, with people, and groups in groups three deep."""

import base64
import os
import socket

from slapd import certify
from weirlab import in_namespace, run, wait_for

BASE, REALM, DOMAIN = "DC=ad,DC=test", "AD.TEST", "ADTEST"
ADMIN, ADMIN_PASSWORD = "administrator@ad.test", "the-Domain's-0wn"
BIND, BIND_PASSWORD = "weir@ad.test", "What weir binds with 1"
PASSWORD = "Correct horse 1"
# userAccountControl: NORMAL_ACCOUNT, with DONT_EXPIRE_PASSWORD, or ACCOUNTDISABLE
NORMAL, LASTING, DISABLED = 512, 512 + 65536, 514


def person(name):
    return f"CN={name},CN=Users,{BASE}"


def group(name):
    return f"CN={name},CN=Users,{BASE}"


class Samba:
    """Its files are in memory's keeping (TDB_NO_FSYNC), so that it is there within seconds."""

    def __init__(self, lab, ns, name="samba"):
        self.lab, self.ns, self.name = lab, ns, name
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir)
        certify(self.dir, ("IP:127.0.0.1", "DNS:dc1.ad.test"), lambda text: lab.file(f"{name}/names.cnf", text))
        os.chmod(f"{self.dir}/server.key", 0o600)
        self.hosts = lab.file(f"{name}/hosts", "127.0.0.1 localhost dc1.ad.test dc1\n")
        self.environment = {**os.environ, "TDB_NO_FSYNC": "1", "LDAPTLS_CACERT": self.authority, "HOME": self.dir}

    @property
    def authority(self):
        return os.path.join(self.dir, "ca.pem")

    def at_home(self, *argv):
        """Words that run argv where this server's name has an address."""
        return ("sh", "-c", 'mount --bind "$1" /etc/hosts && shift && exec "$@"', "sh", self.hosts, *argv)

    def provision(self):
        options = {"interfaces": "lo", "bind interfaces only": "yes", "server services": "ldap", "tls enabled": "yes",
                   "tls keyfile": f"{self.dir}/server.key", "tls certfile": f"{self.dir}/server.pem", "tls cafile": self.authority,
                   "log file": f"{self.dir}/log.samba", "load printers": "no"}
        run("ip", "netns", "exec", self.ns, *self.at_home(
            "samba-tool", "domain", "provision", f"--realm={REALM}", f"--domain={DOMAIN}", "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1",
            "--host-ip=127.0.0.1", f"--adminpass={ADMIN_PASSWORD}", f"--targetdir={self.dir}/data", *(f"--option={k}={v}" for k, v in options.items())),
            env=self.environment)
        return self

    def start(self):
        self.process = self.lab.spawn(self.ns, *self.at_home("samba", "-i", "-M", "single", "--debuglevel=1", "-s", f"{self.dir}/data/etc/smb.conf"),
                                      log=self.name, env=self.environment)
        wait_for("samba", self.answers, 30)
        return self

    def answers(self):
        try:
            in_namespace(self.ns, lambda: socket.create_connection(("127.0.0.1", 636), 2)).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.lab.end(self.process)

    def bind(self, who, password, check=False):
        """A search as somebody: what the tools of OpenLDAP say of it."""
        return run("ip", "netns", "exec", self.ns, "ldapsearch", "-LLL", "-x", "-H", "ldaps://127.0.0.1", "-D", who, "-w", password, "-b", BASE, "-s", "base",
                   "dn", check=check, env=self.environment)

    def tool(self, name, text):
        path = self.lab.file(f"{self.name}/input.ldif", text)
        return run("ip", "netns", "exec", self.ns, name, "-x", "-H", "ldaps://127.0.0.1", "-D", ADMIN, "-w", ADMIN_PASSWORD, "-f", path, env=self.environment)

    def add(self, entries):
        self.tool("ldapadd", "\n".join(entries))

    def change(self, dn, how, attribute, *values):
        self.tool("ldapmodify", f"dn: {dn}\nchangetype: modify\n{how}: {attribute}\n" + "".join(f"{attribute}: {v}\n" for v in values))


def person_entry(name, password=PASSWORD, control=LASTING, principal=None, **values):
    secret = base64.b64encode(f'"{password}"'.encode("utf-16-le")).decode()
    lines = [f"dn: {person(name)}", "objectClass: user", f"sAMAccountName: {name}", f"userPrincipalName: {principal or name + '@ad.test'}", f"unicodePwd:: {secret}",
             f"userAccountControl: {control}"] + [f"{k}: {v}" for k, v in values.items()]
    return "\n".join(lines) + "\n"


def group_entry(name, *members):
    return "\n".join([f"dn: {group(name)}", "objectClass: group", f"sAMAccountName: {name}"] + [f"member: {m}" for m in members]) + "\n"
