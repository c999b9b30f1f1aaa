"""What a reader can do beyond Figure 2: one method a deed, as in `deeds`."""

from raftlab.lab.deeds import Deeds
from raftlab.lab.further import CHOSEN
from raftlab.lab.typed import names_in, number_in, one_name, write_time
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster


class FurtherDeeds(Deeds):
    """Leadership, members, snapshots, reads, clocks and disks."""

    # Leadership and snapshots

    def transfer(self) -> None:
        """Let the leader hand over, to the chosen node or to the best."""
        to = self.node.value if self.transfer_to.value == CHOSEN else None
        self.do(lambda cluster: cluster.transfer(to))

    def forget_leader(self) -> None:
        """Tell the chosen node that its leader is gone."""
        self.do(lambda cluster: cluster.forget_leader(self.node.value))

    def compact(self) -> None:
        """Let the chosen node's snapshot stand for all that it has applied."""
        self.do(lambda cluster: cluster.compact(self.node.value))

    # Members

    def add_learner(self) -> None:
        """Let the named server receive the log, without a vote; start it, if it is new."""
        words: str = self.learner_name.value
        self.do(lambda cluster: cluster.add_learner(one_name(words, cluster.nodes)))

    def promote(self) -> None:
        """Give the chosen node, a learner, a vote."""
        self.do(lambda cluster: cluster.promote(self.node.value))

    def remove(self) -> None:
        """Take the chosen node out of the cluster."""
        self.do(lambda cluster: cluster.remove(self.node.value))

    def reconfigure(self) -> None:
        """Go to exactly the voters and learners in the fields."""
        typed = self.voters.value, self.learners.value

        def verb(cluster: Cluster) -> None:
            voters, learners = (names_in(words, cluster.nodes) for words in typed)
            if not voters:
                raise Misuse("There are no voters yet: type their names, for instance S1 S2 S3.")
            cluster.reconfigure(voters, learners)

        self.do(verb)

    # Reads

    def read(self) -> None:
        """Ask the leader or the chosen node for the value of the key in the field."""
        key: str = self.key.value.strip()
        of = self.node.value if self.read_from.value == CHOSEN else None

        def verb(cluster: Cluster) -> None:
            if not key:
                raise Misuse("There is no key yet: type one, for instance x.")
            cluster.read(key, of)

        self.do(verb)

    # Trouble

    def wipe(self) -> None:
        """Lose the chosen node's disk; if it is up, it crashes."""
        self.do(lambda cluster: cluster.wipe(self.node.value))

    def set_clock(self) -> None:
        """Let the chosen node's clock run as fast as the field says."""
        words: str = self.clock_rate.value

        def verb(cluster: Cluster) -> None:
            rate = number_in(words, "A clock rate", "1.5")
            cluster.set_clock_rate(self.node.value, rate)

        self.do(verb)

    def set_disk(self) -> None:
        """Let every write of the chosen node take as long as the field says."""
        words: str = self.write_ms.value
        self.do(lambda cluster: cluster.slow_disk(self.node.value, write_time(words)))

    def calm(self) -> None:
        """End all loss, duplication and reordering."""
        self.do(lambda cluster: cluster.calm())

    # The panel

    def toggle_further(self) -> None:
        """Open or close the panel with these controls."""
        self.further_mode.value = not self.further_mode.value
