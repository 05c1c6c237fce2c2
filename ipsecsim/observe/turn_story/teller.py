"""Tells the turns of a recording. What is said of a turn does not change when the recording grows."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping
from dataclasses import replace

from ipsecsim.base.address import unpack
from ipsecsim.base.trace import TraceEvent
from ipsecsim.ike import events as ike
from ipsecsim.ike import mobility_events as mobility
from ipsecsim.ike.fragment_events import IkeFragmentStored
from ipsecsim.ipsec import events as ipsec
from ipsecsim.net import events as net
from ipsecsim.observe.lives.life import Life
from ipsecsim.observe.lives.lives import Lives
from ipsecsim.observe.recorder import Recorder
from ipsecsim.observe.telling.explain import clause
from ipsecsim.observe.turn_story import drops, life, naming
from ipsecsim.observe.turn_story.culprit import culprit
from ipsecsim.observe.turn_story.facts import Facts, Place
from ipsecsim.observe.turn_story.hooks import hooks
from ipsecsim.observe.turn_story.ike import HANDSHAKE
from ipsecsim.observe.turn_story.ike_life import EXCHANGES, LIFE, MOBILITY
from ipsecsim.observe.turn_story.ipsec import IPSEC
from ipsecsim.observe.turn_story.nat import NAT
from ipsecsim.observe.turn_story.network import NETWORK
from ipsecsim.observe.turn_story.row import Row, filled
from ipsecsim.observe.turn_story.story import Relation, TurnStory
from ipsecsim.stack import events as stack
from ipsecsim.stack.nat import events as nat
from ipsecsim.wire import ip

ROWS: tuple[Row, ...] = (
    *life.FIRST,
    *MOBILITY,
    *LIFE,
    *HANDSHAKE,
    *EXCHANGES,
    *IPSEC,
    *NAT,
    *NETWORK,
    *life.LAST,
)
"""What may be said of a turn; the first row that fits is said. A drop goes before all of them."""

_NOWHERE = Place()
_STATE = (
    ike.StateChanged,
    ike.ChildRekeyed,
    ike.AddressLent,
    ike.AddressReturned,
    ike.RekeyPostponed,
    mobility.PathChanged,
    mobility.PeerRebound,
    mobility.AddressLost,
    ipsec.SaInstalled,
    ipsec.SaRemoved,
    ipsec.SaMoved,
    ipsec.PacketHeld,
    nat.MappingMade,
    nat.MappingEnded,
    stack.AddressTaken,
    stack.AddressReleased,
    stack.ConnectionOpened,
    stack.ConnectionForgotten,
    stack.PathMtuLowered,
    stack.FragmentStored,
    stack.RulesChanged,
    net.AddressChanged,
    net.InterfaceChanged,
    net.SettingChanged,
    net.NodeCrashed,
    net.NodeStarted,
)
_IKE = (
    ike.IkeMessageSent,
    ike.IkeMessageReceived,
    ike.MessageRetransmitted,
    ike.ResponseRepeated,
    IkeFragmentStored,
)
_APP = (
    net.EchoRequestSent,
    net.EchoReplyReceived,
    net.EchoReplyMissed,
    net.DatagramSent,
    net.DatagramReceived,
    net.FlowPacketArrived,
    net.QueryAnswered,
    net.QueryGivenUp,
    net.HopFound,
    net.HopSilent,
    net.TrafficRefused,
    net.PathMtuFound,
    stack.EchoAnswered,
)


class Teller:
    """Give it what is known of the nodes, by name: then sentences say 'bob', not '10.2.0.2'."""

    def __init__(
        self, recorder: Recorder, places: Mapping[str, Place] | None = None, lives: Lives | None = None
    ) -> None:
        self._recorder = recorder
        self._places = places or {}
        self.lives = Lives(recorder) if lives is None else lives
        self._owners = {address: name for name, place in self._places.items() for address in place.addresses}
        self._heard = _Names()  # by who hears, and the address
        self._taken = _Names()  # virtual addresses
        self._virtual: set[bytes] = set()
        self._turns = 0

    def tell(self, turn: int) -> TurnStory:
        """The story of one turn, counted from 1. Raises IndexError for a turn that did not happen."""
        facts = self._facts(turn)
        if facts.drops:
            return self._drop(facts)
        row, event = _row(facts)
        about = event if row.clause_of is None else facts.first(row.clause_of) or event
        return self._story(
            facts, row.verb, filled(row.say, event, facts), filled(row.deeper, event, facts), clause(about)
        )

    def kinds(self, turn: int) -> tuple[str, ...]:
        """What one turn is about, as in its story. Raises IndexError for a turn that did not happen."""
        return _kinds(self._facts(turn))

    def _facts(self, turn: int) -> Facts:
        rows = self._recorder.turn(turn)
        self._catch_up()
        node = rows[0].turn.node
        return Facts(
            rows,
            self.lives,
            self._place(node, turn),
            lambda address: self._name(node, address, turn),
            lambda address: self.owner(address, turn),
        )

    def _drop(self, f: Facts) -> TurnStory:
        drop = f.drops[0]
        row = next(each for each in f.rows if each.event is drop)
        number = self.lives.about[row.sequence]
        ended = self.lives.ended_by.get(row.sequence) or (self.lives[number] if number else None)
        found = culprit(drop, ended, self._recorder)
        story = self._story(
            f, "drops", drops.said(f, drop, found), drops.deeper(f, drop, found), drop.reason.clause
        )
        return replace(story, drop=drops.story(f, drop, found))

    def _story(self, f: Facts, verb: str, say: str, deeper: str, where: str) -> TurnStory:
        return TurnStory(
            f.number,
            f.rows[0].turn.at,
            f.node,
            verb,
            self._relation(f),
            _kinds(f),
            None if f.arrived is None else f.arrived.frame,
            tuple(crossing.frame for crossing in self.lives.in_turn(f.number).went),
            say,
            deeper,
            where,
            hooks(f),
            naming.name(f.packet) if f.packet else "",
        )

    # -- packets --------------------------------------------------------------------------------

    def _relation(self, f: Facts) -> Relation:
        """How what goes out stands to what came in."""
        came = f.came
        if came is None or not f.sent:
            return "none"
        went = [self.lives.by_frame[each.frame] for each in f.sent]
        if any(each is came or came.number in each.piece_of or each.number in came.piece_of for each in went):
            return "same"
        if any(self._carries(each, came) for each in went):
            return "wrap"
        inside = self._inside(came)
        if any(each in inside or any(self._carries(each, one) for one in inside) for each in went):
            return "unwrap"
        return "answer"

    def _carries(self, outer: Life, inner: Life) -> bool:
        return inner.number in outer.carries or any(
            self.lives[n].number in outer.carries for n in inner.pieces
        )

    def _inside(self, outer: Life) -> list[Life]:
        """What came out of a packet, or out of what it is a fragment of."""
        wholes = [outer, *(self.lives[number] for number in outer.piece_of)]
        return [self.lives[number] for whole in wholes for number in whole.carries]

    # -- names ----------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Who was heard from which address, by whom: to its peers a NAT's address means the node behind it."""
        self.lives.catch_up()
        for number in range(self._turns + 1, self._recorder.turns + 1):
            for row in self._recorder.turn(number):
                event = row.event
                if isinstance(event, net.FrameArrived):
                    sender = self.lives.by_frame.get(event.frame)
                    if sender is not None and naming.layer(event.packet) != "plain":
                        self._heard.note((row.turn.node, ip.source(event.packet)), number, sender.node)
                elif isinstance(event, stack.AddressTaken):
                    self._virtual.add(event.address)
                    self._taken.note(event.address, number, row.turn.node)
        self._turns = self._recorder.turns

    def _name(self, node: str, address: bytes, turn: int) -> str:
        return self._heard.get((node, address), turn) or self.owner(address, turn)

    def owner(self, address: bytes, turn: int) -> str:
        """The node that has an address, as far as it was known by that turn; else the address as text."""
        return self._owners.get(address) or self._taken.get(address, turn) or unpack(address)

    def _place(self, node: str, turn: int) -> Place:
        place = self._places.get(node, _NOWHERE)
        taken = {address for address in self._virtual if self._taken.get(address, turn) == node}
        return replace(place, addresses=place.addresses | taken) if taken else place


class _Names:
    """Names that change in the course of a run."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[list[int], list[str]]] = {}

    def note(self, key: Hashable, turn: int, name: str) -> None:
        turns, names = self._known.setdefault(key, ([], []))
        if not names or names[-1] != name:
            turns.append(turn)
            names.append(name)

    def get(self, key: Hashable, turn: int) -> str:
        turns, names = self._known.get(key, ([], []))
        at = bisect_right(turns, turn)
        return names[at - 1] if at else ""


def tell(recorder: Recorder, turn: int, places: Mapping[str, Place] | None = None) -> TurnStory:
    """The story of one turn; who wants several keeps a Teller. Raises IndexError."""
    return Teller(recorder, places).tell(turn)


def _row(facts: Facts) -> tuple[Row, TraceEvent]:
    for row in ROWS:
        event = facts.first(row.on)
        if event is not None and row.when(event, facts):
            return row, event
    raise LookupError(f"no row fits turn {facts.number}")  # the last rows fit every turn


def _kinds(f: Facts) -> tuple[str, ...]:
    protected = {each.protocol for each in f.all(ipsec.PacketSealed)}
    protected |= {each.protocol for each in f.all(ipsec.PacketOpened)}
    if f.drops and f.drops[0].reason.layer in ("sad", "esp", "ah"):
        protected.add(naming.layer(f.packet).upper())
    found = {
        "ike": f.has(*_IKE) or any(each.reason.layer == "ike" for each in f.drops),
        "esp": "ESP" in protected,
        "ah": "AH" in protected,
        "nat": f.has(nat.PacketTranslated, nat.MappingMade, nat.MappingEnded),
        "state": f.has(*_STATE),
        "drop": bool(f.drops),
        "forward": f.is_forwarded,
        "app": f.has(*_APP),
    }
    return tuple(kind for kind, there in found.items() if there)
