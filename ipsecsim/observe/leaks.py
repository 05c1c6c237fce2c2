"""No leak: what policy wants protected is never readable on the far side of an IPsec boundary.

Two looks at it. The rules: whatever a gateway sends in clear across its boundary must be allowed to, by the
rules that the gateway holds when the recording ends. The bytes: once a packet was sealed, the start of its
payload must not be seen on any link outside.
"""

from collections.abc import Iterable, Iterator

from ipsecsim.ipsec.events import PacketSealed
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import any_matches_outbound, flow_of
from ipsecsim.net.events import FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.packet_summary import summary
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.violation import Violation
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol

NEEDLE_LENGTH = 8
"""Bytes from the start of a payload that give it away: ports and checksums make them unlike any other's."""
LEAST_DISTINCT = 4
"""Different values among them; eight zeros prove nothing."""

Key = tuple[bytes, bytes, int]
"""Which pieces belong together: identification, both addresses, protocol (RFC 791 3.2)."""


def check_leaks(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """Every frame that should not have been readable where it was."""
    gateways = [node for node in simulator.nodes.values() if isinstance(node, VpnGateway)]
    boundaries = {gateway.name: _Boundary(gateway) for gateway in gateways}
    outside = outside_links(simulator)
    sealed: dict[bytes, int] = {}
    for row in recorder.rows:
        event = row.event
        boundary = boundaries.get(row.node)
        if boundary is not None:
            violation = boundary.notice(row)
            if violation is not None:
                yield violation
        if isinstance(event, PacketSealed):
            needle = _needle(event.inner)
            if needle is not None:
                sealed[needle] = row.turn.number
        elif isinstance(event, FrameSent) and sealed and event.link in outside:
            turn = _find(sealed, event.packet)
            if turn is not None:
                what = summary(event.packet)
                sentence = f"a packet sealed in turn {turn} can be read on {event.link}: {what}"
                yield Violation(row.turn.number, row.node, sentence)


def outside_links(simulator: Simulator) -> set[str]:
    """Links beyond an unprotected interface that no protected side reaches without passing a gateway."""
    unprotected: set[str] = set()
    protected: set[str] = set()
    for link in simulator.links.values():
        for node, interface in link.owners.values():
            if isinstance(node, VpnGateway):
                (unprotected if interface in node.unprotected else protected).add(link.name)
    return _reachable(simulator, unprotected) - _reachable(simulator, protected)


class _Boundary:
    """One gateway's far side, and what in the present turn it may send there without asking policy."""

    def __init__(self, gateway: VpnGateway) -> None:
        self._unprotected = gateway.unprotected
        self._addresses = gateway.stack.addresses
        self._policies = gateway.ipsec.spd.policies
        self._turn = 0
        self._allowed: set[Key] = set()

    def notice(self, row: Record) -> Violation | None:
        """Look at a row of this gateway; a violation when it lets something out in clear."""
        if row.turn.number != self._turn:
            self._turn = row.turn.number
            self._allowed.clear()
        event = row.event
        if isinstance(event, PacketOriginated):
            if self._is_own(event.packet):
                self._allowed.add(_key(event.packet))
        elif isinstance(event, FrameSent) and event.interface in self._unprotected:
            return self._judge(row, event)
        return None

    def _is_own(self, packet: bytes) -> bool:
        """IKE and ESP that this gateway speaks itself do not ask policy (RFC 4301 4.4.1)."""
        if packet[ipv4.SOURCE] not in self._addresses:
            return False
        if packet[ipv4.PROTOCOL] == IpProtocol.ESP:
            return True
        is_udp = packet[ipv4.PROTOCOL] == IpProtocol.UDP
        return is_udp and int.from_bytes(ipv4.payload(packet)[:2], "big") in (IKE_PORT, NAT_T_PORT)

    def _judge(self, row: Record, sent: FrameSent) -> Violation | None:
        key = _key(sent.packet)
        if key in self._allowed:
            return None  # also the later pieces of a packet that was judged while it was whole
        policy = _first_match(self._policies, sent.packet)
        if policy is not None and policy.action is PolicyAction.BYPASS:
            self._allowed.add(key)
            return None
        why = "no rule lets it" if policy is None else f"the rule {policy.name} says {policy.action.name}"
        sentence = f"sent in clear on {sent.link} though {why}: {summary(sent.packet)}"
        return Violation(row.turn.number, row.node, sentence)


def _first_match(policies: Iterable[Policy], packet: bytes) -> Policy | None:
    # not through the SPD itself: looking at a recording must not fill a live node's cache
    flow = flow_of(packet)
    return next((policy for policy in policies if any_matches_outbound(policy.selectors, flow)), None)


def _key(packet: bytes) -> Key:
    return bytes(packet[4:6]), bytes(packet[12:20]), packet[ipv4.PROTOCOL]


def _needle(inner: bytes) -> bytes | None:
    """The start of a sealed packet's payload, where it is long enough and not too plain to give it away.

    Later fragments have none: they begin anywhere, and the same data may be sent elsewhere in clear.
    """
    if inner[6] & 0x1F or inner[7]:
        return None
    start = ipv4.payload(inner)[:NEEDLE_LENGTH]
    return start if len(start) == NEEDLE_LENGTH and len(set(start)) >= LEAST_DISTINCT else None


def _find(sealed: dict[bytes, int], packet: bytes) -> int | None:
    """The turn of sealing of the first needle that `packet` holds anywhere."""
    windows = (packet[at : at + NEEDLE_LENGTH] for at in range(len(packet) - NEEDLE_LENGTH + 1))
    return next((sealed[window] for window in windows if window in sealed), None)


def _reachable(simulator: Simulator, start: set[str]) -> set[str]:
    """Links that a packet can get to from those in `start` without passing a gateway."""
    reached, border = set(start), set(start)
    while border:
        routers = {
            node.name
            for name in border
            for node, _ in simulator.links[name].owners.values()
            if node.stack.forwards and not isinstance(node, VpnGateway)
        }
        border = {
            link.name
            for link in simulator.links.values()
            if any(node.name in routers for node, _ in link.owners.values())
        } - reached
        reached |= border
    return reached
