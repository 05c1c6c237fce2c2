"""Every single bit of a packet flipped: AH notices what RFC 4302 says it does and nothing else, and so does ESP.

The ICV check is called directly, so that no other check gets in its way.
"""

import hmac
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.crypto.catalogue import WORDS, EspSuite
from ipsecsim.ipsec.ah import Ah
from ipsecsim.ipsec.esp import Esp
from ipsecsim.wire import ipv4, ipv6, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec import rfc4302_table as rfc

SPI, SEQUENCE = 0x5E0D77AA, 7
KEY = bytes(range(32))
V4 = (pack("192.0.2.1"), pack("192.0.2.2"))
V6 = (pack("2001:db8::1"), pack("2001:db8::2"))
UDP = udp.build(*V4, 1111, 2222, b"some data")
INNER4 = ipv4.build(*V4, IpProtocol.UDP, UDP, options=b"\x07\x07\x08\1\2\3\4\0")
INNER6 = ipv6.build(*V6, IpProtocol.UDP, udp.build(*V6, 1111, 2222, b"some data"))


@dataclass(frozen=True)
class Scene:
    """A packet that arrives: headers, AH, and what is behind it (`next_header`)."""

    name: str
    header: bytes
    payload: bytes = UDP
    next_header: int = IpProtocol.UDP

    @property
    def version(self) -> int:
        return self.header[0] >> 4

    @property
    def alignment(self) -> int:
        return 4 if self.version == 4 else 8

    @property
    def packet(self) -> bytes:
        """Signed by the table, not by the engine."""
        return self.signed()

    def signed(self, high: bytes = b"") -> bytes:
        """The same with the high half of an extended sequence number, which is not sent (RFC 4302 3.3.3.2.2)."""
        unsigned = self._ah(bytes(16)) + self.payload + high
        icv = hmac.digest(KEY, signed_headers(self.header) + unsigned, "sha256")[:16]
        return self.header + self._ah(icv) + self.payload

    def _ah(self, icv: bytes) -> bytes:
        padding = bytes(-(12 + 16) % self.alignment)
        words = (12 + 16 + len(padding)) // 4 - 2
        fixed = bytes((self.next_header, words, 0, 0)) + SPI.to_bytes(4, "big") + SEQUENCE.to_bytes(4, "big")
        return fixed + icv + padding

    def __str__(self) -> str:
        return self.name


def signed_headers(header: bytes, version: int | None = None) -> bytes:
    return rfc.signed_ipv4(header) if (version or header[0] >> 4) == 4 else rfc.signed_ipv6(header)


def ipv4_scene(name: str, options: bytes = b"", payload: bytes = UDP, inside: int = IpProtocol.UDP) -> Scene:
    options += bytes(-len(options) % 4)
    behind = bytes(28) + payload
    packet = ipv4.build(
        *V4, IpProtocol.AH, behind, options=options, tos=0xB8, identification=0xBEEF, dont_fragment=True
    )
    return Scene(name, packet[: -len(behind)], payload, inside)


def ipv6_scene(
    name: str, *chain: tuple[int, bytes], payload: bytes = UDP, inside: int = IpProtocol.UDP
) -> Scene:
    """`chain` holds extension headers with their numbers; each gets to know the one behind it here."""
    kinds = [kind for kind, _ in chain] + [IpProtocol.AH]
    headers = b"".join(
        bytes((following,)) + header[1:] for (_, header), following in zip(chain, kinds[1:], strict=True)
    )
    behind = bytes(32) + payload
    packet = ipv6.build(*V6, kinds[0], headers + behind, traffic_class=0xB8, flow_label=0xBEEF5)
    return Scene(name, packet[: -len(behind)], payload, inside)


def options_header(*options: bytes) -> bytes:
    """Hop-by-hop or destination options, filled up with Pad1."""
    data = b"".join(options)
    data += bytes(-(2 + len(data)) % 8)
    return bytes((0, (2 + len(data)) // 8 - 1)) + data


def ipv4_options() -> Iterator[Scene]:
    """A packet for each row of appendix A1, the option between two No Operations, and one that is unknown."""
    for row, (name, _) in rfc.IPV4_OPTIONS.items():
        kind = bytes((rfc.option_type(*row),))
        length = 1 if row in ((0, 0, 0), (0, 0, 1)) else 11 if name.endswith("Source Route") else 7
        body = (
            b""
            if length == 1
            else bytes((length,)) + bytes((length + 1,)) + bytes(range(0xA1, 0xA1 + length - 3))
        )
        yield ipv4_scene(f"IPv4 with {name}", b"\1" + kind + body + b"\1" * (row != (0, 0, 0)))
    yield ipv4_scene("IPv4 with an unknown option", b"\x9e\x04\xaa\xbb")
    yield ipv4_scene("IPv4 with several options", b"\x94\4\0\0\x07\x07\x08\1\2\3\4\x82\4\x55\xaa\0")


V4_HEADER = ipv4_scene("with options", b"\x94\4\0\0\x07\x07\x08\1\2\3\4\1").header
V6_HEADER = ipv6_scene("with a route", (rfc.ROUTING, bytes((0, 2, 0, 0)) + bytes(4) + V6[0])).header

UNCHANGED, CHANGED = b"\x1e\4\1\2\3\4", b"\x3e\4\1\2\3\4"
HOP_BY_HOP = (rfc.HOP_BY_HOP, options_header(CHANGED, b"\1\2\0\0", UNCHANGED))
DESTINATION = (rfc.DESTINATION_OPTIONS, options_header(UNCHANGED, b"\0", CHANGED, b"\x3e\0"))
ROUTE = (rfc.ROUTING, bytes((0, 4, 0, 0)) + bytes(4) + pack("2001:db8::a") + pack("2001:db8::b"))
ATOMIC = (rfc.FRAGMENT, bytes(4) + b"\xde\xad\xbe\xef")
BEHIND = bytes((IpProtocol.UDP,)) + options_header(CHANGED)[1:]

SCENES = [
    ipv4_scene("IPv4, transport"),
    ipv4_scene("IPv4, tunnel", payload=INNER4, inside=IpProtocol.IPV4),
    ipv4_scene("IPv6 in IPv4, tunnel", payload=INNER6, inside=IpProtocol.IPV6),
    *ipv4_options(),
    ipv4_scene("IPv4 with a recorded route, tunnel", b"\x07\x07\x08\1\2\3\4\1", INNER4, IpProtocol.IPV4),
    ipv6_scene("IPv6, transport"),
    ipv6_scene("IPv6, tunnel", payload=INNER6, inside=IpProtocol.IPV6),
    ipv6_scene("IPv4 in IPv6, tunnel", payload=INNER4, inside=IpProtocol.IPV4),
    ipv6_scene("IPv6 with hop-by-hop options", HOP_BY_HOP),
    ipv6_scene("IPv6 with destination options", DESTINATION),
    ipv6_scene("IPv6 with a route that was taken", ROUTE),
    ipv6_scene("IPv6 with an atomic fragment header", ATOMIC),
    ipv6_scene("IPv6 with all of them", HOP_BY_HOP, DESTINATION, ROUTE, ATOMIC, DESTINATION),
    ipv6_scene(
        "IPv6 with all of them, tunnel",
        HOP_BY_HOP,
        ROUTE,
        DESTINATION,
        payload=INNER6,
        inside=IpProtocol.IPV6,
    ),
    ipv6_scene(
        "IPv6 with destination options behind AH", payload=BEHIND + UDP, inside=rfc.DESTINATION_OPTIONS
    ),
]


REFUSALS = (DropReason.AH_ICV_FAIL, DropReason.AH_BAD_LEN, DropReason.ICV_FAIL)


def engine(scene: Scene, *, extended: bool = False) -> Ah:
    return Ah(WORDS["sha256"].row, KEY, SPI, extended=extended, alignment=scene.alignment)


def flipped(packet: bytes) -> Iterator[tuple[int, bytes]]:
    for bit in range(8 * len(packet)):
        other = bytearray(packet)
        other[bit >> 3] ^= 0x80 >> (bit & 7)
        yield bit, bytes(other)


@pytest.mark.conf("AH-03", "AH-04", "AH-05", "AH-13", "AH-15")
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_every_bit_is_noticed_or_not_as_the_table_says(scene: Scene) -> None:
    start, packet = len(scene.header), scene.packet
    ah = engine(scene)
    authentic = ah.open(packet, start, len(packet), SEQUENCE)
    assert ah.content(authentic) == (scene.payload, scene.next_header)
    signed = signed_headers(scene.header)
    seen: Counter[str] = Counter()
    for bit, other in flipped(packet):
        expected = bit >= 8 * start or signed_headers(other[:start], scene.version) != signed
        seen["noticed" if expected else "not noticed"] += 1
        assert is_refused(ah, other, start) == expected, f"bit {bit & 7} of byte {bit >> 3}"
    zeroed = {4: 48, 6: 36}[scene.version]  # bits of the ZEROED fields of a header without options
    assert seen["not noticed"] == zeroed if start in (20, 40) else seen["not noticed"] >= zeroed
    assert seen["noticed"] > 8 * (len(packet) - start)


def is_refused(transform: Ah | Esp, packet: bytes, start: int) -> bool:
    """By the integrity check, or because a length cannot be right."""
    try:
        transform.open(packet, start, len(packet), SEQUENCE)
    except RemoteError as refused:
        return refused.reason in REFUSALS
    return False


@pytest.mark.conf("AH-06")
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_what_is_sent_carries_the_icv_of_the_table(scene: Scene) -> None:
    sealed = engine(scene).seal(scene.header, scene.payload, scene.next_header, SEQUENCE)
    assert scene.header + sealed == scene.packet
    extended = engine(scene, extended=True)
    sealed = extended.seal(scene.header, scene.payload, scene.next_header, (3 << 32) + SEQUENCE)
    assert scene.header + sealed == scene.signed(high=bytes((0, 0, 0, 3)))


HOPS = [pack("198.51.100.1"), pack("198.51.100.2")]
HOPS6 = [pack("2001:db8:1::1"), pack("2001:db8:2::1"), pack("2001:db8:3::1")]


def travelled_ipv4(header: bytes) -> bytes:
    """At the end of a source route (RFC 791 3.1): each router on it goes to the next address and leaves its own."""
    destination, option = header[16:20], bytearray(header[20:])
    while option[2] <= option[1]:
        at = option[2] - 1
        destination, option[at : at + 4] = bytes(option[at : at + 4]), destination
        option[2] += 4
    return header[:16] + destination + bytes(option)


def travelled_ipv6(header: bytes, at: int) -> bytes:
    """At the end of the type 0 route whose header stands at `at` (RFC 2460 4.4)."""
    arrived = bytearray(header)
    while arrived[at + 3]:
        arrived[at + 3] -= 1
        next_address = at + 8 + 16 * (arrived[at + 1] // 2 - arrived[at + 3] - 1)
        place = slice(next_address, next_address + 16)
        arrived[24:40], arrived[place] = arrived[place], arrived[24:40]
    return bytes(arrived)


@pytest.mark.conf("AH-03", "AH-05")
@pytest.mark.parametrize("kind", [0x83, 0x89])
@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_source_route_is_signed_as_it_will_arrive(kind: int, taken: int) -> None:
    route = bytes((kind, 11, 4 + 4 * taken)) + b"".join(HOPS) + b"\0"
    sent = ipv4_scene("source route", route)
    arrived = Scene("at its end", travelled_ipv4(sent.header))
    assert arrived.header[16:20] == (HOPS[-1] if taken < 2 else V4[1])
    sealed = engine(sent).seal(sent.header, UDP, IpProtocol.UDP, SEQUENCE)
    assert arrived.header + sealed == arrived.packet


@pytest.mark.conf("AH-04")
@pytest.mark.parametrize("left", [0, 1, 2, 3])
@pytest.mark.parametrize("before", [(), (HOP_BY_HOP,)], ids=["alone", "behind options"])
def test_a_routing_header_is_signed_as_it_will_arrive(
    left: int, before: tuple[tuple[int, bytes], ...]
) -> None:
    route = bytes((0, 2 * len(HOPS6), 0, left)) + bytes(4) + b"".join(HOPS6)
    sent = ipv6_scene("routing header", *before, (rfc.ROUTING, route), DESTINATION)
    arrived = Scene("at its end", travelled_ipv6(sent.header, 40 + sum(len(header) for _, header in before)))
    assert arrived.header[24:40] == (HOPS6[-1] if left else V6[1])
    sealed = engine(sent).seal(sent.header, UDP, IpProtocol.UDP, SEQUENCE)
    assert arrived.header + sealed == arrived.packet


@pytest.mark.conf("ESP-11", "ESP-24")
@pytest.mark.parametrize("words", ["aes128gcm16", "chacha20poly1305", "aes128-sha256"])
@pytest.mark.parametrize("header", [V4_HEADER, V6_HEADER], ids=["IPv4", "IPv6"])
def test_esp_notices_every_bit_of_its_own_and_none_before_it(words: str, header: bytes) -> None:
    cipher, _, integrity = words.partition("-")
    suite = EspSuite(WORDS[cipher].row, WORDS[cipher].key_bits, WORDS[integrity].row if integrity else None)
    keys = bytes(suite.encryption_key_length), bytes(suite.integrity_key_length)
    esp, start = Esp(suite, *keys, SPI), len(header)
    packet = header + esp.seal(header, UDP, IpProtocol.UDP, SEQUENCE)
    assert esp.content(esp.open(packet, start, len(packet), SEQUENCE)) == (UDP, IpProtocol.UDP)
    for bit, other in flipped(packet):
        assert is_refused(esp, other, start) == (bit >= 8 * start), f"bit {bit & 7} of byte {bit >> 3}"
