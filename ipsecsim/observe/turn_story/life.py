"""Turns in the life of nodes: what the script and attackers do, and those in which little happens."""

from ipsecsim.base.address import unpack
from ipsecsim.net import events as net
from ipsecsim.observe.turn_story.row import Row
from ipsecsim.stack import events as stack

FIRST: tuple[Row, ...] = (
    Row(
        net.NodeCrashed,
        "crashes",
        "{f.node} goes down, and all that it had in memory is lost.",
        "SAs live in memory only. Its peers do not know yet, and go on sending.",
    ),
    Row(
        net.NodeStarted,
        "starts",
        "{f.node} comes up again, and knows nothing of what was before.",
        "What its peers seal with the old keys it cannot open.",
    ),
    Row(
        net.NodeAskedInVain,
        "waits",
        "{f.node} is down, and cannot do what the script asks for.",
        "Nobody answers from a node that is off.",
    ),
)
"""Before all others."""

LAST: tuple[Row, ...] = (
    Row(
        net.NothingSeen,
        "waits",
        "{f.node} has seen nothing that it could send again.",
        "It can only copy what has passed by where it listens.",
    ),
    Row(
        net.PassingSelected,
        "waits",
        "{f.node} lies in wait: {e.words}.",
        "It stands on the path and sees all that passes; it has no keys.",
    ),
    Row(
        net.AddressChanged,
        "moves",
        lambda e, f: f"{f.node} has {unpack(e.new)} from now on, and {unpack(e.old)} no more.",
        "What is sent to the old address finds nobody.",
    ),
    Row(
        net.InterfaceChanged,
        "changes",
        lambda e, f: f"{f.node}'s interface {e.interface} is {'up' if e.is_up else 'down'} now.",
        lambda e, f: (
            "What waited for a way out may go now." if e.is_up else "Nothing goes out or comes in there."
        ),
    ),
    Row(
        stack.RulesChanged,
        "changes",
        "{f.node} filters by other rules from now on.",
        "Connections that the new rules would not have let in are forgotten, too.",
    ),
    Row(
        net.SettingChanged,
        "changes",
        "{f.node} has a new setting: {e.path} is {e.value}.",
        "The script did that, as a person might at a console.",
    ),
    Row(
        net.NoteTaken,
        "notes",
        "{f.node} is where the script says something: {e.words}",
        "Nothing happens in the network; a note is for whoever follows the story.",
    ),
    Row(
        net.FlowListened,
        "starts",
        "{f.node} listens at UDP port {e.port}, for {e.name}.",
        "Without a listener the first packet would be refused.",
    ),
    Row(
        stack.ConnectionForgotten,
        "forgets",
        lambda e, f: f"{f.node} forgets a connection: {e.why}.",
        "Its next packet has to be let in by a rule again.",
    ),
    Row(
        net.TurnBegan,
        "looks",
        "{f.node} is where the script looks whether its claims hold.",
        "Nothing happens in the network.",
        lambda e, f: e.stimulus == "look",
    ),
    Row(
        net.TurnBegan,
        "waits",
        "{f.node} hears a timer ring, and does nothing that others see.",
        "Something old is forgotten, or what was waited for has happened already.",
        lambda e, f: e.stimulus == "timer",
    ),
    Row(
        net.TurnBegan,
        "waits",
        "{f.node} does what the script says, and nothing is seen of it yet.",
        "What it asked for is under way already, or is there.",
        lambda e, f: e.stimulus in ("script", "start"),
    ),
    Row(
        net.TurnBegan,
        "accepts",
        "{f.node} takes {f.noun}.",
        "It has no further consequence.",
    ),
)
"""After all others; the last rows fit every turn."""
