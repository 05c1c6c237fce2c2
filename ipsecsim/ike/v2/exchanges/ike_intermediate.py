"""IKE_INTERMEDIATE: an additional key exchange before anybody says who it is (RFC 9242, RFC 9370 2.2.2).

    HDR, SK {KEi(n)}  -->
                      <--  HDR, SK {KEr(n)}

Sealed with the keys there are; the secret that comes of it is in the keys of the next exchange. How many there are
was settled in IKE_SA_INIT.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike.errors import InvalidSyntax, UnexpectedMessage
from ipsecsim.ike.events import NotifyReceived
from ipsecsim.ike.v2.keying import intermediate
from ipsecsim.ike.v2.messages import payload_rules
from ipsecsim.ike.v2.messages.message import Answer, Message, first
from ipsecsim.ike.v2.states import State, Step, move
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, name_of

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """Our public value for the next of the additional key exchanges."""
    move(sa, Step.SEND_INTERMEDIATE)
    number, group = sa.intermediate.waiting[0]
    pair = group.make(sa.entropy.fork(f"additional key exchange {number}"))
    sa.intermediate.key_pair = pair
    return [KeyExchange(group.id, pair.public)]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Make our half. The answer still goes under the old keys."""
    if sa.state is not State.INIT_ANSWERED or not sa.intermediate.waiting:
        raise UnexpectedMessage("an IKE_INTERMEDIATE request, and no additional key exchange is due")
    number, group = sa.intermediate.waiting[0]
    theirs = value_of(message, group.id)
    pair = group.make(sa.entropy.fork(f"additional key exchange {number}"))
    secret = pair.shared_secret(theirs)
    return Answer([KeyExchange(group.id, pair.public)], afterwards=lambda: intermediate.mix_in(sa, secret))


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """Make the new keys, and go on under them."""
    refusal = payload_rules.refusal(ExchangeType.IKE_INTERMEDIATE, message.payloads)
    if refusal is not None:
        if sa.tap is not None:
            sa.tap(NotifyReceived(name_of(NotifyType, refusal.notify_type), "IKE_INTERMEDIATE"))
        return sa.fail()
    pair = sa.intermediate.key_pair
    if sa.state is not State.INTERMEDIATE_SENT or pair is None:
        raise UnexpectedMessage(f"IKE_INTERMEDIATE response while {sa.state.value}")
    _, group = sa.intermediate.waiting[0]
    secret = pair.shared_secret(value_of(message, group.id))
    sa.window.close_request()
    intermediate.mix_in(sa, secret)
    return sa.request(intermediate.next_exchange(sa), now)


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nobody answers."""
    return sa.fail()


def value_of(message: Message, group: int) -> bytes:
    """The peer's public value. Raises InvalidSyntax unless it is for the method that was agreed on."""
    theirs = first(message.payloads, KeyExchange)
    if theirs is None or theirs.group != group:
        raise InvalidSyntax(f"key exchange {theirs.group if theirs else 'missing'}, and {group} is due")
    return theirs.data
