"""Here is the Security Association payload: proposals, each a list of transforms (RFC 7296 3.3)."""

from dataclasses import dataclass, field
from struct import Struct
from typing import ClassVar, Self

from ipsecsim.wire.ike.generic import Payload, body_reader
from ipsecsim.wire.ike.numbers import PayloadType
from ipsecsim.wire.reader import Reader

_SUBSTRUCTURE = Struct("!BxH")  # Last Substruc, RESERVED, length: begins proposals and transforms
_PROPOSAL = Struct("!BBBB")  # Proposal Num, Protocol ID, SPI Size, Num Transforms
_TRANSFORM = Struct("!BxH")  # Transform Type, RESERVED, Transform ID
_ATTRIBUTE = Struct("!HH")  # AF and Attribute Type, then value (AF=1) or length (AF=0)

LAST = 0
MORE_PROPOSALS = 2
MORE_TRANSFORMS = 3

SHORT_FORMAT = 0x8000  # the AF bit: the value is two bytes and has no length
KEY_LENGTH = 14


@dataclass(slots=True)
class Transform:
    """One algorithm on offer (RFC 7296 3.3.2).

    `attributes` are those other than a Key Length in its proper form: pairs of the type with its AF
    bit, and the value. `key_bits` is emitted before them.
    """

    type: int
    id: int
    key_bits: int | None = None
    attributes: tuple[tuple[int, bytes], ...] = ()

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """What follows the substructure header. Raises Malformed."""
        reader = body_reader(body, "transform")
        transform_type, transform_id = reader.unpack(_TRANSFORM)
        key_bits = None
        others = []
        while reader.remaining:
            attribute_type, number = reader.unpack(_ATTRIBUTE)
            if attribute_type == SHORT_FORMAT | KEY_LENGTH and key_bits is None:
                key_bits = number
            elif attribute_type & SHORT_FORMAT:
                others.append((attribute_type, number.to_bytes(2, "big")))
            else:
                others.append((attribute_type, reader.take(number)))
        return cls(transform_type, transform_id, key_bits, tuple(others))

    def emit(self) -> bytes:
        """What follows the substructure header."""
        parts = [_TRANSFORM.pack(self.type, self.id)]
        if self.key_bits is not None:
            parts.append(_ATTRIBUTE.pack(SHORT_FORMAT | KEY_LENGTH, self.key_bits))
        for attribute_type, value in self.attributes:
            if attribute_type & SHORT_FORMAT:
                parts.append(_ATTRIBUTE.pack(attribute_type, int.from_bytes(value, "big")))
            else:
                parts.append(_ATTRIBUTE.pack(attribute_type, len(value)) + value)
        return b"".join(parts)


@dataclass(slots=True)
class Proposal:
    """One whole offer for one protocol (RFC 7296 3.3.1): pick one transform of each type."""

    number: int
    protocol: int
    spi: bytes = b""
    transforms: list[Transform] = field(default_factory=list)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """What follows the substructure header. Raises Malformed, also when Num Transforms is wrong."""
        reader = body_reader(body, "proposal")
        number, protocol, spi_size, transform_count = reader.unpack(_PROPOSAL)
        spi = reader.take(spi_size)
        transforms = [Transform.parse(part) for part in _split(reader, MORE_TRANSFORMS)]
        if len(transforms) != transform_count:
            raise reader.malformed(f"{len(transforms)} transforms, {transform_count} announced")
        return cls(number, protocol, spi, transforms)

    def emit(self) -> bytes:
        """What follows the substructure header."""
        fixed = _PROPOSAL.pack(self.number, self.protocol, len(self.spi), len(self.transforms))
        transforms = _join([transform.emit() for transform in self.transforms], MORE_TRANSFORMS)
        return fixed + self.spi + transforms


@dataclass(slots=True)
class SecurityAssociationPayload(Payload):
    """SA: the proposals, most preferred first."""

    type: ClassVar[int] = PayloadType.SA

    proposals: list[Proposal]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The payload in `body`. Raises Malformed."""
        reader = body_reader(body, "SA payload")
        return cls([Proposal.parse(part) for part in _split(reader, MORE_PROPOSALS)])

    def emit(self) -> bytes:
        """The body."""
        return _join([proposal.emit() for proposal in self.proposals], MORE_PROPOSALS)


def _split(reader: Reader, more: int) -> list[bytes]:
    """The bodies of the substructures to the end. Each must say rightly whether it is the last."""
    bodies = []
    while reader.remaining:
        mark, length = reader.unpack(_SUBSTRUCTURE)
        bodies.append(reader.take(length - _SUBSTRUCTURE.size))
        if mark != (more if reader.remaining else LAST):
            raise reader.malformed(f"Last Substruc is {mark} with {reader.remaining} bytes to come")
    return bodies


def _join(bodies: list[bytes], more: int) -> bytes:
    parts = []
    for index, body in enumerate(bodies):
        mark = LAST if index + 1 == len(bodies) else more
        parts.append(_SUBSTRUCTURE.pack(mark, _SUBSTRUCTURE.size + len(body)) + body)
    return b"".join(parts)
