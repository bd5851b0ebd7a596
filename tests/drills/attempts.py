"""What somebody would try who has taken over a process: one system call after the other, made by the process itself.

Each attempt is a function of a Takeover and a Place; it returns what came of it: "ENAME" where the kernel refused, or GOT where it was had.
A call for which the process is killed ends in Died. What a wall may answer with stands in ALLOWED, by attempt and process; everything else is a hole."""

import errno
import os
import struct
import time

from takeover import Died  # noqa: F401  (who tries has to expect it)

GOT = "had"
KILLED = "killed"
NONE = "has none"
BY_DIAL = "refused by dial"
ENDS = "its channel ends"
ITS_PEER = "its peer has it"

# x86-64, asm/unistd_64.h
NR = {"read": 0, "write": 1, "open": 2, "close": 3, "mmap": 9, "mprotect": 10, "ioctl": 16, "pread64": 17, "dup": 32, "getpid": 39, "socket": 41, "connect": 42, "sendto": 44,
      "sendmsg": 46, "recvmsg": 47, "socketpair": 53, "clone": 56, "fork": 57, "execve": 59, "kill": 62, "ptrace": 101, "setuid": 105, "personality": 135,
      "prctl": 157, "chroot": 161, "mount": 165, "init_module": 175, "add_key": 248, "openat": 257, "unshare": 272, "perf_event_open": 298,
      "prlimit64": 302, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "memfd_create": 319, "bpf": 321, "execveat": 322,
      "userfaultfd": 323, "pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438}
# Those that live for moments, by what they are there for: the program, and what it calls once it looks at that.
BRIEF = {
    "certificate": ("weir", NR["pread64"]),
    "file": ("weir-capture", None),
    "check": ("weir-store", NR["openat"]),
    "copy of store": ("weir-store", NR["openat"]),
    "copy of authd": ("weir-authd", NR["openat"]),
    "audit": ("weir", None),
}
AT_FDCWD = -100
AF_UNIX, AF_INET, AF_PACKET, AF_NETLINK, AF_VSOCK = 1, 2, 17, 16, 40
STREAM, DGRAM, RAW = 1, 2, 3


class NotYet(Exception):
    """What the attempt needs is not there in this moment."""


class Place:
    """What the attacker can know: another process, files of others, the sockets that it has (to peers;
    to an interface; the one to weir-dial, or None), a port where somebody listens, and one more that no setting names;
    heard() is whether anything came to the abstract socket, dial_lives() whether weir-dial is still the one that the socket led to,
    numbers those of dial's messages by name. terminals are descriptors of a terminal that it has, typed() types a line there, shown() is what it shows."""

    def __init__(self, other, files, sockets, interface, dial, port, unnamed, heard, dial_lives, numbers, terminals=(), typed=None, shown=None):
        self.other, self.files, self.sockets, self.interface, self.dial = other, files, sockets, interface, dial
        self.port, self.unnamed, self.heard, self.dial_lives, self.numbers = port, unnamed, heard, dial_lives, numbers
        self.terminals, self.typed, self.shown = terminals, typed, shown


def told(value):
    return errno.errorcode.get(-value, str(-value)) if value < 0 else GOT


def shadow(t, _):
    return told(t.call(NR["openat"], AT_FDCWD, t.text("/etc/shadow"), os.O_RDONLY))


def shadow_by_open(t, _):
    return told(t.call(NR["open"], t.text("/etc/shadow"), os.O_RDONLY))


def files_of_others(t, place):
    """Those of every other process that has some: what was refused, where all were."""
    said = {told(t.call(NR["openat"], AT_FDCWD, t.text(path), os.O_RDONLY)) for path in place.files}
    return GOT if GOT in said else ", ".join(sorted(said))


def write_elsewhere(t, _):
    """Where everybody may, and nothing is yet: a file of another's that is there is refused by /tmp itself."""
    path = f"/tmp/weir-drill-{os.getpid()}-{t.pid}"
    said = told(t.call(NR["openat"], AT_FDCWD, t.text(path), os.O_WRONLY | os.O_CREAT, 0o600))
    if said == GOT:
        os.unlink(path)
    return said


def memory_of_another(t, place):
    here = t.put(bytes(64))
    vectors = t.put(struct.pack("<QQQQ", here, 8, 0x400000, 8), 128)
    return told(t.call(NR["process_vm_readv"], place.other, vectors, 1, vectors + 16, 1, 0))


def memory_file_of_another(t, place):
    return told(t.call(NR["openat"], AT_FDCWD, t.text(f"/proc/{place.other}/mem"), os.O_RDWR))


def trace_another(t, place):
    return told(t.call(NR["ptrace"], 16, place.other, 0, 0))


def signal_another(t, place):
    return told(t.call(NR["kill"], place.other, 0))


def descriptor_of_another(t, place):
    return told(t.call(NR["pidfd_open"], place.other, 0))


def _reach(t, family, kind, address):
    fd = t.call(NR["socket"], family, kind | 0x80800, 0)  # SOCK_CLOEXEC, SOCK_NONBLOCK: as dial may
    if fd < 0 or address is None:
        return told(fd)
    said = t.call(NR["connect"], fd, t.put(address), len(address))
    t.call(NR["close"], fd)
    return GOT if said == -errno.EINPROGRESS else told(said)


def tcp(t, place):
    return _reach(t, AF_INET, STREAM, struct.pack("<H", AF_INET) + struct.pack(">H", place.port) + bytes([127, 0, 0, 1]) + bytes(8))


def udp(t, place):
    return _reach(t, AF_INET, DGRAM, struct.pack("<H", AF_INET) + struct.pack(">H", place.port) + bytes([127, 0, 0, 1]) + bytes(8))


def vsock(t, _):
    return _reach(t, AF_VSOCK, STREAM, None)


def abstract(t, _):
    return _reach(t, AF_UNIX, STREAM, struct.pack("<H", AF_UNIX) + b"\0weir-drill")


def abstract_by_held(t, place):
    """By a socket that it has: a message with an address. A connected one takes no notice of it."""
    address = t.put(struct.pack("<H", AF_UNIX) + b"\0weir-drill")
    vector = t.put(struct.pack("<QQ", address, 4), 64)
    message = t.put(struct.pack("<QIIQQQQII", address, 13, 0, vector, 1, 0, 0, 0, 0), 128)
    said = {told(t.call(NR["sendmsg"], fd, message, 0x4000 | 0x40)) for fd in place.sockets}
    if place.sockets and GOT not in said:
        raise NotYet  # its peers are away
    return GOT if place.heard() else ITS_PEER if place.sockets else NONE


def send_frame(t, place):
    """By the socket that it captures with: it is bound to the interface, and a write is a frame."""
    if not place.interface:
        return NONE
    said = {told(t.call(NR["write"], fd, t.put(bytes([255] * 6 + [2, 0, 0, 0, 0, 1]) + b"\x88\xb5" + bytes(46)), 60)) for fd in place.interface}
    return GOT if GOT in said else ", ".join(sorted(said))


def read_terminal(t, place):
    """What root types where he has started it."""
    if not place.terminals:
        return NONE
    place.typed()
    said = {told(t.call(NR["read"], fd, t.put(bytes(64)), 64)) for fd in place.terminals[:1]}
    return ", ".join(sorted(said))


def write_terminal(t, place):
    """Sequences that a terminal obeys."""
    for fd in place.terminals:
        t.call(NR["write"], fd, t.put(b"\x1b]0;drill\x07"), 10)
    return GOT if place.terminals and "\x1b]0;drill" in place.shown() else NONE


def by_dial(t, place):
    """Who parses what strangers say asks weir-dial for a connection to where no setting says."""
    if place.dial is None:
        return NONE
    ticket = 0x6472696c6c
    ask = struct.pack("<IIQII256s", place.numbers["DIAL_ASK"], 272, ticket, place.unnamed, 5000, b"127.0.0.1")
    vector = t.put(struct.pack("<QQ", t.put(ask, 1024), len(ask)), 64)
    if t.call(NR["sendmsg"], place.dial, t.put(struct.pack("<QIIQQQQII", 0, 0, 0, vector, 1, 0, 0, 0, 0), 128), 0x4000 | 0x40) < 0:
        raise NotYet
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        vector = t.put(struct.pack("<QQ", t.put(bytes(1024), 1024), 1024), 64)
        got = t.call(NR["recvmsg"], place.dial, t.put(struct.pack("<QIIQQQQII", 0, 0, 0, vector, 1, t.put(bytes(64), 256), 64, 0, 0), 128), 0x40000040)
        if got == 0 or got == -errno.ECONNRESET:
            if not place.dial_lives():  # it is attacked as well, and its death ended the channel
                raise NotYet
            return ENDS
        if got == -errno.EAGAIN:
            time.sleep(0.01)
            continue
        if got < 0:
            return told(got)
        if got < 16:  # no message of dial's: another attempt has it send such
            continue
        number, _, about = struct.unpack_from("<IIQ", t.read(t.scratch + 1024, got))
        if about == ticket and number in (place.numbers["DIALED"], place.numbers["DIAL_FAILED"]):
            return GOT if number == place.numbers["DIALED"] else BY_DIAL
    raise NotYet


def raw_packets(t, _):
    return _reach(t, AF_PACKET, RAW, None)


def raw_ip(t, _):
    return _reach(t, AF_INET, RAW, None)


def netlink(t, _):
    return _reach(t, AF_NETLINK, RAW, None)


def run_shell(t, _):
    path = t.text("/bin/sh")
    return told(t.call(NR["execve"], path, t.put(struct.pack("<QQ", path, 0), 64), t.put(bytes(8), 128)))


def fork_bomb(t, _):
    """Processes without end: how far it came."""
    for n in range(2000):
        said = t.call(NR["clone"], 17, 0, 0, 0, 0)  # SIGCHLD
        if said < 0:
            return f"{told(said)} after {'some' if n else 'none'}" if n else told(said)
    return GOT


def fork_as_libc(t, _):
    """The flags that fork() of glibc has, which a process that may fork needs."""
    at = t.put(bytes(16))
    for n in range(200):  # RLIMIT_NPROC
        said = t.call(NR["clone"], 0x1200011, 0, 0, at, 0)
        if said < 0:
            return f"{told(said)}, so many and no more" if n else told(said)
    return GOT


def executable_memory(t, _):
    return told(t.call(NR["mmap"], 0, 4096, 7, 0x22, -1, 0))


def make_executable(t, _):
    return told(t.call(NR["mprotect"], t.put(b"\xc3"), 4096, 5))


def executable_file(t, _):
    """Of memory that it holds as a file."""
    return told(t.call(NR["execveat"], 3, t.text(""), 0, 0, 0x1000))


def mount(t, _):
    return told(t.call(NR["mount"], t.text("none"), t.text("/tmp", 64), t.text("tmpfs", 128), 0, 0))


def change_root(t, _):
    return told(t.call(NR["chroot"], t.text("/")))


def user_namespace(t, _):
    return told(t.call(NR["unshare"], 0x10000000))


def namespace_of_another(t, place):
    return told(t.call(NR["setns"], 3, 0))


def io_uring(t, _):
    return told(t.call(NR["io_uring_setup"], 8, t.put(bytes(120))))


def bpf(t, _):
    return told(t.call(NR["bpf"], 0, t.put(struct.pack("<IIIII", 1, 4, 4, 4, 0) + bytes(100)), 72))


def keys(t, _):
    return told(t.call(NR["add_key"], t.text("user"), t.text("weir", 64), t.text("x", 128), 1, -3))


def become_root(t, _):
    return told(t.call(NR["setuid"], 0))


def raise_limits(t, _):
    return told(t.call(NR["prlimit64"], 0, 7, t.put(struct.pack("<QQ", 1 << 20, 1 << 20)), 0))


def be_dumpable(t, _):
    return told(t.call(NR["prctl"], 4, 1, 0, 0, 0))


def kernel_module(t, _):
    return told(t.call(NR["init_module"], t.put(bytes(64)), 64, t.text("", 128)))


def performance_events(t, _):
    return told(t.call(NR["perf_event_open"], t.put(struct.pack("<II", 1, 112) + bytes(104)), 0, -1, -1, 0))


def page_faults(t, _):
    return told(t.call(NR["userfaultfd"], 1))


def by_handle(t, _):
    return told(t.call(NR["open_by_handle_at"], 3, t.put(bytes(32)), 0))


def another_architecture(t, _):
    """32-bit calls have other numbers: 39 is mkdir there, getpid here."""
    return told(t.call(20, by="int80")) if "int80" in t.instruction else "no such instruction in it"


def x32(t, _):
    return told(t.call(0x40000000 | NR["getpid"]))


# (name in the table, function)
AT_A_TERMINAL = (
    ("read what is typed at the terminal", read_terminal),
    ("have the terminal obey", write_terminal),
)
ATTEMPTS = (
    ("open /etc/shadow", shadow),
    ("open it by the old call", shadow_by_open),
    ("open files of the other processes", files_of_others),
    ("make a file elsewhere", write_elsewhere),
    ("read another process's memory", memory_of_another),
    ("open /proc/PID/mem of another", memory_file_of_another),
    ("trace another process", trace_another),
    ("signal another process", signal_another),
    ("a descriptor of another process", descriptor_of_another),
    ("connect by TCP", tcp),
    ("send by UDP", udp),
    ("connect by vsock", vsock),
    ("connect to an abstract socket", abstract),
    ("have weir-dial connect to another server", by_dial),  # before the next, which ends channels
    ("reach one by a socket it has", abstract_by_held),
    ("send a frame by the socket it captures with", send_frame),
    ("raw packets", raw_packets),
    ("raw IP", raw_ip),
    ("netlink", netlink),
    ("run /bin/sh", run_shell),
    ("run a file it holds", executable_file),
    ("fork without end", fork_bomb),
    ("fork as the C library does", fork_as_libc),
    ("map executable memory", executable_memory),
    ("make memory executable", make_executable),
    ("mount", mount),
    ("chroot", change_root),
    ("a user namespace", user_namespace),
    ("enter a namespace", namespace_of_another),
    ("io_uring", io_uring),
    ("bpf", bpf),
    ("kernel keys", keys),
    ("become root", become_root),
    ("raise its limits", raise_limits),
    ("be dumpable", be_dumpable),
    ("load a kernel module", kernel_module),
    ("performance events", performance_events),
    ("userfaultfd", page_faults),
    ("open by handle", by_handle),
    ("32-bit system calls", another_architecture),
    ("x32 system calls", x32),
)

# Where a process is not killed for it, by design; the reason stands in SECURITY.md. (process, attempt) -> what the kernel says then.
ALLOWED = {
    # Store may open files, below its own directory: Landlock.
    ("store", "open /etc/shadow"): "EACCES",
    ("store", "open files of the other processes"): "EACCES",
    ("store", "make a file elsewhere"): "EACCES",
    ("store", "open /proc/PID/mem of another"): "EACCES",
    # Directory kills attempts that are late: whose user it is, and nobody else's.
    ("directory", "signal another process"): "EPERM",
    # Dial's work is to connect, to whom the operator's settings let it; what it gets it hands on unread.
    ("dial", "connect by TCP"): GOT,
    ("dial", "send by UDP"): GOT,
    # What directory needs are servers that the settings name: dial connects it to no others. From store dial takes no such message.
    ("directory", "have weir-dial connect to another server"): BY_DIAL,
    ("store", "have weir-dial connect to another server"): ENDS,
    **{(p, "have weir-dial connect to another server"): NONE for p in ("capture", "engine", "authd", "hash", "httpd", "key", "dial", "attempt", "oidc", *BRIEF)},
    # Each attempt to ask a directory is a process of its own; there is a limit to them (RLIMIT_NPROC).
    ("directory", "fork as the C library does"): "EAGAIN, so many and no more",
    **{(p, "send a frame by the socket it captures with"): NONE for p in ("engine", "store", "authd", "hash", "httpd", "key", "dial", "directory", "attempt", "oidc", *BRIEF)},
    # A connected socket takes no notice of another address: what is sent comes to whom it is connected with.
    **{(p, "reach one by a socket it has"): ITS_PEER for p in ("capture", "engine", "store", "authd", "httpd", "key", "dial", "directory", "file")},
    # Who is on an errand opens files below its own directory, as store does, and has a pipe to tell it by.
    **{(p, a): "EACCES" for p in ("check", "copy of store", "copy of authd")
       for a in ("open /etc/shadow", "open files of the other processes", "make a file elsewhere", "open /proc/PID/mem of another")},
    **{(p, a): NONE for p in BRIEF for a in ("read what is typed at the terminal", "have the terminal obey")},
    **{(p, "reach one by a socket it has"): NONE for p in BRIEF if p != "file"},
}
