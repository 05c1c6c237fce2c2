"""The shape of an exchange: four moments, in the order the messages fly."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.v2.messages.message import Answer, Message
from ipsecsim.wire.ike.generic import Payload

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


class Exchange(Protocol):
    """What `sa.py` asks of the module that explains an exchange; each module is one row of EXCHANGES."""

    def build_request(self, sa: "IkeSa", now: Instant) -> Sequence[Payload]:
        """The payloads of the request."""
        ...

    def handle_request(self, sa: "IkeSa", message: Message, now: Instant) -> Answer:
        """Judge a request. Raises RemoteError; the hub answers with its notify."""
        ...

    def handle_response(self, sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
        """Go on with the answer. Raises RemoteError when it is not acceptable."""
        ...

    def give_up(self, sa: "IkeSa", now: Instant) -> list[Action]:
        """No answer came to any of our tries."""
        ...
