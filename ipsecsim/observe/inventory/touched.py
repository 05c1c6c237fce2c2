"""What an event may have changed, sections or rows of them: events say where to look, the node what is there."""

from collections.abc import Callable, Hashable
from dataclasses import fields
from typing import Any

from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ike import events as ike_events
from ipsecsim.ipsec import events as ipsec
from ipsecsim.net import events as net
from ipsecsim.observe.inventory.sections import SECTIONS
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat import events as nat

EVERYTHING = frozenset(SECTIONS)
AT_TIMERS = frozenset(("fragments", "path MTU"))
"""What runs out without a word."""

RowOf = tuple[str, Callable[[Any], Hashable]]
"""A section, and the handle of the row in it that an event is about."""

_OF_IKE = frozenset(("ike", "sas", "policies", "held"))
_OF_IPSEC = frozenset(("sas", "policies", "held"))

_BY_PACKAGE = {
    ike_events.__name__.rpartition(".")[0]: _OF_IKE,
    ipsec.__name__.rpartition(".")[0]: _OF_IPSEC,
}
_BY_CLASS: dict[type[TraceEvent], frozenset[str]] = {
    PacketDropped: frozenset(("sas", "policies", "held", "fragments")),  # earlier checks held
    ipsec.PolicyMatched: frozenset(),
    ipsec.PacketSealed: frozenset(),
    ipsec.PacketOpened: frozenset(),
    ipsec.SaPathMtuLowered: frozenset(("sas", "path MTU")),
    ipsec.IcmpErrorBelieved: frozenset(("sas", "path MTU")),
    ike_events.AddressLent: frozenset(("pools",)),
    ike_events.AddressReturned: frozenset(("pools",)),
    stack.RulesChanged: frozenset(("connections",)),
    stack.FragmentStored: frozenset(("fragments",)),
    stack.FragmentsAbandoned: frozenset(("fragments",)),
    stack.PacketReassembled: frozenset(("fragments",)),
    stack.PathMtuLowered: frozenset(("path MTU",)),
    stack.AddressTaken: frozenset(("interfaces", "routes")),
    stack.AddressReleased: frozenset(("interfaces", "routes")),
}


def _outside(event: nat.PacketTranslated) -> Hashable:
    return event.after if event.where == "source" else event.before


def _key(event: stack.ConnectionOpened | stack.ConnectionForgotten) -> Hashable:
    return (event.protocol, *event.source, *event.destination)


_ROWS: dict[type[TraceEvent], tuple[RowOf, ...]] = {
    ipsec.PolicyMatched: (("policies", lambda event: event.policy),),
    ipsec.PacketSealed: (("sas", lambda event: event.spi),),
    ipsec.PacketOpened: (("sas", lambda event: event.spi),),
    nat.MappingMade: (("mappings", lambda event: event.outside),),
    nat.MappingEnded: (("mappings", lambda event: event.outside),),
    nat.PacketTranslated: (("mappings", _outside),),
    stack.ConnectionOpened: (("connections", _key),),
    stack.ConnectionForgotten: (("connections", _key),),
}
_OF_THE_WORLD = (
    net.SettingChanged,
    net.AddressChanged,
    net.InterfaceChanged,
    net.NodeCrashed,
    net.NodeStarted,
)
"""After these any node may be another one."""


def is_of_the_world(event: TraceEvent) -> bool:
    """May it have changed other nodes than the one that tells it?"""
    return isinstance(event, _OF_THE_WORLD)


def sections(kind: type[TraceEvent]) -> frozenset[str]:
    """The sections of its node that an event of a class may have changed anywhere."""
    known = _BY_CLASS.get(kind)
    if known is None:
        package = kind.__module__.rpartition(".")[0]
        known = _BY_CLASS[kind] = _BY_PACKAGE.get(package, frozenset())
    return known


def rows(kind: type[TraceEvent]) -> tuple[RowOf, ...]:
    """The rows that it may have changed: what programs tell is about the one whose name it has."""
    known = _ROWS.get(kind)
    if known is None:
        has_name = kind.__module__ == net.__name__ and any(each.name == "name" for each in fields(kind))
        known = _ROWS[kind] = (("applications", lambda event: event.name),) if has_name else ()
    return known
