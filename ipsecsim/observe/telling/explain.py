"""One sentence for every kind of event, and where the standards speak of it.

A new event needs a row in the table of its package; `tests/laws` lists those that have none. Sentences are without
a full stop, so that a view can go on with the clause. Clauses of drops stand in `base/drop_reasons.py`.
"""

from ipsecsim.base import trace
from ipsecsim.base.trace import TraceEvent
from ipsecsim.observe.telling.adversary import ADVERSARY
from ipsecsim.observe.telling.ike import IKE
from ipsecsim.observe.telling.ipsec import IPSEC
from ipsecsim.observe.telling.mobility import MOBILITY
from ipsecsim.observe.telling.network import NETWORK
from ipsecsim.observe.telling.shape import Tellings
from ipsecsim.observe.telling.sync import SYNC


def explain(event: TraceEvent) -> str:
    """What happened, in plain words. Raises KeyError for an event without a row."""
    return SENTENCES[type(event)][0](event)


def clause(event: TraceEvent) -> str:
    """Where the standards speak of it: 'RFC 4303 3.4.3'; '' where it is no matter of theirs."""
    where = SENTENCES[type(event)][1]
    return where if isinstance(where, str) else where(event)


def _dropped(event: trace.PacketDropped) -> str:
    detail = f" [{event.detail}]" if event.detail else ""
    return f"dropped {len(event.packet)} B: {event.reason.sentence} ({event.reason.name}){detail}"


SENTENCES: Tellings = {
    trace.PacketDropped: (_dropped, lambda e: e.reason.clause),
    **NETWORK,
    **ADVERSARY,
    **IPSEC,
    **IKE,
    **MOBILITY,
    **SYNC,
}
"""The one table: what to say about an event, and its clause."""
