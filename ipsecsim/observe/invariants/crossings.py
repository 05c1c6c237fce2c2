"""Policy is asked about every packet that crosses an IPsec boundary, in and out (RFC 4301 5).

What it said is the matter of `leaks`; here it counts that it was asked, once for each packet.
"""

from collections.abc import Iterator

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import (
    HoldEnded,
    IcmpErrorBelieved,
    PacketHeld,
    PacketOpened,
    PacketSealed,
    PolicyMatched,
)
from ipsecsim.ipsec.policy import PolicyAction
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketDelivered, PacketForwarded, PacketFragmented, PacketOriginated
from ipsecsim.wire import ip

_REFUSED_AFTERWARDS = (DropReason.NO_SA_YET, DropReason.SEQ_EXHAUSTED, DropReason.SA_EXPIRED)


def check_crossings(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """Every crossing for which nothing in its turn shows that policy was asked."""
    gateways = {name: node for name, node in simulator.nodes.items() if isinstance(node, VpnGateway)}
    for rows in recorder.all_turns():
        turn = rows[0].turn
        if turn.node in gateways:
            books = _Books(gateways[turn.node].unprotected)
            for row in rows:
                sentence = books.enter(row.event)
                if sentence:
                    yield Violation(turn.number, turn.node, sentence)


class _Books:
    """One turn of a gateway: how many packets may still cross in each direction, since policy was asked."""

    def __init__(self, unprotected: frozenset[str]) -> None:
        self._unprotected = unprotected
        self._inwards = 0
        self._outwards = 0
        self._came_from_outside = False
        self._was_made_here = False
        self._pieces = 0  # that belong to a packet which has crossed already
        self._sealed = b""  # what was sealed last

    def enter(self, event: TraceEvent) -> str:
        """Take the turn's next event; a sentence when it is a crossing that nobody asked about."""
        if isinstance(event, FrameArrived):
            self._came_from_outside = event.interface in self._unprotected
        elif isinstance(event, PacketOriginated):
            self._was_made_here = True
        elif isinstance(event, PolicyMatched):
            self._asked(event)
        elif isinstance(event, IcmpErrorBelieved):
            self._inwards += 1  # the settings are asked instead (RFC 4301 5.2, step 3c)
        elif isinstance(event, PacketOpened):
            self._inwards += 1  # the selectors of its SA are asked instead (RFC 4301 5.2, step 4)
        elif isinstance(event, HoldEnded):
            self._outwards += 1
        elif isinstance(event, PacketHeld):
            self._outwards -= 1
        elif isinstance(event, PacketDropped):
            self._outwards -= event.reason in _REFUSED_AFTERWARDS
        elif isinstance(event, PacketSealed):
            # policy speaks of a packet that is cut before it is sealed while it is still whole
            self._outwards += _are_of_one_packet(self._sealed, event.inner)
            self._sealed = event.inner
            self._pieces = 0  # they were pieces of what is sealed, and each is sent as a packet of its own
        elif isinstance(event, PacketFragmented):
            self._pieces = event.pieces
        elif isinstance(event, PacketForwarded | PacketDelivered):
            return self._crossed_inwards()
        elif isinstance(event, FrameSent):
            return self._crossed_outwards(event)
        return ""

    def _asked(self, event: PolicyMatched) -> None:
        if event.direction == Direction.OUTBOUND.value:
            self._outwards += event.verdict != PolicyAction.DISCARD.value
        else:
            self._inwards += event.verdict == PolicyAction.BYPASS.value

    def _crossed_inwards(self) -> str:
        if self._was_made_here or not self._came_from_outside:
            self._was_made_here = False  # a node's packet to itself crosses nothing
            return ""
        self._inwards -= 1
        return "took in a packet without asking policy" if self._inwards < 0 else ""

    def _crossed_outwards(self, sent: FrameSent) -> str:
        self._was_made_here = False
        if self._pieces:
            self._pieces -= 1
            if self._pieces:  # all but the last: it stands for the whole packet
                return ""
        if sent.interface not in self._unprotected:
            return ""
        self._outwards -= 1
        if self._outwards >= 0:
            return ""
        return f"sent without asking policy on {sent.link}: {summary(sent.packet)}"


def _are_of_one_packet(one: bytes, other: bytes) -> bool:
    """Are these pieces of the same packet? Identification and addresses say so."""
    if not one or not ip.is_fragment(one) or not ip.is_fragment(other):
        return False
    return _key(one) == _key(other)


def _key(packet: bytes) -> tuple[bytes, bytes, bytes]:
    if ip.version(packet) == 4:
        return packet[4:6], ip.source(packet), ip.destination(packet)
    start = ip.upper_layer(packet)[1]
    return packet[start - 4 : start], ip.source(packet), ip.destination(packet)
