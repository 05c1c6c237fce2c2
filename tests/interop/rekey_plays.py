"""What is said after the handshake: further children, new keys, crossed exchanges, a peer that is gone."""

import asyncio
from collections.abc import Awaitable, Callable

from ipsecsim.emulation.vici_text import Table
from ipsecsim.ike.events import (
    ChildRekeyed,
    IkeMessageReceived,
    IkeRekeyed,
    PeerUnresponsive,
    RekeyCollided,
)
from tests.interop.lab import Lab
from tests.interop.plays import (
    IN_TIME,
    agree,
    both_ways,
    bring_up,
    has_one,
    living,
    nothing_left,
    ping_peer,
    ping_us,
)


async def we_rekey_the_child(lab: Lab) -> None:
    lab.gateway.rekey("net")


async def charon_rekeys_the_child(lab: Lab) -> None:
    await lab.charon.rekey_child()


async def we_rekey_the_ike_sa(lab: Lab) -> None:
    lab.gateway.rekey_ike("net")


async def charon_rekeys_the_ike_sa(lab: Lab) -> None:
    await lab.charon.rekey_ike()


async def rekeyed(lab: Lab, ask: Callable[[Lab], Awaitable[None]], kind: type, *, by_peer: bool) -> None:
    """Whatever gets new keys: afterwards there is one of it, another one than before, and packets pass."""
    before = facts(lab)
    done = len(lab.seen(kind, by_peer=by_peer))
    await ask(lab)
    await lab.until(lambda: len(lab.seen(kind, by_peer=by_peer)) > done, "a successor", within=IN_TIME)
    await lab.until(lambda: is_at_rest(lab), "the old one to go", within=IN_TIME)
    await agree(lab)
    ike_before, child_before = before
    ike, child = facts(lab)
    assert (ike == ike_before, child == child_before) == (kind is ChildRekeyed, kind is IkeRekeyed)
    await both_ways(lab)


def facts(lab: Lab) -> tuple[set[bytes], set[int]]:
    """The IKE SAs and ESP SAs that stand on our side."""
    return {sa.spi_i for sa in lab.gateway.ike.sas}, {sa.spi for sa in lab.gateway.ipsec.sad.all()}


def is_at_rest(lab: Lab) -> bool:
    """One IKE SA, no request under way."""
    return len(lab.gateway.ike.sas) == 1 and not lab.gateway.ike.is_busy


async def child_rekeyed(lab: Lab) -> None:
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("CHILD_SA rekeyed by us"):
        await rekeyed(lab, we_rekey_the_child, ChildRekeyed, by_peer=False)
    with lab.step("CHILD_SA rekeyed by charon"):
        await rekeyed(lab, charon_rekeys_the_child, ChildRekeyed, by_peer=True)
    with lab.step("and once more by us"):
        await rekeyed(lab, we_rekey_the_child, ChildRekeyed, by_peer=False)


async def ike_rekeyed(lab: Lab) -> None:
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("IKE_SA rekeyed by us"):
        await rekeyed(lab, we_rekey_the_ike_sa, IkeRekeyed, by_peer=False)
    with lab.step("IKE_SA rekeyed by charon"):
        await rekeyed(lab, charon_rekeys_the_ike_sa, IkeRekeyed, by_peer=True)
    with lab.step("its child rekeyed by both"):
        await rekeyed(lab, we_rekey_the_child, ChildRekeyed, by_peer=False)
        await rekeyed(lab, charon_rekeys_the_child, ChildRekeyed, by_peer=True)


async def crossed_child_rekeys(lab: Lab) -> None:
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    for number in range(1, 5):
        with lab.step(f"CHILD_SA rekeyed by both at once, {number}"):
            await crossed(lab, lambda: lab.gateway.rekey("net"), lab.charon.rekey_child)
            assert len(lab.seen(RekeyCollided)) == number


async def crossed_ike_rekeys(lab: Lab) -> None:
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    for number in range(1, 5):
        with lab.step(f"IKE_SA rekeyed by both at once, {number}"):
            await crossed(lab, lambda: lab.gateway.rekey_ike("net"), lab.charon.rekey_ike)
            assert len(lab.seen(RekeyCollided)) == number


async def crossed(lab: Lab, ours: Callable[[], None], charons: Callable[[], Awaitable[None]]) -> None:
    """Each side asks before it has heard the other's request; what stands in the end is the same on both."""
    requests = {"exchange": "CREATE_CHILD_SA", "is_response": False}
    answers = {"exchange": "CREATE_CHILD_SA", "is_response": True}
    asked, answered = (
        len(lab.seen(IkeMessageReceived, **requests)),
        len(lab.seen(IkeMessageReceived, **answers)),
    )
    held = lab.hold()
    ours()
    await charons()
    await lab.until(lambda: len(lab.seen(IkeMessageReceived, **requests)) > asked, "charon's request")
    # one at a time: 5.9.8 throws an answer away while it works on a request with the same message ID, and may
    # overtake an answer by the DELETE that follows
    lab.let_one_through(held)
    await lab.until(lambda: len(lab.seen(IkeMessageReceived, **answers)) > answered, "charon's answer")
    await asyncio.sleep(0.05)  # its thread is not done with the request when the answer is out
    lab.let_one_through(held)
    await asyncio.sleep(0.1)
    lab.release(held)
    await lab.until(lambda: is_at_rest(lab), "the redundant one to go", within=IN_TIME)
    await agree(lab)
    await both_ways(lab)


async def crossed_deletes(lab: Lab) -> None:
    """What one side deletes while the other rekeys or deletes it is gone on both (RFC 7296 2.25)."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("CHILD_SA rekeyed by us, deleted by charon"):
        await at_once(lab, lambda: lab.gateway.rekey("net"), lab.charon.terminate_child)
        await no_child(lab)
    with lab.step("another CHILD_SA, deleted by both"):
        lab.gateway.initiate("net")
        await lab.until(lambda: lab.gateway.is_up("net"), "our SAs")
        await agree(lab)
        await at_once(lab, lambda: lab.gateway.terminate_child("net"), lab.charon.terminate_child)
        await no_child(lab)
    with lab.step("IKE_SA rekeyed by us, deleted by charon"):
        lab.gateway.initiate("net")
        await lab.until(lambda: lab.gateway.is_up("net"), "our SAs")
        await at_once(lab, lambda: lab.gateway.rekey_ike("net"), lab.charon.terminate)
        await nothing_left(lab)
    with lab.step("another IKE_SA, deleted by both"):
        await bring_up(lab)
        await at_once(lab, lambda: lab.gateway.terminate("net"), lab.charon.terminate)
        await nothing_left(lab)


async def at_once(lab: Lab, ours: Callable[[], None], charons: Callable[[], Awaitable[object]]) -> None:
    """Each side asks before it has heard the other's request."""
    asked = len(lab.seen(IkeMessageReceived, is_response=False))
    held = lab.hold()
    ours()
    asking = asyncio.ensure_future(charons())
    await lab.until(lambda: len(lab.seen(IkeMessageReceived, is_response=False)) > asked, "charon's request")
    lab.let_one_through(held)
    await asyncio.sleep(0.05)  # of two datagrams at one instant, charon's threads now and then lose one
    lab.release(held)
    await asking


async def no_child(lab: Lab) -> None:
    """The IKE SA stands, and has no child on either side."""
    await lab.until(lambda: is_at_rest(lab) and not lab.gateway.ipsec.sad.all(), "our child to go")
    await children_of(lab, 0)


async def second_child(lab: Lab) -> None:
    """Another Child SA on the same IKE SA, without handshake (RFC 7296 1.3.1)."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("a second CHILD_SA"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("second")
            await lab.until(lambda: lab.gateway.is_up("second"), "our SAs")
        else:
            (await lab.charon.initiate("second")).check()
        children = await children_of(lab, 2)
        spis = {f"{sa.spi:08x}" for sa in lab.gateway.ipsec.sad.all()}
        assert spis == {str(child[name]) for child in children for name in ("spi-in", "spi-out")}
        assert len(lab.gateway.ike.sas) == 1
        await both_ways(lab)
    with lab.step("the IKE_SA rekeyed, both move"):
        lab.gateway.rekey_ike("net")
        await lab.until(lambda: bool(lab.seen(IkeRekeyed)) and is_at_rest(lab), "a successor")
        await children_of(lab, 2)
    with lab.step("DELETE by us"):
        lab.gateway.terminate("net")
        await nothing_left(lab)


async def children_of(lab: Lab, count: int) -> list[Table]:
    """The children of charon's one IKE SA, once so many are up."""
    what = f"one IKE SA with {count} children"
    (ike,) = await lab.until_charon(lambda sas: has_one(sas, children=count), what)
    return living(ike)


async def dead_peer(lab: Lab) -> None:
    """One side is gone without a word; the other finds out (RFC 7296 2.4)."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    if lab.case.dpd_delay:
        with lab.step("charon falls silent, we find out"):
            lab.unplug()
            await lab.until(lambda: bool(lab.seen(PeerUnresponsive)), "no answer", within=IN_TIME)
            assert not lab.gateway.ike.sas
            assert not lab.gateway.ipsec.sad.all()
    else:
        with lab.step("we fall silent, charon finds out"):
            lab.hold()
            await lab.until_charon(lambda sas: not sas, "no answer", within=IN_TIME)
            questions = {"exchange": "INFORMATIONAL", "is_response": False}
            assert lab.seen(IkeMessageReceived, **questions)


async def algorithms(lab: Lab) -> None:
    """A family of algorithms: handshake, packets both ways, new keys for the child and for the IKE SA."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
        assert lab.gateway.ike.sas[0].suite.words == lab.case.ike
    with lab.step("ping both ways"):
        await ping_peer(lab, 0, 56, 57, 1200)
        await ping_us(lab, 16, 57, 1200)
    with lab.step("CHILD_SA rekeyed by us"):
        await rekeyed(lab, we_rekey_the_child, ChildRekeyed, by_peer=False)
    with lab.step("IKE_SA rekeyed by charon"):
        await rekeyed(lab, charon_rekeys_the_ike_sa, IkeRekeyed, by_peer=True)
