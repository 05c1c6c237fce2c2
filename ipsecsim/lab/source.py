"""What a lab is made from, kept as it was asked for, so that a changed copy can be made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ipsecsim.lab.builder import Topology as Builder
from ipsecsim.lab.errors import LabError
from ipsecsim.scenario import Topology, read

Change = str | Mapping[str, object]
"""'links.wan.mtu=1400', or {"links.wan.mtu": 1400}."""


@dataclass(frozen=True)
class Source:
    """A name, a path or YAML text, with parameters, settings and lines that were added."""

    where: str | Path
    seed: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[tuple[str, str]] = ()
    lines: Sequence[str] = ()

    @classmethod
    def of(
        cls, source: "str | Path | Builder", seed: int | str | None, params: Mapping[str, object]
    ) -> "Source":
        """From what a person gives to `Lab`."""
        where = source.to_yaml() if isinstance(source, Builder) else source
        return cls(where, None if seed is None else str(seed), _texts(params))

    def topology(self) -> Topology:
        """Read it. Raises ConfigError."""
        return read(
            self.where, params=self.params, settings=self.settings, seed=self.seed, do=list(self.lines)
        )

    def changed(
        self, changes: Sequence[Change], seed: int | str | None, params: Mapping[str, object]
    ) -> "Source":
        """The same with other settings, parameters or another seed, and without the lines that were added."""
        made = list(self.settings)
        for change in changes:
            pairs = [_pair(change)] if isinstance(change, str) else list(_texts(change).items())
            made += pairs
        other_seed = self.seed if seed is None else str(seed)
        return replace(
            self, seed=other_seed, params={**self.params, **_texts(params)}, settings=made, lines=()
        )

    def with_line(self, line: str) -> "Source":
        """The same with one more line of the script."""
        return replace(self, lines=(*self.lines, line))


def _pair(change: str) -> tuple[str, str]:
    path, equals, value = change.partition("=")
    if not equals or not path:
        raise LabError(f"'{change}' is no setting; write for example links.wan.mtu=1400")
    return path.strip(), value


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {key: _text(value) for key, value in values.items()}


def _text(value: object) -> str:
    """A value as the topology language writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
