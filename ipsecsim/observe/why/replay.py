"""What the anti-replay window drops that nobody has replayed (RFC 4303 3.4.3)."""

from collections.abc import Iterator

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.events import PacketOpened, ReplayRejected
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.wire.headers import security


def replay_window_too_small(case: Case) -> Iterator[Finding]:
    """Packets that came once, and too late: a larger window would have taken them."""
    opened = {
        (row.node, event.protocol, event.spi, event.sequence): row.sequence
        for row, event in case.of(PacketOpened)
    }
    late: dict[tuple[str, str, int], list[tuple[Record, int]]] = {}
    for row, event in case.drops(DropReason.REPLAY_OLD):
        found, rejected = security(event.packet), _rejected(case, row)
        if found is None or rejected is None:
            continue
        before = opened.get((row.node, found.protocol, found.spi, rejected.sequence))
        if before is None or before > row.sequence:  # else it is a copy, and the window did its work
            behind = rejected.window_top - rejected.sequence
            late.setdefault((row.node, found.protocol, found.spi), []).append((row, behind))
    for (node, protocol, spi), packets in late.items():
        enough = max(behind for _, behind in packets) + 1
        sentence = (
            f"{node}: {count(len(packets), 'packet')} of {protocol} SPI {spi:08x} came once and too late "
            f"for the replay window; one of {enough} would have taken all"
        )
        yield Finding(Diagnosis.REPLAY_WINDOW_TOO_SMALL, tuple(row for row, _ in packets), sentence)


def _rejected(case: Case, row: Record) -> ReplayRejected | None:
    """What the window said about a packet that was dropped: it is told just before."""
    last = case.before(row)[-1].event
    return last if isinstance(last, ReplayRejected) else None
