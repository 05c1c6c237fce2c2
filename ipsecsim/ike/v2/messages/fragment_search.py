"""The search for what the path takes: downwards, in a few steps, each time nothing has come back (RFC 7383 2.5.2).

Routers tell IKE of no MTU where ICMP is filtered, and some firewalls drop what IP has cut. So a request that stays
without an answer is cut into more and smaller fragments, until the smallest size that there is.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ipsecsim.ike.fragment_events import IkeFragmentSizeLowered
from ipsecsim.ike.v2.messages import fragments
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.wire.ike.header import IkeHeader

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

STEPS = {4: (1280, 576), 16: (1280,)}
"""IP datagrams of IPv4 and IPv6, by the length of an address; the last ones are those of RFC 7383 2.5.1."""

TRIES = 2  # so often is a request sent again before its size is suspected


def after_silence(sa: "IkeSa") -> bool:
    """The request was sent again, and again there was no answer: is it too large for the path, and cut anew?

    Its retransmission begins anew with the next smaller size; at the smallest one it goes on until it times out.
    """
    waiting = sa.window.outstanding
    if waiting is None or waiting.sent_again < TRIES:
        return False
    return _ask_smaller(sa, STEPS[len(sa.path.remote)])


def told(sa: "IkeSa", mtu: int) -> bool:
    """A router says that no more than `mtu` bytes get through: is the request cut anew for that?

    Nobody proves it, so we go no lower than by ourselves.
    """
    return _ask_smaller(sa, [max(mtu, STEPS[len(sa.path.remote)][-1])])


def heard(sa: "IkeSa", longest: int) -> None:
    """The peer cuts its messages into pieces of so many bytes: it may have searched, so ours are no longer.

    The answer that it asks for once more is cut anew, too.
    """
    smallest = STEPS[len(sa.path.remote)][-1]
    size = max(longest + fragments.overhead(sa), smallest)
    if size >= fragments.datagram_size(sa):
        return
    sa.datagram_limit = size
    window = sa.window
    smaller = _cut_smaller(sa, window.last_response, window.last_content)
    if smaller:
        window.last_response = smaller


def _ask_smaller(sa: "IkeSa", sizes: Iterable[int]) -> bool:
    """Cut the outstanding request to the first of these sizes that is less than what it fills now."""
    waiting, before = sa.window.outstanding, sa.datagram_limit
    if waiting is None:
        return False
    for size in sizes:
        if size >= fragments.datagram_size(sa):
            continue
        sa.datagram_limit = size
        smaller = _cut_smaller(sa, waiting.messages, waiting.content)
        if smaller:
            waiting.messages, waiting.sent_again = smaller, 0
            if sa.tap is not None:
                sa.tap(IkeFragmentSizeLowered(sa.spi_i, waiting.message_id, size, len(smaller)))
            return True
    sa.datagram_limit = before
    return False


def _cut_smaller(sa: "IkeSa", messages: Sequence[bytes], content: Content | None) -> list[bytes]:
    """A message in fragments of the present size; none where it is so small already.

    They have to be more than before, for the receiver tells one set from the other by that (RFC 7383 2.5.2).
    """
    limit = fragments.largest_whole(sa)
    if limit is None or content is None or sa.outbound is None or max(map(len, messages)) <= limit:
        return []
    return fragments.cut(IkeHeader.parse(messages[0]), content, sa.outbound, limit, len(messages) + 1)
