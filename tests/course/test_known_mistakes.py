"""A wrong answer is refused by the name of its mistake, if it has one; its run can be opened."""

from functools import cache, partial, partialmethod
from types import FunctionType

import pytest

from raftlab.course import exercise
from raftlab.course.exercises.run_button import RunButton
from raftlab.lab.widget_factory import belonging
from raftlab.museum import exhibit
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotNow
from tests.course import answers, near_answers
from tests.course.answers import rules

NUMBERS = [each.number for each in exercise]
WRONG = {
    number: [*answers.WRONG[number], *near_answers.WRONG.get(number, [])] for number in NUMBERS
}
MISTAKES = [(each.number, place) for each in exercise for place in range(len(each.mistakes))]

NAMES = {
    "0.1": [
        "this takes the first leader that it finds",
        "",
        "",
        "",
        "this takes the highest term, whoever is in it: a candidate, too",
        "",
    ],
    "0.2": [
        "this lets the first command for a name win",
        "",
        "",
        "",
        "this carries out the last command only",
        "",
    ],
    "1.1": [
        "this accepts everything",
        "this asks for an entry, and not for its term",
        "this asks for the end of the follower's log, which may be longer",
        "",
        "this takes an entry of a later term, too: only that very entry will do",
        "",
        "this never lets the first entry in",
        "",
        "",
        "",
    ],
    "1.2": [
        "this cuts off whatever follows prev_log_index",
        "this cuts off what lies behind the message: a late, shorter one then removes entries",
        "this looks at the first new entry only",
        "",
        "",
        "",
        "this never cuts",
        "",
        "",
    ],
    "1.3": [
        "this acknowledges the end of the log, and not of what was sent",
        "this cuts whatever follows, conflict or not",
        "this does not compare the term before the new entries",
        "this never cuts",
        "a heartbeat is special here: a message without entries is checked and answered "
        "like any other",
        "",
        "",
        "",
        "this cuts whatever follows, conflict or not",
        "",
        "a heartbeat acknowledges the end of the log here, and it asks about one entry",
        "",
    ],
    "2.1": [
        "this makes a server step down in its own term: a leader, too",
        "this lets a server go back in term",
        "this adopts the next term only: who missed two terms never catches up",
        "this never adopts a term",
        "",
    ],
    "2.2": [
        "this candidate never stands for election again after a split vote",
        "this candidate goes on against the leader of its own term",
        "this leader hears of a higher term, and nothing happens",
        "this leader yields to a second leader of its term: there is none",
        "this follower leads without having asked for votes",
        "",
        "",
        "this candidate gives up when its timer runs out, and waits once more",
        "",
        "this leader yields to a second leader of its term: there is none",
        "this follower leads without having asked for votes",
        "",
        "this leader does not step down in a higher term",
        "",
    ],
    "2.3": [
        "this lets any request reset the timer",
        "this never resets the timer",
        "this stands against the candidate that it has just voted for",
        "this asks for both at once, which hardly ever happens",
        "",
    ],
    "3.1": [
        "this lets the longer log win",
        "this forgets the lengths: of two logs that end in one term the shorter may win",
        "this refuses a log that is equal to its own: with equal logs nobody can win",
        "this compares the lengths first, and lets the longer log win",
        "this does not compare the logs (request.term is above all that is in them)",
        "this does not compare the logs (request.term is above all that is in them)",
        "this wants both, a later term and a longer log: often nobody has both",
        "this lets a longer log win, too, whatever term it ends in",
        "this does not compare the logs (request.term is above all that is in them)",
    ],
    "3.2": [
        "this refuses the candidate that it has voted for: a lost answer loses the vote",
        "this votes for whoever asks",
        "this forgets its vote while it knows no leader",
        "this votes for nobody new: no candidate gets a second vote",
        "",
        "this forgets its vote while it knows no leader",
        "",
        "",
        "this refuses the candidate that it has voted for: a lost answer loses the vote",
    ],
    "3.3": [
        "the vote of the last term is not given back",
        "the vote is given, and not saved: after a crash it is given again",
        "the new term is not saved: after a crash the server is back in the old one",
        "the logs are not compared",
        "a server that refuses does not adopt the later term",
        "requests of an earlier term are granted",
        "",
        "",
        "",
        "a vote of an earlier term is kept where the new one is refused",
        "who has voted never votes again, even for the same candidate: a lost answer "
        "loses the vote",
        "the longer log wins here",
        "the lengths are compared first, and the longer log wins",
        "the lengths are forgotten: of two logs that end in one term the shorter may win",
    ],
    "4.1": [
        "half is taken for a majority",
        "",
        "",
        "",
        "half is taken for a majority",
        "two thirds are more than is needed",
    ],
    "4.2": [
        "a majority of those that have answered is taken for a majority of all",
        "half of the votes win",
        "this never gives an election up",
        "this waits for a majority of refusals: with an even number, half is enough to lose",
        "",
        "this waits for every answer: a server that is down never gives one",
        "this gives an election up while it is open",
        "",
        "",
        "this gives up only when everybody has answered: a server that is down never does",
    ],
    "4.3": [
        "this counts the votes of earlier terms",
        "this counts the votes of earlier terms",
        "this counts answers of later terms, which the machine has dealt with before",
        "this counts the votes of the last term, too",
        "this counts no answer at all",
    ],
    "5.1": [
        "everybody waits equally long",
        "everybody waits equally long",
        "there are only two times: of three servers two wait equally long",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
    ],
    "5.2": [
        "this looks for the first timer only: another one may run out just after it",
        "",
        "",
        "this asks for two equal timers only: two that are near each other are enough",
        "this has a server stand that has just heard a candidate",
        "this waits for an answer, too: it is enough that the others have heard",
        "",
        "this compares the first with the last: the second is the one that may stand, too",
        "this waits for an answer, too: it is enough that the others have heard",
    ],
    "5.3": [
        "the same timeouts for every network",
        "",
        "",
        "",
        "",
        "",
        "",
    ],
    "6.1": [
        "this takes what was sent for received: match = next - 1",
        "this takes the whole log of the leader for received",
        "",
        "this is one too far: last_new_index is the last that is there",
        "this takes what was sent for received: match = next - 1",
        "this is one too few: last_new_index itself is there",
    ],
    "6.2": [
        "every refusal is believed, however late",
        "only the first case is looked at",
        "",
        "",
        "a refusal of a log that was shorter then is believed",
        "while it probes, any refusal is believed",
        "a refusal that denies what is known to match is believed",
        "while many messages are under way, each may be refused: this expects one",
        "",
        "",
    ],
    "6.3": [
        "",
        "",
        "this goes back below what is known to match",
        "the next index never goes back",
        "this sends the entry that may agree once more, and from nothing it sends entry 0",
        "this tries the end of its own log again",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
    ],
    "7.1": [
        "one copy is enough here",
        "this waits for every server: one that is down stops them all",
        "half of the copies are enough here",
        "this takes an average, which may be an index that one server alone holds",
        "",
        "half of the copies are enough here",
        "",
        "half of the copies are enough here",
        "",
    ],
    "7.2": [
        "this sets the commit index to the leader's, whatever it holds itself",
        "this lets the commit index go back",
        "this commits up to the end of its own log, which the leader may be about to replace",
        "this commits whatever it holds",
        "this never commits anything",
        "this is Figure 2 to the letter, and lets the commit index go back: what is "
        "verified may end before it",
        "",
        "this lets the commit index go back",
        "",
        "",
    ],
    "7.3": [
        "this commits entries of an earlier term by counting copies",
        "this lets the commit index go back",
        "this looks at the last entry, which no majority may hold yet, and not at the "
        "one that was counted",
        "this never commits anything",
        "this commits what no majority holds",
        "",
        "this looks at the last entry, which no majority may hold yet, and not at the "
        "one that was counted",
    ],
}


@pytest.mark.parametrize("number", NUMBERS)
def test_five_wrong_answers_or_more_are_refused_each_with_the_right_name(number):
    assert len(WRONG[number]) >= 5
    told = []
    for answer in WRONG[number]:
        result = exercise(number).check(answer)
        assert result.passed is False
        told.append(result.mistake.name if result.mistake else "")
    assert told == NAMES[number]


@pytest.mark.parametrize(("number", "place"), MISTAKES)
def test_every_known_mistake_is_told_by_its_name(number, place):
    """Or by another of the same name: some are in the list twice, in two forms."""
    each = exercise(number)
    mistake = each.mistakes[place]
    function = mistake.function(each.name)
    is_rule = hasattr(Rules, each.name)
    result = each.check(rules(each.name, function) if is_rule else plain(function))
    assert result.mistake is not None, result.text
    assert result.mistake.name == mistake.name
    assert mistake.name in result.text
    assert mistake.name in result.sentence


def plain(function):
    return lambda *arguments: function(*arguments)


@pytest.mark.parametrize("name", sorted({m.exhibit for e in exercise for m in e.mistakes} - {""}))
def test_every_run_that_is_named_stands_in_the_museum(name):
    assert len(exhibit(name).recording()) > 0


def test_the_run_of_a_mistake_opens_in_the_lab_where_it_is_told():
    result = exercise("3.1").check(WRONG["3.1"][0])
    assert 'exercise("3.1").result.lab()' in result.text
    assert 'exercise("3.1").result.lab()' in result.sentence
    lab = exercise("3.1").result.lab()
    assert lab.cluster.violation.name == "Leader Completeness"
    lab.close()


def test_the_button_opens_the_run_and_closes_it():
    button = RunButton(exercise("3.1").check(WRONG["3.1"][0]).mistake)
    button.button.click()
    assert button.lab.cluster.violation is not None
    assert button.lab.controls.widget in button.widget.children
    lab = button.lab
    button.button.click()
    assert lab.closed
    assert button.widget.children == (button.button,)
    of_button = belonging([button.widget])
    assert len(of_button) > 2
    button.close()
    assert [each for each in of_button if each.comm is not None] == []


@pytest.mark.parametrize("span", [(150, 300), (200, 400), (2000, 4000), (20, 40)])
def test_the_same_timeouts_for_every_network_are_called_so_whichever_they_are(span):
    result = exercise("5.3").check(lambda one_way_ms: span)
    assert result.mistake is not None
    assert result.mistake.name == "the same timeouts for every network"


def test_a_result_without_a_run_says_so():
    with pytest.raises(NotNow, match="names no mistake that has a run"):
        exercise("4.1").check(answers.RIGHT["4.1"][0]).lab()


# The case that is told


@pytest.mark.parametrize(
    ("number", "answer", "call"),
    [
        ("4.1", lambda size: size // 2, "(3)"),
        ("4.1", lambda size: (size + 1) // 2, "(4)"),
        ("1.1", rules("accepts_append", lambda *_: True), 'log_of("1"), 1, 2)'),
        ("1.2", rules("conflict_index", lambda *_: None), 'log_of("1"), 0, entries_of("2"'),
        ("7.1", rules("majority_match_index", lambda m, c: max(m.values())), "{'S1': 0, 'S2': 0,"),
    ],
)
def test_the_smallest_case_that_tells_something_is_told(number, answer, call):
    assert call in exercise(number).check(answer).text


def test_where_only_the_empty_case_is_wrong_it_is_told():
    def mine(log, index, term):
        return log.last_index > 0 and log.term_for_index(index) == term

    assert 'log_of(""), 0, 0' in exercise("1.1").check(rules("accepts_append", mine)).text


# Answers that only ask the package

LEANING = {
    "1.1": [rules("accepts_append", lambda log, index, term: log.match_term(index, term))],
    "3.1": [
        rules(
            "candidate_is_up_to_date",
            lambda request, log: log.is_up_to_date(request.last_log_index, request.last_log_term),
        )
    ],
    "4.2": [rules("tally_vote", lambda votes: votes.tally_vote())],
}


def by_super(name):
    source = f"class Mine(Rules):\n def {name}(self, *given):\n  return super().{name}(*given)\n"
    names = {"Rules": Rules, "__name__": "mine"}
    exec(source, names)
    return names["Mine"]


RULES = [each.number for each in exercise if hasattr(Rules, each.name)]


@pytest.mark.parametrize("number", RULES)
def test_an_answer_that_only_asks_the_shipped_rule_is_told_so_and_earns_nothing(number):
    name = exercise(number).name
    shipped = getattr(Rules(), name)
    for answer in (
        by_super(name), rules(name, lambda *given: shipped(*given)), *LEANING.get(number, [])
    ):  # fmt: skip
        result = exercise(number).check(answer)
        assert result.passed is False
        assert result.points == 0
        assert result.text.startswith(f"Exercise {number}: right, but it is ")
        assert "Write it out" in result.sentence


def test_the_table_of_the_package_and_its_majority_are_told_apart_too():
    from raftlab.raft.quorum import majority
    from raftlab.raft.roles import ROLE_AFTER

    def role_after(role, cause):
        return ROLE_AFTER.get((role, cause))

    assert "ROLE_AFTER of the package" in exercise("2.2").check(role_after).text
    assert "majority of the package" in exercise("4.1").check(majority).text
    assert "majority of the package" in exercise("4.1").check(lambda size: majority(size)).text


class Asks:
    """Calls what it holds."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *given):
        return self.function(*given)

    def method(self, *given):
        return self.function(*given)


def behind(function):
    """Answers that have this function behind something that is no function of theirs."""
    return partial(function), cache(function), Asks(function), Asks(function).method


@pytest.mark.parametrize("number", RULES)
def test_the_shipped_rule_is_found_behind_whatever_stands_before_it(number):
    name = exercise(number).name
    rule, bound = getattr(Rules, name), getattr(Rules(), name)
    hidden, _, *others = behind(bound)  # what is cached asks for what can be hashed
    wrapped = [partialmethod(rule), *map(staticmethod, (hidden, *others))]
    copied = FunctionType(rule.__code__, rule.__globals__, name)
    for each in (*wrapped, copied, property(lambda _: bound)):
        mine = type("Mine", (Rules,), {name: each})
        text = exercise(number).check(mine).text
        assert text.startswith(f"Exercise {number}: right, but it is "), (each, text)


FUNCTIONS = [each.number for each in exercise if each.number not in RULES]


@pytest.mark.parametrize("number", FUNCTIONS)
def test_the_reference_is_found_behind_a_function_that_calls_it(number):
    reference = exercise(number).reference
    asks = partial(reference)
    for answer in (
        reference, lambda *given: reference(*given), lambda *given: asks(*given),
        lambda *given: Asks(reference)(*given),
    ):  # fmt: skip
        text = exercise(number).check(answer).text
        assert text.startswith(f"Exercise {number}: right, but it is "), text


@pytest.mark.parametrize("number", FUNCTIONS)
def test_what_is_no_function_is_refused_whoever_wrote_it(number):
    own = answers.RIGHT[number][0]
    for answer in (*behind(exercise(number).reference), *behind(own)):
        result = exercise(number).check(answer)
        assert result.passed is False
        name = exercise(number).name
        assert f"pass a function that is written with def, {name} itself, not " in result.text


def test_a_machine_that_is_asked_and_a_ready_answer_of_the_package_are_told_apart():
    from raftlab.course.exercises.append_entries import appending
    from raftlab.course.predict.appends import append_to

    def append_entries(log, prev_log_index, prev_log_term, entries):
        accepted, after, _ = append_to(log, prev_log_index, prev_log_term, entries)
        if not accepted:
            return None
        log.truncate_uncommitted(1)
        log.append_as_follower(after)
        return prev_log_index + len(entries)

    told = exercise("1.3").check(append_entries).text
    assert "right, but it is Replication._on_append_entries of the package" in told
    assert "right, but it is appending" in exercise("1.3").check(appending()).text


def test_the_table_of_roles_is_found_however_it_is_held():
    from raftlab.raft import roles

    table = roles.ROLE_AFTER

    def helper(role, cause):
        return table.get((role, cause))

    for answer in (
        lambda role, cause: roles.ROLE_AFTER.get((role, cause)),
        lambda role, cause: table.get((role, cause)),
        lambda role, cause: helper(role, cause),
        lambda role, cause, table=table: table.get((role, cause)),
        lambda role, cause: next(roles.ROLE_AFTER.get(each) for each in [(role, cause)]),
    ):
        assert "ROLE_AFTER of the package" in exercise("2.2").check(answer).text


def test_a_wrong_answer_that_asks_the_package_is_wrong_before_anything_else():
    class Mine(Rules):
        def tally_vote(self, votes):
            super().tally_vote(votes)
            return None

    assert exercise("4.2").check(Mine).text.startswith("Exercise 4.2: not yet")


# What a right answer does not cover


@pytest.mark.parametrize(("number", "words"), [
    ("3.2", "without pre-vote"), ("4.2", "fixed set of servers"), ("7.1", "fixed set of servers"),
])  # fmt: skip
def test_an_answer_that_holds_for_a_fixed_set_of_servers_only_says_so(number, words):
    result = exercise(number).check(answers.RIGHT[number][0])
    assert result.passed
    assert "It holds " in result.text and words in result.text


def test_an_answer_that_holds_for_a_changing_set_as_well_says_nothing():
    def majorities(match_indexes, configuration):
        least = []
        for voters in configuration.voter_sets:
            reached = sorted(match_indexes.get(voter, 0) for voter in voters)
            least.append(reached[(len(reached) - 1) // 2])
        return min(least)

    result = exercise("7.1").check(rules("majority_match_index", majorities))
    assert result.passed
    assert "It holds" not in result.text


def test_an_answer_that_counts_later_terms_is_not_told_that_it_counts_earlier_ones():
    mine = rules("is_about_the_present", lambda reply_term, asked_term: reply_term >= asked_term)
    assert "this counts answers of later terms" in exercise("4.3").check(mine).text
