"""The goals, one function each: what is measured, against which floor, and how far it may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from ipsecsim.base.address import Prefix, pack
from ipsecsim.crypto.catalogue import WORDS, AhSuite, EspSuite, Integrity
from ipsecsim.ipsec.actions import SendPacket
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.net.link import Link, LinkOptions
from ipsecsim.net.nodes.host import Host
from ipsecsim.net.nodes.router import Router
from ipsecsim.net.simulator import Simulator
from ipsecsim.observe import pcapng
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.interface import Interface
from ipsecsim.stack.routes import Route
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.bench import floors
from tests.bench.measure import Timing, Work, interleaved, ratio
from tests.interop import scapy_peer
from tests.support.builders import World, two_gateways
from tests.support.pair import Pair

LENGTH = 1400
WEST, EAST = pack("192.0.2.1"), pack("192.0.2.2")
ALICE, BOB = pack("10.1.0.2"), pack("10.2.0.2")
NETS = (Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")),)
BATCH = 200
CHAIN_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One measured ratio. `limit` is what the goal allows, None where the row only informs.

    It is the most that the ratio may be, or with `more_is_better` the least.
    """

    goal: int
    what: str
    ratio: float
    limit: float | None
    unit: str
    microseconds: float
    more_is_better: bool = False

    @property
    def is_missed(self) -> bool:
        """Is the goal not reached?"""
        if self.limit is None:
            return False
        return self.ratio < self.limit if self.more_is_better else self.ratio > self.limit


def all_rows() -> Iterator[Row]:
    """Every goal in turn; each measures its own floor beside itself."""
    for goal in (
        esp_against_cipher,
        protection_against_scapy,
        hop_against_event,
        tunnel_against_cipher,
        handshake_against_crypto,
    ):
        yield from goal()


# -- goal 1: bytes to bytes through the engine ----------------------------------------------------


class Tunnel:
    """Two hosts' IPsec and IP engines with one SA between them, and no network."""

    def __init__(self, words: str) -> None:
        suite = _suite(words)
        mirrored = tuple(Selector(each.remote, each.local) for each in NETS)
        self.west = IpsecEngine([Policy("net", PolicyAction.PROTECT, NETS)])
        self.east = IpsecEngine([Policy("net", PolicyAction.PROTECT, mirrored)])
        for engine, direction, selectors in (
            (self.west, Direction.OUTBOUND, NETS),
            (self.east, Direction.INBOUND, mirrored),
        ):
            self.parameters = SaParameters(
                direction,
                0x1001,
                WEST,
                EAST,
                suite,
                bytes(suite.encryption_key_length),
                bytes(suite.integrity_key_length),
                selectors,
                "net",
            )
            engine.install(self.parameters, 0)

    def seal(self, packet: bytes) -> bytes:
        """From a plain to a protected IP packet."""
        (action,) = self.west.outbound(packet, 0)
        assert isinstance(action, SendPacket)
        return action.packet

    def sealing(self, packet: bytes) -> Work:
        """Seal the same packet so many times."""

        def work(count: int) -> None:
            for _ in range(count):
                self.seal(packet)

        return work

    def opening(self, packet: bytes) -> Work:
        """Open so many packets; they are sealed beforehand and the window is set back, untimed work apart."""
        sealed = [self.seal(packet) for _ in range(BATCH)]
        protocol = self.parameters.protocol
        sa = self.east.sad.inbound(protocol, 0x1001)
        assert sa is not None
        inbound = self.east.inbound

        def work(count: int) -> None:
            done = 0
            while done < count:
                sa.replay.top = sa.replay.seen = 0
                for protected in sealed[: count - done]:
                    ipv4.check(protected)
                    assert inbound(protocol, protected, ipv4.HEADER_LENGTH, 0)
                done += BATCH

        return work


def _suite(words: str) -> EspSuite | AhSuite:
    """Of ESP when a cipher comes first, else of AH."""
    first, _, second = words.partition("-")
    meaning = WORDS[first]
    if isinstance(meaning.row, Integrity):
        return AhSuite(meaning.row)
    return EspSuite(meaning.row, meaning.key_bits, WORDS[second].row if second else None)


PACKET = ipv4.build(ALICE, BOB, IpProtocol.UDP, udp.build(ALICE, BOB, 1, 2, bytes(LENGTH - 28)))


def esp_against_cipher() -> Iterator[Row]:
    """Goal 1: encapsulation and decapsulation at 1400 B against the bare cipher calls."""
    packet = PACKET
    gcm, cbc = Tunnel("aes256gcm16"), Tunnel("aes256-sha256")
    timings = interleaved(
        [
            floors.aesgcm_encrypt(LENGTH),
            gcm.sealing(packet),
            floors.aesgcm_decrypt(LENGTH),
            gcm.opening(packet),
            floors.cbc_sha256(LENGTH, decrypt=False),
            cbc.sealing(packet),
            floors.cbc_sha256(LENGTH, decrypt=True),
            cbc.opening(packet),
        ]
    )
    names = ("ESP-GCM seal", "ESP-GCM open", "ESP-CBC+SHA256 seal", "ESP-CBC+SHA256 open")
    for index, name in enumerate(names):
        floor, work = timings[2 * index], timings[2 * index + 1]
        yield Row(1, f"{name} at {LENGTH} B", ratio(work, floor), 4.0, "cipher calls", work.median * 1e6)


# -- goal 2: the same against scapy ----------------------------------------------------------------

AGAINST_SCAPY = {"ESP-GCM": ("aes256gcm16", 200.0, 60.0), "AH-SHA256": ("sha256", 60.0, 60.0)}
"""By what is measured: the suite, and how many times faster sealing and opening are to be."""


def protection_against_scapy() -> Iterator[Row]:
    """Goal 2: bytes to bytes at 1400 B, against scapy; without scapy there is no row, and that is said."""
    if scapy_peer.missing():
        print(f"SKIPPED goal 2: {scapy_peer.HOW_TO_GET_IT}")
        return
    for name, (words, seal, opened) in AGAINST_SCAPY.items():
        tunnel = Tunnel(words)
        floor_seal, ours_seal, floor_open, ours_open = interleaved(
            [
                floors.scapy_seal(tunnel.parameters, PACKET),
                tunnel.sealing(PACKET),
                floors.scapy_open(tunnel.parameters, tunnel.seal(PACKET)),
                tunnel.opening(PACKET),
            ]
        )
        for verb, floor, work, limit in (
            ("seal", floor_seal, ours_seal, seal),
            ("open", floor_open, ours_open, opened),
        ):
            what = f"{name} {verb} at {LENGTH} B"
            faster = ratio(floor, work)
            yield Row(2, what, faster, limit, "times scapy", work.median * 1e6, more_is_better=True)


# -- goal 3: one hop more ------------------------------------------------------------------------


class Chain:
    """A host, so many routers in a row, a host; packets are put onto the first link."""

    def __init__(self, routers: int, recorder: Recorder | None = None) -> None:
        simulator = Simulator("bench", None if recorder is None else recorder.observe)
        self.simulator = simulator
        links = [Link(f"l{n}", simulator, LinkOptions(delay=1000)) for n in range(routers + 1)]
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
        target = Host("z", simulator, [(Interface("e", address(routers, 2), 24), links[-1])])
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


def passing(routers: int, *, recorded: bool = False, captured: bool = False) -> Work:
    """So many packets through a chain; a new chain for each thousand, so that no recording grows for ever."""

    def work(count: int) -> None:
        for done in range(0, count, CHAIN_BATCH):
            recorder = Recorder() if recorded or captured else None
            Chain(routers, recorder).send(min(CHAIN_BATCH, count - done))
            if captured and recorder is not None:
                pcapng.write(recorder, BytesIO())

    return work


def hop_against_event() -> Iterator[Row]:
    """Goal 3: the cost of one forwarded hop more, against one bare simpy event."""
    short, long = 4, 12
    event, few, many, traced_few, traced_many, captured_few, captured_many = interleaved(
        [
            floors.simpy_event,
            passing(short),
            passing(long),
            passing(short, recorded=True),
            passing(long, recorded=True),
            passing(short, captured=True),
            passing(long, captured=True),
        ]
    )
    hop = _difference(many, few, long - short)
    traced = _difference(traced_many, traced_few, long - short)
    captured = _difference(captured_many, captured_few, long - short)
    yield Row(3, "one forwarded hop, trace off", ratio(hop, event), 3.5, "simpy events", hop.median * 1e6)
    yield Row(
        3, "the same with metadata trace", ratio(traced, hop), 1.15, "times the hop", traced.median * 1e6
    )
    yield Row(
        3, "the same with a full capture", ratio(captured, hop), 1.70, "times the hop", captured.median * 1e6
    )


def _difference(more: Timing, less: Timing, steps: int) -> Timing:
    return Timing(tuple((a - b) / steps for a, b in zip(more.rounds, less.rounds, strict=True)))


# -- goal 4: four hops through a tunnel -----------------------------------------------------------


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
            world.recorder.rows.clear()
            world.recorder._turn_starts.clear()
            done += batch

    return work


# -- goal 6: a handshake -------------------------------------------------------------------------

SUITES = {
    "x25519": ("aes256gcm16-prfsha256-x25519", 2.5),
    "ecp256": ("aes256gcm16-prfsha256-ecp256", 2.5),
    "modp2048": ("aes256gcm16-prfsha256-modp2048", 1.5),
}


def handshake_against_crypto() -> Iterator[Row]:
    """Goal 6: a whole handshake with PSK, against the cryptography that both sides cannot do without."""
    works: list[Work] = []
    for group, (words, _) in SUITES.items():
        works += [floors.handshake_crypto(group), _handshakes(words), _simulated_handshakes(words)]
    timings = interleaved(works)
    for index, (group, (_, limit)) in enumerate(SUITES.items()):
        floor, memory, world = timings[3 * index : 3 * index + 3]
        yield Row(
            6,
            f"handshake in memory, {group}",
            ratio(memory, floor),
            limit,
            "crypto floors",
            memory.median * 1e6,
        )
        yield Row(
            6, f"handshake in a world, {group}", ratio(world, floor), 4.0, "crypto floors", world.median * 1e6
        )


def _handshakes(words: str) -> Work:
    pair = Pair(west={"ike": [words]}, east={"ike": [words]}, watched=False)

    def work(count: int) -> None:
        for _ in range(count):
            pair.establish()
            pair.forget()

    return work


def _simulated_handshakes(words: str) -> Work:
    world = two_gateways(ike=words, observed=False)
    west, east = world.gateway("west"), world.gateway("east")

    def work(count: int) -> None:
        for _ in range(count):
            world.simulator.plan(world.simulator.now, west, lambda: west.initiate("net"))
            while world.simulator.step():
                pass
            for gateway in (west, east):
                gateway.perform(gateway.ike.forget())

    return work
