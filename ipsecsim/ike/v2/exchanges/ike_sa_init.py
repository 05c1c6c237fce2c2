"""IKE_SA_INIT: agree on algorithms, exchange nonces and Diffie-Hellman values (RFC 7296 1.2).

    HDR, SAi1, KEi, Ni, N(NAT_DETECTION_*)  -->
                                            <--  HDR, SAr1, KEr, Nr, N(NAT_DETECTION_*), [CERTREQ]

Nothing is protected yet; AUTH will cover these bytes afterwards.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.catalogue import GROUPS, Group
from ipsecsim.ike import negotiate
from ipsecsim.ike.errors import InvalidKeyExchange, InvalidSyntax, NoProposalChosen, UnexpectedMessage
from ipsecsim.ike.events import CookieReturned, GroupChanged, IkeProposalChosen, NatDetected, NotifyReceived
from ipsecsim.ike.v2.children import childless
from ipsecsim.ike.v2.duties.alarms import Alarm
from ipsecsim.ike.v2.keying import intermediate
from ipsecsim.ike.v2.messages import doubt, fragments, payload_rules
from ipsecsim.ike.v2.messages.message import Answer, Message, notify, the
from ipsecsim.ike.v2.paths import moving
from ipsecsim.ike.v2.paths.nat import detect, detection_notifies
from ipsecsim.ike.v2.peer import certificates
from ipsecsim.ike.v2.peer.hash_notify import hashes_notify, read_hashes
from ipsecsim.ike.v2.states import State, Step, move
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, name_of
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

NONCE_LENGTH = 32  # RFC 7296 2.10: at least half the key size of the prf
NONCE_LENGTHS = range(16, 257)  # RFC 7296 3.9
COOKIE_LENGTHS = range(1, 65)  # RFC 7296 2.6
RESTARTS = 4  # a responder that asks for a new start more often is making fun of us


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """Offer, public value and nonce, with the responder's cookie in front where it sent one."""
    move(sa, Step.SEND_INIT if sa.state is State.IDLE else Step.SEND_INIT_AGAIN)
    if not sa.nonce_i:
        sa.began_at = now
        sa.nonce_i = sa.entropy.fork("nonce").bytes(NONCE_LENGTH)
    group = sa.group
    if sa.key_pair is None:
        sa.key_pair = group.make(sa.entropy.fork(f"key exchange {group.id}"))
    cookie = [Notify(NotifyType.COOKIE, sa.cookie)] if sa.cookie else []
    return [
        *cookie,
        negotiate.offer_ike(sa.connection.proposals),
        KeyExchange(group.id, sa.key_pair.public),
        Nonce(sa.nonce_i),
        *detection_notifies(sa, sa.path),
        *fragments.supported(sa),
        *intermediate.supported(sa.connection.proposals),
        *hashes_notify(sa),
    ]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Choose a suite, make our half of the secret, derive the keys."""
    payloads, sa.began_at = message.payloads, now
    proposals = intermediate.usable(sa.connection.proposals, payloads)
    answer, suite = negotiate.choose_ike(the(payloads, SecurityAssociationPayload), proposals)
    theirs = the(payloads, KeyExchange)
    if theirs.group != suite.group.id:
        raise InvalidKeyExchange(wanted=suite.group.id, got=theirs.group)
    sa.nonce_i = checked_nonce(the(payloads, Nonce))
    sa.key_pair = suite.group.make(sa.entropy.fork(f"key exchange {suite.group.id}"))
    shared_secret = sa.key_pair.shared_secret(theirs.data)
    move(sa, Step.ANSWER_INIT)
    sa.suite = suite
    sa.nonce_r = sa.entropy.fork("nonce").bytes(NONCE_LENGTH)
    sa.init_request = message.raw
    _settle(sa, message, shared_secret)
    return Answer(
        [
            answer,
            KeyExchange(suite.group.id, sa.key_pair.public),
            Nonce(sa.nonce_r),
            *detection_notifies(sa, sa.path),
            *fragments.supported(sa),
            *childless.announcement(sa),
            *(intermediate.supported(proposals) if intermediate.agreed(payloads) else ()),
            *hashes_notify(sa),
            *certificates.requests(sa, sa.candidates),
        ]
    )


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """Derive the same keys and go on to IKE_AUTH, or do what the responder asks for first."""
    if sa.state is not State.INIT_SENT:
        raise UnexpectedMessage(f"IKE_SA_INIT response while {sa.state.value}")
    payloads = message.payloads
    refusal = payload_rules.refusal(ExchangeType.IKE_SA_INIT, payloads)
    if refusal is not None:
        return _refused(sa, refusal, now)
    if not any(message.header.spi_r):
        raise InvalidSyntax("the responder chose SPI zero")
    suite = negotiate.accept_ike(the(payloads, SecurityAssociationPayload), sa.connection.proposals)
    if suite.additional and not intermediate.agreed(payloads):
        raise NoProposalChosen("additional key exchanges without a word about IKE_INTERMEDIATE")
    theirs = the(payloads, KeyExchange)
    asked = next((each for each in doubt.attempts(sa) if each.group.id == theirs.group), None)
    if theirs.group != suite.group.id or asked is None:
        raise InvalidSyntax(f"the answer's key exchange is for group {theirs.group}")
    nonce_r = checked_nonce(the(payloads, Nonce))
    shared_secret = asked.key_pair.shared_secret(theirs.data)
    sa.is_childless = childless.choose(sa, payloads)
    sa.timers.cancel(Alarm.DOUBT)
    sa.init_request, sa.group = asked.request, asked.group
    sa.suite = suite
    sa.nonce_r = nonce_r
    sa.spi_r = message.header.spi_r
    sa.init_response = message.raw
    certificates.read_requests(sa.wishes, payloads)
    _settle(sa, message, shared_secret)
    sa.window.close_request()
    moving.note_mapping(sa, message)
    if sa.is_nat_between or (sa.connection.mobike is not None and sa.knows_nats):
        sa.float_to_nat_port()
    return sa.request(intermediate.next_exchange(sa), now)


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nobody answers."""
    return sa.fail()


def _refused(sa: "IkeSa", refusal: Notify, now: Instant) -> list[Action]:
    """COOKIE and INVALID_KE_PAYLOAD ask for a new start with the same SPI; all else is only a hint."""
    kind, has_patience = refusal.notify_type, len(sa.earlier) < RESTARTS
    if kind == NotifyType.COOKIE and len(refusal.data) in COOKIE_LENGTHS and has_patience:
        if sa.tap is not None:
            sa.tap(CookieReturned(sa.spi_i, refusal.data))
        sa.cookie = refusal.data
        return _start_again(sa, now, sa.group)
    if kind == NotifyType.INVALID_KE_PAYLOAD and has_patience:
        offered = [proposal.groups for proposal in sa.connection.proposals]
        return _start_again(sa, now, other_group(sa, sa.group, refusal, offered))
    if sa.tap is not None:
        sa.tap(NotifyReceived(name_of(NotifyType, kind), "IKE_SA_INIT"))
    return doubt.doubt(sa, now)


def _start_again(sa: "IkeSa", now: Instant, group: Group) -> list[Action]:
    sa.earlier = doubt.attempts(sa)[::-1]
    if group is not sa.group:
        sa.group, sa.key_pair = group, None
    sa.timers.cancel(Alarm.DOUBT)
    sa.window.restart()
    return sa.request(ExchangeType.IKE_SA_INIT, now)


def other_group(sa: "IkeSa", tried: Group, refusal: Notify, offered: Sequence[Sequence[Group]]) -> Group:
    """The group that INVALID_KE_PAYLOAD asks for. Raises IkeError unless we offered it (RFC 7296 2.7)."""
    if len(refusal.data) != 2:
        raise InvalidSyntax(f"INVALID_KE_PAYLOAD with {len(refusal.data)} bytes instead of a group")
    wanted = int.from_bytes(refusal.data, "big")
    # otherwise somebody wants us to use a weaker one
    if wanted == tried.id or all(group.id != wanted for groups in offered for group in groups):
        raise NoProposalChosen(f"the responder wants group {wanted}, which we did not offer")
    if sa.tap is not None:
        sa.tap(GroupChanged(sa.spi_i, tried.name, GROUPS[wanted].name))
    return GROUPS[wanted]


def _settle(sa: "IkeSa", message: Message, shared_secret: bytes) -> None:
    """What both sides do once they have the other's values: compare addresses, make keys."""
    if sa.tap is not None:
        sa.tap(IkeProposalChosen(sa.suite.words))
    # RFC 7427 3: the new method counts only where both sides have announced it
    sa.wishes.hashes = read_hashes(message) if hashes_notify(sa) else None
    sa.takes_fragments = fragments.agreed(sa, message.payloads)
    shown = notify(message.payloads, NotifyType.NAT_DETECTION_SOURCE_IP)
    sa.knows_nats = shown is not None and sa.connection.nat_traversal
    local, remote = detect(message)
    sa.we_are_behind_nat, sa.peer_is_behind_nat = local, remote or sa.connection.encap
    if sa.tap is not None and shown is not None:
        sa.tap(NatDetected(local, remote))
    sa.intermediate.waiting = list(sa.suite.additional)
    sa.derive_keys(shared_secret)


def checked_nonce(nonce: Nonce) -> bytes:
    """The peer's nonce. Raises InvalidSyntax for a length that is not allowed (RFC 7296 3.9)."""
    if len(nonce.data) not in NONCE_LENGTHS:
        raise InvalidSyntax(f"a nonce of {len(nonce.data)} bytes")
    return nonce.data
