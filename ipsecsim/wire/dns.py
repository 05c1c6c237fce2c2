"""Here is a DNS message with one question and at most one address in answer (RFC 1035 4.1, RFC 3596 2)."""

from dataclasses import dataclass
from struct import Struct

from ipsecsim.wire.reader import Reader

TYPE_A = 1
TYPE_AAAA = 28

_HEADER = Struct("!HHHHHH")  # ID, flags, and how many questions, answers, authorities and additional records
_QUESTION = Struct("!HH")  # type, class
_RECORD = Struct("!HHIH")  # type, class, time to live, length of the data
_INTERNET = 1
_RESPONSE = 0x8000
_RECURSION_DESIRED = 0x0100
_FIRST_NAME = b"\xc0\x0c"  # RFC 1035 4.1.4: a pointer to the name behind the header
_LONGEST_NAME = 255
_LONGEST_LABEL = 63


@dataclass(slots=True)
class Message:
    """A query, or the answer to one: then `address` is what was asked for, and empty when there is none."""

    identifier: int
    name: tuple[bytes, ...]
    type: int
    is_response: bool = False
    address: bytes = b""
    time_to_live: int = 0

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        """Read a message of this shape. Raises Malformed for others."""
        reader = Reader(data, "DNS message")
        identifier, flags, questions, answers, others, more = reader.unpack(_HEADER)
        if (questions, others, more) != (1, 0, 0) or answers > 1:
            raise reader.malformed("one question is expected, and one answer at most")
        name = _name(reader)
        kind, its_class = reader.unpack(_QUESTION)
        if its_class != _INTERNET:
            raise reader.malformed(f"class {its_class}")
        message = cls(identifier, name, kind, is_response=bool(flags & _RESPONSE))
        if answers:
            message.time_to_live, message.address = _answer(reader, kind)
        return message

    def emit(self) -> bytes:
        """The bytes of the message."""
        flags = (_RESPONSE if self.is_response else 0) | _RECURSION_DESIRED
        labels = b"".join(bytes((len(label),)) + label for label in self.name) + b"\0"
        question = labels + _QUESTION.pack(self.type, _INTERNET)
        header = _HEADER.pack(self.identifier, flags, 1, 1 if self.address else 0, 0, 0)
        if not self.address:
            return header + question
        record = _RECORD.pack(self.type, _INTERNET, self.time_to_live, len(self.address))
        return header + question + _FIRST_NAME + record + self.address


def _name(reader: Reader) -> tuple[bytes, ...]:
    """The labels of a name that is written out."""
    labels: list[bytes] = []
    length = 0
    while size := reader.u8():
        length += 1 + size
        if size > _LONGEST_LABEL or length >= _LONGEST_NAME:
            raise reader.malformed("a name that is too long, or not written out")
        labels.append(reader.take(size))
    return tuple(labels)


def _answer(reader: Reader, asked: int) -> tuple[int, bytes]:
    """Time to live and address of the one record."""
    if reader.take(len(_FIRST_NAME)) != _FIRST_NAME:
        raise reader.malformed("an answer to another name")
    kind, its_class, time_to_live, length = reader.unpack(_RECORD)
    if (kind, its_class) != (asked, _INTERNET) or length == 0:
        raise reader.malformed("an answer of another type")
    return time_to_live, reader.take(length)
