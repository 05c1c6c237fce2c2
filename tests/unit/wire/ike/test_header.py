import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.ike.header import HEADER_LENGTH, INITIATOR, RESPONSE, VERSION, IkeHeader
from ipsecsim.wire.ike.numbers import ExchangeType, PayloadType
from ipsecsim.wire.reader import Malformed
from tests.unit.wire.samples import IKE_SA_INIT


def test_a_recorded_header():
    header = IkeHeader.parse(IKE_SA_INIT)
    assert header == IkeHeader(
        bytes.fromhex("48bcd2005beeae02"),
        bytes(8),
        PayloadType.SA,
        ExchangeType.IKE_SA_INIT,
        INITIATOR,
        message_id=0,
        length=228,
    )
    assert header.from_initiator
    assert not header.is_response
    assert header.emit() == IKE_SA_INIT[:HEADER_LENGTH]
    header.check(228)


@pytest.mark.parametrize("flags", [RESPONSE, RESPONSE | INITIATOR, 0xFF])
def test_flags(flags):
    header = IkeHeader(bytes(8), bytes(8), 0, 37, flags, 7)
    assert header.is_response
    assert header.from_initiator == bool(flags & INITIATOR)


def test_version_flag_and_minor_version_are_ignored():
    header = IkeHeader(bytes(8), bytes(8), 0, 37, VERSION, 7, length=28, version=0x2F)
    header.check(28)
    assert header.major_version == 2


@pytest.mark.parametrize("length", [0, 1, 17, 27])
def test_shorter_than_a_header_is_refused(length):
    with pytest.raises(Malformed) as caught:
        IkeHeader.parse(IKE_SA_INIT[:length])
    assert caught.value.reason is DropReason.SHORT


@pytest.mark.parametrize("version", [0x10, 0x30, 0x00, 0xF0])
def test_another_major_version_is_read_but_refused_by_the_check(version):
    header = IkeHeader.parse(IKE_SA_INIT[:17] + bytes((version,)) + IKE_SA_INIT[18:])
    assert header.major_version == version >> 4
    with pytest.raises(Malformed) as caught:
        header.check(len(IKE_SA_INIT))
    assert caught.value.reason is DropReason.BAD_VERSION


@pytest.mark.conf("IK2-29")
@pytest.mark.parametrize("length", [0, 27, 227, 229, 0xFFFFFFFF])
def test_a_length_other_than_the_datagrams_is_refused(length):
    header = IkeHeader.parse(IKE_SA_INIT[:24] + length.to_bytes(4, "big") + IKE_SA_INIT[28:])
    with pytest.raises(Malformed) as caught:
        header.check(len(IKE_SA_INIT))
    assert caught.value.reason is DropReason.LEN_MISMATCH
