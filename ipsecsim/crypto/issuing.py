"""Issues certificates and revocation lists: the same octets for the same words, keys and times.

Times are whole seconds since 1970.
"""

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ipsecsim.crypto.certificates import AlternativeNames, Certificate, RevocationList
from ipsecsim.crypto.signature_keys import CURVES, KeyKind, PrivateKey, PublicKey
from ipsecsim.wire.der import identifier
from ipsecsim.wire.distinguished_name import TYPES, Part, parts, parts_of_text

NO_NAMES = AlternativeNames()

_DOTTED = {identifier(dotted): dotted for dotted in TYPES.values()}
_HASHES: dict[KeyKind, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    KeyKind.RSA: hashes.SHA256(),
    KeyKind.P256: hashes.SHA256(),
    KeyKind.P384: hashes.SHA384(),
    KeyKind.P521: hashes.SHA512(),
}
_DER = serialization.Encoding.DER


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs: a certificate and its private key."""

    certificate: Certificate
    key: PrivateKey


@dataclass(frozen=True, slots=True)
class Wish:
    """What a certificate is to say. `subject` is text, such as 'O=a company, CN=moon'.

    `path_length` counts for authorities only; None sets no bound.
    """

    subject: str
    key: PublicKey
    serial: int
    not_before: int
    not_after: int
    names: AlternativeNames = NO_NAMES
    is_authority: bool = False
    path_length: int | None = None


def issue_root(wish: Wish, key: PrivateKey) -> Authority:
    """An authority that signs for itself."""
    name = _name(parts_of_text(wish.subject))
    raw = _sign(_builder(wish).issuer_name(name), key)
    return Authority(Certificate.parse(raw.public_bytes(_DER)), key)


def issue(wish: Wish, issuer: Authority) -> Certificate:
    """The certificate that an authority makes of a wish."""
    above = issuer.certificate
    builder = _builder(wish).issuer_name(_name(above.subject_parts))
    builder = builder.add_extension(_identifier_of(issuer), critical=False)
    return Certificate.parse(_sign(builder, issuer.key).public_bytes(_DER))


def issue_list(
    issuer: Authority, serials: Iterable[int], *, number: int, this_update: int, next_update: int
) -> RevocationList:
    """The revocation list that names the certificates with these serial numbers."""
    at = _moment(this_update)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(_name(issuer.certificate.subject_parts))
        .last_update(at)
        .next_update(_moment(next_update))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_identifier_of(issuer), critical=False)
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    key = issuer.key
    raw = builder.sign(key.raw, _HASHES.get(key.public.kind), ecdsa_deterministic=_is_ecdsa(key))
    return RevocationList.parse(raw.public_bytes(_DER))


def _builder(wish: Wish) -> x509.CertificateBuilder:
    """All but the issuer."""
    key = wish.key.raw
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(parts_of_text(wish.subject)))
        .public_key(key)
        .serial_number(wish.serial)
        .not_valid_before(_moment(wish.not_before))
        .not_valid_after(_moment(wish.not_after))
        .add_extension(x509.BasicConstraints(wish.is_authority, wish.path_length), critical=True)
        .add_extension(_usage(is_authority=wish.is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    names = _general_names(wish.names)
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=False) if names else builder


def _sign(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    return builder.sign(key.raw, _HASHES.get(key.public.kind), ecdsa_deterministic=_is_ecdsa(key))


def _is_ecdsa(key: PrivateKey) -> bool | None:
    """Only ECDSA can be asked for a nonce by RFC 6979; the others want no answer at all."""
    return True if key.public.kind in CURVES else None


def _identifier_of(issuer: Authority) -> x509.AuthorityKeyIdentifier:
    """By which others find the issuer; strongSwan looks for a revocation list by nothing else (RFC 5280 5.2.1)."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.key.raw)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(attributes: tuple[Part, ...]) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(x509.ObjectIdentifier(_DOTTED[part.type]), part.value) for part in attributes]
    )


def _general_names(names: AlternativeNames) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(host) for host in names.hosts),
        *(x509.RFC822Name(mailbox) for mailbox in names.mailboxes),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in names.addresses),
        *(x509.DirectoryName(_name(parts(name))) for name in names.directories),
    ]


def _moment(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
