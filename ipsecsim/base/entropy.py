"""Chance as an argument: a seeded stream that forks by label, so that runs repeat byte for byte."""

from hashlib import sha256
from typing import Protocol


class Entropy(Protocol):
    """Where an engine gets every random byte from."""

    def fork(self, label: str) -> "Entropy":
        """The stream named `label`. Asked twice, it is the same stream, going on."""
        ...

    def once(self, label: str) -> "Entropy":
        """The stream named `label`, which nobody remembers: for labels that never come again."""
        ...

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        ...

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1, every one equally likely."""
        ...


class SeededEntropy:
    """SHA-256 in counter mode over a key that the seed and the labels on the way make.

    A fork depends on its labels only, never on how much was drawn elsewhere: a new draw in one
    place cannot shift another. Good for repeatable lessons, worthless as a secret.
    """

    def __init__(self, seed: str) -> None:
        self._key = sha256(b"ipsecsim seed\0" + seed.encode()).digest()
        self._children: dict[str, SeededEntropy] = {}
        self._counter = 0
        self._buffer = b""

    def fork(self, label: str) -> "SeededEntropy":
        """The stream named `label`. Asked twice, it is the same stream, going on."""
        child = self._children.get(label)
        if child is None:
            child = self._children[label] = self.once(label)
        return child

    def once(self, label: str) -> "SeededEntropy":
        """The stream named `label` from its beginning. It is not kept: peers make as many labels as they like."""
        child = SeededEntropy.__new__(SeededEntropy)
        child._key = sha256(self._key + b"fork\0" + label.encode(errors="surrogatepass")).digest()
        child._children = {}
        child._counter = 0
        child._buffer = b""
        return child

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes of this stream."""
        while len(self._buffer) < count:
            self._buffer += sha256(self._key + self._counter.to_bytes(8, "big")).digest()
            self._counter += 1
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1; draws again rather than favour small numbers."""
        size = (limit.bit_length() + 7) // 8
        ceiling = (1 << (8 * size)) // limit * limit
        while True:
            drawn = int.from_bytes(self.bytes(size), "big")
            if drawn < ceiling:
                return drawn % limit
