"""Every packet's life, told from the recording: which frames were the same datagram, and what it became part of.

Within a turn a node has packets in hand, the one that it works on on top. The bytes that an event speaks of say
which is meant; where it has none, it is the one on top. What is not over is as it was known last.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Self

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.events import HoldEnded, PacketHeld, PacketOpened, PacketSealed
from ipsecsim.net.events import (
    FrameArrived,
    FrameCorrupted,
    FrameDoubled,
    FrameLost,
    FrameSent,
    PacketReplayed,
    TrafficSent,
)
from ipsecsim.net.turn import Turn
from ipsecsim.observe.lives import kinship
from ipsecsim.observe.lives.life import Crossing, Hop, Life, Passed
from ipsecsim.observe.lives.life_bytes import answers, forwarded
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import (
    FragmentsAbandoned,
    FragmentStored,
    PacketDelivered,
    PacketForwarded,
    PacketFragmented,
    PacketOriginated,
    PacketReassembled,
)
from ipsecsim.stack.nat.events import PacketTranslated
from ipsecsim.wire import ip
from ipsecsim.wire.headers import Security, security
from ipsecsim.wire.ip import FragmentKey

_NONE: frozenset[str] = frozenset()


class Lives:
    """All packets of a recording, in the order of their births.

    `about` and `behind` have an entry for each row, by its sequence: the number of the packet it is about, 0 for
    none; and the traffic on whose account it happened, which is what was sent last on the way that leads there.
    What a timer does belongs to all that the turn belonged to in which it was armed. `ended_by` tells which packet
    a drop ended, by the drop's row.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.all: list[Life] = []
        self.by_frame: dict[int, Life] = {}
        self.about: list[int] = []
        self.behind: list[frozenset[str]] = []
        self.ended_by: dict[int, Life] = {}
        self.recorder = recorder
        self._hops: dict[int, Hop] = {}  # by frame
        self._held: dict[tuple[str, bytes], deque[Life]] = {}  # by node
        self._stored: dict[tuple[str, FragmentKey], deque[Life]] = {}
        self._behind_turn: dict[int, frozenset[str]] = {}
        self._turn = 0
        self._passed: dict[tuple[str, bytes], Life] | None = None  # what an attacker may send again
        # in the present turn
        self._hand: list[Life] = []
        self._wrapped: dict[Security | None, deque[Life]] = {}  # sealed, and not yet seen as a packet
        self._prompt: Life | None = None  # what was done with last: the next packet may answer it
        self._lost: Life | None = None
        self._arrival: Hop | None = None
        self._made_of_arrival: set[int] = set()  # itself, what came out of it, what it went into
        self._abandoned = 0  # fragments of which drops will speak
        self._traffic = _NONE
        self._handlers: dict[type, Callable[[Any, Record], Life | None]] = {
            FrameArrived: self._frame_arrived,
            FrameSent: self._frame_sent,
            FrameLost: self._frame_lost,
            FrameDoubled: self._frame_doubled,
            FrameCorrupted: self._frame_corrupted,
            PacketReplayed: self._replayed,
            PacketOriginated: self._originated,
            PacketDropped: self._dropped,
            PacketSealed: self._sealed,
            PacketHeld: self._now_held,
            HoldEnded: self._hold_ended,
            FragmentsAbandoned: self._fragments_abandoned,
        }
        self._on_top: dict[type, Callable[[Life, Any, Record], Life]] = {
            PacketForwarded: self._forwarded,
            PacketTranslated: self._translated,
            PacketDelivered: self._delivered,
            PacketOpened: self._opened,
            PacketFragmented: self._fragmented,
            FragmentStored: self._fragment_stored,
            PacketReassembled: self._reassembled,
        }
        self.catch_up()

    def catch_up(self) -> Self:
        """Take in the rows that were recorded since the last time, at the end of a turn."""
        rows, handlers, on_top = self.recorder.rows, self._handlers, self._on_top
        for sequence in range(len(self.about), len(rows)):
            row = rows[sequence]
            event, turn = row.event, row.turn
            if turn.number != self._turn:
                self._begin_turn(turn)
            kind = type(event)
            life = self._hand[-1] if self._hand else None
            if kind in handlers:
                life = handlers[kind](event, row)
            elif life is not None and kind in on_top:
                life = on_top[kind](life, event, row)
            elif isinstance(event, TrafficSent):
                self._traffic = frozenset((event.name,))
                self._prompt = None  # what is sent now is no answer
            self.about.append(0 if life is None else life.number)
            self.behind.append(self._traffic)
            if self._traffic:
                self._behind_turn[turn.number] |= self._traffic
        return self

    def number(self, frame: int) -> int:
        """The number of the packet that made this crossing. Raises KeyError for a frame that was not sent."""
        return self.by_frame[frame].number

    def crossing(self, frame: int) -> tuple[Life, Hop]:
        """The packet of a frame, and the frame itself. Raises KeyError for a frame that was not sent."""
        life = self.by_frame[frame]
        return life, next(hop for hop in life.hops if hop.frame == frame)

    def in_turn(self, turn: int) -> Passed:
        """Which packets came in and went out in a turn. Raises IndexError for a turn that did not happen."""
        came: list[Crossing] = []
        went: list[Crossing] = []
        for row in self.recorder.turn(turn):
            if isinstance(row.event, FrameArrived):
                came.append(Crossing(self.about[row.sequence], row.event.frame))
            elif isinstance(row.event, FrameSent | FrameDoubled):
                went.append(Crossing(self.about[row.sequence], row.event.frame))
        return Passed(came[0] if came else None, tuple(went))

    def __getitem__(self, number: int) -> Life:
        """The packet of this number. Raises IndexError when there is none."""
        if not 1 <= number <= len(self.all):
            raise IndexError(f"packet {number} of {len(self.all)}")
        return self.all[number - 1]

    # -- in hand --------------------------------------------------------------------------------

    def _begin_turn(self, turn: Turn) -> None:
        self._turn = turn.number
        self._traffic = self._behind_turn.get(turn.cause, _NONE)
        self._behind_turn[turn.number] = _NONE
        self._hand, self._wrapped = [], {}
        self._prompt = self._lost = self._arrival = None
        self._made_of_arrival = set()
        self._abandoned = 0

    def _born(self, row: Record, packet: bytes, what: str, other: Life | None = None) -> Life:
        life = Life(len(self.all) + 1, row.turn.number, row.turn.node, packet, packet, self._traffic)
        self.all.append(life)
        life.note(row, what, packet, packet, other)
        return life

    def _end(
        self, life: Life, row: Record, what: str, other: Life | None = None, reason: DropReason | None = None
    ) -> None:
        life.end(row, what, other, reason)
        if life in self._hand:
            self._hand.remove(life)
        if life.number in self._made_of_arrival:
            # a link that loses what is sent on is another hop's matter
            self._goes_on(None if what == "lost" else reason, *((other,) if other is not None else ()))

    def _goes_on(self, reason: DropReason | None, *made: Life) -> None:
        """What arrived became other packets, or came to an end for a reason, of which the first one counts."""
        self._made_of_arrival.update(each.number for each in made)
        if self._arrival is not None and self._arrival.reason is None:
            self._arrival.reason = reason

    def _copy(self, original: Life, row: Record, packet: bytes, what: str) -> Life:
        life = self._born(row, packet, what, original)
        life.copy_of, life.traffic = original.number, original.traffic
        original.copies.append(life.number)
        return life

    def _pick(self, packet: bytes) -> Life | None:
        """Which packet in hand is meant by these bytes, which are its present ones."""
        hand = self._hand
        if not hand:
            return None
        life = hand[-1]
        if len(hand) > 1 and life.image != packet:
            life = next((each for each in reversed(hand) if each.image == packet), life)
        return life

    # -- links ----------------------------------------------------------------------------------

    def _frame_arrived(self, event: FrameArrived, row: Record) -> Life | None:
        life = self.by_frame.get(event.frame)
        if life is None:
            return None
        hop = self._hops.pop(event.frame)
        hop.to, hop.arrived, hop.arrived_at = row.turn.node, row.turn.number, row.turn.at
        life.image = event.packet
        self._arrival, self._made_of_arrival = hop, {life.number}
        self._hand.append(life)
        self._traffic = life.traffic
        return life

    def _frame_sent(self, event: FrameSent, row: Record) -> Life:
        life = self._pick(event.packet) or self._born(row, event.packet, "originated")
        life.see(event.packet)
        if life in self._hand:
            self._hand.remove(life)
        self._cross(life, event.frame, event.link, row, event.packet)
        return life

    def _cross(self, life: Life, frame: int, link: str, row: Record, packet: bytes) -> None:
        turn = row.turn
        hop = Hop(frame, link, turn.number, turn.node, packet, turn.at)
        life.hops.append(hop)
        self.by_frame[frame], self._hops[frame] = life, hop
        if self._passed is not None:
            self._passed[link, packet] = life

    def _frame_lost(self, event: FrameLost, row: Record) -> Life | None:
        self._lost = self.by_frame.get(event.frame)
        return self._lost

    def _frame_doubled(self, event: FrameDoubled, row: Record) -> Life:
        hop = self._hops[event.original]
        packet = hop.arrived_packet or hop.packet
        life = self._copy(self.by_frame[event.original], row, packet, "doubled")
        self._cross(life, event.frame, event.link, row, packet)
        return life

    def _frame_corrupted(self, event: FrameCorrupted, row: Record) -> Life:
        self._hops[event.frame].arrived_packet = event.packet
        return self.by_frame[event.frame]

    def _replayed(self, event: PacketReplayed, row: Record) -> Life:
        if self._passed is None:
            crossings = ((life, hop) for life in self.all for hop in life.hops)
            self._passed = {(hop.link, hop.packet): life for life, hop in crossings}
        original = self._passed.get((event.link, event.packet))
        if original is None:  # another attacker had changed it before
            life = self._born(row, event.packet, "replayed")
        else:
            life = self._copy(original, row, event.packet, "replayed")
            life.traffic = self._traffic  # it is the attacker who sends it
        self._hand.append(life)
        return life

    # -- the stack ------------------------------------------------------------------------------

    def _originated(self, event: PacketOriginated, row: Record) -> Life:
        wrapped = self._wrapped.get(security(event.packet)) if self._wrapped else None
        if wrapped:
            life = wrapped.popleft()
            life.see(event.packet)
            self._traffic = life.traffic
        else:
            life = self._born(row, event.packet, "originated")
            prompt = self._prompt
            if prompt is not None and answers(event.packet, prompt.image):
                life.answers = prompt.number
                prompt.answered_by.append(life.number)
        self._hand.append(life)
        return life

    def _forwarded(self, life: Life, _: PacketForwarded, row: Record) -> Life:
        if life.is_settled:
            packet = forwarded(life.image)
            life.note(row, "forwarded", life.image, packet)
            life.image = packet
        else:
            life.note(row, "forwarded", b"", b"")  # a NAT has changed it, and we shall see how
        return life

    def _translated(self, life: Life, _: PacketTranslated, row: Record) -> Life:
        if life.is_settled:
            life.note(row, "rewritten", life.image, b"")
        return life  # both ends of a hairpin are rewritten in one step

    def _delivered(self, life: Life, _: PacketDelivered, row: Record) -> Life:
        life.see(life.image)
        self._end(life, row, "delivered")
        self._prompt = life
        return life

    def _dropped(self, event: PacketDropped, row: Record) -> Life | None:
        reason = event.reason
        if self._lost is not None:
            life, self._lost = self._lost, None
            life.hops[-1].reason = reason
            self._hops.pop(life.hops[-1].frame, None)
            self._end(life, row, "lost", reason=reason)
        elif reason.layer == "ike":
            return self._refused(event, row)
        elif self._abandoned or reason is DropReason.FRAG_TIMEOUT:
            self._abandoned -= bool(self._abandoned)
            waiting = self._stored.get((row.turn.node, ip.fragment_key(event.packet)))
            if not waiting:
                return None
            life = waiting.popleft()
            self._end(life, row, "dropped", reason=reason)
            if not ip.fragment_offset(life.image):
                self._prompt = life  # its sender may be told
        else:
            picked = self._pick(event.packet)
            if picked is None:
                return None
            life = picked
            if not life.is_settled:  # else the check may have been made on what it came out of
                life.see(event.packet)
            self._end(life, row, "dropped", reason=reason)
            self._prompt = life
        self.ended_by[row.sequence] = life
        return life

    def _refused(self, event: PacketDropped, row: Record) -> Life | None:
        """IKE did not accept the message in a packet that was delivered to it in this turn."""
        life = self._prompt
        if life is not None and life.ended == row.turn.number and life.ends == "delivered":
            life.note(row, "refused", life.image, life.image)
            life.reason = event.reason
            if life.number in self._made_of_arrival:
                self._goes_on(event.reason)
        return life

    # -- protection -----------------------------------------------------------------------------

    def _sealed(self, event: PacketSealed, row: Record) -> Life:
        inner = self._pick(event.inner)
        if inner is None:
            inner = self._born(row, event.inner, "originated")
        inner.see(event.inner)
        outer = self._born(row, b"", "originated", inner)
        outer.traffic = inner.traffic
        outer.carries.append(inner.number)
        inner.carried_by.append(outer.number)
        self._end(inner, row, "sealed", outer)
        key = Security.of(event.protocol, event.spi, event.sequence)
        self._wrapped.setdefault(key, deque()).append(outer)
        return inner

    def _opened(self, outer: Life, event: PacketOpened, row: Record) -> Life:
        inner = self._inside(outer, row, event.inner)
        self._end(outer, row, "opened", inner)
        self._hand.append(inner)
        return outer

    def _inside(self, outer: Life, row: Record, packet: bytes) -> Life:
        """What was in a packet is in hand: itself, or of a copy that is opened too another one of it."""
        known = kinship.carried(self.all, outer)
        if known is None:
            inner = self._born(row, packet, "came out", outer)
        elif kinship.is_away(self.all, known, outer):
            known.come_back(row, "came out", packet, outer)
            inner = known
        else:
            inner = self._copy(known, row, packet, "came out")
        if inner.number not in outer.carries:
            outer.carries.append(inner.number)
            inner.carried_by.append(outer.number)
        return inner

    def _now_held(self, event: PacketHeld, row: Record) -> Life | None:
        life = self._pick(event.packet)
        if life is not None:
            life.see(event.packet)
            self._end(life, row, "held")
            self._held.setdefault((row.turn.node, event.packet), deque()).append(life)
        return life

    def _hold_ended(self, event: HoldEnded, row: Record) -> Life | None:
        waiting = self._held.get((row.turn.node, event.packet))
        if not waiting:
            return None
        life = waiting.popleft()
        life.come_back(row, "let go", event.packet)
        self._hand.append(life)
        self._traffic = life.traffic
        return life

    # -- fragments ------------------------------------------------------------------------------

    def _fragmented(self, whole: Life, event: PacketFragmented, row: Record) -> Life:
        pieces = [self._born(row, b"", "originated", whole) for _ in range(event.pieces)]
        for piece in pieces:
            piece.traffic = whole.traffic
            piece.piece_of.append(whole.number)
            whole.pieces.append(piece.number)
        self._end(whole, row, "cut")
        if whole.number in self._made_of_arrival:
            self._goes_on(None, *pieces)
        self._hand += reversed(pieces)
        return whole

    def _fragment_stored(self, life: Life, _: FragmentStored, row: Record) -> Life:
        self._end(life, row, "stored")
        key = row.turn.node, ip.fragment_key(life.image)
        self._stored.setdefault(key, deque()).append(life)
        return life

    def _fragments_abandoned(self, event: FragmentsAbandoned, row: Record) -> Life | None:
        self._abandoned = event.pieces
        return self._hand[-1] if self._hand else None

    def _reassembled(self, last: Life, event: PacketReassembled, row: Record) -> Life:
        if event.pieces == 1:  # a fragment that is the whole by itself
            last.note(row, "reassembled", last.image, event.packet)
            last.image = event.packet
            return last
        waiting = self._stored.pop((row.turn.node, ip.fragment_key(last.image)), deque())
        pieces = [*waiting, last]
        known = kinship.whole(self.all, pieces)
        if known is None:
            whole = self._born(row, event.packet, "reassembled")
        elif known.ends == "cut":
            known.come_back(row, "reassembled", event.packet)
            whole = known
        else:
            whole = self._copy(known, row, event.packet, "reassembled")
        for piece in pieces:
            if not kinship.is_piece(self.all, piece, whole):
                piece.piece_of.append(whole.number)
                whole.pieces.append(piece.number)
            self._end(piece, row, "joined", whole)
        self._hand.append(whole)
        return whole
