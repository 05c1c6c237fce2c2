"""Rows as a pandas DataFrame, for whoever has pandas: it is no part of the core."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import SECOND
from ipsecsim.observe.record import Record


def data_frame(rows: Iterable[Mapping[str, object]], index: str) -> Any:
    """A table with these rows, found by `index`. Raises ConfigError where pandas is not installed."""
    try:
        pandas = import_module("pandas")  # heavy, and asked for by few
    except ImportError as missing:
        raise ConfigError("to_pandas needs pandas: pip install 'ipsecsim[notebook]'") from missing
    listed = list(rows)
    made = pandas.DataFrame(listed)
    return made.set_index(index) if listed else made


def events(rows: Iterable[Record]) -> Any:
    """A row an event: when, where and what, time in seconds, the event's own fields behind."""
    return data_frame((_event(row) for row in rows), "sequence")


def _event(row: Record) -> dict[str, object]:
    event = row.event
    own = {field.name: getattr(event, field.name) for field in fields(event)}
    return {
        "sequence": row.sequence,
        "time": row.at / SECOND,
        "turn": row.turn.number,
        "cause": row.turn.cause,
        "node": row.node,
        "event": type(event).__name__,
        **{f"field_{name}" if name == "sequence" else name: value for name, value in own.items()},
    }
