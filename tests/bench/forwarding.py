"""Goals 3 and 4: packets on their way through a world, one hop more and four hops through a tunnel."""

from collections.abc import Callable, Iterator
from io import BytesIO

from ipsecsim.base.address import Prefix
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.nodes.host import Host
from ipsecsim.net.nodes.router import Router
from ipsecsim.net.simulator import Simulator
from ipsecsim.net.turn import Observer
from ipsecsim.observe.inventory import Inventory
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.written.pcapng import Capture
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.bench import floors
from tests.bench.measure import Timing, Work, interleaved, ratio
from tests.bench.row import Row
from tests.support.builders import World, two_gateways

LENGTH = 1400
BATCH = 200
CHAIN_BATCH = 1000
QUICK = LinkOptions(delay=1000)


class Chain:
    """A host, so many routers in a row, a host; packets are put onto the first link."""

    def __init__(self, routers: int, observer: Observer | None = None, options: LinkOptions = QUICK) -> None:
        simulator = Simulator("bench", observer)
        self.simulator = simulator
        links = [Link(f"l{n}", simulator, options) for n in range(routers + 1)]
        simulator.links = {link.name: link for link in links}
        everywhere = Prefix.parse("0.0.0.0/0")

        def address(link: int, end: int) -> bytes:
            return bytes((10, link >> 8, link & 0xFF, end))

        self.source = Host("a", simulator, [(Interface("e", address(0, 1), 24), links[0])])
        for n in range(routers):
            near, far = address(n, 2), address(n + 1, 1)
            ends = [(Interface("near", near, 24), links[n]), (Interface("far", far, 24), links[n + 1])]
            router = Router(f"r{n}", simulator, ends)
            router.add_route(Route(everywhere, address(n + 1, 2), "far"))
        self.source.add_route(Route(everywhere, address(0, 2), "e"))
        self.target = target = Host("z", simulator, [(Interface("e", address(routers, 2), 24), links[-1])])
        segment = udp.build(address(0, 1), target.address, 1, 9, bytes(64))
        self.packet = ipv4.build(address(0, 1), target.address, IpProtocol.UDP, segment)
        self.first, self.next_hop = links[0], address(0, 2)

    def send(self, count: int) -> None:
        """So many packets from end to end."""

        def begin() -> None:
            for _ in range(count):
                self.first.carry(self.source, "e", self.next_hop, self.packet)

        self.simulator.plan(self.simulator.now, self.source, begin)
        step = self.simulator.step
        while step():
            pass


def passing(routers: int, watcher: Callable[[], Observer] | None = None, *, with_state: bool = False) -> Work:
    """So many packets through a chain; a new chain for each thousand, so that no recording grows for ever."""

    def work(count: int) -> None:
        for done in range(0, count, CHAIN_BATCH):
            observer = None if watcher is None else watcher()
            inventory = Inventory(observer) if with_state else None
            chain = Chain(routers, observer if inventory is None else inventory.tell)
            if inventory is not None:
                inventory.watch(chain.simulator)
            chain.send(min(CHAIN_BATCH, count - done))

    return work


def _metadata() -> Observer:
    return Recorder().tell


def _capture() -> Observer:
    return Capture(BytesIO().write).tell


def hop_against_event() -> Iterator[Row]:
    """Goal 3: the cost of one forwarded hop more, against one bare simpy event."""
    short, long = 4, 12
    event, *timings = interleaved(
        [
            floors.simpy_event,
            passing(short),
            passing(long),
            passing(short, _metadata),
            passing(long, _metadata),
            passing(short, _capture),
            passing(long, _capture),
            passing(short, _metadata, with_state=True),
            passing(long, _metadata, with_state=True),
        ]
    )
    hop, traced, captured, kept = (
        _difference(many, few, long - short) for few, many in zip(timings[::2], timings[1::2], strict=True)
    )
    yield Row(3, "one forwarded hop, trace off", ratio(hop, event), 3.5, "simpy events", hop.median * 1e6)
    yield Row(
        3, "the same with metadata trace", ratio(traced, hop), 1.15, "times the hop", traced.median * 1e6
    )
    yield Row(
        3, "the same with a full capture", ratio(captured, hop), 1.70, "times the hop", captured.median * 1e6
    )
    yield Row(
        3,
        "with metadata trace, and state at any position",
        ratio(kept, hop),
        None,
        "times the hop",
        kept.median * 1e6,
    )


def _difference(more: Timing, less: Timing, steps: int) -> Timing:
    return Timing(tuple((a - b) / steps for a, b in zip(more.rounds, less.rounds, strict=True)))


def tunnel_against_cipher() -> Iterator[Row]:
    """Goal 4: host, gateway, router, gateway, host with 1400 B packets, against one encryption and decryption."""
    world = two_gateways()
    world.ping("a", "b")
    world.run()
    timings = interleaved([_cipher_pair(), _through(world)])
    yield Row(
        4,
        f"four hops through an ESP-GCM tunnel, {LENGTH} B, recorded",
        ratio(timings[1], timings[0]),
        None,
        "encrypt+decrypt",
        timings[1].median * 1e6,
    )
    quiet = two_gateways(observed=False)
    quiet.ping("a", "b")
    quiet.run()
    timings = interleaved([_cipher_pair(), _through(quiet)])
    yield Row(
        4,
        f"four hops through an ESP-GCM tunnel, {LENGTH} B",
        ratio(timings[1], timings[0]),
        30.0,
        "encrypt+decrypt",
        timings[1].median * 1e6,
    )


def _cipher_pair() -> Work:
    encrypt, decrypt = floors.aesgcm_encrypt(LENGTH), floors.aesgcm_decrypt(LENGTH)

    def work(count: int) -> None:
        encrypt(count)
        decrypt(count)

    return work


def _through(world: World) -> Work:
    source, target = world.nodes["a"], world.nodes["b"]
    data = bytes(LENGTH - 28)

    def work(count: int) -> None:
        done = 0
        while done < count:
            batch = min(BATCH, count - done)

            def begin(batch: int = batch) -> None:
                for _ in range(batch):
                    source.perform(source.stack.send_datagram(None, 1, target.address, 9, data))

            world.simulator.plan(world.simulator.now, source, begin)
            while world.simulator.step():
                pass
            world.recorder.forget()
            done += batch

    return work
