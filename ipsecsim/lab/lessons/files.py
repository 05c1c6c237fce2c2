"""The notebooks that come with the package, and their claims: in a checkout, or where it is installed."""

import json
from pathlib import Path
from shutil import copyfile
from typing import Any

from ipsecsim.base.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[2]


def root() -> Path:
    """The folder they lie in. A checkout's own comes first: an editable install has no packaged copy."""
    checkout = _PACKAGE.parent / "notebooks"
    return checkout if checkout.is_dir() else _PACKAGE / "_data" / "notebooks"


def notebooks() -> list[Path]:
    """Every lesson, in order."""
    return sorted(root().glob("[0-9][0-9]_*.ipynb"))


def title(notebook: Path) -> str:
    """The first heading of a notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "".join(cells[0]["source"])
    return text.partition("\n")[0].lstrip("# ").strip()


def claims(number: int) -> dict[str, Any]:
    """The expected values of a lesson, each with its source. Raises ConfigError for a lesson that is not there."""
    path = root() / "claims" / f"{number:02}.json"
    if not path.is_file():
        raise ConfigError(f"there is no lesson {number}; `ipsecsim lessons list` names them all")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def copy(folder: Path) -> list[Path]:
    """Copy every lesson into `folder`; what is there already stays. Which files were written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in notebooks():
            target = folder / notebook.name
            if not target.exists():
                copyfile(notebook, target)
                written.append(target)
    except OSError as refused:
        raise ConfigError(f"{folder}: {refused.strerror}; name a folder that can be written") from None
    return written
