"""What is shot at: something that makes hostile input for itself, takes it in, and says what became of it."""

import gc
from collections.abc import Iterable
from random import Random
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, ClassVar

from ipsecsim.base.trace import PacketDropped, TraceEvent
from tests.hostile.seeds import Finding

ACCEPTED = "accepted"


class Broken(Exception):
    """No exception came, but a rule was broken that hostile bytes must not bend."""


class Target:
    """A target begins in the same state for the same `chance`; a batch of inputs is fed to one target.

    `share` is how many of a thousand batches it gets. An input that takes more than `most_ms` is a failure.
    """

    name: ClassVar[str]
    share: ClassVar[int]
    most_ms: ClassVar[float] = 100

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def next_input(self) -> bytes:
        """The next hostile bytes; puts the target back into its state where the last ones destroyed it."""
        raise NotImplementedError

    def feed(self, data: bytes) -> str:
        """Take them in. The drop reason, or ACCEPTED. Any exception is a failure."""
        raise NotImplementedError

    def explain(self) -> str:
        """What only the target knows about the last input: the state it met, or what was under its seal."""
        return ""

    def finish(self) -> None:
        """Let all timers run out, then see that nothing stays behind. Raises Broken."""

    def replay(self, finding: Finding) -> str:
        """Feed what was once found, in the state in which it did harm. What became of the last input."""
        return [self.feed(data) for data in finding.inputs][-1]


def outcome(events: Iterable[TraceEvent]) -> str:
    """The reason of the first drop that was told, or ACCEPTED."""
    for event in events:
        if isinstance(event, PacketDropped):
            return event.reason.name
    return ACCEPTED


def require(condition: object, rule: str) -> None:
    """Raise Broken unless the rule holds."""
    if not condition:
        raise Broken(rule)


_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType)


def reachable(*roots: Any, without: Iterable[Any] = ()) -> int:
    """How many objects hang on some others, code left out: what a table that grows makes grow.

    `without` is not counted, nor what hangs on it alone: caches with a limit of their own.
    """
    seen = {id(each) for each in without}
    waiting = [root for root in roots if id(root) not in seen]
    seen.update(map(id, waiting))
    count = 0
    while waiting:
        count += 1
        for each in gc.get_referents(waiting.pop()):
            if id(each) not in seen and not isinstance(each, _CODE):
                seen.add(id(each))
                waiting.append(each)
    return count
