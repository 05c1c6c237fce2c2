"""Runs cases, each in network and mount namespaces of its own, so that they neither meet nor leave anything.

Needs root, or a kernel that lets everybody have a user namespace (`unshare -Urmn`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ipsecsim.emulation import strongswan
from tests.interop import masquerade
from tests.interop.cases import CASES
from tests.interop.row import Row

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60  # seconds; a case ends itself long before
AT_ONCE = 4  # most of a case is waiting


def why_not() -> str | None:
    """What keeps the cases from running here, and how to get it; None when nothing does."""
    lacking = strongswan.missing() or masquerade.missing()
    if lacking is not None:
        return lacking
    for words in (("mount", "-t", "tmpfs", "tmpfs", "/run"), ("ip", "tuntap", "add", "probe", "mode", "tun")):
        tried = subprocess.run([*_unshare(), *words], capture_output=True, text=True, check=False)
        if tried.returncode:
            return f"strongSwan peer: `{' '.join(words)}` in a namespace: {tried.stderr.strip()}; run as root"
    return None


def run(key: str) -> list[Row]:
    """One case, in a process that has its own network."""
    command = [*_unshare(), sys.executable, "-m", "tests.interop.inside", key]
    case = CASES[key]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
        )
        if done.returncode == 0 and not done.stderr:
            return [Row(**row) for row in json.loads(done.stdout)]
        detail = done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        detail = f"not over after {LIMIT} s"
    return [Row("strongSwan", case.role, case.name, "process", "FAILED", 0.0, detail)]


def run_all(keys: Sequence[str]) -> Iterator[list[Row]]:
    """The rows of each case, in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(run, keys)


def _unshare() -> list[str]:
    as_root_inside = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *as_root_inside, "--mount", "--net"]
