"""Questions about commitment: what match indexes and acks commit, and which entries are safe."""

import random
from collections.abc import Mapping, Sequence

from raftlab.course.in_words import terms_of
from raftlab.course.predict.asking import CREDIT, hand_over
from raftlab.course.predict.leading import leader_with
from raftlab.course.predict.votes import could_win
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_labelled_rows, scene_rows
from raftlab.course.situations import FIVE, cluster_of, log_of, random_logs
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntriesReply
from raftlab.raft.options import Options
from raftlab.raft.quorum import majority, majority_index
from raftlab.raft.vocabulary import Configuration, Index, NodeId, NotNow, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.view import Scene, scene_commit, scene_commit_decision, scene_logs
from raftlab.view.words import names


@template
def commit_after(
    match: Mapping[NodeId, Index] | None = None,
    log: str = "",
    term: Term | None = None,
    *,
    seed: int = 0,
) -> Question:
    """What does a leader commit, when its followers hold its log up to these indexes?

        predict.commit_after({"S2": 4, "S3": 2, "S4": 0, "S5": 4}, log="1 1 2 2", term=3)

    The leader is S1; it holds all of `log` itself. Nothing was committed before.
    """
    if match is None:
        match, log, term = _random_match(seed)
    leader = leader_with(log, term or max([0, *terms_of(log)]), ("S1", *match))
    leader.poll()
    leader.poll()
    for node, index in match.items():
        reply = AppendEntriesReply(
            term=leader.term, sender=node, receiver="S1", commit_index=0, result=Accepted(index)
        )
        if index:
            hand_over(leader, reply)
            leader.poll()
    held = {"S1": leader.log.last_index, **match}
    said = ", ".join(f"{node} {index}" for node, index in held.items())
    return Question(
        f"S1 leads term {leader.term} and has just learned how far each server holds its log:"
        f" {said}. Nothing was committed before. What is its commit index now?",
        (),
        leader.commit_index,
        _commit_words(leader, list(held.values())),
        scenes=(scene_rows({"S1's log": log}, f"The log of the leader of term {leader.term}"),),
        then=(scene_commit_decision(held, leader.log, leader.term, 0, Configuration(tuple(held))),),
    )


def _commit_words(leader: RaftStateMachine, held: Sequence[Index]) -> list[str]:
    reached = majority_index(held)
    told = " ".join(map(str, sorted(held, reverse=True)))
    most = f"entry {reached}" if reached else "no entry"
    lines = [f"the indexes in order: {told}; a majority ({majority(len(held))}) holds {most}"]
    term = leader.log.term_for_index(reached)
    if not reached:
        lines.append("so nothing is committed (5.3)")
    elif leader.commit_index == reached:
        lines.append(f"entry {reached} is of the leader's own term {term}: committed (5.3, 5.4.2)")
    else:
        lines.append(
            f"entry {reached} is of term {term}, and the leader is in term {leader.term}:"
            " copies of an earlier term's entry do not commit it (5.4.2)"
        )
    return lines


def _random_match(seed: int) -> tuple[dict[NodeId, Index], str, Term]:
    rng = random.Random(f"raftlab commit {seed}")
    terms = sorted(rng.choices([1, 2, 3], k=rng.randint(3, 6)))
    term = terms[-1] + rng.choice([0, 0, 0, 1])
    own = terms.index(terms[-1]) + 1
    reached = rng.randint(own, len(terms)) if rng.random() < 0.7 else rng.randint(0, own)
    others = [rng.randint(reached, len(terms)), reached, *(rng.randint(0, reached) for _ in "ab")]
    match = dict(zip(FIVE[1:], rng.sample(others, 4), strict=True))
    return match, " ".join(map(str, terms)), term


@template
def acks_commit(
    cluster: Cluster | None = None, acks: Sequence[NodeId] = (), *, seed: int = 0
) -> Question:
    """What is the leader's commit index once the acknowledgements in flight have arrived?

    Of those in flight, only the ones from `acks` arrive; without `acks`, all of them.
    """
    scenes: tuple[Scene, ...] = ()
    given: list[str] = []
    if cluster is None:
        cluster, acks = _acknowledging(seed)
        scenes, given = (scene_logs(cluster.frame()),), _on_their_way(cluster)
    leader = cluster.leader
    if leader is None:
        raise NotNow("nobody leads: elect a leader first")
    copy = cluster.recording.replay()
    machine = copy.hosts[leader].machine
    before, told = machine.commit_index, []
    for flight in copy.in_flight():
        message = flight.message
        is_reply = isinstance(message, AppendEntriesReply) and message.receiver == leader
        if is_reply and (not acks or message.sender in acks):
            copy.deliver(flight.number)
            told.append(copy.events(1)[0].text)
    if not told:
        raise NotNow("no acknowledgement is on its way: propose something and run a little")
    who = names(list(acks)) if acks else "every follower that has sent one"
    return Question(
        f"The commit index of {leader} is {before}. Now all that is on its way to it from {who}"
        " arrives, and nothing else. What is its commit index then?",
        (),
        machine.commit_index,
        [*told, *_copies_words(copy.frame(), leader)],
        given=given,
        scenes=scenes,
        then=(scene_commit(copy.frame(), leader, cluster.frame()),),
    )


def _copies_words(frame: Frame, leader: NodeId) -> list[str]:
    """Which entry a majority holds, as the leader knows it, and the rule."""
    known = {each.node: each.match_index for each in frame[leader].progress}
    reached = majority_index(list(known.values()))
    holders = [node for node in known if known[node] >= reached]
    counted = f"{len(holders)} of {len(known)}, {names(sorted(holders))}, hold entry {reached}"
    return [
        f"as {leader} knows, {counted}; {majority(len(known))} are needed",
        "an entry of the leader's own term is committed once a majority holds it (5.3, 5.4.2)",
    ]


def _acknowledging(seed: int) -> tuple[Cluster, list[NodeId]]:
    """A leader that has proposed, with news on its way from some; and whose arrives."""
    rng = random.Random(f"raftlab acks {seed}")
    while True:
        cluster = Cluster(5, seed=rng.randrange(10**6), options=Options.figure_2())
        cluster.elect(rng.choice(FIVE))
        cluster.run(200)
        for number in range(rng.choice((1, 2, 2, 3, 3, 4))):
            cluster.propose(f"x={number + 1}")
            cluster.run(rng.uniform(0, 8))
        if cluster.run_until(lambda each: len(_with_news(each)) >= 3, 30):
            senders = _with_news(cluster)
            return cluster, sorted(rng.sample(senders, rng.randint(1, len(senders))))


def _acks(cluster: Cluster) -> list[tuple[NodeId, Index]]:
    """The acknowledgements on their way to the leader: from whom, and up to which entry."""
    replies = [flight.message for flight in cluster.in_flight()]
    return [
        (each.sender, each.result.last_new_index)
        for each in replies
        if isinstance(each, AppendEntriesReply) and isinstance(each.result, Accepted)
    ]


def _with_news(cluster: Cluster) -> list[NodeId]:
    """Who acknowledges an entry that is not committed."""
    news = [sender for sender, index in _acks(cluster) if index > cluster.commit_index]
    return list(dict.fromkeys(news))


def _on_their_way(cluster: Cluster) -> list[str]:
    return [
        f"on its way from {sender}: it holds all up to entry {index}"
        for sender, index in _acks(cluster)
    ]


@template
def which_committed(logs: Mapping[NodeId, str] | None = None, *, seed: int = 0) -> Question:
    """Which entries are safe: will no future leader ever be without them?

    Answered by letting every server stand for election: an entry is safe if everyone who
    can win holds it.
    """
    if logs is None:
        logs = random_logs(random.Random(f"raftlab committed {seed}"), FIVE)
    cluster = cluster_of(logs, options=Options.figure_2())
    winners = [node for node in logs if could_win(cluster, node)[0]]
    held = {node: log_of(words) for node, words in logs.items()}
    of = max(winners, key=lambda node: held[node].last_index)
    safe, why = [], [f"these can be elected: {names(winners)}"]
    for entry in held[of]:
        lacking = [n for n in winners if not held[n].match_term(entry.index, entry.term)]
        if lacking:
            why.append(f"entry {entry.index}: not safe, {names(lacking)} could lead without it")
        else:
            safe.append(str(entry.index))
            why.append(f"entry {entry.index}: safe, everyone who can be elected holds it")
    needed = f"{majority(len(logs))} of {len(logs)}"
    why.append(f"{needed} vote for a leader, and only if their own logs are not newer (5.4.1)")
    return Question(
        "These are the logs of all servers; nobody leads at the moment. Which of the entries of"
        f" {of} are safe: which can no future leader be without?",
        [str(entry.index) for entry in held[of]],
        safe,
        why,
        several=True,
        scenes=(scene_rows(logs, "The logs of all servers"),),
        then=(scene_labelled_rows(logs, dict.fromkeys(winners, "can lead"), "Who can be elected"),),
        credit=CREDIT,
    )
