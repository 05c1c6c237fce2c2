"""What a run of the published numbers says: passed, failed, or not supported yet, case by case."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ipsecsim.base.errors import RemoteError


class Outcome(Enum):
    """How a case ended. Only a case with every expected value compared has passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported yet"


class NotSupportedError(Exception):
    """The program has no such algorithm or feature yet; the message is its name."""


class MismatchError(Exception):
    """Something came out differently from what was published."""


@dataclass(frozen=True, slots=True)
class Result:
    """One case's outcome. `detail` is what is missing or what went wrong.

    `reached` names the catalogue rows that a passed case went through, as (table, id, key bits or 0).
    """

    family: str
    name: str
    outcome: Outcome
    detail: str = ""
    reached: frozenset[tuple[str, int, int]] = frozenset()


def judge(family: str, name: str, check: Callable[[], Iterable[tuple[str, int, int]] | None]) -> Result:
    """Run one check and say how it ended. Whatever it raises beyond NotSupportedError is a failure."""
    try:
        reached = check()
    except NotSupportedError as missing:
        return Result(family, name, Outcome.NOT_SUPPORTED, str(missing))
    except (MismatchError, RemoteError) as wrong:
        return Result(family, name, Outcome.FAILED, f"{type(wrong).__name__}: {wrong}")
    except Exception as broken:  # any crash is a failure of this case, and of no other
        return Result(family, name, Outcome.FAILED, f"crashed with {type(broken).__name__}: {broken}")
    return Result(family, name, Outcome.PASSED, reached=frozenset(reached or ()))


def same(what: str, actual: object, expected: object) -> None:
    """Raise MismatchError unless the two are equal. Octet strings are shown as hex, cut short."""
    if actual != expected:
        raise MismatchError(f"{what}: got {_show(actual)}, published is {_show(expected)}")


def _show(value: object) -> str:
    text = value.hex() if isinstance(value, bytes | bytearray) else str(value)
    return text if len(text) <= 80 else text[:80] + "..."
