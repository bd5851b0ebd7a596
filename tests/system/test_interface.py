"""Interfaces come and go: what is deleted, made again, set down and up is watched again within 2 s; offloads are as promised."""

import re
import time
import unittest

from weirlab import CLIENT, PATIENCE, SERVER, SERVER6, LabTest, Weir, run, wait_for

AGAIN_WITHIN = 2
# Datagrams from one port, often, whether or not they get anywhere.
KNOCK = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[2])))
while True:
    try:
        s.sendto(b"knock", (sys.argv[1], 9))
    except OSError:
        pass
    time.sleep(0.05)
"""


def offload(lab, ns, dev, name="generic-receive-offload"):
    return re.search(rf"^{name}: (on|off)", lab.exec(ns, "ethtool", "-k", dev).stdout, re.M).group(1)


class Interface(LabTest):
    @classmethod
    def prepare(cls):
        cls.assert_gro_on_before = offload(cls.lab, cls.lab.mon, "ports")
        cls.weir = Weir(cls.lab).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("ports")["state"] == "up")
        cls.ping = cls.lab.spawn(cls.lab.client, "ping", "-q", "-i", "0.1", SERVER, log="ping")

    def packets(self):
        return self.api.interface("ports")["packets"]

    def state(self):
        return self.api.interface("ports")["state"]

    def seen_again(self, before, up):
        """Traffic is counted, and the first frame of a new flow was seen within the time promised from the moment the interface was
        up: a frame's own time, as the count is told at the end of a second."""
        port = 20000 + int(up) % 40000
        flood = self.lab.spawn(self.lab.client, "/usr/bin/python3", "-I", "-c", KNOCK, SERVER, port, log="knock")
        wait_for("traffic to be seen again", lambda: self.packets() > before)
        wait_for("the interface to be up", lambda: self.state() == "up")
        flow = wait_for("the new flow", lambda: [f for f in self.api.all("/api/v1/flows", "flows") if f["server"]["port"] == 9 and
                                                 f["client"]["port"] == port and f["last"] >= up])[0]
        self.lab.end(flood)
        self.assertLess(flow["first"] - up, AGAIN_WITHIN * PATIENCE)

    def others(self):
        return {k: v for k, v in self.weir.processes().items() if k[0] != "capture"}

    def test_down_and_up(self):
        others = self.others()
        for _ in range(2):
            wait_for("traffic", lambda: self.packets() > 0)
            run("ip", "-n", self.lab.mon, "link", "set", "ports", "down")
            wait_for("the page to say down", lambda: self.state() == "down")
            wait_for("a status of degraded", lambda: self.api.ask("/api/v1/health")["status"] == "degraded")
            before, up = self.packets(), time.time()
            run("ip", "-n", self.lab.mon, "link", "set", "ports", "up")
            self.seen_again(before, up)
        self.assertEqual(self.others(), others)
        wait_for("a status of ok", lambda: self.api.ask("/api/v1/health")["status"] == "ok")

    def test_deleted_and_made_again(self):
        others = self.others()
        for _ in range(2):
            run("ip", "-n", self.lab.mon, "link", "del", "ports")
            wait_for("the page to say down", lambda: self.state() == "down")
            wait_for("capture to be said to wait", lambda: [c for c in self.api.ask("/api/v1/health")["components"] if c["name"] == "capture@0"
                                                           and (c["state"], c["interface"]) == ("waiting", "ports")])
            before = self.packets()
            self.lab.wire_end(self.lab.server, "ports", [f"{SERVER}/24", f"{SERVER6}/64"])
            self.seen_again(before, time.time())
        self.assertEqual(self.others(), others)
        self.assertEqual(offload(self.lab, self.lab.mon, "ports"), "off")

    def test_its_speed(self):
        """As the driver says it, which of a pair of virtual ones is 10 Gbit/s."""
        said = int(re.search(r"Speed: (\d+)Mb/s", self.lab.exec(self.lab.mon, "ethtool", "ports").stdout)[1])
        self.assertEqual(self.api.interface("ports")["speed_bps"], said * 10**6)
        data = self.api.ask("/lua/rest/v2/get/interface/data.lua?ifid=0")["rsp"]
        self.assertEqual(data["speed"], said)

    def test_gro_is_off_where_nobody_lives(self):
        self.assertEqual(self.assert_gro_on_before, "on")
        wait_for("GRO to be off", lambda: offload(self.lab, self.lab.mon, "ports") == "off")
        self.assertEqual(offload(self.lab, self.lab.mon, "portc"), "off")

    def test_z_gone_at_the_end(self):
        """Weir stops cleanly while it waits for an interface."""
        run("ip", "-n", self.lab.mon, "link", "del", "ports")
        wait_for("the page to say down", lambda: self.state() == "down")
        self.weir.stop()


class Addressed(LabTest):
    """Weir on a server's own interface: GRO stays as it is, and merged frames are said to be merged."""

    @classmethod
    def prepare(cls):
        cls.lab.serve_tls()
        # The segments of one sender, merged before the tap sees them.
        cls.lab.exec(cls.lab.mon, "ethtool", "-K", "ports", "gro", "off")
        cls.weir = Weir(cls.lab, interfaces=("eth0",), settings={"interface_speeds": ["eth0=25M"]}, ns=cls.lab.client).start()
        cls.api = cls.weir.setup()
        wait_for("the interface to be up", lambda: cls.api.interface("eth0")["state"] == "up")

    def test_its_speed_is_what_the_operator_says(self):
        self.assertEqual(self.api.interface("eth0")["speed_bps"], 25 * 10**6)

    def test_gro_stays_and_merged_frames_are_counted(self):
        self.assertEqual(offload(self.lab, self.lab.client, "eth0"), "on")

        def merged():
            self.lab.curl("portal.weir-test.example", "/5m")
            counters = {c["place"]: c["count"] for c in self.api.ask("/api/v1/health")["counters"]}
            return any("merged" in k and v > 0 for k, v in counters.items()) or None
        wait_for("merged frames to be counted", merged, 20)
        self.assertEqual(offload(self.lab, self.lab.client, "eth0"), "on")

    def test_own_traffic_is_seen(self):
        self.lab.curl("portal.weir-test.example", "/1m")
        host = wait_for("the host", lambda: [h for h in self.api.all("/api/v1/hosts", "hosts") if h["ip"] == CLIENT and
                                             h["bytes"]["received"] > 1e6])
        self.assertTrue(host)


class TwoInterfaces(LabTest):
    """One capture process an interface; the loss of one does not touch the other."""

    @classmethod
    def prepare(cls):
        cls.weir = Weir(cls.lab, interfaces=("portc", "ports")).start()
        cls.api = cls.weir.setup()
        for name in ("portc", "ports"):
            wait_for(f"{name} to be up", lambda n=name: cls.api.interface(n)["state"] == "up")

    def test_each_counts_its_own(self):
        self.lab.ping(20)
        for name in ("portc", "ports"):
            wait_for(f"packets of {name}", lambda n=name: self.api.interface(n)["packets"] >= 40)
        ping = self.lab.spawn(self.lab.client, "ping", "-q", "-i", "0.2", SERVER, log="ping")
        points = wait_for("a flow at each", lambda: (lambda s: s if s == {"portc", "ports"} else None)(
            {f["observation_point"] for f in self.api.all("/api/v1/flows", "flows") if f["protocol"] == "ICMP"}))
        self.assertEqual(len(points), 2)
        only = self.api.all("/api/v1/flows?interface=ports", "flows")
        self.lab.end(ping)
        self.assertEqual({f["observation_point"] for f in only}, {"ports"})

    def test_z_one_goes(self):
        before = self.weir.wait_processes()
        run("ip", "-n", self.lab.mon, "link", "set", "portc", "nomaster")
        run("ip", "-n", self.lab.mon, "link", "del", "portc")
        wait_for("portc to be down", lambda: self.api.interface("portc")["state"] == "down")
        self.assertEqual(self.api.interface("ports")["state"], "up")
        self.assertEqual(self.weir.processes().get(("capture", 1)), before[("capture", 1)])


class DefaultRoute(LabTest):
    """Without -i the interface with the default route is the one that is watched."""

    @classmethod
    def prepare(cls):
        run("ip", "-n", cls.lab.client, "route", "add", "default", "via", SERVER)
        cls.weir = Weir(cls.lab, interfaces=(), ns=cls.lab.client).start()
        cls.api = cls.weir.setup()

    def test_the_default_interface(self):
        self.lab.ping(5)
        wait_for("its packets", lambda: self.api.interface("eth0")["packets"] >= 10)
        self.assertEqual([i["name"] for i in self.api.ask("/api/v1/interfaces")["interfaces"]], ["eth0"])


if __name__ == "__main__":
    unittest.main()
