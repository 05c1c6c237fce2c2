"""What is tried on an SA, step by step."""

from ipsecsim.ipsec.association import Direction, Mode, SecurityAssociation
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.wire import ip
from ipsecsim.wire.numbers import IpProtocol
from tests.interop.kernel import xfrm
from tests.interop.kernel.case import ITS_SPI, NO_SPI, OUR_SPI
from tests.interop.kernel.lab import Lab
from tests.interop.kernel.wire import arrives

WE_ASK, IT_ASKS = "we ask", "it asks"


def traffic(lab: Lab) -> None:
    """Pings both ways: each crosses the SA in both directions."""
    with lab.step(WE_ASK, "pings of 56, 57, 1000 bytes"):
        lab.we_ping(56, 57, 1000)
        lab.all_protected()
    with lab.step(IT_ASKS, "3 pings of 999 bytes"):
        lab.it_pings(999)
        lab.all_protected()


def every_padding(lab: Lab) -> None:
    """Pings of all lengths that a block cipher pads differently."""
    sizes = range(40, 56)
    with lab.step(WE_ASK, "pings of 40 to 55 bytes"):
        lab.we_ping(*sizes)
        lab.all_protected()


def unusual_headers(lab: Lab) -> None:
    """Fields and options of the kernel's IP header that AH must leave out of its signature, or must not."""
    versions = {
        4: (("a type of service", "-Q 0xb8"), ("a time to live of 77", "-t 77"), ("Record Route", "-R")),
        6: (("a traffic class", "-Q 0xb8"), ("a hop limit of 77", "-t 77"), ("a flow label", "-F 0x12345")),
    }
    for name, words in versions[lab.case.outer]:
        with lab.step(IT_ASKS, f"pings with {name}"):
            lab.it_pings(words=words)
            lab.all_protected()


def over_the_wrap(lab: Lab) -> None:
    """The low half of the sequence number, which alone is sent, begins anew; the high half is in the ICV."""
    with lab.step(WE_ASK, "a ping with 2^32 - 1, one with 2^32"):
        lab.we_ping(56)
        lab.we_ping(56)
        lab.all_protected()
    with lab.step(IT_ASKS, "a ping with 2^32 + 1"):
        lab.it_pings(count=1)
        lab.all_protected()
    with lab.step(WE_ASK, "both counters are over 2^32"):
        ours, its = (_ours(lab, direction) for direction in (Direction.OUTBOUND, Direction.INBOUND))
        assert (ours.sequence, its.replay.top) == (lab.case.sequence + 3, lab.case.sequence + 3)


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
        lab.it_counts("XfrmInStateSeqError")
    # with ESN, a number left of the window is taken for one that comes after the wrap (RFC 4303 A2.2)
    counter = "XfrmInStateProtoError" if lab.case.esn else "XfrmInStateSeqError"
    with lab.step(WE_ASK, f"left of the window: {counter}"):
        late = _held_back(lab)
        sa.sequence += xfrm.REPLAY_WINDOW
        lab.we_ping(56)
        wire.give(late)
        lab.it_counts(counter)
    with lab.step(WE_ASK, "bad ICV: XfrmInStateProtoError"):
        good = _held_back(lab)
        wire.give(_spoilt(good))
        lab.it_counts("XfrmInStateProtoError")
    with lab.step(WE_ASK, "the same with its good ICV: accepted"):
        wire.give(good)
        lab.until(lambda: len(wire.received) == 4, "an answer to the good one")
    with lab.step(WE_ASK, "unknown SPI: XfrmInNoStates"):
        wire.give(_of_nobody(_held_back(lab)))
        lab.it_counts("XfrmInNoStates")
    with lab.step(WE_ASK, "in clear: XfrmInTmplMismatch"):
        selectors = sa.parameters.selectors
        lab.ours.gateway.ipsec.spd.replace([Policy("clear", PolicyAction.BYPASS, selectors)])
        lab.begin_ping()
        lab.it_counts("XfrmInTmplMismatch")
    with lab.step(WE_ASK, "none of it was answered"):
        assert len(wire.received) == 4


def it_misbehaves(lab: Lab) -> None:
    """Packets of the kernel that are bad, or become so on the way, are dropped here, each for its reason."""
    wire = lab.wire
    bad_icv = "ICV_FAIL" if lab.case.protocol is IpProtocol.ESP else "AH_ICV_FAIL"
    old = bad_icv if lab.case.esn else "REPLAY_OLD"  # see `we_misbehave`
    with lab.step(IT_ASKS, "replayed: REPLAY_SEEN"):
        lab.it_pings()
        wire.receive(wire.received[-1])
        lab.we_drop("REPLAY_SEEN")
    with lab.step(IT_ASKS, f"left of the window: {old}"):
        first = wire.received[0]
        lab.it_pings(count=xfrm.REPLAY_WINDOW)
        wire.receive(first)
        lab.we_drop(old)
    with lab.step(IT_ASKS, f"bad ICV: {bad_icv}"):
        wire.on_the_way_here = _spoilt
        lab.it_pings_in_vain()
        lab.we_drop(bad_icv)
        wire.on_the_way_here = arrives
    with lab.step(IT_ASKS, "the SA still works"):
        lab.it_pings()
    with lab.step(IT_ASKS, "unknown SPI: NO_SA"):
        wire.on_the_way_here = _of_nobody
        lab.it_pings_in_vain()
        lab.we_drop("NO_SA")
        wire.on_the_way_here = arrives
    with lab.step(IT_ASKS, "in clear: INBOUND_CLEAR_PROTECTED"):
        lab.order("ip xfrm policy flush")
        lab.it_pings_in_vain()
        lab.we_drop("INBOUND_CLEAR_PROTECTED")


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


def _of_nobody(packet: bytes) -> bytes:
    """The SPI is another one."""
    spi = OUR_SPI if OUR_SPI.to_bytes(4, "big") in packet else ITS_SPI
    return packet.replace(spi.to_bytes(4, "big"), NO_SPI.to_bytes(4, "big"), 1)


# -- fragments ------------------------------------------------------------------------------------


def outer_fragments(lab: Lab) -> None:
    """The packet, with ESP or AH around it, no longer fits: what is cut is the outer packet."""
    # in tunnel mode it fits before that; in transport mode only whole packets are protected (RFC 4303 3.3)
    size = 1472 if lab.case.mode is Mode.TUNNEL else 3000
    with lab.step(WE_ASK, f"a ping of {size} bytes, cut with its protection"):
        lab.we_ping(size)
        lab.all_protected()
        assert any(ip.is_fragment(packet) for packet in lab.wire.sent), "nothing was cut"
    with lab.step(IT_ASKS, f"pings of {size} bytes, cut with their protection"):
        lab.it_pings(size, words="-M dont")
        lab.all_protected()
        assert any(ip.is_fragment(packet) for packet in lab.wire.received), "nothing was cut"


def inner_fragments(lab: Lab) -> None:
    """The packet is cut before it comes to the gateway: each piece has a packet of its own around it."""
    lab.order(xfrm.site_mtu(lab.case.site_mtu))
    try:
        with lab.step(WE_ASK, "a ping of 3000 bytes, cut before its protection"):
            lab.we_ping(3000)
            _many_whole(lab, lab.wire.sent, 3)
        with lab.step(IT_ASKS, "a ping of 3000 bytes, cut before its protection"):
            lab.it_pings(3000, count=1)
            _many_whole(lab, lab.wire.received, 6)
    finally:
        lab.order(xfrm.site_mtu(1500))


def _many_whole(lab: Lab, packets: list[bytes], count: int) -> None:
    lab.all_protected()
    assert len(packets) == count, f"{len(packets)} packets"
    assert not any(ip.is_fragment(packet) for packet in packets), "an outer packet was cut"
