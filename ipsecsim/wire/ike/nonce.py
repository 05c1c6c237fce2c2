"""Here is the Nonce payload, Ni and Nr (RFC 7296 3.9)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

SHORTEST = 16
LONGEST = 256


@dataclass(slots=True)
class Nonce(Payload):
    """Random data, 16 to 256 bytes."""

    type: ClassVar[int] = PayloadType.NONCE

    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        if not SHORTEST <= len(body) <= LONGEST:
            raise body_reader(body, "Nonce payload").malformed(f"{len(body)} bytes, not 16 to 256")
        return cls(body)

    def emit(self) -> bytes:
        """The body."""
        return self.data
