"""Two IPsec engines with SAs between them, for tests that move time by hand."""

from collections.abc import Sequence

from ipsecsim.base.address import Prefix, pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.crypto.catalogue import AH_WORDS, WORDS, AhSuite, EspSuite, Integrity
from ipsecsim.ipsec.actions import Deliver, SendPacket
from ipsecsim.ipsec.association import Direction, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.ipsec.settings import Settings
from ipsecsim.ipsec.surroundings import Nowhere
from ipsecsim.stack.fragments import fragment
from ipsecsim.wire import esp, ip, ipv4
from ipsecsim.wire.numbers import IpProtocol

WEST, EAST = pack("192.0.2.1"), pack("192.0.2.2")
ALICE, BOB = pack("10.1.0.2"), pack("10.2.0.2")
NETS = (Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")),)
SPI = 0x5E0D77AA


def suite(words: str) -> EspSuite | AhSuite:
    """'aes256gcm16', 'aes128-sha256', or 'ah-sha256'."""
    cipher, _, integrity = words.partition("-")
    row = (AH_WORDS if cipher == "ah" else WORDS)[integrity].row if integrity else None
    assert row is None or isinstance(row, Integrity)
    if cipher == "ah":
        assert row is not None
        return AhSuite(row)
    return EspSuite(WORDS[cipher].row, WORDS[cipher].key_bits, row)


def parameters(direction: Direction, words: str = "aes256gcm16", **changes) -> SaParameters:
    """West's SA towards east; with INBOUND, the same SA as east sees it. Selectors are given as west sees them."""
    algorithms = suite(words)
    selectors = changes.pop("selectors", NETS)
    if direction is Direction.INBOUND:
        selectors = mirrored(selectors)
    is_esp = isinstance(algorithms, EspSuite)
    return SaParameters(
        **(
            {
                "direction": direction,
                "spi": SPI,
                "source": WEST,
                "destination": EAST,
                "suite": algorithms,
                "encryption_key": bytes(range(algorithms.encryption_key_length if is_esp else 0)),
                "integrity_key": bytes(range(algorithms.integrity_key_length)),
                "selectors": selectors,
                "policy": "net",
            }
            | changes
        )
    )


def mirrored(selectors: Sequence[Selector]) -> tuple[Selector, ...]:
    """The same traffic, seen from the other end."""
    return tuple(
        Selector(each.remote, each.local, each.protocol, each.remote_ports, each.local_ports)
        for each in selectors
    )


class Stack:
    """A host with one link, as the engine sees it. `mtu` may change; `cuts` counts the packets it cut."""

    def __init__(self, mtu: int = 0xFFFF) -> None:
        self.mtu = mtu
        self.cuts = 0
        self.fresh_identification = Nowhere().fresh_identification

    def mtu_towards(self, destination: bytes) -> int:
        return self.mtu

    def cut(self, packet: bytes, mtu: int) -> list[bytes]:
        pieces = fragment(packet, mtu)
        self.cuts += 1
        return pieces


class World:
    """Two engines with one SA from west to east, and no rules at east: its SAs stand for themselves."""

    def __init__(
        self,
        words: str = "aes256gcm16",
        rules: Sequence[Policy] | None = None,
        settings: Settings | None = None,
        mtu: int = 0xFFFF,
        **changes,
    ) -> None:
        self.events: list = []
        self.stack = Stack(mtu)
        rules = [Policy("net", PolicyAction.PROTECT, NETS)] if rules is None else rules
        self.west = IpsecEngine(rules, self.events.append, self.stack, settings or Settings())
        self.east = IpsecEngine([], self.events.append)
        self.add(words, **changes)

    def add(self, words: str = "aes256gcm16", now: int = 0, **changes) -> list:
        """One more SA from west to east; what west does now that it is there."""
        self.east.install(parameters(Direction.INBOUND, words, **changes), now)
        return self.west.install(parameters(Direction.OUTBOUND, words, **changes), now)

    @property
    def drops(self) -> list[DropReason]:
        return [event.reason for event in self.events if isinstance(event, PacketDropped)]

    def told(self, kind: type) -> list:
        """All events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def carry(self, packet: bytes, now: int = 0) -> list[bytes]:
        """Let a packet leave west, and give what was sent to east: the packets that come out."""
        sent = self.west.outbound(packet, now)
        assert sent is not None, "in clear"
        return self.arrive([action.packet for action in sent if isinstance(action, SendPacket)], now)

    def arrive(self, packets: Sequence[bytes], now: int = 0) -> list[bytes]:
        """Give ESP or AH packets to east: the packets that come out."""
        actions = []
        for each in packets:
            protocol, start = ip.upper_layer(each)
            actions += self.east.inbound(protocol, each, start, now)
        return [action.packet for action in actions if isinstance(action, Deliver)]

    def seal(self, packet: bytes) -> bytes:
        """From SPI to ICV."""
        (action,) = self.west.outbound(packet, 0)
        return ipv4.payload(action.packet)

    def receive(self, sealed: bytes) -> list:
        """Give east an ESP packet, from the SPI on."""
        return self.east.inbound(IpProtocol.ESP, ipv4.build(WEST, EAST, IpProtocol.ESP, sealed), 20, 0)

    def reseal(self, plaintext: bytes, sequence: int = 1) -> bytes:
        """An ESP packet with good seal around anything one likes."""
        sa = self.west.sad.all()[0]
        header = esp.HEADER.pack(SPI, sequence)
        return header + sa.transform.protection.seal(header, plaintext)


def packet(source=ALICE, destination=BOB, data=b"hello", **options) -> bytes:
    return ipv4.build(source, destination, IpProtocol.ICMP, data, **options)


def with_ports(
    source_port,
    destination_port,
    protocol=IpProtocol.UDP,
    data=bytes(4),
    source=ALICE,
    destination=BOB,
    **options,
) -> bytes:
    """A packet whose payload begins with two ports."""
    payload = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big") + data
    return ipv4.build(source, destination, protocol, payload, **options)
