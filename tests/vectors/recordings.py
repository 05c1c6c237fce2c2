"""The one runner for recordings: finds folders with a `keys.json`, and sends each to what knows its form.

Further directories of such folders come from IPSECSIM_CAPTURES, separated by colons.
"""

import json
from pathlib import Path

from tests.support.pcap import BadPcapError
from tests.vectors import recorded_kernel, recorded_session
from tests.vectors.results import Outcome, Result
from tests.vectors.runner import environment_paths

CAPTURES = Path(__file__).parent / "captures"
ENVIRONMENT = "IPSECSIM_CAPTURES"


def folders() -> dict[str, Path]:
    """Every recording by family name: the project's own, then those of the environment.

    Raises FileNotFoundError when a directory holds no recordings.
    """
    found: dict[str, Path] = {}
    for directory in (CAPTURES, *environment_paths(ENVIRONMENT)):
        paths = sorted(path.parent for path in directory.rglob("keys.json"))
        if not paths:
            raise FileNotFoundError(f"no recordings in {directory}")
        for path in paths:
            inside = path.relative_to(directory).as_posix() if path != directory else directory.name
            name = inside if directory == CAPTURES else f"{directory.name}/{inside}"
            while name in found:
                name += "'"
            found[name] = path
    return found


def run_folder(family: str, folder: Path) -> list[Result]:
    """The results of one recording. One that cannot be read is one failure."""
    try:
        keys = json.loads((folder / "keys.json").read_text())
        if not list(folder.glob("*.pcap")):
            raise ValueError("no pcap file")
        run = recorded_kernel.run if "sas" in keys else recorded_session.run
        return run(family, folder, keys)
    except (OSError, ValueError, BadPcapError) as wrong:
        return [Result(family, folder.name, Outcome.FAILED, f"cannot be read: {wrong}")]
    except (KeyError, TypeError, AttributeError) as wrong:
        detail = f"keys.json has another form: {type(wrong).__name__} {wrong}"
        return [Result(family, folder.name, Outcome.FAILED, detail)]


def run_all() -> list[Result]:
    """The results of all recordings."""
    return [result for family, folder in folders().items() for result in run_folder(family, folder)]
