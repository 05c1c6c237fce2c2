"""How a NAT behaves, in the words of RFC 4787, and what people own, by the names they know."""

from dataclasses import dataclass, field, replace
from enum import Enum

from ipsecsim.base.instant import SECOND, Duration
from ipsecsim.stack.match import Match

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MOST_PER_HOST = 4096  # mappings


class Dependence(Enum):
    """On how much of the peer's endpoint something depends (RFC 4787 4.1, 5)."""

    NOTHING = "endpoint_independent"
    ADDRESS = "address_dependent"
    ADDRESS_AND_PORT = "address_and_port_dependent"


class Ports(Enum):
    """How the outside port of a new mapping is picked (RFC 4787 4.2)."""

    PRESERVING = "preserving"
    RANDOM = "random"
    SEQUENTIAL = "sequential"
    CONTIGUOUS = "contiguous"


class EspHandling(Enum):
    """What becomes of ESP, which has no ports (RFC 3715 2.1)."""

    DROP = "drop"
    ONE_FLOW = "one_flow"
    BY_SPI = "by_spi"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a mapping lives after the last packet from inside, one of TCP after the last packet either way."""

    udp: Duration = 5 * MINUTE  # RFC 4787 REQ-5
    tcp: Duration = 2 * HOUR + 4 * MINUTE  # of an established connection, RFC 5382 REQ-5
    tcp_transitory: Duration = 4 * MINUTE  # of one that opens or closes, the same
    icmp: Duration = MINUTE  # RFC 5508 REQ-2
    esp: Duration = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Forward:
    """What comes to `ports` goes to `inside`, and what that sends from them keeps them: a mapping that never ends.

    It stands at the outside address that the host inside has. Without ports it is all that nobody else asked for.
    """

    protocol: int | None
    ports: tuple[tuple[int, int], ...]
    inside: bytes


@dataclass(frozen=True, slots=True)
class OneToOne:
    """A host inside that has an outside address to itself, all protocols and ports of it (RFC 3022 2.1)."""

    inside: bytes
    outside: bytes


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`most_per_host` bounds the mappings of one inside address, `block` is the size of its contiguous range.

    `exempt` speaks of packets that are not translated.
    """

    mapping: Dependence = Dependence.NOTHING
    filtering: Dependence = Dependence.ADDRESS_AND_PORT
    ports: Ports = Ports.PRESERVING
    timeouts: Timeouts = field(default_factory=Timeouts)
    hairpinning: bool = True
    esp: EspHandling = EspHandling.ONE_FLOW
    ah: bool = False
    ike_helper: bool = False
    most_per_host: int = MOST_PER_HOST
    block: int = 512
    forwards: tuple[Forward, ...] = ()
    one_to_one: tuple[OneToOne, ...] = ()
    exempt: tuple[Match, ...] = ()


_BY_ALL = Dependence.ADDRESS_AND_PORT
PRESETS = {
    "home_router": Behaviour(timeouts=Timeouts(udp=2 * MINUTE)),
    "symmetric": Behaviour(mapping=_BY_ALL, ports=Ports.RANDOM, hairpinning=False, esp=EspHandling.DROP),
    "full_cone": Behaviour(filtering=Dependence.NOTHING),
    "carrier_grade": Behaviour(
        filtering=Dependence.ADDRESS, ports=Ports.CONTIGUOUS, esp=EspHandling.DROP, most_per_host=512
    ),
    "hotel": Behaviour(
        mapping=_BY_ALL,
        ports=Ports.SEQUENTIAL,
        timeouts=Timeouts(udp=30 * SECOND, tcp=5 * MINUTE, icmp=10 * SECOND, esp=30 * SECOND),
        hairpinning=False,
        esp=EspHandling.DROP,
        ike_helper=True,
    ),
}
"""By the word of the topology language."""


def preset(name: str, **changes: object) -> Behaviour:
    """A preset with some of it changed. Raises KeyError for a name that is none."""
    return replace(PRESETS[name], **changes)  # type: ignore[arg-type]
