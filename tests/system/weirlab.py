"""A laboratory for black-box tests: network namespaces, real servers and clients, and a real `weir run` between them.

    client (10.77.0.1, fd77::1)  eth0 --- portc  mon: br0  ports --- eth0  server (10.77.0.2, fd77::2)
                                                      ^ monitored, has no address

weir runs in `mon` and serves on its loopback address, so that its own page is not part of the traffic that it sees. Everything is
made under names of this run and removed by close(), which fails where something of ours is left. Nothing here sleeps for luck:
wait_for() asks a condition until a deadline."""

import atexit
import contextlib
import ctypes
import functools
import glob
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("WEIR_BIN", os.path.join(ROOT, "build", "release", "bin"))
LOGS = os.environ.get("WEIR_SYSTEM_LOGS", os.path.join(ROOT, "build", "system"))
CAPTURES = os.path.join(os.path.dirname(ROOT), "shared", "captures")
# A slow or shared machine may take longer to get to a state, but must get there.
PATIENCE = float(os.environ.get("WEIR_PATIENCE", "1"))

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
CLIENT6, SERVER6 = "fd77::1", "fd77::2"
PASSWORD = "nine grey herons stand still"
SLOT = {1: ("store", 0), 2: ("authd", 0), 4: ("dial", 0), 5: ("directory", 0), 6: ("key", 0), **{8 + i: ("httpd", i) for i in range(8)}}

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1


def weir_binary():
    return os.path.join(BIN, "weir")


def run(*argv, check=True, timeout=60, **kw):
    """Runs a program to its end; its output is in the exception where it fails."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout * PATIENCE, **kw)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_for(what, condition, seconds=10):
    """The first true value of condition(); an AssertionError that names what and its last answer after the deadline."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, http.client.HTTPException, Unavailable) as e:
            last = e
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}; last: {str(last)[:600]}")
        time.sleep(0.03)


def whole(what, ask, seconds=10):
    """ask()'s answer, also where it is empty, as soon as there is one."""
    return wait_for(what, lambda: [ask()], seconds)[0]


class Unavailable(Exception):
    """The service answered, but not yet with what was asked for."""


def in_namespace(name, function):
    """function() with its sockets made in another network namespace: a thread enters it and ends."""
    out = {}

    def work():
        fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            if _libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"setns {name}")
            out["value"] = function()
        except BaseException as e:  # handed to the caller's thread
            out["error"] = e
        finally:
            os.close(fd)

    t = threading.Thread(target=work)
    t.start()
    t.join()
    if "error" in out:
        raise out["error"]
    return out.get("value")


def _dies_with_us(sig):
    _libc.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)


class Lab:
    """Namespaces, their wires, and every process started in them."""

    _count = 0

    def __init__(self, name, wire=True):
        Lab._count += 1
        self.name = name
        self.id = f"weir{os.getpid()}x{Lab._count}"
        # Own user ids: another Weir on this machine shall not meet ours.
        self.first_uid = 1000000 + (os.getpid() % 25000) * 16384 + Lab._count * 256
        self.dir = tempfile.mkdtemp(prefix="weirlab-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.iperf_port = 5200
        self.namespaces = []
        self.children = []
        self.weirs = []
        self.mounts = []
        self.closed = False
        atexit.register(self.close)  # an interrupted run leaves nothing either
        try:
            self.mon = self.namespace("mon")
            if wire:
                self.client = self.namespace("client")
                self.server = self.namespace("server")
                self._wire()
        except BaseException:
            self.close()
            raise

    # --- namespaces and wires

    def namespace(self, suffix):
        ns = f"{self.id}-{suffix}"
        run("ip", "netns", "add", ns)
        self.namespaces.append(ns)
        self.sysctl(ns, "net.ipv6.conf.all.accept_ra", 0)
        run("ip", "-n", ns, "link", "set", "lo", "up")
        return ns

    def sysctl(self, ns, key, value):
        self.exec(ns, "sysctl", "-qw", f"{key}={value}")

    def _wire(self):
        # The monitor forwards frames and speaks for itself on loopback only.
        self.sysctl(self.mon, "net.ipv6.conf.all.disable_ipv6", 1)
        self.sysctl(self.mon, "net.ipv6.conf.default.disable_ipv6", 1)
        run("ip", "-n", self.mon, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0",
            "mcast_snooping", "0")
        run("ip", "-n", self.mon, "link", "set", "br0", "up")
        self.wire_end(self.client, "portc", [f"{CLIENT}/24", f"{CLIENT6}/64"])
        self.wire_end(self.server, "ports", [f"{SERVER}/24", f"{SERVER6}/64"])
        # Several customers' names live at the same server.
        for last in (3, 4, 5):
            run("ip", "-n", self.server, "addr", "add", f"10.77.0.{last}/24", "dev", "eth0")
        self.wait_wire()

    def wire_end(self, ns, port, addresses):
        """A veth pair from ns to a port of the bridge. The sender's segmentation is off and the receiver's GRO on, so that a frame
        is a frame on the wire; the port that is monitored starts with GRO on as well, which Weir has to switch off."""
        run("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", port, "netns", self.mon)
        self.exec(ns, "ethtool", "-K", "eth0", "tso", "off", "gso", "off", "gro", "on")
        self.exec(self.mon, "ethtool", "-K", port, "tso", "off", "gso", "off", "gro", "on" if port == "ports" else "off")
        run("ip", "-n", self.mon, "link", "set", port, "master", "br0", "up")
        for a in addresses:
            run("ip", "-n", ns, "addr", "add", a, "dev", "eth0", *(["nodad"] if ":" in a else []))
        run("ip", "-n", ns, "link", "set", "eth0", "up")

    def wait_wire(self):
        wait_for("the wire between client and server",
                 lambda: self.exec(self.client, "ping", "-c1", "-W1", SERVER, check=False).returncode == 0 and
                 self.exec(self.client, "ping", "-6", "-c1", "-W1", SERVER6, check=False).returncode == 0)

    def link_counters(self, ns, dev):
        """What the kernel says crossed an interface, both directions: (bytes, packets)."""
        s = json.loads(run("ip", "-n", ns, "-s", "-j", "link", "show", "dev", dev).stdout)[0]["stats64"]
        return s["rx"]["bytes"] + s["tx"]["bytes"], s["rx"]["packets"] + s["tx"]["packets"]

    # --- processes

    def exec(self, ns, *argv, **kw):
        return run("ip", "netns", "exec", ns, *argv, **kw)

    def spawn(self, ns, *argv, log="child", death=signal.SIGKILL, **kw):
        """A process of ns in the background; close() ends it by its id."""
        out = open(os.path.join(self.dir, f"{log}.log"), "ab")
        full = (["ip", "netns", "exec", ns] if ns else []) + [str(a) for a in argv]
        p = subprocess.Popen(full, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                             start_new_session=True, preexec_fn=functools.partial(_dies_with_us, death), **kw)
        out.close()
        p.log_path = os.path.join(self.dir, f"{log}.log")
        self.children.append(p)
        return p

    def end(self, p, sig=signal.SIGTERM, seconds=5):
        if p.poll() is None:
            p.send_signal(sig)
            try:
                p.wait(seconds * PATIENCE)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        return p.returncode

    def file(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    # --- real servers

    def listening(self, ns, port, kind="tcp"):
        flag = "-Hltn" if kind == "tcp" else "-Hlun"
        return f":{port} " in self.exec(ns, "ss", flag).stdout

    def serve_tls(self, names=("portal.weir-test.example", "mail.weir-test.example"), port=443):
        """nginx with a certificate of its own; every name serves /1k, /1m and /5m."""
        d = os.path.join(self.dir, "nginx")
        os.makedirs(os.path.join(d, "www"))
        for name, size in (("1k", 1000), ("1m", 1000000), ("5m", 5000000)):
            with open(os.path.join(d, "www", name), "wb") as f:
                f.write(os.urandom(size))
        san = ",".join(f"DNS:{n}" for n in names)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={san}", "-keyout", f"{d}/key.pem", "-out", f"{d}/cert.pem")
        conf = self.file("nginx/nginx.conf", f"""
daemon off; master_process off; pid {d}/pid; error_log {d}/error.log; worker_processes 1; user root;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {d}/t1; proxy_temp_path {d}/t2; fastcgi_temp_path {d}/t3;
    uwsgi_temp_path {d}/t4; scgi_temp_path {d}/t5; default_type application/octet-stream;
    server {{ listen 10.77.0.2:{port} ssl; listen 10.77.0.3:{port} ssl; listen 10.77.0.4:{port} ssl; listen [{SERVER6}]:{port} ssl;
        ssl_certificate {d}/cert.pem; ssl_certificate_key {d}/key.pem; ssl_protocols TLSv1.2 TLSv1.3; root {d}/www; }}
    server {{ listen 10.77.0.2:80; root {d}/www; }}
}}
""")
        p = self.spawn(self.server, "nginx", "-c", conf, "-e", f"{d}/error.log", log="nginx")
        wait_for("nginx", lambda: self.listening(self.server, port))
        return p

    def serve_dns(self):
        """dnsmasq that knows made-up names only."""
        p = self.spawn(self.server, "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--port=53",
                       "--conf-file=/dev/null", "--pid-file", "--user=root", "--bind-interfaces", f"--listen-address={SERVER}",
                       "--address=/weir-test.example/10.77.0.2", "--log-facility=-", log="dnsmasq")
        wait_for("dnsmasq", lambda: self.listening(self.server, 53, "udp"))
        return p

    def serve_ssh(self):
        d = os.path.join(self.dir, "ssh")
        os.makedirs(d, mode=0o700)
        os.makedirs("/run/sshd", exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{d}/host")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{d}/user")
        shutil.copy(f"{d}/user.pub", f"{d}/authorized")
        conf = self.file("ssh/sshd_config", f"Port 22\nListenAddress {SERVER}\nHostKey {d}/host\nPidFile none\nUsePAM no\n"
                         f"StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nAuthorizedKeysFile {d}/authorized\n")
        p = self.spawn(self.server, "/usr/sbin/sshd", "-D", "-e", "-f", conf, log="sshd")
        wait_for("sshd", lambda: self.listening(self.server, 22))
        return p

    def serve_iperf(self, client=None):
        """A server for one client, as a second one is refused for as long as the first is not quite gone. Its port."""
        self.iperf_port += 1
        port = self.iperf_port
        self.spawn(self.server, "iperf3", "-s", "-1", "-B", SERVER, "-p", port, log=f"iperf3-server-{port}")
        wait_for("iperf3", lambda: self.listening(self.server, port))
        return port

    # --- real clients

    def curl(self, name, path="/1k", address=SERVER, ns=None, port=443, extra=()):
        a = f"[{address}]" if ":" in address else address
        return self.exec(ns or self.client, "curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{http_code} %{size_download} %{local_port}",
                         "--resolve", f"{name}:{port}:{a}", *extra, f"https://{name}:{port}{path}").stdout.split()

    def dig(self, name, ns=None):
        return self.digs([name], ns)[0]

    def digs(self, names, ns=None):
        """The answers, by one process: the first flow is still there when the last is made."""
        wait = f"+time={int(10 * PATIENCE)}"
        out = self.exec(ns or self.client, "dig", f"@{SERVER}", *[w for n in names for w in (n, "A", "+short", "+tries=1", wait)]).stdout
        return out.split("\n")[:len(names)]

    def ssh(self, command="true"):
        d = os.path.join(self.dir, "ssh")
        return self.exec(self.client, "ssh", "-F", "/dev/null", "-i", f"{d}/user", "-o", "UserKnownHostsFile=/dev/null", "-o",
                         "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", f"root@{SERVER}", command)

    def ping(self, count=3, address=SERVER):
        return self.exec(self.client, "ping", *(["-6"] if ":" in address else []), "-q", "-c", count, "-i", "0.05", address)

    def iperf(self, *extra):
        """What the client says of itself, and its own port of the data connection."""
        said = json.loads(self.exec(self.client, "iperf3", "-c", SERVER, "-p", self.serve_iperf(), "-J", *extra).stdout)
        return said["end"], said["start"]["connected"][0]["local_port"]

    def load(self, seconds, rate):
        """Traffic in the background, at a rate of iperf3's; (process, server's port)."""
        port = self.serve_iperf()
        return self.spawn(self.client, "iperf3", "-c", SERVER, "-p", port, "-t", seconds, "-b", rate, log=f"iperf3-{port}"), port

    # --- the end

    def save_logs(self):
        """What a reader needs after a failure: every log, no data."""
        to = os.path.join(LOGS, self.name)
        shutil.rmtree(to, ignore_errors=True)
        os.makedirs(to, exist_ok=True)
        for path in glob.glob(os.path.join(self.dir, "*.log")) + glob.glob(os.path.join(self.dir, "*.yaml")):
            shutil.copy(path, to)
        return to

    def leftovers(self):
        """Processes that still live in our namespaces or under our user ids."""
        inodes = set()
        for ns in self.namespaces:
            with contextlib.suppress(OSError):
                inodes.add(os.stat(f"/run/netns/{ns}").st_ino)
        left = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                uid = os.stat(f"/proc/{entry}/task").st_uid
                status = open(f"/proc/{entry}/status").read()
                if re.search(r"^State:\s+Z", status, re.M):
                    continue
                real = int(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1))
                inside = os.stat(f"/proc/{entry}/ns/net").st_ino in inodes
                if inside or 0 <= max(uid, real) - self.first_uid < 256:
                    left.append((int(entry), open(f"/proc/{entry}/comm").read().strip()))
        return left

    def close(self):
        if self.closed:
            return
        self.closed = True
        atexit.unregister(self.close)
        problems = []
        for w in self.weirs:
            try:
                w.stop()
            except AssertionError as e:
                problems.append(str(e))
        for p in reversed(self.children):
            self.end(p)
        left = []
        end = time.monotonic() + 3 * PATIENCE
        while time.monotonic() < end:
            left = self.leftovers()
            if not left:
                break
            time.sleep(0.03)
        for pid, comm in left:
            problems.append(f"process {pid} ({comm}) was left behind")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for ns in self.namespaces:
            if run("ip", "netns", "del", ns, check=False).returncode != 0:
                problems.append(f"namespace {ns} could not be removed")
        for m in reversed(self.mounts):
            if run("umount", m, check=False).returncode != 0:
                run("umount", "-l", m, check=False)
                problems.append(f"{m} was still in use")
        where = self.save_logs()
        shutil.rmtree(self.dir, ignore_errors=True)
        if problems:
            raise AssertionError("; ".join(problems) + f" (logs: {where})")


def yaml_of(settings):
    """Settings by key ("engine.workers") as a nested YAML document."""
    top, groups = [], {}
    for key, value in settings.items():
        group, _, name = key.rpartition(".")
        line = []
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            line = [f"{name}:"]
            for item in value:
                rows = yaml_of(item).splitlines()
                line += [f"  - {rows[0]}"] + [f"    {row}" for row in rows[1:]]
        elif isinstance(value, (list, tuple)):
            line = [f"{name}:"] + [f"  - {json.dumps(v) if isinstance(v, str) else v}" for v in value]
        elif isinstance(value, bool):
            line = [f"{name}: {'yes' if value else 'no'}"]
        else:
            line = [f"{name}: {json.dumps(value) if isinstance(value, str) else value}"]
        if group:
            groups.setdefault(group, []).extend("  " + s for s in line)
        else:
            top.extend(line)
    for group, lines in groups.items():
        top.extend([f"{group}:"] + lines)
    return "\n".join(top) + "\n"


class Weir:
    """One `weir run` in a namespace, with directories of its own."""

    def __init__(self, lab, interfaces=("ports",), settings=None, ns=None, name="weir", arguments=(), data=None):
        self.lab, self.ns, self.name = lab, ns or lab.mon, name
        self.interfaces, self.arguments = interfaces, arguments
        self.data = data or os.path.join(lab.dir, f"{name}-data")
        self.settings = {
            "data_directory": self.data, "run_directory": os.path.join(lab.dir, f"{name}-run"), "first_uid": lab.first_uid,
            "capture.kernel_buffer": "8 MiB", "engine.idle_timeout": "3s", "engine.closed_timeout": "1s",
            # The bound of the hash is what is tested, not the patience of the machine.
            "authd.password_memory": "8 MiB", "authd.password_passes": 1,
        }
        self.settings.update(settings or {})
        self.https = self.settings.get("httpd.https_port", 3001)
        self.http = self.settings.get("httpd.http_port", 3000)
        self.process = None
        self.link = None
        lab.weirs.append(self)

    @property
    def log_path(self):
        return os.path.join(self.lab.dir, f"{self.name}.log")

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def config(self):
        return self.lab.file(f"{self.name}.yaml", yaml_of(self.settings))

    def argv(self):
        out = [weir_binary(), "run", "-c", self.config()]
        for i in self.interfaces:
            out += ["-i", i]
        return out + list(self.arguments)

    def start(self, ready=True):
        self.from_ = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        self.process = self.lab.spawn(self.ns, *self.argv(), log=self.name, death=signal.SIGTERM)
        if ready:
            self.wait_ready()
        return self

    def run_to_end(self, seconds=20):
        """For starts that must fail: (exit status, what it wrote); it is stopped, and said, where it goes on."""
        self.start(ready=False)
        try:
            status = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"weir run goes on instead of ending:\n{self.log()[self.from_:][-3000:]}") from None
        self.process = None
        return status, self.log()[self.from_:]

    def wait_ready(self):
        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"weir run ended with status {self.process.returncode}:\n{self.log()[self.from_:][-3000:]}")
            answer = self.api().get("/api/v1/health")
            return answer.status == 200 and answer.json["status"] == "ok"  # httpd, and whom it asks
        wait_for("weir to serve", up, 15)

    def api(self):
        return Api(self.ns, "127.0.0.1", self.https)

    def setup_link(self):
        def find():
            m = re.search(r"https://\S+#\S+", self.log()[self.from_:])
            return m and m.group(0)
        return wait_for("the set-up link", find)

    def setup(self, name="admin", password=PASSWORD):
        """Makes the first administrator through the printed link; an Api that is logged in."""
        self.link = self.setup_link()
        secret = self.link.split("#", 1)[1].split("=", 1)[-1]
        api = self.api()
        return self.admitted(api, "/api/v1/setup", {"secret": secret, "name": name, "password": password})

    def login(self, name="admin", password=PASSWORD):
        api = self.api()
        return self.admitted(api, "/api/v1/login", {"name": name, "password": password})

    def admitted(self, api, path, body):
        """The Api after a login; who is told to come back later does."""
        def ask():
            answer = api.post(path, body)
            return answer if answer.status not in (429, 503) else None
        answer = wait_for(f"an answer of {path}", ask, 60)
        if answer.status != 200:
            raise AssertionError(f"{path} refused: {answer.status} {answer.body[:300]}")
        api.took(answer)
        return api

    def processes(self):
        """{("engine", 0): pid} of the launcher's children that carry their own user id."""
        found = {}
        for task in glob.glob(f"/proc/{self.process.pid}/task/*/children"):
            with contextlib.suppress(OSError):
                for pid in open(task).read().split():
                    with contextlib.suppress(OSError, AttributeError):
                        status = open(f"/proc/{pid}/status").read()
                        slot = int(re.search(r"^Uid:\s+(\d+)", status, re.M).group(1)) - self.lab.first_uid
                        if re.search(r"^State:\s+Z", status, re.M):
                            continue
                        key = SLOT.get(slot) or (("engine", slot - 16) if 16 <= slot < 64 else
                                                 ("capture", slot - 64) if 64 <= slot < 256 else None)
                        if key:
                            found[key] = int(pid)
        return found

    def wait_processes(self, names=("capture", "engine", "store", "authd", "key", "httpd")):
        """Waits until each kind of process runs behind its filter."""
        def all_up():
            now = self.processes()
            return set(names) <= {k[0] for k in now} and all(sandboxed(p) for p in now.values()) and now
        return wait_for("every process behind its filter", all_up)

    def stop(self, sig=signal.SIGTERM, seconds=10):
        """Ends it as an operator would; every process must be gone and the status 0."""
        if self.process is None:
            return
        p, self.process = self.process, None
        already = p.poll()
        if already is not None:
            return
        pids = [int(e) for t in glob.glob(f"/proc/{p.pid}/task/*/children") for e in open(t).read().split()]
        p.send_signal(sig)
        try:
            p.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            raise AssertionError(f"weir run did not end within {seconds} s of signal {sig}:\n{self.log()[-2000:]}") from None
        alive = [x for x in pids if os.path.exists(f"/proc/{x}")]
        if alive:
            raise AssertionError(f"weir run ended, but its processes {alive} live")
        if p.returncode != 0:
            raise AssertionError(f"weir run ended with status {p.returncode}:\n{self.log()[-2000:]}")


def sandboxed(pid):
    try:
        return "\nSeccomp:\t2\n" in open(f"/proc/{pid}/status").read()
    except OSError:
        return False


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


def tls_context():
    c = ssl.create_default_context()
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


class Api:
    """A browser of few words: keeps the cookie and the CSRF token, one connection a request."""

    def __init__(self, ns, host, port):
        self.ns, self.host, self.port = ns, host, port
        self.cookie, self.csrf = None, "1"
        self.bearer, self.tenant = None, None  # a token in place of a cookie; the tenant to work in

    def copy(self):
        other = Api(self.ns, self.host, self.port)
        other.cookie, other.csrf = self.cookie, self.csrf
        return other

    def connect(self, port=None, tls=True, timeout=10, context=None):
        s = in_namespace(self.ns, lambda: socket.create_connection((self.host, port or self.port), timeout * PATIENCE))
        if not tls:
            return s
        try:
            return (context or tls_context()).wrap_socket(s, server_hostname="localhost")
        except BaseException:
            s.close()
            raise

    def request(self, method, path, body=None, headers=None, timeout=10, tls=True, port=None):
        h = {"Host": f"{self.host}:{port or self.port}", "Connection": "close", "Accept": "application/json"}
        h.update(self.identity())
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            h["Content-Type"] = "application/json"
        if method not in ("GET", "HEAD") and self.bearer is None:
            h["X-Weir-CSRF"] = self.csrf
        for k, v in (headers or {}).items():
            if v is None:
                h.pop(k, None)
            else:
                h[k] = v
        c = http.client.HTTPConnection(self.host, port or self.port)
        c.sock = self.connect(port, tls, timeout)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for k, v in h.items():
                c.putheader(k, v)
            raw = body.encode() if isinstance(body, str) else body
            if raw is not None:
                c.putheader("Content-Length", str(len(raw)))
            elif method not in ("GET", "HEAD"):
                c.putheader("Content-Length", "0")
            c.endheaders(raw)
            r = c.getresponse()
            return Response(r.status, r.headers, r.read())
        finally:
            c.close()

    def identity(self):
        h = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {"Cookie": self.cookie} if self.cookie else {}
        return {**h, "Weir-Tenant": self.tenant} if self.tenant else h

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, body, **kw)

    def took(self, answer):
        """Keeps what a login brought."""
        self.cookie = answer.headers["Set-Cookie"].split(";", 1)[0]
        self.csrf = answer.json["me"]["csrf"]

    def ask(self, path):
        """The document at path; Unavailable where the answer is not 200 (wait_for asks again)."""
        r = self.get(path)
        if r.status != 200:
            raise Unavailable(f"{path}: {r!r}")
        return r.json

    def all(self, path, member, limit=1000):
        """Every row of a long list."""
        rows, cursor = [], None
        while True:
            sep = "&" if "?" in path else "?"
            d = self.ask(f"{path}{sep}limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
            rows += d[member]
            cursor = d.get("next_cursor")
            if not cursor:
                return rows

    def audit(self, since=0, **query):
        """Every entry of the audit log after one of that number, the newest first; query: kind, actor ..."""
        path = "/api/v1/audit?" + urllib.parse.urlencode({"limit": 1000, **query})
        entries, cursor = [], None
        while True:
            d = self.ask(path + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""))
            entries += d["entries"]
            cursor = d["cursor"]
            if not cursor or entries[-1]["sequence"] <= since:
                return [e for e in entries if e["sequence"] > since]

    def interface(self, name):
        for i in self.ask("/api/v1/interfaces")["interfaces"]:
            if i["name"] == name:
                return i
        raise Unavailable(f"no interface {name} yet")

    def events(self, seconds=20, path="/api/v1/live"):
        """A stream of events: yields (event, document) until the deadline; close() the generator to hang up."""
        c = self.connect(timeout=5)
        end = time.monotonic() + seconds * PATIENCE
        try:
            c.sendall((f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAccept: text/event-stream\r\n"
                      + "".join(f"{k}: {v}\r\n" for k, v in self.identity().items()) + "\r\n").encode())
            f = c.makefile("rb")
            status = f.readline().split()
            if len(status) < 2 or status[1] != b"200":
                raise AssertionError(f"live stream answered {status}")
            headers = http.client.parse_headers(f)
            if headers.get_content_type() != "text/event-stream":
                raise AssertionError(f"live stream is {headers.get_content_type()}")
            chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
            lines = _sse_lines(f, chunked)
            event, data = "message", []
            for line in lines:
                if time.monotonic() > end:
                    return
                if line == b"":
                    if data:
                        yield event, json.loads(b"\n".join(data))
                    event, data = "message", []
                elif line.startswith(b"event:"):
                    event = line[6:].strip().decode()
                elif line.startswith(b"data:"):
                    data.append(line[5:].strip())
        finally:
            c.close()


def _sse_lines(f, chunked):
    if not chunked:
        for line in f:
            yield line.rstrip(b"\r\n")
        return
    rest = b""
    while True:
        head = f.readline()
        if not head:
            return
        size = int(head.split(b";")[0], 16)
        if size == 0:
            return
        rest += f.read(size)
        f.readline()
        while b"\n" in rest:
            line, rest = rest.split(b"\n", 1)
            yield line.rstrip(b"\r")


class LabTest(unittest.TestCase):
    """Tests that share one laboratory; its end is part of the test."""

    lab = None

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls.__name__)
        try:
            cls.prepare()
        except BaseException:
            cls.lab.save_logs()
            with contextlib.suppress(AssertionError):
                cls.lab.close()
            raise

    @classmethod
    def prepare(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        if cls.lab:
            cls.lab.close()
