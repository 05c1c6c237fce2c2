"""Fragments: cutting a packet for a small link, and putting it together again (RFC 791 3.2)."""

from dataclasses import dataclass, field

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.timers import Timers
from ipsecsim.wire import ipv4

Key = tuple[bytes, bytes, int, int]  # source, destination, protocol, identification

TIMEOUT = 30 * SECOND
MOST_PACKETS = 64  # packets that may wait at once
MOST_PIECES = 64  # fragments of one packet


class FragmentRefused(RemoteError):
    """A fragment does not fit to what is here already."""

    def __init__(self, reason: DropReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def fragment(packet: bytes, mtu: int) -> list[bytes]:
    """Cut a packet whose DF bit is clear into pieces of at most `mtu` bytes, each but the last a multiple of 8.

    Raises FragmentRefused for a fragment that claims to reach beyond the largest packet: no offset says so.
    """
    header = ipv4.parse(packet)
    data = ipv4.payload(packet)
    _check_size(ipv4.HEADER_LENGTH, header.fragment_offset + len(data))
    room = (mtu - ipv4.header_length(packet)) // 8 * 8
    pieces = []
    for start in range(0, len(data), room):
        end = min(start + room, len(data))
        pieces.append(
            ipv4.build(
                header.source,
                header.destination,
                header.protocol,
                data[start:end],
                ttl=header.ttl,
                identification=header.identification,
                tos=header.tos,
                more_fragments=end < len(data) or header.more_fragments,
                fragment_offset=header.fragment_offset + start,
                options=header.options,
            )
        )
    return pieces


@dataclass(slots=True)
class Partial:
    """The pieces of one packet that are here: start of each in bytes, and its data."""

    header: ipv4.Ipv4Header
    first: bytes
    pieces: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None


class Reassembler:
    """Keeps fragments until their packet is whole or their time is over. Bounded in every direction."""

    def __init__(self) -> None:
        self._partials: dict[Key, Partial] = {}
        self._timers: Timers[Key] = Timers()

    def add(self, packet: bytes, now: Instant) -> tuple[bytes, int] | None:
        """The whole packet and the number of its pieces once the last one is here, else None.

        Raises FragmentRefused; a piece that overlaps another one is refused, the first one stays.
        """
        header = ipv4.parse(packet)
        key = (header.source, header.destination, header.protocol, header.identification)
        partial = self._partials.get(key) or Partial(header, packet)
        data = ipv4.payload(packet)
        self._check(partial, header, data)
        if not partial.pieces:
            self._partials[key] = partial
            self._timers.set(key, now + TIMEOUT)
        partial.pieces[header.fragment_offset] = data
        if header.fragment_offset == 0:
            partial.header, partial.first = header, packet
        if not header.more_fragments:
            partial.total = header.fragment_offset + len(data)
        if partial.total is None or sum(map(len, partial.pieces.values())) != partial.total:
            return None
        self._forget(key)
        return _join(partial), len(partial.pieces)

    def next_deadline(self) -> Instant | None:
        """When the oldest pieces run out of time."""
        return self._timers.next_deadline()

    def pop_expired(self, now: Instant) -> list[Partial]:
        """The packets that were not completed in time."""
        return [self._partials.pop(key) for key in self._timers.pop_expired(now)]

    @property
    def waiting(self) -> int:
        """How many fragments wait."""
        return sum(len(partial.pieces) for partial in self._partials.values())

    def _check(self, partial: Partial, header: ipv4.Ipv4Header, data: bytes) -> None:
        start, end = header.fragment_offset, header.fragment_offset + len(data)
        if not partial.pieces and len(self._partials) >= MOST_PACKETS:
            raise FragmentRefused(DropReason.FRAG_TABLE_FULL, f"{MOST_PACKETS} packets wait")
        if len(partial.pieces) >= MOST_PIECES:
            raise FragmentRefused(DropReason.FRAG_TABLE_FULL, f"{MOST_PIECES} fragments of one packet")
        if header.more_fragments and len(data) % 8:
            raise FragmentRefused(DropReason.IP_MALFORMED, f"a middle fragment of {len(data)} bytes")
        farthest = max((at + len(piece) for at, piece in partial.pieces.items()), default=0)
        # the first fragment's header, with its options, is that of the whole packet (RFC 791 3.2)
        first = header if start == 0 else partial.header
        _check_size(ipv4.HEADER_LENGTH + len(first.options), max(end, farthest))
        is_past_end = partial.total is not None and (end > partial.total or not header.more_fragments)
        is_end_too_early = not header.more_fragments and farthest > end
        overlaps = any(start < at + len(piece) and at < end for at, piece in partial.pieces.items())
        if is_past_end or is_end_too_early or overlaps or not data:
            raise FragmentRefused(DropReason.FRAG_OVERLAP, f"bytes {start} to {end}")

    def _forget(self, key: Key) -> None:
        del self._partials[key]
        self._timers.cancel(key)


def _check_size(header_length: int, end: int) -> None:
    if header_length + end > ipv4.LARGEST_PACKET:
        raise FragmentRefused(DropReason.TOO_BIG, f"a fragment that ends at {end}")


def _join(partial: Partial) -> bytes:
    header = partial.header
    data = b"".join(partial.pieces[start] for start in sorted(partial.pieces))
    return ipv4.build(
        header.source,
        header.destination,
        header.protocol,
        data,
        ttl=header.ttl,
        identification=header.identification,
        tos=header.tos,
        options=header.options,
    )
