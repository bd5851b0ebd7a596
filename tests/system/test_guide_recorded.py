"""What ntopng itself answered about a capture (../shared/captures/ntopng-rest), beside what Weir answers about the same one: every name, every
kind of value, and what is a fact of the capture."""

import collections
import json
import os
import re

from test_guide import GUIDE_PASSWORD, Client, GuideTest, basic
from weirlab import CAPTURES, Weir, wait_for

RECORDED = os.path.join(CAPTURES, "ntopng-rest")

# Addresses of ntopng's that neither the guide nor docs/API.md has.
NOT_SERVED = {"get_alert_severity_counters_01", "get_alert_type_consts_01", "get_alert_type_counters_01", "get_checks_config_01",
              "get_flow_l4_counters_01", "get_flow_l7_counters_01", "get_host_custom_data_01", "get_host_custom_data_02",
              "get_host_interfaces_01", "get_interface_address_01", "get_l4_protocol_consts", "get_l7_application_consts_01",
              "get_l7_category_consts_01", "get_service_map", "get_syslog_producers", "set_host_alias_01"}

# Of a path in the answer: why it differs from ntopng's. A test fails where one of them is needed no more.
NAMES = [  # names that are not there
    (r"\.system_host_stats$", "says of the machine what is nobody's but the operator's"),
    (r"\.password$", "no answer holds a password's hash"),
    (r"\.download_upload_chart$", "get/interface/timeseries has it"),
    (r"\.remote_[bp]ps$", "of remote probes: Weir collects no flows of others yet"),
    (r"^get_host_data\.ndpi\.", "applications have their whole name (TLS.Facebook) and are eight at most, without directions"),
    (r"^get_host_data\.(ICMPv4|dns|http|dscp|pktStats\.\w+|udpBytesSent\.\w+|ndpi_categories|bytes\.ndpi\.unknown)$", "not kept of hosts"),
    (r"^get_host_data\.(cardinality|contacts\.\w+|server_contacts|active_http_hosts|total_activity_time)$", "not kept of hosts"),
    (r"^get_host_data\.(num_unidirectional_tcp_flows|num_\w+_no_response|(host_)?unreachable_flows\.\w+)$", "not kept of hosts"),
    (r"^get_host_data\.(\w+\.)+anomaly_index$", "ntopng's judgement of its own series"),
    (r"^get_host_data\.(\w+_behaviour|throughput_trend_\wps|score_pct)$", "ntopng's judgement of its own series"),
    (r"^get_host_data\.(alerted_flows\.\w+|num_flow_alerts|num_blacklisted_flows)$", "nothing raises alerts yet"),
    (r"^get_host_data\.(asset_key|host_pool_id|host_pool_match|host_services_bitmap|iface_index|iphex|ipkey|serialize_by_mac)$", "of ntopng's inside"),
    (r"^get_host_data\.(observation_point_id|local_network_id|local_network_name|devtype|router|continent|latitude|longitude)$", "not known of hosts"),
    (r"^get_host_data\.(broadcast_domain_host|is_broadcast|is_rx_only|systemhost|dhcpHost|crawlerBotScannerHost)$", "not known of hosts"),
]
KINDS = [  # null where ntopng has a number: not kept, which is not 0
    (r"\.(tcp|udp|icmp|other_ip)\.(bytes|packets)\.(sent|rcvd)$", "not kept of hosts by protocol"),
    (r"\.keep_alive$", "keep-alives are not told apart"),
    (r"^get_host_l7_stats\[\]\.duration$", "how long an application was active is not kept"),
]

# What the capture says of itself, by its packets; ntopng says the same, or why it does not.
FACTS = {"packets": 4999, "frames": 3624437, "sent": (1990, 212237), "received": (3009, 3412200)}
WIRE = 24  # bytes that ntopng adds to each frame of an interface: preamble, checksum and gap


def kind(v):
    return "number" if isinstance(v, (int, float)) and not isinstance(v, bool) else type(v).__name__


class Recorded(GuideTest):
    """A Weir that reads what the recorded ntopng read."""

    CAPTURE = None

    @classmethod
    def prepare(cls):
        cls.cases = []
        for name in sorted(os.listdir(RECORDED)) if os.path.isdir(RECORDED) else ():
            with open(os.path.join(RECORDED, name)) as f:
                recorded = json.load(f)
            want = recorded["expected_response"]
            if isinstance(want, str):  # of several requests: the last, as it came
                last = want.strip().split("\n")[-1]
                want = json.loads(last) if last[:1] == "{" else last
            asked = (([r for r in recorded["requests"] if r["phase"] == "runtime"] or recorded["requests"]))[-1]
            cls.cases.append((name.removesuffix(".json"), recorded["input"], recorded["localnet"], asked, want))
        cls.used = collections.Counter()
        cls.pcap = os.path.join(CAPTURES, cls.CAPTURE)
        # Weir's own made numbers are those of test_guide; here is what was recorded, where it is there.
        cls.weir = Weir(cls.lab, interfaces=(), arguments=("--pcap", cls.pcap) if os.path.exists(cls.pcap) else ("-i", "lo"), settings={
            "engine.idle_timeout": "10 min", "engine.closed_timeout": "1 min", "local_networks": ["192.168.1.0/24"]}).start()
        cls.weir.setup(password=GUIDE_PASSWORD)
        cls.client = Client(cls.weir, basic("admin", GUIDE_PASSWORD))
        if os.path.exists(cls.pcap):
            wait_for("the capture to be read", lambda: cls.client.ask("get/interface/data", ifid=0)["packets"] == cls.PACKETS, 60)

    def of_the_capture(self, *names):
        return [c for c in self.cases if c[1] == self.CAPTURE and (not names or c[0] in names)]

    def answer(self, asked):
        path = asked["url"].split("/lua/rest/v2/")[1]
        path, _, query = path.partition("?")
        return self.client.raw(path.removesuffix(".lua"), method="POST" if asked["body"] else "GET", body=json.loads(asked["body"]) if asked["body"] else None,
                               **dict(p.split("=", 1) for p in query.split("&") if p))

    def is_told(self, table, path):
        for pattern, _ in table:
            if re.search(pattern, path):
                self.used[pattern] += 1
                return True
        return False

    def differences(self, path, want, got):
        """Of names and kinds."""
        if kind(want) != kind(got):
            if got is not None or not self.is_told(KINDS, path):
                yield f"{path}: {kind(want)} is {kind(got)}"
        elif isinstance(want, dict):
            for k in want:
                if k not in got:
                    if not self.is_told(NAMES, f"{path}.{k}"):
                        yield f"{path}.{k} is not there"
                else:
                    yield from self.differences(f"{path}.{k}", want[k], got[k])
        elif isinstance(want, list) and want:
            if not got:
                yield f"{path}: is empty"
            for i, one in enumerate(got):
                yield from self.differences(f"{path}[]", want[i if len(want) == len(got) else 0], one)

    def compare_names_and_kinds(self):
        for name, _, _, asked, want in self.of_the_capture():
            if name in NOT_SERVED or "alert" in asked["url"]:
                continue
            with self.subTest(name=name):
                got = self.answer(asked).json
                self.assertEqual([got[k] for k in ("rc", "rc_str", "rc_str_hr")], [want[k] for k in ("rc", "rc_str", "rc_str_hr")])
                self.assertEqual(sorted(set(self.differences(re.sub(r"_\d+$", "", name), want["rsp"], got["rsp"]))), [])


class GuideRecorded(Recorded):
    CAPTURE, PACKETS = "pcap/proto/ntopng-test_01.pcap", FACTS["packets"]

    def test_names_and_kinds_are_ntopngs(self):
        self.compare_names_and_kinds()
        if self.cases:
            self.assertEqual([p for p, _ in NAMES + KINDS if not self.used[p]], [], "these are needed no more")

    def test_lists_of_alerts_have_ntopngs_shape(self):
        """Nothing raises alerts yet, so no record is there to be compared."""
        for name, _, _, asked, want in self.cases:
            if "/alert/list" not in asked["url"]:
                continue
            with self.subTest(name=name):
                got = self.answer(asked).json
                self.assertEqual((got["rc"], got["rsp"]["records"], got["recordsTotal"], got["recordsFiltered"]), (0, [], 0, 0))
                if isinstance(want, dict):  # format=txt is the page's download, and no envelope
                    self.assertLessEqual({k for k in want if k.startswith("records")}, set(got))

    def test_what_is_not_served_is_not_there(self):
        for name, _, _, asked, _ in self.cases:
            if name in NOT_SERVED and "/lua/rest/v2/" in asked["url"]:
                self.refused(self.answer(asked), 404, -1, "NOT_FOUND")

    # --- facts of the capture

    def test_flows_are_ntopngs(self):
        for name, _, _, asked, want in self.of_the_capture("get_flow_active_01"):
            got = self.answer(asked).json["rsp"]
            self.assertEqual([got[k] for k in ("currentPage", "perPage", "totalRows", "sort")], [want["rsp"][k] for k in ("currentPage", "perPage", "totalRows", "sort")])

            def facts(rows):  # but names: an address has several, and which one is shown is taste
                return [(f["client"]["ip"], f["client"]["port"], f["server"]["ip"], f["server"]["port"], f["vlan"], f["protocol"]["l4"],
                         f["bytes"], f["breakdown"], f["first_seen"], f["last_seen"]) for f in rows]
            self.assertEqual(facts(got["data"]), facts(want["rsp"]["data"]))
            # Newer lists of nDPI know more applications by address: what both name, they name alike.
            for g, w in zip(got["data"], want["rsp"]["data"]):
                self.assertTrue(g["protocol"]["l7"].startswith(w["protocol"]["l7"].split(".")[0]), (g, w))

    def test_hosts_are_ntopngs(self):
        for name, _, _, asked, want in self.of_the_capture("get_host_active_01"):
            got = {h["ip"]: h for h in self.client.ask("get/host/active", ifid=0, perPage=1000)["data"]}
            for w in want["rsp"]["data"]:  # in no order of ntopng's: it was asked for none
                g = got[w["ip"]]
                for k in ("key", "vlan", "bytes", "num_flows", "first_seen", "os", "is_localhost", "is_multicast", "is_broadcast", "is_blacklisted"):
                    self.assertEqual(g[k], w[k], (w["ip"], k))

    def test_an_interface_is_the_captures(self):
        for name, _, _, asked, want in self.of_the_capture("get_interface_data_01"):
            got, w = self.answer(asked).json["rsp"], want["rsp"]
            for k in ("packets", "drops", "num_flows", "num_local_hosts", "num_devices", "is_view", "num_live_captures", "speed", "ifid"):
                self.assertEqual(got[k], w[k], k)
            self.assertEqual((got["bytes"], got["bytes"] + WIRE * got["packets"]), (FACTS["frames"], w["bytes"]))

    def test_a_host_is_the_captures(self):
        """ntopng counts one packet of the host's for the other direction: tshark's numbers are Weir's."""
        for name, _, _, asked, want in self.of_the_capture("get_host_data_01"):
            got, w = self.answer(asked).json["rsp"], want["rsp"]
            self.assertEqual((got["packets.sent"], got["bytes.sent"]), FACTS["sent"])
            self.assertEqual((got["packets.rcvd"], got["bytes.rcvd"]), FACTS["received"])
            self.assertEqual(w["packets.sent"] + w["packets.rcvd"], FACTS["sent"][0] + FACTS["received"][0])
            for k in ("ip", "mac", "active_flows.as_client", "localhost", "privatehost", "seen.first", "vlan", "ip_version"):
                self.assertEqual(got[k], w[k], k)

    def test_applications_are_ntopngs(self):
        for name, _, _, asked, want in self.of_the_capture("get_interface_l7_stats_02", "get_interface_l7_stats_04", "get_host_l7_stats_01", "get_host_l7_stats_02"):
            got = self.answer(asked).json["rsp"]
            self.assertEqual([s["label"] for s in got], [s["label"] for s in want["rsp"]], name)


class GuideRecordedLater(Recorded):
    """The same host in a capture of another day, and a host that no capture has."""

    CAPTURE, PACKETS = "pcap/proto/ntopng-test_02.pcap", 5000

    def test_names_and_kinds_are_ntopngs(self):
        self.compare_names_and_kinds()

    def test_a_host_is_the_captures(self):
        for name, _, _, asked, want in self.of_the_capture("get_host_data_02"):
            got, w = self.answer(asked).json["rsp"], want["rsp"]
            self.assertEqual([got[f"{k}.{d}"] for d in ("sent", "rcvd") for k in ("packets", "bytes")], [1991, 212557, 3009, 3412200])  # tshark's, as above
            self.assertEqual(w["packets.sent"] + w["packets.rcvd"], 1991 + 3009)
            for k in ("ip", "mac", "active_flows.as_client", "active_flows.as_server", "localhost", "vlan"):
                self.assertEqual(got[k], w[k], k)

    def test_who_is_nowhere_is_not_found(self):
        for name, _, _, asked, want in self.of_the_capture("get_host_data_03"):
            self.refused(self.answer(asked), 404, want["rc"], want["rc_str"])

