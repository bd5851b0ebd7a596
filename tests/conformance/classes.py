"""Why two programs may differ: each class is found out from the frames that the difference is about, not from a list of names."""

TEXT = {
    "cut": "of the transport header nothing that tells a flow was captured or sent: tshark counts it between port 0 and port 0, Weir by reason",
    "chain": "IPv6 extension headers that are cut off or wrong: tshark counts what it takes for the protocol, Weir by reason",
    "source-route": "an IPv4 source route: tshark shows where it leads at last, Weir counts between the addresses of the header",
    "tunnel-in-fragments": "later fragments of a tunnel's datagram: Weir counts them with what the tunnel carries, tshark with the tunnel",
    "macsec": "MACsec that is signed but not encrypted is read by tshark, counted as macsec by Weir",
    "ports": "Weir reads ports out of what was captured of a header that tshark gives up",
    "tshark-gives-up": "tshark stops at a header that is damaged further on, Weir has what it needs by then",
    "pseudo-header": "the file's lengths count the four bytes before an ATM frame, tshark's do not",
    "clock": "time stamps that leap: to Weir hours pass between two frames",
    "wire-below-captured": "records that say less was on the wire than they hold: Weir counts what they hold",
    "reader-extensions": "ndpiReader does not look behind IPv6 extension headers",
    "reader-fragment": "ndpiReader has nothing to say of a first fragment that holds no whole transport header",
    "consequence": "frames that other differences of the capture are about",
    "link-type": "tshark does not read this link type",
    "tunnel-key": "frames with and without a tunnel around them, or of two tunnels, are one stream to tshark: two flows to Weir",
    "malformed": "a header that cannot be: Weir counts the frame by reason, tshark by what it reads all the same",
    "tunnel-tshark": "tshark looks into more than Weir does: a protocol that carries frames but is no tunnel that Weir opens",
    "tunnel-weir": "Weir looks into a tunnel that tshark does not know by this port",
    "port-reuse": "a port is used again: tshark begins a new stream at each SYN of another sequence number, Weir where the old flow had ended",
    "dissector-stream": "tshark gives frames of one connection two stream numbers where a dissector makes a conversation of its own",
    "idle": "silent for over an hour, Weir's longest idle time-out",
    "closed": "frames a minute and more after FIN or RST, Weir's longest time-out of closed flows",
    "no-packets": "blocks of pcapng that hold no packet: tshark shows them as frames, capinfos and Weir count none",
    "reader-cut": "ndpiReader does not count datagrams that are cut off or whose lengths do not agree",
    "reader-inner": "ndpiReader does not open this tunnel or link type",
    "reader-outer": "ndpiReader counts the tunnel, Weir what it carries",
    "reader-other": "ndpiReader does not count these frames",
    "reader-vlan": "ndpiReader leaves VLANs or tunnels apart that hold the same addresses and ports",
    "reader-order": "several payloads that are whole messages of two protocols: which one names the flow depends on which come to nDPI",
}

PORTS = (6, 17, 33, 132, 136)
CARRIERS = (4, 17, 41, 47)
EXTENSIONS = {"ipv6.hopopts", "ipv6.dstopts", "ipv6.routing"}
TUNNELS = {"gre", "erspan", "vxlan", "geneve", "gtp", "l2tp", "teredo", "capwap", "capwap.data", "mpls", "pppoes", "pbb", "cfp", "ayiya", "etherip",
           "ieee8021ah", "nsh"}


def reason(d, entry, truth, doc, frames, ndpi, said):
    """A key of TEXT, or None."""
    unread = truth["capinfos"].get("capinfos_rc") != 0 and "unknown or unsupported" in " ".join(truth["tshark"].get("tshark_stderr") or [])
    if unread and d.what in ("status", "message", "totals", "conversation", "undecoded", "application"):
        return "link-type"
    no_packets = sum(f.protocols == ["data"] for f in frames)
    if d.what == "undecoded" and no_packets and truth["capinfos"].get("packets") == len(frames) - no_packets:
        return "no-packets"
    if d.what == "totals" and str(entry["linktype"]).startswith("atm") and d.ours[1] - truth["capinfos"]["bytes"] == 4 * d.ours[0]:
        return "pseudo-header"
    if d.what == "totals" and d.ours[1] - truth["capinfos"]["bytes"] == sum(f.captured - f.wire for f in frames if f.captured > f.wire) > 0:
        return "wire-below-captured"
    if d.what == "conversation" and not d.frames and all(f.protocols == ["data"] for f in frames):
        return "link-type"
    of = {"conversation": conversation, "flows": flows, "undecoded": undecoded, "application": application}.get(d.what)
    return of(d, doc, frames, ndpi) if of else None


def cut(f):
    """tshark found no ports where there should be some."""
    return f.protocol in PORTS and f.ports == (0, 0) or f.protocol in (1, 58) and (f.malformed or f.captured < f.wire)


def bad_chain(f):
    return f.ip is not None and f.ip[0].version == 6 and (f.malformed or f.captured < f.wire or f.protocol in (0, 43, 44, 60, 135, 139, 140))


def tunnels(f):
    """What is around the innermost datagram."""
    return tuple(p for p in f.layers if p in TUNNELS or p in ("ip", "ipv6"))


def conversation(d, doc, frames, ndpi):
    about = d.frames
    carriers = {tuple(sorted(map(str, f.ip))) for f in frames if f.fragment and f.protocol in CARRIERS} & {a for f in frames for a in f.around}
    if carriers and (ends(d) in carriers or any(a in carriers for f in about for a in f.around)):
        return "tunnel-in-fragments"
    if about and all("macsec" in f.layers for f in about):
        return "macsec"
    if not about and any(f.ip is not None and cut(f) and f.protocol == protocol(d) and ends(d) == tuple(sorted(map(str, f.ip))) for f in frames):
        return "ports"
    if not about and any(f.ip is None and ("ip" in f.layers or "ipv6" in f.layers or f.malformed) for f in frames):
        return "tshark-gives-up"
    if about and all(cut(f) for f in about) and d.ours[0] < len(about):
        return "cut"
    if about and all(bad_chain(f) for f in about) and d.ours[0] < len(about):
        return "chain"
    if any({"131", "137"} & set(f.options) for f in frames):
        return "source-route"
    return None


def protocol(d):
    text = d.where.split(" ")[1]
    return int(text) if text.isdigit() else text


def ends(d):
    """The two addresses of a conversation."""
    return tuple(sorted(e.rpartition(":")[0] for e in d.where.split(" ")[2:]))


def flows(d, doc, frames, ndpi):
    streams = {f.stream for f in d.frames}
    if d.ours < len(streams):
        opened = {f.seq for f in d.frames if f.flags is not None and f.flags & 0x12 == 2}
        return "port-reuse" if len(opened) > 1 else "dissector-stream"
    times = sorted(f.time for f in d.frames)
    pauses = [b - a for a, b in zip(times, times[1:])]
    if any(p > 3600 for p in pauses):
        return "idle"
    if any(abs(b.time - a.time) > 3600 for a, b in zip(frames, frames[1:])):
        return "clock"
    if any(p > 60 for p in pauses) and any(f.flags is not None and f.flags & 5 for f in d.frames):
        return "closed"
    if len({tunnels(f) for f in d.frames}) > 1:
        return "tunnel-key"
    return None


def undecoded(d, doc, frames, ndpi):
    """Frames that tshark counts in a conversation and Weir does not: each is a difference there."""
    return "consequence" if d.also else None


def application(d, doc, frames, ndpi):
    if not d.names:  # ndpiReader has no such flow
        if all(f.captured < f.wire or f.malformed or f.fragment for f in d.frames):
            return "reader-cut"
        if any(f.depth > 1 or set(f.layers) & TUNNELS or f.layers[0] != "eth" for f in d.frames):
            return "reader-inner"
        return "reader-other" if not any(n[2] for n in d.names) else None
    if not d.flows:
        return "reader-outer" if not d.frames else "cut" if all(cut(f) for f in d.frames) else None
    if {n[0] for n in d.names} == {"Unknown"} and any(EXTENSIONS & set(f.layers) for f in d.frames):
        return "reader-extensions"
    if len(d.names) > 1 and len(d.flows) < len(d.names):
        return "reader-vlan"
    return None
