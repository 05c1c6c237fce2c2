"""What happened in a turn, ready to be asked: the questions that sentences and hooks have."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ipsecsim.base.trace import PacketDropped, TraceEvent
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.ipsec.events import PacketOpened, PacketSealed
from ipsecsim.net.events import FrameArrived, FrameLost, FrameSent
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.record import Record
from ipsecsim.observe.turn_story import naming
from ipsecsim.stack.events import PacketForwarded, PacketOriginated
from ipsecsim.wire import ip

Event = TypeVar("Event", bound=TraceEvent)


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a node beforehand: its addresses, and what stands on a packet's way through it."""

    kind: str = "host"
    addresses: frozenset[bytes] = frozenset()
    has_nat: bool = False
    has_firewall: bool = False
    has_ipsec: bool = False
    forwards: bool = False


@dataclass(slots=True)
class Facts:
    """A turn, and what the recording knows of the packets in it."""

    rows: list[Record]
    lives: Lives
    place: Place
    name_of: Callable[[bytes], str]  # who is known by an address, to this node: behind a NAT perhaps
    owner_of: Callable[[bytes], str]  # who has an address
    arrived: FrameArrived | None = None
    came: Life | None = None
    sent: list[FrameSent] = field(default_factory=list)
    drops: list[PacketDropped] = field(default_factory=list)
    events: dict[type[TraceEvent], list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            self.events.setdefault(type(row.event), []).append(row.event)
        arrived = self.events.get(FrameArrived)
        if arrived:
            self.arrived = arrived[0]
            self.came = self.lives.by_frame.get(self.arrived.frame)
        self.sent = self.events.get(FrameSent, [])
        self.drops = self.events.get(PacketDropped, [])

    @property
    def node(self) -> str:
        """The node whose turn it is."""
        return self.rows[0].turn.node

    @property
    def number(self) -> int:
        """The turn's number."""
        return self.rows[0].turn.number

    @property
    def stimulus(self) -> str:
        """What began the turn."""
        return self.rows[0].turn.stimulus

    def has(self, *kinds: type[TraceEvent]) -> bool:
        """Did anything of one of these kinds happen?"""
        return any(kind in self.events for kind in kinds)

    def first(self, kind: type[Event]) -> Event | None:
        """The first event of a kind."""
        found = self.events.get(kind)
        return found[0] if found else None

    def all(self, kind: type[Event]) -> list[Event]:
        """Every event of a kind."""
        return self.events.get(kind, [])

    # -- words ----------------------------------------------------------------------------------

    @property
    def peer(self) -> str:
        """Whose packet came, or whom the first one that is sent is for."""
        if self.came is not None and (self.has(IkeMessageReceived) or not self.sent):
            return self.came.node
        return self.name_of(ip.destination(self.sent[0].packet)) if self.sent else "the peer"

    @property
    def receiver(self) -> str:
        """Who the packet that leaves is for, by its outermost header."""
        return self.name_of(ip.destination(self.sent[0].packet)) if self.sent else "its receiver"

    @property
    def next_node(self) -> str:
        """Who gets the frame next."""
        return self.owner_of(self.sent[0].next_hop) if self.sent else "nobody"

    @property
    def packet(self) -> bytes:
        """The packet that the turn is about: what came, else what was made."""
        if self.arrived is not None:
            return self.arrived.packet
        made = self.first(PacketOriginated)
        if made is not None:
            return made.packet
        if self.sent:
            return self.sent[0].packet
        return self.drops[0].packet if self.drops else b""

    @property
    def inner(self) -> bytes:
        """What is inside the protection that was taken off or put on, else the packet itself."""
        opened, sealed = self.first(PacketOpened), self.first(PacketSealed)
        if opened is not None:
            return opened.inner
        return sealed.inner if sealed is not None else self.packet

    @property
    def noun(self) -> str:
        """What the packet is called in a sentence."""
        return naming.noun(self.packet)

    @property
    def inner_noun(self) -> str:
        """What that which is inside is called."""
        return naming.noun(self.inner)

    @property
    def opened_noun(self) -> str:
        """What that which came out of its protection is called."""
        opened = self.first(PacketOpened)
        return self.noun if opened is None else naming.noun(opened.inner)

    @property
    def is_ike(self) -> bool:
        """Is the packet one of IKE's own?"""
        return naming.layer(self.packet) == "ike"

    @property
    def is_forwarded(self) -> bool:
        """Did a packet go through?"""
        return self.has(PacketForwarded)

    @property
    def is_lost_on_a_link(self) -> bool:
        """Did a link refuse what was sent?"""
        return self.has(FrameLost)

    @property
    def is_for_us(self) -> bool:
        """Is what came addressed to this node, as far as it is known?"""
        packet = b"" if self.arrived is None else self.arrived.packet
        return bool(packet) and ip.destination(packet) in self.place.addresses

    # -- IKE ------------------------------------------------------------------------------------

    @property
    def got(self) -> IkeMessageReceived | None:
        """The IKE message that was accepted."""
        return self.first(IkeMessageReceived)

    def asks(self, exchange: str) -> bool:
        """Is a request of an exchange sent?"""
        return any(each.exchange == exchange and not each.is_response for each in self.all(IkeMessageSent))

    def answers(self, exchange: str) -> bool:
        """Is an answer of an exchange sent?"""
        return any(each.exchange == exchange and each.is_response for each in self.all(IkeMessageSent))

    def got_request(self, exchange: str) -> bool:
        """Did a request of an exchange come?"""
        return self.got is not None and self.got.exchange == exchange and not self.got.is_response

    def got_answer(self, exchange: str) -> bool:
        """Did an answer of an exchange come?"""
        return self.got is not None and self.got.exchange == exchange and self.got.is_response

    def in_request(self, word: str) -> bool:
        """Has the request that is sent, or that came, this payload?"""
        return any(not each.is_response and word in each.payloads for each in self._messages())

    def in_answer(self, word: str) -> bool:
        """Has the answer that is sent, or that came, this payload?"""
        return any(each.is_response and word in each.payloads for each in self._messages())

    def _messages(self) -> Iterator[IkeMessageSent | IkeMessageReceived]:
        yield from self.all(IkeMessageSent)
        yield from self.all(IkeMessageReceived)
