"""Numbers: what a simulated message, a picture and an import cost. Run with `make bench`.

Each figure is the median of several runs of processor time, beside a bare heapq loop and
a SimPy loop with the same number of events in the same run: absolute times drift on
shared machines, ratios do not. The garbage collector runs, as it does for every reader.
"""

import heapq
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import simpy

import raftlab as rl
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.digest import digest_of
from raftlab.sim.run.play import SPACING
from raftlab.view import describe_frame, scene_frame

RUNS = 7
COMMAND_EVERY_MS = 50.0
BETWEEN_FRAMES_MS = 5.0
FIRST_PICTURE = "import raftlab; raftlab.Cluster(5)._repr_mimebundle_()"


def median_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The median processor time of `runs` calls, in seconds."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def milliseconds(work: Callable[[], object], runs: int = RUNS) -> str:
    """The median processor time of `runs` calls, in words."""
    return f"{median_seconds(work, runs) * 1e3:.2f} ms"


def busy_cluster(nodes: int, entries: int = 0, **settings: Any) -> Cluster:
    """A cluster with a leader and `entries` committed entries behind it."""
    cluster = rl.Cluster(nodes, seed=1, **settings)
    cluster.elect()
    while cluster.commit_index < entries:
        for _ in range(500):
            cluster.propose("x=1")
        cluster.run(200)
    return cluster.run(500)


def microseconds_per_message(cluster: Cluster, messages: int = 4000, runs: int = RUNS) -> float:
    """Median cost of one message, delivered and handled, with a command every 50 ms."""
    costs = []
    for _ in range(runs):
        before, start = cluster.engine.world.network.sent, time.process_time()
        while cluster.engine.world.network.sent - before < messages:
            cluster.propose("x=1")
            cluster.run(COMMAND_EVERY_MS)
        spent = time.process_time() - start
        costs.append(spent / (cluster.engine.world.network.sent - before) * 1e6)
    return statistics.median(costs)


def heapq_loop(events: int) -> None:
    """The floor: pop the earliest of 30 events and push the next."""
    heap = [(float(n), n, None) for n in range(30)]
    for count in range(30, events):
        now, _, thing = heapq.heappop(heap)
        heapq.heappush(heap, (now + 7.3, count, thing))


def simpy_loop(events: int) -> None:
    """SimPy waking 30 processes in turn: one event each time."""

    def process(env: simpy.Environment) -> Iterator[simpy.Event]:
        while True:
            yield env.timeout(7.3)

    env = simpy.Environment()
    for _ in range(30):
        env.process(process(env))
    env.run(until=7.3 * events / 30)


def start_seconds(code: str) -> float:
    """Median wall time of `code` in a fresh interpreter, less a bare start.

    What it imports is compiled once before that, as an installed package is.
    """
    with TemporaryDirectory() as compiled:
        surroundings = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}

        def start(code: str) -> float:
            times = []
            for _ in range(RUNS):
                began = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-c", code], check=True, env=os.environ | surroundings
                )
                times.append(time.perf_counter() - began)
            return statistics.median(times[1:])

        return start(code) - start("pass")


def row(what: str, value: str, budget: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<66} {value:>14}   {budget}", flush=True)


def messages() -> None:
    """What one message costs, and how that grows."""
    floor = median_seconds(lambda: heapq_loop(100_000)) / 100_000 * 1e6
    simulated = median_seconds(lambda: simpy_loop(100_000)) / 100_000 * 1e6
    row("bare heapq loop, per event", f"{floor:.2f} us")
    row("SimPy timeout loop, per event", f"{simulated:.2f} us")
    at_once = rl.Disks(write_ms=0)
    settings: list[tuple[str, dict[str, object], str]] = [
        ("not watched, disk at once", {"watched": False, "disks": at_once}, "<= 7 us"),
        ("not watched, disk 1 ms (default)", {"watched": False}, ""),
        ("watched, disk at once", {"disks": at_once}, "<= 10 us"),
        ("watched, disk 1 ms (default)", {}, ""),
    ]
    for what, given, budget in settings:
        cost = microseconds_per_message(busy_cluster(5, **given))
        ratio = f"{budget} ({cost / floor:.0f}x heapq)"
        row(f"one message, 5 nodes, {what}", f"{cost:.2f} us", ratio)
    growth("nodes", {n: busy_cluster(n) for n in (3, 5, 11, 51)})
    growth("entries", {n: busy_cluster(5, entries=n) for n in (100, 10_000, 100_000)})


def growth(unit: str, clusters: dict[int, Cluster]) -> None:
    """How the cost of a message grows; the budget is 1.5x from first to last."""
    costs = {n: microseconds_per_message(each, runs=3) for n, each in clusters.items()}
    first = next(iter(costs.values()))
    for n, cost in costs.items():
        ratio = f"{cost / first:.2f}x (<= 1.5x)"
        row(f"one message, watched, {n} {unit}", f"{cost:.2f} us", ratio)


def recordings() -> None:
    """Size of a recording, and how long a moment of it takes to reach."""
    cluster = rl.Cluster(5, seed=1)
    while cluster.number < 100_000:
        cluster.elect()
        cluster.propose("x=1")
        cluster.run(COMMAND_EVERY_MS)
    recording = cluster.recording
    size = len(recording.encode()) / len(recording)
    row("recording, bytes per action as JSON", f"{size:.0f}", "<= 300")
    text = recording.share()
    row("the whole run as a text to share", f"{len(text):,} letters")
    row("opening that text", milliseconds(lambda: rl.load(text), 1))
    played: list[Cluster] = []
    row("playing it", milliseconds(lambda: played.append(rl.load(text).replay()), 1))
    for what, run in (("live", cluster), ("opened", played[0])):
        looks(f"a run of 100,000 actions, {what}", run)


def looks(what: str, run: Cluster) -> None:
    """How long it takes to look at moments of a run: first at one that is far from any copy."""
    far = run.number // SPACING * SPACING - 1
    first = milliseconds(lambda: run.at(far).frame(), 1)
    row(f"{what}: the first look, far from a copy", first, "<= 50 ms")
    rng = random.Random(1)
    later = milliseconds(lambda: run.at(rng.randint(0, run.number)).frame(), 51)
    row(f"{what}: any look after that", later, "<= 50 ms")


def keeping() -> None:
    """What it costs to keep a run and to pass it on: one made by hand, and a longer one."""
    for what, actions in (("a hand session", 110), ("10,000 actions", 10_000)):
        cluster = busy_cluster(5)
        while cluster.number < actions:
            cluster.propose("x=1")
            cluster.run(COMMAND_EVERY_MS)
        recording = cluster.at(actions).recording
        row(f"{what}: recording, with its digest", milliseconds(lambda c=cluster: c.recording))
        row(f"{what}: its digest alone", milliseconds(lambda c=cluster: digest_of(c.engine)))
        row(f"{what}: share", milliseconds(recording.share), f"{len(recording.share()):,} letters")


def pictures() -> None:
    """What a picture costs."""
    for entries in (20, 10_000, 100_000):
        cluster, logs = busy_cluster(5, entries=entries), f"{entries:,} entries each"
        row(f"frame of 5 nodes, {logs}", milliseconds(cluster.frame), "<= 0.5 ms")
        row(f"5 nodes as SVG, {logs}", drawn(cluster, svg_of), "<= 2 ms")
        row(f"5 nodes as text, {logs}", drawn(cluster, describe_frame), "<= 2 ms")
    row("51 nodes as SVG", drawn(busy_cluster(51, entries=20), svg_of), "<= 10 ms")
    few = busy_cluster(5, entries=20)
    plot(few.frame())
    row("5 nodes through matplotlib", drawn(few, plot), "<= 80 ms")


def drawn(cluster: Cluster, draw: Callable[[rl.Frame], object]) -> str:
    """What `draw` takes for one frame after the other, as they come: none is drawn twice."""
    frames = []
    for _ in range(RUNS):
        cluster.propose("x=1")
        frames.append(cluster.run(BETWEEN_FRAMES_MS).frame())
    coming = iter(frames)
    return milliseconds(lambda: draw(next(coming)))


def svg_of(frame: rl.Frame) -> str:
    """The cluster and its logs as SVG."""
    return scene_frame(frame).svg


def plot(frame: rl.Frame) -> None:
    """Plot a frame and close the figure."""
    from matplotlib import pyplot

    axes = scene_frame(frame).plot()
    axes.figure.canvas.draw()
    pyplot.close(axes.figure)


def main() -> None:
    """Print the whole table."""
    row("what", "median", "budget")
    messages()
    recordings()
    keeping()
    pictures()
    row("import raftlab", f"{start_seconds('import raftlab'):.3f} s", "<= 0.15 s")
    row("import to first picture", f"{start_seconds(FIRST_PICTURE):.3f} s", "<= 0.3 s")


if __name__ == "__main__":
    main()
