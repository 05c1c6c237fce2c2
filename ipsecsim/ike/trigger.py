"""The packet for which a child is wanted: its selectors go first in TSi and TSr (RFC 7296 2.9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipsecsim.base.address import Prefix
from ipsecsim.ike.narrowing import MOST_SELECTORS, is_within, narrow, of_selector, traffic_selector
from ipsecsim.ipsec.selector import ANY_PORT, Flow, Selector, any_matches_outbound
from ipsecsim.wire.ike.traffic_selector import TrafficSelector
from ipsecsim.wire.numbers import IpProtocol

_ONE_WAY = (IpProtocol.ICMP, IpProtocol.ICMPV6)


@dataclass(frozen=True, slots=True)
class Trigger:
    """A packet that leaves this node.

    `only`: the child is to carry that, and nothing else of its rule (RFC 4301 4.4.1). `is_pair`: nothing but what
    goes between the packet's two addresses.
    """

    flow: Flow
    only: Selector | None = None
    is_pair: bool = False

    @classmethod
    def same_as(cls, row: Selector) -> "Trigger":
        """For a child that is to carry what another one does."""
        return cls(Flow(row.local[0], row.remote[0], row.protocol, None, None), row)

    @property
    def may_be_alone(self) -> bool:
        """Was more asked for than what goes between its two addresses?"""
        return self.only is None and not self.is_pair

    def alone(self) -> "Trigger":
        """The same packet, for a child of its two addresses."""
        return replace(self, is_pair=True)

    def is_carried(self, selectors: Sequence[Selector]) -> bool:
        """May an SA with these selectors carry the packet?"""
        return any_matches_outbound(selectors, self.flow)

    def offered(
        self, local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector]
    ) -> tuple[Sequence[TrafficSelector], Sequence[TrafficSelector]]:
        """What to ask for where the rule has these selectors, the most specific first."""
        if self.only is not None:
            here, there = of_selector(self.only)
            return [here], [there]
        flow = self.flow
        if self.is_pair:
            pair = traffic_selector(_host(flow.source)), traffic_selector(_host(flow.destination))
            return narrow([pair[0]], local) or local, narrow([pair[1]], remote) or remote
        here, there = self._first()
        may_stand = max(len(local), len(remote)) < MOST_SELECTORS
        if not may_stand or not (is_within([here], local) and is_within([there], remote)):
            return local, remote
        return _in_front(here, local), _in_front(there, remote)

    def _first(self) -> tuple[TrafficSelector, TrafficSelector]:
        flow = self.flow
        ports = [
            ANY_PORT if port is None else (port, port) for port in (flow.source_port, flow.destination_port)
        ]
        if flow.protocol in _ONE_WAY:
            ports = [ANY_PORT, ANY_PORT]  # an answer has another type, and is to come back the same way
        return (
            traffic_selector(_host(flow.source), flow.protocol, ports[0]),
            traffic_selector(_host(flow.destination), flow.protocol, ports[1]),
        )


def _host(address: bytes) -> Prefix:
    return Prefix(address, 8 * len(address))


def _in_front(one: TrafficSelector, others: Sequence[TrafficSelector]) -> list[TrafficSelector]:
    return [one, *(each for each in others if each != one)]
