"""Which connection a peer belongs to, by how it proves who it is (RFC 4301 4.4.1.1, 4.4.3)."""

import pytest

from ipsecsim.base.address import pack
from ipsecsim.ike.config import ANYWHERE, AuthKind, LocalAuth, RemoteAuth
from ipsecsim.ike.events import ChildSaFailed, PeerAuthenticated
from tests.support.pair import EAST, EAST_NET, WEST, Pair
from tests.support.proving import pair_of, refused_by_east, up

PUBKEY, PSK = AuthKind.PUBKEY, AuthKind.PSK

A_AND_B = {
    "peer_id": "a.example",
    "remote_ts": ["10.11.0.0/24"],
    "others": [{"peer_id": "b.example", "remote_ts": ["10.12.0.0/24"]}],
}


@pytest.mark.conf("ARC-16")
def test_a_peer_gets_no_traffic_but_its_own():
    for own, wish, is_good in (
        ("a.example", "10.11.0.0/24", True),
        ("b.example", "10.12.0.0/24", True),
        ("a.example", "10.12.0.0/24", False),
        ("b.example", "10.11.0.0/24", False),
    ):
        pair = pair_of({"id": own, "local_ts": [wish]}, A_AND_B)
        pair.establish()
        assert pair.east.seen(PeerAuthenticated)[0].identity == own
        assert bool(pair.east.sas) is is_good
        if not is_good:
            assert pair.west.seen(ChildSaFailed) == [ChildSaFailed("net", "TS_UNACCEPTABLE")]


def test_the_connection_must_want_the_kind_of_proof_that_is_given():
    by_secret = {"remote_auth": RemoteAuth(PSK)}
    assert "is not how net wants it" in refused_by_east(pair_of({}, by_secret))
    pair = up(pair_of({}, {**by_secret, "others": [{"remote_auth": RemoteAuth(PUBKEY)}]}))
    assert pair.east.endpoint.sas[0].connection.name == "net1"


@pytest.mark.conf("ARC-46")
@pytest.mark.parametrize("address", [WEST, pack("192.0.2.77")])
@pytest.mark.parametrize(
    ("identity", "group"),
    [
        ("carol.example.org", "*.example.org"),
        ("carol@example.org", "*@example.org"),
        ("O=lab, CN=carol", "O=lab, *"),
        ("keyid:carol", "keyid:carol"),
    ],
)
def test_a_peer_with_a_changing_address_is_known_by_its_name(address, identity, group, monkeypatch):
    monkeypatch.setattr("tests.support.pair.WEST", address)
    own = "10.9.0.7/32"
    pair = pair_of(
        {"id": identity, "local_ts": [own], "local_auth": LocalAuth(PSK), "remote_auth": RemoteAuth(PSK)},
        {
            "peer_id": "nobody.example",
            "local_auth": LocalAuth(PSK),
            "remote_auth": RemoteAuth(PSK),
            "others": [{"peer_id": group, "peer_address": ANYWHERE, "remote_ts": ["0.0.0.0/0"]}],
        },
    )
    up(pair)
    for sa in pair.east.sas.values():
        assert {sa.source, sa.destination} == {address, EAST}
        assert [str(each) for each in sa.selectors] == [f"{EAST_NET} === {own}"]


def test_a_peer_that_may_be_anywhere_is_not_called():
    pair = Pair(west={"peer_address": ANYWHERE})
    pair.initiate()
    assert not pair.sent
    assert [type(each).__name__ for each in pair.west.actions] == ["ChildGivenUp"]
