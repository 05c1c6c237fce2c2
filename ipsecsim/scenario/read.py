"""Reading a topology: a file, text or a name in; a checked and complete model out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipsecsim.base.errors import ConfigError
from ipsecsim.scenario.additions import Additions
from ipsecsim.scenario.assemble import assemble
from ipsecsim.scenario.model import Remark, Topology
from ipsecsim.scenario.problems import Problems
from ipsecsim.scenario.understand import understand


def read(
    source: str | Path,
    *,
    params: Mapping[str, str] | None = None,
    settings: Sequence[tuple[str, str]] = (),
    seed: int | str | None = None,
    do: Sequence[str] = (),
    expect: Sequence[str] = (),
) -> Topology:
    """The topology of a path, of YAML text, or of a name in the library.

    `params` fills in the file's parameters, `settings` are made like `set:`, `seed` replaces the file's,
    `do` and `expect` are lines added to its script and to its expectations.
    Raises ConfigError (several mistakes at once: Refused) naming place, cause and remedy.
    """
    problems = Problems()
    understood = understand(source, params or {}, settings, seed, Additions(do, expect), problems)
    problems.stop_at_later()
    topology = assemble(understood, problems)
    problems.stop()
    problems.stop_at_later()
    return topology


@dataclass(frozen=True, slots=True)
class Checked:
    """A topology without a mistake. `later` names, with their places, the things in it that do not run yet."""

    name: str
    nodes: int
    links: int
    later: tuple[ConfigError, ...]
    warnings: tuple[Remark, ...]


def check(
    source: str | Path,
    *,
    params: Mapping[str, str] | None = None,
    settings: Sequence[tuple[str, str]] = (),
    seed: int | str | None = None,
) -> Checked:
    """Like `read`, but content with a topology that asks for what is not there yet. Raises ConfigError."""
    problems = Problems()
    understood = understand(source, params or {}, settings, seed, Additions(), problems)
    if not problems.later:
        assemble(understood, problems)
        problems.stop()
    name = understood.root.text("name")
    return Checked(
        "" if name is None else name.value,
        len(understood.names.nodes),
        len(understood.network.wires),
        tuple(problems.later),
        tuple(dict.fromkeys(problems.remarks)),
    )
