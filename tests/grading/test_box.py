"""Each box that works here: what a process in it reaches, and what the package lacks in it."""

import json
import platform
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from raftlab.course.exercises import exercise
from raftlab.grading import asked as asked_module
from raftlab.grading import box
from raftlab.grading.answers import Source
from raftlab.grading.asked import Asked
from raftlab.grading.box import Boxes
from raftlab.grading.child import calls
from raftlab.grading.folder import stripped
from raftlab.grading.waited import Waited

KINDS = [each for each in ("bubblewrap", "landlock") if box.best_kind() and box._works(each)]


class Opened(Boxes):
    """Boxes in which a submission has found `ctypes` again: what is refused even then."""

    def _of(self, name, write, module="serve"):
        def opened(folder):
            write(folder)
            for file, more in OPENS.items():
                with open(folder / "raftlab" / "grading" / "child" / file, "a") as there:
                    there.write(more)

        return super()._of(name, opened, module)


OPENS = {
    "lock.py": "\n\ndef unload(): sys.modules.update(ctypes=None, _ctypes=None)\n",
    "known.py": "\n\nNOT_FOUND, TO_MEMORY = (), ('_test', 'xx', '_xx')\n",
}

NEWER = {"fchmodat2": 452, "cachestat": 451}
"""Calls that a kernel's headers may not have yet."""

TRIES = {
    "signals of a file": "__import__('fcntl').fcntl(0, 8, os.getppid())",
    "limits of another": "__import__('resource').prlimit(os.getppid(), 7, (4, 4))",
    "times of a file": "posix.utime(0, (0, 0))",
    "a fork": "os.fork()",
    "the machine's name": "socket.sethostname(socket.gethostname())",
    "a program": "os.execv('/bin/true', ['true'])",
    "a signal": "os.kill(os.getppid(), 0)",
    "the users": "open('/etc/passwd').read()",
    "other processes": "open(f'/proc/{os.getppid()}/cmdline').read()",
    "a socket": "socket.socket()",
    "a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "writing": "posix.open('/tmp/x', os.O_WRONLY | os.O_CREAT)",
    "writing at home": "posix.open(__import__('raftlab').__file__, os.O_WRONLY | os.O_APPEND)",
    "truncating": "posix.truncate(__import__('raftlab').__file__, 0)",
    "truncating by reading": "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
    "a group of its own": "os.setpgid(0, 0)",
    "a session of its own": "os.setsid()",
    "the system's chance": "os.open('/dev/urandom', 0)",
    "the system's name": "raw(160 if arm else 63, b' ' * 400)",
    "other modes": "posix.chmod('/tmp', 0o700)",
    "installed packages": "__import__('numpy'), __import__('pytest')",
    "the course": "__import__('raftlab.course.exercises.append')",
    "where it is": "raw(17 if arm else 79, b' ' * 99, 99)",
    "another folder": "os.chdir('/usr')",
    "a link": "os.readlink('/proc/self')",
    "free blocks": "os.statvfs('/')",
    "flags that others see": "__import__('fcntl').fcntl(0, 4, 1024)",
    "flags of a file": "__import__('fcntl').ioctl(open(os.__file__), 0x40086602, bytes(8))",
    "what flags a file has": "__import__('fcntl').ioctl(open(os.__file__), 0x80086601, bytes(8))",
    "a lock of all": "__import__('fcntl').flock(open(os.__file__), 6)",
    "a lock of a part": "__import__('fcntl').lockf(open(os.__file__), 5)",
    "what is kept": "os.posix_fadvise(os.open(os.__file__, 0), 0, 0, 4)",
    "what is kept, asked": "os.preadv(os.open(os.__file__, 0), [bytearray(9)], 0, 8)",
    "what leaves the memory": "__import__('mmap').mmap(-1, 4096).madvise(21)",
    "waiting": "__import__('select').select([], [], [], 9)",
    "waiting for a signal": "__import__('signal').sigtimedwait([10], 9)",
    "a clock": "raw(113 if arm else 228, 0, 0)",
    "the processor's clock": "raw(167 if arm else 157, 26, 1)",
    "the clocks, once more": "raw(158, 0x2003, 0)",
    "the kernel's words": "raw(116 if arm else 103, 3, 0)",
    "whether a line is there": "os.splice(0, os.pipe()[1], 9, flags=2)",
    "the same, by a copy": "raw(77 if arm else 276, 0, os.pipe()[1], 9, 2)",
    "the same, from memory": "raw(75 if arm else 278, os.pipe()[1], 0, 0, 2)",
    "a file sent": "os.sendfile(os.pipe()[1], os.open(os.__file__, 0), 0, 9)",
    "a file copied": "os.copy_file_range(os.open(os.__file__, 0), os.memfd_create('a'), 9)",
    "how large a pipe is": "__import__('fcntl').fcntl(0, 1032)",
    "whose signals a file has": "__import__('fcntl').fcntl(0, 16, bytes(8))",
    "a limit of time": "raw(164 if arm else 160, 0, (ctypes.c_ulong * 2)(1, 60))",
    "a program in memory": "__import__('mmap').mmap(-1, 4096, prot=5)",
    "a library that was not loaded": "ctypes.CDLL('libm.so.6' if arm else 'libnsl.so.1')",
    "a priority of another": "os.getpriority(0, os.getppid())",
}


RAW = """import os, posix, socket, sys
for each in ("ctypes", "_ctypes"):
    sys.modules.pop(each)
import ctypes
arm = MACHINE == "aarch64"
def raw(*given):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*given) < 0 and ctypes.get_errno() == 1:
        raise PermissionError
""".replace("MACHINE", repr(platform.machine()))
"""A way back to the system's own calls, which answers can find."""


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_outside_is_reached(kind):
    boxes = Opened(kind)
    source = RAW + "def majority(size):\n    tries = " + repr(list(TRIES.values()))
    source += (
        "\n    try:\n        eval(tries[size])\n    except (OSError, ImportError) as e:"
        "\n        return type(e).__name__\n    return 'reached'"
    )
    asked = Asked(exercise("4.1"), Source((("it", source),), "majority"), boxes)
    try:
        answer = asked.answer()
        found = {what: answer(place) for place, what in enumerate(TRIES)}
    finally:
        asked.close()
        boxes.close()
    assert "reached" not in found.values(), json.dumps(found)


def test_a_box_that_was_killed_starts_again():
    boxes = Boxes(box.best_kind())
    source = Source((("it", "def majority(size):\n    return size"),), "majority")
    try:
        asked = Asked(exercise("4.1"), source, boxes)
        assert asked.answer()(3) == 3
        forks = boxes._forks["4.1"]
        forks._process.kill()
        assert select.select([forks._socket], [], [], 60)[0]  # it is gone, and all that it had
        again = Asked(exercise("4.1"), source, boxes)
        assert again.answer()(4) == 4
        asked.close()
        assert again.answer()(5) == 5
        again.close()
    finally:
        boxes.close()
    again.close()
    assert boxes._forks["4.1"]._socket is None


def kernels(header, pattern=r"#define __NR(?:3264)?_(\w+)\s+(\d+)"):
    """The calls of a table of the kernel, by name."""
    found = {name: int(number) for name, number in re.findall(pattern, header.read_text())}
    return found | ({"newfstatat": found["fstatat"]} if "fstatat" in found else {})


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers_of_calls_are_those_of_the_kernel(machine, header):
    if not Path(header).exists():
        pytest.skip("the kernel's headers are not installed")
    there = kernels(Path(header))
    place = calls.MACHINES.index(machine)
    tables = {**calls.REFUSED, **calls.SAME, **calls.HIDDEN}
    ours = {name: each[place] for name, each in tables.items()}
    assert max(filter(None, ours.values())) < calls.NEWER
    newer = [name for name, number in ours.items() if number is not None and name not in there]
    assert {name: ours[name] for name in newer}.items() <= NEWER.items()
    assert {
        name: number for name, number in ours.items() if number is not None and name in there
    } == {name: number for name, number in there.items() if name in ours}
    for name, (numbers, _, _) in {**calls.VALUES, **calls.ALLOWED}.items():
        assert numbers[place] == there[name]
    opens = {there[name] for name in ("open", "openat") if name in there}
    assert {number for number, _ in calls.OPENS[machine]} == opens


def test_a_machine_whose_calls_are_not_known_has_no_box(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert box.best_kind.__wrapped__() is None


def test_what_is_asked_for_is_not_in_the_folder():
    source = (
        "class Rules:\n    def a(self):\n        return 1\n\n    def b(self):\n        return 2\n"
    )
    left = stripped(source, ["Rules.a"])
    assert "return 1" not in left
    assert "return 2" in left
    assert "raise NotImplementedError" in left


def majority_of(source, boxes):
    """What an answer to 4.1 says of three servers, in a box of its own; the boxes are closed."""
    asked = Asked(exercise("4.1"), Source((("it", source),), "majority"), boxes)
    try:
        return asked.answer()(3)
    finally:
        asked.close()
        boxes.close()


@pytest.mark.skipif("bubblewrap" not in KINDS, reason="bubblewrap does not work here")
def test_folders_have_the_same_names_in_every_box():
    source = "import sys\ndef majority(size):\n    return str(sys.path)"
    said = set()
    for _ in range(2):
        boxes = Boxes("bubblewrap")
        said.add(majority_of(source, boxes))
    (only,) = said
    assert "box-0" in only


CLOCKS = """import sys, datetime
for each in ("ctypes", "_ctypes", "time"):
    sys.modules.pop(each, None)
import ctypes, time
def majority(size):
    moment = (ctypes.c_long * 2)()
    raw = ctypes.CDLL(None).clock_gettime(0, moment)
    coarse = time.clock_gettime(5)
    own = datetime.datetime.__base__.now().year
    return [time.time(), time.monotonic(), coarse, raw, moment[0], own]
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_systems_own_clocks_stand_still(kind):
    assert majority_of(CLOCKS, Opened(kind)) == [1e9, 1e9, 1e9, 0, 10**9, 2001]


WAITS = """import threading, time
class Own:
    clock = time.perf_counter
lock = threading.Lock()
own = Own()
def majority(size):
    with open("log.txt", "a") as file:
        file.write("x")
    return [own.clock(), lock.acquire(timeout=1), lock.acquire(timeout=1),
            threading.Event().wait(0.5), own.clock()]
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_with_an_end_is_over_at_once_and_a_file_goes_nowhere(kind):
    assert majority_of(WAITS, Boxes(kind)) == [1e9, True, False, False, 1e9 + 0.5]


LONG = """from itertools import repeat
x = sum(repeat(1))
def majority(size):
    return size // 2 + 1
y = sum(repeat(1))
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_that_works_long_in_c_costs_no_answer(kind):
    boxes, waited = Boxes(kind), Waited()
    asked = Asked(exercise("4.1"), Source((("it", LONG),), "majority"), boxes, waited)
    try:
        assert asked.answer()(5) == 3
        assert asked.same_again()
    finally:
        asked.close()
        boxes.close()
    assert waited.left_out == {"it:2:0", "it:5:0"}


WAITS_FOR_EVER = """import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
def majority(size):
    return size // 2 + 1
"""


def test_a_statement_that_waits_for_ever_costs_no_answer(monkeypatch):
    monkeypatch.setattr(asked_module, "PATIENCE_S", 5.0)
    boxes = Boxes(box.best_kind())
    asked = Asked(exercise("4.1"), Source((("it", WAITS_FOR_EVER),), "majority"), boxes)
    try:
        assert asked.answer()(5) == 3
        assert asked.same_again()
    finally:
        asked.close()
        boxes.close()


SEALED = """
import ctypes, os, sys, time
from raftlab.grading.child import lock

class Sealed:
    def __init__(self, libc): self.__dict__["libc"] = libc
    def __getattr__(self, name): return getattr(self.libc, name)

libc = lock._libc()
refused = type("mprotect", (), {"__call__": lambda *_: -1})()
sealed = Sealed(libc)
sealed.mprotect = refused
lock._libc = lambda: sealed
lock.stop_clocks()
print(time.time() > 1e9, time.monotonic() >= 0)
"""


def test_where_a_kernel_seals_its_clocks_a_box_works_all_the_same():
    done = subprocess.run([sys.executable, "-c", SEALED], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr
