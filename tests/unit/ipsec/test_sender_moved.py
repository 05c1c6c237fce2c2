"""ESP in UDP that comes from elsewhere than before: what may say that the peer has another mapping."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.actions import Deliver, SendDatagram, SenderMoved
from ipsecsim.wire import ipv4, udp
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.ipsec.ends import OUTER, SPI, Ends

WEST, EAST = OUTER[4]
BOX = pack("203.0.113.7")
PORTS = (4500, 4500)


def esp(ends: Ends, sequence: int) -> bytes:
    """West's packet of that number, from the SPI on."""
    ends.sender.sequence = sequence - 1
    (sent,) = ends.west.outbound(ends.packet(), 0)
    assert isinstance(sent, SendDatagram)
    return sent.payload


def arrive(
    ends: Ends, sequence: int, source: bytes = WEST, port: int = 4500, *, is_broken: bool = False
) -> list:
    """What east does with west's packet of that number when it comes from there."""
    sealed = bytearray(esp(ends, sequence))
    if is_broken:
        sealed[-1] ^= 1
    segment = udp.build(source, EAST, port, 4500, bytes(sealed), checksum=False)
    packet = ipv4.build(source, EAST, IpProtocol.UDP, segment)
    return ends.east.inbound(IpProtocol.ESP, packet, ipv4.HEADER_LENGTH + udp.HEADER_LENGTH, 0)


def kinds(actions: list) -> list[type]:
    return [type(action) for action in actions]


@pytest.mark.conf("IK2-87")
@pytest.mark.parametrize("elsewhere", [(BOX, 4500), (WEST, 1024)], ids=["address", "port"])
def test_a_new_packet_from_elsewhere_is_told_before_it_is_delivered(elsewhere):
    ends = Ends(udp_ports=PORTS)
    assert kinds(arrive(ends, 1)) == [Deliver]
    told, delivered = arrive(ends, 2, *elsewhere)
    assert told == SenderMoved(SPI, *elsewhere, EAST, 4500)
    assert isinstance(delivered, Deliver)


@pytest.mark.conf("IK2-87")
def test_an_older_packet_from_elsewhere_says_nothing():
    """It came late, or was held back by somebody who would like to have the answers."""
    ends = Ends(udp_ports=PORTS)
    arrive(ends, 5)
    assert kinds(arrive(ends, 4, BOX, 1024)) == [Deliver]


@pytest.mark.conf("IK2-87")
def test_neither_a_broken_packet_nor_a_copy_says_anything():
    ends = Ends(udp_ports=PORTS)
    arrive(ends, 1)
    assert arrive(ends, 2, BOX, 1024, is_broken=True) == []
    assert arrive(ends, 1, BOX, 1024) == []
    assert ends.drops == [DropReason.ICV_FAIL, DropReason.REPLAY_SEEN]


def test_where_a_copy_would_be_taken_no_packet_says_anything():
    ends = Ends(udp_ports=PORTS, replay_window=0)
    assert kinds(arrive(ends, 1, BOX, 1024)) == [Deliver]


def test_esp_without_udp_says_nothing():
    """Whoever is not behind a NAT has no mapping to lose (RFC 7296 2.23)."""
    ends = Ends(udp_ports=PORTS)
    packet = ipv4.build(BOX, EAST, IpProtocol.ESP, esp(ends, 1))
    assert kinds(ends.east.inbound(IpProtocol.ESP, packet, ipv4.HEADER_LENGTH, 0)) == [Deliver]
