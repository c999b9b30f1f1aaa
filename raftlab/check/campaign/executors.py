"""Who runs the seeds of a campaign: this process, several processes, or a Dask cluster.

An executor takes a trial (from seeds to their results) and hands out results as they come, in any
order. A worker that dies loses nothing: what it was doing is done again, in the end one seed
at a time, until it is known which seed kills its worker.
"""

import os
import pickle
import signal
import socket
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, TypeAlias

from raftlab.check.campaign.trial import SeedResult
from raftlab.raft.vocabulary import Misuse, NotNow, shown

Seeds: TypeAlias = tuple[int, ...]
Results: TypeAlias = tuple[SeedResult, ...]
Trial: TypeAlias = Callable[[Seeds], Results]

CHUNK = 8  # a third of a second of work: worth sending, and soon done
MOST_DEATHS = 3
ANSWERS_WITHIN_S = 10.0
WORKS_WITHIN_S = 60.0
CLOSES_WITHIN_S = 2.0


def one_core(trial: Trial, seeds: Sequence[int]) -> Iterator[Results]:
    """One seed after the other, in this process."""
    for seed in seeds:
        yield trial((seed,))


def processes(
    trial: Trial, seeds: Sequence[int], cores: int, most: int = CHUNK
) -> Iterator[Results]:
    """Some seeds at a time, at `most` so many, on as many processes as `cores` says.

    Raises: Misuse, if the trial cannot be sent to another process.
    """
    trial = portable(trial)
    todo = chunks(seeds, cores, most)
    suspects: list[int] = []
    while todo:
        suspects += yield from _until_one_dies(trial, todo, cores)
    yield from _one_by_one(trial, suspects)


def core_count() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chunks(seeds: Sequence[int], workers: int, most: int = CHUNK) -> deque[Seeds]:
    """The seeds in parts of `most` so many, so that every worker gets some."""
    size = max(1, min(most, len(seeds) // (4 * max(1, workers))))
    return deque(tuple(seeds[place : place + size]) for place in range(0, len(seeds), size))


def killed(seed: int) -> SeedResult:
    """The result of a seed whose worker dies, whatever is done."""
    return SeedResult(seed, "killed", f"its process died {MOST_DEATHS} times")


# Processes


def _pool(workers: int) -> ProcessPoolExecutor:
    """Fresh processes: they share nothing with this one, so that no lock is left behind."""
    return ProcessPoolExecutor(workers, get_context("spawn"), _begin_as_worker)


def _begin_as_worker() -> None:
    """Ctrl-C is for the process that asked, which then stops the others; without it, they end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """However the process that asked has ended: a worker would wait for its next task for ever."""
    asked = parent_process()
    assert asked is not None
    asked.join()
    os._exit(1)


def _until_one_dies(
    trial: Trial, todo: deque[Seeds], workers: int
) -> Generator[Results, None, list[int]]:
    """Hand results out until all is done, or a worker dies; the seeds that were at work then."""
    at_work: dict[Future[Results], Seeds] = {}
    pool = _pool(workers)
    try:
        while todo or at_work:
            while todo and len(at_work) < 2 * workers:
                at_work[pool.submit(trial, todo[0])] = todo[0]
                todo.popleft()
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda each: each.exception() is not None):
                results = future.result()
                del at_work[future]
                yield results
    except BrokenProcessPool:
        return [seed for chunk in at_work.values() for seed in chunk]
    finally:
        pool.shutdown(cancel_futures=True)
    return []


def _one_by_one(trial: Trial, seeds: Sequence[int]) -> Iterator[Results]:
    """The seeds that were at work when a worker died, each alone with one worker."""
    todo, deaths = deque(seeds), Counter[int]()
    while todo:
        with _pool(1) as pool:
            _check_that_it_starts(pool)
            try:
                while todo:
                    results = pool.submit(trial, (todo[0],)).result()
                    todo.popleft()
                    yield results
            except BrokenProcessPool:
                deaths[todo[0]] += 1
        if todo and deaths[todo[0]] == MOST_DEATHS:
            yield (killed(todo.popleft()),)


def _check_that_it_starts(pool: ProcessPoolExecutor) -> None:
    """Raises: Misuse, if it is not the seeds that end the processes."""
    try:
        pool.submit(int).result()
    except BrokenProcessPool as error:
        raise Misuse(
            "No other process can start here: a script that uses several cores does its work"
            ' under `if __name__ == "__main__":`. Or use one core.'
        ) from error


# A Dask cluster


def dask_workers(
    trial: Trial, seeds: Sequence[int], scheduler: Any, most: int = CHUNK
) -> Iterator[Results]:
    """Some seeds at a time, at `most` so many, on the workers of a Dask scheduler.

    `scheduler` is its address, or a `Client`.

    What a dead worker was doing, the scheduler gives to another; a chunk that has killed too
    many of them is taken apart. A scheduler that is known by its address has some time to find
    a worker; that it has none is said on the standard error output.
    Raises: Misuse, if Dask is not installed; NotNow, if nobody answers, works, or answers any more.
    """
    dask = _dask()
    is_mine = isinstance(scheduler, str)
    client = _client(dask, scheduler) if is_mine else scheduler
    at_work: dict[str, tuple[Any, Seeds]] = {}
    try:
        yield from _on_workers(
            dask, client, trial, chunks(seeds, len(client.nthreads()), most), at_work
        )
        at_work.clear()
    except (CancelledError, dask.comm.CommClosedError) as error:
        at_work.clear()  # there is nobody left who could be told to stop
        raise NotNow(
            f"The Dask scheduler{_at(scheduler)} does not answer any more. What a file that is"
            " named with resume (--resume) has kept is not lost."
        ) from error
    finally:
        if at_work:
            client.cancel([future for future, _ in at_work.values()])
        if is_mine:
            client.close(timeout=CLOSES_WITHIN_S)


def _on_workers(
    dask: Any,
    client: Any,
    trial: Trial,
    todo: deque[Seeds],
    at_work: dict[str, tuple[Any, Seeds]],
) -> Iterator[Results]:
    finished = dask.as_completed(loop=client.loop)
    while todo or at_work:
        while todo and len(at_work) < 2 * max(1, sum(client.nthreads().values())):
            future = client.submit(trial, todo[0], pure=False)
            at_work[future.key] = (future, todo.popleft())
            finished.add(future)
        if not client.nthreads():
            _wait_for_a_worker(client)
        future = next(finished)
        _, chunk = at_work.pop(future.key)
        try:
            yield future.result()
        except dask.KilledWorker:
            if len(chunk) == 1:
                yield (killed(chunk[0]),)
            todo.extend((seed,) for seed in chunk if len(chunk) > 1)


def _wait_for_a_worker(client: Any) -> None:
    """Raises: NotNow, if none comes in time."""
    address = client.scheduler.address
    print(
        f"raftlab: The Dask scheduler at {address} has no workers; waiting"
        f" {WORKS_WITHIN_S:g} s for one.",
        file=sys.stderr,
        flush=True,
    )
    try:
        client.wait_for_workers(1, timeout=WORKS_WITHIN_S)
    except TimeoutError:
        raise NotNow(
            f"The Dask scheduler at {address} has no workers: start one with"
            f" `dask worker {address}`."
        ) from None


def _at(scheduler: object) -> str:
    return f" at {scheduler}" if isinstance(scheduler, str) else ""


def _dask() -> Any:
    try:
        return import_module("distributed")
    except ImportError as error:
        raise Misuse("A Dask cluster needs: pip install 'raftlab[cluster]'.") from error


def _client(dask: Any, address: str) -> Any:
    """A client of the scheduler. Raises: Misuse, for no address; NotNow, if nobody answers."""
    said = shown(address)
    try:
        scheme, place = dask.comm.parse_address(address)
        dask.comm.registry.get_backend(scheme)
        host, port = (None, None) if scheme == "inproc" else dask.comm.parse_host_port(place)
    except ValueError:
        raise Misuse(
            f"{said} is no address of a Dask scheduler: write it like tcp://host:8786"
        ) from None
    try:
        if port is not None:  # ask quietly first: a client that has failed goes on for a while
            socket.create_connection((host, port), ANSWERS_WITHIN_S).close()
        return dask.Client(address, set_as_default=False, timeout=ANSWERS_WITHIN_S)
    except (OSError, ValueError, OverflowError) as error:
        raise NotNow(f"No Dask scheduler answers at {said}: {error}") from error


# What can be sent


class _Packed:
    """A trial with classes that only this process knows, packed with their code."""

    def __init__(self, packed: bytes) -> None:
        self.packed = packed

    def __call__(self, seeds: Seeds) -> Results:
        trial: Trial = pickle.loads(self.packed)
        return trial(seeds)


def portable(trial: Trial) -> Trial:
    """The trial as another process can take it: classes of a notebook go with their code.

    Raises: Misuse, if that takes cloudpickle and it is not installed.
    """
    try:
        if b"__main__" not in pickle.dumps(trial):
            return trial
    except (pickle.PicklingError, AttributeError, TypeError):
        pass
    try:
        cloudpickle: Any = import_module("cloudpickle")
    except ImportError as error:
        raise Misuse(
            "Other processes cannot see what was defined here: put the rules or the machine in"
            " a file and import them, or install cloudpickle, or use one core."
        ) from error
    return _Packed(cloudpickle.dumps(trial))
