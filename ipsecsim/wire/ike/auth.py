"""Here are the Authentication payload, AUTH (RFC 7296 3.8), and what it holds of a signature (RFC 7427 3)."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.reader import Reader

_FIXED = Struct("!B3x")  # Auth Method, RESERVED


@dataclass(slots=True)
class Authentication(Payload):
    """The proof of identity: a signature or a MAC, as `method` says."""

    type: ClassVar[int] = PayloadType.AUTH

    method: int
    data: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "AUTH payload")
        (method,) = reader.unpack(_FIXED)
        return cls(method, reader.rest())

    def emit(self) -> bytes:
        """The body."""
        return _FIXED.pack(self.method) + self.data


@dataclass(slots=True)
class DigitalSignature:
    """The data of method 14: the AlgorithmIdentifier in DER behind a byte with its length, then the signature."""

    algorithm: bytes
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The parts of `data`. Raises Malformed (SIG_PARAMS) without an algorithm; the signature may be empty."""
        reader = Reader(data, "digital signature", DropReason.SIG_PARAMS)
        algorithm = reader.take(reader.u8())
        if not algorithm:
            raise reader.malformed("no algorithm")
        return cls(algorithm, reader.rest())

    def emit(self) -> bytes:
        """The data, with the length that the algorithm has."""
        return bytes((len(self.algorithm),)) + self.algorithm + self.signature
