"""An address changes while the SAs live (RFC 4555): ours, or charon's."""

from ipsecsim.base.address import pack
from ipsecsim.ike.events import IkeMessageReceived, IkeMessageSent
from ipsecsim.ike.mobility_events import MobikeAgreed, RoutabilityChecked
from tests.interop.lab import OUR_ADDRESS, OUR_OTHER, PEER_ADDRESS, PEER_OTHER, Lab
from tests.interop.plays import (
    IN_TIME,
    agree,
    both_ways,
    bring_up,
    has_one,
    ping_peer,
    ping_us,
    we_say_goodbye,
)

UPDATE = "N(UPDATE_SA_ADDRESSES)"


async def we_move(lab: Lab) -> None:
    """If we began, we decide and charon follows; else we say at which address we are, and charon decides."""
    await together(lab)
    with lab.step("our address goes, and we with another one"):
        lab.lose(f"{OUR_ADDRESS}/24")
        lab.gateway.move(pack(OUR_OTHER))
        # when we decide, the first answer does, whichever of its addresses it came from
        await settled(lab, [OUR_OTHER], [PEER_ADDRESS, PEER_OTHER])
        if lab.case.role == "initiator":
            # 5.9.8 sends none for our sake: it takes our address from the header, and rekeys the child
            updated(lab)
    await packets_pass(lab)


async def charon_moves(lab: Lab) -> None:
    """If charon began, it decides and we follow; else it says at which address it is, and we decide."""
    await together(lab)
    with lab.step("charon's address goes, and charon with another one"):
        await lab.charon_loses(f"{PEER_ADDRESS}/24")
        # when we decide, whichever of our addresses has the first answer
        await settled(lab, [OUR_ADDRESS, OUR_OTHER], [PEER_OTHER])
        updated(lab)
    if lab.case.role == "responder":
        with lab.step("our SAs came after it only when our cookie had come back"):
            assert [event.is_good for event in lab.seen(RoutabilityChecked)] == [True]
    await packets_pass(lab)


async def together(lab: Lab) -> None:
    """Who began the IKE SA decides about addresses."""
    with lab.step("IKE_SA and CHILD_SA, both speak MOBIKE"):
        await bring_up(lab)
        assert [event.we_decide for event in lab.seen(MobikeAgreed)] == [lab.case.role == "initiator"]
        await ping_us(lab)
        await ping_peer(lab)


def updated(lab: Lab) -> None:
    """The side that decides has sent UPDATE_SA_ADDRESSES."""
    kind = IkeMessageSent if lab.case.role == "initiator" else IkeMessageReceived
    assert any(UPDATE in event.payloads for event in lab.seen(kind, is_response=False))


async def packets_pass(lab: Lab) -> None:
    with lab.step("both list the same SAs, which carry packets both ways"):
        await agree(lab)
        await both_ways(lab)
    with lab.step("DELETE by us"):
        await we_say_goodbye(lab)


async def settled(lab: Lab, ours: list[str], peers: list[str]) -> None:
    """Both list one of these addresses for each end of the IKE SA, and our ESP SAs go between them."""
    ways = [{pack(own), pack(peer)} for own in ours for peer in peers]
    await lab.until(
        lambda: (
            not lab.gateway.ike.is_busy
            and all(
                {sa.parameters.source, sa.parameters.destination} in ways
                for sa in lab.gateway.ipsec.sad.all()
            )
        ),
        "our SAs to move",
        within=IN_TIME,
    )
    await lab.until_charon(
        lambda sas: (
            has_one(sas, children=1) and sas[0]["local-host"] in peers and sas[0]["remote-host"] in ours
        ),
        "charon's IKE SA to move",
    )
