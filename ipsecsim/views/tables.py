"""The tables that end a run: drops, bytes, and what was expected; those of what nodes know are `state_tables`."""

from collections.abc import Sequence
from itertools import takewhile

from ipsecsim.base.address import unpack
from ipsecsim.base.instant import format_duration, format_seconds
from ipsecsim.base.visible import visible
from ipsecsim.experiment.expectations import is_up
from ipsecsim.experiment.run import Run
from ipsecsim.net.application import Result
from ipsecsim.net.apps import APPS
from ipsecsim.observe.counters import count
from ipsecsim.observe.invariants.leaks import check_leaks
from ipsecsim.observe.overhead import overhead
from ipsecsim.observe.sparing import Keep


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as they need to be; numbers to the right."""
    cells = [[visible(str(cell)) for cell in row] for row in rows]
    widths = [max([len(head), *(len(row[at]) for row in cells)]) for at, head in enumerate(heads)]
    right = [bool(rows) and all(isinstance(row[at], int | float) for row in rows) for at in range(len(heads))]

    def line(words: Sequence[str]) -> str:
        padded = [
            word.rjust(width) if is_right else word.ljust(width)
            for word, width, is_right in zip(words, widths, right, strict=True)
        ]
        return "  " + "  ".join(padded).rstrip()

    return "\n".join([title, line(heads), line(["-" * width for width in widths]), *map(line, cells)])


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


def drops(run: Run, position: int | None = None) -> str:
    """Every drop by node and reason, with the sentence and the clause; up to the end of a turn, or all."""
    counters = run.counters
    if position is not None:
        counters = count(takewhile(lambda row: row.turn.number <= position, run.recorder.rows))
    rows = [
        (name, number, reason.name, reason.sentence, reason.clause)
        for name, node in counters.nodes.items()
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
    return "\n".join(
        [f"Expectations: {met} of {len(verdicts)} met", *(f"  {visible(str(each))}" for each in verdicts)]
    )


def summary(run: Run) -> str:
    """When it ended, what the traffic found out, and whether anything leaked."""
    up = sum(is_up(run.world, name) for name in run.topology.tunnels)
    what = "quiet" if run.world.simulator.is_quiet() else "stopped"
    leaks = "not looked for"
    if run.keep is Keep.ALL:
        leaks = str(len(list(check_leaks(run.recorder, run.world.simulator))) or "none")
    lines = [
        f"{what} at {format_seconds(run.now)} after {run.turns} turns   "
        f"{up} of {len(run.topology.tunnels)} tunnels up   "
        f"leaks {leaks}"
    ]
    for name, (verb, source, to) in run.world.traffic.items():
        lines.append(f"  {verb} {source} {to}   {found(verb, run.world.results[name])}")
    return "\n".join(map(visible, lines))


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
