"""Things that repeat are written once and named by their index: words, layouts."""

import json
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Interned(Generic[Thing]):
    """A list in which each thing stands once. Things are told apart by their JSON."""

    def __init__(self) -> None:
        self.all: list[Thing] = []
        self._index: dict[str, int] = {}

    def __call__(self, thing: Thing) -> int:
        """Where it stands; it is put there if it is new."""
        key = thing if isinstance(thing, str) else json.dumps(thing)
        found = self._index.get(key)
        if found is None:
            found = self._index[key] = len(self.all)
            self.all.append(thing)
        return found
