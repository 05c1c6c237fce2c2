"""IKE_FOLLOWUP_KE: an additional key exchange behind CREATE_CHILD_SA (RFC 9370 2.2.4).

    HDR, SK {KEi(n), N(ADDITIONAL_KEY_EXCHANGE)}  -->
                                                  <--  HDR, SK {KEr(n), [N(ADDITIONAL_KEY_EXCHANGE)]}

The link that an answer gives comes back in the next request. With the last answer, which gives none, both sides
make what they had agreed on.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.errors import LocalError
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import StateNotFound, UnexpectedMessage
from ipsecsim.ike.v2.duties.tasks import CreateChild, RekeyIke
from ipsecsim.ike.v2.exchanges import create_child, rekey_ike
from ipsecsim.ike.v2.exchanges.ike_intermediate import value_of
from ipsecsim.ike.v2.keying import followup
from ipsecsim.ike.v2.keying.followup import ChildOffer
from ipsecsim.ike.v2.messages.message import Answer, Message, error_in, notify
from ipsecsim.ike.v2.renewal import collisions
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import NotifyType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """Our public value for the next key exchange, and the link that the last answer gave."""
    if not isinstance(sa.task, CreateChild | RekeyIke) or sa.task.chain is None:
        raise LocalError("IKE_FOLLOWUP_KE without anything to follow up")
    chain = sa.task.chain
    number, group = chain.waiting[0]
    chain.key_pair = group.make(sa.entropy.fork(f"additional key exchange {number}"))
    return [
        KeyExchange(group.id, chain.key_pair.public),
        Notify(NotifyType.ADDITIONAL_KEY_EXCHANGE, chain.link),
    ]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Make our half, and with the last one what was agreed on. Raises StateNotFound for a link that is not ours."""
    opened, link = sa.chain, notify(message.payloads, NotifyType.ADDITIONAL_KEY_EXCHANGE)
    if opened is None or link is None or link.data != opened.chain.link:
        raise StateNotFound("no additional key exchange is due under this link")
    if isinstance(opened.offer, ChildOffer):
        create_child.check_still(sa, opened.offer)
    else:
        rekey_ike.check_still(sa)
    number, group = opened.chain.waiting[0]
    theirs = value_of(message, group.id)
    pair = group.make(sa.entropy.fork(f"additional key exchange {number}"))
    opened.chain.take(sa, pair.shared_secret(theirs))
    ours = KeyExchange(group.id, pair.public)
    if opened.chain.waiting:
        return Answer([ours, followup.next_link(sa, opened, now)])
    followup.forget(sa)
    offer = opened.finished()
    if isinstance(offer, ChildOffer):
        made = create_child.make(sa, offer)
        return Answer([ours], before=made.before, after=made.after)
    return Answer([ours], after=rekey_ike.make(sa, offer, now))


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """Go on with the chain, or with what was asked for in the first place."""
    task = sa.close_task()
    if not isinstance(task, CreateChild | RekeyIke) or task.chain is None or task.answer is None:
        raise UnexpectedMessage("IKE_FOLLOWUP_KE response")
    chain, is_refused = task.chain, error_in(message.payloads) is not None
    if notify(message.payloads, NotifyType.INVALID_SYNTAX):
        return sa.fail()  # RFC 7296 2.21.3: fatal on both sides
    if not is_refused:
        theirs = value_of(message, chain.waiting[0][1].id)
        assert chain.key_pair is not None  # noqa: S101 - made with the request
        chain.take(sa, chain.key_pair.shared_secret(theirs))
        if chain.waiting:
            chain.link = followup.link_of(message.payloads)
            return collisions.go_on(sa, task, now)
    about = message if is_refused else task.answer
    if isinstance(task, CreateChild):
        return create_child.handle_response(sa, task, about, now)
    return rekey_ike.handle_response(sa, task, about, now)


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """The peer is dead (RFC 7296 2.4)."""
    return sa.fail()
