"""TCP through a NAT: phases of a connection, how long each may be idle, and a call that nobody asked for."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.stack.icmp import Refused
from ipsecsim.stack.nat.behaviour import Behaviour, Dependence, Timeouts
from ipsecsim.stack.nat.tcp import ACK, FIN, SYN
from ipsecsim.wire import ipv4
from ipsecsim.wire.checksum import internet_checksum
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.nat.translator import ALICE, BOB, OTHER, OUTSIDE, PEER, Translator

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
RST = 0x04


def segment(source: bytes, port: int, destination: bytes, destination_port: int, flags: int) -> bytes:
    """A TCP segment without data, its checksum right (RFC 9293 3.1)."""
    ends = port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")
    header = ends + bytes(8) + bytes((0x50, flags)) + bytes((0xFF, 0xFF, 0, 0, 0, 0))
    pseudo = source + destination + bytes((0, IpProtocol.TCP)) + len(header).to_bytes(2, "big")
    checksum = internet_checksum(pseudo + header).to_bytes(2, "big")
    return ipv4.build(source, destination, IpProtocol.TCP, header[:16] + checksum + header[18:])


class Connection:
    """alice's, with PEER port 80."""

    def __init__(self, **changes) -> None:
        self.translator = Translator(Behaviour(**changes))
        self.nat = self.translator.nat
        self.now = 0

    def out(self, flags: int, port: int = 80) -> bytes:
        packet = self.nat.outbound(segment(ALICE, 5000, PEER, port, flags), self.now)
        assert packet == segment(OUTSIDE, 5000, PEER, port, flags), "with checksums"
        return packet

    def back(self, flags: int, peer: bytes = PEER) -> bytes:
        packet = self.nat.inbound(segment(peer, 80, OUTSIDE, 5000, flags), self.now)
        assert packet == segment(peer, 80, ALICE, 5000, flags)
        return packet

    def open(self) -> "Connection":
        self.out(SYN)
        self.back(SYN | ACK)
        self.out(ACK)
        return self

    def time_left(self) -> int:
        at = self.nat.next_deadline()
        assert at is not None
        return at - self.now


@pytest.mark.conf("NAT-11")
def test_an_established_connection_may_be_idle_for_two_hours_and_four_minutes():
    assert Timeouts().tcp >= 2 * HOUR + 4 * MINUTE
    assert Timeouts().tcp_transitory >= 4 * MINUTE
    connection = Connection().open()
    connection.now = 2 * HOUR + 4 * MINUTE - 1
    connection.nat.expire(connection.now)
    connection.back(ACK)
    assert connection.time_left() == Timeouts().tcp, "a keep-alive of either side begins the time anew"
    connection.now += Timeouts().tcp
    connection.nat.expire(connection.now)
    with pytest.raises(Refused) as refused:
        connection.back(ACK)
    assert refused.value.reason is DropReason.NAT_MAPPING_EXPIRED


@pytest.mark.conf("NAT-11")
def test_one_that_opens_or_closes_waits_four_minutes():
    connection = Connection()
    connection.out(SYN)
    assert connection.time_left() == Timeouts().tcp_transitory
    connection.back(SYN | ACK)
    assert connection.time_left() == Timeouts().tcp_transitory
    connection.out(ACK)
    assert connection.time_left() == Timeouts().tcp
    connection.out(FIN | ACK)
    assert connection.time_left() == Timeouts().tcp, "the other half is open still"
    connection.back(FIN | ACK)
    assert connection.time_left() == Timeouts().tcp_transitory


def test_who_begins_anew_from_the_same_port_begins_at_the_beginning():
    connection = Connection().open()
    connection.out(FIN | ACK)
    connection.back(FIN | ACK)
    connection.out(SYN)
    assert connection.time_left() == Timeouts().tcp_transitory
    connection.back(SYN | ACK)
    connection.out(ACK)
    assert connection.time_left() == Timeouts().tcp


def test_nobody_outside_ends_a_connection_by_a_word():
    connection = Connection(filtering=Dependence.NOTHING).open()
    for flags in (RST, RST | ACK, FIN, FIN | ACK, SYN):
        connection.back(flags)
        connection.back(flags, OTHER)
    assert connection.time_left() == Timeouts().tcp


def test_a_mapping_lives_as_long_as_one_of_its_connections_is_open():
    connection = Connection().open()
    connection.out(SYN, port=443)
    assert connection.time_left() == Timeouts().tcp


@pytest.mark.conf("NAT-12")
def test_to_a_call_that_nobody_asked_for_it_says_nothing():
    """A NAT that stays silent lets a simultaneous open succeed, however late the other SYN is (REQ-2a, REQ-4a)."""
    connection = Connection()
    with pytest.raises(Refused) as refused:
        connection.back(SYN)
    assert refused.value.problem is None, "nothing is sent"
    connection.now = 5 * SECOND
    connection.out(SYN)
    connection.back(SYN)
    connection.out(SYN | ACK)
    connection.back(SYN | ACK)
    assert connection.time_left() == Timeouts().tcp


def test_hairpins_are_for_tcp_too():
    connection = Connection(filtering=Dependence.NOTHING)
    connection.out(SYN)
    packet = connection.nat.hairpin(segment(BOB, 6000, OUTSIDE, 5000, SYN), 0)
    assert packet == segment(OUTSIDE, 6000, ALICE, 5000, SYN)
    assert connection.nat.hairpin(segment(ALICE, 5000, OUTSIDE, 6000, SYN | ACK), 0) == segment(
        OUTSIDE, 5000, BOB, 6000, SYN | ACK
    )
