"""One line of the report: what was measured, against which floor, and how far it may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured ratio. `limit` is what the goal allows, None where the row only informs.

    It is the most that the ratio may be, or with `more_is_better` the least.
    """

    goal: int
    what: str
    ratio: float
    limit: float | None
    unit: str
    microseconds: float
    more_is_better: bool = False

    @property
    def is_missed(self) -> bool:
        """Is the goal not reached?"""
        if self.limit is None:
            return False
        return self.ratio < self.limit if self.more_is_better else self.ratio > self.limit
