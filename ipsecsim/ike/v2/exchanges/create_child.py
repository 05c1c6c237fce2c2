"""A further Child SA, or a new one in the place of an old one (RFC 7296 1.3.1, 1.3.3, 2.8).

Rekeying loses no packet: the new pair is made before the old one is broken. The initiator of the exchange sends on
the new pair at once and deletes the old one; the responder receives on both, and sends on the new one when the
DELETE has come.

Both ends may rekey the same pair at the same time. Then two new pairs stand, and the one that was made with the
lowest of the four nonces is deleted by the side that asked for it (RFC 7296 2.8.1).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import Group
from ipsecsim.ike.errors import (
    ChildSaNotFound,
    IkeError,
    InvalidKeyExchange,
    InvalidSyntax,
    NoAdditionalSas,
    TsUnacceptable,
)
from ipsecsim.ike.events import (
    ChildRekeyed,
    DeleteOvertook,
    NotifyReceived,
    RekeyCollided,
)
from ipsecsim.ike.v2.children import child, child_agreement, child_form, child_life, configuration
from ipsecsim.ike.v2.children.child import Agreement, ChildSa, Material
from ipsecsim.ike.v2.duties.tasks import CreateChild, Inform
from ipsecsim.ike.v2.exchanges.ike_sa_init import NONCE_LENGTH, RESTARTS, checked_nonce, other_group
from ipsecsim.ike.v2.keying import followup
from ipsecsim.ike.v2.keying.followup import ChildOffer
from ipsecsim.ike.v2.messages.message import Answer, Message, error_in, first, notify, the
from ipsecsim.ike.v2.renewal import collisions, reauthentication
from ipsecsim.ike.v2.renewal.collisions import Asked, Reply
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.delete import Delete
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, ProtocolId, name_of
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

MOST_CHILDREN = 1000
"""Of one IKE SA, at the same time. A peer may ask for one after the other, and never delete any."""


def build_request(sa: "IkeSa", task: CreateChild) -> Sequence[Payload]:
    """The offer, a nonce, a public value where the offer has a group, and the traffic."""
    config, old = task.config, task.replaces
    if not task.nonce:
        task.nonce = sa.entropy.fork("nonce").bytes(NONCE_LENGTH)
        task.spi_in = sa.node.child_spi()
        groups = [group for proposal in config.proposals for group in proposal.groups]
        task.group = groups[0] if groups else None
    ke: list[Payload] = []
    if task.group is not None:
        if task.key_pair is None:
            task.key_pair = task.group.make(sa.entropy.fork(f"key exchange {task.group.id}"))
        ke.append(KeyExchange(task.group.id, task.key_pair.public))
    rekey: list[Payload] = []
    if old is not None:
        rekey.append(Notify(NotifyType.REKEY_SA, protocol=old.protocol, spi=old.spi_in.to_bytes(4, "big")))
    return [
        *rekey,
        *configuration.request(sa),
        *child_form.wishes(sa, config),
        child_agreement.offer(sa, config, task.spi_in, old, with_groups=True),
        Nonce(task.nonce),
        *ke,
        *child_agreement.selectors_of(sa, config, task.asks_for),
    ]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Make the child. Raises IkeError with the notify that the peer gets instead."""
    payloads = message.payloads
    if len(sa.children) >= MOST_CHILDREN:
        raise NoAdditionalSas(f"{len(sa.children)} Child SAs")
    configuration.check(payloads)
    old = _to_be_replaced(sa, payloads)
    given = configuration.answer(sa, payloads)
    configs = sa.connection.children if old is None else (old.config,)
    agreed = child_agreement.agree(sa, payloads, configs, old, with_groups=True)
    if old is not None and child_agreement.is_narrower(agreed.agreement, old):
        farewell = child_life.close(sa, old, now) if child_agreement.is_against_policy(old) else []
        return Answer([Notify(NotifyType.TS_UNACCEPTABLE)], after=farewell)
    nonce_i = checked_nonce(the(payloads, Nonce))
    secret, ke = _our_half(sa, agreed.group, first(payloads, KeyExchange))
    nonce_r = sa.entropy.fork("nonce").bytes(NONCE_LENGTH)
    material = Material(nonce_i, nonce_r, secret)
    offer = ChildOffer(agreed.agreement, old, material)
    answer = [*given, *agreed.notifies, agreed.sa, Nonce(nonce_r), *ke, *agreed.selectors]
    if agreed.additional:
        link = followup.open_chain(sa, agreed.additional, offer, now)
        collisions.decide(sa, sa.task)
        return Answer([*answer, link])
    made = make(sa, offer)
    return Answer(answer, before=made.before, after=made.after)


class Made(NamedTuple):
    """What the responder does about its new child, before it answers and afterwards."""

    before: list[Action]
    after: list[Action]


def make(sa: "IkeSa", offer: ChildOffer) -> Made:
    """The responder makes the child."""
    made, old = child.create(sa, offer.agreement, offer.material, we_began=False), offer.old
    if old is None:
        return Made([made.inbound], [made.outbound])
    old.successor, old.successor_nonce = made.child, offer.material.lowest
    # our packets stay on the old pair until the peer deletes it: then it surely knows the new one
    made.child.waiting = made.outbound
    if sa.tap is not None:
        sa.tap(ChildRekeyed(old.config.name, old.spi_in, made.child.spi_in, by_peer=True))
    return Made([made.inbound], [])


def check_still(sa: "IkeSa", offer: ChildOffer) -> None:
    """Raise TemporaryFailure or ChildSaNotFound when what was agreed on cannot be made any more."""
    old = offer.old
    if old is None:
        collisions.reply(sa, Asked.NEW_CHILD)
        return
    here = old if old in sa.children else None
    if collisions.reply(sa, Asked.REKEY_CHILD, here) is Reply.CHILD_SA_NOT_FOUND:
        raise ChildSaNotFound(old.protocol, old.spi_out.to_bytes(4, "big"))


def handle_response(sa: "IkeSa", task: CreateChild, message: Message, now: Instant) -> list[Action]:
    """Install what was agreed, and delete what it replaces, or what lost against the peer's own rekeying."""
    payloads = message.payloads
    error = error_in(payloads)
    if sa.state is State.DELETING:
        return []  # whatever the peer has made goes with the IKE SA
    if error is not None:
        return _refused(sa, task, error, now)
    if followup.is_due(task, payloads):
        followup.begin(task, message)
        is_wanted = sa.state is State.ESTABLISHED
        return collisions.follow_up(sa, task, now) if is_wanted else [*task.given_up()]
    sa.busy_since = None
    addresses: list[Action] = []  # a client keeps them, whatever becomes of the child
    try:
        addresses = configuration.accept(sa, payloads)
        agreed, material = _accepted(sa, task, payloads)
    except IkeError as wrong:
        # the peer has made a child that we cannot use: it is to forget it
        child_agreement.failed(sa, task.config.name, wrong.notify or NotifyType.INVALID_SYNTAX)
        gone = Delete(_chosen_protocol(payloads), [task.spi_in.to_bytes(4, "big")])
        return [*addresses, *sa.enqueue(Inform([gone]), now), *_nothing_came(sa, task, now)]
    if (agreed.protocol, agreed.spi_out) in task.deleted_meanwhile:
        return [*addresses, *_overtaken(sa, task, agreed, now)]
    created = child.create(sa, agreed, material, we_began=True)
    old = task.replaces
    if task.is_unwanted:
        return [*addresses, created.inbound, *child_life.close(sa, created.child, now)]
    if old is None and _is_of_no_use(sa, task, created.child):
        # or each packet that nobody wants to carry would leave one more child behind
        return [*addresses, created.inbound, *child_life.close(sa, created.child, now), *task.given_up()]
    if old is None:
        return [*addresses, created.inbound, created.outbound]
    if collisions.is_ours_redundant(sa, old, material):
        if sa.tap is not None:
            sa.tap(RekeyCollided(old.config.name, is_ours_kept=False))
        return [created.inbound, *child_life.close(sa, created.child, now)]
    actions: list[Action] = [created.inbound, created.outbound]
    if sa.tap is not None:
        sa.tap(ChildRekeyed(old.config.name, old.spi_in, created.child.spi_in, by_peer=False))
        if old.successor is not None:
            sa.tap(RekeyCollided(old.config.name, is_ours_kept=True))
    if old.successor is not None:
        old.successor.waiting = None  # the peer deletes it, since its nonce was the lower one
        old.successor = None
    if old in sa.children:
        actions += child_life.close(sa, old, now)
    return actions


def _to_be_replaced(sa: "IkeSa", payloads: Sequence[Payload]) -> ChildSa | None:
    """The child that REKEY_SA names by the peer's inbound SPI. Raises ChildSaNotFound, TemporaryFailure."""
    rekey = notify(payloads, NotifyType.REKEY_SA)
    if rekey is None:
        collisions.reply(sa, Asked.NEW_CHILD)
        return None
    if rekey.protocol not in (ProtocolId.ESP, ProtocolId.AH):
        raise InvalidSyntax(f"REKEY_SA for protocol {rekey.protocol}")
    spi = int.from_bytes(rekey.spi, "big")
    named = (rekey.protocol, spi)
    old = next((each for each in sa.children if (each.protocol, each.spi_out) == named), None)
    if collisions.reply(sa, Asked.REKEY_CHILD, old) is Reply.CHILD_SA_NOT_FOUND:
        raise ChildSaNotFound(rekey.protocol, rekey.spi)
    return old


def _chosen_protocol(payloads: Sequence[Payload]) -> int:
    """ESP or AH, by what stands in the answer."""
    proposals = the(payloads, SecurityAssociationPayload).proposals
    return ProtocolId.AH if any(each.protocol == ProtocolId.AH for each in proposals) else ProtocolId.ESP


def _is_of_no_use(sa: "IkeSa", task: CreateChild, made: ChildSa) -> bool:
    """Was it made for a packet that it does not carry, and is there another one for the rest?"""
    is_carrying = task.trigger is None or task.trigger.is_carried(made.selectors)
    return not is_carrying and any(
        each.config is made.config and each is not made and not each.is_closing for each in sa.children
    )


def _our_half(sa: "IkeSa", group: Group | None, theirs: KeyExchange | None) -> tuple[bytes, list[Payload]]:
    """The responder's secret and KE payload. Raises InvalidKeyExchange when the peer guessed another group."""
    if group is None:
        return b"", []
    if theirs is None or theirs.group != group.id:
        raise InvalidKeyExchange(wanted=group.id, got=theirs.group if theirs else 0)
    pair = group.make(sa.entropy.fork(f"key exchange {group.id}"))
    return pair.shared_secret(theirs.data), [KeyExchange(group.id, pair.public)]


def _accepted(sa: "IkeSa", task: CreateChild, payloads: Sequence[Payload]) -> tuple[Agreement, Material]:
    old = task.replaces
    agreed = child_agreement.accept(
        sa, payloads, task.config, task.spi_in, task.asks_for, old, with_groups=True
    )
    if old is not None and child_agreement.is_narrower(agreed.agreement, old):
        raise TsUnacceptable("the new Child SA would carry less than the old one")
    nonce_r = checked_nonce(the(payloads, Nonce))
    theirs, secret = first(payloads, KeyExchange), b""
    if agreed.group is not None:
        if theirs is None or task.key_pair is None or {theirs.group, agreed.group.id} != {_id(task.group)}:
            raise InvalidSyntax("the answer's key exchange is for another group")
        secret = task.key_pair.shared_secret(theirs.data)
    return agreed.agreement, Material(task.nonce, nonce_r, secret, followup.secrets_of(task))


def _overtaken(sa: "IkeSa", task: CreateChild, agreed: Agreement, now: Instant) -> list[Action]:
    """The peer has deleted the new child before its answer came: nothing is installed, and what is old stands."""
    if sa.tap is not None:
        sa.tap(DeleteOvertook(task.config.name, agreed.spi_out))
    return _ask_later(sa, task, now) if task.replaces is not None else _nothing_came(sa, task, now)


def _id(group: Group | None) -> int:
    return 0 if group is None else group.id


def _refused(sa: "IkeSa", task: CreateChild, error: Notify, now: Instant) -> list[Action]:
    kind = error.notify_type
    if sa.tap is not None:
        sa.tap(NotifyReceived(name_of(NotifyType, kind), "CREATE_CHILD_SA"))
    old = task.replaces
    if kind == NotifyType.INVALID_KE_PAYLOAD and task.restarts < RESTARTS and task.group is not None:
        task.group = other_group(sa, task.group, error, [p.groups for p in task.config.proposals])
        task.key_pair, task.restarts = None, task.restarts + 1
        return sa.enqueue(task, now, first=True)
    if kind == NotifyType.CHILD_SA_NOT_FOUND and old is not None:
        # RFC 7296 2.25: the peer has lost it: ours goes too, and a fresh one takes its place
        if old not in sa.children or not old.stands_alone:
            return []
        return [*child.remove(sa, old), *sa.enqueue(CreateChild(task.config), now)]
    if kind in (NotifyType.TEMPORARY_FAILURE, NotifyType.STATE_NOT_FOUND):
        return _ask_later(sa, task, now)
    child_agreement.failed(sa, task.config.name, kind)
    if kind == NotifyType.NO_ADDITIONAL_SAS and old is not None:
        # RFC 7296 4: such a peer makes new keys only with a new IKE SA
        old.was_refused = True
        return reauthentication.begin(sa, now)
    trigger = task.trigger
    if kind == NotifyType.SINGLE_PAIR_REQUIRED and trigger is not None and trigger.may_be_alone:
        return sa.enqueue(CreateChild(task.config, trigger=trigger.alone()), now)
    return _nothing_came(sa, task, now)


def _ask_later(sa: "IkeSa", task: CreateChild, now: Instant) -> list[Action]:
    """Begin anew after a while, unless what it is about has come to its end, or has a successor."""
    if task.replaces is not None:
        return child_life.refused(sa, task, now, is_busy=True)
    if task.is_unwanted:
        return []
    return collisions.put_off(sa, CreateChild(task.config, trigger=task.trigger), now)


def _nothing_came(sa: "IkeSa", task: CreateChild, now: Instant) -> list[Action]:
    return child_life.refused(sa, task, now) if task.replaces is not None else [*task.given_up()]
