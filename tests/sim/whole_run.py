"""A whole random run, judged at its end."""

from typing import Any

from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun


def random_run(seed: int, **given: Any) -> RandomRun:
    """Trouble, then peace, as `seed` has it; `given` as in `start`.

    Raises: AssertionError, with the seed and the last events, if anything is wrong.
    """
    run = start(seed, **given)
    try:
        inject_faults(run)
        heal_and_converge(run)
        wrong = complaint(run)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{run}") from error
    if wrong is not None:
        raise AssertionError(f"{wrong.text}\n{run}")
    return run
