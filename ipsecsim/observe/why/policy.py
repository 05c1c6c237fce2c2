"""What the order of SPD rules does to traffic (RFC 4301 4.4.1)."""

from collections.abc import Iterator

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.trace import PacketDropped
from ipsecsim.ipsec.association import Direction
from ipsecsim.ipsec.events import PacketHeld, PacketSealed, PolicyMatched
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Flow, flow_of
from ipsecsim.net.events import FrameArrived, FrameSent
from ipsecsim.observe.record import Record
from ipsecsim.observe.why.finding import Case, Finding
from ipsecsim.stack.events import PacketReassembled


def spd_order(case: Case) -> Iterator[Finding]:
    """A packet met a rule, and a later one of another mind speaks of less, that packet included."""
    for name, gateway in case.gateways.items():
        hidden = _hidden(gateway.ipsec.spd.policies)
        if not hidden:
            continue
        matched = [(row, event) for row, event in case.of(PolicyMatched) if row.node == name]
        for coarse, fine in hidden:
            rows = tuple(
                row
                for row, event in matched
                if event.policy == coarse.name and _would_meet(fine, case, row, event)
            )
            if rows:
                sentence = (
                    f"{name}: rule {coarse.name} ({coarse.action.name}) stands before the finer rule "
                    f"{fine.name} ({fine.action.name}) and takes what that one is for"
                )
                yield Finding(Diagnosis.SPD_ORDER, rows, sentence, ((name, fine.name),))


def _hidden(policies: tuple[Policy, ...]) -> list[tuple[Policy, Policy]]:
    """Each rule that decides for a finer one behind it. What rules with SAs of their own carry may change."""
    fixed = [policy for policy in policies if not policy.follows_sas]
    return [
        (coarse, fine)
        for at, coarse in enumerate(fixed)
        for fine in fixed[at + 1 :]
        if _is_of_another_mind(coarse, fine) and _is_finer(fine, coarse)
    ]


def _is_of_another_mind(one: Policy, other: Policy) -> bool:
    if one.action is other.action is PolicyAction.PROTECT:
        return one.name != other.name
    return one.action is not other.action


def _is_finer(fine: Policy, coarse: Policy) -> bool:
    """Does a row of it lie within a row of the other, and is not the same?"""
    if coarse.direction not in (None, fine.direction):
        return False
    return any(row.is_within(other) and row != other for row in fine.selectors for other in coarse.selectors)


def _would_meet(fine: Policy, case: Case, row: Record, matched: PolicyMatched) -> bool:
    direction = Direction(matched.direction)
    flow = _flow_judged(case, row, direction)
    return flow is not None and fine.matches(flow, direction)


def _flow_judged(case: Case, row: Record, direction: Direction) -> Flow | None:
    """That of the packet that a rule was found for: what became of it is told next."""
    if direction is Direction.INBOUND:
        for earlier in reversed(case.before(row)):
            if isinstance(earlier.event, FrameArrived | PacketReassembled):
                return flow_of(earlier.event.packet)
        return None
    for later in case.after(row):
        if isinstance(later.event, PacketSealed):
            return flow_of(later.event.inner)
        if isinstance(later.event, PacketDropped | PacketHeld | FrameSent):
            return flow_of(later.event.packet)
    return None
