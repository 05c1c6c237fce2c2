"""What left in clear although policy wants it protected (RFC 4301 5.1)."""

from collections.abc import Iterator

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.net.events import FrameSent
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.invariants.leaks import first_match, leaks
from ipsecsim.observe.record import Record
from ipsecsim.observe.telling.shape import count
from ipsecsim.observe.why.finding import Case, Finding


def plaintext_leak(case: Case) -> Iterator[Finding]:
    """One finding for each node that sent such frames, and each rule that would have protected them."""
    found: dict[tuple[str, str], list[tuple[Record, str]]] = {}
    for row, sentence in leaks(case.recorder, case.simulator):
        found.setdefault((row.node, _rule(case, row)), []).append((row, sentence))
    for (node, rule), told in found.items():
        rows = tuple(row for row, _ in told)
        sentence = f"{node}: {count(len(rows), 'packet')} left in clear; the first: {told[0][1]}"
        yield Finding(Diagnosis.PLAINTEXT_LEAK, rows, sentence, ((node, rule),) if rule else ())


def _rule(case: Case, row: Record) -> str:
    """The rule of the node that speaks of the frame; '' where there is none."""
    node = case.simulator.nodes[row.node]
    if not isinstance(node, VpnGateway) or not isinstance(row.event, FrameSent):
        return ""
    policy = first_match(node.ipsec.spd.policies, row.event.packet)
    return "" if policy is None else policy.name
