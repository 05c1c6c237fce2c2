"""Here is the Extensible Authentication payload, EAP (RFC 7296 3.16)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import PayloadType


@dataclass(slots=True)
class EapPayload(Payload):
    """An EAP message as a whole. IKE carries it; the EAP method reads it."""

    type: ClassVar[int] = PayloadType.EAP

    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Never fails: the message inside is not looked at."""
        return cls(body)

    def emit(self) -> bytes:
        """The body."""
        return self.data
