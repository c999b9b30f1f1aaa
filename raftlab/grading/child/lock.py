"""What a boxed process takes from itself before it reads a submission: means, and system calls.

Nothing here is given back: limits and filters of Linux only ever become narrower.
"""

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Mapping, Sequence

CPU_S, MEMORY_MB, FILE_BYTES, OPEN_FILES = 60, 512, 1 << 16, 32

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
ALLOW, REFUSE = 0x7FFF0000, 0x00050001
"""Carry the call out; or say that it is not permitted (EPERM)."""

CALLS: Mapping[str, Mapping[int, Sequence[int]]] = {
    "x86_64": {
        0xC000003E: (
            41, 42, 43, 49, 50, 53, 288,  # sockets
            56, 57, 58, 59, 322, 435,  # clone, fork, vfork, execve, execveat, clone3
            62, 200, 234, 129, 297, 424, 434,  # kill, tkill, tgkill, …sigqueueinfo, pidfd
            101, 310, 311, 438,  # ptrace, process_vm_readv and writev, pidfd_getfd
            272, 308, 165, 166, 155, 161,  # unshare, setns, mount, umount, pivot_root, chroot
            321, 250, 248, 249, 425, 426, 427, 29, 30, 31,  # bpf, keys, io_uring, shared memory
            82, 264, 316, 83, 258, 87, 263, 90, 268, 86, 265, 88, 266,  # names and modes of files
            91, 452, 92, 93, 94, 260, 132, 235, 261, 280,  # modes, owners and times
            302, 203, 141,  # limits, processors and priority, of others too
        )
    },
    "aarch64": {
        0xC00000B7: (
            198, 199, 200, 201, 202, 203, 242,
            220, 221, 281, 435,
            129, 130, 131, 138, 240, 424, 434,
            117, 270, 271, 438,
            97, 268, 40, 39, 41, 51,
            280, 217, 218, 219, 425, 426, 427, 194, 195, 196,
            38, 276, 34, 35, 52, 53, 36, 37,
            452, 54, 55, 88,
            261, 122, 140,
        )
    },
}  # fmt: skip
"""By machine, and by what the kernel calls it: the numbers of the calls that are refused."""

FCNTL = {"x86_64": 72, "aarch64": 25}
OWNERS = (8, 10, 15)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX: what sends signals to others when a file has something."""

READS = (1 << 0) | (1 << 2) | (1 << 3)
"""Landlock: execute (libraries are mapped so), read a file, list a folder."""
EVERYTHING = (1 << 13) - 1
"""Landlock's first version: all that can be done with files; what is not allowed is refused."""
CREATE, ADD, RESTRICT, BENEATH = 444, 445, 446, 1


def limit() -> None:
    """Bound processor time, memory, files and core dumps. Raises: OSError, ValueError."""
    for which, most in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_MB << 20),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(which, (most, most))


def refuse_calls() -> None:
    """Refuse processes, signals, sockets, and whatever looks into others. Raises: OSError."""
    ((kind, numbers),) = CALLS[platform.machine()].items()
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, kind), (0x06, 0, 0, REFUSE), (0x20, 0, 0, 0)]
    program += [(0x35, 0, 1, 0x40000000), (0x06, 0, 0, REFUSE)]  # x32's other numbers
    for number in numbers:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, REFUSE)]
    owner, signal, owner_ex = OWNERS
    program += [(0x15, 0, 5, FCNTL[platform.machine()]), (0x20, 0, 0, 24), (0x15, 2, 0, owner)]
    program += [(0x15, 1, 0, signal), (0x15, 0, 1, owner_ex), (0x06, 0, 0, REFUSE)]
    program.append((0x06, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    held = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(held))
    _prctl(NO_NEW_PRIVILEGES, 1)
    _prctl(SECCOMP, FILTER, ctypes.create_string_buffer(header))


def landlock_version() -> int:
    """Which version of Landlock the kernel has; 0 for none."""
    return max(int(_libc().syscall(CREATE, None, 0, 1)), 0)


def read_only(paths: Sequence[str]) -> None:
    """Let this process read what lies beneath these paths, and no other file. Raises: OSError."""
    libc = _libc()
    rules = ctypes.create_string_buffer(struct.pack("Q", EVERYTHING), 8)
    ruleset = _done(libc.syscall(CREATE, rules, 8, 0))
    for path in paths:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        may = READS if os.path.isdir(path) else READS & ~(1 << 3)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", may, handle), 12)
        _done(libc.syscall(ADD, ruleset, BENEATH, rule, 0))
        os.close(handle)
    _prctl(NO_NEW_PRIVILEGES, 1)
    _done(libc.syscall(RESTRICT, ruleset, 0))
    os.close(ruleset)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, first: int, second: object = 0) -> None:
    _done(_libc().prctl(option, ctypes.c_ulong(first), second, 0, 0))


def _done(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
