"""What is tried where a charon in the guest hands its SAs to the kernel, and IKE to us."""

import re

from ipsecsim.ike.events import ChildRekeyed
from tests.interop.kernel import charon
from tests.interop.kernel.case import IkeCase
from tests.interop.kernel.lab import Lab
from tests.interop.kernel.ours import POLICY
from tests.interop.kernel.plays import IT_ASKS, WE_ASK, traffic

STATE = re.compile(r"proto (\w+) spi (0x\w+)\S* .*mode (\w+)\n\s*replay-window \d+(.*)")
"""One of `ip xfrm state`: protocol, SPI, mode, flags."""


def whole_life(lab: Lab) -> None:
    """From the first message to the last: up, packets both ways, new keys from either side, down."""
    assert isinstance(lab.case, IkeCase)
    gateway, is_ours = lab.ours.gateway, lab.case.role == "initiator"
    asks = WE_ASK if is_ours else IT_ASKS
    with lab.step(asks, "the child is up on both sides"):
        if is_ours:
            lab.ours.do(gateway, lambda: gateway.ike.initiate(POLICY, lab.ours.simulator.now))
        else:
            lab.order(charon.tell("--initiate", "--child", charon.NAME))
        both_hold(lab, 2)
    packets(lab)
    with lab.step(WE_ASK, "new keys for the child"):
        lab.ours.do(gateway, lambda: gateway.ike.rekey(POLICY, lab.ours.simulator.now))
        renewed(lab, by_peer=False)
    packets(lab)
    with lab.step(IT_ASKS, "new keys for the child"):
        lab.order(charon.tell("--rekey", "--child", charon.NAME))
        renewed(lab, by_peer=True)
    packets(lab)
    with lab.step(asks, "nothing is left on either side"):
        if is_ours:
            lab.ours.do(gateway, lambda: gateway.ike.terminate(POLICY, lab.ours.simulator.now))
        else:
            lab.order(charon.tell("--terminate", "--ike", charon.NAME))
        both_hold(lab, 0)


def packets(lab: Lab) -> None:
    """Nothing but ESP or AH passes from here on until IKE speaks again."""
    lab.wire.sent.clear()
    lab.wire.received.clear()
    traffic(lab)


def renewed(lab: Lab, *, by_peer: bool) -> None:
    """There is a successor, and only it."""
    recorder = lab.ours.recorder
    lab.until(lambda: any(event.by_peer is by_peer for _, event in recorder.of(ChildRekeyed)), "a successor")
    both_hold(lab, 2)


def both_hold(lab: Lab, count: int) -> None:
    """Wait until we have as many SAs, and the kernel has them too.

    For some seconds it also has one that has a successor: charon keeps it for packets that are late.
    """
    for _ in range(50):
        lab.until(lambda: len(ours(lab)) == count, f"{count} SAs of ours")
        its = kernels(lab)
        if its >= ours(lab) and (count or not its):
            return
    raise AssertionError(f"ours {ours(lab)}, the kernel's {its}")


def ours(lab: Lab) -> set[tuple[str, ...]]:
    """Of each SA: protocol, SPI, mode, and whether its sequence numbers are extended."""
    return {
        (
            each.parameters.protocol.name.lower(),
            f"0x{each.spi:08x}",
            each.parameters.mode.value,
            "esn" if each.parameters.extended_sequence else "",
        )
        for each in lab.ours.gateway.ipsec.sad.all()
    }


def kernels(lab: Lab) -> set[tuple[str, ...]]:
    """The same of the kernel's, from `ip xfrm state`."""
    return {
        (protocol, spi, mode, "esn" if "esn" in flags.split() else "")
        for protocol, spi, mode, flags in STATE.findall(lab.order("ip xfrm state"))
    }
