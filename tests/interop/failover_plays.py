"""We are a standby that takes over an IKE SA, and charon is its peer (RFC 6311)."""

from ipsecsim.ike.events import ChildRekeyed
from ipsecsim.ike.sync_events import MessageIdsSynchronised
from tests.interop.lab import Lab
from tests.interop.plays import IN_TIME, both_ways, bring_up
from tests.interop.rekey_plays import charon_rekeys_the_child, rekeyed, we_rekey_the_child


async def we_take_over(lab: Lab) -> None:
    """What the member before us said and heard last we do not know."""
    with lab.step("IKE_SA and CHILD_SA, both can synchronise"):
        await bring_up(lab)
        (sa,) = lab.gateway.ike.sas
        assert sa.sync.is_agreed
    with lab.step("CHILD_SA rekeyed by both"):
        await rekeyed(lab, we_rekey_the_child, ChildRekeyed, by_peer=False)
        await rekeyed(lab, charon_rekeys_the_child, ChildRekeyed, by_peer=True)
    with lab.step("message IDs agreed on anew"):
        heard = sa.window.expected_request
        sa.window.skip_to(sa.window.next_request - 1, heard - 1)
        lab.gateway.synchronise("net")
        await lab.until(lambda: bool(lab.seen(MessageIdsSynchronised, by_peer=False)), "an answer", IN_TIME)
        assert sa.window.expected_request == heard
    with lab.step("CHILD_SA rekeyed by both again"):
        await rekeyed(lab, we_rekey_the_child, ChildRekeyed, by_peer=False)
        await rekeyed(lab, charon_rekeys_the_child, ChildRekeyed, by_peer=True)
        await both_ways(lab)
