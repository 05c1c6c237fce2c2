"""What comes between IKE_SA_INIT and IKE_AUTH, and how AUTH covers it (RFC 9242, RFC 9370).

Each IKE_INTERMEDIATE exchange carries one additional key exchange. Its messages are proved afterwards, in the form
that they had before they were sealed and cut, so that it makes no difference how they travelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.crypto.catalogue import Group, KeyPair
from ipsecsim.crypto.prf import compute
from ipsecsim.ike.config import IkeProposal
from ipsecsim.ike.events import AdditionalKeyExchanged
from ipsecsim.ike.v2.keying.keys import rekey_skeyseed
from ipsecsim.ike.v2.messages.envelope import Content
from ipsecsim.ike.v2.messages.message import notify
from ipsecsim.wire.ike.generic import GENERIC_HEADER, Payload
from ipsecsim.wire.ike.header import HEADER_LENGTH, IkeHeader
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, PayloadType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


@dataclass(slots=True)
class Intermediate:
    """How far an IKE SA has come between IKE_SA_INIT and IKE_AUTH.

    `waiting` are the additional key exchanges still to come, by number. `by_initiator` and `by_responder` are the
    RFC's IntAuth_iN and IntAuth_rN, empty before the first message.
    """

    waiting: list[tuple[int, Group]] = field(default_factory=list)
    key_pair: KeyPair | None = None
    rounds: int = 0
    by_initiator: bytes = b""
    by_responder: bytes = b""


def supported(proposals: Sequence[IkeProposal]) -> list[Notify]:
    """INTERMEDIATE_EXCHANGE_SUPPORTED, where a proposal needs such an exchange (RFC 9242 3.1)."""
    wanted = any(proposal.additional for proposal in proposals)
    return [Notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED)] if wanted else []


def usable(proposals: Sequence[IkeProposal], payloads: Sequence[Payload]) -> Sequence[IkeProposal]:
    """What may be chosen with a peer that sent these payloads: without its word, no additional key exchange."""
    if agreed(payloads):
        return proposals
    return [replace(each, additional=()) for each in proposals if not each.needs_intermediate]


def agreed(payloads: Sequence[Payload]) -> bool:
    """Does the peer know such exchanges? Only whoever wants one asks."""
    return notify(payloads, NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED) is not None


def next_exchange(sa: "IkeSa") -> ExchangeType:
    """What an initiator asks for after the answer that it has."""
    return ExchangeType.IKE_INTERMEDIATE if sa.intermediate.waiting else ExchangeType.IKE_AUTH


def note(sa: "IkeSa", header: IkeHeader, content: Content) -> None:
    """A whole IKE_INTERMEDIATE message was sent or received: AUTH will cover it (RFC 9242 3.3.2).

    With the SK_p keys that were there before the exchange.
    """
    if header.exchange != ExchangeType.IKE_INTERMEDIATE or not sa.intermediate.waiting:
        return
    state, chunk = sa.intermediate, _chunk(header, content)
    if header.is_response:
        state.by_responder = compute(sa.suite.prf, sa.keys.sk_pr, state.by_responder + chunk)
        state.rounds += 1
    else:
        state.by_initiator = compute(sa.suite.prf, sa.keys.sk_pi, state.by_initiator + chunk)


def _chunk(header: IkeHeader, content: Content) -> bytes:
    """The message before it was sealed and cut: lengths count neither IV, padding nor ICV (RFC 9242 3.3.2)."""
    length = GENERIC_HEADER.size + len(content.inner)
    whole = IkeHeader(
        header.spi_i,
        header.spi_r,
        PayloadType.SK,
        header.exchange,
        header.flags,
        header.message_id,
        HEADER_LENGTH + length,
        header.version,
    )
    return whole.emit() + GENERIC_HEADER.pack(content.first_inner, content.flags, length) + content.inner


def authenticated(sa: "IkeSa") -> bytes:
    """IntAuth: what AUTH covers of these exchanges besides the rest; nothing where there were none."""
    state = sa.intermediate
    if not state.rounds:
        return b""
    first_auth_id = state.rounds + 1  # RFC 9242 3.2: IDs go on, from 1 for the first IKE_INTERMEDIATE
    return state.by_initiator + state.by_responder + first_auth_id.to_bytes(4, "big")


def mix_in(sa: "IkeSa", secret: bytes) -> list[Action]:
    """One more secret: all keys of the IKE SA anew, from SK_d and the nonces of IKE_SA_INIT (RFC 9370 2.2.2)."""
    number, group = sa.intermediate.waiting.pop(0)
    sa.intermediate.key_pair = None
    if sa.tap is not None:
        left = len(sa.intermediate.waiting)
        sa.tap(AdditionalKeyExchanged(number, group.name, left))
    seed = rekey_skeyseed(sa.suite.prf, sa.keys.sk_d, secret, sa.nonce_i, sa.nonce_r)
    sa.set_keys(seed, secret)
    return []
