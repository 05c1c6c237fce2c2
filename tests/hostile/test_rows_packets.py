"""Rows of tests/data/hostile_inputs.csv that are packets: what strangers can send, and what a peer can."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire import esp, ip, ipv6, udp
from ipsecsim.wire.ipv6 import FragmentFields
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import INNER, OUTER, Ends

SHAPES = [
    ("esp", "aes256gcm16"),
    ("esp", "aes128-sha256"),
    ("esp", "chacha20poly1305"),
    ("esp", "null-sha256"),
    ("ah", "sha256"),
    ("ah", "aes128gmac"),
]
shapes = pytest.mark.parametrize(("protocol", "words"), SHAPES)
esp_shapes = pytest.mark.parametrize("words", [words for protocol, words in SHAPES if protocol == "esp"])
ah_shapes = pytest.mark.parametrize("words", [words for protocol, words in SHAPES if protocol == "ah"])
both_modes = pytest.mark.parametrize("mode", list(Mode))
both_outer = pytest.mark.parametrize("outer", [4, 6])
both_inner = pytest.mark.parametrize("inner", [4, 6])
HEADER = {4: 20, 6: 40}
NUMBER = {"esp": IpProtocol.ESP, "ah": IpProtocol.AH}
AH_FIXED = 12


def around(outer: int, protocol: str, payload: bytes) -> bytes:
    return ip.build(*OUTER[outer], NUMBER[protocol], payload)


# -- without keys -------------------------------------------------------------------------------


@pytest.mark.hos("HOS-01", "HOS-02")
@shapes
@both_outer
@both_modes
def test_packets_too_short_for_what_they_say_they_are(protocol, words, outer, mode):
    ends = Ends(protocol, words, mode, outer)
    whole = ends.protect(ends.packet())
    real = whole[HEADER[outer] :]
    transform = ends.sender.transform
    if protocol == "esp":
        # the least that an SA of this suite can send has a trailer, and no payload
        shortest = transform.protection.iv_length + transform.protection.icv_length + 8 + 2
        expected = [DropReason.ESP_SHORT] * shortest
    else:
        # without its fixed part it is no AH; with it, the length field says more than there is
        shortest = transform.length
        expected = [DropReason.AH_SHORT] * AH_FIXED + [DropReason.AH_BAD_LEN] * (shortest - AH_FIXED)
    assert shortest >= 20
    for length in range(shortest):
        assert not ends.receive(around(outer, protocol, real[:length]))
    assert ends.drops == expected
    assert ends.receiver.replay.top == 0
    assert ends.receive(whole)


@pytest.mark.hos("HOS-03")
@ah_shapes
@both_outer
@both_modes
def test_an_ah_length_that_is_not_the_true_one(words, outer, mode):
    ends = Ends("ah", words, mode, outer)
    real = ends.protect(ends.packet(bytes(1300)))
    at = HEADER[outer] + 1
    for words_long in range(256):
        if words_long != real[at]:
            assert not ends.receive(real[:at] + bytes((words_long,)) + real[at + 1 :])
    assert ends.drops == [DropReason.AH_BAD_LEN] * 255
    assert ends.receive(real)


@pytest.mark.hos("HOS-03")
@ah_shapes
@pytest.mark.parametrize("options", [b"\x07\0\0\0", b"\x07\1\0\0", b"\x94\xff\0\0", b"\1\1\1\x83", bytes(4)])
def test_ipv4_options_that_lie_about_their_length_end_the_walk(words, options):
    """An option of length 0 leads nowhere. It is signed as it stands, so honest peers still agree."""
    ends = Ends("ah", words, Mode.TRANSPORT)
    packet = ends.packet(options=options)
    assert ends.receive(ends.protect(packet)) == [packet]
    forged = bytearray(ends.protect(packet))
    forged[-1] ^= 1
    assert not ends.receive(bytes(forged))
    assert ends.drops == [DropReason.AH_ICV_FAIL]


@pytest.mark.hos("HOS-03")
@ah_shapes
@pytest.mark.parametrize(
    "options", [b"\x3e\0\x3e\0\x3e\0", b"\x05\xff\0\0\0\0", b"\x3e\x04\0\0\0\x3e", b"\1\4abcd"]
)
def test_ipv6_options_that_lie_about_their_length_end_the_walk(words, options):
    ends = Ends("ah", words, Mode.TRANSPORT, 6)
    datagram = udp.build(*OUTER[6], 1, 2, b"hello")
    packet = ipv6.build(*OUTER[6], IpProtocol.HOP_BY_HOP, bytes((IpProtocol.UDP, 0)) + options + datagram)
    assert ends.receive(ends.protect(packet)) == [packet]
    forged = bytearray(ends.protect(packet))
    forged[-1] ^= 1
    assert not ends.receive(bytes(forged))
    assert ends.drops == [DropReason.AH_ICV_FAIL]


@pytest.mark.hos("HOS-04")
@shapes
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("window", [32, 64, 1024])
def test_every_packet_of_a_trace_sent_again(protocol, words, extended, window):
    ends = Ends(protocol, words, extended_sequence=extended, replay_window=window)
    trace = [ends.protect(ends.packet(bytes((number % 256,)))) for number in range(window + 40)]
    for number, packet in enumerate(trace, start=1):
        assert ends.receive(packet)
        assert ends.receiver.replay.top == number
    for packet in trace:
        assert not ends.receive(packet)
    not_authentic = DropReason.ICV_FAIL if protocol == "esp" else DropReason.AH_ICV_FAIL
    left_of_it = not_authentic if extended else DropReason.REPLAY_OLD
    assert ends.drops == [left_of_it] * 40 + [DropReason.REPLAY_SEEN] * window
    assert ends.receiver.replay.top == window + 40


# -- with keys ----------------------------------------------------------------------------------


def sealed(ends: Ends, inner: bytes, next_header: int, sequence: int = 1) -> bytes:
    trailer = esp.trailer(len(inner), ends.sender.transform.alignment, next_header)
    return ends.sealed(inner + trailer, sequence)


@pytest.mark.hos("HOS-07")
@esp_shapes
@both_outer
def test_an_inner_ipv4_packet_whose_lengths_cannot_be(words, outer):
    ends = Ends("esp", words, Mode.TUNNEL, outer)
    good = ends.packet()
    lengths = [*range(20), len(good) + 1, 0xFFFF]
    bad = [good[:2] + length.to_bytes(2, "big") + good[4:] for length in lengths]
    bad += [bytes((0x40 + words_long,)) + good[1:] for words_long in range(5)]
    bad += [good[:length] for length in range(20)]
    # with the checksum that belongs to it, so that nothing else is wrong
    bad = [with_checksum(packet) for packet in bad]
    for sequence, packet in enumerate(bad, start=1):
        assert not ends.receive(sealed(ends, packet, IpProtocol.IPV4, sequence))
    assert ends.drops == [DropReason.INNER_MALFORMED] * len(bad)
    assert ends.receive(sealed(ends, good, IpProtocol.IPV4, len(bad) + 1)) == [good]


def with_checksum(packet: bytes) -> bytes:
    """As `packet` with a right sum over the header that it says it has."""
    size = max(20, (packet[0] & 0xF) * 4) if packet else 0
    if len(packet) < size or not size:
        return packet
    words = int.from_bytes(packet[:10] + bytes(2) + packet[12:size], "big")
    return packet[:10] + (-words % 0xFFFF).to_bytes(2, "big") + packet[12:]


@pytest.mark.hos("HOS-07")
@esp_shapes
@both_outer
def test_an_inner_ipv6_packet_whose_lengths_cannot_be(words, outer):
    ends = Ends("esp", words, Mode.TUNNEL, outer, 6)
    good = ends.packet()
    bad = [good[:4] + length.to_bytes(2, "big") + good[6:] for length in (len(good) - 39, 0xFFFF)]
    bad += [bytes((version << 4,)) + good[1:] for version in range(16) if version != 6]
    bad += [good[:length] for length in range(40)]
    for sequence, packet in enumerate(bad, start=1):
        assert not ends.receive(sealed(ends, packet, IpProtocol.IPV6, sequence))
    assert ends.drops == [DropReason.INNER_MALFORMED] * len(bad)
    assert ends.receive(sealed(ends, good, IpProtocol.IPV6, len(bad) + 1)) == [good]


def pieces_6(ends: Ends) -> dict[str, bytes]:
    """Fragment headers with every kind of nonsense in them, in packets between the ends."""
    datagram = udp.build(*ends.addresses, 1111, 2222, bytes(24))
    fields = {
        "first": FragmentFields(IpProtocol.UDP, 0, True, 7),
        "later": FragmentFields(IpProtocol.UDP, 1448, True, 7),
        "last": FragmentFields(IpProtocol.UDP, 0xFFF8, False, 7),
        "of fragments": FragmentFields(IpProtocol.FRAGMENT, 8, True, 7),
        "of ESP": FragmentFields(IpProtocol.ESP, 8, False, 7),
        "of nothing": FragmentFields(IpProtocol.NO_NEXT, 8, False, 7),
        "of what nobody knows": FragmentFields(255, 8, False, 7),
    }
    return {
        name: ipv6.build(*ends.addresses, IpProtocol.FRAGMENT, ipv6.fragment_header(each) + datagram)
        for name, each in fields.items()
    }


PIECES = list(pieces_6(Ends(inner=6)))


@pytest.mark.hos("HOS-11")
@esp_shapes
@pytest.mark.parametrize("piece", PIECES)
def test_a_fragment_inside_transport_mode(words, piece):
    ends = Ends("esp", words, Mode.TRANSPORT, 6)
    packet = pieces_6(ends)[piece]
    assert not ends.receive(sealed(ends, packet[40:], IpProtocol.FRAGMENT))
    assert ends.drops == [DropReason.INNER_MALFORMED]


@pytest.mark.hos("HOS-11")
@shapes
@both_outer
@pytest.mark.parametrize("piece", PIECES)
def test_a_fragment_inside_a_tunnel_for_any_port_stays_one(protocol, words, outer, piece):
    ends = Ends(protocol, words, Mode.TUNNEL, outer, 6)
    packet = pieces_6(ends)[piece]
    assert ends.receive(ends.protect(packet)) == [packet]


@pytest.mark.hos("HOS-11")
@esp_shapes
@both_outer
@pytest.mark.parametrize(
    ("piece", "reason"), [("first", None), ("later", "FRAG_NO_PORTS"), ("last", "FRAG_NO_PORTS")]
)
def test_a_fragment_inside_a_tunnel_for_one_port(words, outer, piece, reason):
    local, remote = INNER[6]
    selector = Selector((local, local), (remote, remote), IpProtocol.UDP, (0, 0xFFFF), (2222, 2222))
    ends = Ends("esp", words, Mode.TUNNEL, outer, 6, selectors=(selector,))
    packet = pieces_6(ends)[piece]
    received = ends.receive(sealed(ends, packet, IpProtocol.IPV6))
    assert received == ([packet] if reason is None else [])
    assert [drop.name for drop in ends.drops] == ([] if reason is None else [reason])
