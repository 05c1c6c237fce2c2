"""Putting fragments together again (RFC 791 3.2, RFC 8200 4.5).

The versions differ in how long they wait, and in what an overlap means: of an IPv4 packet the piece that came first
stays and the later one is refused; an IPv6 packet with an overlap is given up as a whole (RFC 8200 4.5), and what
still comes of it too. A piece that is there already, byte for byte, is dropped alone in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.timers import Timers
from ipsecsim.base.trace import PacketDropped, Tap
from ipsecsim.stack import extensions
from ipsecsim.stack.events import FragmentsAbandoned, FragmentStored, PacketReassembled
from ipsecsim.stack.fragments import Piece, join, largest_data, read_piece
from ipsecsim.stack.icmp import Refused
from ipsecsim.wire import ip, ipv4, ipv6
from ipsecsim.wire.ip import FragmentKey

TIMEOUT = {4: 30 * SECOND, 6: 60 * SECOND}  # RFC 791 3.2 leaves it open, RFC 8200 4.5 says 60
MOST_PACKETS = 64  # packets that may wait at once
MOST_PIECES = 64  # fragments of one packet


@dataclass(slots=True)
class Partial:
    """The pieces of one packet that are here: start of each in bytes, and its data.

    `first` is the piece that begins the packet, and until it comes any other one.
    """

    first: Piece
    pieces: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None
    is_spoiled: bool = False


class Reassembler:
    """Keeps fragments until their packet is whole or their time is over. Bounded in every direction."""

    def __init__(self, tap: Tap | None = None) -> None:
        self._tap = tap
        self._partials: dict[FragmentKey, Partial] = {}
        self._timers: Timers[FragmentKey] = Timers()

    def whole(self, packet: bytes, now: Instant) -> bytes | None:
        """A packet that is no fragment, its IPv6 extension headers processed; None while pieces are missing.

        Raises Refused.
        """
        while True:
            if ip.version(packet) == 4:
                is_piece = ipv4.is_fragment(packet)
            else:
                is_piece = packet[ipv6.NEXT_HEADER] in ipv6.EXTENSIONS and extensions.process(packet)
            if not is_piece:
                return packet
            joined = self.add(packet, now)
            if joined is None:
                return None
            packet = joined

    def add(self, packet: bytes, now: Instant) -> bytes | None:
        """Take in a fragment: the whole packet once its last one is here, else None. Raises Refused."""
        piece = read_piece(packet)
        # an atomic fragment is whole by itself, whatever else has its number (RFC 8200 4.5)
        joined = (join(piece, piece.data), 1) if piece.is_atomic else self._add(piece, now)
        if self._tap is not None:
            if joined is None:
                self._tap(FragmentStored(piece.identification, piece.start, ip.version(packet)))
            else:
                self._tap(PacketReassembled(piece.identification, joined[1], joined[0]))
        return None if joined is None else joined[0]

    def _add(self, piece: Piece, now: Instant) -> tuple[bytes, int] | None:
        """The whole packet and the number of its pieces, when this was the last one."""
        partial = self._partials.get(piece.key) or Partial(piece)
        self._check(partial, piece)
        if not partial.pieces:
            self._partials[piece.key] = partial
            self._timers.set(piece.key, now + TIMEOUT[ip.version(piece.packet)])
        partial.pieces[piece.start] = piece.data
        if piece.start == 0:
            partial.first = piece
        if not piece.more:
            partial.total = piece.end
        if partial.total is None or sum(map(len, partial.pieces.values())) != partial.total:
            return None
        del self._partials[piece.key]
        self._timers.cancel(piece.key)
        data = b"".join(partial.pieces[start] for start in sorted(partial.pieces))
        return join(partial.first, data), len(partial.pieces)

    def expire(self, now: Instant) -> list[bytes]:
        """Drop what was not completed in time; the first fragments among it, whose senders may be told."""
        told = []
        for key in self._timers.pop_expired(now):
            partial = self._partials.pop(key)
            self._drop(partial, DropReason.FRAG_TIMEOUT)
            if partial.first.start == 0 and partial.pieces:
                told.append(partial.first.packet)
        return told

    def unfinished(self) -> Iterator[tuple[FragmentKey, int]]:
        """Which packets are not whole yet, and how many pieces of them are here."""
        return ((key, len(partial.pieces)) for key, partial in self._partials.items())

    def lose(self) -> None:
        """The node goes down: what waits is lost."""
        for key, partial in self._partials.items():
            self._timers.cancel(key)
            if partial.pieces and self._tap is not None:
                self._tap(
                    FragmentsAbandoned(partial.first.identification, len(partial.pieces), goes_down=True)
                )
            self._drop(partial, DropReason.NODE_DOWN)
        self._partials.clear()

    def next_deadline(self) -> Instant | None:
        """When the oldest pieces run out of time."""
        return self._timers.next_deadline()

    @property
    def waiting(self) -> int:
        """How many fragments wait."""
        return sum(len(partial.pieces) for partial in self._partials.values())

    def _check(self, partial: Partial, piece: Piece) -> None:
        if partial.is_spoiled:
            raise Refused(DropReason.FRAG_OVERLAP, "others of this packet overlapped")
        if not partial.pieces and len(self._partials) >= MOST_PACKETS:
            raise Refused(DropReason.FRAG_TABLE_FULL, f"{MOST_PACKETS} packets wait")
        if len(partial.pieces) >= MOST_PIECES:
            raise Refused(DropReason.FRAG_TABLE_FULL, f"{MOST_PIECES} fragments of one packet")
        farthest = max((at + len(data) for at, data in partial.pieces.items()), default=0)
        # the first fragment's headers are those of the whole packet (RFC 791 3.2, RFC 8200 4.5)
        first = piece if piece.start == 0 else partial.first
        if max(piece.end, farthest) > largest_data(first.header):
            raise Refused(DropReason.TOO_BIG, f"a fragment that ends at {max(piece.end, farthest)}")
        is_past_end = partial.total is not None and (piece.end > partial.total or not piece.more)
        is_end_too_early = not piece.more and farthest > piece.end
        overlaps = any(piece.start < at + len(data) and at < piece.end for at, data in partial.pieces.items())
        if is_past_end or is_end_too_early or overlaps or not piece.data:
            self._refuse_overlap(partial, piece)

    def _refuse_overlap(self, partial: Partial, piece: Piece) -> None:
        detail = f"bytes {piece.start} to {piece.end}"
        is_here_already = partial.pieces.get(piece.start) == piece.data
        if ip.version(piece.packet) == 4 or not partial.pieces or is_here_already:
            raise Refused(DropReason.FRAG_OVERLAP, detail)
        if self._tap is not None:
            self._tap(FragmentsAbandoned(piece.identification, len(partial.pieces)))
        self._drop(partial, DropReason.FRAG_OVERLAP)
        partial.pieces, partial.is_spoiled = {}, True  # remembered until its time is over
        raise Refused(DropReason.FRAG_OVERLAP, detail)

    def _drop(self, partial: Partial, reason: DropReason) -> None:
        """Each waiting piece is a packet that ends here."""
        if self._tap is not None:
            for _ in partial.pieces:
                self._tap(PacketDropped(reason, partial.first.packet))
