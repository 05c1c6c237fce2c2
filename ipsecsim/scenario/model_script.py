"""What happens in a topology: the actions of its script, as its sentences ask for them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ipsecsim.base.errors import Place
from ipsecsim.base.instant import Duration
from ipsecsim.net.tampering import Mask
from ipsecsim.scenario.model_ipsec import NOWHERE

if TYPE_CHECKING:
    from ipsecsim.scenario.model import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptAction:
    """One thing that a sentence asks for. `text` is the sentence with group and counted names worked out."""

    text: str
    place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Traffic(ScriptAction):
    """`ping FROM TO` and its like: the application `verb` on one node, with another node as its aim.

    `options` are the application's own, by keyword; what is not said is left to it. `ip` None is the topology's
    first version. `name` is this traffic's alone: what the file says or the verb, then 'ping 2', 'ping 3'.
    """

    verb: str
    source: str
    to: str
    options: tuple[tuple[str, int | str], ...]
    name: str
    ip: int | None


@dataclass(frozen=True, slots=True)
class AboutTunnel(ScriptAction):
    """What one end of a tunnel is to do: this node's connection, about this child."""

    tunnel: str
    node: str
    connection: str
    child: str


@dataclass(frozen=True, slots=True)
class Initiate(AboutTunnel):
    """`initiate TUNNEL`: set the child up."""


@dataclass(frozen=True, slots=True)
class Terminate(AboutTunnel):
    """`terminate TUNNEL`: delete the connection's IKE SA, and with it the child."""


@dataclass(frozen=True, slots=True)
class Rekey(AboutTunnel):
    """`rekey TUNNEL`: give the child new keys; with `sa` 'ike' replace its IKE SA."""

    sa: Literal["child", "ike"]


@dataclass(frozen=True, slots=True)
class Reauth(AboutTunnel):
    """`reauth TUNNEL`: make a new IKE SA from scratch in the place of the one that carries the child."""


@dataclass(frozen=True, slots=True)
class Roam(ScriptAction):
    """`roam NODE INTERFACE`: the interface comes up, and the others that lead outside go down.

    They do so at once, or `overlap` later; or `gap` earlier, when the new one is late.
    """

    node: str
    interface: str
    gap: Duration
    overlap: Duration


@dataclass(frozen=True, slots=True)
class AboutNode(ScriptAction):
    """What happens to a node as a whole."""

    node: str


@dataclass(frozen=True, slots=True)
class Crash(AboutNode):
    """`crash NODE`: it goes down, and all that it had in memory is lost. Nothing happens when it is down."""


@dataclass(frozen=True, slots=True)
class Restart(AboutNode):
    """`restart NODE`: it comes up after a crash. Nothing happens when it is up."""


@dataclass(frozen=True, slots=True)
class Reboot(AboutNode):
    """`reboot NODE`: a crash, and a restart a little later."""


@dataclass(frozen=True, slots=True)
class Flush(AboutNode):
    """`flush NODE`: it forgets its SAs, and as a NAT its mappings, and tells nobody."""


@dataclass(frozen=True, slots=True)
class Set(ScriptAction):
    """`set PATH VALUE`: from now on it is as if the file had said so. `value` is read, `written` is not."""

    path: tuple[str, ...]
    value: object
    written: str


@dataclass(frozen=True, slots=True)
class Note(ScriptAction):
    """`note WORDS`: a remark in the story."""

    words: str


@dataclass(frozen=True, slots=True)
class Attack(ScriptAction):
    """What an attacker does to packets that satisfy `where`: `count` of them, None for all there are.

    Two of them are `interval` apart at least.
    """

    node: str
    where: tuple["Condition", ...]
    count: int | None
    interval: Duration


@dataclass(frozen=True, slots=True)
class Replay(Attack):
    """`replay NODE`: send again what was seen."""


@dataclass(frozen=True, slots=True)
class Flip(Attack):
    """`flip NODE`: change a bit of what passes from now on, or those that the mask says."""

    mask: Mask | None = None


@dataclass(frozen=True, slots=True)
class Drop(Attack):
    """`drop NODE`: take out what passes from now on."""
