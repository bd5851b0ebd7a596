"""Names of hosts from the operator's name servers: weir-dial asks them, for whom the setting says, and survives their answers."""

import os
import signal
import socket
import struct
import threading
import time
import unittest

from weirlab import CLIENT, CLIENT6, SERVER, SERVER6, LabTest, Weir, in_namespace, sandboxed, wait_for

LOCAL = {"engine.dns_mode": 0, "dial.nameservers": ["127.0.0.1"], "local_networks": [CLIENT + "/32"]}
ALL = {"engine.dns_mode": 1, "dial.nameservers": ["127.0.0.1"]}


def reverse(ip):
    return ".".join(reversed(ip.split("."))) + ".in-addr.arpa"


class NameServer:
    """Answers PTR questions in a namespace with what answer(name) makes of them: bytes of a whole record's data, None: nothing."""

    def __init__(self, ns, answer, address="127.0.0.1"):
        def open_socket():
            s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((address, 53))
            s.settimeout(0.2)
            return s
        self.socket, self.answer = in_namespace(ns, open_socket), answer
        self.asked, self.ports, self.ended = [], set(), False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.ended:
            try:
                question, who = self.socket.recvfrom(1500)
            except socket.timeout:
                continue
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            name = ".".join(labels).lower()
            self.asked.append(name)
            self.ports.add(who[1])
            data = self.answer(name)
            if data is None:
                continue
            head = question[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 300, len(data)) + data
            self.socket.sendto(head + question[12:at + 5] + record, who)

    def close(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


def labels(*parts):
    return b"".join(bytes([len(p)]) + p for p in parts) + b"\0"


class NamesTest(LabTest):
    def start(self, settings, name):
        self.weir = Weir(self.lab, settings=settings, name=name).start()
        self.api = self.weir.setup()
        wait_for("the interface to be up", lambda: self.api.interface("ports")["state"] == "up")
        wait_for("weir-dial", lambda: ("dial", 0) in self.weir.processes())
        return self.weir

    def host(self, ip):
        answer = self.api.get(f"/api/v1/hosts/{ip}")
        return answer.json["host"] if answer.status == 200 and "host" in answer.json else answer.json if answer.status == 200 else None

    def names(self, ip):
        h = self.host(ip)
        return h and list(zip(h["names"], h["name_sources"]))

    def tearDown(self):
        self.weir.stop()


class RealServer(NamesTest):
    @classmethod
    def prepare(cls):
        cls.dns = cls.lab.spawn(cls.lab.mon, "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--port=53", "--conf-file=/dev/null",
                                "--pid-file", "--user=root", "--bind-interfaces", "--listen-address=127.0.0.1", "--log-facility=-", "--log-queries",
                                f"--host-record=Client.Corp.example,{CLIENT},{CLIENT6}", f"--host-record=server.corp.example,{SERVER},{SERVER6}",
                                log="dnsmasq")
        wait_for("dnsmasq", lambda: cls.lab.listening(cls.lab.mon, 53, "udp"))

    def test_everybody(self):
        self.start(ALL, "all")
        self.lab.ping()
        self.lab.ping(address=SERVER6)
        for ip, name in ((CLIENT, "client.corp.example"), (SERVER, "server.corp.example"), (CLIENT6, "client.corp.example"),
                         (SERVER6, "server.corp.example")):
            wait_for(f"the name of {ip}", lambda ip=ip, name=name: self.names(ip) == [(name, "resolved")])
        # The process can do nothing else, and its death is nobody's but its own.
        old = self.weir.processes()[("dial", 0)]
        self.assertTrue(sandboxed(old))
        os.kill(old, signal.SIGKILL)
        wait_for("weir-dial to be back", lambda: self.weir.processes().get(("dial", 0), old) != old)
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok")
        self.assertEqual(self.names(CLIENT), [("client.corp.example", "resolved")])

    def test_local_hosts_only(self):
        self.start(LOCAL, "local")
        self.lab.ping()
        wait_for("the client's name", lambda: self.names(CLIENT) == [("client.corp.example", "resolved")])
        # The server's was wanted before it, if at all: both began with one flow.
        self.assertEqual(self.names(SERVER), [])
        with open(self.dns.log_path, errors="replace") as f:
            asked = f.read().rsplit("client.corp.example", 2)
        self.assertIn(CLIENT, "".join(asked))

    def test_other_address_spaces_are_not_asked_for(self):
        """10.77.0.1 of a customer's own space is not the operator's 10.77.0.1."""
        self.start({**ALL, "address_spaces": ["ports=7"]}, "space")
        self.lab.ping()
        wait_for("the host", lambda: any(h["ip"] == CLIENT for h in self.api.ask("/api/v1/hosts")["hosts"]))
        mark = time.time()
        wait_for("seconds of traffic", lambda: (self.lab.ping(), time.time() - mark > 2)[1])
        self.assertEqual({tuple(h["names"]) for h in self.api.ask("/api/v1/hosts")["hosts"]}, {()})


class HostileServer(NamesTest):
    def test_answers_that_are_no_names(self):
        bad = [labels(b"<script>alert(1)</script>", b"example"), labels(b"a\nb"), labels(b"\xff\xfe"), b"\xc0\x0c", b"\xc0\xff", b"\x3f", b"",
               labels(b"x" * 63, b"y" * 63, b"z" * 63, b"w" * 63, b"v" * 63), labels()]
        turn = iter(bad)
        server = NameServer(self.lab.mon, lambda name: next(turn, labels(b"fine", b"example")) if name != reverse(SERVER) else None)
        self.addCleanup(server.close)
        self.start(ALL, "hostile")
        pid = self.weir.processes()[("dial", 0)]
        self.lab.ping()
        wait_for("questions", lambda: reverse(CLIENT) in server.asked)
        # Each bad answer to an address of its own: nobody gets a name by it, and weir-dial lives.
        for i in range(len(bad) + 1):
            self.lab.exec(self.lab.client, "ip", "address", "add", f"10.77.1.{i + 1}/32", "dev", "eth0")
            self.lab.exec(self.lab.client, "ping", "-q", "-c", "1", "-W", "1", "-I", f"10.77.1.{i + 1}", SERVER, check=False)
        wait_for("all questions", lambda: len([n for n in server.asked if n.endswith("1.77.10.in-addr.arpa")]) >= len(bad) + 1, 30)
        wait_for("a good name at last", lambda: any(h["names"] == ["fine.example"] for h in self.api.ask("/api/v1/hosts")["hosts"]), 20)
        # Whoever wants to forge an answer cannot know the port for long.
        fresh = iter(range(100, 200))

        def another():
            i = next(fresh)
            self.lab.exec(self.lab.client, "ip", "address", "add", f"10.77.1.{i}/32", "dev", "eth0")
            self.lab.exec(self.lab.client, "ping", "-q", "-c", "1", "-W", "1", "-I", f"10.77.1.{i}", SERVER, check=False)
            return len(server.ports) > 1
        wait_for("questions from another port", another, 30)
        names = {n for h in self.api.ask("/api/v1/hosts?limit=1000")["hosts"] for n in h["names"]}
        self.assertEqual(names, {"fine.example"})
        self.assertEqual(self.weir.processes()[("dial", 0)], pid)
        self.assertEqual(self.api.ask("/api/v1/health")["status"], "ok")


if __name__ == "__main__":
    unittest.main()
