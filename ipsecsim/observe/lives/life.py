"""A packet's life: one datagram with one number from birth to end, and every crossing of a link that it made."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import Instant
from ipsecsim.observe.lives.life_bytes import not_forwarded
from ipsecsim.observe.record import Record

ON_ITS_WAY = "on its way"
_MAY_GO_ON = ("held", "stored")


class Crossing(NamedTuple):
    """A packet and the frame that it was, both as numbers."""

    packet: int
    frame: int


class Passed(NamedTuple):
    """What passed a node in a turn: what came, if it was a packet that woke it, and what it sent, in order."""

    came: Crossing | None
    went: tuple[Crossing, ...]


@dataclass(slots=True)
class Hop:
    """One crossing of one link. `left` and `arrived` are turns, `to` is empty while nobody got it.

    `packet` are the bytes that were sent, `arrived_packet` those that came where they differ: a bit went wrong,
    or an attacker changed it. `reason` says why it was lost, or dropped where it arrived: it, or what was in it.
    """

    frame: int
    link: str
    left: int
    source: str
    packet: bytes
    at: Instant
    to: str = ""
    arrived: int | None = None
    arrived_at: Instant | None = None
    arrived_packet: bytes | None = None
    reason: DropReason | None = None


@dataclass(slots=True)
class Step:
    """Something that happened to a packet on a node, with its bytes before and after.

    `what` is a birth: originated, doubled, replayed; an end: delivered, dropped, lost, opened, joined (a
    fragment), sealed, cut, held, stored (a fragment); or on the way: forwarded, rewritten (by a NAT), let go,
    reassembled, came out (of what carried it), refused (IKE did not take the message in it). `other` is the packet
    that it was made of, went into, came out of or gave birth to, `row` the sequence of the row that tells of it.
    """

    turn: int
    node: str
    what: str
    before: bytes
    after: bytes
    other: int | None
    row: int


@dataclass(slots=True, eq=False)  # each is itself, whatever others are like
class Life:
    """One datagram. NAT and routers change it; protection, cutting, answering and copying begin another one.

    `first` are its bytes as born and `image` those known last; `born` and `ended` are turns. `ends` is the last
    word so far, that of a step or 'on its way'; what was sealed, cut, held or stored may come back. `carries`,
    `carried_by`, `pieces`, `piece_of`, `copies`, `answered_by` are numbers of packets. `traffic` are the names of
    that on whose account it was made.
    """

    number: int
    born: int
    node: str
    first: bytes
    image: bytes
    traffic: frozenset[str]
    ends: str = ON_ITS_WAY
    reason: DropReason | None = None
    ended: int | None = None
    hops: list[Hop] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    carries: list[int] = field(default_factory=list)
    carried_by: list[int] = field(default_factory=list)
    pieces: list[int] = field(default_factory=list)
    piece_of: list[int] = field(default_factory=list)
    copy_of: int | None = None
    copies: list[int] = field(default_factory=list)
    answers: int | None = None
    answered_by: list[int] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Are its present bytes known? Not between what a NAT does and the next that is seen of it."""
        return bool(self.steps[-1].after)

    def note(self, row: Record, what: str, before: bytes, after: bytes, other: "Life | None" = None) -> None:
        """Something happens to it. Bytes that are not known yet are empty, until they are seen."""
        number = None if other is None else other.number
        self.steps.append(Step(row.turn.number, row.turn.node, what, before, after, number, row.sequence))

    def see(self, packet: bytes) -> None:
        """These are its bytes now: what they were between the last steps follows from them."""
        after = packet
        for step in reversed(self.steps):
            if step.after:
                break
            step.after = after
            if step.what == "forwarded":
                after = not_forwarded(after)
            step.before = step.before or after
        self.image = packet
        self.first = self.first or packet

    def end(
        self, row: Record, what: str, other: "Life | None" = None, reason: DropReason | None = None
    ) -> None:
        """It is done with, at least for now."""
        self.see(self.image)
        self.note(row, what, self.image, self.image, other)
        self.ends, self.reason = what, reason
        self.ended = None if what in _MAY_GO_ON else row.turn.number

    def come_back(self, row: Record, what: str, packet: bytes, other: "Life | None" = None) -> None:
        """It was away, and goes on as `packet`."""
        self.note(row, what, self.image, packet, other)
        self.image, self.ends, self.ended = packet, ON_ITS_WAY, None
