"""An SA that goes on between other outer addresses (RFC 4555 3.5)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.ipsec.association import Direction, Mode, Outer
from ipsecsim.ipsec.events import SaMoved
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import OUTER, SPI, Ends

EAST = OUTER[4][1]
ELSEWHERE = Outer(pack("198.51.100.7"), EAST, None)
IN_UDP = Outer(pack("198.51.100.7"), EAST, (4500, 4500))
IPV6 = Outer(*OUTER[6], None)
SUITES = [("esp", "aes256gcm16"), ("esp", "aes128-sha256"), ("ah", "sha256"), ("ah", "sha512")]


def moved(ends: Ends, outer: Outer) -> Ends:
    """Both ends know of it."""
    protocol = ends.sender.parameters.protocol
    ends.west.move(Direction.OUTBOUND, SPI, protocol, outer)
    ends.east.move(Direction.INBOUND, SPI, protocol, outer)
    return ends


@pytest.mark.conf("MOB-14")
@pytest.mark.parametrize(("protocol", "words"), SUITES)
@pytest.mark.parametrize("outer", [ELSEWHERE, IPV6], ids=["IPv4", "IPv6"])
def test_keys_numbers_and_replay_window_go_on(protocol, words, outer):
    ends = Ends(protocol, words)
    before = [ends.protect(ends.packet()) for _ in range(3)]
    assert [ends.receive(each) for each in before] == [[ends.packet()]] * 3
    moved(ends, outer)
    after = ends.protect(ends.packet())
    assert (ip.source(after), ip.destination(after)) == (outer.source, outer.destination)
    assert ends.sender.sequence == 4
    assert ends.receive(after) == [ends.packet()]
    assert ends.receive(before[2]) == []
    assert ends.drops[-1] is DropReason.REPLAY_SEEN
    assert ends.receiver.replay.top == 4


def test_wrapping_in_udp_can_begin_and_end():
    ends = moved(Ends(), IN_UDP)
    (action,) = ends.west.outbound(ends.packet(), 0)
    assert isinstance(action, SendDatagram)
    assert (action.source, action.source_port, action.destination_port) == (IN_UDP.source, 4500, 4500)
    moved(ends, ELSEWHERE)
    assert ends.receive(ends.protect(ends.packet())) == [ends.packet()]


def test_what_was_known_of_the_path_is_forgotten():
    ends = Ends()
    usual = ends.sender.look_length
    ends.west.packet_too_big(ends.protect(ends.packet()), 600, 0)
    assert ends.sender.look_length < 600
    moved(ends, ELSEWHERE)
    assert ends.sender.look_length == usual
    assert ends.west.next_deadline() is None


def test_a_move_is_told_once():
    ends = moved(moved(Ends(), ELSEWHERE), ELSEWHERE)
    (event,) = [each for each in ends.events if isinstance(each, SaMoved)]
    assert (event.before, event.after) == (OUTER[4], (ELSEWHERE.source, ELSEWHERE.destination))


def test_transport_mode_does_not_move():
    ends = moved(Ends(mode=Mode.TRANSPORT), ELSEWHERE)
    assert ends.sender.parameters.source == OUTER[4][0]


def test_what_is_not_there_does_not_move():
    ends = Ends()
    ends.west.move(Direction.OUTBOUND, SPI + 1, IpProtocol.ESP, ELSEWHERE)
    ends.west.move(Direction.OUTBOUND, SPI, IpProtocol.ESP, ELSEWHERE, destination=pack("203.0.113.9"))
    assert ends.sender.parameters.source == OUTER[4][0]
