"""The keys and the buttons of the lab, and which deed each calls. The lab shows the keys."""

import msgspec


class Key(msgspec.Struct, frozen=True):
    """A key as browsers call it, as it is printed, what it does in words, and its deed."""

    key: str
    printed: str
    words: str
    deed: str


KEYS = (
    Key(" ", "space", "play or pause", "toggle_play"),
    Key("ArrowRight", "→", "one step forward", "step"),
    Key("ArrowLeft", "←", "one frame back", "back"),
    Key("Home", "Home", "to the first frame", "go_to_start"),
    Key("End", "End", "to the last frame", "go_to_end"),
    Key("e", "e", "to the next election", "jump_to_election"),
    Key("c", "c", "to the next commit", "jump_to_commit"),
    Key("v", "v", "to the next violation", "jump_to_violation"),
    Key("g", "g", "go on from this moment as a new run", "go_on_from_here"),
    Key("ArrowDown", "↓", "choose the next node", "choose_next_node"),
    Key("ArrowUp", "↑", "choose the node before", "choose_previous_node"),
    Key("x", "x", "crash the chosen node, or restart it", "crash_or_restart"),
    Key("p", "p", "pause the chosen node, or let it go on", "pause_or_resume"),
    Key("t", "t", "let the chosen node time out", "time_out"),
    Key("i", "i", "isolate the chosen node", "isolate"),
    Key("h", "h", "heal the network", "heal"),
    Key("n", "n", "propose the command in the field", "propose"),
    Key("m", "m", "show or hide members, reads and trouble", "toggle_further"),
    Key("o", "o", "hand leadership over", "transfer"),
    Key("q", "q", "read the key in the field", "read"),
    Key("]", "]", "choose the next message", "choose_next_message"),
    Key("[", "[", "choose the message before", "choose_previous_message"),
    Key("a", "a", "let the chosen message arrive", "deliver"),
    Key("d", "d", "drop the chosen message", "drop"),
    Key("u", "u", "duplicate the chosen message", "duplicate"),
    Key("l", "l", "delay the chosen message", "delay"),
    Key("r", "r", "look again: another cell changed the cluster", "refresh"),
    Key("?", "?", "show or hide these keys", "toggle_keys"),
)

DEEDS = {key.key: key.deed for key in KEYS}

BUTTONS = {
    "start_button": "go_to_start",
    "back_button": "back",
    "play_button": "toggle_play",
    "step_button": "step",
    "end_button": "go_to_end",
    "go_on_button": "go_on_from_here",
    "run_button": "run",
    "election_button": "jump_to_election",
    "commit_button": "jump_to_commit",
    "violation_button": "jump_to_violation",
    "before_button": "back",
    "crash_button": "crash",
    "restart_button": "restart",
    "pause_button": "pause",
    "resume_button": "resume",
    "timeout_button": "time_out",
    "isolate_button": "isolate",
    "heal_button": "heal",
    "partition_button": "partition",
    "cut_button": "cut",
    "propose_button": "propose",
    "deliver_button": "deliver",
    "drop_button": "drop",
    "duplicate_button": "duplicate",
    "delay_button": "delay",
    "transfer_button": "transfer",
    "forget_button": "forget_leader",
    "compact_button": "compact",
    "learner_button": "add_learner",
    "promote_button": "promote",
    "remove_button": "remove",
    "reconfigure_button": "reconfigure",
    "read_button": "read",
    "wipe_button": "wipe",
    "clock_button": "set_clock",
    "disk_button": "set_disk",
    "calm_button": "calm",
    "open_button": "open_shared",
}

ENTERS = {
    "command": "propose_button",
    "learner_name": "learner_button",
    "voters": "reconfigure_button",
    "learners": "reconfigure_button",
    "key": "read_button",
    "clock_rate": "clock_button",
    "write_ms": "disk_button",
    "run_text": "open_button",
}
"""The button that Enter presses, where a field has one."""
