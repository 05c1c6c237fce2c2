"""What became of one step: a row of the table that `make interop` prints."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Row:
    """`role` is what we are in the conversation; `detail` says what both sides know about a failure."""

    peer: str
    role: str
    case: str
    step: str
    result: str  # ok | FAILED
    seconds: float
    detail: str = ""


@contextmanager
def timed(rows: list[Row], row: Row) -> Iterator[None]:
    """A part of the conversation that gets its own row: ok when the block ends well."""
    began = time.monotonic()
    rows.append(row)
    try:
        yield
        row.result = "ok"
    finally:
        row.seconds = round(time.monotonic() - began, 3)
