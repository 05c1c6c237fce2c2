"""The recording as JSON lines: one object a row, its keys always in the same order."""

import json
from collections.abc import Iterable
from dataclasses import fields
from enum import Enum
from typing import TextIO

from ipsecsim.base.address import unpack
from ipsecsim.base.trace import Told
from ipsecsim.net.turn import ARRIVAL, TURN
from ipsecsim.observe.record import Record
from ipsecsim.observe.recorder import Recorder

ADDRESS_FIELDS = frozenset(("source", "destination", "next_hop"))
"""Names of event fields whose bytes are a packed address."""


def write(rows: Iterable[Record], file: TextIO) -> None:
    """Write each row as it comes; nothing is gathered, so a long run needs no memory for it."""
    for row in rows:
        file.write(to_json(row))
        file.write("\n")


class Trace:
    """An observer that writes every row while the run goes on, and keeps none: the same bytes as `write` gives.

    The rows of a turn are written when the next one begins; `flush` writes those of the last one.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._turn = Recorder()  # the one that goes on
        self._written = 0  # rows

    def tell(self, told: Told) -> None:
        """Take what a simulator tells."""
        if isinstance(told, tuple) and told[0] in (TURN, ARRIVAL):
            self.flush()
        self._turn.tell(told)

    def flush(self) -> None:
        """Write what is not written yet."""
        rows = self._turn.rows
        for row in rows:
            row.sequence += self._written
        write(rows, self._file)
        self._written += len(rows)
        self._turn.forget()


def to_json(row: Record) -> str:
    """One row on one line. Time in nanoseconds, bytes in hexadecimal, addresses as people write them.

    The event's own fields stand under `fields`, because some are called like the row's (`sequence`).
    """
    event = row.event
    row_fields: dict[str, object] = {
        "sequence": row.sequence,
        "time": row.at,
        "turn": row.turn.number,
        "cause": row.turn.cause,
        "node": row.node,
        "event": type(event).__name__,
    }
    if row.frame is not None:
        row_fields["frame"] = row.frame
    row_fields["fields"] = {
        field.name: _plain(field.name, getattr(event, field.name)) for field in fields(event)
    }
    return json.dumps(row_fields, separators=(",", ":"))


def _plain(name: str, value: object) -> object:
    if isinstance(value, bytes):
        is_address = name in ADDRESS_FIELDS and len(value) in (4, 16)
        return unpack(value) if is_address else value.hex()
    if isinstance(value, Enum) and not isinstance(value, int):
        return value.name  # an IntEnum is a number on the wire and stays one
    if isinstance(value, tuple | list):
        return [_plain(name, each) for each in value]
    return value
