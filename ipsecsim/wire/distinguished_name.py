"""Here are distinguished names: DER as certificates and ID_DER_ASN1_DN have it, and text (RFC 5280 4.1.2.4).

Text is written as strongSwan does: 'C=CH, O=a company, CN=moon', most general part first.
"""

import re
from dataclasses import dataclass

from ipsecsim.base.drop_reasons import DropReason
from ipsecsim.wire import der
from ipsecsim.wire.der import DerReader

TYPES = {
    "C": "2.5.4.6",
    "ST": "2.5.4.8",
    "L": "2.5.4.7",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "CN": "2.5.4.3",
    "serialNumber": "2.5.4.5",
    "E": "1.2.840.113549.1.9.1",
    "DC": "0.9.2342.19200300.100.1.25",
}
"""Attribute types by the short names that people write."""

_WORDS = {der.identifier(dotted): word for word, dotted in TYPES.items()}
_IDENTIFIERS = {word.lower(): der.identifier(dotted) for word, dotted in TYPES.items()}
_PART = re.compile(r"\s*([A-Za-z]+)\s*=\s*((?:[^,\\]|\\.)*?)\s*(?:,|$)")
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_ENCODINGS = {
    der.UTF8_STRING: "utf-8",
    der.PRINTABLE_STRING: "ascii",
    der.IA5_STRING: "ascii",
    20: "latin-1",  # TeletexString, as everybody reads it
    28: "utf-32-be",  # UniversalString
    30: "utf-16-be",  # BMPString
}
_SPECIAL = re.compile(r"([,\\])")
_ESCAPED = r"\\\1"
MOST_PARTS = 64
LONGEST_VALUE = 64
"""Bytes of a value that people may write: more than that no issuer puts into a name of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """One attribute: its type as an OBJECT IDENTIFIER in DER, its value as text. '*' stands for any value."""

    type: bytes
    value: str

    def covers(self, other: "Part") -> bool:
        """Same type, and the same value but for case and spaces (RFC 5280 7.1)."""
        return self.type == other.type and (self.value == "*" or _folded(self.value) == _folded(other.value))

    def __str__(self) -> str:
        word = _WORDS.get(self.type, self.type.hex())
        return f"{word}={_SPECIAL.sub(_ESCAPED, self.value)}"


def parts(name: bytes, reason: DropReason = DropReason.ID_MALFORMED) -> tuple[Part, ...]:
    """The attributes of a Name in DER, in order. Raises Malformed, counted as `reason`."""
    outer = DerReader(name, "distinguished name", reason)
    reader = outer.inside(der.SEQUENCE)
    outer.end()
    found: list[Part] = []
    while reader.remaining:
        several = reader.inside(der.SET)
        while several.remaining:
            if len(found) == MOST_PARTS:
                raise reader.malformed(f"more than {MOST_PARTS} parts")
            one = several.inside(der.SEQUENCE)
            kind = one.next(der.OBJECT_IDENTIFIER)
            value = one.next()
            one.end()
            try:
                text = value.value.decode(_ENCODINGS.get(value.tag, "latin-1"))
            except UnicodeDecodeError:
                raise reader.malformed("a value that is no text of its kind") from None
            found.append(Part(kind.whole, text))
    return tuple(found)


def from_text(text: str) -> bytes:
    """'C=CH, O=a company, CN=moon' in DER. Raises ValueError for text that is no such name."""
    return emit(parts_of_text(text))


def emit(name: tuple[Part, ...]) -> bytes:
    """The attributes as a Name in DER, each by itself."""
    made = [
        der.element(
            der.SET, der.element(der.SEQUENCE, part.type, der.element(_tag(part), part.value.encode()))
        )
        for part in name
    ]
    return der.element(der.SEQUENCE, *made)


def parts_of_text(text: str) -> tuple[Part, ...]:
    """The attributes that the text lists. Raises ValueError."""
    found: list[Part] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        identifier = None if match is None else _IDENTIFIERS.get(match[1].lower())
        if match is None or identifier is None:
            raise ValueError(f"'{text}' is no distinguished name; write for example O=a company, CN=moon")
        value = re.sub(r"\\(.)", r"\1", match[2])
        length = len(value.encode("utf-8", "surrogatepass"))
        if not 1 <= length <= LONGEST_VALUE:
            raise ValueError(f"{match[1]} of '{text}' has {length} bytes; give it 1 to {LONGEST_VALUE}")
        found.append(Part(identifier, value))
        at = match.end()
    return tuple(found)


def to_text(name: bytes) -> str:
    """A Name in DER as people write it. Raises Malformed."""
    return ", ".join(str(part) for part in parts(name))


def covers(pattern: tuple[Part, ...], name: tuple[Part, ...]) -> bool:
    """Do all parts fit, one for one?"""
    return len(pattern) == len(name) and all(a.covers(b) for a, b in zip(pattern, name, strict=True))


def is_below(pattern: tuple[Part, ...], name: tuple[Part, ...]) -> bool:
    """Does the name begin with these parts: does it lie in their sub-tree (RFC 4301 4.4.3.1)?"""
    return len(pattern) <= len(name) and covers(pattern, name[: len(pattern)])


def _tag(part: Part) -> int:
    if part.type in (_IDENTIFIERS["e"], _IDENTIFIERS["dc"]) and part.value.isascii():
        return der.IA5_STRING
    return der.PRINTABLE_STRING if _PRINTABLE.fullmatch(part.value) else der.UTF8_STRING


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
