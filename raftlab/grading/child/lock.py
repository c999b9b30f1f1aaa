"""What a boxed process takes from itself before it reads a submission: means, and system calls.

Nothing here is given back: limits and filters of Linux only ever become narrower.
"""

import _ctypes
import ctypes
import gc
import os
import resource
import signal
import stat
import struct
import sys
from collections.abc import Sequence

from raftlab.grading.child import calls

MACHINE = os.uname().machine
CPU_S, MEMORY_MB, FILE_BYTES, OPEN_FILES = 60, 512, 1 << 16, 32
LOADING_S = 4.0
"""How much processor time the statements of a source have together (s)."""

NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
ALLOW, REFUSE = 0x7FFF0000, 0x00050001
"""Carry the call out; or say that it is not permitted (EPERM)."""
ZERO, NO_FILE, NO_CALL, OVER = 0x00050000, 0x00050002, 0x00050026, 0x0005006E
"""Answer with 0; say that there is no such file (ENOENT), no such call (ENOSYS), or that the time
is over (ETIMEDOUT)."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NOT_RANDOM = 0x0040000
"""ADDR_NO_RANDOMIZE."""

VDSO, VDSO_AT, LOADED = "linux-vdso.so.1", 33, 1
"""What the kernel puts into each process: clocks that are read without a call. AT_SYSINFO_EHDR
says where; of its parts, in the form of ELF, those count that are PT_LOAD."""
WRITABLE, RUNS = 1 | 2, 1 | 4
"""PROT_READ with PROT_WRITE, and with PROT_EXEC."""
SET_TSC, TSC_FAILS = 26, 2
CHANCE_AT, CHANCE_BYTES = 25, 16
"""AT_RANDOM: what the kernel draws for each process that starts, and where."""

READS, WRITES_TO = (1 << 0) | (1 << 2) | (1 << 3), 1 << 1
"""Landlock: execute (libraries are mapped so), read a file, list a folder; write to a file."""
EVERYTHING = (13, 14, 15, 15, 16)
"""By Landlock's version: how many things can be done with files; what is not allowed is refused."""
CAPABILITIES = 0x20080522
"""The version of the form in which the kernel is told what a process may do."""
CREATE, ADD, RESTRICT, BENEATH = 444, 445, 446, 1


def keep_addresses() -> None:
    """Let the programs of this process lie at the same addresses each time, where it may ask so."""
    if hasattr(libc := _libc(), "personality"):
        libc.personality(NOT_RANDOM)


def open_nowhere() -> None:
    """Let this process read and write nowhere by the numbers 0, 1 and 2. Raises: OSError."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in (0, 1, 2):
        os.dup2(nowhere, each)
    os.close(nowhere)


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


def limit_loading() -> None:
    """Bound the processor time until `has_loaded`: what works on in C can be stopped only so."""
    signal.setitimer(signal.ITIMER_PROF, LOADING_S)


def has_loaded() -> None:
    """That bound is over."""
    signal.signal(signal.SIGPROF, signal.SIG_IGN)


def stop_clocks() -> None:
    """Let the system's clocks stand still, which are read here without a call to the kernel.

    The calls are refused besides, and the processor's own clock. Where a kernel does not allow it
    (some seal what they put into a process), these clocks go on, and the processor's too.
    """
    libc = _libc()
    start, size = _clocks_at(libc)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    if start and libc.mprotect(start, size, WRITABLE) == 0:
        vdso, machine = ctypes.CDLL(VDSO), MACHINE
        code = dict.fromkeys(calls.OTHER_CLOCKS, calls.FAILS[machine])
        code[calls.CLOCK] = calls.STANDS[machine]
        for name, does in code.items():
            for function in (getattr(vdso, f"__{of}_{name}", None) for of in ("vdso", "kernel")):
                if function:
                    address = ctypes.cast(function, ctypes.c_void_p).value or 0
                    ctypes.memmove(address, does, len(does))
        _done(libc.mprotect(start, size, RUNS))
        libc.prctl(SET_TSC, TSC_FAILS, 0, 0, 0)  # the clocks that went on would end the process


def _clocks_at(libc: ctypes.CDLL) -> tuple[int, int]:
    """Where what the kernel has put into this process begins, and how long it is (bytes): pages."""
    libc.getauxval.restype = ctypes.c_ulong
    start = int(libc.getauxval(VDSO_AT))
    if not start:
        return 0, 0
    headers, each, count = struct.unpack("32xQ14xHH", ctypes.string_at(start, 58))
    end = 0
    for place in range(count):
        kind, at, length = struct.unpack(
            "I12xQ16xQ", ctypes.string_at(start + headers + each * place, 48)
        )
        if kind == LOADED:
            end = max(end, at + length)
    page = resource.getpagesize()
    return start, -(-end // page) * page


def refuse_calls() -> None:
    """Refuse processes, signals, sockets, writing, and looks into others; be no root any more.

    Raises: OSError.
    """
    machine = MACHINE
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, calls.KINDS[machine]), (0x06, 0, 0, REFUSE)]
    program += [(0x20, 0, 0, 0), (0x35, 0, 1, 0x40000000), (0x06, 0, 0, REFUSE)]  # x32's numbers
    program += [(0x35, 0, 1, calls.NEWER), (0x06, 0, 0, NO_CALL)]
    for numbers, answer in (
        (calls.refused(machine), REFUSE),
        (calls.same(machine), ZERO),
        (calls.hidden(machine), NO_FILE),
    ):
        for number in numbers:
            program += [(0x15, 0, 1, number), (0x06, 0, 0, answer)]
    for number, place in calls.OPENS[machine]:
        program += [(0x15, 0, 4, number), (0x20, 0, 0, 16 + 8 * place), (0x45, 0, 1, WRITES)]
        program += [(0x06, 0, 0, REFUSE), (0x06, 0, 0, ALLOW)]
    for number, place, values, may in calls.by_value(machine):
        ends = [(0x06, 0, 0, REFUSE), (0x06, 0, 0, ALLOW)]  # of other values, and of these
        program += [(0x15, 0, len(values) + 3, number), (0x20, 0, 0, 16 + 8 * place)]
        program += [(0x15, after, 0, each) for after, each in enumerate(values[::-1], 1)][::-1]
        program += ends if may else ends[::-1]
    program += _waits_are_over(calls.FUTEX[machine])
    program.append((0x06, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *each) for each in program)
    held = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(held))
    _prctl(NO_NEW_PRIVILEGES, 1)
    nothing = ctypes.create_string_buffer(24)
    _done(_libc().syscall(calls.CAPSET[machine], struct.pack("Ii", CAPABILITIES, 0), nothing))
    _prctl(SECCOMP, FILTER, ctypes.create_string_buffer(header))


def unload() -> None:
    """Take `ctypes` out of this process for good: what reads memory, and calls the kernel itself.

    After `refuse_calls` no library can be loaded any more. What is left of this one is kept and
    never looked at, by the collector of garbage neither: so the process must end by `os._exit`.
    """
    libc, python, module = _libc(), ctypes.pythonapi, ctypes
    libc.getauxval.restype = ctypes.c_void_p
    ctypes.memset(libc.getauxval(CHANCE_AT), 0, CHANCE_BYTES)
    for name in [each for each in sys.modules if each.partition(".")[0] in ("ctypes", "_ctypes")]:
        sys.modules[name] = None  # type: ignore[assignment]
    file = getattr(_ctypes, "__file__", None)
    if file is None:
        return  # it is a part of this Python
    close = ctypes.cast(libc.dlclose, ctypes.c_void_p)
    handle = ctypes.c_void_p(vars(ctypes.CDLL(file))["_handle"])
    later = python.Py_AddPendingCall
    for each in (libc, python, module, close, handle, later):
        python.Py_IncRef(ctypes.py_object(each))
    for name in ("ctypes", "_ctypes"):
        del globals()[name]
    gc.freeze()
    later(close, handle)  # the interpreter does so later: a library cannot unload itself
    later(close, handle)  # it was opened twice: by whoever imported it, and here


def _waits_are_over(number: int) -> list[tuple[int, int, int, int]]:
    """The part of the filter for waits with an end: they would wait by clocks that stand still."""
    both, end = 16 + 8 * 3, (0x06, 0, 0, OVER)
    program = [(0x15, 0, 9, number), (0x20, 0, 0, 16 + 8), (0x54, 0, 0, calls.WHAT)]
    program += [(0x15, 1, 0, calls.WAIT), (0x15, 0, 5, calls.WAIT_UNTIL)]
    program += [(0x20, 0, 0, both), (0x15, 0, 2, 0), (0x20, 0, 0, both + 4), (0x15, 1, 0, 0), end]
    return program


def landlock_version() -> int:
    """Which version of Landlock the kernel has; 0 for none."""
    return max(int(_libc().syscall(CREATE, None, 0, 1)), 0)


def read_only(paths: Sequence[str]) -> None:
    """Let this process read what lies beneath these paths, write to devices among them, and use
    no other file. Raises: OSError.
    """
    libc = _libc()
    known = EVERYTHING[min(landlock_version(), len(EVERYTHING)) - 1]
    rules = ctypes.create_string_buffer(struct.pack("Q", (1 << known) - 1), 8)
    ruleset = _done(libc.syscall(CREATE, rules, 8, 0))
    for path in paths:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        may = READS if os.path.isdir(path) else READS & ~(1 << 3)
        if stat.S_ISCHR(os.stat(path).st_mode):  # /dev/null, which each process opens for itself
            may |= WRITES_TO
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
