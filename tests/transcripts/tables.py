"""Tables that need no cluster: what a majority holds, and how a vote ends.

    committed voters=S1,S2,S3 S1=6 S2=9 S3=4
    vote voters=S1,S2,S3 old=S3,S4,S5 S1=yes S3=no

`old` makes the configuration joint. Who is not named holds nothing, or is silent.
"""

from raftlab.raft.quorum import majority, quorum_index
from raftlab.raft.vocabulary import Configuration, NodeId
from raftlab.raft.votes import Votes

GROUPS = ("voters", "old")


def given(words: tuple[str, ...]) -> tuple[Configuration, dict[str, str]]:
    """The configuration and what is said of each node."""
    said = dict(word.split("=", 1) for word in words)
    voters, old = (tuple(filter(None, said.pop(group, "").split(","))) for group in GROUPS)
    return Configuration(voters, old), said


def committed(*words: str) -> str:
    """A bar for each voter as long as its log, and what is committed by that."""
    configuration, said = given(words)
    reached = {node: int(index) for node, index in said.items()}
    index = quorum_index(reached, configuration)
    lines = [bar(node, reached.get(node, 0), index) for node in configuration.all_voters]
    if configuration.is_joint:
        for name, voters in zip(("new", "old"), configuration.voter_sets, strict=True):
            alone = quorum_index(reached, Configuration(voters))
            lines.append(f"{name} voters {' '.join(voters)}: up to {alone}")
    return "\n".join([*lines, f"committed up to {index}"])


def bar(node: NodeId, reached: int, index: int) -> str:
    """What a voter holds: "=" is committed, "-" is not yet."""
    drawn = "=" * min(reached, index) + "-" * (reached - index)
    return f"{node}  {reached:2}  {drawn}"


def vote(*words: str) -> str:
    """What each voter has said, and how the election stands."""
    configuration, said = given(words)
    votes = Votes(configuration)
    for node, answer in said.items():
        votes.register_vote(node, {"yes": True, "no": False}[answer])
    lines = [
        f"{' '.join(each.voters)}: {each.granted} yes, {each.refused} no, {each.silent} silent,"
        f" needs {majority(len(each.voters))}: {each.tally_vote().value}"
        for each in votes.trackers
    ]
    if configuration.is_joint:
        lines.append(f"together: {votes.tally_vote().value}")
    return "\n".join(lines)
