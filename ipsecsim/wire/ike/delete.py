"""Here is the Delete payload, D (RFC 7296 3.11)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.base.errors import LocalError
from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType

_FIXED = Struct("!BBH")  # Protocol ID, SPI Size, Num of SPIs


@dataclass(slots=True)
class Delete(Payload):
    """SAs that the sender has removed. No SPI at all with protocol IKE means the IKE SA itself."""

    type: ClassVar[int] = PayloadType.DELETE

    protocol: int
    spis: list[bytes]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "Delete payload")
        protocol, spi_size, count = reader.unpack(_FIXED)
        if count and not spi_size:
            raise reader.malformed(f"{count} SPIs of no length")
        spis = [reader.take(spi_size) for _ in range(count)]
        reader.end()
        return cls(protocol, spis)

    def emit(self) -> bytes:
        """The body. Raises LocalError when the SPIs differ in length."""
        sizes = {len(spi) for spi in self.spis}
        if len(sizes) > 1:
            raise LocalError("the SPIs of one Delete payload must be equally long")
        spi_size = sizes.pop() if sizes else 0
        return _FIXED.pack(self.protocol, spi_size, len(self.spis)) + b"".join(self.spis)
