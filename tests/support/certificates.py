"""Certificates that no honest authority would issue, made for one test each."""

import datetime
import ipaddress
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from ipsecsim.base.entropy import SeededEntropy
from ipsecsim.crypto.certificates import Certificate
from ipsecsim.crypto.signature_keys import KeyKind, PrivateKey
from ipsecsim.scenario.library import root
from ipsecsim.wire import der

START, END = 1_700_000_000, 1_900_000_000
NOW = 1_800_000_000
SIGNER = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
AUTHORITY = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
NO_SIGNER = x509.KeyUsage(False, False, True, False, False, False, False, False, False)


@cache
def key(name: str, kind: KeyKind = KeyKind.P256) -> PrivateKey:
    """A key of this name, always the same; RSA names are those of the lab's files."""
    if kind is KeyKind.RSA:
        return PrivateKey.from_pem((root() / "pki" / f"rsa-{name}.pem").read_bytes())
    return PrivateKey.make(kind, SeededEntropy("keys of tests").fork(f"{kind.value} {name}"))


def name(text: str) -> x509.Name:
    """A subject with nothing but a common name."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)] if text else [])


def certificate(
    subject: str | x509.Name,
    issuer: str = "",
    *extensions: x509.ExtensionType | tuple[x509.ExtensionType, bool],
    hosts: tuple[str, ...] = (),
    span: tuple[int, int] = (START, END),
    serial: int = 1,
    own: PrivateKey | None = None,
    signer: PrivateKey | None = None,
) -> Certificate:
    """A certificate; without an issuer the subject signs it. A pair says whether an extension is critical."""
    own, signer = own or key(str(subject)), signer or key(issuer or str(subject))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject if isinstance(subject, x509.Name) else name(subject))
        .issuer_name(name(issuer or str(subject)))
        .public_key(own.public.raw)
        .serial_number(serial)
        .not_valid_before(datetime.datetime.fromtimestamp(span[0], datetime.UTC))
        .not_valid_after(datetime.datetime.fromtimestamp(span[1], datetime.UTC))
    )
    for each in extensions:
        value, critical = each if isinstance(each, tuple) else (each, True)
        builder = builder.add_extension(value, critical)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), False)
    function = None if signer.public.kind in (KeyKind.ED25519, KeyKind.ED448) else hashes.SHA256()
    return Certificate.parse(builder.sign(signer.raw, function).public_bytes(Encoding.DER))


def authority(
    subject: str, issuer: str = "", *extensions: x509.ExtensionType, length: int | None = None, **options
) -> Certificate:
    """A certificate that may certify."""
    return certificate(
        subject, issuer, x509.BasicConstraints(True, length), AUTHORITY, *extensions, **options
    )


def constraints(
    permitted: list[x509.GeneralName] | None = None, excluded: list[x509.GeneralName] | None = None
) -> x509.NameConstraints:
    """Which names may be certified."""
    return x509.NameConstraints(permitted, excluded)


def network(text: str) -> x509.IPAddress:
    """The general name of a network."""
    return x509.IPAddress(ipaddress.ip_network(text))


def with_sha1(certificate: Certificate, signer: PrivateKey) -> Certificate:
    """The same certificate signed over SHA-1, which libraries no longer do."""
    better, worse = (der.identifier(f"1.2.840.113549.1.1.{last}") for last in (11, 5))
    signed = certificate.raw.tbs_certificate_bytes.replace(better, worse)
    signature = signer.raw.sign(signed, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    algorithm = der.element(der.SEQUENCE, worse, der.element(der.NULL))
    return Certificate.parse(
        der.element(der.SEQUENCE, signed, algorithm, der.element(der.BIT_STRING, b"\0" + signature))
    )


def rsa_info(modulus: int, exponent: int) -> bytes:
    """A SubjectPublicKeyInfo for any two numbers (RFC 3279 2.3.1)."""
    numbers = der.element(der.SEQUENCE, der.integer(modulus), der.integer(exponent))
    algorithm = der.element(der.SEQUENCE, der.identifier("1.2.840.113549.1.1.1"), der.element(der.NULL))
    return der.element(der.SEQUENCE, algorithm, der.element(der.BIT_STRING, b"\0" + numbers))
