"""Refusals as a lab shows them."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from raftlab import Cluster, Violation
from raftlab.lab.control_table import CONTROLS
from raftlab.lab.sentences import ADVISED, as_sentence
from tests.lab.clusters import hasty, working

REFUSED: dict[str, tuple[Callable[[], Cluster], Callable[[Cluster], object], str]] = {
    "down": (working, lambda each: (each.crash("S1"), each.pause("S1")), "Restart"),
    "paused": (working, lambda each: (each.pause("S1"), each.pause("S1")), "Resume"),
    "no learner": (working, lambda each: each.promote("S9"), "Add learner"),
    "no leader": (lambda: Cluster(3), lambda each: each.propose("x=1"), "Play"),
    "nobody to read from": (lambda: Cluster(3), lambda each: each.read("x"), "Play"),
    "broken": (lambda: broken(), lambda each: each.step(), "Back"),
}


def broken() -> Cluster:
    """A cluster that has broken a property."""
    cluster = hasty()
    with suppress(Violation):
        cluster.run(10_000)
    return cluster


@pytest.mark.parametrize(("cluster", "verb", "button"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_advises_to_press_a_button_and_not_to_write_python(cluster, verb, button):
    lab = cluster().lab()
    lab.do(verb)
    assert lab.trouble
    assert "cluster." not in lab.trouble
    assert f'"{button}"' in lab.trouble or not button


def test_what_is_advised_are_buttons_of_the_lab_and_verbs_of_a_cluster():
    assert {*ADVISED.values()} <= {each.label for each in CONTROLS.values()}
    assert all(callable(getattr(Cluster, verb)) for verb in ADVISED)


def test_a_run_stopped_in_the_middle_of_a_step_is_left_by_back():
    told = as_sentence("the run was interrupted in a step: go back with cluster.at(12)")
    assert told == 'The run was interrupted in a step: go back with "Back".'
