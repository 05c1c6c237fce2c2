"""The rules of the wire hold in every run, and each notices a recording that breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.instant import SECOND
from ipsecsim.base.trace import TraceEvent
from ipsecsim.ipsec.events import PacketSealed, SaInstalled, SaRemoved
from ipsecsim.observe.invariants.wire_rules import check_wire
from ipsecsim.observe.packets.packet_summary import esp_of
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder
from ipsecsim.stack.events import PacketOriginated
from ipsecsim.wire import ipv4, nat_t, udp
from ipsecsim.wire.in_udp import ike_of
from ipsecsim.wire.numbers import IKE_PORT, NAT_T_PORT, IpProtocol
from tests.support.builders import World, two_gateways
from tests.unit.observe.replayed import replayed, with_more

WEST, EAST = pack("192.0.2.1"), pack("198.51.100.2")


def esp_world(**options: object) -> World:
    """Three pings and the end of the tunnel."""
    world = two_gateways(**options)  # type: ignore[arg-type]
    world.ping("a", "b", count=3)
    world.terminate("west", at=20 * SECOND)
    return world.run()


@pytest.fixture(scope="module")
def plain() -> World:
    return esp_world()


@pytest.fixture(scope="module")
def in_udp() -> World:
    return esp_world(encap=True)


def sentences(world: World, recorder: Recorder | None = None) -> list[str]:
    return [each.sentence for each in check_wire(recorder or world.recorder, world.simulator)]


def made(world: World, what: Callable[[bytes], object]) -> Iterator[tuple[Record, bytes]]:
    """The packets of a kind that west made, with their rows."""
    for row, event in world.recorder.of(PacketOriginated):
        if row.node == "west" and what(event.packet):
            yield row, event.packet


def with_packet(world: World, row: Record, packet: bytes) -> Recorder:
    """The recording with another packet in place of the one that a row tells of."""
    return replayed(world.recorder, lambda each: [PacketOriginated(packet)] if each is row else [each.event])


def with_sealed(world: World, number: int, **changes: object) -> Recorder:
    """The recording with another account of the packet that west sealed as its `number`-th, from 0."""
    row, event = [each for each in world.recorder.of(PacketSealed) if each[0].node == "west"][number]
    other = replace(event, **changes)  # type: ignore[arg-type]
    return replayed(world.recorder, lambda each: [other if each is row else each.event])


def datagram(source_port: int, destination_port: int, payload: bytes, *, checksum: bool = True) -> bytes:
    """What west would send to east."""
    segment = udp.build(WEST, EAST, source_port, destination_port, payload, checksum=checksum)
    return ipv4.build(WEST, EAST, IpProtocol.UDP, segment)


def payload_of(packet: bytes) -> bytes:
    return udp.parse(ipv4.payload(packet))[2]


def test_nothing_is_found_in_a_run_as_it_was(plain: World, in_udp: World) -> None:
    assert sentences(plain) == sentences(in_udp) == []
    assert sentences(esp_world(esp="aes256-sha256", wan_mtu=576)) == []


# -- SPIs and numbers -----------------------------------------------------------------------------


@pytest.mark.conf("ESP-01")
@pytest.mark.parametrize("spi", [0, 1, 255])
def test_a_reserved_spi_is_noticed(plain: World, spi: int) -> None:
    assert f"SPI {spi:08x} is reserved (RFC 4303 2.1)" in sentences(plain, with_sealed(plain, 0, spi=spi))


@pytest.mark.conf("ESP-02")
@pytest.mark.parametrize(("number", "sequence"), [(0, 0), (0, 2), (1, 1), (1, 3), (2, 1)])
def test_a_number_that_does_not_follow_the_one_before_is_noticed(
    plain: World, number: int, sequence: int
) -> None:
    (row, event) = plain.recorder.of(PacketSealed)[0]
    expected = f"SPI {event.spi:08x} has number {sequence} after {number} (RFC 4303 2.2)"
    assert row.node == "west"
    assert expected in sentences(plain, with_sealed(plain, number, sequence=sequence))


def test_a_number_that_is_not_the_one_on_the_wire_is_noticed(plain: World) -> None:
    row, packet = next(made(plain, esp_of))
    other = bytearray(packet)
    other[27] ^= 0x40
    (sentence,) = sentences(plain, with_packet(plain, row, bytes(other)))
    assert "and number 65 that nobody sealed" in sentence


def test_a_packet_for_an_sa_that_is_gone_is_noticed(plain: World) -> None:
    row, event = next((row, event) for row, event in plain.recorder.of(PacketSealed) if row.node == "west")
    gone = SaRemoved(event.spi, "out", event.policy, 0, 0)
    recording = replayed(plain.recorder, lambda each: [gone, each.event] if each is row else [each.event])
    assert f"sealed for SPI {event.spi:08x}, which is not installed" in sentences(plain, recording)


def test_a_packet_that_nobody_sealed_is_noticed(plain: World) -> None:
    row, packet = next(made(plain, esp_of))
    (sentence,) = sentences(plain, with_more(plain.recorder, row.sequence, PacketOriginated(packet)))
    assert sentence.endswith("and number 1 that nobody sealed")


def renumbered(world: World, last: int, *, extended: bool) -> Recorder:
    """The recording with an SA of west's that goes on where another one left off, at `last`."""

    def edit(row: Record) -> list[TraceEvent]:
        event = row.event
        if row.node != "west":
            return [event]
        if isinstance(event, SaInstalled) and event.direction == "out":
            return [replace(event, sequence=last, extended_sequence=extended)]
        if isinstance(event, PacketSealed):
            return [replace(event, sequence=last + event.sequence)]
        if isinstance(event, PacketOriginated) and (numbers := esp_of(event.packet)):
            low = (last + numbers[1]) % 2**32
            return [PacketOriginated(event.packet[:24] + low.to_bytes(4, "big") + event.packet[28:])]
        return [event]

    return replayed(world.recorder, edit)


@pytest.mark.conf("ESP-03")
def test_a_counter_that_cycles_is_noticed(plain: World) -> None:
    assert sentences(plain, renumbered(plain, 1000, extended=False)) == []
    assert sentences(plain, renumbered(plain, 2**32 - 4, extended=False)) == []
    for last, extended in ((2**32 - 3, False), (2**64 - 3, True)):
        (sentence,) = sentences(plain, renumbered(plain, last, extended=extended))
        assert sentence.endswith("went past its last number (RFC 4303 3.3.3)")


def test_extended_numbers_cross_the_32_bits(plain: World) -> None:
    assert sentences(plain, renumbered(plain, 2**32 - 2, extended=True)) == []


@pytest.mark.conf("ESP-12", "ESP-14")
@pytest.mark.parametrize("esp", ["aes256gcm16", "aes256-sha256"])
def test_an_iv_that_comes_twice_under_a_key_is_noticed(esp: str) -> None:
    world = esp_world(esp=esp)
    (_, first), (row, second) = list(made(world, esp_of))[:2]
    length = 8 if esp == "aes256gcm16" else 16
    iv = slice(28, 28 + length)
    other = second[: iv.start] + first[iv] + second[iv.stop :]
    assert sentences(world, with_packet(world, row, other)) == [
        f"IV {first[iv].hex()} was used before under the same key"
    ]


# -- fragments ------------------------------------------------------------------------------------


@pytest.mark.conf("ARC-53", "ESP-16")
def test_a_fragment_in_transport_mode_is_noticed(plain: World) -> None:
    row, _ = next((row, event) for row, event in plain.recorder.of(PacketSealed) if row.node == "west")
    piece = ipv4.build(WEST, EAST, IpProtocol.UDP, bytes(16), more_fragments=True)

    def edit(each: Record) -> list[TraceEvent]:
        if isinstance(each.event, SaInstalled):
            return [replace(each.event, mode="transport")]
        return (
            [replace(each.event, inner=piece)]
            if each is row and isinstance(each.event, PacketSealed)
            else [each.event]
        )

    (sentence,) = sentences(plain, replayed(plain.recorder, edit))
    assert sentence.endswith("is for transport mode and sealed a fragment (RFC 4301 4.1)")


@pytest.mark.conf("ARC-53", "ESP-16")
def test_esp_made_behind_the_header_of_a_fragment_is_noticed(plain: World) -> None:
    row, packet = next(made(plain, esp_of))
    other = bytearray(packet)
    other[6] |= 0x20  # more fragments
    assert sentences(plain, with_packet(plain, row, bytes(other))) == [
        "a fragment with protocol 50 in it was made here (RFC 4303 3.3.4)"
    ]


# -- UDP ------------------------------------------------------------------------------------------


@pytest.mark.conf("UDP-11")
def test_esp_on_port_500_is_noticed(in_udp: World) -> None:
    row, packet = next(made(in_udp, esp_of))
    other = datagram(IKE_PORT, IKE_PORT, payload_of(packet), checksum=False)
    assert "ESP in UDP on UDP 500 > 500 (RFC 7296 2.23)" in sentences(in_udp, with_packet(in_udp, row, other))


@pytest.mark.conf("UDP-13")
@pytest.mark.parametrize("ports", [(4500, 4501), (4501, 4500), (500, 4500)])
def test_esp_on_other_ports_than_ike_is_noticed(in_udp: World, ports: tuple[int, int]) -> None:
    row, packet = next(made(in_udp, esp_of))
    other = datagram(*ports, payload_of(packet), checksum=False)
    expected = f"ESP in UDP on UDP {ports[0]} > {ports[1]} to 198.51.100.2, where no IKE went before"
    assert any(each.startswith(expected) for each in sentences(in_udp, with_packet(in_udp, row, other)))


@pytest.mark.conf("UDP-13")
def test_a_keepalive_on_other_ports_than_ike_is_noticed(in_udp: World) -> None:
    row, _ = list(made(in_udp, esp_of))[-1]
    for ports, count in (((NAT_T_PORT, NAT_T_PORT), 0), ((NAT_T_PORT, 4501), 1)):
        more = PacketOriginated(datagram(*ports, nat_t.KEEPALIVE))
        assert len(sentences(in_udp, with_more(in_udp.recorder, row.sequence, more))) == count


@pytest.mark.conf("UDP-01")
def test_esp_in_udp_with_spi_zero_is_noticed(in_udp: World) -> None:
    row, packet = next(made(in_udp, esp_of))
    other = datagram(NAT_T_PORT, NAT_T_PORT, bytes(4) + payload_of(packet)[4:], checksum=False)
    assert sentences(in_udp, with_packet(in_udp, row, other)) == [
        "neither ESP nor a keepalive nor IKE behind four zero bytes on UDP 4500 > 4500"
    ]


@pytest.mark.conf("UDP-03")
def test_esp_in_udp_with_a_checksum_is_noticed(in_udp: World) -> None:
    row, packet = next(made(in_udp, esp_of))
    other = datagram(NAT_T_PORT, NAT_T_PORT, payload_of(packet))
    assert sentences(in_udp, with_packet(in_udp, row, other)) == [
        "ESP in UDP over IPv4 with a UDP checksum (RFC 3948 2.1)"
    ]


def test_esp_that_takes_the_other_way_is_noticed(plain: World, in_udp: World) -> None:
    for world, words in ((plain, "is for UDP encapsulation"), (in_udp, "is not for UDP encapsulation")):
        recording = with_sealed(world, 0, in_udp=world is plain)
        (sentence,) = sentences(world, recording)
        assert sentence.endswith(words)


@pytest.mark.conf("UDP-02")
def test_four_zero_bytes_before_ike_on_port_500_are_noticed(plain: World) -> None:
    row, packet = next(made(plain, ike_of))
    other = datagram(IKE_PORT, IKE_PORT, nat_t.NON_ESP_MARKER + payload_of(packet))
    assert sentences(plain, with_packet(plain, row, other)) == [
        "four zero bytes before IKE on UDP 500 > 500 (RFC 7296 2.23)"
    ]


@pytest.mark.conf("UDP-02")
def test_ike_without_four_zero_bytes_on_port_4500_is_noticed(in_udp: World) -> None:
    row, packet = next(each for each in made(in_udp, ike_of) if payload_of(each[1])[:4] == bytes(4))
    other = datagram(NAT_T_PORT, NAT_T_PORT, payload_of(packet)[4:])
    found = sentences(in_udp, with_packet(in_udp, row, other))
    assert found[0] == "neither ESP nor a keepalive nor IKE behind four zero bytes on UDP 4500 > 4500"


def test_something_else_on_port_500_is_noticed(plain: World) -> None:
    row, packet = next(made(plain, ike_of))
    for payload in (b"", b"hello", payload_of(packet) + b"!", bytes(8) + payload_of(packet)[8:]):
        other = datagram(IKE_PORT, IKE_PORT, payload)
        assert sentences(plain, with_packet(plain, row, other)) == [
            "something other than IKE on UDP 500 > 500 (RFC 7296 2.23)"
        ]


def test_what_is_on_other_ports_is_nobodys_business(plain: World) -> None:
    row, _ = next(made(plain, ike_of))
    assert sentences(plain, with_packet(plain, row, datagram(9, 9, b"hello"))) == []
