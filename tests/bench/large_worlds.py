"""Goal 7: time grows with packets and hops alone, not with the world, and memory not with time. Goal 8: routes."""

import gc
import tracemalloc
from collections.abc import Iterator
from functools import partial
from os import devnull
from pathlib import Path
from resource import getpagesize
from time import process_time

import networkx

from ipsecsim.crypto.catalogue import WORDS, EspSuite
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.net.turn import Observer
from ipsecsim.observe.written import jsonl
from ipsecsim.scenario.build import build
from ipsecsim.scenario.model import Topology
from tests.bench.measure import interleaved, ratio, seconds
from tests.bench.protection import EAST, NETS, WEST
from tests.bench.row import Row
from tests.bench.trees import SMALL, TEN_THOUSAND, THOUSAND, Tree, grid

BATCH = 200
HOPS = 6
PAIRS = 2000  # of SAs
LIMITS = {THOUSAND: 1.25, TEN_THOUSAND: 2.0}


# -- goal 7 ---------------------------------------------------------------------------------------


class Traffic:
    """A tree brought to life; datagrams go between hosts that are six links apart, others for each packet."""

    def __init__(self, tree: Tree, observer: Observer | None = None) -> None:
        started = process_time()
        self.world = build(tree.read(), observer=observer)
        self.seconds_to_build = process_time() - started
        self._tree = tree
        self._sent = 0

    def pass_on(self, hops: int) -> None:
        """So many crossings of a link, a batch at a time."""
        packets = -(-hops // HOPS)
        for done in range(0, packets, BATCH):
            self._batch(min(BATCH, packets - done))

    def _batch(self, packets: int) -> None:
        simulator = self.world.simulator
        crossings = simulator.crossings
        for _ in range(packets):
            source, target = (simulator.nodes[name] for name in self._tree.far_pair(self._sent))
            self._sent += 1
            send = partial(source.stack.send_datagram, None, 1, target.address, 9, bytes(64))
            simulator.plan(simulator.now, source, lambda source=source, send=send: source.perform(send()))
        while simulator.step():
            pass
        assert simulator.crossings - crossings == HOPS * packets, "packets went other ways than six links"


def time_is_linear() -> Iterator[Row]:
    """A packet's hop in large worlds against the same hop in the smallest one; then what stays in memory."""
    small, *large = (Traffic(tree) for tree in (SMALL, *LIMITS))
    for traffic in (small, *large):
        traffic.pass_on(20 * BATCH * HOPS)  # so that ways are known
    floor, *works = interleaved([small.pass_on, *(traffic.pass_on for traffic in large)])
    for limit, traffic, work in zip(LIMITS.values(), large, works, strict=True):
        nodes = f"{len(traffic.world.simulator.nodes):,} nodes"
        yield Row(7, f"a hop among {nodes}", ratio(work, floor), limit, "hops among 11", work.median * 1e6)
        yield Row(7, f"to read and build {nodes}", traffic.seconds_to_build, None, "s", 0.0)
    yield Row(7, "memory left by a hop, trace streamed", _left_by_a_hop(), 1.0, "bytes", 0.0)
    yield Row(7, "memory of an SA pair, keyed", _bytes_of_a_pair() / 1000, 8.0, "kB", 0.0)


def _left_by_a_hop() -> float:
    """How much more is in use after ten thousand hops more, their trace written and gone."""
    with Path(devnull).open("w", encoding="utf-8") as file:
        traffic = Traffic(SMALL, jsonl.Trace(file).tell)
        traffic.pass_on(2000)
        tracemalloc.start()
        used = []
        for _ in range(2):
            traffic.pass_on(10_000)
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    return (used[1] - used[0]) / 10_000


def _bytes_of_a_pair() -> float:
    """What the process grows by, so that OpenSSL's part counts too."""
    meaning = WORDS["aes256gcm16"]
    suite = EspSuite(meaning.row, meaning.key_bits, None)
    engine = IpsecEngine([Policy("net", PolicyAction.PROTECT, NETS)])
    gc.collect()
    before = _resident()
    for spi in range(0x1001, 0x1001 + PAIRS):
        for direction, source, target in (
            (Direction.OUTBOUND, WEST, EAST),
            (Direction.INBOUND, EAST, WEST),
        ):
            keys = bytes(suite.encryption_key_length)
            engine.install(SaParameters(direction, spi, source, target, suite, keys, b"", NETS, "net"), 0)
    return (_resident() - before) / PAIRS


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * getpagesize()


# -- goal 8 ---------------------------------------------------------------------------------------


def routes_are_quick() -> Iterator[Row]:
    """CPU seconds until the ways to so many networks are known, and one node has asked for each of them."""
    for what, topology, prefixes, limit in (
        ("1,000 nodes in a tree, all networks", THOUSAND.read(), None, 1.0),
        ("1,000 routers in a grid, all networks", grid(32), None, 1.0),
        ("10,000 nodes in a tree, 100 networks", TEN_THOUSAND.read(), 100, 5.0),
        ("10,000 routers in a grid, 100 networks", grid(100), 100, 5.0),
    ):
        spent, searched = _ask(topology, prefixes)
        one, floor = spent / searched, _bare_search(topology)
        yield Row(8, f"routes: {what}", spent, limit, "s", one * 1e6)
        yield Row(8, "  one of them", one / floor, None, "times networkx's bare search", one * 1e6)


def _ask(topology: Topology, prefixes: int | None) -> tuple[float, int]:
    asker = next(iter(topology.nodes.values())).routes
    nets = [net for link in topology.links.values() for net in link.nets][::-1][:prefixes]
    started = process_time()
    known = sum(asker.knows(net.first) for net in nets)
    spent = process_time() - started
    assert known > len(nets) / 2  # the others are behind gateways
    return spent, len(nets)


def _bare_search(topology: Topology) -> float:
    """Seconds for one search through the routers and links of a topology by networkx alone."""
    graph: networkx.Graph[str] = networkx.Graph()
    for link in topology.links.values():
        for node, _ in link.endpoints:
            if topology.nodes[node].kind != "host":
                graph.add_edge(f"link {link.name}", node)
    start = f"link {next(iter(topology.links))}"

    def search(count: int) -> None:
        for _ in range(count):
            networkx.single_source_shortest_path_length(graph, start)

    return min(seconds(search, 1) for _ in range(5))
