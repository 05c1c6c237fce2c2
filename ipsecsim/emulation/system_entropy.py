"""Chance from the operating system: what leaves this machine for real must not be repeatable."""

import os
import secrets


class SystemEntropy:
    """An `Entropy` (base/entropy.py) without a seed."""

    def fork(self, label: str) -> "SystemEntropy":
        """The one stream there is: nobody can tell its parts apart, so labels change nothing."""
        return self

    def once(self, label: str) -> "SystemEntropy":
        """The one stream there is."""
        return self

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        return os.urandom(count)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1, every one equally likely."""
        return secrets.randbelow(limit)
