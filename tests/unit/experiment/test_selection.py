"""Each word of a selection, on packets of both IP versions."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.errors import Place
from ipsecsim.experiment.selection import frames, selection
from ipsecsim.net.events import FrameSent
from ipsecsim.net.turn import Turn
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.recorder import Recorder
from ipsecsim.scenario.model import Condition
from ipsecsim.scenario.sentence import parse
from ipsecsim.scenario.tree import Text
from ipsecsim.wire import esp, icmpv6, ipv4, ipv6, udp
from tests.support.builders import two_gateways
from tests.unit.wire.samples import chained

A, B = pack("10.1.0.2"), pack("10.2.0.2")
A6, B6 = pack("fd00:10:1::2"), pack("fd00:10:2::2")
SPI = bytes.fromhex("5e0d77aa00000003")
AH = bytes((50, 4, 0, 0)) + SPI + bytes(12)

UDP4 = ipv4.build(A, B, 17, udp.build(A, B, 1111, 2222, b"data"))
MARKED = ipv4.build(A, B, 17, udp.build(A, B, 1111, 2222, b"data"), tos=46 << 2)
UDP6 = ipv6.build(A6, B6, 17, udp.build(A6, B6, 1111, 2222, b"data"))
PING6 = chained(A6, B6, [(0, bytes(6))], 58, icmpv6.Echo(False, 1, 1).emit(A6, B6))
PIECE6 = chained(A6, B6, [(44, bytes.fromhex("00000800000001"))], 17, udp.build(A6, B6, 1111, 2222, b""))
SIGNED = ipv4.build(A, B, 51, AH + esp.HEADER.pack(0xC0A1F00D, 1) + bytes(40))
TUNNELLED = ipv4.build(A, B, 51, bytes((4, 4, 0, 0)) + SPI + bytes(12) + UDP4)


@pytest.fixture(scope="module")
def simulator():
    return two_gateways(inner=6).simulator


def fits(words: str, packet: bytes, simulator) -> bool:
    """'key=value key=value', as the file's author writes it."""
    pairs = parse(Text(words, Place("test"))).pairs
    conditions = [
        Condition(pair.key.text, pair.operator, tuple(word.text for word in pair.values)) for pair in pairs
    ]
    recorder = Recorder()
    recorder.observe(Turn(1, 0, "west", "frame", 0), FrameSent(1, "wan", "eth0", B, packet))
    (sight,) = frames(Lives(recorder))
    return selection(conditions, simulator, {})(sight)


@pytest.mark.parametrize(
    ("words", "packet", "expected"),
    [
        ("link=wan", UDP4, True),
        ("link!=wan", UDP4, False),
        ("node=east|west", UDP4, True),
        ("layer=ipv6", UDP6, True),
        ("layer=icmpv6", PING6, True),
        ("layer=icmp", PING6, False),
        ("layer!=icmpv6", PING6, False),
        ("layer=ah", SIGNED, True),
        ("layer=esp", SIGNED, True),
        ("layer=fragment", PIECE6, True),
        ("layer=udp", PIECE6, False),
        ("proto=udp", UDP6, True),
        ("proto=icmpv6", PING6, True),
        ("proto=58", PING6, True),
        ("proto!=icmpv6|udp", PING6, False),
        ("proto=ah", SIGNED, True),
        ("proto=esp", SIGNED, False),
        ("proto=any", SIGNED, True),
        ("proto=udp", PIECE6, True),
        ("src=10.1.0.2", UDP4, True),
        ("src=10.1.0.0/24", UDP4, True),
        ("src!=10.1.0.0/24", UDP4, False),
        ("src=fd00:10:1::2", UDP6, True),
        ("src=fd00:10:1::/64", UDP6, True),
        ("dst=fd00:10:1::/64", UDP6, False),
        ("dst=fd00:10:1::/64|fd00:10:2::/64", UDP6, True),
        ("src=fd00:10:1::/64", UDP4, False),
        ("src=a", UDP6, True),
        ("src=b", UDP6, False),
        ("dst=b|west", UDP6, True),
        ("dst=any", UDP6, True),
        ("sport=1111", UDP6, True),
        ("sport=2222", UDP6, False),
        ("dport=2000-3000", UDP6, True),
        ("port=2222", UDP4, True),
        ("port=1111|9", UDP4, True),
        ("port!=1111", UDP4, False),
        ("port!=1112", UDP4, True),
        ("port=1111", PING6, False),
        ("port!=1111", PING6, True),
        ("port=1111", TUNNELLED, False),  # the ports of another packet
        ("size=32", UDP4, True),
        ("size>31", UDP4, True),
        ("size>=33", UDP4, False),
        ("size!=32|33", UDP4, False),
        ("size<33", UDP4, True),
        ("spi=5e0d77aa", SIGNED, True),
        ("spi=0xC0A1F00D", SIGNED, True),
        ("spi=1", SIGNED, False),
        ("spi!=5e0d77aa", UDP6, True),
        ("size=1kB", UDP4, False),
        ("dscp=ef", MARKED, True),
        ("dscp=40-46", MARKED, True),
        ("dscp!=ef", MARKED, False),
        ("dscp>cs1", UDP4, False),
        ("dscp=cs0", UDP6, True),
        ("icmp=echo", PING6, True),
        ("icmp=echo_reply|too_big", PING6, False),
        ("icmp=128/0", PING6, True),
        ("icmp!=echo", UDP4, True),
        ("proto=udp dport=2222 link=wan", UDP4, True),
        ("proto=udp dport=2222 link=lan", UDP4, False),
        ("proto=udp dport=1111 link=wan", UDP4, False),
        ("port<2000", UDP4, True),
        ("dport<2000", UDP4, False),
        ("port<2000", PING6, False),  # none to be less than anything
        ("port=2222", PIECE6, False),  # that is in the first fragment
        ("proto=udp", b"", False),
        ("src!=10.1.0.2", b"\x45", True),
    ],
)
def test_a_word_selects(words, packet, expected, simulator):
    assert fits(words, packet, simulator) is expected
