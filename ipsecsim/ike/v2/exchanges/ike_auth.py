"""IKE_AUTH: prove both identities, and set up the first Child SA (RFC 7296 1.2).

    HDR, SK {IDi, [CERT,] [N(INITIAL_CONTACT),] [CERTREQ,] IDr, AUTH, [CP,] [N,] SAi2, TSi, TSr}  -->
                                              <--  HDR, SK {IDr, [CERT,] AUTH, [CP,] [N,] SAr2, TSi, TSr}

SA, TSi and TSr are left out together where the responder has announced that this may be (RFC 6023).

An IKE SA can stand without its child: then the answer holds a notify in place of SAr2, TSi and TSr.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.actions import Action
from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import Instant
from ipsecsim.ike.config import Connection
from ipsecsim.ike.errors import (
    AuthenticationFailed,
    IkeError,
    InvalidSyntax,
    UnexpectedMessage,
)
from ipsecsim.ike.events import NotifyReceived
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2 import message_id_sync
from ipsecsim.ike.v2.children import child, child_agreement, child_form, childless, configuration
from ipsecsim.ike.v2.duties.tasks import CreateChild, Inform
from ipsecsim.ike.v2.messages import payload_rules
from ipsecsim.ike.v2.messages.message import Answer, Message, error_in, first, the
from ipsecsim.ike.v2.paths import mobility
from ipsecsim.ike.v2.peer import certificates, diagnosis, proof, uniqueness
from ipsecsim.ike.v2.states import State, Step, move
from ipsecsim.wire.ike.auth import Authentication
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.identification import Identification, IdInitiator, IdResponder
from ipsecsim.wire.ike.notify import Notify
from ipsecsim.wire.ike.numbers import ExchangeType, NotifyType, name_of
from ipsecsim.wire.reader import Malformed

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def build_request(sa: "IkeSa", now: Instant) -> Sequence[Payload]:
    """Our identity and proof, whom we expect, and the child we want."""
    move(sa, Step.SEND_AUTH)
    connection = sa.connection
    our_id = IdInitiator(connection.local_id.id_type, connection.local_id.data)
    expected = connection.remote_id if isinstance(connection.remote_id, Identity) else None
    proved = proof.ours(sa, our_id, expected)
    return [
        our_id,
        *proved.certificates,
        *uniqueness.initial_contact(sa),
        *certificates.requests(sa, [connection]),
        *([] if expected is None else [IdResponder(expected.id_type, expected.data)]),
        proved.auth,
        *configuration.request(sa),
        *([] if sa.is_childless else _child_asked_for(sa)),
        *mobility.offer(sa),
        *message_id_sync.offer(sa),
    ]


def _child_asked_for(sa: "IkeSa") -> list[Payload]:
    wanted = sa.wanted_child
    sa.spi_in = sa.node.child_spi()
    return [
        *child_form.wishes(sa, wanted),
        child_agreement.offer(sa, wanted, sa.spi_in, with_groups=False),
        *child_agreement.selectors_of(sa, wanted, sa.trigger),
    ]


def handle_request(sa: "IkeSa", message: Message, now: Instant) -> Answer:
    """Find out who it is, check the proof, then give our own and set up the child."""
    if sa.state is not State.INIT_ANSWERED:
        raise UnexpectedMessage(f"IKE_AUTH request while {sa.state.value}")
    if sa.intermediate.waiting:
        raise UnexpectedMessage("IKE_AUTH before the additional key exchanges")  # RFC 9242 3.2
    payloads = message.payloads
    configuration.check(payloads)
    their_id = the(payloads, IdInitiator)
    certificates.read_requests(sa.wishes, payloads)
    sa.connection = _connection_for(sa, payloads)
    is_childless = childless.is_asked_for(sa, payloads)
    proof.check(sa, their_id, payloads, now)
    our_id = IdResponder(sa.connection.local_id.id_type, sa.connection.local_id.data)
    proved = proof.ours(sa, our_id, Identity.of(their_id))
    us = [our_id, *proved.certificates, proved.auth]
    uniqueness.check(sa, Identity.of(their_id), payloads)
    extensions = [*mobility.agree(sa, message), *message_id_sync.agree(sa, payloads)]
    move(sa, Step.AUTHENTICATE)
    sa.established(now)
    replaced = uniqueness.settle(sa, Identity.of(their_id), payloads, now)
    try:
        given = configuration.answer(sa, payloads)
        if is_childless:
            return Answer([*us, *given, *extensions], after=replaced)
        childless.check(sa)
        agreed = child_agreement.agree(sa, payloads, sa.connection.children, with_groups=False)
    except IkeError as refused:
        if refused.notify is None:
            raise
        diagnosis.tell_of(sa, refused, ExchangeType.IKE_AUTH)
        child_agreement.failed(sa, "", refused.notify)
        return Answer([*us, Notify(refused.notify, refused.notify_data), *extensions], after=replaced)
    created = child.create(sa, agreed.agreement, child.Material(sa.nonce_i, sa.nonce_r), we_began=False)
    # our own packets wait until the answer is out: the peer cannot open them before it has read it
    payloads_back = [*us, *given, *agreed.notifies, agreed.sa, *agreed.selectors, *extensions]
    return Answer(payloads_back, before=[created.inbound], after=[created.outbound, *replaced])


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
        proof.check(sa, their_id, payloads, now)
    except AuthenticationFailed:
        # RFC 7296 2.21.2: tell the responder, which believes in us, and forget it all
        farewell = sa.enqueue(Inform([Notify(NotifyType.AUTHENTICATION_FAILED)]), now)
        return farewell + sa.fail()
    mobility.begin(sa, message)
    message_id_sync.agree(sa, payloads)
    move(sa, Step.AUTHENTICATE)
    sa.established(now)
    actions = _accept_child(sa, payloads)
    return actions + uniqueness.settle(sa, Identity.of(their_id), payloads, now)


def give_up(sa: "IkeSa", now: Instant) -> list[Action]:
    """Nobody answers."""
    return sa.fail()


def _check_identity(sa: "IkeSa", their_id: IdResponder) -> None:
    identity = _checked(sa, their_id)
    if not sa.connection.expects(identity):
        raise proof.refused(sa, identity, f"we expected {sa.connection.remote_id}")


def _connection_for(sa: "IkeSa", payloads: Sequence[Payload]) -> Connection:
    """The first connection to this address whose identities fit, and the kind of proof.

    IDr is the peer's wish and may be missing.
    """
    identity, wish = _checked(sa, the(payloads, IdInitiator)), first(payloads, IdResponder)
    ours = None if wish is None else Identity.of(wish)
    named = [
        each
        for each in sa.candidates
        if each.expects(identity) and (ours is None or each.local_id.covers(ours))
    ]
    if not named:
        raise proof.refused(sa, identity, "no connection has this identity", Diagnosis.AUTH_ID_UNKNOWN)
    shown = the(payloads, Authentication)
    return next((each for each in named if proof.fits(each, shown)), named[0])


def _checked(sa: "IkeSa", payload: Identification) -> Identity:
    """Who the peer says it is. Raises AuthenticationFailed when that is nobody's name."""
    identity = Identity.of(payload)
    try:
        identity.check()
    except Malformed as wrong:
        raise proof.refused(sa, identity, str(wrong), reason=wrong.reason) from wrong
    return identity


def _accept_child(sa: "IkeSa", payloads: Sequence[Payload]) -> list[Action]:
    """The initiator's half of the child; without one, a notify says why."""
    wanted = sa.wanted_child
    if sa.is_childless:
        childless.ask_for_child(sa)
        return configuration.accept(sa, payloads)
    if any(first(payloads, kind) is None for kind in childless.ABOUT_A_CHILD):
        error = error_in(payloads)
        if error is None:
            raise InvalidSyntax("the answer holds neither a Child SA nor a reason")
        child_agreement.failed(sa, wanted.name, error.notify_type)
        asked = CreateChild(wanted, trigger=sa.trigger)
        if error.notify_type == NotifyType.SINGLE_PAIR_REQUIRED and sa.trigger and sa.trigger.may_be_alone:
            sa.agenda.add(CreateChild(wanted, trigger=sa.trigger.alone()))
            return []
        return [*asked.given_up()]
    addresses = configuration.accept(sa, payloads)
    agreed = child_agreement.accept(sa, payloads, wanted, sa.spi_in, sa.trigger, with_groups=False)
    created = child.create(sa, agreed.agreement, child.Material(sa.nonce_i, sa.nonce_r), we_began=True)
    return [*addresses, created.inbound, created.outbound]
