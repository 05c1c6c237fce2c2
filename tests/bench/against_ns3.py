"""Goal 5: plain forwarding at least as fast as ns-3 with checksums; as a stretch, with ESP as fast as ns-3 plain.

On both sides one application sends UDP datagrams at a steady pace through four links of 100 Gbit/s, and another one
takes them.
"""

from collections.abc import Iterator

from ipsecsim.net.link import LinkOptions
from tests.bench import ns3_chain
from tests.bench.forwarding import Chain
from tests.bench.measure import Work, interleaved, ratio
from tests.bench.row import Row
from tests.bench.stream import sending
from tests.support.builders import two_gateways

FAST = LinkOptions(delay=1000, rate=100_000_000_000)
SIZES = (64, 1400)
INTERVAL = 1000 * ns3_chain.INTERVAL
WITH_HEADERS = 28  # of UDP and IPv4


def forwarding_against_ns3() -> Iterator[Row]:
    """Our time for a packet against ns-3's."""
    peer = ns3_chain.load()
    if peer is None:
        print(f"SKIPPED goal 5: {ns3_chain.HOW_TO_GET_IT}")
        return
    for size in SIZES:
        ours, theirs = interleaved([plain(size), peer.passing(size, checksums=True)])
        yield Row(
            5,
            f"four links, plain, {size} B of data, to ns-3 with checksums",
            ratio(ours, theirs),
            1.0,
            "times ns-3",
            ours.median * 1e6,
        )
    size = SIZES[-1] - WITH_HEADERS
    ours, theirs = interleaved([tunnelled(size), peer.passing(size, checksums=False)])
    what = f"four links, ESP-GCM tunnel, {SIZES[-1]} B, to ns-3 plain"
    yield Row(5, what, ratio(ours, theirs), None, "times ns-3", ours.median * 1e6)


def plain(size: int) -> Work:
    """Host, three routers, host."""
    chain = Chain(ns3_chain.LINKS - 1, options=FAST)
    return sending(chain.source, chain.target.address, size, INTERVAL)


def tunnelled(size: int) -> Work:
    """Host, gateway, router, gateway, host."""
    world = two_gateways(observed=False)
    world.ping("a", "b")
    world.run()
    return sending(world.nodes["a"], world.nodes["b"].address, size, INTERVAL)
