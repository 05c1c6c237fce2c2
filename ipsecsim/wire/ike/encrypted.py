"""Here are the payloads that hold other payloads, sealed: SK (RFC 7296 3.14) and SKF (RFC 7383 2.5)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.reader import Reader

FRAGMENT_FIELDS = Struct("!HH")  # Fragment Number, Total Fragments


@dataclass(slots=True)
class Encrypted(Payload):
    """SK. `first_inner` is the type of the first payload inside; `body` is IV, ciphertext and ICV as sent."""

    type: ClassVar[int] = PayloadType.SK

    first_inner: int
    body: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The sealed bytes. `first_inner` stands in the generic header: the chain fills it in."""
        return cls(0, body)

    def emit(self) -> bytes:
        """The sealed bytes."""
        return self.body


@dataclass(slots=True)
class EncryptedFragment(Payload):
    """SKF: fragment `number` of `total`, counted from 1. `first_inner` is 0 in all but the first."""

    type: ClassVar[int] = PayloadType.SKF

    first_inner: int
    number: int
    total: int
    body: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Fragment numbers and sealed bytes; the chain fills in `first_inner`. Raises Malformed."""
        reader = Reader(body, "SKF payload", DropReason.FRAG_BAD_LEN)
        number, total = reader.unpack(FRAGMENT_FIELDS)
        return cls(0, number, total, reader.rest())

    def emit(self) -> bytes:
        """Fragment numbers and sealed bytes."""
        return FRAGMENT_FIELDS.pack(self.number, self.total) + self.body
