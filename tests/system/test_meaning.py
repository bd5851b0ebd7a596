"""What flows mean: attributes of the exchange, address spaces that share addresses, and applications of the user's own."""

import subprocess

import packets as p
from test_analyze import AnalyzeTest
from weirlab import PATIENCE, weir_binary, yaml_of

A, B = "10.1.0.1", "10.1.0.2"
PING = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"
PONG = b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"
NOISE = bytes.fromhex("9c01e7445bd2801733fa6e910cb8257dc34f")


def by_point(d):
    return {f["observation_point"]: f for f in d["flows"]}


class Meaning(AnalyzeTest):
    def test_address_spaces_that_share_addresses(self):
        """nDPI remembers who spoke BitTorrent, and believes it of what it cannot tell; but only in their address space."""
        noise = [p.packet(A, B, 17, p.udp(6881, 6881, NOISE)) for _ in range(3)]
        files = [self.file(p.pcap([p.packet(A, B, 17, p.udp(6881, 6881, PING)), p.packet(B, A, 17, p.udp(6881, 6881, PONG))]), "ping.pcap"),
                 self.file(p.pcap(noise), "other.pcap")]
        d, _ = self.analyze(*files, settings={"address_spaces": ["other.pcap=7"]})
        flows = by_point(d)
        self.assertEqual((flows["ping.pcap"]["application"], flows["ping.pcap"]["address_space"]), ("BitTorrent", 0))
        self.assertEqual((flows["other.pcap"]["application"], flows["other.pcap"]["address_space"]), ("Unknown", 7))
        self.assertEqual({(h["ip"], h["address_space"]) for h in d["hosts"]}, {(ip, n) for ip in (A, B) for n in (0, 7)})
        for h in d["hosts"]:
            self.assertEqual(h["bytes"]["sent"] + h["bytes"]["received"],
                             sum(flows["other.pcap" if h["address_space"] else "ping.pcap"]["bytes"].values()), h)

    def test_applications_of_the_users_own(self):
        protocols = self.lab.file("protocols.txt", b"# both ways\nudp:7777@Custom_Port\ninternal_erp 10.1.0.2:9999\n")
        frames = [p.packet(A, B, 17, p.udp(40000 + port, port, b"\x81 nobody knows this")) for port in (7777, 9999, 9998)]
        d, _ = self.analyze(self.file(p.pcap(frames)), settings={"engine.protocols_file": protocols})
        self.assertEqual({f["server"]["port"]: (f["application"], f["confidence"]) for f in d["flows"]},
                         {7777: ("Custom_Port", "guessed"), 9999: ("internal_erp", "guessed"), 9998: ("Unknown", None)})
        wrong = self.lab.file("wrong.txt", b"udp:7777@Custom_Port\nudp:x@y\n")
        conf = self.lab.file("wrong.yaml", yaml_of({"first_uid": self.lab.first_uid, "engine.protocols_file": wrong}))
        for command in (["check-config"], ["analyze", self.file(p.pcap(frames))]):
            done = subprocess.run([weir_binary(), command[0], "-c", conf, *command[1:]], stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=60 * PATIENCE)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"{wrong}:2: ports are written as", done.stderr.decode())

    def test_what_the_exchange_said(self):
        frames = [p.packet(A, B, 17, p.udp(40000, 53, p.dns_query("www.example.org"))),
                  p.packet(B, A, 17, p.udp(53, 40000, p.dns_answer("www.example.org", "192.0.2.9")))]
        request = b"GET /<b>?q=%22 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: <script>alert(1)</script>\r\n\r\n"
        answer = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"
        frames += [p.packet(A, B, 6, p.tcp(40001, 80, 1, 0, "S")), p.packet(B, A, 6, p.tcp(80, 40001, 1, 2, "SA")),
                   p.packet(A, B, 6, p.tcp(40001, 80, 2, 2, "A")), p.packet(A, B, 6, p.tcp(40001, 80, 2, 2, "PA", request)),
                   p.packet(B, A, 6, p.tcp(80, 40001, 2, 2 + len(request), "PA", answer))]
        d, _ = self.analyze(self.file(p.pcap(frames)))
        flows = {f["server"]["port"]: f for f in d["flows"]}
        self.assertEqual(flows[53]["dns"], {"query": "www.example.org", "query_type": "A", "answer": "192.0.2.9", "rcode": "NOERROR"})
        self.assertEqual((flows[53]["http"], flows[53]["tls"], flows[53]["tcp"]), (None, None, None))
        http = flows[80]["http"]
        self.assertEqual((http["method"], http["status"], http["url"], http["user_agent"]),
                         ("GET", 302, "www.example.org/<b>?q=%22", "<script>alert(1)</script>"))
        self.assertEqual((flows[80]["breed"], flows[80]["confidence"]), ("acceptable", "inspected"))
        self.assertEqual(flows[80]["ttl"], {"sent": {"min": 64, "max": 64}, "received": {"min": 64, "max": 64}})
        self.assertGreater(flows[80]["application_latency_ms"], 0)
        self.assertEqual(flows[80]["goodput"], {"sent": len(request), "received": len(answer)})


del AnalyzeTest  # it is run where it is
