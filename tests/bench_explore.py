"""What the exhaustive search costs: states a second, bytes a state, and the museum's mistakes.

python -m tests.bench_explore
"""

import gc
import tracemalloc

from raftlab.check.explore import Scope, explore
from raftlab.museum import exhibit
from raftlab.museum.searched import SCOPES, searched

STATES = 200_000
SCOPE = Scope(terms=2, entries=2, in_flight=5)


def states_per_second(symmetry: bool) -> float:
    """Distinct states a second, of three nodes."""
    found = explore(3, SCOPE, symmetry=symmetry, states=STATES, memory_mb=None)
    return found.states / found.seconds


def bytes_per_state(states: int = STATES) -> float:
    """All that a search holds when it stands, by state: hashes, what waits, what is worked out."""
    gc.collect()
    tracemalloc.start()
    found = explore(3, SCOPE, symmetry=False, states=states, memory_mb=None)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / found.states


def measure() -> None:
    """Print it all."""
    print(f"{states_per_second(False):,.0f} states/s, {states_per_second(True):,.0f} up to names")
    print(f"{bytes_per_state():,.0f} bytes a state")
    print(f"{'exhibit':24} {'falls':22} {'states':>9} {'events':>7} {'seconds':>8}")
    for name in SCOPES:
        found = searched(exhibit(name))
        assert found is not None
        falls = found.violation[0] if found.violation else "nothing"
        events = found.events if found.events is not None else 0
        print(f"{name:24} {falls:22} {found.states:9,} {events:7} {found.seconds:8.1f}")


if __name__ == "__main__":
    measure()
