"""Proving who we are, and judging the peer's proof: a shared secret or a signature (RFC 7296 2.15, RFC 7427)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.base.errors import RemoteError
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.errors import ChainRefused
from ipsecsim.crypto.rows import Status
from ipsecsim.crypto.signature_keys import PublicKey
from ipsecsim.crypto.signatures import CLASSIC, SignatureScheme, fitting, scheme_of
from ipsecsim.ike.config import AuthKind, Connection
from ipsecsim.ike.credentials import OwnKey
from ipsecsim.ike.errors import AuthenticationFailed
from ipsecsim.ike.events import PeerAuthenticated, PeerRefused, WeakKeyTaken
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.messages.message import the
from ipsecsim.ike.v2.peer import certificates, diagnosis, trust
from ipsecsim.ike.v2.peer.auth import is_equal, octets_of, psk_auth
from ipsecsim.wire.ike.auth import Authentication, DigitalSignature
from ipsecsim.wire.ike.certificate import CertificatePayload
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.identification import Identification
from ipsecsim.wire.ike.numbers import AuthMethod, name_of

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

METHODS: dict[AuthKind, frozenset[int]] = {
    AuthKind.PSK: frozenset([AuthMethod.SHARED_KEY_MIC]),
    AuthKind.PUBKEY: frozenset([AuthMethod.DIGITAL_SIGNATURE, *CLASSIC]),
}
"""The methods of the AUTH payload that a kind of proof may use."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Our AUTH payload, and the certificates that stand before it."""

    certificates: Sequence[CertificatePayload]
    auth: Authentication


def fits(connection: Connection, proof: Authentication) -> bool:
    """Is this the kind of proof that the connection wants from the peer?"""
    return proof.method in METHODS[connection.remote_auth.kind]


def refused(
    sa: "IkeSa",
    identity: Identity,
    why: str,
    known: Diagnosis | None = None,
    reason: DropReason = DropReason.AUTH_FAILED,
) -> AuthenticationFailed:
    """The error by which a peer is refused, ready to raise. The peer learns no more than that it was."""
    if sa.tap is not None:
        sa.tap(PeerRefused(str(identity), f"{why} ({known})" if known else why))
    if known is not None:
        diagnosis.tell(sa, known, f"{identity}: {why}")
    return AuthenticationFailed(f"{identity}: {why}", reason)


# -- our own ----------------------------------------------------------------------------------------


def ours(sa: "IkeSa", our_id: Identification, peer: Identity | None) -> Proof:
    """Prove who we are. Raises AuthenticationFailed when we hold nothing to do it with."""
    octets = octets_of(sa, our_id, by_initiator=sa.is_initiator)
    if sa.connection.local_auth.kind is AuthKind.PUBKEY:
        return _signed(sa, octets)
    secret = sa.credentials.shared_secret(sa.connection.local_id, peer)
    if secret is None:
        raise AuthenticationFailed(f"no secret for {peer or 'an unnamed peer'}")
    return Proof([], Authentication(AuthMethod.SHARED_KEY_MIC, psk_auth(sa.suite.prf, secret.secret, octets)))


def _signed(sa: "IkeSa", octets: bytes) -> Proof:
    for own in _own_keys(sa):
        scheme = _our_scheme(sa, own.key.public)
        if scheme is not None:
            break
    else:
        raise AuthenticationFailed(f"no key of {sa.connection.local_id} makes signatures that the peer takes")
    signature = scheme.sign(own.key, octets, sa.entropy.fork("signature"))
    if scheme.algorithm:
        signature = DigitalSignature(scheme.algorithm, signature).emit()
    return Proof(certificates.to_show(sa, own), Authentication(scheme.method, signature))


def _own_keys(sa: "IkeSa") -> list[OwnKey]:
    """Those we may use here, best first: below a root that the peer trusts, and with our name in it."""
    auth, identity, asked_for = sa.connection.local_auth, sa.connection.local_id, sa.wishes.authorities

    def is_wished(own: OwnKey) -> bool:
        above = {each.issuer for each in own.certificates}
        known = (*own.certificates, *sa.credentials.known.roots)
        return any(each.key.hash in asked_for for each in known if each.subject in above)

    def carries_name(own: OwnKey) -> bool:
        return bool(own.certificates) and trust.carries(own.certificates[0], identity)

    may_use = [own for own in sa.credentials.keys if not auth.keys or own.name in auth.keys]
    return sorted(may_use, key=lambda own: (not is_wished(own), not carries_name(own)))


def _our_scheme(sa: "IkeSa", key: PublicKey) -> SignatureScheme | None:
    """The best signature that the key can make and the peer takes (RFC 7427 4); None when there is none."""
    possible = fitting(key, sa.connection.local_auth.schemes)
    if not possible:
        return None
    if sa.wishes.hashes is not None:
        # RFC 7427 3: both have sent the notify, so no older method may be used
        hashes = sa.wishes.hashes
        return next((each for each in possible if each.algorithm and each.hash in hashes), None)
    return next((each for each in CLASSIC.values() if key.kind in each.kinds), None)


# -- the peer's -------------------------------------------------------------------------------------


def check(sa: "IkeSa", their_id: Identification, payloads: Sequence[Payload], now: Instant) -> None:
    """Judge the peer's proof. Raises AuthenticationFailed, and has told only our own side why."""
    identity, proof = Identity.of(their_id), the(payloads, Authentication)
    if not fits(sa.connection, proof):
        raise refused(
            sa, identity, f"{name_of(AuthMethod, proof.method)} is not how {sa.connection.name} wants it"
        )
    octets = octets_of(sa, their_id, by_initiator=not sa.is_initiator)
    if sa.connection.remote_auth.kind is AuthKind.PSK:
        how = _check_secret(sa, identity, proof, octets)
    else:
        how = _check_signature(sa, identity, proof, payloads, octets, now)
    sa.peer = identity
    if sa.tap is not None:
        sa.tap(PeerAuthenticated(str(identity), how))


def _check_secret(sa: "IkeSa", identity: Identity, proof: Authentication, octets: bytes) -> str:
    secret = sa.credentials.shared_secret(sa.connection.local_id, identity)
    if secret is None:
        raise refused(sa, identity, "no shared secret for this identity")
    if not is_equal(psk_auth(sa.suite.prf, secret.secret, octets), proof.data):
        raise refused(
            sa, identity, "its AUTH value does not fit our shared secret", Diagnosis.AUTH_PSK_MISMATCH
        )
    return "pre-shared key"


def _check_signature(
    sa: "IkeSa",
    identity: Identity,
    proof: Authentication,
    payloads: Sequence[Payload],
    octets: bytes,
    now: Instant,
) -> str:
    try:
        scheme, signature = _their_scheme(sa, proof)
        key = trust.key_of(sa, identity, certificates.read(payloads), now)
    except ChainRefused as doubt:
        raise refused(sa, identity, str(doubt), doubt.diagnosis, doubt.reason) from doubt
    except RemoteError as wrong:
        raise refused(sa, identity, str(wrong), reason=wrong.reason) from wrong
    if not scheme.is_good(key, octets, signature):
        raise refused(sa, identity, f"its signature ({scheme.name}) does not fit the key {key}")
    if sa.tap is not None and Status.WEAK in (scheme.status, key.status):
        sa.tap(WeakKeyTaken(f"{scheme.name}, {key}"))
    return f"{scheme.name}, {key}"


def _their_scheme(sa: "IkeSa", proof: Authentication) -> tuple[SignatureScheme, bytes]:
    """How the peer signed, and its signature. Raises RemoteError for what we did not ask for."""
    taken = sa.connection.remote_auth.schemes
    if proof.method == AuthMethod.DIGITAL_SIGNATURE:
        if sa.wishes.hashes is None:
            raise AuthenticationFailed("a digital signature, though it never said that it speaks RFC 7427")
        data = DigitalSignature.parse(proof.data)
        scheme = scheme_of(data.algorithm)
        if all(each.word != scheme.word for each in taken):
            raise AuthenticationFailed(
                f"{scheme.name} is none of the signatures we take", DropReason.SIG_PARAMS
            )
        return scheme, data.signature
    if sa.wishes.hashes is not None:
        raise AuthenticationFailed(
            f"{name_of(AuthMethod, proof.method)}, though both sides speak RFC 7427", DropReason.SIG_PARAMS
        )
    classic = CLASSIC[proof.method]
    if not any(set(classic.kinds) & set(each.kinds) for each in taken):
        raise AuthenticationFailed(f"{classic.name} is none of the signatures we take", DropReason.SIG_PARAMS)
    return classic, proof.data
