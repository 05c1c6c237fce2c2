"""X.509 certificates and revocation lists as values: read once, in DER only, with every doubt an error.

Times are whole seconds since 1970; the clock is the caller's.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.crypto.errors import CertificateMalformed
from ipsecsim.crypto.signature_keys import PublicKey
from ipsecsim.wire import der
from ipsecsim.wire.der import DerReader
from ipsecsim.wire.distinguished_name import Part, parts

LARGEST = 16_384  # bytes of one certificate
LARGEST_LIST = 65_536  # bytes of a revocation list
MOST_NAMES = 256

_UNDERSTOOD = frozenset(
    [
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ]
)
_UNDERSTOOD_IN_LISTS = frozenset([ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CRL_NUMBER])

Value = TypeVar("Value")
Extension = TypeVar("Extension", bound=x509.ExtensionType)
Signed = x509.Certificate | x509.CertificateRevocationList


@dataclass(frozen=True, slots=True)
class AlternativeNames:
    """Other names of the subject: host names, mailboxes, packed addresses, distinguished names in DER."""

    hosts: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    addresses: tuple[bytes, ...] = ()
    directories: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. `subject` and `issuer` are Names in DER; `path_length` None sets no bound.

    `may_sign` is what its key usage says of a peer's own signatures, `may_certify` of certificates, `may_revoke`
    of revocation lists. `names_a_list` says that it tells where its revocation list is; it is never fetched.
    `strangers` are critical extensions that nobody here understands.
    """

    der: bytes
    subject: bytes
    issuer: bytes
    serial: int
    not_before: int
    not_after: int
    key: PublicKey
    names: AlternativeNames
    key_identifier: bytes
    is_authority: bool
    path_length: int | None
    may_sign: bool
    may_certify: bool
    may_revoke: bool
    names_a_list: bool
    constraints: x509.NameConstraints | None
    strangers: tuple[str, ...]
    raw: x509.Certificate

    @classmethod
    def parse(cls, data: bytes) -> "Certificate":
        """The certificate in `data`. Raises CertificateMalformed, Malformed (CERT_MALFORMED) and BadKey."""
        if len(data) > LARGEST:
            raise CertificateMalformed(f"a certificate of {len(data)} bytes")
        der.check(data, "certificate", DropReason.CERT_MALFORMED)
        return _understood(lambda: _certificate(data))

    @classmethod
    def from_pem(cls, text: bytes) -> "Certificate":
        """The certificate in a PEM file. Raises as `parse` does."""
        return cls.parse(
            _understood(lambda: x509.load_pem_x509_certificate(text)).public_bytes(serialization.Encoding.DER)
        )

    @property
    def pem(self) -> bytes:
        """In PEM, as strongSwan and openssl read it."""
        return self.raw.public_bytes(serialization.Encoding.PEM)

    @property
    def is_self_issued(self) -> bool:
        """Are subject and issuer the same?"""
        return self.subject == self.issuer

    @property
    def subject_parts(self) -> tuple[Part, ...]:
        """The subject's attributes."""
        return parts(self.subject, DropReason.CERT_MALFORMED)

    def is_signed_by(self, issuer: "Certificate") -> bool:
        """Does the issuer's name stand in it, and is its signature by the issuer's key?

        A signature over SHA-1, which can be forged, is nobody's.
        """
        return self.issuer == issuer.subject and _is_signed_by(self.raw, issuer)

    def __str__(self) -> str:
        return ", ".join(str(part) for part in self.subject_parts) or "a certificate without a subject"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The certificates that an authority has taken back. `next_update` None: it does not say when."""

    der: bytes
    issuer: bytes
    this_update: int
    next_update: int | None
    serials: frozenset[int]
    strangers: tuple[str, ...]
    raw: x509.CertificateRevocationList

    @classmethod
    def parse(cls, data: bytes) -> "RevocationList":
        """The list in `data`. Raises CertificateMalformed and Malformed (CERT_MALFORMED)."""
        if len(data) > LARGEST_LIST:
            raise CertificateMalformed(f"a revocation list of {len(data)} bytes")
        der.check(data, "revocation list", DropReason.CERT_MALFORMED)
        return _understood(lambda: _revocation_list(data))

    @property
    def pem(self) -> bytes:
        """In PEM, as strongSwan and openssl read it."""
        return self.raw.public_bytes(serialization.Encoding.PEM)

    def is_signed_by(self, issuer: Certificate) -> bool:
        """Is it the issuer's, and may the issuer's key sign such lists?"""
        return self.issuer == issuer.subject and issuer.may_revoke and _is_signed_by(self.raw, issuer)


def _certificate(data: bytes) -> Certificate:
    issuer, subject, key = _of_certificate(data)
    raw = x509.load_der_x509_certificate(data)
    extensions = raw.extensions
    basic = _extension(extensions, x509.BasicConstraints)
    usage = _extension(extensions, x509.KeyUsage)
    key_identifier = _extension(extensions, x509.SubjectKeyIdentifier)
    parts(subject, DropReason.CERT_MALFORMED)
    return Certificate(
        der=data,
        subject=subject,
        issuer=issuer,
        serial=raw.serial_number,
        not_before=_seconds(raw.not_valid_before_utc),
        not_after=_seconds(raw.not_valid_after_utc),
        key=PublicKey.parse(key),
        names=_alternative_names(_extension(extensions, x509.SubjectAlternativeName)),
        key_identifier=b"" if key_identifier is None else key_identifier.digest,
        is_authority=basic is not None and basic.ca,
        path_length=None if basic is None else basic.path_length,
        may_sign=usage is None or usage.digital_signature or usage.content_commitment,
        may_certify=usage is None or usage.key_cert_sign,
        may_revoke=usage is None or usage.crl_sign,
        names_a_list=_extension(extensions, x509.CRLDistributionPoints) is not None,
        constraints=_extension(extensions, x509.NameConstraints),
        strangers=_strangers(extensions, _UNDERSTOOD),
        raw=raw,
    )


def _revocation_list(data: bytes) -> RevocationList:
    raw = x509.load_der_x509_crl(data)
    next_update = raw.next_update_utc
    return RevocationList(
        der=data,
        issuer=_issuer_of_list(raw.tbs_certlist_bytes),
        this_update=_seconds(raw.last_update_utc),
        next_update=None if next_update is None else _seconds(next_update),
        serials=frozenset(entry.serial_number for entry in raw),
        strangers=_strangers(raw.extensions, _UNDERSTOOD_IN_LISTS),
        raw=raw,
    )


def _of_certificate(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Issuer, subject and key as they stand in the certificate: TBSCertificate (RFC 5280 4.1)."""
    outer = DerReader(data, "certificate", DropReason.CERT_MALFORMED).inside(der.SEQUENCE)
    reader = outer.inside(der.SEQUENCE)
    serial = reader.next()
    if serial.tag == der.EXPLICIT:  # the version, which a certificate of version 1 leaves out
        serial = reader.next(der.INTEGER)
    if int.from_bytes(serial.value, "big", signed=True) <= 0:
        raise reader.malformed("a serial number that is not positive (RFC 5280 4.1.2.2)")
    reader.next(der.SEQUENCE)  # signature algorithm
    issuer = reader.next(der.SEQUENCE).whole
    reader.next(der.SEQUENCE)  # validity
    subject = reader.next(der.SEQUENCE).whole
    return issuer, subject, reader.next(der.SEQUENCE).whole


def _issuer_of_list(signed: bytes) -> bytes:
    """The issuer as it stands in the list: TBSCertList (RFC 5280 5.1)."""
    reader = DerReader(signed, "revocation list", DropReason.CERT_MALFORMED).inside(der.SEQUENCE)
    first = reader.next()
    if first.tag == der.INTEGER:  # the version; a list of version 1 begins with the signature algorithm
        reader.next(der.SEQUENCE)
    return reader.next(der.SEQUENCE).whole


def _understood(read: Callable[[], Value]) -> Value:
    """What `read` gives, with everything that the library says against the bytes as one error of ours."""
    try:
        return read()
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise CertificateMalformed(str(error) or type(error).__name__) from None


def _extension(extensions: x509.Extensions, kind: type[Extension]) -> Extension | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _strangers(extensions: x509.Extensions, understood: frozenset[x509.ObjectIdentifier]) -> tuple[str, ...]:
    return tuple(
        each.oid.dotted_string for each in extensions if each.critical and each.oid not in understood
    )


def _alternative_names(value: x509.SubjectAlternativeName | None) -> AlternativeNames:
    if value is None:
        return AlternativeNames()
    names = list(value)
    if len(names) > MOST_NAMES:
        raise CertificateMalformed(f"{len(names)} alternative names")
    return AlternativeNames(
        tuple(name.value for name in names if isinstance(name, x509.DNSName)),
        tuple(name.value for name in names if isinstance(name, x509.RFC822Name)),
        tuple(
            name.value.packed
            for name in names
            if isinstance(name, x509.IPAddress) and isinstance(name.value, IPv4Address | IPv6Address)
        ),
        tuple(name.value.public_bytes() for name in names if isinstance(name, x509.DirectoryName)),
    )


def _is_signed_by(raw: Signed, issuer: Certificate) -> bool:
    try:
        if isinstance(raw, x509.CertificateRevocationList):
            return raw.is_signature_valid(issuer.key.raw)
        raw.verify_directly_issued_by(issuer.raw)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _seconds(moment: datetime.datetime) -> int:
    return int(moment.timestamp())
