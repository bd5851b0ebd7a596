"""Somebody else's code in a running process: system calls that it makes itself, behind its own walls, as if a parser of it had been
taken over. It is done from outside (ptrace, as root), so that what is attacked is the program that is shipped, not one with a door for
tests."""

import ctypes
import errno
import fcntl
import os
import pty
import re
import signal
import termios
import time

PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_SINGLESTEP, PTRACE_SYSCALL = 12, 13, 9, 24
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GETEVENTMSG = 17, 0x4206, 0x4207, 0x4201
OPTION_FORKS = 2 | 4 | 8  # fork, vfork, clone: what is made stops at once
OPTION_CALLS, OPTION_EXEC, OPTION_EXITKILL = 1, 16, 1 << 20
WALL, OF_THIS_THREAD = 0x40000000, 0x20000000
SECCOMP, SET_MODE_FILTER = 317, 1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs").split()


class Registers(ctypes.Structure):
    _fields_ = [(n, ctypes.c_ulong) for n in REGISTERS]


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Died(Exception):
    """The process ended in the middle of it, by this signal (0: by itself)."""

    def __init__(self, by):
        super().__init__(f"died by signal {by}")
        self.by = by


def _ptrace(request, pid, address=0, data=0):
    if _libc.ptrace(request, pid, address, data) == -1:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e), f"ptrace {request:#x} of {pid}")


def _syscall_instructions(pid):
    """{"syscall": address, "int80": address} in memory that may be executed."""
    found = {}
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r-xp", line)
            if not m or "[vsyscall]" in line:
                continue
            begin, end = int(m.group(1), 16), int(m.group(2), 16)
            mem.seek(begin)
            text = mem.read(end - begin)
            for name, code in (("syscall", b"\x0f\x05"), ("int80", b"\xcd\x80")):
                at = text.find(code)
                if at >= 0 and name not in found:
                    found[name] = begin + at
    return found


class Takeover:
    """with Takeover(pid) as t: t.call(NUMBER, arguments...) is what the call gave: the value, or -errno. Died where it was killed for it.
    Only the thread that made it may use it. caught: by Caught, so it stands still already."""

    def __init__(self, pid, forks=False, caught=False):
        self.pid, self.alive, self.children = pid, False, []
        if not caught:
            _ptrace(PTRACE_SEIZE, pid, 0, OPTION_FORKS if forks else 0)
        self.alive = True
        if not caught:
            _ptrace(PTRACE_INTERRUPT, pid)
            self._wait()
        self.saved = Registers()
        _ptrace(PTRACE_GETREGS, pid, 0, ctypes.addressof(self.saved))
        self.instruction = _syscall_instructions(pid)
        self.scratch = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def _wait(self):
        """The next stop; its status."""
        while True:
            pid, status = os.waitpid(self.pid, WALL)
            if os.WIFSTOPPED(status):
                return status
            if os.WIFSIGNALED(status) or os.WIFEXITED(status):
                self.alive = False
                raise Died(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)

    def call(self, number, *args, by="syscall"):
        r = Registers.from_buffer_copy(self.saved)
        r.rax, r.orig_rax, r.rip = number, (1 << 64) - 1, self.instruction[by]
        order = ("rdi", "rsi", "rdx", "r10", "r8", "r9") if by == "syscall" else ("rbx", "rcx", "rdx", "rsi", "rdi", "rbp")
        for name in order:
            setattr(r, name, 0)
        for name, value in zip(order, args):
            setattr(r, name, value & ((1 << 64) - 1))
        _ptrace(PTRACE_SETREGS, self.pid, 0, ctypes.addressof(r))
        passed = 0
        while True:
            _ptrace(PTRACE_SINGLESTEP, self.pid, 0, passed)
            status = self._wait()
            event, sig = status >> 16, os.WSTOPSIG(status)
            if event in (1, 2, 3):  # a child: it is traced, and waits
                child = ctypes.c_ulong()
                _ptrace(PTRACE_GETEVENTMSG, self.pid, 0, ctypes.addressof(child))
                self.children.append(child.value)
                continue
            if sig == signal.SIGTRAP:
                break
            if sig in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL):
                raise Died(sig)
            # Any other signal is the process's own and comes to it when it is let go.
        _ptrace(PTRACE_GETREGS, self.pid, 0, ctypes.addressof(r))
        value = ctypes.c_long(r.rax).value
        return value

    def write(self, address, data):
        """As the process itself could: where it may not write, OSError."""
        self._move(_libc.process_vm_writev, address, data)

    def read(self, address, size):
        buf = ctypes.create_string_buffer(size)
        self._move(_libc.process_vm_readv, address, buf)
        return buf.raw

    def _move(self, how, address, data):
        if isinstance(data, bytes):
            data = ctypes.create_string_buffer(data, len(data))
        here, there = Iovec(ctypes.addressof(data), len(data)), Iovec(address, len(data))
        if how(self.pid, ctypes.byref(here), ctypes.c_ulong(1), ctypes.byref(there), ctypes.c_ulong(1), ctypes.c_ulong(0)) != len(data):
            e = ctypes.get_errno()
            raise OSError(e, os.strerror(e))

    def put(self, data, at=0):
        """Bytes in memory of the process; their address."""
        if self.scratch == 0:
            got = self.call(9, 0, 1 << 16, 3, 0x22, -1, 0)  # mmap
            assert got > 0, f"mmap: {os.strerror(-got)}"
            self.scratch = got
        self.write(self.scratch + at, data)
        return self.scratch + at

    def text(self, s, at=0):
        return self.put(s.encode() + b"\0", at)

    def end(self):
        for child in self.children:
            try:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, WALL)
            except (ProcessLookupError, ChildProcessError):
                pass
        if not self.alive:
            return
        self.alive = False
        try:
            _ptrace(PTRACE_SETREGS, self.pid, 0, ctypes.addressof(self.saved))
            _ptrace(PTRACE_DETACH, self.pid)
        except OSError as e:
            if e.errno != errno.ESRCH:
                raise


def reap(pid, seconds=5):
    """Waits until a process that was killed is gone."""
    deadline = time.monotonic() + seconds
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.005)


class Caught:
    """with Caught(argv, program, call) as c: a command that runs at a terminal, and the process that it makes for a moment, of this program, stopped
    where it has put on its filter and has made this system call since (None: none yet). c.pid is that process, c.terminal the other end of the
    terminal. All of them are killed at the end. Only the thread that made it may use it."""

    def __init__(self, argv, program, call):
        self.argv, self.program, self.wanted, self.pid = argv, program, call, None

    def __enter__(self):
        self.terminal, theirs = pty.openpty()
        os.set_blocking(self.terminal, False)
        go, told = os.pipe()
        self.first = os.fork()
        if self.first == 0:
            try:
                os.setsid()
                fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
                for fd in (0, 1, 2):
                    os.dup2(theirs, fd)
                os.read(go, 1)
                os.execvp(self.argv[0], self.argv)
            finally:
                os._exit(127)
        os.close(theirs)
        try:
            _ptrace(PTRACE_SEIZE, self.first, 0, OPTION_FORKS | OPTION_EXEC | OPTION_CALLS | OPTION_EXITKILL)
            os.write(told, b"\0")
            self._catch()
        except BaseException:
            self.__exit__()
            raise
        finally:
            os.close(go)
            os.close(told)
        return self

    def _catch(self):
        filtered = set()
        while True:
            pid, status = os.waitpid(-1, WALL | OF_THIS_THREAD)
            if not os.WIFSTOPPED(status):
                if pid == self.first:
                    raise AssertionError(f"{' '.join(self.argv)} ended, and was never {self.program} behind a filter: {self.said()}")
                continue
            event, sig = status >> 16, os.WSTOPSIG(status)
            if sig == signal.SIGTRAP | 0x80:
                r = Registers()
                _ptrace(PTRACE_GETREGS, pid, 0, ctypes.addressof(r))
                done = ctypes.c_long(r.rax).value != -errno.ENOSYS  # else it begins
                if done and (r.orig_rax, r.rdi, r.rax) == (SECCOMP, SET_MODE_FILTER, 0) and os.path.basename(os.readlink(f"/proc/{pid}/exe")) == self.program:
                    filtered.add(pid)
                if done and pid in filtered and self.wanted in (None, r.orig_rax):
                    self.pid = pid
                    return
            _ptrace(PTRACE_SYSCALL, pid, 0, 0 if event or sig in (signal.SIGTRAP, signal.SIGTRAP | 0x80) else sig)

    def said(self):
        """What the terminal shows."""
        try:
            return os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:
            return ""

    def __exit__(self, *_):
        """Whoever is there, and whoever is made meanwhile."""
        for pid in {self.first, self.pid} - {None}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        while True:
            try:
                pid, status = os.waitpid(-1, WALL | OF_THIS_THREAD)
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                os.kill(pid, signal.SIGKILL)
        os.close(self.terminal)
