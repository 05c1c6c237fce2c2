"""What the nodes knew at a position of a run, as tables: SPD, SAD, virtual addresses. By default at its end."""

from collections.abc import Iterator
from typing import Any

from ipsecsim.base.address import pack
from ipsecsim.base.instant import Instant, format_duration
from ipsecsim.experiment.run import Run
from ipsecsim.observe.inventory.ipsec import SEPARATOR
from ipsecsim.views.tables import table

USUAL_WINDOW = 32
_SHOWN = 16  # cells of a window

_Row = dict[str, Any]


def policies(run: Run, position: int | None = None) -> str:
    """Every SPD, rule by rule, in the order in which rules are tried (RFC 4301 4.4.1)."""
    rows: list[tuple[object, ...]] = []
    for node, known in _gateways(run, position):
        for name, rule in known.get("policies", {}).items():
            number, _, policy = name.partition(" ")
            for traffic in rule["selectors"].split(SEPARATOR):
                words = traffic or "what its SAs carry; there is none"
                rows.append((node, int(number), rule["action"], policy, words, rule["hits"]))
        rows.append((node, "last", "discard", "(default)", "everything else", ""))
    rows.sort(key=lambda row: str(row[0]))
    return table(
        "SPD: which traffic is protected",
        ("node", "rule", "action", "name", "local === remote", "hits"),
        rows,
    )


def associations(run: Run, position: int | None = None) -> str:
    """Every SAD (RFC 4301 4.4.2)."""
    now = _time(run, position)
    rows = [
        _sa_row(node, name, sa, now)
        for node, known in _gateways(run, position)
        for name, sa in sorted(known.get("sas", {}).items(), key=_installation)
    ]
    heads = (
        *("node", "dir", "spi", "kind", "outer", "suite"),
        *("packets", "octets", "sequence", "window", "life left"),
    )
    return table("SAD: the SAs that are up", heads, rows) if rows else "SAD: no SA is up"


def leases(run: Run, position: int | None = None) -> str:
    """Who has which virtual address (RFC 7296 2.19)."""
    rows = [
        (node, pool, address, holder)
        for node, known in _gateways(run, position)
        for pool, lent in known.get("pools", {}).items()
        for address, holder in sorted(lent.items(), key=lambda each: pack(each[0]))
    ]
    if not rows:
        return "Virtual addresses: none is lent"
    return table("Virtual addresses: who has which", ("node", "pool", "address", "lent to"), rows)


def _gateways(run: Run, position: int | None) -> Iterator[tuple[str, _Row]]:
    """The nodes that have an SPD, and what they knew."""
    for node in run.world.simulator.nodes:
        known: _Row = run.known(node, position)
        if "ike" in known or "policies" in known or "sas" in known:
            yield node, known


def _time(run: Run, position: int | None) -> Instant:
    """Of a position: when its turn was; of the last one, when the run stopped."""
    if position is None:
        return run.now
    return run.recorder.turn(position)[0].at if position else 0


def _installation(row: tuple[str, _Row]) -> tuple[object, ...]:
    """Outbound SAs before inbound ones, in the order in which they came; names decide among equals."""
    name, sa = row
    return not name.startswith("out "), sa["kind"].startswith("AH"), sa["installed at"]


def _sa_row(node: str, name: str, sa: _Row, now: Instant) -> tuple[object, ...]:
    direction, spi = name.split(" ")
    window = _window(sa) if direction == "in" else ""
    return (
        *(node, direction, spi, sa["kind"], sa["outer"], sa["suite"]),
        *(sa["packets"], sa["octets"], sa["sequence"], window, _life_left(sa, now)),
    )


def _window(sa: _Row) -> str:
    """What of the replay window fits into a table, and how large it is where it is no common one."""
    size = sa["window size"]
    if not size:
        return "off"
    picture: str = sa["window"][-_SHOWN:]
    return picture if size == USUAL_WINDOW else f"{picture} of {size}"


def _life_left(sa: _Row, now: Instant) -> str:
    """How far the hard limits are, those that there are."""
    left: list[str] = []
    if "ends at" in sa:
        left.append(format_duration(max(0, sa["ends at"] - now)))
    if "ends after packets" in sa:
        left.append(f"{max(0, sa['ends after packets'] - sa['packets'])} packets")
    if "ends after octets" in sa:
        left.append(f"{max(0, sa['ends after octets'] - sa['octets'])} B")
    return ", ".join(left) or "endless"
