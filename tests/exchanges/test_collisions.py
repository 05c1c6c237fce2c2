"""Exchanges that cross each other end with the same SAs at both ends (RFC 7296 1.4.1, 2.8, 2.25)."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from ipsecsim.ike.actions import RemoveChildSa
from ipsecsim.ike.events import (
    IkeMessageSent,
    NotifyReceived,
    PeerUnresponsive,
    RekeyCollided,
    StateChanged,
)
from ipsecsim.ike.v2.renewal.collisions import RULES, Asked, Busy
from ipsecsim.scenario.swanctl.parse import ike_proposal
from tests.exchanges.chain_rows import CHAIN_ROWS
from tests.exchanges.collision_rows import ROWS
from tests.exchanges.sync_rows import SYNC_ROWS
from tests.support.crossing import Crossing, assert_at_rest, lead

FAMILIES = Path(__file__).parents[1] / "data" / "collisions.csv"

# Which nonce is the lowest of the four: the first octets of west's request and answer, and of east's.
LOWEST = {
    "west": {"its own": ((1, 9), (9, 9)), "the answer's": ((9, 9), (9, 1))},
    "east": {"its own": ((9, 9), (1, 9)), "the answer's": ((9, 1), (9, 9))},
    "": {"any": ((5, 6), (7, 8))},
}
# What each side prefers and takes, once the IKE SA stands with x25519; "one": only west's first guess is wrong.
GROUPS = {
    "": None,
    "one": {"west": ["x25519-ecp256"], "east": ["ecp256-x25519"]},
    "both": {"west": ["ecp384-x25519-ecp256"], "east": ["ecp256-x25519-ecp384"]},
    "chain": {"west": ["x25519-ke1_ecp256"], "east": ["x25519-ke1_ecp256"]},
    "one, chain": {"west": ["x25519-ecp256-ke1_ecp384"], "east": ["ecp256-x25519-ke1_ecp384"]},
    # what west asks for east takes without additional key exchange, and the other way round with one
    "mixed": {"west": ["x25519-ke1_ecp256", "x25519"], "east": ["x25519", "x25519-ke1_ecp256"]},
}


def runs():
    """Every row, with either role and in each order of nonces that it is for."""
    for row in ROWS + CHAIN_ROWS:
        for lowest, octets in LOWEST[row.loser].items():
            for is_mirrored in (False, True):
                roles = "mirrored" if is_mirrored else "as written"
                name = f"{row}, {roles}" + (f", lowest is {lowest}" if row.loser else "")
                marks = [pytest.mark.conf(*row.bears)] if row.bears else []
                yield pytest.param(row, octets, is_mirrored, id=name, marks=marks)


def with_groups(groups, *, is_mirrored):
    """Two sides, each with its preferences."""
    if groups is None:
        return Crossing(is_mirrored=is_mirrored)
    own = dict(zip(groups, reversed(groups.values()), strict=True)) if is_mirrored else groups
    crossing = Crossing(
        is_mirrored=is_mirrored,
        **{side: {"esp": [f"aes256gcm16-{each}" for each in said]} for side, said in own.items()},
    )
    for side, said in own.items():
        (sa,) = getattr(crossing, side).endpoint.sas
        proposals = tuple(ike_proposal(f"aes256gcm16-prfsha256-{each}") for each in said)
        sa.connection = replace(sa.connection, proposals=proposals)
        getattr(crossing, side).endpoint.connections = (sa.connection,)
    return crossing


@pytest.mark.parametrize(("row", "octets", "is_mirrored"), list(runs()))
def test_crossed_exchanges_end_in_agreement(row, octets, is_mirrored):
    crossing = with_groups(GROUPS[row.groups], is_mirrored=is_mirrored)
    for side, first in zip(("west", "east"), octets, strict=True):
        lead(crossing.side(side), first)
    crossing.play(row.words)
    assert_at_rest(crossing)
    ike_sas = len(crossing.west.endpoint.sas)
    assert (ike_sas, crossing.children("net"), crossing.children("second")) == row.ends
    told = {side: crossing.told(side, NotifyReceived) for side in ("west", "east")}
    assert {side: tuple(each.notify for each in notifies) for side, notifies in told.items()} == {
        "west": row.west,
        "east": row.east,
    }
    if row.is_lossless:
        assert crossing.losses == []
    for side in ("west", "east"):
        for collided in crossing.told(side, RekeyCollided):
            assert collided.is_ours_kept is (side != row.loser)


def test_every_family_is_played():
    with FAMILIES.open(encoding="utf-8", newline="") as file:
        families = [row["id"] for row in csv.DictReader(file)]
    own = {name.upper().replace("_", "-")[5:11] for name in globals() if name.startswith("test_col_")}
    played = {row.id for row in ROWS + CHAIN_ROWS + SYNC_ROWS} | own
    assert len(families) == 59
    assert played == set(families)


def test_col_10_a_delete_that_nobody_answers_ends_all_once():
    crossing = Crossing()
    crossing.play("west.rekey w1 west! e1")
    assert crossing.west.endpoint.sas == ()
    assert crossing.west.sas == {}
    ended = [each for each in crossing.told("west", StateChanged) if each.after == "DEAD"]
    assert len(ended) == len(crossing.told("west", PeerUnresponsive)) == 1
    gone = [(each.direction, each.spi) for each in crossing.west.actions if isinstance(each, RemoveChildSa)]
    assert len(gone) == len(set(gone)) == 4


TEMPORARY = "N(TEMPORARY_FAILURE)"
CLOSES, REKEYS_IT, REKEYS_IKE, CLOSES_IKE = "east.delete", "east.rekey", "east.rekey-ike", "east.delete-ike"
CASES = {
    (Asked.REKEY_CHILD, Busy.CLOSING_IT): (f"{CLOSES} west.rekey w1", TEMPORARY),
    (Asked.REKEY_CHILD, Busy.REKEYING_IT): (f"{REKEYS_IT} west.rekey w1", "SA Nonce TSi TSr"),
    (Asked.REKEY_CHILD, Busy.WITHOUT_IT): ("east.lose-child west.rekey w1", "N(CHILD_SA_NOT_FOUND)"),
    (Asked.REKEY_CHILD, Busy.AWAITING_ONE): ("east.create e1 west.rekey-second w2", TEMPORARY),
    (Asked.CLOSE_CHILD, Busy.CLOSING_IT): (f"{CLOSES} west.delete w1", ""),
    (Asked.CLOSE_CHILD, Busy.REKEYING_IT): (f"{REKEYS_IT} west.delete w1", "D"),
    (Asked.CLOSE_CHILD, Busy.WITHOUT_IT): ("east.lose-child west.delete w1", ""),
    (Asked.REKEY_IKE, Busy.WITH_A_CHILD): (f"{REKEYS_IT} west.rekey-ike w1", TEMPORARY),
    (Asked.REKEY_IKE, Busy.REKEYING_IKE): (f"{REKEYS_IKE} west.rekey-ike w1", "SA Nonce KE"),
    (Asked.REKEY_IKE, Busy.CLOSING_IKE): (f"{CLOSES_IKE} west.rekey-ike w1", TEMPORARY),
    (Asked.CLOSE_IKE, Busy.REKEYING_IKE): (f"{REKEYS_IKE} west.delete-ike w1", ""),
    (Asked.CLOSE_IKE, Busy.CLOSING_IKE): (f"{CLOSES_IKE} west.delete-ike w1", ""),
    (Asked.NEW_CHILD, Busy.REKEYING_IKE): (f"{REKEYS_IKE} west.create w1", TEMPORARY),
    (Asked.REKEY_CHILD, Busy.REKEYING_IKE): (f"{REKEYS_IKE} west.rekey w1", TEMPORARY),
    (Asked.CLOSE_CHILD, Busy.REKEYING_IKE): (f"{REKEYS_IKE} west.delete w1", "D"),
    (Asked.NEW_CHILD, Busy.CLOSING_IKE): (f"{CLOSES_IKE} west.create w1", TEMPORARY),
    (Asked.REKEY_CHILD, Busy.CLOSING_IKE): (f"{CLOSES_IKE} west.rekey w1", TEMPORARY),
}
"""What east is at, west's request, and the payloads of the answer."""


@pytest.mark.conf("IK2-73", "IK2-74")
@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule[0].value}, peer {rule[1].value}")
def test_a_request_is_answered_by_the_rule_for_what_we_are_at(rule, is_mirrored):
    words, payloads = CASES[rule]
    crossing = Crossing(is_mirrored=is_mirrored)
    for word in words.split():
        crossing.say(word)
    (answer,) = (each for each in crossing.told("east", IkeMessageSent) if each.is_response)
    assert " ".join(answer.payloads) == payloads
    crossing.rest()
    assert_at_rest(crossing)
