"""Here are the Certificate and Certificate Request payloads, CERT and CERTREQ (RFC 7296 3.6, 3.7)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType


@dataclass(slots=True)
class _EncodedCertificate(Payload):
    """Cert Encoding, then data in that encoding."""

    encoding: int
    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "CERT or CERTREQ payload")
        return cls(reader.u8(), reader.rest())

    def emit(self) -> bytes:
        """The body."""
        return bytes((self.encoding,)) + self.data


@dataclass(slots=True)
class CertificatePayload(_EncodedCertificate):
    """CERT: a certificate, or what `encoding` says instead."""

    type: ClassVar[int] = PayloadType.CERT


@dataclass(slots=True)
class CertificateRequest(_EncodedCertificate):
    """CERTREQ. For X.509 `data` is a row of 20-byte SHA-1 hashes of trusted authorities' public keys."""

    type: ClassVar[int] = PayloadType.CERTREQ
