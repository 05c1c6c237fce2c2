"""What we seal scapy opens, and the reverse: 2,000 random packets through every suite, mode and IP version."""

import os
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from ipsecsim.base.address import pack
from ipsecsim.crypto.catalogue import ENCRYPTION, INTEGRITY, AhSuite, EspSuite
from ipsecsim.ipsec.actions import Deliver, SendDatagram, SendPacket
from ipsecsim.ipsec.association import Direction, Mode, SaParameters
from ipsecsim.ipsec.engine import IpsecEngine
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire import ip, ipv4, ipv6, udp
from ipsecsim.wire.numbers import NAT_T_PORT, IpProtocol
from tests.interop import scapy_peer
from tests.interop.scapy_peer import ScapyPeer

pytestmark = pytest.mark.skipif(
    scapy_peer.missing() and "CI" not in os.environ, reason=scapy_peer.HOW_TO_GET_IT
)

CASES = 150  # of each family

OUTER = {4: (pack("192.0.2.1"), pack("192.0.2.2")), 6: (pack("2001:db8::1"), pack("2001:db8::2"))}
INNER = {4: (pack("10.1.0.2"), pack("10.2.0.2")), 6: (pack("fd00:1::2"), pack("fd00:2::2"))}

FORMS = [(Mode.TUNNEL, *pair) for pair in product((4, 6), (4, 6))]
FORMS += [(Mode.TRANSPORT, version, version) for version in (4, 6)]
FAMILIES = [(protocol, *form, False) for protocol in ("esp", "ah") for form in FORMS]
FAMILIES += [("esp", Mode.TUNNEL, 4, 4, True), ("esp", Mode.TRANSPORT, 4, 4, True)]


def _extension(following: int, kind: int, length: int) -> bytes:
    """Hop-by-hop or destination options: one of them, filled up with padding."""
    data = bytes(range(1, length + 1))
    option = bytes((kind, length)) + data
    room = -(2 + len(option)) % 8
    padding = b"" if not room else b"\0" if room == 1 else bytes((1, room - 2)) + bytes(room - 2)
    total = 2 + len(option) + len(padding)
    return bytes((following, total // 8 - 1)) + option + padding


UNCHANGED, CHANGED = 0x1E, 0x3E  # experimental options that may not, and may, change on the way (RFC 4727)
EXTENSIONS = [
    (IpProtocol.UDP, b""),
    (IpProtocol.UDP, b""),
    (IpProtocol.HOP_BY_HOP, _extension(IpProtocol.UDP, UNCHANGED, 4)),
    (IpProtocol.HOP_BY_HOP, _extension(IpProtocol.UDP, CHANGED, 9)),
    (IpProtocol.DESTINATION_OPTIONS, _extension(IpProtocol.UDP, UNCHANGED, 3)),
    (
        IpProtocol.HOP_BY_HOP,
        _extension(IpProtocol.DESTINATION_OPTIONS, CHANGED, 4) + _extension(IpProtocol.UDP, CHANGED, 12),
    ),
]
"""What may stand in front of UDP in an IPv6 packet: the first header's number, and the headers."""

ESP_SUITES = [
    EspSuite(cipher, bits, integrity)
    for cipher in ENCRYPTION.values()
    for bits in cipher.key_bits
    for integrity in ([None] if cipher.combined else INTEGRITY.values())
]
AH_SUITES = [AhSuite(integrity) for integrity in INTEGRITY.values()]
SUITES = {
    "esp": [suite for suite in ESP_SUITES if scapy_peer.knows(suite)],
    "ah": [suite for suite in AH_SUITES if scapy_peer.knows(suite)],
}


def test_scapy_is_here_in_ci() -> None:
    assert not scapy_peer.missing(), scapy_peer.HOW_TO_GET_IT


def test_every_row_is_known_to_scapy_or_known_not_to_be() -> None:
    known = {*scapy_peer.ENCRYPTION, *scapy_peer.INTEGRITY, *scapy_peer.UNKNOWN_TO_SCAPY}
    assert {row.name for row in (*ENCRYPTION.values(), *INTEGRITY.values())} <= known


def test_the_run_is_large_enough() -> None:
    assert len(FAMILIES) * CASES >= 2000
    assert max(len(suites) for suites in SUITES.values()) <= CASES


@pytest.mark.parametrize(("protocol", "mode", "outer", "inner", "in_udp"), FAMILIES)
def test_both_read_each_others_packets(
    protocol: str, mode: Mode, outer: int, inner: int, in_udp: bool
) -> None:
    chance = Random(f"{protocol} {mode} {outer} {inner} {in_udp}")  # noqa: S311 - chance of a test
    for number in range(CASES):
        suite = SUITES[protocol][number % len(SUITES[protocol])]
        ends = Ends(suite, mode, outer, inner, chance, in_udp=in_udp)
        packet = random_packet(ends.addresses, chance)
        where = f"case {number}: {suite.words}, {ends.parameters.sequence}, {packet.hex()}"
        opened = ends.scapy.open(ends.seal(packet))
        if in_udp and mode is Mode.TRANSPORT:
            # the IP header is made anew by the host's stack
            assert ipv4.payload(opened) == ipv4.payload(packet), where
        else:
            assert opened == packet, where
        assert ends.open(ends.scapy.seal(packet)) == packet, where


class Ends:
    """One SA: we hold both its ends, and scapy does, too."""

    def __init__(
        self,
        suite: EspSuite | AhSuite,
        mode: Mode,
        outer: int,
        inner: int,
        chance: Random,
        *,
        in_udp: bool,
    ) -> None:
        self.addresses = INNER[inner] if mode is Mode.TUNNEL else OUTER[outer]
        source, destination = ((address, address) for address in self.addresses)
        # scapy has extended numbers with combined ciphers only
        extended = isinstance(suite, EspSuite) and suite.encryption.combined and chance.random() < 0.5
        self.parameters = SaParameters(
            Direction.OUTBOUND,
            chance.randrange(256, 2**32),
            *OUTER[outer],
            suite,
            chance.randbytes(suite.encryption_key_length),
            chance.randbytes(suite.integrity_key_length),
            (Selector(source, destination),),
            "net",
            mode,
            udp_ports=(NAT_T_PORT, NAT_T_PORT) if in_udp else None,
            extended_sequence=extended,
            sequence=chance.choice((0, chance.randrange(2**64 if extended else 2**32) // 2)),
        )
        received = replace(
            self.parameters, direction=Direction.INBOUND, selectors=(Selector(destination, source),)
        )
        self._sender = IpsecEngine([Policy("net", PolicyAction.PROTECT, self.parameters.selectors)])
        self._receiver = IpsecEngine()
        self._sender.install(self.parameters, 0)
        self._receiver.install(received, 0)
        self.scapy = ScapyPeer(self.parameters)

    def seal(self, packet: bytes) -> bytes:
        """From a plain to a protected IP packet."""
        (action,) = self._sender.outbound(packet, 0)
        if isinstance(action, SendPacket):
            return action.packet
        assert isinstance(action, SendDatagram)
        ends = action.source, action.destination
        ports = action.source_port, action.destination_port
        segment = udp.build(*ends, *ports, action.payload, checksum=action.checksum)
        return ipv4.build(*ends, IpProtocol.UDP, segment, tos=action.tos)

    def open(self, packet: bytes) -> bytes:
        """Back again."""
        protocol, start = ip.upper_layer(packet)
        if protocol == IpProtocol.UDP:
            protocol, start = IpProtocol.ESP, start + udp.HEADER_LENGTH
        (action,) = self._receiver.inbound(protocol, packet, start, 0)
        assert isinstance(action, Deliver)
        return action.packet


def random_packet(addresses: tuple[bytes, bytes], chance: Random) -> bytes:
    """A UDP datagram of any size, under any header that both may meet."""
    data = chance.randbytes(chance.choice((0, 1, chance.randrange(64), chance.randrange(1400))))
    segment = udp.build(*addresses, chance.randrange(1, 500), chance.randrange(1, 500), data)
    hops, traffic_class = chance.randrange(1, 256), chance.randrange(256)
    if len(addresses[0]) == 4:
        return ipv4.build(
            *addresses,
            IpProtocol.UDP,
            segment,
            ttl=hops,
            tos=traffic_class,
            identification=chance.randrange(2**16),
            dont_fragment=chance.random() < 0.5,
            options=chance.choice(
                (b"", b"", b"\x94\x04\0\0", b"\x07\x07\x08" + chance.randbytes(4) + b"\x01")
            ),
        )
    kind, chain = chance.choice(EXTENSIONS)
    return ipv6.build(
        *addresses,
        kind,
        chain + segment,
        hop_limit=hops,
        traffic_class=traffic_class,
        flow_label=chance.randrange(2**20),
    )
