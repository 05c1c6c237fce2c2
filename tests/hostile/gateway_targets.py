"""A whole gateway with a tunnel that is up: packets on its WAN side, and a world that goes on after each."""

from random import Random

from ipsecsim.base.instant import ms
from ipsecsim.base.trace import PacketDropped
from ipsecsim.net.events import FrameSent
from ipsecsim.observe.explain import clause, explain
from ipsecsim.observe.invariants import check
from ipsecsim.observe.jsonl import to_json
from ipsecsim.observe.packet_summary import summary
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv4
from ipsecsim.wire.numbers import IpProtocol
from tests.hostile import mutators
from tests.hostile.packets import any_packet, fragments_of, spoil_packet
from tests.hostile.target import ACCEPTED, Target, require
from tests.support.builders import World, two_gateways

_MOST_TURNS = 20  # that one packet is followed for; what comes later comes with the next one


class Gateway(Target):
    """East of `two_gateways`. All that is told about it must be tellable, and the books must balance."""

    name = "gateway"
    share = 30

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._world: World = two_gateways(encap=chance.random() < 0.5, seed="hostile")
        self._world.ping("a", "b")
        self._world.run()
        frames = self._world.recorder.of(FrameSent)
        self._real = [
            frame.packet for row, frame in frames if frame.link == "wan_east" and row.node == "internet"
        ]
        self._ends = [self._world.nodes[name].address for name in ("a", "b", "west")]
        self._ends += [ipv4.parse(packet).destination for packet in self._real]
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
            return [spoil_packet(chance, packet)]
        if choice < 0.5:
            packet = any_packet(chance, tuple(self._ends), tuple(self._ends))
            return [spoil_packet(chance, packet)] if chance.random() < 0.5 else fragments_of(chance, packet)
        payload = mutators.spoil(chance, packet[28:])
        header = ipv4.parse(packet)
        without_checksum = packet[20:24] + (8 + len(payload)).to_bytes(2, "big") + b"\0\0"
        front = without_checksum if header.protocol == IpProtocol.UDP else packet[20:28]
        data = (front + payload)[:65_000]
        return [ipv4.build(header.source, header.destination, header.protocol, data)]

    def feed(self, data: bytes) -> str:
        simulator, rows = self._world.simulator, self._world.recorder.rows
        internet, east = self._world.nodes["internet"], self._world.nodes["east"]
        seen = len(rows)

        def send() -> None:
            assert internet.tap is not None
            internet.tap(PacketOriginated(data))
            simulator.links["wan_east"].carry(internet, "eth1", self._ends[-1], data)

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
        return "two_gateways, seed hostile"

    def finish(self) -> None:
        # The router speaks for the attacker, who may by chance say what was sealed before. What a gateway
        # itself gives away is seen at the gateway.
        found = check(self._world.recorder, self._world.simulator)
        violations = [violation for violation in found if violation.node != "internet"]
        require(not violations, f"{len(violations)} violations, the first: {next(iter(violations), None)}")
