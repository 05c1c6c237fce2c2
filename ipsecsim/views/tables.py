"""The tables that end a run: policies, SAs, drops, bytes, and what was expected."""

from collections.abc import Sequence

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import Instant, format_duration, format_seconds
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.ipsec.association import Direction, SaParameters, SecurityAssociation
from ipsecsim.ipsec.lifetime import ENDLESS
from ipsecsim.ipsec.policy import Policy
from ipsecsim.net.application import Result
from ipsecsim.net.apps import APPS
from ipsecsim.net.nodes.vpn_gateway import VpnGateway
from ipsecsim.observe.counters import count
from ipsecsim.observe.leaks import check_leaks
from ipsecsim.observe.overhead import overhead

USUAL_WINDOW = 32


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as they need to be; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    right = [bool(rows) and all(isinstance(row[at], int | float) for row in rows) for at in range(len(heads))]

    def line(words: Sequence[str]) -> str:
        padded = [
            word.rjust(width) if is_right else word.ljust(width)
            for word, width, is_right in zip(words, widths, right, strict=True)
        ]
        return "  " + "  ".join(padded).rstrip()

    return "\n".join([title, line(heads), line(["-" * width for width in widths]), *map(line, cells)])


def policies(run: Run) -> str:
    """Every SPD, rule by rule, in the order in which rules are tried (RFC 4301 4.4.1)."""
    rows: list[tuple[object, ...]] = [
        (node.name, number, _action(policy), policy.name, traffic, policy.hits)
        for node in _gateways(run)
        for number, policy in enumerate(node.ipsec.spd.policies, start=1)
        for traffic in list(map(str, policy.selectors)) or ["what its SAs carry; there is none"]
    ]
    rows += [(node.name, "last", "discard", "(default)", "everything else", "") for node in _gateways(run)]
    rows.sort(key=lambda row: str(row[0]))
    return table(
        "SPD: which traffic is protected",
        ("node", "rule", "action", "name", "local === remote", "hits"),
        rows,
    )


def _action(policy: Policy) -> str:
    """'bypass', or 'bypass in' where the rule is for one direction."""
    return policy.action.value + ("" if policy.direction is None else f" {policy.direction.value}")


def associations(run: Run) -> str:
    """Every SAD (RFC 4301 4.4.2)."""
    rows = [_sa_row(node.name, sa, run.now) for node in _gateways(run) for sa in node.ipsec.sad.all()]
    heads = (
        *("node", "dir", "spi", "kind", "outer", "suite"),
        *("packets", "octets", "sequence", "window", "life left"),
    )
    return table("SAD: the SAs that are up", heads, rows) if rows else "SAD: no SA is up"


def _sa_row(node: str, sa: SecurityAssociation, now: Instant) -> tuple[object, ...]:
    parameters = sa.parameters
    is_inbound = parameters.direction is Direction.INBOUND
    return (
        node,
        parameters.direction.value,
        f"{sa.spi:08x}",
        _kind(parameters),
        f"{unpack(parameters.source)} > {unpack(parameters.destination)}",
        f"{parameters.suite.words}-esn" if parameters.extended_sequence else parameters.suite.words,
        sa.packets,
        sa.octets,
        sa.replay.top if is_inbound else sa.sequence,
        _window(sa) if is_inbound else "",
        _life_left(sa, now),
    )


def _kind(parameters: SaParameters) -> str:
    """'ESP tunnel', 'AH transport', 'ESP transport in UDP'."""
    in_udp = "" if parameters.udp_ports is None else " in UDP"
    return f"{parameters.protocol.name} {parameters.mode.value}{in_udp}"


def _window(sa: SecurityAssociation) -> str:
    """What of the replay window fits into a table, and how large it is where it is no common one."""
    size = sa.parameters.replay_window
    if not size:
        return "off"
    return sa.replay.picture(16) + ("" if size == USUAL_WINDOW else f" of {size}")


def _life_left(sa: SecurityAssociation, now: Instant) -> str:
    """How far the hard limits are, those that there are."""
    hard = sa.parameters.lifetime.hard
    left: list[str] = []
    if hard.duration != ENDLESS:
        left.append(format_duration(max(0, sa.installed_at + hard.duration - now)))
    if hard.packets != ENDLESS:
        left.append(f"{max(0, hard.packets - sa.packets)} packets")
    if hard.octets != ENDLESS:
        left.append(f"{max(0, hard.octets - sa.octets)} B")
    return ", ".join(left) or "endless"


def leases(run: Run) -> str:
    """Who has which virtual address (RFC 7296 2.19)."""
    rows = [
        (node.name, pool.name, unpack(address), str(holder))
        for node in _gateways(run)
        for pool in dict.fromkeys(each for connection in node.ike.connections for each in connection.pools)
        for address, holder in node.ike.leases.lent(pool).items()
    ]
    if not rows:
        return "Virtual addresses: none is lent"
    return table("Virtual addresses: who has which", ("node", "pool", "address", "lent to"), rows)


def overheads(run: Run) -> str:
    """What protection cost in bytes."""
    rows = overhead(run.recorder)
    if not rows:
        return "Overhead: no packet was protected"
    parts = [name for name in rows[0].parts if any(row.parts[name] for row in rows)]
    heads = (
        "node",
        "policy",
        "packets",
        "inner B",
        *(f"+ {name}" for name in parts),
        "= on the wire B",
        "growth",
    )
    lines = [
        (
            row.node,
            row.policy,
            row.packets,
            row.inner,
            *(row.parts[name] for name in parts),
            row.wire,
            f"+{row.percent:.0f} %",
        )
        for row in rows
    ]
    return table("Overhead: what protection cost in bytes", heads, lines)


def drops(run: Run) -> str:
    """Every drop by node and reason, with the sentence and the clause."""
    rows = [
        (name, number, reason.name, reason.sentence, reason.clause)
        for name, node in count(run.recorder.rows).nodes.items()
        for reason, number in node.dropped.items()
    ]
    if not rows:
        return "Drops: none"
    return table("Drops", ("node", "count", "reason", "meaning", "clause"), rows)


def expectations(run: Run) -> str:
    """What the file claimed, and what was found."""
    verdicts = run.verdicts()
    if not verdicts:
        return "Expectations: none"
    met = sum(each.is_met for each in verdicts)
    return "\n".join([f"Expectations: {met} of {len(verdicts)} met", *(f"  {each}" for each in verdicts)])


def summary(run: Run) -> str:
    """When it ended, what the traffic found out, and whether anything leaked."""
    up = sum(is_up(run.world, name) for name in run.topology.tunnels)
    what = "quiet" if run.world.simulator.is_quiet() else "stopped"
    leaked = len(list(check_leaks(run.recorder, run.world.simulator)))
    lines = [
        f"{what} at {format_seconds(run.now)} after {run.turns} turns   "
        f"{up} of {len(run.topology.tunnels)} tunnels up   "
        f"leaks {leaked or 'none'}"
    ]
    for name, (verb, source, to) in run.world.traffic.items():
        lines.append(f"  {verb} {source} {to}   {found(verb, run.world.results[name])}")
    return "\n".join(lines)


def found(verb: str, result: Result) -> str:
    """What one traffic found out, as far as it can be asked for."""
    measures = APPS[verb].measures
    words = [f"sent {result.sent}"]
    if "received" in measures:
        words.append(f"received {result.received}")
    trips = result.round_trips
    if trips:
        low, mean, high = min(trips), sum(trips) // len(trips), max(trips)
        words.append(f"rtt {format_duration(low)} / {format_duration(mean)} / {format_duration(high)}")
    if "jitter" in measures:
        words.append(f"jitter {format_duration(result.jitter)}")
    if "hops" in measures:
        words.append("way " + " ".join("*" if hop is None else unpack(hop) for hop in result.hops))
        words.append(f"largest packet {result.largest or 'unknown'}")
    return "   ".join(words)


def _gateways(run: Run) -> list[VpnGateway]:
    return [node for node in run.world.simulator.nodes.values() if isinstance(node, VpnGateway)]
