"""The path of a packet through a node, and the hooks on it.

    arrive > PREROUTING > for us? -- yes > INPUT > somebody here
                              \\-- no > route > FORWARD > ttl > POSTROUTING > link
    made here > route > OUTPUT > POSTROUTING > link

Firewalls, NATs and the IPsec boundary stand at hooks. They do not know each other; order is order of adding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ipsecsim.base.actions import Action


class Hook(Enum):
    """A point on the path."""

    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


@dataclass(slots=True)
class Passage:
    """What a hook may know besides the packet.

    `decapsulated`: the packet came out of an SA. `exempt`: the IPsec engine made the packet, policy has spoken.
    """

    inbound: str | None = None
    outbound: str | None = None
    decapsulated: bool = False
    exempt: bool = False


Verdict = bytes | list[Action]
"""A packet (perhaps changed) that goes on, or what follows from taking it: an empty list when it was dropped."""

HookFunction = Callable[[bytes, Passage], Verdict]


@dataclass(slots=True)
class HookTable:
    """The functions at each hook, in order. Empty ones are skipped by whoever walks: most nodes have none."""

    prerouting: tuple[HookFunction, ...] = ()
    input: tuple[HookFunction, ...] = ()
    forward: tuple[HookFunction, ...] = ()
    output: tuple[HookFunction, ...] = ()
    postrouting: tuple[HookFunction, ...] = ()

    def add(self, hook: Hook, function: HookFunction, *, first: bool = False) -> None:
        """Let `function` see every packet that passes `hook`: after those that are there, or before them."""
        there = getattr(self, hook.value)
        setattr(self, hook.value, (function, *there) if first else (*there, function))


def walk(functions: tuple[HookFunction, ...], packet: bytes, passage: Passage) -> Verdict:
    """Show the packet to each function until one takes it."""
    for function in functions:
        verdict = function(packet, passage)
        if isinstance(verdict, list):
            return verdict
        packet = verdict
    return packet
