"""Two hosts, an SA that leads from one to the other, and the packets between them."""

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.trace import PacketDropped
from ipsecsim.crypto.catalogue import AH_WORDS, ENCRYPTION, INTEGRITY, WORDS, AhSuite, EspSuite
from ipsecsim.ipsec.actions import Deliver, Expiring, SendPacket
from ipsecsim.ipsec.association import Direction, Mode, SaParameters, SecurityAssociation
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire import esp, ip, ipv4, ipv6, udp
from ipsecsim.wire.numbers import IpProtocol

SPI = 0x1234
OUTER = {4: (pack("192.0.2.1"), pack("192.0.2.2")), 6: (pack("2001:db8::1"), pack("2001:db8::2"))}
INNER = {4: (pack("10.1.0.2"), pack("10.2.0.2")), 6: (pack("fd00:1::2"), pack("fd00:2::2"))}

EVERY_ESP = tuple(
    row.word_for(row.key_bits[0]) + ("" if row.combined else "-sha256") for row in ENCRYPTION.values()
) + tuple(f"aes128-{row.word}" for row in INTEGRITY.values() if not row.ah_only and row.word != "sha256")
"""A suite for every cipher, and one for every integrity algorithm that ESP may use."""
EVERY_AH = tuple(row.word for row in INTEGRITY.values())


def suite_of(protocol: str, words: str) -> EspSuite | AhSuite:
    cipher, _, integrity = words.partition("-")
    if protocol == "ah":
        return AhSuite(AH_WORDS[words].row)
    return EspSuite(WORDS[cipher].row, WORDS[cipher].key_bits, WORDS[integrity].row if integrity else None)


def keys_of(suite: EspSuite | AhSuite) -> tuple[bytes, bytes]:
    return bytes(range(suite.encryption_key_length)), bytes(range(suite.integrity_key_length))


class Ends:
    """West sends to east under one SA. `events` is what east tells."""

    def __init__(self, protocol="esp", words="aes256gcm16", mode=Mode.TUNNEL, outer=4, inner=4, **changes):
        ends = INNER[inner] if mode is Mode.TUNNEL else OUTER[outer]
        selectors = changes.pop("selectors", (Selector((ends[0], ends[0]), (ends[1], ends[1])),))
        mirrored = tuple(
            Selector(each.remote, each.local, each.protocol, each.remote_ports, each.local_ports)
            for each in selectors
        )
        suite = suite_of(protocol, words)
        self.events = []
        self.addresses = ends
        self.west = IpsecEngine([Policy("net", PolicyAction.PROTECT, selectors)])
        self.east = IpsecEngine([Policy("net", PolicyAction.PROTECT, mirrored)], self.events.append)
        for engine, direction, own in (
            (self.west, Direction.OUTBOUND, selectors),
            (self.east, Direction.INBOUND, mirrored),
        ):
            engine.install(
                SaParameters(
                    direction, SPI, *OUTER[outer], suite, *keys_of(suite), own, "net", mode, **changes
                ),
                0,
            )

    @property
    def sender(self) -> SecurityAssociation:
        return self.west.sad.all()[0]

    @property
    def receiver(self) -> SecurityAssociation:
        return self.east.sad.all()[0]

    @property
    def drops(self) -> list[DropReason]:
        return [event.reason for event in self.events if isinstance(event, PacketDropped)]

    def packet(self, data=b"hello", **options) -> bytes:
        segment = udp.build(*self.addresses, 1111, 2222, data)
        if len(self.addresses[0]) == 4:
            return ipv4.build(*self.addresses, IpProtocol.UDP, segment, identification=7, **options)
        return ipv6.build(*self.addresses, IpProtocol.UDP, segment, **options)

    def protect(self, packet: bytes) -> bytes:
        action, *asking = self.west.outbound(packet, 0)
        assert isinstance(action, SendPacket)
        assert all(isinstance(each, Expiring) for each in asking)  # the numbers run out
        return action.packet

    def numbered(self, sequence: int, packet: bytes | None = None) -> bytes:
        """A packet as west sends it under this number."""
        self.sender.sequence = sequence - 1
        return self.protect(packet or self.packet())

    def sealed(self, plaintext: bytes, sequence: int = 1) -> bytes:
        """A good seal around anything one likes, trailer and all: what only the peer itself can send."""
        front = esp.HEADER.pack(SPI, sequence)
        return self.esp_packet(front + self.sender.transform.protection.seal(front, plaintext))

    def esp_packet(self, octets: bytes) -> bytes:
        """An IP packet of any octets from the SPI on."""
        parameters = self.sender.parameters
        ends = parameters.source, parameters.destination
        if len(ends[0]) == 4:
            return ipv4.build(*ends, IpProtocol.ESP, octets)
        return ipv6.build(*ends, IpProtocol.ESP, octets)

    def receive(self, packet: bytes) -> list[bytes]:
        protocol, start = ip.upper_layer(packet)
        actions = self.east.inbound(protocol, packet, start, 0)
        assert all(isinstance(action, Deliver) for action in actions)
        return [action.packet for action in actions]
