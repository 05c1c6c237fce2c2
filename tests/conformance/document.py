"""docs/conformance.md: what is required and which test bears it out, without a word about today's results."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.conformance.items import AREAS, NOT_OFFERED, Item

PATH = Path(__file__).parents[2] / "docs" / "conformance.md"
TEMPLATE = Path(__file__).with_name("template.md")


def text(
    items: Mapping[str, Item], waiting: Mapping[str, str], marked: Mapping[str, Sequence[str]], faults: str
) -> str:
    """The whole file, with the table of `faults`. The same tables and tests always make the same text."""
    begun = [item for item in items.values() if item.is_begun]
    gaps = [item for item in begun if item.id not in marked and item.id not in waiting]
    return TEMPLATE.read_text(encoding="utf-8").format(
        summary=_summary(begun, waiting, marked),
        later=_later(items, marked),
        table=_table(begun, waiting, marked),
        gaps=_gaps(gaps, waiting),
        faults=faults,
    )


def _summary(begun: Sequence[Item], waiting: Mapping[str, str], marked: Mapping[str, Sequence[str]]) -> str:
    rows = []
    for area, title in AREAS.items():
        own = [item for item in begun if item.area == area]
        without = [item for item in own if item.id not in marked]
        waits = sum(item.id in waiting for item in without)
        shares = [
            _share((item for item in own if item.priority == each), marked) for each in ("P1", "P2", "P3")
        ]
        rows.append((area, title, *shares, str(waits), str(len(without) - waits)))
    return markdown(("area", "about", "P1", "P2", "P3", "wait", "gaps"), rows)


def _share(items: Iterable[Item], marked: Mapping[str, Sequence[str]]) -> str:
    own = list(items)
    return f"{sum(item.id in marked for item in own)} of {len(own)}" if own else ""


def _later(items: Mapping[str, Item], marked: Mapping[str, Sequence[str]]) -> str:
    areas = dict.fromkeys(item.area for item in items.values() if not item.is_begun)
    rows = []
    for area in areas:
        own = [item for item in items.values() if item.area == area]
        rows.append((area, str(len(own)), str(sum(item.id in marked for item in own))))
    return markdown(("area", "requirements", "borne out already"), rows)


def _table(begun: Sequence[Item], waiting: Mapping[str, str], marked: Mapping[str, Sequence[str]]) -> str:
    rows = [
        (
            item.id,
            item.place,
            f"{item.priority} {item.level}",
            item.text,
            _borne_out(item.id, waiting, marked),
        )
        for item in begun
    ]
    return markdown(("id", "where", "weight", "requirement", "borne out by"), rows)


def _borne_out(name: str, waiting: Mapping[str, str], marked: Mapping[str, Sequence[str]]) -> str:
    if name in marked:
        return borne_by(marked[name])
    if name not in waiting:
        return "gap"
    what = waiting[name].partition(":")[0]
    return what if what == NOT_OFFERED else f"waits: {what}"


def borne_by(tests: Sequence[str]) -> str:
    """The tests, a line each."""
    return "<br>".join(_short(test) for test in tests)


def _short(test: str) -> str:
    """'unit/ipsec/test_replay.py: a_duplicate_is_seen': without what all of them have in common."""
    path, _, name = test.partition("::")
    return f"`{path.removeprefix('tests/')}` {name.removeprefix('test_').replace('_', ' ')}"


def _gaps(gaps: Sequence[Item], waiting: Mapping[str, str]) -> str:
    lines = [
        f"* {name} is {why}." if why.startswith(NOT_OFFERED) else f"* {name} waits for {why}."
        for name, why in waiting.items()
    ]
    for priority in ("P1", "P2", "P3"):
        names = [item.id for item in gaps if item.priority == priority]
        lines.append(f"* {priority} without a test: {', '.join(names) or 'none'}.")
    return "\n".join(lines)


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [headings, ["---"] * len(headings), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
