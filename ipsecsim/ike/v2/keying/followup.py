"""Additional key exchanges behind CREATE_CHILD_SA: a chain, each linked to the one before (RFC 9370 2.2.4).

Nothing is made before the chain is at its end: what was agreed on waits, at the initiator in its task, at the
responder beside the IKE SA.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipsecsim.base.instant import SECOND, Instant
from ipsecsim.crypto.catalogue import Group, IkeSuite, KeyPair
from ipsecsim.ike import negotiate
from ipsecsim.ike.errors import InvalidSyntax
from ipsecsim.ike.events import AdditionalKeyExchanged
from ipsecsim.ike.v2.children.child import Agreement, ChildSa, Material
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.messages.message import Message, notify, the
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload

if TYPE_CHECKING:
    from ipsecsim.ike.v2.duties.tasks import CreateChild, RekeyIke
    from ipsecsim.ike.v2.sa import IkeSa

LINK_LENGTH = 8
PATIENCE = 20 * SECOND  # RFC 9370 2.2.4: the responder forgets a chain that nobody goes on with


@dataclass(slots=True)
class Chain:
    """Key exchanges that are still to come, by number, the link to the last exchange, and the secrets so far."""

    waiting: list[tuple[int, Group]]
    link: bytes
    more: bytes = b""
    key_pair: KeyPair | None = None

    def take(self, sa: "IkeSa", secret: bytes) -> None:
        """One key exchange is done."""
        number, group = self.waiting.pop(0)
        self.more += secret
        self.key_pair = None
        if sa.tap is not None:
            sa.tap(AdditionalKeyExchanged(number, group.name, len(self.waiting)))


@dataclass(frozen=True, slots=True)
class HeirOffer:
    """What a responder has agreed to: an IKE SA in the place of this one. `spis` are the initiator's and ours."""

    suite: IkeSuite
    spis: tuple[bytes, bytes]
    material: Material


@dataclass(frozen=True, slots=True)
class ChildOffer:
    """What a responder has agreed to: a Child SA, a new one or one in the place of `old`."""

    agreement: Agreement
    old: ChildSa | None
    material: Material


@dataclass(slots=True)
class OpenChain:
    """A chain at the responder, and what comes at its end."""

    chain: Chain
    offer: HeirOffer | ChildOffer

    def finished(self) -> HeirOffer | ChildOffer:
        """The offer with all secrets."""
        return replace(self.offer, material=replace(self.offer.material, more=self.chain.more))


def is_due(task: "CreateChild | RekeyIke", payloads: Sequence[Payload]) -> bool:
    """Has the responder chosen additional key exchanges, and were they not done yet?"""
    return task.chain is None and bool(negotiate.additional_in(the(payloads, SecurityAssociationPayload)))


def begin(task: "CreateChild | RekeyIke", message: Message) -> None:
    """The initiator keeps the answer for later. Raises InvalidSyntax when there is no link."""
    chosen = negotiate.additional_in(the(message.payloads, SecurityAssociationPayload))
    task.chain, task.answer = Chain(list(chosen), link_of(message.payloads)), message


def secrets_of(task: "CreateChild | RekeyIke") -> bytes:
    """All that came of additional key exchanges; empty when there were none."""
    return b"" if task.chain is None else task.chain.more


def link_of(payloads: Sequence[Payload]) -> bytes:
    """What the next request has to show. Raises InvalidSyntax when it is not there."""
    found = notify(payloads, NotifyType.ADDITIONAL_KEY_EXCHANGE)
    if found is None:
        raise InvalidSyntax("additional key exchanges are to come, and there is no link to them")
    return found.data


def open_chain(
    sa: "IkeSa", additional: Sequence[tuple[int, Group]], offer: HeirOffer | ChildOffer, now: Instant
) -> Notify:
    """The responder keeps what was agreed on, in the place of any earlier chain; the link goes into the answer."""
    sa.chain = OpenChain(Chain(list(additional), b""), offer)
    return next_link(sa, sa.chain, now)


def next_link(sa: "IkeSa", opened: OpenChain, now: Instant) -> Notify:
    """A fresh link, and a fresh time to use it."""
    opened.chain.link = sa.entropy.fork("link").bytes(LINK_LENGTH)
    sa.timers.set(Alarm.CHAIN, now + PATIENCE)
    return Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, opened.chain.link)


def forget(sa: "IkeSa") -> None:
    """The chain is at its end, or nobody went on with it."""
    sa.chain = None
    sa.timers.cancel(Alarm.CHAIN)
