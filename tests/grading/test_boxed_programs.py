"""What is harmless in a program works in a box, and is the same each time; the rest is refused."""

import subprocess

import pytest

import raftlab as rl
from raftlab.grading.batch import own_machine
from raftlab.grading.box import Boxes
from raftlab.grading.machines.boxed import BoxedProcess
from raftlab.grading.machines.programs import reference
from raftlab.grading.release import texts
from raftlab.grading.waited import Waited
from tests.grading.test_box import KINDS


@pytest.fixture(scope="module", params=KINDS)
def boxes(request):
    made = Boxes(request.param)
    yield made
    made.close()


LOOP = "    for text in sys.stdin:\n"
HANDLED = """
servers = {}
def handle(text):
    line = json.loads(text)
    if line["do"] == "start":
        server = servers[line["node"]] = Raft(line)
        server.reply["offers"] = ["campaign"]
    else:
        server = servers[line["node"]]
        server.now = line["now"]
        getattr(server, f"on_{line['do']}")(line)
    return json.dumps(server.take_reply())
"""
LOOPS = {
    "select": """
import os, select
buffer = b""
while True:
    ready, _, _ = select.select([0], [], [], 0.05)
    if not ready:
        continue
    data = os.read(0, 65536)
    if not data:
        break
    *lines, buffer = (buffer + data).split(b"\\n")
    for text in lines:
        os.write(1, handle(text).encode() + b"\\n")
""",
    "poll": """
import select
poll = select.poll()
poll.register(sys.stdin, select.POLLIN)
while poll.poll() and (text := sys.stdin.readline()):
    print(handle(text), flush=True)
""",
    "selectors": """
import selectors
chooser = selectors.DefaultSelector()
chooser.register(sys.stdin, selectors.EVENT_READ)
while chooser.select() and (text := sys.stdin.readline()):
    print(handle(text), flush=True)
""",
    "asyncio": """
import asyncio
async def main():
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async def beat():
        while True:
            await asyncio.sleep(0.05)
    beats = asyncio.create_task(beat())
    async for text in reader:
        await asyncio.sleep(0.01)
        await asyncio.wait_for(asyncio.sleep(0), 1)
        print(handle(text), flush=True)
    beats.cancel()
asyncio.run(main())
""",
    "sleep": """
import time
for text in sys.stdin:
    time.sleep(1000)
    print(handle(text), flush=True)
""",
    "files": """
import logging, os, pathlib, platform, tempfile
os.makedirs("logs/deep", exist_ok=True)
logging.basicConfig(filename="logs/raft.log", level=logging.DEBUG)
nowhere = open(os.devnull, "w")
for text in sys.stdin:
    logging.info("%s", text * 100)
    print(os.getcwd(), pathlib.Path.cwd(), platform.node(), os.uname(), file=nowhere)
    with tempfile.TemporaryFile("w+") as file:
        file.write(text)
        file.seek(0)
        text = file.read()
    print(handle(text), flush=True)
""",
}


@pytest.mark.parametrize("what", LOOPS)
def test_a_program_may_read_its_lines_as_it_likes(what, boxes, tmp_path):
    program = reference("M4").partition("def answer_lines")[0] + HANDLED + LOOPS[what]
    machine = BoxedProcess(program, boxes, tmp_path / "own", Waited())
    cluster = rl.Cluster(3, seed=1, machine=machine)
    try:
        leader = cluster.elect()
        cluster.propose("x=1")
        cluster.run(300)
        cluster.crash(leader)
        cluster.run(1000)
        assert cluster.elect() != leader
        assert cluster.commit_index > 1
        assert cluster.recording.ask_again(machine).is_same
    finally:
        machine.end()


def said(program, boxes, folder):
    """What a program prints in a box, and its last words."""
    machine = BoxedProcess(program, boxes, folder, Waited())
    done = subprocess.run(machine.command, input=b"", capture_output=True, timeout=60)
    return done.stdout.decode(), done.stderr.decode()


CHANCE = """
import os, random, secrets, tempfile, time, uuid
from datetime import datetime
print(os.urandom(4), secrets.token_hex(), uuid.uuid4(), random.random(), random.Random().random())
before = time.monotonic(), datetime.now()
time.sleep(2.5)
print(time.monotonic() - before[0], datetime.now() - before[1], before)
print(os.getpid(), os.getcwd(), os.uname(), tempfile.gettempdir(), os.path.exists("/dev/null"))
"""


def test_what_differs_elsewhere_is_the_same_here(boxes, tmp_path):
    first, _ = said(CHANCE, boxes, tmp_path / "one")
    again, _ = said(CHANCE, boxes, tmp_path / "two")
    assert first == again
    assert "\n2.5 0:00:02.500000 (1000000000.0, " in first


REFUSED = {
    "a thread": "import threading\nthreading.Thread(target=print).start()",
    "an executor": "import concurrent.futures as f\nf.ThreadPoolExecutor().submit(print)",
    "a program": "import subprocess\nsubprocess.run(['true'])",
    "a signal later": "import signal\nsignal.setitimer(0, 1)",
    "another file": "open('/etc/passwd')",
    "a file that was written": "open('/tmp/a', 'w').write('x')\nopen('/tmp/a')",
    "a user": "import getpass\ngetpass.getuser()",
    "a socket": "import socket\nsocket.socket()",
    "ctypes": "import ctypes",
    "ctypes, forgotten": "import sys\ndel sys.modules['ctypes']\nimport ctypes",
    "tests of Python": "import _testcapi",
    "a limit": "import resource\nresource.getrlimit(7)",
    "another library": "import numpy",
    "raftlab": "import raftlab.raft.rules",
    "to wait for ever": "import select\nselect.select([], [], [])",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_ends_a_program_and_is_told(what, boxes, tmp_path):
    lines = REFUSED[what].count("\n") + 1
    out, words = said(REFUSED[what] + "\nprint('reached')", boxes, tmp_path / "own")
    assert out == ""
    assert words.endswith(f" in line {lines}\n")


UNLOADED = """
import _imp, _json
from importlib.machinery import ModuleSpec
file = _json.__file__.replace("_json", "_ctypes")
_imp.create_dynamic(ModuleSpec("_ctypes", None, origin=file))
print("reached")
"""


def test_what_reads_memory_is_unloaded_in_a_program_too(boxes, tmp_path):
    assert "reached" not in said(UNLOADED, boxes, tmp_path / "own")[0]


ENDS = """
import atexit, gc, sys
atexit.register(print, "at the end")
written = open(1, "w", closefd=False)
written.write("written ")
gc.collect()
print("printed", end=" ")
class Kept:
    def __del__(self):
        gc.collect()
kept = Kept()
%s
"""


@pytest.mark.parametrize("last", ["", "sys.exit(3)", "sys.stdout.close()"])
def test_a_program_ends_as_a_python_does(last, boxes, tmp_path):
    machine = BoxedProcess(ENDS % last, boxes, tmp_path / "own", Waited())
    done = subprocess.run(machine.command, input=b"", capture_output=True, timeout=60)
    assert done.returncode == 0
    words = {*done.stdout.decode().split()}
    assert words >= {"written", "printed"}
    assert ("end" in words) == (last != "sys.stdout.close()")


WAITS = """
import logging, os, queue, threading, time
class Own:
    clock, draw, pause = time.perf_counter, os.urandom, time.sleep
own = Own()
own.pause(1)
before = own.clock()
lock = threading.Lock()
print(lock.acquire(timeout=1), lock.acquire(timeout=1), threading.Event().wait(0.5))
try:
    queue.Queue().get(timeout=1)
except queue.Empty:
    print("empty", own.clock() - before, len(own.draw(3)))
record = logging.LogRecord("it", 30, "it", 1, "said", (), None)
print(logging.Formatter("%(asctime)s %(message)s").format(record))
"""
WAITED = "True False False\nempty 1.5 3\n2001-09-09 01:46:42,500 said\n"


def test_a_wait_with_an_end_is_over_at_once_and_clocks_may_be_kept_in_a_class(boxes, tmp_path):
    assert said(WAITS, boxes, tmp_path / "own") == (WAITED, "")


FILES = """
import os, pathlib, shutil, tempfile
with open("log.tmp", "a") as file:
    file.write("x")
    file.flush()
    os.fsync(file.fileno())
os.replace("log.tmp", "log")
os.rename("log", "log.1")
os.utime("log.1")
os.remove("log.1")
pathlib.Path("empty").touch()
pathlib.Path("new").touch(exist_ok=False)
pathlib.Path("empty").unlink()
os.makedirs("logs/deep", exist_ok=True)
os.rmdir("logs")
shutil.rmtree("logs", ignore_errors=True)
for mode in ("w+b", "w"):
    with tempfile.NamedTemporaryFile(mode, suffix=".json") as file:
        print(pathlib.Path(file.name).suffix, os.path.dirname(file.name))
"""


def test_what_is_done_with_files_does_nothing(boxes, tmp_path):
    assert said(FILES, boxes, tmp_path / "own") == (".json /tmp\n" * 2, "")


def test_ones_own_points_are_those_of_a_box_where_there_is_one(monkeypatch, tmp_path):
    kinds = []
    monkeypatch.setattr(own_machine, "mark_of_machine", lambda judge, *_: judge)
    monkeypatch.setattr(own_machine, "MachineJudge", lambda boxes, _: kinds.append(boxes.kind))
    (tmp_path / "machine.py").write_text("")
    own_machine.marked("M4", str(tmp_path / "machine.py"))
    monkeypatch.setattr(own_machine, "best_kind", lambda: None)
    own_machine.marked("M4", str(tmp_path / "machine.py"))
    assert kinds == [KINDS[0] if KINDS else "no box", "no box"]


def test_students_are_told_what_is_refused():
    for word in ("threads", "select", "asyncio", "sleep", "uuid", "files", "ctypes"):
        assert word in texts.MACHINE
