"""Why the IPsec engine refuses a packet from outside."""

from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError


@dataclass(frozen=True, slots=True)
class Wayward:
    """A packet that its sender may want to know about: the SPI that it came with, and what came out of that SA.

    `inner` is None where there is no such SA.
    """

    spi: int
    inner: bytes | None = None


class Refused(RemoteError):
    """A received packet failed a check; `reason` says which."""

    def __init__(self, reason: DropReason, detail: str = "", wayward: Wayward | None = None) -> None:
        super().__init__(detail or reason.sentence)
        self.reason = reason
        self.wayward = wayward
