"""State is bounded: whatever happens, no table of a node holds more than its cap.

What fills and empties turn by turn is followed through the recording; of the rest the end is looked at.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ipsecsim.ike.config import HalfOpenLimits
from ipsecsim.ike.v2.exchanges.create_child import MOST_CHILDREN
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.holding import HOLD_LIMIT, MOST_QUEUES
from ipsecsim.net.node import Node
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.invariants.conservation import WAITING_FOR_SA, WAITING_FRAGMENTS, Account
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.conntrack import MOST_CONNECTIONS
from ipsecsim.stack.events import ConnectionForgotten, ConnectionOpened
from ipsecsim.stack.nat.events import MappingEnded, MappingMade
from ipsecsim.stack.nat.portless import MOST_FLOWS
from ipsecsim.stack.nat.ports import FIRST_PORT, LAST_PORT
from ipsecsim.stack.reassembly import MOST_PACKETS, MOST_PIECES
from ipsecsim.wire.numbers import IpProtocol

_WITH_PORTS = (IpProtocol.UDP, IpProtocol.TCP, IpProtocol.ICMP)  # a query's identifier is as good as a port

_WITHOUT_PORTS = (IpProtocol.ESP, IpProtocol.AH)


@dataclass(frozen=True, slots=True)
class Followed:
    """A table whose size events tell: at most `most` for each thing that `of` takes from an event."""

    what: str
    most: int
    account: Account
    of: Callable[[Any], object] = lambda _: None


FOLLOWED = (
    Followed("packets that wait for an SA", HOLD_LIMIT * MOST_QUEUES, WAITING_FOR_SA),
    Followed("fragments that wait", MOST_PACKETS * MOST_PIECES, WAITING_FRAGMENTS),
    Followed(
        "connections of a firewall",
        MOST_CONNECTIONS,
        {ConnectionOpened: lambda _: +1, ConnectionForgotten: lambda _: -1},
    ),
    Followed(
        "NAT mappings of one outside address",
        (LAST_PORT + 1 - FIRST_PORT) * len(_WITH_PORTS) + MOST_FLOWS * len(_WITHOUT_PORTS),
        {MappingMade: lambda _: +1, MappingEnded: lambda _: -1},
        of=lambda event: event.outside[0],
    ),
)

_LIMITS = HalfOpenLimits()


def check_bounds(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """Every table that was ever too full, told once a node."""
    sizes: Counter[object] = Counter()
    told: set[object] = set()
    for row in recorder.rows:
        for table in FOLLOWED:
            rule = table.account.get(type(row.event))
            if rule is None:
                continue
            key = (row.node, table.what, table.of(row.event))
            sizes[key] += rule(row.event)
            if sizes[key] > table.most and key not in told:
                told.add(key)
                yield Violation(row.turn.number, row.node, _too_many(table.what, sizes[key], table.most))
    for node in simulator.nodes.values():
        for what, size, most in _in_the_end(node):
            if size > most:
                yield Violation(0, node.name, _too_many(what, size, most))


def _too_many(what: str, size: int, most: int) -> str:
    return f"{what}: {size}, and {most} are the most"


def _in_the_end(node: Node) -> Iterator[tuple[str, int, int]]:
    """What of a node can only be looked at now: its name, how much there is, and the most there may be."""
    if not isinstance(node, VpnGateway):
        return
    half_open = sum(sa.state is State.INIT_ANSWERED for sa in node.ike.sas)
    yield "half-open IKE SAs", half_open, _LIMITS.total
    yield "IKE SAs", len(node.ike.sas) - half_open, _LIMITS.standing
    yield "Child SAs of an IKE SA", max((len(sa.children) for sa in node.ike.sas), default=0), MOST_CHILDREN
