"""One fork of a box leaves nothing that the next one finds, and no file tells it the time."""

import platform

import pytest

from raftlab.course.exercises import exercise
from raftlab.course.exercises.guard import LearnerError
from raftlab.grading import box
from raftlab.grading.answers import Source
from raftlab.grading.asked import Asked
from raftlab.grading.box import Boxes
from tests.grading.test_box import KINDS, Opened

RAW = """import fcntl, mmap, os, resource, select, signal, socket, sys, threading
for each in ("ctypes", "_ctypes"):
    sys.modules.pop(each, None)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
arm = MACHINE == "aarch64"
import raftlab, json
def again():
    "The system's own calls, whatever was put into their place."
    sys.modules.pop("posix", None)
    import posix
    return posix
""".replace("MACHINE", repr(platform.machine()))

LEAVES = {
    "flags of what it writes to": (
        "[fcntl.fcntl(n, 4, os.O_APPEND | os.O_NONBLOCK | os.O_NOATIME) for n in (0, 1, 2)]",
        "[fcntl.fcntl(n, 3) for n in (0, 1, 2)]",
    ),
    "who is told of a file": (
        "[fcntl.fcntl(n, 8, 1) for n in (0, 1, 2)]",
        "[fcntl.fcntl(n, 9) for n in (0, 1, 2)]",
    ),
    "a place in an open file": (
        "[libc.lseek(n, 7, 0) for n in range(32)]",
        "[libc.lseek(n, 0, 1) for n in (0, 1, 2)]",
    ),
    "files that stay open": (
        "[os.dup(0) for _ in range(5)]",
        "[n for n in range(32) if libc.fcntl(n, 1) >= 0][:20]",
    ),
    "a file": ("open('/tmp/left', 'w')", "open('/tmp/left')"),
    "a file of its own": ("open(raftlab.__file__, 'a')", "len(open(raftlab.__file__).read())"),
    "a folder": ("os.mkdir('/left')", "again().listdir('/')"),
    "when a file was read": (
        "open(json.__file__).read()",
        "again().stat(json.__file__).st_atime_ns",
    ),
    "a hint to a file": (
        "fcntl.fcntl(open(raftlab.__file__), 1036, (3).to_bytes(8, 'little'))",
        "fcntl.fcntl(open(raftlab.__file__), 1035, bytes(8))",
    ),
    "a limit": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))",
        "libc.getrlimit(7, (ctypes.c_long * 2)())",
    ),
    "a mask of files": ("os.umask(0o123)", "os.umask(0)"),
    "a signal that is blocked": (
        "signal.pthread_sigmask(0, [10])",
        "sorted(map(int, signal.pthread_sigmask(0, [])))",
    ),
    "a signal that waits": ("os.kill(0, 10)", "sorted(map(int, signal.sigpending()))"),
    "a place in the order": ("os.nice(5)", "again().getpriority(0, 0)"),
    "a group": ("os.setpgid(0, 0)", "os.getpgrp()"),
    "memory": ("globals().update(LEFT=bytearray(9_000_000))", "'LEFT' in globals()"),
    "a value of a library": ("libc.srandom(77)", "libc.random()"),
    "a setting of a library": ("sys.setswitchinterval(3)", "sys.getswitchinterval()"),
    "shared memory": ("libc.shmget(77, 4096, 0o1666)", "libc.shmget(77, 4096, 0)"),
    "a queue": ("libc.msgget(77, 0o1666)", "libc.msgget(77, 0)"),
    "a lock": ("libc.semget(77, 1, 0o1666)", "libc.semget(77, 1, 0)"),
    "a key": ("libc.syscall(217 if arm else 248, b'user', b'a', b'b', 1, -3)", "0"),
    "a name in the network": ("socket.socket(1).bind('\\0left')", "socket.socket(1)"),
    "a lock on a file": ("fcntl.flock(open(json.__file__), 2)", "0"),
    "the name of the process": ("libc.prctl(15, b'left')", "name()"),
}
"""What a process may try to leave, and how another one would find it."""
NAME = """
def name():
    found = ctypes.create_string_buffer(16)
    libc.prctl(16, found)
    return found.value.decode()
"""


def source(expression):
    """An answer that says what this is worth."""
    return Source(
        (
            (
                "it",
                f"{RAW}{NAME}\ndef majority(size):\n    try:\n        return {expression}\n"
                "    except (OSError, ValueError) as e:\n        return type(e).__name__\n",
            ),
        ),
        "majority",
    )


def said(boxes, *expressions):
    """What processes of one box say, one after the other: what each expression is worth."""
    found = []
    for each in expressions:
        asked = Asked(exercise("4.1"), source(f"repr({each})"), boxes)
        try:
            found.append(asked.answer()(3))
        finally:
            asked.close()
    return found


@pytest.fixture(scope="module", params=KINDS)
def boxes(request):
    made = Boxes(request.param)
    yield made
    made.close()


@pytest.fixture(scope="module", params=KINDS)
def opened(request):
    made = Opened(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("what", LEAVES)
def test_nothing_is_left_for_the_next_one(what, opened):
    leaves, looks = LEAVES[what]
    before, _, after = said(opened, looks, leaves, looks)
    assert before == after


def test_each_process_opens_for_itself_what_it_writes_to():
    """The calls that would show it are refused in a box: so it is tried without one."""
    boxes = Boxes("no box")
    try:
        before, _, after = said(
            boxes, *(LEAVES["flags of what it writes to"][n] for n in (1, 0, 1))
        )
    finally:
        boxes.close()
    assert before == after


TELLS = {
    "a date": "[again().stat(n) for n in ('/', raftlab.__file__)]",
    "a date of an open file": "again().fstat(again().open(raftlab.__file__, 0))",
    "numbers of files": "[e.inode() for e in again().scandir(os.path.dirname(json.__file__))]",
    "the same in C": "[libc.stat(b'/', b' ' * 400), libc.fstat(0, b' ' * 400), ctypes.get_errno()]",
    "in a newer way": "[libc.statx(-100, b'/', 0, 4095, b' ' * 400), ctypes.get_errno()]",
    "in one that is not known": "[libc.syscall(468, 0, 0, 0, 0), ctypes.get_errno()]",
}
"""Asks when files were written, and for their numbers; what is right is that there are none."""


@pytest.mark.parametrize("what", TELLS)
def test_no_file_has_a_date_or_a_number(what, opened):
    found = set()
    for each in (opened, Opened(opened.kind)):
        found |= {*said(each, TELLS[what])}
        if each is not opened:
            each.close()
    (only,) = found
    assert "st_mtime" not in only
    assert only == "FileNotFoundError" or ", 2]" in only or ", 38]" in only


def test_no_process_has_a_number(opened):
    number = "[libc.syscall(96 if arm else 218, 0), os.getpid(), threading.get_native_id()]"
    assert said(opened, number, number) == ["[0, 0, 0]"] * 2


DATES = """import re, sys
def majority(size):
    (known,) = [each for each in sys.meta_path if hasattr(each, "modules")]
    loaders = [each.__loader__ for each in sys.modules.values() if hasattr(each, "__loader__")]
    kept = [vars(each) for each in loaders if hasattr(each, "__dict__")]
    text = repr([*known.modules.values(), *(each for each in kept if "path" in each)])
    return ["__init__.py" in text, *re.findall("[0-9]{10,}", text)]
"""


def test_what_finds_modules_keeps_no_date(boxes):
    asked = Asked(exercise("4.1"), Source((("it", DATES),), "majority"), boxes)
    try:
        assert asked.answer()(3) == [True]
    finally:
        asked.close()


TO_MEMORY = {
    "by its name": "__import__('ctypes')",
    "its core": "__import__('_ctypes')",
    "after it was forgotten": "[sys.modules.pop(n, 0) for n in NAMES], __import__('_ctypes')",
    "by its file": "imp.create_dynamic(ModuleSpec('_ctypes', None, origin=FILE))",
    "by its file, and another name": "imp.create_dynamic(ModuleSpec('_c', None, origin=FILE))",
    "by whoever locked": "sys.modules['raftlab.grading.child.lock'].ctypes",
    "by whoever calls": "[each for each in held() if 'ctypes' in f'{type(each)}{each}'][0]",
    "by what is collected": "[o for o in gc.get_objects() if 'ctypes' in str(type(o))][0]",
    "by what was frozen": "[gc.unfreeze(), gc.collect(), gc.get_objects()][2]",
    "by its kinds": "object.__subclasses__()",
    "tests of Python": "__import__('_testcapi')",
    "tests of Python's inside": "__import__('_testinternalcapi')",
    "tests of it": "imp.create_dynamic(ModuleSpec('_ctypes_test', None, origin=ITS_TEST))",
    "another interpreter": "__import__('_xxsubinterpreters')",
    "its memory": "open('/proc/self/mem', 'rb')",
}
"""Ways back to what reads memory, and calls the kernel past Python."""
WAYS = """import _imp as imp, gc, sys
from importlib.machinery import ModuleSpec
FILE = sys.modules["_json"].__file__.replace("_json", "_ctypes")
PLAIN = str, list, tuple, dict
ITS_TEST, NAMES = FILE.replace("_ctypes", "_ctypes_test"), ("ctypes", "_ctypes")
def held():
    frame = sys._getframe()
    while frame := frame.f_back:
        for names in (frame.f_globals, frame.f_locals):
            yield from (each for each in names.values() if not isinstance(each, PLAIN))
def majority(size):
    try:
        {}
    except (ImportError, AttributeError, IndexError, OSError):
        return "refused"
    return "reached"
"""


@pytest.mark.parametrize("way", TO_MEMORY)
def test_memory_is_out_of_reach(way, boxes):
    text = WAYS.format(TO_MEMORY[way])
    asked = Asked(exercise("4.1"), Source((("it", text),), "majority"), boxes)
    try:
        found = asked.answer()(3)
    except LearnerError:
        found = asked.trouble
    finally:
        asked.close()
    assert found == "refused" or found.startswith("its process ended")


LOOKS_AROUND = """import abc, dataclasses, functools, gc, inspect, sys, unittest.mock
def majority(size):
    sys.settrace(None)  # it takes many steps
    gc.collect(), len(gc.get_objects()), gc.get_referrers(majority), gc.freeze()
    kind = functools.singledispatch(lambda _: 0)
    kind.register(object)(lambda _: 1)
    names = [repr(each) for each in list(sys.modules.values())]
    unittest.mock.create_autospec(dict), unittest.mock.MagicMock()
    slots = dataclasses.dataclass(slots=True)(type("D", (abc.ABC,), {}))
    inspect.getmembers(slots), inspect.getmodule(slots), int.__subclasses__()
    again = [[name] for name in names] * 9
    return gc.collect() * 0 + kind([]) + size
"""


def test_an_honest_look_around_ends_no_process(boxes):
    asked = Asked(exercise("4.1"), Source((("it", LOOKS_AROUND),), "majority"), boxes)
    try:
        assert asked.answer()(3) == 4
    finally:
        asked.close()


LIBRARY = """abc argparse array ast asyncio base64 binascii bisect bz2 calendar cmath codecs
collections colorsys concurrent.futures configparser contextlib copy csv dataclasses datetime
decimal difflib dis email enum fractions functools gc getopt glob graphlib hashlib heapq hmac html
inspect io ipaddress itertools json keyword locale logging logging.handlers lzma math mmap numbers
operator optparse pathlib pickle pickletools platform pprint queue random re reprlib sched secrets
select selectors shelve shlex shutil signal socket statistics string struct subprocess tempfile
textwrap threading time timeit tokenize tomllib traceback types typing unicodedata unittest
unittest.mock urllib.parse uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo"""


def test_pythons_own_library_is_there(boxes):
    lines = [f"import {each}" for each in LIBRARY.split()]
    text = "\n".join([*lines, "def majority(size): return size + 1"])
    asked = Asked(exercise("4.1"), Source((("it", text),), "majority"), boxes)
    try:
        assert asked.answer()(3) == 4
    finally:
        asked.close()


def test_what_was_compiled_is_not_compiled_anew(boxes):
    """The library's compiled forms are used, though no date of a file can be asked for there."""
    compiles = "[__import__('sys').addaudithook(lambda n, _: n == 'compile' and SEEN.append(n))]"
    looks = (
        f"[SEEN := [], globals().update(SEEN=SEEN), {compiles}, __import__('fractions'), SEEN][4]"
    )
    assert said(boxes, looks) == ["[]"]


def test_kinds_are_those_that_work_here():
    assert {*KINDS} <= {"bubblewrap", "landlock"}
    assert KINDS or box.best_kind() is None
