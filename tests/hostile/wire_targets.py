"""Parsers and the dissector: every wire format by itself."""

from collections.abc import Callable
from functools import cache
from random import Random

from ipsecsim.base.errors import RemoteError
from ipsecsim.wire import dns, rtp
from ipsecsim.wire.dissect import dissect, dissect_ike, dissect_opened, dissect_payloads
from ipsecsim.wire.distinguished_name import from_text
from ipsecsim.wire.ike.payloads import PAYLOADS
from ipsecsim.wire.layout import Field
from ipsecsim.wire.nat_t import classify
from tests.hostile import mutators
from tests.hostile.chains import Link, any_chain, emit_links, spoil_links, spoil_message
from tests.hostile.opens_all import OpensAll
from tests.hostile.packets import spoil_packet
from tests.hostile.packets6 import any_message_6, spoil_packet_6
from tests.hostile.seeds import Finding, bodies, seeds
from tests.hostile.target import ACCEPTED, Target, require
from tests.laws.wire_formats import FORMATS, Format

NAT_T = Format("NAT-T", None, lambda kind: kind, lambda data: (classify(data), data)[1])
_BY_NAME = {each.name: each for each in (*FORMATS, NAT_T)}
_DNS = dns.Message(7, (b"www", b"example"), dns.TYPE_A, is_response=True, address=bytes(4)).emit()
_PAYLOAD_NUMBERS = {row.__name__: int(number) for number, row in PAYLOADS.items()}


@cache
def _messages() -> tuple[bytes, ...]:
    return tuple(seed.data for seed in seeds("ike")) + tuple(seed.data[28:] for seed in seeds("packet"))


@cache
def _packets() -> tuple[bytes, ...]:
    return tuple(seed.data for seed in seeds("packet"))


def _chain(chance: Random) -> bytes:
    first, data = emit_links(spoil_links(chance, any_chain(chance)))
    return bytes((first,)) + data


def _message(chance: Random) -> bytes:
    return spoil_message(chance, chance.choice(_messages()), _messages())


def _behind_ip(chance: Random) -> bytes:
    return mutators.spoil(chance, chance.choice(_packets())[20:])


_MAKERS: dict[str, Callable[[Random], bytes]] = {
    "IPv4": lambda chance: spoil_packet(chance, chance.choice(_packets())),
    "IPv6": spoil_packet_6,
    "IPv6 extension headers": spoil_packet_6,
    "ICMP": _behind_ip,
    "ICMPv6": lambda chance: mutators.spoil(chance, any_message_6(chance)),
    "UDP": _behind_ip,
    "RTP": lambda chance: mutators.spoil(chance, rtp.build(18, 7, 160, b"ssrc") + bytes(20)),
    "DNS": lambda chance: mutators.spoil(chance, _DNS),
    "ESP": _behind_ip,
    "AH": lambda chance: mutators.spoil(chance, bytes((4, 6)) + chance.randbytes(40)),
    "ESP trailer": lambda chance: mutators.spoil(chance, bytes(40) + bytes((1, 2, 3, 4, 4, 4))),
    "digital signature": lambda chance: mutators.spoil(chance, b"\5\x30\3\6\1\0" + bytes(9)),
    "distinguished name": lambda chance: mutators.spoil(chance, from_text("O=lab, CN=west")),
    "IKE header": _message,
    "IKE message": _message,
    "payload chain": _chain,
    "NAT-T": lambda chance: mutators.spoil(chance, chance.choice((b"\xff", bytes(4), b"\0\0\1\0data"))),
}


def _body(chance: Random, number: int) -> bytes:
    """A body for one type of payload, changed by field or blindly."""
    same = [body for kind, body in bodies() if kind == number] or [body for _, body in bodies()]
    links = spoil_links(chance, [Link(number, chance.choice(same))])
    return links[0].body if links else mutators.noise(chance)


class Parsers(Target):
    """Every format: parse, and what was parsed must be fit to be emitted and read again."""

    name = "parsers"
    share = 260

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._format: Format = NAT_T

    def next_input(self) -> bytes:
        chance = self.chance
        self._format = chance.choice(tuple(_BY_NAME.values()))
        if chance.random() < 0.05:
            return mutators.noise(chance)
        make = _MAKERS.get(self._format.name)
        return _body(chance, _PAYLOAD_NUMBERS[self._format.name]) if make is None else make(chance)

    def feed(self, data: bytes) -> str:
        try:
            value = self._format.parse(data)
        except RemoteError as refused:
            return refused.reason.name
        again = self._format.parse(self._format.emit(value))
        require(again == value, f"{self._format.name}: what was read is not what is emitted")
        return ACCEPTED

    def explain(self) -> str:
        return f"format {self._format.name}"

    def choose(self, name: str) -> None:
        """Read the next inputs as this format."""
        self._format = _BY_NAME[name]

    def replay(self, finding: Finding) -> str:
        self.choose(finding.where)
        return super().replay(finding)


class Dissector(Target):
    """The dissector never raises, and its fields stay inside the packet, with keys and without."""

    name = "dissector"
    share = 120

    def __init__(self, chance: Random) -> None:
        super().__init__(chance)
        self._what = "packet"

    def next_input(self) -> bytes:
        chance = self.chance
        self._what = chance.choice(("packet", "packet", "message", "chain"))
        if self._what == "packet" and chance.random() < 0.5:
            return spoil_packet_6(chance)
        if self._what == "packet":
            return spoil_packet(chance, chance.choice(_packets()))
        return _message(chance) if self._what == "message" else _chain(chance)

    def feed(self, data: bytes) -> str:
        if self._what == "packet":
            opened, plain = dissect_opened(data, OpensAll())
            require(len(plain) == len(data), f"{len(data)} bytes became {len(plain)}")
            fields = [dissect(data), opened]
        elif self._what == "message":
            fields = [dissect_ike(data)]
        else:
            fields = dissect_payloads(data[0], data[1:], 1) if data else []
        malformed = [_check(field, len(data)) for field in fields]
        return "malformed" if any(malformed) else ACCEPTED

    def explain(self) -> str:
        return f"as {self._what}"

    def choose(self, what: str) -> None:
        """Take the next inputs for a packet, a message or a chain."""
        self._what = what

    def replay(self, finding: Finding) -> str:
        self.choose(finding.where)
        return super().replay(finding)


def _check(root: Field, length: int) -> bool:
    is_malformed = False
    for _, field in root.walk():
        if not 0 <= field.start <= field.end <= length:
            require(False, f"{field.name} covers {field.start} to {field.end} of {length} bytes")
        is_malformed = is_malformed or field.name == "malformed"
    return is_malformed
