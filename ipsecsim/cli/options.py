"""What several commands take: a topology, parameters and settings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import Duration
from ipsecsim.scenario import Topology, read
from ipsecsim.scenario.problems import Mistake
from ipsecsim.scenario.units import duration

Source = Annotated[str, typer.Argument(help="A name from `ipsecsim list`, or a file.", metavar="NAME|FILE")]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="A parameter of the file, such as nat=hotel. Repeatable.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting, such as links.wan.delay=50ms. Repeatable."),
]

Seed = Annotated[str | None, typer.Option(help="Another seed: other keys, nonces and SPIs.")]
Until = Annotated[str | None, typer.Option(help="Simulated time at which to stop, such as 10s.")]
Do = Annotated[
    list[str] | None, typer.Option(help='A line for the script, such as "5s ping alice bob". Repeatable.')
]


def read_source(
    source: str,
    params: Sequence[str] | None,
    changes: Sequence[str] | None,
    *,
    do: Sequence[str] | None = None,
    expect: Sequence[str] | None = None,
) -> Topology:
    """The topology that the command line asks for. Raises ConfigError."""
    return read(
        source,
        params=dict(pairs("--param", params)),
        settings=pairs("--set", changes),
        do=do or (),
        expect=expect or (),
    )


def read_time(text: str) -> Duration:
    """'10s' in nanoseconds. Raises ConfigError."""
    try:
        return duration(text)
    except Mistake as mistake:
        raise ConfigError(f"--until {text}: {mistake}") from mistake


def pairs(option: str, texts: Sequence[str] | None) -> list[tuple[str, str]]:
    """Every NAME=VALUE of a repeatable option. Raises ConfigError."""
    return [_pair(option, text) for text in texts or ()]


def _pair(option: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"{option} {text}: write {option} NAME=VALUE")
    return key, value


@contextmanager
def writing(option: str, path: Path | str, kind: str = "folder") -> Iterator[None]:
    """What the disk refuses is no bug of ours: raises ConfigError."""
    try:
        yield
    except OSError as refused:
        raise ConfigError(f"{option} {path}: {refused.strerror}; name a {kind} that can be written") from None
