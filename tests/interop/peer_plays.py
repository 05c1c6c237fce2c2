"""Who the peer is over time: it forgets and comes back, or both ends begin at once."""

import asyncio
import re

from ipsecsim.ike.events import (
    ChildRekeyed,
    DuplicatesEnded,
    IkeMessageReceived,
    IkeMessageSent,
    IkeRekeyed,
    InitiationsCrossed,
    NatDetected,
)
from tests.interop import masquerade
from tests.interop.lab import Lab
from tests.interop.plays import agree, both_ways, bring_up, ping_peer, ping_us, we_say_goodbye

CONTACT = "N(INITIAL_CONTACT)"
FAREWELL = re.compile("generating INFORMATIONAL request .* D .*sending packet", re.DOTALL)


async def comes_back(lab: Lab) -> None:
    """Whoever began loses its memory and begins again; the other one is left with the new IKE SA alone."""
    with lab.step("IKE_SA and CHILD_SA"):
        await bring_up(lab)
    with lab.step("forgotten, and back with INITIAL_CONTACT"):
        if lab.case.role == "initiator":
            lab.gateway.driver.turn("script", lambda: lab.gateway.ike.forget())
            lab.gateway.initiate("net")
            await lab.until(lambda: lab.gateway.is_up("net"), "our new SAs")
            assert any(CONTACT in sent.payloads for sent in lab.seen(IkeMessageSent))
            assert "received INITIAL_CONTACT" in lab.charon.log_text()
        else:
            lab.unplug()
            await lab.charon.forget()
            await lab.until(lambda: FAREWELL.search(lab.charon.log_text()), "charon's DELETE to be lost")
            lab.plug()
            (await lab.charon.initiate()).check()
            await lab.until(lambda: len(lab.gateway.ike.sas) == 1, "the old one to go")
            (ended,) = lab.seen(DuplicatesEnded)
            assert ended.is_forgotten
    with lab.step("one IKE SA remains, and pings pass"):
        await agree(lab)
        await both_ways(lab)
    with lab.step("DELETE by us"):
        await we_say_goodbye(lab)


async def begun_at_once(lab: Lab) -> None:
    """Charon keeps both; we delete the one that we began when it was made with the lowest nonce."""
    with lab.step("each end has begun before it has heard of the other"):
        held = lab.hold()
        lab.gateway.initiate("net")
        asked = asyncio.create_task(lab.charon.initiate())
        await lab.until(lambda: len(held) == 2, "our request, and our answer to charon's")
        lab.release(held)
        (await asked).check()
    with lab.step("what stands is the same at both ends, and pings pass"):
        await lab.until(lambda: len(lab.seen(InitiationsCrossed)) == 1, "the second of them to stand")
        (crossed,) = lab.seen(InitiationsCrossed)
        await lab.until(
            lambda: not lab.gateway.ike.is_busy and len(lab.gateway.ike.sas) == 1 + crossed.is_ours_kept,
            "our own one to go",
        )
        ours = {(sa.spi_i.hex(), sa.spi_r.hex()) for sa in lab.gateway.ike.sas}
        await lab.until_charon(
            lambda sas: {(sa["initiator-spi"], sa["responder-spi"]) for sa in sas} == ours,
            "charon to have the same",
        )
        await both_ways(lab)


async def made_childless(lab: Lab) -> None:
    """IKE_AUTH holds no child; it comes by CREATE_CHILD_SA (RFC 6023)."""
    with lab.step("IKE_AUTH without SA, TSi and TSr"):
        if lab.case.role == "initiator":
            lab.gateway.initiate("net")
            side = IkeMessageSent
        else:
            asked = asyncio.create_task(lab.charon.initiate())
            side = IkeMessageReceived
        await lab.until(lambda: bool(lab.seen(side, exchange="IKE_AUTH", is_response=False)), "IKE_AUTH")
        (request,) = lab.seen(side, exchange="IKE_AUTH", is_response=False)
        assert not {"SA", "TSi", "TSr"} & set(request.payloads)
    with lab.step("the child by CREATE_CHILD_SA"):
        if lab.case.role == "responder":
            (await asked).check()
        await lab.until(lambda: lab.gateway.is_up("net"), "our SAs")
        assert lab.seen(side, exchange="CREATE_CHILD_SA", is_response=False)
        await agree(lab)
    with lab.step("pings both ways"):
        await both_ways(lab)
    with lab.step("DELETE by us"):
        await we_say_goodbye(lab)


async def masqueraded(lab: Lab) -> None:
    """A kernel between us translates our address and port: both ends find out, and go on in UDP on 4500."""
    with lab.step("NAT found, IKE_SA and CHILD_SA on port 4500"):
        await bring_up(lab)
        (nat,) = lab.seen(NatDetected)
        assert nat.we_are_behind  # kernel-libipsec says that it is behind one wherever it is
        (ours,) = lab.gateway.ike.sas
        assert (ours.path.local_port, ours.path.remote_port) == (4500, 4500)
        (theirs,) = await lab.charon.sas()
        assert theirs["remote-host"] == masquerade.OUTSIDE
        assert theirs["nat-remote"] == "yes"
    with lab.step("pings both ways, ESP in UDP through the box"):
        await ping_peer(lab, 0, 56, 1300)
        await ping_us(lab, 16, 56, 1300)
    with lab.step("new keys for the child and for the IKE SA"):
        lab.gateway.rekey("net")
        await lab.until(lambda: bool(lab.seen(ChildRekeyed)) and not lab.gateway.ike.is_busy, "a new child")
        lab.gateway.rekey_ike("net")
        await lab.until(lambda: bool(lab.seen(IkeRekeyed)) and not lab.gateway.ike.is_busy, "a new IKE SA")
        await agree(lab)
        await both_ways(lab)
    with lab.step("DELETE by us"):
        await we_say_goodbye(lab)
