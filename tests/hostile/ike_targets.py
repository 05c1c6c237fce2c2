"""The IKE endpoint in every state of both roles: messages in clear, forged ones, and ones under a good seal."""

from collections.abc import Callable
from random import Random
from typing import Any

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import SECOND, ms
from ipsecsim.ike.actions import InstallChildSa, RemoveChildSa
from ipsecsim.ike.config import HalfOpenLimits
from ipsecsim.ike.v2.messages.message import Path
from ipsecsim.ike.v2.sa import IkeSa
from ipsecsim.ike.v2.states import State
from ipsecsim.ipsec.actions import SendDatagram
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType, ProtocolId
from tests.hostile import mutators
from tests.hostile.chains import Link, Links, any_chain, emit_links, spoil_chain, spoil_links, spoil_message
from tests.hostile.ike_situations import (
    LOADED,
    SHAPES,
    STATES,
    WITHOUT_KEYS,
    Situation,
    clone,
    header_for,
    seal,
    situation,
)
from tests.hostile.seeds import Finding, seeds
from tests.hostile.target import Broken, Target, outcome, reachable, require

AMPLIFICATION = 3  # an unproved sender gets at most so many bytes for each of its own
MOST_HALF_OPEN = 2 * max(HalfOpenLimits().per_address, LOADED.per_address)
"""As many that have shown their address, and as many that nobody has asked to."""
LEFT_OVER = 40  # objects: a few numbers and lists that differ from run to run
_NEVER = 10_000  # no engine needs so many timers to come to rest
_WATCHED = (State.INIT_SENT, State.AUTH_SENT, State.INIT_ANSWERED, State.DELETING)
_EXCHANGES = (34, 35, 36, 37, 37, 38, 43, 44, 5, 255)


class _Ike(Target):
    """What both kinds share: a victim, its copy for a new start, and the rules that always hold."""

    states: tuple[str, ...] = ()

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self.begin(chance.choice(self.states), chance.choice(tuple(SHAPES)))

    def begin(self, state: str, shape: str) -> None:
        """Bring a victim into that state."""
        self.shape = shape
        self.made: Situation = situation(state, shape)
        self.now = self.made.now
        self._kept = clone(self.made.endpoint)
        self._kept_installed = set(self.made.victim.sas)
        self._installed = set(self._kept_installed)
        self._standing = self._stand()
        self._at_rest = self._residue()

    # -- state ----------------------------------------------------------------------------------

    def _stand(self) -> list[Any]:
        """By this one sees that the victim is no longer in the state it is meant to be in."""
        return [(sa.state, len(sa.children), sa.window.outstanding is None) for sa in self.made.endpoint.sas]

    def _prepare(self) -> None:
        """Let a little time pass, seldom a lot; and begin anew when the last input has changed the state."""
        if self.made.name == "responder, no state":
            half_open = len(self.made.endpoint.sas)
            require(half_open <= MOST_HALF_OPEN, f"{half_open} half-open SAs of one address")
            if half_open and self.chance.random() < 0.1:
                self._pass_time(60 * SECOND)
        elif self._stand() != self._standing:
            self.restore()
        is_long = self.chance.random() < 0.01
        self._pass_time(self.chance.choice((5, 21)) * SECOND if is_long else ms(1))
        if is_long and self.made.name != "responder, no state" and self._stand() != self._standing:
            self.restore()
        self.made.victim.events.clear()

    def restore(self) -> None:
        """Put the victim back to where it began."""
        self.made.victim.endpoint = clone(self._kept)
        self._installed = set(self._kept_installed)
        self.now = self.made.now

    def _pass_time(self, length: int) -> None:
        """Every timer rings when it is due."""
        until = self.now + length
        for _ in range(_NEVER):
            due = self.made.endpoint.next_deadline()
            if due is None or due > until:
                self.now = until
                return
            self.now = max(self.now, due)
            self._perform(self.made.endpoint.handle_timeout(self.now))
        raise Broken("the timers never come to rest")

    def _perform(self, actions: list[Action]) -> int:
        """Keep the books about installed SAs. How many bytes were sent."""
        sent = 0
        for action in actions:
            if isinstance(action, SendDatagram):
                sent += len(action.payload)
            elif isinstance(action, InstallChildSa):
                require(action.parameters.selectors, "an SA was installed that carries nothing")
                self._installed.add((action.parameters.direction.value, action.parameters.spi))
            elif isinstance(action, RemoveChildSa):
                self._installed.discard((action.direction.value, action.spi))
        return sent

    # -- feeding --------------------------------------------------------------------------------

    def _take(self, path: Path, data: bytes) -> int:
        """Feed a message and check what holds for any message. How many bytes were sent."""
        events = self.made.victim.events
        events.clear()
        sent = self._perform(self.made.endpoint.datagram(path, data, self.now))
        carried = set()
        for sa in self.made.endpoint.sas:
            if sa.state in _WATCHED:
                require(sa.next_deadline() is not None, f"an SA waits for ever: {sa.state.value}")
            for child in sa.children:
                carried.add(("in", child.spi_in))
                if child.waiting is None and not child.is_half_closed:  # else another one sends
                    carried.add(("out", child.spi_out))
        require(carried == self._installed, "the installed SAs are not those of the living IKE SAs")
        return sent

    def explain(self) -> str:
        return f"{self.made.name}; {self.shape}"

    def finish(self) -> None:
        """An hour later nothing that hostile bytes brought may be left."""
        grown = self._residue() - self._at_rest
        require(
            grown <= LEFT_OVER, f"{self.explain()}: {grown} objects more than at the beginning stay behind"
        )

    def _residue(self) -> int:
        """What is left an hour after every SA was taken down."""
        self._perform(self.made.endpoint.forget())
        self._pass_time(3600 * SECOND)
        require(not self._installed, "an SA outlives its IKE SA")
        self.made.victim.events.clear()
        left = reachable(self.made.endpoint)
        self.restore()
        return left


def _fingerprint(sa: IkeSa) -> tuple[Any, ...]:
    """All of an SA that only its peer may change."""
    window = sa.window
    return (
        sa.state,
        sa.path,
        sa.last_heard,
        window.next_request,
        window.expected_request,
        window.outstanding is None,
        len(sa.children),
        sa.spi_r,
        sa.nonce_i,
        sa.nonce_r,
        sa.init_request,
        sa.init_response,
        sa.key_pair,
    )


class ForgedIke(_Ike):
    """Messages of somebody who has no keys: mutations of real ones, other implementations' ones, noise."""

    name = "IKE, forged"
    share = 150
    states = tuple(STATES)

    def begin(self, state: str, shape: str) -> None:
        """Bring a victim into that state."""
        super().begin(state, shape)
        self._path = self.made.path

    def next_input(self) -> bytes:
        self._prepare()
        made, chance = self.made, self.chance
        others = (*made.genuine, *made.heard, *made.refusals, chance.choice(seeds("ike")).data)
        message = spoil_message(chance, chance.choice(others), others)
        if chance.random() < 0.15 and len(message) >= 28 and made.endpoint.sas:
            # an outsider knows the SPIs: they go over the wire in clear
            sa = chance.choice(made.endpoint.sas)
            flags = (0 if sa.is_initiator else 0x08) | chance.choice((0, 0x20))
            exchange = chance.choice(_EXCHANGES)
            message_id = chance.choice((0, sa.window.expected_request, max(0, sa.window.next_request - 1)))
            header = bytes((message[16], 0x20, exchange, flags)) + message_id.to_bytes(4, "big")
            message = sa.spi_i + sa.spi_r + header + message[24:]
        self._path = made.path
        if chance.random() < 0.2:
            path = made.path
            self._path = Path(path.local, path.local_port, path.remote, chance.randrange(1, 0x10000))
        return message

    def feed(self, data: bytes) -> str:
        made = self.made
        is_open = made.name in WITHOUT_KEYS
        before = [] if is_open else [_fingerprint(sa) for sa in made.endpoint.sas]
        sent = self._take(self._path, data)
        if data in made.genuine:
            return outcome(made.victim.events)
        after = [_fingerprint(sa) for sa in made.endpoint.sas]
        require(all(each in after for each in before), "somebody without keys changed an SA")
        if made.name != "initiator, INIT_SENT":
            require(sent <= AMPLIFICATION * max(len(data), 28), f"{len(data)} bytes made us send {sent}")
        return outcome(made.victim.events)

    def replay(self, finding: Finding) -> str:
        """`where` is the state and the shape. The SPIs are those of the victim's SA, if it has one."""
        self.begin(*finding.where.split("; "))
        became = ""
        for data in finding.inputs:
            for sa in self.made.endpoint.sas[:1]:
                spi_r = sa.spi_r if any(sa.spi_r) else data[8:16]
                data = sa.spi_i + spi_r + data[16:]
            became = self.feed(data)
        return became


class SealedIke(_Ike):
    """Messages of somebody who has the keys: what is inside the SK payload is hostile."""

    name = "IKE, sealed"
    share = 270
    states = tuple(state for state in STATES if state not in WITHOUT_KEYS)

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._inside = (0, b"")

    def next_input(self) -> bytes:
        self._prepare()
        first, chain = self._chain()
        self._inside = (first, chain)
        return self._addressed(first, self._padded(chain))

    def _chain(self) -> tuple[int, bytes]:
        chance = self.chance
        if self.made.inside and chance.random() < 0.6:
            links = chance.choice(self.made.inside)
        else:
            links = chance.choice(_CHAINS)(self)
        if chance.random() < 0.1:
            return emit_links(links)
        return spoil_chain(chance, links)

    def _padded(self, chain: bytes) -> bytes:
        """The chain with its padding, mostly as it should be."""
        chance = self.chance
        assert self.made.protection is not None
        alignment = self.made.protection.alignment
        size = -(len(chain) + 1) % alignment
        if chance.random() < 0.05:
            size += alignment * chance.choice((1, 2, 15)) if alignment > 1 else chance.choice((1, 255))
        said = size if chance.random() < 0.97 else chance.choice((0, 1, 254, 255))
        if chance.random() < 0.01:
            return b""
        return chain + chance.randbytes(size) + bytes((min(said, 255),))

    def _addressed(self, first: int, plaintext: bytes) -> bytes:
        """A message under a good seal, mostly the one that the victim is ready for."""
        chance, made = self.chance, self.made
        assert made.protection is not None
        sa = made.endpoint.sas[0]
        waiting = sa.window.outstanding
        is_response = chance.random() < (0.7 if waiting is not None else 0.05)
        if is_response:
            exchange, message_id = (waiting.exchange, waiting.message_id) if waiting else (37, 1)
        else:
            message_id = sa.window.expected_request
            exchange = 35 if made.name.endswith("INIT_ANSWERED") else chance.choice((37, 37, 37, 36))
        if chance.random() < 0.08:
            exchange = chance.choice(_EXCHANGES)
        if chance.random() < 0.04:
            message_id += chance.choice((-1, 1, 2, 1000, -2))
        outside: Links = []
        if chance.random() < 0.04 and len(plaintext) < 10_000:
            outside = [link for link in spoil_links(chance, any_chain(chance))[:70] if len(link.body) < 700]
        header = header_for(made, is_response=is_response, exchange=exchange, message_id=message_id)
        return seal(made.protection, header, first, plaintext, outside)

    def feed(self, data: bytes) -> str:
        made = self.made
        was_proved = any(sa.state is State.ESTABLISHED for sa in made.endpoint.sas)
        unproved = [
            (sa, sa.state, sa.window.expected_request)
            for sa in made.endpoint.sas
            if sa.state in (State.INIT_ANSWERED, State.AUTH_SENT)
        ]
        self._take(made.path, data)
        for sa, state, expected in unproved:
            is_moved = sa.state is state and sa.window.expected_request != expected
            require(not is_moved, "a peer that has proved nothing moved the window")
        is_proved = any(sa.state is State.ESTABLISHED for sa in made.endpoint.sas)
        if is_proved and not was_proved:
            require(self._proof() in self._inside[1], "somebody was believed without a proof")
        return outcome(made.victim.events)

    def _proof(self) -> bytes:
        """The peer's real AUTH value."""
        return next(
            link.body[4:] for links in self.made.inside for link in links if link.number == PayloadType.AUTH
        )

    def explain(self) -> str:
        first, chain = self._inside
        return f"{self.made.name}; {self.shape}; inside SK: payload {first}, {chain.hex()}"

    def replay(self, finding: Finding) -> str:
        """`where` is the state, the shape, and the exchange with 'request' or 'response'."""
        state, shape, kind = finding.where.split("; ")
        self.begin(state, shape)
        exchange, _, direction = kind.partition(" ")
        became = ""
        for chain in finding.inputs:
            is_response = direction == "response"
            became = self.feed(
                self.sealed(finding.first, chain, ExchangeType[exchange], is_response=is_response)
            )
        return became

    def sealed(self, first: int, chain: bytes, exchange: int, *, is_response: bool = False) -> bytes:
        """A message with the right keys, message ID and padding around a chain."""
        made = self.made
        assert made.protection is not None
        self._inside = (first, chain)
        window = made.endpoint.sas[0].window
        message_id = window.next_request - 1 if is_response else window.expected_request
        header = header_for(made, is_response=is_response, exchange=exchange, message_id=message_id)
        size = -(len(chain) + 1) % made.protection.alignment
        return seal(made.protection, header, first, chain + bytes(size) + bytes((size,)))


def _notify(kind: int, data: bytes = b"") -> Link:
    return Link(int(PayloadType.NOTIFY), b"\0\0" + kind.to_bytes(2, "big") + data)


def _delete(protocol: int, *spis: bytes) -> Link:
    size = len(spis[0]) if spis else 0
    return Link(
        int(PayloadType.DELETE), bytes((protocol, size)) + len(spis).to_bytes(2, "big") + b"".join(spis)
    )


def _child_spis(target: SealedIke) -> list[bytes]:
    children = [child for sa in target.made.endpoint.sas for child in sa.children]
    return [each.to_bytes(4, "big") for child in children for each in (child.spi_out, child.spi_in)]


def _create_child(target: SealedIke) -> Links:
    """What the peer said about its first child, as it would for another or for a new key."""
    inside = target.made.inside[0] if target.made.inside else []
    kept = [link for link in inside if link.number in (PayloadType.SA, PayloadType.TSi, PayloadType.TSr)]
    rekey = Link(int(PayloadType.NOTIFY), b"\3\4\x40\x09" + (_child_spis(target) or [b"\1\2\3\4"])[0])
    return [rekey, *kept[:1], Link(int(PayloadType.NONCE), bytes(32)), *kept[1:]]


_CHAINS: tuple[Callable[[SealedIke], Links], ...] = (
    lambda target: [],
    lambda target: [_delete(ProtocolId.IKE)],
    lambda target: [_delete(ProtocolId.IKE), _delete(ProtocolId.IKE)],
    lambda target: [_delete(ProtocolId.ESP, *_child_spis(target))],
    lambda target: [_delete(ProtocolId.ESP, *_child_spis(target)), _delete(ProtocolId.IKE)],
    lambda target: [_notify(NotifyType.AUTHENTICATION_FAILED)],
    lambda target: [_notify(NotifyType.AUTHENTICATION_FAILED), _delete(ProtocolId.IKE)],
    lambda target: [_notify(NotifyType.INVALID_SYNTAX)],
    lambda target: [_notify(mutators.number(target.chance, (7, 9, 11, 14, 16384, 16391)) & 0xFFFF)],
    lambda target: any_chain(target.chance),
    lambda target: _create_child(target),
)
