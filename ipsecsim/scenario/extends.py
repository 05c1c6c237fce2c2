"""`extends:` one file by another: mappings merge, all else replaces."""

from pathlib import Path

from ipsecsim.base.errors import ConfigError, Place
from ipsecsim.scenario import library
from ipsecsim.scenario.problems import Problems, did_you_mean
from ipsecsim.scenario.short_forms import lengthen
from ipsecsim.scenario.source import load_file
from ipsecsim.scenario.tree import Map, Text, overlay

MAX_DEPTH = 8


def resolve(root: Map, file: Path | None, problems: Problems) -> Map:
    """The tree with everything it extends underneath. `file` is None for text that lies in no folder.

    A file may extend a neighbour, one in a folder below, or a topology of the library; never one outside.
    """
    lengthen(root)
    folder = None if file is None else file.resolve().parent
    return _resolve(root, folder, folder, [] if file is None else [file.resolve()], problems)


def _resolve(root: Map, folder: Path | None, top: Path | None, seen: list[Path], problems: Problems) -> Map:
    wanted = root.get("extends")
    if wanted is None:
        return root
    if not isinstance(wanted, Text) or not wanted.value:
        raise ConfigError("extends names one topology; write  extends: site_to_site", wanted.place)
    if len(seen) > MAX_DEPTH:
        raise ConfigError(f"more than {MAX_DEPTH} topologies extend one another", wanted.place)
    path = _find(wanted, folder, top)
    if path in seen:
        raise ConfigError(f"'{wanted.value}' ends up extending itself", wanted.place)
    shown = _shown(path, wanted.place)
    base = load_file(path, problems, shown)
    lengthen(base)
    beside = library.root().resolve()
    new_top = beside if path.is_relative_to(beside) and (top is None or not path.is_relative_to(top)) else top
    base = _resolve(base, path.parent, new_top, [*seen, path], problems)
    merged = overlay(base, root)
    merged.entries.pop("extends", None)
    merged.place = root.place
    return merged


def _find(wanted: Text, folder: Path | None, top: Path | None) -> Path:
    """The file meant: beside the extending one, else in the library."""
    name = wanted.value
    plain = name.removesuffix(".yaml").removesuffix(".yml")
    if folder is not None and top is not None:
        candidates = [folder / name] if plain != name else [folder / f"{name}.yaml", folder / f"{name}.yml"]
        for candidate in candidates:
            path = candidate.resolve()
            if not path.is_relative_to(top):
                raise ConfigError(f"'{name}' lies outside the folder of the topology", wanted.place)
            if path.is_file():
                return path
    found = library.find(plain)
    if found is None:
        neighbours = [] if folder is None else [path.stem for path in folder.glob("*.yaml")]
        hint = did_you_mean(plain, [*neighbours, *library.names()])
        raise ConfigError(
            f"there is no topology '{name}' beside this one or in the library{hint}", wanted.place
        )
    return found.resolve()


def _shown(path: Path, place: Place) -> str:
    """How messages call the extended file: like the extending one, when they lie together."""
    folder = Path(place.file).parent
    return str(folder / path.name) if (folder / path.name).resolve() == path else str(path)
