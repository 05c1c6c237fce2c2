"""What a capture program on a node shows, as on Linux with policy-based IPsec; made from the recording alone.

A packet socket sees what comes off a link before anything is done to it, and what goes onto one when all is done.
What came out of a tunnel is handed to the interface once more and seen a second time; what came out of transport
mode goes on at once. (docs.strongswan.org, 'Taking Traffic Dumps on Linux'; a live kernel is asked in the tests.)
Linux also shows what policy refuses once it is opened; here such a packet is dropped as it came, sealed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.events import PacketOpened, SaInstalled
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.record import Record

_BEFORE_THE_CARD = {DropReason.LINK_DOWN, DropReason.NO_NEIGHBOUR, DropReason.QUEUE_FULL}
"""Why a packet never leaves its host, so that a socket there does not see it go."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A packet as the capture has it, by its number in the run; `way` is 'in' or 'out'.

    `opened_from` is the packet that it came out of, 0 for what was on the link by itself. `was_on_link` says
    whether the link carried it so: of an opened packet that is the question.
    """

    turn: int
    at: Instant
    link: str
    way: str
    packet: bytes
    number: int
    opened_from: int = 0
    was_on_link: bool = True


def sights(lives: Lives, node: str) -> Iterator[Sight]:
    """All that a capture on all interfaces of a node shows, in its order."""
    tunnels: set[int] = set()
    link = ""
    for row in lives.recorder.rows:
        if row.node != node:
            continue
        match row.event:
            case SaInstalled(spi=spi, direction="in", mode=Mode.TUNNEL.value):
                tunnels.add(spi)
            case FrameArrived(link=link, packet=packet):
                yield _sight(row, link, "in", packet, lives.about[row.sequence])
            case FrameSent(frame=frame, link=onto, packet=packet) if _leaves(lives.by_frame[frame], frame):
                yield _sight(row, onto, "out", packet, lives.about[row.sequence])
            case PacketOpened(spi=spi, inner=inner) if spi in tunnels:
                outer = lives.about[row.sequence]
                came_out = lives[_taken_out(lives[outer], row)]
                was_there = any(hop.link == link for hop in came_out.hops)
                yield Sight(row.turn.number, row.at, link, "in", inner, came_out.number, outer, was_there)


def _sight(row: Record, link: str, way: str, packet: bytes, number: int) -> Sight:
    return Sight(row.turn.number, row.at, link, way, packet, number)


def _leaves(life: Life, frame: int) -> bool:
    return all(hop.reason not in _BEFORE_THE_CARD for hop in life.hops if hop.frame == frame)


def _taken_out(outer: Life, row: Record) -> int:
    """What it ended with in this row: it was opened, and something came out."""
    return next(step.other or 0 for step in outer.steps if step.row == row.sequence)
