"""Checks what two recorded IKE peers agreed on, and that each proved who it is."""

from ipsecsim.crypto.catalogue import (
    ENCRYPTION,
    GROUPS,
    INTEGRITY,
    PRF,
    AhSuite,
    Encryption,
    EspSuite,
    Group,
    IkeSuite,
    Integrity,
    Prf,
)
from ipsecsim.crypto.certificate_path import Known, believe
from ipsecsim.crypto.signatures import scheme_of
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.peer.auth import psk_auth, signed_octets
from ipsecsim.ike.v2.peer.certificates import read
from ipsecsim.ike.v2.peer.trust import carries
from ipsecsim.wire.ike.auth import Authentication, DigitalSignature
from ipsecsim.wire.ike.identification import Identification, IdInitiator, IdResponder
from ipsecsim.wire.ike.key_exchange import KeyExchange
from ipsecsim.wire.ike.nonce import Nonce
from ipsecsim.wire.ike.numbers import AuthMethod, ExchangeType, ProtocolId, TransformType
from ipsecsim.wire.ike.proposal import Proposal, Transform
from tests.vectors.recorded_state import Entry, Message, Session
from tests.vectors.results import MismatchError, NotSupportedError, same

SCHEMES = {
    "ecdsa-sha256 ok": "ecdsa-sha256",
    "rsa-pkcs1-sha256 (RFC 7427) ok": "rsa-sha256",
}
"""How each recorded peer signed, in the words of `check_auth` and in ours."""


def negotiation(session: Session, entry: Entry) -> None:
    """Nonces, SPIs, suite and group of an IKE SA are those that crossed the wire."""
    sa = session.keyed(entry["spi_i"])
    request, response = _rekeying(session, entry) if "rekeyed_from" in entry else session.init_exchange(entry)
    chosen = response.proposal_for(ProtocolId.IKE)
    if chosen is None:
        raise MismatchError("no IKE proposal was chosen")
    same("suite", ike_suite(chosen), sa.suite)
    for message, nonce in ((request, "ni"), (response, "nr")):
        same(nonce, message.need(Nonce).data, bytes.fromhex(entry[nonce]))
        exchanged, group = message.need(KeyExchange), sa.suite.group
        same("KE payload", (exchanged.group, len(exchanged.data)), (group.id, group.public_length))


def _rekeying(session: Session, entry: Entry) -> tuple[Message, Message]:
    """The exchange under the old SA whose proposals carry the new SPIs."""
    for exchange in session.keyed(entry["rekeyed_from"]).of_type(ExchangeType.CREATE_CHILD_SA):
        request, response = exchange.request, exchange.response
        if request is None or response is None:
            continue
        offered, chosen = request.proposal_for(ProtocolId.IKE), response.proposal_for(ProtocolId.IKE)
        if offered is None or chosen is None:
            continue
        if (offered.spi.hex(), chosen.spi.hex()) == (entry["spi_i"], entry["spi_r"]):
            return request, response
    raise MismatchError("no CREATE_CHILD_SA exchange made this IKE SA")


def ike_suite(proposal: Proposal) -> IkeSuite:
    """The chosen proposal of an IKE SA in rows of the catalogue. Raises NotSupportedError without a row."""
    cipher, key_bits = _cipher(proposal)
    return IkeSuite(cipher, key_bits, _integrity(proposal), _prf(proposal), _group(proposal))


def child_suite(proposal: Proposal) -> EspSuite | AhSuite:
    """The chosen proposal of an ESP or AH SA in rows of the catalogue. Raises NotSupportedError without a row."""
    integrity = _integrity(proposal)
    if proposal.protocol == ProtocolId.AH:
        if integrity is None:
            raise MismatchError("AH without integrity was chosen")
        return AhSuite(integrity)
    cipher, key_bits = _cipher(proposal)
    return EspSuite(cipher, key_bits, integrity)


def transform(proposal: Proposal, kind: TransformType) -> Transform | None:
    """The one transform of a kind. Raises MismatchError when a chosen proposal still has a choice."""
    found = [each for each in proposal.transforms if each.type == kind]
    if len(found) > 1:
        raise MismatchError(f"{len(found)} transforms of type {kind} were chosen")
    return found[0] if found else None


def _cipher(proposal: Proposal) -> tuple[Encryption, int]:
    chosen = _needed(proposal, TransformType.ENCR)
    row = ENCRYPTION.get(chosen.id)
    if row is None:
        raise NotSupportedError(f"encryption transform {chosen.id}")
    same("key length is sent", chosen.key_bits is not None, row.has_key_length_attribute)
    return row, chosen.key_bits or row.key_bits[0]


def _integrity(proposal: Proposal) -> Integrity | None:
    chosen = transform(proposal, TransformType.INTEG)
    if chosen is None:
        return None
    row = INTEGRITY.get(chosen.id)
    if row is None:
        raise NotSupportedError(f"integrity transform {chosen.id}")
    return row


def _prf(proposal: Proposal) -> Prf:
    number = _needed(proposal, TransformType.PRF).id
    if number not in PRF:
        raise NotSupportedError(f"prf transform {number}")
    return PRF[number]


def _group(proposal: Proposal) -> Group:
    number = _needed(proposal, TransformType.KE).id
    if number not in GROUPS:
        raise NotSupportedError(f"key exchange group {number}")
    return GROUPS[number]


def _needed(proposal: Proposal, kind: TransformType) -> Transform:
    chosen = transform(proposal, kind)
    if chosen is None:
        raise MismatchError(f"no transform of type {kind} was chosen")
    return chosen


def proof(session: Session, entry: Entry, which: str) -> None:
    """One AUTH payload. `which` is a key of `check_auth`: req or rsp, or one that follows EAP."""
    sa = session.keyed(entry["spi_i"])
    if which.endswith("_eap_msk"):
        raise NotSupportedError("AUTH after EAP")
    request, response = session.init_exchange(entry)
    exchanges = sa.of_type(ExchangeType.IKE_AUTH)
    message = exchanges[0].request if which == "req" else exchanges[0].response
    if message is None:
        raise MismatchError("no IKE_AUTH message")
    auth = message.need(Authentication)
    identity: Identification
    if which == "req":
        first, other, sk_p, identity = request, response, sa.keys.sk_pi, message.need(IdInitiator)
    else:
        first, other, sk_p, identity = response, request, sa.keys.sk_pr, message.need(IdResponder)
    nonce = other.need(Nonce).data
    octets = signed_octets(sa.suite.prf, first.octets, nonce, sk_p, identity.emit())
    credentials, holds = session.keys["credentials"], entry["check_auth"][which]
    role = "id_initiator" if which == "req" else "id_responder"
    if auth.method != AuthMethod.SHARED_KEY_MIC:
        _signature(session, message, auth, identity, octets)
        same("how", SCHEMES[holds], scheme_of(DigitalSignature.parse(auth.data).algorithm).word)
        if role in credentials:
            same("identity", identity.data, credentials[role].encode())
        return
    same("AUTH holds", psk_auth(sa.suite.prf, credentials["psk"].encode(), octets) == auth.data, holds)
    if not holds:
        wrong = psk_auth(sa.suite.prf, credentials["wrong_psk"].encode(), octets)
        same("AUTH under the wrong secret", wrong, auth.data)
    same("identity", identity.data, credentials[role].encode())


def _signature(
    session: Session, message: Message, auth: Authentication, identity: Identification, octets: bytes
) -> None:
    """The signature holds; its certificate leads to the recorded root, and carries the identity."""
    data = DigitalSignature.parse(auth.data)
    same("AUTH written again", data.emit(), auth.data)
    shown = read(message.payloads)
    if not shown.certificates:
        raise MismatchError("no certificate was sent")
    leaf, *others = shown.certificates
    scheme = scheme_of(data.algorithm)
    same("AUTH holds", scheme.is_good(leaf.key, octets, data.signature), True)
    same("AUTH for other octets", scheme.is_good(leaf.key, octets + b"\0", data.signature), False)
    same("carries the identity", carries(leaf, Identity.of(identity)), True)
    if not session.roots:
        raise NotSupportedError("a chain whose root was not recorded")
    chain = believe(leaf, others, Known(session.roots), leaf.not_before)
    same("ends at the recorded root", chain.certificates[-1] in session.roots, True)
