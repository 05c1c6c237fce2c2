"""Packets in plain text: a line a packet, and the journey of one."""

from collections.abc import Iterator, Sequence

from ipsecsim.base.instant import format_seconds
from ipsecsim.base.visible import visible
from ipsecsim.experiment.packets import Diff, Packet, Packets
from ipsecsim.observe.lives.journey import Journey, form
from ipsecsim.observe.lives.life import Hop
from ipsecsim.observe.packets.host_capture import Sight
from ipsecsim.observe.packets.packet_summary import details, summary
from ipsecsim.observe.telling.shape import count
from ipsecsim.views import xray_text
from ipsecsim.views.columns import columns


def listing(packets: Packets, limit: int | None = None) -> Iterator[str]:
    """A line a packet, then how many there are; of many the first `limit`."""
    shown = packets if limit is None else packets[:limit]
    yield from columns([_cells(each) for each in shown])
    more = len(packets) - len(shown)
    noun = "packet" if len(packets) == 1 else "packets"
    yield f"{len(packets)} {noun}, {packets.bytes} B" + (f"; {more} more are not shown" if more else "")


def captured(seen: Sequence[Sight], limit: int | None = None) -> Iterator[str]:
    """A line for each packet of a capture on a node, then how many there are; of many the first `limit`."""
    shown = seen[:limit]
    yield from columns([_seen(each) for each in shown])
    more = len(seen) - len(shown)
    opened = [each for each in seen if each.opened_from]
    carried = len([each for each in opened if each.was_on_link]) or "none"
    told = (
        f"; {len(opened)} it had opened itself, and of these the link carried {carried} so" if opened else ""
    )
    yield f"{count(len(seen), 'packet')} seen{told}" + (f"; {more} more are not shown" if more else "")


def line(packet: Packet) -> str:
    """'#27  esp  west > east   140 B   ok   spi 5e0d77aa seq 1'."""
    return visible("   ".join(each for each in _cells(packet) if each))


def whole(packet: Packet) -> str:
    """The line, what it has to do with other packets, and every hop."""
    return "\n".join([line(packet), *(f"  {visible(each)}" for each in (*_kin(packet), *_hops(packet)))])


def journey(packet: Packet) -> str:
    """One datagram through all that changed or carried it, a line a stop."""
    told = packet.follow()
    head = f"#{packet.number} {form(packet.data)} {packet.source} > {packet.to}   {packet.size} B"
    return "\n".join([visible(head), *(f"  {each}" for each in stops(told))])


def changes(packet: Packet, hop: int | None = None) -> Iterator[str]:
    """What each node and link on its way did to its fields; or only who sent it on one hop."""
    if hop is not None:
        yield from _change(packet.diff(hop))
        return
    for number, each in enumerate(packet.hops, 1):
        if number > 1:
            yield from _change(packet.diff(number))
        if each.arrived_packet is not None:
            yield from _change(packet.diff(each.link))


def _change(found: Diff) -> Iterator[str]:
    yield found.by
    yield from (f"  {each}" for each in xray_text.changes(found.changes))


def stops(told: Journey) -> list[str]:
    """The stops of a journey, a line each."""
    return columns([["  " * leg.depth + leg.place, leg.way, leg.words] for leg in told.legs])


def _cells(packet: Packet) -> list[str]:
    fate = "ok" if packet.fate == "delivered" and not packet.reason else packet.reason or packet.fate
    ends = f"{packet.source} > {packet.to}"
    return [f"#{packet.number}", form(packet.data), ends, f"{packet.size} B", fate, details(packet.data)]


def _seen(sight: Sight) -> list[str]:
    opened = ""
    if sight.opened_from:
        so = "" if sight.was_on_link else f"; {sight.link} did not carry it so"
        opened = f"opened from #{sight.opened_from}{so}"
    when = [format_seconds(sight.at), sight.link, sight.way]
    return [*when, f"#{sight.number}", visible(summary(sight.packet)), opened]


def _kin(packet: Packet) -> Iterator[str]:
    life = packet.life
    copied = [] if life.copy_of is None else [life.copy_of]
    answered = [] if life.answers is None else [life.answers]
    for words, numbers in (
        ("carries", life.carries),
        ("carried by", life.carried_by),
        ("cut into", life.pieces),
        ("a piece of", life.piece_of),
        ("a copy of", copied),
        ("answers", answered),
        ("answered by", life.answered_by),
    ):
        if numbers:
            yield f"{words} {', '.join(f'#{number}' for number in numbers)}"


def _hops(packet: Packet) -> list[str]:
    """When and where it was on a link, and what became of it there."""
    return columns([_hop(packet, number, hop) for number, hop in enumerate(packet.hops, 1)])


def _hop(packet: Packet, number: int, hop: Hop) -> list[str]:
    way = f"{hop.source} > {hop.to}" if hop.to else hop.source
    when = [f"turn {hop.left}", format_seconds(hop.at)]
    return [f"hop {number}", *when, hop.link, way, packet.fate_of(hop).words]
