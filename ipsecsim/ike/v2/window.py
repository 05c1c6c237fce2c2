"""Message IDs: which request is next, which is outstanding, which answer is kept (RFC 7296 2.1 to 2.3).

The window is 1 both ways: one request outstanding, one answer remembered.
"""

from dataclasses import dataclass
from hashlib import sha256

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.errors import NotForWindow


@dataclass(slots=True)
class Outstanding:
    """A request that waits for its answer: its exact bytes, for sending again."""

    exchange: int
    message_id: int
    message: bytes
    sent_again: int = 0


class Window:
    """Both directions' message IDs of one IKE SA."""

    def __init__(self) -> None:
        self.next_request = 0
        self.expected_request = 0
        self.outstanding: Outstanding | None = None
        self._request_hash = b""  # of the request that came last with an ID in the window
        self._answered_hash = b""
        self._last_response = b""

    def open_request(self, exchange: int, message: bytes) -> Outstanding:
        """Note that the request with ID `next_request` is on its way."""
        self.outstanding = Outstanding(exchange, self.next_request, message)
        self.next_request += 1
        return self.outstanding

    def restart(self) -> None:
        """IKE_SA_INIT begins anew with message ID 0 after COOKIE or INVALID_KE_PAYLOAD (RFC 7296 2.6)."""
        self.outstanding = None
        self.next_request = 0

    def check_response(self, exchange: int, message_id: int) -> None:
        """Raise NotForWindow unless this answers the outstanding request. Changes nothing: it may be forged."""
        waiting = self.outstanding
        if waiting is None or (waiting.message_id, waiting.exchange) != (message_id, exchange):
            raise NotForWindow(DropReason.UNEXPECTED_RESPONSE, message_id)

    def close_request(self) -> None:
        """The answer came and was authentic."""
        self.outstanding = None

    def stored_response(self, message_id: int, request: bytes) -> bytes | None:
        """The answer to a repeated request; None for a new one. Raises NotForWindow for all others.

        A repetition is the same bit for bit (RFC 7296 2.1). Anybody can send some bytes with an old
        message ID: a large answer to a small forgery would make us a weapon against a third party.
        """
        seen = sha256(request).digest()
        if message_id == self.expected_request:
            self._request_hash = seen
            return None
        if message_id == self.expected_request - 1 and seen == self._answered_hash:
            return self._last_response
        is_old = message_id < self.expected_request
        reason = DropReason.RETRANSMIT_IGNORED if is_old else DropReason.OUT_OF_WINDOW
        raise NotForWindow(reason, message_id)

    def remember(self, response: bytes) -> None:
        """Keep the answer to the request that came last, and move on to the next."""
        self.expected_request += 1
        self._answered_hash = self._request_hash
        self._last_response = response
