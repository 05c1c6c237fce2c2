"""Traffic selectors on the wire: ports, OPAQUE, unknown types, and what makes no sense (RFC 7296 3.13)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ipsec.selector import ANY_PORT, OPAQUE_PORT
from ipsecsim.wire.ike.numbers import PayloadType as P
from ipsecsim.wire.ike.traffic_selector import TrafficSelector, TsInitiator
from tests.support.misbehaving import Said, a_peer_that, changes, garbles
from tests.support.pair import Pair

EAST_NET = (b"\x0a\2\0\0", b"\x0a\2\0\xff")
UDP = 17


def offered(*selectors: TrafficSelector):
    """The initiator asks for these at the responder's end."""
    return changes(P.TSr, selectors=list(selectors))


def east(ports: tuple[int, int], protocol: int = 0) -> TrafficSelector:
    """East's network with a range of ports."""
    return TrafficSelector(7, protocol, *ports, *EAST_NET)


def ports_of(pair: Pair) -> set[tuple[int, int]]:
    """The port ranges at east's own end, of what it agreed to."""
    return {
        each.local_ports for (way, _), sa in pair.east.sas.items() if way == "out" for each in sa.selectors
    }


@pytest.mark.conf("IK2-82")
@pytest.mark.parametrize(
    ("asked", "allowed", "agreed"),
    [
        (ANY_PORT, ANY_PORT, ANY_PORT),
        (OPAQUE_PORT, OPAQUE_PORT, OPAQUE_PORT),
        (OPAQUE_PORT, ANY_PORT, OPAQUE_PORT),
        (ANY_PORT, OPAQUE_PORT, OPAQUE_PORT),
        ((53, 53), ANY_PORT, (53, 53)),
        ((1, 100), (50, 200), (50, 100)),
    ],
)
def test_any_is_0_to_65535_and_includes_opaque_which_is_65535_to_0(asked, allowed, agreed):
    pair = Pair(west={"remote_ts": [east(asked, UDP)]}, east={"local_ts": [east(allowed, UDP)]})
    pair.establish()
    assert ports_of(pair) == {agreed}
    assert len(pair.west.sas) == 2


@pytest.mark.conf("IK2-82")
@pytest.mark.parametrize(("asked", "allowed"), [(OPAQUE_PORT, (0, 100)), ((53, 53), OPAQUE_PORT)])
def test_opaque_meets_no_range_of_ports(asked, allowed):
    pair = Pair(west={"remote_ts": [east(asked, UDP)]}, east={"local_ts": [east(allowed, UDP)]})
    pair.establish()
    assert not pair.east.sas


@pytest.mark.conf("IK2-82")
@pytest.mark.parametrize("number", [0, 6, 9, 10, 241, 255])
def test_selectors_of_an_unknown_type_are_skipped(number):
    odd = TrafficSelector(number, 0, 0, 0, b"", b"", bytes(9))
    among = a_peer_that(
        lambda said: said.payloads[said.at(P.TSr)].selectors.insert(0, odd), in_="IKE_AUTH request"
    )
    among.establish()
    assert len(among.east.sas) == 2
    alone = a_peer_that(offered(odd), in_="IKE_AUTH request")
    alone.establish()
    assert not alone.east.sas
    assert alone.east.endpoint.sas  # TS_UNACCEPTABLE, and no more than that


ONE = TsInitiator([east(ANY_PORT)]).emit()
SENSELESS = {
    "no selector counted": b"\0" + ONE[1:],
    "two counted": b"\2" + ONE[1:],
    "255 counted": b"\xff" + ONE[1:],
    "length 0": ONE[:6] + b"\0\0" + ONE[8:],
    "length 8": ONE[:6] + b"\0\x08" + ONE[8:],
    "length 15": ONE[:6] + b"\0\x0f" + ONE[8:],
    "length 17": ONE[:6] + b"\0\x11" + ONE[8:] + b"\0",
    "length of the other version": ONE[:6] + b"\0\x28" + ONE[8:] + bytes(24),
    "length 65535": ONE[:6] + b"\xff\xff" + ONE[8:],
    "addresses the wrong way round": ONE[:12] + EAST_NET[1] + EAST_NET[0],
    "ports the wrong way round": ONE[:8] + b"\0\x02\0\x01" + ONE[12:],
    "ports almost opaque": ONE[:8] + b"\xff\xff\0\x01" + ONE[12:],
}


@pytest.mark.conf("IK2-82")
@pytest.mark.parametrize("body", SENSELESS.values(), ids=SENSELESS)
@pytest.mark.parametrize("kind", [P.TSi, P.TSr])
def test_selectors_that_make_no_sense_spoil_the_request(body, kind):
    pair = a_peer_that(garbles(kind, lambda _: body), in_="IKE_AUTH request")
    pair.establish()
    assert pair.east.drops[0] is DropReason.INVALID_SYNTAX
    assert not pair.east.endpoint.sas
    assert not pair.west.sas


@pytest.mark.conf("IK2-82")
@pytest.mark.parametrize("body", SENSELESS.values(), ids=SENSELESS)
def test_and_an_answer(body):
    pair = a_peer_that(garbles(P.TSr, lambda _: body), in_="IKE_AUTH response")
    pair.establish()
    assert pair.west.drops[0] is DropReason.INVALID_SYNTAX
    assert not pair.west.sas


@pytest.mark.conf("IK2-82")
def test_our_own_ranges_are_written_that_way():
    heard: list[Said] = []
    pair = a_peer_that(
        heard.append, in_="IKE_AUTH request", west={"remote_ts": [east(OPAQUE_PORT, UDP), "10.2.0.0/24"]}
    )
    pair.establish()
    body = heard[0].payloads[heard[0].at(P.TSr)].emit()
    assert b"\xff\xff\0\0" + EAST_NET[0] in body
    assert b"\0\0\xff\xff" + EAST_NET[0] in body
