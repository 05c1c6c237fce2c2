"""IKE's own fragments: a large message goes out in sealed pieces and is put together again (RFC 7383).

    HDR(MID=n), SKF(NextPld=PLD1, Frag#=1, TotalFrags=m) {...},
    HDR(MID=n), SKF(NextPld=0, Frag#=2, TotalFrags=m) {...}, ...

Each piece has a seal of its own, so that a forged one is known for what it is before it takes any place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.protection import Protection
from ipsecsim.ike.config import Fragmentation
from ipsecsim.ike.errors import IkeError, UnexpectedMessage
from ipsecsim.ike.fragment_events import IkeFragmentsDiscarded, IkeFragmentsJoined, IkeFragmentStored
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.messages import envelope
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.messages.message import notify
from ipsecsim.wire import ipv4, ipv6, udp
from ipsecsim.wire.ike.encrypted import FRAGMENT_FIELDS, EncryptedFragment
from ipsecsim.wire.ike.generic import GENERIC_HEADER, Payload
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, name_of
from ipsecsim.wire.nat_t import NON_ESP_MARKER

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

LARGEST_DATAGRAM = {
    4: 576,
    16: 1280,
}  # RFC 7383 2.5.1: by the length of an address, where nothing else is known
IP_HEADER = {4: ipv4.HEADER_LENGTH, 16: ipv6.HEADER_LENGTH}
MOST_BYTES = 65_536  # RFC 7383 5: no message is longer before it is cut
MOST_FRAGMENTS = 256


class FragmentRefused(IkeError):
    """A fragment that fits no set. Dropped without an answer (RFC 7383 2.6)."""

    def __init__(self, message: str, reason: DropReason = DropReason.FRAG_MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason


class TooManyFragments(IkeError):
    """The peer itself sends more than any message needs: the end of the SA, without a word (RFC 7383 5)."""

    reason = DropReason.FRAG_LIMIT


# -- agreeing on it ---------------------------------------------------------------------------------


def supported(sa: "IkeSa") -> list[Notify]:
    """IKEV2_FRAGMENTATION_SUPPORTED, unless this side wants no fragments (RFC 7383 2.3)."""
    wanted = sa.connection.fragmentation is not Fragmentation.NO
    return [Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)] if wanted else []


def agreed(sa: "IkeSa", payloads: Sequence[Payload]) -> bool:
    """Have both sides said so?"""
    return bool(supported(sa)) and notify(payloads, NotifyType.IKEV2_FRAGMENTATION_SUPPORTED) is not None


# -- cutting ----------------------------------------------------------------------------------------


def largest_whole(sa: "IkeSa") -> int | None:
    """The largest message, in bytes, that goes out in one piece; None when all do."""
    if not sa.takes_fragments or sa.connection.fragmentation is Fragmentation.ACCEPT:
        return None
    return datagram_size(sa) - overhead(sa)


def datagram_size(sa: "IkeSa") -> int:
    """The largest IP datagram that a message may fill: what was found out about the path, set, or the RFC's own."""
    return sa.datagram_limit or sa.connection.fragment_size or LARGEST_DATAGRAM[len(sa.path.remote)]


def overhead(sa: "IkeSa") -> int:
    """The bytes of an IP datagram that are in front of the IKE header."""
    marker = len(NON_ESP_MARKER) if sa.path.is_shared_with_esp else 0
    return IP_HEADER[len(sa.path.remote)] + udp.HEADER_LENGTH + marker


def cut(
    header: IkeHeader, content: Content, protection: Protection, largest: int, pieces: int = 1
) -> list[bytes]:
    """The messages, of at most `largest` bytes each and at least so many, that carry the content of one.

    Raises LocalError when so few bytes hold nothing.
    """
    around = HEADER_LENGTH + GENERIC_HEADER.size + FRAGMENT_FIELDS.size
    sealed = largest - around - protection.iv_length - protection.icv_length
    room = sealed // protection.alignment * protection.alignment - 1  # the pad length takes one byte
    if room < 1:
        raise LocalError(f"an IKE fragment of {largest} bytes has no room for anything")
    room = min(room, -(-len(content.inner) // pieces))
    parts = [content.inner[at : at + room] for at in range(0, len(content.inner), room)]
    return [
        envelope.seal_content(
            replace(header),
            Content(content.first_inner if number == 1 else 0, part),
            protection,
            FRAGMENT_FIELDS.pack(number, len(parts)),
        )
        for number, part in enumerate(parts, start=1)
    ]


# -- putting together -------------------------------------------------------------------------------


@dataclass(slots=True)
class FragmentSet:
    """The fragments of one message that have come so far.

    `length` is that of their messages together, `longest` that of one, `first` the bytes of the first one's.
    """

    message_id: int
    total: int
    until: Instant
    pieces: dict[int, Content] = field(default_factory=dict)
    length: int = 0
    longest: int = 0
    first: bytes = b""

    @property
    def size(self) -> int:
        """The bytes that are kept."""
        return sum(len(piece.inner) for piece in self.pieces.values())

    @property
    def whole(self) -> Content:
        """All pieces in order; the first one knows the type of the first payload (RFC 7383 2.5)."""
        inner = b"".join(self.pieces[number].inner for number in range(1, self.total + 1))
        return Content(self.pieces[1].first_inner, inner, self.pieces[1].flags)


FragmentSets = dict[bool, FragmentSet]
"""What an IKE SA waits for: at most one unfinished request (False) and one unfinished response (True)."""


def collect(
    sa: "IkeSa", header: IkeHeader, outer: Sequence[Payload], raw: bytes, now: Instant
) -> FragmentSet | None:
    """Take in a fragment. With the last one that is missing: the whole set.

    Raises FragmentRefused, TooManyFragments, EnvelopeBroken, InvalidSyntax.
    """
    fragment = outer[-1]
    if not isinstance(fragment, EncryptedFragment) or sa.inbound is None or not sa.takes_fragments:
        raise UnexpectedMessage("a fragment, and it was not agreed that there are any")
    known = sa.fragments.get(header.is_response)
    if known is not None and known.message_id != header.message_id:
        known = None
    _check(fragment, known, sa.inbound, is_first_payload=len(outer) == 1)
    piece = envelope.unseal(raw, fragment, sa.inbound)
    if fragment.total > MOST_FRAGMENTS:
        raise TooManyFragments(f"a message in {fragment.total} fragments")
    if known is None or fragment.total > known.total:
        if known is not None:
            _discard(sa, header.is_response, known, "the peer cuts the message into more")
        known = FragmentSet(header.message_id, fragment.total, now + sa.connection.retransmit.patience)
        sa.fragments[header.is_response] = known
        watch(sa)
    if known.size + len(piece.inner) > MOST_BYTES:
        raise TooManyFragments(f"fragments of more than {MOST_BYTES} bytes")
    known.pieces[fragment.number] = piece
    known.length += len(raw)
    known.longest = max(known.longest, len(raw))
    if fragment.number == 1:
        known.first = raw
    exchange = name_of(ExchangeType, header.exchange)
    told = (sa.spi_i, exchange, header.is_response, header.message_id)
    if sa.tap is not None:
        sa.tap(IkeFragmentStored(*told, fragment.number, fragment.total))
    if len(known.pieces) < known.total:
        return None
    if sa.tap is not None:
        sa.tap(IkeFragmentsJoined(*told, known.total, known.size))
    return known


def _check(
    fragment: EncryptedFragment, known: FragmentSet | None, protection: Protection, *, is_first_payload: bool
) -> None:
    """What can be told without opening it, so that forgeries cost little (RFC 7383 2.6)."""
    number, total = fragment.number, fragment.total
    if not 1 <= number <= total:
        raise FragmentRefused(f"fragment {number} of {total}")
    if known is not None and total < known.total:
        raise FragmentRefused(f"fragment {number} of {total}, and others said {known.total}")
    if known is not None and total == known.total and number in known.pieces:
        raise FragmentRefused(f"fragment {number} of {total} again", DropReason.FRAG_DUP)
    if number > 1 and not is_first_payload:
        raise FragmentRefused(f"fragment {number} with payloads in clear (RFC 7383 2.5.3)")
    if not fragment.body:
        raise FragmentRefused(f"fragment {number} of {total} holds nothing")
    if len(fragment.body) < protection.iv_length + protection.icv_length + 1:
        raise FragmentRefused("too short for IV, pad length and ICV", DropReason.FRAG_BAD_LEN)


def done(sa: "IkeSa", *, is_response: bool) -> None:
    """A whole message came: what else was kept of it is of no use."""
    if sa.fragments.pop(is_response, None) is not None:
        watch(sa)


def expire(sa: "IkeSa", now: Instant) -> None:
    """Forget what has waited too long. The SA stands: it is as if no message had come (RFC 7383 2.6)."""
    for is_response, known in list(sa.fragments.items()):
        if known.until <= now:
            _discard(sa, is_response, known, "the others did not come in time")
    watch(sa)


def _discard(sa: "IkeSa", is_response: bool, known: FragmentSet, why: str) -> None:  # noqa: FBT001 - the key of the table
    del sa.fragments[is_response]
    if sa.tap is not None:
        sa.tap(IkeFragmentsDiscarded(sa.spi_i, known.message_id, len(known.pieces), known.total, why))


def watch(sa: "IkeSa") -> None:
    """Ring when the oldest unfinished set has waited long enough."""
    if sa.fragments:
        sa.timers.set(Alarm.FRAGMENTS, min(each.until for each in sa.fragments.values()))
    else:
        sa.timers.cancel(Alarm.FRAGMENTS)
