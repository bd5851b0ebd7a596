"""The Debian package as it lies there: lintian, its files, units and how closed they are, the manual, completion. What it does once it is
installed is script/acceptance's."""

import glob
import gzip
import ipaddress
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from weirlab import BIN

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = "lib/systemd/system"
# Of systemd-analyze security, in tenths: capture opens interfaces.
MOST_OPEN = {"weir-capture@0": 16}
MOST_OPEN_BY_ITSELF = 10


def run(*argv, **kw):
    return subprocess.run(argv, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL, **kw)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="weir-package-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        build = os.path.dirname(BIN)
        done = run(os.path.join(ROOT, "script", "package"), "-b", build, "-o", cls.dir + "/out")
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        cls.debs = sorted(glob.glob(cls.dir + "/out/*.deb"))
        cls.deb = [d for d in cls.debs if os.path.basename(d).startswith("weir_")][0]
        cls.root = cls.dir + "/root"
        for deb in cls.debs:
            subprocess.run(["dpkg-deb", "-x", deb, cls.root], check=True)

    def read(self, path):
        with open(os.path.join(self.root, path)) as f:
            return f.read()

    def names(self, pattern):
        return sorted(os.path.basename(p) for p in glob.glob(os.path.join(self.root, pattern)))

    def programs(self):
        return ["weir"] + self.names("usr/libexec/weir/weir-*")

    # --- the package

    def test_there_are_two_packages(self):
        self.assertEqual([os.path.basename(d).split("_")[0] for d in self.debs], ["weir-doc", "weir"])

    def test_lintian_finds_nothing(self):
        done = run("lintian", "--allow-root", "--tag-display-limit", "0", *self.debs)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, ""), done.stderr)

    def test_every_process_is_in_it(self):
        with open(os.path.join(ROOT, "ipc", "proc.h")) as f:
            names = re.findall(r"^\tPROC_([A-Z]+)", f.read(), re.M)
        wanted = {f"weir-{n.lower()}" for n in names if n not in ("NONE", "WEIR", "COUNT")}
        self.assertEqual(set(self.programs()), wanted | {"weir", "weir-enter"})

    def test_nothing_is_more_than_it_should_be(self):
        for line in run("dpkg-deb", "-c", self.deb).stdout.splitlines():
            mode, owner, path = line.split()[0], line.split()[1], line.split()[5]
            self.assertEqual(owner, "root/root", line)
            self.assertNotRegex(mode[1:], "[sStT]", line)
            self.assertEqual((mode[0] != "l" and mode[8] == "w", mode[0] != "l" and mode[5] == "w"), (False, False), line)
            self.assertNotRegex(path, r"(test|fuzz|drill|bench)_", line)

    # --- units

    def units(self):
        """Every unit of a service, templates as an instance."""
        return [n.replace("@.", "@0.") for n in self.names(UNITS + "/*.service")]

    def test_every_process_has_a_unit_and_a_user(self):
        users = dict(re.findall(r"^u\s+(\S+)\s+(\d+)", self.read("usr/lib/sysusers.d/weir.conf"), re.M))
        with open(os.path.join(ROOT, "cli", "plan.c")) as f:
            slots = {k.lower(): int(v) for k, v in re.findall(r"^\tSLOT_([A-Z]+) = (\d+)", f.read(), re.M)}
        self.assertEqual({f"weir-{n}" for n in slots}, {re.sub(r"@?\.service$", "", n) for n in self.names(UNITS + "/weir-*.service")})
        for name, slot in slots.items():
            template = os.path.exists(os.path.join(self.root, UNITS, f"weir-{name}@.service"))
            text = self.read(f"{UNITS}/weir-{name}{'@' if template else ''}.service")
            self.assertIn(f"\nUser=weir-{name}{'-%i' if template else ''}\n", text)
            self.assertIn(f"\nExecStart=/usr/libexec/weir/weir-enter {name}\n", text)
            instances = [u for u in users if re.fullmatch(rf"weir-{name}{'-[0-9]+' if template else ''}", u)]
            self.assertTrue(instances, name)
            for user in instances:
                self.assertEqual(int(users[user]), 62400 + slot + (int(user.rsplit("-", 1)[1]) if template else 0), user)
            if not template:
                self.assertIn(f"weir-{name}.service", self.read(UNITS + "/weir.target"))
        most = {"engine": "WORKERS_MAX", "httpd": "HTTPDS_MAX"}
        with open(os.path.join(ROOT, "cli", "launcher.h")) as f:
            header = f.read()
        for name, macro in most.items():
            n = int(re.search(rf"#define {macro}\s+(\d+)", header).group(1))
            self.assertEqual(len([u for u in users if u.startswith(f"weir-{name}-")]), n, name)

    def test_a_purge_removes_its_own_users_and_nobody_else(self):
        with open(os.path.join(ROOT, "packaging", "debian", "postrm")) as f:
            which = re.search(r"sed -nE '([^']+)'", f.read()).group(1)
        own = re.findall(r"^u\s+(\S+)", self.read("usr/lib/sysusers.d/weir.conf"), re.M)
        others = ["weir", "weir-admin", "weir-backup-2", "weir-store2", "weir-engine-", "my-weir-store", "weir-dial-0"]
        lines = "".join(f"{u}:x:1:1:weir-store:/:/bin/sh\n" for u in own + others)
        done = subprocess.run(["sed", "-nE", which], input=lines, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), own)

    def test_systemd_has_nothing_to_say_about_them(self):
        for stand_in in ("sysinit.target", "basic.target", "shutdown.target", "network.target", "sockets.target", "multi-user.target"):
            shutil.copy(f"/lib/systemd/system/{stand_in}", os.path.join(self.root, UNITS))
        try:
            names = self.units() + ["weir.target", "weir-https.socket", "weir-http.socket", "weir-route.socket"]
            done = run("systemd-analyze", "verify", f"--root={self.root}", "--man=no", "--recursive-errors=no", *names)
        finally:
            for stand_in in glob.glob(os.path.join(self.root, UNITS, "*")):
                if os.path.isfile(stand_in) and not os.path.basename(stand_in).startswith("weir"):
                    os.unlink(stand_in)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_units_are_closed(self):
        self.assertGreaterEqual(len(self.units()), 8)
        for unit in self.units():
            most = MOST_OPEN.get(unit.replace(".service", ""), MOST_OPEN_BY_ITSELF)
            done = run("systemd-analyze", "security", "--offline=yes", f"--root={self.root}", f"--threshold={most}", "--no-pager", unit)
            self.assertEqual(done.returncode, 0, "\n".join(x for x in done.stdout.splitlines() if "✗" in x or "→" in x) + done.stderr)

    def test_dial_reaches_what_its_settings_may_allow(self):
        """Everything but what no setting allows (dial/connect.c): multicast. Broadcast it cannot send."""
        text = self.read(UNITS + "/weir-dial.service.d/needs.conf")
        allowed = sorted(map(ipaddress.ip_network, " ".join(re.findall(r"^IPAddressAllow=(.*)", text, re.M)).split()), key=str)
        for everything, multicast in (("0.0.0.0/0", "224.0.0.0/4"), ("::/0", "ff00::/8")):
            wanted = set(ipaddress.ip_network(everything).address_exclude(ipaddress.ip_network(multicast)))
            got = set(ipaddress.collapse_addresses(n for n in allowed if n.version == ipaddress.ip_network(everything).version))
            self.assertEqual(got, set(ipaddress.collapse_addresses(wanted)))
        self.assertNotIn("IPAddressDeny", text)
        self.assertIn("\nIPAddressDeny=any\n", self.read(UNITS + "/weir-.service.d/hardening.conf"))

    def test_who_has_a_user_namespace_has_sockets_apart(self):
        """And the directories that they stand in."""
        hidden = {os.path.basename(os.path.dirname(p)) for p in glob.glob(f"{self.root}/{UNITS}/*.service.d/*.conf")
                  if re.search(r"^PrivateUsers=yes", self.read(p), re.M)}
        with open(os.path.join(ROOT, "cli", "plan.c")) as f:
            apart = re.findall(r"PROC_([A-Z]+)", re.search(r"\nsees_nobody\(.*?\n}", f.read(), re.S).group(0))
        self.assertEqual(hidden, {f"weir-{n.lower()}.service.d" for n in apart})
        made = re.findall(r"^d /run/weir/(\S+)\s+0710\s+root\s+(\S+)\s", self.read("usr/lib/tmpfiles.d/weir.conf"), re.M)
        self.assertEqual(made, [("store-0", "weir-store"), ("directory-0", "weir-directory")])

    def test_a_unit_that_is_open_is_found(self):
        """That the test above could fail."""
        drop = os.path.join(self.root, UNITS, "weir-authd.service.d")
        os.makedirs(drop)
        try:
            with open(drop + "/open.conf", "w") as f:
                f.write("[Service]\nPrivateNetwork=no\nRestrictAddressFamilies=\nSystemCallFilter=\nUser=root\n")
            done = run("systemd-analyze", "security", "--offline=yes", f"--root={self.root}", "--threshold=10", "--no-pager", "weir-authd.service")
        finally:
            shutil.rmtree(drop)
        self.assertEqual(done.returncode, 1)

    # --- the manual

    def pages(self):
        return sorted(glob.glob(os.path.join(self.root, "usr/share/man/man*/*.gz")))

    def test_every_program_and_the_configuration_have_a_page(self):
        self.assertEqual({os.path.basename(p) for p in self.pages()}, {f"{n}.8.gz" for n in self.programs()} | {"weir.yaml.5.gz"})

    def test_pages_are_well_formed(self):
        for page in self.pages():
            with gzip.open(page, "rt") as f:
                text = f.read()
            done = run("mandoc", "-Tlint", "-Wwarning", page)
            self.assertEqual(done.stdout + done.stderr, "", page)
            done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
            self.assertEqual(done.stderr, "", page)
            self.assertNotIn("\t", text)

    def test_pages_say_what_the_programs_do(self):
        with gzip.open(os.path.join(self.root, "usr/share/man/man5/weir.yaml.5.gz"), "rt") as f:
            keys = re.findall(r"^\.It Ic (\S+)$", f.read(), re.M)
        document = run(os.path.join(BIN, "weir"), "config-doc").stdout
        self.assertEqual(keys, re.findall(r"^\| `([^`]+)`", document, re.M))
        shown = run("man", "-l", "-Tascii", os.path.join(self.root, "usr/share/man/man8/weir.8.gz"),
                    env={"PATH": os.environ["PATH"], "MANWIDTH": "400", "LC_ALL": "C"}).stdout
        shown = re.sub(r".\x08|\x1b\[[0-9;]*m", "", shown)
        for line in run(os.path.join(BIN, "weir"), "--help").stdout.splitlines():
            if line.startswith("  weir "):
                name = " ".join(re.match(r"  (weir(?: [a-z][a-z-]*)+)", line).group(1).split())
                self.assertIn(name, shown)

    # --- completion

    def completed(self, *words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; printf "%s\\n" "${COMPREPLY[@]}"')
        done = run("bash", "-c", script, "bash", os.path.join(self.root, "usr/share/bash-completion/completions/weir"), *words,
                   env={"PATH": f"{BIN}:{os.environ['PATH']}"})
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_completion_knows_commands_and_options(self):
        first = self.completed("weir", "")
        self.assertTrue({"run", "analyze", "user", "tenant", "backup", "setup-link", "--version"} <= first, first)
        self.assertEqual(self.completed("weir", "anal"), {"analyze"})
        self.assertEqual(self.completed("weir", "store", ""), {"check"})
        self.assertTrue({"add", "set", "password", "remove"} <= self.completed("weir", "user", ""))
        self.assertTrue({"-i", "--pcap", "--data", "--set"} <= self.completed("weir", "run", "-"))
        self.assertTrue({"--password-file", "--generate-password", "--role"} <= self.completed("weir", "user", "add", "alice", "--"))
        self.assertNotIn("--password-file", self.completed("weir", "user", "remove", "alice", "--"))
        self.assertIn("lo", self.completed("weir", "run", "-i", ""))


if __name__ == "__main__":
    unittest.main()
