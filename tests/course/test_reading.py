"""The package's own source, shown in a notebook."""

import pytest

from raftlab.course import show_source
from raftlab.raft import quorum
from raftlab.raft.roles import ROLE_AFTER
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster


def test_source_stands_under_its_name_and_its_place_in_the_package():
    first, blank, *code = repr(show_source(Rules.accepts_append)).split("\n")
    assert first == f"# raftlab/raft/rules.py: Rules.accepts_append, {len(code)} lines"
    assert blank == ""
    assert code[0].startswith("def accepts_append(self, log: RaftLog")
    assert code[-1] == "    return log.match_term(prev_log_index, prev_log_term)"


def test_a_class_a_module_a_property_and_an_instance_have_a_source():
    assert repr(show_source(Rules)).startswith("# raftlab/raft/rules.py: Rules, ")
    assert repr(show_source(Rules())) == repr(show_source(Rules))
    assert repr(show_source(quorum)).startswith("# raftlab/raft/quorum.py: raftlab.raft.quorum, ")
    assert "def leader(self)" in repr(show_source(Cluster.leader))


def test_the_source_of_a_learner_s_own_function_has_no_path():
    assert repr(
        show_source(test_a_class_a_module_a_property_and_an_instance_have_a_source)
    ).startswith("# this notebook: ")


def test_what_has_no_source_is_refused():
    with pytest.raises(TypeError):
        show_source(ROLE_AFTER)
