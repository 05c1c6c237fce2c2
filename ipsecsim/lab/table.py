"""A table that shows itself, row by row: of SAs, rules, routes, verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, overload

from ipsecsim.experiment.packets import NoSuchThing
from ipsecsim.lab.shown import Shown
from ipsecsim.observe.written.data_frame import data_frame
from ipsecsim.scenario.problems import did_you_mean
from ipsecsim.views import tables

Cell = str | int | float | bool | None
_LONGEST = 60  # of a cell that is shown; the row has the whole


class Row(Mapping[str, Cell]):
    """One row: `row["spi"]`, or `row.spi`."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self._cells = dict(cells)

    def __getitem__(self, name: str) -> Cell:
        return self._cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._cells:
            return self._cells[name]
        raise AttributeError(f"no column '{name}'{did_you_mean(name, self.__dict__.get('_cells', ()))}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._cells]

    def __repr__(self) -> str:
        return "  ".join(f"{name} {value}" for name, value in self._cells.items())


class Table(Shown, Sequence[Row]):
    """Rows under the same heads. A value: it does not change when the run goes on."""

    def __init__(self, title: str, heads: Sequence[str], rows: Sequence[Mapping[str, Cell]]) -> None:
        self.title = title
        self.heads = tuple(heads)
        self._rows = tuple(Row(each) for each in rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "Table": ...
    def __getitem__(self, index: int | slice) -> "Row | Table":
        if isinstance(index, slice):
            return Table(self.title, self.heads, self._rows[index])
        if not -len(self) <= index < len(self):
            raise NoSuchThing(f"no row {index}; '{self.title}' has {len(self)}")
        return self._rows[index]

    def where(self, **words: Cell) -> "Table":
        """The rows that have these values: `sas.where(node="east", direction="in")`."""
        chosen = [row for row in self if all(row.get(key) == value for key, value in words.items())]
        return Table(self.title, self.heads, chosen)

    def one(self) -> Row:
        """The only row. Raises NoSuchThing when there is none, or another."""
        if len(self) != 1:
            raise NoSuchThing(f"'{self.title}' has {len(self)} rows here, and one is wanted")
        return self[0]

    def text(self) -> str:
        """Columns as wide as they need to be."""
        if not self:
            return f"{self.title}: none"
        return tables.table(self.title, self.heads, [self._shown(row) for row in self])

    def html(self) -> str:
        """A table with a caption and one row of heads."""
        if not self:
            return super().html()
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in self.heads)
        lines = "".join(
            f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in self._shown(row))}</tr>"
            for row in self
        )
        caption = f"<caption>{escape(self.title)}</caption>"
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"

    def to_pandas(self) -> Any:
        """The same as a pandas DataFrame. Raises ConfigError where pandas is not installed."""
        numbered = [{"row": number, **row} for number, row in enumerate(self)]
        return data_frame(numbered, "row")

    def _shown(self, row: Row) -> list[Cell]:
        return [_short(row.get(head, "")) for head in self.heads]


def _short(cell: Cell) -> Cell:
    text = "" if cell is None else cell
    if isinstance(text, str) and len(text) > _LONGEST:
        return text[: _LONGEST - 3] + "..."
    return text
