"""One IKE message on its way through the engine: where it came from, its header, what it holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ipsecsim.base.actions import Action
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.header import IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, PayloadType, name_of
from ipsecsim.wire.numbers import NAT_T_PORT

Kind = TypeVar("Kind", bound=Payload)


@dataclass(frozen=True, slots=True)
class Path:
    """Both ends' packed addresses and UDP ports, seen from this node."""

    local: bytes
    local_port: int
    remote: bytes
    remote_port: int

    @property
    def is_shared_with_esp(self) -> bool:
        """Whether four zero bytes have to tell IKE from ESP, because one end is on port 4500 (RFC 3948 2.2)."""
        return NAT_T_PORT in (self.local_port, self.remote_port)


@dataclass(slots=True)
class Message:
    """A received message. `payloads` are those inside SK where there is one; `raw` is all of it.

    Of a message in fragments `raw` is the fragment that came last; `length` counts the bytes of all.
    """

    header: IkeHeader
    payloads: list[Payload]
    raw: bytes
    path: Path
    length: int


@dataclass(slots=True)
class Answer:
    """What a request leads to: the payloads of the response, and actions to perform before and after it is sent.

    `afterwards` is done once the response is on its way, where that leads to messages of our own.
    """

    payloads: Sequence[Payload]
    before: list[Action] = field(default_factory=list)
    after: list[Action] = field(default_factory=list)
    afterwards: Callable[[], list[Action]] = list


def first(payloads: Sequence[Payload], kind: type[Kind]) -> Kind | None:
    """The first payload of a class, or None."""
    return next((payload for payload in payloads if isinstance(payload, kind)), None)


def the(payloads: Sequence[Payload], kind: type[Kind]) -> Kind:
    """The payload of a class that the payload rules promise to be there."""
    return next(payload for payload in payloads if isinstance(payload, kind))


def notify(payloads: Sequence[Payload], kind: NotifyType) -> Notify | None:
    """The first notify of a type, or None."""
    return next((p for p in payloads if isinstance(p, Notify) and p.notify_type == kind), None)


def error_in(payloads: Sequence[Payload]) -> Notify | None:
    """The first notify that tells of an error, or None."""
    return next((p for p in payloads if isinstance(p, Notify) and p.is_error), None)


def names(payloads: Sequence[Payload]) -> tuple[str, ...]:
    """The payloads in the RFC's short notation: 'SA', 'KE', 'N(COOKIE)'."""
    return tuple(_name(payload) for payload in payloads)


def _name(payload: Payload) -> str:
    if isinstance(payload, Notify):
        return f"N({name_of(NotifyType, payload.notify_type)})"
    known = PayloadType._value2member_map_.get(payload.type)
    return known.notation if isinstance(known, PayloadType) else f"payload {payload.type}"
