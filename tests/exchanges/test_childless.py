"""IKE SAs that are made without their first child (RFC 6023)."""

import pytest

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import Childless
from ipsecsim.ike.events import ChildSaFailed, IkeMessageSent, NotifyReceived
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from ipsecsim.wire.ike.numbers import PayloadType as P
from tests.support.misbehaving import a_peer_that, adds, omits
from tests.support.pair import Pair

ANNOUNCED = "N(CHILDLESS_IKEV2_SUPPORTED)"
ABOUT_A_CHILD = {"SA", "TSi", "TSr"}


def between(west: Childless, east: Childless) -> Pair:
    pair = Pair(west={"childless": west}, east={"childless": east})
    pair.establish()
    return pair


def sent(side, exchange: str) -> list[tuple[str, ...]]:
    return [each.payloads for each in side.seen(IkeMessageSent) if each.exchange == exchange]


def has_child(payloads: tuple[str, ...]) -> bool:
    return bool(ABOUT_A_CHILD & set(payloads))


@pytest.mark.conf("IK2-108")
@pytest.mark.parametrize("east", Childless)
@pytest.mark.parametrize("west", Childless)
def test_the_child_is_left_out_only_where_the_initiator_wants_so_and_the_responder_said_it_may(west, east):
    pair = between(west, east)
    may_be, is_wished = east is not Childless.NEVER, west in (Childless.PREFER, Childless.FORCE)
    (init,) = {ANNOUNCED in payloads for payloads in sent(pair.east, "IKE_SA_INIT")}
    assert init is may_be
    assert not any(ANNOUNCED in payloads for payloads in sent(pair.west, "IKE_SA_INIT"))
    if west is Childless.FORCE and not may_be:
        assert pair.west.drops == [DropReason.NO_PROPOSAL]
        assert not sent(pair.west, "IKE_AUTH")
        pair.wait_until(6 * SECOND)
        assert not pair.west.endpoint.sas
        return
    (request,), (answer,) = sent(pair.west, "IKE_AUTH"), sent(pair.east, "IKE_AUTH")
    is_childless = is_wished and may_be
    is_refused = east is Childless.FORCE and not is_childless
    assert has_child(request) is not is_childless
    assert has_child(answer) is not (is_childless or is_refused)
    assert [sa.state for sa in (*pair.west.endpoint.sas, *pair.east.endpoint.sas)] == [State.ESTABLISHED] * 2
    assert len(sent(pair.west, "CREATE_CHILD_SA")) == is_childless
    assert len(pair.west.sas) == len(pair.east.sas) == (0 if is_refused else 2)
    assert pair.west.seen(ChildSaFailed) == (
        [ChildSaFailed("net", "NO_PROPOSAL_CHOSEN")] if is_refused else []
    )


def test_the_child_that_comes_afterwards_has_keys_of_its_own_exchange_and_can_have_a_group():
    pair = Pair(
        west={"childless": Childless.PREFER, "esp": ["aes256gcm16-x25519"]},
        east={"esp": ["aes256gcm16-x25519"]},
    )
    pair.establish()
    (request,) = sent(pair.west, "CREATE_CHILD_SA")
    assert "KE" in request
    keys = {(direction, sa.encryption_key) for (direction, _), sa in pair.west.sas.items()}
    assert {({"in": "out", "out": "in"}[direction], key) for direction, key in keys} == {
        (direction, sa.encryption_key) for (direction, _), sa in pair.east.sas.items()
    }


@pytest.mark.conf("IK2-108")
def test_a_responder_that_said_no_calls_such_a_request_badly_formed():
    """As one does that has never heard of it (RFC 6023 3)."""
    habits = [omits(kind) for kind in (P.SA, P.TSi, P.TSr)]
    pair = a_peer_that(*habits, in_="IKE_AUTH request", east={"childless": Childless.NEVER})
    pair.establish()
    assert pair.east.drops == [DropReason.INVALID_SYNTAX]
    assert pair.west.seen(NotifyReceived) == [NotifyReceived("INVALID_SYNTAX", "IKE_AUTH")]
    assert not pair.east.endpoint.sas


@pytest.mark.parametrize("kind", [P.SA, P.TSi, P.TSr])
def test_a_part_of_a_child_is_none(kind):
    pair = a_peer_that(omits(kind), in_="IKE_AUTH request")
    pair.establish()
    assert pair.east.drops == [DropReason.INVALID_SYNTAX]
    assert not pair.east.endpoint.sas


@pytest.mark.conf("IK2-108")
def test_what_an_initiator_announces_means_nothing():
    pair = a_peer_that(
        adds(Notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED)),
        in_="IKE_SA_INIT request",
        west={"childless": Childless.PREFER},
        east={"childless": Childless.NEVER},
    )
    pair.establish()
    assert has_child(sent(pair.west, "IKE_AUTH")[0])
    assert len(pair.west.sas) == 2
