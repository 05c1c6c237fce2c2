"""Large IKE messages between us and a charon: who cuts, who puts together, and what a lost fragment costs."""

from ipsecsim.base.instant import SECOND
from ipsecsim.ike.events import MessageRetransmitted
from ipsecsim.ike.fragment_events import (
    IkeFragmentSizeLowered,
    IkeFragmentsJoined,
    IkeFragmentStored,
    IkeMessageCut,
)
from ipsecsim.ipsec.actions import SendDatagram
from tests.interop.lab import Lab
from tests.interop.plays import bring_up, ping_peer, we_say_goodbye

NARROW = 1300
AROUND = 32  # IPv4, UDP and the marker of port 4500


async def fragments_both_ways(lab: Lab) -> None:
    """Certificates are too large for one datagram on both sides; ours are as small as we were told."""
    with lab.step("IKE_AUTH in fragments both ways"):
        await bring_up(lab)
        (cut,), (joined,) = lab.seen(IkeMessageCut), lab.seen(IkeFragmentsJoined)
        assert isinstance(cut, IkeMessageCut)
        assert isinstance(joined, IkeFragmentsJoined)
        assert cut.largest + AROUND <= (lab.case.fragment_size or 576)
        assert f"EF({cut.fragments}/{cut.fragments})" in lab.charon.log_text()
        assert f"EF({joined.total}/{joined.total})" in lab.charon.log_text()
        assert min(cut.fragments, joined.total) > 2
    with lab.step("ping"):
        await ping_peer(lab, 56)
    with lab.step("DELETE by us, in one piece"):
        await we_say_goodbye(lab)
        assert len(lab.seen(IkeMessageCut)) == 1


async def no_fragments(lab: Lab) -> None:
    """One side does not want them: nobody cuts, and the certificates get through in IP fragments or whole."""
    with lab.step("IKE_AUTH in one piece both ways"):
        await bring_up(lab)
        assert not lab.seen(IkeMessageCut)
        assert not lab.seen(IkeFragmentStored)
        assert "EF(" not in lab.charon.log_text()


async def lost_fragment(lab: Lab) -> None:
    """Our second fragment is lost once: all of them go again, and charon takes the one that it lacks."""
    send = lab.gateway.driver.performers[SendDatagram]
    sent: list[SendDatagram] = []

    def lossy(action: SendDatagram) -> object:
        sent.append(action)
        is_second = len(sent) == 4  # IKE_SA_INIT, then the fragments
        return [] if is_second else send(action)

    lab.gateway.driver.performers[SendDatagram] = lossy  # type: ignore[assignment]
    with lab.step("a lost fragment is sent again with the others"):
        lab.gateway.initiate("net")
        await lab.until(lambda: lab.gateway.is_up("net"), "our SAs", within=8 * SECOND)
        assert lab.seen(MessageRetransmitted)
        assert "received duplicate fragment #1" in lab.charon.log_text()
    with lab.step("ping"):
        await ping_peer(lab, 56)


async def narrow_path(lab: Lab) -> None:
    """What is larger than 1300 bytes never gets to charon, which has the rest: then come more, smaller ones."""
    send = lab.gateway.driver.performers[SendDatagram]

    def narrow(action: SendDatagram) -> object:
        return [] if len(action.payload) + AROUND > NARROW else send(action)

    lab.gateway.driver.performers[SendDatagram] = narrow  # type: ignore[assignment]
    with lab.step("a request without an answer is cut into more fragments"):
        lab.gateway.initiate("net")
        await lab.until(lambda: lab.gateway.is_up("net"), "our SAs", within=8 * SECOND)
        (lowered,) = lab.seen(IkeFragmentSizeLowered)
        assert isinstance(lowered, IkeFragmentSizeLowered)
        (before,) = lab.seen(IkeMessageCut)
        assert isinstance(before, IkeMessageCut)
        assert lowered.size == 1280
        assert lowered.fragments > before.fragments > 1
        log = lab.charon.log_text()
        for total in (before.fragments, lowered.fragments):
            assert f"EF({total}/{total})" in log
    with lab.step("ping"):
        await ping_peer(lab, 56)
