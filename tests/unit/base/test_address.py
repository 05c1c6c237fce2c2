import pytest

from ipsecsim.base.address import Prefix, pack, unpack


def test_addresses_and_prefixes_survive_a_round_trip():
    assert unpack(pack("192.0.2.1")) == "192.0.2.1"
    assert unpack(pack("2001:db8::1")) == "2001:db8::1"
    assert str(Prefix.parse("10.1.0.0/16")) == "10.1.0.0/16"
    assert Prefix.parse("192.0.2.7").length == 32


def test_a_prefix_knows_its_ends_and_its_members():
    prefix = Prefix.parse("10.1.4.0/22")
    assert (unpack(prefix.first), unpack(prefix.last)) == ("10.1.4.0", "10.1.7.255")
    assert pack("10.1.6.1") in prefix
    assert pack("10.1.8.0") not in prefix
    assert pack("2001:db8::1") not in prefix


def test_host_bits_are_a_mistake():
    with pytest.raises(ValueError, match="host bits"):
        Prefix.parse("10.1.0.1/24")
