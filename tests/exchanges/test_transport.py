"""Transport mode, later fragments and padding: what one end asks for and the other grants (RFC 7296 1.3.1)."""

import pytest

from ipsecsim.base.address import Prefix, pack
from ipsecsim.ike.events import ChildSaCreated, IkeMessageSent, TransportModeDeclined
from ipsecsim.ike.narrowing import traffic_selector
from ipsecsim.ike.v2.children import child_form
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.ipsec.association import Mode
from ipsecsim.ipsec.options import SaOptions
from ipsecsim.ipsec.selector import Selector
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from ipsecsim.wire.numbers import IpProtocol
from tests.support.pair import EAST, WEST, Pair

WEST_END = {"local_ts": ["192.0.2.1/32"], "remote_ts": ["192.0.2.2/32"], "mode": "transport"}
EAST_END = {"local_ts": ["192.0.2.2/32"], "remote_ts": ["192.0.2.1/32"], "mode": "transport"}


def connected(west, east, kind=Pair):
    """Two ends that have had their handshake."""
    pair = kind(west=west, east=east)
    pair.establish()
    return pair


def modes(pair):
    """The modes of all four SAs."""
    found = {sa.mode for side in (pair.west, pair.east) for sa in side.sas.values()}
    assert len(pair.west.sas) == len(pair.east.sas) == 2
    return found


@pytest.mark.conf("IK2-83")
def test_transport_mode_is_what_both_ends_want():
    pair = connected(WEST_END, EAST_END)
    assert modes(pair) == {Mode.TRANSPORT}
    for side in (pair.west, pair.east):
        assert all(sa.original_addresses is None for sa in side.sas.values())
        assert side.seen(ChildSaCreated)[0].mode == "transport"
        assert not side.seen(TransportModeDeclined)


@pytest.mark.conf("IK2-83")
@pytest.mark.parametrize(
    ("west", "east", "told"),
    [
        (WEST_END, EAST_END | {"mode": "tunnel"}, True),
        (WEST_END | {"mode": "tunnel"}, EAST_END, False),
    ],
)
def test_without_an_echo_it_is_tunnel_mode(west, east, told):
    pair = connected(west, east)
    assert modes(pair) == {Mode.TUNNEL}
    assert [event.by_peer for event in pair.west.seen(TransportModeDeclined)] == [True] * told
    assert [event.by_peer for event in pair.east.seen(TransportModeDeclined)] == [False] * told


@pytest.mark.parametrize("key", ["local_ts", "remote_ts"])
def test_transport_mode_is_asked_for_between_the_two_hosts_only(key):
    west = WEST_END | {key: ["192.0.2.0/24"]}
    pair = connected(west, EAST_END)
    assert modes(pair) == {Mode.TUNNEL}
    assert not pair.east.seen(TransportModeDeclined)


def test_a_host_that_takes_many_peers_narrows_to_the_one_that_asks():
    pair = connected(WEST_END, EAST_END | {"remote_ts": ["0.0.0.0/0"]})
    assert modes(pair) == {Mode.TRANSPORT}
    assert {sa.selectors for sa in pair.east.sas.values()} == {(Selector((EAST, EAST), (WEST, WEST)),)}


@pytest.mark.parametrize("who", ["west", "east"])
def test_transport_mode_outlives_new_keys(who):
    pair = connected(WEST_END, EAST_END)
    before = set(pair.west.sas)
    side = getattr(pair, who)
    pair.perform(side, side.endpoint.rekey("net", pair.now))
    pair.settle()
    assert not before & set(pair.west.sas)
    assert modes(pair) == {Mode.TRANSPORT}


INSIDE, OUTSIDE = pack("192.168.0.5"), pack("203.0.113.9")  # IP1 and IP2: what the ends know of themselves


class BehindNats(Pair):
    """The figure of RFC 7296 2.23.1: IP1 becomes WEST (IPN1) at NAT A, and EAST (IPN2) becomes IP2 at NAT B."""

    def side_of(self, address):
        return self.west if address == INSIDE else self.east

    def inject(self, datagram):
        ends = {INSIDE: WEST, OUTSIDE: EAST}, {WEST: INSIDE, EAST: OUTSIDE}
        super().inject(
            SendDatagram(
                ends[0][datagram.source],
                datagram.source_port,
                ends[1][datagram.destination],
                datagram.destination_port,
                datagram.payload,
            )
        )

    def _connection(self, name, own, *others):
        return super()._connection(name, {WEST: INSIDE, EAST: OUTSIDE}[own], *others)


CLIENT = {"local_ts": ["192.168.0.5/32"], "remote_ts": ["192.0.2.2/32"], "mode": "transport"}
SERVER = {"local_ts": ["203.0.113.9/32"], "remote_ts": ["192.0.2.1/32"], "mode": "transport"}


@pytest.mark.conf("IK2-88")
@pytest.mark.parametrize("rekeyed_by", [None, "west", "east"])
def test_behind_nats_each_end_uses_the_addresses_that_it_sees_and_keeps_the_others(rekeyed_by):
    pair = connected(CLIENT, SERVER, BehindNats)
    if rekeyed_by is not None:
        side = getattr(pair, rekeyed_by)
        pair.perform(side, side.endpoint.rekey("net", pair.now))
        pair.settle()
    assert modes(pair) == {Mode.TRANSPORT}
    expected = [(pair.west, INSIDE, EAST, (OUTSIDE, WEST)), (pair.east, OUTSIDE, WEST, (INSIDE, EAST))]
    for side, here, there, original in expected:
        for (direction, _), sa in side.sas.items():
            assert sa.selectors == (Selector((here, here), (there, there)),)
            assert {sa.source, sa.destination} == {here, there}
            assert sa.udp_ports == (4500, 4500)
            assert sa.original_addresses == (original if direction == "in" else None)


def test_behind_nats_a_tunnel_keeps_its_selectors_as_they_were_sent():
    server = SERVER | {"local_ts": ["192.0.2.2/32"], "remote_ts": ["192.168.0.5/32"], "mode": "tunnel"}
    pair = connected(CLIENT, server, BehindNats)
    assert modes(pair) == {Mode.TUNNEL}
    assert {sa.selectors for sa in pair.east.sas.values()} == {(Selector((EAST, EAST), (INSIDE, INSIDE)),)}
    assert all(sa.original_addresses is None for sa in pair.west.sas.values())


PADDED = {"options": SaOptions(tfc_length=1400)}


def test_a_peer_that_cannot_do_with_padding_gets_none():
    pair = connected(WEST_END | PADDED, EAST_END | {"mode": "tunnel"} | PADDED)
    lengths = {(side, sa.tfc_length) for side in ("west", "east") for sa in getattr(pair, side).sas.values()}
    assert lengths == {("west", 1400), ("east", 0)}
    sent = pair.west.seen(IkeMessageSent)[-1]
    assert "ESP_TFC_PADDING_NOT_SUPPORTED" in str(sent.payloads)


def web(prefix):
    """The traffic of one port."""
    return traffic_selector(Prefix.parse(prefix), IpProtocol.TCP, (80, 80))


ANY_PORT = ["10.1.0.0/24"]
ONE_PORT = [web("10.1.0.0/24")]


@pytest.mark.conf("ARC-39")
@pytest.mark.parametrize(("local_ts", "agreed"), [(ONE_PORT, True), (ANY_PORT, False)])
def test_later_fragments_are_agreed_on_where_the_selectors_name_ports(local_ts, agreed):
    pair = connected({"local_ts": local_ts}, {})
    assert {sa.stateful_fragments for side in (pair.west, pair.east) for sa in side.sas.values()} == {agreed}
    for side in (pair.west, pair.east):
        assert ("NON_FIRST_FRAGMENTS_ALSO" in str(side.seen(IkeMessageSent)[-1].payloads)) is agreed


@pytest.mark.conf("ARC-39")
def test_a_peer_that_does_not_repeat_it_gets_no_later_fragments(monkeypatch):
    monkeypatch.setattr(child_form, "echoes", lambda form: [])
    pair = connected({"local_ts": ONE_PORT}, {})
    assert len(pair.west.sas) == 2
    assert not any(sa.stateful_fragments for sa in pair.west.sas.values())


def test_transport_mode_that_nobody_asked_for_is_an_error(monkeypatch):
    monkeypatch.setattr(child_form, "echoes", lambda form: [Notify(NotifyType.USE_TRANSPORT_MODE)])
    pair = connected({}, {})
    assert not pair.west.sas
    assert not pair.east.sas
