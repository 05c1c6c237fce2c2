"""The topologies that come with the package: found by name, in a checkout or where it is installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def root() -> Path:
    """The folder they lie in. A checkout's own comes first: an editable install has no packaged copy."""
    checkout = _PACKAGE.parent / "topologies"
    return checkout if checkout.is_dir() else _PACKAGE / "_data" / "topologies"


def names() -> list[str]:
    """The names of all of them, in order."""
    return sorted(path.stem for path in root().glob("*.yaml"))


def find(name: str) -> Path | None:
    """The file of a name, or None. A name is no path: it can't lead elsewhere."""
    return root() / f"{name}.yaml" if name in names() else None
