"""IKE_AUTH: prove both identities, and set up the first Child SA (RFC 7296 1.2).

    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr}  -->
                                              <--  HDR, SK {IDr, AUTH, SAr2, TSi, TSr}

An IKE SA can stand without its child: then the answer holds a notify in place of SAr2, TSi and TSr.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.instant import Instant
from ipsecsim.ike import negotiate
from ipsecsim.ike.actions import ChildGivenUp
from ipsecsim.ike.config import Connection
from ipsecsim.ike.errors import (
    AuthenticationFailed,
    IkeError,
    InvalidSyntax,
    UnexpectedMessage,
)
from ipsecsim.ike.events import (
    NotifyReceived,
    PeerAuthenticated,
    PeerRefused,
)
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2 import child, child_agreement, payload_rules
from ipsecsim.ike.v2.auth import is_equal, psk_auth, signed_octets
from ipsecsim.ike.v2.message import Answer, Message, first, the
from ipsecsim.ike.v2.states import State, Step, move
from ipsecsim.ike.v2.tasks import Inform
from ipsecsim.wire.ike.auth import Authentication
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.identification import Identification, IdInitiator, IdResponder
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import AuthMethod, ExchangeType, NotifyType, name_of
from ipsecsim.wire.ike.proposal import SecurityAssociationPayload
from ipsecsim.wire.ike.traffic_selector import TsInitiator, TsResponder

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """Our identity and proof, whom we expect, and the child we want."""
    move(sa, Step.SEND_AUTH)
    connection, wanted = sa.connection, sa.wanted_child
    our_id = IdInitiator(connection.local_id.id_type, connection.local_id.data)
    sa.spi_in = sa.node.esp_spi()
    expected = connection.remote_id
    return [
        our_id,
        *([] if expected is None else [IdResponder(expected.id_type, expected.data)]),
        _our_proof(sa, our_id, expected),
        negotiate.offer_esp(wanted.proposals, sa.spi_in.to_bytes(4, "big"), with_groups=False),
        *child_agreement.selectors_of(wanted),
    ]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Find out who it is, check the proof, then give our own and set up the child."""
    if sa.state is not State.INIT_ANSWERED:
        raise UnexpectedMessage(f"IKE_AUTH request while {sa.state.value}")
    payloads = message.payloads
    their_id = the(payloads, IdInitiator)
    sa.connection = _connection_for(sa, their_id, first(payloads, IdResponder))
    _check_proof(sa, their_id, the(payloads, Authentication))
    our_id = IdResponder(sa.connection.local_id.id_type, sa.connection.local_id.data)
    our_proof = _our_proof(sa, our_id, Identity(their_id.id_type, their_id.data))
    move(sa, Step.AUTHENTICATE)
    sa.established(now)
    try:
        agreed = child_agreement.agree(sa, payloads, sa.connection.children, with_groups=False)
    except IkeError as refused:
        if refused.notify is None:
            raise
        child_agreement.failed(sa, "", refused.notify)
        return Answer([our_id, our_proof, Notify(refused.notify, refused.notify_data)])
    created = child.create(sa, agreed.agreement, child.Material(sa.nonce_i, sa.nonce_r), we_began=False)
    # our own packets wait until the answer is out: the peer cannot open them before it has read it
    payloads_back = [our_id, our_proof, agreed.sa, *agreed.selectors]
    return Answer(payloads_back, before=[created.inbound], after=[created.outbound])


def handle_response(sa: "IkeSa", message: Message, now: Instant) -> list[Action]:
    """Check the responder's proof and install what it agreed to."""
    payloads = message.payloads
    refusal = payload_rules.refusal(ExchangeType.IKE_AUTH, payloads)
    if refusal is not None:
        if sa.tap is not None:
            sa.tap(NotifyReceived(name_of(NotifyType, refusal.notify_type), "IKE_AUTH"))
        return sa.fail()
    sa.window.close_request()
    their_id = the(payloads, IdResponder)
    try:
        _check_identity(sa, their_id)
        _check_proof(sa, their_id, the(payloads, Authentication))
    except AuthenticationFailed:
        # RFC 7296 2.21.2: tell the responder, which believes in us, and forget it all
        farewell = sa.enqueue(Inform([Notify(NotifyType.AUTHENTICATION_FAILED)]), now)
        return farewell + sa.fail()
    move(sa, Step.AUTHENTICATE)
    sa.established(now)
    return _accept_child(sa, payloads)


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nobody answers."""
    return sa.fail()


def _our_proof(sa: "IkeSa", our_id: Identification, peer: Identity | None) -> Authentication:
    secret = sa.credentials.shared_secret(sa.connection.local_id, peer)
    if secret is None:
        raise AuthenticationFailed(f"no secret for {peer or 'an unnamed peer'}")
    octets = _octets(sa, our_id, by_initiator=sa.is_initiator)
    return Authentication(AuthMethod.SHARED_KEY_MIC, psk_auth(sa.suite.prf, secret.secret, octets))


def _octets(sa: "IkeSa", identification: Identification, *, by_initiator: bool) -> bytes:
    """What the side that `identification` belongs to has signed (RFC 7296 2.15)."""
    if by_initiator:
        message, nonce, key = sa.init_request, sa.nonce_r, sa.keys.sk_pi
    else:
        message, nonce, key = sa.init_response, sa.nonce_i, sa.keys.sk_pr
    return signed_octets(sa.suite.prf, message, nonce, key, identification.emit())


def _check_proof(sa: "IkeSa", their_id: Identification, proof: Authentication) -> None:
    identity = Identity(their_id.id_type, their_id.data)
    if proof.method != AuthMethod.SHARED_KEY_MIC:
        raise _refuse(sa, identity, f"authentication method {proof.method}, not a shared key")
    secret = sa.credentials.shared_secret(sa.connection.local_id, identity)
    if secret is None:
        raise _refuse(sa, identity, "no shared secret for this identity")
    octets = _octets(sa, their_id, by_initiator=not sa.is_initiator)
    if not is_equal(psk_auth(sa.suite.prf, secret.secret, octets), proof.data):
        raise _refuse(sa, identity, "its AUTH value does not fit our shared secret")
    if sa.tap is not None:
        sa.tap(PeerAuthenticated(str(identity), "pre-shared key"))


def _check_identity(sa: "IkeSa", their_id: Identification) -> None:
    identity = Identity(their_id.id_type, their_id.data)
    if sa.connection.remote_id not in (None, identity):
        raise _refuse(sa, identity, f"we expected {sa.connection.remote_id}")


def _connection_for(sa: "IkeSa", their_id: IdInitiator, wanted: IdResponder | None) -> Connection:
    """The first connection to this address whose identities fit; IDr is the peer's wish and may be missing."""
    identity = Identity(their_id.id_type, their_id.data)
    ours = None if wanted is None else Identity(wanted.id_type, wanted.data)
    for connection in sa.candidates:
        if connection.remote_id in (None, identity) and ours in (None, connection.local_id):
            return connection
    raise _refuse(sa, identity, "no connection has this identity")


def _refuse(sa: "IkeSa", identity: Identity, why: str) -> AuthenticationFailed:
    if sa.tap is not None:
        sa.tap(PeerRefused(str(identity), why))
    return AuthenticationFailed(f"{identity}: {why}")


def _accept_child(sa: "IkeSa", payloads: Sequence[Payload]) -> list[Action]:
    """The initiator's half of the child; without one, a notify says why."""
    wanted = sa.wanted_child
    kinds = (SecurityAssociationPayload, TsInitiator, TsResponder)
    if any(first(payloads, kind) is None for kind in kinds):
        error = next((p for p in payloads if isinstance(p, Notify) and p.is_error), None)
        if error is None:
            raise InvalidSyntax("the answer holds neither a Child SA nor a reason")
        child_agreement.failed(sa, wanted.name, error.notify_type)
        return [ChildGivenUp(wanted.policy)]
    agreed = child_agreement.accept(sa, payloads, wanted, sa.spi_in, with_groups=False)
    created = child.create(sa, agreed.agreement, child.Material(sa.nonce_i, sa.nonce_r), we_began=True)
    return [created.inbound, created.outbound]
