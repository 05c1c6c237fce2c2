"""The life of an IKE SA as a table, and the one function that moves it."""

from enum import Enum
from typing import TYPE_CHECKING

from ipsecsim.ike.errors import UnexpectedMessage
from ipsecsim.ike.events import StateChanged
from ipsecsim.wire.ike.numbers import ExchangeType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


class State(Enum):
    """Where an IKE SA stands."""

    IDLE = "idle"
    INIT_SENT = "IKE_SA_INIT sent"
    INIT_ANSWERED = "IKE_SA_INIT answered"
    INTERMEDIATE_SENT = "IKE_INTERMEDIATE sent"
    AUTH_SENT = "IKE_AUTH sent"
    HEIR = "made to replace another"
    ESTABLISHED = "established"
    REPLACED = "replaced"
    DELETING = "deleting"
    DEAD = "dead"


PROVED = (State.HEIR, State.ESTABLISHED, State.REPLACED, State.DELETING)
"""Where the peer is known to be who it says it is."""

BEFORE_ANSWER = (State.IDLE, State.INIT_SENT, State.INTERMEDIATE_SENT, State.AUTH_SENT)
"""Where an initiator still waits for its first Child SA."""

BEFORE_PROOF = (ExchangeType.IKE_SA_INIT, ExchangeType.IKE_INTERMEDIATE, ExchangeType.IKE_AUTH)
"""The exchanges that there are until then (RFC 7296 1.2, RFC 9242 3.2): there are keys, but no name yet."""


class Step(Enum):
    """What can happen to it."""

    SEND_INIT = "send IKE_SA_INIT request"
    SEND_INIT_AGAIN = "send IKE_SA_INIT request again, changed as the responder asked"
    ANSWER_INIT = "answer IKE_SA_INIT request"
    SEND_INTERMEDIATE = "send IKE_INTERMEDIATE request"
    SEND_AUTH = "send IKE_AUTH request"
    AUTHENTICATE = "authenticate the peer"
    MAKE_HEIR = "agree on an IKE SA that is to replace another"
    INHERIT = "take over from the IKE SA that it replaces"
    REPLACE = "leave the children to a new IKE SA"
    SEND_DELETE = "send DELETE"
    GET_DELETE = "get DELETE, or the answer to ours"
    FAIL = "refuse, be refused, or get no answer"


TRANSITIONS = {
    (State.IDLE, Step.SEND_INIT): State.INIT_SENT,
    (State.INIT_SENT, Step.SEND_INIT_AGAIN): State.INIT_SENT,
    (State.INIT_SENT, Step.SEND_INTERMEDIATE): State.INTERMEDIATE_SENT,
    (State.INTERMEDIATE_SENT, Step.SEND_INTERMEDIATE): State.INTERMEDIATE_SENT,
    (State.INIT_SENT, Step.SEND_AUTH): State.AUTH_SENT,
    (State.INTERMEDIATE_SENT, Step.SEND_AUTH): State.AUTH_SENT,
    (State.AUTH_SENT, Step.AUTHENTICATE): State.ESTABLISHED,
    (State.IDLE, Step.ANSWER_INIT): State.INIT_ANSWERED,
    (State.INIT_ANSWERED, Step.AUTHENTICATE): State.ESTABLISHED,
    (State.IDLE, Step.MAKE_HEIR): State.HEIR,
    (State.HEIR, Step.INHERIT): State.ESTABLISHED,
    (State.HEIR, Step.SEND_DELETE): State.DELETING,
    (State.HEIR, Step.GET_DELETE): State.DEAD,
    (State.ESTABLISHED, Step.REPLACE): State.REPLACED,
    (State.REPLACED, Step.SEND_DELETE): State.DELETING,
    (State.REPLACED, Step.GET_DELETE): State.DEAD,
    (State.ESTABLISHED, Step.SEND_DELETE): State.DELETING,
    (State.ESTABLISHED, Step.GET_DELETE): State.DEAD,
    (State.DELETING, Step.GET_DELETE): State.DEAD,
    (State.IDLE, Step.FAIL): State.DEAD,
    (State.INIT_SENT, Step.FAIL): State.DEAD,
    (State.INIT_ANSWERED, Step.FAIL): State.DEAD,
    (State.INTERMEDIATE_SENT, Step.FAIL): State.DEAD,
    (State.AUTH_SENT, Step.FAIL): State.DEAD,
    (State.HEIR, Step.FAIL): State.DEAD,
    (State.ESTABLISHED, Step.FAIL): State.DEAD,
    (State.REPLACED, Step.FAIL): State.DEAD,
    (State.DELETING, Step.FAIL): State.DEAD,
}


def move(sa: "IkeSa", step: Step) -> None:
    """The only place where `sa.state` is assigned. Raises UnexpectedMessage when the table has no such row."""
    after = TRANSITIONS.get((sa.state, step))
    if after is None:
        raise UnexpectedMessage(f"{step.value} while {sa.state.value}")
    before, sa.state = sa.state, after
    if sa.tap is not None:
        sa.tap(StateChanged(sa.spi_i, sa.connection.name, before.name, after.name, step.value))
