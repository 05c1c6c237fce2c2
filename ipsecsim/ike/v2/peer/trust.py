"""Which public key a peer's signature is checked with: that of a certificate we believe, or one we know already."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipsecsim.base.diagnoses import Diagnosis
from ipsecsim.base.instant import Instant
from ipsecsim.crypto.certificate_path import UNTRUSTED, Known, believe
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.errors import ChainRefused
from ipsecsim.crypto.signature_keys import PublicKey
from ipsecsim.ike.config import RemoteAuth
from ipsecsim.ike.events import ChainBelieved
from ipsecsim.ike.identity import Identity
from ipsecsim.ike.v2.peer.certificates import Shown
from ipsecsim.wire.ike.numbers import IdType

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa


def key_of(sa: "IkeSa", identity: Identity, shown: Shown, now: Instant) -> PublicKey:
    """The key that belongs to the peer. Raises ChainRefused; notes how long its certificate may be believed."""
    wanted = sa.connection.remote_auth
    if shown.public_key is not None and not shown.certificates:
        if all(each.info != shown.public_key.info for each in wanted.public_keys):
            raise ChainRefused("a public key that is none of those we know", UNTRUSTED)
        return shown.public_key
    leaf = shown.certificates[0] if shown.certificates else _known_leaf(sa, identity)
    if leaf is None:
        if len(wanted.public_keys) == 1:
            return wanted.public_keys[0]
        where = "it only says where its certificate is" if shown.is_elsewhere else "no certificate was sent"
        raise ChainRefused(f"{where}, and none is known", UNTRUSTED)
    known = sa.credentials.known
    roots = wanted.authorities or known.roots
    everything = Known(roots, known.others, (*known.lists, *shown.lists))
    chain = believe(
        leaf, shown.certificates[1:], everything, sa.credentials.clock.date(now), wanted.revocation
    )
    _check_choice(leaf, wanted)
    if not carries(leaf, identity):
        raise ChainRefused(
            f"the certificate of {leaf} does not carry this name", Diagnosis.AUTH_CERT_ID_MISMATCH
        )
    limit(sa, sa.credentials.clock.instant(chain.not_after))
    if sa.tap is not None:
        sa.tap(ChainBelieved(tuple(map(str, chain.certificates)), chain.not_after))
    return leaf.key


def limit(sa: "IkeSa", at: Instant) -> None:
    """The SA ends no later than the certificates that were used to set it up (RFC 4301 4.4.2.1)."""
    sa.trusted_until = at if sa.trusted_until is None else min(at, sa.trusted_until)


def carries(certificate: Certificate, identity: Identity) -> bool:
    """Is the identity an alternative name of the certificate, its subject, or its key's identifier?"""
    names = certificate.names
    if identity.id_type == IdType.ID_KEY_ID:
        return bool(certificate.key_identifier) and identity.data == certificate.key_identifier
    listed: dict[int, Sequence[bytes]] = {
        IdType.ID_FQDN: [host.encode() for host in names.hosts],
        IdType.ID_RFC822_ADDR: [mailbox.encode() for mailbox in names.mailboxes],
        IdType.ID_IPV4_ADDR: names.addresses,
        IdType.ID_IPV6_ADDR: names.addresses,
        IdType.ID_DER_ASN1_DN: [certificate.subject, *names.directories],
    }
    return any(Identity(identity.id_type, each).covers(identity) for each in listed.get(identity.id_type, ()))


def _known_leaf(sa: "IkeSa", identity: Identity) -> Certificate | None:
    """The peer sent none: one that was handed over before, in person so to say."""
    candidates = (*sa.connection.remote_auth.certificates, *sa.credentials.known.others)
    return next((each for each in candidates if not each.is_authority and carries(each, identity)), None)


def _check_choice(leaf: Certificate, wanted: RemoteAuth) -> None:
    if wanted.certificates and all(each.der != leaf.der for each in wanted.certificates):
        raise ChainRefused(f"the certificate of {leaf} is none of those we take", UNTRUSTED)
