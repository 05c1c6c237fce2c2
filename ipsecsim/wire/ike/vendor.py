"""Here is the Vendor ID payload, V (RFC 7296 3.12)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import PayloadType


@dataclass(slots=True)
class VendorId(Payload):
    """Opaque bytes by which an implementation recognises its own kind."""

    type: ClassVar[int] = PayloadType.VENDOR

    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Never fails: any bytes will do."""
        return cls(body)

    def emit(self) -> bytes:
        """The body."""
        return self.data
