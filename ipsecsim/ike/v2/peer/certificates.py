"""CERT and CERTREQ: ours to send, and what the peer's hold (RFC 7296 3.6, 3.7, RFC 7670 3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipsecsim.crypto.certificate_path import LONGEST
from ipsecsim.crypto.certificates import Certificate, RevocationList
from ipsecsim.crypto.errors import CertificateMalformed
from ipsecsim.crypto.signature_keys import PublicKey
from ipsecsim.ike.config import AuthKind, Connection, SendCert
from ipsecsim.ike.credentials import OwnKey
from ipsecsim.wire.ike.certificate import CertificatePayload, CertificateRequest
from ipsecsim.wire.ike.generic import Payload
from ipsecsim.wire.ike.numbers import CertificateEncoding

if TYPE_CHECKING:
    from ipsecsim.ike.v2.sa import IkeSa

HASH_LENGTH = 20
MOST_LISTS = 4
_ELSEWHERE = (CertificateEncoding.HASH_AND_URL_X509, CertificateEncoding.HASH_AND_URL_BUNDLE)


@dataclass(slots=True)
class Wishes:
    """What the peer said about the proof that it wants.

    `hashes` None: one of the two does not speak RFC 7427. `authorities` are SHA-1 hashes of keys, in no order.
    """

    hashes: frozenset[int] | None = None
    is_asking: bool = False
    authorities: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Shown:
    """What the peer's CERT payloads hold: certificates, its own first; or a bare public key.

    `is_elsewhere`: it only says where its certificate is. Nothing is ever fetched.
    """

    certificates: list[Certificate] = field(default_factory=list)
    lists: list[RevocationList] = field(default_factory=list)
    public_key: PublicKey | None = None
    is_elsewhere: bool = False


def requests(sa: "IkeSa", connections: Sequence[Connection]) -> list[CertificateRequest]:
    """Ask for what the peer may prove itself with: below which roots, and a bare key where we know some."""
    asking = [
        each.remote_auth
        for each in connections
        if each.remote_auth.kind is AuthKind.PUBKEY and each.remote_auth.send_certreq
    ]
    if not asking:
        return []
    trusted = [each for auth in asking for each in auth.authorities or sa.credentials.known.roots]
    hashes = dict.fromkeys(each.key.hash for each in trusted)
    made = [CertificateRequest(CertificateEncoding.X509_SIGNATURE, b"".join(hashes))] if hashes else []
    if any(auth.public_keys for auth in asking):
        made.append(CertificateRequest(CertificateEncoding.RAW_PUBLIC_KEY, b""))
    return made


def read_requests(wishes: Wishes, payloads: Sequence[Payload]) -> None:
    """Note what the peer asks for. Encodings that we have nothing of are passed over (RFC 7296 3.7)."""
    for payload in payloads:
        if not isinstance(payload, CertificateRequest):
            continue
        if payload.encoding == CertificateEncoding.X509_SIGNATURE:
            wishes.authorities += tuple(_pieces(payload.data))
            wishes.is_asking = True
        elif payload.encoding == CertificateEncoding.RAW_PUBLIC_KEY:
            wishes.is_asking = True


def to_show(sa: "IkeSa", own: OwnKey) -> list[CertificatePayload]:
    """Our certificates, the one of the signing key first; a root is left out, the peer has it or does not."""
    auth = sa.connection.local_auth
    if auth.send_cert is SendCert.NEVER or (auth.send_cert is SendCert.IF_ASKED and not sa.wishes.is_asking):
        return []
    if auth.is_raw:
        return [CertificatePayload(CertificateEncoding.RAW_PUBLIC_KEY, own.key.public.info)]
    shown = [each for each in own.certificates if not each.is_self_issued] or list(own.certificates[:1])
    return [CertificatePayload(CertificateEncoding.X509_SIGNATURE, each.der) for each in shown]


def read(payloads: Sequence[Payload]) -> Shown:
    """What the CERT payloads hold. Raises CertificateMalformed, Malformed and BadKey.

    The first certificate holds the key that signs. Other encodings than ours are passed over.
    """
    shown = Shown()
    for payload in payloads:
        if not isinstance(payload, CertificatePayload):
            continue
        if payload.encoding == CertificateEncoding.X509_SIGNATURE:
            if len(shown.certificates) == LONGEST:
                raise CertificateMalformed(f"more than {LONGEST} certificates")
            shown.certificates.append(Certificate.parse(payload.data))
        elif payload.encoding == CertificateEncoding.CRL:
            if len(shown.lists) == MOST_LISTS:
                raise CertificateMalformed(f"more than {MOST_LISTS} revocation lists")
            shown.lists.append(RevocationList.parse(payload.data))
        elif payload.encoding == CertificateEncoding.RAW_PUBLIC_KEY and shown.public_key is None:
            shown.public_key = PublicKey.parse(payload.data)
        elif payload.encoding in _ELSEWHERE:
            shown.is_elsewhere = True
    return shown


def _pieces(data: bytes) -> Iterator[bytes]:
    """Whole hashes only."""
    for at in range(0, len(data) - HASH_LENGTH + 1, HASH_LENGTH):
        yield data[at : at + HASH_LENGTH]
