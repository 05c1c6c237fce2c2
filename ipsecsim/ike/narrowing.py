"""Traffic selectors: the part of an offer that both sides allow (RFC 7296 2.9)."""

from collections.abc import Sequence

from ipsecsim.base.address import Prefix
from ipsecsim.ipsec.selector import ANY_PORT, LAST_PORT, OPAQUE_PORT, Selector
from ipsecsim.wire.ike.numbers import TsType, name_of
from ipsecsim.wire.ike.traffic_selector import TrafficSelector

MOST_SELECTORS = 32
"""Taken at each end of a child. A peer may list 255; each pair becomes a row that packets are held against."""


def traffic_selector(
    prefix: Prefix, protocol: int = 0, ports: tuple[int, int] = (0, LAST_PORT)
) -> TrafficSelector:
    """A network as a traffic selector."""
    kind = TsType.IPV4_ADDR_RANGE if len(prefix.network) == 4 else TsType.IPV6_ADDR_RANGE
    return TrafficSelector(kind, protocol, *ports, prefix.first, prefix.last)


def intersect(one: TrafficSelector, other: TrafficSelector) -> TrafficSelector | None:
    """What lies in both, or None when they do not meet."""
    if one.ts_type != other.ts_type or not one.is_known:
        return None
    if one.protocol and other.protocol and one.protocol != other.protocol:
        return None
    start, end = max(one.start, other.start), min(one.end, other.end)
    ports = _ports_in_both((one.start_port, one.end_port), (other.start_port, other.end_port))
    if start > end or ports is None:
        return None
    return TrafficSelector(one.ts_type, one.protocol or other.protocol, *ports, start, end)


def _ports_in_both(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int] | None:
    """The common range. OPAQUE meets itself and ANY, which includes it (RFC 7296 3.13.1)."""
    if OPAQUE_PORT in (one, other):
        return OPAQUE_PORT if {one, other} <= {OPAQUE_PORT, ANY_PORT} else None
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return (start, end) if start <= end else None


def narrow(
    offered: Sequence[TrafficSelector], allowed: Sequence[TrafficSelector]
) -> tuple[TrafficSelector, ...]:
    """Every meeting of an offered with an allowed selector, in the order of the offer; empty when none meet.

    Never more than was offered, MOST_SELECTORS at most, and none that lies within another.
    """
    met: list[TrafficSelector] = []
    for one in offered:
        for other in allowed:
            common = intersect(one, other)
            if common is None or is_within([common], met):
                continue
            met = [each for each in met if not is_within([each], [common])]
            met.append(common)
            if len(met) == MOST_SELECTORS:
                return tuple(met)
    return tuple(met)


def only_first(
    first: TrafficSelector, *, address: bool, protocol: bool, ports: bool
) -> list[TrafficSelector]:
    """All traffic that has the same values as an offer's first selector in these parts.

    Nothing where its address is to count and is not a single one: then it comes from no packet.
    """
    if address and first.start != first.end:
        return []
    size = len(first.start)
    start_port, end_port = (first.start_port, first.end_port) if ports else ANY_PORT
    start, end = (first.start, first.end) if address else (bytes(size), b"\xff" * size)
    return [
        TrafficSelector(first.ts_type, first.protocol if protocol else 0, start_port, end_port, start, end)
    ]


def of_selector(row: Selector) -> tuple[TrafficSelector, TrafficSelector]:
    """Both ends of a row of the SPD or the SAD, ours first."""
    kind = TsType.IPV4_ADDR_RANGE if len(row.local[0]) == 4 else TsType.IPV6_ADDR_RANGE
    return (
        TrafficSelector(kind, row.protocol, *row.local_ports, *row.local),
        TrafficSelector(kind, row.protocol, *row.remote_ports, *row.remote),
    )


def is_within(inner: Sequence[TrafficSelector], outer: Sequence[TrafficSelector]) -> bool:
    """Is every selector of `inner` wholly inside one of `outer`?"""
    return all(any(intersect(one, other) == one for other in outer) for one in inner)


def to_selectors(local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector]) -> tuple[Selector, ...]:
    """Each local with each remote selector, as rows for the SPD and the SAD.

    Pairs of different protocols or address families carry nothing and are left out.
    """
    return tuple(
        Selector(
            (one.start, one.end),
            (other.start, other.end),
            one.protocol or other.protocol,
            (one.start_port, one.end_port),
            (other.start_port, other.end_port),
        )
        for one in local
        for other in remote
        if one.ts_type == other.ts_type
        and (not (one.protocol and other.protocol) or one.protocol == other.protocol)
    )


def describe(selectors: Sequence[TrafficSelector]) -> str:
    """The address ranges in words, for people."""
    return ", ".join(map(_describe, selectors))


def _describe(selector: TrafficSelector) -> str:
    if not selector.is_known:
        return name_of(TsType, selector.ts_type)
    ends = (selector.start, selector.end)
    return str(Selector(ends, ends)).split(" === ")[0]
