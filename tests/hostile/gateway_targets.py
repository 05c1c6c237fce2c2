"""A whole gateway with a tunnel that is up: packets on its WAN side, and a world that goes on after each."""

from dataclasses import dataclass
from random import Random

from ipsecsim.base.instant import ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Mode
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.invariants.invariants import check
from ipsecsim.observe.packets.packet_summary import summary
from ipsecsim.observe.telling.explain import clause, explain
from ipsecsim.observe.written.jsonl import to_json
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import icmpv4, icmpv6, ip, udp
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.hostile import mutators
from tests.hostile.packets import any_packet, fragments_of
from tests.hostile.packets6 import any_packet_6, fragments_of_6
from tests.hostile.sa_targets import spoil_any
from tests.hostile.target import ACCEPTED, Target, require
from tests.support.builders import World, two_gateways
from tests.support.by_hand import EAST, WEST, install

_MOST_TURNS = 20  # that one packet is followed for; what comes later comes with the next one


@dataclass(frozen=True, slots=True)
class Scene:
    """Which world: IP versions, and who brought the keys. `words` empty: IKE did."""

    inner: int = 4
    outer: int = 4
    words: str = ""
    protocol: IpProtocol = IpProtocol.ESP
    mode: Mode = Mode.TUNNEL
    in_udp: bool = False
    extended: bool = False

    @property
    def hides_nothing(self) -> bool:
        """Can everybody read what the tunnel carries?"""
        return self.protocol == IpProtocol.AH or self.words.startswith("null")

    def play(self) -> World:
        """West has sent a few packets through the tunnel, and got answers."""
        world = two_gateways(
            encap=self.in_udp and not self.words, seed="hostile", inner=self.inner, outer=self.outer
        )
        if self.words:
            changes = {"udp_ports": (NAT_T_PORT, NAT_T_PORT)} if self.in_udp else {}
            install(
                world,
                self.protocol,
                self.words,
                self.mode,
                inner=self.inner,
                outer=self.outer,
                extended_sequence=self.extended,
                **changes,
            )
        if self.mode is Mode.TUNNEL:
            world.ping("a", "b", count=3)
        else:
            _talk(world, self.outer)
        return world.run()


def _talk(world: World, version: int) -> None:
    """West to east themselves, since transport mode is for them."""
    west, to = world.nodes["west"], EAST[version]
    echo = icmpv4.Echo(is_reply=False, identifier=1, sequence=1, data=bytes(56))
    echo6 = icmpv6.Echo(is_reply=False, identifier=1, sequence=1, data=bytes(56))

    def say() -> None:
        if version == 4:
            west.perform(west.stack.send(None, to, IpProtocol.ICMP, echo.emit()))
        else:
            west.perform(west.stack.send(None, to, IpProtocol.ICMPV6, echo6.emit(WEST[6], to)))
        west.perform(west.stack.send_datagram(None, 1111, to, 9, b"hello"))

    world.simulator.plan(0, west, say)


def any_scene(chance: Random) -> Scene:
    """Every kind of world comes up."""
    inner, outer = chance.choice((4, 6)), chance.choice((4, 6))
    if chance.random() < 0.4:
        return Scene(inner, outer, in_udp=chance.random() < 0.5)
    mode = chance.choice(list(Mode))
    if mode is Mode.TRANSPORT:
        inner = outer
    is_ah = chance.random() < 0.5
    words = chance.choice(("sha256", "aescmac")) if is_ah else chance.choice(("aes128gcm16", "null-sha256"))
    return Scene(
        inner,
        outer,
        words,
        IpProtocol.AH if is_ah else IpProtocol.ESP,
        mode,
        not is_ah and chance.random() < 0.3,
        chance.random() < 0.5,
    )


class Gateway(Target):
    """East of `two_gateways`. All that is told about it must be tellable, and the books must balance."""

    name = "gateway"
    share = 30

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self.scene = any_scene(chance)
        self._world: World = self.scene.play()
        frames = self._world.recorder.of(FrameSent)
        self._real = [
            frame.packet for row, frame in frames if frame.link == "wan_east" and row.node == "internet"
        ]
        nodes = [self._world.nodes[name] for name in ("a", "b", "west")]
        known = [address for node in nodes for version in (4, 6) if (address := node.address_of(version))]
        known += [WEST[self.scene.outer], EAST[self.scene.outer]]
        self._ends = {
            version: tuple(end for end in known if len(end) == length)
            for version, length in ((4, 4), (6, 16))
        }
        self._coming: list[bytes] = []

    def next_input(self) -> bytes:
        if not self._coming:
            self._coming = self._more()
        return self._coming.pop()

    def _more(self) -> list[bytes]:
        chance = self.chance
        packet = chance.choice(self._real)
        choice = chance.random()
        if choice < 0.3:
            return [spoil_any(chance, packet)]
        if choice < 0.5:
            packet = self._any_packet()
            if chance.random() < 0.5:
                return [spoil_any(chance, packet)]
            return (fragments_of if packet[0] >> 4 == 4 else fragments_of_6)(chance, packet)
        return [self._behind_the_headers(packet)]

    def _any_packet(self) -> bytes:
        chance = self.chance
        ends = self._ends[chance.choice([version for version, found in self._ends.items() if found])]
        if len(ends[0]) == 4:
            return any_packet(chance, ends, ends)
        return any_packet_6(chance, chance.choice(ends), chance.choice(ends))

    def _behind_the_headers(self, packet: bytes) -> bytes:
        """Spoiled behind IP and UDP, whose lengths and checksums are right."""
        protocol, start = ip.upper_layer(packet)
        ends = ip.source(packet), ip.destination(packet)
        if protocol != IpProtocol.UDP:
            number_at = 4 if protocol == IpProtocol.ESP else 8
            body = mutators.spoil(self.chance, self._renumbered(packet[start:], number_at))
            return ip.build(*ends, protocol, body[:65_000])
        source_port, destination_port, payload = udp.parse(packet[start:])
        payload = mutators.spoil(self.chance, self._renumbered(payload, 4))[:65_000]
        segment = udp.build(*ends, source_port, destination_port, payload, checksum=len(ends[0]) == 16)
        return ip.build(*ends, protocol, segment)

    def _renumbered(self, body: bytes, at: int) -> bytes:
        """Mostly with a number that was not there yet, so that it is not dropped for that."""
        if self.chance.random() < 0.3 or body[:4] == bytes(4):
            return body
        number = self.chance.choice((4, 5, 30, 33, 1000, 2**31, 2**32 - 1, 2**32 - 20))
        return body[:at] + number.to_bytes(4, "big") + body[at + 4 :]

    def feed(self, data: bytes) -> str:
        simulator, rows = self._world.simulator, self._world.recorder.rows
        internet, east = self._world.nodes["internet"], self._world.nodes["east"]
        seen = len(rows)

        def send() -> None:
            assert internet.tap is not None
            internet.tap(PacketOriginated(data))
            simulator.links["wan_east"].carry(internet, "eth1", EAST[self.scene.outer], data)

        simulator.plan(simulator.now + ms(1), internet, send)
        for _ in range(_MOST_TURNS):
            if not simulator.step():
                break
        drops = []
        for row in rows[seen:]:
            explain(row.event)
            clause(row.event)
            to_json(row).encode()
            if isinstance(row.event, PacketDropped) and row.node == east.name:
                drops.append(row.event.reason.name)
        summary(data)
        return drops[0] if drops else ACCEPTED

    def explain(self) -> str:
        return str(self.scene)

    def finish(self) -> None:
        # The router speaks for the attacker, who may by chance say what was sealed before; and who can read it
        # all where nothing is secret may send it to anybody. What a gateway itself gives away is seen at it.
        found = check(self._world.recorder, self._world.simulator)
        violations = [violation for violation in found if violation.node != "internet"]
        if self.scene.hides_nothing:
            violations = [each for each in violations if " can be read on " not in each.sentence]
        require(not violations, f"{len(violations)} violations, the first: {next(iter(violations), None)}")
