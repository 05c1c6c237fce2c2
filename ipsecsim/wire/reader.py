"""Here is how bytes from outside are read: forward only, and never past their end."""

from struct import Struct
from typing import Any

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError

_U8 = Struct("!B")
_U16 = Struct("!H")
_U32 = Struct("!I")


class Malformed(RemoteError):
    """Bytes that do not have the shape their format asks for."""

    def __init__(self, message: str, reason: DropReason = DropReason.IP_MALFORMED) -> None:
        super().__init__(message)
        self.reason = reason


class Truncated(Malformed):
    """The bytes end before the format does."""


class Reader:
    """Takes fields off the front of `data`. Errors name `what` is being read and count as `reason`."""

    __slots__ = ("_data", "_reason", "_what", "offset")

    def __init__(self, data: bytes, what: str, reason: DropReason = DropReason.IP_MALFORMED) -> None:
        self._data = data
        self._what = what
        self._reason = reason
        self.offset = 0

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self.offset

    def unpack(self, fields: Struct) -> tuple[Any, ...]:
        """The fields of a Struct. Raises Truncated."""
        start = self._advance(fields.size)
        return fields.unpack_from(self._data, start)

    def u8(self) -> int:
        """One byte as a number. Raises Truncated."""
        return int(self.unpack(_U8)[0])

    def u16(self) -> int:
        """Two bytes as a number. Raises Truncated."""
        return int(self.unpack(_U16)[0])

    def u32(self) -> int:
        """Four bytes as a number. Raises Truncated."""
        return int(self.unpack(_U32)[0])

    def take(self, count: int) -> bytes:
        """The next `count` bytes. Raises Truncated."""
        start = self._advance(count)
        return self._data[start : self.offset]

    def rest(self) -> bytes:
        """All bytes that are left, perhaps none."""
        return self.take(self.remaining)

    def end(self) -> None:
        """Raise Malformed when bytes are left over."""
        if self.remaining:
            raise self.malformed(f"{self.remaining} bytes too many")

    def malformed(self, why: str) -> Malformed:
        """An error about these bytes, ready to raise."""
        return Malformed(f"{self._what}: {why}", self._reason)

    def _advance(self, count: int) -> int:
        start = self.offset
        if count < 0:
            raise self.malformed(f"a length is {-count} bytes too small for its own header")
        if count > self.remaining:
            why = f"{count} bytes wanted at {start}, {self.remaining} left"
            raise Truncated(f"{self._what}: {why}", self._reason)
        self.offset = start + count
        return start
