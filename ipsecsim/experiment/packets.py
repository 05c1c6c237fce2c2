"""The packets of a run as values: chosen by words, text or a question, and asked what became of them.

A packet is one datagram's life. It is chosen when one of its hops is, or, where it never was on a link by itself,
as it was made.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, overload

from ipsecsim.base.address import unpack
from ipsecsim.base.errors import ConfigError
from ipsecsim.base.instant import SECOND
from ipsecsim.experiment.asked import as_text, read_selection
from ipsecsim.experiment.run import Run
from ipsecsim.experiment.selection import Sight, crossing
from ipsecsim.observe.lives import kinship
from ipsecsim.observe.lives.fate import Fate, Outcome, fate, outcome
from ipsecsim.observe.lives.journey import Journey, journey
from ipsecsim.observe.lives.life import Hop, Life
from ipsecsim.observe.packets.changes import FieldChange, differences
from ipsecsim.observe.written.data_frame import data_frame
from ipsecsim.wire import ip
from ipsecsim.wire.layers import kind, layers

Test = Callable[["Packet"], bool]


class NoSuchThing(ConfigError):
    """What somebody asks for is not there; the message says what is."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What became of a packet at one place: `by` is the node, or the link."""

    by: str
    before: bytes
    after: bytes
    changes: tuple[FieldChange, ...]


class Packet:
    """One datagram, with one number from birth to end. `life` has all that was recorded of it."""

    def __init__(self, run: Run, life: Life) -> None:
        self._run = run
        self.life = life

    def __repr__(self) -> str:
        return f"<packet #{self.number} {self.kind} {self.source} > {self.to} {self.size} B {self.fate}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packet) and other.life is self.life

    def __hash__(self) -> int:
        return hash(id(self.life))

    @property
    def number(self) -> int:
        """Its number, from 1 in the order of births."""
        return self.life.number

    @property
    def data(self) -> bytes:
        """Its bytes as they were made."""
        return self.life.first

    @property
    def size(self) -> int:
        """In bytes, with all headers."""
        return len(self.life.first)

    @property
    def kind(self) -> str:
        """One word: esp, ah, ike, icmp, udp, fragment."""
        return kind(self.life.first)

    @property
    def layers(self) -> tuple[str, ...]:
        """The headers in clear, outermost first."""
        return layers(self.life.first)

    @property
    def source(self) -> str:
        """The node that made it."""
        return self.life.node

    @property
    def to(self) -> str:
        """The node that took it, else the one that it was sent to, by address where it is nobody's."""
        if self.life.ends in ("delivered", "opened", "joined"):
            return self.life.steps[-1].node
        if self.kind == "malformed":
            return ""
        address = ip.destination(self.life.first)
        nodes = self._run.world.simulator.nodes.items()
        return next((name for name, node in nodes if address in node.stack.addresses), unpack(address))

    @property
    def fate(self) -> str:
        """What became of it, with whatever carried it: delivered, dropped, lost, held, stored, on its way."""
        return self._outcome.word

    @property
    def reason(self) -> str:
        """The name of the reason for which it ended, or of the one for which IKE refused it; empty without one."""
        reason = self._outcome.reason
        return "" if reason is None else reason.name

    @property
    def facts(self) -> dict[str, object]:
        """What every list of packets has of it: number, kind, both ends, size, fate and reason."""
        names = ("number", "kind", "source", "to", "size", "fate", "reason")
        return {name: getattr(self, name) for name in names}

    @property
    def hops(self) -> Sequence[Hop]:
        """Every crossing of a link, in order."""
        return self.life.hops

    @property
    def carries(self) -> tuple["Packet", ...]:
        """The packets that were put into it."""
        return self._others(self.life.carries)

    @property
    def carried_by(self) -> tuple["Packet", ...]:
        """The packets that it was put into."""
        return self._others(self.life.carried_by)

    @property
    def answered_by(self) -> tuple["Packet", ...]:
        """The packets that were made because of it, for who sent it."""
        return self._others(self.life.answered_by)

    def causes(self) -> "Packets":
        """The packets that this one came of, however far back: those it carries, answers, copies, is a piece of."""
        lives = self._run.lives
        return Packets(self._run, [lives[number] for number in kinship.causes(lives.all, self.life)])

    def effects(self) -> "Packets":
        """The packets that came of this one, however far: they carry, answer, copy it or are its pieces."""
        lives = self._run.lives
        return Packets(self._run, [lives[number] for number in kinship.effects(lives.all, self.life)])

    def bytes_on(self, hop: int) -> bytes:
        """As it was sent on its hop of this number, from 1. Raises NoSuchThing."""
        if not 1 <= hop <= len(self.hops):
            raise NoSuchThing(
                f"packet {self.number} has no hop {hop}; it has {len(self.hops)}, numbered from 1"
            )
        return self.hops[hop - 1].packet

    def diff(self, where: int | str) -> Diff:
        """What the node did that sent it on its hop of this number, from 2; or what a node, or a link, did to it.

        Raises NoSuchThing where it was not.
        """
        for number, (before, after) in enumerate(pairwise(self.hops), 2):
            if where in (number, after.source):
                return self._change(after.source, before.arrived_packet or before.packet, after.packet)
        for hop in self.hops:
            if where == hop.link:
                return self._change(hop.link, hop.packet, hop.arrived_packet or hop.packet)
        passed = [*(hop.source for hop in self.hops[1:]), *(hop.link for hop in self.hops)]
        there = ", ".join(dict.fromkeys(passed)) or "nothing"
        raise NoSuchThing(f"packet {self.number} did not pass '{where}'; it passed: {there}")

    def _change(self, by: str, before: bytes, after: bytes) -> Diff:
        return Diff(by, before, after, tuple(differences(before, after, self._run.keys)))

    def fate_of(self, hop: Hop) -> Fate:
        """What became of it behind one hop."""
        return fate(self._run.lives, self.life, hop)

    def follow(self) -> Journey:
        """Through all that changed or carried it."""
        return journey(self._run.lives, self.life)

    @property
    def _outcome(self) -> Outcome:
        return outcome(self._run.lives, self.life)

    def _others(self, numbers: Sequence[int]) -> tuple["Packet", ...]:
        return tuple(type(self)(self._run, self._run.lives[number]) for number in numbers)

    def sights(self) -> Iterator[Sight]:
        """What can be asked about: each hop, or the packet as it was made."""
        life = self.life
        if life.hops:
            yield from (crossing(life, hop) for hop in life.hops)
        else:
            at = self._run.recorder.turn(life.born)[0].at
            yield Sight(life.born, at, life.node, "", life.number, (life.first,), life.reason, life.traffic)


class Packets(Sequence[Packet]):
    """Packets of a run as they were made. `asked` has the words that chose them, `links` the links among those."""

    _kind: type[Packet] = Packet  # what it is a sequence of: somebody above may know more of a packet

    def __init__(
        self,
        run: Run,
        lives: Sequence[Life] | None = None,
        asked: tuple[str, ...] = (),
        links: tuple[str, ...] = (),
    ) -> None:
        self._run = run
        self._lives = run.lives.all if lives is None else lives
        self._asked = asked
        self._links = links

    def __len__(self) -> int:
        return len(self._lives)

    @overload
    def __getitem__(self, index: int) -> Packet: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Packet | Self:
        if isinstance(index, slice):
            return type(self)(self._run, self._lives[index], self._asked, self._links)
        return self._kind(self._run, self._lives[index])

    def __repr__(self) -> str:
        return f"<{len(self)} packets{' where ' + self._words if self._asked else ''}>"

    def number(self, number: int) -> Packet:
        """The packet of this number, which counts all packets of the run. Raises NoSuchThing."""
        lives = self._run.lives.all
        if not 1 <= number <= len(lives):
            raise NoSuchThing(f"no packet {number}; the run has {len(lives)}, numbered from 1")
        return self._kind(self._run, lives[number - 1])

    def where(self, *asked: str | Test, **words: object) -> Self:
        """Those that fit: 'layer=esp link=wan', layer="esp", or a question such as `lambda p: p.size > 1400`.

        All must hold, and all words on one hop; several values of a word mean any of them. Raises ConfigError for
        words that are not understood.
        """
        tests = [each for each in asked if not isinstance(each, str)]
        written = as_text([each for each in asked if isinstance(each, str)], words)
        conditions, fits = read_selection(self._run, written)
        chosen = [
            each.life
            for each in self
            if (not conditions or any(map(fits, each.sights()))) and all(test(each) for test in tests)
        ]
        said = (*self._asked, *([written] if written else []), *["a test"] * len(tests))
        links = [name for each in conditions if each.key == "link" for name in each.values]
        return type(self)(self._run, chosen, said, (*self._links, *links))

    @property
    def first(self) -> Packet:
        """The one that was made first. Raises NoSuchThing."""
        return self._some()[0]

    @property
    def last(self) -> Packet:
        """The one that was made last. Raises NoSuchThing."""
        return self._some()[-1]

    def one(self) -> Packet:
        """The only one. Raises NoSuchThing when there is none, or another."""
        some = self._some()
        if len(some) > 1:
            raise NoSuchThing(
                f"{len(some)} packets match {self._words}, and one is wanted; the first one is #{some[0].number}"
            )
        return some[0]

    @property
    def count(self) -> int:  # type: ignore[override]  # nobody counts how often one packet is in there
        """How many they are."""
        return len(self._lives)

    @property
    def sizes(self) -> list[int]:
        """How long each is, in bytes."""
        return [each.size for each in self]

    @property
    def bytes(self) -> int:
        """How long all are together."""
        return sum(self.sizes)

    def to_pandas(self) -> Any:
        """A row a packet, by number, as a pandas DataFrame. Raises ConfigError where pandas is not installed."""
        return data_frame([_row(each) for each in self], "number")

    @property
    def _words(self) -> str:
        return f'"{" ".join(self._asked)}"'

    def _some(self) -> Self:
        if self._lives:
            return self
        if not self._asked:
            raise NoSuchThing("nothing was sent yet")
        raise NoSuchThing(f"no packet matches {self._words}; {self._known()}")

    def _known(self) -> str:
        """What there would have been, on the links that were named."""
        on = f"on {' and '.join(dict.fromkeys(self._links))} " if self._links else ""
        there = [
            each
            for each in Packets(self._run)
            if not self._links or any(hop.link in self._links for hop in each.hops)
        ]
        if not there:
            return f"nothing was sent {on}".rstrip()
        counted = Counter(each.kind for each in there).most_common()
        return f"{on}there are: {', '.join(f'{name} {number}' for name, number in counted)}"


def _row(packet: Packet) -> dict[str, object]:
    life, hops = packet.life, packet.hops
    return {
        **packet.facts,
        "traffic": " ".join(sorted(life.traffic)),
        "born": life.born,
        "ended": life.ended,
        "sent_at": hops[0].at / SECOND if hops else None,
        "arrived_at": None if not hops or hops[-1].arrived_at is None else hops[-1].arrived_at / SECOND,
        "hops": len(hops),
        "carries": tuple(life.carries),
        "carried_by": tuple(life.carried_by),
        "answers": life.answers,
    }
