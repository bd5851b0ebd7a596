"""An LDAP server (RFC 4511) that knows one person, and tells his groups some at a time, as Active Directory does where there are many of them
(MS-ADTS section 3.1.1.3.1.3.3), or in another way that a test asks for."""

import socket
import threading
import time

BASE = "dc=ranged"
PERSON = f"cn=rita,{BASE}"
BIND, SEARCH, SEARCH_BASE_ONLY = 0x60, 0x63, 0
BIND_RESPONSE, ENTRY, DONE = 0x61, 0x64, 0x65
SEQUENCE, SET, INTEGER, OCTETS, ENUMERATED = 0x30, 0x31, 0x02, 0x04, 0x0a
SUCCESS, OPERATIONS_ERROR, INVALID_CREDENTIALS = 0, 1, 49


def tlv(tag, *parts):
    body = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    size = len(body)
    return bytes([tag]) + (bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")) + body


def read_tlv(data, at=0):
    """(tag, content, where the next one begins); None where it is not all there."""
    if len(data) < at + 2:
        return None
    size, at_body = data[at + 1], at + 2
    if size & 0x80:
        at_body += size & 0x7f
        size = int.from_bytes(data[at + 2:at_body], "big")
    return (data[at], data[at_body:at_body + size], at_body + size) if len(data) >= at_body + size and at_body <= len(data) else None


def parts_of(body):
    at = 0
    while at < len(body):
        tag, content, at = read_tlv(body, at)
        yield tag, content


class RangedDirectory:
    """groups: distinguished names. fault: None, "same" (the first part again), "none" (no such attribute) or "refused". pause: seconds
    in the middle of each message. asked: the attributes of each question about the person's entry alone."""

    def __init__(self, port, groups, password, at_a_time=1500):
        self.groups, self.password, self.at_a_time, self.fault, self.pause, self.asked = groups, password, at_a_time, None, 0, []
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_till_it_goes, args=(s,), daemon=True).start()

    def serve_till_it_goes(self, s):
        try:
            self.serve(s)
        except OSError:
            pass

    def serve(self, s):
        data = b""
        with s:
            while True:
                whole = read_tlv(data)
                if whole is None:
                    more = s.recv(65536)
                    if not more:
                        return
                    data += more
                    continue
                data = data[whole[2]:]
                (_, number), (operation, body) = list(parts_of(whole[1]))[:2]
                if operation not in (BIND, SEARCH):
                    return
                for tag, content in self.bind(body) if operation == BIND else self.search(body):
                    message = tlv(SEQUENCE, tlv(INTEGER, number), tlv(tag, content))
                    s.sendall(message[:1])
                    time.sleep(self.pause)
                    s.sendall(message[1:])

    @staticmethod
    def result(code):
        return tlv(ENUMERATED, bytes([code])) + tlv(OCTETS) + tlv(OCTETS)

    def bind(self, body):
        _, (_, name), (_, password) = parts_of(body)
        good = not name or password.decode() == self.password
        yield BIND_RESPONSE, self.result(SUCCESS if good else INVALID_CREDENTIALS)

    def search(self, body):
        (_, base), (_, scope), _, _, _, _, (_, asked_for), (_, attributes) = parts_of(body)
        attributes = [a.decode() for _, a in parts_of(attributes)]
        if scope[0] == SEARCH_BASE_ONLY and base.decode() == PERSON:
            self.asked.append(attributes)
            if self.fault == "refused":
                yield DONE, self.result(OPERATIONS_ERROR)
                return
        elif b"rita" not in asked_for:
            yield DONE, self.result(SUCCESS)
            return
        told = {"cn": ["rita"], "uid": ["rita"], "entryUUID": ["ranged-1"], **self.part(attributes)}
        yield ENTRY, tlv(OCTETS, PERSON) + tlv(SEQUENCE, *(tlv(SEQUENCE, tlv(OCTETS, name), tlv(SET, *(tlv(OCTETS, v) for v in values)))
                                                           for name, values in told.items()))
        yield DONE, self.result(SUCCESS)

    def part(self, attributes):
        """What is told of the groups: nothing by the attribute's own name where they are a part."""
        first = next((int(a.split("=")[1].split("-")[0]) for a in attributes if a.lower().startswith("memberof;range=")), 0)
        if first and self.fault == "none":
            return {}
        if first and self.fault == "same":
            first = 0
        if not first and len(self.groups) <= self.at_a_time:
            return {"memberOf": self.groups}
        end = first + self.at_a_time
        last = "*" if end >= len(self.groups) else end - 1
        return {"memberOf": [], f"memberOf;range={first}-{last}": self.groups[first:end]}
