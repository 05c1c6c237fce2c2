"""What the tables of sentences share: the shape of a row, and how numbers and keys are said."""

from collections.abc import Callable, Mapping
from typing import Any

from ipsecsim.base.trace import TraceEvent

Clause = str | Callable[[Any], str]
Telling = tuple[Callable[[Any], str], Clause]
Tellings = Mapping[type[TraceEvent], Telling]


def count(number: int, word: str, words: str = "") -> str:
    """A number and its noun: '1 packet', '2 packets'."""
    return f"{number} {word if number == 1 else words or word + 's'}"


def start_of(key: bytes) -> str:
    """Enough of a key to recognise it."""
    return f"{key[:4].hex()}..."


def icmp_clause(address: bytes, of_ipv6: str) -> str:
    """Where ICMP of an address's version is written down."""
    return "RFC 792" if len(address) == 4 else of_ipv6
