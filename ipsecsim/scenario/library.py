"""The topologies that come with the package: found by name, in a checkout or where it is installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def root() -> Path:
    """The folder they lie in. A checkout's own comes first: an editable install has no packaged copy."""
    checkout = _PACKAGE.parent / "topologies"
    return checkout if checkout.is_dir() else _PACKAGE / "_data" / "topologies"


def names() -> list[str]:
    """The names of all of them, in order. Folders are no part of a name."""
    return sorted(path.stem for path in root().rglob("*.yaml"))


def groups() -> dict[str, list[str]]:
    """The names by the folder below the root that they lie in, '' for the root itself, which comes first."""
    found: dict[str, list[str]] = {}
    for path in sorted(root().rglob("*.yaml"), key=lambda path: (path.parent, path.stem)):
        folder = path.parent.relative_to(root()).as_posix()
        found.setdefault("" if folder == "." else folder, []).append(path.stem)
    return found


def find(name: str) -> Path | None:
    """The file of a name, or None. A name is no path: it can't lead elsewhere."""
    return next((path for path in root().rglob("*.yaml") if path.stem == name), None)
