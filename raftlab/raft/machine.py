"""The Raft state machine as its host sees it: Figure 2, and all that the thesis adds.

Pure and deterministic: time, messages and randomness come in as arguments, and
everything that must happen outside goes out through `poll`. The same inputs give the
same outputs, always.
"""

from raftlab.raft.thesis.persistence import AsynchronousPersistence


class RaftStateMachine(AsynchronousPersistence):
    """One Raft node, without I/O.

    The constructor is the only way to start and to restart; what is not passed in is
    lost. `applied` is how far the application has kept what it applied, if it keeps
    anything: what follows comes out as `Output.committed` anew. `configuration` is the one
    that the cluster began with, which holds until the log says otherwise.

    After each call its host polls until there is `NOTHING`. Calling `poll` again is what
    tells the machine that all that the output before asked to be written is on disk (but see
    `persisted`), and more may come of that: a leader counts its own copy then, and a
    candidate its own vote. A host that polls once for each call is always one step behind,
    and a node that is alone is never elected.

        >>> machine = RaftStateMachine("S1", configuration=Configuration(("S1",)))
        >>> disk, network, application = [], [], []
        >>> def do_as_it_says(machine):
        ...     while (output := machine.poll()) is not NOTHING:
        ...         if output.must_be_written:
        ...             disk.append(output)               # first, and all of it
        ...         network.extend(output.messages)       # then
        ...         application.extend(output.committed)  # in order
        >>> machine.tick(machine.next_deadline)
        >>> do_as_it_says(machine)
        >>> machine.role, application
        (<Role.LEADER: 'leader'>, [LogEntry(term=1, index=1, payload=Empty())])
        >>> machine.add_entry(Command(b"x=1"))
        2
        >>> do_as_it_says(machine)
        >>> application[-1]
        LogEntry(term=1, index=2, payload=Command(data=b'x=1'))

    Calls that name no time happen at the time of the latest one that did; `machine.now = ms`
    says that it is later. A leader's followers learn what is committed with its next message to
    them: up to one `Options.heartbeat_interval` after the leader, if nothing else is said.

    * To be told: `advance`, `tick` (by `next_deadline`), `add_entry`; and `poll` after each.
    * For more: `campaign`, `forget_leader` (`thesis.protections`), `transfer_leadership`
      (`transfer`), `compact` and `snapshot_failed` (`snapshots`), `read` (`reads`),
      `persisted` (`persistence`).
    * To be looked at: `node_id`, `term`, `voted_for`, `role`, `role_data`, `leader`, `log`,
      `commit_index`, `configuration`, `election_deadline`, `next_deadline`, `now`.
    * To be tried out: `copy`, `fingerprint`.

    Each method stands in the file of its idea; what begins with an underscore is for the
    machine itself, and for a subclass that breaks or replaces a part of it.

    Raises: Misuse, for a start that no run of Raft can lead to.
    """

    __slots__ = ()
