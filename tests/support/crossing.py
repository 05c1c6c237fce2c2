"""A crossing of two exchanges as one line of words: who starts what, and which message arrives when.

    west.rekey east.rekey  both begin before either has heard of the other
    w1 e2                  the first message that west has sent since then arrives, then east's second one
    w1!                    it is lost
    w1+                    it arrives, and a copy of it is still on its way
    west!                  nothing that west sends from now on arrives
    w1?                    it is held back: it arrives when it is named again, and not before
    ~                      all that is on its way arrives, in the order of sending, and what follows from it
    20s                    the same, while time passes and what got no answer is sent again

When the words are at an end, everything that is not held runs until nothing is left to do on either side.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ipsecsim.base.actions import Action
from ipsecsim.base.entropy import Entropy
from ipsecsim.base.instant import SECOND
from ipsecsim.ike.actions import RemoveChildSa
from ipsecsim.ike.v2.children import child, child_life
from ipsecsim.ike.v2.duties.tasks import Inform
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from tests.support.pair import Pair, Side

SECOND_CHILD = (["10.3.0.0/24"], ["10.4.0.0/24"])
MOST_MESSAGES = 60
LONGEST = 1200 * SECOND

OPERATIONS = {
    "rekey": lambda side, now: side.endpoint.rekey("net", now),
    "delete": lambda side, now: side.endpoint.terminate_child("net", now),
    "create": lambda side, now: side.endpoint.initiate("second", now),
    "rekey-second": lambda side, now: side.endpoint.rekey("second", now),
    "synchronise": lambda side, now: side.endpoint.synchronise("net", now),
    "rekey-ike": lambda side, now: side.endpoint.rekey_ike("net", now),
    "delete-ike": lambda side, now: side.endpoint.terminate("net", now),
    "live": lambda side, now: [a for sa in side.endpoint.sas[:1] for a in sa.enqueue(Inform(), now)],
    # what a standby does not know when it takes over
    "miss-sent": lambda side, now: _skip(side, -1, 0),
    "miss-heard": lambda side, now: _skip(side, 0, -1),
    # what a peer does that misunderstands the rules, or an administrator who knows better
    "delete-oldest": lambda side, now: _close(side, 0, now),
    "delete-newest": lambda side, now: _close(side, -1, now),
    "lose-child": lambda side, now: _lose(side),
}


@dataclass(slots=True)
class Flight:
    """A datagram on its way. `current`: what its sender sent traffic on, just before."""

    datagram: SendDatagram
    current: tuple[int, bytes] | None
    is_held: bool = False


class Crossing(Pair):
    """An established pair. `losses` are the moments at which a packet of either side would not have arrived."""

    def __init__(self, *, is_mirrored: bool = False, **changes) -> None:
        for side, second in (("west", SECOND_CHILD), ("east", SECOND_CHILD[::-1])):
            changes[side] = {"second": second, **(changes.get(side) or {})}
        super().__init__(**changes)
        self.is_mirrored = is_mirrored
        self._begin()
        self.establish()
        self._begin()

    def _begin(self) -> None:
        self.flight: dict[str, Flight] = {}
        self.losses: list[str] = []
        self._last = ""
        self._cut: set[str] = set()
        self._count = {"w": 0, "e": 0}
        self.sent.clear()
        for side in (self.west, self.east):
            side.events.clear()
            side.actions.clear()

    # -- the words ------------------------------------------------------------------------------

    def play(self, words: str) -> "Crossing":
        """Do what the words say, and then whatever follows."""
        for word in words.split():
            self.say(word)
        self.rest()
        return self

    def say(self, word: str) -> None:
        """One word."""
        word = _mirrored(word) if self.is_mirrored else word
        self._last = word
        if word in ("west!", "east!"):
            self._cut.add(word[0])
        elif "." in word:
            name, operation = word.split(".")
            side = getattr(self, name)
            self.perform(side, OPERATIONS[operation](side, self.now))
        elif word == "~":
            self.settle()
        elif word.endswith("s"):
            self.pass_time(self.now + int(word[:-1]) * SECOND)
        elif word.endswith("?"):
            self.flight[word[:-1]].is_held = True
        elif word.endswith("!"):
            del self.flight[word[:-1]]
        else:
            self.arrive(word.removesuffix("+"), again=word.endswith("+"))

    def arrive(self, name: str, *, again: bool = False) -> None:
        """A datagram arrives; a packet that was sent just before it arrives first."""
        flight = self.flight[name] if again else self.flight.pop(name)
        sender = self.side_of(flight.datagram.source)
        if flight.current is not None and not flight.is_held:
            self._probe(sender, flight.current, f"before {name}")
        self._last = name
        self.inject(flight.datagram)

    def settle(self) -> None:
        """All that is not held arrives, in the order of sending, and what follows from it."""
        while name := self.next_name():
            self.arrive(name)

    def next_name(self) -> str | None:
        """What arrives next: the oldest that is not held."""
        return next((name for name, flight in self.flight.items() if not flight.is_held), None)

    def pass_time(self, until) -> None:
        """Timers ring, and what they send arrives at once."""
        self.settle()
        while (due := self.next_deadline()) is not None and due <= until:
            self.wait_until(due)
            self.settle()
        self.now = max(self.now, until)

    def next_deadline(self):
        """The first timer of either side."""
        deadlines = [side.endpoint.next_deadline() for side in (self.west, self.east)]
        return min((at for at in deadlines if at is not None), default=None)

    def rest(self) -> None:
        """Until no timer is set and no message is on its way."""
        self.settle()
        end = self.now + LONGEST
        while (due := self.next_deadline()) is not None:
            assert due <= end, f"still busy after {LONGEST // SECOND} s"
            self.pass_time(due)

    # -- what is seen ---------------------------------------------------------------------------

    def perform(self, side: Side, actions: list[Action]) -> None:
        """As before, but every datagram has a name, and after every turn packets go both ways."""
        before = self.current(side)
        super().perform(side, actions)
        letter = "w" if side is self.west else "e"
        for datagram in self.wire:
            self._count[letter] += 1
            self.launch(f"{letter}{self._count[letter]}", Flight(datagram, before))
        self.wire.clear()
        assert len(self.sent) <= MOST_MESSAGES, "the two sides never stop talking"
        for each in (self.west, self.east):
            self._probe(each, self.current(each), f"after {self._last}")

    def launch(self, name: str, flight: Flight) -> None:
        """A datagram is on its way."""
        if name[0] not in self._cut:
            self.flight[name] = flight

    def current(self, side: Side) -> tuple[int, bytes] | None:
        """SPI and key of the SA that a side sends the first child's traffic on: the newest."""
        newest = None
        for (direction, spi), parameters in side.sas.items():
            if direction == "out" and parameters.policy == "net":
                newest = spi, parameters.encryption_key
        return newest

    def _probe(self, sender: Side, current: tuple[int, bytes] | None, when: str) -> None:
        receiver = self.east if sender is self.west else self.west
        inbound = current and receiver.sas.get(("in", current[0]))
        if not inbound or inbound.encryption_key != current[1]:
            self.losses.append(f"from {'west' if sender is self.west else 'east'} {when}")

    def children(self, name: str = "net") -> int:
        """How many pairs west has for a child."""
        return sum(each.config.name == name for sa in self.west.endpoint.sas for each in sa.children)

    def side(self, name: str) -> Side:
        """Who plays a part that the words name."""
        return self.east if (name == "east") is not self.is_mirrored else self.west

    def told(self, name: str, kind: type) -> list:
        """The events of a class at a side that the words name."""
        return self.side(name).seen(kind)


def assert_at_rest(crossing: Crossing) -> None:
    """Both ends have the same SAs and nothing else: none half made, none half gone, nothing still to be said."""
    west, east = crossing.west, crossing.east
    assert not [name for name, flight in crossing.flight.items() if not flight.is_held]
    assert {(sa.spi_i, sa.spi_r) for sa in west.endpoint.sas} == {
        (sa.spi_i, sa.spi_r) for sa in east.endpoint.sas
    }
    for side in (west, east):
        for sa in side.endpoint.sas:
            assert sa.state is State.ESTABLISHED
            assert sa.window.outstanding is None
            assert list(sa.agenda) == []
            assert all(each.stands_alone for each in sa.children)
        assert side.endpoint.next_deadline() is None
        children = [each for sa in side.endpoint.sas for each in sa.children]
        spis = {("in", each.spi_in) for each in children} | {("out", each.spi_out) for each in children}
        assert spis == set(side.sas), "an SA without a child, or a child without an SA"
        gone = [(a.direction, a.spi) for a in side.actions if isinstance(a, RemoveChildSa)]
        assert len(gone) == len(set(gone)), "an SA was taken out twice"
    assert _pairs(west, "in", "out") == _pairs(east, "out", "in")


def _pairs(side: Side, *ways: str) -> set[tuple]:
    """Every child with the keys of both directions, named from either side."""
    return {
        (each.config.name, *(side.sas[way, getattr(each, f"spi_{way}")].encryption_key for way in ways))
        for sa in side.endpoint.sas
        for each in sa.children
    }


def _mirrored(word: str) -> str:
    """The same with the roles exchanged."""
    if "." in word or word in ("west!", "east!"):
        return re.sub("^(west|east)", lambda m: "east" if m[0] == "west" else "west", word)
    return re.sub(r"^[we](?=\d)", lambda m: "e" if m[0] == "w" else "w", word)


def _close(side: Side, which: int, now) -> list[Action]:
    (sa,) = side.endpoint.sas[:1]
    return child_life.close(sa, sa.children[which], now)


def _skip(side: Side, sent: int, heard: int) -> list[Action]:
    window = side.endpoint.sas[0].window
    window.skip_to(window.next_request + sent, window.expected_request + heard)
    return []


def _lose(side: Side) -> list[Action]:
    (sa,) = side.endpoint.sas[:1]
    return child.remove(sa, sa.children[0])


@dataclass(slots=True)
class LedEntropy:
    """Chance as it was, but for the first octet of the next nonces."""

    inner: Entropy
    octets: list[int] = field(default_factory=list)
    _nonce: "LedNonces | None" = None

    def fork(self, label: str) -> Entropy:
        return LedNonces(self.inner.fork(label), self.octets) if label == "nonce" else self.inner.fork(label)

    def once(self, label: str) -> Entropy:
        return self.inner.once(label)

    def bytes(self, count: int) -> bytes:
        return self.inner.bytes(count)

    def below(self, limit: int) -> int:
        return self.inner.below(limit)


@dataclass(slots=True)
class LedNonces:
    """The stream of nonces."""

    inner: Entropy
    octets: list[int]

    def bytes(self, count: int) -> bytes:
        drawn = self.inner.bytes(count)
        return bytes([self.octets.pop(0)]) + drawn[1:] if self.octets else drawn


def lead(side: Side, octets: Sequence[int]) -> None:
    """The next nonces that a side's IKE SAs draw begin with these octets: the request's, then the answer's."""
    for sa in side.endpoint.sas:
        sa.entropy = LedEntropy(sa.entropy, list(octets))
