"""A new IKE SA in the place of this one, which its children move to (RFC 7296 1.3.2, 2.8, 2.18).

    HDR, SK {SA, Ni, KEi}  -->
                           <--  HDR, SK {SA, Nr, KEr}

When both ends begin at the same time, the new IKE SA with the lowest of the four nonces is deleted by the side that
asked for it, and the children move to the other one (RFC 7296 2.8.1, 2.25.2).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import IkeSuite
from ipsecsim.ike import negotiate
from ipsecsim.ike.config import MOST_STANDING
from ipsecsim.ike.errors import InvalidKeyExchange, InvalidSyntax, NoAdditionalSas
from ipsecsim.ike.events import NotifyReceived, RekeyCollided
from ipsecsim.ike.v2.children.child import Material
from ipsecsim.ike.v2.duties.tasks import RekeyIke
from ipsecsim.ike.v2.exchanges.ike_sa_init import NONCE_LENGTH, RESTARTS, checked_nonce, other_group
from ipsecsim.ike.v2.keying import followup
from ipsecsim.ike.v2.keying.followup import HeirOffer
from ipsecsim.ike.v2.messages.message import Answer, Message, error_in, first, the
from ipsecsim.ike.v2.renewal import collisions, reauthentication
from ipsecsim.ike.v2.renewal.collisions import Asked
from ipsecsim.ike.v2.renewal.succession import bequeath, successor
from ipsecsim.ike.v2.states import State
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType, name_of
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", task: RekeyIke) -> Sequence[Payload]:
    """Our SPI for the new IKE SA is in the offer."""
    if not task.spi:
        task.spi = sa.node.ike_spi()
        task.nonce = sa.entropy.fork("nonce").bytes(NONCE_LENGTH)
        task.group = sa.suite.group
    if task.group is None:
        raise InvalidSyntax("an IKE SA has a group")
    if task.key_pair is None:
        task.key_pair = task.group.make(sa.entropy.fork(f"key exchange {task.group.id}"))
    return [
        negotiate.offer_ike_rekey(sa.connection.proposals, task.spi),
        Nonce(task.nonce),
        KeyExchange(task.group.id, task.key_pair.public),
    ]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Make the new IKE SA. Raises IkeError with the notify that the peer gets instead."""
    payloads = message.payloads
    check_still(sa)
    theirs = first(payloads, KeyExchange)
    spi = sa.node.ike_spi()
    answer, suite, their_spi = negotiate.choose_ike_rekey(
        the(payloads, SecurityAssociationPayload), sa.connection.proposals, spi
    )
    if theirs is None or theirs.group != suite.group.id:
        raise InvalidKeyExchange(wanted=suite.group.id, got=theirs.group if theirs else 0)
    nonce_i = checked_nonce(the(payloads, Nonce))
    pair = suite.group.make(sa.entropy.fork(f"key exchange {suite.group.id}"))
    secret = pair.shared_secret(theirs.data)
    nonce_r = sa.entropy.fork("nonce").bytes(NONCE_LENGTH)
    material = Material(nonce_i, nonce_r, secret)
    offer = HeirOffer(suite, (their_spi, spi), material)
    ours = [answer, Nonce(nonce_r), KeyExchange(suite.group.id, pair.public)]
    if suite.additional:
        link = followup.open_chain(sa, suite.additional, offer, now)
        collisions.decide(sa, sa.task)
        return Answer([*ours, link])
    return Answer(ours, after=make(sa, offer, now))


def check_still(sa: "IkeSa") -> None:
    """Raise TemporaryFailure when this is no time for a new IKE SA, NoAdditionalSas when there are too many."""
    collisions.reply(sa, Asked.REKEY_IKE)
    if len(sa.node.sas) >= MOST_STANDING:
        raise NoAdditionalSas(f"{len(sa.node.sas)} IKE SAs")


def make(sa: "IkeSa", offer: HeirOffer, now: Instant) -> list[Action]:
    """The responder makes the new IKE SA, which inherits unless our own rekeying has still to be decided."""
    heir = successor(sa, offer.suite, offer.material, offer.spis, now, we_began=False)
    if isinstance(sa.task, RekeyIke):
        # our own request is on its way: its answer decides who inherits
        sa.task.rival, sa.task.rival_nonce = heir, offer.material.lowest
        return []
    return bequeath(sa, heir, now, by_peer=True)


def handle_response(sa: "IkeSa", task: RekeyIke, message: Message, now: Instant) -> list[Action]:
    """Let the new IKE SA inherit, unless the peer's own one does; then delete what is no longer wanted."""
    payloads = message.payloads
    error = error_in(payloads)
    if error is not None:
        return _refused(sa, task, error, now)
    if followup.is_due(task, payloads):
        followup.begin(task, message)
        return collisions.follow_up(sa, task, now) if sa.state is State.ESTABLISHED else []
    suite, their_spi = negotiate.accept_ike_rekey(
        the(payloads, SecurityAssociationPayload), sa.connection.proposals
    )
    heir, lowest = _made(sa, task, payloads, suite, their_spi, now)
    if sa.state is not State.ESTABLISHED:
        return heir.terminate(now)  # all is to go, or has gone to the peer's own one by now
    is_ours_kept = task.rival is None or lowest > task.rival_nonce
    if task.rival is not None and sa.tap is not None:
        sa.tap(RekeyCollided(sa.connection.name, is_ours_kept))
    if task.rival is not None and not is_ours_kept:
        return [*bequeath(sa, task.rival, now, by_peer=True), *heir.terminate(now)]
    follows = bequeath(sa, heir, now, by_peer=False)
    return [*sa.terminate(now), *follows]


def _made(
    sa: "IkeSa", task: RekeyIke, payloads: Sequence[Payload], suite: IkeSuite, their_spi: bytes, now: Instant
) -> tuple["IkeSa", bytes]:
    theirs = first(payloads, KeyExchange)
    if theirs is None or task.key_pair is None or task.group is None:
        raise InvalidSyntax("the answer has no key exchange")
    if {theirs.group, suite.group.id} != {task.group.id}:
        raise InvalidSyntax(f"the answer's key exchange is for group {theirs.group}")
    secret = task.key_pair.shared_secret(theirs.data)
    nonce_r = checked_nonce(the(payloads, Nonce))
    material = Material(task.nonce, nonce_r, secret, followup.secrets_of(task))
    heir = successor(sa, suite, material, (task.spi, their_spi), now, we_began=True)
    return heir, material.lowest


def _refused(sa: "IkeSa", task: RekeyIke, error: Notify, now: Instant) -> list[Action]:
    """The peer does not want our new IKE SA. If it has made one of its own meanwhile, that one inherits."""
    kind = error.notify_type
    if sa.tap is not None:
        sa.tap(NotifyReceived(name_of(NotifyType, kind), "CREATE_CHILD_SA"))
    if sa.state is not State.ESTABLISHED:
        return []
    if task.rival is not None and not task.rival.is_dead:
        return bequeath(sa, task.rival, now, by_peer=True)
    if kind == NotifyType.INVALID_KE_PAYLOAD and task.restarts < RESTARTS and task.group is not None:
        task.group = other_group(sa, task.group, error, [p.groups for p in sa.connection.proposals])
        task.key_pair, task.restarts = None, task.restarts + 1
        return sa.enqueue(task, now, first=True)
    if kind in (NotifyType.TEMPORARY_FAILURE, NotifyType.STATE_NOT_FOUND):
        return collisions.put_off(sa, RekeyIke(), now)
    if kind == NotifyType.NO_ADDITIONAL_SAS:
        # RFC 7296 4: a peer that can do no more makes a new one from scratch
        return reauthentication.begin(sa, now)
    return []
