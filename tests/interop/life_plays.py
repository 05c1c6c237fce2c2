"""Lifetimes that run out with a charon at the other end: nobody asks, and yet there are new keys, new proofs."""

from ipsecsim.base.instant import SECOND
from ipsecsim.ike.config import HalfOpenLimits
from ipsecsim.ike.events import ChildRekeyed, IkeRekeyed, PeerAuthenticated, ReauthenticationBegan
from ipsecsim.ipsec.lifetime import Lifetime, Limits
from ipsecsim.ipsec.options import SaOptions
from tests.interop.lab import Case, Lab, Play
from tests.interop.plays import IN_TIME, agree, both_ways, bring_up, ping_peer
from tests.interop.rekey_plays import facts, is_at_rest

TWICE = 2


async def comes(lab: Lab, kind: type, *, by_peer: bool) -> None:
    """Wait, with a little traffic, for new keys that nobody asks for by hand."""
    before = facts(lab)
    for _ in range(20):
        await ping_peer(lab, 500)
        if lab.seen(kind, by_peer=by_peer):
            break
        await lab.gateway.driver.until(lambda: bool(lab.seen(kind, by_peer=by_peer)), within=SECOND // 4)
    assert lab.seen(kind, by_peer=by_peer), "no new keys in time"
    await lab.until(lambda: is_at_rest(lab), "the old one to go", within=IN_TIME)
    await agree(lab)
    ike, child = facts(lab)
    assert (ike == before[0], child == before[1]) == (kind is ChildRekeyed, kind is IkeRekeyed)
    await both_ways(lab)


def grows_old(what: str, kind: type, *, by_peer: bool) -> Play:
    """A play in which a limit of one side, and nothing else, makes new keys."""

    async def play(lab: Lab) -> None:
        with lab.step("IKE_SA and CHILD_SA"):
            await bring_up(lab)
        with lab.step(what):
            await comes(lab, kind, by_peer=by_peer)

    return play


OUR_CHILD = grows_old("our limit gives the CHILD_SA new keys", ChildRekeyed, by_peer=False)
CHARONS_CHILD = grows_old("charon's limit gives the CHILD_SA new keys", ChildRekeyed, by_peer=True)
OUR_IKE_SA = grows_old("our limit replaces the IKE_SA", IkeRekeyed, by_peer=False)
CHARONS_IKE_SA = grows_old("charon's limit replaces the IKE_SA", IkeRekeyed, by_peer=True)


async def proofs_grow_old(lab: Lab) -> None:
    """Whoever's time it is makes a new IKE SA from scratch (RFC 7296 2.8.3)."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    before = facts(lab)
    with lab.step("both prove themselves anew"):
        await lab.until(lambda: len(lab.seen(PeerAuthenticated)) == TWICE, "a second proof", within=IN_TIME)
        await lab.until(lambda: is_at_rest(lab), "the old IKE SA to go", within=IN_TIME)
        assert bool(lab.seen(ReauthenticationBegan)) is bool(lab.case.our_times)
        await agree(lab)
        assert not facts(lab)[0] & before[0]
        assert not facts(lab)[1] & before[1]
        await both_ways(lab)


def _soft(**limits: int) -> dict[str, object]:
    return {"options": SaOptions(lifetime=Lifetime(Limits(**limits), Limits(duration=60 * SECOND)))}


LIVES = (
    *(
        Case(f"our child's {what}", "initiator", OUR_CHILD, our_child=_soft(**limits))
        for what, limits in (
            ("time", {"duration": 2 * SECOND}),
            ("bytes", {"octets": 2000}),
            ("packets", {"packets": 4}),
        )
    ),
    Case(
        "charon's child's time",
        "responder",
        CHARONS_CHILD,
        child_options={"rekey_time": "2s", "life_time": "60s", "rand_time": "0s"},
    ),
    Case(
        "our IKE SA's time",
        "initiator",
        OUR_IKE_SA,
        our_times={"rekey_time": 2 * SECOND, "over_time": 10 * SECOND},
    ),
    Case(
        "charon's IKE SA's time",
        "responder",
        CHARONS_IKE_SA,
        options={"rekey_time": "2s", "over_time": "10s", "rand_time": "0s"},
    ),
    Case(
        "our proofs' time",
        "initiator",
        proofs_grow_old,
        our_times={"reauth_time": 2 * SECOND, "over_time": 10 * SECOND},
    ),
    *(
        Case(
            f"charon's proofs' time, {order}",
            "responder",
            proofs_grow_old,
            limits=HalfOpenLimits(),
            options={"reauth_time": "2s", "over_time": "10s", "rand_time": "0s"},
            settings={"make_before_break": how},
        )
        for order, how in (("make before break", "yes"), ("break before make", "no"))
    ),
)
"""What runs out, and who notices."""
