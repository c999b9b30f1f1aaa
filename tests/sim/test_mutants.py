"""Every mutant is killed by the property it breaks, in a run that the correct rules survive.

The mutants are the exhibits of the museum (`raftlab/museum/`).
"""

import pytest

from raftlab import PROPERTIES, Violation
from raftlab.museum import EXHIBITS, Exhibit

UNSAFE = tuple(each for each in EXHIBITS if each.breaks)
STUCK = tuple(each for each in EXHIBITS if not each.breaks)

seeds = pytest.mark.parametrize("seed", [1, 2, 3])  # what is shown does not hang on luck


@pytest.mark.parametrize("mutant", UNSAFE, ids=lambda mutant: mutant.name)
@seeds
def test_an_unsafe_mutant_breaks_its_property(mutant: Exhibit, seed: int):
    cluster = mutant.cluster(seed=seed)
    with pytest.raises(Violation) as caught:
        mutant.run(cluster)
    assert caught.value.frame.name == mutant.breaks.name
    assert cluster.frame().violation == caught.value.frame


@pytest.mark.parametrize("mutant", UNSAFE, ids=lambda mutant: mutant.name)
@seeds
def test_the_same_run_under_the_correct_rules_breaks_nothing(mutant: Exhibit, seed: int):
    cluster = mutant.cluster(wrong=False, seed=seed)
    mutant.run(cluster)
    assert cluster.violation is None
    assert not cluster.engine.world.alarms


@pytest.mark.parametrize("mutant", STUCK, ids=lambda mutant: mutant.name)
@seeds
def test_a_stuck_mutant_breaks_nothing_and_gets_nowhere(mutant: Exhibit, seed: int):
    cluster = mutant.cluster(seed=seed)
    assert mutant.run(cluster) is False
    assert cluster.violation is None


@pytest.mark.parametrize("mutant", STUCK, ids=lambda mutant: mutant.name)
@seeds
def test_the_correct_rules_get_there_in_the_same_run(mutant: Exhibit, seed: int):
    assert mutant.run(mutant.cluster(wrong=False, seed=seed)) is True


@pytest.mark.parametrize("mutant", EXHIBITS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_one_mistake_with_a_source(mutant: Exhibit):
    assert len(mutant.wrong) == 1
    assert mutant.source
    assert mutant.mistake.endswith(".")
    assert mutant.run.__doc__
    assert mutant.breaks is None or mutant.breaks in PROPERTIES


def test_every_property_has_a_mutant_that_breaks_it():
    odd = {mutant.breaks.name for mutant in UNSAFE} ^ {each.name for each in PROPERTIES}
    assert not odd, f"raftlab/museum/ wants an exhibit with breaks= this property: {odd}"


def test_no_two_mutants_have_one_name():
    assert len({mutant.name for mutant in EXHIBITS}) == len(EXHIBITS)
