"""Dummy packets and padding hide how much is said, and when (RFC 4303 2.6, 2.7)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ipsec.actions import SendPacket
from ipsecsim.ipsec.association import LAST_SEQUENCE, Mode
from tests.unit.ipsec.ends import Ends

LENGTH = 512


@pytest.mark.conf("ESP-07", "ESP-08")
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("version", [4, 6])
def test_at_a_constant_rate_half_of_the_packets_are_dummies(mode, version):
    """One packet a second, whether there is something to say or not."""
    ends = Ends(mode=mode, outer=version, inner=version, tfc_length=LENGTH)
    real = [ends.packet(bytes([number])) for number in range(10)]
    sent, received = [], []
    for second in range(20):
        now = second * SECOND
        actions = (
            ends.west.outbound(real[second // 2], now) if second % 2 else ends.west.dummy("net", LENGTH, now)
        )
        (action,) = actions
        assert isinstance(action, SendPacket)
        sent.append(action.packet)
        received += ends.receive(action.packet)
    assert received == real
    assert ends.drops == [DropReason.DUMMY] * 10
    if mode is Mode.TUNNEL:
        assert (
            len({len(packet) for packet in sent}) == 1
        )  # and padding makes all of them as long as each other


@pytest.mark.conf("ESP-08")
def test_only_esp_has_dummies_and_only_while_the_sa_lives():
    assert Ends("ah", "sha256").west.dummy("net", LENGTH, 0) == []
    ends = Ends(sequence=LAST_SEQUENCE - 1)
    assert len(ends.west.dummy("net", LENGTH, 0)) == 1
    assert ends.west.dummy("net", LENGTH, 0) == []
    assert ends.west.dummy("another rule", LENGTH, 0) == []
