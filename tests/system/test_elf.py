"""Reads the built ELF files and fails where one of them lacks any of the hardening of cmake/WeirHardening.cmake."""

import json
import os
import struct
import subprocess
import unittest

from weirlab import BIN

PROGRAMS = ["weir", "weir-capture", "weir-engine", "weir-store", "weir-authd", "weir-httpd", "weir-dial", "weir-directory", "weir-key", "weir-enter"]
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY = 1, 2, 3, 0x6474e551, 0x6474e552, 0x6474e553
PF_X, PF_W = 1, 2
DT_NEEDED, DT_STRTAB, DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = 1, 5, 15, 22, 24, 29, 30, 0x6ffffffb
DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 8, 1, 0x08000000
ET_DYN, EM_X86_64, EM_AARCH64 = 3, 62, 183
X86_FEATURE_1_AND, X86_IBT, X86_SHSTK = 0xc0000002, 1, 2
AARCH64_FEATURE_1_AND, AARCH64_BTI = 0xc0000000, 1
# Every translation unit of ours is compiled with these (cmake/WeirHardening.cmake; the last two: the kind of build).
FLAGS = ["-fPIE", "-fstack-protector-strong", "-fstack-clash-protection", "-ftrivial-auto-var-init=zero", "-D_FORTIFY_SOURCE=3",
         "-fno-strict-overflow", "-fno-delete-null-pointer-checks", "-fno-common", "-Werror", "-Wconversion", "-std=c17"]


class Elf:
    """Just enough of ELF64, little-endian."""

    def __init__(self, path):
        self.data = open(path, "rb").read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no ELF64 file")
        (self.type, self.machine, _, _, phoff, _, _, _, phentsize, phnum) = struct.unpack_from("<HHIQQQIHHH", self.data, 16)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * phentsize) for i in range(phnum)]
        self.dynamic = []
        for kind, _, off, _, _, size, _, _ in self.segments:
            if kind == PT_DYNAMIC:
                for at in range(off, off + size, 16):
                    tag, value = struct.unpack_from("<qQ", self.data, at)
                    if tag == 0:
                        break
                    self.dynamic.append((tag, value))

    def tags(self, tag):
        return [v for t, v in self.dynamic if t == tag]

    def flags(self, tag):
        return (self.tags(tag) or [0])[0]

    def of_kind(self, kind):
        return [s for s in self.segments if s[0] == kind]

    def property(self, wanted):
        """The bits of one .note.gnu.property, or 0."""
        for _, _, off, _, _, size, _, _ in self.of_kind(PT_GNU_PROPERTY):
            at, end = off, off + size
            while at + 12 <= end:
                namesz, descsz, _ = struct.unpack_from("<III", self.data, at)
                desc = at + 12 + (namesz + 3 & ~3)
                inner = desc
                while inner + 8 <= desc + descsz:
                    kind, length = struct.unpack_from("<II", self.data, inner)
                    if kind == wanted:
                        return struct.unpack_from("<I", self.data, inner + 8)[0]
                    inner += 8 + (length + 7 & ~7)
                at = desc + (descsz + 7 & ~7)
        return 0


def symbols(path):
    out = subprocess.run(["nm", "-D", "--undefined-only", path], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}


class Hardening(unittest.TestCase):
    def test_every_program_is_built(self):
        for name in PROGRAMS:
            self.assertTrue(os.access(os.path.join(BIN, name), os.X_OK), name)

    def test_elf_files(self):
        for name in PROGRAMS:
            with self.subTest(name):
                e = Elf(os.path.join(BIN, name))
                self.assertEqual(e.type, ET_DYN, "position independent")
                self.assertTrue(e.flags(DT_FLAGS_1) & DF_1_PIE, "PIE")
                self.assertTrue(e.of_kind(PT_INTERP))
                self.assertEqual(len(e.of_kind(PT_GNU_RELRO)), 1, "RELRO")
                self.assertTrue(e.flags(DT_FLAGS) & DF_BIND_NOW or e.flags(DT_FLAGS_1) & DF_1_NOW or e.tags(DT_BIND_NOW), "BIND_NOW")
                stack = e.of_kind(PT_GNU_STACK)
                self.assertEqual(len(stack), 1, "PT_GNU_STACK")
                self.assertFalse(stack[0][1] & PF_X, "executable stack")
                for s in e.of_kind(PT_LOAD):
                    self.assertFalse(s[1] & PF_X and s[1] & PF_W, "a segment that is writable and executable")
                self.assertEqual(e.tags(DT_RPATH) + e.tags(DT_RUNPATH), [], "RPATH")
                self.assertEqual(e.tags(DT_TEXTREL), [], "TEXTREL")
                if e.machine == EM_X86_64:
                    self.assertEqual(e.property(X86_FEATURE_1_AND) & (X86_IBT | X86_SHSTK), X86_IBT | X86_SHSTK, "CET")
                elif e.machine == EM_AARCH64:
                    self.assertTrue(e.property(AARCH64_FEATURE_1_AND) & AARCH64_BTI, "BTI")
                else:
                    self.fail(f"machine {e.machine}")

    def test_code_is_apart_from_data(self):
        """-z separate-code: no segment with code holds headers or constants."""
        for name in PROGRAMS:
            e = Elf(os.path.join(BIN, name))
            self.assertEqual([s[2] for s in e.of_kind(PT_LOAD) if s[1] & PF_X and s[2] == 0], [], name)

    def test_symbols(self):
        for name in PROGRAMS:
            with self.subTest(name):
                found = symbols(os.path.join(BIN, name))
                self.assertIn("__stack_chk_fail", found, "stack protector")
                self.assertTrue([s for s in found if s.endswith("_chk") and s != "__stack_chk_fail"], "_FORTIFY_SOURCE")
                banned = {"strcpy", "strcat", "sprintf", "vsprintf", "gets", "system", "popen", "rand", "srand", "strtok", "tmpnam", "mktemp",
                          "__strcpy_chk", "__strcat_chk", "__sprintf_chk", "__vsprintf_chk"}
                self.assertEqual(found & banned, set())

    def test_only_the_launcher_executes(self):
        """authd forks its password hashers before its sandbox; directory forks a process for each attempt, within it; weir-enter becomes one of the
        others, before any. Nobody else executes anything."""
        may = {"weir-authd": {"fork"}, "weir-directory": {"fork"}, "weir-enter": {"execve"}}
        for name in PROGRAMS[1:]:
            found = {s for s in symbols(os.path.join(BIN, name)) if s.startswith("exec") or s in ("fork", "vfork", "posix_spawn", "fexecve")}
            self.assertEqual(found - may.get(name, set()), set(), name)

    def test_libraries_are_where_they_belong(self):
        """Nobody but its one process links a parser or a database."""
        owners = {"libpcap": {"weir-capture"}, "libndpi": {"weir-engine"}, "liblmdb": {"weir-store", "weir-authd", "weir"}, "libssl": {"weir-httpd", "weir", "weir-directory"},
                  "libldap": {"weir-directory"}, "libcurl": {"weir-directory"}, "libcjose": {"weir-directory"}}
        for name in PROGRAMS:
            out = subprocess.run(["readelf", "-d", os.path.join(BIN, name)], capture_output=True, text=True, check=True).stdout
            for library, who in owners.items():
                if f"[{library}" in out:
                    self.assertIn(name, who, library)

    def test_every_file_is_compiled_with_every_flag(self):
        with open(os.path.join(os.path.dirname(BIN), "compile_commands.json")) as f:
            commands = json.load(f)
        ours = [c for c in commands if c["file"].endswith(".c") and "/tests/" not in c["file"] and "/bench/" not in c["file"]
                and "/build/" not in c["file"]]
        self.assertGreater(len(ours), 40)
        machine = os.uname().machine
        cet = ["-fcf-protection=full"] if machine == "x86_64" else ["-mbranch-protection=standard"]
        for c in ours:
            words = set(c["command"].split())
            missing = [f for f in FLAGS + cet if f not in words]
            self.assertEqual(missing, [], c["file"])


if __name__ == "__main__":
    unittest.main()
