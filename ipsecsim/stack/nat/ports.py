"""Which outside port a new mapping may have (RFC 4787 4.2): the candidates, in the order they are tried."""

from collections.abc import Iterator

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.entropy import Entropy
from ipsecsim.stack.icmp import Problem, Refused
from ipsecsim.stack.nat.behaviour import Behaviour, Ports
from ipsecsim.stack.nat.rewriting import Endpoint

FIRST_PORT, LAST_PORT = 1024, 0xFFFF
WELL_KNOWN = (1, FIRST_PORT - 1)


class Exhausted(Refused):
    """There is no outside port for a new flow, which its sender is told (RFC 5508 REQ-8)."""

    def __init__(self, detail: str) -> None:
        super().__init__(DropReason.NAT_PORTS_EXHAUSTED, detail, Problem.PROHIBITED)


class PortChoice:
    """Remembers who has which range, and which port came last."""

    def __init__(self, behaviour: Behaviour, entropy: Entropy) -> None:
        self._behaviour = behaviour
        self._entropy = entropy
        self._next = FIRST_PORT
        self._ranges: dict[bytes, tuple[bytes, int]] = {}  # by host: outside address and number of its range
        self._owners: dict[tuple[bytes, int], bytes] = {}

    def candidates(self, inside: Endpoint, address: bytes) -> Iterator[int]:
        """The ports of an outside address, for an endpoint inside. Raises Exhausted."""
        kind = self._behaviour.ports
        if kind is Ports.CONTIGUOUS:
            return iter(self._range_of(inside[0], address))
        if kind is Ports.PRESERVING:
            return _near(inside[1])
        if kind is Ports.RANDOM:
            start = FIRST_PORT + self._entropy.fork("port").below(LAST_PORT + 1 - FIRST_PORT)
            return _around(start, FIRST_PORT, LAST_PORT)
        start = self._next
        self._next = FIRST_PORT if start == LAST_PORT else start + 1
        return _around(start, FIRST_PORT, LAST_PORT)

    def release(self, host: bytes) -> None:
        """A host has no mapping any more: its range is free for others."""
        owned = self._ranges.pop(host, None)
        if owned is not None:
            del self._owners[owned]

    def _range_of(self, host: bytes, address: bytes) -> range:
        """The one range of a host: that of its own number if it is free, else the next one."""
        size = self._behaviour.block
        if host not in self._ranges:
            count = (LAST_PORT + 1 - FIRST_PORT) // size
            first = int.from_bytes(host, "big") % count
            free = (
                number for number in _around(first, 0, count - 1) if (address, number) not in self._owners
            )
            number = next(free, None)
            if number is None:
                raise Exhausted(f"all {count} ranges of ports are taken")
            self._ranges[host] = address, number
            self._owners[address, number] = host
        start = FIRST_PORT + self._ranges[host][1] * size
        return range(start, start + size)


def _near(wanted: int) -> Iterator[int]:
    """The port itself, then others of its kind: who has a well-known port may need one (RFC 4787 REQ-3a)."""
    yield wanted
    if wanted < FIRST_PORT:
        yield from _around(wanted + 1, *WELL_KNOWN)
        yield from range(FIRST_PORT, LAST_PORT + 1)
    else:
        yield from _around(wanted + 1, FIRST_PORT, LAST_PORT)


def _around(start: int, first: int, last: int) -> Iterator[int]:
    """From `start` upwards, then from `first` on."""
    yield from range(start, last + 1)
    yield from range(first, min(start, last + 1))
