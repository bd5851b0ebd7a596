#!/usr/bin/env python3
"""Writes the first inputs of the decoder's fuzz targets into corpus/decode_*: one small file for each form of each
header, made from scratch. Run it again after a header was added; what fuzzing found lies beside them."""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / 'corpus'


def be16(n):
    return struct.pack('>H', n)


def udp(payload=b'abcd', source=5000, destination=5353):
    return struct.pack('>HHHH', source, destination, 8 + len(payload), 0) + payload


def tcp(payload=b'GET /'):
    return struct.pack('>HHIIBBHHH', 40000, 80, 1, 2, 0x50, 0x18, 500, 0, 0) + payload


def ipv4(payload, protocol=17, fragment=0, options=b'', number=7):
    total = 20 + len(options) + len(payload)
    return struct.pack('>BBHHHBBH4s4s', 0x45 + len(options) // 4, 0, total, number, fragment, 64, protocol, 0,
                       bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + options + payload


def ipv6(payload, following=17, teredo=False):
    source = bytes.fromhex('20010000' if teredo else '20010db8') + bytes(11) + b'\1'
    return struct.pack('>IHBB', 6 << 28, len(payload), following, 64) + source + bytes.fromhex('20010db8') + bytes(11) + b'\2' + payload


def ethernet(payload, kind=0x0800):
    return bytes.fromhex('020000000002020000000001') + be16(kind) + payload


def snap(payload, kind=0x0800, organisation=b'\0\0\0'):
    return b'\xaa\xaa\3' + organisation + be16(kind) + payload


def wlan(payload, first=0x08, second=0x01, quality=b''):
    addresses = bytes.fromhex('020000000001020000000002020000000003')
    more = addresses[:6] if second & 3 == 3 else b''
    return bytes([first, second, 0, 0]) + addresses + b'\x10\0' + more + quality + payload


V4, V6 = ipv4(udp()), ipv6(udp())
FRAME = ethernet(V4)

LINKS = ['null', 'ethernet', 'slip', 'ppp', 'fddi', 'ppp_hdlc', 'ppp_ether', 'atm', 'raw', 'chdlc', 'wlan', 'frelay', 'loop', 'enc', 'sll',
         'pflog', 'prism', 'radiotap', 'apple_1394', 'avs', 'ppp_pppd', 'ppi', 'ppp_direction', 'chdlc_direction', 'frelay_direction', 'mpls',
         'ipv4', 'ipv6', 'nflog', 'ipoib', 'pktap', 'sll2', 'dsa_broadcom', 'dsa_in_front', 'dsa', 'dsa_ethertype', 'unknown']

MACS = FRAME[:12]

LINK_FRAMES = {
    'null': [b'\2\0\0\0' + V4, b'\0\0\0\x1e' + V6],
    'ethernet': [FRAME, ethernet(snap(V4), len(V4) + 8), ethernet(b'\x42\x42\3' + bytes(35), 38),
                 ethernet(snap(bytes(20), 0x2000, b'\0\0\x0c'), 28), ethernet(b'\xfe\xfe\3' + bytes(20), 23),
                 ethernet(b'\x06\x06\3' + V4, 3 + len(V4)), ethernet(bytes(46), 0x88cc), ethernet(bytes(46), 0x8809)],
    'slip': [bytes(16) + V4],
    'ppp': [b'\xff\3\0\x21' + V4, b'\x21' + V4, b'\0\x57' + V6, b'\x0f\0\x08\0' + V4, b'\xff\3\xc0\x21' + bytes(8)],
    'fddi': [b'\x50' + MACS + snap(V4)],
    'ppp_hdlc': [b'\xff\3\0\x3d\xc0\0\0\1\x21' + V4, b'\xff\3\0\x3d\x80\0\0\1\x21' + V4],
    'ppp_ether': [b'\x11\0\0\1\0\x22\0\x21' + V4],
    'atm': [snap(V4), snap(FRAME, 7, b'\0\x80\xc2')],
    'raw': [V4, V6],
    'chdlc': [b'\x0f\0\x08\0' + V4],
    'wlan': [wlan(snap(V4))],
    'frelay': [b'\x18\x41\3\xcc' + V4, b'\x18\x41\3\0\x80\0\0\0\x08\0' + V4, b'\x18\x41\x08\0' + V4, b'\x18\x40\x02\x41\3\x8e' + V6,
               b'\x18\x41\3\xcf\0\x21' + V4, b'\x18\x41\3\x81' + bytes(20), b'\0\0\0\0' + bytes(8)],
    'loop': [b'\0\0\0\2' + V4],
    'enc': [bytes(12) + V4],
    'sll': [struct.pack('>HHH8sH', 0, 1, 6, bytes(8), 0x0800) + V4, struct.pack('>HHH8sH', 0, 1, 6, bytes(8), 4) + snap(V4)],
    'pflog': [b'\x3d' + bytes(63) + V4],
    'prism': [bytes(144) + wlan(snap(V4))],
    'radiotap': [b'\0\0\x08\0\0\0\0\0' + wlan(snap(V4)), b'\0\0\x19\0\3\0\0\0' + bytes(16) + b'\x20' + wlan(b'\0\0' + snap(V4), 0x88, 1, b'\0\0'),
                 b'\0\0\x0d\0\2\0\0\x80\0\0\0\0\x20' + wlan(snap(V4))],
    'apple_1394': [bytes(16) + b'\x08\0' + V4],
    'avs': [bytes.fromhex('8021100100000010') + bytes(8) + wlan(snap(V4))],
    'ppp_pppd': [b'\0\3\0\x21' + V4, b'\1\x21' + V4],
    'ppi': [b'\0\0\x08\0\x69\0\0\0' + wlan(snap(V4)), b'\0\0\x0c\0\1\0\0\0' + bytes(4) + FRAME, (b'\0\0\x08\0\xc0\0\0\0' * 50)],
    'ppp_direction': [b'\0\xff\3\0\x21' + V4],
    'chdlc_direction': [b'\0\x0f\0\x08\0' + V4],
    'frelay_direction': [b'\0\x18\x41\3\xcc' + V4],
    'mpls': [b'\0\1\1\x40' + V4, b'\0\1\0\x40\0\2\1\x40\0\0\0\0' + FRAME, b'\0\1\1\x40' + FRAME, b'\0\0\x21\x40' + V6, b'\0\0\xd1\x40' + bytes(16)],
    'ipv4': [V4], 'ipv6': [V6],
    'nflog': [b'\2\0\0\0\x08\0\x06\0' + bytes(4) + b'\x30\0\x09\0' + V4, b'\2\0\0\0\0\x08\0\x06' + bytes(4) + b'\0\x30\0\x09' + V4, b'\2\0\0\0\1\0\x06\0'],
    'ipoib': [bytes(40) + b'\x08\0\0\0' + V4],
    'pktap': [struct.pack('<III', 20, 1, 1) + bytes(8) + FRAME, struct.pack('<III', 12, 1, 258)],
    'sll2': [struct.pack('>HHIHBB8s', 0x0800, 0, 1, 1, 0, 6, bytes(8)) + V4],
    'dsa_broadcom': [MACS + bytes(4) + b'\x08\0' + V4],
    'dsa_in_front': [bytes(4) + FRAME],
    'dsa': [MACS + b'\xe0\x0a\0\x07\x08\0' + V4, MACS + b'\xc0\x0a\0\0\x08\0' + V4],
    'dsa_ethertype': [MACS + b'\xda\xda\0\0\xe0\x0a\0\x07\x08\0' + V4],
    'unknown': [V4],
}

SHIMS = {
    'vlan': be16(0x8100) + b'\0\x64\x08\0' + V4,
    'qinq': be16(0x88a8) + b'\0\x64\x81\0\0\x65\x91\0\0\x66\x92\0\0\x67\x86\xdd' + V6,
    'deep': be16(0x8100) + b'\0\1\x81\0' * 7 + b'\0\1\x08\0' + V4,
    'too_deep': be16(0x8100) + b'\0\1\x81\0' * 20,
    'mpls': be16(0x8847) + b'\0\1\0\x40\0\2\1\x40' + V4,
    'pseudowire': be16(0x8847) + b'\0\1\1\x40' + b'\0\0\0\1' + FRAME,
    'pseudowire_bare': be16(0x8848) + b'\0\1\1\x40' + FRAME,
    'pseudowire_like_ip': be16(0x8847) + b'\0\1\1\x40\x46' + FRAME[1:],
    'pppoe': be16(0x8864) + b'\x11\0\0\1\0\x22\0\x21' + V4,
    'bundle': be16(0x8864) + b'\x11\0\0\1\0\x28\0\x3d\xc0\0\0\1\0\x21' + V4,
    'etag': be16(0x893f) + bytes(6) + b'\x08\0' + V4,
    'vntag': be16(0x8926) + bytes(4) + b'\x08\0' + V4,
    'cisco': be16(0x8909) + b'\1\1\0\1\0\x05\x08\0' + V4,
    'hsr': be16(0x892f) + b'\0\x34\0\1\x08\0' + V4,
    'macsec': be16(0x88e5) + b'\x20\0\0\0\0\1' + bytes(8) + b'\x08\0' + V4,
    'macsec_encrypted': be16(0x88e5) + b'\x2c\0\0\0\0\1' + bytes(40),
    'arista': be16(0xd28b) + b'\0\1\0\x10' + bytes(8) + b'\x08\0' + V4,
    'arista_short': be16(0xd28b) + b'\0\1\1\x20' + bytes(6) + b'\x81\0\0\7\x08\0' + V4,
    'fabricpath': be16(0x8903) + b'\4\x20' + FRAME,
    'pbb': be16(0x88e7) + b'\0\0\1\2' + FRAME,
    'trill': be16(0x22f3) + b'\0\x45\0\1\0\2' + bytes(4) + FRAME,
    'nsh': be16(0x894f) + b'\0\x42\1\1\0\0\0\1' + V4,
    'frames_in_frames': be16(0x6558) + ethernet(b'', 0x6558) * 60,
}

IPS = {
    'v4': V4, 'v4_options': ipv4(tcp(), 6, options=b'\x44\x0c' + bytes(10) + b'\1' * 8), 'v4_unsaid': V4[:2] + b'\0\0' + V4[4:],
    'v4_first': ipv4(udp(bytes(8)), fragment=0x2000), 'v4_later': ipv4(bytes(16), fragment=2), 'v4_stub': ipv4(b'\0\x50\0\x51', 6, 0x2000),
    'v4_ah': ipv4(bytes([17, 4]) + bytes(22) + udp(), 51), 'v4_ah_cut': ipv4(bytes([17, 200]) + bytes(22), 51),
    'v6': V6, 'v6_extensions': ipv6(b'\x2b\0' + bytes(6) + b'\x33\1' + bytes(14) + b'\x3c\1' + bytes(10) + b'\x11\0' + bytes(6) + udp(), 0),
    'v6_first': ipv6(b'\x11\0\0\1\0\0\0\7' + udp(bytes(8)), 44), 'v6_later': ipv6(b'\x11\0\0\x10\0\0\0\7' + bytes(16), 44),
    'v6_only': ipv6(b'\x11\0\0\0\0\0\0\7' + udp(), 44), 'v6_mobility': ipv6(b'\x3b\1\5\0' + bytes(12), 135),
    'v6_mobility_more': ipv6(b'\x11\0\5\0' + bytes(4) + udp(), 135), 'v6_hip': ipv6(b'\x11\0' + bytes(6) + udp(), 139),
    'v6_shim6': ipv6(b'\x11\0' + bytes(6) + udp(), 140), 'v6_none': ipv6(b'', 59), 'v6_many': ipv6(b'\0\0' + bytes(6), 0) + b'\0' * 160,
    'jumbo': V6[:4] + b'\0\0' + V6[6:],
}

TRANSPORTS = {
    'tcp': (6, tcp()), 'tcp_options': (6, tcp()[:12] + b'\x80' + tcp()[13:20] + b'\2\4\5\xb4\1\1\4\2\1\1\1\0'), 'tcp_cut': (6, tcp()[:9]),
    'udp': (17, udp()), 'udp_cut': (17, udp()[:5]), 'udp_lies': (17, udp()[:4] + b'\0\3' + udp()[6:]),
    'echo': (1, b'\x08\0\0\0\x12\x34\0\1'), 'echo_reply': (1, b'\0\0\0\0\x12\x34\0\1'), 'unreachable': (1, b'\3\1' + bytes(6) + V4),
    'timestamp': (1, b'\x0e\0\0\0\0\1\0\1' + bytes(12)), 'extended': (1, b'\x2a\0\0\0\0\1\1\0'), 'icmp_cut': (1, b'\x08'),
    'echo6': (58, b'\x80\0\0\0\x12\x34\0\1'), 'neighbour': (58, b'\x87\0' + bytes(22)), 'sctp': (132, b'\x0b\x59\x0b\x5a' + bytes(24)),
    'sctp_cut': (132, b'\x0b\x59\x0b\x5a\0'), 'dccp': (33, b'\0\1\0\2' + bytes(12)), 'udplite': (136, b'\0\1\0\2\0\x08\0\0abc'), 'esp': (50, bytes(20)),
}

PROTOCOLS = [4, 41, 47, 51, 94, 97, 115, 137, 143]
TUNNELS = {
    '4in4': (4, V4), '6in4': (41, V6), 'gre': (47, b'\0\0\x08\0' + V4), 'gre_fields': (47, b'\xf0\0\x86\xdd\1\2\0\0\0\0\0\7\0\0\0\1\0\2\0\4\x0a\1\1\1\0\0\0\0' + V6),
    'gre_bridge': (47, b'\x20\0\x65\x58\0\0\0\7' + FRAME), 'gre_mpls': (47, b'\0\0\x88\x47\0\1\1\x40' + V4), 'gre_wccp': (47, b'\0\0\x88\x3e\0\1\2\3' + V4),
    'gre_nsh': (47, b'\0\0\x89\x4f\0\x42\1\3\0\0\0\1' + FRAME), 'gre_aruba': (47, b'\0\0\x82\0' + wlan(snap(V4), 0x88, 1, b'\0\0')),
    'gre_aggregate': (47, b'\0\0\x82\0' + wlan(MACS + b'\0\x28' + snap(V4), 0x88, 2, b'\x80\0')),
    'pptp': (47, b'\x30\x81\x88\x0b\0\x24\0\5\0\0\0\1\0\0\0\2\xff\3\0\x21' + V4), 'pptp_ack': (47, b'\x20\x81\x88\x0b\0\0\0\5\0\0\0\2'),
    'erspan1': (47, b'\0\0\x88\xbe' + FRAME), 'erspan2': (47, b'\x10\0\x88\xbe\0\0\0\1\x10\5\0\1\0\0\0\2' + FRAME),
    'erspan3': (47, b'\x10\0\x22\xeb\0\0\0\1\x20\5\0\1\0\0\0\2\0\0\0\0' + FRAME),
    'erspan3_platform': (47, b'\x10\0\x22\xeb\0\0\0\1\x20\5\0\1\0\0\0\2\0\0\x08\1' + bytes(8) + V4),
    'ah': (51, bytes([4, 4]) + bytes(22) + V4), 'etherip': (97, b'\x30\0' + FRAME), 'l2tpv3': (115, b'\0\0\0\x09\1\2\3\4' + FRAME),
    'mpls': (137, b'\0\1\1\x40' + V4), 'ethernet': (143, FRAME), 'nested': (4, ipv4(ipv4(ipv4(V4, 4), 4), 4)),
    'too_deep': (4, ipv4(b'', 4) * 20),
}

PORTS = [4789, 8472, 4790, 6081, 4754, 6635, 2152, 1701, 3544, 5247, 5072]
UDP_TUNNELS = {
    'vxlan': (4789, b'\x08\0\0\0\0\0\x2a\0' + FRAME), 'vxlan_policy': (8472, b'\x88\0\0\5\0\0\x2a\0' + ethernet(b'\0\7\x86\xdd' + V6, 0x8100)),
    'gpe': (4790, b'\x0c\0\0\1\0\0\x2a\0' + V4), 'gpe_nsh': (4790, b'\x0c\0\0\4\0\0\x2a\0\0\6\1\2\0\0\0\1' + bytes(16) + V6),
    'gpe_ethernet': (4790, b'\x08\0\0\0\0\0\x2a\0' + FRAME), 'geneve': (6081, b'\2\0\x65\x58\0\0\x2a\0\1\1\x80\1\x09\x09\x09\x09' + FRAME),
    'geneve_ip': (6081, b'\0\0\x86\xdd\0\0\x2a\0' + V6), 'gre': (4754, b'\0\0\x08\0' + V4), 'mpls': (6635, b'\0\1\1\x40' + V6),
    'gtp': (2152, b'\x30\xff' + be16(len(V4)) + bytes(4) + V4),
    'gtp_extensions': (2152, b'\x36\xff' + be16(len(V6) + 16) + b'\0\0\0\1\0\1\0\x85\1\x10\x09\xc0\2\0\0\0\0\0\0\0' + V6),
    'gtp_echo': (2152, b'\x32\1\0\4\0\0\0\0\0\1\0\0'), 'l2tp': (1701, b'\0\2\0\x08\0\x09\xff\3\0\x21' + V4),
    'l2tp_fields': (1701, b'\x4b\2' + be16(len(V6) + 19) + b'\0\x08\0\x09\0\1\0\2\0\3\0\0\0\0\x57' + V6), 'l2tp_v3': (1701, b'\0\3\0\0\0\0\0\x09' + FRAME),
    'l2tp_control': (1701, b'\xc8\2\0\x0c\0\x08\0\0\0\1\0\1'), 'teredo': (3544, ipv6(udp(), teredo=True)),
    'teredo_authenticated': (3544, b'\0\1\2\1\7\7\x08' + bytes(9) + b'\0\0\1\2\3\4\5\6' + ipv6(udp(), teredo=True)),
    'capwap': (5247, b'\0\x10\2\0\0\0\0\0' + FRAME), 'capwap_wireless': (5247, b'\0\x20\3\x20\0\0\0\0\4\1\2\3\4\0\0\0' + wlan(snap(V4))),
    'capwap_swapped': (5247, b'\0\x10\3\0\0\0\0\0' + wlan(snap(V4), 1, 8)), 'capwap_keep_alive': (5247, b'\0\x10\2\x08\0\0\0\0\0\x16'),
    'ayiya': (5072, b'\x41\x52\x11\x29\0\0\0\0' + bytes(36) + V6),
}

WLANS = {
    'data': wlan(snap(V4)), 'quality': wlan(snap(V6, 0x86dd), 0x88, 2, b'\0\0'), 'four_addresses': wlan(snap(V4), 0x88, 0x83, bytes(6)),
    'aggregate': wlan(MACS + b'\0\x28' + snap(V4), 0x88, 2, b'\x80\0'), 'encrypted': wlan(bytes(40), 0x08, 0x41), 'nothing': wlan(b'', 0x48),
    'beacon': wlan(bytes(30), 0x80, 0), 'acknowledgement': b'\xd4\0\0\0' + bytes(6), 'ibss': wlan(snap(V4), 8, 0), 'fragment': wlan(snap(V4), 8, 5),
}

ARP = b'\0\1\x08\0\6\4'
ARPS = {'request': ARP + b'\0\1' + bytes(20), 'answer': ARP + b'\0\2' + bytes(38), 'cut': ARP + b'\0\1' + bytes(15), 'token_ring': b'\0\6\x08\0\6\4\0\1' + bytes(20),
        'empty': b''}


def pieces(datagram, cut, header=20):
    """The datagram of IPv4 as a first and a last fragment."""
    body = datagram[header:]
    first = ipv4(body[:cut], datagram[9], 0x2000)
    return [first, ipv4(body[cut:], datagram[9], cut // 8)]


def sequence(datagrams):
    return b''.join(be16(len(d)) + d for d in datagrams)


BRIDGED = ipv4(b'\x20\0\x65\x58\0\0\0\7' + ethernet(ipv6(tcp(bytes(60)), 6), 0x86dd), 47)
FRAGMENTS = {
    'udp': sequence(pieces(ipv4(udp(bytes(40))), 16)),
    'backwards': sequence(reversed(pieces(ipv4(udp(bytes(40))), 16))),
    'gre': sequence(pieces(BRIDGED, 104)),
    'gre_early': sequence(pieces(BRIDGED, 64)),
    'vxlan': sequence(pieces(ipv4(udp(b'\x08\0\0\0\0\0\x2a\0' + ethernet(ipv4(tcp(bytes(60)), 6)), 5000, 4789)), 96)),
    'inside_fragment': sequence(pieces(ipv4(ipv4(udp(bytes(60)), fragment=0x2000), 4), 64)),
    'stub': sequence(pieces(ipv4(tcp(bytes(20)), 6), 8)),
}


def write(target, files):
    folder = HERE / ('decode_' + target)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main():
    assert set(LINKS) == set(LINK_FRAMES)
    links = {}
    for number, name in enumerate(LINKS):
        for nth, frame in enumerate(LINK_FRAMES[name]):
            links[name if nth == 0 else f'{name}_{nth}'] = bytes([number, 0]) + frame
            links[f'{name}_{nth}_cut'] = bytes([number, 9]) + frame[:-9]
    write('link', links)
    write('shim', SHIMS)
    write('ip', {name: b'\0' + data for name, data in IPS.items()})
    write('transport', {f'{name}_{family}': bytes([protocol, family]) + data
                        for name, (protocol, data) in TRANSPORTS.items() for family in (0, 1)})
    write('tunnel', {f'{name}_{family}': bytes([PROTOCOLS.index(protocol), family]) + data
                     for name, (protocol, data) in TUNNELS.items() for family in (0, 1)})
    write('udp_tunnel', {f'{name}_{bits}': bytes([PORTS.index(port), bits]) + data
                         for name, (port, data) in UDP_TUNNELS.items() for bits in (0, 1, 0x20)})
    write('wlan', {name: b'\0' + frame for name, frame in WLANS.items()})
    write('wlan', {'radiotap_' + name: b'\1\0\0\x09\0\2\0\0\0\x20' + frame for name, frame in WLANS.items()})
    write('arp', ARPS)
    write('quick', {name: b'\0' + frame for name, frame in {
        'tcp': ethernet(ipv4(tcp(), 6)), 'udp': FRAME + bytes(4), 'tagged': ethernet(b'\0\7\x08\0' + ipv4(tcp(), 6), 0x8100),
        'tcp6': ethernet(ipv6(tcp(), 6), 0x86dd), 'udp6_tagged': ethernet(b'\0\7\x86\xdd' + V6 + bytes(9), 0x8100),
        'vxlan': ethernet(ipv4(udp(b'\x08\0\0\0\0\0\x2a\0' + FRAME, 5000, 4789))), 'fragment': ethernet(ipv4(udp(), fragment=0x2000))}.items()})
    write('fragment', FRAGMENTS)


if __name__ == '__main__':
    main()
