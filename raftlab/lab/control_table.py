"""The table of controls: everything that the lab has to press, to fill in and to read, row by row.

This is the one place where a control is told. `controls` makes the widgets out of it, `listener`
calls what it names, and `panels` prints its keys.
"""

from collections.abc import Mapping
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec

from raftlab.lab import requirements
from raftlab.lab.beginnings import SITUATIONS, SIZES, USUAL_SIZE, seed_in
from raftlab.lab.network_settings import ALL_LINKS
from raftlab.lab.parsing import (
    CHOSEN,
    Reader,
    as_it_is,
    chosen_or_nobody,
    float_of,
    message_chosen,
    names_in,
    needed,
    number_in,
    one_name,
    voters_in,
    write_time,
)
from raftlab.lab.requirements import Requirement
from raftlab.lab.session import END
from raftlab.raft.options import PROTECTIONS
from raftlab.raft.vocabulary import Millis, NodeId

LEADER, BEST = "the leader", "the best"

SPEEDS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0)
"""How many ms of virtual time one second of playing shows."""

USUAL_SPEED = 25.0

PICTURES = ("logs", "votes", "commit decision", "state machines")

SLIDE_MS: Millis = 140.0
"""How long the picture takes to another moment that somebody goes to."""


class Kind(Enum):
    """What a control looks like; of a key nothing is seen."""

    BUTTON = auto()
    TOGGLE = auto()
    CHECKBOX = auto()
    CHOICE = auto()
    LIST = auto()
    SLIDER = auto()
    LATENCY = auto()
    PERCENT = auto()
    NUMBER = auto()
    TEXT = auto()
    HTML = auto()
    KEY = auto()


class Size(Enum):
    """The lab that shows a control: the simple one, the full one, or both."""

    SIMPLE = auto()
    FULL = auto()
    BOTH = auto()


SIMPLE, BOTH = Size.SIMPLE, Size.BOTH


class Key(NamedTuple):
    """A key as browsers call it, what it does in words, and its sign, where that is another."""

    key: str
    words: str
    sign: str = ""


class Control(msgspec.Struct, frozen=True):
    """One control of the lab.

    * `verb` is what it calls, when it is pressed or its value changes: "cluster.crash" is
      a method of the cluster looked at, "session.step" of the session, and "lab.redraw" a
      function in `callbacks`. `key`, if it has one, calls it too.
    * `arguments` are handed to the verb: the name of another control stands for what that one
      holds, anything else for itself. A control whose value changes hands over the new value.
    * `then` names a function in `callbacks`, to be called once the verb has done its work;
      `takes_ms`, how long the picture takes to get there, where that does not depend on the speed.
    * `reads` makes an argument of what the control holds; the page reports what such a
      control holds with every click. `enter` is the button that Enter presses in it. What the
      lab itself fills in anew, `refilled`, counts only at a click of that button: at any
      other the page may hold what is outdated.
    * What changes with every moment, as `every_frame` says, is sent along with the picture.
    * `size` is the lab that shows it: the simple one, the full one, or both. `when` says why it
      cannot be done now, if it cannot: then it is greyed, and its tip is that reason.
    * `options` can be chosen from, followed by every node if `of_nodes`; `start` is the place of
      the one chosen at first. `lines` of a list are in sight.
    """

    kind: Kind
    name: str
    label: str = ""
    tip: str = ""
    verb: str = ""
    arguments: tuple[object, ...] = ()
    icon: str = ""
    key: Key | None = None
    then: str = ""
    takes_ms: Millis | None = None
    reads: Reader | None = None
    enter: str = ""
    refilled: bool = False
    options: tuple[Any, ...] = ()
    of_nodes: bool = False
    start: int = 0
    lines: int = 1
    value: Any = None
    example: str = ""
    width: str = "auto"
    css: str = ""
    every_frame: bool = False
    size: Size = Size.FULL
    when: Requirement | None = None

    def options_of(self, nodes: tuple[NodeId, ...]) -> tuple[Any, ...]:
        """What can be chosen when these are the nodes."""
        return (*self.options, *nodes) if self.of_nodes else self.options


Item: TypeAlias = "Control | str | tuple[Item, ...]"
"""What stands in a row: a control, a label, a gap (""), or items that a row does not part."""


def controls_in(item: Item) -> Mapping[str, Control]:
    """Every control in it by name, first to last."""
    match item:
        case Control():
            return {item.name or f"key {item.key}": item}
        case str():
            return {}
        case _:
            return {name: each for part in item for name, each in controls_in(part).items()}


GAP = ""

Button = partial(Control, Kind.BUTTON)
Toggle = partial(Control, Kind.TOGGLE)
Checkbox = partial(Control, Kind.CHECKBOX)
Choice = partial(Control, Kind.CHOICE)
List = partial(Control, Kind.LIST)
Slider = partial(Control, Kind.SLIDER)
Latency = partial(Control, Kind.LATENCY)
Percent = partial(Control, Kind.PERCENT)
Number = partial(Control, Kind.NUMBER)
TextField = partial(Control, Kind.TEXT)
Html = partial(Control, Kind.HTML)
OnlyKey = partial(Control, Kind.KEY, "")

# fmt: off
ROWS: Mapping[str, tuple[Item, ...]] = {
    "transport": (
        Button("start_button", "Start", "To the first frame (Home)", "session.go_to", (0,),
               icon="fast-backward", key=Key("Home", "to the first frame"), takes_ms=SLIDE_MS,
               when=requirements.needs_an_earlier_moment),
        Button("back_button", "Back", "One frame back (←)", "session.back", icon="step-backward",
               key=Key("ArrowLeft", "one frame back", "←"), size=BOTH,
               when=requirements.needs_an_earlier_moment),
        Button("play_button", "Play", "Play or pause (space)", "lab.play_or_pause", icon="play",
               key=Key(" ", "play or pause", "space"), size=BOTH,
               when=requirements.needs_a_next_step),
        Button("step_button", "Step", "The next thing that happens (→)", "session.step",
               icon="step-forward", key=Key("ArrowRight", "one step forward", "→"), size=BOTH,
               when=requirements.needs_a_next_step),
        Button("end_button", "End", "To the last frame (End)", "session.go_to", (END,),
               icon="fast-forward", key=Key("End", "to the last frame"), takes_ms=SLIDE_MS,
               when=requirements.needs_a_later_moment),
        Slider("time_slider", label="Frame", verb="session.go_to", takes_ms=SLIDE_MS, size=BOTH),
        Html("moment", size=BOTH, every_frame=True),
        Button("undo_button", "Undo", "Back to where you were before the last thing done (z)",
               "session.undo", icon="undo", key=Key("z", "back over the last thing done"),
               takes_ms=SLIDE_MS, size=BOTH, when=requirements.needs_something_to_undo),
        Button("go_on_button", "Go on from here", "Start a new run from this moment (g)",
               "session.go_on_from_here", icon="code-fork",
               key=Key("g", "go on from this moment as a new run")),
    ),
    "newest": (Html("newest", size=BOTH, every_frame=True),),
    "time": (
        "Time",
        Choice("speed", "Speed", width="146px", reads=lambda speed, _: float(speed or USUAL_SPEED)),
        Number("run_ms", "Let pass (ms)", value=100.0, width="150px", reads=float_of),
        Button("run_button", "Run", "Let that much virtual time pass", "session.run", ("run_ms",),
               icon="forward", when=requirements.needs_no_violation),
        GAP,
        (
            "Next",
            Button("election_button", "election", "Run to the next election (e)", "session.jump",
                   ("election",), key=Key("e", "to the next election"),
                   when=requirements.needs_a_next_step),
            Button("commit_button", "commit", "Run to the next commit (c)", "session.jump",
                   ("commit",), key=Key("c", "to the next commit"),
                   when=requirements.needs_a_next_step),
            Button("violation_button", "violation", "Run until a property is broken (v)",
                   "session.jump", ("violation",), key=Key("v", "to the next violation"),
                   when=requirements.needs_watched_properties),
        ),
        GAP,
        Toggle("new_mode", "New…", "Begin with another cluster, or with a named situation",
               "lab.redraw"),
    ),
    "node": (
        Choice("node", "Node", width="128px", of_nodes=True, verb="lab.redraw", reads=as_it_is),
        Button("crash_button", "Crash", "Stop it; it forgets what is not on its disk (x)",
               "cluster.crash", ("node",), when=requirements.needs_node_up),
        Button("restart_button", "Restart", "Start it again from its disk (x)", "cluster.restart",
               ("node",), when=requirements.needs_node_down),
        Button("pause_button", "Pause", "Let it stand still (p)", "cluster.pause", ("node",),
               when=requirements.needs_node_running),
        Button("resume_button", "Resume", "Let it go on (p)", "cluster.resume", ("node",),
               when=requirements.needs_node_paused),
        Button("timeout_button", "Time out", "Let its election timer run out now (t)",
               "cluster.timeout", ("node",), key=Key("t", "let the chosen node time out"),
               when=requirements.needs_a_timer),
        GAP,
        Button("crash_leader_button", "Crash the leader", "Stop whoever leads",
               "session.crash_leader", size=BOTH, when=requirements.needs_a_leader),
        Button("restart_all_button", "Restart", "Start again, from its disk, whatever is down",
               "session.restart_all", size=SIMPLE, when=requirements.needs_some_node_down),
        Toggle("further_mode", "More…",
               "Leadership, members, snapshots, disks and clocks (m)", "lab.show_mode",
               key=Key("m", "show or hide members and trouble")),
    ),
    "network": (
        "Network",
        Toggle("partition_mode", "Partition…", "Choose each node's side, then cut between them",
               "lab.show_mode"),
        Toggle("link_mode", "Cut a link…", "Choose a link, then cut it", "lab.show_mode"),
        Button("isolate_button", "Isolate", "Cut the chosen node off from all others (i)",
               "cluster.isolate", ("node",), key=Key("i", "isolate the chosen node"),
               when=requirements.needs_others_on_its_side),
        Button("heal_button", "Heal", "Mend every link (h)", "cluster.heal",
               key=Key("h", "heal the network"), when=requirements.needs_a_cut),
        Button("calm_button", "Calm", "The network loses, doubles and reorders nothing from now on",
               "cluster.calm", when=requirements.needs_no_violation),
        Toggle("settings_mode", "Latency, loss…",
               "How long messages take, and how many are lost or doubled: on all links or on one",
               "lab.redraw"),
    ),
    "client": (
        "Client",
        TextField("command", "Command", value="x=1", width="170px", example="x=1",
                  enter="propose_button", size=BOTH,
                  reads=needed("There is no command yet: type one, for instance x=1.")),
        Choice("propose_to", "to", options=(LEADER,), width="120px", of_nodes=True,
               verb="lab.redraw", reads=lambda node, _: None if node == LEADER else node),
        Button("propose_button", "Propose", "Hand the command to that node (Enter, n)",
               "cluster.propose", ("command", "propose_to"), then="count_up", size=BOTH,
               key=Key("n", "propose the command in the field"),
               when=requirements.needs_node_proposed_to),
        GAP,
        (
            TextField("key", "Key", value="x", width="92px", example="x", enter="read_button",
                      reads=needed("There is no key yet: type one, for instance x.", True)),
            Choice("read_from", "at", options=(LEADER, CHOSEN), width="140px", verb="lab.redraw",
                   reads=chosen_or_nobody),
            Button("read_button", "Read", "Ask for the value of that key (q)", "cluster.read",
                   ("key", "read_from"), key=Key("q", "read the key in the field"),
                   when=requirements.needs_node_read_from),
        ),
        GAP,
        Toggle("full_mode", "All controls",
               "Everything there is to do and to see, or the main things only (f)", "lab.redraw",
               size=BOTH, key=Key("f", "show all controls, or the main ones")),
        Html("reads", css="raftlab-answers"),
    ),
    "leadership": (
        "Leadership",
        (
            Button("transfer_button", "Transfer", "The leader hands its leadership over (o)",
                   "cluster.transfer", ("transfer_to",), key=Key("o", "hand leadership over"),
                   when=requirements.needs_a_leader),
            Choice("transfer_to", "to", options=(CHOSEN, BEST), width="168px",
                   reads=chosen_or_nobody),
        ),
        Button("forget_button", "Forget leader", "Tell the chosen node that its leader is gone",
               "cluster.forget_leader", ("node",)),
        GAP,
        (
            "Snapshot",
            Button("compact_button", "Compact",
                   "A snapshot takes the place of the chosen node's applied log", "cluster.compact",
                   ("node",)),
        ),
    ),
    "members": (
        "Members",
        (
            TextField("learner_name", "Name", value="", width="104px", example="S6",
                      enter="learner_button", refilled=True, tip="The name of the server to add",
                      reads=lambda words, nodes: one_name(words, nodes.names)),
            Button("learner_button", "Add learner",
                   "Start that server, and send it the log; it has no vote yet",
                   "cluster.add_learner", ("learner_name",)),
        ),
        Button("promote_button", "Promote", "Give the chosen node, a learner, a vote",
               "cluster.promote", ("node",)),
        Button("remove_button", "Remove", "Take the chosen node out of the cluster",
               "cluster.remove", ("node",)),
        GAP,
        (
            TextField("voters", "Voters", value="", width="176px", example="S1 S2 S3",
                      enter="reconfigure_button", refilled=True,
                      reads=lambda words, nodes: voters_in(words, nodes.names)),
            TextField("learners", "Learners", value="", width="168px", example="none",
                      enter="reconfigure_button", refilled=True,
                      reads=lambda words, nodes: names_in(words, nodes.names)),
            Button("reconfigure_button", "Reconfigure", "Go to exactly these voters and learners",
                   "cluster.reconfigure", ("voters", "learners")),
        ),
    ),
    "trouble": (
        "Trouble",
        Button("wipe_button", "Wipe disk", "The chosen node loses everything it has saved",
               "cluster.wipe", ("node",)),
        GAP,
        (
            TextField("clock_rate", "Clock rate", value="2", width="134px", example="1",
                      enter="clock_button",
                      reads=lambda words, _: number_in(words, "A clock rate", "1.5")),
            Button("clock_button", "Set clock",
                   "The chosen node's clock runs so many times as fast as time; 1 is true",
                   "cluster.set_clock_rate", ("node", "clock_rate")),
        ),
        GAP,
        (
            TextField("write_ms", "Disk write (ms)", value="20", width="180px", example="1",
                      enter="disk_button", reads=lambda words, _: write_time(words)),
            Button("disk_button", "Set disk", "Every write of the chosen node takes so long",
                   "cluster.slow_disk", ("node", "write_ms")),
        ),
    ),
    "partition": (
        "Sides (or click the nodes):",
        Button("partition_button", "Cut between A and B", "Nothing passes between them",
               "lab.partition"),
    ),
    "link": (
        "Link (or click its two nodes):",
        Choice("link_from", "from", width="110px", of_nodes=True, verb="lab.redraw",
               reads=as_it_is),
        Choice("link_to", "to", width="100px", of_nodes=True, start=-1, verb="lab.redraw",
               reads=as_it_is),
        Checkbox("both_ways", label="both ways", value=True, reads=as_it_is),
        Button("cut_button", "Cut", "Let nothing pass on this link", "cluster.cut",
               ("link_from", "link_to", "both_ways"), then="end_link_mode"),
    ),
    "network settings": (
        Choice("settings_from", "Settings of", options=(ALL_LINKS,), of_nodes=True, width="176px",
               verb="lab.redraw"),
        Choice("settings_to", "to", of_nodes=True, width="100px", start=-1, verb="lab.redraw"),
        Checkbox("settings_both_ways", label="both ways", value=True, verb="lab.redraw"),
        Latency("latency", label="Latency (ms)", width="300px", verb="lab.set_latency",
                tip="How long a message takes, at least and at most"),
        Percent("loss", label="Loss (%)", width="250px", verb="lab.set_loss",
                tip="So many messages of a hundred are lost"),
        Percent("duplication", label="Duplication (%)", width="280px", verb="lab.set_duplication",
                tip="So many messages of a hundred arrive twice"),
    ),
    "new cluster": (
        Choice("new_size", "New cluster of", width="190px", reads=as_it_is,
               options=tuple((f"{size} node{'s'[: size - 1]}", size) for size in SIZES),
               start=SIZES.index(USUAL_SIZE)),
        TextField("new_seed", "Seed", value="1", width="90px", example="1", enter="new_button",
                  reads=lambda words, _: seed_in(words)),
        *(
            Checkbox(f"new_{name}", label=name.replace("_", " "), value=True, reads=as_it_is)
            for name in PROTECTIONS
        ),
        Button("all_protections_button", "All", "With all protections", "lab.protect", (True,)),
        Button("figure_2_button", "Figure 2", "Without any: what Figure 2 of the paper says",
               "lab.protect", (False,)),
        Button("new_button", "Begin", "Begin with that cluster; every run is kept (Enter)",
               "session.begin_new",
               ("new_size", "new_seed", *(f"new_{name}" for name in PROTECTIONS)),
               icon="plus", takes_ms=0.0),
    ),
    "situation": (
        Choice("situation", "Situation", options=SITUATIONS, width="330px", verb="lab.redraw",
               reads=as_it_is),
        Button("situation_button", "Begin there", "Begin with that situation; every run is kept",
               "session.begin_situation", ("situation",), icon="plus", takes_ms=0.0),
        Html("situation_told", css="raftlab-told"),
    ),
    "alarm": (Html("alarm", size=BOTH),),
    "banner": (
        Html("banner", size=BOTH),
        Button("before_button", "Look at the frame before", "", "session.back",
               icon="step-backward", size=BOTH),
    ),
    "note": (
        Html("note", css="raftlab-note", size=BOTH),
        Choice("branch", "Runs", options=(("run 1: the first", 1),), width="320px",
               verb="session.choose", size=BOTH),
    ),
    "state": (
        Html("lights"),
        Choice("picture", "Picture", options=PICTURES, width="192px", verb="lab.redraw"),
    ),
    "messages": (
        List("messages", lines=7, css="raftlab-messages",
             label="Messages on their way (the next to arrive first)", verb="lab.redraw",
             reads=message_chosen),
    ),
    "message": (
        Button("deliver_button", "Deliver", "Let it arrive now (a)", "cluster.deliver",
               ("messages",), key=Key("a", "let the chosen message arrive"),
               when=requirements.needs_a_chosen_message),
        Button("drop_button", "Drop", "Lose it (d)", "cluster.drop", ("messages",),
               key=Key("d", "drop the chosen message"), when=requirements.needs_a_chosen_message),
        Button("duplicate_button", "Duplicate", "Send a second copy on its way (u)",
               "cluster.duplicate", ("messages",), key=Key("u", "duplicate the chosen message"),
               when=requirements.needs_a_chosen_message),
        Button("delay_button", "Delay", "Hold it up for so long (l)", "cluster.delay",
               ("messages", "delay_ms"), key=Key("l", "delay the chosen message"),
               when=requirements.needs_a_chosen_message),
        Number("delay_ms", "by (ms)", value=50.0, width="108px", reads=float_of),
    ),
    "events": ("What happened (newest first)", Html("events", every_frame=True)),
    "texts": (Html("nodes_table"), Html("text"), Html("keys")),
    "runs": (
        List("runs", lines=3, css="raftlab-runs", label="Runs (choose one to go to its end)",
             verb="session.choose"),
    ),
    "shared": (Html("shared", css="raftlab-shared"),),
    "copy": (
        Button("copy_shared", label="Copy", icon="copy", tip="Copy the text", css="raftlab-copy"),
        Button("copy_link", label="Copy link", icon="link", tip="Copy a link that opens the run",
               css="raftlab-copy-link"),
        Toggle("code_mode", "Python", "Show the run as a few lines of Python", "lab.redraw"),
    ),
    "open": (
        (
            TextField("run_text", "Open", value="", width="auto", example="raftlab.1.…",
                      enter="open_button", refilled=True, tip="The text of a shared run",
                      reads=as_it_is),
            Button("open_button", "Open as a new run", "Every run is kept (Enter)",
                   "lab.open_shared", icon="folder-open"),
        ),
    ),
    "code": (Html("code"),),
    "only keys": (
        OnlyKey(key=Key("ArrowDown", "choose the next node", "↓"), verb="lab.choose_node_beside",
                arguments=(1,)),
        OnlyKey(key=Key("ArrowUp", "choose the node before", "↑"), verb="lab.choose_node_beside",
                arguments=(-1,)),
        OnlyKey(key=Key("x", "crash the chosen node, or restart it"), verb="lab.crash_or_restart"),
        OnlyKey(key=Key("p", "pause the chosen node, or let it go on"), verb="lab.pause_or_resume"),
        OnlyKey(key=Key("]", "choose the next message"), verb="lab.choose_message_beside",
                arguments=(1,)),
        OnlyKey(key=Key("[", "choose the message before"), verb="lab.choose_message_beside",
                arguments=(-1,)),
        OnlyKey(key=Key("r", "look again: the cluster was changed elsewhere"),
                verb="session.refresh", takes_ms=SLIDE_MS),
        OnlyKey(key=Key("?", "show or hide these keys"), verb="lab.show_or_hide_keys"),
    ),
}
# fmt: on
"""Which controls there are, and where they stand: a row each, first to last."""

CONTROLS: Mapping[str, Control] = controls_in(tuple(ROWS.values()))
"""Every control by its name."""

BUTTONS = {name: each for name, each in CONTROLS.items() if each.kind is Kind.BUTTON and each.verb}
"""The buttons that the page reports; the others it sees to by itself."""

REQUIREMENTS = {name: each.when for name, each in CONTROLS.items() if each.when}
"""Why what a control does cannot be done now, of those that know."""

EVERY_FRAME = {name: each for name, each in CONTROLS.items() if each.every_frame}
"""What changes with every moment."""

FIELDS = {name: each for name, each in CONTROLS.items() if each.reads}
"""What a verb may depend on."""

KEYS_IN_ORDER = (
    *(" ", "ArrowRight", "ArrowLeft", "Home", "End", *"zecvg", "ArrowDown", "ArrowUp"),
    *"xptihnqmfo][adulr?",
)

KEYS: Mapping[str, Control] = {
    key: control
    for key in KEYS_IN_ORDER
    for control in CONTROLS.values()
    if control.key and control.key.key == key
}
"""What each key presses, in the order in which the lab lists them."""
