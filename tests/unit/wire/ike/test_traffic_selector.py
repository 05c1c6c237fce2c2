import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.ike.numbers import TsType
from ipsecsim.wire.ike.traffic_selector import TrafficSelector, TsInitiator, TsResponder
from ipsecsim.wire.reader import Malformed

NETWORK = TrafficSelector(TsType.IPV4_ADDR_RANGE, 0, 0, 65535, pack("10.1.0.0"), pack("10.1.0.255"))
NETWORK_BODY = bytes.fromhex("01000000 07000010 0000ffff 0a010000 0a0100ff")


def test_an_ipv4_network():
    assert TsInitiator.parse(NETWORK_BODY) == TsInitiator([NETWORK])
    assert TsResponder([NETWORK]).emit() == NETWORK_BODY
    assert TsInitiator([NETWORK]) != TsResponder([NETWORK])


def test_ipv6_and_opaque_ports():
    selector = TrafficSelector(
        TsType.IPV6_ADDR_RANGE, 17, 65535, 0, pack("2001:db8::"), pack("2001:db8::ffff")
    )
    assert TsResponder.parse(TsResponder([selector, NETWORK]).emit()).selectors == [selector, NETWORK]


def test_a_selector_of_an_unknown_type_is_kept_among_known_ones():
    body = bytes.fromhex("02000000 09050006 abcd") + NETWORK_BODY[4:]
    unknown, known = TsInitiator.parse(body).selectors
    assert not unknown.is_known
    assert (unknown.ts_type, unknown.protocol, unknown.unknown) == (9, 5, b"\xab\xcd")
    assert known == NETWORK
    assert TsInitiator([unknown, known]).emit() == body


@pytest.mark.parametrize(
    "body",
    [
        "",
        "010000",
        "01000000",  # one announced, none there
        "00000000 07000010 0000ffff 0a010000 0a0100ff",  # none announced, one there
        "ff000000 07000010 0000ffff 0a010000 0a0100ff",
        "01000000 0700000f 0000ffff 0a010000 0a0100ff",
        "01000000 07000000 0000ffff 0a010000 0a0100ff",
        "01000000 07000011 0000ffff 0a010000 0a0100ff",
        "01000000 07000014 0000ffff 0a010000 0a0100ff 00000000",  # right inside the payload, wrong for IPv4
        "01000000 08000010 0000ffff 0a010000 0a0100ff",  # IPv6 with IPv4 addresses
        "01000000 07000010 0000ffff 0a0100ff 0a010000",  # ends before it starts
    ],
)
def test_wrong_counts_lengths_and_ranges_are_refused(body):
    with pytest.raises(Malformed) as caught:
        TsInitiator.parse(bytes.fromhex(body))
    assert caught.value.reason is DropReason.INVALID_SYNTAX
