"""From a source to a complete tree: everything checked, everything left out filled in.

load >> extends >> params >> set >> schema >> counts >> references >> addresses, routes, tunnels.
Each stage tells all its mistakes before the next begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario import (
    additions,
    addresses,
    counting,
    extends,
    library,
    name_table,
    params,
    references,
    routes,
    schema,
    set_paths,
    tunnels,
)
from ipsecsim.scenario.additions import Additions
from ipsecsim.scenario.fields import value
from ipsecsim.scenario.network import Network
from ipsecsim.scenario.problems import Problems, did_you_mean
from ipsecsim.scenario.scalars import TEXT
from ipsecsim.scenario.source import load_file, load_text, load_value
from ipsecsim.scenario.tree import Map, Text

_LONGEST_NAME = 1000  # a longer source that is no YAML text is no path either


@dataclass(frozen=True, slots=True)
class Understood:
    """A topology's complete tree, and what was found out about it on the way."""

    root: Map
    names: name_table.Names
    network: Network
    routes: Mapping[str, routes.Routes]
    sentences: references.Read
    groups: Mapping[str, tuple[str, ...]]
    params: Mapping[str, str]
    settings: Mapping[str, str]
    file: str


def understand(
    source: str | Path,
    overrides: Mapping[str, str],
    settings: Sequence[tuple[str, str]],
    seed: int | str | None,
    lines: Additions,
    problems: Problems,
) -> Understood:
    """Read, check and complete. Raises ConfigError for mistakes; what does not run yet is only noted."""
    root, file = _load(source, problems)
    shown = root.place.file
    root, values = _compose(root, file, overrides, seed, problems)
    additions.add(root, lines)
    problems.stop()
    wanted = _settings(root, settings, values, problems)
    waiting = set_paths.apply(root, wanted, problems, last=False, check=False)
    schema.TOP.check(root, "", problems)
    problems.stop()

    counted = counting.count(root, problems)
    problems.stop()
    waiting = set_paths.apply(counted.root, waiting, problems, last=False, check=True)
    known = name_table.collect(counted.root, counted.families)
    sentences = references.check(counted.root, root, known, values, problems)
    problems.stop()

    network = Network(counted.root, known, problems)
    problems.stop()
    addresses.assign(network, known, problems)
    problems.stop()
    tables = routes.tables(network, known, problems)
    tunnels.expand(counted.root, network, known, value(TEXT, counted.root, schema.TOP, "seed"), problems)
    set_paths.apply(counted.root, waiting, problems, last=True, check=True)
    problems.stop()
    return Understood(
        counted.root, known, network, tables, sentences, counted.groups, values, dict(settings), shown
    )


def _load(source: str | Path, problems: Problems) -> tuple[Map, Path | None]:
    """The tree, and the file it came from."""
    if isinstance(source, str) and ("\n" in source or ": " in source):
        return load_text(source, "<text>", problems), None
    path = Path(source)
    if len(str(source)) > _LONGEST_NAME:
        raise ConfigError("there is no topology of that name, and no such file")
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_file(path, problems, str(source)), path
    found = library.find(str(source))
    if found is None:
        hint = did_you_mean(str(source), library.names())
        raise ConfigError(f"there is no topology '{source}' in the library, and no such file{hint}")
    return load_file(found, problems), found


def _compose(
    root: Map,
    file: Path | None,
    overrides: Mapping[str, str],
    seed: int | str | None,
    problems: Problems,
) -> tuple[Map, dict[str, str]]:
    """The tree with what it extends and its parameters filled in, and the parameters' values."""
    root = extends.resolve(root, file, problems)
    if seed is not None:
        root.put("seed", Text(str(seed), Place("seed"), ()))
    return root, params.apply(root, overrides, problems)


def _settings(
    root: Map, given: Sequence[tuple[str, str]], values: Mapping[str, str], problems: Problems
) -> list[set_paths.Setting]:
    """The file's `set:`, taken out of the tree, then the settings from outside."""
    made: list[set_paths.Setting] = []
    written = root.get("set")
    if isinstance(written, Map):
        made += [set_paths.Setting(key, e.node, e.key.place) for key, e in written.entries.items()]
        del root.entries["set"]
    for path, text in given:
        place = Place(f"{path}={text!r}")
        made.append(set_paths.Setting(path, params.fill(load_value(text, place), values, problems), place))
    problems.stop()
    return made
