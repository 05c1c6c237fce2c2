"""Message IDs: which request is next, which is outstanding, which answer is kept (RFC 7296 2.1 to 2.3).

The window is 1 both ways: one request outstanding, one answer remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.errors import NotForWindow
from ipsecsim.ike.v2.messages.envelope import Content

LAST_ID = 0xFFFF_FFFF
FEW_LEFT = 0x1_0000
"""When so many message IDs are left, it is time for an IKE SA with fresh ones."""


@dataclass(slots=True)
class Outstanding:
    """A request that waits for its answer: its exact bytes, or those of its fragments, for sending again."""

    exchange: int
    message_id: int
    messages: Sequence[bytes]
    content: Content | None = None  # what is inside, where it may be cut in another way
    sent_again: int = 0


class Window:
    """Both directions' message IDs of one IKE SA."""

    def __init__(self) -> None:
        self.next_request = 0
        self.expected_request = 0
        self.outstanding: Outstanding | None = None
        self._request_hash = b""  # of the request that came last with an ID in the window
        self._answered_hash = b""
        self.last_response: Sequence[bytes] = ()
        self.last_content: Content | None = None

    def open_request(
        self, exchange: int, messages: Sequence[bytes], content: Content | None = None
    ) -> Outstanding:
        """Note that the request with ID `next_request` is on its way."""
        self.outstanding = Outstanding(exchange, self.next_request, messages, content)
        self.next_request += 1
        return self.outstanding

    @property
    def is_nearly_used_up(self) -> bool:
        """Are few message IDs left, in either direction?"""
        return max(self.next_request, self.expected_request) > LAST_ID - FEW_LEFT

    @property
    def is_used_up(self) -> bool:
        """Is there no message ID for one more request? The counter must not begin anew (RFC 7296 2.2)."""
        return self.next_request > LAST_ID

    def restart(self) -> None:
        """IKE_SA_INIT begins anew with message ID 0 after COOKIE or INVALID_KE_PAYLOAD (RFC 7296 2.6)."""
        self.outstanding = None
        self.next_request = 0

    def skip_to(self, next_request: int, expected_request: int) -> None:
        """Go on from other IDs, on which both sides have agreed (RFC 6311 5.1)."""
        self.next_request = next_request
        self.expected_request = expected_request

    def check_response(self, exchange: int, message_id: int) -> None:
        """Raise NotForWindow unless this answers the outstanding request. Changes nothing: it may be forged."""
        waiting = self.outstanding
        if waiting is None or (waiting.message_id, waiting.exchange) != (message_id, exchange):
            raise NotForWindow(DropReason.UNEXPECTED_RESPONSE, message_id)

    def close_request(self) -> None:
        """The answer came and was authentic."""
        self.outstanding = None

    def is_repetition(self, message_id: int) -> bool:
        """Is it the ID of the request that was answered last? Raises NotForWindow unless it is that or the next."""
        if message_id == self.expected_request:
            return False
        if message_id == self.expected_request - 1:
            return True
        is_old = message_id < self.expected_request
        raise NotForWindow(DropReason.RETRANSMIT_IGNORED if is_old else DropReason.OUT_OF_WINDOW, message_id)

    def note_request(self, request: bytes) -> None:
        """This came with the next ID: if it gets an answer, so do the same bytes later. Empty: no bytes do."""
        self._request_hash = sha256(request).digest() if request else b""

    def is_last_request(self, request: bytes) -> bool:
        """Is it, bit for bit, what was answered last (RFC 7296 2.1)?

        Anybody can send some bytes with an old message ID: a large answer to a small forgery would make us a
        weapon against a third party.
        """
        return sha256(request).digest() == self._answered_hash

    def remember(self, response: Sequence[bytes], content: Content | None = None) -> None:
        """Keep the answer to the request that came last, and move on to the next."""
        self.expected_request += 1
        self._answered_hash = self._request_hash
        self.last_response = response
        self.last_content = content
