"""The log: where entries lie, what agrees with what, how it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.log import Command, Empty, LogEntry, RaftLog, Snapshot
from raftlab.raft.vocabulary import Configuration, Misuse
from tests.raft.world import entries, entry, log, terms_of

THREE = Configuration(("S1", "S2", "S3"))


def compacted(*terms: int, upto: int, term: int) -> RaftLog:
    """Entries of `terms` that follow a snapshot up to (`upto`, `term`)."""
    return RaftLog(entries(*terms, start=upto + 1), Snapshot(upto, term, THREE))


def trailing() -> RaftLog:
    """A snapshot up to entry 5, and entries 4 to 7 still held."""
    return RaftLog(entries(2, 2, 2, 3, start=4), Snapshot(5, 2, THREE))


log_terms = st.lists(st.integers(1, 6), max_size=12).map(sorted)


# Where entries lie


def test_indexes_are_counted_from_one():
    assert log(1, 1, 4)[1] == entry(1, 1)
    assert log(1, 1, 4)[3] == entry(3, 4)
    assert [each.index for each in log(1, 1, 4)] == [1, 2, 3]


@pytest.mark.parametrize("index", [0, -1, -3, 4, 100])
def test_an_index_outside_the_log_is_an_error_and_never_counts_from_the_end(index):
    with pytest.raises(IndexError, match="1 to 3"):
        log(1, 1, 4)[index]


def test_an_empty_log_stands_before_index_1():
    empty = RaftLog()
    assert (empty.last_index, empty.last_term, empty.next_index, empty.first_index) == (0, 0, 1, 1)
    assert (len(empty), empty.last_entry, empty.stable_index) == (0, None, 0)
    with pytest.raises(IndexError, match="no entries"):
        empty[1]


def test_a_log_knows_its_ends():
    held = log(1, 1, 4)
    assert (held.first_index, held.last_index, held.next_index, held.last_term) == (1, 3, 4, 4)
    assert held.last_entry == entry(3, 4)
    assert len(held) == 3


def test_a_log_whose_entries_are_all_in_the_snapshot_ends_where_it_does():
    held = compacted(upto=5, term=2)
    assert (held.first_index, held.last_index, held.next_index, held.last_term) == (6, 5, 6, 2)
    assert held.last_entry is None


def test_a_log_goes_on_after_its_snapshot():
    held = compacted(2, 3, upto=5, term=2)
    assert (held.first_index, held.last_index, held.last_term, len(held)) == (6, 7, 3, 2)
    assert held[7] == entry(7, 3)
    with pytest.raises(IndexError, match="6 to 7"):
        held[5]


@pytest.mark.parametrize(("index", "term"), [(0, 0), (1, 1), (2, 1), (3, 4), (4, None), (-1, None)])
def test_the_term_at_an_index_is_known_from_zero_to_the_end(index, term):
    assert log(1, 1, 4).term_for_index(index) == term


@pytest.mark.parametrize(("index", "term"), [(0, None), (4, None), (5, 2), (6, 3), (7, None)])
def test_below_a_snapshot_the_term_is_not_known(index, term):
    assert compacted(3, upto=5, term=2).term_for_index(index) == term


def test_entries_kept_below_a_snapshot_have_a_term():
    assert [trailing().term_for_index(index) for index in range(3, 9)] == [None, 2, 2, 2, 3, None]


@pytest.mark.parametrize(
    ("start", "stop", "indexes"),
    [
        (1, 4, [1, 2, 3]),
        (2, 3, [2]),
        (2, 99, [2, 3]),
        (0, 2, [1]),
        (-5, 0, []),
        (3, 3, []),
        (4, 9, []),
    ],
)
def test_a_slice_holds_what_is_there(start, stop, indexes):
    assert [each.index for each in log(1, 1, 4).entries(start, stop)] == indexes


def test_a_slice_after_a_snapshot_counts_from_the_same_one():
    held = compacted(2, 3, 3, upto=5, term=2)
    assert [each.index for each in held.entries(7, 9)] == [7, 8]
    assert [each.index for each in held.entries(1, 7)] == [6]
    assert held.entries(2, 5) == ()


def test_logs_are_equal_if_they_hold_the_same():
    assert log(1, 1) == log(1, 1)
    assert log(1, 1) != log(1, 2)
    assert log(1, 1) != [entry(1, 1), entry(2, 1)]
    assert compacted(2, upto=5, term=2) != RaftLog(entries(2, start=6), Snapshot(5, 1, THREE))


def test_a_log_changes_and_so_has_no_hash():
    with pytest.raises(TypeError):
        hash(log(1))


def test_a_log_shows_the_ends_of_its_entries():
    assert repr(RaftLog()) == "<RaftLog empty>"
    assert repr(log(1, 4)) == "<RaftLog 1:t1 2:t4>"
    assert repr(log(*[1] * 9)).startswith("<RaftLog … 2:t1")


# What it may be made of


@pytest.mark.parametrize(
    ("held", "snapshot", "complaint"),
    [
        (entries(1, start=2), None, "starts at 2 and leaves a hole after 0"),
        (entries(1, start=0), None, "starts at 0"),
        (entries(2, start=7), Snapshot(5, 2, THREE), "hole after 5"),
        ((entry(1, 1), entry(3, 1)), None, "entry 3 stands where entry 2 belongs"),
        ((entry(1, 1), entry(1, 1)), None, "entry 1 stands where entry 2 belongs"),
        (entries(2, 1), None, "entry 2 goes back from term 2 to 1"),
    ],
)
def test_a_log_with_a_hole_or_falling_terms_is_refused(held, snapshot, complaint):
    with pytest.raises(Misuse, match=complaint):
        RaftLog(held, snapshot)


@pytest.mark.parametrize(
    ("held", "snapshot"),
    [
        (entries(1, 1), Snapshot(5, 2, THREE)),
        (entries(1, start=6), Snapshot(5, 2, THREE)),
        (entries(1, 1, start=5), Snapshot(5, 2, THREE)),
    ],
    ids=["ends before the snapshot", "goes back after it", "contradicts it"],
)
def test_a_log_that_does_not_meet_its_snapshot_is_refused(held, snapshot):
    with pytest.raises(Misuse):
        RaftLog(held, snapshot)


def test_what_a_log_is_made_of_is_stable():
    assert log(1, 1, 4).stable_index == 3


def test_a_log_does_not_share_the_list_it_was_made_of():
    mine = list(entries(1, 1))
    held = RaftLog(mine)
    mine.clear()
    assert held.last_index == 2


# What agrees with what


@pytest.mark.parametrize(
    ("index", "term", "matches"),
    [
        (0, 0, True),
        (1, 1, True),
        (3, 4, True),
        (3, 1, False),
        (2, 4, False),
        (4, 4, False),
        (99, 4, False),
    ],
)
def test_a_log_matches_where_it_has_that_term(index, term, matches):
    assert log(1, 1, 4).match_term(index, term) is matches


def test_an_empty_log_matches_only_before_its_first_entry():
    assert RaftLog().match_term(0, 0)
    assert not RaftLog().match_term(1, 1)
    assert not RaftLog().match_term(7, 0)


def test_below_a_snapshot_everything_matches_because_it_is_committed():
    held = compacted(3, upto=5, term=2)
    assert held.match_term(3, 1)
    assert held.match_term(5, 2)
    assert not held.match_term(5, 1)
    assert held.match_term(6, 3)
    assert not held.match_term(7, 3)


@pytest.mark.parametrize(
    ("last_index", "last_term", "up_to_date"),
    [(3, 4, True), (4, 4, True), (2, 4, False), (1, 5, True), (99, 3, False), (0, 0, False)],
)
def test_the_later_last_term_is_newer_and_then_the_longer_log(last_index, last_term, up_to_date):
    assert log(1, 1, 4).is_up_to_date(last_index, last_term) is up_to_date


def test_any_log_is_up_to_date_with_an_empty_one():
    assert RaftLog().is_up_to_date(0, 0)


@given(log_terms, log_terms)
def test_of_two_logs_one_is_up_to_date_and_both_only_if_they_end_alike(one, other):
    first, second = log(*one), log(*other)
    there = first.is_up_to_date(second.last_index, second.last_term)
    back = second.is_up_to_date(first.last_index, first.last_term)
    assert there or back
    same = (first.last_index, first.last_term) == (second.last_index, second.last_term)
    assert (there and back) is same


@given(log_terms, st.integers(-3, 15), st.integers(-1, 8))
def test_the_search_for_a_term_finds_what_a_plain_walk_finds(terms, index, term):
    held = log(*terms)
    walk = [place for place, each in enumerate(terms, 1) if place <= index and each <= term]
    assert held.last_index_of_term_at_most(index, term) == max(walk, default=0)


@given(log_terms, st.integers(1, 9), st.integers(-3, 25), st.integers(-1, 8))
def test_the_search_after_a_snapshot_stops_just_before_the_first_entry(terms, upto, index, term):
    held = RaftLog(entries(*terms, start=upto + 1), Snapshot(upto, min(terms, default=1), THREE))
    walk = [each.index for each in held if each.index <= index and each.term <= term]
    expected = max(walk, default=min(upto, max(index, 0)))
    assert held.last_index_of_term_at_most(index, term) == expected


# How it changes


def test_a_leader_appends_at_the_end_in_its_own_term():
    held = log(1, 1)
    added = held.append_as_leader(4, Command(b"x"))
    assert added == LogEntry(4, 3, Command(b"x"))
    assert terms_of(held) == [1, 1, 4]


def test_what_a_leader_appends_is_not_stable_yet():
    held = log(1, 1)
    held.append_as_leader(1, Empty())
    assert (held.last_index, held.stable_index) == (3, 2)


def test_a_leader_never_appends_below_the_last_term():
    held = log(1, 4)
    with pytest.raises(Misuse, match="term 3 cannot follow one of term 4"):
        held.append_as_leader(3, Empty())
    assert held == log(1, 4)


def test_a_leader_never_appends_below_the_term_of_its_snapshot():
    with pytest.raises(Misuse, match="term 1 cannot follow one of term 2"):
        compacted(upto=5, term=2).append_as_leader(1, Empty())


def test_the_first_entry_after_a_snapshot_follows_it():
    held = compacted(upto=5, term=2)
    assert held.append_as_leader(2, Empty()).index == 6


def test_a_follower_appends_what_lies_beyond_its_end():
    held = log(1, 1)
    held.append_as_follower(entries(1, 1, 4))
    assert held == log(1, 1, 4)
    assert held.stable_index == 2


def test_a_follower_that_has_everything_appends_nothing():
    held = log(1, 1, 4)
    held.append_as_follower(entries(1, 1))
    assert held == log(1, 1, 4)


def test_a_follower_skips_what_its_snapshot_holds():
    held = compacted(2, upto=5, term=2)
    held.append_as_follower(entries(2, 2, 2, 2, start=4))
    assert [each.index for each in held] == [6, 7]


def test_a_follower_never_leaves_a_hole():
    held = log(1, 1)
    with pytest.raises(Misuse, match="entry 4 would leave a hole after 2"):
        held.append_as_follower(entries(1, start=4))
    assert held == log(1, 1)


@pytest.mark.parametrize(("index", "left"), [(1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_a_cut_removes_the_entry_and_all_after_it(index, left):
    held = log(1, 1, 4)
    held.truncate_uncommitted(index)
    assert (held.last_index, held.stable_index, len(held)) == (left, left, left)


def test_a_cut_above_what_is_stable_leaves_that_mark_alone():
    held = log(1, 1)
    held.append_as_follower(entries(1, 1, 2, 2))
    held.truncate_uncommitted(4)
    assert (held.last_index, held.stable_index) == (3, 2)


def test_a_cut_lowers_the_stable_index_so_that_what_follows_is_handed_out_anew():
    held = log(1, 1, 1)
    held.truncate_uncommitted(2)
    held.append_as_follower(entries(2, 2, start=2))
    assert (held.last_index, held.stable_index) == (3, 1)


@pytest.mark.parametrize("index", [0, -1])
def test_there_is_nothing_to_cut_before_the_log(index):
    with pytest.raises(Misuse):
        log(1, 1).truncate_uncommitted(index)


def test_what_is_in_the_snapshot_cannot_be_cut():
    held = trailing()
    with pytest.raises(Misuse, match="entry 5 is in the snapshot up to 5"):
        held.truncate_uncommitted(5)
    held.truncate_uncommitted(6)
    assert [each.index for each in held] == [4, 5]


def test_a_copy_holds_the_same_and_goes_its_own_way():
    held = compacted(2, 3, upto=5, term=2)
    held.append_as_leader(3, Empty())
    twin = held.copy()
    assert twin == held and twin.stable_index == held.stable_index == 7
    twin.truncate_uncommitted(7)
    held.append_as_leader(4, Empty())
    assert (twin.last_index, held.last_index) == (6, 9)
    assert (twin.stable_index, held.stable_index) == (6, 7)


# Compaction


@pytest.mark.parametrize(
    ("trailing_entries", "left"),
    [(0, [4, 5]), (1, [3, 4, 5]), (2, [2, 3, 4, 5]), (9, [1, 2, 3, 4, 5])],
)
def test_a_compacted_log_keeps_what_follows_and_as_many_trailing_entries_as_it_is_told(
    trailing_entries, left
):
    held = log(1, 1, 2, 2, 3)
    held.compact(Snapshot(3, 2, THREE), trailing_entries)
    assert [each.index for each in held] == left
    assert (held.first_index, held.last_index, held.next_index) == (left[0], 5, 6)
    assert held.snapshot == Snapshot(3, 2, THREE)
    assert held.term_for_index(3) == 2


def test_trailing_entries_that_are_gone_do_not_come_back():
    held = log(1, 1, 2, 2, 3)
    held.compact(Snapshot(3, 2, THREE))
    held.compact(Snapshot(4, 2, THREE), trailing=3)
    assert [each.index for each in held] == [4, 5]


def test_a_log_can_be_compacted_to_its_end_and_goes_on_from_there():
    held = log(1, 1, 2)
    held.compact(Snapshot(3, 2, THREE))
    assert (len(held), held.last_index, held.last_term) == (0, 3, 2)
    assert (held.first_index, held.next_index) == (4, 4)
    assert held.append_as_leader(5, Empty()).index == 4


@pytest.mark.parametrize("index", [-1, 0, 4, 5, 8, 10**30])
def test_a_snapshot_that_is_no_newer_or_past_the_end_is_refused_and_changes_nothing(index):
    held = trailing()
    twin = held.copy()
    with pytest.raises(Misuse, match=f"a snapshot up to {index} cannot stand for"):
        held.compact(Snapshot(index, 2, THREE))
    assert held == twin and held.first_index == twin.first_index


def test_compacting_leaves_what_is_stable_as_it_is():
    held = log(1, 1, 1)
    held.append_as_leader(1, Empty())
    held.compact(Snapshot(2, 1, THREE))
    assert held.stable_index == 3


def test_a_restored_log_holds_nothing_but_the_snapshot():
    held = log(1, 1, 1)
    held.restore(Snapshot(9, 4, THREE))
    assert (list(held), held.first_index, held.last_index, held.last_term) == ([], 10, 9, 4)
    assert held.stable_index == 9
    assert held.configuration_at(9) == THREE


def test_a_log_restored_below_its_end_has_lost_its_tail():
    held = log(1, 1, 1)
    held.restore(Snapshot(2, 3, THREE))
    assert (held.last_index, held.stable_index, held.term_for_index(3)) == (2, 2, None)


# Configurations


TWO, FOUR = Configuration(("S1", "S2")), Configuration(("S1", "S2", "S3", "S4"))


def changing() -> RaftLog:
    """Configurations at 2 and 5, commands elsewhere."""
    held = log(1)
    for payload in (TWO, Command(b"x"), Command(b"y"), FOUR, Command(b"z")):
        held.append_as_leader(1, payload)
    return held


@pytest.mark.parametrize(
    ("index", "found"), [(1, None), (2, TWO), (4, TWO), (5, FOUR), (6, FOUR), (99, FOUR)]
)
def test_the_configuration_at_an_index_is_the_newest_up_to_there(index, found):
    assert changing().configuration_at(index) == found


def test_a_log_without_a_configuration_says_nothing_of_it():
    assert log(1, 1).configuration_at(2) is None
    assert log(1, 1).configuration_index == 0


def test_a_cut_brings_the_configuration_before_back():
    held = changing()
    assert held.configuration_index == 5
    held.truncate_uncommitted(6)
    assert held.configuration_index == 5
    held.truncate_uncommitted(5)
    assert (held.configuration_index, held.configuration_at(9)) == (2, TWO)
    held.truncate_uncommitted(1)
    assert (held.configuration_index, held.configuration_at(9)) == (0, None)


@pytest.mark.parametrize("trailing_entries", [0, 9])
def test_a_snapshot_says_the_configuration_of_all_that_it_stands_for(trailing_entries):
    held = changing()
    held.compact(Snapshot(4, 1, TWO), trailing_entries)
    assert (held.configuration_index, held.configuration_at(4)) == (5, TWO)
    held.compact(Snapshot(6, 1, FOUR), trailing_entries)
    assert (held.configuration_index, held.configuration_at(6)) == (6, FOUR)


def test_a_log_that_is_read_back_finds_its_configurations():
    held = changing()
    assert RaftLog(held).configuration_index == 5
    later = RaftLog(held.entries(4, 7), Snapshot(5, 1, THREE))
    assert (later.configuration_index, later.configuration_at(6)) == (5, THREE)


def test_a_follower_notes_the_configurations_it_appends():
    held = log(1)
    held.append_as_follower((entry(1, 1), LogEntry(1, 2, TWO), LogEntry(1, 3, FOUR)))
    assert (held.configuration_index, held.configuration_at(2)) == (3, TWO)


def test_a_command_has_the_size_of_its_bytes_and_nothing_else_has_any():
    assert LogEntry(1, 1, Command(b"four")).size == 4
    assert LogEntry(1, 1, Empty()).size == LogEntry(1, 1, THREE).size == 0


@given(st.data())
def test_a_log_behaves_as_a_plain_list_does_wherever_it_starts(data):
    """As a list of payloads from index 1, of which compaction forgets the head."""
    held, naive, base = RaftLog(), [], 0
    for _ in range(data.draw(st.integers(1, 12))):
        what = data.draw(st.sampled_from(["append", "cut", "compact", "restore", "copy"]))
        if what == "append":
            payload = data.draw(st.sampled_from([Empty(), TWO, FOUR]))
            held.append_as_leader(1, payload)
            naive.append(payload)
        elif what == "cut" and base < len(naive):
            index = data.draw(st.integers(base + 1, len(naive)))
            held.truncate_uncommitted(index)
            del naive[index - 1 :]
        elif what == "compact" and base < len(naive):
            base = data.draw(st.integers(base + 1, len(naive)))
            held.compact(snapshot_of(naive, base), data.draw(st.integers(0, 3)))
        elif what == "restore":
            base += data.draw(st.integers(1, 3))
            naive = (naive + [Empty()] * base)[:base]
            held.restore(snapshot_of(naive, base))
        elif what == "copy":
            held = held.copy()
        first = held.first_index
        assert [each.payload for each in held] == naive[first - 1 :]
        assert first <= base + 1 and held.last_index == len(naive)
        for index in range(base, len(naive) + 1):
            assert held.configuration_at(index) == newest(naive[:index])
        assert RaftLog(held, held.snapshot).configuration_index == held.configuration_index


def newest(payloads: list) -> Configuration | None:
    """The last configuration among these."""
    return next((each for each in reversed(payloads) if isinstance(each, Configuration)), None)


def snapshot_of(payloads: list, index: int) -> Snapshot:
    """A snapshot that stands for the first of these, up to `index`."""
    return Snapshot(index, 1, newest(payloads[:index]))


@given(st.data())
def test_a_log_behaves_as_a_plain_list_does(data):
    held, naive, stable = RaftLog(), [], 0
    for _ in range(data.draw(st.integers(1, 10))):
        if data.draw(st.booleans()):
            held.append_as_leader(term := (naive[-1] if naive else 1), Empty())
            naive.append(term)
        else:
            index = data.draw(st.integers(1, len(naive) + 2))
            held.truncate_uncommitted(index)
            del naive[index - 1 :]
            stable = min(stable, len(naive))
        if data.draw(st.booleans()):
            held.stable_index = stable = held.last_index
        assert terms_of(held) == naive
        assert (held.last_index, held.stable_index) == (len(naive), stable)
        assert [each.index for each in held] == list(range(1, len(naive) + 1))


def test_a_log_whose_trailing_entries_reach_the_start_knows_what_is_before_them():
    held = Snapshot(2, 1, Configuration(("S1",)))
    whole = RaftLog(entries(1, 1, 2), held)
    assert whole.term_for_index(0) == 0
    compacted = RaftLog(entries(1, 1, 2))
    compacted.compact(held, trailing=2)
    assert [compacted.term_for_index(index) for index in range(4)] == [0, 1, 1, 2]


def test_all_trailing_entries_can_be_sent_for_the_term_before_them_is_remembered():
    held = RaftLog(entries(1, 2, 2, 3))
    held.compact(Snapshot(3, 2, Configuration(("S1",))), trailing=2)
    assert held.first_index == 2
    assert [held.term_for_index(index) for index in range(5)] == [None, 1, 2, 2, 3]
    assert held.copy().term_for_index(1) == 1


def test_a_log_shows_itself_as_a_picture_with_its_text():
    shown = log(1, 1, 2)._repr_mimebundle_(include=None)
    assert shown["text/plain"].startswith("A log of 3 entries that ends at 3 of term 2.")
    assert shown["image/svg+xml"].startswith("<svg")


@pytest.mark.parametrize(
    "cut",
    [
        lambda log: log.truncate_uncommitted(3),
        lambda log: log.compact(Snapshot(2, 1, THREE)),
        lambda log: log.restore(Snapshot(9, 3, THREE)),
    ],
)
def test_the_list_that_is_read_only_grows_and_a_cut_makes_another(cut):
    changing = log(1, 1, 2, 2)
    growing = changing.growing()
    changing.append_as_leader(2, Empty())
    held = list(growing)
    assert held == list(changing)
    cut(changing)
    assert growing == held != list(changing)
