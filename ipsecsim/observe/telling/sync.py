"""Sentences about message IDs that are agreed on anew (RFC 6311)."""

from ipsecsim.ike import sync_events as events
from ipsecsim.observe.telling.shape import Tellings


def _synchronised(event: events.MessageIdsSynchronised) -> str:
    why = "the peer has taken over the IKE SA" if event.by_peer else "the peer agrees"
    return (
        f"{why}: the next request of this side has message ID {event.send}, that of the peer {event.receive}; "
        "what was on its way before does not count"
    )


SYNC: Tellings = {
    events.MessageIdsInDoubt: (
        lambda e: (
            "this side has taken over the IKE SA and may have missed the last messages: it would go on "
            f"asking with message ID {e.send}, and expects {e.receive}"
        ),
        "RFC 6311 5",
    ),
    events.MessageIdsSynchronised: (_synchronised, "RFC 6311 5.1"),
}
"""What to say about each event, and its clause."""
