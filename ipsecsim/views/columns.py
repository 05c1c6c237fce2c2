"""Cells of text under each other."""

from collections.abc import Sequence

from ipsecsim.base.visible import visible


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """A line a row; the last column is as long as it is."""
    if not rows:
        return []
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    return [
        "   ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
