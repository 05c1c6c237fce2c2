"""Extension headers of packets for this node (RFC 8200 4.2, 4.4)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.stack.actions import Transmit
from ipsecsim.wire.icmpv6 import Icmpv6Type, ParameterProblemCode
from ipsecsim.wire.numbers import IpProtocol
from tests.unit.stack.dual import FAR, Dual, complaint, ping

ICMPV6 = int(IpProtocol.ICMPV6)
HEADERS = (IpProtocol.HOP_BY_HOP, IpProtocol.DESTINATION_OPTIONS)


def options(*data: int) -> bytes:
    """An options header, filled up with padding."""
    body = bytes((ICMPV6, 0, *data))
    return body + bytes(8 - len(body))


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("header", [options(), options(1, 4), options(0x1E, 1, 7), options(0x3E, 4)])
def test_padding_and_options_that_may_be_skipped_are_skipped(kind, header):
    assert isinstance(Dual().receive(ping(front=header, first=kind))[0], Transmit)


@pytest.mark.parametrize("kind", HEADERS)
def test_an_unknown_option_may_ask_for_a_silent_end(kind):
    node = Dual()
    assert node.receive(ping(front=options(0, 0x7E, 0), first=kind)) == []
    assert node.drops == [DropReason.IP_MALFORMED]


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("option", [0x80, 0xC5])
def test_an_unknown_option_may_ask_to_be_pointed_at(kind, option):
    node = Dual()
    error = complaint(node.receive(ping(front=options(0, option, 0), first=kind)))
    assert error.type == Icmpv6Type.PARAMETER_PROBLEM
    assert (error.code, error.rest) == (ParameterProblemCode.UNKNOWN_OPTION, 43)
    assert node.drops == [DropReason.IP_MALFORMED]


@pytest.mark.parametrize(("header", "at"), [(options(1, 5), 42), (options(0, 0, 0, 0, 0, 1), 47)])
def test_an_option_past_the_end_of_its_header_is_malformed(header, at):
    node = Dual()
    error = complaint(node.receive(ping(front=header, first=IpProtocol.DESTINATION_OPTIONS)))
    assert (error.code, error.rest) == (ParameterProblemCode.ERRONEOUS_FIELD, at)
    assert node.drops == [DropReason.IP_MALFORMED]


def test_options_are_nothing_to_routers_on_the_way():
    (sent,) = Dual().receive(ping(destination=FAR, front=options(0x80, 0), first=IpProtocol.HOP_BY_HOP))
    assert sent.packet[40:48] == options(0x80, 0)


def test_a_routing_header_is_ignored_at_its_end_and_refused_before():
    node = Dual()
    used = bytes((ICMPV6, 0, 0, 0, 0, 0, 0, 0))
    assert isinstance(node.receive(ping(front=used, first=IpProtocol.ROUTING))[0], Transmit)
    unused = bytes((ICMPV6, 0, 0, 1, 0, 0, 0, 0))
    error = complaint(node.receive(ping(front=unused, first=IpProtocol.ROUTING)))
    assert (error.code, error.rest) == (ParameterProblemCode.ERRONEOUS_FIELD, 42)
    assert node.drops == [DropReason.IP_MALFORMED]
