"""Conservation: what entered was delivered, sent on, dropped with a reason, or still waits.

The books are kept in packets. In each turn of a node what came equals what went; what waits longer than a
turn stands in an account of its own, and what is on a link in another.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ipsec.events import HoldEnded, PacketHeld, PacketSealed
from ipsecsim.net.events import (
    FrameArrived,
    FrameCorrupted,
    FrameDoubled,
    FrameLost,
    FrameSent,
    PacketReplayed,
)
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe.invariants.violation import Violation
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import (
    FragmentsAbandoned,
    FragmentStored,
    PacketDelivered,
    PacketFragmented,
    PacketOriginated,
    PacketReassembled,
)

Account = Mapping[type[TraceEvent], Callable[[Any], int]]


def _leaves(dropped: PacketDropped) -> int:
    if dropped.reason.layer == "ike":
        return 0  # the packet was delivered to IKE before, the reason is about the message in it
    return 0 if dropped.reason is DropReason.FRAG_TIMEOUT else -1  # that one left the fragments


IN_PLAY: Account = {
    FrameArrived: lambda _: +1,
    PacketOriginated: lambda _: +1,
    PacketReplayed: lambda _: +1,
    PacketSealed: lambda _: -1,  # the packet around it is originated
    PacketHeld: lambda _: -1,
    HoldEnded: lambda _: +1,
    FragmentStored: lambda _: -1,
    FragmentsAbandoned: lambda given_up: given_up.pieces,
    PacketFragmented: lambda cut: cut.pieces - 1,
    PacketDelivered: lambda _: -1,
    FrameSent: lambda _: -1,
    FrameLost: lambda _: +1,  # refused by the link: a drop must follow
    PacketDropped: _leaves,
}
"""How each event changes the number of packets that a node has in hand; any other one does not."""

WAITING_FOR_SA: Account = {
    PacketHeld: lambda _: +1,
    HoldEnded: lambda _: -1,
}
WAITING_FRAGMENTS: Account = {
    FragmentStored: lambda _: +1,
    FragmentsAbandoned: lambda given_up: -given_up.pieces,
    PacketReassembled: lambda whole: 1 - whole.pieces,  # the last piece never waited
    PacketDropped: lambda dropped: -(dropped.reason is DropReason.FRAG_TIMEOUT),
}


def check_conservation(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """Look at every turn, at every frame, and at what waits in the end."""
    yield from _check_turns(recorder)
    yield from _check_waiting(recorder, simulator)
    yield from _check_links(recorder, simulator)


def _change(account: Account, event: TraceEvent) -> int:
    rule = account.get(type(event))
    return 0 if rule is None else rule(event)


def _check_turns(recorder: Recorder) -> Iterator[Violation]:
    for rows in recorder.all_turns():
        left = sum(_change(IN_PLAY, row.event) for row in rows)
        turn = rows[0].turn
        if left > 0:
            sentence = f"packets in hand that were neither sent, delivered, held nor dropped: {left}"
            yield Violation(turn.number, turn.node, sentence)
        elif left < 0:
            yield Violation(turn.number, turn.node, f"packets that came from nowhere: {-left}")


def _check_waiting(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    held: Counter[str] = Counter()
    fragments: Counter[str] = Counter()
    for row in recorder.rows:
        held[row.node] += _change(WAITING_FOR_SA, row.event)
        fragments[row.node] += _change(WAITING_FRAGMENTS, row.event)
        if held[row.node] < 0 or fragments[row.node] < 0:
            yield Violation(row.turn.number, row.node, "more packets stopped waiting than ever waited")
            held[row.node], fragments[row.node] = max(0, held[row.node]), max(0, fragments[row.node])
    for name, node in simulator.nodes.items():
        waiting = node.ipsec.held if isinstance(node, VpnGateway) else 0
        if held[name] != waiting:
            yield Violation(0, name, f"packets that wait for an SA: {waiting}, and by the books {held[name]}")
        if fragments[name] != node.stack.fragments_waiting:
            there = node.stack.fragments_waiting
            yield Violation(0, name, f"fragments that wait: {there}, and by the books {fragments[name]}")


def _check_links(recorder: Recorder, simulator: Simulator) -> Iterator[Violation]:
    """On each link: sent + doubled = arrived + lost + in flight, and bytes arrive as they were sent, or spoilt."""
    in_flight: dict[int, tuple[str, bytes]] = {}
    for row in recorder.rows:
        event, turn = row.event, row.turn
        if isinstance(event, FrameSent):
            in_flight[event.frame] = event.link, event.packet
        elif isinstance(event, FrameDoubled):
            in_flight[event.frame] = in_flight[event.original]
        elif isinstance(event, FrameCorrupted):
            in_flight[event.frame] = event.link, event.packet
        elif isinstance(event, FrameArrived | FrameLost):
            sent = in_flight.pop(event.frame, None)
            if sent is None or sent[0] != event.link:
                sentence = f"frame {event.frame} came off {event.link}, where it was not in flight"
                yield Violation(turn.number, turn.node, sentence)
            elif isinstance(event, FrameArrived) and event.packet != sent[1]:
                yield Violation(turn.number, turn.node, f"frame {event.frame} changed on {event.link}")
    if len(in_flight) != simulator.in_flight:
        frames = ", ".join(f"{frame} on {link}" for frame, (link, _) in in_flight.items()) or "none"
        sentence = f"frames in flight: {simulator.in_flight}, and by the books {len(in_flight)} ({frames})"
        yield Violation(0, "links", sentence)
