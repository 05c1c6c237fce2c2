"""What a finding is about: which traffic it hit, and which tunnel."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from ipsecsim.base.errors import RemoteError
from ipsecsim.observe.record import Record
from ipsecsim.wire import ip


class Shown(Protocol):
    """What rows show, and rules that it concerns though no row names them: a finding is one, and so are drops."""

    @property
    def rows(self) -> tuple[Record, ...]:
        """The rows that show it."""
        ...

    @property
    def rules(self) -> tuple[tuple[str, str], ...]:
        """SPD rules, by node and name."""
        ...


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a tunnel as rows name it: a node, its connection and SPD rules, and the node's addresses."""

    node: str
    connection: str
    rules: frozenset[str]
    addresses: frozenset[bytes]


def is_about(shown: Shown, sides: Sequence[Side], gateways: Container[bytes]) -> bool:
    """Does it speak of the tunnel between these sides? `gateways` are the addresses of all nodes with IPsec.

    It does when it names a connection or a rule of either side, or a packet between the two. Where a NAT stands
    between them one address of that packet is nobody's.
    """
    if any((side.node, rule) in shown.rules for side in sides for rule in side.rules):
        return True
    return any(_speaks_of(row, sides, gateways) for row in shown.rows)


def _speaks_of(row: Record, sides: Sequence[Side], gateways: Container[bytes]) -> bool:
    event = row.event
    for side in sides:
        if row.node == side.node:
            if getattr(event, "connection", "") == side.connection != "":
                return True
            if getattr(event, "policy", "") in side.rules:
                return True
    packet = getattr(event, "packet", b"")
    return bool(packet) and _is_between(packet, sides, gateways)


def _is_between(packet: bytes, sides: Sequence[Side], gateways: Container[bytes]) -> bool:
    try:
        ip.check(packet)
    except RemoteError:
        return False  # spoilt on its way, perhaps: nobody can say whose it was
    ends = ip.addresses(packet)
    own = [address for address in ends if any(address in side.addresses for side in sides)]
    others = [address for address in ends if address not in own]
    return bool(own) and not any(address in gateways for address in others)
