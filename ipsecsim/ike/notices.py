"""What a node says about packets that it can do nothing with, and what it makes of such words from others.

Nobody has signed most of them (RFC 7296 1.5, 2.21.4). So they are few, never longer than their cause, never
answered, and change nothing: at most they make a node ask whether its peer lives (RFC 7296 2.4).
"""

from collections.abc import Sequence

from ipsecsim.base.actions import Action
from ipsecsim.base.budget import Budget
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.base.trace import Tap
from ipsecsim.ike.errors import NoSuchSa, UnsupportedVersion
from ipsecsim.ike.events import HintTaken, IkeMessageSent, PeerTold
from ipsecsim.ike.v2.duties.tasks import Inform
from ipsecsim.ike.v2.messages.courier import datagram
from ipsecsim.ike.v2.messages.message import Path, names, notify
from ipsecsim.ike.v2.peer import diagnosis
from ipsecsim.ike.v2.sa import NO_SPI, IkeSa
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.chain import emit_message
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import INITIATOR, RESPONSE, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType, ProtocolId, name_of
from ipsecsim.wire.numbers import IpProtocol

RECENTLY = 5 * SECOND  # whoever was heard so short a time ago lives
OFFENDING_LENGTH = 128  # bytes of a packet that are shown, "as in ICMP messages" (RFC 7296 3.10.1)

_PROTOCOL = {IpProtocol.ESP: ProtocolId.ESP, IpProtocol.AH: ProtocolId.AH}


class Notices:
    """The words of one node, and how many are left. With `tells_strangers` off it says none outside an IKE SA."""

    def __init__(self, *, tells_strangers: bool, tap: Tap | None) -> None:
        self._tells_strangers = tells_strangers
        self._tap = tap
        self._budget = Budget()

    def unknown_ike_spi(
        self, header: IkeHeader, message: bytes, path: Path, now: Instant
    ) -> Sequence[SendDatagram]:
        """A message for an IKE SA that is not here: INVALID_IKE_SPI where it was a sealed request."""
        if header.is_response or header.next_payload not in (PayloadType.SK, PayloadType.SKF):
            return []
        return self._to_stranger(
            clear_answer(header, [Notify(NotifyType.INVALID_IKE_SPI)], path),
            NotifyType.INVALID_IKE_SPI,
            len(message),
            now,
        )

    def refuse(self, header: IkeHeader, word: Notify, path: Path) -> SendDatagram:
        """The answer to a first message that begins no SA."""
        answer = clear_answer(header, [word], path)
        if self._tap is not None:
            self._tap(
                IkeMessageSent(
                    header.spi_i,
                    name_of(ExchangeType, header.exchange),
                    is_response=True,
                    message_id=header.message_id,
                    payloads=names([word]),
                    sealed=False,
                    length=len(answer.payload),
                )
            )
        return answer

    def other_version(
        self, header: IkeHeader, error: UnsupportedVersion, path: Path, now: Instant
    ) -> Sequence[SendDatagram]:
        """A message of a higher major version: it is told ours, a few times a second (RFC 7296 1.5, 2.5)."""
        if not self._budget.spend(now):
            return []
        return [clear_answer(header, [Notify(error.notify, error.notify_data)], path)]

    def unknown_spi(
        self, sas: Sequence[IkeSa], spi: int, path: Path, length: int, now: Instant
    ) -> Sequence[Action]:
        """`length` bytes of ESP or AH came for an SA that is not here: INVALID_SPI, under a seal where we can."""
        word = Notify(NotifyType.INVALID_SPI, spi.to_bytes(4, "big"))
        for sa in sas:
            if sa.state is State.ESTABLISHED and sa.path.remote == path.remote:
                actions = self._to_peer(sa, word, now)
                if actions:
                    diagnosis.tell(
                        sa, Diagnosis.STALE_SA, f"the peer sends to SPI {spi:#010x}, not here any more"
                    )
                return actions
        # "zero values or random values are both acceptable" for the SPIs (RFC 7296 1.5)
        header = IkeHeader(NO_SPI, NO_SPI, 0, ExchangeType.INFORMATIONAL, INITIATOR, 0)
        return self._to_stranger(
            datagram(emit_message(header, [word]), path), NotifyType.INVALID_SPI, length, now
        )

    def wrong_selectors(
        self, sas: Sequence[IkeSa], protocol: IpProtocol, spi: int, inner: bytes, now: Instant
    ) -> Sequence[Action]:
        """`inner` came out of an SA that is not for it: INVALID_SELECTORS (RFC 4301 5.2)."""
        for sa in sas:
            if sa.state is State.ESTABLISHED and any(
                (child.spi_in, child.protocol) == (spi, _PROTOCOL[protocol]) for child in sa.children
            ):
                start, spi_bytes = inner[:OFFENDING_LENGTH], spi.to_bytes(4, "big")
                word = Notify(NotifyType.INVALID_SELECTORS, start, _PROTOCOL[protocol], spi_bytes)
                return self._to_peer(sa, word, now)
        return []

    def heard(
        self, sas: Sequence[IkeSa], payloads: Sequence[Payload], path: Path, now: Instant
    ) -> list[Action]:
        """A word in clear about an SPI of ours: perhaps the peer has forgotten. Raises NoSuchSa for other words."""
        word = notify(payloads, NotifyType.INVALID_SPI)
        if word is None:
            raise NoSuchSa("a message in clear outside any IKE SA, and not about an SPI")
        spi = int.from_bytes(word.data, "big")
        for sa in sas:
            is_meant = (sa.path.remote, sa.path.remote_port) == (path.remote, path.remote_port)
            if (
                is_meant
                and sa.state is State.ESTABLISHED
                and any(each.spi_out == spi for each in sa.children)
            ):
                may_ask = sa.window.outstanding is None and now - sa.last_heard >= RECENTLY
                self._tell(HintTaken(NotifyType.INVALID_SPI.name, sa.spi_i, is_asking=may_ask))
                return sa.enqueue(Inform(), now) if may_ask else []
        raise NoSuchSa(f"INVALID_SPI about {word.data.hex()}, which we do not send to")

    def _to_peer(self, sa: IkeSa, word: Notify, now: Instant) -> Sequence[Action]:
        """Under the seal of an IKE SA, one at a time."""
        is_talking = any(isinstance(task, Inform) and task.payloads for task in sa.agenda)
        if is_talking or not self._budget.spend(now):
            return []
        self._tell(PeerTold(NotifyType(word.notify_type).name, is_sealed=True))
        return sa.enqueue(Inform([word]), now)

    def _to_stranger(
        self, word: SendDatagram, kind: NotifyType, length: int, now: Instant
    ) -> Sequence[SendDatagram]:
        """In clear, and not longer than its cause of `length` bytes: that may have a forged source."""
        if not self._tells_strangers or len(word.payload) > length or not self._budget.spend(now):
            return []
        self._tell(PeerTold(kind.name, is_sealed=False))
        return [word]

    def _tell(self, event: PeerTold | HintTaken) -> None:
        if self._tap is not None:
            self._tap(event)


def is_one_way(header: IkeHeader) -> bool:
    """Is it a word in clear that belongs to no exchange, and that nobody may answer (RFC 7296 1.5)?"""
    return (
        header.exchange == ExchangeType.INFORMATIONAL
        and not header.is_response
        and header.next_payload == PayloadType.NOTIFY
    )


def clear_answer(header: IkeHeader, payloads: Sequence[Payload], path: Path) -> SendDatagram:
    """A short answer in clear to a request that belongs to no SA: there is nothing to remember."""
    flags = RESPONSE if header.from_initiator else RESPONSE | INITIATOR
    answer = IkeHeader(header.spi_i, header.spi_r, 0, header.exchange, flags, header.message_id)
    return datagram(emit_message(answer, payloads), path)
