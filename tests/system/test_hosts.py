"""Hosts and devices: names and where they are from, places by the operator's MMDB files, vendors, ARP."""

import json
import os
import struct
import unittest

import packets as p
import test_analyze
from mmdb import mmdb
from weirlab import CLIENT, ROOT, SERVER, LabTest, Weir, wait_for

A, B, C = "10.1.0.1", "10.1.0.2", "198.51.100.7"
MAXMIND = {"country": {"iso_code": "DE"}, "city": {"names": {"de": "Nein", "en": "Ulm"}}}


def netbios(name, address):
    plain = name.ljust(15).encode() + b"\0"
    coded = b"\x20" + b"".join(bytes([65 + (c >> 4), 65 + (c & 15)]) for c in plain) + b"\0"
    return (struct.pack(">6H", 1, 0x2910, 1, 0, 0, 1) + coded + struct.pack(">HH", 0x20, 1) + b"\xc0\x0c" +
            struct.pack(">HHIHH", 0x20, 1, 300, 6, 0) + p.addr(address))


def mdns(name, address):
    owner = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    return struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + owner + struct.pack(">HHIH", 1, 0x8001, 120, 4) + p.addr(address)


def dhcp(op, kind, given="0.0.0.0", name=None):
    options = bytes([53, 1, kind]) + (bytes([12, len(name)]) + name.encode() if name else b"") + b"\xff"
    return (bytes([op, 1, 6, 0]) + struct.pack(">I", 99) + bytes(8) + p.addr(given) + bytes(8) + p.MAC_A + bytes(10 + 192) +
            struct.pack(">I", 0x63825363) + options)


def datagram(src, sport, dst, dport, payload):
    return p.packet(src, dst, 17, p.udp(sport, dport, payload))


class Names(test_analyze.AnalyzeTest):
    def hosts(self, frames, **kw):
        d, err = self.analyze(self.file(p.pcap(frames)), **kw)
        self.check_sums(d)
        return {h["ip"]: h for h in d["hosts"]}, d, err

    def test_every_source(self):
        talk = p.Talk(A, C, 40000, 443)
        talk.send(True, "S")
        talk.send(False, "SA")
        talk.send(True, "A")
        talk.send(True, "PA", p.tls_hello("tls.example"))
        hosts, d, _ = self.hosts([
            datagram("0.0.0.0", 68, "255.255.255.255", 67, dhcp(1, 3, name="LapTop")),
            datagram(B, 67, "255.255.255.255", 68, dhcp(2, 5, given=A)),
            datagram(A, 5353, "224.0.0.251", 5353, mdns("Mac.local", A)),
            datagram(A, 137, "10.1.0.255", 137, netbios("DESK", A)),
            datagram(B, 53, A, 40001, p.dns_answer("dns.example", C)),
            *talk.frames,
        ])
        self.assertEqual((hosts[A]["names"], hosts[A]["name_sources"]), (["laptop", "mac.local", "DESK"], ["dhcp", "mdns", "netbios"]))
        self.assertEqual((hosts[C]["names"], hosts[C]["name_sources"]), (["dns.example", "tls.example"], ["dns", "tls"]))
        self.assertEqual(hosts[B]["names"], [])
        self.assertEqual(hosts[A]["mac"], "02:00:00:00:00:01")
        self.assertIsNone(hosts[C]["mac"])
        self.assertEqual(hosts[C]["ports"]["served"][0], {"port": 443, "protocol": "TCP", "flows": 1,
                                                          "bytes": sum(map(len, talk.frames))})
        self.assertEqual(hosts[A]["flows"]["client"], 4)
        tls = next(f for f in d["flows"] if f["server"]["port"] == 443)
        self.assertEqual((tls["client"]["name"], tls["server"]["name"]), ("laptop", "dns.example"))

    def test_spaces_share_no_names(self):
        """The same addresses at two points of two address spaces: a name that one saw is not the other's."""
        one = self.file(p.pcap([datagram(B, 53, A, 40001, p.dns_answer("secret.example", C)), datagram(A, 1, C, 2, b"x")]), "one.pcap")
        two = self.file(p.pcap([datagram(A, 1, C, 2, b"x")]), "two.pcap")
        d, _ = self.analyze(one, two, settings={"address_spaces": ["two.pcap=7"]})
        names = {h["address_space"]: h["names"] for h in d["hosts"] if h["ip"] == C}
        self.assertEqual(names, {0: ["secret.example"], 7: []})

    def test_dns_mode(self):
        frames = [datagram(B, 53, A, 40001, p.dns_answer("dns.example", C)), datagram(A, 1, C, 2, b"x")]
        hosts, _, _ = self.hosts(frames, settings={"engine.dns_mode": 3})
        self.assertEqual(hosts[C]["names"], [])
        hosts, _, _ = self.hosts(frames, settings={"engine.dns_mode": 2})
        self.assertEqual(hosts[C]["names"], ["dns.example"])
        # Files are nobody's network: there, what would be resolved is only decoded.
        for mode in (0, 1):
            hosts, _, _ = self.hosts(frames, settings={"engine.dns_mode": mode})
            self.assertEqual((hosts[C]["names"], hosts[A]["names"]), (["dns.example"], []))

    def test_devices(self):
        folder = os.path.join(self.lab.dir, "ieee")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "oui.csv"), "w") as f:
            f.write('Registry,Assignment,Organization Name,Organization Address\nMA-L,ACDE48,"Maker, Inc.",Here\n')
        made = bytes.fromhex("acde48000001")
        frames = [
            p.eth(struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, made, p.addr(A), bytes(6), p.addr(B)), 0x0806, made, b"\xff" * 6),
            p.eth(struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, p.MAC_B, p.addr(B), made, p.addr(A)), 0x0806, p.MAC_B, made),
            p.eth(p.ipv4(A, C, 17, p.udp(1, 2, b"x")), 0x0800, made, p.MAC_B),
        ]
        hosts, d, _ = self.hosts(frames, settings={"vendor_directory": folder})
        devices = {x["mac"]: x for x in d["devices"]}
        self.assertEqual(set(devices), {"ac:de:48:00:00:01", "02:00:00:00:00:02"})
        one, two = devices["ac:de:48:00:00:01"], devices["02:00:00:00:00:02"]
        self.assertEqual((one["vendor"], two["vendor"]), ("Maker, Inc.", None))
        self.assertEqual((one["ips"], two["ips"]), ([A], [B]))
        self.assertEqual((one["arp"], two["arp"]), ({"requests": 1, "replies": 0}, {"requests": 0, "replies": 1}))
        self.assertEqual((one["bytes"], two["bytes"]), ({"sent": 120, "received": 0}, {"sent": 60, "received": 60}))
        self.assertEqual((hosts[A]["mac"], hosts[A]["vendor"]), ("ac:de:48:00:00:01", "Maker, Inc."))
        # Without lists nobody has a name.
        hosts, _, _ = self.hosts(frames, settings={"vendor_directory": folder + "/missing"})
        self.assertIsNone(hosts[A]["vendor"])


class Places(test_analyze.AnalyzeTest):
    def place(self, ip, *files, frames=None):
        """(country, city, as) of a host, and what was written."""
        paths = [self.lab.file(f"geo-{self.n}-{i}.mmdb", data) for i, data in enumerate(files)]
        frames = frames or [p.packet("10.1.0.1" if ":" not in ip else "fd00::1", ip, 17, p.udp(1, 2, b"x"))]
        d, err = self.analyze(self.file(p.pcap(frames)), settings={"geoip_files": paths})
        h = next(h for h in d["hosts"] if h["ip"] == ip)
        return (h["country"], h["city"], h["as"]), err

    def test_editions(self):
        for size in (24, 28, 32):
            got, err = self.place(C, mmdb("GeoLite2-City", {"198.51.100.0/24": MAXMIND}, record_size=size))
            self.assertEqual(got, ("DE", "Ulm", None), err)
        got, _ = self.place(C, mmdb("asn", {"198.51.0.0/16": {"autonomous_system_number": 64500,
                                                              "autonomous_system_organization": "Beispiel ÄG"}}))
        self.assertEqual(got, (None, None, {"number": 64500, "name": "Beispiel ÄG"}))
        got, _ = self.place(C, mmdb("geo-whois-asn-country", {"198.51.100.0/25": {"country_code": "FR"}}, version=4))
        self.assertEqual(got, ("FR", None, None))
        got, _ = self.place(C, mmdb("ipinfo", {"198.51.100.7/32": {"country": "it", "city": "Roma", "asn": "AS64501", "as_name": "Rete"}}))
        self.assertEqual(got, ("IT", "Roma", {"number": 64501, "name": "Rete"}))

    def test_what_one_does_not_say_the_next_may(self):
        got, _ = self.place(C, mmdb("country", {"198.51.100.0/24": {"country": {"iso_code": "DE"}}, "0.0.0.0/1": {"country_code": "US"}}),
                            mmdb("asn", {"198.51.100.0/24": {"autonomous_system_number": 64500}}),
                            mmdb("city", {"198.51.100.0/24": {"country_code": "FR", "city": "Lyon"}}))
        self.assertEqual(got, ("DE", "Lyon", {"number": 64500, "name": None}))

    def test_ipv6_and_addresses_that_are_nowhere(self):
        db = mmdb("country", {"2001:db8::/32": {"country_code": "JP"}, "198.51.100.0/24": {"country_code": "DE"}})
        self.assertEqual(self.place("2001:db8::9", db)[0], ("JP", None, None))
        self.assertEqual(self.place("2001:db9::9", db)[0], (None, None, None))
        self.assertEqual(self.place("203.0.113.1", db)[0], (None, None, None))
        # IPv6 in a file that knows IPv4 alone.
        self.assertEqual(self.place("2001:db8::9", mmdb("country", {"198.51.100.0/24": {"country_code": "DE"}}, version=4))[0],
                         (None, None, None))

    def test_odd_fields_are_not_believed(self):
        got, _ = self.place(C, mmdb("odd", {"198.51.100.0/24": {"country": "Germany", "city": "a\nb" + "ß" * 100, "asn": "ASx"}}))
        self.assertEqual((got[0], got[2]), (None, None))
        self.assertTrue(got[1].startswith("a?b") and got[1].endswith("ß") and len(got[1].encode()) <= 120)

    def test_a_broken_file_is_named(self):
        good = mmdb("country", {"198.51.100.0/24": {"country_code": "DE"}})
        for bad in (b"this is no database", good[:-20], b"\0" * 4096, good[:30]):
            got, err = self.place(C, bad, good)
            self.assertEqual(got[0], "DE")
            self.assertIn("-0.mmdb", err)
        missing = self.lab.dir + "/nowhere.mmdb"
        d, err = self.analyze(self.file(p.pcap([datagram(A, 1, C, 2, b"x")])), settings={"geoip_files": [missing]})
        self.assertIn("nowhere.mmdb", err)
        self.assertEqual({h["country"] for h in d["hosts"]}, {None})

    def test_private_addresses_are_of_no_country(self):
        """Whatever the file says."""
        path = self.file(mmdb("country", {n: {"country_code": "XX"} for n in ("10.0.0.0/8", "198.51.100.0/24")}))
        d, _ = self.analyze(self.file(p.pcap([datagram("10.1.0.1", 1, "198.51.100.7", 2, b"x")])), settings={"geoip_files": [path]})
        self.assertEqual({h["ip"]: h["country"] for h in d["hosts"]}, {"10.1.0.1": None, "198.51.100.7": "XX"})

    def test_the_country_database_that_the_server_uses(self):
        path = os.path.join(ROOT, "geo", "node_modules", "@ip-location-db", "geo-whois-asn-country-mmdb", "geo-whois-asn-country.mmdb")
        if not os.path.exists(path):
            return  # never fetched here: script/server goes on without, too
        frames = [datagram("192.168.0.103", 1, "8.8.8.8", 53, b"x")]
        d, _ = self.analyze(self.file(p.pcap(frames)), settings={"geoip_files": [path]})
        self.assertEqual({h["ip"]: h["country"] for h in d["hosts"]}, {"192.168.0.103": None, "8.8.8.8": "US"})


# Private addresses are of no country, so these two have some of their own.
PUBLIC = "198.51.100.1", "198.51.100.2"


class Replaced(LabTest):
    """A file that changes while Weir runs."""

    @classmethod
    def prepare(cls):
        cls.path = cls.write("198.51.100.0/24", "XA")
        for namespace, address in ((cls.lab.client, PUBLIC[0]), (cls.lab.server, PUBLIC[1])):
            cls.lab.exec(namespace, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        cls.weir = Weir(cls.lab, settings={"geoip_files": [cls.path]}).start()
        cls.api = cls.weir.setup()
        cls.ping = [cls.lab.spawn(cls.lab.client, "ping", "-q", "-i", "0.2", to, log=f"ping-{to}") for to in (SERVER, PUBLIC[1])]

    @classmethod
    def write(cls, network, country, data=None):
        """Written beside and moved into place, as programs that fetch such files do."""
        path = os.path.join(cls.lab.dir, "country.mmdb")
        with open(path + ".new", "wb") as f:
            f.write(data or mmdb("country", {network: {"country_code": country}}))
        os.rename(path + ".new", path)
        return path

    def countries(self):
        h = {h["ip"]: h["country"] for h in self.api.all("/api/v1/hosts", "hosts")}
        return tuple(h.get(a) for a in PUBLIC)

    def test_replaced(self):
        wait_for("the country of both", lambda: self.countries() == ("XA", "XA"))
        self.write("198.51.100.2/32", "XB")
        wait_for("the new file's word, of hosts that were known too", lambda: self.countries() == (None, "XB"), 15)
        self.write(None, None, data=b"half a file")
        wait_for("a line about the broken file", lambda: "country.mmdb: is no MMDB file" in self.weir.log(), 15)
        self.assertEqual(self.countries(), (None, "XB"))
        os.unlink(self.path)
        wait_for("a line about the missing file", lambda: "country.mmdb: No such file" in self.weir.log(), 15)
        self.write("198.51.100.0/24", "XC")
        wait_for("the third file's word", lambda: self.countries() == ("XC", "XC"), 15)
        # An engine that is started again begins with the file of now.
        health = self.api.ask("/api/v1/health")
        self.assertEqual(health["status"], "ok", json.dumps(health)[:600])
        devices = self.api.ask("/api/v1/devices")["devices"]
        mac = json.loads(self.lab.exec(self.lab.client, "ip", "-j", "link", "show", "eth0").stdout)[0]["address"]
        mine = next(d for d in devices if d["mac"] == mac)
        self.assertIn(CLIENT, mine["ips"])
        self.assertGreater(mine["bytes"]["sent"], 0)


if __name__ == "__main__":
    unittest.main()
