"""DER is read strictly: one way to write each thing, and nothing beyond its end."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import der
from ipsecsim.wire.der import DerReader
from ipsecsim.wire.reader import Malformed

REASON = DropReason.CERT_MALFORMED


def reader(octets: bytes) -> DerReader:
    return DerReader(octets, "test", REASON)


def test_what_is_written_is_read_again():
    inner = der.integer(300) + der.identifier("1.2.840.113549.1.1.1") + der.element(der.NULL)
    whole = der.element(der.SEQUENCE, inner, der.element(der.OCTET_STRING, bytes(200)))
    der.check(whole, "test", REASON)
    outer = reader(whole)
    sequence = outer.inside(der.SEQUENCE)
    outer.end()
    assert sequence.next(der.INTEGER).value == b"\x01\x2c"
    assert sequence.next().whole == bytes.fromhex("06092a864886f70d010101")
    assert sequence.next(der.NULL).value == b""
    assert sequence.next().value == bytes(200)
    assert not sequence.remaining


@pytest.mark.parametrize(
    ("number", "octets"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100")]
)
def test_a_number_has_no_byte_too_many(number, octets):
    assert der.integer(number).hex() == octets


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "30",
        "3080020100 0000",  # an end that comes later
        "308103020100",  # a short length in the long form
        "30820003020100",  # a length with a leading zero
        "3085000000000102",  # a length of five bytes
        "3005020100",  # past the end
        "1f8101 00",  # a tag of several bytes
        "3003020100 00",  # a byte too many
        "3003020200",  # an inner one past its end
    ],
)
def test_all_that_is_no_der_is_refused(octets):
    with pytest.raises(Malformed) as caught:
        der.check(bytes.fromhex(octets), "test", REASON)
    assert caught.value.reason is REASON


def test_the_depth_has_a_bound():
    nested = der.element(der.NULL)
    for _ in range(der.DEEPEST):
        nested = der.element(der.SEQUENCE, nested)
    der.check(nested, "test", REASON)
    with pytest.raises(Malformed, match="deep"):
        der.check(der.element(der.SEQUENCE, nested), "test", REASON)
    deeper = nested
    for _ in range(3000):
        deeper = der.element(der.SEQUENCE, deeper)
    with pytest.raises(Malformed, match="deep"):
        der.check(deeper, "test", REASON)


def test_another_tag_than_the_one_wanted_is_refused():
    with pytest.raises(Malformed, match="0x02 where 0x30"):
        reader(der.integer(1)).inside(der.SEQUENCE)
