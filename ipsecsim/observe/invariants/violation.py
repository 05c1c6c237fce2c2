"""A broken invariant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """Where an invariant broke, and how. `turn` 0 means at the end of the recording."""

    turn: int
    node: str
    sentence: str

    def __str__(self) -> str:
        where = f"turn {self.turn}" if self.turn else "at the end"
        return f"{where}, {self.node}: {self.sentence}"
