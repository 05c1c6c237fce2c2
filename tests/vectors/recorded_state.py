"""What is known of a recorded session while its packets are walked through in order."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from ipsecsim.crypto.catalogue import IkeSuite
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.protection import Protection
from ipsecsim.ike.v2.keying.keys import IkeKeys
from ipsecsim.ike.v2.messages.fragments import FragmentSet
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType
from ipsecsim.wire.ike.proposal import Proposal, SecurityAssociationPayload
from tests.vectors.results import MismatchError, NotSupportedError

Entry = dict[str, Any]
"""One mapping of keys.json."""

Kind = TypeVar("Kind", bound=Payload)


@dataclass(slots=True)
class Message:
    """An IKE message; `payloads` are the inner ones once it was opened."""

    octets: bytes
    header: IkeHeader
    payloads: list[Payload]

    def find(self, kind: type[Kind]) -> Kind | None:
        """The first payload of a kind."""
        return next((payload for payload in self.payloads if isinstance(payload, kind)), None)

    def need(self, kind: type[Kind]) -> Kind:
        """The first payload of a kind. Raises MismatchError without one."""
        payload = self.find(kind)
        if payload is None:
            raise MismatchError(f"the message has no {kind.__name__}")
        return payload

    def proposal_for(self, protocol: int) -> Proposal | None:
        """The first proposal for a protocol; in a response that is the chosen one."""
        offered = self.find(SecurityAssociationPayload)
        if offered is None:
            return None
        return next((each for each in offered.proposals if each.protocol == protocol), None)


@dataclass(slots=True)
class Exchange:
    """A request and its response."""

    request: Message | None = None
    response: Message | None = None


@dataclass(slots=True)
class IkeSa:
    """One IKE SA of keys.json, with its keys as the program derives them."""

    entry: Entry
    suite: IkeSuite
    keys: IkeKeys
    from_initiator: Protection
    from_responder: Protection
    opened: int = 0
    fragments: dict[tuple[bool, int], FragmentSet] = field(default_factory=dict)
    exchanges: dict[tuple[bool, int], Exchange] = field(default_factory=dict)

    def protection(self, header: IkeHeader) -> Protection:
        """What seals messages in the direction of this one."""
        return self.from_initiator if header.from_initiator else self.from_responder

    def of_type(self, exchange_type: int) -> list[Exchange]:
        """All complete exchanges of one type, in order."""
        return [
            exchange
            for exchange in self.exchanges.values()
            if exchange.request is not None
            and exchange.response is not None
            and exchange.request.header.exchange == exchange_type
        ]


@dataclass(slots=True)
class Session:
    """One recording: its keys.json, the roots of its PKI, its IKE SAs by initiator's SPI, messages in clear."""

    keys: Entry
    roots: tuple[Certificate, ...] = ()
    sas: dict[str, IkeSa] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    init_exchanges: dict[bytes, Exchange] = field(default_factory=dict)
    _waiting: dict[bytes, Message] = field(default_factory=dict)

    def keyed(self, spi_i: str) -> IkeSa:
        """The IKE SA with this SPI. Raises NotSupportedError with the reason why there is none."""
        sa = self.sas.get(spi_i)
        if sa is None:
            reason = self.missing.get(spi_i)
            raise NotSupportedError(reason) if reason else MismatchError(f"no keys for IKE SA {spi_i}")
        return sa

    def init_exchange(self, entry: Entry) -> tuple[Message, Message]:
        """The IKE_SA_INIT exchange that set up an IKE SA. Raises MismatchError without one."""
        exchange = self.init_exchanges.get(bytes.fromhex(entry["spi_i"] + entry["spi_r"]))
        if exchange is None or exchange.request is None or exchange.response is None:
            raise MismatchError("no IKE_SA_INIT exchange with these SPIs")
        return exchange.request, exchange.response

    def file(self, message: Message) -> None:
        """Keep the message with its other half. A repeated IKE_SA_INIT request replaces the one before it."""
        header = message.header
        if header.exchange == ExchangeType.IKE_SA_INIT:
            if not header.is_response:
                self._waiting[header.spi_i] = message
            elif any(header.spi_r):
                request = self._waiting.get(header.spi_i)
                self.init_exchanges[header.spi_i + header.spi_r] = Exchange(request, message)
            return
        sa = self.keyed(header.spi_i.hex())
        by_initiator = header.from_initiator != header.is_response
        exchange = sa.exchanges.setdefault((by_initiator, header.message_id), Exchange())
        if header.is_response:
            exchange.response = message
        else:
            exchange.request = message
