"""Why the IPsec engine refuses a packet from outside."""

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError


class Refused(RemoteError):
    """A received packet failed a check; `reason` says which."""

    def __init__(self, reason: DropReason, detail: str = "") -> None:
        super().__init__(detail or reason.sentence)
        self.reason = reason
