"""What is tried on an SA, step by step."""

from ipsecsim.ipsec.association import Direction, SecurityAssociation
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.wire import ip
from tests.interop.kernel import xfrm
from tests.interop.kernel.case import ITS_SPI, OUR_SPI
from tests.interop.kernel.lab import Lab
from tests.interop.kernel.wire import arrives

WE_ASK, IT_ASKS = "we ask", "it asks"
QUIET = "-W 0.1"  # for a ping that gets no answer


def traffic(lab: Lab) -> None:
    """Pings both ways: each crosses the SA in both directions."""
    with lab.step(WE_ASK, "pings of 56, 57, 1000 bytes"):
        lab.we_ping(56, 57, 1000)
        lab.all_protected()
    with lab.step(IT_ASKS, "3 pings of 999 bytes"):
        lab.it_pings(999)
        lab.all_protected()


# -- what must not get through --------------------------------------------------------------------


def we_misbehave(lab: Lab) -> None:
    """The kernel counts each kind of bad packet of ours under its own name."""
    wire, sa = lab.wire, _ours(lab, Direction.OUTBOUND)
    with lab.step(WE_ASK, "late, inside the window: accepted"):
        late = _held_back(lab)
        lab.we_ping(56)
        wire.give(late)
        lab.until(lambda: len(wire.received) == 2, "an answer to the late one")
        lab.all_protected()
    with lab.step(WE_ASK, "replayed: XfrmInStateSeqError"):
        wire.give(late)
        lab.until_counted(XfrmInStateSeqError=1)
    with lab.step(WE_ASK, "left of the window: XfrmInStateSeqError"):
        late = _held_back(lab)
        sa.sequence += xfrm.REPLAY_WINDOW
        lab.we_ping(56)
        wire.give(late)
        lab.until_counted(XfrmInStateSeqError=2)
    with lab.step(WE_ASK, "bad ICV: XfrmInStateProtoError"):
        good = _held_back(lab)
        wire.give(_spoilt(good))
        lab.until_counted(XfrmInStateSeqError=2, XfrmInStateProtoError=1)
    with lab.step(WE_ASK, "the same with its good ICV: accepted"):
        wire.give(good)
        lab.until(lambda: len(wire.received) == 4, "an answer to the good one")
    with lab.step(WE_ASK, "unknown SPI: XfrmInNoStates"):
        wire.give(_held_back(lab).replace(OUR_SPI.to_bytes(4, "big"), bytes(3) + b"\xff", 1))
        lab.until_counted(XfrmInStateSeqError=2, XfrmInStateProtoError=1, XfrmInNoStates=1)
    with lab.step(WE_ASK, "in clear: XfrmInTmplMismatch"):
        (policy,) = (each for each in lab.ours.gateway.ipsec.spd.policies if each.name == "kernel")
        lab.ours.gateway.ipsec.spd.replace([Policy("clear", PolicyAction.BYPASS, policy.selectors)])
        lab.begin_ping()
        lab.until_counted(
            XfrmInStateSeqError=2, XfrmInStateProtoError=1, XfrmInNoStates=1, XfrmInTmplMismatch=1
        )
    with lab.step(WE_ASK, "none of it was answered"):
        assert len(wire.received) == 4


def it_misbehaves(lab: Lab) -> None:
    """Packets of the kernel that are bad, or become so on the way, are dropped here, each for its reason."""
    wire = lab.wire
    with lab.step(IT_ASKS, "replayed: REPLAY_SEEN"):
        lab.it_pings()
        wire.receive(wire.received[-1])
        lab.until_dropped(REPLAY_SEEN=1)
    with lab.step(IT_ASKS, "left of the window: REPLAY_OLD"):
        first = wire.received[0]
        lab.it_pings(count=xfrm.REPLAY_WINDOW)
        wire.receive(first)
        lab.until_dropped(REPLAY_SEEN=1, REPLAY_OLD=1)
    with lab.step(IT_ASKS, "bad ICV: ICV_FAIL"):
        wire.on_the_way_here = _spoilt
        lab.it_pings(count=1, words=QUIET, must_succeed=False)
        lab.until_dropped(REPLAY_SEEN=1, REPLAY_OLD=1, ICV_FAIL=1)
        wire.on_the_way_here = arrives
    with lab.step(IT_ASKS, "the SA still works"):
        lab.it_pings()
    with lab.step(IT_ASKS, "in clear: INBOUND_CLEAR_PROTECTED"):
        lab.order("ip xfrm policy flush")
        lab.it_pings(count=1, words=QUIET, must_succeed=False)
        lab.until_dropped(REPLAY_SEEN=1, REPLAY_OLD=1, ICV_FAIL=1, INBOUND_CLEAR_PROTECTED=1)
    with lab.step(IT_ASKS, "unknown SPI: NO_SA"):
        lab.order(xfrm.association(lab.case))
        gateway = lab.ours.gateway
        lab.ours.do(gateway, lambda: gateway.ipsec.remove(Direction.INBOUND, ITS_SPI))
        lab.it_pings(count=1, words=QUIET, must_succeed=False)
        lab.until_dropped(REPLAY_SEEN=1, REPLAY_OLD=1, ICV_FAIL=1, INBOUND_CLEAR_PROTECTED=1, NO_SA=1)


def _ours(lab: Lab, direction: Direction) -> SecurityAssociation:
    (found,) = (sa for sa in lab.ours.gateway.ipsec.sad.all() if sa.parameters.direction is direction)
    return found


def _held_back(lab: Lab) -> bytes:
    """The packet of one ping of ours, which does not arrive."""
    held: list[bytes] = []
    lab.wire.on_the_way_there = held.append
    lab.begin_ping()
    lab.until(lambda: bool(held), "a packet of ours")
    lab.wire.on_the_way_there = arrives
    return held[0]


def _spoilt(packet: bytes) -> bytes:
    """One bit of the last byte is wrong: of ESP's ICV, or of what AH protects."""
    return packet[:-1] + bytes([packet[-1] ^ 1])


# -- fragments ------------------------------------------------------------------------------------


def outer_fragments(lab: Lab) -> None:
    """The packet fits, and with ESP or AH around it no longer: what is cut is the outer packet."""
    size = 1500 - ip_and_icmp_header(lab)
    with lab.step(WE_ASK, "a ping of 1500 bytes: fragments of the outer packet"):
        lab.we_ping(size)
        assert any(ip.is_fragment(packet) for packet in lab.wire.sent), "nothing was cut"
        lab.all_protected()
    with lab.step(IT_ASKS, "a ping of 1500 bytes: fragments of the outer packet"):
        lab.it_pings(size, words="-M dont")
        assert any(ip.is_fragment(packet) for packet in lab.wire.received), "nothing was cut"
        lab.all_protected()


def inner_fragments(lab: Lab) -> None:
    """The packet is cut before it comes to the gateway: each piece has a packet of its own around it."""
    size = 3000
    with lab.step(WE_ASK, "a ping of 3000 bytes, cut by the sender"):
        lab.we_ping(size)
        lab.all_protected()
        assert len(lab.wire.sent) > 2, f"{len(lab.wire.sent)} packets"
    with lab.step(IT_ASKS, "a ping of 3000 bytes, cut by the sender"):
        lab.it_pings(size, count=1)
        lab.all_protected()


def ip_and_icmp_header(lab: Lab) -> int:
    return (20 if lab.case.inner == 4 else 40) + 8
