"""All the shapes that an SA can have: protocol, algorithms, mode, IP versions, counters, UDP around it, options."""

from dataclasses import dataclass
from random import Random

from ipsecsim.base.address import Prefix, pack
from ipsecsim.crypto.catalogue import AH_WORDS, ENCRYPTION, INTEGRITY, WORDS, AhSuite, EspSuite
from ipsecsim.ipsec.association import (
    LAST_EXTENDED_SEQUENCE,
    LAST_SEQUENCE,
    Direction,
    Mode,
    SaParameters,
)
from ipsecsim.ipsec.policy import Policy, PolicyAction
from ipsecsim.ipsec.selector import Selector
from ipsecsim.ipsec.tunnel import EcnEntry, OuterDontFragment
from ipsecsim.wire.numbers import NAT_T_PORT

SPI = 0x1000
# By IP version: this node and its peer outside, hosts behind both, and what is neither.
OWN = {4: pack("192.0.2.1"), 6: pack("2001:db8:1::1")}
PEER = {4: pack("192.0.2.2"), 6: pack("2001:db8:2::2")}
OURS = {4: (pack("10.1.0.2"), pack("10.1.0.9")), 6: (pack("fd00:10:1::2"), pack("fd00:10:1::9"))}
THEIRS = {4: (pack("10.2.0.2"), pack("10.2.0.77")), 6: (pack("fd00:10:2::2"), pack("fd00:10:2::77"))}
STRANGERS = {
    4: (pack("10.9.0.1"), pack("203.0.113.5"), bytes(4)),
    6: (pack("fd00:9::1"), pack("2001:db8:9::5"), bytes(16)),
}
_NETS = (
    Selector.between(Prefix.parse("10.1.0.0/24"), Prefix.parse("10.2.0.0/24")),
    Selector.between(Prefix.parse("fd00:10:1::/64"), Prefix.parse("fd00:10:2::/64")),
)
_GATEWAYS = {version: Selector((OWN[version],) * 2, (PEER[version],) * 2) for version in (4, 6)}
_EVERYWHERE = {4: (bytes(4), b"\xff" * 4), 6: (bytes(16), b"\xff" * 16)}
_DNS = (53, 53)

WINDOWS = (32, 64, 1024)
_ESP = tuple(
    row.word_for(bits) + ("" if row.combined else f"-{integrity}")
    for row in ENCRYPTION.values()
    for bits in row.key_bits
    for integrity in (("",) if row.combined else ("sha256", "sha1"))
) + tuple(f"aes128-{row.word}" for row in INTEGRITY.values() if not row.ah_only)
_AH = tuple(row.word for row in INTEGRITY.values())
_WITHOUT_INTEGRITY = ("aes128", "aes256ctr")
# where counters begin: young, on both sides of each power of two at which something turns over, and old
_STARTS = (0, 0, 1, 31, 2**31 - 10, 2**32 - 150, 2**32 - 5)
_EXTENDED_STARTS = (*_STARTS, 2**32 - 1, 2**32, 2**32 + 3, 2**40 - 40, 2**63 - 3, 2**64 - 400)


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of SA. Its text says all of it, and can be read again."""

    protocol: str
    words: str
    mode: Mode = Mode.TUNNEL
    outer: int = 4
    window: int = 32
    start: int = 0
    extended: bool = False
    in_udp: bool = False
    one_port: bool = False

    @property
    def suite(self) -> EspSuite | AhSuite:
        """The algorithms."""
        if self.protocol == "AH":
            return AhSuite(AH_WORDS[self.words].row)  # type: ignore[arg-type]
        cipher, _, integrity = self.words.partition("-")
        row, bits = WORDS[cipher]
        return EspSuite(row, bits or 0, WORDS[integrity].row if integrity else None)  # type: ignore[arg-type]

    @property
    def is_authenticated(self) -> bool:
        """False when whoever changes a packet is not found out."""
        suite = self.suite
        return isinstance(suite, AhSuite) or suite.is_authenticated

    @property
    def last(self) -> int:
        """The last number that there is."""
        return LAST_EXTENDED_SEQUENCE if self.extended else LAST_SEQUENCE

    @property
    def versions(self) -> tuple[int, ...]:
        """Of the packets that it carries."""
        return (4, 6) if self.mode is Mode.TUNNEL else (self.outer,)

    @property
    def ours(self) -> dict[int, tuple[bytes, ...]]:
        """Addresses on this side between which it carries packets."""
        return OURS if self.mode is Mode.TUNNEL else {self.outer: (OWN[self.outer],)}

    @property
    def theirs(self) -> dict[int, tuple[bytes, ...]]:
        """The same on the other side."""
        return THEIRS if self.mode is Mode.TUNNEL else {self.outer: (PEER[self.outer],)}

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Seen from this node. A tunnel also carries what the gateways say to each other: ESP in ESP, say."""
        rows = (_GATEWAYS[self.outer],) if self.mode is Mode.TRANSPORT else (*_NETS, *_GATEWAYS.values())
        if not self.one_port:
            return rows
        return tuple(Selector(row.local, row.remote, 17, (0, 0xFFFF), (5000, 5000)) for row in rows)

    def parameters(self, direction: Direction, *, at_peer: bool = False, **options: object) -> SaParameters:
        """The SA towards or away from this node; `at_peer` as the other end sees it."""
        comes_in = (direction is Direction.INBOUND) != at_peer
        own, peer = OWN[self.outer], PEER[self.outer]
        suite = self.suite
        salt = b"i" if comes_in else b"o"
        selectors = self.selectors
        if at_peer:
            selectors = tuple(mirrored(row) for row in selectors)
        return SaParameters(
            direction,
            SPI if comes_in else SPI + 1,
            peer if comes_in else own,
            own if comes_in else peer,
            suite,
            salt * suite.encryption_key_length,
            salt * suite.integrity_key_length,
            selectors,
            "net",
            self.mode,
            replay_window=self.window,
            udp_ports=(NAT_T_PORT, NAT_T_PORT) if self.in_udp else None,
            extended_sequence=self.extended,
            sequence=self.start,
            **options,  # type: ignore[arg-type]
        )

    def __str__(self) -> str:
        parts = [self.protocol, self.words, self.mode.value, f"IPv{self.outer}"]
        parts += [f"window={self.window}", f"start={self.start}"]
        parts += [name for name in _FLAGS if getattr(self, name)]
        return " ".join(parts)

    @classmethod
    def parse(cls, text: str) -> "Shape":
        """What `str` says of a shape; window and start may be left out."""
        protocol, words, mode, outer, *rest = text.split()
        numbers = {name: int(value) for name, found, value in (each.partition("=") for each in rest) if found}
        return cls(
            protocol, words, Mode(mode), int(outer[-1]), **numbers, **{name: name in rest for name in _FLAGS}
        )


_FLAGS = ("extended", "in_udp", "one_port")


def mirrored(row: Selector) -> Selector:
    """The same traffic, seen from the other end."""
    return Selector(row.remote, row.local, row.protocol, row.remote_ports, row.local_ports)


def any_shape(chance: Random) -> Shape:
    """Every shape comes up."""
    protocol = chance.choice(("ESP", "ESP", "AH"))
    window = chance.choice(WINDOWS) if chance.random() < 0.85 else 0
    extended = bool(window) and chance.random() < 0.5
    words = chance.choice(_ESP if protocol == "ESP" else _AH)
    if protocol == "ESP" and not window and chance.random() < 0.3:
        words = chance.choice(_WITHOUT_INTEGRITY)
    return Shape(
        protocol,
        words,
        chance.choice(list(Mode)),
        chance.choice((4, 6)),
        window,
        chance.choice(_EXTENDED_STARTS if extended else _STARTS),
        extended,
        protocol == "ESP" and chance.random() < 0.25,
        chance.random() < 0.1,
    )


def any_options(chance: Random, shape: Shape) -> dict[str, object]:
    """What a sender may decide by itself."""
    return {
        "dont_fragment": chance.choice(list(OuterDontFragment)),
        "fragment_first": chance.random() < 0.7,
        "dscp": chance.choice((None, None, 0, 46)),
        "ecn": chance.choice(list(EcnEntry)),
        "tfc_length": chance.choice((0, 0, 0, 200, 1400)),
    }


def policies(shape: Shape) -> list[Policy]:
    """One rule of each kind, with and without ports."""
    made = []
    for net, version in zip(_NETS, (4, 6), strict=True):
        dns = Selector(net.local, net.remote, 17, local_ports=_DNS)
        made.append(Policy(f"dns {version}", PolicyAction.BYPASS, (dns,)))
        tcp = Selector(net.local, net.remote, protocol=6)
        made.append(Policy(f"bad {version}", PolicyAction.DISCARD, (tcp,)))
    made.append(Policy("net", PolicyAction.PROTECT, shape.selectors))
    for net, version in zip(_NETS, (4, 6), strict=True):
        everywhere = _EVERYWHERE[version]
        made.append(
            Policy(f"waits {version}", PolicyAction.PROTECT, (Selector(net.local, everywhere, protocol=132),))
        )
        icmp = Selector(net.local, everywhere, protocol=1 if version == 4 else 58)
        made.append(Policy(f"rest {version}", PolicyAction.BYPASS, (icmp,)))
    return made
