"""A box between the two that translates addresses and ports (RFC 7296 2.11, 2.23)."""

from dataclasses import replace

import pytest

from ipsecsim.base.address import pack
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.ike.actions import MoveChildSa
from ipsecsim.ike.config import ANYWHERE
from ipsecsim.ike.events import NatDetected
from ipsecsim.ike.mobility_events import PeerRebound
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.nat_t import NON_ESP_MARKER
from tests.support.pair import EAST, WEST, Pair

BOX = pack("203.0.113.1")


class Translated(Pair):
    """West, or else east, is behind a box: all the world sees BOX, and ports that are so much higher."""

    def __init__(self, *, hidden: bytes = WEST, shift: int = 20_000, **options: object) -> None:
        self.hidden, self.shift = hidden, shift
        if hidden == WEST:
            options.setdefault("east", {"peer_address": ANYWHERE})
        else:
            options.setdefault("west", {"peer_address": BOX})
            options.setdefault("east", {})
        super().__init__(**options)

    def inject(self, datagram: SendDatagram) -> None:
        if datagram.source == self.hidden:
            datagram = replace(datagram, source=BOX, source_port=datagram.source_port + self.shift)
        elif datagram.destination == BOX:
            port = datagram.destination_port - self.shift
            datagram = replace(datagram, destination=self.hidden, destination_port=port)
        super().inject(datagram)


def up(**options: object) -> Translated:
    pair = Translated(**options)
    pair.establish()
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    return pair


def found(side) -> tuple[bool, bool]:
    (event,) = side.seen(NatDetected)
    return event.we_are_behind, event.peer_is_behind


def ports(side) -> dict[str, tuple[int, int] | None]:
    return {direction: sa.udp_ports for (direction, _), sa in side.sas.items()}


@pytest.mark.conf("IK2-84")
@pytest.mark.parametrize("hidden", [WEST, EAST])
def test_each_side_finds_out_who_of_them_is_behind_the_nat(hidden):
    pair = up(hidden=hidden, shift=20_000 if hidden == WEST else 0)
    assert found(pair.west) == (hidden == WEST, hidden == EAST)
    assert found(pair.east) == (hidden == EAST, hidden == WEST)


@pytest.mark.conf("IK2-84", "IK2-85")
@pytest.mark.parametrize("hidden", [WEST, EAST])
def test_after_ike_sa_init_everything_goes_by_port_4500(hidden):
    pair = up(hidden=hidden, shift=20_000 if hidden == WEST else 0)
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    pair.settle()
    pair.perform(pair.west, pair.west.endpoint.rekey_ike("net", pair.now))
    pair.settle()
    from_west = [each for each in pair.sent if each.source == WEST]
    used = [(each.source_port, each.destination_port) for each in from_west]
    assert used == [(500, 500)] + [(4500, 4500)] * (len(used) - 1)
    assert all(each.payload.startswith(NON_ESP_MARKER) for each in from_west[1:])
    assert len(used) > 4


@pytest.mark.conf("IK2-86")
def test_answers_go_to_the_address_and_port_that_the_request_came_from():
    pair = up()
    to_west = [(each.destination, each.destination_port) for each in pair.sent if each.source == EAST]
    assert to_west == [(BOX, 20_500), (BOX, 24_500)]
    assert ports(pair.east) == {"in": (24_500, 4500), "out": (4500, 24_500)}
    assert ports(pair.west) == {"in": (4500, 4500), "out": (4500, 4500)}


def ask(pair: Translated) -> SendDatagram:
    """West asks for new keys, which is a new authentic message."""
    pair.perform(pair.west, pair.west.endpoint.rekey("net", pair.now))
    return pair.wire.pop()


@pytest.mark.conf("IK2-87")
def test_whoever_is_in_the_open_follows_the_peer_to_its_new_mapping_and_the_child_sas_come_along():
    pair = up()
    pair.shift = 30_000  # the box has forgotten
    pair.wire.append(ask(pair))
    pair.settle()
    (sa,) = pair.east.endpoint.sas
    assert sa.path == Path(EAST, 4500, BOX, 34_500)
    assert len(pair.east.seen(PeerRebound)) == 1
    moved = {each.outer.udp_ports for each in pair.east.actions if isinstance(each, MoveChildSa)}
    assert moved == {(34_500, 4500), (4500, 34_500)}
    assert ports(pair.east) == {"in": (34_500, 4500), "out": (4500, 34_500)}  # of the new pair


@pytest.mark.conf("IK2-87")
def test_the_child_sas_come_along_even_when_what_the_peer_asks_for_from_there_is_refused():
    pair = up()
    pair.east.endpoint.sas[0].children[0].is_closing = True
    pair.shift = 30_000
    pair.wire.append(ask(pair))
    pair.settle()
    assert DropReason.STATE_VIOLATION in pair.east.drops
    assert ports(pair.east) == {"in": (34_500, 4500), "out": (4500, 34_500)}


@pytest.mark.conf("IK2-87")
def test_neither_a_forged_nor_a_repeated_message_leads_it_away():
    pair = up()
    (sa,) = pair.east.endpoint.sas
    request = ask(pair)
    pair.inject(request)
    before = sa.path
    pair.shift = 30_000
    pair.inject(request)
    broken = replace(request, payload=request.payload[:-1] + bytes([request.payload[-1] ^ 1]))
    pair.inject(broken)
    assert sa.path == before
    assert DropReason.RETRANSMIT_IGNORED in pair.east.drops
    assert not pair.east.seen(PeerRebound)
    assert pair.wire[-1].destination_port == 34_500  # the repeated answer goes where it was asked for


@pytest.mark.conf("IK2-87")
def test_whoever_is_behind_the_nat_itself_does_not_follow_but_answers_there():
    pair = up()
    (sa,) = pair.west.endpoint.sas
    before = sa.path
    pair.perform(pair.east, pair.east.endpoint.rekey("net", pair.now))
    request = replace(pair.wire.pop(), source=pack("198.51.100.66"))
    pair.inject(request)
    assert sa.path == before
    assert pair.wire[-1].destination == pack("198.51.100.66")
