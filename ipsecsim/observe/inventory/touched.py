"""Which sections of a node an event may have changed: events tell where to look, the live node what is there."""

from collections.abc import Iterable

from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ike import events as ike_events
from ipsecsim.ipsec import events as ipsec
from ipsecsim.net import events as net
from ipsecsim.observe.inventory.looking import SECTIONS
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat import events as nat

EVERYTHING = frozenset(SECTIONS)

_OF_IKE = frozenset(("ike", "sas", "policies", "held", "pools", "interfaces", "routes", "path MTU"))
_OF_IPSEC = frozenset(("sas", "policies", "held", "path MTU"))

_BY_MODULE = {
    ike_events.__name__.rpartition(".")[0]: _OF_IKE,  # all of the package
    ipsec.__name__.rpartition(".")[0]: _OF_IPSEC,
    nat.__name__.rpartition(".")[0]: frozenset(("mappings",)),
}
_BY_CLASS: dict[type[TraceEvent], frozenset[str]] = {
    PacketDropped: frozenset(
        ("sas", "policies", "held", "fragments")
    ),  # the last check failed, earlier ones held
    stack.ConnectionOpened: frozenset(("connections",)),
    stack.ConnectionForgotten: frozenset(("connections",)),
    stack.RulesChanged: frozenset(("connections",)),
    stack.FragmentStored: frozenset(("fragments",)),
    stack.FragmentsAbandoned: frozenset(("fragments",)),
    stack.PacketReassembled: frozenset(("fragments",)),
    stack.PathMtuLowered: frozenset(("path MTU",)),
    stack.AddressTaken: frozenset(("interfaces", "routes")),
    stack.AddressReleased: frozenset(("interfaces", "routes")),
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


def sections(events: Iterable[TraceEvent]) -> frozenset[str]:
    """The sections of its node that the events of a turn may have changed."""
    found: frozenset[str] = frozenset()
    for event in events:
        found |= _sections_of(type(event))
    return found


def _sections_of(kind: type[TraceEvent]) -> frozenset[str]:
    known = _BY_CLASS.get(kind)
    if known is None:
        package = kind.__module__.rpartition(".")[0]
        known = _BY_CLASS[kind] = _BY_MODULE.get(package, frozenset())
    return known
